/* Expressions as JSON objects, both ways, for plans that programs write.
 *
 * One object per node, told apart by its key: {"column"}, {"literal","type"},
 * {"call","args","distinct","filter"},
 * {"cast","to","try"}, {"alias","name"}, {"selector","pattern","exclude"}. A string is expression text.
 * Literals that JSON has no form for are written as text of their type.
 *
 * Example: price > 0.5 is {"call":"gt","args":[{"column":"price"},{"literal":0.5,"type":"float64"}]}. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "expr/coerce.h"
#include "expr/lex.h"
#include "expr/literal.h"
#include "expr/make.h"

typedef struct reader {
  sp_arena *arena;
  const sp_json_doc *doc;
  sp_error *err;
  sp_status status;
  uint32_t nest;
} reader;

static const sp_expr *read_expr(reader *r, const sp_json *v);

__attribute__((format(printf, 4, 5), noinline)) static const void *
fail(reader *r, sp_status st, const sp_json *v, const char *fmt, ...) {
  char message[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(message, sizeof message, fmt, ap);
  va_end(ap);
  const sp_loc at = sp_json_loc(r->doc, v, r->arena);
  r->status = sp_error_set(r->err, st, &at, "%s", message);
  return NULL;
}

static const void *nomem(reader *r) {
  r->status = sp_error_nomem(r->err);
  return NULL;
}

SP_APART static const sp_expr *node(reader *r, const sp_json *v, const sp_expr *proto) {
  sp_error why = SP_ERROR_INIT;
  const sp_expr *made;
  const sp_status st = proto->kind == SP_EXPR_CALL ? sp_expr_new_call(r->arena, proto, &made, &why)
                                                   : sp_expr_new(r->arena, proto, &made, &why);
  if (st == SP_NOMEM) {
    return nomem(r);
  }
  return st == SP_OK ? made : fail(r, st, v, "%s", why.message);
}

/* ---- members ---- */
typedef struct shape {
  const char *key; /* the one that tells the kind */
  const char *others[4];
} shape;

static const shape shapes[] = {
    {"column", {NULL}},      {"literal", {"type"}}, {"call", {"args", "distinct", "filter"}},
    {"cast", {"to", "try"}}, {"alias", {"name"}},   {"selector", {"pattern", "exclude"}}};
#define N_SHAPES (sizeof shapes / sizeof shapes[0])

static sp_sv shape_key(const void *ctx, uint32_t i) {
  const shape *s = ctx;
  if (s == NULL) {
    return sp_sv_from(shapes[i].key);
  }
  return sp_sv_from(i == 0 ? s->key : s->others[i - 1]);
}

static uint32_t shape_keys(const shape *s) {
  uint32_t n = 1;
  while (n <= 4 && s->others[n - 1] != NULL) {
    n++;
  }
  return n;
}

SP_APART static const void *unknown_key(reader *r, const sp_json *m, const shape *s) {
  char near[200];
  sp_loc at = sp_json_loc(r->doc, m, r->arena);
  r->status = sp_error_set(r->err, SP_INVALID, &at, "unknown key `%.100s` in an expression", m->key.p);
  if (sp_nearest_names(m->key, s != NULL ? shape_keys(s) : N_SHAPES, shape_key, s, near, sizeof near)) {
    sp_error_hint(r->err, "did you mean %s?", near);
  } else if (s == NULL) {
    sp_error_hint(r->err,
                  "an expression is text or an object with column, literal, call, cast, alias or selector");
  }
  return NULL;
}

/* The shape that the object has; all its members belong to it. */
SP_APART static const shape *shape_of(reader *r, const sp_json *v) {
  const shape *s = NULL;
  for (size_t i = 0; i < N_SHAPES && s == NULL; i++) {
    s = sp_json_get(v, shapes[i].key) != NULL ? &shapes[i] : NULL;
  }
  if (s == NULL && v->first == NULL) {
    return fail(r, SP_INVALID, v, "an expression object is empty");
  }
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    bool known = false;
    for (uint32_t k = 0; s != NULL && k < shape_keys(s); k++) {
      known |= sp_sv_eq(m->key, shape_key(s, k));
    }
    if (!known) {
      return unknown_key(r, m, s);
    }
  }
  return s;
}

