/* Refcounted buffers and their pool (see buf.h).
 *
 * A pool keeps one list of free buffers per power of two from 64 B to 64 MiB, each with its own lock. An idle
 * buffer is charged to the pool's account and moves to its new holder's when it is handed out again. What a
 * buffer is charged with is its capacity, the padding and its header, so that the sum over all accounts is
 * what was allocated. Example: a 100,000-byte request takes a 128 KiB buffer; after the last unref the next
 * request of 65,537 to 131,072 bytes gets the same memory. */
#include "base/buf.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#define SMALLEST 64
#define CLASSES 21 /* 64 B << 20 is 64 MiB */
#define LARGEST ((size_t)SMALLEST << (CLASSES - 1))

typedef struct free_list {
  _Alignas(64) pthread_mutex_t lock; /* a cache line of its own */
  sp_buf *head;
} free_list;

struct sp_pool {
  sp_mem *account;
  _Atomic int64_t outstanding; /* buffers handed out */
  free_list lists[CLASSES];
};

static uint32_t class_of(size_t n) {
  return n <= SMALLEST ? 0 : 58 - (uint32_t)__builtin_clzll((unsigned long long)(n - 1));
}

static int64_t charged(const sp_buf *b) {
  const size_t own = b->release == NULL ? SP_BUF_PAD : 0;
  return (int64_t)(b->capacity + own + sizeof *b);
}

sp_pool *sp_pool_new(sp_mem *account) {
  sp_pool *p = sp_mem_calloc(account, sizeof *p);
  if (p == NULL) {
    return NULL;
  }
  p->account = account;
  for (uint32_t i = 0; i < CLASSES; i++) {
    pthread_mutex_init(&p->lists[i].lock, NULL);
  }
  return p;
}

static void free_memory(sp_mem *m, sp_buf *b) {
  sp_mem_free(m, b->data, b->capacity + SP_BUF_PAD);
  sp_mem_free(m, b, sizeof *b);
}

int64_t sp_pool_trim(sp_pool *p) {
  int64_t freed = 0;
  for (uint32_t i = 0; i < CLASSES; i++) {
    pthread_mutex_lock(&p->lists[i].lock);
    sp_buf *b = p->lists[i].head;
    p->lists[i].head = NULL;
    pthread_mutex_unlock(&p->lists[i].lock);
    while (b != NULL) {
      sp_buf *next = b->next_free;
      freed += charged(b);
      free_memory(p->account, b);
      b = next;
    }
  }
  return freed;
}

sp_pool *sp_pool_unref(sp_pool *p) {
  if (p == NULL) {
    return NULL;
  }
  assert(atomic_load(&p->outstanding) == 0);
  sp_pool_trim(p);
  for (uint32_t i = 0; i < CLASSES; i++) {
    pthread_mutex_destroy(&p->lists[i].lock);
  }
  sp_mem_free(p->account, p, sizeof *p);
  return NULL;
}

/* An idle buffer of the class, or NULL. */
static sp_buf *pool_take(sp_pool *p, uint32_t cls) {
  free_list *l = &p->lists[cls];
  pthread_mutex_lock(&l->lock);
  sp_buf *b = l->head;
  if (b != NULL) {
    l->head = b->next_free;
  }
  pthread_mutex_unlock(&l->lock);
  return b;
}

static void pool_put(sp_pool *p, sp_buf *b) {
  free_list *l = &p->lists[class_of(b->capacity)];
  pthread_mutex_lock(&l->lock);
  b->next_free = l->head;
  l->head = b;
  pthread_mutex_unlock(&l->lock);
}

static sp_buf *new_memory(sp_mem *holder, size_t capacity) {
  sp_buf *b = sp_mem_alloc(holder, sizeof *b);
  if (b == NULL) {
    return NULL;
  }
  *b = (sp_buf){.capacity = capacity};
  b->data = sp_mem_alloc(holder, capacity + SP_BUF_PAD);
  if (b->data == NULL) {
    sp_mem_free(holder, b, sizeof *b);
    return NULL;
  }
  return b;
}

/* What a request of n bytes gets; false when n is beyond all reason. */
static bool capacity_for(const sp_pool *pool, size_t n, size_t *ret) {
  if (pool != NULL && n <= LARGEST) {
    *ret = (size_t)SMALLEST << class_of(n);
    return true;
  }
  size_t size;
  if (!sp_size_add(n, 63 + SP_BUF_PAD, &size)) {
    return false;
  }
  *ret = n == 0 ? SMALLEST : (n + 63) & ~(size_t)63;
  return true;
}

static sp_buf *try_new(sp_pool *pool, sp_mem *holder, size_t capacity) {
  sp_buf *b = pool != NULL && capacity <= LARGEST ? pool_take(pool, class_of(capacity)) : NULL;
  if (b == NULL) {
    return new_memory(holder, capacity);
  }
  if (!sp_mem_try_move(pool->account, holder, charged(b))) {
    pool_put(pool, b);
    return NULL;
  }
  return b;
}

