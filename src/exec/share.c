/* Decisions over the whole plan, before any node is lowered: what runs, whose order somebody looks at, and
 * which shared nodes can be teed.
 *
 * Order is observed from the results and sinks down: by kinds that say so, and through kinds that keep it.
 *
 * Sharing: a tee feeds all consumers in one pipeline. That is impossible when one consumer must be over
 * before another may start. So pipelines are drawn abstractly, with every shared node teed: THROUGH inputs
 * continue a pipeline, END and BUILD inputs end it, and the new or continued one runs after those. Where that
 * would make a pipeline wait for itself, the nearest teed node above the conflict becomes a spool, and the
 * drawing starts again.
 *
 *   a ─┬─▶ filter ─▶ build ┐        the probe's pipeline is a's, and must run after the build's, which is a's
 * too: a is spooled └──────────▶ probe ◀┘
 *
 * Each round is one walk; a round finds every conflict that does not hide behind another, so there are few.
 */
#include "exec/internal.h"

#define NONE UINT32_MAX

/* ---- what runs ---- */

static sp_sv output_name(const void *ctx, uint32_t i) {
  const sp_plan *p = ctx;
  return sp_sv_from(p->output_ids[i]);
}

static sp_status choose_outputs(sp_lower *l, sp_error *err) {
  const sp_plan *p = l->plan;
  const char *only = l->x->o.only_output;
  bool found = only == NULL;
  l->runs_output = SP_ARENA_ARRAY(l->arena, bool, p->n_outputs);
  SP_TRY_ALLOC(err, l->runs_output);
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    const bool named = only != NULL && strcmp(only, p->output_ids[i]) == 0;
    found |= named;
    l->runs_output[i] = only == NULL || named || (p->nodes[p->outputs[i]]->ops->flags & SP_NODE_SINK) != 0;
  }
  if (!found) {
    sp_error_set(err, SP_NOT_FOUND, NULL, "the plan has no output `%s`", only);
    char near[200];
    if (sp_nearest_names(sp_sv_from(only), p->n_outputs, output_name, p, near, sizeof near)) {
      sp_error_hint(err, "did you mean %s?", near);
    }
    return SP_NOT_FOUND;
  }
  return SP_OK;
}

static void activate(sp_lower *l) {
  const sp_plan *p = l->plan;
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    if (l->runs_output[i]) {
      l->active[p->outputs[i]] = true;
      l->nodes[p->outputs[i]].consumers += (p->nodes[p->outputs[i]]->ops->flags & SP_NODE_SINK) == 0;
    }
  }
  for (uint32_t i = p->n_nodes; i-- > 0;) {
    for (uint32_t k = 0; l->active[i] && k < p->nodes[i]->n_inputs; k++) {
      l->active[p->nodes[i]->inputs[k]] = true;
      l->nodes[p->nodes[i]->inputs[k]].consumers++;
    }
  }
}

static bool names_kind(const char *kinds, const char *kind) {
  const size_t n = strlen(kind);
  for (const char *at = strstr(kinds, kind); at != NULL; at = strstr(at + 1, kind)) {
    if ((at == kinds || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' ')) {
      return true;
    }
  }
  return false;
}

static const sp_lowering *lowering_of(const char *kind) {
  for (const sp_lowering *const *t = sp_lowering_table; *t != NULL; t++) {
    if (names_kind((*t)->kinds, kind)) {
      return *t;
    }
  }
  return NULL;
}

static sp_status find_lowerings(sp_lower *l, sp_error *err) {
  const sp_plan *p = l->plan;
  const sp_node_ops *last = NULL;
  const sp_lowering *last_lowering = NULL;
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (!l->active[i]) {
      continue;
    }
    if (p->nodes[i]->ops != last) {
      last = p->nodes[i]->ops;
      last_lowering = lowering_of(last->name);
    }
    l->lowering[i] = last_lowering;
    if (last_lowering == NULL) {
      SP_FAIL(err, SP_UNSUPPORTED, &p->nodes[i]->loc, "node `%s`: %s cannot be executed", p->nodes[i]->id,
              last->name);
    }
  }
  return SP_OK;
}

/* ---- order ---- */

static bool observes(const sp_lower *l, uint32_t node, uint32_t which) {
  const sp_node *n = l->plan->nodes[node];
  if (l->lowering[node]->observes != NULL) {
    return l->lowering[node]->observes(n, which, l->observed[node]);
  }
  const unsigned flags = n->ops->flags;
  return (flags & SP_NODE_OBSERVES_ORDER) != 0 || ((flags & SP_NODE_KEEPS_ORDER) != 0 && l->observed[node]);
}

static void observe(sp_lower *l) {
  const sp_plan *p = l->plan;
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    l->observed[p->outputs[i]] |= l->runs_output[i];
  }
  for (uint32_t i = p->n_nodes; i-- > 0;) {
    for (uint32_t k = 0; l->active[i] && k < p->nodes[i]->n_inputs; k++) {
      l->observed[p->nodes[i]->inputs[k]] |= observes(l, i, k);
    }
  }
}

