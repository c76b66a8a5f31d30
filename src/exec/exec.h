/* Running a plan: morsel-driven, push-based pipelines over all workers, with metrics and memory per node
 * always on.
 *
 *   plan ─▶ lower ─▶ pipelines of operators ─▶ schedule ─▶ run (metrics, memory, timeline, activity, results)
 *
 * Any resolved plan runs, optimized or not. Nothing is kept on plan nodes: the run's state is its own. Shared
 * nodes run once (tee or spool). A failed run leaves no output file behind; its error is the one of the
 * lowest ordinal, the same on every run, and names the node. */
#ifndef SP_EXEC_EXEC_H
#define SP_EXEC_EXEC_H

#include "base/metrics.h"
#include "base/thread.h"
#include "plan/nodes.h"
#include "sigmapi/run.h"


/* One result: an output that is no sink. Batches are in order where order is determined, without selections
 * and SEQUENCEs. */
typedef struct sp_result {
  const char *id; /* of the output */
  uint32_t node;  /* index in the plan */
  const sp_schema *schema;
  int64_t rows; /* all, also those not kept */
  uint32_t n_batches;
  sp_batch **batches; /* with keep_rows: the first rows, then the last */
  int64_t head_rows;  /* rows kept of the beginning; rows kept in all are head_rows + tail_rows */
  int64_t tail_rows;
} sp_result;

/* Samples every 10 ms. */
typedef struct sp_timeline {
  uint32_t n;                /* samples */
  const int64_t *at_ns;      /* since the run's start */
  const int64_t *rss_bytes;  /* resident size of the process */
  const int64_t *live_bytes; /* n × n_nodes: bytes held by node, sample-major */
} sp_timeline;
/* What a worker did: one entry per pipeline, worker and morsel, merged where they touch. */
typedef struct sp_activity {
  uint32_t pipeline, worker;
  int64_t start_ns, end_ns, rows;
} sp_activity;
typedef struct sp_pipeline_info {
  const char *name; /* "scan lineitem → filter → group_by" */
  uint32_t n_nodes;
  const uint32_t *nodes; /* plan nodes, source first */
} sp_pipeline_info;

typedef struct sp_run {
  sp_mem *mem; /* the query's account, below the process's; owned */
  sp_arena arena;
  sp_status status;
  sp_error error;
  uint32_t n_nodes;
  sp_metrics *metrics; /* by node index */
  bool *cut;           /* below an early stop: figures vary from run to run */
  uint32_t n_results;
  sp_result *results;
  int64_t wall_ns, cpu_ns;
  int64_t peak_bytes;               /* the query's, the sum of the snapshot */
  sp_mem_rss rss_before, rss_after; /* rss_after.resident_peak: the process's high-water mark */
  int64_t rss_peak;                 /* highest sample */
  int64_t returned_bytes; /* resident size given back when the run's memory was freed and trimmed; -1 = not
                             measured */
  uint32_t threads;
  sp_timeline timeline;
  uint32_t n_activity;
  const sp_activity *activity;
  uint32_t n_pipelines;
  const sp_pipeline_info *pipelines;
} sp_run;

/* Runs the plan. *ret is set (metrics up to the failure) also when the status is not SP_OK, unless memory for
 * the run itself is exhausted (then NULL). mem: parent of the query's account. */
sp_status sp_exec_run(const sp_plan *plan, const sp_exec_options *o, sp_mem *mem, sp_run **ret,
                      sp_error *err);
/* Frees the results, gives idle memory back to the system and fills rss_after and returned_bytes; metrics
 * stay. */
void sp_run_drop_results(sp_run *r);
sp_run *sp_run_free(sp_run *r); /* NULL-safe, returns NULL */

#endif
