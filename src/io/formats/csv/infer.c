/* Names and types from the head of a file. A column's type is the strictest that all its sampled values fit: bool, int64, float64, date, datetime,
 * string. A candidate is dropped at its first misfit and never tried again. Columns without any value are strings.
 *
 *   id,day,note / 1,2020-01-31,x / 2,2020-02-01, ⇒ id int64, day date, note string */
#include "data/text.h"
#include "io/formats/csv/csv.h"

#define SAMPLE_ROWS 1024 /* tokenized at a time */
#define MAX_CELLS ((int64_t)4000000) /* looked at in all: a wide file's sample is shorter */

enum { TRY_BOOL = 1, TRY_INT = 2, TRY_FLOAT = 4, TRY_DATE = 8, TRY_DATETIME = 16, TRY_ALL = 31, SEEN = 32 };

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
  if ((mask & TRY_FLOAT) != 0 && !sp_parse_f64(s, &f)) {
    mask &= ~(unsigned)TRY_FLOAT;
  }
  if ((mask & TRY_DATE) != 0 && !sp_parse_date(s, &day)) {
    mask &= ~(unsigned)TRY_DATE;
  }
  if ((mask & TRY_DATETIME) != 0 && !sp_parse_datetime(s, SP_UNIT_US, &i)) {
    mask &= ~(unsigned)TRY_DATETIME;
  }
  return mask;
}

static const sp_type *type_of(unsigned mask) {
  if ((mask & SEEN) == 0) {
    return sp_type_of(SP_KIND_STRING);
  }
  return sp_type_of((mask & TRY_BOOL) != 0    ? SP_KIND_BOOL
                    : (mask & TRY_INT) != 0   ? SP_KIND_INT64
                    : (mask & TRY_FLOAT) != 0 ? SP_KIND_FLOAT64
                    : (mask & TRY_DATE) != 0  ? SP_KIND_DATE
                    : (mask & TRY_DATETIME) != 0 ? SP_KIND_DATETIME
                                                 : SP_KIND_STRING);
}

/* The fields of the first row, whatever their number. */
static sp_status first_row(sp_csv_source *s, const char *text, size_t n, size_t *at, sp_csv_field **ret, uint32_t *ret_n, sp_error *err) {
  sp_arena *a = &s->base.arena;
  sp_csv_field *cells = SP_ARENA_ARRAY(a, sp_csv_field, SP_SCHEMA_MAX);
  sp_csv_field **columns = SP_ARENA_ARRAY(a, sp_csv_field *, SP_SCHEMA_MAX);
  if (cells == NULL || columns == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < SP_SCHEMA_MAX; i++) {
    columns[i] = &cells[i];
  }
  const sp_csv_tokens t = {.separator = s->separator, .quote = s->quote, .columns = columns};
  const size_t start = *at;
  uint32_t rows = 0, found = 0;
  const sp_csv_stop stop = sp_csv_tokenize(&t, text, at, n, 1, &rows, &found);
  if (stop == CSV_TOO_MANY) {
    const sp_loc loc = {.file = s->base.path, .line = 1};
    SP_FAIL(err, SP_LIMIT, &loc, "more than %d columns", SP_SCHEMA_MAX);
  }
  if (stop != CSV_OK) {
    return sp_csv_row_error(s, (int64_t)start, stop, found, err);
  }
  *ret = cells;
  *ret_n = rows > 0 ? found : 0;
  return SP_OK;
}

static sp_sv field_text(const sp_csv_source *s, const sp_csv_field *f, const char *text, sp_arena *a) {
  char *p = sp_arena_strndup(a, text + f->pos, f->n);
  size_t n = 0;
  for (uint32_t i = 0; p != NULL && i < f->n; i++) {
    p[n++] = text[f->pos + i];
    i += f->doubled && text[f->pos + i] == s->quote;
  }
  if (p != NULL) {
    p[n] = '\0';
  }
  return (sp_sv){p, n};
}

