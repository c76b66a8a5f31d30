/* top_k: the first k rows in the order of keys.
 *
 * A worker gathers rows that may be among the first k until there are enough for a round: then it sorts them,
 * keeps k, and the last of these is its bound: from then on rows that come after it are dropped when only
 * their keys are known, in two steps, first by the first word of the keys, then by all words. finish sorts
 * what the workers have left. The ordinals of a row are its last keys, so that ties fall the same way on
 * every run.
 *
 * A bound also goes down to the scan that the first key comes from, where that is an integer-like column:
 * rows past it are dropped there before their other columns are decoded.
 *
 * Example, k = 2: {5, 3, 9} keeps 3, 5, bound 5; of {7, 4, 8} only 4 is looked at; then 3, 4 are kept. */
#include "exec/kept_rows.h"
#include "exec/key_rows.h"
#include "exec/sort_rows.h"
#include "expr/program.h"

#define ROUND_ROWS 4096 /* rows gathered beyond 2 k before a round */
#define FILTER_STEP 512
#define N_ORDINALS 2 /* hidden keys: source, and place within it */

typedef struct top_local {
  sp_program_state *state;
  sp_column **keys; /* computed ++ ordinals */
  sp_kept kept;     /* input columns ++ computed keys ++ ordinals */
  bool bounded;
  uint64_t bound[SP_SORT_WORDS];
  uint32_t cap_rows; /* of the next two */
  uint16_t *sel;
  uint64_t *words;
} top_local;

typedef struct top {
  uint64_t k;
  sp_program *program;
  uint32_t n_computed;
  sp_sort_layout layout; /* the plan's keys, then the ordinals */
  uint32_t *key_at;
  const sp_type **types;
  uint32_t n_cols, n_all; /* input columns; with computed keys and ordinals */
  sp_runtime_filter filter;
  _Atomic uint64_t best; /* for the filter: the tightest bound of any worker, inverted when descending */
  sp_batch *first;       /* after finish: the rows in order; NULL when there are none */
} top;

static void local_free(sp_operator *op, top_local *l) {
  const top *t = op->shared;
  if (l == NULL) {
    return;
  }
  const uint32_t n_keys = t->n_computed + N_ORDINALS;
  for (uint32_t i = 0; l->keys != NULL && i < n_keys; i++) {
    sp_column_unref(l->keys[i]);
  }
  sp_program_state_unref(l->state);
  sp_mem_free(op->mem, l->keys, n_keys * sizeof(sp_column *));
  sp_mem_free(op->mem, l->sel, l->cap_rows * sizeof *l->sel);
  sp_mem_free(op->mem, l->words, (size_t)l->cap_rows * SP_SORT_WORDS * sizeof *l->words);
  sp_kept_release(&l->kept, op->mem);
  sp_mem_free(op->mem, l, sizeof *l);
}

static top_local *local_new(sp_operator *op) {
  const top *t = op->shared;
  top_local *l = sp_mem_calloc(op->mem, sizeof *l);
  if (l == NULL) {
    return NULL;
  }
  l->keys = sp_mem_calloc(op->mem, (t->n_computed + N_ORDINALS) * sizeof(sp_column *));
  l->state = t->program != NULL ? sp_program_state_new(t->program, op->mem) : NULL;
  if (l->keys == NULL || (t->program != NULL && l->state == NULL)) {
    local_free(op, l);
    return NULL;
  }
  return l;
}

static bool room_for(sp_operator *op, top_local *l, uint32_t n) {
  if (n <= l->cap_rows) {
    return true;
  }
  sp_mem_free(op->mem, l->sel, l->cap_rows * sizeof *l->sel);
  sp_mem_free(op->mem, l->words, (size_t)l->cap_rows * SP_SORT_WORDS * sizeof *l->words);
  l->cap_rows = n;
  l->sel = sp_mem_alloc(op->mem, n * sizeof *l->sel);
  l->words = sp_mem_alloc(op->mem, (size_t)n * SP_SORT_WORDS * sizeof *l->words);
  return l->sel != NULL && l->words != NULL;
}

