/* unique: one row per distinct combination of columns.
 *
 *   push     numbers keys by a grouper; keeps a row that makes a group, or with keep last the last one of
 *            each group in the batch
 *   finish   groups that several workers have become one, by the ordinals of their rows; the kept rows
 *            become whole columns
 *   source   the rows of the groups that are left, gathered batch by batch
 *
 * keep any takes the first too, so that results do not depend on the number of workers.
 *
 * Example: keep none over a = 1, 2, 1, 3: workers saw {1, 2} and {1, 3}; merged, 1 has several rows: 2, 3. */
#include "exec/grouper.h"
#include "exec/kept_rows.h"

#include <stdlib.h>

#define MORSEL_ROWS 65536
#define TASK 16384         /* groups looked up by one task */
#define GARBAGE_ROWS 65536 /* keep last: replaced rows that may stand around */

typedef struct group {    /* user bytes of a group */
  uint64_t source, place; /* ordinal of its row: place is seq + 1 and row; 0 = no row yet */
  uint32_t row;           /* among the kept rows of `part` */
  uint16_t part;
  bool several; /* more than one row */
  bool moved;   /* another part has it */
} group;

typedef struct part {
  sp_grouper grouper;
  sp_kept kept;
  sp_column **keys;
  uint32_t cap_rows; /* of the next two */
  uint32_t *ids;
  uint16_t *sel;
  uint32_t first_row; /* of its kept rows among all; at finish */
} part;

typedef struct unique {
  const sp_key_layout *layout;
  uint32_t n_keys;
  uint32_t *keys; /* columns compared */
  int keep;
  bool ordered;
  part **parts;
  uint32_t n_parts;
  sp_column **cols; /* of all kept rows, after finish */
  uint32_t n;       /* rows of the output */
  uint32_t *rows;
} unique;

static group *group_at(const part *p, uint32_t id) {
  return sp_key_store_user(&p->grouper.store, id);
}

/* ---- parts ---- */

static void part_free(sp_operator *op, part *p) {
  const unique *u = op->shared;
  if (p == NULL) {
    return;
  }
  for (uint32_t i = 0; p->keys != NULL && i < u->n_keys; i++) {
    sp_column_unref(p->keys[i]);
  }
  sp_mem_free(op->mem, p->keys, u->n_keys * sizeof(sp_column *));
  sp_grouper_release(&p->grouper);
  sp_kept_release(&p->kept, op->mem);
  sp_mem_free(op->mem, p->ids, p->cap_rows * sizeof *p->ids);
  sp_mem_free(op->mem, p->sel, p->cap_rows * sizeof *p->sel);
  sp_mem_free(op->mem, p, sizeof *p);
}

static part *part_new(sp_operator *op) {
  const unique *u = op->shared;
  part *p = sp_mem_calloc(op->mem, sizeof *p);
  if (p == NULL) {
    return NULL;
  }
  p->keys = sp_mem_calloc(op->mem, u->n_keys * sizeof(sp_column *));
  if (!sp_grouper_init(&p->grouper, u->layout, sp_maker_of(op), sizeof(group), true) || p->keys == NULL) {
    part_free(op, p);
    return NULL;
  }
  return p;
}

static bool room_for(sp_operator *op, part *p, uint32_t n) {
  if (n <= p->cap_rows) {
    return true;
  }
  sp_mem_free(op->mem, p->ids, p->cap_rows * sizeof *p->ids);
  sp_mem_free(op->mem, p->sel, p->cap_rows * sizeof *p->sel);
  p->cap_rows = n;
  p->ids = sp_mem_alloc(op->mem, n * sizeof *p->ids);
  p->sel = sp_mem_alloc(op->mem, n * sizeof *p->sel);
  return p->ids != NULL && p->sel != NULL;
}

/* ---- push ---- */

static inline uint16_t row_of(const sp_batch *in, uint32_t i) {
  return in->sel != NULL ? in->sel[i] : (uint16_t)i;
}

