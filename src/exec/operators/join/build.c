/* The build side: see join.h. */
#include "exec/operators/join/join.h"

static sp_join_batches *list_new(sp_operator *op) {
  const sp_join *j = op->shared;
  sp_join_batches *l = sp_mem_calloc(op->mem, sizeof *l);
  if (l == NULL) {
    return NULL;
  }
  bool ok = true;
  if (j->n_keys > 0) {
    l->state = sp_program_state_new(j->build_keys, op->mem);
    l->keys = sp_mem_calloc(op->mem, j->n_keys * sizeof(sp_column *));
    l->ranges = sp_mem_alloc(op->mem, j->n_keys * sizeof *l->ranges);
    ok = l->state != NULL && l->keys != NULL && l->ranges != NULL &&
         sp_join_probe_init(&l->scratch, &j->index);
  }
  for (uint32_t i = 0; i < j->n_keys && ok; i++) {
    l->ranges[i] = (sp_join_range){.lo = UINT64_MAX, .hi = 0};
  }
  if (!ok) {
    sp_join_probe_release(&l->scratch, &j->index);
    sp_mem_free(op->mem, l->ranges, j->n_keys * sizeof *l->ranges);
    sp_mem_free(op->mem, l->keys, j->n_keys * sizeof(sp_column *));
    sp_program_state_unref(l->state);
    sp_mem_free(op->mem, l, sizeof *l);
    return NULL;
  }
  return l;
}

static void list_free(sp_operator *op, sp_join_batches *l) {
  const sp_join *j = op->shared;
  if (l == NULL) {
    return;
  }
  sp_kept_release(&l->kept, op->mem);
  sp_join_probe_release(&l->scratch, &j->index);
  sp_mem_free(op->mem, l->ranges, j->n_keys * sizeof *l->ranges);
  sp_mem_free(op->mem, l->keys, j->n_keys * sizeof(sp_column *));
  sp_program_state_unref(l->state);
  sp_mem_free(op->mem, l, sizeof *l);
}

/* Kept columns and keys under the batch's selection, then kept. */
static sp_status keep(sp_operator *op, sp_worker *w, sp_join_batches *l, const sp_batch *in) {
  const sp_join *j = op->shared;
  sp_batch *b = sp_batch_new(op->mem, j->n_kept + j->n_keys, in->length);
  SP_TRY_ALLOC(w->err, b);
  for (uint32_t i = 0; i < j->n_kept; i++) {
    b->cols[i] = sp_column_ref(in->cols[j->kept[i]]);
  }
  for (uint32_t i = 0; i < j->n_keys; i++) {
    b->cols[j->n_kept + i] = sp_column_ref(l->keys[i]);
  }
  b->sel_buf = sp_buf_ref(in->sel_buf);
  b->sel = in->sel;
  b->n_rows = in->n_rows;
  sp_batch *kept = sp_batch_keep(op, w, b);
  sp_batch_unref(b);
  if (!sp_kept_add(&l->kept, op->mem, kept)) {
    return sp_error_nomem(w->err);
  }
  if (j->index.ints && j->n_keys > 0) {
    sp_join_ranges_note(&j->index, l->ranges, (const sp_column *const *)kept->cols + j->n_kept, kept->n_rows,
                        &l->scratch);
  }
  return SP_OK;
}

static sp_status build_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  const sp_join *j = op->shared;
  sp_join_batches *l = op->local[w->index];
  if (l == NULL) {
    l = list_new(op);
    SP_TRY_ALLOC(w->err, l);
    op->local[w->index] = l;
  }
  if (j->n_keys > 0) {
    const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = (void *)(uintptr_t)in};
    SP_TRY(sp_program_eval(j->build_keys, l->state, sp_maker_of(op), &fetch, in->length, in->sel, in->n_rows,
                           l->keys, w->err));
  }
  const sp_status st = keep(op, w, l, in);
  for (uint32_t i = 0; i < j->n_keys; i++) {
    l->keys[i] = sp_column_unref(l->keys[i]);
  }
  return st;
}

/* ---- finish ---- */

