/* Status codes, places in the input, and the error a caller owns.
 *
 * Every fallible function returns an sp_status and, when it takes an sp_error, fills it with one clear
 * message. The caller owns the sp_error, starts it as {0} (SP_ERROR_INIT) and may pass NULL. The first error
 * wins: nobody overwrites a filled one. Nothing in an sp_error is allocated, so an error can report that
 * memory is exhausted. Threads: an sp_error belongs to one thread at a time. */
#ifndef SIGMAPI_STATUS_H
#define SIGMAPI_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, exit code of the command, text */
#define SP_STATUS_LIST(X)                                                                                    \
  X(OK, 0, "ok")                                                                                             \
  X(USAGE, 2, "wrong usage")                                                                                 \
  X(SYNTAX, 2, "syntax error")                                                                               \
  X(INVALID, 2, "invalid plan")                                                                              \
  X(TYPE, 2, "type error")                                                                                   \
  X(NOT_FOUND, 2, "not found")                                                                               \
  X(UNSUPPORTED, 2, "not supported")                                                                         \
  X(IO, 3, "input or output failed")                                                                         \
  X(DATA, 3, "bad data")                                                                                     \
  X(EXEC, 3, "execution failed")                                                                             \
  X(CANCELLED, 3, "cancelled")                                                                               \
  X(INTERNAL, 3, "internal error")                                                                           \
  X(NOMEM, 4, "out of memory")                                                                               \
  X(LIMIT, 4, "limit exceeded")

typedef enum sp_status {
#define SP_STATUS_ENUM(name, exit_code, text) SP_##name,
  SP_STATUS_LIST(SP_STATUS_ENUM)
#undef SP_STATUS_ENUM
      SP_STATUS_COUNT
} sp_status;

/* A place in an input. Any member may be NULL or 0 for "unknown". Lines and columns count from 1, columns in
 * bytes. The strings must outlive the sp_loc; an sp_error copies them. */
typedef struct sp_loc {
  const char *file;    /* path as the user gave it */
  const char *pointer; /* JSON pointer, "" is the whole document */
  uint32_t line, col;
} sp_loc;

typedef struct sp_error {
  sp_status status;
  char message[512]; /* one line, UTF-8: what, expected and got */
  char hint[256];    /* "" or one line that helps: the nearest valid names, say */
  char file[256];    /* "" or where it arose */
  char pointer[256];
  uint32_t line, col;
} sp_error;

#define SP_ERROR_INIT ((sp_error){0})

const char *sp_status_text(sp_status st);
int sp_status_exit_code(sp_status st);

#endif
