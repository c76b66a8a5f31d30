/* What kernels and functions share: declaring functions, checking argument types, reading inputs and making
 * outputs.
 *
 * A kernel is called by a program (program_run.c), which has already dealt with what is the same for all of
 * them:
 *   - a SEQUENCE has been flattened;
 *   - for a STRICT function an argument that is null as a whole has made the result null, so a CONST argument
 * is valid;
 *   - arguments that are all constant: the kernel runs once with ev->length = 1;
 *   - one dictionary column beside constants: the kernel runs on the dictionary, FLAT and without nulls.
 * So a kernel is written for plain columns, and DICT is a case it must get right but need not make fast.
 *
 * Values of null rows and of rows that are not meant exist but mean nothing: kernels over numbers compute
 * them all (wrapping, so that nothing is undefined), kernels that follow pointers, fail or cost much look at
 * meant valid rows only. */
#ifndef SP_EXPR_KERNEL_H
#define SP_EXPR_KERNEL_H

#include "base/simd.h"
#include "expr/function.h"

#define SP_FUNCTION(name, file) extern const sp_function sp_function_##name;
#include "expr/functions.def"
#undef SP_FUNCTION

/* ---- bind ---- */
enum {
  SP_TAKES_BOOL = 1u << 0,
  SP_TAKES_INT = 1u << 1,
  SP_TAKES_FLOAT = 1u << 2,
  SP_TAKES_DECIMAL = 1u << 3,
  SP_TAKES_STRING = 1u << 4,
  SP_TAKES_BINARY = 1u << 5,
  SP_TAKES_DATE = 1u << 6,
  SP_TAKES_DATETIME = 1u << 7,
  SP_TAKES_TIME = 1u << 8,
  SP_TAKES_DURATION = 1u << 9,
  SP_TAKES_NUMBER = SP_TAKES_INT | SP_TAKES_FLOAT | SP_TAKES_DECIMAL,
  SP_TAKES_BYTES = SP_TAKES_STRING | SP_TAKES_BINARY
};
/* Is argument i one of what `takes` says? Else SP_TYPE naming function, argument and type. A null becomes
 * if_null. */
sp_status sp_bind_arg(const sp_function *f, const sp_expr *const *args, uint32_t i, uint32_t takes,
                      const sp_type *if_null, sp_binding *ret, const sp_loc *loc, sp_error *err);
/* The same, and argument i is cast to t when it has another type. */
sp_status sp_bind_arg_as(const sp_function *f, const sp_expr *const *args, uint32_t i, uint32_t takes,
                         const sp_type *t, sp_binding *ret, const sp_loc *loc, sp_error *err);
/* Is argument i a literal that is not null? Else SP_TYPE. */
sp_status sp_bind_literal(const sp_function *f, const sp_expr *const *args, uint32_t i, const sp_loc *loc,
                          sp_error *err);
/* "no `+` for string and date". */
sp_status sp_bind_none(const sp_function *f, const sp_expr *const *args, uint32_t n, const sp_loc *loc,
                       sp_error *err);
static inline const sp_type *sp_bool_type(void) {
  return sp_type_of(SP_KIND_BOOL);
}
static inline const sp_type *sp_int64_type(void) {
  return sp_type_of(SP_KIND_INT64);
}
static inline const sp_type *sp_float64_type(void) {
  return sp_type_of(SP_KIND_FLOAT64);
}
static inline const sp_type *sp_string_type(void) {
  return sp_type_of(SP_KIND_STRING);
}

/* prepare for functions whose kernel does not depend on the call: data is the eval function */
#define SP_PREPARE_WITH(NAME, EVAL)                                                                          \
  static sp_status NAME(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret,              \
                        sp_error *err) {                                                                     \
    (void)f, (void)call, (void)a, (void)err;                                                                 \
    ret->eval = (EVAL);                                                                                      \
    return SP_OK;                                                                                            \
  }

/* ---- rows that are meant ---- */
static inline uint32_t sp_eval_row(const sp_eval *ev, uint32_t i) {
  return ev->sel != NULL ? ev->sel[i] : i;
}

/* ---- inputs of kernels over numbers: one value per row, or one value ---- */
typedef struct sp_input {
  const void *data;
  bool is_const;
  sp_column *own; /* a flattened dictionary column */
} sp_input;
sp_status sp_input_open(sp_eval *ev, const sp_column *c, sp_input *ret);
void sp_input_close(sp_input *in); /* also on a zeroed one */

/* out[row] = args[0] = args[1], of one type, at rows where `valid` (NULL = all) says so (in compare.c). */
sp_status sp_equal_bytes(sp_eval *ev, const sp_column *const *args, const uint8_t *valid, uint8_t *out);

