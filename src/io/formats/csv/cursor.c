/* Reading one range: its text is loaded when the cursor is opened, its rows are found window by window, and a
 * column's fields become values when they are asked for. Arrays of fields are kept for the next cursor of the
 * worker.
 *
 *   range of 16,000 rows, next(8192), next(8192) gives 7,808, next gives 0; read(c, sel) converts sel's rows
 */
#include <stdlib.h>

#include "base/thread.h"
#include "io/formats/csv/csv.h"

#define WINDOW_BYTES ((int64_t)384 << 10) /* of text */
#define WINDOW_ROWS_MIN 512

typedef struct csv_scratch {
  sp_mem *mem;
  uint32_t rows, columns; /* room */
  sp_csv_field *cells;
  sp_csv_field **arrays;
  uint16_t positions[CSV_POSITIONS];
} csv_scratch;

typedef struct csv_cursor {
  sp_source_cursor base;
  const sp_source_plan *plan;
  csv_scratch *scratch;
  sp_buf *text;
  int64_t start;        /* of the text, in the file */
  size_t at, end;       /* in the text: behind the window, behind the last row */
  size_t window_bytes;  /* of text in the window */
  uint32_t window;      /* rows */
  uint32_t most_rows;   /* of a window */
  bool looked_at_ascii; /* ascii is known */
  bool ascii;
  sp_csv_tokens tokens;
} csv_cursor;

/* ---- scratch ---- */
static void free_arrays(csv_scratch *x) {
  sp_mem_free(x->mem, x->cells, (size_t)x->rows * x->columns * sizeof *x->cells);
  sp_mem_free(x->mem, x->arrays, x->columns * sizeof *x->arrays);
  x->cells = NULL;
  x->arrays = NULL;
  x->rows = x->columns = 0;
}

void sp_csv_scratch_free(void *p) {
  csv_scratch *x = p;
  if (x != NULL) {
    free_arrays(x);
    sp_mem_free(x->mem, x, sizeof *x);
  }
}

static sp_status get_scratch(sp_mem *mem, void **scratch, sp_error *err) {
  if (*scratch == NULL) {
    csv_scratch *x = sp_mem_alloc(mem, sizeof *x);
    SP_TRY_ALLOC(err, x);
    x->mem = mem;
    x->rows = x->columns = 0;
    x->cells = NULL;
    x->arrays = NULL;
    *scratch = x;
  }
  return SP_OK;
}

static sp_status make_room(csv_scratch *x, uint32_t rows, uint32_t columns, sp_error *err) {
  if (rows <= x->rows && columns <= x->columns) {
    return SP_OK;
  }
  rows = rows > x->rows ? rows : x->rows;
  columns = columns > x->columns ? columns : x->columns;
  free_arrays(x);
  sp_csv_field *cells = sp_mem_alloc(x->mem, (size_t)rows * columns * sizeof *cells);
  sp_csv_field **arrays = sp_mem_alloc(x->mem, columns * sizeof *arrays);
  if (cells == NULL || arrays == NULL) {
    sp_mem_free(x->mem, cells, (size_t)rows * columns * sizeof *cells);
    sp_mem_free(x->mem, arrays, columns * sizeof *arrays);
    return sp_error_nomem(err);
  }
  x->cells = cells;
  x->arrays = arrays;
  x->rows = rows;
  x->columns = columns;
  for (uint32_t i = 0; i < columns; i++) {
    arrays[i] = cells + (size_t)i * rows;
  }
  return SP_OK;
}

/* ---- cursors ---- */
void sp_csv_cursor_close(sp_source_cursor *base) {
  if (base != NULL) {
    csv_cursor *c = (csv_cursor *)base;
    sp_buf_unref(c->text);
    sp_mem_free(base->mk.mem, c, sizeof *c);
  }
}

