/* What the files of this folder share: the sweep that a rule gets, the growing trace, maps of names, and
 * rebuilding a plan node by node. */
#ifndef SP_OPTIMIZE_INTERNAL_H
#define SP_OPTIMIZE_INTERNAL_H

#include "optimize/optimize.h"

/* ---- maps: names or pointers to numbers, in an arena ---- */
typedef struct sp_strmap {
  sp_arena *arena;
  struct sp_strmap_slot {
    sp_sv name; /* p == NULL: free */
    uint32_t value;
  } * slots;
  uint32_t n, n_slots;
} sp_strmap;
void sp_strmap_init(sp_strmap *m, sp_arena *a);
/* The value's place, made with value 0 when the name is new; NULL when out of memory. Valid until the next
 * call. The name is kept by reference. */
uint32_t *sp_strmap_at(sp_strmap *m, sp_sv name);
const uint32_t *sp_strmap_find(const sp_strmap *m, sp_sv name); /* NULL when absent */

/* ---- sets of expressions, by structure ---- */
typedef struct sp_exprset {
  sp_arena *arena;
  struct sp_exprset_slot {
    const sp_expr *expr;
    void *value;
  } * slots;
  uint32_t n, n_slots;
} sp_exprset;
void sp_exprset_init(sp_exprset *s, sp_arena *a);
/* The slot of e (through equality), made with value NULL when it is new; NULL when out of memory. Valid until
 * the next call. */
struct sp_exprset_slot *sp_exprset_at(sp_exprset *s, const sp_expr *e);
struct sp_exprset_slot *sp_exprset_find(const sp_exprset *s, const sp_expr *e); /* NULL when absent */

/* ---- the trace while it grows ---- */
typedef struct sp_tracer {
  sp_arena *arena; /* the plan's */
  sp_pass_record *passes;
  uint32_t n_passes, cap_passes;
  sp_firing *firings;
  uint32_t n_firings, cap_firings;
  sp_fact *facts; /* of the firing that is open */
  uint32_t n_facts, cap_facts;
  bool failed; /* out of memory */
} sp_tracer;
void sp_tracer_close_firing(sp_tracer *t); /* gives the open firing its facts */

struct sp_sweep {
  sp_arena *arena;
  const sp_plan *first; /* the optimizer's input: what was written, resolved */
  const char *rule;
  uint32_t pass, round;
  sp_tracer *tracer;
  sp_strmap *ids; /* every id ever used → 1; "base~rule" → the last number given */
  bool *ids_ready;
  uint32_t firings;
  sp_fact *blockers;
  uint32_t n_blockers, cap_blockers;
  bool dry; /* only blockers are wanted */
  bool failed;
};

/* A rule's checks that its result is no worse than what it got: same outputs by name and type. SP_INTERNAL.
 */
sp_status sp_optimize_check_outputs(const sp_plan *before, const sp_plan *after, const char *rule,
                                    sp_error *err);

/* ---- rebuilding: one walk up, nodes in order, unchanged ones shared ---- */
typedef struct sp_rewrite {
  const sp_plan *in;
  sp_arena *arena;
  sp_plan_builder b;
  uint32_t *map; /* node of `in` → node in the builder */
  bool changed;  /* anything */
} sp_rewrite;
sp_status sp_rewrite_begin(sp_rewrite *w, const sp_plan *in, sp_error *err);
/* The node as it comes out: `n` (in->nodes[i] itself, or a changed copy of it), with inputs `inputs`
 * (builder's numbers, n->n_inputs of them; NULL: the mapped ones). Schema is recomputed when the node or an
 * input's schema changed. Fills map[i]. */
sp_status sp_rewrite_put(sp_rewrite *w, uint32_t i, const sp_node *n, const uint32_t *inputs, sp_error *err);
static inline sp_status sp_rewrite_keep(sp_rewrite *w, uint32_t i, sp_error *err) {
  return sp_rewrite_put(w, i, w->in->nodes[i], NULL, err);
}
/* A new node (fields set; id, loc, origin set) over builder's nodes. *ret = its number. */
sp_status sp_rewrite_add(sp_rewrite *w, sp_node *n, const uint32_t *inputs, uint32_t n_inputs, uint32_t *ret,
                         sp_error *err);
const sp_schema *sp_rewrite_schema(const sp_rewrite *w, uint32_t node); /* of a builder's node */
/* *ret = NULL when nothing changed. */
sp_status sp_rewrite_finish(sp_rewrite *w, const sp_plan **ret, sp_error *err);

/* ---- nodes that rules make; NULL when out of memory ---- */
/* id, place and origin as `like`'s; kind by name. */
sp_node *sp_new_node_like(sp_sweep *s, const char *kind, const sp_node *like, sp_origin origin);
/* A select of the fields of `in` by their names, in that order, over any input that has them. */
sp_node *sp_new_select(sp_sweep *s, const sp_node *like, const sp_schema *columns);

/* ---- expressions ---- */
/* e, simplified (simplify.c): same type, same value on every row, errors included. NULL when out of memory.
 */
const sp_expr *sp_simplify(sp_arena *a, const sp_expr *e);
/* For a predicate: what else may be dropped when null counts as false. */
const sp_expr *sp_simplify_predicate(sp_arena *a, const sp_expr *e);
/* What an OR implies for the columns in `names` alone: (x = 1 AND y = 2) OR (x = 3 AND y = 4) gives x IN (1,
 * 3) for {x}. *ret = NULL when nothing. */
bool sp_implied_by(sp_arena *a, const sp_expr *e, const sp_names *names,
                   const sp_expr **ret); /* false = out of memory */

#endif
