/* A shared node whose consumers cannot run at once: its rows are kept, and each consumer reads them in a
 * pipeline of its own.
 *
 *   orders ─▶ spool                        the self-join's build side must be complete before its probe side
 * starts, spool.source ─▶ join.build             so one pipeline cannot feed both spool.source ─▶ join.probe
 * ─▶ …
 *
 * The rows are charged to the shared node. A batch is let go when its last consumer has passed it; a consumer
 * that stops early lets go of the rest. Also cuts chains that are too long to push through in one go. */
#include "exec/internal.h"

#include <stdlib.h>

#define MORSEL_BATCHES 8 /* full ones */

typedef struct list { /* one worker's */
  uint32_t n, cap;
  sp_batch **batches;
} list;

typedef struct spool {
  uint32_t consumers;
  uint32_t n; /* batches, in order */
  sp_batch **batches;
  _Atomic uint32_t *left; /* by batch: consumers that have not passed it */
  uint32_t n_morsels;
  uint32_t *morsels; /* first batch of each, and the end */
} spool;

typedef struct spool_source {
  spool *spool;
  bool *passed; /* by morsel */
} spool_source;

static sp_status spool_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  list *l = op->local[w->index];
  if (l == NULL) {
    l = sp_mem_calloc(op->mem, sizeof *l);
    SP_TRY_ALLOC(w->err, l);
    op->local[w->index] = l;
  }
  if (l->n == l->cap) {
    const uint32_t cap = l->cap == 0 ? 16 : l->cap * 2;
    void *p = sp_mem_realloc(op->mem, l->batches, l->cap * sizeof(sp_batch *), cap * sizeof(sp_batch *));
    SP_TRY_ALLOC(w->err, p);
    l->batches = p;
    l->cap = cap;
  }
  sp_batch *b = sp_batch_keep(op, w, in);
  SP_TRY_ALLOC(w->err, b);
  l->batches[l->n++] = b;
  return SP_OK;
}

static int by_ordinal(const void *a, const void *b) {
  const sp_batch *x = *(sp_batch *const *)a;
  const sp_batch *y = *(sp_batch *const *)b;
  if (x->source != y->source) {
    return x->source < y->source ? -1 : 1;
  }
  return (x->seq > y->seq) - (x->seq < y->seq);
}

static sp_status gather(sp_operator *op, spool *s, sp_error *err) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < op->exec->threads; i++) {
    const list *l = op->local[i];
    n += l != NULL ? l->n : 0;
  }
  s->batches = sp_mem_alloc(op->mem, n * sizeof(sp_batch *));
  SP_TRY_ALLOC(err, s->batches);
  s->n = n;
  n = 0;
  for (uint32_t i = 0; i < op->exec->threads; i++) {
    list *l = op->local[i];
    if (l != NULL && l->n > 0) {
      memcpy(s->batches + n, l->batches, l->n * sizeof(sp_batch *));
      n += l->n;
      l->n = 0;
    }
  }
  if (n > 1) {
    qsort(s->batches, n, sizeof(sp_batch *), by_ordinal);
  }
  return SP_OK;
}

static sp_status spool_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  spool *s = op->shared;
  SP_TRY(gather(op, s, err));
  s->left = sp_mem_alloc(op->mem, s->n * sizeof *s->left);
  SP_TRY_ALLOC(err, s->left);
  s->morsels = sp_mem_alloc(op->mem, (s->n + 1) * sizeof(uint32_t));
  SP_TRY_ALLOC(err, s->morsels);
  const uint32_t fair = MORSEL_BATCHES * sp_exec_batch_rows(x, op->out);
  uint32_t rows = fair;
  for (uint32_t i = 0; i < s->n; i++) {
    atomic_init(&s->left[i], s->consumers);
    if (rows >= fair) {
      s->morsels[s->n_morsels++] = i;
      rows = 0;
    }
    rows += s->batches[i]->n_rows;
  }
  s->morsels[s->n_morsels] = s->n;
  return SP_OK;
}

