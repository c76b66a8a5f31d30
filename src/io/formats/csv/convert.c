/* One column of a window: texts into values, column by column, so that each loop does one kind of conversion.
 * Only selected rows are converted; the others are zero. A field that is not of its column's type is an error
 * with file, line, column and text.
 *
 * Strings: up to 12 bytes lie in the view itself. Longer ones are views into the range's text where they are
 * at least a quarter of the window, and else are copied: a join that keeps some rows of many ranges must not
 * keep all text of the file, and a buffer that nobody keeps is there for the next range, warm. */
#include "base/simd.h"
#include "io/formats/csv/csv.h"
#include "io/formats/csv/numbers.h"

#define KEEP_SHARE 4 /* under 1/4 of a window's bytes in long strings: they are copied */
#define SHOWN 60     /* bytes of a field in a message */

bool sp_csv_is_null(const sp_csv_source *s, const sp_csv_field *f, const char *text) {
  if (f->quoted) {
    return false;
  }
  if (f->n == 0) {
    return true;
  }
  const sp_scan_spec *spec = s->base.spec;
  for (uint32_t i = 0; i < spec->n_null_values; i++) {
    const char *v = spec->null_values[i];
    if (strlen(v) == f->n && memcmp(v, text + f->pos, f->n) == 0) {
      return true;
    }
  }
  return false;
}

uint32_t sp_csv_unquote(char quote, const sp_csv_field *f, const char *text, char *to) {
  const char *p = text + f->pos;
  if (!f->doubled) {
    memcpy(to, p, f->n);
    return f->n;
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    to[n++] = p[i];
    i += p[i] == quote;
  }
  return n;
}

typedef struct job {
  const sp_csv_window *w;
  const sp_csv_field *fields;
  const sp_type *type;
  sp_sv name;
  const char *text;
  uint64_t null_lengths;
  const uint16_t *sel;
  uint32_t n;
  sp_column *out;
  sp_error *err;
} job;

static uint32_t row_at(const job *j, uint32_t i) {
  return j->sel != NULL ? j->sel[i] : i;
}

/* One look at the length for nearly all fields. */
static inline bool is_null(const job *j, const sp_csv_field *f) {
  const uint32_t length = f->n < 63 ? f->n : 63;
  if (SP_LIKELY((j->null_lengths >> length & 1) == 0)) {
    return false;
  }
  /* no number or date is empty, quoted or not; a text is */
  return (f->n == 0 && !sp_type_is_bytes(j->type)) || sp_csv_is_null(j->w->s, f, j->text);
}

/* The column gets its validity with its first null. */
static sp_status set_null(job *j, uint32_t row) {
  sp_column *c = j->out;
  if (c->validity == NULL) {
    sp_buf *b = sp_buf_new(j->w->mk.pool, j->w->mk.mem, c->length);
    SP_TRY_ALLOC(j->err, b);
    b->size = c->length;
    memset(b->data, 1, c->length);
    c->validity = b;
  }
  c->validity->data[row] = 0;
  memset(c->values->data + (size_t)row * j->type->width, 0, j->type->width);
  return SP_OK;
}

/* ---- what does not fit ---- */
static sp_loc place_of(const job *j, uint32_t row) {
  return sp_csv_place(j->w->s, j->w->text_offset + j->fields[row].pos);
}

static sp_status misfit(const job *j, uint32_t row) {
  const sp_csv_field *f = &j->fields[row];
  const sp_loc loc = place_of(j, row);
  (void)sp_error_set(j->err, SP_DATA, &loc, "column `%.*s`: `%.*s`%s is not %s",
                     j->name.n < 100 ? (int)j->name.n : 100, j->name.p, f->n > SHOWN ? SHOWN : (int)f->n,
                     j->text + f->pos, f->n > SHOWN ? "…" : "", j->type->name);
  sp_error_hint(j->err,
                "where a type was inferred, a larger `infer_rows` or a `schema` helps; `null_values` names "
                "texts that mean null");
  return SP_DATA;
}

