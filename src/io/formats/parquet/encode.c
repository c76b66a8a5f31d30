/* From batches to Parquet's physical values: collecting a column's rows, finding distinct values, packing
 * bits.
 *
 * Integers below 32 bits are widened to INT32; a decimal is INT32 up to 9 digits, INT64 up to 18, else the
 * fewest big-endian bytes that hold its precision.
 *
 * Worked example: values 7 7 7 7 7 7 7 7 1 2 as a hybrid of 3 bits: a run of 8 times 7 (10 07), then one
 * group of 8 that holds 1 and 2 and padding (03 11 00 00). */
#include "base/hash.h"
#include "data/text.h"
#include "io/formats/parquet/write.h"

/* ---- types ---- */

/* The fewest bytes of two's complement that hold 10^precision - 1. */
static uint32_t decimal_bytes(uint32_t precision) {
  uint32_t n = 1;
  while (n < 16 && sp_pow10[precision] - 1 > ((sp_i128)1 << (8 * n - 1)) - 1) {
    n++;
  }
  return n;
}

static int32_t phys_of(const sp_type *t) {
  if (t->kind == SP_KIND_BOOL) {
    return SP_PQ_BOOLEAN;
  }
  if (t->kind == SP_KIND_DECIMAL) {
    return t->precision <= 9 ? SP_PQ_INT32 : t->precision <= 18 ? SP_PQ_INT64 : SP_PQ_FIXED;
  }
  switch (t->phys) {
  case SP_PHYS_NONE:
  case SP_PHYS_I8:
  case SP_PHYS_I16:
  case SP_PHYS_I32:
  case SP_PHYS_U8:
  case SP_PHYS_U16:
  case SP_PHYS_U32:
    return SP_PQ_INT32;
  case SP_PHYS_I64:
  case SP_PHYS_U64:
    return SP_PQ_INT64;
  case SP_PHYS_F32:
    return SP_PQ_FLOAT;
  case SP_PHYS_F64:
    return SP_PQ_DOUBLE;
  case SP_PHYS_VIEW:
    return SP_PQ_BYTE_ARRAY;
  case SP_PHYS_I128:
  case SP_PHYS_INTERVAL:
    break;
  }
  return -1;
}

sp_status sp_pq_out_leaf_init(sp_sv name, const sp_type *t, sp_pq_out_leaf *ret, sp_error *err) {
  const int32_t phys = phys_of(t);
  if (phys < 0) {
    SP_FAIL(err, SP_UNSUPPORTED, NULL, "column `%.*s`: %s cannot be written to a Parquet file",
            name.n < 100 ? (int)name.n : 100, name.p, t->name);
  }
  const uint32_t width = phys == SP_PQ_FIXED                           ? decimal_bytes(t->precision)
                         : phys == SP_PQ_INT32 || phys == SP_PQ_FLOAT  ? 4
                         : phys == SP_PQ_INT64 || phys == SP_PQ_DOUBLE ? 8
                                                                       : 0;
  *ret = (sp_pq_out_leaf){.name = name, .type = t, .phys = phys, .width = width};
  return SP_OK;
}

/* ---- collecting ---- */

#define COLLECT(T)                                                                                           \
  static uint32_t collect_##T(const sp_reader *r, const uint16_t *sel, uint32_t n, uint8_t *valid, T *dst) { \
    uint32_t k = 0;                                                                                          \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      const uint32_t row = sel != NULL ? sel[i] : i;                                                         \
      valid[i] = sp_reader_valid(r, row);                                                                    \
      if (valid[i] != 0) {                                                                                   \
        dst[k++] = ((const T *)r->data)[sp_reader_index(r, row)];                                            \
      }                                                                                                      \
    }                                                                                                        \
    return k;                                                                                                \
  }
typedef struct wide {
  uint64_t a, b;
} wide;
COLLECT(uint8_t)
COLLECT(uint16_t)
COLLECT(uint32_t)
COLLECT(uint64_t)
COLLECT(wide)