/* Types by a sample of rows from data_start on. A ragged or broken row ends the sample: the run reports it with its line. */
static sp_status sample(sp_csv_source *s, const char *text, size_t n, unsigned *masks, sp_error *err) {
  const sp_scan_spec *spec = s->base.spec;
  sp_arena a;
  sp_arena_init(&a, s->base.mem);
  sp_csv_field *cells = SP_ARENA_ARRAY(&a, sp_csv_field, (size_t)s->n_fields * SAMPLE_ROWS);
  sp_csv_field **columns = SP_ARENA_ARRAY(&a, sp_csv_field *, s->n_fields);
  uint32_t *slots = SP_ARENA_ARRAY(&a, uint32_t, s->n_fields);
  if (cells == NULL || columns == NULL || slots == NULL) {
    sp_arena_release(&a);
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < s->n_fields; i++) {
    columns[i] = cells + (size_t)i * SAMPLE_ROWS;
    slots[i] = i;
  }
  const sp_csv_tokens t = {.separator = s->separator, .quote = s->quote, .n_fields = s->n_fields, .ragged = SP_RAGGED_TRUNCATE, .slot = slots, .columns = columns};
  int64_t left = spec->infer_rows < 0 ? INT64_MAX : spec->infer_rows;
  if (spec->infer_rows > 0 && left > MAX_CELLS / s->n_fields + 1) {
    left = MAX_CELLS / s->n_fields + 1;
  }
  size_t at = (size_t)s->data_start;
  while (left > 0 && at < n) {
    uint32_t rows = 0, found = 0;
    const uint32_t want = left < SAMPLE_ROWS ? (uint32_t)left : SAMPLE_ROWS;
    if (sp_csv_tokenize(&t, text, &at, n, want, &rows, &found) != CSV_OK || rows == 0) {
      break;
    }
    left -= rows;
    for (uint32_t c = 0; c < s->n_fields; c++) {
      for (uint32_t r = 0; r < rows; r++) {
        const sp_csv_field *f = &columns[c][r];
        if (!sp_csv_is_null(spec, f, text)) {
          masks[c] = (f->quoted && f->n == 0 ? SEEN : still_fits(masks[c], (sp_sv){text + f->pos, f->n})) | SEEN;
        }
      }
    }
  }
  sp_arena_release(&a);
  return SP_OK;
}

static sp_status name_columns(sp_csv_source *s, const char *text, const sp_csv_field *header, const unsigned *masks, sp_error *err) {
  const sp_scan_spec *spec = s->base.spec;
  sp_schema_builder b;
  sp_schema_begin(&b, &s->base.arena);
  for (uint32_t i = 0; i < s->n_fields; i++) {
    sp_sv name = spec->has_header ? field_text(s, &header[i], text, &s->base.arena) : (sp_sv){NULL, 0};
    if (spec->has_header && name.p == NULL) {
      return sp_error_nomem(err);
    }
    if (name.n == 0) {
      const char *made = sp_arena_printf(&s->base.arena, "column_%u", i + 1);
      SP_TRY_ALLOC(err, made);
      name = sp_sv_from(made);
    }
    if (!sp_utf8_valid(name.p, name.n)) {
      const sp_loc loc = {.file = s->base.path, .line = 1};
      SP_FAIL(err, SP_DATA, &loc, "the name of column %u is not valid UTF-8", i + 1);
    }
    const sp_type *t = type_of(masks[i]);
    if (spec->schema != NULL) {
      const int32_t at = spec->has_header ? sp_schema_find(spec->schema, name) : i < spec->schema->n ? (int32_t)i : -1;
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

/* Rows from the sample's mean length: an estimate. */
static void guess_rows(sp_csv_source *s, const char *text, size_t n, bool whole) {
  size_t lines = 0;
  for (size_t i = (size_t)s->data_start; i < n; i++) {
    lines += text[i] == '\n';
  }
  const double size = s->inflated != NULL ? (double)s->inflated->size : (double)s->base.bytes;
  const double seen = (double)n - (double)s->data_start;
  s->base.rows = whole ? (int64_t)lines + (n > (size_t)s->data_start && text[n - 1] != '\n')
                       : lines > 0 && seen > 0 ? (int64_t)((size - (double)s->data_start) * (double)lines / seen) : 1;
}

sp_status sp_csv_infer(sp_csv_source *s, const char *text, size_t n, bool whole, sp_error *err) {
  const sp_scan_spec *spec = s->base.spec;
  size_t at = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  s->data_start = (int64_t)at;
  sp_csv_field *header = NULL;
  SP_TRY(first_row(s, text, n, &at, &header, &s->n_fields, err));
  if (s->n_fields == 0) {
    const sp_loc loc = {.file = s->base.path};
    SP_FAIL(err, SP_DATA, &loc, spec->has_header ? "the file is empty: it has no header" : "the file is empty: it has no columns");
  }
  if (spec->has_header) {
    s->data_start = (int64_t)at;
  }
  unsigned *masks = SP_ARENA_ARRAY(&s->base.arena, unsigned, s->n_fields);
  SP_TRY_ALLOC(err, masks);
  for (uint32_t i = 0; i < s->n_fields; i++) {
    masks[i] = spec->try_parse_dates ? TRY_ALL : TRY_ALL & ~(unsigned)(TRY_DATE | TRY_DATETIME);
  }
  if (spec->schema == NULL && spec->infer_rows != 0) {
    SP_TRY(sample(s, text, n, masks, err));
  }
  SP_TRY(name_columns(s, text, header, masks, err));
  guess_rows(s, text, n, whole);
  return SP_OK;
}
