/* Plans that punish anything quadratic: chains of 10,000 nodes, 20,000 conjuncts, a diamond with 2^64 paths,
 * a thousand columns. Times are printed; the limit is generous, for sanitizers and busy machines, and still
 * far below what a quadratic sweep takes. */
#include "base/thread.h"
#include "plans.h"

#define LIMIT_NS ((int64_t)5000000000)

static void start(sp_str *s, bench *b) {
  sp_str_init(s, &b->mem, (size_t)1 << 26);
  sp_str_add(
      s, "{\"sigmapi\": 1, \"nodes\": [{\"id\": \"n0\", \"op\": \"scan_parquet\", \"path\": \"t.parquet\", "
         "\"schema\": {\"a\": \"int64\", \"b\": \"int64\", \"c\": \"int64\"}}");
}

/* Resolves, optimizes twice; returns the optimized plan. */
static const sp_plan *optimize_text(bench *b, sp_str *s, const char *what, const sp_trace **ret_trace) {
  assert_true(sp_str_ok(s));
  const sp_plan *before = bench_plan(b, s->p);
  sp_str_release(s);
  const int64_t from = sp_now_ns();
  const sp_plan *after = bench_optimize(b, before, sp_profile_default(), ret_trace);
  const int64_t took = sp_now_ns() - from;
  print_message("%s: %u nodes, %u firings, %.1f ms, %.1f MB\n", what, before->n_nodes,
                (*ret_trace)->n_firings, (double)took / 1e6, (double)b->arena.total / 1e6);
  for (uint32_t i = 0; i < (*ret_trace)->n_passes && getenv("SIGMAPI_SHOW") != NULL; i++) {
    print_message("   %-22s %.2f ms\n", (*ret_trace)->passes[i].rule,
                  (double)(*ret_trace)->passes[i].wall_ns / 1e6);
  }
  assert_true(took < LIMIT_NS);
  const sp_trace *again = NULL;
  assert_ptr_equal(bench_optimize(b, after, sp_profile_default(), &again), after);
  assert_int_equal(again->n_firings, 0);
  return after;
}

static void chain_of_filters(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  sp_str s;
  start(&s, &b);
  for (int i = 1; i < 10000; i++) {
    sp_str_addf(&s, ", {\"id\": \"n%d\", \"op\": \"filter\", \"input\": \"n%d\", \"predicate\": \"a > %d\"}",
                i, i - 1, i);
  }
  sp_str_add(&s, "], \"outputs\": [\"n9999\"]}");
  const sp_trace *trace = NULL;
  const sp_plan *after = optimize_text(&b, &s, "chain of filters", &trace);
  assert_int_equal(after->n_nodes, 1);
  assert_int_equal(((const sp_scan_node *)after->nodes[0])->predicate.n, 9999);
  bench_close(&b);
}

static void filter_over_chain(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  sp_str s;
  start(&s, &b);
  for (int i = 1; i < 9999; i++) {
    sp_str_addf(
        &s, ", {\"id\": \"n%d\", \"op\": \"with_columns\", \"input\": \"n%d\", \"exprs\": [\"b + %d AS c\"]}",
        i, i - 1, i);
  }
  sp_str_add(&s, ", {\"id\": \"out\", \"op\": \"filter\", \"input\": \"n9998\", \"predicate\": \"a > 1\"}], "
                 "\"outputs\": [\"out\"]}");
  const sp_trace *trace = NULL;
  const sp_plan *after = optimize_text(&b, &s, "filter over a chain of with_columns", &trace);
  assert_int_equal(((const sp_scan_node *)after->nodes[0])->predicate.n, 1);
  bench_close(&b);
}

