/* Tables by name: found, found twice, not found. */
#include "scan_file.h"

static void put(world *w, const char *name) {
  (void)world_put(w, name, "x\n1\n", 4);
}

/* "csv path" or the message. */
static const char *find(world *w, const char *name) {
  const sp_format *f = NULL;
  const char *path = NULL;
  sp_error e = SP_ERROR_INIT;
  if (sp_table_find(w->dir, name, &w->arena, &f, &path, &e) != SP_OK) {
    return sp_arena_printf(&w->arena, "%s: %s (%s)", sp_status_text(e.status), e.message, e.hint);
  }
  assert_memory_equal(path, w->dir, strlen(w->dir));
  return sp_arena_printf(&w->arena, "%s %s", sp_format_name(f), path + strlen(w->dir) + 1);
}

static void found(void **state) {
  world *w = *state;
  put(w, "flights.csv");
  put(w, "airports.parquet");
  put(w, "weather.csv.gz");
  put(w, "days/1.csv");
  put(w, "days/2.csv");
  put(w, "days/_SUCCESS.parquet");
  put(w, "a.b.csv");
  put(w, "sub/deep.csv");
  assert_string_equal(find(w, "flights"), "csv flights.csv");
  assert_string_equal(find(w, "airports"), "parquet airports.parquet");
  assert_string_equal(find(w, "weather"), "csv weather.csv.gz");
  assert_string_equal(find(w, "days"), "csv days");
  assert_string_equal(find(w, "a.b"), "csv a.b.csv");
  assert_string_equal(find(w, "sub/deep"), "csv sub/deep.csv");
}

static void ambiguous(void **state) {
  world *w = *state;
  put(w, "t.csv");
  put(w, "t.parquet");
  const char *message = find(w, "t");
  assert_non_null(strstr(message, "invalid plan: table `t` is ambiguous: "));
  assert_non_null(strstr(message, "/t.csv and "));
  assert_non_null(strstr(message, "/t.parquet"));
  put(w, "u.csv");
  put(w, "u/1.csv");
  message = find(w, "u");
  assert_non_null(strstr(message, "/u.csv and "));
  put(w, "v/1.csv");
  put(w, "v/2.parquet");
  message = find(w, "v");
  assert_non_null(strstr(message, "table `v` is ambiguous"));
  assert_true(strstr(message, "csv and parquet files") != NULL ||
              strstr(message, "parquet and csv files") != NULL);
}

static void not_found(void **state) {
  world *w = *state;
  put(w, "flights.csv");
  put(w, "line.item.parquet");
  put(w, "readme.txt");
  put(w, "folder/readme.txt");
  assert_non_null(strstr(find(w, "flihgts"), "not found: no table `flihgts` in /"));
  assert_non_null(strstr(find(w, "flihgts"), "(did you mean `flights`?"));
  assert_non_null(strstr(find(w, "lineitem"), "did you mean `line.item`?"));
  assert_non_null(strstr(find(w, "zzzzzzzz"), "tables are files as zzzzzzzz.parquet or zzzzzzzz.csv"));
  assert_non_null(strstr(find(w, "folder"), "no table `folder`")); /* it holds no data */
  assert_non_null(strstr(find(w, ""), "without a name"));
  const sp_format *f = NULL;
  const char *path = NULL;
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_table_find(world_path(w, "nowhere"), "t", &w->arena, &f, &path, &e), SP_NOT_FOUND);
}

static void formats(void **state) {
  (void)state;
  assert_string_equal(sp_format_name(sp_format_by_path("a/b.csv")), "csv");
  assert_string_equal(sp_format_name(sp_format_by_path("A.B.CSV")), "csv");
  assert_string_equal(sp_format_name(sp_format_by_path("x.csv.zst")), "csv");
  assert_string_equal(sp_format_name(sp_format_by_path("x.csv.parquet")), "parquet");
  assert_string_equal(sp_format_name(sp_format_by_path("x.pq")), "parquet");
  assert_null(sp_format_by_path("csv"));
  assert_null(sp_format_by_path("x.csv/y"));
  assert_null(sp_format_by_path("x.gz"));
  assert_null(sp_format_by_name(SP_SV("xls")));
  assert_null(sp_format_by_name(SP_SV("")));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {TEST(found), TEST(ambiguous), TEST(not_found), TEST(formats)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
