/* Puts batches in order for operators that depend on it: slice, row index, sinks.
 *
 * Workers produce morsels side by side. The worker whose morsel is next passes its batches on directly; the
 * others leave theirs in the morsel's queue. When a morsel is over, whoever ends it drains what has become
 * next, so that one batch at a time arrives behind the reorder, in order, and nobody waits for a turn. What
 * waits in queues is charged and bounded: a worker too far ahead sleeps until there is room or its turn. The
 * worker of the lowest morsel never waits, so there is no deadlock.
 *
 * Example, two workers: B finishes morsel 1 first: its batches wait. A passes on morsel 0 batch by batch,
 * ends it, then passes on B's.
 *
 * The end of a morsel is an event in this order too: operators behind hear of it when its last batch has
 * passed. After a failure behind it the reorder is broken: it drops batches and passes only ends, which other
 * reorders may be waiting for. */
#include "exec/internal.h"

#include <time.h>

#define BOUND ((int64_t)64 << 20) /* bytes waiting */

typedef struct held {
  struct held *next;
  sp_batch *batch;
  int64_t bytes;
} held;

typedef struct entry { /* a morsel */
  held *first, *last;
  uint32_t ends;
} entry;

typedef struct range { /* a feed's morsels */
  uint32_t feed, times;
  uint32_t first, n; /* morsels, once known */
  uint32_t start;    /* of its entries */
} range;

typedef struct reorder {
  pthread_mutex_t lock;
  pthread_cond_t room;
  bool has_lock;
  sp_ends ends;
  uint32_t n_ranges, cap_ranges;
  range *ranges;
  uint32_t n_entries;
  entry *entries;
  uint32_t next, next_range; /* the morsel whose turn it is: its entry and range */
  bool draining, broken;
  int64_t waiting, bound; /* bytes */
} reorder;

sp_ends *sp_reorder_ends(sp_operator *op) {
  return &((reorder *)op->shared)->ends;
}

bool sp_reorder_expect(sp_operator *op, uint32_t feed, uint32_t times) {
  reorder *r = op->shared;
  if (!sp_arena_grow(&op->exec->run->arena, &r->ranges, &r->cap_ranges, r->n_ranges + 1, sizeof(range))) {
    return false;
  }
  r->ranges[r->n_ranges++] = (range){.feed = feed, .times = times};
  return true;
}

/* Morsels of feeds are known when the first batch or end comes by: numbers are set between open and the first
 * morsel. */
static void settle(reorder *r, const sp_operator *op) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < r->n_ranges; i++) {
    const sp_feed *f = &op->pipeline->feeds[r->ranges[i].feed];
    r->ranges[i].first = f->first;
    r->ranges[i].n = f->n;
    r->ranges[i].start = n;
    n += f->n;
  }
  r->n_entries = n;
}

static sp_status reorder_start(sp_operator *op, sp_error *err) {
  reorder *r = op->shared;
  settle(r, op);
  r->entries = sp_mem_calloc(op->mem, r->n_entries * sizeof(entry));
  SP_TRY_ALLOC(err, r->entries);
  while (r->next_range < r->n_ranges && r->ranges[r->next_range].n == 0) {
    r->next_range++;
  }
  const int64_t limit = sp_exec_memory_limit(op->exec);
  r->bound = limit > 0 && limit / 8 < BOUND ? limit / 8 : BOUND;
  return SP_OK;
}

static sp_status reorder_open(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  reorder *r = op->shared;
  (void)err;
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->room, NULL);
  r->has_lock = true;
  return SP_OK;
}

static const range *range_of(const reorder *r, uint64_t source) {
  for (uint32_t i = 0; i < r->n_ranges; i++) {
    if (source >= r->ranges[i].first && source - r->ranges[i].first < r->ranges[i].n) {
      return &r->ranges[i];
    }
  }
  return NULL;
}

