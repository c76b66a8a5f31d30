/* Columns: making, slicing, reading, heaps, bytes, ownership. */
#include "columns.h"

#include "data/text.h"

static sp_mem mem;
static const sp_maker mk = {.mem = &mem};

static int setup(void **state) {
  (void)state;
  sp_mem_init(&mem, NULL, "test");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  assert_int_equal(mem.live, 0);
  sp_mem_release(&mem);
  return 0;
}

static const sp_type *type(const char *name) {
  const sp_type *t = sp_type_parse(sp_sv_from(name));
  assert_non_null(t);
  return t;
}

static void every_encoding_of_every_type_reads_back(void **state) {
  (void)state;
  for (size_t t = 0; t < MADE_TYPES; t++) {
    for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
      for (uint32_t nulls = 0; nulls < 2; nulls++) {
        if (!made_possible(type(made_types[t]), (sp_encoding)e)) {
          continue;
        }
        made d = made_new(mk, type(made_types[t]), (sp_encoding)e, 100, nulls, t);
        assert_non_null(d.c);
        check_rows(d.c, d.want, NULL, d.n);
        sp_column *s = sp_column_slice(mk, d.c, 90, 10);
        sp_column *none = sp_column_slice(mk, d.c, 100, 0);
        d.c = sp_column_unref(d.c);
        check_rows(s, d.want + 90, NULL, 10);
        assert_int_equal(none->length, 0);
        sp_column_unref(s);
        sp_column_unref(none);
        made_release(&d);
      }
    }
  }
}

static void flat_columns_start_valid(void **state) {
  (void)state;
  sp_column *c = sp_column_flat(mk, type("int32"), 1000, true);
  assert_int_equal(c->values->size, 4000);
  for (uint32_t i = 0; i < 1000; i++) {
    assert_int_equal(c->validity->data[i], 1);
  }
  sp_column_unref(c);
  c = sp_column_flat(mk, type("null"), 3, false);
  assert_null(c->values);
  const sp_reader r = sp_column_reader(c);
  assert_false(sp_reader_valid(&r, 2));
  assert_true(sp_column_is_null(c, 2));
  sp_column_unref(c);
  c = sp_column_flat(mk, type("string"), 0, true);
  assert_int_equal(c->length, 0);
  sp_column_unref(c);
}

static void constants_own_their_strings(void **state) {
  (void)state;
  char text[40];
  for (uint32_t n = 0; n <= sizeof text; n++) {
    memset(text, 'x', sizeof text);
    const sp_value v = sp_value_str((sp_sv){text, n});
    sp_column *c = sp_column_const(mk, &v, 3);
    memset(text, 'y', sizeof text);
    assert_int_equal(c->n_heaps, n > SP_VIEW_INLINE);
    const sp_value got = sp_column_value(c, 2);
    assert_int_equal(got.s.n, n);
    for (uint32_t i = 0; i < n; i++) {
      assert_int_equal(got.s.p[i], 'x');
    }
    assert_int_equal(sp_column_bytes(c, NULL, 3), 3 * n);
    sp_column_unref(c);
  }
}

static void nulls_are_one_byte(void **state) {
  (void)state;
  sp_column *c = sp_column_null(mk, type("string"), 5);
  assert_int_equal(c->encoding, SP_CONST);
  assert_true(sp_column_is_null(c, 4));
  const sp_reader r = sp_column_reader(c);
  assert_false(sp_reader_valid(&r, 4));
  assert_int_equal(sp_column_bytes(c, NULL, 5), 5); /* validity only */
  sp_column_unref(c);
  const sp_value v = sp_value_null(type("int64"));
  c = sp_column_const(mk, &v, 2);
  assert_true(sp_column_is_null(c, 1));
  sp_column_unref(c);
}

static void retyping_keeps_the_bytes(void **state) {
  (void)state;
  made d = made_new(mk, type("date"), SP_FLAT, 10, true, 1);
  sp_column *c = sp_column_retype(mk, d.c, type("int32"));
  assert_ptr_equal(c->values, d.c->values);
  for (uint32_t i = 0; i < 10; i++) {
    const sp_value v = sp_column_value(c, i);
    assert_int_equal(v.is_null, d.want[i].is_null);
    assert_true(v.is_null || v.i == d.want[i].i);
  }
  sp_column_unref(c);
  made_release(&d);
  d = made_new(mk, type("binary"), SP_DICT, 10, false, 1);
  c = sp_column_retype(mk, d.c, type("string"));
  d.c = sp_column_unref(d.c);
  for (uint32_t i = 0; i < 10; i++) {
    const sp_value v = sp_column_value(c, i);
    assert_ptr_equal(v.type, type("string"));
    assert_true(sp_sv_eq(v.s, d.want[i].s));
  }
  assert_ptr_equal(c->dict->type, type("string"));
  sp_column_unref(c);
  made_release(&d);
}

