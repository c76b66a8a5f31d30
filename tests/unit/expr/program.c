/* Programs: filters, late fetching, laziness, common parts, states that serve many batches, several outputs.
 */
#include "eval_support.h"

#include "tests/support/torture.h"

/* ---- a fetch that hands out rows only where they were asked for, and garbage elsewhere ---- */
typedef struct picky {
  fixture *t;
  uint32_t calls[N_TEST_COLUMNS];
  uint32_t rows[N_TEST_COLUMNS]; /* asked for, in all */
} picky;

static sp_status picky_get(void *ctx, uint32_t column, const uint16_t *sel, uint32_t n, sp_column **ret,
                           sp_error *err) {
  picky *p = ctx;
  (void)err;
  p->calls[column]++;
  p->rows[column] += n;
  const sp_column *from = p->t->batch->cols[column];
  const uint32_t length = p->t->batch->length;
  sp_column *c = random_flat(p->t, from->type, length, 4, 0);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t r = sel != NULL ? sel[i] : i;
    const sp_value v = sp_column_value(from, r);
    c->validity->data[r] = !v.is_null;
    sp_value_store(&v, c->values->data + (size_t)r * from->type->width);
  }
  assert_true(sp_column_add_heaps_of(c, from));
  *ret = c;
  return SP_OK;
}

static void bind_all(fixture *t, const char *const *texts, uint32_t n, const sp_expr **ret) {
  for (uint32_t i = 0; i < n; i++) {
    ret[i] = must_bind(t, texts[i], 0);
  }
}

/* ---- filters ---- */
static const char *const filters[][4] = {{"i > 0", NULL},
                                         {"i > 0", "f < 1", NULL},
                                         {"b", "NOT c", NULL},
                                         {"s LIKE '%a%'", "i > 0", "d < 100", NULL},
                                         {"i > 0", "CAST(s AS float64) > -100", NULL},
                                         {"s IN ('12', '-3.5')", "CAST(s AS float64) > 0", "j > 0", NULL},
                                         {"i > 0 OR s = 'apple'", "coalesce(f, 1) > 0", NULL},
                                         {"null", NULL},
                                         {"true", NULL},
                                         {"false", "CAST(s AS int64) > 0", NULL},
                                         {"i IS NULL", "f IS NOT NULL", NULL},
                                         {"true", "i > -1000000", NULL}};
#define N_FILTERS (sizeof filters / sizeof filters[0])

static uint32_t count_texts(const char *const *texts) {
  uint32_t n = 0;
  while (n < 4 && texts[n] != NULL) {
    n++;
  }
  return n;
}

/* The rows that pass when each conjunct is evaluated alone over the rows left. */
static sp_status expected_rows(fixture *t, const sp_expr *const *e, uint32_t n_e, const uint16_t *sel,
                               uint32_t n, uint16_t *out, uint32_t *ret_n) {
  uint16_t left[200];
  uint32_t n_left = n;
  for (uint32_t i = 0; i < n; i++) {
    left[i] = sel != NULL ? sel[i] : (uint16_t)i;
  }
  for (uint32_t k = 0; k < n_e; k++) {
    sp_column *c = NULL;
    sp_error err = SP_ERROR_INIT;
    SP_TRY(eval_bound(t, e[k], t->batch, left, n_left, &c, &err));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n_left; i++) {
      const sp_value v = sp_column_value(c, left[i]);
      if (!v.is_null && v.b) {
        left[kept++] = left[i];
      }
    }
    n_left = kept;
    sp_column_unref(c);
  }
  memcpy(out, left, n_left * sizeof *out);
  *ret_n = n_left;
  return SP_OK;
}

