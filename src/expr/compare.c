/* Equality and fingerprints of expressions.
 *
 * Hashes rule out nearly everything, so a comparison that goes on is usually one that ends equal, and visits
 * all of it. Two separately built trees with shared subtrees would then be compared once per path: pairs seen
 * equal are remembered in a small table.
 *
 * Example: eq(a + b, a + b) compares three pairs; with 64 levels of x + x on both sides, 65. */
#include "expr/make.h"

#include "expr/literal.h"

#define PAIR_SLOTS 256

typedef struct pairs {
  struct {
    const sp_expr *x, *y;
  } seen[PAIR_SLOTS];
} pairs;

static bool selectors_eq(const sp_selector *x, const sp_selector *y) {
  if (x->kind != y->kind || x->n_exclude != y->n_exclude || !sp_sv_eq(x->pattern, y->pattern)) {
    return false;
  }
  for (uint32_t i = 0; i < x->n_exclude; i++) {
    if (!sp_sv_eq(x->exclude[i], y->exclude[i])) {
      return false;
    }
  }
  return true;
}

/* The two nodes but for their children. */
SP_APART static bool own_eq(const sp_expr *x, const sp_expr *y) {
  if (x->kind != y->kind || x->hash != y->hash || x->depth != y->depth || x->n_args != y->n_args) {
    return false;
  }
  switch (x->kind) {
  case SP_EXPR_COLUMN:
  case SP_EXPR_ALIAS:
    return sp_sv_eq(x->name, y->name);
  case SP_EXPR_LITERAL:
    return sp_literal_eq(x, y);
  case SP_EXPR_CALL:
    return x->fn == y->fn && x->distinct == y->distinct && (x->filter == NULL) == (y->filter == NULL);
  case SP_EXPR_CAST:
    return x->cast_to == y->cast_to && x->try_cast == y->try_cast;
  case SP_EXPR_SELECTOR:
    return selectors_eq(x->selector, y->selector);
  }
  return false;
}

static bool eq(const sp_expr *x, const sp_expr *y, pairs *p) {
  if (x == y) {
    return true;
  }
  if (!own_eq(x, y)) {
    return false;
  }
  if (x->n_args == 0 && x->filter == NULL) {
    return true;
  }
  const uint32_t slot = (uint32_t)sp_hash_combine((uintptr_t)x, (uintptr_t)y) % PAIR_SLOTS;
  if (p->seen[slot].x == x && p->seen[slot].y == y) {
    return true;
  }
  for (uint32_t i = 0; i < x->n_args; i++) {
    if (!eq(x->args[i], y->args[i], p)) {
      return false;
    }
  }
  if (x->filter != NULL && !eq(x->filter, y->filter, p)) {
    return false;
  }
  p->seen[slot].x = x;
  p->seen[slot].y = y;
  return true;
}

bool sp_expr_eq(const sp_expr *x, const sp_expr *y) {
  if (x == y || x->hash != y->hash) {
    return x == y;
  }
  pairs p;
  memset(&p, 0, sizeof p);
  return eq(x, y, &p);
}

/* ---- fingerprints ---- */
static void hash_text(sp_hasher *h, sp_sv s) {
  sp_hasher_bytes(h, s.p, s.n);
}

static void hash_literal(sp_hasher *h, const sp_value *v) {
  hash_text(h, sp_sv_from(v->type->name));
  sp_hasher_u64(h, v->is_null);
  if (v->is_null) {
    return;
  }
  if (sp_type_is_bytes(v->type)) {
    hash_text(h, v->s);
  } else if (sp_type_is_float(v->type)) {
    uint64_t bits;
    memcpy(&bits, &v->f, sizeof bits);
    sp_hasher_u64(h, bits);
  } else if (v->type->kind == SP_KIND_INTERVAL) {
    sp_hasher_u64(h, (uint64_t)(uint32_t)v->iv.months << 32 | (uint32_t)v->iv.days);
    sp_hasher_u64(h, (uint64_t)v->iv.us);
  } else {
    const sp_i128 x = sp_value_i128(v);
    sp_hasher_u64(h, (uint64_t)x);
    sp_hasher_u64(h, (uint64_t)(x >> 64));
  }
}

static void hash_selector(sp_hasher *h, const sp_selector *s) {
  sp_hasher_u64(h, s->kind);
  hash_text(h, s->pattern);
  sp_hasher_u64(h, s->n_exclude);
  for (uint32_t i = 0; i < s->n_exclude; i++) {
    hash_text(h, s->exclude[i]);
  }
}

#define PRINT_SLOTS 256

/* Hashes of the nodes met last: a value, not a mark, so that sharing does not show in the result. */
typedef struct prints {
  const sp_expr *keys[PRINT_SLOTS];
  sp_hash128 values[PRINT_SLOTS];
} prints;

SP_APART static void hash_own(sp_hasher *h, const sp_expr *e) {
  sp_hasher_u64(h, (uint64_t)e->kind << 8 | (uint64_t)(e->try_cast << 1 | e->distinct));
  switch (e->kind) {
  case SP_EXPR_COLUMN:
  case SP_EXPR_ALIAS:
    hash_text(h, e->name);
    break;
  case SP_EXPR_LITERAL:
    hash_literal(h, &e->literal);
    break;
  case SP_EXPR_CALL:
    hash_text(h, sp_sv_from(e->fn->name));
    break;
  case SP_EXPR_CAST:
    hash_text(h, sp_sv_from(e->cast_to->name));
    break;
  case SP_EXPR_SELECTOR:
    hash_selector(h, e->selector);
    break;
  }
  sp_hasher_u64(h, (uint64_t)e->n_args << 1 | (e->filter != NULL));
}

static sp_hash128 hash_node(const sp_expr *e, prints *p) {
  const uint32_t slot = (uint32_t)(e->hash % PRINT_SLOTS);
  if (p->keys[slot] == e) {
    return p->values[slot];
  }
  sp_hasher h;
  sp_hasher_init(&h, 0);
  hash_own(&h, e);
  for (uint32_t i = 0; i <= e->n_args; i++) {
    const sp_expr *c = i < e->n_args ? e->args[i] : e->filter;
    if (c != NULL) {
      const sp_hash128 x = hash_node(c, p);
      sp_hasher_u64(&h, x.lo);
      sp_hasher_u64(&h, x.hi);
    }
  }
  p->keys[slot] = e;
  p->values[slot] = sp_hasher_finish(&h);
  return p->values[slot];
}

void sp_expr_hash128(const sp_expr *e, sp_hasher *h) {
  prints p;
  memset(&p, 0, sizeof p);
  const sp_hash128 x = hash_node(e, &p);
  sp_hasher_u64(h, x.lo);
  sp_hasher_u64(h, x.hi);
}
