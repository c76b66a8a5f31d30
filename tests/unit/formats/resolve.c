/* Resolving: the schema of every kind, normal forms, and the exact messages of what is wrong. */
#include "plan_text.h"

#define T T_VALUES("t", "'a': 'int64', 'b': 'string', 'c': 'float64'")
#define U T_VALUES("u", "'a': 'int32', 'b': 'string', 'd': 'date'")
#define ON_T(rest) T ",{'id': 'out', 'input': 't', " rest "}"
#define JOIN(rest) T "," U ",{'id': 'out', 'op': 'join', 'left': 't', 'right': 'u', " rest "}"
#define UNION(how) T "," U ",{'id': 'out', 'op': 'union', 'inputs': ['t', 'u'], 'how': '" how "'}"

typedef struct good {
  const char *nodes, *schema;
} good;
static const good schemas[] = {
    {ON_T("'op': 'filter', 'predicate': 'a > 1'"), "a int64, b string, c float64"},
    {ON_T("'op': 'select', 'exprs': ['c', 'a + 1', 'a AS x']"), "c float64, a + 1 int64, x int64"},
    {ON_T("'op': 'select', 'exprs': ['*']"), "a int64, b string, c float64"},
    {ON_T("'op': 'select', 'exprs': ['* EXCLUDE (b)', 'b AS z']"), "a int64, c float64, z string"},
    {ON_T("'op': 'select', 'exprs': []"), ""},
    {ON_T("'op': 'with_columns', 'exprs': ['a > 1 AS b', 'c * 2 AS d']"),
     "a int64, b bool, c float64, d float64"},
    {ON_T("'op': 'drop', 'columns': ['b', 'b']"), "a int64, c float64"},
    {ON_T("'op': 'rename', 'columns': {'a': 'b', 'b': 'a'}"), "b int64, a string, c float64"},
    {ON_T("'op': 'rename', 'columns': {}"), "a int64, b string, c float64"},
    {ON_T("'op': 'group_by', 'keys': ['b', 'a + 1 AS k'], 'aggs': ['count(*) AS n', 'sum(c) / count(*) AS "
          "m', '(a + 1) * 2 AS k2', 'max(a)']"),
     "b string, k int64, n int64, m float64, k2 int64, max(a) int64"},
    {ON_T("'op': 'group_by', 'keys': [], 'aggs': ['count(*)']"), "count(*) int64"},
    {ON_T("'op': 'group_by', 'keys': ['b'], 'aggs': []"), "b string"},
    {ON_T("'op': 'sort', 'by': ['a + 1', {'expr': 'b', 'descending': true}]"),
     "a int64, b string, c float64"},
    {ON_T("'op': 'top_k', 'k': 3, 'by': ['a']"), "a int64, b string, c float64"},
    {ON_T("'op': 'slice', 'offset': -2, 'length': 1"), "a int64, b string, c float64"},
    {ON_T("'op': 'unique', 'subset': ['a'], 'keep': 'first'"), "a int64, b string, c float64"},
    {ON_T("'op': 'with_row_index'"), "index int64, a int64, b string, c float64"},
    {ON_T("'op': 'with_row_index', 'name': 'n'"), "n int64, a int64, b string, c float64"},
    {ON_T("'op': 'cache'"), "a int64, b string, c float64"},
    {ON_T("'op': 'sink_csv', 'path': 'x.csv'"), "a int64, b string, c float64"},
    {ON_T("'op': 'sink_parquet', 'path': 'x.parquet', 'compression': 'zstd:12'"),
     "a int64, b string, c float64"},
    {ON_T("'op': 'pivot', 'on': ['b'], 'on_columns': ['x', 'y'], 'index': ['a'], 'values': ['c'], 'agg': "
          "'sum'"),
     "a int64, x float64, y float64"},
    {ON_T("'op': 'pivot', 'on': ['a'], 'on_columns': ['1'], 'index': ['b'], 'values': ['c', 'a'], 'agg': "
          "'max'"),
     "b string, c_1 float64, a_1 int64"},
    {JOIN("'how': 'inner', 'on': ['a']"), "a int64, b string, c float64, b_right string, d date"},
    {JOIN("'how': 'left', 'on': ['a']"), "a int64, b string, c float64, b_right string, d date"},
    {JOIN("'how': 'right', 'on': ['a']"), "b string, c float64, a int32, b_right string, d date"},
    {JOIN("'how': 'right', 'on': ['a', 'b']"), "c float64, a int32, b string, d date"},
    {JOIN("'how': 'full', 'on': ['a']"),
     "a int64, b string, c float64, a_right int32, b_right string, d date"},
    {JOIN("'how': 'full', 'on': ['a'], 'coalesce': true"),
     "a int64, b string, c float64, b_right string, d date"},
    {JOIN("'how': 'inner', 'on': ['b'], 'coalesce': false, 'suffix': '_2'"),
     "a int64, b string, c float64, a_2 int32, b_2 string, d date"},
    {JOIN("'how': 'semi', 'on': ['b']"), "a int64, b string, c float64"},
    {JOIN("'how': 'anti', 'on': ['b']"), "a int64, b string, c float64"},
    {JOIN("'how': 'cross'"), "a int64, b string, c float64, a_right int32, b_right string, d date"},
    {JOIN("'how': 'inner', 'left_on': ['a + 1'], 'right_on': ['a']"),
     "a int64, b string, c float64, a_right int32, b_right string, d date"},
    {JOIN("'how': 'inner', 'left_on': ['c'], 'right_on': ['a']"),
     "a int64, b string, c float64, b_right string, d date"},
    {JOIN("'how': 'inner', 'left_on': ['b'], 'right_on': ['CAST(a AS string)']"),
     "a int64, b string, c float64, a_right int32, b_right string, d date"},
    {JOIN("'how': 'inner', 'on': ['a'], 'predicate': 'b < b_right AND a_right > 3 AND d IS NOT NULL'"),
     "a int64, b string, c float64, b_right string, d date"},
    {T ",{'id': 'out', 'op': 'union', 'inputs': ['t', 't', 't']}", "a int64, b string, c float64"},
    {UNION("diagonal"), "a int64, b string, c float64, d date"},
    {T "," T_VALUES("v", "'a': 'int32', 'b': 'null', 'c': 'int64'") ",{'id': 'out', 'op': 'union', 'inputs': "
                                                                    "['v', 't'], 'how': 'vertical_relaxed'}",
     "a int64, b string, c float64"},
};

