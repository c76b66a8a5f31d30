/* Estimated rows per node, from file metadata alone: rows of files, distinct values and ranges of columns,
 * and rules of thumb for the rest.
 *
 *   scan lineitem 6,001,215 → l_shipdate <= '1998-09-02': the part of its range → group_by 2 keys of 3 and 2
 * values: 6
 *
 * What is known of columns travels up beside the schemas; a node with its input's schema shares its input's
 * array, so that a chain of 10,000 filters costs one array. */
#include "optimize/estimate.h"

#define UNKNOWN_ROWS (-1.0)
#define DEFAULT_DISTINCT 200

typedef struct estimator {
  const sp_plan *p;
  sp_arena *arena;
  sp_estimates e;
} estimator;

static const sp_col_estimate nothing_known = {.distinct = -1, .null_fraction = -1};

static double at_least_one(double rows, double in) {
  return in >= 1 && rows < 1 ? 1 : rows;
}

static double input_rows(const estimator *x, const sp_node *n, uint32_t which) {
  return x->e.rows[n->inputs[which]];
}

static const sp_col_estimate *find_column(const estimator *x, uint32_t node, sp_sv name) {
  const sp_schema *s = x->p->nodes[node]->schema;
  const int32_t at = sp_schema_find(s, name);
  return at >= 0 ? &x->e.columns[node][at] : &nothing_known;
}

/* Distinct values of an expression over a node's rows; -1 unknown. */
static double distinct(const estimator *x, uint32_t node, const sp_expr *e) {
  const double rows = x->e.rows[node];
  while (e->kind == SP_EXPR_ALIAS || e->kind == SP_EXPR_CAST) {
    e = e->args[0];
  }
  if (e->kind == SP_EXPR_LITERAL) {
    return 1;
  }
  double d = e->kind == SP_EXPR_COLUMN ? find_column(x, node, e->name)->distinct : -1;
  if (d < 0 && rows >= 0) {
    d = DEFAULT_DISTINCT;
  }
  return rows >= 0 && d > rows ? rows : d;
}

/* ---- columns ---- */
static sp_col_estimate *new_columns(estimator *x, uint32_t n) {
  sp_col_estimate *c = SP_ARENA_ARRAY(x->arena, sp_col_estimate, n);
  for (uint32_t i = 0; c != NULL && i < n; i++) {
    c[i] = nothing_known;
  }
  return c;
}

/* Strings of at most one byte have few values. */
static void from_short_strings(const sp_column_stats *st, double rows, sp_col_estimate *ret) {
  if (ret->distinct < 0 && st->has_min_max && st->min_exact && st->max_exact && st->min.s.n == 1 &&
      st->max.s.n == 1) {
    const double values = (double)(uint8_t)st->max.s.p[0] - (double)(uint8_t)st->min.s.p[0] + 1;
    ret->distinct = rows >= 0 && values > rows ? rows : values;
  }
}

static void from_file(const sp_dataset *d, uint32_t column, const sp_type *t, double rows,
                      sp_col_estimate *ret) {
  sp_column_stats st;
  memset(&st, 0, sizeof st);
  if (!sp_dataset_column_stats(d, column, &st)) {
    return;
  }
  ret->null_fraction = st.null_count >= 0 && rows > 0 ? (double)st.null_count / rows : -1;
  ret->distinct = st.distinct >= 0 ? (double)st.distinct : -1;
  if (t->kind == SP_KIND_STRING) {
    from_short_strings(&st, rows, ret);
  }
  if (st.has_min_max && sp_value_number(&st.min, &ret->lo) && sp_value_number(&st.max, &ret->hi)) {
    ret->has_range = true;
    const bool whole = sp_type_is_int(t) || t->kind == SP_KIND_DATE;
    const double values = ret->hi - ret->lo + 1;
    if (ret->distinct < 0 && whole) {
      ret->distinct = rows >= 0 && values > rows ? rows : values;
    }
  }
}

