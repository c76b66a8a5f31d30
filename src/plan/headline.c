/* The one-line description of a node: its kind's own, or its `brief` fields in order.
 *
 *   filter: delay > 15 AND origin IS NOT NULL      unique: origin, carrier; keep first */
#include "plan/kinds.h"

void sp_headline_items(const sp_items *items, const char *sep, sp_str *out) {
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_item *x = &items->items[i];
    sp_str_add(out, i > 0 ? sep : "");
    const size_t before = out->n;
    const sp_expr *bare = sp_expr_unalias(x->expr);
    /* `sum(x) AS "sum(x)"` says nothing that `sum(x)` does not. */
    sp_expr_print(bare, out);
    if (bare != x->expr && sp_str_ok(out) &&
        !sp_sv_eq((sp_sv){out->p + before, out->n - before}, x->expr->name)) {
      out->n = before;
      out->p[before] = '\0';
      sp_expr_print(x->expr, out);
    }
    sp_str_add(out, x->descending ? " DESC" : "");
    sp_str_add(out, x->nulls_last ? " NULLS LAST" : "");
  }
}

void sp_headline_predicate(const sp_items *conjuncts, sp_str *out) {
  for (uint32_t i = 0; i < conjuncts->n; i++) {
    const sp_expr *e = conjuncts->items[i].expr;
    const bool parens = conjuncts->n > 1 && sp_expr_is_call(e, "or");
    sp_str_add(out, i > 0 ? " AND " : "");
    sp_str_add(out, parens ? "(" : "");
    sp_expr_print(e, out);
    sp_str_add(out, parens ? ")" : "");
  }
}

static void add_strings(const sp_strings *s, sp_str *out) {
  for (uint32_t i = 0; i < s->n; i++) {
    sp_str_addf(out, "%s%s", i > 0 ? ", " : "", s->items[i]);
  }
}

static void add_renames(const sp_strings *s, sp_str *out) {
  for (uint32_t i = 0; i + 1 < s->n; i += 2) {
    sp_str_addf(out, "%s%s → %s", i > 0 ? ", " : "", s->items[i], s->items[i + 1]);
  }
}

static void add_field(const sp_node *n, const sp_field_desc *f, sp_str *out) {
  const void *p = sp_field_ptr(n, f);
  switch (f->kind) {
  case SP_F_EXPR:
  case SP_F_EXPRS:
  case SP_F_SORT_KEYS:
    sp_headline_items(p, ", ", out);
    break;
  case SP_F_PREDICATE:
    sp_headline_predicate(p, out);
    break;
  case SP_F_NAMES:
  case SP_F_PATHS:
    add_strings(p, out);
    break;
  case SP_F_RENAMES:
    add_renames(p, out);
    break;
  case SP_F_STRING:
    sp_str_add(out, *(const char *const *)p);
    break;
  case SP_F_CHAR:
    sp_str_addf(out, "%s %c", f->key, *(const char *)p);
    break;
  case SP_F_INT:
    sp_str_addf(out, "%s %lld", f->key, (long long)*(const int64_t *)p);
    break;
  case SP_F_BOOL:
    sp_str_addf(out, "%s%s", *(const bool *)p ? "" : "not ", f->key);
    break;
  case SP_F_ENUM:
    sp_str_addf(out, "%s %s", f->key, f->choices[*(const int *)p]);
    break;
  case SP_F_SCHEMA:
    sp_str_addf(out, "%u columns", (*(const sp_schema *const *)p)->n);
    break;
  case SP_F_ROWS:
    sp_str_addf(out, "%u row%s", ((const sp_rows *)p)->n, ((const sp_rows *)p)->n == 1 ? "" : "s");
    break;
  case SP_F_ROW_INDEX:
    sp_str_add(out, ((const sp_row_index *)p)->name);
    break;
  case SP_F_PARTITION:
    sp_str_add(out, "partitioned");
    break;
  }
}

/* The value alone: its key stands beside it. */
void sp_field_text(const sp_node *n, const sp_field_desc *f, sp_str *out) {
  const void *p = sp_field_ptr(n, f);
  if (f->kind == SP_F_CHAR) {
    sp_str_addf(out, "`%c`", *(const char *)p);
  } else if (f->kind == SP_F_INT) {
    sp_str_addf(out, "%lld", (long long)*(const int64_t *)p);
  } else if (f->kind == SP_F_BOOL) {
    sp_str_add(out, *(const bool *)p ? "true" : "false");
  } else if (f->kind == SP_F_ENUM) {
    sp_str_add(out, f->choices[*(const int *)p]);
  } else {
    add_field(n, f, out);
  }
}

void sp_node_headline(const sp_node *n, sp_str *out) {
  if (n->ops->headline != NULL) {
    n->ops->headline(n, out);
    return;
  }
  bool any = false;
  uint32_t last = 0;
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    last = f->brief > last ? f->brief : last;
  }
  for (uint32_t place = 1; place <= last; place++) {
    for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
      if (f->brief == place && sp_field_is_set(n, f)) {
        sp_str_add(out, any ? "; " : "");
        add_field(n, f, out);
        any = true;
      }
    }
  }
}
