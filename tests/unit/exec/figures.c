/* What a run says of itself: rows, bytes, time, memory, timeline, activity, and the parts of results that are
 * kept. */
#include "plans.h"

static int64_t metric(const t_plan *t, const sp_run *run, const char *id, sp_metric m) {
  return run->metrics[t_index(t, id)].v[m];
}

static sp_run *run_with(t_plan *t, const sp_exec_options *o) {
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_exec_run(t->plan, o, &t->mem, &run, &err) != SP_OK) {
    fail_msg("%s", err.message);
  }
  return run;
}

static void rows_and_bytes(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64, s string", "1,x;2,a string longer than twelve;3,yy;4,null");
  sp_node *f = t_filter(&t, "f", v, "a >= 2");
  t_output(&t, t_project(&t, "select", "p", f, "s"));
  t_resolve(&t);
  for (size_t h = 0; h < T_HOWS; h++) {
    sp_run *run = t_run_how(&t, h);
    assert_int_equal(metric(&t, run, "v", SP_METRIC_output_rows), 4);
    assert_int_equal(metric(&t, run, "v", SP_METRIC_input_rows), -1);
    assert_int_equal(metric(&t, run, "f", SP_METRIC_input_rows), 4);
    assert_int_equal(metric(&t, run, "f", SP_METRIC_output_rows), 3);
    assert_int_equal(metric(&t, run, "f", SP_METRIC_rows_removed), 1);
    assert_int_equal(metric(&t, run, "p", SP_METRIC_output_rows), 3);
    assert_true(metric(&t, run, "v", SP_METRIC_output_bytes) > metric(&t, run, "f", SP_METRIC_output_bytes));
    assert_true(metric(&t, run, "f", SP_METRIC_output_bytes) > metric(&t, run, "p", SP_METRIC_output_bytes));
    sp_run_free(run);
  }
  t_end(&t);
}

static void time_and_memory(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_numbers(&t, "v", 200000);
  sp_node *p = t_project(&t, "with_columns", "p", v, "i * 2 AS j");
  sp_node *in[] = {p, p};
  t_output(&t, t_filter(&t, "f", t_union(&t, "u", 2, in), "j % 3 = 0"));
  t_resolve(&t);
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 2;
  sp_run *run = run_with(&t, &o);
  int64_t at_peak = 0;
  int64_t busy = 0;
  for (uint32_t i = 0; i < run->n_nodes; i++) {
    const int64_t *m = run->metrics[i].v;
    assert_true(m[SP_METRIC_busy_ns] > 0);
    assert_true(m[SP_METRIC_span_ns] > 0 && m[SP_METRIC_span_ns] <= run->wall_ns);
    assert_true(m[SP_METRIC_mem_peak_bytes] >= m[SP_METRIC_mem_at_query_peak_bytes]);
    assert_true(m[SP_METRIC_mem_at_query_peak_bytes] >= 0);
    at_peak += m[SP_METRIC_mem_at_query_peak_bytes];
    busy += m[SP_METRIC_busy_ns];
  }
  assert_true(busy <= run->wall_ns * 2);
  assert_true(run->peak_bytes >= at_peak && at_peak > 0);
  assert_true(run->cpu_ns > 0);
  /* The spool holds both columns of all rows, for p. */
  assert_true(metric(&t, run, "p", SP_METRIC_mem_peak_bytes) >= 200000 * 8);
  assert_true(metric(&t, run, "f", SP_METRIC_mem_current_bytes) > 0);
  assert_int_equal(run->threads, 2);
  assert_int_equal(run->n_pipelines, 2);
  assert_string_equal(run->pipelines[0].name, "values v → with_columns");
  assert_int_equal(run->pipelines[0].n_nodes, 2);
  assert_true(run->timeline.n >= 2);
  assert_true(run->timeline.at_ns[run->timeline.n - 1] <= run->wall_ns + 50000000);
  assert_true(run->rss_peak > 0 && run->rss_before.resident > 0 && run->rss_after.resident > 0);
  assert_true(run->n_activity > 0);
  int64_t rows = 0;
  for (uint32_t i = 0; i < run->n_activity; i++) {
    const sp_activity *a = &run->activity[i];
    assert_true(a->start_ns <= a->end_ns && a->worker < 2 && a->pipeline < run->n_pipelines);
    assert_true(i == 0 || run->activity[i - 1].start_ns <= a->start_ns);
    rows += a->rows;
  }
  assert_int_equal(rows, 200000 + 400000);
  sp_run_free(run);
  t_end(&t);
}

