/* Text <-> number, date and decimal. CSV, casts, literals and JSON output share these; none uses a locale.
 * Parsers take a whole field (no surrounding space) and return false when it is not one; *ret is untouched
 * then. */
#ifndef SP_DATA_TEXT_H
#define SP_DATA_TEXT_H

#include "data/type.h"

bool sp_parse_bool(sp_sv s, bool *ret); /* true, false, any case */
bool sp_parse_i64(sp_sv s, int64_t *ret);
bool sp_parse_u64(sp_sv s, uint64_t *ret);
/* Decimal and scientific notation, "inf", "nan", "infinity" with sign and any case. Correctly rounded: digits
 * up to 2^53 with |exponent| <= 22 by one exact operation (Clinger 1990), else strtod on a bounded copy. */
bool sp_parse_f64(sp_sv s, double *ret);
/* Rounds half away from zero when the text has more digits than the scale and round is set, else refuses.
 * False on overflow of p digits. */
bool sp_parse_decimal(sp_sv s, uint32_t precision, uint32_t scale, bool round, sp_i128 *ret);
bool sp_parse_date(sp_sv s, int32_t *ret_days);           /* YYYY-MM-DD, year 0001..9999, validated */
bool sp_parse_time(sp_sv s, int64_t *ret_ns);             /* HH:MM[:SS[.fraction]] */
bool sp_parse_datetime(sp_sv s, sp_unit u, int64_t *ret); /* date, or date (T or space) time [Z or ±HH:MM] */
bool sp_parse_duration(sp_sv s, sp_unit u,
                       int64_t *ret); /* "1d 2h 3m 4.5s", "-5ms", or a bare number of units */
bool sp_parse_value(sp_sv s, const sp_type *t, void *slot); /* any type but interval, into a flat column's
                                                               slot; strings become views of s.p */

/* Formatters write at most SP_TEXT_MAX bytes without NUL and return how many. */
#define SP_TEXT_MAX 64
uint32_t sp_format_i64(int64_t v, char out[SP_TEXT_MAX]);
uint32_t sp_format_u64(uint64_t v, char out[SP_TEXT_MAX]);
uint32_t
sp_format_f64(double v,
              char out[SP_TEXT_MAX]); /* shortest that reads back, "1.0", "1e300", "NaN", "inf", "-inf" */
uint32_t sp_format_f32(float v, char out[SP_TEXT_MAX]);
uint32_t sp_format_decimal(sp_i128 v, uint32_t scale, char out[SP_TEXT_MAX]);
uint32_t sp_format_date(int32_t days, char out[SP_TEXT_MAX]);
uint32_t sp_format_time(int64_t ns, char out[SP_TEXT_MAX]);
uint32_t sp_format_datetime(int64_t v, sp_unit u, bool utc,
                            char out[SP_TEXT_MAX]);                       /* 2020-01-01T00:00:00[.fff][Z] */
uint32_t sp_format_duration(int64_t v, sp_unit u, char out[SP_TEXT_MAX]); /* "1d 2h 3m 4.5s" */
uint32_t sp_format_interval(sp_interval v, char out[SP_TEXT_MAX]);        /* "3mo 2d 4.5s" */

/* ---- civil calendar (Howard Hinnant, "chrono-compatible low-level date algorithms") ---- */
typedef struct sp_civil {
  int32_t year;
  uint32_t month, day; /* from 1 */
} sp_civil;
int32_t sp_days_from_civil(int32_t year, uint32_t month, uint32_t day);
sp_civil sp_civil_from_days(int32_t days);
/* Adds months; the day is clamped to the month's last. false when the year leaves 1..9999. */
bool sp_days_add_months(int32_t days, int32_t months, int32_t *ret);

/* ---- decimals ---- */
extern const sp_i128 sp_pow10[39]; /* sp_pow10[k] = 10^k, k <= 38 */
/* v * 10^(to - from), rounding half away from zero when to < from; false on overflow of 38 digits. */
bool sp_decimal_rescale(sp_i128 v, uint32_t from, uint32_t to, sp_i128 *ret);
bool sp_decimal_fits(sp_i128 v, uint32_t precision);
/* The decimal that the shortest text of v stands for (0.1 is 0.1), rounded half away from zero or, without
 * round, refused when digits are lost. False for NaN, infinities and overflow of p digits. */
bool sp_decimal_from_f64(double v, uint32_t precision, uint32_t scale, bool round, sp_i128 *ret);
double sp_decimal_to_f64(sp_i128 v, uint32_t scale); /* correctly rounded for |v| < 2^53, else within 1 ulp */

#endif
