/* Exact sums: see exact_sum.h. The digits are a small superaccumulator (Radford Neal, "Fast exact summation
 * using small and large superaccumulators", 2015), here with base 2^32.
 *
 * Example: 1e16 + 1 - 1e16 is 1 in any order: 1e16 is beyond 2^52, so the digits hold 10^16 - 10^16 = 0 and
 * the 128 bits hold 1. */
#include "expr/exact_sum.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"

#define LSB (-72)
#define DIGITS 68      /* 2176 bits: a double's 2098, and room for 2^64 of the largest */
#define LOWEST (-1074) /* digit 0 counts 2^-1074 */
#define CARRY_AFTER (1u << 29)

struct sp_exact_digits {
  int64_t d[DIGITS]; /* value = sum of d[i] × 2^(32 i - 1074); |d[i]| < 2^62 */
  uint32_t pending;  /* additions since the carries were last done */
};

static void carry(sp_exact_digits *g) {
  int64_t c = 0;
  for (uint32_t i = 0; i + 1 < DIGITS; i++) {
    const int64_t v = g->d[i] + c;
    c = v >> 32;
    g->d[i] = v & 0xffffffff;
  }
  g->d[DIGITS - 1] += c;
  g->pending = 0;
}

static sp_exact_digits *digits_of(sp_exact_sum *s, sp_mem *mem) {
  if (s->digits == NULL) {
    s->digits = sp_mem_calloc(mem, sizeof *s->digits);
  }
  return s->digits;
}

/* ± v × 2^(LOWEST + at) */
static void add_bits(sp_exact_digits *g, unsigned __int128 v, uint32_t at, bool negative) {
  uint32_t i = at / 32;
  const uint32_t shift = at % 32;
  uint64_t over =
      shift > 0 ? (uint64_t)(v >> 64) >> (64 - shift) : 0; /* what the shift pushes beyond 128 bits */
  v <<= shift;
  for (; v != 0 || over != 0; i++) {
    const int64_t digit = (int64_t)((uint64_t)v & 0xffffffff);
    g->d[i] += negative ? -digit : digit;
    v = v >> 32 | (unsigned __int128)(over & 0xffffffff) << 96;
    over >>= 32;
  }
  if (++g->pending >= CARRY_AFTER) {
    carry(g);
  }
}

bool sp_exact_add_fixed(sp_exact_sum *s, sp_mem *mem, __int128 v) {
  const __int128 old = (__int128)((unsigned __int128)(uint64_t)s->hi << 64 | s->lo);
  __int128 sum;
  if (__builtin_add_overflow(old, v, &sum)) {
    sp_exact_digits *g = digits_of(s, mem);
    if (g == NULL) {
      return false;
    }
    add_bits(g, v < 0 ? 0 - (unsigned __int128)v : (unsigned __int128)v, LSB - LOWEST, v < 0);
    return true;
  }
  s->lo = (uint64_t)sum;
  s->hi = (int64_t)(sum >> 64);
  return true;
}

bool sp_exact_add_slow(sp_exact_sum *s, sp_mem *mem, double x) {
  if (x != x || isinf(x)) {
    s->counts = (s->counts + SP_SUM_ONE) | (x != x ? SP_SUM_NAN : x > 0 ? SP_SUM_PLUS_INF : SP_SUM_MINUS_INF);
    return true;
  }
  if (x != 0) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t e = (uint32_t)(bits >> 52 & 0x7ff);
    const uint64_t m = (bits & ((UINT64_C(1) << 52) - 1)) | (uint64_t)(e != 0) << 52;
    const uint32_t at = e == 0 ? 0 : e - 1;
    const int32_t low = (int32_t)at + LOWEST - LSB; /* where the significand starts in units of 2^-72 */
    if (low < 0 && low > -53 && (m & ((UINT64_C(1) << -low) - 1)) == 0) {
      const __int128 v = (__int128)(m >> -low);
      if (!sp_exact_add_fixed(s, mem, bits >> 63 ? -v : v)) {
        return false;
      }
    } else {
      sp_exact_digits *g = digits_of(s, mem);
      if (g == NULL) {
        return false;
      }
      add_bits(g, m, at, bits >> 63 != 0);
    }
  }
  s->counts += SP_SUM_ONE;
  return true;
}

/* ---- many at once ---- */
/* 1,024 values as integers: x = h × 2^-20 + l × 2^-72 with |h| < 2^52 and |l| <= 2^52, so that int64 sums of
 * each cannot overflow. False when some value is too large, or no multiple of 2^-72. The tests are on
 * integers: a comparison of doubles may trap, and gcc does not vectorise loops that may. */
#define BLOCK 1024u
static inline int64_t bits_of(double x) {
  int64_t b;
  memcpy(&b, &x, sizeof b);
  return b;
}

SP_CLONES static bool all_small(const double *x, uint32_t n) {
  int64_t greatest = 0;
  for (uint32_t i = 0; i < n; i++) {
    const int64_t magnitude = bits_of(x[i]) & INT64_MAX;
    greatest = magnitude > greatest ? magnitude : greatest;
  }
  return greatest < INT64_C(0x41f0000000000000); /* 2^32 */
}

SP_CLONES static bool block_sums(const double *x, uint32_t n, int64_t *ret_high, int64_t *ret_low) {
  int64_t high = 0, low = 0, lost = 0;
  for (uint32_t i = 0; i < n; i++) {
    const double big = x[i] * 0x1p20;
    const int64_t h = (int64_t)big;
    const double rest = (big - (double)h) * 0x1p52;
    const int64_t l = (int64_t)rest;
    lost |= bits_of((double)l - rest);
    high += h;
    low += l;
  }
  *ret_high = high;
  *ret_low = low;
  return (lost & INT64_MAX) == 0;
}

