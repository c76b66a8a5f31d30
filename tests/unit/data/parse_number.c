/* Text to numbers: edges, agreement with strtod, and nothing but whole fields. */
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

/* A copy that ends exactly where the field does, so that the sanitizers see a read past it. */
static sp_sv exact_copy(const char *text, size_t n, char **ret_own) {
  *ret_own = malloc(n + (n == 0));
  assert_non_null(*ret_own);
  memcpy(*ret_own, text, n);
  return (sp_sv){*ret_own, n};
}

static void check_i64(const char *text, bool ok, int64_t want) {
  char *own;
  const sp_sv s = exact_copy(text, strlen(text), &own);
  int64_t v = 4711;
  assert_int_equal(sp_parse_i64(s, &v), ok);
  assert_true(v == (ok ? want : 4711));
  free(own);
}

static void check_u64(const char *text, bool ok, uint64_t want) {
  char *own;
  const sp_sv s = exact_copy(text, strlen(text), &own);
  uint64_t v = 4711;
  assert_int_equal(sp_parse_u64(s, &v), ok);
  assert_true(v == (ok ? want : 4711));
  free(own);
}

static void integers_at_the_edges(void **state) {
  (void)state;
  check_i64("0", true, 0);
  check_i64("-0", true, 0);
  check_i64("+7", true, 7);
  check_i64("00000000000000000000000000000042", true, 42);
  check_i64("12345678", true, 12345678);
  check_i64("-123456789", true, -123456789);
  check_i64("1234567890123456", true, 1234567890123456);
  check_i64("9223372036854775807", true, INT64_MAX);
  check_i64("-9223372036854775808", true, INT64_MIN);
  check_i64("9223372036854775808", false, 0);
  check_i64("-9223372036854775809", false, 0);
  check_i64("18446744073709551616", false, 0);
  check_i64("99999999999999999999", false, 0);
  check_i64("100000000000000000000", false, 0);
  check_u64("18446744073709551615", true, UINT64_MAX);
  check_u64("18446744073709551616", false, 0);
  check_u64("18446744073709551620", false, 0);
  check_u64("9999999999999999999", true, UINT64_C(9999999999999999999));
  check_u64("+1", true, 1);
  check_u64("-1", false, 0);
  static const char *const bad[] = {"",
                                    "-",
                                    "+",
                                    "--1",
                                    "+-1",
                                    " 1",
                                    "1 ",
                                    "1.0",
                                    "1e3",
                                    "0x10",
                                    "1234567a",
                                    "a2345678",
                                    "1234/678",
                                    "1234:678",
                                    "１",
                                    "123456789 ",
                                    "1_000",
                                    "\x01"
                                    "2345678",
                                    "12345678.",
                                    "999999999999999999/"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    check_i64(bad[i], false, 0);
    check_u64(bad[i], false, 0);
  }
}

/* Each position of an 8-digit block with each byte: only digits may pass. */
static void blocks_accept_digits_only(void **state) {
  (void)state;
  for (uint32_t at = 0; at < 8; at++) {
    for (uint32_t c = 0; c < 256; c++) {
      char text[8] = {'1', '1', '1', '1', '1', '1', '1', '1'};
      text[at] = (char)c;
      uint64_t v;
      const bool digit = c >= '0' && c <= '9';
      const bool sign = at == 0 && c == '+';
      assert_int_equal(sp_parse_u64((sp_sv){text, 8}, &v), digit || sign);
      double f;
      const bool number =
          digit || sign || c == '.' || (at == 0 && c == '-') || (at > 0 && at < 7 && (c == 'e' || c == 'E'));
      assert_int_equal(sp_parse_f64((sp_sv){text, 8}, &f), number);
    }
  }
}

static void bools(void **state) {
  (void)state;
  bool b = false;
  assert_true(sp_parse_bool(SP_SV("true"), &b) && b);
  assert_true(sp_parse_bool(SP_SV("FALSE"), &b) && !b);
  assert_true(sp_parse_bool(SP_SV("True"), &b) && b);
  assert_false(sp_parse_bool(SP_SV(""), &b));
  assert_false(sp_parse_bool(SP_SV("1"), &b));
  assert_false(sp_parse_bool(SP_SV("truth"), &b));
  assert_true(b);
}

static uint64_t bits(double v) {
  uint64_t x;
  memcpy(&x, &v, sizeof x);
  return x;
}

static void check_f64(const char *text, size_t n) {
  char *own;
  const sp_sv s = exact_copy(text, n, &own);
  char *terminated = malloc(n + 1);
  assert_non_null(terminated);
  memcpy(terminated, text, n);
  terminated[n] = '\0';
  double v = 0;
  assert_true(sp_parse_f64(s, &v));
  if (bits(v) != bits(strtod(terminated, NULL))) {
    fail_msg("%.60s: %.17g", terminated, v);
  }
  free(terminated);
  free(own);
}

