/* Samples of memory over time, and what each worker did when.
 *
 * A thread of its own samples every 10 ms, but only once the run is known to take longer: it is started
 * together with the other workers or when 5 ms have passed at the end of a morsel or pipeline. A short run
 * has two samples, its beginning and its end. A long run keeps at most SAMPLES_MAX: then every other one is
 * dropped and the period doubles.
 *
 * Activity is logged per worker and morsel. Entries of one pipeline that follow each other within 50 µs are
 * one. */
#include "exec/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS 10000000
#define SAMPLES_MAX 2000
#define ACTIVITY_MAX 20000 /* entries per worker; then they are merged whatever the gap */
#define GAP_NS 50000

/* Resident bytes from /proc/self/statm: one short read, where the whole status file would cost ten times
 * that. */
static int64_t resident(void) {
  char text[128];
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = '\0';
  char *end = text;
  strtoll(text, &end, 10);
  return strtoll(end, NULL, 10) * sysconf(_SC_PAGESIZE);
}

/* One block holds the three arrays, so that growing either happens or does not. */
static bool grow(sp_exec *x) {
  sp_sampler *s = &x->sampler;
  const size_t nodes = x->plan->n_nodes;
  const uint32_t cap = s->cap == 0 ? 4 : s->cap * 2;
  int64_t *block = sp_mem_alloc(x->engine, cap * (nodes + 2) * sizeof(int64_t));
  if (block == NULL) {
    return false;
  }
  int64_t *rss = block + cap;
  int64_t *live = rss + cap;
  if (s->n > 0) {
    memcpy(block, s->at, s->n * sizeof(int64_t));
    memcpy(rss, s->rss, s->n * sizeof(int64_t));
    memcpy(live, s->live, s->n * nodes * sizeof(int64_t));
  }
  sp_mem_free(x->engine, s->at, s->cap * (nodes + 2) * sizeof(int64_t));
  s->at = block;
  s->rss = rss;
  s->live = live;
  s->cap = cap;
  return true;
}

static void thin_out(sp_exec *x) {
  sp_sampler *s = &x->sampler;
  const size_t nodes = x->plan->n_nodes;
  for (uint32_t i = 0; i < s->n / 2; i++) {
    s->at[i] = s->at[2 * i];
    s->rss[i] = s->rss[2 * i];
    memmove(&s->live[i * nodes], &s->live[2 * i * nodes], nodes * sizeof(int64_t));
  }
  s->n /= 2;
  s->period_ns *= 2;
}

static void sample_locked(sp_exec *x) {
  sp_sampler *s = &x->sampler;
  const int64_t rss = resident();
  if (rss > s->rss_peak) {
    s->rss_peak = rss;
  }
  if (s->n >= SAMPLES_MAX) {
    thin_out(x);
  }
  if (s->n == s->cap && !grow(x)) {
    atomic_store(&x->starved, true);
    return;
  }
  s->at[s->n] = sp_now_ns() - x->start_ns;
  s->rss[s->n] = rss;
  for (uint32_t i = 0; i < x->plan->n_nodes; i++) {
    s->live[(size_t)s->n * x->plan->n_nodes + i] =
        atomic_load_explicit(&x->box->accounts[i].live, memory_order_relaxed);
  }
  s->n++;
}

void sp_sampler_sample(sp_exec *x) {
  pthread_mutex_lock(&x->sampler.lock);
  sample_locked(x);
  pthread_mutex_unlock(&x->sampler.lock);
}

void sp_sampler_init(sp_exec *x) {
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_mutex_init(&x->sampler.lock, NULL);
  pthread_cond_init(&x->sampler.wake, &attr);
  pthread_condattr_destroy(&attr);
  x->sampler.period_ns = PERIOD_NS;
}

