/* slice: rows [offset, offset + length) of the input.
 *
 * From the front it streams: behind a reorder when the input has an order, else batches draw their places
 * from a counter, since any rows will do. Once it is full it is done, and the sources stop. Its input_rows
 * are the rows it had to see, which is the same on every run.
 *
 * From the end it must see everything: it keeps the last -offset rows and is a source of its own afterwards.
 *
 *   slice(offset -3, length 2) of 10 rows: batches that reach back 3 rows are kept; then rows 7 and 8 are
 * emitted */
#include "exec/operator.h"

typedef struct slice {
  int64_t from, to; /* rows; to = INT64_MAX without end */
  _Atomic int64_t seen;
  _Atomic int64_t emitted; /* of to - from; behind emit, so that done means done */
} slice;

static int64_t slice_end(const sp_slice_node *n) {
  int64_t end;
  return n->length < 0 || __builtin_add_overflow(n->offset, n->length, &end) ? INT64_MAX : end;
}

static sp_status slice_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  slice *s = op->shared;
  const int64_t at = atomic_fetch_add_explicit(&s->seen, in->n_rows, memory_order_relaxed);
  const int64_t end = at + in->n_rows;
  const int64_t lo = at > s->from ? at : s->from;
  const int64_t hi = end < s->to ? end : s->to;
  if (at < s->to) {
    sp_metric_add(op, SP_METRIC_input_rows, hi > at ? hi - at : 0);
  }
  if (lo >= hi) {
    return SP_OK;
  }
  sp_batch *b = sp_batch_slice(sp_maker_of(op), in, (uint32_t)(lo - at), (uint32_t)(hi - lo));
  SP_TRY(sp_emit_take(op, w, b));
  atomic_fetch_add_explicit(&s->emitted, hi - lo, memory_order_release);
  return SP_OK;
}

static bool slice_done(const sp_operator *op) {
  const slice *s = op->shared;
  return s->to != INT64_MAX && atomic_load_explicit(&s->emitted, memory_order_acquire) >= s->to - s->from;
}

static const sp_operator_ops slice_ops = {.name = "slice", .push = slice_push, .done = slice_done};

/* ---- from the end ---- */

typedef struct tail {
  pthread_mutex_t lock; /* batches may come from all workers when there is no order */
  int64_t keep;         /* rows */
  int64_t length;       /* of those kept, -1: all */
  int64_t rows;         /* in batches[from .. n) */
  int64_t total;
  uint32_t from, n, cap;
  sp_batch **batches;
} tail;

static void drop_front(tail *t) {
  while (t->from < t->n && t->rows - t->batches[t->from]->n_rows >= t->keep) {
    t->rows -= t->batches[t->from]->n_rows;
    sp_batch_unref(t->batches[t->from++]);
  }
}

static sp_status tail_add(sp_operator *op, tail *t, sp_batch *b, sp_error *err) {
  if (t->n == t->cap && t->from > t->n / 2) {
    memmove(t->batches, t->batches + t->from, (t->n - t->from) * sizeof(sp_batch *));
    t->n -= t->from;
    t->from = 0;
  }
  if (t->n == t->cap) {
    const uint32_t cap = t->cap == 0 ? 16 : t->cap * 2;
    void *p = sp_mem_realloc(op->mem, t->batches, t->cap * sizeof(sp_batch *), cap * sizeof(sp_batch *));
    if (p == NULL) {
      sp_batch_unref(b);
      return sp_error_nomem(err);
    }
    t->batches = p;
    t->cap = cap;
  }
  t->batches[t->n++] = b;
  t->rows += b->n_rows;
  t->total += b->n_rows;
  drop_front(t);
  return SP_OK;
}

static sp_status tail_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  tail *t = op->shared;
  sp_batch *b = sp_batch_keep(op, w, in);
  SP_TRY_ALLOC(w->err, b);
  pthread_mutex_lock(&t->lock);
  const sp_status st = tail_add(op, t, b, w->err);
  pthread_mutex_unlock(&t->lock);
  return st;
}

static void tail_drop(tail *t) {
  for (uint32_t i = t->from; i < t->n; i++) {
    sp_batch_unref(t->batches[i]);
  }
  t->from = t->n = 0;
}

