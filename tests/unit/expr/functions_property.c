/* Every function gives the same row by row and by batch, in every encoding and under every selection; fails
 * in a batch exactly when it fails for a row that is meant; and reports memory exhaustion without leaking.
 *
 * Row by row means: a batch of one row, FLAT, all of it meant. What a value must be is in functions_values.c.
 */
#include "eval_support.h"

#include "tests/support/torture.h"

static const char *const expressions[] = {
    "b AND c",
    "b OR c OR i > 0",
    "NOT b",
    "b IS TRUE",
    "b IS NOT TRUE",
    "b IS FALSE",
    "b IS NOT FALSE",
    "i > 0 AND f < 1 AND s < t",
    "i = j",
    "i <> i2",
    "i < i2",
    "j <= i",
    "k > v",
    "u >= 3",
    "f = f2",
    "f <> g",
    "f < f2",
    "f <= 2.5",
    "g > f",
    "d = d2",
    "d < w",
    "w >= 1.5",
    "s = t",
    "s < t",
    "s <= 'b'",
    "s <> 'apple'",
    "b = c",
    "b < c",
    "dt = dt2",
    "dt < date '1990-01-01'",
    "ts > ms",
    "dt < ts",
    "'apple' = s",
    "7 > i",
    "i IS DISTINCT FROM i2",
    "s IS NOT DISTINCT FROM t",
    "f IS DISTINCT FROM f2",
    "d IS NOT DISTINCT FROM null",
    "i BETWEEN 0 AND i2",
    "f NOT BETWEEN -1.5 AND f2",
    "i IN (1, 2, 3)",
    "i IN (1, 2, null)",
    "i NOT IN (7, 100, -100, 1, 2, 3, 4, 5, 6, 12)",
    "s IN ('apple', 'special requests')",
    "f IN (1.0, 2.5)",
    "d IN (1.5, 2.5)",
    "w IN (1.5, 2.5)",
    "k IN (1, 2)",
    "dt IN ('1996-02-29', '1970-01-01')",
    "b IN (true, null)",
    "j IN (1, 2, 3)",
    "i + i2",
    "i - 3",
    "3 - i",
    "i * i2",
    "j + k",
    "k * k",
    "v * v",
    "u + u",
    "u + i",
    "f + f2",
    "f * g",
    "g + g",
    "i / i2",
    "d / 3",
    "i // i2",
    "i // 0",
    "i % 3",
    "j // k",
    "j % k",
    "u // 3",
    "u % u",
    "v // v",
    "f // f2",
    "f % 2",
    "g % g",
    "-i",
    "-k",
    "-v",
    "-f",
    "-d",
    "-w",
    "-u",
    "d + d2",
    "d - 1",
    "1 - d",
    "d * d2",
    "d * (1 - d2) * (1 + d2)",
    "w + d",
    "w * d2",
    "w - w",
    "d // d2",
    "d % d2",
    "w // 3",
    "w % d",
    "d + i",
    "d * f",
    "d * j",
    "0.055 * d",
    "dt + interval '1' month",
    "dt - interval '3' day",
    "dt + interval '2' hour",
    "ts - interval '1' month",
    "ts + du",
    "du + du",
    "du * 3",
    "dt - dt2",
    "ts - ms",
    "dt + j",
    "dt - ts",
    "ms + interval '1' day",
    "i IS NULL",
    "s IS NOT NULL",
    "coalesce(i, j, 3)",
    "coalesce(s, t, 'none')",
    "coalesce(f, 1 / i)",
    "nullif(i, 2)",
    "nullif(s, t)",
    "nullif(f, f2)",
    "CASE WHEN i > 0 THEN s WHEN b THEN t ELSE 'else' END",
    "CASE i WHEN 1 THEN f WHEN 2 THEN f2 END",
    "CASE WHEN b THEN d WHEN c THEN 1.5 END",
    "CASE WHEN i > 0 THEN CAST(s AS int64) ELSE i END",
    "i <= 0 OR CAST(s AS int64) > 0",
    "i > 0 AND CAST(s AS float64) > 0",
    "coalesce(i, CAST(s AS int64))",
    "CASE WHEN s LIKE 'a%' THEN length(s) WHEN s LIKE '%e%' THEN length(upper(t)) ELSE 0 END",
    "s LIKE 'a%'",
    "s LIKE '%e%'",
    "s LIKE '%a%e%'",
    "s LIKE '_p%'",
    "s LIKE t",
    "s NOT LIKE '%s'",
    "s LIKE 'apple'",
    "s LIKE t ESCAPE '%'",
    "contains(s, 'a')",
    "contains(s, t)",
    "starts_with(s, t)",
    "starts_with(s, 'a')",
    "ends_with(s, t)",
    "length(s)",
    "octet_length(s)",
    "upper(s)",
    "lower(s)",
    "reverse(s)",
    "replace(s, 'a', 'xyz')",
    "replace(s, t, '-')",
    "lpad(s, 10, t)",
    "rpad(s, k, '.')",
    "s || t",
    "s || '-' || t || i",
    "concat(s, f, d, dt, b)",
    "substring(s, 2, 3)",
    "substring(s, k, j)",
    "substring(s, k)",
    "left(s, 3)",
    "left(s, k)",
    "right(s, k)",
    "trim(s)",
    "ltrim(s, t)",
    "rtrim(s)",
    "split_part(s, '-', 2)",
    "split_part(s, t, k)",
    "year(dt)",
    "quarter(dt)",
    "month(ts)",
    "week(dt)",
    "weekday(dt)",
    "day(ms)",
    "day_of_year(dt)",
    "hour(ts)",
    "minute(ms)",
    "second(ts)",
    "millisecond(ts)",
    "microsecond(ts)",
    "microsecond(ms)",
    "hour(dt)",
    "date_trunc('month', dt)",
    "date_trunc('hour', ts)",
    "date_trunc('week', ms)",
    "round(f)",
    "round(f, 2)",
    "round(d, 1)",
    "round(w)",
    "round(i, -1)",
    "round(g, 1)",
    "floor(f)",
    "ceil(d)",
    "floor(w)",
    "abs(i)",
    "abs(f)",
    "abs(w)",
    "abs(v)",
    "sign(f)",
    "sign(w)",
    "sign(k)",
    "sqrt(f)",
    "exp(k)",
    "ln(f)",
    "log10(i)",
    "log2(d)",
    "power(f, 2)",
    "is_nan(f)",
    "is_finite(g)",
    "is_infinite(f)",
    "is_nan(i)",
    "greatest(i, j, 3)",
    "least(s, t, 'm')",
    "greatest(f, f2, g)",
    "least(d, w)",
    "all_horizontal(b, c)",
    "any_horizontal(b, c, i > 0)",
    "min_horizontal(dt, dt2)",
    "max_horizontal(i, f)",
    "sum_horizontal(i, j, 1)",
    "sum_horizontal(f, i)",
    "sum_horizontal(d, d2)",
    "CAST(i AS int8)",
    "TRY_CAST(i AS int8)",
    "CAST(i AS float64)",
    "CAST(j AS int64)",
    "CAST(k AS int32)",
    "CAST(v AS float64)",
    "CAST(f AS int64)",
    "TRY_CAST(f AS int64)",
    "TRY_CAST(f AS decimal(10,2))",
    "CAST(f AS float32)",
    "CAST(g AS float64)",
    "CAST(i AS string)",
    "CAST(f AS string)",
    "CAST(d AS string)",
    "CAST(dt AS string)",
    "CAST(ts AS string)",
    "CAST(b AS string)",
    "CAST(s AS int64)",
    "TRY_CAST(s AS int64)",
    "TRY_CAST(s AS float64)",
    "TRY_CAST(s AS date)",
    "TRY_CAST(s AS bool)",
    "TRY_CAST(s AS decimal(10,2))",
    "CAST(d AS float64)",
    "CAST(w AS float64)",
    "CAST(d AS decimal(30,6))",
    "CAST(d AS decimal(20,2))",
    "CAST(w AS decimal(10,1))",
    "TRY_CAST(w AS decimal(10,1))",
    "CAST(d AS int64)",
    "CAST(i AS decimal(20,0))",
    "CAST(j AS decimal(15,2))",
    "TRY_CAST(i AS decimal(5,2))",
    "CAST(dt AS datetime)",
    "CAST(ts AS date)",
    "CAST(dt AS int32)",
    "CAST(b AS int64)",
    "TRY_CAST(i AS bool)",
    "CAST(u AS float64)",
    "TRY_CAST(u AS int64)",
    "CAST(s AS binary)",
    "CAST(ms AS datetime)",
    "CAST(i AS uint8)",
    "TRY_CAST(i AS uint8)",
};
#define N_EXPRESSIONS (sizeof expressions / sizeof expressions[0])

