/* Decimals: text, scales, rounding, floats, and the edges of 38 digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "data/text.h"

static sp_i128 i128(const char *digits) {
  sp_i128 v = 0;
  for (const char *p = digits + (digits[0] == '-'); *p != '\0'; p++) {
    v = v * 10 + (*p - '0');
  }
  return digits[0] == '-' ? -v : v;
}

static void check_parse(const char *text, uint32_t p, uint32_t s, bool round, const char *want) {
  sp_i128 v = 4711;
  char *own = malloc(strlen(text) + 1);
  assert_non_null(own);
  memcpy(own, text, strlen(text));
  const bool ok = sp_parse_decimal((sp_sv){own, strlen(text)}, p, s, round, &v);
  free(own);
  if (ok != (want != NULL) || v != (want != NULL ? i128(want) : 4711)) {
    fail_msg("%s as decimal(%u,%u)", text, p, s);
  }
}

#define DIGITS38 "99999999999999999999999999999999999999"
#define ZEROS38 "00000000000000000000000000000000000000"

static void parsing(void **state) {
  (void)state;
  check_parse("1.50", 15, 2, false, "150");
  check_parse("-1.5", 15, 2, false, "-150");
  check_parse("+7", 15, 2, false, "700");
  check_parse("-0", 15, 2, false, "0");
  check_parse(".5", 15, 2, false, "50");
  check_parse("5.", 15, 2, false, "500");
  check_parse("0.005", 15, 2, true, "1");
  check_parse("0.005", 15, 2, false, NULL);
  check_parse("-0.005", 15, 2, true, "-1");
  check_parse("0.00499999999999999999999999999999999999999999", 15, 2, true, "0");
  check_parse("1.2300000000000000000000000000000000000000000000000", 15, 2, false, "123");
  check_parse("000000000000000000000000000000000000000000000000001.5", 3, 1, false, "15");
  check_parse("99.5", 2, 0, true, NULL);
  check_parse("99.4", 2, 0, true, "99");
  check_parse("1000", 3, 0, false, NULL);
  check_parse("1e3", 6, 2, false, "100000");
  check_parse("1.25E-1", 6, 3, false, "125");
  check_parse("125e-3", 6, 2, true, "13");
  check_parse("1e-100000000000", 6, 2, true, "0");
  check_parse("1e-100000000000", 6, 2, false, NULL);
  check_parse("0e100000000000", 6, 2, false, "0");
  check_parse("1e100000000000", 38, 2, true, NULL);
  check_parse(DIGITS38, 38, 0, false, DIGITS38);
  check_parse("-" DIGITS38, 38, 0, false, "-" DIGITS38);
  check_parse("1" ZEROS38, 38, 0, false, NULL);
  check_parse("0." DIGITS38, 38, 38, false, DIGITS38);
  check_parse("1", 38, 38, false, NULL);
  check_parse("0." DIGITS38 "5", 38, 38, true, NULL);
  check_parse("9999999999999999.99", 18, 2, false, "999999999999999999");
  check_parse("123456789012345678", 18, 0, false, "123456789012345678");
  check_parse("1234567890123456789", 19, 0, false, "1234567890123456789");
  check_parse("12345678901234567", 20, 3, false, "12345678901234567000");
  static const char *const bad[] = {"",
                                    "-",
                                    ".",
                                    "-.",
                                    "1.2.3",
                                    "1e",
                                    "1e+",
                                    "1ex",
                                    "e5",
                                    "1 ",
                                    " 1",
                                    "abc",
                                    "1,5",
                                    "--1",
                                    "1.5.",
                                    "nan",
                                    "12345678901234567890x"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    check_parse(bad[i], 38, 10, true, NULL);
  }
}

static void check_format(const char *v, uint32_t scale, const char *want) {
  char out[SP_TEXT_MAX + 1];
  out[sp_format_decimal(i128(v), scale, out)] = '\0';
  assert_string_equal(out, want);
}

static void formatting(void **state) {
  (void)state;
  check_format("0", 0, "0");
  check_format("0", 2, "0.00");
  check_format("-5", 2, "-0.05");
  check_format("150", 2, "1.50");
  check_format(DIGITS38, 0, DIGITS38);
  check_format("-" DIGITS38, 38, "-0." DIGITS38);
  check_format("10000000000000000000", 0, "10000000000000000000");
  check_format("10000000000000000001", 10, "1000000000.0000000001");
  check_format("100000000000000000000000000000000000000", 0, "100000000000000000000000000000000000000");
  char out[SP_TEXT_MAX];
  const sp_i128 least = (sp_i128)1 << 126;
  assert_int_equal(sp_format_decimal(-least - least, 0, out), 40);
  assert_memory_equal(out, "-170141183460469231731687303715884105728", 40);
}

static void random_round_trips(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 50000; i++) {
    const sp_u128 x = ((sp_u128)sp_hash_u64(i) << 64 | sp_hash_u64(i + 1000000)) >> (i % 128);
    const sp_i128 v = (sp_i128)(x % (sp_u128)sp_pow10[38]) * (i % 2 == 0 ? 1 : -1);
    const uint32_t scale = (uint32_t)(i % 39);
    char out[SP_TEXT_MAX];
    const uint32_t n = sp_format_decimal(v, scale, out);
    assert_in_range(n, 1, SP_TEXT_MAX);
    sp_i128 back = 1;
    assert_true(sp_parse_decimal((sp_sv){out, n}, 38, scale, false, &back));
    assert_true(back == v);
  }
}

static void powers_and_rescaling(void **state) {
  (void)state;
  sp_i128 p = 1;
  for (uint32_t k = 0; k <= 38; k++) {
    assert_true(sp_pow10[k] == p);
    p = k < 38 ? p * 10 : p;
  }
  sp_i128 v = 4711;
  assert_true(sp_decimal_rescale(125, 2, 1, &v) && v == 13);
  assert_true(sp_decimal_rescale(-125, 2, 1, &v) && v == -13);
  assert_true(sp_decimal_rescale(124, 2, 1, &v) && v == 12);
  assert_true(sp_decimal_rescale(-124, 2, 0, &v) && v == -1);
  assert_true(sp_decimal_rescale(7, 3, 3, &v) && v == 7);
  assert_true(sp_decimal_rescale(7, 0, 37, &v) && v == 7 * sp_pow10[37]);
  assert_false(sp_decimal_rescale(10, 0, 37, &v));
  assert_false(sp_decimal_rescale(sp_pow10[37], 0, 38, &v));
  assert_true(sp_decimal_rescale(sp_pow10[38] - 1, 38, 0, &v) && v == 1);
  assert_true(sp_decimal_rescale(sp_pow10[38] / 2 - 1, 38, 0, &v) && v == 0);
  assert_true(sp_decimal_fits(999, 3) && sp_decimal_fits(-999, 3));
  assert_false(sp_decimal_fits(1000, 3) || sp_decimal_fits(-1000, 3));
}

static void check_from(double f, uint32_t p, uint32_t s, bool round, const char *want) {
  sp_i128 v = 4711;
  const bool ok = sp_decimal_from_f64(f, p, s, round, &v);
  if (ok != (want != NULL) || v != (want != NULL ? i128(want) : 4711)) {
    fail_msg("%.17g as decimal(%u,%u)", f, p, s);
  }
}

static void floats(void **state) {
  (void)state;
  assert_true(sp_decimal_to_f64(150, 2) == 1.5);
  assert_true(sp_decimal_to_f64(-1, 1) == -0.1);
  assert_true(sp_decimal_to_f64(((sp_i128)1 << 53) - 1, 22) == 9007199254740991e-22);
  assert_true(sp_decimal_to_f64(sp_pow10[38] - 1, 38) == 1.0);
  assert_true(sp_decimal_to_f64(sp_pow10[38] - 1, 0) == 1e38);
  assert_true(sp_decimal_to_f64(1, 38) == 1e-38);
  check_from(0.05, 15, 2, false, "5");
  check_from(0.1, 3, 1, false, "1");
  check_from(0.1, 3, 0, false, NULL);
  check_from(0.1, 3, 0, true, "0");
  check_from(0.125, 5, 2, true, "13");
  check_from(-0.125, 5, 2, true, "-13");
  check_from(1.005, 5, 2, true, "101"); /* its shortest text is 1.005 */
  check_from(999.5, 3, 0, true, NULL);
  check_from(1000, 3, 0, true, NULL);
  check_from(1e37, 38, 0, false, "10000000000000000000000000000000000000");
  check_from(1e38, 38, 0, true, NULL);
  check_from(1e300, 38, 0, true, NULL);
  check_from(1e-300, 38, 38, true, "0");
  check_from(-0.0, 5, 2, false, "0");
  check_from((double)NAN, 5, 2, true, NULL);
  check_from((double)INFINITY, 5, 2, true, NULL);
  for (int64_t i = -100000; i < 100000; i++) {
    sp_i128 v = 0;
    assert_true(sp_decimal_from_f64(sp_decimal_to_f64(i * 7919, 3), 18, 3, false, &v));
    assert_true(v == i * 7919);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parsing),
      cmocka_unit_test(formatting),
      cmocka_unit_test(random_round_trips),
      cmocka_unit_test(powers_and_rescaling),
      cmocka_unit_test(floats),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
