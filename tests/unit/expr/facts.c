/* What an expression is and reads: facts, equality, fingerprints, substitution, conjuncts, nulls, folding,
 * casts; and that the README lists every function. */
#include "tests/support/expr.h"
#include "tests/support/torture.h"

#include <stdio.h>

#include "expr/coerce.h"
#include "expr/make.h"

static void facts(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *text;
    bool column, aggregate, fallible;
  } cases[] = {{"1 + 2", false, false, false},
               {"a + 1", true, false, false},
               {"count(a)", true, true, false},
               {"count(*)", false, true, false},
               {"CAST(a AS int16)", true, false, true},
               {"TRY_CAST(a AS int16)", true, false, false},
               {"CAST(b AS int64)", true, false, false},
               {"CAST(s AS date) > '2000-01-01'", true, false, true},
               {"CASE WHEN q THEN CAST(s AS int64) END", true, false, true},
               {"a > f", true, false, false},
               {"sum(a) FILTER (WHERE CAST(s AS bool))", true, true, true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr *e = expr_bind(w, cases[i].text);
    assert_int_equal(sp_expr_has_column(e), cases[i].column);
    assert_int_equal(sp_expr_has_aggregate(e), cases[i].aggregate);
    if (sp_expr_is_fallible(e) != cases[i].fallible) {
      fail_msg("%s is %sfallible", cases[i].text, cases[i].fallible ? "not " : "");
    }
    assert_false(sp_expr_is_volatile(e));
  }
}

static void looking(void **state) {
  expr_world *w = *state;
  sp_sv name;
  assert_true(sp_expr_is_column(expr_parse(w, "a AS n"), &name));
  assert_string_equal(name.p, "a");
  assert_false(sp_expr_is_column(expr_parse(w, "a + 1"), &name));
  assert_true(sp_expr_is_call(expr_parse(w, "a = 1"), "eq"));
  assert_false(sp_expr_is_call(expr_parse(w, "a"), "eq"));
  assert_true(sp_expr_is_true(expr_parse(w, "TRUE")));
  assert_false(sp_expr_is_true(expr_parse(w, "1")));
  assert_true(sp_expr_is_false_or_null(expr_parse(w, "FALSE")));
  assert_true(sp_expr_is_false_or_null(expr_parse(w, "NULL")));
  assert_false(sp_expr_is_false_or_null(expr_parse(w, "0")));
}

static void columns(void **state) {
  expr_world *w = *state;
  const sp_expr *e = expr_parse(w, "x > a OR a IS NULL OR sum(y) FILTER (WHERE q) > 1");
  sp_names n = {0};
  assert_true(sp_expr_columns(e, &w->arena, &n));
  assert_int_equal(n.n, 4);
  assert_string_equal(n.names[0].p, "a");
  assert_string_equal(n.names[1].p, "q");
  assert_string_equal(n.names[2].p, "x");
  assert_string_equal(n.names[3].p, "y");
  assert_true(sp_names_has(&n, SP_SV("x")) && !sp_names_has(&n, SP_SV("b")));
  assert_true(sp_expr_reads(e, SP_SV("q")) && !sp_expr_reads(e, SP_SV("b")));
}

