/* join: rows of two inputs that match.
 *
 *   {"id": "j", "op": "join", "left": "orders", "right": "customers", "how": "left", "left_on": ["cust"],
 * "right_on": ["id"], "predicate": "o_date < valid_until"}
 *
 * Resolved, keys are in left_on and right_on and have equal types. The columns it gives: join_layout.c.
 *
 * Where a predicate above may go: inner to the sides whose columns it reads, and a predicate on keys to both;
 * left joins to the left side (and a key predicate to the right too, whose other rows could only match rows
 * that go); right joins mirrored; full joins only on coalesced keys, to both; semi and anti joins as left.
 * The columns of a side that gets null rows stay above. */
#include "expr/bind.h"
#include "plan/kinds.h"

static const char *const hows[] = {"inner", "left", "right", "full", "semi", "anti", "cross", NULL};
static const char *const coalesces[] = {"auto", "true", "false", NULL};

static const sp_field_desc fields[] = {
    {.key = "how",
     .kind = SP_F_ENUM,
     .required = true,
     .offset = offsetof(sp_join_node, how),
     .choices = hows,
     .brief = 1,
     .doc = "which rows come out"},
    {.key = "on",
     .kind = SP_F_EXPRS,
     .offset = offsetof(sp_join_node, on),
     .brief = 2,
     .doc = "keys that are written alike on both sides"},
    {.key = "left_on",
     .kind = SP_F_EXPRS,
     .offset = offsetof(sp_join_node, left_on),
     .brief = 3,
     .doc = "keys of the left side"},
    {.key = "right_on",
     .kind = SP_F_EXPRS,
     .offset = offsetof(sp_join_node, right_on),
     .brief = 4,
     .scope = SP_SCOPE_RIGHT,
     .doc = "keys of the right side, as many"},
    {.key = "predicate",
     .kind = SP_F_PREDICATE,
     .offset = offsetof(sp_join_node, predicate),
     .brief = 5,
     .scope = SP_SCOPE_BOTH,
     .doc = "a further condition of matching, over left columns and right columns (with the suffix where the "
            "left has the name)"},
    {.key = "suffix",
     .kind = SP_F_STRING,
     .offset = offsetof(sp_join_node, suffix),
     .doc = "added to right columns whose name the left has; default _right"},
    {.key = "nulls_equal",
     .kind = SP_F_BOOL,
     .offset = offsetof(sp_join_node, nulls_equal),
     .doc = "null keys match null keys"},
    {.key = "coalesce",
     .kind = SP_F_ENUM,
     .offset = offsetof(sp_join_node, coalesce),
     .choices = coalesces,
     .doc = "one column for both key columns; auto: for inner, left and right joins"},
    {.key = "maintain_order",
     .kind = SP_F_BOOL,
     .offset = offsetof(sp_join_node, maintain_order),
     .doc = "rows in the left input's order (right join: the right's)"},
    {.key = NULL}};

