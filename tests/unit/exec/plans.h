/* Plans for tests, built node by node as a reader would, then resolved.
 *
 *   t_plan t; t_begin(&t);
 *   sp_node *v = t_values(&t, "v", "a int64, s string", "1,x;2,null");
 *   sp_node *f = t_filter(&t, "f", v, "a > 1");
 *   t_run(&t, f, …) */
#ifndef TESTS_UNIT_EXEC_PLANS_H
#define TESTS_UNIT_EXEC_PLANS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exec/exec.h"
#include "plan/kinds.h"

#define T_MAX 512

typedef struct t_plan {
  sp_mem mem;
  sp_arena arena;
  sp_env env;
  sp_plan_builder b;
  uint32_t n_outputs;
  uint32_t outputs[T_MAX];
  const char *output_ids[T_MAX];
  const sp_plan *plan; /* resolved */
  const double *est_rows; /* given to the run */
  sp_error err;
} t_plan;

static inline void t_begin(t_plan *t) {
  memset(t, 0, sizeof *t);
  sp_mem_init(&t->mem, NULL, "test plan");
  sp_arena_init(&t->arena, &t->mem);
  sp_env_init(&t->env, &t->mem);
  t->env.plan_dir = ".";
  t->b.arena = &t->arena;
}

static inline void t_end(t_plan *t) {
  sp_env_release(&t->env);
  sp_arena_release(&t->arena);
  assert_int_equal(atomic_load(&t->mem.live), 0);
  sp_mem_release(&t->mem);
}

/* Indices of inputs in the builder. */
static inline sp_node *t_node(t_plan *t, const char *op, const char *id, uint32_t n_inputs,
                              sp_node *const *inputs) {
  sp_node *n = sp_node_new(&t->arena, sp_node_ops_find(sp_sv_from(op)));
  assert_non_null(n);
  n->id = id;
  n->loc = (sp_loc){.pointer = sp_arena_printf(&t->arena, "/nodes/%u", t->b.n)};
  uint32_t *in = SP_ARENA_ARRAY(&t->arena, uint32_t, n_inputs);
  for (uint32_t i = 0; i < n_inputs; i++) {
    in[i] = UINT32_MAX;
    for (uint32_t k = 0; k < t->b.n; k++) {
      in[i] = t->b.nodes[k] == inputs[i] ? k : in[i];
    }
    assert_int_not_equal(in[i], UINT32_MAX);
  }
  n->inputs = in;
  n->n_inputs = n_inputs;
  assert_int_not_equal(sp_plan_add(&t->b, n), UINT32_MAX);
  return n;
}

/* "a + 1 AS b; c" */
static inline sp_items t_items(t_plan *t, const char *text) {
  sp_item *items = SP_ARENA_ARRAY(&t->arena, sp_item, 64);
  uint32_t n = 0;
  char *copy = sp_arena_strdup(&t->arena, text);
  char *save = NULL;
  for (char *part = strtok_r(copy, ";", &save); part != NULL; part = strtok_r(NULL, ";", &save)) {
    sp_error err = SP_ERROR_INIT;
    if (sp_expr_parse(&t->arena, sp_sv_from(part), NULL, &items[n].expr, &err) != SP_OK) {
      fail_msg("%s: %s", part, err.message);
    }
    n++;
  }
  return (sp_items){.n = n, .items = items};
}

static inline const sp_schema *t_schema(t_plan *t, const char *text) {
  sp_schema_builder b;
  sp_schema_begin(&b, &t->arena);
  char *copy = sp_arena_strdup(&t->arena, text);
  char *save = NULL;
  for (char *part = strtok_r(copy, ",", &save); part != NULL; part = strtok_r(NULL, ",", &save)) {
    char name[64];
    char type[64];
    assert_int_equal(sscanf(part, " %63s %63s", name, type), 2);
    sp_schema_add(&b, sp_sv_from(sp_arena_strdup(&t->arena, name)), sp_type_parse(sp_sv_from(type)));
  }
  const sp_schema *s = NULL;
  assert_int_equal(sp_schema_finish(&b, NULL, &s, NULL), SP_OK);
  return s;
}

static inline sp_value t_value(t_plan *t, const char *text) {
  if (strcmp(text, "null") == 0) {
    return sp_value_null(sp_type_of(SP_KIND_NULL));
  }
  if (*text == '\'') {
    return sp_value_str(sp_sv_from(sp_arena_strdup(&t->arena, text + 1)));
  }
  char *end = NULL;
  const long long i = strtoll(text, &end, 10);
  if (*text != '\0' && *end == '\0') {
    return sp_value_int(sp_type_of(SP_KIND_INT64), i);
  }
  return sp_value_str(sp_sv_from(sp_arena_strdup(&t->arena, text)));
}

static inline sp_node *t_values_of(t_plan *t, const char *id, const char *schema, sp_value *cells,
                                   uint32_t rows) {
  sp_values_node *v = (sp_values_node *)t_node(t, "values", id, 0, NULL);
  v->given = t_schema(t, schema);
  const sp_value **list = SP_ARENA_ARRAY(&t->arena, const sp_value *, rows);
  for (uint32_t i = 0; i < rows; i++) {
    list[i] = cells + (size_t)i * v->given->n;
  }
  v->rows = (sp_rows){.n = rows, .values = list};
  return &v->base;
}

