/* Checks a resolved or optimized plan for our own mistakes: a rule that leaves a column behind, a stale
 * schema, an id twice. Every message names node and reason; all are SP_INTERNAL. */
#include "plan/kinds.h"

typedef struct checker {
  const sp_plan *p;
  sp_arena arena; /* scratch, gone afterwards */
  sp_error *err;
} checker;

#define BAD(c, n, ...) return sp_error_set((c)->err, SP_INTERNAL, &(n)->loc, __VA_ARGS__)

/* ---- expressions ---- */
/* Columns exist with their types, everything is bound, nothing is left that binding removes. Shared subtrees
 * are few in practice; the depth is limited when expressions are made. */
static sp_status check_expr(checker *c, const sp_node *n, const char *field, const sp_expr *e,
                            const sp_schema *in) {
  if (e->type == NULL) {
    BAD(c, n, "node `%.100s`: an expression in `%s` is not bound", n->id, field);
  }
  if (e->kind == SP_EXPR_SELECTOR) {
    BAD(c, n, "node `%.100s`: a selector is left in `%s`", n->id, field);
  }
  if (e->kind == SP_EXPR_COLUMN) {
    const int32_t at = sp_schema_find(in, e->name);
    const int len = (int)(e->name.n < 100 ? e->name.n : 100);
    if (at < 0) {
      BAD(c, n, "node `%.100s`: `%s` reads column `%.*s`, which its input lacks", n->id, field, len,
          e->name.p);
    }
    if (in->fields[at].type != e->type) {
      BAD(c, n, "node `%.100s`: `%s` reads column `%.*s` as %s, the input has %s", n->id, field, len,
          e->name.p, e->type->name, in->fields[at].type->name);
    }
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    SP_TRY(check_expr(c, n, field, e->args[i], in));
  }
  return e->filter != NULL ? check_expr(c, n, field, e->filter, in) : SP_OK;
}

static sp_status check_items(checker *c, const sp_node *n, const sp_schema *const *inputs) {
  const sp_field_desc *f = NULL;
  const sp_items *items = NULL;
  for (uint32_t i = 0; sp_node_items(n, i, &f, &items); i++) {
    if (items->n == 0) {
      continue;
    }
    const sp_schema *scope = NULL;
    SP_TRY(sp_field_scope(n, f, inputs, &c->arena, &scope, c->err));
    if (scope == NULL) {
      BAD(c, n, "node `%.100s`: nothing is known of the columns that `%s` reads", n->id, f->key);
    }
    for (uint32_t k = 0; k < items->n; k++) {
      if (items->items[k].expr == NULL) {
        BAD(c, n, "node `%.100s`: `%s` has no expression %u", n->id, f->key, k);
      }
      SP_TRY(check_expr(c, n, f->key, items->items[k].expr, scope));
      if (f->kind == SP_F_PREDICATE && items->items[k].expr->type != sp_type_of(SP_KIND_BOOL) &&
          items->items[k].expr->type != sp_type_of(SP_KIND_NULL)) {
        BAD(c, n, "node `%.100s`: `%s` is of type %s", n->id, f->key, items->items[k].expr->type->name);
      }
    }
  }
  return SP_OK;
}

/* ---- nodes ---- */
static sp_status check_shape(checker *c, uint32_t index) {
  const sp_node *n = c->p->nodes[index];
  if (n->id == NULL || n->id[0] == '\0') {
    BAD(c, n, "node %u (%s) has no id", index, n->ops->name);
  }
  uint32_t keys = 0;
  bool list = false;
  for (; n->ops->input_keys[keys] != NULL; keys++) {
    list = list || strcmp(n->ops->input_keys[keys], "inputs…") == 0;
  }
  if (list ? n->n_inputs == 0 : n->n_inputs != keys) {
    BAD(c, n, "node `%.100s` (%s) has %u inputs", n->id, n->ops->name, n->n_inputs);
  }
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    if (n->inputs[i] >= index) {
      BAD(c, n, "node `%.100s`: input %u does not stand before it", n->id, i);
    }
    if ((c->p->nodes[n->inputs[i]]->ops->flags & SP_NODE_SINK) != 0) {
      BAD(c, n, "node `%.100s` reads from a sink", n->id);
    }
  }
  for (uint32_t i = 0; i < n->origin.n; i++) {
    if (n->origin.ids[i] >= c->p->n_written || (i > 0 && n->origin.ids[i] <= n->origin.ids[i - 1])) {
      BAD(c, n, "node `%.100s`: its origin is no sorted set of written ids", n->id);
    }
  }
  if (n->schema == NULL || n->ops->schema == NULL) {
    BAD(c, n, "node `%.100s` (%s) has no schema", n->id, n->ops->name);
  }
  return SP_OK;
}

