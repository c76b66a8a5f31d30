/* is_null, is_not_null, coalesce, nullif, case.
 *
 * case and coalesce are lazy: the program evaluates a branch for the rows that reach it, and what it holds
 * elsewhere is never looked at, because each branch is copied only where it is chosen.
 *
 * Example: case(x <> 0, 1 // x, x > 5, 2, 3) over x = 0, null, 4: 0 fails both conditions and gives 3, null
 * <> 0 is not true and gives 3, 4 gives 0. */
#include "expr/kernel.h"

/* ---- is_null, is_not_null ---- */
static sp_status eval_validity(sp_eval *ev, const sp_column *c, uint8_t negate, sp_column **ret) {
  sp_column *out = sp_out_flat(ev, sp_bool_type(), false);
  SP_TRY_ALLOC(ev->err, out);
  uint8_t *o = sp_out_data(out);
  memset(o, c->type->kind != SP_KIND_NULL, ev->length);
  sp_validity_and(o, c, ev->length);
  for (uint32_t i = 0; negate && i < ev->length; i++) {
    o[i] ^= 1;
  }
  *ret = out;
  return SP_OK;
}

static sp_status eval_is_null(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                              sp_column **ret) {
  (void)k, (void)n;
  return eval_validity(ev, args[0], 1, ret);
}

static sp_status eval_is_not_null(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                                  sp_column **ret) {
  (void)k, (void)n;
  return eval_validity(ev, args[0], 0, ret);
}

static sp_status bind_any(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                          sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)f, (void)args, (void)n, (void)a, (void)loc, (void)err;
  ret->result = sp_bool_type();
  return SP_OK;
}
SP_PREPARE_WITH(prepare_is_null, eval_is_null)
SP_PREPARE_WITH(prepare_is_not_null, eval_is_not_null)

/* ---- coalesce ---- */
static sp_status same_type(const sp_function *f, const sp_expr *const *args, uint32_t first, uint32_t step,
                           uint32_t n, const sp_type **ret, const sp_loc *loc, sp_error *err) {
  const sp_type *t = args[first]->type;
  for (uint32_t i = first; i < n; i += step) {
    const sp_type *u = args[i]->type;
    if (t->kind == SP_KIND_NULL) {
      t = u;
    }
    if ((u != t && u->kind != SP_KIND_NULL) || u->kind == SP_KIND_INTERVAL) {
      SP_FAIL(err, SP_TYPE, loc, "%s: argument %u is %s, and others are %s", f->name, i + 1, u->name,
              t->name);
    }
  }
  *ret = t;
  return SP_OK;
}

static sp_status bind_coalesce(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                               sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  SP_TRY(same_type(f, args, 0, 1, n, &ret->result, loc, err));
  for (uint32_t i = 0; i < n; i++) {
    ret->args[i] = ret->result;
  }
  return SP_OK;
}

/* left: rows where nothing valid has been found. */
static sp_status eval_coalesce(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                               sp_column **ret) {
  sp_blend b;
  SP_TRY(sp_blend_begin(ev, k->result, &b));
  sp_buf *left = sp_buf_new(ev->mk.pool, ev->mk.mem, ev->length);
  sp_status st = left != NULL ? SP_OK : sp_error_nomem(ev->err);
  if (left != NULL) {
    memset(left->data, 1, ev->length);
  }
  for (uint32_t i = 0; st == SP_OK && i < n; i++) {
    st = sp_blend_add(&b, args[i], i > 0 ? left->data : NULL);
    const uint8_t *valid = b.out->validity->data;
    for (uint32_t r = 0; r < ev->length; r++) {
      left->data[r] = valid[r] ^ 1;
    }
  }
  sp_buf_unref(left);
  if (st != SP_OK) {
    sp_blend_abort(&b);
    return st;
  }
  *ret = sp_blend_end(&b);
  return SP_OK;
}
SP_PREPARE_WITH(prepare_coalesce, eval_coalesce)

/* ---- nullif ---- */
static sp_status bind_nullif(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                             sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  SP_TRY(same_type(f, args, 0, 1, 2, &ret->result, loc, err));
  ret->args[0] = ret->args[1] = ret->result;
  return SP_OK;
}

static sp_status eval_nullif(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                             sp_column **ret) {
  sp_column *equal = sp_out_rows(ev, sp_bool_type(), args, n);
  SP_TRY_ALLOC(ev->err, equal);
  sp_blend b = {0};
  sp_status st = sp_equal_bytes(ev, args, sp_out_validity(equal), sp_out_data(equal));
  if (st == SP_OK) {
    st = sp_blend_begin(ev, k->result, &b);
  }
  if (st == SP_OK) {
    uint8_t *take = sp_out_data(equal);
    const uint8_t *valid = sp_out_validity(equal);
    for (uint32_t r = 0; r < ev->length; r++) {
      take[r] = (uint8_t)((take[r] & valid[r]) ^ 1);
    }
    st = sp_blend_add(&b, args[0], take);
  }
  sp_column_unref(equal);
  if (st != SP_OK) {
    sp_blend_abort(&b);
    return st;
  }
  *ret = sp_blend_end(&b);
  return SP_OK;
}
SP_PREPARE_WITH(prepare_nullif, eval_nullif)