static void every_kind_has_its_schema(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
    world w;
    world_init(&w);
    const sp_plan *p = resolve_nodes(&w, schemas[i].nodes);
    const char *got = schema_text(&w, node_of(p, "out")->schema);
    if (strcmp(got, schemas[i].schema) != 0) {
      fail_msg("case %zu %s\n  gives  %s\n  wanted %s", i, schemas[i].nodes, got, schemas[i].schema);
    }
    assert_int_equal(p->stage, SP_STAGE_RESOLVED);
    assert_int_equal(w.n_warnings, 0);
    world_release(&w);
  }
}

typedef struct bad {
  const char *nodes;
  sp_status status;
  const char *message, *hint, *pointer;
} bad;
static const bad errors[] = {
    {ON_T("'op': 'filter', 'predicate': 'aa > 1'"), SP_NOT_FOUND, "unknown column `aa`", "`a`",
     "/nodes/1/predicate"},
    {ON_T("'op': 'filter', 'predicate': 'a'"), SP_TYPE, "the filter predicate must be bool, got int64", "",
     "/nodes/1/predicate"},
    {ON_T("'op': 'filter', 'predicate': 'sum(a) > 1'"), SP_INVALID, NULL, "", "/nodes/1/predicate"},
    {ON_T("'op': 'select', 'exprs': ['a', 'b AS a']"), SP_INVALID,
     "duplicate output name `a`: made by `a` and by `b AS a`", "AS", "/nodes/1/exprs/1"},
    {ON_T("'op': 'select', 'exprs': ['*', 'c']"), SP_INVALID,
     "duplicate output name `c`: made by `c` and by `c`", "AS", "/nodes/1/exprs/1"},
    {ON_T("'op': 'select', 'exprs': ['b + 1']"), SP_TYPE, NULL, "", "/nodes/1/exprs/0"},
    {ON_T("'op': 'with_columns', 'exprs': ['a AS x', 'b AS x']"), SP_INVALID,
     "duplicate output name `x`: made by `a AS x` and by `b AS x`", "AS", "/nodes/1/exprs/1"},
    {ON_T("'op': 'drop', 'columns': ['x']"), SP_NOT_FOUND, "unknown column `x`", "", "/nodes/1/columns/0"},
    {ON_T("'op': 'drop', 'columns': ['a', 'b', 'c']"), SP_INVALID, "drop leaves no column", "",
     "/nodes/1/columns"},
    {ON_T("'op': 'rename', 'columns': {'x': 'y'}"), SP_NOT_FOUND, "unknown column `x`", "",
     "/nodes/1/columns"},
    {ON_T("'op': 'rename', 'columns': {'a': 'c'}"), SP_INVALID,
     "duplicate output name `c`: made from `a` and from `c`", "", "/nodes/1/columns"},
    {ON_T("'op': 'group_by', 'keys': ['b'], 'aggs': ['a']"), SP_INVALID,
     "column `a` is neither a key nor inside an aggregate", "any_value(a)", "/nodes/1/aggs/0"},
    {ON_T("'op': 'group_by', 'keys': ['a + 1 AS k'], 'aggs': ['a + 2 AS x']"), SP_INVALID,
     "column `a` is neither a key nor inside an aggregate", "`keys`", "/nodes/1/aggs/0"},
    {ON_T("'op': 'group_by', 'keys': ['b'], 'aggs': ['count(*) AS b']"), SP_INVALID,
     "duplicate output name `b`: made by `b` and by `count(*) AS b`", "AS", "/nodes/1/aggs/0"},
    {ON_T("'op': 'group_by', 'keys': ['sum(a)'], 'aggs': []"), SP_INVALID, NULL, "", "/nodes/1/keys/0"},
    {ON_T("'op': 'group_by', 'keys': [], 'aggs': []"), SP_INVALID, "group_by needs a key or an aggregate", "",
     "/nodes/1"},
    {ON_T("'op': 'sort', 'by': []"), SP_INVALID, "sort needs at least one key", "", "/nodes/1/by"},
    {ON_T("'op': 'sort', 'by': [{'expr': 'x'}]"), SP_NOT_FOUND, "unknown column `x`", "",
     "/nodes/1/by/0/expr"},
    {ON_T("'op': 'top_k', 'k': -1, 'by': ['a']"), SP_INVALID, "`k` must not be negative, got -1", "",
     "/nodes/1/k"},
    {ON_T("'op': 'slice', 'length': -2"), SP_INVALID,
     "`length` must not be negative, got -2 (-1: to the end)", "", "/nodes/1/length"},
    {ON_T("'op': 'tail', 'n': -1"), SP_INVALID, "`n` must not be negative, got -1", "", "/nodes/1/n"},
    {ON_T("'op': 'unique', 'subset': ['bb']"), SP_NOT_FOUND, "unknown column `bb`", "`b`",
     "/nodes/1/subset/0"},
    {ON_T("'op': 'unique', 'subset': []"), SP_INVALID, "`subset` is empty", "leave it out",
     "/nodes/1/subset"},
    {ON_T("'op': 'unique', 'subset': ['a', 'a']"), SP_INVALID, "`subset` names column `a` twice", "",
     "/nodes/1/subset"},
    {ON_T("'op': 'with_row_index', 'name': 'b'"), SP_INVALID,
     "duplicate output name `b`: the input has a column of the row index's name", "another", "/nodes/1/name"},
    {ON_T("'op': 'sink_csv', 'path': ''"), SP_INVALID, "`path` is empty", "", "/nodes/1/path"},
    {ON_T("'op': 'sink_csv', 'path': 'x.csv', 'partition': {'max_rows': 5}"), SP_INVALID,
     "the path of a partitioned sink needs `{part}`, got `x.csv`", "", "/nodes/1/path"},
    {ON_T("'op': 'sink_csv', 'path': '{part}.csv'"), SP_INVALID,
     "`{part}` in the path needs `partition`, got `{part}.csv`", "", "/nodes/1/path"},
    {ON_T("'op': 'sink_csv', 'path': '{part}.csv', 'partition': {'by': ['x']}"), SP_NOT_FOUND,
     "unknown column `x`", "", "/nodes/1/partition/by/0"},
    {ON_T("'op': 'sink_parquet', 'path': 'x', 'compression': 'zstd:x'"), SP_INVALID,
     "the level in compression `zstd:x` must be a number of one or two digits", "", "/nodes/1/compression"},
    {ON_T("'op': 'sink_parquet', 'path': 'x', 'compression': 'snapy'"), SP_INVALID,
     "unknown compression `snapy`", "`snappy`", "/nodes/1/compression"},
    {ON_T("'op': 'pivot', 'on': ['b'], 'index': ['a'], 'values': ['c'], 'agg': 'sum'"), SP_INVALID,
     "pivot needs `on_columns`: without it the output columns would depend on the data, and every step of a "
     "lazy plan must know its columns before anything is read",
     "\"on_columns\": [", "/nodes/1"},
    {ON_T("'op': 'pivot', 'on': ['a'], 'on_columns': ['x'], 'index': ['b'], 'values': ['c'], 'agg': 'sum'"),
     SP_TYPE, "`x` in `on_columns` is no int64, the type of `on`", "", "/nodes/1/on_columns"},
    {ON_T("'op': 'pivot', 'on': ['a'], 'on_columns': ['1'], 'index': ['b'], 'values': ['c'], 'agg': 'not'"),
     SP_INVALID, "`not` is not an aggregate function", "", "/nodes/1/agg"},
    {ON_T("'op': 'pivot', 'on': ['a'], 'on_columns': ['1'], 'index': ['b'], 'values': ['c'], 'agg': 'summ'"),
     SP_NOT_FOUND, NULL, "sum", "/nodes/1/agg"},
    {JOIN("'how': 'inner'"), SP_INVALID, "the join has no keys: give `on`, or `left_on` and `right_on`",
     "cross", "/nodes/2"},
    {JOIN("'how': 'inner', 'on': []"), SP_INVALID,
     "the join has no keys: give `on`, or `left_on` and `right_on`", "cross", "/nodes/2"},
    {JOIN("'how': 'cross', 'on': ['a']"), SP_INVALID, "a cross join has no keys and no predicate", "filter",
     "/nodes/2"},
    {JOIN("'how': 'inner', 'on': ['a'], 'left_on': ['a'], 'right_on': ['a']"), SP_INVALID,
     "a join has either `on`, or `left_on` and `right_on`", "", "/nodes/2"},
    {JOIN("'how': 'inner', 'left_on': ['a', 'b'], 'right_on': ['a']"), SP_INVALID,
     "`left_on` has 2 keys, `right_on` 1", "", "/nodes/2/right_on"},
    {JOIN("'how': 'inner', 'left_on': ['a']"), SP_INVALID, "`left_on` has 1 keys, `right_on` 0", "",
     "/nodes/2/left_on"},
    {JOIN("'how': 'inner', 'left_on': ['a'], 'right_on': ['d']"), SP_TYPE,
     "join keys have no common type: `a` is int64, `d` is date", "CAST(d AS int64)", "/nodes/2/left_on/0"},
    {JOIN("'how': 'inner', 'on': ['c']"), SP_NOT_FOUND, "unknown column `c`", "", "/nodes/2/on/0"},
    {JOIN("'how': 'inner', 'on': ['a'], 'suffix': ''"), SP_INVALID,
     "duplicate output name `b`: a left column and a right column of the join", "`suffix`", "/nodes/2"},
    {JOIN("'how': 'inner', 'on': ['a'], 'predicate': 'd'"), SP_TYPE,
     "the join predicate must be bool, got date", "", "/nodes/2/predicate"},
    {UNION("vertical"), SP_TYPE, "union: column `a` is int64 in the first input and int32 in input 2",
     "vertical_relaxed", "/nodes/2"},
    {UNION("vertical_relaxed"), SP_INVALID, "union: column 3 is `c` in the first input and `d` in input 2",
     "diagonal", "/nodes/2"},
    {T "," T_VALUES(
         "v",
         "'b': 'string', 'a': 'int64', 'c': 'float64'") ",{'id': 'out', 'op': 'union', 'inputs': ['t', 'v']}",
     SP_INVALID, "union: column 1 is `a` in the first input and `b` in input 2", "same order", "/nodes/2"},
    {T "," T_VALUES("v", "'a': 'int64', 'b': 'string'") ",{'id': 'out', 'op': 'union', 'inputs': ['t', 'v']}",
     SP_INVALID, "union: the first input has 3 columns, input 2 has 2", "`c`", "/nodes/2"},
    {T "," T_VALUES("v",
                    "'a': 'date'") ",{'id': 'out', 'op': 'union', 'inputs': ['t', 'v'], 'how': 'diagonal'}",
     SP_TYPE, "union: column `a` has no common type: int64 before and date in input 2", "", "/nodes/2"},
    {"{'id': 'out', 'op': 'union', 'inputs': []}", SP_INVALID, "union needs at least one input", "",
     "/nodes/0"},
    {T ",{'id': 's', 'op': 'sink_csv', 'path': 'x', 'input': 't'},{'id': 'out', 'op': 'head', 'n': 1, "
       "'input': 's'}",
     SP_INVALID, "`out` reads from `s`, a sink_csv, which passes no rows on", "", "/nodes/2"},
    {"{'id': 'out', 'op': 'scan', 'table': 'a/b'}", SP_INVALID,
     "`table` must be a name without slashes, got `a/b`", "", "/nodes/0/table"},
    {"{'id': 'out', 'op': 'scan_csv', 'path': 'no/such.csv', 'n_rows': -2}", SP_INVALID,
     "`n_rows` must not be negative, got -2", "", "/nodes/0/n_rows"},
    {"{'id': 'out', 'op': 'scan_csv', 'path': 'x', 'separator': '\\''}", SP_INVALID,
     "`separator` must be one byte other than the quote and the end of line", "", "/nodes/0/separator"},
    {"{'id': 'out', 'op': 'scan_csv', 'path': 'x', 'infer_rows': -2}", SP_INVALID,
     "`infer_rows` must be -1, 0 or more, got -2", "", "/nodes/0/infer_rows"},
};

