/* Cutting a file into ranges of whole rows, when they are read.
 *
 * Nominal borders are every range_bytes; range k really starts at the first row that starts at or behind its
 * border, and ends where range k + 1 starts. Whether a line end is the end of a row depends on the quotes in
 * front of it, so that start is known only from the start of the range before. Whoever reads range k looks
 * for its end in what he has read, from quote to quote with memchr, and leaves it to the others. Workers take
 * ranges in order, so it is nearly always there when it is asked for; where it is not, the ranges in front
 * are read once more for it.
 *
 * That is right for all files: a quote opens a field only where a field starts, and what is inside quotes is
 * skipped as a whole. Where quotes are many, blocks are indexed as for tokenizing, which is faster than a hop
 * for each.
 *
 *   range_bytes 10:  a,b\n1,"x\ny"\n2,3\n   border at 10 is inside "x\ny" ⇒ range 0 ends behind that row, at
 * 13 */
#include "io/formats/csv/csv.h"

#define SLACK ((int64_t)16 << 10) /* read behind a border, for the row that it cuts in two */
#define BLOCK 8192                /* indexed at a time, where there are quotes in the first */
#define LOOK ((size_t)4096)       /* bytes */

int64_t sp_csv_range_bytes = CSV_RANGE_BYTES;

/* ---- the next row start ---- */
typedef struct walk {
  int64_t at;
  char before;    /* the byte before at */
  bool inside;    /* quotes, at `at` */
  bool was_quote; /* the byte before is a quote inside: it closes, or with another one it is doubled */
} walk;

/* What is inside quotes, up to and with the closing quote, or all. Returns how much it took. */
static size_t walk_inside(walk *w, char quote, const char *p, size_t n) {
  if (w->was_quote) {
    w->was_quote = false;
    if (*p != quote) { /* the quote before closed the field */
      w->inside = false;
      return 0;
    }
    w->before = quote;
    return 1; /* doubled */
  }
  const char *q = memchr(p, quote, n);
  w->was_quote = q != NULL;
  const size_t took = q != NULL ? (size_t)(q - p) + 1 : n;
  w->before = p[took - 1];
  return took;
}

/* What is outside quotes, up to a line end behind the target or an opening quote. */
static size_t walk_outside(walk *w, const sp_csv_dialect *d, int64_t target, const char *p, size_t n) {
  const char *q = d->quote != '\0' ? memchr(p, d->quote, n) : NULL;
  const size_t plain = q != NULL ? (size_t)(q - p) : n;
  const int64_t ahead = target - 1 - w->at; /* line ends before it do not matter */
  const size_t from = ahead <= 0 ? 0 : ahead < (int64_t)plain ? (size_t)ahead : plain;
  const char *end = from < plain ? memchr(p + from, d->line_end, plain - from) : NULL;
  if (end != NULL) {
    w->before = d->line_end;
    return (size_t)(end - p) + 1;
  }
  if (plain > 0) {
    w->before = p[plain - 1];
  }
  if (q == NULL) {
    return n;
  }
  w->inside = w->before == d->line_end || w->before == d->separator;
  w->before = d->quote;
  return plain + 1;
}

/* Walks over the n bytes at w->at. true: w->at is a row start at or behind target. */
static bool walk_piece(walk *w, const sp_csv_dialect *d, int64_t target, const char *p, size_t n) {
  for (;;) {
    if (!w->inside && w->at >= target && w->before == d->line_end) {
      return true;
    }
    if (n == 0) {
      return false;
    }
    const size_t took = w->inside ? walk_inside(w, d->quote, p, n) : walk_outside(w, d, target, p, n);
    w->at += (int64_t)took;
    p += took;
    n -= took;
  }
}

/* From row start to row start by blocks, where quotes are many: each would be a hop of its own. Stops at or
 * behind target, and before a block that is not so simple. Up to 63 bytes behind n may be read. */
