/* + - * over dates, datetimes, durations and intervals.
 *
 *   date ± interval      date, or datetime(us) when the interval has a time of day
 *   datetime ± interval  datetime; months clamp the day to the month's last, days are 24 hours (datetimes are
 * UTC) date ± integer       date, in days              date - date            int64, days date|datetime ±
 * duration  datetime              datetime - datetime    duration duration ± duration  duration duration *
 * integer     duration Units become the finer one. Durations wrap like integers; a date that leaves the years
 * 1 to 9999 and a datetime that leaves int64 through an interval are errors.
 *
 * Example: date '1996-01-31' + interval '1' month is 1996-02-29. */
#include "expr/arith.h"

#include "data/text.h"

#define DAY_MIN (-719162) /* 0001-01-01 */
#define DAY_MAX 2932896   /* 9999-12-31 */
#define US_PER_DAY INT64_C(86400000000)

static bool is_point(const sp_type *t) {
  return t->kind == SP_KIND_DATE || t->kind == SP_KIND_DATETIME;
}

static const sp_type *unit_of(const sp_type *like, sp_unit u) {
  return like->kind == SP_KIND_DURATION ? sp_type_duration(u) : sp_type_datetime(u, like->zone);
}

static sp_unit finer(sp_unit a, sp_unit b) {
  return a > b ? a : b;
}

/* ---- bind ---- */
/* Point i beside interval 1 - i. */
static sp_status bind_interval(const sp_arith_call *c, uint32_t i, sp_binding *ret, sp_error *err) {
  const sp_type *t = c->args[i]->type;
  const sp_expr *e = c->args[1 - i];
  const int64_t us = e->kind == SP_EXPR_LITERAL && !e->literal.is_null ? e->literal.iv.us : 0;
  ret->args[1 - i] = sp_type_of(SP_KIND_INTERVAL);
  if (t->kind == SP_KIND_DATE && us != 0) {
    t = sp_type_datetime(SP_UNIT_US, NULL);
  } else if (t->kind == SP_KIND_DATETIME && t->unit == SP_UNIT_MS && us % 1000 != 0) {
    t = unit_of(t, SP_UNIT_US);
  }
  SP_TRY_ALLOC(err, t);
  ret->args[i] = ret->result = t;
  return SP_OK;
}

static sp_status bind_duration(const sp_arith_call *c, uint32_t i, sp_binding *ret, sp_error *err) {
  const sp_type *t = c->args[i]->type, *d = c->args[1 - i]->type;
  const sp_unit u = finer(t->unit, d->unit);
  ret->args[1 - i] = sp_type_duration(u);
  ret->args[i] = t->kind == SP_KIND_DATE ? sp_type_datetime(u, NULL) : unit_of(t, u);
  SP_TRY_ALLOC(err, ret->args[i]);
  ret->result = ret->args[i];
  return SP_OK;
}

/* Two points: only their difference. */
static sp_status bind_points(const sp_arith_call *c, sp_binding *ret, sp_error *err) {
  const sp_type *a = c->args[0]->type, *b = c->args[1]->type;
  const sp_type *common = sp_type_common(a, b);
  if (c->op != SP_SUB || common == NULL) {
    return sp_bind_none(c->f, c->args, 2, c->loc, err);
  }
  ret->args[0] = ret->args[1] = common;
  ret->result = common->kind == SP_KIND_DATE ? sp_int64_type() : sp_type_duration(common->unit);
  return SP_OK;
}

/* A null beside a point stands for an interval, beside a duration for another. */
static sp_status bind_null(const sp_arith_call *c, uint32_t i, sp_binding *ret, sp_error *err) {
  const sp_type *t = c->args[i]->type;
  ret->args[1 - i] = is_point(t) ? sp_type_of(SP_KIND_INTERVAL) : c->op == SP_MUL ? sp_int64_type() : t;
  ret->result = t;
  return c->op == SP_MUL && is_point(t) ? sp_bind_none(c->f, c->args, 2, c->loc, err) : SP_OK;
}

sp_status sp_temporal_bind(const sp_arith_call *c, sp_binding *ret, sp_error *err) {
  const sp_type *a = c->args[0]->type, *b = c->args[1]->type;
  /* The side that the result's type comes from; the other may stand first only in a sum or product. */
  const uint32_t i = is_point(a) || (a->kind == SP_KIND_DURATION && !is_point(b)) ? 0 : 1;
  const sp_type *t = c->args[i]->type, *o = c->args[1 - i]->type;
  const bool adds = c->op == SP_ADD || (c->op == SP_SUB && i == 0);
  if (o->kind == SP_KIND_NULL && (adds || c->op == SP_MUL)) {
    return bind_null(c, i, ret, err);
  }
  if (is_point(t) && is_point(o)) {
    return bind_points(c, ret, err);
  }
  if (is_point(t) && adds && o->kind == SP_KIND_INTERVAL) {
    return bind_interval(c, i, ret, err);
  }
  if ((is_point(t) || t->kind == SP_KIND_DURATION) && adds && o->kind == SP_KIND_DURATION) {
    return bind_duration(c, i, ret, err);
  }
  if (t->kind == SP_KIND_DATE && adds && sp_type_is_int(o)) {
    ret->args[1 - i] = sp_int64_type();
    ret->result = t;
    return SP_OK;
  }
  if (t->kind == SP_KIND_DURATION && c->op == SP_MUL && sp_type_is_int(o)) {
    ret->args[1 - i] = sp_int64_type();
    ret->result = t;
    return SP_OK;
  }
  return sp_bind_none(c->f, c->args, 2, c->loc, err);
}

