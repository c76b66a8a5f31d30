/* Chains of crosses whose written order multiplies inputs that nothing connects.
 *
 *   filter a_id = c_a AND b_id = c_b             select a.*, b.*, c.*                       (the columns'
 * order as it was) cross                                        join on b_id = c_b cross (a, b) ⇒      join
 * on a_id = c_a c                                              a · c
 *                                                    b
 *
 * A region is a tree of crosses, of inner joins that this rule made and of filters between them, each with
 * one consumer. Its inputs are joined anew, left-deep: the first written one, then always the first that an
 * equality connects. It happens only when fewer crosses remain than before, and when all inputs' columns have
 * different names, so that no suffix changes; all other conjuncts go into one filter on top, from where
 * predicate_pushdown brings them down again. */
#include "optimize/rules/cross_to_inner/cross.h"

#define MAX_LEAVES 200

typedef struct region {
  uint32_t n_leaves, n_joins, n_crosses;
  uint32_t leaves[MAX_LEAVES]; /* nodes of the plan, in the order of their columns */
  sp_names names[MAX_LEAVES];
  sp_item *conjuncts;
  uint8_t *used;
  uint32_t n_conjuncts, cap_conjuncts;
  uint32_t order[MAX_LEAVES];
  uint32_t n_left; /* crosses in the new order */
  bool too_large;
} region;

static bool infallible(const sp_items *items) {
  for (uint32_t i = 0; i < items->n; i++) {
    if (sp_expr_is_fallible(items->items[i].expr)) {
      return false;
    }
  }
  return true;
}

/* May the region go on into node i, seen from its consumer in the region? */
static bool is_inner_part(const crossing *c, uint32_t i) {
  const sp_node *n = c->in->nodes[i];
  if (c->only_user[i] == UINT32_MAX) {
    return false;
  }
  if (sp_node_is(n, "filter")) {
    return infallible(&((const sp_filter_node *)n)->predicate) && is_inner_part(c, n->inputs[0]);
  }
  return sp_is_flat_join(n) && !((const sp_join_node *)n)->maintain_order &&
         infallible(&((const sp_join_node *)n)->predicate);
}

static bool add_conjunct(crossing *c, region *r, const sp_item *item) {
  if (!sp_arena_grow(c->arena, &r->conjuncts, &r->cap_conjuncts, r->n_conjuncts + 1, sizeof *r->conjuncts)) {
    return false;
  }
  r->conjuncts[r->n_conjuncts++] = *item;
  return true;
}

static bool add_join(crossing *c, region *r, const sp_join_node *j) {
  r->n_joins++;
  r->n_crosses += j->how == SP_JOIN_CROSS;
  for (uint32_t k = 0; k < j->left_on.n; k++) {
    const sp_expr *args[2] = {j->left_on.items[k].expr, j->right_on.items[k].expr};
    sp_item item = j->left_on.items[k];
    item.expr = sp_expr_call_named(c->arena, "eq", sp_type_of(SP_KIND_BOOL), args, 2);
    if (item.expr == NULL || !add_conjunct(c, r, &item)) {
      return false;
    }
  }
  for (uint32_t k = 0; k < j->predicate.n; k++) {
    if (!add_conjunct(c, r, &j->predicate.items[k])) {
      return false;
    }
  }
  return true;
}

