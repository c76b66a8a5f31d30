/* Taking rows in: see group_by.h. */
#include "exec/operators/group_by/group_by.h"

#define MANY_BYTES ((size_t)1 << 20) /* groups that do not fit the cache */
#define STEP 1024                    /* rows given to the aggregates together then */

/* ---- parts ---- */

static void free_rows(sp_operator *op, sp_gb_part *p) {
  sp_mem_free(op->mem, p->ids, p->cap_rows * sizeof *p->ids);
  sp_mem_free(op->mem, p->kept_ids, p->cap_rows * sizeof *p->kept_ids);
  sp_mem_free(op->mem, p->kept_rows, p->cap_rows * sizeof *p->kept_rows);
  sp_mem_free(op->mem, p->numbers, p->cap_rows * sizeof *p->numbers);
}

static bool room_for(sp_operator *op, sp_gb_part *p, uint32_t n) {
  if (n <= p->cap_rows) {
    return true;
  }
  free_rows(op, p);
  p->cap_rows = n;
  p->ids = sp_mem_alloc(op->mem, n * sizeof *p->ids);
  p->kept_ids = sp_mem_alloc(op->mem, n * sizeof *p->kept_ids);
  p->kept_rows = sp_mem_alloc(op->mem, n * sizeof *p->kept_rows);
  p->numbers = sp_mem_alloc(op->mem, n * sizeof *p->numbers);
  for (uint32_t i = 0; p->numbers != NULL && i < n; i++) {
    p->numbers[i] = (uint16_t)i;
  }
  return p->ids != NULL && p->kept_ids != NULL && p->kept_rows != NULL && p->numbers != NULL;
}

sp_gb_part *sp_gb_part_new(sp_operator *op) {
  const sp_gb *g = op->shared;
  sp_gb_part *p = sp_mem_calloc(op->mem, sizeof *p);
  if (p == NULL) {
    return NULL;
  }
  bool ok = sp_grouper_init(&p->grouper, g->layout, sp_maker_of(op), g->user_bytes, true);
  if (ok && g->inputs != NULL) {
    p->state = sp_program_state_new(g->inputs, op->mem);
    p->outs = sp_mem_calloc(op->mem, g->n_outs * sizeof(sp_column *));
    ok = p->state != NULL && p->outs != NULL;
  }
  if (ok && g->n_sets > 0) {
    p->sets = sp_mem_calloc(op->mem, g->n_sets * sizeof(sp_grouper));
    ok = p->sets != NULL;
  }
  for (uint32_t i = 0; i < g->n_calls && ok; i++) {
    if (g->calls[i].set != UINT32_MAX) {
      ok = sp_grouper_init(&p->sets[g->calls[i].set], g->calls[i].set_layout, sp_maker_of(op), 0, true);
    }
  }
  if (!ok) {
    sp_gb_part_free(op, p);
    return NULL;
  }
  sp_gb_init_states(g, p);
  return p;
}

void sp_gb_init_states(const sp_gb *g, sp_gb_part *p) {
  const uint32_t n = p->grouper.store.n;
  for (uint32_t i = p->n_init; i < n && g->ordered; i++) {
    *(sp_gb_first *)sp_key_store_user(&p->grouper.store, i) = (sp_gb_first){UINT64_MAX, UINT64_MAX};
  }
  for (uint32_t k = 0; k < g->n_calls; k++) {
    const sp_gb_call *c = &g->calls[k];
    if (c->ops->init != NULL) {
      const sp_agg_states s = sp_gb_states(p, c);
      for (uint32_t i = p->n_init; i < n; i++) {
        c->ops->init(&c->agg, sp_agg_at(&s, i));
      }
    }
  }
  p->n_init = n;
}

void sp_gb_destroy_states(sp_operator *op, sp_gb_part *p) {
  const sp_gb *g = op->shared;
  for (uint32_t k = 0; k < g->n_calls && p->n_init > 0; k++) {
    const sp_gb_call *c = &g->calls[k];
    if (c->ops->destroy != NULL) {
      const sp_agg_states s = sp_gb_states(p, c);
      c->ops->destroy(&c->agg, op->mem, &s, p->n_init);
    }
  }
  p->n_init = 0;
}

