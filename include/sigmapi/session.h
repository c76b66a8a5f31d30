/* The whole way in one place: read a plan (or a saved report), resolve, optimize, run, report.
 *
 * A session owns one document and everything made from it; each step runs the steps before it when they have not run. The command
 * is a thin layer over this, and so can a program be. Not thread-safe; the run inside uses its own workers.
 *
 *   sp_session_options o = {.data_root = "data"};
 *   sp_exec_options x;
 *   sp_exec_options_init(&x);
 *   x.discard = true;
 *   sp_session_new(&o, &s, &err); sp_session_load(s, "plan.json", &err); sp_session_run(s, &x, &err);
 *   sp_session_report(s, NULL, &report, &err); sp_render(report, "svg", NULL, &text, &n, &err); …
 *   sp_render_free(text, n); sp_session_free(s); */
#ifndef SIGMAPI_SESSION_H
#define SIGMAPI_SESSION_H

#include "sigmapi/report.h"
#include "sigmapi/run.h"

#define SP_SESSION_MAX_DOCUMENT ((size_t)256 << 20) /* bytes of a plan document */

typedef struct sp_table_binding {
  const char *name, *path;
} sp_table_binding;

/* Zeroed options are the defaults. */
typedef struct sp_session_options {
  const char *data_root;           /* NULL: the plan's folder */
  uint32_t n_tables;
  const sp_table_binding *tables;  /* files of tables by name */
  const char *optimizer;           /* NULL or "default", "none", or the path of a profile */
  uint32_t n_disable, n_only;
  const char *const *disable, *const *only; /* rules */
  bool validate;                   /* check the plan after every firing of a rule */
  void (*warn)(void *ctx, const sp_error *warning); /* may be NULL */
  void *warn_ctx;
} sp_session_options;

typedef struct sp_session sp_session;

/* The options are kept by reference. */
sp_status sp_session_new(const sp_session_options *o, sp_session **ret, sp_error *err);
sp_session *sp_session_free(sp_session *s); /* NULL-safe, returns NULL */

/* Reads a document: a plan in any format, or a report. "-" is standard input. Once per session. */
sp_status sp_session_load(sp_session *s, const char *path, sp_error *err);
/* The same from memory; name is for messages, dir is where relative paths start. */
sp_status sp_session_load_text(sp_session *s, const char *name, const char *dir, const char *text, size_t n, sp_error *err);
bool sp_session_is_report(const sp_session *s);

sp_status sp_session_resolve(sp_session *s, sp_error *err);
sp_status sp_session_optimize(sp_session *s, sp_error *err);
/* Runs the optimized plan. A failed run is kept too, for the report. */
sp_status sp_session_run(sp_session *s, const sp_exec_options *o, sp_error *err);
/* Frees the run's results and measures what went back to the system; metrics stay. */
void sp_session_drop_results(sp_session *s);

/* What is known so far as a report (the loaded one when a report was loaded). failure: an error of resolving, drawn on its node; may be NULL.
 * Valid until the session's end. */
sp_status sp_session_report(sp_session *s, const sp_error *failure, const sp_report **ret, sp_error *err);

#endif
