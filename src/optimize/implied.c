/* What an OR over several inputs says about one of them.
 *
 *   (s = 'FRANCE' AND c = 'GERMANY') OR (s = 'GERMANY' AND c = 'FRANCE')   for {s}   ⇒   s IN ('FRANCE',
 * 'GERMANY') (a = 1 AND b = 2) OR b = 3                                              for {a}   ⇒   nothing:
 * the second branch leaves a free
 *
 * Every branch must say something; then their OR holds wherever the whole does. The whole stays where it is.
 */
#include <stdlib.h>

#include "expr/function.h"
#include "optimize/internal.h"

typedef struct deriver {
  sp_arena *arena;
  const sp_names *names;
  bool failed;
} deriver;

static bool reads_only(deriver *d, const sp_expr *e) {
  sp_names reads = {0};
  if (!sp_expr_columns(e, d->arena, &reads)) {
    d->failed = true;
    return false;
  }
  for (uint32_t i = 0; i < reads.n; i++) {
    if (!sp_names_has(d->names, reads.names[i])) {
      return false;
    }
  }
  return reads.n > 0;
}

static const sp_expr *implied(deriver *d, const sp_expr *e);

/* What one branch says: those of its conjuncts, or of what they imply. */
static const sp_expr *branch(deriver *d, const sp_expr *e) {
  if (!sp_expr_is_call(e, "and")) {
    return implied(d, e);
  }
  const sp_expr **kept = SP_ARENA_ARRAY(d->arena, const sp_expr *, e->n_args);
  uint32_t n = 0;
  if (kept == NULL) {
    d->failed = true;
    return NULL;
  }
  for (uint32_t i = 0; i < e->n_args && !d->failed; i++) {
    kept[n] = implied(d, e->args[i]);
    n += kept[n] != NULL;
  }
  if (n == 0 || d->failed) {
    return NULL;
  }
  const sp_expr *r = sp_expr_and(d->arena, kept, n);
  d->failed = d->failed || r == NULL;
  return r;
}

static bool is_value_test(const sp_expr *e) {
  if (e->kind != SP_EXPR_CALL || e->n_args < 2 || (!sp_expr_is_call(e, "eq") && !sp_expr_is_call(e, "in"))) {
    return false;
  }
  for (uint32_t i = 1; i < e->n_args; i++) {
    if (e->args[i]->kind != SP_EXPR_LITERAL || e->args[i]->literal.is_null) {
      return false;
    }
  }
  return true;
}

static int by_value(const void *x, const void *y) {
  const sp_expr *const *a = x;
  const sp_expr *const *b = y;
  return sp_value_cmp(&(*a)->literal, &(*b)->literal);
}

/* x = 1 OR x IN (3, 1) as x IN (1, 3); NULL when the branches are of other kinds. */
static const sp_expr *as_in(deriver *d, const sp_expr *const *parts, uint32_t n) {
  const sp_function *in = sp_function_find(SP_SV("in"));
  uint32_t total = 1;
  for (uint32_t i = 0; i < n; i++) {
    if (in == NULL || !is_value_test(parts[i]) || !sp_expr_eq(parts[i]->args[0], parts[0]->args[0]) ||
        parts[i]->args[1]->type != parts[0]->args[1]->type || total > SP_EXPR_MAX_ARGS - parts[i]->n_args) {
      return NULL;
    }
    total += parts[i]->n_args - 1;
  }
  const sp_expr **args = SP_ARENA_ARRAY(d->arena, const sp_expr *, total);
  if (args == NULL) {
    d->failed = true;
    return NULL;
  }
  uint32_t k = 0;
  args[k++] = parts[0]->args[0];
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t j = 1; j < parts[i]->n_args; j++) {
      args[k++] = parts[i]->args[j];
    }
  }
  qsort(args + 1, k - 1, sizeof *args, by_value);
  const sp_expr *r = sp_expr_call(d->arena, in, parts[0]->type, args, k);
  d->failed = d->failed || r == NULL;
  return r;
}

static const sp_expr *implied(deriver *d, const sp_expr *e) {
  if (sp_expr_is_fallible(e)) {
    return NULL;
  }
  if (reads_only(d, e)) {
    return e;
  }
  if (!sp_expr_is_call(e, "or") || d->failed) {
    return NULL;
  }
  const sp_expr **parts = SP_ARENA_ARRAY(d->arena, const sp_expr *, e->n_args);
  if (parts == NULL) {
    d->failed = true;
    return NULL;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    parts[i] = branch(d, e->args[i]);
    if (parts[i] == NULL) {
      return NULL;
    }
  }
  const sp_expr *list = as_in(d, parts, e->n_args);
  if (list != NULL || d->failed) {
    return list;
  }
  const sp_expr *r = sp_expr_call(d->arena, e->fn, e->type, parts, e->n_args);
  d->failed = d->failed || r == NULL;
  return r;
}

bool sp_implied_by(sp_arena *a, const sp_expr *e, const sp_names *names, const sp_expr **ret) {
  deriver d = {.arena = a, .names = names};
  const sp_expr *r = implied(&d, e);
  if (d.failed) {
    return false;
  }
  if (r != NULL) {
    r = sp_simplify_predicate(a, r);
    if (r == NULL) {
      return false;
    }
  }
  *ret = r != NULL && !sp_expr_is_true(r) && r != e ? r : NULL;
  return true;
}
