/* Status texts and the caller-owned error (see error.h and sigmapi/status.h).
 *
 * Nothing here allocates. What goes into an error may come from a hostile plan or file, so control characters
 * become spaces and bytes that are no UTF-8 question marks (a message stays one line and cannot drive a
 * terminal), and a text that is too long is cut between UTF-8 sequences.
 * Example: sp_error_set(&e, SP_TYPE, &loc, "cannot add %s and %s", "date", "date") then
 * sp_error_context(&e, "node `%s`", "late") reads "node `late`: cannot add date and date". */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/cformat.h"
#include "base/str.h"

const char *sp_status_text(sp_status st) {
  static const char *const texts[] = {
#define TEXT(name, exit_code, text) [SP_##name] = text,
      SP_STATUS_LIST(TEXT)
#undef TEXT
  };
  return (unsigned)st < SP_STATUS_COUNT ? texts[st] : "unknown status";
}

int sp_status_exit_code(sp_status st) {
  static const int codes[] = {
#define CODE(name, exit_code, text) [SP_##name] = exit_code,
      SP_STATUS_LIST(CODE)
#undef CODE
  };
  return (unsigned)st < SP_STATUS_COUNT ? codes[st] : 3;
}

static void clean(char *text) {
  sp_utf8_trim_end(text);
  const char *end = text + strlen(text);
  uint32_t len = 1;
  for (char *p = text; p < end; p += len) {
    const uint32_t cp = sp_utf8_decode(p, end, &len);
    if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0)) {
      memset(p, ' ', len);
    } else if (cp == 0xFFFD && len == 1) {
      *p = '?';
    }
  }
}

static void copy(char *out, size_t size, const char *text) {
  sp_snprintf(out, size, "%s", text);
  clean(out);
}

void sp_error_place(sp_error *err, const sp_loc *loc) {
  if (err == NULL || loc == NULL || err->status == SP_OK) {
    return;
  }
  if (err->file[0] == '\0' && loc->file != NULL) {
    copy(err->file, sizeof err->file, loc->file);
  } else if (loc->file != NULL && strncmp(err->file, loc->file, sizeof err->file - 1) != 0) {
    return; /* a line of the plan must not be read as one of the data file */
  }
  if (err->pointer[0] == '\0' && err->line == 0) {
    if (loc->pointer != NULL) {
      copy(err->pointer, sizeof err->pointer, loc->pointer);
    }
    err->line = loc->line;
    err->col = loc->col;
  }
}

sp_status sp_error_set(sp_error *err, sp_status st, const sp_loc *loc, const char *fmt, ...) {
  if (err == NULL || err->status != SP_OK) {
    return st;
  }
  memset(err, 0, sizeof *err);
  err->status = st;
  va_list ap;
  va_start(ap, fmt);
  sp_vsnprintf(err->message, sizeof err->message, fmt, ap);
  va_end(ap);
  clean(err->message);
  sp_error_place(err, loc);
  return st;
}

void sp_error_hint(sp_error *err, const char *fmt, ...) {
  if (err == NULL || err->status == SP_OK || err->hint[0] != '\0') {
    return;
  }
  va_list ap;
  va_start(ap, fmt);
  sp_vsnprintf(err->hint, sizeof err->hint, fmt, ap);
  va_end(ap);
  clean(err->hint);
}

void sp_error_context(sp_error *err, const char *fmt, ...) {
  if (err == NULL || err->status == SP_OK) {
    return;
  }
  char text[sizeof err->message];
  va_list ap;
  va_start(ap, fmt);
  size_t n = sp_vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  if (n < sizeof text) {
    sp_snprintf(text + n, sizeof text - n, ": %s", err->message);
  }
  clean(text);
  memcpy(err->message, text, sizeof text);
}

sp_status sp_error_nomem(sp_error *err) {
  return sp_error_set(err, SP_NOMEM, NULL, "out of memory");
}

/* Appends like snprintf into what is left of buf, counting what did not fit. */
__attribute__((format(printf, 4, 5))) static void put(char *buf, size_t size, size_t *n, const char *fmt,
                                                      ...) {
  va_list ap;
  va_start(ap, fmt);
  const size_t at = *n < size ? *n : size;
  *n += sp_vsnprintf(size > 0 ? buf + at : buf, size - at, fmt, ap);
  va_end(ap);
}

size_t sp_error_format(const sp_error *err, char *buf, size_t size) {
  size_t n = 0;
  put(buf, size, &n, "sigmapi: ");
  if (err->file[0] != '\0') {
    put(buf, size, &n, "%s: ", err->file);
  }
  if (err->pointer[0] != '\0') {
    put(buf, size, &n, "%s%s", err->pointer, err->line > 0 ? " " : ": ");
  }
  if (err->line > 0 && err->col > 0) {
    put(buf, size, &n, "(%u:%u): ", err->line, err->col);
  } else if (err->line > 0) {
    put(buf, size, &n, "(%u): ", err->line);
  }
  put(buf, size, &n, "%s", err->message[0] != '\0' ? err->message : sp_status_text(err->status));
  if (err->hint[0] != '\0') {
    put(buf, size, &n, "\n  hint: %s", err->hint);
  }
  return n;
}
