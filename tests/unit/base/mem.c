/* Accounts: exact sums, limits, moves, failure injection, the snapshot at the peak, blocks of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int64_t live(const sp_mem *m) {
  return atomic_load(&m->live);
}
static int64_t peak(const sp_mem *m) {
  return atomic_load(&m->peak);
}

typedef struct tree {
  sp_mem root, query, x, y;
} tree;

static void tree_init(tree *t) {
  sp_mem_init(&t->root, NULL, "root");
  sp_mem_init(&t->query, &t->root, "query");
  sp_mem_init(&t->x, &t->query, "x");
  sp_mem_init(&t->y, &t->query, "y");
}

static void tree_release(tree *t) {
  assert_int_equal(live(&t->root), 0);
  sp_mem_release(&t->y);
  sp_mem_release(&t->x);
  sp_mem_release(&t->query);
  sp_mem_release(&t->root);
}

static void sums_are_exact(void **state) {
  (void)state;
  tree t;
  tree_init(&t);
  void *p = sp_mem_alloc(&t.x, 600);
  void *q = sp_mem_alloc(&t.y, 0);
  void *r = sp_mem_calloc(&t.y, 40);
  assert_non_null(p);
  assert_non_null(q);
  assert_non_null(r);
  assert_int_equal((uintptr_t)p % 64, 0);
  assert_int_equal(live(&t.x), 600);
  assert_int_equal(live(&t.y), 40);
  assert_int_equal(live(&t.query), 640);
  assert_int_equal(live(&t.root), 640);
  sp_mem_move(&t.x, &t.y, 600);
  assert_int_equal(live(&t.x), 0);
  assert_int_equal(live(&t.y), 640);
  assert_int_equal(live(&t.query), 640);
  assert_int_equal(peak(&t.query), 640); /* a move between siblings is no new memory */
  sp_mem_move(&t.x, &t.y, -100);
  assert_int_equal(live(&t.x), 100);
  sp_mem_move(&t.x, &t.y, 100);
  sp_mem_free(&t.y, p, 600);
  sp_mem_free(&t.y, q, 0);
  sp_mem_free(&t.y, r, 40);
  sp_mem_free(&t.y, NULL, 12345);
  assert_int_equal(peak(&t.x), 600);
  assert_int_equal(atomic_load(&t.root.allocs), 3);
  assert_int_equal(atomic_load(&t.x.allocs), 1);
  tree_release(&t);
}

static void moves_between_a_parent_and_its_child(void **state) {
  (void)state;
  tree t;
  tree_init(&t);
  void *p = sp_mem_alloc(&t.query, 10);
  sp_mem_move(&t.query, &t.x, 10);
  assert_int_equal(live(&t.x), 10);
  assert_int_equal(live(&t.query), 10);
  sp_mem_move(&t.x, &t.root, 10);
  assert_int_equal(live(&t.query), 0);
  assert_int_equal(live(&t.root), 10);
  sp_mem_free(&t.root, p, 10);
  tree_release(&t);
}

static void limits_refuse_and_undo(void **state) {
  (void)state;
  tree t;
  tree_init(&t);
  t.query.limit = 1000;
  void *p = sp_mem_alloc(&t.x, 600);
  assert_non_null(p);
  assert_null(sp_mem_alloc(&t.y, 401));
  assert_int_equal(live(&t.y), 0);
  assert_int_equal(peak(&t.y), 0);
  assert_int_equal(live(&t.root), 600);
  assert_true(sp_mem_limit_hit(&t.y));
  assert_true(sp_mem_limit_hit(&t.query));
  assert_false(sp_mem_limit_hit(&t.x));
  assert_null(sp_mem_realloc(&t.x, p, 600, 1001));
  p = sp_mem_realloc(&t.x, p, 600, 1000);
  assert_non_null(p);
  assert_int_equal(live(&t.query), 1000);
  sp_mem_charge(&t.y, 5000); /* charging never fails */
  assert_int_equal(live(&t.query), 6000);
  sp_mem_charge(&t.y, -5000);
  sp_mem_free(&t.x, p, 1000);

  p = sp_mem_alloc(&t.root, 2000);
  assert_false(sp_mem_try_move(&t.root, &t.x, 2000));
  assert_int_equal(live(&t.x), 0);
  assert_true(sp_mem_try_move(&t.root, &t.x, 900));
  assert_int_equal(live(&t.root), 2000);
  sp_mem_move(&t.x, &t.root, 900);
  sp_mem_free(&t.root, p, 2000);
  tree_release(&t);
}

