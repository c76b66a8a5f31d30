/* The calendar: every day of 10,000 years, date and time fields byte by byte, units and zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "data/text.h"

static bool is_leap(int32_t y) {
  return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* Counts day by day, so that nothing of the algorithms is used to check them. */
static void every_day_of_ten_thousand_years(void **state) {
  (void)state;
  int32_t days = sp_days_from_civil(0, 1, 1);
  assert_int_equal(days, -719528);
  for (int32_t y = 0; y <= 10000; y++) {
    for (uint32_t m = 1; m <= 12; m++) {
      const uint32_t last = m == 2 ? (is_leap(y) ? 29 : 28) : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
      for (uint32_t d = 1; d <= last; d++, days++) {
        const sp_civil c = sp_civil_from_days(days);
        if (c.year != y || c.month != m || c.day != d || sp_days_from_civil(y, m, d) != days) {
          fail_msg("%d-%u-%u is not day %d", y, m, d, days);
        }
      }
    }
  }
  assert_int_equal(sp_days_from_civil(1970, 1, 1), 0);
  assert_int_equal(sp_days_from_civil(2000, 3, 1), 11017);
  const sp_civil least = sp_civil_from_days(INT32_MIN), most = sp_civil_from_days(INT32_MAX);
  assert_int_equal(sp_days_from_civil(least.year, least.month, least.day), INT32_MIN);
  assert_int_equal(sp_days_from_civil(most.year, most.month, most.day), INT32_MAX);
}

static void check_date(const char *text, bool ok) {
  char *own = malloc(strlen(text) + 1);
  assert_non_null(own);
  memcpy(own, text, strlen(text));
  int32_t days = 4711;
  const bool got = sp_parse_date((sp_sv){own, strlen(text)}, &days);
  free(own);
  if (got != ok) {
    fail_msg("%s", text);
  }
  if (!ok) {
    assert_int_equal(days, 4711);
    return;
  }
  char out[SP_TEXT_MAX + 1];
  out[sp_format_date(days, out)] = '\0';
  assert_string_equal(out, text);
}

static void dates(void **state) {
  (void)state;
  static const char *const good[] = {"0001-01-01", "9999-12-31", "1970-01-01", "2000-02-29",
                                     "1996-02-29", "2024-12-31", "1969-12-31", "1600-02-29"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    check_date(good[i], true);
  }
  static const char *const bad[] = {
      "0000-01-01", "1900-02-29", "2023-02-29", "2024-02-30", "2024-04-31", "2024-13-01", "2024-00-01",
      "2024-01-00", "2024-01-32", "2024-1-01",  "2024/01/01", "",           "2024-01-0",  "2024-01-011",
      "20240101",   "+024-01-01", " 2024-01-1", "2024-01_01", "20a4-01-01", "2024-0:-01", "2024-01-0/"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    check_date(bad[i], false);
  }
}

static void date_fields_byte_by_byte(void **state) {
  (void)state;
  for (uint32_t at = 0; at < 10; at++) {
    for (uint32_t c = 0; c < 256; c++) {
      char text[10];
      memcpy(text, "1111-11-11", 10);
      const bool dash = at == 4 || at == 7;
      text[at] = (char)c;
      bool want = dash ? c == '-' : c >= '0' && c <= '9';
      /* Months 01, 11 and 12 exist; days 01 to 31 of November do, but the 31st. */
      want = want && !(at == 5 && c > '1') && !(at == 6 && c > '2') && !(at == 8 && c > '2');
      int32_t days;
      if (sp_parse_date((sp_sv){text, 10}, &days) != want) {
        fail_msg("byte %u at %u", c, at);
      }
    }
  }
}

