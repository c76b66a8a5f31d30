/* Arguments brought to one type.
 *
 * The type is that of the arguments that are not literals; a literal follows it when nothing is lost, else it
 * widens the type: beside an int16 column 15 becomes int16, while 100,000 makes both int64 and 0.5 both
 * float64.
 *
 * Example: [delay int16, 15] gives int16 [delay, 15]; [d date, '1996-01-01'] gives [d, date '1996-01-01'];
 * [discount decimal(15,2), 0.055] gives decimal(16,3) [CAST(discount …), 0.055]. A constant such as 1 + 10
 * counts like the literal 11, but stays as written, in a CAST. */
#include "expr/coerce.h"

#include "data/text.h"
#include "expr/bind.h"
#include "expr/literal.h"
#include "expr/make.h"

void sp_expr_snippet(const sp_expr *e, sp_mem *mem, char out[SP_SNIPPET_SIZE]) {
  static const char cut[] = "…";
  sp_str text;
  sp_str_init(&text, mem, 4096);
  sp_expr_print(e, &text);
  size_t n = text.n;
  const bool whole = sp_str_ok(&text) && n < SP_SNIPPET_SIZE;
  if (!whole) {
    n = n < SP_SNIPPET_SIZE - sizeof cut ? n : SP_SNIPPET_SIZE - sizeof cut;
    while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80) {
      n--; /* not inside a character */
    }
  }
  memcpy(out, text.p, n);
  memcpy(out + n, whole ? "" : cut, whole ? 1 : sizeof cut);
  sp_str_release(&text);
}

static const sp_expr *with_value(sp_arena *a, const sp_expr *e, const sp_value *v) {
  const sp_expr *to = sp_expr_literal(a, v);
  if (to == NULL || e->len == 0) {
    return to;
  }
  sp_expr proto = *to;
  proto.pos = e->pos;
  proto.len = e->len;
  proto.shift = e->shift;
  return sp_expr_new(a, &proto, &to, NULL) == SP_OK ? to : NULL;
}

const sp_expr *sp_expr_coerce(sp_arena *a, const sp_expr *e, const sp_type *t) {
  sp_value v;
  if (e->type == t) {
    return e;
  }
  /* Text of a number is made by the run, where running out of memory is told from other failures. */
  if (e->kind == SP_EXPR_LITERAL &&
      (!sp_type_is_bytes(t) || e->literal.is_null || sp_type_is_bytes(e->type))) {
    /* To a float a number rounds as CAST would round it, so that nothing depends on when it is done. */
    const bool to_float = sp_type_is_float(t) && sp_type_is_numeric(e->literal.type);
    if (to_float ? sp_value_cast(&e->literal, t, a, &v) : sp_value_cast_exact(&e->literal, t, a, &v)) {
      return with_value(a, e, &v);
    }
  }
  return sp_expr_cast(a, e, t, false);
}

static bool is_text(const sp_expr *e) {
  return e->kind == SP_EXPR_LITERAL && !e->literal.is_null && e->literal.type->kind == SP_KIND_STRING;
}

/* Does the value become a t without loss? */
static bool follows(sp_arena *a, const sp_value *v, const sp_type *t) {
  sp_value to;
  if (v->type->kind == SP_KIND_STRING && t->family == SP_FAMILY_TEMPORAL) {
    return sp_literal_of_text(v->s, t, &to);
  }
  if (sp_type_common(v->type, t) == NULL) {
    return v->type->kind == SP_KIND_STRING && t->kind == SP_KIND_BINARY;
  }
  return v->is_null || sp_value_cast_exact(v, t, a, &to);
}

/* What the literal brings into a common type with t when it cannot follow it. */
static const sp_type *widened(const sp_expr *e, const sp_type *t) {
  sp_value v;
  const sp_type *own = e->literal.type;
  if (own->kind == SP_KIND_FLOAT64 && t->family == SP_FAMILY_DECIMAL &&
      sp_literal_decimal_of_f64(e->literal.f, &v)) {
    return sp_type_common(t, v.type);
  }
  if (is_text(e) && t->kind == SP_KIND_DATE &&
      sp_literal_of_text(e->literal.s, sp_type_of(SP_KIND_DATETIME), &v)) {
    return v.type;
  }
  return sp_type_common(t, own);
}

