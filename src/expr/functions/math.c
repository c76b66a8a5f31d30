/* round floor ceil abs sign sqrt exp ln log10 log2 power is_nan is_finite is_infinite.
 *
 *   round(x[, digits])  half away from zero; digits is a literal, negative ones round before the point.
 * Floats stay floats, integers their type, decimal(p,s) becomes decimal with `digits` (0) digits behind the
 * point floor, ceil         of floats floats, of decimals decimals without a fraction, of integers the same
 *   abs                 of x's type; the least integer wraps to itself
 *   sign                -1, 0 or 1 of x's type (of a decimal int64); NaN stays NaN
 *   sqrt exp ln log10 log2 power   float64; outside their domain NaN or infinite, as in C
 *   is_nan is_finite is_infinite   false for numbers that are no floats, but for is_finite
 *
 * Example: round(2.5) is 3.0, round(-2.5) -3.0, round(1234, -2) is 1200; sqrt(-1) is NaN. */
#include <math.h>

#include "data/text.h"
#include "expr/kernel.h"

/* ---- float64 of float64 ---- */
SP_UNARY_LOOP(sqrt_f64, double, double, sqrt(x))
SP_UNARY_LOOP(exp_f64, double, double, exp(x))
SP_UNARY_LOOP(ln_f64, double, double, log(x))
SP_UNARY_LOOP(log10_f64, double, double, log10(x))
SP_UNARY_LOOP(log2_f64, double, double, log2(x))
SP_BINARY_LOOP(power_f64, double, double, double, pow(x, y))

static sp_status bind_floats(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                             sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  for (uint32_t i = 0; i < n; i++) {
    SP_TRY(sp_bind_arg_as(f, args, i, SP_TAKES_NUMBER, sp_float64_type(), ret, loc, err));
  }
  ret->result = sp_float64_type();
  return SP_OK;
}

