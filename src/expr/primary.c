/* Expression text to tree: literals, names, calls, CASE, CAST, selectors and the forms that SQL writes with
 * words.
 *
 * Example: CASE x WHEN 1 THEN 'a' END is case(eq(x, 1), 'a'); EXTRACT(year FROM d) is year(d). */
#include <math.h>

#include "data/text.h"
#include "expr/literal.h"
#include "expr/parse.h"

SP_APART static const sp_expr *literal(sp_parser *p, const sp_value *v, sp_mark from) {
  return sp_parser_node(p, &(sp_expr){.kind = SP_EXPR_LITERAL, .literal = *v}, from);
}

/* A literal that the current token is all of. */
SP_APART static const sp_expr *take_literal(sp_parser *p, sp_value v) {
  const sp_mark from = p->at;
  sp_parser_advance(p);
  return literal(p, &v, from);
}

SP_APART static const sp_expr *column(sp_parser *p, sp_sv name, bool quoted, sp_mark from) {
  if (name.p == NULL) {
    return sp_parser_nomem(p);
  }
  const sp_expr proto = {.kind = SP_EXPR_COLUMN, .name = name, .facts = quoted ? SP_EXPR_WAS_QUOTED : 0};
  return sp_parser_node(p, &proto, from);
}

/* The current token's inside: of "…", '…' or a word. p NULL on failure. */
SP_APART static sp_sv take_text(sp_parser *p) {
  const sp_sv word = sp_parser_text(p, &p->tok);
  const sp_sv s = p->tok.kind == SP_LEX_WORD ? (sp_sv){sp_arena_strndup(p->arena, word.p, word.n), word.n}
                                             : sp_lex_decode(p->text, &p->tok, p->arena);
  if (s.p == NULL) {
    sp_parser_nomem(p);
  }
  sp_parser_advance(p);
  return s;
}

/* ---- numbers ---- */
static bool is_digits(sp_sv s) {
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] < '0' || s.p[i] > '9') {
      return false;
    }
  }
  return true;
}

/* int64, else uint64; never silently a float. */
static bool parse_integer(sp_sv s, bool negative, sp_value *ret) {
  uint64_t u;
  if (!sp_parse_u64(s, &u)) {
    return false;
  }
  if (negative && u <= (uint64_t)INT64_MAX + 1) {
    *ret = sp_value_int(sp_type_of(SP_KIND_INT64), (int64_t)(0 - u));
    return true;
  }
  if (u <= INT64_MAX) {
    *ret = sp_value_int(sp_type_of(SP_KIND_INT64), (int64_t)u);
    return true;
  }
  *ret = (sp_value){.type = sp_type_of(SP_KIND_UINT64), .u = u};
  return !negative;
}

SP_APART const sp_expr *sp_parse_number(sp_parser *p, sp_mark from, bool negative) {
  const sp_sv s = sp_parser_text(p, &p->tok);
  sp_value v;
  double f;
  if (is_digits(s)) {
    if (!parse_integer(s, negative, &v)) {
      sp_parser_fail(p, SP_SYNTAX, from, "the integer %s%.*s does not fit %s", negative ? "-" : "",
                     (int)(s.n < 60 ? s.n : 60), s.p, negative ? "int64" : "uint64");
      sp_error_hint(p->err, "write decimal '…' or a floating-point number (1e20)");
      return NULL;
    }
  } else if (sp_parse_f64(s, &f) && isfinite(f)) {
    v = sp_value_float(sp_type_of(SP_KIND_FLOAT64), negative ? -f : f);
  } else {
    return sp_parser_fail(p, SP_SYNTAX, from, "the number %.*s does not fit float64",
                          (int)(s.n < 60 ? s.n : 60), s.p);
  }
  sp_parser_advance(p);
  return literal(p, &v, from);
}

