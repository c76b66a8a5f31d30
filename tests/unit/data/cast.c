/* CAST: pairs of types by text, exact and not, and what no cast may do: change silently. */
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

/* A value of a type from its text; binary and interval are made by hand. */
static sp_value make(const char *type_name, const char *text, uint8_t slot[16]) {
  const sp_type *t = type(type_name);
  assert_true(sp_parse_value(sp_sv_from(text), t, slot));
  return sp_value_load(t, slot);
}

static void check_one(const char *from, const char *text, const char *to, const char *want, bool exact) {
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  uint8_t slot[16];
  const sp_value v = make(from, text, slot);
  sp_value got = sp_value_null(NULL);
  const bool ok = exact ? sp_value_cast_exact(&v, type(to), &a, &got) : sp_value_cast(&v, type(to), &a, &got);
  sp_str out;
  sp_str_init(&out, sp_mem_process(), 1000);
  if (ok) {
    assert_ptr_equal(got.type, type(to));
    sp_value_text(&got, &out);
  }
  if (ok != (want != NULL) || (ok && strcmp(out.p, want) != 0)) {
    fail_msg("%s '%s' -> %s%s: %s", from, text, to, exact ? " exactly" : "", ok ? out.p : "refused");
  }
  sp_str_release(&out);
  sp_arena_release(&a);
}

/* want: what CAST gives, or NULL; exact: whether the exact form gives the same instead of refusing. */
static void check(const char *from, const char *text, const char *to, const char *want, bool exact) {
  check_one(from, text, to, want, false);
  check_one(from, text, to, exact ? want : NULL, true);
}

static void integers(void **state) {
  (void)state;
  check("int64", "255", "uint8", "255", true);
  check("int64", "256", "uint8", NULL, false);
  check("int64", "-1", "uint64", NULL, false);
  check("uint64", "18446744073709551615", "int64", NULL, false);
  check("uint64", "9223372036854775808", "int64", NULL, false);
  check("uint64", "9223372036854775807", "int64", "9223372036854775807", true);
  check("int64", "-129", "int8", NULL, false);
  check("int64", "-128", "int8", "-128", true);
  check("int64", "9007199254740993", "float64", "9007199254740992.0", false);
  check("int64", "9007199254740992", "float64", "9007199254740992.0", true);
  check("int64", "16777217", "float32", "16777216.0", false);
  check("int64", "9223372036854775807", "float64", "9.223372036854776e18", false);
  check("uint64", "18446744073709551615", "float64", "1.8446744073709552e19", false);
  check("uint64", "9223372036854775808", "float64", "9.223372036854776e18", true);
  check("int64", "7", "decimal(3,2)", "7.00", true);
  check("int64", "10", "decimal(3,2)", NULL, false);
  check("uint64", "18446744073709551615", "decimal(38,18)", "18446744073709551615.000000000000000000", true);
  check("int64", "0", "bool", "false", true);
  check("int64", "1", "bool", "true", true);
  check("int64", "-7", "bool", "true", false);
  check("bool", "true", "int8", "1", true);
  check("bool", "true", "float64", "1.0", true);
  check("bool", "true", "decimal(3,1)", "1.0", true);
  check("bool", "true", "date", NULL, false);
}

static void floats(void **state) {
  (void)state;
  check("float64", "2.5", "int64", "2", false);
  check("float64", "-2.5", "int64", "-2", false);
  check("float64", "-0.0", "int64", "0", true);
  check("float64", "3.0", "uint8", "3", true);
  check("float64", "255.9", "uint8", "255", false);
  check("float64", "256", "uint8", NULL, false);
  check("float64", "-0.9", "uint8", "0", false);
  check("float64", "-1", "uint8", NULL, false);
  check("float64", "9223372036854775807", "int64", NULL, false); /* rounds to 2^63 */
  check("float64", "9223372036854774784", "int64", "9223372036854774784", true);
  check("float64", "-9223372036854775808", "int64", "-9223372036854775808", true);
  check("float64", "18446744073709551615", "uint64", NULL, false);
  check("float64", "1e300", "int64", NULL, false);
  check("float64", "nan", "int64", NULL, false);
  check("float64", "inf", "int64", NULL, false);
  check("float64", "nan", "float32", "NaN", true);
  check("float64", "inf", "float32", "inf", true);
  check("float64", "1e300", "float32", NULL, false);
  check("float64", "0.1", "float32", "0.1", false);
  check("float64", "0.5", "float32", "0.5", true);
  check("float32", "0.1", "float64", "0.10000000149011612", true);
  check("float64", "0.05", "decimal(15,2)", "0.05", true);
  check("float64", "0.1", "decimal(3,0)", "0", false);
  check("float64", "2.5", "decimal(3,0)", "3", false);
  check("float64", "-2.5", "decimal(3,0)", "-3", false);
  check("float64", "999.5", "decimal(3,0)", NULL, false);
  check("float64", "nan", "decimal(3,0)", NULL, false);
  check("float64", "0.0", "bool", "false", true);
  check("float64", "0.5", "bool", "true", false);
  check("float64", "nan", "bool", NULL, false);
  check("float64", "1.0", "date", NULL, false);
}

