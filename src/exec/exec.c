/* One run from options to figures (see exec.h).
 *
 *   accounts, pool ─▶ lower ─▶ prepare ─▶ pipelines ─▶ commit ─▶ let go of operators ─▶ figures
 *
 * The run that comes back owns its accounts, since its results are charged to them. It holds everything else
 * in its arena.
 *
 * Example: sp_exec_run(plan, &options, mem, &run, &err), print run->results[0], run = sp_run_free(run). */
#include "exec/internal.h"

#define TRIM_WORTH ((int64_t)8 << 20) /* idle bytes from which asking the system to take them back pays */
#define BATCH_BYTES (512 << 10)
#define BATCH_ROWS_MIN 64

void sp_exec_options_init(sp_exec_options *o) {
  *o = (sp_exec_options){.keep_rows = -1};
}

sp_maker sp_maker_of(const sp_operator *op) {
  return (sp_maker){op->mem, op->exec->box->pool};
}

uint32_t sp_exec_threads(const sp_exec *x) {
  return x->threads;
}
int64_t sp_exec_memory_limit(const sp_exec *x) {
  return x->o.memory_limit;
}

bool sp_exec_failed(const sp_exec *x) {
  return x->run->status != SP_OK;
}

uint32_t sp_exec_batch_rows(const sp_exec *x, const sp_schema *s) {
  if (x->o.batch_rows > 0) {
    return x->o.batch_rows < SP_BATCH_ROWS_MAX ? x->o.batch_rows : SP_BATCH_ROWS_MAX;
  }
  uint64_t width = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    width += s->fields[i].type->width;
  }
  uint32_t rows = SP_BATCH_ROWS;
  while (rows > BATCH_ROWS_MIN && rows * width > BATCH_BYTES) {
    rows /= 2;
  }
  return rows;
}

/* ---- what outlives the run ---- */

static sp_run_box *box_new(const sp_plan *plan, const sp_exec_options *o, sp_mem *parent) {
  sp_run_box *b = sp_mem_calloc(parent, sizeof *b);
  if (b == NULL) {
    return NULL;
  }
  b->parent = parent;
  sp_mem_init(&b->mem, parent, "query");
  b->mem.limit = o->memory_limit;
  b->run.mem = &b->mem;
  b->n_accounts = plan->n_nodes + 2;
  b->accounts = sp_mem_calloc(&b->mem, b->n_accounts * sizeof(sp_mem));
  if (b->accounts == NULL) {
    sp_mem_release(&b->mem);
    sp_mem_free(parent, b, sizeof *b);
    return NULL;
  }
  for (uint32_t i = 0; i < b->n_accounts; i++) {
    const char *name = i < plan->n_nodes    ? plan->nodes[i]->id
                       : i == plan->n_nodes ? "engine"
                                            : "idle buffers";
    sp_mem_init(&b->accounts[i], &b->mem, name);
  }
  sp_arena_init(&b->run.arena, &b->accounts[plan->n_nodes]);
  return b;
}

static bool box_fill(sp_run_box *b, const sp_plan *plan) {
  sp_run *r = &b->run;
  r->n_nodes = plan->n_nodes;
  r->metrics = SP_ARENA_ARRAY(&r->arena, sp_metrics, plan->n_nodes);
  r->cut = SP_ARENA_ARRAY(&r->arena, bool, plan->n_nodes);
  b->watch = sp_mem_watch_new(&b->mem, b->n_accounts);
  b->pool = sp_pool_new(&b->accounts[plan->n_nodes + 1]);
  if (r->metrics == NULL || r->cut == NULL || b->watch == NULL || b->pool == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < plan->n_nodes; i++) {
    memset(&r->metrics[i], 0xff, sizeof r->metrics[i]); /* -1: not measured */
  }
  for (uint32_t i = 0; i < b->n_accounts; i++) {
    sp_mem_watch_add(b->watch, &b->accounts[i]);
  }
  r->returned_bytes = -1;
  return true;
}

static void drop_results(sp_run *r) {
  for (uint32_t i = 0; r->results != NULL && i < r->n_results; i++) {
    for (uint32_t k = 0; k < r->results[i].n_batches; k++) {
      sp_batch_unref(r->results[i].batches[k]);
    }
    r->results[i].n_batches = 0;
    r->results[i].head_rows = r->results[i].tail_rows = 0;
  }
}

