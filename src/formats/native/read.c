/* Reads a native plan.
 *
 *   {"sigmapi": 1, "nodes": [{"id": "out", "op": "head", "n": 3, "input": {"op": "scan", "table": "t"}}],
 * "outputs": ["out"]} ⇒ nodes `out.input` (scan) and `out` (head)
 *
 * Nodes come in any order; a node written in place is named after its consumer and key. All nodes are
 * collected first, by a queue and not by recursion, then ids are looked up, then fields are read from the
 * kinds' tables. Pointers are built from the consumer's, since asking a JSON value for its own counts its
 * elder siblings. */
#include "formats/native/native.h"

typedef struct entry {
  const sp_json *v;
  const char *pointer;
  const char *id;
  sp_loc loc;
  sp_node *node;
  uint32_t depth; /* of nodes in place */
  uint32_t n_inputs;
  uint32_t *inputs; /* entry, or UINT32_MAX: named by input_values */
  const sp_json **input_values;
} entry;

typedef struct reading {
  sp_native_reader r;
  entry *entries;
  uint32_t n, cap;
  sp_idmap ids;
} reading;

/* ---- messages ---- */
static sp_status missing(reading *x, const entry *e, const char *key, sp_error *err) {
  (void)x;
  SP_FAIL(err, SP_INVALID, &e->loc, "`%s` is missing", key);
}

static sp_sv op_name(const void *ctx, uint32_t i) {
  (void)ctx;
  return sp_sv_from(sp_node_table[i]->name);
}

