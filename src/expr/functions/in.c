/* in(value, literals…): is the value one of the list? As x = a OR x = b OR …: with a null in the list, a
 * value that is not found is null.
 *
 * The list is prepared: up to 8 numbers are compared one by one over all rows, which vectorises; longer lists
 * and strings become a hash set, of 64-bit keys (floats by their bits, -0.0 as 0.0 and all NaNs alike),
 * 128-bit decimals or views.
 *
 * Example: 3 IN (1, 2, null) is null; 2 IN (1, 2, null) is true; NaN IN (NaN) is true. */
#include "expr/kernel.h"

#define FEW 8

typedef struct plan {
  bool has_null;
  uint32_t n;       /* values */
  uint32_t n_slots; /* a power of two */
  uint32_t *slots;  /* 1 + index of a value */
  uint64_t *keys;   /* numbers to 64 bits */
  sp_i128 *wide;
  sp_view *views;
} plan;

static uint64_t float_key(double x) {
  uint64_t bits;
  x = x == 0 ? 0 : x != x ? (double)__builtin_nan("") : x;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static uint64_t key_of(const sp_type *t, const void *p) {
  switch (t->phys) {
  case SP_PHYS_I8:
  case SP_PHYS_U8:
    return *(const uint8_t *)p;
  case SP_PHYS_I16:
  case SP_PHYS_U16:
    return *(const uint16_t *)p;
  case SP_PHYS_I32:
  case SP_PHYS_U32:
    return *(const uint32_t *)p;
  case SP_PHYS_I64:
  case SP_PHYS_U64:
    return *(const uint64_t *)p;
  case SP_PHYS_F32:
    return float_key((double)*(const float *)p);
  case SP_PHYS_F64:
    return float_key(*(const double *)p);
  case SP_PHYS_NONE:
  case SP_PHYS_I128:
  case SP_PHYS_VIEW:
  case SP_PHYS_INTERVAL:
    break;
  }
  return 0;
}

static uint64_t hash_view(const sp_view *v) {
  return sp_hash_bytes(sp_view_ptr(v), v->n, 0);
}

static uint64_t hash_wide(sp_i128 v) {
  return sp_hash_combine((uint64_t)v, (uint64_t)(v >> 64));
}

/* ---- preparing ---- */
static void insert(plan *p, uint64_t h, uint32_t i) {
  while (p->slots[h & (p->n_slots - 1)] != 0) {
    h++;
  }
  p->slots[h & (p->n_slots - 1)] = i + 1;
}

static void add_value(plan *p, const sp_type *t, const sp_value *v) {
  sp_i128 slot = 0;
  sp_value_store(v, &slot);
  const uint32_t i = p->n++;
  if (t->phys == SP_PHYS_VIEW) {
    memcpy(&p->views[i], &slot, sizeof slot);
    insert(p, hash_view(&p->views[i]), i);
  } else if (t->phys == SP_PHYS_I128) {
    p->wide[i] = slot;
    insert(p, hash_wide(slot), i);
  } else {
    p->keys[i] = key_of(t, &slot);
    insert(p, sp_hash_u64(p->keys[i]), i);
  }
}

static sp_status eval_in(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                         sp_column **ret);

static sp_status prepare_in(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                            sp_error *err) {
  const sp_type *t = call->args[0]->type;
  const uint32_t n = call->n_args - 1;
  plan *p = SP_ARENA_NEW(a, plan);
  SP_TRY_ALLOC(err, p);
  p->n_slots = 16;
  while (p->n_slots < 2 * n) {
    p->n_slots *= 2;
  }
  p->slots = SP_ARENA_ARRAY(a, uint32_t, p->n_slots);
  p->keys = SP_ARENA_ARRAY(a, uint64_t, n);
  p->wide = SP_ARENA_ARRAY(a, sp_i128, n);
  p->views = SP_ARENA_ARRAY(a, sp_view, n);
  if (p->slots == NULL || p->keys == NULL || p->wide == NULL || p->views == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 1; i <= n; i++) {
    if (call->args[i]->kind != SP_EXPR_LITERAL) {
      SP_FAIL(err, SP_INTERNAL, NULL, "%s: argument %u is no literal", f->name, i + 1);
    }
    if (call->args[i]->literal.is_null) {
      p->has_null = true;
    } else {
      add_value(p, t, &call->args[i]->literal);
    }
  }
  ret->data = p;
  ret->eval = eval_in;
  ret->strict = 1;
  return SP_OK;
}

/* ---- kernels ---- */
#define FEW_LOOP(suffix, T)                                                                                  \
  SP_CLONES static void few_##suffix(uint8_t *restrict out, const T *v, const uint64_t *keys,                \
                                     uint32_t n_keys, uint32_t n) {                                          \
    memset(out, 0, n);                                                                                       \
    for (uint32_t k = 0; k < n_keys; k++) {                                                                  \
      const T key = (T)keys[k];                                                                              \
      for (uint32_t i = 0; i < n; i++) {                                                                     \
        out[i] = (uint8_t)(out[i] | (v[i] == key));                                                          \
      }                                                                                                      \
    }                                                                                                        \
  }