SP_APART static const sp_json *string_member(reader *r, const sp_json *v, const char *key) {
  const sp_json *m = sp_json_get(v, key);
  if (m == NULL) {
    return fail(r, SP_INVALID, v, "an expression object lacks the key `%s`", key);
  }
  return m->kind == SP_JSON_STRING
             ? m
             : fail(r, SP_INVALID, m, "`%s` must be a string, got %s", key, sp_json_kind_name(m->kind));
}

/* false when absent. */
static bool bool_member(reader *r, const sp_json *v, const char *key, bool *ret) {
  const sp_json *m = sp_json_get(v, key);
  *ret = false;
  if (m == NULL) {
    return true;
  }
  if (m->kind != SP_JSON_BOOL) {
    fail(r, SP_INVALID, m, "`%s` must be true or false, got %s", key, sp_json_kind_name(m->kind));
    return false;
  }
  *ret = m->b;
  return true;
}

static const sp_type *type_member(reader *r, const sp_json *v, const char *key) {
  const sp_json *m = string_member(r, v, key);
  if (m == NULL) {
    return NULL;
  }
  const sp_type *t = sp_type_parse(m->str);
  return t != NULL ? t : fail(r, SP_NOT_FOUND, m, "unknown type `%.100s`", m->str.p);
}

/* ---- literals ---- */
/* By JSON's own kind; false for arrays and objects. */
static bool plain_value(const sp_json *v, sp_value *ret) {
  switch (v->kind) {
  case SP_JSON_NULL:
    *ret = sp_value_null(sp_type_of(SP_KIND_NULL));
    return true;
  case SP_JSON_BOOL:
    *ret = sp_value_bool(v->b);
    return true;
  case SP_JSON_INT:
    *ret = sp_value_int(sp_type_of(SP_KIND_INT64), v->i);
    return true;
  case SP_JSON_UINT:
    *ret = (sp_value){.type = sp_type_of(SP_KIND_UINT64), .u = v->u};
    return true;
  case SP_JSON_NUMBER:
    *ret = sp_value_float(sp_type_of(SP_KIND_FLOAT64), v->num);
    return isfinite(v->num);
  case SP_JSON_STRING:
    *ret = sp_value_str(v->str);
    return true;
  case SP_JSON_ARRAY:
  case SP_JSON_OBJECT:
  case SP_JSON_INTS:
    break;
  }
  return false;
}

static bool hex_value(reader *r, sp_sv s, sp_value *ret) {
  char *out = s.n % 2 == 0 ? sp_arena_alloc(r->arena, s.n / 2 + 1) : NULL;
  if (out == NULL) {
    if (s.n % 2 == 0) {
      nomem(r);
    }
    return false;
  }
  for (size_t i = 0; i < s.n; i++) {
    const int digit = sp_lex_hex_digit(s.p[i]);
    if (digit < 0) {
      return false;
    }
    out[i / 2] = (char)(out[i / 2] * 16 + digit);
  }
  *ret = (sp_value){.type = sp_type_of(SP_KIND_BINARY), .s = {out, s.n / 2}};
  return true;
}

static bool typed_value(reader *r, const sp_json *v, const sp_type *t, sp_value *ret) {
  sp_value plain;
  if (v->kind == SP_JSON_STRING) {
    return t->kind == SP_KIND_BINARY ? hex_value(r, v->str, ret) : sp_literal_of_text(v->str, t, ret);
  }
  /* A decimal has the digits that were written, not those of a double. */
  if (v->kind == SP_JSON_NUMBER && t->family == SP_FAMILY_DECIMAL) {
    return sp_literal_of_text(v->str, t, ret);
  }
  return plain_value(v, &plain) && (plain.is_null || !sp_type_is_bytes(t)) &&
         sp_value_cast_exact(&plain, t, r->arena, ret);
}

SP_APART static const sp_expr *read_literal(reader *r, const sp_json *v) {
  const sp_json *m = sp_json_get(v, "literal");
  sp_value value;
  if (sp_json_get(v, "type") == NULL) {
    if (!plain_value(m, &value)) {
      return fail(r, SP_INVALID, m, "a literal must be null, true, false, a number or a string, got %s",
                  sp_json_kind_name(m->kind));
    }
  } else {
    const sp_type *t = type_member(r, v, "type");
    if (t == NULL) {
      return NULL;
    }
    if (!typed_value(r, m, t, &value)) {
      return r->status != SP_OK ? NULL : fail(r, SP_TYPE, m, "the literal is not a valid %s", t->name);
    }
  }
  return node(r, v, &(sp_expr){.kind = SP_EXPR_LITERAL, .literal = value});
}

