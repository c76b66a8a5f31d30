/* Types: interning, names that read back, and the common type of every pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/type.h"

static void every_type_has_one_object_and_its_name_reads_back(void **state) {
  (void)state;
  for (uint32_t k = 0; k < SP_KIND_COUNT; k++) {
    const sp_type *t = sp_type_of((sp_kind)k);
    if (k == SP_KIND_DECIMAL) {
      assert_null(t);
      continue;
    }
    assert_non_null(t);
    assert_int_equal(t->kind, k);
    assert_ptr_equal(t, sp_type_of((sp_kind)k));
    assert_ptr_equal(t, sp_type_parse(sp_sv_from(t->name)));
  }
  for (uint32_t p = 1; p <= 38; p++) {
    for (uint32_t s = 0; s <= p; s++) {
      const sp_type *t = sp_type_decimal(p, s);
      assert_non_null(t);
      assert_int_equal(t->precision, p);
      assert_int_equal(t->scale, s);
      assert_int_equal(t->width, p <= 18 ? 8 : 16);
      assert_int_equal(t->phys, p <= 18 ? SP_PHYS_I64 : SP_PHYS_I128);
      assert_ptr_equal(t, sp_type_parse(sp_sv_from(t->name)));
    }
  }
  assert_null(sp_type_decimal(0, 0));
  assert_null(sp_type_decimal(39, 0));
  assert_null(sp_type_decimal(5, 6));
}

static void units_and_zones_are_parameters(void **state) {
  (void)state;
  assert_ptr_equal(sp_type_of(SP_KIND_DATETIME), sp_type_datetime(SP_UNIT_US, NULL));
  assert_ptr_equal(sp_type_datetime(SP_UNIT_US, ""), sp_type_datetime(SP_UNIT_US, NULL));
  assert_null(sp_type_datetime(SP_UNIT_NONE, NULL));
  assert_null(sp_type_duration(SP_UNIT_NONE));
  const sp_type *utc = sp_type_datetime(SP_UNIT_NS, "UTC");
  assert_non_null(utc);
  assert_string_equal(utc->name, "datetime(ns, 'UTC')");
  assert_string_equal(utc->zone, "UTC");
  assert_ptr_equal(utc, sp_type_datetime(SP_UNIT_NS, "UTC"));
  assert_ptr_not_equal(utc, sp_type_datetime(SP_UNIT_MS, "UTC"));
  assert_ptr_equal(utc, sp_type_parse(SP_SV("datetime(ns,'UTC')")));
  char zone[70];
  memset(zone, 'z', sizeof zone);
  zone[64] = '\0';
  const sp_type *longest = sp_type_datetime(SP_UNIT_US, zone);
  assert_non_null(longest);
  assert_ptr_equal(longest, sp_type_parse(sp_sv_from(longest->name)));
  zone[64] = 'z';
  zone[65] = '\0';
  assert_null(sp_type_datetime(SP_UNIT_US, zone));
  assert_null(sp_type_datetime(SP_UNIT_US, "it's"));
  assert_int_equal(sp_unit_per_second(SP_UNIT_NS), 1000000000);
}

static void names_may_be_written_in_other_ways(void **state) {
  (void)state;
  const struct {
    const char *text;
    const sp_type *type;
  } cases[] = {{"int", sp_type_of(SP_KIND_INT64)},
               {"float", sp_type_of(SP_KIND_FLOAT64)},
               {"str", sp_type_of(SP_KIND_STRING)},
               {" int32 ", sp_type_of(SP_KIND_INT32)},
               {"DOUBLE", sp_type_of(SP_KIND_FLOAT64)},
               {"BigInt", sp_type_of(SP_KIND_INT64)},
               {"decimal( 15 , 2 )", sp_type_decimal(15, 2)},
               {"decimal(9)", sp_type_decimal(9, 0)},
               {"duration(ms)", sp_type_duration(SP_UNIT_MS)},
               {"datetime ( ms )", sp_type_datetime(SP_UNIT_MS, NULL)},
               {"", NULL},
               {"decimal", NULL},
               {"decimal()", NULL},
               {"decimal(,2)", NULL},
               {"decimal(1,2,3)", NULL},
               {"decimal(5,2", NULL},
               {"decimal(5,2))", NULL},
               {"decimal(100,2)", NULL},
               {"decimal(5,-2)", NULL},
               {"int32(4)", NULL},
               {"int3", NULL},
               {"datetime(s)", NULL},
               {"datetime(us, UTC)", NULL},
               {"datetime(us, 'UTC)", NULL},
               {"datetime(us, '')", NULL},
               {"duration(us, 'UTC')", NULL},
               {"int 32", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_ptr_equal(cases[i].type, sp_type_parse(sp_sv_from(cases[i].text)));
  }
}

static void check_common(const char *a, const char *b, const char *want) {
  const sp_type *x = sp_type_parse(sp_sv_from(a)), *y = sp_type_parse(sp_sv_from(b));
  assert_non_null(x);
  assert_non_null(y);
  const sp_type *w = want != NULL ? sp_type_parse(sp_sv_from(want)) : NULL;
  assert_ptr_equal(sp_type_common(x, y), w);
  assert_ptr_equal(sp_type_common(y, x), w);
}

static void common_types(void **state) {
  (void)state;
  check_common("null", "string", "string");
  check_common("null", "null", "null");
  check_common("int8", "int32", "int32");
  check_common("uint8", "uint16", "uint16");
  check_common("int8", "uint8", "int16");
  check_common("int16", "uint16", "int32");
  check_common("int32", "uint32", "int64");
  check_common("int64", "uint32", "int64");
  check_common("int32", "uint8", "int32");
  check_common("int8", "uint32", "int64");
  check_common("int64", "uint64", "float64");
  check_common("int8", "uint64", "float64");
  check_common("uint8", "uint64", "uint64");
  check_common("int64", "float64", "float64");
  check_common("int64", "float32", "float64");
  check_common("int16", "float32", "float32");
  check_common("int32", "float32", "float64");
  check_common("float32", "float64", "float64");
  check_common("decimal(15,2)", "decimal(10,4)", "decimal(17,4)");
  check_common("decimal(38,2)", "decimal(38,10)", "decimal(38,10)");
  check_common("decimal(15,2)", "int32", "decimal(15,2)");
  check_common("decimal(5,2)", "int64", "decimal(21,2)");
  check_common("decimal(15,2)", "float32", "float64");
  check_common("date", "datetime(ms)", "datetime(ms)");
  check_common("datetime(ms)", "datetime(ns)", "datetime(ns)");
  check_common("datetime(ms, 'UTC')", "datetime(us, 'UTC')", "datetime(us, 'UTC')");
  check_common("datetime(ms, 'UTC')", "datetime(us)", NULL);
  check_common("duration(ms)", "duration(us)", "duration(us)");
  check_common("time", "time", "time");
  check_common("string", "binary", NULL);
  check_common("string", "int64", NULL);
  check_common("bool", "int64", NULL);
  check_common("date", "int32", NULL);
  check_common("duration(us)", "datetime(us)", NULL);
  check_common("interval", "duration(us)", NULL);
}

static void a_common_type_is_symmetric_and_common_with_both(void **state) {
  (void)state;
  const sp_type *all[64];
  uint32_t n = 0;
  for (uint32_t k = 0; k < SP_KIND_COUNT; k++) {
    if (k != SP_KIND_DECIMAL) {
      all[n++] = sp_type_of((sp_kind)k);
    }
  }
  all[n++] = sp_type_decimal(3, 1);
  all[n++] = sp_type_decimal(38, 0);
  all[n++] = sp_type_datetime(SP_UNIT_NS, NULL);
  for (uint32_t i = 0; i < n; i++) {
    assert_ptr_equal(sp_type_common(all[i], all[i]), all[i]);
    for (uint32_t k = 0; k < n; k++) {
      const sp_type *c = sp_type_common(all[i], all[k]);
      assert_ptr_equal(c, sp_type_common(all[k], all[i]));
      if (c != NULL) {
        assert_ptr_equal(sp_type_common(c, all[i]), c);
        assert_ptr_equal(sp_type_common(c, all[k]), c);
      }
    }
  }
}

static int sign(int x) {
  return (x > 0) - (x < 0);
}

static void views_order_as_bytes(void **state) {
  (void)state;
  static const char zeros[16];
  const sp_sv texts[] = {SP_SV(""),
                         {zeros, 1},
                         {zeros, 5},
                         {zeros, 13},
                         SP_SV("a"),
                         {"a\0b", 3},
                         SP_SV("abc"),
                         SP_SV("abcd"),
                         SP_SV("abcde"),
                         SP_SV("abcdefghijkl"),
                         SP_SV("abcdefghijklm"),
                         SP_SV("abcdefghijklmnopqrst"),
                         SP_SV("abcdefghijklz"),
                         SP_SV("abce"),
                         SP_SV("\x7f"),
                         SP_SV("\xc3\xa9"),
                         SP_SV("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")};
  const size_t n = sizeof texts / sizeof texts[0];
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      char *own_a = malloc(texts[i].n + 1), *own_b = malloc(texts[k].n + 1);
      memcpy(own_a, texts[i].p, texts[i].n);
      memcpy(own_b, texts[k].p, texts[k].n);
      const sp_view a = sp_view_make(own_a, (uint32_t)texts[i].n),
                    b = sp_view_make(own_b, (uint32_t)texts[k].n);
      const size_t less = texts[i].n < texts[k].n ? texts[i].n : texts[k].n;
      int want = memcmp(texts[i].p, texts[k].p, less);
      want = want != 0 ? want : (texts[i].n > texts[k].n) - (texts[i].n < texts[k].n);
      assert_int_equal(sign(sp_view_cmp(&a, &b)), sign(want));
      assert_int_equal(sp_view_eq(&a, &b), want == 0);
      free(own_a);
      free(own_b);
    }
  }
}

static void *make_types(void *arg) {
  (void)arg;
  for (int i = 0; i < 200; i++) {
    char zone[16] = "Zone/A";
    zone[5] = (char)('A' + i % 20);
    const sp_type *t = sp_type_datetime(SP_UNIT_US, zone);
    if (t == NULL || t != sp_type_datetime(SP_UNIT_US, zone) || sp_type_decimal(20, 3)->scale != 3) {
      return (void *)t;
    }
  }
  return (void *)"same";
}

static void threads_see_the_same_types(void **state) {
  (void)state;
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, make_types, NULL), 0);
  }
  for (int i = 0; i < 4; i++) {
    void *said;
    assert_int_equal(pthread_join(threads[i], &said), 0);
    assert_non_null(said);
    assert_string_equal(said, "same");
  }
}

/* Types are never freed, so input must not be able to make ever more of them. Runs last: it uses them up. */
static void zones_are_limited(void **state) {
  (void)state;
  uint32_t made = 0;
  for (uint32_t i = 0; i < 5000; i++) {
    char zone[32];
    snprintf(zone, sizeof zone, "Test/%u", i);
    made += sp_type_datetime(SP_UNIT_MS, zone) != NULL;
  }
  assert_in_range(made, 1000, 4096);
  assert_non_null(sp_type_datetime(SP_UNIT_MS, "Test/7"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_see_the_same_types),
      cmocka_unit_test(every_type_has_one_object_and_its_name_reads_back),
      cmocka_unit_test(units_and_zones_are_parameters),
      cmocka_unit_test(names_may_be_written_in_other_ways),
      cmocka_unit_test(common_types),
      cmocka_unit_test(a_common_type_is_symmetric_and_common_with_both),
      cmocka_unit_test(views_order_as_bytes),
      cmocka_unit_test(zones_are_limited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