static void every_mistake_has_its_message(void **state) {
  (void)state;
  uint32_t wrong = 0;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    world w;
    world_init(&w);
    const sp_plan *written = read_plan(&w, plan_of(&w, errors[i].nodes));
    const sp_plan *p = NULL;
    const sp_status st = sp_plan_resolve(written, &w.env, &p, &w.err);
    const sp_error *e = &w.err;
    if (st != errors[i].status || (errors[i].message != NULL && strcmp(e->message, errors[i].message) != 0) ||
        strcmp(e->pointer, errors[i].pointer) != 0 || e->line != 1 ||
        strstr(e->hint, errors[i].hint) == NULL || p != NULL || strcmp(e->file, "p.json") != 0) {
      wrong++;
      print_error("case %zu %s\n  gives %d %s (%u:%u): %s [%s]\n  wanted %d %s: %s [%s]\n", i,
                  errors[i].nodes, (int)st, e->pointer, e->line, e->col, e->message, e->hint,
                  (int)errors[i].status, errors[i].pointer, errors[i].message, errors[i].hint);
    }
    world_release(&w);
  }
  assert_int_equal(wrong, 0);
}

static void normal_forms(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = resolve_nodes(
      &w,
      T ",{'id': 'h', 'op': 'head', 'n': 5, 'input': 't'}, {'id': 'l', 'op': 'limit', 'n': 4, 'input': 'h'},"
        "{'id': 'd', 'op': 'drop', 'columns': ['a'], 'input': 'l'}, {'id': 'out', 'op': 'tail', 'n': 3, "
        "'input': 'd', 'note': 'x'}");
  const sp_slice_node *h = (const sp_slice_node *)node_of(p, "h");
  const sp_slice_node *out = (const sp_slice_node *)node_of(p, "out");
  assert_string_equal(h->base.ops->name, "slice");
  assert_int_equal(h->offset, 0);
  assert_int_equal(h->length, 5);
  assert_int_equal(h->slice_origin.ids[0], 1);
  assert_int_equal(out->offset, -3);
  assert_int_equal(out->length, 3);
  assert_string_equal(out->base.note, "x");
  assert_string_equal(node_of(p, "d")->ops->name, "select");
  assert_string_equal(headline_text(&w, node_of(p, "d")), "b, c");
  assert_string_equal(headline_text(&w, &h->base), "first 5 rows");
  assert_string_equal(headline_text(&w, &out->base), "last 3 rows");
  world_release(&w);
}

