/* Tree to canonical text: the fewest parentheses that read back as the same tree.
 *
 * Every operator says how tightly it binds and how tightly each operand must; an operand that binds less gets
 * parentheses. What has no operator form (an operator's function with an odd number of arguments, say) is
 * written as a call, with quotes where its name is a keyword.
 *
 * Example: mul(add(a, 1), neg(b)) is `(a + 1) * -b`; not(like(s, 'x%')) is `s NOT LIKE 'x%'`. */
#include "expr/coerce.h"
#include "expr/literal.h"
#include "expr/parse.h"

#define TEXT_MAX ((size_t)4 << 20) /* of sp_expr_text: shared subtrees can stand for any length */

typedef enum form {
  FORM_CALL,
  FORM_BINARY, /* left OP right */
  FORM_CHAIN,  /* x OP y OP z */
  FORM_SUFFIX, /* x OP */
  FORM_NOT,
  FORM_NEG,
  FORM_IN,
  FORM_LIKE,
  FORM_BETWEEN,
  FORM_CASE
} form;

typedef struct operator_form {
  const char *fn, *text;
  form form;
  uint8_t prec, left, right; /* of the whole; what its operands need */
} operator_form;

static const operator_form forms[] = {
    {"or", " OR ", FORM_CHAIN, SP_PREC_OR, SP_PREC_AND, SP_PREC_AND},
    {"and", " AND ", FORM_CHAIN, SP_PREC_AND, SP_PREC_NOT, SP_PREC_NOT},
    {"not", "NOT ", FORM_NOT, SP_PREC_NOT, 0, SP_PREC_NOT},
    {"is_null", " IS NULL", FORM_SUFFIX, SP_PREC_IS, SP_PREC_IS, 0},
    {"is_not_null", " IS NOT NULL", FORM_SUFFIX, SP_PREC_IS, SP_PREC_IS, 0},
    {"is_true", " IS TRUE", FORM_SUFFIX, SP_PREC_IS, SP_PREC_IS, 0},
    {"is_false", " IS FALSE", FORM_SUFFIX, SP_PREC_IS, SP_PREC_IS, 0},
    {"is_not_true", " IS NOT TRUE", FORM_SUFFIX, SP_PREC_IS, SP_PREC_IS, 0},
    {"is_not_false", " IS NOT FALSE", FORM_SUFFIX, SP_PREC_IS, SP_PREC_IS, 0},
    {"is_distinct", " IS DISTINCT FROM ", FORM_BINARY, SP_PREC_IS, SP_PREC_IS, SP_PREC_COMPARE},
    {"is_not_distinct", " IS NOT DISTINCT FROM ", FORM_BINARY, SP_PREC_IS, SP_PREC_IS, SP_PREC_COMPARE},
    {"eq", " = ", FORM_BINARY, SP_PREC_COMPARE, SP_PREC_RANGE, SP_PREC_RANGE},
    {"ne", " <> ", FORM_BINARY, SP_PREC_COMPARE, SP_PREC_RANGE, SP_PREC_RANGE},
    {"lt", " < ", FORM_BINARY, SP_PREC_COMPARE, SP_PREC_RANGE, SP_PREC_RANGE},
    {"le", " <= ", FORM_BINARY, SP_PREC_COMPARE, SP_PREC_RANGE, SP_PREC_RANGE},
    {"gt", " > ", FORM_BINARY, SP_PREC_COMPARE, SP_PREC_RANGE, SP_PREC_RANGE},
    {"ge", " >= ", FORM_BINARY, SP_PREC_COMPARE, SP_PREC_RANGE, SP_PREC_RANGE},
    {"in", " IN (", FORM_IN, SP_PREC_RANGE, SP_PREC_CONCAT, 0},
    {"like", " LIKE ", FORM_LIKE, SP_PREC_RANGE, SP_PREC_CONCAT, SP_PREC_CONCAT},
    {"between", " BETWEEN ", FORM_BETWEEN, SP_PREC_RANGE, SP_PREC_CONCAT, SP_PREC_CONCAT},
    {"concat", " || ", FORM_CHAIN, SP_PREC_CONCAT, SP_PREC_ADD, SP_PREC_ADD},
    {"add", " + ", FORM_BINARY, SP_PREC_ADD, SP_PREC_ADD, SP_PREC_MUL},
    {"sub", " - ", FORM_BINARY, SP_PREC_ADD, SP_PREC_ADD, SP_PREC_MUL},
    {"mul", " * ", FORM_BINARY, SP_PREC_MUL, SP_PREC_MUL, SP_PREC_UNARY},
    {"div", " / ", FORM_BINARY, SP_PREC_MUL, SP_PREC_MUL, SP_PREC_UNARY},
    {"floordiv", " // ", FORM_BINARY, SP_PREC_MUL, SP_PREC_MUL, SP_PREC_UNARY},
    {"mod", " % ", FORM_BINARY, SP_PREC_MUL, SP_PREC_MUL, SP_PREC_UNARY},
    {"neg", "-", FORM_NEG, SP_PREC_UNARY, 0, SP_PREC_PRIMARY},
    {"case", "CASE", FORM_CASE, SP_PREC_PRIMARY, 0, 0},
};

