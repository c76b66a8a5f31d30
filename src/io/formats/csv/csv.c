/* The CSV format: opening, planning, cursors. See csv.h for the way of a byte. */
#include "io/formats/csv/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/thread.h"

#define HEAD ((size_t)1 << 20) /* looked at first; the sample needs more when infer_rows says so */
#define PAD 64                 /* readable bytes behind the text */

int64_t sp_csv_range_bytes = CSV_RANGE_BYTES;

static bool ends_with(const char *s, const char *end) {
  const size_t n = strlen(s), k = strlen(end);
  return n >= k && strcmp(s + n - k, end) == 0;
}

/* ---- compressed files are inflated whole ---- */
static sp_status grow(sp_buf *b, size_t need, const sp_csv_source *s, sp_error *err) {
  const sp_loc loc = {.file = s->base.path};
  if (need > CSV_MAX_INFLATED) {
    SP_FAIL(err, SP_LIMIT, &loc, "the file inflates to more than %zu GiB", CSV_MAX_INFLATED >> 30);
  }
  return sp_buf_reserve(b, need + PAD) ? SP_OK : sp_error_nomem(err);
}

static sp_status inflate_gzip(sp_csv_source *s, const uint8_t *in, size_t n, sp_buf *out, sp_error *err) {
  const sp_loc loc = {.file = s->base.path};
  z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = 0};
  if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
    return sp_error_nomem(err);
  }
  sp_status st = SP_OK;
  size_t used = 0;
  int rc = Z_OK;
  while (st == SP_OK && used < n) {
    if (rc == Z_STREAM_END && inflateReset(&z) != Z_OK) { /* several members one after the other */
      rc = Z_DATA_ERROR;
    }
    st = grow(out, out->size + ((size_t)1 << 20), s, err);
    if (st != SP_OK || rc == Z_DATA_ERROR) {
      break;
    }
    z.next_in = (Bytef *)(uintptr_t)(in + used);
    z.avail_in = (uInt)(n - used > ((size_t)1 << 30) ? (size_t)1 << 30 : n - used);
    z.next_out = out->data + out->size;
    z.avail_out = (uInt)((size_t)1 << 20);
    const uInt had_in = z.avail_in, had_out = z.avail_out;
    rc = inflate(&z, Z_NO_FLUSH);
    used += had_in - z.avail_in;
    out->size += had_out - z.avail_out;
    if (rc != Z_OK && rc != Z_STREAM_END && !(rc == Z_BUF_ERROR && had_out != z.avail_out)) {
      break;
    }
  }
  (void)inflateEnd(&z);
  if (st == SP_OK && rc != Z_STREAM_END) {
    SP_FAIL(err, SP_DATA, &loc, "broken gzip data");
  }
  return st;
}

static sp_status inflate_zstd(sp_csv_source *s, const uint8_t *in, size_t n, sp_buf *out, sp_error *err) {
  const sp_loc loc = {.file = s->base.path};
  ZSTD_DStream *z = ZSTD_createDStream();
  SP_TRY_ALLOC(err, z);
  ZSTD_inBuffer input = {in, n, 0};
  sp_status st = SP_OK;
  size_t rc = 1;
  while (st == SP_OK && (input.pos < n || rc != 0)) {
    st = grow(out, out->size + ((size_t)1 << 20), s, err);
    if (st != SP_OK) {
      break;
    }
    ZSTD_outBuffer output = {out->data + out->size, (size_t)1 << 20, 0};
    const size_t before = input.pos;
    rc = ZSTD_decompressStream(z, &output, &input);
    out->size += output.pos;
    if (ZSTD_isError(rc) || (output.pos == 0 && input.pos == before)) {
      st = sp_error_set(err, SP_DATA, &loc, "broken zstd data");
    }
  }
  (void)ZSTD_freeDStream(z);
  return st;
}

