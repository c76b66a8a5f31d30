/* The probe side: see join.h.
 *
 * Where every build key has one row and there is no predicate, a batch is done in one pass: rows that match
 * become a selection (or all of them pass), and the build's columns are gathered to stand beside them.
 * Everything else goes by pairs (pairs.c). */
#include "exec/operators/join/join.h"

#include "data/kernels.h"

static void local_free(sp_operator *op, sp_join_local *l) {
  const sp_join *j = op->shared;
  if (l == NULL) {
    return;
  }
  sp_mem *m = op->mem;
  sp_program_state_unref(l->keys_state);
  sp_program_state_unref(l->predicate_state);
  for (uint32_t i = 0; l->cast_states != NULL && i < 2 * j->n_out; i++) {
    sp_program_state_unref(l->cast_states[i]);
  }
  sp_mem_free(m, l->cast_states, 2 * (size_t)j->n_out * sizeof(sp_program_state *));
  sp_mem_free(m, l->keys, j->n_keys * sizeof(sp_column *));
  sp_join_probe_release(&l->scratch, &j->index);
  sp_mem_free(m, l->ids, l->cap_rows * sizeof *l->ids);
  sp_mem_free(m, l->rows, l->cap_rows * sizeof *l->rows);
  sp_mem_free(m, l->sel, l->cap_rows * sizeof *l->sel);
  sp_mem_free(m, l->hits, l->cap_rows);
  sp_mem_free(m, l->found.probe, l->cap_pairs * sizeof(uint32_t));
  sp_mem_free(m, l->found.build, l->cap_pairs * sizeof(uint32_t));
  sp_mem_free(m, l->kept.probe, l->cap_pairs * sizeof(uint32_t));
  sp_mem_free(m, l->kept.build, l->cap_pairs * sizeof(uint32_t));
  sp_mem_free(m, l->passed, l->cap_pairs * sizeof *l->passed);
  sp_coalesce_release(&l->coalesce, op);
  sp_mem_free(m, l, sizeof *l);
}

static bool make_cast_states(sp_operator *op, sp_join_local *l) {
  const sp_join *j = op->shared;
  l->cast_states = sp_mem_calloc(op->mem, 2 * (size_t)j->n_out * sizeof(sp_program_state *));
  bool ok = l->cast_states != NULL;
  for (uint32_t i = 0; i < j->n_out && ok; i++) {
    if (j->out[i].cast_probe != NULL) {
      l->cast_states[2 * i] = sp_program_state_new(j->out[i].cast_probe, op->mem);
      ok = l->cast_states[2 * i] != NULL;
    }
    if (j->out[i].cast_build != NULL && ok) {
      l->cast_states[2 * i + 1] = sp_program_state_new(j->out[i].cast_build, op->mem);
      ok = l->cast_states[2 * i + 1] != NULL;
    }
  }
  return ok;
}

static sp_join_local *local_new(sp_operator *op) {
  const sp_join *j = op->shared;
  sp_join_local *l = sp_mem_calloc(op->mem, sizeof *l);
  if (l == NULL) {
    return NULL;
  }
  bool ok = make_cast_states(op, l);
  if (ok && j->n_keys > 0) {
    l->keys_state = sp_program_state_new(j->probe_keys, op->mem);
    l->keys = sp_mem_calloc(op->mem, j->n_keys * sizeof(sp_column *));
    ok = l->keys_state != NULL && l->keys != NULL;
  }
  ok = ok && sp_join_probe_init(&l->scratch, &j->index);
  if (ok && j->predicate != NULL) {
    l->predicate_state = sp_program_state_new(j->predicate, op->mem);
    ok = l->predicate_state != NULL;
  }
  if (ok) {
    l->cap_pairs = sp_exec_batch_rows(op->exec, op->out);
    const size_t bytes = l->cap_pairs * sizeof(uint32_t);
    l->found.probe = sp_mem_alloc(op->mem, bytes);
    l->found.build = sp_mem_alloc(op->mem, bytes);
    l->kept.probe = sp_mem_alloc(op->mem, bytes);
    l->kept.build = sp_mem_alloc(op->mem, bytes);
    l->passed = sp_mem_alloc(op->mem, l->cap_pairs * sizeof *l->passed);
    ok = l->found.probe != NULL && l->found.build != NULL && l->kept.probe != NULL && l->kept.build != NULL &&
         l->passed != NULL;
  }
  if (!ok) {
    local_free(op, l);
    return NULL;
  }
  return l;
}

