/* For tests that start from plan text: a world with its own memory account, plans from JSON in which single
 * quotes stand for double ones (and `´` for single ones), and what can be asked of a plan in one line. */
#ifndef PLAN_TEXT_H
#define PLAN_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/formats.h"
#include "plan/kinds.h"

typedef struct world {
  sp_mem mem;
  sp_arena arena;
  sp_env env;
  sp_error err;
  uint32_t n_warnings;
  char warning[600]; /* the last one */
} world;

static inline void world_warn(void *ctx, const sp_error *w) {
  world *x = ctx;
  x->n_warnings++;
  snprintf(x->warning, sizeof x->warning, "%s", w->message);
}

static inline void world_init(world *w) {
  memset(w, 0, sizeof *w);
  sp_mem_init(&w->mem, NULL, "test");
  sp_arena_init(&w->arena, &w->mem);
  sp_env_init(&w->env, &w->mem);
  w->env.warn = world_warn;
  w->env.warn_ctx = w;
}

/* Releases everything and sees that nothing is live. */
static inline void world_release(world *w) {
  sp_env_release(&w->env);
  sp_arena_release(&w->arena);
  assert_int_equal(w->mem.live, 0);
  sp_mem_release(&w->mem);
}

/* Single quotes become double ones; `´` becomes a single one. */
static inline char *quotes(world *w, const char *text) {
  char *out = sp_arena_alloc(&w->arena, strlen(text) + 1);
  assert_non_null(out);
  char *to = out;
  for (const char *p = text; *p != '\0'; p++) {
    if (strncmp(p, "´", strlen("´")) == 0) {
      *to++ = '\'';
      p += strlen("´") - 1;
    } else {
      *to++ = *p == '\'' ? '"' : *p;
    }
  }
  *to = '\0';
  return out;
}

static inline sp_status try_read(world *w, const char *json, const sp_plan **ret) {
  const sp_json_doc *d = NULL;
  w->err = SP_ERROR_INIT;
  const sp_status st = sp_json_parse(&w->arena, "p.json", json, strlen(json), &d, &w->err);
  return st != SP_OK ? st : sp_plan_read(d, &w->arena, ret, &w->err);
}

static inline const sp_plan *read_plan(world *w, const char *text) {
  const sp_plan *p = NULL;
  if (try_read(w, quotes(w, text), &p) != SP_OK) {
    fail_msg("%s: %s (%s)", w->err.pointer, w->err.message, w->err.hint);
  }
  return p;
}

/* Nodes only; the last one's id must be `out`. */
static inline const char *plan_of(world *w, const char *nodes) {
  const char *text = sp_arena_printf(&w->arena, "{'sigmapi': 1, 'nodes': [%s], 'outputs': ['out']}", nodes);
  assert_non_null(text);
  return text;
}

static inline const sp_plan *resolve_text(world *w, const char *text) {
  const sp_plan *written = read_plan(w, text);
  const sp_plan *p = NULL;
  if (sp_plan_resolve(written, &w->env, &p, &w->err) != SP_OK) {
    fail_msg("%s: %s (%s)", w->err.pointer, w->err.message, w->err.hint);
  }
  if (sp_plan_validate(p, &w->err) != SP_OK) {
    fail_msg("not valid: %s", w->err.message);
  }
  return p;
}

static inline const sp_plan *resolve_nodes(world *w, const char *nodes) {
  return resolve_text(w, plan_of(w, nodes));
}

static inline const sp_node *node_of(const sp_plan *p, const char *id) {
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (strcmp(p->nodes[i]->id, id) == 0) {
      return p->nodes[i];
    }
  }
  fail_msg("no node %s", id);
  return NULL;
}

/* "a int64, b string" */
static inline const char *schema_text(world *w, const sp_schema *s) {
  char *text = sp_arena_strdup(&w->arena, "");
  for (uint32_t i = 0; i < s->n; i++) {
    text = sp_arena_printf(&w->arena, "%s%s%s %s", text, i > 0 ? ", " : "", s->fields[i].name.p,
                           s->fields[i].type->name);
  }
  return text;
}

static inline const char *headline_text(world *w, const sp_node *n) {
  sp_str s;
  sp_str_init(&s, &w->mem, 100000);
  sp_node_headline(n, &s);
  assert_true(sp_str_ok(&s));
  char *r = sp_arena_strdup(&w->arena, s.p);
  sp_str_release(&s);
  return r;
}

/* The output's schema. */
static inline void assert_schema(world *w, const char *nodes, const char *want) {
  const sp_plan *p = resolve_nodes(w, nodes);
  assert_string_equal(schema_text(w, p->nodes[p->outputs[0]]->schema), want);
}

static inline const sp_schema **input_schemas(world *w, const sp_plan *p, const sp_node *n) {
  const sp_schema **r = SP_ARENA_ARRAY(&w->arena, const sp_schema *, n->n_inputs);
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    r[i] = sp_node_input_schema(p, n, i);
  }
  return r;
}

#define T_VALUES(id, schema) "{'id': '" id "', 'op': 'values', 'schema': {" schema "}, 'rows': []}"

#endif
