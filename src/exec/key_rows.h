/* Keys as rows of 64-bit words: what grouping, joins and unique hash and compare.
 *
 * A row holds all keys of one input row at fixed places: string views first, then fixed-width values by
 * falling width, then one byte per key that is 1 for null. Two rows are equal when their words are, apart
 * from strings over 12 bytes, whose bytes are compared. To make that true, a null's value is zero, every NaN
 * is the same NaN and -0.0 is 0.0.
 *
 *   (origin string, day date) ⇒ | view 16 bytes | day 4 | null? 1 | null? 1 | 0 0 |   three words
 *   (day date)                ⇒ | day 4 | null? 1 | 0 0 0 |                           one word
 *
 * Rows just encoded borrow the strings of the columns they come from; a store copies them. */
#ifndef SP_EXEC_KEY_ROWS_H
#define SP_EXEC_KEY_ROWS_H

#include "base/arena.h"
#include "base/hash.h"
#include "data/column.h"

typedef struct sp_key_field {
  const sp_type *type;
  uint32_t offset;      /* of the value, in bytes */
  uint32_t null_offset; /* of the null byte */
} sp_key_field;
typedef struct sp_key_layout {
  uint32_t n;
  sp_key_field *fields;
  uint32_t n_views; /* strings; their views are the first words */
  uint32_t words;   /* per row */
} sp_key_layout;

/* In the arena; NULL when out of memory. */
const sp_key_layout *sp_key_layout_new(sp_arena *a, const sp_type *const *types, uint32_t n);

/* Writes the keys of the rows sel[from .. from + n), or from .. from + n without sel, to rows, stride words
 * apart. cols: no SEQUENCE. */
void sp_key_encode(const sp_key_layout *l, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                   uint32_t n, uint64_t *rows, size_t stride);
void sp_key_hash(const sp_key_layout *l, const uint64_t *rows, size_t stride, uint32_t n, uint64_t *hashes);
bool sp_key_eq_views(const sp_key_layout *l, const uint64_t *a, const uint64_t *b);
static inline bool sp_key_eq(const sp_key_layout *l, const uint64_t *a, const uint64_t *b) {
  for (uint32_t i = 2 * l->n_views; i < l->words; i++) {
    if (a[i] != b[i]) {
      return false;
    }
  }
  return l->n_views == 0 || sp_key_eq_views(l, a, b);
}
static inline bool sp_key_is_null(const sp_key_field *f, const uint64_t *row) {
  return ((const uint8_t *)row)[f->null_offset] != 0;
}
bool sp_key_has_null(const sp_key_layout *l, const uint64_t *row);

/* Can the type's values be numbered by integers (sp_key_ordered)? */
static inline bool sp_key_is_int(const sp_type *t) {
  return t->phys <= SP_PHYS_U64 && t->phys != SP_PHYS_NONE;
}
/* Values of an integer-like column, of the same rows, as unsigned integers in the same order. valid: 1 where
 * not null. Nulls give 0. Returns whether there are any. */
bool sp_key_ordered(const sp_column *c, const uint16_t *sel, uint32_t from, uint32_t n, uint64_t *out,
                    uint8_t *valid);
/* The same number for one value in a row. */
uint64_t sp_key_ordered_at(const sp_key_field *f, const uint64_t *row);
uint64_t sp_key_ordered_value(const sp_value *v); /* of an integer-like type, not null */

/* ---- rows that are kept, with user bytes behind each ---- */
typedef struct sp_key_store {
  const sp_key_layout *layout;
  sp_maker mk;
  uint8_t *rows; /* key words, then the user's bytes at user_offset (a multiple of 16) */
  size_t stride, user_offset;
  uint32_t n, cap;
  sp_buf **heaps; /* strings */
  uint32_t n_heaps, cap_heaps;
} sp_key_store;
void sp_key_store_init(sp_key_store *s, const sp_key_layout *l, sp_maker mk, size_t user_bytes);
void sp_key_store_release(sp_key_store *s);
/* Room for n more; false = out of memory or more than 2^32 - 2 rows. */
bool sp_key_store_reserve(sp_key_store *s, uint32_t n);
/* Appends into reserved room; user bytes are zero. false = out of memory. */
bool sp_key_store_append(sp_key_store *s, const uint64_t *row);
static inline uint64_t *sp_key_store_row(const sp_key_store *s, uint32_t i) {
  return (uint64_t *)(void *)(s->rows + (size_t)i * s->stride);
}
static inline void *sp_key_store_user(const sp_key_store *s, uint32_t i) {
  return s->rows + (size_t)i * s->stride + s->user_offset;
}
/* A FLAT column of key `field` of rows [from, from + n). NULL when out of memory. */
sp_column *sp_key_store_column(const sp_key_store *s, uint32_t field, sp_maker mk, uint32_t from, uint32_t n);

#endif
