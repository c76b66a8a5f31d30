/* Schemas: finding, duplicates, limits, unknown names, and every allocation failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "data/schema.h"

static const sp_type *int64_type(void) {
  return sp_type_of(SP_KIND_INT64);
}

static sp_status build(sp_arena *a, uint32_t n, uint32_t twice, const sp_schema **ret, sp_error *err) {
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t i = 0; i < n; i++) {
    char name[16];
    const int len = snprintf(name, sizeof name, "c%u", i == twice ? 0 : i);
    sp_schema_add(&b, (sp_sv){name, (size_t)len}, int64_type());
  }
  const sp_loc loc = {.pointer = "/nodes/1"};
  return sp_schema_finish(&b, &loc, ret, err);
}

static void names_are_found(void **state) {
  (void)state;
  static const uint32_t sizes[] = {0, 1, 8, 9, 16, 17, 1000, SP_SCHEMA_MAX};
  for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
    sp_mem mem;
    sp_mem_init(&mem, NULL, "test");
    sp_arena a;
    sp_arena_init(&a, &mem);
    const sp_schema *s = NULL;
    assert_int_equal(build(&a, sizes[k], UINT32_MAX, &s, NULL), SP_OK);
    assert_int_equal(s->n, sizes[k]);
    for (uint32_t i = 0; i < s->n; i++) {
      char name[16];
      const int len = snprintf(name, sizeof name, "c%u", i);
      assert_int_equal(sp_schema_find(s, (sp_sv){name, (size_t)len}), i);
      assert_string_equal(s->fields[i].name.p, name);
    }
    assert_int_equal(sp_schema_find(s, SP_SV("d")), -1);
    assert_int_equal(sp_schema_find(s, SP_SV("")), -1);
    sp_arena_release(&a);
    sp_mem_release(&mem);
  }
}

static void a_name_twice_is_refused(void **state) {
  (void)state;
  static const uint32_t sizes[] = {2, 8, 9, 500};
  for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
    sp_arena a;
    sp_arena_init(&a, sp_mem_process());
    const sp_schema *s = NULL;
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(build(&a, sizes[k], sizes[k] - 1, &s, &err), SP_INVALID);
    assert_null(s);
    assert_string_equal(err.message, "duplicate output name `c0`");
    assert_string_equal(err.pointer, "/nodes/1");
    sp_arena_release(&a);
  }
}

static void columns_are_limited(void **state) {
  (void)state;
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  const sp_schema *s = NULL;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(build(&a, SP_SCHEMA_MAX + 5, UINT32_MAX, &s, &err), SP_LIMIT);
  assert_null(s);
  sp_arena_release(&a);
}

static void unknown_names_get_a_hint(void **state) {
  (void)state;
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  sp_schema_builder b;
  sp_schema_begin(&b, &a);
  sp_schema_add(&b, SP_SV("origin"), int64_type());
  sp_schema_add(&b, SP_SV("delay"), int64_type());
  const sp_schema *s = NULL;
  assert_int_equal(sp_schema_finish(&b, NULL, &s, NULL), SP_OK);
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_schema_unknown(s, SP_SV("orgin"), NULL, &err), SP_NOT_FOUND);
  assert_string_equal(err.message, "unknown column `orgin`");
  assert_non_null(strstr(err.hint, "`origin`"));
  err = SP_ERROR_INIT;
  assert_int_equal(sp_schema_unknown(s, (sp_sv){NULL, 0}, NULL, &err), SP_NOT_FOUND);
  assert_string_equal(err.message, "unknown column ``");
  sp_arena_release(&a);
}

static void equality_is_by_names_types_and_order(void **state) {
  (void)state;
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  const sp_schema *s[5];
  static const char *const names[][2] = {{"a", "b"}, {"a", "b"}, {"b", "a"}, {"a", "b"}, {"a", NULL}};
  for (int i = 0; i < 5; i++) {
    sp_schema_builder b;
    sp_schema_begin(&b, &a);
    sp_schema_add(&b, sp_sv_from(names[i][0]), int64_type());
    if (names[i][1] != NULL) {
      sp_schema_add(&b, sp_sv_from(names[i][1]), i == 3 ? sp_type_of(SP_KIND_INT32) : int64_type());
    }
    assert_int_equal(sp_schema_finish(&b, NULL, &s[i], NULL), SP_OK);
  }
  assert_true(sp_schema_eq(s[0], s[0]));
  assert_true(sp_schema_eq(s[0], s[1]));
  assert_false(sp_schema_eq(s[0], s[2]));
  assert_false(sp_schema_eq(s[0], s[3]));
  assert_false(sp_schema_eq(s[0], s[4]));
  sp_arena_release(&a);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  bool done = false;
  for (int64_t at = 0; !done; at++) {
    assert_in_range(at, 0, 1000);
    sp_arena a;
    sp_arena_init(&a, &mem);
    const sp_schema *s = NULL;
    sp_error err = SP_ERROR_INIT;
    sp_mem_fail_at(at);
    const sp_status st = build(&a, 40, UINT32_MAX, &s, &err);
    done = !sp_mem_fail_fired();
    sp_mem_fail_at(-1);
    assert_int_equal(st, done ? SP_OK : SP_NOMEM);
    assert_int_equal(s != NULL, done);
    sp_arena_release(&a);
    assert_int_equal(mem.live, 0);
  }
  sp_mem_release(&mem);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_found),
      cmocka_unit_test(a_name_twice_is_refused),
      cmocka_unit_test(columns_are_limited),
      cmocka_unit_test(unknown_names_get_a_hint),
      cmocka_unit_test(equality_is_by_names_types_and_order),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