FEW_LOOP(w1, uint8_t)
FEW_LOOP(w2, uint16_t)
FEW_LOOP(w4, uint32_t)
FEW_LOOP(w8, uint64_t)

static bool few_numbers(const plan *p, const sp_type *t, const sp_input *in, uint8_t *out, uint32_t n) {
  if (p->n > FEW || in->is_const || sp_type_is_float(t) || t->width > 8) {
    return false;
  }
  switch (t->width) {
  case 1:
    few_w1(out, in->data, p->keys, p->n, n);
    break;
  case 2:
    few_w2(out, in->data, p->keys, p->n, n);
    break;
  case 4:
    few_w4(out, in->data, p->keys, p->n, n);
    break;
  default:
    few_w8(out, in->data, p->keys, p->n, n);
    break;
  }
  return true;
}

static bool has(const plan *p, const sp_type *t, const void *at) {
  if (t->phys == SP_PHYS_VIEW) {
    const sp_view *v = at;
    for (uint64_t h = hash_view(v); p->slots[h & (p->n_slots - 1)] != 0; h++) {
      if (sp_view_eq(&p->views[p->slots[h & (p->n_slots - 1)] - 1], v)) {
        return true;
      }
    }
    return false;
  }
  if (t->phys == SP_PHYS_I128) {
    const sp_i128 v = *(const sp_i128 *)at;
    for (uint64_t h = hash_wide(v); p->slots[h & (p->n_slots - 1)] != 0; h++) {
      if (p->wide[p->slots[h & (p->n_slots - 1)] - 1] == v) {
        return true;
      }
    }
    return false;
  }
  const uint64_t key = key_of(t, at);
  for (uint64_t h = sp_hash_u64(key); p->slots[h & (p->n_slots - 1)] != 0; h++) {
    if (p->keys[p->slots[h & (p->n_slots - 1)] - 1] == key) {
      return true;
    }
  }
  return false;
}

static sp_status eval_in(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                         sp_column **ret) {
  const plan *p = k->data;
  const sp_type *t = args[0]->type;
  sp_input in;
  SP_TRY(sp_input_open(ev, args[0], &in));
  sp_column *out = p->has_null ? sp_out_rows(ev, k->result, args, n) : sp_out_strict(ev, k->result, args, n);
  if (out == NULL) {
    sp_input_close(&in);
    return sp_error_nomem(ev->err);
  }
  uint8_t *o = sp_out_data(out), *valid = sp_out_validity(out);
  if (!few_numbers(p, t, &in, o, ev->length)) {
    memset(o, 0, ev->length);
    for (uint32_t i = 0; i < ev->n; i++) {
      const uint32_t r = sp_eval_row(ev, i);
      if (valid == NULL || valid[r] != 0) {
        o[r] = has(p, t, (const uint8_t *)in.data + (size_t)(in.is_const ? 0 : r) * t->width);
      }
    }
  }
  for (uint32_t i = 0; p->has_null && i < ev->length; i++) {
    valid[i] = (uint8_t)(valid[i] & o[i]);
  }
  sp_input_close(&in);
  *ret = out;
  return SP_OK;
}

static sp_status bind_in(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                         sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  for (uint32_t i = 0; i < n; i++) {
    const sp_expr *pair[2] = {args[0], args[i]};
    if (args[i]->type != args[0]->type || args[i]->type->kind == SP_KIND_INTERVAL) {
      return sp_bind_none(f, pair, 2, loc, err);
    }
    ret->args[i] = args[0]->type->kind == SP_KIND_NULL ? sp_bool_type() : args[0]->type;
  }
  ret->result = sp_bool_type();
  return SP_OK;
}

const sp_function sp_function_in = {
    .name = "in",
    .symbol = "IN",
    .summary = "x IN (a, b, …): is x one of them? Null if not and one of them is null",
    .flags = SP_FN_PREDICATE | SP_FN_SAME_TYPE,
    .min_args = 2,
    .max_args = UINT16_MAX,
    .prepared_from = 1,
    .null_args = 1,
    .bind = bind_in,
    .prepare = prepare_in};