static sp_status inflate_file(sp_csv_source *s, int fd, bool gzip, sp_error *err) {
  sp_buf *in = sp_buf_new(NULL, s->base.mem, (size_t)s->base.bytes);
  SP_TRY_ALLOC(err, in);
  sp_buf *out = sp_buf_new(NULL, s->base.mem, (size_t)s->base.bytes + PAD);
  size_t n = 0;
  sp_status st = out != NULL ? sp_csv_read(s, fd, 0, in->data, (size_t)s->base.bytes, &n, err) : sp_error_nomem(err);
  if (st == SP_OK) {
    st = gzip ? inflate_gzip(s, in->data, n, out, err) : inflate_zstd(s, in->data, n, out, err);
  }
  sp_buf_unref(in);
  if (st != SP_OK) {
    sp_buf_unref(out);
    return st;
  }
  s->inflated = out;
  return SP_OK;
}

/* ---- opening ---- */
static sp_status look_at_head(sp_csv_source *s, int fd, sp_error *err) {
  const int64_t size = s->inflated != NULL ? (int64_t)s->inflated->size : s->base.bytes;
  size_t want = HEAD;
  if (s->base.spec->infer_rows < 0) {
    want = (size_t)size;
  }
  for (;;) {
    want = (int64_t)want > size ? (size_t)size : want;
    char *text = sp_mem_alloc(s->base.mem, want + PAD);
    SP_TRY_ALLOC(err, text);
    size_t n = 0;
    sp_status st = sp_csv_read(s, fd, 0, text, want, &n, err);
    const bool whole = (int64_t)n == size;
    size_t rows_end = n; /* a row that the head cuts in two is left out */
    while (!whole && rows_end > 0 && text[rows_end - 1] != '\n') {
      rows_end--;
    }
    if (st == SP_OK && rows_end == 0 && !whole && (int64_t)want < CSV_MAX_ROW_BYTES) {
      sp_mem_free(s->base.mem, text, want + PAD);
      want *= 4;
      continue;
    }
    if (st == SP_OK) {
      memset(text + n, 0, PAD);
      st = sp_csv_infer(s, text, rows_end > 0 ? rows_end : n, whole, err);
    }
    sp_mem_free(s->base.mem, text, want + PAD);
    return st;
  }
}

static sp_status load(sp_csv_source *s, int fd, sp_error *err) {
  const sp_loc loc = {.file = s->base.path};
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    SP_FAIL(err, SP_IO, &loc, "not a regular file");
  }
  s->base.bytes = st.st_size;
  s->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
  const bool gzip = ends_with(s->base.path, ".gz");
  if (gzip || ends_with(s->base.path, ".zst")) {
    SP_TRY(inflate_file(s, fd, gzip, err));
  }
  return look_at_head(s, fd, err);
}

static void csv_close(sp_source *base) {
  if (base != NULL) {
    sp_csv_source *s = (sp_csv_source *)base;
    sp_buf_unref(s->inflated);
    sp_arena_release(&base->arena);
    sp_mem_free(base->mem, s, sizeof *s);
  }
}

static const sp_format *self(void);

static sp_status csv_open(const sp_scan_spec *spec, const char *path, sp_mem *mem, sp_source **ret, sp_error *err) {
  const sp_loc loc = {.file = path};
  if (spec->separator == spec->quote || spec->separator == '\n' || spec->separator == '\r' || spec->quote == '\n' || spec->quote == '\r') {
    SP_FAIL(err, SP_INVALID, &loc, "separator and quote must differ and be no line end");
  }
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    SP_FAIL(err, errno == ENOENT ? SP_NOT_FOUND : SP_IO, &loc, "cannot open the file: %s", strerror(errno));
  }
  sp_csv_source *s = sp_mem_calloc(mem, sizeof *s);
  if (s == NULL) {
    (void)close(fd);
    return sp_error_nomem(err);
  }
  s->base = (sp_source){.format = self(), .path = path, .spec = spec, .mem = mem, .rows = -1};
  s->separator = spec->separator;
  s->quote = spec->quote;
  sp_arena_init(&s->base.arena, mem);
  const sp_status st = load(s, fd, err);
  (void)close(fd);
  if (st != SP_OK) {
    csv_close(&s->base);
    return st;
  }
  *ret = &s->base;
  return SP_OK;
}

