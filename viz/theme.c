/* See theme.h. Heat is the share of all nodes' own time, so that a hundred cold nodes do not look warm
 * together; a share is always printed beside its colour. */
#include "viz/theme.h"

#include <stdio.h>

#include "base/cformat.h"

void sp_viz_options_init(sp_viz_options *o) {
  *o = (sp_viz_options){.view = SP_PLAN_VIEW_BOTH,
                        .classes = 1u << SP_CLASS_ROWS | 1u << SP_CLASS_BYTES | 1u << SP_CLASS_MEMORY |
                                   1u << SP_CLASS_TIMING};
}

static const sp_report_plan *find_plan(const sp_report *r, const char *stage) {
  for (uint32_t i = 0; i < r->n_plans; i++) {
    if (strcmp(r->plans[i].stage, stage) == 0) {
      return &r->plans[i];
    }
  }
  return NULL;
}

uint32_t sp_theme_plans(const sp_report *r, sp_plan_view view, const sp_report_plan *ret[2]) {
  const sp_report_plan *before = find_plan(r, "resolved"), *after = find_plan(r, "optimized");
  const sp_report_plan *written = find_plan(r, "written");
  uint32_t n = 0;
  if (view == SP_PLAN_VIEW_WRITTEN || (before == NULL && after == NULL)) {
    if (written != NULL) {
      ret[n++] = written;
    }
    return n;
  }
  if (view != SP_PLAN_VIEW_AFTER && before != NULL) {
    ret[n++] = before;
  }
  if (view != SP_PLAN_VIEW_BEFORE && after != NULL) {
    ret[n++] = after;
  }
  return n;
}

static bool is(const char *x, const char *y) {
  return strcmp(x, y) == 0;
}

static bool shows(const sp_theme *t, sp_metric_class c) {
  return (t->options->classes & 1u << c) != 0;
}

/* -1 where it was not measured. */
static int64_t metric(const sp_theme *t, uint32_t node, sp_metric m) {
  const int64_t v =
      t->columns[m] < 0 ? -1 : t->run->metrics[(size_t)node * t->report->n_metrics + (uint32_t)t->columns[m]];
  return v < 0 ? -1 : v;
}

/* ---- opening ---- */
static int32_t *filled(sp_arena *a, size_t n, bool *failed) {
  int32_t *p = SP_ARENA_ARRAY(a, int32_t, n + 1);
  *failed = *failed || p == NULL;
  for (size_t i = 0; p != NULL && i < n + 1; i++) {
    p[i] = -1;
  }
  return p;
}

/* The run of the optimized plan when there is one: the plan before gets its figures through the matches. */
static void open_run(sp_theme *t) {
  const sp_report *r = t->report;
  for (uint32_t i = 0; i < r->n_runs; i++) {
    const bool after = is(r->plans[r->runs[i].plan].stage, "optimized");
    if (t->run == NULL || (after && !is(r->plans[t->run->plan].stage, "optimized"))) {
      t->run = &r->runs[i];
    }
  }
  for (uint32_t m = 0; m < SP_METRIC_COUNT; m++) {
    t->columns[m] = -1;
    for (uint32_t i = 0; i < r->n_metrics; i++) {
      if (is(r->metric_names[i], sp_metric_table[m].name)) {
        t->columns[m] = (int32_t)i;
      }
    }
  }
  for (uint32_t i = 0; t->run != NULL && i < t->run->n_nodes; i++) {
    const int64_t v = metric(t, i, SP_METRIC_busy_ns);
    t->total_busy_ns += v > 0 ? (double)v : 0;
  }
}

static bool open_measured(sp_theme *t, sp_arena *a) {
  const sp_report *r = t->report;
  bool failed = false;
  t->measured = SP_ARENA_ARRAY(a, int32_t *, r->n_plans + 1);
  t->own = SP_ARENA_ARRAY(a, bool *, r->n_plans + 1);
  if (t->measured == NULL || t->own == NULL) {
    return false;
  }
  for (uint32_t p = 0; p < r->n_plans; p++) {
    t->measured[p] = filled(a, r->plans[p].n_nodes, &failed);
    t->own[p] = SP_ARENA_ARRAY(a, bool, r->plans[p].n_nodes + 1);
    failed = failed || t->own[p] == NULL;
  }
  for (uint32_t i = 0; t->run != NULL && !failed && i < t->run->n_nodes; i++) {
    t->measured[t->run->plan][i] = (int32_t)i;
    t->own[t->run->plan][i] = true;
  }
  return !failed;
}