static void decimals(void **state) {
  (void)state;
  check("decimal(15,2)", "1.25", "decimal(15,1)", "1.3", false);
  check("decimal(15,2)", "-1.25", "decimal(15,1)", "-1.3", false);
  check("decimal(15,2)", "1.20", "decimal(15,1)", "1.2", true);
  check("decimal(15,2)", "1.25", "decimal(38,10)", "1.2500000000", true);
  check("decimal(15,2)", "99.95", "decimal(3,1)", NULL, false);
  check("decimal(15,2)", "10", "decimal(38,37)", NULL, false);
  check("decimal(15,2)", "2.50", "int64", "3", false);
  check("decimal(15,2)", "-2.50", "int64", "-3", false);
  check("decimal(15,2)", "2.00", "int8", "2", true);
  check("decimal(15,2)", "128", "int8", NULL, false);
  check("decimal(38,0)", "99999999999999999999999999999999999999", "int64", NULL, false);
  check("decimal(15,2)", "0.10", "float64", "0.1", true);
  check("decimal(38,0)", "9007199254740993", "float64", "9007199254740992.0", false);
  check("decimal(15,2)", "0.01", "bool", "true", false);
  check("decimal(15,2)", "1.00", "bool", "true", true);
  check("decimal(15,2)", "0.00", "bool", "false", true);
  check("decimal(15,2)", "1.00", "date", NULL, false);
}

static void times(void **state) {
  (void)state;
  check("date", "2024-02-29", "datetime(us)", "2024-02-29T00:00:00", true);
  check("date", "2300-01-01", "datetime(ns)", NULL, false);
  check("datetime(us)", "2024-02-29T00:00:00", "date", "2024-02-29", true);
  check("datetime(us)", "2024-02-29T23:59:59", "date", "2024-02-29", false);
  check("datetime(us)", "1969-12-31T23:59:59", "date", "1969-12-31", false);
  check("datetime(ms)", "1969-12-31T23:59:59.999", "datetime(ns)", "1969-12-31T23:59:59.999", true);
  check("datetime(ns)", "1969-12-31T23:59:59.999999999", "datetime(ms)", "1969-12-31T23:59:59.999", false);
  check("datetime(ms)", "2300-01-01", "datetime(ns)", NULL, false);
  check("datetime(us)", "2024-02-29T01:02:03", "datetime(us, 'UTC')", "2024-02-29T01:02:03Z", true);
  check("datetime(us)", "1969-12-31T01:02:03", "time", "01:02:03", false);
  check("datetime(us)", "1970-01-01T01:02:03", "time", "01:02:03", true);
  check("time", "01:02:03", "duration(ms)", "1h 2m 3s", true);
  check("time", "01:02:03", "datetime(ms)", NULL, false);
  check("duration(ms)", "1h", "time", NULL, false);
  check("duration(ns)", "-1500us", "duration(ms)", "-0.001s", false);
  check("duration(ms)", "1h", "duration(ns)", "1h", true);
  check("duration(ms)", "1h", "datetime(ms)", NULL, false);
  check("date", "1970-01-02", "int64", "1", true);
  check("int64", "1", "date", "1970-01-02", true);
  check("int64", "2147483648", "date", NULL, false);
  check("datetime(ms)", "1970-01-01T00:00:01", "int32", "1000", true);
  check("int32", "1000", "datetime(ms)", "1970-01-01T00:00:01", true);
  check("duration(ms)", "1s", "int16", "1000", true);
  check("int64", "5", "duration(ms)", "0.005s", true);
  check("int64", "86400000000000", "time", NULL, false);
  check("int64", "-1", "time", NULL, false);
  check("date", "1970-01-02", "float64", NULL, false);
  check("date", "1970-01-02", "decimal(9,0)", NULL, false);
  check("date", "1970-01-02", "bool", NULL, false);
}

