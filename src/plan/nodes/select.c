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

/* Adds the output that is input column `name` unchanged; *ret_found false when there is none. */
static bool add_output_of(const sp_project_node *n, sp_sv name, sp_arena *a, sp_names *outs,
                          bool *ret_found) {
  *ret_found = false;
  for (uint32_t i = 0; i < n->exprs.n; i++) {
    sp_sv column;
    if (sp_expr_is_column(n->exprs.items[i].expr, &column) && sp_sv_eq(column, name)) {
      const sp_sv out = sp_expr_name(n->exprs.items[i].expr, a);
      *ret_found = true;
      return out.p != NULL && sp_names_add(outs, a, out);
    }
  }
  return true;
}

static bool determine(const sp_node *n, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  const sp_names *in = inputs[0]->unique;
  *ret = (sp_known){.det = inputs[0]->det};
  if (in == NULL) {
    return true;
  }
  sp_names *outs = SP_ARENA_NEW(a, sp_names);
  bool found = true;
  for (uint32_t i = 0; i < in->n && outs != NULL && found; i++) {
    if (!add_output_of((const sp_project_node *)n, in->names[i], a, outs, &found)) {
      return false;
    }
  }
  ret->unique = found ? outs : NULL;
  return outs != NULL;
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
    .determine = determine,
    .headline = sp_project_headline,
};