#define FLOAT_FUNCTION(NAME, ARITY, PREPARE, SUMMARY)                                                        \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f, (void)call;                                                                                     \
    return PREPARE(ret, a, NAME##_f64, err);                                                                 \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT,                                             \
                                          .min_args = ARITY,                                                 \
                                          .max_args = ARITY,                                                 \
                                          .null_args = (1u << ARITY) - 1,                                    \
                                          .bind = bind_floats,                                               \
                                          .prepare = prepare_##NAME};
FLOAT_FUNCTION(sqrt, 1, sp_kernel_unary, "sqrt(x): square root; NaN below zero")
FLOAT_FUNCTION(exp, 1, sp_kernel_unary, "exp(x): e to the power of x")
FLOAT_FUNCTION(ln, 1, sp_kernel_unary, "ln(x): natural logarithm; -inf of 0, NaN below")
FLOAT_FUNCTION(log10, 1, sp_kernel_unary, "log10(x): logarithm to base 10")
FLOAT_FUNCTION(log2, 1, sp_kernel_unary, "log2(x): logarithm to base 2")
FLOAT_FUNCTION(power, 2, sp_kernel_binary, "power(x, y): x to the power of y")

/* ---- is_nan, is_finite, is_infinite ---- */
SP_UNARY_LOOP(is_nan_f32, float, uint8_t, x != x)
SP_UNARY_LOOP(is_nan_f64, double, uint8_t, x != x)
SP_UNARY_LOOP(is_finite_f32, float, uint8_t, x - x == 0)
SP_UNARY_LOOP(is_finite_f64, double, uint8_t, x - x == 0)
SP_UNARY_LOOP(is_infinite_f32, float, uint8_t, (x - x != 0) & (x == x))
SP_UNARY_LOOP(is_infinite_f64, double, uint8_t, (x - x != 0) & (x == x))

static sp_status bind_class(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                            sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  SP_TRY(sp_bind_arg(f, args, 0, SP_TAKES_NUMBER, sp_float64_type(), ret, loc, err));
  if (!sp_type_is_float(ret->args[0])) {
    ret->args[0] = sp_float64_type(); /* every integer and decimal is a finite double */
  }
  ret->result = sp_bool_type();
  return SP_OK;
}

#define FLOAT_CLASS(NAME, SUMMARY)                                                                           \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f;                                                                                                 \
    return sp_kernel_unary(ret, a, call->args[0]->type->phys == SP_PHYS_F32 ? NAME##_f32 : NAME##_f64, err); \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT | SP_FN_PREDICATE,                           \
                                          .min_args = 1,                                                     \
                                          .max_args = 1,                                                     \
                                          .null_args = 1,                                                    \
                                          .bind = bind_class,                                                \
                                          .prepare = prepare_##NAME};
FLOAT_CLASS(is_nan, "is_nan(x): is it NaN?")
FLOAT_CLASS(is_finite, "is_finite(x): is it neither NaN nor infinite?")
FLOAT_CLASS(is_infinite, "is_infinite(x): is it infinite?")

/* ---- abs, sign ---- */
#define SIGNS(suffix, T, U)                                                                                  \
  SP_UNARY_LOOP(abs_##suffix, T, T, x < 0 ? (T)(0 - (U)x) : x)                                               \
  SP_UNARY_LOOP(sign_##suffix, T, T, (x > 0) - (x < 0))
SIGNS(i8, int8_t, uint8_t)
SIGNS(i16, int16_t, uint16_t)
SIGNS(i32, int32_t, uint32_t)
SIGNS(i64, int64_t, uint64_t)
SP_UNARY_LOOP(abs_i128, sp_i128, sp_i128, x < 0 ? (sp_i128)(0 - (sp_u128)x) : x)
SP_UNARY_LOOP(abs_f32, float, float, fabsf(x))
SP_UNARY_LOOP(abs_f64, double, double, fabs(x))
SP_UNARY_LOOP(sign_f32, float, float, x != x ? x : (float)((x > 0) - (x < 0)))
SP_UNARY_LOOP(sign_f64, double, double, x != x ? x : (double)((x > 0) - (x < 0)))
SP_UNARY_LOOP(sign_u8, uint8_t, uint8_t, x > 0)
SP_UNARY_LOOP(sign_u16, uint16_t, uint16_t, x > 0)
SP_UNARY_LOOP(sign_u32, uint32_t, uint32_t, x > 0)
SP_UNARY_LOOP(sign_u64, uint64_t, uint64_t, x > 0)
SP_UNARY_LOOP(sign_wide, sp_i128, int64_t, (x > 0) - (x < 0))
SP_UNARY_LOOP(same_u8, uint8_t, uint8_t, x)
SP_UNARY_LOOP(same_u16, uint16_t, uint16_t, x)
SP_UNARY_LOOP(same_u32, uint32_t, uint32_t, x)
SP_UNARY_LOOP(same_u64, uint64_t, uint64_t, x)

static const sp_unary_fn abs_loops[] = {
    [SP_PHYS_I8] = abs_i8,   [SP_PHYS_I16] = abs_i16,  [SP_PHYS_I32] = abs_i32,  [SP_PHYS_I64] = abs_i64,
    [SP_PHYS_U8] = same_u8,  [SP_PHYS_U16] = same_u16, [SP_PHYS_U32] = same_u32, [SP_PHYS_U64] = same_u64,
    [SP_PHYS_F32] = abs_f32, [SP_PHYS_F64] = abs_f64,  [SP_PHYS_I128] = abs_i128};
static const sp_unary_fn sign_loops[] = {
    [SP_PHYS_I8] = sign_i8,   [SP_PHYS_I16] = sign_i16, [SP_PHYS_I32] = sign_i32,  [SP_PHYS_I64] = sign_i64,
    [SP_PHYS_U8] = sign_u8,   [SP_PHYS_U16] = sign_u16, [SP_PHYS_U32] = sign_u32,  [SP_PHYS_U64] = sign_u64,
    [SP_PHYS_F32] = sign_f32, [SP_PHYS_F64] = sign_f64, [SP_PHYS_I128] = sign_wide};

static sp_status bind_abs(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                          sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  SP_TRY(sp_bind_arg(f, args, 0, SP_TAKES_NUMBER | SP_TAKES_DURATION, sp_int64_type(), ret, loc, err));
  ret->result = ret->args[0];
  return SP_OK;
}

static sp_status bind_sign(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                           sp_binding *ret, const sp_loc *loc, sp_error *err) {
  SP_TRY(bind_abs(f, args, n, a, ret, loc, err));
  if (!sp_type_is_int(ret->result) && !sp_type_is_float(ret->result)) {
    ret->result = sp_int64_type();
  }
  return SP_OK;
}

static sp_status prepare_abs(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                             sp_error *err) {
  (void)f;
  return sp_kernel_unary(ret, a, abs_loops[call->args[0]->type->phys], err);
}

static sp_status prepare_sign(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                              sp_error *err) {
  (void)f;
  return sp_kernel_unary(ret, a, sign_loops[call->args[0]->type->phys], err);
}

/* ---- round, floor, ceil ---- */
typedef enum mode { MODE_ROUND, MODE_FLOOR, MODE_CEIL } mode;
typedef struct plan {
  mode mode;
  int32_t digits; /* behind the point */
  uint32_t from_scale;
} plan;

static double power_of_ten(int32_t k) {
  static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  return k < (int32_t)(sizeof exact / sizeof exact[0]) ? exact[k] : (double)powl(10, k);
}

/* Half away from zero; a scaled value that a double holds no more has no such digit. */
static double round_f64(double x, int32_t digits) {
  if (digits == 0) {
    return round(x);
  }
  if (digits > 308 || digits < -308) {
    return digits > 0 || x != x ? x : 0;
  }
  const double p = power_of_ten(digits > 0 ? digits : -digits);
  const double scaled = digits > 0 ? x * p : x / p;
  if (!(fabs(scaled) < 0x1p52)) {
    return x;
  }
  const double r = round(scaled);
  return digits > 0 ? r / p : r * p;
}

static double apply_f64(const plan *p, double x) {
  return p->mode == MODE_ROUND ? round_f64(x, p->digits) : p->mode == MODE_FLOOR ? floor(x) : ceil(x);
}

/* v / 10^drop, rounded by mode; times 10^drop again when the digits dropped lie before the point. */
static sp_i128 apply_i128(const plan *p, sp_i128 v) {
  const int32_t drop = (int32_t)p->from_scale - p->digits;
  if (drop <= 0) {
    return v;
  }
  if (drop > 38) {
    return 0;
  }
  const sp_i128 d = sp_pow10[drop];
  sp_i128 q = v / d;
  const sp_i128 r = v % d;
  if (p->mode == MODE_ROUND) {
    const sp_i128 away = r < 0 ? -r : r;
    q += away >= d - away ? (v < 0 ? -1 : 1) : 0;
  } else {
    q += p->mode == MODE_FLOOR ? -(r < 0) : r > 0;
  }
  return p->digits < 0 ? (sp_i128)((sp_u128)q * (sp_u128)sp_pow10[-p->digits]) : q;
}

static sp_i128 load_int(const sp_type *t, const void *p) {
  const sp_value v = sp_value_load(t, p);
  return sp_value_i128(&v);
}

static sp_status round_row(const sp_kernel *k, const sp_eval *ev, const sp_type *t, const uint8_t *from,
                           uint8_t *to) {
  const plan *p = k->data;
  if (t->phys == SP_PHYS_F64) {
    *(double *)(void *)to = apply_f64(p, *(const double *)(const void *)from);
    return SP_OK;
  }
  if (t->phys == SP_PHYS_F32) {
    *(float *)(void *)to = (float)apply_f64(p, (double)*(const float *)(const void *)from);
    return SP_OK;
  }
  const sp_i128 v = apply_i128(p, load_int(t, from));
  if (t->family == SP_FAMILY_DECIMAL && !sp_decimal_fits(v, k->result->precision)) {
    SP_FAIL(ev->err, SP_EXEC, NULL, "%s has more than %u digits", k->call->fn->name, k->result->precision);
  }
  memcpy(to, &v, k->result->width);
  return SP_OK;
}

static sp_status eval_round(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                            sp_column **ret) {
  (void)n;
  const sp_type *t = args[0]->type;
  sp_input in;
  SP_TRY(sp_input_open(ev, args[0], &in));
  sp_column *out = sp_out_rows(ev, k->result, args, 1);
  sp_status st = out != NULL ? SP_OK : sp_error_nomem(ev->err);
  for (uint32_t i = 0; st == SP_OK && i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i), at = in.is_const ? 0 : r;
    if (sp_out_validity(out)[r] != 0) {
      st = round_row(k, ev, t, (const uint8_t *)in.data + (size_t)at * t->width,
                     (uint8_t *)sp_out_data(out) + (size_t)r * k->result->width);
    }
  }
  sp_input_close(&in);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}

static int32_t digits_of(const sp_expr *const *args, uint32_t n) {
  if (n < 2) {
    return 0;
  }
  const int64_t d = args[1]->literal.i;
  return d > 1000 ? 1000 : d < -1000 ? -1000 : (int32_t)d;
}

static sp_status bind_round(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                            sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  SP_TRY(sp_bind_arg(f, args, 0, SP_TAKES_NUMBER, sp_float64_type(), ret, loc, err));
  if (n == 2) {
    SP_TRY(sp_bind_literal(f, args, 1, loc, err));
    SP_TRY(sp_bind_arg(f, args, 1, SP_TAKES_INT, sp_int64_type(), ret, loc, err));
    if (args[1]->type->family != SP_FAMILY_SIGNED) {
      ret->args[1] = sp_int64_type();
    }
  }
  const sp_type *t = ret->args[0];
  ret->result = t;
  if (t->family == SP_FAMILY_DECIMAL) {
    const int32_t digits = digits_of(args, n);
    const uint32_t scale = digits < 0 ? 0 : digits < t->scale ? (uint32_t)digits : t->scale;
    const uint32_t p = (uint32_t)(t->precision - t->scale) + scale + (scale < t->scale || digits < 0);
    ret->result = sp_type_decimal(p > 38 ? 38 : p == 0 ? 1 : p, scale);
  }
  return SP_OK;
}

/* Rounding up may carry into a 39th digit. */
static bool round_can_fail(const sp_expr *call) {
  return call->type->family == SP_FAMILY_DECIMAL && call->type->precision == 38;
}

static sp_status prepare_mode(mode m, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err) {
  const plan p = {
      .mode = m, .digits = digits_of(call->args, call->n_args), .from_scale = call->args[0]->type->scale};
  ret->data = sp_arena_copy(a, &p, sizeof p);
  SP_TRY_ALLOC(err, ret->data);
  ret->eval = eval_round;
  return SP_OK;
}

#define ROUNDING(NAME, MODE, MAX, SUMMARY)                                                                   \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f;                                                                                                 \
    return prepare_mode(MODE, call, a, ret, err);                                                            \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT,                                             \
                                          .min_args = 1,                                                     \
                                          .max_args = MAX,                                                   \
                                          .null_args = (1u << MAX) - 1,                                      \
                                          .bind = bind_round,                                                \
                                          .prepare = prepare_##NAME,                                         \
                                          .fallible = round_can_fail};
ROUNDING(round, MODE_ROUND, 2, "round(x[, digits]): half away from zero")
ROUNDING(floor, MODE_FLOOR, 1, "floor(x): the next whole number below")
ROUNDING(ceil, MODE_CEIL, 1, "ceil(x): the next whole number above")

const sp_function sp_function_abs = {.name = "abs",
                                     .summary = "abs(x): without its sign; the least integer wraps",
                                     .flags = SP_FN_STRICT,
                                     .min_args = 1,
                                     .max_args = 1,
                                     .null_args = 1,
                                     .bind = bind_abs,
                                     .prepare = prepare_abs};
const sp_function sp_function_sign = {.name = "sign",
                                      .summary = "sign(x): -1, 0 or 1",
                                      .flags = SP_FN_STRICT,
                                      .min_args = 1,
                                      .max_args = 1,
                                      .null_args = 1,
                                      .bind = bind_sign,
                                      .prepare = prepare_sign};
