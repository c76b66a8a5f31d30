/* Selectors become columns.
 *
 * One selector stands for the columns it matches, in the schema's order. Inside a call that takes any number
 * of arguments side by side (*_horizontal, coalesce, concat) the argument around it is repeated in the call;
 * elsewhere the whole expression is repeated.
 *
 * Example over (a, b): `* * 2` gives a * 2 and b * 2; all_horizontal(is_not_null(*)) gives
 * all_horizontal(a IS NOT NULL, b IS NOT NULL), once. */
#include <regex.h>
#include <stdio.h>

#include "expr/bind.h"
#include "expr/lex.h"
#include "expr/make.h"

/* A POSIX regex compiles bounds like {1,255} by copying and matches back-references by trying: both are
 * bounded here. */
#define REGEX_MAX 1000
#define REGEX_COPIES_MAX 1000

typedef struct expansion {
  sp_arena *arena;
  const sp_schema *in;
  const sp_loc *loc;
  sp_error *err;
  const sp_expr *selector;   /* the one there is */
  const sp_expr *horizontal; /* the innermost call around it that takes it as arguments, or NULL */
  const sp_field **matched;
  uint32_t n_matched;
} expansion;

/* ---- finding the selector ---- */
typedef struct search {
  const sp_expr *found, *second, *horizontal;
  sp_recent seen;
} search;

static bool is_horizontal(const sp_expr *e) {
  return e->kind == SP_EXPR_CALL && (e->fn->flags & SP_FN_HORIZONTAL) != 0;
}

static void find_selector(const sp_expr *e, const sp_expr *around, search *s) {
  if ((e->facts & SP_EXPR_HAS_SELECTOR) == 0 || s->second != NULL) {
    return;
  }
  if (e->kind == SP_EXPR_SELECTOR) {
    s->second = s->found != NULL && s->found != e ? e : NULL;
    s->found = s->found != NULL ? s->found : e;
    s->horizontal = around;
    return;
  }
  const uint32_t slot = sp_recent_slot(e);
  if (s->seen.keys[slot] == e) {
    return;
  }
  s->seen.keys[slot] = e;
  around = is_horizontal(e) ? e : around;
  for (uint32_t i = 0; i < e->n_args; i++) {
    find_selector(e->args[i], around, s);
  }
  if (e->filter != NULL) {
    find_selector(e->filter, around, s);
  }
}

/* ---- matching ---- */
/* Bounds multiply when nested; taking the product of all is simple and safe. */
static bool regex_is_modest(sp_sv r) {
  uint64_t copies = 1;
  for (size_t i = 0; i < r.n; i++) {
    if (r.p[i] == '\\' && i + 1 < r.n) {
      i++;
      if (r.p[i] >= '0' && r.p[i] <= '9') {
        return false;
      }
    } else if (r.p[i] == '{') {
      uint64_t most = 1, number = 0;
      for (i++; i < r.n && r.p[i] != '}'; i++) {
        number =
            r.p[i] >= '0' && r.p[i] <= '9' && number < 100000 ? number * 10 + (uint64_t)(r.p[i] - '0') : 0;
        most = number > most ? number : most;
      }
      copies *= most;
      if (copies > REGEX_COPIES_MAX) {
        return false;
      }
    }
  }
  return r.n <= REGEX_MAX;
}

static sp_status compile_regex(const expansion *x, sp_sv pattern, regex_t *ret) {
  const sp_loc at = sp_expr_place_of(x->loc, x->selector);
  if (!regex_is_modest(pattern)) {
    SP_FAIL(x->err, SP_LIMIT, &at, "the pattern of COLUMNS is too long, repeats too much or refers back");
  }
  const int rc = memchr(pattern.p, '\0', pattern.n) != NULL
                     ? REG_BADPAT
                     : regcomp(ret, pattern.p, REG_EXTENDED | REG_NOSUB);
  if (rc == REG_ESPACE) {
    return sp_error_nomem(x->err);
  }
  if (rc != 0) {
    char why[100];
    regerror(rc, NULL, why, sizeof why);
    SP_FAIL(x->err, SP_INVALID, &at, "'%.100s' is not a regular expression: %s", pattern.p, why);
  }
  return SP_OK;
}

static bool matches_type(const sp_type *t, sp_sv pattern) {
  if (sp_lex_word_is(pattern, "numeric")) {
    return sp_type_is_numeric(t);
  }
  if (sp_lex_word_is(pattern, "integer")) {
    return sp_type_is_int(t);
  }
  if (sp_lex_word_is(pattern, "float")) {
    return sp_type_is_float(t);
  }
  if (sp_lex_word_is(pattern, "temporal")) {
    return t->family == SP_FAMILY_TEMPORAL;
  }
  return t == sp_type_parse(pattern);
}