/* ---- equality ---- */
static void equality(void **state) {
  expr_world *w = *state;
  static const char *const different[] = {"a",
                                          "\"A\"",
                                          "a + b",
                                          "b + a",
                                          "a - b",
                                          "1",
                                          "1.0",
                                          "'1'",
                                          "int16 '1'",
                                          "0.0",
                                          "-0.0",
                                          "CAST(a AS int8)",
                                          "CAST(a AS int16)",
                                          "TRY_CAST(a AS int8)",
                                          "sum(a)",
                                          "sum(DISTINCT a)",
                                          "sum(a) FILTER (WHERE q)",
                                          "sum(a) FILTER (WHERE s)",
                                          "count(*)",
                                          "*",
                                          "* EXCLUDE (a)",
                                          "COLUMNS('a')",
                                          "COLUMNS(string)",
                                          "a AS x",
                                          "a AS y",
                                          "NULL",
                                          "CAST(NULL AS int8)",
                                          "date '2000-01-01'",
                                          "datetime '2000-01-01'",
                                          "datetime(ms) '2000-01-01'",
                                          "interval '1' month",
                                          "interval '30' day",
                                          "interval '720' hour",
                                          "decimal '1.0'",
                                          "decimal '1.00'",
                                          "x'31'",
                                          "a AND b",
                                          "a AND b AND c",
                                          "(a OR b) AND c",
                                          "TRUE",
                                          "FALSE",
                                          "float64 'NaN'",
                                          "float64 'inf'",
                                          "a IN (1, 2)",
                                          "a IN (2, 1)",
                                          "a IN (1)"};
  const size_t n = sizeof different / sizeof different[0];
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      const sp_expr *x = expr_parse(w, different[i]), *y = expr_parse(w, different[k]);
      sp_hasher hx, hy;
      sp_hasher_init(&hx, 1);
      sp_hasher_init(&hy, 1);
      sp_expr_hash128(x, &hx);
      sp_expr_hash128(y, &hy);
      if (sp_expr_eq(x, y) != (i == k) ||
          sp_hash128_eq(sp_hasher_finish(&hx), sp_hasher_finish(&hy)) != (i == k) ||
          (i == k && x->hash != y->hash)) {
        fail_msg("%s and %s", different[i], different[k]);
      }
    }
  }
}

/* Bound literals of different types differ; an unbound one equals what it becomes. */
static void bound_equality(void **state) {
  expr_world *w = *state;
  assert_true(sp_expr_eq(expr_parse(w, "b > 15"), expr_bind(w, "b > 15")));
  assert_true(sp_expr_eq(expr_parse(w, "p > 1.5"), expr_bind(w, "p > 1.5")));
  assert_true(sp_expr_eq(expr_parse(w, "b = NULL"), expr_bind(w, "b = NULL")));
  assert_false(sp_expr_eq(expr_parse(w, "b > 15"), expr_bind(w, "b > 16")));
  assert_false(sp_expr_eq(expr_bind(w, "int16 '1'"), expr_bind(w, "1")));
  assert_false(sp_expr_eq(expr_bind(w, "CAST(NULL AS int16)"), expr_bind(w, "CAST(NULL AS int32)")));
}

static const sp_expr *doubled(expr_world *w, const char *leaf, uint32_t times) {
  const sp_expr *e = expr_parse(w, leaf);
  for (uint32_t i = 0; i < times; i++) {
    const sp_expr *args[] = {e, e};
    e = sp_expr_call_named(&w->arena, "add", NULL, args, 2);
    assert_non_null(e);
  }
  return e;
}

/* 2^64 paths; none of the walks takes them all. */
static void shared_trees(void **state) {
  expr_world *w = *state;
  const sp_expr *x = doubled(w, "a", 64), *y = doubled(w, "a", 64), *z = doubled(w, "b", 64);
  assert_true(sp_expr_eq(x, y));
  assert_false(sp_expr_eq(x, z));
  sp_hasher hx, hy;
  sp_hasher_init(&hx, 0);
  sp_hasher_init(&hy, 0);
  sp_expr_hash128(x, &hx);
  sp_expr_hash128(y, &hy);
  assert_true(sp_hash128_eq(sp_hasher_finish(&hx), sp_hasher_finish(&hy)));
  sp_names n = {0};
  assert_true(sp_expr_columns(x, &w->arena, &n) && n.n == 1);
  assert_true(sp_expr_reads(x, SP_SV("a")) && !sp_expr_reads(x, SP_SV("b")));
  const sp_expr *args[] = {x, z};
  const sp_expr *p = sp_expr_call_named(&w->arena, "lt", NULL, args, 2);
  assert_true(sp_expr_rejects_nulls(p, &n));
}

/* The hash of a tree does not depend on how it is shared. */
static void fingerprints_ignore_sharing(void **state) {
  expr_world *w = *state;
  const sp_expr *shared = doubled(w, "a", 8);
  const sp_expr *plain = expr_parse(w, expr_text(w, shared));
  sp_hasher hx, hy;
  sp_hasher_init(&hx, 0);
  sp_hasher_init(&hy, 0);
  sp_expr_hash128(shared, &hx);
  sp_expr_hash128(plain, &hy);
  assert_true(sp_expr_eq(shared, plain));
  assert_true(sp_hash128_eq(sp_hasher_finish(&hx), sp_hasher_finish(&hy)));
}