/* ---- types ---- */
/* The end of the type that starts at token t: its word, or the closing parenthesis behind it. */
static uint32_t end_of_type(const sp_parser *p, const sp_lexeme *t) {
  uint32_t end = t->pos + t->len;
  sp_lexeme x = sp_lex(p->text, end);
  if (x.kind != SP_LEX_SYMBOL || x.symbol != SP_SYM('(', 0)) {
    return end;
  }
  for (uint32_t i = 0; i < 8; i++) {
    x = sp_lex(p->text, x.pos + x.len);
    if (x.kind == SP_LEX_SYMBOL && x.symbol == SP_SYM(')', 0)) {
      return x.pos + x.len;
    }
  }
  return end;
}

static void skip_to(sp_parser *p, uint32_t end) {
  while (p->tok.pos < end && p->tok.kind != SP_LEX_END) {
    sp_parser_advance(p);
  }
}

SP_APART const sp_type *sp_parse_type(sp_parser *p) {
  if (p->tok.kind != SP_LEX_WORD) {
    return sp_parser_expected(p, "a type");
  }
  const uint32_t end = end_of_type(p, &p->tok);
  const sp_sv name = {p->text.p + p->tok.pos, end - p->tok.pos};
  const sp_type *t = sp_type_parse(name);
  if (t == NULL) {
    sp_parser_fail(p, SP_NOT_FOUND, p->at, "unknown type `%.*s`", (int)(name.n < 60 ? name.n : 60), name.p);
    sp_error_hint(p->err,
                  "types are bool, int8 to int64, uint8 to uint64, float32, float64, decimal(p,s), string, "
                  "binary, date, datetime, time, duration");
    return NULL;
  }
  skip_to(p, end);
  return t;
}

/* ---- typed text: date '1996-01-01', interval '3' month ---- */
static const sp_expr *bad_text(sp_parser *p, sp_sv text, const char *type, sp_mark from) {
  return sp_parser_fail(p, SP_TYPE, from, "'%.*s' is not a valid %s", (int)(text.n < 60 ? text.n : 60),
                        text.p, type);
}

SP_APART static const sp_expr *parse_interval(sp_parser *p) {
  const sp_mark from = p->at;
  sp_parser_advance(p);
  const bool number = p->tok.kind == SP_LEX_NUMBER;
  const sp_sv text = number ? sp_parser_text(p, &p->tok) : take_text(p);
  if (text.p == NULL) {
    return NULL;
  }
  if (number) {
    sp_parser_advance(p);
  }
  const sp_sv word = sp_parser_text(p, &p->tok);
  const bool has_unit = p->tok.kind == SP_LEX_WORD && sp_interval_is_unit(word);
  sp_value v = {.type = sp_type_of(SP_KIND_INTERVAL)};
  if (!sp_interval_parse(text, has_unit ? word : (sp_sv){0}, &v.iv)) {
    bad_text(p, text, has_unit ? "number of units" : "interval", from);
    sp_error_hint(p->err, "write interval '3' month or interval '1 year 2 days'");
    return NULL;
  }
  if (has_unit) {
    sp_parser_advance(p);
  }
  return literal(p, &v, from);
}

SP_APART static const sp_expr *parse_typed(sp_parser *p) {
  const sp_mark from = p->at;
  const sp_sv word = sp_parser_text(p, &p->tok);
  const bool any_decimal =
      p->next.kind == SP_LEX_STRING && (sp_lex_word_is(word, "decimal") || sp_lex_word_is(word, "numeric"));
  const sp_type *t = NULL;
  if (any_decimal) {
    sp_parser_advance(p);
  } else {
    t = sp_parse_type(p);
    if (t == NULL) {
      return NULL;
    }
  }
  const sp_sv text = take_text(p);
  if (text.p == NULL) {
    return NULL;
  }
  sp_value v;
  if (any_decimal ? !sp_literal_decimal(text, &v) : !sp_literal_of_text(text, t, &v)) {
    return bad_text(p, text, any_decimal ? "decimal" : t->name, from);
  }
  return literal(p, &v, from);
}

/* Is the current word a type with a text behind it? The parenthesised form only for types that have
 * parameters, so that calls are not scanned. */