/* Idle memory counts against the same limit as memory in use, so a refusal by a limit may be the pool's
 * doing. */
static bool make_room(sp_pool *pool, const sp_mem *holder) {
  return pool != NULL && sp_mem_limit_hit(holder) && sp_pool_trim(pool) > 0;
}

sp_buf *sp_buf_new(sp_pool *pool, sp_mem *holder, size_t n) {
  size_t capacity;
  if (!capacity_for(pool, n, &capacity)) {
    return NULL;
  }
  sp_buf *b = try_new(pool, holder, capacity);
  if (b == NULL && make_room(pool, holder)) {
    b = try_new(pool, holder, capacity);
  }
  if (b == NULL) {
    return NULL;
  }
  b->size = 0;
  b->pool = pool;
  b->next_free = NULL;
  atomic_init(&b->refs, 1);
  atomic_init(&b->holder, holder);
  if (pool != NULL) {
    atomic_fetch_add_explicit(&pool->outstanding, 1, memory_order_relaxed);
  }
  return b;
}

sp_buf *sp_buf_new_zeroed(sp_pool *pool, sp_mem *holder, size_t n) {
  sp_buf *b = sp_buf_new(pool, holder, n);
  if (b != NULL) {
    memset(b->data, 0, b->capacity + SP_BUF_PAD);
  }
  return b;
}

sp_buf *sp_buf_wrap(sp_mem *holder, void *data, size_t n, void (*release)(sp_buf *b), void *ctx) {
  sp_buf *b = sp_mem_alloc(holder, sizeof *b);
  if (b == NULL) {
    return NULL;
  }
  *b = (sp_buf){.data = data, .size = n, .capacity = n, .release = release, .release_ctx = ctx};
  atomic_init(&b->refs, 1);
  atomic_init(&b->holder, holder);
  sp_mem_charge(holder, (int64_t)n);
  return b;
}

/* Foreign memory cannot grow: its bytes move into memory of ours. */
static bool adopt(sp_buf *b, sp_mem *holder, size_t capacity) {
  uint8_t *data = sp_mem_alloc(holder, capacity + SP_BUF_PAD);
  if (data == NULL) {
    return false;
  }
  if (b->size > 0) {
    memcpy(data, b->data, b->size);
  }
  b->release(b);
  sp_mem_charge(holder, -(int64_t)b->capacity);
  b->release = NULL;
  b->release_ctx = NULL;
  b->data = data;
  b->capacity = capacity;
  return true;
}

static bool grow(sp_buf *b, sp_mem *holder, size_t capacity) {
  if (b->release != NULL) {
    return adopt(b, holder, capacity);
  }
  uint8_t *data = sp_mem_realloc(holder, b->data, b->capacity + SP_BUF_PAD, capacity + SP_BUF_PAD);
  if (data == NULL) {
    return false;
  }
  b->data = data;
  b->capacity = capacity;
  return true;
}

bool sp_buf_reserve(sp_buf *b, size_t n) {
  assert(atomic_load(&b->refs) == 1);
  if (n <= b->capacity) {
    return true;
  }
  /* Half as much again, so that appending byte by byte stays linear. */
  const size_t ahead = b->capacity + b->capacity / 2;
  size_t capacity;
  if (!capacity_for(b->pool, n > ahead ? n : ahead, &capacity)) {
    return false;
  }
  sp_mem *holder = atomic_load_explicit(&b->holder, memory_order_relaxed);
  return grow(b, holder, capacity) || (make_room(b->pool, holder) && grow(b, holder, capacity));
}

sp_buf *sp_buf_unref(sp_buf *b) {
  if (b == NULL || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_release) != 1) {
    return NULL;
  }
  atomic_thread_fence(memory_order_acquire);
  sp_mem *holder = atomic_load_explicit(&b->holder, memory_order_relaxed);
  sp_pool *pool = b->pool;
  if (b->release != NULL) {
    b->release(b);
    sp_mem_charge(holder, -(int64_t)b->capacity);
    sp_mem_free(holder, b, sizeof *b);
    return NULL;
  }
  if (pool != NULL && b->capacity <= LARGEST) {
    sp_mem_move(holder, pool->account, charged(b));
    pool_put(pool, b);
  } else {
    free_memory(holder, b);
  }
  if (pool != NULL) {
    atomic_fetch_sub_explicit(&pool->outstanding, 1, memory_order_relaxed);
  }
  return NULL;
}

void sp_buf_charge(sp_buf *b, sp_mem *to) {
  sp_mem *from = atomic_exchange_explicit(&b->holder, to, memory_order_relaxed);
  if (from != to) {
    sp_mem_move(from, to, charged(b));
  }
}
