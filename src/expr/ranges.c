/* Which values of one column can satisfy a predicate? For skipping row groups by their statistics.
 *
 * A predicate becomes a set: sorted disjoint ranges, and whether null belongs to it. AND intersects, OR
 * unites, anything not understood is every value, so the set only errs by being too large. NOT is pushed down
 * to comparisons. The order is that of sp_value_cmp: NaN is greater than every number, so a range without
 * upper end includes it.
 *
 * Example: x >= 1 AND (x < 5 OR x = 9) OR x IS NULL is [1, 5) ∪ [9, 9] with null. */
#include <math.h>
#include <stdlib.h>

#include "expr/bind.h"
#include "expr/make.h"

/* More ranges than this are merged into one that spans them. */
#define RANGES_MAX 1024
/* Shared subtrees can have any number of paths to them: past so many steps the rest is every value. */
#define STEPS_MAX 1000000

typedef struct set {
  const sp_expr_range *r;
  uint32_t n;
  bool null;
  bool failed; /* out of memory */
} set;

typedef struct walk {
  sp_arena *arena; /* for the walk only */
  sp_sv column;
  uint32_t steps;
} walk;

static const sp_expr_range everything = {0};
static const set all = {&everything, 1, true, false};
static const set none = {NULL, 0, false, false};
static const set not_null = {&everything, 1, false, false};
static const set only_null = {NULL, 0, true, false};
static const set out_of_memory = {NULL, 0, false, true};

/* ---- bounds ---- */
/* Does range x start before y? */
static int cmp_lo(const sp_expr_range *x, const sp_expr_range *y) {
  if (!x->has_lo || !y->has_lo) {
    return (int)x->has_lo - (int)y->has_lo;
  }
  const int c = sp_value_cmp(&x->lo, &y->lo);
  return c != 0 ? c : (int)x->lo_open - (int)y->lo_open;
}

static int cmp_hi(const sp_expr_range *x, const sp_expr_range *y) {
  if (!x->has_hi || !y->has_hi) {
    return (int)y->has_hi - (int)x->has_hi;
  }
  const int c = sp_value_cmp(&x->hi, &y->hi);
  return c != 0 ? c : (int)y->hi_open - (int)x->hi_open;
}

static void take_lo(sp_expr_range *to, const sp_expr_range *from) {
  to->has_lo = from->has_lo;
  to->lo_open = from->lo_open;
  to->lo = from->lo;
}

static void take_hi(sp_expr_range *to, const sp_expr_range *from) {
  to->has_hi = from->has_hi;
  to->hi_open = from->hi_open;
  to->hi = from->hi;
}

static bool is_empty(const sp_expr_range *r) {
  if (!r->has_lo || !r->has_hi) {
    return false;
  }
  const int c = sp_value_cmp(&r->lo, &r->hi);
  return c > 0 || (c == 0 && (r->lo_open || r->hi_open));
}

/* Does y start inside x or right where it ends? x starts first. */
static bool touches(const sp_expr_range *x, const sp_expr_range *y) {
  if (!x->has_hi || !y->has_lo) {
    return true;
  }
  const int c = sp_value_cmp(&y->lo, &x->hi);
  return c < 0 || (c == 0 && !(y->lo_open && x->hi_open));
}

/* ---- sets ---- */
static int compare_ranges(const void *x, const void *y) {
  return cmp_lo(x, y);
}

/* Sorts and merges n ranges in place; too many become one. */
static uint32_t normalise(sp_expr_range *r, uint32_t n) {
  if (n == 0) {
    return 0;
  }
  qsort(r, n, sizeof *r, compare_ranges);
  uint32_t k = 0;
  for (uint32_t i = 1; i < n; i++) {
    if (!touches(&r[k], &r[i])) {
      r[++k] = r[i];
    } else if (cmp_hi(&r[i], &r[k]) > 0) {
      take_hi(&r[k], &r[i]);
    }
  }
  if (k + 1 > RANGES_MAX) {
    take_hi(&r[0], &r[k]);
    k = 0;
  }
  return k + 1;
}

