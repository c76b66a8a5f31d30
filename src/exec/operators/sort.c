/* sort: rows in the order of keys. Always stable, whether or not the plan asks for it.
 *
 *   push     keeps the batch and the keys that are not its columns; notes ranges of the keys
 *   finish   one column of each, keys packed as their ranges allow, row numbers sorted by all workers
 *            (sort_rows.h)
 *   source   payload gathered batch by batch, in order, so that a limit behind stops it early
 *
 * Example: by [origin, delay DESC] over {(b, 1), (a, 2), (a, 5)}: rows 2, 1, 0. */
#include "exec/kept_rows.h"
#include "exec/sort_rows.h"
#include "expr/program.h"

#define MORSEL_ROWS 65536

typedef struct sort_local {
  sp_program_state *state;
  sp_column **keys; /* computed */
  sp_kept kept;     /* input columns ++ computed keys */
  sp_sort_stats *stats;
} sort_local;

typedef struct sort {
  sp_program *program; /* the computed keys; NULL when all are columns */
  uint32_t n_computed;
  sp_sort_layout layout;
  uint32_t *key_at;      /* by key: its column among input columns ++ computed keys */
  const sp_type **types; /* of the same */
  uint32_t n_cols;       /* input columns */
  sp_column **cols;      /* after finish */
  sp_sorted sorted;
} sort;

/* ---- push ---- */

static void local_free(sp_operator *op, sort_local *l) {
  const sort *s = op->shared;
  if (l == NULL) {
    return;
  }
  sp_program_state_unref(l->state);
  sp_mem_free(op->mem, l->keys, s->n_computed * sizeof(sp_column *));
  sp_mem_free(op->mem, l->stats, s->layout.n * sizeof *l->stats);
  sp_kept_release(&l->kept, op->mem);
  sp_mem_free(op->mem, l, sizeof *l);
}

static sort_local *local_new(sp_operator *op) {
  const sort *s = op->shared;
  sort_local *l = sp_mem_calloc(op->mem, sizeof *l);
  if (l == NULL) {
    return NULL;
  }
  l->keys = sp_mem_calloc(op->mem, s->n_computed * sizeof(sp_column *));
  l->stats = sp_mem_calloc(op->mem, s->layout.n * sizeof *l->stats);
  l->state = s->program != NULL ? sp_program_state_new(s->program, op->mem) : NULL;
  if (l->keys == NULL || l->stats == NULL || (s->program != NULL && l->state == NULL)) {
    local_free(op, l);
    return NULL;
  }
  return l;
}

/* The batch with the computed keys beside its columns. */
static sp_batch *with_keys(sp_operator *op, const sort_local *l, const sp_batch *in) {
  const sort *s = op->shared;
  sp_batch *b = sp_batch_new(op->mem, s->n_cols + s->n_computed, in->length);
  if (b == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < s->n_cols; i++) {
    b->cols[i] = sp_column_ref(in->cols[i]);
  }
  for (uint32_t i = 0; i < s->n_computed; i++) {
    b->cols[s->n_cols + i] = sp_column_ref(l->keys[i]);
  }
  b->sel_buf = sp_buf_ref(in->sel_buf);
  b->sel = in->sel;
  b->n_rows = in->n_rows;
  return b;
}

static sp_status keep(sp_operator *op, sp_worker *w, sort_local *l, const sp_batch *in) {
  const sort *s = op->shared;
  sp_batch *b = with_keys(op, l, in);
  SP_TRY_ALLOC(w->err, b);
  sp_batch *kept = sp_batch_keep(op, w, b);
  sp_batch_unref(b);
  if (!sp_kept_add(&l->kept, op->mem, kept)) {
    return sp_error_nomem(w->err);
  }
  for (uint32_t i = 0; i < s->layout.n; i++) {
    sp_sort_stats_note(&l->stats[i], kept->cols[s->key_at[i]]);
  }
  return SP_OK;
}