static void filters_keep_true_rows(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  for (size_t f = 0; f < N_FILTERS; f++) {
    const uint32_t n_e = count_texts(filters[f]);
    const sp_expr *e[4];
    bind_all(&t, filters[f], n_e, e);
    sp_program *p = NULL;
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_program_new(&t.mem, t.schema, e, n_e, &p, &err), SP_OK);
    sp_program_state *s = sp_program_state_new(p, &t.mem);
    for (uint32_t round = 0; round < 60; round++) {
      random_batch(&t, 1 + below(&t, 150), round < 6 ? round : UINT32_MAX);
      uint16_t sel[200], got[200], want[200];
      uint32_t n = 0, n_got = 12345, n_want = 0;
      const bool all = below(&t, 2) == 0;
      for (uint32_t r = 0; !all && r < t.batch->length; r++) {
        if (below(&t, 3) != 0) {
          sel[n++] = (uint16_t)r;
        }
      }
      n = all ? t.batch->length : n;
      picky ctx = {.t = &t};
      const sp_fetch in = {.get = picky_get, .ctx = &ctx};
      err = SP_ERROR_INIT;
      const sp_status want_st = expected_rows(&t, e, n_e, all ? NULL : sel, n, want, &n_want);
      const sp_status st = sp_program_filter(p, s, (sp_maker){.mem = &t.mem}, &in, t.batch->length,
                                             all ? NULL : sel, n, got, &n_got, &err);
      assert_int_equal(st, want_st);
      if (st == SP_OK) {
        assert_int_equal(n_got, n_want);
        assert_memory_equal(got, want, n_want * sizeof *got);
      } else {
        assert_int_equal(n_got, 12345);
      }
    }
    sp_program_state_unref(s);
    sp_program_unref(p);
  }
  fixture_end(&t);
}

static void later_columns_are_fetched_for_rows_left(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  const char *const texts[] = {"i > 0", "f < 1 AND i > 0", "s = 'apple'"};
  const sp_expr *e[3];
  bind_all(&t, texts, 3, e);
  sp_program *p = NULL;
  assert_int_equal(sp_program_new(&t.mem, t.schema, e, 3, &p, NULL), SP_OK);
  const uint32_t *columns;
  assert_int_equal(sp_program_columns(p, &columns), 3);
  assert_int_equal(columns[0], 0);
  assert_int_equal(columns[1], 5);
  assert_int_equal(columns[2], 9);
  sp_program_state *s = sp_program_state_new(p, &t.mem);
  random_batch(&t, 100, 0);
  uint32_t positive = 0;
  for (uint32_t r = 0; r < 100; r++) {
    const sp_value v = sp_column_value(t.batch->cols[0], r);
    positive += !v.is_null && v.i > 0;
  }
  picky ctx = {.t = &t};
  const sp_fetch in = {.get = picky_get, .ctx = &ctx};
  uint16_t out[100];
  uint32_t n;
  assert_int_equal(sp_program_filter(p, s, (sp_maker){.mem = &t.mem}, &in, 100, NULL, 100, out, &n, NULL),
                   SP_OK);
  assert_int_equal(ctx.calls[0], 1);
  assert_int_equal(ctx.rows[0], 100);
  assert_int_equal(ctx.calls[5], 1);
  assert_int_equal(ctx.rows[5], positive);
  assert_true(ctx.rows[9] <= positive);
  /* No row left: what comes later is not fetched. */
  memset(&ctx.calls, 0, sizeof ctx.calls);
  const uint16_t none = 0;
  assert_int_equal(sp_program_filter(p, s, (sp_maker){.mem = &t.mem}, &in, 100, &none, 0, out, &n, NULL),
                   SP_OK);
  assert_int_equal(n, 0);
  assert_int_equal(ctx.calls[0], 0);
  sp_program_state_unref(s);
  sp_program_unref(p);
  fixture_end(&t);
}

/* Cheap conjuncts run first, but none passes one that can fail. */
static void dear_conjuncts_come_late(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  const char *const texts[] = {"s LIKE '%a%'", "i > 0", "CAST(f AS int8) > 0", "j > 0"};
  const sp_expr *e[4];
  bind_all(&t, texts, 4, e);
  sp_program *p = NULL;
  assert_int_equal(sp_program_new(&t.mem, t.schema, e, 4, &p, NULL), SP_OK);
  sp_program_state *s = sp_program_state_new(p, &t.mem);
  random_batch(&t, 100, 0);
  sp_column_unref(t.batch->cols[5]);
  const sp_value one = sp_value_float(sp_type_of(SP_KIND_FLOAT64), 1);
  t.batch->cols[5] = sp_column_const((sp_maker){.mem = &t.mem}, &one, 100);
  picky ctx = {.t = &t};
  const sp_fetch in = {.get = picky_get, .ctx = &ctx};
  uint16_t out[100];
  uint32_t n;
  assert_int_equal(sp_program_filter(p, s, (sp_maker){.mem = &t.mem}, &in, 100, NULL, 100, out, &n, NULL),
                   SP_OK);
  assert_int_equal(ctx.rows[0], 100);         /* i > 0 first */
  assert_true(ctx.rows[9] < 100);             /* then LIKE */
  assert_true(ctx.rows[5] <= ctx.rows[9]);    /* then what can fail */
  assert_int_equal(ctx.rows[1], ctx.rows[5]); /* and j > 0, cheap as it is, behind it */
  sp_program_state_unref(s);
  sp_program_unref(p);
  fixture_end(&t);
}

