/* length, octet_length, upper, lower, reverse, replace, lpad, rpad, concat: counting characters and making
 * new strings.
 *
 *   length(s)               characters; octet_length(s): bytes
 *   upper(s), lower(s)      by simple case mapping (text_case.h), which needs no locale
 *   replace(s, from, to)    every place of from; an empty from leaves s as it is
 *   lpad(s, n[, fill])      filled at the start (end: rpad) to n characters, cut to n when longer; fill is a
 * space, '' fills nothing concat(a, b, …), a || b null when one is null; other types are printed as CAST does
 * A string of more than 256 MiB is an error.
 *
 * Example: length('Grüße') is 5, octet_length 7; upper('grüße') is 'GRÜßE'; lpad('7', 3, '0') is '007'. */
#include "expr/kernel.h"
#include "expr/like.h"
#include "expr/text_case.h"

#define LONGEST ((size_t)1 << 28)

static sp_sv text_at(const sp_reader *r, uint32_t row) {
  return sp_view_sv((const sp_view *)r->data + sp_reader_index(r, row));
}

/* ---- counting ---- */
static sp_status eval_count(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, bool chars,
                            sp_column **ret) {
  sp_column *out = sp_out_rows(ev, k->result, args, 1);
  SP_TRY_ALLOC(ev->err, out);
  const sp_reader in = sp_column_reader(args[0]);
  const uint8_t *valid = sp_out_validity(out);
  int64_t *o = sp_out_data(out);
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    if (valid[r] != 0) {
      const sp_sv s = text_at(&in, r);
      o[r] = (int64_t)(chars ? sp_text_count(s.p, s.n) : s.n);
    }
  }
  *ret = out;
  return SP_OK;
}

static sp_status eval_length(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                             sp_column **ret) {
  (void)n;
  return eval_count(k, ev, args, args[0]->type->kind == SP_KIND_STRING, ret);
}

static sp_status eval_octets(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                             sp_column **ret) {
  (void)n;
  return eval_count(k, ev, args, false, ret);
}
SP_PREPARE_WITH(prepare_length, eval_length)
SP_PREPARE_WITH(prepare_octet_length, eval_octets)

/* ---- making: each row's string is written into the heap, or into the view when it is short ---- */
typedef struct maker {
  sp_eval *ev;
  sp_status status; /* why making failed */
  sp_heap heap;
  sp_view *slot;
  char small[SP_VIEW_INLINE];
} maker;

static char *make_room(maker *m, size_t n) {
  if (n > LONGEST) {
    m->status = sp_error_set(m->ev->err, SP_LIMIT, NULL, "a string would be longer than %zu bytes", LONGEST);
    return NULL;
  }
  if (n <= SP_VIEW_INLINE) {
    return m->small;
  }
  char *p = sp_heap_room(&m->heap, n);
  if (p == NULL) {
    m->status = sp_error_nomem(m->ev->err);
  }
  return p;
}

/* asked: what make_room was asked for. */
static void made(maker *m, char *p, size_t asked, size_t n) {
  *m->slot = sp_view_make(p, (uint32_t)n);
  if (asked > SP_VIEW_INLINE) {
    sp_heap_trim(&m->heap, asked, n <= SP_VIEW_INLINE ? 0 : n);
  }
}

/* Arguments of one row; false with the error set. */
typedef bool (*make_fn)(maker *m, const sp_sv *s, const int64_t *number);
typedef struct plan {
  make_fn make;
} plan;
#define MAX_TEXTS 3