/* Rows that made a group are the first of their groups. */
static uint32_t pick_first(part *p, const sp_worker *w, const sp_batch *in) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->n_rows; i++) {
    group *g = group_at(p, p->ids[i]);
    if (g->place == 0) {
      *g = (group){.source = w->source, .place = (w->seq + 1) << 16 | i, .row = (uint32_t)p->kept.rows + n};
      p->sel[n++] = row_of(in, i);
    } else {
      g->several = true;
    }
  }
  return n;
}

/* The last row of each group that the batch has: going backwards, the first one that finds no ordinal of this
 * batch yet. */
static uint32_t pick_last(part *p, const sp_worker *w, const sp_batch *in) {
  for (uint32_t i = in->n_rows; i-- > 0;) {
    group *g = group_at(p, p->ids[i]);
    if (g->source != w->source || g->place >> 16 != w->seq + 1) {
      *g = (group){.source = w->source, .place = (w->seq + 1) << 16 | i};
    }
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->n_rows; i++) {
    group *g = group_at(p, p->ids[i]);
    if ((g->place & 0xffff) == i) {
      g->row = (uint32_t)p->kept.rows + n;
      p->sel[n++] = row_of(in, i);
    }
  }
  return n;
}

static sp_status keep_rows(sp_operator *op, sp_worker *w, part *p, const sp_batch *in, uint32_t n) {
  sp_batch *b = sp_batch_new(op->mem, in->n_cols, in->length);
  SP_TRY_ALLOC(w->err, b);
  for (uint32_t i = 0; i < in->n_cols; i++) {
    b->cols[i] = sp_column_ref(in->cols[i]);
  }
  if (n < in->length) {
    b->sel = p->sel;
  }
  b->n_rows = n;
  const bool ok = sp_kept_add(&p->kept, op->mem, sp_batch_keep(op, w, b));
  sp_batch_unref(b);
  return ok ? sp_kept_check(&p->kept, w->err) : sp_error_nomem(w->err);
}

/* keep last: rows that have been replaced are dropped. Kept rows are in the order of groups then. */
static sp_status drop_garbage(sp_operator *op, sp_worker *w, part *p) {
  const uint32_t n = p->grouper.store.n;
  const uint32_t n_cols = op->in->n;
  uint32_t *rows = sp_mem_alloc(op->mem, n * sizeof *rows);
  sp_column **parts = sp_mem_alloc(op->mem, p->kept.n * sizeof *parts);
  sp_batch *b = sp_batch_new(op->mem, n_cols, n);
  bool ok = rows != NULL && parts != NULL && b != NULL;
  for (uint32_t i = 0; i < n && ok; i++) {
    rows[i] = group_at(p, i)->row;
  }
  for (uint32_t i = 0; i < n_cols && ok; i++) {
    for (uint32_t k = 0; k < p->kept.n; k++) {
      parts[k] = p->kept.batches[k]->cols[i];
    }
    sp_column *whole = sp_column_concat(sp_maker_of(op), op->in->fields[i].type, parts, p->kept.n);
    sp_column *taken = whole != NULL ? sp_column_gather(sp_maker_of(op), whole, rows, n) : NULL;
    sp_column_unref(whole);
    b->cols[i] = taken != NULL ? sp_column_compact(sp_maker_of(op), taken) : NULL;
    sp_column_unref(taken);
    ok = b->cols[i] != NULL;
  }
  sp_mem_free(op->mem, parts, p->kept.n * sizeof *parts);
  sp_mem_free(op->mem, rows, n * sizeof *rows);
  if (!ok) {
    sp_batch_unref(b);
    return sp_error_nomem(w->err);
  }
  sp_kept_release(&p->kept, op->mem);
  for (uint32_t i = 0; i < n; i++) {
    group_at(p, i)->row = i;
  }
  return sp_kept_add(&p->kept, op->mem, b) ? SP_OK : sp_error_nomem(w->err);
}

