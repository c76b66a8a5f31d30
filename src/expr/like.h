/* LIKE patterns, compiled once, and finding bytes in bytes.
 *
 * `%` stands for any characters, `_` for exactly one (of UTF-8), the escape character, if any, for the
 * character behind it as it is. Most patterns are a few plain pieces between `%`s; these are looked for from
 * left to right, which is right because the leftmost place of a piece leaves most room for the next. */
#ifndef SP_EXPR_LIKE_H
#define SP_EXPR_LIKE_H

#include "base/str.h"

typedef struct sp_like_piece {
  const char *text;   /* wildcards hold any byte here */
  const uint8_t *any; /* NULL, or 1 for each byte of text that is a `_` */
  uint32_t n;         /* bytes of text */
  uint32_t chars;     /* characters that it matches */
} sp_like_piece;

typedef struct sp_like {
  bool open_start, open_end; /* the pattern starts, ends with `%` */
  uint32_t n;                /* pieces; 0: the pattern is empty or all `%` */
  const sp_like_piece *pieces;
} sp_like;

/* escape: 0 or a byte below 128. SP_EXEC when the pattern ends with it. The pattern's bytes are copied. */
sp_status sp_like_compile(sp_arena *a, sp_sv pattern, char escape, const sp_like **ret, sp_error *err);
bool sp_like_match(const sp_like *l, const char *p, size_t n);

/* The first place of needle in hay, or NULL. An empty needle is at the start. */
const char *sp_find_bytes(const char *hay, size_t n, const char *needle, size_t m);

#endif
