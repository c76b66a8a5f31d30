/* head: the first rows. Resolves to a slice.
 *
 *   {"id": "h", "op": "head", "input": "t", "n": 5}   ⇒   slice offset 0, length 5 */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "n",
                                        .kind = SP_F_INT,
                                        .required = true,
                                        .offset = offsetof(sp_slice_node, n),
                                        .brief = 1,
                                        .doc = "how many rows"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  (void)inputs;
  return sp_slice_resolve_n(cx, written, false, ret, err);
}

const sp_node_ops sp_node_kind_head = {
    .name = "head",
    .symbol = "⊏",
    .summary = "the first rows",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_OBSERVES_ORDER | SP_NODE_SUBSET,
    .size = sizeof(sp_slice_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
};
