/* The native writer: every field of every kind comes back equal, output is stable, resolved plans are
 * documents too; and the JSON Schema. */
#include "base/file.h"
#include "formats/native/native.h"
#include "plan_text.h"

static char *written(world *w, const sp_plan *p) {
  sp_str s;
  sp_str_init(&s, &w->mem, 1 << 20);
  assert_int_equal(sp_plan_format_find(SP_SV("native"))->write(p, &s, &w->err), SP_OK);
  char *r = sp_arena_strdup(&w->arena, s.p);
  assert_non_null(r);
  sp_str_release(&s);
  return r;
}

static void assert_same_plan(const sp_plan *x, const sp_plan *y) {
  assert_int_equal(x->n_nodes, y->n_nodes);
  for (uint32_t i = 0; i < x->n_nodes; i++) {
    const sp_node *a = x->nodes[i];
    const sp_node *b = y->nodes[i];
    assert_string_equal(a->id, b->id);
    if (!sp_node_fields_eq(a, b)) {
      fail_msg("the fields of %s differ", a->id);
    }
    assert_true(sp_hash128_eq(a->fingerprint, b->fingerprint));
    assert_true((a->note == NULL) == (b->note == NULL) && (a->note == NULL || strcmp(a->note, b->note) == 0));
    assert_int_equal(a->n_inputs, b->n_inputs);
    assert_memory_equal(a->inputs, b->inputs, a->n_inputs * sizeof *a->inputs);
  }
  assert_int_equal(x->n_outputs, y->n_outputs);
  for (uint32_t i = 0; i < x->n_outputs; i++) {
    assert_int_equal(x->outputs[i], y->outputs[i]);
    assert_string_equal(x->output_ids[i], y->output_ids[i]);
  }
}

static void round_trip(world *w, const char *nodes) {
  const sp_plan *p = read_plan(w, plan_of(w, nodes));
  const char *once = written(w, p);
  const sp_plan *back = NULL;
  if (try_read(w, once, &back) != SP_OK) {
    fail_msg("%s: %s in\n%s", w->err.pointer, w->err.message, once);
  }
  assert_same_plan(p, back);
  assert_string_equal(once, written(w, back));
}

static const char *const documents[] = {
    "{'id': 'out', 'op': 'scan', 'table': 'orders', 'note': 'a \\'note\\' with ü and \\n'}",
    "{'id': 'out', 'op': 'scan_csv', 'path': 'a.csv', 'schema': {'a': 'int64', 'b c': 'decimal(9,2)', 'd': "
    "'datetime(ms)'}, 'has_header': false, 'separator': "
    "'\\t', 'quote': '', 'null_values': ['NA', ''], 'infer_rows': -1, 'try_parse_dates': false, 'ragged': "
    "'truncate', 'n_rows': 10, 'row_index': "
    "{'name': 'i', 'offset': 5}, 'include_file_path': 'f', 'hive': true, 'columns': ['b c'], 'predicate': 'a "
    "> 1 OR a IS NULL'}",
    "{'id': 'out', 'op': 'scan_parquet', 'paths': ['a', 'b'], 'columns': [], 'row_index': {'name': 'i'}}",
    "{'id': 'out', 'op': 'values', 'schema': {'i': 'int64', 'f': 'float64', 's': 'string', 'd': 'date', 'b': "
    "'bool', 'u': 'uint64', 'x': 'decimal(30,5)'}, 'rows': "
    "[[1, 1.5, 'a\\'b', '2024-01-01', true, 18446744073709551615, 1234567890123456789012345.12345], [null, "
    "2, null, null, false, 1, 1], ['7', 'NaN', '', null, null, '1', '1e0']]}",
    "{'id': 'out', 'op': 'values', 'schema': {}, 'rows': [[], []]}",
    T_VALUES("t", "'a': 'int64', 'b': 'string'") ",{'id': 'out', 'op': 'filter', 'input': 't', 'predicate': "
                                                 "'a > 1 AND b LIKE ´x%´'}",
    T_VALUES("t", "'a': 'int64', 'b': 'string'") ",{'id': 'out', 'op': 'select', 'input': 't', 'exprs': ['* "
                                                 "EXCLUDE (a)', 'a + 1 AS c', {'column': 'b'}]}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'with_columns', 'input': 't', 'exprs': []}",
    T_VALUES("t",
             "'a': 'int64', 'b': 'string'") ",{'id': 'out', 'op': 'drop', 'input': 't', 'columns': ['a']}",
    T_VALUES("t", "'a': 'int64', 'b': 'string'") ",{'id': 'out', 'op': 'rename', 'input': 't', 'columns': "
                                                 "{'a': 'b', 'b': 'a'}}",
    T_VALUES("t", "'a': 'int64', 'b': 'string'") ",{'id': 'out', 'op': 'group_by', 'input': 't', 'keys': "
                                                 "['b'], 'aggs': ['sum(a) FILTER (WHERE a > 0) AS s', "
                                                 "'count(*)'], 'maintain_order': true}",
    T_VALUES("t", "'a': 'int64'") "," T_VALUES(
        "u", "'b': 'int64'") ",{'id': 'out', 'op': 'join', 'left': 't', 'right': 'u', 'how': 'full', "
                             "'left_on': ['a'], 'right_on': ['b'], 'predicate': 'a < b', "
                             "'suffix': '_r', 'nulls_equal': true, 'coalesce': true, 'maintain_order': true}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'join', 'left': 't', 'right': 't', 'how': 'semi', "
                                  "'on': ['a'], 'coalesce': false}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'join', 'left': 't', 'right': 't', 'how': 'cross'}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'sort', 'input': 't', 'by': ['a', {'expr': 'a + 1', "
                                  "'descending': true}, {'expr': 'a', 'nulls_last': true, 'descending': "
                                  "true}], 'maintain_order': true}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'slice', 'input': 't', 'offset': -3, 'length': 2}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'head', 'input': 't', 'n': 0}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'tail', 'input': 't', 'n': 9223372036854775807}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'limit', 'input': 't', 'n': 5}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'top_k', 'input': 't', 'k': 5, 'by': [{'expr': 'a', "
                                  "'descending': true}]}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'unique', 'input': 't', 'subset': ['a'], 'keep': "
                                  "'last', 'maintain_order': true}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'unique', 'input': 't'}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'union', 'inputs': ['t', 't', {'op': 'cache', "
                                  "'input': 't'}], 'how': 'diagonal'}",
    T_VALUES(
        "t",
        "'a': 'int64'") ",{'id': 'out', 'op': 'with_row_index', 'input': 't', 'name': 'n', 'offset': -7}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'pivot', 'input': 't', 'on': ['a'], 'on_columns': "
                                  "['1', '2'], 'index': ['a'], 'values': ['a'], 'agg': 'sum'}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'sink_csv', 'input': 't', 'path': 'x-{part}.csv', "
                                  "'partition': {'max_rows': 5, 'max_bytes': 6, 'by': ['a']}, 'mkdir': true, "
                                  "'has_header': false, 'separator': ';', 'quote': '´', 'null_value': 'NA'}",
    T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'sink_parquet', 'input': 't', 'path': 'x.parquet', "
                                  "'compression': 'zstd:3'}",
};

