/* The lines above a picture: what the run took, what the process held, what the optimizer did. */
#include "viz/theme.h"

#define MAX_RULES 64 /* named in the optimizer's line */

static bool shows(const sp_theme *t, sp_metric_class c) {
  return (t->options->classes & 1u << c) != 0;
}

static void part(sp_str *out, const char *text) {
  sp_str_addf(out, "%s%s", out->n > 0 ? ", " : "", text);
}

/* ", 1,234 rows scanned"; nothing when it is not known. */
static void put_count(const char *what, int64_t n, sp_str *out) {
  char text[SP_HUMAN_SIZE];
  if (n >= 0) {
    sp_human_count(n, text);
    part(out, text);
    sp_str_addf(out, " row%s %s", n == 1 ? "" : "s", what);
  }
}

void sp_theme_summary(const sp_theme *t, sp_str *out) {
  const sp_report_run *run = t->run;
  if (run == NULL) {
    return;
  }
  char text[SP_HUMAN_SIZE];
  if (strcmp(run->outcome, "ok") != 0) {
    sp_str_addf(out, "%s%s%s", run->outcome, run->error != NULL ? ": " : "",
                run->error != NULL ? run->error : "");
  }
  if (shows(t, SP_CLASS_TIMING) && run->wall_ns >= 0) {
    sp_human_ns(run->wall_ns, text);
    part(out, text);
    sp_str_addf(out, " on %u worker%s", run->threads, run->threads == 1 ? "" : "s");
  }
  if (shows(t, SP_CLASS_MEMORY) && run->peak_bytes >= 0) {
    sp_human_bytes(run->peak_bytes, text);
    part(out, "peak ");
    sp_str_add(out, text);
  }
  bool any_cut = false;
  for (uint32_t i = 0; i < run->n_nodes; i++) {
    any_cut = any_cut || run->cut[i];
  }
  if (shows(t, SP_CLASS_ROWS)) {
    if (!any_cut || shows(t, SP_CLASS_TIMING)) {
      put_count("scanned", run->rows_scanned, out);
    }
    put_count("returned", run->rows_returned, out);
  }
}

void sp_theme_process(const sp_theme *t, sp_str *out) {
  const sp_report_run *run = t->run;
  if (run == NULL || !shows(t, SP_CLASS_MEMORY) || run->rss_before < 0 || run->rss_peak < 0 ||
      run->rss_after < 0) {
    return;
  }
  char before[SP_HUMAN_SIZE], peak[SP_HUMAN_SIZE], after[SP_HUMAN_SIZE], text[SP_HUMAN_SIZE];
  sp_human_bytes(run->rss_before, before);
  sp_human_bytes(run->rss_peak, peak);
  sp_human_bytes(run->rss_after, after);
  sp_str_addf(out, "process: %s resident before, %s at its peak, %s after", before, peak, after);
  if (run->allocator_kept >= 0) {
    sp_human_bytes(run->allocator_kept, text);
    sp_str_addf(out, "; the allocator keeps %s free", text);
  }
  if (run->returned_bytes >= 0) {
    sp_human_bytes(run->returned_bytes, text);
    sp_str_addf(out, ", %s went back to the system", text);
  }
}

/* Firings by rule, in the order in which rules were first run. */
static void put_rules(const sp_report_trace *trace, sp_str *out) {
  const char *rules[MAX_RULES];
  uint64_t firings[MAX_RULES];
  uint32_t n = 0;
  for (uint32_t i = 0; i < trace->n_passes; i++) {
    uint32_t k = 0;
    while (k < n && strcmp(rules[k], trace->passes[i].rule) != 0) {
      k++;
    }
    if (k == n && n < MAX_RULES) {
      rules[n] = trace->passes[i].rule;
      firings[n++] = 0;
    }
    if (k < n) {
      firings[k] += trace->passes[i].firings;
    }
  }
  const char *between = ": ";
  for (uint32_t k = 0; k < n; k++) {
    if (firings[k] > 0) {
      sp_str_addf(out, "%s%s ×%llu", between, rules[k], (unsigned long long)firings[k]);
      between = ", ";
    }
  }
  if (between[0] == ':') {
    sp_str_add(out, ": nothing changed");
  }
}

void sp_theme_optimizer(const sp_theme *t, sp_str *out) {
  const sp_report_trace *trace = &t->report->trace;
  if (trace->profile == NULL) {
    return;
  }
  sp_str_addf(out, "optimizer %s", trace->profile);
  if (shows(t, SP_CLASS_TIMING) && t->run != NULL && trace->wall_ns >= 0) {
    char text[SP_HUMAN_SIZE];
    sp_human_ns(trace->wall_ns, text);
    sp_str_addf(out, " (%s)", text);
  }
  put_rules(trace, out);
  if (trace->capped) {
    sp_str_add(out, "; stopped at its cap of rounds");
  }
}
