/* year quarter month week weekday day day_of_year hour minute second millisecond microsecond: parts of dates,
 * datetimes and times, as int64; date_trunc(unit, x): x at the start of its unit, of x's type.
 *
 * Weeks are those of ISO 8601: they start on Monday (weekday 1), and week 1 holds the year's first Thursday.
 * second, millisecond and microsecond count within their minute, second and second. Datetimes with a zone are
 * taken in UTC.
 *
 * The civil date comes from one multiplication by Neri and Schneider ("Euclidean affine functions", 2021),
 * which vectorises.
 *
 * Example: week(date '2021-01-03') is 53, weekday 7; date_trunc('month', date '1996-02-29') is 1996-02-01. */
#include "data/text.h"
#include "expr/kernel.h"

#define SECONDS_PER_DAY INT64_C(86400)

typedef struct civil {
  int32_t year;
  uint32_t month, day;
} civil;

/* Days of years -32,800 to 2,906,945; further ones wrap, as a table of days is no place to fail. */
static inline civil civil_of(int32_t days) {
  const uint32_t n = (uint32_t)days + 719468u + 146097u * 82u;
  const uint32_t n1 = 4 * n + 3, century = n1 / 146097;
  const uint32_t n2 = (n1 % 146097) | 3;
  const uint64_t p = UINT64_C(2939745) * n2;
  const uint32_t year = (uint32_t)(p >> 32), day_of_year = (uint32_t)p / 2939745 / 4;
  const uint32_t n3 = 2141 * day_of_year + 197913;
  const uint32_t month = n3 >> 16, late = day_of_year >= 306;
  return (civil){.year = (int32_t)(100 * century + year) - 400 * 82 + (int32_t)late,
                 .month = late != 0 ? month - 12 : month,
                 .day = (n3 & 0xffff) / 2141 + 1};
}

static inline int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}
static inline int64_t floor_mod(int64_t a, int64_t b) {
  return a - floor_div(a, b) * b;
}

/* ---- parts of a day number ---- */
static inline int64_t year_of(int32_t d) {
  return civil_of(d).year;
}
static inline int64_t month_of(int32_t d) {
  return civil_of(d).month;
}
static inline int64_t quarter_of(int32_t d) {
  return (civil_of(d).month + 2) / 3;
}
static inline int64_t day_of(int32_t d) {
  return civil_of(d).day;
}
static inline int64_t weekday_of(int32_t d) {
  return floor_mod((int64_t)d + 3, 7) + 1;
}
static inline int64_t day_of_year_of(int32_t d) {
  return (int64_t)d - sp_days_from_civil(civil_of(d).year, 1, 1) + 1;
}
static inline int64_t week_of(int32_t d) {
  const int64_t thursday = (int64_t)d - weekday_of(d) + 4;
  return (day_of_year_of((int32_t)thursday) - 1) / 7 + 1;
}

typedef enum part {
  PART_YEAR,
  PART_QUARTER,
  PART_MONTH,
  PART_WEEK,
  PART_WEEKDAY,
  PART_DAY,
  PART_DAY_OF_YEAR,
  PART_HOUR,
  PART_MINUTE,
  PART_SECOND,
  PART_MILLISECOND,
  PART_MICROSECOND
} part;

#define DAY_LOOP(name, of) SP_UNARY_LOOP(days_##name, int32_t, int64_t, of(x))
DAY_LOOP(year, year_of)
DAY_LOOP(quarter, quarter_of)
DAY_LOOP(month, month_of)
DAY_LOOP(week, week_of)
DAY_LOOP(weekday, weekday_of)
DAY_LOOP(day, day_of)
DAY_LOOP(day_of_year, day_of_year_of)
static const sp_unary_fn day_loops[] = {days_year,    days_quarter, days_month,      days_week,
                                        days_weekday, days_day,     days_day_of_year};

/* Units since 1970 or midnight to day numbers. */
SP_CLONES static void to_days(int32_t *restrict out, const int64_t *v, int64_t per_day, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    out[i] = (int32_t)floor_div(v[i], per_day);
  }
}

/* (v mod range) / unit */
SP_CLONES static void clock_part(int64_t *restrict out, const int64_t *v, int64_t range, int64_t unit,
                                 uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    out[i] = floor_mod(v[i], range) / unit;
  }
}

typedef struct plan {
  part part;
  int64_t per_second; /* 0: the argument is a date */
} plan;

