/* The Parquet reader against files of many writers, each with its rows as JSON: every readable column of
 * every file must be equal, for several sizes of windows, and what cannot be read must be named. */
#include "parquet_file.h"

#include <math.h>

#include "base/json.h"

#define DIR_OF_FILES SIGMAPI_TEST_DATA "/parquet/hyparquet"

typedef struct expected {
  const sp_json *rows;    /* array of arrays */
  const sp_json **by_row; /* its elements */
  uint32_t n_rows;
  uint32_t place[FILE_COLUMNS]; /* of readable columns in the file, nested ones counted */
} expected;

static sp_status differ(const file *f, uint32_t column, int64_t row, const char *got, const sp_json *want,
                        sp_error *err) {
  SP_FAIL(err, SP_INTERNAL, NULL, "column `%s` row %lld: got %s, expected %s (%.*s)",
          f->source->schema->fields[column].name.p, (long long)row, got,
          want != NULL ? sp_json_kind_name(want->kind) : "none",
          want != NULL && want->str.p != NULL && want->str.n < 100 ? (int)want->str.n : 0,
          want != NULL && want->str.p != NULL ? want->str.p : "");
}

static bool same_bytes(sp_sv s, const sp_json *j) {
  if (j->kind == SP_JSON_STRING) {
    if (s.n == 16 && j->str.n == 36) { /* a uuid */
      char text[37];
      uint32_t k = 0;
      for (uint32_t i = 0; i < 16; i++) {
        k += (uint32_t)snprintf(text + k, sizeof text - k, "%s%02x",
                                i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", (uint8_t)s.p[i]);
      }
      return memcmp(text, j->str.p, 36) == 0;
    }
    return sp_sv_eq(s, j->str);
  }
  if (j->kind == SP_JSON_ARRAY) {
    size_t i = 0;
    for (const sp_json *e = j->first; e != NULL; e = e->next, i++) {
      if (i >= s.n || e->kind != SP_JSON_INT || e->i != (uint8_t)s.p[i]) {
        return false;
      }
    }
    return i == s.n;
  }
  return false;
}

static double json_number(const sp_json *j) {
  return j->kind == SP_JSON_INT ? (double)j->i : j->kind == SP_JSON_UINT ? (double)j->u : j->num;
}

static bool same_number(double v, const sp_json *j, bool exact) {
  if (j->kind == SP_JSON_NULL) {
    return isnan(v);
  }
  if (j->kind != SP_JSON_INT && j->kind != SP_JSON_UINT && j->kind != SP_JSON_NUMBER) {
    return false;
  }
  const double w = json_number(j);
  return v == w || (!exact && fabs(v - w) <= 1e-13 * fabs(w));
}

/* Instants were written by JavaScript, in milliseconds. */
static bool same_instant(int64_t v, int64_t per_second, const sp_json *j) {
  int64_t ms;
  if (j->kind != SP_JSON_STRING || !sp_parse_datetime(j->str, SP_UNIT_MS, &ms)) {
    return false;
  }
  const int64_t per_ms = per_second / 1000;
  return (v - ((v % per_ms) + per_ms) % per_ms) / per_ms == ms;
}

static bool same_int(const sp_value *v, const sp_json *j) {
  char text[SP_TEXT_MAX];
  const bool is_unsigned = v->type->family == SP_FAMILY_UNSIGNED;
  const uint32_t n = is_unsigned ? sp_format_u64(v->u, text) : sp_format_i64(v->i, text);
  if (j->kind == SP_JSON_STRING) {
    return sp_sv_eq((sp_sv){text, n}, j->str);
  }
  return same_number(is_unsigned ? (double)v->u : (double)v->i, j, true);
}

static bool same(const sp_value *v, const sp_json *j) {
  if (v->is_null) {
    return j->kind == SP_JSON_NULL;
  }
  const sp_kind k = v->type->kind;
  if (k == SP_KIND_BOOL) {
    return j->kind == SP_JSON_BOOL && j->b == v->b;
  }
  if (k == SP_KIND_FLOAT32 || k == SP_KIND_FLOAT64) {
    return same_number(v->f, j, true);
  }
  if (k == SP_KIND_DECIMAL) {
    return same_number(sp_decimal_to_f64(sp_value_i128(v), v->type->scale), j, false);
  }
  if (k == SP_KIND_DATE) {
    return same_instant(v->i * 86400000, 1000, j);
  }
  if (k == SP_KIND_DATETIME) {
    return same_instant(v->i, sp_unit_per_second(v->type->unit), j);
  }
  return sp_type_is_bytes(v->type) ? same_bytes(v->s, j) : same_int(v, j);
}

static sp_status compare(void *ctx, const file *f, uint32_t column, int64_t first, const sp_column *c,
                         sp_error *err) {
  const expected *e = ctx;
  for (uint32_t i = 0; i < c->length; i++) {
    const int64_t row = first + i;
    if (row >= e->n_rows) {
      SP_FAIL(err, SP_INTERNAL, NULL, "more rows than the %u expected", e->n_rows);
    }
    const sp_json *j = e->by_row[row]->first;
    for (uint32_t k = 0; k < e->place[column] && j != NULL; k++) {
      j = j->next;
    }
    const sp_value v = sp_column_value(c, i);
    if (j == NULL || !same(&v, j)) {
      char text[300] = "null";
      sp_str s;
      sp_str_init(&s, (sp_mem *)(uintptr_t)&f->mem, 200);
      if (!v.is_null) {
        sp_value_text(&v, &s);
        snprintf(text, sizeof text, "%s", s.p);
      }
      sp_str_release(&s);
      return differ(f, column, row, text, j, err);
    }
  }
  return SP_OK;
}

/* Where the readable columns stand among all top-level columns of the file. */
static void places(const file *f, expected *e) {
  const sp_pq_source *s = (const sp_pq_source *)f->source;
  uint32_t at = 1, readable = 0;
  for (int32_t top = 0; top < s->meta.elements[0].n_children; top++) {
    const uint32_t start = at;
    for (int64_t pending = 1; pending > 0; pending--, at++) {
      pending += s->meta.elements[at].n_children > 0 ? s->meta.elements[at].n_children : 0;
    }
    if (readable < f->n_columns &&
        sp_sv_eq(s->meta.elements[start].name, f->source->schema->fields[readable].name)) {
      e->place[readable++] = (uint32_t)top;
    }
  }
  assert_int_equal(readable, f->n_columns);
}

static const sp_json_doc *read_json(sp_arena *a, const char *dir, const char *name) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s.json", dir, name);
  sp_error err = SP_ERROR_INIT;
  char *text = NULL;
  size_t n = 0;
  const sp_json_doc *doc = NULL;
  if (sp_file_read(a, path, (size_t)1 << 26, &text, &n, &err) != SP_OK ||
      sp_json_parse(a, path, text, n, &doc, &err) != SP_OK) {
    fail_msg("%s: %s", path, err.message);
  }
  return doc;
}

