/* + - * // % over decimals.
 *
 * A decimal is an integer scaled by a power of ten: int64 up to 18 digits, else int128. For + - // % the
 * binder brings both sides to the larger scale, so that the kernel adds plain integers; * adds the scales.
 * Result types:
 *   + -  (max(p1-s1, p2-s2) + s + 1, s), s = max(s1, s2)       *  (p1 + p2, s1 + s2)
 *   //   (digits of the left side at scale s, 0)               %  (digits of the right side at scale s, s)
 * with at most 38 digits. Only where that cap cut digits off can a value be too large, so only there values
 * are checked, and first for the whole batch: when the widest values of both sides cannot give more than 126
 * bits, no row is looked at. A literal counts with just its own digits: in 1 - discount the 1 is
 * decimal(1,0).
 *
 * Example: price decimal(15,2) * (1 - discount decimal(15,2)): 1 - discount is decimal(16,2), the product
 * decimal(31,4). */
#include "expr/arith.h"

#include "data/text.h"

#define DIGITS_MAX 38

/* ---- types ---- */
typedef struct digits {
  uint32_t p, s;
} digits;

/* The fewest digits that hold a literal: 1.00 is (1,0), 0.05 is (2,2). */
static digits of_value(sp_i128 v, uint32_t scale) {
  while (scale > 0 && v % 10 == 0) {
    v /= 10;
    scale--;
  }
  uint32_t p = scale > 1 ? scale : 1;
  while (p < DIGITS_MAX && !sp_decimal_fits(v, p)) {
    p++;
  }
  return (digits){p, scale};
}

static bool literal_digits(const sp_expr *e, digits *ret) {
  if (e->kind != SP_EXPR_LITERAL || e->literal.is_null) {
    return false;
  }
  const sp_value *v = &e->literal;
  if (v->type->family == SP_FAMILY_DECIMAL || sp_type_is_int(v->type)) {
    *ret = of_value(sp_value_i128(v), v->type->scale);
    return true;
  }
  if (!sp_type_is_float(v->type)) {
    return false;
  }
  sp_i128 d;
  for (uint32_t s = 0; s <= 18; s++) {
    if (sp_decimal_from_f64(v->f, DIGITS_MAX, s, false, &d)) {
      *ret = of_value(d, s);
      return true;
    }
  }
  return false;
}

bool sp_decimal_of_literal(const sp_expr *e) {
  digits d;
  return literal_digits(e, &d);
}

static digits digits_of(const sp_expr *e) {
  digits d;
  if (literal_digits(e, &d)) {
    return d;
  }
  const sp_type *t = e->type;
  if (t->family == SP_FAMILY_DECIMAL) {
    return (digits){t->precision, t->scale};
  }
  static const uint8_t of_width[] = {0, 3, 5, 0, 10, 0, 0, 0, 19};
  return (digits){t->kind == SP_KIND_UINT64 ? 20 : of_width[t->width], 0};
}

