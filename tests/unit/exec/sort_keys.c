/* Sort keys as words: comparing words, and values from `rest` on, is comparing rows, for every type,
 * direction and amount of knowledge. */
#include "plans.h"
#include "rows.h"

#include "exec/sort_keys.h"

enum { N = 60 };

static const char *const type_names[] = {
    "bool",          "int8",   "int16",  "int32",        "int64",   "uint8",
    "uint16",        "uint32", "uint64", "float32",      "float64", "decimal(10,2)",
    "decimal(30,2)", "string", "date",   "datetime(us)", "binary",  "null"};

static sp_value random_value(const sp_type *t, t_random *r, bool small) {
  static const char *const longer[] = {"exactly 12 b",
                                       "exactly 12 bc",
                                       "exactly 12 bd",
                                       "exactly 12",
                                       "a",
                                       "",
                                       "ab",
                                       "a long string that is longer"};
  static const double floats[] = {0.0, -0.0, 1.5, -1.5, 1e30, -1e30, 1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0};
  if (t->kind == SP_KIND_NULL || t_next(r, 5) == 0) {
    return sp_value_null(t);
  }
  if (sp_type_is_bytes(t)) {
    sp_value v = sp_value_str(sp_sv_from(longer[t_next(r, 8)]));
    if (small) {
      static const char zeros[4] = {0, 0, 1, 0}; /* zero bytes are bytes like others */
      v = sp_value_str((sp_sv){zeros + t_next(r, 2), t_next(r, 3)});
    }
    v.type = t;
    return v;
  }
  if (sp_type_is_float(t)) {
    return sp_value_float(t, floats[t_next(r, 9)]);
  }
  if (t->kind == SP_KIND_BOOL) {
    return sp_value_bool(t_next(r, 2) != 0);
  }
  const uint64_t bits = small ? 100 : UINT64_MAX;
  int64_t i = (int64_t)(t_next(r, bits) << (small ? 0 : t_next(r, 20)));
  i -= small && t->family != SP_FAMILY_UNSIGNED ? 50 : 0;
  if (t->phys == SP_PHYS_I128) {
    return sp_value_decimal(t, (sp_i128)i * ((sp_i128)1 << (small ? 0 : t_next(r, 50))));
  }
  const uint32_t shift = 64 - t->width * 8;
  sp_value v = sp_value_int(t, i);
  if (t->family == SP_FAMILY_UNSIGNED) {
    v.u = (uint64_t)i << shift >> shift;
  } else {
    v.i = (int64_t)((uint64_t)i << shift) >> shift;
  }
  return v;
}

static sp_column *random_column(sp_maker mk, const sp_type *t, t_random *r, bool small, bool nulls) {
  sp_column *c = sp_column_flat(mk, t, N, true);
  assert_non_null(c);
  for (uint32_t i = 0; i < N; i++) {
    sp_value v = random_value(t, r, small);
    while (v.is_null && !nulls && t->kind != SP_KIND_NULL) {
      v = random_value(t, r, small);
    }
    c->validity->data[i] = !v.is_null;
    if (t->width > 0) {
      memset(c->values->data + (size_t)i * t->width, 0, t->width);
      if (!v.is_null) {
        sp_value_store(&v, c->values->data + (size_t)i * t->width);
      }
    }
  }
  return c;
}

static int want_one(const sp_sort_key *k, const sp_column *c, uint32_t a, uint32_t b) {
  const sp_value x = sp_column_value(c, a);
  const sp_value y = sp_column_value(c, b);
  if (x.is_null || y.is_null) {
    return x.is_null == y.is_null ? 0 : x.is_null == k->nulls_last ? 1 : -1;
  }
  if (sp_type_is_float(k->type) && (x.f != x.f || y.f != y.f)) {
    return (x.f != x.f) - (y.f != y.f);
  }
  const int s = sp_value_cmp(&x, &y);
  return k->descending ? -s : s;
}

static int sign(int x) {
  return (x > 0) - (x < 0);
}

