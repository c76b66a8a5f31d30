/* Columns and batches, in memory.
 *
 * A column is a run of values of one type in one of four encodings:
 *   FLAT      values holds length values of type->width bytes (null type: no buffer)
 *   CONST     values holds one value, repeated length times; all null when validity says so (one byte)
 *   DICT      values holds uint32 codes into dict, a FLAT column without nulls
 *   SEQUENCE  int64 values start + i * step, no buffer (row indexes)
 * validity is NULL (no nulls) or one byte per row, 1 = valid (CONST: one byte). Bytes instead of Arrow's
 * bits: kernels vectorise to masks without shifts and a row offset needs no bit arithmetic; the C interface
 * converts.
 *
 * Ownership: columns and batches are refcounted and const once somebody else can see them. A column keeps its
 * buffers alive, among them the heaps that its string views point into. Reading needs no lock.
 *
 * A batch is columns of equal length, and optionally a selection: the ascending row numbers that are meant. A
 * filter makes a new header over the same columns. Values of unselected rows are initialised but mean nothing
 * (a kernel may compute them, must not fail on them).
 *
 * Order: (source, seq) orders batches of one stream: source is the morsel's ordinal, seq the batch's within
 * it. */
#ifndef SP_DATA_COLUMN_H
#define SP_DATA_COLUMN_H

#include "base/buf.h"
#include "data/value.h"

#define SP_BATCH_ROWS 8192      /* default and usual maximum */
#define SP_BATCH_ROWS_MAX 65535 /* a selection is uint16_t */

typedef enum sp_encoding { SP_FLAT, SP_CONST, SP_DICT, SP_SEQUENCE } sp_encoding;

typedef struct sp_column {
  _Atomic uint32_t refs;
  sp_encoding encoding;
  const sp_type *type;
  uint32_t length;
  uint32_t offset; /* FLAT, DICT: rows to skip in values and validity */
  sp_buf *values;
  sp_buf *validity;       /* or NULL */
  struct sp_column *dict; /* DICT */
  uint64_t dict_id;       /* DICT: equal ids mean the same dictionary; 0 = unknown */
  int64_t start, step;    /* SEQUENCE */
  uint32_t n_heaps;       /* buffers that string views point into */
  sp_buf **heaps;         /* n_heaps references, allocated with mem */
  sp_mem *mem;            /* account of this header */
} sp_column;

/* Where columns are made: the account charged and the pool for buffers (may be NULL). By value, cheap. */
typedef struct sp_maker {
  sp_mem *mem;
  sp_pool *pool;
} sp_maker;

/* ---- making; all return NULL when out of memory. Buffers have refs 1 and are owned by the column ---- */
/* FLAT with room for n values, contents undefined, length n. with_validity: all 1. */
sp_column *sp_column_flat(sp_maker m, const sp_type *t, uint32_t n, bool with_validity);
sp_column *sp_column_const(sp_maker m, const sp_value *v,
                           uint32_t n); /* strings over 12 bytes are copied into a heap */
sp_column *sp_column_null(sp_maker m, const sp_type *t, uint32_t n); /* CONST null */
sp_column *sp_column_sequence(sp_maker m, const sp_type *t, int64_t start, int64_t step, uint32_t n);
/* codes: n uint32 (taken over, 1 ref, also on failure); validity may be NULL (taken over likewise); dict is
 * referenced. Every code lies within the dictionary, those of nulls and unselected rows too (0 when the
 * dictionary is empty). */
sp_column *sp_column_dict(sp_maker m, sp_column *dict, uint64_t dict_id, sp_buf *codes, sp_buf *validity,
                          uint32_t n);
/* A header over the same buffers: rows [from, from + n). */
sp_column *sp_column_slice(sp_maker m, const sp_column *c, uint32_t from, uint32_t n);
/* A header over the same buffers with another type of the same physical form (date as int32, say). */
sp_column *sp_column_retype(sp_maker m, const sp_column *c, const sp_type *t);
/* Adds a reference to heap; the same heap twice is kept once. false when out of memory. */
bool sp_column_add_heap(sp_column *c, sp_buf *heap);
bool sp_column_add_heaps_of(sp_column *c, const sp_column *from); /* those of from and of its dictionary */

static inline sp_column *sp_column_ref(const sp_column *c) {
  sp_column *m = (sp_column *)(uintptr_t)c;
  if (m != NULL) {
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
  }
  return m;
}
sp_column *sp_column_unref(sp_column *c);        /* NULL-safe, returns NULL */
void sp_column_charge(sp_column *c, sp_mem *to); /* every buffer of it */

/* ---- reading ---- */
/* The one way kernels see a column: value of row i is data[idx(i)], where idx(i) is i (codes NULL), codes[i],
 * or 0 (is_const). Data and codes already include the offset. validity is by row (is_const: one byte) or
 * NULL. SEQUENCE must be flattened first. */
