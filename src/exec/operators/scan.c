/* scan_csv, scan_parquet, …: rows of a dataset, read by all workers, one morsel each.
 *
 * Late materialization: a window's predicate columns are decoded first, conjunct after conjunct, each for the
 * rows that are left; then runtime filters look at their columns; then the other columns are decoded for what
 * remains. A window of which nothing remains costs nothing more.
 *
 *   scan lineitem, predicate shipdate <= 1998-09-02, columns [price, discount]
 *     ranges of shipdate ─▶ row groups that cannot match are not read
 *     window: decode shipdate ─▶ 40 of 8,192 rows left ─▶ decode price and discount at those 40 ─▶ 40 rows
 * copied, gathered with the next windows'
 *
 * The file is opened when the pipeline starts, under the schema found when the plan was resolved: a file that
 * has changed since is an error. */
#include "exec/operator.h"
#include "expr/bind.h"
#include "expr/program.h"

#define DENSE_SHARE 8 /* under 1/8 of a window left: the rows are copied */

typedef struct scan_filter { /* a runtime filter of this scan */
  sp_runtime_filter *filter;
  sp_sv name;
  uint32_t column; /* of the dataset */
  struct scan_filter *link;
} scan_filter;

typedef struct scan {
  const sp_scan_node *node;
  sp_scan_spec spec;
  sp_arena arena; /* of the operator */
  sp_dataset *dataset;
  uint32_t n_columns; /* of the dataset */
  uint32_t *outputs;  /* dataset column by output column */
  uint32_t n_exprs;
  const sp_expr **exprs;
  sp_program *program;
  scan_filter *filters;
  uint32_t batch_rows;
} scan;

typedef struct scan_local {
  sp_cursor_scratch *scratch;
  sp_program_state *state;
  sp_coalesce small;
  sp_column **columns; /* by dataset column: read in this window */
  uint16_t *sel;
  sp_cursor *cursor;
} scan_local;

/* ---- opening ---- */

/* The file's own columns of what resolving found: without row index and file path, which are added again.
 * Hive columns cannot be told apart; such scans infer again. */
static sp_status fix_schema(scan *s, sp_error *err) {
  const sp_scan_node *n = s->node;
  if (s->spec.schema != NULL || n->hive) {
    return SP_OK;
  }
  sp_schema_builder b;
  sp_schema_begin(&b, &s->arena);
  for (uint32_t i = 0; i < n->file_schema->n; i++) {
    const sp_sv name = n->file_schema->fields[i].name;
    const bool index = i == 0 && n->row_index.name != NULL && sp_sv_eq(name, sp_sv_from(n->row_index.name));
    const bool path = i + 1 == n->file_schema->n && n->include_file_path != NULL &&
                      sp_sv_eq(name, sp_sv_from(n->include_file_path));
    if (!index && !path) {
      sp_schema_add(&b, name, n->file_schema->fields[i].type);
    }
  }
  return sp_schema_finish(&b, NULL, &s->spec.schema, err);
}

static sp_status find_column(const scan *s, const sp_schema *have, sp_sv name, const sp_type *type,
                             uint32_t *ret, sp_error *err) {
  const int32_t c = sp_schema_find(have, name);
  if (c < 0) {
    SP_FAIL(err, SP_DATA, NULL, "%s: column `%.150s` was there when the plan was checked and is not any more",
            sp_dataset_path(s->dataset, 0), name.p);
  }
  if (have->fields[c].type != type) {
    SP_FAIL(err, SP_DATA, NULL, "%s: column `%.150s` was %s when the plan was checked and is %s now",
            sp_dataset_path(s->dataset, 0), name.p, type->name, have->fields[c].type->name);
  }
  *ret = (uint32_t)c;
  return SP_OK;
}

