/* From plan nodes to operators in pipelines.
 *
 * Nodes are lowered in topological order, each by its kind's member of operators.def. What is the same for
 * all kinds is here: handing out streams (teed or spooled where a node is shared: share.c decides), building
 * pipelines, ends for results, and offering runtime filters to scans.
 *
 * Example: a, read by a filter and by an output. a's scan opens a pipeline; its output has two consumers that
 * can run at once, so a tee is appended, whose first branch the filter continues and whose second ends in a
 * result. */
#include "exec/internal.h"

#include <assert.h>

sp_pipeline *sp_pipeline_find(sp_pipeline *p) {
  while (p->merged != NULL) {
    if (p->merged->merged != NULL) {
      p->merged = p->merged->merged;
    }
    p = p->merged;
  }
  return p;
}

const sp_plan *sp_lower_plan(const sp_lower *l) {
  return l->plan;
}
double sp_lower_est_rows(const sp_lower *l, uint32_t node) {
  return l->x->o.est_rows != NULL ? l->x->o.est_rows[node] : -1;
}

sp_exec *sp_lower_exec(const sp_lower *l) {
  return l->x;
}
sp_arena *sp_lower_arena(sp_lower *l) {
  return l->arena;
}
bool sp_lower_order_observed(const sp_lower *l, uint32_t node) {
  return l->observed[node];
}

sp_operator *sp_lower_operator(sp_lower *l, uint32_t node, const sp_operator_ops *ops, size_t shared_size) {
  sp_exec *x = l->x;
  const sp_node *n = l->plan->nodes[node];
  sp_operator *op = SP_ARENA_NEW(l->arena, sp_operator);
  if (op == NULL) {
    return NULL;
  }
  op->shared = sp_arena_alloc(l->arena, shared_size > 0 ? shared_size : 1);
  op->local = SP_ARENA_ARRAY(l->arena, void *, x->threads);
  if (op->shared == NULL || op->local == NULL) {
    return NULL;
  }
  op->ops = ops;
  op->exec = x;
  op->node = n;
  op->node_index = node;
  op->mem = &x->box->accounts[node];
  op->in = n->n_inputs > 0 ? l->plan->nodes[n->inputs[0]]->schema : NULL;
  op->out = n->schema;
  *x->ops_end = op; /* from here on close is called */
  x->ops_end = &op->link;
  return op;
}

/* ---- pipelines ---- */

static sp_pipeline *new_pipeline(sp_lower *l) {
  sp_pipeline *p = SP_ARENA_NEW(l->arena, sp_pipeline);
  if (p != NULL) {
    *l->x->pipelines_end = p;
    l->x->pipelines_end = &p->link;
  }
  return p;
}

sp_status sp_lower_depends(sp_lower *l, sp_pipeline *p, sp_pipeline *on, sp_error *err) {
  p = sp_pipeline_find(p);
  if (!sp_arena_grow(l->arena, &p->deps, &p->cap_deps, p->n_deps + 1, sizeof(sp_pipeline *))) {
    return sp_error_nomem(err);
  }
  p->deps[p->n_deps++] = on;
  return SP_OK;
}

static sp_status add_feed(sp_lower *l, sp_pipeline *p, sp_feed f, sp_error *err) {
  if (!sp_arena_grow(l->arena, &p->feeds, &p->cap_feeds, p->n_feeds + 1, sizeof(sp_feed))) {
    return sp_error_nomem(err);
  }
  p->feeds[p->n_feeds++] = f;
  return SP_OK;
}

sp_status sp_lower_source(sp_lower *l, sp_operator *op, sp_pipeline *const *after, uint32_t n_after,
                          bool ordered, sp_stream *ret, sp_error *err) {
  sp_pipeline *p = new_pipeline(l);
  SP_TRY_ALLOC(err, p);
  op->pipeline = p;
  op->gate = sp_gate_new(l, &l->x->root);
  SP_TRY_ALLOC(err, op->gate);
  SP_TRY(add_feed(l, p, (sp_feed){.source = op}, err));
  for (uint32_t i = 0; i < n_after; i++) {
    SP_TRY(sp_lower_depends(l, p, after[i], err));
  }
  l->source_of[op->node_index] = op;
  *ret = (sp_stream){.pipeline = p, .ordered = ordered, .tail = op, .gate = op->gate};
  return SP_OK;
}

static void connect(sp_stream *s, sp_operator *op) {
  if (s->tail->n_branches > 0) {
    s->tail->branches[s->branch] = op;
  } else {
    s->tail->next = op;
  }
}

