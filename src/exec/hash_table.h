/* Hash tables from keys to dense ids: linear probing over a power of two of slots, at most half full.
 *
 * sp_word_table holds 64-bit keys in its slots; sp_row_table holds 32 bits of the hash beside the id, and
 * compares rows in a key store only when they agree. Both take keys by the batch: slots are computed and
 * prefetched for some hundred keys before the first is looked at, so that misses overlap. The first key never
 * seen gets id 0, the next one 1, …: ids are indices into whatever the user keeps beside the table. Finding
 * is thread-safe while nobody adds.
 *
 * Example: add {7, 9, 7} ⇒ ids {0, 1, 0}; find {9, 8} ⇒ {1, SP_NO_ID}. */
#ifndef SP_EXEC_HASH_TABLE_H
#define SP_EXEC_HASH_TABLE_H

#include "base/error.h"
#include "exec/key_rows.h"

#define SP_NO_ID UINT32_MAX

typedef struct sp_word_slot {
  uint64_t key;
  uint32_t id_plus_1; /* 0 = free */
  uint32_t unused;
} sp_word_slot;
typedef struct sp_word_table {
  sp_mem *mem;
  sp_word_slot *slots;
  size_t n_slots; /* 0 or a power of two */
  uint32_t used;
} sp_word_table;
void sp_word_table_release(sp_word_table *t);
/* Room for n more keys. false = out of memory. */
bool sp_word_table_reserve(sp_word_table *t, uint32_t n);
void sp_word_table_find(const sp_word_table *t, const uint64_t *keys, uint32_t n, uint32_t *ids);
/* Unknown keys get the ids *next, *next + 1, …; the positions in keys where that happened are written to
 * fresh (room for n), and *ret_fresh says how many. false = out of memory. */
bool sp_word_table_add(sp_word_table *t, const uint64_t *keys, uint32_t n, uint32_t *ids, uint32_t *next,
                       uint32_t *fresh, uint32_t *ret_fresh);

typedef struct sp_row_table {
  sp_mem *mem;
  uint64_t *slots; /* high half: of the hash; low half: id + 1, 0 = free */
  size_t n_slots;
  uint64_t *hashes; /* by id, for growing */
  uint32_t cap_hashes;
} sp_row_table;
void sp_row_table_release(sp_row_table *t);
void sp_row_table_find(const sp_row_table *t, const sp_key_store *s, const uint64_t *rows, size_t stride,
                       const uint64_t *hashes, uint32_t n, uint32_t *ids);
/* Unknown rows are appended to the store; their ids are their numbers there, so every row of the store must
 * be in the table. */
bool sp_row_table_add(sp_row_table *t, sp_key_store *s, const uint64_t *rows, size_t stride,
                      const uint64_t *hashes, uint32_t n, uint32_t *ids);
/* Puts all rows of a store whose rows are distinct into an empty table. */
bool sp_row_table_fill(sp_row_table *t, const sp_key_store *s);

#endif
