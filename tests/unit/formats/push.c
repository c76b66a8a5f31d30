/* What passes through each kind: predicates with their blockers, needed columns, narrowing, and what stays
 * determined. */
#include "expr/bind.h"
#include "plan_text.h"

#define T T_VALUES("t", "'a': 'int64', 'b': 'string', 'c': 'float64'")
#define U T_VALUES("u", "'a': 'int64', 'b': 'string', 'd': 'date'")
#define ON_T(rest) T ",{'id': 'out', 'input': 't', " rest "}"
#define JOIN(rest) T "," U ",{'id': 'out', 'op': 'join', 'left': 't', 'right': 'u', " rest "}"

typedef struct way {
  const char *nodes, *predicate;
  const char *to; /* per input, "-" for none, joined by " | "; or "! blocker" */
} way;
static const way ways[] = {
    {ON_T("'op': 'filter', 'predicate': 'a > 1'"), "b = ´x´", "b = 'x'"},
    {ON_T("'op': 'sort', 'by': ['a']"), "c > 1.5", "c > 1.5"},
    {ON_T("'op': 'cache'"), "c > 1.5", "c > 1.5"},
    {ON_T("'op': 'select', 'exprs': ['a AS x', 'c']"), "x > 1 AND c < 2.5", "a > 1 AND c < 2.5"},
    {ON_T("'op': 'select', 'exprs': ['a * 2 AS x', 'c']"), "x > 1", "a * 2 > 1"},
    {ON_T("'op': 'select', 'exprs': ['CAST(b AS int64) AS x', 'c']"), "x > 1", "! `x` is made by this node"},
    {ON_T("'op': 'select', 'exprs': ['CAST(b AS int64) AS x', 'c']"), "c > 1.5", "c > 1.5"},
    {ON_T("'op': 'select', 'exprs': ['a + a + a + a + a + a + a + a AS x']"), "x > 1",
     "! `x` is made by this node"},
    {ON_T("'op': 'with_columns', 'exprs': ['c + 1 AS c', 'a AS d']"), "c > d AND a > 0",
     "c + 1.0 > CAST(a AS float64) AND a > 0"},
    {ON_T("'op': 'rename', 'columns': {'a': 'c', 'c': 'a'}"), "c > a", "CAST(a AS float64) > c"},
    {ON_T("'op': 'drop', 'columns': ['b']"), "c > 1.5", "c > 1.5"},
    {ON_T("'op': 'group_by', 'keys': ['a AS k', 'b'], 'aggs': ['count(*) AS n']"), "k > 1 AND b = ´x´",
     "a > 1 AND b = 'x'"},
    {ON_T("'op': 'group_by', 'keys': ['a AS k', 'b'], 'aggs': ['count(*) AS n']"), "n > 1",
     "! `n` is made by this node"},
    {ON_T("'op': 'group_by', 'keys': ['a + 1 AS k'], 'aggs': ['count(*) AS n']"), "k > 1",
     "! `k` is made by this node"},
    {ON_T("'op': 'group_by', 'keys': [], 'aggs': ['count(*) AS n']"), "n > 1",
     "! a group_by without keys gives a row even for no rows"},
    {ON_T("'op': 'unique', 'subset': ['a']"), "c > 1.5", "c > 1.5"},
    {ON_T("'op': 'unique', 'subset': ['a'], 'keep': 'first'"), "a > 1", "a > 1"},
    {ON_T("'op': 'unique', 'subset': ['a'], 'keep': 'first'"), "a > 1 AND c > 1.5",
     "! `c` is not among the columns compared, and keep is first"},
    {ON_T("'op': 'unique', 'keep': 'none'"), "c > 1.5", "c > 1.5"},
    {ON_T("'op': 'slice', 'offset': 1, 'length': 2"), "c > 1.5", "! the slice picks its rows first"},
    {ON_T("'op': 'head', 'n': 2"), "c > 1.5", "! the slice picks its rows first"},
    {ON_T("'op': 'top_k', 'k': 2, 'by': ['a']"), "a > 1", "! top_k picks its rows first"},
    {ON_T("'op': 'with_row_index', 'name': 'i'"), "i > 1", "! `i` is made by this node"},
    {ON_T("'op': 'with_row_index', 'name': 'i'"), "a > 1", "! `i` numbers the rows first"},
    {T ",{'id': 'out', 'op': 'union', 'inputs': ['t', 't']}", "a > 1", "a > 1 | a > 1"},
    {JOIN("'how': 'inner', 'on': ['a']"), "c > 1.5", "c > 1.5 | -"},
    {JOIN("'how': 'inner', 'on': ['a']"), "b_right = ´x´", "- | b = 'x'"},
    {JOIN("'how': 'inner', 'on': ['a']"), "a > 1", "a > 1 | a > 1"},
    {JOIN("'how': 'inner', 'on': ['a']"), "b = b_right", "! reads both sides of the join"},
    {JOIN("'how': 'inner', 'on': ['a']"), "a > 1 AND d IS NOT NULL", "- | a > 1 AND d IS NOT NULL"},
    {JOIN("'how': 'inner', 'left_on': ['c'], 'right_on': ['a']"), "c > 1.5", "c > 1.5 | -"},
    {JOIN("'how': 'left', 'on': ['a']"), "c > 1.5", "c > 1.5 | -"},
    {JOIN("'how': 'left', 'on': ['a']"), "a > 1", "a > 1 | a > 1"},
    {JOIN("'how': 'left', 'on': ['a']"), "d IS NOT NULL", "! right side of a left join"},
    {JOIN("'how': 'left', 'on': ['a']"), "b < b_right", "! reads both sides of the join"},
    {JOIN("'how': 'left', 'on': ['a'], 'coalesce': false"), "a_right > 1", "! right side of a left join"},
    {JOIN("'how': 'right', 'on': ['a']"), "d IS NOT NULL", "- | d IS NOT NULL"},
    {JOIN("'how': 'right', 'on': ['a']"), "c > 1.5", "! left side of a right join"},
    {JOIN("'how': 'right', 'on': ['a']"), "a > 1", "a > 1 | a > 1"},
    {JOIN("'how': 'full', 'on': ['a']"), "a > 1", "! a full join keeps the rows of both sides"},
    {JOIN("'how': 'full', 'on': ['a'], 'coalesce': true"), "a > 1", "a > 1 | a > 1"},
    {JOIN("'how': 'full', 'on': ['a'], 'coalesce': true"), "c > 1.5",
     "! a full join keeps the rows of both sides"},
    {JOIN("'how': 'full', 'left_on': ['a', 'a'], 'right_on': ['a', 'a'], 'coalesce': true"), "a > 1",
     "a > 1 | a > 1"},
    {JOIN("'how': 'semi', 'on': ['a']"), "c > 1.5", "c > 1.5 | -"},
    {JOIN("'how': 'semi', 'on': ['a']"), "a > 1", "a > 1 | a > 1"},
    {JOIN("'how': 'anti', 'on': ['a']"), "a > 1", "a > 1 | a > 1"},
    {JOIN("'how': 'cross'"), "a > 1", "a > 1 | -"},
    {JOIN("'how': 'cross'"), "a_right > 1", "- | a > 1"},
    {JOIN("'how': 'cross'"), "a = a_right", "! reads both sides of the join"},
};

