/* Compiled expressions: a flat list of steps over registers. Constants are folded into constant columns,
 * equal subexpressions are computed once, and a register is dropped after its last use. No tree is walked per
 * batch.
 *
 * Columns are fetched when first needed and for the rows still meant, so that a scan can decode late: a
 * filter with three conjuncts decodes the third's columns only for the rows that passed the first two.
 *
 * A program is immutable and shared by all workers; each worker has its own state. */
#ifndef SP_EXPR_PROGRAM_H
#define SP_EXPR_PROGRAM_H

#include "data/column.h"
#include "expr/expr.h"

typedef struct sp_program sp_program;
typedef struct sp_program_state sp_program_state;

/* Where a program gets its input columns from. get returns one reference to a column of `length` rows, valid
 * at least at the rows in sel (NULL = all); it is called at most once per column and evaluation unless sel
 * grew. */
typedef struct sp_fetch {
  sp_status (*get)(void *ctx, uint32_t column, const uint16_t *sel, uint32_t n, sp_column **ret,
                   sp_error *err);
  void *ctx;
} sp_fetch;
/* A fetch from a batch's columns; ctx = the batch. */
sp_status sp_fetch_batch(void *batch, uint32_t column, const uint16_t *sel, uint32_t n, sp_column **ret,
                         sp_error *err);

/* Compiles n bound expressions over a schema. For a filter each expression is one conjunct, in order.
 * Everything comes from mem. */
sp_status sp_program_new(sp_mem *mem, const sp_schema *in, const sp_expr *const *exprs, uint32_t n,
                         sp_program **ret, sp_error *err);
sp_program *sp_program_unref(sp_program *p); /* NULL-safe, returns NULL */
/* Columns read, ascending indices in the input schema. */
uint32_t sp_program_columns(const sp_program *p, const uint32_t **ret);

sp_program_state *sp_program_state_new(const sp_program *p, sp_mem *mem); /* NULL when out of memory */
sp_program_state *sp_program_state_unref(sp_program_state *s);

/* Evaluates every expression at the rows meant; outs gets n references. On failure outs is untouched. A bare
 * column comes out as fetched, whatever its encoding (SEQUENCE too). */
sp_status sp_program_eval(const sp_program *p, sp_program_state *s, sp_maker mk, const sp_fetch *in,
                          uint32_t length, const uint16_t *sel, uint32_t n, sp_column **outs, sp_error *err);
/* Rows for which every conjunct is true (not null), as ascending row numbers in out (room for n). Conjuncts
 * that cannot fail may be reordered by measured cost and selectivity; fallible ones keep their place behind
 * those before them. */
sp_status sp_program_filter(const sp_program *p, sp_program_state *s, sp_maker mk, const sp_fetch *in,
                            uint32_t length, const uint16_t *sel, uint32_t n, uint16_t *out, uint32_t *ret_n,
                            sp_error *err);

#endif
