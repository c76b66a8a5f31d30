/* Numbers to text: the exact form, shortest digits, and reading back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "data/text.h"

static void check_f64(double v, const char *want) {
  char out[SP_TEXT_MAX + 1];
  out[sp_format_f64(v, out)] = '\0';
  assert_string_equal(out, want);
}

static void check_f32(float v, const char *want) {
  char out[SP_TEXT_MAX + 1];
  out[sp_format_f32(v, out)] = '\0';
  assert_string_equal(out, want);
}

static void integers(void **state) {
  (void)state;
  static const int64_t values[] = {0,   1,    -1,    9,         10,        99,
                                   100, -100, 12345, INT64_MAX, INT64_MIN, 1000000000000000000};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    char out[SP_TEXT_MAX + 1], want[32];
    out[sp_format_i64(values[i], out)] = '\0';
    snprintf(want, sizeof want, "%lld", (long long)values[i]);
    assert_string_equal(out, want);
  }
  char out[SP_TEXT_MAX + 1];
  out[sp_format_u64(UINT64_MAX, out)] = '\0';
  assert_string_equal(out, "18446744073709551615");
  for (uint64_t i = 0; i < 20000; i++) {
    const int64_t v = (int64_t)sp_hash_u64(i) >> (i % 64);
    int64_t back = 0;
    assert_true(sp_parse_i64((sp_sv){out, sp_format_i64(v, out)}, &back));
    assert_true(back == v);
  }
}

static void floats_have_one_form(void **state) {
  (void)state;
  check_f64(1.0, "1.0");
  check_f64(0.1, "0.1");
  check_f64(-0.0, "-0.0");
  check_f64(0.0, "0.0");
  check_f64(100, "100.0");
  check_f64(-1.5, "-1.5");
  check_f64(0.30000000000000004, "0.30000000000000004");
  check_f64(1.0 / 3, "0.3333333333333333");
  check_f64(2.0 / 3, "0.6666666666666666");
  check_f64(1e15, "1000000000000000.0");
  check_f64(9007199254740991, "9007199254740991.0");
  check_f64(9007199254740992, "9007199254740992.0");
  check_f64(1e16, "1e16");
  check_f64(1.5e16, "1.5e16");
  check_f64(123456789012345680000.0, "1.2345678901234568e20");
  check_f64(1e22, "1e22");
  check_f64(1e23, "1e23");
  check_f64(1e300, "1e300");
  check_f64(1.25e-7, "1.25e-7");
  check_f64(0.0001, "0.0001");
  check_f64(0.00012345, "0.00012345");
  check_f64(0.00001, "1e-5");
  check_f64(DBL_MAX, "1.7976931348623157e308");
  check_f64(DBL_MIN, "2.2250738585072014e-308");
  check_f64(5e-324, "5e-324");
  check_f64(1e-310, "1e-310");
  check_f64((double)NAN, "NaN");
  check_f64(-(double)NAN, "NaN");
  check_f64((double)INFINITY, "inf");
  check_f64(-(double)INFINITY, "-inf");
  check_f32(0.1f, "0.1");
  check_f32(1.0f / 3, "0.33333334");
  check_f32(16777216.0f, "16777216.0");
  check_f32(3.4028235e38f, "3.4028235e38");
  check_f32(1e-45f, "1e-45");
  check_f32(1e10f, "10000000000.0");
  check_f32(FLT_MIN, "1.1754944e-38");
}

/* Significant digits of a printed number. */
static int count_digits(const char *text, uint32_t n) {
  int digits = 0, zeros = 0;
  for (uint32_t i = 0; i < n && text[i] != 'e'; i++) {
    if (text[i] >= '1' && text[i] <= '9') {
      digits += zeros + 1;
      zeros = 0;
    } else if (text[i] == '0' && digits > 0) {
      zeros++;
    }
  }
  return digits;
}

static int shortest(double v) {
  for (int n = 1; n < 17; n++) {
    char text[64];
    snprintf(text, sizeof text, "%.*e", n - 1, v);
    if (strtod(text, NULL) == v) {
      return n;
    }
  }
  return 17;
}

static void check_round_trip(double v) {
  char out[SP_TEXT_MAX + 1];
  const uint32_t n = sp_format_f64(v, out);
  assert_in_range(n, 1, SP_TEXT_MAX);
  out[n] = '\0';
  double back = 0;
  assert_true(sp_parse_f64((sp_sv){out, n}, &back));
  if (memcmp(&back, &v, sizeof v) != 0 || count_digits(out, n) > shortest(v)) {
    fail_msg("%.17g printed as %s", v, out);
  }
}

static void floats_read_back_with_the_fewest_digits(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 15000; i++) {
    const uint64_t x = sp_hash_u64(i);
    double v;
    memcpy(&v, &x, sizeof v);
    if (isfinite(v)) {
      check_round_trip(v);
    }
    check_round_trip((double)(int64_t)x);
    check_round_trip((double)(int64_t)(x >> 40) / 100);
    check_round_trip((double)(x >> (i % 64)) / 1e7);
    check_round_trip((double)(x >> 12) * 0x1p-52);
    uint64_t small = x >> 13; /* denormal */
    memcpy(&v, &small, sizeof v);
    check_round_trip(v);
  }
  for (int e = -1074; e < 1024; e++) {
    check_round_trip(ldexp(1, e));
    check_round_trip(nextafter(ldexp(1, e), 0));
    check_round_trip(nextafter(ldexp(1, e), (double)INFINITY));
  }
}

static void check_single(float v) {
  char out[SP_TEXT_MAX];
  const uint32_t n = sp_format_f32(v, out);
  double back = 0;
  assert_true(sp_parse_f64((sp_sv){out, n}, &back));
  const float narrow = (float)back;
  assert_memory_equal(&narrow, &v, sizeof v);
  int digits = 1;
  for (; digits < 9; digits++) {
    char text[64];
    snprintf(text, sizeof text, "%.*e", digits - 1, (double)v);
    if (strtof(text, NULL) == v) {
      break;
    }
  }
  assert_in_range(count_digits(out, n), 0, digits);
}

static void single_floats_read_back(void **state) {
  (void)state;
  for (int e = -149; e < 128; e++) {
    check_single(ldexpf(1, e));
    check_single(nextafterf(ldexpf(1, e), 0));
    check_single(nextafterf(ldexpf(1, e), (float)INFINITY));
  }
  for (uint64_t i = 0; i < 60000; i++) {
    const uint32_t x = (uint32_t)sp_hash_u64(i);
    float v;
    memcpy(&v, &x, sizeof v);
    if (!isfinite(v)) {
      continue;
    }
    check_single(v);
    check_single((float)(x % 100000000) / 1000);
  }
}

static void locales_do_not_matter(void **state) {
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8"};
  bool any = false;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !any; i++) {
    any = setlocale(LC_ALL, names[i]) != NULL;
  }
  if (!any) {
    skip();
  }
  check_f64(0.30000000000000004, "0.30000000000000004");
  check_round_trip(1.2345678901234567e-200);
  setlocale(LC_ALL, "C");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers),
      cmocka_unit_test(floats_have_one_form),
      cmocka_unit_test(floats_read_back_with_the_fewest_digits),
      cmocka_unit_test(single_floats_read_back),
      cmocka_unit_test(locales_do_not_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
