/* The TPC-H samples through the default profile: valid plans, nothing left to do afterwards, no cross product
 * where there is an equality, and every single rule alone gives a valid plan, too. */
#include "base/file.h"
#include "plans.h"

#define QUERIES SIGMAPI_SOURCE_DIR "/samples/tpch"
#define TABLES SIGMAPI_TEST_DATA "/tpch-sf0.01/parquet"

static const sp_plan *load(bench *b, const char *name) {
  const char *path = sp_arena_printf(&b->arena, "%s/%s.json", QUERIES, name);
  char *text = NULL;
  size_t n = 0;
  const sp_plan *p = NULL;
  b->env.data_root = TABLES;
  bench_check(b, sp_file_read(&b->arena, path, (size_t)1 << 20, &text, &n, &b->err));
  bench_check(b, bench_resolve(b, path, text, n, &p));
  return p;
}

static void show(bench *b, const sp_plan *p) {
  sp_str out;
  sp_str_init(&out, &b->mem, (size_t)1 << 22);
  bench_plan_text(p, &out);
  print_error("%s\n", out.p);
  sp_str_release(&out);
}

static bool has_cross(const sp_plan *p) {
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (sp_node_is(p->nodes[i], "join") && ((const sp_join_node *)p->nodes[i])->how == SP_JOIN_CROSS) {
      return true;
    }
  }
  return false;
}

static void optimized(const char *name) {
  bench b;
  bench_open(&b, NULL);
  const sp_plan *before = load(&b, name);
  const sp_trace *trace = NULL;
  const sp_trace *again = NULL;
  const sp_plan *after = bench_optimize(&b, before, sp_profile_default(), &trace);
  if (getenv("SIGMAPI_SHOW") != NULL) {
    print_error("== %s: %u firings, %.2f ms\n", name, trace->n_firings, (double)trace->wall_ns / 1e6);
    show(&b, after);
    for (uint32_t i = 0; i < after->n_nodes; i++) {
      print_error("   est %s %.1f\n", after->nodes[i]->id, trace->est_rows[i]);
    }
  }
  assert_true(trace->n_firings > 0);
  const sp_plan *twice = bench_optimize(&b, after, sp_profile_default(), &again);
  if (twice != after || again->n_firings != 0) {
    print_error("%s: optimizing again changed the plan\n", name);
    show(&b, after);
    show(&b, twice);
    fail();
  }
  for (uint32_t i = 0; i < after->n_nodes; i++) {
    assert_true(trace->est_rows[i] >= 0);
  }
  bench_close(&b);
}

static void all_queries(void **state) {
  (void)state;
  if (!sp_path_is_dir(TABLES)) {
    skip();
  }
  for (int q = 1; q <= 22; q++) {
    char name[16];
    snprintf(name, sizeof name, "q%02d", q);
    optimized(name);
  }
  optimized("q05-cross");
}

static void no_cross_is_left(void **state) {
  (void)state;
  if (!sp_path_is_dir(TABLES)) {
    skip();
  }
  bench b;
  bench_open(&b, NULL);
  const sp_trace *trace = NULL;
  const sp_plan *before = load(&b, "q05-cross");
  assert_true(has_cross(before));
  assert_false(has_cross(bench_optimize(&b, before, sp_profile_default(), &trace)));
  bench_close(&b);
}

static void one_rule_alone(void **state) {
  (void)state;
  if (!sp_path_is_dir(TABLES)) {
    skip();
  }
  for (uint32_t r = 0; sp_rule_table[r] != NULL; r++) {
    for (int q = 1; q <= 22; q++) {
      bench b;
      char name[16];
      snprintf(name, sizeof name, "q%02d", q);
      bench_open(&b, NULL);
      const sp_plan *before = load(&b, name);
      const sp_profile *p = NULL;
      const sp_trace *trace = NULL;
      bench_check(&b, sp_profile_filter(sp_profile_default(), NULL, 0, &sp_rule_table[r]->name, 1, &b.arena,
                                        &p, &b.err));
      bench_optimize(&b, before, p, &trace);
      const sp_profile *without = NULL;
      bench_check(&b, sp_profile_filter(sp_profile_default(), &sp_rule_table[r]->name, 1, NULL, 0, &b.arena,
                                        &without, &b.err));
      bench_optimize(&b, before, without, &trace);
      bench_close(&b);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_queries), cmocka_unit_test(no_cross_is_left),
                                     cmocka_unit_test(one_rule_alone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