static bool same_value(const sp_value *x, const sp_value *y) {
  return x->type == y->type && x->is_null == y->is_null && (x->is_null || sp_value_cmp(x, y) == 0);
}

/* A batch of row r alone, FLAT. */
static sp_batch *one_row(fixture *t, uint32_t r) {
  const sp_maker mk = {.mem = &t->mem};
  sp_batch *b = sp_batch_new(&t->mem, t->schema->n, 1);
  assert_non_null(b);
  b->n_rows = 1;
  for (uint32_t i = 0; i < t->schema->n; i++) {
    sp_column *c = sp_column_gather(mk, t->batch->cols[i], &r, 1);
    assert_non_null(c);
    b->cols[i] = sp_column_flatten(mk, c);
    sp_column_unref(c);
    assert_non_null(b->cols[i]);
  }
  return b;
}

typedef struct runner {
  sp_program *p;
  sp_program_state *s;
} runner;

static sp_status run(fixture *t, runner *x, sp_batch *b, const uint16_t *sel, uint32_t n, sp_column **ret,
                     sp_error *err) {
  const sp_fetch in = {.get = sp_fetch_batch, .ctx = b};
  return sp_program_eval(x->p, x->s, (sp_maker){.mem = &t->mem}, &in, b->length, sel, n, ret, err);
}