sp_join_local *sp_join_local_of(sp_operator *op, sp_worker *w) {
  if (op->local[w->index] == NULL) {
    op->local[w->index] = local_new(op);
  }
  return op->local[w->index];
}

static bool room_for(sp_operator *op, sp_join_local *l, uint32_t n) {
  if (n <= l->cap_rows) {
    return true;
  }
  sp_mem_free(op->mem, l->ids, l->cap_rows * sizeof *l->ids);
  sp_mem_free(op->mem, l->rows, l->cap_rows * sizeof *l->rows);
  sp_mem_free(op->mem, l->sel, l->cap_rows * sizeof *l->sel);
  sp_mem_free(op->mem, l->hits, l->cap_rows);
  l->cap_rows = n;
  l->ids = sp_mem_alloc(op->mem, n * sizeof *l->ids);
  l->rows = sp_mem_alloc(op->mem, n * sizeof *l->rows);
  l->sel = sp_mem_alloc(op->mem, n * sizeof *l->sel);
  l->hits = sp_mem_alloc(op->mem, n);
  return l->ids != NULL && l->rows != NULL && l->sel != NULL && l->hits != NULL;
}

/* ---- columns of the output ---- */

static sp_status cast_column(sp_operator *op, const sp_program *p, sp_program_state *s, sp_column *c,
                             sp_column **ret, sp_error *err) {
  if (p == NULL) {
    *ret = sp_column_ref(c);
    return SP_OK;
  }
  sp_batch *one = sp_batch_new(op->mem, 1, c->length);
  SP_TRY_ALLOC(err, one);
  one->cols[0] = sp_column_ref(c);
  const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = one};
  const sp_status st = sp_program_eval(p, s, sp_maker_of(op), &fetch, c->length, NULL, c->length, ret, err);
  sp_batch_unref(one);
  return st;
}

sp_status sp_join_both(sp_operator *op, sp_join_local *l, uint32_t i, sp_column *p, sp_column *b,
                       sp_column **ret, sp_error *err) {
  const sp_join *j = op->shared;
  /* A probe row's key stands for both: where it matches the build's is equal, else there is none. */
  return p != NULL ? cast_column(op, j->out[i].cast_probe, l->cast_states[2 * i], p, ret, err)
                   : cast_column(op, j->out[i].cast_build, l->cast_states[2 * i + 1], b, ret, err);
}

static sp_status pair_column(sp_operator *op, sp_join_local *l, uint32_t i, const sp_batch *in,
                             const uint32_t *probe, const uint32_t *build, uint32_t n, sp_column **ret,
                             sp_error *err) {
  const sp_join *j = op->shared;
  const sp_join_out *o = &j->out[i];
  const sp_maker mk = sp_maker_of(op);
  const bool of_build = o->from == SP_FROM_RIGHT || (o->from == SP_FROM_BOTH && probe == NULL);
  sp_column *c;
  if (of_build) {
    c = sp_column_gather(mk, j->build[o->build], build, n);
  } else if (probe == NULL) {
    c = sp_column_null(mk, op->out->fields[i].type, n);
  } else {
    c = sp_column_gather(mk, in->cols[o->probe], probe, n);
  }
  SP_TRY_ALLOC(err, c);
  if (o->from != SP_FROM_BOTH) {
    *ret = c;
    return SP_OK;
  }
  const sp_status st = sp_join_both(op, l, i, of_build ? NULL : c, of_build ? c : NULL, ret, err);
  sp_column_unref(c);
  return st;
}

