/* values: rows written in the plan.
 *
 *   {"id": "v", "op": "values", "schema": {"day": "date", "n": "int64"}, "rows": [["2024-01-01", 3], [null,
 * "9223372036854775807"]]} */
#include <stdio.h>

#include "plan/kinds.h"

static const sp_field_desc fields[] = {
    {.key = "schema",
     .kind = SP_F_SCHEMA,
     .required = true,
     .offset = offsetof(sp_values_node, given),
     .brief = 2,
     .doc = "columns and their types"},
    {.key = "rows",
     .kind = SP_F_ROWS,
     .required = true,
     .offset = offsetof(sp_values_node, rows),
     .brief = 1,
     .doc = "rows as lists (or objects) of values; dates, decimals and 64-bit integers may be strings"},
    {.key = NULL}};

static sp_status convert_row(const sp_values_node *n, uint32_t row, sp_arena *a, sp_value *out,
                             sp_error *err) {
  for (uint32_t c = 0; c < n->given->n; c++) {
    bool nomem = false;
    const sp_field *f = &n->given->fields[c];
    if (sp_values_convert(&n->rows.values[row][c], f->type, a, &out[c], &nomem)) {
      continue;
    }
    if (nomem) {
      return sp_error_nomem(err);
    }
    char what[200];
    char key[64];
    snprintf(key, sizeof key, "rows/%u/%u", row, c);
    sp_values_mismatch(&n->rows.values[row][c], f->type, what, sizeof what);
    const sp_loc at = sp_loc_member(&n->base.loc, key, a);
    SP_FAIL(err, SP_TYPE, &at, "row %u, column `%.100s`: %s", row + 1, f->name.p, what);
  }
  return SP_OK;
}

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  (void)inputs;
  const sp_values_node *w = (const sp_values_node *)written;
  sp_values_node *n = (sp_values_node *)sp_node_copy(cx->arena, written);
  const sp_value **rows = SP_ARENA_ARRAY(cx->arena, const sp_value *, w->rows.n);
  size_t cells;
  if (n == NULL || rows == NULL || !sp_size_mul(w->rows.n, w->given->n, &cells)) {
    return sp_error_nomem(err);
  }
  sp_value *values = SP_ARENA_ARRAY(cx->arena, sp_value, cells);
  SP_TRY_ALLOC(err, values);
  for (uint32_t i = 0; i < w->rows.n; i++) {
    sp_value *row = values + (size_t)i * w->given->n;
    SP_TRY(convert_row(w, i, cx->arena, row, err));
    rows[i] = row;
  }
  n->rows.values = rows;
  *ret = &n->base;
  return SP_OK;
}

static sp_status schema(const sp_node *n, const sp_schema *const *inputs, sp_arena *a, const sp_schema **ret,
                        sp_error *err) {
  (void)inputs, (void)a, (void)err;
  *ret = ((const sp_values_node *)n)->given;
  return SP_OK;
}

static sp_status narrow(const sp_node *node, const sp_names *out, sp_arena *a, const sp_node **ret) {
  const sp_values_node *n = (const sp_values_node *)node;
  uint32_t *kept = SP_ARENA_ARRAY(a, uint32_t, n->given->n);
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  if (kept == NULL) {
    return SP_NOMEM;
  }
  uint32_t n_kept = 0;
  for (uint32_t c = 0; c < n->given->n; c++) {
    if (sp_names_has(out, n->given->fields[c].name)) {
      sp_schema_add(&b, n->given->fields[c].name, n->given->fields[c].type);
      kept[n_kept++] = c;
    }
  }
  if (n_kept == n->given->n) {
    *ret = node;
    return SP_OK;
  }
  sp_values_node *c = (sp_values_node *)sp_node_copy(a, node);
  const sp_value **rows = SP_ARENA_ARRAY(a, const sp_value *, n->rows.n);
  if (c == NULL || rows == NULL) {
    return SP_NOMEM;
  }
  SP_TRY(sp_schema_finish(&b, NULL, &c->given, NULL));
  for (uint32_t i = 0; i < n->rows.n; i++) {
    sp_value *row = SP_ARENA_ARRAY(a, sp_value, n_kept);
    if (row == NULL) {
      return SP_NOMEM;
    }
    for (uint32_t k = 0; k < n_kept; k++) {
      row[k] = n->rows.values[i][kept[k]];
    }
    rows[i] = row;
  }
  c->rows.values = rows;
  *ret = &c->base;
  return SP_OK;
}

static sp_status push(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  (void)n, (void)inputs, (void)pred;
  return sp_push_begin(ret, 0, a) ? sp_push_block(ret, a, "rows written in the plan are not filtered")
                                  : SP_NOMEM;
}

const sp_node_ops sp_node_kind_values = {
    .name = "values",
    .symbol = "▦",
    .summary = "rows written in the plan",
    .flags = SP_NODE_SOURCE,
    .size = sizeof(sp_values_node),
    .input_keys = (const char *const[]){NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = schema,
    .needs = sp_needs_none,
    .narrow = narrow,
    .push_predicate = push,
};
