/* The same group of several workers becomes one.
 *
 * Groups of one worker are distinct, so each is looked up among the workers before it, by all workers in
 * parallel: no two meet in the same group. Found: its state is merged into that one and the group counts as
 * moved. Not found: it stays where it is, nothing is copied; workers that had different ranges of keys cost
 * one look-up per group and no more.
 *
 * Example: A {x: 2, y: 1}, B {z: 5, x: 3} ⇒ A {x: 5, y: 1}, B {z: 5, (x moved to A's group 0)}. */
#include "exec/operators/group_by/group_by.h"

#include <stdlib.h>

#define TASK 16384        /* groups looked up by one task */
#define MORSEL_ROWS 65536 /* groups of one morsel of the source */

typedef struct merging {
  sp_operator *op;
  uint32_t part;
} merging;

static sp_status merge_run(sp_operator *op, sp_gb_part *src, uint32_t from, uint32_t n, sp_gb_part *dst,
                           sp_error *err) {
  const sp_gb *g = op->shared;
  for (uint32_t i = 0; i < n && g->ordered; i++) {
    const sp_gb_first *f = sp_key_store_user(&src->grouper.store, from + i);
    sp_gb_first *to = sp_key_store_user(&dst->grouper.store, src->moved_id[from + i]);
    if (f->source < to->source || (f->source == to->source && f->place < to->place)) {
      *to = *f;
    }
  }
  for (uint32_t k = 0; k < g->n_calls; k++) {
    const sp_gb_call *c = &g->calls[k];
    if (c->set != UINT32_MAX) {
      continue;
    }
    sp_agg_states a = sp_gb_states(src, c);
    const sp_agg_states b = sp_gb_states(dst, c);
    a.base += (size_t)from * a.stride;
    SP_TRY(c->ops->merge(&c->agg, op->mem, &a, n, src->moved_id + from, &b, err));
  }
  return SP_OK;
}

static sp_status merge_task(void *ctx, uint32_t task, sp_worker *w) {
  const merging *m = ctx;
  const sp_gb *g = m->op->shared;
  sp_gb_part *p = g->parts[m->part];
  const uint32_t from = task * TASK;
  const uint32_t left = p->grouper.store.n - from;
  const uint32_t n = left < TASK ? left : TASK;
  uint32_t *ids = sp_arena_alloc(&w->scratch, n * sizeof *ids);
  SP_TRY_ALLOC(w->err, ids);
  memset(p->moved_to + from, 0xff, n * sizeof *p->moved_to);
  for (uint32_t k = 0; k < m->part; k++) {
    sp_grouper_find(&g->parts[k]->grouper, sp_key_store_row(&p->grouper.store, from),
                    p->grouper.store.stride / 8, n, ids);
    for (uint32_t i = 0; i < n; i++) {
      if (ids[i] != SP_NO_ID && p->moved_to[from + i] == UINT16_MAX) {
        p->moved_to[from + i] = (uint16_t)k;
        p->moved_id[from + i] = ids[i];
      }
    }
  }
  for (uint32_t i = from; i < from + n;) {
    uint32_t end = i + 1;
    while (end < from + n && p->moved_to[end] == p->moved_to[i]) {
      end++;
    }
    if (p->moved_to[i] != UINT16_MAX) {
      SP_TRY(merge_run(m->op, p, i, end - i, g->parts[p->moved_to[i]], w->err));
    }
    i = end;
  }
  return SP_OK;
}

static sp_status merge_parts(sp_operator *op, sp_error *err) {
  const sp_gb *g = op->shared;
  for (uint32_t i = 1; i < g->n_parts; i++) {
    sp_gb_part *p = g->parts[i];
    const uint32_t n = p->grouper.store.n;
    p->moved_to = sp_mem_alloc(op->mem, n * sizeof *p->moved_to);
    p->moved_id = sp_mem_alloc(op->mem, n * sizeof *p->moved_id);
    if (p->moved_to == NULL || p->moved_id == NULL) {
      return sp_error_nomem(err);
    }
    merging m = {.op = op, .part = i};
    SP_TRY(sp_exec_parallel(op, (n + TASK - 1) / TASK, merge_task, &m, err));
  }
  return SP_OK;
}

/* ---- in the order of first rows ---- */

typedef struct place {
  sp_gb_first first;
  sp_gb_part *part;
  uint32_t group;
} place;

static int by_first(const void *a, const void *b) {
  const sp_gb_first *x = &((const place *)a)->first;
  const sp_gb_first *y = &((const place *)b)->first;
  if (x->source != y->source) {
    return x->source < y->source ? -1 : 1;
  }
  return (x->place > y->place) - (x->place < y->place);
}

static bool is_here(const sp_gb_part *p, uint32_t group) {
  return p->moved_to == NULL || p->moved_to[group] == UINT16_MAX;
}

