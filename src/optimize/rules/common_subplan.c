/* common_subplan: equal subplans are computed once. It runs after the pushdowns and merges what is still
 * equal then; what was written twice and differs by now gets the reason named.
 *
 *   join(filter_1(scan_1 t, a > 1), filter_2(scan_2 t, a > 1))   ⇒   join(filter_1, filter_1) over one scan t
 *   a > 1 pushed into scan_1, a > 2 into scan_2                  stays twice: "different predicates: a > 1
 * and a > 2"
 *
 *   It does not fire for sinks: each writes its file.
 *
 * Nodes are numbered bottom up: equal kind, fields and (already numbered) inputs are one node. */
#include "optimize/internal.h"

typedef struct merging {
  sp_sweep *s;
  const sp_plan *in;
  sp_arena *arena;
  uint32_t *same; /* by node: the first node equal to it, perhaps itself */
} merging;

/* ---- numbering ---- */
static uint64_t key_of(const sp_node *n) {
  return sp_hash_combine(n->fingerprint.lo, n->fingerprint.hi);
}

static bool same_root(const sp_node *x, const sp_node *y) {
  if (strncmp(x->ops->name, "scan", 4) != 0) {
    return true;
  }
  const sp_scan_node *a = (const sp_scan_node *)x;
  const sp_scan_node *b = (const sp_scan_node *)y;
  return a->dataset == b->dataset &&
         (a->root == b->root || (a->root != NULL && b->root != NULL && strcmp(a->root, b->root) == 0));
}

/* Equal but for their inputs. */
static bool same_node(const sp_node *x, const sp_node *y) {
  return x->ops == y->ops && x->n_inputs == y->n_inputs && sp_node_fields_eq(x, y) && same_root(x, y) &&
         sp_schema_eq(x->schema, y->schema);
}

static bool same_inputs(const sp_node *x, const sp_node *y, const uint32_t *same) {
  for (uint32_t k = 0; k < x->n_inputs; k++) {
    if (same[x->inputs[k]] != same[y->inputs[k]]) {
      return false;
    }
  }
  return true;
}

/* same[i] for all nodes of p, by a table of the nodes that are the first of their kind. */
static bool number(const sp_plan *p, sp_arena *a, uint32_t *same) {
  uint32_t n_slots = 16;
  while (n_slots < (uint64_t)p->n_nodes * 2) {
    n_slots *= 2;
  }
  uint32_t *slots = SP_ARENA_ARRAY(a, uint32_t, n_slots);
  if (slots == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    const sp_node *n = p->nodes[i];
    uint32_t at = (uint32_t)key_of(n) & (n_slots - 1);
    while (slots[at] != 0) {
      const uint32_t k = slots[at] - 1;
      if (sp_hash128_eq(p->nodes[k]->fingerprint, n->fingerprint) && same_node(p->nodes[k], n) &&
          same_inputs(p->nodes[k], n, same)) {
        break;
      }
      at = (at + 1) & (n_slots - 1);
    }
    const bool sink = (n->ops->flags & SP_NODE_SINK) != 0;
    if (slots[at] == 0 && !sink) {
      slots[at] = i + 1;
    }
    same[i] = slots[at] != 0 && !sink ? slots[at] - 1 : i;
  }
  return true;
}

/* Nodes that are no one's part of a larger repetition: some consumer is not repeated itself. */
static uint8_t *topmost(const sp_plan *p, const uint32_t *same, sp_arena *a) {
  uint8_t *top = SP_ARENA_ARRAY(a, uint8_t, p->n_nodes);
  for (uint32_t i = 0; top != NULL && i < p->n_nodes; i++) {
    for (uint32_t k = 0; same[i] == i && k < p->nodes[i]->n_inputs; k++) {
      top[p->nodes[i]->inputs[k]] = 1;
    }
  }
  for (uint32_t i = 0; top != NULL && i < p->n_outputs; i++) {
    top[p->outputs[i]] = 1;
  }
  return top;
}

static const char *label(const sp_node *n, sp_arena *a) {
  if (strncmp(n->ops->name, "scan", 4) == 0) {
    const sp_scan_node *s = (const sp_scan_node *)n;
    return sp_arena_printf(a, "scan %.200s",
                           s->table != NULL ? s->table
                           : s->paths.n > 0 ? s->paths.items[0]
                                            : "");
  }
  return sp_arena_printf(a, "%s %.200s", n->ops->name, n->id);
}

