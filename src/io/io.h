/* Reading and writing tables in files.
 *
 * A dataset is what one scan reads: one or more files of one format, after globs. It is opened once (file
 * schema, sizes, statistics), planned once (which columns, what may be skipped) and then read in morsels by
 * any number of workers. A cursor reads one morsel on one worker, in windows of rows and in two steps: next()
 * moves to the next window without decoding, read() decodes one column of that window at the selected rows.
 * That is late materialization without expressions in this folder: the executor reads predicate columns,
 * makes a selection, and reads the rest under it.
 *
 *   sp_dataset_open(&spec, …, &d, err)          schema known: check and explain need no more
 *   sp_dataset_plan(d, &request, err)           morsels known
 *   for each morsel: sp_cursor_open, while sp_cursor_next(…, &n) n > 0: sp_cursor_read(column, sel, …),
 * sp_cursor_close
 *
 * Threads: open and plan by one thread; cursors by many at once, each cursor by one. Statistics are atomic.
 */
#ifndef SP_IO_IO_H
#define SP_IO_IO_H

#include "data/column.h"
#include "data/schema.h"

#define SP_IO_MAX_FILES 100000

typedef struct sp_format sp_format;
typedef struct sp_dataset sp_dataset;
typedef struct sp_cursor sp_cursor;

typedef enum sp_ragged { SP_RAGGED_ERROR, SP_RAGGED_NULL, SP_RAGGED_TRUNCATE } sp_ragged;

/* What the plan says of a scan. Strings live as long as the dataset. Zero means "not given" throughout; take
 * the defaults from sp_scan_spec_init. */
typedef struct sp_scan_spec {
  const sp_format *format;
  uint32_t n_paths;
  const char *const *paths; /* globs allowed (* ? [] and ** for folders); relative ones start at root */
  const char *root;         /* NULL: the current folder */
  const sp_schema *schema;  /* NULL: from the file. Given: CSV parses as it says; others bind by name and cast
                               where exact */
  int64_t n_rows;           /* -1: all; read only so many rows in all, before any predicate */
  const char *row_index;    /* NULL or the name of an int64 column put first */
  int64_t row_index_offset;
  const char *include_file_path; /* NULL or the name of a string column put last */
  bool hive;                     /* add columns from k=v folders (int64, date or string by their values) */
  /* csv */
  bool has_header; /* default true; else column_1, column_2, … */
  char separator;  /* ',' */
  char quote;      /* '"'; 0 = none */
  uint32_t n_null_values;
  const char *const *null_values; /* unquoted fields that mean null, besides the empty one */
  int64_t infer_rows;             /* default 10000; 0: all columns are strings; -1: the whole file */
  bool try_parse_dates;           /* default true: infer date and datetime */
  sp_ragged ragged;
} sp_scan_spec;
void sp_scan_spec_init(sp_scan_spec *s);

/* ---- what may be skipped ---- */
/* An interval of values of the column's type. Missing ends are unbounded. */
typedef struct sp_range {
  bool has_lo, has_hi, lo_open, hi_open;
  sp_value lo, hi;
} sp_range;

/* Rows whose value of `column` lies in none of the ranges are not wanted (a file may still return them: the
 * executor filters again). NaN is in no range. */
typedef struct sp_prune {
  uint32_t column; /* index in the dataset's schema */
  uint32_t n_ranges;
  const sp_range *ranges; /* sorted, disjoint */
  bool wants_null;        /* rows with null are wanted */
  /* Optional: can any value in [lo, hi] be wanted? May tighten while the scan runs (a runtime filter).
   * Thread-safe. */
  bool (*may_match)(const void *ctx, const sp_value *lo, const sp_value *hi);
  const void *ctx;
} sp_prune;

typedef struct sp_scan_request {
  uint32_t n_columns;
  const uint32_t
      *columns; /* indices in the dataset's schema, ascending; may be none (rows are counted only) */
  uint32_t n_prunes;
  const sp_prune *prunes; /* all must hold (AND); kept by reference until the dataset is freed */
  uint32_t workers;       /* how many will read, so that a small file can be cut finer */
} sp_scan_request;

typedef struct sp_scan_stats {
  _Atomic int64_t bytes_scanned,
      bytes_pruned; /* bytes of file read; bytes that skipping saved (columns not wanted are neither) */
  _Atomic int64_t row_groups_total, row_groups_read;
  _Atomic int64_t files_total, files_read;
} sp_scan_stats;

/* What is known of a column over all files, from metadata alone. */
typedef struct sp_column_stats {
  bool has_min_max; /* exact or truncated outward: every value v but NaN has min <= v <= max */
  bool min_exact, max_exact;
  sp_value min, max;
  int64_t null_count; /* -1 = unknown */
  int64_t distinct;   /* -1 = unknown */
  int64_t bytes;      /* in the files, compressed; 0 = unknown */
} sp_column_stats;

/* mem: everything that lives as long as the dataset. The spec is kept by reference. Errors name the file; a
 * file that is missing is SP_NOT_FOUND with the nearest names in its folder as the hint. Files of one dataset
 * must have the same columns by name (order may differ) and types, else SP_DATA naming both files. */
