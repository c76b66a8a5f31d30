/* For tests of functions and programs: a schema with a column of every sort, random batches in every
 * encoding, and evaluating expression text.
 *
 * Example: sp_column *c = eval_text(&t, "i + 1"); … the value of a row is sp_column_value(c, row). */
#ifndef TESTS_UNIT_EXPR_EVAL_SUPPORT_H
#define TESTS_UNIT_EXPR_EVAL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/text.h"
#include "expr/bind.h"
#include "expr/function.h"
#include "expr/program.h"

typedef struct fixture {
  sp_mem mem;
  sp_arena arena;
  const sp_schema *schema;
  sp_batch *batch; /* MAY be NULL */
  uint64_t seed;
} fixture;

static inline uint64_t next_random(fixture *t) {
  t->seed ^= t->seed << 13;
  t->seed ^= t->seed >> 7;
  t->seed ^= t->seed << 17;
  return t->seed * UINT64_C(0x2545f4914f6cdd1d);
}
static inline uint32_t below(fixture *t, uint32_t n) {
  return (uint32_t)(next_random(t) >> 33) % n;
}

static const struct {
  const char *name, *type;
} test_columns[] = {{"i", "int64"},         {"j", "int32"},   {"k", "int8"},          {"u", "uint64"},
                    {"v", "uint16"},        {"f", "float64"}, {"g", "float32"},       {"d", "decimal(15,2)"},
                    {"w", "decimal(30,4)"}, {"s", "string"},  {"t", "string"},        {"b", "bool"},
                    {"c", "bool"},          {"dt", "date"},   {"ts", "datetime(us)"}, {"ms", "datetime(ms)"},
                    {"du", "duration(us)"}, {"i2", "int64"},  {"f2", "float64"},      {"d2", "decimal(12,4)"},
                    {"dt2", "date"}};
#define N_TEST_COLUMNS (sizeof test_columns / sizeof test_columns[0])

static inline void fixture_begin(fixture *t) {
  memset(t, 0, sizeof *t);
  t->seed = 88172645463325252u;
  sp_mem_init(&t->mem, NULL, "test");
  sp_arena_init(&t->arena, &t->mem);
  sp_schema_builder b;
  sp_schema_begin(&b, &t->arena);
  for (size_t i = 0; i < N_TEST_COLUMNS; i++) {
    const sp_type *type = sp_type_parse(sp_sv_from(test_columns[i].type));
    assert_non_null(type);
    sp_schema_add(&b, sp_sv_from(test_columns[i].name), type);
  }
  assert_int_equal(sp_schema_finish(&b, NULL, &t->schema, NULL), SP_OK);
}

static inline void fixture_end(fixture *t) {
  sp_batch_unref(t->batch);
  sp_arena_release(&t->arena);
  assert_int_equal(atomic_load(&t->mem.live), 0);
  sp_mem_release(&t->mem);
}

