/* See key_rows.h. Loops are one per width and kind of value. */
#include "exec/key_rows.h"

#include "base/simd.h"

/* ---- layout ---- */

const sp_key_layout *sp_key_layout_new(sp_arena *a, const sp_type *const *types, uint32_t n) {
  sp_key_layout *l = SP_ARENA_NEW(a, sp_key_layout);
  if (l == NULL) {
    return NULL;
  }
  l->n = n;
  l->fields = SP_ARENA_ARRAY(a, sp_key_field, n);
  if (l->fields == NULL) {
    return NULL;
  }
  uint32_t at = 0;
  for (uint32_t i = 0; i < n; i++) {
    l->fields[i].type = types[i];
    if (sp_type_is_bytes(types[i])) {
      l->fields[i].offset = at;
      at += 16;
      l->n_views++;
    }
  }
  for (uint32_t width = 16; width > 0; width /= 2) {
    for (uint32_t i = 0; i < n; i++) {
      if (!sp_type_is_bytes(types[i]) && types[i]->width == width) {
        l->fields[i].offset = at;
        at += width;
      }
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    l->fields[i].null_offset = at++;
  }
  l->words = (at + 7) / 8;
  return l;
}

/* ---- encoding ---- */

/* Which rows of a column: sel[0 .. n), or from .. from + n. */
typedef struct rows_meant {
  const uint16_t *sel;
  uint32_t from, n;
} rows_meant;

static rows_meant meant(const uint16_t *sel, uint32_t from, uint32_t n) {
  return sel != NULL ? (rows_meant){sel + from, 0, n} : (rows_meant){NULL, from, n};
}

static inline uint32_t row_of(const rows_meant *m, uint32_t i) {
  return m->sel != NULL ? m->sel[i] : m->from + i;
}

static inline uint32_t canonical_f32(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f == 0 ? 0 : f != f ? UINT32_C(0x7fc00000) : bits;
}

static inline uint64_t canonical_f64(uint64_t bits) {
  double f;
  memcpy(&f, &bits, 8);
  return f == 0 ? 0 : f != f ? UINT64_C(0x7ff8000000000000) : bits;
}

/* One loop per width and kind of value; nulls keep the zeros that are there. */
#define ENCODE(name, T, CANON)                                                                               \
  static void encode_##name(const sp_reader *r, const rows_meant *m, uint8_t *to, size_t step) {             \
    const T *data = r->data;                                                                                 \
    for (uint32_t i = 0; i < m->n; i++, to += step) {                                                        \
      const uint32_t row = row_of(m, i);                                                                     \
      if (sp_reader_valid(r, row)) {                                                                         \
        const T v = CANON(data[sp_reader_index(r, row)]);                                                    \
        memcpy(to, &v, sizeof v);                                                                            \
      }                                                                                                      \
    }                                                                                                        \
  }
#define SAME(v) (v)
ENCODE(w1, uint8_t, SAME)
ENCODE(w2, uint16_t, SAME)
ENCODE(w4, uint32_t, SAME)
ENCODE(w8, uint64_t, SAME)
ENCODE(f32, uint32_t, canonical_f32)
ENCODE(f64, uint64_t, canonical_f64)
ENCODE(view, sp_view, SAME)
ENCODE(i128, sp_i128, SAME)
#undef ENCODE
#undef SAME

static void encode_values(const sp_type *t, const sp_reader *r, const rows_meant *m, uint8_t *to,
                          size_t step) {
  if (t->phys == SP_PHYS_F32) {
    encode_f32(r, m, to, step);
  } else if (t->phys == SP_PHYS_F64) {
    encode_f64(r, m, to, step);
  } else if (sp_type_is_bytes(t)) {
    encode_view(r, m, to, step);
  } else if (t->width == 1) {
    encode_w1(r, m, to, step);
  } else if (t->width == 2) {
    encode_w2(r, m, to, step);
  } else if (t->width == 4) {
    encode_w4(r, m, to, step);
  } else if (t->width == 8) {
    encode_w8(r, m, to, step);
  } else if (t->width == 16) {
    encode_i128(r, m, to, step);
  }
}

