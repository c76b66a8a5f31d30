/* Names and types: from an expression as written to one that can run.
 *
 * Bottom up: arguments first, then literals take the others' types, then the function says which types it
 * takes and gives, and what differs becomes a CAST. Forms that mean two calls are written out here, so that
 * rules and kernels know only the parts: BETWEEN is two comparisons, IN with columns in its list is a chain
 * of =.
 *
 * Example, with d date and x int16: `d >= '1996-01-01' AND x BETWEEN 1 AND 70000` becomes
 * `d >= date '1996-01-01' AND x >= 1 AND CAST(x AS int64) <= 70000`. */
#include "expr/bind.h"

#include <stdarg.h>
#include <stdio.h>

#include "expr/coerce.h"
#include "expr/make.h"

typedef struct binder {
  sp_arena *arena;
  sp_arena scratch; /* argument lists while they are bound */
  const sp_schema *in;
  uint32_t flags;
  bool in_aggregate; /* inside an aggregate's arguments or filter */
  const sp_loc *loc;
  sp_error *err;
  sp_status status;
  sp_memo done; /* shared subtrees are bound once */
} binder;

static const sp_expr *bind_node(binder *b, const sp_expr *e);

/* ---- failing ---- */
__attribute__((format(printf, 4, 5), noinline)) static const sp_expr *
fail(binder *b, sp_status st, const sp_expr *e, const char *fmt, ...) {
  char message[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(message, sizeof message, fmt, ap);
  va_end(ap);
  const sp_loc at = sp_expr_place_of(b->loc, e);
  b->status = sp_error_set(b->err, st, &at, "%s", message);
  return NULL;
}

static const sp_expr *nomem(binder *b) {
  b->status = sp_error_nomem(b->err);
  return NULL;
}

/* Did a step succeed? Keeps its status. */
static bool ok(binder *b, sp_status st) {
  if (st != SP_OK) {
    b->status = st;
  }
  return st == SP_OK;
}

/* proto at the place of e. */
SP_APART static const sp_expr *node(binder *b, const sp_expr *e, const sp_expr *proto) {
  sp_expr whole = *proto;
  const sp_expr *made;
  whole.pos = e->pos;
  whole.len = e->len;
  whole.shift = e->shift;
  sp_error why = SP_ERROR_INIT;
  const sp_status st = whole.kind == SP_EXPR_CALL ? sp_expr_new_call(b->arena, &whole, &made, &why)
                                                  : sp_expr_new(b->arena, &whole, &made, &why);
  if (st == SP_NOMEM) {
    return nomem(b);
  }
  return st == SP_OK ? made : fail(b, st, e, "%s", why.message);
}

/* ---- leaves ---- */
SP_APART static const sp_expr *bind_column(binder *b, const sp_expr *e) {
  const int32_t i = sp_schema_find(b->in, e->name);
  if (i < 0) {
    const sp_loc at = sp_expr_place_of(b->loc, e);
    b->status = sp_schema_unknown(b->in, e->name, &at, b->err);
    if ((e->facts & SP_EXPR_WAS_QUOTED) != 0) {
      sp_error_hint(b->err, "double quotes name a column; a string is '%.60s'", e->name.p);
    }
    return NULL;
  }
  sp_expr proto = *e;
  proto.type = b->in->fields[i].type;
  return node(b, e, &proto);
}

SP_APART static const sp_expr *bind_literal(binder *b, const sp_expr *e) {
  sp_expr proto = *e;
  proto.type = e->literal.type;
  return node(b, e, &proto);
}

/* ---- calls ---- */
static const char *shown_name(const sp_function *f) {
  return f->symbol != NULL ? f->symbol : f->name;
}

SP_APART static bool check_arity(binder *b, const sp_expr *e) {
  const sp_function *f = e->fn;
  if (e->n_args >= f->min_args && e->n_args <= f->max_args) {
    return true;
  }
  char want[64];
  if (f->min_args == f->max_args) {
    snprintf(want, sizeof want, "%u argument%s", f->min_args, f->min_args == 1 ? "" : "s");
  } else if (f->max_args == UINT16_MAX) {
    snprintf(want, sizeof want, "at least %u argument%s", f->min_args, f->min_args == 1 ? "" : "s");
  } else {
    snprintf(want, sizeof want, "%u to %u arguments", f->min_args, f->max_args);
  }
  fail(b, SP_TYPE, e, "`%s` takes %s, got %u", f->name, want, e->n_args);
  if (f->summary != NULL) {
    sp_error_hint(b->err, "%s", f->summary);
  }
  return false;
}

/* What only aggregates may carry, and where they may stand. */
SP_APART static bool check_aggregate(binder *b, const sp_expr *e) {
  const bool aggregate = (e->fn->flags & SP_FN_AGGREGATE) != 0;
  if (!aggregate && (e->distinct || e->filter != NULL)) {
    fail(b, SP_INVALID, e, "%s is for aggregates; `%s` is none", e->distinct ? "DISTINCT" : "FILTER",
         e->fn->name);
    return false;
  }
  if (!aggregate) {
    return true;
  }
  if (b->in_aggregate) {
    fail(b, SP_INVALID, e, "the aggregate `%s` stands inside another aggregate", e->fn->name);
    return false;
  }
  if ((b->flags & SP_BIND_AGGREGATES) == 0) {
    fail(b, SP_INVALID, e, "the aggregate `%s` is not allowed here", e->fn->name);
    sp_error_hint(b->err, "aggregates belong into the `aggs` of a group_by");
    return false;
  }
  if (e->distinct && e->n_args == 0) {
    fail(b, SP_INVALID, e, "`%s(DISTINCT *)` has no argument that could be distinct", e->fn->name);
    return false;
  }
  return true;
}

/* The arguments brought to the types that the function's bind asks for. */
SP_APART static bool ask_function(binder *b, const sp_expr *e, const sp_function *f, const sp_expr **args,
                                  uint32_t n, const sp_type **ret) {
  const sp_loc at = sp_expr_place_of(b->loc, e);
  sp_binding binding = {.args = SP_ARENA_ARRAY(&b->scratch, const sp_type *, n)};
  if (binding.args == NULL) {
    nomem(b);
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    binding.args[i] = args[i]->type;
  }
  if (!ok(b, f->bind(f, args, n, b->arena, &binding, &at, b->err))) {
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    if (!sp_cast_exists(args[i]->type, binding.args[i])) {
      fail(b, SP_TYPE, args[i], "`%s` takes %s, got %s", shown_name(f), binding.args[i]->name,
           args[i]->type->name);
      return false;
    }
    args[i] = sp_expr_coerce(b->arena, args[i], binding.args[i]);
    if (args[i] == NULL) {
      nomem(b);
      return false;
    }
  }
  *ret = binding.result;
  return true;
}

/* CASE: the values, which are every second argument and the last, have one type. */
SP_APART static bool coerce_case(binder *b, const sp_expr **args, uint32_t n) {
  const sp_expr **values = SP_ARENA_ARRAY(&b->scratch, const sp_expr *, n);
  if (values == NULL) {
    nomem(b);
    return false;
  }
  uint32_t n_values = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (i % 2 == 1 || i + 1 == n) {
      values[n_values++] = args[i];
    }
  }
  if (!ok(b, sp_coerce_same(b->arena, values, n_values, "CASE", b->loc, b->err))) {
    return false;
  }
  n_values = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (i % 2 == 1 || i + 1 == n) {
      args[i] = values[n_values++];
    }
  }
  return true;
}

