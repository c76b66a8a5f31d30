/* Workers and clocks (see thread.h).
 *
 * A run is a new generation number: idle workers spin on it for about 20 µs, because pipelines follow each
 * other closely, and then sleep on a condition variable. The caller works too, as worker 0, and waits in the
 * same way for the rest. Example: with sp_workers_new(mem, 4, …) three threads are started; sp_workers_run(w,
 * fn, ctx) calls fn(ctx, 0) to fn(ctx, 3), the first in the calling thread. */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cformat.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#define SPIN_NS 20000

typedef struct worker {
  sp_workers *set;
  pthread_t thread;
  uint32_t index;
} worker;

struct sp_workers {
  sp_mem *mem;
  uint32_t n;       /* workers, the caller included */
  uint32_t started; /* threads that run */
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  _Atomic uint64_t generation;
  _Atomic uint32_t pending; /* threads still busy with this generation */
  _Atomic bool stop;
  void (*fn)(void *ctx, uint32_t worker);
  void *ctx;
  worker workers[]; /* n - 1 */
};

static void relax(void) {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

/* The generation after `seen`, or `seen` when it is time to sleep. */
static uint64_t spin_for_work(const sp_workers *w, uint64_t seen) {
  const int64_t until = sp_now_ns() + SPIN_NS;
  do {
    for (int i = 0; i < 32; i++) {
      const uint64_t g = atomic_load_explicit(&w->generation, memory_order_acquire);
      if (g != seen) {
        return g;
      }
      relax();
    }
  } while (sp_now_ns() < until);
  return seen;
}

static uint64_t wait_for_work(sp_workers *w, uint64_t seen) {
  uint64_t g = spin_for_work(w, seen);
  if (g != seen) {
    return g;
  }
  pthread_mutex_lock(&w->lock);
  while ((g = atomic_load_explicit(&w->generation, memory_order_acquire)) == seen) {
    pthread_cond_wait(&w->wake, &w->lock);
  }
  pthread_mutex_unlock(&w->lock);
  return g;
}

static void *worker_main(void *arg) {
  const worker *self = arg;
  sp_workers *w = self->set;
  uint64_t seen = 0;
  for (;;) {
    seen = wait_for_work(w, seen);
    if (atomic_load(&w->stop)) {
      return NULL;
    }
    w->fn(w->ctx, self->index);
    if (atomic_fetch_sub_explicit(&w->pending, 1, memory_order_acq_rel) == 1) {
      pthread_mutex_lock(&w->lock);
      pthread_cond_signal(&w->done);
      pthread_mutex_unlock(&w->lock);
    }
  }
}

static void next_generation(sp_workers *w) {
  pthread_mutex_lock(&w->lock);
  atomic_fetch_add_explicit(&w->generation, 1, memory_order_release);
  pthread_cond_broadcast(&w->wake);
  pthread_mutex_unlock(&w->lock);
}

static size_t set_size(uint32_t n) {
  return sizeof(sp_workers) + (n - 1) * sizeof(worker);
}

/* Signals belong to the caller's thread: workers start with all of them blocked. */
static int start_threads(sp_workers *w) {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int rc = 0;
  for (uint32_t i = 0; i + 1 < w->n && rc == 0; i++) {
    w->workers[i] = (worker){.set = w, .index = i + 1};
    rc = pthread_create(&w->workers[i].thread, NULL, worker_main, &w->workers[i]);
    w->started += rc == 0;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return rc;
}

sp_status sp_workers_new(sp_mem *mem, uint32_t n, sp_workers **ret, sp_error *err) {
  if (n > SP_WORKERS_MAX) {
    SP_FAIL(err, SP_LIMIT, NULL, "%u threads asked for, at most %d are possible", n, SP_WORKERS_MAX);
  }
  if (n == 0) {
    n = sp_cpu_count();
  }
  sp_workers *w = sp_mem_calloc(mem, set_size(n));
  SP_TRY_ALLOC(err, w);
  w->mem = mem;
  w->n = n;
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->wake, NULL);
  pthread_cond_init(&w->done, NULL);
  const int rc = start_threads(w);
  if (rc != 0) {
    char text[128];
    sp_error_set(err, SP_EXEC, NULL, "cannot start thread %u of %u: %s", w->started + 2, n,
                 sp_errno_text(rc, text, sizeof text));
    sp_workers_unref(w);
    return SP_EXEC;
  }
  *ret = w;
  return SP_OK;
}

sp_workers *sp_workers_unref(sp_workers *w) {
  if (w == NULL) {
    return NULL;
  }
  atomic_store(&w->stop, true);
  next_generation(w);
  for (uint32_t i = 0; i < w->started; i++) {
    pthread_join(w->workers[i].thread, NULL);
  }
  pthread_cond_destroy(&w->done);
  pthread_cond_destroy(&w->wake);
  pthread_mutex_destroy(&w->lock);
  sp_mem_free(w->mem, w, set_size(w->n));
  return NULL;
}

uint32_t sp_workers_count(const sp_workers *w) {
  return w->n;
}

void sp_workers_run(sp_workers *w, void (*fn)(void *ctx, uint32_t worker), void *ctx) {
  if (w->n == 1) {
    fn(ctx, 0);
    return;
  }
  w->fn = fn;
  w->ctx = ctx;
  atomic_store_explicit(&w->pending, w->n - 1, memory_order_relaxed);
  next_generation(w);
  fn(ctx, 0);
  const int64_t until = sp_now_ns() + SPIN_NS;
  while (atomic_load_explicit(&w->pending, memory_order_acquire) > 0 && sp_now_ns() < until) {
    relax();
  }
  pthread_mutex_lock(&w->lock);
  while (atomic_load_explicit(&w->pending, memory_order_acquire) > 0) {
    pthread_cond_wait(&w->done, &w->lock);
  }
  pthread_mutex_unlock(&w->lock);
}

uint32_t sp_cpu_count(void) {
  cpu_set_t set;
  long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > SP_WORKERS_MAX ? SP_WORKERS_MAX : (uint32_t)n;
}

/* ---- clocks ---- */

static int64_t read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t sp_now_ns(void) {
  return read_clock(CLOCK_MONOTONIC);
}
int64_t sp_thread_cpu_ns(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

#if defined(__x86_64__)

/* The ratio of ticks to nanoseconds comes from two readings of both clocks: one when the program starts, one
 * at the first conversion, which lies later by the length of what was measured. */
static bool use_tsc;
static uint64_t start_ticks;
static int64_t start_ns;
static double ns_per_tick;
static pthread_once_t calibrated = PTHREAD_ONCE_INIT;

/* Both clocks at one moment: the tightest of a few attempts, since an interrupt may fall between the
 * readings. */
static void read_both(uint64_t *ret_ticks, int64_t *ret_ns) {
  uint64_t best = UINT64_MAX;
  for (int i = 0; i < 5; i++) {
    const uint64_t before = __rdtsc();
    const int64_t ns = sp_now_ns();
    const uint64_t took = __rdtsc() - before;
    if (took < best) {
      best = took;
      *ret_ticks = before + took / 2;
      *ret_ns = ns;
    }
  }
}

__attribute__((constructor)) static void start_clock(void) {
  unsigned a;
  unsigned b;
  unsigned c;
  unsigned d = 0;
  if (__get_cpuid(0x80000007, &a, &b, &c, &d) == 0 || (d & (1U << 8)) == 0) {
    return;
  }
  read_both(&start_ticks, &start_ns);
  use_tsc = true;
}

static void calibrate(void) {
  const int64_t age = sp_now_ns() - start_ns;
  if (age < 1000000) {
    const struct timespec rest = {.tv_nsec = 1000000 - age};
    nanosleep(&rest, NULL);
  }
  uint64_t ticks = start_ticks;
  int64_t ns = start_ns;
  read_both(&ticks, &ns);
  ns_per_tick = ticks > start_ticks ? (double)(ns - start_ns) / (double)(ticks - start_ticks) : 1.0;
}

uint64_t sp_ticks(void) {
  return use_tsc ? __rdtsc() : (uint64_t)sp_now_ns();
}

int64_t sp_ticks_to_ns(uint64_t ticks) {
  if (!use_tsc) {
    return (int64_t)ticks;
  }
  pthread_once(&calibrated, calibrate);
  return (int64_t)((double)ticks * ns_per_tick);
}

#else

uint64_t sp_ticks(void) {
  return (uint64_t)sp_now_ns();
}
int64_t sp_ticks_to_ns(uint64_t ticks) {
  return (int64_t)ticks;
}

#endif