static sp_status take(sp_operator *op, sp_worker *w, part *p, const sp_batch *in) {
  const unique *u = op->shared;
  for (uint32_t i = 0; i < u->n_keys; i++) {
    sp_column *c = in->cols[u->keys[i]];
    p->keys[i] = c->encoding == SP_SEQUENCE ? sp_column_flatten(sp_maker_of(op), c) : sp_column_ref(c);
    SP_TRY_ALLOC(w->err, p->keys[i]);
  }
  if (!sp_grouper_add(&p->grouper, (const sp_column *const *)p->keys, in->sel, in->n_rows, p->ids)) {
    return sp_error_nomem(w->err);
  }
  const uint32_t n = u->keep == SP_KEEP_LAST ? pick_last(p, w, in) : pick_first(p, w, in);
  if (n > 0) {
    SP_TRY(keep_rows(op, w, p, in, n));
  }
  return p->kept.rows > 2 * (uint64_t)p->grouper.store.n + GARBAGE_ROWS ? drop_garbage(op, w, p) : SP_OK;
}

static sp_status unique_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  const unique *u = op->shared;
  if (op->local[w->index] == NULL) {
    op->local[w->index] = part_new(op);
    SP_TRY_ALLOC(w->err, op->local[w->index]);
  }
  part *p = op->local[w->index];
  const sp_status st = room_for(op, p, in->n_rows) ? take(op, w, p, in) : sp_error_nomem(w->err);
  for (uint32_t i = 0; i < u->n_keys; i++) {
    p->keys[i] = sp_column_unref(p->keys[i]);
  }
  return st;
}

/* ---- finish ---- */

typedef struct merging {
  sp_operator *op;
  uint32_t part;
} merging;

static bool comes_first(const group *a, const group *b) {
  return a->source != b->source ? a->source < b->source : a->place < b->place;
}

/* Looks the groups up among the parts before: each is found at most once, and no two find the same one. */
static sp_status merge_task(void *ctx, uint32_t task, sp_worker *w) {
  const merging *m = ctx;
  const unique *u = m->op->shared;
  part *p = u->parts[m->part];
  const uint32_t from = task * TASK;
  const uint32_t left = p->grouper.store.n - from;
  const uint32_t n = left < TASK ? left : TASK;
  uint32_t *ids = sp_arena_alloc(&w->scratch, n * sizeof *ids);
  SP_TRY_ALLOC(w->err, ids);
  for (uint32_t k = 0; k < m->part; k++) {
    sp_grouper_find(&u->parts[k]->grouper, sp_key_store_row(&p->grouper.store, from),
                    p->grouper.store.stride / 8, n, ids);
    for (uint32_t i = 0; i < n; i++) {
      group *g = group_at(p, from + i);
      if (ids[i] == SP_NO_ID || g->moved) {
        continue;
      }
      group *to = group_at(u->parts[k], ids[i]);
      if (to->moved) {
        continue;
      }
      if (comes_first(g, to) == (u->keep != SP_KEEP_LAST)) {
        const bool several = to->several;
        *to = *g;
        to->several = several;
      }
      to->several = true;
      g->moved = true;
    }
  }
  return SP_OK;
}

static sp_status merge_parts(sp_operator *op, sp_error *err) {
  unique *u = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    part *p = op->local[i];
    if (p != NULL) {
      for (uint32_t k = 0; k < p->grouper.store.n; k++) {
        group_at(p, k)->part = (uint16_t)u->n_parts;
      }
      u->parts[u->n_parts++] = p;
    }
  }
  for (uint32_t i = 1; i < u->n_parts; i++) {
    merging m = {.op = op, .part = i};
    SP_TRY(sp_exec_parallel(op, (u->parts[i]->grouper.store.n + TASK - 1) / TASK, merge_task, &m, err));
  }
  return SP_OK;
}

