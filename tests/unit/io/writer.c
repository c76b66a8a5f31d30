/* Files appear when they are complete and not before; whatever goes wrong leaves nothing behind. And running
 * out of memory at every place of reading and of writing. */
#include "write_file.h"

#include <fcntl.h>

#include "io/formats/csv/csv.h"
#include "tests/support/torture.h"

static const char text[] =
    "n,s\n1,a\n2,\"a string of more than twelve bytes\"\n3,\"say \"\"so\"\" and more of it\"\n,\n";

static sp_sink_spec sink(world *w, const char *format, const char *path) {
  return (sp_sink_spec){.format = sp_format_by_name(sp_sv_from(format)),
                        .path = path,
                        .schema = schema_of(w, "n int64;s string")};
}

static sp_chunk *chunk_of(world *w, sp_writer *out, int64_t n) {
  const sp_maker mk = {&w->mem, w->pool};
  const sp_value number = sp_value_int(sp_type_of(SP_KIND_INT64), n), string = sp_value_str(SP_SV("x"));
  sp_batch *b = sp_batch_new(&w->mem, 2, 1);
  b->cols[0] = sp_column_const(mk, &number, 1);
  b->cols[1] = sp_column_const(mk, &string, 1);
  sp_chunk *c = NULL;
  assert_int_equal(sp_writer_encode(out, &b, 1, mk, &c, NULL), SP_OK);
  sp_batch_unref(b);
  return c;
}

static const char *const formats[] = {"csv", "parquet"};

static void complete(void **state) {
  world *w = *state;
  for (size_t i = 0; i < 2; i++) {
    const char *path = world_path(w, sp_arena_printf(&w->arena, "new%zu/folder/%s", i, formats[i]));
    sp_sink_spec s = sink(w, formats[i], path);
    sp_writer *out = NULL;
    sp_error e = SP_ERROR_INIT;
    assert_int_equal(sp_writer_open(&s, &w->mem, &out, &e), SP_IO); /* the folder is not there */
    assert_string_equal(e.file, path);
    s.mkdir = true;
    assert_int_equal(sp_writer_open(&s, &w->mem, &out, NULL), SP_OK);
    assert_true(sp_writer_chunk_rows(out) > 0);
    /* encoded in any order, appended in theirs; one never is */
    sp_chunk *second = chunk_of(w, out, 2), *first = chunk_of(w, out, 1), *never = chunk_of(w, out, 3);
    assert_int_equal(sp_writer_append(out, first, NULL), SP_OK);
    assert_int_equal(sp_writer_append(out, second, NULL), SP_OK);
    sp_chunk_free(never);
    sp_chunk_free(NULL);
    assert_false(sp_path_exists(path));
    int64_t bytes = 0;
    assert_int_equal(sp_writer_commit(out, &bytes, NULL), SP_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(bytes, st.st_size);
    sp_scan_spec r = csv_spec(&path);
    r.format = s.format;
    sp_str rows;
    sp_str_init(&rows, &w->mem, TEXT_MAX);
    assert_int_equal(scan_rows(&w->mem, w->pool, &r, NULL, &rows, NULL), SP_OK);
    assert_string_equal(rows.p, "1|[x]\n2|[x]\n");
    sp_str_release(&rows);
  }
}

static void aborted(void **state) {
  world *w = *state;
  for (size_t i = 0; i < 2; i++) {
    const char *path = world_path(w, "new/folder/x");
    sp_sink_spec s = sink(w, formats[i], path);
    s.mkdir = true;
    sp_writer *out = NULL;
    assert_int_equal(sp_writer_open(&s, &w->mem, &out, NULL), SP_OK);
    assert_int_equal(sp_writer_append(out, chunk_of(w, out, 1), NULL), SP_OK);
    assert_null(sp_writer_abort(out));
    assert_null(sp_writer_abort(NULL));
    assert_int_equal(world_files(w), 0);
    assert_false(sp_path_exists(world_path(w, "new"))); /* its folders are gone too */
    /* an older file stays as it was */
    (void)world_put(w, "old", "old", 3);
    s.path = world_path(w, "old");
    assert_int_equal(sp_writer_open(&s, &w->mem, &out, NULL), SP_OK);
    assert_int_equal(sp_writer_append(out, chunk_of(w, out, 1), NULL), SP_OK);
    sp_writer_abort(out);
    char *kept;
    size_t n = 0;
    assert_int_equal(sp_file_read(&w->arena, s.path, 100, &kept, &n, NULL), SP_OK);
    assert_string_equal(kept, "old");
    assert_int_equal(world_files(w), 1);
    assert_int_equal(unlink(s.path), 0);
  }
}

/* A full disk. */
static void full(void **state) {
  world *w = *state;
  if (!sp_path_exists("/dev/full")) {
    skip();
  }
  for (size_t i = 0; i < 2; i++) {
    const sp_sink_spec s = sink(w, formats[i], "/dev/full");
    sp_writer *out = NULL;
    sp_error e = SP_ERROR_INIT;
    assert_int_equal(sp_writer_open(&s, &w->mem, &out, &e), SP_OK);
    sp_status st = sp_writer_append(out, chunk_of(w, out, 1), &e);
    if (st == SP_OK) {
      int64_t bytes = 0;
      st = sp_writer_commit(out, &bytes, &e);
    } else {
      sp_writer_abort(out);
    }
    assert_int_equal(st, SP_IO);
    assert_string_equal(e.file, "/dev/full");
    assert_non_null(strstr(e.message, "No space left"));
  }
}

static void refusals(void **state) {
  world *w = *state;
  sp_sink_spec s = sink(w, "csv", w->dir); /* a folder */
  sp_writer *out = NULL;
  assert_int_equal(sp_writer_open(&s, &w->mem, &out, NULL), SP_IO);
  const sp_format deaf = {.name = "deaf"};
  s.format = &deaf;
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_writer_open(&s, &w->mem, &out, &e), SP_UNSUPPORTED);
  assert_string_equal(e.message, "deaf files cannot be written");
}