static void deep_trees(void **state) {
  expr_world *w = *state;
  const sp_expr *trees[2];
  for (uint32_t k = 0; k < 2; k++) {
    trees[k] = expr_parse(w, "q");
    for (uint32_t i = 1; i < SP_EXPR_MAX_DEPTH; i++) {
      trees[k] = sp_expr_call_named(&w->arena, "not", sp_type_of(SP_KIND_BOOL), &trees[k], 1);
      assert_non_null(trees[k]);
    }
  }
  sp_hasher h;
  sp_hasher_init(&h, 0);
  sp_expr_hash128(trees[0], &h);
  assert_true(sp_expr_eq(trees[0], trees[1]));
  sp_names n = {0};
  assert_true(sp_expr_columns(trees[0], &w->arena, &n) && n.n == 1);
  assert_true(sp_expr_rejects_nulls(trees[0], &n));
  const sp_expr_range *r;
  uint32_t n_ranges;
  bool null;
  (void)sp_expr_ranges(trees[0], SP_SV("q"), &w->arena, &r, &n_ranges, &null);
}

/* ---- making and taking apart ---- */
static const sp_expr *replacement(void *ctx, sp_sv name) {
  expr_world *w = ctx;
  return sp_sv_eq(name, SP_SV("a"))   ? expr_parse(w, "x + y AS named")
         : sp_sv_eq(name, SP_SV("q")) ? expr_parse(w, "b AND s")
                                      : NULL;
}

static void substitution(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {
      {"a > 1 AND b < 2", "x + y > 1 AND b < 2"},
      {"a", "x + y"},
      {"a * 2", "(x + y) * 2"},
      {"q AND u", "b AND s AND u"},
      {"NOT q", "NOT (b AND s)"},
      {"sum(a) FILTER (WHERE a > 1) AS n", "sum(x + y) FILTER (WHERE x + y > 1) AS n"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr *e = sp_expr_substitute(&w->arena, expr_parse(w, cases[i][0]), replacement, w);
    assert_non_null(e);
    assert_string_equal(expr_text(w, e), cases[i][1]);
    assert_true(sp_expr_eq(e, expr_parse(w, cases[i][1])));
  }
  const sp_expr *kept = expr_parse(w, "b + u");
  assert_ptr_equal(sp_expr_substitute(&w->arena, kept, replacement, w), kept);
  const sp_expr *shared = sp_expr_substitute(&w->arena, doubled(w, "a", 64), replacement, w);
  assert_ptr_equal(shared->args[0], shared->args[1]);
}

static void conjuncts(void **state) {
  expr_world *w = *state;
  const sp_expr *const *list;
  uint32_t n;
  assert_true(sp_expr_conjuncts(expr_parse(w, "a AND (b OR c) AND (d AND e) AS p"), &w->arena, &list, &n));
  assert_int_equal(n, 4);
  assert_string_equal(expr_text(w, list[1]), "b OR c");
  assert_true(sp_expr_conjuncts(expr_parse(w, "a OR b"), &w->arena, &list, &n));
  assert_int_equal(n, 1);
  const sp_expr *preds[] = {expr_bind(w, "q AND a > 1"), expr_bind(w, "b < 2")};
  assert_string_equal(expr_text(w, sp_expr_and(&w->arena, preds, 2)), "q AND a > 1 AND b < 2");
  assert_ptr_equal(sp_expr_and(&w->arena, preds, 1), preds[0]);
  assert_true(sp_expr_is_true(sp_expr_and(&w->arena, preds, 0)));
}

/* ---- nulls ---- */
static void null_rejection(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *predicate;
    bool rejects; /* null a and b */
  } cases[] = {{"a > 1", true},
               {"a > x", true},
               {"x > 1", false},
               {"a IS NULL", false},
               {"a IS NOT NULL", true},
               {"NOT (a IS NULL)", true},
               {"NOT (a > 1)", true},
               {"a > 1 AND x > 1", true},
               {"a > 1 OR x > 1", false},
               {"a > 1 OR b > 1", true},
               {"a > 1 OR a IS NULL", false},
               {"a IS NULL AND b IS NOT NULL", true},
               {"a IN (1, 2)", true},
               {"a NOT IN (1, 2)", true},
               {"a BETWEEN 1 AND 2", true},
               {"a + b * 2 = 4", true},
               {"coalesce(a, 1) = 1", false},
               {"coalesce(a, b) = 1", true},
               {"a IS DISTINCT FROM 1", false},
               {"(a > 1) IS TRUE", true},
               {"(a > 1) IS NOT TRUE", false},
               {"(a > 1) IS NOT FALSE", false},
               {"CASE WHEN a > 1 THEN TRUE ELSE TRUE END", false},
               {"CAST(a AS string) = '1'", true},
               {"CAST(a AS string) LIKE '1%'", true},
               {"TRUE", false},
               {"FALSE", true},
               {"NULL", true}};
  sp_names names = {0};
  assert_true(sp_names_add(&names, &w->arena, SP_SV("a")) && sp_names_add(&names, &w->arena, SP_SV("b")));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (sp_expr_rejects_nulls(expr_bind(w, cases[i].predicate), &names) != cases[i].rejects) {
      fail_msg("%s %s nulls", cases[i].predicate, cases[i].rejects ? "does not reject" : "rejects");
    }
  }
}

