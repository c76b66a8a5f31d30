/* A shared node whose consumers run at once: every batch goes to each of them while it is in cache, by
 * reference.
 *
 * A consumer that is done gets nothing more. One that fails while it might still turn out to have had enough
 * has its failure deferred (gate.c): the others go on. Example: node a is read by `slice` and by `group_by`;
 * the slice fills up after the first morsel, and from then on the tee passes batches to the group_by only. */
#include "exec/internal.h"

typedef struct tee {
  sp_gate **gates; /* by branch */
} tee;

sp_gate *sp_tee_gate(const sp_operator *op, uint32_t branch) {
  return ((const tee *)op->shared)->gates[branch];
}

static sp_status push_branch(sp_operator *op, sp_worker *w, const sp_batch *in, uint32_t branch) {
  sp_operator *to = op->branches[branch];
  sp_gate *g = sp_tee_gate(op, branch);
  if (w->source >= atomic_load_explicit(&g->fail_source, memory_order_acquire) || sp_op_done(to)) {
    return SP_OK;
  }
  const uint64_t source = w->source;
  const uint64_t seq = w->seq;
  const uint32_t lane = w->lane;
  sp_status st = sp_emit_to(op, to, w, in);
  if (st != SP_OK && st != SP_CANCELLED && !sp_gate_defer(g, w, to, st)) {
    return st;
  }
  w->source = source;
  w->seq = seq;
  w->lane = lane;
  /* Cancelled because this branch's gate closed, or everybody's? */
  if (st == SP_CANCELLED && (sp_exec_check_stop(op->exec, w->tick) || sp_gate_closed(op->gate, source))) {
    return SP_CANCELLED;
  }
  return SP_OK;
}

static sp_status tee_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  for (uint32_t i = 0; i < op->n_branches; i++) {
    SP_TRY(push_branch(op, w, in, i));
  }
  return SP_OK;
}

static bool tee_done(const sp_operator *op) {
  for (uint32_t i = 0; i < op->n_branches; i++) {
    if (!sp_op_done(op->branches[i])) {
      return false;
    }
  }
  return true;
}

const sp_operator_ops sp_tee_ops = {.name = "tee", .push = tee_push, .done = tee_done};

sp_status sp_tee_lower(sp_lower *l, uint32_t node, sp_stream s, uint32_t n_out, sp_stream *ret,
                       sp_error *err) {
  sp_operator *op = sp_lower_operator(l, node, &sp_tee_ops, sizeof(tee));
  SP_TRY_ALLOC(err, op);
  tee *t = op->shared;
  op->times_only = true;
  op->in = op->out;
  SP_TRY(sp_lower_append(l, &s, op, err));
  op->branches = SP_ARENA_ARRAY(l->arena, sp_operator *, n_out);
  t->gates = SP_ARENA_ARRAY(l->arena, sp_gate *, n_out);
  if (op->branches == NULL || t->gates == NULL) {
    return sp_error_nomem(err);
  }
  op->n_branches = n_out;
  for (uint32_t i = 0; i < n_out; i++) {
    t->gates[i] = sp_gate_new(l, s.gate);
    SP_TRY_ALLOC(err, t->gates[i]);
    ret[i] = s;
    ret[i].branch = i;
    ret[i].gate = t->gates[i];
  }
  return SP_OK;
}
