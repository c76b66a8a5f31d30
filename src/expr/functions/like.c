/* like(value, pattern[, escape]), contains, starts_with, ends_with: questions to strings.
 *
 * A literal pattern is compiled once; another one anew wherever it differs from the row before.
 * Case-sensitive; without an escape character unless one is given.
 *
 * Example: 'fifty%' LIKE '%\%' ESCAPE '\' is true; contains('abc', 'bc') is true. */
#include "expr/like.h"
#include "expr/kernel.h"

static sp_status bind_strings(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                              sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  for (uint32_t i = 0; i < n; i++) {
    SP_TRY(sp_bind_arg(f, args, i, SP_TAKES_STRING, sp_string_type(), ret, loc, err));
  }
  ret->result = sp_bool_type();
  return SP_OK;
}

/* ---- like ---- */
typedef struct plan {
  const sp_like *compiled; /* NULL: the pattern is no literal */
  char escape;
} plan;

static bool literal_text(const sp_expr *e, sp_sv *ret) {
  if (e->kind != SP_EXPR_LITERAL || e->literal.is_null) {
    return false;
  }
  *ret = e->literal.s;
  return true;
}

static sp_status bind_like(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                           sp_binding *ret, const sp_loc *loc, sp_error *err) {
  SP_TRY(bind_strings(f, args, n, a, ret, loc, err));
  sp_sv text, pattern;
  if (n == 3 && (!literal_text(args[2], &text) || text.n != 1 || (unsigned char)text.p[0] > 127)) {
    SP_FAIL(err, SP_TYPE, loc, "LIKE: ESCAPE takes one ASCII character");
  }
  if (n == 3 && literal_text(args[1], &pattern)) {
    const sp_like *unused;
    const sp_status st = sp_like_compile(a, pattern, text.p[0], &unused, err);
    if (st == SP_EXEC) {
      sp_error_place(err, loc);
    }
    return st;
  }
  return SP_OK;
}

static bool like_can_fail(const sp_expr *call) {
  return call->n_args == 3 && call->args[1]->kind != SP_EXPR_LITERAL;
}

static sp_status eval_like(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                           sp_column **ret) {
  const plan *p = k->data;
  sp_column *out = sp_out_rows(ev, k->result, args, n < 2 ? n : 2);
  SP_TRY_ALLOC(ev->err, out);
  const sp_reader s = sp_column_reader(args[0]), pat = sp_column_reader(args[1]);
  const uint8_t *valid = sp_out_validity(out);
  uint8_t *o = sp_out_data(out);
  const sp_like *l = p->compiled;
  const sp_view *before = NULL;
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    if (valid[r] == 0) {
      continue;
    }
    if (p->compiled == NULL) {
      const sp_view *now = (const sp_view *)pat.data + sp_reader_index(&pat, r);
      if (before == NULL || !sp_view_eq(before, now)) {
        const sp_status st = sp_like_compile(ev->scratch, sp_view_sv(now), p->escape, &l, ev->err);
        if (st != SP_OK) {
          sp_column_unref(out);
          return st;
        }
        before = now;
      }
    }
    const sp_view *v = (const sp_view *)s.data + sp_reader_index(&s, r);
    o[r] = sp_like_match(l, sp_view_ptr(v), v->n);
  }
  *ret = out;
  return SP_OK;
}

static sp_status prepare_like(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                              sp_error *err) {
  (void)f;
  plan *p = SP_ARENA_NEW(a, plan);
  SP_TRY_ALLOC(err, p);
  sp_sv text;
  if (call->n_args == 3 && literal_text(call->args[2], &text)) {
    p->escape = text.p[0];
  }
  if (literal_text(call->args[1], &text)) {
    SP_TRY(sp_like_compile(a, text, p->escape, &p->compiled, err));
  }
  ret->data = p;
  ret->eval = eval_like;
  return SP_OK;
}

/* ---- contains, starts_with, ends_with ---- */
typedef bool (*test_fn)(const sp_view *s, const sp_view *x);

static bool contains(const sp_view *s, const sp_view *x) {
  return sp_find_bytes(sp_view_ptr(s), s->n, sp_view_ptr(x), x->n) != NULL;
}

static bool starts_with(const sp_view *s, const sp_view *x) {
  return s->n >= x->n && (x->n == 0 || memcmp(sp_view_ptr(s), sp_view_ptr(x), x->n) == 0);
}

static bool ends_with(const sp_view *s, const sp_view *x) {
  return s->n >= x->n && (x->n == 0 || memcmp(sp_view_ptr(s) + (s->n - x->n), sp_view_ptr(x), x->n) == 0);
}

static sp_status eval_test(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                           test_fn test, sp_column **ret) {
  sp_column *out = sp_out_rows(ev, k->result, args, n);
  SP_TRY_ALLOC(ev->err, out);
  const sp_reader s = sp_column_reader(args[0]), x = sp_column_reader(args[1]);
  const uint8_t *valid = sp_out_validity(out);
  uint8_t *o = sp_out_data(out);
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    if (valid[r] != 0) {
      o[r] = test((const sp_view *)s.data + sp_reader_index(&s, r),
                  (const sp_view *)x.data + sp_reader_index(&x, r));
    }
  }
  *ret = out;
  return SP_OK;
}

#define STRING_TEST(NAME, SUMMARY)                                                                           \
  static sp_status eval_##NAME(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,    \
                               sp_column **ret) {                                                            \
    return eval_test(k, ev, args, n, NAME, ret);                                                             \
  }                                                                                                          \
  SP_PREPARE_WITH(prepare_##NAME, eval_##NAME)                                                               \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT | SP_FN_PREDICATE,                           \
                                          .min_args = 2,                                                     \
                                          .max_args = 2,                                                     \
                                          .null_args = 3,                                                    \
                                          .bind = bind_strings,                                              \
                                          .prepare = prepare_##NAME};
STRING_TEST(contains, "contains(s, x): is x somewhere in s? Literally, by bytes")
STRING_TEST(starts_with, "starts_with(s, x): does s begin with x?")
STRING_TEST(ends_with, "ends_with(s, x): does s end with x?")

const sp_function sp_function_like = {
    .name = "like",
    .symbol = "LIKE",
    .summary = "s LIKE pattern [ESCAPE c]: % stands for any characters, _ for one; case-sensitive",
    .flags = SP_FN_STRICT | SP_FN_PREDICATE,
    .min_args = 2,
    .max_args = 3,
    .null_args = 3,
    .bind = bind_like,
    .prepare = prepare_like,
    .fallible = like_can_fail};
