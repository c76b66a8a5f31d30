/* Columns of every type and encoding with the values they should hold, for the tests of columns.
 *
 * made_new gives a column with an offset (where its encoding has one), with or without nulls, and beside it
 * the plain values row by row. Strings lie in a heap of the column, so that a column that forgets to hold it
 * is caught by the sanitizers once the source is gone. */
#ifndef TESTS_UNIT_DATA_COLUMNS_H
#define TESTS_UNIT_DATA_COLUMNS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/hash.h"
#include "data/column.h"

#define MADE_DICT 16
#define MADE_SKIP 3 /* rows before those that are meant */

static const char made_text[] =
    "The quick brown fox jumps over the lazy dog, and a view of it has 12 or 13 bytes";

static const char *const made_types[] = {"null",          "bool",   "int16",   "date",
                                         "uint32",        "int64",  "float64", "decimal(15,2)",
                                         "decimal(38,2)", "string", "binary",  "interval"};
#define MADE_TYPES (sizeof made_types / sizeof made_types[0])

static inline sp_value made_value(const sp_type *t, uint64_t k) {
  const uint64_t x = sp_hash_u64(k);
  switch ((uint32_t)t->phys) {
  case SP_PHYS_NONE:
    return sp_value_null(t);
  case SP_PHYS_VIEW:
    return (sp_value){.type = t, .s = {made_text + x % 7, x % 30}};
  case SP_PHYS_I128:
    return sp_value_decimal(t, (sp_i128)x * (int64_t)(x >> 1));
  case SP_PHYS_INTERVAL:
    return (sp_value){.type = t, .iv = {(int32_t)(x & 0xff), (int32_t)(x >> 40), (int64_t)x}};
  case SP_PHYS_F64:
    return sp_value_float(t, (double)(int64_t)x / 1024);
  default: {
    if (t->kind == SP_KIND_BOOL) {
      return sp_value_bool(x & 1);
    }
    uint8_t slot[8];
    memcpy(slot, &x, sizeof slot);
    return sp_value_load(t, slot);
  }
  }
}

typedef struct made {
  sp_column *c; /* NULL when out of memory */
  sp_value *want;
  uint32_t n;
} made;

/* Fills rows of a FLAT column; long strings go to a heap that it then holds. */
static inline bool made_fill(sp_maker m, sp_column *c, const sp_value *v, uint32_t n) {
  sp_buf *heap = NULL;
  if (sp_type_is_bytes(c->type)) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
      bytes += v[i].is_null ? 0 : v[i].s.n;
    }
    heap = sp_buf_new(m.pool, m.mem, bytes);
    if (heap == NULL) {
      return false;
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    sp_value one = v[i];
    if (heap != NULL && !one.is_null) {
      char *at = (char *)heap->data + heap->size;
      memcpy(at, one.s.p, one.s.n);
      one.s.p = at;
      heap->size += one.s.n;
    }
    if (c->values != NULL) {
      sp_value_store(&one, c->values->data + (size_t)i * c->type->width);
    }
    if (c->validity != NULL) {
      c->validity->data[i] = !v[i].is_null;
    }
  }
  const bool ok = heap == NULL || sp_column_add_heap(c, heap);
  sp_buf_unref(heap);
  return ok;
}

static inline sp_column *made_flat(sp_maker m, const sp_type *t, const sp_value *v, uint32_t n, bool nulls) {
  sp_column *c = sp_column_flat(m, t, n, nulls);
  return c != NULL && !made_fill(m, c, v, n) ? sp_column_unref(c) : c;
}

static inline sp_column *made_dict(sp_maker m, const sp_type *t, const uint32_t *codes, const sp_value *v,
                                   uint32_t n, bool nulls, uint64_t dict_id) {
  sp_value entries[MADE_DICT];
  for (uint32_t i = 0; i < MADE_DICT; i++) {
    entries[i] = made_value(t, i);
  }
  sp_column *dict = made_flat(m, t, entries, MADE_DICT, false);
  sp_buf *b = sp_buf_new(m.pool, m.mem, (size_t)n * 4);
  sp_buf *valid = nulls ? sp_buf_new(m.pool, m.mem, n) : NULL;
  if (dict == NULL || b == NULL || (nulls && valid == NULL)) {
    sp_column_unref(dict);
    sp_buf_unref(b);
    sp_buf_unref(valid);
    return NULL;
  }
  if (n > 0) {
    memcpy(b->data, codes, (size_t)n * 4);
  }
  for (uint32_t i = 0; i < n && nulls; i++) {
    valid->data[i] = !v[i].is_null;
  }
  sp_column *c = sp_column_dict(m, dict, dict_id, b, valid, n);
  sp_column_unref(dict);
  return c;
}

