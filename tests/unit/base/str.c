/* Strings: the builder and its maximum, UTF-8, widths, numbers for people, nearest names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/support/torture.h"

static void the_builder_builds(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_str s;
  sp_str_init(&s, &m, 100000);
  assert_string_equal(s.p, "");
  sp_str_clear(&s);
  sp_str_add(&s, "a");
  sp_str_addn(&s, "bcd", 2);
  sp_str_addc(&s, '-');
  sp_str_repeat(&s, "xy", 3);
  sp_str_addf(&s, "|%5.1f|", 2.25);
  assert_string_equal(s.p, "abc-xyxyxy|  2.2|");
  sp_str_addf(&s, "%01000d", 7);
  assert_int_equal(s.n, 17 + 1000);
  assert_int_equal(strlen(s.p), s.n);
  sp_str_clear(&s);
  assert_string_equal(s.p, "");
  assert_true(sp_str_ok(&s));
  sp_str_release(&s);
  sp_mem_release(&m);
}

static void the_maximum_holds(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_str s;
  sp_str_init(&s, &m, 10);
  sp_str_add(&s, "0123456");
  sp_str_add(&s, "789a");
  sp_str_add(&s, "7"); /* would fit, but what follows a failure is ignored */
  assert_string_equal(s.p, "0123456");
  assert_false(sp_str_ok(&s));
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_str_status(&s, &e), SP_LIMIT);
  assert_int_equal(e.status, SP_LIMIT);
  sp_str_clear(&s);
  assert_int_equal(sp_str_status(&s, NULL), SP_OK);
  sp_str_add(&s, "0123456789");
  assert_true(sp_str_ok(&s));
  sp_str_addc(&s, 'x');
  assert_int_equal(s.status, SP_LIMIT);
  sp_str_release(&s);
  sp_mem_release(&m);
}

static sp_status build(sp_mem *mem, void *ctx) {
  (void)ctx;
  sp_str s;
  sp_str_init(&s, mem, SIZE_MAX - 1);
  for (int i = 0; i < 500; i++) {
    sp_str_addf(&s, "%d,", i);
  }
  sp_str_addf(&s, "%0600d", 1);
  const sp_status st = sp_str_status(&s, NULL);
  sp_str_release(&s);
  return st;
}

static void failures_leave_nothing(void **state) {
  (void)state;
  SP_TORTURE(build, NULL);
}

static void utf8_is_strict(void **state) {
  (void)state;
  static const char *const good[] = {"",
                                     "abc",
                                     "\xC2\x80",
                                     "\xDF\xBF",
                                     "\xE0\xA0\x80",
                                     "\xED\x9F\xBF",
                                     "\xEE\x80\x80",
                                     "\xEF\xBF\xBF",
                                     "\xF0\x90\x80\x80",
                                     "\xF4\x8F\xBF\xBF",
                                     "0123456\xC3\xA9"
                                     "89abcdef"};
  static const char *const bad[] = {"\x80",
                                    "\xC0\x80",
                                    "\xC1\xBF",
                                    "\xC2",
                                    "\xE0\x9F\xBF",
                                    "\xED\xA0\x80",
                                    "\xE2\x82",
                                    "\xF0\x8F\xBF\xBF",
                                    "\xF4\x90\x80\x80",
                                    "\xF5\x80\x80\x80",
                                    "\xFF",
                                    "0123456\xC3"
                                    "89abcdef",
                                    "abcdefgh\xE2\x28\xA1"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(sp_utf8_valid(good[i], strlen(good[i])));
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_false(sp_utf8_valid(bad[i], strlen(bad[i])));
  }
}

static void every_code_point_round_trips(void **state) {
  (void)state;
  for (uint32_t cp = 0; cp <= 0x110000; cp++) {
    char text[4];
    const uint32_t n = sp_utf8_encode(cp, text);
    uint32_t len = 0;
    const uint32_t back = sp_utf8_decode(text, text + n, &len);
    const bool scalar = cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF);
    if (len != n || back != (scalar ? cp : 0xFFFD) || !sp_utf8_valid(text, n)) {
      fail_msg("U+%04X", cp);
    }
  }
  uint32_t len = 0;
  const char broken[] = "\xE2\x82";
  assert_int_equal(sp_utf8_decode(broken, broken + 2, &len), 0xFFFD);
  assert_int_equal(len, 1);
}