typedef struct sp_reader {
  const void *data;
  const uint32_t *codes;
  const uint8_t *validity;
  bool is_const;
  uint32_t n_dict; /* with codes: entries of the dictionary */
} sp_reader;
static inline sp_reader sp_column_reader(const sp_column *c) {
  sp_reader r = {0};
  if (c->validity != NULL) {
    r.validity = c->validity->data + (c->encoding == SP_CONST ? 0 : c->offset);
  }
  if (c->encoding == SP_DICT) {
    r.codes = (const uint32_t *)(const void *)c->values->data + c->offset;
    r.data = c->dict->values->data + (size_t)c->dict->offset * c->type->width;
    r.n_dict = c->dict->length;
  } else if (c->values != NULL) {
    r.is_const = c->encoding == SP_CONST;
    r.data = c->values->data + (r.is_const ? 0 : (size_t)c->offset * c->type->width);
  } else {
    r.is_const = c->encoding == SP_CONST;
  }
  return r;
}
static inline uint32_t sp_reader_index(const sp_reader *r, uint32_t row) {
  return r->is_const ? 0 : r->codes != NULL ? r->codes[row] : row;
}
static inline bool sp_reader_valid(const sp_reader *r, uint32_t row) {
  return r->validity == NULL || r->validity[r->is_const ? 0 : row] != 0;
}
/* One value (slow path). Row counts from 0 within the column. */
sp_value sp_column_value(const sp_column *c, uint32_t row);
bool sp_column_is_null(const sp_column *c, uint32_t row);
/* Logical bytes of rows (selection or NULL): fixed widths, string lengths, one byte per validity where there
 * is one. */
int64_t sp_column_bytes(const sp_column *c, const uint16_t *sel, uint32_t n);

/* ---- changing form; NULL when out of memory ---- */
/* FLAT with the same rows; the column itself (one more ref) when it already is. Strings keep their heaps. */
sp_column *sp_column_flatten(sp_maker m, const sp_column *c);
/* Rows sel[0..n) as a column of n rows; DICT stays DICT, CONST stays CONST. sel NULL: the first n rows. */
sp_column *sp_column_take(sp_maker m, const sp_column *c, const uint16_t *sel, uint32_t n);
/* The same with 32-bit row numbers (joins, sorts). UINT32_MAX gives null. */
sp_column *sp_column_gather(sp_maker m, const sp_column *c, const uint32_t *rows, uint32_t n);
/* All rows of n columns of one type, one after the other: FLAT, strings copied into one new heap; but DICT
 * when all of them share one dictionary. NULL also when the rows are more than UINT32_MAX. */
sp_column *sp_column_concat(sp_maker m, const sp_type *t, sp_column *const *cols, uint32_t n);
/* Strings that are the only users of a small part of big heaps: copies when under half of the heaps' bytes is
 * live; else the column itself (one more ref). DICT stays: batches of a scan share the dictionary. */
sp_column *sp_column_compact(sp_maker m, const sp_column *c);

/* ---- batches ---- */
typedef struct sp_batch {
  _Atomic uint32_t refs;
  uint32_t n_cols;
  uint32_t length;     /* rows of every column */
  uint32_t n_rows;     /* rows that are meant: selected ones, else length */
  const uint16_t *sel; /* NULL: all rows; else n_rows ascending row numbers, in sel_buf */
  sp_buf *sel_buf;
  uint64_t source, seq;
  sp_mem *mem;
  sp_column *cols[];
} sp_batch;

/* Takes over nothing: cols may be NULL and filled by the caller before sharing (each slot owns one ref). */
sp_batch *sp_batch_new(sp_mem *mem, uint32_t n_cols, uint32_t length);
/* Same columns (referenced) under the selection that sel_buf holds, n_rows uint16 (taken over, also on
 * failure). */
sp_batch *sp_batch_select(sp_mem *mem, const sp_batch *b, sp_buf *sel_buf, uint32_t n_rows);
/* Rows [from, from + n) of those meant: a selection over the same columns, or slices where there was none. */
sp_batch *sp_batch_slice(sp_maker m, const sp_batch *b, uint32_t from, uint32_t n);
/* No selection left; the batch itself (one more ref) when it has none. */
sp_batch *sp_batch_compact(sp_maker m, const sp_batch *b);
static inline sp_batch *sp_batch_ref(const sp_batch *b) {
  sp_batch *m = (sp_batch *)(uintptr_t)b;
  atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
  return m;
}
sp_batch *sp_batch_unref(sp_batch *b); /* NULL-safe, returns NULL */
void sp_batch_charge(sp_batch *b, sp_mem *to);
int64_t sp_batch_bytes(const sp_batch *b);

#endif