static sp_status pass_on(sp_operator *op, sp_worker *w, sp_join_local *l, sp_batch *b) {
  const sp_status st = sp_coalesce_add(&l->coalesce, op, w, b);
  sp_batch_unref(b);
  return st;
}

sp_status sp_join_emit_pairs(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in,
                             const uint32_t *probe, const uint32_t *build, uint32_t n) {
  const sp_join *j = op->shared;
  if (n == 0) {
    return SP_OK;
  }
  sp_batch *b = sp_batch_new(op->mem, j->n_out, n);
  SP_TRY_ALLOC(w->err, b);
  for (uint32_t i = 0; i < j->n_out; i++) {
    const sp_status st = pair_column(op, l, i, in, probe, build, n, &b->cols[i], w->err);
    if (st != SP_OK) {
      sp_batch_unref(b);
      return st;
    }
  }
  return pass_on(op, w, l, b);
}

/* ---- a batch in one pass ---- */

static bool has_build_columns(const sp_join *j) {
  for (uint32_t i = 0; i < j->n_out; i++) {
    if (j->out[i].from == SP_FROM_RIGHT) {
      return true;
    }
  }
  return false;
}

/* The output over the probe's own columns, rows sel (taken over; NULL: the batch's selection), with build
 * rows by row of the batch. */
static sp_status emit_beside(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in, sp_buf *sel,
                             uint32_t n, const uint32_t *build) {
  const sp_join *j = op->shared;
  sp_batch *b = sp_batch_new(op->mem, j->n_out, in->length);
  if (b == NULL) {
    sp_buf_unref(sel);
    return sp_error_nomem(w->err);
  }
  b->sel_buf = sel != NULL ? sel : sp_buf_ref(in->sel_buf);
  b->sel = sel != NULL ? (const uint16_t *)(const void *)sel->data : in->sel;
  b->n_rows = n;
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < j->n_out && st == SP_OK; i++) {
    const sp_join_out *o = &j->out[i];
    if (o->from == SP_FROM_LEFT) {
      b->cols[i] = sp_column_ref(in->cols[o->probe]);
    } else if (o->from == SP_FROM_RIGHT) {
      b->cols[i] = sp_column_gather(sp_maker_of(op), j->build[o->build], build, in->length);
      st = b->cols[i] != NULL ? SP_OK : sp_error_nomem(w->err);
    } else {
      st = sp_join_both(op, l, i, in->cols[o->probe], NULL, &b->cols[i], w->err);
    }
  }
  if (st != SP_OK) {
    sp_batch_unref(b);
    return st;
  }
  return pass_on(op, w, l, b);
}

static sp_buf *sel_of(sp_operator *op, const uint16_t *rows, uint32_t n) {
  sp_buf *b = sp_buf_new(sp_maker_of(op).pool, op->mem, n * sizeof *rows);
  if (b != NULL) {
    memcpy(b->data, rows, n * sizeof *rows);
    b->size = n * sizeof *rows;
  }
  return b;
}

static sp_status emit_selected(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in,
                               uint32_t n, const uint32_t *build) {
  sp_buf *sel = sel_of(op, l->sel, n);
  SP_TRY_ALLOC(w->err, sel);
  return emit_beside(op, w, l, in, sel, n, build);
}

/* Rows whose id is there (or is not) into l->sel. */
static uint32_t select_rows(sp_join_local *l, const sp_batch *in, bool wanted) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->n_rows; i++) {
    l->sel[n] = in->sel != NULL ? in->sel[i] : (uint16_t)i;
    n += (l->ids[i] != SP_NO_ID) == wanted;
  }
  return n;
}

static sp_status push_exists(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in,
                             bool wanted) {
  const uint32_t n = select_rows(l, in, wanted);
  if (n == in->n_rows) {
    return emit_beside(op, w, l, in, NULL, n, NULL);
  }
  return n > 0 ? emit_selected(op, w, l, in, n, NULL) : SP_OK;
}