static sp_status load(csv_cursor *c, uint32_t range, sp_error *err) {
  sp_csv_source *s = (sp_csv_source *)c->base.source;
  const int64_t before = sp_now_ns();
  int fd = -1;
  SP_TRY(sp_csv_open_fd(s, &fd, err));
  int64_t end = 0;
  const sp_status st = sp_csv_load_range(s, fd, c->base.mk, range, &c->text, &c->start, &end, err);
  sp_csv_close_fd(fd);
  SP_TRY(st);
  c->end = (size_t)(end - c->start);
  c->base.wait_ns += sp_now_ns() - before;
  if (s->codec == CSV_PLAIN) {
    atomic_fetch_add(&s->base.stats->bytes_scanned, end - c->start);
  }
  return SP_OK;
}

/* Windows whose text stays in a core's own cache, from when it is split until its last column is converted.
 */
static uint32_t rows_of_window(const sp_csv_source *s) {
  const int64_t rows = s->base.rows > 0 ? s->base.rows : 1, bytes = (s->size - s->data_start) / rows + 1;
  const int64_t most = WINDOW_BYTES / bytes;
  return most < WINDOW_ROWS_MIN     ? WINDOW_ROWS_MIN
         : most > SP_BATCH_ROWS_MAX ? SP_BATCH_ROWS_MAX
                                    : (uint32_t)most;
}

sp_status sp_csv_cursor_open(sp_source *base, const sp_source_plan *p, const sp_morsel *m, sp_maker mk,
                             void **scratch, sp_source_cursor **ret, sp_error *err) {
  const sp_csv_source *s = (const sp_csv_source *)base;
  SP_TRY(get_scratch(mk.mem, scratch, err));
  csv_cursor *c = sp_mem_calloc(mk.mem, sizeof *c);
  SP_TRY_ALLOC(err, c);
  *c = (csv_cursor){
      .base = {.source = base, .mk = mk}, .plan = p, .scratch = *scratch, .most_rows = rows_of_window(s)};
  c->tokens = (sp_csv_tokens){.dialect = s->dialect,
                              .index = sp_csv_index_best(),
                              .n_fields = s->n_fields,
                              .ragged = base->spec->ragged,
                              .n_wanted = p->n_columns,
                              .wanted = p->columns,
                              .positions = c->scratch->positions};
  const sp_status st = load(c, (uint32_t)m->a, err);
  if (st != SP_OK) {
    sp_csv_cursor_close(&c->base);
    return st;
  }
  *ret = &c->base;
  return SP_OK;
}

/* Rows in front of a broken one are given; the error comes when the next window is asked for. */
sp_status sp_csv_cursor_next(sp_source_cursor *base, uint32_t max_rows, uint32_t *ret_rows, sp_error *err) {
  csv_cursor *c = (csv_cursor *)base;
  max_rows = max_rows < c->most_rows ? max_rows : c->most_rows;
  SP_TRY(make_room(c->scratch, max_rows, c->plan->n_columns + 1, err));
  c->tokens.columns = c->scratch->arrays;
  const char *text = sp_csv_text(c->text);
  const size_t before = c->at;
  sp_csv_fault fault;
  const sp_csv_stop stop = sp_csv_tokenize(&c->tokens, text, &c->at, c->end, max_rows, &c->window, &fault);
  if (stop != CSV_OK && c->window == 0) {
    return sp_csv_fail((const sp_csv_source *)base->source, c->start, text, c->at, stop, &fault, err);
  }
  c->window_bytes = c->at - before;
  *ret_rows = c->window;
  return SP_OK;
}

static bool all_ascii(const char *p, size_t n) {
  const size_t step = 4096;
  for (size_t i = 0; i < n; i += step) {
    const size_t end = n - i < step ? n : i + step;
    uint8_t any = 0;
    for (size_t k = i; k < end; k++) {
      any |= (uint8_t)p[k];
    }
    if (any >= 0x80) {
      return false;
    }
  }
  return true;
}

static int by_number(const void *x, const void *y) {
  const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
  return (a > b) - (a < b);
}

