/* JSON documents: entry, string tokens through cJSON, places, look-ups (see json.h). The scanner is
 * json_scan.c.
 *
 * cJSON decodes the string tokens that have escapes. It hands back C strings, so a token is cut at every
 * \u0000 and the pieces are decoded one by one. Example: the token "a\u0000b\n" is decoded as "a", then a
 * NUL, then "b" and a newline: 4 bytes. */
#include "base/json.h"

#include <cjson/cJSON.h>

#include "base/cformat.h"
#include "base/json_scan.h"

/* ---- strings ---- */

/* Bytes of p before the next \u0000, n when there is none. */
static size_t before_nul_escape(const char *p, size_t n) {
  size_t i = 0;
  while (i < n) {
    if (p[i] != '\\') {
      i++;
    } else if (n - i >= 6 && memcmp(p + i, "\\u0000", 6) == 0) {
      return i;
    } else {
      i += 2;
    }
  }
  return n;
}

/* Decodes `"piece"` (quotes included) and appends it at out. */
static bool decode_piece(const char *quoted, size_t n, char *out, size_t *ret_len) {
  cJSON *item = cJSON_ParseWithLength(quoted, n);
  if (item == NULL || item->valuestring == NULL) {
    cJSON_Delete(item);
    return false;
  }
  *ret_len = strlen(item->valuestring);
  memcpy(out, item->valuestring, *ret_len);
  cJSON_Delete(item);
  return true;
}

sp_status sp_json_decode_string(sp_arena *a, const char *p, size_t n, sp_sv *ret, sp_error *err) {
  char *out = sp_arena_alloc(a, n + 1); /* decoding never makes a string longer */
  SP_TRY_ALLOC(err, out);
  if (memchr(p, '\\', n) == NULL) {
    memcpy(out, p, n);
    *ret = (sp_sv){out, n};
    return SP_OK;
  }
  char *quoted = sp_mem_alloc(a->mem, n + 3);
  SP_TRY_ALLOC(err, quoted);
  size_t used = 0;
  size_t at = 0;
  bool ok = true;
  while (ok && at < n) {
    const size_t piece = before_nul_escape(p + at, n - at);
    if (piece > 0) {
      quoted[0] = '"';
      memcpy(quoted + 1, p + at, piece);
      quoted[piece + 1] = '"';
      quoted[piece + 2] = '\0';
      size_t len = 0;
      ok = decode_piece(quoted, piece + 2, out + used, &len);
      used += len;
    }
    at += piece;
    if (at < n) {
      out[used++] = '\0';
      at += 6;
    }
  }
  sp_mem_free(a->mem, quoted, n + 3);
  if (!ok) { /* the escapes have been checked, so memory is all that can be missing */
    return sp_error_nomem(err);
  }
  out[used] = '\0';
  *ret = (sp_sv){out, used};
  return SP_OK;
}

/* ---- places ---- */

void sp_json_line_col(const sp_json_doc *d, uint32_t offset, uint32_t *ret_line, uint32_t *ret_col) {
  uint32_t low = 0;
  uint32_t high = d->n_lines;
  while (high - low > 1) {
    const uint32_t mid = low + (high - low) / 2;
    if (d->line_starts[mid] <= offset) {
      low = mid;
    } else {
      high = mid;
    }
  }
  *ret_line = low + 1;
  *ret_col = offset - d->line_starts[low] + 1;
}

size_t sp_json_pointer_index(char *out, size_t size, uint32_t index) {
  return sp_snprintf(out, size, "/%u", index);
}

size_t sp_json_pointer_key(char *out, size_t size, sp_sv key) {
  size_t n = sp_snprintf(out, size, "/");
  for (size_t i = 0; i < key.n; i++) {
    const char c = key.p[i];
    const char *escaped = c == '~' ? "~0" : c == '/' ? "~1" : NULL;
    const size_t len = escaped == NULL ? 1 : 2;
    if (n + len < size) {
      memcpy(out + n, escaped == NULL ? &c : escaped, len);
      out[n + len] = '\0';
    }
    n += len;
  }
  return n;
}

static uint32_t index_in_parent(const sp_json *v) {
  uint32_t i = 0;
  for (const sp_json *c = v->parent->first; c != v; c = c->next) {
    i++;
  }
  return i;
}

