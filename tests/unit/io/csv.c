/* Reading CSV: what is a field, a row, a null; what is wrong and where. */
#include "scan_file.h"

#include "base/json.h"
#include "data/text.h"
#include "io/formats/csv/csv.h"

#define ROWS(w, spec, text) csv_rows((w), (spec), NULL, (text), sizeof(text) - 1)
#define ERR(w, spec, text) csv_error((w), (spec), (text), sizeof(text) - 1)

static sp_scan_spec defaults(void) {
  return csv_spec(NULL);
}

/* All columns are strings. */
static sp_scan_spec strings(void) {
  sp_scan_spec s = csv_spec(NULL);
  s.infer_rows = 0;
  return s;
}

/* ---- csv-spectrum ---- */
/* A JSON list of objects as the rows that a scan of strings gives, in front of them the names. */
static void json_rows(world *w, const char *path, sp_str *out) {
  char *text;
  size_t n;
  const sp_json_doc *doc;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_file_read(&w->arena, path, 1 << 20, &text, &n, &err), SP_OK);
  if (sp_json_parse(&w->arena, path, text, n, &doc, &err) != SP_OK) {
    fail_msg("%s: %s", path, err.message);
  }
  const sp_json *first = doc->root->kind == SP_JSON_ARRAY ? doc->root->first : doc->root;
  for (const sp_json *v = first->first; v != NULL; v = v->next) {
    sp_str_addn(out, v->key.p, v->key.n);
    sp_str_addc(out, ',');
  }
  sp_str_addc(out, '\n');
  for (const sp_json *row = first; row != NULL; row = row->next) {
    for (const sp_json *v = row->first; v != NULL; v = v->next) {
      sp_str_addc(out, '[');
      sp_str_addn(out, v->str.p, v->str.n);
      sp_str_add(out, v->next != NULL ? "]|" : "]\n");
    }
  }
}

/* The CSV in the same form; the error's status where it cannot be read. */
static sp_status spectrum_rows(world *w, const char *path, sp_str *out) {
  sp_scan_spec spec = csv_spec(&path);
  spec.infer_rows = 0;
  sp_dataset *d = NULL;
  sp_error err = SP_ERROR_INIT;
  SP_TRY(sp_dataset_open(&spec, &w->mem, &d, &err));
  const sp_schema *s = sp_dataset_schema(d);
  for (uint32_t i = 0; i < s->n; i++) {
    sp_str_addn(out, s->fields[i].name.p, s->fields[i].name.n);
    sp_str_addc(out, ',');
  }
  sp_str_addc(out, '\n');
  const sp_status st = scan_dataset(d, (sp_maker){&w->mem, w->pool}, NULL, out, &err);
  sp_dataset_unref(d);
  return st;
}

static bool spectrum_equal(world *w, const char *name) {
  const char *csv = sp_arena_printf(&w->arena, "%s/csv/spectrum/csvs/%s.csv", SIGMAPI_TEST_DATA, name);
  const char *json = sp_arena_printf(&w->arena, "%s/csv/spectrum/json/%s.json", SIGMAPI_TEST_DATA, name);
  sp_str want, got;
  sp_str_init(&want, &w->mem, TEXT_MAX);
  sp_str_init(&got, &w->mem, TEXT_MAX);
  json_rows(w, json, &want);
  const sp_status st = spectrum_rows(w, csv, &got);
  const bool equal = st == SP_OK && sp_str_ok(&want) && sp_str_ok(&got) && strcmp(want.p, got.p) == 0;
  if (!equal) {
    print_message("%s: %s\n%s---\n%s", name, sp_status_text(st), want.p, got.p);
  }
  sp_str_release(&want);
  sp_str_release(&got);
  return equal;
}