static sp_status check_schema(checker *c, const sp_node *n, const sp_schema *const *inputs) {
  const sp_schema *now = NULL;
  sp_error why = SP_ERROR_INIT;
  const sp_status st = n->ops->schema(n, inputs, &c->arena, &now, &why);
  if (st == SP_NOMEM) {
    return sp_error_nomem(c->err);
  }
  if (st != SP_OK) {
    BAD(c, n, "node `%.100s`: %s", n->id, why.message);
  }
  if (!sp_schema_eq(now, n->schema)) {
    for (uint32_t i = 0; i < now->n && i < n->schema->n; i++) {
      const sp_field *x = &now->fields[i];
      const sp_field *y = &n->schema->fields[i];
      if (x->type != y->type || !sp_sv_eq(x->name, y->name)) {
        BAD(c, n, "node `%.100s`: its schema is stale: column %u is `%.60s` %s, the schema says `%.60s` %s",
            n->id, i, x->name.p, x->type->name, y->name.p, y->type->name);
      }
    }
    BAD(c, n, "node `%.100s`: its schema is stale: %u columns, the schema says %u", n->id, now->n,
        n->schema->n);
  }
  return SP_OK;
}

static sp_status check_node(checker *c, uint32_t index) {
  const sp_node *n = c->p->nodes[index];
  SP_TRY(check_shape(c, index));
  sp_arena_reset(&c->arena);
  const sp_schema **inputs = SP_ARENA_ARRAY(&c->arena, const sp_schema *, n->n_inputs);
  if (inputs == NULL) {
    return sp_error_nomem(c->err);
  }
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    inputs[i] = c->p->nodes[n->inputs[i]]->schema;
  }
  SP_TRY(check_schema(c, n, inputs));
  return check_items(c, n, inputs);
}

static sp_status check_ids(checker *c) {
  sp_idmap ids;
  sp_idmap_init(&ids, &c->arena);
  for (uint32_t i = 0; i < c->p->n_nodes; i++) {
    uint32_t old;
    if (!sp_idmap_add(&ids, sp_sv_from(c->p->nodes[i]->id), i, &old)) {
      return sp_error_nomem(c->err);
    }
    if (old != UINT32_MAX) {
      BAD(c, c->p->nodes[i], "two nodes have the id `%.100s`", c->p->nodes[i]->id);
    }
  }
  return SP_OK;
}

static sp_status check_all(checker *c) {
  for (uint32_t i = 0; i < c->p->n_outputs; i++) {
    if (c->p->outputs[i] >= c->p->n_nodes || c->p->output_ids[i] == NULL) {
      return sp_error_set(c->err, SP_INTERNAL, NULL, "output %u is not in the plan", i);
    }
  }
  for (uint32_t i = 0; i < c->p->n_nodes; i++) {
    SP_TRY(check_node(c, i));
  }
  sp_arena_reset(&c->arena);
  return check_ids(c);
}

sp_status sp_plan_validate(const sp_plan *p, sp_error *err) {
  checker c = {.p = p, .err = err};
  sp_arena_init(&c.arena, p->arena->mem);
  const sp_status st = check_all(&c);
  sp_arena_release(&c.arena);
  return st;
}