/* ---- other leaves ---- */
SP_APART static const sp_expr *read_column(reader *r, const sp_json *v) {
  const sp_json *m = string_member(r, v, "column");
  return m == NULL ? NULL : node(r, v, &(sp_expr){.kind = SP_EXPR_COLUMN, .name = m->str});
}

static bool read_exclude(reader *r, const sp_json *v, sp_selector *s) {
  const sp_json *m = sp_json_get(v, "exclude");
  if (m == NULL) {
    return true;
  }
  if (m->kind != SP_JSON_ARRAY) {
    fail(r, SP_INVALID, m, "`exclude` must be an array of names, got %s", sp_json_kind_name(m->kind));
    return false;
  }
  sp_sv *names = SP_ARENA_ARRAY(r->arena, sp_sv, m->n);
  if (names == NULL) {
    nomem(r);
    return false;
  }
  for (const sp_json *x = m->first; x != NULL; x = x->next) {
    if (x->kind != SP_JSON_STRING) {
      fail(r, SP_INVALID, x, "`exclude` must be an array of names, got %s in it", sp_json_kind_name(x->kind));
      return false;
    }
    names[s->n_exclude++] = x->str;
  }
  s->exclude = names;
  return true;
}

static const char *const selector_kinds[] = {
    [SP_SELECT_ALL] = "*", [SP_SELECT_REGEX] = "regex", [SP_SELECT_TYPE] = "type"};

SP_APART static const sp_expr *read_selector(reader *r, const sp_json *v) {
  const sp_json *m = string_member(r, v, "selector");
  uint32_t kind = SP_SELECT_ALL;
  if (m == NULL) {
    return NULL;
  }
  while (kind <= SP_SELECT_TYPE && !sp_sv_eq(m->str, sp_sv_from(selector_kinds[kind]))) {
    kind++;
  }
  if (kind > SP_SELECT_TYPE) {
    return fail(r, SP_INVALID, m, "`selector` must be \"*\", \"regex\" or \"type\", got \"%.60s\"", m->str.p);
  }
  sp_selector *s = SP_ARENA_NEW(r->arena, sp_selector);
  if (s == NULL) {
    return nomem(r);
  }
  s->kind = (sp_selector_kind)kind;
  s->pattern = SP_SV("");
  if (kind != SP_SELECT_ALL) {
    const sp_json *pattern = string_member(r, v, "pattern");
    if (pattern == NULL) {
      return NULL;
    }
    s->pattern = pattern->str;
  }
  return read_exclude(r, v, s) ? node(r, v, &(sp_expr){.kind = SP_EXPR_SELECTOR, .selector = s}) : NULL;
}

/* ---- inner nodes ---- */
/* {"selector":"*"} alone in an aggregate that can do without arguments counts rows. */
static bool is_star(const sp_expr *e) {
  return e->kind == SP_EXPR_SELECTOR && e->selector->kind == SP_SELECT_ALL && e->selector->n_exclude == 0;
}

SP_APART static const sp_expr *make_call(reader *r, const sp_json *v, const sp_function *fn,
                                         const sp_expr **args, uint32_t n, const sp_expr *filter) {
  bool distinct;
  if (!bool_member(r, v, "distinct", &distinct)) {
    return NULL;
  }
  const bool rows = n == 1 && fn->min_args == 0 && (fn->flags & SP_FN_AGGREGATE) != 0 && is_star(args[0]);
  return node(r, v,
              &(sp_expr){.kind = SP_EXPR_CALL,
                         .fn = fn,
                         .args = args,
                         .n_args = rows ? 0 : n,
                         .distinct = distinct,
                         .filter = filter});
}

SP_APART static const sp_function *read_function(reader *r, const sp_json *v) {
  const sp_json *m = string_member(r, v, "call");
  if (m == NULL) {
    return NULL;
  }
  const sp_function *fn = sp_function_find(m->str);
  if (fn == NULL) {
    const sp_loc at = sp_json_loc(r->doc, m, r->arena);
    r->status = sp_function_unknown(m->str, &at, r->err);
  }
  return fn;
}

