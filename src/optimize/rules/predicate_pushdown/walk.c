/* The way down: each conjunct goes along the edges, in the names of the node it has reached, until something
 * stops it.
 *
 * Order of evaluation: what cannot fail may go anywhere that its meaning allows. A conjunct that can fail
 * passes only nodes that keep all rows, and only when nothing that stood before it stays above: so it is
 * never evaluated on a row that the written plan kept from it.
 *
 * A shared node is passed by the conjuncts that all its consumers push; what only some push stays on their
 * edges. */
#include "optimize/rules/predicate_pushdown/pushdown.h"

static sp_status stopped(walk *w, const conj *c, const sp_node *at, const char *reason, sp_error *err) {
  const char *text = sp_expr_text(c->written, w->arena);
  SP_TRY_ALLOC(err, text);
  const sp_fact f = {.kind = SP_FACT_PREDICATE,
                     .action = SP_ACT_STOPPED,
                     .text = text,
                     .from = c->from != NULL ? w->in->nodes[c->from->node]->id : NULL,
                     .to = at->id,
                     .reason = reason,
                     .origin = c->origin};
  sp_sweep_blocked(w->s, &f);
  return SP_OK;
}

/* c goes no further than above node i. */
static void land(walk *w, conj *c, uint32_t i) {
  if (c->parts == NULL) {
    conj_append(&w->landed[w->users[w->users0[i]]], c);
    return;
  }
  for (const part *p = c->parts; p != NULL; p = p->next) {
    conj_append(&w->landed[p->edge], p->c);
  }
}

static sp_status land_blocked(walk *w, conj *c, uint32_t i, const char *reason, sp_error *err) {
  if (!c->copy && reason != NULL) {
    SP_TRY(stopped(w, c, w->in->nodes[i], reason, err));
  }
  land(w, c, i);
  return SP_OK;
}

static uint64_t name_bit(sp_sv name) {
  return UINT64_C(1) << (sp_hash_bytes(name.p, name.n, 1) % 64);
}

static bool find_reads(walk *w, const sp_expr *e, uint64_t *ret) {
  sp_names names = {0};
  *ret = 0;
  if (!sp_expr_columns(e, w->arena, &names)) {
    return false;
  }
  for (uint32_t i = 0; i < names.n; i++) {
    *ret |= name_bit(names.names[i]);
  }
  return true;
}

/* A conjunct below a node, made from what stood above it. NULL when out of memory. */
static conj *below(walk *w, const conj *c, const sp_expr *e) {
  conj *x = SP_ARENA_NEW(w->arena, conj);
  if (x != NULL) {
    *x = *c;
    x->next = NULL;
    x->parts = NULL;
    x->expr = e;
    x->moved = true;
    if (e != c->expr && !find_reads(w, e, &x->reads)) {
      return NULL;
    }
  }
  return x;
}

/* ---- shared nodes ---- */
typedef struct gathering {
  conj *merged;
  const part *parts;
  uint32_t seen; /* edges so far */
  uint32_t last; /* the last edge + 1 */
  struct gathering *next;
} gathering;

static sp_status gather_edge(walk *w, sp_exprset *set, uint32_t edge, uint32_t nth, gathering ***tail,
                             sp_error *err) {
  for (conj *c = w->going[edge].first; c != NULL; c = c->next) {
    if (sp_expr_is_fallible(c->expr)) {
      continue;
    }
    struct sp_exprset_slot *slot = nth == 0 ? sp_exprset_at(set, c->expr) : sp_exprset_find(set, c->expr);
    if (slot == NULL) {
      if (nth == 0) {
        return sp_error_nomem(err);
      }
      continue;
    }
    gathering *g = slot->value;
    if (g == NULL) {
      g = SP_ARENA_NEW(w->arena, gathering);
      SP_TRY_ALLOC(err, g);
      slot->value = g;
      **tail = g;
      *tail = &g->next;
    }
    part *p = SP_ARENA_NEW(w->arena, part);
    SP_TRY_ALLOC(err, p);
    *p = (part){c, edge, g->parts};
    g->parts = p;
    g->seen += g->last != edge + 1;
    g->last = edge + 1;
  }
  return SP_OK;
}

