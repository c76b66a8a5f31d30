/* with_row_index: a column of row numbers in the input's order, put first.
 *
 *   {"id": "i", "op": "with_row_index", "input": "t", "name": "row", "offset": 1} */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "name",
                                        .kind = SP_F_STRING,
                                        .offset = offsetof(sp_row_index_node, name),
                                        .brief = 1,
                                        .doc = "the new column; default index"},
                                       {.key = "offset",
                                        .kind = SP_F_INT,
                                        .offset = offsetof(sp_row_index_node, offset),
                                        .brief = 2,
                                        .doc = "number of the first row; default 0"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  sp_row_index_node *n = (sp_row_index_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  n->name = n->name != NULL ? n->name : "index";
  if (sp_schema_find(inputs[0]->schema, sp_sv_from(n->name)) >= 0) {
    const sp_loc at = sp_loc_member(&written->loc, "name", cx->arena);
    sp_error_set(err, SP_INVALID, &at,
                 "duplicate output name `%.200s`: the input has a column of the row index's name", n->name);
    sp_error_hint(err, "give the index another `name`");
    return SP_INVALID;
  }
  *ret = &n->base;
  return SP_OK;
}

static sp_status schema(const sp_node *node, const sp_schema *const *inputs, sp_arena *a,
                        const sp_schema **ret, sp_error *err) {
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  sp_schema_add(&b, sp_sv_from(((const sp_row_index_node *)node)->name), sp_type_of(SP_KIND_INT64));
  for (uint32_t c = 0; c < inputs[0]->n; c++) {
    sp_schema_add(&b, inputs[0]->fields[c].name, inputs[0]->fields[c].type);
  }
  return sp_schema_finish(&b, &node->loc, ret, err);
}

static bool needs(const sp_node *node, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  const sp_sv name = sp_sv_from(((const sp_row_index_node *)node)->name);
  if (out == NULL) {
    return sp_needs_schema(inputs[which], a, ret);
  }
  for (uint32_t i = 0; i < out->n; i++) {
    if (!sp_sv_eq(out->names[i], name) && !sp_names_add(ret, a, out->names[i])) {
      return false;
    }
  }
  return true;
}

static sp_status push(const sp_node *node, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  (void)inputs;
  if (!sp_push_begin(ret, 1, a)) {
    return SP_NOMEM;
  }
  const char *name = ((const sp_row_index_node *)node)->name;
  return sp_expr_reads(pred, sp_sv_from(name))
             ? sp_push_block(ret, a, "`%.200s` is made by this node", name)
             : sp_push_block(ret, a, "`%.200s` numbers the rows first", name);
}

/* Rows without a determined order get their numbers by chance. */
static bool determine(const sp_node *node, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  const char *name = ((const sp_row_index_node *)node)->name;
  const sp_strings one = {.n = 1, .items = &name};
  *ret = (sp_known){.det = inputs[0]->det == SP_DET_ROWS ? SP_DET_COUNT : inputs[0]->det,
                    .unique = sp_known_names(&one, a)};
  return ret->unique != NULL;
}

const sp_node_ops sp_node_kind_with_row_index = {
    .name = "with_row_index",
    .symbol = "#",
    .summary = "row numbers as a column",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_OBSERVES_ORDER | SP_NODE_KEEPS_ROWS,
    .size = sizeof(sp_row_index_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = schema,
    .needs = needs,
    .push_predicate = push,
    .determine = determine,
};
