/* The RLE / bit-packed hybrid.
 *
 * A run starts with a varint h. h even: h >> 1 repetitions of one value of ceil(width / 8) bytes. h odd: h >>
 * 1 groups of 8 values, width bytes each, least significant bit first; the last group is padded, and may be
 * cut off by the end.
 *
 * Worked example, width 2: 06 03 is 3 times the value 3; 03 e4 1b is 8 values, 0 1 2 3 3 2 1 0. */
#include "io/formats/parquet/bits.h"

bool sp_pq_rle_init(sp_pq_rle *r, const uint8_t *p, const uint8_t *end, uint32_t width) {
  *r = (sp_pq_rle){.p = p, .end = end, .width = width};
  if (width == 0) {
    r->left = UINT32_MAX;
  }
  return width <= 32;
}

void sp_pq_rle_init_bits(sp_pq_rle *r, const uint8_t *p, const uint8_t *end, uint32_t n) {
  *r = (sp_pq_rle){.p = end, .end = end, .run = p, .width = 1, .packed = true};
  const uint64_t bits = (uint64_t)(end - p) * 8;
  r->left = bits < n ? (uint32_t)bits : n;
}

/* Starts the next run with at least one value. */
static bool next_run(sp_pq_rle *r) {
  while (r->left == 0) {
    uint64_t h = 0;
    uint32_t shift = 0;
    uint8_t b;
    do {
      if (r->p >= r->end || shift > 35) {
        return false;
      }
      b = *r->p++;
      h |= (uint64_t)(b & 0x7f) << shift;
      shift += 7;
    } while (b & 0x80);
    const size_t have = (size_t)(r->end - r->p);
    if ((h & 1) != 0) {
      const uint64_t groups = h >> 1;
      const uint64_t bytes = groups * r->width;
      uint64_t n = groups * 8;
      size_t take = (size_t)bytes;
      if (bytes > have) { /* the padding of the last group may be missing */
        take = have;
        n = (uint64_t)have * 8 / r->width;
      }
      r->run = r->p;
      r->p += take;
      r->at = 0;
      r->packed = true;
      r->left = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
      if (bytes > have && n == 0) {
        return false;
      }
    } else {
      const uint32_t bytes = (r->width + 7) / 8;
      if (bytes > have) {
        return false;
      }
      r->value = 0;
      memcpy(&r->value, r->p, bytes);
      r->p += bytes;
      r->packed = false;
      r->left = (h >> 1) > UINT32_MAX ? UINT32_MAX : (uint32_t)(h >> 1);
    }
  }
  return true;
}

static void take_packed(sp_pq_rle *r, uint32_t n, uint32_t *dst) {
  uint32_t done = 0;
  if (r->at % 8 != 0) { /* finish the group that was begun */
    uint32_t group[8];
    const uint32_t from = r->at % 8;
    sp_pq_unpack32(r->run + (size_t)(r->at / 8) * r->width, r->width, 8, group);
    done = n < 8 - from ? n : 8 - from;
    memcpy(dst, group + from, done * sizeof *dst);
  }
  sp_pq_unpack32(r->run + (size_t)((r->at + done) / 8) * r->width, r->width, n - done, dst + done);
  r->at += n;
}

bool sp_pq_rle_read(sp_pq_rle *r, uint32_t n, uint32_t *dst) {
  while (n > 0) {
    if (r->left == 0 && !next_run(r)) {
      return false;
    }
    const uint32_t k = n < r->left ? n : r->left;
    if (r->packed) {
      take_packed(r, k, dst);
    } else {
      for (uint32_t i = 0; i < k; i++) {
        dst[i] = r->value;
      }
    }
    r->left -= r->width == 0 ? 0 : k;
    dst += k;
    n -= k;
  }
  return true;
}

static void take_bits(sp_pq_rle *r, uint32_t n, uint8_t *dst) {
  uint32_t done = 0;
  for (; (r->at + done) % 8 != 0 && done < n; done++) {
    dst[done] = (uint8_t)(r->run[(r->at + done) / 8] >> ((r->at + done) % 8) & 1);
  }
  sp_pq_unpack_bits(r->run + (r->at + done) / 8, n - done, dst + done);
  r->at += n;
}

bool sp_pq_rle_read_bits(sp_pq_rle *r, uint32_t n, uint8_t *dst) {
  while (n > 0) {
    if (r->left == 0 && !next_run(r)) {
      return false;
    }
    const uint32_t k = n < r->left ? n : r->left;
    if (r->packed) {
      take_bits(r, k, dst);
    } else {
      memset(dst, r->value & 1, k);
    }
    r->left -= k;
    dst += k;
    n -= k;
  }
  return true;
}

bool sp_pq_rle_skip(sp_pq_rle *r, uint32_t n) {
  if (r->width == 0) {
    return true;
  }
  while (n > 0) {
    if (r->left == 0 && !next_run(r)) {
      return false;
    }
    const uint32_t k = n < r->left ? n : r->left;
    r->at += k;
    r->left -= k;
    n -= k;
  }
  return true;
}

bool sp_pq_rle_skip_count(sp_pq_rle *r, uint32_t n, uint32_t *ret_ones) {
  uint8_t bits[512];
  uint32_t ones = 0;
  while (n > 0) {
    if (r->left == 0 && !next_run(r)) {
      return false;
    }
    uint32_t k = n < r->left ? n : r->left;
    if (r->packed) {
      k = k < sizeof bits ? k : (uint32_t)sizeof bits;
      take_bits(r, k, bits);
      ones += sp_pq_sum8(bits, k);
    } else {
      ones += (r->value & 1) * k;
    }
    r->left -= k;
    n -= k;
  }
  *ret_ones = ones;
  return true;
}

bool sp_pq_rle_is_run(sp_pq_rle *r, uint32_t n, uint32_t *ret_value) {
  if ((r->left == 0 && !next_run(r)) || r->packed || r->left < n) {
    return false;
  }
  *ret_value = r->value;
  return true;
}
