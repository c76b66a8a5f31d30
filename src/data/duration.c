/* Durations and intervals as text: numbers with their units, largest first.
 *
 * Example: 93,784,500 ms prints as "1d 2h 3m 4.5s" and reads back from it; so do "1d2h" and "26h". */
#include "data/text.h"

#define NS_PER_SECOND UINT64_C(1000000000)

typedef struct unit_name {
  const char *name;
  uint64_t ns;
} unit_name;

static const unit_name clock_units[] = {
    {"d", 86400 * NS_PER_SECOND}, {"h", 3600 * NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND}};

static uint32_t put_part(uint64_t v, const char *unit, uint32_t n, char *out) {
  if (n > 0 && out[n - 1] != '-') {
    out[n++] = ' ';
  }
  n += sp_format_u64(v, out + n);
  const size_t len = strlen(unit);
  memcpy(out + n, unit, len);
  return n + (uint32_t)len;
}

/* Seconds with as few decimals as needed. */
static uint32_t put_seconds(uint64_t v, uint64_t per_second, uint32_t n, char *out) {
  if (n > 0 && out[n - 1] != '-') {
    out[n++] = ' ';
  }
  n += sp_format_u64(v / per_second, out + n);
  uint64_t rest = v % per_second;
  if (rest != 0) {
    out[n++] = '.';
    for (uint64_t unit = per_second / 10; rest != 0; unit /= 10) {
      out[n++] = (char)('0' + rest / unit);
      rest %= unit;
    }
  }
  out[n++] = 's';
  return n;
}

/* A minus, with the space before it that put_part and put_seconds leave out after one. */
static uint32_t put_sign(int64_t v, uint32_t n, char *out) {
  if (v < 0) {
    if (n > 0) {
      out[n++] = ' ';
    }
    out[n++] = '-';
  }
  return n;
}

static uint64_t magnitude(int64_t v) {
  return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

uint32_t sp_format_duration(int64_t v, sp_unit u, char out[SP_TEXT_MAX]) {
  const uint64_t per_second = (uint64_t)sp_unit_per_second(u);
  uint64_t rest = magnitude(v);
  uint32_t n = put_sign(v, 0, out);
  for (uint32_t i = 0; i < sizeof clock_units / sizeof clock_units[0]; i++) {
    const uint64_t unit = clock_units[i].ns / NS_PER_SECOND * per_second;
    if (rest >= unit) {
      n = put_part(rest / unit, clock_units[i].name, n, out);
      rest %= unit;
    }
  }
  return rest > 0 || v == 0 ? put_seconds(rest, per_second, n, out) : n;
}

uint32_t sp_format_interval(sp_interval v, char out[SP_TEXT_MAX]) {
  uint32_t n = 0;
  if (v.months != 0) {
    n = put_sign(v.months, n, out);
    n = put_part(magnitude(v.months), "mo", n, out);
  }
  if (v.days != 0) {
    n = put_sign(v.days, n, out);
    n = put_part(magnitude(v.days), "d", n, out);
  }
  if (v.us != 0 || n == 0) {
    n = put_sign(v.us, n, out);
    n = put_seconds(magnitude(v.us), 1000000, n, out);
  }
  return n;
}

/* ---- reading ---- */
static bool unit_of(sp_sv s, uint64_t *ret_ns, size_t *ret_used) {
  static const unit_name units[] = {{"ms", 1000000},
                                    {"us", 1000},
                                    {"ns", 1},
                                    {"w", 7 * 86400 * NS_PER_SECOND},
                                    {"d", 86400 * NS_PER_SECOND},
                                    {"h", 3600 * NS_PER_SECOND},
                                    {"m", 60 * NS_PER_SECOND},
                                    {"s", NS_PER_SECOND}};
  for (uint32_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    const size_t len = strlen(units[i].name);
    if (s.n >= len && memcmp(s.p, units[i].name, len) == 0) {
      *ret_ns = units[i].ns;
      *ret_used = len;
      return true;
    }
  }
  return false;
}

/* NUMBER[.FRACTION]UNIT at *at, added to *sum in ns. */
static bool scan_part(sp_sv s, size_t *at, sp_i128 *sum) {
  const size_t start = *at;
  uint64_t whole = 0;
  size_t i = start;
  for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
    if (__builtin_mul_overflow(whole, 10, &whole) ||
        __builtin_add_overflow(whole, (uint64_t)(s.p[i] - '0'), &whole)) {
      return false;
    }
  }
  uint64_t fraction = 0, one = 1;
  if (i > start && i < s.n && s.p[i] == '.') {
    for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && one < NS_PER_SECOND; i++) {
      fraction = fraction * 10 + (uint64_t)(s.p[i] - '0');
      one *= 10;
    }
  }
  uint64_t unit;
  size_t used;
  if (i == start || !unit_of((sp_sv){s.p + i, s.n - i}, &unit, &used)) {
    return false;
  }
  *sum += (sp_i128)whole * unit + (sp_i128)fraction * unit / one;
  *at = i + used;
  /* Each part is under 2^64 weeks of ns, so a sum of a field's few parts stays within 128 bits if it is
   * bounded here. */
  return *sum < (sp_i128)INT64_MAX * 10000000;
}

bool sp_parse_duration(sp_sv s, sp_unit u, int64_t *ret) {
  if (sp_parse_i64(s, ret)) {
    return true;
  }
  const bool negative = s.n > 0 && s.p[0] == '-';
  size_t at = negative || (s.n > 0 && s.p[0] == '+');
  if (at == s.n) {
    return false;
  }
  sp_i128 sum = 0;
  while (at < s.n) {
    if (!scan_part(s, &at, &sum) || (at < s.n && s.p[at] == ' ' && ++at == s.n)) {
      return false;
    }
  }
  sum /= (sp_i128)(NS_PER_SECOND / (uint64_t)sp_unit_per_second(u));
  sum = negative ? -sum : sum;
  if (sum > INT64_MAX || sum < INT64_MIN) {
    return false;
  }
  *ret = (int64_t)sum;
  return true;
}