SP_APART static bool at_typed(const sp_parser *p) {
  static const char *const parametric[] = {"decimal", "numeric", "datetime", "timestamp", "duration"};
  const sp_sv word = sp_parser_text(p, &p->tok);
  if (p->next.kind == SP_LEX_STRING) {
    return true;
  }
  for (size_t i = 0; i < sizeof parametric / sizeof parametric[0]; i++) {
    if (sp_lex_word_is(word, parametric[i])) {
      const sp_lexeme behind = sp_lex(p->text, end_of_type(p, &p->tok));
      return behind.kind == SP_LEX_STRING;
    }
  }
  return false;
}

/* ---- selectors ---- */
static bool add_excluded(sp_parser *p, sp_selector *s, uint32_t *cap) {
  if (p->tok.kind != SP_LEX_WORD && p->tok.kind != SP_LEX_QUOTED) {
    sp_parser_expected(p, "a column's name");
    return false;
  }
  sp_sv *names = (sp_sv *)(uintptr_t)s->exclude;
  if (!sp_arena_grow(p->arena, &names, cap, s->n_exclude + 1, sizeof *names)) {
    sp_parser_nomem(p);
    return false;
  }
  s->exclude = names;
  names[s->n_exclude] = take_text(p);
  return names[s->n_exclude++].p != NULL;
}

/* [EXCLUDE (a, b)] */
static bool parse_exclude(sp_parser *p, sp_selector *s) {
  uint32_t cap = 0;
  if (!sp_parser_is_word(p, "exclude")) {
    return true;
  }
  sp_parser_advance(p);
  if (!sp_parser_is_symbol(p, '(')) {
    return add_excluded(p, s, &cap);
  }
  do {
    sp_parser_advance(p);
    if (!add_excluded(p, s, &cap)) {
      return false;
    }
  } while (sp_parser_is_symbol(p, ','));
  return sp_parser_expect(p, ')', "`,` or `)`");
}

SP_APART static const sp_expr *selector(sp_parser *p, sp_selector s, sp_mark from) {
  if (!parse_exclude(p, &s)) {
    return NULL;
  }
  sp_selector *copy = sp_arena_copy(p->arena, &s, sizeof s);
  return copy == NULL ? sp_parser_nomem(p)
                      : sp_parser_node(p, &(sp_expr){.kind = SP_EXPR_SELECTOR, .selector = copy}, from);
}

static bool is_type_class(sp_sv word) {
  static const char *const classes[] = {"numeric", "integer", "float", "temporal", "string"};
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
    if (sp_lex_word_is(word, classes[i])) {
      return true;
    }
  }
  return false;
}

/* COLUMNS('regex'), COLUMNS(type), COLUMNS(*) */
SP_APART static const sp_expr *parse_columns(sp_parser *p) {
  const sp_mark from = p->at;
  sp_selector s = {.kind = SP_SELECT_ALL, .pattern = SP_SV("")};
  sp_parser_advance(p);
  sp_parser_advance(p);
  if (sp_parser_is_symbol(p, '*')) {
    sp_parser_advance(p);
  } else if (p->tok.kind == SP_LEX_STRING) {
    s.kind = SP_SELECT_REGEX;
    s.pattern = take_text(p);
  } else if (p->tok.kind == SP_LEX_WORD && is_type_class(sp_parser_text(p, &p->tok))) {
    s.kind = SP_SELECT_TYPE;
    s.pattern = take_text(p);
  } else {
    const sp_type *t = sp_parse_type(p);
    if (t == NULL) {
      return NULL;
    }
    s.kind = SP_SELECT_TYPE;
    s.pattern = sp_sv_from(t->name);
  }
  if (s.pattern.p == NULL || !sp_parser_expect(p, ')', "`)`")) {
    return NULL;
  }
  return selector(p, s, from);
}

SP_APART static const sp_expr *parse_star(sp_parser *p) {
  const sp_mark from = p->at;
  sp_parser_advance(p);
  return selector(p, (sp_selector){.kind = SP_SELECT_ALL, .pattern = SP_SV("")}, from);
}