static size_t width(const char *s) {
  return sp_utf8_width(s, strlen(s));
}

static void widths_are_columns(void **state) {
  (void)state;
  assert_int_equal(width("abc"), 3);
  assert_int_equal(width("n\xC3\xA9\xE2\x80\xA6"), 3);
  assert_int_equal(width("\xE6\x9D\xB1\xE4\xBA\xAC"), 4);     /* two ideographs */
  assert_int_equal(width("e\xCC\x81"), 1);                    /* e and a combining accent */
  assert_int_equal(width("\xF0\x9F\x98\x80"), 2);             /* an emoji */
  assert_int_equal(width("\xED\x95\x9C"), 2);                 /* a Hangul syllable */
  assert_int_equal(width("\xCF\x83\xCF\x80\xE2\x8B\x88"), 3); /* sigma, pi, bowtie */
  assert_int_equal(width("a\tb\n"), 2);
  assert_int_equal(width("\xE2\x94\x80\xE2\x94\x82"), 2); /* box drawing */
  assert_int_equal(width("\xE2\x80\x8B"), 0);             /* zero-width space */
  assert_int_equal(sp_utf8_count("n\xC3\xA9\xE2\x80\xA6", 6), 3);
  assert_int_equal(sp_utf8_count("a\xFF"
                                 "b",
                                 3),
                   3);
}

#define HUMAN(fn, value, text)                                                                               \
  do {                                                                                                       \
    char out_[SP_HUMAN_SIZE];                                                                                \
    fn((value), out_);                                                                                       \
    assert_string_equal(out_, (text));                                                                       \
  } while (0)

static void numbers_for_people(void **state) {
  (void)state;
  HUMAN(sp_human_bytes, 0, "0 B");
  HUMAN(sp_human_bytes, 1023, "1023 B");
  HUMAN(sp_human_bytes, 1024, "1.0 KiB");
  HUMAN(sp_human_bytes, 1572864, "1.5 MiB");
  HUMAN(sp_human_bytes, 1048575, "1.0 MiB");
  HUMAN(sp_human_bytes, -2048, "-2.0 KiB");
  HUMAN(sp_human_bytes, INT64_MAX, "8.0 EiB");
  HUMAN(sp_human_bytes, INT64_MIN, "-8.0 EiB");
  HUMAN(sp_human_ns, 0, "0 ns");
  HUMAN(sp_human_ns, 999, "999 ns");
  HUMAN(sp_human_ns, 1000, "1.0 µs");
  HUMAN(sp_human_ns, 12345678, "12.3 ms");
  HUMAN(sp_human_ns, 999999999, "1.0 s");
  HUMAN(sp_human_ns, INT64_C(75300000000), "75.3 s");
  HUMAN(sp_human_ns, INT64_C(125000000000), "2 min 5 s");
  HUMAN(sp_human_ns, INT64_C(3720000000000), "1 h 2 min");
  HUMAN(sp_human_count, 0, "0");
  HUMAN(sp_human_count, 999, "999");
  HUMAN(sp_human_count, 6001215, "6,001,215");
  HUMAN(sp_human_count, -1000, "-1,000");
  HUMAN(sp_human_count, INT64_MIN, "-9,223,372,036,854,775,808");
}

static uint32_t distance(const char *a, const char *b, uint32_t max) {
  const uint32_t d = sp_edit_distance(sp_sv_from(a), sp_sv_from(b), max);
  assert_int_equal(d, sp_edit_distance(sp_sv_from(b), sp_sv_from(a), max));
  return d;
}

