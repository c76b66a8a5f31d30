/* printf and strtod that ignore the program's locale (see cformat.h).
 *
 * uselocale() switches the calling thread only, and glibc's newlocale("C") hands out a static object, so this
 * allocates nothing and works when memory is exhausted.
 * Example: under LC_NUMERIC=de_DE, sp_snprintf(b, n, "%.2f", 0.05) writes "0.05". */
#include "base/cformat.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t enter(void) {
  pthread_once(&once, make_locale);
  return c_locale == (locale_t)0 ? (locale_t)0 : uselocale(c_locale);
}

static void leave(locale_t old) {
  if (old != (locale_t)0) {
    uselocale(old);
  }
}

size_t sp_vsnprintf(char *out, size_t size, const char *fmt, va_list ap) {
  const locale_t old = enter();
  const int n = vsnprintf(out, size, fmt, ap);
  leave(old);
  if (n < 0) {
    if (size > 0) {
      out[0] = '\0';
    }
    return 0;
  }
  return (size_t)n;
}

size_t sp_snprintf(char *out, size_t size, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  const size_t n = sp_vsnprintf(out, size, fmt, ap);
  va_end(ap);
  return n;
}

double sp_strtod(const char *text, char **ret_end) {
  const locale_t old = enter();
  const double v = strtod(text, ret_end);
  leave(old);
  return v;
}

const char *sp_errno_text(int code, char *out, size_t size) {
  const locale_t old = enter();
  char tmp[128];
  const char *text = strerror_r(code, tmp, sizeof tmp);
  leave(old);
  sp_snprintf(out, size, "%s", text);
  return out;
}

void sp_utf8_trim_end(char *text) {
  const size_t n = strlen(text);
  size_t lead = n; /* start of the last sequence */
  while (lead > 0 && n - lead < 4) {
    lead--;
    if (((unsigned char)text[lead] & 0xC0) != 0x80) {
      break;
    }
  }
  if (lead == n) {
    return;
  }
  const unsigned char c = (unsigned char)text[lead];
  const size_t need = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
  if (n - lead < need) {
    text[lead] = '\0';
  }
}
