/* The JSON scanner (see json.h): one pass over the text, no recursion, every error with its place.
 *
 * Values are collected in a growing array, linked by number, and moved into the arena at the end, when their
 * count is known and pointers stay true. The open containers are the chain of parents of the current one;
 * each of them is the last child of the next, which is how an error finds its JSON pointer. Example: {"a":
 * [1, 2,], // note becomes object, array "a", 1, 2; the comma before ] and the comment turn into spaces. Not
 * accepted: [1,,2], [,]. */
#include "base/json_scan.h"

#include <stdarg.h>

#include "base/cformat.h"
#include "base/hash.h"

#define NONE UINT32_MAX
#define FEW_MEMBERS 16 /* up to so many keys are compared with each other, more go through a hash table */

typedef struct node {
  sp_json v;
  uint32_t parent, next, last; /* numbers of nodes or NONE; last: of the children so far */
} node;

typedef struct scan {
  sp_arena *a;
  sp_mem *mem;
  sp_error *err;
  const sp_json_doc *d;
  char *text;
  uint32_t n, pos;
  node *nodes;
  uint32_t n_nodes, cap;
  uint32_t cur;   /* the open container or NONE */
  uint32_t depth; /* of open containers */
  bool fresh;     /* nothing in the open container yet */
  sp_sv key;      /* of the value to come, when the container is an object */
  uint32_t key_offset;
} scan;

/* ---- errors ---- */

/* The open container at the given depth, the root being 1. */
static const node *container_at(const scan *s, uint32_t depth) {
  uint32_t i = s->cur;
  for (uint32_t d = s->depth; d > depth; d--) {
    i = s->nodes[i].parent;
  }
  return &s->nodes[i];
}

static size_t add_step(char *out, size_t size, size_t n, const node *parent, sp_sv key, uint32_t index) {
  if (n >= size) {
    return n;
  }
  return n + (parent->v.kind == SP_JSON_OBJECT ? sp_json_pointer_key(out + n, size - n, key)
                                               : sp_json_pointer_index(out + n, size - n, index));
}

/* Pointer of the open container or, with child, of the value to come in it; cut at size. */
static void build_pointer(const scan *s, bool child, char *out, size_t size) {
  size_t n = 0;
  out[0] = '\0';
  for (uint32_t depth = 2; depth <= s->depth && n < size; depth++) {
    const node *c = container_at(s, depth);
    const node *parent = &s->nodes[c->parent];
    n = add_step(out, size, n, parent, c->v.key, parent->v.n - 1);
  }
  if (child && s->cur != NONE) {
    const node *c = &s->nodes[s->cur];
    add_step(out, size, n, c, s->key, c->v.n);
  }
}

/* A syntax error at an offset; child: in the value to come and not in the open container itself. */
__attribute__((format(printf, 4, 5))) static sp_status fail(scan *s, uint32_t at, bool child, const char *fmt,
                                                            ...) {
  char message[sizeof s->err->message];
  char pointer[sizeof s->err->pointer];
  va_list ap;
  va_start(ap, fmt);
  sp_vsnprintf(message, sizeof message, fmt, ap);
  va_end(ap);
  build_pointer(s, child, pointer, sizeof pointer);
  sp_loc loc = {.file = s->d->file, .pointer = pointer};
  sp_json_line_col(s->d, at, &loc.line, &loc.col);
  return sp_error_set(s->err, SP_SYNTAX, &loc, "%s", message);
}

#define SEEN_SIZE 40
/* What stands at an offset, for a message: a word, a character, a byte, or the end. */
static const char *seen(const scan *s, uint32_t at, char out[SEEN_SIZE]) {
  if (at >= s->n) {
    sp_snprintf(out, SEEN_SIZE, "the end of the text");
    return out;
  }
  const unsigned char c = (unsigned char)s->text[at];
  uint32_t len = 0;
  const uint32_t cp = sp_utf8_decode(s->text + at, s->text + s->n, &len);
  if (c < 0x20 || c == 0x7F || (c >= 0x80 && cp == 0xFFFD)) {
    sp_snprintf(out, SEEN_SIZE, "the byte 0x%02X", c);
    return out;
  }
  if (c < 0x80) {
    const char *wordy = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    while (len < 24 && at + len < s->n && strchr(wordy, c) != NULL && s->text[at + len] != '\0' &&
           strchr(wordy, s->text[at + len]) != NULL) {
      len++;
    }
  }
  sp_snprintf(out, SEEN_SIZE, "`%.*s`", (int)len, s->text + at);
  return out;
}

