/* What the files of the grouper share: grouper.c chooses and holds the tables over words and rows,
 * grouper_digits.c those over digits. */
#ifndef SP_EXEC_GROUPER_IMPL_H
#define SP_EXEC_GROUPER_IMPL_H

#include "exec/grouper.h"

#define SP_GROUPER_CHUNK 1024 /* rows at a time, so that the buffers stay in L1 and L2 */

/* One key's place in a number made of all keys: 0 is null, 1 … are values. */
struct sp_digit {
  bool is_string, seen;
  uint64_t base;   /* the integer that is 1 */
  uint64_t lo, hi; /* of the integers seen */
  uint32_t bits, shift;
  /* strings: numbered by a store of their own */
  sp_key_store names;
  sp_row_table table;
  sp_key_layout layout;
  sp_key_field field;
  uint64_t n_flat;       /* strings that had to be looked up one by one */
  const sp_column *dict; /* the last dictionary seen, one reference, and the number of each of its entries (0
                            = not looked up yet) */
  uint32_t *codes;
  uint32_t n_codes;
};

bool sp_digits_possible(const sp_key_layout *l);
bool sp_digits_init(sp_grouper *g); /* false = out of memory */
void sp_digits_release(sp_grouper *g);
/* Finds or makes groups, DIRECT or PACKED as the ranges allow. *ret_left = true: the keys have outgrown both
 * and nothing has been added. */
bool sp_digits_add(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                   uint32_t n, uint32_t *ids, bool *ret_left);
void sp_digits_find(const sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids);

#endif
