/* slice: `length` rows from row `offset`, in the input's order.
 *
 *   {"id": "s", "op": "slice", "input": "t", "offset": 10, "length": 5}    rows 10 to 14
 *   offset -3: from the third row from the end; length -1: to the end */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {{.key = "offset",
                                        .kind = SP_F_INT,
                                        .offset = offsetof(sp_slice_node, offset),
                                        .doc = "the first row; negative: counted from the end; default 0"},
                                       {.key = "length",
                                        .kind = SP_F_INT,
                                        .required = true,
                                        .offset = offsetof(sp_slice_node, length),
                                        .doc = "how many rows; -1: to the end"},
                                       {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  (void)inputs;
  return sp_slice_resolve(cx, written, ret, err);
}

static sp_status push(const sp_node *n, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                      sp_push *ret) {
  (void)n, (void)inputs, (void)pred;
  return sp_push_begin(ret, 1, a) ? sp_push_block(ret, a, "the slice picks its rows first") : SP_NOMEM;
}

static bool determine(const sp_node *node, const sp_known *const *inputs, sp_arena *a, sp_known *ret) {
  (void)a;
  const sp_slice_node *n = (const sp_slice_node *)node;
  *ret = *inputs[0];
  const bool one_row = ret->unique != NULL && ret->unique->n == 0;
  if (n->length == 0 || (one_row && ret->det == SP_DET_ROWS)) {
    ret->det = SP_DET_ORDER;
  } else if (ret->det == SP_DET_ROWS && (n->offset != 0 || n->length >= 0)) {
    ret->det = SP_DET_COUNT;
  }
  return true;
}

static void headline(const sp_node *node, sp_str *out) {
  const sp_slice_node *n = (const sp_slice_node *)node;
  if (n->offset == 0 && n->length >= 0) {
    sp_str_addf(out, "first %lld rows", (long long)n->length);
  } else if (n->offset < 0 && (n->length < 0 || n->length == -n->offset)) {
    sp_str_addf(out, "last %lld rows", (long long)-n->offset);
  } else if (n->length < 0) {
    sp_str_addf(out, "from row %lld", (long long)n->offset);
  } else {
    sp_str_addf(out, "%lld rows from row %lld", (long long)n->length, (long long)n->offset);
  }
}

const sp_node_ops sp_node_kind_slice = {
    .name = "slice",
    .symbol = "⊏",
    .summary = "a range of rows",
    .flags = SP_NODE_KEEPS_ORDER | SP_NODE_OBSERVES_ORDER | SP_NODE_SUBSET,
    .size = sizeof(sp_slice_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_schema_same,
    .needs = sp_needs_same,
    .push_predicate = push,
    .determine = determine,
    .headline = headline,
};