bool sp_temporal_can_fail(const sp_expr *call) {
  const sp_type *a = call->args[0]->type, *b = call->args[1]->type;
  return a->kind == SP_KIND_INTERVAL || b->kind == SP_KIND_INTERVAL ||
         (call->type->kind == SP_KIND_DATE && (sp_type_is_int(a) || sp_type_is_int(b)));
}

/* ---- kernels ---- */
SP_BINARY_LOOP(sub_days, int32_t, int32_t, int64_t, (int64_t)x - y)

typedef struct plan {
  bool subtract;
  uint32_t point; /* which argument is the date or datetime */
} plan;

static sp_interval negated(sp_interval v) {
  return (sp_interval){.months = (int32_t)(0 - (uint32_t)v.months),
                       .days = (int32_t)(0 - (uint32_t)v.days),
                       .us = (int64_t)(0 - (uint64_t)v.us)};
}

static bool shift_day(int64_t day, const sp_interval *by, int64_t *ret) {
  if (by->months != 0) {
    int32_t moved;
    if (day < DAY_MIN || day > DAY_MAX || !sp_days_add_months((int32_t)day, by->months, &moved)) {
      return false;
    }
    day = moved;
  }
  day += by->days;
  *ret = day;
  return day >= DAY_MIN && day <= DAY_MAX;
}

static bool shift_time(int64_t v, sp_unit u, const sp_interval *by, int64_t *ret) {
  const int64_t per_second = sp_unit_per_second(u), per_day = per_second * 86400;
  int64_t day = v / per_day - (v % per_day < 0), rest = v - day * per_day;
  if ((by->months != 0 || by->days != 0) && !shift_day(day, by, &day)) {
    return false;
  }
  const sp_i128 clock = (sp_i128)by->us * per_second / 1000000;
  const sp_i128 t = (sp_i128)day * per_day + rest + clock;
  *ret = (int64_t)t;
  return t >= INT64_MIN && t <= INT64_MAX;
}

static sp_status out_of_range(const sp_eval *ev, const sp_type *t, int64_t v, const sp_kernel *k,
                              bool subtract) {
  char text[SP_TEXT_MAX];
  const uint32_t n = t->kind == SP_KIND_DATE ? sp_format_date((int32_t)v, text)
                                             : sp_format_datetime(v, t->unit, t->zone != NULL, text);
  SP_FAIL(ev->err, SP_EXEC, NULL, "%.*s %s an %s leaves the years 1 to 9999", (int)n, text,
          subtract ? "minus" : "plus",
          k->call->args[0]->type == t ? k->call->args[1]->type->name : k->call->args[0]->type->name);
}

static sp_status eval_shift(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                            sp_column **ret) {
  const plan *p = k->data;
  const sp_type *t = k->result;
  const bool days = args[1 - p->point]->type->kind != SP_KIND_INTERVAL; /* date ± integer */
  sp_input at = {0}, by = {0};
  sp_status st = sp_input_open(ev, args[p->point], &at);
  if (st == SP_OK) {
    st = sp_input_open(ev, args[1 - p->point], &by);
  }
  sp_column *out = st == SP_OK ? sp_out_rows(ev, t, args, n) : NULL;
  if (st == SP_OK && out == NULL) {
    st = sp_error_nomem(ev->err);
  }
  for (uint32_t i = 0; st == SP_OK && i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i), ra = at.is_const ? 0 : r, rb = by.is_const ? 0 : r;
    if (sp_out_validity(out)[r] == 0) {
      continue;
    }
    sp_interval iv = {0};
    bool fits = true;
    if (days) {
      const int64_t d = ((const int64_t *)by.data)[rb];
      fits = d >= -4 * DAY_MAX && d <= 4 * DAY_MAX;
      iv.days = fits ? (int32_t)d : 0;
    } else {
      iv = ((const sp_interval *)by.data)[rb];
    }
    iv = p->subtract ? negated(iv) : iv;
    const int64_t v =
        t->kind == SP_KIND_DATE ? ((const int32_t *)at.data)[ra] : ((const int64_t *)at.data)[ra];
    int64_t moved = 0;
    fits =
        fits && (t->kind == SP_KIND_DATE ? shift_day(v, &iv, &moved) : shift_time(v, t->unit, &iv, &moved));
    if (!fits) {
      st = out_of_range(ev, t, v, k, p->subtract);
    } else {
      memcpy((uint8_t *)sp_out_data(out) + (size_t)r * t->width, &moved, t->width);
    }
  }
  sp_input_close(&at);
  sp_input_close(&by);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}

sp_status sp_temporal_prepare(sp_arith op, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err) {
  const sp_type *ta = call->args[0]->type, *tb = call->args[1]->type;
  if (sp_temporal_can_fail(call)) {
    plan *p = sp_arena_copy(a, &(plan){.subtract = op == SP_SUB, .point = is_point(ta) ? 0 : 1}, sizeof *p);
    SP_TRY_ALLOC(err, p);
    ret->data = p;
    ret->eval = eval_shift;
    return SP_OK;
  }
  if (ta->kind == SP_KIND_DATE && tb->kind == SP_KIND_DATE) {
    return sp_kernel_binary(ret, a, sub_days, err);
  }
  return sp_kernel_binary(ret, a, sp_number_loop(op, sp_int64_type()), err);
}
