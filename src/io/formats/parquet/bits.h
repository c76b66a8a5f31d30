/* Streams of small integers: the RLE / bit-packed hybrid (levels, dictionary codes, booleans) and
 * DELTA_BINARY_PACKED.
 *
 * All of them stream: read and skip may be called with any counts, in any order. Bounds are checked once per
 * run. The input must be readable (not meaningful) for SP_PQ_SLACK bytes past its end, which SP_BUF_PAD of
 * every buffer gives. */
#ifndef SP_IO_PARQUET_BITS_H
#define SP_IO_PARQUET_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SP_PQ_SLACK 40

static inline uint64_t sp_pq_load64(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline uint32_t sp_pq_load32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

/* Unpacks n values of `width` bits (0 to 32), least significant bit first; p is where a group of 8 starts.
 * Reads at most SP_PQ_SLACK bytes past the values, writes exactly n. */
void sp_pq_unpack32(const uint8_t *p, uint32_t width, uint32_t n, uint32_t *dst);
/* One byte 0 or 1 per bit. */
void sp_pq_unpack_bits(const uint8_t *p, uint32_t n, uint8_t *dst);
uint32_t sp_pq_max32(const uint32_t *v, uint32_t n);
uint32_t sp_pq_sum8(const uint8_t *v, uint32_t n); /* of zeros and ones */

/* ---- the hybrid ---- */
typedef struct sp_pq_rle {
  const uint8_t *p, *end; /* behind the current run */
  const uint8_t *run;     /* bit-packed: its first byte */
  uint32_t width;
  uint32_t left;  /* values left in the run */
  uint32_t at;    /* bit-packed: values taken */
  uint32_t value; /* repeated one */
  bool packed;
} sp_pq_rle;

/* Width 0: all values are 0 and no bytes are needed. false when the width is over 32. */
bool sp_pq_rle_init(sp_pq_rle *r, const uint8_t *p, const uint8_t *end, uint32_t width);
/* n bits, packed without runs (plain booleans, say). */
void sp_pq_rle_init_bits(sp_pq_rle *r, const uint8_t *p, const uint8_t *end, uint32_t n);
/* These return false when the stream ends before n values. */
bool sp_pq_rle_read(sp_pq_rle *r, uint32_t n, uint32_t *dst);
bool sp_pq_rle_read_bits(sp_pq_rle *r, uint32_t n, uint8_t *dst); /* width 1 */
bool sp_pq_rle_skip(sp_pq_rle *r, uint32_t n);
bool sp_pq_rle_skip_count(sp_pq_rle *r, uint32_t n, uint32_t *ret_ones); /* width 1 */
/* Is the rest of the current (or next) run n or more repetitions of one value? */
bool sp_pq_rle_is_run(sp_pq_rle *r, uint32_t n, uint32_t *ret_value);

/* ---- delta ---- */
typedef struct sp_pq_delta {
  const uint8_t *p, *end;
  const uint8_t *widths; /* of the block's miniblocks */
  const uint8_t *mini;   /* the current miniblock's bits */
  uint32_t n_minis, per_mini;
  uint32_t next_mini; /* n_minis: a new block comes next */
  uint32_t width, at; /* of the current miniblock */
  uint32_t mini_left;
  bool first; /* the first value is still to be returned */
  uint64_t left, last, min_delta;
} sp_pq_delta;

bool sp_pq_delta_init(sp_pq_delta *d, const uint8_t *p, const uint8_t *end);
/* Values wrap around as unsigned; an int32 is the low half. */
bool sp_pq_delta_read(sp_pq_delta *d, uint32_t n, uint64_t *dst);
/* Where the stream that starts at d's start ends, without unpacking it; NULL when it is damaged. */
const uint8_t *sp_pq_delta_end(const uint8_t *p, const uint8_t *end);

#endif