static inline bool made_possible(const sp_type *t, sp_encoding e) {
  if (e == SP_SEQUENCE) {
    return sp_type_is_int(t) || t->kind == SP_KIND_DATE;
  }
  return e != SP_DICT || t->kind != SP_KIND_NULL;
}

static inline made made_new(sp_maker m, const sp_type *t, sp_encoding e, uint32_t n, bool nulls,
                            uint64_t seed) {
  const uint32_t all = n + MADE_SKIP;
  made r = {.n = n, .want = malloc(((size_t)all + 1) * sizeof(sp_value))};
  uint32_t *codes = malloc((size_t)all * 4);
  assert_non_null(r.want);
  assert_non_null(codes);
  for (uint32_t i = 0; i < all; i++) {
    const uint64_t x = sp_hash_u64(seed * 100003 + i);
    codes[i] = (uint32_t)(x % MADE_DICT);
    r.want[i] = e == SP_DICT ? made_value(t, codes[i]) : made_value(t, x);
    if (nulls && x >> 61 == 0) {
      r.want[i] = sp_value_null(t);
    }
  }
  sp_column *c = NULL;
  if (e == SP_FLAT) {
    c = made_flat(m, t, r.want, all, nulls);
  } else if (e == SP_DICT) {
    c = made_dict(m, t, codes, r.want, all, nulls, 1);
  } else if (e == SP_CONST) {
    const sp_value v = nulls ? sp_value_null(t) : made_value(t, seed);
    for (uint32_t i = 0; i < all; i++) {
      r.want[i] = v;
    }
    c = sp_column_const(m, &v, all);
  } else {
    for (uint32_t i = 0; i < all; i++) {
      const int64_t v = 1000 - 3 * (int64_t)i;
      uint8_t slot[8];
      memcpy(slot, &v, sizeof slot);
      r.want[i] = sp_value_load(t, slot);
    }
    c = sp_column_sequence(m, t, 1000, -3, all);
  }
  if (c != NULL) {
    r.c = sp_column_slice(m, c, MADE_SKIP, n);
    sp_column_unref(c);
  }
  memmove(r.want, r.want + MADE_SKIP, (size_t)n * sizeof *r.want);
  free(codes);
  return r;
}

static inline void made_release(made *d) {
  sp_column_unref(d->c);
  free(d->want);
}

/* Row i must be want[rows[i]], null for UINT32_MAX; rows NULL: want[i]. */
static inline void check_rows(const sp_column *c, const sp_value *want, const uint32_t *rows, uint32_t n) {
  assert_int_equal(c->length, n);
  for (uint32_t i = 0; i < n; i++) {
    const sp_value got = sp_column_value(c, i);
    const sp_value w =
        rows != NULL && rows[i] == UINT32_MAX ? sp_value_null(c->type) : want[rows != NULL ? rows[i] : i];
    if (!sp_value_eq(&got, &w)) {
      fail_msg("row %u of a %s column in encoding %d", i, c->type->name, (int)c->encoding);
    }
    assert_int_equal(sp_column_is_null(c, i), w.is_null);
  }
}

/* Runs the body with the first allocation failing, then the second, … until it succeeds; each time nothing
 * may stay live. */
#define CHECK_EVERY_FAILURE(mem, body)                                                                       \
  do {                                                                                                       \
    bool done_ = false;                                                                                      \
    for (int64_t at_ = 0; !done_; at_++) {                                                                   \
      assert_in_range(at_, 0, 10000);                                                                        \
      sp_mem_fail_at(at_);                                                                                   \
      const bool ok_ = (body);                                                                               \
      done_ = !sp_mem_fail_fired();                                                                          \
      sp_mem_fail_at(-1);                                                                                    \
      assert_int_equal(ok_, done_);                                                                          \
      assert_int_equal((mem)->live, 0);                                                                      \
    }                                                                                                        \
  } while (0)

#endif