static size_t pointer_step(const sp_json *v, char *out, size_t size) {
  return v->key.p != NULL ? sp_json_pointer_key(out, size, v->key)
                          : sp_json_pointer_index(out, size, index_in_parent(v));
}

/* Built from the end, one step per level; nothing recurses. */
static const char *pointer_of(const sp_json *v, sp_arena *a) {
  size_t n = 0;
  for (const sp_json *s = v; s->parent != NULL; s = s->parent) {
    n += pointer_step(s, NULL, 0);
  }
  char *text = sp_arena_alloc(a, n + 1);
  if (text == NULL) {
    return "";
  }
  text[n] = '\0';
  for (const sp_json *s = v; s->parent != NULL; s = s->parent) {
    const size_t len = pointer_step(s, NULL, 0);
    const char after = text[n]; /* the step's own NUL falls on it */
    n -= len;
    pointer_step(s, text + n, len + 1);
    text[n + len] = after;
  }
  return text;
}

static sp_loc place(const sp_json_doc *d, const sp_json *v, uint32_t offset, sp_arena *a) {
  sp_loc loc = {.file = d->file, .pointer = pointer_of(v, a)};
  sp_json_line_col(d, offset, &loc.line, &loc.col);
  return loc;
}

sp_loc sp_json_loc(const sp_json_doc *d, const sp_json *v, sp_arena *a) {
  return place(d, v, v->offset, a);
}

sp_loc sp_json_key_loc(const sp_json_doc *d, const sp_json *v, sp_arena *a) {
  return place(d, v, v->key_offset, a);
}

/* ---- look-ups ---- */

const sp_json *sp_json_get(const sp_json *v, const char *key) {
  if (v->kind != SP_JSON_OBJECT) {
    return NULL;
  }
  const sp_sv name = sp_sv_from(key);
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    if (sp_sv_eq(m->key, name)) {
      return m;
    }
  }
  return NULL;
}

const char *sp_json_kind_name(sp_json_kind k) {
  static const char *const names[] = {
      [SP_JSON_NULL] = "null",       [SP_JSON_BOOL] = "a boolean",   [SP_JSON_INT] = "an integer",
      [SP_JSON_UINT] = "an integer", [SP_JSON_NUMBER] = "a number",  [SP_JSON_STRING] = "a string",
      [SP_JSON_ARRAY] = "an array",  [SP_JSON_OBJECT] = "an object", [SP_JSON_INTS] = "an array of integers",
  };
  return (unsigned)k < sizeof names / sizeof *names ? names[k] : "a value";
}

/* ---- the entry ---- */

static uint32_t count_lines(const char *text, size_t n) {
  uint32_t lines = 1;
  const char *end = text + n;
  for (const char *p = text; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) {
    lines++;
  }
  return lines;
}

static sp_status find_lines(sp_arena *a, sp_json_doc *d, sp_error *err) {
  const uint32_t n = count_lines(d->text, d->size);
  uint32_t *starts = SP_ARENA_ARRAY(a, uint32_t, n);
  SP_TRY_ALLOC(err, starts);
  const char *p = d->text;
  for (uint32_t i = 1; i < n; i++) {
    p = (const char *)memchr(p, '\n', d->size - (size_t)(p - d->text)) + 1;
    starts[i] = (uint32_t)(p - d->text);
  }
  d->line_starts = starts;
  d->n_lines = n;
  return SP_OK;
}

sp_status sp_json_parse(sp_arena *a, const char *file, const char *text, size_t n, const sp_json_doc **ret,
                        sp_error *err) {
  const sp_loc loc = {.file = file};
  if (n > SP_JSON_MAX_BYTES) {
    SP_FAIL(err, SP_LIMIT, &loc, "the document has %zu bytes, at most %zu are possible", n,
            SP_JSON_MAX_BYTES);
  }
  sp_json_doc *d = SP_ARENA_NEW(a, sp_json_doc);
  SP_TRY_ALLOC(err, d);
  char *copy = sp_arena_strndup(a, text, n);
  SP_TRY_ALLOC(err, copy);
  if (file != NULL) {
    d->file = sp_arena_strdup(a, file);
    SP_TRY_ALLOC(err, d->file);
  }
  d->text = copy;
  d->size = n;
  SP_TRY(find_lines(a, d, err));
  SP_TRY(sp_json_scan(a, d, copy, &d->root, err));
  *ret = d;
  return SP_OK;
}