static sp_status fill_rows(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                           sp_column *out) {
  const plan *p = k->data;
  sp_reader in[MAX_TEXTS];
  maker m = {.ev = ev, .heap = sp_heap_of(ev, out)};
  for (uint32_t i = 0; i < n; i++) {
    in[i] = sp_column_reader(args[i]);
  }
  const uint8_t *valid = sp_out_validity(out);
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t row = sp_eval_row(ev, i);
    if (valid[row] == 0) {
      continue;
    }
    sp_sv s[MAX_TEXTS] = {{0}};
    int64_t number = 0;
    for (uint32_t a = 0; a < n; a++) {
      if (sp_type_is_bytes(args[a]->type)) {
        s[a] = text_at(&in[a], row);
      } else {
        number = ((const int64_t *)in[a].data)[sp_reader_index(&in[a], row)];
      }
    }
    m.slot = (sp_view *)sp_out_data(out) + row;
    if (!p->make(&m, s, &number)) {
      return m.status;
    }
  }
  return SP_OK;
}

static sp_status eval_make(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                           sp_column **ret) {
  sp_column *out = sp_out_rows(ev, k->result, args, n);
  SP_TRY_ALLOC(ev->err, out);
  const sp_status st = fill_rows(k, ev, args, n, out);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}

/* Letters of one case become those of the other, which is 32 away. */
SP_CLONES static void map_ascii(char *restrict out, const char *restrict s, size_t n, char first,
                                char distance) {
  for (size_t i = 0; i < n; i++) {
    const unsigned char letter = (unsigned char)(s[i] - first);
    out[i] = (char)(s[i] + (letter < 26 ? distance : 0));
  }
}

static bool map_case(maker *m, sp_sv s, bool up) {
  if (sp_text_is_ascii(s.p, s.n)) {
    char *p = make_room(m, s.n);
    if (p != NULL) {
      map_ascii(p, s.p, s.n, up ? 'a' : 'A', up ? -32 : 32);
      made(m, p, s.n, s.n);
    }
    return p != NULL;
  }
  const size_t room = 2 * s.n; /* no mapping makes one byte into more than two */
  char *p = make_room(m, room > SP_VIEW_INLINE ? room : SP_VIEW_INLINE + 1);
  if (p == NULL) {
    return false;
  }
  size_t n = 0;
  const char *at = s.p, *end = s.p + s.n;
  while (at < end) {
    uint32_t len;
    const uint32_t cp = sp_utf8_decode(at, end, &len);
    const uint32_t to = up ? sp_char_upper(cp) : sp_char_lower(cp);
    if (to == cp) {
      memcpy(p + n, at, len); /* invalid bytes stay as they are */
      n += len;
    } else {
      n += sp_utf8_encode(to, p + n);
    }
    at += len;
  }
  made(m, p, room > SP_VIEW_INLINE ? room : SP_VIEW_INLINE + 1, n);
  return true;
}
static bool upper(maker *m, const sp_sv *s, const int64_t *number) {
  (void)number;
  return map_case(m, s[0], true);
}
static bool lower(maker *m, const sp_sv *s, const int64_t *number) {
  (void)number;
  return map_case(m, s[0], false);
}

static bool reverse(maker *m, const sp_sv *s, const int64_t *number) {
  (void)number;
  char *p = make_room(m, s->n);
  if (p == NULL) {
    return false;
  }
  for (size_t i = 0; i < s->n;) {
    size_t len = 1;
    while (i + len < s->n && !sp_is_char_start(s->p[i + len])) {
      len++;
    }
    memcpy(p + (s->n - i - len), s->p + i, len);
    i += len;
  }
  made(m, p, s->n, s->n);
  return true;
}

static size_t count_places(sp_sv s, sp_sv x) {
  size_t k = 0;
  const char *at;
  while (x.n > 0 && (at = sp_find_bytes(s.p, s.n, x.p, x.n)) != NULL) {
    k++;
    s.n -= (size_t)(at - s.p) + x.n;
    s.p = at + x.n;
  }
  return k;
}

