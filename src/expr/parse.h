/* The parser's insides, shared by parse.c (operators) and primary.c (everything else). */
#ifndef SP_EXPR_PARSE_H
#define SP_EXPR_PARSE_H

#include "expr/lex.h"
#include "expr/make.h"

/* Text longer than this is refused. */
#define SP_EXPR_MAX_TEXT ((size_t)16 << 20)

/* How tightly operators bind, loosest first. */
enum {
  SP_PREC_OR = 1,
  SP_PREC_AND,
  SP_PREC_NOT,
  SP_PREC_IS,
  SP_PREC_COMPARE,
  SP_PREC_RANGE, /* BETWEEN, IN, LIKE */
  SP_PREC_CONCAT,
  SP_PREC_ADD,
  SP_PREC_MUL,
  SP_PREC_UNARY,
  SP_PREC_PRIMARY
};

typedef struct sp_mark {
  uint32_t pos, shift;
} sp_mark;

/* Functions that parse return NULL on failure and have set status and err. Recursive ones keep no locals
 * whose address is taken, so that their frames stay small under sanitizers; argument lists are built on
 * `stack`. */
typedef struct sp_parser {
  sp_arena *arena;
  sp_sv text;
  const sp_loc *loc;
  sp_error *err;
  sp_status status;
  sp_lexeme tok, next; /* the current token and the one behind it */
  sp_mark at;          /* where tok starts */
  uint32_t prev_end;
  uint32_t nest;
  const sp_expr **stack;
  uint32_t n, cap;
} sp_parser;

const sp_expr *sp_parse_at(sp_parser *p, uint32_t min_prec); /* operators of at least min_prec */
const sp_expr *sp_parse_primary(sp_parser *p);
const sp_expr *sp_parse_number(sp_parser *p, sp_mark from, bool negative); /* tok is the number */
const sp_type *sp_parse_type(sp_parser *p);

/* ---- tokens ---- */
void sp_parser_advance(sp_parser *p);
sp_sv sp_parser_text(const sp_parser *p, const sp_lexeme *t);
bool sp_parser_is_word(const sp_parser *p, const char *lower); /* tok is the word */
bool sp_parser_next_is_word(const sp_parser *p, const char *lower);
bool sp_parser_is_symbol(const sp_parser *p, char c);
bool sp_parser_expect(sp_parser *p, char c, const char *what); /* takes the symbol, or fails */
bool sp_parser_expect_word(sp_parser *p, const char *lower, const char *upper);

/* ---- failing; all return NULL ---- */
const void *sp_parser_expected(sp_parser *p, const char *what); /* "expected WHAT, found `tok`" */
__attribute__((format(printf, 4, 5))) const void *sp_parser_fail(sp_parser *p, sp_status st, sp_mark at,
                                                                 const char *fmt, ...);
const void *sp_parser_nomem(sp_parser *p);

/* ---- building ---- */
/* Completes proto, whose text runs from `from` to the last token taken. */
const sp_expr *sp_parser_node(sp_parser *p, const sp_expr *proto, sp_mark from);
bool sp_parser_push(sp_parser *p, const sp_expr *e); /* false on failure, also when e is NULL */
const sp_function *sp_parser_function(sp_parser *p, const char *name);
/* A call of the stack's entries from base on, which it removes. */
const sp_expr *sp_parser_call(sp_parser *p, const sp_function *fn, uint32_t base, sp_mark from);
const sp_expr *sp_parser_call1(sp_parser *p, const char *fn, const sp_expr *x, sp_mark from);
const sp_expr *sp_parser_call2(sp_parser *p, const char *fn, const sp_expr *x, const sp_expr *y,
                               sp_mark from);
static inline sp_mark sp_mark_of(const sp_expr *e) {
  return (sp_mark){e->pos, e->shift};
}

#endif