typedef struct place {
  uint64_t source, place;
  uint32_t row;
} place;

static int by_place(const void *a, const void *b) {
  const place *x = a;
  const place *y = b;
  if (x->source != y->source) {
    return x->source < y->source ? -1 : 1;
  }
  return (x->place > y->place) - (x->place < y->place);
}

static bool stays(const unique *u, const group *g) {
  return !g->moved && (u->keep != SP_KEEP_NONE || !g->several);
}

static sp_status list_rows(sp_operator *op, sp_error *err) {
  unique *u = op->shared;
  uint32_t n = 0;
  for (uint32_t i = 0; i < u->n_parts; i++) {
    for (uint32_t k = 0; k < u->parts[i]->grouper.store.n; k++) {
      n += stays(u, group_at(u->parts[i], k));
    }
  }
  place *places = sp_mem_alloc(op->mem, (size_t)n * sizeof *places);
  u->rows = sp_mem_alloc(op->mem, (size_t)n * sizeof *u->rows);
  if (places == NULL || u->rows == NULL) {
    sp_mem_free(op->mem, places, (size_t)n * sizeof *places);
    sp_mem_free(op->mem, u->rows, (size_t)n * sizeof *u->rows);
    u->rows = NULL;
    return sp_error_nomem(err);
  }
  u->n = n;
  n = 0;
  for (uint32_t i = 0; i < u->n_parts; i++) {
    for (uint32_t k = 0; k < u->parts[i]->grouper.store.n; k++) {
      const group *g = group_at(u->parts[i], k);
      if (stays(u, g)) {
        places[n++] = (place){g->source, g->place, u->parts[g->part]->first_row + g->row};
      }
    }
  }
  if (u->ordered) {
    qsort(places, n, sizeof *places, by_place);
  }
  for (uint32_t i = 0; i < n; i++) {
    u->rows[i] = places[i].row;
  }
  sp_mem_free(op->mem, places, (size_t)n * sizeof *places);
  return SP_OK;
}

static sp_status gather(sp_operator *op, sp_kept *all, sp_error *err) {
  unique *u = op->shared;
  for (uint32_t i = 0; i < u->n_parts; i++) {
    u->parts[i]->first_row = (uint32_t)all->rows;
    if (!sp_kept_move(all, op->mem, &u->parts[i]->kept)) {
      return sp_error_nomem(err);
    }
    SP_TRY(sp_kept_check(all, err));
  }
  const uint32_t n = op->in->n;
  const sp_type **types = sp_mem_alloc(op->mem, n * sizeof *types);
  u->cols = sp_mem_calloc(op->mem, n * sizeof(sp_column *));
  sp_status st = types != NULL && u->cols != NULL ? SP_OK : sp_error_nomem(err);
  for (uint32_t i = 0; i < n && st == SP_OK; i++) {
    types[i] = op->in->fields[i].type;
  }
  if (st == SP_OK) {
    st = sp_kept_columns(op, all, types, n, u->cols, err);
  }
  sp_mem_free(op->mem, types, n * sizeof *types);
  return st;
}

static void drop_parts(sp_operator *op) {
  unique *u = op->shared;
  u->n_parts = 0;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    part_free(op, op->local[i]);
    op->local[i] = NULL;
  }
}

static sp_status unique_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  sp_kept all = {.n = 0};
  sp_status st = merge_parts(op, err);
  if (st == SP_OK) {
    st = gather(op, &all, err);
  }
  sp_kept_release(&all, op->mem);
  if (st == SP_OK) {
    st = list_rows(op, err);
  }
  drop_parts(op);
  return st;
}

static void unique_close(sp_operator *op) {
  unique *u = op->shared;
  drop_parts(op);
  for (uint32_t i = 0; u->cols != NULL && i < op->in->n; i++) {
    sp_column_unref(u->cols[i]);
  }
  sp_mem_free(op->mem, u->cols, op->in->n * sizeof(sp_column *));
  u->cols = NULL;
  sp_mem_free(op->mem, u->rows, (size_t)u->n * sizeof *u->rows);
  u->rows = NULL;
  u->n = 0;
}

