/* Aggregates against slow ones over lists of values; and the same bits however the rows are split, ordered
 * and merged. */
#include "eval_support.h"

#include "expr/kernel.h"
#include "tests/support/torture.h"

#define ROWS 120
#define GROUPS 4
#define BATCHES 6

typedef struct call {
  sp_agg agg;
  const char *text;
  uint32_t size;
} call;

static call make_call(fixture *t, const char *text) {
  const sp_expr *e = sp_expr_unalias(must_bind(t, text, SP_BIND_AGGREGATES));
  assert_int_equal(e->kind, SP_EXPR_CALL);
  call c = {
      .agg = {.fn = e->fn, .call = e, .arg = e->n_args > 0 ? e->args[0]->type : NULL, .result = e->type},
      .text = text};
  c.size = e->fn->aggregate->state_size(&c.agg);
  assert_int_equal(c.size % 8, 0);
  return c;
}

typedef struct states {
  sp_agg_states s;
  uint32_t n;
} states;

static states new_states(sp_mem *mem, const call *c, uint32_t n) {
  const size_t stride = (c->size + 31) / 16 * 16;
  states x = {.s = {.stride = stride, .offset = 16}, .n = n};
  x.s.base = sp_mem_calloc(mem, stride * n + 16);
  if (x.s.base != NULL && c->agg.fn->aggregate->init != NULL) {
    for (uint32_t i = 0; i < n; i++) {
      c->agg.fn->aggregate->init(&c->agg, sp_agg_at(&x.s, i));
    }
  }
  return x;
}

static void free_states(sp_mem *mem, const call *c, states *x) {
  if (x->s.base != NULL && c->agg.fn->aggregate->destroy != NULL) {
    c->agg.fn->aggregate->destroy(&c->agg, mem, &x->s, x->n);
  }
  sp_mem_free(mem, x->s.base, x->s.stride * x->n + 16);
  x->s.base = NULL;
}

/* ---- the data: batches of one column, and a group per row ---- */
typedef struct data {
  const sp_type *type;
  sp_column *cols[BATCHES];
  uint32_t groups[BATCHES][ROWS];
} data;

/* The argument's column over a random batch. */
static void make_data(fixture *t, const call *c, data *d, uint32_t how) {
  d->type = c->agg.arg;
  for (uint32_t b = 0; b < BATCHES; b++) {
    const uint32_t n = 1 + below(t, ROWS);
    random_batch(t, n, how);
    d->cols[b] = NULL;
    if (c->agg.arg != NULL) {
      sp_error err = SP_ERROR_INIT;
      if (eval_bound(t, c->agg.call->args[0], t->batch, NULL, n, &d->cols[b], &err) != SP_OK) {
        fail_msg("%s: %s", c->text, err.message);
      }
    } else {
      d->cols[b] = random_flat(t, sp_int64_type(), n, 0, 0);
    }
    for (uint32_t r = 0; r < n; r++) {
      d->groups[b][r] = below(t, GROUPS);
    }
  }
}

static void free_data(data *d) {
  for (uint32_t b = 0; b < BATCHES; b++) {
    sp_column_unref(d->cols[b]);
  }
}

static sp_status update(const call *c, sp_mem *mem, const data *d, uint32_t b, const uint16_t *rows,
                        uint32_t n, const uint32_t *groups, const states *x, sp_error *err) {
  const sp_column *args[2] = {d->cols[b], NULL};
  return c->agg.fn->aggregate->update(&c->agg, mem, c->agg.arg != NULL ? args : NULL, rows, n, groups, &x->s,
                                      b / 2, b % 2, err);
}

/* One batch into x: whole, or its odd rows and then its even ones as selections. turned: group g counts as
 * the g-th from behind. */
static sp_status add_batch(const call *c, sp_mem *mem, const data *d, uint32_t b, bool grouped, bool pieces,
                           bool turned, const states *x, sp_error *err) {
  const uint32_t n = d->cols[b]->length;
  for (uint32_t pass = 0; pass < (pieces ? 2u : 1u); pass++) {
    uint16_t rows[ROWS];
    uint32_t groups[ROWS], m = 0;
    for (uint32_t r = 0; r < n; r++) {
      if (!pieces || r % 2 != pass) {
        groups[m] = turned ? GROUPS - 1 - d->groups[b][r] : d->groups[b][r];
        rows[m++] = (uint16_t)r;
      }
    }
    SP_TRY(update(c, mem, d, b, pieces ? rows : NULL, m, grouped ? groups : NULL, x, err));
  }
  return SP_OK;
}