/* The JSON of location_coordinates has another number than its CSV. */
static void spectrum(void **state) {
  static const char *const names[] = {"comma_in_quotes",
                                      "empty",
                                      "empty_crlf",
                                      "escaped_quotes",
                                      "json",
                                      "newlines",
                                      "newlines_crlf",
                                      "quotes_and_newlines",
                                      "simple",
                                      "simple_crlf",
                                      "utf8"};
  if (!sp_path_exists(SIGMAPI_TEST_DATA "/csv/spectrum/csvs")) {
    skip();
  }
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    assert_true(spectrum_equal(*state, names[i]));
  }
  assert_false(spectrum_equal(*state, "location_coordinates"));
}

/* ---- fields ---- */
static void fields(void **state) {
  static const struct {
    const char *text, *rows;
  } cases[] = {
      {"a,b\n1,2\n", "[1]|[2]\n"},
      {"a,b\n1,2", "[1]|[2]\n"},                         /* no line end */
      {"a,b\r\n1,2\r\n", "[1]|[2]\n"},                   /* CRLF */
      {"a,b\r\n1,2\r", "[1]|[2]\n"},                     /* half of one at the end */
      {"a,b\n1\r,2\n", "[1\r]|[2]\n"},                   /* a CR that ends no line is data */
      {"a,b\r1,2\r3,4\r", "[1]|[2]\n[3]|[4]\n"},         /* lone CRs */
      {"a,b\r1,\"x\ny\"\r3,4", "[1]|[x\ny]\n[3]|[4]\n"}, /* an LF inside quotes is data then */
      {"\xef\xbb\xbf"
       "a,b\n1,2\n",
       "[1]|[2]\n"},                                             /* byte order mark */
      {"\n\r\na,b\n\n1,2\n\r\n\n3,4\n\n", "[1]|[2]\n[3]|[4]\n"}, /* blank lines are no rows */
      {"a,b\n,\n", "-|-\n"},
      {"a,b\n\"\",\n", "[]|-\n"}, /* quoted and empty is no null */
      {"a,b\n,\"\"", "-|[]\n"},
      {"a,b\n\"\"\"\",\"\"\"x\"\"\"\n", "[\"]|[\"x\"]\n"},
      {"a,b\n\"x,y\",\"1\n2\"\n", "[x,y]|[1\n2]\n"},
      {"a,b\n\"x\r\ny\",z\r\n", "[x\r\ny]|[z]\n"},
      {"a,b\nx\"y,\"\"\n", "[x\"y]|[]\n"}, /* a quote inside a field is data */
      {"a,b\nx\"\",y\"\n5\",6\"\"\"\n", "[x\"\"]|[y\"]\n[5\"]|[6\"\"\"]\n"},
      {"a,b\n \"x\", y \n", "[ \"x\"]|[ y ]\n"}, /* spaces are data */
      {"a,b\nab\"c,d\n\"e\",f\n", "[ab\"c]|[d]\n[e]|[f]\n"},
      {"a\n1\n\n2\n", "[1]\n-\n[2]\n"}, /* one column: a blank line is a null */
      {"a\n\"\"\n", "[]\n"},
      {"a\n1\n\r\n", "[1]\n-\n"},
      {"a,b\n1,2\n\n", "[1]|[2]\n"},
      {"a,b\n1,\n", "[1]|-\n"}, /* the last empty field */
      {"a,b\n1,", "[1]|-\n"},
      {"a,b,c\n1,,\n", "[1]|-|-\n"},
      {"a,b\n", ""},
      {"a,b", ""},
      {"\"a\",\"b\"\"c\"\n1,2\n", "[1]|[2]\n"},
      {"a,b\n\xc3\xa9,\xf0\x9f\x98\x80\n", "[\xc3\xa9]|[\xf0\x9f\x98\x80]\n"},
      {"a,b\n123456789012,1234567890123\n", "[123456789012]|[1234567890123]\n"}, /* inline and not */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *rows = csv_rows(*state, strings(), NULL, cases[i].text, strlen(cases[i].text));
    assert_string_equal(rows, cases[i].rows);
  }
  assert_string_equal(ROWS(*state, strings(), "a,b\n\0x,\0\n"), "["); /* as far as a C string shows */
}