/* Literals take the types of the others, before the function is asked. */
SP_APART static bool coerce_literals(binder *b, const sp_function *f, const sp_expr **args, uint32_t n) {
  if (strcmp(f->name, "case") == 0) {
    return coerce_case(b, args, n);
  }
  if ((f->flags & SP_FN_SAME_TYPE) != 0) {
    return ok(b, sp_coerce_same(b->arena, args, n, shown_name(f), b->loc, b->err));
  }
  if ((f->flags & SP_FN_ARITHMETIC) != 0 && n == 2) {
    return ok(b, sp_coerce_arithmetic(b->arena, args, b->err));
  }
  return true;
}

/* A call of f with bound arguments, in the place of e. */
SP_APART static const sp_expr *call(binder *b, const sp_expr *e, const sp_function *f, const sp_expr **args,
                                    uint32_t n, const sp_expr *filter) {
  const sp_type *result = NULL;
  if (!coerce_literals(b, f, args, n) || !ask_function(b, e, f, args, n, &result)) {
    return NULL;
  }
  const sp_expr proto = {.kind = SP_EXPR_CALL,
                         .fn = f,
                         .args = args,
                         .n_args = n,
                         .type = result,
                         .distinct = e->fn == f ? e->distinct : 0,
                         .filter = filter};
  return node(b, e, &proto);
}