/* One conjunct for what every consumer pushes. */
static sp_status merge(walk *w, gathering *g, sp_error *err) {
  conj *m = SP_ARENA_NEW(w->arena, conj);
  SP_TRY_ALLOC(err, m);
  *m = *g->parts->c;
  m->next = NULL;
  m->parts = g->parts;
  m->copy = true;
  m->from = NULL;
  w->n_merges++;
  for (const part *p = g->parts; p != NULL; p = p->next) {
    m->copy = m->copy && p->c->copy;
    if (!sp_origin_union(w->arena, m->origin, p->c->origin, &m->origin)) {
      return sp_error_nomem(err);
    }
    for (const source *s = p->c->from; s != NULL; s = s->next) {
      if (w->mark[s->node] == w->n_merges) {
        continue; /* two of 2^64 ways to the same filter */
      }
      w->mark[s->node] = w->n_merges;
      source *copy = SP_ARENA_NEW(w->arena, source);
      SP_TRY_ALLOC(err, copy);
      *copy = (source){s->node, m->from};
      m->from = copy;
    }
  }
  g->merged = m;
  return SP_OK;
}

static sp_status stay_on_edge(walk *w, const sp_exprset *common, uint32_t n_users, uint32_t edge, uint32_t i,
                              sp_error *err) {
  for (conj *c = w->going[edge].first, *next; c != NULL; c = next) {
    next = c->next;
    const struct sp_exprset_slot *slot =
        sp_expr_is_fallible(c->expr) ? NULL : sp_exprset_find(common, c->expr);
    const gathering *g = slot != NULL ? slot->value : NULL;
    if (g != NULL && g->seen == n_users) {
      continue;
    }
    if (!c->copy) {
      const char *reason = sp_arena_printf(w->arena, "`%s` is shared, and not all its consumers ask for this",
                                           w->in->nodes[i]->id);
      SP_TRY_ALLOC(err, reason);
      SP_TRY(stopped(w, c, w->in->nodes[i], reason, err));
    }
    conj_append(&w->landed[edge], c);
  }
  return SP_OK;
}

/* What all consumers of node i push, in *ret; the rest stays where it is. */
static sp_status arrivals(walk *w, uint32_t i, conj_list *ret, sp_error *err) {
  const uint32_t from = w->users0[i];
  const uint32_t n_users = w->users0[i + 1] - from;
  *ret = (conj_list){0};
  if (n_users == 0) {
    return SP_OK;
  }
  if (n_users == 1 && w->n_outputs[i] == 0) {
    *ret = w->going[w->users[from]];
    return SP_OK;
  }
  sp_exprset common;
  sp_exprset_init(&common, w->arena);
  gathering *all = NULL;
  gathering **tail = &all;
  for (uint32_t k = 0; k < n_users && w->n_outputs[i] == 0; k++) {
    SP_TRY(gather_edge(w, &common, w->users[from + k], k, &tail, err));
  }
  for (uint32_t k = 0; k < n_users; k++) {
    SP_TRY(stay_on_edge(w, &common, n_users, w->users[from + k], i, err));
  }
  for (gathering *g = all; g != NULL; g = g->next) {
    if (g->seen == n_users) {
      SP_TRY(merge(w, g, err));
      conj_append(ret, g->merged);
    }
  }
  return SP_OK;
}

