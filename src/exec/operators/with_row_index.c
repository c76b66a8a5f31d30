/* with_row_index: numbers in the order of rows, as a SEQUENCE column put first: no bytes per row.
 *
 * Behind a reorder when the input has an order; else any numbering is right, and batches draw their numbers
 * from a counter. */
#include "exec/operator.h"

typedef struct numbering {
  _Atomic int64_t next;
} numbering;

static sp_status number_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  numbering *n = op->shared;
  const sp_maker mk = sp_maker_of(op);
  sp_batch *dense = sp_batch_compact(mk, in);
  SP_TRY_ALLOC(w->err, dense);
  sp_batch *b = sp_batch_new(mk.mem, in->n_cols + 1, dense->length);
  if (b != NULL) {
    const int64_t first = atomic_fetch_add_explicit(&n->next, dense->length, memory_order_relaxed);
    b->cols[0] = sp_column_sequence(mk, op->out->fields[0].type, first, 1, dense->length);
    for (uint32_t i = 0; i < in->n_cols; i++) {
      b->cols[i + 1] = sp_column_ref(dense->cols[i]);
    }
    b = b->cols[0] != NULL ? b : sp_batch_unref(b);
  }
  sp_batch_unref(dense);
  return sp_emit_take(op, w, b);
}

static const sp_operator_ops ops = {.name = "with_row_index", .push = number_push};

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  if (s.ordered) {
    SP_TRY(sp_lower_reorder(l, &s, node, err));
  }
  sp_operator *op = sp_lower_operator(l, node, &ops, sizeof(numbering));
  SP_TRY_ALLOC(err, op);
  atomic_init(&((numbering *)op->shared)->next, ((const sp_row_index_node *)op->node)->offset);
  SP_TRY(sp_lower_append(l, &s, op, err));
  return sp_lower_output(l, node, s, err);
}

const sp_lowering sp_lowering_with_row_index = {.kinds = "with_row_index", .lower = lower};
