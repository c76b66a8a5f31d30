/* Which columns a join gives, what they are called and where they come from.
 *
 *   orders(o_id, cust, note) ⋈ customers(cust, note)  on cust        ⇒  o_id, cust, note, note_right
 *   the same as a right join                                         ⇒  o_id, note, cust, note_right
 *   the same as a full join with coalesce                            ⇒  o_id, cust = coalesce(both), note,
 * note_right
 *
 * Of two key columns that are equal in every output row one leaves the output: the right one of inner and
 * left joins, the left one of right joins. That holds for keys that are columns on both sides, also where a
 * cast brings them to their common type. */
#include "plan/kinds.h"

bool sp_join_coalesces(const sp_join_node *n) {
  if (n->coalesce != 0) {
    return n->coalesce == 1;
  }
  return n->how == SP_JOIN_INNER || n->how == SP_JOIN_LEFT || n->how == SP_JOIN_RIGHT;
}

static const sp_expr *strip_cast(const sp_expr *e) {
  e = sp_expr_unalias(e);
  return e->kind == SP_EXPR_CAST && !e->try_cast ? e->args[0] : e;
}

bool sp_join_key_columns(const sp_join_node *n, const sp_schema *left, const sp_schema *right, uint32_t i,
                         sp_sv *ret_left, sp_sv *ret_right) {
  const sp_expr *l = sp_expr_unalias(n->left_on.items[i].expr);
  const sp_expr *r = sp_expr_unalias(n->right_on.items[i].expr);
  const sp_expr *lc = strip_cast(l);
  const sp_expr *rc = strip_cast(r);
  if (lc->kind != SP_EXPR_COLUMN || rc->kind != SP_EXPR_COLUMN) {
    return false;
  }
  const int32_t li = sp_schema_find(left, lc->name);
  const int32_t ri = sp_schema_find(right, rc->name);
  if (li < 0 || ri < 0) {
    return false;
  }
  if (lc != l || rc != r) {
    const sp_type *common = sp_type_common(left->fields[li].type, right->fields[ri].type);
    if (common == NULL || (lc != l && l->cast_to != common) || (rc != r && r->cast_to != common)) {
      return false; /* a cast that the user wrote: the two columns differ */
    }
  }
  *ret_left = lc->name;
  *ret_right = rc->name;
  return true;
}

/* The pair of keys in which `name` is side's plain column, or -1. */
static int64_t key_pair(const sp_join_node *n, const sp_schema *left, const sp_schema *right, bool of_right,
                        sp_sv name) {
  for (uint32_t i = 0; i < n->left_on.n; i++) {
    sp_sv l;
    sp_sv r;
    if (sp_join_key_columns(n, left, right, i, &l, &r) && sp_sv_eq(of_right ? r : l, name)) {
      return i;
    }
  }
  return -1;
}

static bool left_dropped(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_sv name) {
  return n->how == SP_JOIN_RIGHT && sp_join_coalesces(n) && key_pair(n, left, right, false, name) >= 0;
}

static bool right_dropped(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_sv name) {
  if (!sp_join_coalesces(n) ||
      (n->how != SP_JOIN_INNER && n->how != SP_JOIN_LEFT && n->how != SP_JOIN_FULL)) {
    return false;
  }
  const int64_t pair = key_pair(n, left, right, true, name);
  if (pair < 0 || n->how != SP_JOIN_FULL) {
    return pair >= 0;
  }
  /* In a full join on a = x AND a = y only x goes into a: a right row without partner has two values to keep.
   */
  sp_sv l;
  sp_sv r;
  sp_join_key_columns(n, left, right, (uint32_t)pair, &l, &r);
  return key_pair(n, left, right, false, l) == pair;
}

static bool one_sided(const sp_join_node *n) {
  return n->how == SP_JOIN_SEMI || n->how == SP_JOIN_ANTI;
}

/* Is a right column `name` called name + suffix in the output? */
static bool suffixed(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_sv name) {
  return sp_schema_find(left, name) >= 0 && !left_dropped(n, left, right, name);
}

static sp_sv with_suffix(const sp_join_node *n, sp_sv name, sp_arena *a) {
  const char *p = sp_arena_printf(a, "%.*s%s", (int)name.n, name.p, n->suffix);
  return (sp_sv){p, p != NULL ? strlen(p) : 0};
}