static void spool_close(sp_operator *op) {
  spool *s = op->shared;
  for (uint32_t i = 0; i < op->exec->threads; i++) {
    list *l = op->local[i];
    if (l != NULL) {
      for (uint32_t k = 0; k < l->n; k++) {
        sp_batch_unref(l->batches[k]);
      }
      sp_mem_free(op->mem, l->batches, l->cap * sizeof(sp_batch *));
      sp_mem_free(op->mem, l, sizeof *l);
      op->local[i] = NULL;
    }
  }
  for (uint32_t i = 0; s->batches != NULL && i < s->n; i++) {
    sp_batch_unref(s->batches[i]);
  }
  sp_mem_free(op->mem, s->morsels, (s->n + 1) * sizeof(uint32_t));
  sp_mem_free(op->mem, (void *)s->left, s->n * sizeof *s->left);
  sp_mem_free(op->mem, s->batches, s->n * sizeof(sp_batch *));
  s->morsels = NULL;
  s->left = NULL;
  s->batches = NULL;
}

const sp_operator_ops sp_spool_ops = {
    .name = "spool", .push = spool_push, .finish = spool_finish, .close = spool_close};

/* ---- reading it ---- */

static void pass_batch(spool *s, uint32_t i) {
  if (atomic_fetch_sub_explicit(&s->left[i], 1, memory_order_acq_rel) == 1) {
    s->batches[i] = sp_batch_unref(s->batches[i]);
  }
}

static void pass_morsel(spool_source *src, uint32_t m) {
  for (uint32_t i = src->spool->morsels[m]; i < src->spool->morsels[m + 1]; i++) {
    pass_batch(src->spool, i);
  }
  src->passed[m] = true;
}

static sp_status source_open(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  spool_source *src = op->shared;
  src->passed = sp_mem_calloc(op->mem, src->spool->n_morsels * sizeof(bool));
  SP_TRY_ALLOC(err, src->passed);
  return SP_OK;
}

static uint32_t source_morsels(sp_operator *op) {
  const spool_source *src = op->shared;
  return src->spool->n_morsels;
}

static sp_status source_morsel(sp_operator *op, sp_worker *w, uint32_t m) {
  spool_source *src = op->shared;
  sp_status st = SP_OK;
  for (uint32_t i = src->spool->morsels[m];
       i < src->spool->morsels[m + 1] && st == SP_OK && !sp_should_stop(op, w); i++) {
    st = sp_emit(op, w, src->spool->batches[i]);
  }
  pass_morsel(src, m);
  return st;
}

static void let_go(sp_operator *op) {
  spool_source *src = op->shared;
  if (src->passed != NULL) {
    for (uint32_t m = 0; m < src->spool->n_morsels; m++) {
      if (!src->passed[m]) {
        pass_morsel(src, m);
      }
    }
    sp_mem_free(op->mem, src->passed, src->spool->n_morsels * sizeof(bool));
    src->passed = NULL;
  }
}

static sp_status source_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  (void)err;
  let_go(op);
  return SP_OK;
}

/* The spool's own close may come first: then the batches are gone. */
static void source_close(sp_operator *op) {
  spool_source *src = op->shared;
  sp_mem_free(op->mem, src->passed, src->spool->n_morsels * sizeof(bool));
  src->passed = NULL;
}

const sp_operator_ops sp_spool_source_ops = {.name = "spool_source",
                                             .open = source_open,
                                             .morsels = source_morsels,
                                             .morsel = source_morsel,
                                             .finish = source_finish,
                                             .close = source_close};

sp_status sp_spool_lower(sp_lower *l, uint32_t node, sp_stream s, uint32_t n_out, sp_stream *ret,
                         sp_error *err) {
  sp_operator *end = sp_lower_operator(l, node, &sp_spool_ops, sizeof(spool));
  SP_TRY_ALLOC(err, end);
  spool *sp = end->shared;
  end->times_only = true;
  sp->consumers = n_out;
  SP_TRY(sp_lower_end(l, s, end, err));
  for (uint32_t i = 0; i < n_out; i++) {
    sp_operator *src = sp_lower_operator(l, node, &sp_spool_source_ops, sizeof(spool_source));
    SP_TRY_ALLOC(err, src);
    ((spool_source *)src->shared)->spool = sp;
    src->times_only = true;
    SP_TRY(sp_lower_source(l, src, &s.pipeline, 1, s.ordered, &ret[i], err));
  }
  return SP_OK;
}