static bool is_excluded(const sp_selector *s, sp_sv name) {
  for (uint32_t i = 0; i < s->n_exclude; i++) {
    if (sp_sv_eq(s->exclude[i], name)) {
      return true;
    }
  }
  return false;
}

static bool matches(const sp_selector *s, const regex_t *regex, const sp_field *f) {
  switch (s->kind) {
  case SP_SELECT_ALL:
    return true;
  case SP_SELECT_REGEX:
    return regexec(regex, f->name.p, 0, NULL, 0) == 0;
  case SP_SELECT_TYPE:
    return matches_type(f->type, s->pattern);
  }
  return false;
}

static sp_status check_excluded(const expansion *x, const sp_selector *s) {
  for (uint32_t i = 0; i < s->n_exclude; i++) {
    if (sp_schema_find(x->in, s->exclude[i]) < 0) {
      const sp_loc at = sp_expr_place_of(x->loc, x->selector);
      return sp_schema_unknown(x->in, s->exclude[i], &at, x->err);
    }
  }
  return SP_OK;
}

static sp_status match(expansion *x) {
  const sp_selector *s = x->selector->selector;
  regex_t regex;
  SP_TRY(check_excluded(x, s));
  x->matched = SP_ARENA_ARRAY(x->arena, const sp_field *, x->in->n);
  SP_TRY_ALLOC(x->err, x->matched);
  if (s->kind == SP_SELECT_REGEX) {
    SP_TRY(compile_regex(x, s->pattern, &regex));
  }
  for (uint32_t i = 0; i < x->in->n; i++) {
    if (matches(s, &regex, &x->in->fields[i]) && !is_excluded(s, x->in->fields[i].name)) {
      x->matched[x->n_matched++] = &x->in->fields[i];
    }
  }
  if (s->kind == SP_SELECT_REGEX) {
    regfree(&regex);
  }
  if (x->n_matched == 0) {
    const sp_loc at = sp_expr_place_of(x->loc, x->selector);
    char text[400] = "";
    const char *whole = sp_expr_text(x->selector, x->arena);
    SP_TRY_ALLOC(x->err, whole);
    snprintf(text, sizeof text, "%.300s", whole);
    SP_FAIL(x->err, SP_NOT_FOUND, &at, "`%s` matches none of the %u columns", text, x->in->n);
  }
  return SP_OK;
}

/* ---- replacing ---- */
typedef struct replacement {
  const expansion *x;
  const sp_expr *column; /* for the selector */
  sp_memo done;
  sp_arena scratch;
  sp_status status;
} replacement;

static const sp_expr *replace(replacement *r, const sp_expr *e);

static sp_status two_selectors(const expansion *x, const sp_expr *second) {
  const sp_loc at = sp_expr_place_of(x->loc, second);
  SP_FAIL(x->err, SP_INVALID, &at, "one expression has two selectors");
}

static const sp_expr *failed(replacement *r, sp_status st) {
  r->status = st;
  return NULL;
}

/* e with other arguments. */
SP_APART static const sp_expr *remake(replacement *r, const sp_expr *e, const sp_expr *const *args,
                                      uint32_t n, const sp_expr *filter) {
  sp_expr proto = *e;
  const sp_expr *made;
  proto.args = args;
  proto.n_args = n;
  proto.filter = filter;
  const sp_status st = e->kind == SP_EXPR_CALL ? sp_expr_new_call(r->x->arena, &proto, &made, r->x->err)
                                               : sp_expr_new(r->x->arena, &proto, &made, r->x->err);
  return st == SP_OK ? made : failed(r, st);
}

SP_APART static const sp_expr *rebuild(replacement *r, const sp_expr *e) {
  const sp_expr **args = SP_ARENA_ARRAY(&r->scratch, const sp_expr *, e->n_args);
  if (args == NULL) {
    return failed(r, sp_error_nomem(r->x->err));
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    args[i] = replace(r, e->args[i]);
    if (args[i] == NULL) {
      return NULL;
    }
  }
  const sp_expr *filter = e->filter;
  if (filter != NULL) {
    filter = replace(r, filter);
    if (filter == NULL) {
      return NULL;
    }
  }
  return remake(r, e, args, e->n_args, filter);
}

static const sp_expr *expand_call(replacement *r, const sp_expr *e);

