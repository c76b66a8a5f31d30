/* Running pipelines: one at a time, all workers on it, morsels from one atomic counter.
 *
 *   open in chain order ─▶ morsels ─▶ flush for every worker ─▶ finish in chain order
 *
 * Errors are the same on every run. A worker that fails at ordinal s closes the gate behind s: morsels below
 * s, which have all been started, are finished, those above are dropped. Then the failure with the lowest
 * ordinal wins, unless somebody behind it (a full limit) has had enough by then: a run with one worker would
 * never have come so far, and so it did not happen.
 *
 * Threads are started when the first pipeline has more than one morsel. One worker, the calling thread, does
 * everything else. */
#include "exec/internal.h"

#include <assert.h>

#define SAMPLE_AFTER_NS 5000000
#define PROGRESS_NS 100000000

bool sp_op_done(const sp_operator *op) {
  for (; op != NULL && op->may_finish; op = op->next) {
    if (op->ops->done != NULL && op->ops->done(op)) {
      return true;
    }
  }
  return false;
}

bool sp_exec_check_stop(sp_exec *x, uint64_t tick) {
  if (atomic_load_explicit(&x->stop, memory_order_relaxed) != SP_STOP_NONE) {
    return true;
  }
  int why = SP_STOP_NONE;
  if (x->o.cancel != NULL && *x->o.cancel != 0) {
    why = SP_STOP_CANCEL;
  } else if (x->o.time_limit_ns > 0 && sp_ticks_to_ns(tick - x->start_tick) > x->o.time_limit_ns) {
    why = SP_STOP_TIME;
  }
  if (why != SP_STOP_NONE) {
    atomic_store_explicit(&x->stop, why, memory_order_relaxed);
  }
  return why != SP_STOP_NONE;
}

bool sp_exec_stopped(sp_exec *x) {
  return sp_exec_check_stop(x, sp_ticks());
}

bool sp_should_stop(const sp_operator *op, sp_worker *w) {
  return sp_gate_closed(op->gate, w->source) || sp_exec_check_stop(w->exec, w->tick) ||
         (op->may_finish && sp_op_done(op));
}

/* ---- failures ---- */

static void note_failure(sp_worker_box *b, sp_status st, sp_operator *source) {
  b->failure = (sp_failure){
      .status = st, .source = b->w.source, .seq = b->w.seq, .op = b->w.failed, .error = b->error};
  if (b->failure.op == NULL) {
    b->failure.op = source;
  }
  sp_gate_close(&b->w.exec->root, b->w.source);
}

static sp_status report_stop(const sp_exec *x, sp_error *err) {
  if (atomic_load(&x->stop) == SP_STOP_TIME) {
    char limit[SP_HUMAN_SIZE];
    sp_human_ns(x->o.time_limit_ns, limit);
    SP_FAIL(err, SP_LIMIT, NULL, "the time limit of %s is over", limit);
  }
  SP_FAIL(err, SP_CANCELLED, NULL, "cancelled");
}

/* What came of a step of the current pipeline. */
static sp_status judge(sp_exec *x, sp_error *err) {
  sp_failure lowest = {.status = SP_OK};
  for (uint32_t i = 0; i < x->threads; i++) {
    sp_failure_keep_lower(&lowest, &x->workers[i].failure);
  }
  sp_gates_collect(x, &lowest);
  if (lowest.status != SP_OK) {
    return sp_failure_report(x, &lowest, err);
  }
  return atomic_load(&x->stop) != SP_STOP_NONE ? report_stop(x, err) : SP_OK;
}

/* ---- workers ---- */

sp_status sp_exec_team(sp_exec *x, sp_error *err) {
  if (x->team == NULL && x->threads > 1) {
    SP_TRY(sp_workers_new(x->engine, x->threads, &x->team, err));
  }
  sp_sampler_start(x);
  return SP_OK;
}

static void run_all(sp_exec *x, bool together, void (*fn)(void *ctx, uint32_t worker)) {
  if (together && x->team != NULL) {
    sp_workers_run(x->team, fn, x);
  } else {
    fn(x, 0);
  }
}

static void report_progress(sp_exec *x, uint32_t morsels_begun) {
  const int64_t now = sp_now_ns();
  if (now - x->start_ns > SAMPLE_AFTER_NS) {
    sp_sampler_start(x);
  }
  if (x->o.progress == NULL || now - x->last_progress_ns < PROGRESS_NS) {
    return;
  }
  x->last_progress_ns = now;
  double part = x->n_morsels > 0 ? (double)morsels_begun / (double)x->n_morsels : 0;
  part = part > 1 ? 1 : part;
  x->o.progress(x->o.progress_ctx, ((double)x->n_done + part) / (double)x->n_pipelines,
                atomic_load(&x->rows_seen));
}

