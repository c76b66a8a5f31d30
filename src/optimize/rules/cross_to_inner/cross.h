/* What turning single crosses (cross_to_inner.c) and reordering chains of them (chain.c) share. */
#ifndef SP_OPTIMIZE_CROSS_H
#define SP_OPTIMIZE_CROSS_H

#include "optimize/internal.h"

typedef struct crossing {
  sp_sweep *s;
  const sp_plan *in;
  sp_arena *arena;
  uint32_t *only_user; /* by node: its consumer when it has exactly one and is no output, else UINT32_MAX */
} crossing;

/* A join of this rule's making, or one it can use: all columns come out, no order promised, nulls match
 * nothing. */
static inline bool sp_is_flat_join(const sp_node *n) {
  if (!sp_node_is(n, "join")) {
    return false;
  }
  const sp_join_node *j = (const sp_join_node *)n;
  return j->how == SP_JOIN_CROSS || (j->how == SP_JOIN_INNER && j->coalesce == 2 && !j->nulls_equal);
}
static inline bool sp_is_cross(const sp_node *n) {
  return sp_node_is(n, "join") && ((const sp_join_node *)n)->how == SP_JOIN_CROSS;
}

/* One equality of two sides. */
typedef struct equality {
  const sp_expr *left, *right; /* in the names of either side's columns as the conjunct has them */
} equality;
/* Is e an equality that cannot fail, one side reading only columns of x, the other only columns of y (and at
 * least one each)? */
bool sp_split_equality(const sp_expr *e, const sp_names *x, const sp_names *y, sp_arena *a, bool *ret_is,
                       equality *ret); /* false = out of memory */

/* Reorders chains of crosses that a written order leaves without equality. */
sp_status sp_cross_reorder(crossing *c, const sp_plan **ret, sp_error *err);

#endif