static void walk_blocks(walk *w, const sp_csv_dialect *d, int64_t target, const char *p, size_t n) {
  uint16_t positions[BLOCK + CSV_BACK];
  const sp_csv_index_fn index = sp_csv_index_best();
  while (w->at < target && n > 0) {
    sp_csv_index x;
    index(d, p, n < BLOCK ? (uint32_t)n : BLOCK, positions, &x);
    uint32_t i = x.n;
    while (i > 0 && p[positions[i - 1]] != d->line_end) {
      i--;
    }
    if (x.odd || i == 0) {
      return;
    }
    size_t took = (size_t)positions[i - 1] + 1;
    for (i = 0; w->at + (int64_t)took > target; i++) { /* the first one will do */
      const size_t behind = (size_t)positions[i] + 1;
      if (p[positions[i]] == d->line_end && w->at + (int64_t)behind >= target) {
        took = behind;
        break;
      }
    }
    w->at += (int64_t)took;
    p += took;
    n -= took;
  }
}

/* As walk_piece, over text that starts where w stands and has CSV_BACK bytes behind it. */
static bool walk_text(walk *w, const sp_csv_dialect *d, int64_t target, const char *p, size_t n) {
  const int64_t before = w->at;
  const bool row_start = !w->inside && w->before == d->line_end;
  if (row_start && d->quote != '\0' && n > 0 && memchr(p, d->quote, n < LOOK ? n : LOOK) != NULL) {
    walk_blocks(w, d, target, p, n);
  }
  const size_t walked = (size_t)(w->at - before);
  return walk_piece(w, d, target, p + walked, n - walked);
}

/* ---- reading a range ---- */
/* The row that starts last before `to`: that is the one that does not end. */
static sp_status endless_row(const sp_csv_source *s, int64_t start, const char *text, size_t n,
                             sp_error *err) {
  walk w = {.at = start, .before = s->dialect.line_end};
  int64_t row = start;
  while (walk_piece(&w, &s->dialect, row + 1, text + (w.at - start), n - (size_t)(w.at - start))) {
    row = w.at;
  }
  const sp_loc loc = sp_csv_place(s, row);
  (void)sp_error_set(err, SP_LIMIT, &loc, "a row of over %d MiB", (int)(CSV_MAX_ROW_BYTES >> 20));
  sp_error_hint(err, "a quoted field that is never closed?");
  return SP_LIMIT;
}

/* More text behind the `have` bytes that b holds, as much as there is already and at least SLACK. */
static sp_status read_more(const sp_csv_source *s, int fd, int64_t start, size_t want, size_t *have,
                           sp_buf *b, sp_error *err) {
  if (!sp_buf_reserve(b, CSV_FRONT + *have + want + CSV_BACK)) {
    return sp_error_nomem(err);
  }
  size_t got = 0;
  SP_TRY(sp_csv_read(s, fd, start + (int64_t)*have, b->data + CSV_FRONT + *have, want, &got, err));
  *have += got;
  memset(b->data + CSV_FRONT + *have, 0, CSV_BACK);
  return SP_OK;
}

static sp_status load(const sp_csv_source *s, int fd, int64_t start, int64_t target, int64_t *end, sp_buf *b,
                      sp_error *err) {
  walk w = {.at = start, .before = s->dialect.line_end};
  const int64_t to = *end >= 0 ? *end : target + SLACK < s->size ? target + SLACK : s->size;
  size_t have = 0;
  int64_t want = to - start;
  for (;;) {
    SP_TRY(read_more(s, fd, start, (size_t)want, &have, b, err));
    if (*end >= 0) {
      return SP_OK;
    }
    const size_t walked = (size_t)(w.at - start);
    if (walk_text(&w, &s->dialect, target, sp_csv_text(b) + walked, have - walked)) {
      *end = w.at;
      return SP_OK;
    }
    if (start + (int64_t)have > target + CSV_MAX_ROW_BYTES) {
      return endless_row(s, start, sp_csv_text(b), have, err);
    }
    if (start + (int64_t)have >= s->size) {
      *end = s->size;
      return SP_OK;
    }
    want = (int64_t)have > SLACK ? (int64_t)have : SLACK;
  }
}