static void run_clock(const plan *p, int64_t *out, const int64_t *v, uint32_t n) {
  const int64_t s = p->per_second;
  switch ((uint32_t)p->part) {
  case PART_HOUR:
    clock_part(out, v, SECONDS_PER_DAY * s, 3600 * s, n);
    break;
  case PART_MINUTE:
    clock_part(out, v, 3600 * s, 60 * s, n);
    break;
  case PART_SECOND:
    clock_part(out, v, 60 * s, s, n);
    break;
  case PART_MILLISECOND:
    clock_part(out, v, s, s / 1000, n);
    break;
  default: /* microseconds: milliseconds have only thousands of them */
    clock_part(out, v, s, s >= 1000000 ? s / 1000000 : 1, n);
    for (uint32_t i = 0; s < 1000000 && i < n; i++) {
      out[i] *= 1000000 / s;
    }
    break;
  }
}

static sp_status eval_part(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                           sp_column **ret) {
  const plan *p = k->data;
  sp_input in;
  SP_TRY(sp_input_open(ev, args[0], &in));
  const uint32_t n = in.is_const ? 1 : ev->length;
  sp_column *out = sp_out_strict(ev, k->result, args, n_args);
  sp_buf *days = NULL;
  sp_status st = out != NULL ? SP_OK : sp_error_nomem(ev->err);
  if (st == SP_OK && p->part >= PART_HOUR) {
    if (p->per_second == 0) {
      memset(sp_out_data(out), 0, (size_t)n * sizeof(int64_t));
    } else {
      run_clock(p, sp_out_data(out), in.data, n);
    }
  } else if (st == SP_OK && p->per_second == 0) {
    day_loops[p->part](sp_out_data(out), in.data, n);
  } else if (st == SP_OK) {
    days = sp_buf_new(ev->mk.pool, ev->mk.mem, (size_t)n * sizeof(int32_t));
    if (days == NULL) {
      st = sp_error_nomem(ev->err);
    } else {
      to_days((int32_t *)(void *)days->data, in.data, SECONDS_PER_DAY * p->per_second, n);
      day_loops[p->part](sp_out_data(out), days->data, n);
    }
  }
  for (uint32_t i = 1; st == SP_OK && in.is_const && i < ev->length; i++) {
    ((int64_t *)sp_out_data(out))[i] = ((int64_t *)sp_out_data(out))[0];
  }
  sp_buf_unref(days);
  sp_input_close(&in);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}

static int64_t per_second_of(const sp_type *t) {
  return t->kind == SP_KIND_DATE ? 0 : t->kind == SP_KIND_TIME ? 1000000000 : sp_unit_per_second(t->unit);
}

static sp_status prepare_part(part which, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err) {
  const plan p = {.part = which, .per_second = per_second_of(call->args[0]->type)};
  ret->data = sp_arena_copy(a, &p, sizeof p);
  SP_TRY_ALLOC(err, ret->data);
  ret->eval = eval_part;
  return SP_OK;
}

static sp_status bind_day(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                          sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  ret->result = sp_int64_type();
  return sp_bind_arg(f, args, 0, SP_TAKES_DATE | SP_TAKES_DATETIME, sp_type_of(SP_KIND_DATE), ret, loc, err);
}

static sp_status bind_clock(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                            sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  ret->result = sp_int64_type();
  return sp_bind_arg(f, args, 0, SP_TAKES_DATE | SP_TAKES_DATETIME | SP_TAKES_TIME,
                     sp_type_of(SP_KIND_DATETIME), ret, loc, err);
}

#define PART(NAME, WHICH, BIND, SUMMARY)                                                                     \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f;                                                                                                 \
    return prepare_part(WHICH, call, a, ret, err);                                                           \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT,                                             \
                                          .min_args = 1,                                                     \
                                          .max_args = 1,                                                     \
                                          .null_args = 1,                                                    \
                                          .bind = BIND,                                                      \
                                          .prepare = prepare_##NAME};
PART(year, PART_YEAR, bind_day, "year(d): the year")
PART(quarter, PART_QUARTER, bind_day, "quarter(d): 1 to 4")
PART(month, PART_MONTH, bind_day, "month(d): 1 to 12")
PART(week, PART_WEEK, bind_day, "week(d): ISO week, 1 to 53")
PART(weekday, PART_WEEKDAY, bind_day, "weekday(d): 1 for Monday to 7 for Sunday")
PART(day, PART_DAY, bind_day, "day(d): day of the month, from 1")
PART(day_of_year, PART_DAY_OF_YEAR, bind_day, "day_of_year(d): from 1")
PART(hour, PART_HOUR, bind_clock, "hour(t): 0 to 23")
PART(minute, PART_MINUTE, bind_clock, "minute(t): 0 to 59")
PART(second, PART_SECOND, bind_clock, "second(t): whole seconds of the minute, 0 to 59")
PART(millisecond, PART_MILLISECOND, bind_clock, "millisecond(t): whole milliseconds of the second, 0 to 999")
PART(microsecond, PART_MICROSECOND, bind_clock,
     "microsecond(t): whole microseconds of the second, 0 to 999,999")

/* ---- date_trunc ---- */
typedef struct trunc_plan {
  part to;
  int64_t per_second;
} trunc_plan;

