/* Snappy decompression of our own. libsnappy's inner loop calls memmove for its pieces; where they are a few
 * bytes, as in PLAIN numbers, that is most of its time. Here a short piece is one unconditional 16-byte move,
 * which padded buffers allow: 1.3 to 1.5 times as fast on TPC-H's keys and prices, the same on its comments.
 * Deciding between literal and copy without a branch was tried too and is slower on numbers, faster on
 * nothing.
 *
 * A page is a varint length, then pieces. The low two bits of a tag say what: 0 a literal of (tag >> 2) + 1
 * bytes (60 to 63: the length follows in 1 to 4 bytes), 1, 2, 3 a copy from up to 2^11, 2^16, 2^32 bytes
 * before.
 *
 * Worked example: 06 04 61 62 01 02: 6 bytes; literal "ab"; a copy of 4 from 2 before, which repeats it:
 * "ababab". */
#include "io/formats/parquet/codecs.h"

#include "base/simd.h"
#include "io/formats/parquet/bits.h"

static inline void copy8(uint8_t *dst, const uint8_t *src) {
  uint64_t v;
  memcpy(&v, src, 8);
  memcpy(dst, &v, 8);
}

static inline void copy16(uint8_t *dst, const uint8_t *src) {
  uint64_t a, b;
  memcpy(&a, src, 8);
  memcpy(&b, src + 8, 8);
  memcpy(dst, &a, 8);
  memcpy(dst + 8, &b, 8);
}

/* Copies at most 64 bytes that may overlap themselves; may write up to 63 bytes past them. */
static inline void copy_back(uint8_t *dst, size_t offset, size_t len) {
  if (SP_LIKELY(offset >= 16)) {
    copy16(dst, dst - offset);
    for (size_t i = 16; SP_UNLIKELY(i < len); i += 16) {
      copy16(dst + i, dst + i - offset);
    }
    return;
  }
  while (offset < 8 && len > offset) { /* what is repeated doubles */
    copy8(dst, dst - offset);
    dst += offset;
    len -= offset;
    offset *= 2;
  }
  copy8(dst, dst - offset);
  for (size_t i = 8; i < len; i += 8) {
    copy8(dst + i, dst + i - offset);
  }
}

static bool length(const uint8_t **p, const uint8_t *end, size_t *ret) {
  size_t v = 0;
  for (uint32_t shift = 0; shift < 35 && *p < end; shift += 7) {
    const uint8_t b = *(*p)++;
    v |= (size_t)(b & 0x7f) << shift;
    if (b < 0x80) {
      *ret = v;
      return true;
    }
  }
  return false;
}

/* A literal whose length follows its tag; *p stands behind both then. 0: damaged. */
static size_t long_literal(const uint8_t **p, const uint8_t *end, uint8_t tag) {
  const uint32_t bytes = (uint32_t)(tag >> 2) - 59;
  if ((size_t)(end - *p) < bytes) {
    return 0;
  }
  const uint64_t len = (sp_pq_load32(*p) & (UINT32_MAX >> (32 - 8 * bytes))) + UINT64_C(1);
  *p += bytes;
  return (size_t)len;
}

bool sp_pq_snappy(const uint8_t *p, size_t n, uint8_t *dst, size_t dst_n) {
  const uint8_t *const end = p + n;
  uint8_t *op = dst, *const op_end = dst + dst_n;
  size_t len;
  if (!length(&p, end, &len) || len != dst_n) {
    return false;
  }
  while (p < end) {
    const uint8_t tag = *p++;
    const uint32_t kind = tag & 3;
    if (kind == 0) {
      len = (size_t)(tag >> 2) + 1;
      if (SP_UNLIKELY(len > 60)) {
        len = long_literal(&p, end, tag);
      }
      if (SP_UNLIKELY(len - 1 >= (size_t)(end - p) || len > (size_t)(op_end - op))) {
        return false;
      }
      copy16(op, p);
      if (SP_UNLIKELY(len > 16)) {
        memcpy(op + 16, p + 16, len - 16);
      }
      p += len;
      op += len;
      continue;
    }
    /* 1: 3 bits of length, 11 of offset; 2 and 3: 6 bits of length, 2 or 4 bytes of offset */
    const uint32_t bytes = 1u << kind >> 1;
    const uint32_t low = sp_pq_load32(p) & (UINT32_MAX >> (32 - 8 * bytes));
    const size_t offset = kind == 1 ? (size_t)(tag & 0xe0) << 3 | low : low;
    len = kind == 1 ? (size_t)(tag >> 2 & 7) + 4 : (size_t)(tag >> 2) + 1;
    if (SP_UNLIKELY((size_t)(end - p) < bytes || offset - 1 >= (size_t)(op - dst) ||
                    len > (size_t)(op_end - op))) {
      return false;
    }
    p += bytes;
    copy_back(op, offset, len);
    op += len;
  }
  return op == op_end;
}
