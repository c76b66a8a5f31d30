/* TPC-H at scale 0.01: the types that are found in the CSV files, and every value of every table against the
 * same table in Parquet. Skipped where the data is absent. */
#include "scan_file.h"

#define CSV_DIR SIGMAPI_TEST_DATA "/tpch-sf0.01/csv"
#define PARQUET_DIR SIGMAPI_TEST_DATA "/tpch-sf0.01/parquet"

static sp_scan_spec table_spec(world *w, const char *root, const char *name, const char **path) {
  sp_scan_spec s;
  sp_scan_spec_init(&s);
  sp_error err = SP_ERROR_INIT;
  if (sp_table_find(root, name, &w->arena, &s.format, path, &err) != SP_OK) {
    fail_msg("%s", err.message);
  }
  s.n_paths = 1;
  s.paths = path;
  return s;
}

static void types(void **state) {
  if (!sp_path_exists(CSV_DIR)) {
    skip();
  }
  static const char *const want[] = {"int64",   "int64",   "int64",  "int64",  "float64", "float64",
                                     "float64", "float64", "string", "string", "date",    "date",
                                     "date",    "string",  "string", "string"};
  world *w = *state;
  const char *path;
  const sp_scan_spec s = table_spec(w, CSV_DIR, "lineitem", &path);
  sp_dataset *d = NULL;
  assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
  const sp_schema *have = sp_dataset_schema(d);
  assert_int_equal(have->n, 16);
  for (uint32_t i = 0; i < 16; i++) {
    assert_string_equal(have->fields[i].type->name, want[i]);
  }
  assert_string_equal(have->fields[0].name.p, "l_orderkey");
  sp_dataset_unref(d);
}

/* The CSV under the Parquet file's schema: the same rows, as text, value by value. */
static void compare(world *w, const char *name) {
  const char *parquet_path, *csv_path;
  const sp_scan_spec parquet = table_spec(w, PARQUET_DIR, name, &parquet_path);
  sp_scan_spec csv = table_spec(w, CSV_DIR, name, &csv_path);
  sp_dataset *d = NULL;
  sp_error err = SP_ERROR_INIT;
  sp_str want, got;
  sp_str_init(&want, &w->mem, TEXT_MAX);
  sp_str_init(&got, &w->mem, TEXT_MAX);
  assert_int_equal(sp_dataset_open(&parquet, &w->mem, &d, &err), SP_OK);
  csv.schema = sp_dataset_schema(d);
  const sp_status st = scan_dataset(d, (sp_maker){&w->mem, w->pool}, NULL, &want, &err);
  const scan_how how = {.workers = 2, .window = 5000};
  if (st != SP_OK || scan_rows(&w->mem, w->pool, &csv, &how, &got, &err) != SP_OK) {
    fail_msg("%s: %s:%u: %s", name, err.file, err.line, err.message);
  }
  assert_true(sp_str_ok(&want) && want.n > 100);
  assert_int_equal(want.n, got.n);
  assert_true(memcmp(want.p, got.p, want.n) == 0);
  sp_dataset_unref(d);
  sp_str_release(&want);
  sp_str_release(&got);
}

static void tables(void **state) {
  static const char *const names[] = {"customer", "lineitem", "nation", "orders",
                                      "part",     "partsupp", "region", "supplier"};
  if (!sp_path_exists(CSV_DIR)) {
    skip();
  }
  for (size_t i = 0; i < 8; i++) {
    compare(*state, names[i]);
  }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {TEST(types), TEST(tables)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
