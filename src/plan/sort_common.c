/* What sort and top_k share: their keys. */
#include "plan/kinds.h"

sp_status sp_sort_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                          sp_error *err) {
  sp_sort_node *n = (sp_sort_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  SP_TRY(sp_bind_keys(cx, written, &n->by, inputs[0]->schema, &n->by, err));
  if (n->by.n == 0) {
    const sp_loc at = sp_loc_member(&written->loc, "by", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "%s needs at least one key", written->ops->name);
  }
  *ret = &n->base;
  return SP_OK;
}

bool sp_sort_needs(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                   sp_arena *a, sp_names *ret) {
  return sp_needs_out(inputs[which], out, a, ret) && sp_needs_items(&((const sp_sort_node *)n)->by, a, ret);
}