static entry *entry_of(reorder *r, uint64_t source) {
  const range *g = range_of(r, source);
  return g == NULL ? NULL : &r->entries[g->start + (uint32_t)(source - g->first)];
}

static uint64_t next_source(const reorder *r) {
  const range *g = &r->ranges[r->next_range];
  return g->first + (r->next - g->start);
}

static void step(reorder *r) {
  r->next++;
  while (r->next_range < r->n_ranges &&
         r->next >= r->ranges[r->next_range].start + r->ranges[r->next_range].n) {
    r->next_range++;
  }
  pthread_cond_broadcast(&r->room);
}

static held *pop(reorder *r, entry *e) {
  held *h = e->first;
  e->first = h->next;
  if (e->first == NULL) {
    e->last = NULL;
  }
  r->waiting -= h->bytes;
  pthread_cond_broadcast(&r->room);
  return h;
}

static void free_held(sp_operator *op, held *h) {
  sp_batch_unref(h->batch);
  sp_mem_free(op->mem, h, sizeof *h);
}

/* Under the feed's name instead of the worker's: whoever passes a morsel on, its batches are numbered
 * together. */
static void take_turn(const reorder *r, const sp_operator *op, sp_worker *w, uint64_t source) {
  w->source = source;
  w->lane = op->exec->threads + r->ranges[r->next_range].feed;
}

/* Emits without the lock; the turn is ours. A failure breaks the reorder. */
static sp_status pass(sp_operator *op, sp_worker *w, const sp_batch *b) {
  reorder *r = op->shared;
  pthread_mutex_unlock(&r->lock);
  const sp_status st = sp_emit(op, w, b);
  pthread_mutex_lock(&r->lock);
  if (st != SP_OK) {
    r->broken = true;
    pthread_cond_broadcast(&r->room);
  }
  return st;
}

/* Passes on what is next, until a morsel that is not over. Locked; the turn is ours (draining is set). */
static sp_status drain(sp_operator *op, sp_worker *w) {
  reorder *r = op->shared;
  sp_status st = SP_OK;
  while (r->next < r->n_entries && st == SP_OK) {
    entry *e = &r->entries[r->next];
    take_turn(r, op, w, next_source(r));
    if (e->first != NULL) {
      held *h = pop(r, e);
      if (!r->broken) {
        st = pass(op, w, h->batch);
        st = st == SP_CANCELLED ? SP_OK : st;
      }
      free_held(op, h);
    } else if (e->ends >= r->ranges[r->next_range].times) {
      pthread_mutex_unlock(&r->lock);
      st = sp_end_morsel(&r->ends, w);
      pthread_mutex_lock(&r->lock);
      step(r);
      st = st == SP_CANCELLED ? SP_OK : st;
      r->broken |= st != SP_OK;
    } else {
      break;
    }
  }
  return st;
}

static sp_status drain_if_free(sp_operator *op, sp_worker *w) {
  reorder *r = op->shared;
  if (r->draining) {
    return SP_OK;
  }
  const uint64_t source = w->source;
  const uint64_t seq = w->seq;
  const uint32_t lane = w->lane;
  r->draining = true;
  const sp_status st = drain(op, w);
  r->draining = false;
  if (st == SP_OK) {
    w->source = source;
    w->seq = seq;
    w->lane = lane;
  }
  return st;
}

static void wait_for_room(sp_operator *op, sp_worker *w, const entry *mine) {
  reorder *r = op->shared;
  bool waited = false;
  while (!r->broken && r->waiting > r->bound && mine != &r->entries[r->next] && !sp_should_stop(op, w)) {
    if (!waited) {
      sp_time_leave(op, w);
      waited = true;
    }
    /* Also wakes up by itself: a failure elsewhere or the time limit signals nobody. */
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 5000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&r->room, &r->lock, &until);
    sp_time_waited(op, w);
  }
}

