/* What sp_simplify makes of expressions, and what it leaves alone; what ORs imply; shares that predicates
 * keep. */
#include "expr/bind.h"
#include "optimize/estimate.h"
#include "plans.h"

typedef struct fixture {
  sp_mem mem;
  sp_arena arena;
  const sp_schema *schema;
} fixture;

static void open_fixture(fixture *f) {
  static const struct {
    const char *name;
    sp_kind kind;
  } columns[] = {{"a", SP_KIND_INT64},   {"b", SP_KIND_INT64},   {"i", SP_KIND_INT32}, {"u", SP_KIND_UINT32},
                 {"f", SP_KIND_FLOAT64}, {"g", SP_KIND_FLOAT32}, {"p", SP_KIND_BOOL},  {"q", SP_KIND_BOOL},
                 {"s", SP_KIND_STRING},  {"day", SP_KIND_DATE}};
  memset(f, 0, sizeof *f);
  sp_mem_init(&f->mem, NULL, "simplify test");
  sp_arena_init(&f->arena, &f->mem);
  sp_schema_builder b;
  sp_schema_begin(&b, &f->arena);
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
    sp_schema_add(&b, sp_sv_from(columns[i].name), sp_type_of(columns[i].kind));
  }
  assert_int_equal(sp_schema_finish(&b, NULL, &f->schema, NULL), SP_OK);
}

static void close_fixture(fixture *f) {
  sp_arena_release(&f->arena);
  sp_mem_release(&f->mem);
}

static const sp_expr *bound(fixture *f, const char *text) {
  const sp_expr *e = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_expr_parse(&f->arena, sp_sv_from(text), NULL, &e, &err) != SP_OK ||
      sp_expr_bind(&f->arena, e, f->schema, 0, NULL, &e, &err) != SP_OK) {
    print_error("%s: %s\n", text, err.message);
    fail();
  }
  return e;
}

static void check(const char *text, const char *want, bool predicate) {
  fixture f;
  open_fixture(&f);
  const sp_expr *e = bound(&f, text);
  const sp_expr *r = predicate ? sp_simplify_predicate(&f.arena, e) : sp_simplify(&f.arena, e);
  assert_non_null(r);
  const char *got = sp_expr_text(r, &f.arena);
  if (strcmp(got, want) != 0) {
    print_error("%s: expected %s, got %s\n", text, want, got);
    fail();
  }
  assert_ptr_equal(r->type, e->type);
  const sp_expr *twice = predicate ? sp_simplify_predicate(&f.arena, r) : sp_simplify(&f.arena, r);
  assert_ptr_equal(twice, r); /* nothing is left to do, and nothing is copied */
  close_fixture(&f);
}

typedef struct pair {
  const char *text, *want;
} pair;

