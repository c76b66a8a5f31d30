/* Text to trees: precedence, forms, places and messages of errors, limits. */
#include "tests/support/expr.h"
#include "tests/support/torture.h"

/* The tree as nested calls, so that precedence can be seen. */
static void show(const sp_expr *e, sp_str *out) {
  switch (e->kind) {
  case SP_EXPR_COLUMN:
    sp_str_addn(out, e->name.p, e->name.n);
    return;
  case SP_EXPR_LITERAL:
    sp_expr_print(e, out);
    return;
  case SP_EXPR_SELECTOR:
    sp_expr_print(e, out);
    return;
  case SP_EXPR_CALL:
    sp_str_addf(out, "%s(%s", e->fn->name, e->distinct ? "DISTINCT " : "");
    break;
  case SP_EXPR_CAST:
    sp_str_addf(out, "%s<%s>(", e->try_cast ? "try" : "cast", e->cast_to->name);
    break;
  case SP_EXPR_ALIAS:
    sp_str_addf(out, "alias<%s>(", e->name.p);
    break;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    sp_str_add(out, i > 0 ? "," : "");
    show(e->args[i], out);
  }
  if (e->filter != NULL) {
    sp_str_add(out, " filter ");
    show(e->filter, out);
  }
  sp_str_addc(out, ')');
}

