/* Profiles, the driver's promises (ids, outputs, caps, the input plan untouched), and allocation failures
 * through every rule. */
#include "base/file.h"
#include "plans.h"

#define EVERYTHING SIGMAPI_SOURCE_DIR "/tests/unit/optimize/everything.json"

/* A plan with something for every rule. */
static const sp_plan *everything(bench *b) {
  char *text = NULL;
  size_t n = 0;
  const sp_plan *p = NULL;
  bench_check(b, sp_file_read(&b->arena, EVERYTHING, 1 << 20, &text, &n, &b->err));
  bench_check(b, bench_resolve(b, EVERYTHING, text, n, &p));
  return p;
}

static void every_rule_fires(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  const sp_plan *before = everything(&b);
  const sp_trace *trace = NULL;
  const sp_plan *after = bench_optimize(&b, before, sp_profile_default(), &trace);
  for (uint32_t r = 0; sp_rule_table[r] != NULL; r++) {
    if (bench_firings(trace, sp_rule_table[r]->name) == 0) {
      print_error("%s did not fire\n", sp_rule_table[r]->name);
      fail();
    }
  }
  assert_true(trace->wall_ns > 0);
  for (uint32_t i = 0; i < trace->n_passes; i++) {
    assert_true(trace->passes[i].wall_ns >= 0);
  }
  for (uint32_t i = 0; i < trace->n_firings; i++) {
    assert_true(trace->firings[i].pass < trace->n_passes);
    assert_string_equal(trace->firings[i].rule, trace->passes[trace->firings[i].pass].rule);
  }
  assert_int_equal(after->n_outputs, 7);
  assert_string_equal(after->output_ids[0], "top");
  assert_true(after->stage == SP_STAGE_OPTIMIZED);
  bench_close(&b);
}

static void the_input_stays(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  const sp_plan *before = everything(&b);
  sp_str x;
  sp_str y;
  sp_str_init(&x, &b.mem, 1 << 20);
  sp_str_init(&y, &b.mem, 1 << 20);
  bench_plan_text(before, &x);
  const sp_trace *trace = NULL;
  const sp_plan *none = bench_optimize(&b, before, sp_profile_none(), &trace);
  assert_ptr_equal(none, before);
  assert_int_equal(trace->n_passes, 0);
  bench_optimize(&b, before, sp_profile_default(), &trace);
  bench_plan_text(before, &y);
  assert_string_equal(x.p, y.p);
  sp_str_release(&x);
  sp_str_release(&y);
  bench_close(&b);
}

static void ids_are_new_and_unique(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  /* The user has taken the id that the rule would give. */
  const sp_plan *before =
      bench_plan(&b, "{\"sigmapi\": 1, \"nodes\": ["
                     "{\"id\": \"t\", \"op\": \"values\", \"schema\": {\"a\": \"int64\"}, \"rows\": [[1]]},"
                     "{\"id\": \"f~predicate_pushdown1\", \"op\": \"cache\", \"input\": \"t\"},"
                     "{\"id\": \"f\", \"op\": \"filter\", \"input\": \"f~predicate_pushdown1\","
                     " \"predicate\": \"a > 1\"}], \"outputs\": [\"f\"]}");
  const sp_trace *trace = NULL;
  const sp_plan *after = bench_optimize(&b, before, sp_profile_default(), &trace);
  for (uint32_t i = 0; i < after->n_nodes; i++) {
    for (uint32_t k = 0; k < i; k++) {
      assert_string_not_equal(after->nodes[i]->id, after->nodes[k]->id);
    }
  }
  assert_true(trace->n_firings > 0);
  bench_close(&b);
}

static void a_cap_is_told(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  const sp_plan *before = everything(&b);
  static const char *const rules[] = {"cross_to_inner", "predicate_pushdown", "split_predicates"};
  const sp_profile_pass pass = {"backwards", 2, 3, rules};
  const sp_profile p = {"backwards", 1, &pass};
  const sp_plan *after = NULL;
  const sp_trace *trace = NULL;
  bench_check(&b, sp_optimize(before, &p, true, &after, &trace, &b.err));
  assert_true(trace->capped);
  bench_check(&b, sp_plan_validate(after, &b.err));
  bench_close(&b);
}

/* ---- profiles ---- */
static const sp_profile *read_profile(bench *b, const char *text, sp_status want) {
  const sp_json_doc *doc = NULL;
  const sp_profile *p = NULL;
  b->err = SP_ERROR_INIT;
  bench_check(b, sp_json_parse(&b->arena, "p.json", text, strlen(text), &doc, &b->err));
  assert_int_equal(sp_profile_read(doc, &b->arena, &p, &b->err), want);
  return p;
}

