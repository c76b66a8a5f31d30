/* The report from plans, trace and runs. Everything is copied, and everything that a picture needs is decided
 * here: texts with their spans, who is shared and how, what moved from where to where, which node before
 * computes the rows of which node after.
 *
 *   before: filter late ─ scan flights        after: scan flights (σ delay > 15)
 *   fact:   predicate "delay > 15" moved from `late` to `flights`
 *   match:  late ↔ flights, same rows (the filter's rows are what the scan passes on now) */
#include "report/build.h"

#include "base/file.h"
#include "report/internal.h"

#define MAX_TREE_TEXT ((size_t)64 << 10)

#define TEXT_MAX_MIB 64 /* of one field of one node */

/* Copies strings into the report's arena; remembers that memory ran out, so that a whole struct is filled
 * before anybody asks. */
static const char *keep(builder *b, const char *s) {
  if (s == NULL) {
    return NULL;
  }
  const char *r = sp_arena_strdup(b->arena, s);
  b->failed = b->failed || r == NULL;
  return r;
}

static void *array(builder *b, size_t n, size_t size) {
  void *p = sp_arena_array(b->arena, n > 0 ? n : 1, size);
  b->failed = b->failed || p == NULL;
  return p;
}
#define ARRAY(b, T, n) ((T *)array((b), (n), sizeof(T)))

static sp_span_kind span_kind(sp_token_kind k) {
  switch (k) {
  case SP_TOK_COLUMN:
    return SP_SPAN_COLUMN;
  case SP_TOK_FUNCTION:
    return SP_SPAN_FUNCTION;
  case SP_TOK_KEYWORD:
    return SP_SPAN_KEYWORD;
  case SP_TOK_OPERATOR:
    return SP_SPAN_OPERATOR;
  case SP_TOK_NUMBER:
    return SP_SPAN_NUMBER;
  case SP_TOK_STRING:
    return SP_SPAN_STRING;
  case SP_TOK_TYPE:
    return SP_SPAN_TYPE;
  case SP_TOK_PUNCT:
    break;
  }
  return SP_SPAN_PLAIN;
}

/* Text with the spans of its tokens where it is expression text; plain text has none. */
static sp_rich rich(builder *b, const char *text, bool is_expr) {
  sp_rich r = {.text = keep(b, text)};
  const sp_token_span *spans = NULL;
  uint32_t n = 0;
  if (!is_expr || r.text == NULL) {
    return r;
  }
  sp_span *out = NULL;
  if (sp_expr_tokens(sp_sv_from(r.text), b->arena, &spans, &n)) {
    out = ARRAY(b, sp_span, n);
  }
  if (out == NULL) {
    b->failed = true;
    return r;
  }
  for (uint32_t i = 0; i < n; i++) {
    out[i] = (sp_span){spans[i].pos, spans[i].len, span_kind(spans[i].kind)};
  }
  r.spans = out;
  r.n_spans = n;
  return r;
}

/* What was collected in b->text, as a text of the report; b->text is empty again. */
static sp_rich take_text(builder *b, bool is_expr) {
  const sp_status st = sp_str_status(&b->text, NULL);
  if (b->text_status == SP_OK) {
    b->text_status = st;
  }
  const sp_rich r = st == SP_OK ? rich(b, b->text.p, is_expr) : (sp_rich){.text = ""};
  sp_str_clear(&b->text);
  return r;
}

static bool is_expr_field(const sp_field_desc *f) {
  return f->kind == SP_F_EXPR || f->kind == SP_F_PREDICATE || f->kind == SP_F_EXPRS ||
         f->kind == SP_F_SORT_KEYS;
}

/* The trees of an expression field as JSON. A text over the limit may be that of a tree with shared parts,
 * which would be written out over and over. */
static const char *take_tree(builder *b, const sp_node *n, const sp_field_desc *f, const sp_rich *value) {
  if (!is_expr_field(f) || value->text == NULL || strlen(value->text) > MAX_TREE_TEXT) {
    return NULL;
  }
  const sp_items *items = sp_field_ptr(n, f);
  sp_jw w;
  sp_jw_init(&w, &b->text, false);
  sp_jw_open(&w, '[');
  for (uint32_t i = 0; i < items->n; i++) {
    sp_expr_to_json(items->items[i].expr, &w);
  }
  sp_jw_close(&w, ']');
  return take_text(b, false).text;
}

