/* cache: says that its input is shared, which the executor finds out for itself; batches pass. */
#include "exec/operator.h"

static sp_status cache_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  return sp_emit(op, w, in);
}

static const sp_operator_ops ops = {.name = "cache", .push = cache_push};

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  sp_operator *op = sp_lower_operator(l, node, &ops, 0);
  SP_TRY_ALLOC(err, op);
  SP_TRY(sp_lower_append(l, &s, op, err));
  return sp_lower_output(l, node, s, err);
}

const sp_lowering sp_lowering_cache = {.kinds = "cache", .lower = lower};
