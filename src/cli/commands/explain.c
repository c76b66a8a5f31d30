/* `sigmapi explain PLAN`: the plan before and after, with measurements when it is run. A plan that does not resolve is still drawn as it was
 * written, with the error on its node; the exit code is the error's. */
#include <unistd.h>

#include "cli/cli.h"

static const sp_renderer *choose_renderer(const sp_cli *c, sp_error *err) {
  const sp_renderer *r = NULL;
  if (c->format != NULL) {
    r = sp_renderer_find(c->format);
  } else if (c->output != NULL && strcmp(c->output, "-") != 0) {
    r = sp_renderer_by_path(c->output);
    if (r == NULL) {
      (void)sp_error_set(err, SP_USAGE, NULL, "-o %s: the suffix names no format", c->output);
      sp_error_hint(err, "say --format text, dot, svg or json");
      return NULL;
    }
  } else {
    r = sp_renderer_find("text");
  }
  if (r == NULL) {
    (void)sp_error_set(err, SP_INTERNAL, NULL, "no such renderer");
  }
  return r;
}

static sp_status analyze(sp_cli *c, sp_session *s, sp_error *err) {
  int64_t start = sp_now_ns();
  c->exec.discard = true;
  if (c->progress) {
    c->exec.progress = sp_cli_progress;
    c->exec.progress_ctx = &start;
  }
  const sp_status st = sp_session_run(s, &c->exec, err);
  sp_cli_progress_end();
  sp_session_drop_results(s);
  return sp_cli_explain_limit(c, st, err);
}

static sp_status draw(const sp_cli *c, sp_session *s, const sp_renderer *r, const sp_error *failure, sp_error *err) {
  const sp_report *report = NULL;
  SP_TRY(sp_session_report(s, failure, &report, err));
  sp_viz_options o = c->viz;
  if (c->output != NULL && strcmp(c->output, "-") != 0) {
    o.color = false;
  }
  sp_str out;
  sp_str_init(&out, sp_mem_process(), (size_t)1 << 30);
  sp_status st = r->render(report, &o, &out, err);
  if (st == SP_OK) {
    st = sp_cli_write(c, c->output, &out, err);
  }
  sp_str_release(&out);
  return st;
}

static sp_status run(sp_cli *c, sp_error *err) {
  const sp_renderer *r = choose_renderer(c, err);
  if (r == NULL) {
    return err->status;
  }
  sp_session *s = NULL;
  c->session.warn = c->analyze ? sp_cli_warn_running : sp_cli_warn;
  sp_status st = sp_session_new(&c->session, &s, err);
  if (st == SP_OK) {
    st = sp_session_load(s, c->plan, err);
  }
  if (st == SP_OK && !sp_session_is_report(s)) {
    st = c->analyze ? analyze(c, s, err) : sp_session_optimize(s, err);
  } else if (st == SP_OK && c->analyze) {
    st = sp_error_set(err, SP_USAGE, NULL, "%s is a saved report: it cannot be analyzed again", c->plan);
  }
  if (st == SP_OK) {
    st = draw(c, s, r, NULL, err);
  } else if (s != NULL && sp_session_written(s) != NULL) {
    sp_error second = SP_ERROR_INIT; /* the first error is what the user must hear of */
    (void)draw(c, s, r, err, &second);
  }
  sp_session_free(s);
  return st;
}

const sp_command sp_command_explain = {
    .name = "explain",
    .args = "PLAN [options]",
    .summary = "show the plan before and after the optimizer, with measurements",
    .text = "Draws the plan as resolved (before) and as optimized (after): what was pushed down and why it stopped there, which subplans are shared,\n"
            "and with --analyze the rows, time and memory of every node. PLAN is a plan document or a saved report; `-` is standard input.",
    .group = SP_OPT_EXPLAIN,
    .takes_plan = true,
    .run = run,
};