SP_APART static const sp_expr *call2(binder *b, const sp_expr *e, const char *fn, const sp_expr *x,
                                     const sp_expr *y) {
  const sp_function *f = sp_function_find(sp_sv_from(fn));
  const sp_expr *args[2] = {x, y};
  if (f == NULL) {
    return fail(b, SP_INTERNAL, e, "the function table has no `%s`", fn);
  }
  return x == NULL || y == NULL ? NULL : call(b, e, f, args, 2, NULL);
}

/* ---- forms that mean other calls ---- */
SP_APART static const sp_expr *bind_between(binder *b, const sp_expr *e, const sp_expr **args) {
  const sp_expr *low = call2(b, e, "ge", args[0], args[1]);
  const sp_expr *high = low != NULL ? call2(b, e, "le", args[0], args[2]) : NULL;
  return call2(b, e, "and", low, high);
}

/* A list's item without columns becomes a literal; one that fails to evaluate stays for the run. */
SP_APART static bool fold_item(binder *b, const sp_expr **item) {
  const sp_expr *e = *item;
  if (e->kind == SP_EXPR_LITERAL || sp_expr_has_column(e) || sp_expr_has_aggregate(e)) {
    return true;
  }
  bool folded = false;
  sp_value v;
  if (!ok(b, sp_expr_fold(e, b->arena, &folded, &v, b->err))) {
    return false;
  }
  if (folded) {
    *item = node(b, e, &(sp_expr){.kind = SP_EXPR_LITERAL, .literal = v, .type = v.type});
  }
  return *item != NULL;
}

/* The list sorted into literals, first, and others; *ret_literals of the former. */
SP_APART static bool sort_items(binder *b, const sp_expr **args, uint32_t n, uint32_t *ret_literals) {
  const sp_expr **others = SP_ARENA_ARRAY(&b->scratch, const sp_expr *, n);
  if (others == NULL) {
    nomem(b);
    return false;
  }
  uint32_t literals = 0, rest = 0;
  for (uint32_t i = 1; i < n; i++) {
    if (!fold_item(b, &args[i])) {
      return false;
    }
    if (args[i]->kind == SP_EXPR_LITERAL) {
      args[1 + literals++] = args[i];
    } else {
      others[rest++] = args[i];
    }
  }
  if (rest > 0) {
    memcpy(args + 1 + literals, others, rest * sizeof *args);
  }
  *ret_literals = literals;
  return true;
}

