/* Single values: making, comparing, storing, printing. Casts are in cast.c.
 *
 * Example: sp_value_store of a decimal(15,2) 1.50 writes the int64 150; sp_value_load reads it back. */
#include "data/value.h"

#include <math.h>

#include "data/text.h"

sp_value sp_value_int(const sp_type *t, int64_t i) {
  sp_value v = {.type = t, .i = i};
  if (t->phys == SP_PHYS_I128) {
    v.d = i;
  }
  return v;
}

sp_value sp_value_float(const sp_type *t, double f) {
  return (sp_value){.type = t, .f = t->width == 4 ? (double)(float)f : f};
}

sp_value sp_value_bool(bool b) {
  return (sp_value){.type = sp_type_of(SP_KIND_BOOL), .b = b};
}

sp_value sp_value_str(sp_sv s) {
  return (sp_value){.type = sp_type_of(SP_KIND_STRING), .s = s};
}

sp_i128 sp_value_i128(const sp_value *v) {
  if (v->type->phys == SP_PHYS_I128) {
    return v->d;
  }
  if (v->type->family == SP_FAMILY_BOOL) {
    return v->b;
  }
  return v->type->family == SP_FAMILY_UNSIGNED ? (sp_i128)v->u : (sp_i128)v->i;
}

sp_value sp_value_decimal(const sp_type *t, sp_i128 unscaled) {
  sp_value v = {.type = t};
  if (t->phys == SP_PHYS_I128) {
    v.d = unscaled;
  } else {
    v.i = (int64_t)unscaled;
  }
  return v;
}

/* ---- order ---- */
static int cmp_float(double a, double b) {
  if (isnan(a) || isnan(b)) {
    return (isnan(a) != 0) - (isnan(b) != 0);
  }
  return (a > b) - (a < b);
}

/* Calendar parts do not convert into each other: this is an order by the usual lengths, then by the parts. */
static int cmp_interval(sp_interval a, sp_interval b) {
  const int64_t day_us = INT64_C(86400000000);
  const sp_i128 da = ((sp_i128)a.months * 30 + a.days) * day_us + a.us;
  const sp_i128 db = ((sp_i128)b.months * 30 + b.days) * day_us + b.us;
  if (da != db) {
    return da < db ? -1 : 1;
  }
  if (a.months != b.months) {
    return a.months < b.months ? -1 : 1;
  }
  return (a.days > b.days) - (a.days < b.days);
}

int sp_value_cmp(const sp_value *a, const sp_value *b) {
  if (a->is_null || b->is_null) {
    return (int)b->is_null - (int)a->is_null;
  }
  switch (a->type->phys) {
  case SP_PHYS_NONE:
    return 0;
  case SP_PHYS_F32:
  case SP_PHYS_F64:
    return cmp_float(a->f, b->f);
  case SP_PHYS_VIEW:
    return sp_sv_cmp(a->s, b->s);
  case SP_PHYS_INTERVAL:
    return cmp_interval(a->iv, b->iv);
  case SP_PHYS_I8:
  case SP_PHYS_I16:
  case SP_PHYS_I32:
  case SP_PHYS_I64:
  case SP_PHYS_U8:
  case SP_PHYS_U16:
  case SP_PHYS_U32:
  case SP_PHYS_U64:
  case SP_PHYS_I128: {
    const sp_i128 x = sp_value_i128(a), y = sp_value_i128(b);
    return (x > y) - (x < y);
  }
  }
  return 0;
}

bool sp_value_eq(const sp_value *a, const sp_value *b) {
  return a->type == b->type && a->is_null == b->is_null && (a->is_null || sp_value_cmp(a, b) == 0);
}

/* ---- slots ---- */
void sp_value_store(const sp_value *v, void *slot) {
  const uint32_t width = v->type->width;
  if (v->is_null) {
    memset(slot, 0, width);
    return;
  }
  switch (v->type->phys) {
  case SP_PHYS_NONE:
    break;
  case SP_PHYS_F32: {
    const float f = (float)v->f;
    memcpy(slot, &f, sizeof f);
    break;
  }
  case SP_PHYS_F64:
    memcpy(slot, &v->f, sizeof v->f);
    break;
  case SP_PHYS_VIEW: {
    const sp_view view = sp_view_make(v->s.p, (uint32_t)v->s.n);
    memcpy(slot, &view, sizeof view);
    break;
  }
  case SP_PHYS_INTERVAL:
    memcpy(slot, &v->iv, sizeof v->iv);
    break;
  case SP_PHYS_I8:
  case SP_PHYS_I16:
  case SP_PHYS_I32:
  case SP_PHYS_I64:
  case SP_PHYS_U8:
  case SP_PHYS_U16:
  case SP_PHYS_U32:
  case SP_PHYS_U64:
  case SP_PHYS_I128: {
    /* The low bytes come first, so that one copy serves every width. */
    const sp_i128 x = sp_value_i128(v);
    memcpy(slot, &x, width);
    break;
  }
  }
}

