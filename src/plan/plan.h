/* Plans: a DAG of nodes held as an array in topological order (inputs before consumers).
 *
 * Three plans are kept: written (as the user wrote it), resolved (names, types, wildcards, normal forms), optimized. A plan is
 * immutable once another can see it; a sweep makes a new array that shares unchanged nodes. Nothing recurses over a plan and every
 * walk visits a node once, so a diamond chain of 64 levels (2^64 paths) is 65 steps.
 *
 * Nodes are structs per kind (nodes.h) that start with sp_node. Everything about a kind is in src/plan/nodes/KIND.c: its table of fields
 * drives reading, writing, description, equality, fingerprint and the JSON Schema, so generic code never asks which kind it has. */
#ifndef SP_PLAN_PLAN_H
#define SP_PLAN_PLAN_H

#include "expr/expr.h"
#include "io/io.h"

#define SP_PLAN_MAX_NODES 1000000
#define SP_NODE_MAX_INPUTS 65535

/* A sorted set of written ids, as indices into plan->written_ids: what a node, a conjunct, a column or a slice stands for. */
typedef struct sp_origin {
  uint32_t n;
  const uint32_t *ids;
} sp_origin;
bool sp_origin_union(sp_arena *a, sp_origin x, sp_origin y, sp_origin *ret); /* false = out of memory */

/* One expression of a node, with where it came from. The same struct for conjuncts, projections, keys and aggregates. */
typedef struct sp_item {
  const sp_expr *expr;
  sp_loc loc;       /* the JSON string it was written in */
  sp_origin origin; /* the node it was written at */
  bool descending, nulls_last; /* sort keys */
} sp_item;
typedef struct sp_items {
  uint32_t n;
  const sp_item *items;
} sp_items;

typedef struct sp_node sp_node;
typedef struct sp_node_ops sp_node_ops;
struct sp_node {
  const sp_node_ops *ops;
  const char *id;          /* the user's, or `<consumer>.<input key>` for a node written in place; a rule's: `<id>~<rule><n>` */
  sp_loc loc;              /* where it was written */
  const char *note;        /* or NULL */
  sp_origin origin;
  uint32_t n_inputs;
  const uint32_t *inputs;  /* indices into plan->nodes, smaller than the node's own */
  const sp_schema *schema; /* NULL in a written plan */
  sp_hash128 fingerprint;  /* kind, fields, inputs' fingerprints; set by sp_plan_finish */
};

typedef enum sp_stage { SP_STAGE_WRITTEN, SP_STAGE_RESOLVED, SP_STAGE_OPTIMIZED } sp_stage;
typedef struct sp_plan {
  sp_stage stage;
  const char *file;  /* NULL when unknown */
  sp_arena *arena;   /* everything below; shared by the plans made from it */
  uint32_t n_nodes;
  const sp_node *const *nodes;
  uint32_t n_outputs;
  const uint32_t *outputs;        /* nodes whose rows are results, in the user's order; sinks among them */
  const char *const *output_ids;  /* the user's names: stay the same whatever a rule does */
  uint32_t n_written;
  const char *const *written_ids; /* ids of the written plan, in its order */
} sp_plan;

/* ---- kinds ---- */
enum {
  SP_NODE_SOURCE = 1u << 0,
  SP_NODE_SINK = 1u << 1,            /* writes files; passes no rows on */
  SP_NODE_KEEPS_ORDER = 1u << 2,     /* output rows are in the order of the (first) input */
  SP_NODE_OBSERVES_ORDER = 1u << 3,  /* its rows depend on the input's order (slice, first, row index) */
  SP_NODE_BREAKS_PIPELINE = 1u << 4, /* needs all input before the first output */
  SP_NODE_KEEPS_ROWS = 1u << 5,      /* as many rows out as in (select, with_columns, sort, with_row_index) */
  SP_NODE_SUBSET = 1u << 6,          /* output rows are some of the input's (filter, slice, unique) */
  SP_NODE_MAKES_ORDER = 1u << 7      /* output order is determined by its own fields (sort, top_k) */
};

