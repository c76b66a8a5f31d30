/* Scans and sinks: what is written comes back, in order, in as many parts as asked; failed runs leave
 * nothing. */
#include <dirent.h>
#include <unistd.h>

#include "plans.h"

#include "base/file.h"
#include "tests/support/torture.h"

static char folder[200];

static int make_folder(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/sigmapi-exec-XXXXXX", tmp != NULL ? tmp : "/tmp");
  return mkdtemp(folder) == NULL;
}

static uint32_t clear_folder(void) {
  uint32_t n = 0;
  DIR *d = opendir(folder);
  for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
    char path[500];
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    n += unlink(path) == 0;
  }
  closedir(d);
  return n;
}

static int remove_folder(void **state) {
  (void)state;
  clear_folder();
  return rmdir(folder);
}

static char *in_folder(t_plan *t, const char *name) {
  return sp_arena_printf(&t->arena, "%s/%s", folder, name);
}

static sp_node *sink(t_plan *t, const char *op, const char *id, sp_node *in, const char *name) {
  sp_sink_node *s = (sp_sink_node *)t_node(t, op, id, 1, &in);
  s->path = in_folder(t, name);
  t_output(t, &s->base);
  return &s->base;
}

static sp_node *scan(t_plan *t, const char *op, const char *id, const char *name) {
  sp_scan_node *s = (sp_scan_node *)t_node(t, op, id, 0, NULL);
  const char **paths = SP_ARENA_ARRAY(&t->arena, const char *, 1);
  paths[0] = in_folder(t, name);
  s->paths = (sp_strings){.n = 1, .items = paths};
  return &s->base;
}

static int64_t metric(const t_plan *t, const sp_run *run, const char *id, sp_metric m) {
  return run->metrics[t_index(t, id)].v[m];
}

static void expect_file(t_plan *t, const char *name, const char *text) {
  char *got = NULL;
  size_t n = 0;
  sp_error err = SP_ERROR_INIT;
  if (sp_file_read(&t->arena, in_folder(t, name), 1 << 20, &got, &n, &err) != SP_OK) {
    fail_msg("%s", err.message);
  }
  assert_string_equal(got, text);
}

static void csv_out_and_in(void **state) {
  (void)state;
  for (size_t h = 0; h < T_HOWS; h++) {
    t_plan t;
    t_begin(&t);
    sink(&t, "sink_csv", "w",
         t_values(&t, "v", "a int64, s string", "1,x;2,null;3,a string longer than twelve"), "t.csv");
    t_resolve(&t);
    sp_run *run = t_run_how(&t, h);
    assert_int_equal(run->n_results, 0);
    assert_int_equal(metric(&t, run, "w", SP_METRIC_input_rows), 3);
    assert_int_equal(metric(&t, run, "w", SP_METRIC_output_rows), 3);
    sp_run_free(run);
    expect_file(&t, "t.csv", "a,s\n1,x\n2,\n3,a string longer than twelve\n");
    t_end(&t);
    t_begin(&t);
    t_output(&t, scan(&t, "scan_csv", "r", "t.csv"));
    t_expect(&t, "1,x;2,null;3,a string longer than twelve");
    t_end(&t);
    assert_int_equal(clear_folder(), 1);
  }
}

/* Late materialization, a pruned file and order, whatever the windows. */
static void parquet_with_predicate(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_project(&t, "with_columns", "w", t_numbers(&t, "v", 30000),
                         "CASE WHEN m = 3 THEN 'three' ELSE 'other value' END AS s");
  sink(&t, "sink_parquet", "out", v, "t.parquet");
  t_resolve(&t);
  sp_run *run = t_run_how(&t, 3);
  assert_true(metric(&t, run, "out", SP_METRIC_output_bytes) > 0);
  sp_run_free(run);
  t_end(&t);

  t_begin(&t);
  sp_node *r = scan(&t, "scan_parquet", "r", "t.parquet");
  ((sp_scan_node *)r)->predicate = t_items(&t, "i >= 29990; s = 'three'");
  t_output(&t, t_project(&t, "select", "p", r, "i; s"));
  t_expect(&t, "29991,three;29998,three");
  run = t_run_how(&t, 0);
  assert_int_equal(metric(&t, run, "r", SP_METRIC_output_rows), 2);
  assert_int_equal(metric(&t, run, "r", SP_METRIC_files_read), 1);
  assert_true(metric(&t, run, "r", SP_METRIC_bytes_scanned) > 0);
  assert_true(metric(&t, run, "r", SP_METRIC_rows_removed) > 0);
  sp_run_free(run);
  t_end(&t);

  t_begin(&t);
  r = scan(&t, "scan_parquet", "r", "t.parquet");
  ((sp_scan_node *)r)->predicate = t_items(&t, "i > 100000");
  t_output(&t, r);
  t_expect(&t, "");
  run = t_run_how(&t, 0);
  assert_int_equal(metric(&t, run, "r", SP_METRIC_row_groups_read), 0);
  sp_run_free(run);
  t_end(&t);
  clear_folder();
}

