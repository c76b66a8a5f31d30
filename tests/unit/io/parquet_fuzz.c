/* Broken and odd Parquet files, most of them found by fuzzers: each gives rows or one clean error that names
 * the file, within bounded memory and time, and gives all memory back. Files that are well formed but cut
 * short at any byte, or with one byte changed, are tried too. */
#include "parquet_file.h"

#include "base/thread.h"

#define MEMORY_MAX ((int64_t)1 << 30)
#define SECONDS_MAX 20
#define ROWS_MAX 1000000 /* per morsel: a lying row count is not a reason to read for ever */

/* Every value is looked at, so that the sanitizers see what it points to. */
static sp_status look(void *ctx, const file *f, uint32_t column, int64_t first_row, const sp_column *c,
                      sp_error *err) {
  (void)f;
  (void)column;
  (void)first_row;
  (void)err;
  uint64_t *sum = ctx;
  for (uint32_t i = 0; i < c->length; i++) {
    const sp_value v = sp_column_value(c, i);
    if (!v.is_null && sp_type_is_bytes(v.type)) {
      for (size_t k = 0; k < v.s.n; k++) {
        *sum += (uint8_t)v.s.p[k];
      }
    } else if (!v.is_null) {
      *sum += (uint64_t)sp_value_cmp(&v, &v);
    }
  }
  return SP_OK;
}

/* true when it gave rows. */
static bool try_file(const char *path, uint32_t window) {
  file f;
  sp_error err = SP_ERROR_INIT;
  uint64_t sum = 0;
  const int64_t t0 = sp_now_ns();
  sp_status st = file_open(&f, path, &err);
  f.mem.limit = MEMORY_MAX;
  if (st == SP_OK) {
    for (uint32_t i = 0; i < f.n_columns; i++) {
      sp_column_stats stats;
      sp_format_parquet.column_stats(f.source, i, &stats);
    }
    st = file_read(&f, window, ROWS_MAX, look, &sum, &err);
  }
  file_close(&f);
  if (st != SP_OK) {
    assert_int_equal(err.status, st);
    assert_true(err.message[0] != '\0');
    assert_true(st == SP_DATA || st == SP_UNSUPPORTED || st == SP_LIMIT);
    assert_string_equal(err.file, path);
  }
  if (sp_now_ns() - t0 > (int64_t)SECONDS_MAX * 1000000000) {
    fail_msg("%s took %lld ms", path, (long long)((sp_now_ns() - t0) / 1000000));
  }
  return st == SP_OK;
}

static void corpus_gives_rows_or_errors(void **state) {
  (void)state;
  const char *dir = SIGMAPI_TEST_DATA "/parquet/fuzz";
  DIR *d = opendir(dir);
  if (d == NULL) {
    skip();
  }
  uint32_t n = 0, ok = 0;
  for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
    if (e->d_name[0] == '.') {
      continue;
    }
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
    ok += try_file(path, 8192);
    try_file(path, 100);
    n++;
  }
  closedir(d);
  print_message("%u files, %u of them readable\n", n, ok);
  assert_true(n > 50);
}

static char *slurp(const char *path, size_t *ret_n) {
  FILE *f = fopen(path, "rb");
  if (f == NULL) {
    return NULL;
  }
  char *p = malloc(1 << 20);
  assert_non_null(p);
  *ret_n = fread(p, 1, 1 << 20, f);
  fclose(f);
  return p;
}

static void write_bytes(const char *path, const char *p, size_t n) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(p, 1, n, f), n);
  assert_int_equal(fclose(f), 0);
}

/* One byte at a time is turned into something else; the file's end is cut off at a few places. */
static void damaged_files(void **state) {
  (void)state;
  static const char *const names[] = {"datapage_v2.snappy",       "delta_byte_array",
                                      "brotli_compressed",        "rle_boolean_encoding",
                                      "hadoop_lz4_compressed",    "delta_length_byte_array",
                                      "byte_array_decimal",       "signs",
                                      "byte_stream_split_v2",     "mostlyempty",
                                      "concatenated_gzip_members"};
  char out[] = "/tmp/sigmapi-parquet-XXXXXX";
  const int fd = mkstemp(out);
  assert_true(fd >= 0);
  close(fd);
  uint32_t seed = 1;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char path[600];
    snprintf(path, sizeof path, SIGMAPI_TEST_DATA "/parquet/hyparquet/%s.parquet", names[i]);
    size_t n = 0;
    char *p = slurp(path, &n);
    if (p == NULL) {
      unlink(out);
      skip();
    }
    for (uint32_t k = 0; k < 300; k++) {
      seed = seed * 1664525 + 1013904223;
      const size_t at =
          k % 3 == 0 ? seed % n : n - 1 - seed % (n < 700 ? n : 700); /* the footer more often */
      const char old = p[at];
      p[at] = (char)(old ^ (1 << (seed >> 28 & 7)));
      write_bytes(out, p, n);
      try_file(out, 1000);
      p[at] = old;
    }
    for (uint32_t k = 0; k < 20; k++) {
      write_bytes(out, p, n * k / 20);
      try_file(out, 1000);
    }
    free(p);
  }
  unlink(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(corpus_gives_rows_or_errors),
                                     cmocka_unit_test(damaged_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
