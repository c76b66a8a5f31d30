/* Several files as one table: in which order, under which names and types, with which columns around them. */
#include "write_file.h"

#include "io/formats/csv/csv.h"

static void put(world *w, const char *name, const char *text) {
  (void)world_put(w, name, text, strlen(text));
}

static sp_scan_spec spec_of(world *w, const char *const *path) {
  sp_scan_spec s = csv_spec(path);
  s.root = w->dir;
  return s;
}

static const char *rows_how(world *w, const sp_scan_spec *s, const scan_how *how) {
  sp_str out;
  sp_error err = SP_ERROR_INIT;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  if (scan_rows(&w->mem, w->pool, s, how, &out, &err) != SP_OK) {
    fail_msg("%s:%u: %s", err.file, err.line, err.message);
  }
  const char *rows = sp_arena_strndup(&w->arena, out.p, out.n);
  sp_str_release(&out);
  return rows;
}

static const char *rows_of(world *w, const char *path) {
  const sp_scan_spec s = spec_of(w, &path);
  return rows_how(w, &s, NULL);
}

static sp_error error_of(world *w, const sp_scan_spec *s) {
  sp_str out;
  sp_error err = SP_ERROR_INIT;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  if (scan_rows(&w->mem, w->pool, s, NULL, &out, &err) == SP_OK) {
    fail_msg("no error, but rows:\n%s", out.p);
  }
  sp_str_release(&out);
  return err;
}

static void expect_error(world *w, const sp_scan_spec *s, sp_status st, const char *file,
                         const char *message) {
  const sp_error e = error_of(w, s);
  if (e.status != st || strcmp(sp_path_base(e.file), file) != 0 || strstr(e.message, message) == NULL) {
    fail_msg("%s: %s: %s", sp_status_text(e.status), e.file, e.message);
  }
}

/* ---- which files ---- */
static void paths(void **state) {
  world *w = *state;
  put(w, "b.csv", "x\n2\n");
  put(w, "a.csv", "x\n1\n");
  put(w, "B.csv", "x\n0\n");
  put(w, ".hidden.csv", "x\n9\n");
  put(w, "_metadata.csv", "x\n9\n");
  put(w, "notes.txt", "x\n8\n");
  put(w, "sub/c.csv", "x\n3\n");
  put(w, "sub/deep/er/d.csv", "x\n4\n");
  put(w, "sub/deep/.e.csv", "x\n9\n");
  put(w, "odd[1]*.csv", "x\n5\n");
  assert_string_equal(rows_of(w, "a.csv"), "1\n");
  assert_string_equal(rows_of(w, "[ab].csv"), "1\n2\n");
  assert_string_equal(rows_of(w, "?.csv"), "0\n1\n2\n"); /* in the order of bytes */
  assert_string_equal(rows_of(w, "*.csv"), "0\n1\n2\n5\n");
  assert_string_equal(rows_of(w, "odd[1]*.csv"), "5\n"); /* the file of that name first */
  assert_string_equal(rows_of(w, "."), "0\n1\n2\n5\n");
  assert_string_equal(rows_of(w, "sub"), "3\n"); /* folders inside only for hive columns */
  assert_string_equal(rows_of(w, "**/[abcd].csv"), "1\n2\n3\n4\n");
  assert_string_equal(rows_of(w, "sub/**/d.csv"), "4\n");
  assert_string_equal(rows_of(w, "s*"), "3\n");
  assert_string_equal(rows_of(w, world_path(w, "a.csv")), "1\n"); /* absolute: the root does not count */
  const char *const several[] = {"b.csv", "a*.csv", "b.csv"};
  sp_scan_spec s = spec_of(w, several);
  s.n_paths = 3;
  assert_string_equal(rows_how(w, &s, NULL), "2\n1\n2\n");
  s.n_paths = 0;
  assert_int_equal(error_of(w, &s).status, SP_INVALID);
}

