/* What an expression reads and is. The facts themselves are computed when a node is made (expr.c).
 *
 * Example: sp_expr_columns of a > b OR a IS NULL is {a, b}. */
#include "expr/coerce.h"
#include "expr/make.h"

bool sp_expr_is_column(const sp_expr *e, sp_sv *ret_name) {
  e = sp_expr_unalias(e);
  if (e->kind != SP_EXPR_COLUMN) {
    return false;
  }
  *ret_name = e->name;
  return true;
}

bool sp_expr_is_call(const sp_expr *e, const char *fn) {
  return e->kind == SP_EXPR_CALL && strcmp(e->fn->name, fn) == 0;
}

bool sp_expr_is_true(const sp_expr *e) {
  return e->kind == SP_EXPR_LITERAL && !e->literal.is_null && e->literal.type->kind == SP_KIND_BOOL &&
         e->literal.b;
}

bool sp_expr_is_false_or_null(const sp_expr *e) {
  return e->kind == SP_EXPR_LITERAL &&
         (e->literal.is_null || (e->literal.type->kind == SP_KIND_BOOL && !e->literal.b));
}

bool sp_expr_is_fallible(const sp_expr *e) {
  return (e->facts & SP_EXPR_HAS_FALLIBLE) != 0;
}

bool sp_expr_is_volatile(const sp_expr *e) {
  return (e->facts & SP_EXPR_HAS_VOLATILE) != 0;
}

bool sp_expr_has_aggregate(const sp_expr *e) {
  return (e->facts & SP_EXPR_HAS_AGGREGATE) != 0;
}

bool sp_expr_has_column(const sp_expr *e) {
  return (e->facts & SP_EXPR_HAS_COLUMN) != 0;
}

/* ---- sets of names ---- */
/* Index of the first name not below `name`. */
static uint32_t lower_bound(const sp_names *s, sp_sv name) {
  uint32_t lo = 0, hi = s->n;
  while (lo < hi) {
    const uint32_t mid = lo + (hi - lo) / 2;
    if (sp_sv_cmp(s->names[mid], name) < 0) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo;
}

bool sp_names_has(const sp_names *s, sp_sv name) {
  const uint32_t at = lower_bound(s, name);
  return at < s->n && sp_sv_eq(s->names[at], name);
}

bool sp_names_add(sp_names *s, sp_arena *a, sp_sv name) {
  const uint32_t at = lower_bound(s, name);
  if (at < s->n && sp_sv_eq(s->names[at], name)) {
    return true;
  }
  if (!sp_arena_grow(a, &s->names, &s->cap, s->n + 1, sizeof *s->names)) {
    return false;
  }
  memmove(s->names + at + 1, s->names + at, (s->n - at) * sizeof *s->names);
  s->names[at] = name;
  s->n++;
  return true;
}

/* ---- reading ---- */
typedef struct collect {
  sp_arena *arena;
  sp_names *names;
  sp_memo seen;
} collect;

static bool collect_columns(const sp_expr *e, collect *c) {
  if ((e->facts & SP_EXPR_HAS_COLUMN) == 0) {
    return true;
  }
  if (e->kind == SP_EXPR_COLUMN) {
    return sp_names_add(c->names, c->arena, e->name);
  }
  /* Small trees cannot have many paths, and most trees are small. */
  if (e->depth > 8) {
    if (sp_memo_get(&c->seen, e) != NULL) {
      return true;
    }
    if (!sp_memo_put(&c->seen, e, e)) {
      return false;
    }
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    if (!collect_columns(e->args[i], c)) {
      return false;
    }
  }
  return e->filter == NULL || collect_columns(e->filter, c);
}

bool sp_expr_columns(const sp_expr *e, sp_arena *a, sp_names *ret) {
  collect c = {.arena = a, .names = ret};
  sp_memo_init(&c.seen, a->mem);
  const bool ok = collect_columns(e, &c);
  sp_memo_release(&c.seen);
  return ok;
}

static bool reads(const sp_expr *e, sp_sv name, sp_recent *seen) {
  if ((e->facts & SP_EXPR_HAS_COLUMN) == 0) {
    return false;
  }
  if (e->kind == SP_EXPR_COLUMN) {
    return sp_sv_eq(e->name, name);
  }
  const uint32_t slot = sp_recent_slot(e);
  if (seen->keys[slot] == e) {
    return false;
  }
  for (uint32_t i = 0; i < e->n_args; i++) {
    if (reads(e->args[i], name, seen)) {
      return true;
    }
  }
  if (e->filter != NULL && reads(e->filter, name, seen)) {
    return true;
  }
  seen->keys[slot] = e;
  return false;
}

bool sp_expr_reads(const sp_expr *e, sp_sv name) {
  sp_recent seen;
  memset(seen.keys, 0, sizeof seen.keys);
  return reads(e, name, &seen);
}