static bool open_matches(sp_theme *t, sp_arena *a) {
  const sp_report *r = t->report;
  bool failed = false;
  const uint32_t n_before = t->before != NULL ? t->before->n_nodes : 0;
  t->heir = filled(a, n_before, &failed);
  t->stays = SP_ARENA_ARRAY(a, bool, n_before + 1);
  t->partner = filled(a, t->after != NULL ? t->after->n_nodes : 0, &failed);
  if (failed || t->stays == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < r->n_matches; i++) {
    const sp_report_match *m = &r->matches[i];
    const bool whole = !is(m->kind, "rows");
    if (&r->plans[m->plan_a] == t->before && &r->plans[m->plan_b] == t->after && t->before != t->after) {
      t->heir[m->a] = (int32_t)m->b;
      t->stays[m->a] = whole;
      t->partner[m->b] = whole ? (int32_t)m->a : t->partner[m->b];
    }
    if (t->run != NULL && m->plan_b == t->run->plan && m->plan_a != m->plan_b && m->same_rows) {
      t->measured[m->plan_a][m->a] = (int32_t)m->b;
      t->own[m->plan_a][m->a] = whole;
    }
  }
  return true;
}

bool sp_theme_travelled(const sp_report_fact *f) {
  return (is(f->action, "moved") || is(f->action, "copied")) && f->from != NULL && f->to != NULL &&
         !is(f->from, f->to) && !is(f->kind, "column");
}

bool sp_theme_says_id(const sp_report_node *n) {
  const char *name = strncmp(n->title, "scan ", 5) == 0 ? n->title + 5 : "";
  const size_t id = strlen(n->id);
  return strncmp(name, n->id, id) == 0 &&
         (name[id] == '\0' || (name[id] == '.' && strchr(name, ' ') == NULL));
}

/* Chains run in the order of the facts, so they are built from the back. */
static bool open_facts(sp_theme *t, sp_arena *a) {
  const sp_report_trace *trace = &t->report->trace;
  const uint32_t n_before = t->before != NULL ? t->before->n_nodes : 0;
  const uint32_t n_after = t->after != NULL ? t->after->n_nodes : 0;
  bool failed = false;
  t->ghost_first = filled(a, n_before, &failed);
  t->came_first = filled(a, n_after, &failed);
  t->stop_first = filled(a, n_after, &failed);
  t->ghost_next = filled(a, trace->n_facts, &failed);
  t->came_next = filled(a, trace->n_facts, &failed);
  t->stop_next = filled(a, trace->n_blockers, &failed);
  if (failed) {
    return false;
  }
  for (uint32_t i = trace->n_facts; i-- > 0;) {
    const sp_report_fact *f = &trace->facts[i];
    if (sp_theme_travelled(f) && f->from_node >= 0) {
      t->ghost_next[i] = t->ghost_first[f->from_node];
      t->ghost_first[f->from_node] = (int32_t)i;
    }
    if (sp_theme_travelled(f) && f->to_node >= 0) {
      t->came_next[i] = t->came_first[f->to_node];
      t->came_first[f->to_node] = (int32_t)i;
    }
  }
  for (uint32_t i = trace->n_blockers; i-- > 0;) {
    const int32_t to = trace->blockers[i].to_node;
    if (to >= 0) {
      t->stop_next[i] = t->stop_first[to];
      t->stop_first[to] = (int32_t)i;
    }
  }
  return true;
}

bool sp_theme_open(sp_theme *t, const sp_report *r, const sp_viz_options *o, sp_arena *a) {
  *t = (sp_theme){
      .report = r, .options = o, .before = find_plan(r, "resolved"), .after = find_plan(r, "optimized")};
  open_run(t);
  return open_measured(t, a) && open_matches(t, a) && open_facts(t, a);
}

/* ---- figures ---- */
static void figure_q_error(sp_figures *f) {
  const double e = f->est < 1 ? 1 : (double)f->est, a = f->rows < 1 ? 1 : (double)f->rows;
  f->q = e > a ? e / a : a / e;
  if (f->q >= 2 && (f->est - f->rows >= 100 || f->rows - f->est >= 100)) {
    (void)sp_snprintf(f->q_text, sizeof f->q_text,
                      f->q < 10    ? "×%.1f"
                      : f->q < 1e6 ? "×%.0f"
                                   : "×%.0e",
                      f->q);
  }
}

static void figure_time(const sp_theme *t, uint32_t node, sp_figures *f) {
  const int64_t busy = metric(t, node, SP_METRIC_busy_ns);
  if (busy < 0) {
    return;
  }
  sp_human_ns(busy, f->time_text);
  f->time_share = t->total_busy_ns > 0 ? (double)busy / t->total_busy_ns : 0;
  (void)sp_snprintf(f->share_text, sizeof f->share_text, "%.0f%%", f->time_share * 100);
  f->heat = f->time_share >= 0.5 ? 3 : f->time_share >= 0.25 ? 2 : f->time_share >= 0.1 ? 1 : 0;
}

