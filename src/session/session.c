/* The way of the data, step by step. Each step asks for the one before, so that a caller names only what it wants:
 *
 *   sp_session_run(s)  ⇒  load must have happened; resolve and optimize happen here if they have not
 *
 * Three arenas would have one lifetime, so there is one: the document, the three plans and the report live as long as the session. */
#include "session/session.h"

#include "base/file.h"
#include "formats/formats.h"

struct sp_session {
  sp_mem mem;
  sp_arena arena;
  const sp_session_options *options;
  sp_env env;
  const char *title;
  const sp_report *loaded; /* a report was read */
  const sp_plan *written, *resolved, *optimized;
  const sp_trace *trace;
  const sp_profile *profile;
  sp_run *run;
};

sp_status sp_session_new(const sp_session_options *o, sp_session **ret, sp_error *err) {
  sp_session *s = sp_mem_calloc(sp_mem_process(), sizeof *s);
  SP_TRY_ALLOC(err, s);
  sp_mem_init(&s->mem, sp_mem_process(), "session");
  sp_arena_init(&s->arena, &s->mem);
  sp_env_init(&s->env, &s->mem);
  s->options = o;
  s->env.data_root = o->data_root;
  s->env.n_tables = o->n_tables;
  s->env.tables = o->tables;
  s->env.warn = o->warn;
  s->env.warn_ctx = o->warn_ctx;
  *ret = s;
  return SP_OK;
}

sp_session *sp_session_free(sp_session *s) {
  if (s != NULL) {
    s->run = sp_run_free(s->run);
    sp_env_release(&s->env);
    sp_arena_release(&s->arena);
    sp_mem_release(&s->mem);
    sp_mem_free(sp_mem_process(), s, sizeof *s);
  }
  return NULL;
}

sp_status sp_session_load_text(sp_session *s, const char *name, const char *dir, const char *text, size_t n, sp_error *err) {
  const sp_json_doc *doc = NULL;
  SP_TRY(sp_json_parse(&s->arena, name, text, n, &doc, err));
  s->title = sp_arena_strdup(&s->arena, sp_path_base(name));
  s->env.plan_dir = sp_arena_strdup(&s->arena, dir);
  if (s->title == NULL || s->env.plan_dir == NULL) {
    return sp_error_nomem(err);
  }
  if (sp_report_detect(doc)) {
    return sp_report_from_json(doc, &s->arena, &s->loaded, err);
  }
  return sp_plan_read(doc, &s->arena, &s->written, err);
}

/* A document that cannot be read is wrong input, not a failed execution. */
static sp_status read_document(sp_session *s, const char *path, char **ret_text, size_t *ret_n, sp_error *err) {
  const sp_status st = sp_file_read(&s->arena, path, SP_SESSION_MAX_DOCUMENT, ret_text, ret_n, err);
  if (st == SP_IO && err != NULL && err->status == SP_IO) {
    err->status = SP_USAGE;
  }
  return st == SP_IO ? SP_USAGE : st;
}

sp_status sp_session_load(sp_session *s, const char *path, sp_error *err) {
  char *text = NULL;
  size_t n = 0;
  SP_TRY(read_document(s, path, &text, &n, err));
  const bool is_stdin = strcmp(path, "-") == 0;
  const char *dir = is_stdin ? "." : sp_path_dir(&s->arena, path);
  SP_TRY_ALLOC(err, dir);
  return sp_session_load_text(s, is_stdin ? "<stdin>" : path, dir, text, n, err);
}

bool sp_session_is_report(const sp_session *s) { return s->loaded != NULL; }

/* A report has no plan that could be resolved or run. */
static sp_status need_plan(const sp_session *s, sp_error *err) {
  if (s->written != NULL) {
    return SP_OK;
  }
  const sp_loc loc = {.file = s->title};
  SP_FAIL(err, SP_USAGE, &loc, "%s",
          s->loaded != NULL ? "this is a saved report: it can be drawn, but not checked or run" : "no plan was loaded");
}

sp_status sp_session_resolve(sp_session *s, sp_error *err) {
  SP_TRY(need_plan(s, err));
  return s->resolved != NULL ? SP_OK : sp_plan_resolve(s->written, &s->env, &s->resolved, err);
}

/* "default", "none" or a file, then without and with only the rules asked for. */
static sp_status find_profile(sp_session *s, sp_error *err) {
  const sp_session_options *o = s->options;
  const sp_profile *base = sp_profile_default();
  if (o->optimizer != NULL && strcmp(o->optimizer, "none") == 0) {
    base = sp_profile_none();
  } else if (o->optimizer != NULL && strcmp(o->optimizer, "default") != 0) {
    char *text = NULL;
    size_t n = 0;
    const sp_json_doc *doc = NULL;
    SP_TRY(read_document(s, o->optimizer, &text, &n, err));
    SP_TRY(sp_json_parse(&s->arena, o->optimizer, text, n, &doc, err));
    SP_TRY(sp_profile_read(doc, &s->arena, &base, err));
  }
  return sp_profile_filter(base, o->disable, o->n_disable, o->only, o->n_only, &s->arena, &s->profile, err);
}

sp_status sp_session_optimize(sp_session *s, sp_error *err) {
  if (s->optimized != NULL) {
    return SP_OK;
  }
  SP_TRY(sp_session_resolve(s, err));
  SP_TRY(find_profile(s, err));
  return sp_optimize(s->resolved, s->profile, s->options->validate, &s->optimized, &s->trace, err);
}

sp_status sp_session_run(sp_session *s, const sp_exec_options *o, sp_error *err) {
  SP_TRY(sp_session_optimize(s, err));
  s->run = sp_run_free(s->run);
  sp_exec_options with = *o;
  if (with.est_rows == NULL && s->trace != NULL) {
    with.est_rows = s->trace->est_rows;
  }
  return sp_exec_run(s->optimized, &with, &s->mem, &s->run, err);
}

void sp_session_drop_results(sp_session *s) {
  if (s->run != NULL) {
    sp_run_drop_results(s->run);
  }
}

const sp_plan *sp_session_written(const sp_session *s) { return s->written; }
const sp_plan *sp_session_resolved(const sp_session *s) { return s->resolved; }
const sp_plan *sp_session_optimized(const sp_session *s) { return s->optimized; }
const sp_trace *sp_session_trace(const sp_session *s) { return s->trace; }
const sp_run *sp_session_last_run(const sp_session *s) { return s->run; }

sp_status sp_session_report(sp_session *s, const sp_error *failure, const sp_report **ret, sp_error *err) {
  if (s->loaded != NULL) {
    *ret = s->loaded;
    return SP_OK;
  }
  struct sp_report_run_input run = {s->run, s->optimized, s->profile != NULL ? s->profile->name : NULL};
  const sp_report_inputs in = {.title = s->title,
                               .written = s->written,
                               .resolved = s->resolved,
                               .optimized = s->optimized,
                               .trace = s->trace,
                               .n_runs = s->run != NULL ? 1 : 0,
                               .runs = &run,
                               .error = failure};
  return sp_report_build(&in, &s->arena, ret, err);
}
