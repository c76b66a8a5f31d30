/* Hashing. 64 bits for tables (fast, not stable across versions), 128 bits for fingerprints (stable).
 * Mixer: two rounds of xor and 128-bit multiply folded, after Wang Yi's wyhash (public domain description).
 * Slots use the low bits, salts the top 16, spill partitions bits 40 to 47: disjoint. */
#ifndef SP_BASE_HASH_H
#define SP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t sp_mix64(uint64_t a, uint64_t b) {
  const __uint128_t m = (__uint128_t)a * b;
  return (uint64_t)m ^ (uint64_t)(m >> 64);
}
static inline uint64_t sp_hash_u64(uint64_t x) {
  return sp_mix64(x ^ UINT64_C(0xa0761d6478bd642f),
                  sp_mix64(x ^ UINT64_C(0xe7037ed1a0b428db), UINT64_C(0x8ebc6af09c88c6e3)));
}
static inline uint64_t sp_hash_combine(uint64_t seed, uint64_t h) {
  return sp_mix64(seed ^ UINT64_C(0x589965cc75374cc3), h ^ UINT64_C(0x1d8e4e27c47d124f));
}
uint64_t sp_hash_bytes(const void *p, size_t n, uint64_t seed);

typedef struct sp_hash128 {
  uint64_t lo, hi;
} sp_hash128;
/* An incremental 128-bit hash: init, add, finish. Lengths are hashed with the bytes, so ("ab","c") !=
 * ("a","bc"). */
typedef struct sp_hasher {
  uint64_t a, b;
} sp_hasher;
void sp_hasher_init(sp_hasher *h, uint64_t seed);
void sp_hasher_bytes(sp_hasher *h, const void *p, size_t n);
void sp_hasher_u64(sp_hasher *h, uint64_t x);
sp_hash128 sp_hasher_finish(const sp_hasher *h);
static inline int sp_hash128_eq(sp_hash128 x, sp_hash128 y) {
  return x.lo == y.lo && x.hi == y.hi;
}

#endif
