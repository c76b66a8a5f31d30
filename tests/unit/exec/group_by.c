/* group_by against plain loops over random rows: keys of several types with nulls, DISTINCT, FILTER, order,
 * every way of running. */
#include "plans.h"
#include "rows.h"

static sp_node *group_by(t_plan *t, sp_node *in, const char *keys, const char *aggs, bool maintain_order) {
  sp_group_by_node *g = (sp_group_by_node *)t_node(t, "group_by", "g", 1, &in);
  g->keys = t_items(t, keys);
  g->aggs = t_items(t, aggs);
  g->maintain_order = maintain_order;
  return &g->base;
}

static void no_keys(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  t_output(&t, group_by(&t, t_numbers(&t, "v", 1000), "",
                        "sum(i); count(*); min(m); max(i); sum(i) / count(*) AS mean", false));
  t_expect(&t, "499500,1000,0,999,499.5");
  t_end(&t);
}

static void no_keys_no_rows(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  t_output(&t, group_by(&t, t_filter(&t, "f", t_numbers(&t, "v", 100), "i < 0"), "",
                        "sum(i); count(*); count(i)", false));
  t_expect(&t, "null,0,0");
  t_end(&t);
}

static void keys_and_no_rows(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  t_output(&t, group_by(&t, t_values(&t, "v", "a int64, b string", ""), "b", "sum(a)", false));
  t_expect(&t, "");
  t_end(&t);
}

static void expressions_over_keys_and_aggregates(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64, b int64", "1,10;2,20;3,30;4,null;null,50");
  t_output(&t, group_by(&t, v, "a % 2 AS odd", "sum(b) + a % 2 AS s; count(*) * 10 AS n", true));
  t_expect(&t, "1,41,20;0,20,20;null,null,10");
  t_end(&t);
}

static void keys_only(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  t_output(&t,
           group_by(&t,
                    t_values(&t, "v", "a string", "x;null;a long string that is longer than a view;x;null"),
                    "a", "", true));
  t_expect(&t, "x;null;a long string that is longer than a view");
  t_end(&t);
}

/* ---- random rows ---- */

typedef struct cells {
  int64_t k1, k2, v;
  bool k1_null, k2_null, v_null;
} cells;

static const char *const names[] = {"",
                                    "a",
                                    "bb",
                                    "exactly 12 b",
                                    "thirteen byte",
                                    "a rather long name number one",
                                    "a rather long name number two"};

static cells *random_cells(t_plan *t, t_random *r, uint32_t n, uint64_t range) {
  cells *c = SP_ARENA_ARRAY(&t->arena, cells, n);
  for (uint32_t i = 0; i < n; i++) {
    c[i].k1 = (int64_t)t_next(r, range) - (int64_t)(range / 2);
    c[i].k2 = (int64_t)t_next(r, 7);
    c[i].v = (int64_t)t_next(r, 20) - 10;
    c[i].k1_null = t_next(r, 8) == 0;
    c[i].k2_null = t_next(r, 8) == 0;
    c[i].v_null = t_next(r, 4) == 0;
  }
  return c;
}

static sp_node *values_of(t_plan *t, const cells *c, uint32_t n) {
  sp_value *v = SP_ARENA_ARRAY(&t->arena, sp_value, 3 * (size_t)n + 1);
  const sp_type *i64 = sp_type_of(SP_KIND_INT64);
  const sp_value null = sp_value_null(sp_type_of(SP_KIND_NULL));
  for (uint32_t i = 0; i < n; i++) {
    v[3 * i] = c[i].k1_null ? null : sp_value_int(i64, c[i].k1);
    v[3 * i + 1] = c[i].k2_null ? null : sp_value_str(sp_sv_from(names[c[i].k2]));
    v[3 * i + 2] = c[i].v_null ? null : sp_value_int(i64, c[i].v);
  }
  return t_values_of(t, "v", "k1 int64, k2 string, v int64", v, n);
}

static bool same_key(const cells *x, const cells *y, bool k1, bool k2) {
  if (k1 && (x->k1_null != y->k1_null || (!x->k1_null && x->k1 != y->k1))) {
    return false;
  }
  return !k2 || (x->k2_null == y->k2_null && (x->k2_null || x->k2 == y->k2));
}

static void add_cell(sp_str *s, bool null, int64_t v) {
  if (null) {
    sp_str_add(s, ",null");
  } else {
    sp_str_addf(s, ",%lld", (long long)v);
  }
}

/* The group of row `at` in words: keys, sum, count(*), count(v), min, distinct count, filtered sum, first
 * non-negative, distinct sum. */
