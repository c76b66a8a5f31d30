/* What is written is read back: every type, nulls, strings that need quotes, every dialect, compressed or
 * not. */
#include "write_file.h"

#include "io/formats/csv/csv.h"

static const char *file_text(world *w, const char *path, size_t *ret_n) {
  char *text;
  assert_int_equal(sp_file_read(&w->arena, path, (size_t)1 << 30, &text, ret_n, NULL), SP_OK);
  return text;
}

static const char *rows_of(world *w, const sp_scan_spec *s) {
  sp_str out;
  sp_error err = SP_ERROR_INIT;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  if (scan_rows(&w->mem, w->pool, s, NULL, &out, &err) != SP_OK) {
    fail_msg("%s:%u: %s", err.file, err.line, err.message);
  }
  const char *rows = sp_arena_strndup(&w->arena, out.p, out.n);
  sp_str_release(&out);
  return rows;
}

static void copy(world *w, const sp_scan_spec *from, sp_sink_spec to, uint32_t window) {
  sp_error err = SP_ERROR_INIT;
  to.format = sp_format_by_name(SP_SV("csv"));
  if (copy_file(&w->mem, w->pool, from, to, window, &err) != SP_OK) {
    fail_msg("%s: %s", err.file, err.message);
  }
}

static const char all_types[] =
    "bool,i8,i16,i32,i64,u8,u16,u32,u64,f32,f64,dec,big,s,bin,d,ms,us,ns,t,dur\n"
    "true,-128,-32768,-2147483648,-9223372036854775808,255,65535,4294967295,"
    "18446744073709551615,1.5,-1e300,123.45,-12345678901234567890123456789.01,x,y,"
    "1999-12-31,2020-01-02 03:04:05.678,2020-01-02 03:04:05.678901,"
    "2020-01-02 03:04:05.678901234,03:04:05,1500\n"
    ",,,,,,,,,,,,,,,,,,,,\n"
    "false,0,0,0,0,0,0,0,0,nan,inf,-0.01,0,\"\",\"\",0001-01-01,0001-01-01,0001-01-01,"
    "1970-01-01,00:00,-5\n";
static const char all_schema[] = "bool bool;i8 int8;i16 int16;i32 int32;i64 int64;u8 uint8;u16 uint16;u32 "
                                 "uint32;u64 uint64;f32 float32;f64 "
                                 "float64;dec decimal(9,2);big decimal(38,2);s string;bin binary;d date;ms "
                                 "datetime(ms);us datetime(us);ns "
                                 "datetime(ns);t time;dur duration(ms)";

/* Every type, with every separator, quote and null value that could be taken for a part of it. */
static void types(void **state) {
  world *w = *state;
  const char *from_path = world_put(w, "from.csv", all_types, sizeof all_types - 1),
             *to_path = world_path(w, "to.csv");
  sp_scan_spec from = csv_spec(&from_path), to = csv_spec(&to_path);
  from.schema = to.schema = schema_of(w, all_schema);
  const char *want = rows_of(w, &from);
  static const char separators[] = ",;\t|.-:0 Te", quotes[] = "\"'$";
  static const char *const nulls[] = {"", "NA", "0", "true", "-5", "255"};
  for (const char *s = separators; *s != '\0'; s++) {
    for (const char *q = quotes; *q != '\0'; q++) {
      for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        if (*s == *q || strchr(nulls[i], *s) != NULL || strchr(nulls[i], *q) != NULL) {
          continue;
        }
        copy(w, &from, (sp_sink_spec){.path = to_path, .separator = *s, .quote = *q, .null_value = nulls[i]},
             8192);
        to.separator = *s;
        to.quote = *q;
        to.null_values = &nulls[i];
        to.n_null_values = 1;
        const char *got = rows_of(w, &to);
        /* an empty field is null too, but the text of no value is empty */
        if (strcmp(got, want) != 0) {
          fail_msg("separator `%c`, quote `%c`, null `%s`:\n%s---\n%s", *s, *q, nulls[i], want, got);
        }
      }
    }
  }
}