static sp_status map_columns(sp_operator *op, const sp_schema *have, bool *wanted, sp_error *err) {
  scan *s = op->shared;
  s->outputs = SP_ARENA_ARRAY(&s->arena, uint32_t, op->out->n);
  SP_TRY_ALLOC(err, s->outputs);
  for (uint32_t i = 0; i < op->out->n; i++) {
    SP_TRY(find_column(s, have, op->out->fields[i].name, op->out->fields[i].type, &s->outputs[i], err));
    wanted[s->outputs[i]] = true;
  }
  sp_names read = {.n = 0};
  for (uint32_t i = 0; i < s->n_exprs; i++) {
    if (!sp_expr_columns(s->exprs[i], &s->arena, &read)) {
      return sp_error_nomem(err);
    }
  }
  for (uint32_t i = 0; i < read.n; i++) {
    const int32_t f = sp_schema_find(s->node->file_schema, read.names[i]);
    uint32_t c = 0;
    SP_TRY(find_column(s, have, read.names[i], s->node->file_schema->fields[f].type, &c, err));
    wanted[c] = true;
  }
  for (scan_filter *f = s->filters; f != NULL; f = f->link) {
    const int32_t c = sp_schema_find(have, f->name);
    f->column = (uint32_t)c;
    wanted[c] = true;
  }
  return SP_OK;
}

static bool ready_may_match(const void *ctx, const sp_value *lo, const sp_value *hi) {
  const sp_runtime_filter *f = ctx;
  return !atomic_load_explicit(&f->ready, memory_order_acquire) || f->may_match(f->ctx, lo, hi);
}

/* What statistics may rule out: ranges that the predicate leaves of each column, and runtime filters. */
static sp_status make_prunes(scan *s, const sp_schema *have, sp_prune **ret, uint32_t *ret_n, sp_error *err) {
  uint32_t n_filters = 0;
  for (const scan_filter *f = s->filters; f != NULL; f = f->link) {
    n_filters++;
  }
  sp_prune *prunes = SP_ARENA_ARRAY(&s->arena, sp_prune, have->n + n_filters);
  const sp_expr *all = sp_expr_and(&s->arena, s->exprs, s->n_exprs);
  if (prunes == NULL || all == NULL) {
    return sp_error_nomem(err);
  }
  uint32_t n = 0;
  sp_names read = {.n = 0};
  if (!sp_expr_columns(all, &s->arena, &read)) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < read.n; i++) {
    const sp_expr_range *from;
    uint32_t n_ranges = 0;
    bool null;
    if (!sp_expr_ranges(all, read.names[i], &s->arena, &from, &n_ranges, &null)) {
      if (n_ranges == UINT32_MAX) {
        return sp_error_nomem(err);
      }
      continue;
    }
    sp_range *to = SP_ARENA_ARRAY(&s->arena, sp_range, n_ranges);
    SP_TRY_ALLOC(err, to);
    for (uint32_t k = 0; k < n_ranges; k++) {
      to[k] = (sp_range){from[k].has_lo,  from[k].has_hi, from[k].lo_open,
                         from[k].hi_open, from[k].lo,     from[k].hi};
    }
    prunes[n++] = (sp_prune){.column = (uint32_t)sp_schema_find(have, read.names[i]),
                             .n_ranges = n_ranges,
                             .ranges = to,
                             .wants_null = null};
  }
  static const sp_range everything = {.has_lo = false};
  for (const scan_filter *f = s->filters; f != NULL; f = f->link) {
    if (f->filter->may_match != NULL) {
      prunes[n++] = (sp_prune){.column = f->column,
                               .n_ranges = 1,
                               .ranges = &everything,
                               .wants_null = f->filter->wants_null,
                               .may_match = ready_may_match,
                               .ctx = f->filter};
    }
  }
  *ret = prunes;
  *ret_n = n;
  return SP_OK;
}