/* The sampler is gone by now: what is resident after the run counts for the peak too. */
static void note_rss_after(sp_run *r) {
  r->rss_after = sp_mem_rss_now();
  if (r->rss_peak < r->rss_after.resident) {
    r->rss_peak = r->rss_after.resident;
  }
}

void sp_run_drop_results(sp_run *r) {
  drop_results(r);
  (void)sp_pool_trim(((sp_run_box *)r)->pool);
  r->returned_bytes = (r->returned_bytes > 0 ? r->returned_bytes : 0) + sp_mem_trim();
  note_rss_after(r);
}

sp_run *sp_run_free(sp_run *r) {
  if (r == NULL) {
    return NULL;
  }
  sp_run_box *b = (sp_run_box *)r;
  drop_results(r);
  sp_arena_release(&r->arena);
  sp_pool_unref(b->pool);
  sp_mem_watch_unref(b->watch);
  for (uint32_t i = 0; i < b->n_accounts; i++) {
    sp_mem_release(&b->accounts[i]);
  }
  sp_mem_free(&b->mem, b->accounts, b->n_accounts * sizeof(sp_mem));
  sp_mem_release(&b->mem);
  sp_mem_free(b->parent, b, sizeof *b);
  return NULL;
}

/* ---- the machinery ---- */

static sp_status exec_init(sp_exec *x, sp_run_box *box, const sp_plan *plan, const sp_exec_options *o,
                           sp_error *err) {
  x->box = box;
  x->run = &box->run;
  x->plan = plan;
  x->o = *o;
  x->engine = &box->accounts[plan->n_nodes];
  x->threads = o->threads == 0 ? sp_cpu_count() : o->threads;
  x->ops_end = &x->ops;
  x->pipelines_end = &x->pipelines;
  x->start_ns = sp_now_ns();
  x->start_tick = sp_ticks();
  x->last_progress_ns = x->start_ns;
  atomic_init(&x->root.fail_source, UINT64_MAX);
  pthread_mutex_init(&x->failure_lock, NULL);
  sp_sampler_init(x);
  x->run->threads = x->threads;
  if (x->threads > SP_WORKERS_MAX) {
    x->threads = 0;
    SP_FAIL(err, SP_LIMIT, NULL, "%u threads asked for, at most %d are possible", o->threads, SP_WORKERS_MAX);
  }
  const size_t n_counters = (size_t)plan->n_nodes * SP_METRIC_COUNT;
  x->counters = sp_mem_calloc(x->engine, n_counters * sizeof *x->counters);
  SP_TRY_ALLOC(err, x->counters);
  x->touched = sp_mem_calloc(x->engine, plan->n_nodes * sizeof *x->touched);
  SP_TRY_ALLOC(err, x->touched);
  x->workers = sp_mem_calloc(x->engine, x->threads * sizeof(sp_worker_box));
  SP_TRY_ALLOC(err, x->workers);
  for (uint32_t i = 0; i < x->threads; i++) {
    sp_worker *w = &x->workers[i].w;
    w->exec = x;
    w->index = i;
    w->lane = i;
    w->err = &x->workers[i].error;
    sp_arena_init(&w->scratch, x->engine);
  }
  return SP_OK;
}

static void close_operators(sp_exec *x) {
  for (sp_operator *op = x->ops; op != NULL; op = op->link) {
    if (op->ops->close != NULL) {
      op->ops->close(op);
    }
  }
}

static void exec_release(sp_exec *x) {
  x->team = sp_workers_unref(x->team);
  sp_sampler_release(x);
  for (uint32_t i = 0; x->workers != NULL && i < x->threads; i++) {
    sp_worker_box *b = &x->workers[i];
    sp_arena_release(&b->w.scratch);
    sp_mem_free(x->engine, b->log.e, b->log.cap * sizeof *b->log.e);
  }
  for (sp_gate *g = x->gates; g != NULL; g = g->link) {
    sp_mem_free(x->engine, g->failure, g->failure != NULL ? sizeof *g->failure : 0);
  }
  sp_mem_free(x->engine, x->slots, (size_t)x->threads * x->n_ops * sizeof(sp_slot));
  sp_mem_free(x->engine, x->workers, x->threads * sizeof(sp_worker_box));
  sp_mem_free(x->engine, (void *)x->counters,
              (size_t)x->plan->n_nodes * SP_METRIC_COUNT * sizeof *x->counters);
  sp_mem_free(x->engine, (void *)x->touched, x->plan->n_nodes * sizeof *x->touched);
  pthread_mutex_destroy(&x->failure_lock);
}