/* The first k rows of k, in order, as one batch. */
static sp_status first_rows(sp_operator *op, sp_kept *k, bool alone, sp_batch **ret, sp_error *err) {
  const top *t = op->shared;
  const sp_maker mk = sp_maker_of(op);
  sp_column **cols = sp_mem_calloc(op->mem, t->n_all * sizeof(sp_column *));
  const sp_column **keys = sp_mem_alloc(op->mem, t->layout.n * sizeof *keys);
  sp_column **parts = sp_mem_alloc(op->mem, k->n * sizeof *parts);
  sp_sorted sorted = {.mem = op->mem};
  uint32_t *rows = NULL;
  sp_batch *out = NULL;
  const uint32_t n = k->rows < t->k ? (uint32_t)k->rows : (uint32_t)t->k;
  bool ok = cols != NULL && keys != NULL && parts != NULL;
  for (uint32_t i = 0; i < t->n_all && ok; i++) {
    for (uint32_t b = 0; b < k->n; b++) {
      parts[b] = k->batches[b]->cols[i];
    }
    cols[i] = sp_column_concat(mk, t->types[i], parts, k->n);
    ok = cols[i] != NULL;
  }
  sp_status st = ok ? SP_OK : sp_error_nomem(err);
  for (uint32_t i = 0; i < t->layout.n && ok; i++) {
    keys[i] = cols[t->key_at[i]];
  }
  if (st == SP_OK) {
    st = sp_sort_rows(alone ? NULL : op, op->mem, &t->layout, keys, (uint32_t)k->rows, &sorted, err);
  }
  if (st == SP_OK) {
    rows = sp_mem_alloc(op->mem, (size_t)n * sizeof *rows);
    out = rows != NULL ? sp_batch_new(op->mem, t->n_all, n) : NULL;
    for (uint32_t i = 0; i < n && rows != NULL; i++) {
      rows[i] = sorted.entries[i].row;
    }
    for (uint32_t i = 0; i < t->n_all && out != NULL; i++) {
      out->cols[i] = sp_column_gather(mk, cols[i], rows, n);
      out = out->cols[i] != NULL ? out : sp_batch_unref(out);
    }
    st = out != NULL ? SP_OK : sp_error_nomem(err);
  }
  sp_mem_free(op->mem, rows, (size_t)n * sizeof *rows);
  sp_sorted_release(&sorted);
  for (uint32_t i = 0; cols != NULL && i < t->n_all; i++) {
    sp_column_unref(cols[i]);
  }
  sp_mem_free(op->mem, parts, k->n * sizeof *parts);
  sp_mem_free(op->mem, keys, t->layout.n * sizeof *keys);
  sp_mem_free(op->mem, cols, t->n_all * sizeof(sp_column *));
  *ret = st == SP_OK ? out : NULL;
  return st;
}

static void key_columns(const top *t, const sp_batch *b, const sp_column **keys) {
  for (uint32_t i = 0; i < t->layout.n; i++) {
    keys[i] = b->cols[t->key_at[i]];
  }
}

/* ---- the bound as a filter of a scan ---- */

static uint64_t place_of(const top *t, uint64_t ordered) {
  return t->layout.keys[0].descending ? ~ordered : ordered;
}

static bool filter_may_match(const void *ctx, const sp_value *lo, const sp_value *hi) {
  const top *t = ctx;
  const sp_value *nearest = t->layout.keys[0].descending ? hi : lo;
  return place_of(t, sp_key_ordered_value(nearest)) <= atomic_load_explicit(&t->best, memory_order_relaxed);
}

static uint32_t filter_rows(const void *ctx, const sp_column *col, const uint16_t *sel, uint32_t n,
                            uint16_t *out) {
  const top *t = ctx;
  const uint64_t best = atomic_load_explicit(&t->best, memory_order_relaxed);
  const bool nulls_pass = !t->layout.keys[0].nulls_last;
  uint64_t v[FILTER_STEP];
  uint8_t valid[FILTER_STEP];
  uint32_t kept = 0;
  for (uint32_t from = 0; from < n; from += FILTER_STEP) {
    const uint32_t m = n - from < FILTER_STEP ? n - from : FILTER_STEP;
    (void)sp_key_ordered(col, sel, from, m, v, valid);
    for (uint32_t i = 0; i < m; i++) {
      out[kept] = sel != NULL ? sel[from + i] : (uint16_t)(from + i);
      kept += valid[i] != 0 ? place_of(t, v[i]) <= best : nulls_pass;
    }
  }
  return kept;
}

