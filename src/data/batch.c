/* Batches: headers over columns, with an optional selection.
 *
 * A filter makes a new header with a selection over the same columns; whoever needs dense rows compacts.
 * Nothing here looks at values.
 *
 * Example: b of 4 rows, sp_batch_select(mem, b, {1, 3}, 2), then sp_batch_compact gives a batch of 2 rows. */
#include "data/column.h"

#include <assert.h>

static size_t batch_size(uint32_t n_cols) {
  return sizeof(sp_batch) + (size_t)n_cols * sizeof(sp_column *);
}

sp_batch *sp_batch_new(sp_mem *mem, uint32_t n_cols, uint32_t length) {
  sp_batch *b = sp_mem_calloc(mem, batch_size(n_cols));
  if (b == NULL) {
    return NULL;
  }
  atomic_init(&b->refs, 1);
  b->n_cols = n_cols;
  b->length = length;
  b->n_rows = length;
  b->mem = mem;
  return b;
}

sp_batch *sp_batch_unref(sp_batch *b) {
  if (b == NULL || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1) {
    return NULL;
  }
  for (uint32_t i = 0; i < b->n_cols; i++) {
    sp_column_unref(b->cols[i]);
  }
  sp_buf_unref(b->sel_buf);
  sp_mem_free(b->mem, b, batch_size(b->n_cols));
  return NULL;
}

static sp_batch *new_over(sp_mem *mem, const sp_batch *b) {
  sp_batch *r = sp_batch_new(mem, b->n_cols, b->length);
  if (r != NULL) {
    r->source = b->source;
    r->seq = b->seq;
  }
  return r;
}

sp_batch *sp_batch_select(sp_mem *mem, const sp_batch *b, sp_buf *sel_buf, uint32_t n_rows) {
  assert(n_rows <= b->length && sel_buf != NULL);
  sp_batch *r = new_over(mem, b);
  if (r == NULL) {
    sp_buf_unref(sel_buf);
    return NULL;
  }
  for (uint32_t i = 0; i < b->n_cols; i++) {
    r->cols[i] = sp_column_ref(b->cols[i]);
  }
  r->sel_buf = sel_buf;
  r->sel = (const uint16_t *)(const void *)sel_buf->data;
  r->n_rows = n_rows;
  return r;
}

sp_batch *sp_batch_slice(sp_maker m, const sp_batch *b, uint32_t from, uint32_t n) {
  assert(from <= b->n_rows && n <= b->n_rows - from);
  if (from == 0 && n == b->n_rows) {
    return sp_batch_ref(b);
  }
  if (b->sel != NULL) {
    sp_batch *r = sp_batch_select(m.mem, b, sp_buf_ref(b->sel_buf), n);
    if (r != NULL) {
      r->sel = b->sel + from;
    }
    return r;
  }
  sp_batch *r = new_over(m.mem, b);
  if (r == NULL) {
    return NULL;
  }
  r->length = n;
  r->n_rows = n;
  for (uint32_t i = 0; i < b->n_cols; i++) {
    r->cols[i] = sp_column_slice(m, b->cols[i], from, n);
    if (r->cols[i] == NULL) {
      return sp_batch_unref(r);
    }
  }
  return r;
}

sp_batch *sp_batch_compact(sp_maker m, const sp_batch *b) {
  if (b->sel == NULL) {
    return sp_batch_ref(b);
  }
  sp_batch *r = new_over(m.mem, b);
  if (r == NULL) {
    return NULL;
  }
  r->length = b->n_rows;
  r->n_rows = b->n_rows;
  for (uint32_t i = 0; i < b->n_cols; i++) {
    r->cols[i] = sp_column_take(m, b->cols[i], b->sel, b->n_rows);
    if (r->cols[i] == NULL) {
      return sp_batch_unref(r);
    }
  }
  return r;
}

void sp_batch_charge(sp_batch *b, sp_mem *to) {
  for (uint32_t i = 0; i < b->n_cols; i++) {
    sp_column_charge(b->cols[i], to);
  }
  if (b->sel_buf != NULL) {
    sp_buf_charge(b->sel_buf, to);
  }
}

int64_t sp_batch_bytes(const sp_batch *b) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < b->n_cols; i++) {
    sum += sp_column_bytes(b->cols[i], b->sel, b->n_rows);
  }
  return sum;
}
