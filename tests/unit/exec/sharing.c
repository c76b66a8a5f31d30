/* Shared nodes: teed where all consumers can run at once, spooled where not; each runs once. */
#include "plans.h"

static int64_t metric(const sp_run *run, uint32_t node, sp_metric m) {
  return run->metrics[node].v[m];
}

static void two_outputs(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_numbers(&t, "v", 100);
  t_output(&t, t_filter(&t, "a", v, "i > 97"));
  t_output(&t, t_project(&t, "select", "b", t_slice(&t, "sb", v, 3, 2), "i"));
  t_resolve(&t);
  for (size_t h = 0; h < T_HOWS; h++) {
    sp_run *run = t_run_how(&t, h);
    assert_int_equal(run->n_results, 2);
    t_expect_result(&t, run, 0, "98,0;99,1");
    t_expect_result(&t, run, 1, "3;4");
    assert_int_equal(metric(run, t_index(&t, "v"), SP_METRIC_output_rows), 100);
    assert_int_equal(metric(run, t_index(&t, "a"), SP_METRIC_input_rows), 100);
    assert_int_equal(run->n_pipelines, 1);
    sp_run_free(run);
  }
  t_end(&t);
}

static void one_output_only(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_numbers(&t, "v", 10);
  t_output(&t, t_filter(&t, "a", v, "i > 7"));
  t_output(&t, t_slice(&t, "b", v, 0, 1));
  t_resolve(&t);
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.only_output = "b";
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_OK);
  assert_int_equal(run->n_results, 1);
  t_expect_result(&t, run, 0, "0,0");
  assert_int_equal(metric(run, t_index(&t, "a"), SP_METRIC_output_rows), -1);
  run = sp_run_free(run);
  o.only_output = "bb";
  assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_NOT_FOUND);
  assert_non_null(strstr(err.message, "`bb`"));
  assert_non_null(strstr(err.hint, "`b`"));
  sp_run_free(run);
  t_end(&t);
}

/* Two branches of one source cannot come one after the other without being kept. */
static void union_with_itself(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_filter(&t, "f", t_numbers(&t, "v", 100), "i >= 98");
  sp_node *in[] = {v, t_project(&t, "with_columns", "w", v, "-i AS i"), v};
  t_output(&t, t_union(&t, "u", 3, in));
  t_expect(&t, "98,0;99,1;-98,0;-99,1;98,0;99,1");
  sp_run *run = t_run_how(&t, 3);
  assert_int_equal(metric(run, t_index(&t, "v"), SP_METRIC_output_rows), 100);
  assert_int_equal(metric(run, t_index(&t, "f"), SP_METRIC_output_rows), 2);
  assert_int_equal(metric(run, t_index(&t, "u"), SP_METRIC_input_rows), 6);
  sp_run_free(run);
  t_end(&t);
}

/* A branch that must be over before the other: the tail of v, then v itself. */
static void tail_before_the_rest(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_numbers(&t, "v", 50);
  sp_node *in[] = {t_slice(&t, "last", v, -2, 2), t_slice(&t, "first", v, 0, 2)};
  t_output(&t, t_union(&t, "u", 2, in));
  t_expect(&t, "48,6;49,0;0,0;1,1");
  t_end(&t);

  t_begin(&t);
  v = t_numbers(&t, "v", 50);
  sp_node *back[] = {t_slice(&t, "first", v, 0, 2), t_slice(&t, "last", v, -2, 2)};
  t_output(&t, t_union(&t, "u", 2, back));
  t_expect(&t, "0,0;1,1;48,6;49,0");
  t_end(&t);
}

/* 2^64 paths, 129 nodes. */
static void diamonds(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *n = t_values(&t, "v", "a int64", "1;2;3");
  for (int i = 0; i < 64; i++) {
    sp_node *in[] = {n, n};
    n = t_union(&t, sp_arena_printf(&t.arena, "u%d", i), 2, in);
    n = t_slice(&t, sp_arena_printf(&t.arena, "s%d", i), n, 1, 4);
  }
  t_output(&t, n);
  t_resolve(&t);
  for (size_t h = 0; h < T_HOWS; h++) {
    sp_run *run = t_run_how(&t, h);
    assert_int_equal(run->results[0].rows, 4);
    sp_run_free(run);
  }
  t_end(&t);
}

/* The slice's branch has had enough of v long before the other: v is not cut, and what only the slice reads
 * is. */
static void a_branch_that_stops(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_numbers(&t, "v", 5000);
  t_output(&t, t_slice(&t, "s", t_project(&t, "select", "p", v, "i"), 0, 3));
  t_output(&t, t_filter(&t, "f", v, "i = 4999"));
  t_resolve(&t);
  for (size_t h = 0; h < T_HOWS; h++) {
    sp_run *run = t_run_how(&t, h);
    t_expect_result(&t, run, 0, "0;1;2");
    t_expect_result(&t, run, 1, "4999,1");
    assert_false(run->cut[t_index(&t, "v")]);
    assert_true(run->cut[t_index(&t, "p")]);
    assert_false(run->cut[t_index(&t, "s")]);
    assert_int_equal(metric(run, t_index(&t, "s"), SP_METRIC_input_rows), 3);
    assert_int_equal(metric(run, t_index(&t, "v"), SP_METRIC_output_rows), 5000);
    sp_run_free(run);
  }
  t_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_outputs),       cmocka_unit_test(one_output_only),
      cmocka_unit_test(union_with_itself), cmocka_unit_test(tail_before_the_rest),
      cmocka_unit_test(diamonds),          cmocka_unit_test(a_branch_that_stops),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