void sp_key_encode(const sp_key_layout *l, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                   uint32_t n, uint64_t *rows, size_t stride) {
  const rows_meant m = meant(sel, from, n);
  for (uint32_t i = 0; i < n; i++) {
    memset(rows + i * stride, 0, l->words * sizeof(uint64_t));
  }
  for (uint32_t k = 0; k < l->n; k++) {
    const sp_key_field *f = &l->fields[k];
    const sp_reader r = sp_column_reader(cols[k]);
    uint8_t *base = (uint8_t *)rows;
    const bool none = f->type->phys == SP_PHYS_NONE;
    if (r.validity != NULL || none) {
      uint8_t *to = base + f->null_offset;
      for (uint32_t i = 0; i < n; i++, to += stride * 8) {
        *to = none || !sp_reader_valid(&r, row_of(&m, i));
      }
    }
    if (!none) {
      encode_values(f->type, &r, &m, base + f->offset, stride * 8);
    }
  }
}

/* ---- hashing and comparing ---- */

static uint64_t hash_row(const sp_key_layout *l, const uint64_t *row) {
  uint64_t h = UINT64_C(0x2d358dccaa6c78a5);
  for (uint32_t i = 2 * l->n_views; i < l->words; i++) {
    h = sp_hash_combine(h, row[i]);
  }
  const sp_view *v = (const sp_view *)(const void *)row;
  for (uint32_t i = 0; i < l->n_views; i++) {
    if (v[i].n <= SP_VIEW_INLINE) {
      h = sp_hash_combine(sp_hash_combine(h, row[2 * i]), row[2 * i + 1]);
    } else {
      h = sp_hash_bytes(v[i].p, v[i].n, h);
    }
  }
  return sp_hash_u64(h);
}

void sp_key_hash(const sp_key_layout *l, const uint64_t *rows, size_t stride, uint32_t n, uint64_t *hashes) {
  for (uint32_t i = 0; i < n; i++) {
    hashes[i] = hash_row(l, rows + i * stride);
  }
}

bool sp_key_eq_views(const sp_key_layout *l, const uint64_t *a, const uint64_t *b) {
  const sp_view *x = (const sp_view *)(const void *)a;
  const sp_view *y = (const sp_view *)(const void *)b;
  for (uint32_t i = 0; i < l->n_views; i++) {
    if (!sp_view_eq(&x[i], &y[i])) {
      return false;
    }
  }
  return true;
}

bool sp_key_has_null(const sp_key_layout *l, const uint64_t *row) {
  for (uint32_t i = 0; i < l->n; i++) {
    if (sp_key_is_null(&l->fields[i], row)) {
      return true;
    }
  }
  return false;
}

/* ---- integers in order ---- */

#define SIGN (UINT64_C(1) << 63)

/* Loops without a test per row where there is no indirection, which vectorise. */
#define ORDERED(name, T, W, FLIP)                                                                            \
  SP_CLONES static void ordered_flat_##name(const T *restrict d, uint32_t n, uint64_t *restrict out) {       \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      out[i] = (uint64_t)(W)d[i] ^ (FLIP);                                                                   \
    }                                                                                                        \
  }                                                                                                          \
  static void ordered_##name(const sp_reader *r, const rows_meant *m, uint64_t *out) {                       \
    const T *d = r->data;                                                                                    \
    const uint32_t n = m->n;                                                                                 \
    if (r->is_const) {                                                                                       \
      for (uint32_t i = 0; i < n; i++) {                                                                     \
        out[i] = (uint64_t)(W)d[0] ^ (FLIP);                                                                 \
      }                                                                                                      \
    } else if (r->codes != NULL) {                                                                           \
      for (uint32_t i = 0; i < n; i++) {                                                                     \
        out[i] = (uint64_t)(W)d[r->codes[row_of(m, i)]] ^ (FLIP);                                            \
      }                                                                                                      \
    } else if (m->sel != NULL) {                                                                             \
      for (uint32_t i = 0; i < n; i++) {                                                                     \
        out[i] = (uint64_t)(W)d[m->sel[i]] ^ (FLIP);                                                         \
      }                                                                                                      \
    } else {                                                                                                 \
      ordered_flat_##name(d + m->from, n, out);                                                              \
    }                                                                                                        \
  }