static bool replace(maker *m, const sp_sv *s, const int64_t *number) {
  (void)number;
  sp_sv rest = s[0];
  const sp_sv from = s[1], to = s[2];
  const size_t places = count_places(rest, from);
  const size_t n = rest.n - places * from.n + places * to.n;
  char *p = make_room(m, n);
  if (p == NULL) {
    return false;
  }
  char *o = p;
  for (size_t i = 0; i < places; i++) {
    const char *at = sp_find_bytes(rest.p, rest.n, from.p, from.n);
    const size_t before = (size_t)(at - rest.p);
    memcpy(o, rest.p, before);
    o += before;
    if (to.n > 0) {
      memcpy(o, to.p, to.n);
      o += to.n;
    }
    rest = (sp_sv){at + from.n, rest.n - before - from.n};
  }
  if (rest.n > 0) {
    memcpy(o, rest.p, rest.n);
  }
  made(m, p, n, n);
  return true;
}

static bool pad(maker *m, const sp_sv *s, int64_t want, bool at_start) {
  const sp_sv fill = s[2].p != NULL ? s[2] : SP_SV(" ");
  const uint64_t have = sp_text_count(s[0].p, s[0].n), fill_chars = sp_text_count(fill.p, fill.n);
  const uint64_t target = want > 0 ? (uint64_t)want : 0;
  const size_t keep = target < have ? sp_text_prefix(s[0].p, s[0].n, target) : s[0].n;
  const uint64_t missing = target > have && fill_chars > 0 ? target - have : 0;
  const uint64_t whole = missing / (fill_chars > 0 ? fill_chars : 1);
  if (whole > LONGEST) {
    (void)make_room(m, SIZE_MAX);
    return false;
  }
  const size_t part = missing > 0 ? sp_text_prefix(fill.p, fill.n, missing % fill_chars) : 0;
  const size_t filled = (size_t)whole * fill.n + part, n = keep + filled;
  char *p = make_room(m, n);
  if (p == NULL) {
    return false;
  }
  char *o = at_start ? p : p + keep;
  for (uint64_t i = 0; i < whole; i++, o += fill.n) {
    memcpy(o, fill.p, fill.n);
  }
  memcpy(o, fill.p, part);
  memcpy(at_start ? p + filled : p, s[0].p, keep);
  made(m, p, n, n);
  return true;
}
static bool lpad(maker *m, const sp_sv *s, const int64_t *number) {
  return pad(m, s, *number, true);
}
static bool rpad(maker *m, const sp_sv *s, const int64_t *number) {
  return pad(m, s, *number, false);
}

/* ---- concat ---- */
static sp_status concat_rows(sp_eval *ev, uint32_t n, const sp_reader *in, sp_column *out) {
  const uint8_t *valid = sp_out_validity(out);
  maker m = {.ev = ev, .heap = sp_heap_of(ev, out)};
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t row = sp_eval_row(ev, i);
    if (valid[row] == 0) {
      continue;
    }
    size_t total = 0;
    for (uint32_t a = 0; a < n; a++) {
      total += ((const sp_view *)in[a].data)[sp_reader_index(&in[a], row)].n;
    }
    m.slot = (sp_view *)sp_out_data(out) + row;
    char *p = make_room(&m, total);
    if (p == NULL) {
      return m.status;
    }
    size_t at = 0;
    for (uint32_t a = 0; a < n; a++) {
      const sp_sv s = text_at(&in[a], row);
      memcpy(p + at, s.p, s.n);
      at += s.n;
    }
    made(&m, p, total, total);
  }
  return SP_OK;
}

static sp_status eval_concat(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                             sp_column **ret) {
  sp_reader *in = SP_ARENA_ARRAY(ev->scratch, sp_reader, n);
  SP_TRY_ALLOC(ev->err, in);
  sp_column *out = sp_out_rows(ev, k->result, args, n);
  SP_TRY_ALLOC(ev->err, out);
  for (uint32_t i = 0; i < n; i++) {
    in[i] = sp_column_reader(args[i]);
  }
  const sp_status st = concat_rows(ev, n, in, out);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}
SP_PREPARE_WITH(prepare_concat, eval_concat)