static sp_status sort_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  const sort *s = op->shared;
  if (op->local[w->index] == NULL) {
    op->local[w->index] = local_new(op);
    SP_TRY_ALLOC(w->err, op->local[w->index]);
  }
  sort_local *l = op->local[w->index];
  if (s->program != NULL) {
    const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = (void *)(uintptr_t)in};
    SP_TRY(sp_program_eval(s->program, l->state, sp_maker_of(op), &fetch, in->length, in->sel, in->n_rows,
                           l->keys, w->err));
  }
  const sp_status st = keep(op, w, l, in);
  for (uint32_t i = 0; i < s->n_computed; i++) {
    l->keys[i] = sp_column_unref(l->keys[i]);
  }
  return st;
}

/* ---- finish ---- */

static sp_status gather(sp_operator *op, sp_kept *all, sp_error *err) {
  sort *s = op->shared;
  for (uint32_t k = 0; k < s->layout.n; k++) {
    sp_sort_stats stats = {.seen = false};
    for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
      const sort_local *l = op->local[i];
      if (l != NULL) {
        sp_sort_stats_merge(&stats, &l->stats[k]);
      }
    }
    sp_sort_key_know(&s->layout.keys[k], &stats);
  }
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    sort_local *l = op->local[i];
    if (l != NULL && !sp_kept_move(all, op->mem, &l->kept)) {
      return sp_error_nomem(err);
    }
  }
  sp_kept_order(all);
  return sp_kept_check(all, err);
}

static sp_status sort_columns(sp_operator *op, sp_kept *all, sp_error *err) {
  sort *s = op->shared;
  const uint32_t n = s->n_cols + s->n_computed;
  s->cols = sp_mem_calloc(op->mem, n * sizeof(sp_column *));
  SP_TRY_ALLOC(err, s->cols);
  SP_TRY(sp_kept_columns(op, all, s->types, n, s->cols, err));
  const sp_column **keys = sp_mem_alloc(op->mem, s->layout.n * sizeof *keys);
  SP_TRY_ALLOC(err, keys);
  for (uint32_t i = 0; i < s->layout.n; i++) {
    keys[i] = s->cols[s->key_at[i]];
  }
  sp_sort_layout_set(&s->layout);
  const sp_status st = sp_sort_rows(op, op->mem, &s->layout, keys, (uint32_t)all->rows, &s->sorted, err);
  sp_mem_free(op->mem, keys, s->layout.n * sizeof *keys);
  for (uint32_t i = s->n_cols; i < n; i++) {
    s->cols[i] = sp_column_unref(s->cols[i]);
  }
  return st;
}

static sp_status sort_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  sp_kept all = {.n = 0};
  sp_status st = gather(op, &all, err);
  if (st == SP_OK && all.rows > 0) {
    st = sort_columns(op, &all, err);
  }
  sp_kept_release(&all, op->mem);
  for (uint32_t i = 0; i < sp_exec_threads(x); i++) {
    local_free(op, op->local[i]);
    op->local[i] = NULL;
  }
  return st;
}

static void sort_close(sp_operator *op) {
  sort *s = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    local_free(op, op->local[i]);
    op->local[i] = NULL;
  }
  for (uint32_t i = 0; s->cols != NULL && i < s->n_cols + s->n_computed; i++) {
    sp_column_unref(s->cols[i]);
  }
  sp_mem_free(op->mem, s->cols, (s->n_cols + s->n_computed) * sizeof(sp_column *));
  s->cols = NULL;
  sp_sorted_release(&s->sorted);
  s->program = sp_program_unref(s->program);
}

static const sp_operator_ops sort_ops = {
    .name = "sort", .push = sort_push, .finish = sort_finish, .close = sort_close};

/* ---- source ---- */

static const sort *sort_of(const sp_operator *op) {
  return ((sp_operator *)op->shared)->shared;
}

static uint32_t source_morsels(sp_operator *op) {
  const uint32_t n = sort_of(op)->sorted.n;
  return n / MORSEL_ROWS + (n % MORSEL_ROWS != 0);
}

