/* flatten, take and gather against plain values, for every type, encoding and length; encodings kept;
 * failures. */
#include "columns.h"

#include "data/kernels.h"

static sp_mem mem;
static const sp_maker mk = {.mem = &mem};
static const uint32_t lengths[] = {1, 2, 7, 64, 65, 1000, 8192};
#define N_LENGTHS (sizeof lengths / sizeof lengths[0])

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

/* Calls fn for every type, encoding, with and without nulls, and length. The column it gets is its own. */
static void for_all(void (*fn)(made *d)) {
  for (size_t t = 0; t < MADE_TYPES; t++) {
    for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
      for (uint32_t k = 0; k < 2 * N_LENGTHS; k++) {
        const sp_type *ty = sp_type_parse(sp_sv_from(made_types[t]));
        if (made_possible(ty, (sp_encoding)e)) {
          made d = made_new(mk, ty, (sp_encoding)e, lengths[k / 2], k % 2, t * 31 + k);
          assert_non_null(d.c);
          fn(&d);
          made_release(&d);
        }
      }
    }
  }
}

static void flatten_one(made *d) {
  sp_column *f = sp_column_flatten(mk, d->c);
  assert_int_equal(f->encoding, SP_FLAT);
  d->c = sp_column_unref(d->c);
  check_rows(f, d->want, NULL, d->n);
  sp_column_unref(f);
}

static void flatten(void **state) {
  (void)state;
  for_all(flatten_one);
}

static void flatten_of_flat_is_itself(void **state) {
  (void)state;
  made d = made_new(mk, sp_type_of(SP_KIND_STRING), SP_FLAT, 5, true, 1);
  sp_column *f = sp_column_flatten(mk, d.c);
  assert_ptr_equal(f, d.c);
  assert_int_equal(f->refs, 2);
  sp_column_unref(f);
  made_release(&d);
}

/* Every third row or so; step 1 gives a run. */
static uint32_t select_rows(uint32_t n, uint32_t from, uint32_t step, uint16_t *sel, uint32_t *rows) {
  uint32_t k = 0;
  for (uint32_t i = from; i < n; i += step) {
    sel[k] = (uint16_t)i;
    rows[k++] = i;
  }
  return k;
}

static void take_one(made *d) {
  uint16_t *sel = malloc(d->n * sizeof *sel);
  uint32_t *rows = malloc(d->n * sizeof *rows);
  assert_non_null(sel);
  assert_non_null(rows);
  for (uint32_t step = 1; step <= 3; step++) {
    for (uint32_t from = 0; from < 2; from++) {
      const uint32_t n = select_rows(d->n, from, step, sel, rows);
      sp_column *t = sp_column_take(mk, d->c, sel, n);
      assert_non_null(t);
      if (d->c->encoding == SP_DICT || d->c->encoding == SP_CONST) {
        assert_int_equal(t->encoding, d->c->encoding);
      }
      check_rows(t, d->want, rows, n);
      sp_column_unref(t);
    }
  }
  sp_column *first = sp_column_take(mk, d->c, NULL, d->n / 2);
  check_rows(first, d->want, NULL, d->n / 2);
  sp_column_unref(first);
  /* What was taken lives on its own. */
  const uint32_t n = select_rows(d->n, d->n / 2, 2, sel, rows);
  sp_column *kept = sp_column_take(mk, d->c, sel, n);
  d->c = sp_column_unref(d->c);
  check_rows(kept, d->want, rows, n);
  sp_column_unref(kept);
  free(sel);
  free(rows);
}

static void take(void **state) {
  (void)state;
  for_all(take_one);
}

static void gather_one(made *d) {
  for (uint32_t pass = 0; pass < 3; pass++) {
    const uint32_t n = pass == 0 ? 0 : d->n * 2 + 3;
    uint32_t *rows = malloc((size_t)n * 4 + 4);
    assert_non_null(rows);
    for (uint32_t i = 0; i < n; i++) {
      const uint64_t x = sp_hash_u64(i + pass);
      rows[i] = pass == 2 && x >> 62 == 0 ? UINT32_MAX : (uint32_t)(x % d->n);
    }
    sp_column *g = sp_column_gather(mk, d->c, rows, n);
    assert_non_null(g);
    if (d->c->encoding == SP_DICT) {
      assert_int_equal(g->encoding, SP_DICT);
      assert_ptr_equal(g->dict, d->c->dict);
      assert_int_equal(g->dict_id, d->c->dict_id);
    }
    if (pass == 2) {
      d->c = sp_column_unref(d->c);
    }
    check_rows(g, d->want, rows, n);
    sp_column_unref(g);
    free(rows);
  }
}