static void dialects(void **state) {
  sp_scan_spec s = strings();
  s.separator = ';';
  s.quote = '\'';
  assert_string_equal(ROWS(*state, s, "a;b\n'x;y';\"z\"\n'it''s';,\n"), "[x;y]|[\"z\"]\n[it's]|[,]\n");
  s.separator = '\t';
  s.quote = 0; /* quotes are data */
  assert_string_equal(ROWS(*state, s, "a\tb\n\"x\t\"\"y\n"), "[\"x]|[\"\"y]\n");
  s.separator = '|';
  s.has_header = false;
  assert_string_equal(ROWS(*state, s, "1|2\n3|4\n"), "[1]|[2]\n[3]|[4]\n");
  static const char bad[][2] = {{',', ','},  {'\n', '"'},       {',', '\r'},
                                {'\0', '"'}, {(char)0xe9, '"'}, {',', '-'}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    s.separator = bad[i][0];
    s.quote = bad[i][1];
    assert_int_equal(ERR(*state, s, "1|2\n").status, SP_INVALID);
  }
}

static void nulls(void **state) {
  static const char *const texts[] = {"NA", "null", "-"};
  sp_scan_spec s = strings();
  s.null_values = texts;
  s.n_null_values = 3;
  assert_string_equal(ROWS(*state, s, "a,b\nNA,\"NA\"\nnull,NAN\n-,--\nN,\n"),
                      "-|[NA]\n-|[NAN]\n-|[--]\n[N]|-\n");
  s.infer_rows = 1; /* behind the sample: no number is empty, quoted or not */
  assert_string_equal(ROWS(*state, s, "a,b\n1,2\n3,\"\"\n"), "1|2\n3|-\n");
  s.infer_rows = 100; /* they do not hide a type either */
  assert_string_equal(ROWS(*state, s, "a,b\n1,NA\nnull,2020-02-03\n-,\n"), "1|-\n-|2020-02-03\n-|-\n");
  char longer[101];
  memset(longer, 'x', 100);
  longer[100] = '\0';
  const char *const long_null[] = {longer};
  s.null_values = long_null;
  s.n_null_values = 1;
  const char *text =
      sp_arena_printf(&((world *)*state)->arena, "a,b\n1,%s\n%s,%sx\n", longer, longer, longer);
  const char *rows = sp_arena_printf(&((world *)*state)->arena, "1|-\n-|[%sx]\n", longer);
  assert_string_equal(csv_rows(*state, s, NULL, text, strlen(text)), rows);
}

/* ---- ragged rows ---- */
static void ragged(void **state) {
  static const char text[] = "a,b,c\n1,2\n3,4,5\n\n6\n7,8,9,10,11\n";
  sp_scan_spec s = strings();
  s.ragged = SP_RAGGED_TRUNCATE;
  assert_string_equal(ROWS(*state, s, text), "[1]|[2]|-\n[3]|[4]|[5]\n[6]|-|-\n[7]|[8]|[9]\n");
  s.ragged = SP_RAGGED_NULL;
  sp_error e = ERR(*state, s, text);
  assert_int_equal(e.status, SP_DATA);
  assert_int_equal(e.line, 6);
  assert_int_equal(e.col, 7);
  assert_non_null(strstr(e.message, "5 fields, expected 3; the first surplus one is `10,11`"));
  s.ragged = SP_RAGGED_ERROR;
  e = ERR(*state, s, text);
  assert_int_equal(e.status, SP_DATA);
  assert_int_equal(e.line, 2);
  assert_non_null(strstr(e.message, "2 fields, expected 3"));
  assert_non_null(strstr(e.hint, "ragged"));
  assert_string_equal(sp_path_base(e.file), "t.csv");
}

