/* substring, left, right, trim, ltrim, rtrim, split_part: parts of strings. They are views into the bytes of
 * the argument, nothing is copied.
 *
 *   substring(s, start[, len])  characters from position start (from 1) on; positions before 1 count and are
 * empty, as in SQL: substring('hello', -1, 4) is 'he'. A negative length is empty left(s, n), right(s, n) the
 * first, last n characters; negative n: all but that many trim(s[, chars])            without the given
 * characters (spaces) at both ends split_part(s, sep, n)       the n-th part between separators, from 1,
 * negative from the end; '' when there is none
 *
 * Example: left('Grüße', 3) is 'Grü'; split_part('a-b-c', '-', 2) is 'b'; rtrim('xxyy', 'y') is 'xx'. */
#include "expr/kernel.h"
#include "expr/like.h"
#include "expr/text_case.h"

/* What a kernel sees of one row. */
typedef struct row_args {
  sp_sv s, x;   /* the string; a second one, if any */
  int64_t i, j; /* whole numbers, if any */
  uint32_t n_args;
} row_args;
typedef sp_sv (*part_fn)(const row_args *r);

typedef struct plan {
  part_fn part;
} plan;

static sp_sv text_at(const sp_reader *r, uint32_t row) {
  return sp_view_sv((const sp_view *)r->data + sp_reader_index(r, row));
}

static int64_t number_at(const sp_reader *r, uint32_t row) {
  return ((const int64_t *)r->data)[sp_reader_index(r, row)];
}

static sp_status eval_part(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                           sp_column **ret) {
  const plan *p = k->data;
  sp_column *out = sp_out_rows(ev, k->result, args, n);
  if (out == NULL || !sp_column_add_heaps_of(out, args[0])) {
    sp_column_unref(out);
    return sp_error_nomem(ev->err);
  }
  sp_reader in[3];
  for (uint32_t i = 0; i < n; i++) {
    in[i] = sp_column_reader(args[i]);
  }
  const uint8_t *valid = sp_out_validity(out);
  sp_view *o = sp_out_data(out);
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t row = sp_eval_row(ev, i);
    if (valid[row] == 0) {
      continue;
    }
    row_args r = {.s = text_at(&in[0], row), .n_args = n};
    for (uint32_t a = 1; a < n; a++) {
      if (sp_type_is_bytes(args[a]->type)) {
        r.x = text_at(&in[a], row);
      } else if (a == 1) {
        r.i = number_at(&in[a], row);
      } else {
        r.j = number_at(&in[a], row);
      }
    }
    const sp_sv part = p->part(&r);
    o[row] = sp_view_make(part.p, (uint32_t)part.n);
  }
  *ret = out;
  return SP_OK;
}

/* ---- the parts ---- */
static sp_sv substring(const row_args *r) {
  int64_t from = r->i, end;
  if (r->n_args < 3 || __builtin_add_overflow(from, r->j, &end)) {
    end = r->n_args < 3 || r->j > 0 ? INT64_MAX : INT64_MIN;
  }
  from = from < 1 ? 1 : from;
  if (end <= from) {
    return (sp_sv){r->s.p, 0};
  }
  const size_t skip = sp_text_prefix(r->s.p, r->s.n, (uint64_t)from - 1);
  const char *p = r->s.p + skip;
  return (sp_sv){p, sp_text_prefix(p, r->s.n - skip, (uint64_t)(end - from))};
}

static uint64_t magnitude(int64_t i) {
  return i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
}

static sp_sv left(const row_args *r) {
  const size_t n = r->i >= 0 ? sp_text_prefix(r->s.p, r->s.n, (uint64_t)r->i)
                             : sp_text_suffix(r->s.p, r->s.n, magnitude(r->i));
  return (sp_sv){r->s.p, n};
}

static sp_sv right(const row_args *r) {
  const size_t skip = r->i >= 0 ? sp_text_suffix(r->s.p, r->s.n, (uint64_t)r->i)
                                : sp_text_prefix(r->s.p, r->s.n, magnitude(r->i));
  return (sp_sv){r->s.p + skip, r->s.n - skip};
}