static void kept_rows(void **state) {
  (void)state;
  static const struct {
    int64_t keep, head, tail;
  } cases[] = {{-1, 500, 0},    {0, 0, 0},       {3, 3, 3},       {100, 100, 100},
               {249, 249, 249}, {250, 250, 250}, {300, 300, 200}, {1000, 500, 0}};
  t_plan t;
  t_begin(&t);
  t_output(&t, t_project(&t, "select", "p", t_numbers(&t, "v", 500), "i"));
  t_resolve(&t);
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    for (size_t h = 0; h < T_HOWS; h++) {
      sp_exec_options o;
      sp_exec_options_init(&o);
      o.threads = t_hows[h].threads;
      o.batch_rows = t_hows[h].batch_rows;
      o.keep_rows = cases[c].keep;
      sp_run *run = run_with(&t, &o);
      const sp_result *r = &run->results[0];
      assert_int_equal(r->rows, 500);
      assert_int_equal(r->head_rows, cases[c].head);
      assert_int_equal(r->tail_rows, cases[c].tail);
      int64_t at = 0;
      for (uint32_t b = 0; b < r->n_batches; b++) {
        for (uint32_t i = 0; i < r->batches[b]->n_rows; i++, at++) {
          const int64_t want = at < r->head_rows ? at : 500 - r->tail_rows + (at - r->head_rows);
          assert_int_equal(sp_column_value(r->batches[b]->cols[0], i).i, want);
        }
      }
      assert_int_equal(at, r->head_rows + r->tail_rows);
      sp_run_free(run);
    }
  }
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.discard = true;
  sp_run *run = run_with(&t, &o);
  assert_int_equal(run->results[0].rows, 500);
  assert_int_equal(run->results[0].n_batches, 0);
  sp_run_free(run);
  t_end(&t);
}

/* A few rows of a big batch do not keep the batch. */
static void kept_rows_are_small(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  t_output(&t, t_slice(&t, "s", t_numbers(&t, "v", 8000), 100, 10));
  t_resolve(&t);
  sp_run *run = t_run_how(&t, 0);
  assert_int_equal(run->results[0].rows, 10);
  const int64_t held =
      metric(&t, run, "s", SP_METRIC_mem_current_bytes) + metric(&t, run, "v", SP_METRIC_mem_current_bytes);
  assert_in_range(held, 10 * 8, 4000);
  sp_run_free(run);
  t_end(&t);
}

static void seen(void *ctx, double fraction, int64_t rows) {
  double *last = ctx;
  assert_true(fraction >= *last && fraction <= 1.0 && rows >= 0);
  *last = fraction;
}

static void progress(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *n = t_numbers(&t, "v", 100000);
  for (int i = 0; i < 5; i++) {
    sp_node *in[] = {n, n};
    n = t_filter(&t, sp_arena_printf(&t.arena, "f%d", i),
                 t_union(&t, sp_arena_printf(&t.arena, "u%d", i), 2, in), "m >= 0");
  }
  t_output(&t, n);
  t_resolve(&t);
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 2;
  o.batch_rows = 16;
  o.discard = true;
  double last = -1;
  o.progress = seen;
  o.progress_ctx = &last;
  sp_run *run = run_with(&t, &o);
  assert_true(run->wall_ns < 110000000 || last > 0);
  assert_int_equal(run->results[0].rows, 3200000);
  assert_true(run->wall_ns < 30000000 || run->timeline.n > 2);
  sp_run_free(run);
  t_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_and_bytes),      cmocka_unit_test(time_and_memory), cmocka_unit_test(kept_rows),
      cmocka_unit_test(kept_rows_are_small), cmocka_unit_test(progress),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
