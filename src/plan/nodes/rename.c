/* rename: new names for some columns, all at once, so that two can change places. Resolves to a select.
 *
 *   {"id": "r", "op": "rename", "input": "t", "columns": {"a": "b", "b": "a"}}   ⇒   select [a AS b, b AS a,
 * …] */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "columns",
                                        .kind = SP_F_RENAMES,
                                        .required = true,
                                        .offset = offsetof(sp_project_node, renames),
                                        .brief = 1,
                                        .doc = "old name: new name"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  const sp_strings *renames = &((const sp_project_node *)written)->renames;
  const sp_schema *in = inputs[0]->schema;
  uint32_t *index = SP_ARENA_ARRAY(cx->arena, uint32_t, in->n);
  sp_sv *names = SP_ARENA_ARRAY(cx->arena, sp_sv, in->n);
  if (index == NULL || names == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t c = 0; c < in->n; c++) {
    index[c] = c;
    names[c] = in->fields[c].name;
  }
  for (uint32_t i = 0; i + 1 < renames->n; i += 2) {
    const int32_t c = sp_schema_find(in, sp_sv_from(renames->items[i]));
    if (c < 0) {
      const sp_loc at = sp_loc_member(&written->loc, "columns", cx->arena);
      return sp_schema_unknown(in, sp_sv_from(renames->items[i]), &at, err);
    }
    names[c] = sp_sv_from(renames->items[i + 1]);
  }
  sp_idmap seen;
  sp_idmap_init(&seen, cx->arena);
  for (uint32_t c = 0; c < in->n; c++) {
    uint32_t old;
    if (!sp_idmap_add(&seen, names[c], c, &old)) {
      return sp_error_nomem(err);
    }
    if (old != UINT32_MAX) {
      const sp_loc at = sp_loc_member(&written->loc, "columns", cx->arena);
      SP_FAIL(err, SP_INVALID, &at, "duplicate output name `%.100s`: made from `%.100s` and from `%.100s`",
              names[c].p, in->fields[old].name.p, in->fields[c].name.p);
    }
  }
  return sp_project_select(cx, written, in, index, names, in->n, ret, err);
}

const sp_node_ops sp_node_kind_rename = {
    .name = "rename",
    .symbol = "ρ",
    .summary = "new names for columns",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_KEEPS_ROWS,
    .size = sizeof(sp_project_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
};
