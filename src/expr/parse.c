/* Expression text to tree: the operators, by precedence climbing. The grammar is in README.md.
 *
 * sp_parse_at(min) reads a prefix and then every operator that binds at least as tightly as min. Chains of
 * AND, OR and || become one flat call in a loop, + - * / chains grow leftwards in a loop, so only nesting
 * recurses; nesting is counted and limited.
 *
 * Example: a + b * 2 > 1 AND NOT c is and(gt(add(a, mul(b, 2)), 1), not(c)). */
#include "expr/parse.h"

typedef struct infix {
  uint32_t prec; /* 0: no infix operator */
  const char *fn;
} infix;

/* What the current token is between two operands. */
SP_APART static infix infix_of(const sp_parser *p) {
  static const struct {
    uint16_t symbol;
    infix op;
  } symbols[] = {
      {SP_SYM('=', 0), {SP_PREC_COMPARE, "eq"}},      {SP_SYM('<', '>'), {SP_PREC_COMPARE, "ne"}},
      {SP_SYM('<', 0), {SP_PREC_COMPARE, "lt"}},      {SP_SYM('<', '='), {SP_PREC_COMPARE, "le"}},
      {SP_SYM('>', 0), {SP_PREC_COMPARE, "gt"}},      {SP_SYM('>', '='), {SP_PREC_COMPARE, "ge"}},
      {SP_SYM('|', '|'), {SP_PREC_CONCAT, "concat"}}, {SP_SYM('+', 0), {SP_PREC_ADD, "add"}},
      {SP_SYM('-', 0), {SP_PREC_ADD, "sub"}},         {SP_SYM('*', 0), {SP_PREC_MUL, "mul"}},
      {SP_SYM('/', 0), {SP_PREC_MUL, "div"}},         {SP_SYM('/', '/'), {SP_PREC_MUL, "floordiv"}},
      {SP_SYM('%', 0), {SP_PREC_MUL, "mod"}}};
  static const struct {
    const char *word;
    infix op;
  } words[] = {{"and", {SP_PREC_AND, "and"}}, {"or", {SP_PREC_OR, "or"}},
               {"is", {SP_PREC_IS, "is"}},    {"between", {SP_PREC_RANGE, "between"}},
               {"in", {SP_PREC_RANGE, "in"}}, {"like", {SP_PREC_RANGE, "like"}}};
  if (p->tok.kind == SP_LEX_SYMBOL) {
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
      if (p->tok.symbol == symbols[i].symbol) {
        return symbols[i].op;
      }
    }
  }
  if (p->tok.kind == SP_LEX_WORD) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
      if (sp_parser_is_word(p, words[i].word)) {
        return words[i].op;
      }
    }
    if (sp_parser_is_word(p, "not")) { /* NOT IN, NOT LIKE, NOT BETWEEN */
      return (infix){SP_PREC_RANGE, "not"};
    }
  }
  return (infix){0, NULL};
}

/* ---- one operator each ---- */
/* left AND x AND y …: one call. */
SP_APART static const sp_expr *parse_chain(sp_parser *p, const sp_expr *left, const char *fn, uint32_t prec) {
  const uint32_t base = p->n;
  const sp_mark from = sp_mark_of(left);
  if (!sp_parser_push(p, left)) {
    return NULL;
  }
  while (infix_of(p).prec == prec) {
    sp_parser_advance(p);
    if (!sp_parser_push(p, sp_parse_at(p, prec + 1))) {
      return NULL;
    }
  }
  return sp_parser_call(p, sp_parser_function(p, fn), base, from);
}

SP_APART static const sp_expr *parse_in(sp_parser *p, const sp_expr *left) {
  const uint32_t base = p->n;
  const sp_mark from = sp_mark_of(left);
  if (!sp_parser_push(p, left) || !sp_parser_expect(p, '(', "`(` and a list behind IN")) {
    return NULL;
  }
  do {
    if (!sp_parser_push(p, sp_parse_at(p, 0))) {
      return NULL;
    }
    if (!sp_parser_is_symbol(p, ',')) {
      break;
    }
    sp_parser_advance(p);
  } while (true);
  if (!sp_parser_expect(p, ')', "`,` or `)`")) {
    return NULL;
  }
  return sp_parser_call(p, sp_parser_function(p, "in"), base, from);
}

SP_APART static const sp_expr *parse_like(sp_parser *p, const sp_expr *left) {
  const uint32_t base = p->n;
  const sp_mark from = sp_mark_of(left);
  if (!sp_parser_push(p, left) || !sp_parser_push(p, sp_parse_at(p, SP_PREC_RANGE + 1))) {
    return NULL;
  }
  if (sp_parser_is_word(p, "escape")) {
    sp_parser_advance(p);
    if (!sp_parser_push(p, sp_parse_at(p, SP_PREC_RANGE + 1))) {
      return NULL;
    }
  }
  return sp_parser_call(p, sp_parser_function(p, "like"), base, from);
}