/* Is the character s[0 .. n) one of chars? */
static bool is_one_of(sp_sv chars, const char *s, size_t n) {
  for (size_t i = 0; i + n <= chars.n; i++) {
    if (sp_is_char_start(chars.p[i]) && memcmp(chars.p + i, s, n) == 0 &&
        (i + n == chars.n || sp_is_char_start(chars.p[i + n]))) {
      return true;
    }
  }
  return false;
}

static sp_sv trim_ends(const row_args *r, bool start, bool end) {
  const sp_sv chars = r->n_args > 1 ? r->x : SP_SV(" ");
  sp_sv s = r->s;
  while (start && s.n > 0) {
    const size_t n = sp_text_prefix(s.p, s.n, 1);
    if (!is_one_of(chars, s.p, n)) {
      break;
    }
    s = (sp_sv){s.p + n, s.n - n};
  }
  while (end && s.n > 0) {
    const size_t at = sp_text_suffix(s.p, s.n, 1);
    if (!is_one_of(chars, s.p + at, s.n - at)) {
      break;
    }
    s.n = at;
  }
  return s;
}
static sp_sv trim(const row_args *r) {
  return trim_ends(r, true, true);
}
static sp_sv ltrim(const row_args *r) {
  return trim_ends(r, true, false);
}
static sp_sv rtrim(const row_args *r) {
  return trim_ends(r, false, true);
}

/* One separator on; s becomes what is behind it. False when there is none. */
static bool next_part(sp_sv *s, sp_sv sep, sp_sv *ret) {
  const char *at = sep.n > 0 ? sp_find_bytes(s->p, s->n, sep.p, sep.n) : NULL;
  if (at == NULL) {
    *ret = *s;
    return false;
  }
  *ret = (sp_sv){s->p, (size_t)(at - s->p)};
  s->n -= ret->n + sep.n;
  s->p = at + sep.n;
  return true;
}

static sp_sv split_part(const row_args *r) {
  sp_sv s = r->s, part = {r->s.p, 0};
  int64_t want = r->j;
  if (want < 0) {
    int64_t parts = 1;
    while (next_part(&s, r->x, &part)) {
      parts++;
    }
    want += parts + 1;
    s = r->s;
  }
  for (int64_t i = 1; want > 0; i++) {
    const bool more = next_part(&s, r->x, &part);
    if (i == want) {
      return part;
    }
    if (!more) {
      break;
    }
  }
  return (sp_sv){r->s.p, 0};
}

/* ---- binding ---- */
/* A letter per argument: s string, i int64. */
static sp_status bind_letters(const char *letters, const sp_function *f, const sp_expr *const *args,
                              uint32_t n, sp_binding *ret, const sp_loc *loc, sp_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    if (letters[i] == 's') {
      SP_TRY(sp_bind_arg(f, args, i, SP_TAKES_STRING, sp_string_type(), ret, loc, err));
    } else {
      SP_TRY(sp_bind_arg_as(f, args, i, SP_TAKES_INT, sp_int64_type(), ret, loc, err));
    }
  }
  ret->result = sp_string_type();
  return SP_OK;
}

#define PART(NAME, LETTERS, MIN, MAX, SUMMARY)                                                               \
  static sp_status bind_##NAME(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,    \
                               sp_binding *ret, const sp_loc *loc, sp_error *err) {                          \
    (void)a;                                                                                                 \
    return bind_letters(LETTERS, f, args, n, ret, loc, err);                                                 \
  }                                                                                                          \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f, (void)call;                                                                                     \
    ret->data = sp_arena_copy(a, &(plan){NAME}, sizeof(plan));                                               \
    SP_TRY_ALLOC(err, ret->data);                                                                            \
    ret->eval = eval_part;                                                                                   \
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
PART(substring, "sii", 2, 3, "substring(s, start[, len]): characters from position start, counted from 1")
PART(left, "si", 2, 2, "left(s, n): the first n characters; negative n: all but the last -n")
PART(right, "si", 2, 2, "right(s, n): the last n characters; negative n: all but the first -n")
PART(trim, "ss", 1, 2, "trim(s[, chars]): without spaces, or the given characters, at both ends")
PART(ltrim, "ss", 1, 2, "ltrim(s[, chars]): without spaces, or the given characters, at the start")
PART(rtrim, "ss", 1, 2, "rtrim(s[, chars]): without spaces, or the given characters, at the end")
PART(split_part, "ssi", 3, 3,
     "split_part(s, sep, n): the n-th part between separators, from 1; negative from the end")
