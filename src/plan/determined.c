/* What each node's input determines: the rows and their order, the rows, only their number, or nothing.
 *
 *   scan → sort [delay] → head 10      only the number: rows with equal delays may change places
 *   scan → group_by [origin] → sort [origin] → head 10      everything: no two rows have the same origin
 *
 * To tell these apart, each node also knows a set of columns in which no two of its rows are equal, where
 * that is plain to see: keys of a group_by, the subset of a unique, a row index. One pass, inputs first; each
 * kind says it for itself. */
#include "plan/kinds.h"

static bool by_flags(const sp_node *n, const sp_known *const *inputs, sp_known *ret) {
  if ((n->ops->flags & SP_NODE_SOURCE) != 0) {
    *ret = (sp_known){.det = SP_DET_ORDER};
  } else if ((n->ops->flags & (SP_NODE_KEEPS_ROWS | SP_NODE_SINK)) != 0) {
    *ret = *inputs[0];
  } else {
    *ret = (sp_known){.det = SP_DET_NOTHING};
  }
  return true;
}

sp_determined *sp_plan_determined(const sp_plan *p, sp_arena *a) {
  sp_known *known = SP_ARENA_ARRAY(a, sp_known, p->n_nodes);
  sp_determined *r = SP_ARENA_ARRAY(a, sp_determined, p->n_nodes);
  const sp_known **inputs = NULL;
  uint32_t cap = 0;
  if (known == NULL || r == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    const sp_node *n = p->nodes[i];
    if (!sp_arena_grow(a, &inputs, &cap, n->n_inputs, sizeof *inputs)) {
      return NULL;
    }
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      inputs[k] = &known[n->inputs[k]];
    }
    if (!(n->ops->determine != NULL ? n->ops->determine(n, inputs, a, &known[i])
                                    : by_flags(n, inputs, &known[i]))) {
      return NULL;
    }
    r[i] = known[i].det;
  }
  return r;
}

/* ---- for kinds ---- */
const sp_names *sp_known_names(const sp_strings *s, sp_arena *a) {
  sp_names *r = SP_ARENA_NEW(a, sp_names);
  for (uint32_t i = 0; i < s->n && r != NULL; i++) {
    r = sp_names_add(r, a, sp_sv_from(s->items[i])) ? r : NULL;
  }
  return r;
}

const sp_names *sp_known_items(const sp_items *items, sp_arena *a) {
  sp_names *r = SP_ARENA_NEW(a, sp_names);
  for (uint32_t i = 0; i < items->n && r != NULL; i++) {
    const sp_sv name = sp_expr_name(items->items[i].expr, a);
    r = name.p != NULL && sp_names_add(r, a, name) ? r : NULL;
  }
  return r;
}
