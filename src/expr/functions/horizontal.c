/* all_horizontal any_horizontal min_horizontal max_horizontal sum_horizontal, least and greatest: over the
 * arguments of one row.
 *
 *   all_horizontal, any_horizontal   as AND and OR, null for null by Kleene; every argument is evaluated
 *   min_horizontal = least, max_horizontal = greatest   nulls do not count; null when all are. NaN is the
 * greatest number sum_horizontal                   nulls do not count; null when all are. Integers give int64
 * and wrap, floats float64, decimals decimal with enough digits or 38
 *
 * Example: greatest(1, null, 3) is 3; all_horizontal(true, null) is null; sum_horizontal(1, null) is 1. */
#include "data/text.h"
#include "expr/kernel.h"

/* ---- all, any ---- */
static sp_status bind_bools(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                            sp_binding *ret, const sp_loc *loc, sp_error *err) {
  return sp_function_and.bind(f, args, n, a, ret, loc, err);
}

static sp_status prepare_all(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                             sp_error *err) {
  return sp_function_and.prepare(f, call, a, ret, err);
}

static sp_status prepare_any(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                             sp_error *err) {
  return sp_function_or.prepare(f, call, a, ret, err);
}

/* ---- least, greatest ---- */
typedef struct plan {
  sp_kernel less;
  bool greatest;
} plan;

/* take = valid, and the best so far is null or beaten. */
static void choose(uint8_t *take, const sp_column *c, const uint8_t *best_valid, const sp_column *less,
                   uint32_t n) {
  const sp_reader l = sp_column_reader(less);
  const uint8_t *beats = l.data;
  memset(take, 1, n);
  sp_validity_and(take, c, n);
  for (uint32_t i = 0; i < n; i++) {
    take[i] = (uint8_t)(take[i] & ((best_valid[i] ^ 1) | beats[l.is_const ? 0 : i]));
  }
}

/* best = the better of best and c. */
static sp_status consider(const plan *p, sp_eval *ev, sp_blend *b, const sp_column *c, uint8_t *take) {
  const sp_column *pair[2] = {p->greatest ? b->out : c, p->greatest ? c : b->out};
  sp_column *less = NULL;
  SP_TRY(p->less.eval(&p->less, ev, pair, 2, &less));
  choose(take, c, b->out->validity->data, less, ev->length);
  sp_column_unref(less);
  return sp_blend_add(b, c, take);
}

static bool is_null_const(const sp_column *c) {
  return c->encoding == SP_CONST && c->validity != NULL && c->validity->data[0] == 0;
}

static sp_status eval_best(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                           sp_column **ret) {
  sp_blend b;
  SP_TRY(sp_blend_begin(ev, k->result, &b));
  sp_buf *take = sp_buf_new(ev->mk.pool, ev->mk.mem, ev->length);
  sp_status st = take != NULL ? sp_blend_add(&b, args[0], NULL) : sp_error_nomem(ev->err);
  for (uint32_t i = 1; st == SP_OK && i < n; i++) {
    if (!is_null_const(args[i])) {
      st = consider(k->data, ev, &b, args[i], take->data);
    }
  }
  sp_buf_unref(take);
  if (st != SP_OK) {
    sp_blend_abort(&b);
    return st;
  }
  *ret = sp_blend_end(&b);
  return SP_OK;
}

static sp_status bind_best(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                           sp_binding *ret, const sp_loc *loc, sp_error *err) {
  return sp_function_coalesce.bind(f, args, n, a, ret, loc, err);
}

static sp_status prepare_best(const sp_expr *call, sp_arena *a, bool greatest, sp_kernel *ret,
                              sp_error *err) {
  plan *p = SP_ARENA_NEW(a, plan);
  SP_TRY_ALLOC(err, p);
  p->greatest = greatest;
  p->less = (sp_kernel){.call = call, .result = sp_bool_type()};
  ret->data = p;
  ret->eval = eval_best;
  return sp_function_lt.prepare(&sp_function_lt, call, a, &p->less, err);
}

static sp_status prepare_least(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                               sp_error *err) {
  (void)f;
  return prepare_best(call, a, false, ret, err);
}

static sp_status prepare_greatest(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                                  sp_error *err) {
  (void)f;
  return prepare_best(call, a, true, ret, err);
}

