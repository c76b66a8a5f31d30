/* Which error a run reports, that early stops hide later ones, limits, cancellation, and allocations that
 * fail. */
#include "plans.h"

#include "tests/support/torture.h"

/* n rows, s = "i" but for a bad one at each of the two places. */
static sp_node *texts(t_plan *t, const char *id, uint32_t n, uint32_t bad, uint32_t worse) {
  sp_value *cells = SP_ARENA_ARRAY(&t->arena, sp_value, n);
  for (uint32_t i = 0; i < n; i++) {
    const char *s = i == bad ? "bad" : i == worse ? "worse" : sp_arena_printf(&t->arena, "%u", i);
    cells[i] = sp_value_str(sp_sv_from(s));
  }
  return t_values_of(t, id, "s string", cells, n);
}

static sp_status run_how(t_plan *t, size_t how, sp_run **run, sp_error *err) {
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = t_hows[how].threads;
  o.batch_rows = t_hows[how].batch_rows;
  *err = SP_ERROR_INIT;
  return sp_exec_run(t->plan, &o, &t->mem, run, err);
}

static void the_first_error_wins(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *p = t_project(&t, "select", "p", texts(&t, "v", 3000, 1234, 1500), "CAST(s AS int64) AS i");
  t_output(&t, t_filter(&t, "f", p, "i > 5"));
  t_resolve(&t);
  for (int round = 0; round < 6; round++) {
    for (size_t h = 0; h < T_HOWS; h++) {
      sp_run *run = NULL;
      sp_error err;
      assert_int_equal(run_how(&t, h, &run, &err), SP_EXEC);
      assert_non_null(strstr(err.message, "bad"));
      assert_non_null(strstr(err.message, "node `p`"));
      assert_string_equal(err.pointer, t.plan->nodes[t_index(&t, "p")]->loc.pointer);
      assert_int_equal(run->n_results, 1);
      assert_int_equal(run->results[0].n_batches, 0);
      assert_int_equal(run->status, SP_EXEC);
      sp_run_free(run);
    }
  }
  t_end(&t);
}

static void expect_ok(t_plan *t, uint32_t which, const char *rows) {
  for (int round = 0; round < 6; round++) {
    for (size_t h = 0; h < T_HOWS; h++) {
      sp_run *run = NULL;
      sp_error err;
      if (run_how(t, h, &run, &err) != SP_OK) {
        fail_msg("%s", err.message);
      }
      t_expect_result(t, run, which, rows);
      sp_run_free(run);
    }
  }
}

static void not_reached_is_no_error(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *p = t_project(&t, "select", "p", texts(&t, "v", 70000, 69000, 69001), "CAST(s AS int64) AS i");
  t_output(&t, t_slice(&t, "s", p, 1, 3));
  t_resolve(&t);
  expect_ok(&t, 0, "1;2;3");
  t_end(&t);
}

/* The branch under the slice fails on rows that it does not need; the other branch needs them all. */
static void not_reached_in_a_branch(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = texts(&t, "v", 70000, 69000, 69001);
  t_output(&t, t_slice(&t, "s", t_project(&t, "select", "p", v, "CAST(s AS int64) AS i"), 1, 3));
  t_output(&t, t_filter(&t, "f", v, "s = 'worse' OR s = '69999'"));
  t_resolve(&t);
  expect_ok(&t, 0, "1;2;3");
  expect_ok(&t, 1, "worse;69999");
  t_end(&t);
}

static void not_reached_in_an_input(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *p = t_project(&t, "select", "p", texts(&t, "v", 70000, 69000, 69001), "CAST(s AS int64) AS i");
  sp_node *q = t_project(&t, "select", "q", t_filter(&t, "fq", t_numbers(&t, "w", 100), "i > 97"), "i");
  sp_node *in[] = {t_slice(&t, "s", p, 1, 2), q};
  t_output(&t, t_union(&t, "u", 2, in));
  t_output(&t, t_slice(&t, "us", t_union(&t, "u2", 2, in), 1, 2));
  t_resolve(&t);
  expect_ok(&t, 0, "1;2;98;99");
  expect_ok(&t, 1, "2;98");
  t_end(&t);
}

