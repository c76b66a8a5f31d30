/* Columns: making headers, holding references, reading single values.
 *
 * A header is small and made anew for every change of form; the buffers behind it are shared. The heap list
 * of a string column has no capacity field: room for n heaps is the next power of two, which its size tells.
 *
 * Example: c = const "abc" × 5; sp_column_slice(m, c, 2, 3) is a new header of length 3 over the same 16
 * bytes. */
#include "data/column_build.h"

#include <assert.h>

#include "data/kernels.h"

static uint32_t heap_room(uint32_t n) {
  if (n <= 1) {
    return n;
  }
  uint32_t room = 2;
  while (room < n) {
    room *= 2;
  }
  return room;
}

sp_column *sp_column_header(sp_maker m, const sp_type *t, sp_encoding e, uint32_t n) {
  sp_column *c = sp_mem_calloc(m.mem, sizeof *c);
  if (c == NULL) {
    return NULL;
  }
  atomic_init(&c->refs, 1);
  c->encoding = e;
  c->type = t;
  c->length = n;
  c->mem = m.mem;
  return c;
}

sp_column *sp_column_unref(sp_column *c) {
  if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) {
    return NULL;
  }
  sp_buf_unref(c->values);
  sp_buf_unref(c->validity);
  sp_column_unref(c->dict);
  for (uint32_t i = 0; i < c->n_heaps; i++) {
    sp_buf_unref(c->heaps[i]);
  }
  sp_mem_free(c->mem, c->heaps, heap_room(c->n_heaps) * sizeof(sp_buf *));
  sp_mem_free(c->mem, c, sizeof *c);
  return NULL;
}

void sp_column_charge(sp_column *c, sp_mem *to) {
  if (c->values != NULL) {
    sp_buf_charge(c->values, to);
  }
  if (c->validity != NULL) {
    sp_buf_charge(c->validity, to);
  }
  for (uint32_t i = 0; i < c->n_heaps; i++) {
    sp_buf_charge(c->heaps[i], to);
  }
  if (c->dict != NULL) {
    sp_column_charge(c->dict, to);
  }
}

/* ---- heaps ---- */
static bool push_heap(sp_column *c, sp_buf *heap) {
  const uint32_t room = heap_room(c->n_heaps), want = heap_room(c->n_heaps + 1);
  if (want > room) {
    sp_buf **grown = sp_mem_alloc(c->mem, want * sizeof *grown);
    if (grown == NULL) {
      return false;
    }
    if (c->n_heaps > 0) {
      memcpy(grown, c->heaps, c->n_heaps * sizeof *grown);
    }
    sp_mem_free(c->mem, c->heaps, room * sizeof *grown);
    c->heaps = grown;
  }
  c->heaps[c->n_heaps++] = sp_buf_ref(heap);
  return true;
}

bool sp_column_add_heap(sp_column *c, sp_buf *heap) {
  for (uint32_t i = 0; i < c->n_heaps; i++) {
    if (c->heaps[i] == heap) {
      return true;
    }
  }
  return push_heap(c, heap);
}

bool sp_column_add_heaps_of(sp_column *c, const sp_column *from) {
  if (c->n_heaps == 0 && from->n_heaps > 0) {
    /* The list is free of repetitions already. */
    c->heaps = sp_mem_alloc(c->mem, heap_room(from->n_heaps) * sizeof *c->heaps);
    if (c->heaps == NULL) {
      return false;
    }
    for (uint32_t i = 0; i < from->n_heaps; i++) {
      c->heaps[i] = sp_buf_ref(from->heaps[i]);
    }
    c->n_heaps = from->n_heaps;
  } else {
    for (uint32_t i = 0; i < from->n_heaps; i++) {
      if (!sp_column_add_heap(c, from->heaps[i])) {
        return false;
      }
    }
  }
  return from->dict == NULL || sp_column_add_heaps_of(c, from->dict);
}

/* ---- making ---- */
sp_buf *sp_column_buffer(sp_maker m, uint32_t n, uint32_t width) {
  size_t bytes;
  if (!sp_size_mul(n, width, &bytes)) {
    return NULL;
  }
  sp_buf *b = sp_buf_new(m.pool, m.mem, bytes);
  if (b != NULL) {
    b->size = bytes;
  }
  return b;
}

