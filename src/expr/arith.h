/* Arithmetic by kind of operand: numbers, decimals, points in time. functions/arithmetic.c asks them in turn.
 */
#ifndef SP_EXPR_ARITH_H
#define SP_EXPR_ARITH_H

#include "expr/kernel.h"

typedef enum sp_arith { SP_ADD, SP_SUB, SP_MUL, SP_DIV, SP_FLOORDIV, SP_MOD } sp_arith;

/* The call that is bound or prepared. */
typedef struct sp_arith_call {
  sp_arith op;
  const sp_function *f;
  const sp_expr *const *args;
  const sp_loc *loc;
} sp_arith_call;

/* Integers and floats of one type, or float64 for `/`. */
sp_binary_fn sp_number_loop(sp_arith op,
                            const sp_type *t); /* NULL for // and % of integers, which make nulls */
sp_status sp_number_prepare(sp_arith op, const sp_type *t, sp_arena *a, sp_kernel *ret, sp_error *err);

/* At least one decimal, no float (but literals that a decimal holds exactly). */
sp_status sp_decimal_bind(const sp_arith_call *c, sp_binding *ret, sp_error *err);
sp_status sp_decimal_prepare(sp_arith op, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err);
bool sp_decimal_can_fail(sp_arith op, const sp_expr *call);
/* Can a float literal stand as a decimal? */
bool sp_decimal_of_literal(const sp_expr *e);

/* At least one date, datetime or duration. */
sp_status sp_temporal_bind(const sp_arith_call *c, sp_binding *ret, sp_error *err);
sp_status sp_temporal_prepare(sp_arith op, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err);
bool sp_temporal_can_fail(const sp_expr *call);

#endif
