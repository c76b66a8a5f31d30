/* add sub mul div floordiv mod neg: which rule applies to which operands. The meanings are in arith_number.c,
 * arith_decimal.c and arith_temporal.c; `/` is float64 whatever the sides are, x / 0 is ±inf or NaN.
 *
 * Example: int32 + int64 is int64, int64 + uint64 float64, decimal + integer decimal, decimal + float
 * float64, 7 / 2 is 3.5. */
#include "expr/arith.h"

static bool is_temporal(const sp_type *t) {
  return t->family == SP_FAMILY_TEMPORAL;
}

static sp_status bind_numbers(const sp_arith_call *c, sp_binding *ret, sp_error *err) {
  const sp_type *a = c->args[0]->type, *b = c->args[1]->type;
  const bool decimal_a = a->family == SP_FAMILY_DECIMAL, decimal_b = b->family == SP_FAMILY_DECIMAL;
  if (c->op == SP_DIV) {
    ret->args[0] = ret->args[1] = ret->result = sp_float64_type();
    return SP_OK;
  }
  const bool floats = (sp_type_is_float(a) && !(decimal_b && sp_decimal_of_literal(c->args[0]))) ||
                      (sp_type_is_float(b) && !(decimal_a && sp_decimal_of_literal(c->args[1])));
  if ((decimal_a || decimal_b) && !floats) {
    return sp_decimal_bind(c, ret, err);
  }
  ret->args[0] = ret->args[1] = ret->result = sp_type_common(a, b);
  return SP_OK;
}

static sp_status bind_arith(sp_arith op, const sp_function *f, const sp_expr *const *args, sp_binding *ret,
                            const sp_loc *loc, sp_error *err) {
  const sp_arith_call c = {.op = op, .f = f, .args = args, .loc = loc};
  const sp_type *a = args[0]->type, *b = args[1]->type;
  if (is_temporal(a) || is_temporal(b)) {
    return sp_temporal_bind(&c, ret, err);
  }
  const bool null_a = a->kind == SP_KIND_NULL, null_b = b->kind == SP_KIND_NULL;
  if ((null_a || sp_type_is_numeric(a)) && (null_b || sp_type_is_numeric(b))) {
    if (null_a || null_b) {
      const sp_type *t = !null_a ? a : !null_b ? b : sp_int64_type();
      t = op == SP_DIV ? sp_float64_type() : t;
      ret->args[0] = ret->args[1] = ret->result = t;
      return SP_OK;
    }
    return bind_numbers(&c, ret, err);
  }
  return sp_bind_none(f, args, 2, loc, err);
}

static sp_status prepare_arith(sp_arith op, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err) {
  const sp_type *ta = call->args[0]->type, *tb = call->args[1]->type;
  if (is_temporal(ta) || is_temporal(tb)) {
    return sp_temporal_prepare(op, call, a, ret, err);
  }
  if (ta->family == SP_FAMILY_DECIMAL) {
    return sp_decimal_prepare(op, call, a, ret, err);
  }
  return sp_number_prepare(op, ta, a, ret, err);
}

static bool can_fail(sp_arith op, const sp_expr *call) {
  if (is_temporal(call->args[0]->type) || is_temporal(call->args[1]->type)) {
    return sp_temporal_can_fail(call);
  }
  return call->type->family == SP_FAMILY_DECIMAL && sp_decimal_can_fail(op, call);
}

#define ARITHMETIC(NAME, SYMBOL, SUMMARY, OP, FLAGS)                                                         \
  static sp_status bind_##NAME(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,    \
                               sp_binding *ret, const sp_loc *loc, sp_error *err) {                          \
    (void)n, (void)a;                                                                                        \
    return bind_arith(OP, f, args, ret, loc, err);                                                           \
  }                                                                                                          \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f;                                                                                                 \
    return prepare_arith(OP, call, a, ret, err);                                                             \
  }                                                                                                          \
  static bool fallible_##NAME(const sp_expr *call) {                                                         \
    return can_fail(OP, call);                                                                               \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .symbol = SYMBOL,                                                  \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT | SP_FN_ARITHMETIC | FLAGS,                  \
                                          .min_args = 2,                                                     \
                                          .max_args = 2,                                                     \
                                          .null_args = 3,                                                    \
                                          .bind = bind_##NAME,                                               \
                                          .prepare = prepare_##NAME,                                         \
                                          .fallible = fallible_##NAME};
ARITHMETIC(add, "+", "a + b: sum; integers wrap; date + interval is a date", SP_ADD, SP_FN_COMMUTATIVE)
ARITHMETIC(sub, "-", "a - b: difference; integers wrap; date - date is days", SP_SUB, 0)
ARITHMETIC(mul, "*", "a * b: product; integers wrap; decimals multiply exactly or fail", SP_MUL,
           SP_FN_COMMUTATIVE)
ARITHMETIC(div, "/", "a / b: quotient as float64; by zero infinite or NaN", SP_DIV, 0)
ARITHMETIC(floordiv, "//", "a // b: quotient rounded down; null by integer zero", SP_FLOORDIV, 0)
ARITHMETIC(mod, "%", "a % b: a - b * (a // b), with the sign of b; null by integer zero", SP_MOD, 0)

/* ---- neg ---- */
SP_UNARY_LOOP(neg_w1, uint8_t, uint8_t, 0u - x)
SP_UNARY_LOOP(neg_w2, uint16_t, uint16_t, 0u - x)
SP_UNARY_LOOP(neg_w4, uint32_t, uint32_t, 0u - x)
SP_UNARY_LOOP(neg_w8, uint64_t, uint64_t, 0u - x)
SP_UNARY_LOOP(neg_w16, sp_u128, sp_u128, 0u - x)
SP_UNARY_LOOP(neg_f32, float, float, -x)
SP_UNARY_LOOP(neg_f64, double, double, -x)

static sp_status bind_neg(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                          sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  SP_TRY(sp_bind_arg(f, args, 0, SP_TAKES_NUMBER | SP_TAKES_DURATION, sp_int64_type(), ret, loc, err));
  if (ret->args[0]->family == SP_FAMILY_UNSIGNED) {
    static const sp_kind wider[] = {0, SP_KIND_INT16,  SP_KIND_INT32, 0, SP_KIND_INT64, 0, 0,
                                    0, SP_KIND_FLOAT64};
    ret->args[0] = sp_type_of(wider[ret->args[0]->width]);
  }
  ret->result = ret->args[0];
  return SP_OK;
}

static sp_status prepare_neg(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                             sp_error *err) {
  (void)f;
  static const sp_unary_fn by_width[] = {
      [1] = neg_w1, [2] = neg_w2, [4] = neg_w4, [8] = neg_w8, [16] = neg_w16};
  const sp_type *t = call->args[0]->type;
  return sp_kernel_unary(ret, a,
                         t->phys == SP_PHYS_F32   ? neg_f32
                         : t->phys == SP_PHYS_F64 ? neg_f64
                                                  : by_width[t->width],
                         err);
}

const sp_function sp_function_neg = {
    .name = "neg",
    .symbol = "-",
    .summary = "-a: negated; integers wrap; unsigned becomes the next wider signed type",
    .flags = SP_FN_STRICT,
    .min_args = 1,
    .max_args = 1,
    .null_args = 1,
    .bind = bind_neg,
    .prepare = prepare_neg};