static void naive_group(const cells *c, uint32_t n, uint32_t at, bool k1, bool k2, sp_str *s) {
  int64_t sum = 0, all = 0, count = 0, min = INT64_MAX, pos = 0, n_pos = 0, distinct = 0, distinct_sum = 0;
  bool seen[64] = {false};
  for (uint32_t i = 0; i < n; i++) {
    if (!same_key(&c[at], &c[i], k1, k2)) {
      continue;
    }
    all++;
    if (c[i].v_null) {
      continue;
    }
    count++;
    sum += c[i].v;
    min = c[i].v < min ? c[i].v : min;
    if (c[i].v > 3) {
      pos += c[i].v;
      n_pos++;
    }
    if (!seen[c[i].v + 16]) {
      seen[c[i].v + 16] = true;
      distinct++;
      distinct_sum += c[i].v;
    }
  }
  sp_str_add(s, s->n > 0 ? ";" : "");
  if (k1) {
    sp_str_addf(s, c[at].k1_null ? "null" : "%lld", (long long)c[at].k1);
  }
  if (k2) {
    sp_str_addf(s, "%s%s", k1 ? "," : "", c[at].k2_null ? "null" : names[c[at].k2]);
  }
  add_cell(s, count == 0, sum);
  add_cell(s, false, all);
  add_cell(s, false, count);
  add_cell(s, count == 0, min);
  add_cell(s, false, distinct);
  add_cell(s, n_pos == 0, pos);
  add_cell(s, count == 0, distinct_sum);
}

static void against_loops(uint32_t n, uint64_t range, bool k1, bool k2, bool order, uint64_t seed) {
  t_plan t;
  t_begin(&t);
  t_random r = {seed};
  const cells *c = random_cells(&t, &r, n, range);
  sp_node *v = values_of(&t, c, n);
  t_output(&t, group_by(&t, v,
                        k1 && k2 ? "k1; k2"
                        : k1     ? "k1"
                                 : "k2",
                        "sum(v); count(*); count(v); min(v); count(DISTINCT v) AS d; sum(v) FILTER (WHERE v "
                        "> 3) AS p; sum(DISTINCT v) AS ds",
                        order));
  sp_str s;
  sp_str_init(&s, &t.mem, (size_t)1 << 26);
  for (uint32_t i = 0; i < n; i++) {
    bool first = true;
    for (uint32_t k = 0; k < i && first; k++) {
      first = !same_key(&c[i], &c[k], k1, k2);
    }
    if (first) {
      naive_group(c, n, i, k1, k2, &s);
    }
  }
  t_expect_rows(&t, s.p != NULL ? s.p : "", order);
  sp_str_release(&s);
  t_end(&t);
}

static void random_small_ranges(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed < 6; seed++) {
    against_loops(400, 10, true, false, seed % 2 == 0, seed);
    against_loops(400, 10, false, true, seed % 2 == 1, seed);
    against_loops(400, 5, true, true, seed % 2 == 0, seed);
  }
}

static void random_large_ranges(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed < 4; seed++) {
    against_loops(600, UINT64_C(1) << 40, true, false, seed % 2 == 0, seed);
    against_loops(600, UINT64_C(1) << 63, true, true, seed % 2 == 1, seed);
    against_loops(600, 100000, true, false, false, seed);
  }
}

static void floats_as_keys(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64, b int64", "0,1;1,0;0,0;0,-1;1,2;2,4;-1,0");
  sp_node *w = t_project(&t, "select", "w", v, "CASE WHEN b = 0 AND a = 0 THEN -0.0 ELSE a / b END AS q");
  t_output(&t, group_by(&t, w, "q", "count(*)", true));
  t_expect(&t, "0.0,3;inf,1;0.5,2;-inf,1");
  t_end(&t);
}

static void nan_is_one_group(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64", "1;0;2;0;null");
  sp_node *w = t_project(&t, "select", "w", v, "CASE WHEN a = 0 THEN 0.0 / 0.0 ELSE 1.0 END AS q");
  t_output(&t, group_by(&t, w, "q", "count(*)", true));
  t_expect(&t, "1.0,3;NaN,2");
  t_end(&t);
}

static sp_status run_failing(sp_mem *mem, void *ctx) {
  t_plan *t = ctx;
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 1;
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  const sp_status st = sp_exec_run(t->plan, &o, mem, &run, &err);
  sp_run_free(run);
  return st;
}

static void failing_allocations(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  t_random r = {7};
  sp_node *v = values_of(&t, random_cells(&t, &r, 40, 5), 40);
  t_output(&t,
           group_by(&t, v, "k1; k2",
                    "sum(v); count(DISTINCT v) AS d; min(k2) AS s; sum(v) FILTER (WHERE v > 3) AS p", true));
  t_resolve(&t);
  SP_TORTURE(run_failing, &t);
  t_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_keys),
      cmocka_unit_test(no_keys_no_rows),
      cmocka_unit_test(keys_and_no_rows),
      cmocka_unit_test(expressions_over_keys_and_aggregates),
      cmocka_unit_test(keys_only),
      cmocka_unit_test(random_small_ranges),
      cmocka_unit_test(random_large_ranges),
      cmocka_unit_test(floats_as_keys),
      cmocka_unit_test(nan_is_one_group),
      cmocka_unit_test(failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
