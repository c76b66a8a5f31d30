/* sum(x), mean(x).
 *
 * Nothing is rounded or checked before the end, so that the result does not depend on who added what when:
 * integers and decimals are added in 192 bits, floats exactly (exact_sum.h). sum   of integers and bools
 * int64, of uint64 uint64, of decimal(p,s) decimal(38,s), of floats float64, of durations a duration; a sum
 * that its type does not hold is an error. Of nothing: null mean  float64: the exact sum divided by the
 * count. Of nothing: null
 *
 * Example: sum over 1e16, 1, -1e16 is 1.0; sum over two int64 maxima fails with "sum overflows int64". */
#include "data/text.h"
#include "expr/aggregate.h"
#include "expr/exact_sum.h"

/* ---- integers and decimals: 192 bits ---- */
typedef struct int_state {
  uint64_t lo, mid;
  int64_t hi;
  uint64_t count;
} int_state;

static inline void add_128(int_state *st, sp_i128 v) {
  const sp_u128 old = (sp_u128)st->mid << 64 | st->lo, sum = old + (sp_u128)v;
  st->lo = (uint64_t)sum;
  st->mid = (uint64_t)(sum >> 64);
  st->hi += (int64_t)(sum < old) - (v < 0);
}

/* All of a batch into one sum, in int64 while the largest magnitude allows it. */
SP_CLONES static int64_t total_i64(const int64_t *v, uint32_t n, uint64_t *ret_bits) {
  uint64_t sum = 0, bits = 0; /* wraps when the magnitude forbids it; then it is not used */
  for (uint32_t i = 0; i < n; i++) {
    sum += (uint64_t)v[i];
    bits |= (uint64_t)(v[i] ^ (v[i] >> 63));
  }
  *ret_bits = bits;
  return (int64_t)sum;
}

static void add_all_i64(int_state *st, const int64_t *v, uint32_t n) {
  uint64_t bits;
  sp_i128 sum = total_i64(v, n, &bits);
  if (bits >> 46 != 0) { /* 2^46 × 2^16 rows stay below 2^63 */
    sum = 0;
    for (uint32_t i = 0; i < n; i++) {
      sum += v[i];
    }
  }
  add_128(st, sum);
}

#define ADD_ROWS(suffix, T)                                                                                  \
  static void add_##suffix(const sp_agg_rows *rows, const sp_agg_states *s) {                                \
    const T *v = rows->in.data;                                                                              \
    uint8_t *base = sp_agg_base(s);                                                                          \
    const size_t stride = s->stride;                                                                         \
    SP_AGG_EACH(*rows, i, row, g, {                                                                          \
      int_state *st = (int_state *)(void *)(base + g * stride);                                              \
      add_128(st, (sp_i128)v[i]);                                                                            \
      st->count++;                                                                                           \
    });                                                                                                      \
  }
ADD_ROWS(i8, int8_t)
ADD_ROWS(i16, int16_t)
ADD_ROWS(i32, int32_t)
ADD_ROWS(i64, int64_t)
ADD_ROWS(u8, uint8_t)
ADD_ROWS(u16, uint16_t)
ADD_ROWS(u32, uint32_t)
ADD_ROWS(u64, uint64_t)
ADD_ROWS(i128, sp_i128)

static void update_ints(sp_phys phys, const sp_agg_rows *r, const sp_agg_states *s) {
  typedef void (*add_fn)(const sp_agg_rows *, const sp_agg_states *);
  static const add_fn by_phys[] = {
      [SP_PHYS_I8] = add_i8,   [SP_PHYS_I16] = add_i16, [SP_PHYS_I32] = add_i32,
      [SP_PHYS_I64] = add_i64, [SP_PHYS_U8] = add_u8,   [SP_PHYS_U16] = add_u16,
      [SP_PHYS_U32] = add_u32, [SP_PHYS_U64] = add_u64, [SP_PHYS_I128] = add_i128};
  if (phys == SP_PHYS_I64 && r->plain && r->groups == NULL) {
    int_state *st = sp_agg_at(s, 0);
    add_all_i64(st, r->in.data, r->n);
    st->count += r->n;
    return;
  }
  by_phys[phys](r, s);
}

