/* JSON in: values, places, every refusal with its pointer, line and column; every allocation failed in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "tests/support/torture.h"

typedef struct fixture {
  sp_mem mem;
  sp_arena a;
} fixture;

static int set_up(void **state) {
  static fixture f;
  sp_mem_init(&f.mem, NULL, "test");
  sp_arena_init(&f.a, &f.mem);
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  sp_arena_release(&f->a);
  sp_mem_release(&f->mem);
  return 0;
}

static const sp_json_doc *parse_n(fixture *f, const char *text, size_t n) {
  const sp_json_doc *d = NULL;
  sp_error e = SP_ERROR_INIT;
  if (sp_json_parse(&f->a, "t.json", text, n, &d, &e) != SP_OK) {
    fail_msg("%s at %s (%u:%u) in %.60s", e.message, e.pointer, e.line, e.col, text);
  }
  return d;
}

static const sp_json *parse(fixture *f, const char *text) {
  return parse_n(f, text, strlen(text))->root;
}

static void values_and_links(void **state) {
  fixture *f = *state;
  const sp_json *r = parse(f, " {\"a\": [1, {\"b\": null}, []], \"\": true, \"c\": \"x\"} ");
  assert_int_equal(r->kind, SP_JSON_OBJECT);
  assert_int_equal(r->n, 3);
  assert_null(r->parent);
  assert_null(r->next);
  assert_int_equal(r->offset, 1);
  assert_int_equal(r->end, 48);
  const sp_json *a = sp_json_get(r, "a");
  assert_ptr_equal(a, r + 1);
  assert_ptr_equal(a, r->first);
  assert_int_equal(a->kind, SP_JSON_ARRAY);
  assert_int_equal(a->n, 3);
  assert_int_equal(a->first->kind, SP_JSON_INT);
  assert_int_equal(a->first->i, 1);
  assert_ptr_equal(a->first->parent, a);
  assert_null(a->first->key.p);
  const sp_json *b = sp_json_get(a->first->next, "b");
  assert_int_equal(b->kind, SP_JSON_NULL);
  const sp_json *last = a->first->next->next;
  assert_int_equal(last->kind, SP_JSON_ARRAY);
  assert_int_equal(last->n, 0);
  assert_null(last->first);
  assert_null(last->next);
  assert_true(sp_json_get(r, "")->b);
  assert_string_equal(sp_json_get(r, "c")->str.p, "x");
  assert_null(sp_json_get(r, "d"));
  assert_null(sp_json_get(a, "a"));
}

static void numbers_are_exact(void **state) {
  fixture *f = *state;
  const sp_json *v =
      parse(f, "[0, -0, 9007199254740993, 9223372036854775807, -9223372036854775808, 9223372036854775808, "
               "18446744073709551615, 18446744073709551616, -9223372036854775809, 0.05, 1e3, -2.5E-1, 1e999, "
               "0.10000000000000000555111512312578270211815834045410156250]")
          ->first;
  assert_int_equal(v->kind, SP_JSON_INT);
  assert_int_equal(v->i, 0);
  v = v->next;
  assert_int_equal(v->kind, SP_JSON_INT);
  assert_true(signbit(v->num));
  v = v->next;
  assert_true(v->i == INT64_C(9007199254740993));
  v = v->next;
  assert_true(v->i == INT64_MAX);
  v = v->next;
  assert_true(v->i == INT64_MIN);
  v = v->next;
  assert_int_equal(v->kind, SP_JSON_UINT);
  assert_true(v->u == UINT64_C(9223372036854775808));
  assert_true(v->num == 9223372036854775808.0);
  v = v->next;
  assert_true(v->u == UINT64_MAX);
  v = v->next;
  assert_int_equal(v->kind, SP_JSON_NUMBER);
  assert_true(sp_sv_eq(v->str, SP_SV("18446744073709551616")));
  v = v->next;
  assert_int_equal(v->kind, SP_JSON_NUMBER);
  assert_true(v->num == -9223372036854775808.0);
  v = v->next;
  assert_true(v->num == 0.05);
  assert_true(sp_sv_eq(v->str, SP_SV("0.05")));
  v = v->next;
  assert_int_equal(v->kind, SP_JSON_NUMBER);
  assert_true(v->num == 1000);
  v = v->next;
  assert_true(v->num == -0.25);
  v = v->next;
  assert_true(isinf(v->num));
  assert_true(v->next->num == 0.1);
}

static void strings_are_decoded(void **state) {
  fixture *f = *state;
  const sp_json *v =
      parse(f, "[\"a\\u0000b\\n\", \"\\ud83d\\ude00\\u00e9\\/\\\"\\\\\", \"\\u0000\", \"\\\\u0000\", "
               "\"\xE6\x9D\xB1\", \"\", \"\\u0000\\u0000x\\b\\f\\r\\t\"]")
          ->first;
  assert_true(sp_sv_eq(v->str, SP_SV("a\0b\n")));
  v = v->next;
  assert_true(sp_sv_eq(v->str, SP_SV("\xF0\x9F\x98\x80\xC3\xA9/\"\\")));
  v = v->next;
  assert_true(sp_sv_eq(v->str, SP_SV("\0")));
  v = v->next;
  assert_true(sp_sv_eq(v->str, SP_SV("\\u0000")));
  v = v->next;
  assert_true(sp_sv_eq(v->str, SP_SV("\xE6\x9D\xB1")));
  v = v->next;
  assert_int_equal(v->str.n, 0);
  assert_string_equal(v->str.p, "");
  v = v->next;
  assert_true(sp_sv_eq(v->str, SP_SV("\0\0x\b\f\r\t")));
  assert_int_equal(v->str.p[v->str.n], '\0');
}

static void comments_and_trailing_commas(void **state) {
  fixture *f = *state;
  const char *text =
      "\xEF\xBB\xBF// head\n{ # a comment, \"x\": 1\n  \"a\": [1, /* two\n lines */ 2,], \"u\": \"//#/*\", }"
      "// end";
  const sp_json_doc *d = parse_n(f, text, strlen(text));
  const sp_json *a = sp_json_get(d->root, "a");
  assert_int_equal(a->n, 2);
  assert_string_equal(sp_json_get(d->root, "u")->str.p, "//#/*");
  const sp_loc loc = sp_json_loc(d, a->first->next, &f->a);
  assert_int_equal(loc.line, 4);
  assert_int_equal(loc.col, 11);
  assert_string_equal(loc.pointer, "/a/1");
  assert_string_equal(loc.file, "t.json");
  assert_int_equal(strlen(d->text), strlen(text));
  /* What is left is strict JSON. */
  assert_null(strstr(d->text, "comment"));
  const sp_json_doc *again = parse_n(f, d->text, d->size);
  assert_int_equal(sp_json_get(again->root, "a")->n, 2);
}

