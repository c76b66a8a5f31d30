/* union: the pipelines of all inputs become one, whose morsels come input after input, so that ordinals give
 * the order.
 *
 *   scan a ─▶ filter ─┐
 *   scan b ───────────┴▶ union ─▶ …      morsels 0-3 are a's, 4-9 are b's, and all workers take from both
 *
 * Columns need no work: resolving gives every input exactly the output's columns. */
#include "exec/operator.h"

static sp_status union_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  return sp_emit(op, w, in);
}

static const sp_operator_ops ops = {.name = "union", .push = union_push};

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_operator *op = sp_lower_operator(l, node, &ops, 0);
  SP_TRY_ALLOC(err, op);
  const uint32_t n = op->node->n_inputs;
  sp_stream *in = SP_ARENA_ARRAY(sp_lower_arena(l), sp_stream, n);
  SP_TRY_ALLOC(err, in);
  for (uint32_t i = 0; i < n; i++) {
    SP_TRY(sp_lower_input(l, node, i, &in[i], err));
  }
  sp_stream out;
  SP_TRY(sp_lower_merge(l, in, n, op, &out, err));
  return sp_lower_output(l, node, out, err);
}

const sp_lowering sp_lowering_union = {.kinds = "union", .lower = lower};