static int64_t trunc_day(int64_t d, part to) {
  const int32_t day = (int32_t)d;
  const civil c = civil_of(day);
  switch ((uint32_t)to) {
  case PART_YEAR:
    return sp_days_from_civil(c.year, 1, 1);
  case PART_QUARTER:
    return sp_days_from_civil(c.year, (c.month - 1) / 3 * 3 + 1, 1);
  case PART_MONTH:
    return (int64_t)day - c.day + 1;
  case PART_WEEK:
    return (int64_t)day - weekday_of(day) + 1;
  default:
    return day;
  }
}

static int64_t trunc_time(int64_t v, const trunc_plan *p) {
  const int64_t s = p->per_second, per_day = SECONDS_PER_DAY * s;
  switch (p->to) {
  case PART_HOUR:
    return v - floor_mod(v, 3600 * s);
  case PART_MINUTE:
    return v - floor_mod(v, 60 * s);
  case PART_SECOND:
    return v - floor_mod(v, s);
  case PART_MILLISECOND:
    return v - floor_mod(v, s / 1000);
  case PART_MICROSECOND:
    return s > 1000000 ? v - floor_mod(v, s / 1000000) : v;
  case PART_YEAR:
  case PART_QUARTER:
  case PART_MONTH:
  case PART_WEEK:
  case PART_WEEKDAY:
  case PART_DAY:
  case PART_DAY_OF_YEAR:
    break;
  }
  return (int64_t)((uint64_t)trunc_day(floor_div(v, per_day), p->to) * (uint64_t)per_day);
}

static sp_status eval_trunc(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                            sp_column **ret) {
  const trunc_plan *p = k->data;
  (void)n;
  sp_input in;
  SP_TRY(sp_input_open(ev, args[1], &in));
  sp_column *out = sp_out_rows(ev, k->result, args + 1, 1);
  for (uint32_t i = 0; out != NULL && i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i), at = in.is_const ? 0 : r;
    if (p->per_second == 0) {
      ((int32_t *)sp_out_data(out))[r] = (int32_t)trunc_day(((const int32_t *)in.data)[at], p->to);
    } else {
      ((int64_t *)sp_out_data(out))[r] = trunc_time(((const int64_t *)in.data)[at], p);
    }
  }
  sp_input_close(&in);
  SP_TRY_ALLOC(ev->err, out);
  *ret = out;
  return SP_OK;
}

static bool find_unit(sp_sv name, part *ret) {
  static const struct {
    const char *name;
    part part;
  } units[] = {{"year", PART_YEAR},
               {"quarter", PART_QUARTER},
               {"month", PART_MONTH},
               {"week", PART_WEEK},
               {"day", PART_DAY},
               {"hour", PART_HOUR},
               {"minute", PART_MINUTE},
               {"second", PART_SECOND},
               {"millisecond", PART_MILLISECOND},
               {"microsecond", PART_MICROSECOND}};
  for (uint32_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (sp_sv_eq(name, sp_sv_from(units[i].name))) {
      *ret = units[i].part;
      return true;
    }
  }
  return false;
}

static sp_status bind_trunc(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                            sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  part unused;
  SP_TRY(sp_bind_literal(f, args, 0, loc, err));
  if (args[0]->literal.type->kind != SP_KIND_STRING || !find_unit(args[0]->literal.s, &unused)) {
    (void)sp_error_set(err, SP_TYPE, loc, "date_trunc: argument 1 must be the name of a unit");
    sp_error_hint(
        err, "units are year, quarter, month, week, day, hour, minute, second, millisecond, microsecond");
    return SP_TYPE;
  }
  SP_TRY(sp_bind_arg(f, args, 1, SP_TAKES_DATE | SP_TAKES_DATETIME, sp_type_of(SP_KIND_DATE), ret, loc, err));
  ret->result = ret->args[1];
  return SP_OK;
}

static sp_status prepare_trunc(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                               sp_error *err) {
  trunc_plan p = {.per_second = per_second_of(call->args[1]->type)};
  if (call->args[0]->kind != SP_EXPR_LITERAL || !find_unit(call->args[0]->literal.s, &p.to)) {
    SP_FAIL(err, SP_INTERNAL, NULL, "%s: the unit is no literal", f->name);
  }
  ret->data = sp_arena_copy(a, &p, sizeof p);
  SP_TRY_ALLOC(err, ret->data);
  ret->eval = eval_trunc;
  return SP_OK;
}

const sp_function sp_function_date_trunc = {
    .name = "date_trunc",
    .summary = "date_trunc('unit', d): d at the start of its year, quarter, month, week, day, hour, …",
    .flags = SP_FN_STRICT,
    .min_args = 2,
    .max_args = 2,
    .null_args = 3,
    .bind = bind_trunc,
    .prepare = prepare_trunc};