/* ---- numbers and dates ---- */
/* A loop per way of storing: `quick` or else `slow` set *v from the n bytes at p. */
#define CONVERT(name, stored, quick, slow)                                                                   \
  static sp_status name(job *j) {                                                                            \
    stored *out = (stored *)(void *)j->out->values->data;                                                    \
    for (uint32_t i = 0; i < j->n; i++) {                                                                    \
      const uint32_t row = row_at(j, i);                                                                     \
      const sp_csv_field f = j->fields[row];                                                                 \
      const char *p = j->text + f.pos;                                                                       \
      stored *v = &out[row];                                                                                 \
      if (is_null(j, &j->fields[row])) {                                                                     \
        SP_TRY(set_null(j, row));                                                                            \
      } else if (!SP_LIKELY(quick) && !(slow)) {                                                             \
        return misfit(j, row);                                                                               \
      }                                                                                                      \
    }                                                                                                        \
    return SP_OK;                                                                                            \
  }
#define FIELD ((sp_sv){p, f.n})
CONVERT(convert_i64, int64_t, sp_csv_i64(p, f.n, v), sp_parse_i64(FIELD, v))
CONVERT(convert_f64, double, sp_csv_f64(p, f.n, v), sp_parse_f64(FIELD, v))
CONVERT(convert_date, int32_t, sp_csv_date(p, f.n, v), sp_parse_date(FIELD, v))
CONVERT(convert_datetime, int64_t, false, sp_parse_datetime(FIELD, j->type->unit, v))
CONVERT(convert_decimal, int64_t,
        sp_csv_decimal(p, f.n, j->type->scale, (int64_t)sp_pow10[j->type->precision], v),
        sp_parse_value(FIELD, j->type, v))

/* Every other type: by a call for each value. */
static sp_status convert_any(job *j) {
  const size_t width = j->type->width;
  for (uint32_t i = 0; i < j->n; i++) {
    const uint32_t row = row_at(j, i);
    const sp_csv_field *f = &j->fields[row];
    if (is_null(j, f)) {
      SP_TRY(set_null(j, row));
    } else if (!sp_parse_value((sp_sv){j->text + f->pos, f->n}, j->type,
                               j->out->values->data + row * width)) {
      return misfit(j, row);
    }
  }
  return SP_OK;
}

/* ---- strings ---- */
/* A view of a field, loaded in whole words: there is room behind it. */
static inline sp_view view_of(const char *p, uint32_t n) {
  uint64_t a, b, words[2];
  memcpy(&a, p, 8);
  memcpy(&b, p + 8, 8);
  if (n > SP_VIEW_INLINE) {
    words[0] = n | a << 32;
    words[1] = (uint64_t)(uintptr_t)p;
  } else {
    const uint64_t all = ~UINT64_C(0);
    a &= n >= 8 ? all : ~(all << (8 * n));
    b &= n <= 8 ? 0 : ~(all << (8 * (n - 8)));
    words[0] = n | a << 32;
    words[1] = a >> 32 | b << 32;
  }
  sp_view v;
  memcpy(&v, words, sizeof v);
  return v;
}

static sp_status check_utf8(const job *j) {
  for (uint32_t i = 0; i < j->n; i++) {
    const uint32_t row = row_at(j, i);
    const sp_csv_field *f = &j->fields[row];
    if (!sp_utf8_valid(j->text + f->pos, f->n)) {
      const sp_loc loc = place_of(j, row);
      (void)sp_error_set(j->err, SP_DATA, &loc, "column `%.*s`: the text is not valid UTF-8",
                         j->name.n < 100 ? (int)j->name.n : 100, j->name.p);
      sp_error_hint(j->err, "a file in another encoding must be converted first, with iconv for instance");
      return SP_DATA;
    }
  }
  return SP_OK;
}

/* Bytes of long strings and of those with doubled quotes. */
static void sum_lengths(const job *j, size_t *ret_long, size_t *ret_doubled) {
  size_t in_text = 0, doubled = 0;
  for (uint32_t i = 0; i < j->n; i++) {
    const sp_csv_field f = j->fields[row_at(j, i)];
    doubled += f.doubled ? f.n : 0;
    in_text += !f.doubled && f.n > SP_VIEW_INLINE ? f.n : 0;
  }
  *ret_long = in_text;
  *ret_doubled = doubled;
}

