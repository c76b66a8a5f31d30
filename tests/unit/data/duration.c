/* Durations and intervals: their text and what reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "data/text.h"

static void check(int64_t v, sp_unit u, const char *want) {
  char out[SP_TEXT_MAX + 1];
  const uint32_t n = sp_format_duration(v, u, out);
  assert_in_range(n, 1, SP_TEXT_MAX);
  out[n] = '\0';
  assert_string_equal(out, want);
  int64_t back = 0;
  assert_true(sp_parse_duration((sp_sv){out, n}, u, &back));
  assert_true(back == v);
}

static void printing(void **state) {
  (void)state;
  check(0, SP_UNIT_US, "0s");
  check(93784500, SP_UNIT_MS, "1d 2h 3m 4.5s");
  check(-93784500, SP_UNIT_MS, "-1d 2h 3m 4.5s");
  check(1, SP_UNIT_NS, "0.000000001s");
  check(-1, SP_UNIT_MS, "-0.001s");
  check(86400000, SP_UNIT_MS, "1d");
  check(3600000, SP_UNIT_MS, "1h");
  check(86400000 + 1, SP_UNIT_MS, "1d 0.001s");
  check(INT64_MAX, SP_UNIT_NS, "106751d 23h 47m 16.854775807s");
  check(INT64_MIN, SP_UNIT_NS, "-106751d 23h 47m 16.854775808s");
  check(INT64_MIN, SP_UNIT_MS, "-106751991167d 7h 12m 55.808s");
}

static void reading(void **state) {
  (void)state;
  const struct {
    const char *text;
    bool ok;
    int64_t us;
  } cases[] = {{"1d2h", true, INT64_C(93600000000)},
               {"26h", true, INT64_C(93600000000)},
               {"1w", true, INT64_C(604800000000)},
               {"1.5s", true, 1500000},
               {"5ms", true, 5000},
               {"-5us", true, -5},
               {"1999ns", true, 1},
               {"42", true, 42},
               {"-42", true, -42},
               {"+1m", true, 60000000},
               {"", false, 0},
               {"-", false, 0},
               {"1", true, 1},
               {"1x", false, 0},
               {"s", false, 0},
               {"1.5", false, 0},
               {"1d ", false, 0},
               {"1d  2h", false, 0},
               {"1d -2h", false, 0},
               {"1.0123456789s", false, 0},
               {"99999999999999999999s", false, 0},
               {"18446744073709551615w", false, 0},
               {"9223372036855s", false, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t v = 4711;
    if (sp_parse_duration(sp_sv_from(cases[i].text), SP_UNIT_US, &v) != cases[i].ok ||
        v != (cases[i].ok ? cases[i].us : 4711)) {
      fail_msg("%s", cases[i].text);
    }
  }
}

static void random_round_trips(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 30000; i++) {
    const int64_t v = (int64_t)sp_hash_u64(i) >> (i % 64);
    const sp_unit u = (sp_unit)(SP_UNIT_MS + i % 3);
    char out[SP_TEXT_MAX];
    int64_t back = 0;
    assert_true(sp_parse_duration((sp_sv){out, sp_format_duration(v, u, out)}, u, &back));
    assert_true(back == v);
  }
}

static void check_interval(int32_t months, int32_t days, int64_t us, const char *want) {
  char out[SP_TEXT_MAX + 1];
  const uint32_t n = sp_format_interval((sp_interval){months, days, us}, out);
  assert_in_range(n, 1, SP_TEXT_MAX);
  out[n] = '\0';
  assert_string_equal(out, want);
}

static void intervals(void **state) {
  (void)state;
  check_interval(3, 0, 0, "3mo");
  check_interval(0, 0, 0, "0s");
  check_interval(3, 2, 4500000, "3mo 2d 4.5s");
  check_interval(-3, -2, -1, "-3mo -2d -0.000001s");
  check_interval(0, 5, -1000000, "5d -1s");
  check_interval(INT32_MIN, INT32_MIN, INT64_MIN, "-2147483648mo -2147483648d -9223372036854.775808s");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(printing),
      cmocka_unit_test(reading),
      cmocka_unit_test(random_round_trips),
      cmocka_unit_test(intervals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
