/* outer_to_inner: an outer join whose rows without partner the filter above drops anyway does not make them.
 *
 *   filter d = 1 over a left join on a = c (d of the right side)       ⇒   the filter over an inner join
 *   filter b = 1 over a full join (b of the left side)                 ⇒   the filter over a left join
 *
 *   It does not fire for d IS NULL or coalesce(d, 1) = 1, which hold for rows without partner, nor where
 * another consumer wants those rows.
 *
 * An inner join lets predicates go to both sides, so the next pushdown takes the filter apart. Output
 * columns, their names and order stay: where the new kind of join coalesces keys otherwise, it keeps both and
 * a select restores the old columns. */
#include "optimize/internal.h"

typedef struct strengthening {
  sp_sweep *s;
  const sp_plan *in;
  sp_arena *arena;
  sp_rewrite w;
} strengthening;

/* Output columns that are null in rows without a partner on side `side` (0: rows that lack a left one). */
static bool null_columns(strengthening *x, const sp_join_column *cols, uint32_t n, uint32_t side,
                         sp_names *ret) {
  const sp_join_from from = side == 0 ? SP_FROM_LEFT : SP_FROM_RIGHT;
  for (uint32_t i = 0; i < n; i++) {
    if (cols[i].from == from && !sp_names_add(ret, x->arena, cols[i].name)) {
      return false;
    }
  }
  return true;
}

/* The first conjunct that is never true when these columns are null. */
static const sp_item *rejecting(const sp_items *predicate, const sp_names *names) {
  for (uint32_t i = 0; names->n > 0 && i < predicate->n; i++) {
    if (sp_expr_rejects_nulls(predicate->items[i].expr, names)) {
      return &predicate->items[i];
    }
  }
  return NULL;
}

/* What `how` becomes when rows without a left partner (drops_left), or without a right one, are not wanted.
 */
static sp_join_how without(sp_join_how how, bool drops_left, bool drops_right) {
  if (how == SP_JOIN_LEFT && drops_right) {
    return SP_JOIN_INNER;
  }
  if (how == SP_JOIN_RIGHT && drops_left) {
    return SP_JOIN_INNER;
  }
  if (how == SP_JOIN_FULL) {
    return drops_left && drops_right ? SP_JOIN_INNER
           : drops_left              ? SP_JOIN_LEFT
           : drops_right             ? SP_JOIN_RIGHT
                                     : how;
  }
  return how;
}

static bool is_outer(const sp_node *n) {
  if (!sp_node_is(n, "join")) {
    return false;
  }
  const sp_join_node *j = (const sp_join_node *)n;
  return (j->how == SP_JOIN_LEFT ||
          ((j->how == SP_JOIN_RIGHT || j->how == SP_JOIN_FULL) && !j->maintain_order));
}

/* ---- the old columns from the new ones ---- */
/* The expression over the new join's output for one column of the old one; NULL with *ret_nomem false: it has
 * none. */
static const sp_expr *old_column(strengthening *x, const sp_join_column *old, const sp_join_column *cols,
                                 uint32_t n, bool prefer_right, bool *ret_nomem) {
  const bool right = old->from == SP_FROM_RIGHT || (old->from == SP_FROM_BOTH && prefer_right);
  *ret_nomem = true;
  for (uint32_t i = 0; i < n; i++) {
    if (cols[i].from != (right ? SP_FROM_RIGHT : SP_FROM_LEFT) ||
        (right ? cols[i].right != old->right : cols[i].left != old->left)) {
      continue;
    }
    const sp_expr *e = sp_expr_column(x->arena, cols[i].name, cols[i].type);
    if (e != NULL && cols[i].type != old->type) {
      e = sp_expr_cast(x->arena, e, old->type, false);
    }
    return e != NULL && (e->kind != SP_EXPR_COLUMN || !sp_sv_eq(cols[i].name, old->name))
               ? sp_expr_alias(x->arena, e, old->name)
               : e;
  }
  *ret_nomem = false;
  return NULL;
}

static bool names_differ(const sp_join_column *cols, uint32_t n, sp_arena *a, bool *ret) {
  sp_strmap seen;
  sp_strmap_init(&seen, a);
  *ret = true;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t *at = sp_strmap_at(&seen, cols[i].name);
    if (at == NULL) {
      return false;
    }
    *ret = *ret && *at == 0;
    *at = 1;
  }
  return true;
}

static bool same_columns(const sp_join_column *x, const sp_join_column *y, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (!sp_sv_eq(x[i].name, y[i].name) || x[i].type != y[i].type || x[i].from != y[i].from ||
        x[i].left != y[i].left || x[i].right != y[i].right) {
      return false;
    }
  }
  return true;
}

typedef struct columns {
  const sp_join_column *cols;
  uint32_t n;
} columns;

static sp_status layout(strengthening *x, const sp_node *at, const sp_join_node *j, columns *ret,
                        sp_error *err) {
  const bool ok = sp_join_layout(j, sp_node_input_schema(x->in, at, 0), sp_node_input_schema(x->in, at, 1),
                                 x->arena, &ret->cols, &ret->n);
  return ok ? SP_OK : sp_error_nomem(err);
}

/* The join under its new kind; coalescing as before where that gives the same columns, else not at all. *ret
 * = NULL: it cannot be done. */
static sp_status new_join(strengthening *x, const sp_node *n, sp_join_how how, const columns *old,
                          sp_join_node **ret, columns *cols, sp_error *err) {
  sp_join_node *j = (sp_join_node *)sp_node_copy(x->arena, n);
  SP_TRY_ALLOC(err, j);
  *ret = NULL;
  j->how = (int)how;
  SP_TRY(layout(x, n, j, cols, err));
  if (cols->n == old->n && same_columns(cols->cols, old->cols, old->n)) {
    *ret = j;
    return SP_OK;
  }
  j->coalesce = 2;
  bool distinct = false;
  SP_TRY(layout(x, n, j, cols, err));
  if (!names_differ(cols->cols, cols->n, x->arena, &distinct)) {
    return sp_error_nomem(err);
  }
  *ret = distinct ? j : NULL;
  return SP_OK;
}

