/* The type table: one interned object per type.
 *
 * Types without parameters, and datetime and duration without a zone, are static tables. The 1,482 wide and
 * narrow decimals are 100 KiB that most runs never look at, so they are filled in on first use. Datetimes
 * with a zone are the only open-ended set: a list under a mutex, from plain malloc, since they outlive every
 * query's accounts.
 *
 * Example: sp_type_parse("decimal(15, 2)") == sp_type_decimal(15, 2), whose name is "decimal(15,2)". */
#include "data/type.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DECIMAL_MAX 38
#define NARROW_DECIMAL_MAX 18
#define ZONE_MAX 64
#define ZONED_TYPES_MAX 4096

static const sp_type simple_types[SP_KIND_COUNT] = {
#define SP_KIND(e, kind_name, physical, bytes, fam)                                                          \
  [SP_KIND_##e] = {.kind = SP_KIND_##e,                                                                      \
                   .phys = SP_PHYS_##physical,                                                               \
                   .family = SP_FAMILY_##fam,                                                                \
                   .width = bytes,                                                                           \
                   .name = kind_name},
#include "data/types.def"
#undef SP_KIND
};

#define UNIT_TYPE(k, u, text)                                                                                \
  [SP_UNIT_##u] = {.kind = SP_KIND_##k,                                                                      \
                   .phys = SP_PHYS_I64,                                                                      \
                   .family = SP_FAMILY_TEMPORAL,                                                             \
                   .width = 8,                                                                               \
                   .unit = SP_UNIT_##u,                                                                      \
                   .name = text}
static const sp_type datetime_types[] = {UNIT_TYPE(DATETIME, MS, "datetime(ms)"),
                                         UNIT_TYPE(DATETIME, US, "datetime(us)"),
                                         UNIT_TYPE(DATETIME, NS, "datetime(ns)")};
static const sp_type duration_types[] = {UNIT_TYPE(DURATION, MS, "duration(ms)"),
                                         UNIT_TYPE(DURATION, US, "duration(us)"),
                                         UNIT_TYPE(DURATION, NS, "duration(ns)")};
#undef UNIT_TYPE

static const char unit_names[][3] = {"", "ms", "us", "ns"};

const sp_type *sp_type_of(sp_kind k) {
  if ((unsigned)k >= SP_KIND_COUNT || k == SP_KIND_DECIMAL) {
    return NULL;
  }
  if (k == SP_KIND_DATETIME) {
    return &datetime_types[SP_UNIT_US];
  }
  if (k == SP_KIND_DURATION) {
    return &duration_types[SP_UNIT_US];
  }
  return &simple_types[k];
}

/* ---- decimals ---- */
static sp_type decimal_types[DECIMAL_MAX][DECIMAL_MAX + 1];
static char decimal_names[DECIMAL_MAX][DECIMAL_MAX + 1][16];
static pthread_once_t decimal_once = PTHREAD_ONCE_INIT;

static void decimals_fill(void) {
  for (uint32_t p = 1; p <= DECIMAL_MAX; p++) {
    for (uint32_t s = 0; s <= p; s++) {
      char *name = decimal_names[p - 1][s];
      snprintf(name, sizeof decimal_names[0][0], "decimal(%u,%u)", p & 63, s & 63);
      const bool narrow = p <= NARROW_DECIMAL_MAX;
      decimal_types[p - 1][s] = (sp_type){.kind = SP_KIND_DECIMAL,
                                          .phys = narrow ? SP_PHYS_I64 : SP_PHYS_I128,
                                          .family = SP_FAMILY_DECIMAL,
                                          .width = narrow ? 8 : 16,
                                          .precision = (uint8_t)p,
                                          .scale = (uint8_t)s,
                                          .name = name};
    }
  }
}

const sp_type *sp_type_decimal(uint32_t precision, uint32_t scale) {
  if (precision < 1 || precision > DECIMAL_MAX || scale > precision) {
    return NULL;
  }
  pthread_once(&decimal_once, decimals_fill);
  return &decimal_types[precision - 1][scale];
}

/* ---- datetimes and durations ---- */
typedef struct zoned_type {
  sp_type type;
  struct zoned_type *next;
  char zone[ZONE_MAX + 1];
  char name[ZONE_MAX + 24];
} zoned_type;
static pthread_mutex_t zoned_lock = PTHREAD_MUTEX_INITIALIZER;
static zoned_type *zoned_first;
static uint32_t n_zoned;

/* A zone is printed between quotes in the type's name, which must read back. */
static bool zone_ok(const char *zone, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if ((unsigned char)zone[i] < 0x20 || zone[i] == '\'' || zone[i] == 0x7f) {
      return false;
    }
  }
  return n <= ZONE_MAX;
}