/* The last row of a worker's first k is a bound for everybody. */
static void tighten(top *t, const sp_batch *b) {
  uint64_t v;
  uint8_t valid;
  if (t->filter.rows == NULL) {
    return;
  }
  (void)sp_key_ordered(b->cols[t->key_at[0]], NULL, b->n_rows - 1, 1, &v, &valid);
  uint64_t best = atomic_load_explicit(&t->best, memory_order_relaxed);
  const uint64_t place = place_of(t, v);
  if (valid == 0) {
    return;
  }
  while (place < best && !atomic_compare_exchange_weak_explicit(&t->best, &best, place, memory_order_relaxed,
                                                                memory_order_relaxed)) {
  }
  atomic_store_explicit(&t->filter.ready, true, memory_order_release);
}

/* ---- rounds ---- */

static sp_status round_off(sp_operator *op, sp_worker *w, top_local *l) {
  top *t = op->shared;
  sp_batch *b = NULL;
  SP_TRY(first_rows(op, &l->kept, true, &b, w->err));
  sp_kept_release(&l->kept, op->mem);
  if (!sp_kept_add(&l->kept, op->mem, b)) {
    return sp_error_nomem(w->err);
  }
  if (b->n_rows == t->k) {
    const sp_column **keys = sp_arena_array(&w->scratch, t->layout.n, sizeof *keys);
    SP_TRY_ALLOC(w->err, keys);
    key_columns(t, b, keys);
    sp_sort_encode(&t->layout, keys, NULL, b->n_rows - 1, 1, t->layout.words, l->bound);
    l->bounded = true;
    tighten(t, b);
  }
  return SP_OK;
}

/* ---- push ---- */

static int compare_words(const uint64_t *a, const uint64_t *b, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (a[i] != b[i]) {
      return a[i] < b[i] ? -1 : 1;
    }
  }
  return 0;
}

/* Rows of the batch that do not come after the bound, into l->sel. */
static uint32_t within_bound(const top *t, top_local *l, const sp_column *const *keys, const sp_batch *in) {
  uint32_t n = 0;
  sp_sort_encode(&t->layout, keys, in->sel, 0, in->n_rows, 1, l->words);
  for (uint32_t i = 0; i < in->n_rows; i++) {
    l->sel[n] = in->sel != NULL ? in->sel[i] : (uint16_t)i;
    n += l->words[i] <= l->bound[0];
  }
  if (n == 0 || t->layout.words == 1) {
    return n;
  }
  const uint32_t words = t->layout.words;
  sp_sort_encode(&t->layout, keys, l->sel, 0, n, words, l->words);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    l->sel[kept] = l->sel[i];
    kept += compare_words(l->words + (size_t)i * words, l->bound, words) <= 0;
  }
  return kept;
}

static sp_column *flat_or_ref(sp_maker mk, sp_column *c) {
  return c->encoding == SP_SEQUENCE ? sp_column_flatten(mk, c) : sp_column_ref(c);
}

/* The batch with computed keys and ordinals beside its columns; no SEQUENCE among the keys. */
static sp_batch *with_keys(sp_operator *op, const sp_worker *w, top_local *l, const sp_batch *in) {
  const top *t = op->shared;
  const sp_maker mk = sp_maker_of(op);
  sp_batch *b = sp_batch_new(op->mem, t->n_all, in->length);
  if (b == NULL) {
    return NULL;
  }
  const sp_value source = sp_value_int(t->types[t->n_all - 2], (int64_t)w->source);
  l->keys[t->n_computed] = sp_column_const(mk, &source, in->length);
  l->keys[t->n_computed + 1] =
      sp_column_sequence(mk, t->types[t->n_all - 1], (int64_t)(w->seq << 16), 1, in->length);
  bool ok = true;
  for (uint32_t i = 0; i < t->n_all && ok; i++) {
    sp_column *c = i < t->n_cols ? in->cols[i] : l->keys[i - t->n_cols];
    b->cols[i] = c != NULL ? flat_or_ref(mk, c) : NULL;
    ok = b->cols[i] != NULL;
  }
  b->sel_buf = sp_buf_ref(in->sel_buf);
  b->sel = in->sel;
  b->n_rows = in->n_rows;
  return ok ? b : sp_batch_unref(b);
}