/* x IN (literals) stays; any other item is x = item beside it. */
SP_APART static const sp_expr *bind_in(binder *b, const sp_expr *e, const sp_expr **args, uint32_t n) {
  uint32_t literals = 0;
  const sp_expr *x = args[0];
  if (!sort_items(b, args, n, &literals)) {
    return NULL;
  }
  if (literals == n - 1 && n > 2) {
    if (!ok(b, sp_coerce_same(b->arena, args, n, "IN", b->loc, b->err)) ||
        !sort_items(b, args, n, &literals)) {
      return NULL;
    }
    if (literals == n - 1) {
      return call(b, e, e->fn, args, n, NULL);
    }
    x = args[0];
  }
  /* Some item is no literal, or there is only one. */
  const sp_function *or_fn = sp_function_find(SP_SV("or"));
  const sp_expr **parts = SP_ARENA_ARRAY(&b->scratch, const sp_expr *, n);
  uint32_t n_parts = 0, from = 1;
  if (parts == NULL || or_fn == NULL) {
    return nomem(b);
  }
  if (literals > 1) {
    const sp_expr **list = sp_arena_copy(&b->scratch, args, (literals + 1) * sizeof *list);
    if (list == NULL || !ok(b, sp_coerce_same(b->arena, list, literals + 1, "IN", b->loc, b->err))) {
      return list == NULL ? nomem(b) : NULL;
    }
    parts[n_parts++] = call(b, e, e->fn, list, literals + 1, NULL);
    if (parts[0] == NULL) {
      return NULL;
    }
    from = 1 + literals;
  }
  for (uint32_t i = from; i < n; i++) {
    parts[n_parts++] = call2(b, e, "eq", x, args[i]);
    if (parts[n_parts - 1] == NULL) {
      return NULL;
    }
  }
  return n_parts == 1 ? parts[0] : call(b, e, or_fn, parts, n_parts, NULL);
}

SP_APART static const sp_expr *finish_call(binder *b, const sp_expr *e, const sp_expr **args,
                                           const sp_expr *filter) {
  if (strcmp(e->fn->name, "between") == 0) {
    return bind_between(b, e, args);
  }
  if (strcmp(e->fn->name, "in") == 0) {
    return bind_in(b, e, args, e->n_args);
  }
  return call(b, e, e->fn, args, e->n_args, filter);
}

/* ---- the walk: small frames, for it recurses ---- */
SP_APART static bool check_predicate(binder *b, const sp_expr **e, const char *what) {
  const sp_type *boolean = sp_type_of(SP_KIND_BOOL);
  if ((*e)->type->kind == SP_KIND_NULL) {
    *e = sp_expr_coerce(b->arena, *e, boolean);
    if (*e == NULL) {
      nomem(b);
    }
    return *e != NULL;
  }
  if ((*e)->type != boolean) {
    fail(b, SP_TYPE, *e, "%s must be bool, got %s", what, (*e)->type->name);
    return false;
  }
  return true;
}

SP_APART static const sp_expr *bind_filter(binder *b, const sp_expr *e) {
  const sp_expr *filter = bind_node(b, e);
  return filter != NULL && check_predicate(b, &filter, "the predicate of FILTER") ? filter : NULL;
}

SP_APART static const sp_expr *bind_call(binder *b, const sp_expr *e) {
  if (!check_aggregate(b, e) || !check_arity(b, e)) {
    return NULL;
  }
  const sp_expr **args = SP_ARENA_ARRAY(&b->scratch, const sp_expr *, e->n_args);
  if (args == NULL) {
    return nomem(b);
  }
  const bool outer = b->in_aggregate;
  b->in_aggregate |= (e->fn->flags & SP_FN_AGGREGATE) != 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    args[i] = bind_node(b, e->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
  }
  const sp_expr *filter = NULL;
  if (e->filter != NULL) {
    filter = bind_filter(b, e->filter);
    if (filter == NULL) {
      return NULL;
    }
  }
  b->in_aggregate = outer;
  return finish_call(b, e, args, filter);
}

