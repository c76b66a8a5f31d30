/* One column of a window: texts into values, column by column, so that each loop does one kind of conversion. Only selected rows are converted; the others
 * are zero. A field that is not of its column's type is an error with file, line, column and text. */
#include "data/text.h"
#include "io/formats/csv/csv.h"

bool sp_csv_is_null(const sp_scan_spec *spec, const sp_csv_field *f, const char *text) {
  if (f->quoted) {
    return false;
  }
  if (f->n == 0) {
    return true;
  }
  for (uint32_t i = 0; i < spec->n_null_values; i++) {
    const char *v = spec->null_values[i];
    if (strlen(v) == f->n && memcmp(v, text + f->pos, f->n) == 0) {
      return true;
    }
  }
  return false;
}

typedef struct job {
  const sp_csv_window *w;
  const sp_csv_field *fields;
  const sp_field *column;
  const char *text;
  const uint16_t *sel;
  uint32_t n;
  sp_column *out;
  bool nulls; /* some row is null */
  sp_error *err;
} job;

static sp_status misfit(const job *j, uint32_t row) {
  const sp_csv_field *f = &j->fields[row];
  const sp_csv_source *s = j->w->s;
  const sp_loc loc = {.file = s->base.path, .line = (uint32_t)sp_csv_line_of(s, j->w->range_start + j->w->row_starts[row])};
  const int shown = f->n > 60 ? 60 : (int)f->n;
  (void)sp_error_set(j->err, SP_DATA, &loc, "column `%.*s`: `%.*s`%s is not %s", (int)j->column->name.n, j->column->name.p, shown, j->text + f->pos, f->n > 60 ? "…" : "",
                     j->column->type->name);
  if (s->base.spec->schema == NULL) {
    sp_error_hint(j->err, "the type was inferred from the first rows: raise `infer_rows` or give a `schema`");
  }
  return SP_DATA;
}

/* The text of a field with doubled quotes made single. */
static sp_sv unquote(const job *j, const sp_csv_field *f, char *to) {
  const char *p = j->text + f->pos;
  size_t n = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    to[n++] = p[i];
    i += p[i] == j->w->s->quote;
  }
  return (sp_sv){to, n};
}

/* One loop per way of storing: `parse` sets `v` from `s` and says whether it could. */
#define CONVERT(name, type, parse)                                                                                                                          \
  static sp_status name(job *j) {                                                                                                                           \
    type *out = (type *)(void *)j->out->values->data;                                                                                                       \
    uint8_t *valid = j->out->validity->data;                                                                                                                \
    const sp_scan_spec *spec = j->w->s->base.spec;                                                                                                          \
    for (uint32_t i = 0; i < j->n; i++) {                                                                                                                   \
      const uint32_t row = j->sel != NULL ? j->sel[i] : i;                                                                                                  \
      const sp_csv_field *f = &j->fields[row];                                                                                                              \
      const sp_sv s = {j->text + f->pos, f->n};                                                                                                             \
      if (f->n == 0 || sp_csv_is_null(spec, f, j->text)) { /* no number or date is empty, quoted or not */                                                  \
        j->nulls = true;                                                                                                                                    \
        continue;                                                                                                                                           \
      }                                                                                                                                                     \
      if (!(parse)) {                                                                                                                                       \
        return misfit(j, row);                                                                                                                              \
      }                                                                                                                                                     \
      valid[row] = 1;                                                                                                                                       \
    }                                                                                                                                                       \
    return SP_OK;                                                                                                                                           \
  }
CONVERT(convert_i64, int64_t, sp_parse_i64(s, &out[row]))
CONVERT(convert_f64, double, sp_parse_f64(s, &out[row]))
CONVERT(convert_date, int32_t, sp_parse_date(s, &out[row]))
CONVERT(convert_datetime, int64_t, sp_parse_datetime(s, j->column->type->unit, &out[row]))
CONVERT(convert_any, uint8_t, sp_parse_value(s, j->column->type, out + (size_t)row * j->column->type->width))

