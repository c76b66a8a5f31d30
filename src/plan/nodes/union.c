/* union: the rows of all inputs, one after the other.
 *
 *   {"id": "u", "op": "union", "inputs": ["a", "b"], "how": "vertical"}     same names and types in the same
 * order vertical_relaxed: types are brought to a common one;  diagonal: columns by name, nulls where an input
 * lacks one
 *
 * Resolved, every input gives exactly the output's columns: what relaxed and diagonal unions need is a select
 * on the way in. A rule that narrows inputs must keep that so (an input that cannot give up a column gets a
 * select). */
#include "expr/bind.h"
#include "plan/kinds.h"

static const char *const hows[] = {"vertical", "vertical_relaxed", "diagonal", NULL};

static const sp_field_desc fields[] = {{.key = "how",
                                        .kind = SP_F_ENUM,
                                        .offset = offsetof(sp_union_node, how),
                                        .choices = hows,
                                        .brief = 1,
                                        .doc = "how columns are matched"},
                                       {.key = NULL}};

/* ---- how inputs differ ---- */
static sp_status differ(const sp_node *n, uint32_t which, const sp_schema *first, const sp_schema *s,
                        bool types, sp_error *err) {
  for (uint32_t c = 0; c < first->n && c < s->n; c++) {
    const sp_field *x = &first->fields[c];
    const sp_field *y = &s->fields[c];
    if (!sp_sv_eq(x->name, y->name)) {
      sp_error_set(err, SP_INVALID, &n->loc,
                   "union: column %u is `%.120s` in the first input and `%.120s` in input %u", c + 1,
                   x->name.p, y->name.p, which + 1);
      sp_error_hint(err, sp_schema_find(s, x->name) >= 0
                             ? "select the columns in the same order, or use \"how\": \"diagonal\""
                             : "rename the column, or use \"how\": \"diagonal\"");
      return SP_INVALID;
    }
    if (types && x->type != y->type) {
      sp_error_set(err, SP_TYPE, &n->loc,
                   "union: column `%.150s` is %s in the first input and %s in input %u", x->name.p,
                   x->type->name, y->type->name, which + 1);
      if (sp_type_common(x->type, y->type) != NULL) {
        sp_error_hint(err, "\"how\": \"vertical_relaxed\" brings both to %s",
                      sp_type_common(x->type, y->type)->name);
      }
      return SP_TYPE;
    }
  }
  if (first->n != s->n) {
    sp_error_set(err, SP_INVALID, &n->loc, "union: the first input has %u columns, input %u has %u", first->n,
                 which + 1, s->n);
    const sp_schema *more = first->n > s->n ? first : s;
    sp_error_hint(err, "`%.150s` is in one of them only; \"how\": \"diagonal\" fills it with null",
                  more->fields[first->n > s->n ? s->n : first->n].name.p);
    return SP_INVALID;
  }
  return SP_OK;
}

/* ---- resolving ---- */
static sp_status no_common(const sp_node *n, sp_sv name, const sp_type *x, const sp_type *y, uint32_t which,
                           sp_error *err) {
  SP_FAIL(err, SP_TYPE, &n->loc, "union: column `%.*s` has no common type: %s before and %s in input %u",
          (int)(name.n < 150 ? name.n : 150), name.p, x->name, y->name, which + 1);
}

/* Names and types of the output, collected over all inputs. */
static sp_status collect(sp_bind_cx *cx, const sp_node *w, const sp_node *const *inputs, bool diagonal,
                         const sp_schema **ret, sp_error *err) {
  sp_idmap at;
  sp_idmap_init(&at, cx->arena);
  sp_field *cols = NULL;
  uint32_t n = 0;
  uint32_t cap = 0;
  for (uint32_t i = 0; i < w->n_inputs; i++) {
    const sp_schema *s = inputs[i]->schema;
    if (i > 0 && !diagonal) {
      SP_TRY(differ(w, i, inputs[0]->schema, s, false, err));
    }
    for (uint32_t c = 0; c < s->n; c++) {
      uint32_t old;
      if (!sp_idmap_add(&at, s->fields[c].name, n, &old) ||
          !sp_arena_grow(cx->arena, &cols, &cap, n + 1, sizeof *cols)) {
        return sp_error_nomem(err);
      }
      if (old == UINT32_MAX) {
        cols[n++] = s->fields[c];
        continue;
      }
      const sp_type *t = sp_type_common(cols[old].type, s->fields[c].type);
      if (t == NULL) {
        return no_common(w, s->fields[c].name, cols[old].type, s->fields[c].type, i, err);
      }
      cols[old].type = t;
    }
  }
  sp_schema_builder b;
  sp_schema_begin(&b, cx->arena);
  for (uint32_t c = 0; c < n; c++) {
    sp_schema_add(&b, cols[c].name, cols[c].type);
  }
  return sp_schema_finish(&b, &w->loc, ret, err);
}

