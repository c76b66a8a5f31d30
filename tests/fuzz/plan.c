/* Any bytes as a plan document: read, resolve, optimize, draw, and run when it scans no files. Never a crash; errors are fine. */
#include "session/session.h"
#include "viz/viz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool scans_files(const sp_plan *p) {
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (strncmp(p->nodes[i]->ops->name, "scan", 4) == 0 || (p->nodes[i]->ops->flags & SP_NODE_SINK) != 0) {
      return true;
    }
  }
  return false;
}

static void run(sp_session *s) {
  sp_error err = SP_ERROR_INIT;
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 1;
  o.time_limit_ns = 200000000;
  o.memory_limit = (int64_t)256 << 20;
  if (sp_session_resolve(s, &err) == SP_OK && !scans_files(sp_session_resolved(s))) {
    (void)sp_session_run(s, &o, &err);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const formats[] = {"text", "dot", "svg", "json"};
  const sp_session_options options = {.data_root = "/nonexistent", .validate = true};
  sp_error err = SP_ERROR_INIT;
  sp_session *s = NULL;
  if (sp_session_new(&options, &s, &err) != SP_OK) {
    return 0;
  }
  if (sp_session_load_text(s, "fuzz.json", ".", (const char *)data, size, &err) == SP_OK) {
    if (!sp_session_is_report(s)) {
      run(s);
    }
    const sp_report *r = NULL;
    sp_error second = SP_ERROR_INIT;
    for (int i = 0; i < 4 && sp_session_report(s, NULL, &r, &second) == SP_OK; i++) {
      char *text = NULL;
      size_t n = 0;
      if (sp_render(r, formats[i], NULL, &text, &n, &second) == SP_OK) {
        sp_render_free(text, n);
      }
    }
  }
  sp_session_free(s);
  return 0;
}
