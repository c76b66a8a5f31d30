/* Runs, packed bits and deltas against the plainest way to do the same, with reads and skips of all sizes
 * mixed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "io/formats/parquet/write.h"

static uint64_t state64 = 88172645463325252u;
static uint64_t rnd(void) {
  state64 ^= state64 << 13;
  state64 ^= state64 >> 7;
  state64 ^= state64 << 17;
  return state64;
}

/* A copy with exactly the slack that readers may touch, so that the sanitizers see every byte past it. */
static uint8_t *padded(const void *p, size_t n) {
  uint8_t *q = malloc(n + SP_PQ_SLACK);
  assert_non_null(q);
  if (n > 0) {
    memcpy(q, p, n);
  }
  memset(q + n, 0xa5, SP_PQ_SLACK);
  return q;
}

static void unpacking(void **state) {
  (void)state;
  for (uint32_t width = 0; width <= 32; width++) {
    uint8_t raw[4 * 100];
    for (size_t i = 0; i < sizeof raw; i++) {
      raw[i] = (uint8_t)rnd();
    }
    for (uint32_t n = 0; n <= 100; n++) {
      uint8_t *p = padded(raw, ((size_t)n * width + 7) / 8);
      uint32_t got[101];
      got[n] = 12345;
      sp_pq_unpack32(p, width, n, got);
      for (uint32_t i = 0; i < n; i++) {
        uint32_t want = 0;
        for (uint32_t b = 0; b < width; b++) {
          const uint32_t at = i * width + b;
          want |= (uint32_t)(p[at / 8] >> at % 8 & 1) << b;
        }
        assert_int_equal(got[i], want);
      }
      assert_int_equal(got[n], 12345);
      free(p);
    }
  }
}

/* Reads and skips of random sizes until n values have passed. */
static void check_stream(const sp_str *s, const uint32_t *v, uint32_t n, uint32_t width) {
  uint8_t *p = padded(s->p, s->n);
  for (uint32_t round = 0; round < 4; round++) {
    sp_pq_rle r;
    assert_true(sp_pq_rle_init(&r, p, p + s->n, width));
    uint32_t at = 0;
    while (at < n) {
      uint32_t k = round == 0 ? n : 1 + (uint32_t)(rnd() % 40);
      k = k < n - at ? k : n - at;
      uint32_t got[3000], ones = 0, want = 0;
      uint8_t bits[3000];
      switch (rnd() % (width == 1 ? 4 : 2)) {
      case 0:
        assert_true(sp_pq_rle_read(&r, k, got));
        assert_memory_equal(got, v + at, k * 4);
        break;
      case 1:
        assert_true(sp_pq_rle_skip(&r, k));
        break;
      case 2:
        assert_true(sp_pq_rle_read_bits(&r, k, bits));
        for (uint32_t i = 0; i < k; i++) {
          assert_int_equal(bits[i], v[at + i]);
        }
        break;
      default:
        assert_true(sp_pq_rle_skip_count(&r, k, &ones));
        for (uint32_t i = 0; i < k; i++) {
          want += v[at + i];
        }
        assert_int_equal(ones, want);
      }
      at += k;
    }
  }
  free(p);
}