static bool scan_columns(estimator *x, uint32_t i, double rows) {
  const sp_scan_node *n = (const sp_scan_node *)x->p->nodes[i];
  sp_col_estimate *all = new_columns(x, n->file_schema->n);
  if (all == NULL) {
    return false;
  }
  for (uint32_t c = 0; n->dataset != NULL && c < n->file_schema->n; c++) {
    from_file(n->dataset, c, n->file_schema->fields[c].type, rows, &all[c]);
  }
  if (n->base.schema == n->file_schema) {
    x->e.columns[i] = all;
  } else {
    sp_col_estimate *some = new_columns(x, n->base.schema->n);
    if (some == NULL) {
      return false;
    }
    for (uint32_t c = 0; c < n->base.schema->n; c++) {
      const int32_t at = sp_schema_find(n->file_schema, n->base.schema->fields[c].name);
      some[c] = at >= 0 ? all[at] : nothing_known;
    }
    x->e.columns[i] = some;
  }
  if (rows >= 0) {
    x->e.rows[i] = at_least_one(rows * sp_selectivity(&n->predicate, n->file_schema, all, rows), rows);
  }
  return true;
}

static bool scan(estimator *x, uint32_t i) {
  const sp_scan_node *n = (const sp_scan_node *)x->p->nodes[i];
  bool exact;
  double rows = n->dataset != NULL ? (double)sp_dataset_rows(n->dataset, &exact) : UNKNOWN_ROWS;
  if (n->n_rows >= 0 && (rows < 0 || rows > (double)n->n_rows)) {
    rows = (double)n->n_rows;
  }
  x->e.rows[i] = rows;
  return scan_columns(x, i, rows);
}

/* Columns of kinds that make some and pass others on: by name from the first input, unless an item makes them
 * otherwise. */
static bool named_columns(estimator *x, uint32_t i, const sp_items *items, const sp_items *more) {
  const sp_node *n = x->p->nodes[i];
  sp_col_estimate *c = new_columns(x, n->schema->n);
  if (c == NULL) {
    return false;
  }
  for (uint32_t k = 0; k < n->schema->n && items == NULL; k++) {
    c[k] = *find_column(x, n->inputs[0], n->schema->fields[k].name);
  }
  if (sp_node_is(n, "with_columns")) {
    for (uint32_t k = 0; k < n->schema->n; k++) {
      c[k] = *find_column(x, n->inputs[0], n->schema->fields[k].name);
    }
  }
  for (uint32_t k = 0; items != NULL && k < items->n + (more != NULL ? more->n : 0); k++) {
    const sp_expr *e = k < items->n ? items->items[k].expr : more->items[k - items->n].expr;
    const sp_sv name = sp_expr_name(e, x->arena);
    if (name.p == NULL) {
      return false;
    }
    const int32_t at = sp_schema_find(n->schema, name);
    sp_sv column;
    if (at >= 0) {
      c[at] = sp_expr_is_column(e, &column) ? *find_column(x, n->inputs[0], column) : nothing_known;
    }
  }
  x->e.columns[i] = c;
  return true;
}

/* ---- rows ---- */
static double product_of_distinct(const estimator *x, uint32_t node, const sp_items *keys) {
  double d = 1;
  for (uint32_t k = 0; k < keys->n; k++) {
    const double one = distinct(x, node, keys->items[k].expr);
    d = one < 0 ? one : d * one;
    if (d < 0) {
      return UNKNOWN_ROWS;
    }
  }
  return d;
}

static double group_rows(const estimator *x, const sp_node *n) {
  const sp_group_by_node *g = (const sp_group_by_node *)n;
  const double in = input_rows(x, n, 0);
  if (g->keys.n == 0) {
    return 1;
  }
  const double d = product_of_distinct(x, n->inputs[0], &g->keys);
  return in < 0 ? UNKNOWN_ROWS : d < 0 || d > in ? in : at_least_one(d, in);
}