static void mark_matched(sp_join *j, const uint32_t *rows, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (rows[i] != SP_NO_ROW) {
      atomic_store_explicit(&j->matched[rows[i]], 1, memory_order_relaxed);
    }
  }
}

/* MARK without a predicate: all build rows of the ids found. */
static void mark_ids(sp_join *j, const uint32_t *ids, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t count = 0;
    const uint32_t first = ids[i] != SP_NO_ID ? sp_join_index_list(&j->index, ids[i], &count) : 0;
    /* the first is marked last, so that whoever sees it knows of the others */
    if (count > 0 &&
        atomic_load_explicit(&j->matched[sp_join_index_row(&j->index, first)], memory_order_relaxed) == 0) {
      for (uint32_t k = count; k-- > 0;) {
        atomic_store_explicit(&j->matched[sp_join_index_row(&j->index, first + k)], 1, memory_order_relaxed);
      }
    }
  }
}

/* Every probe row comes out once. */
static sp_status push_outer(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in) {
  sp_join *j = op->shared;
  const uint32_t n = in->n_rows;
  for (uint32_t i = 0; i < n; i++) {
    l->rows[i] = l->ids[i] == SP_NO_ID ? SP_NO_ROW : sp_join_index_row(&j->index, l->ids[i]);
  }
  if (j->marks) {
    mark_matched(j, l->rows, n);
  }
  if (in->sel == NULL || !has_build_columns(j)) {
    return emit_beside(op, w, l, in, NULL, n, l->rows);
  }
  for (uint32_t i = 0; i < n; i++) {
    l->ids[i] = in->sel[i];
  }
  return sp_join_emit_pairs(op, w, l, in, l->ids, l->rows, n);
}

static sp_status push_inner(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in) {
  const sp_join *j = op->shared;
  if (!has_build_columns(j)) {
    return push_exists(op, w, l, in, true);
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->n_rows; i++) {
    l->sel[n] = in->sel != NULL ? in->sel[i] : (uint16_t)i;
    l->rows[n] = l->ids[i];
    n += l->ids[i] != SP_NO_ID;
  }
  for (uint32_t i = 0; i < n && j->index.rows != NULL; i++) {
    l->rows[i] = j->index.rows[l->rows[i]];
  }
  if (n == 0) {
    return SP_OK;
  }
  if (n == in->length) {
    return emit_beside(op, w, l, in, NULL, n, l->rows);
  }
  if (n > in->length - in->length / 4) {
    memset(l->ids, 0, in->length * sizeof *l->ids);
    for (uint32_t i = 0; i < n; i++) {
      l->ids[l->sel[i]] = l->rows[i];
    }
    return emit_selected(op, w, l, in, n, l->ids);
  }
  for (uint32_t i = 0; i < n; i++) {
    l->ids[i] = l->sel[i];
  }
  return sp_join_emit_pairs(op, w, l, in, l->ids, l->rows, n);
}

/* ---- push ---- */

static sp_status find_ids(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in) {
  const sp_join *j = op->shared;
  if (j->n_keys > 0) {
    const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = (void *)(uintptr_t)in};
    SP_TRY(sp_program_eval(j->probe_keys, l->keys_state, sp_maker_of(op), &fetch, in->length, in->sel,
                           in->n_rows, l->keys, w->err));
  }
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < j->n_keys && st == SP_OK; i++) {
    if (l->keys[i]->encoding == SP_SEQUENCE) {
      sp_column *flat = sp_column_flatten(sp_maker_of(op), l->keys[i]);
      sp_column_unref(l->keys[i]);
      l->keys[i] = flat;
      st = flat != NULL ? SP_OK : sp_error_nomem(w->err);
    }
  }
  if (st == SP_OK) {
    sp_join_index_find(&j->index, &l->scratch, (const sp_column *const *)l->keys, in->sel, in->n_rows,
                       l->ids);
  }
  for (uint32_t i = 0; i < j->n_keys; i++) {
    l->keys[i] = sp_column_unref(l->keys[i]);
  }
  return st;
}

