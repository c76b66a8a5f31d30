/* tests/golden/rules/RULE/NAME.json: a plan, with NAME.expect beside it: the plan before and after, what
 * fired, what moved, what stopped it.
 *
 * A comment `// rules: a, b` in the plan names the rules that run, else it is RULE alone. RULE must fire,
 * unless NAME starts with `not-`: then it must not. Optimizing the result again must change nothing.
 * SIGMAPI_REGENERATE=1 in the environment writes the .expect files anew. */
#include <dirent.h>

#include "base/file.h"
#include "plans.h"

#define GOLDEN SIGMAPI_SOURCE_DIR "/tests/golden/rules"

static void ids(sp_str *out, const char *const *names, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    sp_str_addf(out, "%s%s", i > 0 ? ", " : "", names[i]);
  }
}

static void fact_text(sp_str *out, const sp_fact *f) {
  static const char *const kinds[] = {"predicate", "column",     "slice", "subplan",
                                      "join",      "expression", "order", "node"};
  static const char *const actions[] = {"moved",    "copied", "stopped",   "removed",
                                        "replaced", "merged", "not shared"};
  sp_str_addf(out, "    %s %s", kinds[f->kind], actions[f->action]);
  if (f->text != NULL) {
    sp_str_addf(out, ": %s", f->text);
  }
  if (f->from != NULL || f->to != NULL) {
    sp_str_addf(out, " [%s → %s]", f->from != NULL ? f->from : "", f->to != NULL ? f->to : "");
  }
  if (f->reason != NULL) {
    sp_str_addf(out, " because %s", f->reason);
  }
  sp_str_add(out, "\n");
}

static void trace_text(sp_str *out, const sp_trace *t) {
  sp_str_add(out, "fired:\n");
  for (uint32_t i = 0; i < t->n_firings; i++) {
    const sp_firing *f = &t->firings[i];
    sp_str_addf(out, "  %s (round %u): ", f->rule, f->round);
    ids(out, f->before, f->n_before);
    sp_str_add(out, " ⇒ ");
    ids(out, f->after, f->n_after);
    sp_str_add(out, "\n");
    for (uint32_t k = 0; k < f->n_facts; k++) {
      fact_text(out, &f->facts[k]);
    }
  }
  sp_str_add(out, "blocked:\n");
  for (uint32_t i = 0; i < t->n_blockers; i++) {
    fact_text(out, &t->blockers[i]);
  }
}

static const char *rules_of(const char *text, const char *rule, size_t *ret_n) {
  const char *at = strstr(text, "// rules: ");
  if (at == NULL) {
    *ret_n = strlen(rule);
    return rule;
  }
  at += strlen("// rules: ");
  *ret_n = strcspn(at, "\n");
  return at;
}

static void compare(bench *b, const char *path, const sp_str *got) {
  if (getenv("SIGMAPI_REGENERATE") != NULL) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(got->p, 1, got->n, f), got->n);
    assert_int_equal(fclose(f), 0);
    return;
  }
  char *want = NULL;
  size_t n = 0;
  bench_check(b, sp_file_read(&b->arena, path, (size_t)1 << 20, &want, &n, &b->err));
  if (n != got->n || memcmp(want, got->p, n) != 0) {
    print_error("%s: expected\n%.*s\ngot\n%s\n", path, (int)n, want, got->p);
    fail();
  }
}

static void run_case(const char *rule, const char *name) {
  bench b;
  bench_open(&b, NULL);
  const char *path = sp_arena_printf(&b.arena, "%s/%s/%s.json", GOLDEN, rule, name);
  char *text = NULL;
  size_t n = 0;
  bench_check(&b, sp_file_read(&b.arena, path, (size_t)1 << 20, &text, &n, &b.err));
  const sp_plan *before = NULL;
  if (bench_resolve(&b, path, text, n, &before) != SP_OK) {
    print_error("%s: %s: %s\n", path, b.err.pointer, b.err.message);
    fail();
  }
  bench_profile p;
  size_t n_list;
  const char *list = rules_of(text, rule, &n_list);
  const sp_profile *profile = bench_rules(&b, &p, list, n_list);
  const sp_trace *trace = NULL;
  const sp_trace *again = NULL;
  const sp_plan *after = bench_optimize(&b, before, profile, &trace);
  sp_str out;
  sp_str_init(&out, &b.mem, (size_t)1 << 22);
  sp_str_add(&out, "before:\n");
  bench_plan_text(before, &out);
  sp_str_add(&out, "after:\n");
  bench_plan_text(after, &out);
  trace_text(&out, trace);
  assert_true(sp_str_ok(&out));
  compare(&b, sp_arena_printf(&b.arena, "%s/%s/%s.expect", GOLDEN, rule, name), &out);
  sp_str_release(&out);
  const bool fired = bench_firings(trace, rule) > 0;
  if (fired != (strncmp(name, "not-", 4) != 0)) {
    print_error("%s: the rule %s\n", path, fired ? "fired, and must not" : "did not fire");
    fail();
  }
  const sp_plan *twice = bench_optimize(&b, after, profile, &again);
  if (again->n_firings != 0 || twice != after) {
    sp_str_init(&out, &b.mem, (size_t)1 << 22);
    bench_plan_text(twice, &out);
    trace_text(&out, again);
    print_error("%s: optimizing again changed the plan\n%s\n", path, out.p);
    fail();
  }
  bench_close(&b);
}

static int by_name(const struct dirent **x, const struct dirent **y) {
  return strcmp((*x)->d_name, (*y)->d_name);
}

static int is_case(const struct dirent *d) {
  const size_t n = strlen(d->d_name);
  return n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

static void run_rule(void **state) {
  const char *rule = *state;
  struct dirent **list = NULL;
  char dir[1024];
  snprintf(dir, sizeof dir, "%s/%s", GOLDEN, rule);
  const int n = scandir(dir, &list, is_case, by_name);
  bool any = false;
  bool any_not = false;
  for (int i = 0; i < n; i++) {
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)strlen(list[i]->d_name) - 5, list[i]->d_name);
    any_not = any_not || strncmp(name, "not-", 4) == 0;
    any = any || strncmp(name, "not-", 4) != 0;
    free(list[i]);
    run_case(rule, name);
  }
  free(list);
  if (!any || !any_not) {
    print_error("%s: a rule needs a golden in which it fires and one (not-…) in which it must not\n", dir);
    fail();
  }
}

int main(void) {
  struct CMUnitTest tests[64];
  uint32_t n = 0;
  for (; sp_rule_table[n] != NULL && n < 64; n++) {
    tests[n] = (struct CMUnitTest){sp_rule_table[n]->name, run_rule, NULL, NULL,
                                   (void *)(uintptr_t)sp_rule_table[n]->name};
  }
  return _cmocka_run_group_tests("golden plans of rules", tests, n, NULL, NULL);
}
