/* Arenas: alignment, zeroes, growth, release; every allocation failed in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "tests/support/torture.h"

static void objects_are_zeroed_and_aligned(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_arena a;
  sp_arena_init(&a, &m);
  for (int round = 0; round < 3; round++) {
    for (size_t n = 0; n < 3000; n += 7) {
      uint8_t *p = sp_arena_alloc(&a, n);
      assert_non_null(p);
      assert_int_equal((uintptr_t)p % 16, 0);
      for (size_t i = 0; i < n; i++) {
        assert_int_equal(p[i], 0);
      }
      memset(p, 0xFF, n);
    }
    assert_true(a.total >= a.used);
    assert_int_equal(atomic_load(&m.live), a.total);
    sp_arena_reset(&a);
    assert_int_equal(a.used, 0);
  }
  sp_arena_release(&a);
  assert_int_equal(atomic_load(&m.live), 0);
  assert_non_null(sp_arena_alloc(&a, 5)); /* usable again */
  sp_arena_release(&a);
  sp_mem_release(&m);
}

static void arrays_grow_and_sizes_are_checked(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_arena a;
  sp_arena_init(&a, &m);
  uint32_t *array = NULL;
  uint32_t cap = 0;
  for (uint32_t i = 0; i < 10000; i++) {
    assert_true(sp_arena_grow(&a, &array, &cap, i + 1, sizeof *array));
    array[i] = i;
  }
  for (uint32_t i = 0; i < 10000; i++) {
    assert_int_equal(array[i], i);
  }
  assert_null(sp_arena_alloc(&a, SIZE_MAX));
  assert_null(sp_arena_array(&a, SIZE_MAX / 2, 3));
  const size_t total = a.total;
  assert_non_null(sp_arena_alloc(&a, 3 << 20)); /* a block of its own */
  assert_true(a.total - total < (3 << 20) + 4096);
  sp_arena_release(&a);
  sp_mem_release(&m);
}

static sp_status fill(sp_mem *mem, void *ctx) {
  (void)ctx;
  sp_arena a;
  sp_arena_init(&a, mem);
  bool ok = true;
  for (int i = 0; i < 300 && ok; i++) {
    const char *p = sp_arena_printf(&a, "%0*d", i * 3 + 3, i);
    const char *q = p != NULL ? sp_arena_strndup(&a, p, 3) : NULL;
    const char *r = q != NULL ? sp_arena_copy(&a, q, strlen(q)) : NULL;
    ok = r != NULL;
    if (ok) {
      assert_int_equal(strlen(p), i * 3 + 3);
    }
  }
  sp_arena_release(&a);
  return ok ? SP_OK : SP_NOMEM;
}

static void failures_leave_nothing(void **state) {
  (void)state;
  SP_TORTURE(fill, NULL);
}

static void texts(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_arena a;
  sp_arena_init(&a, &m);
  assert_string_equal(sp_arena_strdup(&a, "abc"), "abc");
  assert_string_equal(sp_arena_strndup(&a, "abcdef", 2), "ab");
  assert_string_equal(sp_arena_printf(&a, "%d-%s", 7, "x"), "7-x");
  sp_arena_release(&a);
  sp_mem_release(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(objects_are_zeroed_and_aligned),
      cmocka_unit_test(arrays_grow_and_sizes_are_checked),
      cmocka_unit_test(failures_leave_nothing),
      cmocka_unit_test(texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
