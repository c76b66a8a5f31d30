/* A set of integers of a limited range as one bit each, with the number of set bits before every word:
 * membership and the dense position (rank) of a key are one or two loads. 12 bytes per 64 values of the
 * range; keys that are looked up in order touch memory in order, which hashing would destroy. It is a runtime
 * filter as it stands.
 *
 * Example: {3, 64, 70} of range 100 ⇒ words 0b1000, 0b1000001; ranks 0, 1; find 70 ⇒ 2, find 4 ⇒ SP_NO_ID. */
#ifndef SP_EXEC_BITMAP_RANK_H
#define SP_EXEC_BITMAP_RANK_H

#include "exec/hash_table.h"

typedef struct sp_bitmap_rank {
  sp_mem *mem;
  uint64_t range; /* values 0 .. range - 1 */
  uint64_t *words;
  uint32_t *ranks; /* NULL until sp_bitmap_rank_count */
  size_t n_words;
} sp_bitmap_rank;

bool sp_bitmap_rank_init(sp_bitmap_rank *b, sp_mem *mem, uint64_t range); /* false = out of memory */
void sp_bitmap_rank_release(sp_bitmap_rank *b);
void sp_bitmap_rank_set(sp_bitmap_rank *b, const uint64_t *keys,
                        size_t n); /* keys past the range are left out */
/* Computes ranks; *ret_n: how many values are in the set. false = out of memory. */
bool sp_bitmap_rank_count(sp_bitmap_rank *b, uint32_t *ret_n);
/* Ranks of keys, SP_NO_ID where not in the set. */
void sp_bitmap_rank_find(const sp_bitmap_rank *b, const uint64_t *keys, size_t n, uint32_t *ids);
static inline bool sp_bitmap_rank_has(const sp_bitmap_rank *b, uint64_t key) {
  return key < b->range && (b->words[key >> 6] >> (key & 63) & 1) != 0;
}
/* Is any value in [lo, hi] in the set? Looks at no more than some thousand words, then says yes. */
bool sp_bitmap_rank_any(const sp_bitmap_rank *b, uint64_t lo, uint64_t hi);

#endif
