/* The CSV format: opening, planning, and the table of its functions. See csv.h for the way of a byte. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cformat.h"
#include "io/formats/csv/csv.h"

#define HEAD_INFLATED ((size_t)4 << 20) /* of a compressed file, for names and types */
#define DEFAULT_ROWS 10000

/* ---- opening ---- */
static sp_status load(sp_csv_source *s, int fd, sp_error *err) {
  const sp_loc loc = {.file = s->base.path};
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    SP_FAIL(err, SP_IO, &loc, "not a regular file");
  }
  s->size = s->base.bytes = st.st_size;
  s->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
  uint8_t head[4];
  const size_t n = s->base.bytes < 4 ? (size_t)s->base.bytes : 4;
  SP_TRY(sp_csv_read_file(s, fd, 0, head, n, err));
  s->codec = sp_csv_codec_of(s->base.path, head, n);
  if (s->codec != CSV_PLAIN) {
    const int64_t rows = s->base.spec->infer_rows;
    const bool all = s->base.spec->schema == NULL && (rows < 0 || rows > DEFAULT_ROWS);
    SP_TRY(sp_csv_inflate(s, fd, all ? SIZE_MAX : HEAD_INFLATED, err));
  }
  return sp_csv_infer(s, fd, err);
}

static void csv_close(sp_source *base) {
  if (base != NULL) {
    sp_csv_source *s = (sp_csv_source *)base;
    sp_buf_unref(s->inflated);
    sp_arena_release(&base->arena);
    (void)pthread_mutex_destroy(&s->lock);
    sp_mem_free(base->mem, s, sizeof *s);
  }
}

static sp_status check_dialect(const sp_scan_spec *spec, const char *path, sp_error *err) {
  const sp_loc loc = {.file = path};
  const char both[] = {spec->separator, spec->quote};
  for (size_t i = 0; i < sizeof both; i++) {
    if (both[i] == '\n' || both[i] == '\r' || (unsigned char)both[i] >= 0x80) {
      SP_FAIL(err, SP_INVALID, &loc, "%s must be one ASCII character and no line end",
              i == 0 ? "the separator" : "the quote");
    }
  }
  if (sp_csv_in_numbers(spec->quote)) {
    SP_FAIL(err, SP_INVALID, &loc, "the quote must be a character that no number holds");
  }
  if (spec->separator == spec->quote || spec->separator == '\0') {
    SP_FAIL(err, SP_INVALID, &loc, "the separator must be given and differ from the quote");
  }
  return SP_OK;
}

static uint64_t null_lengths(const sp_scan_spec *spec) {
  uint64_t lengths = 1;
  for (uint32_t i = 0; i < spec->n_null_values; i++) {
    const size_t n = strlen(spec->null_values[i]);
    lengths |= UINT64_C(1) << (n < 63 ? n : 63);
  }
  return lengths;
}

static sp_csv_source *new_source(const sp_scan_spec *spec, const char *path, sp_mem *mem) {
  sp_csv_source *s = sp_mem_calloc(mem, sizeof *s);
  if (s == NULL) {
    return NULL;
  }
  s->base = (sp_source){.format = &sp_format_csv, .path = path, .spec = spec, .mem = mem, .rows = -1};
  s->dialect = (sp_csv_dialect){.separator = spec->separator, .quote = spec->quote, .line_end = '\n'};
  s->null_lengths = null_lengths(spec);
  sp_arena_init(&s->base.arena, mem);
  (void)pthread_mutex_init(&s->lock, NULL);
  return s;
}

static sp_status csv_open(const sp_scan_spec *spec, const char *path, sp_mem *mem, sp_source **ret,
                          sp_error *err) {
  SP_TRY(check_dialect(spec, path, err));
  const sp_loc loc = {.file = path};
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a fifo must not make it wait */
  if (fd < 0) {
    char text[128];
    SP_FAIL(err, errno == ENOENT ? SP_NOT_FOUND : SP_IO, &loc, "cannot open: %s",
            sp_errno_text(errno, text, sizeof text));
  }
  sp_csv_source *s = new_source(spec, path, mem);
  const sp_status st = s != NULL ? load(s, fd, err) : sp_error_nomem(err);
  (void)close(fd);
  if (st != SP_OK) {
    csv_close((sp_source *)s); /* NULL-safe; it starts with its base */
    return st;
  }
  *ret = &s->base;
  return SP_OK;
}

/* ---- planning ---- */
static sp_status inflate_all(sp_csv_source *s, sp_error *err) {
  sp_buf *head = s->inflated;
  s->inflated = NULL; /* so that the file is opened */
  int fd = -1;
  sp_status st = sp_csv_open_fd(s, &fd, err);
  s->inflated = head;
  if (st == SP_OK) {
    st = sp_csv_inflate(s, fd, SIZE_MAX, err);
  }
  sp_csv_close_fd(fd);
  return st;
}

static sp_status csv_plan(sp_source *base, const sp_source_plan *p, sp_morsel **ret, uint32_t *ret_n,
                          sp_error *err) {
  sp_csv_source *s = (sp_csv_source *)base;
  if (s->codec != CSV_PLAIN && !s->inflated_whole) {
    SP_TRY(inflate_all(s, err));
  }
  SP_TRY(sp_csv_split(s, p->workers, err));
  sp_morsel *m = SP_ARENA_ARRAY(&base->arena, sp_morsel, (size_t)s->n_ranges + 1);
  SP_TRY_ALLOC(err, m);
  for (uint32_t i = 0; i < s->n_ranges; i++) {
    m[i] = (sp_morsel){.first_row = -1, .rows = -1, .a = i};
  }
  if (p->needs_row_numbers) {
    SP_TRY(sp_csv_count(s, p->max_rows, m, s->n_ranges, &base->rows, err));
    base->rows_exact = true;
  }
  if (s->codec != CSV_PLAIN) {
    atomic_fetch_add(&base->stats->bytes_scanned, base->bytes);
  }
  *ret = m;
  *ret_n = s->n_ranges;
  return SP_OK;
}

const sp_format sp_format_csv = {
    .name = "csv",
    .suffixes = "csv csv.gz csv.zst",
    .open = csv_open,
    .close = csv_close,
    .plan = csv_plan,
    .cursor_open = sp_csv_cursor_open,
    .cursor_next = sp_csv_cursor_next,
    .cursor_read = sp_csv_cursor_read,
    .cursor_close = sp_csv_cursor_close,
    .scratch_free = sp_csv_scratch_free,
    .write_open = sp_csv_write_open,
    .write_encode = sp_csv_write_encode,
    .write_append = sp_csv_write_append,
    .write_chunk_free = sp_csv_write_chunk_free,
    .write_finish = sp_csv_write_finish,
    .write_close = sp_csv_write_close,
};