static void mixed_chain(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  sp_str s;
  start(&s, &b);
  for (int i = 1; i < 10000; i++) {
    if (i % 2 == 0) {
      sp_str_addf(
          &s,
          ", {\"id\": \"n%d\", \"op\": \"with_columns\", \"input\": \"n%d\", \"exprs\": [\"b + %d AS c\"]}",
          i, i - 1, i);
    } else {
      sp_str_addf(&s,
                  ", {\"id\": \"n%d\", \"op\": \"filter\", \"input\": \"n%d\", \"predicate\": \"a > %d\"}", i,
                  i - 1, i);
    }
  }
  sp_str_add(&s, "], \"outputs\": [\"n9999\"]}");
  const sp_trace *trace = NULL;
  const sp_plan *after = optimize_text(&b, &s, "filters and with_columns in turn", &trace);
  assert_int_equal(((const sp_scan_node *)after->nodes[0])->predicate.n, 5000);
  bench_close(&b);
}

static void many_conjuncts(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  sp_str s;
  start(&s, &b);
  sp_str_add(&s, ", {\"id\": \"s\", \"op\": \"select\", \"input\": \"n0\", \"exprs\": [\"a AS x\", \"b\"]}, "
                 "{\"id\": \"out\", \"op\": \"filter\", \"input\": \"s\", \"predicate\": \"x > 0");
  for (int i = 1; i < 20000; i++) {
    sp_str_addf(&s, " AND x <> %d", i);
  }
  sp_str_add(&s, "\"}], \"outputs\": [\"out\"]}");
  const sp_trace *trace = NULL;
  const sp_plan *after = optimize_text(&b, &s, "20,000 conjuncts", &trace);
  assert_int_equal(((const sp_scan_node *)after->nodes[0])->predicate.n, 20000);
  bench_close(&b);
}

static void diamond(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  sp_str s;
  start(&s, &b);
  for (int i = 1; i <= 64; i++) {
    sp_str_addf(&s, ", {\"id\": \"n%d\", \"op\": \"union\", \"inputs\": [\"n%d\", \"n%d\"]}", i, i - 1,
                i - 1);
  }
  sp_str_add(&s, ", {\"id\": \"out\", \"op\": \"filter\", \"input\": \"n64\", \"predicate\": \"a > 1\"}");
  sp_str_add(&s, ", {\"id\": \"cols\", \"op\": \"select\", \"input\": \"out\", \"exprs\": [\"b\"]}], "
                 "\"outputs\": [\"cols\"]}");
  const sp_trace *trace = NULL;
  const sp_plan *after = optimize_text(&b, &s, "diamond", &trace);
  const sp_scan_node *scan = (const sp_scan_node *)after->nodes[0];
  assert_int_equal(scan->predicate.n, 1); /* both edges of each level agree */
  assert_int_equal(scan->columns.n, 1);
  bench_close(&b);
}

static void wide(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  sp_str s;
  sp_str_init(&s, &b.mem, (size_t)1 << 26);
  sp_str_add(&s, "{\"sigmapi\": 1, \"nodes\": [{\"id\": \"n0\", \"op\": \"scan_parquet\", \"path\": "
                 "\"t.parquet\", \"schema\": {\"a\": \"int64\"");
  for (int i = 0; i < 1000; i++) {
    sp_str_addf(&s, ", \"c%d\": \"int64\"", i);
  }
  sp_str_add(&s, "}}");
  for (int i = 1; i < 300; i++) {
    sp_str_addf(&s, ", {\"id\": \"n%d\", \"op\": \"%s\", \"input\": \"n%d\", %s}", i,
                i % 2 == 0 ? "filter" : "with_columns", i - 1,
                i % 2 == 0 ? "\"predicate\": \"a > 1\"" : "\"exprs\": [\"c1 + 1 AS c1\"]");
  }
  sp_str_add(&s, ", {\"id\": \"out\", \"op\": \"select\", \"input\": \"n299\", \"exprs\": [\"c1\", "
                 "\"c2\"]}], \"outputs\": [\"out\"]}");
  const sp_trace *trace = NULL;
  const sp_plan *after = optimize_text(&b, &s, "300 nodes of 1,000 columns", &trace);
  assert_int_equal(((const sp_scan_node *)after->nodes[0])->columns.n, 2);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(chain_of_filters), cmocka_unit_test(filter_over_chain),
                                     cmocka_unit_test(mixed_chain),      cmocka_unit_test(many_conjuncts),
                                     cmocka_unit_test(diamond),          cmocka_unit_test(wide)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