static const sp_expr *bind_text(world *w, const char *text, const sp_schema *s) {
  const sp_expr *e = NULL;
  const sp_loc loc = {.pointer = ""};
  text = quotes(w, text);
  if (sp_expr_parse(&w->arena, sp_sv_from(text), &loc, &e, &w->err) != SP_OK ||
      sp_expr_bind_as(&w->arena, e, s, 0, sp_type_of(SP_KIND_BOOL), "test", &loc, &e, &w->err) != SP_OK) {
    fail_msg("%s: %s", text, w->err.message);
  }
  return e;
}

static const char *pushed(world *w, const sp_plan *p, const sp_node *n, const char *predicate) {
  const sp_schema **in = input_schemas(w, p, n);
  const sp_expr *e = bind_text(w, predicate, n->schema);
  sp_push r;
  assert_non_null(n->ops->push_predicate);
  assert_int_equal(n->ops->push_predicate(n, in, e, &w->arena, &r), SP_OK);
  if (r.blocker != NULL) {
    assert_true(r.stays);
    return sp_arena_printf(&w->arena, "! %s", r.blocker);
  }
  assert_false(r.stays);
  const char *text = "";
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    const char *part = r.to[i] != NULL ? sp_expr_text(r.to[i], &w->arena) : "-";
    text = sp_arena_printf(&w->arena, "%s%s%s", text, i > 0 ? " | " : "", part);
    if (r.to[i] != NULL) { /* it is bound to that input */
      sp_names reads = {0};
      assert_true(sp_expr_columns(r.to[i], &w->arena, &reads));
      for (uint32_t k = 0; k < reads.n; k++) {
        assert_true(sp_schema_find(in[i], reads.names[k]) >= 0);
      }
    }
  }
  return text;
}