static void *sampler_main(void *arg) {
  sp_exec *x = arg;
  sp_sampler *s = &x->sampler;
  pthread_mutex_lock(&s->lock);
  int64_t due = sp_now_ns();
  while (!s->stop) {
    due += s->period_ns;
    const struct timespec until = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};
    while (!s->stop && sp_now_ns() < due) {
      pthread_cond_timedwait(&s->wake, &s->lock, &until);
    }
    if (!s->stop) {
      sample_locked(x);
    }
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

void sp_sampler_start(sp_exec *x) {
  sp_sampler *s = &x->sampler;
  if (!s->started) {
    s->started = pthread_create(&s->thread, NULL, sampler_main, x) == 0; /* else: two samples only */
  }
}

void sp_sampler_stop(sp_exec *x) {
  sp_sampler *s = &x->sampler;
  if (s->started) {
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->started = false;
  }
}

void sp_sampler_release(sp_exec *x) {
  sp_sampler *s = &x->sampler;
  sp_sampler_stop(x);
  sp_mem_free(x->engine, s->at, s->cap * ((size_t)x->plan->n_nodes + 2) * sizeof(int64_t));
  s->at = NULL;
  s->n = s->cap = 0;
  pthread_cond_destroy(&s->wake);
  pthread_mutex_destroy(&s->lock);
}

bool sp_timeline_keep(sp_exec *x) {
  const sp_sampler *s = &x->sampler;
  sp_timeline *t = &x->run->timeline;
  sp_arena *a = &x->run->arena;
  x->run->rss_peak = s->rss_peak;
  if (s->n == 0) {
    return true;
  }
  t->at_ns = sp_arena_copy(a, s->at, s->n * sizeof(int64_t));
  t->rss_bytes = sp_arena_copy(a, s->rss, s->n * sizeof(int64_t));
  t->live_bytes = sp_arena_copy(a, s->live, (size_t)s->n * x->plan->n_nodes * sizeof(int64_t));
  if (t->at_ns == NULL || t->rss_bytes == NULL || t->live_bytes == NULL) {
    return false;
  }
  t->n = s->n;
  return true;
}

/* ---- activity ---- */

void sp_activity_add(sp_exec *x, sp_worker_box *b, uint32_t pipeline, uint64_t start, uint64_t end,
                     int64_t rows) {
  sp_activity_log *l = &b->log;
  if (l->n > 0) {
    struct sp_activity_entry *last = &l->e[l->n - 1];
    if (last->pipeline == pipeline && (l->n >= ACTIVITY_MAX || sp_ticks_to_ns(start - last->end) < GAP_NS)) {
      last->end = end;
      last->rows += rows;
      return;
    }
  }
  if (l->n == l->cap) {
    const uint32_t cap = l->cap == 0 ? 16 : l->cap * 2;
    void *p = sp_mem_realloc(x->engine, l->e, l->cap * sizeof *l->e, cap * sizeof *l->e);
    if (p == NULL) {
      atomic_store(&x->starved, true);
      return;
    }
    l->e = p;
    l->cap = cap;
  }
  l->e[l->n++] = (struct sp_activity_entry){pipeline, start, end, rows};
}

static int by_start(const void *a, const void *b) {
  const sp_activity *x = a;
  const sp_activity *y = b;
  if (x->start_ns != y->start_ns) {
    return x->start_ns < y->start_ns ? -1 : 1;
  }
  return (x->worker > y->worker) - (x->worker < y->worker);
}

bool sp_activity_keep(sp_exec *x) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < x->threads; i++) {
    n += x->workers[i].log.n;
  }
  if (n == 0) {
    return true;
  }
  sp_activity *all = SP_ARENA_ARRAY(&x->run->arena, sp_activity, n);
  if (all == NULL) {
    return false;
  }
  uint32_t k = 0;
  for (uint32_t i = 0; i < x->threads; i++) {
    const sp_activity_log *l = &x->workers[i].log;
    for (uint32_t j = 0; j < l->n; j++) {
      all[k++] = (sp_activity){.pipeline = l->e[j].pipeline,
                               .worker = i,
                               .start_ns = sp_ticks_to_ns(l->e[j].start - x->start_tick),
                               .end_ns = sp_ticks_to_ns(l->e[j].end - x->start_tick),
                               .rows = l->e[j].rows};
    }
  }
  qsort(all, n, sizeof *all, by_start);
  x->run->activity = all;
  x->run->n_activity = n;
  return true;
}
