/* The function table. functions.def lists SP_FUNCTION(name, file): file src/expr/functions/FILE.c defines
 * `const sp_function sp_function_NAME`. Operators, casts' helpers, scalar functions and aggregates are all here; the
 * meaning of each (DESIGN.md section 5) is in its file and nowhere else. */
#ifndef SP_EXPR_FUNCTION_H
#define SP_EXPR_FUNCTION_H

#include "data/column.h"
#include "expr/expr.h"

enum {
  SP_FN_STRICT = 1u << 0,      /* null when any argument is null; such rows are not evaluated for their value */
  SP_FN_FALLIBLE = 1u << 1,    /* may fail for some values, whatever the types (see also fallible()) */
  SP_FN_VOLATILE = 1u << 2,    /* not the same for the same arguments */
  SP_FN_AGGREGATE = 1u << 3,
  SP_FN_HORIZONTAL = 1u << 4,  /* a selector among its arguments expands to arguments */
  SP_FN_LAZY = 1u << 5,        /* evaluates arguments only for rows that reach them: and, or, case, coalesce */
  SP_FN_COMMUTATIVE = 1u << 6, /* argument order does not matter for the value */
  SP_FN_PREDICATE = 1u << 7,   /* gives bool, and never true when an argument in null_args is null */
  SP_FN_ORDERED = 1u << 8,     /* aggregate depends on row order: first, last */
  SP_FN_DISTINCT_FREE = 1u << 9, /* aggregate ignores duplicates: min, max, any_value */
  /* Arguments are meant to have one type (comparisons, in, between, coalesce, min_horizontal, …): before bind is called the binder
   * brings them to it. Literals take the others' type where exact, nulls always, string literals are parsed as dates. bind sees equal types
   * (all null-typed when all are null). `case` is treated so for its values without this flag. */
  SP_FN_SAME_TYPE = 1u << 10,
  /* add sub mul div floordiv mod: before bind is called a numeric literal beside a numeric argument takes its type where exact
   * (0.05 beside a decimal becomes a decimal), a null its type. Other arguments come as they are. */
  SP_FN_ARITHMETIC = 1u << 11
};

/* Which rows reach an argument of a LAZY function (argument 0 is reached by all). What it holds elsewhere means nothing. */
typedef enum sp_reach {
  SP_REACH_ALL,       /* not lazy */
  SP_REACH_NOT_FALSE, /* and: rows where no argument before it is false */
  SP_REACH_NOT_TRUE,  /* or: rows where no argument before it is true */
  SP_REACH_NULL,      /* coalesce: rows where all arguments before it are null */
  SP_REACH_CASE       /* case(cond, value, …[, else]): a value where its condition is the first true one, a condition where none is yet */
} sp_reach;

/* What bind decides about one call. */
typedef struct sp_binding {
  const sp_type *result;
  const sp_type **args; /* n_args slots to fill: the type each argument is cast to; starts as its own type */
} sp_binding;

/* ---- scalar kernels ---- */
typedef struct sp_kernel sp_kernel;
typedef struct sp_eval {
  sp_maker mk;
  uint32_t length;     /* rows of every column */
  const uint16_t *sel; /* rows that are meant, ascending; NULL = all */
  uint32_t n;          /* how many are meant */
  sp_error *err;
  sp_arena *scratch; /* reset per batch by the program */
} sp_eval;
/* Kernels get columns of ev->length rows in any encoding but SEQUENCE and return one of ev->length rows (or CONST).
 * A dense kernel may compute every row when that is cheaper and cannot fail; a fallible one must only look at meant rows
 * that are valid. */
typedef sp_status (*sp_kernel_fn)(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args, sp_column **ret);
struct sp_kernel {
  sp_kernel_fn eval;
  const sp_expr *call;   /* the bound call (literals, types) */
  const sp_type *result;
  uint32_t strict;       /* bit i: null where argument i is; all ones for STRICT, else prepare may set some */
  void *data;            /* prepared by `prepare`, lives in the program's arena: a compiled LIKE, an IN set, … */
};

