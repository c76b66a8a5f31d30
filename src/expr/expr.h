/* Expressions: an immutable tree in an arena. Text, JSON, plans, rules and compiled programs all use this form.
 *
 *   sum(price * (1 - discount)) FILTER (WHERE price > 0) AS revenue
 *   ALIAS revenue ── CALL sum, filter = CALL gt(COLUMN price, LITERAL 0)
 *                    └─ CALL mul(COLUMN price, CALL sub(LITERAL 1, COLUMN discount))
 *
 * Columns are meant by name, so an expression can move between nodes; only a compiled program knows indices. Operators are
 * calls too (add, eq, and, …); AND, OR and concat are n-ary. A tree may share subtrees. Before binding type is NULL;
 * binding (bind.h) makes a new tree with types and casts. Depth is limited, so functions here may recurse. */
#ifndef SP_EXPR_EXPR_H
#define SP_EXPR_EXPR_H

#include "base/hash.h"
#include "base/json.h"
#include "data/schema.h"
#include "data/value.h"

#define SP_EXPR_MAX_DEPTH 6000
#define SP_EXPR_MAX_ARGS 65000

typedef enum sp_expr_kind {
  SP_EXPR_COLUMN,   /* name */
  SP_EXPR_LITERAL,  /* literal */
  SP_EXPR_CALL,     /* fn, args, and for aggregates distinct, filter */
  SP_EXPR_CAST,     /* args[0], cast_to, try_cast */
  SP_EXPR_ALIAS,    /* args[0], name; only outermost */
  SP_EXPR_SELECTOR  /* selector; gone after expansion */
} sp_expr_kind;

typedef enum sp_selector_kind {
  SP_SELECT_ALL,     /* * */
  SP_SELECT_REGEX,   /* COLUMNS('regex'), POSIX extended */
  SP_SELECT_TYPE     /* COLUMNS(type): a type's name, or numeric, integer, float, temporal, string */
} sp_selector_kind;

typedef struct sp_selector {
  sp_selector_kind kind;
  sp_sv pattern; /* regex or type */
  uint32_t n_exclude;
  const sp_sv *exclude; /* EXCLUDE (a, b) */
} sp_selector;

/* Facts of a tree, known when it is made. */
enum {
  SP_EXPR_HAS_COLUMN = 1u << 0,
  SP_EXPR_HAS_AGGREGATE = 1u << 1,
  SP_EXPR_HAS_SELECTOR = 1u << 2,
  SP_EXPR_HAS_FALLIBLE = 1u << 3,
  SP_EXPR_HAS_VOLATILE = 1u << 4,
  SP_EXPR_WAS_QUOTED = 1u << 5 /* a column written with quotes; of this node only */
};

typedef struct sp_function sp_function;
typedef struct sp_expr sp_expr;
struct sp_expr {
  sp_expr_kind kind;
  uint8_t try_cast, distinct;
  uint16_t depth;          /* 1 for a leaf */
  const sp_type *type;     /* NULL before binding */
  sp_sv name;              /* COLUMN, ALIAS; NUL-terminated */
  sp_value literal;
  const sp_function *fn;
  const sp_type *cast_to;
  const sp_selector *selector;
  const sp_expr *filter;   /* aggregates: FILTER (WHERE …) or NULL */
  uint32_t n_args;
  uint16_t facts;          /* SP_EXPR_HAS_…, of the whole tree */
  uint16_t shift;          /* bytes that JSON escapes add before pos, for columns in messages */
  const sp_expr *const *args;
  uint64_t hash;           /* structural; equal trees have equal hashes; types do not count */
  uint32_t pos, len;       /* span in the text it was parsed from; len 0 = none */
};

/* ---- making; NULL when out of memory or too deep/wide (sp_expr_new reports which). Arguments are kept by reference ---- */
const sp_expr *sp_expr_column(sp_arena *a, sp_sv name, const sp_type *type);
const sp_expr *sp_expr_literal(sp_arena *a, const sp_value *v);
const sp_expr *sp_expr_bool(sp_arena *a, bool b);
const sp_expr *sp_expr_call(sp_arena *a, const sp_function *fn, const sp_type *type, const sp_expr *const *args, uint32_t n);
const sp_expr *sp_expr_call_named(sp_arena *a, const char *fn, const sp_type *type, const sp_expr *const *args, uint32_t n);
const sp_expr *sp_expr_aggregate(sp_arena *a, const sp_function *fn, const sp_type *type, const sp_expr *const *args, uint32_t n,
                                 bool distinct, const sp_expr *filter);
const sp_expr *sp_expr_cast(sp_arena *a, const sp_expr *e, const sp_type *to, bool try_cast); /* bound: type = to */
const sp_expr *sp_expr_alias(sp_arena *a, const sp_expr *e, sp_sv name);
const sp_expr *sp_expr_selector(sp_arena *a, const sp_selector *s);
/* AND of n bound predicates: n = 0 gives true, n = 1 the predicate itself; nested ANDs are flattened. */
const sp_expr *sp_expr_and(sp_arena *a, const sp_expr *const *preds, uint32_t n);
/* The same kind of node with other arguments (and filter). */
const sp_expr *sp_expr_with_args(sp_arena *a, const sp_expr *e, const sp_expr *const *args, const sp_expr *filter);