static double unique_rows(const estimator *x, const sp_node *n) {
  const sp_unique_node *u = (const sp_unique_node *)n;
  const double in = input_rows(x, n, 0);
  double d = 1;
  const sp_schema *s = sp_node_input_schema(x->p, n, 0);
  const uint32_t n_names = u->subset.n > 0 ? u->subset.n : s->n;
  for (uint32_t k = 0; k < n_names && in >= 0 && d < in; k++) {
    const sp_sv name = u->subset.n > 0 ? sp_sv_from(u->subset.items[k]) : s->fields[k].name;
    const double one = find_column(x, n->inputs[0], name)->distinct;
    d *= one >= 1 ? one : DEFAULT_DISTINCT;
  }
  return in < 0 ? UNKNOWN_ROWS : d > in ? in : at_least_one(d, in);
}

/* Pairs that the keys let through: every value of the side with fewer distinct ones is found on the other. */
static double matches(const estimator *x, const sp_join_node *n, double left, double right) {
  double rows = left * right;
  for (uint32_t k = 0; k < n->left_on.n; k++) {
    const double l = distinct(x, n->base.inputs[0], n->left_on.items[k].expr);
    const double r = distinct(x, n->base.inputs[1], n->right_on.items[k].expr);
    const double d = l > r ? l : r;
    rows /= d >= 1 ? d : 1;
  }
  return rows;
}

static double join_rows(const estimator *x, const sp_node *node, double condition) {
  const sp_join_node *n = (const sp_join_node *)node;
  const double l = input_rows(x, node, 0);
  const double r = input_rows(x, node, 1);
  if (l < 0 || r < 0) {
    return UNKNOWN_ROWS;
  }
  double both = at_least_one(matches(x, n, l, r) * condition, l * r);
  switch ((sp_join_how)n->how) {
  case SP_JOIN_INNER:
  case SP_JOIN_CROSS:
    return both;
  case SP_JOIN_LEFT:
    return both > l ? both : l;
  case SP_JOIN_RIGHT:
    return both > r ? both : r;
  case SP_JOIN_FULL:
    both = both > l ? both : l;
    return both > r ? both : r;
  case SP_JOIN_SEMI:
    return both < l ? both : l;
  case SP_JOIN_ANTI:
    return at_least_one(both < l ? l - both : 0, l);
  }
  return both;
}

static bool join_columns(estimator *x, uint32_t i) {
  const sp_node *n = x->p->nodes[i];
  const sp_join_column *cols = NULL;
  uint32_t n_cols = 0;
  sp_col_estimate *c = new_columns(x, n->schema->n);
  if (c == NULL || !sp_join_layout((const sp_join_node *)n, sp_node_input_schema(x->p, n, 0),
                                   sp_node_input_schema(x->p, n, 1), x->arena, &cols, &n_cols)) {
    return false;
  }
  for (uint32_t k = 0; k < n_cols && k < n->schema->n; k++) {
    c[k] = cols[k].from == SP_FROM_RIGHT ? x->e.columns[n->inputs[1]][cols[k].right]
                                         : x->e.columns[n->inputs[0]][cols[k].left];
  }
  x->e.columns[i] = c;
  return true;
}

static bool join(estimator *x, uint32_t i) {
  const sp_node *n = x->p->nodes[i];
  const sp_join_node *j = (const sp_join_node *)n;
  if (j->how == SP_JOIN_SEMI || j->how == SP_JOIN_ANTI) {
    x->e.columns[i] = x->e.columns[n->inputs[0]];
  } else if (!join_columns(x, i)) {
    return false;
  }
  /* The further condition is judged by the output's columns where they are all there; else by rule of thumb.
   */
  const double l = input_rows(x, n, 0);
  x->e.rows[i] = join_rows(x, n, sp_selectivity(&j->predicate, n->schema, x->e.columns[i], l));
  return true;
}

