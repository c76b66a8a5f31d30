/* What the files of columns share: headers and writing rows flat. */
#ifndef SP_DATA_COLUMN_BUILD_H
#define SP_DATA_COLUMN_BUILD_H

#include "data/column.h"

/* A header without buffers, refs 1; NULL when out of memory. */
sp_column *sp_column_header(sp_maker m, const sp_type *t, sp_encoding e, uint32_t n);
/* A header over the same buffers, dictionary and heaps; NULL when out of memory. */
sp_column *sp_column_alias(sp_maker m, const sp_column *c);
/* A buffer of n values of width bytes, its size set; NULL when out of memory. */
sp_buf *sp_column_buffer(sp_maker m, uint32_t n, uint32_t width);
/* Writes the values of all rows to dst, which has room for length * width bytes. */
void sp_column_unpack(const sp_column *c, void *dst);
/* Writes the validity of all rows. Returns whether all are valid. */
bool sp_column_unpack_validity(const sp_column *c, uint8_t *dst);

#endif