#define LOAD(T, member)                                                                                      \
  {                                                                                                          \
    T x;                                                                                                     \
    memcpy(&x, slot, sizeof x);                                                                              \
    v.member = x;                                                                                            \
    break;                                                                                                   \
  }

sp_value sp_value_load(const sp_type *t, const void *slot) {
  sp_value v = {.type = t};
  if (t->kind == SP_KIND_BOOL) {
    v.b = *(const uint8_t *)slot != 0;
    return v;
  }
  switch (t->phys) {
  case SP_PHYS_NONE:
    v.is_null = true;
    break;
  case SP_PHYS_I8:
    LOAD(int8_t, i)
  case SP_PHYS_I16:
    LOAD(int16_t, i)
  case SP_PHYS_I32:
    LOAD(int32_t, i)
  case SP_PHYS_I64:
    LOAD(int64_t, i)
  case SP_PHYS_U8:
    LOAD(uint8_t, u)
  case SP_PHYS_U16:
    LOAD(uint16_t, u)
  case SP_PHYS_U32:
    LOAD(uint32_t, u)
  case SP_PHYS_U64:
    LOAD(uint64_t, u)
  case SP_PHYS_F32:
    LOAD(float, f)
  case SP_PHYS_F64:
    LOAD(double, f)
  case SP_PHYS_I128:
    LOAD(sp_i128, d)
  case SP_PHYS_INTERVAL:
    LOAD(sp_interval, iv)
  case SP_PHYS_VIEW: {
    /* An inline string lies in the slot itself, which lives as long as the column. */
    v.s = sp_view_sv(slot);
    break;
  }
  }
  return v;
}
#undef LOAD

/* ---- text ---- */
static void add_binary(sp_sv s, sp_str *out) {
  if (sp_utf8_valid(s.p, s.n)) {
    sp_str_addn(out, s.p, s.n);
    return;
  }
  sp_str_add(out, "0x");
  for (size_t i = 0; i < s.n; i++) {
    sp_str_addc(out, "0123456789abcdef"[(unsigned char)s.p[i] >> 4]);
    sp_str_addc(out, "0123456789abcdef"[(unsigned char)s.p[i] & 15]);
  }
}

static uint32_t temporal_text(const sp_value *v, char out[SP_TEXT_MAX]) {
  switch ((uint32_t)v->type->kind) {
  case SP_KIND_DATE:
    return sp_format_date((int32_t)v->i, out);
  case SP_KIND_DATETIME:
    return sp_format_datetime(v->i, v->type->unit, v->type->zone != NULL, out);
  case SP_KIND_TIME:
    return sp_format_time(v->i, out);
  case SP_KIND_DURATION:
    return sp_format_duration(v->i, v->type->unit, out);
  default:
    return sp_format_interval(v->iv, out);
  }
}

void sp_value_text(const sp_value *v, sp_str *out) {
  char text[SP_TEXT_MAX];
  uint32_t n = 0;
  if (v->is_null) {
    return;
  }
  switch (v->type->family) {
  case SP_FAMILY_NULL:
    return;
  case SP_FAMILY_BOOL:
    sp_str_add(out, v->b ? "true" : "false");
    return;
  case SP_FAMILY_STRING:
    sp_str_addn(out, v->s.p, v->s.n);
    return;
  case SP_FAMILY_BINARY:
    add_binary(v->s, out);
    return;
  case SP_FAMILY_SIGNED:
    n = sp_format_i64(v->i, text);
    break;
  case SP_FAMILY_UNSIGNED:
    n = sp_format_u64(v->u, text);
    break;
  case SP_FAMILY_FLOAT:
    n = v->type->width == 4 ? sp_format_f32((float)v->f, text) : sp_format_f64(v->f, text);
    break;
  case SP_FAMILY_DECIMAL:
    n = sp_format_decimal(sp_value_i128(v), v->type->scale, text);
    break;
  case SP_FAMILY_TEMPORAL:
    n = temporal_text(v, text);
    break;
  }
  sp_str_addn(out, text, n);
}
