/* Simpler expressions with the same value on every row, errors included: constants folded, Kleene logic, NOT
 * pushed down, comparisons with the literal on the right, casts and branches that do nothing dropped.
 *
 *   NOT (5 < a OR b IS NULL)                ⇒  a <= 5 AND b IS NOT NULL
 *   CAST(CAST(i AS int64) AS float64) > 1.0 ⇒  CAST(i AS float64) > 1.0          (i an int32: the inner cast
 * loses nothing) CASE WHEN false THEN 1 // 0 ELSE a END  ⇒  a CAST('x' AS int64) = 1                  stays:
 * the error belongs to the run, if any row gets there a + 0.0                                 stays: -0.0 +
 * 0.0 is 0.0
 *
 * A literal FALSE in an AND drops what stands before it only where that cannot fail. A null in a predicate
 * counts as false. Shared subtrees are simplified once. */
#include "expr/bind.h"
#include "expr/coerce.h"
#include "expr/function.h"
#include "optimize/internal.h"

#define MEMO_DEPTH 6 /* trees deeper than this may share so much that each must be seen once only */

typedef struct simplifier {
  sp_arena *arena;
  sp_arena scratch;
  sp_exprset done;
  bool failed;
} simplifier;

static const sp_expr *simplify(simplifier *s, const sp_expr *e);

static const sp_expr *nomem(simplifier *s) {
  s->failed = true;
  return NULL;
}

static const sp_expr *call1(simplifier *s, const char *fn, const sp_type *t, const sp_expr *x) {
  const sp_expr *e = sp_expr_call_named(s->arena, fn, t, &x, 1);
  return e != NULL ? e : nomem(s);
}

static const sp_expr *call2(simplifier *s, const char *fn, const sp_type *t, const sp_expr *x,
                            const sp_expr *y) {
  const sp_expr *args[2] = {x, y};
  const sp_expr *e = sp_expr_call_named(s->arena, fn, t, args, 2);
  return e != NULL ? e : nomem(s);
}

static const sp_expr *literal(simplifier *s, const sp_value *v) {
  const sp_expr *e = sp_expr_literal(s->arena, v);
  return e != NULL ? e : nomem(s);
}

static bool is_literal(const sp_expr *e) {
  return e->kind == SP_EXPR_LITERAL;
}
static bool is_null_literal(const sp_expr *e) {
  return is_literal(e) && e->literal.is_null;
}
static bool is_false(const sp_expr *e) {
  return is_literal(e) && !e->literal.is_null && e->literal.type->kind == SP_KIND_BOOL && !e->literal.b;
}

/* ---- folding ---- */
/* e without columns, all arguments literals by now: its value, or e when evaluating fails. */
static const sp_expr *fold(simplifier *s, const sp_expr *e) {
  for (uint32_t i = 0; i < e->n_args; i++) {
    if (!is_literal(e->args[i])) {
      return e; /* it could not be folded, so this cannot either */
    }
  }
  bool folded = false;
  sp_value v;
  if (sp_expr_fold(e, s->arena, &folded, &v, NULL) != SP_OK) {
    return nomem(s);
  }
  if (!folded) {
    return e;
  }
  v.type = e->type; /* a null of the right type */
  return literal(s, &v);
}

static bool may_fold(const sp_expr *e) {
  const uint16_t never =
      SP_EXPR_HAS_COLUMN | SP_EXPR_HAS_AGGREGATE | SP_EXPR_HAS_VOLATILE | SP_EXPR_HAS_SELECTOR;
  return (e->kind == SP_EXPR_CALL || e->kind == SP_EXPR_CAST) && e->type != NULL && (e->facts & never) == 0;
}

