/* The parser's tools: tokens, failing with a place, building nodes. The grammar is in parse.c and primary.c.
 *
 * Example of a failure: `price > ` gives "expected an expression, found the end of the text" at column 9. */
#include <stdarg.h>
#include <stdio.h>

#include "expr/parse.h"

/* ---- tokens ---- */
sp_sv sp_parser_text(const sp_parser *p, const sp_lexeme *t) {
  return (sp_sv){p->text.p + t->pos, t->len};
}

/* Bytes that JSON adds when it writes text[from, to). */
static uint32_t escapes(sp_sv text, uint32_t from, uint32_t to) {
  uint32_t n = 0;
  for (uint32_t i = from; i < to; i++) {
    const char c = text.p[i];
    n += c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r';
  }
  return n;
}

void sp_parser_advance(sp_parser *p) {
  const bool in_json = p->loc != NULL && p->loc->pointer != NULL;
  p->prev_end = p->tok.pos + p->tok.len;
  p->tok = p->next;
  p->at.shift += in_json ? escapes(p->text, p->at.pos, p->tok.pos) : 0;
  p->at.pos = p->tok.pos;
  p->next = sp_lex(p->text, p->tok.pos + p->tok.len);
}

bool sp_parser_is_word(const sp_parser *p, const char *lower) {
  return p->tok.kind == SP_LEX_WORD && sp_lex_word_is(sp_parser_text(p, &p->tok), lower);
}

bool sp_parser_next_is_word(const sp_parser *p, const char *lower) {
  return p->next.kind == SP_LEX_WORD && sp_lex_word_is(sp_parser_text(p, &p->next), lower);
}

bool sp_parser_is_symbol(const sp_parser *p, char c) {
  return p->tok.kind == SP_LEX_SYMBOL && p->tok.symbol == SP_SYM(c, 0);
}

bool sp_parser_expect(sp_parser *p, char c, const char *what) {
  if (!sp_parser_is_symbol(p, c)) {
    sp_parser_expected(p, what);
    return false;
  }
  sp_parser_advance(p);
  return true;
}

bool sp_parser_expect_word(sp_parser *p, const char *lower, const char *upper) {
  if (!sp_parser_is_word(p, lower)) {
    sp_parser_expected(p, upper);
    return false;
  }
  sp_parser_advance(p);
  return true;
}

/* ---- failing ---- */
const void *sp_parser_fail(sp_parser *p, sp_status st, sp_mark at, const char *fmt, ...) {
  char message[sizeof p->err->message];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(message, sizeof message, fmt, ap);
  va_end(ap);
  if (p->status == SP_OK) {
    const sp_loc loc = sp_expr_place(p->loc, at.pos, at.shift);
    p->status = sp_error_set(p->err, st, &loc, "%s", message);
  }
  return NULL;
}

const void *sp_parser_nomem(sp_parser *p) {
  if (p->status == SP_OK) {
    p->status = sp_error_nomem(p->err);
  }
  return NULL;
}

#define QUOTE_MAX 40

const void *sp_parser_expected(sp_parser *p, const char *what) {
  const sp_sv text = sp_parser_text(p, &p->tok);
  size_t n = text.n < QUOTE_MAX ? text.n : QUOTE_MAX;
  while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80) {
    n--;
  }
  const char *cut = n < text.n ? "…" : "";
  if (p->tok.kind == SP_LEX_BAD) {
    sp_parser_fail(p, SP_SYNTAX, p->at, "`%.*s%s` %s", (int)n, text.p, cut, p->tok.problem);
    if (p->tok.hint != NULL) {
      sp_error_hint(p->err, "%s", p->tok.hint);
    }
    return NULL;
  }
  if (p->tok.kind == SP_LEX_END) {
    return sp_parser_fail(p, SP_SYNTAX, p->at, "expected %s, found the end of the text", what);
  }
  return sp_parser_fail(p, SP_SYNTAX, p->at, "expected %s, found `%.*s%s`", what, (int)n, text.p, cut);
}

/* ---- building ---- */
const sp_expr *sp_parser_node(sp_parser *p, const sp_expr *proto, sp_mark from) {
  sp_expr e = *proto;
  const sp_expr *made = NULL;
  e.pos = from.pos;
  e.len = p->prev_end - from.pos;
  e.shift = (uint16_t)(from.shift < UINT16_MAX ? from.shift : UINT16_MAX);
  if (p->status != SP_OK) {
    return NULL;
  }
  sp_error why = SP_ERROR_INIT;
  const sp_status st = e.kind == SP_EXPR_CALL ? sp_expr_new_call(p->arena, &e, &made, &why)
                                              : sp_expr_new(p->arena, &e, &made, &why);
  if (st == SP_NOMEM) {
    return sp_parser_nomem(p);
  }
  return st == SP_OK ? made : sp_parser_fail(p, st, from, "%s", why.message);
}

bool sp_parser_push(sp_parser *p, const sp_expr *e) {
  if (e == NULL) {
    return false;
  }
  if (!sp_arena_grow(p->arena, &p->stack, &p->cap, p->n + 1, sizeof *p->stack)) {
    sp_parser_nomem(p);
    return false;
  }
  p->stack[p->n++] = e;
  return true;
}

const sp_function *sp_parser_function(sp_parser *p, const char *name) {
  const sp_function *fn = sp_function_find(sp_sv_from(name));
  if (fn == NULL) {
    sp_parser_fail(p, SP_INTERNAL, p->at, "the function table has no `%s`", name);
  }
  return fn;
}

const sp_expr *sp_parser_call(sp_parser *p, const sp_function *fn, uint32_t base, sp_mark from) {
  if (fn == NULL) {
    return NULL;
  }
  const sp_expr proto = {.kind = SP_EXPR_CALL, .fn = fn, .args = p->stack + base, .n_args = p->n - base};
  const sp_expr *e = sp_parser_node(p, &proto, from);
  p->n = base;
  return e;
}

const sp_expr *sp_parser_call1(sp_parser *p, const char *fn, const sp_expr *x, sp_mark from) {
  const uint32_t base = p->n;
  return sp_parser_push(p, x) ? sp_parser_call(p, sp_parser_function(p, fn), base, from) : NULL;
}

const sp_expr *sp_parser_call2(sp_parser *p, const char *fn, const sp_expr *x, const sp_expr *y,
                               sp_mark from) {
  const uint32_t base = p->n;
  return sp_parser_push(p, x) && sp_parser_push(p, y)
             ? sp_parser_call(p, sp_parser_function(p, fn), base, from)
             : NULL;
}