static const operator_form call_form = {"", "", FORM_CALL, SP_PREC_PRIMARY, 0, 0};

static bool fits(form f, uint32_t n) {
  switch (f) {
  case FORM_CALL:
    return true;
  case FORM_BINARY:
    return n == 2;
  case FORM_CHAIN:
  case FORM_IN:
  case FORM_CASE:
    return n >= 2;
  case FORM_SUFFIX:
  case FORM_NOT:
  case FORM_NEG:
    return n == 1;
  case FORM_LIKE:
    return n == 2 || n == 3;
  case FORM_BETWEEN:
    return n == 3;
  }
  return false;
}

static const operator_form *form_of(const sp_expr *e) {
  if (!e->distinct && e->filter == NULL) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
      if (strcmp(e->fn->name, forms[i].fn) == 0) {
        return fits(forms[i].form, e->n_args) ? &forms[i] : &call_form;
      }
    }
  }
  return &call_form;
}

/* x NOT LIKE y and its like: the operator's form when e is its negation. */
static const operator_form *negated_form(const sp_expr *e) {
  if (e->distinct || e->filter != NULL || !sp_expr_is_call(e, "not") || e->n_args != 1 ||
      e->args[0]->kind != SP_EXPR_CALL) {
    return NULL;
  }
  const operator_form *f = form_of(e->args[0]);
  return f->form == FORM_IN || f->form == FORM_LIKE || f->form == FORM_BETWEEN ? f : NULL;
}

/* ---- which literals stand without their type ---- */
#define ANCHOR_TYPES 4

/* Types of a call's arguments that are not literals: a literal of one of them gets it back when bound again.
 */
typedef struct anchors {
  const sp_type *types[ANCHOR_TYPES];
  uint32_t n;
  bool arithmetic;
} anchors;

static bool has_anchor(const anchors *an, const sp_type *t) {
  for (uint32_t i = 0; i < an->n; i++) {
    if (an->types[i] == t) {
      return true;
    }
  }
  return false;
}

static void add_anchor(anchors *an, const sp_type *t) {
  if (t != NULL && an->n < ANCHOR_TYPES && !has_anchor(an, t)) {
    an->types[an->n++] = t;
  }
}

SP_APART static anchors anchors_of(const sp_expr *e) {
  anchors an = {.arithmetic = (e->fn->flags & SP_FN_ARITHMETIC) != 0};
  const bool same = (e->fn->flags & SP_FN_SAME_TYPE) != 0 || strcmp(e->fn->name, "case") == 0;
  if (e->type == NULL || (!same && !an.arithmetic)) {
    return an;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    const sp_expr *x = e->args[i];
    const bool literal = x->kind == SP_EXPR_LITERAL;
    const bool varies = sp_expr_has_column(x) || sp_expr_has_aggregate(x) || sp_expr_is_volatile(x);
    if (varies || (an.arithmetic && !literal) ||
        (same && literal && !x->literal.is_null && sp_literal_is_natural(&x->literal))) {
      add_anchor(&an, x->type);
    }
  }
  return an;
}

/* Decimal arithmetic gives a literal the type of its digits, however it was written. */
static bool is_own_decimal(const anchors *an, const sp_value *v) {
  bool beside = false;
  for (uint32_t i = 0; i < an->n; i++) {
    beside |= an->types[i]->family == SP_FAMILY_DECIMAL;
  }
  return an->arithmetic && beside && !v->is_null && v->type->family == SP_FAMILY_DECIMAL;
}

SP_APART static bool is_bare(const sp_expr *e, const anchors *an) {
  return e->kind == SP_EXPR_LITERAL && (has_anchor(an, e->literal.type) || is_own_decimal(an, &e->literal));
}

/* ---- printing ---- */
static void print_at(const sp_expr *e, uint32_t min_prec, bool bare, sp_str *out);