static sp_status fail_end(scan *s) {
  const node *c = &s->nodes[s->cur];
  uint32_t line;
  uint32_t col;
  sp_json_line_col(s->d, c->v.offset, &line, &col);
  return fail(s, s->n, false, "the text ends inside %s that starts at line %u, column %u",
              sp_json_kind_name(c->v.kind), line, col);
}

/* ---- space and comments ---- */

static void blank(scan *s, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; i++) {
    if (s->text[i] != '\n') {
      s->text[i] = ' ';
    }
  }
}

static sp_status skip_block_comment(scan *s) {
  const char *end = memmem(s->text + s->pos + 2, s->n - s->pos - 2, "*/", 2);
  if (end == NULL) {
    return fail(s, s->pos, false, "this comment never ends");
  }
  const uint32_t to = (uint32_t)(end - s->text) + 2;
  blank(s, s->pos, to);
  s->pos = to;
  return SP_OK;
}

/* Goes to the next byte that means something, blanking comments on the way. */
static sp_status skip(scan *s) {
  for (;;) {
    const char c = s->text[s->pos]; /* NUL at the end */
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      s->pos++;
    } else if (c == '#' || (c == '/' && s->text[s->pos + 1] == '/')) {
      const char *end = memchr(s->text + s->pos, '\n', s->n - s->pos);
      const uint32_t to = end == NULL ? s->n : (uint32_t)(end - s->text);
      blank(s, s->pos, to);
      s->pos = to;
    } else if (c == '/' && s->text[s->pos + 1] == '*') {
      SP_TRY(skip_block_comment(s));
    } else {
      return SP_OK;
    }
  }
}

/* ---- values ---- */

/* Appends a value to the open container, under the pending key. */
static sp_status add(scan *s, sp_json_kind kind, uint32_t offset, uint32_t end, sp_json **ret) {
  if (s->n_nodes == s->cap) {
    const uint32_t cap = s->cap == 0 ? 64 : s->cap * 2;
    node *to = sp_mem_realloc(s->mem, s->nodes, s->cap * sizeof *to, cap * sizeof *to);
    SP_TRY_ALLOC(s->err, to);
    s->nodes = to;
    s->cap = cap;
  }
  const uint32_t i = s->n_nodes++;
  node *x = &s->nodes[i];
  *x =
      (node){.v = {.kind = kind, .offset = offset, .end = end}, .parent = s->cur, .next = NONE, .last = NONE};
  if (s->cur != NONE) {
    node *parent = &s->nodes[s->cur];
    if (parent->last != NONE) {
      s->nodes[parent->last].next = i;
    }
    parent->last = i;
    parent->v.n++;
    if (parent->v.kind == SP_JSON_OBJECT) {
      x->v.key = s->key;
      x->v.key_offset = s->key_offset;
    }
  }
  s->fresh = false;
  *ret = &x->v;
  return SP_OK;
}

/* ---- strings ---- */

static int hex4(const char *p) {
  int v = 0;
  for (int i = 0; i < 4; i++) {
    const char c = p[i];
    const int d = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
    if (d < 0) {
      return -1; /* the text's NUL ends here at the latest */
    }
    v = v * 16 + d;
  }
  return v;
}

/* Checks the escape at *pos and goes past it. */
static sp_status check_escape(scan *s, bool child, uint32_t *pos) {
  const char *p = s->text + *pos;
  if (p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL) {
    *pos += 2;
    return SP_OK;
  }
  if (p[1] != 'u') {
    char buf[SEEN_SIZE];
    fail(s, *pos, child, "a backslash before %s means nothing in a string", seen(s, *pos + 1, buf));
    sp_error_hint(s->err, "a backslash itself is written \\\\");
    return SP_SYNTAX;
  }
  const int cp = hex4(p + 2);
  if (cp < 0) {
    return fail(s, *pos, child, "\\u needs four hexadecimal digits");
  }
  *pos += 6;
  if (cp < 0xD800 || cp > 0xDFFF) {
    return SP_OK;
  }
  const int low = cp < 0xDC00 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;
  if (low < 0xDC00 || low > 0xDFFF) {
    return fail(s, *pos - 6, child, "\\u%04X is half of a surrogate pair", (unsigned)cp);
  }
  *pos += 6;
  return SP_OK;
}

