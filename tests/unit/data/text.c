/* Fields into slots of every type: ranges, refusals, and slots untouched by a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/text.h"
#include "data/value.h"

static void check(const char *type, const char *text, const char *want) {
  const sp_type *t = sp_type_parse(sp_sv_from(type));
  assert_non_null(t);
  uint8_t slot[24], before[24];
  memset(slot, 0xa5, sizeof slot);
  memset(before, 0xa5, sizeof before);
  const bool ok = sp_parse_value(sp_sv_from(text), t, slot);
  if (ok != (want != NULL)) {
    fail_msg("'%s' as %s", text, type);
  }
  assert_memory_equal(slot + t->width, before + t->width, sizeof slot - t->width);
  if (!ok) {
    assert_memory_equal(slot, before, sizeof slot);
    return;
  }
  const sp_value v = sp_value_load(t, slot);
  sp_str out;
  sp_str_init(&out, sp_mem_process(), 1000);
  sp_value_text(&v, &out);
  assert_true(sp_str_ok(&out));
  assert_string_equal(out.p, want);
  sp_str_release(&out);
}

static void every_type(void **state) {
  (void)state;
  check("null", "", "");
  check("null", "x", NULL);
  check("bool", "TRUE", "true");
  check("bool", "1", NULL);
  check("int8", "127", "127");
  check("int8", "-128", "-128");
  check("int8", "128", NULL);
  check("int8", "-129", NULL);
  check("int16", "-32768", "-32768");
  check("int16", "32768", NULL);
  check("int32", "2147483647", "2147483647");
  check("int32", "2147483648", NULL);
  check("int64", "-9223372036854775808", "-9223372036854775808");
  check("int64", "9223372036854775808", NULL);
  check("uint8", "255", "255");
  check("uint8", "256", NULL);
  check("uint8", "-1", NULL);
  check("uint16", "65535", "65535");
  check("uint16", "65536", NULL);
  check("uint32", "4294967295", "4294967295");
  check("uint32", "4294967296", NULL);
  check("uint64", "18446744073709551615", "18446744073709551615");
  check("uint64", "18446744073709551616", NULL);
  check("float32", "0.1", "0.1");
  check("float32", "", NULL);
  check("float64", "0.1", "0.1");
  check("float64", "-inf", "-inf");
  check("decimal(15,2)", "1.005", "1.01");
  check("decimal(4,2)", "100", NULL);
  check("decimal(38,2)", "-0.01", "-0.01");
  check("string", "", "");
  check("string", "twelve bytes", "twelve bytes");
  check("string", "thirteen byte", "thirteen byte");
  check("binary", "x", "x");
  check("date", "2024-02-29", "2024-02-29");
  check("date", "2023-02-29", NULL);
  check("datetime(ms)", "2024-02-29 12:00", "2024-02-29T12:00:00");
  check("datetime(us, 'UTC')", "2024-02-29T12:00:00+02:00", "2024-02-29T10:00:00Z");
  check("datetime(ns)", "2300-01-01", NULL);
  check("time", "12:34:56.789", "12:34:56.789");
  check("duration(ms)", "1h", "1h");
  check("interval", "1mo", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