static void build_details(builder *b, const sp_node *n, sp_report_node *out) {
  uint32_t count = 0;
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    count += sp_field_is_set(n, f);
  }
  sp_report_detail *d = ARRAY(b, sp_report_detail, count);
  if (d == NULL) {
    return;
  }
  uint32_t i = 0;
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    if (sp_field_is_set(n, f)) {
      sp_field_text(n, f, &b->text);
      const sp_rich value = take_text(b, is_expr_field(f));
      d[i++] = (sp_report_detail){keep(b, f->key), value, f->brief > 0, take_tree(b, n, f, &value)};
    }
  }
  out->details = d;
  out->n_details = i;
}

static bool is_scan(const sp_node *n) {
  return strncmp(n->ops->name, "scan", 4) == 0;
}

static const char *title_of(builder *b, const sp_node *n) {
  if (!is_scan(n)) {
    return keep(b, n->ops->name);
  }
  const sp_scan_node *s = (const sp_scan_node *)n;
  if (s->table != NULL) {
    return sp_arena_printf(b->arena, "scan %s", s->table);
  }
  if (s->paths.n == 0) {
    return keep(b, n->ops->name);
  }
  const char *first = sp_path_base(s->paths.items[0]);
  return s->paths.n > 1 ? sp_arena_printf(b->arena, "scan %s and %u more", first, s->paths.n - 1)
                        : sp_arena_printf(b->arena, "scan %s", first);
}

static void build_scan(builder *b, const sp_node *n, sp_report_node *out) {
  out->columns_read = out->columns_total = out->pushed_rows = -1;
  if (!is_scan(n) || n->schema == NULL) {
    return;
  }
  const sp_scan_node *s = (const sp_scan_node *)n;
  out->columns_read = n->schema->n;
  out->columns_total = s->file_schema != NULL ? s->file_schema->n : n->schema->n;
  out->pushed_rows = s->n_rows;
  if (s->predicate.n > 0) {
    for (uint32_t i = 0; i < s->predicate.n; i++) {
      const sp_expr *e = s->predicate.items[i].expr;
      const bool wrap = s->predicate.n > 1 && sp_expr_is_call(e, "or");
      sp_str_add(&b->text, i > 0 ? " AND " : "");
      sp_str_add(&b->text, wrap ? "(" : "");
      sp_expr_print(e, &b->text);
      sp_str_add(&b->text, wrap ? ")" : "");
    }
    out->pushed_predicate = take_text(b, true);
  }
}

static const char *input_label(const sp_node *n, uint32_t i) {
  return n->n_inputs == 2 && n->ops->input_keys[0] != NULL && n->ops->input_keys[1] != NULL
             ? n->ops->input_keys[i]
             : NULL;
}

static void build_node(builder *b, const sp_plan *p, uint32_t index, sp_report_node *out) {
  const sp_node *n = p->nodes[index];
  out->id = keep(b, n->id);
  out->op = keep(b, n->ops->name);
  out->symbol = keep(b, n->ops->symbol);
  out->title = title_of(b, n);
  b->failed = b->failed || out->title == NULL;
  out->note = keep(b, n->note);
  sp_node_headline(n, &b->text);
  out->headline = take_text(b, !is_scan(n));
  build_details(b, n, out);
  build_scan(b, n, out);
  out->is_source = (n->ops->flags & SP_NODE_SOURCE) != 0;
  out->is_sink = (n->ops->flags & SP_NODE_SINK) != 0;
  out->est_rows = -1;
  uint32_t *inputs = ARRAY(b, uint32_t, n->n_inputs);
  const char **labels = ARRAY(b, const char *, n->n_inputs);
  const char **origin = ARRAY(b, const char *, n->origin.n);
  sp_report_field *fields = ARRAY(b, sp_report_field, n->schema != NULL ? n->schema->n : 0);
  if (inputs == NULL || labels == NULL || origin == NULL || fields == NULL) {
    return;
  }
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    inputs[i] = n->inputs[i];
    labels[i] = keep(b, input_label(n, i));
  }
  for (uint32_t i = 0; i < n->origin.n; i++) {
    origin[i] = keep(b, p->written_ids[n->origin.ids[i]]);
  }
  for (uint32_t i = 0; n->schema != NULL && i < n->schema->n; i++) {
    fields[i] =
        (sp_report_field){keep(b, n->schema->fields[i].name.p), keep(b, n->schema->fields[i].type->name)};
  }
  out->n_inputs = n->n_inputs;
  out->inputs = inputs;
  out->input_labels = labels;
  out->n_origin = n->origin.n;
  out->origin = origin;
  out->n_fields = n->schema != NULL ? n->schema->n : 0;
  out->fields = fields;
}

