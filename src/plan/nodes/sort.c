/* sort: rows in the order of keys; nulls first unless nulls_last, NaN last, whatever the direction of others.
 *
 *   {"id": "s", "op": "sort", "input": "t", "by": ["origin", {"expr": "delay", "descending": true,
 * "nulls_last": true}]}
 *
 * Rows with equal keys keep their order only with maintain_order. */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {
    {.key = "by",
     .kind = SP_F_SORT_KEYS,
     .required = true,
     .offset = offsetof(sp_sort_node, by),
     .brief = 1,
     .doc = "keys, the first counts most: an expression or {expr, descending, nulls_last}"},
    {.key = "maintain_order",
     .kind = SP_F_BOOL,
     .offset = offsetof(sp_sort_node, maintain_order),
     .doc = "rows with equal keys keep their order"},
    {.key = NULL}};

const sp_node_ops sp_node_kind_sort = {
    .name = "sort",
    .symbol = "τ",
    .summary = "rows in the order of keys",
    .flags = SP_NODE_BREAKS_PIPELINE | SP_NODE_KEEPS_ROWS | SP_NODE_MAKES_ORDER,
    .size = sizeof(sp_sort_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = sp_sort_resolve,
    .schema = sp_schema_same,
    .needs = sp_sort_needs,
    .push_predicate = sp_push_same,
    .determine = sp_sort_determine,
};
