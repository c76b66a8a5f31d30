/* Names, types and coercions; where each error points. */
#include "tests/support/expr.h"
#include "tests/support/torture.h"

#include <stdio.h>

/* text, bound text, type; NULL type: an error whose message contains the second and whose hint the third. */
static void types(void **state) {
  expr_world *w = *state;
  static const char *const cases[][3] = {
      /* literals follow the other side where exact */
      {"b > 15", "b > 15", "bool"},
      {"15 < b", "15 < b", "bool"},
      {"b > 100000", "CAST(b AS int64) > 100000", "bool"},
      {"b > 1.5", "CAST(b AS float64) > 1.5", "bool"},
      {"b = 2.0", "b = 2", "bool"},
      {"f > 1", "f > 1.0", "bool"},
      {"f32 > 0.5", "f32 > 0.5", "bool"},
      {"f32 > 0.1", "CAST(f32 AS float64) > 0.1", "bool"},
      {"u = 5", "u = 5", "bool"},
      {"u > -1", "CAST(u AS float64) > -1.0", "bool"},
      {"p > 0.05", "p > 0.05", "bool"},
      {"p = 7", "p = 7", "bool"},
      {"p > 0.055", "CAST(p AS decimal(16,3)) > 0.055", "bool"},
      {"p < 1 + 10", "p < CAST(1 + 10 AS decimal(15,2))", "bool"},
      {"b < 100000 + 1", "CAST(b AS int64) < 100000 + 1", "bool"},
      {"b = 1 // 0", "b = CAST(1 // 0 AS int16)", "bool"},
      {"b = CAST('x' AS int64)", "CAST(b AS int64) = CAST('x' AS int64)", "bool"},
      {"p < f", "CAST(p AS float64) < f", "bool"},
      {"a = b", "a = CAST(b AS int64)", "bool"},
      {"a < u", "CAST(a AS float64) < CAST(u AS float64)", "bool"},
      {"a = NULL", "a = NULL", "bool"},
      {"NULL IS NULL", "NULL IS NULL", "bool"},
      /* arithmetic */
      {"b + 1", "b + 1", "int16"},
      {"b + 100000", "CAST(b AS int64) + 100000", "int64"},
      {"a + b", "a + CAST(b AS int64)", "int64"},
      {"1 - p", "1 - p", "decimal(16,2)"},
      {"p * p", "p * p", "decimal(30,4)"},
      {"p / 2", "CAST(p AS float64) / 2.0", "float64"},
      {"7 / 2", "7.0 / 2.0", "float64"},
      {"a // 2", "a // 2", "int64"},
      {"u + a", "CAST(u AS float64) + CAST(a AS float64)", "float64"},
      {"b * 0.5", "CAST(b AS float64) * 0.5", "float64"},
      {"d + interval '3' month", "d + interval '3' month", "date"},
      {"-b", "-b", "int16"},
      /* dates */
      {"d >= '1995-01-01'", "d >= date '1995-01-01'", "bool"},
      {"'1995-01-01' <= d", "date '1995-01-01' <= d", "bool"},
      {"t >= '1995-01-01'", "t >= datetime '1995-01-01T00:00:00'", "bool"},
      {"d >= '1995-01-01 12:00:00'", "CAST(d AS datetime(us)) >= datetime '1995-01-01T12:00:00'", "bool"},
      {"d = t", "CAST(d AS datetime(us)) = t", "bool"},
      {"d >= datetime '1995-01-01'", "d >= date '1995-01-01'", "bool"},
      {"d BETWEEN '1995-01-01' AND '1996-12-31'", "d >= date '1995-01-01' AND d <= date '1996-12-31'",
       "bool"},
      {"d IN ('1995-01-01', '1996-01-01')", "d IN (date '1995-01-01', date '1996-01-01')", "bool"},
      {"CAST('1998-09-02' AS date)", "CAST('1998-09-02' AS date)", "date"},
      /* forms that mean others */
      {"b BETWEEN 1 AND 70000", "b >= 1 AND CAST(b AS int64) <= 70000", "bool"},
      {"b NOT BETWEEN 1 AND 2", "NOT (b >= 1 AND b <= 2)", "bool"},
      {"q AND b BETWEEN 1 AND 2", "q AND b >= 1 AND b <= 2", "bool"},
      {"a IN (1)", "a = 1", "bool"},
      {"a NOT IN (1)", "NOT a = 1", "bool"},
      {"a IN (1, 2)", "a IN (1, 2)", "bool"},
      {"b IN (1, 2.5)", "CAST(b AS float64) IN (1.0, 2.5)", "bool"},
      {"b IN (1, NULL)", "b IN (1, NULL)", "bool"},
      {"a IN (1, x, 3)", "a IN (1, 3) OR a = x", "bool"},
      {"a IN (1, x)", "a = 1 OR a = x", "bool"},
      {"p IN (1, 2.5, 3)", "p IN (1, 2.5, 3)", "bool"},
      /* CASE, coalesce */
      {"CASE WHEN q THEN b ELSE 0 END", "CASE WHEN q THEN b ELSE 0 END", "int16"},
      {"CASE WHEN q THEN 1 ELSE f END", "CASE WHEN q THEN 1.0 ELSE f END", "float64"},
      {"CASE WHEN q THEN p * 2 ELSE 0 END", "CASE WHEN q THEN p * 2 ELSE 0 END", "decimal(16,2)"},
      {"CASE WHEN q THEN NULL ELSE 'x' END", "CASE WHEN q THEN NULL ELSE 'x' END", "string"},
      {"CASE a WHEN 1 THEN 'x' ELSE s END", "CASE WHEN a = 1 THEN 'x' ELSE s END", "string"},
      {"coalesce(b, 0)", "coalesce(b, 0)", "int16"},
      {"coalesce(b, a)", "coalesce(CAST(b AS int64), a)", "int64"},
      /* casts */
      {"CAST(a AS int64)", "a", "int64"},
      {"CAST(a AS string)", "CAST(a AS string)", "string"},
      {"TRY_CAST(s AS date)", "TRY_CAST(s AS date)", "date"},
      {"CAST(NULL AS date)", "CAST(NULL AS date)", "date"},
      {"a AS n", "a AS n", "int64"},
      {"\"A b\" = 'x'", "\"A b\" = 'x'", "bool"},
      {"count(*)", "count(*)", "int64"},
      {"count(DISTINCT a) FILTER (WHERE b > 1)", "count(DISTINCT a) FILTER (WHERE b > 1)", "int64"},
      {"sum(a) FILTER (WHERE NULL)", "sum(a) FILTER (WHERE CAST(NULL AS bool))", "int64"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr *e = expr_bind(w, cases[i][0]);
    assert_string_equal(expr_text(w, e), cases[i][1]);
    assert_string_equal(e->type->name, cases[i][2]);
  }
}

static void errors(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *text;
    sp_status status;
    uint32_t col;
    const char *message, *hint;
  } cases[] = {
      {"1 + nope", SP_NOT_FOUND, 5, "unknown column `nope`", ""},
      {"f33 > 1", SP_NOT_FOUND, 1, "unknown column `f33`", "`f32`"},
      {"s = \"hello world\"", SP_NOT_FOUND, 5, "unknown column `hello world`", "'hello world'"},
      {"d < '1995-01' || '-01'", SP_TYPE, 5, "`<` has no common type", "CAST('1995-01' || '-01' AS date)"},
      {"a = s", SP_TYPE, 5, "`=` has no common type for `a` (int64) and `s` (string)", "CAST(s AS int64)"},
      {"q AND s >= d", SP_TYPE, 12, "`>=` has no common type for `s` (string) and `d` (date)",
       "CAST(s AS date)"},
      {"a = '5'", SP_TYPE, 5, "`=` has no common type for `a` (int64) and `'5'` (string)",
       "write 5 without quotes"},
      {"d >= '1995-13-01'", SP_TYPE, 6, "'1995-13-01' is not a valid date", ""},
      {"d IN ('1995-01-01', 'x')", SP_TYPE, 21, "'x' is not a valid date", ""},
      {"a + s", SP_TYPE, 1, "", ""},
      {"NOT a", SP_TYPE, 1, "", ""},
      {"CASE WHEN q THEN 1 ELSE 'x' END", SP_TYPE, 25, "`CASE` has no common type", ""},
      {"CAST(d AS bool)", SP_TYPE, 1, "there is no conversion of date to bool", ""},
      {"coalesce()", SP_TYPE, 1, "`coalesce` takes at least 1 argument, got 0", ""},
      {"not(a, b)", SP_SYNTAX, 6, "", ""},
      {"\"not\"(a, b)", SP_TYPE, 1, "`not` takes 1 argument, got 2", ""},
      {"sum(sum(a))", SP_INVALID, 5, "the aggregate `sum` stands inside another aggregate", ""},
      {"sum(a) FILTER (WHERE sum(a) > 1)", SP_INVALID, 22, "inside another aggregate", ""},
      {"sum(a) FILTER (WHERE a)", SP_TYPE, 22, "the predicate of FILTER must be bool, got int64", ""},
      {"coalesce(DISTINCT a)", SP_INVALID, 1, "DISTINCT is for aggregates; `coalesce` is none", ""},
      {"coalesce(a) FILTER (WHERE q)", SP_INVALID, 1, "FILTER is for aggregates", ""},
      {"count(DISTINCT *)", SP_INVALID, 1, "count(DISTINCT *)", ""},
      {"* + 1", SP_INVALID, 1, "a selector of columns is not allowed here", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sp_error err = SP_ERROR_INIT;
    const sp_expr *e = NULL, *bound = NULL;
    sp_status st = sp_expr_parse(&w->arena, sp_sv_from(cases[i].text), NULL, &e, &err);
    if (st == SP_OK) {
      st = sp_expr_bind(&w->arena, e, w->schema, SP_BIND_AGGREGATES, NULL, &bound, &err);
    }
    if (st != cases[i].status || strstr(err.message, cases[i].message) == NULL ||
        strstr(err.hint, cases[i].hint) == NULL || err.col != cases[i].col) {
      fail_msg("%s: %s (%s) at %u", cases[i].text, err.message, err.hint, err.col);
    }
    assert_null(bound);
  }
}

static void aggregates_need_a_place(void **state) {
  expr_world *w = *state;
  sp_error err = SP_ERROR_INIT;
  const sp_expr *e;
  assert_int_equal(sp_expr_bind(&w->arena, expr_parse(w, "sum(a) > 1"), w->schema, 0, NULL, &e, &err),
                   SP_INVALID);
  assert_string_equal(err.message, "the aggregate `sum` is not allowed here");
}

static void wanted_types(void **state) {
  expr_world *w = *state;
  const sp_type *boolean = sp_type_of(SP_KIND_BOOL), *wide = sp_type_of(SP_KIND_INT16);
  const sp_expr *e;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_expr_bind_as(&w->arena, expr_parse(w, "a"), w->schema, 0, boolean, "filter predicate",
                                   NULL, &e, &err),
                   SP_TYPE);
  assert_string_equal(err.message, "the filter predicate must be bool, got int64");
  assert_string_equal(err.hint, "compare it: a <> 0");
  assert_int_equal(
      sp_expr_bind_as(&w->arena, expr_parse(w, "NULL"), w->schema, 0, boolean, "p", NULL, &e, NULL), SP_OK);
  assert_true(e->type == boolean && sp_expr_is_false_or_null(e));
  assert_int_equal(
      sp_expr_bind_as(&w->arena, expr_parse(w, "q AS x"), w->schema, 0, NULL, "p", NULL, &e, NULL), SP_OK);
  assert_int_equal(e->kind, SP_EXPR_COLUMN);
  assert_int_equal(sp_expr_bind_as(&w->arena, expr_parse(w, "b"), w->schema, 0, wide, "key", NULL, &e, NULL),
                   SP_OK);
}

