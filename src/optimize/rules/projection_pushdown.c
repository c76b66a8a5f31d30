/* projection_pushdown: nodes make and scans read only the columns that somebody uses.
 *
 *   select a, sum_bc                           select a, sum_bc
 *     with_columns b + c AS sum_bc, d AS e  ⇒    with_columns b + c AS sum_bc
 *       scan t (a, b, c, d, …)                     scan t, columns [a, b, c]
 *
 *   It does not fire for unique without a subset (it looks at all columns), nor below a plan's output that
 * gives everything.
 *
 * Down: what each node must give is the union of what its consumers need, by the kinds' `needs`. Up: kinds
 * that can `narrow` do; where a consumer would see another schema than its sibling inputs' (a union over one
 * narrowed and one unnarrowed input) a select on that edge drops the rest. Output columns of the plan, their
 * order and types stay. A node that is only counted keeps its cheapest column; a scan may keep none. */
#include "optimize/internal.h"

typedef struct narrowing {
  sp_sweep *s;
  const sp_plan *in;
  sp_arena *arena;
  sp_names *need; /* by node */
  bool *all;      /* by node: everything is needed */
  sp_rewrite w;
} narrowing;

/* Relative cost of a value of this type. */
static uint32_t cost_of(const sp_type *t) {
  return t->width > 0 ? t->width : 64;
}

static bool add_cheapest(narrowing *c, const sp_schema *schema, sp_names *need) {
  if (schema->n == 0) {
    return true;
  }
  uint32_t best = 0;
  for (uint32_t i = 1; i < schema->n; i++) {
    if (cost_of(schema->fields[i].type) < cost_of(schema->fields[best].type)) {
      best = i;
    }
  }
  return sp_names_add(need, c->arena, schema->fields[best].name);
}

static sp_status input_schemas(narrowing *c, const sp_node *n, const sp_schema **few, uint32_t n_few,
                               const sp_schema ***ret, sp_error *err) {
  *ret = few;
  if (n->n_inputs > n_few) {
    *ret = SP_ARENA_ARRAY(c->arena, const sp_schema *, n->n_inputs);
    SP_TRY_ALLOC(err, *ret);
  }
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    (*ret)[k] = sp_node_input_schema(c->in, n, k);
  }
  return SP_OK;
}

