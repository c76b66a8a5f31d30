/* Values as they stand in JSON, brought to a column's type without losing anything.
 *
 *   "2024-02-30" as date ✗    3 as float64 ⇒ 3.0    3.5 as int64 ✗    "12.50" as decimal(9,2) ⇒ 12.50    1.1
 * as decimal(9,2) ⇒ 1.10
 *
 * A number stands for what its digits say, so a decimal comes from the shortest text of the double and not
 * from its binary value. */
#include <math.h>
#include <stdio.h>

#include "data/text.h"
#include "plan/kinds.h"

/* From the value's text: dates, decimals, integers past 2^53, "NaN". */
static bool from_text(sp_sv text, const sp_type *t, sp_value *ret) {
  if (t->family == SP_FAMILY_DECIMAL) {
    sp_i128 d;
    if (!sp_parse_decimal(text, t->precision, t->scale, false, &d)) {
      return false;
    }
    *ret = sp_value_decimal(t, d);
    return true;
  }
  if (t->kind == SP_KIND_INTERVAL || t->kind == SP_KIND_BOOL || t->kind == SP_KIND_NULL) {
    return false;
  }
  _Alignas(16) uint8_t slot[16] = {0};
  if (!sp_parse_value(text, t, slot)) {
    return false;
  }
  *ret = sp_value_load(t, slot);
  return true;
}

static bool from_string(const sp_value *v, const sp_type *t, sp_arena *a, sp_value *ret, bool *ret_nomem) {
  if (!sp_type_is_bytes(t)) {
    return from_text(v->s, t, ret);
  }
  const char *copy = sp_arena_strndup(a, v->s.p, v->s.n);
  *ret_nomem = copy == NULL;
  *ret = *v;
  ret->type = t;
  ret->s.p = copy;
  return copy != NULL;
}

static bool from_number(const sp_value *v, const sp_type *t, sp_arena *a, sp_value *ret) {
  if (t->family == SP_FAMILY_DECIMAL) {
    char text[SP_TEXT_MAX];
    const uint32_t n = sp_type_is_float(v->type)               ? sp_format_f64(v->f, text)
                       : v->type->family == SP_FAMILY_UNSIGNED ? sp_format_u64(v->u, text)
                                                               : sp_format_i64(v->i, text);
    return from_text((sp_sv){text, n}, t, ret);
  }
  if (sp_type_is_float(t)) {
    return sp_value_cast(v, t, a, ret) && isfinite(ret->f); /* rounds, as reading a number does */
  }
  if (t->kind == SP_KIND_DURATION && sp_type_is_int(v->type)) {
    *ret = sp_value_int(t, v->i);
    return v->type->family == SP_FAMILY_SIGNED;
  }
  return sp_type_is_int(t) && sp_value_cast_exact(v, t, a, ret);
}

bool sp_values_convert(const sp_value *v, const sp_type *t, sp_arena *a, sp_value *ret, bool *ret_nomem) {
  if (v->is_null) {
    *ret = sp_value_null(t);
    return true;
  }
  if (v->type == t) {
    *ret = *v;
    return true;
  }
  if (v->type->kind == SP_KIND_STRING) {
    return from_string(v, t, a, ret, ret_nomem);
  }
  return v->type->kind != SP_KIND_BOOL && from_number(v, t, a, ret);
}

void sp_values_mismatch(const sp_value *v, const sp_type *t, char *out, size_t size) {
  if (v->type->kind == SP_KIND_STRING) {
    snprintf(out, size, "expected %s, got the string `%.*s`", t->name, (int)(v->s.n < 60 ? v->s.n : 60),
             v->s.p);
    return;
  }
  char text[SP_TEXT_MAX] = "";
  uint32_t n = 0;
  if (v->type->kind == SP_KIND_BOOL) {
    n = (uint32_t)snprintf(text, sizeof text, "%s", v->b ? "true" : "false");
  } else {
    n = sp_type_is_float(v->type)               ? sp_format_f64(v->f, text)
        : v->type->family == SP_FAMILY_UNSIGNED ? sp_format_u64(v->u, text)
                                                : sp_format_i64(v->i, text);
  }
  snprintf(out, size, "expected %s, got %.*s", t->name, (int)n, text);
}
