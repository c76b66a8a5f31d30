/* The native reader: every way a document can be wrong, with its place; and plans that are right. */
#include "plan_text.h"

typedef struct bad {
  const char *text;
  sp_status status;
  const char *message; /* exactly */
  const char *hint;    /* a part of it, or "" for none */
  const char *pointer; /* line and column must be those of the value or the key there */
} bad;

#define SRC "{'id': 't', 'op': 'values', 'schema': {'a': 'int64'}, 'rows': []}"
#define PLAN(nodes) "{'sigmapi': 1,\n 'nodes': [" nodes "],\n 'outputs': ['out']}"
#define ON_T(rest) PLAN(SRC ",\n{'id': 'out', 'input': 't', " rest "}")

static const bad documents[] = {
    {"[]", SP_INVALID, "this is no plan: expected an object, got an array", "", ""},
    {"{}", SP_INVALID, "this is no plan of a known format", "\"sigmapi\": 1", ""},
    {"{'nodes': []}", SP_INVALID, "this is no plan of a known format", "starts with", ""},
    {"{'sigmapi': 2, 'nodes': []}", SP_UNSUPPORTED,
     "version 2 of the plan format is not known: this program reads version 1", "", "/sigmapi"},
    {"{'sigmapi': '1', 'nodes': []}", SP_INVALID, "a native plan starts with \"sigmapi\": 1", "", "/sigmapi"},
    {"{'sigmapi': 1}", SP_INVALID, "`nodes` is missing", "", ""},
    {"{'sigmapi': 1, 'nodes': {}}", SP_INVALID, "`nodes` must be a list of nodes, got an object", "",
     "/nodes"},
    {"{'sigmapi': 1, 'node': []}", SP_INVALID, "unknown key `node` of a plan", "`nodes`", "/node"},
    {"{'sigmapi': 1, 'nodes': [" SRC "]}", SP_INVALID,
     "the plan has no outputs: list the ids of its results in `outputs`", "", ""},
    {"{'sigmapi': 1, 'nodes': [" SRC "], 'outputs': []}", SP_INVALID,
     "the plan has no outputs: list the ids of its results in `outputs`", "", "/outputs"},
    {"{'sigmapi': 1, 'nodes': [" SRC "], 'outputs': 't'}", SP_INVALID,
     "`outputs` must be a list of node ids, got a string", "", "/outputs"},
    {"{'sigmapi': 1, 'nodes': [" SRC "], 'outputs': [1]}", SP_INVALID,
     "`outputs` must be a list of node ids, got an integer", "", "/outputs/0"},
    {"{'sigmapi': 1, 'nodes': [" SRC "], 'outputs': ['t', 't']}", SP_INVALID, "output `t` is listed twice",
     "", "/outputs/1"},
    {"{'sigmapi': 1, 'nodes': [" SRC "], 'outputs': ['tt']}", SP_NOT_FOUND, "unknown node `tt`", "`t`",
     "/outputs/0"},
};

