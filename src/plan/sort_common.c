/* What sort and top_k share: their keys, and whether these put every row in one place. */
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

/* Do the keys leave no two rows equal? They do when they hold a set of unique columns, or all columns (equal
 * rows may well change places). */
static bool keys_total(const sp_names *keys, const sp_names *unique, const sp_schema *schema) {
  bool holds_unique = unique != NULL;
  for (uint32_t i = 0; holds_unique && i < unique->n; i++) {
    holds_unique = sp_names_has(keys, unique->names[i]);
  }
  bool holds_all = !holds_unique;
  for (uint32_t i = 0; holds_all && i < schema->n; i++) {
    holds_all = sp_names_has(keys, schema->fields[i].name);
  }
  return holds_unique || holds_all;
}

bool sp_sort_determine(const sp_node *node, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  const sp_sort_node *n = (const sp_sort_node *)node;
  const bool picks = (node->ops->flags & SP_NODE_SUBSET) != 0;
  sp_names keys = {0};
  for (uint32_t i = 0; i < n->by.n; i++) {
    sp_sv column;
    if (sp_expr_is_column(n->by.items[i].expr, &column) && !sp_names_add(&keys, a, column)) {
      return false;
    }
  }
  *ret = *inputs[0];
  if (ret->det < SP_DET_ROWS) {
    return true;
  }
  const bool stable = !picks && n->maintain_order && ret->det == SP_DET_ORDER;
  if (stable || keys_total(&keys, ret->unique, node->schema)) {
    ret->det = SP_DET_ORDER;
  } else {
    ret->det = picks ? SP_DET_COUNT : SP_DET_ROWS;
  }
  return true;
}
