/* Making expression nodes.
 *
 * Every node goes through sp_expr_new, which computes what later walks would otherwise recompute: depth, a
 * structural hash, and facts of the whole tree (has it a column, an aggregate, something that may fail). So
 * the questions that rules ask most are one load, also on trees that share subtrees.
 *
 * Example: gt(COLUMN price, LITERAL 0) has depth 2 and the fact HAS_COLUMN; AND of it with a strict cast
 * from string has depth 3 and HAS_FALLIBLE too. */
#include "expr/make.h"

#include "expr/coerce.h"
#include "expr/literal.h"

static uint64_t hash_sv(sp_sv s, uint64_t seed) {
  return sp_hash_bytes(s.p, s.n, seed);
}

static uint64_t hash_selector(const sp_selector *s) {
  uint64_t h = hash_sv(s->pattern, (uint64_t)s->kind);
  for (uint32_t i = 0; i < s->n_exclude; i++) {
    h = sp_hash_combine(h, hash_sv(s->exclude[i], 7));
  }
  return h;
}

/* What the node is but for its children. */
static uint64_t hash_own(const sp_expr *e) {
  const uint64_t seed = (uint64_t)e->kind * 4 + e->try_cast * 2 + e->distinct;
  switch (e->kind) {
  case SP_EXPR_COLUMN:
  case SP_EXPR_ALIAS:
    return hash_sv(e->name, seed);
  case SP_EXPR_LITERAL:
    return sp_hash_combine(seed, sp_literal_hash(&e->literal));
  case SP_EXPR_CALL:
    return hash_sv(sp_sv_from(e->fn->name), seed);
  case SP_EXPR_CAST:
    return hash_sv(sp_sv_from(e->cast_to->name), seed);
  case SP_EXPR_SELECTOR:
    return sp_hash_combine(seed, hash_selector(e->selector));
  }
  return seed;
}

static uint32_t own_facts(const sp_expr *e) {
  switch (e->kind) {
  case SP_EXPR_COLUMN:
    return SP_EXPR_HAS_COLUMN | (e->facts & SP_EXPR_WAS_QUOTED);
  case SP_EXPR_SELECTOR:
    return SP_EXPR_HAS_COLUMN | SP_EXPR_HAS_SELECTOR;
  case SP_EXPR_CAST:
    return sp_cast_is_fallible(e) ? SP_EXPR_HAS_FALLIBLE : 0;
  case SP_EXPR_CALL: {
    const uint32_t f = e->fn->flags;
    /* What a call's types decide is not known before binding. */
    const bool fails =
        (f & SP_FN_FALLIBLE) != 0 || (e->fn->fallible != NULL && (e->type == NULL || e->fn->fallible(e)));
    return ((f & SP_FN_AGGREGATE) != 0 ? SP_EXPR_HAS_AGGREGATE : 0) |
           ((f & SP_FN_VOLATILE) != 0 ? SP_EXPR_HAS_VOLATILE : 0) | (fails ? SP_EXPR_HAS_FALLIBLE : 0);
  }
  case SP_EXPR_LITERAL:
  case SP_EXPR_ALIAS:
    return 0;
  }
  return 0;
}

/* Depth, hash and facts from the children's. False when too deep. */
static bool sum_up(sp_expr *e) {
  uint32_t depth = 0, facts = 0;
  uint64_t hash = sp_hash_combine(hash_own(e), e->n_args);
  for (uint32_t i = 0; i <= e->n_args; i++) {
    const sp_expr *c = i < e->n_args ? e->args[i] : e->filter;
    if (c != NULL) {
      depth = c->depth > depth ? c->depth : depth;
      facts |= c->facts & ~(uint32_t)SP_EXPR_WAS_QUOTED;
      hash = sp_hash_combine(hash, c->hash);
    }
  }
  e->depth = (uint16_t)(depth + 1);
  e->hash = hash;
  e->facts = (uint16_t)(facts | own_facts(e));
  return depth < SP_EXPR_MAX_DEPTH;
}

/* A NULL that is cast is a NULL of that type, and no cast. */
static void cast_null(sp_expr *e) {
  e->kind = SP_EXPR_LITERAL;
  e->literal = sp_value_null(e->cast_to);
  e->cast_to = NULL;
  e->try_cast = 0;
  e->args = NULL;
  e->n_args = 0;
}