static void predicates(void **state) {
  (void)state;
  uint32_t wrong = 0;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    world w;
    world_init(&w);
    const sp_plan *p = resolve_nodes(&w, ways[i].nodes);
    const char *got = pushed(&w, p, node_of(p, "out"), ways[i].predicate);
    if (strcmp(got, ways[i].to) != 0) {
      wrong++;
      print_error("case %zu %s over %s\n  gives  %s\n  wanted %s\n", i, ways[i].predicate, ways[i].nodes, got,
                  ways[i].to);
    }
    world_release(&w);
  }
  assert_int_equal(wrong, 0);
}

/* A chain of `x + x AS x` doubles a predicate at every step: it must stop, and soon. */
static void predicates_stay_small(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  sp_str_init(&s, &w.mem, 1 << 20);
  sp_str_add(&s, T_VALUES("n0", "'x': 'int64'"));
  for (int i = 1; i <= 64; i++) {
    sp_str_addf(&s, ",{'id': '%s%.0d', 'op': 'with_columns', 'input': 'n%d', 'exprs': ['x + x AS x']}",
                i < 64 ? "n" : "out", i < 64 ? i : 0, i - 1);
  }
  const sp_plan *p = resolve_nodes(&w, s.p);
  const sp_expr *e = bind_text(&w, "x > 1", p->nodes[64]->schema);
  uint32_t at = 64;
  for (; at > 0; at--) {
    const sp_schema *in[] = {p->nodes[at - 1]->schema};
    sp_push r;
    assert_int_equal(p->nodes[at]->ops->push_predicate(p->nodes[at], in, e, &w.arena, &r), SP_OK);
    if (r.blocker != NULL) {
      assert_string_equal(r.blocker, "the predicate would get too large");
      break;
    }
    e = r.to[0];
  }
  assert_true(at > 0 && at < 64);
  sp_str_release(&s);
  world_release(&w);
}

