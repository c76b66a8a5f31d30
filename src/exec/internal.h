/* What the files of the executor's core share; operators see operator.h only.
 *
 * sp_exec is one run from lowering to the last finish. What the finished run keeps (accounts, pool, results)
 * lives in sp_run_box, so that results outlive the machinery. */
#ifndef SP_EXEC_INTERNAL_H
#define SP_EXEC_INTERNAL_H

#include "exec/operator.h"

#define SP_PIPELINE_DEPTH                                                                                    \
  256 /* operators in a row; a longer chain is cut by a spool, since pushing recurses */

/* Counters of one operator on one worker; ticks of sp_ticks(). */
typedef struct sp_slot {
  uint64_t busy, wait;
  uint64_t first, last; /* first 0: never active */
  int64_t rows, bytes, input_rows;
} sp_slot;

/* Numbers the batches that one operator emits on one lane. */
typedef struct sp_stamp {
  uint64_t source, next;
} sp_stamp;

/* A failure with its ordinal. */
typedef struct sp_failure {
  sp_status status; /* SP_OK: none */
  uint64_t source, seq;
  sp_operator *op;
  sp_error error;
} sp_failure;

/* Lowest source on which something failed here; sources above it are not worked on any more. The root's
 * failures end the run. Each feed of a union and each branch of a tee has a gate of its own, since its
 * failure does not matter when an operator behind it turns out to have had enough, while the other feeds and
 * branches need all their rows (gate.c). */
typedef struct sp_gate {
  _Atomic uint64_t fail_source;
  struct sp_gate *outer;
  struct sp_failure *failure; /* deferred, the lowest; under failure_lock */
  struct sp_gate *link;
} sp_gate;

/* Who must hear that a morsel is over: operators with end_morsel behind a source or a reorder, in chain
 * order, up to the next reorder. */
typedef struct sp_ends {
  uint32_t n;
  sp_operator **ops;
} sp_ends;

typedef struct sp_feed {
  sp_operator *source;
  uint32_t first, n; /* morsels */
  sp_ends ends;
} sp_feed;

struct sp_pipeline {
  sp_pipeline *merged; /* into which; NULL: it stands for itself */
  sp_pipeline *link;   /* all, in order of making */
  uint32_t n_feeds, cap_feeds;
  sp_feed *feeds;
  uint32_t n_soft, cap_soft, next_soft;
  sp_pipeline **soft; /* better run before it, where that closes no circle: their runtime filters reach its scan */
  uint32_t n_deps, cap_deps;
  sp_pipeline **deps;
  /* set by sp_prepare */
  uint32_t index;
  uint32_t all_ops, n_ops;
  sp_operator **ops; /* chain order */
  bool has_flush, has_reorder, has_idle;
  uint32_t n_nodes;
  uint32_t *nodes;
  const char *name;
  uint8_t state; /* of ordering: 0 new, 1 begun, 2 done */
  bool needed;   /* somebody waits for it */
  uint32_t next_dep;
  uint32_t walk; /* last walk that saw it */
};
sp_pipeline *sp_pipeline_find(sp_pipeline *p);

/* Logical bytes of string columns already counted on the way down: valid while the emitter further up still
 * holds its batch. */
#define SP_BYTES_MEMO 64
typedef struct sp_bytes_memo {
  uint32_t n;
  struct {
    const sp_column *col;
    const uint16_t *sel;
    uint32_t rows;
    int64_t bytes;
  } e[SP_BYTES_MEMO];
} sp_bytes_memo;

/* Dictionaries whose strings a worker has looked at (logical_bytes.c); id 0: none. */
#define SP_DICT_MEMO 64
typedef struct sp_dict_memo {
  struct {
    uint64_t id;
    int64_t length; /* of all strings, -1: they differ */
  } e[SP_DICT_MEMO];
} sp_dict_memo;
int64_t sp_logical_string_bytes(sp_dict_memo *m, const sp_column *c, const uint16_t *sel, uint32_t n);

typedef struct sp_activity_log {
  uint32_t n, cap;
  struct sp_activity_entry {
    uint32_t pipeline;
    uint64_t start, end; /* ticks */
    int64_t rows;
  } * e;
} sp_activity_log;