/* ---- evaluation ---- */
static void unselected_rows_do_not_matter(void **state) {
  (void)state;
  static const char *const texts[] = {"i + i2",
                                      "CASE WHEN b THEN s ELSE t END",
                                      "coalesce(s, 'x') || t",
                                      "CASE WHEN i <> 0 THEN 10 // i END",
                                      "w * d2",
                                      "upper(s)"};
  fixture t;
  fixture_begin(&t);
  const sp_expr *e[6];
  bind_all(&t, texts, 6, e);
  sp_program *p = NULL;
  assert_int_equal(sp_program_new(&t.mem, t.schema, e, 6, &p, NULL), SP_OK);
  sp_program_state *s = sp_program_state_new(p, &t.mem);
  for (uint32_t round = 0; round < 30; round++) {
    random_batch(&t, 80, 0);
    uint16_t sel[80];
    uint32_t n = 0;
    for (uint32_t r = 0; r < 80; r++) {
      const sp_value w = sp_column_value(t.batch->cols[8], r);
      if (below(&t, 2) == 0 && (w.is_null || (w.d < 1000000000 && w.d > -1000000000))) {
        sel[n++] = (uint16_t)r;
      }
    }
    picky ctx = {.t = &t};
    const sp_fetch in = {.get = picky_get, .ctx = &ctx}, plain = {.get = sp_fetch_batch, .ctx = t.batch};
    sp_column *x[6], *y[6];
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_program_eval(p, s, (sp_maker){.mem = &t.mem}, &plain, 80, sel, n, x, &err), SP_OK);
    assert_int_equal(sp_program_eval(p, s, (sp_maker){.mem = &t.mem}, &in, 80, sel, n, y, &err), SP_OK);
    for (uint32_t k = 0; k < 6; k++) {
      for (uint32_t i = 0; i < n; i++) {
        const sp_value a = sp_column_value(x[k], sel[i]), b = sp_column_value(y[k], sel[i]);
        assert_true(sp_value_eq(&a, &b));
      }
      sp_column_unref(x[k]);
      sp_column_unref(y[k]);
    }
    for (uint32_t c = 0; c < N_TEST_COLUMNS; c++) {
      assert_true(ctx.calls[c] <= 1);
    }
  }
  sp_program_state_unref(s);
  sp_program_unref(p);
  fixture_end(&t);
}

static void bare_columns_come_out_as_fetched(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  const char *const texts[] = {"i", "i + 1", "i", "5", "s"};
  const sp_expr *e[5];
  bind_all(&t, texts, 5, e);
  sp_program *p = NULL;
  assert_int_equal(sp_program_new(&t.mem, t.schema, e, 5, &p, NULL), SP_OK);
  sp_program_state *s = sp_program_state_new(p, &t.mem);
  random_batch(&t, 10, 2);
  sp_column_unref(t.batch->cols[0]);
  t.batch->cols[0] = sp_column_sequence((sp_maker){.mem = &t.mem}, sp_type_of(SP_KIND_INT64), 7, 2, 10);
  const sp_fetch in = {.get = sp_fetch_batch, .ctx = t.batch};
  sp_column *out[5];
  assert_int_equal(sp_program_eval(p, s, (sp_maker){.mem = &t.mem}, &in, 10, NULL, 10, out, NULL), SP_OK);
  assert_ptr_equal(out[0], t.batch->cols[0]);
  assert_ptr_equal(out[2], out[0]);
  assert_int_equal(sp_column_value(out[1], 3).i, 14);
  assert_int_equal(out[3]->encoding, SP_CONST);
  assert_int_equal(out[3]->length, 10);
  assert_int_equal(out[4]->encoding, SP_DICT);
  for (uint32_t i = 0; i < 5; i++) {
    sp_column_unref(out[i]);
  }
  sp_program_state_unref(s);
  sp_program_unref(p);
  fixture_end(&t);
}

