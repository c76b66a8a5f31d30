/* What the files of this folder share: the open file, its readable columns, and a column chunk being read.
 *
 *   parquet.c  open, close, the vtable        schema.c  schema elements -> columns and how to convert their
 * values plan.c     morsels and what is skipped     stats.c   statistics -> values cursor.c   windows over a
 * row group        chunk.c   pages of one chunk -> columns of a window input.c    bytes of the file values.c
 * one page's values, by encoding; convert.c: by type
 */
#ifndef SP_IO_PARQUET_PARQUET_H
#define SP_IO_PARQUET_PARQUET_H

#include "io/format.h"
#include "io/formats/parquet/bits.h"
#include "io/formats/parquet/codecs.h"
#include "io/formats/parquet/meta.h"

#define SP_PQ_TYPE_KEY                                                                                       \
  "sigmapi.type." /* key of the footer's metadata that keeps a type that Parquet has none for */

/* How a physical value becomes one of the column's type. */
typedef enum sp_pq_conv {
  SP_PQ_AS_IS,      /* the same bytes */
  SP_PQ_NARROW,     /* int32 to 1 or 2 bytes */
  SP_PQ_WIDEN,      /* int32 or int64 to int64 (times factor) */
  SP_PQ_TO_I128,    /* int32 or int64 */
  SP_PQ_INT96_NS,   /* Julian day and nanoseconds */
  SP_PQ_HALF,       /* float16 */
  SP_PQ_BIG_ENDIAN, /* bytes to a decimal */
  SP_PQ_BYTES,      /* bytes to views */
  SP_PQ_BIT,        /* booleans */
  SP_PQ_NO_VALUES   /* the null type */
} sp_pq_conv;

typedef struct sp_pq_leaf { /* a readable column */
  sp_sv name;
  const sp_type *type;
  uint32_t chunk; /* index in a row group */
  int32_t phys;
  sp_pq_conv conv;
  bool optional;
  bool signed_order;  /* the old min and max fields can be trusted */
  uint32_t src_width; /* bytes of a physical value; 0: byte array or boolean */
  int64_t factor;     /* WIDEN */
} sp_pq_leaf;

typedef struct sp_pq_source {
  sp_source base;
  sp_pq_meta meta;
  sp_pq_leaf *leaves; /* one per field of base.schema */
  int64_t mtime_ns;   /* with base.bytes: has the file changed since? */
} sp_pq_source;

extern const sp_format sp_format_parquet;

/* ---- schema.c ---- */
/* Fills leaves, base.schema and base.unreadable. */
sp_status sp_pq_schema(sp_pq_source *s, sp_error *err);

/* ---- input.c ---- */
/* The whole chunk is one read up to this size; larger ones are read by the page. */
#define SP_PQ_WHOLE_MAX ((int64_t)16 << 20)

typedef struct sp_pq_input {
  int fd;
  int64_t end; /* where data ends: the footer */
  sp_maker mk;
  sp_buf *buf; /* bytes [at, at + buf->size) of the file; others may hold it too */
  int64_t at;
  sp_scan_stats *stats;
  int64_t *wait_ns;
} sp_pq_input;
/* Opens the file again and checks that it is the one that was opened first. The caller closes *ret_fd. */
sp_status sp_pq_reopen(const sp_pq_source *s, int *ret_fd, sp_error *err);
sp_status sp_pq_pread(int fd, int64_t at, void *dst, size_t n, sp_error *err);
/* n bytes at the given place, valid until the next call or as long as in->buf is held. SP_DATA past the end.
 */
sp_status sp_pq_input_get(sp_pq_input *in, int64_t at, size_t n, const uint8_t **ret, sp_error *err);
void sp_pq_input_release(sp_pq_input *in);

/* ---- convert.c ---- */
/* n values of leaf->src_width bytes to the column's type. false: a value does not fit it. */
bool sp_pq_convert(const sp_pq_leaf *leaf, const uint8_t *src, uint32_t n, void *dst);
/* Big-endian two's complement of any length. false when it does not fit the decimal type. */
bool sp_pq_big_endian(const sp_type *t, const uint8_t *p, size_t n, void *dst);
/* values[0 .. valid ones) move to their rows, zero elsewhere; in place, from behind. */
void sp_pq_spread(void *values, uint32_t width, const uint8_t *validity, uint32_t n);

/* ---- values.c ---- */
typedef struct sp_pq_values { /* the values of one data page, being read */
  const sp_pq_leaf *leaf;
  sp_maker mk;
  int32_t encoding;
  sp_buf *buf; /* where p points into; borrowed */
  const uint8_t *p, *end;
  sp_pq_rle rle;       /* dictionary codes, booleans */
  sp_pq_delta d, d2;   /* integers or lengths; lengths of suffixes */
  uint32_t stride, at; /* BYTE_STREAM_SPLIT: values in the page, values taken */
  char *prev;          /* DELTA_BYTE_ARRAY: the last value */
  size_t prev_n, prev_cap;
  const sp_column *dict; /* borrowed */
} sp_pq_values;

