/* The ranges of code points that take no column or two; sorted, for sp_utf8_width. */
#ifndef SP_BASE_UTF8_WIDTH_H
#define SP_BASE_UTF8_WIDTH_H

#include <stdint.h>

typedef struct sp_utf8_range {
  uint32_t first, last;
} sp_utf8_range;

extern const sp_utf8_range sp_utf8_zero[], sp_utf8_wide[];
extern const uint32_t sp_utf8_n_zero, sp_utf8_n_wide;

#endif