static void trees(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {
      {"a + b * 2 > 1 AND NOT q", "and(gt(add(a,mul(b,2)),1),not(q))"},
      {"a - b - c", "sub(sub(a,b),c)"},
      {"a - (b - c)", "sub(a,sub(b,c))"},
      {"a / b // c % d * e", "mul(mod(floordiv(div(a,b),c),d),e)"},
      {"-a * b", "mul(neg(a),b)"},
      {"- - a", "neg(neg(a))"},
      {"-5", "-5"},
      {"- 5", "-5"},
      {"-(5)", "neg(5)"},
      {"+5", "5"},
      {"a - -5", "sub(a,-5)"},
      {"a or b and c", "or(a,and(b,c))"},
      {"(a OR b) AND c", "and(or(a,b),c)"},
      {"a AND (b AND c) AND d", "and(a,b,c,d)"},
      {"a || (b || c)", "concat(a,b,c)"},
      {"a || b + 1 = c", "eq(concat(a,add(b,1)),c)"},
      {"NOT a = b", "not(eq(a,b))"},
      {"NOT a IS NULL", "not(is_null(a))"},
      {"NOT NOT a", "not(not(a))"},
      {"a = b IS NULL", "is_null(eq(a,b))"},
      {"a IS NOT NULL IS TRUE", "is_true(is_not_null(a))"},
      {"a IS NOT FALSE", "is_not_false(a)"},
      {"a IS DISTINCT FROM b + 1", "is_distinct(a,add(b,1))"},
      {"a IS NOT DISTINCT FROM b = c", "is_not_distinct(a,eq(b,c))"},
      {"a == 1", "eq(a,1)"},
      {"a != 1", "ne(a,1)"},
      {"a <> 1", "ne(a,1)"},
      {"a BETWEEN 1 AND 2 AND b", "and(between(a,1,2),b)"},
      {"a NOT BETWEEN 1 AND b + 2", "not(between(a,1,add(b,2)))"},
      {"a IN (1, 'x', b)", "in(a,1,'x',b)"},
      {"a NOT IN (1)", "not(in(a,1))"},
      {"a LIKE 'x%'", "like(a,'x%')"},
      {"a NOT LIKE b || '%' ESCAPE '!'", "not(like(a,concat(b,'%'),'!'))"},
      {"CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END", "case(a,1,b,2,3)"},
      {"CASE a WHEN 1 THEN 'x' END", "case(eq(a,1),'x')"},
      {"CAST(a AS decimal(15, 2))", "cast<decimal(15,2)>(a)"},
      {"try_cast(a AS varchar)", "try<string>(a)"},
      {"a::int::string", "cast<string>(cast<int64>(a))"},
      {"-a::float", "neg(cast<float64>(a))"},
      {"CAST(NULL AS date)", "CAST(NULL AS date)"},
      {"EXTRACT(year FROM d)", "year(d)"},
      {"SUBSTRING(s FROM 1 FOR 2)", "substring(s,1,2)"},
      {"substring(s FROM from)", "substring(s,from)"},
      {"substring(s, 1, 2)", "substring(s,1,2)"},
      {"count(*)", "count()"},
      {"COUNT(DISTINCT a)", "count(DISTINCT a)"},
      {"sum(a) FILTER (WHERE b > 1)", "sum(a filter gt(b,1))"},
      {"avg(a)", "mean(a)"},
      {"add(a, 1)", "add(a,1)"},
      {"\"and\"(a, b)", "and(a,b)"},
      {"* * 2", "mul(*,2)"},
      {"* EXCLUDE (a, \"B c\") + 1", "add(* EXCLUDE (a, \"B c\"),1)"},
      {"COLUMNS('^x') EXCLUDE y", "COLUMNS('^x') EXCLUDE (y)"},
      {"COLUMNS(numeric)", "COLUMNS(numeric)"},
      {"COLUMNS(*)", "*"},
      {"COLUMNS(decimal(15,2))", "COLUMNS(decimal(15,2))"},
      {"a AS n", "alias<n>(a)"},
      {"a n", "alias<n>(a)"},
      {"a + 1 AS \"the sum\"", "alias<the sum>(add(a,1))"},
      {"a AS select", "alias<select>(a)"},
      {"a AS and", "alias<and>(a)"},
      {"date", "date"},
      {"interval + 1", "add(interval,1)"},
      {"filter", "filter"},
      {"größe > 1", "gt(größe,1)"},
      {"'it''s'", "'it''s'"},
      {"\"a\"\"b\"", "a\"b"},
      {"1e3", "1000.0"},
      {".5", "0.5"},
      {"5.", "5.0"},
      {"9223372036854775807", "9223372036854775807"},
      {"9223372036854775808", "9223372036854775808"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"date '1996-01-01'", "date '1996-01-01'"},
      {"timestamp '1996-01-01 10:00:00'", "datetime '1996-01-01T10:00:00'"},
      {"datetime(ms) '1996-01-01'", "datetime(ms) '1996-01-01T00:00:00'"},
      {"interval '3' month", "interval '3' month"},
      {"interval 90 day", "interval '90' day"},
      {"interval '1 year 2 days'", "interval '1 year 2 days'"},
      {"interval '26 weeks'", "interval '182' day"},
      {"interval '1.5' hour", "interval '5400' second"},
      {"decimal '1.05'", "decimal(3,2) '1.05'"},
      {"decimal(15,2) '1.05'", "decimal(15,2) '1.05'"},
      {"x'0aFF'", "x'0aff'"},
      {"true AND FALSE AND null", "and(TRUE,FALSE,NULL)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sp_str out;
    sp_str_init(&out, &w->mem, 1 << 16);
    show(expr_parse(w, cases[i][0]), &out);
    assert_string_equal(out.p, cases[i][1]);
    sp_str_release(&out);
  }
}

static void types_of_literals(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {{"1", "int64"},
                                         {"9223372036854775808", "uint64"},
                                         {"1.0", "float64"},
                                         {"1e3", "float64"},
                                         {"'x'", "string"},
                                         {"true", "bool"},
                                         {"null", "null"},
                                         {"date '2000-01-01'", "date"},
                                         {"datetime '2000-01-01'", "datetime(us)"},
                                         {"interval '1' day", "interval"},
                                         {"decimal '10.50'", "decimal(4,2)"},
                                         {"decimal '0.001'", "decimal(3,3)"},
                                         {"decimal '-7'", "decimal(1,0)"},
                                         {"int16 '5'", "int16"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr *e = expr_parse(w, cases[i][0]);
    assert_int_equal(e->kind, SP_EXPR_LITERAL);
    assert_null(e->type);
    assert_string_equal(e->literal.type->name, cases[i][1]);
  }
}

static void spans(void **state) {
  expr_world *w = *state;
  const sp_expr *e = expr_parse(w, "a + f32 * 2 >= -1");
  assert_int_equal(e->pos, 0);
  assert_int_equal(e->len, 17);
  assert_int_equal(e->args[0]->args[1]->pos, 4);
  assert_int_equal(e->args[0]->args[1]->len, 7);
  assert_int_equal(e->args[1]->pos, 15);
  assert_int_equal(e->args[1]->len, 2);
}

static void errors(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *text;
    sp_status status;
    uint32_t col;
    const char *message, *hint;
  } cases[] = {
      {"", SP_SYNTAX, 1, "expected an expression, found the end of the text", ""},
      {"a >", SP_SYNTAX, 4, "expected an expression, found the end of the text", ""},
      {"a > )", SP_SYNTAX, 5, "expected an expression, found `)`", ""},
      {"(a", SP_SYNTAX, 3, "expected an operator or `)`, found the end of the text", ""},
      {"a b c", SP_SYNTAX, 5, "expected an operator or the end of the text, found `c`", ""},
      {"a = b = c", SP_SYNTAX, 7, "expected AND, OR or the end of a comparison, found `=`",
       "comparisons do not chain"},
      {"a LIKE b LIKE c", SP_SYNTAX, 10, "expected AND, OR or the end of a comparison, found `LIKE`",
       "parentheses"},
      {"a = NOT b", SP_SYNTAX, 5, "expected an operand, found `NOT`", "parentheses"},
      {"a && b", SP_SYNTAX, 3, "`&&` is not an operator", "write AND"},
      {"a | b", SP_SYNTAX, 3, "`|` is not an operator", "write OR"},
      {"!a", SP_SYNTAX, 1, "`!` is not an operator", "write NOT"},
      {"t.a", SP_SYNTAX, 2, "`.` is not an operator", "\"a.b\""},
      {"`a`", SP_SYNTAX, 1, "``` is not part of an expression", "double quotes"},
      {"a AS 'x'", SP_SYNTAX, 6, "expected a name behind AS, found `'x'`", "double quotes"},
      {"'abc", SP_SYNTAX, 1, "`'abc` has no closing quote '", ""},
      {"12abc", SP_SYNTAX, 1, "`12abc` is not a number", "double quotes"},
      {"1.2.3", SP_SYNTAX, 1, "`1.2.3` is not a number", ""},
      {"18446744073709551616", SP_SYNTAX, 1, "the integer 18446744073709551616 does not fit uint64",
       "decimal"},
      {"-9223372036854775809", SP_SYNTAX, 1, "the integer -9223372036854775809 does not fit int64",
       "decimal"},
      {"1e999", SP_SYNTAX, 1, "the number 1e999 does not fit float64", ""},
      {"x'0'", SP_SYNTAX, 1, "x'…' takes pairs of hexadecimal digits", ""},
      {"end", SP_SYNTAX, 1, "expected an expression, found `end`", "double quotes"},
      {"a IN 1", SP_SYNTAX, 6, "expected `(` and a list behind IN, found `1`", ""},
      {"a IN ()", SP_SYNTAX, 7, "expected an expression, found `)`", ""},
      {"a IS 1", SP_SYNTAX, 6, "expected NULL, NOT, TRUE, FALSE or DISTINCT FROM behind IS, found `1`", ""},
      {"a NOT 1", SP_SYNTAX, 7, "expected IN, LIKE or BETWEEN behind NOT, found `1`", ""},
      {"a BETWEEN 1 OR 2", SP_SYNTAX, 13, "expected AND of BETWEEN, found `OR`", ""},
      {"CASE WHEN a THEN 1", SP_SYNTAX, 19, "expected WHEN, ELSE or END, found the end of the text", ""},
      {"CASE a END", SP_SYNTAX, 8, "expected WHEN, found `END`", ""},
      {"CAST(a AS foo)", SP_NOT_FOUND, 11, "unknown type `foo`", "int8"},
      {"CAST(a)", SP_SYNTAX, 7, "expected AS and a type, found `)`", ""},
      {"date '1996-13-01'", SP_TYPE, 1, "'1996-13-01' is not a valid date", ""},
      {"interval '3'", SP_TYPE, 1, "'3' is not a valid interval", "interval '3' month"},
      {"interval '1.5' month", SP_TYPE, 1, "'1.5' is not a valid number of units", ""},
      {"interval '9999999999' day", SP_TYPE, 1, "'9999999999' is not a valid number of units", ""},
      {"decimal(3,2) '10.5'", SP_TYPE, 1, "'10.5' is not a valid decimal(3,2)", ""},
      {"summ(a)", SP_NOT_FOUND, 1, "unknown function `summ`", "`sum`"},
      {"1 + nope(a)", SP_NOT_FOUND, 5, "unknown function `nope`", ""},
      {"EXTRACT(foo FROM d)", SP_NOT_FOUND, 9, "EXTRACT has no part `foo`", "year"},
      {"* EXCLUDE (1)", SP_SYNTAX, 12, "expected a column's name, found `1`", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sp_error err = SP_ERROR_INIT;
    const sp_expr *e = NULL;
    const sp_status st = sp_expr_parse(&w->arena, sp_sv_from(cases[i].text), NULL, &e, &err);
    assert_int_equal(st, cases[i].status);
    assert_int_equal(err.status, cases[i].status);
    assert_string_equal(err.message, cases[i].message);
    assert_non_null(strstr(err.hint, cases[i].hint));
    assert_int_equal(err.col, cases[i].col);
    assert_int_equal(err.line, 1);
    assert_null(e);
    assert_int_equal(sp_expr_parse(&w->arena, sp_sv_from(cases[i].text), NULL, &e, NULL), cases[i].status);
  }
}

/* In a plan the text is a JSON string: columns count into the file, escapes included. */
static void places_in_json(void **state) {
  expr_world *w = *state;
  static const char json[] = "{\"predicate\":\n  \"\\\"a b\\\" > \\\"c\\\" >\"}";
  const sp_json_doc *doc;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_json_parse(&w->arena, "p.json", json, sizeof json - 1, &doc, NULL), SP_OK);
  const sp_json *v = sp_json_get(doc->root, "predicate");
  const sp_loc loc = sp_json_loc(doc, v, &w->arena);
  const sp_expr *e;
  assert_int_equal(sp_expr_parse(&w->arena, v->str, &loc, &e, &err), SP_SYNTAX);
  assert_string_equal(err.file, "p.json");
  assert_string_equal(err.pointer, "/predicate");
  assert_int_equal(err.line, 2);
  /* `  "` and `\"a b\" > \"c\" ` stand before the second > */
  assert_int_equal(err.col, 3 + 1 + 7 + 3 + 5 + 1);
}

/* ---- limits ---- */
static char *repeat(expr_world *w, const char *head, const char *piece, uint32_t n, const char *tail,
                    size_t *ret_n) {
  const size_t a = strlen(head), b = strlen(piece), c = strlen(tail);
  char *s = sp_arena_alloc(&w->arena, a + b * n + c + 1);
  assert_non_null(s);
  memcpy(s, head, a);
  for (uint32_t i = 0; i < n; i++) {
    memcpy(s + a + i * b, piece, b);
  }
  memcpy(s + a + b * n, tail, c);
  *ret_n = a + b * n + c;
  return s;
}

static void long_chains_are_flat(void **state) {
  expr_world *w = *state;
  static const char *const pieces[][2] = {{"a = 1", " AND a = 1"}, {"a = 1", " OR a = 1"}, {"s", " || s"}};
  for (size_t i = 0; i < 3; i++) {
    size_t n;
    const char *text = repeat(w, pieces[i][0], pieces[i][1], 20000, "", &n);
    const sp_expr *e = expr_parse_n(w, text, n);
    assert_int_equal(e->n_args, 20001);
    assert_true(e->depth <= 3);
  }
}

/* Nesting up to the limit works, past it is a clean error: in every form that recurses, on the ordinary
 * stack. */
static void nesting_is_limited(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *open, *middle, *close;
  } forms[] = {{"(", "a", ")"},
               {"NOT ", "a", ""},
               {"-", "a", ""},
               {"abs(", "a", ")"},
               {"CAST(", "a", " AS int64)"},
               {"TRY_CAST(", "a", " AS string)"},
               {"CASE WHEN a THEN ", "a", " END"},
               {"a IN (", "a", ")"},
               {"a + (", "a", ")"},
               {"year(1 + (a AND ", "a", "))"},
               {"sum(a) FILTER (WHERE ", "a", ")"},
               {"EXTRACT(year FROM ", "a", ")"},
               {"(a BETWEEN ", "a", " AND a)"}};
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    for (uint32_t levels = 1000; levels <= 16000; levels *= 4) {
      size_t n_open, n_close;
      const char *open = repeat(w, "", forms[i].open, levels, forms[i].middle, &n_open);
      const char *close = repeat(w, open, forms[i].close, levels, "", &n_close);
      const sp_expr *e = NULL;
      sp_error err = SP_ERROR_INIT;
      const sp_status st = sp_expr_parse(&w->arena, (sp_sv){close, n_close}, NULL, &e, &err);
      if (levels == 1000) {
        assert_int_equal(st, SP_OK);
        assert_true(sp_expr_eq(e, expr_parse(w, expr_text(w, e))));
      } else if (levels == 16000) {
        assert_int_equal(st, SP_LIMIT);
        assert_non_null(strstr(err.message, "nested deeper than 6000 levels"));
      }
    }
  }
}

