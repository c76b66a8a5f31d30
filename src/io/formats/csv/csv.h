/* What the files of the CSV format share.
 *
 * Reading: open looks at the head (byte order mark, line ends, header, a sample for the types). plan cuts the
 * file into ranges of about a MiB, of which only the nominal borders are known at first; the first row that
 * starts at or behind a border is found when the range in front of it is read (split.c), so that planning a
 * big file costs nothing. A cursor reads its range into one buffer, next() finds the fields of a window of
 * rows (tokenize.c, index.c), read() converts one column of it (convert.c). Long strings are views into the
 * buffer, or copies where they are a small part of it.
 *
 * A buffer of text is CSV_FRONT bytes that may be read, then the text, then CSV_BACK bytes that may be read:
 * fields are loaded in whole words. */
#ifndef SP_IO_CSV_H
#define SP_IO_CSV_H

#include <pthread.h>

#include "io/format.h"

#define CSV_RANGE_BYTES ((int64_t)1000 << 10) /* with what is read behind it a range fits 1 MiB */
#define CSV_MIN_RANGE ((int64_t)128 << 10)    /* a small file is cut finer, but not below this */
#define CSV_MAX_RANGES 100000                 /* of a file; beyond, ranges are larger */
#define CSV_MAX_ROW_BYTES ((int64_t)256 << 20)
#define CSV_MAX_INFLATED ((size_t)4 << 30) /* a compressed file is inflated whole */
#define CSV_FRONT 64
#define CSV_BACK 64
#define CSV_BLOCK 32768                          /* bytes of text that are indexed at a time */
#define CSV_BLOCK_MAX 65536                      /* the same where rows are long; positions are 16 bits */
#define CSV_POSITIONS (CSV_BLOCK_MAX + CSV_BACK) /* room for the positions of a block */

extern const sp_format sp_format_csv;
extern int64_t sp_csv_range_bytes; /* CSV_RANGE_BYTES; tests make it small */

typedef struct sp_csv_dialect {
  char separator, quote; /* quote 0: none */
  char line_end;         /* '\n', in front of which a '\r' is not data; or '\r' */
} sp_csv_dialect;

/* May a number or a date hold this character? Then it cannot be a quote: doubled ones would not show. */
static inline bool sp_csv_in_numbers(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
         c == '.' || c == ':' || c == ' ';
}

typedef enum sp_csv_codec { CSV_PLAIN, CSV_GZIP, CSV_ZSTD } sp_csv_codec;

typedef struct sp_csv_source {
  sp_source base;
  int64_t mtime_ns;
  sp_csv_dialect dialect;
  uint32_t n_fields;     /* of a row */
  int64_t size;          /* of the text */
  int64_t text_start;    /* behind the byte order mark */
  int64_t data_start;    /* offset of the first data row */
  uint64_t null_lengths; /* bit k: some text of k bytes means null (63: of 63 or more) */
  sp_csv_codec codec;
  sp_buf *inflated;    /* a compressed file's text, or the start of it; else NULL */
  bool inflated_whole; /* all of it */

  /* ranges (split.c) */
  int64_t range_bytes;
  uint32_t n_ranges;
  pthread_mutex_t lock; /* of the two below */
  uint32_t known;       /* starts[0..known] are known */
  int64_t *starts;      /* n_ranges + 1: first row that starts at or behind each range's border */
} sp_csv_source;

/* One field: where it is and what it needs. */
typedef struct sp_csv_field {
  uint32_t pos; /* in the range's text, behind an opening quote */
  uint32_t n : 30;
  uint32_t quoted : 1;  /* "" is an empty string, not null */
  uint32_t doubled : 1; /* holds doubled quotes */
} sp_csv_field;

