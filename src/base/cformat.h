/* printf and strtod as in the "C" locale, whatever locale the program that links us has chosen: a German host
 * must not turn 0.05 into 0,05 in a plan. Thread-safe, changes nothing outside the call. */
#ifndef SP_BASE_CFORMAT_H
#define SP_BASE_CFORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf and snprintf, but returns 0 and an empty text where those return a negative number. */
__attribute__((format(printf, 3, 0))) size_t sp_vsnprintf(char *out, size_t size, const char *fmt,
                                                          va_list ap);
__attribute__((format(printf, 3, 4))) size_t sp_snprintf(char *out, size_t size, const char *fmt, ...);
/* As strtod: text must be NUL-terminated. */
double sp_strtod(const char *text, char **ret_end);
/* The system's text for an errno, into out (always terminated); returns out. */
const char *sp_errno_text(int code, char *out, size_t size);
/* Cuts a NUL-terminated text of capacity size so that it does not end inside a UTF-8 sequence. */
void sp_utf8_trim_end(char *text);

#endif