/* ---- AND and OR ---- */
/* The arguments without those that change nothing; cut behind one that decides. */
static const sp_expr *junction(simplifier *s, const sp_expr *e, bool is_and) {
  sp_exprset seen;
  sp_exprset_init(&seen, &s->scratch);
  const sp_expr **kept = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, e->n_args);
  if (kept == NULL) {
    return nomem(s);
  }
  uint32_t n = 0;
  bool fallible = false;
  for (uint32_t i = 0; i < e->n_args; i++) {
    const sp_expr *x = e->args[i];
    const bool neutral = is_and ? sp_expr_is_true(x) : is_false(x);
    const bool decides = is_and ? is_false(x) : sp_expr_is_true(x);
    if (neutral) {
      continue;
    }
    if (decides && !fallible) {
      return x;
    }
    struct sp_exprset_slot *slot = sp_exprset_at(&seen, x);
    if (slot == NULL) {
      return nomem(s);
    }
    if (slot->value == NULL) {
      slot->value = kept;
      kept[n++] = x;
      fallible = fallible || sp_expr_is_fallible(x);
    }
    if (decides) {
      break;
    }
  }
  if (n == e->n_args) {
    return e;
  }
  if (n == 0) {
    const sp_expr *b = sp_expr_bool(s->arena, is_and);
    return b != NULL ? b : nomem(s);
  }
  if (n == 1) {
    return kept[0];
  }
  const sp_expr *r = sp_expr_call(s->arena, e->fn, e->type, kept, n);
  return r != NULL ? r : nomem(s);
}

/* ---- NOT ---- */
static const char *const opposites[][2] = {{"eq", "ne"},
                                           {"lt", "ge"},
                                           {"le", "gt"},
                                           {"is_null", "is_not_null"},
                                           {"is_distinct", "is_not_distinct"},
                                           {"is_true", "is_not_true"},
                                           {"is_false", "is_not_false"}};

static const char *opposite(const char *fn) {
  for (size_t i = 0; i < sizeof opposites / sizeof opposites[0]; i++) {
    if (strcmp(opposites[i][0], fn) == 0) {
      return opposites[i][1];
    }
    if (strcmp(opposites[i][1], fn) == 0) {
      return opposites[i][0];
    }
  }
  return NULL;
}

static const sp_expr *negate(simplifier *s, const sp_expr *e);

/* NOT (a AND b) is NOT a OR NOT b: b is evaluated where a is not false, as before. */
static const sp_expr *de_morgan(simplifier *s, const sp_expr *x, const char *to) {
  const sp_expr **args = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, x->n_args);
  if (args == NULL) {
    return nomem(s);
  }
  for (uint32_t i = 0; i < x->n_args; i++) {
    args[i] = negate(s, x->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
  }
  const sp_expr *r = sp_expr_call_named(s->arena, to, x->type, args, x->n_args);
  return r != NULL ? r : nomem(s);
}

/* NOT e, for a simplified e. */
static const sp_expr *negate(simplifier *s, const sp_expr *e) {
  if (e->kind == SP_EXPR_CALL) {
    const char *other = opposite(e->fn->name);
    if (other != NULL) {
      const sp_expr *r = sp_expr_call_named(s->arena, other, e->type, e->args, e->n_args);
      return r != NULL ? r : nomem(s);
    }
    if (sp_expr_is_call(e, "not")) {
      return e->args[0];
    }
    if (sp_expr_is_call(e, "and")) {
      return de_morgan(s, e, "or");
    }
    if (sp_expr_is_call(e, "or")) {
      return de_morgan(s, e, "and");
    }
  }
  if (is_literal(e)) {
    sp_value v = e->literal;
    v.b = !v.is_null && !v.b;
    return literal(s, &v);
  }
  return call1(s, "not", e->type, e);
}

/* ---- comparisons ---- */
static const char *turned(const char *fn) {
  static const char *const pairs[][2] = {{"lt", "gt"},
                                         {"gt", "lt"},
                                         {"le", "ge"},
                                         {"ge", "le"},
                                         {"eq", "eq"},
                                         {"ne", "ne"},
                                         {"is_distinct", "is_distinct"},
                                         {"is_not_distinct", "is_not_distinct"}};
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    if (strcmp(pairs[i][0], fn) == 0) {
      return pairs[i][1];
    }
  }
  return NULL;
}

