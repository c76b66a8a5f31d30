/* The JSON writer (see json.h): strict JSON, keys in call order, the same bytes on every machine.
 *
 * A value is preceded by what its place asks for: nothing after a key, a comma after a sibling, a line break
 * and indentation when pretty. Doubles always show that they are doubles (3.0, not 3), so that a literal
 * keeps its type when read back. Example, pretty with inline_from = 1: an object {"a": [1, 2]} is
 *   {
 *     "a": [1, 2]
 *   } */
#include "base/json.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "base/cformat.h"

void sp_jw_init(sp_jw *w, sp_str *out, bool pretty) {
  *w = (sp_jw){.out = out, .pretty = pretty, .first = true, .inline_from = 255};
}

/* Is the container whose elements stand at w->depth written on one line? */
static bool on_one_line(const sp_jw *w) {
  return !w->pretty || (w->inline_from != 255 && w->depth > w->inline_from);
}

static void new_line(sp_jw *w) {
  sp_str_addc(w->out, '\n');
  sp_str_repeat(w->out, "  ", w->depth);
}

/* What stands between the previous thing and the value or key to come. */
static void before(sp_jw *w) {
  if (w->after_key) {
    w->after_key = false;
    return;
  }
  if (!w->first) {
    sp_str_addc(w->out, ',');
  }
  if (w->depth > 0 && !on_one_line(w)) {
    new_line(w);
  } else if (!w->first && w->pretty) {
    sp_str_addc(w->out, ' ');
  }
  w->first = false;
}

void sp_jw_open(sp_jw *w, char bracket) {
  assert(bracket == '{' || bracket == '[');
  before(w);
  sp_str_addc(w->out, bracket);
  w->depth++;
  w->first = true;
}

void sp_jw_close(sp_jw *w, char bracket) {
  assert(bracket == '}' || bracket == ']');
  assert(w->depth > 0 && !w->after_key);
  const bool breaks = !w->first && !on_one_line(w);
  w->depth--;
  if (breaks) {
    new_line(w);
  }
  sp_str_addc(w->out, bracket);
  w->first = false;
}

/* Runs of plain characters go out at once. */
static void escaped(sp_str *out, sp_sv s) {
  static const char shorts[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
  const char *p = s.p;
  const char *end = s.p + s.n;
  const char *run = p;
  sp_str_addc(out, '"');
  while (p < end) {
    const unsigned char c = (unsigned char)*p;
    uint32_t len = 1;
    if (c >= 0x80) {
      sp_utf8_decode(p, end, &len);
    }
    if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || len > 1)) {
      p += len;
      continue;
    }
    sp_str_addn(out, run, (size_t)(p - run));
    if (c >= 0x80) {
      sp_str_add(out, "\xEF\xBF\xBD");
    } else if (c >= 0x20) {
      sp_str_addn(out, (const char[2]){'\\', (char)c}, 2);
    } else if (shorts[c] != '\0') {
      sp_str_addn(out, (const char[2]){'\\', shorts[c]}, 2);
    } else {
      sp_str_addf(out, "\\u%04x", c);
    }
    p++;
    run = p;
  }
  if (p > run) {
    sp_str_addn(out, run, (size_t)(p - run));
  }
  sp_str_addc(out, '"');
}

void sp_jw_key(sp_jw *w, const char *key) {
  assert(!w->after_key);
  before(w);
  escaped(w->out, sp_sv_from(key));
  sp_str_add(w->out, w->pretty ? ": " : ":");
  w->after_key = true;
}

void sp_jw_raw(sp_jw *w, const char *json) {
  before(w);
  sp_str_add(w->out, json);
}

void sp_jw_str(sp_jw *w, sp_sv s) {
  before(w);
  escaped(w->out, s);
}

void sp_jw_cstr(sp_jw *w, const char *s) {
  sp_jw_str(w, sp_sv_from(s));
}

void sp_jw_int(sp_jw *w, int64_t v) {
  before(w);
  sp_str_addf(w->out, "%lld", (long long)v);
}

void sp_jw_uint(sp_jw *w, uint64_t v) {
  before(w);
  sp_str_addf(w->out, "%llu", (unsigned long long)v);
}

void sp_jw_bool(sp_jw *w, bool v) {
  sp_jw_raw(w, v ? "true" : "false");
}

void sp_jw_null(sp_jw *w) {
  sp_jw_raw(w, "null");
}

void sp_jw_double(sp_jw *w, double v) {
  if (!isfinite(v)) {
    sp_jw_null(w);
    return;
  }
  /* 15 digits always survive, 17 always suffice; a denormal may need fewer than 15. */
  char text[40];
  for (int digits = fabs(v) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
    sp_snprintf(text, sizeof text, "%.*g", digits, v);
    if (sp_strtod(text, NULL) == v) {
      break;
    }
  }
  before(w);
  sp_str_add(w->out, text);
  if (strpbrk(text, ".e") == NULL) {
    sp_str_add(w->out, ".0");
  }
}