/* ---- index.c: where the separators and line ends of a block are ---- */
typedef struct sp_csv_index {
  uint32_t n;     /* separators and line ends, outside quotes */
  uint32_t lines; /* of them line ends */
  bool quotes;    /* there are quotes */
  bool odd; /* quotes stand where they neither open nor close a field: the positions are not to be used */
} sp_csv_index;
/* text starts a row; n <= CSV_BLOCK_MAX; positions has room for CSV_POSITIONS. Reads up to 63 bytes behind n.
 */
typedef void (*sp_csv_index_fn)(const sp_csv_dialect *d, const char *text, uint32_t n, uint16_t *positions,
                                sp_csv_index *ret);
sp_csv_index_fn sp_csv_index_best(void);
/* The i-th of all ways, those that this machine cannot run left out; NULL past the last (for tests). */
sp_csv_index_fn sp_csv_index_variant(uint32_t i);

/* ---- tokenize.c: rows into fields ---- */
typedef struct sp_csv_tokens {
  sp_csv_dialect dialect;
  sp_csv_index_fn index;
  uint32_t
      n_fields; /* of a row; 0: any number, all are put into columns[0] (a header; room for SP_SCHEMA_MAX)
                 */
  sp_ragged ragged;
  uint32_t n_wanted;
  const uint32_t *wanted;       /* ascending field numbers */
  sp_csv_field *const *columns; /* one array of max_rows for each */
  uint16_t *positions;          /* scratch of CSV_POSITIONS; NULL: not needed for n_fields 0 */
} sp_csv_tokens;
typedef enum sp_csv_stop { CSV_OK, CSV_TOO_FEW, CSV_TOO_MANY, CSV_OPEN_QUOTE, CSV_AFTER_QUOTE } sp_csv_stop;
typedef struct sp_csv_fault {
  uint32_t fields; /* of the row at fault, as far as it was read */
  size_t at;       /* where exactly it is wrong */
} sp_csv_fault;
/* Fields of up to max_rows rows of text [*at, end). Blank lines are no rows unless a row has one field.
 * *ret_rows rows were good and *at is behind them, on a fault too, where it is the start of the row at fault
 * and *ret_fault says more. */
sp_csv_stop sp_csv_tokenize(const sp_csv_tokens *t, const char *text, size_t *at, size_t end,
                            uint32_t max_rows, uint32_t *ret_rows, sp_csv_fault *ret_fault);

/* ---- split.c: ranges of whole rows ---- */
/* Cuts the text from data_start on; afterwards n_ranges is set. */
sp_status sp_csv_split(sp_csv_source *s, uint32_t workers, sp_error *err);
/* Text [start, end), where end is the first row start at or behind target, or the file's end. end_known: -1,
 * or end as known from before. In *ret the text stands behind CSV_FRONT bytes. */
sp_status sp_csv_load(const sp_csv_source *s, int fd, sp_maker mk, int64_t start, int64_t target,
                      int64_t end_known, sp_buf **ret, int64_t *ret_end, sp_error *err);
/* The same for range k. Thread-safe. */
sp_status sp_csv_load_range(sp_csv_source *s, int fd, sp_maker mk, uint32_t k, sp_buf **ret,
                            int64_t *ret_start, int64_t *ret_end, sp_error *err);
static inline const char *sp_csv_text(const sp_buf *b) {
  return (const char *)b->data + CSV_FRONT;
}

/* ---- file.c: bytes of the file, places in it ---- */
sp_status sp_csv_open_fd(const sp_csv_source *s, int *ret_fd, sp_error *err); /* -1 for inflated text */
void sp_csv_close_fd(int fd);
/* Reads [from, from + n) of the (inflated) text; at its end fewer bytes. */
sp_status sp_csv_read(const sp_csv_source *s, int fd, int64_t from, void *dst, size_t n, size_t *ret_n,
                      sp_error *err);
/* The file's own bytes; fewer than n are an error. */
sp_status sp_csv_read_file(const sp_csv_source *s, int fd, int64_t from, void *dst, size_t n, sp_error *err);
/* The physical line and the column, from 1, of an offset. The line is 0 where the file cannot be read any
 * more. */