/* Leaves, left to right, and all conjuncts, of the region below node `top` (a join). */
static sp_status collect(crossing *c, region *r, uint32_t top, sp_error *err) {
  uint32_t stack[2 * MAX_LEAVES + 2];
  uint32_t n = 0;
  stack[n++] = top;
  while (n > 0) {
    const uint32_t i = stack[--n];
    const sp_node *x = c->in->nodes[i];
    if (i != top && !is_inner_part(c, i)) {
      if (r->n_leaves == MAX_LEAVES) {
        r->too_large = true;
        return SP_OK;
      }
      r->leaves[r->n_leaves++] = i;
      continue;
    }
    if (n + 2 > sizeof stack / sizeof stack[0]) {
      r->too_large = true;
      return SP_OK;
    }
    bool ok = true;
    if (sp_node_is(x, "filter")) {
      const sp_items *items = &((const sp_filter_node *)x)->predicate;
      for (uint32_t k = 0; k < items->n && ok; k++) {
        ok = add_conjunct(c, r, &items->items[k]);
      }
      stack[n++] = x->inputs[0];
    } else {
      ok = add_join(c, r, (const sp_join_node *)x);
      stack[n++] = x->inputs[1];
      stack[n++] = x->inputs[0];
    }
    if (!ok) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

/* Names per leaf; *ret = false when two leaves share one. */
static sp_status name_leaves(crossing *c, region *r, bool *ret, sp_error *err) {
  sp_strmap all;
  sp_strmap_init(&all, c->arena);
  *ret = true;
  for (uint32_t l = 0; l < r->n_leaves; l++) {
    const sp_schema *s = c->in->nodes[r->leaves[l]]->schema;
    r->names[l] = (sp_names){0};
    for (uint32_t k = 0; k < s->n; k++) {
      uint32_t *at = sp_strmap_at(&all, s->fields[k].name);
      if (at == NULL || !sp_names_add(&r->names[l], c->arena, s->fields[k].name)) {
        return sp_error_nomem(err);
      }
      *ret = *ret && *at == 0;
      *at = 1;
    }
  }
  return SP_OK;
}

static bool add_names(crossing *c, sp_names *to, const sp_names *from) {
  for (uint32_t i = 0; i < from->n; i++) {
    if (!sp_names_add(to, c->arena, from->names[i])) {
      return false;
    }
  }
  return true;
}

/* Has an unused conjunct that joins `have` with leaf l. */
static sp_status connects(crossing *c, const region *r, const sp_names *have, uint32_t l, bool *ret,
                          sp_error *err) {
  *ret = false;
  for (uint32_t k = 0; k < r->n_conjuncts && !*ret; k++) {
    equality e;
    if (!sp_split_equality(r->conjuncts[k].expr, have, &r->names[l], c->arena, ret, &e)) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

static sp_status choose_order(crossing *c, region *r, sp_error *err) {
  bool placed[MAX_LEAVES] = {true};
  sp_names have = {0};
  r->order[0] = 0;
  if (!add_names(c, &have, &r->names[0])) {
    return sp_error_nomem(err);
  }
  for (uint32_t step = 1; step < r->n_leaves; step++) {
    uint32_t best = UINT32_MAX;
    bool connected = false;
    for (uint32_t l = 0; l < r->n_leaves && !connected; l++) {
      if (!placed[l]) {
        SP_TRY(connects(c, r, &have, l, &connected, err));
        best = connected || best == UINT32_MAX ? l : best;
      }
    }
    r->n_left += !connected;
    r->order[step] = best;
    placed[best] = true;
    if (!add_names(c, &have, &r->names[best])) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

/* ---- building ---- */
/* Keys of the step that joins leaf l to `have`; the conjuncts used are marked. */
static sp_status step_keys(crossing *c, region *r, const sp_names *have, uint32_t l, sp_items *left,
                           sp_items *right, sp_error *err) {
  sp_item *x = SP_ARENA_ARRAY(c->arena, sp_item, r->n_conjuncts);
  sp_item *y = SP_ARENA_ARRAY(c->arena, sp_item, r->n_conjuncts);
  if (x == NULL || y == NULL) {
    return sp_error_nomem(err);
  }
  uint32_t n = 0;
  for (uint32_t k = 0; k < r->n_conjuncts; k++) {
    bool is = false;
    equality e;
    if (r->used[k]) {
      continue;
    }
    if (!sp_split_equality(r->conjuncts[k].expr, have, &r->names[l], c->arena, &is, &e)) {
      return sp_error_nomem(err);
    }
    if (is) {
      r->used[k] = 1;
      x[n] = y[n] = r->conjuncts[k];
      x[n].expr = e.left;
      y[n++].expr = e.right;
    }
  }
  *left = (sp_items){n, x};
  *right = (sp_items){n, y};
  return SP_OK;
}

static sp_status join_leaves(crossing *c, region *r, sp_rewrite *w, const sp_node *root, uint32_t *ret,
                             sp_error *err) {
  sp_names have = {0};
  uint32_t top = w->map[r->leaves[0]];
  r->used = SP_ARENA_ARRAY(c->arena, uint8_t, r->n_conjuncts);
  if (r->used == NULL || !add_names(c, &have, &r->names[0])) {
    return sp_error_nomem(err);
  }
  for (uint32_t step = 1; step < r->n_leaves; step++) {
    const uint32_t l = r->order[step];
    sp_join_node *j = (sp_join_node *)sp_new_node_like(c->s, "join", root, root->origin);
    SP_TRY_ALLOC(err, j);
    SP_TRY(step_keys(c, r, &have, l, &j->left_on, &j->right_on, err));
    j->how = j->left_on.n > 0 ? SP_JOIN_INNER : SP_JOIN_CROSS;
    j->coalesce = j->left_on.n > 0 ? 2 : 0;
    j->suffix = ((const sp_join_node *)root)->suffix;
    const uint32_t inputs[2] = {top, w->map[r->leaves[l]]};
    SP_TRY(sp_rewrite_add(w, &j->base, inputs, 2, &top, err));
    if (!add_names(c, &have, &r->names[l])) {
      return sp_error_nomem(err);
    }
  }
  *ret = top;
  return SP_OK;
}

static sp_status add_rest(crossing *c, region *r, sp_rewrite *w, const sp_node *root, uint32_t *top,
                          sp_error *err) {
  sp_item *items = SP_ARENA_ARRAY(c->arena, sp_item, r->n_conjuncts);
  SP_TRY_ALLOC(err, items);
  uint32_t n = 0;
  for (uint32_t k = 0; k < r->n_conjuncts; k++) {
    if (!r->used[k]) {
      items[n++] = r->conjuncts[k];
    }
  }
  if (n == 0) {
    return SP_OK;
  }
  sp_filter_node *f = (sp_filter_node *)sp_new_node_like(c->s, "filter", root, root->origin);
  SP_TRY_ALLOC(err, f);
  f->predicate = (sp_items){n, items};
  const uint32_t input = *top;
  return sp_rewrite_add(w, &f->base, &input, 1, top, err);
}

/* The region below `root`, or of the filter at `at` above it, built anew as node `at`. */
static sp_status rebuild(crossing *c, region *r, sp_rewrite *w, uint32_t root, uint32_t at, sp_error *err) {
  const sp_node *n = c->in->nodes[root];
  uint32_t top = 0;
  SP_TRY(join_leaves(c, r, w, n, &top, err));
  SP_TRY(add_rest(c, r, w, n, &top, err));
  sp_node *select = sp_new_select(c->s, n, c->in->nodes[at]->schema);
  SP_TRY_ALLOC(err, select);
  const uint32_t input = top;
  SP_TRY(sp_rewrite_add(w, select, &input, 1, &w->map[at], err));
  const char *text = sp_arena_printf(c->arena, "%u joins in another order: %u instead of %u stay crosses",
                                     r->n_joins, r->n_left, r->n_crosses);
  SP_TRY_ALLOC(err, text);
  const sp_fact f = {.kind = SP_FACT_JOIN,
                     .action = SP_ACT_REPLACED,
                     .text = text,
                     .from = n->id,
                     .to = select->id,
                     .origin = n->origin};
  sp_sweep_fired(c->s, &n->id, 1, &select->id, 1);
  sp_sweep_fact(c->s, &f);
  return SP_OK;
}

/* Is node i the highest join of a region that a better order helps? The filter above it, when there is one,
 * belongs to it: *ret_at. */
static sp_status examine(crossing *c, uint32_t i, region *r, uint32_t *ret_at, bool *ret, sp_error *err) {
  const uint32_t user = c->only_user[i];
  *ret = false;
  *ret_at = i;
  memset(r, 0, offsetof(region, leaves));
  r->conjuncts = NULL;
  r->n_conjuncts = r->cap_conjuncts = r->n_left = 0;
  r->too_large = false;
  if (!sp_is_flat_join(c->in->nodes[i]) || ((const sp_join_node *)c->in->nodes[i])->maintain_order) {
    return SP_OK;
  }
  if (user != UINT32_MAX && sp_node_is(c->in->nodes[user], "filter")) {
    const uint32_t above = c->only_user[user];
    if (above != UINT32_MAX && is_inner_part(c, user) && sp_is_flat_join(c->in->nodes[above])) {
      return SP_OK; /* part of a larger region */
    }
    const sp_items *items = &((const sp_filter_node *)c->in->nodes[user])->predicate;
    if (infallible(items)) {
      *ret_at = user;
      for (uint32_t k = 0; k < items->n; k++) {
        if (!add_conjunct(c, r, &items->items[k])) {
          return sp_error_nomem(err);
        }
      }
    }
  } else if (user != UINT32_MAX && sp_is_flat_join(c->in->nodes[user]) && is_inner_part(c, i)) {
    return SP_OK;
  }
  SP_TRY(collect(c, r, i, err));
  if (r->too_large || r->n_crosses == 0 || r->n_leaves < 3) {
    return SP_OK;
  }
  bool distinct = false;
  SP_TRY(name_leaves(c, r, &distinct, err));
  if (!distinct) {
    return SP_OK;
  }
  SP_TRY(choose_order(c, r, err));
  *ret = r->n_left < r->n_crosses;
  return SP_OK;
}

sp_status sp_cross_reorder(crossing *c, const sp_plan **ret, sp_error *err) {
  region *r = SP_ARENA_NEW(c->arena, region);
  uint32_t *root_of =
      SP_ARENA_ARRAY(c->arena, uint32_t, c->in->n_nodes); /* by node: the join + 1 that is rebuilt there */
  if (r == NULL || root_of == NULL) {
    return sp_error_nomem(err);
  }
  bool any = false;
  uint32_t at;
  for (uint32_t i = 0; i < c->in->n_nodes; i++) {
    bool better = false;
    SP_TRY(examine(c, i, r, &at, &better, err));
    if (better) {
      root_of[at] = i + 1;
      any = true;
    }
  }
  if (!any) {
    return SP_OK;
  }
  sp_rewrite w;
  SP_TRY(sp_rewrite_begin(&w, c->in, err));
  for (uint32_t i = 0; i < c->in->n_nodes; i++) {
    if (root_of[i] == 0) {
      SP_TRY(sp_rewrite_keep(&w, i, err));
      continue;
    }
    bool better = false;
    SP_TRY(examine(c, root_of[i] - 1, r, &at, &better, err));
    SP_TRY(rebuild(c, r, &w, root_of[i] - 1, i, err));
  }
  return sp_rewrite_finish(&w, ret, err);
}
