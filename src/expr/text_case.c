/* Characters of UTF-8 strings: see text_case.h. Most blocks hold upper and lower case either a fixed distance
 * apart or in turn, so a few ranges say it all.
 *
 * Example: sp_char_upper(U+00E9 é) is U+00C9, sp_char_lower(U+0416 Ж) is U+0436, sp_char_upper(U+00FF ÿ) is
 * U+0178. */
#include "expr/text_case.h"

typedef struct range {
  uint32_t first, last; /* upper case characters; with step 2: every second from first on */
  int32_t distance;     /* to the lower case one */
  uint32_t step;
} range;

static const range ranges[] = {
    {0x41, 0x5a, 32, 1},    {0xc0, 0xd6, 32, 1},    {0xd8, 0xde, 32, 1},   {0x100, 0x12e, 1, 2},
    {0x132, 0x136, 1, 2},   {0x139, 0x147, 1, 2},   {0x14a, 0x176, 1, 2},  {0x178, 0x178, -121, 1},
    {0x179, 0x17d, 1, 2},   {0x386, 0x386, 38, 1},  {0x388, 0x38a, 37, 1}, {0x38c, 0x38c, 64, 1},
    {0x38e, 0x38f, 63, 1},  {0x391, 0x3a1, 32, 1},  {0x3a3, 0x3ab, 32, 1}, {0x400, 0x40f, 80, 1},
    {0x410, 0x42f, 32, 1},  {0x460, 0x480, 1, 2},   {0x48a, 0x4be, 1, 2},  {0x4c0, 0x4c0, 15, 1},
    {0x4c1, 0x4cd, 1, 2},   {0x4d0, 0x52e, 1, 2},   {0x531, 0x556, 48, 1}, {0x1e00, 0x1e94, 1, 2},
    {0x1ea0, 0x1efe, 1, 2}, {0xff21, 0xff3a, 32, 1}};
#define N_RANGES (sizeof ranges / sizeof ranges[0])

uint32_t sp_char_lower(uint32_t cp) {
  for (size_t i = 0; i < N_RANGES; i++) {
    if (cp >= ranges[i].first && cp <= ranges[i].last) {
      return (cp - ranges[i].first) % ranges[i].step == 0 ? cp + (uint32_t)ranges[i].distance : cp;
    }
  }
  return cp == 0x130 ? 0x69 : cp; /* İ */
}

uint32_t sp_char_upper(uint32_t cp) {
  for (size_t i = 0; i < N_RANGES; i++) {
    const uint32_t up = cp - (uint32_t)ranges[i].distance;
    if (up >= ranges[i].first && up <= ranges[i].last && (up - ranges[i].first) % ranges[i].step == 0) {
      return up;
    }
  }
  switch (cp) {
  case 0xb5: /* µ is a Greek mu */
    return 0x39c;
  case 0x131: /* ı */
    return 0x49;
  case 0x17f: /* ſ */
    return 0x53;
  case 0x3c2: /* ς */
    return 0x3a3;
  default:
    return cp;
  }
}

bool sp_text_is_ascii(const char *p, size_t n) {
  uint64_t high = 0;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t x;
    memcpy(&x, p, 8);
    high |= x;
  }
  for (; n > 0; p++, n--) {
    high |= (unsigned char)*p;
  }
  return (high & UINT64_C(0x8080808080808080)) == 0;
}

size_t sp_text_count(const char *p, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    count += sp_is_char_start(p[i]);
  }
  return count;
}

size_t sp_text_prefix(const char *p, size_t n, uint64_t chars) {
  if (chars >= n) {
    return n;
  }
  size_t i = 0;
  for (; i < n; i++) {
    if (sp_is_char_start(p[i]) && chars-- == 0) {
      break;
    }
  }
  return i;
}

size_t sp_text_suffix(const char *p, size_t n, uint64_t chars) {
  if (chars >= n) {
    return 0;
  }
  size_t i = n;
  while (chars > 0 && i > 0) {
    i--;
    chars -= sp_is_char_start(p[i]);
  }
  return i;
}
