/* The snapshot at a query's peak, and what the process holds (see mem.h).
 *
 * The common case is one relaxed load and a compare. A snapshot reads the accounts one after the other while
 * others go on allocating, so its sum may differ by what moved meanwhile; the sum is what gets reported, so
 * that the figures of the nodes always add up to the figure of the query. Example: nodes A and B. A takes 10
 * MiB and frees 8; B takes 6: the peak is 10 MiB with A = 10, B = 0, not the 16 that the nodes' own peaks
 * would add up to. */
#include "base/mem_watch.h"

#include <assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sp_mem_watch {
  sp_mem *root;
  pthread_mutex_t lock;
  _Atomic int64_t next; /* live bytes of the root from which on a new snapshot is worth taking */
  int64_t sum;
  uint32_t n, capacity;
  sp_mem **accounts;
  int64_t *values; /* the snapshot kept */
  int64_t *spare;  /* where the next one is read into */
};

static size_t watch_size(uint32_t n) {
  return sizeof(sp_mem_watch) + n * (sizeof(sp_mem *) + 2 * sizeof(int64_t));
}

sp_mem_watch *sp_mem_watch_new(sp_mem *root, uint32_t n) {
  assert(root->watch == NULL);
  sp_mem_watch *w = sp_mem_calloc(root, watch_size(n));
  if (w == NULL) {
    return NULL;
  }
  w->root = root;
  w->capacity = n;
  w->accounts = (sp_mem **)(w + 1);
  w->values = (int64_t *)(w->accounts + n);
  w->spare = w->values + n;
  pthread_mutex_init(&w->lock, NULL);
  root->watch = w;
  return w;
}

void sp_mem_watch_add(sp_mem_watch *w, sp_mem *account) {
  pthread_mutex_lock(&w->lock);
  assert(w->n < w->capacity);
  account->watch_index = w->n;
  w->accounts[w->n] = account;
  w->n++;
  pthread_mutex_unlock(&w->lock);
}

static void take_snapshot(sp_mem_watch *w) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < w->n; i++) {
    w->spare[i] = atomic_load_explicit(&w->accounts[i]->live, memory_order_relaxed);
    sum += w->spare[i];
  }
  if (sum > w->sum) {
    int64_t *old = w->values;
    w->values = w->spare;
    w->spare = old;
    w->sum = sum;
  }
}

void sp_mem_watch_note(sp_mem_watch *w, int64_t live) {
  if (live < atomic_load_explicit(&w->next, memory_order_relaxed)) {
    return;
  }
  pthread_mutex_lock(&w->lock);
  if (live >= atomic_load_explicit(&w->next, memory_order_relaxed)) {
    take_snapshot(w);
    const int64_t percent = live / 100 + 1;
    const int64_t step = percent < (1 << 20) ? percent : (1 << 20);
    atomic_store_explicit(&w->next, live + step, memory_order_relaxed);
  }
  pthread_mutex_unlock(&w->lock);
}

int64_t sp_mem_watch_peak(const sp_mem_watch *w) {
  return w->sum;
}

int64_t sp_mem_watch_at_peak(const sp_mem_watch *w, const sp_mem *account) {
  assert(account->watch_index < w->n && w->accounts[account->watch_index] == account);
  return w->values[account->watch_index];
}

sp_mem_watch *sp_mem_watch_unref(sp_mem_watch *w) {
  if (w == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < w->n; i++) {
    w->accounts[i]->watch_index = UINT32_MAX;
  }
  w->root->watch = NULL;
  pthread_mutex_destroy(&w->lock);
  sp_mem_free(w->root, w, watch_size(w->capacity));
  return NULL;
}

/* ---- the process ---- */

/* "VmRSS:     1234 kB" in /proc/self/status, in bytes; 0 when the line is not there. */
static int64_t status_field(const char *text, const char *field) {
  const char *p = strstr(text, field);
  return p == NULL ? 0 : strtoll(p + strlen(field), NULL, 10) * 1024;
}

sp_mem_rss sp_mem_rss_now(void) {
  sp_mem_rss r = {0};
  char text[8192];
  const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    r.resident = status_field(text, "\nVmRSS:");
    r.resident_peak = status_field(text, "\nVmHWM:");
  }
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  r.allocator_free = (int64_t)mallinfo2().fordblks;
#endif
  return r;
}

int64_t sp_mem_trim(void) {
  const int64_t before = sp_mem_rss_now().resident;
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  const int64_t after = sp_mem_rss_now().resident;
  return before > after ? before - after : 0;
}
