/* median(x), quantile(x, q): float64, between the two nearest values in proportion (q × (n - 1) is the place,
 * counted from 0); null for no values. NaN is the greatest value.
 *
 * The state keeps all values; they are sorted at the end (by selection, in linear time), so the order of
 * adding does not matter.
 *
 * Example: median over 1, 2, 4 is 2.0, over 1, 2 is 1.5; quantile(x, 0.25) over 0, 10 is 2.5. */
#include <math.h>

#include "expr/aggregate.h"

typedef struct state {
  double *v;
  uint64_t n, cap;
} state;

static uint32_t state_size(const sp_agg *a) {
  (void)a;
  return sizeof(state);
}

static bool reserve(state *st, sp_mem *mem, uint64_t n) {
  if (n <= st->cap) {
    return true;
  }
  uint64_t cap = st->cap == 0 ? 8 : st->cap;
  while (cap < n) {
    cap *= 2;
  }
  size_t bytes;
  if (!sp_size_mul(cap, sizeof *st->v, &bytes)) {
    return false;
  }
  double *grown = sp_mem_realloc(mem, st->v, st->cap * sizeof *st->v, bytes);
  if (grown == NULL) {
    return false;
  }
  st->v = grown;
  st->cap = cap;
  return true;
}

static inline bool add(state *st, sp_mem *mem, double x) {
  if (st->n == st->cap && !reserve(st, mem, st->n + 1)) {
    return false;
  }
  st->v[st->n++] = x;
  return true;
}

static sp_status update(const sp_agg *a, sp_mem *mem, const sp_column *const *args, const uint16_t *rows,
                        uint32_t n, const uint32_t *groups, const sp_agg_states *s, uint64_t source,
                        uint64_t seq, sp_error *err) {
  (void)a, (void)source, (void)seq;
  const sp_agg_rows r = sp_agg_rows_of(args[0], rows, n, groups);
  const double *v = r.in.data;
  SP_AGG_EACH(r, i, row, g, {
    if (!add(sp_agg_at(s, g), mem, v[i])) {
      return sp_error_nomem(err);
    }
  });
  return SP_OK;
}

static sp_status merge(const sp_agg *a, sp_mem *mem, const sp_agg_states *src, uint32_t n,
                       const uint32_t *map, const sp_agg_states *dst, sp_error *err) {
  (void)a;
  for (uint32_t i = 0; i < n; i++) {
    const state *from = sp_agg_at(src, i);
    state *to = sp_agg_at(dst, sp_agg_target(map, i));
    if (!reserve(to, mem, to->n + from->n)) {
      return sp_error_nomem(err);
    }
    if (from->n > 0) {
      memcpy(to->v + to->n, from->v, from->n * sizeof *to->v);
      to->n += from->n;
    }
  }
  return SP_OK;
}

static void destroy(const sp_agg *a, sp_mem *mem, const sp_agg_states *s, uint32_t n) {
  (void)a;
  for (uint32_t i = 0; i < n; i++) {
    state *st = sp_agg_at(s, i);
    sp_mem_free(mem, st->v, st->cap * sizeof *st->v);
    *st = (state){0};
  }
}

static inline bool less(double a, double b) {
  return a < b || (a == a && b != b);
}

static void swap(double *a, double *b) {
  const double t = *a;
  *a = *b;
  *b = t;
}

/* Puts the k-th smallest in its place, smaller ones before and greater ones behind it. Splits in three, so
 * that equal values do not make it quadratic; pivots by a generator that the data does not know. */
static double select_nth(double *v, uint64_t n, uint64_t k) {
  uint64_t lo = 0, hi = n, seed = n * UINT64_C(0x9e3779b97f4a7c15) | 1;
  while (hi - lo > 1) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    const double pivot = v[lo + seed % (hi - lo)];
    uint64_t below = lo, i = lo, above = hi;
    while (i < above) {
      if (less(v[i], pivot)) {
        swap(&v[i++], &v[below++]);
      } else if (less(pivot, v[i])) {
        swap(&v[i], &v[--above]);
      } else {
        i++;
      }
    }
    if (k < below) {
      hi = below;
    } else if (k >= above) {
      lo = above;
    } else {
      return v[k];
    }
  }
  return v[k];
}

static double quantile_of(const state *st, double q) {
  const double place = q * (double)(st->n - 1);
  uint64_t k = (uint64_t)place;
  k = k >= st->n ? st->n - 1 : k;
  const double part = place - (double)k, low = select_nth(st->v, st->n, k);
  if (part == 0 || k + 1 >= st->n) {
    return low;
  }
  double high = st->v[k + 1]; /* the least of those behind */
  for (uint64_t i = k + 2; i < st->n; i++) {
    high = less(st->v[i], high) ? st->v[i] : high;
  }
  return low == high ? low : low * (1 - part) + high * part;
}

/* Sorting in the state changes only the order of what it holds. */
static sp_status finish(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n,
                        sp_column **ret, sp_error *err) {
  const double q = a->call->n_args == 2 ? a->call->args[1]->literal.f : 0.5;
  sp_column *c = sp_agg_out(mk, a->result, n);
  SP_TRY_ALLOC(err, c);
  double *out = (double *)(void *)c->values->data;
  for (uint32_t i = 0; i < n; i++) {
    const state *st = sp_agg_at(s, from + i);
    c->validity->data[i] = st->n > 0;
    if (st->n > 0) {
      out[i] = quantile_of(st, q);
    }
  }
  *ret = sp_agg_done(c);
  return SP_OK;
}

static sp_status bind(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                      sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  SP_TRY(sp_bind_arg_as(f, args, 0, SP_TAKES_NUMBER, sp_float64_type(), ret, loc, err));
  ret->result = sp_float64_type();
  if (n == 1) {
    return SP_OK;
  }
  SP_TRY(sp_bind_literal(f, args, 1, loc, err));
  SP_TRY(sp_bind_arg_as(f, args, 1, SP_TAKES_NUMBER, sp_float64_type(), ret, loc, err));
  const sp_value *q = &args[1]->literal;
  const bool in_range = sp_type_is_float(q->type) ? q->f >= 0 && q->f <= 1
                        : sp_type_is_int(q->type) ? q->u <= 1
                                                  : true;
  if (!in_range) {
    SP_FAIL(err, SP_TYPE, loc, "%s: argument 2 must lie between 0 and 1", f->name);
  }
  return SP_OK;
}

static const sp_aggregate_ops ops = {
    .state_size = state_size, .update = update, .merge = merge, .finish = finish, .destroy = destroy};
const sp_function sp_function_median = {.name = "median",
                                        .summary = "median(x): the middle value, or halfway between two",
                                        .flags = SP_FN_AGGREGATE,
                                        .min_args = 1,
                                        .max_args = 1,
                                        .bind = bind,
                                        .aggregate = &ops};
const sp_function sp_function_quantile = {
    .name = "quantile",
    .summary = "quantile(x, q): the value below which a part q of them lies, interpolated",
    .flags = SP_FN_AGGREGATE,
    .min_args = 2,
    .max_args = 2,
    .bind = bind,
    .aggregate = &ops};
