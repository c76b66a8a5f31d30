/* Tracked memory: a tree of accounts, process -> query -> node.
 *
 * An account counts what is allocated from it and charges every ancestor too, so "bytes held by node 7" and
 * "bytes held by the query" are each one load. All functions are thread-safe; an allocation is a malloc and
 * one relaxed atomic add per level, which is cheap because batch buffers are pooled and not allocated per
 * batch. Frees are sized. Every size that an input controls goes through the overflow-checked helpers below.
 *
 * Limits: an account with a limit refuses an allocation that would pass it (the function returns NULL and
 * sp_mem_limit_hit() tells a limit from exhaustion). Charging an existing buffer never fails: a limit is
 * checked where memory is asked for.
 *
 * Peak: a root of a query (sp_mem_watch) remembers, at its peak, how much each node account held at that very
 * moment. Whoever raises the peak by 1 MiB or 1 % takes the snapshot; the peak reported is the snapshot's
 * sum. */
#ifndef SP_BASE_MEM_H
#define SP_BASE_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sp_mem_watch sp_mem_watch;

typedef struct sp_mem {
  struct sp_mem *parent;
  const char *name;       /* static or outliving the account */
  sp_mem_watch *watch;    /* on a query's root account only */
  int64_t limit;          /* bytes, 0 = none; set before use */
  uint32_t watch_index;   /* this account's slot in the watch of its query; UINT32_MAX = none */
  _Atomic int64_t live;   /* bytes, own and descendants' */
  _Atomic int64_t peak;   /* highest live seen */
  _Atomic int64_t allocs; /* allocations made from this account and its descendants */
  _Atomic bool limited;   /* the last refusal came from a limit */
} sp_mem;

/* The root of the tree; lives as long as the process. */
sp_mem *sp_mem_process(void);

/* parent NULL makes a root of its own (tests). name is kept, not copied. */
void sp_mem_init(sp_mem *m, sp_mem *parent, const char *name);
/* Asserts (debug) that nothing is live; detaches from the parent. */
void sp_mem_release(sp_mem *m);

/* NULL when memory is exhausted, a limit is hit, or a test asked for a failure. n = 0 gives a valid pointer.
 * Alignment 64 bytes for n >= 64, else 16. Uninitialised; calloc zeroes. */
void *sp_mem_alloc(sp_mem *m, size_t n);
void *sp_mem_calloc(sp_mem *m, size_t n);
/* Like realloc with the old size; on failure p stays valid and NULL comes back. */
void *sp_mem_realloc(sp_mem *m, void *p, size_t old_n, size_t n);
void sp_mem_free(sp_mem *m, void *p, size_t n); /* NULL is a no-op */
/* Moves n live bytes between two accounts of one process (negative n moves back). Never fails. */
void sp_mem_move(sp_mem *from, sp_mem *to, int64_t n);
/* The same, but refuses where sp_mem_alloc would for a limit (an idle buffer of a pool is asked for like new
 * memory). */
bool sp_mem_try_move(sp_mem *from, sp_mem *to, int64_t n);
/* Counts n bytes that somebody else allocated (foreign memory); negative n takes them off. Never fails. */
void sp_mem_charge(sp_mem *m, int64_t n);
/* True when the last refusal in this subtree came from a limit. Cleared by nobody: a query that hit it is
 * over. */
bool sp_mem_limit_hit(const sp_mem *m);

/* false on overflow, *ret untouched. */
static inline bool sp_size_mul(size_t a, size_t b, size_t *ret) {
  size_t r;
  if (__builtin_mul_overflow(a, b, &r)) {
    return false;
  }
  *ret = r;
  return true;
}
static inline bool sp_size_add(size_t a, size_t b, size_t *ret) {
  size_t r;
  if (__builtin_add_overflow(a, b, &r)) {
    return false;
  }
  *ret = r;
  return true;
}

/* ---- the snapshot at the peak ---- */
/* Watches up to n node accounts below root, none an ancestor of another. To be set up before the workers
 * start. values[i] after the run: bytes account i held at the peak. */
sp_mem_watch *sp_mem_watch_new(sp_mem *root, uint32_t n); /* NULL when out of memory */
void sp_mem_watch_add(sp_mem_watch *w, sp_mem *account);  /* account must live until the watch is freed */
int64_t sp_mem_watch_peak(const sp_mem_watch *w);         /* the sum of the snapshot */
int64_t sp_mem_watch_at_peak(const sp_mem_watch *w, const sp_mem *account);
sp_mem_watch *sp_mem_watch_unref(sp_mem_watch *w); /* NULL-safe, returns NULL */

/* ---- what the process holds, in bytes; 0 where the system does not tell ---- */
typedef struct sp_mem_rss {
  int64_t resident, resident_peak; /* from the system */
  int64_t allocator_free;          /* kept by malloc although nothing is live in it */
} sp_mem_rss;
sp_mem_rss sp_mem_rss_now(void);
int64_t sp_mem_trim(void); /* gives back to the system what malloc keeps; bytes the resident size fell by */

/* ---- fault injection for tests: the n-th allocation from now fails (0 = the next); n < 0 = never ---- */
void sp_mem_fail_at(int64_t n);
bool sp_mem_fail_fired(void); /* did the failure happen since sp_mem_fail_at? */

#endif