SP_APART static void print_name(sp_sv name, sp_str *out) {
  if (sp_lex_is_plain_name(name)) {
    sp_str_addn(out, name.p, name.n);
    return;
  }
  sp_str_addc(out, '"');
  for (size_t i = 0; i < name.n; i++) {
    sp_str_addn(out, name.p[i] == '"' ? "\"\"" : name.p + i, name.p[i] == '"' ? 2 : 1);
  }
  sp_str_addc(out, '"');
}

SP_APART static void print_selector(const sp_selector *s, sp_str *out) {
  switch (s->kind) {
  case SP_SELECT_ALL:
    sp_str_addc(out, '*');
    break;
  case SP_SELECT_REGEX: {
    const sp_value v = sp_value_str(s->pattern);
    sp_str_add(out, "COLUMNS(");
    sp_literal_print(&v, false, out);
    sp_str_addc(out, ')');
    break;
  }
  case SP_SELECT_TYPE:
    sp_str_add(out, "COLUMNS(");
    sp_str_addn(out, s->pattern.p, s->pattern.n);
    sp_str_addc(out, ')');
    break;
  }
  for (uint32_t i = 0; i < s->n_exclude; i++) {
    sp_str_add(out, i == 0 ? " EXCLUDE (" : ", ");
    print_name(s->exclude[i], out);
  }
  sp_str_add(out, s->n_exclude > 0 ? ")" : "");
}

static void print_arg(const sp_expr *e, uint32_t i, uint32_t min_prec, const anchors *an, sp_str *out) {
  print_at(e->args[i], min_prec, is_bare(e->args[i], an), out);
}

SP_APART static void print_list(const sp_expr *e, uint32_t from, const char *separator, uint32_t min_prec,
                                const anchors *an, sp_str *out) {
  for (uint32_t i = from; i < e->n_args && sp_str_ok(out); i++) {
    if (i > from) {
      sp_str_add(out, separator);
    }
    print_arg(e, i, min_prec, an, out);
  }
}

static void print_call(const sp_expr *e, const anchors *an, sp_str *out) {
  static const char *const words[] = {"cast", "try_cast", "extract", "columns"};
  const sp_sv name = sp_sv_from(e->fn->name);
  bool quote = !sp_lex_is_plain_name(name);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    quote |= strcmp(name.p, words[i]) == 0;
  }
  sp_str_addf(out, quote ? "\"%s\"(%s" : "%s(%s", name.p, e->distinct ? "DISTINCT " : "");
  if (e->n_args == 0 && e->fn->min_args == 0 && (e->fn->flags & SP_FN_AGGREGATE) != 0) {
    sp_str_addc(out, '*');
  }
  print_list(e, 0, ", ", 0, an, out);
  sp_str_addc(out, ')');
  if (e->filter != NULL) {
    sp_str_add(out, " FILTER (WHERE ");
    print_at(e->filter, 0, false, out);
    sp_str_addc(out, ')');
  }
}

static void print_case(const sp_expr *e, const anchors *an, sp_str *out) {
  sp_str_add(out, "CASE");
  for (uint32_t i = 0; i < e->n_args && sp_str_ok(out); i++) {
    const bool is_else = i % 2 == 0 && i + 1 == e->n_args;
    sp_str_add(out, is_else ? " ELSE " : i % 2 == 0 ? " WHEN " : " THEN ");
    print_arg(e, i, 0, an, out);
  }
  sp_str_add(out, " END");
}

/* -x; what starts with a minus or is a number keeps its parentheses, so that the sign is not taken into it.
 */
static void print_neg(const sp_expr *e, const anchors *an, sp_str *out) {
  const sp_expr *x = e->args[0];
  const bool number =
      x->kind == SP_EXPR_LITERAL && !x->literal.is_null && sp_type_is_numeric(x->literal.type);
  sp_str_addc(out, '-');
  if (number) {
    sp_str_addc(out, '(');
  }
  print_arg(e, 0, number ? 0 : SP_PREC_PRIMARY, an, out);
  if (number) {
    sp_str_addc(out, ')');
  }
}

/* IN, LIKE and BETWEEN, with NOT in front of the word when negated. */
SP_APART static void print_range(const sp_expr *e, const operator_form *f, bool negated, const anchors *an,
                                 sp_str *out) {
  print_arg(e, 0, f->left, an, out);
  sp_str_add(out, negated ? " NOT" : "");
  sp_str_add(out, f->text);
  if (f->form == FORM_IN) {
    print_list(e, 1, ", ", 0, an, out);
    sp_str_addc(out, ')');
    return;
  }
  print_arg(e, 1, f->right, an, out);
  if (e->n_args == 3) {
    sp_str_add(out, f->form == FORM_LIKE ? " ESCAPE " : " AND ");
    print_arg(e, 2, f->right, an, out);
  }
}