/* All batches: in order into one set of states; or shuffled, in pieces, into three sets that are merged. */
static sp_status run(fixture *t, sp_mem *mem, const call *c, const data *d, bool grouped, bool shuffled,
                     sp_column **ret, sp_error *err) {
  const uint32_t n_groups = grouped ? GROUPS : 1;
  states x[3];
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < 3; i++) {
    x[i] = new_states(mem, c, n_groups);
    st = x[i].s.base == NULL ? SP_NOMEM : st;
  }
  const uint32_t turn = shuffled ? below(t, BATCHES) : 0;
  for (uint32_t k = 0; st == SP_OK && k < BATCHES; k++) {
    const uint32_t b = shuffled ? (turn + (BATCHES - k) * 5) % BATCHES : k, set = shuffled ? below(t, 3) : 2;
    st = add_batch(c, mem, d, b, grouped, shuffled, set != 2, &x[set], err);
  }
  uint32_t map[GROUPS];
  for (uint32_t g = 0; g < n_groups; g++) {
    map[g] = n_groups - 1 - g;
  }
  for (uint32_t i = 0; st == SP_OK && shuffled && i < 2; i++) {
    st = c->agg.fn->aggregate->merge(&c->agg, mem, &x[i].s, n_groups, grouped ? map : NULL, &x[2].s, err);
  }
  if (st == SP_OK) {
    st = c->agg.fn->aggregate->finish(&c->agg, (sp_maker){.mem = mem}, &x[2].s, 0, n_groups, ret, err);
  }
  for (uint32_t i = 0; i < 3; i++) {
    free_states(mem, c, &x[i]);
  }
  return st;
}

/* ---- slow aggregates ---- */
typedef struct list {
  sp_value v[BATCHES * ROWS];
  uint32_t n;
} list;

static void collect(const data *d, bool grouped, uint32_t group, bool nulls, list *ret) {
  ret->n = 0;
  for (uint32_t b = 0; b < BATCHES; b++) {
    for (uint32_t r = 0; r < d->cols[b]->length; r++) {
      if (!grouped || d->groups[b][r] == group) {
        const sp_value v = sp_column_value(d->cols[b], r);
        if (!v.is_null || nulls) {
          ret->v[ret->n++] = v;
        }
      }
    }
  }
}

static double as_double(const sp_value *v) {
  return sp_type_is_float(v->type) ? v->f : sp_decimal_to_f64(sp_value_i128(v), v->type->scale);
}

static int by_value(const void *x, const void *y) {
  return sp_value_cmp(x, y);
}

static double slow_variance(const list *l) {
  long double mean = 0, sum = 0;
  for (uint32_t i = 0; i < l->n; i++) {
    mean += (long double)as_double(&l->v[i]) / l->n;
  }
  for (uint32_t i = 0; i < l->n; i++) {
    const long double x = (long double)as_double(&l->v[i]) - mean;
    sum += x * x;
  }
  return (double)(sum / (l->n - 1));
}

static double slow_sum(const list *l) {
  long double sum = 0;
  for (uint32_t i = 0; i < l->n; i++) {
    sum += (long double)as_double(&l->v[i]);
  }
  return (double)sum;
}

static bool near(double x, double y) {
  return x == y || (x != x && y != y) || fabs(x - y) <= 1e-9 * (fabs(x) + fabs(y));
}

