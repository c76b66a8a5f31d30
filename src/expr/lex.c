/* The lexer of expression text, shared by the parser, the printer (which names need quotes) and the
 * colouring.
 *
 * Example: `a <= 'it''s'` is WORD a, SYMBOL <=, STRING it's. */
#include "expr/lex.h"

#include <strings.h>

static const char *const reserved[] = {"and", "as",     "between", "case", "distinct", "else",
                                       "end", "escape", "false",   "in",   "is",       "like",
                                       "not", "null",   "or",      "then", "true",     "when"};

bool sp_lex_word_is(sp_sv word, const char *lower) {
  return word.n == strlen(lower) && strncasecmp(word.p, lower, word.n) == 0;
}

bool sp_lex_is_reserved(sp_sv word) {
  if (word.n < 2 || word.n > 8) {
    return false;
  }
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
    if (sp_lex_word_is(word, reserved[i])) {
      return true;
    }
  }
  return false;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c) {
  return (unsigned char)(c - '0') < 10;
}

/* Bytes of multi-byte characters count as letters, so that names in any language need no quotes. */
static bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(char c) {
  return is_word_start(c) || is_digit(c);
}

bool sp_lex_is_plain_name(sp_sv name) {
  if (name.n == 0 || !is_word_start(name.p[0]) || sp_lex_is_reserved(name)) {
    return false;
  }
  for (size_t i = 1; i < name.n; i++) {
    if (!is_word(name.p[i])) {
      return false;
    }
  }
  return true;
}

static sp_lexeme bad(sp_lexeme t, uint32_t end, const char *problem, const char *hint) {
  t.kind = SP_LEX_BAD;
  t.len = end - t.pos;
  t.problem = problem;
  t.hint = hint;
  return t;
}

/* 12, 1.5, .5, 5., 1e-3 */
static sp_lexeme lex_number(sp_sv s, sp_lexeme t) {
  uint32_t i = t.pos;
  while (i < s.n && is_digit(s.p[i])) {
    i++;
  }
  if (i < s.n && s.p[i] == '.') {
    for (i++; i < s.n && is_digit(s.p[i]);) {
      i++;
    }
  }
  if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
    uint32_t k = i + 1;
    k += k < s.n && (s.p[k] == '-' || s.p[k] == '+');
    if (k < s.n && is_digit(s.p[k])) {
      while (k < s.n && is_digit(s.p[k])) {
        k++;
      }
      i = k;
    }
  }
  if (i < s.n && (is_word(s.p[i]) || s.p[i] == '.')) {
    while (i < s.n && (is_word(s.p[i]) || s.p[i] == '.')) {
      i++;
    }
    return bad(t, i, "is not a number", "a name that starts with a digit needs double quotes");
  }
  t.kind = SP_LEX_NUMBER;
  t.len = i - t.pos;
  return t;
}

/* From the opening quote at `from` to the closing one; doubled quotes stand for one. */
static sp_lexeme lex_quotes(sp_sv s, sp_lexeme t, uint32_t from, sp_lex_kind kind) {
  const char quote = s.p[from];
  uint32_t i = from + 1;
  while (i < s.n) {
    if (s.p[i] != quote) {
      i++;
    } else if (i + 1 < s.n && s.p[i + 1] == quote) {
      i += 2;
    } else {
      t.kind = kind;
      t.len = i + 1 - t.pos;
      return t;
    }
  }
  return bad(t, (uint32_t)s.n, quote == '\'' ? "has no closing quote '" : "has no closing quote \"", NULL);
}

static sp_lexeme symbol(sp_lexeme t, char a, char b, uint32_t len) {
  t.kind = SP_LEX_SYMBOL;
  t.symbol = SP_SYM(a, b);
  t.len = len;
  return t;
}

