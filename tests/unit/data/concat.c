/* concat and compact: values kept, strings in one heap of their own, dictionaries kept where shared. */
#include "columns.h"

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

static void columns_of_all_encodings_join(void **state) {
  (void)state;
  for (size_t t = 0; t < MADE_TYPES; t++) {
    const sp_type *ty = sp_type_parse(sp_sv_from(made_types[t]));
    made parts[16];
    sp_column *cols[16];
    sp_value want[16 * 50];
    uint32_t n = 0, rows = 0;
    for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
      for (uint32_t k = 0; k < 4; k++) {
        if (!made_possible(ty, (sp_encoding)e)) {
          continue;
        }
        parts[n] = made_new(mk, ty, (sp_encoding)e, k * 13, k % 2, n);
        cols[n] = parts[n].c;
        assert_non_null(cols[n]);
        memcpy(want + rows, parts[n].want, parts[n].n * sizeof *want);
        rows += parts[n].n;
        n++;
      }
    }
    sp_column *c = sp_column_concat(mk, ty, cols, n);
    for (uint32_t i = 0; i < n; i++) {
      parts[i].c = sp_column_unref(parts[i].c);
    }
    assert_int_equal(c->encoding, SP_FLAT);
    assert_int_equal(c->n_heaps, sp_type_is_bytes(ty));
    check_rows(c, want, NULL, rows);
    sp_column_unref(c);
    for (uint32_t i = 0; i < n; i++) {
      made_release(&parts[i]);
    }
  }
}

static void nothing_joins_to_an_empty_column(void **state) {
  (void)state;
  for (size_t t = 0; t < MADE_TYPES; t++) {
    const sp_type *ty = sp_type_parse(sp_sv_from(made_types[t]));
    sp_column *c = sp_column_concat(mk, ty, NULL, 0);
    assert_non_null(c);
    assert_int_equal(c->length, 0);
    assert_ptr_equal(c->type, ty);
    sp_column_unref(c);
  }
}

static void one_dictionary_stays(void **state) {
  (void)state;
  for (uint32_t nulls = 0; nulls < 3; nulls++) {
    made a = made_new(mk, sp_type_of(SP_KIND_STRING), SP_DICT, 20, nulls > 0, 1);
    made b = made_new(mk, sp_type_of(SP_KIND_STRING), SP_DICT, 30, nulls > 1, 2);
    sp_column *cols[] = {a.c, b.c};
    sp_column *c = sp_column_concat(mk, a.c->type, cols, 2);
    assert_int_equal(c->encoding, SP_DICT);
    assert_ptr_equal(c->dict, a.c->dict);
    sp_value want[50];
    memcpy(want, a.want, 20 * sizeof *want);
    memcpy(want + 20, b.want, 30 * sizeof *want);
    a.c = sp_column_unref(a.c);
    b.c = sp_column_unref(b.c);
    check_rows(c, want, NULL, 50);
    sp_column_unref(c);
    made_release(&a);
    made_release(&b);
  }
}

static void different_dictionaries_are_flattened(void **state) {
  (void)state;
  made a = made_new(mk, sp_type_of(SP_KIND_STRING), SP_DICT, 20, false, 1);
  made b = made_new(mk, sp_type_of(SP_KIND_STRING), SP_DICT, 20, false, 1);
  for (uint32_t pass = 0; pass < 2; pass++) {
    a.c->dict_id = 0;
    b.c->dict_id = pass == 0 ? 0 : 5; /* unknown, or another */
    sp_column *cols[] = {a.c, b.c}, *twice[] = {a.c, a.c};
    sp_column *c = sp_column_concat(mk, a.c->type, cols, 2), *d = sp_column_concat(mk, a.c->type, twice, 2);
    assert_int_equal(c->encoding, SP_FLAT);
    assert_int_equal(d->encoding, SP_DICT); /* unknown, but the same object */
    sp_column_unref(c);
    sp_column_unref(d);
  }
  made_release(&a);
  made_release(&b);
}

