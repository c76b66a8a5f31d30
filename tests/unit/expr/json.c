/* Trees as JSON objects, both ways. */
#include "tests/support/expr.h"
#include "tests/support/torture.h"

static const sp_json_doc *document(expr_world *w, const char *json) {
  const sp_json_doc *doc = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_json_parse(&w->arena, "e.json", json, strlen(json), &doc, &err) != SP_OK) {
    fail_msg("%.200s: %s", json, err.message);
  }
  return doc;
}

static const char *to_json(expr_world *w, const sp_expr *e) {
  sp_str out;
  sp_jw jw;
  sp_str_init(&out, &w->mem, 1 << 24);
  sp_jw_init(&jw, &out, false);
  sp_expr_to_json(e, &jw);
  assert_true(sp_str_ok(&out));
  const char *copy = sp_arena_strdup(&w->arena, out.p);
  sp_str_release(&out);
  assert_non_null(copy);
  return copy;
}

static void written(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {
      {"a", "{\"column\":\"a\"}"},
      {"a > 0.5", "{\"call\":\"gt\",\"args\":[{\"column\":\"a\"},{\"literal\":0.5,\"type\":\"float64\"}]}"},
      {"CAST(a AS date)", "{\"cast\":{\"column\":\"a\"},\"to\":\"date\"}"},
      {"TRY_CAST(a AS date) AS n",
       "{\"alias\":{\"cast\":{\"column\":\"a\"},\"to\":\"date\",\"try\":true},\"name\":\"n\"}"},
      {"date '1996-01-01'", "{\"literal\":\"1996-01-01\",\"type\":\"date\"}"},
      {"NULL", "{\"literal\":null,\"type\":\"null\"}"},
      {"x'0aff'", "{\"literal\":\"0aff\",\"type\":\"binary\"}"},
      {"interval '3' month", "{\"literal\":\"3 months 0 days 0 us\",\"type\":\"interval\"}"},
      {"decimal '1.50'", "{\"literal\":\"1.50\",\"type\":\"decimal(3,2)\"}"},
      {"count(*)", "{\"call\":\"count\",\"args\":[]}"},
      {"sum(DISTINCT a) FILTER (WHERE q)",
       "{\"call\":\"sum\",\"args\":[{\"column\":\"a\"}],\"distinct\":true,\"filter\":{\"column\":\"q\"}}"},
      {"* EXCLUDE (a)", "{\"selector\":\"*\",\"exclude\":[\"a\"]}"},
      {"COLUMNS('^x')", "{\"selector\":\"regex\",\"pattern\":\"^x\"}"},
      {"COLUMNS(numeric)", "{\"selector\":\"type\",\"pattern\":\"numeric\"}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr *e = expr_parse(w, cases[i][0]), *back = NULL;
    const char *json = to_json(w, e);
    assert_string_equal(json, cases[i][1]);
    const sp_json_doc *doc = document(w, json);
    assert_int_equal(sp_expr_from_json(&w->arena, doc, doc->root, &back, NULL), SP_OK);
    assert_true(sp_expr_eq(e, back));
  }
}

static void read(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {
      {"\"a > 1 AS n\"", "a > 1 AS n"},
      {"{\"call\": \"gt\", \"args\": [\"a + 1\", {\"literal\": 5}]}", "a + 1 > 5"},
      {"{\"call\": \"count\", \"args\": [{\"selector\": \"*\"}]}", "count(*)"},
      {"{\"call\": \"count\"}", "count(*)"},
      {"{\"literal\": 18446744073709551615}", "18446744073709551615"},
      {"{\"literal\": \"x\"}", "'x'"},
      {"{\"literal\": true}", "TRUE"},
      {"{\"literal\": null}", "NULL"},
      {"{\"literal\": 1.5}", "1.5"},
      {"{\"literal\": 1.10, \"type\": \"decimal(5,2)\"}", "decimal(5,2) '1.10'"},
      {"{\"literal\": 5, \"type\": \"int16\"}", "int16 '5'"},
      {"{\"literal\": null, \"type\": \"int16\"}", "CAST(NULL AS int16)"},
      {"{\"literal\": \"NaN\", \"type\": \"float64\"}", "float64 'NaN'"},
      {"{\"call\": \"AND\", \"args\": [\"a\", {\"call\": \"and\", \"args\": [\"b\", \"q\"]}]}",
       "a AND b AND q"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_json_doc *doc = document(w, cases[i][0]);
    const sp_expr *e = NULL;
    sp_error err = SP_ERROR_INIT;
    if (sp_expr_from_json(&w->arena, doc, doc->root, &e, &err) != SP_OK) {
      fail_msg("%s: %s", cases[i][0], err.message);
    }
    assert_string_equal(expr_text(w, e), cases[i][1]);
  }
}

static void errors(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *json;
    sp_status status;
    const char *pointer, *message, *hint;
  } cases[] = {
      {"5", SP_INVALID, "", "an expression must be text or an object, got ", ""},
      {"{}", SP_INVALID, "", "an expression object is empty", ""},
      {"{\"colum\": \"a\"}", SP_INVALID, "/colum", "unknown key `colum`", "`column`"},
      {"{\"column\": \"a\", \"x\": 1}", SP_INVALID, "/x", "unknown key `x`", ""},
      {"{\"column\": 5}", SP_INVALID, "/column", "`column` must be a string", ""},
      {"{\"call\": \"gt\", \"arg\": []}", SP_INVALID, "/arg", "unknown key `arg`", "`args`"},
      {"{\"call\": \"nope\", \"args\": []}", SP_NOT_FOUND, "/call", "unknown function `nope`", ""},
      {"{\"call\": \"gt\", \"args\": {}}", SP_INVALID, "/args", "`args` must be an array", ""},
      {"{\"call\": \"gt\", \"args\": [\"a\", \"b +\"]}", SP_SYNTAX, "/args/1", "expected an expression", ""},
      {"{\"call\": \"gt\", \"args\": [\"a\", \"b AS c\"]}", SP_INVALID, "/args/1", "an alias stands inside",
       ""},
      {"{\"cast\": \"a\"}", SP_INVALID, "", "lacks the key `to`", ""},
      {"{\"cast\": \"a\", \"to\": \"foo\"}", SP_NOT_FOUND, "/to", "unknown type `foo`", ""},
      {"{\"cast\": \"a\", \"to\": \"date\", \"try\": 1}", SP_INVALID, "/try", "`try` must be true or false",
       ""},
      {"{\"alias\": {\"alias\": \"a\", \"name\": \"b\"}, \"name\": \"c\"}", SP_INVALID, "/alias",
       "an alias stands inside", ""},
      {"{\"alias\": \"a AS b\", \"name\": \"c\"}", SP_INVALID, "/alias", "an alias stands inside", ""},
      {"{\"literal\": []}", SP_INVALID, "/literal", "a literal must be", ""},
      {"{\"literal\": 300, \"type\": \"uint8\"}", SP_TYPE, "/literal", "the literal is not a valid uint8",
       ""},
      {"{\"literal\": \"x\", \"type\": \"date\"}", SP_TYPE, "/literal", "the literal is not a valid date",
       ""},
      {"{\"literal\": \"0\", \"type\": \"binary\"}", SP_TYPE, "/literal", "the literal is not a valid binary",
       ""},
      {"{\"selector\": \"all\"}", SP_INVALID, "/selector", "`selector` must be", ""},
      {"{\"selector\": \"regex\"}", SP_INVALID, "", "lacks the key `pattern`", ""},
      {"{\"selector\": \"*\", \"exclude\": \"a\"}", SP_INVALID, "/exclude", "`exclude` must be an array", ""},
      {"{\"selector\": \"*\", \"exclude\": [1]}", SP_INVALID, "/exclude/0",
       "`exclude` must be an array of names", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_json_doc *doc = document(w, cases[i].json);
    const sp_expr *e = NULL;
    sp_error err = SP_ERROR_INIT;
    const sp_status st = sp_expr_from_json(&w->arena, doc, doc->root, &e, &err);
    if (st != cases[i].status || strstr(err.message, cases[i].message) == NULL ||
        strstr(err.hint, cases[i].hint) == NULL || strcmp(err.pointer, cases[i].pointer) != 0) {
      fail_msg("%s: %s (%s) at `%s`", cases[i].json, err.message, err.hint, err.pointer);
    }
    assert_null(e);
    assert_true(err.line == 1 && err.col > 0);
  }
}

/* 4,000 levels of objects, and a tree with 2^64 paths: neither recurses too deep nor runs for ever. */
static void depth_and_sharing(void **state) {
  expr_world *w = *state;
  sp_str text;
  sp_str_init(&text, &w->mem, 1 << 24);
  sp_str_repeat(&text, "{\"call\":\"not\",\"args\":[", 4000);
  sp_str_add(&text, "\"a\"");
  sp_str_repeat(&text, "]}", 4000);
  const sp_json_doc *doc = document(w, text.p);
  const sp_expr *e = NULL, *back = NULL;
  assert_int_equal(sp_expr_from_json(&w->arena, doc, doc->root, &e, NULL), SP_OK);
  assert_int_equal(e->depth, 4001);
  const char *json = to_json(w, e);
  doc = document(w, json);
  assert_int_equal(sp_expr_from_json(&w->arena, doc, doc->root, &back, NULL), SP_OK);
  assert_true(sp_expr_eq(e, back));
  sp_str_release(&text);

  e = expr_parse(w, "a");
  for (uint32_t i = 0; i < 64; i++) {
    const sp_expr *args[] = {e, e};
    e = sp_expr_call_named(&w->arena, "add", NULL, args, 2);
  }
  sp_jw jw;
  sp_str_init(&text, &w->mem, 1 << 20);
  sp_jw_init(&jw, &text, false);
  sp_expr_to_json(e, &jw);
  assert_int_equal(text.status, SP_LIMIT);
  sp_str_release(&text);
}

static sp_status json_in(sp_mem *mem, void *ctx) {
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_json_doc *doc;
  const sp_expr *e;
  sp_str out;
  sp_jw jw;
  sp_str_init(&out, mem, 1 << 20);
  sp_status st = sp_json_parse(&a, NULL, ctx, strlen(ctx), &doc, NULL);
  if (st == SP_OK) {
    st = sp_expr_from_json(&a, doc, doc->root, &e, NULL);
  }
  if (st == SP_OK) {
    sp_jw_init(&jw, &out, true);
    sp_expr_to_json(e, &jw);
    st = out.status;
  }
  sp_str_release(&out);
  sp_arena_release(&a);
  return st;
}

static void memory_may_fail(void **state) {
  (void)state;
  SP_TORTURE(
      json_in,
      (char[]){
          "{\"alias\":{\"call\":\"gt\",\"args\":[\"a + "
          "1\",{\"cast\":{\"literal\":\"0aff\",\"type\":\"binary\"},\"to\":"
          "\"string\"},{\"selector\":\"regex\",\"pattern\":\"x\",\"exclude\":[\"b\"]}]},\"name\":\"n\"}"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(written, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(read, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(errors, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(depth_and_sharing, expr_setup, expr_teardown),
      cmocka_unit_test(memory_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