static void check(const sp_sort_layout *l, const sp_column *const *cols) {
  uint64_t words[N * SP_SORT_WORDS];
  uint64_t first[N];
  assert_true(l->words >= 1 && l->words <= SP_SORT_WORDS);
  sp_sort_encode(l, cols, NULL, 0, N, l->words, words);
  sp_sort_encode(l, cols, NULL, 0, N, 1, first);
  for (uint32_t a = 0; a < N; a++) {
    assert_true(first[a] == words[(size_t)a * l->words]);
    for (uint32_t b = 0; b < N; b++) {
      int got = 0;
      for (uint32_t i = 0; i < l->words && got == 0; i++) {
        const uint64_t x = words[(size_t)a * l->words + i];
        const uint64_t y = words[(size_t)b * l->words + i];
        got = (x > y) - (x < y);
      }
      got = got != 0 ? got : sp_sort_compare_rest(l, cols, a, b);
      int want = 0;
      for (uint32_t i = 0; i < l->n && want == 0; i++) {
        want = want_one(&l->keys[i], cols[i], a, b);
      }
      if (sign(got) != sign(want)) {
        fail_msg("%s: rows %u and %u compare %d, not %d", l->keys[0].type->name, a, b, got, want);
      }
    }
  }
}

static void know(sp_sort_key *k, const sp_column *c, bool known) {
  sp_sort_key_unknown(k);
  if (known) {
    sp_sort_stats s = {.seen = false};
    sp_sort_stats_note(&s, c);
    sp_sort_key_know(k, &s);
  }
}

static void every_type(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  const sp_maker mk = {.mem = &mem};
  t_random r = {1};
  for (size_t t = 0; t < sizeof type_names / sizeof type_names[0]; t++) {
    for (uint32_t flags = 0; flags < 32; flags++) {
      const sp_type *type = sp_type_parse(sp_sv_from(type_names[t]));
      assert_non_null(type);
      sp_column *c = random_column(mk, type, &r, (flags & 4) != 0, (flags & 8) != 0);
      sp_sort_key key = {.type = type, .descending = (flags & 1) != 0, .nulls_last = (flags & 2) != 0};
      know(&key, c, (flags & 16) != 0);
      sp_sort_layout l = {.n = 1, .keys = &key};
      sp_sort_layout_set(&l);
      check(&l, (const sp_column *const *)&c);
      sp_column_unref(c);
    }
  }
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static void several_keys(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  const sp_maker mk = {.mem = &mem};
  t_random r = {2};
  for (uint32_t round = 0; round < 300; round++) {
    enum { KEYS = 5 };
    sp_column *cols[KEYS];
    sp_sort_key keys[KEYS];
    const uint32_t n = 2 + (uint32_t)t_next(&r, KEYS - 1);
    for (uint32_t i = 0; i < n; i++) {
      const sp_type *type =
          sp_type_parse(sp_sv_from(type_names[t_next(&r, sizeof type_names / sizeof type_names[0])]));
      cols[i] = random_column(mk, type, &r, t_next(&r, 2) != 0, t_next(&r, 2) != 0);
      keys[i] =
          (sp_sort_key){.type = type, .descending = t_next(&r, 2) != 0, .nulls_last = t_next(&r, 2) != 0};
      know(&keys[i], cols[i], t_next(&r, 2) != 0);
    }
    sp_sort_layout l = {.n = n, .keys = keys};
    sp_sort_layout_set(&l);
    check(&l, (const sp_column *const *)cols);
    for (uint32_t i = 0; i < n; i++) {
      sp_column_unref(cols[i]);
    }
  }
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static void ranges_make_keys_short(void **state) {
  (void)state;
  sp_sort_key keys[2] = {
      {.type = sp_type_of(SP_KIND_DATE), .no_nulls = true, .ranged = true, .lo = 8000, .hi = 10556},
      {.type = sp_type_of(SP_KIND_STRING), .no_nulls = true, .max_len = 1}};
  sp_sort_layout l = {.n = 2, .keys = keys};
  sp_sort_layout_set(&l);
  assert_int_equal(keys[0].bits, 12);
  assert_int_equal(keys[1].bits, 12); /* a byte and its length */
  assert_int_equal(l.words, 1);
  assert_int_equal(l.rest, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type),
      cmocka_unit_test(several_keys),
      cmocka_unit_test(ranges_make_keys_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
