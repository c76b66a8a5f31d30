/* Values: order, storing and loading in every physical form, printing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "data/text.h"
#include "data/value.h"

static const sp_type *type(const char *name) {
  const sp_type *t = sp_type_parse(sp_sv_from(name));
  assert_non_null(t);
  return t;
}

static void check_slot(sp_value v) {
  uint8_t slot[32];
  memset(slot, 0xa5, sizeof slot);
  sp_value_store(&v, slot);
  const sp_value back = sp_value_load(v.type, slot);
  assert_true(sp_value_eq(&v, &back));
  assert_int_equal(slot[v.type->width], 0xa5);
}

static void slots_hold_every_type(void **state) {
  (void)state;
  static const char *const ints[] = {"int8",         "int16", "int32",        "int64",       "date",
                                     "datetime(ms)", "time",  "duration(ns)", "decimal(9,2)"};
  for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
    const sp_type *t = type(ints[i]);
    const int64_t max = (int64_t)(UINT64_MAX >> (65 - t->width * 8));
    const int64_t values[] = {0, 1, -1, max, -max - 1};
    for (size_t k = 0; k < 5; k++) {
      check_slot(sp_value_int(t, values[k]));
    }
  }
  static const char *const unsigned_ints[] = {"uint8", "uint16", "uint32", "uint64"};
  for (size_t i = 0; i < 4; i++) {
    const sp_type *t = type(unsigned_ints[i]);
    check_slot((sp_value){.type = t, .u = UINT64_MAX >> (64 - t->width * 8)});
  }
  check_slot(sp_value_bool(true));
  check_slot(sp_value_bool(false));
  check_slot(sp_value_float(type("float32"), 0.1));
  check_slot(sp_value_float(type("float64"), -(double)INFINITY));
  check_slot(sp_value_decimal(type("decimal(38,2)"), -sp_pow10[38] + 1));
  check_slot(sp_value_decimal(type("decimal(18,2)"), -sp_pow10[18] + 1));
  check_slot(sp_value_int(type("decimal(20,0)"), -5));
  check_slot(sp_value_str(SP_SV("")));
  check_slot(sp_value_str(SP_SV("twelve bytes")));
  check_slot(sp_value_str(SP_SV("thirteen byte")));
  check_slot((sp_value){.type = type("binary"), .s = {"\0\xff", 2}});
  check_slot((sp_value){.type = type("interval"), .iv = {-1, 2, -3}});
  uint8_t slot[16];
  memset(slot, 0xa5, sizeof slot);
  const sp_value null = sp_value_null(type("decimal(38,2)"));
  sp_value_store(&null, slot);
  const sp_value zero = sp_value_load(null.type, slot);
  assert_true(!zero.is_null && zero.d == 0);
  assert_true(sp_value_load(type("null"), NULL).is_null);
  assert_true(sp_value_float(type("float32"), 0.1).f == (double)0.1f);
}

static int cmp(sp_value a, sp_value b) {
  const int c = sp_value_cmp(&a, &b), d = sp_value_cmp(&b, &a);
  assert_int_equal((c > 0) - (c < 0), (d < 0) - (d > 0));
  return (c > 0) - (c < 0);
}

static void order(void **state) {
  (void)state;
  const sp_type *f = type("float64"), *i = type("int64"), *u = type("uint64"), *d = type("decimal(38,0)");
  assert_int_equal(cmp(sp_value_float(f, -0.0), sp_value_float(f, 0.0)), 0);
  assert_int_equal(cmp(sp_value_float(f, (double)NAN), sp_value_float(f, -(double)NAN)), 0);
  assert_int_equal(cmp(sp_value_float(f, (double)INFINITY), sp_value_float(f, (double)NAN)), -1);
  assert_int_equal(cmp(sp_value_null(f), sp_value_float(f, -(double)INFINITY)), -1);
  assert_int_equal(cmp(sp_value_null(f), sp_value_null(f)), 0);
  assert_int_equal(cmp(sp_value_int(i, INT64_MIN), sp_value_int(i, INT64_MAX)), -1);
  assert_int_equal(cmp((sp_value){.type = u, .u = UINT64_MAX}, (sp_value){.type = u, .u = 1}), 1);
  assert_int_equal(cmp(sp_value_decimal(d, -sp_pow10[37]), sp_value_decimal(d, sp_pow10[37])), -1);
  assert_int_equal(cmp(sp_value_bool(false), sp_value_bool(true)), -1);
  assert_int_equal(cmp(sp_value_str(SP_SV("ab")), sp_value_str(SP_SV("abc"))), -1);
  assert_int_equal(cmp(sp_value_str(SP_SV("\xc3\xa9")), sp_value_str(SP_SV("z"))), 1);
  const sp_type *iv = type("interval");
  assert_int_equal(cmp((sp_value){.type = iv, .iv = {1, 0, 0}}, (sp_value){.type = iv, .iv = {0, 29, 0}}), 1);
  assert_int_equal(cmp((sp_value){.type = iv, .iv = {1, 0, 0}}, (sp_value){.type = iv, .iv = {0, 30, 0}}), 1);
  assert_int_equal(cmp((sp_value){.type = iv, .iv = {0, 1, 0}},
                       (sp_value){.type = iv, .iv = {0, 0, INT64_C(86400000001)}}),
                   -1);
}

static void equality_needs_the_same_type(void **state) {
  (void)state;
  const sp_value a = sp_value_int(type("int64"), 1), b = sp_value_int(type("int32"), 1);
  const sp_value na = sp_value_null(type("int64")), nb = sp_value_null(type("int32"));
  assert_true(sp_value_eq(&a, &a));
  assert_false(sp_value_eq(&a, &b));
  assert_true(sp_value_eq(&na, &na));
  assert_false(sp_value_eq(&na, &nb));
  assert_false(sp_value_eq(&a, &na));
}

static void check_text(sp_value v, const char *want) {
  sp_str out;
  sp_str_init(&out, sp_mem_process(), 1000);
  sp_value_text(&v, &out);
  assert_string_equal(out.p, want);
  sp_str_release(&out);
}

static void printing(void **state) {
  (void)state;
  check_text(sp_value_null(type("int64")), "");
  check_text(sp_value_bool(true), "true");
  check_text(sp_value_int(type("int64"), INT64_MIN), "-9223372036854775808");
  check_text(sp_value_float(type("float32"), 0.1), "0.1");
  check_text(sp_value_float(type("float64"), 0.1), "0.1");
  check_text(sp_value_decimal(type("decimal(9,2)"), -5), "-0.05");
  check_text(sp_value_decimal(type("decimal(38,2)"), 5), "0.05");
  check_text(sp_value_int(type("date"), 0), "1970-01-01");
  check_text(sp_value_int(type("datetime(us, 'Europe/Paris')"), 0), "1970-01-01T00:00:00Z");
  check_text(sp_value_int(type("datetime(ns)"), 1), "1970-01-01T00:00:00.000000001");
  check_text(sp_value_int(type("time"), 1000000000), "00:00:01");
  check_text(sp_value_int(type("duration(ms)"), 1500), "1.5s");
  check_text((sp_value){.type = type("interval"), .iv = {3, 0, 0}}, "3mo");
  check_text((sp_value){.type = type("binary"), .s = SP_SV("abc")}, "abc");
  check_text((sp_value){.type = type("binary"), .s = SP_SV("\xff\x01")}, "0xff01");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slots_hold_every_type),
      cmocka_unit_test(order),
      cmocka_unit_test(equality_needs_the_same_type),
      cmocka_unit_test(printing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