static void gather(void **state) {
  (void)state;
  for_all(gather_one);
}

static void gather_of_nothing_but_nulls(void **state) {
  (void)state;
  static const uint32_t rows[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
  for (size_t t = 0; t < MADE_TYPES; t++) {
    for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
      const sp_type *ty = sp_type_parse(sp_sv_from(made_types[t]));
      if (!made_possible(ty, (sp_encoding)e)) {
        continue;
      }
      made d = made_new(mk, ty, (sp_encoding)e, 0, false, 1);
      sp_column *g = sp_column_gather(mk, d.c, rows, 3);
      d.c = sp_column_unref(d.c);
      check_rows(g, d.want, rows, 3);
      if (g->encoding == SP_FLAT && g->values != NULL && e != SP_CONST) {
        for (uint32_t i = 0; i < 3 * ty->width; i++) {
          assert_int_equal(g->values->data[i], 0);
        }
      }
      sp_column_unref(g);
      made_release(&d);
    }
  }
}

static void validity_goes_when_no_null_is_left(void **state) {
  (void)state;
  sp_column *c = sp_column_flat(mk, sp_type_of(SP_KIND_INT64), 10, true);
  memset(c->values->data, 0, 80);
  c->validity->data[3] = 0;
  static const uint16_t sel[] = {0, 2, 4};
  static const uint16_t with_null[] = {0, 3, 4};
  static const uint32_t rows[] = {9, 2, 2};
  sp_column *t = sp_column_take(mk, c, sel, 3), *u = sp_column_take(mk, c, with_null, 3),
            *g = sp_column_gather(mk, c, rows, 3);
  assert_null(t->validity);
  assert_non_null(u->validity);
  assert_null(g->validity);
  sp_column_unref(t);
  sp_column_unref(u);
  sp_column_unref(g);
  sp_column_unref(c);
}

static void whole_and_run_selections_copy_nothing(void **state) {
  (void)state;
  made d = made_new(mk, sp_type_of(SP_KIND_INT64), SP_FLAT, 100, true, 1);
  uint16_t sel[100];
  for (uint16_t i = 0; i < 100; i++) {
    sel[i] = i;
  }
  sp_column *all = sp_column_take(mk, d.c, sel, 100), *run = sp_column_take(mk, d.c, sel + 10, 80),
            *few = sp_column_take(mk, d.c, sel + 10, 5);
  assert_ptr_equal(all, d.c);
  assert_ptr_equal(run->values, d.c->values);
  assert_ptr_not_equal(few->values, d.c->values); /* a few rows do not keep all */
  check_rows(run, d.want + 10, NULL, 80);
  sp_column_unref(all);
  sp_column_unref(run);
  sp_column_unref(few);
  /* The ends fit, the middle does not. */
  sel[50] = 40;
  sp_column *odd = sp_column_take(mk, d.c, sel, 100);
  const sp_value v = sp_column_value(odd, 50);
  assert_true(sp_value_eq(&v, &d.want[40]));
  sp_column_unref(odd);
  made_release(&d);
}

static void an_empty_dictionary_is_all_null(void **state) {
  (void)state;
  sp_column *dict = sp_column_flat(mk, sp_type_of(SP_KIND_STRING), 0, false);
  sp_buf *codes = sp_buf_new_zeroed(NULL, &mem, 12), *validity = sp_buf_new_zeroed(NULL, &mem, 3);
  sp_column *c = sp_column_dict(mk, dict, 0, codes, validity, 3);
  sp_column_unref(dict);
  sp_column *f = sp_column_flatten(mk, c);
  for (uint32_t i = 0; i < 3; i++) {
    assert_true(sp_column_is_null(f, i));
    assert_int_equal(((const sp_view *)(const void *)f->values->data)[i].n, 0);
  }
  assert_int_equal(sp_column_bytes(c, NULL, 3), 3);
  sp_column_unref(f);
  sp_column_unref(c);
}

