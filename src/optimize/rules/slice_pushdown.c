/* slice_pushdown: rows that a slice drops are not computed.
 *
 *   head 10 over select over scan          ⇒   select over scan, n_rows 10
 *   slice 20..30 over head 25              ⇒   slice 20..25
 *   head 10 over sort by delay             ⇒   top_k 10 by delay
 *   head 10 over union (a, b)              ⇒   head 10 over union (head 10 of a, head 10 of b)
 *   head 10 over a left join b             ⇒   head 10 over (head 10 of a) left join b        every row of a
 * gives at least one
 *
 *   It does not fire for a slice over a filter, a group_by or an inner join (they decide how many rows there
 * are), over a scan with a predicate (n_rows counts before it), over a sort that maintains order (top_k does
 * not), nor below a shared node.
 *
 * One walk down carries at most one slice per edge; a limit that goes below a node and also stays above it is
 * a copy, which vanishes where an equal or smaller one is in force already. One walk up builds. */
#include "optimize/internal.h"

#define TOP_K_MAX 100000 /* more rows are cheaper to sort */
#define NO_SOURCE UINT32_MAX

/* The slice nodes that a slice on its way stands for, the upper ones first. */
typedef struct source {
  uint32_t node;
  bool copy; /* that one also stays where it is */
  const struct source *next;
} source;

/* A slice on its way. */
typedef struct carried {
  bool has, copy;
  int64_t offset, length; /* length -1: to the end */
  const source *from;
  uint32_t home; /* the slice node that it still is, or NO_SOURCE once it has passed another node */
  sp_origin origin;
} carried;

typedef struct slicing {
  sp_sweep *s;
  const sp_plan *in;
  sp_arena *arena;
  uint32_t *edge0;
  uint32_t *n_users, *user; /* by node: consumers (outputs too); the edge of the only one */
  carried *going, *landed;  /* by edge */
  carried *absorbed;        /* by node: becomes part of it */
  sp_rewrite w;
} slicing;

static const char *text_of(slicing *x, const carried *c) {
  int64_t end;
  if (c->length < 0 || __builtin_add_overflow(c->offset, c->length, &end) || (c->offset < 0 && end >= 0)) {
    return sp_arena_printf(x->arena, "%lld:", (long long)c->offset);
  }
  return sp_arena_printf(x->arena, "%lld:%lld", (long long)c->offset, (long long)end);
}

static sp_status stopped(slicing *x, const carried *c, uint32_t at, const char *reason, sp_error *err) {
  if (c->copy || reason == NULL) {
    return SP_OK;
  }
  const sp_fact f = {.kind = SP_FACT_SLICE,
                     .action = SP_ACT_STOPPED,
                     .text = text_of(x, c),
                     .from = x->in->nodes[c->from->node]->id,
                     .to = x->in->nodes[at]->id,
                     .reason = reason,
                     .origin = c->origin};
  SP_TRY_ALLOC(err, f.text);
  sp_sweep_blocked(x->s, &f);
  return SP_OK;
}

/* ---- down ---- */
static bool is_limit(const carried *c) {
  return c->offset >= 0 && c->length >= 0 && c->offset <= INT64_MAX - c->length;
}

/* The first rows that are enough for c. */
static carried limit_of(const carried *c) {
  carried l = *c;
  l.offset = 0;
  l.length = c->offset + c->length;
  l.copy = true;
  l.home = NO_SOURCE;
  return l;
}

static void pass(slicing *x, uint32_t i, uint32_t which, carried c) {
  c.home = NO_SOURCE;
  x->going[x->edge0[i] + which] = c;
}

/* outer over inner as one slice; false when they do not combine. */
static bool combine(const carried *outer, const sp_slice_node *inner, carried *ret) {
  if (outer->offset < 0 || inner->offset < 0 || outer->offset > INT64_MAX - inner->offset) {
    return false;
  }
  *ret = *outer;
  ret->offset = inner->offset + outer->offset;
  if (inner->length >= 0) {
    const int64_t left = inner->length > outer->offset ? inner->length - outer->offset : 0;
    ret->length = outer->length < 0 || outer->length > left ? left : outer->length;
  }
  return ret->length < 0 || ret->offset <= INT64_MAX - ret->length;
}

/* `upper` in front of `lower`. */
static const source *both_sources(slicing *x, const carried *upper, const source *lower) {
  const source *r = lower;
  for (const source *f = upper->from; f != NULL; f = f->next) {
    source *s = SP_ARENA_NEW(x->arena, source);
    if (s == NULL) {
      return NULL;
    }
    *s = (source){f->node, f->copy || upper->copy, r};
    r = s;
  }
  return r;
}

