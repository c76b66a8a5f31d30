/* Where text goes: standard output, a pager when it is long and a person reads it, or a file that is replaced whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"

void sp_cli_print_error(const sp_error *e) {
  char buf[2048];
  (void)sp_error_format(e, buf, sizeof buf);
  (void)fprintf(stderr, "%s\n", buf);
}

void sp_cli_warn(void *ctx, const sp_error *w) {
  (void)ctx;
  sp_error e = *w;
  sp_error_context(&e, "warning");
  sp_cli_print_error(&e);
}

void sp_cli_warn_running(void *ctx, const sp_error *w) {
  if (w->status != SP_NOT_FOUND) {
    sp_cli_warn(ctx, w);
  }
}

sp_status sp_cli_explain_limit(const sp_cli *c, sp_status st, sp_error *err) {
  if (st == SP_NOMEM && c->exec.memory_limit > 0) {
    char limit[SP_HUMAN_SIZE];
    sp_human_bytes(c->exec.memory_limit, limit);
    sp_error_hint(err, "--memory-limit is %s", limit);
  }
  return st;
}

#define MAX_LINE 4096

const char *sp_cli_one_line(sp_arena *a, const char *text, size_t n) {
  const char *end = text + (n > MAX_LINE ? MAX_LINE : n);
  sp_str out;
  sp_str_init(&out, a->mem, MAX_LINE * 4 + 1);
  for (const char *p = text; p < end;) {
    uint32_t len = 1;
    const uint32_t cp = sp_utf8_decode(p, end, &len);
    if (cp == '\n' || cp == '\r' || cp == '\t') {
      sp_str_add(&out, cp == '\n' ? "\\n" : cp == '\r' ? "\\r" : "\\t");
    } else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp == 0xfffd && len == 1)) {
      sp_str_addf(&out, "\\x%02x", (unsigned)(unsigned char)*p);
    } else {
      sp_str_addn(&out, p, len);
    }
    p += len;
  }
  const char *r = sp_str_ok(&out) ? sp_arena_strndup(a, out.p, out.n) : NULL;
  sp_str_release(&out);
  return r;
}

static bool is_longer_than_terminal(const sp_str *text) {
  struct winsize w;
  if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0) {
    return false;
  }
  uint32_t lines = 0;
  for (size_t i = 0; i < text->n && lines < w.ws_row; i++) {
    lines += text->p[i] == '\n';
  }
  return lines >= w.ws_row;
}

/* Like git: $SIGMAPI_PAGER, $PAGER or less, which passes colours on and quits when one screen is enough. */
static bool page(const sp_str *text) {
  const char *pager = getenv("SIGMAPI_PAGER");
  if (pager == NULL) {
    pager = getenv("PAGER");
  }
  if (pager == NULL) {
    pager = "less";
  }
  if (*pager == '\0' || strcmp(pager, "cat") == 0) {
    return false;
  }
  (void)setenv("LESS", "FRX", 0);
  FILE *f = popen(pager, "w");
  if (f == NULL) {
    return false;
  }
  (void)fwrite(text->p, 1, text->n, f); /* a reader who quits early is no failure */
  const int rc = pclose(f);
  return rc != -1 && !(WIFEXITED(rc) && WEXITSTATUS(rc) == 127); /* 127: there is no such pager, and nothing was shown */
}

sp_status sp_cli_write(const sp_cli *c, const char *path, const sp_str *text, sp_error *err) {
  (void)c;
  SP_TRY(sp_str_status(text, err));
  if (path != NULL && strcmp(path, "-") != 0) {
    return sp_file_write(sp_mem_process(), path, text->p, text->n, NULL, err);
  }
  if (is_longer_than_terminal(text) && page(text)) {
    return SP_OK;
  }
  if (fwrite(text->p, 1, text->n, stdout) != text->n || fflush(stdout) != 0) {
    if (errno == EPIPE) {
      return SP_OK; /* the reader has seen enough */
    }
    SP_FAIL(err, SP_IO, NULL, "cannot write to standard output: %s", strerror(errno));
  }
  return SP_OK;
}

/* A bar on standard error, only for what takes over a second. */
static bool progress_shown;

void sp_cli_progress(void *ctx, double fraction, int64_t rows) {
  const int64_t start = *(const int64_t *)ctx;
  if (sp_now_ns() - start < 1000000000 || !isatty(STDERR_FILENO)) {
    return;
  }
  progress_shown = true;
  char bar[31];
  const int filled = fraction < 0 ? 0 : fraction > 1 ? 30 : (int)(fraction * 30);
  for (int i = 0; i < 30; i++) {
    bar[i] = i < filled ? '#' : '.';
  }
  bar[30] = '\0';
  char count[SP_HUMAN_SIZE];
  sp_human_count(rows, count);
  (void)fprintf(stderr, "\r[%s] %3.0f%% %s rows ", bar, fraction * 100, count);
}

void sp_cli_progress_end(void) {
  if (progress_shown) {
    (void)fprintf(stderr, "\r\033[K");
    progress_shown = false;
  }
}