static const sp_report_plan *build_plan(builder *b, const sp_plan *p, const char *stage, const char *label,
                                        const double *est, sp_report_plan *out) {
  sp_report_node *nodes = ARRAY(b, sp_report_node, p->n_nodes);
  sp_report_output *outputs = ARRAY(b, sp_report_output, p->n_outputs);
  const uint32_t *consumers = sp_plan_consumers(p, b->arena);
  if (nodes == NULL || outputs == NULL || consumers == NULL) {
    b->failed = true;
    return NULL;
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    build_node(b, p, i, &nodes[i]);
    nodes[i].consumers = consumers[i];
    nodes[i].sharing = consumers[i] > 1 ? SP_SHARED_BY_NAME : SP_SHARED_NOT;
    nodes[i].est_rows = est != NULL ? est[i] : -1;
  }
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    outputs[i] = (sp_report_output){keep(b, p->output_ids[i]), p->outputs[i]};
    nodes[p->outputs[i]].is_output = true;
    nodes[p->outputs[i]].output_name = outputs[i].name;
  }
  *out = (sp_report_plan){.stage = stage,
                          .label = label,
                          .n_nodes = p->n_nodes,
                          .nodes = nodes,
                          .n_outputs = p->n_outputs,
                          .outputs = outputs};
  return out;
}

/* ---- the trace ---- */
static const char *const fact_kinds[] = {"predicate", "column",     "slice", "subplan",
                                         "join",      "expression", "order", "node"};
static const char *const fact_actions[] = {"moved",    "copied", "stopped",   "removed",
                                           "replaced", "merged", "not shared"};

/* A rule's node stands for the one named before the `~`. */
static int32_t node_index(const sp_report_ids *m, const char *id) {
  if (id == NULL) {
    return -1;
  }
  int32_t i = sp_report_ids_find(m, sp_sv_from(id));
  sp_sv base = sp_sv_from(id);
  while (i < 0 && base.n > 0) {
    while (base.n > 0 && base.p[base.n - 1] != '~') {
      base.n--;
    }
    if (base.n > 0) {
      base.n--;
      i = sp_report_ids_find(m, base);
    }
  }
  return i;
}

/* "0:10" as people say it. */
static const char *slice_text(builder *b, const char *text) {
  if (text == NULL || strncmp(text, "0:", 2) != 0 || text[2] < '0' || text[2] > '9') {
    return text;
  }
  const char *said =
      strcmp(text, "0:1") == 0 ? "first row" : sp_arena_printf(b->arena, "first %s rows", text + 2);
  b->failed = b->failed || said == NULL;
  return said;
}

static void build_fact(builder *b, const sp_fact *f, const char *rule, sp_report_fact *out) {
  *out = (sp_report_fact){.kind = fact_kinds[f->kind],
                          .action = fact_actions[f->action],
                          .rule = keep(b, rule),
                          .text = rich(b, f->kind == SP_FACT_SLICE ? slice_text(b, f->text) : f->text,
                                       f->kind == SP_FACT_PREDICATE || f->kind == SP_FACT_EXPR),
                          .from = keep(b, f->from),
                          .to = keep(b, f->to),
                          .reason = keep(b, f->reason),
                          .from_node = node_index(&b->before, f->from),
                          .to_node = node_index(&b->after, f->to)};
}

static const char **keep_ids(builder *b, const char *const *ids, uint32_t n) {
  const char **out = ARRAY(b, const char *, n);
  for (uint32_t i = 0; out != NULL && i < n; i++) {
    out[i] = keep(b, ids[i]);
  }
  return out;
}

static void build_firings(builder *b, const sp_trace *t, sp_report_trace *out) {
  sp_report_firing *firings = ARRAY(b, sp_report_firing, t->n_firings);
  for (uint32_t i = 0; firings != NULL && i < t->n_firings; i++) {
    const sp_firing *f = &t->firings[i];
    sp_report_fact *facts = ARRAY(b, sp_report_fact, f->n_facts);
    for (uint32_t k = 0; facts != NULL && k < f->n_facts; k++) {
      build_fact(b, &f->facts[k], f->rule, &facts[k]);
    }
    firings[i] = (sp_report_firing){.pass = keep(b, t->passes[f->pass].pass),
                                    .rule = keep(b, f->rule),
                                    .round = f->round,
                                    .n_before = f->n_before,
                                    .n_after = f->n_after,
                                    .before = keep_ids(b, f->before, f->n_before),
                                    .after = keep_ids(b, f->after, f->n_after),
                                    .n_facts = facts != NULL ? f->n_facts : 0,
                                    .facts = facts};
  }
  out->firings = firings;
  out->n_firings = firings != NULL ? t->n_firings : 0;
}

