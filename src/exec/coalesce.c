/* Keeping batches, and gathering small ones.
 *
 * A selective filter or join leaves a few rows of each batch, and everything behind it would pay its price
 * per call for them. Batches below an eighth of a full one are copied together until they are worth a call.
 * Order within a morsel stays: a big batch first sends off what waits.
 *
 * Example: 8,192-row windows of which 40 rows survive each: after 103 windows one batch of 4,120 rows goes
 * on. */
#include "exec/internal.h"

#define SMALL_SHARE 8 /* batches under 1/8 of a full one are gathered … */
#define FAIR_SHARE 2  /* … to half of one */

/* Does a part of a column keep a buffer alive of which it shows less than half? */
static bool wastes(const sp_column *c) {
  const size_t width = c->encoding == SP_DICT ? sizeof(uint32_t) : c->type->width;
  return (c->encoding == SP_FLAT || c->encoding == SP_DICT) && c->values != NULL &&
         2 * (width * c->length + SP_BUF_PAD) < c->values->capacity;
}

/* A column without SEQUENCE, copied when it keeps much more alive than it shows. */
static sp_column *keep_column(sp_maker mk, const sp_column *c, const uint16_t *sel, uint32_t n) {
  sp_column *taken = sel != NULL ? sp_column_take(mk, c, sel, n) : sp_column_ref(c);
  if (taken == NULL) {
    return NULL;
  }
  sp_column *flat = taken->encoding == SP_SEQUENCE ? sp_column_flatten(mk, taken) : sp_column_ref(taken);
  sp_column_unref(taken);
  if (flat == NULL) {
    return NULL;
  }
  sp_column *r = wastes(flat) ? sp_column_concat(mk, flat->type, &flat, 1) : sp_column_compact(mk, flat);
  sp_column_unref(flat);
  return r;
}

sp_batch *sp_batch_keep(sp_operator *op, const sp_worker *w, const sp_batch *b) {
  const sp_maker mk = sp_maker_of(op);
  sp_batch *r = sp_batch_new(mk.mem, b->n_cols, b->n_rows);
  if (r == NULL) {
    return NULL;
  }
  r->source = w != NULL ? w->source : b->source;
  r->seq = w != NULL ? w->seq : b->seq;
  for (uint32_t i = 0; i < b->n_cols; i++) {
    r->cols[i] = keep_column(mk, b->cols[i], b->sel, b->n_rows);
    if (r->cols[i] == NULL) {
      return sp_batch_unref(r);
    }
  }
  sp_batch_charge(r, op->mem);
  return r;
}

static sp_batch *concat(sp_operator *op, const sp_coalesce *c) {
  const sp_maker mk = sp_maker_of(op);
  const uint32_t n_cols = c->batches[0]->n_cols;
  sp_batch *r = sp_batch_new(mk.mem, n_cols, c->rows);
  sp_column **cols = sp_mem_alloc(mk.mem, c->n * sizeof(sp_column *));
  for (uint32_t i = 0; r != NULL && cols != NULL && i < n_cols; i++) {
    for (uint32_t k = 0; k < c->n; k++) {
      cols[k] = c->batches[k]->cols[i];
    }
    r->cols[i] = sp_column_concat(mk, cols[0]->type, cols, c->n);
    if (r->cols[i] == NULL) {
      r = sp_batch_unref(r);
    }
  }
  if (cols == NULL) {
    sp_batch_unref(r);
    r = NULL;
  }
  sp_mem_free(mk.mem, cols, c->n * sizeof(sp_column *));
  return r;
}

static void forget(sp_coalesce *c) {
  for (uint32_t i = 0; i < c->n; i++) {
    sp_batch_unref(c->batches[i]);
  }
  c->n = 0;
  c->rows = 0;
}

sp_status sp_coalesce_flush(sp_coalesce *c, sp_operator *op, sp_worker *w) {
  if (c->n == 0) {
    return SP_OK;
  }
  sp_batch *b = c->n == 1 ? sp_batch_ref(c->batches[0]) : concat(op, c);
  forget(c);
  return sp_emit_take(op, w, b);
}

static sp_status wait_in_line(sp_coalesce *c, sp_operator *op, sp_worker *w, const sp_batch *b) {
  if (c->n == c->cap) {
    const uint32_t cap = c->cap == 0 ? 8 : c->cap * 2;
    void *p = sp_mem_realloc(op->mem, c->batches, c->cap * sizeof(sp_batch *), cap * sizeof(sp_batch *));
    SP_TRY_ALLOC(w->err, p);
    c->batches = p;
    c->cap = cap;
  }
  sp_batch *kept = sp_batch_compact(sp_maker_of(op), b);
  SP_TRY_ALLOC(w->err, kept);
  c->batches[c->n++] = kept;
  c->rows += kept->n_rows;
  return SP_OK;
}

sp_status sp_coalesce_add(sp_coalesce *c, sp_operator *op, sp_worker *w, const sp_batch *b) {
  if (c->target == 0) {
    c->target = sp_exec_batch_rows(op->exec, op->out);
  }
  if (b->n_rows == 0) {
    return SP_OK;
  }
  if (b->n_rows >= c->target / SMALL_SHARE && c->n == 0) {
    return sp_emit(op, w, b);
  }
  if (b->n_rows >= c->target / SMALL_SHARE) {
    SP_TRY(sp_coalesce_flush(c, op, w));
    return sp_emit(op, w, b);
  }
  SP_TRY(wait_in_line(c, op, w, b));
  return c->rows >= c->target / FAIR_SHARE ? sp_coalesce_flush(c, op, w) : SP_OK;
}

void sp_coalesce_release(sp_coalesce *c, sp_operator *op) {
  forget(c);
  sp_mem_free(op->mem, c->batches, c->cap * sizeof(sp_batch *));
  *c = (sp_coalesce){.batches = NULL};
}
