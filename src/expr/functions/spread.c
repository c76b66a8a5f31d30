/* std(x), var(x): standard deviation and variance of a sample (divided by n - 1), float64; null for fewer
 * than two values.
 *
 * The state is two exact sums, of x and of x². x² is split exactly into a double and the rest that it rounds
 * off (by fma), so neither sum loses anything; only n·Σx² - (Σx)² at the end cancels, and that is computed
 * with about 106 bits (pairs of doubles), so that a variance 10^15 times smaller than the square of the mean
 * still has full precision. The result is the same for every order.
 *
 * Example: var over 1, 2, 3 is 1.0; std over 1e9, 1e9 + 1 is 0.7071067811865476. */
#include <math.h>

#include "expr/aggregate.h"
#include "expr/exact_sum.h"

typedef struct state {
  sp_exact_sum x, squares;
} state;

static uint32_t state_size(const sp_agg *a) {
  (void)a;
  return sizeof(state);
}

static inline bool add(state *st, sp_mem *mem, double x) {
  const double square = x * x, rest = fma(x, x, -square);
  return sp_exact_add(&st->x, mem, x) && sp_exact_add(&st->squares, mem, square) &&
         (!(rest != 0) || !isfinite(square) || sp_exact_add(&st->squares, mem, rest));
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
    if (!sp_exact_merge(&to->x, mem, &from->x) || !sp_exact_merge(&to->squares, mem, &from->squares)) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

static void destroy(const sp_agg *a, sp_mem *mem, const sp_agg_states *s, uint32_t n) {
  (void)a;
  for (uint32_t i = 0; i < n; i++) {
    state *st = sp_agg_at(s, i);
    sp_exact_release(&st->x, mem);
    sp_exact_release(&st->squares, mem);
  }
}

/* ---- pairs of doubles: hi + lo with |lo| at most half an ulp of hi (Dekker, Knuth) ---- */
typedef struct pair {
  double hi, lo;
} pair;

static pair two_sum(double a, double b) {
  const double s = a + b, t = s - a;
  return (pair){s, (a - (s - t)) + (b - t)};
}

static pair pair_add(pair a, pair b) {
  const pair s = two_sum(a.hi, b.hi), t = two_sum(a.lo, b.lo), u = two_sum(s.hi, s.lo + t.hi);
  return two_sum(u.hi, u.lo + t.lo);
}

static pair pair_mul(pair a, pair b) {
  const double p = a.hi * b.hi;
  return two_sum(p, fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi));
}

/* (n Σx² - (Σx)²) / (n (n - 1)) */
static double variance(const state *st, uint64_t count) {
  pair x, squares;
  sp_exact_get2(&st->x, &x.hi, &x.lo);
  sp_exact_get2(&st->squares, &squares.hi, &squares.lo);
  const double n = (double)count;
  const pair square = pair_mul(x, x);
  const pair d = pair_add(pair_mul(squares, (pair){n, 0}), (pair){-square.hi, -square.lo});
  const double r = d.hi / (n * (n - 1));
  return r < 0 ? 0 : r; /* rounding may not make it negative; NaN stays */
}

static sp_status finish(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n,
                        sp_column **ret, sp_error *err) {
  sp_column *c = sp_agg_out(mk, a->result, n);
  SP_TRY_ALLOC(err, c);
  double *out = (double *)(void *)c->values->data;
  for (uint32_t i = 0; i < n; i++) {
    const state *st = sp_agg_at(s, from + i);
    const uint64_t count = sp_exact_count(&st->x);
    c->validity->data[i] = count > 1;
    if (count > 1) {
      const double v = variance(st, count);
      out[i] = a->fn == &sp_function_std ? sqrt(v) : v;
    }
  }
  *ret = sp_agg_done(c);
  return SP_OK;
}

static sp_status bind(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                      sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  ret->result = sp_float64_type();
  return sp_bind_arg_as(f, args, 0, SP_TAKES_NUMBER | SP_TAKES_BOOL, sp_float64_type(), ret, loc, err);
}

static const sp_aggregate_ops ops = {
    .state_size = state_size, .update = update, .merge = merge, .finish = finish, .destroy = destroy};
const sp_function sp_function_var = {
    .name = "var",
    .summary = "var(x): variance of a sample (n - 1); null for fewer than two values",
    .flags = SP_FN_AGGREGATE,
    .min_args = 1,
    .max_args = 1,
    .bind = bind,
    .aggregate = &ops};
const sp_function sp_function_std = {
    .name = "std",
    .summary = "std(x): standard deviation of a sample (n - 1); null for fewer than two values",
    .flags = SP_FN_AGGREGATE,
    .min_args = 1,
    .max_args = 1,
    .bind = bind,
    .aggregate = &ops};
