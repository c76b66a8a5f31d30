/* Passing batches on, and what that counts (DESIGN.md section 8).
 *
 * Every boundary between two operators is crossed twice, going down and coming back, with one clock read
 * each: time between two reads belongs to whoever ran. Counters are one slot per operator and worker, added
 * to without atomics and summed up when the run is over.
 *
 * Example: scan ─▶ filter ─▶ result. The scan's emit ends the scan's interval and starts the filter's; the
 * filter's emit ends that and starts the result's; returning twice starts the filter's and the scan's next
 * ones.
 *
 * Bytes are logical and exact. Fixed widths cost a multiplication; lengths of strings are summed once per
 * column and selection: the memo is a stack that follows the nesting of emits, so an entry lives no longer
 * than the batch it was made for. */
#include "exec/internal.h"

#include <assert.h>

static sp_slot *slot_of(const sp_operator *op, sp_worker *w) {
  return &w->slots[op->index];
}

static void note_activity(sp_slot *s, uint64_t from, uint64_t to) {
  s->busy += to - from;
  if (s->first == 0) {
    s->first = from;
  }
  s->last = to;
}

void sp_time_enter(sp_operator *op, sp_worker *w) {
  w->tick = sp_ticks();
  sp_slot *s = slot_of(op, w);
  if (s->first == 0) {
    s->first = w->tick;
  }
}

void sp_time_leave(sp_operator *op, sp_worker *w) {
  const uint64_t now = sp_ticks();
  note_activity(slot_of(op, w), w->tick, now);
  w->tick = now;
}

void sp_time_waited(sp_operator *op, sp_worker *w) {
  const uint64_t now = sp_ticks();
  slot_of(op, w)->wait += now - w->tick;
  w->tick = now;
}

static int64_t string_bytes(sp_worker_box *w, const sp_column *c, const sp_batch *b) {
  sp_bytes_memo *m = &w->memo;
  for (uint32_t i = m->n; i-- > 0;) {
    if (m->e[i].col == c && m->e[i].sel == b->sel && m->e[i].rows == b->n_rows) {
      return m->e[i].bytes;
    }
  }
  const int64_t bytes = sp_logical_string_bytes(&w->dicts, c, b->sel, b->n_rows);
  if (m->n < SP_BYTES_MEMO) {
    m->e[m->n].col = c;
    m->e[m->n].sel = b->sel;
    m->e[m->n].rows = b->n_rows;
    m->e[m->n].bytes = bytes;
    m->n++;
  }
  return bytes;
}

static int64_t batch_bytes(sp_worker_box *w, const sp_batch *b) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < b->n_cols; i++) {
    const sp_column *c = b->cols[i];
    if (sp_type_is_bytes(c->type)) {
      sum += string_bytes(w, c, b);
    } else {
      sum += (int64_t)b->n_rows * (c->type->width + (c->validity != NULL));
    }
  }
  return sum;
}

/* Has somebody with a smaller ordinal failed, or has the run been stopped? */
static bool blocked(const sp_operator *to, sp_worker *w) {
  return sp_gate_closed(to->gate, w->source) || sp_exec_check_stop(w->exec, w->tick);
}

static uint64_t next_seq(sp_operator *op, const sp_worker *w) {
  const uint32_t threads = w->exec->threads;
  sp_stamp *st = &op->stamps[w->lane < threads ? w->lane : w->lane - op->first_feed];
  if (st->source != w->source) {
    st->source = w->source;
    st->next = 0;
  }
  return st->next++;
}

sp_status sp_emit_to(sp_operator *op, sp_operator *to, sp_worker *w, const sp_batch *b) {
  assert(to != NULL);
  if (b->n_rows == 0) {
    return SP_OK;
  }
  sp_bytes_memo *memo = &sp_box_of(w)->memo;
  const uint32_t memo_n = memo->n;
  sp_slot *from = slot_of(op, w);
  sp_slot *at = slot_of(to, w);
  from->rows += b->n_rows;
  if (!op->times_only) {
    from->bytes += batch_bytes(sp_box_of(w), b);
  }
  if (to->node_index != op->node_index && !to->counts_input) {
    at->input_rows += b->n_rows;
  }
  uint64_t now = sp_ticks();
  note_activity(from, w->tick, now);
  w->tick = now;
  sp_status st = SP_CANCELLED;
  if (!blocked(to, w)) {
    const uint64_t seq = w->seq;
    w->seq = next_seq(op, w);
    if (at->first == 0) {
      at->first = now;
    }
    st = to->ops->push(to, w, b);
    if (st != SP_OK && st != SP_CANCELLED && w->failed == NULL) {
      w->failed = to;
    } else if (st == SP_OK) {
      w->seq = seq;
    }
    now = sp_ticks();
    note_activity(at, w->tick, now);
    w->tick = now;
  }
  memo->n = memo_n;
  return st;
}

sp_status sp_emit(sp_operator *op, sp_worker *w, const sp_batch *b) {
  return sp_emit_to(op, op->next, w, b);
}

sp_status sp_emit_take(sp_operator *op, sp_worker *w, sp_batch *b) {
  SP_TRY_ALLOC(w->err, b);
  const sp_status st = sp_emit_to(op, op->next, w, b);
  sp_batch_unref(b);
  return st;
}

void sp_metric_add(sp_operator *op, sp_metric m, int64_t v) {
  _Atomic int64_t *c = &op->exec->counters[(size_t)op->node_index * SP_METRIC_COUNT + m];
  _Atomic uint32_t *touched = &op->exec->touched[op->node_index];
  atomic_fetch_add_explicit(c, v, memory_order_relaxed);
  if ((atomic_load_explicit(touched, memory_order_relaxed) & (1U << m)) == 0) {
    atomic_fetch_or_explicit(touched, 1U << m, memory_order_relaxed);
  }
}
_Static_assert(SP_METRIC_COUNT <= 32, "one bit per metric");