/* ---- aggregates: states are rows of a struct array, so that all states of one group share a cache line ---- */
typedef struct sp_agg sp_agg;
typedef struct sp_agg_states {
  uint8_t *base;    /* state of group g: base + g * stride + offset, aligned to 16 */
  size_t stride, offset;
} sp_agg_states;
static inline void *sp_agg_at(const sp_agg_states *s, uint32_t group) { return s->base + (size_t)group * s->stride + s->offset; }
typedef struct sp_aggregate_ops {
  /* Bytes of a state for this call, a multiple of 8 (16 when it holds an int128). */
  uint32_t (*state_size)(const sp_agg *a);
  /* Zeroed memory is a valid empty state unless init is given. */
  void (*init)(const sp_agg *a, void *state);
  /* Adds n rows. arg: NULL for count(*); length rows, not SEQUENCE. rows: row numbers of the n rows, NULL = 0..n-1. groups[i]: group of
   * the i-th of the n rows; NULL: all go to group 0. source, seq: the batch's ordinals (first, last). Result must not depend on the order
   * of calls (float sums are exact: see exact_sum.h). Memory of states (strings, sets) comes from mem. */
  sp_status (*update)(const sp_agg *a, sp_mem *mem, const sp_column *const *args, const uint16_t *rows, uint32_t n, const uint32_t *groups,
                      const sp_agg_states *s, uint64_t source, uint64_t seq, sp_error *err);
  /* dst[map[i]] += src[i] for n groups; map NULL: i. src is not used afterwards except by destroy (heap memory may be moved out). */
  sp_status (*merge)(const sp_agg *a, sp_mem *mem, const sp_agg_states *src, uint32_t n, const uint32_t *map, const sp_agg_states *dst, sp_error *err);
  /* Column of the results of groups [from, from + n). */
  sp_status (*finish)(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n, sp_column **ret, sp_error *err);
  /* MAY be NULL: states own no memory. Frees what n states hold. */
  void (*destroy)(const sp_agg *a, sp_mem *mem, const sp_agg_states *s, uint32_t n);
  /* MAY be NULL. Heap bytes are charged to mem by the functions above. */
} sp_aggregate_ops;
struct sp_agg {
  const sp_function *fn;
  const sp_expr *call;         /* bound; distinct and filter are the caller's business */
  const sp_type *arg, *result; /* arg NULL for count(*) */
};

struct sp_function {
  const char *name;    /* as in calls and JSON: "add", "sum", "starts_with" */
  const char *symbol;  /* MAY be NULL: infix or prefix operator in text, "+" */
  const char *summary; /* one line for the documentation: "substring(s, start, length): …" */
  uint32_t flags;
  uint16_t min_args, max_args; /* max 65535 = any number */
  sp_reach reach;              /* LAZY: who reaches an argument */
  uint16_t prepared_from;      /* arguments from this one on are literals that prepare reads and the kernel does not get; 0 = none */
  uint32_t null_args;          /* bit i: result is null (or not true, for predicates) when argument i is null; STRICT means all */
  /* MUST: checks argument types (args are bound; literals visible), fills *ret. Errors: SP_TYPE naming function, argument and types. */
  sp_status (*bind)(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a, sp_binding *ret, const sp_loc *loc, sp_error *err);
  /* Scalar MUST: picks the kernel for the bound call. */
  sp_status (*prepare)(const sp_function *f, const sp_expr *call, sp_arena *a, sp_kernel *ret, sp_error *err);
  /* MAY be NULL: FALLIBLE decides. For functions that only fail for some types (decimal arithmetic) or arguments. */
  bool (*fallible)(const sp_expr *call);
  const sp_aggregate_ops *aggregate; /* aggregates MUST */
};

extern const sp_function *const sp_function_table[]; /* in .def order, NULL-terminated */
const sp_function *sp_function_find(sp_sv name);     /* case-insensitive, aliases too (avg, len, …); NULL when there is none */
/* SP_NOT_FOUND "unknown function `x`" with the nearest names as the hint. */
sp_status sp_function_unknown(sp_sv name, const sp_loc *loc, sp_error *err);

#endif
