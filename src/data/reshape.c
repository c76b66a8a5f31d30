/* Columns in another form: flat, some rows of it, rows in another order.
 *
 * A dictionary column is reshaped by its codes and keeps its dictionary, a constant keeps its one value, so
 * that both stay cheap through filters and joins. Validity is handled on its own, and dropped as soon as no
 * row is null: every kernel above is faster without. Strings are never copied here: the new column holds the
 * same heaps.
 *
 * Example: gather of {"a", "b"} at rows {1, UINT32_MAX, 1} gives {"b", null, "b"}. */
#include "data/column_build.h"

#include "data/kernels.h"

void sp_column_unpack(const sp_column *c, void *dst) {
  const uint32_t width = c->type->width;
  if (width == 0 || c->length == 0) {
    return;
  }
  if (c->encoding == SP_SEQUENCE) {
    sp_kernel_sequence(width, dst, c->start, c->step, NULL, NULL, c->length);
    return;
  }
  const sp_reader r = sp_column_reader(c);
  if (r.is_const) {
    sp_kernel_splat(width, dst, r.data, c->length);
  } else if (r.codes == NULL) {
    memcpy(dst, r.data, (size_t)width * c->length);
  } else if (r.n_dict == 0) {
    memset(dst, 0, (size_t)width * c->length); /* all null: there is nothing that a code could mean */
  } else {
    sp_kernel_gather(width, dst, r.data, r.codes, c->length);
  }
}

bool sp_column_unpack_validity(const sp_column *c, uint8_t *dst) {
  if (c->type->kind == SP_KIND_NULL) {
    memset(dst, 0, c->length);
    return c->length == 0;
  }
  const sp_reader r = sp_column_reader(c);
  if (r.validity == NULL || r.is_const) {
    memset(dst, r.validity == NULL ? 1 : r.validity[0], c->length);
    return r.validity == NULL || r.validity[0] != 0;
  }
  memcpy(dst, r.validity, c->length);
  return sp_kernel_all_valid(dst, c->length);
}

/* Gives the column a validity buffer to fill, at least when there can be nulls. */
static bool add_validity(sp_maker m, sp_column *c) {
  c->validity = sp_column_buffer(m, c->length, 1);
  return c->validity != NULL;
}

static void drop_validity_if(sp_column *c, bool all_valid) {
  if (all_valid) {
    c->validity = sp_buf_unref(c->validity);
  }
}

sp_column *sp_column_flatten(sp_maker m, const sp_column *c) {
  if (c->encoding == SP_FLAT) {
    return sp_column_ref(c);
  }
  sp_column *f = sp_column_flat(m, c->type, c->length, false);
  if (f == NULL || c->type->kind == SP_KIND_NULL) {
    return f;
  }
  if (!sp_column_add_heaps_of(f, c) || (c->validity != NULL && !add_validity(m, f))) {
    return sp_column_unref(f);
  }
  sp_column_unpack(c, f->values->data);
  if (f->validity != NULL) {
    drop_validity_if(f, sp_column_unpack_validity(c, f->validity->data));
  }
  return f;
}

/* CONST over the same value, of another length. */
static sp_column *resize_const(sp_maker m, const sp_column *c, uint32_t n) {
  sp_column *r = sp_column_alias(m, c);
  if (r != NULL) {
    r->length = n;
  }
  return r;
}

/* What take and gather give: FLAT or DICT (SEQUENCE and a CONST with new nulls become FLAT), with heaps and
 * dictionary, values and validity to be filled. */
static sp_column *new_like(sp_maker m, const sp_column *c, uint32_t n, bool validity) {
  const bool dict = c->encoding == SP_DICT;
  sp_column *r = sp_column_header(m, c->type, dict ? SP_DICT : SP_FLAT, n);
  if (r == NULL) {
    return NULL;
  }
  r->values = sp_column_buffer(m, n, dict ? 4 : c->type->width);
  r->dict = sp_column_ref(c->dict);
  r->dict_id = c->dict_id;
  bool ok = r->values != NULL && (!validity || add_validity(m, r));
  if (ok && c->n_heaps > 0) {
    /* The dictionary holds its own heaps: those of the column itself only. */
    for (uint32_t i = 0; i < c->n_heaps && ok; i++) {
      ok = sp_column_add_heap(r, c->heaps[i]);
    }
  }
  return ok ? r : sp_column_unref(r);
}

static uint32_t stored_width(const sp_column *c) {
  return c->encoding == SP_DICT ? 4 : c->type->width;
}

static const uint8_t *stored_values(const sp_column *c) {
  return c->values->data + (size_t)c->offset * stored_width(c);
}

static const uint8_t *row_validity(const sp_column *c) {
  return c->validity != NULL ? c->validity->data + c->offset : NULL;
}

sp_column *sp_column_take(sp_maker m, const sp_column *c, const uint16_t *sel, uint32_t n) {
  if (sel == NULL) {
    return n == c->length ? sp_column_ref(c) : sp_column_slice(m, c, 0, n);
  }
  if (c->encoding == SP_CONST) {
    return resize_const(m, c, n);
  }
  if (c->type->kind == SP_KIND_NULL) {
    return sp_column_null(m, c->type, n);
  }
  /* A slice is free, but holds all of the buffers. */
  if (n > c->length / 2 && sp_kernel_is_run(sel, n)) {
    return n == c->length ? sp_column_ref(c) : sp_column_slice(m, c, sel[0], n);
  }
  sp_column *r = new_like(m, c, n, c->validity != NULL);
  if (r == NULL) {
    return NULL;
  }
  if (c->encoding == SP_SEQUENCE) {
    sp_kernel_sequence(c->type->width, r->values->data, c->start, c->step, NULL, sel, n);
    return r;
  }
  sp_kernel_take(stored_width(c), r->values->data, stored_values(c), sel, n);
  if (r->validity != NULL) {
    drop_validity_if(r, sp_kernel_take_validity(r->validity->data, row_validity(c), sel, n));
  }
  return r;
}

/* A constant of which some rows become null. */
static sp_column *gather_const(sp_maker m, const sp_column *c, const uint32_t *rows, uint32_t n) {
  if (c->validity != NULL && c->validity->data[0] == 0) {
    return resize_const(m, c, n);
  }
  sp_column *r = new_like(m, c, n, true);
  if (r != NULL) {
    sp_kernel_splat(c->type->width, r->values->data, c->values->data, n);
    sp_kernel_gather_validity(r->validity->data, NULL, rows, n);
  }
  return r;
}

sp_column *sp_column_gather(sp_maker m, const sp_column *c, const uint32_t *rows, uint32_t n) {
  if (c->type->kind == SP_KIND_NULL) {
    return sp_column_null(m, c->type, n);
  }
  const bool new_nulls = sp_kernel_has_no_row(rows, n);
  if (c->encoding == SP_CONST) {
    return new_nulls ? gather_const(m, c, rows, n) : resize_const(m, c, n);
  }
  sp_column *r = new_like(m, c, n, new_nulls || c->validity != NULL);
  if (r == NULL) {
    return NULL;
  }
  if (c->encoding == SP_SEQUENCE) {
    sp_kernel_sequence(c->type->width, r->values->data, c->start, c->step, rows, NULL, n);
  } else if (new_nulls) {
    sp_kernel_gather_or_zero(stored_width(c), r->values->data, stored_values(c), rows, n);
  } else {
    sp_kernel_gather(stored_width(c), r->values->data, stored_values(c), rows, n);
  }
  if (r->validity != NULL) {
    drop_validity_if(r, sp_kernel_gather_validity(r->validity->data, row_validity(c), rows, n));
  }
  return r;
}
