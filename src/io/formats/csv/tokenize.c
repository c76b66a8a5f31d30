/* Rows into fields. 64 bytes at a time become a bit mask of the characters that matter (separator, quote, line feed), and only those are looked at
 * one by one: most bytes of a file are never branched on. After a quoted field the mask is made anew from where it ended.
 *
 *   a,"b,""c""",d\n ⇒ a | b,""c"" (quoted, doubled) | d
 *
 * A quote opens a field only as its first byte; elsewhere it is an ordinary character. */
#include "io/formats/csv/csv.h"

#if defined(__SSE2__)
#include <emmintrin.h>
/* Bit i: text[i] is a, b or c. */
static uint64_t mask64(const char *text, char a, char b, char c) {
  const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c);
  uint64_t m = 0;
  for (int k = 0; k < 4; k++) {
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * k));
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, va), _mm_cmpeq_epi8(x, vb)), _mm_cmpeq_epi8(x, vc));
    m |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (16 * k);
  }
  return m;
}
#else
static uint64_t mask64(const char *text, char a, char b, char c) {
  uint64_t m = 0;
  for (int i = 0; i < 64; i++) {
    m |= (uint64_t)(text[i] == a || text[i] == b || text[i] == c) << i;
  }
  return m;
}
#endif

typedef struct scan {
  const sp_csv_tokens *t;
  const char *text;
  size_t end;
  size_t base;   /* the mask's first byte */
  uint64_t mask; /* characters that matter from base on, not yet looked at */
} scan;

static void seek(scan *s, size_t at) {
  s->base = at;
  s->mask = at < s->end ? mask64(s->text + at, s->t->separator, '\n', s->t->quote != '\0' ? s->t->quote : '\n') : 0;
}

/* The next character that matters; end when there is none. */
static size_t next(scan *s) {
  while (s->mask == 0) {
    if (s->base + 64 >= s->end) {
      return s->end;
    }
    seek(s, s->base + 64);
  }
  const size_t at = s->base + (size_t)__builtin_ctzll(s->mask);
  s->mask &= s->mask - 1;
  return at < s->end ? at : s->end;
}

/* Behind the opening quote at *at: the field, and *at on the character behind its closing quote. false: it is never closed. */
static bool quoted_field(scan *s, size_t *at, sp_csv_field *f) {
  const size_t start = *at;
  bool doubled = false;
  size_t p = start;
  for (;;) {
    const char *q = memchr(s->text + p, s->t->quote, s->end - p);
    if (q == NULL) {
      return false;
    }
    p = (size_t)(q - s->text) + 1;
    if (p >= s->end || s->text[p] != s->t->quote) {
      break;
    }
    doubled = true;
    p++;
  }
  *f = (sp_csv_field){.pos = (uint32_t)start, .n = (uint32_t)(p - 1 - start) & ((1u << 30) - 1), .quoted = 1, .doubled = doubled};
  *at = p;
  seek(s, p);
  return true;
}

static void put(const scan *s, uint32_t column, uint32_t row, sp_csv_field f) {
  const sp_csv_tokens *t = s->t;
  if (t->n_fields == 0) { /* a header: as many as there are */
    t->columns[column][row] = f;
  } else if (column < t->n_fields && t->slot[column] != UINT32_MAX) {
    t->columns[t->slot[column]][row] = f;
  }
}

/* One row from *at on, which is behind its line end afterwards. */
static sp_csv_stop row_fields(scan *s, size_t *at, uint32_t row, uint32_t *ret_fields) {
  const char quote = s->t->quote;
  size_t start = *at;
  uint32_t column = 0;
  for (;;) {
    sp_csv_field f;
    size_t stop;
    if (quote != '\0' && start < s->end && s->text[start] == quote) {
      size_t p = start + 1;
      if (!quoted_field(s, &p, &f)) {
        return CSV_OPEN_QUOTE;
      }
      const bool line_end = p >= s->end || s->text[p] == '\n' || (s->text[p] == '\r' && (p + 1 >= s->end || s->text[p + 1] == '\n'));
      if (!line_end && s->text[p] != s->t->separator) {
        *ret_fields = column;
        return CSV_AFTER_QUOTE;
      }
      stop = next(s);
    } else {
      do {
        stop = next(s);
      } while (stop < s->end && s->text[stop] == quote && quote != '\0');
      size_t n = stop - start;
      if (n > 0 && (stop >= s->end || s->text[stop] == '\n') && s->text[stop - 1] == '\r') {
        n--;
      }
      if (n >= (1u << 30)) {
        return CSV_TOO_LONG;
      }
      f = (sp_csv_field){.pos = (uint32_t)start, .n = (uint32_t)n & ((1u << 30) - 1)};
    }
    if (s->t->n_fields == 0 && column >= SP_SCHEMA_MAX) {
      *ret_fields = column;
      return CSV_TOO_MANY;
    }
    put(s, column++, row, f);
    if (stop >= s->end || s->text[stop] == '\n') {
      *at = stop < s->end ? stop + 1 : s->end;
      *ret_fields = column;
      return CSV_OK;
    }
    start = stop + 1;
  }
}

static bool blank_line(const scan *s, size_t at, size_t *ret_next) {
  size_t p = at;
  if (p < s->end && s->text[p] == '\r') {
    p++;
  }
  if (p < s->end && s->text[p] != '\n') {
    return false;
  }
  *ret_next = p < s->end ? p + 1 : s->end;
  return true;
}

sp_csv_stop sp_csv_tokenize(const sp_csv_tokens *t, const char *text, size_t *at, size_t end, uint32_t max_rows, uint32_t *ret_rows, uint32_t *ret_found) {
  scan s = {.t = t, .text = text, .end = end};
  size_t p = *at;
  uint32_t row = 0;
  seek(&s, p);
  while (row < max_rows && p < end) {
    size_t behind = 0;
    if (t->n_fields != 1 && blank_line(&s, p, &behind)) {
      p = behind;
      seek(&s, p);
      continue;
    }
    const size_t start = p;
    uint32_t found = 0;
    sp_csv_stop st = row_fields(&s, &p, row, &found);
    if (st == CSV_OK && t->n_fields > 0 && found != t->n_fields) {
      const bool few = found < t->n_fields;
      if (t->ragged == SP_RAGGED_ERROR || (!few && t->ragged == SP_RAGGED_NULL)) {
        st = few ? CSV_TOO_FEW : CSV_TOO_MANY;
      }
      for (uint32_t k = found; few && k < t->n_fields; k++) {
        put(&s, k, row, (sp_csv_field){.pos = (uint32_t)start});
      }
    }
    if (st != CSV_OK) {
      *at = start;
      *ret_found = found;
      return st;
    }
    if (t->row_starts != NULL) {
      t->row_starts[row] = (uint32_t)start;
    }
    row++;
    *ret_found = found;
  }
  *at = p;
  *ret_rows = row;
  return CSV_OK;
}
