/* What a file is: byte order mark, line ends, header, and the columns' types from a sample of rows.
 *
 * A column's type is the strictest that all its sampled values fit: bool, int64, float64, date, datetime,
 * string. A candidate is dropped at its first misfit and never tried again. Columns without any value are
 * strings.
 *
 * Line ends are "\n" with or without a "\r" before it; where no "\n" stands outside quotes in the file's head
 * but "\r" does, they are "\r".
 *
 *   id,day,note / 1,2020-01-31,x / 2,2020-02-01, ⇒ id int64, day date, note string */
#include "data/text.h"
#include "io/formats/csv/csv.h"

#define HEAD ((size_t)64 << 10)
#define LONG_HEAD ((size_t)1 << 20)     /* looked at where the head has no line end */
#define PIECE ((int64_t)1 << 20)        /* of the sample, read at a time */
#define CELLS 65536                     /* tokenized at a time */
#define SAMPLE_CELLS ((int64_t)4000000) /* in all, unless more rows than by default are asked for */
#define DEFAULT_ROWS 10000

/* ---- line ends ---- */
/* '\n' or '\r' when text has one outside quotes, else 0. */
static char line_end_of(const sp_csv_dialect *d, const char *text, size_t n) {
  bool inside = false, cr = false;
  char before = '\n';
  for (size_t i = 0; i < n; i++) {
    const char c = text[i];
    if (inside) {
      inside = c != d->quote; /* the second of a doubled quote opens again */
    } else if (c == '\n') {
      return '\n';
    } else if (c == d->quote && c != '\0') {
      inside = before == d->separator || before == '\r' || before == '\n' || before == d->quote;
    } else {
      cr = cr || c == '\r';
    }
    before = c;
  }
  return cr ? '\r' : '\0';
}

static sp_status look_at_head(sp_csv_source *s, int fd, sp_error *err) {
  const sp_loc loc = {.file = s->base.path};
  char *text = sp_mem_alloc(s->base.mem, LONG_HEAD);
  SP_TRY_ALLOC(err, text);
  size_t n = 0;
  sp_status st = sp_csv_read(s, fd, 0, text, HEAD, &n, err);
  const bool utf16 = n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
  if (st == SP_OK && utf16) {
    st = sp_error_set(err, SP_DATA, &loc, "the file is UTF-16; only UTF-8 can be read");
  }
  s->text_start = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  char end = st == SP_OK ? line_end_of(&s->dialect, text + s->text_start, n - (size_t)s->text_start) : '\n';
  if (end != '\n' && (int64_t)n < s->size) {
    st = sp_csv_read(s, fd, 0, text, LONG_HEAD, &n, err);
    end = line_end_of(&s->dialect, text + s->text_start, n - (size_t)s->text_start);
  }
  sp_mem_free(s->base.mem, text, LONG_HEAD);
  s->dialect.line_end = end == '\r' ? '\r' : '\n';
  s->data_start = s->text_start;
  return st;
}

/* ---- the first row ---- */
typedef struct head {
  sp_csv_field *cells; /* SP_SCHEMA_MAX of them */
  sp_buf *text;
  uint32_t n; /* fields */
} head;

static sp_status take_first_row(sp_csv_source *s, head *h, int64_t *at, int64_t end, sp_error *err) {
  sp_csv_field *const columns[] = {h->cells};
  const sp_csv_tokens t = {.dialect = s->dialect, .columns = columns};
  const char *text = sp_csv_text(h->text);
  size_t p = 0;
  uint32_t rows = 0;
  sp_csv_fault fault = {0};
  const sp_csv_stop stop = sp_csv_tokenize(&t, text, &p, (size_t)(end - *at), 1, &rows, &fault);
  if (stop != CSV_OK) {
    return sp_csv_fail(s, *at, text, p, stop, &fault, err);
  }
  h->n = rows > 0 ? fault.fields : 0;
  *at += (int64_t)p;
  return SP_OK;
}

