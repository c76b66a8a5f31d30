/* Random plans: wherever a match claims that two nodes have the same rows, both plans are run and have as
 * many rows there, as far as their number is determined and nobody stopped early. The generator is the
 * differential test's. */
#include "../../support/report.h"
#include "tests/differential/generate.inc"

static sp_run *run_plan(desk *d, const sp_plan *p) {
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 1;
  o.discard = true;
  o.time_limit_ns = 500000000; /* some multiply their rows without end */
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_exec_run(p, &o, &d->mem, &run, &err) != SP_OK) { /* a cast that fails, say */
    run = sp_run_free(run);
  }
  return run;
}

static bool optimize_text(desk *d, const sp_str *text) {
  const sp_json_doc *doc = NULL;
  return sp_json_parse(&d->arena, "p.json", text->p, text->n, &doc, &d->err) == SP_OK &&
         sp_plan_read(doc, &d->arena, &d->written, &d->err) == SP_OK &&
         sp_plan_resolve(d->written, &d->env, &d->resolved, &d->err) == SP_OK &&
         sp_optimize(d->resolved, sp_profile_default(), true, &d->optimized, &d->trace, &d->err) == SP_OK;
}

/* What to look at when a claim is wrong. */
#define FAILED SIGMAPI_BINARY_DIR "/tests/match-random-failed.json"
static void save(const sp_report *r, desk *d) {
  FILE *f = fopen(FAILED, "w");
  assert_non_null(f);
  (void)fputs(desk_json(d, r), f);
  (void)fclose(f);
}

static void compare(desk *d, uint64_t seed, uint32_t *ret_claims, uint32_t *ret_none) {
  const sp_report *r = desk_build(d);
  const sp_determined *det = sp_plan_determined(d->resolved, &d->arena);
  assert_non_null(det);
  sp_run *before = run_plan(d, d->resolved), *after = run_plan(d, d->optimized);
  for (uint32_t i = 0; before != NULL && after != NULL && i < r->n_matches; i++) {
    const sp_report_match *m = &r->matches[i];
    const int64_t x = before->metrics[m->a].v[SP_METRIC_output_rows],
                  y = after->metrics[m->b].v[SP_METRIC_output_rows];
    if (!m->same_rows) {
      (*ret_none)++;
    } else if (det[m->a] >= SP_DET_COUNT && !before->cut[m->a] && !after->cut[m->b] && x >= 0 && y >= 0) {
      (*ret_claims)++;
      if (x != y) {
        save(r, d);
        fail_msg("seed %llu: %s has %lld rows before, %s has %lld after (%s); see " FAILED,
                 (unsigned long long)seed, d->resolved->nodes[m->a]->id, (long long)x,
                 d->optimized->nodes[m->b]->id, (long long)y, m->kind);
      }
    }
  }
  before = sp_run_free(before);
  after = sp_run_free(after);
}

#define TABLES SIGMAPI_BINARY_DIR "/tests/match-random-tables"

static void write_tables(void) {
  desk d;
  desk_open(&d);
  sp_str text;
  sp_str_init(&text, &d.mem, (size_t)1 << 24);
  gen_tables(TABLES, &text);
  assert_true(optimize_text(&d, &text));
  sp_run *run = run_plan(&d, d.optimized);
  assert_non_null(run);
  run = sp_run_free(run);
  sp_str_release(&text);
  desk_close(&d);
}

static void test_claims_hold(void **state) {
  (void)state;
  uint32_t claims = 0, none = 0;
  write_tables();
  for (uint64_t seed = 1; seed <= 1500; seed++) {
    desk d;
    desk_open(&d);
    sp_str text;
    sp_str_init(&text, &d.mem, (size_t)1 << 20);
    gen_plan(seed, TABLES, &text);
    if (optimize_text(&d, &text)) {
      compare(&d, seed, &claims, &none);
    }
    sp_str_release(&text);
    desk_close(&d);
  }
  print_message("%u claims of the same rows, %u without\n", claims, none);
  assert_true(claims > 2000); /* else it says too little about too few */
  assert_true(none > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_claims_hold)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