static const sp_type *zoned(sp_unit u, const char *zone) {
  for (zoned_type *z = zoned_first; z != NULL; z = z->next) {
    if (z->type.unit == u && strcmp(z->zone, zone) == 0) {
      return &z->type;
    }
  }
  zoned_type *z = n_zoned < ZONED_TYPES_MAX ? malloc(sizeof *z) : NULL;
  if (z == NULL) {
    return NULL;
  }
  z->type = datetime_types[u];
  snprintf(z->zone, sizeof z->zone, "%s", zone);
  snprintf(z->name, sizeof z->name, "datetime(%s, '%s')", unit_names[u], z->zone);
  z->type.zone = z->zone;
  z->type.name = z->name;
  z->next = zoned_first;
  zoned_first = z;
  n_zoned++;
  return &z->type;
}

const sp_type *sp_type_datetime(sp_unit u, const char *zone) {
  if (u != SP_UNIT_MS && u != SP_UNIT_US && u != SP_UNIT_NS) {
    return NULL;
  }
  if (zone == NULL || zone[0] == '\0') {
    return &datetime_types[u];
  }
  if (!zone_ok(zone, strnlen(zone, ZONE_MAX + 1))) {
    return NULL;
  }
  pthread_mutex_lock(&zoned_lock);
  const sp_type *t = zoned(u, zone);
  pthread_mutex_unlock(&zoned_lock);
  return t;
}

const sp_type *sp_type_duration(sp_unit u) {
  return u == SP_UNIT_MS || u == SP_UNIT_US || u == SP_UNIT_NS ? &duration_types[u] : NULL;
}

int64_t sp_unit_per_second(sp_unit u) {
  return u == SP_UNIT_MS ? 1000 : u == SP_UNIT_US ? 1000000 : u == SP_UNIT_NS ? 1000000000 : 1;
}

/* ---- names ---- */
static bool word_is(sp_sv s, const char *word) {
  return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static void skip_space(sp_sv *s) {
  while (s->n > 0 && (*s->p == ' ' || *s->p == '\t')) {
    s->p++;
    s->n--;
  }
}

static bool take_char(sp_sv *s, char c) {
  skip_space(s);
  if (s->n == 0 || *s->p != c) {
    return false;
  }
  s->p++;
  s->n--;
  return true;
}

static sp_sv take_word(sp_sv *s) {
  skip_space(s);
  sp_sv w = {s->p, 0};
  while (w.n < s->n && ((w.p[w.n] >= 'a' && w.p[w.n] <= 'z') || (w.p[w.n] >= 'A' && w.p[w.n] <= 'Z') ||
                        (w.p[w.n] >= '0' && w.p[w.n] <= '9') || w.p[w.n] == '_')) {
    w.n++;
  }
  s->p += w.n;
  s->n -= w.n;
  return w;
}

/* "decimal(P)" is "decimal(P, 0)". */
static const sp_type *parse_decimal_type(sp_sv args) {
  uint32_t v[2] = {0, 0};
  for (uint32_t i = 0; i < 2; i++) {
    const sp_sv w = take_word(&args);
    if (w.n < 1 || w.n > 2) {
      return NULL;
    }
    for (size_t k = 0; k < w.n; k++) {
      if (w.p[k] < '0' || w.p[k] > '9') {
        return NULL;
      }
      v[i] = v[i] * 10 + (uint32_t)(w.p[k] - '0');
    }
    if (!take_char(&args, ',')) {
      break;
    }
    if (i == 1) {
      return NULL;
    }
  }
  skip_space(&args);
  return args.n == 0 ? sp_type_decimal(v[0], v[1]) : NULL;
}

static const sp_type *parse_unit_type(bool is_datetime, sp_sv args) {
  const sp_sv w = take_word(&args);
  sp_unit u = SP_UNIT_NONE;
  for (sp_unit k = SP_UNIT_MS; k <= SP_UNIT_NS; k++) {
    if (word_is(w, unit_names[k])) {
      u = k;
    }
  }
  char zone[ZONE_MAX + 1] = "";
  if (is_datetime && take_char(&args, ',')) {
    if (!take_char(&args, '\'')) {
      return NULL;
    }
    const char *end = memchr(args.p, '\'', args.n);
    const size_t n = end != NULL ? (size_t)(end - args.p) : 0;
    if (n == 0 || n > ZONE_MAX || memchr(args.p, '\0', n) != NULL) {
      return NULL;
    }
    memcpy(zone, args.p, n);
    args.p += n + 1;
    args.n -= n + 1;
  }
  skip_space(&args);
  if (args.n != 0) {
    return NULL;
  }
  return is_datetime ? sp_type_datetime(u, zone) : sp_type_duration(u);
}

const sp_type *sp_type_parse(sp_sv name) {
  /* The second half are SQL's names, as people write them in CAST. */
  static const struct {
    const char *word;
    sp_kind kind;
  } aliases[] = {{"int", SP_KIND_INT64},         {"float", SP_KIND_FLOAT64},  {"str", SP_KIND_STRING},
                 {"integer", SP_KIND_INT64},     {"bigint", SP_KIND_INT64},   {"smallint", SP_KIND_INT16},
                 {"tinyint", SP_KIND_INT8},      {"double", SP_KIND_FLOAT64}, {"real", SP_KIND_FLOAT32},
                 {"boolean", SP_KIND_BOOL},      {"varchar", SP_KIND_STRING}, {"text", SP_KIND_STRING},
                 {"bytes", SP_KIND_BINARY},      {"blob", SP_KIND_BINARY},    {"utf8", SP_KIND_STRING},
                 {"timestamp", SP_KIND_DATETIME}};
  const sp_sv word = take_word(&name);
  if (take_char(&name, '(')) {
    while (name.n > 0 && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t')) {
      name.n--;
    }
    if (name.n == 0 || name.p[name.n - 1] != ')') {
      return NULL;
    }
    name.n--;
    if (word_is(word, "decimal") || word_is(word, "numeric")) {
      return parse_decimal_type(name);
    }
    if (word_is(word, "datetime") || word_is(word, "timestamp")) {
      return parse_unit_type(true, name);
    }
    return word_is(word, "duration") ? parse_unit_type(false, name) : NULL;
  }
  if (name.n != 0) {
    return NULL;
  }
  for (uint32_t k = 0; k < SP_KIND_COUNT; k++) {
    if (word_is(word, simple_types[k].name)) {
      return sp_type_of((sp_kind)k);
    }
  }
  for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
    if (word_is(word, aliases[i].word)) {
      return sp_type_of(aliases[i].kind);
    }
  }
  return NULL;
}

