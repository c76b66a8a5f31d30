/* Rows to CSV text. A field is quoted when it must be: it holds the separator, a quote or a line end, begins
 * or ends with a space, is the empty string (an empty unquoted field is null), looks like the null value, or
 * could be taken for a byte order mark. What is written is read back as it was, given the schema.
 *
 *   null, "", a"b, 1.5 ⇒ ,"","a""b",1.5
 *
 * Chunks are encoded (and compressed) by any worker and appended in order. */
#include "data/text.h"
#include "io/formats/csv/csv.h"

#define CHUNK_ROWS 16384
#define MAX_CHUNK ((size_t)4 << 30)
#define FIRST_BYTES ((size_t)64 << 10) /* of a chunk */

typedef struct state {
  sp_mem *mem;
  sp_out_file *out;
  const sp_sink_spec *spec;
  char separator, quote;
  sp_sv null_value;
  sp_csv_codec codec;
  int level;
  bool lone; /* one column, whose nulls would be blank lines */
  bool odd;  /* separator or null value may occur in the text of a number or date */
} state;

/* ---- text that grows ---- */
/* Room is asked for before a value is written, not for each byte. */
typedef struct text {
  sp_buf *b;
  sp_status status;
} text;

/* Where n bytes may be written; NULL when there is no room. */
static char *room(text *t, size_t n) {
  const size_t need = t->b->size + n;
  if (need > t->b->capacity && t->status == SP_OK) {
    t->status = need > MAX_CHUNK ? SP_LIMIT : sp_buf_reserve(t->b, need) ? SP_OK : SP_NOMEM;
  }
  return t->status == SP_OK ? (char *)t->b->data + t->b->size : NULL;
}

static void put_char(text *t, char c) {
  char *p = room(t, 1);
  if (p != NULL) {
    *p = c;
    t->b->size++;
  }
}

static sp_status text_status(const text *t, sp_error *err) {
  if (t->status == SP_NOMEM) {
    return sp_error_nomem(err);
  }
  if (t->status == SP_LIMIT) {
    SP_FAIL(err, SP_LIMIT, NULL, "%d rows of over %zu GiB of text", CHUNK_ROWS, MAX_CHUNK >> 30);
  }
  return SP_OK;
}

/* ---- values ---- */
static bool must_quote(const state *w, sp_sv s) {
  if (s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ' || sp_sv_eq(s, w->null_value) ||
      (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)) {
    return true;
  }
  bool any = false;
  for (size_t i = 0; i < s.n; i++) { /* to the end, so that it is a loop of vectors */
    any |= (s.p[i] == w->separator) | (s.p[i] == w->quote) | (s.p[i] == '\n') | (s.p[i] == '\r');
  }
  return any;
}

static void put_text(const state *w, sp_sv s, text *t) {
  char *p = room(t, 2 * s.n + 2);
  if (p == NULL) {
    return;
  }
  if (!must_quote(w, s)) {
    memcpy(p, s.p, s.n);
    t->b->size += s.n;
    return;
  }
  const char *start = p;
  *p++ = w->quote;
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == w->quote) {
      *p++ = w->quote;
    }
    *p++ = s.p[i];
  }
  *p++ = w->quote;
  t->b->size += (size_t)(p - start);
}

static void put_null(const state *w, text *t) {
  char *p = room(t, w->null_value.n);
  if (p != NULL && w->null_value.n > 0) {
    memcpy(p, w->null_value.p, w->null_value.n);
    t->b->size += w->null_value.n;
  }
}

#define LOAD(type)                                                                                           \
  type v;                                                                                                    \
  memcpy(&v, slot, sizeof v)

static uint32_t temporal_text(const sp_type *t, const void *slot, char out[SP_TEXT_MAX]) {
  if (t->kind == SP_KIND_DATE) {
    LOAD(int32_t);
    return sp_format_date(v, out);
  }
  LOAD(int64_t);
  return t->kind == SP_KIND_DATETIME ? sp_format_datetime(v, t->unit, t->zone != NULL, out)
         : t->kind == SP_KIND_TIME   ? sp_format_time(v, out)
                                     : sp_format_duration(v, t->unit, out);
}