sp_status sp_csv_load(const sp_csv_source *s, int fd, sp_maker mk, int64_t start, int64_t target,
                      int64_t end_known, sp_buf **ret, int64_t *ret_end, sp_error *err) {
  int64_t end = end_known >= 0 ? end_known : start >= target ? start : target >= s->size ? s->size : -1;
  const int64_t about = (end >= 0 ? end : target + SLACK) - start;
  sp_buf *b = sp_buf_new(mk.pool, mk.mem, (size_t)about + CSV_FRONT + CSV_BACK);
  SP_TRY_ALLOC(err, b);
  memset(b->data, 0, CSV_FRONT);
  const sp_status st = load(s, fd, start, target, &end, b, err);
  if (st != SP_OK) {
    sp_buf_unref(b);
    return st;
  }
  b->size = CSV_FRONT + (size_t)(end - start);
  *ret = b;
  *ret_end = end;
  return SP_OK;
}

/* ---- ranges ---- */
sp_status sp_csv_split(sp_csv_source *s, uint32_t workers, sp_error *err) {
  const int64_t bytes = s->size - s->data_start;
  int64_t each = sp_csv_range_bytes;
  if (workers > 1 && bytes / workers / 4 < each) {
    const int64_t finer = bytes / workers / 4 + 1;
    each = finer > CSV_MIN_RANGE ? finer : CSV_MIN_RANGE < each ? CSV_MIN_RANGE : each;
  }
  each = bytes / CSV_MAX_RANGES > each ? bytes / CSV_MAX_RANGES + 1 : each;
  s->range_bytes = each;
  s->n_ranges = (uint32_t)((bytes + each - 1) / each);
  s->starts = SP_ARENA_ARRAY(&s->base.arena, int64_t, (size_t)s->n_ranges + 1);
  SP_TRY_ALLOC(err, s->starts);
  s->starts[0] = s->data_start;
  s->known = 0;
  return SP_OK;
}

static int64_t border(const sp_csv_source *s, uint32_t k) {
  return k >= s->n_ranges ? s->size : s->data_start + (int64_t)k * s->range_bytes;
}

/* Under the lock: the starts of the ranges up to k, read for that alone. */
static sp_status catch_up(sp_csv_source *s, int fd, sp_maker mk, uint32_t k, sp_error *err) {
  while (s->known < k) {
    sp_buf *b = NULL;
    SP_TRY(sp_csv_load(s, fd, mk, s->starts[s->known], border(s, s->known + 1), -1, &b,
                       &s->starts[s->known + 1], err));
    sp_buf_unref(b);
    s->known++;
  }
  return SP_OK;
}

sp_status sp_csv_load_range(sp_csv_source *s, int fd, sp_maker mk, uint32_t k, sp_buf **ret,
                            int64_t *ret_start, int64_t *ret_end, sp_error *err) {
  (void)pthread_mutex_lock(&s->lock);
  const sp_status st = catch_up(s, fd, mk, k, err);
  const int64_t start = s->starts[k], known = st == SP_OK && s->known > k ? s->starts[k + 1] : -1;
  (void)pthread_mutex_unlock(&s->lock);
  SP_TRY(st);
  int64_t end = known;
  SP_TRY(sp_csv_load(s, fd, mk, start, border(s, k + 1), known, ret, &end, err));
  if (known < 0) {
    (void)pthread_mutex_lock(&s->lock);
    if (s->known == k) {
      s->starts[k + 1] = end;
      s->known = k + 1;
    }
    (void)pthread_mutex_unlock(&s->lock);
  }
  *ret_start = start;
  *ret_end = end;
  return SP_OK;
}