/* ---- random values ---- */
static inline sp_value random_value(fixture *t, const sp_type *type) {
  static const char *const words[] = {"",
                                      "a",
                                      "b",
                                      "apple",
                                      "banana",
                                      "special requests",
                                      "Äpfel und Birnen",
                                      "xyzzy",
                                      "  pad  ",
                                      "a-b-c",
                                      "12",
                                      "-3.5",
                                      "1996-02-29",
                                      "true",
                                      "the quick brown fox jumps",
                                      "日本語のテキスト",
                                      "%",
                                      "a%b_c"};
  static const double floats[] = {0.0, -0.0,     1.0,       -1.5, 2.5,         1e300, -1e-300,
                                  NAN, INFINITY, -INFINITY, 0.1,  1234567.875, 3.0};
  static const int64_t ints[] = {0,   1,    -1,      2,         3,         7,  100, -100,
                                 127, -128, 1000000, INT64_MAX, INT64_MIN, 12, -7};
  const int64_t i = below(t, 3) == 0 ? ints[below(t, 15)] : (int64_t)below(t, 20) - 10;
  sp_value v = sp_value_null(type);
  v.is_null = false;
  switch (type->family) {
  case SP_FAMILY_BOOL:
    v.b = below(t, 2) != 0;
    break;
  case SP_FAMILY_SIGNED:
    v.i = type->width == 8 ? i : type->width == 4 ? (int32_t)i : type->width == 2 ? (int16_t)i : (int8_t)i;
    break;
  case SP_FAMILY_UNSIGNED:
    v.u = type->width == 8 ? (uint64_t)i : (uint16_t)i;
    break;
  case SP_FAMILY_FLOAT:
    v = sp_value_float(type, below(t, 2) == 0 ? floats[below(t, 13)]
                                              : (double)((int32_t)below(t, 2000) - 1000) / 8);
    break;
  case SP_FAMILY_DECIMAL: {
    sp_i128 d = (sp_i128)below(t, 100000) - 50000;
    if (below(t, 8) == 0) {
      d = (below(t, 2) != 0 ? 1 : -1) * (sp_pow10[type->precision] - 1);
    }
    v = sp_value_decimal(type, d);
    break;
  }
  case SP_FAMILY_STRING:
  case SP_FAMILY_BINARY:
    v.s = sp_sv_from(words[below(t, 18)]);
    break;
  case SP_FAMILY_TEMPORAL:
    v.i = type->kind == SP_KIND_DATE
              ? (int64_t)below(t, 40000) - 8000
              : ((int64_t)below(t, 2000000000) - 1000000000) * (type->unit == SP_UNIT_US ? 1000003 : 1003);
    break;
  case SP_FAMILY_NULL:
    break;
  }
  return v;
}

/* A FLAT column of n values, `nulls` in 8 of them null. */
static inline sp_column *random_flat(fixture *t, const sp_type *type, uint32_t n, uint32_t nulls,
                                     uint32_t distinct) {
  const sp_maker mk = {.mem = &t->mem};
  sp_column *c = sp_column_flat(mk, type, n, nulls > 0);
  assert_non_null(c);
  memset(c->values->data, 0, (size_t)n * type->width);
  const uint64_t keep = t->seed;
  const uint64_t base = next_random(t);
  for (uint32_t r = 0; r < n; r++) {
    if (nulls > 0 && below(t, 8) < nulls) {
      c->validity->data[r] = 0;
    }
    const uint64_t after = t->seed;
    if (distinct > 0) {
      t->seed = (base + below(t, distinct) * UINT64_C(0x9e3779b97f4a7c15)) | 1;
    }
    const sp_value v = random_value(t, type);
    sp_value_store(&v, c->values->data + (size_t)r * type->width);
    t->seed = distinct > 0 ? after * 3 + 1 : t->seed;
  }
  (void)keep;
  return c;
}

/* how: 0 flat, 1 flat at an offset, 2 dictionary, 3 dictionary at an offset, 4 constant, 5 null constant */
static inline sp_column *random_column(fixture *t, const sp_type *type, uint32_t n, uint32_t how,
                                       uint32_t nulls) {
  const sp_maker mk = {.mem = &t->mem};
  if (how >= 4) {
    const sp_value v = random_value(t, type);
    return how == 5 ? sp_column_null(mk, type, n) : sp_column_const(mk, &v, n);
  }
  const uint32_t shift = how % 2 == 1 ? 3 : 0;
  sp_column *c;
  if (how < 2) {
    c = random_flat(t, type, n + shift, nulls, 0);
  } else {
    const uint32_t entries = 1 + below(t, 12);
    sp_column *dict = random_flat(t, type, entries, 0, 0);
    sp_buf *codes = sp_buf_new(NULL, &t->mem, (n + shift) * sizeof(uint32_t));
    sp_buf *valid = nulls > 0 ? sp_buf_new(NULL, &t->mem, n + shift) : NULL;
    for (uint32_t r = 0; r < n + shift; r++) {
      ((uint32_t *)(void *)codes->data)[r] = below(t, entries);
      if (valid != NULL) {
        valid->data[r] = below(t, 8) >= nulls;
      }
    }
    c = sp_column_dict(mk, dict, below(t, 2) == 0 ? 0 : 1 + next_random(t) % 1000000, codes, valid,
                       n + shift);
    sp_column_unref(dict);
  }
  assert_non_null(c);
  if (shift == 0) {
    return c;
  }
  sp_column *cut = sp_column_slice(mk, c, shift, n);
  sp_column_unref(c);
  assert_non_null(cut);
  return cut;
}