static void pointers_are_escaped(void **state) {
  fixture *f = *state;
  const char *text = "{\"a/b\": {\"~\": [0, [\n  true]]},\n \"k\" : 1}";
  const sp_json_doc *d = parse_n(f, text, strlen(text));
  const sp_json *v = d->root->first->first->first->next->first;
  sp_loc loc = sp_json_loc(d, v, &f->a);
  assert_string_equal(loc.pointer, "/a~1b/~0/1/0");
  assert_int_equal(loc.line, 2);
  assert_int_equal(loc.col, 3);
  loc = sp_json_loc(d, d->root, &f->a);
  assert_string_equal(loc.pointer, "");
  assert_int_equal(loc.line, 1);
  assert_int_equal(loc.col, 1);
  loc = sp_json_key_loc(d, sp_json_get(d->root, "k"), &f->a);
  assert_string_equal(loc.pointer, "/k");
  assert_int_equal(loc.line, 3);
  assert_int_equal(loc.col, 2);
  assert_int_equal(sp_json_loc(d, sp_json_get(d->root, "k"), &f->a).col, 8);
}

/* "[a, b, …]" of n elements counting up from first. */
static char *int_array(fixture *f, uint32_t n, uint32_t first, const char *end) {
  char *text = sp_arena_alloc(&f->a, n * 6 + 40);
  size_t at = (size_t)sprintf(text, "[ ");
  for (uint32_t i = 0; i < n; i++) {
    at += (size_t)sprintf(text + at, "%s%u", i > 0 ? ", " : "", first + i);
  }
  sprintf(text + at, "%s", end);
  return text;
}

