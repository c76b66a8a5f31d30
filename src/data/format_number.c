/* Integers and floats to text.
 *
 * A float is printed with the fewest digits that read back. Most floats in data are short decimals: v * 10^k
 * is a whole number below 2^53 for a small k, and when dividing it again gives v, its digits are the
 * shortest, since neighbours with as many digits are further apart than doubles are. Others of usual size
 * come from exact 128-bit arithmetic; the very large and small try 15, 16 and 17 digits through snprintf,
 * whose point (a locale's) is skipped when the digits are collected.
 *
 * Example: 0.1 * 10 = 1 and 1 / 10 = 0.1, so the digits are "1" with the point before them: "0.1". */
#include "data/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SHORT_DECIMALS 4    /* largest k tried */
#define POSITIONAL_MIN (-3) /* 0.0001 is written out, 0.00001 is 1e-5 */
#define POSITIONAL_MAX 16   /* 1e15 is written out, 1e16 is not */

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

uint32_t sp_format_u64(uint64_t v, char out[SP_TEXT_MAX]) {
  char text[20];
  uint32_t at = sizeof text;
  while (v >= 100) {
    at -= 2;
    memcpy(text + at, two_digits + v % 100 * 2, 2);
    v /= 100;
  }
  if (v >= 10) {
    at -= 2;
    memcpy(text + at, two_digits + v * 2, 2);
  } else {
    text[--at] = (char)('0' + v);
  }
  memcpy(out, text + at, sizeof text - at);
  return (uint32_t)sizeof text - at;
}

uint32_t sp_format_i64(int64_t v, char out[SP_TEXT_MAX]) {
  if (v >= 0) {
    return sp_format_u64((uint64_t)v, out);
  }
  out[0] = '-';
  char digits[SP_TEXT_MAX];
  const uint32_t n = sp_format_u64(0 - (uint64_t)v, digits);
  memcpy(out + 1, digits, n);
  return n + 1;
}

/* The digits of a positive number, without zeros at either end, and where the point stands: 0.DIGITS *
 * 10^point. */
typedef struct decimal_digits {
  char text[SP_TEXT_MAX];
  int32_t n, point;
} decimal_digits;

static void strip_zeros(decimal_digits *d) {
  while (d->n > 1 && d->text[d->n - 1] == '0') {
    d->n--;
  }
}

/* Does v, which may be a float, read back from this? */
static bool same(double read, double v, bool is_f32) {
  return is_f32 ? (float)read == (float)v : read == v;
}

static bool short_decimal(double v, bool is_f32, decimal_digits *ret) {
  static const double pow10[SHORT_DECIMALS + 1] = {1e0, 1e1, 1e2, 1e3, 1e4};
  for (int32_t k = 0; k <= SHORT_DECIMALS; k++) {
    const double scaled = v * pow10[k];
    /* Above 2^53 whole numbers are further apart than 1; a float has 24 bits. */
    if (scaled > (is_f32 ? 0x1p24 : 0x1p53)) {
      return false;
    }
    const double whole = nearbyint(scaled);
    if (whole >= 1 && same(whole / pow10[k], v, is_f32)) {
      ret->n = (int32_t)sp_format_u64((uint64_t)whole, ret->text);
      ret->point = ret->n - k;
      strip_zeros(ret);
      return true;
    }
  }
  return false;
}

/* Every other number from 0.0001 to 2^53: v = m / 2^s exactly, so that the ends of the interval of numbers
 * that read back as v, scaled to 17 or 18 digits (9 or 10 for a float), are exact 128-bit integers. As long
 * as a multiple of ten lies between them one digit is dropped; of what is left the one nearest to v is taken.
 * Whether the ends themselves read back does not matter: where one is that short, v is shorter. */
static bool by_interval(double v, bool is_f32, decimal_digits *ret) {
  if (!(v >= 0.0001 && v < (is_f32 ? 0x1p24 : 0x1p53))) {
    return false;
  }
  const int bits = is_f32 ? 24 : 53;
  int exponent;
  const uint64_t m = (uint64_t)ldexp(frexp(v, &exponent), bits); /* v = m * 2^(exponent - bits) */
  const int shift = bits - exponent + 2;                         /* two bits more for halves and quarters */
  const int log10_floor = (int)floor((exponent - 1) * 0.30102999566398120);
  const int32_t k = (is_f32 ? 8 : 16) - log10_floor;
  const sp_u128 scale = (sp_u128)sp_pow10[k], one = (sp_u128)1 << shift;
  /* Below a power of two, numbers are half as far apart. */
  const uint64_t below = m == UINT64_C(1) << (bits - 1) ? 1 : 2;
  const sp_u128 lo = (4 * m - below) * scale, mid = 4 * m * scale, hi = (4 * m + 2) * scale;
  uint64_t first = (uint64_t)((lo + one - 1) >> shift);
  uint64_t last = (uint64_t)(hi >> shift);
  uint64_t drop = 1;
  int32_t dropped = 0;
  while ((first + 9) / 10 <= last / 10) {
    first = (first + 9) / 10;
    last /= 10;
    drop *= 10;
    dropped++;
  }
  const uint64_t whole = (uint64_t)(mid >> shift), rest = whole % drop;
  const sp_u128 fraction = mid & (one - 1);
  const bool up = drop == 1 ? fraction * 2 >= one : rest * 2 > drop || (rest * 2 == drop && fraction != 0);
  uint64_t best = whole / drop + up;
  best = best < first ? first : best > last ? last : best;
  ret->n = (int32_t)sp_format_u64(best, ret->text);
  ret->point = ret->n + dropped - k;
  strip_zeros(ret);
  /* A float is read as a double that is then rounded again, which an end of the interval may not survive. */
  return first <= last && (!is_f32 || same((double)(best * drop) / (double)sp_pow10[k], v, true));
}