static const bad nodes[] = {
    {PLAN("3"), SP_INVALID, "a node must be an object, got an integer", "", "/nodes/0"},
    {PLAN("{'op': 'values'}"), SP_INVALID, "`id` is missing", "", "/nodes/0"},
    {PLAN("{'id': '', 'op': 'values'}"), SP_INVALID, "`id` must be a string of 1 to 1000 bytes", "",
     "/nodes/0/id"},
    {PLAN("{'id': 7, 'op': 'values'}"), SP_INVALID, "`id` must be a string of 1 to 1000 bytes", "",
     "/nodes/0/id"},
    {PLAN("{'id': 'out'}"), SP_INVALID, "`op` is missing", "", "/nodes/0"},
    {PLAN("{'id': 'out', 'op': 5}"), SP_INVALID, "`op` must be a string, got an integer", "", "/nodes/0/op"},
    {PLAN("{'id': 'out', 'op': 'filtr'}"), SP_INVALID, "unknown op `filtr`", "`filter`", "/nodes/0/op"},
    {PLAN(SRC "," SRC), SP_INVALID, "duplicate id `t`: the node at /nodes/0 (line 2) has it too", "",
     "/nodes/1"},
    {ON_T("'op': 'filter'"), SP_INVALID, "`predicate` is missing", "", "/nodes/1"},
    {PLAN("{'id': 'out', 'op': 'filter', 'predicate': 'a'}"), SP_INVALID, "`input` is missing", "",
     "/nodes/0"},
    {PLAN("{'id': 'out', 'op': 'filter', 'input': 3, 'predicate': 'a'}"), SP_INVALID,
     "`input` must be a node's id, or a node, got an integer", "", "/nodes/0/input"},
    {PLAN("{'id': 'out', 'op': 'union', 'inputs': 'a'}"), SP_INVALID,
     "`inputs` must be a list of at most 65535 nodes, got a string", "", "/nodes/0/inputs"},
    {PLAN("{'id': 'out', 'op': 'union', 'inputs': [null]}"), SP_INVALID,
     "`inputs/0` must be a node's id, or a node, got null", "", "/nodes/0/inputs/0"},
    {PLAN(SRC ",{'id': 'out', 'op': 'head', 'n': 1, 'input': 'u'}"), SP_NOT_FOUND, "unknown node `u`", "`t`",
     "/nodes/1/input"},
    {PLAN("{'id': 'flights', 'op': 'scan', 'table': 't'},{'id': 'out', 'op': 'head', 'n': 1, 'input': "
          "'flight'}"),
     SP_NOT_FOUND, "unknown node `flight`", "`flights`", "/nodes/1/input"},
    {ON_T("'op': 'filter', 'predicate': 'a > 1', 'predicat': 2"), SP_INVALID,
     "unknown key `predicat` of filter", "`predicate`", "/nodes/1/predicat"},
    {ON_T("'op': 'head', 'n': 1, 'zzzzzz': 2"), SP_INVALID, "unknown key `zzzzzz` of head", "",
     "/nodes/1/zzzzzz"},
    {ON_T("'op': 'head', 'n': 1, 'note': 2"), SP_INVALID, "`note` must be a string, got an integer", "",
     "/nodes/1/note"},
    {PLAN("{'id': 'out', 'op': 'head', 'n': 1, 'input': 'out'}"), SP_INVALID,
     "the nodes' inputs form a cycle: out → out", "", "/nodes/0"},
    {PLAN("{'id': 'x', 'op': 'head', 'n': 1, 'input': 'out'}, {'id': 'y', 'op': 'head', 'n': 1, 'input': "
          "'x'}, {'id': 'out', 'op': 'head', 'n': 1, 'input': 'y'}"),
     SP_INVALID, "the nodes' inputs form a cycle: x → out → y → x", "", "/nodes/0"},
};