/* Strings that are hard, alone in their column and beside others. */
static void strings(void **state) {
  world *w = *state;
  static const char two[] =
      "a,b\n,\"\"\n\"\",\n\" x\",\"x \"\n\"a,b\",\"a\nb\"\n\"\"\"\",\"a\"\"b\"\n\"\r\",\"a\r\nb\"\n"
      "NA,null\n\"\n\",\",\"\n\xc3\xa9,\"\xf0\x9f\x98\x80\"\nplain,\" \"\n"
      "\"\xef\xbb\xbf\",\"\xef\xbb\xbfx\"\n";
  static const char one[] = "a\n\n\"\"\n\nx\n\"\n\"\n\n";
  static const char *const texts[] = {two, one};
  static const char *const schemas[] = {"a string;b string", "a string"};
  for (size_t i = 0; i < 2; i++) {
    const char *from_path = world_put(w, "from.csv", texts[i], strlen(texts[i])),
               *to_path = world_path(w, "to.csv");
    sp_scan_spec from = csv_spec(&from_path), to = csv_spec(&to_path);
    from.schema = to.schema = schema_of(w, schemas[i]);
    const char *want = rows_of(w, &from);
    for (uint32_t window = 1; window <= 3; window++) {
      for (uint32_t header = 0; header < 2; header++) {
        copy(w, &from, (sp_sink_spec){.path = to_path, .no_header = header == 0}, window);
        to.has_header = header == 1;
        assert_string_equal(rows_of(w, &to), want);
      }
    }
  }
}

/* The very bytes, of which only those that must be are quoted. */
static void bytes(void **state) {
  world *w = *state;
  static const char in[] = "\"a b\",\"c,d\"\n1,x\n,\"\"\n2,\"it's \"\"so\"\"\"\n3.5,\"a;b\"\n";
  const char *from_path = world_put(w, "from.csv", in, sizeof in - 1), *to_path = world_path(w, "to.csv");
  const sp_scan_spec from = csv_spec(&from_path);
  copy(w, &from, (sp_sink_spec){.path = to_path}, 2);
  size_t n = 0;
  assert_string_equal(file_text(w, to_path, &n),
                      "a b,\"c,d\"\n1.0,x\n,\"\"\n2.0,\"it's \"\"so\"\"\"\n3.5,a;b\n");
  copy(w, &from, (sp_sink_spec){.path = to_path, .separator = ';', .quote = '\'', .null_value = "x"}, 2);
  assert_string_equal(file_text(w, to_path, &n), "a b;c,d\n1.0;'x'\nx;''\n2.0;'it''s \"so\"'\n3.5;'a;b'\n");
}

/* Columns of every encoding, under a selection. */
static void encodings(void **state) {
  world *w = *state;
  const sp_maker mk = {&w->mem, w->pool};
  const sp_type *str = sp_type_of(SP_KIND_STRING), *i64 = sp_type_of(SP_KIND_INT64);
  sp_column *dict = sp_column_flat(mk, str, 2, false);
  ((sp_view *)(void *)dict->values->data)[0] = sp_view_make("x", 1);
  ((sp_view *)(void *)dict->values->data)[1] = sp_view_make("a,b", 3);
  sp_buf *codes = sp_buf_new(w->pool, &w->mem, 16), *validity = sp_buf_new(w->pool, &w->mem, 4);
  memcpy(codes->data, (const uint32_t[]){1, 0, 0, 1}, 16);
  memcpy(validity->data, (const uint8_t[]){1, 1, 0, 1}, 4);
  const sp_value seven = sp_value_int(i64, 7);
  sp_batch *b = sp_batch_new(&w->mem, 5, 4);
  b->cols[0] = sp_column_dict(mk, dict, 0, codes, validity, 4);
  b->cols[1] = sp_column_const(mk, &seven, 4);
  b->cols[2] = sp_column_null(mk, i64, 4);
  b->cols[3] = sp_column_sequence(mk, i64, 100, -1, 4);
  b->cols[4] = sp_column_null(mk, sp_type_of(SP_KIND_NULL), 4);
  sp_column_unref(dict);
  sp_buf *sel = sp_buf_new(w->pool, &w->mem, 6);
  memcpy(sel->data, (const uint16_t[]){0, 2, 3}, 6);
  sp_batch *some = sp_batch_select(&w->mem, b, sel, 3);
  const char *path = world_path(w, "e.csv");
  const sp_sink_spec spec = {.format = sp_format_by_name(SP_SV("csv")),
                             .path = path,
                             .schema = schema_of(w, "a string;b int64;c int64;d int64;e null")};
  sp_writer *out = NULL;
  assert_int_equal(sp_writer_open(&spec, &w->mem, &out, NULL), SP_OK);
  assert_int_equal(write_batches(out, (sp_batch *const[]){b, some}, 2, mk, NULL), SP_OK);
  int64_t n_bytes = 0;
  assert_int_equal(sp_writer_commit(out, &n_bytes, NULL), SP_OK);
  sp_batch_unref(b);
  sp_batch_unref(some);
  size_t n = 0;
  assert_string_equal(file_text(w, path, &n),
                      "a,b,c,d,e\n\"a,b\",7,,100,\nx,7,,99,\n,7,,98,\n\"a,b\",7,,97,\n"
                      "\"a,b\",7,,100,\n,7,,98,\n\"a,b\",7,,97,\n");
  assert_int_equal(n_bytes, n);
}

