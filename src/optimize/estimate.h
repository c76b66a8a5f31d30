/* Estimates beside a plan: rows per node, and what is known of columns. estimate.c fills them, selectivity.c
 * judges predicates. */
#ifndef SP_OPTIMIZE_ESTIMATE_H
#define SP_OPTIMIZE_ESTIMATE_H

#include "optimize/internal.h"

/* What is known of a column. */
typedef struct sp_col_estimate {
  double distinct;      /* -1 unknown; of the whole column: a node of fewer rows has fewer */
  double null_fraction; /* -1 unknown */
  bool has_range;
  double lo, hi; /* as numbers: integers, floats, decimals, days, ticks of the column's unit */
} sp_col_estimate;

typedef struct sp_estimates {
  double *rows;                    /* by node; -1 unknown */
  const sp_col_estimate **columns; /* by node: one per schema column; nodes with one schema share the array */
} sp_estimates;
bool sp_estimate(const sp_plan *p, sp_arena *a, sp_estimates *ret); /* false = out of memory */

/* Share of the rows for which all conjuncts hold, from 0 to 1. columns: of `schema`. */
double sp_selectivity(const sp_items *conjuncts, const sp_schema *schema, const sp_col_estimate *columns,
                      double rows);
bool sp_value_number(const sp_value *v, double *ret);

#endif
