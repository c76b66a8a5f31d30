/* Spans of canonical text, for colouring: the lexer again, and a little of what stands around a word.
 *
 * Example: CAST(price AS float64) > 0.5 gives KEYWORD CAST, PUNCT (, COLUMN price, KEYWORD AS, TYPE float64,
 * PUNCT ), OPERATOR >, NUMBER 0.5. */
#include "expr/lex.h"

static const char *const context_words[] = {"cast",   "try_cast", "extract", "exclude", "columns",
                                            "filter", "where",    "from",    "for"};

static bool is_context_word(sp_sv w) {
  for (size_t i = 0; i < sizeof context_words / sizeof context_words[0]; i++) {
    if (sp_lex_word_is(w, context_words[i])) {
      return true;
    }
  }
  return false;
}

typedef struct colouring {
  sp_sv text;
  sp_lexeme prev, next; /* around the token */
  uint32_t parens;
  bool in_columns; /* behind COLUMNS( */
} colouring;

static sp_sv text_of(const colouring *c, const sp_lexeme *t) {
  return (sp_sv){c->text.p + t->pos, t->len};
}

static bool is_symbol(const sp_lexeme *t, uint16_t symbol) {
  return t->kind == SP_LEX_SYMBOL && t->symbol == symbol;
}

static sp_token_kind kind_of_word(const colouring *c, const sp_lexeme *t) {
  const sp_sv w = text_of(c, t);
  const bool called = is_symbol(&c->next, SP_SYM('(', 0));
  const bool behind_as = c->prev.kind == SP_LEX_WORD && sp_lex_word_is(text_of(c, &c->prev), "as");
  if ((behind_as && c->parens > 0) || is_symbol(&c->prev, SP_SYM(':', ':')) ||
      c->next.kind == SP_LEX_STRING || (c->in_columns && !sp_lex_is_reserved(w))) {
    return sp_lex_is_reserved(w) ? SP_TOK_KEYWORD : SP_TOK_TYPE;
  }
  if (behind_as) {
    return SP_TOK_COLUMN;
  }
  if (sp_lex_is_reserved(w)) {
    return SP_TOK_KEYWORD;
  }
  if (called) {
    return is_context_word(w) ? SP_TOK_KEYWORD : SP_TOK_FUNCTION;
  }
  /* interval '3' month; FILTER (WHERE …); IS DISTINCT FROM */
  const sp_sv before = text_of(c, &c->prev);
  const bool unit = c->prev.kind == SP_LEX_STRING;
  const bool word =
      c->prev.kind == SP_LEX_WORD && sp_lex_word_is(before, "distinct") && sp_lex_word_is(w, "from");
  const bool where = is_symbol(&c->prev, SP_SYM('(', 0)) && sp_lex_word_is(w, "where") &&
                     c->next.kind != SP_LEX_END && !is_symbol(&c->next, SP_SYM(')', 0)) &&
                     (c->next.kind != SP_LEX_SYMBOL || is_symbol(&c->next, SP_SYM('(', 0)) ||
                      is_symbol(&c->next, SP_SYM('-', 0)));
  return unit || word || where ? SP_TOK_KEYWORD : SP_TOK_COLUMN;
}

static sp_token_kind kind_of(const colouring *c, const sp_lexeme *t) {
  switch (t->kind) {
  case SP_LEX_WORD:
    return kind_of_word(c, t);
  case SP_LEX_QUOTED:
    return is_symbol(&c->next, SP_SYM('(', 0)) ? SP_TOK_FUNCTION : SP_TOK_COLUMN;
  case SP_LEX_STRING:
  case SP_LEX_HEX:
    return SP_TOK_STRING;
  case SP_LEX_NUMBER:
    return SP_TOK_NUMBER;
  case SP_LEX_SYMBOL:
    return t->symbol == SP_SYM('(', 0) || t->symbol == SP_SYM(')', 0) || t->symbol == SP_SYM(',', 0)
               ? SP_TOK_PUNCT
               : SP_TOK_OPERATOR;
  case SP_LEX_BAD:
    return c->text.p[t->pos] == '\'' ? SP_TOK_STRING : SP_TOK_PUNCT;
  case SP_LEX_END:
    break;
  }
  return SP_TOK_PUNCT;
}

static void step(colouring *c, const sp_lexeme *t) {
  if (is_symbol(t, SP_SYM('(', 0))) {
    c->parens++;
    c->in_columns = c->prev.kind == SP_LEX_WORD && sp_lex_word_is(text_of(c, &c->prev), "columns");
  } else if (is_symbol(t, SP_SYM(')', 0))) {
    c->parens -= c->parens > 0;
    c->in_columns = false;
  }
  c->prev = *t;
}

bool sp_expr_tokens(sp_sv text, sp_arena *a, const sp_token_span **ret, uint32_t *ret_n) {
  colouring c = {.text = text};
  sp_token_span *spans = NULL;
  uint32_t n = 0, cap = 0;
  for (sp_lexeme t = sp_lex(text, 0); t.kind != SP_LEX_END; t = c.next) {
    c.next = sp_lex(text, t.pos + t.len);
    if (!sp_arena_grow(a, &spans, &cap, n + 1, sizeof *spans)) {
      return false;
    }
    spans[n++] = (sp_token_span){t.pos, t.len, kind_of(&c, &t)};
    step(&c, &t);
  }
  *ret = spans;
  *ret_n = n;
  return true;
}
