/* Files cut everywhere: ranges of 1, 2, 3, … bytes, windows of 1, 2, 3, … rows, ranges read in any order, and
 * all of it against a reader that is too simple to be wrong. */
#include "scan_file.h"

#include "base/thread.h"
#include "io/formats/csv/csv.h"

/* ---- the simple reader ---- */
/* Rows of strings as scan_rows gives them, read byte by byte. The text has a header and no errors. */
static void simple_rows(const char *p, size_t n, uint32_t n_fields, sp_str *out) {
  const char *end = p + n;
  bool header = true;
  while (p < end) {
    if (n_fields > 1 && (*p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n'))) { /* a blank line */
      p += *p == '\r' ? 2 : 1;
      continue;
    }
    for (uint32_t field = 0;; field++) {
      sp_str text;
      sp_str_init(&text, out->mem, TEXT_MAX);
      const bool quoted = p < end && *p == '"';
      if (quoted) {
        for (p++; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++) {
          p += *p == '"';
          sp_str_addc(&text, *p);
        }
        p++;
        p += p < end && *p == '\r';
      } else {
        while (p < end && *p != ',' && *p != '\n' && !(*p == '\r' && (p + 1 == end || p[1] == '\n'))) {
          sp_str_addc(&text, *p++);
        }
        p += p < end && *p == '\r';
      }
      if (!header) {
        sp_str_add(out, field > 0 ? "|" : "");
        sp_str_addf(out, !quoted && text.n == 0 ? "-" : "[%s]", text.p);
      }
      sp_str_release(&text);
      if (p >= end || *p == '\n') {
        p++;
        break;
      }
      p++;
    }
    if (!header) {
      sp_str_addc(out, '\n');
    }
    header = false;
  }
}

static const struct {
  const char *text;
  uint32_t n_fields;
} nasty[] = {
    {"a,b\n1,2\n3,4\n", 2},
    {"a,b\n\"x\ny\",\"\"\"\"\n\n\"\n\n\",z\n1,\"\n\"", 2},
    {"a,b\r\n\"x\r\ny\",\"a,\"\"\r\n\"\"\"\r\n\r\n,\"\"\r\nq\"q,\"\"\"\"\"\"\r\n1,2", 2},
    {"a,b,c\n\",\n,\",\"\"\"\n\"\"\",\n,,\n\"\",,\"\"\n5\",6\"7,\"8\n\"\nx\"\",y,\"\n\"\n", 3},
    {"a\n1\n\n\"\n\"\n\n\"\"\nx", 1},
    {"a,b\nunquoted \" with a quote,x\n\"quoted \"\" with\na doubled one\",y\n\"open, "
     "\"\"\",\"\n\n\n\"\nlast,row",
     2},
    {"h\xc3\xa9,\"a\nb\"\n\xe2\x82\xac,\"\xe2\x82\xac\n\xe2\x82\xac\"\n", 2},
};
#define N_NASTY (sizeof nasty / sizeof nasty[0])

static sp_scan_spec strings(void) {
  sp_scan_spec s = csv_spec(NULL);
  s.infer_rows = 0;
  return s;
}

/* Every length of ranges, and with it every place of every border. */
static void every_cut(void **state) {
  world *w = *state;
  for (size_t i = 0; i < N_NASTY; i++) {
    const size_t n = strlen(nasty[i].text);
    sp_str want;
    sp_str_init(&want, &w->mem, TEXT_MAX);
    simple_rows(nasty[i].text, n, nasty[i].n_fields, &want);
    assert_true(sp_str_ok(&want));
    for (size_t bytes = 1; bytes <= n + 1; bytes++) {
      sp_csv_range_bytes = (int64_t)bytes;
      for (uint32_t window = 1; window <= 4; window++) {
        const char *rows = csv_rows(w, strings(), &(scan_how){.window = window}, nasty[i].text, n);
        assert_string_equal(rows, want.p);
      }
    }
    sp_csv_range_bytes = CSV_RANGE_BYTES;
    sp_str_release(&want);
  }
}

/* Ranges in any order: a start that is not known yet is found all the same. */
static void any_order(void **state) {
  world *w = *state;
  const char *text = nasty[2].text;
  const char *path = world_put(w, "o.csv", text, strlen(text));
  sp_scan_spec s = strings();
  s.paths = &path;
  sp_csv_range_bytes = 5;
  sp_str want;
  sp_str_init(&want, &w->mem, TEXT_MAX);
  simple_rows(text, strlen(text), 2, &want);
  for (uint32_t step = 1; step < 14; step++) {
    sp_dataset *d = NULL;
    const uint32_t columns[] = {0, 1};
    const sp_scan_request r = {.n_columns = 2, .columns = columns, .workers = 2};
    assert_int_equal(sp_dataset_open(&s, &w->mem, &d, NULL), SP_OK);
    assert_int_equal(sp_dataset_plan(d, &r, NULL), SP_OK);
    const uint32_t n = sp_dataset_morsels(d);
    assert_true(n >= 8 && n <= 16);
    sp_str parts[16], all;
    sp_cursor_scratch *scratch = NULL;
    for (uint32_t i = 0; i < n; i++) {
      sp_str_init(&parts[i], &w->mem, TEXT_MAX);
    }
    for (uint32_t i = 0; i < n; i++) { /* from the end, in strides */
      const uint32_t m = n - 1 - (i * (2 * step + 1)) % n;
      if (parts[m].n == 0) {
        assert_int_equal(
            scan_morsel(d, &r, (sp_maker){&w->mem, w->pool}, m, &(scan_how){0}, &scratch, &parts[m], NULL),
            SP_OK);
      }
    }
    sp_str_init(&all, &w->mem, TEXT_MAX);
    for (uint32_t i = 0; i < n; i++) {
      if (parts[i].n == 0) {
        assert_int_equal(
            scan_morsel(d, &r, (sp_maker){&w->mem, w->pool}, i, &(scan_how){0}, &scratch, &parts[i], NULL),
            SP_OK);
      }
      sp_str_addn(&all, parts[i].p, parts[i].n);
      sp_str_release(&parts[i]);
    }
    assert_string_equal(all.p, want.p);
    sp_str_release(&all);
    sp_cursor_scratch_free(scratch);
    sp_dataset_unref(d);
  }
  sp_csv_range_bytes = CSV_RANGE_BYTES;
  sp_str_release(&want);
}

/* Many ranges by four workers at once. */
typedef struct shared {
  sp_dataset *d;
  sp_scan_request r;
  sp_mem *mem;
  _Atomic uint32_t next;
  _Atomic uint32_t failed;
  sp_str *parts;
} shared;

static void work(void *ctx, uint32_t worker) {
  shared *x = ctx;
  sp_cursor_scratch *scratch = NULL;
  (void)worker;
  for (uint32_t m; (m = atomic_fetch_add(&x->next, 1)) < sp_dataset_morsels(x->d);) {
    sp_cursor *c = NULL;
    uint32_t n = 0;
    sp_column *col = NULL;
    sp_status st = sp_cursor_open(x->d, m, (sp_maker){x->mem, NULL}, &scratch, &c, NULL);
    while (st == SP_OK && (st = sp_cursor_next(c, 100, &n, NULL)) == SP_OK && n > 0) {
      st = sp_cursor_read(c, 0, NULL, n, &col, NULL);
      for (uint32_t i = 0; st == SP_OK && i < n; i++) {
        const sp_value v = sp_column_value(col, i);
        scan_value(&v, &x->parts[m]);
      }
      col = sp_column_unref(col);
    }
    sp_cursor_close(c);
    atomic_fetch_add(&x->failed, st != SP_OK);
  }
  sp_cursor_scratch_free(scratch);
}

static void workers(void **state) {
  world *w = *state;
  sp_str text, want, got;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_init(&want, &w->mem, TEXT_MAX);
  sp_str_init(&got, &w->mem, TEXT_MAX);
  sp_str_add(&text, "a,b\n");
  for (uint32_t i = 0; i < 20000; i++) {
    sp_str_addf(&text, "%u,\"x\ny\"\n", i);
    sp_str_addf(&want, "%u", i);
  }
  const char *path = world_put(w, "w.csv", text.p, text.n);
  const sp_scan_spec s = csv_spec(&path);
  const uint32_t column = 0;
  shared x = {.mem = &w->mem, .r = {.n_columns = 1, .columns = &column, .workers = 4}};
  sp_csv_range_bytes = 1500;
  assert_int_equal(sp_dataset_open(&s, &w->mem, &x.d, NULL), SP_OK);
  assert_int_equal(sp_dataset_plan(x.d, &x.r, NULL), SP_OK);
  const uint32_t n = sp_dataset_morsels(x.d);
  assert_true(n > 100);
  x.parts = test_calloc(n, sizeof *x.parts);
  for (uint32_t i = 0; i < n; i++) {
    sp_str_init(&x.parts[i], &w->mem, TEXT_MAX);
  }
  sp_workers *four = NULL;
  assert_int_equal(sp_workers_new(&w->mem, 4, &four, NULL), SP_OK);
  sp_workers_run(four, work, &x);
  sp_workers_unref(four);
  for (uint32_t i = 0; i < n; i++) {
    sp_str_addn(&got, x.parts[i].p, x.parts[i].n);
    sp_str_release(&x.parts[i]);
  }
  test_free(x.parts);
  sp_dataset_unref(x.d);
  sp_csv_range_bytes = CSV_RANGE_BYTES;
  assert_int_equal(x.failed, 0);
  assert_string_equal(got.p, want.p);
  sp_str_release(&text);
  sp_str_release(&want);
  sp_str_release(&got);
}

/* Errors have the same place wherever the file is cut, and rows in front of them are read. */
static void errors(void **state) {
  static const struct {
    const char *text;
    uint32_t line, col;
  } cases[] = {
      {"a,b\n\"1\n2\",3\nx,y\n1,2,3\n4,5\n", 5, 5},
      {"a,b\r\n\"1\r\n2\",3\r\nx,\"y\"z\r\n4,5\r\n", 4, 6},
      {"a,b\n1,2\n3,\"4\n5,6\n7,8\n", 3, 3},
      {"a,b\n1,2\n3\n5,6\n", 3, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const size_t n = strlen(cases[i].text);
    for (size_t bytes = 1; bytes <= n; bytes++) {
      sp_csv_range_bytes = (int64_t)bytes;
      const sp_error e = csv_error(*state, strings(), cases[i].text, n);
      assert_int_equal(e.status, SP_DATA);
      assert_int_equal(e.line, cases[i].line);
      assert_int_equal(e.col, cases[i].col);
    }
  }
  sp_csv_range_bytes = CSV_RANGE_BYTES;
  sp_scan_spec s = strings();
  s.n_rows = 1; /* what is behind is not looked at */
  assert_string_equal(csv_rows(*state, s, NULL, "a,b\n1,2\n3\n", 10), "[1]|[2]\n");
}

/* Row numbers and a limit, with every cut. */
static void row_numbers(void **state) {
  world *w = *state;
  static const char text[] = "a,b\n\"x\ny\",1\n\n2,\"\n\n\"\n3,4\n\n\n5,6";
  static const char *const rows[] = {"10|[x\ny]|[1]\n", "11|[2]|[\n\n]\n", "12|[3]|[4]\n", "13|[5]|[6]\n"};
  sp_scan_spec s = strings();
  s.row_index = "i";
  s.row_index_offset = 10;
  for (int64_t limit = -1; limit <= 5; limit++) {
    sp_str want;
    sp_str_init(&want, &w->mem, TEXT_MAX);
    for (int64_t i = 0; i < 4 && (limit < 0 || i < limit); i++) {
      sp_str_add(&want, rows[i]);
    }
    s.n_rows = limit;
    for (size_t bytes = 1; bytes < sizeof text; bytes++) {
      sp_csv_range_bytes = (int64_t)bytes;
      assert_string_equal(
          csv_rows(w, s, &(scan_how){.window = 1 + (uint32_t)bytes % 3}, text, sizeof text - 1), want.p);
    }
    sp_str_release(&want);
  }
  sp_csv_range_bytes = CSV_RANGE_BYTES;
}

/* ---- random texts ---- */
static uint32_t random_below(uint64_t *seed, uint32_t below) {
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)((*seed >> 33) % below);
}

/* A field that the simple reader and the real one must agree on. */
static void random_field(uint64_t *seed, bool crlf, sp_str *out) {
  static const char plain[] = "abcXYZ0123456789 .-_;\"\r";
  static const char inside[] = "ab ,\n\r\"";
  const uint32_t kind = random_below(seed, 8);
  if (kind == 0) {
    return;
  }
  if (kind <= 2) {
    sp_str_addc(out, '"');
    for (uint32_t n = random_below(seed, random_below(seed, 50) == 0 ? 3000 : 20); n > 0; n--) {
      const char c = inside[random_below(seed, sizeof inside - 1)];
      sp_str_addc(out, c);
      if (c == '"') {
        sp_str_addc(out, c);
      }
    }
    sp_str_addc(out, '"');
    return;
  }
  /* quotes in the middle and CRs only now and then, so that blocks differ */
  const uint32_t letters = (uint32_t)(sizeof plain - 1) - (random_below(seed, 30) == 0 ? (crlf ? 1 : 0) : 2);
  for (uint32_t n = 1 + random_below(seed, random_below(seed, 300) == 0 ? 40000 : 12), i = 0; i < n; i++) {
    const char c = plain[random_below(seed, letters)];
    sp_str_addc(out, (i == 0 || i + 1 == n) && (c == '"' || c == '\r') ? 'q' : c);
  }
}

static void random_text(uint64_t *seed, uint32_t n_fields, uint32_t n_rows, sp_str *out) {
  const bool crlf = random_below(seed, 2) == 0, blank = random_below(seed, 2) == 0;
  for (uint32_t i = 0; i < n_fields; i++) {
    sp_str_addf(out, "%sc%u", i > 0 ? "," : "", i);
  }
  for (uint32_t r = 0; r < n_rows; r++) {
    sp_str_add(out, crlf ? "\r\n" : "\n");
    if (blank && n_fields > 1 && random_below(seed, 20) == 0) {
      sp_str_add(out, crlf ? "\r\n" : "\n");
    }
    for (uint32_t i = 0; i < n_fields; i++) {
      sp_str_add(out, i > 0 ? "," : "");
      random_field(seed, crlf, out);
    }
  }
  /* without a line end the last row of one empty field would be none */
  sp_str_add(out, crlf ? "\r\n" : "\n");
}

static void random_texts(void **state) {
  world *w = *state;
  static const uint32_t widths[] = {1, 2, 3, 7, 16, 40};
  for (uint64_t round = 0; round < 60; round++) {
    uint64_t seed = round + 1;
    sp_str text, want;
    sp_str_init(&text, &w->mem, TEXT_MAX);
    sp_str_init(&want, &w->mem, TEXT_MAX);
    const uint32_t n_fields = widths[round % 6];
    random_text(&seed, n_fields, 1 + random_below(&seed, 3000 / n_fields), &text);
    simple_rows(text.p, text.n, n_fields, &want);
    assert_true(sp_str_ok(&text) && sp_str_ok(&want));
    sp_csv_range_bytes = random_below(&seed, 2) == 0 ? CSV_RANGE_BYTES : 100 + random_below(&seed, 60000);
    const scan_how how = {.window = 1 + random_below(&seed, 5000)};
    const char *rows = csv_rows(w, strings(), &how, text.p, text.n);
    if (strcmp(rows, want.p) != 0) {
      size_t at = 0;
      while (rows[at] == want.p[at]) {
        at++;
      }
      at = at > 40 ? at - 40 : 0;
      fail_msg("round %u: `%.80s` is read as `%.80s`", (unsigned)round, want.p + at, rows + at);
    }
    sp_str_release(&text);
    sp_str_release(&want);
  }
  sp_csv_range_bytes = CSV_RANGE_BYTES;
}

/* ---- masks ---- */
/* All ways to index give what the portable one gives, over text that is full of what matters. */
static void variants(void **state) {
  (void)state;
  static char text[CSV_BLOCK_MAX + CSV_BACK];
  static uint16_t want[CSV_POSITIONS], got[CSV_POSITIONS];
  static const char letters[] = "a,\n\"\rb\"x,y";
  uint32_t n_variants = 0;
  while (sp_csv_index_variant(n_variants) != NULL) {
    n_variants++;
  }
  assert_true(n_variants >= 1);
  uint64_t seed = 7;
  for (uint32_t round = 0; round < 3000; round++) {
    const uint32_t n = round < 10 ? CSV_BLOCK_MAX - round : random_below(&seed, 600);
    const uint32_t mix = 1 + random_below(&seed, sizeof letters - 1);
    for (uint32_t i = 0; i < n + 64 && i < sizeof text; i++) {
      text[i] = round == 0 ? ',' : letters[random_below(&seed, mix)];
    }
    const sp_csv_dialect d = {',', round % 5 == 0 ? '\0' : '"', round % 7 == 0 ? '\r' : '\n'};
    sp_csv_index a, b;
    sp_csv_index_variant(n_variants - 1)(&d, text, n, want, &a);
    for (uint32_t v = 0; v + 1 < n_variants; v++) {
      sp_csv_index_variant(v)(&d, text, n, got, &b);
      assert_int_equal(a.n, b.n);
      assert_int_equal(a.lines, b.lines);
      assert_int_equal(a.quotes, b.quotes);
      assert_int_equal(a.odd, b.odd);
      assert_memory_equal(want, got, a.n * sizeof *want);
    }
    uint32_t plain = 0;
    for (uint32_t i = 0; i < n; i++) {
      plain += text[i] == ',' || text[i] == d.line_end;
    }
    assert_true(d.quote == '\0' ? a.n == plain && !a.odd : a.n <= plain);
  }
}

/* ---- long rows ---- */
static void long_rows(void **state) {
  world *w = *state;
  sp_str text, want;
  sp_str_init(&text, &w->mem, TEXT_MAX);
  sp_str_init(&want, &w->mem, TEXT_MAX);
  sp_str_add(&text, "a,b\n");
  static const uint32_t lengths[] = {10, 40000, 70000, 3000000, 1, 65534, 65535, 65536, 20000};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    const bool quoted = i % 2 == 1;
    sp_str_add(&text, quoted ? "x,\"" : "x,");
    sp_str_add(&want, "[x]|[");
    for (uint32_t k = 0; k < lengths[i]; k++) {
      const char c = (char)('a' + k % 26);
      sp_str_addc(&text, quoted && k % 100 == 50 ? '\n' : c);
      sp_str_addc(&want, quoted && k % 100 == 50 ? '\n' : c);
    }
    sp_str_add(&text, quoted ? "\"\n" : "\n");
    sp_str_add(&want, "]\n");
  }
  assert_string_equal(csv_rows(w, strings(), NULL, text.p, text.n), want.p);
  sp_csv_range_bytes = 1000;
  assert_string_equal(csv_rows(w, strings(), NULL, text.p, text.n), want.p);
  sp_csv_range_bytes = CSV_RANGE_BYTES;
  sp_str_release(&text);
  sp_str_release(&want);
}

/* A quote that is never closed in a file of more than a row may have. */
static void endless_row(void **state) {
  world *w = *state;
  char *path = (char *)(uintptr_t)world_put(w, "e.csv", "a,b\n1,2\n3,\"4\n", 13);
  assert_int_equal(truncate(path, CSV_MAX_ROW_BYTES + 40000000),
                   0); /* zeros behind it, without room on disk */
  const char *const paths[] = {path};
  sp_scan_spec s = csv_spec(paths);
  s.infer_rows = 0;
  s.schema = schema_of(w, "a string;b string");
  sp_str out;
  sp_error e = SP_ERROR_INIT;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  const sp_status st = scan_rows(&w->mem, w->pool, &s, NULL, &out, &e);
  sp_str_release(&out);
  assert_int_equal(st, SP_LIMIT);
  assert_int_equal(e.line, 3);
  assert_non_null(strstr(e.message, "a row of over 256 MiB"));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
  const struct CMUnitTest tests[] = {TEST(every_cut), TEST(any_order),   TEST(workers),
                                     TEST(errors),    TEST(row_numbers), TEST(random_texts),
                                     TEST(variants),  TEST(long_rows),   TEST(endless_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
