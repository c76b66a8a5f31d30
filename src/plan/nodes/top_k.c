/* top_k: the first k rows in the order of keys, in that order; a sort and a slice in one.
 *
 *   {"id": "k", "op": "top_k", "input": "t", "k": 10, "by": [{"expr": "delay", "descending": true}]}   ten
 * largest delays
 *
 * Which of several rows with equal keys come is not determined. */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {
    {.key = "k",
     .kind = SP_F_INT,
     .required = true,
     .offset = offsetof(sp_sort_node, k),
     .brief = 1,
     .doc = "rows to keep"},
    {.key = "by",
     .kind = SP_F_SORT_KEYS,
     .required = true,
     .offset = offsetof(sp_sort_node, by),
     .brief = 2,
     .doc = "keys, the first counts most: an expression or {expr, descending, nulls_last}"},
    {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  const int64_t k = ((const sp_sort_node *)written)->k;
  if (k < 0) {
    const sp_loc at = sp_loc_member(&written->loc, "k", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`k` must not be negative, got %lld", (long long)k);
  }
  return sp_sort_resolve(cx, written, inputs, ret, err);
}

static sp_status push(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  (void)n, (void)inputs, (void)pred;
  return sp_push_begin(ret, 1, a) ? sp_push_block(ret, a, "top_k picks its rows first") : SP_NOMEM;
}

const sp_node_ops sp_node_kind_top_k = {
    .name = "top_k",
    .symbol = "τₖ",
    .summary = "the first rows in the order of keys",
    .flags = SP_NODE_BREAKS_PIPELINE | SP_NODE_SUBSET | SP_NODE_MAKES_ORDER,
    .size = sizeof(sp_sort_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_schema_same,
    .needs = sp_sort_needs,
    .push_predicate = push,
    .determine = sp_sort_determine,
};
