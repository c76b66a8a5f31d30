/* The report as JSON, in both directions from one table per struct, so that writer and reader cannot drift
 * apart: a row says the key, the kind and where the value is in the struct. Absent strings and empty arrays
 * are left out; unknown keys of newer minor versions are passed over; a newer `format` is refused.
 *
 *   {"sigmapi_report": 1, "title": "q03.json", "metric_names": [...], "plans": [{"stage": "resolved",
 * "nodes": [...]}], …} */
#include "report/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "report/ids.h"

typedef enum kind {
  K_STR,  /* const char *; absent when NULL */
  K_JSON, /* const char *, already JSON; absent when NULL */
  K_U32,
  K_I32,
  K_I64,
  K_F64, /* -1 is written as it is */
  K_BOOL,
  K_ENUM, /* unsigned, below max */
  K_RICH, /* sp_rich */
  K_OBJ,  /* a struct in place */
  K_OBJS, /* array of structs with a count */
  K_STRS, /* array of const char *, null allowed */
  K_U32S,
  K_I64S,
  K_BOOLS,
  K_MATRIX /* int64, count × (count2, or the report's metrics when count2 is 0) */
} kind;

typedef struct field field;
typedef struct desc {
  size_t size;
  const field *fields;
} desc;
struct field {
  const char *key;
  kind kind;
  size_t at, count, count2; /* offsets; count of arrays is a uint32_t */
  const desc *of;           /* OBJ, OBJS */
  uint32_t max;             /* ENUM */
};

#define END                                                                                                  \
  { NULL, K_STR, 0, 0, 0, NULL, 0 }
