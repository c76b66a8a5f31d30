/* join_build_side: an inner join keeps its smaller input in memory and streams the other.
 *
 *   customer (300 rows) ⋈ orders (7,000 rows)     ⇒   the same, built on the left
 *
 *   It does not fire where the right input, on which joins are built anyway, is expected to be about as
 * small; nor for other kinds of joins (an outer join's kind decides its side), for joins that maintain order
 * (they stream the left), and where a size is unknown. */
#include "optimize/estimate.h"

#define LOPSIDED 1.5 /* how much larger the right side must be: estimates are rough */

static bool wants_left(const sp_node *n, const double *rows) {
  if (!sp_node_is(n, "join")) {
    return false;
  }
  const sp_join_node *j = (const sp_join_node *)n;
  const double left = rows[n->inputs[0]];
  const double right = rows[n->inputs[1]];
  const bool decided = j->build_side != SP_BUILD_UNDECIDED;
  return !decided && j->how == SP_JOIN_INNER && !j->maintain_order && left >= 0 && left * LOPSIDED < right;
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  const double *rows = sp_estimate_rows(in, in->arena);
  SP_TRY_ALLOC(err, rows);
  sp_rewrite w;
  SP_TRY(sp_rewrite_begin(&w, in, err));
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    const sp_node *n = in->nodes[i];
    if (!wants_left(n, rows)) {
      SP_TRY(sp_rewrite_keep(&w, i, err));
      continue;
    }
    sp_join_node *j = (sp_join_node *)sp_node_copy(in->arena, n);
    SP_TRY_ALLOC(err, j);
    j->build_side = SP_BUILD_LEFT;
    const char *text = sp_arena_printf(in->arena, "built on the left: about %.0f rows, %.0f on the right",
                                       rows[n->inputs[0]], rows[n->inputs[1]]);
    SP_TRY_ALLOC(err, text);
    const sp_fact f = {.kind = SP_FACT_JOIN,
                       .action = SP_ACT_REPLACED,
                       .text = text,
                       .from = n->id,
                       .to = n->id,
                       .origin = n->origin};
    sp_sweep_fired(s, &n->id, 1, &n->id, 1);
    sp_sweep_fact(s, &f);
    SP_TRY(sp_rewrite_put(&w, i, &j->base, NULL, err));
  }
  return sp_rewrite_finish(&w, ret, err);
}

const sp_rule sp_rule_join_build_side = {
    .name = "join_build_side",
    .summary = "builds inner joins on the side that is expected to be smaller",
    .sweep = sweep,
};