static double slice_rows(const sp_slice_node *n, double in) {
  if (in < 0) {
    return n->length >= 0 ? (double)n->length : UNKNOWN_ROWS;
  }
  const double from = n->offset >= 0 ? (double)n->offset : in + (double)n->offset;
  double rows = in - (from > 0 ? from : 0);
  rows = rows > 0 ? rows : 0;
  return n->length >= 0 && rows > (double)n->length ? (double)n->length : rows;
}

static double smaller(double in, double limit) {
  return in < 0 || in > limit ? limit : in;
}

/* Rows of kinds that are neither scans nor joins. */
static double plain_rows(const estimator *x, const sp_node *n) {
  const double in = n->n_inputs > 0 ? input_rows(x, n, 0) : UNKNOWN_ROWS;
  if (sp_node_is(n, "values")) {
    return ((const sp_values_node *)n)->rows.n;
  }
  if (sp_node_is(n, "filter")) {
    const uint32_t i = n->inputs[0];
    const double s =
        sp_selectivity(&((const sp_filter_node *)n)->predicate, x->p->nodes[i]->schema, x->e.columns[i], in);
    return in < 0 ? UNKNOWN_ROWS : at_least_one(in * s, in);
  }
  if (sp_node_is(n, "group_by")) {
    return group_rows(x, n);
  }
  if (sp_node_is(n, "unique")) {
    return unique_rows(x, n);
  }
  if (sp_node_is(n, "slice")) {
    return slice_rows((const sp_slice_node *)n, in);
  }
  if (sp_node_is(n, "top_k")) {
    return smaller(in, (double)((const sp_sort_node *)n)->k);
  }
  if (sp_node_is(n, "union")) {
    double sum = 0;
    for (uint32_t k = 0; k < n->n_inputs && sum >= 0; k++) {
      sum = input_rows(x, n, k) < 0 ? UNKNOWN_ROWS : sum + input_rows(x, n, k);
    }
    return sum;
  }
  return in; /* keeps its rows */
}

static bool node(estimator *x, uint32_t i) {
  const sp_node *n = x->p->nodes[i];
  if (strncmp(n->ops->name, "scan", 4) == 0) {
    return scan(x, i);
  }
  if (sp_node_is(n, "join")) {
    return join(x, i);
  }
  x->e.rows[i] = plain_rows(x, n);
  if (n->n_inputs > 0 && n->schema == sp_node_input_schema(x->p, n, 0) && !sp_node_is(n, "with_columns") &&
      !sp_node_is(n, "select")) {
    x->e.columns[i] = x->e.columns[n->inputs[0]];
    return true;
  }
  if (sp_node_is(n, "select") || sp_node_is(n, "with_columns")) {
    return named_columns(x, i, &((const sp_project_node *)n)->exprs, NULL);
  }
  if (sp_node_is(n, "group_by")) {
    return named_columns(x, i, &((const sp_group_by_node *)n)->keys, &((const sp_group_by_node *)n)->aggs);
  }
  if (n->n_inputs > 0) {
    return named_columns(x, i, NULL, NULL);
  }
  x->e.columns[i] = new_columns(x, n->schema->n);
  return x->e.columns[i] != NULL;
}

bool sp_estimate(const sp_plan *p, sp_arena *a, sp_estimates *ret) {
  estimator x = {.p = p, .arena = a};
  x.e.rows = SP_ARENA_ARRAY(a, double, p->n_nodes);
  x.e.columns = SP_ARENA_ARRAY(a, const sp_col_estimate *, p->n_nodes);
  if (x.e.rows == NULL || x.e.columns == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (!node(&x, i)) {
      return false;
    }
  }
  *ret = x.e;
  return true;
}

double *sp_estimate_rows(const sp_plan *p, sp_arena *a) {
  sp_estimates e;
  return sp_estimate(p, a, &e) ? e.rows : NULL;
}
