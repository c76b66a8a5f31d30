/* The civil calendar, dates and times as text.
 *
 * Days and dates convert by Howard Hinnant's algorithms: years start in March, so that the leap day is a
 * year's last, and 400 years are an era of exactly 146,097 days. A date field is ten fixed characters and is
 * read without a loop.
 *
 * Example: 2000-03-01 is day 0 of its era and day 11017 since 1970-01-01. */
#include "data/text.h"

#define DAYS_PER_ERA 146097
#define EPOCH_SHIFT 719468 /* days from 0000-03-01 to 1970-01-01 */
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_SECOND)
#define SECONDS_PER_DAY INT64_C(86400)

int32_t sp_days_from_civil(int32_t year, uint32_t month, uint32_t day) {
  const int64_t y = (int64_t)year - (month <= 2);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const uint32_t year_of_era = (uint32_t)(y - era * 400);
  const uint32_t day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return (int32_t)(era * DAYS_PER_ERA + day_of_era - EPOCH_SHIFT);
}

sp_civil sp_civil_from_days(int32_t days) {
  const int64_t z = (int64_t)days + EPOCH_SHIFT;
  const int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
  const uint32_t doe = (uint32_t)(z - era * DAYS_PER_ERA);
  const uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const uint32_t shifted_month = (5 * doy + 2) / 153;
  const uint32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return (sp_civil){.year = (int32_t)((int64_t)yoe + era * 400 + (month <= 2)),
                    .month = month,
                    .day = doy - (153 * shifted_month + 2) / 5 + 1};
}

static uint32_t days_in_month(int32_t year, uint32_t month) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[month - 1];
}

bool sp_days_add_months(int32_t days, int32_t months, int32_t *ret) {
  const sp_civil c = sp_civil_from_days(days);
  const int64_t total = (int64_t)c.year * 12 + (c.month - 1) + months;
  if (total < 12 || total >= INT64_C(10000) * 12) {
    return false;
  }
  const int32_t year = (int32_t)(total / 12);
  const uint32_t month = (uint32_t)(total % 12) + 1;
  const uint32_t last = days_in_month(year, month);
  *ret = sp_days_from_civil(year, month, c.day < last ? c.day : last);
  return true;
}

/* The same for years from 1 on, which need no eras: what a column of dates is parsed with. */
static int32_t days_of_date(uint32_t year, uint32_t month, uint32_t day) {
  static const uint16_t before[] = {306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275}; /* from March */
  const uint32_t y = year - (month <= 2);
  return (int32_t)(365 * y + y / 4 - y / 100 + y / 400 + before[month - 1] + day) - 1 - EPOCH_SHIFT;
}

/* ---- reading ---- */
static uint32_t two(const char *p) {
  return (uint32_t)(p[0] - '0') * 10 + (uint32_t)(p[1] - '0');
}

static bool digits_at(const char *p, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if ((unsigned char)(p[i] - '0') > 9) {
      return false;
    }
  }
  return true;
}

bool sp_parse_date(sp_sv s, int32_t *ret_days) {
  if (s.n != 10) {
    return false;
  }
  uint64_t x; /* "YYYY-MM-" */
  memcpy(&x, s.p, 8);
  /* Digits are 0x30 to 0x39: the high half says so, and adding 6 must not carry into it. */
  const uint64_t high = UINT64_C(0x00f0f000f0f0f0f0), six = UINT64_C(0x0006060006060606);
  if ((x & ~(high | high >> 4)) != UINT64_C(0x2d00002d00000000) ||
      (x & high) != UINT64_C(0x0030300030303030) || ((x + six) & high) != UINT64_C(0x0030300030303030) ||
      !digits_at(s.p + 8, 2)) {
    return false;
  }
  const uint32_t year = two(s.p) * 100 + two(s.p + 2), month = two(s.p + 5), day = two(s.p + 8);
  if (year < 1 || month < 1 || month > 12 || day < 1 ||
      (day > 28 && day > days_in_month((int32_t)year, month))) {
    return false;
  }
  *ret_days = days_of_date(year, month, day);
  return true;
}

/* HH:MM[:SS[.fraction]] at the start of s; *ret_used is how much of it that was. */
static bool scan_time(sp_sv s, int64_t *ret_ns, size_t *ret_used) {
  if (s.n < 5 || !digits_at(s.p, 2) || s.p[2] != ':' || !digits_at(s.p + 3, 2)) {
    return false;
  }
  const uint32_t hour = two(s.p), minute = two(s.p + 3);
  uint32_t second = 0;
  int64_t fraction = 0;
  size_t at = 5;
  if (s.n > at && s.p[at] == ':') {
    if (s.n < 8 || !digits_at(s.p + 6, 2)) {
      return false;
    }
    second = two(s.p + 6);
    at = 8;
    if (s.n > at && s.p[at] == '.') {
      int64_t unit = NS_PER_SECOND;
      for (at++; at < s.n && digits_at(s.p + at, 1) && unit > 1; at++) {
        unit /= 10;
        fraction += (s.p[at] - '0') * unit;
      }
      if (unit == NS_PER_SECOND) {
        return false;
      }
    }
  }
  if (hour > 23 || minute > 59 || second > 59) {
    return false;
  }
  *ret_ns = (int64_t)(hour * 3600 + minute * 60 + second) * NS_PER_SECOND + fraction;
  *ret_used = at;
  return true;
}

bool sp_parse_time(sp_sv s, int64_t *ret_ns) {
  int64_t ns;
  size_t used;
  if (!scan_time(s, &ns, &used) || used != s.n) {
    return false;
  }
  *ret_ns = ns;
  return true;
}

