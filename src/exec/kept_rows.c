/* See kept_rows.h. */
#include "exec/kept_rows.h"

#include <stdlib.h>

bool sp_kept_add(sp_kept *k, sp_mem *mem, sp_batch *b) {
  if (b != NULL && k->n == k->cap) {
    const uint32_t cap = k->cap == 0 ? 16 : k->cap * 2;
    void *p = sp_mem_realloc(mem, k->batches, k->cap * sizeof(sp_batch *), cap * sizeof(sp_batch *));
    if (p == NULL) {
      b = sp_batch_unref(b);
    } else {
      k->batches = p;
      k->cap = cap;
    }
  }
  if (b == NULL) {
    return false;
  }
  k->batches[k->n++] = b;
  k->rows += b->n_rows;
  return true;
}

void sp_kept_release(sp_kept *k, sp_mem *mem) {
  for (uint32_t i = 0; i < k->n; i++) {
    sp_batch_unref(k->batches[i]);
  }
  sp_mem_free(mem, k->batches, k->cap * sizeof(sp_batch *));
  *k = (sp_kept){.n = 0};
}

bool sp_kept_move(sp_kept *k, sp_mem *mem, sp_kept *from) {
  for (uint32_t i = 0; i < from->n; i++) {
    sp_batch *b = from->batches[i];
    from->batches[i] = NULL;
    if (!sp_kept_add(k, mem, b)) {
      return false;
    }
  }
  sp_kept_release(from, mem);
  return true;
}

static int by_ordinal(const void *a, const void *b) {
  const sp_batch *x = *(sp_batch *const *)a;
  const sp_batch *y = *(sp_batch *const *)b;
  if (x->source != y->source) {
    return x->source < y->source ? -1 : 1;
  }
  return (x->seq > y->seq) - (x->seq < y->seq);
}

void sp_kept_order(sp_kept *k) {
  if (k->n > 1) {
    qsort(k->batches, k->n, sizeof(sp_batch *), by_ordinal);
  }
}

sp_status sp_kept_check(const sp_kept *k, sp_error *err) {
  if (k->rows >= UINT32_MAX - 1) {
    SP_FAIL(err, SP_LIMIT, NULL, "more than %u rows to keep in memory", UINT32_MAX - 2);
  }
  return SP_OK;
}

typedef struct columns {
  sp_operator *op;
  sp_kept *k;
  sp_column **ret;
} columns;

static sp_status concat_column(void *ctx, uint32_t i, sp_worker *w) {
  const columns *c = ctx;
  sp_mem *mem = c->op->mem;
  sp_kept *k = c->k;
  sp_column **cols = sp_mem_alloc(mem, k->n * sizeof(sp_column *));
  SP_TRY_ALLOC(w->err, cols);
  for (uint32_t b = 0; b < k->n; b++) {
    cols[b] = k->batches[b]->cols[i];
  }
  c->ret[i] = k->n == 1 && cols[0]->encoding != SP_SEQUENCE
                  ? sp_column_ref(cols[0])
                  : sp_column_concat(sp_maker_of(c->op), cols[0]->type, cols, k->n);
  sp_mem_free(mem, cols, k->n * sizeof(sp_column *));
  for (uint32_t b = 0; b < k->n && c->ret[i] != NULL; b++) {
    k->batches[b]->cols[i] = sp_column_unref(k->batches[b]->cols[i]);
  }
  return c->ret[i] != NULL ? SP_OK : sp_error_nomem(w->err);
}

sp_status sp_kept_columns(sp_operator *op, sp_kept *k, const sp_type *const *types, uint32_t n,
                          sp_column **ret, sp_error *err) {
  if (k->n > 0) {
    columns c = {.op = op, .k = k, .ret = ret};
    return n > 0 ? sp_exec_parallel(op, n, concat_column, &c, err) : SP_OK;
  }
  for (uint32_t i = 0; i < n; i++) {
    ret[i] = sp_column_flat(sp_maker_of(op), types[i], 0, false);
    SP_TRY_ALLOC(err, ret[i]);
  }
  return SP_OK;
}
