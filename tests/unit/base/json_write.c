/* JSON out: layout, escapes, numbers that read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "base/json.h"
#include "tests/support/torture.h"

static void write_sample(sp_jw *w) {
  sp_jw_open(w, '{');
  sp_jw_key(w, "a");
  sp_jw_open(w, '[');
  sp_jw_int(w, -1);
  sp_jw_uint(w, UINT64_MAX);
  sp_jw_open(w, '{');
  sp_jw_key(w, "b");
  sp_jw_bool(w, true);
  sp_jw_key(w, "c");
  sp_jw_null(w);
  sp_jw_close(w, '}');
  sp_jw_close(w, ']');
  sp_jw_key(w, "e");
  sp_jw_open(w, '[');
  sp_jw_close(w, ']');
  sp_jw_key(w, "r");
  sp_jw_raw(w, "[1]");
  sp_jw_close(w, '}');
}

static void layouts(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_str s;
  sp_str_init(&s, &m, 10000);
  sp_jw w;
  sp_jw_init(&w, &s, false);
  write_sample(&w);
  assert_string_equal(s.p, "{\"a\":[-1,18446744073709551615,{\"b\":true,\"c\":null}],\"e\":[],\"r\":[1]}");
  sp_str_clear(&s);
  sp_jw_init(&w, &s, true);
  write_sample(&w);
  assert_string_equal(s.p, "{\n  \"a\": [\n    -1,\n    18446744073709551615,\n    {\n      \"b\": true,\n"
                           "      \"c\": null\n    }\n  ],\n  \"e\": [],\n  \"r\": [1]\n}");
  sp_str_clear(&s);
  sp_jw_init(&w, &s, true);
  w.inline_from = 1;
  write_sample(&w);
  assert_string_equal(s.p,
                      "{\n  \"a\": [-1, 18446744073709551615, {\"b\": true, \"c\": null}],\n  \"e\": [],\n"
                      "  \"r\": [1]\n}");
  sp_str_clear(&s);
  sp_jw_init(&w, &s, true);
  w.inline_from = 0;
  write_sample(&w);
  assert_string_equal(
      s.p, "{\"a\": [-1, 18446744073709551615, {\"b\": true, \"c\": null}], \"e\": [], \"r\": [1]}");
  sp_str_release(&s);
  sp_mem_release(&m);
}

static void strings_read_back(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_str s;
  sp_str_init(&s, &m, 10000);
  sp_jw w;
  sp_jw_init(&w, &s, false);
  sp_jw_str(&w, SP_SV("q\" b\\ \n\t\r\b\f\0\x01\x1f /\x7f \xC3\xA9 \xFF\xC3"));
  assert_string_equal(
      s.p, "\"q\\\" b\\\\ \\n\\t\\r\\b\\f\\u0000\\u0001\\u001f /\x7f \xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD\"");
  sp_str_clear(&s);
  char all[256];
  for (int i = 0; i < 128; i++) {
    all[i] = (char)i;
  }
  sp_jw_init(&w, &s, false);
  sp_jw_str(&w, (sp_sv){all, 128});
  sp_arena a;
  sp_arena_init(&a, &m);
  const sp_json_doc *d = NULL;
  assert_int_equal(sp_json_parse(&a, NULL, s.p, s.n, &d, NULL), SP_OK);
  assert_true(sp_sv_eq(d->root->str, (sp_sv){all, 128}));
  sp_str_clear(&s);
  sp_jw_init(&w, &s, false);
  sp_jw_cstr(&w, "");
  assert_string_equal(s.p, "\"\"");
  sp_arena_release(&a);
  sp_str_release(&s);
  sp_mem_release(&m);
}

static void doubles_read_back(void **state) {
  (void)state;
  static const struct {
    double v;
    const char *text;
  } cases[] = {{0.05, "0.05"},
               {3, "3.0"},
               {-0.0, "-0.0"},
               {1e20, "1e+20"},
               {0.1 + 0.2, "0.30000000000000004"},
               {5e-324, "5e-324"},
               {1.0 / 3, "0.3333333333333333"},
               {DBL_MAX, "1.7976931348623157e+308"},
               {NAN, "null"},
               {-INFINITY, "null"},
               {123456789012345680.0, "1.2345678901234568e+17"}};
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_str s;
  sp_str_init(&s, &m, 10000);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sp_jw w;
    sp_str_clear(&s);
    sp_jw_init(&w, &s, false);
    sp_jw_double(&w, cases[i].v);
    assert_string_equal(s.p, cases[i].text);
  }
  sp_arena a;
  sp_arena_init(&a, &m);
  uint64_t bits = 1;
  for (int i = 0; i < 20000; i++) {
    bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    double v;
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v)) {
      continue;
    }
    sp_jw w;
    sp_str_clear(&s);
    sp_jw_init(&w, &s, false);
    sp_jw_double(&w, v);
    const sp_json_doc *d = NULL;
    assert_int_equal(sp_json_parse(&a, NULL, s.p, s.n, &d, NULL), SP_OK);
    assert_int_equal(d->root->kind, SP_JSON_NUMBER);
    assert_memory_equal(&d->root->num, &v, sizeof v);
    sp_arena_reset(&a);
  }
  sp_arena_release(&a);
  sp_str_release(&s);
  sp_mem_release(&m);
}

static sp_status write_all(sp_mem *mem, void *ctx) {
  (void)ctx;
  sp_str s;
  sp_str_init(&s, mem, 1 << 20);
  sp_jw w;
  sp_jw_init(&w, &s, true);
  sp_jw_open(&w, '[');
  for (int i = 0; i < 100; i++) {
    write_sample(&w);
  }
  sp_jw_close(&w, ']');
  const sp_status st = sp_str_status(&s, NULL);
  sp_str_release(&s);
  return st;
}

static void failures_leave_nothing(void **state) {
  (void)state;
  SP_TORTURE(write_all, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layouts),
      cmocka_unit_test(strings_read_back),
      cmocka_unit_test(doubles_read_back),
      cmocka_unit_test(failures_leave_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
