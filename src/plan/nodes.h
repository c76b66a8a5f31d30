/* The structs of all node kinds. A kind's file in src/plan/nodes/ says what its fields mean; rules and operators read them here.
 * In a resolved plan: head, tail and limit are slices, drop and rename are selects, scan (by table name) is the format's scan, a filter's
 * predicate is a list of conjuncts once split_predicates has run (one item before). */
#ifndef SP_PLAN_NODES_H
#define SP_PLAN_NODES_H

#include "plan/plan.h"

typedef struct sp_scan_node { /* scan, scan_csv, scan_parquet, scan_ipc, scan_ndjson */
  sp_node base;
  const char *table; /* scan only */
  sp_strings paths;
  const sp_schema *given; /* `schema` */
  bool has_header, try_parse_dates, hive;
  char separator, quote;
  sp_strings null_values;
  int64_t infer_rows;
  int ragged; /* sp_ragged */
  int64_t n_rows; /* -1 all; before the predicate */
  sp_row_index row_index;
  const char *include_file_path;
  /* resolved */
  const char *root;              /* where relative paths start */
  const sp_schema *file_schema;  /* all columns the scan could give; base.schema has those it gives */
  const sp_dataset *dataset;     /* metadata for estimates, owned by the environment; NULL when the file is missing but a schema was given */
  /* set by rules; also readable and writable as fields `columns` and `predicate` */
  sp_strings columns;  /* n = 0 and columns_given false: all, in file order */
  bool columns_given;
  sp_items predicate;  /* conjuncts over file_schema */
} sp_scan_node;

typedef struct sp_values_node {
  sp_node base;
  const sp_schema *given; /* `schema` */
  sp_rows rows;
} sp_values_node;

typedef struct sp_filter_node {
  sp_node base;
  sp_items predicate;
} sp_filter_node;

typedef struct sp_project_node { /* select, with_columns; written: drop (columns), rename (renames) */
  sp_node base;
  sp_items exprs;     /* resolved: one per output column (select) or per new/replaced column (with_columns) */
  sp_strings columns; /* drop */
  sp_strings renames; /* rename: old, new, … */
} sp_project_node;

typedef struct sp_group_by_node {
  sp_node base;
  sp_items keys, aggs; /* aggs may combine aggregates: sum(a) / count(*) */
  bool maintain_order;
} sp_group_by_node;

typedef enum sp_join_how { SP_JOIN_INNER, SP_JOIN_LEFT, SP_JOIN_RIGHT, SP_JOIN_FULL, SP_JOIN_SEMI, SP_JOIN_ANTI, SP_JOIN_CROSS } sp_join_how;
/* Which input a hash join should keep in memory. */
typedef enum sp_join_build { SP_BUILD_UNDECIDED, SP_BUILD_LEFT, SP_BUILD_RIGHT } sp_join_build;
typedef struct sp_join_node {
  sp_node base;
  int how;
  sp_items on, left_on, right_on; /* resolved: on is empty, left_on[i] = right_on[i] in types */
  sp_items predicate;             /* over left columns ++ right columns (suffixed), part of the join condition */
  const char *suffix;             /* default "_right": added to right columns whose name the left has */
  bool nulls_equal;
  int coalesce;                   /* 0 by the kind of join, 1 yes, 2 no: is the right key column dropped? (inner, left: yes; right: left key dropped; full: no) */
  bool maintain_order;            /* output in left order (right join: right order) */
  int build_side;                 /* not written; set by a rule from estimates for inner joins: sp_join_build */
} sp_join_node;

typedef struct sp_sort_node { /* sort, top_k */
  sp_node base;
  sp_items by;
  bool maintain_order; /* sort: stable */
  int64_t k;           /* top_k: rows kept */
} sp_sort_node;

typedef struct sp_slice_node { /* slice; written also head, limit (n), tail (n) */
  sp_node base;
  int64_t offset; /* negative: from the end */
  int64_t length; /* -1: to the end */
  int64_t n;      /* head, limit, tail */
  sp_origin slice_origin;
} sp_slice_node;