/* ---- constants ---- */
static void folding(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {{"1 + 2 * 3", "7"},
                                         {"7 / 2", "3.5"},
                                         {"date '1995-12-31' + interval '1' day", "date '1996-01-01'"},
                                         {"CAST('1996-01-01' AS date)", "date '1996-01-01'"},
                                         {"TRY_CAST('x' AS int64)", "CAST(NULL AS int64)"},
                                         {"TRUE AND NULL", "CAST(NULL AS bool)"},
                                         {"1 < 2 OR NULL", "TRUE"},
                                         {"CASE WHEN FALSE THEN 1 ELSE 2 END", "2"},
                                         {"'a string of some length' || '!'", "'a string of some length!'"},
                                         {"decimal '1.5' * decimal '2.25'", "decimal(5,3) '3.375'"},
                                         {"CAST('x' AS int64)", NULL},
                                         {"CAST(300 AS uint8)", NULL},
                                         {"a + 1", NULL},
                                         {"count(*)", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    bool folded = true;
    sp_value v;
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_expr_fold(expr_bind(w, cases[i][0]), &w->arena, &folded, &v, &err), SP_OK);
    if (folded != (cases[i][1] != NULL)) {
      fail_msg("%s does %sfold", cases[i][0], folded ? "" : "not ");
    }
    assert_int_equal(err.status, SP_OK);
    if (folded) {
      assert_string_equal(expr_text(w, sp_expr_literal(&w->arena, &v)), cases[i][1]);
    }
  }
}

/* A cast said to be total must never refuse a value; the edges of each type are where it would. */
static void total_casts_never_fail(void **state) {
  expr_world *w = *state;
  static const char *const names[] = {
      "bool",           "int8",           "int16",        "int32",         "int64",
      "uint8",          "uint16",         "uint32",       "uint64",        "float32",
      "float64",        "decimal(3,0)",   "decimal(5,2)", "decimal(18,4)", "decimal(20,0)",
      "decimal(38,10)", "decimal(38,38)", "date",         "datetime(ms)",  "datetime(us)",
      "datetime(ns)",   "time",           "duration(ms)", "duration(ns)",  "string"};
  const size_t n = sizeof names / sizeof names[0];
  uint32_t total = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      const sp_type *from = sp_type_parse(sp_sv_from(names[i])), *to = sp_type_parse(sp_sv_from(names[k]));
      sp_value edges[4] = {{.type = from}, {.type = from}, {.type = from}, {.type = from}};
      if (from->family == SP_FAMILY_DECIMAL) {
        edges[1] = sp_value_decimal(from, from->precision == 38 ? (sp_i128)1e37 : (sp_i128)0);
        sp_i128 nines = 0;
        for (uint32_t p = 0; p < from->precision; p++) {
          nines = nines * 10 + 9;
        }
        edges[2] = sp_value_decimal(from, nines);
        edges[3] = sp_value_decimal(from, -nines);
      } else if (sp_type_is_float(from)) {
        edges[1].f = from->width == 4 ? 3.4e38f : 1.7e308;
        edges[2].f = -edges[1].f;
        edges[3].f = __builtin_nan("");
      } else if (from->family == SP_FAMILY_BOOL) {
        edges[1].b = true;
      } else if (from->family == SP_FAMILY_UNSIGNED) {
        edges[1].u = UINT64_MAX >> (64 - 8 * from->width);
      } else if (from->kind == SP_KIND_TIME) {
        edges[1].i = INT64_C(86399999999999);
      } else if (from->kind == SP_KIND_STRING) {
        edges[0].s = edges[1].s = edges[2].s = SP_SV("");
        edges[3].s = SP_SV("x");
      } else {
        edges[1].i = (int64_t)(UINT64_MAX >> (65 - 8 * from->width));
        edges[2].i = -edges[1].i - 1;
        edges[3].i = 1;
      }
      bool works = true;
      for (uint32_t v = 0; v < 4; v++) {
        sp_value out;
        works &= sp_value_cast(&edges[v], to, &w->arena, &out);
      }
      if (sp_cast_is_total(from, to)) {
        total++;
        if (!works) {
          fail_msg("%s to %s is no total cast", from->name, to->name);
        }
      } else if (works && sp_cast_exists(from, to)) {
        fail_msg("%s to %s looks like a total cast", from->name, to->name);
      }
      if (!sp_cast_exists(from, to) && works) {
        fail_msg("%s to %s is a cast after all", from->name, to->name);
      }
    }
  }
  assert_true(total > 150);
}