SP_APART static const sp_expr *parse_between(sp_parser *p, const sp_expr *left) {
  const uint32_t base = p->n;
  const sp_mark from = sp_mark_of(left);
  if (!sp_parser_push(p, left) || !sp_parser_push(p, sp_parse_at(p, SP_PREC_RANGE + 1)) ||
      !sp_parser_expect_word(p, "and", "AND of BETWEEN") ||
      !sp_parser_push(p, sp_parse_at(p, SP_PREC_RANGE + 1))) {
    return NULL;
  }
  return sp_parser_call(p, sp_parser_function(p, "between"), base, from);
}

/* x [NOT] IN (…), LIKE, BETWEEN; the operator is not taken yet. */
SP_APART static const sp_expr *parse_range(sp_parser *p, const sp_expr *left) {
  const sp_mark from = sp_mark_of(left);
  const bool negated = sp_parser_is_word(p, "not");
  if (negated) {
    sp_parser_advance(p);
  }
  const sp_expr *e;
  if (sp_parser_is_word(p, "in")) {
    sp_parser_advance(p);
    e = parse_in(p, left);
  } else if (sp_parser_is_word(p, "like")) {
    sp_parser_advance(p);
    e = parse_like(p, left);
  } else if (sp_parser_is_word(p, "between")) {
    sp_parser_advance(p);
    e = parse_between(p, left);
  } else {
    return sp_parser_expected(p, "IN, LIKE or BETWEEN behind NOT");
  }
  return e != NULL && negated ? sp_parser_call1(p, "not", e, from) : e;
}

/* x IS [NOT] NULL | TRUE | FALSE | DISTINCT FROM y; IS is not taken yet. */
SP_APART static const sp_expr *parse_is(sp_parser *p, const sp_expr *left) {
  const sp_mark from = sp_mark_of(left);
  sp_parser_advance(p);
  const bool negated = sp_parser_is_word(p, "not");
  if (negated) {
    sp_parser_advance(p);
  }
  const char *fn;
  if (sp_parser_is_word(p, "null")) {
    fn = negated ? "is_not_null" : "is_null";
  } else if (sp_parser_is_word(p, "true")) {
    fn = negated ? "is_not_true" : "is_true";
  } else if (sp_parser_is_word(p, "false")) {
    fn = negated ? "is_not_false" : "is_false";
  } else if (sp_parser_is_word(p, "distinct")) {
    sp_parser_advance(p);
    if (!sp_parser_expect_word(p, "from", "FROM")) {
      return NULL;
    }
    const sp_expr *right = sp_parse_at(p, SP_PREC_IS + 1);
    return right == NULL ? NULL
                         : sp_parser_call2(p, negated ? "is_not_distinct" : "is_distinct", left, right, from);
  } else {
    return sp_parser_expected(p, negated ? "NULL, TRUE, FALSE or DISTINCT FROM behind IS NOT"
                                         : "NULL, NOT, TRUE, FALSE or DISTINCT FROM behind IS");
  }
  sp_parser_advance(p);
  return sp_parser_call1(p, fn, left, from);
}

SP_APART static const sp_expr *parse_comparison(sp_parser *p, const sp_expr *left, const char *fn) {
  sp_parser_advance(p);
  const sp_expr *right = sp_parse_at(p, SP_PREC_COMPARE + 1);
  if (right == NULL) {
    return NULL;
  }
  left = sp_parser_call2(p, fn, left, right, sp_mark_of(left));
  if (left != NULL && infix_of(p).prec == SP_PREC_COMPARE) {
    sp_parser_expected(p, "AND, OR or the end of a comparison");
    sp_error_hint(p->err, "comparisons do not chain: write a < b AND b < c, or use parentheses");
    return NULL;
  }
  return left;
}

SP_APART static const sp_expr *parse_infix(sp_parser *p, const sp_expr *left, infix op) {
  switch (op.prec) {
  case SP_PREC_OR:
  case SP_PREC_AND:
  case SP_PREC_CONCAT:
    return parse_chain(p, left, op.fn, op.prec);
  case SP_PREC_IS:
    return parse_is(p, left);
  case SP_PREC_COMPARE:
    return parse_comparison(p, left, op.fn);
  case SP_PREC_RANGE:
    return parse_range(p, left);
  default: {
    sp_parser_advance(p);
    const sp_expr *right = sp_parse_at(p, op.prec + 1);
    return right == NULL ? NULL : sp_parser_call2(p, op.fn, left, right, sp_mark_of(left));
  }
  }
}

/* ---- prefixes ---- */
/* Entering one level; false past the limit. */
SP_APART static bool enter(sp_parser *p) {
  if (p->nest >= SP_EXPR_MAX_DEPTH) {
    sp_parser_fail(p, SP_LIMIT, p->at, "an expression is nested deeper than %d levels", SP_EXPR_MAX_DEPTH);
    return false;
  }
  p->nest++;
  return true;
}