/* CAST(i AS int64) > 5 with an int32 i is i > 5: the cast keeps the order, and the literal fits. */
static const sp_expr *compare_uncast(simplifier *s, const sp_expr *e) {
  const sp_expr *x = e->args[0];
  const sp_expr *y = e->args[1];
  if (x->kind != SP_EXPR_CAST || x->try_cast || !is_literal(y) || y->literal.is_null) {
    return e;
  }
  const sp_type *inner = x->args[0]->type;
  const bool ints = sp_type_is_int(inner) && sp_type_is_int(x->type);
  const bool floats = inner->kind == SP_KIND_FLOAT32 && x->type->kind == SP_KIND_FLOAT64;
  sp_value v;
  if ((!ints && !floats) || !sp_cast_is_total(inner, x->type) ||
      !sp_value_cast_exact(&y->literal, inner, s->arena, &v)) {
    return e;
  }
  const sp_expr *l = literal(s, &v);
  return l != NULL ? call2(s, e->fn->name, e->type, x->args[0], l) : NULL;
}

static const sp_expr *comparison(simplifier *s, const sp_expr *e) {
  const char *other = turned(e->fn->name);
  const sp_expr *x = e->args[0];
  const sp_expr *y = e->args[1];
  if (is_literal(x) && !is_literal(y)) {
    const sp_expr *r = call2(s, other, e->type, y, x);
    return r != NULL ? comparison(s, r) : NULL;
  }
  const bool eq = sp_expr_is_call(e, "eq");
  if ((eq || sp_expr_is_call(e, "ne")) && x->type->kind == SP_KIND_BOOL && is_literal(y) &&
      !y->literal.is_null) {
    return y->literal.b == eq ? x : negate(s, x);
  }
  return compare_uncast(s, e);
}

/* ---- casts ---- */
/* Does `to` hold every value of `from`, so that a second cast sees the same value? */
static bool loses_nothing(const sp_type *from, const sp_type *to) {
  if (!sp_cast_is_total(from, to)) {
    return false;
  }
  return (sp_type_is_int(from) && sp_type_is_int(to)) ||
         (from->kind == SP_KIND_FLOAT32 && to->kind == SP_KIND_FLOAT64) ||
         (sp_type_is_int(from) && from->width <= 4 && to->kind == SP_KIND_FLOAT64);
}

static const sp_expr *cast(simplifier *s, const sp_expr *e) {
  const sp_expr *x = e->args[0];
  if (x->type == e->cast_to) {
    return x;
  }
  if (x->kind != SP_EXPR_CAST || !loses_nothing(x->args[0]->type, x->cast_to)) {
    return e;
  }
  const sp_expr *in = x->args[0];
  if (in->type == e->cast_to) {
    return in;
  }
  /* Text of an integer is not that of the equal float. */
  const bool same_family = sp_type_is_int(x->cast_to) || sp_type_is_numeric(e->cast_to);
  if (!same_family || !sp_cast_exists(in->type, e->cast_to) ||
      (sp_type_is_float(x->cast_to) && !sp_type_is_float(e->cast_to))) {
    return e;
  }
  const sp_expr *r = sp_expr_cast(s->arena, in, e->cast_to, e->try_cast);
  return r != NULL ? r : nomem(s);
}

/* ---- arithmetic ---- */
static bool is_int_literal(const sp_expr *e, int64_t v) {
  if (!is_literal(e) || e->literal.is_null || !sp_type_is_int(e->literal.type)) {
    return false;
  }
  return e->literal.type->family == SP_FAMILY_UNSIGNED ? e->literal.u == (uint64_t)v : e->literal.i == v;
}

/* x + 0, 0 + x, x - 0, x * 1, 1 * x on integers. */
static const sp_expr *arithmetic(const sp_expr *e) {
  const sp_expr *x = e->args[0];
  const sp_expr *y = e->args[1];
  const bool add = sp_expr_is_call(e, "add");
  const bool sub = sp_expr_is_call(e, "sub");
  if (!add && !sub && !sp_expr_is_call(e, "mul")) {
    return e;
  }
  const int64_t neutral = add || sub ? 0 : 1;
  if (x->type == e->type && is_int_literal(y, neutral) && sp_type_is_int(e->type)) {
    return x;
  }
  if (!sub && y->type == e->type && is_int_literal(x, neutral) && sp_type_is_int(e->type)) {
    return y;
  }
  return e;
}

/* ---- branches ---- */
static const sp_expr *as_type(simplifier *s, const sp_expr *e, const sp_type *t) {
  if (e->type == t) {
    return e;
  }
  const sp_expr *r = sp_expr_coerce(s->arena, e, t);
  return r != NULL ? r : nomem(s);
}