typedef enum sp_fkind {
  SP_F_EXPR,      /* sp_items of one: "a + b" or {…} */
  SP_F_PREDICATE, /* sp_items: conjuncts; written as one text */
  SP_F_EXPRS,     /* sp_items: list of expressions */
  SP_F_SORT_KEYS, /* sp_items: [expr or {expr, descending, nulls_last}] */
  SP_F_NAMES,     /* sp_strings: list of strings */
  SP_F_PATHS,     /* sp_strings: a string or a list, under the keys `path` or `paths` */
  SP_F_RENAMES,   /* sp_strings of 2n: old, new, old, new; written as an object */
  SP_F_STRING,    /* const char * or NULL */
  SP_F_CHAR,      /* char; a string of one byte, "" = 0 */
  SP_F_INT,       /* int64_t */
  SP_F_BOOL,      /* bool */
  SP_F_ENUM,      /* int, index into choices */
  SP_F_SCHEMA,    /* const sp_schema * or NULL: {name: type} */
  SP_F_ROWS,      /* sp_rows: list of lists (or of objects) of values */
  SP_F_ROW_INDEX, /* sp_row_index: {name, offset} */
  SP_F_PARTITION  /* sp_partition: {max_rows, max_bytes, by} */
} sp_fkind;
typedef struct sp_strings {
  uint32_t n;
  const char *const *items;
} sp_strings;
typedef struct sp_rows {
  uint32_t n;                    /* rows */
  const sp_value *const *values; /* n arrays of schema->n values; written: type string/int64/… as in JSON, resolved: the schema's */
} sp_rows;
typedef struct sp_row_index {
  const char *name; /* NULL = none */
  int64_t offset;
} sp_row_index;
typedef struct sp_partition {
  int64_t max_rows, max_bytes; /* 0 = none */
  sp_strings by;
} sp_partition;

/* Which columns a field's expressions read. */
typedef enum sp_scope {
  SP_SCOPE_INPUT, /* those of the (first, left) input */
  SP_SCOPE_RIGHT, /* those of the second input */
  SP_SCOPE_BOTH,  /* sp_join_scope: left columns ++ right columns (suffixed) */
  SP_SCOPE_FILE   /* a scan's file_schema */
} sp_scope;

typedef struct sp_field_desc {
  const char *key;
  sp_fkind kind;
  bool required;
  uint32_t offset;            /* in the kind's struct */
  int64_t dflt;               /* INT, BOOL, CHAR, ENUM: the value when absent, not written out; -1 for n_rows and the like */
  const char *const *choices; /* ENUM, NULL-terminated */
  const char *doc;            /* one line for the JSON Schema and the documentation */
  uint32_t brief;             /* place in the one-line description, 1 first; 0 = only among the details */
  sp_scope scope;             /* EXPR, PREDICATE, EXPRS, SORT_KEYS */
} sp_field_desc;

/* How a predicate may pass a node (DESIGN.md section 6, correctness conditions in reference/polars.md). */
typedef struct sp_push {
  bool stays;                    /* it must also be kept above the node */
  const sp_expr *const *to;      /* per input: the predicate in that input's names, or NULL; array of n_inputs set by the hook */
  const char *blocker;           /* when it goes to no input: why, as "`b` is made by this node" (arena) */
} sp_push;

/* What is known of a node's rows: sp_plan_determined. */
typedef enum sp_determined {
  SP_DET_NOTHING, /* not even the number of rows */
  SP_DET_COUNT,   /* only the number of rows */
  SP_DET_ROWS,    /* the rows as a multiset */
  SP_DET_ORDER    /* the rows and their order */
} sp_determined;
typedef struct sp_known {
  sp_determined det;
  const sp_names *unique; /* no two rows are equal in these columns; NULL = not known; an empty set = at most one row */
} sp_known;

typedef struct sp_bind_cx sp_bind_cx; /* resolve/resolve.h */