#define STR(T, f)                                                                                            \
  { #f, K_STR, offsetof(T, f), 0, 0, NULL, 0 }
#define NUM(T, f, k)                                                                                         \
  { #f, k, offsetof(T, f), 0, 0, NULL, 0 }
#define ENUM(T, f, m)                                                                                        \
  { #f, K_ENUM, offsetof(T, f), 0, 0, NULL, m }
#define RICH(T, f)                                                                                           \
  { #f, K_RICH, offsetof(T, f), 0, 0, NULL, 0 }
#define ARR(T, f, n, k)                                                                                      \
  { #f, k, offsetof(T, f), offsetof(T, n), 0, NULL, 0 }
#define OBJS(T, f, n, d)                                                                                     \
  { #f, K_OBJS, offsetof(T, f), offsetof(T, n), 0, d, 0 }
#define OBJ(T, f, d)                                                                                         \
  { #f, K_OBJ, offsetof(T, f), 0, 0, d, 0 }

#define T sp_report_detail
static const desc d_detail = {sizeof(T), (const field[]){STR(T, key), RICH(T, value), NUM(T, brief, K_BOOL),
                                                         NUM(T, tree, K_JSON), END}};
#undef T
#define T sp_report_field
static const desc d_field = {sizeof(T), (const field[]){STR(T, name), STR(T, type), END}};
#undef T
#define T sp_report_node
static const desc d_node = {sizeof(T), (const field[]){STR(T, id),
                                                       STR(T, op),
                                                       STR(T, symbol),
                                                       STR(T, title),
                                                       RICH(T, headline),
                                                       STR(T, note),
                                                       OBJS(T, details, n_details, &d_detail),
                                                       ARR(T, inputs, n_inputs, K_U32S),
                                                       ARR(T, input_labels, n_inputs, K_STRS),
                                                       OBJS(T, fields, n_fields, &d_field),
                                                       ARR(T, origin, n_origin, K_STRS),
                                                       NUM(T, is_source, K_BOOL),
                                                       NUM(T, is_sink, K_BOOL),
                                                       NUM(T, is_output, K_BOOL),
                                                       STR(T, output_name),
                                                       NUM(T, columns_read, K_I64),
                                                       NUM(T, columns_total, K_I64),
                                                       RICH(T, pushed_predicate),
                                                       NUM(T, pushed_rows, K_I64),
                                                       NUM(T, consumers, K_U32),
                                                       ENUM(T, sharing, 3),
                                                       NUM(T, est_rows, K_F64),
                                                       STR(T, error),
                                                       END}};
#undef T
#define T sp_report_output
static const desc d_output = {sizeof(T), (const field[]){STR(T, name), NUM(T, node, K_U32), END}};
#undef T
#define T sp_report_plan
static const desc d_plan = {sizeof(T),
                            (const field[]){STR(T, stage), STR(T, label), OBJS(T, nodes, n_nodes, &d_node),
                                            OBJS(T, outputs, n_outputs, &d_output), END}};
#undef T
#define T sp_report_fact
static const desc d_fact = {sizeof(T),
                            (const field[]){STR(T, kind), STR(T, action), STR(T, rule), RICH(T, text),
                                            STR(T, from), STR(T, to), STR(T, reason),
                                            NUM(T, from_node, K_I32), NUM(T, to_node, K_I32), END}};
#undef T
#define T sp_report_firing
static const desc d_firing = {sizeof(T), (const field[]){STR(T, pass), STR(T, rule), NUM(T, round, K_U32),
                                                         ARR(T, before, n_before, K_STRS),
                                                         ARR(T, after, n_after, K_STRS),
                                                         OBJS(T, facts, n_facts, &d_fact), END}};
#undef T
#define T sp_report_pass
static const desc d_pass = {sizeof(T), (const field[]){STR(T, pass), STR(T, rule), NUM(T, round, K_U32),
                                                       NUM(T, firings, K_U32), NUM(T, wall_ns, K_I64), END}};
#undef T
#define T sp_report_trace
static const desc d_trace = {sizeof(T), (const field[]){STR(T, profile), OBJS(T, passes, n_passes, &d_pass),
                                                        OBJS(T, firings, n_firings, &d_firing),
                                                        OBJS(T, facts, n_facts, &d_fact),
                                                        OBJS(T, blockers, n_blockers, &d_fact),
                                                        NUM(T, capped, K_BOOL), NUM(T, wall_ns, K_I64), END}};
#undef T
#define T sp_report_activity
static const desc d_activity = {sizeof(T), (const field[]){NUM(T, pipeline, K_U32), NUM(T, worker, K_U32),
                                                           NUM(T, start_ns, K_I64), NUM(T, end_ns, K_I64),
                                                           NUM(T, rows, K_I64), END}};
#undef T
#define T sp_report_pipeline
static const desc d_pipeline = {sizeof(T),
                                (const field[]){STR(T, name), ARR(T, nodes, n_nodes, K_U32S), END}};
#undef T
#define T sp_report_run
static const desc d_run = {sizeof(T), (const field[]){NUM(T, plan, K_U32),
                                                      STR(T, profile),
                                                      STR(T, outcome),
                                                      STR(T, error),
                                                      ARR(T, cut, n_nodes, K_BOOLS),
                                                      ARR(T, metrics, n_nodes, K_MATRIX),
                                                      NUM(T, wall_ns, K_I64),
                                                      NUM(T, cpu_ns, K_I64),
                                                      NUM(T, peak_bytes, K_I64),
                                                      NUM(T, rows_scanned, K_I64),
                                                      NUM(T, rows_returned, K_I64),
                                                      NUM(T, rss_before, K_I64),
                                                      NUM(T, rss_peak, K_I64),
                                                      NUM(T, rss_after, K_I64),
                                                      NUM(T, allocator_kept, K_I64),
                                                      NUM(T, returned_bytes, K_I64),
                                                      NUM(T, threads, K_U32),
                                                      ARR(T, sample_at_ns, n_samples, K_I64S),
                                                      ARR(T, sample_rss, n_samples, K_I64S),
                                                      {"sample_live", K_MATRIX, offsetof(T, sample_live),
                                                       offsetof(T, n_samples), offsetof(T, n_nodes), NULL, 0},
                                                      OBJS(T, activity, n_activity, &d_activity),
                                                      OBJS(T, pipelines, n_pipelines, &d_pipeline),
                                                      END}};
#undef T
#define T sp_report_match
static const desc d_match = {sizeof(T),
                             (const field[]){NUM(T, plan_a, K_U32), NUM(T, a, K_U32), NUM(T, plan_b, K_U32),
                                             NUM(T, b, K_U32), STR(T, kind), NUM(T, same_rows, K_BOOL), END}};
#undef T
#define T sp_report
static const desc d_report = {
    sizeof(T), (const field[]){STR(T, title), ARR(T, metric_names, n_metrics, K_STRS),
                               OBJS(T, plans, n_plans, &d_plan), OBJ(T, trace, &d_trace),
                               OBJS(T, runs, n_runs, &d_run), OBJS(T, matches, n_matches, &d_match), END}};
#undef T

static uint32_t count_at(const void *base, size_t at) {
  uint32_t n;
  memcpy(&n, (const char *)base + at, sizeof n);
  return n;
}

/* ---- writing ---- */
static void write_rich(sp_jw *w, const char *key, const sp_rich *r) {
  if (r->text == NULL) {
    return;
  }
  sp_jw_key(w, key);
  sp_jw_open(w, '{');
  sp_jw_key(w, "text");
  sp_jw_cstr(w, r->text);
  if (r->n_spans > 0) {
    sp_jw_key(w, "spans"); /* flat: position, length, kind */
    sp_jw_open(w, '[');
    for (uint32_t i = 0; i < r->n_spans; i++) {
      sp_jw_uint(w, r->spans[i].pos);
      sp_jw_uint(w, r->spans[i].len);
      sp_jw_uint(w, (uint64_t)r->spans[i].kind);
    }
    sp_jw_close(w, ']');
  }
  sp_jw_close(w, '}');
}

static void write_struct(sp_jw *w, const desc *d, const void *base, const sp_report *r);

static void write_array(sp_jw *w, const field *f, const void *base, const sp_report *r) {
  const void *p = *(const void *const *)(const void *)((const char *)base + f->at);
  size_t n = count_at(base, f->count);
  if (f->kind == K_MATRIX) {
    n *= f->count2 > 0 ? count_at(base, f->count2) : r->n_metrics;
  }
  if (n == 0 || p == NULL) {
    return;
  }
  sp_jw_key(w, f->key);
  sp_jw_open(w, '[');
  for (size_t i = 0; i < n; i++) {
    if (f->kind == K_OBJS) {
      write_struct(w, f->of, (const char *)p + i * f->of->size, r);
    } else if (f->kind == K_STRS) {
      const char *s = ((const char *const *)p)[i];
      s != NULL ? sp_jw_cstr(w, s) : sp_jw_null(w);
    } else if (f->kind == K_U32S) {
      sp_jw_uint(w, ((const uint32_t *)p)[i]);
    } else if (f->kind == K_BOOLS) {
      sp_jw_bool(w, ((const bool *)p)[i]);
    } else {
      sp_jw_int(w, ((const int64_t *)p)[i]);
    }
  }
  sp_jw_close(w, ']');
}

static void write_field(sp_jw *w, const field *f, const void *base, const sp_report *r) {
  const char *at = (const char *)base + f->at;
  switch (f->kind) {
  case K_STR:
    if (*(const char *const *)(const void *)at != NULL) {
      sp_jw_key(w, f->key);
      sp_jw_cstr(w, *(const char *const *)(const void *)at);
    }
    break;
  case K_JSON:
    if (*(const char *const *)(const void *)at != NULL) {
      sp_jw_key(w, f->key);
      sp_jw_raw(w, *(const char *const *)(const void *)at);
    }
    break;
  case K_U32:
  case K_ENUM:
    sp_jw_key(w, f->key);
    sp_jw_uint(w, *(const uint32_t *)(const void *)at);
    break;
  case K_I32:
    sp_jw_key(w, f->key);
    sp_jw_int(w, *(const int32_t *)(const void *)at);
    break;
  case K_I64:
    sp_jw_key(w, f->key);
    sp_jw_int(w, *(const int64_t *)(const void *)at);
    break;
  case K_F64:
    sp_jw_key(w, f->key);
    sp_jw_double(w, *(const double *)(const void *)at);
    break;
  case K_BOOL:
    if (*(const bool *)at) {
      sp_jw_key(w, f->key);
      sp_jw_bool(w, true);
    }
    break;
  case K_RICH:
    write_rich(w, f->key, (const sp_rich *)(const void *)at);
    break;
  case K_OBJ:
    sp_jw_key(w, f->key);
    write_struct(w, f->of, at, r);
    break;
  case K_OBJS:
  case K_STRS:
  case K_U32S:
  case K_I64S:
  case K_BOOLS:
  case K_MATRIX:
    write_array(w, f, base, r);
    break;
  }
}

static void write_struct(sp_jw *w, const desc *d, const void *base, const sp_report *r) {
  sp_jw_open(w, '{');
  for (const field *f = d->fields; f->key != NULL; f++) {
    write_field(w, f, base, r);
  }
  sp_jw_close(w, '}');
}

void sp_report_to_json(const sp_report *r, sp_str *out) {
  sp_jw w;
  sp_jw_init(&w, out, true);
  w.inline_from = 4;
  sp_jw_open(&w, '{');
  sp_jw_key(&w, "sigmapi_report");
  sp_jw_int(&w, r->format);
  for (const field *f = d_report.fields; f->key != NULL; f++) {
    write_field(&w, f, r, r);
  }
  sp_jw_close(&w, '}');
  sp_str_addc(out, '\n');
}

/* ---- reading ---- */
typedef struct reader {
  const sp_json_doc *doc;
  sp_arena *arena;
  sp_report *report;
  sp_error *err;
} reader;

__attribute__((format(printf, 3, 4))) static sp_status fail(reader *r, const sp_json *v, const char *fmt,
                                                            ...) {
  char text[160];
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  const sp_loc loc = sp_json_loc(r->doc, v, r->arena);
  return sp_error_set(r->err, SP_INVALID, &loc, "%s", text);
}

static sp_status want(reader *r, const sp_json *v, sp_json_kind k) {
  return v->kind == k ? SP_OK
                      : fail(r, v, "expected %s, got %s", sp_json_kind_name(k), sp_json_kind_name(v->kind));
}

static sp_status read_int(reader *r, const sp_json *v, int64_t min, int64_t max, int64_t *ret) {
  SP_TRY(want(r, v, SP_JSON_INT));
  if (v->i < min || v->i > max) {
    return fail(r, v, "number out of range");
  }
  *ret = v->i;
  return SP_OK;
}

/* Everybody behind this takes texts as C strings. */
static sp_status read_text(reader *r, const sp_json *v, const char **ret) {
  SP_TRY(want(r, v, SP_JSON_STRING));
  if (memchr(v->str.p, '\0', v->str.n) != NULL) {
    return fail(r, v, "a text of a report has no NUL");
  }
  *ret = v->str.p;
  return SP_OK;
}

static sp_status read_rich(reader *r, const sp_json *v, sp_rich *out) {
  SP_TRY(want(r, v, SP_JSON_OBJECT));
  const sp_json *text = sp_json_get(v, "text"), *spans = sp_json_get(v, "spans");
  if (text == NULL) {
    return fail(r, v, "missing `text`");
  }
  SP_TRY(read_text(r, text, &out->text));
  if (spans == NULL) {
    return SP_OK;
  }
  const bool packed = spans->kind == SP_JSON_INTS;
  if (!packed) {
    SP_TRY(want(r, spans, SP_JSON_ARRAY));
  }
  const size_t n = packed ? spans->str.n : spans->n;
  if (n % 3 != 0) {
    return fail(r, spans, "spans are threes of position, length and kind");
  }
  sp_span *s = SP_ARENA_ARRAY(r->arena, sp_span, n / 3 + 1);
  SP_TRY_ALLOC(r->err, s);
  const sp_json *at = packed ? NULL : spans->first;
  uint32_t end = 0;
  for (size_t i = 0; i < n; i += 3) {
    int64_t x[3] = {0};
    for (int k = 0; k < 3; k++) {
      if (packed) {
        x[k] = (unsigned char)spans->str.p[i + (size_t)k];
      } else {
        SP_TRY(read_int(r, at, 0, UINT32_MAX, &x[k]));
        at = at->next;
      }
    }
    if (x[0] < end || x[0] + x[1] > (int64_t)text->str.n || x[2] > SP_SPAN_TYPE) {
      return fail(r, spans, "spans must be ascending, inside the text and of a known kind");
    }
    end = (uint32_t)(x[0] + x[1]);
    s[i / 3] = (sp_span){(uint32_t)x[0], (uint32_t)x[1], (sp_span_kind)x[2]};
  }
  out->spans = s;
  out->n_spans = (uint32_t)(n / 3);
  return SP_OK;
}

static sp_status read_struct(reader *r, const desc *d, const sp_json *v, void *base);

static size_t element_size(const field *f) {
  switch (f->kind) {
  case K_OBJS:
    return f->of->size;
  case K_STRS:
    return sizeof(char *);
  case K_U32S:
    return sizeof(uint32_t);
  case K_BOOLS:
    return sizeof(bool);
  case K_I64S:
  case K_MATRIX:
  case K_STR:
  case K_JSON:
  case K_U32:
  case K_I32:
  case K_I64:
  case K_F64:
  case K_BOOL:
  case K_ENUM:
  case K_RICH:
  case K_OBJ:
    break;
  }
  return sizeof(int64_t);
}

static sp_status read_element(reader *r, const field *f, const sp_json *v, void *slot) {
  int64_t i = 0;
  if (f->kind == K_OBJS) {
    return read_struct(r, f->of, v, slot);
  }
  if (f->kind == K_STRS) {
    return v->kind == SP_JSON_NULL ? SP_OK : read_text(r, v, (const char **)slot);
  }
  if (f->kind == K_BOOLS) {
    SP_TRY(want(r, v, SP_JSON_BOOL));
    *(bool *)slot = v->b;
    return SP_OK;
  }
  if (f->kind == K_U32S) {
    SP_TRY(read_int(r, v, 0, UINT32_MAX, &i));
    *(uint32_t *)slot = (uint32_t)i;
    return SP_OK;
  }
  SP_TRY(read_int(r, v, INT64_MIN, INT64_MAX, &i));
  *(int64_t *)slot = i;
  return SP_OK;
}

static sp_status read_array(reader *r, const field *f, const sp_json *v, void *base) {
  const bool packed = v->kind == SP_JSON_INTS && f->kind != K_OBJS && f->kind != K_STRS && f->kind != K_BOOLS;
  if (!packed) {
    SP_TRY(want(r, v, SP_JSON_ARRAY));
  }
  const size_t n = packed ? v->str.n : v->n, size = element_size(f);
  char *p = sp_arena_array(r->arena, n + 1, size);
  SP_TRY_ALLOC(r->err, p);
  const sp_json *at = packed ? NULL : v->first;
  for (size_t i = 0; i < n; i++) {
    if (packed && f->kind == K_U32S) {
      ((uint32_t *)(void *)p)[i] = (unsigned char)v->str.p[i];
    } else if (packed) {
      ((int64_t *)(void *)p)[i] = (unsigned char)v->str.p[i];
    } else {
      SP_TRY(read_element(r, f, at, p + i * size));
      at = at->next;
    }
  }
  memcpy((char *)base + f->at, &p, sizeof p);
  if (f->kind == K_MATRIX) {
    return SP_OK;
  }
  const uint32_t now = (uint32_t)n;
  memcpy((char *)base + f->count, &now, sizeof now); /* check_counts compares when all are read */
  return SP_OK;
}

static sp_status read_field(reader *r, const field *f, const sp_json *v, void *base) {
  char *at = (char *)base + f->at;
  int64_t i = 0;
  switch (f->kind) {
  case K_STR:
    if (v->kind == SP_JSON_NULL) {
      return SP_OK;
    }
    return read_text(r, v, (const char **)(void *)at);
  case K_JSON:
    *(const char **)(void *)at = sp_arena_strndup(r->arena, r->doc->text + v->offset, v->end - v->offset);
    return *(const char **)(void *)at != NULL ? SP_OK : sp_error_nomem(r->err);
  case K_U32:
  case K_ENUM:
    SP_TRY(read_int(r, v, 0, f->kind == K_ENUM ? (int64_t)f->max - 1 : UINT32_MAX, &i));
    *(uint32_t *)(void *)at = (uint32_t)i;
    return SP_OK;
  case K_I32:
    SP_TRY(read_int(r, v, INT32_MIN, INT32_MAX, &i));
    *(int32_t *)(void *)at = (int32_t)i;
    return SP_OK;
  case K_I64:
    return read_int(r, v, INT64_MIN, INT64_MAX, (int64_t *)(void *)at);
  case K_F64:
    if (v->kind != SP_JSON_NUMBER && v->kind != SP_JSON_INT && v->kind != SP_JSON_UINT) {
      return fail(r, v, "expected a number, got %s", sp_json_kind_name(v->kind));
    }
    *(double *)(void *)at = isfinite(v->num) ? v->num : -1;
    return SP_OK;
  case K_BOOL:
    SP_TRY(want(r, v, SP_JSON_BOOL));
    *(bool *)at = v->b;
    return SP_OK;
  case K_RICH:
    return read_rich(r, v, (sp_rich *)(void *)at);
  case K_OBJ:
    return read_struct(r, f->of, v, at);
  case K_OBJS:
  case K_STRS:
  case K_U32S:
  case K_I64S:
  case K_BOOLS:
  case K_MATRIX:
    return read_array(r, f, v, base);
  }
  return SP_OK;
}

/* What is not known is -1, not 0. */
static void set_absent(const field *f, void *base) {
  char *at = (char *)base + f->at;
  if (f->kind == K_I64) {
    *(int64_t *)(void *)at = -1;
  } else if (f->kind == K_I32) {
    *(int32_t *)(void *)at = -1;
  } else if (f->kind == K_F64) {
    *(double *)(void *)at = -1;
  }
}

static size_t length(const sp_json *v, const field *f) {
  const sp_json *member = sp_json_get(v, f->key);
  return member == NULL ? 0 : member->kind == SP_JSON_INTS ? member->str.n : member->n;
}

static bool has_count(const field *f) {
  return f->kind == K_OBJS || f->kind == K_STRS || f->kind == K_U32S || f->kind == K_I64S ||
         f->kind == K_BOOLS;
}

/* Arrays that share a count are all there or none is, and are equally long, the empty ones included; then
 * matrices have the size that those give. */
static sp_status check_counts(reader *r, const desc *d, const sp_json *v, const void *base) {
  for (const field *f = d->fields; f->key != NULL; f++) {
    if (has_count(f) && length(v, f) != count_at(base, f->count)) {
      return fail(r, v, "`%s` has %zu entries, expected %u", f->key, length(v, f), count_at(base, f->count));
    }
  }
  for (const field *f = d->fields; f->key != NULL; f++) {
    const sp_json *member = f->kind == K_MATRIX ? sp_json_get(v, f->key) : NULL;
    if (member != NULL) {
      const size_t rows = count_at(base, f->count);
      const size_t width = f->count2 > 0 ? count_at(base, f->count2) : r->report->n_metrics;
      if (rows * width != length(v, f)) {
        return fail(r, member, "`%s` has %zu numbers, expected %zu × %zu", f->key, length(v, f), rows, width);
      }
    }
  }
  return SP_OK;
}

static sp_status read_struct(reader *r, const desc *d, const sp_json *v, void *base) {
  SP_TRY(want(r, v, SP_JSON_OBJECT));
  for (const field *f = d->fields; f->key != NULL; f++) {
    const sp_json *member = sp_json_get(v, f->key);
    if (member != NULL) {
      SP_TRY(read_field(r, f, member, base));
    } else {
      set_absent(f, base);
    }
  }
  return check_counts(r, d, v, base);
}

/* ---- checking what was read: a report is input like any other ---- */
#define CHECK(cond, ...)                                                                                     \
  do {                                                                                                       \
    if (!(cond)) {                                                                                           \
      return fail(r, r->doc->root, __VA_ARGS__);                                                             \
    }                                                                                                        \
  } while (0)

/* Ids name nodes in pictures and facts: a second one with the same id would be taken for the first. */
static sp_status check_ids(reader *r, const sp_report_plan *p, uint32_t k) {
  sp_report_ids ids;
  if (!sp_report_ids_init(&ids, r->arena, p->n_nodes)) {
    return sp_error_nomem(r->err);
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    const sp_sv id = sp_sv_from(p->nodes[i].id);
    CHECK(sp_report_ids_find(&ids, id) < 0, "plan %u: two nodes have the id of node %u", k, i);
    sp_report_ids_set(&ids, id, i);
  }
  return SP_OK;
}

static sp_status check_plan(reader *r, const sp_report_plan *p, uint32_t k) {
  CHECK(p->stage != NULL && p->label != NULL, "plan %u has no stage or label", k);
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    const sp_report_node *n = &p->nodes[i];
    CHECK(n->id != NULL && n->op != NULL && n->symbol != NULL && n->title != NULL,
          "plan %u: node %u lacks id, op, symbol or title", k, i);
    for (uint32_t j = 0; j < n->n_inputs; j++) {
      CHECK(n->inputs[j] < i, "plan %u: input %u of node %u does not stand before it", k, j, i);
    }
    for (uint32_t j = 0; j < n->n_fields; j++) {
      CHECK(n->fields[j].name != NULL && n->fields[j].type != NULL,
            "plan %u: field %u of node %u lacks name or type", k, j, i);
    }
    for (uint32_t j = 0; j < n->n_details; j++) {
      CHECK(n->details[j].key != NULL && n->details[j].value.text != NULL,
            "plan %u: detail %u of node %u lacks key or value", k, j, i);
    }
    for (uint32_t j = 0; j < n->n_origin; j++) {
      CHECK(n->origin[j] != NULL, "plan %u: node %u has an empty origin", k, i);
    }
  }
  SP_TRY(check_ids(r, p, k));
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    CHECK(p->outputs[i].node < p->n_nodes && p->outputs[i].name != NULL,
          "plan %u: output %u is not in the plan", k, i);
  }
  return SP_OK;
}

static sp_status check_run(reader *r, const sp_report_run *run, uint32_t k) {
  CHECK(run->plan < r->report->n_plans, "run %u is of no plan", k);
  CHECK(run->n_nodes == r->report->plans[run->plan].n_nodes, "run %u does not have as many nodes as its plan",
        k);
  CHECK(run->n_nodes == 0 || r->report->n_metrics == 0 || run->metrics != NULL, "run %u lacks metrics", k);
  CHECK(run->n_samples == 0 || run->n_nodes == 0 || run->sample_live != NULL,
        "run %u lacks what was live at its samples", k);
  CHECK(run->outcome != NULL, "run %u has no outcome", k);
  for (uint32_t i = 0; i < run->n_pipelines; i++) {
    CHECK(run->pipelines[i].name != NULL, "run %u: pipeline %u has no name", k, i);
    for (uint32_t j = 0; j < run->pipelines[i].n_nodes; j++) {
      CHECK(run->pipelines[i].nodes[j] < run->n_nodes, "run %u: pipeline %u names a node that is not there",
            k, i);
    }
  }
  for (uint32_t i = 0; i < run->n_activity; i++) {
    CHECK(run->activity[i].pipeline < run->n_pipelines, "run %u: activity %u is of no pipeline", k, i);
  }
  return SP_OK;
}

static int32_t plan_size(const sp_report *p, const char *stage) {
  for (uint32_t i = 0; i < p->n_plans; i++) {
    if (strcmp(p->plans[i].stage, stage) == 0) {
      return (int32_t)p->plans[i].n_nodes;
    }
  }
  return 0;
}

static sp_status check_facts(reader *r, const sp_report_fact *f, uint32_t n) {
  const int32_t before = plan_size(r->report, "resolved"), after = plan_size(r->report, "optimized");
  for (uint32_t i = 0; i < n; i++) {
    CHECK(f[i].kind != NULL && f[i].action != NULL, "fact %u lacks kind or action", i);
    CHECK(f[i].from_node >= -1 && f[i].from_node < before && f[i].to_node >= -1 && f[i].to_node < after,
          "fact %u names a node that is not there", i);
  }
  return SP_OK;
}

static sp_status check_report(reader *r) {
  const sp_report *p = r->report;
  for (uint32_t i = 0; i < p->n_metrics; i++) {
    CHECK(p->metric_names[i] != NULL, "metric %u has no name", i);
  }
  for (uint32_t i = 0; i < p->n_plans; i++) {
    SP_TRY(check_plan(r, &p->plans[i], i));
  }
  for (uint32_t i = 0; i < p->n_runs; i++) {
    SP_TRY(check_run(r, &p->runs[i], i));
  }
  SP_TRY(check_facts(r, p->trace.facts, p->trace.n_facts));
  SP_TRY(check_facts(r, p->trace.blockers, p->trace.n_blockers));
  for (uint32_t i = 0; i < p->trace.n_passes; i++) {
    CHECK(p->trace.passes[i].rule != NULL && p->trace.passes[i].pass != NULL,
          "pass %u lacks its name or rule", i);
  }
  for (uint32_t i = 0; i < p->trace.n_firings; i++) {
    const sp_report_firing *f = &p->trace.firings[i];
    CHECK(f->rule != NULL && f->pass != NULL, "firing %u lacks pass or rule", i);
    for (uint32_t k = 0; k < f->n_before + f->n_after; k++) {
      CHECK((k < f->n_before ? f->before[k] : f->after[k - f->n_before]) != NULL, "firing %u has an empty id",
            i);
    }
    SP_TRY(check_facts(r, f->facts, f->n_facts));
  }
  for (uint32_t i = 0; i < p->n_matches; i++) {
    const sp_report_match *m = &p->matches[i];
    CHECK(m->plan_a < p->n_plans && m->plan_b < p->n_plans && m->a < p->plans[m->plan_a].n_nodes &&
              m->b < p->plans[m->plan_b].n_nodes && m->kind != NULL,
          "match %u names a node that is not there", i);
  }
  return SP_OK;
}

bool sp_report_detect(const sp_json_doc *d) {
  return sp_json_get(d->root, "sigmapi_report") != NULL;
}

sp_status sp_report_from_json(const sp_json_doc *d, sp_arena *a, const sp_report **ret, sp_error *err) {
  reader r = {.doc = d, .arena = a, .report = SP_ARENA_NEW(a, sp_report), .err = err};
  SP_TRY_ALLOC(err, r.report);
  SP_TRY(want(&r, d->root, SP_JSON_OBJECT));
  const sp_json *format = sp_json_get(d->root, "sigmapi_report");
  if (format == NULL) {
    return fail(&r, d->root, "this is no report: it has no `sigmapi_report`");
  }
  int64_t version = 0;
  SP_TRY(read_int(&r, format, 1, UINT32_MAX, &version));
  if (version > SP_REPORT_FORMAT) {
    const sp_loc loc = sp_json_loc(d, format, a);
    SP_FAIL(err, SP_UNSUPPORTED, &loc, "this report has format %lld; this sigmapi reads up to %d",
            (long long)version, SP_REPORT_FORMAT);
  }
  r.report->format = (uint32_t)version;
  SP_TRY(read_struct(&r, &d_report, d->root, r.report));
  SP_TRY(check_report(&r));
  *ret = r.report;
  return SP_OK;
}