/* `e` with its place in a JSON file. */
static void places(void **state) {
  expr_world *w = *state;
  static const char json[] = "[\"q AND \\\"A b\\\" = nope\"]";
  const sp_json_doc *doc;
  assert_int_equal(sp_json_parse(&w->arena, "p.json", json, sizeof json - 1, &doc, NULL), SP_OK);
  const sp_json *v = doc->root->first;
  const sp_loc loc = sp_json_loc(doc, v, &w->arena);
  const sp_expr *e;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_expr_parse(&w->arena, v->str, &loc, &e, NULL), SP_OK);
  assert_int_equal(sp_expr_bind(&w->arena, e, w->schema, 0, &loc, &e, &err), SP_NOT_FOUND);
  assert_string_equal(err.pointer, "/0");
  assert_int_equal(err.col, (uint32_t)(strstr(json, "nope") - json) + 1);
}

/* ---- coercion ---- */
static void coerced_literals(void **state) {
  expr_world *w = *state;
  static const char *const cases[][3] = {{"5", "int16", "int16 '5'"},
                                         {"300", "uint8", "CAST(300 AS uint8)"},
                                         {"2.5", "int64", "CAST(2.5 AS int64)"},
                                         {"0.05", "decimal(15,2)", "decimal(15,2) '0.05'"},
                                         {"0.055", "decimal(15,2)", "CAST(0.055 AS decimal(15,2))"},
                                         {"1", "float64", "1.0"},
                                         {"9007199254740993", "float64", "9007199254740992.0"},
                                         {"NULL", "date", "CAST(NULL AS date)"},
                                         {"a", "string", "CAST(a AS string)"},
                                         {"a", "int64", "a"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_type *t = sp_type_parse(sp_sv_from(cases[i][1]));
    const sp_expr *e = sp_expr_coerce(&w->arena, expr_bind(w, cases[i][0]), t);
    assert_non_null(e);
    assert_ptr_equal(e->type, t);
    if (strcmp(cases[i][2], "9007199254740992.0") != 0) {
      assert_string_equal(expr_text(w, e), cases[i][2]);
    } else {
      assert_true(e->kind == SP_EXPR_LITERAL && e->literal.f == 9007199254740992.0);
    }
  }
}

/* x = x + x, 64 times, then bound: every node once. */
static void shared_trees_bind_once(void **state) {
  expr_world *w = *state;
  const sp_expr *e = expr_parse(w, "a"), *bound;
  for (uint32_t i = 0; i < 64; i++) {
    const sp_expr *args[] = {e, e};
    e = sp_expr_call_named(&w->arena, "add", NULL, args, 2);
  }
  assert_int_equal(sp_expr_bind(&w->arena, e, w->schema, 0, NULL, &bound, NULL), SP_OK);
  assert_ptr_equal(bound->args[0], bound->args[1]);
  assert_string_equal(bound->type->name, "int64");
}

static void deep_trees_bind(void **state) {
  expr_world *w = *state;
  const sp_expr *e = expr_parse(w, "q"), *bound;
  for (uint32_t i = 1; i < SP_EXPR_MAX_DEPTH; i++) {
    e = sp_expr_call_named(&w->arena, "not", NULL, &e, 1);
    assert_non_null(e);
  }
  assert_null(sp_expr_call_named(&w->arena, "not", NULL, &e, 1));
  assert_int_equal(sp_expr_bind(&w->arena, e, w->schema, 0, NULL, &bound, NULL), SP_OK);
  assert_int_equal(bound->depth, SP_EXPR_MAX_DEPTH);
  /* What coercion adds may be one level too many. */
  e = expr_parse(w, "b");
  for (uint32_t i = 2; i < SP_EXPR_MAX_DEPTH; i++) {
    e = sp_expr_call_named(&w->arena, "neg", NULL, &e, 1);
  }
  const sp_expr *args[] = {e, expr_parse(w, "f")};
  e = sp_expr_call_named(&w->arena, "lt", NULL, args, 2);
  assert_non_null(e);
  sp_error err = SP_ERROR_INIT;
  const sp_status st = sp_expr_bind(&w->arena, e, w->schema, 0, NULL, &bound, &err);
  assert_true(st == SP_LIMIT || st == SP_NOMEM);
}

static void long_lists_bind_fast(void **state) {
  expr_world *w = *state;
  sp_str text;
  sp_str_init(&text, &w->mem, 1 << 22);
  sp_str_add(&text, "b IN (0");
  for (uint32_t i = 1; i < 20000; i++) {
    sp_str_addf(&text, ", %u", i);
  }
  sp_str_addc(&text, ')');
  const sp_expr *e = expr_bind(w, text.p);
  assert_int_equal(e->n_args, 20001);
  assert_true(sp_expr_eq(e, expr_parse(w, expr_text(w, e))));
  sp_str_release(&text);
}

static sp_status bind_in(sp_mem *mem, void *ctx) {
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_expr *e;
  const sp_schema *schema = expr_schema(&a);
  sp_status st = schema == NULL ? SP_NOMEM : sp_expr_parse(&a, sp_sv_from(ctx), NULL, &e, NULL);
  if (st == SP_OK) {
    st = sp_expr_bind(&a, e, schema, SP_BIND_AGGREGATES, NULL, &e, NULL);
  }
  sp_arena_release(&a);
  return st;
}

static void memory_may_fail(void **state) {
  (void)state;
  SP_TORTURE(bind_in, (char[]){"CASE WHEN b > 1 AND d < '2000-01-01' AND p IN (1, 0.055, x) AND a BETWEEN 1 "
                               "AND f THEN coalesce(b, a) "
                               "ELSE sum(b + 1) FILTER (WHERE q AND d IN ('2000-01-01', date '1999-12-31' + "
                               "interval '1' day)) END AS n"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(types, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(errors, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(aggregates_need_a_place, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(wanted_types, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(places, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(coerced_literals, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(shared_trees_bind_once, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(deep_trees_bind, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(long_lists_bind_fast, expr_setup, expr_teardown),
      cmocka_unit_test(memory_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
