/* CAST of one value: what every conversion in the project means.
 *
 * Values go by what they convert through: integers, bools and temporals by their number, decimals by number
 * and scale, floats, and text. A cast that cannot be represented is false, never a wrapped number. The exact
 * form also refuses to lose anything, which is how a literal takes the other side's type.
 *
 * Example: 2.5 -> int64 is 2, exactly it is refused; 0.05 -> decimal(15,2) is 0.05 in both. */
#include "data/value.h"

#include <math.h>

#include "data/text.h"

#define NS_PER_DAY INT64_C(86400000000000)

/* Integers, bools and temporals, as the number they are stored as. */
static bool has_number(const sp_type *t) {
  return sp_type_is_int(t) || t->family == SP_FAMILY_BOOL ||
         (t->family == SP_FAMILY_TEMPORAL && t->kind != SP_KIND_INTERVAL);
}

/* A number as a value of a type that has_number or is a decimal of scale 0. */
static bool from_number(sp_i128 x, const sp_type *to, bool exact, sp_value *ret) {
  sp_i128 lo, hi;
  if (to->family == SP_FAMILY_BOOL) {
    if (exact && x != 0 && x != 1) {
      return false;
    }
    *ret = sp_value_bool(x != 0);
    return true;
  }
  if (to->kind == SP_KIND_TIME) {
    lo = 0;
    hi = NS_PER_DAY - 1;
  } else if (to->family == SP_FAMILY_UNSIGNED) {
    lo = 0;
    hi = ((sp_i128)1 << (to->width * 8)) - 1;
  } else {
    hi = ((sp_i128)1 << (to->width * 8 - 1)) - 1;
    lo = -hi - 1;
  }
  if (x < lo || x > hi) {
    return false;
  }
  *ret = (sp_value){.type = to};
  if (to->family == SP_FAMILY_UNSIGNED) {
    ret->u = (uint64_t)x;
  } else {
    ret->i = (int64_t)x;
  }
  return true;
}

static bool to_decimal(sp_i128 x, uint32_t from_scale, const sp_type *to, bool exact, sp_value *ret) {
  sp_i128 scaled, back;
  if (!sp_decimal_rescale(x, from_scale, to->scale, &scaled) || !sp_decimal_fits(scaled, to->precision)) {
    return false;
  }
  if (exact && to->scale < from_scale &&
      (!sp_decimal_rescale(scaled, to->scale, from_scale, &back) || back != x)) {
    return false;
  }
  *ret = sp_value_decimal(to, scaled);
  return true;
}

/* A float of the type's width; a number that was finite must stay so. */
static bool to_float(double f, const sp_type *to, bool exact, sp_value *ret) {
  const sp_value v = sp_value_float(to, f);
  if ((isinf(v.f) && !isinf(f)) || (exact && v.f != f && !isnan(f))) {
    return false;
  }
  *ret = v;
  return true;
}

/* ---- by source ---- */
static bool cast_float(double f, const sp_type *to, bool exact, sp_value *ret) {
  if (sp_type_is_float(to)) {
    return to_float(f, to, exact, ret);
  }
  if (to->family == SP_FAMILY_DECIMAL) {
    sp_i128 d;
    if (!sp_decimal_from_f64(f, to->precision, to->scale, !exact, &d)) {
      return false;
    }
    *ret = sp_value_decimal(to, d);
    return true;
  }
  if (to->family == SP_FAMILY_BOOL) {
    if (isnan(f) || (exact && f != 0 && f != 1)) {
      return false;
    }
    *ret = sp_value_bool(f != 0);
    return true;
  }
  if (!sp_type_is_int(to) || !(fabs(f) < 0x1p65) || (exact && trunc(f) != f)) {
    return false;
  }
  return from_number((sp_i128)f, to, exact, ret);
}

static bool cast_decimal(const sp_value *v, const sp_type *to, bool exact, sp_value *ret) {
  const sp_i128 x = sp_value_i128(v);
  const uint32_t scale = v->type->scale;
  if (to->family == SP_FAMILY_DECIMAL) {
    return to_decimal(x, scale, to, exact, ret);
  }
  if (sp_type_is_float(to)) {
    sp_value f;
    sp_i128 back;
    if (!to_float(sp_decimal_to_f64(x, scale), to, false, &f) ||
        (exact && (!sp_decimal_from_f64(f.f, 38, scale, false, &back) || back != x))) {
      return false;
    }
    *ret = f;
    return true;
  }
  if (to->family == SP_FAMILY_BOOL) {
    return (!exact || x % sp_pow10[scale] == 0) &&
           from_number(exact ? x / sp_pow10[scale] : x, to, exact, ret);
  }
  sp_i128 whole;
  if (!sp_type_is_int(to) || !sp_decimal_rescale(x, scale, 0, &whole) ||
      (exact && whole * sp_pow10[scale] != x)) {
    return false;
  }
  return from_number(whole, to, exact, ret);
}

static sp_i128 floor_div(sp_i128 a, sp_i128 b) {
  return a / b - (a % b < 0);
}

/* Between points in time and between durations: by nanoseconds, which 128 bits hold for every unit. A point
 * falls to the unit's start, a duration loses its rest. */
