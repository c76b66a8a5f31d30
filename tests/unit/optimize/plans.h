/* For tests of the optimizer: plans from JSON text, optimizers' profiles from lists of rules, and a plan as
 * text with one line per node:
 *
 *   late = filter(flights) predicate: delay > 15 */
#ifndef TESTS_OPTIMIZE_PLANS_H
#define TESTS_OPTIMIZE_PLANS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/formats.h"
#include "optimize/optimize.h"
#include "plan/resolve/resolve.h"

typedef struct bench {
  sp_mem mem;
  sp_arena arena;
  sp_env env;
  sp_error err;
} bench;

static inline void bench_open(bench *b, sp_mem *parent) {
  memset(b, 0, sizeof *b);
  sp_mem_init(&b->mem, parent, "optimizer test");
  sp_arena_init(&b->arena, &b->mem);
  sp_env_init(&b->env, &b->mem);
}

static inline void bench_close(bench *b) {
  sp_env_release(&b->env);
  sp_arena_release(&b->arena);
  sp_mem_release(&b->mem);
}

/* Reads and resolves; files may be missing where a schema is given. */
static inline sp_status bench_resolve(bench *b, const char *file, const char *text, size_t n,
                                      const sp_plan **ret) {
  const sp_json_doc *doc = NULL;
  const sp_plan *written = NULL;
  sp_status st = sp_json_parse(&b->arena, file, text, n, &doc, &b->err);
  if (st == SP_OK) {
    st = sp_plan_read(doc, &b->arena, &written, &b->err);
  }
  return st == SP_OK ? sp_plan_resolve(written, &b->env, ret, &b->err) : st;
}

/* The same for text that must be right. */
static inline const sp_plan *bench_plan(bench *b, const char *text) {
  const sp_plan *p = NULL;
  if (bench_resolve(b, "test", text, strlen(text), &p) != SP_OK) {
    print_error("%s: %s\n", b->err.pointer, b->err.message);
    fail();
  }
  return p;
}

#define BENCH_MAX_RULES 16
typedef struct bench_profile {
  const char *rules[BENCH_MAX_RULES];
  sp_profile_pass pass;
  sp_profile profile;
} bench_profile;

/* One pass of the rules named in `list`, separated by commas or blanks. */
static inline const sp_profile *bench_rules(bench *b, bench_profile *p, const char *list, size_t n) {
  memset(p, 0, sizeof *p);
  size_t i = 0;
  while (i < n && p->pass.n_rules < BENCH_MAX_RULES) {
    size_t from = i;
    while (i < n && list[i] != ',' && list[i] != ' ') {
      i++;
    }
    if (i > from) {
      p->rules[p->pass.n_rules++] = sp_arena_strndup(&b->arena, list + from, i - from);
    }
    i++;
  }
  p->pass.name = "test";
  p->pass.max_rounds = 10;
  p->pass.rules = p->rules;
  p->profile = (sp_profile){"test", 1, &p->pass};
  return &p->profile;
}

static inline void bench_check(bench *b, sp_status st) {
  if (st != SP_OK) {
    print_error("%s: %s\n", b->err.pointer, b->err.message);
    fail();
  }
}

static inline const sp_plan *bench_optimize(bench *b, const sp_plan *in, const sp_profile *profile,
                                            const sp_trace **ret_trace) {
  const sp_plan *out = NULL;
  bench_check(b, sp_optimize(in, profile, true, &out, ret_trace, &b->err));
  assert_false((*ret_trace)->capped);
  return out;
}

static inline void bench_plan_text(const sp_plan *p, sp_str *out) {
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    const sp_node *n = p->nodes[i];
    sp_str_addf(out, "  %s = %s(", n->id, n->ops->name);
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      sp_str_addf(out, "%s%s", k > 0 ? ", " : "", p->nodes[n->inputs[k]]->id);
    }
    sp_str_add(out, ")");
    for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
      if (sp_field_is_set(n, f) && strcmp(f->key, "schema") != 0) {
        sp_str_addf(out, " %s: ", f->key);
        sp_field_text(n, f, out);
        sp_str_add(out, ";");
      }
    }
    if (sp_node_is(n, "join") && ((const sp_join_node *)n)->build_side != SP_BUILD_UNDECIDED) {
      sp_str_add(out,
                 ((const sp_join_node *)n)->build_side == SP_BUILD_LEFT ? " build: left;" : " build: right;");
    }
    sp_str_add(out, "\n");
  }
  sp_str_add(out, "  outputs:");
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    sp_str_addf(out, " %s", p->nodes[p->outputs[i]]->id);
    if (strcmp(p->output_ids[i], p->nodes[p->outputs[i]]->id) != 0) {
      sp_str_addf(out, " as %s", p->output_ids[i]);
    }
  }
  sp_str_add(out, "\n");
}

static inline const sp_node *bench_node(const sp_plan *p, const char *id) {
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (strcmp(p->nodes[i]->id, id) == 0) {
      return p->nodes[i];
    }
  }
  return NULL;
}

static inline uint32_t bench_firings(const sp_trace *t, const char *rule) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < t->n_firings; i++) {
    n += strcmp(t->firings[i].rule, rule) == 0;
  }
  return n;
}

#endif