static void views_of_nulls_are_not_followed(void **state) {
  (void)state;
  sp_column *c = sp_column_flat(mk, sp_type_of(SP_KIND_STRING), 2, true);
  sp_view *v = (sp_view *)(void *)c->values->data;
  memset(v, 0xff, 2 * sizeof *v); /* length and pointer of nothing */
  v[1] = sp_view_make("short", 5);
  c->validity->data[0] = 0;
  sp_column *copy = sp_column_concat(mk, c->type, &c, 1);
  assert_true(sp_column_is_null(copy, 0));
  assert_int_equal(((const sp_view *)(const void *)copy->values->data)[0].n, 0);
  assert_int_equal(copy->n_heaps, 0);
  assert_true(sp_sv_eq(sp_column_value(copy, 1).s, SP_SV("short")));
  sp_column_unref(copy);
  sp_column_unref(c);
}

static void too_many_rows_are_refused(void **state) {
  (void)state;
  sp_column *c = sp_column_sequence(mk, sp_type_of(SP_KIND_INT64), 0, 1, UINT32_MAX);
  sp_column *cols[] = {c, c};
  assert_null(sp_column_concat(mk, c->type, cols, 2));
  sp_column_unref(c);
}

static void compact_copies_what_is_mostly_dead(void **state) {
  (void)state;
  made d = made_new(mk, sp_type_of(SP_KIND_STRING), SP_FLAT, 1000, true, 1);
  static const uint32_t rows[] = {5, 900, 901, 902, 903, 904, 905, 906};
  sp_column *few = sp_column_gather(mk, d.c, rows, 8), *same = sp_column_compact(mk, d.c),
            *own = sp_column_compact(mk, few);
  assert_ptr_equal(same, d.c);
  assert_ptr_not_equal(own, few);
  for (uint32_t i = 0; i < own->n_heaps; i++) {
    assert_ptr_not_equal(own->heaps[i], d.c->heaps[0]);
  }
  sp_column_unref(same);
  sp_column_unref(few);
  d.c = sp_column_unref(d.c);
  check_rows(own, d.want, rows, 8);
  sp_column_unref(own);
  made_release(&d);
}

static void compact_leaves_the_others_alone(void **state) {
  (void)state;
  for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
    made d = made_new(mk, sp_type_of(e == SP_DICT || e == SP_CONST ? SP_KIND_STRING : SP_KIND_INT64),
                      (sp_encoding)e, 5, false, 2);
    sp_column *c = sp_column_compact(mk, d.c);
    assert_ptr_equal(c, d.c);
    sp_column_unref(c);
    made_release(&d);
  }
}

static bool concat_some(const sp_type *t) {
  made a = made_new(mk, t, SP_FLAT, 20, true, 1), b = made_new(mk, t, SP_DICT, 20, true, 2), e = {0};
  sp_column *cols[] = {a.c, b.c}, *dicts[] = {b.c, b.c}, *c = NULL, *d = NULL, *few = NULL, *own = NULL;
  if (a.c != NULL && b.c != NULL) {
    static const uint32_t row = 3;
    e = made_new(mk, t, SP_FLAT, 50, false, 3);
    c = sp_column_concat(mk, t, cols, 2);
    d = sp_column_concat(mk, t, dicts, 2);
    few = e.c != NULL ? sp_column_gather(mk, e.c, &row, 1) : NULL;
    own = few != NULL ? sp_column_compact(mk, few) : NULL;
  }
  const bool ok = c != NULL && d != NULL && own != NULL;
  sp_column_unref(c);
  sp_column_unref(d);
  sp_column_unref(few);
  sp_column_unref(own);
  made_release(&a);
  made_release(&b);
  made_release(&e);
  return ok;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  CHECK_EVERY_FAILURE(&mem, concat_some(sp_type_of(SP_KIND_INT64)));
  CHECK_EVERY_FAILURE(&mem, concat_some(sp_type_of(SP_KIND_STRING)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(columns_of_all_encodings_join, setup, teardown),
      cmocka_unit_test_setup_teardown(nothing_joins_to_an_empty_column, setup, teardown),
      cmocka_unit_test_setup_teardown(one_dictionary_stays, setup, teardown),
      cmocka_unit_test_setup_teardown(different_dictionaries_are_flattened, setup, teardown),
      cmocka_unit_test_setup_teardown(views_of_nulls_are_not_followed, setup, teardown),
      cmocka_unit_test_setup_teardown(too_many_rows_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(compact_copies_what_is_mostly_dead, setup, teardown),
      cmocka_unit_test_setup_teardown(compact_leaves_the_others_alone, setup, teardown),
      cmocka_unit_test_setup_teardown(every_allocation_may_fail, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