bool sp_exact_add_all(sp_exact_sum *s, sp_mem *mem, const double *x, uint32_t n) {
  while (n > 0) {
    const uint32_t k = n < BLOCK ? n : BLOCK;
    int64_t high, low;
    if (all_small(x, k) && block_sums(x, k, &high, &low)) {
      if (!sp_exact_add_fixed(s, mem, (__int128)high * ((__int128)1 << 52) + low)) {
        return false;
      }
      s->counts += (uint64_t)k * SP_SUM_ONE;
    } else {
      for (uint32_t i = 0; i < k; i++) {
        if (!sp_exact_add(s, mem, x[i])) {
          return false;
        }
      }
    }
    x += k;
    n -= k;
  }
  return true;
}

bool sp_exact_merge(sp_exact_sum *dst, sp_mem *mem, const sp_exact_sum *src) {
  if (src->digits != NULL) {
    sp_exact_digits *to = digits_of(dst, mem);
    if (to == NULL) {
      return false;
    }
    sp_exact_digits from = *src->digits;
    carry(&from);
    carry(to);
    for (uint32_t i = 0; i < DIGITS; i++) {
      to->d[i] += from.d[i];
    }
    carry(to);
  }
  if (!sp_exact_add_fixed(dst, mem, (__int128)((unsigned __int128)(uint64_t)src->hi << 64 | src->lo))) {
    return false;
  }
  dst->counts = (dst->counts + (src->counts & ~(uint64_t)SP_SUM_FLAGS)) | (src->counts & SP_SUM_FLAGS);
  return true;
}

/* ---- rounding ---- */
/* Digits with carries done and the top one negative stand for a negative number: negates them. */
static bool make_positive(sp_exact_digits *g) {
  carry(g);
  if (g->d[DIGITS - 1] >= 0) {
    return false;
  }
  for (uint32_t i = 0; i < DIGITS; i++) {
    g->d[i] = -g->d[i];
  }
  carry(g);
  return true;
}

static double round_digits(const sp_exact_digits *digits) {
  sp_exact_digits g = *digits;
  const bool negative = make_positive(&g);
  int32_t top = DIGITS - 1;
  while (top > 0 && g.d[top] == 0) {
    top--;
  }
  /* The 96 or more bits from the top digit down, and whether anything lies below. The top digit may exceed 32
   * bits: then the sum is beyond every double anyway. */
  unsigned __int128 head = 0;
  int32_t at = top;
  for (; at >= 0 && at > top - 3; at--) {
    head = head << 32 | (unsigned __int128)(uint64_t)g.d[at];
  }
  for (int32_t i = at; i >= 0; i--) {
    if (g.d[i] != 0) {
      head |= 1; /* sticky: head has at least 65 significant bits or nothing lies below */
      break;
    }
  }
  /* A result below 2^-1022 has a fixed last place, but then there are so few bits that head is exact and
   * ldexp does not round. */
  const double r = ldexp((double)head, 32 * (at + 1) + LOWEST);
  return negative ? -r : r;
}

static double special(uint64_t flags) {
  const bool nan = (flags & SP_SUM_NAN) != 0 || (flags & 6) == 6;
  return nan ? (double)NAN : (flags & SP_SUM_PLUS_INF) != 0 ? (double)INFINITY : -(double)INFINITY;
}

static __int128 fixed_of(const sp_exact_sum *s) {
  return (__int128)((unsigned __int128)(uint64_t)s->hi << 64 | s->lo);
}

static void all_digits(const sp_exact_sum *s, sp_exact_digits *ret) {
  *ret = *s->digits;
  carry(ret);
  const __int128 v = fixed_of(s);
  add_bits(ret, v < 0 ? 0 - (unsigned __int128)v : (unsigned __int128)v, LSB - LOWEST, v < 0);
}

double sp_exact_get(const sp_exact_sum *s) {
  if ((s->counts & SP_SUM_FLAGS) != 0) {
    return special(s->counts & SP_SUM_FLAGS);
  }
  if (s->digits == NULL) {
    return (double)fixed_of(s) * 0x1p-72;
  }
  sp_exact_digits g;
  all_digits(s, &g);
  return round_digits(&g);
}

void sp_exact_get2(const sp_exact_sum *s, double *ret_hi, double *ret_lo) {
  *ret_hi = sp_exact_get(s);
  *ret_lo = 0;
  if (isinf(*ret_hi) || *ret_hi != *ret_hi) {
    return;
  }
  if (s->digits == NULL) {
    const double scaled = *ret_hi * 0x1p72;
    *ret_lo = fabs(scaled) < 0x1p127 ? (double)(fixed_of(s) - (__int128)scaled) * 0x1p-72 : 0;
    return;
  }
  sp_exact_digits g;
  all_digits(s, &g);
  uint64_t bits;
  memcpy(&bits, ret_hi, sizeof bits);
  const uint32_t e = (uint32_t)(bits >> 52 & 0x7ff);
  const uint64_t m = (bits & ((UINT64_C(1) << 52) - 1)) | (uint64_t)(e != 0) << 52;
  add_bits(&g, m, e == 0 ? 0 : e - 1, bits >> 63 == 0);
  *ret_lo = round_digits(&g);
}

void sp_exact_release(sp_exact_sum *s, sp_mem *mem) {
  sp_mem_free(mem, s->digits, sizeof *s->digits);
  s->digits = NULL;
}
