/* From physical values to the column's type.
 *
 * Worked example: FIXED(2) 0xFF 0x85 as decimal(4,2) is big-endian -123, stored as the int64 -123 (-1.23). */
#include "base/simd.h"
#include "io/formats/parquet/parquet.h"

SP_CLONES static void narrow8(const uint8_t *src, uint32_t n, uint8_t *dst) {
  for (uint32_t i = 0; i < n; i++) {
    dst[i] = src[(size_t)i * 4];
  }
}

SP_CLONES static void narrow16(const uint8_t *src, uint32_t n, uint16_t *dst) {
  for (uint32_t i = 0; i < n; i++) {
    memcpy(&dst[i], src + (size_t)i * 4, 2);
  }
}

SP_CLONES static void widen32(const uint8_t *src, uint32_t n, int64_t factor, int64_t *dst) {
  for (uint32_t i = 0; i < n; i++) {
    int32_t v;
    memcpy(&v, src + (size_t)i * 4, 4);
    dst[i] = (int64_t)((uint64_t)(int64_t)v * (uint64_t)factor);
  }
}

SP_CLONES static void widen64(const uint8_t *src, uint32_t n, int64_t factor, int64_t *dst) {
  for (uint32_t i = 0; i < n; i++) {
    dst[i] = (int64_t)(sp_pq_load64(src + (size_t)i * 8) * (uint64_t)factor);
  }
}

static void to_i128(const uint8_t *src, uint32_t n, bool from64, sp_i128 *dst) {
  for (uint32_t i = 0; i < n; i++) {
    dst[i] = from64 ? (int64_t)sp_pq_load64(src + (size_t)i * 8) : (int32_t)sp_pq_load32(src + (size_t)i * 4);
  }
}

static bool int96_ns(const uint8_t *src, uint32_t n, int64_t *dst) {
  const int64_t unix_epoch = 2440588; /* as a Julian day */
  for (uint32_t i = 0; i < n; i++, src += 12) {
    const int64_t days = (int64_t)sp_pq_load32(src + 8) - unix_epoch;
    int64_t ns;
    if (__builtin_mul_overflow(days, INT64_C(86400000000000), &ns) ||
        __builtin_add_overflow(ns, (int64_t)sp_pq_load64(src), &dst[i])) {
      return false;
    }
  }
  return true;
}

static float half_to_float(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
  const uint32_t exp = h >> 10 & 0x1f;
  const uint32_t frac = h & 0x3ff;
  uint32_t bits;
  if (exp == 0x1f) {
    bits = sign | 0x7f800000 | frac << 13;
  } else if (exp != 0) {
    bits = sign | (exp + 112) << 23 | frac << 13;
  } else { /* a subnormal half is a normal float */
    const float v = (float)frac * 0x1p-24f;
    memcpy(&bits, &v, 4);
    bits |= sign;
  }
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

bool sp_pq_big_endian(const sp_type *t, const uint8_t *p, size_t n, void *dst) {
  const uint8_t fill = n > 0 && (p[0] & 0x80) != 0 ? 0xff : 0;
  for (; n > 16; p++, n--) { /* what is longer must repeat the sign */
    if (p[0] != fill || ((p[1] ^ fill) & 0x80) != 0) {
      return false;
    }
  }
  sp_u128 v = fill != 0 ? ~(sp_u128)0 : 0;
  for (size_t i = 0; i < n; i++) {
    v = v << 8 | p[i];
  }
  if (t->phys == SP_PHYS_I128) {
    memcpy(dst, &v, 16);
    return true;
  }
  const int64_t narrow = (int64_t)v;
  if ((sp_i128)v != narrow) {
    return false;
  }
  memcpy(dst, &narrow, 8);
  return true;
}

static bool big_endian(const sp_pq_leaf *leaf, const uint8_t *src, uint32_t n, uint8_t *dst) {
  const uint32_t w = leaf->src_width;
  if (w <= 8 && leaf->type->phys == SP_PHYS_I64) {
    const uint32_t drop = 64 - 8 * w;
    for (uint32_t i = 0; i < n; i++) { /* may load past the value: every buffer is padded */
      const int64_t v = (int64_t)__builtin_bswap64(sp_pq_load64(src + (size_t)i * w)) >> drop;
      memcpy(dst + (size_t)i * 8, &v, 8);
    }
    return true;
  }
  for (uint32_t i = 0; i < n; i++) {
    if (!sp_pq_big_endian(leaf->type, src + (size_t)i * w, w, dst + (size_t)i * leaf->type->width)) {
      return false;
    }
  }
  return true;
}

bool sp_pq_convert(const sp_pq_leaf *leaf, const uint8_t *src, uint32_t n, void *dst) {
  switch (leaf->conv) {
  case SP_PQ_AS_IS:
    memcpy(dst, src, (size_t)n * leaf->src_width);
    return true;
  case SP_PQ_NARROW:
    if (leaf->type->width == 1) {
      narrow8(src, n, dst);
    } else {
      narrow16(src, n, dst);
    }
    return true;
  case SP_PQ_WIDEN:
    if (leaf->src_width == 4) {
      widen32(src, n, leaf->factor, dst);
    } else {
      widen64(src, n, leaf->factor, dst);
    }
    return true;
  case SP_PQ_TO_I128:
    to_i128(src, n, leaf->src_width == 8, dst);
    return true;
  case SP_PQ_INT96_NS:
    return int96_ns(src, n, dst);
  case SP_PQ_HALF:
    for (uint32_t i = 0; i < n; i++) {
      ((float *)dst)[i] = half_to_float((uint16_t)(src[(size_t)i * 2] | src[(size_t)i * 2 + 1] << 8));
    }
    return true;
  case SP_PQ_BIG_ENDIAN:
    return big_endian(leaf, src, n, dst);
  case SP_PQ_BYTES:
  case SP_PQ_BIT:
  case SP_PQ_NO_VALUES:
    break;
  }
  return false;
}

#define SPREAD(T)                                                                                            \
  static void spread_##T(T *v, const uint8_t *validity, uint32_t n, uint32_t j) {                            \
    for (uint32_t i = n; i-- > 0;) {                                                                         \
      j -= validity[i];                                                                                      \
      v[i] = validity[i] != 0 ? v[j] : (T){0};                                                               \
    }                                                                                                        \
  }
typedef struct wide {
  uint64_t a, b;
} wide;
SPREAD(uint8_t)
SPREAD(uint16_t)
SPREAD(uint32_t)
SPREAD(uint64_t)
SPREAD(wide)

void sp_pq_spread(void *values, uint32_t width, const uint8_t *validity, uint32_t n) {
  const uint32_t j = sp_pq_sum8(validity, n);
  switch (width) {
  case 1:
    spread_uint8_t(values, validity, n, j);
    return;
  case 2:
    spread_uint16_t(values, validity, n, j);
    return;
  case 4:
    spread_uint32_t(values, validity, n, j);
    return;
  case 8:
    spread_uint64_t(values, validity, n, j);
    return;
  default:
    spread_wide(values, validity, n, j);
  }
}
