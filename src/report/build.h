/* Making a report from plans, trace and runs. */
#ifndef SP_REPORT_BUILD_H
#define SP_REPORT_BUILD_H

#include "exec/exec.h"
#include "optimize/optimize.h"
#include "report/json.h"
#include "sigmapi/report.h"

typedef struct sp_report_inputs {
  const char *title;
  const sp_plan *written, *resolved, *optimized; /* NULL = absent */
  const sp_trace *trace;
  uint32_t n_runs;
  struct sp_report_run_input {
    const sp_run *run;
    const sp_plan *plan; /* resolved or optimized */
    const char *profile;
  } * runs;
  const sp_error *error; /* resolving failed: put on the node that has this place or id; NULL */
} sp_report_inputs;

/* Everything is copied into the arena. */
sp_status sp_report_build(const sp_report_inputs *in, sp_arena *a, const sp_report **ret, sp_error *err);

/* Value of a metric of a run's node, -1 when absent. */
int64_t sp_report_metric(const sp_report *r, const sp_report_run *run, uint32_t node, const char *metric);

#endif
