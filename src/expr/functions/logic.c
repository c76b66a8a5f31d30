/* and, or, not, is_true, is_false, is_not_true, is_not_false: Kleene's three values.
 *
 * A bool is a value byte and a validity byte. AND is true where all are true, false where one is false, else
 * null; so `true` and `false` are collected apart, by byte-wise and/or over all rows, and a row that an
 * argument never reached (it is false already) stays false whatever that argument holds there. OR is the
 * mirror image.
 *
 * Example: null AND false is false, null AND true is null; is_not_true(null) is true. */
#include "expr/kernel.h"

static sp_status bind_bools(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                            sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  for (uint32_t i = 0; i < n; i++) {
    SP_TRY(sp_bind_arg(f, args, i, SP_TAKES_BOOL, sp_bool_type(), ret, loc, err));
  }
  ret->result = sp_bool_type();
  return SP_OK;
}

/* One argument as bytes; constants are one byte each. */
typedef struct bools {
  sp_input in;
  const uint8_t *values, *validity;
  bool is_const;
} bools;

static sp_status open_bools(sp_eval *ev, const sp_column *c, bools *ret) {
  SP_TRY(sp_input_open(ev, c, &ret->in));
  const sp_reader r = sp_column_reader(c);
  ret->values = ret->in.data;
  ret->validity = r.validity;
  ret->is_const = ret->in.is_const;
  return SP_OK;
}

/* yes &= is `hit`, no |= is not `hit`, where hit is 1 for AND and 0 for OR; both only where valid. */
SP_CLONES static void collect(uint8_t *restrict yes, uint8_t *restrict no, const uint8_t *v, const uint8_t *m,
                              uint8_t flip, uint32_t n) {
  if (m == NULL) {
    for (uint32_t i = 0; i < n; i++) {
      const uint8_t x = (uint8_t)((v[i] & 1) ^ flip);
      yes[i] = (uint8_t)(yes[i] & x);
      no[i] = (uint8_t)(no[i] | (x ^ 1));
    }
    return;
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint8_t x = (uint8_t)((v[i] & 1) ^ flip);
    yes[i] = (uint8_t)(yes[i] & x & m[i]);
    no[i] = (uint8_t)(no[i] | ((x ^ 1) & m[i]));
  }
}

/* The same when no argument has nulls: yes alone decides. */
SP_CLONES static void collect_yes(uint8_t *restrict yes, const uint8_t *v, uint8_t flip, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    yes[i] = (uint8_t)(yes[i] & ((v[i] & 1) ^ flip));
  }
}

SP_CLONES static void flip_bytes(uint8_t *p, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    p[i] ^= 1;
  }
}

SP_CLONES static void or_bytes(uint8_t *restrict dst, const uint8_t *restrict src, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    dst[i] = (uint8_t)(dst[i] | src[i]);
  }
}

static void collect_const(uint8_t *yes, uint8_t *no, const bools *b, uint8_t flip, uint32_t n) {
  const bool valid = b->validity == NULL || b->validity[0] != 0;
  const uint8_t x = (uint8_t)((b->values[0] & 1) ^ flip);
  if (!valid || x == 0) {
    memset(yes, 0, n);
  }
  if (no != NULL && valid && x == 0) {
    memset(no, 1, n);
  }
}

static sp_status eval_junction(sp_eval *ev, const sp_column *const *args, uint32_t n_args, uint8_t flip,
                               sp_column **ret) {
  bool nullable = false;
  for (uint32_t i = 0; i < n_args; i++) {
    nullable |= args[i]->validity != NULL;
  }
  sp_column *out = sp_out_flat(ev, sp_bool_type(), nullable);
  SP_TRY_ALLOC(ev->err, out);
  uint8_t *yes = sp_out_data(out), *no = sp_out_validity(out);
  memset(yes, 1, ev->length);
  if (no != NULL) {
    memset(no, 0, ev->length);
  }
  for (uint32_t i = 0; i < n_args; i++) {
    bools b;
    const sp_status st = open_bools(ev, args[i], &b);
    if (st != SP_OK) {
      sp_column_unref(out);
      return st;
    }
    if (b.is_const) {
      collect_const(yes, no, &b, flip, ev->length);
    } else if (no == NULL) {
      collect_yes(yes, b.values, flip, ev->length);
    } else {
      collect(yes, no, b.values, b.validity, flip, ev->length);
    }
    sp_input_close(&b.in);
  }
  if (no != NULL) {
    or_bytes(no, yes, ev->length); /* known, either way */
  }
  if (flip) {
    flip_bytes(yes, ev->length);
  }
  *ret = out;
  return SP_OK;
}