/* ---- what is wrong, and where ---- */
static void places(void **state) {
  static const struct {
    const char *text;
    uint32_t line, col;
    const char *message;
  } cases[] = {
      {"a,b\n1,2\n3,x\n", 3, 3, "column `b`: `x` is not int64"},
      {"a,b\r\n1,2\r\n3,x\r\n", 3, 3, "`x` is not int64"},
      {"a,b\r1,2\r3,x\r", 3, 3, "`x` is not int64"},
      {"a,b\n\n\n1,2\n\"3\",\"x\"\n", 5, 6, "`x` is not int64"},
      {"\xef\xbb\xbf"
       "a,b\n1,2\nx,3\n",
       3, 1, "`x` is not int64"},
      {"a,b\n1,2\n3,\"x\"\n", 3, 4, "`x` is not int64"},
      {"a,b\n1,2\n3,\"4\n5\"\n6,7\n", 3, 4, "`4 5` is not int64"},
      {"a,b\n1,\"2\"\n\"\n\",3\n", 3, 2, "is not int64"},
      {"a,b\n1,2\n1,2,3\n", 3, 5, "3 fields, expected 2; the first surplus one is `3`"},
      {"a,b\n1,2\n\"1\"x,3\n", 3, 4, "text behind the closing quote of field 1: `x,3`"},
      {"a,b\n1,2\n3,\"4\n\n", 3, 3, "the quoted field that starts here is never closed"},
      {"a,b\n1,2\n3,\"", 3, 3, "never closed"},
      {"a,b\n1,2\n3,\"4\"\r5\n", 3, 6, "text behind the closing quote of field 2"},
      {"a,b\n1,2\n3,\"4\"\"\n", 3, 3, "never closed"},
      {"a,\"b\nc,d\n", 1, 3, "never closed"},
      {"a,\"b\"c\n", 1, 6, "text behind the closing quote of field 2: `c`"},
  };
  world *w = *state;
  sp_scan_spec s = defaults();
  s.infer_rows = 1; /* so that the rest may misfit */
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const sp_error e = csv_error(w, s, cases[i].text, strlen(cases[i].text));
    if (e.status != SP_DATA || e.line != cases[i].line || e.col != cases[i].col ||
        strstr(e.message, cases[i].message) == NULL || strcmp(sp_path_base(e.file), "t.csv") != 0) {
      fail_msg("case %zu: %s:%u:%u: %s", i, e.file, e.line, e.col, e.message);
    }
  }
}

/* Invalid UTF-8 is an error in a string column that is read, and nowhere else. */
static void encodings(void **state) {
  world *w = *state;
  sp_error e = ERR(w, strings(), "a,b\n1,2\n3,caf\xe9\n");
  assert_int_equal(e.status, SP_DATA);
  assert_int_equal(e.line, 3);
  assert_int_equal(e.col, 3);
  assert_non_null(strstr(e.message, "column `b`: the text is not valid UTF-8"));
  const uint32_t only_a = 0;
  assert_string_equal(
      csv_rows(w, strings(), &(scan_how){.n_columns = 1, .columns = &only_a}, "a,b\n1,\xff\n", 8), "[1]\n");
  sp_scan_spec s = strings();
  s.schema = schema_of(w, "a int64;b binary");
  assert_string_equal(ROWS(w, s, "a,b\n3,caf\xe9\n"), "3|[caf\xe9]\n");
  e = ERR(w, strings(), "a\xff,b\n1,2\n");
  assert_non_null(strstr(e.message, "name of column 1 is not valid UTF-8"));
  e = ERR(w, strings(),
          "\xff\xfe"
          "a\0b\0");
  assert_non_null(strstr(e.message, "UTF-16"));
}

