/* Random plans give the same determined result whatever the optimizer, the number of threads and the size of batches: each is run with no rules, with all, with one random
 * subset of rules, and each of these with a random choice of 1 or 4 threads and 1, 7 or the default rows per batch. On a difference every rule is tried alone, and the plan
 * and the guilty rule are printed.
 *
 *   SIGMAPI_PLANS=20000 SIGMAPI_SEED=7 differential_random_plans     the long form */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "session/session.h"
#include "tests/differential/generate.inc"

#define MAX_ROWS 20000             /* of a result; more (crosses of crosses) are only counted */
#define TIME_LIMIT_NS 1000000000LL /* of a run; a plan that takes longer is counted as failing */

typedef struct way {
  const char *optimizer;
  const char *only[32], *disable[32];
  uint32_t n_only, n_disable;
  uint32_t threads, batch_rows;
} way;

typedef struct outcome {
  sp_status status;
  sp_error error;
  uint32_t n_results;
  struct rows {
    sp_determined determined;
    bool counted; /* too many to be compared one by one */
    uint32_t n, cap;
    char **items; /* one text per row */
  } results[8];
  uint32_t fired[32]; /* by rule */
} outcome;

static uint64_t rng;
static uint64_t roll(uint64_t n) {
  rng += UINT64_C(0x9e3779b97f4a7c15);
  return sp_hash_u64(rng) % n;
}

