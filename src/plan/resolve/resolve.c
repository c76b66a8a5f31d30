/* The walk from the written plan to the resolved one: each node once, inputs first, by its kind's hook. Sinks
 * always run, so a sink that is not listed among the outputs is added to them. A node that nothing uses is
 * left out, with a warning. */
#include "plan/kinds.h"

typedef struct resolver {
  const sp_plan *written;
  sp_env *env;
  sp_arena *arena;
  sp_plan_builder builder;
  uint32_t *at;   /* written index → builder index */
  sp_idmap ids;   /* of the written plan and of inserted nodes; made when first needed */
  sp_idmap sinks; /* path → written index */
} resolver;

/* ---- outputs ---- */
typedef struct outputs {
  uint32_t n;
  uint32_t *nodes; /* written indices */
  const char **ids;
} outputs;

static bool is_sink(const sp_node *n) {
  return (n->ops->flags & SP_NODE_SINK) != 0;
}

static sp_status collect_outputs(const resolver *r, outputs *ret, sp_error *err) {
  const sp_plan *w = r->written;
  uint8_t *listed = SP_ARENA_ARRAY(r->arena, uint8_t, w->n_nodes);
  ret->nodes = SP_ARENA_ARRAY(r->arena, uint32_t, (size_t)w->n_outputs + w->n_nodes);
  ret->ids = SP_ARENA_ARRAY(r->arena, const char *, (size_t)w->n_outputs + w->n_nodes);
  if (listed == NULL || ret->nodes == NULL || ret->ids == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < w->n_outputs; i++) {
    listed[w->outputs[i]] = 1;
    ret->nodes[ret->n] = w->outputs[i];
    ret->ids[ret->n++] = w->output_ids[i];
  }
  for (uint32_t i = 0; i < w->n_nodes; i++) {
    if (is_sink(w->nodes[i]) && !listed[i]) {
      ret->nodes[ret->n] = i;
      ret->ids[ret->n++] = w->nodes[i]->id;
    }
  }
  if (ret->n == 0) {
    SP_FAIL(err, SP_INVALID, NULL, "the plan has no outputs");
  }
  return SP_OK;
}

/* Nodes that an output needs; the walk is backwards, as inputs come first. */
static uint8_t *find_used(const resolver *r, const outputs *o) {
  uint8_t *used = SP_ARENA_ARRAY(r->arena, uint8_t, r->written->n_nodes);
  if (used == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < o->n; i++) {
    used[o->nodes[i]] = 1;
  }
  for (uint32_t i = r->written->n_nodes; i-- > 0;) {
    const sp_node *n = r->written->nodes[i];
    for (uint32_t k = 0; k < n->n_inputs && used[i]; k++) {
      used[n->inputs[k]] = 1;
    }
  }
  return used;
}

static void warn_unused(const resolver *r, const sp_node *n) {
  if (r->env->warn != NULL) {
    sp_error w = SP_ERROR_INIT;
    sp_error_set(&w, SP_INVALID, &n->loc, "node `%.200s` is left out: no output uses it", n->id);
    r->env->warn(r->env->warn_ctx, &w);
  }
}

/* ---- one node ---- */
/* Everything but what the hook has set. */
static sp_status complete(sp_bind_cx *cx, sp_node *n, const sp_node *written, const char *id,
                          const uint32_t *inputs, const sp_node *const *input_nodes, uint32_t n_inputs,
                          sp_error *err) {
  const sp_schema **schemas = SP_ARENA_ARRAY(cx->arena, const sp_schema *, n_inputs);
  uint32_t *in = sp_arena_copy(cx->arena, inputs, n_inputs * sizeof *in);
  uint32_t *origin = SP_ARENA_NEW(cx->arena, uint32_t);
  if (schemas == NULL || in == NULL || origin == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < n_inputs; i++) {
    schemas[i] = input_nodes[i]->schema;
  }
  *origin = cx->node;
  n->id = id;
  n->loc = written->loc;
  n->origin = (sp_origin){.n = 1, .ids = origin};
  n->n_inputs = n_inputs;
  n->inputs = in;
  n->fingerprint = (sp_hash128){0};
  if (n->ops->schema == NULL) {
    SP_FAIL(err, SP_INTERNAL, &written->loc, "`%s` resolves to %s, which has no schema", written->id,
            n->ops->name);
  }
  return n->ops->schema(n, schemas, cx->arena, &n->schema, err);
}

static sp_status find_inputs(const resolver *r, const sp_node *w, const sp_node **nodes, uint32_t *at,
                             sp_error *err) {
  for (uint32_t i = 0; i < w->n_inputs; i++) {
    at[i] = r->at[w->inputs[i]];
    nodes[i] = r->builder.nodes[at[i]];
    if (is_sink(nodes[i])) {
      SP_FAIL(err, SP_INVALID, &w->loc, "`%.150s` reads from `%.150s`, a %s, which passes no rows on", w->id,
              nodes[i]->id, nodes[i]->ops->name);
    }
  }
  return SP_OK;
}