static set unite(walk *w, const set *sets, uint32_t n) {
  uint64_t total = 0;
  set out = {0};
  for (uint32_t i = 0; i < n; i++) {
    total += sets[i].n;
    out.null |= sets[i].null;
    out.failed |= sets[i].failed;
  }
  sp_expr_range *r = SP_ARENA_ARRAY(w->arena, sp_expr_range, total);
  if (r == NULL || out.failed) {
    return out_of_memory;
  }
  for (uint32_t i = 0; i < n; i++) {
    if (sets[i].n > 0) {
      memcpy(r + out.n, sets[i].r, sets[i].n * sizeof *r);
    }
    out.n += sets[i].n;
  }
  out.n = normalise(r, out.n);
  out.r = r;
  return out;
}

static set intersect(walk *w, set x, set y) {
  if (x.failed || y.failed) {
    return out_of_memory;
  }
  sp_expr_range *r = SP_ARENA_ARRAY(w->arena, sp_expr_range, (size_t)x.n + y.n);
  if (r == NULL) {
    return out_of_memory;
  }
  uint32_t n = 0;
  for (uint32_t i = 0, k = 0; i < x.n && k < y.n;) {
    sp_expr_range both;
    take_lo(&both, cmp_lo(&x.r[i], &y.r[k]) > 0 ? &x.r[i] : &y.r[k]);
    const bool x_ends_first = cmp_hi(&x.r[i], &y.r[k]) < 0;
    take_hi(&both, x_ends_first ? &x.r[i] : &y.r[k]);
    if (!is_empty(&both)) {
      r[n++] = both;
    }
    i += x_ends_first;
    k += !x_ends_first;
  }
  return (set){r, normalise(r, n), x.null && y.null, false};
}

/* Pairwise, so that n sets cost n log n. */
static set intersect_all(walk *w, set *sets, uint32_t n) {
  while (n > 1) {
    for (uint32_t i = 0; i < n / 2; i++) {
      sets[i] = intersect(w, sets[2 * i], sets[2 * i + 1]);
    }
    if (n % 2 == 1) {
      sets[n / 2] = sets[n - 1];
    }
    n = (n + 1) / 2;
  }
  return n == 1 ? sets[0] : all;
}

/* Every value outside n points, sorted or not. */
static set outside(walk *w, const sp_expr_range *points, uint32_t n) {
  sp_expr_range *sorted = sp_arena_copy(w->arena, points, n * sizeof *sorted);
  sp_expr_range *r = SP_ARENA_ARRAY(w->arena, sp_expr_range, (size_t)n + 1);
  if (sorted == NULL || r == NULL) {
    return out_of_memory;
  }
  n = normalise(sorted, n);
  if (n == 1 && sp_value_cmp(&sorted[0].lo, &sorted[0].hi) != 0) {
    return not_null; /* too many points: they were merged */
  }
  r[0] = everything;
  for (uint32_t i = 0; i < n; i++) {
    r[i].has_hi = r[i].hi_open = true;
    r[i].hi = sorted[i].lo;
    r[i + 1] = everything;
    r[i + 1].has_lo = r[i + 1].lo_open = true;
    r[i + 1].lo = sorted[i].lo;
  }
  return (set){r, normalise(r, n + 1), false, false};
}

static sp_expr_range point(const sp_value *v) {
  return (sp_expr_range){.has_lo = true, .has_hi = true, .lo = *v, .hi = *v};
}

static set one(walk *w, sp_expr_range r) {
  sp_expr_range *copy = sp_arena_copy(w->arena, &r, sizeof r);
  return copy == NULL ? out_of_memory : (set){copy, 1, false, false};
}

/* ---- comparisons ---- */
typedef enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, N_OPS } op;
static const char *const op_names[N_OPS] = {"eq", "ne", "lt", "le", "gt", "ge"};
static const op mirrored[N_OPS] = {OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE};
static const op negated[N_OPS] = {OP_NE, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT};

