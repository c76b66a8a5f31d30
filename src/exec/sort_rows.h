/* Sorting row numbers by keys: what sort and top_k do once their rows are together.
 *
 *   runs    every worker encodes and sorts a part: radix by the first word, then rows that it leaves
 *           equal by the other words and values
 *   merge   pairs of runs, each cut into pieces of equal size where the two paths cross (merge path),
 *           so that all workers merge
 *
 * Stable: rows with equal keys stay in order of their numbers. */
#ifndef SP_EXEC_SORT_ROWS_H
#define SP_EXEC_SORT_ROWS_H

#include "exec/operator.h"
#include "exec/sort_keys.h"

typedef struct sp_sort_entry {
  uint64_t key; /* the first word */
  uint32_t row;
  uint32_t unused;
} sp_sort_entry;

typedef struct sp_sorted {
  sp_mem *mem;
  uint32_t n;
  sp_sort_entry *entries;
} sp_sorted;
void sp_sorted_release(sp_sorted *s);

/* Sorts rows 0 .. n - 1 of cols (no SEQUENCE) into *ret. op NULL: by the calling thread alone, from mem; else
 * by all workers, from finish only. */
sp_status sp_sort_rows(sp_operator *op, sp_mem *mem, const sp_sort_layout *l, const sp_column *const *cols,
                       uint32_t n, sp_sorted *ret, sp_error *err);

#endif
