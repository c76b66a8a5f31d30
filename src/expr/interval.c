/* Interval literals: months, days and microseconds from words.
 *
 * Example: interval '1 year 2 days 4.5 seconds' is 12 months, 2 days and 4,500,000 us; interval '90' day is
 * the form with the unit outside the quotes. */
#include <strings.h>

#include "data/text.h"
#include "expr/literal.h"

typedef enum part { PART_MONTHS, PART_DAYS, PART_US } part;

static const struct unit {
  const char *names[4]; /* all with an optional s */
  part part;
  int64_t factor;
} units[] = {
    {{"year", "y"}, PART_MONTHS, 12},
    {{"quarter"}, PART_MONTHS, 3},
    {{"month", "mo", "mon"}, PART_MONTHS, 1},
    {{"week", "w"}, PART_DAYS, 7},
    {{"day", "d"}, PART_DAYS, 1},
    {{"hour", "h"}, PART_US, INT64_C(3600000000)},
    {{"minute", "m", "min"}, PART_US, 60000000},
    {{"second", "s", "sec"}, PART_US, 1000000},
    {{"millisecond", "ms"}, PART_US, 1000},
    {{"microsecond", "us"}, PART_US, 1},
};
#define N_UNITS (sizeof units / sizeof units[0])

static bool names_unit(sp_sv word, const char *name) {
  const size_t n = strlen(name);
  const bool plural = word.n == n + 1 && n > 2 && (word.p[n] == 's' || word.p[n] == 'S');
  return (word.n == n || plural) && strncasecmp(word.p, name, n) == 0;
}

static const struct unit *find_unit(sp_sv word) {
  for (size_t i = 0; i < N_UNITS; i++) {
    for (size_t k = 0; k < 4 && units[i].names[k] != NULL; k++) {
      if (names_unit(word, units[i].names[k])) {
        return &units[i];
      }
    }
  }
  return NULL;
}

bool sp_interval_is_unit(sp_sv word) {
  return find_unit(word) != NULL;
}

/* number × unit, added to *iv. Only clock units have fractions, and these must come out as whole
 * microseconds. */
static bool add_part(sp_sv number, const struct unit *u, sp_interval *iv) {
  sp_i128 scaled;
  if (!sp_parse_decimal(number, 30, 9, false, &scaled)) {
    return false;
  }
  const sp_i128 one = 1000000000;
  sp_i128 total;
  if (__builtin_mul_overflow(scaled, (sp_i128)u->factor, &total) || total % one != 0 ||
      (u->part != PART_US && scaled % one != 0)) {
    return false;
  }
  total /= one;
  if (u->part == PART_US) {
    total += iv->us;
    iv->us = (int64_t)total;
    return total <= INT64_MAX && total >= INT64_MIN;
  }
  int32_t *to = u->part == PART_MONTHS ? &iv->months : &iv->days;
  total += *to;
  *to = (int32_t)total;
  return total <= INT32_MAX && total >= INT32_MIN;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static sp_sv trim(sp_sv s) {
  while (s.n > 0 && is_space(s.p[0])) {
    s = (sp_sv){s.p + 1, s.n - 1};
  }
  while (s.n > 0 && is_space(s.p[s.n - 1])) {
    s.n--;
  }
  return s;
}

bool sp_interval_parse(sp_sv text, sp_sv unit, sp_interval *ret) {
  sp_interval iv = {0};
  text = trim(text);
  if (unit.n > 0) {
    const struct unit *u = find_unit(unit);
    if (u == NULL || !add_part(text, u, &iv)) {
      return false;
    }
    *ret = iv;
    return true;
  }
  if (text.n == 0) {
    return false;
  }
  while (text.n > 0) {
    size_t n = 0;
    while (n < text.n && !is_space(text.p[n]) && !is_letter(text.p[n])) {
      n++;
    }
    const sp_sv number = {text.p, n};
    text = trim((sp_sv){text.p + n, text.n - n});
    for (n = 0; n < text.n && is_letter(text.p[n]); n++) {
    }
    const struct unit *u = find_unit((sp_sv){text.p, n});
    if (u == NULL || !add_part(number, u, &iv)) {
      return false;
    }
    text = trim((sp_sv){text.p + n, text.n - n});
  }
  *ret = iv;
  return true;
}