static void left_deep_chains_are_limited(void **state) {
  expr_world *w = *state;
  size_t n;
  const char *text = repeat(w, "a", " + a", SP_EXPR_MAX_DEPTH - 1, "", &n);
  const sp_expr *e = expr_parse_n(w, text, n);
  assert_int_equal(e->depth, SP_EXPR_MAX_DEPTH);
  assert_true(sp_expr_eq(e, expr_parse(w, expr_text(w, e))));
  text = repeat(w, "a", " + a", SP_EXPR_MAX_DEPTH, "", &n);
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_expr_parse(&w->arena, (sp_sv){text, n}, NULL, &e, &err), SP_LIMIT);
}

static void width_and_length_are_limited(void **state) {
  expr_world *w = *state;
  size_t n;
  sp_error err = SP_ERROR_INIT;
  const sp_expr *e;
  const char *text = repeat(w, "a", " AND a", SP_EXPR_MAX_ARGS, "", &n);
  assert_int_equal(sp_expr_parse(&w->arena, (sp_sv){text, n}, NULL, &e, &err), SP_LIMIT);
  assert_non_null(strstr(err.message, "more than 65000 arguments"));
  text = repeat(w, "a", " ", 17 << 20, "", &n);
  err = SP_ERROR_INIT;
  assert_int_equal(sp_expr_parse(&w->arena, (sp_sv){text, n}, NULL, &e, &err), SP_LIMIT);
}