/* ---- the README ---- */
static void readme_lists_every_function(void **state) {
  expr_world *w = *state;
  FILE *f = fopen(SIGMAPI_SOURCE_DIR "/src/expr/README.md", "rb");
  assert_non_null(f);
  char *text = sp_arena_alloc(&w->arena, 1 << 20);
  assert_non_null(text);
  const size_t n = fread(text, 1, (1 << 20) - 1, f);
  assert_int_equal(fclose(f), 0);
  assert_true(n > 1000 && n < (1 << 20) - 1);
  uint32_t missing = 0;
  for (uint32_t i = 0; sp_function_table[i] != NULL; i++) {
    char row[80];
    snprintf(row, sizeof row, "| `%s` |", sp_function_table[i]->name);
    if (strstr(text, row) == NULL) {
      print_error("src/expr/README.md lacks: %s %s |\n", row, sp_function_table[i]->summary);
      missing++;
    }
  }
  /* And none that is gone. */
  for (char *at = strstr(text, "\n| `"); at != NULL; at = strstr(at + 1, "\n| `")) {
    const char *name = at + 4, *end = strchr(name, '`');
    assert_non_null(end);
    if (sp_function_find((sp_sv){name, (size_t)(end - name)}) == NULL) {
      print_error("src/expr/README.md lists `%.*s`, which there is not\n", (int)(end - name), name);
      missing++;
    }
  }
  assert_int_equal(missing, 0);
}

static sp_status facts_in(sp_mem *mem, void *ctx) {
  expr_world w = {0};
  w.mem = (sp_mem){0};
  sp_arena_init(&w.arena, mem);
  sp_names n = {0};
  bool folded;
  sp_value v;
  const sp_expr *e, *const *list;
  uint32_t count;
  const sp_schema *schema = expr_schema(&w.arena);
  sp_status st = schema == NULL ? SP_NOMEM : sp_expr_parse(&w.arena, sp_sv_from(ctx), NULL, &e, NULL);
  if (st == SP_OK) {
    st = sp_expr_bind(&w.arena, e, schema, 0, NULL, &e, NULL);
  }
  if (st == SP_OK && (!sp_expr_columns(e, &w.arena, &n) || !sp_expr_conjuncts(e, &w.arena, &list, &count))) {
    st = SP_NOMEM;
  }
  if (st == SP_OK) {
    st = sp_expr_fold(list[1], &w.arena, &folded, &v, NULL);
  }
  sp_arena_release(&w.arena);
  return st;
}

static void memory_may_fail(void **state) {
  (void)state;
  SP_TORTURE(
      facts_in,
      (char[]){
          "NOT NOT NOT NOT NOT NOT NOT NOT (a > 1) AND 'abc' || 'a longer text than that' = 'x' AND b < 2"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(facts, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(looking, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(columns, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(equality, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(bound_equality, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(shared_trees, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(fingerprints_ignore_sharing, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(deep_trees, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(substitution, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(conjuncts, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(null_rejection, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(folding, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(total_casts_never_fail, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(readme_lists_every_function, expr_setup, expr_teardown),
      cmocka_unit_test(memory_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