static bool same_text(const char *x, const char *y) {
  return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

/* The net effect: a fact that goes on where an earlier one arrived lengthens that one. What was moved twice
 * is one arrow. */
static void build_net_facts(builder *b, sp_report_trace *t) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < t->n_firings; i++) {
    total += t->firings[i].n_facts;
  }
  sp_report_fact *net = ARRAY(b, sp_report_fact, total);
  if (net == NULL) {
    return;
  }
  uint32_t n = 0;
  sp_report_ids at; /* "kind to text" → the fact in net that arrived there last */
  if (!sp_report_ids_init(&at, b->arena, total)) {
    b->failed = true;
    return;
  }
  for (uint32_t i = 0; i < t->n_firings; i++) {
    for (uint32_t k = 0; k < t->firings[i].n_facts; k++) {
      const sp_report_fact *f = &t->firings[i].facts[k];
      const char *came = sp_arena_printf(b->arena, "%s\n%s\n%s", f->kind, f->from != NULL ? f->from : "",
                                         f->text.text != NULL ? f->text.text : "");
      const char *goes = sp_arena_printf(b->arena, "%s\n%s\n%s", f->kind, f->to != NULL ? f->to : "",
                                         f->text.text != NULL ? f->text.text : "");
      if (came == NULL || goes == NULL) {
        b->failed = true;
        return;
      }
      const int32_t old = strcmp(f->action, "moved") == 0 ? sp_report_ids_find(&at, sp_sv_from(came)) : -1;
      uint32_t where = n;
      if (old >= 0 && same_text(net[old].to, f->from) && strcmp(net[old].action, "moved") == 0) {
        where = (uint32_t)old;
        net[where].to = f->to;
        net[where].to_node = f->to_node;
      } else {
        net[n++] = *f;
      }
      sp_report_ids_set(&at, sp_sv_from(goes), where);
    }
  }
  t->facts = net;
  t->n_facts = n;
}

static void build_trace(builder *b, const sp_trace *t, sp_report_trace *out) {
  sp_report_pass *passes = ARRAY(b, sp_report_pass, t->n_passes);
  sp_report_fact *blockers = ARRAY(b, sp_report_fact, t->n_blockers);
  if (passes == NULL || blockers == NULL) {
    return;
  }
  for (uint32_t i = 0; i < t->n_passes; i++) {
    const sp_pass_record *p = &t->passes[i];
    passes[i] = (sp_report_pass){keep(b, p->pass), keep(b, p->rule), p->round, p->firings, p->wall_ns};
  }
  for (uint32_t i = 0; i < t->n_blockers; i++) {
    build_fact(b, &t->blockers[i], NULL, &blockers[i]);
  }
  out->profile = keep(b, t->profile);
  out->passes = passes;
  out->n_passes = t->n_passes;
  out->blockers = blockers;
  out->n_blockers = t->n_blockers;
  out->capped = t->capped;
  out->wall_ns = t->wall_ns;
  build_firings(b, t, out);
  build_net_facts(b, out);
}

/* Nodes of the optimized plan that common_subplan merged are told from those shared by name. */
static void mark_merged(sp_report_plan *after, const sp_report_trace *t) {
  sp_report_node *nodes = (sp_report_node *)(uintptr_t)after->nodes;
  for (uint32_t i = 0; i < t->n_facts; i++) {
    const int32_t to = t->facts[i].to_node;
    if (strcmp(t->facts[i].action, "merged") == 0 && to >= 0 && nodes[to].sharing == SP_SHARED_BY_NAME) {
      nodes[to].sharing = SP_SHARED_MERGED;
    }
  }
}

/* ---- runs ---- */
static void build_timeline(builder *b, const sp_timeline *t, uint32_t n_nodes, sp_report_run *out) {
  int64_t *at = ARRAY(b, int64_t, t->n);
  int64_t *rss = ARRAY(b, int64_t, t->n);
  int64_t *live = ARRAY(b, int64_t, (size_t)t->n * n_nodes);
  if (at == NULL || rss == NULL || live == NULL || t->n == 0) {
    return;
  }
  memcpy(at, t->at_ns, t->n * sizeof *at);
  memcpy(rss, t->rss_bytes, t->n * sizeof *rss);
  memcpy(live, t->live_bytes, (size_t)t->n * n_nodes * sizeof *live);
  out->n_samples = t->n;
  out->sample_at_ns = at;
  out->sample_rss = rss;
  out->sample_live = live;
}