static const bad fields[] = {
    {ON_T("'op': 'filter', 'predicate': 3"), SP_INVALID,
     "`predicate` must be an expression (text, or an object), got an integer", "", "/nodes/1/predicate"},
    {ON_T("'op': 'select', 'exprs': 'a'"), SP_INVALID, "`exprs` must be a list of expressions, got a string",
     "", "/nodes/1/exprs"},
    {ON_T("'op': 'select', 'exprs': [true]"), SP_INVALID,
     "`exprs` must be an expression (text, or an object), got a boolean", "", "/nodes/1/exprs/0"},
    {ON_T("'op': 'sort', 'by': {}"), SP_INVALID, "`by` must be a list of sort keys, got an object", "",
     "/nodes/1/by"},
    {ON_T("'op': 'sort', 'by': [{'expr': 'a', 'descending': 1}]"), SP_INVALID,
     "`descending` must be true or false, got an integer", "", "/nodes/1/by/0/descending"},
    {ON_T("'op': 'sort', 'by': [{'expr': 'a', 'desc': true}]"), SP_INVALID,
     "unknown key `desc` of a sort key", "`descending`", "/nodes/1/by/0/desc"},
    {ON_T("'op': 'drop', 'columns': 'a'"), SP_INVALID, "`columns` must be a list of strings, got a string",
     "", "/nodes/1/columns"},
    {ON_T("'op': 'drop', 'columns': [1]"), SP_INVALID, "`columns` must be a list of strings, got an integer",
     "", "/nodes/1/columns/0"},
    {ON_T("'op': 'rename', 'columns': ['a']"), SP_INVALID,
     "`columns` must be an object of old: new, got an array", "", "/nodes/1/columns"},
    {ON_T("'op': 'rename', 'columns': {'a': 1}"), SP_INVALID,
     "`a` must be the new name (a string), got an integer", "", "/nodes/1/columns/a"},
    {ON_T("'op': 'rename', 'columns': {'a': 'b\\u0000'}"), SP_INVALID,
     "`a` must not hold the character U+0000", "", "/nodes/1/columns/a"},
    {ON_T("'op': 'head', 'n': '3'"), SP_INVALID, "`n` must be an integer, got a string", "", "/nodes/1/n"},
    {ON_T("'op': 'head', 'n': 1.5"), SP_INVALID, "`n` must be an integer, got a number", "", "/nodes/1/n"},
    {ON_T("'op': 'sort', 'by': [], 'maintain_order': 'yes'"), SP_INVALID,
     "`maintain_order` must be true or false, got a string", "", "/nodes/1/maintain_order"},
    {ON_T("'op': 'unique', 'keep': 'frist'"), SP_INVALID,
     "`keep` is `frist`: it must be one of any, first, last, none", "`first`", "/nodes/1/keep"},
    {ON_T("'op': 'unique', 'keep': true"), SP_INVALID, "`keep` must be a string, got a boolean", "",
     "/nodes/1/keep"},
    {PLAN("{'id': 'out', 'op': 'scan_csv'}"), SP_INVALID, "`path` is missing", "", "/nodes/0"},
    {PLAN("{'id': 'out', 'op': 'scan_csv', 'paths': []}"), SP_INVALID, "`paths` names no file", "",
     "/nodes/0/paths"},
    {PLAN("{'id': 'out', 'op': 'scan_csv', 'path': ''}"), SP_INVALID, "`path` holds an empty path", "",
     "/nodes/0/path"},
    {PLAN("{'id': 'out', 'op': 'scan_csv', 'path': 'a', 'paths': ['b']}"), SP_INVALID,
     "a scan has either `path` or `paths`", "", "/nodes/0/paths"},
    {PLAN("{'id': 'out', 'op': 'scan_csv', 'path': 'a', 'separator': 'ab'}"), SP_INVALID,
     "`separator` must be a string of one byte, got `ab`", "", "/nodes/0/separator"},
    {PLAN("{'id': 'out', 'op': 'scan_csv', 'path': 'a', 'row_index': 'i'}"), SP_INVALID,
     "`row_index` must be an object {name, offset}, got a string", "", "/nodes/0/row_index"},
    {PLAN("{'id': 'out', 'op': 'scan_csv', 'path': 'a', 'row_index': {}}"), SP_INVALID,
     "`row_index` needs a `name`", "", "/nodes/0/row_index"},
    {PLAN("{'id': 'out', 'op': 'scan_csv', 'path': 'a', 'row_index': {'nam': 'i'}}"), SP_INVALID,
     "unknown key `nam` of `row_index`", "`name`", "/nodes/0/row_index/nam"},
    {ON_T("'op': 'sink_csv', 'path': 'x', 'partition': {'max_row': 1}"), SP_INVALID,
     "unknown key `max_row` of `partition`", "`max_rows`", "/nodes/1/partition/max_row"},
    {ON_T("'op': 'sink_csv', 'path': 'x', 'partition': 1"), SP_INVALID,
     "`partition` must be an object {max_rows, max_bytes, by}, got an integer", "", "/nodes/1/partition"},
};