/* A worker with what only the core sees of it. */
typedef struct sp_worker_box {
  sp_worker w;
  sp_error error;
  sp_failure failure;
  sp_bytes_memo memo;
  sp_dict_memo dicts;
  sp_activity_log log;
  int64_t cpu_ns; /* of this pipeline so far */
  int64_t total_cpu_ns;
} sp_worker_box;
static inline sp_worker_box *sp_box_of(sp_worker *w) {
  return (sp_worker_box *)w;
}

typedef enum sp_stop { SP_STOP_NONE, SP_STOP_CANCEL, SP_STOP_TIME } sp_stop;

/* Samples: see timeline.c. */
typedef struct sp_sampler {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t thread;
  bool started, stop;
  int64_t period_ns;
  uint32_t n, cap;
  int64_t *at, *rss, *live;
  int64_t rss_peak;
} sp_sampler;

typedef struct sp_run_box {
  sp_run run;
  sp_mem mem; /* run.mem */
  sp_mem *parent;
  uint32_t n_accounts;
  sp_mem *accounts; /* by node, then the engine's, then idle pooled buffers */
  sp_pool *pool;
  sp_mem_watch *watch;
} sp_run_box;

/* Nodes between a scan and the operator whose runtime filter it takes. */
typedef struct sp_filter_path {
  struct sp_filter_path *link;
  const sp_runtime_filter *filter;
  uint32_t n, cap;
  uint32_t *nodes;
} sp_filter_path;

struct sp_exec {
  sp_run_box *box;
  sp_run *run;
  const sp_plan *plan;
  sp_exec_options o;
  uint32_t threads;
  sp_mem *engine;   /* account of the machinery */
  sp_workers *team; /* NULL until there is work for several */
  sp_worker_box *workers;
  sp_slot *slots; /* workers × operators */
  uint32_t n_ops;
  sp_operator *ops, **ops_end; /* all, in order of making */
  uint32_t n_pipelines;
  sp_pipeline *pipelines, **pipelines_end;
  sp_pipeline **order;       /* as run */
  _Atomic int64_t *counters; /* nodes × SP_METRIC_COUNT, by sp_metric_add */
  _Atomic uint32_t *touched; /* by node: bits of the metrics that were added to */
  _Atomic int stop;          /* sp_stop */
  int64_t start_ns;
  uint64_t start_tick;
  sp_sampler sampler;
  /* the pipeline that runs */
  sp_pipeline *current;
  sp_gate root;   /* of every pipeline in turn */
  sp_gate *gates; /* the others, all pipelines' */
  pthread_mutex_t failure_lock;
  sp_filter_path *filter_paths;
  uint32_t walks; /* over pipelines, while they are being ordered */
  _Atomic bool starved; /* figures are missing for want of memory: the run fails in the end */
  _Atomic uint32_t next_morsel;
  _Atomic int64_t rows_seen; /* by sources, for progress */
  uint32_t n_morsels;
  uint32_t n_done; /* pipelines finished */
  int64_t last_progress_ns;
};

/* ---- lower.c, share.c ---- */
typedef struct sp_node_streams {
  uint32_t consumers, taken;
  bool spool;
  sp_stream *streams;
} sp_node_streams;
struct sp_lower {
  sp_exec *x;
  const sp_plan *plan;
  sp_arena *arena;
  bool *active;                 /* by node: computed in this run */
  bool *observed;               /* by node: the order of its rows */
  const sp_lowering **lowering; /* by node; NULL when not active */
  sp_node_streams *nodes;
  sp_operator **source_of; /* by node: a source that was lowered for it */
  bool *runs_output;       /* by output */
};
sp_status sp_lower_plan_all(sp_exec *x, sp_error *err);
/* Fills active, observed, lowering, consumers and spool. */
sp_status sp_lower_analyse(sp_lower *l, sp_error *err);
sp_flow sp_lower_flow(const sp_lower *l, uint32_t node, uint32_t which);

