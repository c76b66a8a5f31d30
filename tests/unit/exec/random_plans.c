/* Random DAGs of streaming nodes, slices, unions and joins with sharing, run in every way.
 *
 * All of these nodes keep order, so the rows are determined: any number of workers and any batch size must
 * give the same. Where rows may fail, an early stop decides by whole batches whether one does, so only runs
 * with equal batches are compared, and those must report the same error. */
#include "plans.h"

#define SEEDS 150
#define NODES 14

static uint64_t seed;

static uint32_t dice(uint32_t n) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(seed >> 33) % n;
}

static sp_node *random_node(t_plan *t, sp_node **made, uint32_t n, bool fallible) {
  char *id = sp_arena_printf(&t->arena, "n%u", n);
  sp_node *in = made[n - 1 - dice(n < 4 ? n : 4)];
  sp_node *other = made[dice(n)];
  char text[200];
  switch (dice(11)) {
  case 0:
    return t_numbers(t, id, dice(400));
  case 1:
    snprintf(text, sizeof text, "m <> %u", dice(7));
    return t_filter(t, id, in, text);
  case 2:
    snprintf(text, sizeof text, "i %% %u = 0", 1 + dice(20));
    return t_filter(t, id, in, text);
  case 3:
    if (fallible) {
      snprintf(text, sizeof text, "CAST(CASE WHEN i = %u THEN 'bad%u' ELSE '5' END AS int64) + i AS i",
               dice(600), n);
    } else {
      snprintf(text, sizeof text, "i + m * %u AS i", dice(5));
    }
    return t_project(t, "with_columns", id, in, text);
  case 4:
    return t_slice(t, id, in, dice(50), dice(4) == 0 ? -1 : (int64_t)dice(300));
  case 5:
    return t_slice(t, id, in, -1 - (int64_t)dice(60), dice(4) == 0 ? -1 : (int64_t)dice(60));
  case 6:
  case 7: {
    sp_node *both[] = {in, other, made[dice(n)]};
    return t_union(t, id, 2 + dice(2), both);
  }
  case 8:
  case 9: { /* the right side must be complete before the left one starts */
    sp_node *both[] = {in, dice(2) == 0 ? in : other};
    sp_join_node *j = (sp_join_node *)t_node(t, "join", id, 2, both);
    j->how = dice(2) == 0 ? SP_JOIN_SEMI : SP_JOIN_ANTI;
    j->left_on = t_items(t, "i");
    j->right_on = t_items(t, dice(2) == 0 ? "i + 1" : "m");
    j->maintain_order = true;
    return &j->base;
  }
  default:
    return t_project(t, "select", id, in, "m + 0 AS i; i % 7 AS m");
  }
}

static void build(t_plan *t, bool fallible) {
  sp_node *made[NODES + 1];
  made[0] = t_numbers(t, "n0", 300);
  for (uint32_t i = 1; i <= NODES; i++) {
    made[i] = random_node(t, made, i, fallible);
  }
  t_output(t, made[NODES]);
  for (uint32_t i = dice(3); i > 0; i--) {
    t_output(t, made[dice(NODES)]);
  }
  t_resolve(t);
}

/* Rows of all results, or the error. */
static char *outcome(t_plan *t, size_t how) {
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = t_hows[how].threads;
  o.batch_rows = t_hows[how].batch_rows;
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  const sp_status st = sp_exec_run(t->plan, &o, &t->mem, &run, &err);
  sp_str s;
  sp_str_init(&s, &t->mem, (size_t)1 << 28);
  if (st != SP_OK) {
    sp_str_addf(&s, "%d %s", st, err.message);
  }
  for (uint32_t i = 0; st == SP_OK && i < run->n_results; i++) {
    sp_str_addf(&s, "|%lld|", (long long)run->results[i].rows);
    t_text(&run->results[i], &s);
  }
  assert_true(sp_str_ok(&s));
  char *r = sp_arena_strdup(&t->arena, s.p);
  sp_str_release(&s);
  sp_run_free(run);
  return r;
}

static void compare(bool fallible) {
  uint32_t failed = 0;
  for (uint32_t k = 0; k < SEEDS; k++) {
    seed = k * 2654435761u + fallible;
    t_plan t;
    t_begin(&t);
    build(&t, fallible);
    char *got[T_HOWS];
    for (size_t h = 0; h < T_HOWS; h++) {
      got[h] = outcome(&t, h);
      failed += got[h][0] != '|';
      for (size_t b = 0; b < h; b++) {
        const bool comparable = !fallible || t_hows[b].batch_rows == t_hows[h].batch_rows;
        if (comparable && strcmp(got[b], got[h]) != 0) {
          fail_msg(
              "seed %u: threads %u, batch rows %u gives\n%.1500s\nbut threads %u, batch rows %u\n%.1500s", k,
              t_hows[b].threads, t_hows[b].batch_rows, got[b], t_hows[h].threads, t_hows[h].batch_rows,
              got[h]);
        }
      }
    }
    t_end(&t);
  }
  assert_true(fallible ? failed > SEEDS / 10 && failed < SEEDS * T_HOWS / 2 : failed == 0);
}

static void same_rows(void **state) {
  (void)state;
  compare(false);
}

static void same_errors(void **state) {
  (void)state;
  compare(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_rows), cmocka_unit_test(same_errors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
