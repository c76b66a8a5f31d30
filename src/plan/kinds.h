/* What the files of node kinds share: schemas from items, needed columns, predicates on their way down,
 * fields of scans. Only files of this folder and the native format include it; rules and operators use
 * nodes.h. */
#ifndef SP_PLAN_KINDS_H
#define SP_PLAN_KINDS_H

#include "plan/nodes.h"
#include "plan/resolve/resolve.h"

/* ---- fields ---- */
uint64_t sp_fields_hash(const sp_node *n,
                        sp_hasher *h); /* adds all fields; returns how many were not at their default */
/* Was the field given (other than its default)? What the writer writes. */
bool sp_field_is_set(const sp_node *n, const sp_field_desc *f);
bool sp_fkind_is_items(sp_fkind k);
/* The columns that the expressions of field f read; *ret NULL when the node has no such input. */
sp_status sp_field_scope(const sp_node *n, const sp_field_desc *f, const sp_schema *const *inputs,
                         sp_arena *a, const sp_schema **ret, sp_error *err);
/* "a AS b, c" and the like, as headlines use them. */
void sp_headline_items(const sp_items *items, const char *sep, sp_str *out);
void sp_headline_predicate(const sp_items *conjuncts, sp_str *out); /* joined by AND */

/* ---- items and schemas ---- */
/* Adds the outputs of items to a schema being built; false = out of memory. */
bool sp_schema_add_items(sp_schema_builder *b, const sp_items *items, sp_arena *a);
/* SP_INVALID naming both expressions when two outputs of x ++ y have one name. y may be NULL. */
sp_status sp_items_unique(const sp_items *x, const sp_items *y, sp_arena *a, sp_error *err);
/* The output schema of kinds that pass their (first) input's columns on. */
sp_status sp_schema_same(const sp_node *n, const sp_schema *const *inputs, sp_arena *a, const sp_schema **ret,
                         sp_error *err);
/* Place of a member of a node: pointer + "/key"; line and column stay the node's. */
sp_loc sp_loc_member(const sp_loc *node, const char *key, sp_arena *a);
/* sp_schema_unknown for entry `index` of the list under `key` of a node. */
sp_status sp_unknown_in_list(const sp_schema *s, const sp_strings *list, uint32_t index, const sp_loc *node,
                             const char *key, sp_arena *a, sp_error *err);
/* Binds items without giving them names (keys of sorts and joins); their aliases are dropped. */
sp_status sp_bind_keys(sp_bind_cx *cx, const sp_node *written, const sp_items *in, const sp_schema *schema,
                       sp_items *ret, sp_error *err);

/* ---- needed columns; all return false when out of memory ---- */
bool sp_needs_items(const sp_items *items, sp_arena *a, sp_names *ret);
bool sp_needs_schema(const sp_schema *s, sp_arena *a, sp_names *ret);
bool sp_needs_out(const sp_schema *s, const sp_names *out, sp_arena *a,
                  sp_names *ret); /* out, or all of s when it is NULL */
bool sp_needs_same(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                   sp_arena *a, sp_names *ret);
bool sp_needs_all(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret);
/* The items whose output is in out, in *ret (the same array when all are). */
bool sp_items_narrow(const sp_items *items, const sp_names *out, sp_arena *a, sp_items *ret);

/* ---- predicates on their way down ---- */
/* Fills *ret so that nothing goes anywhere yet; false = out of memory. */
bool sp_push_begin(sp_push *ret, uint32_t n_inputs, sp_arena *a);
/* It stays, and why. Returns SP_OK or SP_NOMEM. */
__attribute__((format(printf, 3, 4))) sp_status sp_push_block(sp_push *ret, sp_arena *a, const char *fmt,
                                                              ...);
sp_status sp_push_same(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                       sp_push *ret);
/* Replaces columns of pred by the expressions of `items` with that output name. pass_rest: other columns stay
 * (with_columns), else they must not occur. plain_only: only bare columns may stand for an output (group
 * keys). *ret = NULL and *ret_blocker when it cannot. */
sp_status sp_push_through_items(const sp_items *items, bool pass_rest, bool plain_only, const sp_expr *pred,
                                sp_arena *a, const sp_expr **ret, const char **ret_blocker);
/* Renames columns: from[i] → to[i], with to's type. */
typedef struct sp_column_map {
  uint32_t n;
  const sp_sv *from;
  const sp_expr *const *to;
} sp_column_map;
/* NULL when out of memory. The caller has checked the depth when replacements are deep. */
const sp_expr *sp_expr_rename(sp_arena *a, const sp_expr *e, const sp_column_map *map);

/* ---- what is determined ---- */
const sp_names *sp_known_names(const sp_strings *s, sp_arena *a); /* NULL when out of memory */
const sp_names *sp_known_items(const sp_items *items,
                               sp_arena *a); /* the outputs' names; NULL when out of memory */
bool sp_sort_determine(const sp_node *n, const sp_known *const *inputs, sp_arena *a, sp_known *ret);

/* ---- joins ---- */
/* Is the i-th pair of keys two plain columns (perhaps cast to their common type)? Then one of the two may
 * leave the output. */
bool sp_join_key_columns(const sp_join_node *n, const sp_schema *left, const sp_schema *right, uint32_t i,
                         sp_sv *ret_left, sp_sv *ret_right);
bool sp_join_coalesces(const sp_join_node *n);