static void months(void **state) {
  (void)state;
  const struct {
    int32_t y, months, want_y;
    uint32_t m, d, want_m, want_d;
  } cases[] = {
      {2024, 1, 2024, 1, 31, 2, 29},   {2023, 1, 2023, 1, 31, 2, 28},    {2024, -1, 2024, 3, 31, 2, 29},
      {2024, 12, 2025, 2, 29, 2, 28},  {1996, 3, 1996, 1, 1, 4, 1},      {2000, -1, 1999, 1, 15, 12, 15},
      {2024, -24, 2022, 2, 29, 2, 28}, {1, 119987, 9999, 1, 31, 12, 31}, {2024, 0, 2024, 5, 5, 5, 5}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int32_t got = 0;
    assert_true(
        sp_days_add_months(sp_days_from_civil(cases[i].y, cases[i].m, cases[i].d), cases[i].months, &got));
    assert_int_equal(got, sp_days_from_civil(cases[i].want_y, cases[i].want_m, cases[i].want_d));
  }
  int32_t untouched = 4711;
  assert_false(sp_days_add_months(sp_days_from_civil(1, 1, 1), -1, &untouched));
  assert_false(sp_days_add_months(sp_days_from_civil(9999, 12, 1), 1, &untouched));
  assert_false(sp_days_add_months(0, INT32_MAX, &untouched));
  assert_false(sp_days_add_months(0, INT32_MIN, &untouched));
  assert_int_equal(untouched, 4711);
}

