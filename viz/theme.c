/* See theme.h. Heat is the share of all nodes' own time, so that a hundred cold nodes do not look warm together; a share is always printed
 * beside its colour. */
#include "viz/theme.h"

#include <stdio.h>

#include "base/cformat.h"

void sp_viz_options_init(sp_viz_options *o) {
  *o = (sp_viz_options){.view = SP_PLAN_VIEW_BOTH,
                        .classes = 1u << SP_CLASS_ROWS | 1u << SP_CLASS_BYTES | 1u << SP_CLASS_MEMORY | 1u << SP_CLASS_TIMING};
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

static bool is(const char *x, const char *y) { return strcmp(x, y) == 0; }

static bool shows(const sp_theme *t, sp_metric_class c) { return (t->options->classes & 1u << c) != 0; }

static int64_t metric(const sp_theme *t, uint32_t node, sp_metric m) {
  return t->columns[m] < 0 ? -1 : t->run->metrics[(size_t)node * t->report->n_metrics + (uint32_t)t->columns[m]];
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

static void open_run(sp_theme *t) {
  const sp_report *r = t->report;
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
    t->total_busy_ns += v > 0 ? v : 0;
  }
}

static bool open_matches(sp_theme *t, sp_arena *a) {
  const sp_report *r = t->report;
  bool failed = false;
  t->measured = SP_ARENA_ARRAY(a, int32_t *, r->n_plans + 1);
  for (uint32_t p = 0; t->measured != NULL && p < r->n_plans; p++) {
    t->measured[p] = filled(a, r->plans[p].n_nodes, &failed);
  }
  if (t->measured == NULL || failed) {
    return false;
  }
  for (uint32_t i = 0; t->run != NULL && i < t->run->n_nodes; i++) {
    t->measured[t->run->plan][i] = (int32_t)i;
  }
  for (uint32_t i = 0; t->run != NULL && i < r->n_matches; i++) {
    const sp_report_match *m = &r->matches[i];
    if (m->plan_b == t->run->plan && m->plan_a != m->plan_b && m->same_rows) {
      t->measured[m->plan_a][m->a] = (int32_t)m->b;
    }
  }
  return true;
}

/* Facts that took something from one node to another; columns that are not read any more went nowhere. */
static bool travelled(const sp_report_fact *f) {
  return (is(f->action, "moved") || is(f->action, "copied")) && f->from != NULL && f->to != NULL && !is(f->from, f->to) && !is(f->kind, "column");
}

/* Chains run in the order of the facts, so they are built from the back. */
static bool open_facts(sp_theme *t, sp_arena *a) {
  const sp_report_trace *trace = &t->report->trace;
  uint32_t most = 0;
  for (uint32_t p = 0; p < t->report->n_plans; p++) {
    most = t->report->plans[p].n_nodes > most ? t->report->plans[p].n_nodes : most;
  }
  bool failed = false;
  t->ghost_first = filled(a, most, &failed);
  t->came_first = filled(a, most, &failed);
  t->stop_first = filled(a, most, &failed);
  t->ghost_next = filled(a, trace->n_facts, &failed);
  t->came_next = filled(a, trace->n_facts, &failed);
  t->stop_next = filled(a, trace->n_blockers, &failed);
  if (failed) {
    return false;
  }
  for (uint32_t i = trace->n_facts; i-- > 0;) {
    const sp_report_fact *f = &trace->facts[i];
    if (travelled(f) && f->from_node >= 0) {
      t->ghost_next[i] = t->ghost_first[f->from_node];
      t->ghost_first[f->from_node] = (int32_t)i;
    }
    if (travelled(f) && f->to_node >= 0) {
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
  *t = (sp_theme){.report = r, .options = o, .run = r->n_runs > 0 ? &r->runs[0] : NULL};
  open_run(t);
  return open_matches(t, a) && open_facts(t, a);
}

/* ---- figures ---- */
static void figure_q_error(double est, int64_t rows, sp_figures *f) {
  const double e = est < 1 ? 1 : est, a = rows < 1 ? 1 : (double)rows;
  const double q = e > a ? e / a : a / e;
  if (q >= 2 && (est - (double)rows >= 100 || (double)rows - est >= 100)) {
    (void)sp_snprintf(f->q_text, sizeof f->q_text, q < 10 ? "×%.1f" : "×%.0f", q);
  }
}

static void figure_time(const sp_theme *t, uint32_t node, sp_figures *f) {
  const int64_t busy = metric(t, node, SP_METRIC_busy_ns);
  if (busy < 0) {
    return;
  }
  sp_human_ns(busy, f->time_text);
  f->time_share = t->total_busy_ns > 0 ? (double)busy / (double)t->total_busy_ns : 0;
  (void)sp_snprintf(f->share_text, sizeof f->share_text, "%.0f%%", f->time_share * 100);
  f->heat = f->time_share >= 0.5 ? 3 : f->time_share >= 0.25 ? 2 : f->time_share >= 0.1 ? 1 : 0;
}

static void figure_rows(const sp_theme *t, uint32_t node, double est, sp_figures *f) {
  const int64_t rows = metric(t, node, SP_METRIC_output_rows);
  if (rows < 0) {
    return;
  }
  const bool masked = f->cut && !shows(t, SP_CLASS_TIMING); /* rows below an early stop are not the same on every run */
  f->measured = true;
  f->rows = masked ? -1 : rows;
  if (masked) {
    (void)sp_snprintf(f->rows_text, sizeof f->rows_text, "cut");
    return;
  }
  sp_human_count(rows, f->rows_text);
  if (f->est_text[0] != '\0' && !f->cut) {
    figure_q_error(est, rows, f);
  }
}

void sp_theme_figures(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_figures *ret) {
  *ret = (sp_figures){.rows = -1, .time_share = -1, .mem_share = -1};
  const double est = p->nodes[node].est_rows;
  if (est >= 0 && est < 9e18 && shows(t, SP_CLASS_ROWS)) {
    sp_human_count((int64_t)(est + 0.5), ret->est_text);
  }
  const int32_t at = t->run != NULL ? t->measured[p - t->report->plans][node] : -1;
  if (at < 0) {
    return;
  }
  const uint32_t n = (uint32_t)at;
  ret->cut = t->run->cut[n];
  if (shows(t, SP_CLASS_ROWS)) {
    figure_rows(t, n, est, ret);
  }
  if (shows(t, SP_CLASS_TIMING)) {
    figure_time(t, n, ret);
  }
  const int64_t mem = metric(t, n, SP_METRIC_mem_peak_bytes), at_peak = metric(t, n, SP_METRIC_mem_at_query_peak_bytes);
  if (shows(t, SP_CLASS_MEMORY) && mem >= 0) {
    sp_human_bytes(mem, ret->mem_text);
    ret->mem_share = t->run->peak_bytes > 0 && at_peak >= 0 ? (double)at_peak / (double)t->run->peak_bytes : 0;
  }
  const int64_t read = metric(t, n, SP_METRIC_row_groups_read), total = metric(t, n, SP_METRIC_row_groups_total);
  if (shows(t, SP_CLASS_BYTES) && total > 0 && read >= 0 && !ret->cut && p->nodes[node].is_source) {
    (void)sp_snprintf(ret->groups_text, sizeof ret->groups_text, "%lld/%lld", (long long)read, (long long)total);
  }
}

/* ---- notes ---- */
typedef struct notes {
  sp_arena *arena;
  sp_note *items;
  uint32_t n, cap;
  bool failed;
} notes;

static void add_note(notes *list, sp_note_kind kind, const char *glyph, sp_rich what, const char *text, int32_t other) {
  list->failed = list->failed || text == NULL || glyph == NULL || !sp_arena_grow(list->arena, &list->items, &list->cap, list->n + 1, sizeof *list->items);
  if (!list->failed) {
    list->items[list->n++] = (sp_note){kind, glyph, what, text, other};
  }
}

static void add_moves(notes *list, const sp_theme *t, const sp_report_plan *p, uint32_t node) {
  const sp_report_trace *trace = &t->report->trace;
  if (is(p->stage, "resolved")) {
    for (int32_t i = t->ghost_first[node]; i >= 0; i = t->ghost_next[i]) {
      const sp_report_fact *f = &trace->facts[i];
      add_note(list, SP_NOTE_GHOST, "↓", f->text, sp_arena_printf(list->arena, "%s %s", is(f->action, "copied") ? "also →" : "→", f->to), f->to_node);
    }
  } else if (is(p->stage, "optimized")) {
    for (int32_t i = t->came_first[node]; i >= 0; i = t->came_next[i]) {
      const sp_report_fact *f = &trace->facts[i];
      add_note(list, SP_NOTE_ARRIVED, "←", f->text, sp_arena_printf(list->arena, "from %s by %s", f->from, f->rule != NULL ? f->rule : "a rule"), f->from_node);
    }
  }
}

static void add_stops(notes *list, const sp_theme *t, const sp_report_plan *p, uint32_t node) {
  if (!is(p->stage, "optimized")) {
    return;
  }
  for (int32_t i = t->stop_first[node]; i >= 0; i = t->stop_next[i]) {
    const sp_report_fact *f = &t->report->trace.blockers[i];
    const bool twin = is(f->action, "not shared");
    add_note(list, twin ? SP_NOTE_NOT_SHARED : SP_NOTE_BLOCKED, twin ? "≠" : "⊘", f->text,
             sp_arena_printf(list->arena, "%s: %s", twin ? "not shared" : "stopped", f->reason != NULL ? f->reason : "no reason given"), -1);
  }
}

bool sp_theme_notes(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_arena *a, const sp_note **ret, uint32_t *ret_n) {
  notes list = {.arena = a};
  const sp_report_node *n = &p->nodes[node];
  const sp_rich none = {0};
  if (n->error != NULL) {
    add_note(&list, SP_NOTE_ERROR, "✗", none, n->error, -1);
  }
  add_moves(&list, t, p, node);
  add_stops(&list, t, p, node);
  if (n->sharing != SP_SHARED_NOT) {
    add_note(&list, SP_NOTE_SHARED, sp_arena_printf(a, "×%u", n->consumers), none,
             n->sharing == SP_SHARED_MERGED ? "merged: equal structure" : "shared by name", -1);
  }
  if (list.failed) {
    return false;
  }
  *ret = list.items;
  *ret_n = list.n;
  return true;
}

/* ---- lines ---- */
static void put_count(const char *what, int64_t n, sp_str *out) {
  char text[SP_HUMAN_SIZE];
  sp_human_count(n, text);
  sp_str_addf(out, "%s%s %s", out->n > 0 ? ", " : "", text, what);
}

void sp_theme_summary(const sp_theme *t, sp_str *out) {
  const sp_report_run *run = t->run;
  if (run == NULL) {
    return;
  }
  char text[SP_HUMAN_SIZE];
  if (!is(run->outcome, "ok")) {
    sp_str_addf(out, "%s: %s", run->outcome, run->error != NULL ? run->error : "");
  }
  if (shows(t, SP_CLASS_TIMING)) {
    sp_human_ns(run->wall_ns, text);
    sp_str_addf(out, "%s%s on %u worker%s", out->n > 0 ? ", " : "", text, run->threads, run->threads == 1 ? "" : "s");
  }
  if (shows(t, SP_CLASS_MEMORY)) {
    sp_human_bytes(run->peak_bytes, text);
    sp_str_addf(out, "%speak %s", out->n > 0 ? ", " : "", text);
  }
  bool any_cut = false;
  for (uint32_t i = 0; i < run->n_nodes; i++) {
    any_cut = any_cut || run->cut[i];
  }
  if (shows(t, SP_CLASS_ROWS)) {
    if (!any_cut || shows(t, SP_CLASS_TIMING)) {
      put_count("rows scanned", run->rows_scanned, out);
    }
    put_count("rows returned", run->rows_returned, out);
  }
}

void sp_theme_process(const sp_theme *t, sp_str *out) {
  const sp_report_run *run = t->run;
  if (run == NULL || !shows(t, SP_CLASS_MEMORY)) {
    return;
  }
  char before[SP_HUMAN_SIZE], peak[SP_HUMAN_SIZE], after[SP_HUMAN_SIZE], kept[SP_HUMAN_SIZE], back[SP_HUMAN_SIZE];
  sp_human_bytes(run->rss_before, before);
  sp_human_bytes(run->rss_peak, peak);
  sp_human_bytes(run->rss_after, after);
  sp_human_bytes(run->allocator_kept, kept);
  sp_str_addf(out, "process: %s resident before, %s at its peak, %s after; the allocator keeps %s free", before, peak, after, kept);
  if (run->returned_bytes >= 0) {
    sp_human_bytes(run->returned_bytes, back);
    sp_str_addf(out, ", %s went back to the system", back);
  }
}

void sp_theme_optimizer(const sp_theme *t, sp_str *out) {
  const sp_report *r = t->report;
  if (r->trace.profile == NULL) {
    return;
  }
  const size_t start = out->n;
  sp_str_addf(out, "optimizer %s", r->trace.profile);
  if (shows(t, SP_CLASS_TIMING)) {
    char text[SP_HUMAN_SIZE];
    sp_human_ns(r->trace.wall_ns, text);
    sp_str_addf(out, " (%s)", text);
  }
  const size_t head = out->n;
  for (uint32_t i = 0; i < r->trace.n_passes; i++) {
    uint32_t firings = 0;
    bool earlier = false;
    for (uint32_t k = 0; k < r->trace.n_passes; k++) {
      if (is(r->trace.passes[k].rule, r->trace.passes[i].rule)) {
        earlier = earlier || k < i;
        firings += r->trace.passes[k].firings;
      }
    }
    if (!earlier && firings > 0) {
      sp_str_addf(out, "%s %s ×%u", out->n == head ? ":" : ",", r->trace.passes[i].rule, firings);
    }
  }
  if (out->n == head && out->n > start) {
    sp_str_add(out, ": nothing changed");
  }
  if (r->trace.capped) {
    sp_str_add(out, "; stopped at its cap of rounds");
  }
}
