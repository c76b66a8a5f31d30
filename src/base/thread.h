/* Workers and clocks.
 *
 * sp_workers is a fixed set of threads that all run the same function on demand: worker 0 is the calling
 * thread, so that one worker means no thread at all. Between runs they sleep. Morsels are handed out by the
 * caller's own atomic counter (reference: Leis et al., "Morsel-driven parallelism", SIGMOD 2014). */
#ifndef SP_BASE_THREAD_H
#define SP_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

#define SP_WORKERS_MAX 256

typedef struct sp_workers sp_workers;
/* n = 0: one per online processor. n > SP_WORKERS_MAX is SP_LIMIT. */
sp_status sp_workers_new(sp_mem *mem, uint32_t n, sp_workers **ret, sp_error *err);
sp_workers *sp_workers_unref(sp_workers *w); /* joins the threads; NULL-safe, returns NULL */
uint32_t sp_workers_count(const sp_workers *w);
/* Runs fn(ctx, worker) on every worker and returns when all have. Not reentrant. */
void sp_workers_run(sp_workers *w, void (*fn)(void *ctx, uint32_t worker), void *ctx);

uint32_t sp_cpu_count(void);

/* ---- clocks ---- */
/* Ticks of the invariant TSC where there is one, else nanoseconds. About 10 ns a read. */
uint64_t sp_ticks(void);
int64_t sp_ticks_to_ns(uint64_t ticks); /* a difference of ticks */
int64_t sp_now_ns(void);                /* monotonic */
int64_t sp_thread_cpu_ns(void);         /* about 0.6 µs a read: per morsel, never per batch */

#endif