sp_status sp_lower_append(sp_lower *l, sp_stream *s, sp_operator *op, sp_error *err) {
  (void)l;
  (void)err;
  connect(s, op);
  op->pipeline = s->pipeline;
  op->gate = s->gate;
  s->tail = op;
  s->branch = 0;
  s->depth++;
  return SP_OK;
}

sp_status sp_lower_end(sp_lower *l, sp_stream s, sp_operator *op, sp_error *err) {
  return sp_lower_append(l, &s, op, err);
}

/* q's feeds and dependencies become p's. */
static sp_status merge_pipelines(sp_lower *l, sp_pipeline *p, sp_pipeline *q, sp_error *err) {
  p = sp_pipeline_find(p);
  q = sp_pipeline_find(q);
  if (p == q) {
    return SP_OK;
  }
  for (uint32_t i = 0; i < q->n_feeds; i++) {
    SP_TRY(add_feed(l, p, q->feeds[i], err));
  }
  for (uint32_t i = 0; i < q->n_deps; i++) {
    SP_TRY(sp_lower_depends(l, p, q->deps[i], err));
  }
  for (uint32_t i = 0; i < q->n_soft; i++) {
    if (!sp_arena_grow(l->arena, &p->soft, &p->cap_soft, p->n_soft + 1, sizeof(sp_pipeline *))) {
      return sp_error_nomem(err);
    }
    p->soft[p->n_soft++] = q->soft[i];
  }
  q->merged = p;
  return SP_OK;
}

sp_status sp_lower_merge(sp_lower *l, const sp_stream *in, uint32_t n, sp_operator *op, sp_stream *ret,
                         sp_error *err) {
  assert(n > 0 && (op != NULL || n == 1));
  sp_stream out = in[0];
  for (uint32_t i = 1; i < n; i++) {
    SP_TRY(merge_pipelines(l, in[0].pipeline, in[i].pipeline, err));
    out.ordered &= in[i].ordered;
    out.serial = false;
    out.gate = sp_gate_common(out.gate, in[i].gate);
    out.depth = in[i].depth > out.depth ? in[i].depth : out.depth;
  }
  for (uint32_t i = 0; i < n && op != NULL; i++) {
    sp_stream s = in[i];
    connect(&s, op);
  }
  if (op != NULL) {
    op->pipeline = in[0].pipeline;
    op->gate = out.gate;
    out.tail = op;
    out.branch = 0;
    out.depth++;
  }
  *ret = out;
  return SP_OK;
}

/* ---- streams between nodes ---- */

static sp_status take_stream(sp_lower *l, uint32_t node, sp_stream *ret, sp_error *err) {
  sp_node_streams *s = &l->nodes[node];
  if (s->streams == NULL || s->taken >= s->consumers) {
    SP_FAIL(err, SP_INTERNAL, &l->plan->nodes[node]->loc, "node `%s` has no stream left for a consumer",
            l->plan->nodes[node]->id);
  }
  *ret = s->streams[s->taken++];
  return SP_OK;
}

sp_status sp_lower_input(sp_lower *l, uint32_t node, uint32_t which, sp_stream *ret, sp_error *err) {
  return take_stream(l, l->plan->nodes[node]->inputs[which], ret, err);
}

sp_status sp_lower_output(sp_lower *l, uint32_t node, sp_stream s, sp_error *err) {
  sp_node_streams *n = &l->nodes[node];
  n->streams = SP_ARENA_ARRAY(l->arena, sp_stream, n->consumers);
  SP_TRY_ALLOC(err, n->streams);
  if (n->spool || s.depth > SP_PIPELINE_DEPTH) {
    return sp_spool_lower(l, node, s, n->consumers, n->streams, err);
  }
  if (n->consumers > 1) {
    return sp_tee_lower(l, node, s, n->consumers, n->streams, err);
  }
  n->streams[0] = s;
  return SP_OK;
}

/* ---- runtime filters ---- */

static const sp_lowering *source_lowering(const sp_lower *l, uint32_t node) {
  const sp_plan *p = l->plan;
  const bool source = p->nodes[node]->n_inputs == 0 && l->source_of[node] != NULL;
  return source && l->lowering[node]->accept_filter != NULL ? l->lowering[node] : NULL;
}

