/* From keys to the rows of a join's build side.
 *
 * Keys become ids, ids become lists of build rows. How a key becomes an id depends on the keys that are
 * there:
 *
 *   ALL     no keys: every row matches every row
 *   BITMAP  integers, or several packed into one, of a dense range: bitmap and rank
 *   WORDS   integers packed into 64 bits by the ranges they have: keys in the table's slots
 *   ROWS    anything else: rows compared
 *
 * Values outside the build's range cannot match and are seen at packing. Lists keep the order of build rows.
 *
 * Example: build keys (5, 7, 5) ⇒ BITMAP of range 3 from 5; ids 0 ⇒ rows {0, 2}, 1 ⇒ {1}. */
#ifndef SP_EXEC_JOIN_INDEX_H
#define SP_EXEC_JOIN_INDEX_H

#include "exec/bitmap_rank.h"
#include "exec/grouper.h"
#include "exec/operator.h"

typedef enum sp_join_index_kind {
  SP_JOIN_INDEX_ALL,
  SP_JOIN_INDEX_BITMAP,
  SP_JOIN_INDEX_WORDS,
  SP_JOIN_INDEX_ROWS
} sp_join_index_kind;

typedef struct sp_join_range { /* of one integer key on the build side */
  uint64_t lo, hi;             /* lo > hi: no value */
  bool nulls;
} sp_join_range;

typedef struct sp_join_index {
  sp_join_index_kind kind;
  sp_mem *mem;
  const sp_key_layout *layout;
  bool nulls_equal, ints; /* ints: all keys are integer-like */
  bool only_exists;       /* nobody asks which rows match */
  sp_join_range *ranges;  /* by key, for ints */
  uint32_t *shifts;
  sp_bitmap_rank bitmap;
  sp_word_table words;
  sp_grouper groups;
  uint32_t n_rows, n_ids;
  uint32_t *starts; /* n_ids + 1, into rows; NULL: id i has the one row rows[i] */
  uint32_t *rows;   /* NULL: row i */
  uint32_t n_listed;
} sp_join_index;

/* Scratch of one worker. */
typedef struct sp_join_probe {
  uint64_t *keys, *words; /* rows encoded; packed keys */
  uint8_t *valid;
} sp_join_probe;
bool sp_join_probe_init(sp_join_probe *p, const sp_join_index *x);
void sp_join_probe_release(sp_join_probe *p, const sp_join_index *x);

/* Widens ranges by the rows of one batch. */
void sp_join_ranges_note(const sp_join_index *x, sp_join_range *ranges, const sp_column *const *keys,
                         uint32_t n, sp_join_probe *p);

typedef struct sp_join_keys { /* the key columns of one build batch */
  const sp_column *const *cols;
  uint32_t n, first_row;
} sp_join_keys;
/* Builds the index over all batches, in order. mem, layout, nulls_equal, ints, only_exists and ranges are
 * set. */
sp_status sp_join_index_build(sp_join_index *x, sp_operator *op, const sp_join_keys *batches,
                              uint32_t n_batches, sp_error *err);
void sp_join_index_release(sp_join_index *x);

/* Ids of the rows meant, SP_NO_ID where nothing matches. Thread-safe. */
void sp_join_index_find(const sp_join_index *x, sp_join_probe *p, const sp_column *const *keys,
                        const uint16_t *sel, uint32_t n, uint32_t *ids);
/* The build rows of an id: *ret_n of them, x->rows[*ret_first + i], or *ret_first + i where rows is NULL. */
static inline uint32_t sp_join_index_list(const sp_join_index *x, uint32_t id, uint32_t *ret_n) {
  if (x->kind == SP_JOIN_INDEX_ALL) {
    *ret_n = x->n_rows;
    return 0;
  }
  if (x->starts == NULL) {
    *ret_n = 1;
    return id;
  }
  *ret_n = x->starts[id + 1] - x->starts[id];
  return x->starts[id];
}
static inline uint32_t sp_join_index_row(const sp_join_index *x, uint32_t at) {
  return x->rows != NULL ? x->rows[at] : at;
}

#endif