static void empty_files(void **state) {
  world *w = *state;
  sp_scan_spec s = defaults();
  assert_non_null(strstr(ERR(w, s, "").message, "the file is empty: it has no header"));
  assert_non_null(strstr(ERR(w, s, "\n\r\n").message, "empty"));
  assert_non_null(strstr(ERR(w, s, "\xef\xbb\xbf").message, "empty"));
  s.has_header = false;
  assert_non_null(strstr(ERR(w, s, "").message, "it has no columns"));
  s.schema = schema_of(w, "x int64;y string"); /* it says what there would be */
  assert_string_equal(ROWS(w, s, ""), "");
  s.has_header = true;
  assert_string_equal(ROWS(w, s, ""), "");
}

/* ---- a given schema ---- */
static void schemas(void **state) {
  world *w = *state;
  sp_scan_spec s = defaults();
  s.schema = schema_of(w, "b decimal(9,2);a int16"); /* by name, in its own order; c is not read */
  assert_string_equal(ROWS(w, s, "a,b,c\n1,2.5,x\n-3,1,\n,,\n"), "2.50|1\n1.00|-3\n-|-\n");
  sp_error e = ERR(w, s, "a,c\n1,2\n");
  assert_int_equal(e.status, SP_NOT_FOUND);
  assert_non_null(strstr(e.message, "unknown column `b`"));
  e = ERR(w, s, "a,b\n1,2\n40000,2\n");
  assert_non_null(strstr(e.message, "`40000` is not int16"));
  s.has_header = false; /* by place */
  assert_string_equal(ROWS(w, s, "1.25,7,x\n"), "1.25|7\n");
  e = ERR(w, s, "1.25\n");
  assert_non_null(strstr(e.message, "unknown column `a`"));
}

static void names(void **state) {
  world *w = *state;
  const char *path = world_put(w, "n.csv", "id,,\"a \"\"b\"\"\",column_9\n1,2,3,4\n", 32);
  sp_scan_spec s = csv_spec(&path);
  sp_dataset *d = NULL;
  assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
  const sp_schema *have = sp_dataset_schema(d);
  static const char *const want[] = {"id", "column_2", "a \"b\"", "column_9"};
  assert_int_equal(have->n, 4);
  for (uint32_t i = 0; i < 4; i++) {
    assert_string_equal(have->fields[i].name.p, want[i]);
  }
  sp_dataset_unref(d);
  const sp_error e = ERR(w, s, "a,b,a\n1,2,3\n");
  assert_int_equal(e.status, SP_INVALID);
  assert_non_null(strstr(e.message, "duplicate"));
  assert_int_equal(e.line, 1);
}