static void the_nth_allocation_fails(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_mem_fail_at(2);
  void *a = sp_mem_alloc(&m, 8);
  void *b = sp_mem_calloc(&m, 8);
  assert_non_null(a);
  assert_non_null(b);
  assert_false(sp_mem_fail_fired());
  assert_null(sp_mem_realloc(&m, a, 8, 16));
  assert_true(sp_mem_fail_fired());
  assert_false(sp_mem_limit_hit(&m));
  a = sp_mem_realloc(&m, a, 8, 16); /* only that one fails */
  assert_non_null(a);
  sp_mem_fail_at(0);
  assert_false(sp_mem_fail_fired());
  assert_null(sp_mem_alloc(&m, 8));
  sp_mem_fail_at(-1);
  assert_int_equal(live(&m), 24);
  sp_mem_free(&m, a, 16);
  sp_mem_free(&m, b, 8);
  sp_mem_release(&m);
}

/* Content, alignment and sums survive growing and shrinking over every border between kinds of blocks. */
static void blocks_of_every_size(void **state) {
  (void)state;
  static const size_t sizes[] = {1,       63,      64,      65,      1000,     4000000,
                                 4194303, 4194304, 4194305, 9000001, 4194304,  5000000,
                                 4194303, 70,      40,      64,      20000000, 10};
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  size_t n = 16;
  uint8_t *p = sp_mem_calloc(&m, n);
  assert_non_null(p);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (size_t k = 0; k < n; k++) {
      p[k] = (uint8_t)(k * 7 + i);
    }
    p = sp_mem_realloc(&m, p, n, sizes[i]);
    assert_non_null(p);
    const size_t kept = n < sizes[i] ? n : sizes[i];
    for (size_t k = 0; k < kept; k++) {
      if (p[k] != (uint8_t)(k * 7 + i)) {
        fail_msg("byte %zu is lost from %zu to %zu bytes", k, n, sizes[i]);
      }
    }
    n = sizes[i];
    assert_int_equal(live(&m), n);
    assert_int_equal((uintptr_t)p % (n >= 64 ? 64 : 16), 0);
  }
  sp_mem_free(&m, p, n);
  uint8_t *big = sp_mem_calloc(&m, 5000000);
  assert_non_null(big);
  for (size_t k = 0; k < 5000000; k += 511) {
    assert_int_equal(big[k], 0);
  }
  sp_mem_free(&m, big, 5000000);
  assert_null(sp_mem_alloc(&m, SIZE_MAX / 2));
  assert_int_equal(live(&m), 0);
  sp_mem_release(&m);
}

static void the_snapshot_adds_up(void **state) {
  (void)state;
  tree t;
  tree_init(&t);
  sp_mem_watch *w = sp_mem_watch_new(&t.query, 2);
  assert_non_null(w);
  sp_mem_watch_add(w, &t.x);
  sp_mem_watch_add(w, &t.y);
  const size_t mib = 1 << 20;
  void *a = sp_mem_alloc(&t.x, 2 * mib);
  void *b = sp_mem_alloc(&t.x, 8 * mib);
  sp_mem_free(&t.x, b, 8 * mib);
  b = sp_mem_alloc(&t.y, 6 * mib); /* 8 now: no new peak, although the nodes' own peaks add up to 16 */
  assert_int_equal(sp_mem_watch_peak(w), 10 * mib);
  assert_int_equal(sp_mem_watch_at_peak(w, &t.x), 10 * mib);
  assert_int_equal(sp_mem_watch_at_peak(w, &t.y), 0);
  void *c = sp_mem_alloc(&t.y, 9 * mib);
  assert_int_equal(sp_mem_watch_at_peak(w, &t.x), 2 * mib);
  assert_int_equal(sp_mem_watch_at_peak(w, &t.y), 15 * mib);
  assert_int_equal(sp_mem_watch_peak(w), 17 * mib);
  sp_mem_free(&t.x, a, 2 * mib);
  sp_mem_free(&t.y, b, 6 * mib);
  sp_mem_free(&t.y, c, 9 * mib);
  sp_mem_watch_unref(w);
  assert_null(sp_mem_watch_unref(NULL));
  tree_release(&t);
}

