/* Predicates to ranges of one column: what they look like, and that no value that satisfies one is left out.
 */
#include "tests/support/expr.h"
#include "tests/support/torture.h"

static void show(const sp_expr_range *r, uint32_t n, bool null, sp_str *out) {
  for (uint32_t i = 0; i < n; i++) {
    sp_str_addc(out, r[i].has_lo && !r[i].lo_open ? '[' : '(');
    if (r[i].has_lo) {
      sp_value_text(&r[i].lo, out);
    }
    sp_str_addc(out, ',');
    if (r[i].has_hi) {
      sp_value_text(&r[i].hi, out);
    }
    sp_str_addc(out, r[i].has_hi && !r[i].hi_open ? ']' : ')');
  }
  sp_str_add(out, null ? "null" : "");
}

static void ranges(void **state) {
  expr_world *w = *state;
  /* predicate, column, set; "?" when nothing is known */
  static const char *const cases[][3] = {
      {"a = 5", "a", "[5,5]"},
      {"a <> 5", "a", "(,5)(5,)"},
      {"a < 5", "a", "(,5)"},
      {"a <= 5", "a", "(,5]"},
      {"5 < a", "a", "(5,)"},
      {"5 >= a", "a", "(,5]"},
      {"a = 5", "x", "?"},
      {"a = x", "a", "?"},
      {"a + 1 = 5", "a", "?"},
      {"a = NULL", "a", ""},
      {"a > 1 AND a < 5", "a", "(1,5)"},
      {"a > 5 AND a < 1", "a", ""},
      {"a > 5 AND x < 1", "a", "(5,)"},
      {"a > 5 OR x < 1", "a", "?"},
      {"a < 1 OR a > 5 OR a = 3", "a", "(,1)[3,3](5,)"},
      {"a < 3 OR a >= 3", "a", "(,)"},
      {"a < 3 OR a > 2", "a", "(,)"},
      {"a BETWEEN 1 AND 5 OR a BETWEEN 4 AND 9", "a", "[1,9]"},
      {"a IN (3, 1, 2, 1)", "a", "[1,1][2,2][3,3]"},
      {"a NOT IN (3, 1)", "a", "(,1)(1,3)(3,)"},
      {"a IN (1, NULL)", "a", "[1,1]"},
      {"a NOT IN (1, 2, NULL)", "a", ""},
      {"a IS NULL", "a", "null"},
      {"a IS NOT NULL", "a", "(,)"},
      {"a IS NULL OR a > 5", "a", "(5,)null"},
      {"NOT (a > 5)", "a", "(,5]"},
      {"NOT (a > 5 OR a IS NULL)", "a", "(,5]"},
      {"NOT (a > 5 AND a < 9)", "a", "(,5][9,)"},
      {"NOT (NOT a = 1)", "a", "[1,1]"},
      {"(a > 5) IS TRUE", "a", "(5,)"},
      {"(a > 5) IS NOT TRUE", "a", "?"},
      {"(a > 5) IS FALSE", "a", "(,5]"},
      {"a IS DISTINCT FROM 5", "a", "(,5)(5,)null"},
      {"a IS NOT DISTINCT FROM 5", "a", "[5,5]"},
      {"a IS NOT DISTINCT FROM NULL", "a", "null"},
      {"a IS DISTINCT FROM NULL", "a", "(,)"},
      {"q", "q", "[true,true]"},
      {"NOT q", "q", "[false,false]"},
      {"TRUE", "a", "?"},
      {"FALSE", "a", ""},
      {"NULL", "a", ""},
      {"a > 1 AND FALSE", "a", ""},
      {"s = 'x'", "s", "[x,x]"},
      {"s LIKE 'abc%'", "s", "[abc,abd)"},
      {"s LIKE 'ab_d%'", "s", "[ab,ac)"},
      {"s LIKE 'abc'", "s", "[abc,abc]"},
      {"s LIKE '%abc'", "s", "(,)"},
      {"s NOT LIKE 'abc%'", "s", "?"},
      {"s LIKE 'a!%' ESCAPE '!'", "s", "?"},
      {"starts_with(s, 'ab%')", "s", "[ab%,ab&)"},
      {"d >= '1995-01-01' AND d < date '1996-01-01'", "d", "[1995-01-01,1996-01-01)"},
      {"t >= '1995-01-01'", "t", "[1995-01-01T00:00:00,)"},
      {"p > 0.05", "p", "(0.05,)"},
      {"f > 2.5", "f", "(2.5,)"},
      {"b > 2.5", "b", "[2,)"},
      {"b < 2.5", "b", "(,3]"},
      {"b = 2.5", "b", ""},
      {"b IN (1, 2.5)", "b", "?"},
      {"b > 100000", "b", "(,)"},
      {"CAST(b AS int64) > 7", "b", "(7,)"},
      {"CAST(d AS datetime) >= datetime '1995-01-01'", "d", "[1995-01-01,)"},
      {"CAST(a AS string) = '5'", "a", "?"},
      {"CAST(a AS int16) = 5", "a", "[5,5]"},
      {"CASE WHEN a > 5 THEN TRUE END", "a", "?"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr_range *r = NULL;
    uint32_t n = 0;
    bool null = false;
    sp_str out;
    sp_str_init(&out, &w->mem, 1 << 16);
    if (sp_expr_ranges(expr_bind(w, cases[i][0]), sp_sv_from(cases[i][1]), &w->arena, &r, &n, &null)) {
      show(r, n, null, &out);
    } else {
      sp_str_addc(&out, '?');
    }
    if (strcmp(out.p, cases[i][2]) != 0) {
      fail_msg("%s for %s: %s instead of %s", cases[i][0], cases[i][1], out.p, cases[i][2]);
    }
    sp_str_release(&out);
  }
}

/* ---- against truth ---- */
enum { NO, YES, NIL };

static int kleene_and(int x, int y) {
  return x == NO || y == NO ? NO : x == NIL || y == NIL ? NIL : YES;
}
static int kleene_not(int x) {
  return x == NIL ? NIL : !x;
}

/* What the bound predicate says of one value of `a`; only the forms that the test below writes. */
static int truth(const sp_expr *e, const sp_value *a) {
  if (e->kind == SP_EXPR_LITERAL) {
    return e->literal.is_null ? NIL : e->literal.b ? YES : NO;
  }
  const char *f = e->fn->name;
  if (strcmp(f, "and") == 0 || strcmp(f, "or") == 0) {
    int r = YES;
    for (uint32_t i = 0; i < e->n_args; i++) {
      const int x = truth(e->args[i], a);
      r = kleene_and(r, f[0] == 'a' ? x : kleene_not(x));
    }
    return f[0] == 'a' ? r : kleene_not(r);
  }
  if (strcmp(f, "not") == 0) {
    return kleene_not(truth(e->args[0], a));
  }
  if (strcmp(f, "is_null") == 0) {
    return a->is_null ? YES : NO;
  }
  if (strcmp(f, "in") == 0) {
    int r = NO;
    for (uint32_t i = 1; i < e->n_args && r != YES; i++) {
      const sp_value *v = &e->args[i]->literal;
      r = a->is_null || v->is_null ? NIL : v->i == a->i ? YES : r;
    }
    return r;
  }
  if (a->is_null) {
    return NIL;
  }
  const int64_t x = a->i, y = e->args[1]->literal.i;
  const bool r = strcmp(f, "eq") == 0   ? x == y
                 : strcmp(f, "ne") == 0 ? x != y
                 : strcmp(f, "lt") == 0 ? x < y
                 : strcmp(f, "le") == 0 ? x <= y
                 : strcmp(f, "gt") == 0 ? x > y
                                        : x >= y;
  return r ? YES : NO;
}

static void write_predicate(uint64_t *seed, uint32_t depth, sp_str *out) {
  static const char *const ops[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
  const uint32_t k = depth == 0 ? expr_random(seed, 4) : 4 + expr_random(seed, 3);
  sp_str_addc(out, '(');
  if (k == 0) {
    sp_str_add(out, "a IS NULL");
  } else if (k == 1) {
    sp_str_addf(out, "a IN (%u, %u%s)", expr_random(seed, 12), expr_random(seed, 12),
                expr_random(seed, 6) == 0 ? ", NULL" : "");
  } else if (k < 4) {
    sp_str_addf(out, "a%s%u", ops[expr_random(seed, 6)], expr_random(seed, 12));
  } else if (k == 4) {
    sp_str_add(out, "NOT ");
    write_predicate(seed, depth - 1, out);
  } else {
    write_predicate(seed, depth - 1, out);
    sp_str_add(out, k == 5 ? " AND " : " OR ");
    write_predicate(seed, depth - 1, out);
  }
  sp_str_addc(out, ')');
}

static bool holds(const sp_expr_range *r, uint32_t n, bool null, const sp_value *v) {
  for (uint32_t i = 0; !v->is_null && i < n; i++) {
    const int lo = r[i].has_lo ? sp_value_cmp(v, &r[i].lo) : 1,
              hi = r[i].has_hi ? sp_value_cmp(v, &r[i].hi) : -1;
    if ((lo > 0 || (lo == 0 && !r[i].lo_open)) && (hi < 0 || (hi == 0 && !r[i].hi_open))) {
      return true;
    }
  }
  return v->is_null && null;
}

/* For one column and no unknown part the set is exact: it holds a value if and only if the predicate does. */
static void sets_are_exact(void **state) {
  expr_world *w = *state;
  const sp_type *t = sp_type_of(SP_KIND_INT64);
  uint64_t seed = 3;
  for (uint32_t round = 0; round < 5000; round++) {
    expr_world own = *w;
    sp_arena_init(&own.arena, &w->mem);
    sp_str text;
    sp_str_init(&text, &w->mem, 1 << 16);
    write_predicate(&seed, 1 + round % 4, &text);
    const sp_expr *e = expr_bind(&own, text.p);
    const sp_expr_range *r = NULL;
    uint32_t n = 0;
    bool null = false;
    const bool known = sp_expr_ranges(e, SP_SV("a"), &own.arena, &r, &n, &null);
    for (int64_t i = -2; i < 14; i++) {
      const sp_value v = i == -2 ? sp_value_null(t) : sp_value_int(t, i);
      const bool in_set = !known || holds(r, n, null, &v);
      if (in_set != (truth(e, &v) == YES)) {
        fail_msg("%s for %d", text.p, (int)i);
      }
    }
    for (uint32_t i = 1; i < n; i++) {
      assert_true(r[i - 1].has_hi && r[i].has_lo && sp_value_cmp(&r[i - 1].hi, &r[i].lo) <= 0);
    }
    sp_str_release(&text);
    sp_arena_release(&own.arena);
  }
}

static void large_predicates_stay_cheap(void **state) {
  expr_world *w = *state;
  static const char *const pieces[][2] = {{" AND a <> ", "a <> 0"}, {" OR a = ", "a = 0"}};
  for (size_t k = 0; k < 2; k++) {
    sp_str text;
    sp_str_init(&text, &w->mem, 1 << 22);
    sp_str_add(&text, pieces[k][1]);
    for (uint32_t i = 1; i < 20000; i++) {
      sp_str_addf(&text, "%s%u", pieces[k][0], 2 * i);
    }
    const sp_expr_range *r;
    uint32_t n;
    bool null;
    assert_true(sp_expr_ranges(expr_bind(w, text.p), SP_SV("a"), &w->arena, &r, &n, &null));
    assert_true(n <= 1024 && !null);
    sp_str_release(&text);
  }
}

/* p = NOT p OR p, 64 times. */
static void shared_predicates_end(void **state) {
  expr_world *w = *state;
  const sp_expr *e = expr_bind(w, "q");
  for (uint32_t i = 0; i < 64; i++) {
    const sp_expr *negated = sp_expr_call_named(&w->arena, "not", e->type, &e, 1);
    const sp_expr *args[] = {negated, sp_expr_call_named(&w->arena, "not", e->type, &negated, 1)};
    e = sp_expr_call_named(&w->arena, "or", e->type, args, 2);
    assert_non_null(e);
  }
  const sp_expr_range *r;
  uint32_t n;
  bool null;
  (void)sp_expr_ranges(e, SP_SV("q"), &w->arena, &r, &n, &null);
}

static sp_status ranges_in(sp_mem *mem, void *ctx) {
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_expr *e;
  const sp_expr_range *r;
  uint32_t n;
  bool null;
  const sp_schema *schema = expr_schema(&a);
  sp_status st = schema == NULL ? SP_NOMEM : sp_expr_parse(&a, sp_sv_from(ctx), NULL, &e, NULL);
  if (st == SP_OK) {
    st = sp_expr_bind(&a, e, schema, 0, NULL, &e, NULL);
  }
  /* Here no answer can only come from a lack of memory. */
  if (st == SP_OK && !sp_expr_ranges(e, SP_SV("s"), &a, &r, &n, &null)) {
    st = SP_NOMEM;
  }
  sp_arena_release(&a);
  return st;
}

static void memory_may_fail(void **state) {
  (void)state;
  SP_TORTURE(ranges_in,
             (char[]){"(s LIKE 'ab%' OR s IN ('x', 'y')) AND s <> 'k' AND s NOT IN ('a', 'b') OR s IS NULL"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(ranges, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(sets_are_exact, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(large_predicates_stay_cheap, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(shared_predicates_end, expr_setup, expr_teardown),
      cmocka_unit_test(memory_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