static void join_keys_get_one_type(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = resolve_nodes(&w, JOIN("'how': 'inner', 'on': ['a', 'b']"));
  const sp_join_node *n = (const sp_join_node *)node_of(p, "out");
  assert_int_equal(n->on.n, 0);
  assert_int_equal(n->left_on.n, 2);
  assert_string_equal(n->suffix, "_right");
  assert_ptr_equal(n->right_on.items[0].expr->type, sp_type_of(SP_KIND_INT64));
  assert_int_equal(n->right_on.items[0].expr->kind, SP_EXPR_CAST);
  assert_int_equal(n->right_on.items[1].expr->kind, SP_EXPR_COLUMN);
  assert_string_equal(headline_text(&w, &n->base), "inner on a = CAST(a AS int64) AND b = b");
  const sp_sv name = sp_join_right_name(n, sp_node_input_schema(p, &n->base, 0), SP_SV("b"), &w.arena);
  assert_string_equal(name.p, "b_right");
  world_release(&w);
}

static void outputs_keep_their_names(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = resolve_nodes(&w, ON_T("'op': 'select', 'exprs': ['a', 'c > a', 'a AS x']"));
  const sp_items *items = &((const sp_project_node *)node_of(p, "out"))->exprs;
  assert_int_equal(items->items[0].expr->kind, SP_EXPR_COLUMN);
  assert_int_equal(items->items[1].expr->kind, SP_EXPR_ALIAS);
  assert_string_equal(items->items[1].expr->name.p, "c > a");
  assert_int_equal(items->items[1].origin.n, 1);
  assert_int_equal(items->items[1].origin.ids[0], 1);
  world_release(&w);
}

