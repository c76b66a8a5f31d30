/* Reads bytes as a file of a format through the whole of src/io: opened, planned, all columns of all morsels. */
#ifndef SP_FUZZ_SCAN_H
#define SP_FUZZ_SCAN_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/io.h"

static inline void fuzz_morsel(sp_dataset *d, uint32_t m, sp_maker mk, sp_cursor_scratch **scratch, uint32_t window) {
  sp_error err = SP_ERROR_INIT;
  sp_cursor *c = NULL;
  if (sp_cursor_open(d, m, mk, scratch, &c, &err) != SP_OK) {
    return;
  }
  uint32_t n = 0;
  for (int64_t rows = 0; rows < 200000 && sp_cursor_next(c, window, &n, &err) == SP_OK && n > 0; rows += n) {
    for (uint32_t k = 0; k < sp_dataset_schema(d)->n; k++) {
      sp_column *col = NULL;
      if (sp_cursor_read(c, k, NULL, 0, &col, &err) != SP_OK) {
        sp_cursor_close(c);
        return;
      }
      (void)sp_column_bytes(col, NULL, n);
      sp_column_unref(col);
    }
  }
  sp_cursor_close(c);
}

static inline void fuzz_scan(sp_scan_spec *spec, const char *suffix, const uint8_t *data, size_t size, uint32_t window) {
  char path[64];
  (void)snprintf(path, sizeof path, "/tmp/sigmapi-fuzz-%d.%s", (int)getpid(), suffix);
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
    abort();
  }
  (void)close(fd);
  const char *paths[] = {path};
  spec->format = sp_format_by_path(path);
  spec->paths = paths;
  spec->n_paths = 1;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "fuzz");
  mem.limit = (int64_t)1 << 30;
  sp_pool *pool = sp_pool_new(&mem);
  sp_dataset *d = NULL;
  sp_error err = SP_ERROR_INIT;
  if (pool != NULL && sp_dataset_open(spec, &mem, &d, &err) == SP_OK) {
    const uint32_t n = sp_dataset_schema(d)->n;
    uint32_t *columns = calloc(n + 1, sizeof *columns);
    for (uint32_t i = 0; columns != NULL && i < n; i++) {
      columns[i] = i;
    }
    const sp_scan_request r = {.n_columns = n, .columns = columns, .workers = 2};
    sp_cursor_scratch *scratch = NULL;
    if (columns != NULL && sp_dataset_plan(d, &r, &err) == SP_OK) {
      for (uint32_t m = 0; m < sp_dataset_morsels(d) && m < 64; m++) {
        fuzz_morsel(d, m, (sp_maker){&mem, pool}, &scratch, window);
      }
    }
    sp_cursor_scratch_free(scratch);
    sp_dataset_unref(d);
    free(columns);
  }
  sp_pool_unref(pool);
  if (mem.live != 0) {
    abort();
  }
  sp_mem_release(&mem);
  (void)unlink(path);
}

#endif
