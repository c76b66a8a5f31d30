/* Cutting a file into ranges of whole rows. Hops from quote to quote with memchr, which is as fast as memory, and is always right: a quote opens a field
 * only where a field starts, and what is inside quotes is skipped as a whole. Files without quotes are only searched for line ends near the cuts. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/formats/csv/csv.h"

#define PIECE ((size_t)1 << 20)

struct sp_csv_scanner {
  sp_csv_source *s;
  int fd;
  bool inside;    /* quotes, at `at` */
  bool was_quote; /* the byte before `at` was a quote inside: it closes, or with another one it is doubled */
  char before;    /* the byte before `at`; '\n' at the start */
  int64_t at;
  int64_t piece_at;
  size_t piece_n;
  char *piece;
};

sp_status sp_csv_open_fd(const sp_csv_source *s, int *ret_fd, sp_error *err) {
  *ret_fd = -1;
  if (s->inflated != NULL) {
    return SP_OK;
  }
  const sp_loc loc = {.file = s->base.path};
  const int fd = open(s->base.path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0) {
    SP_FAIL(err, SP_IO, &loc, "cannot open the file: %s", strerror(errno));
  }
  if (fstat(fd, &st) != 0 || st.st_size != s->base.bytes || (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec != s->mtime_ns) {
    (void)close(fd);
    SP_FAIL(err, SP_IO, &loc, "the file has changed while it was read");
  }
  *ret_fd = fd;
  return SP_OK;
}

static int64_t text_size(const sp_csv_source *s) { return s->inflated != NULL ? (int64_t)s->inflated->size : s->base.bytes; }

sp_status sp_csv_read(const sp_csv_source *s, int fd, int64_t from, void *dst, size_t n, size_t *ret_n, sp_error *err) {
  const int64_t left = text_size(s) - from;
  n = left <= 0 ? 0 : (int64_t)n > left ? (size_t)left : n;
  if (s->inflated != NULL) {
    memcpy(dst, s->inflated->data + from, n);
    *ret_n = n;
    return SP_OK;
  }
  size_t done = 0;
  while (done < n) {
    const ssize_t got = pread(fd, (char *)dst + done, n - done, from + (int64_t)done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      const sp_loc loc = {.file = s->base.path};
      SP_FAIL(err, SP_IO, &loc, got < 0 ? "cannot read the file: %s" : "the file has become shorter while it was read%s", got < 0 ? strerror(errno) : "");
    }
    done += (size_t)got;
  }
  *ret_n = n;
  return SP_OK;
}

sp_status sp_csv_scanner_new(sp_csv_source *s, sp_csv_scanner **ret, sp_error *err) {
  sp_csv_scanner *x = sp_mem_calloc(s->base.mem, sizeof *x);
  SP_TRY_ALLOC(err, x);
  *x = (sp_csv_scanner){.s = s, .fd = -1, .before = '\n', .at = s->data_start, .piece_at = -1};
  x->piece = sp_mem_alloc(s->base.mem, PIECE);
  sp_status st = x->piece != NULL ? sp_csv_open_fd(s, &x->fd, err) : sp_error_nomem(err);
  if (st != SP_OK) {
    sp_csv_scanner_free(x);
    return st;
  }
  *ret = x;
  return SP_OK;
}

void sp_csv_scanner_free(sp_csv_scanner *x) {
  if (x != NULL) {
    if (x->fd >= 0) {
      (void)close(x->fd);
    }
    sp_mem_free(x->s->base.mem, x->piece, PIECE);
    sp_mem_free(x->s->base.mem, x, sizeof *x);
  }
}

/* The bytes at `at`, as many as the piece has; 0 at the file's end. */
static sp_status fill(sp_csv_scanner *x, const char **ret_p, size_t *ret_n, sp_error *err) {
  if (x->piece_at < 0 || x->at < x->piece_at || x->at >= x->piece_at + (int64_t)x->piece_n) {
    SP_TRY(sp_csv_read(x->s, x->fd, x->at, x->piece, PIECE, &x->piece_n, err));
    x->piece_at = x->at;
  }
  const size_t skip = (size_t)(x->at - x->piece_at);
  *ret_p = x->piece + skip;
  *ret_n = x->piece_n - skip;
  return SP_OK;
}

static void step(sp_csv_scanner *x, const char *p, size_t n) {
  if (n > 0) {
    x->before = p[n - 1];
    x->at += (int64_t)n;
  }
}

/* Takes what is inside quotes, up to and with the closing quote, or the whole piece. */
static void skip_inside(sp_csv_scanner *x, const char *p, size_t n) {
  const char quote = x->s->quote;
  if (x->was_quote) {
    x->was_quote = false;
    if (*p != quote) { /* the quote before closed the field */
      x->inside = false;
      return;
    }
    step(x, p, 1); /* doubled */
    return;
  }
  const char *q = memchr(p, quote, n);
  x->was_quote = q != NULL;
  step(x, p, q != NULL ? (size_t)(q - p) + 1 : n);
}

sp_status sp_csv_scan_to(sp_csv_scanner *x, int64_t target, int64_t *ret, sp_error *err) {
  const char quote = x->s->quote;
  if (quote == '\0' && target > x->at) {
    x->at = target - 1;
    x->before = '\0';
  }
  for (;;) {
    const char *p = NULL;
    size_t n = 0;
    SP_TRY(fill(x, &p, &n, err));
    if (n == 0) {
      *ret = text_size(x->s);
      return SP_OK;
    }
    if (x->inside) {
      skip_inside(x, p, n);
      continue;
    }
    if (x->at >= target && x->before == '\n') {
      *ret = x->at;
      return SP_OK;
    }
    const char *q = quote != '\0' ? memchr(p, quote, n) : NULL;
    const size_t free_n = q != NULL ? (size_t)(q - p) : n;
    /* a line end behind the target, outside quotes? */
    const int64_t skip = target - 1 - x->at;
    const size_t from = skip > 0 ? (skip < (int64_t)free_n ? (size_t)skip : free_n) : 0;
    const char *nl = memchr(p + from, '\n', free_n - from);
    if (nl != NULL) {
      step(x, p, (size_t)(nl - p) + 1);
      continue;
    }
    step(x, p, free_n);
    if (q != NULL) {
      x->inside = x->before == '\n' || x->before == x->s->separator;
      step(x, q, 1);
    }
  }
}

int64_t sp_csv_line_of(const sp_csv_source *s, int64_t offset) {
  sp_error ignored = SP_ERROR_INIT;
  int fd = -1;
  char buf[65536];
  int64_t line = 1;
  if (sp_csv_open_fd(s, &fd, &ignored) != SP_OK) {
    return 0;
  }
  for (int64_t at = 0; at < offset;) {
    size_t n = 0;
    const size_t want = offset - at < (int64_t)sizeof buf ? (size_t)(offset - at) : sizeof buf;
    if (sp_csv_read(s, fd, at, buf, want, &n, &ignored) != SP_OK || n == 0) {
      break;
    }
    for (size_t i = 0; i < n; i++) {
      line += buf[i] == '\n';
    }
    at += (int64_t)n;
  }
  if (fd >= 0) {
    (void)close(fd);
  }
  return line;
}

sp_status sp_csv_row_error(const sp_csv_source *s, int64_t offset, sp_csv_stop why, uint32_t found, sp_error *err) {
  const sp_loc loc = {.file = s->base.path, .line = (uint32_t)sp_csv_line_of(s, offset)};
  switch (why) {
  case CSV_TOO_FEW:
  case CSV_TOO_MANY:
    (void)sp_error_set(err, SP_DATA, &loc, "this row has %u fields, expected %u", found, s->n_fields);
    sp_error_hint(err, "`ragged`: \"null\" fills missing fields, \"truncate\" also drops surplus ones");
    return SP_DATA;
  case CSV_OPEN_QUOTE:
    SP_FAIL(err, SP_DATA, &loc, "a quoted field of this row is never closed");
  case CSV_AFTER_QUOTE:
    SP_FAIL(err, SP_DATA, &loc, "text after the closing quote of field %u", found + 1);
  case CSV_TOO_LONG:
    SP_FAIL(err, SP_LIMIT, &loc, "a field of over 1 GiB");
  case CSV_OK:
    break;
  }
  return SP_OK;
}
