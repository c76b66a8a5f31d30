/* LIKE: compiling patterns, matching, and the search for bytes underneath.
 *
 * sp_find_bytes compares 64 places at once by the needle's first and last byte, and looks closer only where
 * both agree: comments of 50 bytes take 13 ns instead of the 60 that memmem needs. Its plain twin goes from
 * one first byte to the next by memchr.
 *
 * Example: '%special%requests%' is two pieces, open at both ends; 'a_c' is one piece with a wildcard, closed
 * at both. */
#include "expr/like.h"

/* ---- finding ---- */
static const char *find_plain(const char *hay, size_t n, const char *needle, size_t m) {
  const char *p = hay, *last = hay + (n - m);
  while (p <= last) {
    p = memchr(p, needle[0], (size_t)(last - p) + 1);
    if (p == NULL || memcmp(p, needle, m) == 0) {
      return p;
    }
    p++;
  }
  return NULL;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SP_NO_CLONES)
#include <immintrin.h>

/* Masked loads never touch bytes beyond the string's. */
__attribute__((target("avx512f,avx512bw"))) static const char *find_avx512(const char *hay, size_t n,
                                                                           const char *needle, size_t m) {
  const __m512i first = _mm512_set1_epi8(needle[0]), last = _mm512_set1_epi8(needle[m - 1]);
  const size_t places = n - m + 1;
  for (size_t i = 0; i < places; i += 64) {
    const __mmask64 in = places - i >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (places - i)) - 1;
    const __m512i x = _mm512_maskz_loadu_epi8(in, hay + i), y = _mm512_maskz_loadu_epi8(in, hay + i + m - 1);
    uint64_t hits = _mm512_mask_cmpeq_epi8_mask(_mm512_mask_cmpeq_epi8_mask(in, x, first), y, last);
    for (; hits != 0; hits &= hits - 1) {
      const char *p = hay + i + (size_t)__builtin_ctzll(hits);
      if (m <= 2 || memcmp(p + 1, needle + 1, m - 2) == 0) {
        return p;
      }
    }
  }
  return NULL;
}

static const char *find(const char *hay, size_t n, const char *needle, size_t m) {
  return __builtin_cpu_supports("avx512bw") ? find_avx512(hay, n, needle, m) : find_plain(hay, n, needle, m);
}
#else
static const char *find(const char *hay, size_t n, const char *needle, size_t m) {
  return find_plain(hay, n, needle, m);
}
#endif

const char *sp_find_bytes(const char *hay, size_t n, const char *needle, size_t m) {
  if (m > n) {
    return NULL;
  }
  return m == 0 ? hay : m == 1 ? memchr(hay, needle[0], n) : find(hay, n, needle, m);
}

/* ---- compiling ---- */
static bool is_start(char c) {
  return ((unsigned char)c & 0xc0) != 0x80;
}

typedef struct builder {
  char *text;
  uint8_t *any;
  sp_like_piece *pieces;
  uint32_t n_pieces, at, from, chars;
  bool wild;
} builder;

static void end_piece(builder *b) {
  if (b->at > b->from) {
    b->pieces[b->n_pieces++] = (sp_like_piece){.text = b->text + b->from,
                                               .any = b->wild ? b->any + b->from : NULL,
                                               .n = b->at - b->from,
                                               .chars = b->chars};
  }
  b->from = b->at;
  b->chars = 0;
  b->wild = false;
}

sp_status sp_like_compile(sp_arena *a, sp_sv pattern, char escape, const sp_like **ret, sp_error *err) {
  sp_like *l = SP_ARENA_NEW(a, sp_like);
  builder b = {.text = sp_arena_alloc(a, pattern.n + 1),
               .any = sp_arena_alloc(a, pattern.n + 1),
               .pieces = SP_ARENA_ARRAY(a, sp_like_piece, pattern.n / 2 + 1)};
  if (l == NULL || b.text == NULL || b.any == NULL || b.pieces == NULL) {
    return sp_error_nomem(err);
  }
  for (size_t i = 0; i < pattern.n; i++) {
    const char c = pattern.p[i];
    if (escape != 0 && c == escape) {
      if (++i == pattern.n) {
        SP_FAIL(err, SP_EXEC, NULL, "the LIKE pattern `%.*s` ends with its escape character",
                (int)(pattern.n < 100 ? pattern.n : 100), pattern.p);
      }
    } else if (c == '%') {
      end_piece(&b);
      l->open_start |= i == 0;
      l->open_end = i + 1 == pattern.n;
      continue;
    } else if (c == '_') {
      b.any[b.at] = 1;
      b.wild = true;
    }
    b.chars += is_start(pattern.p[i]);
    b.text[b.at++] = pattern.p[i];
  }
  end_piece(&b);
  l->n = b.n_pieces;
  l->pieces = b.pieces;
  *ret = l;
  return SP_OK;
}

/* ---- matching ---- */
static const char *next_char(const char *p, const char *end) {
  do {
    p++;
  } while (p < end && !is_start(*p));
  return p;
}

/* The end of the piece matched at p, or NULL. */
static const char *match_at(const sp_like_piece *s, const char *p, const char *end) {
  if (s->any == NULL) {
    return (size_t)(end - p) >= s->n && memcmp(p, s->text, s->n) == 0 ? p + s->n : NULL;
  }
  for (uint32_t i = 0; i < s->n; i++) {
    if (p == end) {
      return NULL;
    }
    if (s->any[i] != 0) {
      p = next_char(p, end);
    } else if (*p++ != s->text[i]) {
      return NULL;
    }
  }
  return p;
}

static const char *search(const sp_like_piece *s, const char *p, const char *end) {
  if (s->any == NULL) {
    const char *found = sp_find_bytes(p, (size_t)(end - p), s->text, s->n);
    return found != NULL ? found + s->n : NULL;
  }
  for (; p < end; p = next_char(p, end)) {
    const char *after = match_at(s, p, end);
    if (after != NULL) {
      return after;
    }
  }
  return NULL;
}

/* Where the last s->chars characters start, or NULL when there are fewer behind p. */
static const char *tail_of(const sp_like_piece *s, const char *p, const char *end) {
  if (s->any == NULL) {
    return (size_t)(end - p) >= s->n ? end - s->n : NULL;
  }
  const char *at = end;
  for (uint32_t i = 0; i < s->chars; i++) {
    if (at == p) {
      return NULL;
    }
    do {
      at--;
    } while (at > p && !is_start(*at));
  }
  return at;
}

bool sp_like_match(const sp_like *l, const char *p, size_t n) {
  const char *end = p + n;
  uint32_t i = 0, last = l->n;
  if (l->n == 0) {
    return l->open_start || n == 0;
  }
  if (!l->open_start) {
    p = match_at(&l->pieces[i++], p, end);
    if (p == NULL || (l->n == 1 && !l->open_end)) {
      return p == end;
    }
  }
  last -= !l->open_end;
  for (; i < last; i++) {
    p = search(&l->pieces[i], p, end);
    if (p == NULL) {
      return false;
    }
  }
  if (l->open_end) {
    return true;
  }
  const char *at = tail_of(&l->pieces[last], p, end);
  return at != NULL && match_at(&l->pieces[last], at, end) == end;
}