/* ---- resolving ---- */
static sp_status check_keys(sp_join_node *n, sp_bind_cx *cx, sp_error *err) {
  const sp_loc *loc = &n->base.loc;
  const bool lists = n->left_on.items != NULL || n->right_on.items != NULL;
  if (n->how == SP_JOIN_CROSS) {
    if (lists || n->on.items != NULL || n->predicate.n > 0) {
      sp_error_set(err, SP_INVALID, loc, "a cross join has no keys and no predicate");
      sp_error_hint(err, "use \"how\": \"inner\", or a filter above the cross join");
      return SP_INVALID;
    }
    return SP_OK;
  }
  if (lists && n->on.items != NULL) {
    SP_FAIL(err, SP_INVALID, loc, "a join has either `on`, or `left_on` and `right_on`");
  }
  if (n->left_on.n != n->right_on.n) {
    const sp_loc at = sp_loc_member(loc, n->right_on.items != NULL ? "right_on" : "left_on", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`left_on` has %u keys, `right_on` %u", n->left_on.n, n->right_on.n);
  }
  if (n->on.n + n->left_on.n == 0) {
    sp_error_set(err, SP_INVALID, loc, "the join has no keys: give `on`, or `left_on` and `right_on`");
    sp_error_hint(err, "a join on other conditions is \"how\": \"cross\" with a filter above it");
    return SP_INVALID;
  }
  return SP_OK;
}

static sp_status type_error(const sp_item *l, const sp_item *r, sp_arena *a, sp_error *err) {
  const char *lt = sp_expr_text(l->expr, a);
  const char *rt = sp_expr_text(r->expr, a);
  if (lt == NULL || rt == NULL) {
    return sp_error_nomem(err);
  }
  sp_error_set(err, SP_TYPE, &l->loc, "join keys have no common type: `%.120s` is %s, `%.120s` is %s", lt,
               l->expr->type->name, rt, r->expr->type->name);
  sp_error_hint(err, "cast one of them: CAST(%.80s AS %s)", rt, l->expr->type->name);
  return SP_TYPE;
}

/* Both keys of every pair get one type; an expanded pair must have as many columns on both sides. */
static sp_status common_types(sp_join_node *n, sp_arena *a, sp_error *err) {
  if (n->left_on.n != n->right_on.n) {
    SP_FAIL(err, SP_INVALID, &n->base.loc, "the left keys expand to %u columns, the right ones to %u",
            n->left_on.n, n->right_on.n);
  }
  sp_item *left = sp_arena_copy(a, n->left_on.items, n->left_on.n * sizeof *left);
  sp_item *right = sp_arena_copy(a, n->right_on.items, n->right_on.n * sizeof *right);
  if (left == NULL || right == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < n->left_on.n; i++) {
    const sp_type *t = sp_type_common(left[i].expr->type, right[i].expr->type);
    if (t == NULL) {
      return type_error(&left[i], &right[i], a, err);
    }
    left[i].expr = sp_expr_coerce(a, left[i].expr, t);
    right[i].expr = sp_expr_coerce(a, right[i].expr, t);
    if (left[i].expr == NULL || right[i].expr == NULL) {
      return sp_error_nomem(err);
    }
  }
  n->left_on.items = left;
  n->right_on.items = right;
  return SP_OK;
}

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  sp_join_node *n = (sp_join_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  SP_TRY(check_keys(n, cx, err));
  if (n->on.items != NULL) {
    n->left_on = n->right_on = n->on;
    n->on = (sp_items){0};
  }
  n->suffix = n->suffix != NULL ? n->suffix : "_right";
  SP_TRY(sp_bind_keys(cx, written, &n->left_on, inputs[0]->schema, &n->left_on, err));
  SP_TRY(sp_bind_keys(cx, written, &n->right_on, inputs[1]->schema, &n->right_on, err));
  SP_TRY(common_types(n, cx->arena, err));
  if (n->predicate.n > 0) {
    const sp_schema *both = NULL;
    SP_TRY(sp_join_scope(n, inputs[0]->schema, inputs[1]->schema, cx->arena, &both, err));
    SP_TRY(sp_bind_predicate(cx, written, &n->predicate, both, "join predicate", &n->predicate, err));
  }
  *ret = &n->base;
  return SP_OK;
}

static sp_status duplicate(const sp_join_node *n, const sp_join_column *x, const sp_join_column *y,
                           sp_error *err) {
  sp_error_set(err, SP_INVALID, &n->base.loc,
               "duplicate output name `%.*s`: a %s column and a %s column of the join",
               (int)(x->name.n < 200 ? x->name.n : 200), x->name.p,
               x->from == SP_FROM_RIGHT ? "right" : "left", y->from == SP_FROM_LEFT ? "left" : "right");
  sp_error_hint(err, "`suffix` is \"%.60s\"; choose another, or rename the column before the join",
                n->suffix);
  return SP_INVALID;
}

/* For rules' mistakes: resolving leaves keys in pairs of one type. */
static sp_status check_pairs(const sp_join_node *n, sp_error *err) {
  if (n->left_on.n != n->right_on.n) {
    SP_FAIL(err, SP_INTERNAL, &n->base.loc, "the join has %u left keys and %u right keys", n->left_on.n,
            n->right_on.n);
  }
  for (uint32_t i = 0; i < n->left_on.n; i++) {
    const sp_type *l = n->left_on.items[i].expr->type;
    const sp_type *r = n->right_on.items[i].expr->type;
    if (l == NULL || l != r) {
      SP_FAIL(err, SP_INTERNAL, &n->base.loc, "the keys of pair %u of the join have the types %s and %s", i,
              l != NULL ? l->name : "none", r != NULL ? r->name : "none");
    }
  }
  return SP_OK;
}

static sp_status schema(const sp_node *node, const sp_schema *const *inputs, sp_arena *a,
                        const sp_schema **ret, sp_error *err) {
  const sp_join_node *n = (const sp_join_node *)node;
  const sp_join_column *cols = NULL;
  uint32_t n_cols = 0;
  SP_TRY(check_pairs(n, err));
  if (!sp_join_layout(n, inputs[0], inputs[1], a, &cols, &n_cols)) {
    return sp_error_nomem(err);
  }
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  sp_idmap seen;
  sp_idmap_init(&seen, a);
  for (uint32_t i = 0; i < n_cols; i++) {
    uint32_t old;
    if (!sp_idmap_add(&seen, cols[i].name, i, &old)) {
      return sp_error_nomem(err);
    }
    if (old != UINT32_MAX) {
      return duplicate(n, &cols[old], &cols[i], err);
    }
    sp_schema_add(&b, cols[i].name, cols[i].type);
  }
  return sp_schema_finish(&b, &node->loc, ret, err);
}

/* ---- needed columns ---- */
/* Adds what `name` of the left schema, or of the right one, costs input `which`. A right column that has the
 * suffix keeps it only while the left has a column of that name, which is therefore needed too. */
static bool need_right(const sp_schema *const *inputs, sp_sv name, uint32_t which, sp_arena *a,
                       sp_names *ret) {
  return which == 1 || sp_schema_find(inputs[0], name) >= 0 ? sp_names_add(ret, a, name) : true;
}

static bool need_predicate(const sp_join_node *n, const sp_schema *const *inputs, uint32_t which, sp_arena *a,
                           sp_names *ret) {
  sp_names reads = {0};
  if (!sp_needs_items(&n->predicate, a, &reads)) {
    return false;
  }
  const sp_schema *both = NULL;
  if (reads.n > 0 && sp_join_scope(n, inputs[0], inputs[1], a, &both, NULL) != SP_OK) {
    return false;
  }
  for (uint32_t i = 0; i < reads.n; i++) {
    const int32_t at = sp_schema_find(both, reads.names[i]);
    if (at < 0) {
      continue; /* validation says so */
    }
    const bool left = (uint32_t)at < inputs[0]->n;
    if (left ? which == 0 && !sp_names_add(ret, a, reads.names[i])
             : !need_right(inputs, inputs[1]->fields[(uint32_t)at - inputs[0]->n].name, which, a, ret)) {
      return false;
    }
  }
  return true;
}

static bool needs(const sp_node *node, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  const sp_join_node *n = (const sp_join_node *)node;
  const sp_join_column *cols = NULL;
  uint32_t n_cols = 0;
  if (!sp_join_layout(n, inputs[0], inputs[1], a, &cols, &n_cols) ||
      !sp_needs_items(which == 0 ? &n->left_on : &n->right_on, a, ret) ||
      !need_predicate(n, inputs, which, a, ret)) {
    return false;
  }
  for (uint32_t i = 0; i < n_cols; i++) {
    const sp_join_column *c = &cols[i];
    if (out != NULL && !sp_names_has(out, c->name)) {
      continue;
    }
    if (c->from != SP_FROM_RIGHT && which == 0 && !sp_names_add(ret, a, c->name)) {
      return false;
    }
    if (c->from != SP_FROM_LEFT) {
      const sp_sv name = inputs[1]->fields[c->right].name;
      const bool keeps_suffix = c->from == SP_FROM_RIGHT && !sp_sv_eq(name, c->name);
      if ((which == 1 || keeps_suffix) && !sp_names_add(ret, a, name)) {
        return false;
      }
    }
  }
  return true;
}

/* ---- predicates ---- */
/* The other side's column that equals `name` of `side` in every matching pair, or NULL. Types must be the
 * same and no cast may stand between; floats are left out, as 0.0 and -0.0 match but are not the same to
 * every expression. */
static const sp_expr *key_partner(const sp_join_node *n, uint32_t side, sp_sv name) {
  const sp_items *mine = side == 0 ? &n->left_on : &n->right_on;
  const sp_items *other = side == 0 ? &n->right_on : &n->left_on;
  for (uint32_t i = 0; i < mine->n; i++) {
    const sp_expr *m = mine->items[i].expr;
    const sp_expr *o = other->items[i].expr;
    if (m->kind == SP_EXPR_COLUMN && o->kind == SP_EXPR_COLUMN && sp_sv_eq(m->name, name) &&
        m->type == o->type && !sp_type_is_float(m->type)) {
      return o;
    }
  }
  return NULL;
}

/* What each column of the predicate is on each side: its own column there, a key partner (where it may stand
 * for it), or NULL. */
typedef struct sides {
  uint32_t n, n_coalesced; /* columns; coalesced keys of a full join among them */
  const sp_sv *names;
  const sp_expr **on[2];
  bool own[2];  /* all columns are this side's own */
  bool full[2]; /* all columns are this side's own or have a key partner there */
} sides;

static bool find_sides(const sp_join_node *n, const sp_schema *const *inputs, const sp_expr *pred,
                       sp_arena *a, sides *ret) {
  sp_names reads = {0};
  if (!sp_expr_columns(pred, a, &reads)) {
    return false;
  }
  sides s = {.n = reads.n, .names = reads.names, .own = {true, true}, .full = {true, true}};
  s.on[0] = SP_ARENA_ARRAY(a, const sp_expr *, reads.n);
  s.on[1] = SP_ARENA_ARRAY(a, const sp_expr *, reads.n);
  if (s.on[0] == NULL || s.on[1] == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < reads.n; i++) {
    uint32_t side;
    sp_sv name;
    const sp_expr *partner = NULL;
    if (sp_join_output(n, inputs[0], inputs[1], reads.names[i], &side, &name)) {
      const int32_t at = sp_schema_find(inputs[side], name);
      s.on[side][i] = sp_expr_column(a, name, inputs[side]->fields[at].type);
      if (s.on[side][i] == NULL) {
        return false;
      }
      partner = key_partner(n, side, name);
      s.own[1 - side] = false;
    } else {
      /* The coalesced key of a full join: equal to both sides' columns wherever they have a row. */
      side = 0;
      partner = key_partner(n, 0, reads.names[i]);
      s.on[0][i] = partner != NULL ? sp_expr_column(a, reads.names[i], partner->type) : NULL;
      if (partner != NULL && s.on[0][i] == NULL) {
        return false;
      }
      s.n_coalesced++;
      s.own[0] = s.own[1] = false;
      s.full[0] = s.full[0] && partner != NULL;
    }
    s.on[1 - side][i] = partner;
    s.full[1 - side] = s.full[1 - side] && partner != NULL;
  }
  *ret = s;
  return true;
}

static sp_status push_to(const sides *s, uint32_t side, const sp_expr *pred, sp_arena *a, sp_push *ret) {
  const sp_column_map map = {.n = s->n, .from = s->names, .to = s->on[side]};
  const sp_expr *e = sp_expr_rename(a, pred, &map);
  ((const sp_expr **)(uintptr_t)ret->to)[side] = e;
  return e != NULL ? SP_OK : SP_NOMEM;
}

/* The rows of side `keeps` all come out, so a predicate on them may go there, and a predicate on keys to the
 * other side as well. */
static sp_status push_outer(const sides *s, uint32_t keeps, const char *blocker, const sp_expr *pred,
                            sp_arena *a, sp_push *ret) {
  if (!s->own[keeps]) {
    return sp_push_block(ret, a, "%s", s->own[1 - keeps] ? blocker : "reads both sides of the join");
  }
  SP_TRY(push_to(s, keeps, pred, a, ret));
  return s->full[1 - keeps] && s->n > 0 ? push_to(s, 1 - keeps, pred, a, ret) : SP_OK;
}

static sp_status push_inner(const sides *s, const sp_expr *pred, sp_arena *a, sp_push *ret) {
  if (!s->full[0] && !s->full[1]) {
    return sp_push_block(ret, a, "reads both sides of the join");
  }
  if (s->full[0]) {
    SP_TRY(push_to(s, 0, pred, a, ret));
  }
  return s->full[1] && (s->n > 0 || !s->full[0]) ? push_to(s, 1, pred, a, ret) : SP_OK;
}

static sp_status push(const sp_node *node, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  const sp_join_node *n = (const sp_join_node *)node;
  sides s;
  if (!sp_push_begin(ret, 2, a) || !find_sides(n, inputs, pred, a, &s)) {
    return SP_NOMEM;
  }
  switch ((sp_join_how)n->how) {
  case SP_JOIN_INNER:
  case SP_JOIN_CROSS:
    return push_inner(&s, pred, a, ret);
  case SP_JOIN_LEFT:
    return push_outer(&s, 0, "right side of a left join", pred, a, ret);
  case SP_JOIN_SEMI:
  case SP_JOIN_ANTI:
    return push_outer(&s, 0, "right side of a semi join", pred, a, ret);
  case SP_JOIN_RIGHT:
    return push_outer(&s, 1, "left side of a right join", pred, a, ret);
  case SP_JOIN_FULL:
    if (s.n == 0 || s.n_coalesced < s.n || !s.full[0] || !s.full[1]) {
      return sp_push_block(ret, a, "a full join keeps the rows of both sides");
    }
    SP_TRY(push_to(&s, 0, pred, a, ret));
    return push_to(&s, 1, pred, a, ret);
  }
  return SP_OK;
}

static bool determine(const sp_node *node, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  (void)a;
  const sp_join_node *n = (const sp_join_node *)node;
  const sp_determined both = inputs[0]->det < inputs[1]->det ? inputs[0]->det : inputs[1]->det;
  if (both < SP_DET_ROWS) {
    ret->det = both == SP_DET_COUNT && n->how == SP_JOIN_CROSS ? SP_DET_COUNT : SP_DET_NOTHING;
  } else {
    ret->det = n->maintain_order ? both : SP_DET_ROWS;
  }
  ret->unique = n->how == SP_JOIN_SEMI || n->how == SP_JOIN_ANTI ? inputs[0]->unique : NULL;
  return true;
}

static void headline(const sp_node *node, sp_str *out) {
  const sp_join_node *n = (const sp_join_node *)node;
  sp_str_add(out, hows[n->how]);
  for (uint32_t i = 0; i < n->on.n; i++) {
    sp_str_add(out, i > 0 ? ", " : " on ");
    sp_expr_print(n->on.items[i].expr, out);
  }
  for (uint32_t i = 0; i < n->left_on.n && i < n->right_on.n; i++) {
    sp_str_add(out, i > 0 ? " AND " : " on ");
    sp_expr_print(n->left_on.items[i].expr, out);
    sp_str_add(out, " = ");
    sp_expr_print(n->right_on.items[i].expr, out);
  }
  if (n->predicate.n > 0) {
    sp_str_add(out, " and ");
    sp_headline_predicate(&n->predicate, out);
  }
}

const sp_node_ops sp_node_kind_join = {
    .name = "join",
    .symbol = "⋈",
    .summary = "rows of two inputs that match",
    .flags = SP_NODE_BREAKS_PIPELINE,
    .size = sizeof(sp_join_node),
    .input_keys = (const char *const[]){"left", "right", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = schema,
    .needs = needs,
    .push_predicate = push,
    .determine = determine,
    .headline = headline,
};
