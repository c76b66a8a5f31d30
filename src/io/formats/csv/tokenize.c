/* Rows into fields, in two ways.
 *
 * The short way takes a block of text at once: index.c gives the positions of all separators and line ends,
 * and when every n_fields-th of them is a line end and no other, field c of row r lies between two known
 * positions. Only wanted fields are looked at.
 *
 * The long way walks from one character that matters to the next and knows everything else: rows with too few
 * or too many fields, blank lines, quotes in odd places, rows longer than a block, the last row without a
 * line end. It takes the rows of a block that the short way refused, and then the short way is tried again.
 *
 *   a,"b,""c""",d\n ⇒ a | b,""c"" (quoted, doubled) | d
 *
 * A quote opens a field only as its first byte; elsewhere it is an ordinary character. */
#include "base/simd.h"
#include "io/formats/csv/csv.h"

/* ---- the long way ---- */
/* Bit i: text[i] is a, b or c. */
#if defined(__SSE2__)
#include <emmintrin.h>
static uint64_t mask64(const char *text, char a, char b, char c) {
  const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c);
  uint64_t m = 0;
  for (int k = 0; k < 4; k++) {
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * k));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, va), _mm_cmpeq_epi8(x, vb)), _mm_cmpeq_epi8(x, vc));
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
  size_t base;     /* the mask's first byte */
  uint64_t mask;   /* characters that matter from base on, not yet looked at */
  uint32_t wanted; /* the next of t->wanted in this row */
} scan;