static void by_snprintf(double v, bool is_f32, decimal_digits *ret) {
  const int last = is_f32 ? 9 : 17;
  /* Below the normal numbers precision falls, and one digit may do. */
  const bool normal = v >= (is_f32 ? (double)FLT_MIN : DBL_MIN);
  for (int n = !normal ? 1 : is_f32 ? 6 : 15; n <= last; n++) {
    char text[SP_TEXT_MAX];
    snprintf(text, sizeof text, "%.*e", n - 1, v);
    const char *p = text;
    ret->n = 0;
    for (; *p != 'e'; p++) {
      if (*p >= '0' && *p <= '9') {
        ret->text[ret->n++] = *p;
      }
    }
    ret->point = (int32_t)strtol(p + 1, NULL, 10) + 1;
    char plain[SP_TEXT_MAX];
    snprintf(plain, sizeof plain, "%.*se%d", (int)ret->n, ret->text, (int)(ret->point - ret->n));
    if (n == last || same(strtod(plain, NULL), v, is_f32)) {
      break;
    }
  }
  strip_zeros(ret);
}

static uint32_t put_zeros(char *out, int32_t n) {
  memset(out, '0', (size_t)n);
  return (uint32_t)n;
}

static uint32_t put_scientific(const decimal_digits *d, char *out) {
  uint32_t n = 0;
  out[n++] = d->text[0];
  if (d->n > 1) {
    out[n++] = '.';
    memcpy(out + n, d->text + 1, (size_t)d->n - 1);
    n += (uint32_t)d->n - 1;
  }
  out[n++] = 'e';
  char exponent[SP_TEXT_MAX];
  const uint32_t m = sp_format_i64(d->point - 1, exponent);
  memcpy(out + n, exponent, m);
  return n + m;
}

static uint32_t put_positional(const decimal_digits *d, char *out) {
  uint32_t n = 0;
  if (d->point <= 0) {
    out[n++] = '0';
    out[n++] = '.';
    n += put_zeros(out + n, -d->point);
    memcpy(out + n, d->text, (size_t)d->n);
    return n + (uint32_t)d->n;
  }
  const int32_t whole = d->point < d->n ? d->point : d->n;
  memcpy(out, d->text, (size_t)whole);
  n += (uint32_t)whole;
  n += put_zeros(out + n, d->point - whole);
  out[n++] = '.';
  if (whole == d->n) {
    out[n++] = '0';
    return n;
  }
  memcpy(out + n, d->text + whole, (size_t)(d->n - whole));
  return n + (uint32_t)(d->n - whole);
}

static uint32_t put_text(const char *text, char *out) {
  const size_t n = strlen(text);
  memcpy(out, text, n);
  return (uint32_t)n;
}

static uint32_t format_float(double v, bool is_f32, char *out) {
  if (isnan(v)) {
    return put_text("NaN", out);
  }
  uint32_t n = 0;
  if (signbit(v)) {
    out[n++] = '-';
    v = -v;
  }
  if (isinf(v)) {
    return n + put_text("inf", out + n);
  }
  if (v == 0) {
    return n + put_text("0.0", out + n);
  }
  decimal_digits d;
  if (!short_decimal(v, is_f32, &d) && !by_interval(v, is_f32, &d)) {
    by_snprintf(v, is_f32, &d);
  }
  const bool positional = d.point >= POSITIONAL_MIN && d.point <= POSITIONAL_MAX;
  return n + (positional ? put_positional(&d, out + n) : put_scientific(&d, out + n));
}

uint32_t sp_format_f64(double v, char out[SP_TEXT_MAX]) {
  return format_float(v, false, out);
}

uint32_t sp_format_f32(float v, char out[SP_TEXT_MAX]) {
  return format_float((double)v, true, out);
}