/* ---- kinds that share their code ---- */
/* Scans: the fields that all file scans have, then a format's own. */
#define SP_SCAN_FIELDS_FRONT                                                                                 \
  {.key = "path",                                                                                            \
   .kind = SP_F_PATHS,                                                                                       \
   .required = true,                                                                                         \
   .offset = offsetof(sp_scan_node, paths),                                                                  \
   .brief = 1,                                                                                               \
   .doc = "file, glob or list of them; relative ones start at the plan's folder or at --data-root"},         \
  {                                                                                                          \
    .key = "schema", .kind = SP_F_SCHEMA, .offset = offsetof(sp_scan_node, given),                           \
    .doc = "columns and their types; without it they come from the file"                                     \
  }
#define SP_SCAN_FIELDS_BACK                                                                                  \
  {.key = "n_rows",                                                                                          \
   .kind = SP_F_INT,                                                                                         \
   .offset = offsetof(sp_scan_node, n_rows),                                                                 \
   .dflt = -1,                                                                                               \
   .doc = "read at most so many rows, before any predicate"},                                                \
      {.key = "row_index",                                                                                   \
       .kind = SP_F_ROW_INDEX,                                                                               \
       .offset = offsetof(sp_scan_node, row_index),                                                          \
       .doc = "an int64 column of row numbers, put first"},                                                  \
      {.key = "include_file_path",                                                                           \
       .kind = SP_F_STRING,                                                                                  \
       .offset = offsetof(sp_scan_node, include_file_path),                                                  \
       .doc = "name of a string column with each row's file, put last"},                                     \
      {.key = "hive",                                                                                        \
       .kind = SP_F_BOOL,                                                                                    \
       .offset = offsetof(sp_scan_node, hive),                                                               \
       .doc = "add columns from k=v folders"},                                                               \
      {.key = "columns",                                                                                     \
       .kind = SP_F_NAMES,                                                                                   \
       .offset = offsetof(sp_scan_node, columns),                                                            \
       .doc = "read only these columns"},                                                                    \
  {                                                                                                          \
    .key = "predicate", .kind = SP_F_PREDICATE, .offset = offsetof(sp_scan_node, predicate),                 \
    .scope = SP_SCOPE_FILE, .doc = "keep only rows for which it is true"                                     \
  }
sp_status sp_scan_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                          sp_error *err);
/* Opens what n (a file scan with paths and root) reads and fills in the rest. loc: for errors. */
sp_status sp_scan_open(sp_bind_cx *cx, sp_scan_node *n, const sp_node *written, sp_error *err);
sp_status sp_scan_schema(const sp_node *n, const sp_schema *const *inputs, sp_arena *a, const sp_schema **ret,
                         sp_error *err);
sp_status sp_scan_narrow(const sp_node *n, const sp_names *out, sp_arena *a, const sp_node **ret);
sp_status sp_scan_push(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                       sp_push *ret);
void sp_scan_headline(const sp_node *n, sp_str *out);
bool sp_needs_none(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                   sp_arena *a, sp_names *ret);

/* Slices: head, limit and tail become one. */
sp_status sp_slice_resolve(sp_bind_cx *cx, const sp_node *written, sp_node **ret, sp_error *err);
sp_status sp_slice_resolve_n(sp_bind_cx *cx, const sp_node *written, bool from_end, sp_node **ret,
                             sp_error *err);

/* Projections: select and with_columns; drop and rename become selects. */
sp_status sp_project_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs,
                             sp_node **ret, sp_error *err);
sp_status sp_project_narrow(const sp_node *n, const sp_names *out, sp_arena *a, const sp_node **ret);
void sp_project_headline(const sp_node *n, sp_str *out);
/* A select that passes fields of `in` on: n pairs of (index in in, new name). */
sp_status sp_project_select(sp_bind_cx *cx, const sp_node *written, const sp_schema *in,
                            const uint32_t *index, const sp_sv *names, uint32_t n, sp_node **ret,
                            sp_error *err);

/* Sorts: sort and top_k. */
sp_status sp_sort_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                          sp_error *err);
bool sp_sort_needs(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                   sp_arena *a, sp_names *ret);

/* Sinks. */
sp_status sp_sink_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                          sp_error *err);
/* The path without `.`, doubled slashes and `x/..`, to compare it with others; NULL = out of memory. */
const char *sp_sink_plain_path(const sp_sink_node *n, sp_arena *a);
void sp_sink_headline(const sp_node *n, sp_str *out);

/* Literal rows. Converts a value as it stands in JSON (null, bool, int64, uint64, float64, string) to type t;
 * false when it is not exactly one of that type or memory is exhausted (ret_nomem). */
bool sp_values_convert(const sp_value *v, const sp_type *t, sp_arena *a, sp_value *ret, bool *ret_nomem);
/* "expected int64, got the string `abc`" for the above. */
void sp_values_mismatch(const sp_value *v, const sp_type *t, char *out, size_t size);

/* ---- names to numbers: for ids of plans and outputs of items ---- */
typedef struct sp_idmap {
  sp_arena *arena;
  struct sp_idmap_slot {
    sp_sv name;
    uint32_t value; /* + 1; 0 = free */
  } * slots;
  uint32_t n, n_slots;
} sp_idmap;
void sp_idmap_init(sp_idmap *m, sp_arena *a);
/* Adds name → value unless the name is there: *ret_old is its value then, else UINT32_MAX. false = out of
 * memory. */
bool sp_idmap_add(sp_idmap *m, sp_sv name, uint32_t value, uint32_t *ret_old);
uint32_t sp_idmap_find(const sp_idmap *m, sp_sv name); /* UINT32_MAX when absent */

/* sp_plan_finish with outputs' names given. */
sp_status sp_plan_finish_named(sp_plan_builder *b, const sp_plan *like, const char *file, sp_stage stage,
                               const uint32_t *outputs, const char *const *output_ids, uint32_t n_outputs,
                               const sp_plan **ret, sp_error *err);

#endif