/* Which input of `node` the column comes from, and its name there: as a predicate on it would be pushed. */
static bool follow(sp_lower *l, uint32_t node, sp_sv *column, const sp_type *type, uint32_t *ret_input) {
  const sp_node *n = l->plan->nodes[node];
  if (n->ops->push_predicate == NULL || n->n_inputs == 0 || n->n_inputs > 2) {
    return false;
  }
  const sp_expr *col = sp_expr_column(l->arena, *column, type);
  const sp_expr *args[] = {col};
  const sp_expr *pred =
      col != NULL ? sp_expr_call_named(l->arena, "is_not_null", sp_type_of(SP_KIND_BOOL), args, 1) : NULL;
  const sp_schema *inputs[2] = {NULL, NULL};
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    inputs[i] = sp_node_input_schema(l->plan, n, i);
  }
  sp_push push = {.stays = false};
  const sp_status st = pred != NULL ? n->ops->push_predicate(n, inputs, pred, l->arena, &push) : SP_NOMEM;
  if (st == SP_NOMEM) {
    atomic_store(&l->x->starved, true);
  }
  if (st != SP_OK || push.to == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    sp_sv name;
    if (push.to[i] != NULL && push.to[i]->n_args == 1 && sp_expr_is_column(push.to[i]->args[0], &name)) {
      *column = name;
      *ret_input = n->inputs[i];
      return true;
    }
  }
  return false;
}

void sp_lower_starved(const sp_operator *op) {
  atomic_store(&op->exec->starved, true);
}

/* The filter is of use when its owner has finished before the scan runs. */
static bool prefer_after(sp_lower *l, sp_pipeline *p, const sp_operator *owner) {
  p = sp_pipeline_find(p);
  if (owner == NULL || owner->pipeline == NULL || sp_pipeline_find(owner->pipeline) == p) {
    return true;
  }
  if (!sp_arena_grow(l->arena, &p->soft, &p->cap_soft, p->n_soft + 1, sizeof(sp_pipeline *))) {
    return false;
  }
  p->soft[p->n_soft++] = owner->pipeline;
  return true;
}

bool sp_lower_offer_filter(sp_lower *l, uint32_t node, uint32_t which, uint32_t column,
                           sp_runtime_filter *f) {
  uint32_t at = l->plan->nodes[node]->inputs[which];
  const sp_field *field = &l->plan->nodes[at]->schema->fields[column];
  sp_sv name = field->name;
  sp_filter_path *path = SP_ARENA_NEW(l->arena, sp_filter_path);
  if (path == NULL) {
    atomic_store(&l->x->starved, true);
    return false;
  }
  path->filter = f;
  for (;;) {
    if (l->nodes[at].consumers > 1) {
      return false;
    }
    if (!sp_arena_grow(l->arena, &path->nodes, &path->cap, path->n + 1, sizeof(uint32_t))) {
      atomic_store(&l->x->starved, true);
      return false;
    }
    path->nodes[path->n++] = at;
    const sp_lowering *lw = source_lowering(l, at);
    if (lw != NULL) {
      if (!lw->accept_filter(l->source_of[at], name, f)) {
        return false;
      }
      path->link = l->x->filter_paths;
      l->x->filter_paths = path;
      if (!prefer_after(l, l->source_of[at]->pipeline, f->owner)) {
        atomic_store(&l->x->starved, true);
      }
      return true;
    }
    if (!follow(l, at, &name, field->type, &at)) {
      return false;
    }
  }
}

/* ---- the whole plan ---- */

static sp_status lower_results(sp_lower *l, sp_error *err) {
  const sp_plan *p = l->plan;
  l->x->run->results = SP_ARENA_ARRAY(&l->x->run->arena, sp_result, p->n_outputs);
  SP_TRY_ALLOC(err, l->x->run->results);
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    if (l->runs_output[i] && (p->nodes[p->outputs[i]]->ops->flags & SP_NODE_SINK) == 0) {
      sp_stream s;
      SP_TRY(take_stream(l, p->outputs[i], &s, err));
      SP_TRY(sp_result_lower(l, i, s, err));
    }
  }
  return SP_OK;
}

sp_status sp_lower_plan_all(sp_exec *x, sp_error *err) {
  sp_lower l = {.x = x, .plan = x->plan, .arena = &x->run->arena};
  SP_TRY(sp_lower_analyse(&l, err));
  l.source_of = SP_ARENA_ARRAY(l.arena, sp_operator *, x->plan->n_nodes);
  SP_TRY_ALLOC(err, l.source_of);
  for (uint32_t i = 0; i < x->plan->n_nodes; i++) {
    if (!l.active[i]) {
      continue;
    }
    const sp_node *n = x->plan->nodes[i];
    sp_status st = l.lowering[i]->lower(&l, i, err);
    if (st == SP_OK && (n->ops->flags & SP_NODE_SINK) == 0 && l.nodes[i].streams == NULL) {
      st = sp_error_set(err, SP_INTERNAL, NULL, "%s gave no output", n->ops->name);
    }
    if (st != SP_OK) {
      sp_error_context(err, "node `%s`", n->id);
      sp_error_place(err, &n->loc);
      return st;
    }
  }
  return lower_results(&l, err);
}
