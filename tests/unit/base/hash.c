/* Hashes: every length and byte counts, bits spread, the 128-bit one is stable and keeps pieces apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static int by_value(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a;
  const uint64_t y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Every length up to 300 of zeroes, and every single bit set in it: all hashes differ. */
static void lengths_and_bits_count(void **state) {
  (void)state;
  static uint64_t seen[301 * 301 / 2 * 8 + 400];
  uint8_t text[300] = {0};
  size_t n = 0;
  for (size_t len = 0; len <= 300; len++) {
    seen[n++] = sp_hash_bytes(text, len, 1);
    for (size_t bit = 0; bit < len * 8; bit += 3) {
      text[bit / 8] = (uint8_t)(1 << bit % 8);
      seen[n++] = sp_hash_bytes(text, len, 1);
      text[bit / 8] = 0;
    }
  }
  qsort(seen, n, sizeof *seen, by_value);
  for (size_t i = 1; i < n; i++) {
    assert_true(seen[i - 1] != seen[i]);
  }
}

static void seeds_matter_and_places_do_not(void **state) {
  (void)state;
  char text[64] = "a text of some length that is moved about in memory";
  const size_t n = strlen(text);
  const uint64_t h = sp_hash_bytes(text, n, 7);
  assert_true(h != sp_hash_bytes(text, n, 8));
  memmove(text + 3, text, n);
  assert_true(h == sp_hash_bytes(text + 3, n, 7));
}

/* Buckets by low bits, by salt and by spill partition fill evenly for keys 0, 1, 2, … and multiples of 2^20.
 */
static void bits_spread(void **state) {
  (void)state;
  static const int shifts[] = {0, 40, 48};
  for (int stride = 0; stride <= 20; stride += 20) {
    for (size_t k = 0; k < 3; k++) {
      uint32_t buckets[256] = {0};
      for (uint64_t x = 0; x < 256 * 1000; x++) {
        buckets[sp_hash_u64(x << stride) >> shifts[k] & 255]++;
      }
      for (int i = 0; i < 256; i++) {
        assert_in_range(buckets[i], 800, 1200);
      }
    }
  }
}

static void combining_keeps_order(void **state) {
  (void)state;
  assert_true(sp_hash_combine(sp_hash_u64(1), sp_hash_u64(2)) !=
              sp_hash_combine(sp_hash_u64(2), sp_hash_u64(1)));
}

static sp_hash128 of_two(const char *a, const char *b) {
  sp_hasher h;
  sp_hasher_init(&h, 0);
  sp_hasher_bytes(&h, a, strlen(a));
  sp_hasher_bytes(&h, b, strlen(b));
  return sp_hasher_finish(&h);
}

static void fingerprints(void **state) {
  (void)state;
  assert_false(sp_hash128_eq(of_two("ab", "c"), of_two("a", "bc")));
  assert_false(sp_hash128_eq(of_two("", "abc"), of_two("abc", "")));
  assert_true(sp_hash128_eq(of_two("ab", "c"), of_two("ab", "c")));
  sp_hasher x;
  sp_hasher y;
  sp_hasher_init(&x, 1);
  sp_hasher_init(&y, 2);
  assert_false(sp_hash128_eq(sp_hasher_finish(&x), sp_hasher_finish(&y)));
  sp_hasher_init(&y, 1);
  sp_hasher_u64(&x, 3);
  sp_hasher_bytes(&y, "\3\0\0\0\0\0\0\0", 8);
  assert_false(sp_hash128_eq(sp_hasher_finish(&x), sp_hasher_finish(&y)));
}

/* Fingerprints are kept in reports and profiles: these values must never change. */
static void fingerprints_are_stable(void **state) {
  (void)state;
  const sp_hash128 h = of_two("sigmapi", "a text of more than sixteen bytes");
  assert_int_equal(h.lo, UINT64_C(0x35c78679dec1d661));
  assert_int_equal(h.hi, UINT64_C(0x8c67d1b80f3453de));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lengths_and_bits_count),
      cmocka_unit_test(seeds_matter_and_places_do_not),
      cmocka_unit_test(bits_spread),
      cmocka_unit_test(combining_keeps_order),
      cmocka_unit_test(fingerprints),
      cmocka_unit_test(fingerprints_are_stable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