SP_APART static const sp_expr *read_call(reader *r, const sp_json *v) {
  const sp_function *fn = read_function(r, v);
  if (fn == NULL) {
    return NULL;
  }
  const sp_json *list = sp_json_get(v, "args");
  if (list != NULL && list->kind != SP_JSON_ARRAY) {
    return fail(r, SP_INVALID, list, "`args` must be an array, got %s", sp_json_kind_name(list->kind));
  }
  const sp_expr **args = SP_ARENA_ARRAY(r->arena, const sp_expr *, list != NULL ? list->n : 0);
  if (args == NULL) {
    return nomem(r);
  }
  uint32_t n = 0;
  for (const sp_json *x = list != NULL ? list->first : NULL; x != NULL; x = x->next) {
    args[n] = read_expr(r, x);
    if (args[n++] == NULL) {
      return NULL;
    }
  }
  const sp_expr *filter = NULL;
  if (sp_json_get(v, "filter") != NULL) {
    filter = read_expr(r, sp_json_get(v, "filter"));
    if (filter == NULL) {
      return NULL;
    }
  }
  return make_call(r, v, fn, args, n, filter);
}

SP_APART static const sp_expr *make_cast(reader *r, const sp_json *v, const sp_expr *x) {
  const sp_type *to = type_member(r, v, "to");
  bool try_cast;
  if (to == NULL || !bool_member(r, v, "try", &try_cast)) {
    return NULL;
  }
  return node(r, v,
              &(sp_expr){.kind = SP_EXPR_CAST, .args = &x, .n_args = 1, .cast_to = to, .try_cast = try_cast});
}

SP_APART static const sp_expr *make_alias(reader *r, const sp_json *v, const sp_expr *x) {
  const sp_json *m = string_member(r, v, "name");
  if (m == NULL) {
    return NULL;
  }
  if (r->nest > 1 || x->kind == SP_EXPR_ALIAS) {
    return fail(r, SP_INVALID, v, "an alias stands inside an expression");
  }
  return node(r, v, &(sp_expr){.kind = SP_EXPR_ALIAS, .args = &x, .n_args = 1, .name = m->str});
}

/* Text inside an object: a part of an expression, so without alias. */
SP_APART static const sp_expr *read_text(reader *r, const sp_json *v) {
  const sp_loc at = sp_json_loc(r->doc, v, r->arena);
  const sp_expr *e = NULL;
  if (at.pointer[0] == '\0' && v != r->doc->root) {
    return nomem(r); /* only the root has no pointer */
  }
  r->status = sp_expr_parse(r->arena, v->str, &at, &e, r->err);
  if (r->status != SP_OK) {
    return NULL;
  }
  return r->nest > 1 && e->kind == SP_EXPR_ALIAS
             ? fail(r, SP_INVALID, v, "an alias stands inside an expression")
             : e;
}

static const sp_expr *read_object(reader *r, const sp_json *v) {
  const shape *s = shape_of(r, v);
  if (s == NULL) {
    return NULL;
  }
  const sp_expr *x;
  switch (s - shapes) {
  case 0:
    return read_column(r, v);
  case 1:
    return read_literal(r, v);
  case 2:
    return read_call(r, v);
  case 3:
    x = read_expr(r, sp_json_get(v, "cast"));
    return x != NULL ? make_cast(r, v, x) : NULL;
  case 4:
    x = read_expr(r, sp_json_get(v, "alias"));
    return x != NULL ? make_alias(r, v, x) : NULL;
  default:
    return read_selector(r, v);
  }
}

static const sp_expr *read_expr(reader *r, const sp_json *v) {
  if (r->nest >= SP_EXPR_MAX_DEPTH) {
    return fail(r, SP_LIMIT, v, "an expression is nested deeper than %d levels", SP_EXPR_MAX_DEPTH);
  }
  r->nest++;
  const sp_expr *e = v->kind == SP_JSON_STRING ? read_text(r, v)
                     : v->kind == SP_JSON_OBJECT
                         ? read_object(r, v)
                         : fail(r, SP_INVALID, v, "an expression must be text or an object, got %s",
                                sp_json_kind_name(v->kind));
  r->nest--;
  return e;
}

sp_status sp_expr_from_json(sp_arena *a, const sp_json_doc *d, const sp_json *v, const sp_expr **ret,
                            sp_error *err) {
  reader r = {.arena = a, .doc = d, .err = err};
  const sp_expr *e = read_expr(&r, v);
  if (e == NULL) {
    return r.status;
  }
  *ret = e;
  return SP_OK;
}