static uint32_t collect(const sp_reader *r, uint32_t width, const uint16_t *sel, uint32_t n, uint8_t *valid,
                        void *dst) {
  switch (width) {
  case 1:
    return collect_uint8_t(r, sel, n, valid, dst);
  case 2:
    return collect_uint16_t(r, sel, n, valid, dst);
  case 4:
    return collect_uint32_t(r, sel, n, valid, dst);
  case 8:
    return collect_uint64_t(r, sel, n, valid, dst);
  case 16:
    return collect_wide(r, sel, n, valid, dst);
  default: /* the null type */
    memset(valid, 0, n);
    return 0;
  }
}

static sp_status collect_batch(const sp_batch *b, uint32_t j, sp_pq_out_rows *r, uint32_t at, sp_error *err) {
  const uint32_t width = r->leaf->type->width;
  sp_column *flat =
      b->cols[j]->encoding == SP_SEQUENCE ? sp_column_flatten(r->mk, b->cols[j]) : sp_column_ref(b->cols[j]);
  SP_TRY_ALLOC(err, flat);
  const sp_reader reader = sp_column_reader(flat);
  r->n_values += collect(&reader, width, b->sel, b->n_rows, r->validity->data + at,
                         r->values->data + (size_t)r->n_values * width);
  sp_column_unref(flat);
  return SP_OK;
}

/* Native values to physical ones, where they differ. */
static void to_physical(const sp_pq_out_rows *r, uint8_t *dst) {
  const uint8_t *src = r->values->data;
  const uint32_t w = r->leaf->type->width, pw = r->leaf->width;
  const bool is_signed = r->leaf->type->family == SP_FAMILY_SIGNED;
  for (uint32_t i = 0; i < r->n_values; i++, src += w, dst += pw) {
    if (w == 16) {
      sp_u128 v;
      memcpy(&v, src, 16);
      for (uint32_t k = pw; k-- > 0; v >>= 8) {
        dst[k] = (uint8_t)v;
      }
      continue;
    }
    int32_t v = 0;
    if (w == 8) { /* a decimal of up to 9 digits */
      int64_t wide_v;
      memcpy(&wide_v, src, 8);
      v = (int32_t)wide_v;
    } else if (w == 2) {
      uint16_t u;
      memcpy(&u, src, 2);
      v = is_signed ? (int16_t)u : u;
    } else {
      v = is_signed ? (int8_t)*src : *src;
    }
    memcpy(dst, &v, 4);
  }
}

sp_status sp_pq_out_collect(const sp_pq_out_leaf *leaf, sp_batch *const *batches, uint32_t n, uint32_t j,
                            sp_maker mk, sp_pq_out_rows *ret, sp_error *err) {
  sp_pq_out_rows r = {.leaf = leaf, .mk = mk};
  uint64_t rows = 0;
  for (uint32_t i = 0; i < n; i++) {
    rows += batches[i]->n_rows;
  }
  if (rows > INT32_MAX) {
    SP_FAIL(err, SP_LIMIT, NULL, "a row group of more than 2^31 rows");
  }
  r.n = (uint32_t)rows;
  r.validity = sp_buf_new(mk.pool, mk.mem, r.n);
  r.values = sp_buf_new(mk.pool, mk.mem, (size_t)r.n * leaf->type->width);
  sp_status st = r.validity != NULL && r.values != NULL ? SP_OK : sp_error_nomem(err);
  uint32_t at = 0;
  for (uint32_t i = 0; i < n && st == SP_OK; i++) {
    st = collect_batch(batches[i], j, &r, at, err);
    at += batches[i]->n_rows;
  }
  if (st == SP_OK && leaf->width != 0 && (leaf->width != leaf->type->width || leaf->phys == SP_PQ_FIXED)) {
    r.physical = sp_buf_new(mk.pool, mk.mem, (size_t)r.n_values * leaf->width);
    if (r.physical != NULL) {
      to_physical(&r, r.physical->data);
    } else {
      st = sp_error_nomem(err);
    }
  } else if (st == SP_OK) {
    r.physical = sp_buf_ref(r.values);
  }
  if (st != SP_OK) {
    sp_pq_out_rows_release(&r);
    return st;
  }
  *ret = r;
  return SP_OK;
}

