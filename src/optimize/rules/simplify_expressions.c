/* simplify_expressions: constants folded, Kleene logic, NOT pushed down, casts and branches that do nothing
 * dropped (simplify.c says what exactly); filters that keep everything vanish, filters that keep nothing
 * become an empty table.
 *
 *   filter 1 = 1 AND NOT (5 < a)     ⇒   filter a <= 5
 *   select a + 0, b IN (3)           ⇒   select a AS "a + 0", b = 3 AS "b IN (3)"      names of outputs stay
 *   filter a > 1 AND NULL            ⇒   values of the same schema, no rows
 *
 *   It does not fire for CAST('x' AS int64) > 1: folding fails, and the error belongs to the run.
 *
 * Keys of joins decide which columns come out, and aggregates may only repeat keys as they are written: keys
 * stay, and of an aggregate only what it is applied to is simplified. */
#include "expr/function.h"
#include "optimize/internal.h"

typedef struct simplification {
  sp_sweep *s;
  sp_arena *arena;
  sp_fact *facts; /* of the node at hand */
  uint32_t n_facts, cap_facts;
} simplification;

static sp_status replaced(simplification *x, const sp_node *n, const sp_item *old, sp_fact_action action,
                          sp_error *err) {
  const char *text = sp_expr_text(old->expr, x->arena);
  if (text == NULL || !sp_arena_grow(x->arena, &x->facts, &x->cap_facts, x->n_facts + 1, sizeof *x->facts)) {
    return sp_error_nomem(err);
  }
  x->facts[x->n_facts++] = (sp_fact){.kind = SP_FACT_EXPR,
                                     .action = action,
                                     .text = text,
                                     .from = n->id,
                                     .to = n->id,
                                     .origin = old->origin};
  return SP_OK;
}

/* Aggregate calls with simpler arguments; everything outside them stays. */
static const sp_expr *inside_aggregates(sp_arena *a, const sp_expr *e) {
  if (!sp_expr_has_aggregate(e)) {
    return e;
  }
  const bool aggregate = e->kind == SP_EXPR_CALL && (e->fn->flags & SP_FN_AGGREGATE) != 0;
  const sp_expr **args = SP_ARENA_ARRAY(a, const sp_expr *, e->n_args);
  if (args == NULL) {
    return NULL;
  }
  bool changed = false;
  for (uint32_t i = 0; i < e->n_args; i++) {
    args[i] = aggregate ? sp_simplify(a, e->args[i]) : inside_aggregates(a, e->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
    changed = changed || args[i] != e->args[i];
  }
  const sp_expr *filter = e->filter != NULL ? sp_simplify_predicate(a, e->filter) : NULL;
  if (e->filter != NULL && filter == NULL) {
    return NULL;
  }
  return changed || filter != e->filter ? sp_expr_with_args(a, e, args, filter) : e;
}

/* e under the output name that `old` had. */
static const sp_expr *named_as(sp_arena *a, const sp_expr *e, const sp_expr *old) {
  const sp_sv name = sp_expr_name(old, a);
  const sp_sv now = e != NULL ? sp_expr_name(e, a) : (sp_sv){0};
  if (e == NULL || name.p == NULL || now.p == NULL) {
    return NULL;
  }
  return sp_sv_eq(name, now) ? e : sp_expr_alias(a, sp_expr_unalias(e), name);
}

typedef enum treatment { LEAVE, PREDICATE, VALUES, KEYS_OF_ORDER, AGGREGATES } treatment;

static treatment treatment_of(const sp_node *n, const sp_field_desc *f) {
  if (f->kind == SP_F_PREDICATE) {
    return PREDICATE;
  }
  if (f->kind == SP_F_SORT_KEYS) {
    return KEYS_OF_ORDER;
  }
  if (f->kind != SP_F_EXPRS) {
    return LEAVE;
  }
  if (sp_node_is(n, "select") || sp_node_is(n, "with_columns")) {
    return VALUES;
  }
  return sp_node_is(n, "group_by") && strcmp(f->key, "aggs") == 0 ? AGGREGATES : LEAVE;
}

static const sp_expr *treat(sp_arena *a, treatment how, const sp_expr *e) {
  switch (how) {
  case PREDICATE:
    return sp_simplify_predicate(a, e);
  case VALUES:
    return named_as(a, sp_simplify(a, e), e);
  case KEYS_OF_ORDER:
    return sp_simplify(a, e);
  case AGGREGATES:
    return named_as(a, inside_aggregates(a, e), e);
  case LEAVE:
    break;
  }
  return e;
}

/* *ret: the same array when nothing changed. Conjuncts that are true go; one that is false is the last, or
 * the only one. */
static sp_status simplify_items(simplification *x, const sp_node *n, treatment how, const sp_items *old,
                                sp_items *ret, sp_error *err) {
  sp_item *items = SP_ARENA_ARRAY(x->arena, sp_item, old->n);
  SP_TRY_ALLOC(err, items);
  uint32_t k = 0;
  bool changed = false;
  bool fallible = false;
  for (uint32_t i = 0; i < old->n; i++) {
    const sp_expr *e = treat(x->arena, how, old->items[i].expr);
    SP_TRY_ALLOC(err, e);
    const bool gone = how == PREDICATE && sp_expr_is_true(e);
    if (e != old->items[i].expr) {
      changed = true;
      SP_TRY(replaced(x, n, &old->items[i], gone ? SP_ACT_REMOVED : SP_ACT_REPLACED, err));
    } else if (gone) {
      changed = true;
      SP_TRY(replaced(x, n, &old->items[i], SP_ACT_REMOVED, err));
    }
    if (gone) {
      continue;
    }
    const bool never = how == PREDICATE && sp_expr_is_false_or_null(e);
    k = never && !fallible ? 0 : k;
    items[k] = old->items[i];
    items[k++].expr = e;
    fallible = fallible || sp_expr_is_fallible(e);
    if (never) {
      changed = changed || k < old->n;
      break;
    }
  }
  *ret = changed ? (sp_items){.n = k, .items = items} : *old;
  return SP_OK;
}

static sp_status simplify_node(simplification *x, const sp_node *n, const sp_node **ret, sp_error *err) {
  *ret = n;
  x->n_facts = 0;
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    const treatment how = treatment_of(n, f);
    if (how == LEAVE) {
      continue;
    }
    const sp_items *old = sp_field_ptr(n, f);
    sp_items items;
    SP_TRY(simplify_items(x, n, how, old, &items, err));
    if (items.items == old->items && items.n == old->n) {
      continue;
    }
    sp_node *c = *ret != n ? (sp_node *)(uintptr_t)*ret : sp_node_copy(x->arena, n);
    SP_TRY_ALLOC(err, c);
    *(sp_items *)(void *)((char *)c + f->offset) = items;
    *ret = c;
  }
  return SP_OK;
}

