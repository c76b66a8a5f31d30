/* Bytes of a CSV file, and places in it for messages. A file is opened for each range anew: that costs
 * microseconds, keeps no descriptors of a scan over thousands of files, and shows whether the file has
 * changed.
 *
 * Places are counted from the file's start when an error is reported, so that reading keeps no line numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cformat.h"
#include "io/formats/csv/csv.h"

#define SHOWN 40 /* bytes of text in a message */

sp_status sp_csv_open_fd(const sp_csv_source *s, int *ret_fd, sp_error *err) {
  *ret_fd = -1;
  if (s->inflated != NULL) {
    return SP_OK;
  }
  const sp_loc loc = {.file = s->base.path};
  const int fd = open(s->base.path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0) {
    char text[128];
    SP_FAIL(err, SP_IO, &loc, "cannot open: %s", sp_errno_text(errno, text, sizeof text));
  }
  if (fstat(fd, &st) != 0 || st.st_size != s->base.bytes ||
      (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec != s->mtime_ns) {
    (void)close(fd);
    SP_FAIL(err, SP_IO, &loc, "the file has changed while it was read");
  }
  *ret_fd = fd;
  return SP_OK;
}

void sp_csv_close_fd(int fd) {
  if (fd >= 0) {
    (void)close(fd);
  }
}

sp_status sp_csv_read_file(const sp_csv_source *s, int fd, int64_t from, void *dst, size_t n, sp_error *err) {
  for (size_t done = 0; done < n;) {
    const ssize_t got = pread(fd, (char *)dst + done, n - done, from + (int64_t)done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    const sp_loc loc = {.file = s->base.path};
    if (got < 0) {
      char text[128];
      SP_FAIL(err, SP_IO, &loc, "cannot read: %s", sp_errno_text(errno, text, sizeof text));
    }
    if (got == 0) {
      SP_FAIL(err, SP_IO, &loc, "the file has become shorter while it was read");
    }
    done += (size_t)got;
  }
  return SP_OK;
}

sp_status sp_csv_read(const sp_csv_source *s, int fd, int64_t from, void *dst, size_t n, size_t *ret_n,
                      sp_error *err) {
  const int64_t left = s->size - from;
  n = left <= 0 ? 0 : (int64_t)n > left ? (size_t)left : n;
  if (s->inflated == NULL) {
    SP_TRY(sp_csv_read_file(s, fd, from, dst, n, err));
  } else if (n > 0) {
    memcpy(dst, s->inflated->data + from, n);
  }
  *ret_n = n;
  return SP_OK;
}

/* ---- places ---- */
static uint32_t to_u32(int64_t v) {
  return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

sp_loc sp_csv_place(const sp_csv_source *s, int64_t offset) {
  sp_loc loc = {.file = s->base.path};
  sp_error ignored = SP_ERROR_INIT;
  int fd = -1;
  char buf[65536];
  if (sp_csv_open_fd(s, &fd, &ignored) != SP_OK) {
    return loc;
  }
  int64_t line = 1, line_start = s->text_start, at = s->text_start;
  while (at < offset) {
    const size_t want = offset - at < (int64_t)sizeof buf ? (size_t)(offset - at) : sizeof buf;
    size_t n = 0;
    if (sp_csv_read(s, fd, at, buf, want, &n, &ignored) != SP_OK || n == 0) {
      break;
    }
    for (const char *p = buf; (p = memchr(p, s->dialect.line_end, (size_t)(buf + n - p))) != NULL; p++) {
      line++;
      line_start = at + (p - buf) + 1;
    }
    at += (int64_t)n;
  }
  sp_csv_close_fd(fd);
  if (at >= offset) {
    loc.line = to_u32(line);
    loc.col = to_u32(offset - line_start + 1);
  }
  return loc;
}

sp_status sp_csv_fail(const sp_csv_source *s, int64_t text_offset, const char *text, size_t row,
                      sp_csv_stop why, const sp_csv_fault *fault, sp_error *err) {
  const bool few = why == CSV_TOO_FEW;
  sp_loc loc = sp_csv_place(s, text_offset + (int64_t)(few ? row : fault->at));
  loc.col = few ? 0 : loc.col;
  const char *p = text + fault->at;
  const size_t line = strcspn(p, "\r\n"); /* the text ends in zeros */
  const int n = line < SHOWN ? (int)line : SHOWN;
  switch (why) {
  case CSV_TOO_FEW:
  case CSV_TOO_MANY:
    if (s->n_fields == 0) {
      SP_FAIL(err, SP_LIMIT, &loc, "more than %d columns", SP_SCHEMA_MAX);
    }
    if (few) {
      (void)sp_error_set(err, SP_DATA, &loc, "this row has %u fields, expected %u", fault->fields,
                         s->n_fields);
    } else {
      (void)sp_error_set(err, SP_DATA, &loc,
                         "this row has %u fields, expected %u; the first surplus one is `%.*s`",
                         fault->fields, s->n_fields, n, p);
    }
    sp_error_hint(err, "`ragged`: \"null\" fills missing fields, \"truncate\" also drops surplus ones");
    return SP_DATA;
  case CSV_OPEN_QUOTE:
    SP_FAIL(err, SP_DATA, &loc, "the quoted field that starts here is never closed: `%.*s`", n, p);
  case CSV_AFTER_QUOTE:
    (void)sp_error_set(err, SP_DATA, &loc, "text behind the closing quote of field %u: `%.*s`",
                       fault->fields + 1, n, p);
    sp_error_hint(err, "a quote inside a quoted field is written twice");
    return SP_DATA;
  case CSV_OK:
    break;
  }
  return SP_OK;
}
