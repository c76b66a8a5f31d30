/* head, limit and tail are slices: head 5 = [0, 5), tail 5 = [-5, 5). */
#include "plan/kinds.h"

static sp_status slice_of(sp_bind_cx *cx, int64_t offset, int64_t length, sp_node **ret, sp_error *err) {
  sp_slice_node *n = (sp_slice_node *)sp_node_new(cx->arena, sp_node_ops_find(SP_SV("slice")));
  uint32_t *id = SP_ARENA_NEW(cx->arena, uint32_t);
  if (n == NULL || id == NULL) {
    return sp_error_nomem(err);
  }
  *id = cx->node;
  n->offset = offset;
  n->length = length;
  n->slice_origin = (sp_origin){.n = 1, .ids = id};
  *ret = &n->base;
  return SP_OK;
}

sp_status sp_slice_resolve_n(sp_bind_cx *cx, const sp_node *written, bool from_end, sp_node **ret,
                             sp_error *err) {
  const int64_t n = ((const sp_slice_node *)written)->n;
  if (n < 0) {
    const sp_loc at = sp_loc_member(&written->loc, "n", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`n` must not be negative, got %lld", (long long)n);
  }
  return slice_of(cx, from_end ? -n : 0, n, ret, err);
}

sp_status sp_slice_resolve(sp_bind_cx *cx, const sp_node *written, sp_node **ret, sp_error *err) {
  const sp_slice_node *w = (const sp_slice_node *)written;
  if (w->length < -1) {
    const sp_loc at = sp_loc_member(&written->loc, "length", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`length` must not be negative, got %lld (-1: to the end)",
            (long long)w->length);
  }
  if (w->offset == INT64_MIN) {
    const sp_loc at = sp_loc_member(&written->loc, "offset", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`offset` is out of range");
  }
  return slice_of(cx, w->offset, w->length, ret, err);
}
