/* filter: keeps the rows for which the predicate is true (not null).
 *
 *   {"id": "late", "op": "filter", "input": "flights", "predicate": "delay > 15 AND origin IS NOT NULL"}
 *   "is_not_null(*)" is the AND over all columns. */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "predicate",
                                        .kind = SP_F_PREDICATE,
                                        .required = true,
                                        .offset = offsetof(sp_filter_node, predicate),
                                        .brief = 1,
                                        .doc = "keeps the rows for which it is true"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  sp_filter_node *n = (sp_filter_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  SP_TRY(sp_bind_predicate(cx, written, &n->predicate, inputs[0]->schema, "filter predicate", &n->predicate,
                           err));
  *ret = &n->base;
  return SP_OK;
}

static bool needs(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  return sp_needs_out(inputs[which], out, a, ret) &&
         sp_needs_items(&((const sp_filter_node *)n)->predicate, a, ret);
}

/* How many of rows that are not known will pass? */
static bool determine(const sp_node *n, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  (void)n, (void)a;
  *ret = *inputs[0];
  ret->det = ret->det == SP_DET_COUNT ? SP_DET_NOTHING : ret->det;
  return true;
}

const sp_node_ops sp_node_kind_filter = {
    .name = "filter",
    .symbol = "σ",
    .summary = "rows for which a predicate is true",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_SUBSET,
    .size = sizeof(sp_filter_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_schema_same,
    .needs = needs,
    .push_predicate = sp_push_same,
    .determine = determine,
};
