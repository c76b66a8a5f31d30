/* See bitmap_rank.h. */
#include "exec/bitmap_rank.h"

#include "base/simd.h"

#define ANY_WORDS 4096 /* looked at by sp_bitmap_rank_any */

bool sp_bitmap_rank_init(sp_bitmap_rank *b, sp_mem *mem, uint64_t range) {
  *b = (sp_bitmap_rank){.mem = mem, .range = range, .n_words = (size_t)(range / 64 + (range % 64 != 0))};
  b->words = sp_mem_calloc(mem, b->n_words * sizeof *b->words);
  return b->words != NULL;
}

void sp_bitmap_rank_release(sp_bitmap_rank *b) {
  sp_mem_free(b->mem, b->words, b->n_words * sizeof *b->words);
  sp_mem_free(b->mem, b->ranks, b->n_words * sizeof *b->ranks);
  *b = (sp_bitmap_rank){.mem = b->mem};
}

void sp_bitmap_rank_set(sp_bitmap_rank *b, const uint64_t *keys, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (keys[i] < b->range) {
      b->words[keys[i] >> 6] |= UINT64_C(1) << (keys[i] & 63);
    }
  }
}

SP_CLONES static uint64_t sum_up(const uint64_t *words, size_t n, uint32_t *ranks) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    ranks[i] = (uint32_t)sum;
    sum += (uint32_t)__builtin_popcountll(words[i]);
  }
  return sum;
}

bool sp_bitmap_rank_count(sp_bitmap_rank *b, uint32_t *ret_n) {
  b->ranks = sp_mem_alloc(b->mem, b->n_words * sizeof *b->ranks);
  if (b->ranks == NULL) {
    return false;
  }
  *ret_n = (uint32_t)sum_up(b->words, b->n_words, b->ranks);
  return true;
}

SP_CLONES void sp_bitmap_rank_find(const sp_bitmap_rank *b, const uint64_t *keys, size_t n, uint32_t *ids) {
  const uint64_t *words = b->words;
  const uint32_t *ranks = b->ranks;
  const uint64_t range = b->range;
  for (size_t i = 0; i < n; i++) {
    const uint64_t key = keys[i] < range ? keys[i] : 0;
    const uint64_t word = words[key >> 6];
    const uint64_t bit = UINT64_C(1) << (key & 63);
    const uint32_t rank = ranks[key >> 6] + (uint32_t)__builtin_popcountll(word & (bit - 1));
    ids[i] = (word & bit) != 0 && keys[i] < range ? rank : SP_NO_ID;
  }
}

bool sp_bitmap_rank_any(const sp_bitmap_rank *b, uint64_t lo, uint64_t hi) {
  if (lo >= b->range || lo > hi) {
    return false;
  }
  hi = hi < b->range ? hi : b->range - 1;
  const size_t first = lo >> 6;
  const size_t last = hi >> 6;
  if (last - first > ANY_WORDS) {
    return true;
  }
  for (size_t i = first; i <= last; i++) {
    uint64_t w = b->words[i];
    w &= i == first ? ~UINT64_C(0) << (lo & 63) : ~UINT64_C(0);
    w &= i == last ? ~UINT64_C(0) >> (63 - (hi & 63)) : ~UINT64_C(0);
    if (w != 0) {
      return true;
    }
  }
  return false;
}