/* ---- looking ---- */
bool sp_expr_eq(const sp_expr *x, const sp_expr *y);
void sp_expr_hash128(const sp_expr *e, sp_hasher *h); /* names, literals and types of casts; stable across builds */
static inline const sp_expr *sp_expr_unalias(const sp_expr *e) { return e->kind == SP_EXPR_ALIAS ? e->args[0] : e; }
bool sp_expr_is_column(const sp_expr *e, sp_sv *ret_name); /* through an alias */
bool sp_expr_is_call(const sp_expr *e, const char *fn);
bool sp_expr_is_true(const sp_expr *e); /* the literal */
bool sp_expr_is_false_or_null(const sp_expr *e);
/* Its output's name: alias, column, or canonical text. In the arena; p == NULL when out of memory. */
sp_sv sp_expr_name(const sp_expr *e, sp_arena *a);

/* The set of columns an expression reads: sorted, unique; arena-allocated. */
typedef struct sp_names {
  uint32_t n, cap;
  sp_sv *names;
} sp_names;
bool sp_names_add(sp_names *s, sp_arena *a, sp_sv name); /* false = out of memory */
bool sp_names_has(const sp_names *s, sp_sv name);
bool sp_expr_columns(const sp_expr *e, sp_arena *a, sp_names *ret); /* adds to *ret */
bool sp_expr_reads(const sp_expr *e, sp_sv name);

/* Facts, from the functions' flags. */
bool sp_expr_is_fallible(const sp_expr *e);    /* may fail on some row: strict casts, decimal overflow, … */
bool sp_expr_is_volatile(const sp_expr *e);    /* no function is, today */
bool sp_expr_has_aggregate(const sp_expr *e);
bool sp_expr_has_column(const sp_expr *e);
/* Is the predicate never true when every column in `names` is null? (so that an outer join's null rows are dropped) Conservative. */
bool sp_expr_rejects_nulls(const sp_expr *e, const sp_names *names);

/* Replaces columns by expressions: map(ctx, name) returns the replacement or NULL to keep. Types stay; the result is bound if
 * input and replacements are. NULL when out of memory or too deep. */
const sp_expr *sp_expr_substitute(sp_arena *a, const sp_expr *e, const sp_expr *(*map)(void *ctx, sp_sv name), void *ctx);
/* Splits at AND into conjuncts, in order. */
bool sp_expr_conjuncts(const sp_expr *e, sp_arena *a, const sp_expr *const **ret, uint32_t *ret_n);
/* The value of a bound expression without columns or aggregates; SP_OK with *ret_folded false when evaluating fails (the
 * error belongs to the run) or it has columns. String values live in the arena. */
sp_status sp_expr_fold(const sp_expr *e, sp_arena *a, bool *ret_folded, sp_value *ret, sp_error *err);

/* ---- text ---- */
/* SQL expression text (grammar in README.md). loc: place of the text (a JSON string); errors get its file, pointer and line, and a column
 * that counts into the text, and quote the token at fault. A trailing `AS name` makes an ALIAS. */
sp_status sp_expr_parse(sp_arena *a, sp_sv text, const sp_loc *loc, const sp_expr **ret, sp_error *err);
/* Canonical text, with the fewest parentheses; parse(print(e)) == e. */
void sp_expr_print(const sp_expr *e, sp_str *out);
const char *sp_expr_text(const sp_expr *e, sp_arena *a); /* NULL when out of memory */

typedef enum sp_token_kind { SP_TOK_COLUMN, SP_TOK_FUNCTION, SP_TOK_KEYWORD, SP_TOK_OPERATOR, SP_TOK_NUMBER, SP_TOK_STRING, SP_TOK_PUNCT, SP_TOK_TYPE } sp_token_kind;
typedef struct sp_token_span {
  uint32_t pos, len;
  sp_token_kind kind;
} sp_token_span;
/* Spans of an expression's canonical text, for colouring. */
bool sp_expr_tokens(sp_sv text, sp_arena *a, const sp_token_span **ret, uint32_t *ret_n);

/* ---- JSON: {"column":"a"} {"literal":1,"type":"int64"} {"call":"add","args":[…]} {"cast":…,"to":"date","try":true} {"alias":…,"name":…}
 * {"selector":"*","exclude":[…]} (also "regex" and "type", with a "pattern"), calls with "distinct" and "filter"; a JSON string is
 * expression text ---- */
sp_status sp_expr_from_json(sp_arena *a, const sp_json_doc *d, const sp_json *v, const sp_expr **ret, sp_error *err);
void sp_expr_to_json(const sp_expr *e, sp_jw *w);

#endif