static void a_filter_over_all_columns_is_one_predicate(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = resolve_nodes(&w, ON_T("'op': 'filter', 'predicate': 'is_not_null(*)'"));
  assert_int_equal(((const sp_filter_node *)node_of(p, "out"))->predicate.n, 1);
  assert_string_equal(headline_text(&w, node_of(p, "out")),
                      "a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL");
  world_release(&w);
}

static void unions_adapt_their_inputs(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p =
      resolve_nodes(&w, UNION("diagonal") ",{'id': 'out~resolve2', 'op': 'head', 'n': 1, 'input': 't'}");
  assert_int_equal(p->n_nodes, 5); /* the head is unused */
  assert_int_equal(w.n_warnings, 1);
  assert_string_equal(w.warning, "node `out~resolve2` is left out: no output uses it");
  const sp_node *out = node_of(p, "out");
  assert_string_equal(p->nodes[out->inputs[0]]->id, "out~resolve1");
  assert_string_equal(p->nodes[out->inputs[1]]->id, "out~resolve3"); /* the user has the other */
  assert_string_equal(headline_text(&w, p->nodes[out->inputs[0]]), "a, b, c, CAST(NULL AS date) AS d");
  assert_string_equal(headline_text(&w, p->nodes[out->inputs[1]]),
                      "CAST(a AS int64) AS a, b, CAST(NULL AS float64) AS c, d");
  assert_int_equal(p->nodes[out->inputs[0]]->origin.n, 1);
  assert_int_equal(p->nodes[out->inputs[0]]->origin.ids[0], out->origin.ids[0]);
  world_release(&w);
}