void sp_pq_out_rows_release(sp_pq_out_rows *r) {
  r->validity = sp_buf_unref(r->validity);
  r->values = sp_buf_unref(r->values);
  r->physical = sp_buf_unref(r->physical);
}

/* ---- dictionaries ---- */

#define DICT_BYTES_MAX ((size_t)1 << 20)

/* With at most n / 5 distinct values a dictionary pays; among few values half of them may be distinct. */
static uint32_t dict_limit(uint32_t n) {
  const uint32_t small = n / 2 < 64 ? n / 2 : 64;
  return n / 5 > small ? n / 5 : small;
}

static uint64_t hash_value(const sp_pq_out_rows *r, uint32_t i) {
  const uint8_t *p = r->physical->data;
  switch (r->leaf->width) {
  case 0: {
    const sp_view *v = (const sp_view *)(const void *)p + i;
    return sp_hash_bytes(sp_view_ptr(v), v->n, 0);
  }
  case 4:
    return sp_hash_u64(sp_pq_load32(p + (size_t)i * 4));
  case 8:
    return sp_hash_u64(sp_pq_load64(p + (size_t)i * 8));
  default:
    return sp_hash_bytes(p + (size_t)i * r->leaf->width, r->leaf->width, 0);
  }
}

static bool equal_values(const sp_pq_out_rows *r, uint32_t i, uint32_t j) {
  const uint8_t *p = r->physical->data;
  const uint32_t w = r->leaf->width;
  if (w == 0) {
    const sp_view *v = (const sp_view *)(const void *)p;
    return sp_view_eq(&v[i], &v[j]);
  }
  return memcmp(p + (size_t)i * w, p + (size_t)j * w, w) == 0;
}

/* Returns the number of entries, 0 when there are more than the limit. */
static uint32_t find_distinct(const sp_pq_out_rows *r, uint32_t limit, uint32_t *slots, uint32_t mask,
                              uint32_t *codes, uint32_t *entries) {
  uint32_t n = 0;
  size_t bytes = 0;
  for (uint32_t i = 0; i < r->n_values; i++) {
    uint32_t s = (uint32_t)hash_value(r, i) & mask;
    while (slots[s] != 0 && !equal_values(r, entries[slots[s] - 1], i)) {
      s = (s + 1) & mask;
    }
    if (slots[s] == 0) {
      bytes += r->leaf->width != 0 ? r->leaf->width
                                   : 4 + (size_t)((const sp_view *)(const void *)r->physical->data)[i].n;
      if (n == limit || bytes > DICT_BYTES_MAX) {
        return 0;
      }
      entries[n++] = i;
      slots[s] = n;
    }
    codes[i] = slots[s] - 1;
  }
  return n;
}

sp_status sp_pq_out_dictionary(const sp_pq_out_rows *r, sp_buf **ret_codes, sp_buf **ret_entries,
                               uint32_t *ret_n, sp_error *err) {
  const uint32_t limit = dict_limit(r->n_values);
  *ret_n = 0;
  if (limit == 0 || r->leaf->phys == SP_PQ_BOOLEAN) {
    return SP_OK;
  }
  uint32_t mask = 63;
  while (mask < 2 * limit) {
    mask = mask * 2 + 1;
  }
  sp_buf *slots = sp_buf_new_zeroed(r->mk.pool, r->mk.mem, ((size_t)mask + 1) * 4);
  sp_buf *codes = sp_buf_new(r->mk.pool, r->mk.mem, (size_t)r->n_values * 4);
  sp_buf *entries = sp_buf_new(r->mk.pool, r->mk.mem, (size_t)limit * 4);
  uint32_t n = 0;
  const bool ok = slots != NULL && codes != NULL && entries != NULL;
  if (ok) {
    n = find_distinct(r, limit, (uint32_t *)(void *)slots->data, mask, (uint32_t *)(void *)codes->data,
                      (uint32_t *)(void *)entries->data);
  }
  sp_buf_unref(slots);
  if (n == 0) {
    sp_buf_unref(codes);
    sp_buf_unref(entries);
    return ok ? SP_OK : sp_error_nomem(err);
  }
  *ret_codes = codes;
  *ret_entries = entries;
  *ret_n = n;
  return SP_OK;
}