static sp_lexeme lex_symbol(sp_sv s, sp_lexeme t) {
  static const char pairs[][3] = {"<=", ">=", "<>", "||", "//", "::"};
  const char c = s.p[t.pos], d = t.pos + 1 < s.n ? s.p[t.pos + 1] : '\0';
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    if (c == pairs[i][0] && d == pairs[i][1]) {
      return symbol(t, c, d, 2);
    }
  }
  if (d == '=' && (c == '=' || c == '!')) {
    return c == '=' ? symbol(t, '=', 0, 2) : symbol(t, '<', '>', 2);
  }
  if (c != '\0' && strchr("=<>+-*/%(),", c) != NULL) {
    return symbol(t, c, 0, 1);
  }
  const uint32_t doubled = c == d ? 2 : 1;
  switch (c) {
  case '`':
    return bad(t, t.pos + 1, "is not part of an expression", "quote names with double quotes: \"name\"");
  case '&':
    return bad(t, t.pos + doubled, "is not an operator", "write AND");
  case '|':
    return bad(t, t.pos + 1, "is not an operator", "write OR, or || to concatenate strings");
  case '!':
    return bad(t, t.pos + 1, "is not an operator", "write NOT");
  case '.':
    return bad(t, t.pos + 1, "is not an operator", "a name with a dot needs double quotes: \"a.b\"");
  case '^':
    return bad(t, t.pos + 1, "is not an operator", "write power(x, y)");
  case ';':
    return bad(t, t.pos + 1, "is not part of an expression", "an expression ends without a semicolon");
  case '[':
  case ']':
  case '{':
  case '}':
    return bad(t, t.pos + 1, "is not part of an expression",
               "lists are written with parentheses: x IN (1, 2)");
  default:
    return bad(t, t.pos + 1, "is not part of an expression", NULL);
  }
}

sp_lexeme sp_lex(sp_sv s, uint32_t pos) {
  while (pos < s.n && is_space(s.p[pos])) {
    pos++;
  }
  sp_lexeme t = {.pos = pos};
  if (pos >= s.n) {
    return t;
  }
  const char c = s.p[pos], d = pos + 1 < s.n ? s.p[pos + 1] : '\0';
  if (is_digit(c) || (c == '.' && is_digit(d))) {
    return lex_number(s, t);
  }
  if (c == '\'' || c == '"') {
    return lex_quotes(s, t, pos, c == '\'' ? SP_LEX_STRING : SP_LEX_QUOTED);
  }
  if ((c == 'x' || c == 'X') && d == '\'') {
    return lex_quotes(s, t, pos + 1, SP_LEX_HEX);
  }
  if (!is_word_start(c)) {
    return lex_symbol(s, t);
  }
  while (pos < s.n && is_word(s.p[pos])) {
    pos++;
  }
  t.kind = SP_LEX_WORD;
  t.len = pos - t.pos;
  return t;
}

int sp_lex_hex_digit(char c) {
  return is_digit(c)            ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* Anything but pairs of hex digits gives a length of SIZE_MAX. */
static sp_sv decode_hex(const char *p, size_t n, char *out) {
  for (size_t i = 0; i + 1 < n; i += 2) {
    const int hi = sp_lex_hex_digit(p[i]), lo = sp_lex_hex_digit(p[i + 1]);
    if (hi < 0 || lo < 0) {
      return (sp_sv){out, SIZE_MAX};
    }
    out[i / 2] = (char)(hi * 16 + lo);
  }
  return (sp_sv){out, n % 2 == 0 ? n / 2 : SIZE_MAX};
}

sp_sv sp_lex_decode(sp_sv text, const sp_lexeme *t, sp_arena *a) {
  const uint32_t skip = t->kind == SP_LEX_HEX ? 2 : 1;
  const char *p = text.p + t->pos + skip;
  const size_t n = t->len - skip - 1;
  char *out = sp_arena_alloc(a, n + 1);
  if (out == NULL) {
    return (sp_sv){0};
  }
  if (t->kind == SP_LEX_HEX) {
    return decode_hex(p, n, out);
  }
  const char quote = t->kind == SP_LEX_STRING ? '\'' : '"';
  size_t k = 0;
  for (size_t i = 0; i < n; i++) {
    out[k++] = p[i];
    i += p[i] == quote;
  }
  out[k] = '\0';
  return (sp_sv){out, k};
}