sp_status sp_expr_new(sp_arena *a, const sp_expr *proto, const sp_expr **ret, sp_error *err) {
  if (proto->n_args > SP_EXPR_MAX_ARGS) {
    SP_FAIL(err, SP_LIMIT, NULL, "an expression has more than %d arguments", SP_EXPR_MAX_ARGS);
  }
  sp_expr *e = SP_ARENA_NEW(a, sp_expr);
  SP_TRY_ALLOC(err, e);
  *e = *proto;
  if (e->kind == SP_EXPR_CAST && e->args[0]->kind == SP_EXPR_LITERAL && e->args[0]->literal.is_null) {
    cast_null(e);
  }
  if (e->n_args > 0) {
    e->args = sp_arena_copy(a, proto->args, e->n_args * sizeof *e->args);
    SP_TRY_ALLOC(err, e->args);
  }
  if (!sum_up(e)) {
    SP_FAIL(err, SP_LIMIT, NULL, "an expression is nested deeper than %d levels", SP_EXPR_MAX_DEPTH);
  }
  *ret = e;
  return SP_OK;
}

/* For the makers that report failure as NULL; a NULL argument is an earlier failure passed on. */
static const sp_expr *make(sp_arena *a, const sp_expr *proto) {
  for (uint32_t i = 0; i < proto->n_args; i++) {
    if (proto->args[i] == NULL) {
      return NULL;
    }
  }
  const sp_expr *e = NULL;
  const sp_status st =
      proto->kind == SP_EXPR_CALL ? sp_expr_new_call(a, proto, &e, NULL) : sp_expr_new(a, proto, &e, NULL);
  return st == SP_OK ? e : NULL;
}

const sp_expr *sp_expr_column(sp_arena *a, sp_sv name, const sp_type *type) {
  const sp_sv copy = {sp_arena_strndup(a, name.p, name.n), name.n};
  return copy.p == NULL ? NULL : make(a, &(sp_expr){.kind = SP_EXPR_COLUMN, .name = copy, .type = type});
}

const sp_expr *sp_expr_literal(sp_arena *a, const sp_value *v) {
  sp_expr proto = {.kind = SP_EXPR_LITERAL, .literal = *v, .type = v->type};
  if (sp_type_is_bytes(v->type) && !v->is_null) {
    proto.literal.s.p = sp_arena_strndup(a, v->s.p, v->s.n);
    if (proto.literal.s.p == NULL) {
      return NULL;
    }
  }
  return make(a, &proto);
}

const sp_expr *sp_expr_bool(sp_arena *a, bool b) {
  const sp_value v = sp_value_bool(b);
  return sp_expr_literal(a, &v);
}

const sp_expr *sp_expr_call(sp_arena *a, const sp_function *fn, const sp_type *type,
                            const sp_expr *const *args, uint32_t n) {
  return make(a, &(sp_expr){.kind = SP_EXPR_CALL, .fn = fn, .type = type, .args = args, .n_args = n});
}

const sp_expr *sp_expr_call_named(sp_arena *a, const char *fn, const sp_type *type,
                                  const sp_expr *const *args, uint32_t n) {
  const sp_function *f = sp_function_find(sp_sv_from(fn));
  return f == NULL ? NULL : sp_expr_call(a, f, type, args, n);
}

const sp_expr *sp_expr_aggregate(sp_arena *a, const sp_function *fn, const sp_type *type,
                                 const sp_expr *const *args, uint32_t n, bool distinct,
                                 const sp_expr *filter) {
  return make(a, &(sp_expr){.kind = SP_EXPR_CALL,
                            .fn = fn,
                            .type = type,
                            .args = args,
                            .n_args = n,
                            .distinct = distinct,
                            .filter = filter});
}

const sp_expr *sp_expr_cast(sp_arena *a, const sp_expr *e, const sp_type *to, bool try_cast) {
  if (e == NULL) {
    return NULL;
  }
  return make(a, &(sp_expr){.kind = SP_EXPR_CAST,
                            .args = &e,
                            .n_args = 1,
                            .cast_to = to,
                            .type = e->type != NULL ? to : NULL,
                            .try_cast = try_cast,
                            .pos = e->pos,
                            .len = e->len,
                            .shift = e->shift});
}

const sp_expr *sp_expr_alias(sp_arena *a, const sp_expr *e, sp_sv name) {
  const sp_sv copy = {sp_arena_strndup(a, name.p, name.n), name.n};
  if (copy.p == NULL || e == NULL) {
    return NULL;
  }
  const sp_expr *inner = sp_expr_unalias(e);
  return make(a, &(sp_expr){.kind = SP_EXPR_ALIAS,
                            .args = &inner,
                            .n_args = 1,
                            .name = copy,
                            .type = inner->type,
                            .pos = e->pos,
                            .len = e->len,
                            .shift = e->shift});
}

