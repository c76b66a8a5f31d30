/* How many rows a predicate keeps, from what is known of columns, else by rule of thumb.
 *
 *   a = 5              1 / distinct(a); nothing when 5 is outside [min, max]
 *   a < 5              the part of [min, max] below 5, else 1/3
 *   a IN (1, 2)        2 / distinct(a)
 *   x AND y, x OR y    as if x and y were independent
 *   s LIKE '%x%'       1/10 */
#include "expr/function.h"
#include "optimize/estimate.h"

#define UNKNOWN (1.0 / 3.0)
#define UNKNOWN_EQ 0.1
#define UNKNOWN_LIKE 0.1
#define BUDGET 4000 /* expression nodes looked at; what comes after counts as unknown */

typedef struct judge {
  const sp_schema *schema;
  const sp_col_estimate *columns;
  double rows;
  uint32_t left;
} judge;

static double clamp(double x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

bool sp_value_number(const sp_value *v, double *ret) {
  if (v->is_null) {
    return false;
  }
  const sp_family family = v->type->family;
  if (family == SP_FAMILY_SIGNED || family == SP_FAMILY_TEMPORAL) {
    *ret = (double)v->i;
    return true;
  }
  if (family == SP_FAMILY_UNSIGNED) {
    *ret = (double)v->u;
    return true;
  }
  if (family == SP_FAMILY_FLOAT) {
    *ret = v->f;
    return v->f == v->f;
  }
  if (family != SP_FAMILY_DECIMAL) {
    return false;
  }
  double x = (double)sp_value_i128(v);
  for (uint32_t i = 0; i < v->type->scale; i++) {
    x /= 10;
  }
  *ret = x;
  return true;
}

static const sp_expr *uncast(const sp_expr *e) {
  while (e->kind == SP_EXPR_CAST || e->kind == SP_EXPR_ALIAS) {
    e = e->args[0];
  }
  return e;
}

/* NULL when e is no column of the schema. */
static const sp_col_estimate *column_of(const judge *j, const sp_expr *e) {
  e = uncast(e);
  const int32_t at = e->kind == SP_EXPR_COLUMN ? sp_schema_find(j->schema, e->name) : -1;
  return at >= 0 && j->columns != NULL ? &j->columns[at] : NULL;
}

static double distinct_of(const judge *j, const sp_col_estimate *c) {
  if (c == NULL || c->distinct < 1) {
    return -1;
  }
  return j->rows >= 1 && c->distinct > j->rows ? j->rows : c->distinct;
}

/* One value out of the column. */
static double equal_to(const judge *j, const sp_col_estimate *c, const sp_value *v) {
  double x;
  if (c != NULL && c->has_range && sp_value_number(v, &x) && (x < c->lo || x > c->hi)) {
    return 0;
  }
  const double d = distinct_of(j, c);
  return d > 0 ? 1 / d : UNKNOWN_EQ;
}

static double below(const sp_col_estimate *c, const sp_value *v) {
  double x;
  if (c == NULL || !c->has_range || !sp_value_number(v, &x) || c->hi <= c->lo) {
    return -1;
  }
  return clamp((x - c->lo) / (c->hi - c->lo));
}

static double compare(const judge *j, const sp_expr *e) {
  const sp_expr *x = uncast(e->args[0]);
  const sp_expr *y = uncast(e->args[1]);
  const sp_col_estimate *c = column_of(j, x);
  const char *fn = e->fn->name;
  const bool is_eq = strcmp(fn, "eq") == 0 || strcmp(fn, "is_not_distinct") == 0;
  const bool is_ne = strcmp(fn, "ne") == 0 || strcmp(fn, "is_distinct") == 0;
  double eq = UNKNOWN_EQ;
  if (y->kind == SP_EXPR_LITERAL) {
    eq = equal_to(j, c, &y->literal);
  } else {
    const double d = distinct_of(j, c);
    const double other = distinct_of(j, column_of(j, y));
    eq = d > 0 || other > 0 ? 1 / (d > other ? d : other) : UNKNOWN_EQ;
  }
  if (is_eq || is_ne) {
    return is_eq ? eq : 1 - eq;
  }
  const double part = y->kind == SP_EXPR_LITERAL ? below(c, &y->literal) : -1;
  if (part < 0) {
    return UNKNOWN;
  }
  return fn[0] == 'l' ? part : 1 - part;
}

static double share(judge *j, const sp_expr *e);

static double junction(judge *j, const sp_expr *e, bool is_and) {
  double s = 1;
  for (uint32_t i = 0; i < e->n_args; i++) {
    const double x = share(j, e->args[i]);
    s *= is_and ? x : 1 - x;
  }
  return is_and ? s : 1 - s;
}

static double null_share(const judge *j, const sp_expr *e) {
  const sp_col_estimate *c = column_of(j, e);
  return c != NULL && c->null_fraction >= 0 ? c->null_fraction : UNKNOWN_EQ;
}

static double share_of_call(judge *j, const sp_expr *e) {
  const char *fn = e->fn->name;
  if (strcmp(fn, "and") == 0 || strcmp(fn, "or") == 0) {
    return junction(j, e, fn[0] == 'a');
  }
  if (strcmp(fn, "not") == 0) {
    return 1 - share(j, e->args[0]);
  }
  if (strcmp(fn, "eq") == 0 || strcmp(fn, "ne") == 0 || strcmp(fn, "lt") == 0 || strcmp(fn, "le") == 0 ||
      strcmp(fn, "gt") == 0 || strcmp(fn, "ge") == 0 || strcmp(fn, "is_distinct") == 0 ||
      strcmp(fn, "is_not_distinct") == 0) {
    return compare(j, e);
  }
  if (strcmp(fn, "in") == 0) {
    const double d = distinct_of(j, column_of(j, e->args[0]));
    return clamp((double)(e->n_args - 1) * (d > 0 ? 1 / d : UNKNOWN_EQ));
  }
  if (strcmp(fn, "is_null") == 0) {
    return null_share(j, e->args[0]);
  }
  if (strcmp(fn, "is_not_null") == 0) {
    return 1 - null_share(j, e->args[0]);
  }
  return strcmp(fn, "like") == 0 || strcmp(fn, "starts_with") == 0 || strcmp(fn, "contains") == 0
             ? UNKNOWN_LIKE
             : UNKNOWN;
}

static double share(judge *j, const sp_expr *e) {
  if (j->left == 0) {
    return UNKNOWN;
  }
  j->left--;
  e = sp_expr_unalias(e);
  if (e->kind == SP_EXPR_LITERAL) {
    return sp_expr_is_true(e) ? 1 : 0;
  }
  return clamp(e->kind == SP_EXPR_CALL ? share_of_call(j, e) : UNKNOWN);
}

/* a >= lo AND a < hi is a part of the range, not a product: the usual pair of bounds on one column. */
static bool is_bound(const sp_expr *e, bool *ret_upper) {
  if (e->kind != SP_EXPR_CALL || e->n_args != 2 || uncast(e->args[1])->kind != SP_EXPR_LITERAL) {
    return false;
  }
  *ret_upper = sp_expr_is_call(e, "lt") || sp_expr_is_call(e, "le");
  return *ret_upper || sp_expr_is_call(e, "gt") || sp_expr_is_call(e, "ge");
}

/* The partner's index of bound i: the other bound of the same column, the nearest one before it; or n. */
static uint32_t other_bound(const sp_items *conjuncts, uint32_t i, bool upper) {
  const uint32_t from = i > 16 ? i - 16 : 0;
  for (uint32_t k = from; k < i; k++) {
    bool other;
    if (is_bound(conjuncts->items[k].expr, &other) && other != upper &&
        sp_expr_eq(uncast(conjuncts->items[k].expr->args[0]), uncast(conjuncts->items[i].expr->args[0]))) {
      return k;
    }
  }
  return conjuncts->n;
}

double sp_selectivity(const sp_items *conjuncts, const sp_schema *schema, const sp_col_estimate *columns,
                      double rows) {
  judge j = {.schema = schema, .columns = columns, .rows = rows, .left = BUDGET};
  double s = 1;
  for (uint32_t i = 0; i < conjuncts->n; i++) {
    const sp_expr *e = conjuncts->items[i].expr;
    const double x = share(&j, e);
    bool upper;
    const uint32_t other = is_bound(e, &upper) ? other_bound(conjuncts, i, upper) : conjuncts->n;
    if (other < conjuncts->n) {
      const double y = share(&j, conjuncts->items[other].expr); /* is in s already */
      const double both = x + y - 1;
      s *= y > 0 && both > 0 ? both / y : x;
    } else {
      s *= x;
    }
  }
  return clamp(s);
}