static void dictionaries_are_evaluated_once(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  const sp_expr *e[2] = {must_bind(&t, "upper(s)", 0), must_bind(&t, "s LIKE '%a%'", 0)};
  sp_program *p = NULL;
  assert_int_equal(sp_program_new(&t.mem, t.schema, e, 2, &p, NULL), SP_OK);
  sp_program_state *s = sp_program_state_new(p, &t.mem);
  const sp_maker mk = {.mem = &t.mem};
  sp_column *dict = random_flat(&t, sp_type_of(SP_KIND_STRING), 5, 0, 0);
  sp_column *first = NULL;
  for (uint32_t round = 0; round < 3; round++) {
    random_batch(&t, 50, 0);
    sp_buf *codes = sp_buf_new(NULL, &t.mem, 50 * sizeof(uint32_t));
    for (uint32_t r = 0; r < 50; r++) {
      ((uint32_t *)(void *)codes->data)[r] = below(&t, 5);
    }
    sp_column_unref(t.batch->cols[9]);
    t.batch->cols[9] = sp_column_dict(mk, dict, 77, codes, NULL, 50);
    const sp_fetch in = {.get = sp_fetch_batch, .ctx = t.batch};
    sp_column *out[2];
    assert_int_equal(sp_program_eval(p, s, mk, &in, 50, NULL, 50, out, NULL), SP_OK);
    assert_int_equal(out[0]->encoding, SP_DICT);
    assert_int_equal(out[1]->encoding, SP_FLAT);
    if (first == NULL) {
      first = sp_column_ref(out[0]);
    } else {
      assert_ptr_equal(out[0]->dict, first->dict); /* the same entries, not computed again */
      assert_int_equal(out[0]->dict_id, first->dict_id);
    }
    sp_column_unref(out[0]);
    sp_column_unref(out[1]);
  }
  sp_column_unref(first);
  sp_column_unref(dict);
  sp_program_state_unref(s);
  sp_program_unref(p);
  fixture_end(&t);
}

/* A program with 3,000 conjuncts, a deep sum and an OR of many; compiled in no time. */
static void large_expressions(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  sp_str text;
  sp_str_init(&text, &t.mem, 1 << 20);
  sp_str_add(&text, "i = 0");
  for (int k = 1; k < 3000; k++) {
    sp_str_addf(&text, " OR (i = %d AND i2 < %d)", k, k % 7);
  }
  const sp_expr *e = must_bind(&t, text.p, 0);
  sp_str_clear(&text);
  sp_str_add(&text, "i");
  for (int k = 1; k < 1500; k++) {
    sp_str_addf(&text, " + %d", k);
  }
  const sp_expr *deep = must_bind(&t, text.p, 0);
  sp_str_release(&text);
  random_batch(&t, 5, 0);
  sp_column *c = NULL;
  assert_int_equal(eval_bound(&t, e, t.batch, NULL, 5, &c, NULL), SP_OK);
  sp_column_unref(c);
  c = NULL;
  assert_int_equal(eval_bound(&t, deep, t.batch, NULL, 5, &c, NULL), SP_OK);
  const sp_value i = sp_column_value(t.batch->cols[0], 0), sum = sp_column_value(c, 0);
  if (!i.is_null) {
    assert_int_equal(sum.i, (int64_t)((uint64_t)i.i + 1499 * 1500 / 2));
  }
  sp_column_unref(c);
  fixture_end(&t);
}