SP_APART static void print_form(const sp_expr *e, const operator_form *f, sp_str *out) {
  const anchors an = anchors_of(e);
  switch (f->form) {
  case FORM_CALL:
    print_call(e, &an, out);
    break;
  case FORM_BINARY:
    print_arg(e, 0, f->left, &an, out);
    sp_str_add(out, f->text);
    print_arg(e, 1, f->right, &an, out);
    break;
  case FORM_CHAIN:
    print_list(e, 0, f->text, f->left, &an, out);
    break;
  case FORM_SUFFIX:
    print_arg(e, 0, f->left, &an, out);
    sp_str_add(out, f->text);
    break;
  case FORM_NOT:
    sp_str_add(out, f->text);
    print_arg(e, 0, f->right, &an, out);
    break;
  case FORM_NEG:
    print_neg(e, &an, out);
    break;
  case FORM_IN:
  case FORM_LIKE:
  case FORM_BETWEEN:
    print_range(e, f, false, &an, out);
    break;
  case FORM_CASE:
    print_case(e, &an, out);
    break;
  }
}

SP_APART static void print_operator(const sp_expr *e, uint32_t min_prec, sp_str *out) {
  const operator_form *negated = negated_form(e);
  const operator_form *f = negated != NULL ? negated : form_of(e);
  const bool parens = f->prec < min_prec;
  if (parens) {
    sp_str_addc(out, '(');
  }
  if (negated != NULL) {
    const anchors an = anchors_of(e->args[0]);
    print_range(e->args[0], f, true, &an, out);
  } else {
    print_form(e, f, out);
  }
  if (parens) {
    sp_str_addc(out, ')');
  }
}

SP_APART static void print_literal(const sp_value *v, uint32_t min_prec, bool bare, sp_str *out) {
  const size_t from = out->n;
  sp_literal_print(v, bare, out);
  /* A sign binds like the operator. */
  if (min_prec > SP_PREC_UNARY && sp_str_ok(out) && out->p[from] == '-') {
    out->n = from;
    sp_str_addc(out, '(');
    sp_literal_print(v, bare, out);
    sp_str_addc(out, ')');
  }
}

static void print_at(const sp_expr *e, uint32_t min_prec, bool bare, sp_str *out) {
  if (!sp_str_ok(out)) {
    return;
  }
  switch (e->kind) {
  case SP_EXPR_COLUMN:
    print_name(e->name, out);
    break;
  case SP_EXPR_LITERAL:
    print_literal(&e->literal, min_prec, bare, out);
    break;
  case SP_EXPR_CALL:
    print_operator(e, min_prec, out);
    break;
  case SP_EXPR_CAST:
    sp_str_add(out, e->try_cast ? "TRY_CAST(" : "CAST(");
    print_at(e->args[0], 0, false, out);
    sp_str_addf(out, " AS %s)", e->cast_to->name);
    break;
  case SP_EXPR_ALIAS:
    print_at(e->args[0], 0, false, out);
    sp_str_add(out, " AS ");
    print_name(e->name, out);
    break;
  case SP_EXPR_SELECTOR:
    print_selector(e->selector, out);
    break;
  }
}

void sp_expr_print(const sp_expr *e, sp_str *out) {
  print_at(e, 0, false, out);
}

const char *sp_expr_text(const sp_expr *e, sp_arena *a) {
  sp_str text;
  sp_str_init(&text, a->mem, TEXT_MAX);
  sp_expr_print(e, &text);
  const char *copy = NULL;
  if (sp_str_ok(&text)) {
    copy = sp_arena_strndup(a, text.p, text.n);
  } else if (text.status == SP_LIMIT) {
    size_t n = text.n;
    while (n > 0 && ((unsigned char)text.p[n - 1] & 0x80) != 0) {
      n--;
    }
    copy = sp_arena_printf(a, "%.*s …", (int)n, text.p);
  }
  sp_str_release(&text);
  return copy;
}

sp_sv sp_expr_name(const sp_expr *e, sp_arena *a) {
  if (e->kind == SP_EXPR_ALIAS || e->kind == SP_EXPR_COLUMN) {
    return e->name;
  }
  return sp_sv_from(sp_expr_text(e, a));
}