struct sp_node_ops {
  const char *name;   /* "op" in JSON */
  const char *symbol; /* for pictures: "σ", "π", "⋈", … */
  const char *summary;
  unsigned flags;
  size_t size;                      /* of the kind's struct */
  const char *const *input_keys;    /* {"input", NULL}, {"left", "right", NULL}, {"inputs…", NULL} (a list), {NULL} */
  const sp_field_desc *fields;      /* ends with key NULL */
  /* MUST: makes the resolved node (perhaps of another kind: head becomes slice) from a written one. `inputs` are resolved. The result has
   * bound expressions and everything but id, origin, inputs and schema, which the caller copies or computes. NULL = the kind never reaches resolve as written. */
  sp_status (*resolve)(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret, sp_error *err);
  /* MUST for kinds in resolved plans: output schema from bound fields and the inputs' schemas. */
  sp_status (*schema)(const sp_node *n, const sp_schema *const *inputs, sp_arena *a, const sp_schema **ret, sp_error *err);
  /* MUST: adds to *ret the columns of input `which` that are needed when only `out` of this node's columns are (NULL: all). false = out of memory. */
  bool (*needs)(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which, sp_arena *a, sp_names *ret);
  /* MAY be NULL (the node cannot give up columns of its own): a copy that makes only the columns in `out` (others may remain when they cost
   * nothing); *ret = n when nothing can go. Inputs already lack what `needs` did not ask for. */
  sp_status (*narrow)(const sp_node *n, const sp_names *out, sp_arena *a, const sp_node **ret);
  /* MAY be NULL: nothing passes, blocker "not through a NAME". Never called with fallible or aggregate predicates unless the node keeps all rows. */
  sp_status (*push_predicate)(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a, sp_push *ret);
  /* MAY be NULL: from the flags (a source determines its rows and their order, KEEPS_ROWS and SINK pass on what is known). What the rows of a resolved
   * node are determined by, from what is known of its inputs. false = out of memory. */
  bool (*determine)(const sp_node *n, const sp_known *const *inputs, sp_arena *a, sp_known *ret);
  /* MAY be NULL: the default headline is made from `brief` fields. */
  void (*headline)(const sp_node *n, sp_str *out);
};

extern const sp_node_ops *const sp_node_table[]; /* in .def order, NULL-terminated */
const sp_node_ops *sp_node_ops_find(sp_sv name); /* NULL when there is none */

static inline bool sp_node_is(const sp_node *n, const char *op) { return strcmp(n->ops->name, op) == 0; }
static inline const void *sp_field_ptr(const sp_node *n, const sp_field_desc *f) { return (const char *)n + f->offset; }

/* ---- making nodes: all in the plan's arena; NULL when out of memory ---- */
sp_node *sp_node_new(sp_arena *a, const sp_node_ops *ops); /* fields at their defaults */
sp_node *sp_node_copy(sp_arena *a, const sp_node *n);      /* shallow: fields are shared */
const sp_schema *sp_node_input_schema(const sp_plan *p, const sp_node *n, uint32_t which);
/* Fields equal (not ids, places, origins or inputs). */
bool sp_node_fields_eq(const sp_node *x, const sp_node *y);
/* Was the field given (other than its default)? */
bool sp_field_is_set(const sp_node *n, const sp_field_desc *f);
void sp_field_text(const sp_node *n, const sp_field_desc *f, sp_str *out); /* its value for people: "a, b DESC" */
void sp_node_headline(const sp_node *n, sp_str *out); /* "delay > 15 AND origin IS NOT NULL" */
/* Every sp_items of a node, in field order; false past the last. */
bool sp_node_items(const sp_node *n, uint32_t i, const sp_field_desc **ret_field, const sp_items **ret);
const sp_items *sp_items_of(sp_arena *a, const sp_expr *const *exprs, uint32_t n, sp_origin origin); /* NULL when out of memory */

/* ---- making plans ---- */
typedef struct sp_plan_builder {
  sp_arena *arena;
  sp_node **nodes;
  uint32_t n, cap;
} sp_plan_builder;
/* Appends a node whose inputs are indices in the builder; UINT32_MAX when out of memory. */
uint32_t sp_plan_add(sp_plan_builder *b, sp_node *n);
/* Drops nodes that no output reaches, orders topologically (stable), computes fingerprints and freezes. like: where file, written ids, output ids come from. */
sp_status sp_plan_finish(sp_plan_builder *b, const sp_plan *like, sp_stage stage, const uint32_t *outputs, uint32_t n_outputs, const sp_plan **ret, sp_error *err);
/* For debug builds and after each firing: topological order, schemas recomputed and equal, expressions bound to existing columns of
 * the right types, unique ids. SP_INTERNAL naming node and reason. */
sp_status sp_plan_validate(const sp_plan *p, sp_error *err);
/* How many consumers each node has (outputs count as one each); array of n_nodes in the arena. */
uint32_t *sp_plan_consumers(const sp_plan *p, sp_arena *a);

/* ---- what is determined (DESIGN.md section 5) ---- */
/* One per node, in the arena; NULL when out of memory. */
sp_determined *sp_plan_determined(const sp_plan *p, sp_arena *a);

#endif
