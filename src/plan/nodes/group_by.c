/* group_by: one row per distinct combination of keys; without keys one row for everything, also for no rows.
 *
 *   {"id": "g", "op": "group_by", "input": "t", "keys": ["origin", "year(day) AS y"], "aggs": ["count(*) AS
 * n", "sum(a) / count(*) AS mean"]}
 *
 * An aggregate may be any expression over aggregate calls and keys. Outside aggregate calls it may only read
 * key expressions as they are written among the keys (`year(day)`, not `y`); all columns are the input's.
 * sp_group_by_split takes that apart for execution. */
#include "expr/bind.h"
#include "expr/function.h"
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "keys",
                                        .kind = SP_F_EXPRS,
                                        .required = true,
                                        .offset = offsetof(sp_group_by_node, keys),
                                        .brief = 1,
                                        .doc = "what rows are grouped by; may be empty"},
                                       {.key = "aggs",
                                        .kind = SP_F_EXPRS,
                                        .required = true,
                                        .offset = offsetof(sp_group_by_node, aggs),
                                        .brief = 2,
                                        .doc = "one output column each, after the keys"},
                                       {.key = "maintain_order",
                                        .kind = SP_F_BOOL,
                                        .offset = offsetof(sp_group_by_node, maintain_order),
                                        .doc = "groups in the order of their first rows; else in any order"},
                                       {.key = NULL}};

static bool is_key(const sp_items *keys, const sp_expr *e) {
  for (uint32_t i = 0; i < keys->n; i++) {
    if (sp_expr_eq(sp_expr_unalias(keys->items[i].expr), e)) {
      return true;
    }
  }
  return false;
}

static bool is_aggregate(const sp_expr *e) {
  return e->kind == SP_EXPR_CALL && (e->fn->flags & SP_FN_AGGREGATE) != 0;
}

/* The first column that stands outside aggregate calls and is no key, or NULL. Depth is limited by the
 * expression's. */
static const sp_expr *stray_column(const sp_items *keys, const sp_expr *e) {
  if (is_aggregate(e) || is_key(keys, e)) {
    return NULL;
  }
  if (e->kind == SP_EXPR_COLUMN) {
    return e;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    const sp_expr *c = stray_column(keys, e->args[i]);
    if (c != NULL) {
      return c;
    }
  }
  return NULL;
}

static sp_status check_aggs(const sp_group_by_node *n, sp_error *err) {
  for (uint32_t i = 0; i < n->aggs.n; i++) {
    const sp_expr *c = stray_column(&n->keys, n->aggs.items[i].expr);
    if (c != NULL) {
      const int len = (int)(c->name.n < 120 ? c->name.n : 120);
      sp_error_set(err, SP_INVALID, &n->aggs.items[i].loc,
                   "column `%.*s` is neither a key nor inside an aggregate", len, c->name.p);
      sp_error_hint(
          err, "add `%.*s` to `keys`, or take one value per group: any_value(%.*s), min(%.*s), first(%.*s)",
          len, c->name.p, len, c->name.p, len, c->name.p, len, c->name.p);
      return SP_INVALID;
    }
  }
  return SP_OK;
}

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  sp_group_by_node *n = (sp_group_by_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  SP_TRY(sp_bind_items(cx, written, &n->keys, inputs[0]->schema, 0, &n->keys, err));
  SP_TRY(sp_bind_items(cx, written, &n->aggs, inputs[0]->schema, SP_BIND_AGGREGATES, &n->aggs, err));
  SP_TRY(check_aggs(n, err));
  SP_TRY(sp_items_unique(&n->keys, &n->aggs, cx->arena, err));
  if (n->keys.n + n->aggs.n == 0) {
    SP_FAIL(err, SP_INVALID, &written->loc, "group_by needs a key or an aggregate");
  }
  *ret = &n->base;
  return SP_OK;
}

static sp_status schema(const sp_node *node, const sp_schema *const *inputs, sp_arena *a,
                        const sp_schema **ret, sp_error *err) {
  (void)inputs;
  const sp_group_by_node *n = (const sp_group_by_node *)node;
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  if (!sp_schema_add_items(&b, &n->keys, a) || !sp_schema_add_items(&b, &n->aggs, a)) {
    return sp_error_nomem(err);
  }
  return sp_schema_finish(&b, &node->loc, ret, err);
}

