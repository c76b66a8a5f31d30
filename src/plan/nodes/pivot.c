/* pivot: one column per value of `on`. Resolves to a group_by.
 *
 *   {"id": "p", "op": "pivot", "input": "t", "on": ["year"], "on_columns": ["2023", "2024"], "index":
 * ["shop"], "values": ["sales"], "agg": "sum"} ⇒ group_by [shop]: sum(sales) FILTER (WHERE year = 2023) AS
 * "2023", sum(sales) FILTER (WHERE year = 2024) AS "2024"
 *
 * Several `values` give names VALUE_ON ("sales_2023"). Without on_columns the output columns would depend on
 * data, and a lazy plan must know its schema before any is read. */
#include "expr/bind.h"
#include "expr/function.h"
#include "plan/kinds.h"

static const sp_field_desc fields[] = {
    {.key = "on",
     .kind = SP_F_EXPRS,
     .required = true,
     .offset = offsetof(sp_pivot_node, on),
     .brief = 1,
     .doc = "the one expression whose values become columns"},
    {.key = "on_columns",
     .kind = SP_F_NAMES,
     .offset = offsetof(sp_pivot_node, on_columns),
     .brief = 2,
     .doc = "its values, as text: one output column each; a plan without them is refused"},
    {.key = "index",
     .kind = SP_F_EXPRS,
     .required = true,
     .offset = offsetof(sp_pivot_node, index),
     .brief = 3,
     .doc = "one output row per combination of these"},
    {.key = "values",
     .kind = SP_F_EXPRS,
     .required = true,
     .offset = offsetof(sp_pivot_node, values),
     .brief = 4,
     .doc = "what is aggregated"},
    {.key = "agg",
     .kind = SP_F_STRING,
     .required = true,
     .offset = offsetof(sp_pivot_node, agg),
     .brief = 5,
     .doc = "name of an aggregate function: sum, min, first, …"},
    {.key = NULL}};

