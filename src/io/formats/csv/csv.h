/* What the files of the CSV format share.
 *
 * Reading: open looks at the head (BOM, header, a sample for the types). plan cuts the file into ranges of whole rows: from quote to quote, so that
 * a line end inside quotes is never taken for a row's end. A cursor reads its range into one buffer, next() finds the fields of a window of rows
 * (tokenize.c), read() converts one column of it (convert.c). Strings are views into the buffer. */
#ifndef SP_IO_CSV_H
#define SP_IO_CSV_H

#include "io/format.h"

#define CSV_RANGE_BYTES ((int64_t)2 << 20) /* of a morsel, about */
#define CSV_MAX_ROW_BYTES ((int64_t)256 << 20)
#define CSV_MAX_INFLATED ((size_t)4 << 30) /* a compressed file is inflated whole */

extern int64_t sp_csv_range_bytes; /* CSV_RANGE_BYTES; tests make it small */

typedef struct sp_csv_source {
  sp_source base;
  int64_t mtime_ns;
  char separator, quote;
  uint32_t n_fields; /* of a row */
  int64_t data_start; /* offset of the first data row */
  sp_buf *inflated;   /* a compressed file's text; else NULL */
} sp_csv_source;

/* One field: where it is and what it needs. */
typedef struct sp_csv_field {
  uint32_t pos;   /* in the range's buffer, behind an opening quote */
  uint32_t n : 30;
  uint32_t quoted : 1;  /* "" is an empty string, not null */
  uint32_t doubled : 1; /* holds doubled quotes */
} sp_csv_field;

/* Splits rows into fields. The caller owns the arrays. */
typedef struct sp_csv_tokens {
  char separator, quote;
  uint32_t n_fields;              /* of a row; 0: any number (looking at a header) */
  sp_ragged ragged;
  const uint32_t *slot;           /* by field: index into columns, UINT32_MAX = not wanted */
  sp_csv_field *const *columns;   /* arrays of max_rows */
  uint32_t *row_starts;           /* or NULL: offset of every row */
} sp_csv_tokens;
typedef enum sp_csv_stop { CSV_OK, CSV_TOO_FEW, CSV_TOO_MANY, CSV_OPEN_QUOTE, CSV_AFTER_QUOTE, CSV_TOO_LONG } sp_csv_stop;
/* Fields of up to max_rows rows of text [*at, end); readable up to 64 bytes past end. Blank lines are no rows unless a row has one field. On CSV_OK *at is behind the
 * last row taken and *ret_rows says how many; else *at is the start of the row at fault and *ret_found its number of fields. */
sp_csv_stop sp_csv_tokenize(const sp_csv_tokens *t, const char *text, size_t *at, size_t end, uint32_t max_rows, uint32_t *ret_rows, uint32_t *ret_found);

/* Where rows may be cut: the next row start at or behind `target`, scanning on from *at, which must be a row start (or where an earlier call ended,
 * outside quotes). Reads the source in pieces. *ret = size of the file when there is none. */
typedef struct sp_csv_scanner sp_csv_scanner;
sp_status sp_csv_scanner_new(sp_csv_source *s, sp_csv_scanner **ret, sp_error *err);
sp_status sp_csv_scan_to(sp_csv_scanner *s, int64_t target, int64_t *ret, sp_error *err);
void sp_csv_scanner_free(sp_csv_scanner *s);

/* Reads [from, from + n) of the (inflated) file; at its end fewer bytes. */
sp_status sp_csv_read(const sp_csv_source *s, int fd, int64_t from, void *dst, size_t n, size_t *ret_n, sp_error *err);
sp_status sp_csv_open_fd(const sp_csv_source *s, int *ret_fd, sp_error *err); /* -1 for inflated text */
/* The physical line, from 1, of an offset. */
int64_t sp_csv_line_of(const sp_csv_source *s, int64_t offset);
/* SP_DATA naming file and line of the row at `offset`. */
sp_status sp_csv_row_error(const sp_csv_source *s, int64_t offset, sp_csv_stop why, uint32_t found, sp_error *err);

/* infer.c: header and types into s->base.schema; data_start. */
sp_status sp_csv_infer(sp_csv_source *s, const char *text, size_t n, bool whole, sp_error *err);

/* Is the field null? Unquoted and empty, or one of the null values. */
bool sp_csv_is_null(const sp_scan_spec *spec, const sp_csv_field *f, const char *text);
/* convert.c: one column of a window. row_offset: file offset of row i is range_start + row_starts[i]. */
typedef struct sp_csv_window {
  const sp_csv_source *s;
  sp_maker mk;
  sp_buf *text;
  int64_t range_start;
  const uint32_t *row_starts;
  uint32_t n_rows;
} sp_csv_window;
sp_status sp_csv_convert(const sp_csv_window *w, const sp_csv_field *fields, const sp_field *column, const uint16_t *sel, uint32_t n_sel, sp_column **ret, sp_error *err);

/* write.c */
sp_status sp_csv_write_open(const sp_sink_spec *spec, sp_mem *mem, sp_out_file *out, void **ret_state, uint32_t *ret_chunk_rows, sp_error *err);
sp_status sp_csv_write_encode(void *state, sp_batch *const *batches, uint32_t n, sp_maker mk, void **ret, sp_error *err);
sp_status sp_csv_write_append(void *state, void *chunk, sp_error *err);
void sp_csv_write_chunk_free(void *chunk);
sp_status sp_csv_write_finish(void *state, sp_error *err);
void sp_csv_write_close(void *state);

#endif
