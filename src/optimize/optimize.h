/* The optimizer: passes of rules over the plan array, with a central trace.
 *
 * A rule is a sweep: one walk over the array, down (from the outputs, carrying predicates, needed columns, slices) or up (peephole),
 * O(nodes + facts), making at most one new copy of a node. Local rewriting to a fixpoint is quadratic and not done. The driver runs the
 * passes of a profile, times them, validates what changed after a firing and the whole plan after a sweep, and repeats a pass until nothing
 * changes, up to a cap; reaching the cap fails tests, and a release keeps the last valid plan and says so in the trace.
 *
 * Optimization never changes what is determined (sp_plan_determined), and no rule evaluates a fallible expression on a row on which the
 * written plan did not. The input plan stays intact; results are in its arena. */
#ifndef SP_OPTIMIZE_OPTIMIZE_H
#define SP_OPTIMIZE_OPTIMIZE_H

#include "plan/nodes.h"

/* ---- what is recorded ---- */
typedef enum sp_fact_kind { SP_FACT_PREDICATE, SP_FACT_COLUMN, SP_FACT_SLICE, SP_FACT_SUBPLAN, SP_FACT_JOIN, SP_FACT_EXPR, SP_FACT_ORDER, SP_FACT_NODE } sp_fact_kind;
typedef enum sp_fact_action {
  SP_ACT_MOVED,   /* from → to */
  SP_ACT_COPIED,  /* from → to, and stays (a key predicate to both sides) */
  SP_ACT_STOPPED, /* at `to`, reason says why */
  SP_ACT_REMOVED,
  SP_ACT_REPLACED,
  SP_ACT_MERGED,    /* subplans found equal */
  SP_ACT_NOT_SHARED /* a repeated subplan that stays twice, reason says why */
} sp_fact_action;
typedef struct sp_fact {
  sp_fact_kind kind;
  sp_fact_action action;
  const char *text;    /* "delay > 15", "7 of 16 columns", "0:10" */
  const char *from;    /* id of the node it was at in the firing's input plan, or NULL */
  const char *to;      /* id in the output plan, or NULL */
  const char *reason;  /* blocker, or NULL */
  sp_origin origin;    /* where it was written */
} sp_fact;

typedef struct sp_firing {
  uint32_t pass, round;
  const char *rule;
  uint32_t n_before, n_after;
  const char *const *before, *const *after; /* ids of the nodes it read and made */
  uint32_t n_facts;
  const sp_fact *facts;
} sp_firing;
typedef struct sp_pass_record {
  const char *pass, *rule;
  uint32_t round;
  uint32_t firings;
  int64_t wall_ns;
} sp_pass_record;
typedef struct sp_trace {
  const char *profile;
  uint32_t n_passes;
  const sp_pass_record *passes; /* every rule run, in order, those that did nothing too */
  uint32_t n_firings;
  const sp_firing *firings;
  uint32_t n_blockers;      /* STOPPED and NOT_SHARED as they hold in the final plan */
  const sp_fact *blockers;
  bool capped;              /* a pass reached its cap */
  int64_t wall_ns;
  const double *est_rows;   /* estimate per node of the optimized plan; -1 unknown */
  const double *est_rows_before; /* and of the input plan */
} sp_trace;

/* ---- profiles ---- */
typedef struct sp_profile_pass {
  const char *name;
  uint32_t max_rounds; /* 1 = once */
  uint32_t n_rules;
  const char *const *rules;
} sp_profile_pass;
typedef struct sp_profile {
  const char *name;
  uint32_t n_passes;
  const sp_profile_pass *passes;
} sp_profile;
const sp_profile *sp_profile_default(void);
const sp_profile *sp_profile_none(void);
/* {"sigmapi_profile": 1, "name": …, "passes": [{"name": …, "max_rounds": n, "rules": […]}]}; unknown rules are errors with the nearest names. */
sp_status sp_profile_read(const sp_json_doc *d, sp_arena *a, const sp_profile **ret, sp_error *err);
sp_status sp_profile_write(const sp_profile *p, sp_str *out, sp_error *err);
/* A copy without the rules in `disable`, and, when n_only > 0, with none but those in `only`. Unknown names are SP_USAGE with the nearest. */
sp_status sp_profile_filter(const sp_profile *p, const char *const *disable, uint32_t n_disable, const char *const *only, uint32_t n_only, sp_arena *a,
                            const sp_profile **ret, sp_error *err);

/* *trace is in the plan's arena. Without rules *ret = in. validate: check everything after every firing (tests, debug). */
sp_status sp_optimize(const sp_plan *in, const sp_profile *profile, bool validate, const sp_plan **ret, const sp_trace **ret_trace, sp_error *err);

/* Estimated rows per node, -1 unknown: from file statistics, never from data. Array of n_nodes in the arena; NULL when out of memory. */
double *sp_estimate_rows(const sp_plan *p, sp_arena *a);

/* ---- rules ---- */
typedef struct sp_sweep sp_sweep; /* the driver's: collects firings */
typedef struct sp_rule {
  const char *name, *summary;
  /* One sweep. *ret = NULL when nothing changed, else a finished plan (sp_plan_finish). Every change is recorded by sp_sweep_fired. */
  sp_status (*sweep)(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err);
} sp_rule;
extern const sp_rule *const sp_rule_table[]; /* rules.def: SP_RULE(name) → rules/NAME.c defines sp_rule_NAME; .def order */
const sp_rule *sp_rule_find(sp_sv name);

/* Starts a firing; facts that follow belong to it. Ids are kept by reference. Out of memory is remembered and reported by the driver. */
void sp_sweep_fired(sp_sweep *s, const char *const *before, uint32_t n_before, const char *const *after, uint32_t n_after);
void sp_sweep_fact(sp_sweep *s, const sp_fact *f);
/* A blocker: recorded with the sweep, kept if it still holds when the sweep was the rule's last. */
void sp_sweep_blocked(sp_sweep *s, const sp_fact *f);
/* A new id `<base>~<rule><n>`, never given out before. NULL when out of memory. */
const char *sp_sweep_new_id(sp_sweep *s, const char *base);
sp_arena *sp_sweep_arena(sp_sweep *s);
/* The optimizer's input, as it was before any rule. */
const sp_plan *sp_sweep_first(const sp_sweep *s);

#endif