static void hybrid(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  for (uint32_t width = 1; width <= 32; width++) {
    for (uint32_t round = 0; round < 20; round++) {
      uint32_t v[3000], at = 0;
      const uint32_t n = 1 + (uint32_t)(rnd() % 3000), mask = UINT32_MAX >> (32 - width);
      while (at < n) { /* stretches of one value, long and short, and of noise */
        const uint32_t len = 1 + (uint32_t)(rnd() % (rnd() % 2 ? 5 : 100));
        const uint32_t value = (uint32_t)rnd() & mask;
        const bool noise = rnd() % 3 == 0;
        for (uint32_t i = 0; i < len && at < n; i++) {
          v[at++] = noise ? (uint32_t)rnd() & mask : value;
        }
      }
      sp_str s;
      sp_str_init(&s, &mem, 1 << 20);
      sp_pq_out_hybrid(&s, v, n, width);
      assert_true(sp_str_ok(&s));
      check_stream(&s, v, n, width);
      sp_str_release(&s);
    }
  }
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static void hybrid_edges(void **state) {
  (void)state;
  uint32_t got[16] = {0}, value = 0;
  sp_pq_rle r;
  uint8_t *p = padded("\x03\xe4\x1b", 3); /* a whole group of 2 bits */
  assert_true(sp_pq_rle_init(&r, p, p + 3, 2));
  assert_true(sp_pq_rle_read(&r, 8, got));
  static const uint32_t want[] = {0, 1, 2, 3, 3, 2, 1, 0};
  assert_memory_equal(got, want, sizeof want);
  assert_false(sp_pq_rle_read(&r, 1, got));
  assert_true(sp_pq_rle_init(&r, p, p + 2, 2)); /* cut short: four values are there */
  assert_true(sp_pq_rle_read(&r, 4, got));
  assert_false(sp_pq_rle_read(&r, 1, got));
  assert_false(sp_pq_rle_init(&r, p, p + 3, 33));
  assert_true(sp_pq_rle_init(&r, p, p, 0)); /* width 0 needs no bytes */
  assert_true(sp_pq_rle_read(&r, 16, got));
  assert_int_equal(got[15], 0);
  free(p);
  p = padded("\x06\x03", 2);
  assert_true(sp_pq_rle_init(&r, p, p + 2, 2));
  assert_true(sp_pq_rle_is_run(&r, 3, &value));
  assert_int_equal(value, 3);
  assert_false(sp_pq_rle_is_run(&r, 4, &value));
  free(p);
  p = padded("\x00\x00\x00\x00", 4); /* empty runs must end */
  assert_true(sp_pq_rle_init(&r, p, p + 4, 1));
  assert_false(sp_pq_rle_read(&r, 1, got));
  free(p);
  p = padded("\xff\xff\xff\xff\xff\xff\xff", 7); /* a header that does not end */
  assert_true(sp_pq_rle_init(&r, p, p + 7, 8));
  assert_false(sp_pq_rle_skip(&r, 1));
  free(p);
}

/* ---- deltas: a small encoder for the test ---- */

static void put_varint(sp_str *s, uint64_t v) {
  for (; v >= 0x80; v >>= 7) {
    sp_str_addc(s, (char)(v | 0x80));
  }
  sp_str_addc(s, (char)v);
}
static void put_zigzag(sp_str *s, uint64_t v) {
  put_varint(s, v << 1 ^ (0 - (v >> 63)));
}

static void encode_delta(sp_str *s, const uint64_t *v, uint32_t n, uint32_t minis, uint32_t per_mini) {
  put_varint(s, (uint64_t)minis * per_mini);
  put_varint(s, minis);
  put_varint(s, n);
  put_zigzag(s, n > 0 ? v[0] : 0);
  for (uint32_t at = 1; at < n; at += minis * per_mini) {
    const uint32_t in_block = n - at < minis * per_mini ? n - at : minis * per_mini;
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < in_block; i++) {
      const int64_t d = (int64_t)(v[at + i] - v[at + i - 1]);
      least = d < least ? d : least;
    }
    put_zigzag(s, (uint64_t)least);
    uint32_t widths[8] = {0};
    for (uint32_t i = 0; i < in_block; i++) {
      const uint64_t rest = v[at + i] - v[at + i - 1] - (uint64_t)least;
      const uint32_t w = rest == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(rest);
      widths[i / per_mini] = w > widths[i / per_mini] ? w : widths[i / per_mini];
    }
    for (uint32_t m = 0; m < minis; m++) {
      sp_str_addc(s, (char)widths[m]);
    }
    for (uint32_t m = 0; m * per_mini < in_block; m++) {
      const size_t start = s->n;
      for (uint32_t b = 0; b < per_mini * widths[m] / 8; b++) {
        sp_str_addc(s, 0);
      }
      for (uint32_t i = m * per_mini; i < in_block && i < (m + 1) * per_mini; i++) {
        const uint64_t rest = v[at + i] - v[at + i - 1] - (uint64_t)least;
        for (uint32_t b = 0; b < widths[m]; b++) {
          const uint32_t bit = (i - m * per_mini) * widths[m] + b;
          s->p[start + bit / 8] = (char)(s->p[start + bit / 8] | (char)((rest >> b & 1) << bit % 8));
        }
      }
    }
  }
}

static void deltas(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  for (uint32_t round = 0; round < 300; round++) {
    static uint64_t v[2000], got[2000];
    const uint32_t n = (uint32_t)(rnd() % 2000), bits = 1 + (uint32_t)(rnd() % 64);
    for (uint32_t i = 0; i < n; i++) {
      v[i] = rnd() >> (64 - bits);
    }
    sp_str s;
    sp_str_init(&s, &mem, 1 << 20);
    encode_delta(&s, v, n, round % 2 ? 4 : 1, round % 3 ? 32 : 8);
    assert_true(sp_str_ok(&s));
    uint8_t *p = padded(s.p, s.n);
    sp_pq_delta d;
    assert_true(sp_pq_delta_init(&d, p, p + s.n));
    uint32_t at = 0;
    while (at < n) {
      uint32_t k = 1 + (uint32_t)(rnd() % 100);
      k = k < n - at ? k : n - at;
      assert_true(sp_pq_delta_read(&d, k, got + at));
      at += k;
    }
    assert_memory_equal(got, v, n * sizeof v[0]);
    assert_false(sp_pq_delta_read(&d, 1, got));
    assert_ptr_equal(sp_pq_delta_end(p, p + s.n), p + s.n);
    for (uint32_t cut = 0; cut < s.n; cut++) { /* cut short: no read past the end, and never all values */
      uint8_t *q = padded(s.p, cut);
      if (round < 20 && sp_pq_delta_init(&d, q, q + cut)) {
        sp_pq_delta_read(&d, n, got);
      }
      free(q);
      cut += round < 20 ? 0 : 50;
    }
    free(p);
    sp_str_release(&s);
  }
  sp_mem_release(&mem);
}

static void hostile_deltas(void **state) {
  (void)state;
  static const struct {
    const char *p;
    size_t n;
  } bad[] = {{"\x80\x01\x00\x05\x02", 5},         /* no miniblocks */
             {"\x00\x04\x05\x02", 4},             /* no values per block */
             {"\x80\x01\x03\x05\x02", 5},         /* miniblocks of 42 and 2/3 */
             {"\x80\x80\x80\x80\x80\x01\x01", 7}, /* cut off */
             {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint8_t *p = padded(bad[i].p, bad[i].n);
    sp_pq_delta d;
    assert_false(sp_pq_delta_init(&d, p, p + bad[i].n));
    assert_null(sp_pq_delta_end(p, p + bad[i].n));
    free(p);
  }
  uint64_t got[5];
  uint8_t *p = padded("\x80\x01\x04\x05\x02\x02\x41\x00\x00\x00", 10); /* a width of 65 bits */
  sp_pq_delta d;
  assert_true(sp_pq_delta_init(&d, p, p + 10));
  assert_false(sp_pq_delta_read(&d, 5, got));
  free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(unpacking), cmocka_unit_test(hybrid),
                                     cmocka_unit_test(hybrid_edges), cmocka_unit_test(deltas),
                                     cmocka_unit_test(hostile_deltas)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
