/* Buffers: one holder at a time, reuse through the pool, limits that count idle memory, foreign memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/thread.h"
#include "tests/support/torture.h"

static int64_t live(const sp_mem *m) {
  return atomic_load(&m->live);
}

typedef struct accounts {
  sp_mem root, pool, x, y;
} accounts;

static void accounts_init(accounts *c) {
  sp_mem_init(&c->root, NULL, "root");
  sp_mem_init(&c->pool, &c->root, "pool");
  sp_mem_init(&c->x, &c->root, "x");
  sp_mem_init(&c->y, &c->root, "y");
}

static void accounts_release(accounts *c) {
  assert_int_equal(live(&c->root), 0);
  sp_mem_release(&c->y);
  sp_mem_release(&c->x);
  sp_mem_release(&c->pool);
  sp_mem_release(&c->root);
}

static void freed_buffers_come_back(void **state) {
  (void)state;
  accounts c;
  accounts_init(&c);
  sp_pool *p = sp_pool_new(&c.pool);
  const int64_t own = live(&c.pool);
  sp_buf *b = sp_buf_new(p, &c.x, 100000);
  assert_non_null(b);
  assert_int_equal(b->capacity, 131072);
  assert_int_equal(b->size, 0);
  assert_int_equal((uintptr_t)b->data % 64, 0);
  memset(b->data, 1, b->capacity + SP_BUF_PAD);
  const int64_t held = live(&c.x);
  assert_true(held >= 131072);
  uint8_t *data = b->data;
  sp_buf_unref(sp_buf_ref(b));
  assert_int_equal(live(&c.x), held);
  b->size = 5;
  assert_null(sp_buf_unref(b));
  assert_int_equal(live(&c.x), 0);
  assert_int_equal(live(&c.pool), own + held);
  const int64_t allocs = atomic_load(&c.root.allocs);
  b = sp_buf_new(p, &c.y, 70000);
  assert_ptr_equal(b->data, data);
  assert_int_equal(b->size, 0);
  assert_int_equal(atomic_load(&c.root.allocs), allocs);
  assert_int_equal(live(&c.y), held);
  assert_int_equal(live(&c.pool), own);
  sp_buf_unref(b);
  assert_int_equal(sp_pool_trim(p), held);
  assert_int_equal(live(&c.pool), own);
  b = sp_buf_new_zeroed(p, &c.y, 70000);
  for (size_t i = 0; i < 70000; i++) {
    assert_int_equal(b->data[i], 0);
  }
  sp_buf_unref(b);
  sp_pool_unref(p);
  accounts_release(&c);
}

static void classes_hold_what_was_asked_for(void **state) {
  (void)state;
  accounts c;
  accounts_init(&c);
  sp_pool *p = sp_pool_new(&c.pool);
  for (size_t n = 0; n < 3000; n++) {
    sp_buf *b = sp_buf_new(p, &c.x, n);
    assert_non_null(b);
    assert_true(b->capacity >= n && b->capacity >= 64 && (n <= 64 || b->capacity < 2 * n));
    sp_buf_unref(b);
  }
  sp_buf *big = sp_buf_new(p, &c.x, ((size_t)64 << 20) + 1); /* not pooled */
  assert_non_null(big);
  assert_true(big->capacity < ((size_t)64 << 20) + 128);
  sp_buf_unref(big);
  assert_null(sp_buf_new(p, &c.x, SIZE_MAX - 10));
  assert_null(sp_buf_new(NULL, &c.x, SIZE_MAX));
  sp_pool_unref(p);
  accounts_release(&c);
}

static void the_holder_changes(void **state) {
  (void)state;
  accounts c;
  accounts_init(&c);
  sp_buf *b = sp_buf_new(NULL, &c.x, 1000);
  const int64_t held = live(&c.x);
  sp_buf_charge(b, &c.y);
  sp_buf_charge(b, &c.y);
  assert_int_equal(live(&c.x), 0);
  assert_int_equal(live(&c.y), held);
  assert_int_equal(live(&c.root), held);
  sp_buf_unref(b);
  accounts_release(&c);
}

static void a_limit_empties_the_pool_first(void **state) {
  (void)state;
  accounts c;
  accounts_init(&c);
  c.root.limit = 1 << 20;
  sp_pool *p = sp_pool_new(&c.pool);
  sp_buf *b = sp_buf_new(p, &c.x, 600000);
  assert_null(b); /* 1 MiB of capacity and its header pass the limit */
  b = sp_buf_new(p, &c.x, 500000);
  assert_non_null(b);
  sp_buf_unref(b);
  b = sp_buf_new(NULL, &c.x, 900000); /* the idle memory is in the way, and this one has no pool to ask */
  assert_null(b);
  assert_true(sp_mem_limit_hit(&c.x));
  b = sp_buf_new(p, &c.x, 1000);
  assert_non_null(b);
  assert_true(sp_buf_reserve(b, 500000)); /* fits once the pool has given up its 512 KiB */
  sp_buf_unref(b);
  c.root.limit = 0;
  c.x.limit = 1000;
  assert_null(sp_buf_new(p, &c.x, 500000)); /* an idle buffer passes the node's own limit too */
  assert_int_equal(live(&c.x), 0);
  sp_pool_unref(p);
  accounts_release(&c);
}