/* n: rows of the page, an upper bound of its values. Releases nothing that v held before. */
sp_status sp_pq_values_init(sp_pq_values *v, const sp_pq_leaf *leaf, sp_maker mk, int32_t encoding,
                            sp_buf *buf, const uint8_t *p, const uint8_t *end, uint32_t n,
                            const sp_column *dict, sp_error *err);
void sp_pq_values_release(sp_pq_values *v);
static inline bool sp_pq_is_dictionary(int32_t encoding) {
  return encoding == SP_PQ_PLAIN_DICTIONARY || encoding == SP_PQ_RLE_DICTIONARY;
}
sp_status sp_pq_values_skip(sp_pq_values *v, uint32_t n, sp_error *err);
/* Dictionary codes, all of them smaller than the dictionary. */
sp_status sp_pq_values_codes(sp_pq_values *v, uint32_t n, uint32_t *dst, sp_error *err);
/* n values into rows [at, at + n) of the FLAT column out, which gets the heaps it needs. */
sp_status sp_pq_values_read(sp_pq_values *v, uint32_t n, sp_column *out, uint32_t at, sp_error *err);
/* dst[i] = value codes[i] of the dictionary. */
void sp_pq_gather(const sp_column *dict, const uint32_t *codes, uint32_t n, void *dst);

/* ---- chunk.c ---- */
typedef struct sp_pq_chunk { /* a column chunk being read */
  const sp_pq_leaf *leaf;
  const sp_pq_chunk_meta *meta;
  sp_pq_codecs *codecs;
  sp_pq_input in;
  bool started;
  int64_t next_page;   /* place of the next page header */
  int64_t first, rows; /* rows of the current page, within the row group; rows 0: none yet */
  sp_pq_page_header h;
  int64_t body;
  bool ready;  /* the page is inflated and being read */
  int64_t row; /* next row to be taken of it */
  bool no_nulls;
  sp_pq_rle levels;
  sp_buf *page;
  sp_pq_values values;
  sp_column *whole; /* the page as a column without copying, when its bytes allow it */
  bool has_dict_page;
  sp_pq_page_header dict_h;
  int64_t dict_body;
  sp_column *dict;
  uint64_t dict_id;
} sp_pq_chunk;

/* whole: the chunk will be read from its start to its end. */
sp_status sp_pq_chunk_start(sp_pq_chunk *c, bool whole, sp_error *err);
/* Rows [from, from + n) of the row group; from never falls. */
sp_status sp_pq_chunk_read(sp_pq_chunk *c, int64_t from, uint32_t n, sp_column **ret, sp_error *err);
void sp_pq_chunk_release(sp_pq_chunk *c);
/* Where a chunk's first page is and how many bytes it has, cut to what the file has. SP_DATA when that is
 * impossible. */
sp_status sp_pq_chunk_span(const sp_pq_chunk_meta *m, int64_t end, int64_t *ret_at, int64_t *ret_n,
                           sp_error *err);

/* ---- stats.c ---- */
/* Smallest and largest value of a chunk, as far as the file tells in an order that is known. Strings are
 * views of the footer. */
bool sp_pq_bounds(const sp_pq_leaf *leaf, const sp_pq_chunk_meta *m, sp_value *ret_lo, sp_value *ret_hi);
bool sp_pq_column_stats(const sp_source *s, uint32_t column, sp_column_stats *ret);
/* May a row group hold rows that all prunes want? */
bool sp_pq_group_wanted(const sp_pq_source *s, const sp_pq_group *g, uint32_t n_prunes,
                        const sp_prune *prunes);

/* ---- plan.c ---- */
sp_status sp_pq_plan(sp_source *s, const sp_source_plan *p, sp_morsel **ret, uint32_t *ret_n, sp_error *err);
/* Compressed bytes of the planned columns in a row group. */
int64_t sp_pq_group_bytes(const sp_pq_source *s, const sp_source_plan *p, const sp_pq_group *g);

/* ---- cursor.c ---- */
sp_status sp_pq_cursor_open(sp_source *s, const sp_source_plan *p, const sp_morsel *m, sp_maker mk,
                            void **scratch, sp_source_cursor **ret, sp_error *err);
sp_status sp_pq_cursor_next(sp_source_cursor *c, uint32_t max_rows, uint32_t *ret_rows, sp_error *err);
sp_status sp_pq_cursor_read(sp_source_cursor *c, uint32_t column, const uint16_t *sel, uint32_t n_sel,
                            sp_column **ret, sp_error *err);
void sp_pq_cursor_close(sp_source_cursor *c);
void sp_pq_scratch_free(void *scratch);

/* ---- writer.c ---- */
sp_status sp_pq_write_open(const sp_sink_spec *spec, sp_mem *mem, sp_out_file *out, void **ret_state,
                           uint32_t *ret_chunk_rows, sp_error *err);
sp_status sp_pq_write_encode(void *state, sp_batch *const *batches, uint32_t n, sp_maker mk, void **ret,
                             sp_error *err);
sp_status sp_pq_write_append(void *state, void *chunk, sp_error *err);
void sp_pq_write_chunk_free(void *chunk);
sp_status sp_pq_write_finish(void *state, sp_error *err);
void sp_pq_write_close(void *state);

#endif
