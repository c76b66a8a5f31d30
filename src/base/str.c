/* Views, the string builder, and numbers for people (see str.h); UTF-8 is in utf8.c, nearest names in
 * nearest.c.
 *
 * Example: sp_str_init(&s, mem, 10), then adding "0123456" and "789ab": the second piece would pass the
 * maximum, so s keeps "0123456", sp_str_ok is false from then on and sp_str_status is SP_LIMIT. */
#include "base/str.h"

#include "base/cformat.h"

int sp_sv_cmp(sp_sv a, sp_sv b) {
  const size_t n = a.n < b.n ? a.n : b.n;
  const int c = n > 0 ? memcmp(a.p, b.p, n) : 0;
  return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* ---- builder ---- */

static char empty[1]; /* never written: a string without memory has no room */

void sp_str_init(sp_str *s, sp_mem *mem, size_t max) {
  *s = (sp_str){.p = empty, .max = max, .mem = mem};
}

void sp_str_release(sp_str *s) {
  if (s->cap > 0) {
    sp_mem_free(s->mem, s->p, s->cap);
  }
  sp_str_init(s, s->mem, s->max);
}

void sp_str_clear(sp_str *s) {
  s->n = 0;
  s->status = SP_OK;
  if (s->cap > 0) {
    s->p[0] = '\0';
  }
}

bool sp_str_ok(const sp_str *s) {
  return s->status == SP_OK;
}

sp_status sp_str_status(const sp_str *s, sp_error *err) {
  if (s->status == SP_LIMIT) {
    return sp_error_set(err, SP_LIMIT, NULL, "a text passes its limit of %zu bytes", s->max);
  }
  return s->status == SP_NOMEM ? sp_error_nomem(err) : SP_OK;
}

/* Room for n more bytes and the NUL. */
static bool reserve(sp_str *s, size_t n) {
  if (s->status != SP_OK) {
    return false;
  }
  if (n < s->cap - s->n) {
    return true;
  }
  if (s->max < s->n || n > s->max - s->n || s->max == SIZE_MAX) {
    s->status = SP_LIMIT;
    return false;
  }
  size_t cap = s->n + n + 1;
  const size_t ahead = s->cap < 32 ? 64 : s->cap + s->cap / 2;
  cap = cap > ahead ? cap : ahead;
  cap =
      cap <= s->max ? cap : s->max + 1; /* no room past the maximum, so that the quick test above suffices */
  char *p = s->cap > 0 ? sp_mem_realloc(s->mem, s->p, s->cap, cap) : sp_mem_alloc(s->mem, cap);
  if (p == NULL) {
    s->status = SP_NOMEM;
    return false;
  }
  s->p = p;
  s->cap = cap;
  p[s->n] = '\0';
  return true;
}

void sp_str_addn(sp_str *s, const char *p, size_t n) {
  if (n == 0 || !reserve(s, n)) {
    return;
  }
  memcpy(s->p + s->n, p, n);
  s->n += n;
  s->p[s->n] = '\0';
}

void sp_str_add(sp_str *s, const char *text) {
  sp_str_addn(s, text, strlen(text));
}

void sp_str_addc(sp_str *s, char c) {
  sp_str_addn(s, &c, 1);
}

void sp_str_repeat(sp_str *s, const char *text, uint32_t times) {
  const size_t n = strlen(text);
  for (uint32_t i = 0; i < times && s->status == SP_OK; i++) {
    sp_str_addn(s, text, n);
  }
}

void sp_str_addf(sp_str *s, const char *fmt, ...) {
  char small[256];
  va_list ap;
  va_start(ap, fmt);
  const size_t n = sp_vsnprintf(small, sizeof small, fmt, ap);
  va_end(ap);
  if (n < sizeof small) {
    sp_str_addn(s, small, n);
  } else if (reserve(s, n)) {
    va_start(ap, fmt);
    sp_vsnprintf(s->p + s->n, n + 1, fmt, ap);
    va_end(ap);
    s->n += n;
  }
}

/* ---- numbers for people ---- */

/* value / unit with one decimal, rounded half up, in integers so that every machine prints the same. */
static uint64_t tenths(uint64_t value, uint64_t unit) {
  return value / unit * 10 + (uint64_t)(((__uint128_t)(value % unit) * 10 + unit / 2) / unit);
}

static uint64_t magnitude(int64_t v) {
  return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

typedef struct unit {
  const char *name;
  uint64_t size;
} unit;

/* The largest unit that leaves at least 1.0, looked at after rounding: 1023.96 KiB is 1.0 MiB. */
static void put_scaled(int64_t v, const unit *units, uint32_t n, char *out) {
  const uint64_t u = magnitude(v);
  const char *sign = v < 0 ? "-" : "";
  if (n == 0 || u < units[0].size) {
    return;
  }
  uint32_t i = 0;
  while (i + 1 < n && tenths(u, units[i].size) >= units[i + 1].size / units[i].size * 10) {
    i++;
  }
  const uint64_t t = tenths(u, units[i].size);
  sp_snprintf(out, SP_HUMAN_SIZE, "%s%llu.%llu %s", sign, (unsigned long long)(t / 10),
              (unsigned long long)(t % 10), units[i].name);
}

void sp_human_bytes(int64_t bytes, char out[SP_HUMAN_SIZE]) {
  static const unit units[] = {{"KiB", UINT64_C(1) << 10}, {"MiB", UINT64_C(1) << 20},
                               {"GiB", UINT64_C(1) << 30}, {"TiB", UINT64_C(1) << 40},
                               {"PiB", UINT64_C(1) << 50}, {"EiB", UINT64_C(1) << 60}};
  sp_snprintf(out, SP_HUMAN_SIZE, "%lld B", (long long)bytes);
  put_scaled(bytes, units, sizeof units / sizeof *units, out);
}

void sp_human_ns(int64_t ns, char out[SP_HUMAN_SIZE]) {
  static const unit units[] = {{"µs", 1000}, {"ms", 1000000}, {"s", 1000000000}};
  const uint64_t s = magnitude(ns) / UINT64_C(1000000000);
  const char *sign = ns < 0 ? "-" : "";
  if (s >= 3600) {
    sp_snprintf(out, SP_HUMAN_SIZE, "%s%llu h %llu min", sign, (unsigned long long)(s / 3600),
                (unsigned long long)(s / 60 % 60));
  } else if (s >= 120) {
    sp_snprintf(out, SP_HUMAN_SIZE, "%s%llu min %llu s", sign, (unsigned long long)(s / 60),
                (unsigned long long)(s % 60));
  } else {
    sp_snprintf(out, SP_HUMAN_SIZE, "%lld ns", (long long)ns);
    put_scaled(ns, units, sizeof units / sizeof *units, out);
  }
}

void sp_human_count(int64_t n, char out[SP_HUMAN_SIZE]) {
  char digits[24];
  const size_t len = sp_snprintf(digits, sizeof digits, "%llu", (unsigned long long)magnitude(n));
  char *p = out;
  if (n < 0) {
    *p++ = '-';
  }
  for (size_t i = 0; i < len; i++) {
    if (i > 0 && (len - i) % 3 == 0) {
      *p++ = ',';
    }
    *p++ = digits[i];
  }
  *p = '\0';
}