/* Columns of type null have no values at all. */
static void columns_of_nulls(void **state) {
  (void)state;
  static const struct {
    const char *text, *want;
  } cases[] = {{"n", ""},
               {"n IS NULL", "true"},
               {"n IS NOT NULL", "false"},
               {"n + 1", ""},
               {"coalesce(n, 5)", "5"},
               {"coalesce(n, n)", ""},
               {"n = n", ""},
               {"n AND false", "false"},
               {"n OR true", "true"},
               {"CASE WHEN n THEN 1 ELSE 2 END", "2"},
               {"CASE WHEN true THEN n END", ""},
               {"CAST(n AS string)", ""},
               {"upper(n)", ""},
               {"n IS DISTINCT FROM n", "false"},
               {"greatest(n, 3)", "3"},
               {"n IN (1, 2)", ""},
               {"concat('a', n)", ""},
               {"nullif(n, 1)", ""},
               {"date '1996-01-01' + n", ""},
               {"n LIKE 'a'", ""},
               {"sum_horizontal(n, 2)", "2"}};
  fixture t;
  fixture_begin(&t);
  sp_schema_builder b;
  sp_schema_begin(&b, &t.arena);
  sp_schema_add(&b, SP_SV("n"), sp_type_of(SP_KIND_NULL));
  assert_int_equal(sp_schema_finish(&b, NULL, &t.schema, NULL), SP_OK);
  for (uint32_t how = 0; how < 2; how++) {
    sp_batch_unref(t.batch);
    t.batch = sp_batch_new(&t.mem, 1, 4);
    t.batch->n_rows = 4;
    t.batch->cols[0] = how == 0
                           ? sp_column_flat((sp_maker){.mem = &t.mem}, sp_type_of(SP_KIND_NULL), 4, false)
                           : sp_column_null((sp_maker){.mem = &t.mem}, sp_type_of(SP_KIND_NULL), 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
      sp_column *c = NULL;
      sp_error err = SP_ERROR_INIT;
      if (eval_bound(&t, must_bind(&t, cases[i].text, 0), t.batch, NULL, 4, &c, &err) != SP_OK) {
        fail_msg("%s: %s", cases[i].text, err.message);
      }
      const sp_value v = sp_column_value(c, 2);
      sp_str text;
      sp_str_init(&text, &t.mem, 100);
      sp_value_text(&v, &text);
      if (v.is_null != (cases[i].want[0] == 0) || strcmp(text.p, cases[i].want) != 0) {
        fail_msg("%s: `%s`, want `%s`", cases[i].text, text.p, cases[i].want);
      }
      sp_str_release(&text);
      sp_column_unref(c);
    }
  }
  fixture_end(&t);
}

static void aggregates_are_refused(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  const sp_expr *e = must_bind(&t, "sum(i)", SP_BIND_AGGREGATES);
  sp_program *p = NULL;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_program_new(&t.mem, t.schema, &e, 1, &p, &err), SP_INTERNAL);
  fixture_end(&t);
}

/* ---- failing allocations ---- */
typedef struct torture_ctx {
  fixture *t;
  const sp_expr *e[4];
  uint32_t n;
} torture_ctx;

static sp_status torture_run(sp_mem *mem, void *ctx) {
  const torture_ctx *x = ctx;
  sp_error err = SP_ERROR_INIT;
  sp_program *p = NULL;
  SP_TRY(sp_program_new(mem, x->t->schema, x->e, x->n, &p, &err));
  sp_program_state *s = sp_program_state_new(p, mem);
  uint16_t out[100];
  uint32_t n;
  const sp_fetch in = {.get = sp_fetch_batch, .ctx = x->t->batch};
  const uint32_t rows = x->t->batch->length;
  const sp_status st =
      s == NULL ? SP_NOMEM
                : sp_program_filter(p, s, (sp_maker){.mem = mem}, &in, rows, NULL, rows, out, &n, &err);
  sp_program_state_unref(s);
  sp_program_unref(p);
  return st;
}

static void no_memory(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  for (size_t f = 0; f < N_FILTERS; f++) {
    torture_ctx x = {.t = &t, .n = count_texts(filters[f])};
    bind_all(&t, filters[f], x.n, x.e);
    uint16_t out[20];
    uint32_t n;
    do {
      random_batch(&t, 20, f % 2 == 0 ? 0 : 2);
    } while (expected_rows(&t, x.e, x.n, NULL, 20, out, &n) != SP_OK);
    SP_TORTURE(torture_run, &x);
  }
  fixture_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(filters_keep_true_rows),
                                     cmocka_unit_test(later_columns_are_fetched_for_rows_left),
                                     cmocka_unit_test(dear_conjuncts_come_late),
                                     cmocka_unit_test(unselected_rows_do_not_matter),
                                     cmocka_unit_test(bare_columns_come_out_as_fetched),
                                     cmocka_unit_test(dictionaries_are_evaluated_once),
                                     cmocka_unit_test(large_expressions),
                                     cmocka_unit_test(columns_of_nulls),
                                     cmocka_unit_test(aggregates_are_refused),
                                     cmocka_unit_test(no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
