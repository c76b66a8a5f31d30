/* Binds the expressions of one node: wildcards expanded, names and types known.
 *
 *   select ["* EXCLUDE (note)", "price * 2"]  over (id, price, note)   ⇒   id, price, price * 2 AS "price *
 * 2"
 *
 * The name of an output is fixed here, as written, so that no later rewriting of the expression changes it.
 */
#include "expr/bind.h"
#include "plan/kinds.h"

typedef struct binder {
  sp_bind_cx *cx;
  const sp_schema *schema;
  uint32_t flags;
  bool named;
  const uint32_t *origin;
  sp_item *items;
  uint32_t n, cap;
} binder;

/* e, bound, under the name that `written` has. */
static const sp_expr *with_name(sp_arena *a, const sp_expr *bound, const sp_expr *written) {
  const sp_sv name = sp_expr_name(written, a);
  if (name.p == NULL) {
    return NULL;
  }
  if ((bound->kind == SP_EXPR_COLUMN || bound->kind == SP_EXPR_ALIAS) && sp_sv_eq(bound->name, name)) {
    return bound;
  }
  return sp_expr_alias(a, sp_expr_unalias(bound), name);
}

static sp_status bind_one(binder *b, const sp_item *in, sp_error *err) {
  sp_arena *a = b->cx->arena;
  const sp_expr *const *exprs = NULL;
  uint32_t n = 0;
  SP_TRY(sp_expr_expand(a, in->expr, b->schema, &in->loc, &exprs, &n, err));
  if (b->n + n > SP_SCHEMA_MAX) {
    SP_FAIL(err, SP_LIMIT, &in->loc, "the expressions expand to more than %d columns", SP_SCHEMA_MAX);
  }
  if (!sp_arena_grow(a, &b->items, &b->cap, b->n + n, sizeof *b->items)) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < n; i++) {
    const sp_expr *e = b->named ? exprs[i] : sp_expr_unalias(exprs[i]);
    const sp_expr *bound = NULL;
    SP_TRY(sp_expr_bind(a, e, b->schema, b->flags, &in->loc, &bound, err));
    if (b->named) {
      bound = with_name(a, bound, e);
      SP_TRY_ALLOC(err, bound);
    }
    sp_item *item = &b->items[b->n++];
    *item = *in;
    item->expr = bound;
    item->origin = (sp_origin){.n = 1, .ids = b->origin};
  }
  return SP_OK;
}

static sp_status bind_all(sp_bind_cx *cx, const sp_items *in, const sp_schema *schema, uint32_t flags,
                          bool named, sp_items *ret, sp_error *err) {
  uint32_t *origin = SP_ARENA_NEW(cx->arena, uint32_t);
  SP_TRY_ALLOC(err, origin);
  *origin = cx->node;
  binder b = {.cx = cx, .schema = schema, .flags = flags, .named = named, .origin = origin};
  for (uint32_t i = 0; i < in->n; i++) {
    SP_TRY(bind_one(&b, &in->items[i], err));
  }
  *ret = (sp_items){.n = b.n, .items = b.items};
  return SP_OK;
}

sp_status sp_bind_items(sp_bind_cx *cx, const sp_node *written, const sp_items *in, const sp_schema *schema,
                        uint32_t bind_flags, sp_items *ret, sp_error *err) {
  (void)written;
  return bind_all(cx, in, schema, bind_flags, true, ret, err);
}

sp_status sp_bind_keys(sp_bind_cx *cx, const sp_node *written, const sp_items *in, const sp_schema *schema,
                       sp_items *ret, sp_error *err) {
  (void)written;
  return bind_all(cx, in, schema, 0, false, ret, err);
}

sp_status sp_bind_predicate(sp_bind_cx *cx, const sp_node *written, const sp_items *in,
                            const sp_schema *schema, const char *what, sp_items *ret, sp_error *err) {
  (void)written;
  sp_arena *a = cx->arena;
  const sp_expr **parts = NULL;
  uint32_t n = 0;
  uint32_t cap = 0;
  for (uint32_t i = 0; i < in->n; i++) {
    const sp_item *item = &in->items[i];
    const sp_expr *const *exprs = NULL;
    uint32_t n_exprs = 0;
    SP_TRY(sp_expr_expand(a, sp_expr_unalias(item->expr), schema, &item->loc, &exprs, &n_exprs, err));
    if (!sp_arena_grow(a, &parts, &cap, n + n_exprs, sizeof *parts)) {
      return sp_error_nomem(err);
    }
    for (uint32_t k = 0; k < n_exprs; k++) {
      SP_TRY(sp_expr_bind_as(a, sp_expr_unalias(exprs[k]), schema, 0, sp_type_of(SP_KIND_BOOL), what,
                             &item->loc, &parts[n++], err));
    }
  }
  const sp_expr *all = sp_expr_and(a, parts, n);
  sp_item *item = SP_ARENA_NEW(a, sp_item);
  uint32_t *origin = SP_ARENA_NEW(a, uint32_t);
  if (all == NULL || item == NULL || origin == NULL) {
    return sp_error_nomem(err);
  }
  *origin = cx->node;
  *item = (sp_item){
      .expr = all, .loc = in->n > 0 ? in->items[0].loc : (sp_loc){0}, .origin = {.n = 1, .ids = origin}};
  *ret = (sp_items){.n = 1, .items = item};
  return SP_OK;
}
