/* unique against plain loops: every way to choose the row that stays, subsets, order, every way of running.
 */
#include "plans.h"
#include "rows.h"

typedef struct row {
  int64_t a;
  uint32_t s, i;
  bool a_null, s_null;
} row;

static const char *const names[] = {"", "a", "exactly 12 b", "a rather long name number one"};

static sp_node *random_values(t_plan *t, t_random *r, row *rows, uint32_t n, uint64_t range) {
  sp_value *v = SP_ARENA_ARRAY(&t->arena, sp_value, 3 * (size_t)n + 1);
  const sp_type *i64 = sp_type_of(SP_KIND_INT64);
  const sp_value null = sp_value_null(sp_type_of(SP_KIND_NULL));
  for (uint32_t i = 0; i < n; i++) {
    rows[i] = (row){.a = (int64_t)t_next(r, range), .s = (uint32_t)t_next(r, 4), .i = i};
    rows[i].a_null = t_next(r, 6) == 0;
    rows[i].s_null = t_next(r, 6) == 0;
    v[3 * i] = rows[i].a_null ? null : sp_value_int(i64, rows[i].a);
    v[3 * i + 1] = rows[i].s_null ? null : sp_value_str(sp_sv_from(names[rows[i].s]));
    v[3 * i + 2] = sp_value_int(i64, i);
  }
  return t_values_of(t, "v", "a int64, s string, i int64", v, n);
}

static bool same(const row *x, const row *y, uint32_t n_keys) {
  if (x->a_null != y->a_null || (!x->a_null && x->a != y->a)) {
    return false;
  }
  return n_keys == 1 || (x->s_null == y->s_null && (x->s_null || x->s == y->s));
}

static sp_node *unique(t_plan *t, sp_node *in, uint32_t n_keys, sp_keep keep, bool order) {
  static const char *const columns[] = {"a", "s"};
  sp_unique_node *u = (sp_unique_node *)t_node(t, "unique", "u", 1, &in);
  if (n_keys > 0) {
    u->subset = (sp_strings){.n = n_keys, .items = columns};
  }
  u->keep = (int)keep;
  u->maintain_order = order;
  return &u->base;
}

static void against_loops(uint32_t n, uint64_t range, uint32_t n_keys, sp_keep keep, bool order,
                          uint64_t seed) {
  t_plan t;
  t_begin(&t);
  t_random r = {seed};
  row *rows = SP_ARENA_ARRAY(&t.arena, row, n + 1);
  sp_node *v = random_values(&t, &r, rows, n, range);
  t_output(&t, t_project(&t, "select", "out", unique(&t, v, n_keys, keep, order), "i"));
  sp_str s;
  sp_str_init(&s, &t.mem, 1 << 24);
  for (uint32_t i = 0; i < n; i++) {
    bool before = false;
    bool after = false;
    for (uint32_t k = 0; k < n; k++) {
      before |= k < i && same(&rows[i], &rows[k], n_keys);
      after |= k > i && same(&rows[i], &rows[k], n_keys);
    }
    const bool stays = keep == SP_KEEP_LAST ? !after : keep == SP_KEEP_NONE ? !before && !after : !before;
    if (stays) {
      sp_str_addf(&s, "%s%u", s.n > 0 ? ";" : "", i);
    }
  }
  t_expect_rows(&t, s.p != NULL ? s.p : "", order);
  sp_str_release(&s);
  t_end(&t);
}

static void every_way(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (int keep = SP_KEEP_ANY; keep <= SP_KEEP_NONE; keep++) {
    for (uint32_t i = 0; i < 8; i++) {
      against_loops(200, (i & 1) != 0 ? 20 : UINT64_C(1) << 40, 1 + (i >> 1 & 1), (sp_keep)keep, (i & 4) != 0,
                    seed++);
      against_loops(200, 20, 1 + (i >> 1 & 1), (sp_keep)keep, (i & 4) != 0, seed++);
    }
    against_loops(0, 20, 1, (sp_keep)keep, true, seed++);
    against_loops(1, 20, 2, (sp_keep)keep, true, seed++);
  }
}

static void all_columns(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64, b string", "1,x;2,y;1,x;null,x;1,null;null,x;2,y");
  t_output(&t, unique(&t, v, 0, SP_KEEP_FIRST, true));
  t_expect(&t, "1,x;2,y;null,x;1,null");
  t_end(&t);
}

/* keep last with so many replaced rows that they are cleared away now and then. */
static void many_replaced(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  const uint32_t n = 300000;
  sp_value *v = SP_ARENA_ARRAY(&t.arena, sp_value, 2 * (size_t)n);
  for (uint32_t i = 0; i < n; i++) {
    v[2 * i] = sp_value_int(sp_type_of(SP_KIND_INT64), i % 3000);
    v[2 * i + 1] = sp_value_int(sp_type_of(SP_KIND_INT64), i);
  }
  sp_node *u = unique(&t, t_values_of(&t, "v", "a int64, i int64", v, n), 1, SP_KEEP_LAST, true);
  t_output(&t, t_project(&t, "select", "out", u, "i"));
  t_resolve(&t);
  sp_exec_options o;
  sp_exec_options_init(&o);
  for (o.threads = 1; o.threads < 4; o.threads += 2) {
    sp_run *run = NULL;
    assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, NULL), SP_OK);
    assert_int_equal(run->results[0].rows, 3000);
    const sp_batch *b = run->results[0].batches[0];
    for (uint32_t i = 0; i < b->n_rows; i++) {
      assert_int_equal(sp_column_value(b->cols[0], i).i, n - 3000 + i);
    }
    sp_run_free(run);
  }
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
  for (int keep = SP_KEEP_ANY; keep <= SP_KEEP_NONE; keep++) {
    t_plan t;
    t_begin(&t);
    t_random r = {9};
    row rows[30];
    t_output(&t, unique(&t, random_values(&t, &r, rows, 30, 5), 2, (sp_keep)keep, true));
    t_resolve(&t);
    SP_TORTURE(run_failing, &t);
    t_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_way),
      cmocka_unit_test(all_columns),
      cmocka_unit_test(many_replaced),
      cmocka_unit_test(failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
