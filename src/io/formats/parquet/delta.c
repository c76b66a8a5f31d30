/* DELTA_BINARY_PACKED: a header (block size, miniblocks per block, number of values, first value), then
 * blocks of (smallest delta, a width per miniblock, the miniblocks). Each value is the one before plus the
 * block's smallest delta plus its packed rest; sums wrap around, so unsigned arithmetic is right for every
 * width.
 *
 * Worked example: 80 01 04 05 02 02 00 00 00 00 is 128 per block, 4 miniblocks, 5 values, the first 1,
 * smallest delta 1, widths 0: 1 2 3 4 5. */
#include "io/formats/parquet/bits.h"

static bool get_varint(const uint8_t **p, const uint8_t *end, uint64_t *ret) {
  uint64_t v = 0;
  for (uint32_t shift = 0; shift < 64; shift += 7) {
    if (*p >= end) {
      return false;
    }
    const uint8_t b = *(*p)++;
    v |= (uint64_t)(b & 0x7f) << shift;
    if ((b & 0x80) == 0) {
      *ret = v;
      return true;
    }
  }
  return false;
}

static bool get_zigzag(const uint8_t **p, const uint8_t *end, uint64_t *ret) {
  uint64_t v;
  if (!get_varint(p, end, &v)) {
    return false;
  }
  *ret = (v >> 1) ^ (0 - (v & 1));
  return true;
}

bool sp_pq_delta_init(sp_pq_delta *d, const uint8_t *p, const uint8_t *end) {
  uint64_t block, minis, count, first;
  if (!get_varint(&p, end, &block) || !get_varint(&p, end, &minis) || !get_varint(&p, end, &count) ||
      !get_zigzag(&p, end, &first)) {
    return false;
  }
  if (minis == 0 || block == 0 || block > INT32_MAX || minis > block || block % minis != 0 ||
      block / minis % 8 != 0) {
    return false;
  }
  *d = (sp_pq_delta){.p = p,
                     .end = end,
                     .n_minis = (uint32_t)minis,
                     .per_mini = (uint32_t)(block / minis),
                     .next_mini = (uint32_t)minis,
                     .first = count > 0,
                     .left = count,
                     .last = first};
  return true;
}

/* Reads a block's header: the stream stands behind the widths then. */
static bool next_block(sp_pq_delta *d) {
  if (!get_zigzag(&d->p, d->end, &d->min_delta) || (size_t)(d->end - d->p) < d->n_minis) {
    return false;
  }
  d->widths = d->p;
  d->p += d->n_minis;
  d->next_mini = 0;
  return true;
}

/* Finds the next miniblock, of which `left` values are meant. Its bytes must be there as far as it is meant.
 */
static bool next_mini(sp_pq_delta *d, uint64_t left) {
  if (d->next_mini == d->n_minis && !next_block(d)) {
    return false;
  }
  d->width = d->widths[d->next_mini++];
  if (d->width > 64) {
    return false;
  }
  const uint64_t have = (uint64_t)(d->end - d->p);
  const uint64_t whole = (uint64_t)d->per_mini * d->width / 8;
  const uint64_t values = left < d->per_mini ? left : d->per_mini;
  if ((values * d->width + 7) / 8 > have) {
    return false;
  }
  d->mini = d->p;
  d->p += whole < have ? whole : have;
  d->at = 0;
  d->mini_left = (uint32_t)values;
  return true;
}

static uint64_t get_bits(const uint8_t *p, uint64_t bit, uint32_t width) {
  p += bit / 8;
  const uint32_t shift = (uint32_t)(bit % 8);
  uint64_t v = sp_pq_load64(p) >> shift;
  if (shift + width > 64) {
    v |= (uint64_t)p[8] << (64 - shift);
  }
  return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

static void take(sp_pq_delta *d, uint32_t n, uint64_t *dst) {
  uint64_t last = d->last;
  if (d->width == 0) {
    for (uint32_t i = 0; i < n; i++) {
      dst[i] = last += d->min_delta;
    }
  } else if (d->width <= 32 && d->at % 8 == 0) {
    uint32_t rest[256];
    const uint8_t *p = d->mini + (size_t)(d->at / 8) * d->width;
    for (uint32_t i = 0; i < n; i += 256, p += (size_t)32 * d->width) {
      const uint32_t k = n - i < 256 ? n - i : 256;
      sp_pq_unpack32(p, d->width, k, rest);
      for (uint32_t j = 0; j < k; j++) {
        dst[i + j] = last += d->min_delta + rest[j];
      }
    }
  } else {
    for (uint32_t i = 0; i < n; i++) {
      dst[i] = last += d->min_delta + get_bits(d->mini, ((uint64_t)d->at + i) * d->width, d->width);
    }
  }
  d->last = last;
  d->at += n;
  d->mini_left -= n;
}

bool sp_pq_delta_read(sp_pq_delta *d, uint32_t n, uint64_t *dst) {
  if (n > d->left) {
    return false;
  }
  if (n > 0 && d->first) {
    *dst++ = d->last;
    d->first = false;
    d->left--;
    n--;
  }
  while (n > 0) {
    if (d->mini_left == 0 && !next_mini(d, d->left)) {
      return false;
    }
    const uint32_t k = n < d->mini_left ? n : d->mini_left;
    take(d, k, dst);
    dst += k;
    n -= k;
    d->left -= k;
  }
  return true;
}

const uint8_t *sp_pq_delta_end(const uint8_t *p, const uint8_t *end) {
  sp_pq_delta d;
  if (!sp_pq_delta_init(&d, p, end)) {
    return NULL;
  }
  uint64_t left = d.left > 0 ? d.left - 1 : 0;
  while (left > 0) {
    if (!next_mini(&d, left)) {
      return NULL;
    }
    left -= d.mini_left;
  }
  return d.p;
}