/* Compressed by name or by suffix, in several members, and read back. */
static void compressed(void **state) {
  world *w = *state;
  sp_str text;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_add(&text, "n,s\n");
  for (uint32_t i = 0; i < 100000; i++) {
    sp_str_addf(&text, "%u,row %u of many\n", i, i * 7919u % 100000);
  }
  const char *from_path = world_put(w, "from.csv", text.p, text.n);
  sp_str_release(&text);
  const sp_scan_spec from = csv_spec(&from_path);
  const char *want = rows_of(w, &from);
  static const struct {
    const char *name, *codec;
    const char *magic;
  } cases[] = {{"a.csv.gz", NULL, "\x1f\x8b"},
               {"a.csv.zst", NULL, "\x28\xb5\x2f\xfd"},
               {"plain.csv", "gzip:1", "\x1f\x8b"},
               {"plain2.csv", "zstd:19", "\x28\xb5\x2f\xfd"},
               {"none.csv", "none", "n,s"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *path = world_path(w, cases[i].name);
    copy(w, &from, (sp_sink_spec){.path = path, .compression = cases[i].codec}, 30000);
    size_t n = 0;
    const char *got = file_text(w, path, &n);
    assert_memory_equal(got, cases[i].magic, strlen(cases[i].magic));
    assert_true(i == 4 || n < 1000000);
    const sp_scan_spec to = csv_spec(&path);
    assert_string_equal(rows_of(w, &to), want);
  }
  /* no rows and no header are a file that can be inflated, to nothing */
  const char *header_path = world_put(w, "header.csv", "a,b\n", 4), *path = world_path(w, "empty.csv.gz");
  const sp_scan_spec header = csv_spec(&header_path);
  copy(w, &header, (sp_sink_spec){.path = path, .no_header = true}, 10);
  sp_scan_spec to = csv_spec(&path);
  to.has_header = false;
  to.schema = schema_of(w, "a string");
  assert_string_equal(rows_of(w, &to), "");
}

/* What cannot be written is refused before there is a file. */
static void refusals(void **state) {
  world *w = *state;
  static const struct {
    sp_sink_spec spec;
    const char *message;
  } cases[] = {
      {{.separator = ';', .quote = ';'}, "separator and quote"},
      {{.separator = '\n'}, "separator and quote"},
      {{.quote = '\r'}, "separator and quote"},
      {{.quote = '1'}, "separator and quote"},
      {{.null_value = "a,b"}, "null value"},
      {{.null_value = "\""}, "null value"},
      {{.compression = "snappy"}, "`snappy` compresses no CSV file"},
      {{.compression = "gzip:10"}, "the level must be from 1 to 9"},
      {{.compression = "zstd:x"}, "the level must be from 1 to 22"},
      {{.compression = "none:1"}, "the level"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sp_sink_spec s = cases[i].spec;
    s.format = sp_format_by_name(SP_SV("csv"));
    s.path = world_path(w, "no.csv");
    s.schema = schema_of(w, "a string");
    sp_writer *out = NULL;
    sp_error e = SP_ERROR_INIT;
    assert_int_equal(sp_writer_open(&s, &w->mem, &out, &e), SP_INVALID);
    assert_non_null(strstr(e.message, cases[i].message));
    assert_string_equal(sp_path_base(e.file), "no.csv");
    assert_int_equal(world_files(w), 0);
  }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {TEST(types),     TEST(strings),    TEST(bytes),
                                     TEST(encodings), TEST(compressed), TEST(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