/* how UINT32_MAX: at random. */
static inline void random_batch(fixture *t, uint32_t n, uint32_t how) {
  sp_batch_unref(t->batch);
  t->batch = sp_batch_new(&t->mem, t->schema->n, n);
  assert_non_null(t->batch);
  for (uint32_t i = 0; i < t->schema->n; i++) {
    t->batch->cols[i] =
        random_column(t, t->schema->fields[i].type, n, how == UINT32_MAX ? below(t, 6) : how, below(t, 4));
  }
  t->batch->n_rows = n;
}

/* ---- evaluating ---- */
static inline const sp_expr *bind_text(fixture *t, const char *text, uint32_t flags, sp_error *err) {
  const sp_expr *e = NULL, *bound = NULL;
  if (sp_expr_parse(&t->arena, sp_sv_from(text), NULL, &e, err) != SP_OK ||
      sp_expr_bind(&t->arena, e, t->schema, flags, NULL, &bound, err) != SP_OK) {
    return NULL;
  }
  return bound;
}

static inline const sp_expr *must_bind(fixture *t, const char *text, uint32_t flags) {
  sp_error err = SP_ERROR_INIT;
  const sp_expr *e = bind_text(t, text, flags, &err);
  if (e == NULL) {
    fail_msg("%s: %s", text, err.message);
  }
  return e;
}

static inline sp_status eval_bound(fixture *t, const sp_expr *e, sp_batch *b, const uint16_t *sel, uint32_t n,
                                   sp_column **ret, sp_error *err) {
  sp_program *p = NULL;
  SP_TRY(sp_program_new(&t->mem, t->schema, &e, 1, &p, err));
  sp_program_state *s = sp_program_state_new(p, &t->mem);
  const sp_fetch in = {.get = sp_fetch_batch, .ctx = b};
  const sp_status st =
      s == NULL ? sp_error_nomem(err)
                : sp_program_eval(p, s, (sp_maker){.mem = &t->mem}, &in, b->length, sel, n, ret, err);
  sp_program_state_unref(s);
  sp_program_unref(p);
  return st;
}

/* The text of a constant expression's value: "null", or as in CSV, with its type behind it where want has one
 * ("3 int64"). Errors give "!" and the message. */
static inline void eval_constant(fixture *t, const char *text, char *out, size_t size,
                                 const sp_type **ret_type) {
  sp_error err = SP_ERROR_INIT;
  const sp_expr *e = bind_text(t, text, 0, &err);
  sp_column *c = NULL;
  *ret_type = NULL;
  if (t->batch == NULL) {
    random_batch(t, 3, 0);
  }
  if (e == NULL || eval_bound(t, e, t->batch, NULL, 3, &c, &err) != SP_OK) {
    snprintf(out, size, "!%s", err.message);
    return;
  }
  const sp_value v = sp_column_value(c, 1);
  sp_str s;
  sp_str_init(&s, &t->mem, 10000);
  sp_value_text(&v, &s);
  snprintf(out, size, "%s", v.is_null ? "null" : s.p);
  *ret_type = c->type;
  sp_str_release(&s);
  sp_column_unref(c);
}

typedef struct example {
  const char *text, *want, *type; /* type NULL: not looked at. want "!…": the message has … in it */
} example;

static inline void check_examples(fixture *t, const example *examples, size_t n) {
  uint32_t wrong = 0;
  for (size_t i = 0; i < n; i++) {
    char got[600];
    const sp_type *type;
    eval_constant(t, examples[i].text, got, sizeof got, &type);
    const bool failed = examples[i].want[0] == '!';
    const bool ok = failed ? got[0] == '!' && strstr(got, examples[i].want + 1) != NULL
                           : strcmp(got, examples[i].want) == 0;
    if (!ok || (examples[i].type != NULL && (type == NULL || strcmp(type->name, examples[i].type) != 0))) {
      print_error("%s: got `%s` (%s), want `%s` (%s)\n", examples[i].text, got,
                  type != NULL ? type->name : "-", examples[i].want,
                  examples[i].type != NULL ? examples[i].type : "any");
      wrong++;
    }
  }
  assert_int_equal(wrong, 0);
}

#endif