static void small_integers_become_bytes(void **state) {
  fixture *f = *state;
  const sp_json *v = parse(f, int_array(f, SP_JSON_INTS_MIN, 0, " ]"));
  assert_int_equal(v->kind, SP_JSON_INTS);
  assert_int_equal(v->str.n, SP_JSON_INTS_MIN);
  assert_null(v->first);
  for (uint32_t i = 0; i < SP_JSON_INTS_MIN; i++) {
    assert_int_equal((uint8_t)v->str.p[i], i);
  }
  v = parse(f, int_array(f, 156, 100, ", // end\n]"));
  assert_int_equal(v->kind, SP_JSON_INTS);
  assert_int_equal((uint8_t)v->str.p[155], 255);
  assert_int_equal(parse(f, int_array(f, SP_JSON_INTS_MIN - 1, 0, "]"))->kind, SP_JSON_ARRAY);
  assert_int_equal(parse(f, int_array(f, 157, 100, "]"))->kind, SP_JSON_ARRAY); /* holds 256 */
  assert_int_equal(parse(f, int_array(f, 100, 0, ", 1.5]"))->kind, SP_JSON_ARRAY);
  assert_int_equal(parse(f, int_array(f, 100, 0, ", -1]"))->n, 101);
  const sp_json *nested =
      parse(f, sp_arena_printf(&f->a, "{\"x\": %s, \"y\": [3]}", int_array(f, 70, 0, "]")));
  assert_int_equal(nested->n, 2);
  assert_int_equal(sp_json_get(nested, "x")->kind, SP_JSON_INTS);
  assert_int_equal(sp_json_get(nested, "y")->first->i, 3);
}

typedef struct bad {
  const char *text, *pointer;
  uint32_t line, col;
  const char *message;
} bad;

static void refusals_have_a_place(void **state) {
  fixture *f = *state;
  static const bad cases[] = {
      {"", "", 1, 1, "the document is empty"},
      {" \n # only this", "", 2, 13, "the document is empty"},
      {"{\"a\": [1, 2", "/a", 1, 12, "the text ends inside an array that starts at line 1, column 7"},
      {"{\"a\": {", "/a", 1, 8, "the text ends inside an object that starts at line 1, column 7"},
      {"{\"a\": 1,", "", 1, 9, "the text ends inside an object that starts at line 1, column 1"},
      {"{\"a\": ", "/a", 1, 7, "expected a value, got the end of the text"},
      {"{\"a\"", "/a", 1, 5, "expected `:` after the key, got the end of the text"},
      {"{\"a\" 1}", "/a", 1, 6, "expected `:` after the key, got `1`"},
      {"{a: 1}", "", 1, 2, "expected a key, got `a`"},
      {"[1,\n 2 3]", "", 2, 4, "expected `,` or `]`, got `3`"},
      {"{\"a\": 1 \"b\": 2}", "", 1, 9, "expected `,` or `}`, got `\"`"},
      {"[1,,2]", "/1", 1, 4, "expected a value, got `,`"},
      {"[,]", "/0", 1, 2, "expected a value, got `,`"},
      {"{,}", "", 1, 2, "expected a key, got `,`"},
      {"[1}", "", 1, 3, "expected `,` or `]`, got `}`"},
      {"[1] [2]", "", 1, 5, "expected the end of the text after the document, got `[`"},
      {"1 2", "", 1, 3, "expected the end of the text after the document, got `2`"},
      {"[True]", "/0", 1, 2, "expected a value, got `True`"},
      {"['a']", "/0", 1, 2, "expected a value, got `'`"},
      {"{\"n\": NaN}", "/n", 1, 7, "expected a value, got `NaN`"},
      {"[01]", "/0", 1, 2, "`01` is not a number in JSON"},
      {"[-]", "/0", 1, 2, "`-` is not a number in JSON"},
      {"[1.]", "/0", 1, 2, "`1.` is not a number in JSON"},
      {"[1e+]", "/0", 1, 2, "`1e+` is not a number in JSON"},
      {"[0x10]", "/0", 1, 2, "`0x10` is not a number in JSON"},
      {"[-Infinity]", "/0", 1, 2, "`-Infinity` is not a number in JSON"},
      {"[.5]", "/0", 1, 2, "expected a value, got `.5`"},
      {"[+1]", "/0", 1, 2, "expected a value, got `+1`"},
      {"[\"abc", "/0", 1, 2, "the text ends inside this string"},
      {"[\"abc\n\"]", "/0", 1, 2, "this string has no closing quote on its line"},
      {"[\"a\tb\"]", "/0", 1, 4, "the control character 0x09 in a string must be written \\u0009"},
      {"[\"a\\xb\"]", "/0", 1, 4, "a backslash before `xb` means nothing in a string"},
      {"[\"\\u12g4\"]", "/0", 1, 3, "\\u needs four hexadecimal digits"},
      {"[\"\\ud800\"]", "/0", 1, 3, "\\uD800 is half of a surrogate pair"},
      {"[\"\\ud800\\u0041\"]", "/0", 1, 3, "\\uD800 is half of a surrogate pair"},
      {"[\"\\udc00\\ud800\"]", "/0", 1, 3, "\\uDC00 is half of a surrogate pair"},
      {"[\"ab\xFF\"]", "/0", 1, 5, "invalid UTF-8 in a string: the byte 0xFF"},
      {"{\"\xC0\xAF\": 1}", "", 1, 3, "invalid UTF-8 in a string: the byte 0xC0"},
      {"[\xC3\x28]", "/0", 1, 2, "expected a value, got the byte 0xC3"},
      {"[\xC3\xA9]", "/0", 1, 2, "expected a value, got `\xC3\xA9`"},
      {"[1 /* 2]", "", 1, 4, "this comment never ends"},
      {"[1 / 2]", "", 1, 4, "expected `,` or `]`, got `/`"},
      {"{\"p\": {\"a~\": 1,\n \"b\": 2, \"a~\": 3}}", "/p/a~0", 2, 10, "the key `a~` is given twice"},
      {"{\"a\": 1, \"\\u0061\": 3}", "/a", 1, 10, "the key `a` is given twice"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const bad *c = &cases[i];
    const sp_json_doc *d = NULL;
    sp_error e = SP_ERROR_INIT;
    const sp_status st = sp_json_parse(&f->a, "t.json", c->text, strlen(c->text), &d, &e);
    if (st != SP_SYNTAX || strcmp(e.message, c->message) != 0 || strcmp(e.pointer, c->pointer) != 0 ||
        e.line != c->line || e.col != c->col || strcmp(e.file, "t.json") != 0) {
      fail_msg("%s\ngives %s: %s (%u:%u): %s", c->text, sp_status_text(st), e.pointer, e.line, e.col,
               e.message);
    }
    assert_null(d);
    assert_int_equal(sp_json_parse(&f->a, NULL, c->text, strlen(c->text), &d, NULL), SP_SYNTAX);
  }
}

static void a_nul_is_no_end(void **state) {
  fixture *f = *state;
  const sp_json_doc *d = NULL;
  static const char *const texts[] = {"1\0",          "[1\0]",       "[\0]",       "{\0}",
                                      "{\"a\0b\":1}", "[\"a\\\0\"]", "{\"a\"\0:1}"};
  static const size_t sizes[] = {2, 4, 3, 3, 9, 7, 8};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    assert_int_equal(sp_json_parse(&f->a, NULL, texts[i], sizes[i], &d, NULL), SP_SYNTAX);
  }
}