/* A number or date in a flat column's slot, as sp_value_text writes it. */
static uint32_t plain_text(const sp_type *t, const void *slot, char out[SP_TEXT_MAX]) {
  if (t->family == SP_FAMILY_TEMPORAL) {
    return temporal_text(t, slot, out);
  }
  if (t->family == SP_FAMILY_FLOAT && t->width == 8) {
    LOAD(double);
    return sp_format_f64(v, out);
  }
  if (t->family == SP_FAMILY_FLOAT) {
    LOAD(float);
    return sp_format_f32(v, out);
  }
  if (t->kind == SP_KIND_INT64) {
    LOAD(int64_t);
    return sp_format_i64(v, out);
  }
  const sp_value v = sp_value_load(t, slot);
  if (t->family == SP_FAMILY_BOOL) {
    memcpy(out, v.b ? "true" : "false", 5);
    return v.b ? 4 : 5;
  }
  return t->family == SP_FAMILY_DECIMAL    ? sp_format_decimal(sp_value_i128(&v), t->scale, out)
         : t->family == SP_FAMILY_UNSIGNED ? sp_format_u64(v.u, out)
                                           : sp_format_i64(v.i, out);
}
#undef LOAD

static void put_plain(const state *w, const sp_type *t, const void *slot, text *to) {
  if (w->odd) {
    char out[SP_TEXT_MAX];
    put_text(w, (sp_sv){out, plain_text(t, slot, out)}, to);
    return;
  }
  char *p = room(to, SP_TEXT_MAX);
  if (p != NULL) {
    to->b->size += plain_text(t, slot, p);
  }
}

static void put_value(const state *w, const sp_type *t, const sp_reader *r, uint32_t row, text *to) {
  if (t->kind == SP_KIND_NULL || !sp_reader_valid(r, row)) {
    if (w->lone && !sp_type_is_bytes(t)) { /* no blank line; a lone null string is one, since "" is the empty string */
      put_char(to, w->quote);
      put_char(to, w->quote);
    } else {
      put_null(w, to);
    }
    return;
  }
  const uint8_t *slot = (const uint8_t *)r->data + (size_t)sp_reader_index(r, row) * t->width;
  if (sp_type_is_bytes(t)) {
    put_text(w, sp_view_sv((const sp_view *)(const void *)slot), to);
  } else {
    put_plain(w, t, slot, to);
  }
}

/* ---- the writer ---- */
static sp_status check_spec(const state *w, sp_error *err) {
  const char both[] = {w->separator, w->quote};
  for (size_t i = 0; i < sizeof both; i++) {
    if (both[i] == '\n' || both[i] == '\r' || (unsigned char)both[i] >= 0x80 || w->separator == w->quote ||
        sp_csv_in_numbers(w->quote)) {
      SP_FAIL(err, SP_INVALID, NULL,
              "separator and quote must be two ASCII characters, no line ends, and the quote in no number");
    }
  }
  for (size_t i = 0; i < w->null_value.n; i++) {
    const char c = w->null_value.p[i];
    if (c == w->separator || c == w->quote || c == '\n' || c == '\r') {
      SP_FAIL(err, SP_INVALID, NULL, "the null value must hold no separator, quote or line end");
    }
  }
  return SP_OK;
}

static sp_status new_text(sp_mem *mem, text *ret, sp_error *err) {
  *ret = (text){.b = sp_buf_new(NULL, mem, FIRST_BYTES)};
  SP_TRY_ALLOC(err, ret->b);
  return SP_OK;
}

/* The text, compressed when it is to be. Takes t over. */
static sp_status finish_text(const state *w, sp_mem *mem, text *t, sp_buf **ret, sp_error *err) {
  sp_status st = text_status(t, err);
  sp_buf *b = t->b;
  if (st == SP_OK && w->codec != CSV_PLAIN) {
    st = sp_csv_deflate(mem, w->codec, w->level, (const char *)t->b->data, t->b->size, &b, err);
    if (st == SP_OK) {
      sp_buf_unref(t->b);
    }
  }
  if (st != SP_OK) {
    sp_buf_unref(t->b);
    return st;
  }
  *ret = b;
  return SP_OK;
}

/* Also where there is none: then a compressed file still needs a member. */
static sp_status write_header(const state *w, sp_error *err) {
  text t;
  SP_TRY(new_text(w->mem, &t, err));
  const sp_schema *s = w->spec->schema;
  for (uint32_t i = 0; i < s->n && !w->spec->no_header; i++) {
    if (i > 0) {
      put_char(&t, w->separator);
    }
    put_text(w, s->fields[i].name, &t);
  }
  if (!w->spec->no_header) {
    put_char(&t, '\n');
  }
  sp_buf *b = NULL;
  SP_TRY(finish_text(w, w->mem, &t, &b, err));
  const sp_status st = sp_out_write(w->out, b->data, b->size, err);
  sp_buf_unref(b);
  return st;
}

static sp_status begin(state *w, sp_error *err) {
  SP_TRY(check_spec(w, err));
  SP_TRY(sp_csv_codec_parse(w->spec->compression, w->spec->path, &w->codec, &w->level, err));
  return write_header(w, err);
}