static uint32_t list_places(const sp_gb *g, place *to) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < g->n_parts; i++) {
    const sp_key_store *s = &g->parts[i]->grouper.store;
    for (uint32_t k = 0; k < s->n; k++) {
      if (is_here(g->parts[i], k)) {
        if (to != NULL) {
          to[n] = (place){.first = *(sp_gb_first *)sp_key_store_user(s, k), .part = g->parts[i], .group = k};
        }
        n++;
      }
    }
  }
  return n;
}

static bool share_heaps(sp_key_store *to, const sp_gb *g) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < g->n_parts; i++) {
    n += g->parts[i]->grouper.store.n_heaps;
  }
  to->heaps = sp_mem_alloc(to->mk.mem, n * sizeof(sp_buf *));
  if (to->heaps == NULL) {
    return false;
  }
  to->cap_heaps = n;
  for (uint32_t i = 0; i < g->n_parts; i++) {
    const sp_key_store *s = &g->parts[i]->grouper.store;
    for (uint32_t k = 0; k < s->n_heaps; k++) {
      to->heaps[to->n_heaps++] = sp_buf_ref(s->heaps[k]);
    }
  }
  return true;
}

/* States of groups that have moved away are destroyed where they are; all others will be copied, byte by
 * byte, and are the copy's then. */
static void destroy_moved(sp_operator *op, sp_gb_part *p) {
  const sp_gb *g = op->shared;
  for (uint32_t k = 0; k < g->n_calls; k++) {
    const sp_gb_call *c = &g->calls[k];
    for (uint32_t i = 0; i < p->n_init && c->ops->destroy != NULL; i++) {
      if (!is_here(p, i)) {
        sp_agg_states s = sp_gb_states(p, c);
        s.base += (size_t)i * s.stride;
        c->ops->destroy(&c->agg, op->mem, &s, 1);
      }
    }
  }
  p->n_init = 0;
}

static sp_status put_in_order(sp_operator *op, sp_error *err) {
  sp_gb *g = op->shared;
  const uint32_t n = list_places(g, NULL);
  place *places = sp_mem_alloc(op->mem, n * sizeof *places);
  sp_gb_part *to = sp_mem_calloc(op->mem, sizeof *to);
  if (to != NULL) {
    sp_key_store_init(&to->grouper.store, g->layout, sp_maker_of(op), g->user_bytes);
  }
  if (places == NULL || to == NULL || !sp_key_store_reserve(&to->grouper.store, n) ||
      !share_heaps(&to->grouper.store, g)) {
    sp_mem_free(op->mem, places, n * sizeof *places);
    sp_gb_part_free(op, to);
    return sp_error_nomem(err);
  }
  list_places(g, places);
  qsort(places, n, sizeof *places, by_first);
  for (uint32_t i = 0; i < n; i++) {
    memcpy(sp_key_store_row(&to->grouper.store, i),
           sp_key_store_row(&places[i].part->grouper.store, places[i].group), to->grouper.store.stride);
  }
  to->grouper.store.n = n;
  to->n_init = n;
  for (uint32_t i = 0; i < g->n_parts; i++) {
    destroy_moved(op, g->parts[i]);
  }
  sp_mem_free(op->mem, places, n * sizeof *places);
  g->in_order = to;
  return SP_OK;
}

/* ---- the source's morsels ---- */

static sp_status make_ranges(sp_operator *op, sp_error *err) {
  sp_gb *g = op->shared;
  sp_gb_part *const *parts = g->in_order != NULL ? &g->in_order : g->parts;
  const uint32_t n_parts = g->in_order != NULL ? 1 : g->n_parts;
  uint32_t n = 0;
  for (uint32_t i = 0; i < n_parts; i++) {
    n += (parts[i]->grouper.store.n + MORSEL_ROWS - 1) / MORSEL_ROWS;
  }
  g->ranges = sp_mem_alloc(op->mem, n * sizeof *g->ranges);
  SP_TRY_ALLOC(err, g->ranges);
  g->n_ranges = n;
  n = 0;
  for (uint32_t i = 0; i < n_parts; i++) {
    const uint32_t groups = parts[i]->grouper.store.n;
    for (uint32_t from = 0; from < groups; from += MORSEL_ROWS) {
      const uint32_t left = groups - from;
      g->ranges[n++] =
          (sp_gb_range){.part = parts[i], .from = from, .n = left < MORSEL_ROWS ? left : MORSEL_ROWS};
    }
  }
  return SP_OK;
}

sp_status sp_gb_merge(sp_operator *op, sp_error *err) {
  sp_gb *g = op->shared;
  for (uint32_t i = 0; i < sp_exec_threads(op->exec); i++) {
    if (op->local[i] != NULL) {
      g->parts[g->n_parts++] = op->local[i];
    }
  }
  SP_TRY(merge_parts(op, err));
  SP_TRY(sp_gb_distinct_finish(op, err));
  if (g->ordered && g->n_parts > 0) {
    SP_TRY(put_in_order(op, err));
  }
  return make_ranges(op, err);
}
