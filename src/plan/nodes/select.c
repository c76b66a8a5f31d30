/* select: one output column per expression, and no others.
 *
 *   {"id": "s", "op": "select", "input": "t", "exprs": ["* EXCLUDE (note)", "price * (1 - discount) AS
 * revenue"]} */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "exprs",
                                        .kind = SP_F_EXPRS,
                                        .required = true,
                                        .offset = offsetof(sp_project_node, exprs),
                                        .brief = 1,
                                        .doc = "one output column per expression"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  return sp_project_resolve(cx, written, inputs, ret, err);
}

static sp_status schema(const sp_node *n, const sp_schema *const *inputs, sp_arena *a, const sp_schema **ret,
                        sp_error *err) {
  (void)inputs;
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  if (!sp_schema_add_items(&b, &((const sp_project_node *)n)->exprs, a)) {
    return sp_error_nomem(err);
  }
  return sp_schema_finish(&b, &n->loc, ret, err);
}

static bool needs(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  (void)inputs, (void)which;
  sp_items kept = ((const sp_project_node *)n)->exprs;
  return (out == NULL || sp_items_narrow(&kept, out, a, &kept)) && sp_needs_items(&kept, a, ret);
}

static sp_status push(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  (void)inputs;
  const sp_expr *below = NULL;
  const char *blocker = NULL;
  if (!sp_push_begin(ret, 1, a)) {
    return SP_NOMEM;
  }
  SP_TRY(
      sp_push_through_items(&((const sp_project_node *)n)->exprs, false, false, pred, a, &below, &blocker));
  ret->stays = below == NULL;
  ret->blocker = blocker;
  ((const sp_expr **)(uintptr_t)ret->to)[0] = below;
  return SP_OK;
}

const sp_node_ops sp_node_kind_select = {
    .name = "select",
    .symbol = "π",
    .summary = "columns and expressions",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_KEEPS_ROWS,
    .size = sizeof(sp_project_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = schema,
    .needs = needs,
    .narrow = sp_project_narrow,
    .push_predicate = push,
    .headline = sp_project_headline,
};
