/* The copying loops behind take, gather, flatten and concat: one per width, with instruction-set clones.
 *
 * Widths are 1, 2, 4, 8 and 16 bytes; 0 (the null type) copies nothing. dst and src must not overlap. Indices
 * must lie within src, but for SP_NO_ROW where a function says so. */
#ifndef SP_DATA_KERNELS_H
#define SP_DATA_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#define SP_NO_ROW UINT32_MAX

/* dst[i] = src[rows[i]] */
void sp_kernel_gather(uint32_t width, void *dst, const void *src, const uint32_t *rows, uint32_t n);
/* The same; all bytes zero where rows[i] is SP_NO_ROW. */
void sp_kernel_gather_or_zero(uint32_t width, void *dst, const void *src, const uint32_t *rows, uint32_t n);
/* dst[i] = src[sel[i]] */
void sp_kernel_take(uint32_t width, void *dst, const void *src, const uint16_t *sel, uint32_t n);
/* dst[i] = *src */
void sp_kernel_splat(uint32_t width, void *dst, const void *src, uint32_t n);
/* dst[i] = start + step * (rows[i], sel[i] or i), wrapped to the width; at most one of rows and sel is given.
 * Gives 0 for SP_NO_ROW. */
void sp_kernel_sequence(uint32_t width, void *dst, int64_t start, int64_t step, const uint32_t *rows,
                        const uint16_t *sel, uint32_t n);

/* Validity, one byte 0 or 1 per row. src NULL: all valid. Return whether every byte written is 1. */
bool sp_kernel_gather_validity(uint8_t *dst, const uint8_t *src, const uint32_t *rows, uint32_t n);
bool sp_kernel_take_validity(uint8_t *dst, const uint8_t *src, const uint16_t *sel, uint32_t n);

bool sp_kernel_has_no_row(const uint32_t *rows, uint32_t n); /* is any SP_NO_ROW? */
bool sp_kernel_is_run(const uint16_t *sel, uint32_t n);      /* consecutive ascending numbers? */
bool sp_kernel_all_valid(const uint8_t *validity, uint32_t n);

#endif
