/* Shared parts of kernels: see kernel.h.
 *
 * Example: `price * 2` over 8,192 rows opens price as a vector and 2 as a constant, makes an output whose
 * validity is price's own buffer (one more reference, no copy), and runs one multiplication loop over all
 * rows, meant or not. */
#include "expr/kernel.h"

/* ---- bind ---- */
static uint32_t takes_of(const sp_type *t) {
  switch (t->family) {
  case SP_FAMILY_NULL:
    return 0;
  case SP_FAMILY_BOOL:
    return SP_TAKES_BOOL;
  case SP_FAMILY_SIGNED:
  case SP_FAMILY_UNSIGNED:
    return SP_TAKES_INT;
  case SP_FAMILY_FLOAT:
    return SP_TAKES_FLOAT;
  case SP_FAMILY_DECIMAL:
    return SP_TAKES_DECIMAL;
  case SP_FAMILY_STRING:
    return SP_TAKES_STRING;
  case SP_FAMILY_BINARY:
    return SP_TAKES_BINARY;
  case SP_FAMILY_TEMPORAL:
    return t->kind == SP_KIND_DATE       ? SP_TAKES_DATE
           : t->kind == SP_KIND_DATETIME ? SP_TAKES_DATETIME
           : t->kind == SP_KIND_TIME     ? SP_TAKES_TIME
           : t->kind == SP_KIND_DURATION ? SP_TAKES_DURATION
                                         : 0;
  }
  return 0;
}

/* "a string or binary", "a number". */
static void describe_takes(uint32_t takes, sp_str *out) {
  static const struct {
    uint32_t bits;
    const char *name;
  } names[] = {
      {SP_TAKES_NUMBER, "a number"}, {SP_TAKES_BOOL, "a bool"},        {SP_TAKES_INT, "an integer"},
      {SP_TAKES_FLOAT, "a float"},   {SP_TAKES_DECIMAL, "a decimal"},  {SP_TAKES_STRING, "a string"},
      {SP_TAKES_BINARY, "binary"},   {SP_TAKES_DATE, "a date"},        {SP_TAKES_DATETIME, "a datetime"},
      {SP_TAKES_TIME, "a time"},     {SP_TAKES_DURATION, "a duration"}};
  bool first = true;
  for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if ((takes & names[i].bits) == names[i].bits) {
      takes &= ~names[i].bits;
      sp_str_addf(out, "%s%s", first ? "" : takes == 0 ? " or " : ", ", names[i].name);
      first = false;
    }
  }
}

sp_status sp_bind_arg(const sp_function *f, const sp_expr *const *args, uint32_t i, uint32_t takes,
                      const sp_type *if_null, sp_binding *ret, const sp_loc *loc, sp_error *err) {
  const sp_type *t = args[i]->type;
  if (t->kind == SP_KIND_NULL) {
    ret->args[i] = if_null;
    return SP_OK;
  }
  if ((takes_of(t) & takes) != 0) {
    return SP_OK;
  }
  sp_str want;
  sp_str_init(&want, sp_mem_process(), 200);
  describe_takes(takes, &want);
  const sp_status st =
      sp_error_set(err, SP_TYPE, loc, "%s: argument %u must be %s, not %s", f->name, i + 1, want.p, t->name);
  sp_str_release(&want);
  return st;
}

sp_status sp_bind_arg_as(const sp_function *f, const sp_expr *const *args, uint32_t i, uint32_t takes,
                         const sp_type *t, sp_binding *ret, const sp_loc *loc, sp_error *err) {
  SP_TRY(sp_bind_arg(f, args, i, takes, t, ret, loc, err));
  ret->args[i] = t;
  return SP_OK;
}

sp_status sp_bind_literal(const sp_function *f, const sp_expr *const *args, uint32_t i, const sp_loc *loc,
                          sp_error *err) {
  if (args[i]->kind != SP_EXPR_LITERAL || args[i]->literal.is_null) {
    SP_FAIL(err, SP_TYPE, loc, "%s: argument %u must be a literal", f->name, i + 1);
  }
  return SP_OK;
}

sp_status sp_bind_none(const sp_function *f, const sp_expr *const *args, uint32_t n, const sp_loc *loc,
                       sp_error *err) {
  const char *name = f->symbol != NULL ? f->symbol : f->name;
  if (n == 1) {
    SP_FAIL(err, SP_TYPE, loc, "`%s` does not take %s", name, args[0]->type->name);
  }
  SP_FAIL(err, SP_TYPE, loc, "`%s` does not take %s and %s", name, args[0]->type->name, args[1]->type->name);
}

/* ---- inputs ---- */
sp_status sp_input_open(sp_eval *ev, const sp_column *c, sp_input *ret) {
  *ret = (sp_input){0};
  if (c->encoding == SP_DICT) {
    ret->own = sp_column_flatten(ev->mk, c);
    SP_TRY_ALLOC(ev->err, ret->own);
    c = ret->own;
  }
  const sp_reader r = sp_column_reader(c);
  ret->data = r.data;
  ret->is_const = r.is_const;
  return SP_OK;
}

void sp_input_close(sp_input *in) {
  in->own = sp_column_unref(in->own);
}

/* ---- outputs ---- */
sp_column *sp_out_flat(sp_eval *ev, const sp_type *t, bool with_validity) {
  return sp_column_flat(ev->mk, t, ev->length, with_validity);
}

SP_CLONES static void and_bytes(uint8_t *restrict dst, const uint8_t *restrict src, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    dst[i] = (uint8_t)(dst[i] & src[i]);
  }
}

