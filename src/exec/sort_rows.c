/* See sort_rows.h. */
#include "exec/sort_rows.h"

#include "base/simd.h"

#define FEW 64          /* rows sorted by insertion */
#define RADIX_FROM 1024 /* fewer rows are merge sorted */
#define ENCODE_CHUNK 4096
#define PIECE 32768 /* rows of a run or of a piece of a merge, at least */

typedef struct sorting {
  sp_operator *op;
  const sp_sort_layout *l;
  const sp_column *const *cols;
  uint32_t n;
  uint64_t *words; /* words of all rows, when there are more than one */
  sp_sort_entry *from, *to;
  uint32_t n_runs; /* run i: n * i / n_runs */
  uint32_t width;  /* runs merged into one so far */
  uint32_t pieces; /* of one pair's merge */
} sorting;

void sp_sorted_release(sp_sorted *s) {
  sp_mem_free(s->mem, s->entries, (size_t)s->n * sizeof *s->entries);
  s->entries = NULL;
  s->n = 0;
}

/* ---- comparing ---- */

static int compare_deep(const sorting *s, uint32_t a, uint32_t b) {
  const uint32_t words = s->l->words;
  for (uint32_t i = 1; i < words; i++) {
    const uint64_t x = s->words[(size_t)a * words + i];
    const uint64_t y = s->words[(size_t)b * words + i];
    if (x != y) {
      return x < y ? -1 : 1;
    }
  }
  return s->l->rest < s->l->n ? sp_sort_compare_rest(s->l, s->cols, a, b) : 0;
}

static bool is_shallow(const sorting *s) {
  return s->l->words == 1 && s->l->rest == s->l->n;
}

/* Must x, which stands before y, stay before it? */
static inline bool in_order(const sorting *s, bool shallow, const sp_sort_entry *x, const sp_sort_entry *y) {
  return x->key != y->key ? x->key < y->key : shallow || compare_deep(s, x->row, y->row) <= 0;
}

/* ---- one run ---- */

static void insertion_sort(const sorting *s, bool shallow, sp_sort_entry *e, size_t n) {
  for (size_t i = 1; i < n; i++) {
    const sp_sort_entry x = e[i];
    size_t k = i;
    while (k > 0 && !in_order(s, shallow, &e[k - 1], &x)) {
      e[k] = e[k - 1];
      k--;
    }
    e[k] = x;
  }
}

static void merge_two(const sorting *s, bool shallow, const sp_sort_entry *a, size_t na,
                      const sp_sort_entry *b, size_t nb, sp_sort_entry *to) {
  size_t i = 0;
  size_t k = 0;
  while (i < na && k < nb) {
    *to++ = in_order(s, shallow, &a[i], &b[k]) ? a[i++] : b[k++];
  }
  memcpy(to, a + i, (na - i) * sizeof *a);
  memcpy(to + (na - i), b + k, (nb - k) * sizeof *b);
}

/* Bottom-up; the result is in e. */
static void merge_sort(const sorting *s, bool shallow, sp_sort_entry *e, sp_sort_entry *tmp, size_t n) {
  for (size_t at = 0; at < n; at += FEW) {
    insertion_sort(s, shallow, e + at, n - at < FEW ? n - at : FEW);
  }
  sp_sort_entry *from = e;
  sp_sort_entry *to = tmp;
  for (size_t width = FEW; width < n; width *= 2) {
    for (size_t at = 0; at < n; at += 2 * width) {
      const size_t na = n - at < width ? n - at : width;
      const size_t nb = n - at - na < width ? n - at - na : width;
      merge_two(s, shallow, from + at, na, from + at + na, nb, to + at);
    }
    sp_sort_entry *swap = from;
    from = to;
    to = swap;
  }
  if (from != e) {
    memcpy(e, from, n * sizeof *e);
  }
}

static bool already_sorted(const sp_sort_entry *e, size_t n) {
  for (size_t i = 1; i < n; i++) {
    if (e[i - 1].key > e[i].key) {
      return false;
    }
  }
  return true;
}

/* By the first word alone, least significant byte first; bytes that are the same everywhere are skipped. The
 * result is in e. */
static void radix_sort(sp_sort_entry *e, sp_sort_entry *tmp, size_t n) {
  uint32_t counts[8][256];
  memset(counts, 0, sizeof counts);
  for (size_t i = 0; i < n; i++) {
    const uint64_t key = e[i].key;
    for (uint32_t b = 0; b < 8; b++) {
      counts[b][key >> (8 * b) & 255]++;
    }
  }
  sp_sort_entry *from = e;
  sp_sort_entry *to = tmp;
  for (uint32_t b = 0; b < 8; b++) {
    uint32_t *c = counts[b];
    if (c[from[0].key >> (8 * b) & 255] == n) {
      continue;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 256; i++) {
      const uint32_t k = c[i];
      c[i] = sum;
      sum += k;
    }
    for (size_t i = 0; i < n; i++) {
      to[c[from[i].key >> (8 * b) & 255]++] = from[i];
    }
    sp_sort_entry *swap = from;
    from = to;
    to = swap;
  }
  if (from != e) {
    memcpy(e, from, n * sizeof *e);
  }
}

/* Rows that the first word leaves equal. */
static void sort_ties(const sorting *s, sp_sort_entry *e, sp_sort_entry *tmp, size_t n) {
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && e[end].key == e[i].key) {
      end++;
    }
    if (end - i > 1) {
      merge_sort(s, false, e + i, tmp, end - i);
    }
    i = end;
  }
}

static uint32_t run_start(const sorting *s, uint32_t run) {
  return (uint32_t)((uint64_t)s->n * (run < s->n_runs ? run : s->n_runs) / s->n_runs);
}

