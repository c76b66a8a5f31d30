/* The copying loops. Each is a few lines of plain C that the compiler turns into vector code or into a load
 * and a store per element; a macro stamps them out per width, and the switches below pick one per call, not
 * per row.
 *
 * Example: width 4, src {10, 20, 30}, rows {2, 0} gives dst {30, 10}. */
#include "data/kernels.h"

#include <string.h>

#include "base/simd.h"

/* Columns of every type of a width go through one loop, so these types may alias any other. */
typedef uint8_t __attribute__((may_alias)) w1;
typedef uint16_t __attribute__((may_alias)) w2;
typedef uint32_t __attribute__((may_alias)) w4;
typedef uint64_t __attribute__((may_alias)) w8;
typedef struct __attribute__((may_alias)) w16 {
  uint64_t lo, hi;
} w16;

#define STAMP(T)                                                                                             \
  SP_CLONES static void gather_##T(T *restrict d, const T *restrict s, const uint32_t *restrict r,           \
                                   uint32_t n) {                                                             \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      d[i] = s[r[i]];                                                                                        \
    }                                                                                                        \
  }                                                                                                          \
  SP_CLONES static void gather_or_zero_##T(T *restrict d, const T *restrict s, const uint32_t *restrict r,   \
                                           uint32_t n) {                                                     \
    static const T zero;                                                                                     \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      d[i] = *(r[i] == SP_NO_ROW ? &zero : s + r[i]);                                                        \
    }                                                                                                        \
  }                                                                                                          \
  SP_CLONES static void take_##T(T *restrict d, const T *restrict s, const uint16_t *restrict r,             \
                                 uint32_t n) {                                                               \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      d[i] = s[r[i]];                                                                                        \
    }                                                                                                        \
  }                                                                                                          \
  SP_CLONES static void splat_##T(T *restrict d, const T *restrict s, uint32_t n) {                          \
    const T v = *s;                                                                                          \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      d[i] = v;                                                                                              \
    }                                                                                                        \
  }
STAMP(w1)
STAMP(w2)
STAMP(w4)
STAMP(w8)
STAMP(w16)
#undef STAMP

#define PER_WIDTH(name, ...)                                                                                 \
  switch (width) {                                                                                           \
  case 1:                                                                                                    \
    name##_w1(__VA_ARGS__);                                                                                  \
    break;                                                                                                   \
  case 2:                                                                                                    \
    name##_w2(__VA_ARGS__);                                                                                  \
    break;                                                                                                   \
  case 4:                                                                                                    \
    name##_w4(__VA_ARGS__);                                                                                  \
    break;                                                                                                   \
  case 8:                                                                                                    \
    name##_w8(__VA_ARGS__);                                                                                  \
    break;                                                                                                   \
  case 16:                                                                                                   \
    name##_w16(__VA_ARGS__);                                                                                 \
    break;                                                                                                   \
  default:                                                                                                   \
    break;                                                                                                   \
  }

void sp_kernel_gather(uint32_t width, void *dst, const void *src, const uint32_t *rows, uint32_t n) {
  PER_WIDTH(gather, dst, src, rows, n)
}

void sp_kernel_gather_or_zero(uint32_t width, void *dst, const void *src, const uint32_t *rows, uint32_t n) {
  PER_WIDTH(gather_or_zero, dst, src, rows, n)
}

void sp_kernel_take(uint32_t width, void *dst, const void *src, const uint16_t *sel, uint32_t n) {
  PER_WIDTH(take, dst, src, sel, n)
}

void sp_kernel_splat(uint32_t width, void *dst, const void *src, uint32_t n){PER_WIDTH(splat, dst, src, n)}

/* The low bits are the same whatever the width. */
#define STAMP_SEQUENCE(T)                                                                                    \
  SP_CLONES static void sequence_##T(T *restrict d, uint64_t start, uint64_t step, uint32_t n) {             \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      d[i] = (T)(start + step * i);                                                                          \
    }                                                                                                        \
  }