/* ---- one node ---- */
static sp_status own_conjunct(walk *w, uint32_t i, const sp_item *item, conj **ret, sp_error *err) {
  conj *c = SP_ARENA_NEW(w->arena, conj);
  source *s = SP_ARENA_NEW(w->arena, source);
  if (c == NULL || s == NULL) {
    return sp_error_nomem(err);
  }
  s->node = i;
  *c = (conj){.expr = item->expr, .written = item->expr, .loc = item->loc, .origin = item->origin, .from = s};
  *ret = c;
  return find_reads(w, c->expr, &c->reads) ? SP_OK : sp_error_nomem(err);
}

static sp_status at_filter(walk *w, uint32_t i, const conj_list *arrived, sp_error *err) {
  const sp_filter_node *n = (const sp_filter_node *)w->in->nodes[i];
  conj_list *down = &w->going[w->edge0[i]];
  for (uint32_t k = 0; k < n->predicate.n; k++) {
    conj *c = NULL;
    SP_TRY(own_conjunct(w, i, &n->predicate.items[k], &c, err));
    conj_append(down, c);
  }
  if (arrived->first == NULL || arrived->first->parts == NULL) {
    conj_splice(down, arrived);
    return SP_OK;
  }
  for (conj *c = arrived->first; c != NULL;
       c = c->next) { /* they have passed the sharing, at the filter above all else */
    conj *x = below(w, c, c->expr);
    SP_TRY_ALLOC(err, x);
    conj_append(down, x);
  }
  return SP_OK;
}

static sp_status call_hook(walk *w, uint32_t i, const sp_expr *pred, sp_push *ret, sp_error *err) {
  const sp_node *n = w->in->nodes[i];
  const sp_schema *few[8];
  const sp_schema **inputs = few;
  *ret = (sp_push){0};
  if (n->ops->push_predicate == NULL) {
    ret->blocker = sp_arena_printf(w->arena, "not through a %s", n->ops->name);
    SP_TRY_ALLOC(err, ret->blocker);
    return SP_OK;
  }
  if (n->n_inputs > 8) {
    inputs = SP_ARENA_ARRAY(w->arena, const sp_schema *, n->n_inputs);
    SP_TRY_ALLOC(err, inputs);
  }
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    inputs[k] = sp_node_input_schema(w->in, n, k);
  }
  const sp_status st = n->ops->push_predicate(n, inputs, pred, w->arena, ret);
  return st == SP_NOMEM ? sp_error_nomem(err) : st;
}

/* Sends c on where the hook lets it; *ret_stays: it is (also) needed above. */
static sp_status send(walk *w, uint32_t i, const conj *c, const sp_push *push, bool copy, bool *ret_stays,
                      sp_error *err) {
  bool any = false;
  for (uint32_t k = 0; push->to != NULL && k < w->in->nodes[i]->n_inputs; k++) {
    if (push->to[k] != NULL) {
      conj *x = below(w, c, push->to[k]);
      SP_TRY_ALLOC(err, x);
      x->copy = c->copy || copy || push->stays;
      conj_append(&w->going[w->edge0[i] + k], x);
      any = true;
    }
  }
  *ret_stays = !any || push->stays;
  return SP_OK;
}

static sp_status at_source(walk *w, uint32_t i, const conj_list *arrived, sp_error *err) {
  for (conj *c = arrived->first, *next; c != NULL; c = next) {
    next = c->next;
    if (sp_expr_is_fallible(c->expr)) {
      SP_TRY(land_blocked(w, c, i, "it can fail, and a scan evaluates only what cannot", err));
      continue;
    }
    sp_push push;
    SP_TRY(call_hook(w, i, c->expr, &push, err));
    if (push.blocker != NULL || push.stays) {
      SP_TRY(land_blocked(w, c, i, push.blocker, err));
    } else {
      conj_append(&w->into[i], c);
    }
  }
  return SP_OK;
}