static uint32_t random_selection(fixture *t, uint32_t length, uint16_t *sel) {
  const uint32_t keep = 1 + below(t, 8);
  uint32_t n = 0;
  for (uint32_t r = 0; r < length; r++) {
    if (below(t, 8) < keep) {
      sel[n++] = (uint16_t)r;
    }
  }
  return n;
}

static void print_row(fixture *t, const char *text, uint32_t row, const sp_value *want, const sp_value *got) {
  sp_str a, b;
  sp_str_init(&a, &t->mem, 1000);
  sp_str_init(&b, &t->mem, 1000);
  sp_value_text(want, &a);
  sp_value_text(got, &b);
  print_error("%s, row %u: alone `%s`%s, in the batch `%s`%s\n", text, row, a.p,
              want->is_null ? " (null)" : "", b.p, got->is_null ? " (null)" : "");
  sp_str_release(&a);
  sp_str_release(&b);
}

static bool check(fixture *t, runner *x, const char *text, const uint16_t *sel, uint32_t n) {
  sp_error err = SP_ERROR_INIT;
  sp_column *c = NULL;
  const sp_status st = run(t, x, t->batch, sel, n, &c, &err);
  bool fails = false, ok = true;
  for (uint32_t i = 0; i < n && ok; i++) {
    const uint32_t r = sel != NULL ? sel[i] : i;
    sp_batch *b = one_row(t, r);
    sp_column *alone = NULL;
    sp_error local = SP_ERROR_INIT;
    if (run(t, x, b, NULL, 1, &alone, &local) != SP_OK) {
      assert_int_equal(local.status, SP_EXEC);
      fails = true;
    } else if (c != NULL) {
      const sp_value want = sp_column_value(alone, 0), got = sp_column_value(c, r);
      ok = same_value(&want, &got);
      if (!ok) {
        print_row(t, text, r, &want, &got);
      }
    }
    sp_column_unref(alone);
    sp_batch_unref(b);
  }
  if (ok && fails != (st != SP_OK)) {
    print_error("%s: %s\n", text, fails ? "no error, although a row fails" : err.message);
    ok = false;
  }
  assert_true(c == NULL || c->length == t->batch->length);
  sp_column_unref(c);
  return ok;
}

static void rows_and_batches_agree(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  uint32_t wrong = 0;
  for (size_t e = 0; e < N_EXPRESSIONS; e++) {
    const sp_expr *bound = must_bind(&t, expressions[e], 0);
    runner x = {0};
    sp_error err = SP_ERROR_INIT;
    if (sp_program_new(&t.mem, t.schema, &bound, 1, &x.p, &err) != SP_OK) {
      fail_msg("%s: %s", expressions[e], err.message);
    }
    x.s = sp_program_state_new(x.p, &t.mem);
    assert_non_null(x.s);
    for (uint32_t round = 0; round < 18; round++) {
      random_batch(&t, 1 + below(&t, 70), round < 6 ? round : UINT32_MAX);
      uint16_t sel[100];
      const uint32_t n = random_selection(&t, t.batch->length, sel);
      if (!check(&t, &x, expressions[e], NULL, t.batch->length) || !check(&t, &x, expressions[e], sel, n)) {
        wrong++;
        break;
      }
    }
    sp_program_state_unref(x.s);
    sp_program_unref(x.p);
  }
  assert_int_equal(wrong, 0);
  fixture_end(&t);
}