/* The string token at pos; child as in fail. */
static sp_status scan_string(scan *s, bool child, sp_sv *ret) {
  const uint32_t start = s->pos;
  uint32_t p = start + 1;
  while (s->text[p] != '"') {
    const unsigned char c = (unsigned char)s->text[p];
    if (p >= s->n) {
      return fail(s, start, child, "the text ends inside this string");
    }
    if (c == '\\') {
      SP_TRY(check_escape(s, child, &p));
    } else if (c == '\n' || c == '\r') {
      return fail(s, start, child, "this string has no closing quote on its line");
    } else if (c < 0x20) {
      return fail(s, p, child, "the control character 0x%02X in a string must be written \\u%04x", c, c);
    } else if (c < 0x80) {
      p++;
    } else {
      uint32_t len;
      sp_utf8_decode(s->text + p, s->text + s->n, &len);
      if (len == 1) {
        return fail(s, p, child, "invalid UTF-8 in a string: the byte 0x%02X", c);
      }
      p += len;
    }
  }
  SP_TRY(sp_json_decode_string(s->a, s->text + start + 1, p - start - 1, ret, s->err));
  s->pos = p + 1;
  return SP_OK;
}

/* ---- numbers and words ---- */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static bool is_wordy(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static uint32_t digits(const scan *s, uint32_t p) {
  while (is_digit(s->text[p])) {
    p++;
  }
  return p;
}

/* The end of the number at pos by JSON's grammar, 0 when it is none; *ret_integer: no fraction, no exponent.
 */
static uint32_t number_end(const scan *s, bool *ret_integer) {
  const char *t = s->text;
  uint32_t p = s->pos + (t[s->pos] == '-');
  const uint32_t first = p;
  p = digits(s, p);
  if (p == first || (t[first] == '0' && p > first + 1)) {
    return 0;
  }
  bool integer = true;
  if (t[p] == '.') {
    const uint32_t from = p + 1;
    p = digits(s, from);
    integer = false;
    if (p == from) {
      return 0;
    }
  }
  if (t[p] == 'e' || t[p] == 'E') {
    const uint32_t from = p + 1 + (t[p + 1] == '+' || t[p + 1] == '-');
    p = digits(s, from);
    integer = false;
    if (p == from) {
      return 0;
    }
  }
  if (is_wordy(t[p]) || t[p] == '.') {
    return 0;
  }
  *ret_integer = integer;
  return p;
}

/* Decimal digits as an integer where it fits. */
static void decode_integer(const char *p, const char *end, sp_json *v) {
  const bool negative = *p == '-';
  uint64_t u = 0;
  for (p += negative; p < end; p++) {
    if (__builtin_mul_overflow(u, (uint64_t)10, &u) || __builtin_add_overflow(u, (uint64_t)(*p - '0'), &u)) {
      return;
    }
  }
  const uint64_t most = (uint64_t)INT64_MAX + negative;
  if (u <= most) {
    v->kind = SP_JSON_INT;
    v->i = negative ? (int64_t)(0 - u) : (int64_t)u;
  } else if (!negative) {
    v->kind = SP_JSON_UINT;
    v->u = u;
  }
}

static sp_status scan_number(scan *s) {
  bool integer = false;
  const uint32_t start = s->pos;
  const uint32_t end = number_end(s, &integer);
  if (end == 0) {
    char buf[SEEN_SIZE];
    return fail(s, start, true, "%s is not a number in JSON", seen(s, start, buf));
  }
  sp_json *v;
  SP_TRY(add(s, SP_JSON_NUMBER, start, end, &v));
  v->str = (sp_sv){s->text + start, end - start};
  if (integer) {
    decode_integer(s->text + start, s->text + end, v);
  }
  /* What follows a number never continues it, so that no bounded copy is needed. */
  v->num = v->kind == SP_JSON_UINT               ? (double)v->u
           : v->kind == SP_JSON_INT && v->i != 0 ? (double)v->i
                                                 : sp_strtod(s->text + start, NULL);
  s->pos = end;
  return SP_OK;
}

static bool same_word(const char *p, size_t n, const char *word) {
  if (strlen(word) != n) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    if ((p[i] | 0x20) != (word[i] | 0x20)) {
      return false;
    }
  }
  return true;
}