/* ---- planning ---- */
static sp_status count_rows(sp_csv_source *s, sp_morsel *m, uint32_t n, sp_error *err);

static sp_status csv_plan(sp_source *base, const sp_source_plan *p, sp_morsel **ret, uint32_t *ret_n, sp_error *err) {
  sp_csv_source *s = (sp_csv_source *)base;
  const int64_t size = s->inflated != NULL ? (int64_t)s->inflated->size : base->bytes;
  sp_csv_scanner *scan = NULL;
  SP_TRY(sp_csv_scanner_new(s, &scan, err));
  sp_morsel *m = NULL;
  uint32_t n = 0, cap = 0;
  sp_status st = SP_OK;
  for (int64_t at = s->data_start; at < size && st == SP_OK;) {
    int64_t end = size;
    if (size - at > sp_csv_range_bytes + sp_csv_range_bytes / 2) {
      st = sp_csv_scan_to(scan, at + sp_csv_range_bytes, &end, err);
    }
    if (st == SP_OK && end - at > CSV_MAX_ROW_BYTES) {
      st = sp_csv_row_error(s, at, CSV_OPEN_QUOTE, 0, err);
    }
    if (st == SP_OK && !sp_arena_grow(&base->arena, &m, &cap, n + 1, sizeof *m)) {
      st = sp_error_nomem(err);
    }
    if (st == SP_OK) {
      m[n++] = (sp_morsel){.first_row = -1, .rows = -1, .a = (uint64_t)at, .b = (uint64_t)end};
      at = end;
    }
  }
  sp_csv_scanner_free(scan);
  if (st == SP_OK && p->needs_row_numbers) {
    st = count_rows(s, m, n, err);
  }
  SP_TRY(st);
  atomic_fetch_add(&base->stats->row_groups_total, n);
  *ret = m;
  *ret_n = n;
  return SP_OK;
}

/* ---- cursors ---- */
typedef struct csv_scratch {
  sp_mem *mem;
  uint32_t rows, columns; /* room */
  sp_csv_field *cells;
  sp_csv_field **arrays;
  uint32_t *row_starts;
  uint32_t *slots;
  uint32_t n_slots;
} csv_scratch;

typedef struct csv_cursor {
  sp_source_cursor base;
  const sp_source_plan *plan;
  csv_scratch *scratch;
  int64_t start, end; /* in the file */
  sp_buf *text;
  size_t at;          /* in text */
  sp_csv_tokens tokens;
  uint32_t window;
} csv_cursor;

static void free_arrays(csv_scratch *x) {
  sp_mem_free(x->mem, x->cells, (size_t)x->rows * x->columns * sizeof *x->cells);
  sp_mem_free(x->mem, x->arrays, x->columns * sizeof *x->arrays);
  sp_mem_free(x->mem, x->row_starts, x->rows * sizeof *x->row_starts);
  x->cells = NULL;
  x->arrays = NULL;
  x->row_starts = NULL;
  x->rows = x->columns = 0;
}

static void csv_scratch_free(void *p) {
  csv_scratch *x = p;
  if (x != NULL) {
    free_arrays(x);
    sp_mem_free(x->mem, x->slots, x->n_slots * sizeof *x->slots);
    sp_mem_free(sp_mem_process(), x, sizeof *x);
  }
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
  uint32_t *starts = sp_mem_alloc(x->mem, rows * sizeof *starts);
  if (cells == NULL || arrays == NULL || starts == NULL) {
    sp_mem_free(x->mem, cells, (size_t)rows * columns * sizeof *cells);
    sp_mem_free(x->mem, arrays, columns * sizeof *arrays);
    sp_mem_free(x->mem, starts, rows * sizeof *starts);
    return sp_error_nomem(err);
  }
  x->cells = cells;
  x->arrays = arrays;
  x->row_starts = starts;
  x->rows = rows;
  x->columns = columns;
  for (uint32_t i = 0; i < columns; i++) {
    arrays[i] = cells + (size_t)i * rows;
  }
  return SP_OK;
}