/* What node i's inputs must give it. */
static sp_status ask_inputs(narrowing *c, uint32_t i, sp_error *err) {
  const sp_node *n = c->in->nodes[i];
  const sp_schema *few[8];
  const sp_schema **inputs = NULL;
  SP_TRY(input_schemas(c, n, few, 8, &inputs, err));
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    const uint32_t in = n->inputs[k];
    if (!c->all[in] && !n->ops->needs(n, inputs, c->all[i] ? NULL : &c->need[i], k, c->arena, &c->need[in])) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

static sp_status walk_down(narrowing *c, sp_error *err) {
  for (uint32_t i = 0; i < c->in->n_outputs; i++) {
    c->all[c->in->outputs[i]] = true;
  }
  for (uint32_t i = c->in->n_nodes; i-- > 0;) {
    const sp_node *n = c->in->nodes[i];
    if (!c->all[i] && c->need[i].n == 0 && (n->ops->flags & SP_NODE_SOURCE) == 0 &&
        !add_cheapest(c, n->schema, &c->need[i])) {
      return sp_error_nomem(err);
    }
    c->all[i] = c->all[i] || c->need[i].n >= n->schema->n;
    SP_TRY(ask_inputs(c, i, err));
  }
  return SP_OK;
}

static sp_status record(narrowing *c, const sp_node *old, uint32_t kept, sp_error *err) {
  const uint32_t total =
      strncmp(old->ops->name, "scan", 4) == 0 && ((const sp_scan_node *)old)->file_schema != NULL
          ? ((const sp_scan_node *)old)->file_schema->n
          : old->schema->n;
  const char *text = sp_arena_printf(c->arena, "%u of %u columns", kept, total);
  SP_TRY_ALLOC(err, text);
  const sp_fact f = {
      .kind = SP_FACT_COLUMN, .action = SP_ACT_MOVED, .text = text, .to = old->id, .origin = old->origin};
  sp_sweep_fired(c->s, &old->id, 1, &old->id, 1);
  sp_sweep_fact(c->s, &f);
  return SP_OK;
}

/* The schema's columns that are in `names`, in its order. */
static sp_status part_of(narrowing *c, const sp_schema *schema, const sp_names *names, const sp_schema **ret,
                         sp_error *err) {
  sp_schema_builder b;
  sp_schema_begin(&b, c->arena);
  for (uint32_t i = 0; i < schema->n; i++) {
    if (sp_names_has(names, schema->fields[i].name)) {
      sp_schema_add(&b, schema->fields[i].name, schema->fields[i].type);
    }
  }
  return sp_schema_finish(&b, NULL, ret, err);
}

/* A union's inputs must agree: those that give more than it was asked for get a select. */
static sp_status align_union(narrowing *c, uint32_t i, const uint32_t **ret, sp_error *err) {
  const sp_node *n = c->in->nodes[i];
  uint32_t *inputs = SP_ARENA_ARRAY(c->arena, uint32_t, n->n_inputs);
  SP_TRY_ALLOC(err, inputs);
  bool any = false;
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    inputs[k] = c->w.map[n->inputs[k]];
    const sp_schema *is = sp_rewrite_schema(&c->w, inputs[k]);
    if (c->all[i] || is->n == c->need[i].n) {
      continue;
    }
    const sp_schema *part = NULL;
    SP_TRY(part_of(c, is, &c->need[i], &part, err));
    sp_node *select = sp_new_select(c->s, c->w.b.nodes[inputs[k]], part);
    SP_TRY_ALLOC(err, select);
    const char *ids[2] = {n->id, select->id};
    SP_TRY(sp_rewrite_add(&c->w, select, &inputs[k], 1, &inputs[k], err));
    sp_sweep_fired(c->s, ids, 1, ids, 2);
    any = true;
  }
  *ret = any ? inputs : NULL;
  return SP_OK;
}

static sp_status narrow_node(narrowing *c, uint32_t i, sp_error *err) {
  const sp_node *old = c->in->nodes[i];
  const sp_node *n = old;
  if (!c->all[i] && old->ops->narrow != NULL) {
    const sp_status st = old->ops->narrow(old, &c->need[i], c->arena, &n);
    if (st != SP_OK) {
      return st == SP_NOMEM ? sp_error_nomem(err) : st;
    }
  }
  if (n != old && sp_node_is(n, "with_columns") && ((const sp_project_node *)n)->exprs.n == 0) {
    c->w.map[i] = c->w.map[n->inputs[0]];
    c->w.changed = true;
    const sp_fact f = {.kind = SP_FACT_NODE,
                       .action = SP_ACT_REMOVED,
                       .text = "nobody uses its columns",
                       .from = old->id,
                       .origin = old->origin};
    sp_sweep_fired(c->s, &old->id, 1, NULL, 0);
    sp_sweep_fact(c->s, &f);
    return SP_OK;
  }
  const uint32_t *inputs = NULL;
  if (sp_node_is(old, "union")) {
    SP_TRY(align_union(c, i, &inputs, err));
  }
  SP_TRY(sp_rewrite_put(&c->w, i, n, inputs, err));
  return n != old ? record(c, old, sp_rewrite_schema(&c->w, c->w.map[i])->n, err) : SP_OK;
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  narrowing c = {.s = s, .in = in, .arena = in->arena};
  c.need = SP_ARENA_ARRAY(c.arena, sp_names, in->n_nodes);
  c.all = SP_ARENA_ARRAY(c.arena, bool, in->n_nodes);
  if (c.need == NULL || c.all == NULL) {
    return sp_error_nomem(err);
  }
  SP_TRY(walk_down(&c, err));
  SP_TRY(sp_rewrite_begin(&c.w, in, err));
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    SP_TRY(narrow_node(&c, i, err));
  }
  return sp_rewrite_finish(&c.w, ret, err);
}

const sp_rule sp_rule_projection_pushdown = {
    .name = "projection_pushdown",
    .summary = "reads and computes only the columns that are used",
    .sweep = sweep,
};