ORDERED(i8, int8_t, int64_t, SIGN)
ORDERED(i16, int16_t, int64_t, SIGN)
ORDERED(i32, int32_t, int64_t, SIGN)
ORDERED(i64, int64_t, int64_t, SIGN)
ORDERED(u8, uint8_t, uint64_t, 0)
ORDERED(u16, uint16_t, uint64_t, 0)
ORDERED(u32, uint32_t, uint64_t, 0)
ORDERED(u64, uint64_t, uint64_t, 0)
#undef ORDERED

static void ordered(sp_phys phys, const sp_reader *r, const rows_meant *m, uint64_t *out) {
  static void (*const by_phys[])(const sp_reader *, const rows_meant *, uint64_t *) = {
      [SP_PHYS_I8] = ordered_i8,   [SP_PHYS_I16] = ordered_i16, [SP_PHYS_I32] = ordered_i32,
      [SP_PHYS_I64] = ordered_i64, [SP_PHYS_U8] = ordered_u8,   [SP_PHYS_U16] = ordered_u16,
      [SP_PHYS_U32] = ordered_u32, [SP_PHYS_U64] = ordered_u64};
  by_phys[phys](r, m, out);
}

bool sp_key_ordered(const sp_column *c, const uint16_t *sel, uint32_t from, uint32_t n, uint64_t *out,
                    uint8_t *valid) {
  const rows_meant m = meant(sel, from, n);
  const sp_reader r = sp_column_reader(c);
  if (r.is_const && r.validity != NULL && r.validity[0] == 0) {
    memset(out, 0, n * sizeof *out);
    memset(valid, 0, n);
    return n > 0;
  }
  ordered(c->type->phys, &r, &m, out);
  memset(valid, 1, n);
  if (r.validity == NULL || r.is_const) {
    return false;
  }
  uint8_t all = 1;
  for (uint32_t i = 0; i < n; i++) {
    valid[i] = r.validity[row_of(&m, i)];
    all &= valid[i];
  }
  for (uint32_t i = 0; i < n && all == 0; i++) {
    out[i] = valid[i] != 0 ? out[i] : 0;
  }
  return all == 0;
}

uint64_t sp_key_ordered_at(const sp_key_field *f, const uint64_t *row) {
  uint64_t out;
  uint64_t aligned;
  memcpy(&aligned, (const uint8_t *)row + f->offset, f->type->width);
  const sp_reader r = {.data = &aligned, .is_const = true};
  const rows_meant one = {.n = 1};
  ordered(f->type->phys, &r, &one, &out);
  return out;
}

uint64_t sp_key_ordered_value(const sp_value *v) {
  uint64_t slot[2] = {0, 0};
  uint64_t out;
  sp_value_store(v, slot);
  const sp_reader r = {.data = slot, .is_const = true};
  const rows_meant one = {.n = 1};
  ordered(v->type->phys, &r, &one, &out);
  return out;
}

/* ---- the store ---- */

#define HEAP_FIRST ((size_t)4 << 10)
#define HEAP_MOST ((size_t)4 << 20)

void sp_key_store_init(sp_key_store *s, const sp_key_layout *l, sp_maker mk, size_t user_bytes) {
  *s = (sp_key_store){.layout = l, .mk = mk};
  s->user_offset = user_bytes > 0 ? ((size_t)l->words * 8 + 15) / 16 * 16 : (size_t)l->words * 8;
  s->stride = s->user_offset + (user_bytes + 15) / 16 * 16;
  if (user_bytes > 0 && s->stride > 32 && s->stride < 64) {
    s->stride = 64; /* a row lies within one cache line */
  }
}

void sp_key_store_release(sp_key_store *s) {
  for (uint32_t i = 0; i < s->n_heaps; i++) {
    sp_buf_unref(s->heaps[i]);
  }
  sp_mem_free(s->mk.mem, s->heaps, s->cap_heaps * sizeof(sp_buf *));
  sp_mem_free(s->mk.mem, s->rows, s->cap * s->stride);
  *s = (sp_key_store){.layout = s->layout, .mk = s->mk, .stride = s->stride, .user_offset = s->user_offset};
}