sp_status sp_end_morsel(const sp_ends *ends, sp_worker *w) {
  for (uint32_t i = 0; i < ends->n; i++) {
    sp_operator *op = ends->ops[i];
    sp_time_enter(op, w);
    const sp_status st = op->ops->end_morsel(op, w);
    sp_time_leave(op, w);
    if (st != SP_OK) {
      if (w->failed == NULL && st != SP_CANCELLED) {
        w->failed = op;
      }
      return st;
    }
  }
  return SP_OK;
}

static const sp_feed *feed_of(const sp_pipeline *p, uint32_t morsel) {
  uint32_t lo = 0;
  uint32_t hi = p->n_feeds;
  while (hi - lo > 1) {
    const uint32_t mid = lo + (hi - lo) / 2;
    if (p->feeds[mid].first <= morsel) {
      lo = mid;
    } else {
      hi = mid;
    }
  }
  return &p->feeds[lo];
}

/* The end is told also when a failure behind a gate of its own has broken the morsel off: reorders wait for
 * it. */
static sp_status run_morsel(sp_exec *x, sp_worker *w, const sp_feed *f, uint32_t morsel) {
  sp_operator *src = f->source;
  sp_slot *slot = &w->slots[src->index];
  const int64_t rows = slot->rows;
  sp_status st = SP_OK;
  sp_time_enter(src, w);
  const uint64_t start = w->tick;
  if (!sp_gate_closed(src->gate, morsel) && !(src->may_finish && sp_op_done(src))) {
    st = src->ops->morsel(src, w, morsel - f->first);
  }
  sp_time_leave(src, w);
  if (st != SP_OK && st != SP_CANCELLED && x->current->n_feeds > 1 && sp_gate_defer(src->gate, w, src, st)) {
    st = SP_OK;
  }
  const bool broken = sp_exec_check_stop(x, w->tick) || sp_gate_closed(&x->root, morsel);
  if ((st == SP_OK || st == SP_CANCELLED) && !broken) {
    w->source = morsel;
    w->lane = w->index;
    st = sp_end_morsel(&f->ends, w);
    if (st != SP_OK && st != SP_CANCELLED && x->current->n_feeds > 1 &&
        sp_gate_defer(src->gate, w, src, st)) {
      st = SP_OK;
    }
  }
  atomic_fetch_add_explicit(&x->rows_seen, slot->rows - rows, memory_order_relaxed);
  sp_activity_add(x, sp_box_of(w), x->current->index, start, w->tick, slot->rows - rows);
  sp_arena_reset(&w->scratch);
  return st == SP_CANCELLED && !broken ? SP_OK : st;
}

static sp_status run_idle(const sp_pipeline *p, sp_worker *w) {
  for (uint32_t i = 0; p->has_idle && i < p->n_ops; i++) {
    sp_operator *op = p->ops[i];
    if (op->ops->idle != NULL) {
      sp_time_enter(op, w);
      const sp_status st = op->ops->idle(op, w);
      sp_time_leave(op, w);
      if (st != SP_OK) {
        w->failed = w->failed != NULL ? w->failed : op;
        return st;
      }
    }
  }
  return SP_OK;
}

static void work(void *ctx, uint32_t index) {
  sp_exec *x = ctx;
  sp_worker_box *b = &x->workers[index];
  sp_worker *w = &b->w;
  const int64_t cpu = sp_thread_cpu_ns();
  for (;;) {
    const uint32_t m = atomic_fetch_add(&x->next_morsel, 1);
    if (m >= x->n_morsels || sp_gate_closed(&x->root, m) || sp_exec_check_stop(x, sp_ticks())) {
      break;
    }
    w->source = m;
    w->seq = 0;
    w->lane = index;
    const sp_feed *f = feed_of(x->current, m);
    sp_status st = run_morsel(x, w, f, m);
    if (st == SP_OK) {
      st = run_idle(x->current, w);
    }
    if (st != SP_OK) {
      if (st != SP_CANCELLED) {
        note_failure(b, st, f->source);
      }
      break;
    }
    if (index == 0) {
      report_progress(x, m + 1);
    }
  }
  b->cpu_ns += sp_thread_cpu_ns() - cpu;
}

