/* cross_to_inner: a cross join and equalities between its sides are an inner join.
 *
 *   filter c_id = o_cust AND c_age > o_age        filter c_age > o_age
 *     cross                                  ⇒      join inner on c_id = o_cust, coalesce false
 *       customer · orders                             customer · orders
 *
 *   It does not fire for c_age > o_age alone, nor for CAST(c_note AS int64) = o_id: as a key it would be
 * evaluated on rows that no pair has.
 *
 * predicate_pushdown has brought each equality to the lowest cross that has both its columns. Where the
 * written order multiplies inputs that no equality connects, chain.c first brings the chain into an order
 * that does. */
#include "optimize/rules/cross_to_inner/cross.h"

static bool reads_only(const sp_names *reads, const sp_names *of) {
  for (uint32_t i = 0; i < reads->n; i++) {
    if (!sp_names_has(of, reads->names[i])) {
      return false;
    }
  }
  return reads->n > 0;
}

bool sp_split_equality(const sp_expr *e, const sp_names *x, const sp_names *y, sp_arena *a, bool *ret_is,
                       equality *ret) {
  *ret_is = false;
  if (!sp_expr_is_call(e, "eq") || sp_expr_is_fallible(e) || e->args[0]->type != e->args[1]->type) {
    return true;
  }
  sp_names l = {0};
  sp_names r = {0};
  if (!sp_expr_columns(e->args[0], a, &l) || !sp_expr_columns(e->args[1], a, &r)) {
    return false;
  }
  if (reads_only(&l, x) && reads_only(&r, y)) {
    *ret = (equality){e->args[0], e->args[1]};
    *ret_is = true;
  } else if (reads_only(&l, y) && reads_only(&r, x)) {
    *ret = (equality){e->args[1], e->args[0]};
    *ret_is = true;
  }
  return true;
}

/* ---- one cross under a filter ---- */
typedef struct right_names {
  const sp_schema *left, *right, *scope;
  sp_arena *arena;
  bool failed; /* out of memory */
} right_names;

/* From a name of the join's output to the right input's. */
static const sp_expr *to_right(void *ctx, sp_sv name) {
  right_names *m = ctx;
  const int32_t at = sp_schema_find(m->scope, name);
  const sp_field *f = &m->right->fields[(uint32_t)at - m->left->n];
  const sp_expr *e = sp_expr_column(m->arena, f->name, f->type);
  m->failed = m->failed || e == NULL;
  return e;
}