/* ---- choosing between columns by row (kernel_blend.c): case, coalesce, least, … ---- */
typedef struct sp_blend {
  sp_eval *ev;
  sp_column *out; /* FLAT with validity, all null at first */
} sp_blend;
sp_status sp_blend_begin(sp_eval *ev, const sp_type *t, sp_blend *ret);
/* Rows where take[row] is 1 become those of c (of the same type). take NULL: all rows. */
sp_status sp_blend_add(sp_blend *b, const sp_column *c, const uint8_t *take);
sp_column *sp_blend_end(sp_blend *b); /* without a validity buffer when no row is null */
void sp_blend_abort(sp_blend *b);

/* ---- outputs ---- */
/* FLAT, ev->length rows, values uninitialised; NULL when out of memory. */
sp_column *sp_out_flat(sp_eval *ev, const sp_type *t, bool with_validity);
/* The same with the validity of a strict function: a row is valid when it is in all arguments. */
sp_column *sp_out_strict(sp_eval *ev, const sp_type *t, const sp_column *const *args, uint32_t n);
/* The same with values zeroed and a validity of its own that the kernel may change: for kernels that skip
 * rows or make nulls. */
sp_column *sp_out_rows(sp_eval *ev, const sp_type *t, const sp_column *const *args, uint32_t n);
static inline void *sp_out_data(const sp_column *c) {
  return c->values->data;
}
static inline uint8_t *sp_out_validity(const sp_column *c) {
  return c->validity != NULL ? c->validity->data : NULL;
}
/* dst &= the validity of c's rows (dst has length bytes). */
void sp_validity_and(uint8_t *dst, const sp_column *c, uint32_t length);

/* Strings of an output: bytes that outlive the batch, in heaps that the column keeps. */
typedef struct sp_heap {
  sp_eval *ev;
  sp_column *col;
  uint8_t *at;
  size_t left;
} sp_heap;
static inline sp_heap sp_heap_of(sp_eval *ev, sp_column *c) {
  return (sp_heap){.ev = ev, .col = c};
}
/* Room for n bytes, or NULL when out of memory. */
char *sp_heap_room(sp_heap *h, size_t n);
/* Gives back the unused end of the last room: it was asked for `asked` and used `used`. */
static inline void sp_heap_trim(sp_heap *h, size_t asked, size_t used) {
  h->at -= asked - used;
  h->left += asked - used;
}
#define SP_STRING_MAX ((size_t)UINT32_MAX) /* bytes of one string */

/* ---- two-argument kernels over numbers ---- */
typedef enum sp_shape { SP_VEC_VEC, SP_VEC_CONST, SP_CONST_VEC } sp_shape;
typedef void (*sp_binary_fn)(void *out, const void *a, const void *b, uint32_t n, sp_shape shape);
/* Stamps a loop in three shapes. EXPR uses x and y and gives TR. */
#define SP_BINARY_LOOP(NAME, TA, TB, TR, EXPR)                                                               \
  SP_CLONES static void NAME(void *restrict out_, const void *a_, const void *b_, uint32_t n,                \
                             sp_shape shape) {                                                               \
    TR *restrict out = out_;                                                                                 \
    const TA *a = a_;                                                                                        \
    const TB *b = b_;                                                                                        \
    if (shape == SP_VEC_CONST) {                                                                             \
      const TB y = b[0];                                                                                     \
      for (uint32_t i = 0; i < n; i++) {                                                                     \
        const TA x = a[i];                                                                                   \
        out[i] = (TR)(EXPR);                                                                                 \
      }                                                                                                      \
    } else if (shape == SP_CONST_VEC) {                                                                      \
      const TA x = a[0];                                                                                     \
      for (uint32_t i = 0; i < n; i++) {                                                                     \
        const TB y = b[i];                                                                                   \
        out[i] = (TR)(EXPR);                                                                                 \
      }                                                                                                      \
    } else {                                                                                                 \
      for (uint32_t i = 0; i < n; i++) {                                                                     \
        const TA x = a[i];                                                                                   \
        const TB y = b[i];                                                                                   \
        out[i] = (TR)(EXPR);                                                                                 \
      }                                                                                                      \
    }                                                                                                        \
  }
#define SP_UNARY_LOOP(NAME, TA, TR, EXPR)                                                                    \
  SP_CLONES static void NAME(void *restrict out_, const void *a_, uint32_t n) {                              \
    TR *restrict out = out_;                                                                                 \
    const TA *a = a_;                                                                                        \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      const TA x = a[i];                                                                                     \
      out[i] = (TR)(EXPR);                                                                                   \
    }                                                                                                        \
  }
typedef void (*sp_unary_fn)(void *out, const void *a, uint32_t n);
/* A strict kernel of one loop over two (one) arguments. fn is kept in the arena as the kernel's data. */
sp_status sp_kernel_binary(sp_kernel *k, sp_arena *a, sp_binary_fn fn, sp_error *err);
sp_status sp_kernel_unary(sp_kernel *k, sp_arena *a, sp_unary_fn fn, sp_error *err);
/* Runs a binary loop over inputs: c op c as one row. */
void sp_binary_run(sp_binary_fn fn, void *out, const sp_input *a, const sp_input *b, uint32_t n,
                   uint32_t width);

#endif