sp_column *sp_column_flat(sp_maker m, const sp_type *t, uint32_t n, bool with_validity) {
  sp_column *c = sp_column_header(m, t, SP_FLAT, n);
  if (c == NULL) {
    return NULL;
  }
  const bool is_null = t->kind == SP_KIND_NULL;
  if (!is_null) {
    c->values = sp_column_buffer(m, n, t->width);
  }
  if (with_validity || is_null) {
    c->validity = sp_column_buffer(m, n, 1);
    if (c->validity != NULL) {
      memset(c->validity->data, is_null ? 0 : 1, n);
    }
  }
  if ((c->values == NULL && !is_null) || (c->validity == NULL && (with_validity || is_null))) {
    return sp_column_unref(c);
  }
  return c;
}

/* CONST with its one value zero and undecided validity. */
static sp_column *new_const(sp_maker m, const sp_type *t, uint32_t n) {
  sp_column *c = sp_column_header(m, t, SP_CONST, n);
  if (c != NULL && t->width > 0) {
    c->values = sp_column_buffer(m, 1, t->width);
    if (c->values == NULL) {
      return sp_column_unref(c);
    }
    memset(c->values->data, 0, t->width);
  }
  return c;
}

sp_column *sp_column_null(sp_maker m, const sp_type *t, uint32_t n) {
  sp_column *c = new_const(m, t, n);
  if (c == NULL) {
    return NULL;
  }
  c->validity = sp_column_buffer(m, 1, 1);
  if (c->validity == NULL) {
    return sp_column_unref(c);
  }
  c->validity->data[0] = 0;
  return c;
}

sp_column *sp_column_const(sp_maker m, const sp_value *v, uint32_t n) {
  if (v->is_null || v->type->kind == SP_KIND_NULL) {
    return sp_column_null(m, v->type, n);
  }
  sp_column *c = new_const(m, v->type, n);
  if (c == NULL) {
    return NULL;
  }
  if (!sp_type_is_bytes(v->type) || v->s.n <= SP_VIEW_INLINE) {
    sp_value_store(v, c->values->data);
    return c;
  }
  sp_buf *heap = v->s.n <= UINT32_MAX ? sp_buf_new(m.pool, m.mem, v->s.n) : NULL;
  if (heap == NULL) {
    return sp_column_unref(c);
  }
  memcpy(heap->data, v->s.p, v->s.n);
  heap->size = v->s.n;
  const sp_view view = sp_view_make((const char *)heap->data, (uint32_t)v->s.n);
  memcpy(c->values->data, &view, sizeof view);
  const bool added = sp_column_add_heap(c, heap);
  sp_buf_unref(heap);
  return added ? c : sp_column_unref(c);
}

sp_column *sp_column_sequence(sp_maker m, const sp_type *t, int64_t start, int64_t step, uint32_t n) {
  assert(sp_type_is_int(t) || t->phys == SP_PHYS_I64 || t->phys == SP_PHYS_I32);
  sp_column *c = sp_column_header(m, t, SP_SEQUENCE, n);
  if (c != NULL) {
    c->start = start;
    c->step = step;
  }
  return c;
}

sp_column *sp_column_dict(sp_maker m, sp_column *dict, uint64_t dict_id, sp_buf *codes, sp_buf *validity,
                          uint32_t n) {
  assert(dict->encoding == SP_FLAT && dict->validity == NULL);
  sp_column *c = sp_column_header(m, dict->type, SP_DICT, n);
  if (c == NULL) {
    sp_buf_unref(codes);
    sp_buf_unref(validity);
    return NULL;
  }
  c->values = codes;
  c->validity = validity;
  c->dict = sp_column_ref(dict);
  c->dict_id = dict_id;
  return c;
}