sp_flow sp_lower_flow(const sp_lower *l, uint32_t node, uint32_t which) {
  const sp_node *n = l->plan->nodes[node];
  if (l->lowering[node]->flow != NULL) {
    return l->lowering[node]->flow(l, node, which);
  }
  return (n->ops->flags & (SP_NODE_BREAKS_PIPELINE | SP_NODE_SINK)) != 0 ? SP_FLOW_END : SP_FLOW_THROUGH;
}

/* ---- the abstract drawing ---- */

typedef struct edge { /* the pipeline runs after `on` */
  uint32_t on, next;
} edge;

typedef struct drawing {
  sp_lower *l;
  uint32_t n_pipes, cap_pipes;
  uint32_t *parent;     /* union-find */
  uint32_t *first_edge; /* list heads; merged lists are chained */
  uint32_t cap_first;
  uint32_t n_edges, cap_edges;
  edge *edges;
  uint32_t *pipe; /* by node: of its output */
  uint32_t *seen; /* by pipe: last search */
  uint32_t cap_seen, search;
  uint32_t *stack;
  uint32_t cap_stack;
  uint32_t *node_seen; /* by node: last walk */
  uint32_t walk;
  bool conflict, oom;
} drawing;

static uint32_t find(drawing *d, uint32_t p) {
  while (d->parent[p] != p) {
    d->parent[p] = d->parent[d->parent[p]];
    p = d->parent[p];
  }
  return p;
}

static uint32_t new_pipe(drawing *d) {
  const uint32_t n = d->n_pipes + 1;
  sp_arena *a = d->l->arena;
  if (!sp_arena_grow(a, &d->parent, &d->cap_pipes, n, sizeof(uint32_t)) ||
      !sp_arena_grow(a, &d->first_edge, &d->cap_first, n, sizeof(uint32_t)) ||
      !sp_arena_grow(a, &d->seen, &d->cap_seen, n, sizeof(uint32_t))) {
    d->oom = true;
    return 0;
  }
  const uint32_t p = d->n_pipes++;
  d->parent[p] = p;
  d->first_edge[p] = NONE;
  d->seen[p] = 0;
  return p;
}

static void add_edge(drawing *d, uint32_t p, uint32_t on) {
  p = find(d, p);
  if (!sp_arena_grow(d->l->arena, &d->edges, &d->cap_edges, d->n_edges + 1, sizeof(edge))) {
    d->oom = true;
    return;
  }
  d->edges[d->n_edges] = (edge){.on = on, .next = d->first_edge[p]};
  d->first_edge[p] = d->n_edges++;
}

static void unite(drawing *d, uint32_t p, uint32_t q) {
  p = find(d, p);
  q = find(d, q);
  if (p == q) {
    return;
  }
  if (d->first_edge[q] != NONE) {
    uint32_t last = d->first_edge[q];
    while (d->edges[last].next != NONE) {
      last = d->edges[last].next;
    }
    d->edges[last].next = d->first_edge[p];
    d->first_edge[p] = d->first_edge[q];
  }
  d->parent[q] = p;
}

/* Is `from` the same as `target`, or does it run after it? */
static bool reaches(drawing *d, uint32_t from, uint32_t target) {
  from = find(d, from);
  target = find(d, target);
  const uint32_t search = ++d->search;
  uint32_t depth = 0;
  if (!sp_arena_grow(d->l->arena, &d->stack, &d->cap_stack, d->n_pipes + 1, sizeof(uint32_t))) {
    d->oom = true;
    return false;
  }
  d->stack[depth++] = from;
  d->seen[from] = search;
  while (depth > 0) {
    const uint32_t p = d->stack[--depth];
    if (p == target) {
      return true;
    }
    for (uint32_t e = d->first_edge[p]; e != NONE; e = d->edges[e].next) {
      const uint32_t on = find(d, d->edges[e].on);
      if (d->seen[on] != search) {
        d->seen[on] = search;
        d->stack[depth++] = on;
      }
    }
  }
  return false;
}

/* Makes the nearest teed node that input `which` of `node` streams from a spool; false when there is none. */
static bool spool_nearest(drawing *d, uint32_t node, uint32_t which) {
  sp_lower *l = d->l;
  const uint32_t walk = ++d->walk;
  d->conflict = true;
  if (!sp_arena_grow(l->arena, &d->stack, &d->cap_stack, l->plan->n_nodes + 1, sizeof(uint32_t))) {
    d->oom = true;
    return false;
  }
  uint32_t head = 0;
  uint32_t n = 0;
  d->stack[n++] = l->plan->nodes[node]->inputs[which];
  while (head < n) {
    const uint32_t at = d->stack[head++];
    if (l->nodes[at].spool) {
      continue;
    }
    if (l->nodes[at].consumers > 1) {
      l->nodes[at].spool = true;
      return true;
    }
    const sp_node *nd = l->plan->nodes[at];
    for (uint32_t i = 0; i < nd->n_inputs; i++) {
      if (sp_lower_flow(l, at, i) == SP_FLOW_THROUGH && d->node_seen[nd->inputs[i]] != walk) {
        d->node_seen[nd->inputs[i]] = walk;
        d->stack[n++] = nd->inputs[i];
      }
    }
  }
  return false;
}

