/* merge_projections: two selects in a row become one; a select of just what its input gives goes.
 *
 *   select x + 1 AS y over select a AS x, b           ⇒   select a + 1 AS y
 *   select a, b over a scan of a, b                   ⇒   the scan
 *
 *   It does not fire for select x * x AS y over select a % 7 AS x (the rest would be computed twice), nor
 * where another consumer reads the lower one.
 *
 * An expression of the lower select takes its column's place when it is a column, a literal, or read once. */
#include "optimize/internal.h"

#define MAX_COUNTED 4000 /* nodes of the upper expressions that are looked at */
#define MAX_DEPTH                                                                                            \
  64 /* a merged expression is not deeper: two selects in a row cost less than they are hard to read as one  \
      */

typedef struct joining {
  sp_sweep *s;
  sp_arena *arena;
  sp_rewrite w;
  const uint32_t *consumers;
} joining;

/* ---- counting ---- */
typedef struct reading {
  sp_strmap times; /* column → how often it is read */
  uint32_t left;
  bool failed, too_large;
} reading;

static void count_reads(reading *r, const sp_expr *e) {
  if (r->left == 0) {
    r->too_large = true;
    return;
  }
  r->left--;
  if (e->kind == SP_EXPR_COLUMN) {
    uint32_t *n = sp_strmap_at(&r->times, e->name);
    if (n == NULL) {
      r->failed = true;
    } else {
      ++*n;
    }
    return;
  }
  for (uint32_t i = 0; i < e->n_args && !r->too_large; i++) {
    count_reads(r, e->args[i]);
  }
}

static bool is_trivial(const sp_expr *e) {
  return e->kind == SP_EXPR_COLUMN || e->kind == SP_EXPR_LITERAL;
}

/* May the lower select's expressions stand in the upper's? */
static sp_status may_compose(joining *x, const sp_items *upper, const sp_items *lower, bool *ret,
                             sp_error *err) {
  reading r = {.left = MAX_COUNTED};
  sp_strmap_init(&r.times, x->arena);
  uint32_t deepest = 0;
  uint32_t deepest_lower = 0;
  for (uint32_t i = 0; i < upper->n && !r.too_large; i++) {
    count_reads(&r, upper->items[i].expr);
    deepest = upper->items[i].expr->depth > deepest ? upper->items[i].expr->depth : deepest;
  }
  *ret = !r.too_large;
  for (uint32_t i = 0; i < lower->n && *ret; i++) {
    const sp_expr *e = lower->items[i].expr;
    const sp_sv name = sp_expr_name(e, x->arena);
    SP_TRY_ALLOC(err, name.p);
    const uint32_t *times = sp_strmap_find(&r.times, name);
    *ret = times == NULL || *times <= 1 || is_trivial(sp_expr_unalias(e));
    deepest_lower = e->depth > deepest_lower ? e->depth : deepest_lower;
  }
  *ret = *ret && deepest + deepest_lower <= MAX_DEPTH;
  return r.failed ? sp_error_nomem(err) : SP_OK;
}

/* ---- composing ---- */
typedef struct below {
  sp_strmap at; /* output name of the lower select → item + 1 */
  const sp_items *items;
} below;

static const sp_expr *lower_expr(void *ctx, sp_sv name) {
  const below *b = ctx;
  const uint32_t *i = sp_strmap_find(&b->at, name);
  return i != NULL ? sp_expr_unalias(b->items->items[*i - 1].expr) : NULL;
}