/* The fields of the first row that is not blank, whatever their number; none: h->n is 0. */
static sp_status first_row(sp_csv_source *s, int fd, head *h, int64_t *ret_behind, sp_error *err) {
  const sp_maker mk = {s->base.mem, NULL};
  int64_t at = s->text_start;
  while (h->n == 0 && at < s->size) {
    int64_t end = 0;
    h->text = sp_buf_unref(h->text);
    SP_TRY(sp_csv_load(s, fd, mk, at, at + (int64_t)HEAD, -1, &h->text, &end, err));
    SP_TRY(take_first_row(s, h, &at, end, err));
  }
  *ret_behind = at;
  return SP_OK;
}

/* ---- types ---- */
enum { TRY_BOOL = 1, TRY_INT = 2, TRY_FLOAT = 4, TRY_DATE = 8, TRY_DATETIME = 16, TRY_ALL = 31, SEEN = 32 };

/* Integers are floats and dates are datetimes: the laxer one is tried when the stricter is out. */
static unsigned still_fits(unsigned mask, sp_sv s) {
  bool b;
  int64_t i;
  double f;
  int32_t day;
  if ((mask & TRY_BOOL) != 0 && !sp_parse_bool(s, &b)) {
    mask &= ~(unsigned)TRY_BOOL;
  }
  if ((mask & TRY_INT) != 0 && !sp_parse_i64(s, &i)) {
    mask &= ~(unsigned)TRY_INT;
  }
  if ((mask & (TRY_INT | TRY_FLOAT)) == TRY_FLOAT && !sp_parse_f64(s, &f)) {
    mask &= ~(unsigned)TRY_FLOAT;
  }
  if ((mask & TRY_DATE) != 0 && !sp_parse_date(s, &day)) {
    mask &= ~(unsigned)TRY_DATE;
  }
  if ((mask & (TRY_DATE | TRY_DATETIME)) == TRY_DATETIME && !sp_parse_datetime(s, SP_UNIT_US, &i)) {
    mask &= ~(unsigned)TRY_DATETIME;
  }
  return mask;
}

static const sp_type *type_of(unsigned mask) {
  if ((mask & SEEN) == 0) {
    return sp_type_of(SP_KIND_STRING);
  }
  return sp_type_of((mask & TRY_BOOL) != 0       ? SP_KIND_BOOL
                    : (mask & TRY_INT) != 0      ? SP_KIND_INT64
                    : (mask & TRY_FLOAT) != 0    ? SP_KIND_FLOAT64
                    : (mask & TRY_DATE) != 0     ? SP_KIND_DATE
                    : (mask & TRY_DATETIME) != 0 ? SP_KIND_DATETIME
                                                 : SP_KIND_STRING);
}

/* ---- the sample ---- */
typedef struct sample {
  sp_csv_source *s;
  sp_csv_tokens t;
  uint32_t batch; /* rows tokenized at a time */
  int64_t left;   /* rows still to be looked at; 0 also after a row that is broken */
  unsigned *masks;
} sample;

/* "" is a text and no number; inside the quotes of other fields may be one. */
static void look_at_cells(const sample *x, const char *text, uint32_t rows) {
  for (uint32_t c = 0; c < x->t.n_fields; c++) {
    unsigned mask = x->masks[c];
    for (uint32_t r = 0; r < rows && mask != SEEN; r++) {
      const sp_csv_field *f = &x->t.columns[c][r];
      if (!sp_csv_is_null(x->s, f, text)) {
        mask = (f->n == 0 ? 0 : still_fits(mask, (sp_sv){text + f->pos, f->n})) | SEEN;
      }
    }
    x->masks[c] = mask;
  }
}

/* whole: the text ends with a row's end, and not where inflating stopped. */
static void look_at_piece(sample *x, const char *text, size_t n, bool whole) {
  size_t at = 0;
  while (x->left > 0 && at < n) {
    uint32_t rows = 0;
    sp_csv_fault fault;
    const uint32_t want = x->left < x->batch ? (uint32_t)x->left : x->batch;
    const sp_csv_stop stop = sp_csv_tokenize(&x->t, text, &at, n, want, &rows, &fault);
    look_at_cells(x, text, rows - (at >= n && !whole && rows > 0));
    x->left = stop == CSV_OK ? x->left - rows : 0; /* the run reports it with its line */
  }
}

