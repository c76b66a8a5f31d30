/* unique: one row per distinct combination of the subset's columns (of all columns without one).
 *
 *   {"id": "u", "op": "unique", "input": "t", "subset": ["origin"], "keep": "first", "maintain_order": true}
 *   keep any: whichever comes; first, last: in the input's order; none: only rows that are alone. */
#include "plan/kinds.h"

static const char *const keeps[] = {"any", "first", "last", "none", NULL};

static const sp_field_desc fields[] = {{.key = "subset",
                                        .kind = SP_F_NAMES,
                                        .offset = offsetof(sp_unique_node, subset),
                                        .brief = 1,
                                        .doc = "columns that are compared; without it all"},
                                       {.key = "keep",
                                        .kind = SP_F_ENUM,
                                        .offset = offsetof(sp_unique_node, keep),
                                        .choices = keeps,
                                        .brief = 2,
                                        .doc = "which row of equal ones stays"},
                                       {.key = "maintain_order",
                                        .kind = SP_F_BOOL,
                                        .offset = offsetof(sp_unique_node, maintain_order),
                                        .doc = "rows in the input's order"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  sp_unique_node *n = (sp_unique_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  if (n->subset.items != NULL && n->subset.n == 0) {
    const sp_loc at = sp_loc_member(&written->loc, "subset", cx->arena);
    sp_error_set(err, SP_INVALID, &at, "`subset` is empty");
    sp_error_hint(err, "leave it out to compare all columns");
    return SP_INVALID;
  }
  for (uint32_t i = 0; i < n->subset.n; i++) {
    const sp_sv name = sp_sv_from(n->subset.items[i]);
    if (sp_schema_find(inputs[0]->schema, name) < 0) {
      return sp_unknown_in_list(inputs[0]->schema, &n->subset, i, &written->loc, "subset", cx->arena, err);
    }
    for (uint32_t k = 0; k < i; k++) {
      if (strcmp(n->subset.items[i], n->subset.items[k]) == 0) {
        const sp_loc at = sp_loc_member(&written->loc, "subset", cx->arena);
        SP_FAIL(err, SP_INVALID, &at, "`subset` names column `%.200s` twice", name.p);
      }
    }
  }
  *ret = &n->base;
  return SP_OK;
}

static bool needs(const sp_node *node, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  const sp_unique_node *n = (const sp_unique_node *)node;
  if (n->subset.n == 0) {
    return sp_needs_schema(inputs[which], a, ret);
  }
  for (uint32_t i = 0; i < n->subset.n; i++) {
    if (!sp_names_add(ret, a, sp_sv_from(n->subset.items[i]))) {
      return false;
    }
  }
  return sp_needs_out(inputs[which], out, a, ret);
}

static bool in_subset(const sp_unique_node *n, sp_sv name) {
  for (uint32_t i = 0; i < n->subset.n; i++) {
    if (sp_sv_eq(sp_sv_from(n->subset.items[i]), name)) {
      return true;
    }
  }
  return n->subset.n == 0;
}

/* A predicate on the subset takes or leaves whole groups of equal rows. On other columns it could take away
 * the row that stays; with keep any, any row that passes will do. */
static sp_status push(const sp_node *node, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  const sp_unique_node *n = (const sp_unique_node *)node;
  sp_names reads = {0};
  if (!sp_push_begin(ret, 1, a) || !sp_expr_columns(pred, a, &reads)) {
    return SP_NOMEM;
  }
  for (uint32_t i = 0; i < reads.n && n->keep != SP_KEEP_ANY; i++) {
    if (!in_subset(n, reads.names[i])) {
      return sp_push_block(ret, a, "`%.*s` is not among the columns compared, and keep is %s",
                           (int)(reads.names[i].n < 200 ? reads.names[i].n : 200), reads.names[i].p,
                           keeps[n->keep]);
    }
  }
  return sp_push_same(node, inputs, pred, a, ret);
}

static bool determine(const sp_node *node, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  const sp_unique_node *n = (const sp_unique_node *)node;
  const sp_determined in = inputs[0]->det;
  const bool whole = n->subset.n == 0 || n->subset.n == node->schema->n;
  const bool by_order = n->keep == SP_KEEP_FIRST || n->keep == SP_KEEP_LAST;
  if (in < SP_DET_ROWS) {
    ret->det = SP_DET_NOTHING;
  } else if (!whole && (n->keep == SP_KEEP_ANY || (by_order && in != SP_DET_ORDER))) {
    ret->det = SP_DET_COUNT;
  } else { /* with keep any the place of the row that stays is open too */
    ret->det = n->maintain_order && in == SP_DET_ORDER && n->keep != SP_KEEP_ANY ? SP_DET_ORDER : SP_DET_ROWS;
  }
  if (n->subset.n > 0) {
    ret->unique = sp_known_names(&n->subset, a);
    return ret->unique != NULL;
  }
  sp_names *all = SP_ARENA_NEW(a, sp_names);
  ret->unique = all;
  return all != NULL && sp_needs_schema(node->schema, a, all);
}

static void headline(const sp_node *node, sp_str *out) {
  const sp_unique_node *n = (const sp_unique_node *)node;
  for (uint32_t i = 0; i < n->subset.n; i++) {
    sp_str_addf(out, "%s%s", i > 0 ? ", " : "", n->subset.items[i]);
  }
  sp_str_add(out, n->subset.n == 0 ? "all columns" : "");
  if (n->keep != SP_KEEP_ANY) {
    sp_str_addf(out, "; keep %s", keeps[n->keep]);
  }
  sp_str_add(out, n->maintain_order ? "; in order" : "");
}

const sp_node_ops sp_node_kind_unique = {
    .name = "unique",
    .symbol = "δ",
    .summary = "one row per distinct combination of columns",
    .flags = SP_NODE_BREAKS_PIPELINE | SP_NODE_SUBSET,
    .size = sizeof(sp_unique_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_schema_same,
    .needs = needs,
    .push_predicate = push,
    .determine = determine,
    .headline = headline,
};
