/* + - * / // % over integers and floats.
 *
 * Integers wrap, so their loops run on unsigned types of the same width and compute every row. `//` floors
 * and `%` has the divisor's sign, for integers and floats alike; by integer 0 both are null, which is why
 * they have a kernel of their own.
 *
 * Examples: int8 127 + 1 is -128; -7 // 2 is -4 and -7 % 2 is 1; 7.5 // 0.0 is inf; 7 // 0 is null. */
#include "expr/arith.h"

#include <math.h>

#define WRAPPING(suffix, T, WIDE)                                                                            \
  SP_BINARY_LOOP(add_##suffix, T, T, T, (WIDE)x + (WIDE)y)                                                   \
  SP_BINARY_LOOP(sub_##suffix, T, T, T, (WIDE)x - (WIDE)y)                                                   \
  SP_BINARY_LOOP(mul_##suffix, T, T, T, (WIDE)x *(WIDE)y)
WRAPPING(w1, uint8_t, uint32_t)
WRAPPING(w2, uint16_t, uint32_t)
WRAPPING(w4, uint32_t, uint32_t)
WRAPPING(w8, uint64_t, uint64_t)
WRAPPING(f32, float, float)
WRAPPING(f64, double, double)
SP_BINARY_LOOP(div_f64, double, double, double, x / y)

/* The divisor is not 0 where the result counts. */
static inline int64_t floor_div(int64_t x, int64_t y) {
  if (y == 0 || y == -1) {
    return y == 0 ? 0 : (int64_t)(0 - (uint64_t)x);
  }
  const int64_t q = x / y;
  return q - (q * y != x && (x < 0) != (y < 0));
}

static inline int64_t floor_mod(int64_t x, int64_t y) {
  if (y == 0 || y == -1) {
    return 0;
  }
  const int64_t r = x % y;
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

static inline uint64_t unsigned_div(uint64_t x, uint64_t y) {
  return y == 0 ? 0 : x / y;
}
static inline uint64_t unsigned_mod(uint64_t x, uint64_t y) {
  return y == 0 ? 0 : x % y;
}

static inline double float_mod(double x, double y) {
  const double r = fmod(x, y);
  if (r == 0) {
    return copysign(0, y);
  }
  return (r < 0) != (y < 0) ? r + y : r;
}

#define DIVIDING(suffix, T, DIV, MOD)                                                                        \
  SP_BINARY_LOOP(floordiv_##suffix, T, T, T, DIV(x, y))                                                      \
  SP_BINARY_LOOP(mod_##suffix, T, T, T, MOD(x, y))
DIVIDING(i8, int8_t, floor_div, floor_mod)
DIVIDING(i16, int16_t, floor_div, floor_mod)
DIVIDING(i32, int32_t, floor_div, floor_mod)
DIVIDING(i64, int64_t, floor_div, floor_mod)
DIVIDING(u8, uint8_t, unsigned_div, unsigned_mod)
DIVIDING(u16, uint16_t, unsigned_div, unsigned_mod)
DIVIDING(u32, uint32_t, unsigned_div, unsigned_mod)
DIVIDING(u64, uint64_t, unsigned_div, unsigned_mod)
SP_BINARY_LOOP(floordiv_f32, float, float, float, floorf(x / y))
SP_BINARY_LOOP(floordiv_f64, double, double, double, floor(x / y))
SP_BINARY_LOOP(mod_f32, float, float, float, float_mod((double)x, (double)y))
SP_BINARY_LOOP(mod_f64, double, double, double, float_mod(x, y))

#define N_OPS (SP_MOD + 1)
static const sp_binary_fn loops[][N_OPS] = {
    [SP_PHYS_I8] = {add_w1, sub_w1, mul_w1, NULL, floordiv_i8, mod_i8},
    [SP_PHYS_I16] = {add_w2, sub_w2, mul_w2, NULL, floordiv_i16, mod_i16},
    [SP_PHYS_I32] = {add_w4, sub_w4, mul_w4, NULL, floordiv_i32, mod_i32},
    [SP_PHYS_I64] = {add_w8, sub_w8, mul_w8, NULL, floordiv_i64, mod_i64},
    [SP_PHYS_U8] = {add_w1, sub_w1, mul_w1, NULL, floordiv_u8, mod_u8},
    [SP_PHYS_U16] = {add_w2, sub_w2, mul_w2, NULL, floordiv_u16, mod_u16},
    [SP_PHYS_U32] = {add_w4, sub_w4, mul_w4, NULL, floordiv_u32, mod_u32},
    [SP_PHYS_U64] = {add_w8, sub_w8, mul_w8, NULL, floordiv_u64, mod_u64},
    [SP_PHYS_F32] = {add_f32, sub_f32, mul_f32, NULL, floordiv_f32, mod_f32},
    [SP_PHYS_F64] = {add_f64, sub_f64, mul_f64, div_f64, floordiv_f64, mod_f64}};

sp_binary_fn sp_number_loop(sp_arith op, const sp_type *t) {
  return loops[t->phys][op];
}

/* A row is null where the divisor is 0. */
static void null_zeros(uint8_t *valid, const sp_input *by, uint32_t width, uint32_t n) {
  static const uint8_t zero[8];
  const uint8_t *p = by->data;
  if (by->is_const) {
    if (memcmp(p, zero, width) == 0) {
      memset(valid, 0, n);
    }
    return;
  }
  for (uint32_t i = 0; i < n; i++) {
    valid[i] = (uint8_t)(valid[i] & (memcmp(p + (size_t)i * width, zero, width) != 0));
  }
}

typedef struct divide_data {
  sp_binary_fn loop;
} divide_data;

static sp_status eval_divide(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n,
                             sp_column **ret) {
  const divide_data *d = k->data;
  sp_input a = {0}, b = {0};
  sp_status st = sp_input_open(ev, args[0], &a);
  if (st == SP_OK) {
    st = sp_input_open(ev, args[1], &b);
  }
  sp_column *out = st == SP_OK ? sp_out_rows(ev, k->result, args, n) : NULL;
  if (out != NULL) {
    sp_binary_run(d->loop, sp_out_data(out), &a, &b, ev->length, k->result->width);
    null_zeros(sp_out_validity(out), &b, k->result->width, ev->length);
    *ret = out;
  } else if (st == SP_OK) {
    st = sp_error_nomem(ev->err);
  }
  sp_input_close(&a);
  sp_input_close(&b);
  return st;
}

sp_status sp_number_prepare(sp_arith op, const sp_type *t, sp_arena *a, sp_kernel *ret, sp_error *err) {
  const sp_binary_fn loop = loops[t->phys][op];
  if ((op != SP_FLOORDIV && op != SP_MOD) || sp_type_is_float(t)) {
    return sp_kernel_binary(ret, a, loop, err);
  }
  divide_data *d = SP_ARENA_NEW(a, divide_data);
  SP_TRY_ALLOC(err, d);
  d->loop = loop;
  ret->data = d;
  ret->eval = eval_divide;
  return SP_OK;
}
