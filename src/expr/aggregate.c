/* Shared parts of aggregates: see aggregate.h.
 *
 * Example: max over strings keeps the greatest one so far in its state's own memory, which grows by doubling;
 * the batch that it came from may go. */
#include "expr/aggregate.h"

sp_status sp_agg_bind(const sp_function *f, const sp_expr *const *args, uint32_t takes,
                      const sp_type *if_null, sp_binding *ret, const sp_loc *loc, sp_error *err) {
  SP_TRY(sp_bind_arg(f, args, 0, takes, if_null, ret, loc, err));
  ret->result = ret->args[0];
  return SP_OK;
}

bool sp_agg_bytes_set(sp_agg_bytes *b, sp_mem *mem, const char *p, uint32_t n) {
  if (n > b->cap) {
    uint32_t cap = b->cap == 0 ? 32 : b->cap;
    while (cap < n && cap < UINT32_MAX / 2) {
      cap *= 2;
    }
    cap = cap < n ? n : cap;
    char *grown = sp_mem_alloc(mem, cap);
    if (grown == NULL) {
      return false;
    }
    sp_mem_free(mem, b->p, b->cap);
    b->p = grown;
    b->cap = cap;
  }
  if (n > 0) {
    memcpy(b->p, p, n);
  }
  b->n = n;
  return true;
}

void sp_agg_bytes_free(sp_agg_bytes *b, sp_mem *mem) {
  sp_mem_free(mem, b->p, b->cap);
  *b = (sp_agg_bytes){0};
}

sp_status sp_agg_put_bytes(sp_heap *h, sp_view *slot, const char *p, uint32_t n, sp_error *err) {
  if (n > SP_VIEW_INLINE) {
    char *copy = sp_heap_room(h, n);
    SP_TRY_ALLOC(err, copy);
    memcpy(copy, p, n);
    p = copy;
  }
  *slot = sp_view_make(p, n);
  return SP_OK;
}

sp_column *sp_agg_out(sp_maker mk, const sp_type *t, uint32_t n) {
  sp_column *c = sp_column_flat(mk, t, n, true);
  if (c != NULL) {
    memset(c->values->data, 0, (size_t)n * t->width);
  }
  return c;
}

sp_column *sp_agg_done(sp_column *c) {
  if (memchr(c->validity->data, 0, c->length) == NULL) {
    c->validity = sp_buf_unref(c->validity);
  }
  return c;
}
