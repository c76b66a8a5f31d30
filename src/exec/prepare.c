/* Between lowering and running: numbers for operators, their order in each pipeline, who hears of a morsel's
 * end, and the order of pipelines.
 *
 * A pipeline is a small DAG: unions bring several sources together, tees split. Everything that is said once
 * per pipeline (open, flush, finish) is said in a topological order of it. A pipeline runs as late as
 * possible, right before the one that needs it, so that tables are not built long before they are probed.
 *
 * Example: scan a ─▶ build, scan b ─▶ build, scan c ─▶ probe ─▶ probe ─▶ result: the third pipeline is
 * nobody's dependency; from it the other two are found, and run in the order in which the probes were
 * lowered. */
#include "exec/internal.h"

#include <stdlib.h>

#include "base/str.h"

#define SOFT_WALKS 1000 /* wishes about the order of pipelines that are looked into */

typedef struct prep {
  sp_exec *x;
  sp_arena *arena;
  uint32_t *pending;  /* by operator: predecessors not placed yet */
  uint32_t *position; /* by operator: place in its pipeline */
  uint32_t *mark;     /* by operator: last walk that saw it */
  uint32_t walk;
  sp_operator **stack;
} prep;

static uint32_t n_successors(const sp_operator *op) {
  return op->n_branches > 0 ? op->n_branches : op->next != NULL;
}

static sp_operator *successor(const sp_operator *op, uint32_t i) {
  return op->n_branches > 0 ? op->branches[i] : op->next;
}

static bool is_reorder(const sp_operator *op) {
  return op->ops == &sp_reorder_ops;
}

static sp_status number_operators(prep *p, sp_error *err) {
  sp_exec *x = p->x;
  x->n_ops = 0;
  for (sp_operator *op = x->ops; op != NULL; op = op->link) {
    op->index = x->n_ops++;
    if (op->pipeline == NULL) {
      SP_FAIL(err, SP_INTERNAL, NULL, "operator %s of `%s` is in no pipeline", op->ops->name, op->node->id);
    }
    op->pipeline = sp_pipeline_find(op->pipeline);
    op->pipeline->all_ops++;
  }
  const size_t n = x->n_ops;
  p->pending = SP_ARENA_ARRAY(p->arena, uint32_t, n);
  p->position = SP_ARENA_ARRAY(p->arena, uint32_t, n);
  p->mark = SP_ARENA_ARRAY(p->arena, uint32_t, n);
  p->stack = SP_ARENA_ARRAY(p->arena, sp_operator *, n);
  if (p->pending == NULL || p->position == NULL || p->mark == NULL || p->stack == NULL) {
    return sp_error_nomem(err);
  }
  for (const sp_operator *op = x->ops; op != NULL; op = op->link) {
    for (uint32_t i = 0; i < n_successors(op); i++) {
      p->pending[successor(op, i)->index]++;
    }
  }
  return SP_OK;
}

/* Kahn's algorithm with a stack, so that a branch comes out in one piece. */
static sp_status place_operators(prep *p, sp_pipeline *pl, sp_error *err) {
  const uint32_t n = pl->all_ops;
  pl->ops = SP_ARENA_ARRAY(p->arena, sp_operator *, n);
  SP_TRY_ALLOC(err, pl->ops);
  uint32_t depth = 0;
  for (uint32_t i = pl->n_feeds; i-- > 0;) {
    p->stack[depth++] = pl->feeds[i].source;
  }
  while (depth > 0) {
    sp_operator *op = p->stack[--depth];
    p->position[op->index] = pl->n_ops;
    pl->ops[pl->n_ops++] = op;
    pl->has_flush |= op->ops->flush != NULL;
    pl->has_reorder |= is_reorder(op);
    pl->has_idle |= op->ops->idle != NULL;
    for (uint32_t i = n_successors(op); i-- > 0;) {
      sp_operator *to = successor(op, i);
      if (--p->pending[to->index] == 0) {
        p->stack[depth++] = to;
      }
    }
  }
  if (pl->n_ops != n) {
    SP_FAIL(err, SP_INTERNAL, NULL, "a pipeline has %u operators, but its sources reach %u", n, pl->n_ops);
  }
  return SP_OK;
}

static void find_finishers(sp_pipeline *pl) {
  for (uint32_t i = pl->n_ops; i-- > 0;) {
    sp_operator *op = pl->ops[i];
    bool later = n_successors(op) > 0;
    for (uint32_t k = 0; k < n_successors(op); k++) {
      later &= successor(op, k)->may_finish;
    }
    op->may_finish = later || (op->ops->done != NULL && op->n_branches == 0);
  }
}

static int by_position(const void *a, const void *b, void *ctx) {
  const prep *p = ctx;
  const uint32_t x = p->position[(*(sp_operator *const *)a)->index];
  const uint32_t y = p->position[(*(sp_operator *const *)b)->index];
  return (x > y) - (x < y);
}