sp_status sp_csv_write_open(const sp_sink_spec *spec, sp_mem *mem, sp_out_file *out, void **ret_state,
                            uint32_t *ret_chunk_rows, sp_error *err) {
  state *w = sp_mem_calloc(mem, sizeof *w);
  SP_TRY_ALLOC(err, w);
  *w = (state){.mem = mem,
               .out = out,
               .spec = spec,
               .separator = spec->separator != '\0' ? spec->separator : ',',
               .quote = spec->quote != '\0' ? spec->quote : '"',
               .null_value = spec->null_value != NULL ? sp_sv_from(spec->null_value) : SP_SV("")};
  w->lone = spec->schema->n == 1 && w->null_value.n == 0;
  w->odd = w->null_value.n > 0 || sp_csv_in_numbers(w->separator);
  const sp_status st = begin(w, err);
  if (st != SP_OK) {
    sp_csv_write_close(w);
    return st;
  }
  *ret_state = w;
  *ret_chunk_rows = CHUNK_ROWS;
  return SP_OK;
}

/* ---- chunks ---- */
typedef struct chunk {
  sp_mem *mem;
  sp_buf *text;
} chunk;

static void put_rows(const state *w, const sp_batch *b, const sp_reader *readers, text *t) {
  for (uint32_t i = 0; i < b->n_rows && t->status == SP_OK; i++) {
    const uint32_t row = b->sel != NULL ? b->sel[i] : i;
    for (uint32_t k = 0; k < b->n_cols; k++) {
      if (k > 0) {
        put_char(t, w->separator);
      }
      put_value(w, b->cols[k]->type, &readers[k], row, t);
    }
    put_char(t, '\n');
  }
}

/* Sequences have no buffer to read from: they are made flat, the other columns are read as they are. */
static sp_status put_batch(const state *w, const sp_batch *b, sp_maker mk, text *t, sp_error *err) {
  const size_t bytes = b->n_cols * (sizeof(sp_reader) + sizeof(sp_column *));
  sp_reader *readers = sp_mem_calloc(mk.mem, bytes);
  SP_TRY_ALLOC(err, readers);
  sp_column **flat = (sp_column **)(void *)(readers + b->n_cols);
  bool ok = true;
  for (uint32_t k = 0; k < b->n_cols && ok; k++) {
    const bool sequence = b->cols[k]->encoding == SP_SEQUENCE;
    flat[k] = sequence ? sp_column_flatten(mk, b->cols[k]) : sp_column_ref(b->cols[k]);
    ok = flat[k] != NULL;
    if (ok) {
      readers[k] = sp_column_reader(flat[k]);
    }
  }
  if (ok) {
    put_rows(w, b, readers, t);
  }
  for (uint32_t k = 0; k < b->n_cols; k++) {
    sp_column_unref(flat[k]);
  }
  sp_mem_free(mk.mem, readers, bytes);
  return ok ? text_status(t, err) : sp_error_nomem(err);
}

sp_status sp_csv_write_encode(void *p, sp_batch *const *batches, uint32_t n, sp_maker mk, void **ret,
                              sp_error *err) {
  const state *w = p;
  text t;
  SP_TRY(new_text(mk.mem, &t, err));
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < n && st == SP_OK; i++) {
    st = put_batch(w, batches[i], mk, &t, err);
  }
  if (st != SP_OK) {
    sp_buf_unref(t.b);
    return st;
  }
  sp_buf *b = NULL;
  SP_TRY(finish_text(w, mk.mem, &t, &b, err));
  chunk *c = sp_mem_alloc(mk.mem, sizeof *c);
  if (c == NULL) {
    sp_buf_unref(b);
    return sp_error_nomem(err);
  }
  *c = (chunk){mk.mem, b};
  *ret = c;
  return SP_OK;
}

sp_status sp_csv_write_append(void *p, void *taken, sp_error *err) {
  const state *w = p;
  const chunk *c = taken;
  const sp_status st = sp_out_write(w->out, c->text->data, c->text->size, err);
  sp_csv_write_chunk_free(taken);
  return st;
}

void sp_csv_write_chunk_free(void *p) {
  chunk *c = p;
  if (c != NULL) {
    sp_buf_unref(c->text);
    sp_mem_free(c->mem, c, sizeof *c);
  }
}

sp_status sp_csv_write_finish(void *p, sp_error *err) {
  (void)p, (void)err;
  return SP_OK;
}

void sp_csv_write_close(void *p) {
  state *w = p;
  if (w != NULL) {
    sp_mem_free(w->mem, w, sizeof *w);
  }
}