/* ---- every allocation fails once ---- */
typedef struct torture {
  const char *from, *to;
  const char *codec;
  const sp_schema *schema;
  world *w;
} torture;

static void set_spec(sp_scan_spec *s, const char *const *path) {
  sp_scan_spec_init(s);
  s->format = sp_format_by_path(*path);
  s->n_paths = 1;
  s->paths = path;
}

static sp_status read_all(sp_mem *mem, void *ctx) {
  const torture *t = ctx;
  sp_scan_spec s;
  set_spec(&s, &t->from);
  s.row_index = "i";
  s.hive = true;
  s.include_file_path = "path";
  s.schema = t->schema;
  sp_str out;
  sp_error err = SP_ERROR_INIT;
  sp_str_init(&out, mem, TEXT_MAX);
  const scan_how how = {.window = 2};
  sp_pool *pool = sp_pool_new(mem);
  const sp_status st = pool != NULL ? scan_rows(mem, pool, &s, &how, &out, &err) : SP_NOMEM;
  sp_str_release(&out);
  if (pool != NULL) {
    sp_pool_trim(pool);
    sp_pool_unref(pool);
  }
  return st;
}

static sp_status copy_all(sp_mem *mem, void *ctx) {
  const torture *t = ctx;
  sp_scan_spec s;
  set_spec(&s, &t->from);
  const sp_sink_spec to = {.format = sp_format_by_path(t->to), .path = t->to, .compression = t->codec};
  const sp_status st = copy_file(mem, NULL, &s, to, 2, NULL);
  const bool there = sp_path_exists(t->to);
  assert_true(there == (st == SP_OK)); /* all of it or nothing */
  if (there) {
    assert_int_equal(unlink(t->to), 0);
  }
  return st;
}

static sp_status find_all(sp_mem *mem, void *ctx) {
  const torture *t = ctx;
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_format *f = NULL;
  const char *path = NULL;
  const sp_status st = sp_table_find(t->w->dir, "t", &a, &f, &path, NULL);
  sp_arena_release(&a);
  return st;
}

static void out_of_memory(void **state) {
  world *w = *state;
  torture t = {.w = w};
  (void)world_put(w, "h/k=1/a.csv", text, sizeof text - 1);
  (void)world_put(w, "h/k=2/b.csv", text, sizeof text - 1);
  (void)world_put(w, "t.csv", text, sizeof text - 1);
  sp_csv_range_bytes = 30; /* several ranges */
  t.from = world_path(w, "t.csv");
  t.to = world_path(w, "o.csv");
  SP_TORTURE(read_all, &t);
  SP_TORTURE(copy_all, &t);
  SP_TORTURE(find_all, &t);
  static const char *const codecs[] = {"gzip", "zstd:1"};
  static const char *const names[] = {"z.csv.gz", "z.csv.zst"};
  for (size_t i = 0; i < 2; i++) {
    t.from = world_path(w, "t.csv");
    t.codec = codecs[i];
    t.to = world_path(w, names[i]);
    SP_TORTURE(copy_all, &t);
    sp_scan_spec s;
    set_spec(&s, &t.from);
    const sp_sink_spec to = {.format = s.format, .path = t.to};
    assert_int_equal(copy_file(&w->mem, w->pool, &s, to, 2, NULL), SP_OK);
    t.from = t.to;
    SP_TORTURE(read_all, &t);
  }
  t.from = world_path(w, "t.csv");
  t.to = world_path(w, "t2.parquet");
  t.codec = NULL;
  sp_scan_spec s;
  set_spec(&s, &t.from);
  const sp_sink_spec to = {.format = sp_format_by_path(t.to), .path = t.to};
  assert_int_equal(copy_file(&w->mem, w->pool, &s, to, 2, NULL), SP_OK);
  t.from = t.to;
  t.schema = schema_of(w, "s string;n string"); /* with casts */
  SP_TORTURE(read_all, &t);
  sp_csv_range_bytes = CSV_RANGE_BYTES;
}

/* Folders and patterns, which are listed with memory of their own. */
static void out_of_memory_listing(void **state) {
  world *w = *state;
  torture t = {.w = w};
  (void)world_put(w, "h/k=1/a.csv", text, sizeof text - 1);
  (void)world_put(w, "h/k=2/b.csv", text, sizeof text - 1);
  t.from = world_path(w, "h/**/*.csv");
  SP_TORTURE(read_all, &t);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {TEST(complete), TEST(aborted),       TEST(full),
                                     TEST(refusals), TEST(out_of_memory), TEST(out_of_memory_listing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
