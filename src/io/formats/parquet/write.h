/* What the writer's files share.
 *
 *   writer.c  the vtable's functions: row groups one after the other   write_column.c  a column's rows ->
 * pages footer.c  schema and footer                                        write_stats.c   bounds of a chunk
 *   encode.c  physical values, dictionaries, runs
 */
#ifndef SP_IO_PARQUET_WRITE_H
#define SP_IO_PARQUET_WRITE_H

#include "io/formats/parquet/parquet.h"

#define SP_PQ_BOUND_MAX 64 /* bytes of a string kept as a bound, before rounding up */
#define SP_PQ_BOUND_ROOM 72

typedef struct sp_pq_out_leaf { /* a column to be written */
  sp_sv name;
  const sp_type *type;
  int32_t phys;
  uint32_t width; /* of a physical value; 0: byte array or boolean */
} sp_pq_out_leaf;

typedef struct sp_pq_out_bound {
  bool known, exact;
  uint32_t n;
  uint8_t bytes[SP_PQ_BOUND_ROOM];
} sp_pq_out_bound;

typedef struct sp_pq_out_chunk { /* an encoded column chunk; places count from the row group's first byte */
  int64_t at, data_at;           /* at: of the dictionary page, where there is one */
  int64_t compressed, uncompressed;
  int64_t null_count;
  int32_t codec;
  bool has_dict;
  sp_pq_out_bound min, max;
} sp_pq_out_chunk;

typedef struct sp_pq_out_group { /* an encoded row group */
  sp_mem *mem;
  int64_t rows;
  int64_t at; /* in the file, once appended */
  sp_str bytes;
  uint32_t n;
  sp_pq_out_chunk chunks[];
} sp_pq_out_group;

typedef struct sp_pq_out_state {
  sp_mem *mem;
  sp_out_file *out;
  const sp_schema *schema;
  sp_arena arena;
  sp_pq_out_leaf *leaves; /* one per field */
  int32_t codec, level;
  sp_pq_out_group **groups; /* appended ones, their bytes gone */
  uint32_t n_groups, cap_groups;
} sp_pq_out_state;

/* A column's rows put together: valid values close to each other, in the type's own form and in Parquet's. */
typedef struct sp_pq_out_rows {
  const sp_pq_out_leaf *leaf;
  sp_maker mk;
  uint32_t n, n_values; /* rows; valid ones */
  sp_buf *validity;     /* a byte per row */
  sp_buf *values;       /* of type->width */
  sp_buf *physical;     /* of leaf->width; the same buffer where the form is the same; strings: views */
} sp_pq_out_rows;

/* ---- encode.c ---- */
/* Physical type of a column; SP_UNSUPPORTED when the type cannot be written. */
sp_status sp_pq_out_leaf_init(sp_sv name, const sp_type *t, sp_pq_out_leaf *ret, sp_error *err);
/* Collects column j of the batches. */
sp_status sp_pq_out_collect(const sp_pq_out_leaf *leaf, sp_batch *const *batches, uint32_t n, uint32_t j,
                            sp_maker mk, sp_pq_out_rows *ret, sp_error *err);
void sp_pq_out_rows_release(sp_pq_out_rows *r);
/* Finds the distinct values: codes[i] per value, entries[k] = index of entry k's first value. *ret_n is 0
 * when there are too many for a dictionary to pay; SP_NOMEM otherwise only. The buffers are new references.
 */
sp_status sp_pq_out_dictionary(const sp_pq_out_rows *r, sp_buf **ret_codes, sp_buf **ret_entries,
                               uint32_t *ret_n, sp_error *err);
/* RLE / bit-packed hybrid of n values of `width` bits, without a length in front. */
void sp_pq_out_hybrid(sp_str *out, const uint32_t *v, uint32_t n, uint32_t width);
/* PLAIN: values [from, to). */
void sp_pq_out_plain(sp_str *out, const sp_pq_out_rows *r, uint32_t from, uint32_t to);
/* PLAIN: the value with this index. */
void sp_pq_out_plain_one(sp_str *out, const sp_pq_out_rows *r, uint32_t i);

/* ---- write_stats.c ---- */
void sp_pq_out_bounds(const sp_pq_out_rows *r, sp_pq_out_bound *ret_min, sp_pq_out_bound *ret_max);

/* ---- write_column.c ---- */
sp_status sp_pq_out_column(const sp_pq_out_state *s, sp_pq_codecs *codecs, const sp_pq_out_rows *r,
                           sp_pq_out_group *g, sp_pq_out_chunk *ret, sp_error *err);

/* ---- footer.c ---- */
void sp_pq_out_footer(const sp_pq_out_state *s, sp_str *out);

#endif