void sp_gb_part_free(sp_operator *op, sp_gb_part *p) {
  const sp_gb *g = op->shared;
  if (p == NULL) {
    return;
  }
  const uint32_t n = p->grouper.store.n;
  sp_gb_destroy_states(op, p);
  sp_mem_free(op->mem, p->moved_to, n * sizeof *p->moved_to);
  sp_mem_free(op->mem, p->moved_id, n * sizeof *p->moved_id);
  sp_grouper_release(&p->grouper);
  for (uint32_t i = 0; p->sets != NULL && i < g->n_sets; i++) {
    sp_grouper_release(&p->sets[i]);
  }
  sp_mem_free(op->mem, p->sets, g->n_sets * sizeof(sp_grouper));
  sp_program_state_unref(p->state);
  sp_mem_free(op->mem, p->outs, g->n_outs * sizeof(sp_column *));
  free_rows(op, p);
  sp_mem_free(op->mem, p, sizeof *p);
}

/* ---- one batch ---- */

static sp_status evaluate(sp_operator *op, sp_worker *w, sp_gb_part *p, const sp_batch *in) {
  const sp_gb *g = op->shared;
  if (g->inputs == NULL) {
    return SP_OK;
  }
  const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = (void *)(uintptr_t)in};
  SP_TRY(sp_program_eval(g->inputs, p->state, sp_maker_of(op), &fetch, in->length, in->sel, in->n_rows,
                         p->outs, w->err));
  for (uint32_t i = 0; i < g->n_outs; i++) {
    if (p->outs[i]->encoding == SP_SEQUENCE) {
      sp_column *flat = sp_column_flatten(sp_maker_of(op), p->outs[i]);
      SP_TRY_ALLOC(w->err, flat);
      sp_column_unref(p->outs[i]);
      p->outs[i] = flat;
    }
  }
  return SP_OK;
}

static void forget_outs(const sp_gb *g, sp_gb_part *p) {
  for (uint32_t i = 0; i < g->n_outs && p->outs != NULL; i++) {
    p->outs[i] = sp_column_unref(p->outs[i]);
  }
}

static void note_firsts(sp_gb_part *p, const sp_worker *w, const sp_batch *in) {
  for (uint32_t i = 0; i < in->n_rows; i++) {
    sp_gb_first *f = sp_key_store_user(&p->grouper.store, p->ids[i]);
    const uint64_t place = w->seq << 16 | i;
    if (w->source < f->source || (w->source == f->source && place < f->place)) {
      *f = (sp_gb_first){w->source, place};
    }
  }
}

/* Rows of a batch that are given to the aggregates together. */
typedef struct rows_meant {
  const uint16_t *rows; /* NULL: 0 .. n - 1 */
  const uint32_t *ids;  /* NULL: all group 0 */
  uint32_t n, length;
} rows_meant;

/* Loads what the first aggregate would wait for one row after the other. Loads and not prefetches: a burst of
 * these is dropped. */
static void fetch_states(const sp_gb_part *p, const rows_meant *m) {
  const sp_key_store *s = &p->grouper.store;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < m->n; i++) {
    sum += *(const uint8_t *)sp_key_store_user(s, m->ids[i]);
  }
  for (size_t at = s->user_offset + 64; at < s->stride; at += 64) {
    for (uint32_t i = 0; i < m->n; i++) {
      sum += s->rows[m->ids[i] * s->stride + at];
    }
  }
  __asm__ volatile("" : : "r"(sum));
}

/* The rows for which the filter is true, and their groups. */
static rows_meant filter_rows(const sp_column *filter, sp_gb_part *p, const rows_meant *m) {
  const sp_reader r = sp_column_reader(filter);
  const uint8_t *v = r.data;
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->n; i++) {
    const uint32_t row = m->rows != NULL ? m->rows[i] : i;
    p->kept_rows[n] = (uint16_t)row;
    p->kept_ids[n] = m->ids != NULL ? m->ids[i] : 0;
    n += sp_reader_valid(&r, row) && v[sp_reader_index(&r, row)] != 0;
  }
  return (rows_meant){
      .rows = p->kept_rows, .ids = m->ids != NULL ? p->kept_ids : NULL, .n = n, .length = m->length};
}