static void missing(void **state) {
  world *w = *state;
  put(w, "flights.csv", "x\n1\n");
  put(w, "empty/readme.txt", "");
  const char *path = "flihgts.csv";
  sp_scan_spec s = spec_of(w, &path);
  sp_error e = error_of(w, &s);
  assert_int_equal(e.status, SP_NOT_FOUND);
  assert_string_equal(e.message, "no such file");
  assert_non_null(strstr(e.hint, "flights.csv"));
  path = "nowhere/flights.csv";
  e = error_of(w, &s);
  assert_int_equal(e.status, SP_NOT_FOUND);
  assert_non_null(strstr(e.hint, "no folder"));
  path = "flights.csv/x.csv";
  assert_int_equal(error_of(w, &s).status, SP_NOT_FOUND);
  path = "*.tsv";
  expect_error(w, &s, SP_NOT_FOUND, "*.tsv", "no file matches");
  path = "empty";
  expect_error(w, &s, SP_NOT_FOUND, "empty", "no csv file in this folder");
}

/* A root is a folder's name and no pattern. */
static void odd_root(void **state) {
  world *w = *state;
  put(w, "r[a]*?\\x/k=1/t1.csv", "x\n1\n");
  put(w, "r[a]*?\\x/k=1/t2.csv", "x\n2\n");
  const char *path = "k=1/t?.csv";
  sp_scan_spec s = csv_spec(&path);
  s.root = world_path(w, "r[a]*?\\x");
  assert_string_equal(rows_how(w, &s, NULL), "1\n2\n");
}

/* ---- columns ---- */
static void orders_of_columns(void **state) {
  world *w = *state;
  put(w, "1.csv", "a,b\n1,x\n");
  put(w, "2.csv", "b,a\ny,2\n");
  put(w, "3.csv", "\"b\",\"a\"\n3,3\n"); /* a number where there are strings is one of them */
  assert_string_equal(rows_of(w, "*.csv"), "1|[x]\n2|[y]\n3|[3]\n");
}

static void other_columns(void **state) {
  world *w = *state;
  const char *path = "*.csv";
  const sp_scan_spec s = spec_of(w, &path);
  put(w, "1.csv", "a,b\n1,x\n");
  put(w, "2.csv", "a,c\n2,y\n");
  expect_error(w, &s, SP_DATA, "2.csv", "no column `b`, which");
  assert_non_null(strstr(error_of(w, &s).message, "1.csv has"));
  put(w, "2.csv", "a,b,c\n2,y,z\n");
  expect_error(w, &s, SP_DATA, "2.csv", "3 columns, but");
  assert_non_null(strstr(error_of(w, &s).message, "1.csv has 2"));
  put(w, "2.csv", "b,a\ny,two\n"); /* CSV has the first file's types */
  expect_error(w, &s, SP_DATA, "2.csv", "column `a`: `two` is not int64");
  put(w, "2.csv", ""); /* it may have no rows at all */
  assert_string_equal(rows_of(w, path), "1|[x]\n");
}