/* ---- sum ---- */
static sp_status bind_sum(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                          sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  const sp_type *t = args[0]->type;
  for (uint32_t i = 0; i < n; i++) {
    SP_TRY(sp_bind_arg(f, args, i, SP_TAKES_NUMBER | SP_TAKES_BOOL, sp_int64_type(), ret, loc, err));
    if (t->kind == SP_KIND_NULL) {
      t = args[i]->type;
    }
  }
  if (t->family == SP_FAMILY_DECIMAL) {
    uint32_t p = t->precision + 1u;
    for (uint32_t count = n; count > 10; count /= 10) {
      p++;
    }
    t = sp_type_decimal(p > 38 ? 38 : p, t->scale);
  } else {
    t = sp_type_is_float(t) || t->kind == SP_KIND_UINT64 ? sp_float64_type() : sp_int64_type();
  }
  for (uint32_t i = 0; i < n; i++) {
    ret->args[i] = t;
  }
  ret->result = t;
  return SP_OK;
}

static bool sum_can_fail(const sp_expr *call) {
  return call->type->family == SP_FAMILY_DECIMAL && call->type->precision == 38;
}

static sp_status add_row(sp_eval *ev, const sp_type *t, uint8_t *to, const uint8_t *from) {
  if (t->phys == SP_PHYS_F64) {
    *(double *)(void *)to += *(const double *)(const void *)from;
  } else if (t->phys == SP_PHYS_I128) {
    sp_i128 *o = (sp_i128 *)(void *)to, sum;
    if (__builtin_add_overflow(*o, *(const sp_i128 *)(const void *)from, &sum) || !sp_decimal_fits(sum, 38)) {
      SP_FAIL(ev->err, SP_EXEC, NULL, "sum_horizontal has more than 38 digits");
    }
    *o = sum;
  } else {
    uint64_t *o = (uint64_t *)(void *)to;
    *o += *(const uint64_t *)(const void *)from;
  }
  return SP_OK;
}

static sp_status add_column(sp_eval *ev, const sp_column *c, sp_column *out) {
  const sp_type *t = out->type;
  const sp_reader in = sp_column_reader(c);
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    if (sp_reader_valid(&in, r)) {
      out->validity->data[r] = 1;
      SP_TRY(add_row(ev, t, out->values->data + (size_t)r * t->width,
                     (const uint8_t *)in.data + (size_t)sp_reader_index(&in, r) * t->width));
    }
  }
  return SP_OK;
}

static sp_status eval_sum(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                          sp_column **ret) {
  sp_blend b;
  SP_TRY(sp_blend_begin(ev, k->result, &b));
  for (uint32_t i = 0; i < n; i++) {
    const sp_status st = add_column(ev, args[i], b.out);
    if (st != SP_OK) {
      sp_blend_abort(&b);
      return st;
    }
  }
  *ret = sp_blend_end(&b);
  return SP_OK;
}
SP_PREPARE_WITH(prepare_sum, eval_sum)

#define HORIZONTAL(NAME, FLAGS, BIND, PREPARE, FALLIBLE, SUMMARY)                                            \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_HORIZONTAL | FLAGS,                                 \
                                          .min_args = 1,                                                     \
                                          .max_args = UINT16_MAX,                                            \
                                          .bind = BIND,                                                      \
                                          .prepare = PREPARE,                                                \
                                          .fallible = FALLIBLE};
HORIZONTAL(all_horizontal, SP_FN_COMMUTATIVE, bind_bools, prepare_all, NULL,
           "all_horizontal(a, b, …): are all true?")
HORIZONTAL(any_horizontal, SP_FN_COMMUTATIVE, bind_bools, prepare_any, NULL,
           "any_horizontal(a, b, …): is one true?")
HORIZONTAL(min_horizontal, SP_FN_SAME_TYPE, bind_best, prepare_least, NULL,
           "min_horizontal(a, b, …): the least that is not null")
HORIZONTAL(max_horizontal, SP_FN_SAME_TYPE, bind_best, prepare_greatest, NULL,
           "max_horizontal(a, b, …): the greatest that is not null")
HORIZONTAL(least, SP_FN_SAME_TYPE, bind_best, prepare_least, NULL,
           "least(a, b, …): the least that is not null")
HORIZONTAL(greatest, SP_FN_SAME_TYPE, bind_best, prepare_greatest, NULL,
           "greatest(a, b, …): the greatest that is not null")
HORIZONTAL(sum_horizontal, SP_FN_SAME_TYPE, bind_sum, prepare_sum, sum_can_fail,
           "sum_horizontal(a, b, …): the sum of those that are not null")