/* A scan that rows were kept from by a filter learnt at run time reads what chance leaves to it, and so do
 * the nodes up to the owner. */
static void cut_by_filters(sp_exec *x) {
  for (const sp_filter_path *p = x->filter_paths; p != NULL; p = p->link) {
    for (uint32_t i = 0; atomic_load(&p->filter->ready) && i < p->n; i++) {
      x->run->cut[p->nodes[i]] = true;
    }
  }
}

static sp_status keep_pipelines(sp_exec *x, sp_error *err) {
  sp_pipeline_info *info = SP_ARENA_ARRAY(&x->run->arena, sp_pipeline_info, x->n_pipelines);
  SP_TRY_ALLOC(err, info);
  for (uint32_t i = 0; i < x->n_pipelines; i++) {
    info[i] = (sp_pipeline_info){
        .name = x->order[i]->name, .n_nodes = x->order[i]->n_nodes, .nodes = x->order[i]->nodes};
  }
  x->run->pipelines = info;
  x->run->n_pipelines = x->n_pipelines;
  return SP_OK;
}

/* Figures that stay right whatever happened; fails only for want of memory. */
static sp_status collect(sp_exec *x, int64_t cpu_ns, sp_error *err) {
  sp_run *r = x->run;
  cut_by_filters(x);
  for (sp_operator *op = x->ops; op != NULL; op = op->link) {
    if (op->ops->report != NULL) {
      op->ops->report(op);
    }
  }
  sp_metrics_collect(x);
  r->cpu_ns = cpu_ns;
  for (uint32_t i = 1; i < x->threads; i++) {
    r->cpu_ns += x->workers[i].total_cpu_ns;
  }
  SP_TRY(keep_pipelines(x, err));
  if (!sp_activity_keep(x)) {
    return sp_error_nomem(err);
  }
  return SP_OK;
}

static sp_status run_all(sp_exec *x, sp_error *err) {
  sp_sampler_sample(x);
  SP_TRY(sp_lower_plan_all(x, err));
  SP_TRY(sp_prepare(x, err));
  return sp_schedule_run(x, err);
}

static void settle(sp_exec *x, sp_status st, int64_t cpu_before) {
  sp_run *r = x->run;
  r->status = st;
  r->wall_ns = sp_now_ns() - x->start_ns;
  if (x->workers == NULL || x->counters == NULL) {
    return; /* it never began */
  }
  sp_sampler_stop(x);
  sp_sampler_sample(x);
  sp_error err = SP_ERROR_INIT;
  sp_status figures = collect(x, sp_thread_cpu_ns() - cpu_before, &err);
  close_operators(x);
  if (st != SP_OK) {
    drop_results(r);
  }
  const int64_t trimmed = sp_pool_trim(x->box->pool);
  sp_metrics_memory(x);
  if (figures == SP_OK && (!sp_timeline_keep(x) || atomic_load(&x->starved))) {
    figures = sp_error_nomem(&err);
  }
  if (trimmed >= TRIM_WORTH) {
    r->returned_bytes = sp_mem_trim();
  }
  if (st == SP_OK && figures != SP_OK) {
    r->status = figures;
    r->error = err;
    drop_results(r);
  }
}

sp_status sp_exec_run(const sp_plan *plan, const sp_exec_options *o, sp_mem *mem, sp_run **ret,
                      sp_error *err) {
  *ret = NULL;
  sp_run_box *box = box_new(plan, o, mem);
  SP_TRY_ALLOC(err, box);
  sp_run *r = &box->run;
  r->rss_before = sp_mem_rss_now();
  if (!box_fill(box, plan)) {
    sp_run_free(r);
    return sp_error_nomem(err);
  }
  const int64_t cpu = sp_thread_cpu_ns();
  sp_exec x = {.box = NULL};
  sp_status st = exec_init(&x, box, plan, o, &r->error);
  if (st == SP_OK) {
    st = run_all(&x, &r->error);
  }
  settle(&x, st, cpu);
  exec_release(&x);
  note_rss_after(r);
  if (r->status != SP_OK && err != NULL && err->status == SP_OK) {
    *err = r->error;
  }
  *ret = r;
  return r->status;
}
