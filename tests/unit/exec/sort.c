/* sort and top_k against a stable sort of plain rows: types, nulls, NaN, directions, several keys, every way
 * of running. */
#include "plans.h"
#include "rows.h"

typedef struct row {
  int64_t a, i;
  uint32_t s;
  double f;
  bool a_null, s_null, f_null;
} row;

static const char *const names[] = {
    "",        "a", "b", "ab", "exactly 12 b", "exactly 12 bytes and more 1", "exactly 12 bytes and more 2",
    "\xc3\xa4"};
static const double floats[] = {-1.0 / 0.0, -2.5, -0.0, 0.0, 1e300, 1.0 / 0.0, 0.0 / 0.0, 0.125};

typedef struct key {
  char column; /* a s f */
  bool descending, nulls_last;
} key;

static row *random_rows(t_plan *t, t_random *r, uint32_t n, uint64_t range) {
  row *rows = SP_ARENA_ARRAY(&t->arena, row, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    rows[i] = (row){.a = (int64_t)t_next(r, range) - (int64_t)(range / 2),
                    .i = i,
                    .s = (uint32_t)t_next(r, 8),
                    .f = floats[t_next(r, 8)]};
    rows[i].a_null = t_next(r, 6) == 0;
    rows[i].s_null = t_next(r, 6) == 0;
    rows[i].f_null = t_next(r, 6) == 0;
  }
  return rows;
}

static sp_node *values_of(t_plan *t, const row *rows, uint32_t n) {
  sp_value *v = SP_ARENA_ARRAY(&t->arena, sp_value, 4 * (size_t)n + 1);
  const sp_type *i64 = sp_type_of(SP_KIND_INT64);
  const sp_value null = sp_value_null(sp_type_of(SP_KIND_NULL));
  for (uint32_t i = 0; i < n; i++) {
    v[4 * i] = rows[i].a_null ? null : sp_value_int(i64, rows[i].a);
    v[4 * i + 1] = rows[i].s_null ? null : sp_value_str(sp_sv_from(names[rows[i].s]));
    v[4 * i + 2] = rows[i].f_null ? null : sp_value_float(sp_type_of(SP_KIND_FLOAT64), rows[i].f);
    v[4 * i + 3] = sp_value_int(i64, rows[i].i);
  }
  return t_values_of(t, "v", "a int64, s string, f float64, i int64", v, n);
}

static int compare_one(const row *x, const row *y, const key *k) {
  const bool xn = k->column == 'a' ? x->a_null : k->column == 's' ? x->s_null : x->f_null;
  const bool yn = k->column == 'a' ? y->a_null : k->column == 's' ? y->s_null : y->f_null;
  if (xn || yn) {
    return xn == yn ? 0 : xn == k->nulls_last ? 1 : -1;
  }
  int c = 0;
  if (k->column == 'a') {
    c = (x->a > y->a) - (x->a < y->a);
  } else if (k->column == 's') {
    c = strcmp(names[x->s], names[y->s]);
  } else if (x->f != x->f || y->f != y->f) {
    return (x->f != x->f) - (y->f != y->f); /* NaN last in both directions */
  } else {
    c = (x->f > y->f) - (x->f < y->f);
  }
  return k->descending ? -c : c;
}

static const key *sort_keys;
static uint32_t n_sort_keys;

static int compare_rows(const void *a, const void *b) {
  const row *x = a;
  const row *y = b;
  for (uint32_t i = 0; i < n_sort_keys; i++) {
    const int c = compare_one(x, y, &sort_keys[i]);
    if (c != 0) {
      return c;
    }
  }
  return (x->i > y->i) - (x->i < y->i);
}

static sp_node *sort(t_plan *t, sp_node *in, const char *op, const key *keys, uint32_t n, int64_t k,
                     bool computed) {
  sp_sort_node *s = (sp_sort_node *)t_node(t, op, "sort", 1, &in);
  char text[64] = "";
  for (uint32_t i = 0; i < n; i++) {
    const size_t at = strlen(text);
    snprintf(text + at, sizeof text - at, computed && keys[i].column == 'a' ? "%s%c + 1" : "%s%c",
             i > 0 ? ";" : "", keys[i].column);
  }
  s->by = t_items(t, text);
  for (uint32_t i = 0; i < n; i++) {
    sp_item *item = (sp_item *)(uintptr_t)&s->by.items[i];
    item->descending = keys[i].descending;
    item->nulls_last = keys[i].nulls_last;
  }
  s->maintain_order = true;
  s->k = k;
  return &s->base;
}

static void expected(const row *rows, uint32_t n, int64_t k, sp_str *s) {
  for (uint32_t i = 0; i < n && (k < 0 || i < k); i++) {
    sp_str_addf(s, "%s%lld", s->n > 0 ? ";" : "", (long long)rows[i].i);
  }
}