/* ---- floats ---- */
static bool update_floats(sp_phys phys, sp_mem *mem, const sp_agg_rows *r, const sp_agg_states *s) {
  uint8_t *base = sp_agg_base(s);
  const size_t stride = s->stride;
  if (phys == SP_PHYS_F32) {
    const float *v = r->in.data;
    SP_AGG_EACH(*r, i, row, g, {
      if (!sp_exact_add((sp_exact_sum *)(void *)(base + g * stride), mem, (double)v[i])) {
        return false;
      }
    });
    return true;
  }
  const double *v = r->in.data;
  if (r->plain && r->groups == NULL) {
    return sp_exact_add_all((sp_exact_sum *)(void *)base, mem, v, r->n);
  }
  SP_AGG_EACH(*r, i, row, g, {
    if (!sp_exact_add((sp_exact_sum *)(void *)(base + g * stride), mem, v[i])) {
      return false;
    }
  });
  return true;
}

/* ---- both ---- */
_Static_assert(sizeof(int_state) == 32 && sizeof(sp_exact_sum) == 32, "either fits the state");
static uint32_t state_size(const sp_agg *a) {
  (void)a;
  return 32;
}

static bool is_float_sum(const sp_agg *a) {
  return sp_type_is_float(a->arg);
}

static sp_status update(const sp_agg *a, sp_mem *mem, const sp_column *const *args, const uint16_t *rows,
                        uint32_t n, const uint32_t *groups, const sp_agg_states *s, uint64_t source,
                        uint64_t seq, sp_error *err) {
  (void)source, (void)seq;
  const sp_agg_rows r = sp_agg_rows_of(args[0], rows, n, groups);
  if (is_float_sum(a)) {
    return update_floats(a->arg->phys, mem, &r, s) ? SP_OK : sp_error_nomem(err);
  }
  update_ints(a->arg->phys, &r, s);
  return SP_OK;
}

static sp_status merge(const sp_agg *a, sp_mem *mem, const sp_agg_states *src, uint32_t n,
                       const uint32_t *map, const sp_agg_states *dst, sp_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    void *to = sp_agg_at(dst, sp_agg_target(map, i));
    const void *from = sp_agg_at(src, i);
    if (is_float_sum(a)) {
      if (!sp_exact_merge(to, mem, from)) {
        return sp_error_nomem(err);
      }
      continue;
    }
    const int_state *x = from;
    int_state *y = to;
    y->hi += x->hi + (x->mid >> 63); /* what add_128 takes off for a value that looks negative */
    add_128(y, (sp_i128)((sp_u128)x->mid << 64 | x->lo));
    y->count += x->count;
  }
  return SP_OK;
}

static void destroy(const sp_agg *a, sp_mem *mem, const sp_agg_states *s, uint32_t n) {
  for (uint32_t i = 0; is_float_sum(a) && i < n; i++) {
    sp_exact_release(sp_agg_at(s, i), mem);
  }
}

/* The sum as 128 bits; false when it needs more. */
static bool total_of(const int_state *st, sp_i128 *ret) {
  *ret = (sp_i128)((sp_u128)st->mid << 64 | st->lo);
  return st->hi == (*ret < 0 ? -1 : 0);
}

static sp_status put_int_sum(const sp_agg *a, const int_state *st, uint8_t *slot, sp_error *err) {
  const sp_type *t = a->result;
  sp_i128 v;
  bool fits = total_of(st, &v);
  if (t->family == SP_FAMILY_DECIMAL) {
    fits = fits && sp_decimal_fits(v, t->precision);
  } else if (t->family == SP_FAMILY_UNSIGNED) {
    fits = fits && v >= 0 && v <= UINT64_MAX;
  } else {
    fits = fits && v >= INT64_MIN && v <= INT64_MAX;
  }
  if (!fits) {
    SP_FAIL(err, SP_EXEC, NULL, "sum overflows %s", t->name);
  }
  memcpy(slot, &v, t->width);
  return SP_OK;
}

