/* Copying columns together: concat for breakers that collect batches, compact for those that keep a few rows
 * of one.
 *
 * Both put long strings into one new heap, so that what is kept is what is charged. Short strings lie inside
 * their views and need no heap.
 *
 * Example: concat of {1, null} and const 7 × 2 gives {1, null, 7, 7}. */
#include "data/column_build.h"

#include "data/kernels.h"

/* Empties the views of nulls, which may point anywhere, and adds up the bytes of the others that lie in
 * heaps. */
static size_t long_bytes(sp_view *v, const uint8_t *validity, uint32_t n) {
  size_t sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (validity != NULL && validity[i] == 0) {
      memset(&v[i], 0, sizeof v[i]);
    }
    sum += v[i].n > SP_VIEW_INLINE ? v[i].n : 0;
  }
  return sum;
}

/* Moves the long strings of a FLAT column that nobody else has seen into a heap of its own. */
static bool own_strings(sp_maker m, sp_column *c) {
  sp_view *v = (sp_view *)(void *)c->values->data;
  const size_t bytes = long_bytes(v, c->validity != NULL ? c->validity->data : NULL, c->length);
  if (bytes == 0) {
    return true;
  }
  sp_buf *heap = sp_buf_new(m.pool, m.mem, bytes);
  if (heap == NULL) {
    return false;
  }
  heap->size = bytes;
  char *to = (char *)heap->data;
  for (uint32_t i = 0; i < c->length; i++) {
    if (v[i].n > SP_VIEW_INLINE) {
      memcpy(to, v[i].p, v[i].n);
      v[i].p = to;
      to += v[i].n;
    }
  }
  const bool ok = sp_column_add_heap(c, heap);
  sp_buf_unref(heap);
  return ok;
}

static bool one_dictionary(sp_column *const *cols, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (cols[i]->encoding != SP_DICT || cols[i]->dict_id != cols[0]->dict_id ||
        (cols[i]->dict_id == 0 && cols[i]->dict != cols[0]->dict)) {
      return false;
    }
  }
  return n > 0;
}

/* Sums the rows; false when they are too many for a column. */
static bool count_rows(sp_column *const *cols, uint32_t n, uint32_t *ret_rows, bool *ret_validity) {
  uint32_t rows = 0;
  bool validity = false;
  for (uint32_t i = 0; i < n; i++) {
    if (__builtin_add_overflow(rows, cols[i]->length, &rows)) {
      return false;
    }
    validity |= cols[i]->validity != NULL;
  }
  *ret_rows = rows;
  *ret_validity = validity;
  return true;
}

static void concat_validity(sp_column *to, sp_column *const *cols, uint32_t n) {
  bool all = true;
  size_t at = 0;
  for (uint32_t i = 0; i < n; i++) {
    all &= sp_column_unpack_validity(cols[i], to->validity->data + at);
    at += cols[i]->length;
  }
  if (all) {
    to->validity = sp_buf_unref(to->validity);
  }
}

static sp_column *concat_codes(sp_maker m, sp_column *const *cols, uint32_t n, uint32_t rows, bool validity) {
  sp_buf *codes = sp_column_buffer(m, rows, 4);
  sp_buf *valid = validity ? sp_column_buffer(m, rows, 1) : NULL;
  if (codes == NULL || (validity && valid == NULL)) {
    sp_buf_unref(codes);
    sp_buf_unref(valid);
    return NULL;
  }
  uint8_t *at = codes->data;
  for (uint32_t i = 0; i < n; i++) {
    const size_t bytes = (size_t)cols[i]->length * 4;
    memcpy(at, cols[i]->values->data + (size_t)cols[i]->offset * 4, bytes);
    at += bytes;
  }
  sp_column *c = sp_column_dict(m, cols[0]->dict, cols[0]->dict_id, codes, valid, rows);
  if (c != NULL && validity) {
    concat_validity(c, cols, n);
  }
  return c;
}

sp_column *sp_column_concat(sp_maker m, const sp_type *t, sp_column *const *cols, uint32_t n) {
  uint32_t rows;
  bool validity;
  if (!count_rows(cols, n, &rows, &validity)) {
    return NULL;
  }
  if (t->kind == SP_KIND_NULL) {
    return sp_column_flat(m, t, rows, false);
  }
  if (one_dictionary(cols, n)) {
    return concat_codes(m, cols, n, rows, validity);
  }
  sp_column *c = sp_column_flat(m, t, rows, validity);
  if (c == NULL) {
    return NULL;
  }
  if (validity) {
    concat_validity(c, cols, n);
  }
  uint8_t *at = c->values->data;
  for (uint32_t i = 0; i < n; i++) {
    sp_column_unpack(cols[i], at);
    at += (size_t)cols[i]->length * t->width;
  }
  if (sp_type_is_bytes(t) && !own_strings(m, c)) {
    return sp_column_unref(c);
  }
  return c;
}

static size_t heap_bytes(const sp_column *c) {
  size_t sum = 0;
  for (uint32_t i = 0; i < c->n_heaps; i++) {
    sum += c->heaps[i]->size > 0 ? c->heaps[i]->size : c->heaps[i]->capacity;
  }
  return sum;
}

static size_t live_bytes(const sp_column *c) {
  const sp_reader r = sp_column_reader(c);
  const sp_view *v = r.data;
  size_t sum = 0;
  for (uint32_t i = 0; i < c->length; i++) {
    sum += v[i].n > SP_VIEW_INLINE && sp_reader_valid(&r, i) ? v[i].n : 0;
  }
  return sum;
}

/* The dictionary of a DICT column is shared by the batches of a scan: copying out of it would multiply the
 * strings. */
sp_column *sp_column_compact(sp_maker m, const sp_column *c) {
  if (!sp_type_is_bytes(c->type) || c->encoding != SP_FLAT || c->n_heaps == 0) {
    return sp_column_ref(c);
  }
  /* A live byte may be counted more than once, as views can overlap: then nothing is copied. */
  if (live_bytes(c) >= (heap_bytes(c) + 1) / 2) {
    return sp_column_ref(c);
  }
  sp_column *self = sp_column_ref(c);
  sp_column *copy = sp_column_concat(m, c->type, &self, 1);
  sp_column_unref(self);
  return copy;
}