/* ---- independent answers for what sp_value can say itself ---- */
static void comparisons_agree_with_values(void **state) {
  (void)state;
  static const struct {
    const char *text, *x, *y;
    int lt, eq, gt;
  } ops[] = {{" = ", "", "", 0, 1, 0},  {" <> ", "", "", 1, 0, 1}, {" < ", "", "", 1, 0, 0},
             {" <= ", "", "", 1, 1, 0}, {" > ", "", "", 0, 0, 1},  {" >= ", "", "", 0, 1, 1}};
  static const char *const pairs[][2] = {{"i", "i2"}, {"f", "f2"}, {"s", "t"}, {"b", "c"}, {"dt", "dt2"},
                                         {"k", "k"},  {"w", "w"},  {"u", "u"}, {"g", "g"}};
  fixture t;
  fixture_begin(&t);
  for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
    for (size_t o = 0; o < sizeof ops / sizeof ops[0]; o++) {
      char text[50];
      snprintf(text, sizeof text, "%s%s%s", pairs[p][0], ops[o].text, pairs[p][1]);
      const sp_expr *e = must_bind(&t, text, 0);
      random_batch(&t, 60, UINT32_MAX);
      sp_column *c = NULL;
      sp_error err = SP_ERROR_INIT;
      assert_int_equal(eval_bound(&t, e, t.batch, NULL, 60, &c, &err), SP_OK);
      const sp_column *x = t.batch->cols[sp_schema_find(t.schema, sp_sv_from(pairs[p][0]))];
      const sp_column *y = t.batch->cols[sp_schema_find(t.schema, sp_sv_from(pairs[p][1]))];
      for (uint32_t r = 0; r < 60; r++) {
        const sp_value vx = sp_column_value(x, r), vy = sp_column_value(y, r), got = sp_column_value(c, r);
        if (vx.is_null || vy.is_null) {
          assert_true(got.is_null);
        } else {
          const int cmp = sp_value_cmp(&vx, &vy);
          assert_false(got.is_null);
          assert_int_equal(got.b, cmp < 0 ? ops[o].lt : cmp > 0 ? ops[o].gt : ops[o].eq);
        }
      }
      sp_column_unref(c);
    }
  }
  fixture_end(&t);
}

static void casts_agree_with_values(void **state) {
  (void)state;
  static const char *const targets[] = {
      "bool",          "int8",          "int16",          "int32",        "int64",   "uint8",
      "uint16",        "uint32",        "uint64",         "float32",      "float64", "decimal(5,2)",
      "decimal(18,6)", "decimal(30,4)", "decimal(38,10)", "string",       "binary",  "date",
      "datetime(ms)",  "datetime(us)",  "datetime(ns)",   "duration(us)", "time"};
  fixture t;
  fixture_begin(&t);
  uint32_t pairs = 0;
  for (uint32_t i = 0; i < t.schema->n; i++) {
    for (size_t k = 0; k < sizeof targets / sizeof targets[0]; k++) {
      char text[100];
      sp_error err = SP_ERROR_INIT;
      snprintf(text, sizeof text, "TRY_CAST(%s AS %s)", t.schema->fields[i].name.p, targets[k]);
      const sp_expr *e = bind_text(&t, text, 0, &err);
      if (e == NULL) {
        assert_int_equal(err.status, SP_TYPE);
        continue;
      }
      pairs++;
      for (uint32_t how = 0; how < 5; how++) {
        random_batch(&t, 40, how);
        sp_column *c = NULL;
        if (eval_bound(&t, e, t.batch, NULL, 40, &c, &err) != SP_OK) {
          fail_msg("%s: %s", text, err.message);
        }
        for (uint32_t r = 0; r < 40; r++) {
          const sp_value from = sp_column_value(t.batch->cols[i], r), got = sp_column_value(c, r);
          sp_value want;
          if (!sp_value_cast(&from, sp_type_parse(sp_sv_from(targets[k])), &t.arena, &want)) {
            want = sp_value_null(got.type);
          }
          if (!same_value(&want, &got)) {
            print_row(&t, text, r, &want, &got);
            fail();
          }
        }
        sp_column_unref(c);
      }
    }
  }
  assert_true(pairs > 200);
  fixture_end(&t);
}

