/* Plan documents that are damaged: each sample cut at every byte, and with every byte replaced. Reading gives
 * a plan or one error that has a text, a place inside the document and an exit code of wrong input; nothing
 * stays allocated.
 *
 *   {"sigmapi": 1, "nodes": [{"id":   ⇒ the text ends inside … that starts at line 1, column 26 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>

#include "session/session.h"

typedef struct document {
  char *text;
  size_t n;
} document;

static document read_sample(const char *path) {
  document d = {.text = malloc(1 << 16)};
  FILE *f = fopen(path, "rb");
  assert_non_null(d.text);
  assert_non_null(f);
  d.n = fread(d.text, 1, (1 << 16) - 1, f);
  assert_true(d.n > 0 && d.n < (1 << 16) - 1);
  assert_int_equal(fclose(f), 0);
  return d;
}

static uint32_t count_lines(const char *text, size_t n) {
  uint32_t lines = 1;
  for (size_t i = 0; i < n; i++) {
    lines += text[i] == '\n';
  }
  return lines;
}

/* True when it is read and resolved, or refused as it should be. */
static bool try_text(const char *text, size_t n, uint32_t lines, bool resolve, bool *ret_fine) {
  const sp_session_options options = {.data_root = "/nonexistent"};
  sp_error err = SP_ERROR_INIT;
  sp_session *s = NULL;
  assert_int_equal(sp_session_new(&options, &s, &err), SP_OK);
  sp_status st = sp_session_load_text(s, "broken.json", ".", text, n, &err);
  if (st == SP_OK && resolve) {
    st = sp_session_resolve(s, &err);
  }
  *ret_fine = st == SP_OK;
  const int code = sp_status_exit_code(st);
  const bool good = st == SP_OK || (err.status == st && err.message[0] != '\0' && (code == 2 || code == 4) &&
                                    err.line <= lines && err.line > 0);
  if (!good) {
    print_message("status %d, %s:%s (%u:%u) %s\n%.*s\n", (int)st, err.file, err.pointer, err.line, err.col,
                  err.message, (int)n, text);
  }
  sp_session_free(s);
  return good;
}

static void check_cuts(const document *d) {
  size_t end = d->n;
  while (end > 0 && (d->text[end - 1] == '\n' || d->text[end - 1] == ' ')) {
    end--;
  }
  for (size_t n = 0; n < end; n++) {
    bool fine;
    char *copy = malloc(n + 1); /* so that a sanitizer sees reads behind the end */
    assert_non_null(copy);
    memcpy(copy, d->text, n);
    assert_true(try_text(copy, n, count_lines(copy, n), false, &fine));
    assert_false(fine);
    free(copy);
  }
}

static void check_replaced(const document *d) {
  static const char bytes[] = {'\0', '\x01', '\n', '"', '\\',   ',',    ':',    '{', '}',
                               '[',  ']',    '9',  '-', '\x80', '\xC3', '\xFF', '/', '#'};
  for (size_t i = 0; i < d->n; i++) {
    const char was = d->text[i];
    for (size_t k = i % 3; k < sizeof bytes; k += 3) {
      bool fine;
      d->text[i] = bytes[k];
      assert_true(try_text(d->text, d->n, count_lines(d->text, d->n), true, &fine));
    }
    d->text[i] = was;
  }
}

static void damaged_samples_are_read_or_refused(void **state) {
  (void)state;
  glob_t g;
  assert_int_equal(glob(SIGMAPI_SOURCE_DIR "/samples/gallery/*.json", 0, NULL, &g), 0);
  assert_true(g.gl_pathc >= 8);
  for (size_t i = 0; i < g.gl_pathc; i++) {
    document d = read_sample(g.gl_pathv[i]);
    check_cuts(&d);
    if (i % 3 == 0) {
      check_replaced(&d);
    }
    free(d.text);
  }
  globfree(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(damaged_samples_are_read_or_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