sp_status sp_dataset_open(const sp_scan_spec *spec, sp_mem *mem, sp_dataset **ret, sp_error *err);
sp_dataset *sp_dataset_unref(sp_dataset *d); /* NULL-safe, returns NULL; all cursors must be closed */
const sp_schema *
sp_dataset_schema(const sp_dataset *d); /* row index, file columns, hive columns, file path */
/* Columns of the file that cannot be read (nested, unknown): left out of the schema. why names type and
 * reason. */
uint32_t sp_dataset_unreadable(const sp_dataset *d, uint32_t i, sp_sv *ret_name,
                               sp_sv *ret_why); /* returns their count; i past it fills nothing */
int64_t sp_dataset_rows(const sp_dataset *d,
                        bool *ret_exact); /* from metadata or extrapolated from the sample; -1 unknown */
bool sp_dataset_column_stats(const sp_dataset *d, uint32_t column, sp_column_stats *ret);
int64_t sp_dataset_bytes(const sp_dataset *d); /* of all files */
uint32_t sp_dataset_files(const sp_dataset *d);
const char *sp_dataset_path(const sp_dataset *d, uint32_t file);
sp_scan_stats *sp_dataset_scan_stats(sp_dataset *d);

sp_status sp_dataset_plan(sp_dataset *d, const sp_scan_request *r, sp_error *err);
uint32_t sp_dataset_morsels(const sp_dataset *d);                     /* in row order */
int64_t sp_dataset_morsel_rows(const sp_dataset *d, uint32_t morsel); /* estimate, -1 unknown */

/* mk: where columns are made (the scan's node account, the query's pool). Scratch of the cursor is charged
 * there too and reused between cursors of one worker through *scratch (starts NULL; sp_cursor_scratch_free at
 * the end). */
typedef struct sp_cursor_scratch sp_cursor_scratch;
sp_status sp_cursor_open(sp_dataset *d, uint32_t morsel, sp_maker mk, sp_cursor_scratch **scratch,
                         sp_cursor **ret, sp_error *err);
/* The morsel may turn out to be skippable now (may_match got tighter): then *ret_rows is 0 at once. 0 = end.
 * The windows of a morsel are its rows in order; a window has at most max_rows rows. */
sp_status sp_cursor_next(sp_cursor *c, uint32_t max_rows, uint32_t *ret_rows, sp_error *err);
/* A column of as many rows as the window; at rows not in sel (ascending; NULL = all) values are initialised
 * but mean nothing. column: index in the dataset's schema, one of those planned. Each column at most once per
 * window. */
sp_status sp_cursor_read(sp_cursor *c, uint32_t column, const uint16_t *sel, uint32_t n_sel, sp_column **ret,
                         sp_error *err);
int64_t sp_cursor_wait_ns(const sp_cursor *c); /* time blocked in pread so far */
void sp_cursor_close(sp_cursor *c);            /* NULL-safe */
void sp_cursor_scratch_free(sp_cursor_scratch *s);

/* ---- finding tables ---- */
/* NAME.parquet, .csv, … or a folder NAME/ of such files under root: fills *ret_format and *ret_path (a file
 * or a glob). None: SP_NOT_FOUND with the nearest names; two: SP_INVALID naming both. */
sp_status sp_table_find(const char *root, const char *name, sp_arena *a, const sp_format **ret_format,
                        const char **ret_path, sp_error *err);
/* The format of the data files in a folder that a table is bound to. None: SP_NOT_FOUND; two: SP_INVALID. */
sp_status sp_table_folder(const char *dir, const char *name, const sp_format **ret, sp_error *err);
const sp_format *sp_format_by_name(sp_sv name); /* "csv"; NULL when there is none */
const sp_format *
sp_format_by_path(const char *path); /* by suffix, also .csv.gz when read; NULL when unknown */
const char *sp_format_name(const sp_format *f);

/* ---- writing ---- */
typedef struct sp_sink_spec {
  const sp_format *format;
  const char *path; /* "-" = standard output where the format can stream */
  const sp_schema *schema;
  bool mkdir;
  const char *compression; /* NULL = the format's default; parquet: none snappy gzip zstd lz4 brotli, optional
                              ":level" */
  int64_t row_group_rows;  /* 0 = default */
  char separator, quote;   /* csv: 0 = default */
  const char *null_value;  /* csv: NULL = empty */
  bool no_header;          /* csv */
} sp_sink_spec;

typedef struct sp_writer sp_writer;
typedef struct sp_chunk sp_chunk; /* encoded rows, ready to append */
sp_status sp_writer_open(const sp_sink_spec *spec, sp_mem *mem, sp_writer **ret, sp_error *err);
uint32_t sp_writer_chunk_rows(const sp_writer *w); /* how many rows a chunk should have */
/* Thread-safe: encodes n batches (in order) into a chunk. mk as for cursors. */
sp_status sp_writer_encode(sp_writer *w, sp_batch *const *batches, uint32_t n, sp_maker mk, sp_chunk **ret,
                           sp_error *err);
/* By one thread at a time, in order. Takes the chunk over, on failure too. */
sp_status sp_writer_append(sp_writer *w, sp_chunk *c, sp_error *err);
void sp_chunk_free(sp_chunk *c); /* one that was never appended; NULL-safe */
/* Writes the end and renames into place; *ret_bytes = file size. w is freed either way; on failure nothing is
 * left. */
sp_status sp_writer_commit(sp_writer *w, int64_t *ret_bytes, sp_error *err);
sp_writer *sp_writer_abort(sp_writer *w); /* removes what was written; NULL-safe, returns NULL */

#endif