/* ---- common types ---- */
static const sp_type *signed_of_width(uint32_t width) {
  return sp_type_of(width == 1   ? SP_KIND_INT8
                    : width == 2 ? SP_KIND_INT16
                    : width == 4 ? SP_KIND_INT32
                                 : SP_KIND_INT64);
}

static const sp_type *common_int(const sp_type *a, const sp_type *b) {
  if (a->family == b->family) {
    return a->width >= b->width ? a : b;
  }
  const sp_type *s = a->family == SP_FAMILY_SIGNED ? a : b;
  const sp_type *u = a->family == SP_FAMILY_SIGNED ? b : a;
  if (u->width == 8) {
    return sp_type_of(SP_KIND_FLOAT64);
  }
  return s->width > u->width ? s : signed_of_width(u->width * 2);
}

static const sp_type *common_float(const sp_type *a, const sp_type *b) {
  const sp_type *f = sp_type_is_float(a) ? a : b;
  const sp_type *o = f == a ? b : a;
  /* 16 bits are exact in a float's 24. */
  return f->width == 4 && sp_type_is_int(o) && o->width <= 2 ? f : sp_type_of(SP_KIND_FLOAT64);
}

/* Digits before the point. */
static uint32_t whole_digits(const sp_type *t) {
  if (t->family == SP_FAMILY_DECIMAL) {
    return (uint32_t)t->precision - t->scale;
  }
  return t->width == 1 ? 3 : t->width == 2 ? 5 : t->width == 4 ? 10 : t->family == SP_FAMILY_SIGNED ? 19 : 20;
}

static const sp_type *common_decimal(const sp_type *a, const sp_type *b) {
  const uint32_t wa = whole_digits(a), wb = whole_digits(b);
  const uint32_t scale = a->scale > b->scale ? a->scale : b->scale;
  const uint32_t p = (wa > wb ? wa : wb) + scale;
  return sp_type_decimal(p < DECIMAL_MAX ? p : DECIMAL_MAX, scale);
}

static const sp_type *common_temporal(const sp_type *a, const sp_type *b) {
  if (a->kind == SP_KIND_DATE && b->kind == SP_KIND_DATETIME) {
    return b;
  }
  if (a->kind == SP_KIND_DATETIME && b->kind == SP_KIND_DATE) {
    return a;
  }
  if (a->kind != b->kind || (a->kind != SP_KIND_DATETIME && a->kind != SP_KIND_DURATION)) {
    return NULL;
  }
  const bool same_zone =
      a->zone == NULL || b->zone == NULL ? a->zone == b->zone : strcmp(a->zone, b->zone) == 0;
  return !same_zone ? NULL : a->unit >= b->unit ? a : b;
}

const sp_type *sp_type_common(const sp_type *a, const sp_type *b) {
  if (a == b || b->kind == SP_KIND_NULL) {
    return a;
  }
  if (a->kind == SP_KIND_NULL) {
    return b;
  }
  if (sp_type_is_numeric(a) && sp_type_is_numeric(b)) {
    if (sp_type_is_float(a) || sp_type_is_float(b)) {
      return common_float(a, b);
    }
    return sp_type_is_int(a) && sp_type_is_int(b) ? common_int(a, b) : common_decimal(a, b);
  }
  return a->family == SP_FAMILY_TEMPORAL && b->family == SP_FAMILY_TEMPORAL ? common_temporal(a, b) : NULL;
}

/* ---- views ---- */
int sp_view_cmp(const sp_view *a, const sp_view *b) {
  uint32_t pa, pb;
  memcpy(&pa, a->inl, 4);
  memcpy(&pb, b->inl, 4);
  if (pa != pb) {
    return __builtin_bswap32(pa) < __builtin_bswap32(pb) ? -1 : 1;
  }
  const uint32_t n = a->n < b->n ? a->n : b->n;
  const int c = n > 4 ? memcmp(sp_view_ptr(a) + 4, sp_view_ptr(b) + 4, n - 4) : 0;
  return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}
