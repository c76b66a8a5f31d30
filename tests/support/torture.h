/* Fails every allocation in turn. SP_TORTURE(run, ctx) calls run(mem, ctx) first undisturbed (which must give
 * SP_OK and also fills process-wide caches), then with the n-th allocation failing, n = 0, 1, 2, … one by one
 * up to 2,000 and then in steps of 2 %, until a run ends without having met its failure. Each failed run must
 * return SP_NOMEM, a failure that is swallowed is an error, and nothing may be live afterwards in mem, a root
 * account of its own.
 *
 * Example: static sp_status parse(sp_mem *mem, void *ctx) {…}  …  SP_TORTURE(parse, "[1]"); */
#ifndef TESTS_SUPPORT_TORTURE_H
#define TESTS_SUPPORT_TORTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"

typedef sp_status (*sp_torture_fn)(sp_mem *mem, void *ctx);

static inline void sp_torture_live(const sp_mem *mem, int64_t n, const char *file, int line) {
  const long long live = (long long)atomic_load(&mem->live);
  if (live != 0) {
    print_error("%lld bytes are live after allocation %lld failed\n", live, (long long)n);
    _fail(file, line);
  }
}

/* One run; false when the failure was not met. */
static inline bool sp_torture_once(sp_torture_fn run, void *ctx, int64_t n, const char *file, int line) {
  sp_mem mem;
  sp_mem_init(&mem, NULL, "torture");
  sp_mem_fail_at(n);
  const sp_status st = run(&mem, ctx);
  const bool fired = sp_mem_fail_fired();
  sp_mem_fail_at(-1);
  if (st != (fired ? SP_NOMEM : SP_OK)) {
    print_error("allocation %lld %s, and the run returned: %s\n", (long long)n,
                fired ? "failed" : "was not reached", sp_status_text(st));
    _fail(file, line);
  }
  sp_torture_live(&mem, n, file, line);
  sp_mem_release(&mem);
  return fired;
}

static inline void sp_torture(sp_torture_fn run, void *ctx, const char *file, int line) {
  (void)sp_torture_once(run, ctx, -1, file, line);
  for (int64_t n = 0; sp_torture_once(run, ctx, n, file, line);) {
    n += n < 2000 ? 1 : n / 50;
  }
}

#define SP_TORTURE(run, ctx) sp_torture((run), (ctx), __FILE__, __LINE__)

#endif
