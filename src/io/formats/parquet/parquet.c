/* The Parquet format: opening a file and the table of functions that src/io knows it by.
 *
 * A file ends in: footer, its length (4 bytes, little-endian), "PAR1". One read of the last 64 KiB usually
 * has all of it. */
#include "io/formats/parquet/parquet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL ((int64_t)64 << 10)

/* The file's end from `*ret_at` on, in the arena: at least its footer. */
static sp_status read_footer(sp_pq_source *s, int fd, const uint8_t **ret_p, size_t *ret_n, sp_error *err) {
  const int64_t size = s->base.bytes;
  if (size < 12) {
    SP_FAIL(err, SP_DATA, NULL, "not a Parquet file: only %lld bytes", (long long)size);
  }
  const int64_t n = size < TAIL ? size : TAIL;
  uint8_t *tail = sp_arena_alloc(&s->base.arena, (size_t)n);
  SP_TRY_ALLOC(err, tail);
  SP_TRY(sp_pq_pread(fd, size - n, tail, (size_t)n, err));
  const uint8_t *magic = tail + n - 4;
  if (memcmp(magic, "PARE", 4) == 0) {
    SP_FAIL(err, SP_UNSUPPORTED, NULL, "an encrypted Parquet file");
  }
  if (memcmp(magic, "PAR1", 4) != 0) {
    SP_FAIL(err, SP_DATA, NULL, "not a Parquet file: it does not end in PAR1");
  }
  const uint32_t len = sp_pq_load32(magic - 4);
  if (len > size - 8) {
    SP_FAIL(err, SP_DATA, NULL, "the Parquet footer of %u bytes is longer than the file", len);
  }
  *ret_n = len;
  if (len + 8 <= n) {
    *ret_p = tail + n - 8 - len;
    return SP_OK;
  }
  uint8_t *all = sp_arena_alloc(&s->base.arena, len);
  SP_TRY_ALLOC(err, all);
  SP_TRY(sp_pq_pread(fd, size - 8 - len, all, len, err));
  *ret_p = all;
  return SP_OK;
}

static sp_status check_groups(sp_pq_source *s, sp_error *err) {
  int64_t rows = 0;
  for (uint32_t i = 0; i < s->meta.n_groups; i++) {
    const int64_t n = s->meta.groups[i].rows;
    if (n < 0 || __builtin_add_overflow(rows, n, &rows)) {
      SP_FAIL(err, SP_DATA, NULL, "row group %u has an impossible number of rows", i);
    }
  }
  s->base.rows = rows;
  s->base.rows_exact = true;
  return SP_OK;
}

static sp_status load(sp_pq_source *s, int fd, sp_error *err) {
  struct stat st;
  if (fstat(fd, &st) != 0) {
    SP_FAIL(err, SP_IO, NULL, "cannot examine the file: %s", strerror(errno));
  }
  if (!S_ISREG(st.st_mode)) {
    SP_FAIL(err, SP_IO, NULL, "not a regular file");
  }
  s->base.bytes = st.st_size;
  s->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
  const uint8_t *p = NULL;
  size_t n = 0;
  SP_TRY(read_footer(s, fd, &p, &n, err));
  SP_TRY(sp_pq_meta_read(&s->base.arena, p, n, &s->meta, err));
  SP_TRY(check_groups(s, err));
  return sp_pq_schema(s, err);
}

static void pq_close(sp_source *base) {
  if (base != NULL) {
    sp_arena_release(&base->arena);
    sp_mem_free(base->mem, base, sizeof(sp_pq_source));
  }
}

static sp_status pq_open(const sp_scan_spec *spec, const char *path, sp_mem *mem, sp_source **ret,
                         sp_error *err) {
  const sp_loc loc = {.file = path};
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int e = errno;
    SP_FAIL(err, e == ENOENT ? SP_NOT_FOUND : SP_IO, &loc, "cannot open the file: %s", strerror(e));
  }
  sp_pq_source *s = sp_mem_calloc(mem, sizeof *s);
  if (s == NULL) {
    close(fd);
    return sp_error_nomem(err);
  }
  s->base = (sp_source){.format = &sp_format_parquet, .path = path, .spec = spec, .mem = mem};
  sp_arena_init(&s->base.arena, mem);
  const sp_status st = load(s, fd, err);
  close(fd);
  if (st != SP_OK) {
    if (st != SP_NOMEM) {
      sp_error_place(err, &loc);
    }
    pq_close(&s->base);
    return st;
  }
  *ret = &s->base;
  return SP_OK;
}

const sp_format sp_format_parquet = {
    .name = "parquet",
    .suffixes = "parquet pq",
    .open = pq_open,
    .close = pq_close,
    .plan = sp_pq_plan,
    .cursor_open = sp_pq_cursor_open,
    .cursor_next = sp_pq_cursor_next,
    .cursor_read = sp_pq_cursor_read,
    .cursor_close = sp_pq_cursor_close,
    .scratch_free = sp_pq_scratch_free,
    .column_stats = sp_pq_column_stats,
    .write_open = sp_pq_write_open,
    .write_encode = sp_pq_write_encode,
    .write_append = sp_pq_write_append,
    .write_chunk_free = sp_pq_write_chunk_free,
    .write_finish = sp_pq_write_finish,
    .write_close = sp_pq_write_close,
};
