/* Sort keys as unsigned words: comparing words from the first on compares rows.
 *
 * Each key is a bit string, one after the other: a bit for null where there can be one, then the value so
 * that it orders as an unsigned number, inverted when descending. Integers whose range is known take as many
 * bits as the range needs, short strings their bytes and length; without that knowledge a value takes its
 * full width and a string its first 12 bytes. A key that is not decided by its bits (a long string) is the
 * last one: `rest` says from which key on values must be compared when all words are equal.
 *
 *   (day date in 1992 … 1998, descending; flag string of 1 byte) ⇒ 12 bits + 9 bits: one word
 *
 * Nulls come first unless nulls_last, NaN after all other numbers, whatever the direction. */
#ifndef SP_EXEC_SORT_KEYS_H
#define SP_EXEC_SORT_KEYS_H

#include "data/column.h"

#define SP_SORT_WORDS 4 /* at most; what does not fit is compared by value */

typedef struct sp_sort_key {
  const sp_type *type;
  bool descending, nulls_last;
  /* what is known of the values; sp_sort_key_unknown to start */
  bool no_nulls;
  bool ranged; /* integers: all in [lo, hi], as sp_key_ordered numbers them */
  uint64_t lo, hi;
  uint32_t max_len; /* strings: of the longest; UINT32_MAX: not known */
  /* set by the layout */
  uint32_t bits; /* all of this key's */
} sp_sort_key;
typedef struct sp_sort_layout {
  uint32_t n;
  sp_sort_key *keys;
  uint32_t words;
  uint32_t rest; /* first key that the words do not decide; n: none */
} sp_sort_layout;
void sp_sort_key_unknown(sp_sort_key *k);
void sp_sort_layout_set(sp_sort_layout *l);

/* What a stream of batches holds; starts zeroed. */
typedef struct sp_sort_stats {
  bool seen, nulls; /* seen: a value that is not null */
  uint64_t lo, hi;
  uint32_t max_len;
} sp_sort_stats;
/* c: no SEQUENCE; all its rows. */
void sp_sort_stats_note(sp_sort_stats *s, const sp_column *c);
void sp_sort_stats_merge(sp_sort_stats *s, const sp_sort_stats *other);
void sp_sort_key_know(sp_sort_key *k, const sp_sort_stats *s);

/* The first `words` words of the rows sel[from .. from + n), or from .. from + n without sel, one row after
 * the other. cols: no SEQUENCE. */
void sp_sort_encode(const sp_sort_layout *l, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                    uint32_t n, uint32_t words, uint64_t *out);
/* Compares rows a and b of the keys from `rest` on: <0, 0, >0. */
int sp_sort_compare_rest(const sp_sort_layout *l, const sp_column *const *cols, uint32_t a, uint32_t b);

#endif
