/* Giving groups out: see group_by.h. */
#include "exec/operators/group_by/group_by.h"

static sp_gb *gb_of(const sp_operator *op) {
  return ((sp_operator *)op->shared)->shared;
}

static uint32_t source_morsels(sp_operator *op) {
  return gb_of(op)->n_ranges;
}

/* Keys and aggregates of groups [from, from + n) as a batch; groups that have moved are not selected. */
static sp_batch *make_batch(sp_operator *op, const sp_gb_part *p, uint32_t from, uint32_t n, sp_error *err) {
  const sp_gb *g = gb_of(op);
  const sp_maker mk = sp_maker_of(op);
  sp_batch *b = sp_batch_new(mk.mem, g->n_keys + g->n_calls, n);
  bool ok = b != NULL;
  for (uint32_t i = 0; i < g->n_keys && ok; i++) {
    b->cols[i] = sp_key_store_column(&p->grouper.store, i, mk, from, n);
    ok = b->cols[i] != NULL;
  }
  if (!ok) {
    sp_batch_unref(b);
    (void)sp_error_nomem(err);
    return NULL;
  }
  for (uint32_t i = 0; i < g->n_calls; i++) {
    const sp_gb_call *c = &g->calls[i];
    const sp_agg_states s = sp_gb_states(p, c);
    if (c->ops->finish(&c->agg, mk, &s, from, n, &b->cols[g->n_keys + i], err) != SP_OK) {
      return sp_batch_unref(b);
    }
  }
  return b;
}

static sp_status select_here(sp_operator *op, const sp_gb_part *p, uint32_t from, sp_batch *b,
                             sp_error *err) {
  if (p->moved_to == NULL) {
    return SP_OK;
  }
  sp_buf *sel = sp_buf_new(sp_maker_of(op).pool, op->mem, b->length * sizeof(uint16_t));
  SP_TRY_ALLOC(err, sel);
  uint16_t *to = (uint16_t *)(void *)sel->data;
  uint32_t n = 0;
  for (uint32_t i = 0; i < b->length; i++) {
    to[n] = (uint16_t)i;
    n += p->moved_to[from + i] == UINT16_MAX;
  }
  sel->size = n * sizeof(uint16_t);
  b->sel_buf = sel;
  b->sel = to;
  b->n_rows = n;
  return SP_OK;
}

/* Keys ++ expressions over keys and aggregates, under the selection of `mid`. */
static sp_status finish_batch(sp_operator *op, sp_program_state *state, sp_batch *mid, sp_batch **ret,
                              sp_error *err) {
  const sp_gb *g = gb_of(op);
  const sp_maker mk = sp_maker_of(op);
  sp_batch *out = sp_batch_new(mk.mem, g->n_keys + g->n_results, mid->length);
  SP_TRY_ALLOC(err, out);
  out->sel_buf = sp_buf_ref(mid->sel_buf);
  out->sel = mid->sel;
  out->n_rows = mid->n_rows;
  for (uint32_t i = 0; i < g->n_keys; i++) {
    out->cols[i] = sp_column_ref(mid->cols[i]);
  }
  if (g->results != NULL) {
    const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = mid};
    const sp_status st = sp_program_eval(g->results, state, mk, &fetch, mid->length, mid->sel, mid->n_rows,
                                         out->cols + g->n_keys, err);
    if (st != SP_OK) {
      sp_batch_unref(out);
      return st;
    }
  }
  *ret = out;
  return SP_OK;
}

static sp_status emit_groups(sp_operator *op, sp_worker *w, sp_program_state *state, const sp_gb_part *p,
                             uint32_t from, uint32_t n) {
  sp_batch *mid = make_batch(op, p, from, n, w->err);
  if (mid == NULL) {
    return w->err->status;
  }
  sp_batch *out = NULL;
  sp_status st = select_here(op, p, from, mid, w->err);
  if (st == SP_OK && mid->n_rows > 0) {
    st = finish_batch(op, state, mid, &out, w->err);
  }
  sp_batch_unref(mid);
  return out != NULL ? sp_emit_take(op, w, out) : st;
}

static sp_status source_morsel(sp_operator *op, sp_worker *w, uint32_t morsel) {
  const sp_gb *g = gb_of(op);
  const sp_gb_range *r = &g->ranges[morsel];
  const uint32_t step = sp_exec_batch_rows(op->exec, op->out);
  sp_program_state *state = NULL;
  if (g->results != NULL) {
    state = sp_program_state_new(g->results, op->mem);
    SP_TRY_ALLOC(w->err, state);
  }
  sp_status st = SP_OK;
  for (uint32_t at = 0; at < r->n && st == SP_OK && !sp_should_stop(op, w); at += step) {
    st = emit_groups(op, w, state, r->part, r->from + at, r->n - at < step ? r->n - at : step);
  }
  sp_program_state_unref(state);
  return st;
}

/* The groups are the sink's: it lets go of them. */
static sp_status source_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  (void)err;
  sp_gb_sink_ops.close(op->shared);
  return SP_OK;
}

const sp_operator_ops sp_gb_source_ops = {
    .name = "group_by_source", .morsels = source_morsels, .morsel = source_morsel, .finish = source_finish};
