/* A predicate's way through one node: which input gets it, in which names, or what stops it.
 *
 *   filter d > 10  over  with_columns [a * 2 AS d]   ⇒   a * 2 > 10 below
 *   filter d > 10  over  with_columns [CAST(s AS int64) AS d]   stays: "`d` is made by this node" (the cast
 * may fail, and would be evaluated twice)
 *
 * An expression takes a column's place only when it cannot fail, holds no aggregate and is small: a chain of
 * 64 `x + x AS x` would otherwise make a predicate of 2^64 nodes. */
#include <stdarg.h>
#include <stdio.h>

#include "plan/kinds.h"

/* Most nodes of one expression that may stand for a column, and of the predicate that results. */
#define SUBSTITUTE_MAX 12
#define PREDICATE_MAX 4000
#define GROWN_DEPTH 64 /* a predicate that grows on its way gets no deeper: n of them below n projections would be n^2 nodes */

bool sp_push_begin(sp_push *ret, uint32_t n_inputs, sp_arena *a) {
  const sp_expr **to = SP_ARENA_ARRAY(a, const sp_expr *, n_inputs);
  *ret = (sp_push){.to = to};
  return to != NULL;
}

sp_status sp_push_block(sp_push *ret, sp_arena *a, const char *fmt, ...) {
  char text[300];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  ret->stays = true;
  ret->blocker = sp_arena_strdup(a, text);
  return ret->blocker != NULL ? SP_OK : SP_NOMEM;
}

sp_status sp_push_same(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                       sp_push *ret) {
  (void)inputs;
  const sp_expr **to = SP_ARENA_ARRAY(a, const sp_expr *, n->n_inputs);
  if (to == NULL) {
    return SP_NOMEM;
  }
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    to[i] = pred;
  }
  *ret = (sp_push){.to = to};
  return SP_OK;
}

/* Nodes of the tree, counting no further than budget. */
static uint32_t size_of(const sp_expr *e, uint32_t budget) {
  uint32_t n = 1;
  for (uint32_t i = 0; i < e->n_args && n <= budget; i++) {
    n += size_of(e->args[i], budget - n);
  }
  if (e->filter != NULL && n <= budget) {
    n += size_of(e->filter, budget - n);
  }
  return n;
}

static const sp_expr *map_column(void *ctx, sp_sv name) {
  const sp_column_map *m = ctx;
  for (uint32_t i = 0; i < m->n; i++) {
    if (sp_sv_eq(m->from[i], name)) {
      return m->to[i];
    }
  }
  return NULL;
}

const sp_expr *sp_expr_rename(sp_arena *a, const sp_expr *e, const sp_column_map *map) {
  return sp_expr_substitute(a, e, map_column, (void *)(uintptr_t)map);
}

/* May e stand for a column of a predicate that moves below? Literals and columns always; else small and
 * unable to fail. */
static bool may_stand(const sp_expr *e, bool plain_only) {
  if (e->kind == SP_EXPR_COLUMN) {
    return true;
  }
  if (plain_only) {
    return false;
  }
  return e->kind == SP_EXPR_LITERAL ||
         (!sp_expr_has_aggregate(e) && !sp_expr_is_fallible(e) && !sp_expr_is_volatile(e) &&
          size_of(e, SUBSTITUTE_MAX) <= SUBSTITUTE_MAX);
}

static sp_status made_here(const char **ret_blocker, sp_arena *a, sp_sv name) {
  *ret_blocker =
      sp_arena_printf(a, "`%.*s` is made by this node", (int)(name.n < 200 ? name.n : 200), name.p);
  return *ret_blocker != NULL ? SP_OK : SP_NOMEM;
}

/* The items by output name, for those among `wanted`: to[i] = NULL when no item makes wanted[i]. */
static bool find_items(const sp_items *items, const sp_names *wanted, sp_arena *a, const sp_expr **to) {
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_sv name = sp_expr_name(items->items[i].expr, a);
    if (name.p == NULL) {
      return false;
    }
    for (uint32_t k = 0; k < wanted->n; k++) {
      if (sp_sv_eq(wanted->names[k], name)) {
        to[k] = sp_expr_unalias(items->items[i].expr);
      }
    }
  }
  return true;
}

/* The usual case without any memory: none of the columns that pred reads is computed or renamed here. A select that passes some of its
 * columns on under their names cannot lack one that pred reads. */
static bool reads_unchanged(const sp_items *items, bool pass_rest, const sp_expr *pred) {
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_expr *e = items->items[i].expr;
    const sp_sv out = e->name; /* of a column or an alias */
    if (e->kind == SP_EXPR_COLUMN) {
      continue;
    }
    if (e->kind != SP_EXPR_ALIAS) {
      return false;
    }
    if (sp_expr_reads(pred, out)) {
      return false;
    }
  }
  return pass_rest || items->n > 0;
}

sp_status sp_push_through_items(const sp_items *items, bool pass_rest, bool plain_only, const sp_expr *pred,
                                sp_arena *a, const sp_expr **ret, const char **ret_blocker) {
  *ret = NULL;
  *ret_blocker = NULL;
  if (!plain_only && reads_unchanged(items, pass_rest, pred)) {
    *ret = pred;
    return SP_OK;
  }
  sp_names reads = {0};
  if (!sp_expr_columns(pred, a, &reads)) {
    return SP_NOMEM;
  }
  const sp_expr **to = SP_ARENA_ARRAY(a, const sp_expr *, reads.n);
  if (to == NULL || !find_items(items, &reads, a, to)) {
    return SP_NOMEM;
  }
  uint32_t deepest = 0;
  uint32_t largest = 1;
  bool changes = false;
  for (uint32_t i = 0; i < reads.n; i++) {
    if (to[i] == NULL) {
      if (!pass_rest) {
        return made_here(ret_blocker, a, reads.names[i]);
      }
      continue;
    }
    if (!may_stand(to[i], plain_only)) {
      return made_here(ret_blocker, a, reads.names[i]);
    }
    const uint32_t size = size_of(to[i], SUBSTITUTE_MAX);
    largest = size > largest ? size : largest;
    deepest = to[i]->depth > deepest ? to[i]->depth : deepest;
    changes = changes || to[i]->kind != SP_EXPR_COLUMN || !sp_sv_eq(to[i]->name, reads.names[i]);
  }
  if (!changes) {
    *ret = pred;
    return SP_OK;
  }
  if (largest > 1 && (pred->depth + deepest > (pred->depth > GROWN_DEPTH ? pred->depth : GROWN_DEPTH) ||
                      size_of(pred, PREDICATE_MAX / largest) > PREDICATE_MAX / largest)) {
    *ret_blocker = "the predicate would get too large";
    return SP_OK;
  }
  const sp_column_map map = {.n = reads.n, .from = reads.names, .to = to};
  *ret = sp_expr_rename(a, pred, &map);
  return *ret != NULL ? SP_OK : SP_NOMEM;
}
