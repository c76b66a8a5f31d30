/* Takes a group_by's aggregates apart for execution.
 *
 *   keys [year(day) AS y], aggs [sum(a) / count(*) AS m, sum(a) + year(day) AS s]
 *   ⇒ calls  sum(a), count(*)              over the input, each once
 *     results "agg 0" / "agg 1" AS m,  "agg 0" + y AS s      over key outputs and calls */
#include "expr/function.h"
#include "plan/kinds.h"

typedef struct splitter {
  const sp_group_by_node *n;
  sp_arena *arena;
  const sp_expr **calls;
  sp_sv *call_names;
  uint32_t n_calls, cap_calls, cap_names;
  const sp_sv *key_names;
} splitter;

/* A name that no key has: user names may hold anything, so it is made unlike every one of them. */
static sp_sv call_name(splitter *s, uint32_t i) {
  for (uint32_t tries = 0;; tries++) {
    const char *p = sp_arena_printf(s->arena, "agg %u%.*s", i, (int)(tries < 100 ? tries : 100),
                                    "''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''"
                                    "''''''''''''''''''''''''''''");
    const sp_sv name = {p, p != NULL ? strlen(p) : 0};
    bool taken = false;
    for (uint32_t k = 0; k < s->n->keys.n && p != NULL; k++) {
      taken = taken || sp_sv_eq(s->key_names[k], name);
    }
    if (!taken) {
      return name;
    }
  }
}

static const sp_expr *call_column(splitter *s, const sp_expr *e) {
  uint32_t i = 0;
  while (i < s->n_calls && !(s->calls[i]->type == e->type && sp_expr_eq(s->calls[i], e))) {
    i++;
  }
  if (i == s->n_calls) {
    if (!sp_arena_grow(s->arena, &s->calls, &s->cap_calls, i + 1, sizeof *s->calls) ||
        !sp_arena_grow(s->arena, &s->call_names, &s->cap_names, i + 1, sizeof *s->call_names)) {
      return NULL;
    }
    s->calls[i] = e;
    s->call_names[i] = call_name(s, i);
    if (s->call_names[i].p == NULL) {
      return NULL;
    }
    s->n_calls++;
  }
  return sp_expr_column(s->arena, s->call_names[i], e->type);
}

static const sp_expr *rewrite(splitter *s, const sp_expr *e) {
  if (e->kind == SP_EXPR_CALL && (e->fn->flags & SP_FN_AGGREGATE) != 0) {
    return call_column(s, e);
  }
  for (uint32_t k = 0; k < s->n->keys.n; k++) {
    if (sp_expr_eq(sp_expr_unalias(s->n->keys.items[k].expr), e)) {
      return sp_expr_column(s->arena, s->key_names[k], e->type);
    }
  }
  if (e->n_args == 0) {
    return e;
  }
  const sp_expr **args = SP_ARENA_ARRAY(s->arena, const sp_expr *, e->n_args);
  for (uint32_t i = 0; i < e->n_args && args != NULL; i++) {
    args[i] = rewrite(s, e->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
  }
  return args != NULL ? sp_expr_with_args(s->arena, e, args, NULL) : NULL;
}

bool sp_group_by_split(const sp_group_by_node *n, sp_arena *a, sp_agg_split *ret) {
  splitter s = {.n = n, .arena = a};
  sp_sv *keys = SP_ARENA_ARRAY(a, sp_sv, n->keys.n);
  const sp_expr **results = SP_ARENA_ARRAY(a, const sp_expr *, n->aggs.n);
  if (keys == NULL || results == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < n->keys.n; i++) {
    keys[i] = sp_expr_name(n->keys.items[i].expr, a);
    if (keys[i].p == NULL) {
      return false;
    }
  }
  s.key_names = keys;
  for (uint32_t i = 0; i < n->aggs.n; i++) {
    results[i] = rewrite(&s, n->aggs.items[i].expr);
    if (results[i] == NULL) {
      return false;
    }
  }
  *ret = (sp_agg_split){.n_calls = s.n_calls,
                        .calls = s.calls,
                        .call_names = s.call_names,
                        .key_names = keys,
                        .results = results};
  return true;
}