/* "1,x;2,null"; 'x and '1 are strings */
static inline sp_node *t_values(t_plan *t, const char *id, const char *schema, const char *rows) {
  sp_value *cells = SP_ARENA_ARRAY(&t->arena, sp_value, 4096);
  uint32_t n = 0;
  uint32_t n_rows = 0;
  char *copy = sp_arena_strdup(&t->arena, rows);
  char *save_row = NULL;
  for (char *row = strtok_r(copy, ";", &save_row); row != NULL; row = strtok_r(NULL, ";", &save_row)) {
    char *save = NULL;
    for (char *cell = strtok_r(row, ",", &save); cell != NULL; cell = strtok_r(NULL, ",", &save)) {
      cells[n++] = t_value(t, cell);
    }
    n_rows++;
  }
  return t_values_of(t, id, schema, cells, n_rows);
}

/* n rows (i, i % 7) with columns i and m, int64. */
static inline sp_node *t_numbers(t_plan *t, const char *id, uint32_t n) {
  sp_value *cells = SP_ARENA_ARRAY(&t->arena, sp_value, 2 * (size_t)n + 1);
  for (uint32_t i = 0; i < n; i++) {
    cells[2 * i] = sp_value_int(sp_type_of(SP_KIND_INT64), i);
    cells[2 * i + 1] = sp_value_int(sp_type_of(SP_KIND_INT64), i % 7);
  }
  return t_values_of(t, id, "i int64, m int64", cells, n);
}

static inline sp_node *t_filter(t_plan *t, const char *id, sp_node *in, const char *predicate) {
  sp_filter_node *f = (sp_filter_node *)t_node(t, "filter", id, 1, &in);
  f->predicate = t_items(t, predicate);
  return &f->base;
}

static inline sp_node *t_project(t_plan *t, const char *op, const char *id, sp_node *in, const char *exprs) {
  sp_project_node *p = (sp_project_node *)t_node(t, op, id, 1, &in);
  p->exprs = t_items(t, exprs);
  return &p->base;
}

static inline sp_node *t_slice(t_plan *t, const char *id, sp_node *in, int64_t offset, int64_t length) {
  sp_slice_node *s = (sp_slice_node *)t_node(t, "slice", id, 1, &in);
  s->offset = offset;
  s->length = length;
  return &s->base;
}

static inline sp_node *t_union(t_plan *t, const char *id, uint32_t n, sp_node *const *in) {
  return t_node(t, "union", id, n, in);
}

static inline void t_output(t_plan *t, sp_node *n) {
  for (uint32_t k = 0; k < t->b.n; k++) {
    if (t->b.nodes[k] == n) {
      t->output_ids[t->n_outputs] = n->id;
      t->outputs[t->n_outputs++] = k;
    }
  }
}

static inline void t_resolve(t_plan *t) {
  const sp_plan *written = NULL;
  sp_status st = sp_plan_finish_named(&t->b, NULL, NULL, SP_STAGE_WRITTEN, t->outputs, t->output_ids,
                                      t->n_outputs, &written, &t->err);
  if (st == SP_OK) {
    st = sp_plan_resolve(written, &t->env, &t->plan, &t->err);
  }
  if (st != SP_OK) {
    fail_msg("%s", t->err.message);
  }
}

static inline uint32_t t_index(const t_plan *t, const char *id) {
  for (uint32_t i = 0; i < t->plan->n_nodes; i++) {
    if (strcmp(t->plan->nodes[i]->id, id) == 0) {
      return i;
    }
  }
  fail_msg("no node `%s`", id);
  return 0;
}

/* Rows as text, "1,x;2,null". */
static inline void t_text(const sp_result *r, sp_str *out) {
  for (uint32_t i = 0; i < r->n_batches; i++) {
    const sp_batch *b = r->batches[i];
    assert_null(b->sel);
    for (uint32_t row = 0; row < b->n_rows; row++) {
      sp_str_add(out, out->n > 0 ? ";" : "");
      for (uint32_t c = 0; c < b->n_cols; c++) {
        assert_int_not_equal(b->cols[c]->encoding, SP_SEQUENCE);
        const sp_value v = sp_column_value(b->cols[c], row);
        sp_str_add(out, c > 0 ? "," : "");
        if (v.is_null) {
          sp_str_add(out, "null");
        } else {
          sp_value_text(&v, out);
        }
      }
    }
  }
}

static inline void t_expect_result(t_plan *t, const sp_run *run, uint32_t which, const char *rows) {
  sp_str s;
  sp_str_init(&s, &t->mem, (size_t)1 << 26);
  t_text(&run->results[which], &s);
  assert_string_equal(s.p, rows);
  sp_str_release(&s);
}

/* How a test runs a plan: every combination of these must give the same rows. */
static const struct t_how {
  uint32_t threads, batch_rows;
} t_hows[] = {{1, 0}, {1, 1}, {1, 7}, {4, 0}, {4, 7}, {3, 1}};
#define T_HOWS (sizeof t_hows / sizeof t_hows[0])

static inline sp_run *t_run_how(t_plan *t, size_t how) {
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = t_hows[how].threads;
  o.batch_rows = t_hows[how].batch_rows;
  o.est_rows = t->est_rows;
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  const sp_status st = sp_exec_run(t->plan, &o, &t->mem, &run, &err);
  if (st != SP_OK) {
    fail_msg("threads %u, batch rows %u: %s", o.threads, o.batch_rows, err.message);
  }
  return run;
}

/* The first (only) output's rows, in every way of running. */
static inline void t_expect(t_plan *t, const char *rows) {
  t_resolve(t);
  for (size_t i = 0; i < T_HOWS; i++) {
    sp_run *run = t_run_how(t, i);
    t_expect_result(t, run, 0, rows);
    sp_run_free(run);
  }
}

#endif