/* ---- case ---- */
static sp_status bind_case(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                           sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  const sp_type *t = args[1]->type;
  for (uint32_t i = 0; i + 1 < n; i += 2) {
    SP_TRY(sp_bind_arg(f, args, i, SP_TAKES_BOOL, sp_bool_type(), ret, loc, err));
  }
  SP_TRY(same_type(f, args, 1, 2, n, &t, loc, err));
  if (n % 2 == 1) {
    const sp_expr *pair[2] = {args[n - 1], args[1]};
    const sp_type *last = args[n - 1]->type;
    if (t->kind == SP_KIND_NULL) {
      t = last;
    } else if (last->kind != SP_KIND_NULL && last != t) {
      return sp_bind_none(f, pair, 2, loc, err);
    }
    ret->args[n - 1] = t;
  }
  for (uint32_t i = 1; i < n; i += 2) {
    ret->args[i] = t;
  }
  ret->result = t;
  return SP_OK;
}

/* take = left and true; left loses them. */
SP_CLONES static void split_rows(uint8_t *restrict take, uint8_t *restrict left, const uint8_t *restrict cond,
                                 uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    take[i] = (uint8_t)(left[i] & cond[i]);
    left[i] = (uint8_t)(left[i] & (take[i] ^ 1));
  }
}

/* true bytes of a condition into dst; false when out of memory */
static sp_status true_bytes(sp_eval *ev, const sp_column *c, uint8_t *dst) {
  sp_input in;
  SP_TRY(sp_input_open(ev, c, &in));
  if (in.is_const) {
    memset(dst, ((const uint8_t *)in.data)[0] != 0, ev->length);
  } else {
    memcpy(dst, in.data, ev->length);
  }
  sp_validity_and(dst, c, ev->length);
  sp_input_close(&in);
  return SP_OK;
}

static sp_status eval_branches(sp_eval *ev, const sp_column *const *args, uint32_t n, sp_blend *b,
                               uint8_t *masks) {
  uint8_t *left = masks, *take = masks + ev->length, *cond = masks + 2 * (size_t)ev->length;
  memset(left, 1, ev->length);
  for (uint32_t i = 0; i + 1 < n; i += 2) {
    SP_TRY(true_bytes(ev, args[i], cond));
    split_rows(take, left, cond, ev->length);
    SP_TRY(sp_blend_add(b, args[i + 1], take));
  }
  return n % 2 == 1 ? sp_blend_add(b, args[n - 1], left) : SP_OK;
}

static sp_status eval_case(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                           sp_column **ret) {
  sp_blend b;
  SP_TRY(sp_blend_begin(ev, k->result, &b));
  sp_buf *masks = sp_buf_new(ev->mk.pool, ev->mk.mem, 3 * (size_t)ev->length);
  const sp_status st = masks != NULL ? eval_branches(ev, args, n, &b, masks->data) : sp_error_nomem(ev->err);
  sp_buf_unref(masks);
  if (st != SP_OK) {
    sp_blend_abort(&b);
    return st;
  }
  *ret = sp_blend_end(&b);
  return SP_OK;
}
SP_PREPARE_WITH(prepare_case, eval_case)

const sp_function sp_function_is_null = {.name = "is_null",
                                         .summary = "x IS NULL: true where x is null; never null",
                                         .min_args = 1,
                                         .max_args = 1,
                                         .bind = bind_any,
                                         .prepare = prepare_is_null};
const sp_function sp_function_is_not_null = {.name = "is_not_null",
                                             .summary = "x IS NOT NULL: true where x is not null; never null",
                                             .flags = SP_FN_PREDICATE,
                                             .min_args = 1,
                                             .max_args = 1,
                                             .null_args = 1,
                                             .bind = bind_any,
                                             .prepare = prepare_is_not_null};
const sp_function sp_function_coalesce = {
    .name = "coalesce",
    .summary = "coalesce(a, b, …): the first that is not null; b is evaluated only where a is null",
    .flags = SP_FN_LAZY | SP_FN_HORIZONTAL | SP_FN_SAME_TYPE,
    .min_args = 1,
    .max_args = UINT16_MAX,
    .reach = SP_REACH_NULL,
    .bind = bind_coalesce,
    .prepare = prepare_coalesce};
const sp_function sp_function_nullif = {.name = "nullif",
                                        .summary = "nullif(a, b): null where a equals b, else a",
                                        .flags = SP_FN_SAME_TYPE,
                                        .min_args = 2,
                                        .max_args = 2,
                                        .null_args = 1,
                                        .bind = bind_nullif,
                                        .prepare = prepare_nullif};
const sp_function sp_function_case = {
    .name = "case",
    .symbol = NULL,
    .summary =
        "CASE WHEN c THEN v … ELSE e END: the value of the first condition that is true; else e or null",
    .flags = SP_FN_LAZY,
    .min_args = 2,
    .max_args = UINT16_MAX,
    .reach = SP_REACH_CASE,
    .bind = bind_case,
    .prepare = prepare_case};
