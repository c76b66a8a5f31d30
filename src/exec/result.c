/* An output that is no sink: its rows end here and are kept for the caller.
 *
 * Each worker keeps what it gets, with ordinals; finish sorts by ordinal, which is the rows' order wherever
 * there is one. When only the first and last k rows are wanted, each worker keeps its own first and last k:
 * the first k of all are among the first k's of the workers, and so with the last.
 *
 * Example, k = 2, worker A got rows 0 1 2 6 7 and B got 3 4 5: A keeps 0 1 | 6 7, B keeps 3 4 | 5, the result
 * 0 1 | 6 7 of 8. */
#include "exec/internal.h"

#include <stdlib.h>

typedef struct list {
  uint32_t from, n, cap; /* from: dropped at the front */
  int64_t rows;
  sp_batch **batches;
} list;

typedef struct worker_rows {
  int64_t rows;
  list head, tail; /* all rows: head only */
} worker_rows;

typedef struct result {
  uint32_t slot; /* in run->results */
  int64_t keep;  /* -1: all; 0: none */
} result;

static sp_status list_add(list *l, sp_operator *op, sp_worker *w, sp_batch *b) {
  if (b == NULL) {
    return sp_error_nomem(w->err);
  }
  if (l->n == l->cap && l->from > 0) {
    memmove(l->batches, l->batches + l->from, (l->n - l->from) * sizeof(sp_batch *));
    l->n -= l->from;
    l->from = 0;
  }
  if (l->n == l->cap) {
    const uint32_t cap = l->cap == 0 ? 16 : l->cap * 2;
    void *p = sp_mem_realloc(op->mem, l->batches, l->cap * sizeof(sp_batch *), cap * sizeof(sp_batch *));
    if (p == NULL) {
      sp_batch_unref(b);
      return sp_error_nomem(w->err);
    }
    l->batches = p;
    l->cap = cap;
  }
  l->batches[l->n++] = b;
  l->rows += b->n_rows;
  return SP_OK;
}

/* n rows from row `from` of a batch, fit to be kept. */
static sp_batch *keep_part(sp_operator *op, sp_worker *w, const sp_batch *in, uint32_t from, uint32_t n) {
  if (n == in->n_rows) {
    return sp_batch_keep(op, w, in);
  }
  sp_batch *part = sp_batch_slice(sp_maker_of(op), in, from, n);
  if (part == NULL) {
    return NULL;
  }
  sp_batch *kept = sp_batch_keep(op, w, part);
  sp_batch_unref(part);
  return kept;
}

static void drop_front(list *l, int64_t keep) {
  while (l->n > l->from && l->rows - l->batches[l->from]->n_rows >= keep) {
    l->rows -= l->batches[l->from]->n_rows;
    sp_batch_unref(l->batches[l->from++]);
  }
}

static sp_status result_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  const result *r = op->shared;
  worker_rows *mine = op->local[w->index];
  if (mine == NULL) {
    mine = sp_mem_calloc(op->mem, sizeof *mine);
    SP_TRY_ALLOC(w->err, mine);
    op->local[w->index] = mine;
  }
  mine->rows += in->n_rows;
  if (r->keep < 0) {
    return list_add(&mine->head, op, w, sp_batch_keep(op, w, in));
  }
  uint32_t at = 0;
  if (mine->head.rows < r->keep) {
    const int64_t missing = r->keep - mine->head.rows;
    at = missing < in->n_rows ? (uint32_t)missing : in->n_rows;
    SP_TRY(list_add(&mine->head, op, w, keep_part(op, w, in, 0, at)));
  }
  if (at < in->n_rows && r->keep > 0) {
    const uint32_t n = in->n_rows - at < r->keep ? in->n_rows - at : (uint32_t)r->keep;
    SP_TRY(list_add(&mine->tail, op, w, keep_part(op, w, in, in->n_rows - n, n)));
    drop_front(&mine->tail, r->keep);
  }
  return SP_OK;
}

/* A head and a tail part of one batch have one ordinal: the sort must keep their order, so the place decides.
 */
typedef struct placed {
  sp_batch *b;
  uint32_t place;
} placed;

static int by_ordinal(const void *a, const void *b) {
  const placed *x = a;
  const placed *y = b;
  if (x->b->source != y->b->source) {
    return x->b->source < y->b->source ? -1 : 1;
  }
  if (x->b->seq != y->b->seq) {
    return x->b->seq < y->b->seq ? -1 : 1;
  }
  return (x->place > y->place) - (x->place < y->place);
}

