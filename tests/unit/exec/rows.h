/* Expected rows for tests of operators that promise no order, and a small random generator. */
#ifndef TESTS_UNIT_EXEC_ROWS_H
#define TESTS_UNIT_EXEC_ROWS_H

#include "plans.h"

#include "tests/support/torture.h"

typedef struct t_random {
  uint64_t state;
} t_random;
static inline uint64_t t_next(t_random *r, uint64_t below) {
  r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return sp_hash_u64(r->state) % below;
}

static inline int t_by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "b;a;c" ⇒ "a;b;c", in place of the string given. */
static inline char *t_sorted(sp_arena *a, const char *rows) {
  const size_t n = strlen(rows);
  char *copy = sp_arena_strdup(a, rows);
  char **list = SP_ARENA_ARRAY(a, char *, n + 1);
  char *out = sp_arena_alloc(a, n + 1);
  uint32_t count = 0;
  for (char *at = copy; at != NULL && n > 0;) {
    list[count++] = at;
    at = strchr(at, ';');
    if (at != NULL) {
      *at++ = '\0';
    }
  }
  qsort(list, count, sizeof *list, t_by_text);
  char *to = out;
  for (uint32_t i = 0; i < count; i++) {
    const size_t len = strlen(list[i]);
    if (i > 0) {
      *to++ = ';';
    }
    memcpy(to, list[i], len);
    to += len;
  }
  return out;
}

/* The only output's rows in every way of running, in order or as a set. */
static inline void t_expect_rows(t_plan *t, const char *rows, bool in_order) {
  if (t->plan == NULL) {
    t_resolve(t);
  }
  const char *want = in_order ? rows : t_sorted(&t->arena, rows);
  for (size_t i = 0; i < T_HOWS; i++) {
    sp_run *run = t_run_how(t, i);
    sp_str s;
    sp_str_init(&s, &t->mem, (size_t)1 << 26);
    t_text(&run->results[0], &s);
    const char *got = s.p != NULL ? s.p : "";
    got = in_order ? got : t_sorted(&t->arena, got);
    if (strcmp(got, want) != 0) {
      fail_msg("threads %u, batch rows %u:\n got %.2000s\nwant %.2000s", t_hows[i].threads,
               t_hows[i].batch_rows, got, want);
    }
    sp_str_release(&s);
    sp_run_free(run);
  }
}

#endif
