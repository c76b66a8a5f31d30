/* eq ne lt le gt ge, between, is_distinct, is_not_distinct.
 *
 * One total order for every type, the same as in sorting, grouping and statistics: NaN equals itself and is
 * greater than every other number, -0.0 equals 0.0, strings compare by bytes, false is less than true. Both
 * sides have one type here; the binder has seen to that. Loops exist for =, <>, < and <=; > and >= are those
 * with the sides swapped. Strings follow pointers, so they look at valid meant rows only.
 *
 * Example: 1 < NaN is true, NaN = NaN is true; null = null is null, null IS NOT DISTINCT FROM null is true.
 */
#include "expr/kernel.h"

#define FLOAT_EQ(x, y) ((x == y) | ((x != x) & (y != y)))
#define FLOAT_LT(x, y) ((x < y) | ((x == x) & (y != y)))
#define FLOAT_LE(x, y) ((x <= y) | (y != y))

#define EQUALS(suffix, T)                                                                                    \
  SP_BINARY_LOOP(eq_##suffix, T, T, uint8_t, x == y)                                                         \
  SP_BINARY_LOOP(ne_##suffix, T, T, uint8_t, x != y)
#define ORDERS(suffix, T)                                                                                    \
  SP_BINARY_LOOP(lt_##suffix, T, T, uint8_t, x < y)                                                          \
  SP_BINARY_LOOP(le_##suffix, T, T, uint8_t, x <= y)
EQUALS(w1, uint8_t)
EQUALS(w2, uint16_t)
EQUALS(w4, uint32_t)
EQUALS(w8, uint64_t)
EQUALS(w16, sp_i128)
ORDERS(i8, int8_t)
ORDERS(i16, int16_t)
ORDERS(i32, int32_t)
ORDERS(i64, int64_t)
ORDERS(u8, uint8_t)
ORDERS(u16, uint16_t)
ORDERS(u32, uint32_t)
ORDERS(u64, uint64_t)
ORDERS(i128, sp_i128)
#define FLOATS(suffix, T)                                                                                    \
  SP_BINARY_LOOP(eq_##suffix, T, T, uint8_t, FLOAT_EQ(x, y))                                                 \
  SP_BINARY_LOOP(ne_##suffix, T, T, uint8_t, !FLOAT_EQ(x, y))                                                \
  SP_BINARY_LOOP(lt_##suffix, T, T, uint8_t, FLOAT_LT(x, y))                                                 \
  SP_BINARY_LOOP(le_##suffix, T, T, uint8_t, FLOAT_LE(x, y))
FLOATS(f32, float)
FLOATS(f64, double)

typedef enum op { OP_EQ, OP_NE, OP_LT, OP_LE, N_OPS } op;

static sp_binary_fn loop_of(sp_phys p, op o) {
  static const sp_binary_fn loops[][N_OPS] = {
      [SP_PHYS_I8] = {eq_w1, ne_w1, lt_i8, le_i8},        [SP_PHYS_I16] = {eq_w2, ne_w2, lt_i16, le_i16},
      [SP_PHYS_I32] = {eq_w4, ne_w4, lt_i32, le_i32},     [SP_PHYS_I64] = {eq_w8, ne_w8, lt_i64, le_i64},
      [SP_PHYS_U8] = {eq_w1, ne_w1, lt_u8, le_u8},        [SP_PHYS_U16] = {eq_w2, ne_w2, lt_u16, le_u16},
      [SP_PHYS_U32] = {eq_w4, ne_w4, lt_u32, le_u32},     [SP_PHYS_U64] = {eq_w8, ne_w8, lt_u64, le_u64},
      [SP_PHYS_F32] = {eq_f32, ne_f32, lt_f32, le_f32},   [SP_PHYS_F64] = {eq_f64, ne_f64, lt_f64, le_f64},
      [SP_PHYS_I128] = {eq_w16, ne_w16, lt_i128, le_i128}};
  return p < sizeof loops / sizeof loops[0] ? loops[p][o] : NULL;
}

/* ---- strings ---- */
static inline bool holds(op o, const sp_view *x, const sp_view *y) {
  switch (o) {
  case OP_EQ:
    return sp_view_eq(x, y);
  case OP_NE:
    return !sp_view_eq(x, y);
  case OP_LT:
    return sp_view_cmp(x, y) < 0;
  case OP_LE:
  case N_OPS:
    return sp_view_cmp(x, y) <= 0;
  }
  return false;
}

__attribute__((always_inline)) static inline void compare_views(const sp_eval *ev, op o, const sp_input *a,
                                                                const sp_input *b, const uint8_t *valid,
                                                                uint8_t *out) {
  const sp_view *x = a->data, *y = b->data;
  const uint32_t xs = !a->is_const, ys = !b->is_const;
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    if (valid == NULL || valid[r] != 0) {
      out[r] = holds(o, &x[r * xs], &y[r * ys]);
    }
  }
}

static void compare_strings(const sp_eval *ev, op o, const sp_input *a, const sp_input *b,
                            const uint8_t *valid, uint8_t *out) {
  if (ev->sel != NULL || valid != NULL) {
    memset(out, 0, ev->length);
  }
  switch (o) { /* one loop each, without a test of o in it */
  case OP_EQ:
    compare_views(ev, OP_EQ, a, b, valid, out);
    break;
  case OP_NE:
    compare_views(ev, OP_NE, a, b, valid, out);
    break;
  case OP_LT:
    compare_views(ev, OP_LT, a, b, valid, out);
    break;
  case OP_LE:
  case N_OPS:
    compare_views(ev, OP_LE, a, b, valid, out);
    break;
  }
}

/* ---- kernels ---- */
typedef struct plan {
  op op;
  bool swapped, distinct;
  sp_binary_fn loop; /* NULL: strings */
} plan;

static sp_status compare(const plan *p, sp_eval *ev, const sp_column *const *args, const uint8_t *valid,
                         uint8_t *out) {
  sp_input a = {0}, b = {0};
  sp_status st = sp_input_open(ev, args[p->swapped], &a);
  if (st == SP_OK) {
    st = sp_input_open(ev, args[!p->swapped], &b);
  }
  if (st == SP_OK && p->loop != NULL) {
    sp_binary_run(p->loop, out, &a, &b, ev->length, 1);
  } else if (st == SP_OK) {
    compare_strings(ev, p->op, &a, &b, valid, out);
  }
  sp_input_close(&a);
  sp_input_close(&b);
  return st;
}

static sp_status eval_compare(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                              sp_column **ret) {
  sp_column *out = sp_out_strict(ev, k->result, args, n);
  SP_TRY_ALLOC(ev->err, out);
  const sp_status st = compare(k->data, ev, args, sp_out_validity(out), sp_out_data(out));
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}

/* out holds <> where both are valid; elsewhere they differ when one alone is null. */
static void mix_nulls(uint8_t *out, const sp_column *x, const sp_column *y, bool negate, uint32_t n) {
  const sp_reader rx = sp_column_reader(x), ry = sp_column_reader(y);
  for (uint32_t i = 0; i < n; i++) {
    const bool vx = sp_reader_valid(&rx, i), vy = sp_reader_valid(&ry, i);
    const bool differ = vx && vy ? out[i] : vx != vy;
    out[i] = differ != negate;
  }
}

static sp_status eval_distinct(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                               sp_column **ret) {
  const plan *p = k->data;
  sp_column *both = sp_out_strict(ev, k->result, args, n);
  SP_TRY_ALLOC(ev->err, both);
  sp_column *out = sp_out_flat(ev, k->result, false);
  sp_status st =
      out != NULL ? compare(p, ev, args, sp_out_validity(both), sp_out_data(out)) : sp_error_nomem(ev->err);
  sp_column_unref(both);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  if (args[0]->validity != NULL || args[1]->validity != NULL || p->distinct) {
    mix_nulls(sp_out_data(out), args[0], args[1], p->distinct, ev->length);
  }
  *ret = out;
  return SP_OK;
}

sp_status sp_equal_bytes(sp_eval *ev, const sp_column *const *args, const uint8_t *valid, uint8_t *out) {
  const plan p = {.op = OP_EQ, .loop = loop_of(args[0]->type->phys, OP_EQ)};
  return compare(&p, ev, args, valid, out);
}

static sp_status bind_compare(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                              sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)a;
  const sp_type *t = args[0]->type;
  if (t != args[1]->type || t->kind == SP_KIND_INTERVAL) {
    return sp_bind_none(f, args, n, loc, err);
  }
  if (t->kind == SP_KIND_NULL) {
    ret->args[0] = ret->args[1] = sp_bool_type();
  }
  ret->result = sp_bool_type();
  return SP_OK;
}

static sp_status prepare(const sp_expr *call, sp_arena *a, op o, bool swapped, bool distinct, sp_kernel *ret,
                         sp_error *err) {
  plan *p = SP_ARENA_NEW(a, plan);
  SP_TRY_ALLOC(err, p);
  *p = (plan){
      .op = o, .swapped = swapped, .distinct = distinct, .loop = loop_of(call->args[0]->type->phys, o)};
  ret->data = p;
  return SP_OK;
}

#define COMPARISON(NAME, SYMBOL, SUMMARY, OP, SWAPPED, FLAGS)                                                \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f;                                                                                                 \
    ret->eval = eval_compare;                                                                                \
    return prepare(call, a, OP, SWAPPED, false, ret, err);                                                   \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .symbol = SYMBOL,                                                  \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_STRICT | SP_FN_PREDICATE | SP_FN_SAME_TYPE | FLAGS, \
                                          .min_args = 2,                                                     \
                                          .max_args = 2,                                                     \
                                          .null_args = 3,                                                    \
                                          .bind = bind_compare,                                              \
                                          .prepare = prepare_##NAME};
COMPARISON(eq, "=", "a = b: equal; NaN equals NaN", OP_EQ, false, SP_FN_COMMUTATIVE)
COMPARISON(ne, "<>", "a <> b: not equal", OP_NE, false, SP_FN_COMMUTATIVE)
COMPARISON(lt, "<", "a < b: less; NaN is greater than every other number", OP_LT, false, 0)
COMPARISON(le, "<=", "a <= b: less or equal", OP_LE, false, 0)
COMPARISON(gt, ">", "a > b: greater", OP_LT, true, 0)
COMPARISON(ge, ">=", "a >= b: greater or equal", OP_LE, true, 0)

#define DISTINCTION(NAME, SUMMARY, NEGATE)                                                                   \
  static sp_status prepare_##NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,    \
                                  sp_error *err) {                                                           \
    (void)f;                                                                                                 \
    ret->eval = eval_distinct;                                                                               \
    return prepare(call, a, OP_NE, false, NEGATE, ret, err);                                                 \
  }                                                                                                          \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_COMMUTATIVE | SP_FN_SAME_TYPE,                      \
                                          .min_args = 2,                                                     \
                                          .max_args = 2,                                                     \
                                          .bind = bind_compare,                                              \
                                          .prepare = prepare_##NAME};
DISTINCTION(is_distinct, "a IS DISTINCT FROM b: not equal, where null equals null; never null", false)
DISTINCTION(is_not_distinct, "a IS NOT DISTINCT FROM b: equal, where null equals null; never null", true)

/* ---- between: the binder writes it as two comparisons; this is for whoever calls it by name ---- */
static sp_status eval_between(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                              sp_column **ret) {
  (void)n;
  const plan *plans = k->data;
  const sp_kernel low = {.result = k->result, .data = (void *)(uintptr_t)&plans[0]};
  const sp_kernel high = {.result = k->result, .data = (void *)(uintptr_t)&plans[1]};
  const sp_column *low_args[2] = {args[0], args[1]}, *high_args[2] = {args[0], args[2]};
  sp_column *both[2] = {NULL, NULL};
  sp_status st = eval_compare(&low, ev, low_args, 2, &both[0]);
  if (st == SP_OK) {
    st = eval_compare(&high, ev, high_args, 2, &both[1]);
  }
  if (st == SP_OK) {
    sp_kernel all = {.result = k->result};
    st = sp_function_and.prepare(&sp_function_and, k->call, NULL, &all, ev->err);
    st = st == SP_OK ? all.eval(&all, ev, (const sp_column *const *)both, 2, ret) : st;
  }
  sp_column_unref(both[0]);
  sp_column_unref(both[1]);
  return st;
}

static sp_status prepare_between(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,
                                 sp_error *err) {
  (void)f;
  plan *p = SP_ARENA_ARRAY(a, plan, 2);
  SP_TRY_ALLOC(err, p);
  const sp_binary_fn loop = loop_of(call->args[0]->type->phys, OP_LE);
  p[0] = (plan){.op = OP_LE, .swapped = true, .loop = loop};
  p[1] = (plan){.op = OP_LE, .loop = loop};
  ret->data = p;
  ret->eval = eval_between;
  return SP_OK;
}

static sp_status bind_between(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                              sp_binding *ret, const sp_loc *loc, sp_error *err) {
  const sp_expr *ends[2] = {args[0], args[2]};
  if (args[0]->type != args[2]->type) {
    return sp_bind_none(f, ends, 2, loc, err);
  }
  SP_TRY(bind_compare(f, args, n > 2 ? 2 : n, a, ret, loc, err));
  ret->args[2] = ret->args[0];
  return SP_OK;
}

const sp_function sp_function_between = {.name = "between",
                                         .summary = "x BETWEEN a AND b: x >= a AND x <= b",
                                         .flags = SP_FN_PREDICATE | SP_FN_SAME_TYPE,
                                         .min_args = 3,
                                         .max_args = 3,
                                         .null_args = 7,
                                         .bind = bind_between,
                                         .prepare = prepare_between};