/* true when all readable columns are equal for this window. */
static bool equal_file(const char *name, uint32_t window, sp_arena *a, uint32_t *ret_unreadable) {
  const sp_json_doc *doc = read_json(a, DIR_OF_FILES, name);
  expected *e = SP_ARENA_NEW(a, expected);
  e->rows = doc->root;
  e->n_rows = doc->root->n;
  e->by_row = SP_ARENA_ARRAY(a, const sp_json *, (size_t)e->n_rows + 1);
  uint32_t k = 0;
  for (const sp_json *r = doc->root->first; r != NULL; r = r->next) {
    e->by_row[k++] = r;
  }
  char path[600];
  snprintf(path, sizeof path, "%s/%s.parquet", DIR_OF_FILES, name);
  file f;
  sp_error err = SP_ERROR_INIT;
  sp_status st = file_open(&f, path, &err);
  if (st == SP_OK) {
    places(&f, e);
    *ret_unreadable = f.source->n_unreadable;
    for (uint32_t i = 0; i < f.source->n_unreadable; i++) {
      assert_true(f.source->unreadable[i].name.n > 0);
      assert_true(f.source->unreadable[i].why.n > 0);
    }
    if (f.source->rows != e->n_rows && f.n_columns > 0) {
      st = sp_error_set(&err, SP_INTERNAL, NULL, "%lld rows instead of %u", (long long)f.source->rows,
                        e->n_rows);
    }
  }
  if (st == SP_OK) {
    st = file_read(&f, window, INT64_MAX, compare, e, &err);
  }
  if (st != SP_OK) {
    print_message("%s (windows of %u): %s\n", name, window, err.message);
  }
  file_close(&f);
  return st == SP_OK;
}

static void files_equal_their_json(void **state) {
  (void)state;
  DIR *d = opendir(DIR_OF_FILES);
  if (d == NULL) {
    skip();
  }
  static const uint32_t windows[] = {8192, 1000, 7, 1};
  uint32_t flat = 0, flat_equal = 0, nested = 0, nested_equal = 0;
  for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
    const size_t n = strlen(e->d_name);
    if (n < 9 || strcmp(e->d_name + n - 8, ".parquet") != 0) {
      continue;
    }
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)(n - 8), e->d_name);
    uint32_t equal = 0, unreadable = 0;
    for (uint32_t w = 0; w < 4; w++) {
      sp_mem mem;
      sp_mem_init(&mem, NULL, "json");
      sp_arena a;
      sp_arena_init(&a, &mem);
      equal += equal_file(name, windows[w], &a, &unreadable);
      sp_arena_release(&a);
      sp_mem_release(&mem);
    }
    flat += unreadable == 0;
    flat_equal += unreadable == 0 && equal == 4;
    nested += unreadable > 0;
    nested_equal += unreadable > 0 && equal == 4;
  }
  closedir(d);
  print_message("flat files equal: %u of %u; files with nested columns, the rest of them equal: %u of %u\n",
                flat_equal, flat, nested_equal, nested);
  assert_int_equal(flat, 39);
  assert_int_equal(flat_equal, 38);           /* geospatial's JSON has objects where the file has bytes */
  assert_int_equal(nested_equal, nested - 1); /* geoparquet's likewise */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(files_equal_their_json)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