static void figure_rows(const sp_theme *t, uint32_t node, bool masked, sp_figures *f) {
  const int64_t rows = metric(t, node, SP_METRIC_output_rows);
  if (rows < 0) {
    return;
  }
  f->measured = true;
  if (masked) {
    (void)sp_snprintf(f->rows_text, sizeof f->rows_text, "cut");
    return;
  }
  f->rows = rows;
  sp_human_count(rows, f->rows_text);
  if (f->est >= 0 && !f->cut) {
    figure_q_error(f);
  }
}

/* Nobody expects a trillion rows to the row: "4.3 M". */
static void estimate_text(int64_t est, char out[SP_HUMAN_SIZE]) {
  static const struct {
    double from;
    const char *unit;
  } scales[] = {{1e15, NULL}, {1e12, "T"}, {1e9, "B"}, {1e6, "M"}};
  for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
    if ((double)est >= scales[i].from) {
      if (scales[i].unit == NULL) {
        (void)sp_snprintf(out, SP_HUMAN_SIZE, "%.0e", (double)est);
      } else {
        (void)sp_snprintf(out, SP_HUMAN_SIZE, "%.1f %s", (double)est / scales[i].from, scales[i].unit);
      }
      return;
    }
  }
  sp_human_count(est, out);
}

static void figure_memory(const sp_theme *t, uint32_t node, sp_figures *f) {
  const int64_t mem = metric(t, node, SP_METRIC_mem_peak_bytes);
  const int64_t at_peak = metric(t, node, SP_METRIC_mem_at_query_peak_bytes);
  if (mem >= 0) {
    sp_human_bytes(mem, f->mem_text);
    f->mem_share = t->run->peak_bytes > 0 && at_peak >= 0 ? (double)at_peak / (double)t->run->peak_bytes : 0;
  }
}

void sp_theme_figures(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_figures *ret) {
  *ret = (sp_figures){.rows = -1, .est = -1, .time_share = -1, .mem_share = -1};
  const size_t plan = (size_t)(p - t->report->plans);
  const double est = p->nodes[node].est_rows;
  if (est >= 0 && est < 9e18 && shows(t, SP_CLASS_ROWS)) {
    ret->est = (int64_t)(est + 0.5);
    estimate_text(ret->est, ret->est_text);
  }
  const int32_t at = t->run != NULL ? t->measured[plan][node] : -1;
  if (at < 0) {
    return;
  }
  const uint32_t n = (uint32_t)at;
  ret->cut = t->run->cut[n];
  const bool masked = ret->cut && !shows(t, SP_CLASS_TIMING); /* not the same on every run */
  if (shows(t, SP_CLASS_ROWS)) {
    figure_rows(t, n, masked, ret);
  }
  if (!t->own[plan][node]) {
    return; /* the work behind these rows is another node's */
  }
  if (shows(t, SP_CLASS_TIMING)) {
    figure_time(t, n, ret);
  }
  if (shows(t, SP_CLASS_MEMORY)) {
    figure_memory(t, n, ret);
  }
  const int64_t spilled = metric(t, n, SP_METRIC_spilled_bytes);
  if (shows(t, SP_CLASS_BYTES) && spilled > 0 && !masked) {
    sp_human_bytes(spilled, ret->spill_text);
  }
  const int64_t read = metric(t, n, SP_METRIC_row_groups_read),
                total = metric(t, n, SP_METRIC_row_groups_total);
  if (shows(t, SP_CLASS_BYTES) && total > 0 && read >= 0 && !masked && p->nodes[node].is_source) {
    (void)sp_snprintf(ret->groups_text, sizeof ret->groups_text, "%lld/%lld", (long long)read,
                      (long long)total);
  }
}

bool sp_theme_metric(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_metric m,
                     char out[SP_HUMAN_SIZE]) {
  const size_t plan = (size_t)(p - t->report->plans);
  const int32_t at = t->run != NULL ? t->measured[plan][node] : -1;
  const sp_metric_info *info = &sp_metric_table[m];
  if (at < 0 || !t->own[plan][node] || !shows(t, info->cls) ||
      (t->run->cut[at] && !shows(t, SP_CLASS_TIMING))) {
    return false;
  }
  const int64_t v = metric(t, (uint32_t)at, m);
  if (v < 0) {
    return false;
  }
  if (info->unit == SP_METRIC_UNIT_NS) {
    sp_human_ns(v, out);
  } else if (info->unit == SP_METRIC_UNIT_BYTES) {
    sp_human_bytes(v, out);
  } else {
    sp_human_count(v, out);
  }
  return true;
}

void sp_theme_first_rows(int64_t n, char out[SP_FIRST_SIZE]) {
  char count[SP_HUMAN_SIZE];
  sp_human_count(n, count);
  (void)sp_snprintf(out, SP_FIRST_SIZE, "first %s row%s", count, n == 1 ? "" : "s");
}