static sp_status fail_word(scan *s, const char *p, size_t n) {
  static const struct {
    const char *word, *hint;
  } hints[] = {{"true", "JSON writes `true`"}, {"false", "JSON writes `false`"},
               {"null", "JSON writes `null`"}, {"none", "JSON writes `null`"},
               {"nil", "JSON writes `null`"},  {"undefined", "JSON writes `null`"},
               {"nan", "JSON has no NaN"},     {"infinity", "JSON has no infinity"},
               {"inf", "JSON has no infinity"}};
  char buf[SEEN_SIZE];
  const sp_status st = fail(s, s->pos, true, "expected a value, got %s", seen(s, s->pos, buf));
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
    if (same_word(p, n, hints[i].word)) {
      sp_error_hint(s->err, "%s", hints[i].hint);
    }
  }
  if (*p == '\'' || n > 0) {
    sp_error_hint(s->err, "strings stand in double quotes");
  }
  return st;
}

static sp_status scan_word(scan *s) {
  const uint32_t start = s->pos;
  uint32_t end = start;
  while (is_wordy(s->text[end])) {
    end++;
  }
  const sp_sv word = {s->text + start, end - start};
  const bool yes = sp_sv_eq(word, SP_SV("true"));
  sp_json_kind kind = SP_JSON_BOOL;
  if (sp_sv_eq(word, SP_SV("null"))) {
    kind = SP_JSON_NULL;
  } else if (!yes && !sp_sv_eq(word, SP_SV("false"))) {
    return fail_word(s, word.p, word.n);
  }
  sp_json *v;
  SP_TRY(add(s, kind, start, end, &v));
  v->b = yes;
  v->str = word;
  s->pos = end;
  return SP_OK;
}

/* ---- arrays of small integers ---- */