static sp_status emit_rows(sp_operator *op, sp_worker *w, uint32_t from, uint32_t n) {
  const sort *s = sort_of(op);
  uint32_t *rows = sp_mem_alloc(op->mem, n * sizeof *rows);
  SP_TRY_ALLOC(w->err, rows);
  for (uint32_t i = 0; i < n; i++) {
    rows[i] = s->sorted.entries[from + i].row;
  }
  sp_batch *b = sp_batch_new(op->mem, s->n_cols, n);
  for (uint32_t i = 0; i < s->n_cols && b != NULL; i++) {
    b->cols[i] = sp_column_gather(sp_maker_of(op), s->cols[i], rows, n);
    if (b->cols[i] == NULL) {
      b = sp_batch_unref(b);
    }
  }
  sp_mem_free(op->mem, rows, n * sizeof *rows);
  SP_TRY_ALLOC(w->err, b);
  return sp_emit_take(op, w, b);
}

static sp_status source_morsel(sp_operator *op, sp_worker *w, uint32_t morsel) {
  const uint32_t step = sp_exec_batch_rows(op->exec, op->out);
  const uint32_t from = morsel * MORSEL_ROWS;
  const uint32_t left = sort_of(op)->sorted.n - from;
  const uint32_t n = left < MORSEL_ROWS ? left : MORSEL_ROWS;
  for (uint32_t at = 0; at < n && !sp_should_stop(op, w); at += step) {
    SP_TRY(emit_rows(op, w, from + at, n - at < step ? n - at : step));
  }
  return SP_OK;
}

static sp_status source_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  (void)err;
  sort_close(op->shared);
  return SP_OK;
}

static const sp_operator_ops source_ops = {
    .name = "sort_source", .morsels = source_morsels, .morsel = source_morsel, .finish = source_finish};

/* ---- lowering ---- */

static sp_status prepare(sp_operator *op, const sp_sort_node *n, sp_arena *a, sp_error *err) {
  sort *s = op->shared;
  const uint32_t n_keys = n->by.n;
  const sp_expr **computed = SP_ARENA_ARRAY(a, const sp_expr *, n_keys);
  s->n_cols = op->in->n;
  s->layout = (sp_sort_layout){.n = n_keys, .keys = SP_ARENA_ARRAY(a, sp_sort_key, n_keys)};
  s->key_at = SP_ARENA_ARRAY(a, uint32_t, n_keys);
  s->types = SP_ARENA_ARRAY(a, const sp_type *, (size_t)s->n_cols + n_keys);
  if (computed == NULL || s->layout.keys == NULL || s->key_at == NULL || s->types == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < s->n_cols; i++) {
    s->types[i] = op->in->fields[i].type;
  }
  for (uint32_t i = 0; i < n_keys; i++) {
    const sp_item *item = &n->by.items[i];
    sp_sv name;
    const int32_t column = sp_expr_is_column(item->expr, &name) ? sp_schema_find(op->in, name) : -1;
    s->layout.keys[i] = (sp_sort_key){
        .type = item->expr->type, .descending = item->descending, .nulls_last = item->nulls_last};
    s->key_at[i] = column >= 0 ? (uint32_t)column : s->n_cols + s->n_computed;
    if (column < 0) {
      s->types[s->n_cols + s->n_computed] = item->expr->type;
      computed[s->n_computed++] = item->expr;
    }
  }
  return s->n_computed > 0 ? sp_program_new(op->mem, op->in, computed, s->n_computed, &s->program, err)
                           : SP_OK;
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  const sp_sort_node *n = (const sp_sort_node *)sp_lower_plan(l)->nodes[node];
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  sp_operator *sink = sp_lower_operator(l, node, &sort_ops, sizeof(sort));
  SP_TRY_ALLOC(err, sink);
  SP_TRY(prepare(sink, n, sp_lower_arena(l), err));
  SP_TRY(sp_lower_end(l, s, sink, err));
  sp_operator *source = sp_lower_operator(l, node, &source_ops, 0);
  SP_TRY_ALLOC(err, source);
  source->shared = sink;
  sp_stream out;
  SP_TRY(sp_lower_source(l, source, &s.pipeline, 1, true, &out, err));
  return sp_lower_output(l, node, out, err);
}

static bool observes(const sp_node *node, uint32_t which, bool observed) {
  (void)which;
  (void)observed;
  return ((const sp_sort_node *)node)->maintain_order;
}

const sp_lowering sp_lowering_sort = {.kinds = "sort", .lower = lower, .observes = observes};