static void every_field_comes_back(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
    world w;
    world_init(&w);
    round_trip(&w, documents[i]);
    world_release(&w);
  }
}

/* Each kind stands among the documents above, so that a new one is not forgotten. */
static void no_kind_is_left_out(void **state) {
  (void)state;
  for (uint32_t k = 0; sp_node_table[k] != NULL; k++) {
    char op[64];
    snprintf(op, sizeof op, "'op': '%s'", sp_node_table[k]->name);
    bool found = false;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
      found = found || strstr(documents[i], op) != NULL;
    }
    if (!found) {
      fail_msg("%s is not written by any test", op);
    }
  }
}

static void exact_text(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = read_plan(
      &w, "{'outputs': ['out'], 'nodes': [{'note': 'n', 'predicate': 'a>1', 'input': {'rows': [[1]], "
          "'schema': {'a': 'int64'}, 'op': 'values'}, 'op': 'filter', 'id': 'out'}], 'sigmapi': 1}");
  assert_string_equal(
      written(&w, p),
      "{\n  \"sigmapi\": 1,\n  \"nodes\": [\n"
      "    {\"id\": \"out.input\", \"op\": \"values\", \"schema\": {\"a\": \"int64\"}, \"rows\": [[1]]},\n"
      "    {\"id\": \"out\", \"op\": \"filter\", \"input\": \"out.input\", \"predicate\": \"a > 1\", "
      "\"note\": \"n\"}\n"
      "  ],\n  \"outputs\": [\n    \"out\"\n  ]\n}\n");
  world_release(&w);
}