static sp_status at_slice(slicing *x, uint32_t i, const carried *c, sp_error *err) {
  const sp_slice_node *n = (const sp_slice_node *)x->in->nodes[i];
  source *self = SP_ARENA_NEW(x->arena, source);
  SP_TRY_ALLOC(err, self);
  *self = (source){.node = i};
  carried own = {.has = true,
                 .offset = n->offset,
                 .length = n->length,
                 .from = self,
                 .home = i,
                 .origin = n->base.origin};
  carried both;
  if (c->has && combine(c, n, &both)) {
    const bool tighter = both.offset != own.offset || both.length != own.length;
    if (tighter || !c->copy) {
      own.offset = both.offset;
      own.length = both.length;
      own.from = both_sources(x, c, self);
      if (own.from == NULL || !sp_origin_union(x->arena, n->base.origin, c->origin, &own.origin)) {
        return sp_error_nomem(err);
      }
    }
  } else if (c->has) {
    SP_TRY(stopped(x, c, i, "it and the slice below it count from different ends", err));
    x->landed[x->user[i]] = *c;
  }
  x->going[x->edge0[i]] = own;
  return SP_OK;
}

static sp_status land(slicing *x, uint32_t i, const carried *c, const char *reason, sp_error *err) {
  SP_TRY(stopped(x, c, i, reason, err));
  x->landed[x->user[i]] = *c;
  return SP_OK;
}

/* A limit goes to the inputs, the slice stays: unless it is such a limit itself and there is one input. */
static void limit_inputs(slicing *x, uint32_t i, const carried *c, uint32_t from, uint32_t n) {
  for (uint32_t k = from; k < from + n; k++) {
    pass(x, i, k, limit_of(c));
  }
  x->landed[x->user[i]] = *c;
}

static sp_status at_join(slicing *x, uint32_t i, const carried *c, sp_error *err) {
  const sp_join_node *n = (const sp_join_node *)x->in->nodes[i];
  if (is_limit(c) && (n->how == SP_JOIN_LEFT || n->how == SP_JOIN_RIGHT)) {
    limit_inputs(x, i, c, n->how == SP_JOIN_RIGHT, 1);
    return SP_OK;
  }
  return land(x, i, c, "the join decides how many rows there are", err);
}

static sp_status at_sort(slicing *x, uint32_t i, const carried *c, sp_error *err) {
  const sp_sort_node *n = (const sp_sort_node *)x->in->nodes[i];
  const bool top_k = sp_node_is(&n->base, "top_k");
  if (!is_limit(c)) {
    return land(x, i, c, "only the first rows of a sort are cheaper than all", err);
  }
  if (!top_k && n->maintain_order) {
    return land(x, i, c, "the sort maintains the order of equal rows", err);
  }
  if (!top_k && c->offset + c->length > TOP_K_MAX) {
    return land(x, i, c, "so many rows are cheaper to sort", err);
  }
  x->absorbed[i] = limit_of(c);
  x->absorbed[i].copy = c->copy || c->offset > 0;
  if (c->offset > 0) {
    x->landed[x->user[i]] = *c;
  }
  return SP_OK;
}

static sp_status at_source(slicing *x, uint32_t i, const carried *c, sp_error *err) {
  const sp_node *n = x->in->nodes[i];
  const bool scan = strncmp(n->ops->name, "scan", 4) == 0;
  if (!scan || !is_limit(c)) {
    return land(x, i, c, scan ? "a scan can only stop early" : "rows written in the plan are not sliced",
                err);
  }
  if (((const sp_scan_node *)n)->predicate.n > 0) {
    return land(x, i, c, "the scan's predicate comes first", err);
  }
  x->absorbed[i] = limit_of(c);
  x->absorbed[i].copy = c->copy || c->offset > 0;
  if (c->offset > 0) {
    x->landed[x->user[i]] = *c;
  }
  return SP_OK;
}

