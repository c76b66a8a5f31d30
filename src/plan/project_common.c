/* What select, with_columns, drop and rename share. Resolved, each expression carries its output's name, so
 * that a rule which simplifies `a + 0` to `a` does not rename the column. */
#include "plan/kinds.h"

sp_status sp_project_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs,
                             sp_node **ret, sp_error *err) {
  sp_project_node *n = (sp_project_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  SP_TRY(sp_bind_items(cx, written, &n->exprs, inputs[0]->schema, 0, &n->exprs, err));
  SP_TRY(sp_items_unique(&n->exprs, NULL, cx->arena, err));
  *ret = &n->base;
  return SP_OK;
}

sp_status sp_project_narrow(const sp_node *node, const sp_names *out, sp_arena *a, const sp_node **ret) {
  const sp_project_node *n = (const sp_project_node *)node;
  sp_items kept;
  if (!sp_items_narrow(&n->exprs, out, a, &kept)) {
    return SP_NOMEM;
  }
  *ret = node;
  if (kept.n == n->exprs.n) {
    return SP_OK;
  }
  sp_project_node *c = (sp_project_node *)sp_node_copy(a, node);
  if (c == NULL) {
    return SP_NOMEM;
  }
  c->exprs = kept;
  *ret = &c->base;
  return SP_OK;
}

void sp_project_headline(const sp_node *n, sp_str *out) {
  sp_headline_items(&((const sp_project_node *)n)->exprs, ", ", out);
}

const sp_expr *sp_project_expr(const sp_project_node *n, sp_sv name) {
  for (uint32_t i = 0; i < n->exprs.n; i++) {
    const sp_expr *e = n->exprs.items[i].expr;
    if ((e->kind == SP_EXPR_ALIAS || e->kind == SP_EXPR_COLUMN) && sp_sv_eq(e->name, name)) {
      return e->kind == SP_EXPR_COLUMN ? NULL : e->args[0];
    }
  }
  return NULL;
}

sp_status sp_project_select(sp_bind_cx *cx, const sp_node *written, const sp_schema *in,
                            const uint32_t *index, const sp_sv *names, uint32_t n, sp_node **ret,
                            sp_error *err) {
  sp_project_node *r = (sp_project_node *)sp_node_new(cx->arena, sp_node_ops_find(SP_SV("select")));
  sp_item *items = SP_ARENA_ARRAY(cx->arena, sp_item, n);
  uint32_t *id = SP_ARENA_NEW(cx->arena, uint32_t);
  if (r == NULL || items == NULL || id == NULL) {
    return sp_error_nomem(err);
  }
  *id = cx->node;
  for (uint32_t i = 0; i < n; i++) {
    const sp_field *f = &in->fields[index[i]];
    const sp_expr *e = sp_expr_column(cx->arena, f->name, f->type);
    if (e != NULL && !sp_sv_eq(names[i], f->name)) {
      e = sp_expr_alias(cx->arena, e, names[i]);
    }
    SP_TRY_ALLOC(err, e);
    items[i] = (sp_item){.expr = e, .loc = written->loc, .origin = {.n = 1, .ids = id}};
  }
  r->exprs = (sp_items){.n = n, .items = items};
  *ret = &r->base;
  return SP_OK;
}