static void a_small_peak_is_seen_within_a_percent(void **state) {
  (void)state;
  tree t;
  tree_init(&t);
  sp_mem_watch *w = sp_mem_watch_new(&t.query, 2);
  sp_mem_watch_add(w, &t.x);
  sp_mem_watch_add(w, &t.y);
  void *p[200];
  for (int i = 0; i < 200; i++) {
    p[i] = sp_mem_alloc(i % 2 ? &t.x : &t.y, 1000);
  }
  const int64_t at_peak = sp_mem_watch_peak(w);
  assert_in_range(at_peak, 198000, 200000);
  assert_int_equal(at_peak, sp_mem_watch_at_peak(w, &t.x) + sp_mem_watch_at_peak(w, &t.y));
  for (int i = 0; i < 200; i++) {
    sp_mem_free(i % 2 ? &t.x : &t.y, p[i], 1000);
  }
  sp_mem_watch_unref(w);
  tree_release(&t);
}

typedef struct churn {
  tree *t;
  unsigned seed;
} churn;

static void *churn_main(void *arg) {
  churn *c = arg;
  void *p[16] = {0};
  size_t n[16] = {0};
  for (int i = 0; i < 20000; i++) {
    const int k = rand_r(&c->seed) % 16;
    sp_mem_free(&c->t->x, p[k], n[k]);
    n[k] = (size_t)(rand_r(&c->seed) % 3000);
    p[k] = sp_mem_alloc(i % 2 ? &c->t->x : &c->t->y, n[k]);
    if (p[k] != NULL && i % 2 == 0) {
      sp_mem_move(&c->t->y, &c->t->x, (int64_t)n[k]);
    }
  }
  for (int k = 0; k < 16; k++) {
    sp_mem_free(&c->t->x, p[k], n[k]);
  }
  return NULL;
}

static void threads_leave_exact_sums(void **state) {
  (void)state;
  tree t;
  tree_init(&t);
  t.query.limit = 60000;
  sp_mem_watch *w = sp_mem_watch_new(&t.query, 2);
  sp_mem_watch_add(w, &t.x);
  sp_mem_watch_add(w, &t.y);
  churn c[4];
  pthread_t threads[4];
  for (unsigned i = 0; i < 4; i++) {
    c[i] = (churn){&t, i + 1};
    assert_int_equal(pthread_create(&threads[i], NULL, churn_main, &c[i]), 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
  }
  assert_int_equal(live(&t.x), 0);
  assert_int_equal(live(&t.y), 0);
  assert_true(peak(&t.query) <= 60000);
  assert_int_equal(sp_mem_watch_peak(w), sp_mem_watch_at_peak(w, &t.x) + sp_mem_watch_at_peak(w, &t.y));
  assert_true(sp_mem_watch_peak(w) > 0);
  sp_mem_watch_unref(w);
  tree_release(&t);
}

static void sizes_are_checked(void **state) {
  (void)state;
  size_t r = 7;
  assert_false(sp_size_mul(SIZE_MAX, 2, &r));
  assert_false(sp_size_add(SIZE_MAX, 1, &r));
  assert_int_equal(r, 7);
  assert_true(sp_size_mul(6, 7, &r));
  assert_int_equal(r, 42);
  assert_true(sp_size_add(40, 3, &r));
  assert_int_equal(r, 43);
}

static void the_process_is_measured(void **state) {
  (void)state;
  sp_mem *p = sp_mem_process();
  assert_ptr_equal(p, sp_mem_process());
  const size_t n = 32 << 20;
  const int64_t before = sp_mem_rss_now().resident;
  uint8_t *block = sp_mem_alloc(p, n);
  assert_non_null(block);
  memset(block, 1, n);
  const sp_mem_rss rss = sp_mem_rss_now();
  assert_true(rss.resident >= before + (int64_t)n / 2);
  assert_true(rss.resident_peak >= rss.resident - (1 << 20));
  assert_true(rss.allocator_free >= 0);
  sp_mem_free(p, block, n);
  assert_true(sp_mem_trim() >= 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_are_exact),
      cmocka_unit_test(moves_between_a_parent_and_its_child),
      cmocka_unit_test(limits_refuse_and_undo),
      cmocka_unit_test(the_nth_allocation_fails),
      cmocka_unit_test(blocks_of_every_size),
      cmocka_unit_test(the_snapshot_adds_up),
      cmocka_unit_test(a_small_peak_is_seen_within_a_percent),
      cmocka_unit_test(threads_leave_exact_sums),
      cmocka_unit_test(sizes_are_checked),
      cmocka_unit_test(the_process_is_measured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