static op op_of(const sp_expr *e) {
  op o = OP_EQ;
  while (o < N_OPS && !sp_expr_is_call(e, op_names[o])) {
    o++;
  }
  return o;
}

static bool is_column(const walk *w, const sp_expr *e) {
  return e->kind == SP_EXPR_COLUMN && sp_sv_eq(e->name, w->column);
}

SP_APART static set compared(walk *w, op o, const sp_value *v) {
  sp_expr_range r = {0};
  if (v->is_null) {
    return none;
  }
  if (o == OP_EQ) {
    return one(w, point(v));
  }
  if (o == OP_NE) {
    r = point(v);
    return outside(w, &r, 1);
  }
  if (o == OP_LT || o == OP_LE) {
    r.has_hi = true;
    r.hi_open = o == OP_LT;
    r.hi = *v;
  } else {
    r.has_lo = true;
    r.lo_open = o == OP_GT;
    r.lo = *v;
  }
  return one(w, r);
}

/* CAST(column AS t) against a literal: the cast keeps order, so the literal is taken back to the column's
 * type, rounded so that the set gets no smaller. Only where the column's numbers all are numbers of t. */
static set compared_cast(walk *w, op o, const sp_type *from, const sp_value *v) {
  sp_value lo = {0};
  if (v->is_null) {
    return none;
  }
  if (sp_value_cast_exact(v, from, w->arena, &lo) && v->type->family != SP_FAMILY_FLOAT) {
    return compared(w, o, &lo);
  }
  /* 2.5 against integers: between 2 and 3. Past its mantissa a float skips integers. */
  const double exact_below = v->type->width == 4 ? 0x1p22 : 0x1p52;
  if (!sp_type_is_int(from) || !sp_type_is_float(v->type) || !(fabs(v->f) < exact_below)) {
    return not_null;
  }
  const sp_value below = sp_value_float(sp_type_of(SP_KIND_FLOAT64), floor(v->f));
  const sp_value above = sp_value_float(sp_type_of(SP_KIND_FLOAT64), ceil(v->f));
  sp_value hi;
  if (!sp_value_cast_exact(&below, from, w->arena, &lo) ||
      !sp_value_cast_exact(&above, from, w->arena, &hi)) {
    return not_null;
  }
  switch (o) {
  case OP_LT:
  case OP_LE:
    return compared(w, OP_LE, &hi);
  case OP_GT:
  case OP_GE:
    return compared(w, OP_GE, &lo);
  case OP_EQ:
    return below.f == v->f ? compared(w, OP_EQ, &lo) : none;
  case OP_NE:
  case N_OPS:
    break;
  }
  return not_null;
}

/* Casts that give equal values only for equal ones, in the same order. */
static bool keeps_order(const sp_type *from, const sp_type *to) {
  if (sp_type_is_int(from)) {
    return sp_type_is_int(to) || sp_type_is_float(to) || to->family == SP_FAMILY_DECIMAL;
  }
  if (from->family == SP_FAMILY_DECIMAL) {
    return to->family == SP_FAMILY_DECIMAL && to->scale >= from->scale;
  }
  if (from->kind == SP_KIND_DATE) {
    return to->kind == SP_KIND_DATETIME;
  }
  return from->kind == SP_KIND_DATETIME && to->kind == SP_KIND_DATETIME && to->unit >= from->unit;
}

SP_APART static set of_comparison(walk *w, const sp_expr *e, op o) {
  const sp_expr *x = e->args[0], *y = e->args[1];
  if (x->kind == SP_EXPR_LITERAL) {
    const sp_expr *t = x;
    x = y;
    y = t;
    o = mirrored[o];
  }
  if (y->kind != SP_EXPR_LITERAL) {
    return all;
  }
  if (is_column(w, x) && x->type == y->literal.type) {
    return compared(w, o, &y->literal);
  }
  if (x->kind == SP_EXPR_CAST && is_column(w, x->args[0]) && keeps_order(x->args[0]->type, x->cast_to)) {
    /* A TRY_CAST or a failing one gives no true row for values it cannot convert. */
    return compared_cast(w, o, x->args[0]->type, &y->literal);
  }
  return all;
}