/* Reads "N ," or "N ]" with N in 0..255 from pos on; false for anything else. */
static bool small_int(scan *s, uint8_t *ret, bool *ret_last) {
  const uint32_t end = digits(s, s->pos);
  const uint32_t n = end - s->pos;
  const char *p = s->text + s->pos;
  if (n == 0 || n > 3 || (n > 1 && p[0] == '0')) {
    return false;
  }
  const int v = n == 1   ? p[0] - '0'
                : n == 2 ? (p[0] - '0') * 10 + p[1] - '0'
                         : (p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0';
  s->pos = end;
  if (v > 255 || skip(s) != SP_OK) {
    return false;
  }
  *ret = (uint8_t)v;
  const uint32_t comma = s->pos;
  const bool has_comma = s->text[comma] == ',';
  if (has_comma) {
    s->pos++;
    if (skip(s) != SP_OK) {
      return false;
    }
  }
  *ret_last = s->text[s->pos] == ']';
  if (has_comma && *ret_last) {
    s->text[comma] = ' ';
  }
  return has_comma || *ret_last;
}

/* One pass over the elements from pos on, into out when given. The count, or 0 when this is no such array;
 * then pos means nothing. */
static uint32_t pass_ints(scan *s, uint8_t *out) {
  sp_error *err = s->err;
  sp_error scratch = SP_ERROR_INIT; /* an error here is found again, and told, by the general way */
  s->err = &scratch;
  uint32_t n = 0;
  bool last = false;
  bool ok = true;
  while (ok && !last) {
    uint8_t v;
    ok = small_int(s, &v, &last);
    if (ok && out != NULL) {
      out[n] = v;
    }
    n += ok;
  }
  s->err = err;
  return ok ? n : 0;
}

/* At `[`: takes the whole array when it is one of small integers. *ret_done false: it is not, nothing has
 * happened. */
static sp_status scan_ints(scan *s, bool *ret_done) {
  const uint32_t start = s->pos;
  s->pos++;
  SP_TRY(skip(s));
  const uint32_t first = s->pos;
  const uint32_t n = pass_ints(s, NULL);
  if (n < SP_JSON_INTS_MIN) {
    s->pos = start;
    *ret_done = false;
    return SP_OK;
  }
  uint8_t *bytes = sp_arena_alloc(s->a, (size_t)n + 1);
  SP_TRY_ALLOC(s->err, bytes);
  s->pos = first;
  pass_ints(s, bytes);
  sp_json *v;
  SP_TRY(add(s, SP_JSON_INTS, start, s->pos + 1, &v));
  v->str = (sp_sv){(const char *)bytes, n};
  s->pos++;
  *ret_done = true;
  return SP_OK;
}

/* ---- containers ---- */

static sp_status fail_duplicate(scan *s, const node *first, const node *again) {
  uint32_t line;
  uint32_t col;
  sp_json_line_col(s->d, first->v.key_offset, &line, &col);
  s->key = again->v.key;
  char name[88];
  sp_snprintf(name, sizeof name, "%s", again->v.key.p);
  sp_utf8_trim_end(name);
  fail(s, again->v.key_offset, true, "the key `%s` is given twice", name);
  sp_error_hint(s->err, "it was first given at line %u, column %u", line, col);
  return SP_SYNTAX;
}

static sp_status check_few_keys(scan *s, const node *object) {
  const node *seen_keys[FEW_MEMBERS];
  uint32_t n = 0;
  for (uint32_t i = (uint32_t)(object - s->nodes) + 1; n < object->v.n; i = s->nodes[i].next) {
    const node *m = &s->nodes[i];
    for (uint32_t k = 0; k < n; k++) {
      if (sp_sv_eq(seen_keys[k]->v.key, m->v.key)) {
        return fail_duplicate(s, seen_keys[k], m);
      }
    }
    seen_keys[n++] = m;
  }
  return SP_OK;
}

static sp_status check_many_keys(scan *s, const node *object) {
  const size_t slots = (size_t)1 << (33 - __builtin_clz(object->v.n)); /* at least twice the members */
  uint32_t *table =
      sp_mem_calloc(s->mem, slots * sizeof *table); /* number of a node; 0 is the root, so: free */
  SP_TRY_ALLOC(s->err, table);
  sp_status st = SP_OK;
  uint32_t i = (uint32_t)(object - s->nodes) + 1;
  for (; i != NONE && st == SP_OK; i = s->nodes[i].next) {
    const node *m = &s->nodes[i];
    size_t at = sp_hash_bytes(m->v.key.p, m->v.key.n, 0) & (slots - 1);
    while (table[at] != 0 && !sp_sv_eq(s->nodes[table[at]].v.key, m->v.key)) {
      at = (at + 1) & (slots - 1);
    }
    if (table[at] != 0) {
      st = fail_duplicate(s, &s->nodes[table[at]], m);
    }
    table[at] = i;
  }
  sp_mem_free(s->mem, table, slots * sizeof *table);
  return st;
}

static sp_status open_container(scan *s, sp_json_kind kind) {
  if (s->depth == SP_JSON_MAX_DEPTH) {
    fail(s, s->pos, true, "more than %d levels of nesting", SP_JSON_MAX_DEPTH);
    if (s->err != NULL && s->err->status == SP_SYNTAX) {
      s->err->status = SP_LIMIT; /* as for expressions and nodes that are nested too deep */
    }
    return SP_LIMIT;
  }
  sp_json *v;
  SP_TRY(add(s, kind, s->pos, 0, &v));
  s->cur = s->n_nodes - 1;
  s->depth++;
  s->fresh = true;
  s->pos++;
  return SP_OK;
}

static sp_status close_container(scan *s) {
  node *c = &s->nodes[s->cur];
  if (c->v.kind == SP_JSON_OBJECT && c->v.n > 1) {
    SP_TRY(c->v.n <= FEW_MEMBERS ? check_few_keys(s, c) : check_many_keys(s, c));
  }
  s->pos++;
  c->v.end = s->pos;
  s->cur = c->parent;
  s->depth--;
  s->fresh = false;
  return SP_OK;
}

/* ---- the document ---- */

static sp_status scan_value(scan *s) {
  switch (s->text[s->pos]) {
  case '{':
    return open_container(s, SP_JSON_OBJECT);
  case '[': {
    bool done = false;
    SP_TRY(scan_ints(s, &done));
    return done ? SP_OK : open_container(s, SP_JSON_ARRAY);
  }
  case '"': {
    const uint32_t start = s->pos;
    sp_sv str;
    sp_json *v;
    SP_TRY(scan_string(s, true, &str));
    SP_TRY(add(s, SP_JSON_STRING, start, s->pos, &v));
    v->str = str;
    return SP_OK;
  }
  default:
    return s->text[s->pos] == '-' || is_digit(s->text[s->pos]) ? scan_number(s) : scan_word(s);
  }
}

static sp_status scan_key(scan *s) {
  char buf[SEEN_SIZE];
  s->key_offset = s->pos;
  if (s->text[s->pos] != '"') {
    fail(s, s->pos, false, "expected a key, got %s", seen(s, s->pos, buf));
    sp_error_hint(s->err, "keys stand in double quotes");
    return SP_SYNTAX;
  }
  SP_TRY(scan_string(s, false, &s->key));
  SP_TRY(skip(s));
  if (s->text[s->pos] != ':') {
    return fail(s, s->pos, true, "expected `:` after the key, got %s", seen(s, s->pos, buf));
  }
  s->pos++;
  return skip(s);
}

/* Inside the open container: its end, or the next member. */
static sp_status scan_member(scan *s) {
  const bool object = s->nodes[s->cur].v.kind == SP_JSON_OBJECT;
  const char close = object ? '}' : ']';
  SP_TRY(skip(s));
  if (s->text[s->pos] == close) {
    return close_container(s);
  }
  if (s->pos >= s->n) {
    return fail_end(s);
  }
  if (!s->fresh) {
    const uint32_t comma = s->pos;
    if (s->text[comma] != ',') {
      char buf[SEEN_SIZE];
      return fail(s, comma, false, "expected `,` or `%c`, got %s", close, seen(s, comma, buf));
    }
    s->pos++;
    SP_TRY(skip(s));
    if (s->pos >= s->n) {
      return fail_end(s);
    }
    if (s->text[s->pos] == close) {
      s->text[comma] = ' ';
      return close_container(s);
    }
  }
  if (object) {
    SP_TRY(scan_key(s));
  }
  return scan_value(s);
}

/* Editors and shells on Windows write it: a mark, or zeros around the first bracket. */
static bool is_wide(const scan *s) {
  static const char marks[][2] = {{'\xFF', '\xFE'}, {'\xFE', '\xFF'}, {'{', '\0'}, {'\0', '{'}};
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    if (s->n >= 2 && memcmp(s->text, marks[i], 2) == 0) {
      return true;
    }
  }
  return s->n >= 4 && memcmp(s->text, "\0\0", 2) == 0;
}