/* Conditions that are known: false and null ones go, a true one is the ELSE. */
static const sp_expr *case_when(simplifier *s, const sp_expr *e) {
  const sp_expr **args = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, e->n_args + 1);
  if (args == NULL) {
    return nomem(s);
  }
  uint32_t n = 0;
  uint32_t i = 0;
  for (; i + 1 < e->n_args && !sp_expr_is_true(e->args[i]); i += 2) {
    if (!sp_expr_is_false_or_null(e->args[i])) {
      args[n++] = e->args[i];
      args[n++] = e->args[i + 1];
    }
  }
  if (n == e->n_args - e->n_args % 2) {
    return e;
  }
  const sp_value null = sp_value_null(e->type);
  const sp_expr *rest = i + 1 < e->n_args    ? e->args[i + 1]
                        : e->n_args % 2 == 1 ? e->args[e->n_args - 1]
                                             : NULL;
  if (n == 0) {
    return rest != NULL ? as_type(s, rest, e->type) : literal(s, &null);
  }
  if (rest != NULL) {
    args[n++] = rest;
  }
  const sp_expr *r = sp_expr_call(s->arena, e->fn, e->type, args, n);
  return r != NULL ? r : nomem(s);
}

static const sp_expr *coalesce(simplifier *s, const sp_expr *e) {
  const sp_expr **args = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, e->n_args);
  if (args == NULL) {
    return nomem(s);
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    if (is_null_literal(e->args[i])) {
      continue;
    }
    args[n++] = e->args[i];
    if (is_literal(e->args[i])) {
      break;
    }
  }
  if (n == e->n_args && n > 1) {
    return e;
  }
  if (n <= 1) {
    const sp_value null = sp_value_null(e->type);
    return n == 1 ? as_type(s, args[0], e->type) : literal(s, &null);
  }
  const sp_expr *r = sp_expr_call(s->arena, e->fn, e->type, args, n);
  return r != NULL ? r : nomem(s);
}

/* ---- IN and LIKE ---- */
static const sp_expr *in_list(simplifier *s, const sp_expr *e) {
  sp_exprset seen;
  sp_exprset_init(&seen, &s->scratch);
  const sp_expr **args = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, e->n_args);
  if (args == NULL) {
    return nomem(s);
  }
  uint32_t n = 1;
  args[0] = e->args[0];
  for (uint32_t i = 1; i < e->n_args; i++) {
    struct sp_exprset_slot *slot = sp_exprset_at(&seen, e->args[i]);
    if (slot == NULL) {
      return nomem(s);
    }
    if (slot->value == NULL) {
      slot->value = args;
      args[n++] = e->args[i];
    }
  }
  if (n == 2 && args[0]->type == args[1]->type) {
    return call2(s, "eq", e->type, args[0], args[1]);
  }
  if (n == e->n_args) {
    return e;
  }
  const sp_expr *r = sp_expr_call(s->arena, e->fn, e->type, args, n);
  return r != NULL ? r : nomem(s);
}

/* s LIKE 'abc' is s = 'abc'. */
static const sp_expr *like(simplifier *s, const sp_expr *e) {
  const sp_expr *p = e->args[1];
  if (e->n_args != 2 || !is_literal(p) || p->literal.is_null || p->type->kind != SP_KIND_STRING ||
      e->args[0]->type != p->type) {
    return e;
  }
  const sp_sv text = p->literal.s;
  if (text.n > 0 && (memchr(text.p, '%', text.n) != NULL || memchr(text.p, '_', text.n) != NULL)) {
    return e;
  }
  return call2(s, "eq", e->type, e->args[0], p);
}

/* ---- one node, its arguments simplified ---- */
static const sp_expr *one_call(simplifier *s, const sp_expr *e) {
  const char *fn = e->fn->name;
  if (strcmp(fn, "and") == 0 || strcmp(fn, "or") == 0) {
    return junction(s, e, fn[0] == 'a');
  }
  if (strcmp(fn, "not") == 0) {
    const sp_expr *r = negate(s, e->args[0]);
    return r != NULL && sp_expr_is_call(r, "not") && r->args[0] == e->args[0] ? e : r;
  }
  if (turned(fn) != NULL) {
    return comparison(s, e);
  }
  if (strcmp(fn, "case") == 0) {
    return case_when(s, e);
  }
  if (strcmp(fn, "coalesce") == 0) {
    return coalesce(s, e);
  }
  if (strcmp(fn, "in") == 0) {
    return in_list(s, e);
  }
  if (strcmp(fn, "like") == 0) {
    return like(s, e);
  }
  return e->n_args == 2 ? arithmetic(e) : e;
}