/* ---- joins ---- */
/* The output columns of side `side` that e reads. */
static bool side_columns(walk *w, const sp_node *n, const sp_expr *e, uint32_t side, sp_names *ret) {
  sp_names reads = {0};
  if (!sp_expr_columns(e, w->arena, &reads)) {
    return false;
  }
  for (uint32_t k = 0; k < reads.n; k++) {
    uint32_t of;
    sp_sv name;
    if (sp_join_output((const sp_join_node *)n, sp_node_input_schema(w->in, n, 0),
                       sp_node_input_schema(w->in, n, 1), reads.names[k], &of, &name) &&
        of == side && !sp_names_add(ret, w->arena, reads.names[k])) {
      return false;
    }
  }
  return true;
}

/* An OR over both sides stays; what it implies for one side alone goes there too. */
static sp_status send_implied(walk *w, uint32_t i, const conj *c, sp_error *err) {
  if (!sp_expr_is_call(c->expr, "or") || sp_expr_is_fallible(c->expr)) {
    return SP_OK;
  }
  for (uint32_t side = 0; side < 2; side++) {
    sp_names names = {0};
    const sp_expr *implied = NULL;
    if (!side_columns(w, w->in->nodes[i], c->expr, side, &names) ||
        (names.n > 0 && !sp_implied_by(w->arena, c->expr, &names, &implied))) {
      return sp_error_nomem(err);
    }
    if (implied == NULL) {
      continue;
    }
    sp_push push;
    bool stays;
    conj x = *c;
    x.written = implied;
    x.expr = NULL; /* so that what it reads is found anew */
    SP_TRY(call_hook(w, i, implied, &push, err));
    SP_TRY(send(w, i, &x, &push, true, &stays, err));
  }
  return SP_OK;
}

typedef struct scope_map {
  const sp_schema *scope, *left, *right;
  sp_arena *arena;
  bool failed;
} scope_map;

static const sp_expr *to_right(void *ctx, sp_sv name) {
  scope_map *m = ctx;
  const int32_t at = sp_schema_find(m->scope, name);
  const sp_field *f = &m->right->fields[(uint32_t)at - m->left->n];
  const sp_expr *e = sp_expr_column(m->arena, f->name, f->type);
  m->failed = m->failed || e == NULL;
  return e;
}

/* A join's own predicate, over left columns ++ suffixed right ones: is all of it about one side (else -1),
 * and in which names there? */