static void profiles_read_and_write(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  sp_str x;
  sp_str y;
  sp_str_init(&x, &b.mem, 1 << 16);
  sp_str_init(&y, &b.mem, 1 << 16);
  bench_check(&b, sp_profile_write(sp_profile_default(), &x, &b.err));
  const sp_profile *p = read_profile(&b, x.p, SP_OK);
  bench_check(&b, sp_profile_write(p, &y, &b.err));
  assert_string_equal(x.p, y.p);
  assert_string_equal(p->name, "default");
  sp_str_release(&x);
  sp_str_release(&y);

  p = read_profile(&b, "{\"sigmapi_profile\": 1, \"passes\": [{\"rules\": [\"split_predicates\"]}]}", SP_OK);
  assert_int_equal(p->n_passes, 1);
  assert_int_equal(p->passes[0].max_rounds, 1);
  bench_close(&b);
}

static void wrong_profiles(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  read_profile(&b, "{\"sigmapi_profile\": 1, \"passes\": [{\"rules\": [\"split_predicate\"]}]}",
               SP_NOT_FOUND);
  assert_string_equal(b.err.message, "unknown rule `split_predicate`");
  assert_string_equal(b.err.pointer, "/passes/0/rules/0");
  assert_non_null(strstr(b.err.hint, "`split_predicates`"));
  read_profile(&b, "{\"sigmapi_profile\": 2, \"passes\": []}", SP_UNSUPPORTED);
  read_profile(&b, "{\"sigmapi_profile\": 1, \"pases\": []}", SP_INVALID);
  assert_non_null(strstr(b.err.hint, "`passes`"));
  read_profile(&b, "{\"sigmapi_profile\": 1, \"passes\": [{\"rules\": [], \"max_rounds\": 0}]}", SP_INVALID);
  read_profile(&b, "{\"sigmapi_profile\": 1, \"passes\": [{\"rules\": 7}]}", SP_INVALID);
  read_profile(&b, "{\"sigmapi_profile\": 1, \"passes\": [7]}", SP_INVALID);
  read_profile(&b, "[]", SP_INVALID);
  bench_close(&b);
}

static void filtered_profiles(void **state) {
  (void)state;
  bench b;
  bench_open(&b, NULL);
  const sp_profile *p = NULL;
  const char *off[] = {"cross_to_inner"};
  bench_check(&b, sp_profile_filter(sp_profile_default(), off, 1, NULL, 0, &b.arena, &p, &b.err));
  assert_string_equal(p->name, "default without cross_to_inner");
  for (uint32_t i = 0; i < p->n_passes; i++) {
    for (uint32_t k = 0; k < p->passes[i].n_rules; k++) {
      assert_string_not_equal(p->passes[i].rules[k], "cross_to_inner");
    }
  }
  bench_check(&b, sp_profile_filter(sp_profile_default(), NULL, 0, off, 1, &b.arena, &p, &b.err));
  uint32_t n = 0;
  for (uint32_t i = 0; i < p->n_passes; i++) {
    n += p->passes[i].n_rules;
  }
  assert_int_equal(n, 1);
  const char *wrong[] = {"cros_to_inner"};
  assert_int_equal(sp_profile_filter(sp_profile_default(), wrong, 1, NULL, 0, &b.arena, &p, &b.err),
                   SP_USAGE);
  assert_non_null(strstr(b.err.hint, "`cross_to_inner`"));
  bench_close(&b);
}

/* ---- memory ---- */
/* Optimizes with the n-th allocation failing; false when it was not reached. */
static bool optimize_without(int64_t n) {
  bench b;
  bench_open(&b, NULL);
  const sp_plan *before = everything(&b);
  const sp_plan *after = NULL;
  const sp_trace *trace = NULL;
  sp_mem_fail_at(n);
  const sp_status st = sp_optimize(before, sp_profile_default(), true, &after, &trace, &b.err);
  const bool fired = sp_mem_fail_fired();
  sp_mem_fail_at(-1);
  if (st != (fired ? SP_NOMEM : SP_OK)) {
    print_error("allocation %lld %s, and the status is: %s\n", (long long)n,
                fired ? "failed" : "was not reached", sp_status_text(st));
    fail();
  }
  assert_true(fired == (after == NULL));
  bench_close(&b); /* asserts that nothing is live */
  return fired;
}

static void every_allocation_fails(void **state) {
  (void)state;
  for (int64_t n = 0; optimize_without(n); n += n < 2000 ? 1 : n / 50) {
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_rule_fires),        cmocka_unit_test(the_input_stays),
      cmocka_unit_test(ids_are_new_and_unique),  cmocka_unit_test(a_cap_is_told),
      cmocka_unit_test(profiles_read_and_write), cmocka_unit_test(wrong_profiles),
      cmocka_unit_test(filtered_profiles),       cmocka_unit_test(every_allocation_fails)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