sp_sv sp_join_right_name(const sp_join_node *n, const sp_schema *left, sp_sv right, sp_arena *a) {
  bool collides = sp_schema_find(left, right) >= 0;
  if (collides && n->how == SP_JOIN_RIGHT && sp_join_coalesces(n)) {
    for (uint32_t i = 0; i < n->left_on.n && collides; i++) {
      const sp_expr *l = strip_cast(n->left_on.items[i].expr);
      const sp_expr *r = strip_cast(n->right_on.items[i].expr);
      collides = l->kind != SP_EXPR_COLUMN || r->kind != SP_EXPR_COLUMN || !sp_sv_eq(l->name, right);
    }
  }
  return collides ? with_suffix(n, right, a) : right;
}

static void add_left(const sp_join_node *n, const sp_schema *left, const sp_schema *right,
                     sp_join_column *cols, uint32_t *n_cols) {
  for (uint32_t i = 0; i < left->n; i++) {
    const sp_field *f = &left->fields[i];
    if (!one_sided(n) && left_dropped(n, left, right, f->name)) {
      continue;
    }
    sp_join_column c = {.name = f->name, .type = f->type, .from = SP_FROM_LEFT, .left = i};
    const int64_t pair =
        n->how == SP_JOIN_FULL && sp_join_coalesces(n) ? key_pair(n, left, right, false, f->name) : -1;
    if (pair >= 0) {
      sp_sv l;
      sp_sv r;
      sp_join_key_columns(n, left, right, (uint32_t)pair, &l, &r);
      c.from = SP_FROM_BOTH;
      c.type = n->left_on.items[pair].expr->type;
      c.right = (uint32_t)sp_schema_find(right, r);
    }
    cols[(*n_cols)++] = c;
  }
}

bool sp_join_layout(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_arena *a,
                    const sp_join_column **ret, uint32_t *ret_n) {
  sp_join_column *cols = SP_ARENA_ARRAY(a, sp_join_column, (size_t)left->n + right->n);
  if (cols == NULL) {
    return false;
  }
  uint32_t n_cols = 0;
  add_left(n, left, right, cols, &n_cols);
  for (uint32_t i = 0; i < right->n && !one_sided(n); i++) {
    const sp_field *f = &right->fields[i];
    if (right_dropped(n, left, right, f->name)) {
      continue;
    }
    sp_join_column c = {.name = f->name, .type = f->type, .from = SP_FROM_RIGHT, .right = i};
    if (suffixed(n, left, right, f->name)) {
      c.name = with_suffix(n, f->name, a);
      if (c.name.p == NULL) {
        return false;
      }
    }
    cols[n_cols++] = c;
  }
  *ret = cols;
  *ret_n = n_cols;
  return true;
}

bool sp_join_output(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_sv out,
                    uint32_t *ret_side, sp_sv *ret_name) {
  const int32_t li = sp_schema_find(left, out);
  if (one_sided(n) || (li >= 0 && !left_dropped(n, left, right, out))) {
    if (li < 0 ||
        (n->how == SP_JOIN_FULL && sp_join_coalesces(n) && key_pair(n, left, right, false, out) >= 0)) {
      return false;
    }
    *ret_side = 0;
    *ret_name = left->fields[li].name;
    return true;
  }
  const size_t n_suffix = strlen(n->suffix);
  sp_sv name = out;
  int32_t ri = sp_schema_find(right, out);
  if (ri < 0) {
    if (out.n < n_suffix || memcmp(out.p + out.n - n_suffix, n->suffix, n_suffix) != 0) {
      return false;
    }
    name.n = out.n - n_suffix;
    ri = sp_schema_find(right, name);
    if (ri < 0 || !suffixed(n, left, right, name)) {
      return false;
    }
  }
  if (right_dropped(n, left, right, name)) {
    return false;
  }
  *ret_side = 1;
  *ret_name = right->fields[ri].name;
  return true;
}

sp_status sp_join_scope(const sp_join_node *n, const sp_schema *left, const sp_schema *right, sp_arena *a,
                        const sp_schema **ret, sp_error *err) {
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t i = 0; i < left->n; i++) {
    sp_schema_add(&b, left->fields[i].name, left->fields[i].type);
  }
  for (uint32_t i = 0; i < right->n; i++) {
    sp_sv name = right->fields[i].name;
    if (sp_schema_find(left, name) >= 0) {
      name = with_suffix(n, name, a);
      SP_TRY_ALLOC(err, name.p);
    }
    sp_schema_add(&b, name, right->fields[i].type);
  }
  return sp_schema_finish(&b, &n->base.loc, ret, err);
}
