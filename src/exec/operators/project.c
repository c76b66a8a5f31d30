/* select and with_columns: new columns beside old ones, under the batch's selection.
 *
 *   with_columns [a + 1 AS a, upper(s) AS u] over (a, b, s): program of two expressions, output (0:
 * expression 0, 1: input 1, 2: input 2, 3: expression 1)
 *
 * Bare columns cost a reference. Expressions are computed at the selected rows only, so nothing fails on a
 * row that was filtered out. */
#include "exec/operator.h"
#include "expr/program.h"

typedef struct project {
  sp_program *program;
  uint32_t n_exprs;
  uint32_t *from; /* by output column: input column, or n inputs + expression */
} project;

typedef struct project_local {
  sp_program_state *state;
  sp_column *values[];
} project_local;

static size_t local_size(const project *p) {
  return sizeof(project_local) + p->n_exprs * sizeof(sp_column *);
}

static sp_status local_of(sp_operator *op, sp_worker *w, project_local **ret) {
  const project *p = op->shared;
  if (op->local[w->index] == NULL) {
    project_local *mine = sp_mem_calloc(op->mem, local_size(p));
    SP_TRY_ALLOC(w->err, mine);
    op->local[w->index] = mine;
    mine->state = sp_program_state_new(p->program, op->mem);
  }
  *ret = op->local[w->index];
  SP_TRY_ALLOC(w->err, (*ret)->state);
  return SP_OK;
}

/* Takes over the values. */
static sp_batch *assemble(sp_operator *op, const sp_batch *in, sp_column **values) {
  const project *p = op->shared;
  sp_batch *b = sp_batch_new(op->mem, op->out->n, in->length);
  if (b != NULL) {
    b->sel_buf = sp_buf_ref(in->sel_buf);
    b->sel = in->sel;
    b->n_rows = in->n_rows;
    for (uint32_t i = 0; i < op->out->n; i++) {
      const uint32_t from = p->from[i];
      b->cols[i] = sp_column_ref(from < in->n_cols ? in->cols[from] : values[from - in->n_cols]);
    }
  }
  for (uint32_t i = 0; i < p->n_exprs; i++) {
    sp_column_unref(values[i]);
  }
  return b;
}

static sp_status project_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  const project *p = op->shared;
  project_local *mine = NULL;
  SP_TRY(local_of(op, w, &mine));
  const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = (void *)(uintptr_t)in};
  SP_TRY(sp_program_eval(p->program, mine->state, sp_maker_of(op), &fetch, in->length, in->sel, in->n_rows,
                         mine->values, w->err));
  return sp_emit_take(op, w, assemble(op, in, mine->values));
}

static void project_close(sp_operator *op) {
  project *p = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    project_local *mine = op->local[i];
    if (mine != NULL) {
      sp_program_state_unref(mine->state);
      sp_mem_free(op->mem, mine, local_size(p));
      op->local[i] = NULL;
    }
  }
  p->program = sp_program_unref(p->program);
}

static const sp_operator_ops ops = {.name = "project", .push = project_push, .close = project_close};

/* Where each output column comes from: an expression of that name, else the input's column. */
static sp_status plan_columns(sp_lower *l, sp_operator *op, const sp_items *items, sp_error *err) {
  project *p = op->shared;
  sp_arena *a = sp_lower_arena(l);
  p->n_exprs = items->n;
  p->from = SP_ARENA_ARRAY(a, uint32_t, op->out->n);
  SP_TRY_ALLOC(err, p->from);
  for (uint32_t i = 0; i < op->out->n; i++) {
    const int32_t c = sp_schema_find(op->in, op->out->fields[i].name);
    p->from[i] = c >= 0 ? (uint32_t)c : UINT32_MAX;
  }
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_sv name = sp_expr_name(items->items[i].expr, a);
    SP_TRY_ALLOC(err, name.p);
    const int32_t c = sp_schema_find(op->out, name);
    if (c >= 0) {
      p->from[c] = op->in->n + i;
    }
  }
  for (uint32_t i = 0; i < op->out->n; i++) {
    if (p->from[i] == UINT32_MAX) {
      SP_FAIL(err, SP_INTERNAL, NULL, "nothing makes column `%.150s`", op->out->fields[i].name.p);
    }
  }
  return SP_OK;
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  sp_operator *op = sp_lower_operator(l, node, &ops, sizeof(project));
  SP_TRY_ALLOC(err, op);
  const sp_items *items = &((const sp_project_node *)op->node)->exprs;
  SP_TRY(plan_columns(l, op, items, err));
  const sp_expr **exprs = SP_ARENA_ARRAY(sp_lower_arena(l), const sp_expr *, items->n);
  SP_TRY_ALLOC(err, exprs);
  for (uint32_t i = 0; i < items->n; i++) {
    exprs[i] = sp_expr_unalias(items->items[i].expr);
  }
  SP_TRY(sp_program_new(op->mem, op->in, exprs, items->n, &((project *)op->shared)->program, err));
  SP_TRY(sp_lower_append(l, &s, op, err));
  return sp_lower_output(l, node, s, err);
}

const sp_lowering sp_lowering_project = {.kinds = "select with_columns", .lower = lower};