/* ---- columns ---- */
typedef struct need {
  const char *nodes, *out; /* names wanted, by spaces; "*" = all */
  const char *needs;       /* per input, by " | " */
  const char *narrowed;    /* headline of the narrowed node, "=" when it stays */
} need;
static const need columns[] = {
    {ON_T("'op': 'filter', 'predicate': 'a > 1'"), "c", "a c", "="},
    {ON_T("'op': 'filter', 'predicate': 'a > 1'"), "*", "a b c", "="},
    {ON_T("'op': 'select', 'exprs': ['a + 1 AS x', 'b', 'c AS y']"), "y x", "a c", "a + 1 AS x, c AS y"},
    {ON_T("'op': 'select', 'exprs': ['a + 1 AS x', 'b', 'c AS y']"), "*", "a b c", "="},
    {ON_T("'op': 'select', 'exprs': ['a + 1 AS x', 'b']"), "", "", ""},
    {ON_T("'op': 'with_columns', 'exprs': ['a + 1 AS x', 'a AS b']"), "c", "c", ""},
    {ON_T("'op': 'with_columns', 'exprs': ['a + 1 AS x', 'a AS b']"), "b", "a b", "a AS b"},
    {ON_T("'op': 'group_by', 'keys': ['b'], 'aggs': ['sum(a) AS s', 'max(c) AS m']"), "m", "b c",
     "b: max(c) AS m"},
    {ON_T("'op': 'group_by', 'keys': ['b'], 'aggs': ['sum(a) AS s', 'max(c) AS m']"), "", "b", "b"},
    {ON_T("'op': 'group_by', 'keys': [], 'aggs': ['count(*)', 'max(c) AS m']"), "count(*)", "", "count(*)"},
    {ON_T("'op': 'group_by', 'keys': [], 'aggs': ['max(c) AS m']"), "", "", "="},
    {ON_T("'op': 'sort', 'by': ['a + 1']"), "c", "a c", "="},
    {ON_T("'op': 'top_k', 'k': 1, 'by': ['a']"), "c", "a c", "="},
    {ON_T("'op': 'slice', 'length': 1"), "c", "c", "="},
    {ON_T("'op': 'unique'"), "c", "a b c", "="},
    {ON_T("'op': 'unique', 'subset': ['b']"), "c", "b c", "="},
    {ON_T("'op': 'with_row_index'"), "index c", "c", "="},
    {ON_T("'op': 'cache'"), "c", "c", "="},
    {ON_T("'op': 'sink_csv', 'path': 'x'"), "*", "a b c", "="},
    {T ",{'id': 'out', 'op': 'union', 'inputs': ['t', 't']}", "c", "c | c", "="},
    {JOIN("'how': 'inner', 'on': ['a']"), "c d", "a c | a d", "="},
    {JOIN("'how': 'inner', 'on': ['a']"), "b_right", "a b | a b", "="},
    {JOIN("'how': 'inner', 'on': ['a']"), "b", "a b | a", "="},
    {JOIN("'how': 'inner', 'on': ['a']"), "*", "a b c | a b d", "="},
    {JOIN("'how': 'right', 'on': ['a']"), "a", "a | a", "="},
    {JOIN("'how': 'semi', 'on': ['b']"), "c", "b c | b", "="},
    {JOIN("'how': 'cross'"), "a", "a | ", "="},
    {JOIN("'how': 'inner', 'on': ['a'], 'predicate': 'b_right < ´x´ AND d IS NULL'"), "c", "a b c | a b d",
     "="},
    {JOIN("'how': 'full', 'on': ['a'], 'coalesce': true"), "a", "a | a", "="},
};

static const char *names_text(world *w, const sp_names *s) {
  const char *text = "";
  for (uint32_t i = 0; i < s->n; i++) {
    text = sp_arena_printf(&w->arena, "%s%s%.*s", text, i > 0 ? " " : "", (int)s->names[i].n, s->names[i].p);
  }
  return text;
}

static void parse_names(world *w, const char *text, sp_names *ret) {
  for (const char *p = text; *p != '\0';) {
    const size_t n = strcspn(p, " ");
    assert_true(sp_names_add(ret, &w->arena, (sp_sv){p, n}));
    p += n + (p[n] == ' ');
  }
}

static void needed_columns(void **state) {
  (void)state;
  uint32_t wrong = 0;
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    world w;
    world_init(&w);
    const sp_plan *p = resolve_nodes(&w, columns[i].nodes);
    const sp_node *n = node_of(p, "out");
    const sp_schema **in = input_schemas(&w, p, n);
    sp_names out = {0};
    const bool all = strcmp(columns[i].out, "*") == 0;
    parse_names(&w, all ? "" : columns[i].out, &out);
    const char *got = "";
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      sp_names r = {0};
      assert_true(n->ops->needs(n, in, all ? NULL : &out, k, &w.arena, &r));
      got = sp_arena_printf(&w.arena, "%s%s%s", got, k > 0 ? " | " : "", names_text(&w, &r));
    }
    const sp_node *narrowed = n;
    if (n->ops->narrow != NULL && !all) {
      assert_int_equal(n->ops->narrow(n, &out, &w.arena, &narrowed), SP_OK);
    }
    const char *line = narrowed == n ? "=" : headline_text(&w, narrowed);
    if (strcmp(got, columns[i].needs) != 0 || strcmp(line, columns[i].narrowed) != 0) {
      wrong++;
      print_error("case %zu [%s] of %s\n  gives  %s, %s\n  wanted %s, %s\n", i, columns[i].out,
                  columns[i].nodes, got, line, columns[i].needs, columns[i].narrowed);
    }
    world_release(&w);
  }
  assert_int_equal(wrong, 0);
}

