/* sp_error: the first error wins, context goes in front, texts are cut and cleaned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <string.h>

#include "base/cformat.h"
#include "base/error.h"

static void first_error_wins(void **state) {
  (void)state;
  sp_error e = SP_ERROR_INIT;
  const sp_loc loc = {.file = "plan.json", .pointer = "/nodes/3", .line = 7, .col = 12};
  assert_int_equal(sp_error_set(&e, SP_TYPE, &loc, "cannot add %s and %s", "date", "date"), SP_TYPE);
  assert_int_equal(sp_error_set(&e, SP_IO, NULL, "later"), SP_IO);
  assert_int_equal(e.status, SP_TYPE);
  assert_string_equal(e.message, "cannot add date and date");
  sp_error_context(&e, "node `%s`", "late");
  assert_string_equal(e.message, "node `late`: cannot add date and date");
  sp_error_hint(&e, "subtract them");
  sp_error_hint(&e, "another hint");
  char text[256];
  const char *expected = "sigmapi: plan.json: /nodes/3 (7:12): node `late`: cannot add date and date\n"
                         "  hint: subtract them";
  assert_int_equal(sp_error_format(&e, text, sizeof text), strlen(expected));
  assert_string_equal(text, expected);
  char small[16];
  assert_int_equal(sp_error_format(&e, small, sizeof small), strlen(expected));
  assert_string_equal(small, "sigmapi: plan.j");
  assert_int_equal(sp_error_format(&e, NULL, 0), strlen(expected));
}

static void place_is_filled_once(void **state) {
  (void)state;
  sp_error e = SP_ERROR_INIT;
  const sp_loc root = {.pointer = "", .line = 1, .col = 1};
  sp_error_place(&e, &root);
  assert_int_equal(e.line, 0); /* nothing to place yet */
  sp_error_set(&e, SP_SYNTAX, &root, "bad");
  const sp_loc other = {.file = "f", .pointer = "/a", .line = 9, .col = 9};
  sp_error_place(&e, &other);
  assert_string_equal(e.file, "f");
  assert_string_equal(e.pointer, "");
  assert_int_equal(e.line, 1);
  char text[64];
  sp_error_format(&e, text, sizeof text);
  assert_string_equal(text, "sigmapi: f: (1:1): bad");
}

/* An error of a data file that gets the place of a node: lines of two files must not mix. */
static void a_place_stays_in_one_file(void **state) {
  (void)state;
  const sp_loc node = {.file = "plan.json", .pointer = "/nodes/0", .line = 3, .col = 5};
  sp_error e = SP_ERROR_INIT;
  const sp_loc data = {.file = "t.csv"};
  sp_error_set(&e, SP_IO, &data, "cannot read");
  sp_error_place(&e, &node);
  char text[64];
  sp_error_format(&e, text, sizeof text);
  assert_string_equal(text, "sigmapi: t.csv: cannot read");
  e = SP_ERROR_INIT;
  const sp_loc line = {.file = "t.csv", .line = 7};
  sp_error_set(&e, SP_DATA, &line, "2 fields");
  sp_error_format(&e, text, sizeof text);
  assert_string_equal(text, "sigmapi: t.csv: (7): 2 fields");
  e = SP_ERROR_INIT;
  const sp_loc plan = {.file = "plan.json"};
  sp_error_set(&e, SP_TYPE, &plan, "x");
  sp_error_place(&e, &node);
  assert_int_equal(e.line, 3);
}

static void null_error_is_fine(void **state) {
  (void)state;
  assert_int_equal(sp_error_set(NULL, SP_DATA, NULL, "x"), SP_DATA);
  sp_error_hint(NULL, "x");
  sp_error_context(NULL, "x");
  sp_error_place(NULL, NULL);
  assert_int_equal(sp_error_nomem(NULL), SP_NOMEM);
}

static void texts_are_clean_and_cut_between_characters(void **state) {
  (void)state;
  sp_error e = SP_ERROR_INIT;
  sp_error_set(&e, SP_DATA, NULL, "a\nb\x1b[31m\x7f");
  assert_string_equal(e.message, "a b [31m ");
  e = SP_ERROR_INIT;
  sp_error_set(&e, SP_DATA, NULL, "a\xC2\x9B\x80z\xEF\xBF\xBD\xE9 b");
  assert_string_equal(e.message, "a  ?z\xEF\xBF\xBD? b");
  char longer[1200];
  for (size_t i = 0; i + 3 < sizeof longer; i += 3) {
    memcpy(longer + i, "\xE2\x82\xAC", 4);
  }
  e = SP_ERROR_INIT;
  sp_error_set(&e, SP_DATA, NULL, "x%s", longer);
  const size_t n = strlen(e.message);
  assert_true(n > sizeof e.message - 4);
  assert_int_equal((n - 1) % 3, 0);
}

static void statuses_have_text_and_exit_code(void **state) {
  (void)state;
  for (int st = 0; st < SP_STATUS_COUNT; st++) {
    assert_true(strlen(sp_status_text((sp_status)st)) > 0);
    assert_in_range(sp_status_exit_code((sp_status)st), 0, 4);
  }
  assert_int_equal(sp_status_exit_code(SP_OK), 0);
  assert_int_equal(sp_status_exit_code(SP_TYPE), 2);
  assert_int_equal(sp_status_exit_code(SP_EXEC), 3);
  assert_int_equal(sp_status_exit_code(SP_LIMIT), 4);
}

static void numbers_ignore_the_locale(void **state) {
  (void)state;
  if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "de_DE") == NULL) {
    skip();
  }
  char text[32];
  sp_snprintf(text, sizeof text, "%.2f", 0.05);
  assert_string_equal(text, "0.05");
  assert_true(sp_strtod("0.5", NULL) == 0.5);
  setlocale(LC_ALL, "C");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_error_wins),
      cmocka_unit_test(place_is_filled_once),
      cmocka_unit_test(a_place_stays_in_one_file),
      cmocka_unit_test(null_error_is_fine),
      cmocka_unit_test(texts_are_clean_and_cut_between_characters),
      cmocka_unit_test(statuses_have_text_and_exit_code),
      cmocka_unit_test(numbers_ignore_the_locale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
