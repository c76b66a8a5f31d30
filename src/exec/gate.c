/* Failures, and whether they matter.
 *
 * With one worker, a pipeline works through its morsels in order and stops at the first failure, or when
 * everybody has had enough. With several workers a morsel may fail that one worker would never have reached.
 * So a failure at ordinal s closes a gate: everything up to s goes on, everything above is dropped; once all
 * is done, the failure counts unless an operator behind the failed one is done.
 *
 * Example: slice 10 rows ◀─ filter ◀─ scan. Worker 2 fails on morsel 5 while worker 1 finds ten rows in
 * morsel 0: the slice is done, nothing has failed. If the slice is one of two branches of a tee, the gate is
 * the branch's: the other branch still gets all morsels. */
#include "exec/internal.h"

sp_gate *sp_gate_new(sp_lower *l, sp_gate *outer) {
  sp_gate *g = SP_ARENA_NEW(l->arena, sp_gate);
  if (g != NULL) {
    atomic_init(&g->fail_source, UINT64_MAX);
    g->outer = outer;
    g->link = l->x->gates;
    l->x->gates = g;
  }
  return g;
}

static bool lies_within(const sp_gate *g, const sp_gate *outer) {
  for (; g != NULL; g = g->outer) {
    if (g == outer) {
      return true;
    }
  }
  return false;
}

sp_gate *sp_gate_common(sp_gate *a, sp_gate *b) {
  while (a != NULL && !lies_within(b, a)) {
    a = a->outer;
  }
  return a;
}

bool sp_gate_closed(const sp_gate *g, uint64_t source) {
  for (; g != NULL; g = g->outer) {
    if (source > atomic_load_explicit(&g->fail_source, memory_order_acquire)) {
      return true;
    }
  }
  return false;
}

void sp_gate_close(sp_gate *g, uint64_t source) {
  uint64_t old = atomic_load(&g->fail_source);
  while (source < old && !atomic_compare_exchange_weak(&g->fail_source, &old, source)) {
  }
}

static bool comes_before(const sp_failure *a, const sp_failure *b) {
  if (a->source != b->source) {
    return a->source < b->source;
  }
  /* Two workers failed on one morsel: one made it, one had taken over what stands behind a reorder, which
   * comes first. */
  if (a->op != b->op) {
    return a->op->index > b->op->index;
  }
  return a->seq < b->seq;
}

/* Whoever has had enough need not know that a row would have failed; but want of memory is never passed over.
 */
static bool matters(const sp_failure *f) {
  return f->status != SP_OK && (f->status == SP_NOMEM || f->op == NULL || !sp_op_done(f->op));
}

void sp_failure_keep_lower(sp_failure *f, const sp_failure *other) {
  if (matters(other) && (f->status == SP_OK || comes_before(other, f))) {
    *f = *other;
  }
}

/* Says which node failed, and turns running out of memory under a limit into what it is. */
sp_status sp_failure_report(sp_exec *x, sp_failure *f, sp_error *err) {
  sp_error *e = &f->error;
  sp_status st = f->status;
  if (st == SP_NOMEM && sp_mem_limit_hit(x->run->mem)) {
    char limit[SP_HUMAN_SIZE];
    char most[SP_HUMAN_SIZE];
    uint32_t top = 0;
    for (uint32_t i = 1; i < x->plan->n_nodes; i++) {
      if (atomic_load(&x->box->accounts[i].live) > atomic_load(&x->box->accounts[top].live)) {
        top = i;
      }
    }
    sp_human_bytes(x->o.memory_limit, limit);
    sp_human_bytes(atomic_load(&x->box->accounts[top].live), most);
    *e = SP_ERROR_INIT;
    st = sp_error_set(e, SP_LIMIT, NULL, "the memory limit of %s is reached; `%s` holds most, %s", limit,
                      x->plan->nodes[top]->id, most);
  } else if (e->status == SP_OK) {
    st = sp_error_set(e, st, NULL, "%s", sp_status_text(st));
  }
  /* The plan was checked: what goes wrong now is a failed execution, not a wrong plan (a file that is gone,
   * say). */
  if (sp_status_exit_code(st) == sp_status_exit_code(SP_INVALID)) {
    st = st == SP_NOT_FOUND ? SP_IO : SP_EXEC;
    e->status = st;
  }
  if (f->op != NULL) {
    sp_error_context(e, "node `%s`", f->op->node->id);
    sp_error_place(e, &f->op->node->loc);
  }
  if (err != NULL && err->status == SP_OK) {
    *err = *e;
  }
  return st;
}

static void forget_error(sp_worker *w) {
  w->failed = NULL;
  w->err->status = SP_OK;
  w->err->message[0] = '\0';
  w->err->hint[0] = '\0';
  w->err->file[0] = '\0';
  w->err->pointer[0] = '\0';
}

bool sp_gate_defer(sp_gate *g, sp_worker *w, sp_operator *op, sp_status st) {
  sp_exec *x = w->exec;
  sp_operator *at = w->failed != NULL ? w->failed : op;
  if (st == SP_NOMEM || !at->may_finish || !lies_within(at->gate, g) || g == &x->root) {
    return false;
  }
  const sp_failure f = {.status = st, .source = w->source, .seq = w->seq, .op = at, .error = *w->err};
  pthread_mutex_lock(&x->failure_lock);
  if (g->failure == NULL) {
    g->failure = sp_mem_calloc(x->engine, sizeof f);
  }
  const bool kept = g->failure != NULL;
  if (kept && (g->failure->status == SP_OK || comes_before(&f, g->failure))) {
    *g->failure = f;
  }
  pthread_mutex_unlock(&x->failure_lock);
  if (kept) {
    sp_gate_close(g, w->source);
    forget_error(w);
  }
  return kept;
}

void sp_gates_collect(sp_exec *x, sp_failure *lowest) {
  for (sp_gate *g = x->gates; g != NULL; g = g->link) {
    if (g->failure != NULL) {
      sp_failure_keep_lower(lowest, g->failure);
      sp_mem_free(x->engine, g->failure, sizeof *g->failure);
      g->failure = NULL;
    }
  }
}