/* ---- runs and bits ---- */

static void put_varint(sp_str *out, uint32_t v) {
  while (v >= 0x80) {
    sp_str_addc(out, (char)(v | 0x80));
    v >>= 7;
  }
  sp_str_addc(out, (char)v);
}

/* Groups of 8, the last one padded with zeros. */
static void put_packed(sp_str *out, const uint32_t *v, uint32_t n, uint32_t width) {
  if (n == 0) {
    return;
  }
  const uint32_t groups = (n + 7) / 8;
  put_varint(out, groups << 1 | 1);
  uint64_t bits = 0;
  uint32_t have = 0;
  for (uint32_t i = 0; i < groups * 8; i++) {
    bits |= (uint64_t)(i < n ? v[i] : 0) << have;
    have += width;
    for (; have >= 8; have -= 8, bits >>= 8) {
      sp_str_addc(out, (char)bits);
    }
  }
}

static void put_run(sp_str *out, uint32_t value, uint32_t n, uint32_t width) {
  put_varint(out, n << 1);
  for (uint32_t i = 0; i < (width + 7) / 8; i++, value >>= 8) {
    sp_str_addc(out, (char)value);
  }
}

void sp_pq_out_hybrid(sp_str *out, const uint32_t *v, uint32_t n, uint32_t width) {
  uint32_t start = 0, i = 0; /* [start, i) waits to be packed */
  while (i < n) {
    uint32_t run = 1;
    while (i + run < n && v[i + run] == v[i]) {
      run++;
    }
    const uint32_t fill = (8 - (i - start) % 8) % 8; /* taken from the run to complete a group */
    if (run >= fill + 8) {
      put_packed(out, v + start, i + fill - start, width);
      put_run(out, v[i], run - fill, width);
      start = i + run;
    }
    i += run;
  }
  put_packed(out, v + start, n - start, width);
}

static void put_bits(sp_str *out, const uint8_t *v, uint32_t n) {
  for (uint32_t i = 0; i < n; i += 8) {
    uint8_t b = 0;
    for (uint32_t k = 0; k < 8 && i + k < n; k++) {
      b |= (uint8_t)((v[i + k] & 1) << k);
    }
    sp_str_addc(out, (char)b);
  }
}

void sp_pq_out_plain_one(sp_str *out, const sp_pq_out_rows *r, uint32_t i) {
  const uint32_t w = r->leaf->width;
  if (w != 0) {
    sp_str_addn(out, (const char *)r->physical->data + (size_t)i * w, w);
    return;
  }
  const sp_view *v = (const sp_view *)(const void *)r->physical->data + i;
  const char len[4] = {(char)v->n, (char)(v->n >> 8), (char)(v->n >> 16), (char)(v->n >> 24)};
  sp_str_addn(out, len, 4);
  sp_str_addn(out, sp_view_ptr(v), v->n);
}

void sp_pq_out_plain(sp_str *out, const sp_pq_out_rows *r, uint32_t from, uint32_t to) {
  const uint32_t w = r->leaf->width;
  if (r->leaf->phys == SP_PQ_BOOLEAN) {
    put_bits(out, r->physical->data + from, to - from);
  } else if (w != 0) {
    sp_str_addn(out, (const char *)r->physical->data + (size_t)from * w, (size_t)(to - from) * w);
  } else {
    for (uint32_t i = from; i < to; i++) {
      sp_pq_out_plain_one(out, r, i);
    }
  }
}