static void seek(scan *s, size_t at) {
  const sp_csv_dialect *d = &s->t->dialect;
  s->base = at;
  s->mask = at < s->end
                ? mask64(s->text + at, d->separator, d->line_end, d->quote != 0 ? d->quote : d->line_end)
                : 0;
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

/* Is p, of the row's text, where its line ends? */
static bool at_line_end(const scan *s, size_t p) {
  const char line_end = s->t->dialect.line_end;
  return p >= s->end || s->text[p] == line_end ||
         (line_end == '\n' && s->text[p] == '\r' && (p + 1 >= s->end || s->text[p + 1] == '\n'));
}

/* Behind the opening quote at *at: the field, and *at on the character behind its closing quote. false: it is
 * never closed. */
static bool quoted_field(scan *s, size_t *at, sp_csv_field *f) {
  const char quote = s->t->dialect.quote;
  const size_t start = *at;
  bool doubled = false;
  size_t p = start;
  for (;;) {
    const char *q = p < s->end ? memchr(s->text + p, quote, s->end - p) : NULL;
    if (q == NULL) {
      return false;
    }
    p = (size_t)(q - s->text) + 1;
    if (p >= s->end || s->text[p] != quote) {
      break;
    }
    doubled = true;
    p++;
  }
  const uint32_t n = (uint32_t)(p - 1 - start);
  *f = (sp_csv_field){.pos = (uint32_t)start, .n = n & ((1u << 30) - 1), .quoted = 1, .doubled = doubled};
  *at = p;
  seek(s, p);
  return true;
}

static void put(scan *s, uint32_t column, uint32_t row, sp_csv_field f) {
  const sp_csv_tokens *t = s->t;
  if (t->n_fields == 0) {
    t->columns[0][column] = f;
  } else if (s->wanted < t->n_wanted && t->wanted[s->wanted] == column) {
    t->columns[s->wanted++][row] = f;
  }
}

/* The unquoted field from start on; *ret_stop: what ends it. */
static sp_csv_field plain_field(scan *s, size_t start, size_t *ret_stop) {
  const sp_csv_dialect *d = &s->t->dialect;
  size_t stop;
  do {
    stop = next(s);
  } while (stop < s->end && s->text[stop] == d->quote && d->quote != '\0');
  size_t n = stop - start;
  const bool last = stop >= s->end || s->text[stop] == d->line_end;
  if (n > 0 && last && d->line_end == '\n' && s->text[stop - 1] == '\r') {
    n--;
  }
  *ret_stop = stop;
  return (sp_csv_field){.pos = (uint32_t)start, .n = (uint32_t)n & ((1u << 30) - 1)};
}

/* One row from *at on, which is behind its line end afterwards. */
static sp_csv_stop row_fields(scan *s, size_t *at, uint32_t row, sp_csv_fault *fault) {
  const sp_csv_dialect *d = &s->t->dialect;
  const uint32_t most = s->t->n_fields == 0 ? SP_SCHEMA_MAX : s->t->n_fields;
  size_t start = *at, surplus = 0;
  uint32_t column = 0;
  s->wanted = 0;
  for (;;) {
    sp_csv_field f;
    size_t stop;
    if (d->quote != '\0' && start < s->end && s->text[start] == d->quote) {
      size_t p = start + 1;
      if (!quoted_field(s, &p, &f)) {
        *fault = (sp_csv_fault){column, start};
        return CSV_OPEN_QUOTE;
      }
      if (!at_line_end(s, p) && s->text[p] != d->separator) {
        *fault = (sp_csv_fault){column, p};
        return CSV_AFTER_QUOTE;
      }
      stop = next(s);
    } else {
      f = plain_field(s, start, &stop);
    }
    if (column < most) {
      put(s, column, row, f);
    } else if (column == most) {
      surplus = start;
    }
    column++;
    if (stop >= s->end || s->text[stop] == d->line_end) {
      *at = stop < s->end ? stop + 1 : s->end;
      *fault = (sp_csv_fault){column, column > most ? surplus : start};
      return s->t->n_fields == 0 && column > most ? CSV_TOO_MANY : CSV_OK;
    }
    start = stop + 1;
  }
}

static bool blank_line(const scan *s, size_t at, size_t *ret_next) {
  if (!at_line_end(s, at)) {
    return false;
  }
  size_t p = at;
  p += p < s->end && s->text[p] != s->t->dialect.line_end;
  *ret_next = p < s->end ? p + 1 : s->end;
  return true;
}

/* Rows from *at to `until` at least (the last one may go beyond). */
static sp_csv_stop long_way(const sp_csv_tokens *t, const char *text, size_t *at, size_t until, size_t end,
                            uint32_t max_rows, uint32_t *row, sp_csv_fault *fault) {
  scan s = {.t = t, .text = text, .end = end};
  size_t p = *at;
  seek(&s, p);
  while (*row < max_rows && p < until) {
    size_t behind = 0;
    if (t->n_fields != 1 && blank_line(&s, p, &behind)) {
      p = *at = behind;
      seek(&s, p);
      continue;
    }
    sp_csv_stop st = row_fields(&s, &p, *row, fault);
    if (st == CSV_OK && t->n_fields > 0 && fault->fields != t->n_fields) {
      const bool few = fault->fields < t->n_fields;
      if (t->ragged == SP_RAGGED_ERROR || (!few && t->ragged == SP_RAGGED_NULL)) {
        st = few ? CSV_TOO_FEW : CSV_TOO_MANY;
      }
      while (few && s.wanted < t->n_wanted) {
        t->columns[s.wanted++][*row] = (sp_csv_field){.pos = (uint32_t)*at};
      }
    }
    if (st != CSV_OK) {
      return st;
    }
    *at = p;
    (*row)++;
  }
  return CSV_OK;
}

/* ---- the short way ---- */
typedef struct block {
  const char *text;
  size_t at; /* in the text; positions count from here */
  const uint16_t *positions;
  uint32_t n_rows;
} block;

/* Is every n_fields-th position a line end? There are `lines` in all, so no other is one then. */
static bool even_rows(const block *b, uint32_t lines, uint32_t n_fields, char line_end) {
  const char *text = b->text + b->at;
  const uint16_t *p = b->positions + n_fields - 1;
  for (uint32_t r = 0; r < lines; r++, p += n_fields) {
    if (SP_UNLIKELY(text[*p] != line_end)) {
      return false;
    }
  }
  return true;
}

/* Where row r of the block starts. */
static size_t row_start(const block *b, uint32_t n_fields, uint32_t r) {
  return r == 0 ? b->at : b->at + b->positions[(size_t)r * n_fields - 1] + 1;
}

/* The fields of one column. last: a '\r' at their end is none of theirs. */
static inline void take_column(const block *b, uint32_t n_fields, uint32_t column, sp_csv_dialect d,
                               bool last, bool quotes, sp_csv_field *out) {
  const uint16_t *p = b->positions + column;
  uint32_t start = (uint32_t)row_start(b, n_fields, 0);
  const uint32_t at = (uint32_t)b->at;
  for (uint32_t r = 0; r < b->n_rows; r++, p += n_fields) {
    start = r > 0 || column > 0 ? at + p[-1] + 1u : start;
    uint32_t end = at + p[0];
    if (last && end > start && b->text[end - 1] == '\r') {
      end--;
    }
    sp_csv_field f = {.pos = start, .n = (end - start) & ((1u << 30) - 1)};
    if (quotes && end > start && b->text[start] == d.quote) {
      f = (sp_csv_field){.pos = start + 1, .n = (end - start - 2) & ((1u << 30) - 1), .quoted = 1};
      f.doubled = memchr(b->text + f.pos, d.quote, f.n) != NULL;
    }
    out[r] = f;
  }
}

static void take_fields(const block *b, const sp_csv_tokens *t, bool quotes, uint32_t row) {
  const sp_csv_dialect d = t->dialect;
  for (uint32_t i = 0; i < t->n_wanted; i++) {
    const uint32_t column = t->wanted[i];
    sp_csv_field *out = t->columns[i] + row;
    const bool last = column + 1 == t->n_fields && d.line_end == '\n';
    if (quotes) {
      take_column(b, t->n_fields, column, d, last, true, out);
    } else if (last) {
      take_column(b, t->n_fields, column, d, true, false, out);
    } else {
      take_column(b, t->n_fields, column, d, false, false, out);
    }
  }
}

/* As many rows of the n bytes at *at as are whole; false: not to be had this way. */
static bool short_way(const sp_csv_tokens *t, const char *text, size_t *at, uint32_t n, uint32_t max_rows,
                      uint32_t *row) {
  sp_csv_index x;
  t->index(&t->dialect, text + *at, n, t->positions, &x);
  block b = {.text = text, .at = *at, .positions = t->positions, .n_rows = x.lines};
  if (x.odd || (uint64_t)x.lines * t->n_fields > x.n ||
      !even_rows(&b, x.lines, t->n_fields, t->dialect.line_end)) {
    return false;
  }
  b.n_rows = x.lines < max_rows - *row ? x.lines : max_rows - *row;
  take_fields(&b, t, x.quotes, *row);
  *at = row_start(&b, t->n_fields, b.n_rows);
  *row += b.n_rows;
  return true;
}

/* How many bytes to index: a block, but not much more than the rows still wanted may take. */
static uint32_t block_bytes(size_t taken, uint32_t rows, uint32_t left, size_t bytes, size_t most) {
  size_t n = bytes < most ? bytes : most;
  if (rows > 0) {
    const size_t guess = (taken / rows + 1) * left + taken / rows / 4 * left + 256;
    n = guess < n ? guess : n;
  }
  return (uint32_t)n;
}

sp_csv_stop sp_csv_tokenize(const sp_csv_tokens *t, const char *text, size_t *at, size_t end,
                            uint32_t max_rows, uint32_t *ret_rows, sp_csv_fault *ret_fault) {
  const size_t start = *at;
  uint32_t row = 0;
  size_t size = CSV_BLOCK;
  sp_csv_stop st = CSV_OK;
  *ret_rows = 0;
  if (t->n_fields == 0) {
    st = long_way(t, text, at, end, end, max_rows, &row, ret_fault);
  }
  while (t->n_fields > 0 && st == CSV_OK && row < max_rows && *at < end) {
    const size_t before = *at;
    const uint32_t n = block_bytes(before - start, row, max_rows - row, end - before, size);
    if (short_way(t, text, at, n, max_rows, &row) && *at > before) {
      continue;
    }
    if (*at == before && size < CSV_BLOCK_MAX && n == size) { /* not one whole row */
      size = CSV_BLOCK_MAX;
    }
    st = long_way(t, text, at, before + n, end, max_rows, &row, ret_fault);
  }
  *ret_rows = row;
  return st;
}
