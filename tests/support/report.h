/* Reports for tests: read from JSON, or built from a plan's text the way a session does it, without the
 * session. In plan text single quotes stand for double ones and `´` for single ones.
 *
 *   desk d;
 *   desk_open(&d);
 *   const sp_report *r = desk_report(&d, plan_text, RUN);
 *   …
 *   desk_close(&d); */
#ifndef TESTS_SUPPORT_REPORT_H
#define TESTS_SUPPORT_REPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "exec/exec.h"
#include "formats/formats.h"
#include "optimize/optimize.h"
#include "plan/resolve/resolve.h"
#include "report/build.h"

typedef struct desk {
  sp_mem mem;
  sp_arena arena;
  sp_env env;
  sp_error err;
  sp_run *run;
  const sp_plan *written, *resolved, *optimized;
  const sp_trace *trace;
} desk;

static inline void desk_open(desk *d) {
  memset(d, 0, sizeof *d);
  d->err = SP_ERROR_INIT;
  sp_mem_init(&d->mem, NULL, "test");
  sp_arena_init(&d->arena, &d->mem);
  sp_env_init(&d->env, &d->mem);
  d->env.plan_dir = ".";
}

/* Releases everything and sees that nothing is live. */
static inline void desk_close(desk *d) {
  d->run = sp_run_free(d->run);
  sp_env_release(&d->env);
  sp_arena_release(&d->arena);
  assert_int_equal(d->mem.live, 0);
  sp_mem_release(&d->mem);
}

static inline char *desk_quotes(desk *d, const char *text) {
  char *out = sp_arena_alloc(&d->arena, strlen(text) + 1), *to = out;
  assert_non_null(out);
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

static inline const sp_plan *desk_plan(desk *d, const char *text) {
  const char *json = desk_quotes(d, text);
  const sp_json_doc *doc = NULL;
  if (sp_json_parse(&d->arena, "p.json", json, strlen(json), &doc, &d->err) != SP_OK ||
      sp_plan_read(doc, &d->arena, &d->written, &d->err) != SP_OK) {
    fail_msg("%s: %s", d->err.pointer, d->err.message);
  }
  return d->written;
}

/* The plans and the trace of a text; only: one rule's name, or NULL for the default profile. */
static inline void desk_optimize(desk *d, const char *text, const char *only) {
  (void)desk_plan(d, text);
  const sp_profile *profile = sp_profile_default();
  if (only != NULL && sp_profile_filter(profile, NULL, 0, &only, 1, &d->arena, &profile, &d->err) != SP_OK) {
    fail_msg("%s", d->err.message);
  }
  if (sp_plan_resolve(d->written, &d->env, &d->resolved, &d->err) != SP_OK ||
      sp_optimize(d->resolved, profile, true, &d->optimized, &d->trace, &d->err) != SP_OK) {
    fail_msg("%s: %s", d->err.pointer, d->err.message);
  }
}

static inline const sp_report *desk_build(desk *d) {
  struct sp_report_run_input run = {d->run, d->optimized, "default"};
  const sp_report_inputs in = {.title = "p.json",
                               .written = d->written,
                               .resolved = d->resolved,
                               .optimized = d->optimized,
                               .trace = d->trace,
                               .n_runs = d->run != NULL ? 1 : 0,
                               .runs = &run};
  const sp_report *r = NULL;
  if (sp_report_build(&in, &d->arena, &r, &d->err) != SP_OK) {
    fail_msg("%s", d->err.message);
  }
  return r;
}

static inline const sp_report *desk_report(desk *d, const char *text, bool run) {
  desk_optimize(d, text, NULL);
  if (run) {
    sp_exec_options o;
    sp_exec_options_init(&o);
    o.threads = 1;
    o.discard = true;
    if (sp_exec_run(d->optimized, &o, &d->mem, &d->run, &d->err) != SP_OK) {
      fail_msg("%s", d->err.message);
    }
  }
  return desk_build(d);
}

static inline sp_status desk_try_read(desk *d, const char *json, size_t n, const sp_report **ret) {
  const sp_json_doc *doc = NULL;
  d->err = SP_ERROR_INIT;
  const sp_status st = sp_json_parse(&d->arena, "r.json", json, n, &doc, &d->err);
  return st != SP_OK ? st : sp_report_from_json(doc, &d->arena, ret, &d->err);
}

static inline const sp_report *desk_read(desk *d, const char *json) {
  const sp_report *r = NULL;
  if (desk_try_read(d, json, strlen(json), &r) != SP_OK) {
    fail_msg("%s: %s", d->err.pointer, d->err.message);
  }
  return r;
}

static inline const char *desk_json(desk *d, const sp_report *r) {
  sp_str s;
  sp_str_init(&s, &d->mem, (size_t)64 << 20);
  sp_report_to_json(r, &s);
  assert_true(sp_str_ok(&s));
  const char *out = sp_arena_strdup(&d->arena, s.p);
  sp_str_release(&s);
  assert_non_null(out);
  return out;
}

/* By id; -1 when absent. */
static inline int32_t desk_find(const sp_report_plan *p, const char *id) {
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (strcmp(p->nodes[i].id, id) == 0) {
      return (int32_t)i;
    }
  }
  return -1;
}

static inline const sp_report_plan *desk_stage(const sp_report *r, const char *stage) {
  for (uint32_t i = 0; i < r->n_plans; i++) {
    if (strcmp(r->plans[i].stage, stage) == 0) {
      return &r->plans[i];
    }
  }
  fail_msg("no plan %s", stage);
  return NULL;
}

static inline const sp_report_node *desk_node(const sp_report *r, const char *stage, const char *id) {
  const sp_report_plan *p = desk_stage(r, stage);
  const int32_t i = desk_find(p, id);
  if (i < 0) {
    fail_msg("no node %s in %s", id, stage);
  }
  return &p->nodes[i];
}

static inline char *desk_file(desk *d, const char *path, size_t *ret_n) {
  char *text = NULL;
  if (sp_file_read(&d->arena, path, (size_t)64 << 20, &text, ret_n, &d->err) != SP_OK) {
    fail_msg("%s: %s", path, d->err.message);
  }
  return text;
}

#endif