sp_status sp_csv_cursor_read(sp_source_cursor *base, uint32_t column, const uint16_t *sel, uint32_t n_sel,
                             sp_column **ret, sp_error *err) {
  csv_cursor *c = (csv_cursor *)base;
  const sp_field *field = &base->source->schema->fields[column];
  if (!c->looked_at_ascii && field->type->kind == SP_KIND_STRING) {
    c->ascii = all_ascii(sp_csv_text(c->text), c->end);
    c->looked_at_ascii = true;
  }
  const uint32_t *at = bsearch(&column, c->plan->columns, c->plan->n_columns, sizeof column, by_number);
  if (at == NULL) {
    SP_FAIL(err, SP_INTERNAL, NULL, "column `%.100s` was not planned", field->name.p);
  }
  const sp_csv_window w = {.s = (const sp_csv_source *)base->source,
                           .mk = base->mk,
                           .text = c->text,
                           .text_offset = c->start,
                           .bytes = c->window_bytes,
                           .ascii = c->ascii,
                           .n_rows = c->window};
  return sp_csv_convert(&w, c->scratch->arrays[at - c->plan->columns], field, sel, n_sel, ret, err);
}

/* ---- row numbers ---- */
/* Rows of one range; no fields are kept. */
static sp_status count_range(sp_csv_source *s, int fd, const sp_csv_tokens *t, int64_t max_rows,
                             uint32_t range, int64_t *ret_rows, sp_error *err) {
  const sp_maker mk = {s->base.mem, NULL};
  sp_buf *text = NULL;
  int64_t start = 0, end = 0, rows = 0;
  SP_TRY(sp_csv_load_range(s, fd, mk, range, &text, &start, &end, err));
  sp_status st = SP_OK;
  for (size_t at = 0; st == SP_OK && at < (size_t)(end - start) && rows < max_rows;) {
    const int64_t left = max_rows - rows;
    uint32_t n = 0;
    sp_csv_fault fault;
    const sp_csv_stop stop = sp_csv_tokenize(t, sp_csv_text(text), &at, (size_t)(end - start),
                                             left < UINT32_MAX ? (uint32_t)left : UINT32_MAX, &n, &fault);
    rows += n;
    if (stop != CSV_OK) {
      st = sp_csv_fail(s, start, sp_csv_text(text), at, stop, &fault, err);
    }
  }
  sp_buf_unref(text);
  *ret_rows = rows;
  return st;
}

static sp_status count_ranges(sp_csv_source *s, int fd, const sp_csv_tokens *t, int64_t max_rows,
                              sp_morsel *m, uint32_t n, int64_t *ret_rows, sp_error *err) {
  int64_t row = 0;
  for (uint32_t i = 0; i < n; i++) {
    m[i].first_row = row;
    m[i].rows = 0;
    if (row < max_rows) {
      SP_TRY(count_range(s, fd, t, max_rows - row, i, &m[i].rows, err));
    }
    row += m[i].rows;
  }
  *ret_rows = row;
  return SP_OK;
}

sp_status sp_csv_count(sp_csv_source *s, int64_t max_rows, sp_morsel *m, uint32_t n, int64_t *ret_rows,
                       sp_error *err) {
  uint16_t *positions = sp_mem_alloc(s->base.mem, CSV_POSITIONS * sizeof *positions);
  SP_TRY_ALLOC(err, positions);
  const sp_csv_tokens t = {.dialect = s->dialect,
                           .index = sp_csv_index_best(),
                           .n_fields = s->n_fields,
                           .ragged = s->base.spec->ragged,
                           .positions = positions};
  int fd = -1;
  sp_status st = sp_csv_open_fd(s, &fd, err);
  if (st == SP_OK) {
    st = count_ranges(s, fd, &t, max_rows < 0 ? INT64_MAX : max_rows, m, n, ret_rows, err);
  }
  sp_csv_close_fd(fd);
  sp_mem_free(s->base.mem, positions, CSV_POSITIONS * sizeof *positions);
  return st;
}