STAMP_SEQUENCE(w1) STAMP_SEQUENCE(w2) STAMP_SEQUENCE(w4) STAMP_SEQUENCE(w8)
#undef STAMP_SEQUENCE

    static void sequence(uint32_t width, void *dst, uint64_t start, uint64_t step, uint32_t n) {
  switch (width) {
  case 1:
    sequence_w1(dst, start, step, n);
    break;
  case 2:
    sequence_w2(dst, start, step, n);
    break;
  case 4:
    sequence_w4(dst, start, step, n);
    break;
  default:
    sequence_w8(dst, start, step, n);
    break;
  }
}

void sp_kernel_sequence(uint32_t width, void *dst, int64_t start, int64_t step, const uint32_t *rows,
                        const uint16_t *sel, uint32_t n) {
  if (rows == NULL && sel == NULL) {
    sequence(width, dst, (uint64_t)start, (uint64_t)step, n);
    return;
  }
  uint8_t *d = dst;
  for (uint32_t i = 0; i < n; i++, d += width) {
    uint64_t v = 0;
    if (rows == NULL || rows[i] != SP_NO_ROW) {
      v = (uint64_t)start + (uint64_t)step * (rows != NULL ? rows[i] : sel[i]);
    }
    memcpy(d, &v, width); /* the low bytes come first on the little-endian machines that this is built for */
  }
}

SP_CLONES static uint8_t gather_validity(uint8_t *restrict d, const uint8_t *restrict s,
                                         const uint32_t *restrict r, uint32_t n) {
  uint8_t all = 1;
  for (uint32_t i = 0; i < n; i++) {
    d[i] = r[i] == SP_NO_ROW ? 0 : s[r[i]];
    all &= d[i];
  }
  return all;
}

SP_CLONES static uint8_t rows_to_validity(uint8_t *restrict d, const uint32_t *restrict r, uint32_t n) {
  uint8_t all = 1;
  for (uint32_t i = 0; i < n; i++) {
    d[i] = r[i] != SP_NO_ROW;
    all &= d[i];
  }
  return all;
}

bool sp_kernel_gather_validity(uint8_t *dst, const uint8_t *src, const uint32_t *rows, uint32_t n) {
  return (src != NULL ? gather_validity(dst, src, rows, n) : rows_to_validity(dst, rows, n)) != 0;
}

SP_CLONES static uint8_t take_validity(uint8_t *restrict d, const uint8_t *restrict s,
                                       const uint16_t *restrict r, uint32_t n) {
  uint8_t all = 1;
  for (uint32_t i = 0; i < n; i++) {
    d[i] = s[r[i]];
    all &= d[i];
  }
  return all;
}

bool sp_kernel_take_validity(uint8_t *dst, const uint8_t *src, const uint16_t *sel, uint32_t n) {
  if (src == NULL) {
    memset(dst, 1, n);
    return true;
  }
  return take_validity(dst, src, sel, n) != 0;
}

SP_CLONES static uint32_t max_of(const uint32_t *r, uint32_t n) {
  uint32_t max = 0;
  for (uint32_t i = 0; i < n; i++) {
    max = r[i] > max ? r[i] : max;
  }
  return max;
}

bool sp_kernel_has_no_row(const uint32_t *rows, uint32_t n) {
  return max_of(rows, n) == SP_NO_ROW;
}

SP_CLONES static uint32_t run_breaks(const uint16_t *sel, uint32_t n) {
  uint32_t breaks = 0;
  for (uint32_t i = 1; i < n; i++) {
    breaks |= (uint32_t)(sel[i] - sel[i - 1]) ^ 1U;
  }
  return breaks;
}

bool sp_kernel_is_run(const uint16_t *sel, uint32_t n) {
  /* The ends tell almost always; the loop then only confirms. */
  return n > 0 && (uint32_t)sel[n - 1] - sel[0] == n - 1 && run_breaks(sel, n) == 0;
}

SP_CLONES static uint8_t and_of(const uint8_t *v, uint32_t n) {
  uint8_t all = 1;
  for (uint32_t i = 0; i < n; i++) {
    all &= v[i];
  }
  return all;
}

bool sp_kernel_all_valid(const uint8_t *validity, uint32_t n) {
  return and_of(validity, n) != 0;
}
