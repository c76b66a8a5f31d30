/* Decimals: 128-bit integers that stand for v / 10^scale.
 *
 * Example: "12.345" at scale 2 rounds to 1235, which prints as "12.35". */
#include "data/text.h"

#include <math.h>

#include "data/digits.h"

#define DIGITS_MAX 38

#define TEN18 ((sp_i128)INT64_C(1000000000000000000))
#define SCALED_BY(f)                                                                                         \
  (f), (f)*10, (f)*100, (f)*1000, (f)*10000, (f)*100000, (f)*1000000, (f)*10000000, (f)*100000000
#define TEN9 ((sp_i128)INT64_C(1000000000))
const sp_i128 sp_pow10[39] = {SCALED_BY((sp_i128)1),  SCALED_BY(TEN9), SCALED_BY(TEN18),
                              SCALED_BY(TEN18 *TEN9), TEN18 *TEN18,    TEN18 *TEN18 * 10,
                              TEN18 *TEN18 * 100};

bool sp_decimal_fits(sp_i128 v, uint32_t precision) {
  return v < sp_pow10[precision] && v > -sp_pow10[precision];
}

/* v / 10^k, half away from zero. 0 <= k <= 38. */
static sp_i128 divide_rounding(sp_i128 v, uint32_t k) {
  const sp_i128 d = sp_pow10[k];
  const sp_i128 q = v / d, rest = v % d;
  const sp_i128 away = rest < 0 ? -rest : rest;
  return away >= d - away && k > 0 ? q + (v < 0 ? -1 : 1) : q;
}

bool sp_decimal_rescale(sp_i128 v, uint32_t from, uint32_t to, sp_i128 *ret) {
  sp_i128 r = v;
  if (to < from) {
    r = divide_rounding(v, from - to);
  } else if (to > from && __builtin_mul_overflow(v, sp_pow10[to - from], &r)) {
    return false;
  }
  if (!sp_decimal_fits(r, DIGITS_MAX)) {
    return false;
  }
  *ret = r;
  return true;
}

double sp_decimal_to_f64(sp_i128 v, uint32_t scale) {
  static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (scale < sizeof exact / sizeof exact[0] && v < ((sp_i128)1 << 53) && v > -((sp_i128)1 << 53)) {
    return (double)v / exact[scale];
  }
  char text[SP_TEXT_MAX];
  const uint32_t n = sp_format_decimal(v, scale, text);
  double f = (double)v;
  sp_parse_f64((sp_sv){text, n}, &f);
  return f;
}