static sp_status bind_concat(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                             sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  const uint32_t any = SP_TAKES_NUMBER | SP_TAKES_BOOL | SP_TAKES_BYTES | SP_TAKES_DATE | SP_TAKES_DATETIME |
                       SP_TAKES_TIME | SP_TAKES_DURATION;
  bool binary = true;
  for (uint32_t i = 0; i < n; i++) {
    SP_TRY(sp_bind_arg(f, args, i, any, sp_string_type(), ret, loc, err));
    binary = binary && args[i]->type->kind == SP_KIND_BINARY;
  }
  ret->result = sp_type_of(binary ? SP_KIND_BINARY : SP_KIND_STRING);
  for (uint32_t i = 0; i < n; i++) {
    ret->args[i] = ret->result;
  }
  return SP_OK;
}

/* ---- binding ---- */
/* A letter per argument: b string or binary, s string, i int64. */
static sp_status bind_letters(const char *letters, const sp_function *f, const sp_expr *const *args,
                              uint32_t n, sp_binding *ret, const sp_loc *loc, sp_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    if (letters[i] == 'i') {
      SP_TRY(sp_bind_arg_as(f, args, i, SP_TAKES_INT, sp_int64_type(), ret, loc, err));
    } else {
      SP_TRY(sp_bind_arg(f, args, i, letters[i] == 'b' ? SP_TAKES_BYTES : SP_TAKES_STRING, sp_string_type(),
                         ret, loc, err));
    }
  }
  return SP_OK;
}

#define MAKES(NAME, LETTERS, MIN, MAX, SUMMARY)                                                              \
  static sp_status bind_##NAME(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,    \
                               sp_binding *ret, const sp_loc *loc, sp_error *err) {                          \
    (void)a;                                                                                                 \
    ret->result = sp_string_type();                                                                          \
    return bind_letters(LETTERS, f, args, n, ret, loc, err);                                                 \
  }                                                                                                          \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f, (void)call;                                                                                     \
    ret->data = sp_arena_copy(a, &(plan){NAME}, sizeof(plan));                                               \
    SP_TRY_ALLOC(err, ret->data);                                                                            \
    ret->eval = eval_make;                                                                                   \
    return SP_OK;                                                                                            \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT,                                             \
                                          .min_args = MIN,                                                   \
                                          .max_args = MAX,                                                   \
                                          .null_args = 7,                                                    \
                                          .bind = bind_##NAME,                                               \
                                          .prepare = prepare_##NAME};
MAKES(upper, "s", 1, 1, "upper(s): in upper case")
MAKES(lower, "s", 1, 1, "lower(s): in lower case")
MAKES(reverse, "s", 1, 1, "reverse(s): characters from last to first")
MAKES(replace, "sss", 3, 3, "replace(s, from, to): every place of from becomes to")
MAKES(lpad, "sis", 2, 3, "lpad(s, n[, fill]): filled at the start, or cut, to n characters")
MAKES(rpad, "sis", 2, 3, "rpad(s, n[, fill]): filled at the end, or cut, to n characters")

#define COUNTS(NAME, SUMMARY)                                                                                \
  static sp_status bind_##NAME(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,    \
                               sp_binding *ret, const sp_loc *loc, sp_error *err) {                          \
    (void)a;                                                                                                 \
    ret->result = sp_int64_type();                                                                           \
    return bind_letters("b", f, args, n, ret, loc, err);                                                     \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT,                                             \
                                          .min_args = 1,                                                     \
                                          .max_args = 1,                                                     \
                                          .null_args = 1,                                                    \
                                          .bind = bind_##NAME,                                               \
                                          .prepare = prepare_##NAME};
COUNTS(length, "length(s): characters; of binary, bytes")
COUNTS(octet_length, "octet_length(s): bytes")

const sp_function sp_function_concat = {
    .name = "concat",
    .symbol = "||",
    .summary = "concat(a, b, …), a || b: one after the other; null when one is null",
    .flags = SP_FN_STRICT | SP_FN_HORIZONTAL,
    .min_args = 1,
    .max_args = UINT16_MAX,
    .null_args = UINT32_MAX,
    .bind = bind_concat,
    .prepare = prepare_concat};
