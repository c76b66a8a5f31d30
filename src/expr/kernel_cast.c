/* CAST over columns. sp_value_cast (data/cast.c) is its meaning; a test compares the two for every pair of
 * types.
 *
 * Casts that cannot fail and are common in plans (to wider integers, to float64, to decimals with more
 * digits, dates to datetimes) have loops over all rows. All others go value by value over the rows that are
 * meant and valid: a value without a counterpart is null for TRY_CAST and else an error that names it.
 *
 * Example: CAST('12' AS int64) is 12; CAST('x' AS int64) fails with "cannot cast `x` to int64"; TRY_CAST('x'
 * AS int64) is null. */
#include "expr/program_impl.h"

#include "data/text.h"

/* ---- loops ---- */
#define WIDEN(suffix, T)                                                                                     \
  SP_UNARY_LOOP(suffix##_to_i64, T, int64_t, x)                                                              \
  SP_UNARY_LOOP(suffix##_to_f64, T, double, x)
WIDEN(i8, int8_t)
WIDEN(i16, int16_t)
WIDEN(i32, int32_t)
WIDEN(u8, uint8_t)
WIDEN(u16, uint16_t)
WIDEN(u32, uint32_t)
SP_UNARY_LOOP(i64_to_f64, int64_t, double, x)
SP_UNARY_LOOP(u64_to_f64, uint64_t, double, x)
SP_UNARY_LOOP(f32_to_f64, float, double, x)
SP_UNARY_LOOP(i8_to_i32, int8_t, int32_t, x)
SP_UNARY_LOOP(i16_to_i32, int16_t, int32_t, x)
SP_UNARY_LOOP(u8_to_i32, uint8_t, int32_t, x)
SP_UNARY_LOOP(u16_to_i32, uint16_t, int32_t, x)

static sp_unary_fn plain_loop(const sp_type *from, const sp_type *to) {
  static const sp_unary_fn to_i64[] = {
      [SP_PHYS_I8] = i8_to_i64, [SP_PHYS_I16] = i16_to_i64, [SP_PHYS_I32] = i32_to_i64,
      [SP_PHYS_U8] = u8_to_i64, [SP_PHYS_U16] = u16_to_i64, [SP_PHYS_U32] = u32_to_i64,
      [SP_PHYS_F64] = NULL};
  static const sp_unary_fn to_f64[] = {
      [SP_PHYS_I8] = i8_to_f64,   [SP_PHYS_I16] = i16_to_f64, [SP_PHYS_I32] = i32_to_f64,
      [SP_PHYS_I64] = i64_to_f64, [SP_PHYS_U8] = u8_to_f64,   [SP_PHYS_U16] = u16_to_f64,
      [SP_PHYS_U32] = u32_to_f64, [SP_PHYS_U64] = u64_to_f64, [SP_PHYS_F32] = f32_to_f64,
      [SP_PHYS_F64] = NULL};
  static const sp_unary_fn to_i32[] = {[SP_PHYS_I8] = i8_to_i32,
                                       [SP_PHYS_I16] = i16_to_i32,
                                       [SP_PHYS_U8] = u8_to_i32,
                                       [SP_PHYS_U16] = u16_to_i32,
                                       [SP_PHYS_F64] = NULL};
  const bool number = sp_type_is_int(from) || sp_type_is_float(from) || from->family == SP_FAMILY_BOOL;
  if (!number || from->phys > SP_PHYS_F64) {
    return NULL;
  }
  return to->kind == SP_KIND_INT64     ? to_i64[from->phys]
         : to->kind == SP_KIND_FLOAT64 ? to_f64[from->phys]
         : to->kind == SP_KIND_INT32   ? to_i32[from->phys]
                                       : NULL;
}

/* Times a constant, wrapping: to decimals with a larger scale, dates to datetimes. */
SP_BINARY_LOOP(scale_i8, int8_t, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
SP_BINARY_LOOP(scale_i16, int16_t, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
SP_BINARY_LOOP(scale_i32, int32_t, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
SP_BINARY_LOOP(scale_i64, int64_t, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
SP_BINARY_LOOP(scale_u8, uint8_t, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
SP_BINARY_LOOP(scale_u16, uint16_t, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
SP_BINARY_LOOP(scale_u32, uint32_t, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
SP_BINARY_LOOP(widen_i8, int8_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_i16, int16_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_i32, int32_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_i64, int64_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_u8, uint8_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_u16, uint16_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_u32, uint32_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_u64, uint64_t, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
SP_BINARY_LOOP(widen_i128, sp_i128, sp_i128, sp_i128, (sp_u128)x *(sp_u128)y)
/* Decimals below 2^53: one exact conversion and one rounding. */
SP_BINARY_LOOP(decimal_to_f64, int64_t, double, double, (double)x / y)

typedef struct plan {
  bool try_cast;
  sp_binary_fn scaled; /* by `factor`, of the result's width */
  int64_t below;       /* scaled only when all of the batch is, in magnitude; 0 = always */
  union {
    int64_t narrow;
    sp_i128 wide;
    double real;
  } factor;
} plan;

static uint32_t whole_digits(const sp_type *t) {
  static const uint8_t of_width[] = {0, 3, 5, 0, 10, 0, 0, 0, 19};
  return t->family == SP_FAMILY_DECIMAL ? (uint32_t)t->precision - t->scale
         : t->kind == SP_KIND_UINT64    ? 20
                                        : of_width[t->width];
}

static void plan_decimal(const sp_type *from, const sp_type *to, plan *p) {
  static const sp_binary_fn scale[] = {
      [SP_PHYS_I8] = scale_i8,   [SP_PHYS_I16] = scale_i16, [SP_PHYS_I32] = scale_i32,
      [SP_PHYS_I64] = scale_i64, [SP_PHYS_U8] = scale_u8,   [SP_PHYS_U16] = scale_u16,
      [SP_PHYS_U32] = scale_u32, [SP_PHYS_I128] = NULL};
  static const sp_binary_fn widen[] = {
      [SP_PHYS_I8] = widen_i8,   [SP_PHYS_I16] = widen_i16, [SP_PHYS_I32] = widen_i32,
      [SP_PHYS_I64] = widen_i64, [SP_PHYS_U8] = widen_u8,   [SP_PHYS_U16] = widen_u16,
      [SP_PHYS_U32] = widen_u32, [SP_PHYS_U64] = widen_u64, [SP_PHYS_I128] = widen_i128};
  if (to->scale < from->scale || whole_digits(from) > (uint32_t)to->precision - to->scale) {
    return;
  }
  const sp_i128 factor = sp_pow10[to->scale - from->scale];
  if (to->phys == SP_PHYS_I128) {
    p->scaled = widen[from->phys];
    p->factor.wide = factor;
  } else {
    p->scaled = scale[from->phys];
    p->factor.narrow = (int64_t)factor;
  }
}

static void plan_loops(const sp_type *from, const sp_type *to, plan *p) {
  if (to->family == SP_FAMILY_DECIMAL && (sp_type_is_int(from) || from->family == SP_FAMILY_DECIMAL)) {
    plan_decimal(from, to, p);
  } else if (to->kind == SP_KIND_FLOAT64 && from->family == SP_FAMILY_DECIMAL && from->phys == SP_PHYS_I64) {
    p->scaled = decimal_to_f64;
    p->below = INT64_C(1) << 53;
    p->factor.real = (double)sp_pow10[from->scale];
  } else if (from->kind == SP_KIND_DATE && to->kind == SP_KIND_DATETIME && to->unit != SP_UNIT_NS) {
    p->scaled = scale_i32;
    p->below = to->unit == SP_UNIT_US ? INT64_C(1) << 26 : 0; /* 2^26 days × 86.4e9 µs fit */
    p->factor.narrow = 86400 * sp_unit_per_second(to->unit);
  }
}

/* ---- value by value ---- */
static sp_status refuse(const sp_eval *ev, const sp_value *v, const sp_type *to) {
  sp_str text;
  sp_str_init(&text, sp_mem_process(), 100);
  sp_value_text(v, &text);
  const sp_status st = sp_error_set(ev->err, SP_EXEC, NULL, "cannot cast `%s` of type %s to %s", text.p,
                                    v->type->name, to->name);
  sp_str_release(&text);
  return st;
}

/* Prints a value into the column's heap; text is a buffer for all rows. */
static sp_status print_value(sp_eval *ev, const sp_value *v, sp_heap *heap, sp_str *text, sp_view *slot) {
  sp_str_clear(text);
  sp_value_text(v, text);
  SP_TRY(sp_str_status(text, ev->err));
  const char *p = text->p;
  if (text->n > SP_VIEW_INLINE) {
    char *room = sp_heap_room(heap, text->n);
    SP_TRY_ALLOC(ev->err, room);
    memcpy(room, p, text->n);
    p = room;
  }
  *slot = sp_view_make(p, (uint32_t)text->n);
  return SP_OK;
}

static bool convert(const sp_eval *ev, const sp_value *v, const sp_type *to, void *slot) {
  if (v->type->kind == SP_KIND_STRING && !sp_type_is_bytes(to)) {
    return to->kind != SP_KIND_INTERVAL && sp_parse_value(v->s, to, slot);
  }
  sp_value got;
  if (!sp_value_cast(v, to, ev->scratch, &got)) {
    return false;
  }
  sp_value_store(&got, slot);
  return true;
}

static sp_status cast_rows(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, sp_column *out,
                           sp_str *text) {
  const plan *p = k->data;
  const sp_column *c = args[0];
  const sp_reader in = sp_column_reader(c);
  const sp_type *from = c->type, *to = k->result;
  const bool prints = to->kind == SP_KIND_STRING && !sp_type_is_bytes(from);
  uint8_t *valid = sp_out_validity(out), *values = sp_out_data(out);
  sp_heap heap = sp_heap_of(ev, out);
  for (uint32_t i = 0; i < ev->n; i++) {
    const uint32_t r = sp_eval_row(ev, i);
    if (valid[r] == 0) {
      continue;
    }
    const uint8_t *at = (const uint8_t *)in.data + (size_t)sp_reader_index(&in, r) * from->width;
    const sp_value v = sp_value_load(from, at);
    uint8_t *slot = values + (size_t)r * to->width;
    if (prints) {
      SP_TRY(print_value(ev, &v, &heap, text, (sp_view *)(void *)slot));
    } else if (!convert(ev, &v, to, slot)) {
      if (!p->try_cast) {
        return refuse(ev, &v, to);
      }
      valid[r] = 0;
    }
  }
  if (sp_type_is_bytes(to) && !prints && !sp_column_add_heaps_of(out, c)) {
    return sp_error_nomem(ev->err);
  }
  return SP_OK;
}

static sp_status eval_rows(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, sp_column **ret) {
  sp_column *out = sp_out_rows(ev, k->result, args, 1);
  SP_TRY_ALLOC(ev->err, out);
  sp_str text;
  sp_str_init(&text, ev->mk.mem, 4 * SP_TEXT_MAX);
  const sp_status st = cast_rows(k, ev, args, out, &text);
  sp_str_release(&text);
  if (st != SP_OK) {
    sp_column_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}

SP_CLONES static uint64_t magnitude_i64(const int64_t *v, uint32_t n) {
  uint64_t all = 0;
  for (uint32_t i = 0; i < n; i++) {
    all |= (uint64_t)(v[i] ^ (v[i] >> 63));
  }
  return all;
}

SP_CLONES static uint64_t magnitude_i32(const int32_t *v, uint32_t n) {
  uint32_t all = 0;
  for (uint32_t i = 0; i < n; i++) {
    all |= (uint32_t)(v[i] ^ (v[i] >> 31));
  }
  return all;
}

static bool all_below(const sp_input *in, const sp_type *from, int64_t limit, uint32_t n) {
  n = in->is_const ? 1 : n;
  return (from->width == 4 ? magnitude_i32(in->data, n) : magnitude_i64(in->data, n)) < (uint64_t)limit;
}

static sp_status eval_cast(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                           sp_column **ret) {
  (void)n_args;
  const plan *p = k->data;
  if (p->scaled == NULL) {
    return eval_rows(k, ev, args, ret);
  }
  sp_input in;
  SP_TRY(sp_input_open(ev, args[0], &in));
  if (p->below != 0 && !all_below(&in, args[0]->type, p->below, ev->length)) {
    sp_input_close(&in);
    return eval_rows(k, ev, args, ret);
  }
  sp_column *out = sp_out_strict(ev, k->result, args, 1);
  if (out != NULL) {
    const sp_input factor = {.data = &p->factor, .is_const = true};
    sp_binary_run(p->scaled, sp_out_data(out), &in, &factor, ev->length, k->result->width);
  }
  sp_input_close(&in);
  SP_TRY_ALLOC(ev->err, out);
  *ret = out;
  return SP_OK;
}

/* The same bytes under another type: decimals with more digits, date as int32, string as binary. */
static sp_status eval_retype(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                             sp_column **ret) {
  (void)n_args;
  *ret = sp_column_retype(ev->mk, args[0], k->result);
  SP_TRY_ALLOC(ev->err, *ret);
  return SP_OK;
}

static sp_status eval_null(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                           sp_column **ret) {
  (void)args, (void)n_args;
  *ret = sp_column_null(ev->mk, k->result, ev->length);
  SP_TRY_ALLOC(ev->err, *ret);
  return SP_OK;
}

static bool is_retype(const sp_type *from, const sp_type *to) {
  if (from == to || (from->kind == SP_KIND_STRING && to->kind == SP_KIND_BINARY)) {
    return true;
  }
  if (from->family == SP_FAMILY_DECIMAL && to->family == SP_FAMILY_DECIMAL) {
    return from->phys == to->phys && from->scale == to->scale && to->precision >= from->precision;
  }
  const bool point = from->kind == SP_KIND_DATE || from->kind == SP_KIND_DATETIME ||
                     from->kind == SP_KIND_DURATION || from->kind == SP_KIND_TIME;
  if (point && to->family == SP_FAMILY_SIGNED) {
    return from->phys == to->phys;
  }
  return (from->kind == SP_KIND_DATETIME && to->kind == SP_KIND_DATETIME && from->unit == to->unit) ||
         (from->family == SP_FAMILY_SIGNED && from->phys == to->phys &&
          (to->kind == SP_KIND_DATE || to->kind == SP_KIND_DATETIME || to->kind == SP_KIND_DURATION));
}

sp_status sp_cast_prepare(const sp_expr *cast, sp_arena *a, sp_kernel *ret, sp_error *err) {
  const sp_type *from = cast->args[0]->type, *to = cast->cast_to;
  ret->result = to;
  if (from->kind == SP_KIND_NULL || to->kind == SP_KIND_NULL) {
    ret->eval = eval_null;
    return SP_OK;
  }
  if (is_retype(from, to)) {
    ret->eval = eval_retype;
    return SP_OK;
  }
  const sp_unary_fn loop = plain_loop(from, to);
  if (loop != NULL) {
    return sp_kernel_unary(ret, a, loop, err);
  }
  plan *p = SP_ARENA_NEW(a, plan);
  SP_TRY_ALLOC(err, p);
  p->try_cast = cast->try_cast;
  plan_loops(from, to, p);
  ret->data = p;
  ret->eval = eval_cast;
  return SP_OK;
}