/* Parquet files have types of their own: they must agree, and both files are named. */
static void other_types(void **state) {
  world *w = *state;
  put(w, "1.csv", "a,b\n1,x\n");
  put(w, "2.csv", "a,b\n1.5,x\n");
  put(w, "3.csv", "a,b\n7,y\n");
  for (uint32_t i = 1; i <= 3; i++) {
    const char *from = sp_arena_printf(&w->arena, "%u.csv", i);
    const sp_scan_spec s = spec_of(w, &from);
    const sp_sink_spec to = {.format = sp_format_by_name(SP_SV("parquet")),
                             .path = world_path(w, sp_arena_printf(&w->arena, "%u.parquet", i))};
    assert_int_equal(copy_file(&w->mem, w->pool, &s, to, 100, NULL), SP_OK);
  }
  const char *path = "[12].parquet";
  sp_scan_spec s = spec_of(w, &path);
  s.format = sp_format_by_name(SP_SV("parquet"));
  expect_error(w, &s, SP_DATA, "2.parquet", "column `a` is float64, but int64 in");
  path = "[13].parquet";
  assert_string_equal(rows_how(w, &s, NULL), "1|[x]\n7|[y]\n");
  /* a given schema casts where nothing is lost */
  s.schema = schema_of(w, "b string;a string");
  assert_string_equal(rows_how(w, &s, &(scan_how){.window = 1}), "[x]|[1]\n[y]|[7]\n");
  s.schema = schema_of(w, "a float32");
  assert_string_equal(rows_how(w, &s, NULL), "1.0\n7.0\n");
  s.schema = schema_of(w, "b int64");
  const sp_error e = error_of(w, &s);
  assert_int_equal(e.status, SP_DATA);
  assert_non_null(strstr(e.message, "column `b`: a value of type string is not exactly int64"));
  s.schema = schema_of(w, "z int64");
  assert_int_equal(error_of(w, &s).status, SP_NOT_FOUND);
}

/* Many long strings made by a cast: several heaps, and all of them kept. */
static void long_casts(void **state) {
  world *w = *state;
  sp_str text, want;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_init(&want, &w->mem, TEXT_MAX);
  sp_str_add(&text, "a\n");
  for (uint32_t i = 0; i < 10000; i++) {
    sp_str_addf(&text, "%u\n", i + 1000000000);
    sp_str_addf(&want, "[%u.0000000000]\n", i + 1000000000);
  }
  put(w, "1.csv", text.p);
  const char *path = "1.csv", *parquet = world_path(w, "1.parquet");
  sp_scan_spec s = spec_of(w, &path);
  s.schema = schema_of(w, "a decimal(38,10)");
  const sp_sink_spec to = {.format = sp_format_by_name(SP_SV("parquet")), .path = parquet};
  assert_int_equal(copy_file(&w->mem, w->pool, &s, to, 8192, NULL), SP_OK);
  sp_scan_spec p = csv_spec(&parquet);
  p.format = to.format;
  p.schema = schema_of(w, "a string");
  assert_string_equal(rows_how(w, &p, NULL), want.p);
  sp_str_release(&text);
  sp_str_release(&want);
}

/* ---- columns around ---- */
static void around(void **state) {
  world *w = *state;
  put(w, "d/1.csv", "a\n10\n11\n");
  put(w, "d/2.csv", "a\n");
  put(w, "d/3.csv", "a\n12\n13\n14\n");
  const char *path = "d";
  sp_scan_spec s = spec_of(w, &path);
  s.row_index = "i";
  s.row_index_offset = 5;
  s.include_file_path = "from";
  const char *want =
      sp_arena_printf(&w->arena,
                      "5|10|[%s/d/1.csv]\n6|11|[%s/d/1.csv]\n7|12|[%s/d/3.csv]\n8|13|[%s/d/3.csv]\n9|14|"
                      "[%s/d/3.csv]\n",
                      w->dir, w->dir, w->dir, w->dir, w->dir);
  for (uint32_t window = 1; window <= 3; window++) {
    assert_string_equal(rows_how(w, &s, &(scan_how){.window = window}), want);
  }
  const uint32_t ends[] = {0, 2};
  const sp_scan_spec only = s;
  assert_string_equal(rows_how(w, &only, &(scan_how){.n_columns = 1, .columns = ends}), "5\n6\n7\n8\n9\n");
  s.row_index = "a";
  expect_error(w, &s, SP_INVALID, "1.csv", "duplicate");
}