static void a_heap_is_held_once(void **state) {
  (void)state;
  sp_column *c = sp_column_flat(mk, type("string"), 0, false),
            *d = sp_column_flat(mk, type("string"), 0, false);
  sp_buf *heaps[20];
  for (uint32_t i = 0; i < 20; i++) {
    heaps[i] = sp_buf_new(NULL, &mem, 8);
    assert_true(sp_column_add_heap(c, heaps[i]));
    assert_true(sp_column_add_heap(c, heaps[i / 2]));
    assert_int_equal(c->n_heaps, i + 1);
    if (i % 3 == 0) {
      assert_true(sp_column_add_heap(d, heaps[i]));
    }
  }
  assert_true(sp_column_add_heaps_of(d, c));
  assert_int_equal(d->n_heaps, 20);
  for (uint32_t i = 0; i < 20; i++) {
    assert_int_equal(heaps[i]->refs, 3);
    sp_buf_unref(heaps[i]);
  }
  sp_column_unref(c);
  sp_column_unref(d);
}

static void a_dictionary_lends_its_heaps(void **state) {
  (void)state;
  made d = made_new(mk, type("string"), SP_DICT, 4, false, 1);
  sp_column *c = sp_column_flat(mk, type("string"), 0, false);
  assert_int_equal(d.c->n_heaps, 0);
  assert_true(sp_column_add_heaps_of(c, d.c));
  assert_int_equal(c->n_heaps, 1);
  assert_ptr_equal(c->heaps[0], d.c->dict->heaps[0]);
  sp_column_unref(c);
  made_release(&d);
}

static void bytes_are_logical(void **state) {
  (void)state;
  static const uint16_t sel[] = {0, 7, 8, 42, 99};
  for (size_t t = 0; t < MADE_TYPES; t++) {
    for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
      for (uint32_t nulls = 0; nulls < 2; nulls++) {
        const sp_type *ty = type(made_types[t]);
        if (!made_possible(ty, (sp_encoding)e)) {
          continue;
        }
        made d = made_new(mk, ty, (sp_encoding)e, 100, nulls, t);
        int64_t all = 0, some = 0;
        const int64_t validity = d.c->validity != NULL;
        for (uint32_t i = 0; i < 100; i++) {
          const int64_t one = validity + (!sp_type_is_bytes(ty) ? (int64_t)ty->width
                                          : d.want[i].is_null   ? 0
                                                                : (int64_t)d.want[i].s.n);
          all += one;
          for (size_t k = 0; k < 5; k++) {
            some += sel[k] == i ? one : 0;
          }
        }
        assert_int_equal(sp_column_bytes(d.c, NULL, 100), all);
        assert_int_equal(sp_column_bytes(d.c, sel, 5), some);
        assert_int_equal(sp_column_bytes(d.c, NULL, 0), 0);
        made_release(&d);
      }
    }
  }
}

static void charging_moves_every_buffer(void **state) {
  (void)state;
  sp_mem root, scan, join;
  sp_mem_init(&root, NULL, "root");
  sp_mem_init(&scan, &root, "scan");
  sp_mem_init(&join, &root, "join");
  const sp_maker m = {.mem = &scan};
  made d = made_new(m, sp_type_of(SP_KIND_STRING), SP_DICT, 1000, true, 3);
  const int64_t before = scan.live;
  sp_column_charge(d.c, &join);
  assert_true(join.live >= 5000 + MADE_DICT * 16); /* codes, validity, dictionary */
  assert_true(scan.live < 2000);                   /* headers stay */
  assert_int_equal(root.live, before);
  sp_column_charge(d.c, &join);
  assert_int_equal(root.live, before);
  made_release(&d);
  assert_int_equal(root.live, 0);
  sp_mem_release(&join);
  sp_mem_release(&scan);
  sp_mem_release(&root);
}

static bool make_all(void) {
  for (size_t t = 0; t < MADE_TYPES; t++) {
    for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
      if (!made_possible(type(made_types[t]), (sp_encoding)e)) {
        continue;
      }
      made d = made_new(mk, type(made_types[t]), (sp_encoding)e, 10, true, 1);
      sp_column *r = d.c != NULL && d.c->type->kind != SP_KIND_NULL ? sp_column_retype(mk, d.c, d.c->type)
                                                                    : sp_column_ref(d.c);
      const bool ok = r != NULL;
      sp_column_unref(r);
      made_release(&d);
      if (!ok) {
        return false;
      }
    }
  }
  const sp_value v = sp_value_str(SP_SV("longer than twelve bytes"));
  sp_column *c = sp_column_const(mk, &v, 3);
  sp_column_unref(c);
  return c != NULL;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  CHECK_EVERY_FAILURE(&mem, make_all());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(every_encoding_of_every_type_reads_back, setup, teardown),
      cmocka_unit_test_setup_teardown(flat_columns_start_valid, setup, teardown),
      cmocka_unit_test_setup_teardown(constants_own_their_strings, setup, teardown),
      cmocka_unit_test_setup_teardown(nulls_are_one_byte, setup, teardown),
      cmocka_unit_test_setup_teardown(retyping_keeps_the_bytes, setup, teardown),
      cmocka_unit_test_setup_teardown(a_heap_is_held_once, setup, teardown),
      cmocka_unit_test_setup_teardown(a_dictionary_lends_its_heaps, setup, teardown),
      cmocka_unit_test_setup_teardown(bytes_are_logical, setup, teardown),
      cmocka_unit_test_setup_teardown(charging_moves_every_buffer, setup, teardown),
      cmocka_unit_test_setup_teardown(every_allocation_may_fail, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