static sp_status read_sample(sample *x, int fd, sp_error *err) {
  const sp_csv_source *s = x->s;
  const sp_maker mk = {s->base.mem, NULL};
  for (int64_t at = s->data_start; x->left > 0 && at < s->size;) {
    sp_buf *text = NULL;
    int64_t end = 0;
    SP_TRY(sp_csv_load(s, fd, mk, at, at + PIECE, -1, &text, &end, err));
    const bool whole = end < s->size || s->inflated == NULL || s->inflated_whole;
    look_at_piece(x, sp_csv_text(text), (size_t)(end - at), whole);
    sp_buf_unref(text);
    at = end;
  }
  return SP_OK;
}

static int64_t rows_to_sample(const sp_csv_source *s) {
  const int64_t rows = s->base.spec->infer_rows;
  const int64_t most = SAMPLE_CELLS / s->n_fields + 1;
  return rows < 0 ? INT64_MAX : rows <= DEFAULT_ROWS && rows > most ? most : rows;
}

static sp_status take_sample(sp_csv_source *s, int fd, unsigned *masks, sp_error *err) {
  const uint32_t n = s->n_fields, batch = CELLS / n + 1;
  sp_arena a; /* its own: a scan over many files keeps the sources */
  sp_arena_init(&a, s->base.mem);
  sp_csv_field *cells = SP_ARENA_ARRAY(&a, sp_csv_field, (size_t)n * batch);
  sp_csv_field **columns = SP_ARENA_ARRAY(&a, sp_csv_field *, n);
  uint32_t *wanted = SP_ARENA_ARRAY(&a, uint32_t, n);
  uint16_t *positions = SP_ARENA_ARRAY(&a, uint16_t, CSV_POSITIONS);
  if (cells == NULL || columns == NULL || wanted == NULL || positions == NULL) {
    sp_arena_release(&a);
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < n; i++) {
    columns[i] = cells + (size_t)i * batch;
    wanted[i] = i;
  }
  sample x = {.s = s, .batch = batch, .left = rows_to_sample(s), .masks = masks};
  x.t = (sp_csv_tokens){.dialect = s->dialect,
                        .index = sp_csv_index_best(),
                        .n_fields = n,
                        .ragged = SP_RAGGED_TRUNCATE,
                        .n_wanted = n,
                        .wanted = wanted,
                        .columns = columns,
                        .positions = positions};
  const sp_status st = read_sample(&x, fd, err);
  sp_arena_release(&a);
  return st;
}

/* ---- the schema ---- */
/* A header field as text, or column_N. */
static sp_status column_name(const sp_csv_source *s, const head *h, uint32_t i, sp_arena *a, sp_sv *ret,
                             sp_error *err) {
  const sp_csv_field *f = &h->cells[i];
  char *p = sp_arena_alloc(a, f->n + 1);
  SP_TRY_ALLOC(err, p);
  const char *text = sp_csv_text(h->text);
  *ret = (sp_sv){p, s->base.spec->has_header ? sp_csv_unquote(s->dialect.quote, f, text, p) : 0};
  if (ret->n == 0) {
    const char *made = sp_arena_printf(a, "column_%u", i + 1);
    SP_TRY_ALLOC(err, made);
    *ret = sp_sv_from(made);
  }
  if (!sp_utf8_valid(ret->p, ret->n)) {
    const sp_loc loc = {.file = s->base.path, .line = 1};
    SP_FAIL(err, SP_DATA, &loc, "the name of column %u is not valid UTF-8", i + 1);
  }
  return SP_OK;
}