static sp_status select_old(strengthening *x, const sp_node *n, const columns *old, const columns *now,
                            bool prefer_right, sp_node **ret, sp_error *err) {
  sp_project_node *p = (sp_project_node *)sp_new_node_like(x->s, "select", n, n->origin);
  sp_item *items = SP_ARENA_ARRAY(x->arena, sp_item, old->n);
  if (p == NULL || items == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < old->n; i++) {
    bool nomem;
    items[i] = (sp_item){.expr = old_column(x, &old->cols[i], now->cols, now->n, prefer_right, &nomem),
                         .loc = n->loc,
                         .origin = n->origin};
    if (items[i].expr == NULL) {
      return nomem ? sp_error_nomem(err)
                   : sp_error_set(err, SP_INTERNAL, &n->loc,
                                  "join `%s`: column %u is not found in the stronger join", n->id, i);
    }
  }
  p->exprs = (sp_items){.n = old->n, .items = items};
  *ret = &p->base;
  return SP_OK;
}

static sp_status record(strengthening *x, const sp_node *n, const sp_item *why, sp_join_how from,
                        sp_join_how to, sp_error *err) {
  static const char *const names[] = {"inner", "left", "right", "full", "semi", "anti", "cross"};
  const char *predicate = sp_expr_text(why->expr, x->arena);
  SP_TRY_ALLOC(err, predicate);
  const char *text = sp_arena_printf(x->arena, "%s became %s", names[from], names[to]);
  const char *reason = sp_arena_printf(x->arena, "%.200s drops the rows without partner", predicate);
  if (text == NULL || reason == NULL) {
    return sp_error_nomem(err);
  }
  const sp_fact f = {.kind = SP_FACT_JOIN,
                     .action = SP_ACT_REPLACED,
                     .text = text,
                     .from = n->id,
                     .to = n->id,
                     .reason = reason,
                     .origin = n->origin};
  sp_sweep_fired(x->s, &n->id, 1, &n->id, 1);
  sp_sweep_fact(x->s, &f);
  return SP_OK;
}

/* *ret = the kind that is enough under this filter. */
static sp_status judge(strengthening *x, const sp_node *n, const columns *old, const sp_items *predicate,
                       sp_join_how *ret, const sp_item **ret_why, sp_error *err) {
  sp_names left = {0};
  sp_names right = {0};
  if (!null_columns(x, old->cols, old->n, 0, &left) || !null_columns(x, old->cols, old->n, 1, &right)) {
    return sp_error_nomem(err);
  }
  const sp_item *no_left = rejecting(predicate, &left);
  const sp_item *no_right = rejecting(predicate, &right);
  *ret = without((sp_join_how)((const sp_join_node *)n)->how, no_left != NULL, no_right != NULL);
  *ret_why = no_left != NULL && ((const sp_join_node *)n)->how != SP_JOIN_LEFT ? no_left : no_right;
  return SP_OK;
}

static sp_status strengthen(strengthening *x, uint32_t i, const sp_items *predicate, sp_error *err) {
  const sp_node *n = x->in->nodes[i];
  const sp_join_how how = (sp_join_how)((const sp_join_node *)n)->how;
  columns old;
  columns now;
  sp_join_how to = how;
  const sp_item *why = NULL;
  sp_join_node *j = NULL;
  SP_TRY(layout(x, n, (const sp_join_node *)n, &old, err));
  SP_TRY(judge(x, n, &old, predicate, &to, &why, err));
  if (to != how) {
    SP_TRY(new_join(x, n, to, &old, &j, &now, err));
  }
  if (j == NULL) {
    return sp_rewrite_keep(&x->w, i, err);
  }
  SP_TRY(record(x, n, why, how, to, err));
  SP_TRY(sp_rewrite_put(&x->w, i, &j->base, NULL, err));
  if (now.n == old.n && same_columns(now.cols, old.cols, old.n)) {
    return SP_OK;
  }
  sp_node *select = NULL;
  SP_TRY(select_old(x, n, &old, &now, to == SP_JOIN_RIGHT, &select, err));
  const uint32_t input = x->w.map[i];
  return sp_rewrite_add(&x->w, select, &input, 1, &x->w.map[i], err);
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  strengthening x = {.s = s, .in = in, .arena = in->arena};
  const sp_items **above =
      SP_ARENA_ARRAY(x.arena, const sp_items *, in->n_nodes); /* the predicate of the only consumer */
  const uint32_t *consumers = sp_plan_consumers(in, x.arena);
  if (above == NULL || consumers == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    const sp_node *n = in->nodes[i];
    if (sp_node_is(n, "filter") && consumers[n->inputs[0]] == 1) {
      above[n->inputs[0]] = &((const sp_filter_node *)n)->predicate;
    }
  }
  SP_TRY(sp_rewrite_begin(&x.w, in, err));
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    if (above[i] != NULL && is_outer(in->nodes[i])) {
      SP_TRY(strengthen(&x, i, above[i], err));
    } else {
      SP_TRY(sp_rewrite_keep(&x.w, i, err));
    }
  }
  return sp_rewrite_finish(&x.w, ret, err);
}

const sp_rule sp_rule_outer_to_inner = {
    .name = "outer_to_inner",
    .summary = "turns outer joins into narrower ones where a filter drops the rows without partner",
    .sweep = sweep,
};
