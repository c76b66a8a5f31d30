/* Literals: what makes two equal, and their canonical text.
 *
 * Binding converts `delay > 15` to an int16 15 beside an int16 column, and pictures should still show 15. So
 * a number prints bare where a neighbour implies its type (the printer knows) and reads back as an unbound
 * int64; equality takes an unbound number for equal to a bound one that stands for the same digits, while two
 * bound ones must agree in type, too. Where nothing implies it the type is written: int16 '15', decimal(15,2)
 * '0.05'.
 *
 * Example: decimal(15,2) 1.00 is 1 when bare, decimal(15,2) '1.00' alone; both hash as "1". */
#include "expr/literal.h"

#include <math.h>

#include "data/text.h"

/* ---- numbers as digits ---- */
/* 1, 1.0 and 1.00 are "1": no zeros behind the point, no point behind nothing. */
static uint32_t plain_digits(const sp_value *v, char out[SP_TEXT_MAX]) {
  uint32_t n;
  if (v->type->family == SP_FAMILY_SIGNED) {
    return sp_format_i64(v->i, out);
  }
  if (v->type->family == SP_FAMILY_UNSIGNED) {
    return sp_format_u64(v->u, out);
  }
  if (sp_type_is_float(v->type)) {
    n = sp_format_f64(v->f, out);
    return n > 2 && memcmp(out + n - 2, ".0", 2) == 0 ? n - 2 : n;
  }
  n = sp_format_decimal(sp_value_i128(v), v->type->scale, out);
  if (v->type->scale > 0) {
    while (out[n - 1] == '0') {
      n--;
    }
    n -= out[n - 1] == '.';
  }
  return n;
}

uint64_t sp_literal_hash(const sp_value *v) {
  if (v->is_null) {
    return 11;
  }
  if (sp_type_is_numeric(v->type)) {
    char text[SP_TEXT_MAX];
    const uint32_t n = plain_digits(v, text);
    return sp_hash_bytes(text, n, 1);
  }
  if (sp_type_is_bytes(v->type)) {
    return sp_hash_bytes(v->s.p, v->s.n, (uint64_t)v->type->kind);
  }
  if (v->type->kind == SP_KIND_INTERVAL) {
    const uint64_t parts = (uint64_t)(uint32_t)v->iv.months << 32 | (uint32_t)v->iv.days;
    return sp_hash_combine(sp_hash_u64(parts), (uint64_t)v->iv.us);
  }
  return sp_hash_combine((uint64_t)v->type->kind,
                         v->type->family == SP_FAMILY_BOOL ? (uint64_t)v->b : (uint64_t)v->i);
}

/* Bit for bit where a value's order would call different things equal: zeros with a sign, intervals. */
static bool same_value(const sp_value *x, const sp_value *y) {
  if (x->is_null || y->is_null) {
    return x->is_null == y->is_null;
  }
  if (sp_type_is_float(x->type)) {
    return isnan(x->f) || isnan(y->f) ? isnan(x->f) && isnan(y->f) : memcmp(&x->f, &y->f, sizeof x->f) == 0;
  }
  return sp_value_eq(x, y);
}

static bool same_digits(const sp_value *x, const sp_value *y) {
  if (x->is_null || y->is_null || !sp_type_is_numeric(x->type) || !sp_type_is_numeric(y->type)) {
    return false;
  }
  char tx[SP_TEXT_MAX], ty[SP_TEXT_MAX];
  const uint32_t nx = plain_digits(x, tx), ny = plain_digits(y, ty);
  return nx == ny && memcmp(tx, ty, nx) == 0;
}

bool sp_literal_eq(const sp_expr *x, const sp_expr *y) {
  if (x->literal.type == y->literal.type) {
    return same_value(&x->literal, &y->literal);
  }
  if ((x->type == NULL) == (y->type == NULL)) {
    return false;
  }
  const sp_value *written = x->type == NULL ? &x->literal : &y->literal;
  const sp_value *bound = x->type == NULL ? &y->literal : &x->literal;
  if (written->type->kind == SP_KIND_NULL) {
    return bound->is_null;
  }
  return sp_literal_is_natural(written) && same_digits(written, bound);
}