SP_APART static set of_in(walk *w, const sp_expr *e, bool negate) {
  bool null = false;
  uint32_t n = 0;
  if (!is_column(w, e->args[0])) {
    return all;
  }
  sp_expr_range *points = SP_ARENA_ARRAY(w->arena, sp_expr_range, e->n_args);
  if (points == NULL) {
    return out_of_memory;
  }
  for (uint32_t i = 1; i < e->n_args; i++) {
    const sp_expr *item = e->args[i];
    if (item->kind != SP_EXPR_LITERAL || item->literal.type != e->args[0]->type) {
      return all;
    }
    null |= item->literal.is_null;
    if (!item->literal.is_null) {
      points[n++] = point(&item->literal);
    }
  }
  if (negate) {
    return null ? none : outside(w, points, n);
  }
  return (set){points, normalise(points, n), false, false};
}

/* ---- text ---- */
/* Bytes of the smallest string above every one that starts with the prefix: the prefix up to its last byte
 * that can be raised. 0: there is no such string. */
static size_t successor_size(sp_sv prefix) {
  size_t n = prefix.n;
  while (n > 0 && (unsigned char)prefix.p[n - 1] == 0xff) {
    n--;
  }
  return n;
}

static set starting_with(walk *w, sp_sv prefix, const sp_type *t) {
  if (prefix.n == 0) {
    return not_null;
  }
  sp_expr_range r = {.has_lo = true, .lo = {.type = t, .s = prefix}};
  const size_t n = successor_size(prefix);
  if (n > 0) {
    char *above = sp_arena_strndup(w->arena, prefix.p, n);
    if (above == NULL) {
      return out_of_memory;
    }
    above[n - 1] = (char)((unsigned char)above[n - 1] + 1);
    r.has_hi = r.hi_open = true;
    r.hi = (sp_value){.type = t, .s = {above, n}};
  }
  return one(w, r);
}

SP_APART static set of_like(walk *w, const sp_expr *e, bool whole_pattern) {
  if (e->n_args != 2 || !is_column(w, e->args[0]) || e->args[1]->kind != SP_EXPR_LITERAL ||
      e->args[1]->literal.type != e->args[0]->type) {
    return all;
  }
  const sp_value *v = &e->args[1]->literal;
  if (v->is_null) {
    return none;
  }
  sp_sv prefix = {v->s.p, whole_pattern ? v->s.n : 0};
  while (prefix.n < v->s.n && v->s.p[prefix.n] != '%' && v->s.p[prefix.n] != '_') {
    prefix.n++;
  }
  return prefix.n == v->s.n && !whole_pattern ? compared(w, OP_EQ, v) : starting_with(w, prefix, v->type);
}

/* ---- the walk ---- */
static set of_expr(walk *w, const sp_expr *e, bool negate);

/* AND, or OR under NOT, intersects. */
SP_APART static set of_junction(walk *w, const sp_expr *e, bool conjunction, bool negate) {
  set *sets = SP_ARENA_ARRAY(w->arena, set, e->n_args);
  if (sets == NULL) {
    return out_of_memory;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    sets[i] = of_expr(w, e->args[i], negate);
  }
  return conjunction != negate ? intersect_all(w, sets, e->n_args) : unite(w, sets, e->n_args);
}

SP_APART static set of_distinct(walk *w, const sp_expr *e, bool equal) {
  const sp_expr *x = e->args[0], *y = e->args[1];
  const sp_expr *literal = x->kind == SP_EXPR_LITERAL ? x : y, *column = literal == x ? y : x;
  if (literal->kind != SP_EXPR_LITERAL || !is_column(w, column) || literal->literal.type != column->type) {
    return all;
  }
  if (literal->literal.is_null) {
    return equal ? only_null : not_null;
  }
  set s = compared(w, equal ? OP_EQ : OP_NE, &literal->literal);
  s.null = !equal;
  return s;
}