static sp_status at_other(slicing *x, uint32_t i, const carried *c, sp_error *err) {
  const sp_node *n = x->in->nodes[i];
  const unsigned flags = n->ops->flags;
  const unsigned row_by_row = SP_NODE_KEEPS_ORDER | SP_NODE_KEEPS_ROWS;
  if (n->n_inputs == 1 && (flags & row_by_row) == row_by_row) {
    if ((flags & SP_NODE_OBSERVES_ORDER) == 0 || (c->offset == 0 && c->length >= 0)) {
      pass(x, i, 0, *c);
      return SP_OK;
    }
    if (is_limit(c)) { /* row numbers: the first rows keep theirs */
      limit_inputs(x, i, c, 0, 1);
      return SP_OK;
    }
    return land(x, i, c, "rows are numbered first", err);
  }
  if (sp_node_is(n, "union") && is_limit(c)) {
    limit_inputs(x, i, c, 0, n->n_inputs);
    return SP_OK;
  }
  const char *reason = sp_arena_printf(x->arena, "the %s decides how many rows there are", n->ops->name);
  SP_TRY_ALLOC(err, reason);
  return land(x, i, c, reason, err);
}

static sp_status walk_node(slicing *x, uint32_t i, sp_error *err) {
  const sp_node *n = x->in->nodes[i];
  carried c = {0};
  if (x->n_users[i] == 1 && x->user[i] != UINT32_MAX) {
    c = x->going[x->user[i]];
  }
  if (sp_node_is(n, "slice")) {
    return at_slice(x, i, &c, err);
  }
  if (!c.has) {
    return SP_OK;
  }
  if ((n->ops->flags & SP_NODE_SOURCE) != 0) {
    return at_source(x, i, &c, err);
  }
  if (sp_node_is(n, "join")) {
    return at_join(x, i, &c, err);
  }
  return sp_node_is(n, "sort") || sp_node_is(n, "top_k") ? at_sort(x, i, &c, err) : at_other(x, i, &c, err);
}

/* What wants below a shared node stays on its edge. */
static sp_status stop_at_shared(slicing *x, uint32_t i, sp_error *err) {
  const sp_node *n = x->in->nodes[i];
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    const uint32_t edge = x->edge0[i] + k;
    if (x->n_users[n->inputs[k]] > 1 && x->going[edge].has) {
      const char *reason = sp_arena_printf(x->arena, "`%s` is shared", x->in->nodes[n->inputs[k]]->id);
      SP_TRY_ALLOC(err, reason);
      SP_TRY(stopped(x, &x->going[edge], n->inputs[k], reason, err));
      x->landed[edge] = x->going[edge];
    }
  }
  return SP_OK;
}

/* ---- up ---- */
static sp_status record(slicing *x, const carried *c, const char *to, sp_error *err) {
  const char *text = text_of(x, c);
  SP_TRY_ALLOC(err, text);
  for (const source *s = c->from; s != NULL; s = s->next) {
    const sp_node *from = x->in->nodes[s->node];
    if (strcmp(from->id, to) == 0) {
      continue;
    }
    const sp_fact f = {.kind = SP_FACT_SLICE,
                       .action = c->copy || s->copy ? SP_ACT_COPIED : SP_ACT_MOVED,
                       .text = text,
                       .from = from->id,
                       .to = to,
                       .origin = c->origin};
    sp_sweep_fired(x->s, &from->id, 1, &to, 1);
    sp_sweep_fact(x->s, &f);
  }
  return SP_OK;
}

/* The slice that landed above builder's node `input`; at: the slice node of the input plan at this place, or
 * NO_SOURCE. */
static sp_status place_slice(slicing *x, const carried *c, uint32_t input, uint32_t at, uint32_t *ret,
                             sp_error *err) {
  const uint32_t like = c->home != NO_SOURCE ? c->home : c->from->node;
  const sp_slice_node *old = (const sp_slice_node *)x->in->nodes[like];
  const bool same = c->home != NO_SOURCE && old->offset == c->offset && old->length == c->length;
  if (same && c->home == at) {
    SP_TRY(record(x, c, old->base.id, err));
    SP_TRY(sp_rewrite_keep(&x->w, at, err));
    *ret = x->w.map[at];
    return SP_OK;
  }
  sp_slice_node *n = (sp_slice_node *)sp_node_copy(x->arena, &old->base);
  SP_TRY_ALLOC(err, n);
  if (c->home == NO_SOURCE) {
    n->base.id = sp_sweep_new_id(x->s, old->base.id);
    SP_TRY_ALLOC(err, n->base.id);
  }
  n->base.origin = c->origin;
  n->offset = c->offset;
  n->length = c->length;
  SP_TRY(record(x, c, n->base.id, err));
  return sp_rewrite_add(&x->w, &n->base, &input, 1, ret, err);
}