static sp_status no_common(sp_arena *a, const sp_expr *x, const sp_expr *y, const char *what,
                           const sp_loc *loc, sp_error *err) {
  char tx[SP_SNIPPET_SIZE], ty[SP_SNIPPET_SIZE];
  const sp_loc at = sp_expr_place_of(loc, y);
  sp_expr_snippet(x, a->mem, tx);
  sp_expr_snippet(y, a->mem, ty);
  if (is_text(y) && x->type->family == SP_FAMILY_TEMPORAL) {
    return sp_error_set(err, SP_TYPE, &at, "%s is not a valid %s, which `%s` with `%s` needs", ty,
                        x->type->name, what, tx);
  }
  sp_error_set(err, SP_TYPE, &at, "`%s` has no common type for `%s` (%s) and `%s` (%s)", what, tx,
               x->type->name, ty, y->type->name);
  sp_value v;
  const sp_expr *text = is_text(x) ? x : is_text(y) ? y : NULL;
  const sp_expr *other = text == x ? y : x;
  if (text != NULL && sp_literal_of_text(text->literal.s, other->type, &v)) {
    sp_error_hint(err, "write %.40s without quotes", text->literal.s.p);
  } else if (x->type->kind == SP_KIND_STRING && sp_cast_exists(x->type, y->type)) {
    sp_error_hint(err, "convert it: CAST(%s AS %s)", tx, y->type->name);
  } else if (y->type->kind == SP_KIND_STRING && sp_cast_exists(y->type, x->type)) {
    sp_error_hint(err, "convert it: CAST(%s AS %s)", ty, x->type->name);
  }
  return SP_TYPE;
}

/* 1 + 10: not a literal, but a value all the same. */
static bool is_constant(const sp_expr *e) {
  return e->kind != SP_EXPR_LITERAL && !sp_expr_has_column(e) && !sp_expr_has_aggregate(e) &&
         !sp_expr_is_volatile(e);
}

/* What is looked at in turn: what varies decides, then values with a type of their own, then text. */
static int turn_of(const sp_expr *e) {
  return is_text(e) ? 2 : e->kind == SP_EXPR_LITERAL || is_constant(e) ? 1 : 0;
}

/* Can e, whose turn it is, be brought to t without loss and without changing t? */
static sp_status try_follow(sp_arena *a, const sp_expr *e, const sp_type *t, bool *ret, sp_error *err) {
  sp_value v = e->literal;
  bool known = e->kind == SP_EXPR_LITERAL;
  if (is_constant(e)) {
    SP_TRY(sp_expr_fold(e, a, &known, &v, err));
    known = known && v.type->kind != SP_KIND_STRING; /* only a literal is read as a date */
  }
  *ret = known && t->kind != SP_KIND_NULL && follows(a, &v, t);
  return SP_OK;
}

static sp_status common_type(sp_arena *a, const sp_expr *const *args, uint32_t n, const char *what,
                             const sp_loc *loc, const sp_type **ret, sp_error *err) {
  const sp_type *t = sp_type_of(SP_KIND_NULL);
  const sp_expr *from = NULL; /* an argument that has the type so far, for messages */
  for (int turn = 0; turn <= 2; turn++) {
    for (uint32_t i = 0; i < n; i++) {
      const sp_expr *e = args[i];
      bool fits = e->type == t || e->type->kind == SP_KIND_NULL;
      if (turn_of(e) != turn || fits) {
        continue;
      }
      if (turn > 0) {
        SP_TRY(try_follow(a, e, t, &fits, err));
      }
      if (fits) {
        continue;
      }
      const sp_type *wider = e->kind == SP_EXPR_LITERAL ? widened(e, t) : sp_type_common(t, e->type);
      if (wider == NULL) {
        return no_common(a, from, e, what, loc, err);
      }
      from = from == NULL || wider == e->type ? e : from;
      t = wider;
    }
  }
  *ret = t;
  return SP_OK;
}

sp_status sp_coerce_same(sp_arena *a, const sp_expr **args, uint32_t n, const char *what, const sp_loc *loc,
                         sp_error *err) {
  const sp_type *t = NULL;
  SP_TRY(common_type(a, args, n, what, loc, &t, err));
  for (uint32_t i = 0; i < n; i++) {
    args[i] = sp_expr_coerce(a, args[i], t);
    SP_TRY_ALLOC(err, args[i]);
  }
  return SP_OK;
}

/* ---- arithmetic ---- */
static const sp_expr *follow_number(sp_arena *a, const sp_expr *e, const sp_type *t) {
  sp_value v;
  if (e->literal.is_null || sp_value_cast_exact(&e->literal, t, a, &v)) {
    return sp_expr_coerce(a, e, t);
  }
  if (t->family == SP_FAMILY_DECIMAL && sp_type_is_float(e->literal.type) &&
      sp_literal_decimal_of_f64(e->literal.f, &v)) {
    return with_value(a, e, &v);
  }
  return e;
}

sp_status sp_coerce_arithmetic(sp_arena *a, const sp_expr **args, sp_error *err) {
  for (uint32_t i = 0; i < 2; i++) {
    const sp_expr *e = args[i], *other = args[1 - i];
    if (e->kind != SP_EXPR_LITERAL || !sp_type_is_numeric(other->type)) {
      continue;
    }
    /* Of two numbers that are both written neither follows the other. */
    if (!e->literal.is_null && (other->kind == SP_EXPR_LITERAL || !sp_type_is_numeric(e->literal.type))) {
      continue;
    }
    args[i] = follow_number(a, e, other->type);
    SP_TRY_ALLOC(err, args[i]);
  }
  return SP_OK;
}