static sp_status plan_reading(sp_operator *op, const sp_schema *have, sp_error *err) {
  scan *s = op->shared;
  bool *wanted = SP_ARENA_ARRAY(&s->arena, bool, have->n);
  uint32_t *columns = SP_ARENA_ARRAY(&s->arena, uint32_t, have->n);
  if (wanted == NULL || columns == NULL) {
    return sp_error_nomem(err);
  }
  SP_TRY(map_columns(op, have, wanted, err));
  sp_scan_request r = {.columns = columns, .workers = sp_exec_threads(op->exec)};
  for (uint32_t i = 0; i < have->n; i++) {
    if (wanted[i]) {
      columns[r.n_columns++] = i;
    }
  }
  sp_prune *prunes = NULL;
  SP_TRY(make_prunes(s, have, &prunes, &r.n_prunes, err));
  r.prunes = prunes;
  s->n_columns = have->n;
  return sp_dataset_plan(s->dataset, &r, err);
}

static sp_status scan_open(sp_operator *op, sp_exec *x, sp_error *err) {
  scan *s = op->shared;
  SP_TRY(fix_schema(s, err));
  SP_TRY(sp_dataset_open(&s->spec, op->mem, &s->dataset, err));
  const sp_schema *have = sp_dataset_schema(s->dataset);
  SP_TRY(plan_reading(op, have, err));
  if (s->n_exprs > 0) {
    SP_TRY(sp_program_new(op->mem, have, s->exprs, s->n_exprs, &s->program, err));
  }
  s->batch_rows = sp_exec_batch_rows(x, op->out);
  return SP_OK;
}

static uint32_t scan_morsels(sp_operator *op) {
  return sp_dataset_morsels(((const scan *)op->shared)->dataset);
}

/* ---- a window ---- */

static sp_status read_column(scan_local *l, uint32_t c, const uint16_t *sel, uint32_t n, sp_error *err) {
  return l->columns[c] != NULL ? SP_OK : sp_cursor_read(l->cursor, c, sel, n, &l->columns[c], err);
}

/* A program fetches a column once for all the rows of a conjunct, and conjuncts see fewer and fewer rows. */
static sp_status fetch(void *ctx, uint32_t column, const uint16_t *sel, uint32_t n, sp_column **ret,
                       sp_error *err) {
  scan_local *l = ctx;
  SP_TRY(read_column(l, column, sel, n, err));
  *ret = sp_column_ref(l->columns[column]);
  return SP_OK;
}

/* The rows of the window that are left: *sel (NULL: all) and *n. */
static sp_status filter_window(sp_operator *op, sp_worker *w, scan_local *l, uint32_t length,
                               const uint16_t **sel, uint32_t *n) {
  const scan *s = op->shared;
  if (s->program != NULL) {
    const sp_fetch in = {.get = fetch, .ctx = l};
    SP_TRY(sp_program_filter(s->program, l->state, sp_maker_of(op), &in, length, NULL, length, l->sel, n,
                             w->err));
    *sel = *n < length ? l->sel : NULL;
  }
  for (const scan_filter *f = s->filters; f != NULL && *n > 0; f = f->link) {
    if (f->filter->rows != NULL && atomic_load_explicit(&f->filter->ready, memory_order_acquire)) {
      SP_TRY(read_column(l, f->column, *sel, *n, w->err));
      *n = f->filter->rows(f->filter->ctx, l->columns[f->column], *sel, *n, l->sel);
      *sel = *n < length ? l->sel : NULL;
    }
  }
  return SP_OK;
}

static sp_batch *assemble(sp_operator *op, scan_local *l, uint32_t length, const uint16_t *sel, uint32_t n) {
  const scan *s = op->shared;
  const sp_maker mk = sp_maker_of(op);
  const bool copy = sel != NULL && n < length / DENSE_SHARE;
  sp_batch *b = sp_batch_new(mk.mem, op->out->n, copy ? n : length);
  for (uint32_t i = 0; b != NULL && i < op->out->n; i++) {
    const sp_column *c = l->columns[s->outputs[i]];
    b->cols[i] = copy ? sp_column_take(mk, c, sel, n) : sp_column_ref(c);
    b = b->cols[i] != NULL ? b : sp_batch_unref(b);
  }
  if (b == NULL || sel == NULL || copy) {
    return b;
  }
  sp_buf *buf = sp_buf_new(mk.pool, mk.mem, n * sizeof(uint16_t));
  if (buf == NULL) {
    return sp_batch_unref(b);
  }
  memcpy(buf->data, sel, n * sizeof(uint16_t));
  buf->size = n * sizeof(uint16_t);
  b->sel_buf = buf;
  b->sel = (const uint16_t *)(const void *)buf->data;
  b->n_rows = n;
  return b;
}