static void times(void **state) {
  (void)state;
  const struct {
    const char *text;
    int64_t ns;
    const char *printed;
  } cases[] = {{"00:00", 0, "00:00:00"},
               {"23:59:59.999999999", INT64_C(86399999999999), "23:59:59.999999999"},
               {"01:02:03", INT64_C(3723000000000), "01:02:03"},
               {"01:02:03.5", INT64_C(3723500000000), "01:02:03.500"},
               {"01:02:03.000001", INT64_C(3723000001000), "01:02:03.000001"},
               {"24:00:00", -1, NULL},
               {"23:60", -1, NULL},
               {"23:59:60", -1, NULL},
               {"1:02", -1, NULL},
               {"01:2", -1, NULL},
               {"01:02:", -1, NULL},
               {"01:02:3", -1, NULL},
               {"01:02:03.", -1, NULL},
               {"01:02:03.0123456789", -1, NULL},
               {"01:02:03x", -1, NULL},
               {"", -1, NULL},
               {"01-02", -1, NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t ns = -1;
    assert_int_equal(sp_parse_time(sp_sv_from(cases[i].text), &ns), cases[i].printed != NULL);
    assert_true(ns == cases[i].ns);
    if (cases[i].printed != NULL) {
      char out[SP_TEXT_MAX + 1];
      out[sp_format_time(ns, out)] = '\0';
      assert_string_equal(out, cases[i].printed);
    }
  }
}

static void check_datetime(const char *text, sp_unit u, bool ok, int64_t want) {
  int64_t v = 4711;
  if (sp_parse_datetime(sp_sv_from(text), u, &v) != ok || v != (ok ? want : 4711)) {
    fail_msg("%s: %lld", text, (long long)v);
  }
}

static void datetimes(void **state) {
  (void)state;
  check_datetime("1970-01-01", SP_UNIT_US, true, 0);
  check_datetime("1970-01-01T00:00:01", SP_UNIT_MS, true, 1000);
  check_datetime("1970-01-01 00:00:01.5", SP_UNIT_US, true, 1500000);
  check_datetime("1969-12-31 23:59:59.999", SP_UNIT_MS, true, -1);
  check_datetime("1969-12-31 23:59:59.9999", SP_UNIT_MS, true, -1); /* finer than the unit is cut */
  check_datetime("1970-01-01t01:00Z", SP_UNIT_MS, true, 3600000);
  check_datetime("1970-01-01T01:00:00+01:00", SP_UNIT_MS, true, 0);
  check_datetime("1970-01-01T01:00:00-0130", SP_UNIT_MS, true, 9000000);
  check_datetime("1970-01-01T01:00:00+05", SP_UNIT_MS, true, -14400000);
  check_datetime("1677-09-21T00:12:43.145224192", SP_UNIT_NS, true, INT64_MIN);
  check_datetime("1677-09-21T00:12:43.145224191", SP_UNIT_NS, false, 0);
  check_datetime("2262-04-11T23:47:16.854775807", SP_UNIT_NS, true, INT64_MAX);
  check_datetime("2262-04-11T23:47:16.854775808", SP_UNIT_NS, false, 0);
  check_datetime("9999-12-31T23:59:59.999999", SP_UNIT_US, true, INT64_C(253402300799999999));
  check_datetime("0001-01-01", SP_UNIT_US, true, INT64_C(-62135596800000000));
  static const char *const bad[] = {"1970-01-01T",
                                    "1970-01-01x00:00",
                                    "1970-01-01T24:00",
                                    "1970-01-01T00:00+1",
                                    "1970-01-01T00:00+24:00",
                                    "1970-01-01T00:00+01:60",
                                    "1970-01-01T00:00ZZ",
                                    "1970-01-01T00:00 ",
                                    "1970-02-30T00:00",
                                    "",
                                    "1970-01-01T00:00:00+01:0",
                                    "1970-01-01 00"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    check_datetime(bad[i], SP_UNIT_US, false, 0);
  }
}

static void check_print(int64_t v, sp_unit u, bool utc, const char *want) {
  char out[SP_TEXT_MAX + 1];
  const uint32_t n = sp_format_datetime(v, u, utc, out);
  assert_in_range(n, 1, SP_TEXT_MAX);
  out[n] = '\0';
  assert_string_equal(out, want);
}

static void datetimes_print(void **state) {
  (void)state;
  check_print(0, SP_UNIT_US, false, "1970-01-01T00:00:00");
  check_print(-1, SP_UNIT_MS, true, "1969-12-31T23:59:59.999Z");
  check_print(1500000, SP_UNIT_US, false, "1970-01-01T00:00:01.500");
  check_print(1, SP_UNIT_NS, false, "1970-01-01T00:00:00.000000001");
  check_print(INT64_MIN, SP_UNIT_NS, false, "1677-09-21T00:12:43.145224192");
  check_print(INT64_MAX, SP_UNIT_NS, false, "2262-04-11T23:47:16.854775807");
  check_print(INT64_MAX, SP_UNIT_MS, false, "292278994-08-17T07:12:55.807");
  check_print(INT64_MIN, SP_UNIT_MS, false, "-292275055-05-16T16:47:04.192");
  check_print(INT64_MAX, SP_UNIT_US, true, "294247-01-10T04:00:54.775807Z");
}

/* The C library's calendar as a second opinion, and reading back. */
static void random_datetimes_read_back(void **state) {
  (void)state;
  uint64_t x = 88172645463325252;
  for (uint32_t i = 0; i < 50000; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    const int64_t seconds = (int64_t)(x % UINT64_C(315537897600)) - INT64_C(62135596800);
    const time_t t = (time_t)seconds;
    struct tm tm;
    assert_non_null(gmtime_r(&t, &tm));
    char want[64], out[SP_TEXT_MAX + 1];
    snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
    out[sp_format_datetime(seconds * 1000, SP_UNIT_MS, false, out)] = '\0';
    assert_string_equal(out, want);
    const int64_t us = seconds * 1000000 + (int64_t)(x >> 44);
    int64_t back = 0;
    const uint32_t n = sp_format_datetime(us, SP_UNIT_US, i % 2 == 0, out);
    assert_true(sp_parse_datetime((sp_sv){out, n}, SP_UNIT_US, &back));
    assert_true(back == us);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_day_of_ten_thousand_years),
      cmocka_unit_test(dates),
      cmocka_unit_test(date_fields_byte_by_byte),
      cmocka_unit_test(months),
      cmocka_unit_test(times),
      cmocka_unit_test(datetimes),
      cmocka_unit_test(datetimes_print),
      cmocka_unit_test(random_datetimes_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
