/* Columns replaced by expressions, and predicates taken apart.
 *
 * Example: a > 1 AND b < 2 with a ↦ x + y is x + y > 1 AND b < 2; untouched subtrees are kept, shared ones
 * are replaced once. */
#include "expr/make.h"

typedef struct substitution {
  sp_arena *arena;
  sp_arena scratch; /* argument lists while they are built */
  sp_memo done;
  const sp_expr *(*map)(void *ctx, sp_sv name);
  void *ctx;
} substitution;

static const sp_expr *replace(substitution *s, const sp_expr *e);

/* The node with its children replaced; the node itself when none changed. */
SP_APART static const sp_expr *rebuild(substitution *s, const sp_expr *e) {
  const sp_expr **args = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, e->n_args);
  if (args == NULL) {
    return NULL;
  }
  bool changed = false;
  for (uint32_t i = 0; i < e->n_args; i++) {
    args[i] = replace(s, e->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
    changed |= args[i] != e->args[i];
  }
  const sp_expr *filter = e->filter != NULL ? replace(s, e->filter) : NULL;
  if (e->filter != NULL && filter == NULL) {
    return NULL;
  }
  if (!changed && filter == e->filter) {
    return e;
  }
  return sp_expr_with_args(s->arena, e, args, filter);
}

static const sp_expr *replace(substitution *s, const sp_expr *e) {
  if ((e->facts & SP_EXPR_HAS_COLUMN) == 0) {
    return e;
  }
  if (e->kind == SP_EXPR_COLUMN) {
    const sp_expr *to = s->map(s->ctx, e->name);
    return to != NULL ? sp_expr_unalias(to) : e;
  }
  if (e->kind == SP_EXPR_SELECTOR) {
    return e;
  }
  const sp_expr *done = sp_memo_get(&s->done, e);
  if (done == NULL) {
    done = rebuild(s, e);
    if (done == NULL || !sp_memo_put(&s->done, e, done)) {
      return NULL;
    }
  }
  return done;
}

const sp_expr *sp_expr_substitute(sp_arena *a, const sp_expr *e, const sp_expr *(*map)(void *ctx, sp_sv name),
                                  void *ctx) {
  substitution s = {.arena = a, .map = map, .ctx = ctx};
  sp_arena_init(&s.scratch, a->mem);
  sp_memo_init(&s.done, a->mem);
  const sp_expr *to = replace(&s, e);
  sp_memo_release(&s.done);
  sp_arena_release(&s.scratch);
  return to;
}

/* ---- conjuncts ---- */
typedef struct conjuncts {
  sp_arena *arena;
  const sp_expr **items;
  uint32_t n, cap;
} conjuncts;

static bool add_conjuncts(conjuncts *c, const sp_expr *e) {
  if (!sp_expr_is_call(e, "and")) {
    if (!sp_arena_grow(c->arena, &c->items, &c->cap, c->n + 1, sizeof *c->items)) {
      return false;
    }
    c->items[c->n++] = e;
    return true;
  }
  if (!sp_arena_grow(c->arena, &c->items, &c->cap, c->n + e->n_args, sizeof *c->items)) {
    return false;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    if (!add_conjuncts(c, e->args[i])) {
      return false;
    }
  }
  return true;
}

bool sp_expr_conjuncts(const sp_expr *e, sp_arena *a, const sp_expr *const **ret, uint32_t *ret_n) {
  conjuncts c = {.arena = a};
  if (!add_conjuncts(&c, sp_expr_unalias(e))) {
    return false;
  }
  *ret = c.items;
  *ret_n = c.n;
  return true;
}
