/* Text to bool, integers and floats.
 *
 * Integers are read eight digits at a time: one 64-bit load is checked for digits and folded to a number by
 * three multiplications. Floats collect up to 19 digits in an integer; when it is at most 2^53 and the power
 * of ten at most 10^22, both are exact doubles and one multiplication or division rounds correctly (Clinger
 * 1990). Everything else goes to strtod as "DIGITSeEXPONENT", without a point, so that no locale matters, and
 * cut to 770 digits and a sticky one, which is as many as can decide a rounding.
 *
 * Example: "12345678.25" is 1234567825 / 10^2, one division. */
#include "data/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/simd.h"
#include "data/digits.h"

#define MAX_DIGITS 19       /* any 19 digits fit 64 bits */
#define STRTOD_DIGITS 770   /* more cannot move the rounding of a double, but for being zero or not */
#define EXPONENT_MAX 100000 /* where an exponent in text stops growing: far past any double */
#define CLINGER_POW10 22

static const double f64_pow10[CLINGER_POW10 + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c) {
  return (unsigned char)(c - '0') < 10;
}

/* Reads digits to the end of the field. */
static bool parse_digits(const char *p, const char *end, uint64_t *ret) {
  if (p == end) {
    return false;
  }
  while (end - p > 16 && *p == '0') {
    p++;
  }
  const size_t n = (size_t)(end - p);
  if (n <= 8) {
    const uint64_t x = sp_load_8_digits(p, n);
    *ret = sp_from_8_digits(x);
    return sp_is_8_digits(x);
  }
  /* Blocks from the end; the first one holds the rest, at most four digits of twenty. */
  uint64_t y, z, v = 0;
  size_t rest = n - 8;
  memcpy(&z, p + rest, 8);
  if (n <= 16) {
    y = sp_load_8_digits(p, rest);
  } else if (n <= MAX_DIGITS + 1) {
    rest -= 8;
    memcpy(&y, p + rest, 8);
    const uint64_t x = sp_load_8_digits(p, rest);
    if (!sp_is_8_digits(x)) {
      return false;
    }
    v = sp_from_8_digits(x);
  } else {
    return false;
  }
  const uint64_t low = sp_from_8_digits(y) * 100000000 + sp_from_8_digits(z);
  return sp_is_8_digits(y) && sp_is_8_digits(z) &&
         !__builtin_mul_overflow(v, UINT64_C(10000000000000000), &v) && !__builtin_add_overflow(v, low, ret);
}

bool sp_parse_u64(sp_sv s, uint64_t *ret) {
  const bool sign = s.n > 0 && s.p[0] == '+';
  uint64_t v;
  if (s.n == 0 || !parse_digits(s.p + sign, s.p + s.n, &v)) {
    return false;
  }
  *ret = v;
  return true;
}

bool sp_parse_i64(sp_sv s, int64_t *ret) {
  if (s.n == 0) {
    return false;
  }
  const bool negative = s.p[0] == '-';
  uint64_t v;
  if (!parse_digits(s.p + (negative || s.p[0] == '+'), s.p + s.n, &v) || v > (uint64_t)INT64_MAX + negative) {
    return false;
  }
  *ret = (int64_t)(negative ? 0 - v : v);
  return true;
}

bool sp_parse_bool(sp_sv s, bool *ret) {
  if (s.n == 4 && strncasecmp(s.p, "true", 4) == 0) {
    *ret = true;
    return true;
  }
  if (s.n == 5 && strncasecmp(s.p, "false", 5) == 0) {
    *ret = false;
    return true;
  }
  return false;
}

/* A number taken apart: value = mantissa * 10^exponent, but for the digits past the 19th. */
typedef struct parts {
  uint64_t mantissa;
  int64_t exponent;   /* of the last digit of the text, given all of them */
  int64_t n_digits;   /* significant ones, as in the text */
  const char *digits; /* first significant digit; the point may follow later */
  const char *digits_end;
} parts;

/* Adds digits until something else comes. */
static const char *scan_digits(const char *p, const char *end, parts *d) {
  while (end - p >= 8 && d->n_digits > 0 && d->n_digits <= MAX_DIGITS - 8) {
    uint64_t x;
    memcpy(&x, p, 8);
    if (!sp_is_8_digits(x)) {
      break;
    }
    d->mantissa = d->mantissa * 100000000 + sp_from_8_digits(x);
    d->n_digits += 8;
    p += 8;
  }
  for (; p < end && is_digit(*p); p++) {
    if (d->n_digits == 0 && *p == '0') {
      continue;
    }
    if (d->n_digits == 0) {
      d->digits = p;
    }
    if (d->n_digits < MAX_DIGITS) {
      d->mantissa = d->mantissa * 10 + (uint64_t)(*p - '0');
    }
    d->n_digits++;
  }
  return p;
}