static sp_status get_scratch(const sp_csv_source *s, const sp_source_plan *p, void **scratch, csv_scratch **ret, sp_error *err) {
  csv_scratch *x = *scratch;
  if (x == NULL) {
    x = sp_mem_calloc(sp_mem_process(), sizeof *x);
    SP_TRY_ALLOC(err, x);
    x->mem = sp_mem_process();
    *scratch = x;
  }
  if (x->n_slots < s->n_fields) {
    sp_mem_free(x->mem, x->slots, x->n_slots * sizeof *x->slots);
    x->n_slots = 0;
    x->slots = sp_mem_alloc(x->mem, s->n_fields * sizeof *x->slots);
    SP_TRY_ALLOC(err, x->slots);
    x->n_slots = s->n_fields;
  }
  memset(x->slots, 0xff, s->n_fields * sizeof *x->slots);
  for (uint32_t i = 0; i < p->n_columns; i++) {
    x->slots[p->columns[i]] = i;
  }
  *ret = x;
  return SP_OK;
}

static sp_status read_range(csv_cursor *c, sp_error *err) {
  const sp_csv_source *s = (const sp_csv_source *)c->base.source;
  const size_t n = (size_t)(c->end - c->start);
  c->text = sp_buf_new(c->base.mk.pool, c->base.mk.mem, n + PAD);
  SP_TRY_ALLOC(err, c->text);
  int fd = -1;
  const int64_t before = sp_now_ns();
  SP_TRY(sp_csv_open_fd(s, &fd, err));
  size_t got = 0;
  const sp_status st = sp_csv_read(s, fd, c->start, c->text->data, n, &got, err);
  if (fd >= 0) {
    (void)close(fd);
  }
  SP_TRY(st);
  c->base.wait_ns += sp_now_ns() - before;
  memset(c->text->data + got, 0, PAD);
  c->text->size = got;
  atomic_fetch_add(&s->base.stats->bytes_scanned, (int64_t)got);
  atomic_fetch_add(&s->base.stats->row_groups_read, 1);
  return SP_OK;
}

static void csv_cursor_close(sp_source_cursor *base) {
  if (base != NULL) {
    csv_cursor *c = (csv_cursor *)base;
    sp_buf_unref(c->text);
    sp_mem_free(base->mk.mem, c, sizeof *c);
  }
}

static sp_status csv_cursor_open(sp_source *base, const sp_source_plan *p, const sp_morsel *m, sp_maker mk, void **scratch, sp_source_cursor **ret,
                                 sp_error *err) {
  const sp_csv_source *s = (const sp_csv_source *)base;
  csv_scratch *x = NULL;
  SP_TRY(get_scratch(s, p, scratch, &x, err));
  csv_cursor *c = sp_mem_calloc(mk.mem, sizeof *c);
  SP_TRY_ALLOC(err, c);
  *c = (csv_cursor){.base = {.source = base, .mk = mk}, .plan = p, .scratch = x, .start = (int64_t)m->a, .end = (int64_t)m->b};
  c->tokens = (sp_csv_tokens){.separator = s->separator, .quote = s->quote, .n_fields = s->n_fields, .ragged = base->spec->ragged, .slot = x->slots};
  const sp_status st = read_range(c, err);
  if (st != SP_OK) {
    csv_cursor_close(&c->base);
    return st;
  }
  *ret = &c->base;
  return SP_OK;
}

