/* Tokens of expression text. Reads one at a time, never fails: what is no token is SP_LEX_BAD with a reason.
 */
#ifndef SP_EXPR_LEX_H
#define SP_EXPR_LEX_H

#include "expr/expr.h"

typedef enum sp_lex_kind {
  SP_LEX_END,
  SP_LEX_WORD,   /* name, function, type or keyword */
  SP_LEX_QUOTED, /* "name" */
  SP_LEX_STRING, /* 'text' */
  SP_LEX_HEX,    /* x'0aff' */
  SP_LEX_NUMBER,
  SP_LEX_SYMBOL, /* operator or punctuation: see symbol */
  SP_LEX_BAD
} sp_lex_kind;

/* Symbols are told apart by up to two characters: SP_SYM('<', '='). == and != are given as = and <>. */
#define SP_SYM(a, b) ((uint16_t)((unsigned char)(a) << 8 | (unsigned char)(b)))

typedef struct sp_lexeme {
  sp_lex_kind kind;
  uint32_t pos, len;
  uint16_t symbol;
  const char *problem, *hint; /* BAD; hint may be NULL */
} sp_lexeme;

/* The next token at or after pos. */
sp_lexeme sp_lex(sp_sv text, uint32_t pos);
/* The inside of a QUOTED, STRING or HEX token with its escapes undone, NUL-terminated, in the arena; p NULL
 * when out of memory. */
sp_sv sp_lex_decode(sp_sv text, const sp_lexeme *t, sp_arena *a);

/* Words that are never plain names: and, or, not, … */
bool sp_lex_is_reserved(sp_sv word);
bool sp_lex_word_is(sp_sv word, const char *lower); /* whatever its case */
int sp_lex_hex_digit(char c);                       /* its value, or -1 */
/* May the name stand without quotes? */
bool sp_lex_is_plain_name(sp_sv name);

#endif