bool sp_decimal_from_f64(double v, uint32_t precision, uint32_t scale, bool round, sp_i128 *ret) {
  if (!isfinite(v)) {
    return false;
  }
  static const double exact[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  if (scale < sizeof exact / sizeof exact[0]) {
    /* A whole number of at most 15 digits that divides back to v is what v's shortest text says. */
    const double whole = nearbyint(v * exact[scale]);
    if (fabs(whole) < 1e15 && whole / exact[scale] == v) {
      const sp_i128 r = (sp_i128)whole;
      if (sp_decimal_fits(r, precision)) {
        *ret = r;
        return true;
      }
      return false;
    }
  }
  char text[SP_TEXT_MAX];
  const uint32_t n = sp_format_f64(v, text);
  return sp_parse_decimal((sp_sv){text, n}, precision, scale, round, ret);
}

/* ---- text ---- */
static bool is_digit(char c) {
  return (unsigned char)(c - '0') < 10;
}

/* At most scale digits behind the point and no exponent: what nearly every field is. */
static bool parse_short(const char *p, const char *end, uint32_t scale, sp_i128 *ret) {
  uint64_t digits;
  uint32_t after;
  if (!sp_short_number(p, (size_t)(end - p), &digits, &after) || after > scale) {
    return false;
  }
  /* 16 digits and 2 more fit 64 bits, and 22 more 127. */
  const uint32_t up = scale - after;
  *ret = up <= 2 ? (sp_i128)(digits * (uint64_t)sp_pow10[up]) : up <= 22 ? (sp_i128)digits * sp_pow10[up] : 0;
  return up <= 22;
}

/* Where a number's parts lie. */
typedef struct parts {
  const char *first, *end; /* first significant digit, end of digits; one point may lie between */
  int64_t n;               /* significant digits */
  int64_t exponent;        /* of the last of them */
} parts;

static bool take_apart(const char *p, const char *end, parts *ret) {
  parts d = {0};
  bool point = false, any = false;
  int64_t after = 0;
  for (; p < end && (is_digit(*p) || (*p == '.' && !point)); p++) {
    if (*p == '.') {
      point = true;
      continue;
    }
    any = true;
    after += point;
    if (d.n > 0 || *p != '0') {
      d.first = d.n == 0 ? p : d.first;
      d.n++;
    }
  }
  d.end = p;
  int64_t e = 0;
  if (any && p < end && (*p == 'e' || *p == 'E')) {
    p++;
    const bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    any = p < end;
    for (; p < end && is_digit(*p); p++) {
      e = e < 100000 ? e * 10 + (*p - '0') : e;
    }
    e = negative ? -e : e;
    any &= is_digit(p[-1]);
  }
  if (!any || p != end) {
    return false;
  }
  d.exponent = e - after;
  *ret = d;
  return true;
}

/* The digits times 10^(exponent + scale), rounded. */
static bool scale_digits(const parts *d, uint32_t scale, bool round, sp_i128 *ret) {
  const int64_t shift = d->exponent + (int64_t)scale;
  const int64_t keep = d->n + (shift < 0 ? shift : 0); /* digits before the cut */
  if (d->n > 0 && d->n + shift > DIGITS_MAX) {
    return false;
  }
  sp_i128 v = 0;
  bool up = false, lost = false;
  int64_t at = 0;
  for (const char *p = d->first; d->n > 0 && p < d->end; p++) {
    if (*p == '.') {
      continue;
    }
    if (at < keep) {
      v = v * 10 + (*p - '0');
    } else {
      up |= at == keep && *p >= '5';
      lost |= *p != '0';
    }
    at++;
  }
  if (lost && !round) {
    return false;
  }
  v += up;
  *ret = shift > 0 && v != 0 ? v * sp_pow10[shift] : v;
  return true;
}

bool sp_parse_decimal(sp_sv s, uint32_t precision, uint32_t scale, bool round, sp_i128 *ret) {
  if (s.n == 0) {
    return false;
  }
  const bool negative = s.p[0] == '-';
  const char *p = s.p + (negative || s.p[0] == '+'), *end = s.p + s.n;
  sp_i128 v;
  parts d;
  if (!parse_short(p, end, scale, &v) && (!take_apart(p, end, &d) || !scale_digits(&d, scale, round, &v))) {
    return false;
  }
  if (!sp_decimal_fits(v, precision)) {
    return false;
  }
  *ret = negative ? -v : v;
  return true;
}

uint32_t sp_format_decimal(sp_i128 v, uint32_t scale, char out[SP_TEXT_MAX]) {
  uint32_t n = 0;
  sp_u128 rest = (sp_u128)v;
  if (v < 0) {
    out[n++] = '-';
    rest = 0 - rest;
  }
  /* 39 digits in pieces of 19, then padded so that one digit stands before the point. */
  char digits[96], piece[SP_TEXT_MAX];
  uint32_t at = sizeof digits;
  const uint64_t ten19 = UINT64_C(10000000000000000000);
  do {
    const uint32_t m = sp_format_u64((uint64_t)(rest % ten19), piece);
    rest /= ten19;
    at -= m;
    memcpy(digits + at, piece, m);
    if (rest != 0) {
      at -= 19 - m;
      memset(digits + at, '0', 19 - m);
    }
  } while (rest != 0);
  uint32_t have = (uint32_t)sizeof digits - at;
  while (have < scale + 1) {
    digits[--at] = '0';
    have++;
  }
  const uint32_t whole = have - scale;
  memcpy(out + n, digits + at, whole);
  n += whole;
  if (scale > 0) {
    out[n++] = '.';
    memcpy(out + n, digits + at + whole, scale);
    n += scale;
  }
  return n;
}