/* Every limit, with files of 0 to 3 rows and borders of ranges inside them. */
static void limits(void **state) {
  world *w = *state;
  put(w, "1.csv", "a\n10\n11\n12\n");
  put(w, "2.csv", "a\n");
  put(w, "3.csv", "a\n13\n");
  put(w, "4.csv", "a\n14\n15\n16");
  const char *path = "*.csv";
  sp_scan_spec s = spec_of(w, &path);
  for (int64_t n = 0; n <= 9; n++) {
    for (int64_t bytes = 2; bytes <= 14; bytes++) {
      sp_str want;
      sp_str_init(&want, &w->mem, TEXT_MAX);
      for (int64_t i = 0; i < 7 && i < n; i++) {
        sp_str_addf(&want, "%d|%d\n", (int)i, (int)i + 10);
      }
      s.n_rows = n;
      s.row_index = "i";
      sp_csv_range_bytes = bytes;
      assert_string_equal(rows_how(w, &s, &(scan_how){.window = 1 + (uint32_t)bytes % 3}), want.p);
      sp_str_release(&want);
    }
  }
  sp_csv_range_bytes = CSV_RANGE_BYTES;
  sp_dataset *d = NULL;
  bool exact = false;
  s.n_rows = 2;
  assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
  assert_int_equal(sp_dataset_rows(d, &exact), 2);
  sp_dataset_unref(d);
}

/* ---- hive ---- */
static void hive(void **state) {
  world *w = *state;
  put(w, "h/year=2024/day=2024-01-02/a.csv", "x\n1\n");
  put(w, "h/year=2023/day=2023-05-06/b.csv", "x\n2\n");
  put(w, "h/year=2024/day=__HIVE_DEFAULT_PARTITION__/c.csv", "x\n3\n");
  const char *path = "h";
  sp_scan_spec s = spec_of(w, &path);
  s.hive = true;
  assert_string_equal(rows_how(w, &s, NULL), "2|2023|2023-05-06\n1|2024|2024-01-02\n3|2024|-\n");
  path = "h/year=*/day=2*/*.csv";
  assert_string_equal(rows_how(w, &s, NULL), "2|2023|2023-05-06\n1|2024|2024-01-02\n");
  s.schema = schema_of(w, "x float64;year string"); /* a type of one's own */
  assert_string_equal(rows_how(w, &s, NULL), "2.0|[2023]|2023-05-06\n1.0|[2024]|2024-01-02\n");
  s.schema = schema_of(w, "x int64;day int32");
  expect_error(w, &s, SP_DATA, "b.csv", "hive column `day`: `2023-05-06` is not int32");
}

/* Names are decoded; the file's own column gives way; the root's folders are no keys. */
static void hive_names(void **state) {
  world *w = *state;
  put(w, "root=1/t/a%20b=x%2Fy/f.csv", "a b,v\nfile,1\n");
  put(w, "root=1/t/a%20b=100%/g.csv", "v,a b\n2,file\n");
  const char *path = "t";
  sp_scan_spec s = csv_spec(&path);
  s.root = world_path(w, "root=1");
  s.hive = true;
  assert_string_equal(rows_how(w, &s, NULL), "2|[100%]\n1|[x/y]\n");
  put(w, "root=1/t/other=1/h.csv", "a b,v\n1,1\n");
  expect_error(w, &s, SP_DATA, "h.csv", "other hive columns");
  put(w, "root=1/t/other=1/h.csv", "a b,v\n1,1\n");
  put(w, "root=1/u/k=1/f.csv", "v\n1\n");
  put(w, "root=1/u/z.csv", "v\n1\n");
  path = "u";
  expect_error(w, &s, SP_DATA, "z.csv", "fewer hive columns");
  put(w, "root=1/bad/k=%ff/f.csv", "v\n1\n");
  path = "bad";
  expect_error(w, &s, SP_DATA, "f.csv", "not valid UTF-8");
}

