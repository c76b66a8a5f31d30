/* Expressions in tests: an arena of its own account, a schema with one column of each type, text to trees. */
#ifndef TESTS_SUPPORT_EXPR_H
#define TESTS_SUPPORT_EXPR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expr/bind.h"
#include "expr/function.h"

typedef struct expr_world {
  sp_mem mem;
  sp_arena arena;
  const sp_schema *schema;
} expr_world;

static inline const sp_schema *expr_schema(sp_arena *a) {
  static const char *const columns[][2] = {
      {"a", "int64"},    {"b", "int16"},        {"f", "float64"},       {"f32", "float32"}, {"s", "string"},
      {"d", "date"},     {"t", "datetime(us)"}, {"p", "decimal(15,2)"}, {"q", "bool"},      {"u", "uint64"},
      {"A b", "string"}, {"x", "int64"},        {"y", "int64"},         {"bin", "binary"}};
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
    sp_schema_add(&b, sp_sv_from(columns[i][0]), sp_type_parse(sp_sv_from(columns[i][1])));
  }
  const sp_schema *s = NULL;
  return sp_schema_finish(&b, NULL, &s, NULL) == SP_OK ? s : NULL;
}

static inline int expr_setup(void **state) {
  expr_world *w = test_calloc(1, sizeof *w);
  sp_mem_init(&w->mem, NULL, "test");
  sp_arena_init(&w->arena, &w->mem);
  w->schema = expr_schema(&w->arena);
  *state = w;
  return w->schema == NULL;
}

static inline int expr_teardown(void **state) {
  expr_world *w = *state;
  sp_arena_release(&w->arena);
  const bool leak = atomic_load(&w->mem.live) != 0;
  sp_mem_release(&w->mem);
  test_free(w);
  return leak;
}

static inline const sp_expr *expr_parse_n(expr_world *w, const char *text, size_t n) {
  const sp_expr *e = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_expr_parse(&w->arena, (sp_sv){text, n}, NULL, &e, &err) != SP_OK) {
    fail_msg("`%.*s` does not parse: %s", (int)(n < 400 ? n : 400), text, err.message);
  }
  return e;
}
static inline const sp_expr *expr_parse(expr_world *w, const char *text) {
  return expr_parse_n(w, text, strlen(text));
}

static inline const sp_expr *expr_bind(expr_world *w, const char *text) {
  const sp_expr *e = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_expr_bind(&w->arena, expr_parse(w, text), w->schema, SP_BIND_AGGREGATES, NULL, &e, &err) != SP_OK) {
    fail_msg("`%.400s` does not bind: %s", text, err.message);
  }
  return e;
}

static inline const char *expr_text(expr_world *w, const sp_expr *e) {
  const char *t = sp_expr_text(e, &w->arena);
  assert_non_null(t);
  return t;
}

/* A small generator of pseudo-random numbers: the same in every run. */
static inline uint32_t expr_random(uint64_t *seed, uint32_t below) {
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)((*seed >> 33) % below);
}

#endif
