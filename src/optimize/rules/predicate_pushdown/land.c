/* Where conjuncts came to rest: filters that stay, that lose or gain conjuncts, that vanish, that are made;
 * scans and joins that take some over. One walk up, then one firing per node that something left.
 *
 * A filter keeps its id while one of its own conjuncts has stayed where it was. Of two filters in a row that
 * both stay, the lower one takes all. */
#include "optimize/rules/predicate_pushdown/pushdown.h"

static sp_status moved(walk *w, const conj *c, const char *to, sp_fact_action action, const char *reason,
                       sp_error *err) {
  const char *text = NULL;
  for (const source *s = c->from; s != NULL; s = s->next) {
    const char *from = w->in->nodes[s->node]->id;
    if (strcmp(from, to) == 0) {
      continue;
    }
    if (text == NULL) {
      text = sp_expr_text(c->written, w->arena);
      SP_TRY_ALLOC(err, text);
    }
    fact_list *l = &w->facts[s->node];
    if (!sp_arena_grow(w->arena, &l->facts, &l->cap, l->n + 1, sizeof *l->facts)) {
      return sp_error_nomem(err);
    }
    l->facts[l->n++] = (sp_fact){.kind = SP_FACT_PREDICATE,
                                 .action = action,
                                 .text = text,
                                 .from = from,
                                 .to = to,
                                 .reason = reason,
                                 .origin = c->origin};
  }
  return SP_OK;
}

/* Appends the conjuncts of l to items, those that are not known yet. `old` are in force already. */
static sp_status add_items(walk *w, const conj_list *l, const sp_items *old, const char *to, sp_items *ret,
                           sp_error *err) {
  uint32_t n = old->n;
  for (const conj *c = l->first; c != NULL; c = c->next) {
    n++;
  }
  sp_item *items = SP_ARENA_ARRAY(w->arena, sp_item, n);
  SP_TRY_ALLOC(err, items);
  sp_exprset known;
  sp_exprset_init(&known, w->arena);
  n = 0;
  for (uint32_t i = 0; i < old->n; i++) {
    struct sp_exprset_slot *slot = sp_exprset_at(&known, old->items[i].expr);
    SP_TRY_ALLOC(err, slot);
    slot->value = items;
    items[n++] = old->items[i];
  }
  for (uint32_t round = 0; round < 2; round++) { /* what can fail comes last */
    for (const conj *c = l->first; c != NULL; c = c->next) {
      if (sp_expr_is_fallible(c->expr) != (round == 1)) {
        continue;
      }
      const sp_expr *e = c->copy ? sp_simplify_predicate(w->arena, c->expr) : c->expr;
      SP_TRY_ALLOC(err, e);
      struct sp_exprset_slot *slot = sp_exprset_at(&known, e);
      SP_TRY_ALLOC(err, slot);
      const bool again = slot->value != NULL;
      slot->value = items;
      if (c->copy && (again || sp_expr_is_true(e))) {
        continue;
      }
      SP_TRY(moved(w, c, to,
                   again     ? SP_ACT_REMOVED
                   : c->copy ? SP_ACT_COPIED
                             : SP_ACT_MOVED,
                   again ? "known there already" : NULL, err));
      if (!again) {
        items[n++] = (sp_item){.expr = e, .loc = c->loc, .origin = c->origin};
      }
    }
  }
  *ret = (sp_items){.n = n, .items = items};
  return SP_OK;
}

/* The filter that has stayed at this place: the lowest of which a conjunct has not moved. UINT32_MAX: none.
 */
static uint32_t keeper(const conj_list *l) {
  uint32_t best = UINT32_MAX;
  for (const conj *c = l->first; c != NULL; c = c->next) {
    if (!c->moved && c->from->node < best) {
      best = c->from->node;
    }
  }
  return best;
}

static bool same_items(const sp_items *x, const sp_items *y) {
  if (x->n != y->n) {
    return false;
  }
  for (uint32_t i = 0; i < x->n; i++) {
    if (x->items[i].expr != y->items[i].expr) {
      return false;
    }
  }
  return true;
}

/* The filter for what landed on an edge, over builder's node `input`; *ret = input when nothing did (or only
 * needless copies). at: the filter of the input plan that was at this place, or UINT32_MAX. */
static sp_status place_filter(walk *w, sp_rewrite *rw, const conj_list *l, uint32_t input, uint32_t at,
                              uint32_t *ret, sp_error *err) {
  *ret = input;
  if (l->first == NULL) {
    return SP_OK;
  }
  const uint32_t keep = keeper(l);
  const sp_node *like = w->in->nodes[keep != UINT32_MAX ? keep : l->first->from->node];
  const char *id = like->id;
  if (keep == UINT32_MAX) {
    id = sp_sweep_new_id(w->s, like->id);
    SP_TRY_ALLOC(err, id);
  }
  sp_items items;
  const sp_items none = {0};
  SP_TRY(add_items(w, l, &none, id, &items, err));
  if (items.n == 0) {
    return SP_OK;
  }
  if (keep == at && at != UINT32_MAX && same_items(&items, &((const sp_filter_node *)like)->predicate)) {
    SP_TRY(sp_rewrite_keep(rw, at, err));
    *ret = rw->map[at];
    return SP_OK;
  }
  sp_filter_node *n =
      (sp_filter_node *)(keep != UINT32_MAX ? sp_node_copy(w->arena, like)
                                            : sp_node_new(w->arena, sp_node_ops_find(SP_SV("filter"))));
  SP_TRY_ALLOC(err, n);
  n->base.id = id;
  n->base.loc = like->loc;
  n->base.origin = (sp_origin){0};
  for (uint32_t i = 0; i < items.n; i++) {
    if (!sp_origin_union(w->arena, n->base.origin, items.items[i].origin, &n->base.origin)) {
      return sp_error_nomem(err);
    }
  }
  n->predicate = items;
  return sp_rewrite_add(rw, &n->base, &input, 1, ret, err);
}