#define VALUES(schema, rows) PLAN("{'id': 'out', 'op': 'values', 'schema': " schema ", 'rows': " rows "}")
static const bad rows[] = {
    {VALUES("[]", "[]"), SP_INVALID, "`schema` must be an object of name: type, got an array", "",
     "/nodes/0/schema"},
    {VALUES("{'a': 1}", "[]"), SP_INVALID, "`a` must be a type's name (a string), got an integer", "",
     "/nodes/0/schema/a"},
    {VALUES("{'a': 'int46'}", "[]"), SP_TYPE, "column `a`: unknown type `int46`", "int64",
     "/nodes/0/schema/a"},
    {VALUES("{'a': 'interval'}", "[]"), SP_TYPE, "column `a`: unknown type `interval`", "int64",
     "/nodes/0/schema/a"},
    {VALUES("{'a': 'int64'}", "{}"), SP_INVALID, "`rows` must be a list of rows, got an object", "",
     "/nodes/0/rows"},
    {VALUES("{'a': 'int64'}", "[1]"), SP_INVALID,
     "`rows` must be a list of rows (lists or objects), got an integer", "", "/nodes/0/rows/0"},
    {VALUES("{'a': 'int64'}", "[[1, 2]]"), SP_INVALID, "row 1 has 2 values, the schema 1 column", "",
     "/nodes/0/rows/0"},
    {VALUES("{'a': 'int64'}", "[[1], [[2]]]"), SP_TYPE, "row 2, column `a`: a list or an object is no value",
     "", "/nodes/0/rows/1/0"},
    {VALUES("{'a': 'int64'}", "[['abc']]"), SP_TYPE,
     "row 1, column `a`: expected int64, got the string `abc`", "", "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'int64'}", "[[1.5]]"), SP_TYPE, "row 1, column `a`: expected int64, got 1.5", "",
     "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'int8'}", "[[300]]"), SP_TYPE, "row 1, column `a`: expected int8, got 300", "",
     "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'uint8'}", "[[-1]]"), SP_TYPE, "row 1, column `a`: expected uint8, got -1", "",
     "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'string'}", "[[5]]"), SP_TYPE, "row 1, column `a`: expected string, got 5", "",
     "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'bool'}", "[['true']]"), SP_TYPE,
     "row 1, column `a`: expected bool, got the string `true`", "", "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'int64'}", "[[true]]"), SP_TYPE, "row 1, column `a`: expected int64, got true", "",
     "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'date'}", "[['2024-02-30']]"), SP_TYPE,
     "row 1, column `a`: expected date, got the string `2024-02-30`", "", "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'date'}", "[[19000]]"), SP_TYPE, "row 1, column `a`: expected date, got 19000", "",
     "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'decimal(4,2)'}", "[[1.234]]"), SP_TYPE,
     "row 1, column `a`: expected decimal(4,2), got the string `1.234`", "", "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'decimal(4,2)'}", "[[1000]]"), SP_TYPE,
     "row 1, column `a`: expected decimal(4,2), got 1000", "", "/nodes/0/rows/0/0"},
    {VALUES("{'a': 'int64', 'b': 'int64'}", "[{'a': 1, 'c': 2}]"), SP_NOT_FOUND, "unknown column `c`",
     "`a` or `b`", "/nodes/0/rows/0/c"},
};

/* The value that a JSON pointer (without escapes) means. */
static const sp_json *at_pointer(const sp_json_doc *d, const char *pointer) {
  const sp_json *v = d->root;
  while (*pointer == '/') {
    const size_t n = strcspn(++pointer, "/");
    const sp_json *c = v->first;
    for (long i = v->kind == SP_JSON_ARRAY ? atol(pointer) : 0; i > 0 && c != NULL; i--) {
      c = c->next;
    }
    while (v->kind == SP_JSON_OBJECT && c != NULL && !sp_sv_eq(c->key, (sp_sv){pointer, n})) {
      c = c->next;
    }
    if (c == NULL) {
      return NULL;
    }
    v = c;
    pointer += n;
  }
  return v;
}

static bool at_offset(const char *text, uint32_t offset, uint32_t line, uint32_t col) {
  uint32_t l = 1;
  uint32_t start = 0;
  for (uint32_t i = 0; i < offset; i++) {
    if (text[i] == '\n') {
      l++;
      start = i + 1;
    }
  }
  return l == line && offset - start + 1 == col;
}

static bool right_place(world *w, const char *text, const sp_error *e) {
  const sp_json_doc *d = NULL;
  assert_int_equal(sp_json_parse(&w->arena, NULL, text, strlen(text), &d, NULL), SP_OK);
  const sp_json *v = at_pointer(d, e->pointer);
  return v != NULL && (at_offset(text, v->offset, e->line, e->col) ||
                       (v->key.p != NULL && at_offset(text, v->key_offset, e->line, e->col)));
}