static sp_status emit_window(sp_operator *op, sp_worker *w, scan_local *l, uint32_t length) {
  const scan *s = op->shared;
  const uint16_t *sel = NULL;
  uint32_t n = length;
  SP_TRY(filter_window(op, w, l, length, &sel, &n));
  sp_metric_add(op, SP_METRIC_rows_removed, length - n);
  if (n == 0) {
    return SP_OK;
  }
  for (uint32_t i = 0; i < op->out->n; i++) {
    SP_TRY(read_column(l, s->outputs[i], sel, n, w->err));
  }
  sp_batch *b = assemble(op, l, length, sel, n);
  SP_TRY_ALLOC(w->err, b);
  const sp_status st = sp_coalesce_add(&l->small, op, w, b);
  sp_batch_unref(b);
  return st;
}

static void forget_window(const scan *s, scan_local *l) {
  for (uint32_t i = 0; i < s->n_columns; i++) {
    l->columns[i] = sp_column_unref(l->columns[i]);
  }
}

/* ---- a morsel ---- */

static sp_status local_of(sp_operator *op, sp_worker *w, scan_local **ret) {
  const scan *s = op->shared;
  scan_local *l = op->local[w->index];
  if (l == NULL) {
    l = sp_mem_calloc(op->mem, sizeof *l);
    SP_TRY_ALLOC(w->err, l);
    op->local[w->index] = l;
    l->columns = sp_mem_calloc(op->mem, s->n_columns * sizeof(sp_column *));
    l->sel = sp_mem_alloc(op->mem, s->batch_rows * sizeof(uint16_t));
    l->state = s->program != NULL ? sp_program_state_new(s->program, op->mem) : NULL;
  }
  if (l->columns == NULL || l->sel == NULL || (s->program != NULL && l->state == NULL)) {
    return sp_error_nomem(w->err);
  }
  *ret = l;
  return SP_OK;
}

static sp_status read_windows(sp_operator *op, sp_worker *w, scan_local *l) {
  const scan *s = op->shared;
  while (!sp_should_stop(op, w)) {
    uint32_t n = 0;
    SP_TRY(sp_cursor_next(l->cursor, s->batch_rows, &n, w->err));
    if (n == 0) {
      break;
    }
    const sp_status st = emit_window(op, w, l, n);
    forget_window(s, l);
    SP_TRY(st);
  }
  return SP_OK;
}

static sp_status scan_morsel(sp_operator *op, sp_worker *w, uint32_t morsel) {
  const scan *s = op->shared;
  scan_local *l = NULL;
  SP_TRY(local_of(op, w, &l));
  SP_TRY(sp_cursor_open(s->dataset, morsel, sp_maker_of(op), &l->scratch, &l->cursor, w->err));
  const sp_status st = read_windows(op, w, l);
  sp_metric_add(op, SP_METRIC_wait_ns, sp_cursor_wait_ns(l->cursor));
  sp_cursor_close(l->cursor);
  l->cursor = NULL;
  return st;
}

static sp_status scan_end(sp_operator *op, sp_worker *w) {
  scan_local *l = op->local[w->index];
  return l != NULL ? sp_coalesce_flush(&l->small, op, w) : SP_OK;
}

/* ---- the end ---- */