static sp_status rebuild_filter(walk *w, sp_rewrite *rw, uint32_t i, sp_error *err) {
  const uint32_t input = rw->map[w->in->nodes[i]->inputs[0]];
  uint32_t to;
  SP_TRY(place_filter(w, rw, &w->landed[w->edge0[i]], input, i, &to, err));
  rw->map[i] = to;
  rw->changed = rw->changed || to == input;
  return SP_OK;
}

/* The node with its own predicate changed, or itself. */
static sp_status with_predicate(walk *w, uint32_t i, const sp_node **ret, sp_error *err) {
  const sp_node *n = w->in->nodes[i];
  const bool join = sp_node_is(n, "join");
  const sp_items *old = NULL;
  if (join) {
    old = &w->kept[i];
  } else if ((n->ops->flags & SP_NODE_SOURCE) != 0 && w->into[i].first != NULL) {
    old = &((const sp_scan_node *)n)->predicate;
  }
  *ret = n;
  if (old == NULL ||
      (w->into[i].first == NULL && (!join || old->n == ((const sp_join_node *)n)->predicate.n))) {
    return SP_OK;
  }
  sp_items items;
  SP_TRY(add_items(w, &w->into[i], old, n->id, &items, err));
  if (items.n == (join ? ((const sp_join_node *)n)->predicate.n : old->n) && items.n == old->n) {
    return SP_OK; /* all known already */
  }
  sp_node *c = sp_node_copy(w->arena, n);
  SP_TRY_ALLOC(err, c);
  if (join) {
    ((sp_join_node *)c)->predicate = items;
  } else {
    ((sp_scan_node *)c)->predicate = items;
  }
  *ret = c;
  return SP_OK;
}

static sp_status rebuild_node(walk *w, sp_rewrite *rw, uint32_t i, sp_error *err) {
  const sp_node *n = NULL;
  SP_TRY(with_predicate(w, i, &n, err));
  uint32_t few[8];
  uint32_t *inputs = few;
  if (n->n_inputs > 8) {
    inputs = SP_ARENA_ARRAY(w->arena, uint32_t, n->n_inputs);
    SP_TRY_ALLOC(err, inputs);
  }
  bool filtered = false;
  for (uint32_t k = 0; k < n->n_inputs; k++) {
    const uint32_t mapped = rw->map[w->in->nodes[i]->inputs[k]];
    SP_TRY(place_filter(w, rw, &w->landed[w->edge0[i] + k], mapped, UINT32_MAX, &inputs[k], err));
    filtered = filtered || inputs[k] != mapped;
  }
  return sp_rewrite_put(rw, i, n, filtered ? inputs : NULL, err);
}

/* One firing per node that lost conjuncts, with all of them. */
static sp_status report(walk *w, sp_error *err) {
  for (uint32_t i = 0; i < w->in->n_nodes; i++) {
    const fact_list *l = &w->facts[i];
    if (l->n == 0) {
      continue;
    }
    const char **after = SP_ARENA_ARRAY(w->arena, const char *, l->n);
    SP_TRY_ALLOC(err, after);
    sp_strmap seen;
    sp_strmap_init(&seen, w->arena);
    uint32_t n_after = 0;
    for (uint32_t k = 0; k < l->n; k++) {
      uint32_t *slot = sp_strmap_at(&seen, sp_sv_from(l->facts[k].to));
      SP_TRY_ALLOC(err, slot);
      if (*slot == 0) {
        *slot = 1;
        after[n_after++] = l->facts[k].to;
      }
    }
    sp_sweep_fired(w->s, &w->in->nodes[i]->id, 1, after, n_after);
    for (uint32_t k = 0; k < l->n; k++) {
      sp_sweep_fact(w->s, &l->facts[k]);
    }
  }
  return SP_OK;
}

sp_status sp_pushdown_land(walk *w, const sp_plan **ret, sp_error *err) {
  sp_rewrite rw;
  SP_TRY(sp_rewrite_begin(&rw, w->in, err));
  for (uint32_t i = 0; i < w->in->n_nodes; i++) {
    if (sp_node_is(w->in->nodes[i], "filter")) {
      SP_TRY(rebuild_filter(w, &rw, i, err));
    } else {
      SP_TRY(rebuild_node(w, &rw, i, err));
    }
  }
  SP_TRY(report(w, err));
  return sp_rewrite_finish(&rw, ret, err);
}