/* ---- bad bytes, failing memory ---- */
static void any_bytes_end_in_a_tree_or_an_error(void **state) {
  expr_world *w = *state;
  static const char *const words[] = {
      "a",      "AND",    "NOT",      "(",     ")",        ",",        "'x'",     "\"y\"",   "1",
      "1.5",    "*",      "CASE",     "WHEN",  "THEN",     "END",      "IN",      "IS",      "::",
      "date",   "-",      "interval", "month", "COLUMNS",  "CAST",     "AS",      "like",    "sum(",
      "FILTER", "'",      "\"",       "x'0",   "\x80",     "\xff\xfe", "EXCLUDE", "between", "=",
      "||",     "count(", "DISTINCT", "WHERE", "EXTRACT(", "FROM"};
  uint64_t seed = 7;
  for (uint32_t round = 0; round < 20000; round++) {
    char text[256];
    size_t n = 0;
    const uint32_t count = 1 + expr_random(&seed, 12);
    for (uint32_t i = 0; i < count; i++) {
      const char *word = words[expr_random(&seed, sizeof words / sizeof words[0])];
      memcpy(text + n, word, strlen(word));
      n += strlen(word);
      text[n++] = expr_random(&seed, 20) == 0 ? '\0' : ' ';
    }
    const sp_expr *e = NULL;
    sp_error err = SP_ERROR_INIT;
    const sp_status st = sp_expr_parse(&w->arena, (sp_sv){text, n}, NULL, &e, &err);
    assert_int_equal(st, err.status);
    assert_true((st == SP_OK) == (e != NULL));
    const sp_token_span *spans;
    uint32_t n_spans;
    assert_true(sp_expr_tokens((sp_sv){text, n}, &w->arena, &spans, &n_spans));
  }
}

static sp_status parse_in(sp_mem *mem, void *ctx) {
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_expr *e;
  const sp_status st = sp_expr_parse(&a, sp_sv_from(ctx), NULL, &e, NULL);
  sp_arena_release(&a);
  return st;
}

static void memory_may_fail(void **state) {
  (void)state;
  SP_TORTURE(
      parse_in,
      (char[]){
          "CASE WHEN a > 1 AND \"b c\" IN ('x', 'y''z') THEN count(*) FILTER (WHERE d < date '2000-01-01') "
          "ELSE CAST(* EXCLUDE (e) AS string) || 'k' END AS result"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(trees, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(types_of_literals, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(spans, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(errors, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(places_in_json, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(long_chains_are_flat, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(nesting_is_limited, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(left_deep_chains_are_limited, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(width_and_length_are_limited, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(any_bytes_end_in_a_tree_or_an_error, expr_setup, expr_teardown),
      cmocka_unit_test(memory_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