static void arithmetic_agrees_with_wide_integers(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  const sp_expr *add = must_bind(&t, "d + d2", 0), *mul = must_bind(&t, "d * d2", 0),
                *wide = must_bind(&t, "w * d2", 0);
  for (uint32_t round = 0; round < 50; round++) {
    random_batch(&t, 50, UINT32_MAX);
    sp_column *c[3] = {NULL};
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(eval_bound(&t, add, t.batch, NULL, 50, &c[0], &err), SP_OK);
    assert_int_equal(eval_bound(&t, mul, t.batch, NULL, 50, &c[1], &err), SP_OK);
    const bool fits = eval_bound(&t, wide, t.batch, NULL, 50, &c[2], &err) == SP_OK;
    bool want_fit = true;
    for (uint32_t r = 0; r < 50; r++) {
      const sp_value d = sp_column_value(t.batch->cols[7], r), w = sp_column_value(t.batch->cols[8], r),
                     d2 = sp_column_value(t.batch->cols[19], r);
      const sp_value sum = sp_column_value(c[0], r), product = sp_column_value(c[1], r);
      assert_true(sum.is_null == (d.is_null || d2.is_null));
      if (!sum.is_null) {
        assert_true(sp_value_i128(&sum) == sp_value_i128(&d) * 100 + sp_value_i128(&d2));
        assert_true(sp_value_i128(&product) == sp_value_i128(&d) * sp_value_i128(&d2));
      }
      if (!w.is_null && !d2.is_null) {
        sp_i128 p;
        const bool fit =
            !__builtin_mul_overflow(sp_value_i128(&w), sp_value_i128(&d2), &p) && sp_decimal_fits(p, 38);
        want_fit = want_fit && fit;
        if (fits) {
          const sp_value got = sp_column_value(c[2], r);
          assert_true(fit && sp_value_i128(&got) == p);
        }
      }
    }
    assert_true(fits == want_fit);
    for (uint32_t i = 0; i < 3; i++) {
      sp_column_unref(c[i]);
    }
  }
  fixture_end(&t);
}

/* ---- failing allocations ---- */
typedef struct torture_ctx {
  fixture *t;
  const sp_expr *e;
} torture_ctx;

static sp_status torture_run(sp_mem *mem, void *ctx) {
  const torture_ctx *x = ctx;
  sp_error err = SP_ERROR_INIT;
  sp_program *p = NULL;
  SP_TRY(sp_program_new(mem, x->t->schema, &x->e, 1, &p, &err));
  sp_program_state *s = sp_program_state_new(p, mem);
  sp_column *c = NULL;
  const sp_fetch in = {.get = sp_fetch_batch, .ctx = x->t->batch};
  const sp_status st = s == NULL ? SP_NOMEM
                                 : sp_program_eval(p, s, (sp_maker){.mem = mem}, &in, x->t->batch->length,
                                                   NULL, x->t->batch->length, &c, &err);
  sp_column_unref(c);
  sp_program_state_unref(s);
  sp_program_unref(p);
  return st;
}

static void no_memory(void **state) {
  (void)state;
  fixture t;
  fixture_begin(&t);
  for (size_t e = 0; e < N_EXPRESSIONS; e++) {
    torture_ctx x = {.t = &t, .e = must_bind(&t, expressions[e], 0)};
    for (uint32_t how = 0; how < 3; how += 2) {
      sp_column *c = NULL;
      sp_error err = SP_ERROR_INIT;
      random_batch(&t, 4, how);
      for (uint32_t tries = 0; tries < 50 && eval_bound(&t, x.e, t.batch, NULL, 4, &c, &err) != SP_OK;
           tries++) {
        random_batch(&t, 4, how); /* until no row fails */
      }
      if (c != NULL) {
        sp_column_unref(c);
        SP_TORTURE(torture_run, &x);
      }
    }
  }
  fixture_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_and_batches_agree), cmocka_unit_test(comparisons_agree_with_values),
      cmocka_unit_test(casts_agree_with_values), cmocka_unit_test(arithmetic_agrees_with_wide_integers),
      cmocka_unit_test(no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