/* x IS [NOT] TRUE and such, of a predicate x. */
SP_APART static set of_truth(walk *w, const sp_expr *e, bool negate) {
  const char *name = e->fn->name;
  if (strcmp(name, negate ? "is_not_true" : "is_true") == 0) {
    return of_expr(w, e->args[0], false);
  }
  if (strcmp(name, negate ? "is_not_false" : "is_false") == 0) {
    return of_expr(w, e->args[0], true);
  }
  return all;
}

SP_APART static set of_call(walk *w, const sp_expr *e, bool negate) {
  const char *name = e->fn->name;
  const op o = op_of(e);
  if (o != N_OPS) {
    return of_comparison(w, e, negate ? negated[o] : o);
  }
  if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0) {
    return of_junction(w, e, name[0] == 'a', negate);
  }
  if (strcmp(name, "not") == 0) {
    return of_expr(w, e->args[0], !negate);
  }
  if (strcmp(name, "in") == 0) {
    return of_in(w, e, negate);
  }
  if (strcmp(name, "is_null") == 0 || strcmp(name, "is_not_null") == 0) {
    return !is_column(w, e->args[0])                      ? all
           : (name[3] == 'n' && name[4] == 'u') != negate ? only_null
                                                          : not_null;
  }
  if (strcmp(name, "is_distinct") == 0 || strcmp(name, "is_not_distinct") == 0) {
    return of_distinct(w, e, (strcmp(name, "is_not_distinct") == 0) != negate);
  }
  if (!negate && (strcmp(name, "like") == 0 || strcmp(name, "starts_with") == 0)) {
    return of_like(w, e, name[0] == 's');
  }
  return of_truth(w, e, negate);
}

static set of_expr(walk *w, const sp_expr *e, bool negate) {
  if (++w->steps > STEPS_MAX) {
    return all;
  }
  switch (e->kind) {
  case SP_EXPR_CALL:
    return of_call(w, e, negate);
  case SP_EXPR_LITERAL:
    if (e->literal.is_null || e->literal.type->kind != SP_KIND_BOOL) {
      return e->literal.is_null ? none : all;
    }
    return e->literal.b != negate ? all : none;
  case SP_EXPR_COLUMN: {
    const sp_value v = sp_value_bool(!negate);
    return is_column(w, e) && e->type == v.type ? compared(w, OP_EQ, &v) : all;
  }
  case SP_EXPR_ALIAS:
    return of_expr(w, e->args[0], negate);
  case SP_EXPR_CAST:
  case SP_EXPR_SELECTOR:
    break;
  }
  return all;
}

/* Copies the result out of the walk's arena. */
static bool keep(const set *s, sp_arena *a, const sp_expr_range **ret) {
  sp_expr_range *r = sp_arena_copy(a, s->r, s->n * sizeof *r);
  if (r == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < s->n; i++) {
    sp_value *ends[2] = {r[i].has_lo ? &r[i].lo : NULL, r[i].has_hi ? &r[i].hi : NULL};
    for (uint32_t k = 0; k < 2; k++) {
      if (ends[k] != NULL && sp_type_is_bytes(ends[k]->type)) {
        ends[k]->s.p = sp_arena_strndup(a, ends[k]->s.p, ends[k]->s.n);
        if (ends[k]->s.p == NULL) {
          return false;
        }
      }
    }
  }
  *ret = r;
  return true;
}

bool sp_expr_ranges(const sp_expr *predicate, sp_sv column, sp_arena *a, const sp_expr_range **ret,
                    uint32_t *ret_n, bool *ret_wants_null) {
  sp_arena scratch;
  sp_arena_init(&scratch, a->mem);
  walk w = {.arena = &scratch, .column = column};
  const set s = of_expr(&w, predicate, false);
  const bool is_all = s.null && s.n == 1 && !s.r[0].has_lo && !s.r[0].has_hi;
  const bool known = !s.failed && !is_all && keep(&s, a, ret);
  if (known) {
    *ret_n = s.n;
    *ret_wants_null = s.null;
  } else {
    *ret_n = is_all && !s.failed ? 0 : UINT32_MAX;
  }
  sp_arena_release(&scratch);
  return known;
}
