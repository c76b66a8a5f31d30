/* Nearest names for hints (see str.h).
 *
 * Optimal string alignment over code points with three rows on the stack; common ends are cut off first and
 * names longer than LONGEST after that are never near. Names that differ in case only, or of which one begins
 * with the other, are near whatever their distance. Example: "dleay" among "origin", "delay", "delay_min"
 * gives "`delay` or `delay_min`". */
#include "base/str.h"

#include "base/cformat.h"

#define LONGEST 128
#define SHOWN 3

static uint32_t min2(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* Code points of s; LONGEST + 1 when it has more. */
static uint32_t decode(sp_sv s, uint32_t *out) {
  const char *p = s.p;
  const char *end = s.p + s.n;
  uint32_t n = 0;
  while (p < end) {
    if (n == LONGEST) {
      return LONGEST + 1;
    }
    uint32_t len;
    out[n++] = sp_utf8_decode(p, end, &len);
    p += len;
  }
  return n;
}

static void cut_common_ends(sp_sv *a, sp_sv *b) {
  while (a->n > 0 && b->n > 0 && a->p[0] == b->p[0] && (unsigned char)a->p[0] < 0x80) {
    a->p++, a->n--;
    b->p++, b->n--;
  }
  while (a->n > 0 && b->n > 0 && a->p[a->n - 1] == b->p[b->n - 1] && (unsigned char)a->p[a->n - 1] < 0x80) {
    a->n--;
    b->n--;
  }
}

uint32_t sp_edit_distance(sp_sv a, sp_sv b, uint32_t max) {
  if (sp_sv_eq(a, b)) {
    return 0;
  }
  cut_common_ends(&a, &b);
  uint32_t x[LONGEST];
  uint32_t y[LONGEST];
  const uint32_t nx = decode(a, x);
  const uint32_t ny = decode(b, y);
  if (nx > LONGEST || ny > LONGEST || (nx > ny ? nx - ny : ny - nx) > max) {
    return max + 1;
  }
  uint32_t rows[3][LONGEST + 1];
  for (uint32_t j = 0; j <= ny; j++) {
    rows[0][j] = j;
  }
  for (uint32_t i = 1; i <= nx; i++) {
    uint32_t *row = rows[i % 3];
    const uint32_t *up = rows[(i + 2) % 3];
    const uint32_t *up2 = rows[(i + 1) % 3];
    row[0] = i;
    uint32_t best = i;
    for (uint32_t j = 1; j <= ny; j++) {
      uint32_t d = up[j - 1] + (x[i - 1] != y[j - 1]);
      d = min2(d, min2(up[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1]) {
        d = min2(d, up2[j - 2] + 1);
      }
      row[j] = d;
      best = min2(best, d);
    }
    /* A transposition reaches back two rows, but costs one more than what it reaches. */
    if (best > max + 1) {
      return max + 1;
    }
  }
  return min2(rows[nx % 3][ny], max + 1);
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool starts_with_nocase(sp_sv s, sp_sv prefix) {
  if (s.n < prefix.n) {
    return false;
  }
  for (size_t i = 0; i < prefix.n; i++) {
    if (lower(s.p[i]) != lower(prefix.p[i])) {
      return false;
    }
  }
  return true;
}

/* Smaller is nearer; above max is not near. */
static uint32_t rank(sp_sv name, sp_sv other, uint32_t max) {
  if (starts_with_nocase(other, name) && other.n == name.n) {
    return 0;
  }
  const uint32_t d = sp_edit_distance(name, other, max);
  const bool prefix =
      (name.n >= 3 && starts_with_nocase(other, name)) || (other.n >= 3 && starts_with_nocase(name, other));
  return d > max && prefix ? max : d;
}

/* The distance up to which a name is near: 1 for up to 3 bytes, then one more for each 4, at most 6. */
static uint32_t near_enough(size_t n) {
  return n >= 20 ? 6 : 1 + (uint32_t)n / 4;
}

bool sp_nearest_names(sp_sv name, uint32_t n, sp_sv (*get)(const void *ctx, uint32_t i), const void *ctx,
                      char *out, size_t size) {
  const uint32_t max = near_enough(name.n);
  sp_sv best[SHOWN];
  uint32_t ranks[SHOWN];
  uint32_t found = 0;
  for (uint32_t i = 0; i < n; i++) {
    const sp_sv other = get(ctx, i);
    const uint32_t r = rank(name, other, max);
    if (other.n == 0 || r > max || (found == SHOWN && r >= ranks[SHOWN - 1])) {
      continue;
    }
    uint32_t at = found < SHOWN ? found++ : SHOWN - 1;
    for (; at > 0 && ranks[at - 1] > r; at--) {
      best[at] = best[at - 1];
      ranks[at] = ranks[at - 1];
    }
    best[at] = other;
    ranks[at] = r;
  }
  size_t used = 0;
  for (uint32_t i = 0; i < found; i++) {
    const char *sep = i == 0 ? "" : i + 1 < found ? ", " : " or ";
    const int len = best[i].n > 200 ? 200 : (int)best[i].n;
    const size_t add = sp_snprintf(out + used, size - used, "%s`%.*s`", sep, len, best[i].p);
    if (add >= size - used) {
      out[used] = '\0';
      return used > 0;
    }
    used += add;
  }
  return found > 0;
}
