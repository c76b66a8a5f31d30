/* Which casts there are and which of them always work. One place, beside sp_value_cast (data/cast.c), which
 * says what they do.
 *
 * Example: int32 → int64 is total; int64 → int32 exists and may fail; date → bool does not exist. */
#include "expr/coerce.h"
#include "expr/make.h"

static bool is_point(const sp_type *t) {
  return t->kind == SP_KIND_DATE || t->kind == SP_KIND_DATETIME;
}

static bool is_number(const sp_type *t) {
  return sp_type_is_numeric(t) || t->family == SP_FAMILY_BOOL;
}

static bool temporal_cast_exists(const sp_type *from, const sp_type *to) {
  if (is_point(from) && is_point(to)) {
    return true;
  }
  if (to->kind == SP_KIND_TIME) {
    return from->kind == SP_KIND_DATETIME;
  }
  return to->kind == SP_KIND_DURATION && (from->kind == SP_KIND_DURATION || from->kind == SP_KIND_TIME);
}

bool sp_cast_exists(const sp_type *from, const sp_type *to) {
  if (from == to || from->kind == SP_KIND_NULL) {
    return true;
  }
  if (to->kind == SP_KIND_NULL || from->kind == SP_KIND_INTERVAL || to->kind == SP_KIND_INTERVAL) {
    return false;
  }
  if (sp_type_is_bytes(to)) {
    return to->kind == SP_KIND_STRING || from->kind == SP_KIND_STRING;
  }
  if (sp_type_is_bytes(from)) {
    return from->kind == SP_KIND_STRING;
  }
  if (from->family == SP_FAMILY_TEMPORAL && to->family == SP_FAMILY_TEMPORAL) {
    return temporal_cast_exists(from, to);
  }
  if (from->family == SP_FAMILY_TEMPORAL || to->family == SP_FAMILY_TEMPORAL) {
    return sp_type_is_int(from) || sp_type_is_int(to);
  }
  return is_number(from) && is_number(to);
}

/* ---- total ---- */
/* Decimal digits that every value of an integer type fits in. */
static uint32_t digits_of(const sp_type *t) {
  static const uint8_t digits[] = {0, 3, 5, 0, 10, 0, 0, 0, 19};
  return t->family == SP_FAMILY_BOOL                        ? 1
         : t->width == 8 && t->family == SP_FAMILY_UNSIGNED ? 20
                                                            : digits[t->width];
}

static bool int_is_total(const sp_type *from, const sp_type *to) {
  if (to->family == SP_FAMILY_BOOL || sp_type_is_float(to)) {
    return true;
  }
  if (to->family == SP_FAMILY_DECIMAL) {
    return digits_of(from) <= (uint32_t)(to->precision - to->scale);
  }
  if (to->kind == SP_KIND_TIME) {
    return from->family == SP_FAMILY_UNSIGNED && from->width <= 4; /* some nanoseconds of a day */
  }
  if (from->family == SP_FAMILY_BOOL) {
    return true;
  }
  const bool from_signed = from->family == SP_FAMILY_SIGNED, to_signed = to->family != SP_FAMILY_UNSIGNED;
  return from_signed == to_signed ? from->width <= to->width : to_signed && from->width < to->width;
}

static bool decimal_is_total(const sp_type *from, const sp_type *to) {
  if (to->family == SP_FAMILY_BOOL || sp_type_is_float(to)) {
    return true;
  }
  /* Rounding away digits may carry into one more. */
  const uint32_t to_scale = to->family == SP_FAMILY_DECIMAL ? to->scale : 0;
  const uint32_t whole = (uint32_t)(from->precision - from->scale) + (to_scale < from->scale);
  if (to->family == SP_FAMILY_DECIMAL) {
    return whole <= (uint32_t)(to->precision - to->scale);
  }
  return to->family == SP_FAMILY_SIGNED && whole < digits_of(to);
}

static bool temporal_is_total(const sp_type *from, const sp_type *to) {
  if (to->family != SP_FAMILY_TEMPORAL) {
    const bool negative = from->kind != SP_KIND_TIME;
    return (to->family == SP_FAMILY_SIGNED || !negative) && from->width <= to->width;
  }
  if (from->kind == SP_KIND_DATE) {
    return to->unit == SP_UNIT_MS; /* every day number fits only milliseconds */
  }
  if (to->kind == SP_KIND_DATE) {
    return from->unit >= SP_UNIT_US;
  }
  return to->kind == SP_KIND_TIME || from->kind == SP_KIND_TIME || to->unit <= from->unit;
}

bool sp_cast_is_total(const sp_type *from, const sp_type *to) {
  if (!sp_cast_exists(from, to)) {
    return false;
  }
  if (from == to || from->kind == SP_KIND_NULL) {
    return true;
  }
  if (sp_type_is_bytes(to)) {
    return from->kind != SP_KIND_BINARY;
  }
  if (sp_type_is_bytes(from)) {
    return false;
  }
  if (sp_type_is_float(from)) {
    return sp_type_is_float(to) && to->width >= from->width;
  }
  if (from->family == SP_FAMILY_DECIMAL) {
    return decimal_is_total(from, to);
  }
  return from->family == SP_FAMILY_TEMPORAL ? temporal_is_total(from, to) : int_is_total(from, to);
}

bool sp_cast_is_fallible(const sp_expr *cast) {
  const sp_type *from = cast->args[0]->type;
  return !cast->try_cast && (from == NULL || !sp_cast_is_total(from, cast->cast_to));
}
