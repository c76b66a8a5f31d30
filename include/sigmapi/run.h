/* How a plan is run. Start from sp_exec_options_init and change what you need. */
#ifndef SIGMAPI_RUN_H
#define SIGMAPI_RUN_H

#include "sigmapi/status.h"

typedef struct sp_exec_options {
  uint32_t threads;        /* 0 = one per processor */
  uint32_t batch_rows;     /* 0 = 8,192, halved while a batch would pass 512 KiB; tests use 1 and 7 */
  int64_t memory_limit;    /* bytes, 0 = none: SP_LIMIT when exceeded */
  int64_t time_limit_ns;   /* 0 = none: SP_LIMIT */
  const char *only_output; /* run one output only (sinks among the others run all the same); NULL = all */
  bool discard;            /* do not keep results (explain --analyze): rows are counted and dropped */
  int64_t keep_rows; /* -1 = all; else keep at most so many first and last rows of each result (printing); the
                        count stays exact */
  void (*progress)(void *ctx, double fraction,
                   int64_t rows); /* from the calling thread, at most every 100 ms; may be NULL */
  void *progress_ctx;
  const volatile int *cancel; /* non-zero stops the run with SP_CANCELLED; may be NULL */
  /* Rows expected, by node of the plan that runs, -1 where unknown; NULL: none. Joins build on the side with fewer
   * rows. A session fills in the optimizer's. */
  const double *est_rows;
} sp_exec_options;
void sp_exec_options_init(sp_exec_options *o);

#endif
