/* See wrap.h. Ends matter more than middles: a predicate's last conjunct and an aggregate's name stand there.
 * So text is cut in the middle, and at words:
 *
 *   state: count(*) AS flights, mean(delay) AS mean_delay, max(delay) AS worst
 *   state: count(*) AS flights, … max(delay) AS worst */
#include "viz/wrap.h"

#define LOGIC 8 /* bytes in front of AND that are worth a line */
#define NEAR 12 /* bytes within which the end of a word is looked for */

/* Bytes of text that fit into `columns` from the front, or from which on the back fits. */
static size_t fit_front(const char *p, size_t n, uint32_t columns) {
  size_t at = 0;
  uint32_t used = 0;
  while (at < n) {
    uint32_t len = 1;
    (void)sp_utf8_decode(p + at, p + n, &len);
    used += (uint32_t)sp_utf8_width(p + at, len);
    if (used > columns) {
      break;
    }
    at += len;
  }
  return at;
}
static size_t fit_back(const char *p, size_t n, uint32_t columns) {
  size_t at = 0, left = sp_utf8_width(p, n);
  while (at < n && left > columns) {
    uint32_t len = 1;
    (void)sp_utf8_decode(p + at, p + n, &len);
    left -= sp_utf8_width(p + at, len);
    at += len;
  }
  return at;
}

/* Behind the space in front of the word that `at` would cut; and the space in front of the next word. */
static size_t word_end(const char *p, size_t at) {
  for (size_t i = at; i > 0 && at - i < NEAR; i--) {
    if (p[i - 1] == ' ' || (i == at && p[i] == ' ')) {
      return i;
    }
  }
  return at;
}
static size_t word_start(const char *p, size_t at, size_t n) {
  for (size_t i = at; i < n && i - at < NEAR; i++) {
    if (p[i] == ' ') {
      return i;
    }
  }
  return at;
}

/* Spans of bytes [from, to) of r, moved by `shift`, appended to out. */
static uint32_t take_spans(const sp_rich *r, size_t from, size_t to, int64_t shift, sp_span *out) {
  uint32_t lo = 0, hi = r->n_spans, n = 0;
  while (lo < hi) { /* the first that ends behind `from` */
    const uint32_t mid = lo + (hi - lo) / 2;
    if ((size_t)r->spans[mid].pos + r->spans[mid].len > from) {
      hi = mid;
    } else {
      lo = mid + 1;
    }
  }
  for (uint32_t i = lo; i < r->n_spans && r->spans[i].pos < to; i++) {
    const size_t start = r->spans[i].pos > from ? r->spans[i].pos : from;
    const size_t end =
        (size_t)r->spans[i].pos + r->spans[i].len < to ? (size_t)r->spans[i].pos + r->spans[i].len : to;
    if (end > start) {
      out[n++] = (sp_span){(uint32_t)((int64_t)start + shift), (uint32_t)(end - start), r->spans[i].kind};
    }
  }
  return n;
}

bool sp_rich_cut(const sp_rich *r, uint32_t columns, const char *dots, sp_arena *a, sp_rich *ret,
                 const char **ret_full) {
  const size_t n = strlen(r->text), n_dots = strlen(dots);
  *ret_full = NULL;
  if (n <= columns || sp_utf8_width(r->text, n) <= columns) {
    *ret = *r;
    return true;
  }
  const uint32_t room = columns - (uint32_t)sp_utf8_width(dots, n_dots), front = room * 3 / 5;
  const size_t h = word_end(r->text, fit_front(r->text, n, front));
  const size_t t = word_start(r->text, fit_back(r->text, n, room - front), n);
  char *text = sp_arena_alloc(a, h + n_dots + (n - t) + 1);
  sp_span *spans = SP_ARENA_ARRAY(a, sp_span, (size_t)r->n_spans + 2);
  if (text == NULL || spans == NULL) {
    return false;
  }
  memcpy(text, r->text, h);
  memcpy(text + h, dots, n_dots);
  memcpy(text + h + n_dots, r->text + t, n - t + 1);
  uint32_t k = take_spans(r, 0, h, 0, spans);
  k += take_spans(r, t, n, (int64_t)(h + n_dots) - (int64_t)t, spans + k);
  *ret = (sp_rich){text, k, spans};
  *ret_full = r->text;
  return true;
}

/* AND or OR, in whatever case, with a space behind it. */
static bool is_logic(const char *p, const char *end) {
  for (const char *word = "and"; word != NULL; word = *word == 'a' ? "or" : NULL) {
    size_t i = 0;
    while (word[i] != '\0' && p + i < end && (p[i] | 0x20) == word[i]) {
      i++;
    }
    if (word[i] == '\0' && p + i < end && p[i] == ' ') {
      return true;
    }
  }
  return false;
}

/* Where the line that starts at p ends, when everything up to `most` fits. Only expressions break where they
 * are structured; prose breaks at its last space. */
static size_t break_at(const char *p, size_t n, size_t most, bool expression) {
  if (most >= n) {
    return n;
  }
  size_t comma = 0, space = 0, logic = 0;
  for (size_t i = 1; i <= most; i++) {
    if (p[i] == ' ') {
      space = i;
      comma = p[i - 1] == ',' ? i : comma;
      logic = is_logic(p + i + 1, p + n) ? i : logic;
    }
  }
  const size_t enough = most / 3;
  if (expression && logic >= LOGIC) {
    return logic;
  }
  if (expression && comma > enough) {
    return comma;
  }
  return space > enough ? space : most;
}

bool sp_rich_wrap(const sp_rich *r, uint32_t columns, uint32_t max_lines, sp_arena *a, const sp_rich **ret,
                  uint32_t *ret_n, const char **ret_full) {
  sp_rich cut;
  const uint32_t room = max_lines > 1 ? max_lines * columns - (max_lines - 1) * (columns / 5) : columns;
  sp_rich *lines = SP_ARENA_ARRAY(a, sp_rich, max_lines);
  if (lines == NULL || !sp_rich_cut(r, room, "…", a, &cut, ret_full)) {
    return false;
  }
  const size_t n = strlen(cut.text);
  uint32_t k = 0;
  for (size_t at = 0; k == 0 || (at < n && k < max_lines); k++) {
    const size_t most = fit_front(cut.text + at, n - at, columns);
    size_t len = k + 1 < max_lines ? break_at(cut.text + at, n - at, most, cut.n_spans > 0) : n - at;
    len = len > 0 ? len : n - at; /* one character wider than a line: cannot be with 8 columns or more */
    char *text = sp_arena_alloc(a, len + 1);
    sp_span *spans = SP_ARENA_ARRAY(a, sp_span, (size_t)cut.n_spans + 1);
    if (text == NULL || spans == NULL) {
      return false;
    }
    memcpy(text, cut.text + at, len);
    text[len] = '\0';
    const sp_rich line = {text, take_spans(&cut, at, at + len, -(int64_t)at, spans), spans};
    const char *full = NULL;
    if (!sp_rich_cut(&line, columns, "…", a, &lines[k], &full)) { /* the last line takes what is left */
      return false;
    }
    *ret_full = full != NULL && *ret_full == NULL ? r->text : *ret_full;
    at += len;
    while (at < n && cut.text[at] == ' ') {
      at++;
    }
  }
  *ret = lines;
  *ret_n = k;
  return true;
}