static sp_status unknown_op(reading *x, const sp_json *op, sp_error *err) {
  const sp_loc at = sp_json_loc(x->r.doc, op, x->r.arena);
  uint32_t n = 0;
  while (sp_node_table[n] != NULL) {
    n++;
  }
  char near[200];
  sp_error_set(err, SP_INVALID, &at, "unknown op `%.*s`", (int)(op->str.n < 100 ? op->str.n : 100),
               op->str.p);
  if (sp_nearest_names(op->str, n, op_name, NULL, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s?", near);
  }
  return SP_INVALID;
}

static sp_sv entry_id(const void *ctx, uint32_t i) {
  return sp_sv_from(((const reading *)ctx)->entries[i].id);
}

static sp_status unknown_id(reading *x, const sp_json *v, sp_error *err) {
  const sp_loc at = sp_json_loc(x->r.doc, v, x->r.arena);
  char near[224];
  sp_error_set(err, SP_NOT_FOUND, &at, "unknown node `%.*s`", (int)(v->str.n < 200 ? v->str.n : 200),
               v->str.p);
  if (sp_nearest_names(v->str, x->n, entry_id, x, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s?", near);
  }
  return SP_NOT_FOUND;
}

/* ---- collecting nodes ---- */
/* pointer: v's; default_id: for nodes in place, NULL for listed ones. */
static sp_status add_entry(reading *x, const sp_json *v, const char *pointer, const char *default_id,
                           uint32_t depth, sp_error *err) {
  entry e = {
      .v = v, .pointer = pointer, .id = default_id, .depth = depth, .loc = sp_native_loc(&x->r, pointer, v)};
  if (v->kind != SP_JSON_OBJECT) {
    SP_FAIL(err, SP_INVALID, &e.loc, "a node must be an object, got %s", sp_json_kind_name(v->kind));
  }
  if (x->n >= SP_PLAN_MAX_NODES) {
    SP_FAIL(err, SP_LIMIT, &e.loc, "the plan has more than %d nodes", SP_PLAN_MAX_NODES);
  }
  if (depth > SP_NATIVE_MAX_IN_PLACE) {
    SP_FAIL(err, SP_LIMIT, &e.loc, "nodes are written in place more than %d deep: give them ids",
            SP_NATIVE_MAX_IN_PLACE);
  }
  const sp_json *id = sp_json_get(v, "id");
  if (id != NULL) {
    e.id = sp_native_cstr(id);
    if (e.id == NULL || e.id[0] == '\0' || id->str.n > SP_NATIVE_MAX_ID) {
      const sp_loc at = sp_json_loc(x->r.doc, id, x->r.arena);
      SP_FAIL(err, SP_INVALID, &at, "`id` must be a string of 1 to %d bytes", SP_NATIVE_MAX_ID);
    }
  } else if (e.id == NULL) {
    return missing(x, &e, "id", err);
  }
  if (!sp_arena_grow(x->r.arena, &x->entries, &x->cap, x->n + 1, sizeof *x->entries)) {
    return sp_error_nomem(err);
  }
  x->entries[x->n++] = e;
  return SP_OK;
}

static sp_status find_op(reading *x, entry *e, sp_error *err) {
  const sp_json *op = sp_json_get(e->v, "op");
  if (op == NULL) {
    return missing(x, e, "op", err);
  }
  if (op->kind != SP_JSON_STRING) {
    return sp_native_wrong(&x->r, op, "op", "a string", err);
  }
  const sp_node_ops *ops = sp_node_ops_find(op->str);
  if (ops == NULL) {
    return unknown_op(x, op, err);
  }
  e->node = sp_node_new(x->r.arena, ops);
  SP_TRY_ALLOC(err, e->node);
  return SP_OK;
}

/* "inputs…" stands for a list under the key `inputs`. */
static bool is_list_key(const char *key, size_t *ret_len) {
  const size_t n = strlen(key);
  const size_t dots = strlen("…");
  const bool list = n > dots && memcmp(key + n - dots, "…", dots) == 0;
  *ret_len = list ? n - dots : n;
  return list;
}

/* One input: an id to look up later, or a node in place. suffix: "/input" or "/inputs/3". */
static sp_status add_input(reading *x, uint32_t index, const sp_json *v, const char *suffix, sp_error *err) {
  entry *e = &x->entries[index];
  const uint32_t at = e->n_inputs++;
  e->input_values[at] = v;
  e->inputs[at] = UINT32_MAX;
  if (v->kind == SP_JSON_STRING) {
    return SP_OK;
  }
  if (v->kind != SP_JSON_OBJECT) {
    return sp_native_wrong(&x->r, v, suffix + 1, "a node's id, or a node", err);
  }
  const char *pointer = sp_arena_printf(x->r.arena, "%s%s", e->pointer, suffix);
  char *id = sp_arena_printf(x->r.arena, "%s%s", e->id, suffix);
  if (pointer == NULL || id == NULL) {
    return sp_error_nomem(err);
  }
  for (char *p = id + strlen(e->id); *p != '\0'; p++) {
    *p = *p == '/' ? '.' : *p;
  }
  e->inputs[at] = x->n;
  return add_entry(x, v, pointer, id, e->depth + 1, err); /* may move entries: e is stale */
}

static sp_status alloc_inputs(reading *x, uint32_t index, uint32_t n, sp_error *err) {
  entry *e = &x->entries[index];
  e->inputs = SP_ARENA_ARRAY(x->r.arena, uint32_t, n);
  e->input_values = SP_ARENA_ARRAY(x->r.arena, const sp_json *, n);
  return e->inputs != NULL && e->input_values != NULL ? SP_OK : sp_error_nomem(err);
}

static sp_status add_input_list(reading *x, uint32_t index, const sp_json *v, const char *key,
                                sp_error *err) {
  if (v->kind != SP_JSON_ARRAY || v->n > SP_NODE_MAX_INPUTS) {
    return sp_native_wrong(&x->r, v, key, "a list of at most 65535 nodes", err);
  }
  SP_TRY(alloc_inputs(x, index, v->n, err));
  uint32_t i = 0;
  for (const sp_json *c = v->first; c != NULL; c = c->next, i++) {
    const char *suffix = sp_arena_printf(x->r.arena, "/%s/%u", key, i);
    SP_TRY_ALLOC(err, suffix);
    SP_TRY(add_input(x, index, c, suffix, err));
  }
  return SP_OK;
}

static sp_status collect_inputs(reading *x, uint32_t index, sp_error *err) {
  const sp_node_ops *ops = x->entries[index].node->ops;
  const sp_json *node = x->entries[index].v;
  uint32_t n = 0;
  while (ops->input_keys[n] != NULL) {
    n++;
  }
  SP_TRY(alloc_inputs(x, index, n, err));
  for (uint32_t i = 0; i < n; i++) {
    size_t len;
    const bool list = is_list_key(ops->input_keys[i], &len);
    const char *key = sp_arena_strndup(x->r.arena, ops->input_keys[i], len);
    SP_TRY_ALLOC(err, key);
    const sp_json *v = sp_json_get(node, key);
    if (v == NULL) {
      return missing(x, &x->entries[index], key, err);
    }
    const char *suffix = sp_arena_printf(x->r.arena, "/%s", key);
    SP_TRY_ALLOC(err, suffix);
    SP_TRY(list ? add_input_list(x, index, v, key, err) : add_input(x, index, v, suffix, err));
  }
  return SP_OK;
}

static sp_status collect(reading *x, const sp_json *nodes, sp_error *err) {
  uint32_t i = 0;
  for (const sp_json *v = nodes->first; v != NULL; v = v->next, i++) {
    const char *pointer = sp_arena_printf(x->r.arena, "/nodes/%u", i);
    SP_TRY_ALLOC(err, pointer);
    SP_TRY(add_entry(x, v, pointer, NULL, 0, err));
  }
  for (i = 0; i < x->n; i++) { /* grows while nodes in place are found */
    SP_TRY(find_op(x, &x->entries[i], err));
    SP_TRY(collect_inputs(x, i, err));
  }
  return SP_OK;
}

/* ---- ids ---- */
static sp_status map_ids(reading *x, sp_error *err) {
  sp_idmap_init(&x->ids, x->r.arena);
  for (uint32_t i = 0; i < x->n; i++) {
    uint32_t old;
    if (!sp_idmap_add(&x->ids, sp_sv_from(x->entries[i].id), i, &old)) {
      return sp_error_nomem(err);
    }
    if (old != UINT32_MAX) {
      const entry *first = &x->entries[old];
      SP_FAIL(err, SP_INVALID, &x->entries[i].loc,
              "duplicate id `%.150s`: the node at %.150s (line %u) has it too", x->entries[i].id,
              first->pointer, first->loc.line);
    }
  }
  return SP_OK;
}

static sp_status link_inputs(reading *x, entry *e, sp_error *err) {
  for (uint32_t i = 0; i < e->n_inputs; i++) {
    if (e->inputs[i] == UINT32_MAX) {
      e->inputs[i] = sp_idmap_find(&x->ids, e->input_values[i]->str);
      if (e->inputs[i] == UINT32_MAX) {
        return unknown_id(x, e->input_values[i], err);
      }
    }
  }
  e->node->n_inputs = e->n_inputs;
  e->node->inputs = e->inputs;
  return SP_OK;
}

/* ---- fields ---- */
static bool is_input_key(const sp_node_ops *ops, sp_sv key) {
  for (uint32_t i = 0; ops->input_keys[i] != NULL; i++) {
    size_t len;
    is_list_key(ops->input_keys[i], &len);
    if (sp_sv_eq(key, (sp_sv){ops->input_keys[i], len})) {
      return true;
    }
  }
  return false;
}

static const sp_field_desc *find_field(const sp_node_ops *ops, sp_sv key) {
  for (const sp_field_desc *f = ops->fields; f->key != NULL; f++) {
    if (sp_sv_eq(key, sp_sv_from(f->key)) || (f->kind == SP_F_PATHS && sp_sv_eq(key, SP_SV("paths")))) {
      return f;
    }
  }
  return NULL;
}

static sp_status unknown_key(reading *x, const entry *e, const sp_json *m, sp_error *err) {
  const char *names[64] = {"id", "op", "note"};
  char keys[4][24];
  uint32_t n = 3;
  for (uint32_t i = 0; e->node->ops->input_keys[i] != NULL && i < 4; i++) {
    size_t len;
    is_list_key(e->node->ops->input_keys[i], &len);
    memcpy(keys[i], e->node->ops->input_keys[i], len);
    keys[i][len] = '\0';
    names[n++] = keys[i];
  }
  for (const sp_field_desc *f = e->node->ops->fields; f->key != NULL && n < 62; f++) {
    names[n++] = f->key;
    if (f->kind == SP_F_PATHS) {
      names[n++] = "paths";
    }
  }
  return sp_native_unknown_key(&x->r, m, e->node->ops->name, names, n, err);
}

static sp_status check_required(reading *x, const entry *e, const uint8_t *seen, sp_error *err) {
  uint32_t i = 0;
  for (const sp_field_desc *f = e->node->ops->fields; f->key != NULL; f++, i++) {
    if (f->required && !seen[i]) {
      return missing(x, e, f->key, err);
    }
  }
  return SP_OK;
}

/* Rows come last: their cells are checked against the schema. */
static sp_status read_rows(reading *x, const entry *e, sp_error *err) {
  const sp_schema *schema = NULL;
  for (const sp_field_desc *f = e->node->ops->fields; f->key != NULL; f++) {
    void *to = (char *)e->node + f->offset;
    if (f->kind == SP_F_SCHEMA) {
      schema = *(const sp_schema **)to;
    } else if (f->kind == SP_F_ROWS) {
      SP_TRY(sp_native_read_rows(&x->r, schema, sp_json_get(e->v, f->key), to, err));
    }
  }
  return SP_OK;
}

static sp_status read_note(reading *x, entry *e, const sp_json *m, sp_error *err) {
  e->node->note = sp_native_cstr(m);
  return e->node->note != NULL ? SP_OK : sp_native_wrong(&x->r, m, "note", "a string", err);
}

static sp_status read_fields(reading *x, entry *e, sp_error *err) {
  uint8_t seen[64] = {0};
  for (const sp_json *m = e->v->first; m != NULL; m = m->next) {
    if (sp_sv_eq(m->key, SP_SV("id")) || sp_sv_eq(m->key, SP_SV("op")) ||
        is_input_key(e->node->ops, m->key)) {
      continue;
    }
    if (sp_sv_eq(m->key, SP_SV("note"))) {
      SP_TRY(read_note(x, e, m, err));
      continue;
    }
    const sp_field_desc *f = find_field(e->node->ops, m->key);
    if (f == NULL) {
      return unknown_key(x, e, m, err);
    }
    if (seen[f - e->node->ops->fields]) {
      const sp_loc at = sp_json_key_loc(x->r.doc, m, x->r.arena);
      SP_FAIL(err, SP_INVALID, &at, "a scan has either `path` or `paths`");
    }
    seen[f - e->node->ops->fields] = 1;
    const char *pointer =
        sp_fkind_is_items(f->kind) ? sp_arena_printf(x->r.arena, "%s/%s", e->pointer, f->key) : e->pointer;
    SP_TRY_ALLOC(err, pointer);
    SP_TRY(sp_native_read_field(&x->r, e->node, f, m, pointer, err));
  }
  SP_TRY(check_required(x, e, seen, err));
  return read_rows(x, e, err);
}

/* ---- the document ---- */
static sp_status check_version(reading *x, const sp_json *root, sp_error *err) {
  const sp_json *v = sp_json_get(root, "sigmapi");
  if (v != NULL && v->kind == SP_JSON_INT && v->i == SP_NATIVE_VERSION) {
    return SP_OK;
  }
  const sp_loc at = sp_json_loc(x->r.doc, v != NULL ? v : root, x->r.arena);
  if (v == NULL || v->kind != SP_JSON_INT) {
    SP_FAIL(err, SP_INVALID, &at, "a native plan starts with \"sigmapi\": %d", SP_NATIVE_VERSION);
  }
  SP_FAIL(err, SP_UNSUPPORTED, &at,
          "version %lld of the plan format is not known: this program reads version %d", (long long)v->i,
          SP_NATIVE_VERSION);
}

static sp_status check_root(reading *x, const sp_json *root, const sp_json **ret_nodes,
                            const sp_json **ret_outputs, sp_error *err) {
  static const char *const keys[] = {"sigmapi", "nodes", "outputs", "$schema"};
  if (root->kind != SP_JSON_OBJECT) {
    return sp_native_wrong(&x->r, root, "plan", "an object", err);
  }
  SP_TRY(check_version(x, root, err));
  for (const sp_json *m = root->first; m != NULL; m = m->next) {
    bool known = false;
    for (uint32_t i = 0; i < 4; i++) {
      known = known || sp_sv_eq(m->key, sp_sv_from(keys[i]));
    }
    if (!known) {
      return sp_native_unknown_key(&x->r, m, "a plan", keys, 3, err);
    }
  }
  const sp_json *nodes = sp_json_get(root, "nodes");
  const sp_json *outputs = sp_json_get(root, "outputs");
  if (nodes == NULL) {
    const sp_loc at = sp_json_loc(x->r.doc, root, x->r.arena);
    SP_FAIL(err, SP_INVALID, &at, "`nodes` is missing");
  }
  if (nodes->kind != SP_JSON_ARRAY) {
    return sp_native_wrong(&x->r, nodes, "nodes", "a list of nodes", err);
  }
  if (outputs != NULL && outputs->kind != SP_JSON_ARRAY) {
    return sp_native_wrong(&x->r, outputs, "outputs", "a list of node ids", err);
  }
  *ret_nodes = nodes;
  *ret_outputs = outputs;
  return SP_OK;
}

static bool has_sink(const reading *x) {
  for (uint32_t i = 0; i < x->n; i++) {
    if ((x->entries[i].node->ops->flags & SP_NODE_SINK) != 0) {
      return true;
    }
  }
  return false;
}

static sp_status read_outputs(reading *x, const sp_json *list, const sp_json *root, uint32_t **ret,
                              const char ***ret_ids, uint32_t *ret_n, sp_error *err) {
  const uint32_t n = list != NULL ? list->n : 0;
  if (n == 0 && !has_sink(x)) { /* sinks run without being listed */
    const sp_loc at = sp_json_loc(x->r.doc, list != NULL ? list : root, x->r.arena);
    SP_FAIL(err, SP_INVALID, &at, "the plan has no outputs: list the ids of its results in `outputs`");
  }
  uint32_t *nodes = SP_ARENA_ARRAY(x->r.arena, uint32_t, n);
  const char **ids = SP_ARENA_ARRAY(x->r.arena, const char *, n);
  uint8_t *listed = SP_ARENA_ARRAY(x->r.arena, uint8_t, x->n);
  if (nodes == NULL || ids == NULL || listed == NULL) {
    return sp_error_nomem(err);
  }
  uint32_t i = 0;
  for (const sp_json *v = list != NULL ? list->first : NULL; v != NULL; v = v->next, i++) {
    if (v->kind != SP_JSON_STRING) {
      return sp_native_wrong(&x->r, v, "outputs", "a list of node ids", err);
    }
    nodes[i] = sp_idmap_find(&x->ids, v->str);
    if (nodes[i] == UINT32_MAX) {
      return unknown_id(x, v, err);
    }
    if (listed[nodes[i]]) {
      const sp_loc at = sp_json_loc(x->r.doc, v, x->r.arena);
      SP_FAIL(err, SP_INVALID, &at, "output `%.200s` is listed twice", v->str.p);
    }
    listed[nodes[i]] = 1;
    ids[i] = x->entries[nodes[i]].id;
  }
  *ret = nodes;
  *ret_ids = ids;
  *ret_n = n;
  return SP_OK;
}

sp_status sp_native_read(const sp_json_doc *d, sp_arena *a, const sp_plan **ret, sp_error *err) {
  reading x = {.r = {.doc = d, .arena = a}};
  const sp_json *nodes = NULL;
  const sp_json *list = NULL;
  SP_TRY(check_root(&x, d->root, &nodes, &list, err));
  SP_TRY(collect(&x, nodes, err));
  SP_TRY(map_ids(&x, err));
  sp_plan_builder b = {.arena = a};
  for (uint32_t i = 0; i < x.n; i++) {
    entry *e = &x.entries[i];
    SP_TRY(link_inputs(&x, e, err));
    SP_TRY(read_fields(&x, e, err));
    e->node->id = e->id;
    e->node->loc = e->loc;
    if (sp_plan_add(&b, e->node) == UINT32_MAX) {
      return sp_error_nomem(err);
    }
  }
  uint32_t *outputs = NULL;
  const char **output_ids = NULL;
  uint32_t n_outputs = 0;
  SP_TRY(read_outputs(&x, list, d->root, &outputs, &output_ids, &n_outputs, err));
  return sp_plan_finish_named(&b, NULL, d->file, SP_STAGE_WRITTEN, outputs, output_ids, n_outputs, ret, err);
}