static const sp_expr *replace(replacement *r, const sp_expr *e) {
  if ((e->facts & SP_EXPR_HAS_SELECTOR) == 0) {
    return e;
  }
  if (e->kind == SP_EXPR_SELECTOR) {
    /* Without a column only the horizontal call is looked for; a selector beside it would be a second one. */
    return r->column != NULL ? r->column : failed(r, two_selectors(r->x, e));
  }
  const sp_expr *done = sp_memo_get(&r->done, e);
  if (done == NULL) {
    done = e == r->x->horizontal && r->column == NULL ? expand_call(r, e) : rebuild(r, e);
    if (done != NULL && !sp_memo_put(&r->done, e, done)) {
      return failed(r, sp_error_nomem(r->x->err));
    }
  }
  return done;
}

SP_APART static const sp_expr *column_of(const expansion *x, const sp_field *f) {
  const sp_expr proto = {.kind = SP_EXPR_COLUMN,
                         .name = f->name,
                         .pos = x->selector->pos,
                         .len = x->selector->len,
                         .shift = x->selector->shift};
  const sp_expr *made = NULL;
  return sp_expr_new(x->arena, &proto, &made, x->err) == SP_OK ? made : NULL;
}

/* arg once, with the selector replaced by one column. */
SP_APART static const sp_expr *with_column(const expansion *x, const sp_expr *arg, const sp_field *f,
                                           sp_status *st) {
  replacement r = {.x = x, .column = column_of(x, f)};
  if (r.column == NULL) {
    *st = SP_NOMEM;
    return NULL;
  }
  sp_memo_init(&r.done, x->arena->mem);
  sp_arena_init(&r.scratch, x->arena->mem);
  const sp_expr *e = replace(&r, arg);
  sp_arena_release(&r.scratch);
  sp_memo_release(&r.done);
  *st = r.status;
  return e;
}

/* The horizontal call: its argument with the selector once per column. */
SP_APART static const sp_expr *expand_call(replacement *r, const sp_expr *e) {
  const uint32_t columns = r->x->n_matched;
  uint64_t total = 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    total += (e->args[i]->facts & SP_EXPR_HAS_SELECTOR) == 0 ? 1 : columns;
  }
  const sp_expr **args = SP_ARENA_ARRAY(&r->scratch, const sp_expr *, total);
  if (args == NULL) {
    return failed(r, sp_error_nomem(r->x->err));
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    if ((e->args[i]->facts & SP_EXPR_HAS_SELECTOR) == 0) {
      args[n++] = e->args[i];
      continue;
    }
    for (uint32_t k = 0; k < columns; k++) {
      args[n++] = with_column(r->x, e->args[i], r->x->matched[k], &r->status);
      if (args[n - 1] == NULL) {
        return NULL;
      }
    }
  }
  return remake(r, e, args, n, e->filter);
}

static sp_status expand_horizontal(const expansion *x, const sp_expr *e, const sp_expr **ret) {
  replacement r = {.x = x};
  sp_memo_init(&r.done, x->arena->mem);
  sp_arena_init(&r.scratch, x->arena->mem);
  *ret = replace(&r, e);
  sp_arena_release(&r.scratch);
  sp_memo_release(&r.done);
  return r.status;
}

static sp_status expand_whole(const expansion *x, const sp_expr *e, const sp_expr **out) {
  if (e->kind == SP_EXPR_ALIAS && x->n_matched > 1) {
    const sp_loc at = sp_expr_place_of(x->loc, e);
    sp_error_set(x->err, SP_INVALID, &at, "the alias `%.100s` would name %u columns", e->name.p,
                 x->n_matched);
    sp_error_hint(x->err, "leave the alias out, or select one column");
    return SP_INVALID;
  }
  for (uint32_t i = 0; i < x->n_matched; i++) {
    sp_status st = SP_OK;
    out[i] = with_column(x, e, x->matched[i], &st);
    SP_TRY(st);
  }
  return SP_OK;
}

sp_status sp_expr_expand(sp_arena *a, const sp_expr *e, const sp_schema *in, const sp_loc *loc,
                         const sp_expr *const **ret, uint32_t *ret_n, sp_error *err) {
  search s = {0};
  find_selector(e, NULL, &s);
  expansion x = {
      .arena = a, .in = in, .loc = loc, .err = err, .selector = s.found, .horizontal = s.horizontal};
  if (s.second != NULL) {
    return two_selectors(&x, s.second);
  }
  if (s.found != NULL) {
    SP_TRY(match(&x));
  }
  const uint32_t n = s.found == NULL || s.horizontal != NULL ? 1 : x.n_matched;
  const sp_expr **out = SP_ARENA_ARRAY(a, const sp_expr *, n);
  SP_TRY_ALLOC(err, out);
  if (s.found == NULL) {
    out[0] = e;
  } else if (s.horizontal != NULL) {
    SP_TRY(expand_horizontal(&x, e, &out[0]));
  } else {
    SP_TRY(expand_whole(&x, e, out));
  }
  *ret = out;
  *ret_n = n;
  return SP_OK;
}
