/* One field of text into one slot of a flat column, for any type.
 *
 * Example: sp_parse_value(SP_SV("300"), uint8, slot) is false: 300 is no uint8. */
#include "data/text.h"

static bool parse_signed(sp_sv s, const sp_type *t, void *slot) {
  int64_t v;
  if (!sp_parse_i64(s, &v)) {
    return false;
  }
  const uint32_t unused = 64 - t->width * 8;
  if ((int64_t)((uint64_t)v << unused) >> unused != v) {
    return false;
  }
  memcpy(slot, &v, t->width); /* little-endian */
  return true;
}

static bool parse_unsigned(sp_sv s, const sp_type *t, void *slot) {
  uint64_t v;
  if (!sp_parse_u64(s, &v) || (t->width < 8 && v >> (t->width * 8) != 0)) {
    return false;
  }
  memcpy(slot, &v, t->width);
  return true;
}

static bool parse_float(sp_sv s, const sp_type *t, void *slot) {
  double v;
  if (!sp_parse_f64(s, &v)) {
    return false;
  }
  if (t->width == 4) {
    const float f = (float)v;
    memcpy(slot, &f, sizeof f);
  } else {
    memcpy(slot, &v, sizeof v);
  }
  return true;
}

static bool parse_decimal(sp_sv s, const sp_type *t, void *slot) {
  sp_i128 v;
  if (!sp_parse_decimal(s, t->precision, t->scale, true, &v)) {
    return false;
  }
  memcpy(slot, &v, t->width);
  return true;
}

static bool parse_temporal(sp_sv s, const sp_type *t, void *slot) {
  int64_t v;
  int32_t days;
  bool ok;
  if (t->kind == SP_KIND_DATE) {
    ok = sp_parse_date(s, &days);
    v = ok ? days : 0;
  } else if (t->kind == SP_KIND_DATETIME) {
    ok = sp_parse_datetime(s, t->unit, &v);
  } else if (t->kind == SP_KIND_TIME) {
    ok = sp_parse_time(s, &v);
  } else {
    ok = t->kind == SP_KIND_DURATION && sp_parse_duration(s, t->unit, &v);
  }
  if (ok) {
    memcpy(slot, &v, t->width);
  }
  return ok;
}

bool sp_parse_value(sp_sv s, const sp_type *t, void *slot) {
  switch (t->family) {
  case SP_FAMILY_NULL:
    return s.n == 0;
  case SP_FAMILY_BOOL: {
    bool b;
    if (!sp_parse_bool(s, &b)) {
      return false;
    }
    *(uint8_t *)slot = b;
    return true;
  }
  case SP_FAMILY_SIGNED:
    return parse_signed(s, t, slot);
  case SP_FAMILY_UNSIGNED:
    return parse_unsigned(s, t, slot);
  case SP_FAMILY_FLOAT:
    return parse_float(s, t, slot);
  case SP_FAMILY_DECIMAL:
    return parse_decimal(s, t, slot);
  case SP_FAMILY_STRING:
  case SP_FAMILY_BINARY: {
    if (s.n > UINT32_MAX) {
      return false;
    }
    const sp_view v = sp_view_make(s.p, (uint32_t)s.n);
    memcpy(slot, &v, sizeof v);
    return true;
  }
  case SP_FAMILY_TEMPORAL:
    return parse_temporal(s, t, slot);
  }
  return false;
}