typedef enum sp_keep { SP_KEEP_ANY, SP_KEEP_FIRST, SP_KEEP_LAST, SP_KEEP_NONE } sp_keep;
typedef struct sp_unique_node {
  sp_node base;
  sp_strings subset; /* n = 0: all columns */
  int keep;
  bool maintain_order;
} sp_unique_node;

typedef enum sp_union_how { SP_UNION_VERTICAL, SP_UNION_VERTICAL_RELAXED, SP_UNION_DIAGONAL } sp_union_how;
typedef struct sp_union_node {
  sp_node base;
  int how;
} sp_union_node;

typedef struct sp_row_index_node {
  sp_node base;
  const char *name; /* default "index" */
  int64_t offset;
} sp_row_index_node;

typedef struct sp_cache_node {
  sp_node base;
} sp_cache_node;

typedef struct sp_pivot_node {
  sp_node base;
  sp_items on, index, values;
  sp_strings on_columns; /* required: output columns must be known before any data is read */
  const char *agg;
} sp_pivot_node;

typedef struct sp_sink_node { /* sink_csv, sink_parquet, … */
  sp_node base;
  const char *path;
  sp_partition partition;
  const char *compression;
  bool mkdir;
  char separator, quote; /* csv */
  const char *null_value;
  bool has_header;
} sp_sink_node;

/* Helpers used by rules and lowering. */
/* The resolved expression of output column `name` over the inputs for kinds that project (select, with_columns): NULL when the column passes unchanged
 * or is not this node's. */
const sp_expr *sp_project_expr(const sp_project_node *n, sp_sv name);
/* Output name of a join's right column. */
sp_sv sp_join_right_name(const sp_join_node *n, const sp_schema *left, sp_sv right, sp_arena *a);
/* Which input (0 left, 1 right) and which input column an output column of a join is; false when it is a coalesced mix (full join). */
bool sp_join_output(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_sv out, uint32_t *ret_side, sp_sv *ret_name);
/* What a join's `predicate` reads: all left columns, then all right columns, with the suffix where the left has the name (keys that the output
 * drops are there too). *ret in the arena; SP_INVALID when two names are equal. */
sp_status sp_join_scope(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_arena *a, const sp_schema **ret, sp_error *err);
/* One output column of a join, in output order. */
typedef enum sp_join_from { SP_FROM_LEFT, SP_FROM_RIGHT, SP_FROM_BOTH } sp_join_from;
typedef struct sp_join_column {
  sp_sv name;           /* in the output */
  const sp_type *type;
  sp_join_from from;    /* BOTH: coalesce(left, right) of a full join's key, each cast to `type` */
  uint32_t left, right; /* index in that input's schema, where it is from there */
} sp_join_column;
/* All output columns; false = out of memory. */
bool sp_join_layout(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_arena *a, const sp_join_column **ret, uint32_t *ret_n);
/* Splits a group_by's aggs for execution: the distinct aggregate calls in them, and per agg an expression (with its alias) in which every aggregate
 * call is the column `calls[i]` and every key expression is the column of the key's output name. */
typedef struct sp_agg_split {
  uint32_t n_calls;
  const sp_expr *const *calls;   /* bound aggregate calls over the input */
  const sp_sv *call_names;       /* the columns that stand for them in `results` ("agg 0", …: no key has such a name) */
  const sp_sv *key_names;        /* output names of keys */
  const sp_expr *const *results; /* aggs.n, over key_names ++ call_names */
} sp_agg_split;
bool sp_group_by_split(const sp_group_by_node *n, sp_arena *a, sp_agg_split *ret); /* false = out of memory */
/* scan spec for the dataset from a scan node (resolved). Strings live in the arena. */
bool sp_scan_spec_of(const sp_scan_node *n, sp_arena *a, sp_scan_spec *ret); /* false = out of memory */

#endif