static sp_status update_call(sp_operator *op, sp_worker *w, sp_gb_part *p, const sp_gb_call *c,
                             const rows_meant *all) {
  const rows_meant m = c->filter != UINT32_MAX ? filter_rows(p->outs[c->filter], p, all) : *all;
  if (m.n == 0) {
    return SP_OK;
  }
  if (c->set != UINT32_MAX) {
    return sp_gb_distinct_add(op, p, c, m.length, m.rows, m.n, m.ids, w->err);
  }
  const sp_agg_states s = sp_gb_states(p, c);
  return c->ops->update(&c->agg, op->mem, (const sp_column *const *)(p->outs + c->first_arg), m.rows, m.n,
                        m.ids, &s, w->source, w->seq, w->err);
}

/* Few groups: the whole batch, one aggregate after the other. Many: steps whose states stay in cache from one
 * aggregate to the next. */
static sp_status update_calls(sp_operator *op, sp_worker *w, sp_gb_part *p, const sp_batch *in) {
  const sp_gb *g = op->shared;
  const sp_key_store *s = &p->grouper.store;
  const bool many = g->n_keys > 0 && (size_t)s->n * s->stride >= MANY_BYTES;
  const uint32_t step = many ? STEP : in->n_rows;
  for (uint32_t from = 0; from < in->n_rows && g->n_calls > 0; from += step) {
    const rows_meant m = {.rows = in->sel != NULL ? in->sel + from
                                  : many          ? p->numbers + from
                                                  : NULL,
                          .ids = g->n_keys > 0 ? p->ids + from : NULL,
                          .n = in->n_rows - from < step ? in->n_rows - from : step,
                          .length = in->length};
    if (many) {
      fetch_states(p, &m);
    }
    for (uint32_t i = 0; i < g->n_calls; i++) {
      SP_TRY(update_call(op, w, p, &g->calls[i], &m));
    }
  }
  return SP_OK;
}

static sp_status take_batch(sp_operator *op, sp_worker *w, sp_gb_part *p, const sp_batch *in) {
  const sp_gb *g = op->shared;
  if (!room_for(op, p, in->n_rows)) {
    return sp_error_nomem(w->err);
  }
  SP_TRY(evaluate(op, w, p, in));
  if (g->n_keys > 0) {
    if (!sp_grouper_add(&p->grouper, (const sp_column *const *)p->outs, in->sel, in->n_rows, p->ids)) {
      return sp_error_nomem(w->err);
    }
    sp_gb_init_states(g, p);
  }
  if (g->ordered && g->n_keys > 0) {
    note_firsts(p, w, in);
  }
  return update_calls(op, w, p, in);
}

static sp_status sink_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  sp_gb_part *p = op->local[w->index];
  if (p == NULL) {
    p = sp_gb_part_new(op);
    SP_TRY_ALLOC(w->err, p);
    op->local[w->index] = p;
  }
  const sp_status st = take_batch(op, w, p, in);
  forget_outs(op->shared, p);
  return st;
}

static sp_status sink_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  const sp_gb *g = op->shared;
  bool any = false;
  for (uint32_t i = 0; i < sp_exec_threads(x); i++) {
    any |= op->local[i] != NULL;
  }
  if (!any && g->n_keys == 0) { /* no rows: one group all the same */
    op->local[0] = sp_gb_part_new(op);
    SP_TRY_ALLOC(err, op->local[0]);
  }
  return sp_gb_merge(op, err);
}

static void sink_close(sp_operator *op) {
  sp_gb *g = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    sp_gb_part_free(op, op->local[i]);
    op->local[i] = NULL;
  }
  sp_gb_part_free(op, g->in_order);
  g->in_order = NULL;
  sp_mem_free(op->mem, g->ranges, g->n_ranges * sizeof *g->ranges);
  g->ranges = NULL;
  g->n_ranges = 0;
  g->inputs = sp_program_unref(g->inputs);
  g->results = sp_program_unref(g->results);
}

const sp_operator_ops sp_gb_sink_ops = {
    .name = "group_by", .push = sink_push, .finish = sink_finish, .close = sink_close};
