/* group_by: one row per group of equal keys. Lowering; the rest is told in group_by.h.
 *
 *   keys [year(day) AS y], aggs [sum(a) / count(*) AS m, n_unique(b)]
 *   inputs   program over the input: year(day), a, b
 *   calls    sum(a), count(*), n_unique(b)
 *   results  program over (y, "agg 0", "agg 1", "agg 2"): "agg 0" / "agg 1", "agg 2" */
#include "exec/operators/group_by/group_by.h"

/* DISTINCT changes nothing for min and max, nor for the first of the values. */
static bool needs_set(const sp_expr *call) {
  return call->distinct && call->n_args > 0 && (call->fn->flags & (SP_FN_DISTINCT_FREE | SP_FN_ORDERED)) == 0;
}

static sp_status make_set(sp_gb *g, sp_gb_call *c, sp_arena *a, sp_error *err) {
  const sp_type **types = SP_ARENA_ARRAY(a, const sp_type *, c->n_args + 1);
  SP_TRY_ALLOC(err, types);
  types[0] = sp_type_of(SP_KIND_UINT32);
  for (uint32_t i = 0; i < c->n_args; i++) {
    types[i + 1] = c->agg.call->args[i]->type;
  }
  c->set_layout = sp_key_layout_new(a, types, c->n_args + 1);
  SP_TRY_ALLOC(err, c->set_layout);
  c->set = g->n_sets++;
  return SP_OK;
}

static sp_status make_call(sp_gb *g, sp_gb_call *c, const sp_expr *call, const sp_expr **exprs, sp_arena *a,
                           sp_error *err) {
  *c = (sp_gb_call){.ops = call->fn->aggregate, .filter = UINT32_MAX, .set = UINT32_MAX};
  c->agg = (sp_agg){.fn = call->fn,
                    .call = call,
                    .arg = call->n_args > 0 ? call->args[0]->type : NULL,
                    .result = call->type};
  c->first_arg = g->n_outs;
  c->n_args = call->n_args;
  for (uint32_t i = 0; i < call->n_args; i++) {
    exprs[g->n_outs++] = call->args[i];
  }
  if (call->filter != NULL) {
    c->filter = g->n_outs;
    exprs[g->n_outs++] = call->filter;
  }
  const uint32_t size = c->ops->state_size(&c->agg);
  const size_t align = size % 16 == 0 ? 16 : 8;
  c->offset = (g->user_bytes + align - 1) / align * align;
  g->user_bytes = c->offset + size;
  return needs_set(call) ? make_set(g, c, a, err) : SP_OK;
}

static sp_status make_calls(sp_gb *g, const sp_agg_split *split, const sp_expr **exprs, sp_arena *a,
                            sp_error *err) {
  g->n_calls = split->n_calls;
  g->calls = SP_ARENA_ARRAY(a, sp_gb_call, split->n_calls);
  SP_TRY_ALLOC(err, g->calls);
  g->user_bytes = g->ordered ? sizeof(sp_gb_first) : 0;
  for (uint32_t i = 0; i < split->n_calls; i++) {
    SP_TRY(make_call(g, &g->calls[i], split->calls[i], exprs, a, err));
  }
  return SP_OK;
}

/* The program over keys ++ calls. */
static sp_status make_results(sp_operator *op, const sp_group_by_node *n, const sp_agg_split *split,
                              sp_arena *a, sp_error *err) {
  sp_gb *g = op->shared;
  g->n_results = n->aggs.n;
  if (n->aggs.n == 0) {
    return SP_OK;
  }
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t i = 0; i < n->keys.n; i++) {
    sp_schema_add(&b, split->key_names[i], n->keys.items[i].expr->type);
  }
  for (uint32_t i = 0; i < split->n_calls; i++) {
    sp_schema_add(&b, split->call_names[i], split->calls[i]->type);
  }
  const sp_schema *mid = NULL;
  SP_TRY(sp_schema_finish(&b, &n->base.loc, &mid, err));
  return sp_program_new(op->mem, mid, split->results, n->aggs.n, &g->results, err);
}

static sp_status prepare(sp_operator *op, const sp_group_by_node *n, sp_arena *a, sp_error *err) {
  sp_gb *g = op->shared;
  sp_agg_split split;
  if (!sp_group_by_split(n, a, &split)) {
    return sp_error_nomem(err);
  }
  size_t most = n->keys.n;
  for (uint32_t i = 0; i < split.n_calls; i++) {
    most += split.calls[i]->n_args + 1;
  }
  const sp_expr **exprs = SP_ARENA_ARRAY(a, const sp_expr *, most);
  const sp_type **types = SP_ARENA_ARRAY(a, const sp_type *, n->keys.n);
  g->parts = SP_ARENA_ARRAY(a, sp_gb_part *, sp_exec_threads(op->exec));
  if (exprs == NULL || types == NULL || g->parts == NULL) {
    return sp_error_nomem(err);
  }
  g->n_keys = g->n_outs = n->keys.n;
  g->ordered = n->maintain_order;
  for (uint32_t i = 0; i < n->keys.n; i++) {
    exprs[i] = n->keys.items[i].expr;
    types[i] = exprs[i]->type;
  }
  g->layout = sp_key_layout_new(a, types, n->keys.n);
  SP_TRY_ALLOC(err, g->layout);
  SP_TRY(make_calls(g, &split, exprs, a, err));
  if (g->n_outs > 0) {
    SP_TRY(sp_program_new(op->mem, op->in, exprs, g->n_outs, &g->inputs, err));
  }
  return make_results(op, n, &split, a, err);
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  const sp_group_by_node *n = (const sp_group_by_node *)sp_lower_plan(l)->nodes[node];
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  sp_operator *sink = sp_lower_operator(l, node, &sp_gb_sink_ops, sizeof(sp_gb));
  SP_TRY_ALLOC(err, sink);
  SP_TRY(prepare(sink, n, sp_lower_arena(l), err));
  SP_TRY(sp_lower_end(l, s, sink, err));
  sp_operator *source = sp_lower_operator(l, node, &sp_gb_source_ops, 0);
  SP_TRY_ALLOC(err, source);
  source->shared = sink;
  sp_stream out;
  SP_TRY(sp_lower_source(l, source, &s.pipeline, 1, n->maintain_order, &out, err));
  return sp_lower_output(l, node, out, err);
}

static bool has_ordered(const sp_expr *e) {
  if (e->kind == SP_EXPR_CALL && (e->fn->flags & SP_FN_ORDERED) != 0) {
    return true;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    if (has_ordered(e->args[i])) {
      return true;
    }
  }
  return false;
}

static bool observes(const sp_node *node, uint32_t which, bool observed) {
  (void)which;
  (void)observed;
  const sp_group_by_node *n = (const sp_group_by_node *)node;
  bool any = n->maintain_order;
  for (uint32_t i = 0; i < n->aggs.n && !any; i++) {
    any = has_ordered(n->aggs.items[i].expr);
  }
  return any;
}

const sp_lowering sp_lowering_group_by = {.kinds = "group_by", .lower = lower, .observes = observes};