/* A file whose keys no row can want is not opened; where rows are numbered it still counts. */
static void hive_prunes(void **state) {
  world *w = *state;
  put(w, "h/k=1/a.csv", "x\n1\n2\n");
  put(w, "h/k=2/b.csv", "x\nnot even a number\n");
  put(w, "h/k=3/c.csv", "x\n3\n");
  put(w, "h/k=__HIVE_DEFAULT_PARTITION__/d.csv", "x\n4\n");
  const char *path = "h";
  sp_scan_spec s = spec_of(w, &path);
  s.hive = true;
  const sp_type *t = sp_type_of(SP_KIND_INT64);
  sp_range r[] = {{.has_hi = true, .hi = sp_value_int(t, 1)},
                  {.has_lo = true, .lo_open = true, .lo = sp_value_int(t, 2)}};
  sp_prune p = {.column = 1, .n_ranges = 2, .ranges = r};
  const scan_how how = {.n_prunes = 1, .prunes = &p};
  assert_string_equal(rows_how(w, &s, &how), "1|1\n2|1\n3|3\n");
  p.wants_null = true;
  assert_string_equal(rows_how(w, &s, &how), "1|1\n2|1\n3|3\n4|-\n");
  r[0].hi_open = true;
  p.n_ranges = 1;
  assert_string_equal(rows_how(w, &s, &how), "4|-\n");
  put(w, "h/k=2/b.csv", "x\n20\n");
  s.row_index = "i";
  p.column = 2;
  r[0] = (sp_range){.has_lo = true, .lo = sp_value_int(t, 3)};
  p.wants_null = false;
  assert_string_equal(rows_how(w, &s, &how), "3|3|3\n");

  sp_dataset *d = NULL;
  const uint32_t columns[] = {0, 1, 2};
  const sp_scan_request q = {.n_columns = 3, .columns = columns, .n_prunes = 1, .prunes = &p, .workers = 1};
  assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
  assert_int_equal(sp_dataset_plan(d, &q, NULL), SP_OK);
  sp_scan_stats *st = sp_dataset_scan_stats(d);
  assert_int_equal(st->files_total, 4);
  assert_int_equal(st->files_read, 1);
  assert_int_equal(st->bytes_pruned, 6 + 5 + 4);
  assert_int_equal(sp_dataset_morsels(d), 1);
  assert_int_equal(sp_dataset_plan(d, &q, NULL), SP_INTERNAL); /* once */
  sp_dataset_unref(d);
}

/* What was read is counted once, however it was cut and whatever had to be counted before. */
static void figures(void **state) {
  world *w = *state;
  put(w, "1.csv", "a\n10\n11\n12\n");
  put(w, "2.csv", "a\n13\n14\n");
  const char *path = "*.csv";
  sp_scan_spec s = spec_of(w, &path);
  for (int64_t bytes = 3; bytes < 20; bytes++) {
    sp_csv_range_bytes = bytes;
    for (uint32_t numbered = 0; numbered < 2; numbered++) {
      s.row_index = numbered == 1 ? "i" : NULL;
      sp_dataset *d = NULL;
      sp_str out;
      sp_str_init(&out, &w->mem, TEXT_MAX);
      assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
      assert_int_equal(scan_dataset(d, (sp_maker){&w->mem, w->pool}, NULL, &out, NULL), SP_OK);
      const sp_scan_stats *st = sp_dataset_scan_stats(d);
      assert_int_equal(st->bytes_scanned, 9 + 6);
      assert_int_equal(st->files_read, 2);
      assert_int_equal(sp_dataset_files(d), 2);
      assert_string_equal(sp_path_base(sp_dataset_path(d, 1)), "2.csv");
      sp_str_release(&out);
      sp_dataset_unref(d);
    }
  }
  sp_csv_range_bytes = CSV_RANGE_BYTES;
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {
      TEST(paths),         TEST(missing),     TEST(odd_root),   TEST(orders_of_columns),
      TEST(other_columns), TEST(other_types), TEST(long_casts), TEST(around),
      TEST(limits),        TEST(hive),        TEST(hive_names), TEST(hive_prunes),
      TEST(figures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