/* ---- core operators ---- */
extern const sp_operator_ops sp_reorder_ops, sp_tee_ops, sp_spool_ops, sp_spool_source_ops, sp_result_ops;
/* Ends s with a spool and starts n_out streams of the same rows. */
sp_status sp_spool_lower(sp_lower *l, uint32_t node, sp_stream s, uint32_t n_out, sp_stream *ret,
                         sp_error *err);
sp_status sp_tee_lower(sp_lower *l, uint32_t node, sp_stream s, uint32_t n_out, sp_stream *ret,
                       sp_error *err);
sp_gate *sp_tee_gate(const sp_operator *tee, uint32_t branch);
sp_status sp_result_lower(sp_lower *l, uint32_t output, sp_stream s, sp_error *err);
sp_ends *sp_reorder_ends(sp_operator *op);
/* Morsels of feed `feed` come by the reorder, each ended `times` times. Called in the order of feeds. false =
 * out of memory. */
bool sp_reorder_expect(sp_operator *op, uint32_t feed, uint32_t times);

/* ---- schedule.c ---- */
sp_status sp_prepare(sp_exec *x, sp_error *err); /* prepare.c: slots, stamps, chain order, dependencies */
sp_status sp_schedule_run(sp_exec *x, sp_error *err);
/* The morsel w->source is over: tells everybody in the list. */
sp_status sp_end_morsel(const sp_ends *ends, sp_worker *w);
sp_status sp_exec_team(sp_exec *x, sp_error *err); /* starts the threads if they do not run yet */
bool sp_op_done(const sp_operator *op);            /* it or all that follows will ignore everything */
/* Has the run been stopped (cancel, time limit)? Reads the clock's last value. */
bool sp_exec_check_stop(sp_exec *x, uint64_t tick);

/* ---- gate.c ---- */
sp_gate *sp_gate_new(sp_lower *l, sp_gate *outer); /* NULL when out of memory */
sp_gate *sp_gate_common(sp_gate *a, sp_gate *b);
bool sp_gate_closed(const sp_gate *g, uint64_t source);
void sp_gate_close(sp_gate *g, uint64_t source);
/* The failure of the worker's last call (st, w->failed or `op`, w->err): kept at g when what stands behind
 * the failed operator may still make it not matter; then g is closed, the worker's error is empty again and
 * may go on. false: it is a failure of the run. */
bool sp_gate_defer(sp_gate *g, sp_worker *w, sp_operator *op, sp_status st);
/* Keeps in *f the lower of the two, unless other does not matter. */
void sp_failure_keep_lower(sp_failure *f, const sp_failure *other);
/* All gates' deferred failures; they are forgotten. */
void sp_gates_collect(sp_exec *x, sp_failure *lowest);
sp_status sp_failure_report(sp_exec *x, sp_failure *f, sp_error *err);

/* ---- metrics.c ---- */
sp_status sp_emit_to(sp_operator *op, sp_operator *to, sp_worker *w, const sp_batch *b);
/* From now on the worker's time is op's. */
void sp_time_enter(sp_operator *op, sp_worker *w);
void sp_time_leave(sp_operator *op, sp_worker *w);
/* Time blocked since the last clock read counts as waiting, not as busy. */
void sp_time_waited(sp_operator *op, sp_worker *w);
void sp_metrics_spread_cpu(sp_exec *x, sp_pipeline *p);
void sp_metrics_cut(sp_exec *x, sp_pipeline *p);
void sp_metrics_collect(sp_exec *x);
sp_status sp_metrics_memory(sp_exec *x);

/* ---- timeline.c ---- */
void sp_sampler_init(sp_exec *x);
void sp_sampler_start(sp_exec *x); /* the thread, if it does not run yet */
void sp_sampler_stop(sp_exec *x);
void sp_sampler_sample(sp_exec *x); /* one sample now */
bool sp_timeline_keep(sp_exec *x);  /* into the run's arena; false = out of memory */
void sp_sampler_release(sp_exec *x);
void sp_activity_add(sp_exec *x, sp_worker_box *b, uint32_t pipeline, uint64_t start, uint64_t end,
                     int64_t rows);
bool sp_activity_keep(sp_exec *x);

#endif
