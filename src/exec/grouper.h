/* Numbers the distinct keys of a stream of batches: what group_by, unique and joins on general keys build on.
 *
 * One worker, one grouper. Groups are numbered as they are found; each has a row in the store: its key, then
 * user bytes (states of aggregates). How a key finds its group is the grouper's business, and changes while
 * it learns more about the keys:
 *
 *   DIRECT  integers of a small range, strings that come as dictionary codes: an array of ids over the
 *           product of the ranges; each entry of a dictionary is looked up once
 *   PACKED  the same, where the product is large: a table of 64-bit numbers
 *   WORD    another key that fits 64 bits: a table with the keys in its slots
 *   ROWS    anything else: a table of hashes over rows
 *
 * Example: (returnflag, linestatus) of TPC-H q1: digits 3 × 2 and null, 4 × 4 = 16 entries, no hash and no
 * comparison per row. */
#ifndef SP_EXEC_GROUPER_H
#define SP_EXEC_GROUPER_H

#include "exec/hash_table.h"

typedef enum sp_grouper_mode {
  SP_GROUPER_NEW,
  SP_GROUPER_DIRECT,
  SP_GROUPER_PACKED,
  SP_GROUPER_WORD,
  SP_GROUPER_ROWS
} sp_grouper_mode;
typedef struct sp_digit sp_digit;

typedef struct sp_grouper {
  sp_key_store store; /* its n: the number of groups */
  sp_grouper_mode mode;
  uint64_t rows_seen, next_try;
  /* DIRECT, PACKED */
  sp_digit *digits; /* by key; NULL when they are not to be used */
  uint32_t *direct; /* id + 1 */
  uint32_t direct_bits;
  /* PACKED, WORD; ROWS */
  sp_word_table words;
  sp_row_table table;
  uint32_t null_group; /* WORD with a key that leaves no room for null; SP_NO_ID: none yet */
  /* for one chunk of rows */
  uint64_t *row_buf, *word_buf, *number_buf;
  uint32_t *fresh_buf;
  uint16_t *sel_buf;
  uint8_t *valid_buf;
} sp_grouper;

/* digits: may be DIRECT or PACKED (rows must come by sp_grouper_add then). Without keys there is one group
 * from the start. false = out of memory. */
bool sp_grouper_init(sp_grouper *g, const sp_key_layout *l, sp_maker mk, size_t user_bytes, bool digits);
void sp_grouper_release(sp_grouper *g); /* also when init failed, or of a zeroed grouper */
/* Finds or makes the groups of the rows meant. New groups have zeroed user bytes and the ids from the old
 * store.n on. cols: no SEQUENCE. false = out of memory. */
bool sp_grouper_add(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t n,
                    uint32_t *ids);
/* The same for rows already encoded (of another grouper's store, say). */
bool sp_grouper_add_rows(sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids);
/* Finds the groups of encoded rows, SP_NO_ID where there is none. Thread-safe while nobody adds. */
void sp_grouper_find(const sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids);

#endif