static sp_status sides_of(const crossing *c, const sp_node *n, right_names *m, sp_names *left,
                          sp_names *right, sp_error *err) {
  *m = (right_names){.left = sp_node_input_schema(c->in, n, 0),
                     .right = sp_node_input_schema(c->in, n, 1),
                     .arena = c->arena};
  SP_TRY(sp_join_scope((const sp_join_node *)n, m->left, m->right, c->arena, &m->scope, err));
  for (uint32_t i = 0; i < m->scope->n; i++) {
    if (!sp_names_add(i < m->left->n ? left : right, c->arena, m->scope->fields[i].name)) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

typedef struct conversion {
  sp_items left_on, right_on, rest; /* rest: what remains of the filter */
} conversion;

static sp_status take_equalities(const crossing *c, const sp_node *cross, const sp_items *items,
                                 conversion *ret, sp_error *err) {
  right_names m;
  sp_names left = {0};
  sp_names right = {0};
  SP_TRY(sides_of(c, cross, &m, &left, &right, err));
  sp_item *lists[3];
  for (uint32_t i = 0; i < 3; i++) {
    lists[i] = SP_ARENA_ARRAY(c->arena, sp_item, items->n);
    SP_TRY_ALLOC(err, lists[i]);
  }
  uint32_t n_keys = 0;
  uint32_t n_rest = 0;
  for (uint32_t i = 0; i < items->n; i++) {
    bool is = false;
    equality e;
    if (!sp_split_equality(items->items[i].expr, &left, &right, c->arena, &is, &e)) {
      return sp_error_nomem(err);
    }
    if (!is) {
      lists[2][n_rest++] = items->items[i];
      continue;
    }
    lists[0][n_keys] = lists[1][n_keys] = items->items[i];
    lists[0][n_keys].expr = e.left;
    lists[1][n_keys].expr = sp_expr_substitute(c->arena, e.right, to_right, &m);
    if (lists[1][n_keys].expr == NULL || m.failed) {
      return sp_error_nomem(err);
    }
    n_keys++;
  }
  *ret = (conversion){{n_keys, lists[0]}, {n_keys, lists[1]}, {n_rest, lists[2]}};
  return SP_OK;
}

static bool in_items(const sp_items *items, const sp_expr *e) {
  for (uint32_t i = 0; i < items->n; i++) {
    if (items->items[i].expr == e) {
      return true;
    }
  }
  return false;
}

static sp_status record(crossing *c, const sp_node *filter, const sp_node *cross, const conversion *v,
                        sp_error *err) {
  const char *before[2] = {filter->id, cross->id};
  sp_sweep_fired(c->s, before, 2, v->rest.n > 0 ? before : &before[1], v->rest.n > 0 ? 2 : 1);
  const sp_items *items = &((const sp_filter_node *)filter)->predicate;
  for (uint32_t i = 0; i < items->n; i++) {
    if (in_items(&v->rest, items->items[i].expr)) {
      continue;
    }
    const char *text = sp_expr_text(items->items[i].expr, c->arena);
    SP_TRY_ALLOC(err, text);
    const sp_fact moved = {.kind = SP_FACT_PREDICATE,
                           .action = SP_ACT_MOVED,
                           .text = text,
                           .from = filter->id,
                           .to = cross->id,
                           .origin = items->items[i].origin};
    sp_sweep_fact(c->s, &moved);
  }
  const sp_fact join = {.kind = SP_FACT_JOIN,
                        .action = SP_ACT_REPLACED,
                        .text = "cross became inner",
                        .from = cross->id,
                        .to = cross->id,
                        .origin = cross->origin};
  sp_sweep_fact(c->s, &join);
  return SP_OK;
}

static sp_status blocked(crossing *c, const sp_node *cross, const char *reason) {
  const sp_fact f = {.kind = SP_FACT_JOIN,
                     .action = SP_ACT_STOPPED,
                     .text = "cross",
                     .from = cross->id,
                     .to = cross->id,
                     .reason = reason,
                     .origin = cross->origin};
  sp_sweep_blocked(c->s, &f);
  return SP_OK;
}

static sp_status convert(crossing *c, sp_rewrite *w, uint32_t i, sp_items *rest, sp_error *err) {
  const sp_node *n = c->in->nodes[i];
  const uint32_t user = c->only_user[i];
  if (!sp_is_cross(n)) {
    return sp_rewrite_keep(w, i, err);
  }
  if (user == UINT32_MAX || !sp_node_is(c->in->nodes[user], "filter")) {
    SP_TRY(blocked(c, n, "no filter above it compares its sides"));
    return sp_rewrite_keep(w, i, err);
  }
  const sp_filter_node *filter = (const sp_filter_node *)c->in->nodes[user];
  conversion v;
  SP_TRY(take_equalities(c, n, &filter->predicate, &v, err));
  if (v.left_on.n == 0) {
    SP_TRY(blocked(c, n, "the filter above it has no equality of its two sides"));
    return sp_rewrite_keep(w, i, err);
  }
  sp_join_node *join = (sp_join_node *)sp_node_copy(c->arena, n);
  SP_TRY_ALLOC(err, join);
  join->how = SP_JOIN_INNER;
  join->left_on = v.left_on;
  join->right_on = v.right_on;
  join->coalesce = 2;
  rest[user] = v.rest;
  SP_TRY(record(c, &filter->base, n, &v, err));
  return sp_rewrite_put(w, i, &join->base, NULL, err);
}

static sp_status shrink_filter(crossing *c, sp_rewrite *w, uint32_t i, const sp_items *rest, sp_error *err) {
  if (rest->n == 0) {
    w->map[i] = w->map[c->in->nodes[i]->inputs[0]];
    w->changed = true;
    return SP_OK;
  }
  sp_filter_node *f = (sp_filter_node *)sp_node_copy(c->arena, c->in->nodes[i]);
  SP_TRY_ALLOC(err, f);
  f->predicate = *rest;
  return sp_rewrite_put(w, i, &f->base, NULL, err);
}

static sp_status convert_all(crossing *c, const sp_plan **ret, sp_error *err) {
  sp_items *rest = SP_ARENA_ARRAY(c->arena, sp_items, c->in->n_nodes); /* items NULL: as it was */
  SP_TRY_ALLOC(err, rest);
  sp_rewrite w;
  SP_TRY(sp_rewrite_begin(&w, c->in, err));
  for (uint32_t i = 0; i < c->in->n_nodes; i++) {
    if (rest[i].items != NULL) {
      SP_TRY(shrink_filter(c, &w, i, &rest[i], err));
    } else {
      SP_TRY(convert(c, &w, i, rest, err));
    }
  }
  return sp_rewrite_finish(&w, ret, err);
}

static bool find_users(crossing *c) {
  uint32_t *consumers = sp_plan_consumers(c->in, c->arena);
  c->only_user = SP_ARENA_ARRAY(c->arena, uint32_t, c->in->n_nodes);
  if (consumers == NULL || c->only_user == NULL) {
    return false;
  }
  memset(c->only_user, 0xff, c->in->n_nodes * sizeof *c->only_user);
  for (uint32_t i = 0; i < c->in->n_nodes; i++) {
    for (uint32_t k = 0; k < c->in->nodes[i]->n_inputs; k++) {
      const uint32_t in = c->in->nodes[i]->inputs[k];
      if (consumers[in] == 1) {
        c->only_user[in] = i;
      }
    }
  }
  return true;
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  crossing c = {.s = s, .in = in, .arena = in->arena};
  bool any = false;
  for (uint32_t i = 0; i < in->n_nodes && !any; i++) {
    any = sp_is_cross(in->nodes[i]);
  }
  if (!any) {
    return SP_OK;
  }
  if (!find_users(&c)) {
    return sp_error_nomem(err);
  }
  SP_TRY(convert_all(&c, ret, err));
  return *ret != NULL ? SP_OK : sp_cross_reorder(&c, ret, err);
}

const sp_rule sp_rule_cross_to_inner = {
    .name = "cross_to_inner",
    .summary =
        "turns cross joins with equalities into inner joins, reordering chains of them where that helps",
    .sweep = sweep,
};
