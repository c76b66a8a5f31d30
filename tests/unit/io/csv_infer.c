/* Types from a sample: which, from how many rows, and what is left to the run. */
#include "scan_file.h"

#include "io/formats/csv/csv.h"

/* "a int64, b string" of a file, or the error's message. */
static const char *schema_text(world *w, sp_scan_spec s, const char *text, size_t n) {
  const char *path = world_put(w, "t.csv", text, n);
  s.paths = &path;
  sp_dataset *d = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_dataset_open(&s, &w->mem, &d, &err) != SP_OK) {
    return sp_arena_strdup(&w->arena, err.message);
  }
  sp_str out;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  const sp_schema *have = sp_dataset_schema(d);
  for (uint32_t i = 0; i < have->n; i++) {
    sp_str_addf(&out, "%s%s %s", i > 0 ? ", " : "", have->fields[i].name.p, have->fields[i].type->name);
  }
  const char *kept = sp_arena_strndup(&w->arena, out.p, out.n);
  sp_str_release(&out);
  sp_dataset_unref(d);
  return kept;
}

static void types(void **state) {
  static const struct {
    const char *text, *schema;
  } cases[] = {
      {"a,b,c,d,e,f\n1,1.5,2020-01-02,2020-01-02 03:04:05,true,x\n",
       "a int64, b float64, c date, d datetime(us), e bool, f string"},
      {"a\n1\n2.5\n", "a float64"},
      {"a\n1.5\n2\n", "a float64"},
      {"a\n1\nx\n", "a string"},
      {"a\ntrue\n1\n", "a string"},
      {"a\n2020-01-02\n2020-01-02T03:04\n", "a datetime(us)"},
      {"a\n2020-01-02T03:04\n2020-01-02\n", "a datetime(us)"},
      {"a\n2020-01-02\n1\n", "a string"},
      {"a\n2020-02-30\n", "a string"},
      {"a,b\n,1\n,2\n", "a string, b int64"}, /* no value at all */
      {"a,b\n,1\n3,\n", "a int64, b int64"},  /* nulls say nothing */
      {"a\n\"1\"\n", "a int64"},              /* quotes neither */
      {"a\n1\n\"\"\n", "a string"},           /* but an empty string is one */
      {"a\n\"1\"\"\"\n", "a string"},
      {"a\n9223372036854775807\n", "a int64"},
      {"a\n9223372036854775808\n", "a float64"},
      {"a\n1e5\n", "a float64"},
      {"a\nnan\n1\n", "a float64"},
      {"a\n 1\n", "a string"},
      {"a\n0x10\n", "a string"},
      {"a,b\n", "a string, b string"},
      {"a,b", "a string, b string"},
      {"a,b\n1,2\n3\n4,x\n", "a int64, b string"},       /* ragged rows are left to the run */
      {"a,b\n1,2\n3,\"x\"y\nz,z\n", "a int64, b int64"}, /* a broken one ends the sample */
      {"a,b\n1,2\n3,\"x\n", "a int64, b int64"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *got = schema_text(*state, csv_spec(NULL), cases[i].text, strlen(cases[i].text));
    if (strcmp(got, cases[i].schema) != 0) {
      fail_msg("`%s` is %s, not %s", cases[i].text, got, cases[i].schema);
    }
  }
}

static void options(void **state) {
  static const char text[] = "a,b\n1,2020-01-02\n2,2020-01-03\nx,y\n";
  sp_scan_spec s = csv_spec(NULL);
  s.infer_rows = 2;
  assert_string_equal(schema_text(*state, s, text, sizeof text - 1), "a int64, b date");
  s.try_parse_dates = false;
  assert_string_equal(schema_text(*state, s, text, sizeof text - 1), "a int64, b string");
  s.infer_rows = 3;
  assert_string_equal(schema_text(*state, s, text, sizeof text - 1), "a string, b string");
  s.infer_rows = 0;
  assert_string_equal(schema_text(*state, s, "a\n1\n", 4), "a string");
  s.infer_rows = 2;
  s.has_header = false;
  assert_string_equal(schema_text(*state, s, "1,2\n3,x\n", 8), "column_1 int64, column_2 string");
  s.has_header = true;
  static const char *const nulls[] = {"NA"};
  s.null_values = nulls;
  s.n_null_values = 1;
  assert_string_equal(schema_text(*state, s, "a\nNA\n1\n", 7), "a int64");
}

/* So many rows are looked at as are asked for, however long they are, and not one more. */
static void sample(void **state) {
  world *w = *state;
  static const uint32_t widths[] = {2, 300, 3000};
  for (uint32_t i = 0; i < 3; i++) {
    sp_str text;
    sp_str_init(&text, &w->mem, TEXT_MAX);
    sp_str_add(&text, "a,b\n");
    for (uint32_t r = 0; r < 12000; r++) {
      sp_str_add(&text, r == 10000 ? "1.5" : r == 11000 ? "x" : "1");
      sp_str_addc(&text, ',');
      sp_str_repeat(&text, "y", widths[i]);
      sp_str_addc(&text, '\n');
    }
    sp_scan_spec s = csv_spec(NULL);
    assert_string_equal(schema_text(w, s, text.p, text.n), "a int64, b string");
    s.infer_rows = 10001;
    assert_string_equal(schema_text(w, s, text.p, text.n), "a float64, b string");
    s.infer_rows = -1;
    assert_string_equal(schema_text(w, s, text.p, text.n), "a string, b string");
    sp_str_release(&text);
  }
}

/* An estimate from the head; exact where there is nothing to estimate. */
static void rows(void **state) {
  world *w = *state;
  sp_str text;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_add(&text, "a,b\n");
  for (uint32_t r = 0; r < 100000; r++) {
    sp_str_addf(&text, "%u,x\n", r + 100000);
  }
  const char *paths[] = {world_put(w, "many.csv", text.p, text.n), world_put(w, "none.csv", "a,b\n", 4)};
  sp_str_release(&text);
  for (uint32_t i = 0; i < 2; i++) {
    sp_scan_spec s = csv_spec(&paths[i]);
    sp_dataset *d = NULL;
    bool exact = i == 0;
    assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
    const int64_t n = sp_dataset_rows(d, &exact);
    assert_true(i == 0 ? n > 99000 && n < 101000 && !exact : n == 0 && exact);
    assert_int_equal(sp_dataset_bytes(d), i == 0 ? 900004 : 4);
    sp_dataset_unref(d);
  }
}

/* A run over the sample's types says where they do not hold. */
static void misfit(void **state) {
  sp_scan_spec s = csv_spec(NULL);
  s.infer_rows = 2;
  const sp_error e = csv_error(*state, s, "a,b\n1,2\n3,4\n5,six\n", 19);
  assert_int_equal(e.line, 4);
  assert_int_equal(e.col, 3);
  assert_string_equal(e.message, "column `b`: `six` is not int64");
  assert_non_null(strstr(e.hint, "infer_rows"));
}

static void too_many_columns(void **state) {
  world *w = *state;
  sp_str text;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_repeat(&text, ",", SP_SCHEMA_MAX);
  sp_str_addc(&text, '\n');
  assert_string_equal(schema_text(w, csv_spec(NULL), text.p, text.n), "more than 10000 columns");
  const char *schema = schema_text(w, csv_spec(NULL), text.p + 1, text.n - 1); /* as many as there may be */
  assert_memory_equal(schema, "column_1 string, column_2 string", 32);
  sp_str_release(&text);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {TEST(types), TEST(options), TEST(sample),
                                     TEST(rows),  TEST(misfit),  TEST(too_many_columns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