static void scans_and_values_give_up_columns(void **state) {
  (void)state;
  world w;
  world_init(&w);
  w.env.plan_dir = "/nonexistent";
  const sp_plan *p = resolve_nodes(
      &w,
      "{'id': 'v', 'op': 'values', 'schema': {'a': 'int64', 'b': 'string'}, 'rows': [[1, 'x'], [2, null]]},"
      "{'id': 's', 'op': 'scan_parquet', 'path': 'x', 'schema': {'a': 'int64', 'b': 'string'}, 'n_rows': 5},"
      "{'id': 'out', 'op': 'union', 'inputs': ['v', 's']}");
  sp_names b = {0};
  parse_names(&w, "b", &b);
  const sp_node *v = node_of(p, "v");
  const sp_node *s = node_of(p, "s");
  const sp_node *r = NULL;
  assert_int_equal(v->ops->narrow(v, &b, &w.arena, &r), SP_OK);
  assert_string_equal(schema_text(&w, ((const sp_values_node *)r)->given), "b string");
  assert_true(sp_sv_eq(((const sp_values_node *)r)->rows.values[0][0].s, SP_SV("x")));
  assert_true(((const sp_values_node *)r)->rows.values[1][0].is_null);
  assert_int_equal(s->ops->narrow(s, &b, &w.arena, &r), SP_OK);
  const sp_schema *schema = NULL;
  assert_int_equal(r->ops->schema(r, NULL, &w.arena, &schema, &w.err), SP_OK);
  assert_string_equal(schema_text(&w, schema), "b string");
  b.n = 0;
  assert_int_equal(s->ops->narrow(s, &b, &w.arena, &r), SP_OK);
  assert_int_equal(r->ops->schema(r, NULL, &w.arena, &schema, &w.err), SP_OK);
  assert_int_equal(schema->n, 0);
  assert_true(((const sp_scan_node *)r)->columns_given);
  sp_push push;
  assert_int_equal(s->ops->push_predicate(s, NULL, sp_expr_bool(&w.arena, true), &w.arena, &push), SP_OK);
  assert_string_equal(push.blocker, "`n_rows` counts rows before any predicate");
  world_release(&w);
}