/* ---- forms with words inside ---- */
/* WHEN condition THEN value; simple: condition = (subject = condition). */
SP_APART static bool parse_when(sp_parser *p, const sp_expr *subject) {
  const sp_mark from = p->at;
  sp_parser_advance(p);
  const sp_expr *condition = sp_parse_at(p, 0);
  if (condition != NULL && subject != NULL) {
    condition = sp_parser_call2(p, "eq", subject, condition, from);
  }
  return sp_parser_push(p, condition) && sp_parser_expect_word(p, "then", "THEN") &&
         sp_parser_push(p, sp_parse_at(p, 0));
}

SP_APART static const sp_expr *parse_case(sp_parser *p) {
  const uint32_t base = p->n;
  const sp_mark from = p->at;
  const sp_expr *subject = NULL;
  sp_parser_advance(p);
  if (!sp_parser_is_word(p, "when")) {
    subject = sp_parse_at(p, 0);
    if (subject == NULL) {
      return NULL;
    }
    if (!sp_parser_is_word(p, "when")) {
      return sp_parser_expected(p, "WHEN");
    }
  }
  while (sp_parser_is_word(p, "when")) {
    if (!parse_when(p, subject)) {
      return NULL;
    }
  }
  if (sp_parser_is_word(p, "else")) {
    sp_parser_advance(p);
    if (!sp_parser_push(p, sp_parse_at(p, 0))) {
      return NULL;
    }
  }
  if (!sp_parser_expect_word(p, "end", "WHEN, ELSE or END")) {
    return NULL;
  }
  return sp_parser_call(p, sp_parser_function(p, "case"), base, from);
}

SP_APART static const sp_expr *make_cast(sp_parser *p, const sp_expr *x, const sp_type *to, bool try_cast,
                                         sp_mark from) {
  const sp_expr proto = {.kind = SP_EXPR_CAST, .args = &x, .n_args = 1, .cast_to = to, .try_cast = try_cast};
  return sp_parser_node(p, &proto, from);
}

/* CAST(x AS type), TRY_CAST. A NULL with a type is a literal. */
SP_APART static const sp_expr *parse_cast(sp_parser *p, bool try_cast) {
  const sp_mark from = p->at;
  sp_parser_advance(p);
  sp_parser_advance(p);
  const sp_expr *x = sp_parse_at(p, 0);
  if (x == NULL || !sp_parser_expect_word(p, "as", "AS and a type")) {
    return NULL;
  }
  const sp_type *to = sp_parse_type(p);
  if (to == NULL || !sp_parser_expect(p, ')', "`)`")) {
    return NULL;
  }
  return make_cast(p, x, to, try_cast, from);
}

/* The function behind a part's name. */
SP_APART static const sp_function *take_part(sp_parser *p) {
  const sp_mark at = p->at;
  if (p->tok.kind != SP_LEX_WORD && p->tok.kind != SP_LEX_STRING) {
    return sp_parser_expected(p, "a part such as year behind EXTRACT(");
  }
  const sp_sv part = take_text(p);
  if (part.p == NULL) {
    return NULL;
  }
  const sp_function *fn = sp_function_find(part);
  if (fn == NULL || fn->max_args != 1 || (fn->flags & SP_FN_AGGREGATE) != 0) {
    sp_parser_fail(p, SP_NOT_FOUND, at, "EXTRACT has no part `%.*s`", (int)(part.n < 60 ? part.n : 60),
                   part.p);
    sp_error_hint(p->err, "parts are year, quarter, month, day, hour, minute, second, …");
    return NULL;
  }
  return fn;
}