/* nulls: with those of null values. */
static void check_group(const call *c, const list *l, const list *nulls, sp_value got) {
  const char *fn = c->agg.fn->name;
  if (strcmp(fn, "count") == 0) {
    assert_int_equal(got.i, c->agg.arg != NULL ? l->n : nulls->n);
    return;
  }
  if (strcmp(fn, "first") == 0 || strcmp(fn, "last") == 0) {
    const sp_value null = sp_value_null(c->agg.result);
    const sp_value want = nulls->n == 0 ? null : nulls->v[fn[0] == 'f' ? 0 : nulls->n - 1];
    assert_true(sp_value_eq(&got, &want));
    return;
  }
  static list sorted;
  sorted = *l;
  qsort(sorted.v, sorted.n, sizeof sorted.v[0], by_value);
  if (strcmp(fn, "n_unique") == 0) {
    int64_t distinct = sorted.n > 0;
    for (uint32_t i = 1; i < sorted.n; i++) {
      distinct += sp_value_cmp(&sorted.v[i - 1], &sorted.v[i]) != 0;
    }
    assert_int_equal(got.i, distinct);
    return;
  }
  const bool spread = strcmp(fn, "var") == 0 || strcmp(fn, "std") == 0;
  assert_int_equal(got.is_null, l->n < (spread ? 2u : 1u));
  if (got.is_null) {
    return;
  }
  if (strcmp(fn, "min") == 0 || strcmp(fn, "max") == 0) {
    assert_int_equal(sp_value_cmp(&got, &sorted.v[fn[1] == 'i' ? 0 : sorted.n - 1]), 0);
  } else if (strcmp(fn, "any_value") == 0) {
    assert_true(sp_value_eq(&got, &l->v[0]));
  } else if (strcmp(fn, "sum") == 0 && !sp_type_is_float(c->agg.arg)) {
    sp_i128 sum = 0;
    for (uint32_t i = 0; i < l->n; i++) {
      sum += sp_value_i128(&l->v[i]);
    }
    assert_true(sp_value_i128(&got) == sum);
  } else if (strcmp(fn, "sum") == 0) {
    assert_true(near(got.f, slow_sum(l)));
  } else if (strcmp(fn, "mean") == 0) {
    assert_true(near(got.f, slow_sum(l) / l->n));
  } else if (spread) {
    const double v = slow_variance(l);
    assert_true(near(got.f, fn[0] == 's' ? sqrt(v) : v));
  } else { /* median, quantile */
    const double q = c->agg.call->n_args == 2 ? c->agg.call->args[1]->literal.f : 0.5, place = q * (l->n - 1);
    const uint32_t k = (uint32_t)place;
    const double low = as_double(&sorted.v[k]), high = as_double(&sorted.v[k + 1 < l->n ? k + 1 : k]);
    assert_true(place == k
                    ? near(got.f, low)
                    : low == high || near(got.f, low + (high - low) * (place - k)) || !isfinite(got.f));
  }
}

static const char *const calls[] = {"count(*)",
                                    "count(i)",
                                    "count(s)",
                                    "sum(j)",
                                    "sum(k)",
                                    "sum(v)",
                                    "sum(b)",
                                    "sum(d)",
                                    "sum(d2)",
                                    "sum(x1)",
                                    "sum(g1)",
                                    "sum(du)",
                                    "mean(j)",
                                    "mean(d)",
                                    "mean(x1)",
                                    "mean(b)",
                                    "min(i)",
                                    "max(i)",
                                    "min(k)",
                                    "max(v)",
                                    "min(u)",
                                    "max(u)",
                                    "min(f)",
                                    "max(f)",
                                    "min(g)",
                                    "max(g)",
                                    "min(d)",
                                    "max(w)",
                                    "min(w)",
                                    "min(s)",
                                    "max(s)",
                                    "min(b)",
                                    "max(dt)",
                                    "min(ts)",
                                    "first(i)",
                                    "last(s)",
                                    "first(w)",
                                    "last(b)",
                                    "first(s)",
                                    "any_value(s)",
                                    "any_value(i)",
                                    "n_unique(i)",
                                    "n_unique(s)",
                                    "n_unique(f)",
                                    "n_unique(w)",
                                    "n_unique(b)",
                                    "n_unique(k)",
                                    "n_unique(g)",
                                    "var(j)",
                                    "std(x1)",
                                    "var(d)",
                                    "median(j)",
                                    "median(x1)",
                                    "quantile(j, 0.25)",
                                    "quantile(x1, 0.9)",
                                    "quantile(j, 0)",
                                    "quantile(j, 1)"};
#define N_CALLS (sizeof calls / sizeof calls[0])

/* x1 and g1 stand for floats that a long double can add up: eighths. */
static call make(fixture *t, const char *text) {
  char expanded[100];
  const char *at = strstr(text, "x1"), *g = strstr(text, "g1");
  if (at != NULL) {
    snprintf(expanded, sizeof expanded, "%.*sj / 8%s", (int)(at - text), text, at + 2);
  } else if (g != NULL) {
    snprintf(expanded, sizeof expanded, "%.*sCAST(k AS float32)%s", (int)(g - text), text, g + 2);
  } else {
    snprintf(expanded, sizeof expanded, "%s", text);
  }
  return make_call(t, sp_arena_strdup(&t->arena, expanded));
}