/* All operators behind `from`; stops at reorders when asked. They are left in p->stack; returns how many. */
static uint32_t reach(prep *p, const sp_operator *from, bool stop_at_reorder) {
  const uint32_t walk = ++p->walk;
  uint32_t n = 0;
  for (uint32_t i = 0; i < n_successors(from); i++) {
    sp_operator *to = successor(from, i);
    if (p->mark[to->index] != walk) {
      p->mark[to->index] = walk;
      p->stack[n++] = to;
    }
  }
  for (uint32_t k = 0; k < n; k++) {
    const sp_operator *op = p->stack[k];
    for (uint32_t i = 0; i < n_successors(op) && !(stop_at_reorder && is_reorder(op)); i++) {
      sp_operator *to = successor(op, i);
      if (p->mark[to->index] != walk) {
        p->mark[to->index] = walk;
        p->stack[n++] = to;
      }
    }
  }
  return n;
}

static sp_status list_ends(prep *p, sp_operator *from, bool itself, sp_ends *ret, sp_error *err) {
  uint32_t n = reach(p, from, true);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (p->stack[i]->ops->end_morsel != NULL) {
      p->stack[kept++] = p->stack[i];
    }
  }
  if (itself && from->ops->end_morsel != NULL) {
    p->stack[kept++] = from;
  }
  qsort_r(p->stack, kept, sizeof(sp_operator *), by_position, p);
  if (kept == 0) {
    return SP_OK;
  }
  ret->ops = sp_arena_copy(p->arena, p->stack, kept * sizeof(sp_operator *));
  SP_TRY_ALLOC(err, ret->ops);
  ret->n = kept;
  return SP_OK;
}

static bool in_ends(const sp_ends *e, const sp_operator *op) {
  for (uint32_t i = 0; i < e->n; i++) {
    if (e->ops[i] == op) {
      return true;
    }
  }
  return false;
}

/* A morsel of the feed ends at a reorder once per way that ends take: straight from the source and through
 * other reorders. */