sp_column *sp_column_alias(sp_maker m, const sp_column *c) {
  sp_column *a = sp_column_header(m, c->type, c->encoding, c->length);
  if (a == NULL) {
    return NULL;
  }
  a->offset = c->offset;
  a->values = sp_buf_ref(c->values);
  a->validity = sp_buf_ref(c->validity);
  a->dict = sp_column_ref(c->dict);
  a->dict_id = c->dict_id;
  a->start = c->start;
  a->step = c->step;
  if (c->n_heaps > 0) {
    a->heaps = sp_mem_alloc(m.mem, heap_room(c->n_heaps) * sizeof *a->heaps);
    if (a->heaps == NULL) {
      return sp_column_unref(a);
    }
    for (uint32_t i = 0; i < c->n_heaps; i++) {
      a->heaps[i] = sp_buf_ref(c->heaps[i]);
    }
    a->n_heaps = c->n_heaps;
  }
  return a;
}

sp_column *sp_column_slice(sp_maker m, const sp_column *c, uint32_t from, uint32_t n) {
  assert(from <= c->length && n <= c->length - from);
  sp_column *s = sp_column_alias(m, c);
  if (s == NULL) {
    return NULL;
  }
  s->length = n;
  if (c->encoding == SP_FLAT || c->encoding == SP_DICT) {
    s->offset = c->offset + from;
  } else if (c->encoding == SP_SEQUENCE) {
    s->start = (int64_t)((uint64_t)c->start + (uint64_t)c->step * from);
  }
  return s;
}

sp_column *sp_column_retype(sp_maker m, const sp_column *c, const sp_type *t) {
  assert(c->type->width == t->width);
  sp_column *r = sp_column_alias(m, c);
  if (r == NULL) {
    return NULL;
  }
  r->type = t;
  if (c->dict != NULL && c->dict->type != t) {
    sp_column *dict = sp_column_retype(m, c->dict, t);
    if (dict == NULL) {
      return sp_column_unref(r);
    }
    sp_column_unref(r->dict);
    r->dict = dict;
  }
  return r;
}

/* ---- reading ---- */
bool sp_column_is_null(const sp_column *c, uint32_t row) {
  if (c->type->kind == SP_KIND_NULL) {
    return true;
  }
  return c->validity != NULL && c->validity->data[c->encoding == SP_CONST ? 0 : (size_t)c->offset + row] == 0;
}

sp_value sp_column_value(const sp_column *c, uint32_t row) {
  assert(row < c->length);
  if (sp_column_is_null(c, row)) {
    return sp_value_null(c->type);
  }
  if (c->encoding == SP_SEQUENCE) {
    uint64_t v;
    memset(&v, 0, sizeof v);
    sp_kernel_sequence(c->type->width, &v, c->start, c->step, &row, NULL, 1);
    return sp_value_load(c->type, &v);
  }
  const sp_reader r = sp_column_reader(c);
  const size_t at = sp_reader_index(&r, row);
  return sp_value_load(c->type, (const uint8_t *)r.data + at * c->type->width);
}

static uint32_t length_at(const sp_reader *r, uint32_t row) {
  uint32_t n;
  memcpy(&n, (const uint8_t *)r->data + (size_t)sp_reader_index(r, row) * sizeof(sp_view), sizeof n);
  return n;
}

/* Lengths of the strings that are not null. */
static int64_t string_bytes(const sp_column *c, const uint16_t *sel, uint32_t n) {
  const sp_reader r = sp_column_reader(c);
  if (r.is_const) {
    return n > 0 && sp_reader_valid(&r, 0) ? (int64_t)length_at(&r, 0) * n : 0;
  }
  int64_t sum = 0;
  if (r.codes == NULL && r.validity == NULL && sel == NULL) {
    const sp_view *v = r.data;
    for (uint32_t i = 0; i < n; i++) {
      sum += v[i].n;
    }
    return sum;
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t row = sel != NULL ? sel[i] : i;
    sum += sp_reader_valid(&r, row) ? length_at(&r, row) : 0;
  }
  return sum;
}

int64_t sp_column_bytes(const sp_column *c, const uint16_t *sel, uint32_t n) {
  const int64_t validity = c->validity != NULL ? n : 0;
  return validity + (sp_type_is_bytes(c->type) ? string_bytes(c, sel, n) : (int64_t)c->type->width * n);
}