static void encode_run(const sorting *s, uint32_t from, uint32_t to, uint64_t *buf) {
  const uint32_t words = s->l->words;
  for (uint32_t at = from; at < to; at += ENCODE_CHUNK) {
    const uint32_t m = to - at < ENCODE_CHUNK ? to - at : ENCODE_CHUNK;
    uint64_t *w = words > 1 ? s->words + (size_t)at * words : buf;
    sp_sort_encode(s->l, s->cols, NULL, at, m, words, w);
    for (uint32_t i = 0; i < m; i++) {
      s->from[at + i] = (sp_sort_entry){.key = w[(size_t)i * words], .row = at + i};
    }
  }
}

static sp_status sort_run(void *ctx, uint32_t run, sp_worker *w) {
  const sorting *s = ctx;
  const uint32_t start = run_start(s, run);
  const uint32_t end = run_start(s, run + 1);
  const size_t n = end - start;
  uint64_t buf[ENCODE_CHUNK];
  encode_run(s, start, end, buf);
  if (w != NULL && sp_exec_stopped(w->exec)) {
    return SP_OK;
  }
  sp_sort_entry *e = s->from + start;
  sp_sort_entry *tmp = s->to + start;
  const bool shallow = is_shallow(s);
  if (n < RADIX_FROM) {
    merge_sort(s, shallow, e, tmp, n);
    return SP_OK;
  }
  if (!already_sorted(e, n)) {
    radix_sort(e, tmp, n);
  }
  if (!shallow) {
    sort_ties(s, e, tmp, n);
  }
  return SP_OK;
}

/* ---- merging runs ---- */

/* How many of a's rows are among the first `want` of both. */
static size_t cross(const sorting *s, bool shallow, const sp_sort_entry *a, size_t na, const sp_sort_entry *b,
                    size_t nb, size_t want) {
  size_t lo = want > nb ? want - nb : 0;
  size_t hi = want < na ? want : na;
  while (lo < hi) {
    const size_t mid = lo + (hi - lo) / 2;
    if (in_order(s, shallow, &a[mid], &b[want - mid - 1])) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo;
}

static sp_status merge_piece(void *ctx, uint32_t task, sp_worker *w) {
  (void)w;
  const sorting *s = ctx;
  const uint32_t pair = task / s->pieces;
  const uint32_t piece = task % s->pieces;
  const uint32_t first = run_start(s, pair * 2 * s->width);
  const uint32_t middle = run_start(s, pair * 2 * s->width + s->width);
  const uint32_t end = run_start(s, pair * 2 * s->width + 2 * s->width);
  const sp_sort_entry *a = s->from + first;
  const sp_sort_entry *b = s->from + middle;
  const size_t na = middle - first;
  const size_t nb = end - middle;
  const bool shallow = is_shallow(s);
  const size_t begin = (na + nb) * piece / s->pieces;
  const size_t stop = (na + nb) * (piece + 1) / s->pieces;
  const size_t a0 = cross(s, shallow, a, na, b, nb, begin);
  const size_t a1 = cross(s, shallow, a, na, b, nb, stop);
  merge_two(s, shallow, a + a0, a1 - a0, b + (begin - a0), (stop - a1) - (begin - a0), s->to + first + begin);
  return SP_OK;
}

static sp_status merge_runs(sorting *s, sp_error *err) {
  const uint32_t threads = sp_exec_threads(s->op->exec);
  for (s->width = 1; s->width < s->n_runs; s->width *= 2) {
    const uint32_t pairs = (s->n_runs + 2 * s->width - 1) / (2 * s->width);
    const uint32_t rows = s->n / pairs;
    s->pieces = (2 * threads + pairs - 1) / pairs;
    s->pieces = rows / PIECE < s->pieces ? rows / PIECE + 1 : s->pieces;
    SP_TRY(sp_exec_parallel(s->op, pairs * s->pieces, merge_piece, s, err));
    sp_sort_entry *swap = s->from;
    s->from = s->to;
    s->to = swap;
  }
  return SP_OK;
}

static sp_status sort_all(sorting *s, sp_error *err) {
  if (s->op == NULL) {
    return sort_run(s, 0, NULL);
  }
  SP_TRY(sp_exec_parallel(s->op, s->n_runs, sort_run, s, err));
  return merge_runs(s, err);
}

sp_status sp_sort_rows(sp_operator *op, sp_mem *mem, const sp_sort_layout *l, const sp_column *const *cols,
                       uint32_t n, sp_sorted *ret, sp_error *err) {
  sorting s = {.op = op, .l = l, .cols = cols, .n = n, .n_runs = 1};
  if (op != NULL) {
    const uint32_t most = n / PIECE + 1;
    s.n_runs = sp_exec_threads(op->exec) < most ? sp_exec_threads(op->exec) : most;
  }
  const size_t bytes = (size_t)n * sizeof(sp_sort_entry);
  const size_t word_bytes = l->words > 1 ? (size_t)n * l->words * sizeof(uint64_t) : 0;
  s.from = sp_mem_alloc(mem, bytes);
  s.to = sp_mem_alloc(mem, bytes);
  s.words = sp_mem_alloc(mem, word_bytes);
  sp_status st = s.from != NULL && s.to != NULL && s.words != NULL ? SP_OK : sp_error_nomem(err);
  if (st == SP_OK) {
    st = sort_all(&s, err);
  }
  sp_mem_free(mem, s.words, word_bytes);
  sp_mem_free(mem, s.to, bytes);
  if (st != SP_OK) {
    sp_mem_free(mem, s.from, bytes);
    return st;
  }
  *ret = (sp_sorted){.mem = mem, .n = n, .entries = s.from};
  return SP_OK;
}