static sp_status scan_document(scan *s) {
  if (is_wide(s)) {
    return fail(s, 0, false, "the document is in UTF-16 or UTF-32; only UTF-8 can be read");
  }
  if (s->n >= 3 && memcmp(s->text, "\xEF\xBB\xBF", 3) == 0) {
    blank(s, 0, 3); /* a byte order mark */
  }
  SP_TRY(skip(s));
  if (s->pos >= s->n) {
    return fail(s, s->n, false, "the document is empty");
  }
  SP_TRY(scan_value(s));
  while (s->cur != NONE) {
    SP_TRY(scan_member(s));
  }
  SP_TRY(skip(s));
  if (s->pos < s->n) {
    char buf[SEEN_SIZE];
    return fail(s, s->pos, false, "expected the end of the text after the document, got %s",
                seen(s, s->pos, buf));
  }
  return SP_OK;
}

/* Numbers become pointers. */
static sp_status settle(const scan *s, const sp_json **ret_root) {
  sp_json *values = SP_ARENA_ARRAY(s->a, sp_json, s->n_nodes);
  SP_TRY_ALLOC(s->err, values);
  for (uint32_t i = 0; i < s->n_nodes; i++) {
    const node *x = &s->nodes[i];
    values[i] = x->v;
    values[i].first = x->v.n > 0 ? &values[i + 1] : NULL;
    values[i].next = x->next == NONE ? NULL : &values[x->next];
    values[i].parent = x->parent == NONE ? NULL : &values[x->parent];
  }
  *ret_root = values;
  return SP_OK;
}

sp_status sp_json_scan(sp_arena *a, const sp_json_doc *d, char *text, const sp_json **ret_root,
                       sp_error *err) {
  sp_error own = SP_ERROR_INIT;
  scan s = {.a = a,
            .mem = a->mem,
            .err = err != NULL ? err : &own,
            .d = d,
            .text = text,
            .n = (uint32_t)d->size,
            .cur = NONE};
  sp_status st = scan_document(&s);
  if (st == SP_OK) {
    st = settle(&s, ret_root);
  }
  sp_mem_free(s.mem, s.nodes, s.cap * sizeof *s.nodes);
  return st;
}