static const char *scan_exponent(const char *p, const char *end, int64_t *ret) {
  if (p == end || (*p != 'e' && *p != 'E')) {
    return p;
  }
  p++;
  const bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) {
    p++;
  }
  if (p == end || !is_digit(*p)) {
    return NULL;
  }
  int64_t e = 0;
  for (; p < end && is_digit(*p); p++) {
    e = e < EXPONENT_MAX ? e * 10 + (*p - '0') : e;
  }
  *ret = negative ? -e : e;
  return p;
}

static bool take_apart(const char *p, const char *end, parts *ret) {
  parts d = {.digits = p};
  const char *at = scan_digits(p, end, &d);
  bool any = at > p;
  int64_t after_point = 0;
  if (at < end && *at == '.') {
    const char *fraction = at + 1;
    at = scan_digits(fraction, end, &d);
    after_point = at - fraction;
    any |= at > fraction;
  }
  if (!any) {
    return false;
  }
  d.digits_end = at;
  int64_t e = 0;
  at = scan_exponent(at, end, &e);
  d.exponent = e - after_point;
  *ret = d;
  return at == end;
}

/* The general case: digits without a point, and as many as matter. */
static double by_strtod(const parts *d) {
  char text[STRTOD_DIGITS + 32];
  size_t n = 0;
  int64_t seen = 0;
  bool sticky = false;
  for (const char *p = d->digits; p < d->digits_end; p++) {
    if (*p == '.') {
      continue;
    }
    if (n < STRTOD_DIGITS) {
      text[n++] = *p;
    } else {
      sticky |= *p != '0';
    }
    seen++;
  }
  int64_t exponent = d->exponent + (seen - (int64_t)n);
  if (sticky) {
    text[n++] = '1';
    exponent--;
  }
  exponent = exponent > EXPONENT_MAX ? EXPONENT_MAX : exponent < -EXPONENT_MAX ? -EXPONENT_MAX : exponent;
  snprintf(text + n, sizeof text - n, "e%d", (int)exponent);
  return strtod(text, NULL);
}

/* 19 digits and a power of ten below 2^64 fit 128-bit integers, whose quotient or product has more than the
 * 55 bits that rounding needs, with the remainder as the sticky last bit. 0 < |exponent| <= 19, mantissa > 0.
 */
static double by_128_bits(uint64_t mantissa, int64_t exponent) {
  const uint64_t power = (uint64_t)sp_pow10[exponent < 0 ? -exponent : exponent];
  if (exponent > 0) {
    return (double)((sp_u128)mantissa * power);
  }
  const int shift = __builtin_clzll(mantissa);
  const sp_u128 n = (sp_u128)(mantissa << shift) << 64;
  const sp_u128 q = n / power;
  return ldexp((double)(q | (q * power != n)), -64 - shift);
}

static double to_double(const parts *d) {
  if (d->n_digits == 0) {
    return 0.0;
  }
  if (SP_LIKELY(d->n_digits <= MAX_DIGITS && d->mantissa <= (UINT64_C(1) << 53))) {
    const double m = (double)d->mantissa;
    if (d->exponent >= 0 && d->exponent <= CLINGER_POW10) {
      return m * f64_pow10[d->exponent];
    }
    if (d->exponent < 0 && d->exponent >= -CLINGER_POW10) {
      return m / f64_pow10[-d->exponent];
    }
  }
  if (d->n_digits <= MAX_DIGITS && d->exponent != 0 && d->exponent <= MAX_DIGITS &&
      d->exponent >= -MAX_DIGITS) {
    return by_128_bits(d->mantissa, d->exponent);
  }
  return by_strtod(d);
}

static bool parse_special(const char *p, size_t n, double *ret) {
  if ((n == 3 && strncasecmp(p, "inf", 3) == 0) || (n == 8 && strncasecmp(p, "infinity", 8) == 0)) {
    *ret = (double)INFINITY;
    return true;
  }
  if (n == 3 && strncasecmp(p, "nan", 3) == 0) {
    *ret = (double)NAN;
    return true;
  }
  return false;
}

bool sp_parse_f64(sp_sv s, double *ret) {
  if (s.n == 0) {
    return false;
  }
  const bool negative = s.p[0] == '-';
  const char *p = s.p + (negative || s.p[0] == '+');
  const char *end = s.p + s.n;
  parts d;
  double v;
  uint64_t digits;
  uint32_t after;
  if (SP_LIKELY(sp_short_number(p, (size_t)(end - p), &digits, &after) && digits <= (UINT64_C(1) << 53))) {
    v = (double)digits / f64_pow10[after];
  } else if (take_apart(p, end, &d)) {
    v = to_double(&d);
  } else if (!parse_special(p, (size_t)(end - p), &v)) {
    return false;
  }
  *ret = negative ? -v : v;
  return true;
}