static void against_qsort(uint32_t n, uint64_t range, const key *keys, uint32_t n_keys, int64_t k,
                          bool computed, uint64_t seed) {
  t_plan t;
  t_begin(&t);
  t_random r = {seed};
  row *rows = random_rows(&t, &r, n, range);
  sp_node *v = values_of(&t, rows, n);
  sp_node *s = sort(&t, v, k >= 0 ? "top_k" : "sort", keys, n_keys, k >= 0 ? k : 0, computed);
  t_output(&t, t_project(&t, "select", "out", s, "i"));
  sort_keys = keys;
  n_sort_keys = n_keys;
  qsort(rows, n, sizeof *rows, compare_rows);
  sp_str want;
  sp_str_init(&want, &t.mem, 1 << 24);
  expected(rows, n, k, &want);
  t_expect_rows(&t, want.p != NULL ? want.p : "", true);
  sp_str_release(&want);
  t_end(&t);
}

static void every_key(uint32_t n, uint64_t range, int64_t k) {
  static const char columns[] = "asf";
  uint64_t seed = 1;
  for (uint32_t flags = 0; flags < 4; flags++) {
    for (uint32_t c = 0; c < 3; c++) {
      const key one = {columns[c], (flags & 1) != 0, (flags & 2) != 0};
      against_qsort(n, range, &one, 1, k, false, seed++);
      const key two[] = {one, {columns[(c + 1) % 3], (flags & 2) != 0, (flags & 1) != 0}};
      against_qsort(n, range, two, 2, k, flags == 1, seed++);
      const key three[] = {two[0], two[1], {columns[(c + 2) % 3], true, false}};
      against_qsort(n, range, three, 3, k, flags == 2, seed++);
    }
  }
}

static void sort_small_ranges(void **state) {
  (void)state;
  every_key(150, 10, -1);
}

static void sort_large_ranges(void **state) {
  (void)state;
  every_key(150, UINT64_C(1) << 62, -1);
}

static void top_k_small(void **state) {
  (void)state;
  every_key(150, 10, 7);
}

static void top_k_large_range(void **state) {
  (void)state;
  every_key(150, UINT64_C(1) << 62, 20);
}

static void edges(void **state) {
  (void)state;
  const key a = {'a', false, false};
  against_qsort(0, 10, &a, 1, -1, false, 1);
  against_qsort(1, 10, &a, 1, -1, false, 1);
  against_qsort(0, 10, &a, 1, 5, false, 1);
  against_qsort(10, 10, &a, 1, 0, false, 1);
  against_qsort(10, 10, &a, 1, 10, false, 1);
  against_qsort(10, 10, &a, 1, 11, false, 1);
  against_qsort(10, 10, &a, 1, INT64_MAX, false, 1);
}

/* Large enough for radix passes, several runs and merges, and several rounds of top_k. */
static void many_rows(void **state) {
  (void)state;
  const key keys[] = {{'a', true, false}, {'s', false, true}};
  const uint32_t n = 150000;
  for (int64_t k = -1; k < 2001; k += 2001) {
    t_plan t;
    t_begin(&t);
    t_random r = {42};
    row *rows = random_rows(&t, &r, n, k < 0 ? 30000 : UINT64_C(1) << 62);
    sp_node *v = values_of(&t, rows, n);
    t_output(&t,
             t_project(&t, "select", "out", sort(&t, v, k >= 0 ? "top_k" : "sort", keys, 2, k, false), "i"));
    sort_keys = keys;
    n_sort_keys = 2;
    qsort(rows, n, sizeof *rows, compare_rows);
    t_resolve(&t);
    static const struct t_how how[] = {{1, 0}, {2, 0}, {4, 500}};
    for (size_t h = 0; h < 3; h++) {
      sp_exec_options o;
      sp_exec_options_init(&o);
      o.threads = how[h].threads;
      o.batch_rows = how[h].batch_rows;
      sp_run *run = NULL;
      assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, NULL), SP_OK);
      const sp_result *res = &run->results[0];
      uint32_t at = 0;
      for (uint32_t b = 0; b < res->n_batches; b++) {
        for (uint32_t i = 0; i < res->batches[b]->n_rows; i++) {
          assert_int_equal(sp_column_value(res->batches[b]->cols[0], i).i, rows[at++].i);
        }
      }
      assert_int_equal(at, k < 0 ? n : (uint32_t)k);
      sp_run_free(run);
    }
    t_end(&t);
  }
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
  const key keys[] = {{'a', true, false}, {'s', false, true}};
  for (int64_t k = -1; k < 6; k += 6) {
    t_plan t;
    t_begin(&t);
    t_random r = {3};
    sp_node *v = values_of(&t, random_rows(&t, &r, 20, 5), 20);
    t_output(&t, sort(&t, v, k >= 0 ? "top_k" : "sort", keys, 2, k, true));
    t_resolve(&t);
    SP_TORTURE(run_failing, &t);
    t_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sort_small_ranges),
      cmocka_unit_test(sort_large_ranges),
      cmocka_unit_test(top_k_small),
      cmocka_unit_test(top_k_large_range),
      cmocka_unit_test(edges),
      cmocka_unit_test(many_rows),
      cmocka_unit_test(failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
