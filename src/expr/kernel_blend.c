/* Choosing between columns by row, a column at a time: one loop per width copies the rows that a byte mask
 * names.
 *
 * Example: case(c, a, b) begins all null, adds a where c is true, then b where it is not; both may be
 * dictionaries or constants. */
#include "expr/kernel.h"

sp_status sp_blend_begin(sp_eval *ev, const sp_type *t, sp_blend *ret) {
  sp_column *out = sp_out_flat(ev, t, true);
  SP_TRY_ALLOC(ev->err, out);
  memset(out->values->data, 0, (size_t)ev->length * t->width);
  memset(out->validity->data, 0, ev->length);
  *ret = (sp_blend){.ev = ev, .out = out};
  return SP_OK;
}

#define COPY_WHERE(width, T)                                                                                 \
  SP_CLONES static void copy_##width(T *restrict dst, const T *restrict src, const uint8_t *restrict take,   \
                                     uint32_t n) {                                                           \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      dst[i] = take[i] ? src[i] : dst[i];                                                                    \
    }                                                                                                        \
  }                                                                                                          \
  SP_CLONES static void splat_##width(T *restrict dst, T v, const uint8_t *restrict take, uint32_t n) {      \
    for (uint32_t i = 0; i < n; i++) {                                                                       \
      dst[i] = take[i] ? v : dst[i];                                                                         \
    }                                                                                                        \
  }
COPY_WHERE(1, uint8_t)
COPY_WHERE(2, uint16_t)
COPY_WHERE(4, uint32_t)
COPY_WHERE(8, uint64_t)
COPY_WHERE(16, sp_i128)

static void copy_where(uint32_t width, void *dst, const sp_input *src, const uint8_t *take, uint32_t n) {
#define CASE_WIDTH(w, T)                                                                                     \
  case w:                                                                                                    \
    if (src->is_const) {                                                                                     \
      splat_##w(dst, *(const T *)src->data, take, n);                                                        \
    } else {                                                                                                 \
      copy_##w(dst, src->data, take, n);                                                                     \
    }                                                                                                        \
    break;
  switch (width) {
    CASE_WIDTH(1, uint8_t)
    CASE_WIDTH(2, uint16_t)
    CASE_WIDTH(4, uint32_t)
    CASE_WIDTH(8, uint64_t)
    CASE_WIDTH(16, sp_i128)
  default:
    break;
  }
#undef CASE_WIDTH
}

sp_status sp_blend_add(sp_blend *b, const sp_column *c, const uint8_t *take) {
  const uint32_t n = b->ev->length;
  const sp_reader r = sp_column_reader(c);
  if (r.is_const && r.validity != NULL && r.validity[0] == 0) {
    if (take == NULL) {
      memset(b->out->validity->data, 0, n);
      return SP_OK;
    }
    splat_1(b->out->validity->data, 0, take, n);
    return SP_OK;
  }
  sp_buf *all = NULL;
  if (take == NULL) {
    all = sp_buf_new(b->ev->mk.pool, b->ev->mk.mem, n);
    SP_TRY_ALLOC(b->ev->err, all);
    memset(all->data, 1, n);
    take = all->data;
  }
  sp_input in;
  sp_status st = sp_input_open(b->ev, c, &in);
  if (st == SP_OK) {
    copy_where(c->type->width, b->out->values->data, &in, take, n);
    if (r.is_const || r.validity == NULL) {
      splat_1(b->out->validity->data, 1, take, n);
    } else {
      copy_1(b->out->validity->data, r.validity, take, n);
    }
    if (sp_type_is_bytes(c->type) && !sp_column_add_heaps_of(b->out, c)) {
      st = sp_error_nomem(b->ev->err);
    }
    sp_input_close(&in);
  }
  sp_buf_unref(all);
  return st;
}

sp_column *sp_blend_end(sp_blend *b) {
  sp_column *out = b->out;
  b->out = NULL;
  if (memchr(out->validity->data, 0, b->ev->length) == NULL) {
    out->validity = sp_buf_unref(out->validity);
  }
  return out;
}

void sp_blend_abort(sp_blend *b) {
  b->out = sp_column_unref(b->out);
}