bool sp_literal_is_natural(const sp_value *v) {
  switch (v->type->kind) {
  case SP_KIND_INT64:
  case SP_KIND_FLOAT64:
    return !v->is_null;
  case SP_KIND_UINT64:
    return !v->is_null && v->u > INT64_MAX;
  case SP_KIND_NULL:
    return true;
  case SP_KIND_INT8:
  case SP_KIND_INT16:
  case SP_KIND_INT32:
  case SP_KIND_UINT8:
  case SP_KIND_UINT16:
  case SP_KIND_UINT32:
  case SP_KIND_FLOAT32:
  case SP_KIND_DECIMAL:
    return false;
  case SP_KIND_BOOL:
  case SP_KIND_STRING:
  case SP_KIND_BINARY:
  case SP_KIND_DATE:
  case SP_KIND_DATETIME:
  case SP_KIND_TIME:
  case SP_KIND_DURATION:
  case SP_KIND_INTERVAL:
    return !v->is_null;
  case SP_KIND_COUNT:
    break;
  }
  return false;
}

/* ---- text ---- */
static void print_quoted(sp_sv s, sp_str *out) {
  sp_str_addc(out, '\'');
  for (size_t from = 0; from < s.n;) {
    const char *quote = memchr(s.p + from, '\'', s.n - from);
    const size_t end = quote != NULL ? (size_t)(quote - s.p) + 1 : s.n;
    sp_str_addn(out, s.p + from, end - from);
    if (quote != NULL) {
      sp_str_addc(out, '\'');
    }
    from = end;
  }
  sp_str_addc(out, '\'');
}

static void print_hex(sp_sv s, sp_str *out) {
  sp_str_add(out, "x'");
  for (size_t i = 0; i < s.n && sp_str_ok(out); i++) {
    sp_str_addc(out, "0123456789abcdef"[(unsigned char)s.p[i] >> 4]);
    sp_str_addc(out, "0123456789abcdef"[(unsigned char)s.p[i] & 15]);
  }
  sp_str_addc(out, '\'');
}

static void print_part(int64_t v, const char *unit, bool *first, sp_str *out) {
  sp_str_addf(out, "%s%lld %s%s", *first ? "" : " ", (long long)v, unit, v == 1 ? "" : "s");
  *first = false;
}

static uint32_t seconds_text(int64_t us, char text[SP_TEXT_MAX]) {
  uint32_t n = sp_format_decimal(us, 6, text);
  while (text[n - 1] == '0') {
    n--;
  }
  return n - (text[n - 1] == '.');
}

/* One part: interval '3' month; several: interval '3 months 2 days'. */
static void print_interval(sp_interval iv, sp_str *out) {
  const bool years = iv.months != 0 && iv.months % 12 == 0;
  const int32_t months = years ? iv.months / 12 : iv.months;
  const char *month_unit = years ? "year" : "month";
  char seconds[SP_TEXT_MAX];
  const uint32_t n = seconds_text(iv.us, seconds);
  const uint32_t parts = (iv.months != 0) + (iv.days != 0) + (iv.us != 0);
  sp_str_add(out, "interval '");
  if (parts <= 1) {
    if (iv.us != 0) {
      sp_str_addn(out, seconds, n);
    } else {
      sp_str_addf(out, "%d", iv.months != 0 ? months : iv.days);
    }
    sp_str_addf(out, "' %s", iv.us != 0 ? "second" : iv.months != 0 ? month_unit : "day");
    return;
  }
  bool first = true;
  if (iv.months != 0) {
    print_part(months, month_unit, &first, out);
  }
  if (iv.days != 0) {
    print_part(iv.days, "day", &first, out);
  }
  if (iv.us != 0) {
    sp_str_addc(out, ' ');
    sp_str_addn(out, seconds, n);
    sp_str_add(out, " seconds");
  }
  sp_str_addc(out, '\'');
}

/* TYPE 'text'; values that have no such text (a date past year 9999) as a cast of their number. */
static void print_typed(const sp_value *v, sp_str *out) {
  const sp_type *t = v->type;
  sp_str text;
  sp_str_init(&text, out->mem, 4 * SP_TEXT_MAX);
  sp_value_text(v, &text);
  sp_value back;
  if (!sp_str_ok(&text)) {
    out->status = out->status == SP_OK ? text.status : out->status;
  } else if (t->family == SP_FAMILY_TEMPORAL &&
             (!sp_literal_of_text((sp_sv){text.p, text.n}, t, &back) || back.i != v->i)) {
    sp_str_addf(out, "CAST(%lld AS %s)", (long long)v->i, t->name);
  } else {
    sp_str_add(out, t == sp_type_of(SP_KIND_DATETIME) ? "datetime" : t->name);
    sp_str_addc(out, ' ');
    print_quoted((sp_sv){text.p, text.n}, out);
  }
  sp_str_release(&text);
}