static int released;
static void release_foreign(sp_buf *b) {
  released++;
  free(b->release_ctx);
}

static void foreign_memory(void **state) {
  (void)state;
  accounts c;
  accounts_init(&c);
  char *text = strdup("hello");
  released = 0;
  sp_buf *b = sp_buf_wrap(&c.x, text, 5, release_foreign, text);
  assert_non_null(b);
  assert_int_equal(live(&c.x), 5 + sizeof *b);
  sp_buf_charge(b, &c.y);
  assert_int_equal(live(&c.y), 5 + sizeof *b);
  assert_true(sp_buf_reserve(b, 5000)); /* becomes ours */
  assert_int_equal(released, 1);
  assert_memory_equal(b->data, "hello", 5);
  sp_buf_unref(b);
  assert_int_equal(released, 1);
  text = strdup("again");
  b = sp_buf_wrap(&c.x, text, 5, release_foreign, text);
  sp_buf_unref(b);
  assert_int_equal(released, 2);
  accounts_release(&c);
}

static void reserve_keeps_the_bytes(void **state) {
  (void)state;
  accounts c;
  accounts_init(&c);
  sp_pool *p = sp_pool_new(&c.pool);
  sp_buf *b[2] = {sp_buf_new(p, &c.x, 0), sp_buf_new(NULL, &c.x, 0)};
  for (int k = 0; k < 2; k++) {
    for (size_t i = 0; i < 300000; i++) {
      assert_true(sp_buf_reserve(b[k], i + 1));
      b[k]->data[i] = (uint8_t)(i % 251);
      b[k]->size = i + 1;
    }
    for (size_t i = 0; i < 300000; i++) {
      assert_int_equal(b[k]->data[i], i % 251);
    }
    sp_buf_unref(b[k]);
  }
  assert_true(atomic_load(&c.root.allocs) < 100);
  sp_pool_unref(p);
  accounts_release(&c);
}

typedef struct traffic {
  sp_pool *pool;
  accounts *c;
} traffic;

static void traffic_main(void *ctx, uint32_t worker) {
  traffic *t = ctx;
  unsigned seed = worker + 1;
  sp_buf *b[8] = {0};
  for (int i = 0; i < 20000; i++) {
    const int k = rand_r(&seed) % 8;
    sp_buf_unref(b[k]);
    b[k] = sp_buf_new(t->pool, &t->c->x, (size_t)(rand_r(&seed) % 5000));
    if (b[k] != NULL && i % 3 == 0) {
      sp_buf_charge(b[k], &t->c->y);
    }
    if (i % 1000 == 0) {
      sp_pool_trim(t->pool);
    }
  }
  for (int k = 0; k < 8; k++) {
    sp_buf_unref(b[k]);
  }
}

static void threads_share_a_pool(void **state) {
  (void)state;
  accounts c;
  accounts_init(&c);
  traffic t = {sp_pool_new(&c.pool), &c};
  sp_workers *w = NULL;
  assert_int_equal(sp_workers_new(&c.root, 4, &w, NULL), SP_OK);
  sp_workers_run(w, traffic_main, &t);
  sp_workers_unref(w);
  assert_int_equal(live(&c.x), 0);
  assert_int_equal(live(&c.y), 0);
  sp_pool_unref(t.pool);
  accounts_release(&c);
}

static sp_status use_buffers(sp_mem *mem, void *ctx) {
  (void)ctx;
  sp_pool *p = sp_pool_new(mem);
  sp_buf *a = p != NULL ? sp_buf_new(p, mem, 100) : NULL;
  sp_buf *b = a != NULL ? sp_buf_new_zeroed(NULL, mem, 100) : NULL;
  const bool ok = b != NULL && sp_buf_reserve(a, 4000) && sp_buf_reserve(b, 4000);
  sp_buf_unref(a);
  sp_buf_unref(b);
  sp_pool_unref(p);
  return ok ? SP_OK : SP_NOMEM;
}

static void failures_leave_nothing(void **state) {
  (void)state;
  SP_TORTURE(use_buffers, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(freed_buffers_come_back), cmocka_unit_test(classes_hold_what_was_asked_for),
      cmocka_unit_test(the_holder_changes),      cmocka_unit_test(a_limit_empties_the_pool_first),
      cmocka_unit_test(foreign_memory),          cmocka_unit_test(reserve_keeps_the_bytes),
      cmocka_unit_test(threads_share_a_pool),    cmocka_unit_test(failures_leave_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