static sp_status take(sp_operator *op, sp_worker *w, top_local *l, sp_batch *b) {
  const top *t = op->shared;
  if (l->bounded) {
    const sp_column **keys = sp_mem_alloc(op->mem, t->layout.n * sizeof *keys);
    SP_TRY_ALLOC(w->err, keys);
    key_columns(t, b, keys);
    const uint32_t n = within_bound(t, l, keys, b);
    sp_mem_free(op->mem, keys, t->layout.n * sizeof *keys);
    if (n == 0) {
      return SP_OK;
    }
    b->sel_buf = sp_buf_unref(b->sel_buf);
    b->sel = l->sel;
    b->n_rows = n;
  }
  if (!sp_kept_add(&l->kept, op->mem, sp_batch_keep(op, w, b))) {
    return sp_error_nomem(w->err);
  }
  SP_TRY(sp_kept_check(&l->kept, w->err));
  const bool enough =
      l->bounded ? l->kept.rows >= 2 * t->k + ROUND_ROWS : l->kept.rows > t->k && l->kept.rows >= ROUND_ROWS;
  return enough ? round_off(op, w, l) : SP_OK;
}

static sp_status top_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  const top *t = op->shared;
  if (t->k == 0) {
    return SP_OK;
  }
  if (op->local[w->index] == NULL) {
    op->local[w->index] = local_new(op);
    SP_TRY_ALLOC(w->err, op->local[w->index]);
  }
  top_local *l = op->local[w->index];
  if (!room_for(op, l, in->n_rows)) {
    return sp_error_nomem(w->err);
  }
  if (t->program != NULL) {
    const sp_fetch fetch = {.get = sp_fetch_batch, .ctx = (void *)(uintptr_t)in};
    SP_TRY(sp_program_eval(t->program, l->state, sp_maker_of(op), &fetch, in->length, in->sel, in->n_rows,
                           l->keys, w->err));
  }
  sp_batch *b = with_keys(op, w, l, in);
  const sp_status st = b != NULL ? take(op, w, l, b) : sp_error_nomem(w->err);
  sp_batch_unref(b);
  for (uint32_t i = 0; i < t->n_computed + N_ORDINALS; i++) {
    l->keys[i] = sp_column_unref(l->keys[i]);
  }
  return st;
}

static bool top_done(const sp_operator *op) {
  return ((const top *)op->shared)->k == 0;
}

static sp_status top_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  top *t = op->shared;
  sp_kept all = {.n = 0};
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < sp_exec_threads(x) && st == SP_OK; i++) {
    top_local *l = op->local[i];
    if (l != NULL && !sp_kept_move(&all, op->mem, &l->kept)) {
      st = sp_error_nomem(err);
    }
  }
  if (st == SP_OK) {
    st = sp_kept_check(&all, err);
  }
  if (st == SP_OK && all.rows > 0) {
    st = first_rows(op, &all, false, &t->first, err);
  }
  sp_kept_release(&all, op->mem);
  for (uint32_t i = 0; i < sp_exec_threads(x); i++) {
    local_free(op, op->local[i]);
    op->local[i] = NULL;
  }
  return st;
}

static void top_close(sp_operator *op) {
  top *t = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    local_free(op, op->local[i]);
    op->local[i] = NULL;
  }
  t->first = sp_batch_unref(t->first);
  t->program = sp_program_unref(t->program);
}

static const sp_operator_ops top_ops = {
    .name = "top_k", .push = top_push, .finish = top_finish, .done = top_done, .close = top_close};

/* ---- source ---- */

static top *top_of(const sp_operator *op) {
  return ((sp_operator *)op->shared)->shared;
}

static uint32_t source_morsels(sp_operator *op) {
  return top_of(op)->first != NULL;
}

static sp_status source_morsel(sp_operator *op, sp_worker *w, uint32_t morsel) {
  (void)morsel;
  const top *t = top_of(op);
  const uint32_t step = sp_exec_batch_rows(op->exec, op->out);
  for (uint32_t at = 0; at < t->first->n_rows && !sp_should_stop(op, w); at += step) {
    const uint32_t n = t->first->n_rows - at < step ? t->first->n_rows - at : step;
    sp_batch *b = sp_batch_new(op->mem, t->n_cols, n);
    for (uint32_t i = 0; i < t->n_cols && b != NULL; i++) {
      b->cols[i] = sp_column_slice(sp_maker_of(op), t->first->cols[i], at, n);
      b = b->cols[i] != NULL ? b : sp_batch_unref(b);
    }
    SP_TRY_ALLOC(w->err, b);
    SP_TRY(sp_emit_take(op, w, b));
  }
  return SP_OK;
}