static const sp_expr *one(simplifier *s, const sp_expr *e) {
  if (e->type == NULL) {
    return e;
  }
  if (may_fold(e)) {
    const sp_expr *r = fold(s, e);
    if (r == NULL || r != e) {
      return r;
    }
  }
  if (e->kind == SP_EXPR_CAST) {
    return cast(s, e);
  }
  return e->kind == SP_EXPR_CALL ? one_call(s, e) : e;
}

static const sp_expr *with_simple_args(simplifier *s, const sp_expr *e) {
  const sp_expr *few[8];
  const sp_expr **args = few;
  if (e->n_args > 8) {
    args = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, e->n_args);
    if (args == NULL) {
      return nomem(s);
    }
  }
  bool changed = false;
  for (uint32_t i = 0; i < e->n_args; i++) {
    args[i] = simplify(s, e->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
    changed = changed || args[i] != e->args[i];
  }
  const sp_expr *filter = e->filter != NULL ? simplify(s, e->filter) : NULL;
  if (e->filter != NULL && filter == NULL) {
    return NULL;
  }
  if (!changed && filter == e->filter) {
    return e;
  }
  const sp_expr *r = sp_expr_with_args(s->arena, e, args, filter);
  return r != NULL ? r : nomem(s);
}

static const sp_expr *simplify(simplifier *s, const sp_expr *e) {
  if (e->n_args == 0 && e->filter == NULL) {
    return may_fold(e) ? one(s, e) : e;
  }
  if (e->depth > MEMO_DEPTH) {
    const struct sp_exprset_slot *known = sp_exprset_find(&s->done, e);
    if (known != NULL && known->expr->type == e->type) {
      return known->value;
    }
  }
  const sp_expr *r = with_simple_args(s, e);
  r = r != NULL ? one(s, r) : NULL;
  if (r != NULL && e->depth > MEMO_DEPTH) {
    struct sp_exprset_slot *slot = sp_exprset_at(&s->done, e);
    if (slot == NULL) {
      return nomem(s);
    }
    slot->value = (void *)(uintptr_t)r;
  }
  return r;
}

/* ---- predicates: null is as good as false ---- */
static const sp_expr *predicate(simplifier *s, const sp_expr *e) {
  if (is_null_literal(e)) {
    const sp_expr *f = sp_expr_bool(s->arena, false);
    return f != NULL ? f : nomem(s);
  }
  if (sp_expr_is_call(e, "is_true")) {
    return predicate(s, e->args[0]);
  }
  const bool is_and = sp_expr_is_call(e, "and");
  if (!is_and && !sp_expr_is_call(e, "or")) {
    return e;
  }
  const sp_expr **args = SP_ARENA_ARRAY(&s->scratch, const sp_expr *, e->n_args);
  if (args == NULL) {
    return nomem(s);
  }
  bool changed = false;
  for (uint32_t i = 0; i < e->n_args; i++) {
    args[i] = predicate(s, e->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
    changed = changed || args[i] != e->args[i];
  }
  const sp_expr *r = changed ? sp_expr_call(s->arena, e->fn, e->type, args, e->n_args) : e;
  return r != NULL ? junction(s, r, is_and) : nomem(s);
}

static const sp_expr *run(sp_arena *a, const sp_expr *e, bool as_predicate) {
  simplifier s = {.arena = a};
  sp_arena_init(&s.scratch, a->mem);
  sp_exprset_init(&s.done, &s.scratch);
  const sp_expr *r = simplify(&s, e);
  if (r != NULL && as_predicate) {
    r = predicate(&s, r);
  }
  sp_arena_release(&s.scratch);
  return s.failed ? NULL : r;
}

const sp_expr *sp_simplify(sp_arena *a, const sp_expr *e) {
  return run(a, e, false);
}

const sp_expr *sp_simplify_predicate(sp_arena *a, const sp_expr *e) {
  return run(a, e, true);
}
