/* Workers run everywhere exactly once, sleep and wake, and clocks agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <time.h>

#include "base/thread.h"
#include "tests/support/torture.h"

typedef struct tally {
  _Atomic uint32_t calls[SP_WORKERS_MAX];
  pthread_t caller;
  _Atomic bool caller_is_zero;
} tally;

static void count_call(void *ctx, uint32_t worker) {
  tally *t = ctx;
  atomic_fetch_add(&t->calls[worker], 1);
  if (pthread_equal(pthread_self(), t->caller)) {
    atomic_store(&t->caller_is_zero, worker == 0);
  }
}

static void run_with(uint32_t n, int rounds, int64_t rest_ns) {
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_workers *w = NULL;
  assert_int_equal(sp_workers_new(&m, n, &w, NULL), SP_OK);
  assert_int_equal(sp_workers_count(w), n);
  tally t = {.caller = pthread_self()};
  for (int i = 0; i < rounds; i++) {
    sp_workers_run(w, count_call, &t);
    for (uint32_t k = 0; k < n; k++) {
      assert_int_equal(atomic_load(&t.calls[k]), i + 1);
    }
    if (rest_ns > 0) {
      const struct timespec rest = {.tv_nsec = rest_ns};
      nanosleep(&rest, NULL);
    }
  }
  assert_true(atomic_load(&t.caller_is_zero));
  assert_null(sp_workers_unref(w));
  sp_mem_release(&m);
}

static void every_worker_runs_once(void **state) {
  (void)state;
  run_with(1, 10, 0);
  run_with(2, 2000, 0);
  run_with(7, 300, 0);
}

static void workers_wake_from_sleep(void **state) {
  (void)state;
  run_with(3, 20, 2000000);
}

static void counts_are_limited(void **state) {
  (void)state;
  sp_mem m;
  sp_mem_init(&m, NULL, "m");
  sp_workers *w = NULL;
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_workers_new(&m, SP_WORKERS_MAX + 1, &w, &e), SP_LIMIT);
  assert_null(w);
  assert_int_equal(sp_workers_new(&m, 0, &w, NULL), SP_OK);
  assert_int_equal(sp_workers_count(w), sp_cpu_count());
  assert_in_range(sp_cpu_count(), 1, SP_WORKERS_MAX);
  sp_workers_unref(w);
  assert_null(sp_workers_unref(NULL));
  sp_mem_release(&m);
}

static sp_status make(sp_mem *mem, void *ctx) {
  (void)ctx;
  sp_workers *w = NULL;
  SP_TRY(sp_workers_new(mem, 2, &w, NULL));
  sp_workers_unref(w);
  return SP_OK;
}

static void failures_leave_nothing(void **state) {
  (void)state;
  SP_TORTURE(make, NULL);
}

static void clocks_agree(void **state) {
  (void)state;
  const int64_t ns = sp_now_ns();
  const uint64_t ticks = sp_ticks();
  const struct timespec rest = {.tv_nsec = 20000000};
  nanosleep(&rest, NULL);
  const int64_t by_ticks = sp_ticks_to_ns(sp_ticks() - ticks);
  const int64_t by_clock = sp_now_ns() - ns;
  assert_true(by_clock >= 20000000);
  assert_true(by_ticks >= 19000000);
  assert_true(by_ticks <= by_clock + by_clock / 100);
  assert_int_equal(sp_ticks_to_ns(0), 0);
}

static void thread_time_does_not_count_sleep(void **state) {
  (void)state;
  const int64_t before = sp_thread_cpu_ns();
  const struct timespec rest = {.tv_nsec = 20000000};
  nanosleep(&rest, NULL);
  assert_true(sp_thread_cpu_ns() - before < 10000000);
  const int64_t start = sp_thread_cpu_ns();
  volatile uint64_t x = 0;
  while (sp_thread_cpu_ns() - start < 3000000) {
    x = x + 1;
  }
  assert_true(sp_thread_cpu_ns() - before >= 3000000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_worker_runs_once), cmocka_unit_test(workers_wake_from_sleep),
      cmocka_unit_test(counts_are_limited),     cmocka_unit_test(failures_leave_nothing),
      cmocka_unit_test(clocks_agree),           cmocka_unit_test(thread_time_does_not_count_sleep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