static const sp_operator_ops unique_ops = {
    .name = "unique", .push = unique_push, .finish = unique_finish, .close = unique_close};

/* ---- source ---- */

static const unique *unique_of(const sp_operator *op) {
  return ((sp_operator *)op->shared)->shared;
}

static uint32_t source_morsels(sp_operator *op) {
  const uint32_t n = unique_of(op)->n;
  return n / MORSEL_ROWS + (n % MORSEL_ROWS != 0);
}

static sp_status source_morsel(sp_operator *op, sp_worker *w, uint32_t morsel) {
  const unique *u = unique_of(op);
  const uint32_t step = sp_exec_batch_rows(op->exec, op->out);
  const uint32_t from = morsel * MORSEL_ROWS;
  const uint32_t n = u->n - from < MORSEL_ROWS ? u->n - from : MORSEL_ROWS;
  for (uint32_t at = 0; at < n && !sp_should_stop(op, w); at += step) {
    const uint32_t m = n - at < step ? n - at : step;
    sp_batch *b = sp_batch_new(op->mem, op->out->n, m);
    for (uint32_t i = 0; i < op->out->n && b != NULL; i++) {
      b->cols[i] = sp_column_gather(sp_maker_of(op), u->cols[i], u->rows + from + at, m);
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
  unique_close(op->shared);
  return SP_OK;
}

static const sp_operator_ops source_ops = {
    .name = "unique_source", .morsels = source_morsels, .morsel = source_morsel, .finish = source_finish};

/* ---- lowering ---- */

static sp_status prepare(sp_operator *op, const sp_unique_node *n, sp_arena *a, sp_error *err) {
  unique *u = op->shared;
  u->n_keys = n->subset.n > 0 ? n->subset.n : op->in->n;
  u->keep = n->keep;
  u->ordered = n->maintain_order;
  u->keys = SP_ARENA_ARRAY(a, uint32_t, u->n_keys);
  u->parts = SP_ARENA_ARRAY(a, part *, sp_exec_threads(op->exec));
  const sp_type **types = SP_ARENA_ARRAY(a, const sp_type *, u->n_keys);
  if (u->keys == NULL || u->parts == NULL || types == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < u->n_keys; i++) {
    u->keys[i] = n->subset.n > 0 ? (uint32_t)sp_schema_find(op->in, sp_sv_from(n->subset.items[i])) : i;
    types[i] = op->in->fields[u->keys[i]].type;
  }
  u->layout = sp_key_layout_new(a, types, u->n_keys);
  SP_TRY_ALLOC(err, u->layout);
  return SP_OK;
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  const sp_unique_node *n = (const sp_unique_node *)sp_lower_plan(l)->nodes[node];
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  sp_operator *sink = sp_lower_operator(l, node, &unique_ops, sizeof(unique));
  SP_TRY_ALLOC(err, sink);
  SP_TRY(prepare(sink, n, sp_lower_arena(l), err));
  SP_TRY(sp_lower_end(l, s, sink, err));
  sp_operator *source = sp_lower_operator(l, node, &source_ops, 0);
  SP_TRY_ALLOC(err, source);
  source->shared = sink;
  sp_stream out;
  SP_TRY(sp_lower_source(l, source, &s.pipeline, 1, n->maintain_order, &out, err));
  return sp_lower_output(l, node, out, err);
}

static bool observes(const sp_node *node, uint32_t which, bool observed) {
  (void)which;
  (void)observed;
  const sp_unique_node *n = (const sp_unique_node *)node;
  return n->maintain_order || n->keep == SP_KEEP_FIRST || n->keep == SP_KEEP_LAST;
}

const sp_lowering sp_lowering_unique = {.kinds = "unique", .lower = lower, .observes = observes};