static sp_status probe_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  sp_join *j = op->shared;
  sp_join_local *l = sp_join_local_of(op, w);
  if (l == NULL || !room_for(op, l, in->length)) {
    return sp_error_nomem(w->err);
  }
  SP_TRY(find_ids(op, w, l, in));
  if (j->predicate == NULL && (j->kind == SP_PROBE_SEMI || j->kind == SP_PROBE_ANTI)) {
    return push_exists(op, w, l, in, j->kind == SP_PROBE_SEMI);
  }
  if (j->predicate == NULL && j->kind == SP_PROBE_MARK) {
    mark_ids(j, l->ids, in->n_rows);
    return SP_OK;
  }
  if (j->predicate != NULL || j->index.starts != NULL || j->index.kind == SP_JOIN_INDEX_ALL) {
    return sp_join_push_pairs(op, w, l, in);
  }
  return j->kind == SP_PROBE_OUTER ? push_outer(op, w, l, in) : push_inner(op, w, l, in);
}

static sp_status probe_end_morsel(sp_operator *op, sp_worker *w) {
  sp_join_local *l = op->local[w->index];
  return l != NULL ? sp_coalesce_flush(&l->coalesce, op, w) : SP_OK;
}

/* ---- build rows that come out at the end ---- */

static sp_status emit_build(sp_operator *op, sp_worker *w, sp_join_local *l, uint32_t from, uint32_t to) {
  const sp_join *j = op->shared;
  uint32_t n = 0;
  for (uint32_t i = from; i < to; i++) {
    l->kept.build[n] = i;
    n += atomic_load_explicit(&j->matched[i], memory_order_relaxed) == j->wanted;
    if (n == l->cap_pairs) {
      SP_TRY(sp_join_emit_pairs(op, w, l, NULL, NULL, l->kept.build, n));
      n = 0;
      if (sp_should_stop(op, w)) {
        return SP_OK;
      }
    }
  }
  return sp_join_emit_pairs(op, w, l, NULL, NULL, l->kept.build, n);
}

static sp_status probe_flush(sp_operator *op, sp_worker *w) {
  const sp_join *j = op->shared;
  if (!j->marks) {
    return SP_OK;
  }
  sp_join_local *l = sp_join_local_of(op, w);
  SP_TRY_ALLOC(w->err, l);
  const uint64_t n = j->index.n_rows;
  const uint64_t share = sp_exec_threads(op->exec);
  return emit_build(op, w, l, (uint32_t)(n * w->index / share), (uint32_t)(n * (w->index + 1) / share));
}

/* Not MARK with rows: what matched nothing may still have to come out. */
static bool probe_done(const sp_operator *op) {
  const sp_join *j = op->shared;
  if (!j->built || j->kind == SP_PROBE_OUTER || j->kind == SP_PROBE_ANTI) {
    return false;
  }
  return j->index.n_rows == 0 || (j->kind != SP_PROBE_MARK && j->index.n_ids == 0);
}

static sp_status probe_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)err;
  const sp_join *j = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(x); i++) {
    local_free(op, op->local[i]);
    op->local[i] = NULL;
  }
  sp_join_release_build(j->build_op);
  return SP_OK;
}

/* Before the build's close, which frees what the states here were made from. */
static void probe_close(sp_operator *op) {
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    local_free(op, op->local[i]);
    op->local[i] = NULL;
  }
}

const sp_operator_ops sp_join_probe_ops = {.name = "join_probe",
                                           .push = probe_push,
                                           .end_morsel = probe_end_morsel,
                                           .flush = probe_flush,
                                           .finish = probe_finish,
                                           .done = probe_done,
                                           .close = probe_close};
