/* Strings: views, and a builder with a mandatory maximum.
 *
 * sp_sv is a view of bytes that somebody else owns, usually UTF-8, not NUL-terminated.
 * sp_str is a growing, always NUL-terminated buffer. When it cannot grow (out of memory or past its maximum)
 * it keeps what it has, remembers the failure and ignores what follows, so that a caller builds a whole text
 * and asks sp_str_ok() once at the end. */
#ifndef SP_BASE_STR_H
#define SP_BASE_STR_H

#include <string.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct sp_sv {
  const char *p;
  size_t n;
} sp_sv;

#define SP_SV(lit) ((sp_sv){(lit), sizeof(lit) - 1})
static inline sp_sv sp_sv_from(const char *s) {
  return (sp_sv){s, s ? strlen(s) : 0};
}
static inline bool sp_sv_eq(sp_sv a, sp_sv b) {
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
int sp_sv_cmp(sp_sv a, sp_sv b); /* bytewise, shorter first; <0, 0, >0 */

typedef struct sp_str {
  char *p; /* NUL-terminated; "" when empty */
  size_t n, cap, max;
  sp_mem *mem;
  sp_status status; /* SP_OK, SP_NOMEM or SP_LIMIT */
} sp_str;

void sp_str_init(sp_str *s, sp_mem *mem, size_t max);
void sp_str_release(sp_str *s);
void sp_str_clear(sp_str *s); /* empties, keeps the memory, forgets a failure */
bool sp_str_ok(const sp_str *s);
sp_status sp_str_status(const sp_str *s, sp_error *err); /* fills err when it failed */
void sp_str_add(sp_str *s, const char *text);
void sp_str_addn(sp_str *s, const char *p, size_t n);
void sp_str_addc(sp_str *s, char c);
void sp_str_repeat(sp_str *s, const char *text, uint32_t times);
__attribute__((format(printf, 2, 3))) void sp_str_addf(sp_str *s, const char *fmt, ...);

/* ---- UTF-8 ---- */
bool sp_utf8_valid(const char *p, size_t n);
/* Decodes one code point at p (p < end); *ret_len its bytes. Invalid bytes give U+FFFD and length 1. */
uint32_t sp_utf8_decode(const char *p, const char *end, uint32_t *ret_len);
uint32_t sp_utf8_encode(uint32_t cp, char out[4]); /* bytes written */
size_t sp_utf8_count(const char *p, size_t n);     /* code points */
/* Columns on a terminal: wide East Asian and emoji count 2, combining marks 0. */
size_t sp_utf8_width(const char *p, size_t n);

/* ---- numbers for people, always with '.', never a locale ---- */
#define SP_HUMAN_SIZE 32
void sp_human_bytes(int64_t bytes, char out[SP_HUMAN_SIZE]); /* "1.5 MiB" */
void sp_human_ns(int64_t ns, char out[SP_HUMAN_SIZE]);       /* "12.3 ms" */
void sp_human_count(int64_t n, char out[SP_HUMAN_SIZE]);     /* "6,001,215" */

/* Optimal string alignment distance (Levenshtein plus transpositions), capped: above max it returns max + 1.
 */
uint32_t sp_edit_distance(sp_sv a, sp_sv b, uint32_t max);
/* Up to 3 names nearest to `name` among n, as "`a`, `b` or `c`" into out; false when none is near. get(ctx,
 * i). */
bool sp_nearest_names(sp_sv name, uint32_t n, sp_sv (*get)(const void *ctx, uint32_t i), const void *ctx,
                      char *out, size_t size);

#endif