static sp_status one_sided(walk *w, uint32_t i, const sp_expr *e, int *ret_side, const sp_expr **ret,
                           sp_error *err) {
  const sp_node *n = w->in->nodes[i];
  scope_map m = {.left = sp_node_input_schema(w->in, n, 0),
                 .right = sp_node_input_schema(w->in, n, 1),
                 .arena = w->arena};
  sp_names reads = {0};
  SP_TRY(sp_join_scope((const sp_join_node *)n, m.left, m.right, w->arena, &m.scope, err));
  if (!sp_expr_columns(e, w->arena, &reads)) {
    return sp_error_nomem(err);
  }
  uint32_t sides = 0;
  for (uint32_t k = 0; k < reads.n; k++) {
    const int32_t at = sp_schema_find(m.scope, reads.names[k]);
    if (at < 0) {
      SP_FAIL(err, SP_INTERNAL, &n->loc, "join `%s`: its predicate reads the unknown column `%.*s`", n->id,
              (int)reads.names[k].n, reads.names[k].p);
    }
    sides |= (uint32_t)at < m.left->n ? 1u : 2u;
  }
  *ret_side = sides == 1 ? 0 : sides == 2 ? 1 : -1;
  *ret = e;
  if (sides == 2) {
    *ret = sp_expr_substitute(w->arena, e, to_right, &m);
    if (*ret == NULL || m.failed) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

/* May a part of the join condition that reads only `side` be applied to that input instead? Not on a side
 * whose rows come out without partner. */
static bool condition_may_leave(int how, int side) {
  switch ((sp_join_how)how) {
  case SP_JOIN_INNER:
  case SP_JOIN_SEMI:
  case SP_JOIN_CROSS:
    return true;
  case SP_JOIN_LEFT:
  case SP_JOIN_ANTI:
    return side == 1;
  case SP_JOIN_RIGHT:
    return side == 0;
  case SP_JOIN_FULL:
    return false;
  }
  return false;
}

static sp_status own_condition(walk *w, uint32_t i, sp_error *err) {
  const sp_join_node *n = (const sp_join_node *)w->in->nodes[i];
  sp_item *kept = SP_ARENA_ARRAY(w->arena, sp_item, n->predicate.n);
  SP_TRY_ALLOC(err, kept);
  uint32_t n_kept = 0;
  for (uint32_t k = 0; k < n->predicate.n; k++) {
    const sp_item *item = &n->predicate.items[k];
    int side = -1;
    const sp_expr *e = NULL;
    if (!sp_expr_is_fallible(item->expr)) {
      SP_TRY(one_sided(w, i, item->expr, &side, &e, err));
    }
    conj *c = NULL;
    SP_TRY(own_conjunct(w, i, item, &c, err));
    if (side >= 0 && condition_may_leave(n->how, side)) {
      c->expr = e;
      c->moved = true;
      if (!find_reads(w, e, &c->reads)) {
        return sp_error_nomem(err);
      }
      conj_append(&w->going[w->edge0[i] + (uint32_t)side], c);
      continue;
    }
    kept[n_kept++] = *item;
    if (n->how == SP_JOIN_INNER) {
      SP_TRY(send_implied(w, i, c, err));
    }
  }
  w->kept[i] = (sp_items){.n = n_kept, .items = kept};
  return SP_OK;
}

/* ---- nodes that pass most things as they are ---- */
/* Which columns of a select, with_columns, sort or cache are not its input's column of that name; all bits
 * for other kinds. */
static sp_status made_by(walk *w, uint32_t i, uint64_t *ret, sp_error *err) {
  const sp_node *n = w->in->nodes[i];
  *ret = UINT64_MAX;
  if (sp_node_is(n, "sort") || sp_node_is(n, "cache")) {
    *ret = 0;
  }
  if (!sp_node_is(n, "select") && !sp_node_is(n, "with_columns")) {
    return SP_OK;
  }
  *ret = 0;
  const sp_items *items = &((const sp_project_node *)n)->exprs;
  for (uint32_t k = 0; k < items->n; k++) {
    const sp_expr *e = items->items[k].expr;
    if (e->kind == SP_EXPR_COLUMN) {
      continue;
    }
    const sp_sv name = sp_expr_name(e, w->arena);
    SP_TRY_ALLOC(err, name.p);
    *ret |= name_bit(name);
  }
  return SP_OK;
}

static void mark_moved(conj_list *l) {
  for (conj *c = l->fresh ? l->first : NULL; c != NULL; c = c->next) {
    c->moved = true;
  }
  l->fresh = false;
}

static sp_status one_conjunct(walk *w, uint32_t i, conj *c, bool *any_stays, sp_error *err) {
  const sp_node *n = w->in->nodes[i];
  const bool join = sp_node_is(n, "join");
  if (sp_expr_is_fallible(c->expr) && (*any_stays || (n->ops->flags & SP_NODE_KEEPS_ROWS) == 0)) {
    const char *reason = *any_stays ? "it can fail, and must come after another that stops here"
                                    : "it can fail, and this node removes rows";
    *any_stays = true;
    return land_blocked(w, c, i, reason, err);
  }
  sp_push push;
  bool stays;
  SP_TRY(call_hook(w, i, c->expr, &push, err));
  SP_TRY(send(w, i, c, &push, false, &stays, err));
  if (!stays) {
    return SP_OK;
  }
  if (join) {
    SP_TRY(send_implied(w, i, c, err));
  }
  if (join && ((const sp_join_node *)n)->how == SP_JOIN_INNER && sp_expr_has_column(c->expr)) {
    conj_append(&w->into[i], c);
    return SP_OK;
  }
  *any_stays = true;
  return land_blocked(w, c, i, push.blocker, err);
}

static sp_status at_node(walk *w, uint32_t i, conj_list *arrived, sp_error *err) {
  if (sp_node_is(w->in->nodes[i], "join")) {
    SP_TRY(own_condition(w, i, err));
  }
  if (arrived->first == NULL) {
    return SP_OK;
  }
  uint64_t made;
  SP_TRY(made_by(w, i, &made, err));
  const bool in_place = made != UINT64_MAX && arrived->first->parts == NULL;
  if (in_place && (arrived->reads & made) == 0) {
    mark_moved(arrived);
    conj_splice(&w->going[w->edge0[i]], arrived);
    return SP_OK;
  }
  bool any_stays = false;
  for (conj *c = arrived->first, *next; c != NULL; c = next) {
    next = c->next;
    if (in_place && (c->reads & made) == 0 && !sp_expr_is_fallible(c->expr)) {
      c->moved = true;
      conj_append(&w->going[w->edge0[i]], c);
      continue;
    }
    SP_TRY(one_conjunct(w, i, c, &any_stays, err));
  }
  return SP_OK;
}

/* ---- the plan ---- */
static sp_status prepare(walk *w, sp_error *err) {
  const sp_plan *p = w->in;
  sp_arena *a = w->arena;
  w->edge0 = SP_ARENA_ARRAY(a, uint32_t, (size_t)p->n_nodes + 1);
  w->users0 = SP_ARENA_ARRAY(a, uint32_t, (size_t)p->n_nodes + 2);
  w->n_outputs = SP_ARENA_ARRAY(a, uint32_t, p->n_nodes);
  if (w->edge0 == NULL || w->users0 == NULL || w->n_outputs == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    w->edge0[i + 1] = w->edge0[i] + p->nodes[i]->n_inputs;
    for (uint32_t k = 0; k < p->nodes[i]->n_inputs; k++) {
      w->users0[p->nodes[i]->inputs[k] + 2]++;
    }
  }
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    w->n_outputs[p->outputs[i]]++;
  }
  const uint32_t n_edges = w->edge0[p->n_nodes];
  w->users = SP_ARENA_ARRAY(a, uint32_t, n_edges);
  w->going = SP_ARENA_ARRAY(a, conj_list, n_edges);
  w->landed = SP_ARENA_ARRAY(a, conj_list, n_edges);
  w->into = SP_ARENA_ARRAY(a, conj_list, p->n_nodes);
  w->kept = SP_ARENA_ARRAY(a, sp_items, p->n_nodes);
  w->facts = SP_ARENA_ARRAY(a, fact_list, p->n_nodes);
  w->mark = SP_ARENA_ARRAY(a, uint32_t, p->n_nodes);
  if (w->users == NULL || w->going == NULL || w->landed == NULL || w->into == NULL || w->kept == NULL ||
      w->facts == NULL || w->mark == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    w->users0[i + 2] += w->users0[i + 1];
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    for (uint32_t k = 0; k < p->nodes[i]->n_inputs; k++) {
      w->users[w->users0[p->nodes[i]->inputs[k] + 1]++] = w->edge0[i] + k;
    }
  }
  return SP_OK;
}

sp_status sp_pushdown_walk(walk *w, sp_error *err) {
  SP_TRY(prepare(w, err));
  for (uint32_t i = w->in->n_nodes; i-- > 0;) {
    const sp_node *n = w->in->nodes[i];
    conj_list arrived;
    SP_TRY(arrivals(w, i, &arrived, err));
    if (sp_node_is(n, "filter")) {
      SP_TRY(at_filter(w, i, &arrived, err));
    } else if ((n->ops->flags & SP_NODE_SOURCE) != 0) {
      SP_TRY(at_source(w, i, &arrived, err));
    } else {
      SP_TRY(at_node(w, i, &arrived, err));
    }
  }
  return SP_OK;
}
