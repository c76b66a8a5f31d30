/* split_predicates: predicates become lists of conjuncts, each of which can move on its own; an OR gives up
 * what all its branches share.
 *
 *   a = 1 AND (b = 2 AND c = 3)                  ⇒  a = 1, b = 2, c = 3
 *   (k = l AND a = 1) OR (k = l AND a = 2)       ⇒  k = l, a = 1 OR a = 2
 *   CAST(s AS int64) > 3 AND a = 1               ⇒  a = 1, CAST(s AS int64) > 3       what can fail comes
 * last, in its written order
 *
 *   It does not fire for (CAST(s AS int64) = 1 AND a = 1) OR (CAST(s AS int64) = 1 AND a = 2): the cast would
 * be evaluated on other rows.
 *
 * Factoring holds in Kleene's logic: AND and OR distribute over each other there too. */
#include "optimize/internal.h"

typedef struct splitter {
  sp_sweep *s;
  sp_arena *arena;
  sp_item *items;
  uint32_t n, cap;
  bool failed;
} splitter;

static void add_item(splitter *sp, const sp_item *like, const sp_expr *e) {
  if (!sp_arena_grow(sp->arena, &sp->items, &sp->cap, sp->n + 1, sizeof *sp->items)) {
    sp->failed = true;
    return;
  }
  sp->items[sp->n] = *like;
  sp->items[sp->n++].expr = e;
}

/* A branch's conjuncts: its arguments, or itself. */
static uint32_t branch_size(const sp_expr *e) {
  return sp_expr_is_call(e, "and") ? e->n_args : 1;
}
static const sp_expr *branch_part(const sp_expr *e, uint32_t i) {
  return sp_expr_is_call(e, "and") ? e->args[i] : e;
}

typedef struct tally {
  uint32_t branches; /* that have it */
  uint32_t last;     /* the last of them + 1 */
} tally;

/* How many branches have each conjunct. */
static bool count_parts(splitter *sp, const sp_expr *e, sp_exprset *set) {
  for (uint32_t b = 0; b < e->n_args; b++) {
    for (uint32_t i = 0; i < branch_size(e->args[b]); i++) {
      const sp_expr *part = branch_part(e->args[b], i);
      struct sp_exprset_slot *slot = b == 0 ? sp_exprset_at(set, part) : sp_exprset_find(set, part);
      if (slot == NULL) {
        if (b == 0) {
          return false;
        }
        continue;
      }
      if (slot->value == NULL) {
        slot->value = SP_ARENA_NEW(sp->arena, tally);
        if (slot->value == NULL) {
          return false;
        }
      }
      tally *t = slot->value;
      t->branches += t->last != b + 1;
      t->last = b + 1;
    }
  }
  return true;
}

static bool is_common(const sp_exprset *set, const sp_expr *part, uint32_t n_branches) {
  const struct sp_exprset_slot *slot = sp_exprset_find(set, part);
  return slot != NULL && ((const tally *)slot->value)->branches == n_branches;
}

/* What is left of a branch; NULL when nothing is (or memory ran out: sp->failed). */
static const sp_expr *rest_of(splitter *sp, const sp_exprset *set, const sp_expr *branch,
                              uint32_t n_branches) {
  const sp_expr **rest = SP_ARENA_ARRAY(sp->arena, const sp_expr *, branch_size(branch));
  if (rest == NULL) {
    sp->failed = true;
    return NULL;
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < branch_size(branch); i++) {
    if (!is_common(set, branch_part(branch, i), n_branches)) {
      rest[n++] = branch_part(branch, i);
    }
  }
  const sp_expr *r = n > 0 ? sp_expr_and(sp->arena, rest, n) : NULL;
  sp->failed = sp->failed || (n > 0 && r == NULL);
  return r;
}

static void split(splitter *sp, const sp_item *item, const sp_expr *e);

/* Adds what an OR's branches share and the OR of the rests; false when they share nothing. */
static bool factor(splitter *sp, const sp_item *item, const sp_expr *e) {
  sp_exprset set;
  sp_exprset_init(&set, sp->arena);
  const sp_expr **rests = SP_ARENA_ARRAY(sp->arena, const sp_expr *, e->n_args);
  if (rests == NULL || !count_parts(sp, e, &set)) {
    sp->failed = true;
    return true;
  }
  const uint32_t before = sp->n;
  for (uint32_t i = 0; i < branch_size(e->args[0]); i++) {
    if (is_common(&set, branch_part(e->args[0], i), e->n_args)) {
      split(sp, item, branch_part(e->args[0], i));
    }
  }
  if (sp->n == before) {
    return false;
  }
  bool free_branch = false;
  for (uint32_t b = 0; b < e->n_args && !free_branch && !sp->failed; b++) {
    rests[b] = rest_of(sp, &set, e->args[b], e->n_args);
    free_branch = rests[b] == NULL;
  }
  if (!free_branch && !sp->failed) {
    const sp_expr * or = sp_expr_call(sp->arena, e->fn, e->type, rests, e->n_args);
    if (or == NULL) {
      sp->failed = true;
    } else {
      split(sp, item, or);
    }
  }
  return true;
}