/* ---- merging ---- */
static sp_status merge(merging *m, const sp_plan **ret, sp_error *err) {
  const uint8_t *top = topmost(m->in, m->same, m->arena);
  SP_TRY_ALLOC(err, top);
  sp_rewrite w;
  SP_TRY(sp_rewrite_begin(&w, m->in, err));
  for (uint32_t i = 0; i < m->in->n_nodes; i++) {
    const sp_node *n = m->in->nodes[i];
    if (m->same[i] == i) {
      SP_TRY(sp_rewrite_keep(&w, i, err));
      continue;
    }
    const sp_node *kept = m->in->nodes[m->same[i]];
    w.map[i] = w.map[m->same[i]];
    w.changed = true;
    sp_fact f = {.kind = SP_FACT_SUBPLAN,
                 .action = SP_ACT_MERGED,
                 .text = label(n, m->arena),
                 .from = n->id,
                 .to = kept->id,
                 .origin = n->origin};
    SP_TRY_ALLOC(err, f.text);
    f.reason = top[i] ? NULL : "part of a larger subplan";
    sp_sweep_fired(m->s, (const char *const[]){kept->id, n->id}, 2, &kept->id, 1);
    sp_sweep_fact(m->s, &f);
  }
  return sp_rewrite_finish(&w, ret, err);
}

/* ---- why not ---- */
typedef struct asking {
  sp_arena *arena;
  const sp_plan *first, *now;
  sp_strmap now_at;  /* id → node + 1 in `now` */
  sp_strmap merged;  /* id → index + 1 in `into` */
  const char **into; /* what it was merged into */
  uint32_t n_into, cap_into;
} asking;

static bool remember_merges(asking *q, const sp_sweep *s) {
  const sp_tracer *t = s->tracer;
  for (uint32_t i = 0; i < t->n_firings; i++) {
    const sp_fact *facts = i + 1 == t->n_firings && t->n_facts > 0 ? t->facts : t->firings[i].facts;
    const uint32_t n = i + 1 == t->n_firings && t->n_facts > 0 ? t->n_facts : t->firings[i].n_facts;
    for (uint32_t k = 0; k < n; k++) {
      if (facts[k].kind != SP_FACT_SUBPLAN || facts[k].action != SP_ACT_MERGED) {
        continue;
      }
      uint32_t *at = sp_strmap_at(&q->merged, sp_sv_from(facts[k].from));
      if (at == NULL || !sp_arena_grow(q->arena, &q->into, &q->cap_into, q->n_into + 1, sizeof *q->into)) {
        return false;
      }
      q->into[q->n_into++] = facts[k].to;
      *at = q->n_into;
    }
  }
  return true;
}

/* The node that a node of the first plan is now: under its id, or what it was merged into, or (it vanished)
 * what its input is. -1: unknown. */
static int64_t now_is(const asking *q, uint32_t i) {
  for (;;) {
    const sp_node *n = q->first->nodes[i];
    const char *id = n->id;
    for (uint32_t steps = 0; id != NULL && steps <= q->n_into; steps++) {
      const uint32_t *at = sp_strmap_find(&q->now_at, sp_sv_from(id));
      if (at != NULL) {
        return (int64_t)*at - 1;
      }
      const uint32_t *to = sp_strmap_find(&q->merged, sp_sv_from(id));
      id = to != NULL ? q->into[*to - 1] : NULL;
    }
    if (n->n_inputs == 0) {
      return -1;
    }
    i = n->inputs[0];
  }
}

static sp_status predicate_text(const sp_items *p, sp_arena *a, const char **ret, sp_error *err) {
  const sp_expr **parts = SP_ARENA_ARRAY(a, const sp_expr *, p->n);
  SP_TRY_ALLOC(err, parts);
  for (uint32_t i = 0; i < p->n; i++) {
    parts[i] = p->items[i].expr;
  }
  const sp_expr *all = sp_expr_and(a, parts, p->n);
  SP_TRY_ALLOC(err, all);
  const char *text = p->n > 0 ? sp_expr_text(all, a) : "none";
  SP_TRY_ALLOC(err, text);
  *ret = sp_arena_printf(a, "%.120s%s", text, strlen(text) > 120 ? "…" : "");
  SP_TRY_ALLOC(err, *ret);
  return SP_OK;
}

static bool same_predicate(const sp_items *x, const sp_items *y) {
  for (uint32_t i = 0; i < x->n && i < y->n; i++) {
    if (!sp_expr_eq(x->items[i].expr, y->items[i].expr)) {
      return false;
    }
  }
  return x->n == y->n;
}

static sp_status different_predicates(const sp_items *x, const sp_items *y, sp_arena *a, const char **ret,
                                      sp_error *err) {
  const char *px = NULL;
  const char *py = NULL;
  SP_TRY(predicate_text(x, a, &px, err));
  SP_TRY(predicate_text(y, a, &py, err));
  *ret = sp_arena_printf(a, "different predicates: %s and %s", px, py);
  SP_TRY_ALLOC(err, *ret);
  return SP_OK;
}

