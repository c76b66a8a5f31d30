/* UTF-8 (see str.h): checking, decoding, counting, and columns on a terminal.
 *
 * Strict as RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Widths are our own table,
 * since wcwidth() depends on the locale. Example: "né…" is 3 code points, 6 bytes, 3 columns; "東京" is 2
 * code points, 6 bytes, 4 columns. */
#include "base/str.h"

#include "base/utf8_width.h"

/* Bytes of the sequence at p, 0 when it is not valid. */
static uint32_t sequence(const uint8_t *p, const uint8_t *end) {
  const uint8_t c = *p;
  if (c < 0x80) {
    return 1;
  }
  if (c < 0xC2 || c > 0xF4) {
    return 0;
  }
  const uint32_t n = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  if ((size_t)(end - p) < n) {
    return 0;
  }
  /* The second byte's range is what keeps overlong forms, surrogates and too large values out. */
  const uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
  if (p[1] < low || p[1] > high) {
    return 0;
  }
  for (uint32_t i = 2; i < n; i++) {
    if ((p[i] & 0xC0) != 0x80) {
      return 0;
    }
  }
  return n;
}

bool sp_utf8_valid(const char *text, size_t n) {
  const uint8_t *p = (const uint8_t *)text;
  const uint8_t *end = p + n;
  while (p < end) {
    if (end - p >= 8) {
      uint64_t x;
      memcpy(&x, p, sizeof x);
      if ((x & UINT64_C(0x8080808080808080)) == 0) {
        p += 8;
        continue;
      }
    }
    const uint32_t len = sequence(p, end);
    if (len == 0) {
      return false;
    }
    p += len;
  }
  return true;
}

uint32_t sp_utf8_decode(const char *text, const char *end, uint32_t *ret_len) {
  const uint8_t *p = (const uint8_t *)text;
  const uint32_t n = sequence(p, (const uint8_t *)end);
  *ret_len = n == 0 ? 1 : n;
  switch (n) {
  case 1:
    return p[0];
  case 2:
    return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
  case 3:
    return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
  case 4:
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
           (p[3] & 0x3F);
  default:
    return 0xFFFD;
  }
}

uint32_t sp_utf8_encode(uint32_t cp, char out[4]) {
  if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000)) {
    cp = 0xFFFD;
  }
  if (cp < 0x80) {
    out[0] = (char)cp;
    return 1;
  }
  const uint32_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
  static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (uint32_t i = n - 1; i > 0; i--) {
    out[i] = (char)(0x80 | (cp & 0x3F));
    cp >>= 6;
  }
  out[0] = (char)(leads[n] | cp);
  return n;
}

size_t sp_utf8_count(const char *p, size_t n) {
  const char *end = p + n;
  size_t count = 0;
  while (p < end) {
    uint32_t len;
    sp_utf8_decode(p, end, &len);
    p += len;
    count++;
  }
  return count;
}

static bool in_ranges(uint32_t cp, const sp_utf8_range *ranges, uint32_t n) {
  uint32_t low = 0;
  while (low < n) {
    const uint32_t mid = low + (n - low) / 2;
    if (cp > ranges[mid].last) {
      low = mid + 1;
    } else if (cp < ranges[mid].first) {
      n = mid;
    } else {
      return true;
    }
  }
  return false;
}

size_t sp_utf8_width(const char *p, size_t n) {
  const char *end = p + n;
  size_t width = 0;
  while (p < end) {
    uint32_t len;
    const uint32_t cp = sp_utf8_decode(p, end, &len);
    p += len;
    if (cp < 0x300) {
      width += cp >= 0x20 && (cp < 0x7F || cp >= 0xA0) && cp != 0xAD;
    } else if (!in_ranges(cp, sp_utf8_zero, sp_utf8_n_zero)) {
      width += in_ranges(cp, sp_utf8_wide, sp_utf8_n_wide) ? 2 : 1;
    }
  }
  return width;
}
