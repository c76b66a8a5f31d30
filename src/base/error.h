/* Filling an sp_error. The first error wins; later ones are dropped. Callers may add context in front of a
 * message (sp_error_context) or a place where none is known yet (sp_error_place), never replace. */
#ifndef SP_BASE_ERROR_H
#define SP_BASE_ERROR_H

#include "sigmapi/status.h"

/* Fills err (may be NULL) and returns st. loc may be NULL. */
__attribute__((format(printf, 4, 5))) sp_status sp_error_set(sp_error *err, sp_status st, const sp_loc *loc,
                                                             const char *fmt, ...);
/* Sets the hint if err is filled and has none. */
__attribute__((format(printf, 2, 3))) void sp_error_hint(sp_error *err, const char *fmt, ...);
/* Puts "fmt: " before the message. */
__attribute__((format(printf, 2, 3))) void sp_error_context(sp_error *err, const char *fmt, ...);
/* Fills in the place if err has none. */
void sp_error_place(sp_error *err, const sp_loc *loc);
/* Out of memory: fills err without allocating and returns SP_NOMEM. */
sp_status sp_error_nomem(sp_error *err);
/* "sigmapi: FILE: /json/pointer (line:col): message" and, on a second line, "  hint: …", without a newline at
 * the end; returns the bytes that buf would need, as snprintf does. */
size_t sp_error_format(const sp_error *err, char *buf, size_t size);

#define SP_FAIL(err, st, loc, ...) return sp_error_set((err), (st), (loc), __VA_ARGS__)

/* Propagate: the callee has already filled err. */
#define SP_TRY(expr)                                                                                         \
  do {                                                                                                       \
    const sp_status sp_try_st_ = (expr);                                                                     \
    if (sp_try_st_ != SP_OK) {                                                                               \
      return sp_try_st_;                                                                                     \
    }                                                                                                        \
  } while (0)
/* The same where something must be released: sets st and jumps. */
#define SP_TRY_GOTO(st, expr, label)                                                                         \
  do {                                                                                                       \
    (st) = (expr);                                                                                           \
    if ((st) != SP_OK) {                                                                                     \
      goto label;                                                                                            \
    }                                                                                                        \
  } while (0)
/* For pointers that are NULL only when memory is exhausted. */
#define SP_TRY_ALLOC(err, ptr)                                                                               \
  do {                                                                                                       \
    if ((ptr) == NULL) {                                                                                     \
      return sp_error_nomem(err);                                                                            \
    }                                                                                                        \
  } while (0)
#define SP_CLEANUP(fn) __attribute__((cleanup(fn)))

#endif
