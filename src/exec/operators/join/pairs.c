/* Batches of joins where a row may match several, or where a predicate decides.
 *
 * Candidates, a probe row and a build row with its key, are listed up to a batch's worth; the predicate, if
 * any, is evaluated over them at once, with the columns that it reads gathered when it asks; what passes goes
 * out. Pairs stay in the order of probe rows, then of build rows. A probe row is settled when all its
 * candidates have been seen: an outer join then adds it with nulls if none passed, at its place.
 *
 * Example: left join, rows 0 1 2 with candidates {5, 6} {} {7}, predicate true for (0, 6) only ⇒ (0, 6) (1,
 * null) (2, null). */
#include "exec/operators/join/join.h"

#include "data/kernels.h"

typedef struct walk {
  sp_operator *op;
  sp_worker *w;
  sp_join_local *l;
  const sp_batch *in;
  uint32_t row;     /* probe row (of those meant) whose candidates are listed next */
  uint32_t at, end; /* what is left of its list */
  bool entered;     /* at and end are set for row */
  uint32_t settled; /* rows before it are settled */
  bool hit;         /* has row `settled` matched? */
} walk;

static uint32_t row_of(const walk *k, uint32_t i) {
  return k->in->sel != NULL ? k->in->sel[i] : i;
}

/* Candidates into l->found, whose probe holds the number among the rows meant. */
static void list_candidates(walk *k) {
  const sp_join *j = k->op->shared;
  sp_join_pairs *f = &k->l->found;
  f->n = 0;
  while (k->row < k->in->n_rows && f->n < k->l->cap_pairs) {
    if (!k->entered) {
      uint32_t n = 0;
      const uint32_t id = k->l->ids[k->row];
      k->at = id != SP_NO_ID ? sp_join_index_list(&j->index, id, &n) : 0;
      k->end = k->at + n;
      k->entered = true;
    }
    const uint32_t room = k->l->cap_pairs - f->n;
    const uint32_t n = k->end - k->at < room ? k->end - k->at : room;
    for (uint32_t i = 0; i < n; i++) {
      f->probe[f->n + i] = k->row;
      f->build[f->n + i] = sp_join_index_row(&j->index, k->at + i);
    }
    f->n += n;
    k->at += n;
    if (k->at == k->end) {
      k->row++;
      k->entered = false;
    }
  }
}

/* A column of the predicate for all candidates. */
static sp_status fetch_pairs(void *ctx, uint32_t column, const uint16_t *sel, uint32_t n, sp_column **ret,
                             sp_error *err) {
  (void)sel;
  (void)n;
  const walk *k = ctx;
  const sp_join *j = k->op->shared;
  const sp_join_read *r = &j->reads[column];
  const sp_join_pairs *f = &k->l->found;
  const sp_maker mk = sp_maker_of(k->op);
  *ret = r->of_build ? sp_column_gather(mk, j->build[r->column], f->build, f->n)
                     : sp_column_gather(mk, k->in->cols[r->column], k->l->kept.probe, f->n);
  SP_TRY_ALLOC(err, *ret);
  return SP_OK;
}

static sp_status filter_candidates(walk *k, uint32_t *ret_n) {
  const sp_join *j = k->op->shared;
  const sp_join_pairs *f = &k->l->found;
  /* kept is free while candidates are filtered: it holds row numbers of the batch */
  for (uint32_t i = 0; i < f->n; i++) {
    k->l->kept.probe[i] = row_of(k, f->probe[i]);
  }
  const sp_fetch fetch = {.get = fetch_pairs, .ctx = k};
  return sp_program_filter(j->predicate, k->l->predicate_state, sp_maker_of(k->op), &fetch, f->n, NULL, f->n,
                           k->l->passed, ret_n, k->w->err);
}

static sp_status send(walk *k) {
  sp_join_pairs *p = &k->l->kept;
  const uint32_t n = p->n;
  p->n = 0;
  return sp_join_emit_pairs(k->op, k->w, k->l, k->in, p->probe, p->build, n);
}

static sp_status put(walk *k, uint32_t i, uint32_t build) {
  sp_join_pairs *p = &k->l->kept;
  if (p->n == k->l->cap_pairs) {
    SP_TRY(send(k));
  }
  p->probe[p->n] = row_of(k, i);
  p->build[p->n++] = build;
  return SP_OK;
}

/* Rows before `upto` have no more candidates. */
static sp_status settle(walk *k, uint32_t upto) {
  const sp_join *j = k->op->shared;
  while (k->settled < upto) {
    if (!k->hit && j->kind == SP_PROBE_OUTER) {
      SP_TRY(put(k, k->settled, SP_NO_ROW));
    }
    k->settled++;
    k->hit = false;
  }
  return SP_OK;
}

/* INNER and OUTER: pair number i of the candidates goes out. */
static sp_status take_pair(walk *k, uint32_t i) {
  sp_join *j = k->op->shared;
  const sp_join_pairs *f = &k->l->found;
  SP_TRY(settle(k, f->probe[i]));
  k->hit = true;
  if (j->marks) {
    atomic_store_explicit(&j->matched[f->build[i]], 1, memory_order_relaxed);
  }
  return put(k, f->probe[i], f->build[i]);
}

static sp_status take_candidates(walk *k) {
  const sp_join *j = k->op->shared;
  const bool exists = j->kind == SP_PROBE_SEMI || j->kind == SP_PROBE_ANTI;
  uint32_t n = k->l->found.n;
  k->l->kept.n = 0;
  if (j->predicate != NULL && n > 0) {
    SP_TRY(filter_candidates(k, &n));
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t pair = j->predicate != NULL ? k->l->passed[i] : i;
    if (exists) {
      k->l->hits[k->l->found.probe[pair]] = 1;
    } else if (j->kind == SP_PROBE_MARK) {
      atomic_store_explicit(&j->matched[k->l->found.build[pair]], 1, memory_order_relaxed);
    } else {
      SP_TRY(take_pair(k, pair));
    }
  }
  if (exists || j->kind == SP_PROBE_MARK) {
    return SP_OK;
  }
  SP_TRY(settle(k, k->row));
  return send(k);
}

/* SEMI and ANTI: rows by whether any of their pairs passed. */
static sp_status send_hits(walk *k) {
  const sp_join *j = k->op->shared;
  const uint8_t wanted = j->kind == SP_PROBE_SEMI;
  uint32_t n = 0;
  for (uint32_t i = 0; i < k->in->n_rows; i++) {
    k->l->sel[n] = (uint16_t)row_of(k, i);
    n += k->l->hits[i] == wanted;
  }
  for (uint32_t i = 0; i < n; i++) {
    k->l->rows[i] = k->l->sel[i];
  }
  for (uint32_t from = 0; from < n; from += k->l->cap_pairs) {
    const uint32_t m = n - from < k->l->cap_pairs ? n - from : k->l->cap_pairs;
    SP_TRY(sp_join_emit_pairs(k->op, k->w, k->l, k->in, k->l->rows + from, NULL, m));
  }
  return SP_OK;
}

sp_status sp_join_push_pairs(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in) {
  const sp_join *j = op->shared;
  const bool exists = j->kind == SP_PROBE_SEMI || j->kind == SP_PROBE_ANTI;
  walk k = {.op = op, .w = w, .l = l, .in = in};
  if (exists) {
    memset(l->hits, 0, in->n_rows);
  }
  while (k.row < in->n_rows && !sp_should_stop(op, w)) {
    list_candidates(&k);
    SP_TRY(take_candidates(&k));
  }
  return exists ? send_hits(&k) : SP_OK;
}