/* EXTRACT(year FROM d) is year(d). */
SP_APART static const sp_expr *parse_extract(sp_parser *p) {
  const sp_mark from = p->at;
  const uint32_t base = p->n;
  sp_parser_advance(p);
  sp_parser_advance(p);
  const sp_function *fn = take_part(p);
  if (fn == NULL || !sp_parser_expect_word(p, "from", "FROM") || !sp_parser_push(p, sp_parse_at(p, 0)) ||
      !sp_parser_expect(p, ')', "`)`")) {
    return NULL;
  }
  return sp_parser_call(p, fn, base, from);
}

/* ---- calls ---- */
/* What separates arguments: a comma, or in SUBSTRING(s FROM a FOR b) a word. Takes it. */
static bool take_separator(sp_parser *p, const sp_function *fn, uint32_t n_args) {
  const bool words = strcmp(fn->name, "substring") == 0 && ((n_args == 1 && sp_parser_is_word(p, "from")) ||
                                                            (n_args == 2 && sp_parser_is_word(p, "for")));
  if (!words && !sp_parser_is_symbol(p, ',')) {
    return false;
  }
  sp_parser_advance(p);
  return true;
}

/* FILTER (WHERE predicate), if there is one. */
SP_APART static const sp_expr *parse_filter(sp_parser *p) {
  sp_parser_advance(p);
  sp_parser_advance(p);
  if (!sp_parser_expect_word(p, "where", "WHERE")) {
    return NULL;
  }
  const sp_expr *filter = sp_parse_at(p, 0);
  return filter != NULL && sp_parser_expect(p, ')', "`)`") ? filter : NULL;
}

static bool is_plain_star(const sp_expr *e) {
  return e->kind == SP_EXPR_SELECTOR && e->selector->kind == SP_SELECT_ALL && e->selector->n_exclude == 0;
}

/* The arguments behind `name(`, pushed. */
SP_APART static bool parse_arguments(sp_parser *p, const sp_function *fn) {
  const uint32_t base = p->n;
  if (!sp_parser_is_symbol(p, ')')) {
    do {
      if (!sp_parser_push(p, sp_parse_at(p, 0))) {
        return false;
      }
    } while (take_separator(p, fn, p->n - base));
  }
  /* count(*) counts rows: it has no argument. */
  if (p->n == base + 1 && fn->min_args == 0 && (fn->flags & SP_FN_AGGREGATE) != 0 &&
      is_plain_star(p->stack[base])) {
    p->n = base;
  }
  return sp_parser_expect(p, ')', "`,`, an operator or `)`");
}

/* The function that the current token names; takes it and the parenthesis. */
SP_APART static const sp_function *take_function(sp_parser *p) {
  const sp_mark from = p->at;
  const sp_sv name = take_text(p);
  if (name.p == NULL) {
    return NULL;
  }
  const sp_function *fn = sp_function_find(name);
  if (fn == NULL) {
    const sp_loc loc = sp_expr_place(p->loc, from.pos, from.shift);
    p->status = p->status != SP_OK ? p->status : sp_function_unknown(name, &loc, p->err);
    return NULL;
  }
  sp_parser_advance(p);
  return fn;
}

SP_APART static const sp_expr *make_call(sp_parser *p, const sp_function *fn, uint32_t base, bool distinct,
                                         const sp_expr *filter, sp_mark from) {
  const sp_expr proto = {.kind = SP_EXPR_CALL,
                         .fn = fn,
                         .args = p->stack + base,
                         .n_args = p->n - base,
                         .distinct = distinct,
                         .filter = filter};
  const sp_expr *e = sp_parser_node(p, &proto, from);
  p->n = base;
  return e;
}

SP_APART static const sp_expr *parse_call(sp_parser *p) {
  const sp_mark from = p->at;
  const uint32_t base = p->n;
  const sp_function *fn = take_function(p);
  if (fn == NULL) {
    return NULL;
  }
  const bool distinct = sp_parser_is_word(p, "distinct");
  if (distinct) {
    sp_parser_advance(p);
  }
  if (!parse_arguments(p, fn)) {
    return NULL;
  }
  const sp_expr *filter = NULL;
  if (sp_parser_is_word(p, "filter") && p->next.kind == SP_LEX_SYMBOL && p->next.symbol == SP_SYM('(', 0)) {
    filter = parse_filter(p);
    if (filter == NULL) {
      return NULL;
    }
  }
  return make_call(p, fn, base, distinct, filter, from);
}

