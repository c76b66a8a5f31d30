/* Helpers of the Parquet tests: a file opened through its format's functions, and all its values visited in
 * windows. */
#ifndef SP_TESTS_PARQUET_FILE_H
#define SP_TESTS_PARQUET_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/text.h"
#include "io/formats/parquet/parquet.h"

#define FILE_COLUMNS 2000

typedef struct file {
  sp_mem mem;
  sp_pool *pool;
  sp_scan_spec spec;
  sp_scan_stats stats;
  sp_source *source;
  uint32_t columns[FILE_COLUMNS], n_columns;
  sp_source_plan plan;
  sp_morsel *morsels;
  uint32_t n_morsels;
} file;

/* Called for each column of each window with the window's first row. A status other than SP_OK ends the
 * reading. */
typedef sp_status (*visit_fn)(void *ctx, const file *f, uint32_t column, int64_t first_row,
                              const sp_column *c, sp_error *err);

static inline sp_maker file_maker(file *f) {
  return (sp_maker){&f->mem, f->pool};
}

static inline sp_status file_open(file *f, const char *path, sp_error *err) {
  *f = (file){.spec = {.n_rows = -1}};
  sp_mem_init(&f->mem, NULL, "test");
  f->pool = sp_pool_new(&f->mem);
  if (f->pool == NULL) {
    return sp_error_nomem(err);
  }
  SP_TRY(sp_format_parquet.open(&f->spec, path, &f->mem, &f->source, err));
  f->source->stats = &f->stats;
  f->n_columns = f->source->schema->n < FILE_COLUMNS ? f->source->schema->n : FILE_COLUMNS;
  for (uint32_t i = 0; i < f->n_columns; i++) {
    f->columns[i] = i;
  }
  f->plan = (sp_source_plan){.n_columns = f->n_columns, .columns = f->columns, .workers = 1};
  return SP_OK;
}

static inline sp_status file_plan(file *f, sp_error *err) {
  return sp_format_parquet.plan(f->source, &f->plan, &f->morsels, &f->n_morsels, err);
}

/* Everything must be given back: leaks are a failure. */
static inline void file_close(file *f) {
  sp_format_parquet.close(f->source);
  if (f->pool != NULL) {
    sp_pool_trim(f->pool);
    sp_pool_unref(f->pool);
  }
  assert_int_equal(atomic_load(&f->mem.live), 0);
  sp_mem_release(&f->mem);
}

/* One window; sel as for cursor_read. */
static inline sp_status file_window(file *f, sp_source_cursor *c, int64_t row, uint32_t n, visit_fn visit,
                                    void *ctx, sp_error *err) {
  for (uint32_t i = 0; i < f->plan.n_columns; i++) {
    sp_column *col = NULL;
    SP_TRY(sp_format_parquet.cursor_read(c, f->plan.columns[i], NULL, n, &col, err));
    sp_status st = SP_OK;
    if (col->length != n) {
      st = sp_error_set(err, SP_INTERNAL, NULL, "a column of %u rows in a window of %u", col->length, n);
    }
    if (st == SP_OK && visit != NULL) {
      st = visit(ctx, f, f->plan.columns[i], row, col, err);
    }
    sp_column_unref(col);
    SP_TRY(st);
  }
  return SP_OK;
}

static inline sp_status file_morsel(file *f, const sp_morsel *m, uint32_t window, int64_t max_rows,
                                    void **scratch, visit_fn visit, void *ctx, sp_error *err) {
  sp_source_cursor *c = NULL;
  SP_TRY(sp_format_parquet.cursor_open(f->source, &f->plan, m, file_maker(f), scratch, &c, err));
  int64_t row = m->first_row;
  sp_status st = SP_OK;
  uint32_t n = 1;
  while (st == SP_OK && n > 0 && row - m->first_row < max_rows) {
    st = sp_format_parquet.cursor_next(c, window, &n, err);
    if (st == SP_OK && n > 0) {
      st = file_window(f, c, row, n, visit, ctx, err);
    }
    row += n;
  }
  sp_format_parquet.cursor_close(c);
  return st;
}

/* Reads all morsels, each up to max_rows. */
static inline sp_status file_read(file *f, uint32_t window, int64_t max_rows, visit_fn visit, void *ctx,
                                  sp_error *err) {
  void *scratch = NULL;
  sp_status st = file_plan(f, err);
  for (uint32_t i = 0; i < f->n_morsels && st == SP_OK; i++) {
    st = file_morsel(f, &f->morsels[i], window, max_rows, &scratch, visit, ctx, err);
  }
  sp_format_parquet.scratch_free(scratch);
  return st;
}

#endif