static void split(splitter *sp, const sp_item *item, const sp_expr *e) {
  if (sp->failed) {
    return;
  }
  if (sp_expr_is_call(e, "and")) {
    for (uint32_t i = 0; i < e->n_args; i++) {
      split(sp, item, e->args[i]);
    }
  } else if (!sp_expr_is_call(e, "or") || e->n_args < 2 || sp_expr_is_fallible(e) || !factor(sp, item, e)) {
    add_item(sp, item, e);
  }
}

/* Without repetitions, and what can fail behind the rest. */
static bool arrange(splitter *sp, sp_items *ret) {
  sp_exprset seen;
  sp_exprset_init(&seen, sp->arena);
  sp_item *items = SP_ARENA_ARRAY(sp->arena, sp_item, sp->n);
  if (items == NULL) {
    return false;
  }
  uint32_t n = 0;
  for (uint32_t round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < sp->n; i++) {
      if (sp_expr_is_fallible(sp->items[i].expr) != (round == 1)) {
        continue;
      }
      struct sp_exprset_slot *slot = sp_exprset_at(&seen, sp->items[i].expr);
      if (slot == NULL) {
        return false;
      }
      if (slot->value == NULL) {
        slot->value = items;
        items[n++] = sp->items[i];
      }
    }
  }
  *ret = (sp_items){.n = n, .items = items};
  return true;
}

static sp_status record(splitter *sp, const sp_node *n, const sp_items *old, sp_error *err) {
  sp_sweep_fired(sp->s, &n->id, 1, &n->id, 1);
  for (uint32_t i = 0; i < old->n; i++) {
    const char *text = sp_expr_text(old->items[i].expr, sp->arena);
    SP_TRY_ALLOC(err, text);
    const sp_fact f = {.kind = SP_FACT_PREDICATE,
                       .action = SP_ACT_REPLACED,
                       .text = text,
                       .from = n->id,
                       .to = n->id,
                       .origin = old->items[i].origin};
    sp_sweep_fact(sp->s, &f);
  }
  return SP_OK;
}

static bool needs_splitting(const sp_items *items) {
  bool fallible = false;
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_expr *e = items->items[i].expr;
    if (sp_expr_is_call(e, "and") || sp_expr_is_call(e, "or") || (fallible && !sp_expr_is_fallible(e))) {
      return true;
    }
    fallible = fallible || sp_expr_is_fallible(e);
  }
  return false;
}

static bool same(const sp_items *x, const sp_items *y) {
  for (uint32_t i = 0; i < x->n && i < y->n; i++) {
    if (x->items[i].expr != y->items[i].expr) {
      return false;
    }
  }
  return x->n == y->n;
}

/* *ret = n itself when there is nothing to split. */
static sp_status split_node(sp_sweep *s, const sp_node *n, const sp_node **ret, sp_error *err) {
  *ret = n;
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    if (f->kind != SP_F_PREDICATE) {
      continue;
    }
    const sp_items *old = sp_field_ptr(n, f);
    if (!needs_splitting(old)) {
      continue;
    }
    splitter sp = {.s = s, .arena = s->arena};
    for (uint32_t i = 0; i < old->n; i++) {
      split(&sp, &old->items[i], old->items[i].expr);
    }
    sp_items items;
    if (sp.failed || !arrange(&sp, &items)) {
      return sp_error_nomem(err);
    }
    if (same(&items, old)) {
      continue;
    }
    sp_node *c = sp_node_copy(s->arena, n);
    SP_TRY_ALLOC(err, c);
    *(sp_items *)(void *)((char *)c + f->offset) = items;
    *ret = c;
    SP_TRY(record(&sp, n, old, err));
  }
  return SP_OK;
}

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  sp_rewrite w;
  SP_TRY(sp_rewrite_begin(&w, in, err));
  for (uint32_t i = 0; i < in->n_nodes; i++) {
    const sp_node *n = NULL;
    SP_TRY(split_node(s, in->nodes[i], &n, err));
    SP_TRY(sp_rewrite_put(&w, i, n, NULL, err));
  }
  return sp_rewrite_finish(&w, ret, err);
}

const sp_rule sp_rule_split_predicates = {
    .name = "split_predicates",
    .summary = "splits predicates at AND, and takes what all branches of an OR share out of it",
    .sweep = sweep,
};