/* A resolved plan written and read resolves to itself. */
static void resolved_plans_are_documents(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = resolve_nodes(
      &w,
      T_VALUES(
          "t",
          "'a': 'int64', 'b': 'float64'") ","
                                          "{'id': 'r', 'op': 'rename', 'input': 't', 'columns': {'a': 'c'}},"
                                          "{'id': 'u', 'op': 'union', 'inputs': ['t', 'r'], 'how': "
                                          "'diagonal'},"
                                          "{'id': 'f', 'op': 'filter', 'input': 'u', 'predicate': 'a + 1 > b "
                                          "OR c IS NULL'},"
                                          "{'id': 'j', 'op': 'join', 'left': 'f', 'right': 't', 'how': "
                                          "'left', 'left_on': ['a'], 'right_on': ['b'], 'predicate': "
                                          "'a_right < c'},"
                                          "{'id': 's', 'op': 'select', 'input': 'j', 'exprs': ['a * 2', "
                                          "'b']},"
                                          "{'id': 'out', 'op': 'tail', 'input': 's', 'n': 3}");
  const char *text = written(&w, p);
  const sp_plan *again = NULL;
  if (try_read(&w, text, &again) != SP_OK) {
    fail_msg("%s in\n%s", w.err.message, text);
  }
  const sp_plan *r = NULL;
  if (sp_plan_resolve(again, &w.env, &r, &w.err) != SP_OK) {
    fail_msg("%s in\n%s", w.err.message, text);
  }
  assert_same_plan(p, r);
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    assert_true(sp_schema_eq(p->nodes[i]->schema, r->nodes[i]->schema));
  }
  world_release(&w);
}

static void conjuncts_are_written_as_one_text(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = resolve_nodes(
      &w, T_VALUES("t", "'a': 'int64'") ",{'id': 'out', 'op': 'filter', 'input': 't', 'predicate': 'a > 1'}");
  sp_filter_node *f = (sp_filter_node *)sp_node_copy(&w.arena, node_of(p, "out"));
  const sp_plan *other = resolve_nodes(
      &w,
      T_VALUES("t",
               "'a': 'int64'") ",{'id': 'out', 'op': 'filter', 'input': 't', 'predicate': 'a < 0 OR a = 5'}");
  const sp_expr *both[] = {f->predicate.items[0].expr,
                           ((const sp_filter_node *)node_of(other, "out"))->predicate.items[0].expr};
  f->predicate = *sp_items_of(&w.arena, both, 2, (sp_origin){0});
  sp_plan_builder b = {.arena = &w.arena};
  const uint32_t t = sp_plan_add(&b, (sp_node *)(uintptr_t)p->nodes[0]);
  const uint32_t out = sp_plan_add(&b, &f->base);
  assert_true(t == 0 && out == 1);
  const sp_plan *q = NULL;
  assert_int_equal(sp_plan_finish(&b, p, SP_STAGE_OPTIMIZED, &out, 1, &q, &w.err), SP_OK);
  assert_non_null(strstr(written(&w, q), "\"predicate\": \"a > 1 AND (a < 0 OR a = 5)\""));
  assert_string_equal(headline_text(&w, node_of(q, "out")), "a > 1 AND (a < 0 OR a = 5)");
  world_release(&w);
}

/* Well-formed, with every kind, and closed. SIGMAPI_SCHEMA_OUT=FILE writes it for a validator. */
static void json_schema(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  sp_str_init(&s, &w.mem, 1 << 20);
  assert_int_equal(sp_native_schema(&s, &w.err), SP_OK);
  const sp_json_doc *d = NULL;
  if (sp_json_parse(&w.arena, NULL, s.p, s.n, &d, &w.err) != SP_OK) {
    fail_msg("%u:%u %s", w.err.line, w.err.col, w.err.message);
  }
  const sp_json *defs = sp_json_get(d->root, "$defs");
  uint32_t k = 0;
  for (; sp_node_table[k] != NULL; k++) {
    const sp_json *def = sp_json_get(defs, sp_node_table[k]->name);
    assert_non_null(def);
    assert_int_equal(sp_json_get(def, "additionalProperties")->b, false);
    for (const sp_field_desc *f = sp_node_table[k]->fields; f->key != NULL; f++) {
      assert_non_null(sp_json_get(sp_json_get(def, "properties"), f->key));
    }
  }
  assert_int_equal(sp_json_get(sp_json_get(defs, "node"), "oneOf")->n, k);
  if (getenv("SIGMAPI_SCHEMA_OUT") != NULL) {
    assert_int_equal(sp_file_write(&w.mem, getenv("SIGMAPI_SCHEMA_OUT"), s.p, s.n, NULL, &w.err), SP_OK);
  }
  sp_str_release(&s);
  world_release(&w);
}

static void a_full_text_is_an_error(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = read_plan(&w, plan_of(&w, T_VALUES("out", "'a': 'int64'")));
  sp_str s;
  sp_str_init(&s, &w.mem, 20);
  assert_int_equal(sp_native_write(p, &s, &w.err), SP_LIMIT);
  sp_str_release(&s);
  world_release(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_field_comes_back),
      cmocka_unit_test(no_kind_is_left_out),
      cmocka_unit_test(exact_text),
      cmocka_unit_test(resolved_plans_are_documents),
      cmocka_unit_test(conjuncts_are_written_as_one_text),
      cmocka_unit_test(json_schema),
      cmocka_unit_test(a_full_text_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
