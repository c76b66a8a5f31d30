/* Short numbers without a loop: up to 16 characters are loaded as one 128-bit word, as if zeros stood in
 * front of them, the point is shifted out, all bytes are checked for digits at once and folded to a number by
 * multiplications.
 *
 * Fields of a column differ in length, and a loop over their characters mispredicts its end once per field;
 * here nothing depends on the length but a shift.
 *
 * Example: "12.5" is loaded as "000000000000" "12.5", becomes "0000000000000125" with one digit behind the
 * point. */
#ifndef SP_DATA_DIGITS_H
#define SP_DATA_DIGITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SP_SHORT_NUMBER 16
#define SP_EIGHT_ZEROS UINT64_C(0x3030303030303030)

/* Are the eight bytes all digits? */
static inline bool sp_is_8_digits(uint64_t x) {
  const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0);
  return ((x & high) | (((x + UINT64_C(0x0606060606060606)) & high) >> 4)) == UINT64_C(0x3333333333333333);
}

/* The number that eight digits stand for, first digit in the lowest byte. */
static inline uint64_t sp_from_8_digits(uint64_t x) {
  x = (x & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
  x = (x & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
  return (x & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}

/* n bytes, 1 to 8, in the high end, '0' below them. Reads nothing past them. */
static inline uint64_t sp_load_8_digits(const char *p, size_t n) {
  const uint32_t shift = (uint32_t)(64 - 8 * n);
  uint64_t x;
  if (n == 8) {
    memcpy(&x, p, 8);
    return x;
  }
  if (n >= 4) {
    uint32_t lo, hi; /* they overlap in equal bytes */
    memcpy(&lo, p, 4);
    memcpy(&hi, p + n - 4, 4);
    x = (uint64_t)hi << 32 | (uint64_t)lo << shift;
  } else {
    x = (uint64_t)(uint8_t)p[0] << shift | (uint64_t)(uint8_t)p[n / 2] << (shift + n / 2 * 8) |
        (uint64_t)(uint8_t)p[n - 1] << 56;
  }
  return x | SP_EIGHT_ZEROS >> (64 - shift);
}

/* The number that 16 characters stand for, digits and at most one point: hi holds the last eight, lo those in
 * front, and both '0' where the text has none. False when something else is among them (an exponent, say):
 * then the slow way must decide. A lone point is not told from zero. *ret_after: digits behind the point. */
static inline bool sp_fold_number(uint64_t lo, uint64_t hi, uint64_t *ret, uint32_t *ret_after) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
  const uint64_t lo_x = lo ^ ones * '.', hi_x = hi ^ ones * '.';
  const uint64_t lo_dot = (lo_x - ones) & ~lo_x & tops, hi_dot = (hi_x - ones) & ~hi_x & tops;
  uint32_t after = 0;
  if (lo_dot != 0) {
    const uint32_t at = (uint32_t)__builtin_ctzll(lo_dot) / 8; /* bytes in front of the point */
    const uint64_t before = (UINT64_C(1) << (8 * at)) - 1;
    lo = (lo & ~(before << 8 | 0xff)) | (lo & before) << 8 | '0';
    after = 15 - at;
  } else if (hi_dot != 0) {
    const uint32_t at = (uint32_t)__builtin_ctzll(hi_dot) / 8;
    const uint64_t before = (UINT64_C(1) << (8 * at)) - 1;
    hi = (hi & ~(before << 8 | 0xff)) | (hi & before) << 8 | lo >> 56;
    lo = lo << 8 | '0';
    after = 7 - at;
  }
  if (!sp_is_8_digits(lo) || !sp_is_8_digits(hi)) {
    return false;
  }
  *ret = sp_from_8_digits(lo) * 100000000 + sp_from_8_digits(hi);
  *ret_after = after;
  return true;
}

/* Reads n characters, digits and at most one point, of at most SP_SHORT_NUMBER. False when they are too many or
 * something else is among them. */
static inline bool sp_short_number(const char *p, size_t n, uint64_t *ret, uint32_t *ret_after) {
  uint64_t lo = SP_EIGHT_ZEROS, hi;
  if (n == 0 || n > SP_SHORT_NUMBER || (n == 1 && *p == '.')) {
    return false;
  }
  if (n <= 8) {
    hi = sp_load_8_digits(p, n);
  } else {
    memcpy(&hi, p + n - 8, 8);
    lo = sp_load_8_digits(p, n - 8);
  }
  return sp_fold_number(lo, hi, ret, ret_after);
}

#endif