/* How two nodes differ, their inputs apart; *ret stays NULL when they do not. */
static sp_status difference(const sp_node *x, const sp_node *y, sp_arena *a, const char **ret,
                            sp_error *err) {
  *ret = NULL;
  if (x->ops != y->ops) {
    *ret = sp_arena_printf(a, "one is a %s now, the other a %s", x->ops->name, y->ops->name);
    SP_TRY_ALLOC(err, *ret);
    return SP_OK;
  }
  for (const sp_field_desc *f = x->ops->fields; f->key != NULL; f++) {
    if (f->kind == SP_F_PREDICATE && !same_predicate(sp_field_ptr(x, f), sp_field_ptr(y, f))) {
      return different_predicates(sp_field_ptr(x, f), sp_field_ptr(y, f), a, ret, err);
    }
  }
  if (!sp_node_fields_eq(x, y) && !sp_schema_eq(x->schema, y->schema)) {
    *ret = sp_arena_printf(a, "different columns: %u and %u", x->schema->n, y->schema->n);
    SP_TRY_ALLOC(err, *ret);
  } else if (!sp_node_fields_eq(x, y)) {
    *ret = strncmp(x->ops->name, "scan", 4) == 0 ? "different numbers of rows are read"
                                                 : "they compute something different now";
  }
  return SP_OK;
}

/* Goes down both until something differs. */
static sp_status why_not(const asking *q, uint32_t x, uint32_t y, const char **ret, sp_error *err) {
  for (;;) {
    const sp_node *a = q->now->nodes[x];
    const sp_node *b = q->now->nodes[y];
    SP_TRY(difference(a, b, q->arena, ret, err));
    if (*ret != NULL) {
      return SP_OK;
    }
    uint32_t k = 0;
    while (k < a->n_inputs && k < b->n_inputs && a->inputs[k] == b->inputs[k]) {
      k++;
    }
    if (k >= a->n_inputs || k >= b->n_inputs) {
      *ret = "they are built differently now";
      return SP_OK;
    }
    x = a->inputs[k];
    y = b->inputs[k];
  }
}

static sp_status explain(merging *m, const sp_plan *now, sp_error *err) {
  const sp_plan *first = sp_sweep_first(m->s);
  asking q = {.arena = m->arena, .first = first, .now = now};
  uint32_t *same = SP_ARENA_ARRAY(m->arena, uint32_t, first->n_nodes);
  if (same == NULL || !number(first, m->arena, same)) {
    return sp_error_nomem(err);
  }
  const uint8_t *top = topmost(first, same, m->arena);
  SP_TRY_ALLOC(err, top);
  sp_strmap_init(&q.now_at, m->arena);
  sp_strmap_init(&q.merged, m->arena);
  bool ready = false;
  for (uint32_t i = 0; i < first->n_nodes; i++) {
    if (same[i] == i || !top[i]) {
      continue;
    }
    for (uint32_t k = 0; !ready && k < now->n_nodes; k++) {
      uint32_t *at = sp_strmap_at(&q.now_at, sp_sv_from(now->nodes[k]->id));
      SP_TRY_ALLOC(err, at);
      *at = k + 1;
    }
    if (!ready && !remember_merges(&q, m->s)) {
      return sp_error_nomem(err);
    }
    ready = true;
    const int64_t x = now_is(&q, same[i]);
    const int64_t y = now_is(&q, i);
    if (x < 0 || y < 0 || x == y) {
      continue;
    }
    sp_fact f = {.kind = SP_FACT_SUBPLAN,
                 .action = SP_ACT_NOT_SHARED,
                 .text = label(first->nodes[i], m->arena),
                 .from = first->nodes[i]->id,
                 .to = now->nodes[x]->id,
                 .origin = first->nodes[i]->origin};
    SP_TRY_ALLOC(err, f.text);
    SP_TRY(why_not(&q, (uint32_t)x, (uint32_t)y, &f.reason, err));
    sp_sweep_blocked(m->s, &f);
  }
  return SP_OK;
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  merging m = {.s = s, .in = in, .arena = in->arena};
  m.same = SP_ARENA_ARRAY(m.arena, uint32_t, in->n_nodes);
  if (m.same == NULL || !number(in, m.arena, m.same)) {
    return sp_error_nomem(err);
  }
  SP_TRY(merge(&m, ret, err));
  return explain(&m, *ret != NULL ? *ret : in, err);
}

const sp_rule sp_rule_common_subplan = {
    .name = "common_subplan",
    .summary = "computes equal subplans once, and says why others are not shared",
    .sweep = sweep,
};
