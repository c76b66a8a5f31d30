/* Refcounted buffers: the memory of columns.
 *
 * One buffer has one holder, the account it is charged to. A scan that makes a buffer holds it; a join or a
 * spool that keeps it becomes the holder by sp_buf_charge, so that whoever retains 4 GB shows 4 GB. Readers
 * of a buffer need no lock: its bytes are written before it is shared and never after.
 *
 * Buffers come from a pool where there is one. A pool keeps freed buffers in lists by power-of-two size and
 * hands them out again; nothing is mapped or unmapped on the batch path. A pool outlives its buffers. */
#ifndef SP_BASE_BUF_H
#define SP_BASE_BUF_H

#include "base/mem.h"

#define SP_BUF_PAD 64 /* bytes past capacity that may be read and written (their content means nothing) */

typedef struct sp_pool sp_pool;
typedef struct sp_buf {
  uint8_t *data;   /* 64-byte aligned */
  size_t size;     /* bytes in use, set by the writer */
  size_t capacity; /* bytes allocated, without the padding */
  _Atomic uint32_t refs;
  _Atomic(sp_mem *) holder;
  sp_pool *pool; /* NULL: allocated alone */
  void (*release)(
      struct sp_buf *b); /* foreign memory (a file's mapping, say): called at the last unref; NULL: ours */
  void *release_ctx;
  struct sp_buf *next_free; /* the pool's */
} sp_buf;

/* account: what idle pooled memory is charged to. Thread-safe. NULL when out of memory. */
sp_pool *sp_pool_new(sp_mem *account);
sp_pool *sp_pool_unref(sp_pool *p); /* all its buffers must be back */
/* Frees idle buffers; returns the bytes freed. */
int64_t sp_pool_trim(sp_pool *p);

/* refs = 1, size = 0, capacity >= n, charged to holder. pool may be NULL. NULL when out of memory or over a
 * limit. */
sp_buf *sp_buf_new(sp_pool *pool, sp_mem *holder, size_t n);
sp_buf *sp_buf_new_zeroed(sp_pool *pool, sp_mem *holder, size_t n);
/* Wraps n bytes that release(b) frees; they need not come from an account and are charged to holder without
 * asking its limit. There is no padding behind them: size is what may be read. */
sp_buf *sp_buf_wrap(sp_mem *holder, void *data, size_t n, void (*release)(sp_buf *b), void *ctx);
/* Makes room for n bytes in a buffer nobody else holds (refs must be 1); may move data. Keeps the old
 * capacity's bytes (of foreign memory: size bytes) and grows by half at least. false = out of memory, b is
 * unchanged. */
bool sp_buf_reserve(sp_buf *b, size_t n);
static inline sp_buf *sp_buf_ref(sp_buf *b) {
  if (b != NULL) {
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
  }
  return b;
}
sp_buf *sp_buf_unref(sp_buf *b); /* NULL-safe, returns NULL */
/* Makes `to` the holder. Idempotent; never fails. */
void sp_buf_charge(sp_buf *b, sp_mem *to);

#endif