static void the_written_plan_stays(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *written = read_plan(&w, plan_of(&w, ON_T("'op': 'select', 'exprs': ['*', 'a + c AS s']")));
  const sp_node *before = node_of(written, "out");
  const sp_hash128 fp = before->fingerprint;
  const sp_plan *p = NULL;
  assert_int_equal(sp_plan_resolve(written, &w.env, &p, &w.err), SP_OK);
  assert_int_equal(((const sp_project_node *)before)->exprs.n, 2);
  assert_null(((const sp_project_node *)before)->exprs.items[1].expr->type);
  assert_true(sp_hash128_eq(fp, before->fingerprint));
  assert_int_equal(((const sp_project_node *)node_of(p, "out"))->exprs.n, 4);
  world_release(&w);
}

static void a_missing_file_with_a_schema_is_a_warning(void **state) {
  (void)state;
  world w;
  world_init(&w);
  w.env.plan_dir = "/nonexistent";
  const sp_plan *p = resolve_nodes(&w, "{'id': 's', 'op': 'scan_csv', 'path': 'x.csv', 'schema': {'a': "
                                       "'int64', 'b': 'string', 'c': 'date'}, 'row_index': {'name': 'i'}, "
                                       "'include_file_path': 'f', 'columns': ['f', 'b', 'i'], 'predicate': "
                                       "'a > 1'}, {'id': 'out', 'op': 'head', 'n': 1, 'input': 's'}");
  assert_int_equal(w.n_warnings, 1);
  const sp_scan_node *s = (const sp_scan_node *)node_of(p, "s");
  assert_null(s->dataset);
  assert_string_equal(schema_text(&w, s->file_schema), "i int64, a int64, b string, c date, f string");
  assert_string_equal(schema_text(&w, s->base.schema), "i int64, b string, f string");
  assert_true(s->columns_given);
  const sp_plan *bad_plan = read_plan(&w, plan_of(&w, "{'id': 'out', 'op': 'scan_csv', 'path': 'x.csv'}"));
  assert_int_equal(sp_plan_resolve(bad_plan, &w.env, &p, &w.err), SP_NOT_FOUND);
  world_release(&w);
}

