/* Hashing of bytes (see hash.h).
 *
 * sp_hash_bytes: 16 bytes per multiplication, three lanes for long inputs; the last 16 bytes are read
 * overlapping, so that there is no loop over a tail. sp_hasher: each 16-byte block is xored into a 128-bit
 * state which a bijective mixer then stirs, so that no two states ever merge; made to be stable, not to be
 * the fastest. Example: sp_hasher_bytes("ab") then ("c") differs from ("a") then ("bc"), for each call hashes
 * its length first. */
#include "base/hash.h"

#include <string.h>

#define K0 UINT64_C(0xa0761d6478bd642f)
#define K1 UINT64_C(0xe7037ed1a0b428db)
#define K2 UINT64_C(0x8ebc6af09c88c6e3)
#define K3 UINT64_C(0x589965cc75374cc3)

static inline uint64_t load64(const uint8_t *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

static inline uint64_t load32(const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

uint64_t sp_hash_bytes(const void *data, size_t n, uint64_t seed) {
  const uint8_t *p = data;
  uint64_t a;
  uint64_t b;
  seed ^= sp_mix64(seed ^ K0, K1);
  if (n <= 16) {
    if (n >= 8) {
      a = load64(p);
      b = load64(p + n - 8);
    } else if (n >= 4) {
      a = load32(p);
      b = load32(p + n - 4);
    } else if (n > 0) {
      a = (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1];
      b = 0;
    } else {
      a = 0;
      b = 0;
    }
  } else {
    size_t left = n;
    if (left > 48) {
      uint64_t s1 = seed;
      uint64_t s2 = seed;
      do {
        seed = sp_mix64(load64(p) ^ K1, load64(p + 8) ^ seed);
        s1 = sp_mix64(load64(p + 16) ^ K2, load64(p + 24) ^ s1);
        s2 = sp_mix64(load64(p + 32) ^ K3, load64(p + 40) ^ s2);
        p += 48;
        left -= 48;
      } while (left > 48);
      seed ^= s1 ^ s2;
    }
    while (left > 16) {
      seed = sp_mix64(load64(p) ^ K1, load64(p + 8) ^ seed);
      p += 16;
      left -= 16;
    }
    a = load64(p + left - 16);
    b = load64(p + left - 8);
  }
  return sp_mix64(K1 ^ n, sp_mix64(a ^ K1, b ^ seed));
}

static inline uint64_t rotate(uint64_t x, unsigned by) {
  return x << by | x >> (64 - by);
}

/* Two rounds; every step can be undone, so distinct states stay distinct. */
static inline void stir(sp_hasher *h) {
  for (int i = 0; i < 2; i++) {
    h->a *= K1;
    h->a ^= h->a >> 32;
    h->b += rotate(h->a, 23);
    h->b *= K3;
    h->b ^= h->b >> 29;
    h->a += rotate(h->b, 41);
  }
}

static inline void absorb(sp_hasher *h, uint64_t x, uint64_t y) {
  h->a ^= x;
  h->b ^= y;
  stir(h);
}

void sp_hasher_init(sp_hasher *h, uint64_t seed) {
  h->a = seed ^ K0;
  h->b = K2;
  stir(h);
}

void sp_hasher_u64(sp_hasher *h, uint64_t x) {
  absorb(h, x, UINT64_MAX);
}

void sp_hasher_bytes(sp_hasher *h, const void *data, size_t n) {
  const uint8_t *p = data;
  absorb(h, n, 0);
  for (; n >= 16; n -= 16, p += 16) {
    absorb(h, load64(p), load64(p + 8));
  }
  if (n > 0) {
    uint8_t tail[16] = {0};
    memcpy(tail, p, n);
    absorb(h, load64(tail), load64(tail + 8));
  }
}

sp_hash128 sp_hasher_finish(const sp_hasher *h) {
  sp_hasher t = *h;
  stir(&t);
  stir(&t);
  return (sp_hash128){t.a, t.b};
}