static void agree_with_slow_ones(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  for (size_t i = 0; i < N_CALLS; i++) {
    const call c = make(&t, calls[i]);
    for (uint32_t round = 0; round < 12; round++) {
      static data d;
      make_data(&t, &c, &d, round < 6 ? round : UINT32_MAX);
      const bool grouped = round % 2 == 0, shuffled = round % 3 != 0;
      sp_column *out = NULL;
      sp_error err = SP_ERROR_INIT;
      if (run(&t, &t.mem, &c, &d, grouped, shuffled, &out, &err) != SP_OK) {
        fail_msg("%s: %s", c.text, err.message);
      }
      assert_ptr_equal(out->type, c.agg.result);
      for (uint32_t g = 0; g < (grouped ? GROUPS : 1u); g++) {
        static list l, nulls;
        collect(&d, grouped, g, false, &l);
        collect(&d, grouped, g, true, &nulls);
        check_group(&c, &l, &nulls, sp_column_value(out, g));
      }
      sp_column_unref(out);
      free_data(&d);
    }
  }
  fixture_end(&t);
}

static void same_bits_in_every_order(void **state) {
  (void)state;
  static const char *const texts[] = {"sum(f)",     "mean(f)",         "sum(f2 / 3)",     "var(f2 / 3)",
                                      "std(g / 7)", "sum(g)",          "min(f)",          "max(f)",
                                      "median(f)",  "sum(exp(j) / 3)", "mean(1e-30 * f2)"};
  fixture t;
  fixture_begin(&t);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    const call c = make_call(&t, texts[i]);
    for (uint32_t round = 0; round < 10; round++) {
      static data d;
      make_data(&t, &c, &d, UINT32_MAX);
      sp_column *x = NULL, *y = NULL;
      assert_int_equal(run(&t, &t.mem, &c, &d, true, false, &x, NULL), SP_OK);
      assert_int_equal(run(&t, &t.mem, &c, &d, true, true, &y, NULL), SP_OK);
      for (uint32_t g = 0; g < GROUPS; g++) {
        const sp_value a = sp_column_value(x, g), b = sp_column_value(y, g);
        assert_int_equal(a.is_null, b.is_null);
        if (!a.is_null) {
          assert_true((a.f != a.f && b.f != b.f) || memcmp(&a.f, &b.f, sizeof a.f) == 0);
        }
      }
      sp_column_unref(x);
      sp_column_unref(y);
      free_data(&d);
    }
  }
  fixture_end(&t);
}

static sp_status sum_of(fixture *t, const char *text, const sp_value *v, uint32_t n, sp_value *ret,
                        sp_error *err) {
  const call c = make_call(t, text);
  states x = new_states(&t->mem, &c, 1);
  sp_column *flat = sp_column_flat((sp_maker){.mem = &t->mem}, c.agg.arg, n, false);
  for (uint32_t i = 0; i < n; i++) {
    sp_value_store(&v[i], flat->values->data + (size_t)i * c.agg.arg->width);
  }
  const sp_column *args[1] = {flat};
  assert_int_equal(c.agg.fn->aggregate->update(&c.agg, &t->mem, args, NULL, n, NULL, &x.s, 0, 0, err), SP_OK);
  sp_column *out = NULL;
  const sp_status st = c.agg.fn->aggregate->finish(&c.agg, (sp_maker){.mem = &t->mem}, &x.s, 0, 1, &out, err);
  if (st == SP_OK) {
    *ret = sp_column_value(out, 0);
  }
  sp_column_unref(out);
  sp_column_unref(flat);
  free_states(&t->mem, &c, &x);
  return st;
}