/* The same for the inputs before `end` that stream on, one at a time: the next round tells whether that was
 * enough. */
static void spool_before(drawing *d, uint32_t node, uint32_t end) {
  bool found = false;
  for (uint32_t i = 0; i < end && !found; i++) {
    found = sp_lower_flow(d->l, node, i) == SP_FLOW_THROUGH && spool_nearest(d, node, i);
  }
}

static uint32_t input_pipe(drawing *d, uint32_t node, uint32_t which) {
  const uint32_t in = d->l->plan->nodes[node]->inputs[which];
  if (!d->l->nodes[in].spool) {
    return d->pipe[in];
  }
  const uint32_t p = new_pipe(d);
  if (!d->oom) {
    add_edge(d, p, d->pipe[in]);
  }
  return p;
}

/* A union's inputs become one pipeline; where order counts, not two branches of one source. */
static void draw_through(drawing *d, uint32_t node, uint32_t which, uint32_t *through) {
  const uint32_t p = input_pipe(d, node, which);
  if (d->oom) {
    return;
  }
  if (*through == NONE) {
    *through = p;
  } else if (find(d, p) == find(d, *through)) {
    if (d->l->observed[node]) {
      spool_nearest(d, node, which);
    }
  } else if (reaches(d, *through, p)) {
    spool_nearest(d, node, which);
  } else if (reaches(d, p, *through)) {
    spool_before(d, node, which);
  } else {
    unite(d, *through, p);
  }
}

static void draw_node(drawing *d, uint32_t node) {
  const sp_node *n = d->l->plan->nodes[node];
  uint32_t through = NONE;
  for (uint32_t i = 0; i < n->n_inputs && !d->oom; i++) {
    if (sp_lower_flow(d->l, node, i) == SP_FLOW_THROUGH) {
      draw_through(d, node, i, &through);
    }
  }
  const uint32_t out = through != NONE || d->oom ? through : new_pipe(d);
  for (uint32_t i = 0; i < n->n_inputs && !d->oom; i++) {
    const sp_flow flow = sp_lower_flow(d->l, node, i);
    if (flow == SP_FLOW_THROUGH) {
      continue;
    }
    const uint32_t p = input_pipe(d, node, i);
    if (d->oom) {
      return;
    }
    if (through != NONE && reaches(d, p, through)) {
      spool_before(d, node, n->n_inputs);
    } else {
      add_edge(d, out, p);
    }
  }
  d->pipe[node] = out;
}

static sp_status draw(drawing *d, sp_error *err) {
  const sp_plan *p = d->l->plan;
  d->n_pipes = 0;
  d->n_edges = 0;
  d->conflict = false;
  for (uint32_t i = 0; i < p->n_nodes && !d->oom; i++) {
    if (d->l->active[i]) {
      draw_node(d, i);
    }
  }
  return d->oom ? sp_error_nomem(err) : SP_OK;
}

static uint32_t count_spools(const sp_lower *l) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < l->plan->n_nodes; i++) {
    n += l->nodes[i].spool;
  }
  return n;
}

static sp_status decide_sharing(sp_lower *l, sp_error *err) {
  bool shared = false;
  for (uint32_t i = 0; i < l->plan->n_nodes; i++) {
    shared |= l->nodes[i].consumers > 1;
  }
  if (!shared) {
    return SP_OK;
  }
  drawing d = {.l = l};
  d.pipe = SP_ARENA_ARRAY(l->arena, uint32_t, l->plan->n_nodes);
  d.node_seen = SP_ARENA_ARRAY(l->arena, uint32_t, l->plan->n_nodes);
  if (d.pipe == NULL || d.node_seen == NULL) {
    return sp_error_nomem(err);
  }
  for (;;) {
    const uint32_t before = count_spools(l);
    SP_TRY(draw(&d, err));
    if (!d.conflict) {
      return SP_OK;
    }
    if (count_spools(l) == before) {
      SP_FAIL(err, SP_INTERNAL, NULL, "no order of pipelines fits this plan");
    }
  }
}

sp_status sp_lower_analyse(sp_lower *l, sp_error *err) {
  const size_t n = l->plan->n_nodes;
  l->active = SP_ARENA_ARRAY(l->arena, bool, n);
  l->observed = SP_ARENA_ARRAY(l->arena, bool, n);
  l->lowering = SP_ARENA_ARRAY(l->arena, const sp_lowering *, n);
  l->nodes = SP_ARENA_ARRAY(l->arena, sp_node_streams, n);
  if (l->active == NULL || l->observed == NULL || l->lowering == NULL || l->nodes == NULL) {
    return sp_error_nomem(err);
  }
  SP_TRY(choose_outputs(l, err));
  activate(l);
  SP_TRY(find_lowerings(l, err));
  observe(l);
  return decide_sharing(l, err);
}