static sp_status compose(joining *x, const sp_items *upper, const sp_items *lower, sp_items *ret,
                         sp_error *err) {
  below b = {.items = lower};
  sp_strmap_init(&b.at, x->arena);
  for (uint32_t i = 0; i < lower->n; i++) {
    const sp_sv name = sp_expr_name(lower->items[i].expr, x->arena);
    uint32_t *at = name.p != NULL ? sp_strmap_at(&b.at, name) : NULL;
    SP_TRY_ALLOC(err, at);
    *at = i + 1;
  }
  sp_item *items = SP_ARENA_ARRAY(x->arena, sp_item, upper->n);
  SP_TRY_ALLOC(err, items);
  for (uint32_t i = 0; i < upper->n; i++) {
    const sp_sv name = sp_expr_name(upper->items[i].expr, x->arena);
    const sp_expr *e =
        name.p != NULL ? sp_expr_substitute(x->arena, sp_expr_unalias(upper->items[i].expr), lower_expr, &b)
                       : NULL;
    const sp_sv now = e != NULL ? sp_expr_name(e, x->arena) : (sp_sv){0};
    if (e != NULL && now.p != NULL && !sp_sv_eq(name, now)) {
      e = sp_expr_alias(x->arena, e, name);
    }
    if (e == NULL || now.p == NULL) {
      return sp_error_nomem(err);
    }
    items[i] = upper->items[i];
    items[i].expr = e;
  }
  *ret = (sp_items){upper->n, items};
  return SP_OK;
}

/* ---- the plan ---- */
static void record(joining *x, const sp_node *gone, const sp_node *stays, const char *text) {
  const sp_fact f = {.kind = SP_FACT_NODE,
                     .action = SP_ACT_REMOVED,
                     .text = text,
                     .from = gone->id,
                     .to = stays->id,
                     .origin = gone->origin};
  const char *before[2] = {stays->id, gone->id};
  sp_sweep_fired(x->s, before, 2, before, 1);
  sp_sweep_fact(x->s, &f);
}

/* Gives the select all of its input, in the same order? */
static bool is_identity(const sp_items *items, const sp_schema *in) {
  for (uint32_t i = 0; i < items->n && i < in->n; i++) {
    const sp_expr *e = items->items[i].expr;
    if (e->kind != SP_EXPR_COLUMN || !sp_sv_eq(e->name, in->fields[i].name)) {
      return false;
    }
  }
  return items->n == in->n;
}

static sp_status put_select(joining *x, uint32_t i, sp_error *err) {
  const sp_node *n = x->w.in->nodes[i];
  const uint32_t in = n->inputs[0];
  uint32_t input = x->w.map[in];
  const sp_node *lower = x->w.b.nodes[input];
  sp_items items = ((const sp_project_node *)n)->exprs;
  bool merge = sp_node_is(lower, "select") && x->consumers[in] == 1;
  if (merge) {
    SP_TRY(may_compose(x, &items, &((const sp_project_node *)lower)->exprs, &merge, err));
  }
  if (merge) {
    SP_TRY(compose(x, &items, &((const sp_project_node *)lower)->exprs, &items, err));
    record(x, lower, n, "merged into the select above it");
    input = lower->inputs[0];
  }
  if (is_identity(&items, sp_rewrite_schema(&x->w, input))) {
    record(x, n, x->w.b.nodes[input], "gives what its input gives");
    x->w.map[i] = input;
    x->w.changed = true;
    return SP_OK;
  }
  if (!merge) {
    return sp_rewrite_keep(&x->w, i, err);
  }
  sp_project_node *c = (sp_project_node *)sp_node_copy(x->arena, n);
  SP_TRY_ALLOC(err, c);
  c->exprs = items;
  if (!sp_origin_union(x->arena, n->origin, lower->origin, &c->base.origin)) {
    return sp_error_nomem(err);
  }
  return sp_rewrite_put(&x->w, i, &c->base, &input, err);
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  joining x = {.s = s, .arena = in->arena};
  x.consumers = sp_plan_consumers(in, x.arena);
  SP_TRY_ALLOC(err, x.consumers);
  SP_TRY(sp_rewrite_begin(&x.w, in, err));
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    if (sp_node_is(in->nodes[i], "select")) {
      SP_TRY(put_select(&x, i, err));
    } else {
      SP_TRY(sp_rewrite_keep(&x.w, i, err));
    }
  }
  return sp_rewrite_finish(&x.w, ret, err);
}

const sp_rule sp_rule_merge_projections = {
    .name = "merge_projections",
    .summary = "merges selects in a row and drops those that change nothing",
    .sweep = sweep,
};
