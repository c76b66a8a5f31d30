/* Smallest and largest value of a chunk, as bytes of the footer.
 *
 * NaN is in no order and left out; a zero bound of floats is written as -0.0 below and +0.0 above, since
 * readers may tell them apart. Long strings are cut to 64 bytes; the upper bound is then rounded up, at a
 * character's edge for text.
 *
 * Worked example: the largest string is 100 times "z": its bound is 63 times "z" and "{", and says that it is
 * not exact. */
#include <math.h>

#include "io/formats/parquet/write.h"

#define MIN_MAX(T, NAME, SKIP)                                                                               \
  static bool min_max_##NAME(const T *v, uint32_t n, uint32_t *ret_min, uint32_t *ret_max) {                 \
    uint32_t lo = 0, hi = 0;                                                                                 \
    bool any = false;                                                                                        \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      if (SKIP) {                                                                                            \
        continue;                                                                                            \
      }                                                                                                      \
      if (!any) {                                                                                            \
        lo = hi = i;                                                                                         \
        any = true;                                                                                          \
      }                                                                                                      \
      lo = v[i] < v[lo] ? i : lo;                                                                            \
      hi = v[i] > v[hi] ? i : hi;                                                                            \
    }                                                                                                        \
    *ret_min = lo;                                                                                           \
    *ret_max = hi;                                                                                           \
    return any;                                                                                              \
  }
MIN_MAX(int8_t, i8, false)
MIN_MAX(int16_t, i16, false)
MIN_MAX(int32_t, i32, false)
MIN_MAX(int64_t, i64, false)
MIN_MAX(uint8_t, u8, false)
MIN_MAX(uint16_t, u16, false)
MIN_MAX(uint32_t, u32, false)
MIN_MAX(uint64_t, u64, false)
MIN_MAX(sp_i128, i128, false)
MIN_MAX(float, f32, isnan(v[i]))
MIN_MAX(double, f64, isnan(v[i]))

static bool min_max_view(const sp_view *v, uint32_t n, uint32_t *ret_min, uint32_t *ret_max) {
  uint32_t lo = 0, hi = 0;
  for (uint32_t i = 1; i < n; i++) {
    lo = sp_view_cmp(&v[i], &v[lo]) < 0 ? i : lo;
    hi = sp_view_cmp(&v[i], &v[hi]) > 0 ? i : hi;
  }
  *ret_min = lo;
  *ret_max = hi;
  return n > 0;
}

static bool min_max(const sp_pq_out_rows *r, uint32_t *lo, uint32_t *hi) {
  const void *v = r->values->data;
  const uint32_t n = r->n_values;
  switch (r->leaf->type->phys) {
  case SP_PHYS_I8:
    return min_max_i8(v, n, lo, hi);
  case SP_PHYS_I16:
    return min_max_i16(v, n, lo, hi);
  case SP_PHYS_I32:
    return min_max_i32(v, n, lo, hi);
  case SP_PHYS_I64:
    return min_max_i64(v, n, lo, hi);
  case SP_PHYS_U8:
    return min_max_u8(v, n, lo, hi);
  case SP_PHYS_U16:
    return min_max_u16(v, n, lo, hi);
  case SP_PHYS_U32:
    return min_max_u32(v, n, lo, hi);
  case SP_PHYS_U64:
    return min_max_u64(v, n, lo, hi);
  case SP_PHYS_I128:
    return min_max_i128(v, n, lo, hi);
  case SP_PHYS_F32:
    return min_max_f32(v, n, lo, hi);
  case SP_PHYS_F64:
    return min_max_f64(v, n, lo, hi);
  case SP_PHYS_VIEW:
    return min_max_view(v, n, lo, hi);
  case SP_PHYS_NONE:
  case SP_PHYS_INTERVAL:
    break;
  }
  return false;
}

static void set_bytes(sp_pq_out_bound *b, const void *p, size_t n) {
  memcpy(b->bytes, p, n);
  b->n = (uint32_t)n;
  b->known = b->exact = true;
}

static void set_zero_sign(sp_pq_out_bound *b, bool negative) {
  if (b->n == 4) {
    float f;
    memcpy(&f, b->bytes, 4);
    f = f == 0 ? (negative ? -0.0f : 0.0f) : f;
    memcpy(b->bytes, &f, 4);
  } else {
    double d;
    memcpy(&d, b->bytes, 8);
    d = d == 0 ? (negative ? -0.0 : 0.0) : d;
    memcpy(b->bytes, &d, 8);
  }
}

/* How much of a string to keep: whole characters where it is text. */
static size_t cut_at(sp_sv s, bool text) {
  if (s.n <= SP_PQ_BOUND_MAX) {
    return s.n;
  }
  size_t n = SP_PQ_BOUND_MAX;
  while (text && n > 0 && ((uint8_t)s.p[n] & 0xc0) == 0x80) {
    n--;
  }
  return n;
}

/* Makes the first n bytes larger than everything that starts with them; 0 when that is impossible. */
static uint32_t round_up(uint8_t *p, size_t n, bool text) {
  while (n > 0) {
    size_t last = n - 1;
    if (!text) {
      if (p[last] < 0xff) {
        p[last]++;
        return (uint32_t)n;
      }
      n--;
      continue;
    }
    while (last > 0 && (p[last] & 0xc0) == 0x80) {
      last--;
    }
    uint32_t len;
    uint32_t cp = sp_utf8_decode((const char *)p + last, (const char *)p + n, &len) + 1;
    cp = cp == 0xd800 ? 0xe000 : cp;
    if (cp <= 0x10ffff) {
      char enc[4];
      len = sp_utf8_encode(cp, enc);
      memcpy(p + last, enc, len);
      return (uint32_t)(last + len);
    }
    n = last;
  }
  return 0;
}

static void string_bounds(const sp_type *t, const sp_view *lo, const sp_view *hi, sp_pq_out_bound *ret_min,
                          sp_pq_out_bound *ret_max) {
  const sp_sv a = sp_view_sv(lo), b = sp_view_sv(hi);
  const bool text = t->kind == SP_KIND_STRING;
  set_bytes(ret_min, a.p, cut_at(a, text && sp_utf8_valid(a.p, a.n)));
  ret_min->exact = ret_min->n == a.n;
  const bool valid = text && sp_utf8_valid(b.p, b.n);
  set_bytes(ret_max, b.p, cut_at(b, valid));
  if (ret_max->n < b.n) {
    ret_max->n = round_up(ret_max->bytes, ret_max->n, valid);
    ret_max->exact = false;
    ret_max->known = ret_max->n > 0;
  }
}

void sp_pq_out_bounds(const sp_pq_out_rows *r, sp_pq_out_bound *ret_min, sp_pq_out_bound *ret_max) {
  uint32_t lo = 0, hi = 0;
  ret_min->known = ret_max->known = false;
  if (r->n_values == 0 || !min_max(r, &lo, &hi)) {
    return;
  }
  const sp_type *t = r->leaf->type;
  const uint8_t *p = r->physical->data;
  if (sp_type_is_bytes(t)) {
    const sp_view *v = (const sp_view *)(const void *)p;
    string_bounds(t, &v[lo], &v[hi], ret_min, ret_max);
    return;
  }
  const uint32_t w = r->leaf->width != 0 ? r->leaf->width : 1; /* booleans are still a byte each here */
  set_bytes(ret_min, p + (size_t)lo * w, w);
  set_bytes(ret_max, p + (size_t)hi * w, w);
  if (sp_type_is_float(t)) {
    set_zero_sign(ret_min, true);
    set_zero_sign(ret_max, false);
  }
}
