/* drop: all columns but these. Resolves to a select.
 *
 *   {"id": "d", "op": "drop", "input": "t", "columns": ["note"]}   ⇒   select of the others */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "columns",
                                        .kind = SP_F_NAMES,
                                        .required = true,
                                        .offset = offsetof(sp_project_node, columns),
                                        .brief = 1,
                                        .doc = "columns to leave out"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  const sp_strings *columns = &((const sp_project_node *)written)->columns;
  const sp_schema *in = inputs[0]->schema;
  uint8_t *gone = SP_ARENA_ARRAY(cx->arena, uint8_t, in->n);
  uint32_t *index = SP_ARENA_ARRAY(cx->arena, uint32_t, in->n);
  sp_sv *names = SP_ARENA_ARRAY(cx->arena, sp_sv, in->n);
  if (gone == NULL || index == NULL || names == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < columns->n; i++) {
    const int32_t c = sp_schema_find(in, sp_sv_from(columns->items[i]));
    if (c < 0) {
      return sp_unknown_in_list(in, columns, i, &written->loc, "columns", cx->arena, err);
    }
    gone[c] = 1;
  }
  uint32_t n = 0;
  for (uint32_t c = 0; c < in->n; c++) {
    if (!gone[c]) {
      names[n] = in->fields[c].name;
      index[n++] = c;
    }
  }
  if (n == 0) {
    const sp_loc at = sp_loc_member(&written->loc, "columns", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "drop leaves no column");
  }
  return sp_project_select(cx, written, in, index, names, n, ret, err);
}

const sp_node_ops sp_node_kind_drop = {
    .name = "drop",
    .symbol = "π−",
    .summary = "all columns but some",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_KEEPS_ROWS,
    .size = sizeof(sp_project_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
};
