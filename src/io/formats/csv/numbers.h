/* Numbers and dates of fields that lie in a buffer with room around them: up to 16 characters are loaded as
 * two words that end where the field ends, and what is in front of it is masked away. Nothing branches on the
 * length, which differs from field to field; data/digits.h does the rest. What these functions refuse may
 * still be a value: the caller then asks data/text.h, which also says what the values mean.
 *
 *   …,"12.5",… : the 16 bytes before the closing quote, the last four kept: 000000000000 12.5 ⇒ 125, 1 after
 * the point */
#ifndef SP_IO_CSV_NUMBERS_H
#define SP_IO_CSV_NUMBERS_H

#include "data/digits.h"
#include "data/text.h"

/* The last n of the 16 bytes in front of end, '0' in front of them; 1 <= n <= 16. */
static inline void sp_csv_load_16(const char *end, uint32_t n, uint64_t *ret_lo, uint64_t *ret_hi) {
  uint64_t lo, hi;
  memcpy(&lo, end - 16, 8);
  memcpy(&hi, end - 8, 8);
  const uint64_t all = ~UINT64_C(0);
  const uint64_t keep_hi = n >= 8 ? all : all << (64 - 8 * n);
  const uint64_t keep_lo = n <= 8 ? 0 : all << (128 - 8 * n);
  *ret_lo = (lo & keep_lo) | (SP_EIGHT_ZEROS & ~keep_lo);
  *ret_hi = (hi & keep_hi) | (SP_EIGHT_ZEROS & ~keep_hi);
}

/* An optional minus and up to 16 digits. */
static inline bool sp_csv_i64(const char *p, uint32_t n, int64_t *ret) {
  const uint32_t minus = *p == '-';
  const char *end = p + n;
  n -= minus;
  if (n - 1 >= 16) {
    return false;
  }
  uint64_t lo, hi, v;
  sp_csv_load_16(end, n, &lo, &hi);
  if (!sp_is_8_digits(hi)) {
    return false;
  }
  v = sp_from_8_digits(hi);
  if (n > 8) {
    if (!sp_is_8_digits(lo)) {
      return false;
    }
    v += sp_from_8_digits(lo) * 100000000;
  }
  *ret = minus ? -(int64_t)v : (int64_t)v;
  return true;
}

/* An optional minus, digits and at most one point: the digits as one number and how many are behind the
 * point.
 */
static inline bool sp_csv_digits(const char *p, uint32_t n, bool *ret_minus, uint64_t *ret,
                                 uint32_t *ret_after) {
  const bool minus = *p == '-';
  const char *end = p + n;
  n -= minus;
  if (n - 1 >= 16 || (n == 1 && end[-1] == '.')) {
    return false;
  }
  uint64_t lo, hi;
  sp_csv_load_16(end, n, &lo, &hi);
  *ret_minus = minus;
  return sp_fold_number(lo, hi, ret, ret_after);
}

/* As in data/text.c: digits below 2^53 and a power of ten below 10^22 give the nearest double by one
 * division. */
static inline bool sp_csv_f64(const char *p, uint32_t n, double *ret) {
  static const double pow10[17] = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                   1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};
  bool minus;
  uint64_t digits;
  uint32_t after;
  if (!sp_csv_digits(p, n, &minus, &digits, &after) || digits > UINT64_C(1) << 53) {
    return false;
  }
  const double v = (double)(int64_t)digits / pow10[after];
  *ret = minus ? -v : v;
  return true;
}

/* A decimal in an int64: no digit behind the point is lost and none of `limit` = 10^precision overflows. */
static inline bool sp_csv_decimal(const char *p, uint32_t n, uint32_t scale, int64_t limit, int64_t *ret) {
  bool minus;
  uint64_t digits, v;
  uint32_t after;
  if (!sp_csv_digits(p, n, &minus, &digits, &after) || after > scale ||
      __builtin_mul_overflow(digits, (uint64_t)sp_pow10[scale - after], &v) || v >= (uint64_t)limit) {
    return false;
  }
  *ret = minus ? -(int64_t)v : (int64_t)v;
  return true;
}

/* YYYY-MM-DD, but for the 31st and the end of February. */
static inline bool sp_csv_date(const char *p, uint32_t n, int32_t *ret) {
  static const uint16_t before[16] = {0,   306, 337, 0,   31,  61, 92,
                                      122, 153, 184, 214, 245, 275}; /* from March */
  if (n != 10) {
    return false;
  }
  uint64_t head, tail; /* "YYYY-MM-" and "YY-MM-DD" */
  memcpy(&head, p, 8);
  memcpy(&tail, p + 2, 8);
  const uint64_t dashes = UINT64_C(0xff0000ff00000000);
  if ((head & dashes) != UINT64_C(0x2d00002d00000000)) {
    return false;
  }
  const uint64_t year_month = (head & ~dashes) | (SP_EIGHT_ZEROS & dashes); /* now all must be digits */
  const uint64_t day_bytes = (tail & UINT64_C(0xffff000000000000)) | (SP_EIGHT_ZEROS >> 16);
  if (!sp_is_8_digits(year_month) || !sp_is_8_digits(day_bytes)) {
    return false;
  }
  const uint64_t tens = (year_month & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8; /* pairs at bytes 0, 2, … */
  const uint32_t year = (uint32_t)(tens & 0xff) * 100 + (uint32_t)(tens >> 16 & 0xff);
  const uint32_t month = (uint32_t)(year_month >> 40 & 0xf) * 10 + (uint32_t)(year_month >> 48 & 0xf);
  const uint32_t day = (uint32_t)(day_bytes >> 48 & 0xf) * 10 + (uint32_t)(day_bytes >> 56 & 0xf);
  if (year - 1 >= 9999 || month - 1 >= 12 || day - 1 >= 30 || (day > 28 && month == 2)) {
    return false;
  }
  const uint32_t y = year - (month <= 2);
  *ret = (int32_t)(365 * y + y / 4 - y / 100 + y / 400 + before[month] + day) - 1 - 719468;
  return true;
}

#endif