static void floats_round_as_strtod(void **state) {
  (void)state;
  static const char *const texts[] = {
      "0",
      "-0",
      "0.0",
      "-0.000",
      "1",
      "1.",
      ".5",
      "-.5",
      "+1.5",
      "0.1",
      "123456789.125",
      "1e22",
      "1e23",
      "1e-22",
      "1e-23",
      "9007199254740992",
      "9007199254740993",
      "9007199254740994",
      "9007199254740993.00000000000000000000000001",
      "9007199254740992.99999999999999999999",
      "1e308",
      "1.7976931348623157e308",
      "1.7976931348623158e308",
      "1.7976931348623159e308",
      "1e309",
      "1e400",
      "-1e400",
      "1e-307",
      "2.2250738585072014e-308",
      "2.2250738585072011e-308",
      "5e-324",
      "4.9406564584124654e-324",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "1e-400",
      "-1e-400",
      "1e99999999999999999999",
      "1e-99999999999999999999",
      "0e99999999",
      "123456789012345678901234567890",
      "0.000000000000000000000000000000000000001",
      "1E5",
      "1e+5",
      "00000000001.5",
      "12345678901234567890e-5",
      "1.00000000000000011102230246251565404236316680908203125",
      "1.00000000000000011102230246251565404236316680908203124999",
      "1."
      "00000000000000011102230246251565404236316680908203125000000000000000000000000000000000000000000000001",
      "3.141592653589793238462643383279502884197169399375105820974944592307816406286",
      "6929495644600919.5",
      "3.518437208883201171875e13",
      "10000000000000000000000000000000000000000e-40"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    check_f64(texts[i], strlen(texts[i]));
  }
}

static void long_numbers_need_no_bound(void **state) {
  (void)state;
  char text[3000];
  /* A one behind 800 zeros decides a halfway case. */
  const char *half = "9007199254740993";
  memcpy(text, half, 16);
  text[16] = '.';
  memset(text + 17, '0', 900);
  check_f64(text, 917);
  text[916] = '1';
  check_f64(text, 917);
  memset(text, '0', 2000);
  text[1] = '.';
  text[1999] = '7';
  check_f64(text, 2000);
  memcpy(text + 2000, "e1998", 5);
  check_f64(text, 2005);
  memset(text, '9', 310);
  check_f64(text, 310);
  memset(text, '1', 2000);
  memcpy(text + 2000, "e-1999", 6);
  check_f64(text, 2006);
  memset(text, '0', 2500);
  text[2499] = '3';
  check_f64(text, 2500);
}

static void random_floats_round_as_strtod(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 60000; i++) {
    char text[96];
    double v;
    const uint64_t x = sp_hash_u64(i);
    memcpy(&v, &x, sizeof v);
    if (!isfinite(v)) {
      continue;
    }
    int n = snprintf(text, sizeof text, "%.*g", (int)(i % 19) + 1, v);
    check_f64(text, (size_t)n);
    n = snprintf(text, sizeof text, "%.*f", (int)(i % 7), (double)(int64_t)(x >> 20) / 1000);
    check_f64(text, (size_t)n);
    n = snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)(x >> (i % 64)),
                 (unsigned long long)sp_hash_u64(x) >> (i % 60), (int)(i % 700) - 350);
    check_f64(text, (size_t)n);
  }
}

/* Nineteen digits: a quotient that looks halfway between two doubles but is a little more. */
static void remainders_decide_halfway_cases(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 60000; i++) {
    char text[64];
    const uint64_t x = UINT64_C(1000000000000000000) + sp_hash_u64(i) % UINT64_C(8000000000000000000);
    const int n = snprintf(text, sizeof text, "%llue-%d", (unsigned long long)x, 15 + (int)(i % 5));
    check_f64(text, (size_t)n);
  }
}

static void special_floats(void **state) {
  (void)state;
  double v = 0;
  assert_true(sp_parse_f64(SP_SV("inf"), &v) && isinf(v) && v > 0);
  assert_true(sp_parse_f64(SP_SV("-Infinity"), &v) && isinf(v) && v < 0);
  assert_true(sp_parse_f64(SP_SV("+INF"), &v) && isinf(v) && v > 0);
  assert_true(sp_parse_f64(SP_SV("NaN"), &v) && isnan(v));
  assert_true(sp_parse_f64(SP_SV("-nan"), &v) && isnan(v));
  static const char *const bad[] = {"",      "-",     ".",     "-.",    "e5",    "1e", "1e+",   ".e5",
                                    "1..2",  "1.2.3", "1e5.0", "1e5e5", " 1",    "1 ", "0x1p3", "nanx",
                                    "infin", "--1",   "1,5",   "1d",    "nan()", "1f"};
  v = 4711;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char *own;
    assert_false(sp_parse_f64(exact_copy(bad[i], strlen(bad[i]), &own), &v));
    free(own);
  }
  assert_true(v == 4711);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers_at_the_edges),
      cmocka_unit_test(blocks_accept_digits_only),
      cmocka_unit_test(bools),
      cmocka_unit_test(floats_round_as_strtod),
      cmocka_unit_test(long_numbers_need_no_bound),
      cmocka_unit_test(random_floats_round_as_strtod),
      cmocka_unit_test(remainders_decide_halfway_cases),
      cmocka_unit_test(special_floats),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