/* ---- words ---- */
SP_APART static const sp_expr *parse_reserved(sp_parser *p) {
  if (sp_parser_is_word(p, "null")) {
    return take_literal(p, sp_value_null(sp_type_of(SP_KIND_NULL)));
  }
  if (sp_parser_is_word(p, "true") || sp_parser_is_word(p, "false")) {
    return take_literal(p, sp_value_bool(sp_parser_is_word(p, "true")));
  }
  if (sp_parser_is_word(p, "case")) {
    return parse_case(p);
  }
  sp_parser_expected(p, "an expression");
  sp_error_hint(p->err, "a column of that name needs double quotes");
  return NULL;
}

SP_APART static const sp_expr *parse_form(sp_parser *p) {
  if (sp_parser_is_word(p, "cast") || sp_parser_is_word(p, "try_cast")) {
    return parse_cast(p, sp_parser_is_word(p, "try_cast"));
  }
  if (sp_parser_is_word(p, "extract")) {
    return parse_extract(p);
  }
  return sp_parser_is_word(p, "columns") ? parse_columns(p) : parse_call(p);
}

SP_APART static const sp_expr *parse_word(sp_parser *p) {
  if (sp_lex_is_reserved(sp_parser_text(p, &p->tok))) {
    return parse_reserved(p);
  }
  if (sp_parser_is_word(p, "interval") && (p->next.kind == SP_LEX_STRING || p->next.kind == SP_LEX_NUMBER)) {
    return parse_interval(p);
  }
  if (at_typed(p)) {
    return parse_typed(p);
  }
  if (p->next.kind == SP_LEX_SYMBOL && p->next.symbol == SP_SYM('(', 0)) {
    return parse_form(p);
  }
  const sp_mark from = p->at;
  return column(p, take_text(p), false, from);
}

SP_APART static const sp_expr *parse_quoted(sp_parser *p) {
  if (p->next.kind == SP_LEX_SYMBOL && p->next.symbol == SP_SYM('(', 0)) {
    return parse_call(p);
  }
  const sp_mark from = p->at;
  return column(p, take_text(p), true, from);
}

SP_APART static const sp_expr *parse_string(sp_parser *p) {
  const bool hex = p->tok.kind == SP_LEX_HEX;
  const sp_mark from = p->at;
  const sp_sv s = take_text(p);
  if (s.p == NULL) {
    return NULL;
  }
  if (s.n == SIZE_MAX) {
    return sp_parser_fail(p, SP_SYNTAX, from, "x'…' takes pairs of hexadecimal digits");
  }
  const sp_value v = {.type = sp_type_of(hex ? SP_KIND_BINARY : SP_KIND_STRING), .s = s};
  return literal(p, &v, from);
}

SP_APART static const sp_expr *parse_parens(sp_parser *p) {
  sp_parser_advance(p);
  const sp_expr *e = sp_parse_at(p, 0);
  return e != NULL && sp_parser_expect(p, ')', "an operator or `)`") ? e : NULL;
}

const sp_expr *sp_parse_primary(sp_parser *p) {
  switch (p->tok.kind) {
  case SP_LEX_WORD:
    return parse_word(p);
  case SP_LEX_QUOTED:
    return parse_quoted(p);
  case SP_LEX_STRING:
  case SP_LEX_HEX:
    return parse_string(p);
  case SP_LEX_NUMBER:
    return sp_parse_number(p, p->at, false);
  case SP_LEX_SYMBOL:
    if (sp_parser_is_symbol(p, '(')) {
      return parse_parens(p);
    }
    if (sp_parser_is_symbol(p, '*')) {
      return parse_star(p);
    }
    break;
  case SP_LEX_END:
  case SP_LEX_BAD:
    break;
  }
  return sp_parser_expected(p, "an expression");
}