static void reached_in_a_branch(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = texts(&t, "v", 3000, 900, 1000);
  t_output(&t, t_filter(&t, "f", v, "s = '1'"));
  t_output(&t, t_slice(&t, "s", t_project(&t, "select", "p", v, "CAST(s AS int64) AS i"), 950, 3));
  t_resolve(&t);
  for (int round = 0; round < 10; round++) {
    for (size_t h = 0; h < T_HOWS; h++) {
      sp_run *run = NULL;
      sp_error err;
      assert_int_equal(run_how(&t, h, &run, &err), SP_EXEC);
      assert_non_null(strstr(err.message, "bad"));
      sp_run_free(run);
    }
  }
  t_end(&t);
}

static void limits(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *n = t_numbers(&t, "v", 20000);
  for (int i = 0; i < 5; i++) {
    sp_node *in[] = {n, n};
    n = t_union(&t, sp_arena_printf(&t.arena, "u%d", i), 2, in);
    n = t_project(&t, "with_columns", sp_arena_printf(&t.arena, "w%d", i), n, "i + 1 AS i");
  }
  t_output(&t, n);
  t_resolve(&t);
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 2;
  o.memory_limit = 2 << 20;
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_LIMIT);
  assert_non_null(strstr(err.message, "memory limit of 2.0 MiB"));
  run = sp_run_free(run);

  o.memory_limit = 0;
  o.time_limit_ns = 1;
  err = SP_ERROR_INIT;
  assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_LIMIT);
  assert_non_null(strstr(err.message, "time limit"));
  run = sp_run_free(run);

  o.time_limit_ns = 0;
  const volatile int stop = 1;
  o.cancel = &stop;
  err = SP_ERROR_INIT;
  assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_CANCELLED);
  run = sp_run_free(run);

  o.cancel = NULL;
  o.threads = SP_WORKERS_MAX + 1;
  err = SP_ERROR_INIT;
  assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_LIMIT);
  run = sp_run_free(run);
  t_end(&t);
}

/* ---- allocations ---- */

typedef struct torture {
  t_plan *t;
  sp_exec_options o;
} torture;

static sp_status run_once(sp_mem *mem, void *ctx) {
  const torture *x = ctx;
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  const sp_status st = sp_exec_run(x->t->plan, &x->o, mem, &run, &err);
  if (st != SP_OK) {
    assert_int_equal(err.status, st);
  }
  sp_run_free(run);
  return st;
}

static void torture_plan(t_plan *t) {
  t_resolve(t);
  torture x = {.t = t};
  sp_exec_options_init(&x.o);
  x.o.threads = 1;
  SP_TORTURE(run_once, &x);
  x.o.threads = 3;
  x.o.batch_rows = 1;
  x.o.keep_rows = 1;
  SP_TORTURE(run_once, &x);
}

static void allocations_of_streams(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64, s string", "1,x;2,a string longer than twelve;3,null");
  sp_node *f = t_filter(&t, "f", v, "a > 1 AND a < 100");
  sp_node *p = t_project(&t, "with_columns", "p", f,
                         "CASE WHEN a > 2 THEN s ELSE 'another long string' END AS u; a + 1 AS b");
  sp_node *x = t_node(&t, "with_row_index", "x", 1, &p);
  sp_node *c = t_node(&t, "cache", "c", 1, &x);
  t_output(&t, t_slice(&t, "s", c, 0, 2));
  t_output(&t, t_slice(&t, "e", c, -1, 1));
  torture_plan(&t);
  t_end(&t);
}

static void allocations_of_spools(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64", "1;2;3");
  sp_node *in[] = {v, v};
  sp_node *u = t_union(&t, "u", 2, in);
  t_output(&t, t_slice(&t, "s", u, 2, 2));
  t_output(&t, v);
  torture_plan(&t);
  t_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_error_wins),    cmocka_unit_test(not_reached_is_no_error),
      cmocka_unit_test(not_reached_in_a_branch), cmocka_unit_test(not_reached_in_an_input),
      cmocka_unit_test(reached_in_a_branch),     cmocka_unit_test(limits),
      cmocka_unit_test(allocations_of_streams),  cmocka_unit_test(allocations_of_spools),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