/* A node that took a limit in, or itself when it had as good a one. */
static sp_status absorb(slicing *x, uint32_t i, const sp_node **ret, sp_error *err) {
  const sp_node *n = x->in->nodes[i];
  const carried *c = &x->absorbed[i];
  *ret = n;
  if (!c->has) {
    return SP_OK;
  }
  if ((n->ops->flags & SP_NODE_SOURCE) != 0) {
    const int64_t old = ((const sp_scan_node *)n)->n_rows;
    if (old < 0 || old > c->length) {
      sp_scan_node *copy = (sp_scan_node *)sp_node_copy(x->arena, n);
      SP_TRY_ALLOC(err, copy);
      copy->n_rows = c->length;
      *ret = &copy->base;
    }
  } else if (sp_node_is(n, "sort") || ((const sp_sort_node *)n)->k > c->length) {
    sp_sort_node *copy = (sp_sort_node *)sp_node_copy(x->arena, n);
    SP_TRY_ALLOC(err, copy);
    copy->base.ops = sp_node_ops_find(SP_SV("top_k"));
    copy->k = c->length;
    *ret = &copy->base;
  }
  return *ret != n || !c->copy ? record(x, c, n->id, err) : SP_OK;
}

static sp_status build_node(slicing *x, uint32_t i, sp_error *err) {
  const sp_node *n = x->in->nodes[i];
  if (sp_node_is(n, "slice")) {
    const uint32_t input = x->w.map[n->inputs[0]];
    const carried *c = &x->landed[x->edge0[i]];
    x->w.map[i] = input;
    if (!c->has) {
      x->w.changed = true;
      return SP_OK;
    }
    uint32_t to = input;
    SP_TRY(place_slice(x, c, input, i, &to, err));
    x->w.map[i] = to;
    return SP_OK;
  }
  SP_TRY(absorb(x, i, &n, err));
  uint32_t *inputs = NULL;
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    const carried *c = &x->landed[x->edge0[i] + k];
    if (!c->has) {
      continue;
    }
    if (inputs == NULL) {
      inputs = SP_ARENA_ARRAY(x->arena, uint32_t, n->n_inputs);
      SP_TRY_ALLOC(err, inputs);
      for (uint32_t m = 0; m < n->n_inputs; m++) {
        inputs[m] = x->w.map[n->inputs[m]];
      }
    }
    SP_TRY(place_slice(x, c, inputs[k], NO_SOURCE, &inputs[k], err));
  }
  return sp_rewrite_put(&x->w, i, n, inputs, err);
}

static sp_status prepare(slicing *x, sp_error *err) {
  const sp_plan *p = x->in;
  x->edge0 = SP_ARENA_ARRAY(x->arena, uint32_t, (size_t)p->n_nodes + 1);
  x->user = SP_ARENA_ARRAY(x->arena, uint32_t, p->n_nodes);
  x->n_users = sp_plan_consumers(p, x->arena);
  x->absorbed = SP_ARENA_ARRAY(x->arena, carried, p->n_nodes);
  if (x->edge0 == NULL || x->user == NULL || x->n_users == NULL || x->absorbed == NULL) {
    return sp_error_nomem(err);
  }
  memset(x->user, 0xff, p->n_nodes * sizeof *x->user);
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    x->edge0[i + 1] = x->edge0[i] + p->nodes[i]->n_inputs;
    for (uint32_t k = 0; k < p->nodes[i]->n_inputs; k++) {
      x->user[p->nodes[i]->inputs[k]] = x->edge0[i] + k;
    }
  }
  x->going = SP_ARENA_ARRAY(x->arena, carried, x->edge0[p->n_nodes]);
  x->landed = SP_ARENA_ARRAY(x->arena, carried, x->edge0[p->n_nodes]);
  return x->going != NULL && x->landed != NULL ? SP_OK : sp_error_nomem(err);
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  slicing x = {.s = s, .in = in, .arena = in->arena};
  SP_TRY(prepare(&x, err));
  for (uint32_t i = in->n_nodes; i-- > 0;) {
    SP_TRY(walk_node(&x, i, err));
    SP_TRY(stop_at_shared(&x, i, err));
  }
  SP_TRY(sp_rewrite_begin(&x.w, in, err));
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    SP_TRY(build_node(&x, i, err));
  }
  return sp_rewrite_finish(&x.w, ret, err);
}

const sp_rule sp_rule_slice_pushdown = {
    .name = "slice_pushdown",
    .summary = "moves slices down, into scans and sorts where those can stop early",
    .sweep = sweep,
};