static void move_out(list *l, placed *all, uint32_t *n) {
  for (uint32_t i = l->from; i < l->n; i++) {
    all[*n] = (placed){l->batches[i], *n};
    (*n)++;
  }
  l->n = l->from = 0;
}

/* Adds rows [from, to) of the sorted batches to the result. */
static bool add_range(sp_operator *op, sp_result *res, const placed *all, uint32_t n, int64_t from,
                      int64_t to) {
  int64_t at = 0;
  for (uint32_t i = 0; i < n && at < to; i++) {
    const int64_t end = at + all[i].b->n_rows;
    const int64_t lo = at > from ? at : from;
    const int64_t hi = end < to ? end : to;
    if (lo < hi) {
      sp_batch *b = sp_batch_slice(sp_maker_of(op), all[i].b, (uint32_t)(lo - at), (uint32_t)(hi - lo));
      if (b == NULL) {
        return false;
      }
      res->batches[res->n_batches++] = b;
    }
    at = end;
  }
  return true;
}

static bool fill(sp_operator *op, sp_result *res, const placed *all, uint32_t n) {
  int64_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    kept += all[i].b->n_rows;
  }
  if (kept == res->head_rows + res->tail_rows) {
    return add_range(op, res, all, n, 0, kept);
  }
  return add_range(op, res, all, n, 0, res->head_rows) &&
         add_range(op, res, all, n, kept - res->tail_rows, kept);
}

static sp_status result_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  const result *r = op->shared;
  sp_result *res = &x->run->results[r->slot];
  uint32_t n = 0;
  for (uint32_t i = 0; i < x->threads; i++) {
    const worker_rows *mine = op->local[i];
    if (mine != NULL) {
      n += mine->head.n - mine->head.from + mine->tail.n - mine->tail.from;
      res->rows += mine->rows;
    }
  }
  placed *all = SP_ARENA_ARRAY(&x->run->arena, placed, n + 1);
  res->batches = SP_ARENA_ARRAY(&x->run->arena, sp_batch *, 2 * (size_t)n + 1);
  if (all == NULL || res->batches == NULL) {
    return sp_error_nomem(err);
  }
  n = 0;
  for (uint32_t i = 0; i < x->threads; i++) {
    worker_rows *mine = op->local[i];
    if (mine != NULL) {
      move_out(&mine->head, all, &n);
      move_out(&mine->tail, all, &n);
    }
  }
  if (n > 1) {
    qsort(all, n, sizeof *all, by_ordinal);
  }
  res->head_rows = r->keep < 0 || r->keep > res->rows ? res->rows : r->keep;
  res->tail_rows = r->keep < 0 || r->keep > res->rows - res->head_rows ? res->rows - res->head_rows : r->keep;
  const bool ok = fill(op, res, all, n);
  for (uint32_t i = 0; i < n; i++) {
    sp_batch_unref(all[i].b);
  }
  return ok ? SP_OK : sp_error_nomem(err);
}

static void list_release(list *l, sp_operator *op) {
  for (uint32_t i = l->from; i < l->n; i++) {
    sp_batch_unref(l->batches[i]);
  }
  sp_mem_free(op->mem, l->batches, l->cap * sizeof(sp_batch *));
}

static void result_close(sp_operator *op) {
  for (uint32_t i = 0; i < op->exec->threads; i++) {
    worker_rows *mine = op->local[i];
    if (mine != NULL) {
      list_release(&mine->head, op);
      list_release(&mine->tail, op);
      sp_mem_free(op->mem, mine, sizeof *mine);
      op->local[i] = NULL;
    }
  }
}

const sp_operator_ops sp_result_ops = {
    .name = "result", .push = result_push, .finish = result_finish, .close = result_close};

sp_status sp_result_lower(sp_lower *l, uint32_t output, sp_stream s, sp_error *err) {
  const uint32_t node = l->plan->outputs[output];
  sp_run *run = l->x->run;
  sp_operator *op = sp_lower_operator(l, node, &sp_result_ops, sizeof(result));
  SP_TRY_ALLOC(err, op);
  result *r = op->shared;
  r->slot = run->n_results++;
  r->keep = l->x->o.discard ? 0 : l->x->o.keep_rows;
  op->times_only = true;
  run->results[r->slot] =
      (sp_result){.id = l->plan->output_ids[output], .node = node, .schema = l->plan->nodes[node]->schema};
  return sp_lower_end(l, s, op, err);
}