bool sp_key_store_reserve(sp_key_store *s, uint32_t n) {
  if (n <= s->cap - s->n) {
    return true;
  }
  const uint64_t need = (uint64_t)s->n + n;
  if (need >= UINT32_MAX - 1) {
    return false;
  }
  uint64_t cap = s->cap < 64 ? 64 : (uint64_t)s->cap * 2;
  cap = cap < need ? need : cap;
  cap = cap > UINT32_MAX - 2 ? UINT32_MAX - 2 : cap;
  size_t bytes;
  if (!sp_size_mul(cap, s->stride, &bytes)) {
    return false;
  }
  void *p = sp_mem_realloc(s->mk.mem, s->rows, s->cap * s->stride, bytes);
  if (p == NULL) {
    return false;
  }
  s->rows = p;
  s->cap = (uint32_t)cap;
  return true;
}

static char *heap_room(sp_key_store *s, size_t n) {
  sp_buf *h = s->n_heaps > 0 ? s->heaps[s->n_heaps - 1] : NULL;
  if (h == NULL || h->capacity - h->size < n) {
    if (s->n_heaps == s->cap_heaps) {
      const uint32_t cap = s->cap_heaps == 0 ? 8 : s->cap_heaps * 2;
      void *p = sp_mem_realloc(s->mk.mem, s->heaps, s->cap_heaps * sizeof(sp_buf *), cap * sizeof(sp_buf *));
      if (p == NULL) {
        return NULL;
      }
      s->heaps = p;
      s->cap_heaps = cap;
    }
    size_t size = h == NULL ? HEAP_FIRST : h->capacity * 2;
    size = size > HEAP_MOST ? HEAP_MOST : size;
    h = sp_buf_new(s->mk.pool, s->mk.mem, size < n ? n : size);
    if (h == NULL) {
      return NULL;
    }
    s->heaps[s->n_heaps++] = h;
  }
  char *p = (char *)h->data + h->size;
  h->size += n;
  return p;
}

bool sp_key_store_append(sp_key_store *s, const uint64_t *row) {
  uint8_t *to = s->rows + (size_t)s->n * s->stride;
  const size_t bytes = (size_t)s->layout->words * 8;
  memcpy(to, row, bytes);
  memset(to + bytes, 0, s->stride - bytes);
  sp_view *v = (sp_view *)(void *)to;
  for (uint32_t i = 0; i < s->layout->n_views; i++) {
    if (v[i].n > SP_VIEW_INLINE) {
      char *p = heap_room(s, v[i].n);
      if (p == NULL) {
        return false;
      }
      memcpy(p, v[i].p, v[i].n);
      v[i].p = p;
    }
  }
  s->n++;
  return true;
}

static void copy_values(uint8_t *to, const uint8_t *from, size_t step, uint32_t n, uint32_t width) {
  switch (width) {
#define COPY(w)                                                                                              \
  case w:                                                                                                    \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      memcpy(to + (size_t)i * (w), from + i * step, w);                                                      \
    }                                                                                                        \
    break;
    COPY(1)
    COPY(2)
    COPY(4)
    COPY(8)
    COPY(16)
#undef COPY
  default:
    break;
  }
}

sp_column *sp_key_store_column(const sp_key_store *s, uint32_t field, sp_maker mk, uint32_t from,
                               uint32_t n) {
  const sp_key_field *f = &s->layout->fields[field];
  if (f->type->phys == SP_PHYS_NONE) {
    return sp_column_null(mk, f->type, n);
  }
  const uint8_t *base = s->rows + (size_t)from * s->stride;
  uint8_t nulls = 0;
  for (uint32_t i = 0; i < n; i++) {
    nulls |= base[(size_t)i * s->stride + f->null_offset];
  }
  sp_column *c = sp_column_flat(mk, f->type, n, nulls != 0);
  if (c == NULL) {
    return NULL;
  }
  copy_values(c->values->data, base + f->offset, s->stride, n, f->type->width);
  for (uint32_t i = 0; i < n && nulls != 0; i++) {
    c->validity->data[i] = base[(size_t)i * s->stride + f->null_offset] == 0;
  }
  for (uint32_t i = 0; i < s->n_heaps && sp_type_is_bytes(f->type); i++) {
    if (!sp_column_add_heap(c, s->heaps[i])) {
      return sp_column_unref(c);
    }
  }
  return c;
}