/* A bare number is read as int64, uint64 or float64: are its digits the same after that? */
static bool reads_back(sp_sv digits) {
  int64_t i;
  uint64_t u;
  double f;
  if (sp_parse_i64(digits, &i) || sp_parse_u64(digits, &u)) {
    return true;
  }
  if (!sp_parse_f64(digits, &f) || !isfinite(f) || memchr(digits.p, '.', digits.n) == NULL) {
    return false;
  }
  char text[SP_TEXT_MAX];
  const uint32_t n = sp_format_f64(f, text);
  return n == digits.n && memcmp(text, digits.p, n) == 0;
}

static void print_number(const sp_value *v, bool bare, sp_str *out) {
  char text[SP_TEXT_MAX];
  uint32_t n = plain_digits(v, text);
  if (sp_type_is_float(v->type) && isfinite(v->f) && (bare || v->type->width == 8)) {
    n = sp_format_f64(v->f, text); /* with its ".0" */
    sp_str_addn(out, text, n);
  } else if (!sp_type_is_float(v->type) &&
             (sp_literal_is_natural(v) || (bare && reads_back((sp_sv){text, n})))) {
    sp_str_addn(out, text, n);
  } else {
    print_typed(v, out);
  }
}

void sp_literal_print(const sp_value *v, bool bare, sp_str *out) {
  if (v->is_null) {
    if (bare || v->type->kind == SP_KIND_NULL) {
      sp_str_add(out, "NULL");
    } else {
      sp_str_addf(out, "CAST(NULL AS %s)", v->type->name);
    }
    return;
  }
  switch (v->type->family) {
  case SP_FAMILY_NULL:
    sp_str_add(out, "NULL");
    return;
  case SP_FAMILY_BOOL:
    sp_str_add(out, v->b ? "TRUE" : "FALSE");
    return;
  case SP_FAMILY_SIGNED:
  case SP_FAMILY_UNSIGNED:
  case SP_FAMILY_FLOAT:
  case SP_FAMILY_DECIMAL:
    print_number(v, bare, out);
    return;
  case SP_FAMILY_STRING:
    print_quoted(v->s, out);
    return;
  case SP_FAMILY_BINARY:
    print_hex(v->s, out);
    return;
  case SP_FAMILY_TEMPORAL:
    if (v->type->kind == SP_KIND_INTERVAL) {
      print_interval(v->iv, out);
    } else {
      print_typed(v, out);
    }
    return;
  }
}

/* ---- reading ---- */
bool sp_literal_of_text(sp_sv text, const sp_type *t, sp_value *ret) {
  if (t->kind == SP_KIND_NULL) {
    return false;
  }
  if (t->kind == SP_KIND_INTERVAL) {
    sp_interval iv;
    if (!sp_interval_parse(text, (sp_sv){0}, &iv)) {
      return false;
    }
    *ret = (sp_value){.type = t, .iv = iv};
    return true;
  }
  if (sp_type_is_bytes(t)) {
    *ret = (sp_value){.type = t, .s = text};
    return true;
  }
  if (t->family == SP_FAMILY_DECIMAL) {
    sp_i128 d;
    if (!sp_parse_decimal(text, t->precision, t->scale, false, &d)) {
      return false;
    }
    *ret = sp_value_decimal(t, d);
    return true;
  }
  _Alignas(16) uint8_t slot[16];
  if (!sp_parse_value(text, t, slot)) {
    return false;
  }
  *ret = sp_value_load(t, slot);
  return true;
}

bool sp_literal_decimal(sp_sv s, sp_value *ret) {
  /* The smallest scale that loses nothing, then the smallest precision. */
  sp_i128 d = 0;
  uint32_t scale = 0;
  while (scale <= 38 && !sp_parse_decimal(s, 38, scale, false, &d)) {
    scale++;
  }
  if (scale > 38) {
    return false;
  }
  /* Zeros written behind the point count: 1.50 is decimal(3,2). */
  const char *point = memchr(s.p, '.', s.n);
  const size_t written = point != NULL ? s.n - (size_t)(point - s.p) - 1 : 0;
  const bool plain = memchr(s.p, 'e', s.n) == NULL && memchr(s.p, 'E', s.n) == NULL;
  if (plain && written > scale && written <= 38 && sp_parse_decimal(s, 38, (uint32_t)written, false, &d)) {
    scale = (uint32_t)written;
  }
  uint32_t precision = scale > 0 ? scale : 1;
  while (!sp_decimal_fits(d, precision)) {
    precision++;
  }
  *ret = sp_value_decimal(sp_type_decimal(precision, scale), d);
  return true;
}

bool sp_literal_decimal_of_f64(double f, sp_value *ret) {
  char text[SP_TEXT_MAX];
  return isfinite(f) && sp_literal_decimal((sp_sv){text, sp_format_f64(f, text)}, ret);
}