/* Two sinks that write one file would leave whatever came last. */
static sp_status check_sink(resolver *r, uint32_t index, const sp_node *n, sp_error *err) {
  const char *path = sp_sink_plain_path((const sp_sink_node *)n, r->arena);
  uint32_t old = UINT32_MAX;
  if (r->sinks.arena == NULL) {
    sp_idmap_init(&r->sinks, r->arena);
  }
  if (path == NULL || !sp_idmap_add(&r->sinks, sp_sv_from(path), index, &old)) {
    return sp_error_nomem(err);
  }
  if (old != UINT32_MAX) {
    const sp_loc at = sp_loc_member(&n->loc, "path", r->arena);
    SP_FAIL(err, SP_INVALID, &at, "`%.150s` writes to `%.150s`, as `%.150s` does", n->id, path,
            r->written->nodes[old]->id);
  }
  return SP_OK;
}

static sp_status resolve_node(resolver *r, uint32_t index, sp_error *err) {
  const sp_node *w = r->written->nodes[index];
  const sp_node **nodes = SP_ARENA_ARRAY(r->arena, const sp_node *, w->n_inputs);
  uint32_t *at = SP_ARENA_ARRAY(r->arena, uint32_t, w->n_inputs);
  if (nodes == NULL || at == NULL) {
    return sp_error_nomem(err);
  }
  SP_TRY(find_inputs(r, w, nodes, at, err));
  sp_bind_cx cx = {.env = r->env,
                   .arena = r->arena,
                   .written = r->written,
                   .node = index,
                   .builder = &r->builder,
                   .inputs = nodes,
                   .input_at = at,
                   .ids = &r->ids};
  if (w->ops->resolve == NULL) {
    SP_FAIL(err, SP_UNSUPPORTED, &w->loc, "`%s` cannot be resolved", w->ops->name);
  }
  sp_node *n = NULL;
  SP_TRY(w->ops->resolve(&cx, w, nodes, &n, err));
  n->note = w->note;
  SP_TRY(complete(&cx, n, w, w->id, at, nodes, w->n_inputs, err));
  if (is_sink(n)) {
    SP_TRY(check_sink(r, index, n, err));
  }
  r->at[index] = sp_plan_add(&r->builder, n);
  return r->at[index] != UINT32_MAX ? SP_OK : sp_error_nomem(err);
}

/* ---- nodes that a hook puts in between ---- */
static sp_status fill_ids(sp_bind_cx *cx, sp_error *err) {
  if (cx->ids->arena != NULL) {
    return SP_OK;
  }
  sp_idmap_init(cx->ids, cx->arena);
  for (uint32_t i = 0; i < cx->written->n_nodes; i++) {
    uint32_t old;
    if (!sp_idmap_add(cx->ids, sp_sv_from(cx->written->nodes[i]->id), i, &old)) {
      cx->ids->arena = NULL;
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

sp_status sp_bind_insert(sp_bind_cx *cx, const sp_node *written, uint32_t which, sp_node *made,
                         sp_error *err) {
  SP_TRY(fill_ids(cx, err));
  const char *id = NULL;
  for (uint32_t old = 0; old != UINT32_MAX;) {
    id = sp_arena_printf(cx->arena, "%s~resolve%u", written->id, ++cx->n_inserted);
    if (id == NULL || !sp_idmap_add(cx->ids, sp_sv_from(id), 0, &old)) {
      return sp_error_nomem(err);
    }
  }
  SP_TRY(complete(cx, made, written, id, &cx->input_at[which], &cx->inputs[which], 1, err));
  const uint32_t at = sp_plan_add(cx->builder, made);
  if (at == UINT32_MAX) {
    return sp_error_nomem(err);
  }
  cx->input_at[which] = at;
  cx->inputs[which] = made;
  return SP_OK;
}

/* ---- the plan ---- */
sp_status sp_plan_resolve(const sp_plan *written, sp_env *env, const sp_plan **ret, sp_error *err) {
  resolver r = {
      .written = written, .env = env, .arena = written->arena, .builder = {.arena = written->arena}};
  r.at = SP_ARENA_ARRAY(r.arena, uint32_t, written->n_nodes);
  outputs outs = {0};
  SP_TRY_ALLOC(err, r.at);
  SP_TRY(collect_outputs(&r, &outs, err));
  const uint8_t *used = find_used(&r, &outs);
  SP_TRY_ALLOC(err, used);
  for (uint32_t i = 0; i < written->n_nodes; i++) {
    if (!used[i]) {
      warn_unused(&r, written->nodes[i]);
      continue;
    }
    const sp_status st = resolve_node(&r, i, err);
    if (st != SP_OK) {
      sp_error_place(err, &written->nodes[i]->loc);
      return st;
    }
  }
  for (uint32_t i = 0; i < outs.n; i++) {
    outs.nodes[i] = r.at[outs.nodes[i]];
  }
  return sp_plan_finish_named(&r.builder, written, written->file, SP_STAGE_RESOLVED, outs.nodes, outs.ids,
                              outs.n, ret, err);
}