SP_APART static const sp_expr *parse_not(sp_parser *p, uint32_t min_prec) {
  const sp_mark from = p->at;
  if (min_prec > SP_PREC_NOT) {
    sp_parser_expected(p, "an operand");
    sp_error_hint(p->err, "put NOT and what it negates in parentheses");
    return NULL;
  }
  sp_parser_advance(p);
  const sp_expr *x = sp_parse_at(p, SP_PREC_NOT);
  return x == NULL ? NULL : sp_parser_call1(p, "not", x, from);
}

SP_APART static const sp_expr *make_cast(sp_parser *p, const sp_expr *x, const sp_type *to) {
  return sp_parser_node(p, &(sp_expr){.kind = SP_EXPR_CAST, .args = &x, .n_args = 1, .cast_to = to},
                        sp_mark_of(x));
}

static const sp_expr *parse_unary(sp_parser *p) {
  const sp_expr *x;
  if (sp_parser_is_symbol(p, '-')) {
    const sp_mark from = p->at;
    sp_parser_advance(p);
    if (p->tok.kind == SP_LEX_NUMBER) {
      x = sp_parse_number(p, from, true);
    } else {
      if (!enter(p)) {
        return NULL;
      }
      x = parse_unary(p);
      p->nest--;
      return x == NULL ? NULL : sp_parser_call1(p, "neg", x, from);
    }
  } else if (sp_parser_is_symbol(p, '+') && p->next.kind == SP_LEX_NUMBER) {
    sp_parser_advance(p);
    x = sp_parse_primary(p);
  } else {
    x = sp_parse_primary(p);
  }
  while (x != NULL && p->tok.kind == SP_LEX_SYMBOL && p->tok.symbol == SP_SYM(':', ':')) {
    sp_parser_advance(p);
    const sp_type *to = sp_parse_type(p);
    x = to == NULL ? NULL : make_cast(p, x, to);
  }
  return x;
}

const sp_expr *sp_parse_at(sp_parser *p, uint32_t min_prec) {
  if (!enter(p)) {
    return NULL;
  }
  const sp_expr *left = sp_parser_is_word(p, "not") ? parse_not(p, min_prec) : parse_unary(p);
  bool ranged = false; /* IN, LIKE and BETWEEN do not chain either */
  while (left != NULL) {
    const infix op = infix_of(p);
    if (op.prec == 0 || op.prec < min_prec) {
      break;
    }
    if (ranged && op.prec == SP_PREC_RANGE) {
      sp_parser_expected(p, "AND, OR or the end of a comparison");
      sp_error_hint(p->err, "put one of the two in parentheses");
      return NULL;
    }
    left = parse_infix(p, left, op);
    ranged = op.prec == SP_PREC_RANGE;
  }
  p->nest--;
  return left;
}

/* ---- the whole text ---- */
/* [AS] name */
SP_APART static const sp_expr *parse_alias(sp_parser *p, const sp_expr *e) {
  const sp_mark from = sp_mark_of(e);
  const bool as = sp_parser_is_word(p, "as");
  if (as) {
    sp_parser_advance(p);
  }
  const bool word = p->tok.kind == SP_LEX_WORD && (as || !sp_lex_is_reserved(sp_parser_text(p, &p->tok)));
  if (!word && p->tok.kind != SP_LEX_QUOTED) {
    if (!as) {
      return e;
    }
    sp_parser_expected(p, "a name behind AS");
    if (p->tok.kind == SP_LEX_STRING) {
      sp_error_hint(p->err, "names are quoted with double quotes");
    }
    return NULL;
  }
  sp_sv name = sp_parser_text(p, &p->tok);
  name = word ? (sp_sv){sp_arena_strndup(p->arena, name.p, name.n), name.n}
              : sp_lex_decode(p->text, &p->tok, p->arena);
  if (name.p == NULL) {
    return sp_parser_nomem(p);
  }
  sp_parser_advance(p);
  return sp_parser_node(p, &(sp_expr){.kind = SP_EXPR_ALIAS, .args = &e, .n_args = 1, .name = name}, from);
}

static const sp_expr *parse_whole(sp_parser *p) {
  const sp_expr *e = sp_parse_at(p, 0);
  e = e != NULL ? parse_alias(p, e) : NULL;
  if (e != NULL && p->tok.kind != SP_LEX_END) {
    sp_parser_expected(p, "an operator or the end of the text");
    return NULL;
  }
  return e;
}

sp_status sp_expr_parse(sp_arena *a, sp_sv text, const sp_loc *loc, const sp_expr **ret, sp_error *err) {
  if (text.n > SP_EXPR_MAX_TEXT) {
    SP_FAIL(err, SP_LIMIT, loc, "an expression's text is longer than %zu bytes", SP_EXPR_MAX_TEXT);
  }
  sp_parser p = {.arena = a, .text = text, .loc = loc, .err = err};
  p.next = sp_lex(text, 0);
  sp_parser_advance(&p);
  const sp_expr *e = parse_whole(&p);
  if (e == NULL) {
    return p.status;
  }
  *ret = e;
  return SP_OK;
}