static sp_status enqueue(sp_operator *op, sp_worker *w, entry *e, const sp_batch *in) {
  reorder *r = op->shared;
  held *h = sp_mem_calloc(op->mem, sizeof *h);
  if (h == NULL) {
    return sp_error_nomem(w->err);
  }
  h->batch = sp_batch_ref(in);
  h->bytes = sp_batch_bytes(in);
  sp_batch_charge(h->batch, op->mem);
  if (e->last != NULL) {
    e->last->next = h;
  } else {
    e->first = h;
  }
  e->last = h;
  r->waiting += h->bytes;
  return SP_OK;
}

static sp_status push_locked(sp_operator *op, sp_worker *w, const sp_batch *in) {
  reorder *r = op->shared;
  if (r->entries == NULL) {
    SP_TRY(reorder_start(op, w->err));
  }
  if (r->broken) {
    return SP_OK;
  }
  entry *e = entry_of(r, w->source);
  const bool over = r->next >= r->n_entries; /* flushes come after all morsels, one worker after the other */
  if (over || e == NULL) {
    return pass(op, w, in);
  }
  if (e == &r->entries[r->next] && !r->draining && e->first == NULL) {
    const uint32_t lane = w->lane;
    take_turn(r, op, w, w->source);
    r->draining = true;
    const sp_status st = pass(op, w, in);
    r->draining = false;
    if (st == SP_OK || st == SP_CANCELLED) {
      w->lane = lane;
    }
    return st;
  }
  SP_TRY(enqueue(op, w, e, in));
  if (e == &r->entries[r->next]) {
    return drain_if_free(op, w);
  }
  wait_for_room(op, w, e);
  return SP_OK;
}

static sp_status reorder_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  reorder *r = op->shared;
  pthread_mutex_lock(&r->lock);
  const sp_status st = push_locked(op, w, in);
  pthread_mutex_unlock(&r->lock);
  return st;
}

static sp_status end_locked(sp_operator *op, sp_worker *w) {
  reorder *r = op->shared;
  if (r->entries == NULL) {
    SP_TRY(reorder_start(op, w->err));
  }
  entry *e = entry_of(r, w->source);
  if (e == NULL) {
    return SP_OK;
  }
  e->ends++;
  return e == &r->entries[r->next] ? drain_if_free(op, w) : SP_OK;
}

static sp_status reorder_end(sp_operator *op, sp_worker *w) {
  reorder *r = op->shared;
  pthread_mutex_lock(&r->lock);
  const sp_status st = end_locked(op, w);
  pthread_mutex_unlock(&r->lock);
  return st;
}

static void drop_all(sp_operator *op) {
  reorder *r = op->shared;
  for (uint32_t i = 0; r->entries != NULL && i < r->n_entries; i++) {
    while (r->entries[i].first != NULL) {
      free_held(op, pop(r, &r->entries[i]));
    }
  }
  sp_mem_free(op->mem, r->entries, r->n_entries * sizeof(entry));
  r->entries = NULL;
  r->n_entries = 0;
}

static sp_status reorder_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  (void)err;
  drop_all(op);
  return SP_OK;
}

static void reorder_close(sp_operator *op) {
  reorder *r = op->shared;
  if (r->has_lock) {
    drop_all(op);
    pthread_cond_destroy(&r->room);
    pthread_mutex_destroy(&r->lock);
    r->has_lock = false;
  }
}

const sp_operator_ops sp_reorder_ops = {.name = "reorder",
                                        .open = reorder_open,
                                        .push = reorder_push,
                                        .end_morsel = reorder_end,
                                        .finish = reorder_finish,
                                        .close = reorder_close};

sp_status sp_lower_reorder(sp_lower *l, sp_stream *s, uint32_t node, sp_error *err) {
  if (s->serial) {
    return SP_OK;
  }
  sp_operator *op = sp_lower_operator(l, node, &sp_reorder_ops, sizeof(reorder));
  SP_TRY_ALLOC(err, op);
  op->times_only = true;
  SP_TRY(sp_lower_append(l, s, op, err));
  s->serial = true;
  return SP_OK;
}