static void hints_help(void **state) {
  fixture *f = *state;
  static const char *const cases[][2] = {{"[True]", "JSON writes `true`"},
                                         {"[None]", "JSON writes `null`"},
                                         {"[nan]", "JSON has no NaN"},
                                         {"['a']", "strings stand in double quotes"},
                                         {"[abc]", "strings stand in double quotes"},
                                         {"{a: 1}", "keys stand in double quotes"},
                                         {"[\"C:\\dir\"]", "a backslash itself is written \\\\"},
                                         {"{\"a\":1,\n\"a\":2}", "it was first given at line 1, column 2"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const sp_json_doc *d = NULL;
    sp_error e = SP_ERROR_INIT;
    sp_json_parse(&f->a, NULL, cases[i][0], strlen(cases[i][0]), &d, &e);
    assert_string_equal(e.hint, cases[i][1]);
  }
}

static void other_encodings_are_named(void **state) {
  fixture *f = *state;
  static const struct {
    const char *text;
    size_t n;
  } texts[] = {{"\xFF\xFE{\0", 4}, {"\xFE\xFF\0{", 4}, {"{\0}\0", 4}, {"\0{\0}", 4}, {"\0\0\0{", 4}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const sp_json_doc *d = NULL;
    sp_error e = SP_ERROR_INIT;
    assert_int_equal(sp_json_parse(&f->a, NULL, texts[i].text, texts[i].n, &d, &e), SP_SYNTAX);
    assert_string_equal(e.message, "the document is in UTF-16 or UTF-32; only UTF-8 can be read");
  }
}

static void depth_is_limited_by_a_counter(void **state) {
  fixture *f = *state;
  const size_t n = 2 * SP_JSON_MAX_DEPTH + 2;
  char *text = sp_arena_alloc(&f->a, n);
  memset(text, '[', n / 2);
  memset(text + n / 2, ']', n / 2);
  const sp_json_doc *d = parse_n(f, text + 1, n - 2);
  const sp_json *v = d->root;
  while (v->first != NULL) {
    v = v->first;
  }
  const sp_loc loc = sp_json_loc(d, v, &f->a);
  assert_int_equal(strlen(loc.pointer), 2 * (SP_JSON_MAX_DEPTH - 1));
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_json_parse(&f->a, NULL, text, n, &d, &e), SP_LIMIT);
  assert_int_equal(e.status, SP_LIMIT);
  assert_string_equal(e.message, "more than 10000 levels of nesting");
  assert_int_equal(e.col, SP_JSON_MAX_DEPTH + 1);
  assert_memory_equal(e.pointer, "/0/0/0/0", 8);
}