/* Z, ±HH, ±HHMM or ±HH:MM, all of s, in seconds east. */
static bool parse_zone_offset(sp_sv s, int64_t *ret_seconds) {
  if (s.n == 1 && (s.p[0] == 'Z' || s.p[0] == 'z')) {
    *ret_seconds = 0;
    return true;
  }
  if (s.n < 3 || (s.p[0] != '+' && s.p[0] != '-') || !digits_at(s.p + 1, 2)) {
    return false;
  }
  uint32_t minutes = 0;
  if (s.n != 3) {
    const size_t at = s.p[3] == ':' ? 4 : 3;
    if (s.n != at + 2 || !digits_at(s.p + at, 2)) {
      return false;
    }
    minutes = two(s.p + at);
  }
  const uint32_t hours = two(s.p + 1);
  if (hours > 23 || minutes > 59) {
    return false;
  }
  const int64_t offset = (int64_t)hours * 3600 + minutes * 60;
  *ret_seconds = s.p[0] == '-' ? -offset : offset;
  return true;
}

bool sp_parse_datetime(sp_sv s, sp_unit u, int64_t *ret) {
  int32_t days;
  if (s.n < 10 || !sp_parse_date((sp_sv){s.p, 10}, &days)) {
    return false;
  }
  int64_t ns = 0, offset = 0;
  if (s.n > 10) {
    if (s.p[10] != 'T' && s.p[10] != ' ' && s.p[10] != 't') {
      return false;
    }
    sp_sv rest = {s.p + 11, s.n - 11};
    size_t used;
    if (!scan_time(rest, &ns, &used)) {
      return false;
    }
    rest = (sp_sv){rest.p + used, rest.n - used};
    if (rest.n > 0 && !parse_zone_offset(rest, &offset)) {
      return false;
    }
  }
  const int64_t per_second = sp_unit_per_second(u);
  const int64_t seconds = days * SECONDS_PER_DAY + ns / NS_PER_SECOND - offset;
  const int64_t fraction = ns % NS_PER_SECOND / (NS_PER_SECOND / per_second);
  int64_t v;
  if (__builtin_mul_overflow(seconds + (seconds < 0), per_second, &v) ||
      __builtin_add_overflow(v, fraction - (seconds < 0 ? per_second : 0), &v)) {
    return false;
  }
  *ret = v;
  return true;
}

/* ---- writing ---- */
static uint32_t put2(char *out, uint32_t v) {
  out[0] = (char)('0' + v / 10);
  out[1] = (char)('0' + v % 10);
  return 2;
}

uint32_t sp_format_date(int32_t days, char out[SP_TEXT_MAX]) {
  const sp_civil c = sp_civil_from_days(days);
  uint32_t n = 0;
  uint32_t year = (uint32_t)c.year;
  if (c.year < 0) {
    out[n++] = '-';
    year = 0 - year;
  }
  if (year > 9999) {
    n += sp_format_u64(year, out + n);
  } else {
    n += put2(out + n, year / 100);
    n += put2(out + n, year % 100);
  }
  out[n++] = '-';
  n += put2(out + n, c.month);
  out[n++] = '-';
  return n + put2(out + n, c.day);
}

/* ".5" or nothing: in groups of three digits for times of day, as few as needed otherwise. */
static uint32_t put_fraction(int64_t ns, bool groups, char *out) {
  if (ns == 0) {
    return 0;
  }
  uint32_t digits = 9;
  while (groups ? ns % 1000 == 0 : ns % 10 == 0) {
    ns /= groups ? 1000 : 10;
    digits -= groups ? 3 : 1;
  }
  out[0] = '.';
  for (uint32_t i = digits; i > 0; i--) {
    out[i] = (char)('0' + ns % 10);
    ns /= 10;
  }
  return digits + 1;
}

uint32_t sp_format_time(int64_t ns, char out[SP_TEXT_MAX]) {
  /* Nothing else writes a time outside a day, but a file may hold one. */
  int64_t in_day = ns % NS_PER_DAY;
  in_day += in_day < 0 ? NS_PER_DAY : 0;
  const uint32_t seconds = (uint32_t)(in_day / NS_PER_SECOND);
  uint32_t n = put2(out, seconds / 3600);
  out[n++] = ':';
  n += put2(out + n, seconds / 60 % 60);
  out[n++] = ':';
  n += put2(out + n, seconds % 60);
  return n + put_fraction(in_day % NS_PER_SECOND, true, out + n);
}

uint32_t sp_format_datetime(int64_t v, sp_unit u, bool utc, char out[SP_TEXT_MAX]) {
  const int64_t per_second = sp_unit_per_second(u), per_day = per_second * SECONDS_PER_DAY;
  int64_t days = v / per_day, rest = v % per_day;
  if (rest < 0) {
    rest += per_day;
    days--;
  }
  uint32_t n;
  if (days >= INT32_MIN && days <= INT32_MAX) {
    n = sp_format_date((int32_t)days, out);
  } else {
    /* Milliseconds reach 292 million years: shift by whole eras and print the year they belong to. */
    const int64_t eras = days / DAYS_PER_ERA;
    const sp_civil c = sp_civil_from_days((int32_t)(days - eras * DAYS_PER_ERA));
    n = sp_format_i64(c.year + eras * 400, out);
    out[n++] = '-';
    n += put2(out + n, c.month);
    out[n++] = '-';
    n += put2(out + n, c.day);
  }
  out[n++] = 'T';
  n += sp_format_time(rest * (NS_PER_SECOND / per_second), out + n);
  if (utc) {
    out[n++] = 'Z';
  }
  return n;
}