static sp_status eval_and(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                          sp_column **ret) {
  (void)k;
  return eval_junction(ev, args, n, 0, ret);
}

static sp_status eval_or(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                         sp_column **ret) {
  (void)k;
  return eval_junction(ev, args, n, 1, ret);
}

SP_UNARY_LOOP(not_bytes, uint8_t, uint8_t, (x & 1) ^ 1)

static sp_status prepare_not(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                             sp_error *err) {
  (void)f, (void)call;
  return sp_kernel_unary(ret, a, not_bytes, err);
}

/* out = (valid and value == want) xor negate */
static sp_status eval_is(sp_eval *ev, const sp_column *arg, uint8_t want, uint8_t negate, sp_column **ret) {
  bools b;
  SP_TRY(open_bools(ev, arg, &b));
  sp_column *out = sp_out_flat(ev, sp_bool_type(), false);
  if (out != NULL) {
    uint8_t *o = sp_out_data(out);
    memset(o, 1, ev->length);
    if (b.is_const) {
      collect_const(o, NULL, &b, (uint8_t)!want, ev->length);
    } else {
      collect_yes(o, b.values, (uint8_t)!want, ev->length);
      sp_validity_and(o, arg, ev->length);
    }
    if (negate) {
      flip_bytes(o, ev->length);
    }
  }
  sp_input_close(&b.in);
  SP_TRY_ALLOC(ev->err, out);
  *ret = out;
  return SP_OK;
}

#define EVAL_IS(name, want, negate)                                                                          \
  static sp_status eval_##name(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,    \
                               sp_column **ret) {                                                            \
    (void)k, (void)n;                                                                                        \
    return eval_is(ev, args[0], want, negate, ret);                                                          \
  }                                                                                                          \
  SP_PREPARE_WITH(prepare_##name, eval_##name)
EVAL_IS(is_true, 1, 0)
EVAL_IS(is_false, 0, 0)
EVAL_IS(is_not_true, 1, 1)
EVAL_IS(is_not_false, 0, 1)
SP_PREPARE_WITH(prepare_and, eval_and)
SP_PREPARE_WITH(prepare_or, eval_or)

const sp_function sp_function_and = {
    .name = "and",
    .symbol = "AND",
    .summary =
        "a AND b: true when all are, false when one is, else null; b is not evaluated where a is false",
    .flags = SP_FN_LAZY | SP_FN_PREDICATE,
    .min_args = 1,
    .max_args = UINT16_MAX,
    .reach = SP_REACH_NOT_FALSE,
    .null_args = UINT32_MAX,
    .bind = bind_bools,
    .prepare = prepare_and};
const sp_function sp_function_or = {
    .name = "or",
    .symbol = "OR",
    .summary = "a OR b: true when one is, false when all are, else null; b is not evaluated where a is true",
    .flags = SP_FN_LAZY,
    .min_args = 1,
    .max_args = UINT16_MAX,
    .reach = SP_REACH_NOT_TRUE,
    .bind = bind_bools,
    .prepare = prepare_or};
const sp_function sp_function_not = {.name = "not",
                                     .symbol = "NOT",
                                     .summary = "NOT a: the other truth value; null stays null",
                                     .flags = SP_FN_STRICT,
                                     .min_args = 1,
                                     .max_args = 1,
                                     .null_args = 1,
                                     .bind = bind_bools,
                                     .prepare = prepare_not};
const sp_function sp_function_is_true = {.name = "is_true",
                                         .summary = "a IS TRUE: true where a is true, else false",
                                         .flags = SP_FN_PREDICATE,
                                         .min_args = 1,
                                         .max_args = 1,
                                         .null_args = 1,
                                         .bind = bind_bools,
                                         .prepare = prepare_is_true};
const sp_function sp_function_is_false = {.name = "is_false",
                                          .summary = "a IS FALSE: true where a is false, else false",
                                          .flags = SP_FN_PREDICATE,
                                          .min_args = 1,
                                          .max_args = 1,
                                          .null_args = 1,
                                          .bind = bind_bools,
                                          .prepare = prepare_is_false};
const sp_function sp_function_is_not_true = {.name = "is_not_true",
                                             .summary = "a IS NOT TRUE: true where a is false or null",
                                             .min_args = 1,
                                             .max_args = 1,
                                             .bind = bind_bools,
                                             .prepare = prepare_is_not_true};
const sp_function sp_function_is_not_false = {.name = "is_not_false",
                                              .summary = "a IS NOT FALSE: true where a is true or null",
                                              .min_args = 1,
                                              .max_args = 1,
                                              .bind = bind_bools,
                                              .prepare = prepare_is_not_false};