SP_APART static const sp_expr *make_cast(binder *b, const sp_expr *e, const sp_expr *x) {
  if (x->type == e->cast_to) {
    return x;
  }
  if (!sp_cast_exists(x->type, e->cast_to) && !(x->kind == SP_EXPR_LITERAL && x->literal.is_null)) {
    return fail(b, SP_TYPE, e, "there is no conversion of %s to %s", x->type->name, e->cast_to->name);
  }
  sp_expr proto = *e;
  proto.args = &x;
  proto.type = e->cast_to;
  return node(b, e, &proto);
}

static const sp_expr *bind_inner(binder *b, const sp_expr *e) {
  switch (e->kind) {
  case SP_EXPR_COLUMN:
    return bind_column(b, e);
  case SP_EXPR_LITERAL:
    return bind_literal(b, e);
  case SP_EXPR_CALL:
    return bind_call(b, e);
  case SP_EXPR_CAST: {
    const sp_expr *x = bind_node(b, e->args[0]);
    return x != NULL ? make_cast(b, e, x) : NULL;
  }
  case SP_EXPR_ALIAS:
    return fail(b, SP_INVALID, e, "an alias stands inside an expression");
  case SP_EXPR_SELECTOR:
    break;
  }
  return fail(b, SP_INVALID, e, "a selector of columns is not allowed here");
}

static const sp_expr *bind_node(binder *b, const sp_expr *e) {
  const sp_expr *done = sp_memo_get(&b->done, e);
  /* An aggregate bound before may stand inside another one now. */
  if (done != NULL && !(b->in_aggregate && sp_expr_has_aggregate(e))) {
    return done;
  }
  done = bind_inner(b, e);
  if (done != NULL && e->n_args > 0 && !sp_memo_put(&b->done, e, done)) {
    return nomem(b);
  }
  return done;
}

static const sp_expr *bind_outermost(binder *b, const sp_expr *e) {
  const sp_expr *x = bind_node(b, sp_expr_unalias(e));
  if (x == NULL || e->kind != SP_EXPR_ALIAS) {
    return x;
  }
  sp_expr proto = *e;
  proto.args = &x;
  proto.type = x->type;
  return node(b, e, &proto);
}

sp_status sp_expr_bind(sp_arena *a, const sp_expr *e, const sp_schema *in, uint32_t flags, const sp_loc *loc,
                       const sp_expr **ret, sp_error *err) {
  binder b = {.arena = a, .in = in, .flags = flags, .loc = loc, .err = err};
  sp_arena_init(&b.scratch, a->mem);
  sp_memo_init(&b.done, a->mem);
  const sp_expr *bound = bind_outermost(&b, e);
  sp_memo_release(&b.done);
  sp_arena_release(&b.scratch);
  if (bound == NULL) {
    return b.status;
  }
  *ret = bound;
  return SP_OK;
}

sp_status sp_expr_bind_as(sp_arena *a, const sp_expr *e, const sp_schema *in, uint32_t flags,
                          const sp_type *want, const char *what, const sp_loc *loc, const sp_expr **ret,
                          sp_error *err) {
  const sp_expr *x;
  SP_TRY(sp_expr_bind(a, sp_expr_unalias(e), in, flags, loc, &x, err));
  want = want != NULL ? want : sp_type_of(SP_KIND_BOOL);
  const bool literal = x->kind == SP_EXPR_LITERAL;
  if (x->type->kind == SP_KIND_NULL || (literal && sp_type_common(x->type, want) == want)) {
    x = sp_expr_coerce(a, x, want);
    SP_TRY_ALLOC(err, x);
  }
  if (x->type != want) {
    const sp_loc at = sp_expr_place_of(loc, x);
    sp_error_set(err, SP_TYPE, &at, "the %s must be %s, got %s", what, want->name, x->type->name);
    if (want->kind == SP_KIND_BOOL && sp_type_is_numeric(x->type)) {
      char text[SP_SNIPPET_SIZE];
      sp_expr_snippet(x, a->mem, text);
      sp_error_hint(err, "compare it: %s <> 0", text);
    }
    return SP_TYPE;
  }
  *ret = x;
  return SP_OK;
}