/* ---- values of every type ---- */
static void types(void **state) {
  static const struct {
    const char *type, *good, *rows, *bad;
  } cases[] = {
      {"bool", "true\nFALSE\n", "true\nfalse\n", "1"},
      {"int8", "-128\n127\n", "-128\n127\n", "128"},
      {"int32", "-2147483648\n+7\n", "-2147483648\n7\n", "2147483648"},
      {"int64", "-9223372036854775808\n9223372036854775807\n-0\n1234567890123456\n12345678901234567\n007\n",
       "-9223372036854775808\n9223372036854775807\n0\n1234567890123456\n12345678901234567\n7\n",
       "9223372036854775808"},
      {"int64", "1\n12\n123\n1234\n12345678\n123456789\n", "1\n12\n123\n1234\n12345678\n123456789\n", "-"},
      {"int64", "1\n", "1\n", "1 "},
      {"int64", "1\n", "1\n", "1a"},
      {"int64", "1\n", "1\n", "12:4567890"},
      {"uint64", "18446744073709551615\n", "18446744073709551615\n", "-1"},
      {"float64",
       "1\n-0.5\n.5\n5.\n1e300\n-1.5E-3\n12345678.25\n123456789012345.5\n9007199254740993\ninf\nNaN\n",
       "1.0\n-0.5\n0.5\n5.0\n1e300\n-0.0015\n12345678.25\n123456789012345.5\n9007199254740992.0\ninf\nNaN\n",
       "."},
      {"float64", "104949.50\n0.04\n-901.1\n", "104949.5\n0.04\n-901.1\n", "1.2.3"},
      {"float64", "7\n", "7.0\n", "-"},
      {"float32", "0.5\n", "0.5\n", "x"},
      {"decimal(9,2)", "1\n-1.5\n.25\n9999999.99\n", "1.00\n-1.50\n0.25\n9999999.99\n", "10000000"},
      {"decimal(18,0)", "123456789012345678\n-1\n", "123456789012345678\n-1\n", "1234567890123456789"},
      {"decimal(38,10)", "1.5\n", "1.5000000000\n", "x"},
      {"date", "0001-01-01\n1969-12-31\n2000-02-29\n2024-12-31\n9999-12-31\n",
       "0001-01-01\n1969-12-31\n2000-02-29\n2024-12-31\n9999-12-31\n", "1900-02-29"},
      {"date", "2024-02-28\n", "2024-02-28\n", "2024-13-01"},
      {"date", "2024-02-28\n", "2024-02-28\n", "2024-00-01"},
      {"date", "2024-02-28\n", "2024-02-28\n", "2024-01-00"},
      {"date", "2024-02-28\n", "2024-02-28\n", "2024-04-31"},
      {"date", "2024-02-28\n", "2024-02-28\n", "2024/04/30"},
      {"date", "2024-02-28\n", "2024-02-28\n", "0000-04-30"},
      {"date", "2024-02-28\n", "2024-02-28\n", "2024-1a-30"},
      {"datetime(us)", "2020-01-02\n2020-01-02 03:04:05.678901\n",
       "2020-01-02T00:00:00\n2020-01-02T03:04:05.678901\n", "2020-01-02 25:00"},
      {"time", "03:04:05\n", "03:04:05\n", "3"},
      {"duration(ms)", "1500\n", "1.5s\n", "x"},
      {"null", "\n", "-\n", "x"},
  };
  world *w = *state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sp_scan_spec s = defaults();
    s.schema = schema_of(w, sp_arena_printf(&w->arena, "a %s", cases[i].type));
    const char *good = sp_arena_printf(&w->arena, "a\n%s", cases[i].good);
    assert_string_equal(csv_rows(w, s, NULL, good, strlen(good)), cases[i].rows);
    const char *bad = sp_arena_printf(&w->arena, "a\n%s%s\n", cases[i].good, cases[i].bad);
    const sp_error e = csv_error(w, s, bad, strlen(bad));
    if (e.status != SP_DATA || strstr(e.message, cases[i].type) == NULL) {
      fail_msg("%s: `%s`: %s", cases[i].type, cases[i].bad, e.message);
    }
  }
}

/* Every date of 400 years and some, the quick way and by the calendar. */
static void dates(void **state) {
  world *w = *state;
  sp_str text, want;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_init(&want, &w->mem, TEXT_MAX);
  sp_str_add(&text, "d\n");
  for (int32_t day = -200000; day < 200000; day += 1) {
    char out[SP_TEXT_MAX];
    const uint32_t n = sp_format_date(day, out);
    sp_str_addn(&text, out, n);
    sp_str_addn(&want, out, n);
    sp_str_addc(&text, '\n');
    sp_str_addc(&want, '\n');
  }
  assert_string_equal(csv_rows(w, defaults(), NULL, text.p, text.n), want.p);
  sp_str_release(&text);
  sp_str_release(&want);
}

/* ---- selections ---- */
/* Rows that are not selected are not converted: what is wrong in them does not matter. */
static void selections(void **state) {
  sp_scan_spec s = defaults();
  s.infer_rows = 1;
  static const char text[] = "a,b\n1,x\nbad,\"y\"\"\"\n3,\n4,\xff\n5,a string of more than twelve\n6,w\n";
  const char *rows = csv_rows(*state, s, &(scan_how){.every = 2}, text, sizeof text - 1);
  assert_string_equal(rows, "1|[x]\n3|-\n5|[a string of more than twelve]\n");
}

