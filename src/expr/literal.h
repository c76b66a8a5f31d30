/* Literals: equality, hashing, canonical text, and reading typed text ('1996-01-01' as a date). */
#ifndef SP_EXPR_LITERAL_H
#define SP_EXPR_LITERAL_H

#include "expr/expr.h"

/* Equal literals have equal hashes. Numbers hash by what they stand for, so that 1 as parsed and the int16 1 that binding makes of it
 * agree. */
uint64_t sp_literal_hash(const sp_value *v);
/* Same type and value; or one is unbound, written without a type, and stands for the same number (or is NULL). */
bool sp_literal_eq(const sp_expr *x, const sp_expr *y);

/* May the literal stand without its type? natural: its bare text reads back with the same type, wherever it stands. */
bool sp_literal_is_natural(const sp_value *v);
/* Its text. bare: its neighbours imply the type, so 15 is enough for int16 '15'. */
void sp_literal_print(const sp_value *v, bool bare, sp_str *out);

/* A value of type t from its text as in `t 'text'`. Binary and strings are views of the text. False when it is none. */
bool sp_literal_of_text(sp_sv text, const sp_type *t, sp_value *ret);
/* decimal '1.05': precision and scale are those of the digits. */
bool sp_literal_decimal(sp_sv digits, sp_value *ret);
/* A float's shortest text as a decimal of just its digits: 0.05 is decimal(2,2) 0.05. False where 38 digits do not hold it. */
bool sp_literal_decimal_of_f64(double f, sp_value *ret);
/* "3 months", "1 year 2 days 4.5 seconds"; with a unit, text is one number: ('90', day). False when it is none. */
bool sp_interval_parse(sp_sv text, sp_sv unit, sp_interval *ret);
bool sp_interval_is_unit(sp_sv word);

#endif