static void tail_close(sp_operator *op) {
  tail *t = op->shared;
  tail_drop(t);
  sp_mem_free(op->mem, t->batches, t->cap * sizeof(sp_batch *));
  t->batches = NULL;
  t->cap = 0;
  pthread_mutex_destroy(&t->lock);
}

static const sp_operator_ops tail_ops = {.name = "slice_from_end", .push = tail_push, .close = tail_close};

typedef struct tail_source {
  tail *tail;
} tail_source;

static uint32_t source_morsels(sp_operator *op) {
  return ((const tail_source *)op->shared)->tail->n > 0;
}

/* With fewer rows than -offset the slice begins where it would, before the first row: those of its length
 * that are missing are gone. */
static sp_status source_morsel(sp_operator *op, sp_worker *w, uint32_t morsel) {
  (void)morsel;
  const tail *t = ((const tail_source *)op->shared)->tail;
  const int64_t missing = t->keep > t->total ? t->keep - t->total : 0;
  const int64_t from = t->rows > t->keep ? t->rows - t->keep : 0;
  int64_t to = t->rows;
  if (t->length >= 0) {
    const int64_t n = t->length > missing ? t->length - missing : 0;
    to = n < t->rows - from ? from + n : t->rows;
  }
  int64_t at = 0;
  for (uint32_t i = t->from; i < t->n && at < to && !sp_should_stop(op, w); i++) {
    const sp_batch *b = t->batches[i];
    const int64_t lo = from > at ? from - at : 0;
    const int64_t hi = to - at < b->n_rows ? to - at : b->n_rows;
    if (lo < hi) {
      SP_TRY(sp_emit_take(op, w, sp_batch_slice(sp_maker_of(op), b, (uint32_t)lo, (uint32_t)(hi - lo))));
    }
    at += b->n_rows;
  }
  return SP_OK;
}

static sp_status source_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  (void)err;
  tail_drop(((tail_source *)op->shared)->tail);
  return SP_OK;
}

static const sp_operator_ops source_ops = {.name = "slice_from_end_source",
                                           .morsels = source_morsels,
                                           .morsel = source_morsel,
                                           .finish = source_finish};

/* ---- lowering ---- */

static sp_status lower_tail(sp_lower *l, uint32_t node, sp_stream s, sp_error *err) {
  sp_operator *end = sp_lower_operator(l, node, &tail_ops, sizeof(tail));
  SP_TRY_ALLOC(err, end);
  const sp_slice_node *n = (const sp_slice_node *)end->node;
  tail *t = end->shared;
  pthread_mutex_init(&t->lock, NULL);
  t->keep = -n->offset;
  t->length = n->length;
  SP_TRY(sp_lower_end(l, s, end, err));
  sp_operator *src = sp_lower_operator(l, node, &source_ops, sizeof(tail_source));
  SP_TRY_ALLOC(err, src);
  ((tail_source *)src->shared)->tail = t;
  sp_stream out;
  SP_TRY(sp_lower_source(l, src, &s.pipeline, 1, s.ordered, &out, err));
  return sp_lower_output(l, node, out, err);
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  if (s.ordered) {
    SP_TRY(sp_lower_reorder(l, &s, node, err));
  }
  const sp_slice_node *n = (const sp_slice_node *)sp_lower_plan(l)->nodes[node];
  if (n->offset < 0) {
    return lower_tail(l, node, s, err);
  }
  sp_operator *op = sp_lower_operator(l, node, &slice_ops, sizeof(slice));
  SP_TRY_ALLOC(err, op);
  slice *sl = op->shared;
  sl->from = n->offset;
  sl->to = slice_end(n);
  op->counts_input = true;
  if (s.tail->node_index == node) {
    s.tail->counts_input = true; /* the reorder gets more than the slice had to see */
  }
  SP_TRY(sp_lower_append(l, &s, op, err));
  return sp_lower_output(l, node, s, err);
}

static sp_flow flow(const sp_lower *l, uint32_t node, uint32_t which) {
  (void)which;
  const sp_node *n = sp_lower_plan(l)->nodes[node];
  return ((const sp_slice_node *)n)->offset < 0 ? SP_FLOW_END : SP_FLOW_THROUGH;
}

const sp_lowering sp_lowering_slice = {.kinds = "slice", .lower = lower, .flow = flow};