static void sequences_wrap_to_their_width(void **state) {
  (void)state;
  sp_column *c = sp_column_sequence(mk, sp_type_of(SP_KIND_UINT8), 250, 3, 4);
  sp_column *f = sp_column_flatten(mk, c);
  assert_memory_equal(f->values->data, "\xfa\xfd\x00\x03", 4);
  sp_column_unref(f);
  sp_column_unref(c);
  c = sp_column_sequence(mk, sp_type_of(SP_KIND_INT64), INT64_MAX, 1, 2);
  f = sp_column_flatten(mk, c);
  assert_true(sp_column_value(f, 1).i == INT64_MIN);
  sp_column_unref(f);
  sp_column_unref(c);
}

static void kernels_find_runs_and_missing_rows(void **state) {
  (void)state;
  uint32_t rows[100];
  for (uint32_t n = 0; n <= 100; n++) {
    for (uint32_t at = 0; at < n; at++) {
      for (uint32_t i = 0; i < n; i++) {
        rows[i] = i == at ? SP_NO_ROW : i;
      }
      assert_true(sp_kernel_has_no_row(rows, n));
      rows[at] = SP_NO_ROW - 1;
      assert_false(sp_kernel_has_no_row(rows, n));
    }
  }
  static const uint16_t run[] = {5, 6, 7, 8}, gap[] = {5, 6, 8, 9}, swapped[] = {5, 7, 6, 8},
                        falling[] = {3, 2, 1, 0}, wrap[] = {65535, 0};
  assert_true(sp_kernel_is_run(run, 4));
  assert_true(sp_kernel_is_run(run, 1));
  assert_false(sp_kernel_is_run(run, 0));
  assert_false(sp_kernel_is_run(gap, 4));
  assert_false(sp_kernel_is_run(swapped, 4));
  assert_false(sp_kernel_is_run(falling, 4));
  assert_false(sp_kernel_is_run(wrap, 2));
}

static bool reshape_some(const sp_type *t, sp_encoding e) {
  static const uint16_t sel[] = {1, 4, 5};
  static const uint32_t rows[] = {7, UINT32_MAX, 0, 7};
  made d = made_new(mk, t, e, 10, false, 1);
  bool ok = d.c != NULL;
  sp_column *a = ok ? sp_column_flatten(mk, d.c) : NULL;
  sp_column *b = ok ? sp_column_take(mk, d.c, sel, 3) : NULL;
  sp_column *c = ok ? sp_column_gather(mk, d.c, rows, 4) : NULL;
  sp_column *again = c != NULL ? sp_column_flatten(mk, c) : NULL;
  ok = a != NULL && b != NULL && c != NULL && again != NULL;
  sp_column_unref(a);
  sp_column_unref(b);
  sp_column_unref(c);
  sp_column_unref(again);
  made_release(&d);
  return ok;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (size_t t = 0; t < MADE_TYPES; t++) {
    for (uint32_t e = SP_FLAT; e <= SP_SEQUENCE; e++) {
      const sp_type *ty = sp_type_parse(sp_sv_from(made_types[t]));
      if (made_possible(ty, (sp_encoding)e)) {
        CHECK_EVERY_FAILURE(&mem, reshape_some(ty, (sp_encoding)e));
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(flatten, setup, teardown),
      cmocka_unit_test_setup_teardown(flatten_of_flat_is_itself, setup, teardown),
      cmocka_unit_test_setup_teardown(take, setup, teardown),
      cmocka_unit_test_setup_teardown(gather, setup, teardown),
      cmocka_unit_test_setup_teardown(gather_of_nothing_but_nulls, setup, teardown),
      cmocka_unit_test_setup_teardown(validity_goes_when_no_null_is_left, setup, teardown),
      cmocka_unit_test_setup_teardown(whole_and_run_selections_copy_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(an_empty_dictionary_is_all_null, setup, teardown),
      cmocka_unit_test_setup_teardown(sequences_wrap_to_their_width, setup, teardown),
      cmocka_unit_test_setup_teardown(kernels_find_runs_and_missing_rows, setup, teardown),
      cmocka_unit_test_setup_teardown(every_allocation_may_fail, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