static void check(const bad *list, size_t n) {
  uint32_t wrong = 0;
  for (size_t i = 0; i < n; i++) {
    world w;
    world_init(&w);
    const sp_plan *p = NULL;
    const char *text = quotes(&w, list[i].text);
    const sp_status st = try_read(&w, text, &p);
    const sp_error *e = &w.err;
    if (st != list[i].status || strcmp(e->message, list[i].message) != 0 ||
        strcmp(e->pointer, list[i].pointer) != 0 || !right_place(&w, text, e) ||
        (list[i].hint[0] == '\0' ? e->hint[0] != '\0' : strstr(e->hint, list[i].hint) == NULL) || p != NULL ||
        e->status != st || strcmp(e->file, "p.json") != 0) {
      wrong++;
      print_error("case %zu %s\n  gives %d %s (%u:%u): %s [%s]\n  wanted %d %s: %s [%s]\n", i, text, (int)st,
                  e->pointer, e->line, e->col, e->message, e->hint, (int)list[i].status, list[i].pointer,
                  list[i].message, list[i].hint);
    }
    world_release(&w);
  }
  assert_int_equal(wrong, 0);
}

static void wrong_documents(void **state) {
  (void)state;
  check(documents, sizeof documents / sizeof *documents);
}

static void wrong_nodes(void **state) {
  (void)state;
  check(nodes, sizeof nodes / sizeof *nodes);
}

static void wrong_fields(void **state) {
  (void)state;
  check(fields, sizeof fields / sizeof *fields);
}

static void wrong_rows(void **state) {
  (void)state;
  check(rows, sizeof rows / sizeof *rows);
}

static void expression_errors_have_places(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = NULL;
  assert_int_equal(try_read(&w, quotes(&w, ON_T("'op': 'select', 'exprs': ['a', 'a +']")), &p), SP_SYNTAX);
  assert_string_equal(w.err.pointer, "/nodes/1/exprs/1");
  assert_int_equal(w.err.line, 3);
  assert_int_equal(w.err.col, 64);
  world_release(&w);
}

static void nodes_in_any_order_and_in_place(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = read_plan(
      &w, "{'$schema': 'x', 'sigmapi': 1, // comment\n 'nodes': ["
          "{'id': 'out', 'op': 'head', 'n': 2, 'note': 'hi', 'input': {'op': 'union', 'inputs': ['t', {'id': "
          "'named', 'op': 'cache', 'input': 't'}, {'op': 'tail', 'n': 1, 'input': 'named'}]}},"
          " " SRC "], # another\n 'outputs': ['out', 'named'],}");
  assert_int_equal(p->stage, SP_STAGE_WRITTEN);
  assert_string_equal(p->file, "p.json");
  assert_int_equal(p->n_nodes, 5);
  static const char *const order[] = {"t", "named", "out.input.inputs.2", "out.input", "out"};
  for (uint32_t i = 0; i < 5; i++) {
    assert_string_equal(p->nodes[i]->id, order[i]);
    assert_string_equal(p->written_ids[i], order[i]);
    assert_int_equal(p->nodes[i]->origin.n, 1);
    assert_int_equal(p->nodes[i]->origin.ids[0], i);
    assert_null(p->nodes[i]->schema);
    for (uint32_t k = 0; k < p->nodes[i]->n_inputs; k++) {
      assert_true(p->nodes[i]->inputs[k] < i);
    }
  }
  assert_string_equal(p->nodes[4]->note, "hi");
  assert_int_equal(p->n_outputs, 2);
  assert_string_equal(p->output_ids[1], "named");
  assert_int_equal(p->outputs[1], 1);
  assert_string_equal(node_of(p, "out.input")->loc.pointer, "/nodes/0/input");
  assert_string_equal(node_of(p, "out.input.inputs.2")->loc.pointer, "/nodes/0/input/inputs/2");
  const uint32_t *consumers = sp_plan_consumers(p, &w.arena);
  assert_int_equal(consumers[0], 2);
  assert_int_equal(consumers[1], 3); /* twice an input, once an output */
  world_release(&w);
}

static void an_unused_node_is_kept_as_written(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = read_plan(&w, PLAN(SRC ", {'id': 'lonely', 'op': 'head', 'n': 1, 'input': 't'}, {'id': "
                                            "'out', 'op': 'tail', 'n': 1, 'input': 't'}"));
  assert_int_equal(p->n_nodes, 3);
  world_release(&w);
}