/* 100,000 keys: quadratic comparing would take minutes. */
static void many_keys(void **state) {
  fixture *f = *state;
  sp_str s;
  sp_str_init(&s, &f->mem, 10 << 20);
  sp_str_addc(&s, '{');
  for (int i = 0; i < 100000; i++) {
    sp_str_addf(&s, "\"k%d\": %d,\n", i, i);
  }
  const size_t open = s.n;
  sp_str_addc(&s, '}');
  assert_int_equal(parse(f, s.p)->n, 100000);
  s.n = open;
  sp_str_add(&s, "\"k777\": 1}");
  const sp_json_doc *d = NULL;
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_json_parse(&f->a, NULL, s.p, s.n, &d, &e), SP_SYNTAX);
  assert_string_equal(e.message, "the key `k777` is given twice");
  assert_string_equal(e.hint, "it was first given at line 778, column 1");
  assert_int_equal(e.line, 100001);
  sp_str_release(&s);
}

static const char sample[] =
    "{\"sigmapi\": 1, // a plan\n"
    " \"nodes\": [{\"id\": \"x\", \"op\": \"scan\", \"n\": [1, 2.5, -3e9, true, null], \"t\": "
    "\"a\\u0000\\u00e9b\"},\n"
    "  "
    "{\"k1\":1,\"k2\":1,\"k3\":1,\"k4\":1,\"k5\":1,\"k6\":1,\"k7\":1,\"k8\":1,\"k9\":1,\"k10\":1,\"k11\":1,"
    "\"k12\":1,\n"
    "   \"k13\":1,\"k14\":1,\"k15\":1,\"k16\":1,\"k17\":1,\"k18\":1}],\n"
    " \"ints\": "
    "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,\n"
    "  0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,255], \"outputs\": [\"x\"]}";

static sp_status parse_sample(sp_mem *mem, void *ctx) {
  (void)ctx;
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_json_doc *d = NULL;
  sp_error e = SP_ERROR_INIT;
  const sp_status st = sp_json_parse(&a, "sample.json", sample, sizeof sample - 1, &d, &e);
  assert_int_equal(e.status, st);
  if (st == SP_OK) {
    assert_int_equal(sp_json_get(d->root, "ints")->str.n, 75);
  }
  sp_arena_release(&a);
  return st;
}

static void failures_leave_nothing(void **state) {
  (void)state;
  SP_TORTURE(parse_sample, NULL);
}

/* Every prefix of the sample, and the sample with each byte replaced, is accepted or refused with a place. */
static void damaged_documents(void **state) {
  fixture *f = *state;
  char text[sizeof sample];
  static const char bytes[] = {'"', '{', ']', ',', '\\', '\0', '/', '*', '1', '\xC3', '\n', ':'};
  for (size_t i = 0; i < sizeof sample - 1; i++) {
    sp_arena a;
    sp_arena_init(&a, &f->mem);
    const sp_json_doc *d = NULL;
    sp_error e = SP_ERROR_INIT;
    assert_int_equal(sp_json_parse(&a, NULL, sample, i, &d, &e), SP_SYNTAX);
    assert_true(e.line > 0 && e.col > 0);
    for (size_t k = 0; k < sizeof bytes; k++) {
      memcpy(text, sample, sizeof sample);
      text[i] = bytes[k];
      e = SP_ERROR_INIT;
      const sp_status st = sp_json_parse(&a, NULL, text, sizeof sample - 1, &d, &e);
      assert_true(st == SP_OK || (st == SP_SYNTAX && e.line > 0 && e.col > 0 && e.message[0] != '\0'));
    }
    sp_arena_release(&a);
  }
}

static void kinds_have_names(void **state) {
  (void)state;
  for (int k = SP_JSON_NULL; k <= SP_JSON_INTS; k++) {
    assert_true(strlen(sp_json_kind_name((sp_json_kind)k)) >= 4);
  }
  assert_string_equal(sp_json_kind_name(SP_JSON_OBJECT), "an object");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(values_and_links),
      TEST(numbers_are_exact),
      TEST(strings_are_decoded),
      TEST(comments_and_trailing_commas),
      TEST(pointers_are_escaped),
      TEST(small_integers_become_bytes),
      TEST(refusals_have_a_place),
      TEST(a_nul_is_no_end),
      TEST(hints_help),
      TEST(other_encodings_are_named),
      TEST(depth_is_limited_by_a_counter),
      TEST(many_keys),
      TEST(failures_leave_nothing),
      TEST(damaged_documents),
      TEST(kinds_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