/* ---- writing ---- */
static void write_text_value(const sp_value *v, sp_jw *w) {
  sp_str text;
  sp_str_init(&text, w->out->mem, (size_t)1 << 28);
  if (v->type->kind == SP_KIND_BINARY) {
    for (size_t i = 0; i < v->s.n; i++) {
      sp_str_addf(&text, "%02x", (unsigned char)v->s.p[i]);
    }
  } else if (v->type->kind == SP_KIND_INTERVAL) {
    sp_str_addf(&text, "%d months %d days %lld us", v->iv.months, v->iv.days, (long long)v->iv.us);
  } else {
    sp_value_text(v, &text);
  }
  const bool number = v->type->family == SP_FAMILY_TEMPORAL && v->type->kind != SP_KIND_INTERVAL;
  sp_value back;
  if (!sp_str_ok(&text)) {
    w->out->status = text.status;
    sp_jw_null(w); /* keeps the writer's order; nobody sees it */
  } else if (number && (!sp_literal_of_text((sp_sv){text.p, text.n}, v->type, &back) || back.i != v->i)) {
    sp_jw_int(w, v->i); /* a date past year 9999 */
  } else {
    sp_jw_str(w, (sp_sv){text.p, text.n});
  }
  sp_str_release(&text);
}

SP_APART static void write_literal(const sp_value *v, sp_jw *w) {
  sp_jw_key(w, "literal");
  if (v->is_null) {
    sp_jw_null(w);
  } else if (v->type->family == SP_FAMILY_BOOL) {
    sp_jw_bool(w, v->b);
  } else if (v->type->family == SP_FAMILY_SIGNED) {
    sp_jw_int(w, v->i);
  } else if (v->type->family == SP_FAMILY_UNSIGNED) {
    sp_jw_uint(w, v->u);
  } else if (sp_type_is_float(v->type) && isfinite(v->f)) {
    sp_jw_double(w, v->f);
  } else {
    write_text_value(v, w);
  }
  sp_jw_key(w, "type");
  sp_jw_cstr(w, v->type->name);
}

SP_APART static void write_call(const sp_expr *e, sp_jw *w) {
  sp_jw_key(w, "call");
  sp_jw_cstr(w, e->fn->name);
  sp_jw_key(w, "args");
  sp_jw_open(w, '[');
  for (uint32_t i = 0; i < e->n_args && sp_str_ok(w->out); i++) {
    sp_expr_to_json(e->args[i], w);
  }
  sp_jw_close(w, ']');
  if (e->distinct) {
    sp_jw_key(w, "distinct");
    sp_jw_bool(w, true);
  }
  if (e->filter != NULL) {
    sp_jw_key(w, "filter");
    sp_expr_to_json(e->filter, w);
  }
}

SP_APART static void write_selector(const sp_selector *s, sp_jw *w) {
  sp_jw_key(w, "selector");
  sp_jw_cstr(w, selector_kinds[s->kind]);
  if (s->kind != SP_SELECT_ALL) {
    sp_jw_key(w, "pattern");
    sp_jw_str(w, s->pattern);
  }
  if (s->n_exclude > 0) {
    sp_jw_key(w, "exclude");
    sp_jw_open(w, '[');
    for (uint32_t i = 0; i < s->n_exclude; i++) {
      sp_jw_str(w, s->exclude[i]);
    }
    sp_jw_close(w, ']');
  }
}

static void write_members(const sp_expr *e, sp_jw *w) {
  switch (e->kind) {
  case SP_EXPR_COLUMN:
    sp_jw_key(w, "column");
    sp_jw_str(w, e->name);
    break;
  case SP_EXPR_LITERAL:
    write_literal(&e->literal, w);
    break;
  case SP_EXPR_CALL:
    write_call(e, w);
    break;
  case SP_EXPR_CAST:
    sp_jw_key(w, "cast");
    sp_expr_to_json(e->args[0], w);
    sp_jw_key(w, "to");
    sp_jw_cstr(w, e->cast_to->name);
    if (e->try_cast) {
      sp_jw_key(w, "try");
      sp_jw_bool(w, true);
    }
    break;
  case SP_EXPR_ALIAS:
    sp_jw_key(w, "alias");
    sp_expr_to_json(e->args[0], w);
    sp_jw_key(w, "name");
    sp_jw_str(w, e->name);
    break;
  case SP_EXPR_SELECTOR:
    write_selector(e->selector, w);
    break;
  }
}

void sp_expr_to_json(const sp_expr *e, sp_jw *w) {
  sp_jw_open(w, '{');
  if (sp_str_ok(w->out)) {
    write_members(e, w);
  }
  sp_jw_close(w, '}');
}