static void sinks_need_no_outputs(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p = read_plan(&w, "{'sigmapi': 1, 'nodes': [" SRC
                                   ", {'id': 's', 'op': 'sink_csv', 'path': 'x.csv', 'input': 't'}]}");
  assert_int_equal(p->n_outputs, 0);
  const sp_plan *r = NULL;
  assert_int_equal(sp_plan_resolve(p, &w.env, &r, &w.err), SP_OK);
  assert_int_equal(r->n_outputs, 1);
  assert_string_equal(r->output_ids[0], "s");
  world_release(&w);
}

static void values_as_in_json(void **state) {
  (void)state;
  world w;
  world_init(&w);
  const sp_plan *p =
      read_plan(&w, VALUES("{'i': 'int64', 'u': 'uint64', 'f': 'float64', 'd': 'decimal(20,2)', 't': 'date', "
                           "'s': 'string', 'b': 'bool'}",
                           "[[1, 18446744073709551615, 1, 123456789012345678.25, '2024-02-29', 'x', true],"
                           "['9223372036854775807', '7', 'NaN', '1.5', null, null, null], {'s': 'only'}]"));
  const sp_values_node *n = (const sp_values_node *)p->nodes[0];
  assert_int_equal(n->rows.n, 3);
  assert_ptr_equal(n->rows.values[0][0].type, sp_type_of(SP_KIND_INT64));
  assert_ptr_equal(n->rows.values[0][1].type, sp_type_of(SP_KIND_UINT64));
  assert_ptr_equal(n->rows.values[1][0].type, sp_type_of(SP_KIND_STRING));
  const sp_plan *r = NULL;
  assert_int_equal(sp_plan_resolve(p, &w.env, &r, &w.err), SP_OK);
  const sp_values_node *x = (const sp_values_node *)r->nodes[0];
  for (uint32_t c = 0; c < 7; c++) {
    assert_ptr_equal(x->rows.values[2][c].type, x->given->fields[c].type);
    assert_int_equal(x->rows.values[2][c].is_null, c != 5);
  }
  assert_true(x->rows.values[0][1].u == UINT64_MAX);
  assert_true(x->rows.values[0][2].f == 1.0);
  assert_true(sp_value_i128(&x->rows.values[0][3]) == (sp_i128)123456789012345678 * 100 + 25);
  assert_int_equal(x->rows.values[0][4].i, 19782);
  assert_true(x->rows.values[1][0].i == INT64_MAX);
  assert_true(x->rows.values[1][1].u == 7);
  assert_true(x->rows.values[1][2].f != x->rows.values[1][2].f);
  assert_true(sp_value_i128(&x->rows.values[1][3]) == 150);
  world_release(&w);
}

/* A row of 64 and more small integers comes as bytes from the JSON reader. */
static void a_wide_row_of_small_integers(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  sp_str_init(&s, &w.mem, 100000);
  sp_str_add(&s, "{'sigmapi': 1, 'nodes': [{'id': 'v', 'op': 'values', 'schema': {");
  for (int i = 0; i < 100; i++) {
    sp_str_addf(&s, "%s'c%d': 'float64'", i > 0 ? ", " : "", i);
  }
  sp_str_add(&s, "}, 'rows': [[");
  for (int i = 0; i < 100; i++) {
    sp_str_addf(&s, "%s%d", i > 0 ? ", " : "", i);
  }
  sp_str_add(&s, "]]}], 'outputs': ['v']}");
  const sp_plan *p = read_plan(&w, s.p);
  const sp_plan *r = NULL;
  assert_int_equal(sp_plan_resolve(p, &w.env, &r, &w.err), SP_OK);
  assert_true(((const sp_values_node *)r->nodes[0])->rows.values[0][99].f == 99.0);
  sp_str_release(&s);
  world_release(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_documents),
      cmocka_unit_test(wrong_nodes),
      cmocka_unit_test(wrong_fields),
      cmocka_unit_test(wrong_rows),
      cmocka_unit_test(expression_errors_have_places),
      cmocka_unit_test(nodes_in_any_order_and_in_place),
      cmocka_unit_test(an_unused_node_is_kept_as_written),
      cmocka_unit_test(sinks_need_no_outputs),
      cmocka_unit_test(values_as_in_json),
      cmocka_unit_test(a_wide_row_of_small_integers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