static void text(void **state) {
  (void)state;
  check("string", "12", "int8", "12", true);
  check("string", " 12", "int8", NULL, false);
  check("string", "128", "int8", NULL, false);
  check("string", "1.5", "int64", NULL, false);
  check("string", "1.25", "decimal(9,1)", "1.3", false);
  check("string", "1.2", "decimal(9,1)", "1.2", true);
  check("string", "true", "bool", "true", true);
  check("string", "2024-02-29", "date", "2024-02-29", true);
  check("string", "2024-02-29T01:00", "datetime(ms)", "2024-02-29T01:00:00", true);
  check("string", "1h", "duration(ms)", "1h", true);
  check("string", "", "int64", NULL, false);
  check("string", "1mo", "interval", NULL, false);
  check("string", "x", "binary", "x", true);
  check("string", "", "null", NULL, false);
  check("binary", "x", "string", "x", true);
  check("binary", "1", "int64", NULL, false);
  check("binary", "\xff", "string", NULL, false);
  check("int64", "-12", "string", "-12", true);
  check("int64", "-12", "binary", NULL, false);
  check("float64", "0.1", "string", "0.1", true);
  check("decimal(15,2)", "1", "string", "1.00", true);
  check("date", "2024-02-29", "string", "2024-02-29", true);
  check("datetime(us, 'UTC')", "2024-02-29", "string", "2024-02-29T00:00:00Z", true);
  check("bool", "true", "string", "true", true);
}

static void nulls_and_the_same_type(void **state) {
  (void)state;
  for (uint32_t from = 0; from < SP_KIND_COUNT; from++) {
    for (uint32_t to = 0; to < SP_KIND_COUNT; to++) {
      const sp_type *f = from == SP_KIND_DECIMAL ? sp_type_decimal(5, 2) : sp_type_of((sp_kind)from);
      const sp_type *t = to == SP_KIND_DECIMAL ? sp_type_decimal(5, 2) : sp_type_of((sp_kind)to);
      sp_value v = sp_value_null(f);
      assert_true(sp_value_cast(&v, t, NULL, &v)); /* in place */
      assert_true(v.is_null && v.type == t);
    }
  }
  const sp_value iv = {.type = type("interval"), .iv = {1, 2, 3}};
  sp_value got = iv;
  assert_true(sp_value_cast_exact(&iv, iv.type, NULL, &got));
  assert_true(sp_value_eq(&iv, &got));
  assert_false(sp_value_cast(&iv, type("int64"), NULL, &got));
}

/* What survives the exact form comes back by casting again. */
static void exact_casts_are_reversible(void **state) {
  (void)state;
  static const char *const types[] = {"int8",    "int64",        "uint8",         "uint64", "float32",
                                      "float64", "decimal(9,2)", "decimal(38,5)", "bool"};
  static const double values[] = {
      0, 1, -1, 2.5, 127, 128, 255, 256, -128, -129, 0.01, 1e6, 9007199254740992.0, 1.5e10};
  uint32_t survived = 0;
  for (size_t f = 0; f < sizeof types / sizeof types[0]; f++) {
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
      for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const sp_value start = sp_value_float(type("float64"), values[i]);
        sp_value v, there, back;
        if (sp_value_cast(&start, type(types[f]), NULL, &v) &&
            sp_value_cast_exact(&v, type(types[t]), NULL, &there)) {
          assert_true(sp_value_cast(&there, v.type, NULL, &back));
          assert_true(sp_value_eq(&v, &back));
          survived++;
        }
      }
    }
  }
  assert_true(survived > 300);
}

static void out_of_memory_is_a_refusal(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_arena a;
  sp_arena_init(&a, &mem);
  const sp_value v = sp_value_int(type("int64"), 42);
  bool done = false;
  for (int64_t at = 0; !done; at++) {
    sp_value got = sp_value_bool(true);
    sp_mem_fail_at(at);
    const bool ok = sp_value_cast(&v, type("string"), &a, &got);
    done = !sp_mem_fail_fired();
    sp_mem_fail_at(-1);
    assert_int_equal(ok, done);
    assert_true(done ? sp_sv_eq(got.s, SP_SV("42")) : got.type == type("bool"));
    sp_arena_release(&a);
    assert_int_equal(mem.live, 0);
    sp_arena_init(&a, &mem);
  }
  sp_arena_release(&a);
  sp_mem_release(&mem);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers),
      cmocka_unit_test(floats),
      cmocka_unit_test(decimals),
      cmocka_unit_test(times),
      cmocka_unit_test(text),
      cmocka_unit_test(nulls_and_the_same_type),
      cmocka_unit_test(exact_casts_are_reversible),
      cmocka_unit_test(out_of_memory_is_a_refusal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