static bool keeps_nothing(const sp_items *predicate) {
  return predicate->n == 1 && sp_expr_is_false_or_null(predicate->items[0].expr);
}

/* An empty table in a node's place, under its id. */
static sp_status put_empty(simplification *x, sp_rewrite *w, uint32_t i, sp_error *err) {
  const sp_node *old = w->in->nodes[i];
  sp_values_node *n = (sp_values_node *)sp_node_new(x->arena, sp_node_ops_find(SP_SV("values")));
  SP_TRY_ALLOC(err, n);
  n->base.id = old->id;
  n->base.loc = old->loc;
  n->base.note = old->note;
  n->base.origin = old->origin;
  n->given = old->schema;
  const sp_fact f = {.kind = SP_FACT_NODE,
                     .action = SP_ACT_REPLACED,
                     .text = "no row can pass",
                     .from = old->id,
                     .to = old->id,
                     .origin = old->origin};
  sp_sweep_fired(x->s, &old->id, 1, &old->id, 1);
  sp_sweep_fact(x->s, &f);
  return sp_rewrite_add(w, &n->base, NULL, 0, &w->map[i], err);
}

static sp_status put_node(simplification *x, sp_rewrite *w, uint32_t i, sp_error *err) {
  const sp_node *old = w->in->nodes[i];
  const sp_node *n = NULL;
  SP_TRY(simplify_node(x, old, &n, err));
  if (x->n_facts > 0) {
    sp_sweep_fired(x->s, &old->id, 1, &old->id, 1);
    for (uint32_t k = 0; k < x->n_facts; k++) {
      sp_sweep_fact(x->s, &x->facts[k]);
    }
  }
  const bool filter = sp_node_is(n, "filter");
  const bool scan = strncmp(n->ops->name, "scan", 4) == 0;
  if ((filter && keeps_nothing(&((const sp_filter_node *)n)->predicate)) ||
      (scan && keeps_nothing(&((const sp_scan_node *)n)->predicate))) {
    return put_empty(x, w, i, err);
  }
  if (filter && ((const sp_filter_node *)n)->predicate.n == 0) {
    w->map[i] = w->map[n->inputs[0]];
    w->changed = true;
    return SP_OK;
  }
  return sp_rewrite_put(w, i, n, NULL, err);
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  simplification x = {.s = s, .arena = in->arena};
  sp_rewrite w;
  SP_TRY(sp_rewrite_begin(&w, in, err));
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    SP_TRY(put_node(&x, &w, i, err));
  }
  return sp_rewrite_finish(&w, ret, err);
}

const sp_rule sp_rule_simplify_expressions = {
    .name = "simplify_expressions",
    .summary = "folds constants and drops what changes no value; removes filters that keep all or nothing",
    .sweep = sweep,
};