static sp_status flush_operator(sp_operator *op, sp_worker *w) {
  const bool ends = op->ops->end_morsel != NULL && op->ops != &sp_reorder_ops;
  if (op->ops->flush == NULL && !ends) {
    return SP_OK;
  }
  sp_time_enter(op, w);
  sp_status st = op->ops->flush != NULL ? op->ops->flush(op, w) : SP_OK;
  if (st == SP_OK && ends) {
    st = op->ops->end_morsel(op, w);
  }
  sp_time_leave(op, w);
  return st;
}

/* What flushes emit is one more morsel per worker, after all others. */
static void flush_worker(sp_exec *x, uint32_t index) {
  sp_worker_box *b = &x->workers[index];
  sp_worker *w = &b->w;
  const sp_pipeline *p = x->current;
  w->source = (uint64_t)x->n_morsels + index;
  w->seq = 0;
  w->lane = index;
  const uint64_t start = sp_ticks();
  for (uint32_t i = 0; i < p->n_ops; i++) {
    if (sp_gate_closed(p->ops[i]->gate, w->source) || (p->ops[i]->may_finish && sp_op_done(p->ops[i]))) {
      continue;
    }
    const sp_status st = flush_operator(p->ops[i], w);
    if (st != SP_OK) {
      if (st != SP_CANCELLED) {
        note_failure(b, st, p->ops[i]);
      }
      break;
    }
  }
  sp_activity_add(x, b, p->index, start, sp_ticks(), 0);
  sp_arena_reset(&w->scratch);
}

static void flush_work(void *ctx, uint32_t index) {
  sp_exec *x = ctx;
  const int64_t cpu = sp_thread_cpu_ns();
  flush_worker(x, index);
  x->workers[index].cpu_ns += sp_thread_cpu_ns() - cpu;
}

static void flush_all(sp_exec *x) {
  if (x->team != NULL && !x->current->has_reorder) {
    sp_workers_run(x->team, flush_work, x);
    return;
  }
  for (uint32_t i = 0; i < x->threads && atomic_load(&x->root.fail_source) == UINT64_MAX; i++) {
    flush_worker(x, i);
  }
}

/* ---- a step by one thread on all operators ---- */

typedef sp_status (*sp_hook)(sp_operator *op, sp_exec *x, sp_error *err);

static sp_status call_hook(sp_operator *op, sp_hook hook, sp_error *err) {
  if (hook == NULL) {
    return SP_OK;
  }
  sp_exec *x = op->exec;
  sp_worker *w = &x->workers[0].w;
  sp_failure f = {.op = op, .error = SP_ERROR_INIT};
  w->source = 0;
  w->seq = 0;
  sp_time_enter(op, w);
  const uint64_t start = w->tick;
  f.status = hook(op, x, &f.error);
  sp_time_leave(op, w);
  sp_activity_add(x, &x->workers[0], op->pipeline->index, start, w->tick, 0);
  if (f.status == SP_CANCELLED && atomic_load(&x->stop) != SP_STOP_NONE) {
    return report_stop(x, err);
  }
  if (f.status != SP_OK) {
    return sp_failure_report(x, &f, err);
  }
  return sp_exec_check_stop(x, w->tick) ? report_stop(x, err) : SP_OK;
}

static sp_status open_pipeline(sp_exec *x, sp_pipeline *p, sp_error *err) {
  for (uint32_t i = 0; i < p->n_ops; i++) {
    SP_TRY(call_hook(p->ops[i], p->ops[i]->ops->open, err));
  }
  uint64_t total = 0;
  for (uint32_t i = 0; i < p->n_feeds; i++) {
    sp_feed *f = &p->feeds[i];
    f->first = (uint32_t)total;
    f->n = f->source->ops->morsels(f->source);
    total += f->n;
    if (total > UINT32_MAX / 2) {
      SP_FAIL(err, SP_LIMIT, NULL, "node `%s`: more than %u morsels", f->source->node->id, UINT32_MAX / 2);
    }
  }
  x->n_morsels = (uint32_t)total;
  return SP_OK;
}

static sp_status finish_pipeline(sp_exec *x, sp_pipeline *p, sp_error *err) {
  const int64_t cpu = sp_thread_cpu_ns();
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < p->n_ops && st == SP_OK; i++) {
    st = call_hook(p->ops[i], p->ops[i]->ops->finish, err);
  }
  x->workers[0].cpu_ns += sp_thread_cpu_ns() - cpu;
  return st;
}

