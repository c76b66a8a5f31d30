/* values: rows written in the plan, as flat batches.
 *
 *   {"op": "values", "schema": {"a": "int64"}, "rows": [[1], [null]]}   one batch of two rows, made when its
 * morsel is taken */
#include "exec/operator.h"

#define MORSEL_BATCHES 8

typedef struct values {
  const sp_values_node *node;
  uint32_t batch_rows, per_morsel; /* rows */
} values;

static sp_status values_open(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)err;
  values *v = op->shared;
  v->batch_rows = sp_exec_batch_rows(x, op->out);
  v->per_morsel = MORSEL_BATCHES * v->batch_rows;
  return SP_OK;
}

static uint32_t values_morsels(sp_operator *op) {
  const values *v = op->shared;
  return v->node->rows.n / v->per_morsel + (v->node->rows.n % v->per_morsel > 0);
}

/* Long strings of the column in one heap, so that the batch does not depend on the plan's memory. */
static bool add_heap(sp_maker mk, sp_column *c, sp_view *views, uint32_t n) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < n; i++) {
    bytes += views[i].n > SP_VIEW_INLINE ? views[i].n : 0;
  }
  if (bytes == 0) {
    return true;
  }
  sp_buf *heap = sp_buf_new(mk.pool, mk.mem, bytes);
  if (heap == NULL) {
    return false;
  }
  heap->size = bytes;
  char *at = (char *)heap->data;
  for (uint32_t i = 0; i < n; i++) {
    if (views[i].n > SP_VIEW_INLINE) {
      memcpy(at, views[i].p, views[i].n);
      views[i].p = at;
      at += views[i].n;
    }
  }
  const bool ok = sp_column_add_heap(c, heap);
  sp_buf_unref(heap);
  return ok;
}

static sp_column *make_column(sp_maker mk, const values *v, const sp_type *t, uint32_t col, uint32_t from,
                              uint32_t n) {
  if (t->kind == SP_KIND_NULL) {
    return sp_column_null(mk, t, n);
  }
  bool nulls = false;
  for (uint32_t i = 0; i < n; i++) {
    nulls |= v->node->rows.values[from + i][col].is_null;
  }
  sp_column *c = sp_column_flat(mk, t, n, nulls);
  if (c == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < n; i++) {
    const sp_value *x = &v->node->rows.values[from + i][col];
    uint8_t *slot = c->values->data + (size_t)i * t->width;
    if (x->is_null) {
      memset(slot, 0, t->width);
      c->validity->data[i] = 0;
    } else {
      sp_value_store(x, slot);
    }
  }
  if (sp_type_is_bytes(t) && !add_heap(mk, c, (sp_view *)(void *)c->values->data, n)) {
    return sp_column_unref(c);
  }
  return c;
}

static sp_batch *make_batch(sp_operator *op, uint32_t from, uint32_t n) {
  const sp_maker mk = sp_maker_of(op);
  sp_batch *b = sp_batch_new(mk.mem, op->out->n, n);
  for (uint32_t i = 0; b != NULL && i < op->out->n; i++) {
    b->cols[i] = make_column(mk, op->shared, op->out->fields[i].type, i, from, n);
    if (b->cols[i] == NULL) {
      return sp_batch_unref(b);
    }
  }
  return b;
}

static sp_status values_morsel(sp_operator *op, sp_worker *w, uint32_t morsel) {
  const values *v = op->shared;
  const uint32_t start = morsel * v->per_morsel;
  const uint32_t rest = v->node->rows.n - start;
  const uint32_t end = start + (rest < v->per_morsel ? rest : v->per_morsel);
  for (uint32_t at = start; at < end && !sp_should_stop(op, w); at += v->batch_rows) {
    const uint32_t n = end - at < v->batch_rows ? end - at : v->batch_rows;
    SP_TRY(sp_emit_take(op, w, make_batch(op, at, n)));
  }
  return SP_OK;
}

static const sp_operator_ops ops = {
    .name = "values", .open = values_open, .morsels = values_morsels, .morsel = values_morsel};

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_operator *op = sp_lower_operator(l, node, &ops, sizeof(values));
  SP_TRY_ALLOC(err, op);
  ((values *)op->shared)->node = (const sp_values_node *)op->node;
  sp_stream s;
  SP_TRY(sp_lower_source(l, op, NULL, 0, true, &s, err));
  return sp_lower_output(l, node, s, err);
}

const sp_lowering sp_lowering_values = {.kinds = "values", .lower = lower};
