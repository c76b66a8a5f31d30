/* Rebuilding a plan: one walk up in array order. A node that did not change, over inputs that did not move,
 * is the same struct in the new plan; everything else is one copy with its inputs renumbered and, where an
 * input's schema changed, its schema computed anew.
 *
 *   sp_rewrite_begin(&w, in); for each i: sp_rewrite_keep(&w, i) or sp_rewrite_put(&w, i, changed, …) or
 * map[i] = map[input]; sp_rewrite_finish */
#include "optimize/internal.h"

sp_status sp_rewrite_begin(sp_rewrite *w, const sp_plan *in, sp_error *err) {
  *w = (sp_rewrite){.in = in, .arena = in->arena, .b = {.arena = in->arena}};
  w->map = SP_ARENA_ARRAY(in->arena, uint32_t, in->n_nodes);
  SP_TRY_ALLOC(err, w->map);
  return SP_OK;
}

const sp_schema *sp_rewrite_schema(const sp_rewrite *w, uint32_t node) {
  return w->b.nodes[node]->schema;
}

static sp_status compute_schema(sp_rewrite *w, sp_node *n, sp_error *err) {
  const sp_schema *few[8];
  const sp_schema **inputs = few;
  if (n->n_inputs > 8) {
    inputs = SP_ARENA_ARRAY(w->arena, const sp_schema *, n->n_inputs);
    SP_TRY_ALLOC(err, inputs);
  }
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    inputs[i] = w->b.nodes[n->inputs[i]]->schema;
  }
  return n->ops->schema(n, inputs, w->arena, &n->schema, err);
}

static sp_status add(sp_rewrite *w, const sp_node *n, uint32_t *ret, sp_error *err) {
  *ret =
      sp_plan_add(&w->b, (sp_node *)(uintptr_t)n); /* finishing copies frozen nodes before it changes them */
  return *ret != UINT32_MAX ? SP_OK : sp_error_nomem(err);
}

sp_status sp_rewrite_put(sp_rewrite *w, uint32_t i, const sp_node *n, const uint32_t *inputs, sp_error *err) {
  const sp_node *old = w->in->nodes[i];
  bool moved = false;
  bool other_schema = n != old;
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    const uint32_t to = inputs != NULL ? inputs[k] : w->map[n->inputs[k]];
    moved = moved || to != old->inputs[k];
    other_schema = other_schema || w->b.nodes[to]->schema != w->in->nodes[old->inputs[k]]->schema;
  }
  w->changed = w->changed || n != old || other_schema || inputs != NULL;
  if (!moved && !other_schema) {
    return add(w, n, &w->map[i], err);
  }
  sp_node *c = sp_node_copy(w->arena, n);
  uint32_t *to = SP_ARENA_ARRAY(w->arena, uint32_t, n->n_inputs);
  if (c == NULL || to == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    to[k] = inputs != NULL ? inputs[k] : w->map[n->inputs[k]];
  }
  c->inputs = to;
  if (other_schema) {
    SP_TRY(compute_schema(w, c, err));
    if (sp_schema_eq(c->schema, old->schema)) {
      c->schema = old->schema; /* so that consumers need no new one */
    }
  }
  return add(w, c, &w->map[i], err);
}

sp_status sp_rewrite_add(sp_rewrite *w, sp_node *n, const uint32_t *inputs, uint32_t n_inputs, uint32_t *ret,
                         sp_error *err) {
  n->inputs = sp_arena_copy(w->arena, inputs, n_inputs * sizeof *inputs);
  n->n_inputs = n_inputs;
  SP_TRY_ALLOC(err, n->inputs);
  SP_TRY(compute_schema(w, n, err));
  w->changed = true;
  return add(w, n, ret, err);
}

sp_status sp_rewrite_finish(sp_rewrite *w, const sp_plan **ret, sp_error *err) {
  *ret = NULL;
  if (!w->changed) {
    return SP_OK;
  }
  uint32_t *outputs = SP_ARENA_ARRAY(w->arena, uint32_t, w->in->n_outputs);
  SP_TRY_ALLOC(err, outputs);
  for (uint32_t i = 0; i < w->in->n_outputs; i++) {
    outputs[i] = w->map[w->in->outputs[i]];
  }
  return sp_plan_finish(&w->b, w->in, SP_STAGE_OPTIMIZED, outputs, w->in->n_outputs, ret, err);
}

sp_node *sp_new_node_like(sp_sweep *s, const char *kind, const sp_node *like, sp_origin origin) {
  sp_node *n = sp_node_new(s->arena, sp_node_ops_find(sp_sv_from(kind)));
  const char *id = sp_sweep_new_id(s, like->id);
  if (n == NULL || id == NULL) {
    return NULL;
  }
  n->id = id;
  n->loc = like->loc;
  n->origin = origin;
  return n;
}

sp_node *sp_new_select(sp_sweep *s, const sp_node *like, const sp_schema *columns) {
  sp_project_node *n = (sp_project_node *)sp_new_node_like(s, "select", like, like->origin);
  sp_item *items = SP_ARENA_ARRAY(s->arena, sp_item, columns->n);
  if (n == NULL || items == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < columns->n; i++) {
    items[i] = (sp_item){.expr = sp_expr_column(s->arena, columns->fields[i].name, columns->fields[i].type),
                         .loc = like->loc,
                         .origin = like->origin};
    if (items[i].expr == NULL) {
      return NULL;
    }
  }
  n->exprs = (sp_items){.n = columns->n, .items = items};
  return &n->base;
}