static sp_status check(sp_bind_cx *cx, const sp_pivot_node *w, const sp_function **ret_agg, sp_error *err) {
  const sp_loc *loc = &w->base.loc;
  if (w->on_columns.items == NULL) {
    sp_error_set(err, SP_INVALID, loc,
                 "pivot needs `on_columns`: without it the output columns would depend on the data, and "
                 "every step of a lazy plan must "
                 "know its columns before anything is read");
    sp_error_hint(err, "list the values of `on` that become columns: \"on_columns\": [\"a\", \"b\"]");
    return SP_INVALID;
  }
  if (w->on.n != 1) {
    const sp_loc at = sp_loc_member(loc, "on", cx->arena);
    SP_FAIL(err, SP_UNSUPPORTED, &at, "pivot on %u expressions: exactly one is supported", w->on.n);
  }
  *ret_agg = sp_function_find(sp_sv_from(w->agg));
  if (*ret_agg == NULL) {
    const sp_loc at = sp_loc_member(loc, "agg", cx->arena);
    return sp_function_unknown(sp_sv_from(w->agg), &at, err);
  }
  if (((*ret_agg)->flags & SP_FN_AGGREGATE) == 0) {
    const sp_loc at = sp_loc_member(loc, "agg", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`%.100s` is not an aggregate function", w->agg);
  }
  return SP_OK;
}

/* on = 'text' as a literal of on's type. */
static sp_status condition(sp_bind_cx *cx, const sp_pivot_node *w, const sp_expr *on, const char *text,
                           const sp_expr **ret, sp_error *err) {
  const sp_value as_text = sp_value_str(sp_sv_from(text));
  sp_value v;
  bool nomem = false;
  if (!sp_values_convert(&as_text, on->type, cx->arena, &v, &nomem)) {
    if (nomem) {
      return sp_error_nomem(err);
    }
    const sp_loc at = sp_loc_member(&w->base.loc, "on_columns", cx->arena);
    SP_FAIL(err, SP_TYPE, &at, "`%.100s` in `on_columns` is no %s, the type of `on`", text, on->type->name);
  }
  const sp_expr *literal = sp_expr_literal(cx->arena, &v);
  const sp_expr *args[] = {sp_expr_unalias(on), literal};
  *ret = literal != NULL ? sp_expr_call_named(cx->arena, "eq", sp_type_of(SP_KIND_BOOL), args, 2) : NULL;
  return *ret != NULL ? SP_OK : sp_error_nomem(err);
}

static const char *column_name(sp_bind_cx *cx, const sp_pivot_node *w, const sp_expr *value,
                               const char *text) {
  if (w->values.n == 1) {
    return text;
  }
  const sp_sv name = sp_expr_name(value, cx->arena);
  return name.p != NULL ? sp_arena_printf(cx->arena, "%.*s_%s", (int)name.n, name.p, text) : NULL;
}

static sp_status make_aggs(sp_bind_cx *cx, const sp_pivot_node *w, const sp_function *agg, const sp_expr *on,
                           const sp_schema *in, sp_items *ret, sp_error *err) {
  size_t n;
  sp_item *items = NULL;
  if (sp_size_mul(w->on_columns.n, w->values.n, &n) && n <= SP_SCHEMA_MAX) {
    items = SP_ARENA_ARRAY(cx->arena, sp_item, n);
  } else {
    SP_FAIL(err, SP_LIMIT, &w->base.loc, "pivot makes more than %d columns", SP_SCHEMA_MAX);
  }
  SP_TRY_ALLOC(err, items);
  uint32_t k = 0;
  for (uint32_t c = 0; c < w->on_columns.n; c++) {
    const sp_expr *where = NULL;
    SP_TRY(condition(cx, w, on, w->on_columns.items[c], &where, err));
    for (uint32_t v = 0; v < w->values.n; v++, k++) {
      const sp_expr *value = sp_expr_unalias(w->values.items[v].expr);
      const sp_expr *call = sp_expr_aggregate(cx->arena, agg, NULL, &value, 1, false, where);
      const char *name = column_name(cx, w, w->values.items[v].expr, w->on_columns.items[c]);
      const sp_expr *named =
          call != NULL && name != NULL ? sp_expr_alias(cx->arena, call, sp_sv_from(name)) : NULL;
      SP_TRY_ALLOC(err, named);
      items[k] = w->values.items[v];
      items[k].expr = named;
    }
  }
  const sp_items written = {.n = k, .items = items};
  return sp_bind_items(cx, &w->base, &written, in, SP_BIND_AGGREGATES, ret, err);
}

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  const sp_pivot_node *w = (const sp_pivot_node *)written;
  const sp_schema *in = inputs[0]->schema;
  const sp_function *agg = NULL;
  SP_TRY(check(cx, w, &agg, err));
  sp_items on;
  SP_TRY(sp_bind_keys(cx, written, &w->on, in, &on, err));
  if (on.n != 1) {
    SP_FAIL(err, SP_INVALID, &written->loc, "pivot: `on` expands to %u columns, exactly one is supported",
            on.n);
  }
  sp_group_by_node *n = (sp_group_by_node *)sp_node_new(cx->arena, sp_node_ops_find(SP_SV("group_by")));
  SP_TRY_ALLOC(err, n);
  SP_TRY(sp_bind_items(cx, written, &w->index, in, 0, &n->keys, err));
  SP_TRY(make_aggs(cx, w, agg, on.items[0].expr, in, &n->aggs, err));
  SP_TRY(sp_items_unique(&n->keys, &n->aggs, cx->arena, err));
  *ret = &n->base;
  return SP_OK;
}

const sp_node_ops sp_node_kind_pivot = {
    .name = "pivot",
    .symbol = "⊞",
    .summary = "one column per value",
    .flags = SP_NODE_BREAKS_PIPELINE,
    .size = sizeof(sp_pivot_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
};