static void edit_distances(void **state) {
  (void)state;
  assert_int_equal(distance("", "", 5), 0);
  assert_int_equal(distance("", "abc", 5), 3);
  assert_int_equal(distance("kitten", "sitting", 5), 3);
  assert_int_equal(distance("dleay", "delay", 5), 1);
  assert_int_equal(distance("ab", "ba", 5), 1);
  assert_int_equal(distance("ca", "abc", 5), 3); /* restricted: no edit inside a transposition */
  assert_int_equal(distance("abcdef", "xyz", 2), 3);
  assert_int_equal(distance("abcdefgh", "zyxwvuts", 4), 5);
  assert_int_equal(distance("gr\xC3\xB6\xC3\x9F"
                            "e",
                            "gr\xC3\xB6sse", 5),
                   2);
  assert_int_equal(distance("\xC3\xB6", "o", 5), 1); /* code points, not bytes */
  char a[1000];
  char b[1000];
  memset(a, 'a', sizeof a);
  memset(b, 'b', sizeof b);
  assert_int_equal(sp_edit_distance((sp_sv){a, 1000}, (sp_sv){b, 1000}, 3), 4);
  memset(b, 'a', sizeof b);
  b[500] = 'x';
  assert_int_equal(sp_edit_distance((sp_sv){a, 1000}, (sp_sv){b, 1000}, 3), 1);
}

static sp_sv name_at(const void *ctx, uint32_t i) {
  return sp_sv_from(((const char *const *)ctx)[i]);
}

static void nearest_names(void **state) {
  (void)state;
  static const char *const names[] = {"origin",      "delay",   "delay_min",
                                      "destination", "Carrier", "flight_date"};
  char out[128];
  assert_true(sp_nearest_names(SP_SV("dleay"), 6, name_at, names, out, sizeof out));
  assert_string_equal(out, "`delay`");
  assert_true(sp_nearest_names(SP_SV("dela"), 6, name_at, names, out, sizeof out));
  assert_string_equal(out, "`delay` or `delay_min`");
  assert_true(sp_nearest_names(SP_SV("carrier"), 6, name_at, names, out, sizeof out));
  assert_string_equal(out, "`Carrier`");
  assert_true(sp_nearest_names(SP_SV("flight"), 6, name_at, names, out, sizeof out));
  assert_string_equal(out, "`flight_date`");
  assert_false(sp_nearest_names(SP_SV("zzzzzz"), 6, name_at, names, out, sizeof out));
  assert_false(sp_nearest_names(SP_SV("x"), 0, name_at, names, out, sizeof out));
  static const char *const alike[] = {"aaaa", "aaab", "aabb", "aaba", "aaaa1"};
  assert_true(sp_nearest_names(SP_SV("aaaa"), 5, name_at, alike, out, sizeof out));
  assert_string_equal(out, "`aaaa`, `aaab` or `aaba`");
  char tiny[10];
  assert_true(sp_nearest_names(SP_SV("aaaa"), 5, name_at, alike, tiny, sizeof tiny));
  assert_string_equal(tiny, "`aaaa`");
}

static void views_compare_by_bytes(void **state) {
  (void)state;
  assert_true(sp_sv_cmp(SP_SV("a"), SP_SV("b")) < 0);
  assert_true(sp_sv_cmp(SP_SV("ab"), SP_SV("a")) > 0);
  assert_true(sp_sv_cmp(SP_SV("\xFF"), SP_SV("a")) > 0);
  assert_int_equal(sp_sv_cmp(SP_SV("a\0b"), SP_SV("a\0b")), 0);
  assert_int_equal(sp_sv_cmp((sp_sv){NULL, 0}, SP_SV("")), 0);
  assert_true(sp_sv_eq(sp_sv_from(NULL), SP_SV("")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_builder_builds),
      cmocka_unit_test(the_maximum_holds),
      cmocka_unit_test(failures_leave_nothing),
      cmocka_unit_test(utf8_is_strict),
      cmocka_unit_test(every_code_point_round_trips),
      cmocka_unit_test(widths_are_columns),
      cmocka_unit_test(numbers_for_people),
      cmocka_unit_test(edit_distances),
      cmocka_unit_test(nearest_names),
      cmocka_unit_test(views_compare_by_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