static sp_status finish_sum(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n,
                            sp_column **ret, sp_error *err) {
  sp_column *c = sp_agg_out(mk, a->result, n);
  SP_TRY_ALLOC(err, c);
  for (uint32_t i = 0; i < n; i++) {
    const void *st = sp_agg_at(s, from + i);
    uint8_t *slot = c->values->data + (size_t)i * a->result->width;
    if (is_float_sum(a)) {
      const double v = sp_exact_get(st);
      memcpy(slot, &v, sizeof v);
      c->validity->data[i] = sp_exact_count(st) > 0;
      continue;
    }
    c->validity->data[i] = ((const int_state *)st)->count > 0;
    const sp_status status = put_int_sum(a, st, slot, err);
    if (status != SP_OK) {
      sp_column_unref(c);
      return status;
    }
  }
  *ret = sp_agg_done(c);
  return SP_OK;
}

/* 2^64 counts of 128-bit values have no use for more than a double's range. */
static double int_mean(const sp_agg *a, const int_state *st) {
  sp_i128 v;
  if (!total_of(st, &v)) {
    const double wide = (double)st->hi * 0x1p128 + (double)((sp_u128)st->mid << 64 | st->lo);
    return wide / (double)sp_pow10[a->arg->scale] / (double)st->count;
  }
  return (double)v / ((double)sp_pow10[a->arg->scale] * (double)st->count);
}

static sp_status finish_mean(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n,
                             sp_column **ret, sp_error *err) {
  sp_column *c = sp_agg_out(mk, a->result, n);
  SP_TRY_ALLOC(err, c);
  double *out = (double *)(void *)c->values->data;
  for (uint32_t i = 0; i < n; i++) {
    const void *st = sp_agg_at(s, from + i);
    const uint64_t count = is_float_sum(a) ? sp_exact_count(st) : ((const int_state *)st)->count;
    c->validity->data[i] = count > 0;
    if (count > 0) {
      out[i] = is_float_sum(a) ? sp_exact_get(st) / (double)count : int_mean(a, st);
    }
  }
  *ret = sp_agg_done(c);
  return SP_OK;
}

static sp_status bind_sum(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                          sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  SP_TRY(sp_agg_bind(f, args, SP_TAKES_NUMBER | SP_TAKES_BOOL | SP_TAKES_DURATION, sp_int64_type(), ret, loc,
                     err));
  const sp_type *t = ret->args[0];
  ret->result = t->family == SP_FAMILY_DECIMAL                             ? sp_type_decimal(38, t->scale)
                : sp_type_is_float(t)                                      ? sp_float64_type()
                : t->kind == SP_KIND_UINT64 || t->kind == SP_KIND_DURATION ? t
                                                                           : sp_int64_type();
  return SP_OK;
}

static sp_status bind_mean(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                           sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  SP_TRY(sp_agg_bind(f, args, SP_TAKES_NUMBER | SP_TAKES_BOOL, sp_float64_type(), ret, loc, err));
  ret->result = sp_float64_type();
  return SP_OK;
}

/* Decimals of 38 digits and int64 can leave their type; so can everything that is an integer, in theory. */
static bool sum_can_fail(const sp_expr *call) {
  return call->n_args == 1 && call->args[0]->type != NULL && !sp_type_is_float(call->args[0]->type);
}

static const sp_aggregate_ops sum_ops = {
    .state_size = state_size, .update = update, .merge = merge, .finish = finish_sum, .destroy = destroy};
static const sp_aggregate_ops mean_ops = {
    .state_size = state_size, .update = update, .merge = merge, .finish = finish_mean, .destroy = destroy};
const sp_function sp_function_sum = {
    .name = "sum",
    .summary =
        "sum(x): of ints int64, of decimals 38 digits, of floats exact and rounded once; null for none",
    .flags = SP_FN_AGGREGATE,
    .min_args = 1,
    .max_args = 1,
    .bind = bind_sum,
    .fallible = sum_can_fail,
    .aggregate = &sum_ops};
const sp_function sp_function_mean = {
    .name = "mean",
    .summary = "mean(x): the exact sum divided by the count, float64; null for none",
    .flags = SP_FN_AGGREGATE,
    .min_args = 1,
    .max_args = 1,
    .bind = bind_mean,
    .aggregate = &mean_ops};