/* One output column from an input: the column, cast, or null. */
static const sp_expr *column_of(sp_arena *a, const sp_schema *in, const sp_field *f) {
  const int32_t c = sp_schema_find(in, f->name);
  const sp_expr *e;
  if (c >= 0) {
    e = sp_expr_column(a, f->name, in->fields[c].type);
    if (e == NULL || in->fields[c].type == f->type) {
      return e;
    }
    e = sp_expr_coerce(a, e, f->type);
  } else {
    const sp_value null = sp_value_null(f->type);
    e = sp_expr_literal(a, &null);
  }
  return e != NULL ? sp_expr_alias(a, e, f->name) : NULL;
}

/* A select between the union and one input that brings it to the output's columns. */
static sp_status adapt(sp_bind_cx *cx, const sp_node *w, uint32_t which, const sp_schema *in,
                       const sp_schema *want, sp_error *err) {
  sp_project_node *n = (sp_project_node *)sp_node_new(cx->arena, sp_node_ops_find(SP_SV("select")));
  sp_item *items = SP_ARENA_ARRAY(cx->arena, sp_item, want->n);
  uint32_t *id = SP_ARENA_NEW(cx->arena, uint32_t);
  if (n == NULL || items == NULL || id == NULL) {
    return sp_error_nomem(err);
  }
  *id = cx->node;
  for (uint32_t c = 0; c < want->n; c++) {
    items[c] = (sp_item){
        .expr = column_of(cx->arena, in, &want->fields[c]), .loc = w->loc, .origin = {.n = 1, .ids = id}};
    SP_TRY_ALLOC(err, items[c].expr);
  }
  n->exprs = (sp_items){.n = want->n, .items = items};
  return sp_bind_insert(cx, w, which, &n->base, err);
}

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  sp_union_node *n = (sp_union_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  if (written->n_inputs == 0) {
    SP_FAIL(err, SP_INVALID, &written->loc, "union needs at least one input");
  }
  if (n->how == SP_UNION_VERTICAL) {
    for (uint32_t i = 1; i < written->n_inputs; i++) {
      SP_TRY(differ(written, i, inputs[0]->schema, inputs[i]->schema, true, err));
    }
  } else {
    const sp_schema *want = NULL;
    SP_TRY(collect(cx, written, inputs, n->how == SP_UNION_DIAGONAL, &want, err));
    for (uint32_t i = 0; i < written->n_inputs; i++) {
      if (!sp_schema_eq(inputs[i]->schema, want)) {
        SP_TRY(adapt(cx, written, i, inputs[i]->schema, want, err));
      }
    }
  }
  *ret = &n->base;
  return SP_OK;
}

static sp_status schema(const sp_node *n, const sp_schema *const *inputs, sp_arena *a, const sp_schema **ret,
                        sp_error *err) {
  (void)a;
  for (uint32_t i = 1; i < n->n_inputs; i++) {
    SP_TRY(differ(n, i, inputs[0], inputs[i], true, err));
  }
  *ret = inputs[0];
  return SP_OK;
}

static bool determine(const sp_node *n, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  (void)a;
  *ret = (sp_known){.det = SP_DET_ORDER, .unique = n->n_inputs == 1 ? inputs[0]->unique : NULL};
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    ret->det = inputs[i]->det < ret->det ? inputs[i]->det : ret->det;
  }
  return true;
}

const sp_node_ops sp_node_kind_union = {
    .name = "union",
    .symbol = "∪",
    .summary = "the rows of all inputs, one after the other",
    .flags = SP_NODE_KEEPS_ORDER,
    .size = sizeof(sp_union_node),
    .input_keys = (const char *const[]){"inputs…", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = schema,
    .needs = sp_needs_same,
    .push_predicate = sp_push_same,
    .determine = determine,
};