static sp_status convert_string(job *j) {
  sp_view *out = (sp_view *)(void *)j->out->values->data;
  uint8_t *valid = j->out->validity->data;
  const sp_scan_spec *spec = j->w->s->base.spec;
  size_t doubled = 0;
  bool in_text = false;
  for (uint32_t i = 0; i < j->n; i++) {
    const uint32_t row = j->sel != NULL ? j->sel[i] : i;
    const sp_csv_field *f = &j->fields[row];
    if (sp_csv_is_null(spec, f, j->text)) {
      j->nulls = true;
      continue;
    }
    valid[row] = 1;
    doubled += f->doubled ? f->n : 0;
    in_text = in_text || (!f->doubled && f->n > SP_VIEW_INLINE);
    if (!f->doubled) {
      out[row] = sp_view_make(j->text + f->pos, f->n);
    }
  }
  if (in_text && !sp_column_add_heap(j->out, j->w->text)) {
    return sp_error_nomem(j->err);
  }
  if (doubled == 0) {
    return SP_OK;
  }
  sp_buf *heap = sp_buf_new(j->w->mk.pool, j->w->mk.mem, doubled);
  const bool kept = heap != NULL && sp_column_add_heap(j->out, heap);
  for (uint32_t i = 0; kept && i < j->n; i++) {
    const uint32_t row = j->sel != NULL ? j->sel[i] : i;
    const sp_csv_field *f = &j->fields[row];
    if (f->doubled) {
      const sp_sv s = unquote(j, f, (char *)heap->data + heap->size);
      heap->size += s.n;
      out[row] = sp_view_make(s.p, (uint32_t)s.n);
    }
  }
  sp_buf_unref(heap);
  return kept ? SP_OK : sp_error_nomem(j->err);
}

static sp_status check_utf8(const job *j) {
  for (uint32_t i = 0; i < j->n; i++) {
    const uint32_t row = j->sel != NULL ? j->sel[i] : i;
    const sp_csv_field *f = &j->fields[row];
    if (!sp_utf8_valid(j->text + f->pos, f->n)) {
      const sp_csv_source *s = j->w->s;
      const sp_loc loc = {.file = s->base.path, .line = (uint32_t)sp_csv_line_of(s, j->w->range_start + j->w->row_starts[row])};
      SP_FAIL(j->err, SP_DATA, &loc, "column `%.*s`: the text is not valid UTF-8", (int)j->column->name.n, j->column->name.p);
    }
  }
  return SP_OK;
}

static sp_status convert(job *j) {
  switch (j->column->type->kind) {
  case SP_KIND_INT64:
    return convert_i64(j);
  case SP_KIND_FLOAT64:
    return convert_f64(j);
  case SP_KIND_DATE:
    return convert_date(j);
  case SP_KIND_DATETIME:
    return convert_datetime(j);
  case SP_KIND_STRING:
    SP_TRY(check_utf8(j));
    return convert_string(j);
  case SP_KIND_BINARY:
    return convert_string(j);
  case SP_KIND_NULL:
  case SP_KIND_BOOL:
  case SP_KIND_INT8:
  case SP_KIND_INT16:
  case SP_KIND_INT32:
  case SP_KIND_UINT8:
  case SP_KIND_UINT16:
  case SP_KIND_UINT32:
  case SP_KIND_UINT64:
  case SP_KIND_FLOAT32:
  case SP_KIND_DECIMAL:
  case SP_KIND_TIME:
  case SP_KIND_DURATION:
  case SP_KIND_INTERVAL:
  case SP_KIND_COUNT:
    break;
  }
  return convert_any(j);
}

sp_status sp_csv_convert(const sp_csv_window *w, const sp_csv_field *fields, const sp_field *column, const uint16_t *sel, uint32_t n_sel, sp_column **ret, sp_error *err) {
  if (column->type->kind == SP_KIND_NULL) {
    *ret = sp_column_null(w->mk, column->type, w->n_rows);
    return *ret != NULL ? SP_OK : sp_error_nomem(err);
  }
  sp_column *out = sp_column_flat(w->mk, column->type, w->n_rows, true);
  SP_TRY_ALLOC(err, out);
  memset(out->values->data, 0, (size_t)w->n_rows * column->type->width);
  memset(out->validity->data, 0, w->n_rows);
  job j = {.w = w, .fields = fields, .column = column, .text = (const char *)w->text->data, .sel = sel, .n = sel != NULL ? n_sel : w->n_rows, .out = out, .err = err};
  const sp_status st = convert(&j);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  if (!j.nulls) {
    out->validity = sp_buf_unref(out->validity);
  }
  *ret = out;
  return SP_OK;
}