static void values(void **state) {
  (void)state;
  static const pair cases[] = {
      {"1 + 2 * 3", "7"},
      {"a + (1 + 2)", "a + 3"},
      {"7 // 0", "CAST(NULL AS int64)"},
      {"5 < a", "a > 5"},
      {"5 = a", "a = 5"},
      {"NOT (a < 5)", "a >= 5"},
      {"NOT (f < 5.0)", "f >= 5.0"},
      {"NOT (NOT p)", "p"},
      {"NOT (p AND a = 1)", "NOT p OR a <> 1"},
      {"NOT (p OR a IS NULL)", "NOT p AND a IS NOT NULL"},
      {"p = true", "p"},
      {"p <> true", "NOT p"},
      {"p AND true AND p AND q", "p AND q"},
      {"p OR false OR p", "p"},
      {"p AND false", "FALSE"},
      {"p OR true", "TRUE"},
      {"p OR NULL", "p OR CAST(NULL AS bool)"},
      {"CAST(i AS int64) > 5", "i > 5"},
      {"CAST(i AS int64) > 5000000000", "CAST(i AS int64) > 5000000000"},
      {"CAST(CAST(i AS int64) AS int32)", "i"},
      {"CAST(CAST(g AS float64) AS float32)", "g"},
      {"CAST(CAST(i AS int64) AS string)", "CAST(i AS string)"},
      {"CAST(CAST(i AS float64) AS string)", "CAST(CAST(i AS float64) AS string)"},
      {"CAST(CAST(f AS int64) AS float64)", "CAST(CAST(f AS int64) AS float64)"},
      {"a + 0", "a"},
      {"0 + a", "a"},
      {"a - 0", "a"},
      {"0 - a", "0 - a"},
      {"a * 1", "a"},
      {"a * 0", "a * 0"},
      {"f + 0.0", "f + 0.0"},
      {"f * 1.0", "f * 1.0"},
      {"CASE WHEN false THEN 1 WHEN p THEN a ELSE b END", "CASE WHEN p THEN a ELSE b END"},
      {"CASE WHEN p THEN a WHEN true THEN b ELSE 7 END", "CASE WHEN p THEN a ELSE b END"},
      {"CASE WHEN NULL THEN 1 ELSE a END", "a"},
      {"CASE WHEN 1 = 1 THEN a ELSE 1 // 0 END", "a"},
      {"CASE WHEN 1 = 2 THEN a END", "CAST(NULL AS int64)"},
      {"coalesce(NULL, a, 5, b)", "coalesce(a, 5)"},
      {"coalesce(3, a)", "3"},
      {"a IN (3)", "a = 3"},
      {"a IN (3, 4, 3)", "a IN (3, 4)"},
      {"s LIKE 'abc'", "s = 'abc'"},
      {"s LIKE 'a%'", "s LIKE 'a%'"},
      {"s LIKE 'a_'", "s LIKE 'a_'"},
      {"CAST('x' AS int64) + 1", "CAST('x' AS int64) + 1"},
      {"CAST(s AS int64) = 1 AND false", "CAST(s AS int64) = 1 AND FALSE"},
      {"false AND CAST(s AS int64) = 1", "FALSE"},
      {"CAST(s AS int64) = 1 AND false AND p", "CAST(s AS int64) = 1 AND FALSE"},
      {"day > date '2024-01-31'", "day > date '2024-01-31'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    check(cases[i].text, cases[i].want, false);
  }
}

static void predicates(void **state) {
  (void)state;
  static const pair cases[] = {
      {"p AND NULL", "FALSE"},
      {"p OR NULL", "p"},
      {"p AND (q OR NULL)", "p AND q"},
      {"CAST(NULL AS bool)", "FALSE"},
      {"p IS TRUE", "p"},
      {"NOT (p AND NULL)", "NOT p"},
      {"p IS NOT TRUE", "p IS NOT TRUE"},
      {"CAST(s AS int64) = 1 AND NULL", "CAST(s AS int64) = 1 AND FALSE"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    check(cases[i].text, cases[i].want, true);
  }
}

static void implied(void **state) {
  (void)state;
  static const struct {
    const char *text, *column, *want; /* NULL: nothing */
  } cases[] = {
      {"(a = 1 AND b = 2) OR (a = 3 AND b = 4)", "a", "a IN (1, 3)"},
      {"(a = 3 AND b = 2) OR (a = 1 AND b = 4)", "a", "a IN (1, 3)"},
      {"(a IN (1, 2) AND b = 2) OR (a = 2 AND b = 4)", "a", "a IN (1, 2)"},
      {"(a = 1 AND b = 2) OR (a = 1 AND b = 3)", "a", "a = 1"},
      {"(a = 1 AND b = 2) OR b = 3", "a", NULL},
      {"(a > 1 AND b = 2) OR (a < 0 AND b = 3)", "a", "a > 1 OR a < 0"},
      {"(a > 1 AND a < 5 AND b = 2) OR (a = 7 AND b = 3)", "a", "a > 1 AND a < 5 OR a = 7"},
      {"((a = 1 OR a = b) AND b = 1) OR (a = 2 AND b = 3)", "b", "b IN (1, 3)"},
      {"(CAST(s AS int64) = 1 AND b = 2) OR (s = 'x' AND b = 3)", "s", NULL},
      {"a = b OR a = 1", "a", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    open_fixture(&f);
    sp_names names = {0};
    const sp_expr *r = NULL;
    assert_true(sp_names_add(&names, &f.arena, sp_sv_from(cases[i].column)));
    assert_true(sp_implied_by(&f.arena, bound(&f, cases[i].text), &names, &r));
    const char *got = r != NULL ? sp_expr_text(r, &f.arena) : NULL;
    if ((got == NULL) != (cases[i].want == NULL) || (got != NULL && strcmp(got, cases[i].want) != 0)) {
      print_error("%s for %s: expected %s, got %s\n", cases[i].text, cases[i].column,
                  cases[i].want != NULL ? cases[i].want : "nothing", got != NULL ? got : "nothing");
      fail();
    }
    close_fixture(&f);
  }
}

/* Deep and shared trees are walked once per node. */
static void shared_trees(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f);
  const sp_expr *e = bound(&f, "a + 0");
  for (int i = 0; i < 64; i++) {
    const sp_expr *args[2] = {e, e};
    e = sp_expr_call_named(&f.arena, "add", sp_type_of(SP_KIND_INT64), args, 2);
    assert_non_null(e);
  }
  const sp_expr *r = sp_simplify(&f.arena, e);
  assert_non_null(r);
  assert_int_equal(r->depth, e->depth - 1);
  close_fixture(&f);
}

static void shares(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double want;
  } cases[] = {{"a = 5", 0.01},
               {"a = 500", 0},
               {"a <> 5", 0.99},
               {"a < 25", 0.25},
               {"a >= 25", 0.75},
               {"a >= 25 AND a < 75", 0.5},
               {"a IN (1, 2, 3)", 0.03},
               {"a IS NULL", 0.2},
               {"a IS NOT NULL", 0.8},
               {"a < 50 OR b = 1", 0.55},
               {"NOT (a < 25)", 0.75},
               {"s LIKE '%x%'", 0.1},
               {"true", 1},
               {"a + b > 3", 1.0 / 3}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    open_fixture(&f);
    sp_col_estimate columns[16];
    for (uint32_t c = 0; c < f.schema->n; c++) {
      columns[c] = (sp_col_estimate){.distinct = -1, .null_fraction = -1};
    }
    columns[0] =
        (sp_col_estimate){.distinct = 100, .null_fraction = 0.2, .has_range = true, .lo = 0, .hi = 100};
    const sp_expr *parts[2] = {bound(&f, cases[i].text), NULL};
    sp_item items[8];
    uint32_t n = 0;
    const sp_expr *const *conjuncts = NULL;
    assert_true(sp_expr_conjuncts(parts[0], &f.arena, &conjuncts, &n));
    for (uint32_t k = 0; k < n; k++) {
      items[k] = (sp_item){.expr = conjuncts[k]};
    }
    const sp_items all = {n, items};
    const double got = sp_selectivity(&all, f.schema, columns, 1000);
    if (got < cases[i].want - 1e-6 || got > cases[i].want + 1e-6) {
      print_error("%s: expected %g, got %g\n", cases[i].text, cases[i].want, got);
      fail();
    }
    close_fixture(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(predicates),
                                     cmocka_unit_test(implied), cmocka_unit_test(shared_trees),
                                     cmocka_unit_test(shares)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