static sp_status expect_morsels(prep *p, sp_pipeline *pl, uint32_t feed, sp_error *err) {
  const sp_feed *f = &pl->feeds[feed];
  const uint32_t n = reach(p, f->source, false);
  for (uint32_t i = 0; i < n; i++) {
    sp_operator *op = p->stack[i];
    op->first_feed = op->n_feeds == 0 ? feed : op->first_feed;
    op->n_feeds = feed - op->first_feed + 1;
  }
  uint32_t n_reorders = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (is_reorder(p->stack[i])) {
      p->stack[n_reorders++] = p->stack[i];
    }
  }
  for (uint32_t i = 0; i < n_reorders; i++) {
    sp_operator *r = p->stack[i];
    uint32_t times = in_ends(&f->ends, r);
    for (uint32_t k = 0; k < n_reorders; k++) {
      times += k != i && in_ends(sp_reorder_ends(p->stack[k]), r);
    }
    if (!sp_reorder_expect(r, feed, times)) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

static sp_status plan_ends(prep *p, sp_pipeline *pl, sp_error *err) {
  for (uint32_t i = 0; i < pl->n_feeds; i++) {
    SP_TRY(list_ends(p, pl->feeds[i].source, true, &pl->feeds[i].ends, err));
  }
  if (!pl->has_reorder) {
    return SP_OK;
  }
  for (uint32_t i = 0; i < pl->n_ops; i++) {
    if (is_reorder(pl->ops[i])) {
      SP_TRY(list_ends(p, pl->ops[i], false, sp_reorder_ends(pl->ops[i]), err));
    }
  }
  for (uint32_t i = 0; i < pl->n_feeds; i++) {
    SP_TRY(expect_morsels(p, pl, i, err));
  }
  return SP_OK;
}

/* "scan_parquet flights → filter → group_by": the source's kind and id, then kinds. */
static sp_status describe(prep *p, sp_pipeline *pl, sp_error *err) {
  pl->nodes = SP_ARENA_ARRAY(p->arena, uint32_t, pl->n_ops);
  SP_TRY_ALLOC(err, pl->nodes);
  sp_str s;
  sp_str_init(&s, p->x->engine, 400);
  for (uint32_t i = 0; i < pl->n_ops; i++) {
    const sp_operator *op = pl->ops[i];
    bool seen = false;
    for (uint32_t k = pl->n_nodes; k-- > 0 && !seen && pl->n_nodes - k < 64;) {
      seen = pl->nodes[k] == op->node_index;
    }
    if (seen) {
      continue;
    }
    pl->nodes[pl->n_nodes++] = op->node_index;
    if (i == 0) {
      sp_str_addf(&s, "%s %s", op->node->ops->name, op->node->id);
    } else {
      sp_str_addf(&s, " → %s", op->node->ops->name);
    }
  }
  const bool cut = s.status == SP_LIMIT;
  pl->name = cut ? sp_arena_printf(p->arena, "%s…", s.p) : sp_arena_strdup(p->arena, s.p);
  const bool ok = s.status != SP_NOMEM && pl->name != NULL;
  sp_str_release(&s);
  return ok ? SP_OK : sp_error_nomem(err);
}

static sp_status prepare_pipeline(prep *p, sp_pipeline *pl, sp_error *err) {
  SP_TRY(place_operators(p, pl, err));
  find_finishers(pl);
  SP_TRY(plan_ends(p, pl, err));
  for (uint32_t i = 0; i < pl->n_ops; i++) {
    pl->ops[i]->stamps = SP_ARENA_ARRAY(p->arena, sp_stamp, p->x->threads + pl->ops[i]->n_feeds);
    SP_TRY_ALLOC(err, pl->ops[i]->stamps);
  }
  return describe(p, pl, err);
}

/* Does `from` wait, directly or not, for a pipeline that is being visited? */
static bool waits_for_begun(sp_pipeline *from, sp_pipeline **stack, uint32_t walk) {
  uint32_t n = 0;
  stack[n++] = from;
  from->walk = walk;
  while (n > 0) {
    const sp_pipeline *pl = stack[--n];
    if (pl->state == 1) {
      return true;
    }
    for (uint32_t i = 0; i < pl->n_deps && pl->state == 0; i++) {
      sp_pipeline *dep = sp_pipeline_find(pl->deps[i]);
      if (dep->walk != walk) {
        dep->walk = walk;
        stack[n++] = dep;
      }
    }
  }
  return false;
}

/* The next pipeline to run before pl that has not run: those it waits for, after those that it would be good to wait for. */
static sp_pipeline *next_soft(sp_exec *x, sp_pipeline *pl, sp_pipeline **spare) {
  while (pl->next_soft < pl->n_soft) {
    sp_pipeline *dep = sp_pipeline_find(pl->soft[pl->next_soft++]);
    if (dep->state == 0 && x->walks < SOFT_WALKS && !waits_for_begun(dep, spare, ++x->walks)) {
      return dep;
    }
  }
  return NULL;
}

/* Depth first from the pipelines that nobody waits for; a loop, since chains of breakers may be long. */
static sp_status visit(sp_exec *x, sp_pipeline **stack, sp_pipeline **spare, sp_pipeline *start, uint32_t *n,
                       sp_error *err) {
  uint32_t depth = 0;
  stack[depth++] = start;
  start->state = 1;
  while (depth > 0) {
    sp_pipeline *pl = stack[depth - 1];
    sp_pipeline *soft = next_soft(x, pl, spare);
    if (soft != NULL) {
      soft->state = 1;
      stack[depth++] = soft;
      continue;
    }
    if (pl->next_dep < pl->n_deps) {
      sp_pipeline *dep = sp_pipeline_find(pl->deps[pl->next_dep++]);
      if (dep->state == 1) {
        SP_FAIL(err, SP_INTERNAL, NULL, "pipelines wait for each other");
      }
      if (dep->state == 0) {
        dep->state = 1;
        stack[depth++] = dep;
      }
      continue;
    }
    pl->state = 2;
    pl->index = *n;
    x->order[(*n)++] = pl;
    depth--;
  }
  return SP_OK;
}

static sp_status order_pipelines(prep *p, uint32_t n, sp_error *err) {
  sp_exec *x = p->x;
  x->order = SP_ARENA_ARRAY(p->arena, sp_pipeline *, n);
  sp_pipeline **stack = SP_ARENA_ARRAY(p->arena, sp_pipeline *, n);
  sp_pipeline **spare = SP_ARENA_ARRAY(p->arena, sp_pipeline *, n);
  if (x->order == NULL || stack == NULL || spare == NULL) {
    return sp_error_nomem(err);
  }
  for (sp_pipeline *pl = x->pipelines; pl != NULL; pl = pl->link) {
    for (uint32_t i = 0; pl->merged == NULL && i < pl->n_deps; i++) {
      sp_pipeline_find(pl->deps[i])->needed = true;
    }
  }
  uint32_t placed = 0;
  for (sp_pipeline *pl = x->pipelines; pl != NULL; pl = pl->link) {
    if (pl->merged == NULL && !pl->needed && pl->state == 0) {
      SP_TRY(visit(x, stack, spare, pl, &placed, err));
    }
  }
  if (placed != n) {
    SP_FAIL(err, SP_INTERNAL, NULL, "pipelines wait for each other");
  }
  x->n_pipelines = n;
  return SP_OK;
}

sp_status sp_prepare(sp_exec *x, sp_error *err) {
  prep p = {.x = x, .arena = &x->run->arena};
  SP_TRY(number_operators(&p, err));
  uint32_t n = 0;
  for (sp_pipeline *pl = x->pipelines; pl != NULL; pl = pl->link) {
    if (pl->merged == NULL) {
      SP_TRY(prepare_pipeline(&p, pl, err));
      n++;
    }
  }
  SP_TRY(order_pipelines(&p, n, err));
  x->slots = sp_mem_calloc(x->engine, (size_t)x->threads * x->n_ops * sizeof(sp_slot));
  SP_TRY_ALLOC(err, x->slots);
  for (uint32_t i = 0; i < x->threads; i++) {
    x->workers[i].w.slots = x->slots + (size_t)i * x->n_ops;
  }
  return SP_OK;
}
