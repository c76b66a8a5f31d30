/* Cutting and wrapping text with spans to columns of a fixed-width font. */
#ifndef SP_VIZ_WRAP_H
#define SP_VIZ_WRAP_H

#include "base/str.h"
#include "sigmapi/report.h"

/* Cuts text in the middle to at most `columns` (at least 8), at the end of a word where one is near; `dots`
 * stands for what is gone. *ret_full is the text when it was cut, else NULL. false = out of memory. */
bool sp_rich_cut(const sp_rich *r, uint32_t columns, const char *dots, sp_arena *a, sp_rich *ret,
                 const char **ret_full);

/* As few lines of at most `columns` as it takes, at most `max_lines`; longer text is cut in the middle first.
 * Breaks before AND and OR, behind a comma, else at a space, else anywhere; spaces at a break are dropped. */
bool sp_rich_wrap(const sp_rich *r, uint32_t columns, uint32_t max_lines, sp_arena *a, const sp_rich **ret,
                  uint32_t *ret_n, const char **ret_full);

#endif