static uint32_t min_u32(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}
static uint32_t max_u32(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

sp_status sp_decimal_bind(const sp_arith_call *c, sp_binding *ret, sp_error *err) {
  const digits a = digits_of(c->args[0]), b = digits_of(c->args[1]);
  if (c->op == SP_MUL) {
    if (a.s + b.s > DIGITS_MAX) {
      SP_FAIL(err, SP_TYPE, c->loc,
              "`*` of %s and %s needs %u digits behind the point; a decimal has at most %d",
              c->args[0]->type->name, c->args[1]->type->name, a.s + b.s, DIGITS_MAX);
    }
    ret->args[0] = sp_type_decimal(a.p, a.s);
    ret->args[1] = sp_type_decimal(b.p, b.s);
    ret->result = sp_type_decimal(min_u32(DIGITS_MAX, a.p + b.p), a.s + b.s);
    return SP_OK;
  }
  const uint32_t s = max_u32(a.s, b.s);
  const uint32_t pa = min_u32(DIGITS_MAX, a.p - a.s + s), pb = min_u32(DIGITS_MAX, b.p - b.s + s);
  ret->args[0] = sp_type_decimal(max_u32(pa, 1), s);
  ret->args[1] = sp_type_decimal(max_u32(pb, 1), s);
  if (c->op == SP_FLOORDIV) {
    ret->result = sp_type_decimal(ret->args[0]->precision, 0);
  } else if (c->op == SP_MOD) {
    ret->result = ret->args[1];
  } else {
    ret->result = sp_type_decimal(min_u32(DIGITS_MAX, max_u32(pa, pb) + 1), s);
  }
  return SP_OK;
}

bool sp_decimal_can_fail(sp_arith op, const sp_expr *call) {
  const sp_type *a = call->args[0]->type, *b = call->args[1]->type;
  if (op == SP_MUL) {
    return (uint32_t)a->precision + b->precision > DIGITS_MAX;
  }
  return (op == SP_ADD || op == SP_SUB) && max_u32(a->precision, b->precision) + 1 > DIGITS_MAX;
}

/* ---- loops ---- */
#define ADDING(name, op)                                                                                     \
  SP_BINARY_LOOP(name##_888, int64_t, int64_t, int64_t, (uint64_t)x op(uint64_t) y)                          \
  SP_BINARY_LOOP(name##_88w, int64_t, int64_t, sp_i128, (sp_i128)x op y)                                     \
  SP_BINARY_LOOP(name##_8ww, int64_t, sp_i128, sp_i128, (sp_u128)x op(sp_u128) y)                            \
  SP_BINARY_LOOP(name##_w8w, sp_i128, int64_t, sp_i128, (sp_u128)x op(sp_u128) y)                            \
  SP_BINARY_LOOP(name##_www, sp_i128, sp_i128, sp_i128, (sp_u128)x op(sp_u128) y)
ADDING(add, +)
ADDING(sub, -)
ADDING(mul, *)

/* Wide values that fit 64 bits: one multiplication instead of three. */
typedef struct words {
  int64_t lo, hi;
} words;
SP_BINARY_LOOP(mul_low_8w, words, int64_t, sp_i128, (sp_i128)x.lo *y)
SP_BINARY_LOOP(mul_8_low_w, int64_t, words, sp_i128, (sp_i128)x *y.lo)
SP_BINARY_LOOP(mul_low_low_w, words, words, sp_i128, (sp_i128)x.lo *y.lo)

static sp_binary_fn loop_of(sp_arith op, const sp_type *a, const sp_type *b, const sp_type *r) {
  static const sp_binary_fn loops[3][5] = {{add_888, add_88w, add_8ww, add_w8w, add_www},
                                           {sub_888, sub_88w, sub_8ww, sub_w8w, sub_www},
                                           {mul_888, mul_88w, mul_8ww, mul_w8w, mul_www}};
  const bool wa = a->phys == SP_PHYS_I128, wb = b->phys == SP_PHYS_I128;
  const uint32_t shape = r->phys != SP_PHYS_I128 ? 0 : wa ? (wb ? 4 : 3) : wb ? 2 : 1;
  return loops[op][shape];
}

/* ---- checked ---- */
typedef struct plan {
  sp_arith op;
  sp_binary_fn loop;
} plan;

/* The or of all magnitudes: every |value| is at most 2^bits. */
SP_CLONES static uint32_t bits_of_i64(const int64_t *v, uint32_t n) {
  uint64_t all = 0;
  for (uint32_t i = 0; i < n; i++) {
    all |= (uint64_t)(v[i] ^ (v[i] >> 63));
  }
  return all == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(all);
}

SP_CLONES static uint32_t bits_of_i128(const int64_t *v, uint32_t n) { /* low and high words in turn */
  uint64_t lo = 0, hi = 0;
  for (uint32_t i = 0; i < n; i++) {
    const int64_t sign = v[2 * i + 1] >> 63;
    lo |= (uint64_t)(v[2 * i] ^ sign);
    hi |= (uint64_t)(v[2 * i + 1] ^ sign);
  }
  return hi != 0 ? 128 - (uint32_t)__builtin_clzll(hi) : lo == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(lo);
}

static uint32_t bits_of(const sp_input *in, const sp_type *t, uint32_t n) {
  n = in->is_const ? 1 : n;
  return t->phys == SP_PHYS_I128 ? bits_of_i128(in->data, n) : bits_of_i64(in->data, n);
}

static inline sp_i128 load(const sp_input *in, const sp_type *t, uint32_t row) {
  const uint32_t i = in->is_const ? 0 : row;
  return t->phys == SP_PHYS_I128 ? ((const sp_i128 *)in->data)[i] : ((const int64_t *)in->data)[i];
}

static bool compute(sp_arith op, sp_i128 x, sp_i128 y, sp_i128 *ret) {
  const bool over = op == SP_ADD   ? __builtin_add_overflow(x, y, ret)
                    : op == SP_SUB ? __builtin_sub_overflow(x, y, ret)
                                   : __builtin_mul_overflow(x, y, ret);
  return !over && sp_decimal_fits(*ret, DIGITS_MAX);
}

static sp_status overflow(const sp_kernel *k, const sp_eval *ev, sp_i128 x, sp_i128 y) {
  char tx[SP_TEXT_MAX], ty[SP_TEXT_MAX];
  const uint32_t nx = sp_format_decimal(x, k->call->args[0]->type->scale, tx);
  const uint32_t ny = sp_format_decimal(y, k->call->args[1]->type->scale, ty);
  SP_FAIL(ev->err, SP_EXEC, NULL, "%.*s %s %.*s has more than %d digits", (int)nx, tx, k->call->fn->symbol,
          (int)ny, ty, DIGITS_MAX);
}

static sp_status check_rows(const sp_kernel *k, const sp_eval *ev, const sp_input *a, const sp_input *b,
                            sp_column *out) {
  const plan *p = k->data;
  const sp_type *ta = k->call->args[0]->type, *tb = k->call->args[1]->type;
  const uint8_t *valid = sp_out_validity(out);
  sp_i128 *o = sp_out_data(out);
  memset(o, 0, (size_t)ev->length * sizeof *o);
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    const sp_i128 x = load(a, ta, r), y = load(b, tb, r);
    if ((valid == NULL || valid[r] != 0) && !compute(p->op, x, y, &o[r])) {
      return overflow(k, ev, x, y);
    }
  }
  return SP_OK;
}

static sp_binary_fn low_loop(const sp_type *a, const sp_type *b, sp_binary_fn otherwise) {
  const bool wa = a->phys == SP_PHYS_I128, wb = b->phys == SP_PHYS_I128;
  return wa && wb ? mul_low_low_w : wa ? mul_low_8w : wb ? mul_8_low_w : otherwise;
}

static sp_status eval_checked(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                              sp_column **ret) {
  const plan *p = k->data;
  sp_input a = {0}, b = {0};
  sp_status st = sp_input_open(ev, args[0], &a);
  if (st == SP_OK) {
    st = sp_input_open(ev, args[1], &b);
  }
  sp_column *out = st == SP_OK ? sp_out_strict(ev, k->result, args, n) : NULL;
  if (out != NULL) {
    const uint32_t x = bits_of(&a, args[0]->type, ev->length), y = bits_of(&b, args[1]->type, ev->length);
    if ((p->op == SP_MUL ? x + y : max_u32(x, y) + 1) <= 126) { /* 2^126 < 10^38 */
      const bool low = p->op == SP_MUL && x <= 63 && y <= 63;
      sp_binary_run(low ? low_loop(args[0]->type, args[1]->type, p->loop) : p->loop, sp_out_data(out), &a, &b,
                    ev->length, k->result->width);
    } else {
      st = check_rows(k, ev, &a, &b, out);
    }
  } else if (st == SP_OK) {
    st = sp_error_nomem(ev->err);
  }
  sp_input_close(&a);
  sp_input_close(&b);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}

/* ---- // and % ---- */
static sp_i128 floored(sp_arith op, sp_i128 x, sp_i128 y) {
  const sp_i128 q = x / y, r = x % y;
  const bool off = r != 0 && (r < 0) != (y < 0);
  return op == SP_FLOORDIV ? q - off : off ? r + y : r;
}

static sp_status eval_divide(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                             sp_column **ret) {
  const plan *p = k->data;
  sp_input a = {0}, b = {0};
  sp_status st = sp_input_open(ev, args[0], &a);
  if (st == SP_OK) {
    st = sp_input_open(ev, args[1], &b);
  }
  sp_column *out = st == SP_OK ? sp_out_rows(ev, k->result, args, n) : NULL;
  for (uint32_t i = 0; out != NULL && i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    uint8_t *valid = sp_out_validity(out);
    const sp_i128 y = load(&b, args[1]->type, r);
    if (y == 0 || valid[r] == 0) {
      valid[r] = 0;
      continue;
    }
    const sp_i128 v = floored(p->op, load(&a, args[0]->type, r), y);
    memcpy((uint8_t *)sp_out_data(out) + (size_t)r * k->result->width, &v, k->result->width);
  }
  sp_input_close(&a);
  sp_input_close(&b);
  if (st == SP_OK && out == NULL) {
    return sp_error_nomem(ev->err);
  }
  *ret = out;
  return st;
}

sp_status sp_decimal_prepare(sp_arith op, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err) {
  if (op == SP_ADD || op == SP_SUB || op == SP_MUL) {
    const sp_binary_fn loop = loop_of(op, call->args[0]->type, call->args[1]->type, call->type);
    if (!sp_decimal_can_fail(op, call)) {
      return sp_kernel_binary(ret, a, loop, err);
    }
    plan *p = sp_arena_copy(a, &(plan){op, loop}, sizeof *p);
    SP_TRY_ALLOC(err, p);
    ret->data = p;
    ret->eval = eval_checked;
    return SP_OK;
  }
  plan *p = sp_arena_copy(a, &(plan){.op = op}, sizeof *p);
  SP_TRY_ALLOC(err, p);
  ret->data = p;
  ret->eval = eval_divide;
  return SP_OK;
}
