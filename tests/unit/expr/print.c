/* Canonical text: what it looks like, and that it reads back as the same tree, for random trees of every form
 * and for random bound ones. */
#include "tests/support/expr.h"
#include "tests/support/torture.h"

#include <math.h>

#include "data/text.h"
#include "expr/make.h"

static void looks(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {
      {"((a)) + ((b)*(2))", "a + b * 2"},
      {"(a + b) * 2", "(a + b) * 2"},
      {"a - (b - c)", "a - (b - c)"},
      {"(a - b) - c", "a - b - c"},
      {"not(a and b)", "NOT (a AND b)"},
      {"not (not a)", "NOT NOT a"},
      {"(not a) is null", "(NOT a) IS NULL"},
      {"(a = b) = (c = d)", "(a = b) = (c = d)"},
      {"(a = b) is true", "a = b IS TRUE"},
      {"not a in (1,2)", "a NOT IN (1, 2)"},
      {"not (a like 'x')", "a NOT LIKE 'x'"},
      {"not a between 1 and 2", "a NOT BETWEEN 1 AND 2"},
      {"(a in (1)) in (true)", "(a IN (1)) IN (TRUE)"},
      {"(a or b) and (c or d)", "(a OR b) AND (c OR d)"},
      {"a or (b and c)", "a OR b AND c"},
      {"(a || b) + 1", "(a || b) + 1"},
      {"-(a + b)", "-(a + b)"},
      {"-(-a)", "-(-a)"},
      {"-(5)", "-(5)"},
      {"(-5)", "-5"},
      {"a * (-5)", "a * -5"},
      {"SUM(distinct A) filter (where b)", "sum(DISTINCT A) FILTER (WHERE b)"},
      {"\"Abc\" + \"a b\" + \"and\" + \"1a\" + \"\" + \"x\"\"y\"",
       "Abc + \"a b\" + \"and\" + \"1a\" + \"\" + \"x\"\"y\""},
      {"case a when 1 then 2 end", "CASE WHEN a = 1 THEN 2 END"},
      {"a::date", "CAST(a AS date)"},
      {"timestamp '2020-01-01'", "datetime '2020-01-01T00:00:00'"},
      {"datetime(us, 'UTC') '2020-01-01T00:00:00Z'", "datetime(us, 'UTC') '2020-01-01T00:00:00Z'"},
      {"interval '12' month", "interval '1' year"},
      {"interval '1 month -2 days'", "interval '1 month -2 days'"},
      {"interval '0.000001' second", "interval '0.000001' second"},
      {"interval '0' day", "interval '0' day"},
      {"a as \"select\"", "a AS select"},
      {"a as \"and\"", "a AS \"and\""},
      {"concat(a)", "concat(a)"},
      {"\"and\"(a)", "\"and\"(a)"},
      {"\"neg\"(a)", "-a"},
      {"count()", "count(*)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_expr *e = expr_parse(w, cases[i][0]);
    assert_string_equal(expr_text(w, e), cases[i][1]);
    assert_true(sp_expr_eq(e, expr_parse(w, cases[i][1])));
  }
}

/* Bound literals show as they were written wherever their neighbours imply their type. */
static void bound_looks(void **state) {
  expr_world *w = *state;
  static const char *const cases[][2] = {
      {"b > 15", "b > 15"},
      {"b > 100000", "CAST(b AS int64) > 100000"},
      {"b IN (1, 2, NULL)", "b IN (1, 2, NULL)"},
      {"f32 > 0.5", "f32 > 0.5"},
      {"u = 5", "u = 5"},
      {"p > 0.05 AND p < 24", "p > 0.05 AND p < 24"},
      {"p * (1 - p) * (1 + p)", "p * (1 - p) * (1 + p)"},
      {"p > 0.055", "CAST(p AS decimal(16,3)) > 0.055"},
      {"d >= '1995-01-01'", "d >= date '1995-01-01'"},
      {"CASE WHEN q THEN b ELSE 0 END", "CASE WHEN q THEN b ELSE 0 END"},
      {"coalesce(b, 0)", "coalesce(b, 0)"},
      {"int16 '5' + int16 '7'", "int16 '5' + int16 '7'"},
      {"b + int16 '5'", "b + 5"},
      {"int8 '5'", "int8 '5'"},
      {"CAST(NULL AS int8)", "CAST(NULL AS int8)"},
      {"b = NULL", "b = NULL"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_string_equal(expr_text(w, expr_bind(w, cases[i][0])), cases[i][1]);
  }
}

/* ---- random trees ---- */
typedef struct gen {
  expr_world *w;
  uint64_t seed;
} gen;

static uint32_t pick(gen *g, uint32_t n) {
  return expr_random(&g->seed, n);
}

static const sp_expr *make(gen *g, sp_expr proto) {
  const sp_expr *e = NULL;
  const sp_status st = proto.kind == SP_EXPR_CALL ? sp_expr_new_call(&g->w->arena, &proto, &e, NULL)
                                                  : sp_expr_new(&g->w->arena, &proto, &e, NULL);
  assert_int_equal(st, SP_OK);
  return e;
}

static const sp_type *any_type(gen *g) {
  static const char *const names[] = {"bool",          "int8",         "int16",
                                      "int32",         "int64",        "uint8",
                                      "uint16",        "uint32",       "uint64",
                                      "float32",       "float64",      "decimal(15,2)",
                                      "decimal(38,6)", "string",       "binary",
                                      "date",          "time",         "datetime(ms)",
                                      "datetime(us)",  "datetime(ns)", "datetime(us, 'UTC')",
                                      "duration(ms)",  "duration(ns)", "decimal(38,38)",
                                      "decimal(1,0)"};
  return sp_type_parse(sp_sv_from(names[pick(g, sizeof names / sizeof names[0])]));
}

static sp_sv any_bytes(gen *g) {
  static const char *const pieces[] = {"", "a", "'", "''", "\"", "x y", "%", "\\", "é", "AND", "1", "\n"};
  char text[64];
  size_t n = 0;
  for (uint32_t i = pick(g, 4); i > 0; i--) {
    const char *piece = pieces[pick(g, sizeof pieces / sizeof pieces[0])];
    memcpy(text + n, piece, strlen(piece));
    n += strlen(piece);
  }
  text[n] = '\0';
  n += pick(g, 30) == 0; /* a zero byte */
  return (sp_sv){sp_arena_strndup(&g->w->arena, text, n), n};
}

static int64_t any_int(gen *g) {
  static const int64_t edges[] = {0, 1, -1, 127, -128, 32767, 100, INT64_MAX, INT64_MIN, 9007199254740993,
                                  -5};
  return pick(g, 2) ? edges[pick(g, 11)] : (int64_t)pick(g, 2000) - 1000;
}

static double any_float(gen *g) {
  static const double edges[] = {0.0,  -0.0,          1.5,      -2.25,     0.1, 1e300, 1e-300,
                                 1e16, 123456789.125, INFINITY, -INFINITY, NAN, 1e15,  1e-5};
  return pick(g, 2) ? edges[pick(g, 14)] : (double)any_int(g) / 8;
}

static sp_value any_value(gen *g) {
  const sp_type *t = any_type(g);
  if (pick(g, 10) == 0) {
    return sp_value_null(pick(g, 2) ? t : sp_type_of(SP_KIND_NULL));
  }
  if (pick(g, 12) == 0) {
    const sp_interval iv = {pick(g, 2) ? (int32_t)any_int(g) : 0,
                            pick(g, 2) ? (int32_t)pick(g, 900) - 400 : 0, pick(g, 2) ? any_int(g) : 0};
    return (sp_value){.type = sp_type_of(SP_KIND_INTERVAL), .iv = iv};
  }
  sp_value v = {.type = t};
  switch (t->family) {
  case SP_FAMILY_BOOL:
    return sp_value_bool(pick(g, 2));
  case SP_FAMILY_SIGNED:
    v.i = any_int(g) >> (64 - 8 * t->width);
    return v;
  case SP_FAMILY_UNSIGNED:
    v.u = (uint64_t)any_int(g) >> (64 - 8 * t->width);
    return v;
  case SP_FAMILY_FLOAT:
    return sp_value_float(t, t->width == 4 ? (double)(float)any_float(g) : any_float(g));
  case SP_FAMILY_DECIMAL:
    return sp_value_decimal(t, (sp_i128)any_int(g) % sp_pow10[t->precision]);
  case SP_FAMILY_STRING:
  case SP_FAMILY_BINARY:
    v.s = any_bytes(g);
    return v;
  case SP_FAMILY_TEMPORAL:
    v.i = t->kind == SP_KIND_DATE   ? (int64_t)pick(g, 60000) - 20000
          : t->kind == SP_KIND_TIME ? (int64_t)pick(g, 86400) * 1000000000 + pick(g, 1000)
                                    : (int64_t)pick(g, 2000000000) * (int64_t)pick(g, 1000);
    return v;
  case SP_FAMILY_NULL:
    break;
  }
  return sp_value_null(t);
}

static sp_sv any_name(gen *g) {
  static const char *const names[] = {
      "a",     "b",     "Abc",     "and", "NULL", "end",  "date",    "interval", "filter",  "from",
      "größe", "x y",   "1st",     "a.b", "q\"q", "cast", "exclude", "escape",   "columns", "distinct",
      "for",   "where", "decimal", "",    "as",   "case", "when",    "select"};
  const char *name = names[pick(g, sizeof names / sizeof names[0])];
  return (sp_sv){name, strlen(name)};
}

static const sp_expr *any_selector(gen *g) {
  static const char *const types[] = {"numeric", "integer",       "float", "temporal",
                                      "string",  "decimal(15,2)", "int8"};
  sp_selector s = {.kind = (sp_selector_kind)pick(g, 3), .pattern = SP_SV("")};
  sp_sv exclude[3];
  s.pattern = s.kind == SP_SELECT_REGEX  ? any_bytes(g)
              : s.kind == SP_SELECT_TYPE ? sp_sv_from(types[pick(g, 7)])
                                         : s.pattern;
  s.n_exclude = pick(g, 3);
  for (uint32_t i = 0; i < s.n_exclude; i++) {
    exclude[i] = any_name(g);
  }
  s.exclude = exclude;
  const sp_expr *e = sp_expr_selector(&g->w->arena, &s);
  assert_non_null(e);
  return e;
}

static const sp_expr *any_tree(gen *g, uint32_t depth);

static const sp_expr *any_call(gen *g, uint32_t depth) {
  static const struct {
    const char *name;
    uint32_t min, max;
  } fns[] = {{"and", 1, 4},
             {"or", 1, 4},
             {"not", 1, 1},
             {"eq", 2, 2},
             {"ne", 2, 2},
             {"lt", 2, 2},
             {"le", 2, 2},
             {"gt", 2, 2},
             {"ge", 2, 2},
             {"is_distinct", 2, 2},
             {"is_not_distinct", 2, 2},
             {"is_null", 1, 1},
             {"is_true", 1, 1},
             {"is_not_false", 1, 1},
             {"between", 3, 3},
             {"in", 1, 4},
             {"like", 2, 3},
             {"concat", 1, 3},
             {"add", 2, 2},
             {"sub", 2, 2},
             {"mul", 2, 2},
             {"div", 2, 2},
             {"floordiv", 2, 2},
             {"mod", 2, 2},
             {"neg", 1, 1},
             {"case", 2, 5},
             {"case", 1, 1},
             {"coalesce", 1, 3},
             {"substring", 2, 3},
             {"not", 1, 1},
             {"not", 1, 1},
             {"neg", 2, 2},
             {"sum", 1, 1},
             {"count", 0, 1},
             {"year", 1, 1}};
  const uint32_t k = pick(g, sizeof fns / sizeof fns[0]);
  const sp_expr *args[5] = {0};
  const sp_function *fn = sp_function_find(sp_sv_from(fns[k].name));
  assert_non_null(fn);
  const uint32_t n = fns[k].min + pick(g, fns[k].max - fns[k].min + 1);
  for (uint32_t i = 0; i < n; i++) {
    args[i] = any_tree(g, depth - 1);
  }
  const bool aggregate = (fn->flags & SP_FN_AGGREGATE) != 0;
  if (aggregate && n == 1 && args[0]->kind == SP_EXPR_SELECTOR) {
    args[0] = any_tree(g, 0); /* count(*) is another tree */
  }
  const bool options = aggregate || pick(g, 40) == 0;
  sp_expr proto = {.kind = SP_EXPR_CALL, .fn = fn, .args = args, .n_args = n};
  proto.distinct = options && n > 0 && pick(g, 3) == 0;
  proto.filter = options && pick(g, 3) == 0 ? any_tree(g, depth - 1) : NULL;
  return make(g, proto);
}

static const sp_expr *any_leaf(gen *g) {
  const uint32_t k = pick(g, 8);
  if (k == 0) {
    return any_selector(g);
  }
  return k < 5 ? make(g, (sp_expr){.kind = SP_EXPR_COLUMN, .name = any_name(g)})
               : make(g, (sp_expr){.kind = SP_EXPR_LITERAL, .literal = any_value(g)});
}

static const sp_expr *any_tree(gen *g, uint32_t depth) {
  if (depth == 0 || pick(g, 5) == 0) {
    return any_leaf(g);
  }
  if (pick(g, 8) == 0) {
    const sp_expr *x = any_tree(g, depth - 1);
    const bool null = x->kind == SP_EXPR_LITERAL && x->literal.is_null; /* a typed NULL, not a cast */
    return null ? x
                : make(g, (sp_expr){.kind = SP_EXPR_CAST,
                                    .args = &x,
                                    .n_args = 1,
                                    .cast_to = any_type(g),
                                    .try_cast = pick(g, 2) == 1});
  }
  return any_call(g, depth);
}

static void check_round_trip(expr_world *w, const sp_expr *e) {
  const char *text = expr_text(w, e);
  sp_str out;
  sp_str_init(&out, &w->mem, 1 << 20);
  sp_expr_print(e, &out);
  assert_true(sp_str_ok(&out));
  const sp_expr *back = expr_parse_n(w, out.p, out.n);
  if (!sp_expr_eq(e, back)) {
    fail_msg("reads back as another tree: %s\n                             %s", text, expr_text(w, back));
  }
  sp_str again;
  sp_str_init(&again, &w->mem, 1 << 20);
  sp_expr_print(back, &again);
  assert_int_equal(again.n, out.n);
  assert_memory_equal(again.p, out.p, out.n);
  sp_str_release(&again);
  sp_str_release(&out);
}

static void random_trees_read_back(void **state) {
  for (uint32_t round = 0; round < 20000; round++) {
    expr_world *w = *state;
    expr_world own = *w;
    sp_arena_init(&own.arena, &w->mem);
    gen g = {.w = &own, .seed = round};
    const sp_expr *e = any_tree(&g, 1 + round % 6);
    if (pick(&g, 4) == 0) {
      const sp_expr *inner = e;
      e = make(&g, (sp_expr){.kind = SP_EXPR_ALIAS, .args = &inner, .n_args = 1, .name = any_name(&g)});
    }
    check_round_trip(&own, e);
    sp_arena_release(&own.arena);
  }
}

/* ---- random text that binds ---- */
typedef struct writer {
  uint64_t seed;
  sp_str out;
} writer;

static uint32_t choose(writer *g, uint32_t n) {
  return expr_random(&g->seed, n);
}

static void add_one_of(writer *g, const char *const *from, uint32_t n) {
  sp_str_add(&g->out, from[choose(g, n)]);
}

static void write_bool(writer *g, uint32_t depth);

static void write_number(writer *g, uint32_t depth) {
  static const char *const leaves[] = {"a",         "b",         "f",    "f32",    "p",     "u",
                                       "x",         "1",         "2",    "100000", "0.5",   "0.05",
                                       "-3",        "1e3",       "NULL", "24.00",  "0.055", "decimal '1.5'",
                                       "int16 '7'", "3000000000"};
  static const char *const ops[] = {" + ", " - ", " * ", " / ", " // ", " % "};
  const uint32_t k = depth == 0 ? 0 : choose(g, 8);
  if (k <= 1) {
    add_one_of(g, leaves, 20);
  } else if (k <= 4) {
    sp_str_addc(&g->out, '(');
    write_number(g, depth - 1);
    add_one_of(g, ops, 6);
    write_number(g, depth - 1);
    sp_str_addc(&g->out, ')');
  } else if (k == 5) {
    sp_str_add(&g->out, "CASE WHEN ");
    write_bool(g, depth - 1);
    sp_str_add(&g->out, " THEN ");
    write_number(g, depth - 1);
    sp_str_add(&g->out, " ELSE ");
    write_number(g, depth - 1);
    sp_str_add(&g->out, " END");
  } else {
    sp_str_add(&g->out, k == 6 ? "coalesce(" : "-(");
    write_number(g, depth - 1);
    if (k == 6) {
      sp_str_add(&g->out, ", ");
      write_number(g, depth - 1);
    }
    sp_str_addc(&g->out, ')');
  }
}

static void write_bool(writer *g, uint32_t depth) {
  static const char *const leaves[] = {"q",
                                       "s = 'x'",
                                       "s LIKE 'a%'",
                                       "d < '1996-01-01'",
                                       "d BETWEEN '1996-01-01' AND '1997-01-01'",
                                       "t >= '1996-01-01'",
                                       "t = d",
                                       "d IN ('1996-01-01', date '1997-01-01')",
                                       "NULL",
                                       "TRUE",
                                       "s NOT IN ('x', 'y', NULL)"};
  static const char *const ops[] = {" = ", " <> ", " < ", " <= ", " > ", " >= ", " IS DISTINCT FROM "};
  static const char *const tests[] = {" IS NULL", " IS NOT NULL", " IS TRUE", " IS NOT FALSE"};
  const uint32_t k = depth == 0 ? 0 : choose(g, 8);
  sp_str_addc(&g->out, '(');
  if (k == 0) {
    add_one_of(g, leaves, 11);
  } else if (k <= 2) {
    write_number(g, depth - 1);
    add_one_of(g, ops, 7);
    write_number(g, depth - 1);
  } else if (k == 3) {
    write_number(g, depth - 1);
    sp_str_add(&g->out, choose(g, 2) ? " IN (" : " NOT IN (");
    for (uint32_t i = choose(g, 3); i > 0; i--) {
      write_number(g, 0);
      sp_str_add(&g->out, ", ");
    }
    write_number(g, depth - 1);
    sp_str_addc(&g->out, ')');
  } else if (k == 4) {
    write_number(g, depth - 1);
    sp_str_add(&g->out, " BETWEEN ");
    write_number(g, depth - 1);
    sp_str_add(&g->out, " AND ");
    write_number(g, depth - 1);
  } else if (k == 5) {
    sp_str_add(&g->out, "NOT ");
    write_bool(g, depth - 1);
  } else if (k == 6) {
    write_bool(g, depth - 1);
    add_one_of(g, tests, 4);
  } else {
    write_bool(g, depth - 1);
    sp_str_add(&g->out, choose(g, 2) ? " AND " : " OR ");
    write_bool(g, depth - 1);
  }
  sp_str_addc(&g->out, ')');
}

/* Bound trees read back as themselves, and binding what was read gives the bound tree again. */
static void bound_trees_read_back(void **state) {
  expr_world *w = *state;
  uint32_t n_bound = 0;
  for (uint32_t round = 0; round < 10000; round++) {
    expr_world own = *w;
    sp_arena_init(&own.arena, &w->mem);
    writer g = {.seed = round};
    sp_str_init(&g.out, &w->mem, 1 << 16);
    write_bool(&g, 1 + round % 5);
    const sp_expr *e, *again;
    sp_error err = SP_ERROR_INIT;
    if (sp_expr_bind(&own.arena, expr_parse(&own, g.out.p), w->schema, 0, NULL, &e, &err) == SP_OK) {
      n_bound++;
      const char *text = expr_text(&own, e);
      check_round_trip(&own, e);
      assert_int_equal(sp_expr_bind(&own.arena, expr_parse(&own, text), w->schema, 0, NULL, &again, &err),
                       SP_OK);
      if (!sp_expr_eq(e, again) || e->type != again->type) {
        fail_msg("binds to another tree (%s, %s): %s\n                       %s", e->type->name,
                 again->type->name, text, expr_text(&own, again));
      }
    } else {
      assert_int_equal(err.status, SP_TYPE);
    }
    sp_str_release(&g.out);
    sp_arena_release(&own.arena);
  }
  assert_true(n_bound > 8000);
}

/* ---- size, sharing, memory ---- */
static void shared_trees_are_cut(void **state) {
  expr_world *w = *state;
  const sp_expr *e = expr_parse(w, "a");
  for (uint32_t i = 0; i < 64; i++) {
    const sp_expr *args[] = {e, e};
    e = sp_expr_call_named(&w->arena, "add", NULL, args, 2);
    assert_non_null(e);
  }
  const char *text = expr_text(w, e);
  assert_true(strlen(text) > 1000000 && strlen(text) < 5000000);
  assert_string_equal(text + strlen(text) - strlen(" …"), " …");
}

static void names(void **state) {
  expr_world *w = *state;
  assert_string_equal(sp_expr_name(expr_parse(w, "a + 1 AS n"), &w->arena).p, "n");
  assert_string_equal(sp_expr_name(expr_parse(w, "\"a b\""), &w->arena).p, "a b");
  assert_string_equal(sp_expr_name(expr_parse(w, "sum( a )"), &w->arena).p, "sum(a)");
}

static void tokens(void **state) {
  expr_world *w = *state;
  static const struct {
    const char *text, *kinds; /* Column Function Keyword Operator Number String Punct Type */
  } cases[] = {{"CAST(price AS float64) > 0.5", "KPCKTPON"},
               {"sum(DISTINCT a) FILTER (WHERE b > 1) AS n", "FPKCPKPKCONPKC"},
               {"d >= date '1995-01-01'", "COTS"},
               {"interval '3' month", "TSK"},
               {"a NOT LIKE 'x' ESCAPE '!'", "CKKSKS"},
               {"CASE WHEN a THEN NULL ELSE TRUE END", "KKCKKKKK"},
               {"COLUMNS(numeric) + COLUMNS('x')", "KPTPOKPSP"},
               {"CAST(a AS decimal(15,2))", "KPCKTPNPNPP"},
               {"a IS DISTINCT FROM \"b c\"", "CKKKC"},
               {"count(*)", "FPOP"},
               {"where + from", "COC"},
               {"'unfinished", "S"}};
  static const char letters[] = {
      [SP_TOK_COLUMN] = 'C', [SP_TOK_FUNCTION] = 'F', [SP_TOK_KEYWORD] = 'K', [SP_TOK_OPERATOR] = 'O',
      [SP_TOK_NUMBER] = 'N', [SP_TOK_STRING] = 'S',   [SP_TOK_PUNCT] = 'P',   [SP_TOK_TYPE] = 'T'};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_token_span *spans;
    uint32_t n;
    char kinds[64] = "";
    assert_true(sp_expr_tokens(sp_sv_from(cases[i].text), &w->arena, &spans, &n));
    uint32_t end = 0;
    for (uint32_t k = 0; k < n; k++) {
      kinds[k] = letters[spans[k].kind];
      assert_true(spans[k].pos >= end && spans[k].len > 0);
      end = spans[k].pos + spans[k].len;
    }
    assert_string_equal(kinds, cases[i].kinds);
    assert_int_equal(end, strlen(cases[i].text));
  }
}

static sp_status print_in(sp_mem *mem, void *ctx) {
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_expr *e;
  const sp_token_span *spans;
  uint32_t n;
  sp_status st = sp_expr_parse(&a, sp_sv_from(ctx), NULL, &e, NULL);
  if (st == SP_OK) {
    const char *text = sp_expr_text(e, &a);
    st = text != NULL && sp_expr_tokens(sp_sv_from(text), &a, &spans, &n) ? SP_OK : SP_NOMEM;
  }
  sp_arena_release(&a);
  return st;
}

static void memory_may_fail(void **state) {
  (void)state;
  SP_TORTURE(print_in, (char[]){"a + 1 > int16 '5' AND d < date '2000-01-01' OR s LIKE 'x%' AS n"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(looks, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(bound_looks, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(random_trees_read_back, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(bound_trees_read_back, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(shared_trees_are_cut, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(names, expr_setup, expr_teardown),
      cmocka_unit_test_setup_teardown(tokens, expr_setup, expr_teardown),
      cmocka_unit_test(memory_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
