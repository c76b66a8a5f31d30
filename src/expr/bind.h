/* From written expressions to bound ones: wildcards expanded, names looked up, types checked, casts put in. */
#ifndef SP_EXPR_BIND_H
#define SP_EXPR_BIND_H

#include "expr/expr.h"

/* Expands selectors (DESIGN.md section 5): without one *ret is the expression itself; inside *_horizontal, coalesce and
 * concat it becomes arguments; count(*) stays; elsewhere one expression per column. An alias over several results is an error
 * (duplicate names), unless it holds `{}`-free text and expands to one. Two selectors in one expression are SP_INVALID. */
sp_status sp_expr_expand(sp_arena *a, const sp_expr *e, const sp_schema *in, const sp_loc *loc, const sp_expr *const **ret, uint32_t *ret_n, sp_error *err);

enum {
  SP_BIND_AGGREGATES = 1u << 0 /* aggregate calls are allowed (group_by's aggs); nested ones never */
};
/* Binds names and types against a schema. Coercions become CASTs (literals are converted in place where exact); BETWEEN and the like
 * are expanded to their parts. loc is the expression's place. Unknown column: SP_NOT_FOUND with the nearest names. */
sp_status sp_expr_bind(sp_arena *a, const sp_expr *e, const sp_schema *in, uint32_t flags, const sp_loc *loc, const sp_expr **ret, sp_error *err);
/* The same, and the type must be bool (predicates) or `want`. what: "filter predicate" for the message. */
sp_status sp_expr_bind_as(sp_arena *a, const sp_expr *e, const sp_schema *in, uint32_t flags, const sp_type *want, const char *what, const sp_loc *loc,
                          const sp_expr **ret, sp_error *err);
/* e cast to t when its type differs: literals converted exactly where possible. NULL when out of memory. */
const sp_expr *sp_expr_coerce(sp_arena *a, const sp_expr *e, const sp_type *t);

/* Which values of `column` can make the bound predicate true? As sorted disjoint ranges for skipping data. False: nothing known,
 * *ret_n = 0, or out of memory, *ret_n = UINT32_MAX. Conservative: the ranges contain every value that may satisfy it. Understands = <> < <= > >= IN, IS [NOT] NULL, AND, OR, NOT, LIKE with a prefix.
 * NaN is greater than every number, so a range without an upper end includes it. */
struct sp_range;
typedef struct sp_expr_range {
  bool has_lo, has_hi, lo_open, hi_open;
  sp_value lo, hi;
} sp_expr_range;
bool sp_expr_ranges(const sp_expr *predicate, sp_sv column, sp_arena *a, const sp_expr_range **ret, uint32_t *ret_n, bool *ret_wants_null);

#endif
