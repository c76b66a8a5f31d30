/* cache: marks a subplan that several consumers share by name; passes everything on.
 *
 *   {"id": "c", "op": "cache", "input": "t"}
 *
 * Sharing itself needs no cache: a node with several consumers runs once anyway. */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  (void)inputs;
  *ret = sp_node_copy(cx->arena, written);
  return *ret != NULL ? SP_OK : sp_error_nomem(err);
}

const sp_node_ops sp_node_kind_cache = {
    .name = "cache",
    .symbol = "⧉",
    .summary = "a subplan shared by name",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_KEEPS_ROWS,
    .size = sizeof(sp_cache_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_schema_same,
    .needs = sp_needs_same,
    .push_predicate = sp_push_same,
};
