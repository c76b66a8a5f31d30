/* filter: a selection over the same columns.
 *
 * The predicate's conjuncts run as one program. A batch that loses nothing goes on as it is; one that keeps
 * little is compacted and gathered with others of its morsel, since what follows pays per batch.
 *
 *   batch of 8,192 rows, 5,000 pass: new header, same columns, 5,000 row numbers
 *   batch of 8,192 rows,    20 pass: 20 rows copied, waiting for more */
#include "exec/operator.h"
#include "expr/program.h"

typedef struct filter {
  sp_program *program;
} filter;

typedef struct filter_local {
  sp_program_state *state;
  sp_coalesce small;
} filter_local;

static sp_status local_of(sp_operator *op, sp_worker *w, filter_local **ret) {
  if (op->local[w->index] == NULL) {
    filter_local *mine = sp_mem_calloc(op->mem, sizeof *mine);
    SP_TRY_ALLOC(w->err, mine);
    op->local[w->index] = mine;
    mine->state = sp_program_state_new(((const filter *)op->shared)->program, op->mem);
  }
  *ret = op->local[w->index];
  SP_TRY_ALLOC(w->err, (*ret)->state);
  return SP_OK;
}

static sp_status pass(sp_operator *op, sp_worker *w, filter_local *mine, const sp_batch *in, sp_buf *sel,
                      uint32_t n) {
  if (n == 0 || n == in->n_rows) {
    sp_buf_unref(sel);
    return n == 0 ? SP_OK : sp_coalesce_add(&mine->small, op, w, in);
  }
  sel->size = n * sizeof(uint16_t);
  sp_batch *b = sp_batch_select(op->mem, in, sel, n);
  SP_TRY_ALLOC(w->err, b);
  const sp_status st = sp_coalesce_add(&mine->small, op, w, b);
  sp_batch_unref(b);
  return st;
}

static sp_status filter_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  const filter *f = op->shared;
  filter_local *mine = NULL;
  SP_TRY(local_of(op, w, &mine));
  const sp_maker mk = sp_maker_of(op);
  sp_buf *sel = sp_buf_new(mk.pool, mk.mem, in->n_rows * sizeof(uint16_t));
  SP_TRY_ALLOC(w->err, sel);
  const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = (void *)(uintptr_t)in};
  uint32_t n = 0;
  const sp_status st = sp_program_filter(f->program, mine->state, mk, &fetch, in->length, in->sel, in->n_rows,
                                         (uint16_t *)(void *)sel->data, &n, w->err);
  if (st != SP_OK) {
    sp_buf_unref(sel);
    return st;
  }
  sp_metric_add(op, SP_METRIC_rows_removed, in->n_rows - n);
  return pass(op, w, mine, in, sel, n);
}

static sp_status filter_end(sp_operator *op, sp_worker *w) {
  filter_local *mine = op->local[w->index];
  return mine != NULL ? sp_coalesce_flush(&mine->small, op, w) : SP_OK;
}

static void filter_close(sp_operator *op) {
  filter *f = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    filter_local *mine = op->local[i];
    if (mine != NULL) {
      sp_program_state_unref(mine->state);
      sp_coalesce_release(&mine->small, op);
      sp_mem_free(op->mem, mine, sizeof *mine);
      op->local[i] = NULL;
    }
  }
  f->program = sp_program_unref(f->program);
}

static const sp_operator_ops ops = {
    .name = "filter", .push = filter_push, .end_morsel = filter_end, .close = filter_close};

/* A predicate that no rule has split is split here: the rows are the same and later conjuncts look at fewer.
 */
static bool conjuncts_of(const sp_items *items, sp_arena *a, const sp_expr ***ret, uint32_t *ret_n) {
  const sp_expr **all = NULL;
  uint32_t n = 0;
  uint32_t cap = 0;
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_expr *const *parts;
    uint32_t n_parts;
    if (!sp_expr_conjuncts(items->items[i].expr, a, &parts, &n_parts) ||
        !sp_arena_grow(a, &all, &cap, n + n_parts, sizeof *all)) {
      return false;
    }
    for (uint32_t k = 0; k < n_parts; k++) {
      all[n++] = parts[k];
    }
  }
  *ret = all;
  *ret_n = n;
  return true;
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  sp_operator *op = sp_lower_operator(l, node, &ops, sizeof(filter));
  SP_TRY_ALLOC(err, op);
  const sp_expr **exprs;
  uint32_t n;
  if (!conjuncts_of(&((const sp_filter_node *)op->node)->predicate, sp_lower_arena(l), &exprs, &n)) {
    return sp_error_nomem(err);
  }
  SP_TRY(sp_program_new(op->mem, op->in, exprs, n, &((filter *)op->shared)->program, err));
  SP_TRY(sp_lower_append(l, &s, op, err));
  return sp_lower_output(l, node, s, err);
}

const sp_lowering sp_lowering_filter = {.kinds = "filter", .lower = lower};
