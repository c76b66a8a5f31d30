/* Tracked memory (see mem.h): accounts, limits, failure injection, and where the bytes come from.
 *
 * Small and middle blocks come from malloc. Blocks of 4 MiB and more are mapped by ourselves on 2 MiB borders
 * and put on huge pages, because the first touch of memory costs 2 µs per 4 KiB page and a quarter of that
 * with huge pages; malloc's own thresholds are raised at start so that blocks below that size are recycled
 * inside malloc and not mapped and unmapped again and again. Sizes are exact, so free knows which of the two
 * it was.
 *
 * Example: root -> query (limit 1000) -> node. sp_mem_alloc(node, 600) leaves live = 600 on all three;
 * another sp_mem_alloc(node, 600) is refused by the query, the charge of the node is undone, and
 * sp_mem_limit_hit(query) is true. */
#include "base/mem.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem_watch.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define MAPPED_MIN ((size_t)4 << 20) /* blocks of at least so many bytes are mapped directly */
#define SIZE_LIMIT ((size_t)1 << 46) /* no block is that big; keeps int64 sums far from overflow */
#define LEVELS 16                    /* accounts on a path whose exact new value is remembered for its peak */

#if defined(__SANITIZE_ADDRESS__) /* the sanitizer sees overruns and leaks only of malloc's memory */
#define CAN_MAP 0
#else
#define CAN_MAP 1
#endif

static sp_mem process = {.name = "process", .watch_index = UINT32_MAX};

static _Atomic int64_t fail_countdown = -1;
static _Atomic bool fail_fired;

#if defined(__GLIBC__)
__attribute__((constructor)) static void tune_malloc(void) {
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}
#endif

sp_mem *sp_mem_process(void) {
  return &process;
}

void sp_mem_init(sp_mem *m, sp_mem *parent, const char *name) {
  memset(m, 0, sizeof *m);
  m->parent = parent;
  m->name = name;
  m->watch_index = UINT32_MAX;
}

void sp_mem_release(sp_mem *m) {
  assert(atomic_load(&m->live) == 0);
  assert(m->watch == NULL);
  m->parent = NULL;
}

/* ---- failure injection ---- */

void sp_mem_fail_at(int64_t n) {
  atomic_store(&fail_fired, false);
  atomic_store(&fail_countdown, n < 0 ? -1 : n);
}

bool sp_mem_fail_fired(void) {
  return atomic_load(&fail_fired);
}

static bool injected(void) {
  if (__builtin_expect(atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0, 1)) {
    return false;
  }
  /* Below zero it only drifts on; the one who takes it from 0 fails. */
  if (atomic_fetch_sub(&fail_countdown, 1) != 0) {
    return false;
  }
  atomic_store(&fail_fired, true);
  return true;
}

/* ---- charging ---- */

static void raise_peak(sp_mem *m, int64_t now) {
  int64_t peak = atomic_load_explicit(&m->peak, memory_order_relaxed);
  while (now > peak && !atomic_compare_exchange_weak_explicit(&m->peak, &peak, now, memory_order_relaxed,
                                                              memory_order_relaxed)) {
  }
  if (m->watch != NULL) {
    sp_mem_watch_note(m->watch, now);
  }
}

static void uncharge(sp_mem *m, const sp_mem *stop, int64_t n) {
  for (; m != stop; m = m->parent) {
    atomic_fetch_sub_explicit(&m->live, n, memory_order_relaxed);
  }
}

static void note_refusal(sp_mem *m, bool limited) {
  for (; m != NULL; m = m->parent) {
    atomic_store_explicit(&m->limited, limited, memory_order_relaxed);
  }
}

/* Adds n to one account unless that passes its limit. The limit is checked before the sum is visible, so that
 * a refused charge never makes another thread's fitting one fail. */
static bool add_live(sp_mem *m, int64_t n, bool check, int64_t *ret_now) {
  if (!check || m->limit == 0) {
    *ret_now = atomic_fetch_add_explicit(&m->live, n, memory_order_relaxed) + n;
    return true;
  }
  int64_t live = atomic_load_explicit(&m->live, memory_order_relaxed);
  do {
    if (live + n > m->limit) {
      return false;
    }
  } while (!atomic_compare_exchange_weak_explicit(&m->live, &live, live + n, memory_order_relaxed,
                                                  memory_order_relaxed));
  *ret_now = live + n;
  return true;
}

/* Charges m and its ancestors below stop. Peaks rise only when nobody on the path has refused. */
static bool charge(sp_mem *m, const sp_mem *stop, int64_t n, bool check) {
  int64_t now[LEVELS];
  uint32_t level = 0;
  for (sp_mem *a = m; a != stop; a = a->parent, level++) {
    int64_t value;
    if (!add_live(a, n, check, &value)) {
      uncharge(m, a, n);
      note_refusal(m, true);
      return false;
    }
    if (level < LEVELS) {
      now[level] = value;
    }
  }
  level = 0;
  for (sp_mem *a = m; a != stop; a = a->parent, level++) {
    raise_peak(a, level < LEVELS ? now[level] : atomic_load_explicit(&a->live, memory_order_relaxed));
  }
  return true;
}

static void count_alloc(sp_mem *m) {
  for (; m != NULL; m = m->parent) {
    atomic_fetch_add_explicit(&m->allocs, 1, memory_order_relaxed);
  }
}

bool sp_mem_limit_hit(const sp_mem *m) {
  return atomic_load_explicit(&m->limited, memory_order_relaxed);
}

void sp_mem_charge(sp_mem *m, int64_t n) {
  if (n >= 0) {
    charge(m, NULL, n, false);
  } else {
    uncharge(m, NULL, -n);
  }
}

