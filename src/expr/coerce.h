/* Types meeting: which casts there are, which of them cannot fail, and literals taking the other side's type. */
#ifndef SP_EXPR_COERCE_H
#define SP_EXPR_COERCE_H

#include "expr/expr.h"

/* Is there a cast between the two types at all? It may still fail for a value. */
bool sp_cast_exists(const sp_type *from, const sp_type *to);
/* Is it defined for every value? */
bool sp_cast_is_total(const sp_type *from, const sp_type *to);
/* A CAST node that may fail on some row. Unbound ones may, unless they are TRY_CAST. */
bool sp_cast_is_fallible(const sp_expr *cast);

/* Brings n bound arguments to one type in place: literals take the type of the others where exact, nulls always, text literals are read
 * as dates. what: the operator or function, for messages. SP_TYPE when there is no such type. */
sp_status sp_coerce_same(sp_arena *a, const sp_expr **args, uint32_t n, const char *what, const sp_loc *loc, sp_error *err);
/* For the two arguments of arithmetic: a numeric literal beside a numeric argument takes its type where exact, a null its type. */
sp_status sp_coerce_arithmetic(sp_arena *a, const sp_expr **args, sp_error *err);

/* The start of an expression's text, for messages. */
#define SP_SNIPPET_SIZE 64
void sp_expr_snippet(const sp_expr *e, sp_mem *mem, char out[SP_SNIPPET_SIZE]);

#endif