static void splitting_aggregates(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p =
      resolve_nodes(&w, ON_T("'op': 'group_by', 'keys': ['b', 'a + 1 AS \\'agg 0\\''], 'aggs': ['sum(c) / "
                             "count(*) AS m', 'sum(c) AS s', '(a + 1) * 2 + count(*) AS k']"));
  sp_agg_split s;
  assert_true(sp_group_by_split((const sp_group_by_node *)node_of(p, "out"), &w.arena, &s));
  assert_int_equal(s.n_calls, 2);
  assert_string_equal(sp_expr_text(s.calls[0], &w.arena), "sum(c)");
  assert_string_equal(sp_expr_text(s.calls[1], &w.arena), "count(*)");
  assert_string_equal(s.call_names[0].p, "agg 0'");
  assert_string_equal(s.call_names[1].p, "agg 1");
  assert_string_equal(s.key_names[1].p, "agg 0");
  assert_string_equal(sp_expr_text(s.results[1], &w.arena), "\"agg 0'\" AS s");
  assert_string_equal(sp_expr_text(s.results[2], &w.arena), "\"agg 0\" * 2 + \"agg 1\" AS k");
  world_release(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_has_its_schema),
      cmocka_unit_test(every_mistake_has_its_message),
      cmocka_unit_test(normal_forms),
      cmocka_unit_test(join_keys_get_one_type),
      cmocka_unit_test(outputs_keep_their_names),
      cmocka_unit_test(a_filter_over_all_columns_is_one_predicate),
      cmocka_unit_test(unions_adapt_their_inputs),
      cmocka_unit_test(the_written_plan_stays),
      cmocka_unit_test(a_missing_file_with_a_schema_is_a_warning),
      cmocka_unit_test(splitting_aggregates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
