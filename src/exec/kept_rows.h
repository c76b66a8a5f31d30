/* Rows that a breaker keeps: batches by worker, put in order at finish and made into whole columns.
 *
 * Example: two workers kept morsels 0, 2 and 1: moved together and ordered they are 0, 1, 2, and row 7 of the
 * whole columns is the same row whoever kept it. */
#ifndef SP_EXEC_KEPT_ROWS_H
#define SP_EXEC_KEPT_ROWS_H

#include "exec/operator.h"

typedef struct sp_kept { /* zeroed to start */
  uint32_t n, cap;
  uint64_t rows;
  sp_batch **batches;
} sp_kept;

/* Takes b over, also on failure; NULL counts as out of memory. */
bool sp_kept_add(sp_kept *k, sp_mem *mem, sp_batch *b);
void sp_kept_release(sp_kept *k, sp_mem *mem);
/* Moves all batches of `from` to the end of k. */
bool sp_kept_move(sp_kept *k, sp_mem *mem, sp_kept *from);
void sp_kept_order(sp_kept *k); /* by ordinals */
/* The first n columns of all batches as one each, by all workers (from finish only); the batches lose theirs.
 * types: for no rows at all. ret: n NULLs, filled also partly on failure. */
sp_status sp_kept_columns(sp_operator *op, sp_kept *k, const sp_type *const *types, uint32_t n,
                          sp_column **ret, sp_error *err);
/* SP_LIMIT when the rows are too many for 32-bit numbers. */
sp_status sp_kept_check(const sp_kept *k, sp_error *err);

#endif