static void report_stats(sp_operator *op) {
  const scan *s = op->shared;
  if (s->dataset == NULL) {
    return;
  }
  sp_scan_stats *t = sp_dataset_scan_stats(s->dataset);
  sp_metric_add(op, SP_METRIC_bytes_scanned, atomic_load(&t->bytes_scanned));
  sp_metric_add(op, SP_METRIC_bytes_pruned, atomic_load(&t->bytes_pruned));
  sp_metric_add(op, SP_METRIC_row_groups_total, atomic_load(&t->row_groups_total));
  sp_metric_add(op, SP_METRIC_row_groups_read, atomic_load(&t->row_groups_read));
  sp_metric_add(op, SP_METRIC_files_total, atomic_load(&t->files_total));
  sp_metric_add(op, SP_METRIC_files_read, atomic_load(&t->files_read));
}

static void release(sp_operator *op) {
  scan *s = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    scan_local *l = op->local[i];
    if (l == NULL) {
      continue;
    }
    if (l->columns != NULL) {
      forget_window(s, l);
    }
    sp_cursor_scratch_free(l->scratch);
    sp_program_state_unref(l->state);
    sp_coalesce_release(&l->small, op);
    sp_mem_free(op->mem, l->columns, s->n_columns * sizeof(sp_column *));
    sp_mem_free(op->mem, l->sel, s->batch_rows * sizeof(uint16_t));
    sp_mem_free(op->mem, l, sizeof *l);
    op->local[i] = NULL;
  }
  s->program = sp_program_unref(s->program);
}

static sp_status scan_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  (void)err;
  release(op);
  return SP_OK;
}

static void scan_close(sp_operator *op) {
  scan *s = op->shared;
  release(op);
  s->dataset = sp_dataset_unref(s->dataset);
  sp_arena_release(&s->arena);
}

static const sp_operator_ops ops = {.name = "scan",
                                    .open = scan_open,
                                    .morsels = scan_morsels,
                                    .morsel = scan_morsel,
                                    .end_morsel = scan_end,
                                    .finish = scan_finish,
                                    .report = report_stats,
                                    .close = scan_close};

/* ---- lowering ---- */

static sp_status split_predicate(scan *s, sp_error *err) {
  const sp_items *items = &s->node->predicate;
  uint32_t cap = 0;
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_expr *const *parts;
    uint32_t n;
    if (!sp_expr_conjuncts(items->items[i].expr, &s->arena, &parts, &n) ||
        !sp_arena_grow(&s->arena, &s->exprs, &cap, s->n_exprs + n, sizeof *s->exprs)) {
      return sp_error_nomem(err);
    }
    for (uint32_t k = 0; k < n; k++) {
      s->exprs[s->n_exprs++] = parts[k];
    }
  }
  return SP_OK;
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_operator *op = sp_lower_operator(l, node, &ops, sizeof(scan));
  SP_TRY_ALLOC(err, op);
  scan *s = op->shared;
  s->node = (const sp_scan_node *)op->node;
  sp_arena_init(&s->arena, op->mem);
  if (!sp_scan_spec_of(s->node, &s->arena, &s->spec)) {
    return sp_error_nomem(err);
  }
  SP_TRY(split_predicate(s, err));
  sp_stream out;
  SP_TRY(sp_lower_source(l, op, NULL, 0, true, &out, err));
  return sp_lower_output(l, node, out, err);
}

/* n_rows counts rows before any filter, so a skipped row group would change which rows those are. */
static bool accept_filter(sp_operator *op, sp_sv column, sp_runtime_filter *f) {
  scan *s = op->shared;
  if (s->node->n_rows >= 0) {
    return false;
  }
  scan_filter *mine = SP_ARENA_NEW(&s->arena, scan_filter);
  if (mine == NULL) {
    sp_lower_starved(op);
    return false;
  }
  *mine = (scan_filter){.filter = f, .name = column, .link = s->filters};
  s->filters = mine;
  return true;
}

const sp_lowering sp_lowering_scan = {
    .kinds = "scan_csv scan_parquet scan_ipc scan_ndjson", .lower = lower, .accept_filter = accept_filter};