void sp_validity_and(uint8_t *dst, const sp_column *c, uint32_t length) {
  const sp_reader r = sp_column_reader(c);
  if (r.validity == NULL) {
    return;
  }
  if (r.is_const) {
    if (r.validity[0] == 0) {
      memset(dst, 0, length);
    }
    return;
  }
  and_bytes(dst, r.validity, length);
}

/* The one argument whose validity buffer can serve as the result's; false when there are several or it is
 * shifted. */
static bool sole_validity(const sp_column *const *args, uint32_t n, sp_buf **ret, bool *ret_none) {
  sp_buf *found = NULL;
  *ret_none = true;
  for (uint32_t i = 0; i < n; i++) {
    sp_buf *v = args[i]->validity;
    if (v == NULL) {
      continue;
    }
    *ret_none = false;
    if ((found != NULL && found != v) || args[i]->encoding == SP_CONST || args[i]->offset != 0) {
      return false;
    }
    found = v;
  }
  *ret = found;
  return found != NULL;
}

sp_column *sp_out_strict(sp_eval *ev, const sp_type *t, const sp_column *const *args, uint32_t n) {
  sp_buf *shared = NULL;
  bool none;
  if (sole_validity(args, n, &shared, &none)) {
    sp_column *c = sp_out_flat(ev, t, false);
    if (c != NULL) {
      c->validity = sp_buf_ref(shared);
    }
    return c;
  }
  sp_column *c = sp_out_flat(ev, t, !none);
  for (uint32_t i = 0; c != NULL && !none && i < n; i++) {
    sp_validity_and(c->validity->data, args[i], ev->length);
  }
  return c;
}

sp_column *sp_out_rows(sp_eval *ev, const sp_type *t, const sp_column *const *args, uint32_t n) {
  sp_column *c = sp_out_flat(ev, t, true);
  if (c == NULL) {
    return NULL;
  }
  memset(c->values->data, 0, (size_t)ev->length * t->width);
  for (uint32_t i = 0; i < n; i++) {
    sp_validity_and(c->validity->data, args[i], ev->length);
  }
  return c;
}

#define HEAP_CHUNK ((size_t)32 << 10)
char *sp_heap_room(sp_heap *h, size_t n) {
  if (n > h->left) {
    const size_t size = n > HEAP_CHUNK ? n : HEAP_CHUNK;
    sp_buf *b = sp_buf_new(h->ev->mk.pool, h->ev->mk.mem, size);
    if (b == NULL) {
      return NULL;
    }
    b->size = size;
    const bool added = sp_column_add_heap(h->col, b);
    h->at = b->data;
    h->left = size;
    sp_buf_unref(b);
    if (!added) {
      h->left = 0;
      return NULL;
    }
  }
  char *p = (char *)h->at;
  h->at += n;
  h->left -= n;
  return p;
}

/* ---- loops over numbers ---- */
typedef struct loop_data {
  sp_binary_fn binary;
  sp_unary_fn unary;
} loop_data;

void sp_binary_run(sp_binary_fn fn, void *out, const sp_input *a, const sp_input *b, uint32_t n,
                   uint32_t width) {
  if (a->is_const && b->is_const) {
    fn(out, a->data, b->data, 1, SP_VEC_VEC);
    for (uint32_t i = 1; i < n; i++) {
      memcpy((uint8_t *)out + (size_t)i * width, out, width);
    }
    return;
  }
  fn(out, a->data, b->data, n, a->is_const ? SP_CONST_VEC : b->is_const ? SP_VEC_CONST : SP_VEC_VEC);
}

static sp_status eval_binary(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                             sp_column **ret) {
  const loop_data *d = k->data;
  sp_input a = {0}, b = {0};
  sp_status st = sp_input_open(ev, args[0], &a);
  if (st == SP_OK) {
    st = sp_input_open(ev, args[1], &b);
  }
  sp_column *out = st == SP_OK ? sp_out_strict(ev, k->result, args, n_args) : NULL;
  if (out != NULL) {
    sp_binary_run(d->binary, sp_out_data(out), &a, &b, ev->length, k->result->width);
    *ret = out;
  } else if (st == SP_OK) {
    st = sp_error_nomem(ev->err);
  }
  sp_input_close(&a);
  sp_input_close(&b);
  return st;
}

static sp_status eval_unary(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                            sp_column **ret) {
  const loop_data *d = k->data;
  sp_input a = {0};
  SP_TRY(sp_input_open(ev, args[0], &a));
  sp_column *out = sp_out_strict(ev, k->result, args, n_args);
  if (out != NULL) {
    d->unary(sp_out_data(out), a.data, a.is_const ? 1 : ev->length);
    for (uint32_t i = 1; a.is_const && i < ev->length; i++) {
      memcpy((uint8_t *)sp_out_data(out) + (size_t)i * k->result->width, sp_out_data(out), k->result->width);
    }
  }
  sp_input_close(&a);
  SP_TRY_ALLOC(ev->err, out);
  *ret = out;
  return SP_OK;
}

static sp_status keep_loop(sp_kernel *k, sp_arena *a, loop_data d, sp_kernel_fn eval, sp_error *err) {
  k->data = sp_arena_copy(a, &d, sizeof d);
  SP_TRY_ALLOC(err, k->data);
  k->eval = eval;
  return SP_OK;
}

sp_status sp_kernel_binary(sp_kernel *k, sp_arena *a, sp_binary_fn fn, sp_error *err) {
  return keep_loop(k, a, (loop_data){.binary = fn}, eval_binary, err);
}

sp_status sp_kernel_unary(sp_kernel *k, sp_arena *a, sp_unary_fn fn, sp_error *err) {
  return keep_loop(k, a, (loop_data){.unary = fn}, eval_unary, err);
}