static bool cast_temporal(const sp_value *v, const sp_type *to, bool exact, sp_value *ret) {
  const sp_type *from = v->type;
  const bool point = from->kind == SP_KIND_DATE || from->kind == SP_KIND_DATETIME;
  const bool to_point = to->kind == SP_KIND_DATE || to->kind == SP_KIND_DATETIME;
  const bool to_clock = to->kind == SP_KIND_TIME && (from->kind == SP_KIND_DATETIME || from == to);
  const bool length = from->kind == SP_KIND_DURATION || from->kind == SP_KIND_TIME;
  if (!(point && to_point) && !to_clock && !(length && to->kind == SP_KIND_DURATION)) {
    return false;
  }
  const sp_i128 second = 1000000000;
  const sp_i128 unit_in = from->kind == SP_KIND_DATE   ? NS_PER_DAY
                          : from->unit == SP_UNIT_NONE ? 1
                                                       : second / sp_unit_per_second(from->unit);
  const sp_i128 unit_out = to->kind == SP_KIND_DATE   ? NS_PER_DAY
                           : to->unit == SP_UNIT_NONE ? 1
                                                      : second / sp_unit_per_second(to->unit);
  sp_i128 ns = v->i * unit_in;
  if (to_clock) {
    const sp_i128 day = floor_div(ns, NS_PER_DAY);
    if (exact && day != 0) {
      return false;
    }
    ns -= day * NS_PER_DAY;
  }
  if (exact && ns % unit_out != 0) {
    return false;
  }
  return from_number(point ? floor_div(ns, unit_out) : ns / unit_out, to, exact, ret);
}

static bool cast_number(const sp_value *v, const sp_type *to, bool exact, sp_value *ret) {
  const sp_type *from = v->type;
  const sp_i128 x = sp_value_i128(v);
  if (from->family == SP_FAMILY_TEMPORAL && to->family == SP_FAMILY_TEMPORAL) {
    return cast_temporal(v, to, exact, ret);
  }
  if (from->family == SP_FAMILY_TEMPORAL || to->family == SP_FAMILY_TEMPORAL) {
    return (sp_type_is_int(from) || sp_type_is_int(to)) && from_number(x, to, exact, ret);
  }
  if (to->family == SP_FAMILY_DECIMAL) {
    return to_decimal(x, 0, to, exact, ret);
  }
  if (sp_type_is_float(to)) {
    /* One rounding: straight from the number to the type's width. */
    const double f = to->width == 4 ? (double)(float)x : (double)x;
    return (!exact || (sp_i128)f == x) && to_float(f, to, false, ret);
  }
  return has_number(to) && from_number(x, to, exact, ret);
}

static bool cast_text(const sp_value *v, const sp_type *to, bool exact, sp_value *ret) {
  if (to->kind == SP_KIND_INTERVAL || to->kind == SP_KIND_NULL || v->type->kind == SP_KIND_BINARY) {
    return false;
  }
  if (to->family == SP_FAMILY_DECIMAL && exact) {
    sp_i128 d;
    if (!sp_parse_decimal(v->s, to->precision, to->scale, false, &d)) {
      return false;
    }
    *ret = sp_value_decimal(to, d);
    return true;
  }
  uint8_t slot[16];
  if (!sp_parse_value(v->s, to, slot)) {
    return false;
  }
  *ret = sp_value_load(to, slot);
  return true;
}

static bool to_text(const sp_value *v, const sp_type *to, sp_arena *a, sp_value *ret) {
  if (sp_type_is_bytes(v->type)) {
    if (to->kind == SP_KIND_STRING && v->type->kind == SP_KIND_BINARY && !sp_utf8_valid(v->s.p, v->s.n)) {
      return false;
    }
    *ret = (sp_value){.type = to, .s = v->s};
    return true;
  }
  if (to->kind == SP_KIND_BINARY) {
    return false;
  }
  sp_str text;
  sp_str_init(&text, a->mem, 4 * SP_TEXT_MAX);
  sp_value_text(v, &text);
  const char *copy = sp_str_ok(&text) ? sp_arena_strndup(a, text.p, text.n) : NULL;
  const size_t n = text.n;
  sp_str_release(&text);
  if (copy == NULL) {
    return false;
  }
  *ret = (sp_value){.type = to, .s = {copy, n}};
  return true;
}

static bool cast(const sp_value *v, const sp_type *to, sp_arena *a, bool exact, sp_value *ret) {
  if (v->is_null || v->type == to) {
    const sp_value same = *v;
    *ret = v->is_null ? sp_value_null(to) : same;
    return true;
  }
  if (sp_type_is_bytes(to)) {
    return to_text(v, to, a, ret);
  }
  if (sp_type_is_bytes(v->type)) {
    return cast_text(v, to, exact, ret);
  }
  if (sp_type_is_float(v->type)) {
    return cast_float(v->f, to, exact, ret);
  }
  if (v->type->family == SP_FAMILY_DECIMAL) {
    return cast_decimal(v, to, exact, ret);
  }
  return has_number(v->type) && cast_number(v, to, exact, ret);
}

bool sp_value_cast(const sp_value *v, const sp_type *to, sp_arena *a, sp_value *ret) {
  return cast(v, to, a, false, ret);
}

bool sp_value_cast_exact(const sp_value *v, const sp_type *to, sp_arena *a, sp_value *ret) {
  return cast(v, to, a, true, ret);
}