static bool needs(const sp_node *node, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  (void)inputs, (void)which;
  const sp_group_by_node *n = (const sp_group_by_node *)node;
  sp_items aggs = n->aggs;
  return (out == NULL || sp_items_narrow(&aggs, out, a, &aggs)) && sp_needs_items(&n->keys, a, ret) &&
         sp_needs_items(&aggs, a, ret);
}

/* Keys stay: they make the groups. */
static sp_status narrow(const sp_node *node, const sp_names *out, sp_arena *a, const sp_node **ret) {
  const sp_group_by_node *n = (const sp_group_by_node *)node;
  sp_items kept;
  if (!sp_items_narrow(&n->aggs, out, a, &kept)) {
    return SP_NOMEM;
  }
  *ret = node;
  if (kept.n == n->aggs.n || (kept.n == 0 && n->keys.n == 0)) {
    return SP_OK; /* without keys and aggregates there would be no row to speak of */
  }
  sp_group_by_node *c = (sp_group_by_node *)sp_node_copy(a, node);
  if (c == NULL) {
    return SP_NOMEM;
  }
  c->aggs = kept;
  *ret = &c->base;
  return SP_OK;
}

static sp_status push(const sp_node *node, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  (void)inputs;
  const sp_group_by_node *n = (const sp_group_by_node *)node;
  if (!sp_push_begin(ret, 1, a)) {
    return SP_NOMEM;
  }
  if (n->keys.n == 0) {
    return sp_push_block(ret, a, "a group_by without keys gives a row even for no rows");
  }
  const sp_expr *below = NULL;
  const char *blocker = NULL;
  SP_TRY(sp_push_through_items(&n->keys, false, true, pred, a, &below, &blocker));
  ret->stays = below == NULL;
  ret->blocker = blocker;
  ((const sp_expr **)(uintptr_t)ret->to)[0] = below;
  return SP_OK;
}

/* ---- what is determined ---- */
typedef struct agg_facts {
  bool ordered, any, only_counts;
} agg_facts;

static void look_at_aggs(const sp_expr *e, agg_facts *f) {
  if (e->kind == SP_EXPR_COLUMN) {
    f->only_counts = false;
  }
  if (is_aggregate(e)) {
    f->ordered = f->ordered || (e->fn->flags & SP_FN_ORDERED) != 0;
    f->any = f->any || strcmp(e->fn->name, "any_value") == 0;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    look_at_aggs(e->args[i], f);
  }
  if (e->filter != NULL) {
    look_at_aggs(e->filter, f);
  }
}

static bool determine(const sp_node *node, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  const sp_group_by_node *n = (const sp_group_by_node *)node;
  const sp_determined in = inputs[0]->det;
  agg_facts f = {.only_counts = true};
  for (uint32_t i = 0; i < n->aggs.n; i++) {
    look_at_aggs(n->aggs.items[i].expr, &f);
  }
  const bool values = in >= SP_DET_ROWS && !f.any && (!f.ordered || in == SP_DET_ORDER);
  ret->unique = sp_known_items(&n->keys, a);
  if (n->keys.n == 0) { /* one row */
    ret->det = values || (in == SP_DET_COUNT && f.only_counts) ? SP_DET_ORDER : SP_DET_COUNT;
  } else if (in < SP_DET_ROWS) {
    ret->det = SP_DET_NOTHING;
  } else if (!values) {
    ret->det = SP_DET_COUNT;
  } else {
    ret->det = n->maintain_order && in == SP_DET_ORDER ? SP_DET_ORDER : SP_DET_ROWS;
  }
  return ret->unique != NULL;
}

static void headline(const sp_node *node, sp_str *out) {
  const sp_group_by_node *n = (const sp_group_by_node *)node;
  sp_headline_items(&n->keys, ", ", out);
  sp_str_add(out, n->keys.n > 0 && n->aggs.n > 0 ? ": " : "");
  sp_headline_items(&n->aggs, ", ", out);
  sp_str_add(out, n->maintain_order ? "; in order" : "");
}

const sp_node_ops sp_node_kind_group_by = {
    .name = "group_by",
    .symbol = "γ",
    .summary = "one row per group",
    .flags = SP_NODE_BREAKS_PIPELINE,
    .size = sizeof(sp_group_by_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = schema,
    .needs = needs,
    .narrow = narrow,
    .push_predicate = push,
    .determine = determine,
    .headline = headline,
};