static void build_pipelines(builder *b, const sp_run *r, sp_report_run *out) {
  sp_report_pipeline *pipes = ARRAY(b, sp_report_pipeline, r->n_pipelines);
  sp_report_activity *acts = ARRAY(b, sp_report_activity, r->n_activity);
  if (pipes == NULL || acts == NULL) {
    return;
  }
  for (uint32_t i = 0; i < r->n_pipelines; i++) {
    uint32_t *nodes = ARRAY(b, uint32_t, r->pipelines[i].n_nodes);
    if (nodes != NULL && r->pipelines[i].n_nodes > 0) {
      memcpy(nodes, r->pipelines[i].nodes, r->pipelines[i].n_nodes * sizeof *nodes);
    }
    pipes[i] = (sp_report_pipeline){keep(b, r->pipelines[i].name), r->pipelines[i].n_nodes, nodes};
  }
  for (uint32_t i = 0; i < r->n_activity; i++) {
    const sp_activity *a = &r->activity[i];
    acts[i] = (sp_report_activity){a->pipeline, a->worker, a->start_ns, a->end_ns, a->rows};
  }
  out->pipelines = pipes;
  out->n_pipelines = r->n_pipelines;
  out->activity = acts;
  out->n_activity = r->n_activity;
}

static void build_run(builder *b, const struct sp_report_run_input *in, uint32_t plan, const double *est,
                      sp_report_run *out) {
  const sp_run *r = in->run;
  int64_t *metrics = ARRAY(b, int64_t, (size_t)r->n_nodes * SP_METRIC_COUNT);
  bool *cut = ARRAY(b, bool, r->n_nodes);
  if (metrics == NULL || cut == NULL) {
    return;
  }
  *out = (sp_report_run){.plan = plan,
                         .profile = keep(b, in->profile),
                         .outcome = sp_status_text(r->status),
                         .error = r->status != SP_OK ? keep(b, r->error.message) : NULL,
                         .n_nodes = r->n_nodes,
                         .metrics = metrics,
                         .cut = cut,
                         .wall_ns = r->wall_ns,
                         .cpu_ns = r->cpu_ns,
                         .peak_bytes = r->peak_bytes,
                         .rss_before = r->rss_before.resident,
                         .rss_peak = r->rss_peak,
                         .rss_after = r->rss_after.resident,
                         .allocator_kept = r->rss_after.allocator_free,
                         .returned_bytes = r->returned_bytes,
                         .threads = r->threads};
  for (uint32_t i = 0; i < r->n_nodes; i++) {
    for (uint32_t m = 0; m < SP_METRIC_COUNT; m++) {
      metrics[(size_t)i * SP_METRIC_COUNT + m] = r->metrics[i].v[m];
    }
    int64_t *est_slot = &metrics[(size_t)i * SP_METRIC_COUNT + SP_METRIC_est_rows];
    *est_slot = est != NULL && est[i] >= 0 && est[i] < 9e18 ? (int64_t)(est[i] + 0.5) : -1;
    cut[i] = r->cut[i];
    if ((in->plan->nodes[i]->ops->flags & SP_NODE_SOURCE) != 0) {
      const int64_t rows = r->metrics[i].v[SP_METRIC_output_rows],
                    gone = r->metrics[i].v[SP_METRIC_rows_removed];
      out->rows_scanned += (rows > 0 ? rows : 0) + (gone > 0 ? gone : 0);
    }
  }
  for (uint32_t i = 0; i < r->n_results; i++) {
    out->rows_returned += r->results[i].rows;
  }
  build_timeline(b, &r->timeline, r->n_nodes, out);
  build_pipelines(b, r, out);
}

/* ---- a failure on its node ---- */
/* The error names a place ("/nodes/3/predicate"); the node written there, or the one whose pointer is the
 * longest prefix, gets it. */
static void mark_error(builder *b, const sp_plan *written, sp_report_plan *plan, const sp_error *e) {
  sp_report_node *nodes = (sp_report_node *)(uintptr_t)plan->nodes;
  size_t best_len = 0;
  int64_t best = -1;
  for (uint32_t i = 0; i < written->n_nodes; i++) {
    const char *ptr = written->nodes[i]->loc.pointer;
    const size_t n = ptr != NULL ? strlen(ptr) : 0;
    if (n > best_len && strncmp(e->pointer, ptr, n) == 0 && (e->pointer[n] == '\0' || e->pointer[n] == '/')) {
      best = i;
      best_len = n;
    }
  }
  if (best >= 0) {
    nodes[best].error =
        e->hint[0] != '\0' ? sp_arena_printf(b->arena, "%s (%s)", e->message, e->hint) : keep(b, e->message);
    b->failed = b->failed || nodes[best].error == NULL;
  }
}