static sp_status source_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  (void)err;
  top_close(op->shared);
  return SP_OK;
}

static const sp_operator_ops source_ops = {
    .name = "top_k_source", .morsels = source_morsels, .morsel = source_morsel, .finish = source_finish};

/* ---- lowering ---- */

static sp_status prepare(sp_operator *op, const sp_sort_node *n, sp_arena *a, sp_error *err) {
  top *t = op->shared;
  const uint32_t n_keys = n->by.n;
  const sp_expr **computed = SP_ARENA_ARRAY(a, const sp_expr *, n_keys);
  t->k = (uint64_t)(n->k > 0 ? n->k : 0);
  t->k = t->k > UINT32_MAX ? UINT32_MAX : t->k;
  t->n_cols = op->in->n;
  t->layout =
      (sp_sort_layout){.n = n_keys + N_ORDINALS, .keys = SP_ARENA_ARRAY(a, sp_sort_key, n_keys + N_ORDINALS)};
  t->key_at = SP_ARENA_ARRAY(a, uint32_t, n_keys + N_ORDINALS);
  t->types = SP_ARENA_ARRAY(a, const sp_type *, (size_t)t->n_cols + n_keys + N_ORDINALS);
  if (computed == NULL || t->layout.keys == NULL || t->key_at == NULL || t->types == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < t->n_cols; i++) {
    t->types[i] = op->in->fields[i].type;
  }
  for (uint32_t i = 0; i < n_keys; i++) {
    const sp_item *item = &n->by.items[i];
    sp_sv name;
    const int32_t column = sp_expr_is_column(item->expr, &name) ? sp_schema_find(op->in, name) : -1;
    t->layout.keys[i] = (sp_sort_key){
        .type = item->expr->type, .descending = item->descending, .nulls_last = item->nulls_last};
    sp_sort_key_unknown(&t->layout.keys[i]);
    t->key_at[i] = column >= 0 ? (uint32_t)column : t->n_cols + t->n_computed;
    if (column < 0) {
      t->types[t->n_cols + t->n_computed] = item->expr->type;
      computed[t->n_computed++] = item->expr;
    }
  }
  t->n_all = t->n_cols + t->n_computed + N_ORDINALS;
  for (uint32_t i = 0; i < N_ORDINALS; i++) {
    t->layout.keys[n_keys + i] = (sp_sort_key){.type = sp_type_of(SP_KIND_INT64), .no_nulls = true};
    t->key_at[n_keys + i] = t->n_cols + t->n_computed + i;
    t->types[t->n_cols + t->n_computed + i] = sp_type_of(SP_KIND_INT64);
  }
  sp_sort_layout_set(&t->layout);
  return t->n_computed > 0 ? sp_program_new(op->mem, op->in, computed, t->n_computed, &t->program, err)
                           : SP_OK;
}

static void offer_filter(sp_lower *l, uint32_t node, sp_operator *sink) {
  top *t = sink->shared;
  atomic_init(&t->best, UINT64_MAX);
  if (t->key_at[0] >= t->n_cols || !sp_key_is_int(t->layout.keys[0].type) || t->k == 0) {
    return;
  }
  t->filter = (sp_runtime_filter){
      .owner = sink, .ctx = t, .wants_null = true, .may_match = filter_may_match, .rows = filter_rows};
  if (!sp_lower_offer_filter(l, node, 0, t->key_at[0], &t->filter)) {
    t->filter.rows = NULL;
  }
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  const sp_sort_node *n = (const sp_sort_node *)sp_lower_plan(l)->nodes[node];
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  sp_operator *sink = sp_lower_operator(l, node, &top_ops, sizeof(top));
  SP_TRY_ALLOC(err, sink);
  SP_TRY(prepare(sink, n, sp_lower_arena(l), err));
  SP_TRY(sp_lower_end(l, s, sink, err));
  offer_filter(l, node, sink);
  sp_operator *source = sp_lower_operator(l, node, &source_ops, 0);
  SP_TRY_ALLOC(err, source);
  source->shared = sink;
  sp_stream out;
  SP_TRY(sp_lower_source(l, source, &s.pipeline, 1, true, &out, err));
  return sp_lower_output(l, node, out, err);
}

const sp_lowering sp_lowering_top_k = {.kinds = "top_k", .lower = lower};
