/* Helpers of the tests that write files: a scan copied into a writer, in chunks of so many batches. */
#ifndef SP_TESTS_WRITE_FILE_H
#define SP_TESTS_WRITE_FILE_H

#include "scan_file.h"

/* All columns of the window as a batch. */
static inline sp_status window_batch(sp_cursor *c, const sp_scan_request *r, uint32_t n, sp_maker mk,
                                     sp_batch **ret, sp_error *err) {
  sp_batch *b = sp_batch_new(mk.mem, r->n_columns, n);
  SP_TRY_ALLOC(err, b);
  for (uint32_t k = 0; k < r->n_columns; k++) {
    const sp_status st = sp_cursor_read(c, r->columns[k], NULL, n, &b->cols[k], err);
    if (st != SP_OK) {
      sp_batch_unref(b);
      return st;
    }
  }
  *ret = b;
  return SP_OK;
}

static inline sp_status write_batches(sp_writer *w, sp_batch *const *batches, uint32_t n, sp_maker mk,
                                      sp_error *err) {
  sp_chunk *chunk = NULL;
  SP_TRY(sp_writer_encode(w, batches, n, mk, &chunk, err));
  return sp_writer_append(w, chunk, err);
}

static inline sp_status copy_morsel(sp_dataset *d, const sp_scan_request *r, uint32_t morsel, uint32_t window,
                                    sp_maker mk, sp_cursor_scratch **scratch, sp_writer *w, sp_error *err) {
  sp_cursor *c = NULL;
  SP_TRY(sp_cursor_open(d, morsel, mk, scratch, &c, err));
  sp_status st = SP_OK;
  for (uint32_t n = 1; st == SP_OK && n > 0;) {
    sp_batch *b = NULL;
    st = sp_cursor_next(c, window, &n, err);
    if (st == SP_OK && n > 0) {
      st = window_batch(c, r, n, mk, &b, err);
    }
    if (st == SP_OK && n > 0) {
      st = write_batches(w, &b, 1, mk, err);
    }
    sp_batch_unref(b);
  }
  sp_cursor_close(c);
  return st;
}

static inline sp_status copy_rows(sp_dataset *d, uint32_t window, sp_maker mk, sp_writer *w, sp_error *err) {
  uint32_t all[SCAN_COLUMNS];
  for (uint32_t i = 0; i < SCAN_COLUMNS; i++) {
    all[i] = i;
  }
  const sp_scan_request r = {.n_columns = sp_dataset_schema(d)->n, .columns = all, .workers = 1};
  SP_TRY(sp_dataset_plan(d, &r, err));
  sp_cursor_scratch *scratch = NULL;
  sp_status st = SP_OK;
  for (uint32_t m = 0; m < sp_dataset_morsels(d) && st == SP_OK; m++) {
    st = copy_morsel(d, &r, m, window, mk, &scratch, w, err);
  }
  sp_cursor_scratch_free(scratch);
  return st;
}

/* Writes what `from` reads as `to` says; to.schema is set here. */
static inline sp_status copy_file(sp_mem *mem, sp_pool *pool, const sp_scan_spec *from, sp_sink_spec to,
                                  uint32_t window, sp_error *err) {
  sp_dataset *d = NULL;
  SP_TRY(sp_dataset_open(from, mem, &d, err));
  to.schema = sp_dataset_schema(d);
  sp_writer *w = NULL;
  sp_status st = sp_writer_open(&to, mem, &w, err);
  if (st == SP_OK) {
    st = copy_rows(d, window, (sp_maker){mem, pool}, w, err);
    if (st == SP_OK) {
      int64_t bytes = 0;
      st = sp_writer_commit(w, &bytes, err);
    } else {
      sp_writer_abort(w);
    }
  }
  sp_dataset_unref(d);
  return st;
}

/* How many files the folder holds. */
static inline uint32_t world_files(const world *w) {
  char command[128];
  (void)snprintf(command, sizeof command, "find %s -type f | wc -l", w->dir);
  FILE *f = popen(command, "r");
  assert_non_null(f);
  unsigned n = 0;
  assert_int_equal(fscanf(f, "%u", &n), 1);
  assert_int_equal(pclose(f), 0);
  return n;
}

#endif