/* ---- after a pipeline ---- */

/* A worker's thread time in a pipeline, shared out by how long each operator was busy on it. */
static void spread(const sp_pipeline *p, sp_worker_box *b) {
  if (b->cpu_ns == 0) {
    return;
  }
  uint64_t busy = 0;
  for (uint32_t i = 0; i < p->n_ops; i++) {
    busy += b->w.slots[p->ops[i]->index].busy;
  }
  for (uint32_t i = 0; i < p->n_ops && busy > 0; i++) {
    sp_operator *op = p->ops[i];
    const double share = (double)b->w.slots[op->index].busy / (double)busy;
    sp_metric_add(op, SP_METRIC_cpu_ns, (int64_t)(share * (double)b->cpu_ns));
  }
  b->total_cpu_ns += b->cpu_ns;
  b->cpu_ns = 0;
}

void sp_metrics_spread_cpu(sp_exec *x, sp_pipeline *p) {
  for (uint32_t i = 0; i < x->threads; i++) {
    spread(p, &x->workers[i]);
  }
}

/* Whatever stands before an operator that has had enough was stopped at a point that timing decides. */
void sp_metrics_cut(sp_exec *x, sp_pipeline *p) {
  for (uint32_t i = 0; i < p->n_ops; i++) {
    const sp_operator *op = p->ops[i];
    if (!op->times_only && op->next != NULL && op->next->may_finish && sp_op_done(op->next)) {
      x->run->cut[op->node_index] = true;
    }
  }
}

/* ---- after the run ---- */

static void add_to(int64_t *metric, int64_t v) {
  *metric = (*metric < 0 ? 0 : *metric) + v;
}

typedef struct node_span {
  uint64_t first, last;
} node_span;

static void collect_slot(sp_metrics *m, node_span *span, const sp_operator *op, const sp_slot *s) {
  if (s->first == 0) {
    return;
  }
  m->v[SP_METRIC_output_rows] += op->times_only ? 0 : s->rows;
  m->v[SP_METRIC_output_bytes] += s->bytes;
  m->v[SP_METRIC_busy_ns] += sp_ticks_to_ns(s->busy);
  m->v[SP_METRIC_wait_ns] += sp_ticks_to_ns(s->wait);
  if (span->first == 0 || s->first < span->first) {
    span->first = s->first;
  }
  if (s->last > span->last) {
    span->last = s->last;
  }
}

static void start_node(const sp_plan *plan, uint32_t node, sp_metrics *m) {
  static const sp_metric measured[] = {SP_METRIC_output_rows, SP_METRIC_output_bytes, SP_METRIC_busy_ns,
                                       SP_METRIC_cpu_ns,      SP_METRIC_span_ns,      SP_METRIC_wait_ns};
  for (size_t i = 0; i < sizeof measured / sizeof measured[0]; i++) {
    m->v[measured[i]] = 0;
  }
  if (plan->nodes[node]->n_inputs > 0) {
    m->v[SP_METRIC_input_rows] = 0;
  }
}

/* Sums slots per node. Nodes that this run did not lower stay at -1 throughout. */
void sp_metrics_collect(sp_exec *x) {
  sp_metrics *metrics = x->run->metrics;
  const uint32_t n = x->plan->n_nodes;
  node_span *spans = sp_mem_calloc(x->engine, n * sizeof(node_span));
  if (spans == NULL) {
    atomic_store(&x->starved, true);
    return;
  }
  for (const sp_operator *op = x->ops; op != NULL; op = op->link) {
    sp_metrics *m = &metrics[op->node_index];
    if (m->v[SP_METRIC_output_rows] < 0) {
      start_node(x->plan, op->node_index, m);
    }
    for (uint32_t i = 0; i < x->threads && x->slots != NULL; i++) {
      const sp_slot *s = &x->workers[i].w.slots[op->index];
      collect_slot(m, &spans[op->node_index], op, s);
      if (m->v[SP_METRIC_input_rows] >= 0) {
        m->v[SP_METRIC_input_rows] += s->input_rows;
      }
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    sp_metrics *m = &metrics[i];
    if (spans[i].first != 0) {
      m->v[SP_METRIC_span_ns] = sp_ticks_to_ns(spans[i].last - spans[i].first);
    }
    for (uint32_t k = 0; k < SP_METRIC_COUNT && x->counters != NULL; k++) {
      if ((atomic_load(&x->touched[i]) & (1U << k)) != 0) {
        add_to(&m->v[k], atomic_load(&x->counters[(size_t)i * SP_METRIC_COUNT + k]));
      }
    }
  }
  sp_mem_free(x->engine, spans, n * sizeof(node_span));
}

/* Once the operators have let go of everything. */
sp_status sp_metrics_memory(sp_exec *x) {
  sp_run_box *box = x->box;
  for (uint32_t i = 0; i < x->plan->n_nodes; i++) {
    sp_metrics *m = &x->run->metrics[i];
    const sp_mem *a = &box->accounts[i];
    if (m->v[SP_METRIC_output_rows] < 0) {
      continue;
    }
    m->v[SP_METRIC_mem_current_bytes] = atomic_load(&a->live);
    m->v[SP_METRIC_mem_peak_bytes] = atomic_load(&a->peak);
    m->v[SP_METRIC_mem_alloc_count] = atomic_load(&a->allocs);
    m->v[SP_METRIC_mem_at_query_peak_bytes] = sp_mem_watch_at_peak(box->watch, a);
  }
  x->run->peak_bytes = sp_mem_watch_peak(box->watch);
  return SP_OK;
}