/* ---- what is determined ---- */
typedef struct det {
  const char *nodes;
  sp_determined want;
} det;
#define G "{'id': 'g', 'op': 'group_by', 'input': 't', 'keys': ['b'], 'aggs': ['sum(a) AS s']}"
#define AFTER_G(rest) T "," G ",{'id': 'out', 'input': 'g', " rest "}"
static const det determined[] = {
    {ON_T("'op': 'filter', 'predicate': 'a > 1'"), SP_DET_ORDER},
    {ON_T("'op': 'head', 'n': 3"), SP_DET_ORDER},
    {ON_T("'op': 'sort', 'by': ['a']"), SP_DET_ROWS},
    {ON_T("'op': 'sort', 'by': ['a'], 'maintain_order': true"), SP_DET_ORDER},
    {ON_T("'op': 'sort', 'by': ['c', 'a', 'b']"), SP_DET_ORDER},
    {ON_T("'op': 'top_k', 'k': 1, 'by': ['a']"), SP_DET_COUNT},
    {ON_T("'op': 'top_k', 'k': 1, 'by': ['a', 'b', 'c']"), SP_DET_ORDER},
    {ON_T("'op': 'group_by', 'keys': ['b'], 'aggs': ['sum(a)']"), SP_DET_ROWS},
    {ON_T("'op': 'group_by', 'keys': ['b'], 'aggs': ['sum(a)'], 'maintain_order': true"), SP_DET_ORDER},
    {ON_T("'op': 'group_by', 'keys': [], 'aggs': ['sum(a)']"), SP_DET_ORDER},
    {AFTER_G("'op': 'head', 'n': 3"), SP_DET_COUNT},
    {AFTER_G("'op': 'sort', 'by': ['b']"), SP_DET_ORDER},
    {AFTER_G("'op': 'sort', 'by': ['s']"), SP_DET_ROWS},
    {AFTER_G("'op': 'with_row_index'"), SP_DET_COUNT},
    {AFTER_G("'op': 'unique', 'subset': ['s'], 'keep': 'first'"), SP_DET_COUNT},
    {AFTER_G("'op': 'unique', 'subset': ['s'], 'keep': 'none'"), SP_DET_ROWS},
    {AFTER_G("'op': 'unique'"), SP_DET_ROWS},
    {AFTER_G("'op': 'slice', 'length': 0"), SP_DET_ORDER},
    {AFTER_G("'op': 'cache'"), SP_DET_ROWS},
    {AFTER_G("'op': 'sink_csv', 'path': 'x'"), SP_DET_ROWS},
    {T "," G ",{'id': 'r', 'op': 'rename', 'input': 'g', 'columns': {'b': 'k'}},{'id': 'out', 'op': 'sort', "
       "'input': 'r', 'by': ['k']}",
     SP_DET_ORDER},
    {T "," G ",{'id': 'r', 'op': 'with_columns', 'input': 'g', 'exprs': ['s AS b']},{'id': 'out', 'op': "
       "'sort', 'input': 'r', 'by': ['b']}",
     SP_DET_ROWS},
    {T "," G ",{'id': 'h', 'op': 'head', 'input': 'g', 'n': 1},{'id': 'out', 'op': 'filter', 'input': 'h', "
       "'predicate': 's > 1'}",
     SP_DET_NOTHING},
    {T "," G ",{'id': 'h', 'op': 'head', 'input': 'g', 'n': 1},{'id': 'out', 'op': 'group_by', 'input': 'h', "
       "'keys': [], 'aggs': ['count(*)']}",
     SP_DET_ORDER},
    {T "," G ",{'id': 'h', 'op': 'head', 'input': 'g', 'n': 1},{'id': 'out', 'op': 'group_by', 'input': 'h', "
       "'keys': [], 'aggs': ['sum(s)']}",
     SP_DET_COUNT},
    {JOIN("'how': 'inner', 'on': ['a']"), SP_DET_ROWS},
    {JOIN("'how': 'inner', 'on': ['a'], 'maintain_order': true"), SP_DET_ORDER},
    {T ",{'id': 'out', 'op': 'union', 'inputs': ['t', 't']}", SP_DET_ORDER},
    {T "," G ",{'id': 's', 'op': 'sort', 'by': ['b'], 'input': 'g'},{'id': 'out', 'op': 'union', 'inputs': "
       "['s', 'g']}",
     SP_DET_ROWS},
};

static void what_is_determined(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof determined / sizeof *determined; i++) {
    world w;
    world_init(&w);
    const sp_plan *p = resolve_nodes(&w, determined[i].nodes);
    const sp_determined *d = sp_plan_determined(p, &w.arena);
    assert_non_null(d);
    if (d[p->outputs[0]] != determined[i].want) {
      fail_msg("case %zu %s gives %d, wanted %d", i, determined[i].nodes, (int)d[p->outputs[0]],
               (int)determined[i].want);
    }
    world_release(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(predicates),         cmocka_unit_test(predicates_stay_small),
      cmocka_unit_test(needed_columns),     cmocka_unit_test(scans_and_values_give_up_columns),
      cmocka_unit_test(what_is_determined),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
