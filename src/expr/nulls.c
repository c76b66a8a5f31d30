/* Does a predicate drop rows whose columns are null? Lets an outer join become an inner one and filters pass
 * it.
 *
 * The expression is evaluated over sets of outcomes: when the named columns are null and everything else may
 * be anything, can it be true, false, null? Predicates that cannot be true reject nulls.
 *
 * Example: with b null, b > 1 OR b IN (2) gives {null}: rejected. b > 1 OR a = 2 gives {true, null}: not.
 * NOT (b IS NULL) gives {false}: rejected. */
#include "expr/make.h"

enum { CAN_TRUE = 1, CAN_FALSE = 2, CAN_NULL = 4, CAN_VALUE = CAN_TRUE | CAN_FALSE, CAN_ANY = 7 };

typedef struct outcome_walk {
  const sp_names *names;
  sp_recent seen;
} outcome_walk;

static uint8_t outcomes(const sp_expr *e, outcome_walk *w);

/* Kleene's AND over all combinations of outcomes; OR is its mirror. */
static uint8_t combine_and(uint8_t x, uint8_t y) {
  uint8_t r = (x | y) & CAN_FALSE;
  if ((x & CAN_TRUE) != 0 && (y & CAN_TRUE) != 0) {
    r |= CAN_TRUE;
  }
  if (((x & CAN_NULL) != 0 && (y & (CAN_NULL | CAN_TRUE)) != 0) ||
      ((y & CAN_NULL) != 0 && (x & CAN_TRUE) != 0)) {
    r |= CAN_NULL;
  }
  return r;
}

static uint8_t negate(uint8_t x) {
  return (uint8_t)((x & CAN_NULL) | ((x & CAN_TRUE) != 0 ? CAN_FALSE : 0) |
                   ((x & CAN_FALSE) != 0 ? CAN_TRUE : 0));
}

static uint8_t of_and_or(const sp_expr *e, bool is_or, outcome_walk *w) {
  uint8_t r = CAN_TRUE;
  for (uint32_t i = 0; i < e->n_args; i++) {
    const uint8_t x = outcomes(e->args[i], w);
    r = combine_and(r, is_or ? negate(x) : x);
  }
  return is_or ? negate(r) : r;
}

/* Tests that are never null themselves: true where the argument's outcome is among `when`. */
static uint8_t of_test(uint8_t x, uint8_t when) {
  return (uint8_t)(((x & when) != 0 ? CAN_TRUE : 0) | ((x & ~when) != 0 ? CAN_FALSE : 0));
}

static const struct {
  const char *name;
  uint8_t when;
} tests[] = {{"is_null", CAN_NULL},
             {"is_not_null", CAN_VALUE},
             {"is_true", CAN_TRUE},
             {"is_false", CAN_FALSE},
             {"is_not_true", CAN_FALSE | CAN_NULL},
             {"is_not_false", CAN_TRUE | CAN_NULL}};

static uint8_t of_coalesce(const sp_expr *e, outcome_walk *w) {
  uint8_t r = 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    const uint8_t x = outcomes(e->args[i], w);
    r |= x & CAN_VALUE;
    if ((x & CAN_NULL) == 0) {
      return r;
    }
  }
  return r | CAN_NULL;
}

/* Any other function: what its flags say of null arguments. */
static uint8_t of_flags(const sp_expr *e, outcome_walk *w) {
  const sp_function *f = e->fn;
  uint8_t r = CAN_ANY;
  if ((f->flags & SP_FN_AGGREGATE) != 0) {
    return r;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    const bool strict = (f->flags & SP_FN_STRICT) != 0;
    if ((strict || (i < 32 && (f->null_args >> i & 1) != 0)) && outcomes(e->args[i], w) == CAN_NULL) {
      r &= (f->flags & SP_FN_PREDICATE) != 0 && !strict ? CAN_FALSE | CAN_NULL : CAN_NULL;
    }
  }
  return r;
}

static uint8_t of_call(const sp_expr *e, outcome_walk *w) {
  const char *name = e->fn->name;
  if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0) {
    return of_and_or(e, name[0] == 'o', w);
  }
  if (strcmp(name, "not") == 0) {
    return negate(outcomes(e->args[0], w));
  }
  if (strcmp(name, "coalesce") == 0) {
    return of_coalesce(e, w);
  }
  if (strcmp(name, "in") == 0 && outcomes(e->args[0], w) == CAN_NULL) {
    return CAN_NULL; /* whatever the list, which is never empty */
  }
  for (uint32_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    if (strcmp(name, tests[i].name) == 0) {
      return of_test(outcomes(e->args[0], w), tests[i].when);
    }
  }
  return of_flags(e, w);
}

static uint8_t of_literal(const sp_value *v) {
  if (v->is_null) {
    return CAN_NULL;
  }
  return v->type->kind != SP_KIND_BOOL ? CAN_VALUE : v->b ? CAN_TRUE : CAN_FALSE;
}

static uint8_t outcomes(const sp_expr *e, outcome_walk *w) {
  const uint32_t slot = sp_recent_slot(e);
  if (w->seen.keys[slot] == e) {
    return w->seen.values[slot];
  }
  uint8_t r = CAN_ANY;
  switch (e->kind) {
  case SP_EXPR_COLUMN:
    r = sp_names_has(w->names, e->name) ? CAN_NULL : CAN_ANY;
    break;
  case SP_EXPR_LITERAL:
    r = of_literal(&e->literal);
    break;
  case SP_EXPR_CALL:
    r = of_call(e, w);
    break;
  case SP_EXPR_CAST:
    /* A bool that becomes a number and back is still only known to be some value. */
    r = outcomes(e->args[0], w) == CAN_NULL ? CAN_NULL : CAN_ANY;
    break;
  case SP_EXPR_ALIAS:
    r = outcomes(e->args[0], w);
    break;
  case SP_EXPR_SELECTOR:
    break;
  }
  w->seen.keys[slot] = e;
  w->seen.values[slot] = r;
  return r;
}

bool sp_expr_rejects_nulls(const sp_expr *e, const sp_names *names) {
  outcome_walk w = {.names = names};
  memset(w.seen.keys, 0, sizeof w.seen.keys);
  return (outcomes(e, &w) & CAN_TRUE) == 0;
}