static uint32_t depth_of(const sp_mem *m) {
  uint32_t d = 0;
  for (; m != NULL; m = m->parent) {
    d++;
  }
  return d;
}

/* The nearest account that is x or above it and y or above it; NULL for two trees. */
static const sp_mem *common_ancestor(const sp_mem *x, const sp_mem *y) {
  uint32_t dx = depth_of(x);
  uint32_t dy = depth_of(y);
  for (; dx > dy; dx--) {
    x = x->parent;
  }
  for (; dy > dx; dy--) {
    y = y->parent;
  }
  while (x != y) {
    x = x->parent;
    y = y->parent;
  }
  return x;
}

static bool move(sp_mem *from, sp_mem *to, int64_t n, bool check) {
  if (from == to || n == 0) {
    return true;
  }
  const sp_mem *stop = common_ancestor(from, to);
  if (!charge(to, stop, n, check)) {
    return false;
  }
  uncharge(from, stop, n);
  return true;
}

void sp_mem_move(sp_mem *from, sp_mem *to, int64_t n) {
  if (n >= 0) {
    move(from, to, n, false);
  } else {
    move(to, from, -n, false);
  }
}

bool sp_mem_try_move(sp_mem *from, sp_mem *to, int64_t n) {
  return move(from, to, n, true);
}

/* ---- blocks ---- */

static size_t page_round(size_t n) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return (n + page - 1) / page * page;
}

static bool is_mapped(size_t n) {
  return CAN_MAP && n >= MAPPED_MIN;
}

/* Reserves a bit more than asked for and gives back what stands over on both sides. */
static void *map_block(size_t n) {
  const size_t size = page_round(n);
  uint8_t *base = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    return NULL;
  }
  const size_t before = (HUGE_PAGE - (uintptr_t)base % HUGE_PAGE) % HUGE_PAGE;
  if (before > 0) {
    munmap(base, before);
  }
  if (before < HUGE_PAGE) {
    munmap(base + before + size, HUGE_PAGE - before);
  }
  /* Only advice: a kernel without huge pages refuses it and nothing is lost. */
  (void)madvise(base + before, size, MADV_HUGEPAGE);
  return base + before;
}

static void *block_new(size_t n) {
  if (is_mapped(n)) {
    return map_block(n);
  }
  if (n < 64) {
    return malloc(n > 0 ? n : 1);
  }
  void *p = NULL;
  return posix_memalign(&p, 64, n) == 0 ? p : NULL;
}

static void block_free(void *p, size_t n) {
  if (is_mapped(n)) {
    munmap(p, page_round(n));
  } else {
    free(p);
  }
}

/* A mapped block grows in place or its pages move to another 2 MiB border; nothing is copied. */
static void *remap_block(void *p, size_t old_n, size_t n) {
  const size_t old_size = page_round(old_n);
  const size_t size = page_round(n);
  if (mremap(p, old_size, size, 0) != MAP_FAILED) {
    (void)madvise(p, size, MADV_HUGEPAGE);
    return p;
  }
  void *to = map_block(n);
  if (to == NULL) {
    return NULL;
  }
  if (mremap(p, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED) {
    return to;
  }
  munmap(to, size);
  return NULL;
}

static void *block_resize(void *p, size_t old_n, size_t n) {
  if (is_mapped(old_n) && is_mapped(n)) {
    return remap_block(p, old_n, n);
  }
  if (!is_mapped(old_n) && !is_mapped(n)) {
    if (n < 64) {
      return realloc(p, n > 0 ? n : 1);
    }
    /* realloc would lose the alignment, but malloc has often rounded up far enough. */
    if (old_n >= 64 && n >= old_n / 2 && n <= malloc_usable_size(p)) {
      return p;
    }
  }
  void *to = block_new(n);
  if (to == NULL) {
    return NULL;
  }
  memcpy(to, p, n < old_n ? n : old_n);
  block_free(p, old_n);
  return to;
}

void *sp_mem_alloc(sp_mem *m, size_t n) {
  if (injected() || n >= SIZE_LIMIT) {
    note_refusal(m, false);
    return NULL;
  }
  if (!charge(m, NULL, (int64_t)n, true)) {
    return NULL;
  }
  void *p = block_new(n);
  if (p == NULL) {
    uncharge(m, NULL, (int64_t)n);
    note_refusal(m, false);
    return NULL;
  }
  count_alloc(m);
  return p;
}

void *sp_mem_calloc(sp_mem *m, size_t n) {
  void *p = sp_mem_alloc(m, n);
  if (p != NULL && !is_mapped(n)) {
    memset(p, 0, n > 0 ? n : 1);
  }
  return p;
}

void *sp_mem_realloc(sp_mem *m, void *p, size_t old_n, size_t n) {
  if (p == NULL) {
    return sp_mem_alloc(m, n);
  }
  if (injected() || n >= SIZE_LIMIT) {
    note_refusal(m, false);
    return NULL;
  }
  if (n > old_n && !charge(m, NULL, (int64_t)(n - old_n), true)) {
    return NULL;
  }
  void *to = block_resize(p, old_n, n);
  if (to == NULL) {
    if (n > old_n) {
      uncharge(m, NULL, (int64_t)(n - old_n));
    }
    note_refusal(m, false);
    return NULL;
  }
  if (n < old_n) {
    uncharge(m, NULL, (int64_t)(old_n - n));
  }
  count_alloc(m);
  return to;
}

void sp_mem_free(sp_mem *m, void *p, size_t n) {
  if (p == NULL) {
    return;
  }
  block_free(p, n);
  uncharge(m, NULL, (int64_t)n);
}