/* Views of all rows. heap: room for those with doubled quotes and, when `copy`, for the long ones. */
static sp_status make_views(job *j, sp_buf *heap, bool copy) {
  sp_view *out = (sp_view *)(void *)j->out->values->data;
  const char quote = j->w->s->dialect.quote;
  for (uint32_t i = 0; i < j->n; i++) {
    const uint32_t row = row_at(j, i);
    const sp_csv_field f = j->fields[row];
    if (is_null(j, &j->fields[row])) {
      SP_TRY(set_null(j, row));
    } else if (SP_UNLIKELY(f.doubled)) {
      char *to = (char *)heap->data + heap->size;
      const uint32_t n = sp_csv_unquote(quote, &f, j->text, to);
      heap->size += n;
      out[row] = sp_view_make(to, n);
    } else if (copy && f.n > SP_VIEW_INLINE) {
      char *to = (char *)heap->data + heap->size;
      memcpy(to, j->text + f.pos, f.n);
      heap->size += f.n;
      out[row] = view_of(to, f.n);
    } else {
      out[row] = view_of(j->text + f.pos, f.n);
    }
  }
  return SP_OK;
}

static sp_status convert_string(job *j) {
  if (j->type->kind == SP_KIND_STRING && !j->w->ascii) {
    SP_TRY(check_utf8(j));
  }
  size_t in_text, doubled;
  sum_lengths(j, &in_text, &doubled);
  const bool copy = in_text < j->w->bytes / KEEP_SHARE;
  if (in_text > 0 && !copy && !sp_column_add_heap(j->out, j->w->text)) {
    return sp_error_nomem(j->err);
  }
  const size_t room = doubled + (copy ? in_text : 0);
  if (room == 0) {
    return make_views(j, NULL, false);
  }
  sp_buf *heap = sp_buf_new(j->w->mk.pool, j->w->mk.mem, room);
  SP_TRY_ALLOC(j->err, heap);
  const sp_status st = sp_column_add_heap(j->out, heap) ? make_views(j, heap, copy) : sp_error_nomem(j->err);
  sp_buf_unref(heap);
  return st;
}

/* ---- one column ---- */
static sp_status convert(job *j) {
  switch (j->type->kind) {
  case SP_KIND_INT64:
    return convert_i64(j);
  case SP_KIND_FLOAT64:
    return convert_f64(j);
  case SP_KIND_DATE:
    return convert_date(j);
  case SP_KIND_DATETIME:
    return convert_datetime(j);
  case SP_KIND_DECIMAL:
    return j->type->phys == SP_PHYS_I64 ? convert_decimal(j) : convert_any(j);
  case SP_KIND_STRING:
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
  case SP_KIND_TIME:
  case SP_KIND_DURATION:
  case SP_KIND_INTERVAL:
  case SP_KIND_COUNT:
    break;
  }
  return convert_any(j);
}

/* A column of type null holds nothing but nulls. */
static sp_status convert_null(const job *j, sp_column **ret) {
  for (uint32_t i = 0; i < j->n; i++) {
    if (!is_null(j, &j->fields[row_at(j, i)])) {
      return misfit(j, row_at(j, i));
    }
  }
  *ret = sp_column_null(j->w->mk, j->type, j->w->n_rows);
  return *ret != NULL ? SP_OK : sp_error_nomem(j->err);
}

sp_status sp_csv_convert(const sp_csv_window *w, const sp_csv_field *fields, const sp_field *column,
                         const uint16_t *sel, uint32_t n_sel, sp_column **ret, sp_error *err) {
  job j = {.w = w,
           .fields = fields,
           .type = column->type,
           .name = column->name,
           .text = sp_csv_text(w->text),
           .null_lengths = w->s->null_lengths,
           .sel = sel,
           .n = sel != NULL ? n_sel : w->n_rows,
           .err = err};
  if (column->type->kind == SP_KIND_NULL) {
    return convert_null(&j, ret);
  }
  j.out = sp_column_flat(w->mk, column->type, w->n_rows, false);
  SP_TRY_ALLOC(err, j.out);
  if (sel != NULL) {
    memset(j.out->values->data, 0, (size_t)w->n_rows * column->type->width);
  }
  const sp_status st = convert(&j);
  if (st != SP_OK) {
    sp_column_unref(j.out);
    return st;
  }
  *ret = j.out;
  return SP_OK;
}
