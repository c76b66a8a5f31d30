/* Exact sums of doubles: what is added when, by whom and in which order does not matter, because nothing is
 * rounded before the end.
 *
 * A value that is a multiple of 2^-72 below 2^52 in magnitude (0.01, 1e-5, 1e15 are) is one 128-bit addition.
 * For others, and when those 128 bits overflow, the sum gets digits on the heap: base 2^32 from 2^-1074 up,
 * signed, with carries done once in 2^29 additions. NaN and the infinities are flags. A sum is 32 bytes;
 * zeroed memory is an empty one. Not thread-safe. */
#ifndef SP_EXPR_EXACT_SUM_H
#define SP_EXPR_EXACT_SUM_H

#include "base/mem.h"

enum { SP_SUM_NAN = 1, SP_SUM_PLUS_INF = 2, SP_SUM_MINUS_INF = 4, SP_SUM_FLAGS = 7 };
#define SP_SUM_ONE 8 /* counts[…] counts in the bits above the flags */

typedef struct sp_exact_digits sp_exact_digits;
typedef struct sp_exact_sum {
  uint64_t lo; /* the 128-bit sum in units of 2^-72 */
  int64_t hi;
  sp_exact_digits *digits; /* or NULL */
  uint64_t counts;         /* values added × 8, and flags */
} sp_exact_sum;
_Static_assert(sizeof(sp_exact_sum) == 32, "four words");

static inline uint64_t sp_exact_count(const sp_exact_sum *s) {
  return s->counts >> 3;
}
/* What sp_exact_add does when the 128 bits do not do. false when out of memory. */
bool sp_exact_add_slow(sp_exact_sum *s, sp_mem *mem, double x);
/* Adds v × 2^-72, without counting. */
bool sp_exact_add_fixed(sp_exact_sum *s, sp_mem *mem, __int128 v);

/* false when out of memory */
static inline bool sp_exact_add(sp_exact_sum *s, sp_mem *mem, double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const uint32_t shift =
      (uint32_t)(bits >> 52 & 0x7ff) - 1003; /* of the integer significand, in units of 2^-72 */
  if (__builtin_expect(shift > 71, 0)) {
    return sp_exact_add_slow(s, mem, x);
  }
  const uint64_t m = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
  const unsigned __int128 wide = (unsigned __int128)m << shift;
  const __int128 v = bits >> 63 ? -(__int128)wide : (__int128)wide;
  const __int128 old = (__int128)((unsigned __int128)(uint64_t)s->hi << 64 | s->lo);
  __int128 sum;
  if (__builtin_expect(__builtin_add_overflow(old, v, &sum), 0)) {
    return sp_exact_add_slow(s, mem, x);
  }
  s->lo = (uint64_t)sum;
  s->hi = (int64_t)(sum >> 64);
  s->counts += SP_SUM_ONE;
  return true;
}
/* Adds n values, quickly where they are alike. false when out of memory. */
bool sp_exact_add_all(sp_exact_sum *s, sp_mem *mem, const double *x, uint32_t n);
/* dst += src; src stays. false when out of memory. */
bool sp_exact_merge(sp_exact_sum *dst, sp_mem *mem, const sp_exact_sum *src);
/* The sum, rounded once to nearest, ties to even. */
double sp_exact_get(const sp_exact_sum *s);
/* The sum as hi + lo: hi as above, lo what is left of it, rounded. lo is 0 when hi is not finite. */
void sp_exact_get2(const sp_exact_sum *s, double *ret_hi, double *ret_lo);
void sp_exact_release(sp_exact_sum *s, sp_mem *mem);

#endif