static void keep_row(struct rows *r, const sp_batch *b, uint32_t row, sp_str *tmp) {
  sp_str_clear(tmp);
  for (uint32_t c = 0; c < b->n_cols; c++) {
    const sp_value v = sp_column_value(b->cols[c], b->sel != NULL ? b->sel[row] : row);
    sp_str_add(tmp, "|");
    if (v.is_null) {
      sp_str_add(tmp, "\\N");
    } else {
      sp_value_text(&v, tmp);
    }
  }
  if (r->n == r->cap) {
    r->cap = r->cap > 0 ? r->cap * 2 : 64;
    r->items = realloc(r->items, r->cap * sizeof *r->items);
    assert_non_null(r->items);
  }
  r->items[r->n++] = strdup(tmp->p);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void free_outcome(outcome *o) {
  for (uint32_t i = 0; i < o->n_results; i++) {
    for (uint32_t k = 0; k < o->results[i].n && !o->results[i].counted; k++) {
      free(o->results[i].items[k]);
    }
    free(o->results[i].items);
  }
}

static void collect(sp_session *s, outcome *o) {
  const sp_run *run = sp_session_last_run(s);
  const sp_plan *plan = sp_session_resolved(s);
  sp_determined *det = sp_plan_determined(plan, plan->arena);
  assert_non_null(det);
  sp_str tmp;
  sp_str_init(&tmp, sp_mem_process(), 1 << 20);
  for (uint32_t i = 0; i < run->n_results && i < 8; i++) {
    const sp_result *r = &run->results[i];
    struct rows *rows = &o->results[o->n_results++];
    *rows = (struct rows){0};
    for (uint32_t k = 0; k < plan->n_outputs; k++) {
      if (strcmp(plan->output_ids[k], r->id) == 0) {
        rows->determined = det[plan->outputs[k]];
      }
    }
    rows->counted = r->rows > MAX_ROWS;
    rows->n = rows->counted ? (uint32_t)r->rows : 0;
    for (uint32_t b = 0; b < r->n_batches && !rows->counted; b++) {
      for (uint32_t row = 0; row < r->batches[b]->n_rows; row++) {
        keep_row(rows, r->batches[b], row, &tmp);
      }
    }
    assert_int_equal(rows->n, r->rows);
    if (rows->determined != SP_DET_ORDER && rows->n > 0 && !rows->counted) {
      qsort(rows->items, rows->n, sizeof *rows->items, by_text);
    }
  }
  sp_str_release(&tmp);
}

static void run_way(const char *text, size_t n, const way *w, outcome *o) {
  *o = (outcome){0};
  const sp_session_options options = {.optimizer = w->optimizer, .n_only = w->n_only, .only = w->only, .n_disable = w->n_disable, .disable = w->disable, .validate = true};
  sp_session *s = NULL;
  sp_exec_options x;
  sp_exec_options_init(&x);
  x.threads = w->threads;
  x.batch_rows = w->batch_rows;
  x.time_limit_ns = TIME_LIMIT_NS;
  assert_int_equal(sp_session_new(&options, &s, &o->error), SP_OK);
  o->status = sp_session_load_text(s, "random.json", ".", text, n, &o->error);
  if (o->status == SP_OK) {
    o->status = sp_session_run(s, &x, &o->error);
  }
  if (o->status == SP_OK) {
    collect(s, o);
  }
  const sp_trace *t = sp_session_trace(s);
  for (uint32_t i = 0; t != NULL && i < t->n_passes; i++) {
    for (uint32_t k = 0; sp_rule_table[k] != NULL && k < 32; k++) {
      o->fired[k] += strcmp(sp_rule_table[k]->name, t->passes[i].rule) == 0 ? t->passes[i].firings : 0;
    }
  }
  sp_session_free(s);
}

/* NULL: the same as far as it is determined. */
static const char *differs(const outcome *a, const outcome *b) {
  static char why[2048];
  if (a->status != SP_OK || b->status == SP_LIMIT) {
    return NULL; /* an optimized plan may avoid an error of a column that nobody needs */
  }
  if (b->status != SP_OK) {
    (void)snprintf(why, sizeof why, "fails: %s", b->error.message);
    return why;
  }
  for (uint32_t i = 0; i < a->n_results; i++) {
    const struct rows *x = &a->results[i], *y = &b->results[i];
    if (x->determined == SP_DET_NOTHING) {
      continue;
    }
    if (x->n != y->n) {
      (void)snprintf(why, sizeof why, "output %u: %u rows, expected %u", i, y->n, x->n);
      return why;
    }
    for (uint32_t k = 0; k < x->n && x->determined >= SP_DET_ROWS && !x->counted; k++) {
      if (strcmp(x->items[k], y->items[k]) != 0) {
        (void)snprintf(why, sizeof why, "output %u row %u: %.600s\n  expected %.600s", i, k, y->items[k], x->items[k]);
        return why;
      }
    }
  }
  return NULL;
}

static void random_machine(way *w) {
  static const uint32_t rows[] = {1, 7, 0};
  w->threads = roll(2) == 0 ? 1 : 4;
  w->batch_rows = rows[roll(3)];
}

static void blame(const char *text, size_t n, const outcome *expected) {
  for (uint32_t k = 0; sp_rule_table[k] != NULL; k++) {
    way w = {.optimizer = "default", .only = {sp_rule_table[k]->name}, .n_only = 1, .threads = 1};
    outcome o;
    run_way(text, n, &w, &o);
    const char *why = differs(expected, &o);
    if (why != NULL) {
      fprintf(stderr, "  rule %s alone: %s\n", sp_rule_table[k]->name, why);
    }
    free_outcome(&o);
  }
}

static char folder[64];
static uint32_t kinds_seen[64], fired[32], failed_plans, compared[4];

static void one_plan(uint64_t seed) {
  sp_str text;
  sp_str_init(&text, sp_mem_process(), 1 << 24);
  gen_plan(seed, folder, &text);
  assert_true(sp_str_ok(&text));
  way none = {.optimizer = "none", .threads = 1}, all = {.optimizer = "default"}, some = {.optimizer = "default"};
  random_machine(&all);
  random_machine(&some);
  for (uint32_t k = 0; sp_rule_table[k] != NULL && k < 32; k++) {
    if (roll(2) == 0) {
      some.disable[some.n_disable++] = sp_rule_table[k]->name;
    }
  }
  way machine = none;
  random_machine(&machine);
  way *ways[] = {&machine, &all, &some};
  outcome expected, got;
  run_way(text.p, text.n, &none, &expected);
  failed_plans += expected.status != SP_OK;
  if (expected.status != SP_OK && sp_status_exit_code(expected.status) == 2 && getenv("SIGMAPI_SHOW") != NULL) {
    fprintf(stderr, "seed %llu does not resolve: %s\n", (unsigned long long)seed, expected.error.message);
  }
  for (uint32_t i = 0; i < expected.n_results; i++) {
    compared[expected.results[i].determined]++;
  }
  for (uint32_t i = 0; i < 3 && expected.status != SP_LIMIT; i++) {
    run_way(text.p, text.n, ways[i], &got);
    for (uint32_t k = 0; k < 32; k++) {
      fired[k] += got.fired[k];
    }
    const char *why = differs(&expected, &got);
    if (why != NULL) {
      fprintf(stderr, "seed %llu, %s, %u threads, %u rows a batch: %s\n%s\n", (unsigned long long)seed, i == 0 ? "no rules" : i == 1 ? "all rules" : "some rules",
              ways[i]->threads, ways[i]->batch_rows, why, text.p);
      blame(text.p, text.n, &expected);
      fail_msg("a result changed");
    }
    free_outcome(&got);
  }
  free_outcome(&expected);
  for (uint32_t k = 0; sp_node_table[k] != NULL && k < 64; k++) {
    char op[48];
    (void)snprintf(op, sizeof op, "\"op\": \"%s\"", sp_node_table[k]->name);
    kinds_seen[k] += strstr(text.p, op) != NULL;
  }
  sp_str_release(&text);
}

static void write_tables(void) {
  (void)snprintf(folder, sizeof folder, "/tmp/sigmapi-random-%d", (int)getpid());
  sp_str text;
  sp_str_init(&text, sp_mem_process(), 1 << 24);
  gen_tables(folder, &text);
  way w = {.optimizer = "none", .threads = 1};
  outcome o;
  run_way(text.p, text.n, &w, &o);
  if (o.status != SP_OK) {
    fail_msg("writing the tables: %s", o.error.message);
  }
  free_outcome(&o);
  sp_str_release(&text);
}

static void test_random_plans(void **state) {
  (void)state;
  const char *plans = getenv("SIGMAPI_PLANS"), *seed = getenv("SIGMAPI_SEED");
  const uint64_t n = plans != NULL ? strtoull(plans, NULL, 10) : 2000;
  const uint64_t first = seed != NULL ? strtoull(seed, NULL, 10) : 1;
  write_tables();
  for (uint64_t i = 0; i < n; i++) {
    rng = first + i;
    one_plan(first + i);
  }
  char command[96];
  (void)snprintf(command, sizeof command, "rm -rf %s", folder);
  assert_int_equal(system(command), 0);
  printf("%llu plans, %u of them fail in every way; outputs by what is determined: nothing %u, count %u, rows %u, order %u\nnode kinds:", (unsigned long long)n, failed_plans,
         compared[0], compared[1], compared[2], compared[3]);
  for (uint32_t k = 0; sp_node_table[k] != NULL && k < 64; k++) {
    if (kinds_seen[k] > 0) {
      printf(" %s %u", sp_node_table[k]->name, kinds_seen[k]);
    }
  }
  printf("\nrules fired:");
  for (uint32_t k = 0; sp_rule_table[k] != NULL && k < 32; k++) {
    printf(" %s %u", sp_rule_table[k]->name, fired[k]);
  }
  printf("\n");
  assert_true(failed_plans < n / 5 + 1); /* a generator that only makes errors tests nothing */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_plans)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
