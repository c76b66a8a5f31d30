/* Physical operators and pipelines.
 *
 * A pipeline is a source, a chain of streaming operators and an end. Workers take morsels of the source from one atomic counter and push every batch
 * through the chain while it is in cache. A breaker (sort, group_by, a join's build side, spool, a result) is the end of one pipeline and,
 * once finished, the source of another or the table that a probe reads.
 *
 *   scan orders ─▶ filter ─▶ join.build            pipeline 1, then finish(join.build)
 *   scan lineitem ─▶ join.probe ─▶ group_by.sink   pipeline 2, depends on 1, then finish(group_by)
 *   group_by.source ─▶ result                      pipeline 3, depends on 2
 *
 * An operator is immutable after lowering but for `shared` (built by finish, or by atomics) and one `local` per worker. Every operator
 * belongs to one plan node and charges its memory to that node's account. Batches pushed are const and borrowed: who keeps one takes a reference
 * and, when it breaks the pipeline, becomes the holder (sp_batch_charge).
 *
 * Time is read once per boundary: sp_emit ends the emitter's interval and starts the receiver's. */
#ifndef SP_EXEC_OPERATOR_H
#define SP_EXEC_OPERATOR_H

#include "exec/exec.h"

typedef struct sp_operator sp_operator;
typedef struct sp_pipeline sp_pipeline;
typedef struct sp_exec sp_exec; /* the whole run: workers, options, accounts, pools, cancellation */

/* A worker inside a pipeline run. */
typedef struct sp_worker {
  sp_exec *exec;
  uint32_t index;       /* 0 .. threads - 1 */
  sp_error *err;        /* this worker's own; the scheduler picks the lowest ordinal's */
  uint64_t source;      /* ordinal of the morsel being processed */
  uint64_t seq;         /* ordinal of the batch within it */
  uint64_t tick;        /* the last clock read */
  sp_arena scratch;     /* reset after every morsel */
} sp_worker;

typedef struct sp_operator_ops {
  const char *name; /* "hash_join_probe" */
  /* All MAY be NULL unless said otherwise; NULL = nothing to do. */

  /* Before a pipeline runs, once, by one thread: open files, size tables. */
  sp_status (*open)(sp_operator *op, sp_exec *x, sp_error *err);
  /* Streaming operators and ends MUST: takes one batch, calls sp_emit for what it passes on. in is borrowed. */
  sp_status (*push)(sp_operator *op, sp_worker *w, const sp_batch *in);
  /* Sources MUST: how many morsels, and produce one of them through sp_emit. The count may be asked after open only. */
  uint32_t (*morsels)(sp_operator *op);
  sp_status (*morsel)(sp_operator *op, sp_worker *w, uint32_t morsel);
  /* After a worker's last morsel of the pipeline: emit what is pending (in chain order). */
  sp_status (*flush)(sp_operator *op, sp_worker *w);
  /* Once, after all workers have flushed: build the table, merge, sort. May use sp_exec_parallel. */
  sp_status (*finish)(sp_operator *op, sp_exec *x, sp_error *err);
  /* True when the operator will ignore everything from now on (a full limit). Asked between batches; thread-safe. */
  bool (*done)(const sp_operator *op);
  /* Frees everything, whatever state the operator is in. */
  void (*close)(sp_operator *op);
} sp_operator_ops;

struct sp_operator {
  const sp_operator_ops *ops;
  sp_exec *exec;
  const sp_node *node;
  uint32_t node_index;  /* in the plan: which metrics and account */
  sp_mem *mem;          /* the node's account */
  sp_operator *next;    /* in the pipeline; NULL for an end */
  const sp_schema *in, *out;
  void *shared;         /* the operator's own */
  void **local;         /* per worker, the operator's own; allocated by lowering with NULLs */
  bool times_only;      /* a helper (reorder, tee) whose rows are not the node's output */
};

/* Passes a batch on: counts rows and bytes for op's node, reads the clock, and calls the next operator. The batch stays the
 * caller's. Batches without rows are dropped. Fills source and seq of a batch that has none from the worker. */
sp_status sp_emit(sp_operator *op, sp_worker *w, sp_batch *b);
/* Between batches of a long loop: cancellation, time limit, another worker's failure, everybody downstream done. */
bool sp_should_stop(const sp_operator *op, const sp_worker *w);
sp_maker sp_maker_of(const sp_operator *op);
uint32_t sp_exec_batch_rows(const sp_exec *x, const sp_schema *s); /* rows per batch for this schema */
uint32_t sp_exec_threads(const sp_exec *x);
/* Runs fn(ctx, i) for i in [0, n) over all workers (from finish only); the first error by i wins. Time goes to op's node. */
sp_status sp_exec_parallel(sp_operator *op, uint32_t n, sp_status (*fn)(void *ctx, uint32_t i, sp_worker *w), void *ctx, sp_error *err);
void sp_metric_add(sp_operator *op, sp_metric m, int64_t v); /* atomic */

/* ---- lowering ---- */
typedef struct sp_lower sp_lower;
/* One per node kind in operators.def: SP_OPERATOR(name) stands for src/exec/operators/NAME.c, which defines `const sp_lowering sp_lowering_NAME`.
 * lower() turns one plan node into operators of the pipelines being built. */
typedef struct sp_lowering {
  const char *kinds; /* space-separated ops of plan nodes: "select with_columns" */
  /* MUST: the node's inputs are lowered already; appends to their open pipelines and/or ends them and opens new ones. */
  sp_status (*lower)(sp_lower *l, uint32_t node, sp_error *err);
} sp_lowering;
extern const sp_lowering *const sp_lowering_table[];

/* An open pipeline end: what the next operator is appended to. */
typedef struct sp_stream {
  sp_pipeline *pipeline;
  bool ordered;   /* batches' (source, seq) give the order of rows */
} sp_stream;
/* The stream of one input of `node` (each may be taken once: shared nodes have been teed or spooled by the generic part). */
sp_status sp_lower_input(sp_lower *l, uint32_t node, uint32_t which, sp_stream *ret, sp_error *err);
sp_operator *sp_lower_operator(sp_lower *l, uint32_t node, const sp_operator_ops *ops, size_t shared_size); /* NULL when out of memory; shared zeroed */
sp_status sp_lower_append(sp_lower *l, sp_stream *s, sp_operator *op, sp_error *err);
/* Ends the stream's pipeline with op. */
sp_status sp_lower_end(sp_lower *l, sp_stream s, sp_operator *op, sp_error *err);
/* Starts a pipeline whose source is op; it runs after every pipeline in `after` has finished. */
sp_status sp_lower_source(sp_lower *l, sp_operator *op, sp_pipeline *const *after, uint32_t n_after, bool ordered, sp_stream *ret, sp_error *err);
void sp_lower_depends(sp_pipeline *p, sp_pipeline *on);
/* Says what the node's output stream is. Sinks and the last node of a result have none. */
void sp_lower_output(sp_lower *l, uint32_t node, sp_stream s);
/* Is the order of this node's rows observed by any consumer (or by the result)? Decided over the whole plan before lowering. */
bool sp_lower_order_observed(const sp_lower *l, uint32_t node);
/* Puts the stream's batches in order (bounded, charged) when it is not ordered yet: one batch at a time arrives at the next operator, in order. */
sp_status sp_lower_reorder(sp_lower *l, sp_stream *s, uint32_t node, sp_error *err);
const sp_plan *sp_lower_plan(const sp_lower *l);
sp_arena *sp_lower_arena(sp_lower *l); /* lives as long as the run */

#endif