/* Long strings of few rows are copies: the text of the range is not kept for them. */
static void kept_text(void **state) {
  world *w = *state;
  sp_str text;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_add(&text, "a,b\n");
  for (uint32_t i = 0; i < 1000; i++) {
    sp_str_addf(&text, "%u,this string has more than twelve bytes %u\n", i, i);
  }
  const char *path = world_put(w, "k.csv", text.p, text.n);
  sp_str_release(&text);
  sp_scan_spec s = csv_spec(&path);
  for (uint32_t every = 1; every <= 100; every *= 10) {
    sp_dataset *d = NULL;
    assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
    const uint32_t b = 1;
    const sp_scan_request r = {.n_columns = 1, .columns = &b, .workers = 1};
    assert_int_equal(sp_dataset_plan(d, &r, NULL), SP_OK);
    sp_cursor_scratch *scratch = NULL;
    sp_cursor *c = NULL;
    assert_int_equal(sp_cursor_open(d, 0, (sp_maker){&w->mem, NULL}, &scratch, &c, NULL), SP_OK);
    uint32_t n = 0, n_sel = 0;
    uint16_t sel[1000];
    assert_int_equal(sp_cursor_next(c, 1000, &n, NULL), SP_OK);
    for (uint32_t i = 0; i < n; i += every) {
      sel[n_sel++] = (uint16_t)i;
    }
    sp_column *col = NULL;
    assert_int_equal(sp_cursor_read(c, b, sel, n_sel, &col, NULL), SP_OK);
    sp_cursor_close(c);
    sp_cursor_scratch_free(scratch);
    sp_dataset_unref(d);
    assert_int_equal(col->n_heaps, 1);
    assert_true(every == 1 ? col->heaps[0]->size > 40000 : col->heaps[0]->size < 6000);
    const sp_value v = sp_column_value(col, 900);
    assert_string_equal(sp_arena_strndup(&w->arena, v.s.p, v.s.n),
                        "this string has more than twelve bytes 900");
    sp_column_unref(col);
  }
}