/* A given schema says types by name, or without a header names and types by place. */
static sp_status name_columns(sp_csv_source *s, const head *h, const unsigned *masks, sp_arena *a,
                              sp_error *err) {
  const sp_scan_spec *spec = s->base.spec;
  sp_schema_builder b;
  sp_schema_begin(&b, &s->base.arena);
  for (uint32_t i = 0; i < s->n_fields; i++) {
    sp_sv name;
    SP_TRY(column_name(s, h, i, a, &name, err));
    const sp_type *t = masks != NULL ? type_of(masks[i]) : sp_type_of(SP_KIND_STRING);
    if (spec->schema != NULL) {
      const int32_t at = spec->has_header      ? sp_schema_find(spec->schema, name)
                         : i < spec->schema->n ? (int32_t)i
                                               : -1;
      if (at >= 0) {
        t = spec->schema->fields[at].type;
        name = spec->schema->fields[at].name;
      }
    }
    sp_schema_add(&b, name, t);
  }
  const sp_loc loc = {.file = s->base.path, .line = 1};
  return sp_schema_finish(&b, &loc, &s->base.schema, err);
}

/* Rows by the mean length of the first ones: an estimate. */
static sp_status guess_rows(sp_csv_source *s, int fd, sp_error *err) {
  const sp_maker mk = {s->base.mem, NULL};
  sp_buf *text = NULL;
  int64_t end = 0;
  SP_TRY(sp_csv_load(s, fd, mk, s->data_start, s->data_start + (int64_t)HEAD, -1, &text, &end, err));
  const char *p = sp_csv_text(text);
  const int64_t n = end - s->data_start;
  int64_t lines = n > 0 && p[n - 1] != s->dialect.line_end;
  for (int64_t i = 0; i < n; i++) {
    lines += p[i] == s->dialect.line_end;
  }
  sp_buf_unref(text);
  double size = (double)(s->size - s->data_start);
  if (s->inflated != NULL && !s->inflated_whole) { /* as if all of it shrank as most texts do */
    size = (double)s->base.bytes * 4 > size ? (double)s->base.bytes * 4 : size;
  }
  s->base.rows = n > 0 ? (int64_t)(size * (double)lines / (double)n) : 0;
  s->base.rows_exact = n == 0;
  return SP_OK;
}

/* A file without a row is no error where a schema says what its columns are. */
static sp_status empty_file(sp_csv_source *s, sp_error *err) {
  const sp_scan_spec *spec = s->base.spec;
  const sp_loc loc = {.file = s->base.path};
  if (spec->schema == NULL || spec->schema->n == 0) {
    SP_FAIL(err, SP_DATA, &loc, "the file is empty: it has no %s", spec->has_header ? "header" : "columns");
  }
  s->base.schema = spec->schema;
  s->n_fields = spec->schema->n;
  s->data_start = s->size;
  s->base.rows = 0;
  s->base.rows_exact = true;
  return SP_OK;
}

static sp_status infer(sp_csv_source *s, int fd, head *h, sp_arena *a, sp_error *err) {
  const sp_scan_spec *spec = s->base.spec;
  h->cells = SP_ARENA_ARRAY(a, sp_csv_field, SP_SCHEMA_MAX);
  SP_TRY_ALLOC(err, h->cells);
  int64_t behind = 0;
  SP_TRY(first_row(s, fd, h, &behind, err));
  if (h->n == 0) {
    return empty_file(s, err);
  }
  s->n_fields = h->n;
  s->data_start = spec->has_header ? behind : s->text_start;
  unsigned *masks = NULL;
  if (spec->schema == NULL && spec->infer_rows != 0) {
    masks = SP_ARENA_ARRAY(a, unsigned, h->n);
    SP_TRY_ALLOC(err, masks);
    for (uint32_t i = 0; i < h->n; i++) {
      masks[i] = spec->try_parse_dates ? TRY_ALL : TRY_ALL & ~(unsigned)(TRY_DATE | TRY_DATETIME);
    }
    SP_TRY(take_sample(s, fd, masks, err));
  }
  SP_TRY(name_columns(s, h, masks, a, err));
  return guess_rows(s, fd, err);
}

sp_status sp_csv_infer(sp_csv_source *s, int fd, sp_error *err) {
  SP_TRY(look_at_head(s, fd, err));
  sp_arena a;
  sp_arena_init(&a, s->base.mem);
  head h = {0};
  const sp_status st = infer(s, fd, &h, &a, err);
  sp_buf_unref(h.text);
  sp_arena_release(&a);
  return st;
}