/* All rows in order, the ranges of all workers, and where each batch's keys are. */
static sp_status gather(sp_operator *op, sp_kept *all, sp_join_keys **ret_keys, sp_error *err) {
  sp_join *j = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    sp_join_batches *l = op->local[i];
    for (uint32_t k = 0; l != NULL && k < j->n_keys && j->index.ints; k++) {
      sp_join_range *r = &j->index.ranges[k];
      r->lo = l->ranges[k].lo < r->lo ? l->ranges[k].lo : r->lo;
      r->hi = l->ranges[k].hi > r->hi ? l->ranges[k].hi : r->hi;
      r->nulls |= l->ranges[k].nulls;
    }
    if (l != NULL && !sp_kept_move(all, op->mem, &l->kept)) {
      return sp_error_nomem(err);
    }
  }
  sp_kept_order(all);
  SP_TRY(sp_kept_check(all, err));
  sp_join_keys *keys = sp_mem_alloc(op->mem, all->n * sizeof *keys);
  SP_TRY_ALLOC(err, keys);
  uint32_t row = 0;
  for (uint32_t i = 0; i < all->n; i++) {
    const sp_batch *b = all->batches[i];
    keys[i] = (sp_join_keys){
        .cols = (const sp_column *const *)b->cols + j->n_kept, .n = b->n_rows, .first_row = row};
    row += b->n_rows;
  }
  *ret_keys = keys;
  return SP_OK;
}

static sp_status make_columns(sp_operator *op, sp_kept *all, sp_error *err) {
  sp_join *j = op->shared;
  const sp_type **types = sp_mem_alloc(op->mem, j->n_kept * sizeof *types);
  j->build = sp_mem_calloc(op->mem, j->n_kept * sizeof(sp_column *));
  sp_status st = types != NULL && j->build != NULL ? SP_OK : sp_error_nomem(err);
  for (uint32_t i = 0; i < j->n_kept && st == SP_OK; i++) {
    types[i] = op->in->fields[j->kept[i]].type;
  }
  if (st == SP_OK) {
    st = sp_kept_columns(op, all, types, j->n_kept, j->build, err);
  }
  sp_mem_free(op->mem, types, j->n_kept * sizeof *types);
  return st;
}

static void drop_lists(sp_operator *op) {
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    list_free(op, op->local[i]);
    op->local[i] = NULL;
  }
}

static sp_status build_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  sp_join *j = op->shared;
  sp_kept all = {.n = 0};
  sp_join_keys *keys = NULL;
  sp_status st = gather(op, &all, &keys, err);
  if (st == SP_OK) {
    st = sp_join_index_build(&j->index, op, keys, all.n, err);
  }
  sp_mem_free(op->mem, keys, all.n * sizeof *keys);
  if (st == SP_OK) {
    st = make_columns(op, &all, err);
  }
  sp_kept_release(&all, op->mem);
  if (st == SP_OK && j->marks) {
    j->matched = sp_mem_calloc(op->mem, j->index.n_rows);
    st = j->matched != NULL ? SP_OK : sp_error_nomem(err);
  }
  j->built = st == SP_OK;
  if (st == SP_OK) {
    sp_join_ready_filters(j);
  }
  drop_lists(op);
  return st;
}

void sp_join_release_build(sp_operator *op) {
  sp_join *j = op->shared;
  for (uint32_t i = 0; j->build != NULL && i < j->n_kept; i++) {
    sp_column_unref(j->build[i]);
  }
  sp_mem_free(op->mem, j->build, j->n_kept * sizeof(sp_column *));
  j->build = NULL;
  sp_mem_free(op->mem, (void *)j->matched, j->matched != NULL ? j->index.n_rows : 0);
  j->matched = NULL;
  sp_join_index_release(&j->index);
}

static void build_close(sp_operator *op) {
  sp_join *j = op->shared;
  drop_lists(op);
  sp_join_release_build(op);
  j->build_keys = sp_program_unref(j->build_keys);
  j->probe_keys = sp_program_unref(j->probe_keys);
  j->predicate = sp_program_unref(j->predicate);
  for (uint32_t i = 0; i < j->n_out; i++) {
    j->out[i].cast_probe = sp_program_unref(j->out[i].cast_probe);
    j->out[i].cast_build = sp_program_unref(j->out[i].cast_build);
  }
}

const sp_operator_ops sp_join_build_ops = {
    .name = "join_build", .push = build_push, .finish = build_finish, .close = build_close};