static bool index_plan(builder *b, const sp_plan *p, sp_report_ids *m) {
  if (!sp_report_ids_init(m, b->arena, p != NULL ? p->n_nodes : 0)) {
    return false;
  }
  for (uint32_t i = 0; p != NULL && i < p->n_nodes; i++) {
    sp_report_ids_set(m, sp_sv_from(p->nodes[i]->id), i);
  }
  return true;
}

static void fill(builder *b, const sp_report_inputs *in, sp_report *r) {
  static const char *const names[] = {
#define SP_METRIC(name, cls, unit, doc) #name,
#include "base/metrics.def"
#undef SP_METRIC
  };
  r->format = SP_REPORT_FORMAT;
  r->title = keep(b, in->title);
  r->n_metrics = SP_METRIC_COUNT;
  r->metric_names = names;
  sp_report_plan *plans = ARRAY(b, sp_report_plan, 3);
  sp_report_run *runs = ARRAY(b, sp_report_run, in->n_runs);
  if (plans == NULL || runs == NULL || !index_plan(b, in->resolved, &b->before) ||
      !index_plan(b, in->optimized, &b->after)) {
    b->failed = true;
    return;
  }
  uint32_t n = 0;
  int32_t resolved = -1, optimized = -1;
  if (in->written != NULL) {
    (void)build_plan(b, in->written, "written", "written", NULL, &plans[n++]);
    if (in->error != NULL && !b->failed) {
      mark_error(b, in->written, &plans[n - 1], in->error);
    }
  }
  if (in->resolved != NULL) {
    resolved = (int32_t)n;
    (void)build_plan(b, in->resolved, "resolved", "before",
                     in->trace != NULL ? in->trace->est_rows_before : NULL, &plans[n++]);
  }
  if (in->optimized != NULL) {
    optimized = (int32_t)n;
    (void)build_plan(b, in->optimized, "optimized", "after", in->trace != NULL ? in->trace->est_rows : NULL,
                     &plans[n++]);
  }
  r->plans = plans;
  r->n_plans = n;
  if (b->failed) {
    return;
  }
  if (in->trace != NULL) {
    build_trace(b, in->trace, &r->trace);
  }
  for (uint32_t i = 0; i < in->n_runs && !b->failed; i++) {
    const bool after = in->runs[i].plan == in->optimized;
    build_run(b, &in->runs[i], (uint32_t)(after ? optimized : resolved),
              in->trace == NULL ? NULL
              : after           ? in->trace->est_rows
                                : in->trace->est_rows_before,
              &runs[i]);
  }
  r->runs = runs;
  r->n_runs = in->n_runs;
  if (resolved >= 0 && optimized >= 0 && !b->failed) {
    mark_merged(&plans[optimized], &r->trace);
    sp_report_match_plans(b, r, in->resolved, (uint32_t)resolved, in->optimized, (uint32_t)optimized);
  }
}

sp_status sp_report_build(const sp_report_inputs *in, sp_arena *a, const sp_report **ret, sp_error *err) {
  sp_report *r = SP_ARENA_NEW(a, sp_report);
  SP_TRY_ALLOC(err, r);
  builder b = {.arena = a};
  sp_str_init(&b.text, a->mem, (size_t)TEXT_MAX_MIB << 20);
  fill(&b, in, r);
  sp_str_release(&b.text);
  if (b.text_status == SP_LIMIT) {
    SP_FAIL(err, SP_LIMIT, NULL, "the text of a node passes %d MiB", TEXT_MAX_MIB);
  }
  if (b.failed || b.text_status != SP_OK) {
    return sp_error_nomem(err);
  }
  *ret = r;
  return SP_OK;
}

int64_t sp_report_metric(const sp_report *r, const sp_report_run *run, uint32_t node, const char *metric) {
  for (uint32_t m = 0; m < r->n_metrics; m++) {
    if (strcmp(r->metric_names[m], metric) == 0) {
      return node < run->n_nodes ? run->metrics[(size_t)node * r->n_metrics + m] : -1;
    }
  }
  return -1;
}