static void reset_workers(sp_exec *x) {
  for (uint32_t i = 0; i < x->threads; i++) {
    sp_worker_box *b = &x->workers[i];
    b->failure.status = SP_OK;
    b->error.status = SP_OK;
    b->error.message[0] = '\0';
    b->w.failed = NULL;
    b->memo.n = 0;
  }
  atomic_store(&x->root.fail_source, UINT64_MAX);
  atomic_store(&x->next_morsel, 0);
}

static sp_status run_pipeline(sp_exec *x, sp_pipeline *p, sp_error *err) {
  x->current = p;
  x->n_morsels = 0;
  reset_workers(x);
  SP_TRY(open_pipeline(x, p, err));
  if (x->n_morsels > 1) {
    SP_TRY(sp_exec_team(x, err));
  }
  run_all(x, x->n_morsels > 1, work);
  SP_TRY(judge(x, err));
  reset_workers(x);
  if (p->has_flush) {
    flush_all(x);
    SP_TRY(judge(x, err));
  }
  sp_metrics_cut(x, p);
  SP_TRY(finish_pipeline(x, p, err));
  x->n_done++;
  report_progress(x, 0);
  return SP_OK;
}

sp_status sp_schedule_run(sp_exec *x, sp_error *err) {
  for (uint32_t i = 0; i < x->n_pipelines; i++) {
    const sp_status st = run_pipeline(x, x->order[i], err);
    sp_metrics_spread_cpu(x, x->order[i]);
    SP_TRY(st);
  }
  for (sp_operator *op = x->ops; op != NULL; op = op->link) {
    SP_TRY(call_hook(op, op->ops->commit, err));
  }
  return SP_OK;
}

/* ---- inside finish ---- */

typedef struct parallel_run {
  sp_operator *op;
  sp_status (*fn)(void *ctx, uint32_t i, sp_worker *w);
  void *ctx;
  uint32_t n;
  _Atomic uint32_t next;
} parallel_run;

static void parallel_work(void *ctx, uint32_t index) {
  parallel_run *r = ctx;
  sp_exec *x = r->op->exec;
  sp_worker_box *b = &x->workers[index];
  sp_worker *w = &b->w;
  const int64_t cpu = index > 0 ? sp_thread_cpu_ns() : 0;
  for (;;) {
    const uint32_t i = atomic_fetch_add(&r->next, 1);
    if (i >= r->n || sp_gate_closed(&x->root, i) || sp_exec_check_stop(x, sp_ticks())) {
      break;
    }
    w->source = i;
    w->seq = 0;
    sp_time_enter(r->op, w);
    const uint64_t start = w->tick;
    const sp_status st = r->fn(r->ctx, i, w);
    sp_time_leave(r->op, w);
    sp_activity_add(x, b, r->op->pipeline->index, start, w->tick, 0);
    sp_arena_reset(&w->scratch);
    if (st != SP_OK) {
      note_failure(b, st, r->op);
      break;
    }
  }
  if (index > 0) {
    b->cpu_ns += sp_thread_cpu_ns() - cpu;
  }
}

sp_status sp_exec_parallel(sp_operator *op, uint32_t n, sp_status (*fn)(void *ctx, uint32_t i, sp_worker *w),
                           void *ctx, sp_error *err) {
  sp_exec *x = op->exec;
  parallel_run r = {.op = op, .fn = fn, .ctx = ctx, .n = n};
  sp_worker *me = &x->workers[0].w;
  sp_time_leave(op, me); /* the caller's own time up to here */
  reset_workers(x);
  if (n > 1) {
    SP_TRY(sp_exec_team(x, err));
  }
  if (n > 1 && x->team != NULL) {
    sp_workers_run(x->team, parallel_work, &r);
  } else {
    parallel_work(&r, 0);
  }
  sp_time_waited(op, me);
  sp_failure lowest = {.status = SP_OK};
  for (uint32_t i = 0; i < x->threads; i++) {
    const sp_failure *f = &x->workers[i].failure;
    if (f->status != SP_OK && (lowest.status == SP_OK || f->source < lowest.source)) {
      lowest = *f;
    }
  }
  reset_workers(x);
  if (lowest.status != SP_OK) {
    if (err != NULL && err->status == SP_OK) {
      *err = lowest.error;
    }
    return lowest.status;
  }
  return atomic_load(&x->stop) != SP_STOP_NONE ? SP_CANCELLED : SP_OK;
}