static sp_status csv_cursor_next(sp_source_cursor *base, uint32_t max_rows, uint32_t *ret_rows, sp_error *err) {
  csv_cursor *c = (csv_cursor *)base;
  const sp_csv_source *s = (const sp_csv_source *)base->source;
  SP_TRY(make_room(c->scratch, max_rows, c->plan->n_columns + 1, err));
  c->tokens.columns = c->scratch->arrays;
  c->tokens.row_starts = c->scratch->row_starts;
  uint32_t rows = 0, found = 0;
  const sp_csv_stop stop = sp_csv_tokenize(&c->tokens, (const char *)c->text->data, &c->at, c->text->size, max_rows, &rows, &found);
  if (stop != CSV_OK) {
    return sp_csv_row_error(s, c->start + (int64_t)c->at, stop, found, err);
  }
  c->window = rows;
  *ret_rows = rows;
  return SP_OK;
}

static sp_status csv_cursor_read(sp_source_cursor *base, uint32_t column, const uint16_t *sel, uint32_t n_sel, sp_column **ret, sp_error *err) {
  csv_cursor *c = (csv_cursor *)base;
  const sp_csv_window w = {.s = (const sp_csv_source *)base->source, .mk = base->mk, .text = c->text, .range_start = c->start, .row_starts = c->scratch->row_starts,
                           .n_rows = c->window};
  return sp_csv_convert(&w, c->scratch->arrays[c->scratch->slots[column]], &base->source->schema->fields[column], sel, n_sel, ret, err);
}

/* Rows of every range, for row numbers: the ranges are split into rows once without keeping fields. */
static sp_status count_range(sp_csv_source *s, const sp_source_plan *p, sp_morsel *m, void **scratch, sp_error *err) {
  sp_source_cursor *cursor = NULL;
  const sp_maker mk = {s->base.mem, NULL};
  SP_TRY(csv_cursor_open(&s->base, p, m, mk, scratch, &cursor, err));
  sp_status st = SP_OK;
  m->rows = 0;
  for (uint32_t n = 1; st == SP_OK && n > 0;) {
    st = csv_cursor_next(cursor, SP_BATCH_ROWS, &n, err);
    m->rows += st == SP_OK ? n : 0;
  }
  csv_cursor_close(cursor);
  return st;
}

static sp_status count_rows(sp_csv_source *s, sp_morsel *m, uint32_t n, sp_error *err) {
  const sp_source_plan none = {.workers = 1};
  void *scratch = NULL;
  int64_t row = 0;
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < n && st == SP_OK; i++) {
    st = count_range(s, &none, &m[i], &scratch, err);
    m[i].first_row = row;
    row += m[i].rows;
    if (s->base.spec->n_rows >= 0 && row >= s->base.spec->n_rows && i + 1 < n) { /* nobody wants what is behind */
      for (uint32_t k = i + 1; k < n; k++) {
        m[k].first_row = row;
        m[k].rows = 0;
      }
      break;
    }
  }
  csv_scratch_free(scratch);
  atomic_store(&s->base.stats->bytes_scanned, 0); /* counting was no scan */
  atomic_store(&s->base.stats->row_groups_read, 0);
  SP_TRY(st);
  s->base.rows = row;
  s->base.rows_exact = true;
  return SP_OK;
}

const sp_format sp_format_csv = {
    .name = "csv",
    .suffixes = "csv csv.gz csv.zst",
    .open = csv_open,
    .close = csv_close,
    .plan = csv_plan,
    .cursor_open = csv_cursor_open,
    .cursor_next = csv_cursor_next,
    .cursor_read = csv_cursor_read,
    .cursor_close = csv_cursor_close,
    .scratch_free = csv_scratch_free,
    .write_open = sp_csv_write_open,
    .write_encode = sp_csv_write_encode,
    .write_append = sp_csv_write_append,
    .write_chunk_free = sp_csv_write_chunk_free,
    .write_finish = sp_csv_write_finish,
    .write_close = sp_csv_write_close,
};
static const sp_format *self(void) { return &sp_format_csv; }