/* ---- compressed files ---- */
static void compressed(void **state) {
  static const char *const names[] = {"simple.csv.gz", "members.csv.gz", "simple.csv.zst", "frames.csv.zst"};
  static const char *const rows = "1|[x]\n2|[y]\n3|[z]\n4|[w]\n";
  /* "a,b\n1,x\n2,y\n3,z\n4,w\n": in one piece, and in two that were put together */
  static const uint8_t gz[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                               0x4b, 0xd4, 0x49, 0xe2, 0x32, 0xd4, 0xa9, 0xe0, 0x32, 0xd2,
                               0xa9, 0xe4, 0x32, 0xd6, 0xa9, 0xe2, 0x32, 0xd1, 0x29, 0xe7,
                               0x02, 0x00, 0x18, 0xb4, 0xe4, 0xe4, 0x14, 0x00, 0x00, 0x00},
                       gz2[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xd4,
                                0x49, 0xe2, 0x32, 0xd4, 0xa9, 0xe0, 0x32, 0xd2, 0xa9, 0xe4, 0x02, 0x00,
                                0xc2, 0x96, 0x7e, 0x9d, 0x0c, 0x00, 0x00, 0x00, 0x1f, 0x8b, 0x08, 0x00,
                                0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x33, 0xd6, 0xa9, 0xe2, 0x32, 0xd1,
                                0x29, 0xe7, 0x02, 0x00, 0x44, 0x38, 0xc1, 0x48, 0x08, 0x00, 0x00, 0x00},
                       zst[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x14, 0xa1, 0x00, 0x00, 0x61,
                                0x2c, 0x62, 0x0a, 0x31, 0x2c, 0x78, 0x0a, 0x32, 0x2c, 0x79,
                                0x0a, 0x33, 0x2c, 0x7a, 0x0a, 0x34, 0x2c, 0x77, 0x0a},
                       zst2[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x0c, 0x61, 0x00, 0x00, 0x61, 0x2c, 0x62, 0x0a,
                                 0x31, 0x2c, 0x78, 0x0a, 0x32, 0x2c, 0x79, 0x0a, 0x28, 0xb5, 0x2f, 0xfd, 0x20,
                                 0x08, 0x41, 0x00, 0x00, 0x33, 0x2c, 0x7a, 0x0a, 0x34, 0x2c, 0x77, 0x0a};
  const uint8_t *const bytes[] = {gz, gz2, zst, zst2};
  const size_t sizes[] = {sizeof gz, sizeof gz2, sizeof zst, sizeof zst2};
  world *w = *state;
  for (size_t i = 0; i < 4; i++) {
    const char *path = world_put(w, names[i], (const char *)bytes[i], sizes[i]);
    const sp_scan_spec s = csv_spec(&path);
    sp_str out;
    sp_str_init(&out, &w->mem, TEXT_MAX);
    sp_error err = SP_ERROR_INIT;
    if (scan_rows(&w->mem, w->pool, &s, NULL, &out, &err) != SP_OK) {
      fail_msg("%s: %s", names[i], err.message);
    }
    assert_string_equal(out.p, rows);
    for (size_t cut = 1; cut < sizes[i]; cut++) { /* a cut file is never taken for a whole one */
      sp_str_clear(&out);
      memset(&err, 0, sizeof err);
      (void)world_put(w, names[i], (const char *)bytes[i], cut);
      const sp_status st = scan_rows(&w->mem, w->pool, &s, NULL, &out, &err);
      assert_true(st == SP_DATA || ((i == 1 || i == 3) && strcmp(out.p, "1|[x]\n2|[y]\n") == 0));
    }
    sp_str_release(&out);
  }
}

/* ---- files that are not to be read ---- */
static void bad_files(void **state) {
  world *w = *state;
  const char *path = world_put(w, "real.csv", "a,b\n1,2\n", 8);
  const char *missing = world_path(w, "reel.csv");
  sp_scan_spec s = csv_spec(&missing);
  sp_dataset *d = NULL;
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_dataset_open(&s, &w->mem, &d, &e), SP_NOT_FOUND);
  assert_non_null(strstr(e.hint, "real.csv"));
  const char *fifo = world_path(w, "fifo.csv");
  assert_int_equal(mkfifo(fifo, 0600), 0);
  s.paths = &fifo;
  e = SP_ERROR_INIT;
  assert_int_equal(sp_dataset_open(&s, &w->mem, &d, &e), SP_IO);
  assert_non_null(strstr(e.message, "not a regular file"));
  s.paths = &path; /* it grows between planning and reading */
  e = SP_ERROR_INIT;
  assert_int_equal(sp_dataset_open(&s, &w->mem, &d, &e), SP_OK);
  const uint32_t columns[] = {0, 1};
  const sp_scan_request r = {.n_columns = 2, .columns = columns, .workers = 1};
  assert_int_equal(sp_dataset_plan(d, &r, &e), SP_OK);
  (void)world_put(w, "real.csv", "a,b\n1,2\n3,4\n", 12);
  sp_str out;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  assert_int_equal(scan_planned(d, &r, (sp_maker){&w->mem, NULL}, &(scan_how){0}, &out, &e), SP_IO);
  assert_non_null(strstr(e.message, "has changed"));
  sp_str_release(&out);
  sp_dataset_unref(d);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {TEST(spectrum),   TEST(fields),    TEST(dialects),   TEST(nulls),
                                     TEST(ragged),     TEST(places),    TEST(encodings),  TEST(empty_files),
                                     TEST(schemas),    TEST(names),     TEST(types),      TEST(dates),
                                     TEST(selections), TEST(kept_text), TEST(compressed), TEST(bad_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
