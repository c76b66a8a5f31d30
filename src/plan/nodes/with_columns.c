/* with_columns: the input's columns, some replaced in their place, new ones put last. All expressions read
 * the input, none another's result.
 *
 *   {"id": "w", "op": "with_columns", "input": "t", "exprs": ["upper(name) AS name", "price * 1.19 AS
 * gross"]} */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "exprs",
                                        .kind = SP_F_EXPRS,
                                        .required = true,
                                        .offset = offsetof(sp_project_node, exprs),
                                        .brief = 1,
                                        .doc = "new columns, or replacements of columns of that name"},
                                       {.key = NULL}};

static sp_status schema(const sp_node *node, const sp_schema *const *inputs, sp_arena *a,
                        const sp_schema **ret, sp_error *err) {
  const sp_items *items = &((const sp_project_node *)node)->exprs;
  const sp_schema *in = inputs[0];
  uint32_t *by = SP_ARENA_ARRAY(a, uint32_t, in->n);
  sp_sv *names = SP_ARENA_ARRAY(a, sp_sv, items->n);
  uint8_t *replaces = SP_ARENA_ARRAY(a, uint8_t, items->n);
  if (by == NULL || names == NULL || replaces == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < items->n; i++) {
    names[i] = sp_expr_name(items->items[i].expr, a);
    SP_TRY_ALLOC(err, names[i].p);
    const int32_t c = sp_schema_find(in, names[i]);
    if (c >= 0) {
      by[c] = i + 1;
      replaces[i] = 1;
    }
  }
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t c = 0; c < in->n; c++) {
    sp_schema_add(&b, in->fields[c].name,
                  by[c] > 0 ? items->items[by[c] - 1].expr->type : in->fields[c].type);
  }
  for (uint32_t i = 0; i < items->n; i++) {
    if (!replaces[i]) {
      sp_schema_add(&b, names[i], items->items[i].expr->type);
    }
  }
  return sp_schema_finish(&b, &node->loc, ret, err);
}

/* A column that is replaced is needed too: it holds its replacement's place among the columns. */
static bool needs(const sp_node *node, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  const sp_items *items = &((const sp_project_node *)node)->exprs;
  const sp_schema *in = inputs[which];
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_sv name = sp_expr_name(items->items[i].expr, a);
    if (name.p == NULL ||
        ((out == NULL || sp_names_has(out, name)) && !sp_expr_columns(items->items[i].expr, a, ret))) {
      return false;
    }
  }
  for (uint32_t c = 0; c < in->n; c++) {
    if ((out == NULL || sp_names_has(out, in->fields[c].name)) && !sp_names_add(ret, a, in->fields[c].name)) {
      return false;
    }
  }
  return true;
}

static sp_status push(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  (void)inputs;
  const sp_expr *below = NULL;
  const char *blocker = NULL;
  if (!sp_push_begin(ret, 1, a)) {
    return SP_NOMEM;
  }
  SP_TRY(sp_push_through_items(&((const sp_project_node *)n)->exprs, true, false, pred, a, &below, &blocker));
  ret->stays = below == NULL;
  ret->blocker = blocker;
  ((const sp_expr **)(uintptr_t)ret->to)[0] = below;
  return SP_OK;
}

static bool determine(const sp_node *n, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  (void)a;
  *ret = *inputs[0];
  for (uint32_t i = 0; ret->unique != NULL && i < inputs[0]->unique->n; i++) {
    if (sp_project_expr((const sp_project_node *)n, inputs[0]->unique->names[i]) != NULL) {
      ret->unique = NULL; /* it is another column now */
    }
  }
  return true;
}

const sp_node_ops sp_node_kind_with_columns = {
    .name = "with_columns",
    .symbol = "π+",
    .summary = "adds or replaces columns",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_KEEPS_ROWS,
    .size = sizeof(sp_project_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = sp_project_resolve,
    .schema = schema,
    .needs = needs,
    .narrow = sp_project_narrow,
    .push_predicate = push,
    .determine = determine,
    .headline = sp_project_headline,
};