sp_loc sp_csv_place(const sp_csv_source *s, int64_t offset);
/* SP_DATA naming file, line and column of a fault. text starts at text_offset in the file. */
sp_status sp_csv_fail(const sp_csv_source *s, int64_t text_offset, const char *text, size_t row,
                      sp_csv_stop why, const sp_csv_fault *fault, sp_error *err);

/* ---- codecs.c ---- */
/* By suffix, or by the first bytes of the file. */
sp_csv_codec sp_csv_codec_of(const char *path, const uint8_t *head, size_t n);
/* The compressed file's text into s->inflated, `limit` bytes or a little more, or all of it. */
sp_status sp_csv_inflate(sp_csv_source *s, int fd, size_t limit, sp_error *err);
/* "none", "gzip" or "zstd", with ":level"; name NULL: by the path. */
sp_status sp_csv_codec_parse(const char *name, const char *path, sp_csv_codec *ret, int *ret_level,
                             sp_error *err);
/* n bytes as one gzip member or zstd frame. */
sp_status sp_csv_deflate(sp_mem *mem, sp_csv_codec codec, int level, const char *p, size_t n, sp_buf **ret,
                         sp_error *err);

/* infer.c: dialect, header and types: s->base.schema, n_fields, data_start, an estimate of the rows. */
sp_status sp_csv_infer(sp_csv_source *s, int fd, sp_error *err);

/* ---- convert.c ---- */
/* Is the field null? Unquoted and empty, or one of the null values. */
bool sp_csv_is_null(const sp_csv_source *s, const sp_csv_field *f, const char *text);
/* Copies a field with doubled quotes made single; returns how many bytes that were. */
uint32_t sp_csv_unquote(char quote, const sp_csv_field *f, const char *text, char *to);
typedef struct sp_csv_window {
  const sp_csv_source *s;
  sp_maker mk;
  sp_buf *text;
  int64_t text_offset; /* in the file */
  size_t bytes;        /* of text in this window */
  bool ascii;          /* all of text is ASCII */
  uint32_t n_rows;
} sp_csv_window;
/* One column of a window. */
sp_status sp_csv_convert(const sp_csv_window *w, const sp_csv_field *fields, const sp_field *column,
                         const uint16_t *sel, uint32_t n_sel, sp_column **ret, sp_error *err);

/* ---- cursor.c ---- */
sp_status sp_csv_cursor_open(sp_source *base, const sp_source_plan *p, const sp_morsel *m, sp_maker mk,
                             void **scratch, sp_source_cursor **ret, sp_error *err);
sp_status sp_csv_cursor_next(sp_source_cursor *base, uint32_t max_rows, uint32_t *ret_rows, sp_error *err);
sp_status sp_csv_cursor_read(sp_source_cursor *base, uint32_t column, const uint16_t *sel, uint32_t n_sel,
                             sp_column **ret, sp_error *err);
void sp_csv_cursor_close(sp_source_cursor *base);
void sp_csv_scratch_free(void *scratch);
/* Rows of every range, up to max_rows in all (-1: all), into m. */
sp_status sp_csv_count(sp_csv_source *s, int64_t max_rows, sp_morsel *m, uint32_t n, int64_t *ret_rows,
                       sp_error *err);

/* ---- write.c ---- */
sp_status sp_csv_write_open(const sp_sink_spec *spec, sp_mem *mem, sp_out_file *out, void **ret_state,
                            uint32_t *ret_chunk_rows, sp_error *err);
sp_status sp_csv_write_encode(void *state, sp_batch *const *batches, uint32_t n, sp_maker mk, void **ret,
                              sp_error *err);
sp_status sp_csv_write_append(void *state, void *chunk, sp_error *err);
void sp_csv_write_chunk_free(void *chunk);
sp_status sp_csv_write_finish(void *state, sp_error *err);
void sp_csv_write_close(void *state);

#endif