const sp_expr *sp_expr_selector(sp_arena *a, const sp_selector *s) {
  sp_selector *copy = sp_arena_copy(a, s, sizeof *s);
  if (copy == NULL) {
    return NULL;
  }
  copy->pattern.p = sp_arena_strndup(a, s->pattern.p, s->pattern.n);
  sp_sv *exclude = SP_ARENA_ARRAY(a, sp_sv, s->n_exclude);
  if (copy->pattern.p == NULL || exclude == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < s->n_exclude; i++) {
    exclude[i] = (sp_sv){sp_arena_strndup(a, s->exclude[i].p, s->exclude[i].n), s->exclude[i].n};
    if (exclude[i].p == NULL) {
      return NULL;
    }
  }
  copy->exclude = exclude;
  return make(a, &(sp_expr){.kind = SP_EXPR_SELECTOR, .selector = copy});
}

static bool is_flat(const sp_function *fn) {
  return strcmp(fn->name, "and") == 0 || strcmp(fn->name, "or") == 0 || strcmp(fn->name, "concat") == 0;
}

static bool swallows(const sp_function *fn, const sp_expr *arg) {
  return arg->kind == SP_EXPR_CALL && arg->fn == fn && arg->filter == NULL && !arg->distinct;
}

sp_status sp_expr_new_call(sp_arena *a, const sp_expr *proto, const sp_expr **ret, sp_error *err) {
  if (!is_flat(proto->fn) || proto->filter != NULL || proto->distinct) {
    return sp_expr_new(a, proto, ret, err);
  }
  uint64_t total = 0;
  bool nested = false;
  for (uint32_t i = 0; i < proto->n_args; i++) {
    const bool swallowed = swallows(proto->fn, proto->args[i]);
    nested |= swallowed;
    total += swallowed ? proto->args[i]->n_args : 1;
  }
  if (!nested) {
    return sp_expr_new(a, proto, ret, err);
  }
  if (total > SP_EXPR_MAX_ARGS) {
    SP_FAIL(err, SP_LIMIT, NULL, "an expression has more than %d arguments", SP_EXPR_MAX_ARGS);
  }
  const sp_expr **flat = SP_ARENA_ARRAY(a, const sp_expr *, total);
  SP_TRY_ALLOC(err, flat);
  uint32_t n = 0;
  for (uint32_t i = 0; i < proto->n_args; i++) {
    const sp_expr *arg = proto->args[i];
    const bool swallowed = swallows(proto->fn, arg);
    const uint32_t k = swallowed ? arg->n_args : 1;
    if (k > 0) {
      memcpy(flat + n, swallowed ? arg->args : &arg, k * sizeof *flat);
    }
    n += k;
  }
  sp_expr whole = *proto;
  whole.args = flat;
  whole.n_args = n;
  return sp_expr_new(a, &whole, ret, err);
}

const sp_expr *sp_expr_and(sp_arena *a, const sp_expr *const *preds, uint32_t n) {
  if (n <= 1) {
    return n == 0 ? sp_expr_bool(a, true) : preds[0];
  }
  return sp_expr_call_named(a, "and", sp_type_of(SP_KIND_BOOL), preds, n);
}

const sp_expr *sp_expr_with_args(sp_arena *a, const sp_expr *e, const sp_expr *const *args,
                                 const sp_expr *filter) {
  sp_expr proto = *e;
  proto.args = args;
  proto.filter = filter;
  return make(a, &proto);
}

/* ---- places ---- */
sp_loc sp_expr_place(const sp_loc *loc, uint32_t pos, uint32_t shift) {
  if (loc == NULL) {
    return (sp_loc){.line = 1, .col = pos + 1};
  }
  sp_loc at = *loc;
  if (loc->pointer != NULL && loc->line > 0) {
    at.col = loc->col + 1 + pos + shift; /* behind the opening quote */
  } else {
    at.line = loc->line > 0 ? loc->line : 1;
    at.col = (loc->col > 0 ? loc->col : 1) + pos;
  }
  return at;
}

sp_loc sp_expr_place_of(const sp_loc *loc, const sp_expr *e) {
  if (e->len > 0) {
    return sp_expr_place(loc, e->pos, e->shift);
  }
  return loc != NULL ? *loc : (sp_loc){0};
}
