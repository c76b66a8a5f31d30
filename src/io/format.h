/* What a file format implements, for members of formats.def. Everything that formats have in common (globs,
 * several files, schema binding, row index, file path and hive columns, the n_rows limit, opening and
 * renaming outputs) is done once in dataset.c and writer.c, in front of these functions. */
#ifndef SP_IO_FORMAT_H
#define SP_IO_FORMAT_H

#include "base/file.h"
#include "io/io.h"

/* One open file of a format; the format's own struct starts with it. */
typedef struct sp_source {
  const sp_format *format;
  const char *path; /* as opened */
  const sp_scan_spec *spec;
  sp_mem *mem;
  sp_arena arena;          /* lives as long as the source; used only by open and plan (one thread) */
  const sp_schema *schema; /* of the file: readable columns in file order */
  int64_t rows;            /* -1 unknown */
  bool rows_exact;
  int64_t bytes; /* of the file */
  uint32_t n_unreadable;
  struct sp_unreadable {
    sp_sv name, why;
  } * unreadable;
  sp_scan_stats *stats; /* the dataset's */
} sp_source;

typedef struct sp_source_plan {
  uint32_t n_columns;
  const uint32_t *columns; /* indices in source->schema, ascending */
  uint32_t n_prunes;
  const sp_prune *prunes; /* columns are indices in source->schema */
  uint32_t workers;
  bool needs_row_numbers; /* a row index or n_rows: morsels must know their first row */
  int64_t max_rows; /* with needs_row_numbers: rows of this file that are wanted at most, -1 = all; a format
                     * that must count may stop there, and say that source->rows are so many */
} sp_source_plan;

typedef struct sp_morsel {
  int64_t first_row; /* -1 unknown (only when not needed) */
  int64_t rows;      /* -1 unknown */
  uint64_t a, b;     /* the format's: row group and offset, byte range, … */
} sp_morsel;

/* One morsel being read; the format's own struct starts with it. */
typedef struct sp_source_cursor {
  sp_source *source;
  sp_maker mk;
  int64_t wait_ns;
} sp_source_cursor;

struct sp_format {
  const char *name;
  const char *suffixes; /* "parquet pq" */
  /* MUST: open path, fill every public member of *ret. spec->schema may force types (CSV). */
  sp_status (*open)(const sp_scan_spec *spec, const char *path, sp_mem *mem, sp_source **ret, sp_error *err);
  void (*close)(sp_source *s);
  /* MUST: cut into morsels in row order, those that plan->prunes excludes left out. The array lives in the
   * arena. */
  sp_status (*plan)(sp_source *s, const sp_source_plan *p, sp_morsel **ret, uint32_t *ret_n, sp_error *err);
  /* MUST: as sp_cursor_*. scratch: per-worker memory the format may keep between cursors, freed by
   * scratch_free. */
  sp_status (*cursor_open)(sp_source *s, const sp_source_plan *p, const sp_morsel *m, sp_maker mk,
                           void **scratch, sp_source_cursor **ret, sp_error *err);
  sp_status (*cursor_next)(sp_source_cursor *c, uint32_t max_rows, uint32_t *ret_rows, sp_error *err);
  sp_status (*cursor_read)(sp_source_cursor *c, uint32_t column, const uint16_t *sel, uint32_t n_sel,
                           sp_column **ret, sp_error *err);
  void (*cursor_close)(sp_source_cursor *c);
  void (*scratch_free)(void *scratch); /* MAY be NULL when scratch is never set */
  /* MAY be NULL: nothing known. */
  bool (*column_stats)(const sp_source *s, uint32_t column, sp_column_stats *ret);

  /* MAY all be NULL: cannot be written. state is the format's own; out is open. */
  sp_status (*write_open)(const sp_sink_spec *spec, sp_mem *mem, sp_out_file *out, void **ret_state,
                          uint32_t *ret_chunk_rows, sp_error *err);
  /* Thread-safe; *ret is the format's own chunk. */
  sp_status (*write_encode)(void *state, sp_batch *const *batches, uint32_t n, sp_maker mk, void **ret,
                            sp_error *err);
  sp_status (*write_append)(void *state, void *chunk, sp_error *err); /* takes the chunk over */
  void (*write_chunk_free)(void *chunk);
  sp_status (*write_finish)(void *state, sp_error *err); /* footer; out is committed by the caller */
  void (*write_close)(void *state);                      /* after finish or instead of it */
};

extern const sp_format *const sp_format_table[]; /* in the order of formats.def, NULL-terminated */

#endif