static void parts(void **state) {
  (void)state;
  for (size_t h = 0; h < T_HOWS; h++) {
    t_plan t;
    t_begin(&t);
    sp_node *v = t_project(&t, "select", "p", t_numbers(&t, "v", 10), "i; m");
    sp_sink_node *s = (sp_sink_node *)sink(&t, "sink_csv", "w", v, "n-{part}.csv");
    s->partition.max_rows = 4;
    static const char *const by[] = {"m"};
    sp_sink_node *k =
        (sp_sink_node *)sink(&t, "sink_csv", "k", t_filter(&t, "f", v, "m < 2"), "k-{part}.csv");
    k->partition.by = (sp_strings){.n = 1, .items = by};
    t_resolve(&t);
    sp_run_free(t_run_how(&t, h));
    expect_file(&t, "n-00000.csv", "i,m\n0,0\n1,1\n2,2\n3,3\n");
    expect_file(&t, "n-00002.csv", "i,m\n8,1\n9,2\n");
    expect_file(&t, "k-m=0.csv", "i,m\n0,0\n7,0\n");
    expect_file(&t, "k-m=1.csv", "i,m\n1,1\n8,1\n");
    assert_int_equal(clear_folder(), 5);
    t_end(&t);
  }
}

static void a_failed_run_leaves_nothing(void **state) {
  (void)state;
  for (size_t h = 0; h < T_HOWS; h++) {
    t_plan t;
    t_begin(&t);
    sp_node *v = t_values(&t, "v", "s string", "'1;'2;x;'4");
    sink(&t, "sink_csv", "whole", v, "whole.csv");
    sink(&t, "sink_csv", "w", t_project(&t, "select", "p", v, "CAST(s AS int64) AS i"), "t.csv");
    t_resolve(&t);
    sp_exec_options o;
    sp_exec_options_init(&o);
    o.threads = t_hows[h].threads;
    o.batch_rows = t_hows[h].batch_rows;
    sp_run *run = NULL;
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_EXEC);
    sp_run_free(run);
    assert_int_equal(clear_folder(), 0);
    t_end(&t);
  }
}

static void a_file_that_changed(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sink(&t, "sink_parquet", "w", t_values(&t, "v", "a int64", "1"), "t.parquet");
  t_resolve(&t);
  sp_run_free(t_run_how(&t, 0));
  t_end(&t);
  t_plan r;
  t_begin(&r);
  t_output(&r, scan(&r, "scan_parquet", "r", "t.parquet"));
  t_resolve(&r);
  t_begin(&t);
  sink(&t, "sink_parquet", "w", t_values(&t, "v", "a string", "x"), "t.parquet");
  t_resolve(&t);
  sp_run_free(t_run_how(&t, 0));
  t_end(&t);
  sp_exec_options o;
  sp_exec_options_init(&o);
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  assert_int_not_equal(sp_exec_run(r.plan, &o, &r.mem, &run, &err), SP_OK);
  assert_non_null(strstr(err.message, "node `r`"));
  sp_run_free(run);
  t_end(&r);
  clear_folder();
}

/* Checked with its schema given, the file may be missing; running needs it. */
static void a_missing_file(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *r = scan(&t, "scan_csv", "r", "none.csv");
  ((sp_scan_node *)r)->given = t_schema(&t, "a int64");
  t_output(&t, r);
  t_resolve(&t);
  sp_exec_options o;
  sp_exec_options_init(&o);
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_exec_run(t.plan, &o, &t.mem, &run, &err), SP_IO);
  assert_int_equal(err.status, SP_IO);
  assert_true(strstr(err.message, "none.csv") != NULL || strstr(err.file, "none.csv") != NULL);
  sp_run_free(run);
  t_end(&t);
}

/* ---- allocations ---- */

static sp_status run_once(sp_mem *mem, void *ctx) {
  const t_plan *t = ctx;
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 1;
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  const sp_status st = sp_exec_run(t->plan, &o, mem, &run, &err);
  sp_run_free(run);
  return st;
}

static void allocations(void **state) {
  (void)state;
  static const char *const formats[] = {"csv", "parquet"};
  for (size_t i = 0; i < 2; i++) {
    t_plan t;
    t_begin(&t);
    char name[20];
    char op[20];
    snprintf(name, sizeof name, "t.%s", formats[i]);
    snprintf(op, sizeof op, "sink_%s", formats[i]);
    sink(&t, op, "w", t_values(&t, "v", "a int64, s string", "1,x;2,null;3,a string longer than twelve"),
         name);
    t_resolve(&t);
    SP_TORTURE(run_once, &t);
    t_end(&t);
    t_begin(&t);
    snprintf(op, sizeof op, "scan_%s", formats[i]);
    sp_node *r = scan(&t, op, "r", name);
    ((sp_scan_node *)r)->predicate = t_items(&t, "a > 1");
    t_output(&t, r);
    t_resolve(&t);
    SP_TORTURE(run_once, &t);
    t_end(&t);
    assert_int_equal(clear_folder(), 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(csv_out_and_in),
      cmocka_unit_test(parquet_with_predicate),
      cmocka_unit_test(parts),
      cmocka_unit_test(a_failed_run_leaves_nothing),
      cmocka_unit_test(a_file_that_changed),
      cmocka_unit_test(a_missing_file),
      cmocka_unit_test(allocations),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
