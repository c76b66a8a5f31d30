/* Selectors to columns. */
#include "tests/support/expr.h"
#include "tests/support/torture.h"

/* a b f f32 s d t p q u "A b" x y bin */
static const char *expanded(expr_world *w, const char *text, sp_error *err) {
  const sp_expr *const *list;
  uint32_t n;
  sp_str out;
  if (sp_expr_expand(&w->arena, expr_parse(w, text), w->schema, NULL, &list, &n, err) != SP_OK) {
    return err->message;
  }
  sp_str_init(&out, &w->mem, 1 << 20);
  for (uint32_t i = 0; i < n; i++) {
    sp_str_add(&out, i > 0 ? "; " : "");
    sp_expr_print(list[i], &out);
  }
  const char *copy = sp_arena_strdup(&w->arena, out.p);
  sp_str_release(&out);
  return copy;
}

static void selectors(void **state) {
  expr_world *w = *state;
  static const char *const cases[][3] = {
      {"a + 1", "a + 1"},
      {"count(*)", "count(*)"},
      {"*", "a; b; f; f32; s; d; t; p; q; u; \"A b\"; x; y; bin"},
      {"* EXCLUDE (a, b, f, f32, s, d, t, p, q, u, \"A b\", bin)", "x; y"},
      {"COLUMNS('^f')", "f; f32"},
      {"COLUMNS('^[xy]$') * 2", "x * 2; y * 2"},
      {"COLUMNS(float) + 1", "f + 1; f32 + 1"},
      {"COLUMNS(temporal)", "d; t"},
      {"COLUMNS(string)", "s; \"A b\""},
      {"COLUMNS(integer) EXCLUDE (u, x, y)", "a; b"},
      {"COLUMNS(numeric) EXCLUDE (x, y)", "a; b; f; f32; p; u"},
      {"COLUMNS(decimal(15,2))", "p"},
      {"COLUMNS(int16) AS only", "b AS only"},
      {"CAST(COLUMNS(float) AS string)", "CAST(f AS string); CAST(f32 AS string)"},
      {"sum(COLUMNS(float)) FILTER (WHERE q)", "sum(f) FILTER (WHERE q); sum(f32) FILTER (WHERE q)"},
      {"count(COLUMNS(float))", "count(f); count(f32)"},
      {"all_horizontal(is_not_null(COLUMNS(float)))", "all_horizontal(f IS NOT NULL, f32 IS NOT NULL)"},
      {"coalesce(COLUMNS(float), 0)", "coalesce(f, f32, 0)"},
      {"coalesce(0, COLUMNS(float)) + 1", "coalesce(0, f, f32) + 1"},
      {"COLUMNS(string) || '!'", "s || \"A b\" || '!'"},
      {"coalesce(max_horizontal(COLUMNS(float)), 0)", "coalesce(max_horizontal(f, f32), 0)"},
      {"max_horizontal(coalesce(COLUMNS(float), 0), 1)", "max_horizontal(coalesce(f, f32, 0), 1)"},
      {"max_horizontal(COLUMNS(float)) AS m", "max_horizontal(f, f32) AS m"},
      {"CASE COLUMNS(float) WHEN 1 THEN 2 WHEN 3 THEN 4 END",
       "CASE WHEN f = 1 THEN 2 WHEN f = 3 THEN 4 END; CASE WHEN f32 = 1 THEN 2 WHEN f32 = 3 THEN 4 END"},
      /* errors */
      {"* + COLUMNS('a')", "one expression has two selectors"},
      {"* AS x", "the alias `x` would name 14 columns"},
      {"* EXCLUDE nope", "unknown column `nope`"},
      {"COLUMNS('zzz') + 1", "`COLUMNS('zzz')` matches none of the 14 columns"},
      {"COLUMNS(bool) EXCLUDE (q)", "`COLUMNS(bool) EXCLUDE (q)` matches none of the 14 columns"},
      {"COLUMNS('(')", "'(' is not a regular expression: Unmatched ( or \\("},
      {"COLUMNS('((a{1,100}){1,100}){1,100}')",
       "the pattern of COLUMNS is too long, repeats too much or refers back"},
      {"COLUMNS('(a*)\\1')", "the pattern of COLUMNS is too long, repeats too much or refers back"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sp_error err = SP_ERROR_INIT;
    assert_string_equal(expanded(w, cases[i][0], &err), cases[i][1]);
  }
}

static void statuses(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *text;
    sp_status status;
    uint32_t col;
  } cases[] = {{"1 + * EXCLUDE nope", SP_NOT_FOUND, 5},
               {"* + COLUMNS('a')", SP_INVALID, 5},
               {"* AS x", SP_INVALID, 1},
               {"1 + COLUMNS('zz')", SP_NOT_FOUND, 5},
               {"1 + COLUMNS('[')", SP_INVALID, 5}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr *const *list;
    uint32_t n;
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(
        sp_expr_expand(&w->arena, expr_parse(w, cases[i].text), w->schema, NULL, &list, &n, &err),
        cases[i].status);
    assert_int_equal(err.col, cases[i].col);
  }
}

static void one_without_a_selector_is_itself(void **state) {
  expr_world *w = *state;
  const sp_expr *e = expr_parse(w, "a + sum(b)");
  const sp_expr *const *list;
  uint32_t n;
  assert_int_equal(sp_expr_expand(&w->arena, e, w->schema, NULL, &list, &n, NULL), SP_OK);
  assert_int_equal(n, 1);
  assert_ptr_equal(list[0], e);
}

static sp_status expand_in(sp_mem *mem, void *ctx) {
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_expr *e;
  const sp_expr *const *list;
  uint32_t n;
  const sp_schema *schema = expr_schema(&a);
  sp_status st = schema == NULL ? SP_NOMEM : sp_expr_parse(&a, sp_sv_from(ctx), NULL, &e, NULL);
  if (st == SP_OK) {
    st = sp_expr_expand(&a, e, schema, NULL, &list, &n, NULL);
  }
  sp_arena_release(&a);
  return st;
}

static void memory_may_fail(void **state) {
  (void)state;
  SP_TORTURE(expand_in, (char[]){"coalesce(COLUMNS('^f') + 1, 0) AS x"});
  SP_TORTURE(expand_in, (char[]){"CAST(COLUMNS(numeric) EXCLUDE (a) AS string)"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(selectors, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(statuses, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(one_without_a_selector_is_itself, expr_setup, expr_teardown),
      cmocka_unit_test(memory_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