static void sums_that_overflow(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  sp_error err = SP_ERROR_INIT;
  sp_value got;
  const sp_value big[3] = {sp_value_int(sp_int64_type(), INT64_MAX), sp_value_int(sp_int64_type(), 1),
                           sp_value_int(sp_int64_type(), -1)};
  assert_int_equal(sum_of(&t, "sum(i)", big, 2, &got, &err), SP_EXEC);
  assert_string_equal(err.message, "sum overflows int64");
  assert_int_equal(sum_of(&t, "sum(i)", big, 3, &got, NULL),
                   SP_OK); /* what comes back in range has not overflowed */
  assert_int_equal(got.i, INT64_MAX);
  sp_value u[2] = {sp_value_null(sp_type_of(SP_KIND_UINT64)), sp_value_null(sp_type_of(SP_KIND_UINT64))};
  u[0].is_null = u[1].is_null = false;
  u[0].u = UINT64_MAX;
  u[1].u = 0;
  assert_int_equal(sum_of(&t, "sum(u)", u, 2, &got, NULL), SP_OK);
  assert_true(got.u == UINT64_MAX);
  u[1].u = 1;
  assert_int_equal(sum_of(&t, "sum(u)", u, 2, &got, NULL), SP_EXEC);
  const sp_type *wide = sp_type_parse(SP_SV("decimal(30,4)"));
  static sp_value w[40000];
  for (uint32_t i = 0; i < 40000; i++) {
    w[i] = sp_value_decimal(wide, sp_pow10[30] - 1);
  }
  assert_int_equal(sum_of(&t, "sum(w)", w, 40000, &got, NULL), SP_OK);
  assert_true(sp_value_i128(&got) == (sp_pow10[30] - 1) * 40000);
  fixture_end(&t);
}

static void variance_does_not_cancel(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  sp_value v[2] = {sp_value_float(sp_float64_type(), 1e9), sp_value_float(sp_float64_type(), 1e9 + 1)}, got;
  assert_int_equal(sum_of(&t, "std(f)", v, 2, &got, NULL), SP_OK);
  assert_true(got.f == 0.7071067811865476);
  v[0].f = 1e8;
  v[1].f = 1e8 + 4;
  assert_int_equal(sum_of(&t, "var(f)", v, 2, &got, NULL), SP_OK);
  assert_true(got.f == 8);
  v[1].f = 1e8 + 0x1p-10;
  assert_int_equal(sum_of(&t, "var(f)", v, 2, &got, NULL), SP_OK);
  assert_true(near(got.f, 0x1p-21));
  fixture_end(&t);
}

static void wrong_arguments(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  static const char *const texts[][2] = {
      {"sum(s)", "sum: argument 1 must be a number, a bool or a duration, not string"},
      {"mean(dt)", "mean: argument 1 must be a number or a bool, not date"},
      {"quantile(i, j)", "quantile: argument 2 must be a literal"},
      {"quantile(i, 1.5)", "quantile: argument 2 must lie between 0 and 1"},
      {"var(s)", "var: argument 1 must be"}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    sp_error err = SP_ERROR_INIT;
    assert_null(bind_text(&t, texts[i][0], SP_BIND_AGGREGATES, &err));
    assert_int_equal(err.status, SP_TYPE);
    if (strstr(err.message, texts[i][1]) == NULL) {
      fail_msg("%s: %s", texts[i][0], err.message);
    }
  }
  fixture_end(&t);
}

/* ---- failing allocations ---- */
typedef struct torture_ctx {
  fixture *t;
  call c;
  const data *d;
} torture_ctx;

static sp_status torture_run(sp_mem *mem, void *ctx) {
  torture_ctx *x = ctx;
  sp_column *out = NULL;
  sp_error err = SP_ERROR_INIT;
  x->t->seed = 42; /* the same split each time */
  const sp_status st = run(x->t, mem, &x->c, x->d, true, true, &out, &err);
  sp_column_unref(out);
  return st;
}

static void no_memory(void **state) {
  (void)state;
  static const char *const texts[] = {"sum(f)",   "sum(w)",      "min(s)",       "max(i)",
                                      "first(s)", "n_unique(s)", "n_unique(i)",  "median(f)",
                                      "var(f)",   "count(i)",    "any_value(s)", "mean(j)"};
  fixture t;
  fixture_begin(&t);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    static data d;
    torture_ctx x = {.t = &t, .c = make_call(&t, texts[i]), .d = &d};
    sp_column *out = NULL;
    do { /* w's largest values may overflow */
      make_data(&t, &x.c, &d, 0);
      if (run(&t, &t.mem, &x.c, &d, true, true, &out, NULL) == SP_OK) {
        break;
      }
      free_data(&d);
    } while (true);
    sp_column_unref(out);
    SP_TORTURE(torture_run, &x);
    free_data(&d);
  }
  fixture_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agree_with_slow_ones), cmocka_unit_test(same_bits_in_every_order),
      cmocka_unit_test(sums_that_overflow),   cmocka_unit_test(variance_does_not_cancel),
      cmocka_unit_test(wrong_arguments),      cmocka_unit_test(no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
