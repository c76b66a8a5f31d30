/* Physical operators and pipelines.
 *
 * A pipeline is one or more sources, streaming operators and ends. Workers take morsels of the sources from
 * one atomic counter and push every batch through the operators while it is in cache. A breaker (sort,
 * group_by, a join's build side, spool, a result) is the end of one pipeline and, once finished, the source
 * of another or the table that a probe reads.
 *
 *   scan orders ─▶ filter ─▶ join.build            pipeline 1, then finish(join.build)
 *   scan lineitem ─▶ join.probe ─▶ group_by.sink   pipeline 2, depends on 1, then finish(group_by)
 *   group_by.source ─▶ result                      pipeline 3, depends on 2
 *
 * A tee lets a pipeline have several ends, a union several sources (their morsels are numbered one source
 * after the other).
 *
 * An operator is immutable after lowering but for `shared` (built by finish, or by atomics) and one `local`
 * per worker. Every operator belongs to one plan node and charges its memory to that node's account. Batches
 * pushed are const and borrowed: who keeps one takes a reference and, when it breaks the pipeline, becomes
 * the holder (sp_batch_keep does both).
 *
 * Ordinals: in push, (w->source, w->seq) is the ordinal of the batch at hand: source is the morsel's number,
 * seq counts the batches of that morsel at this place. Keepers note these two; the fields of the same name in
 * a batch are theirs to fill. sp_emit makes the next operator's, so that one batch in may be many out. All
 * batches of one source pass any place in order.
 *
 * Time is read once per boundary: sp_emit ends the emitter's interval and starts the receiver's. */
#ifndef SP_EXEC_OPERATOR_H
#define SP_EXEC_OPERATOR_H

#include "exec/exec.h"

typedef struct sp_operator sp_operator;
typedef struct sp_pipeline sp_pipeline;
typedef struct sp_exec sp_exec; /* the whole run: workers, options, accounts, pools, cancellation */
struct sp_slot;

/* A worker inside a pipeline run. */
typedef struct sp_worker {
  sp_exec *exec;
  uint32_t index;   /* 0 .. threads - 1 */
  sp_error *err;    /* this worker's own; the scheduler picks the lowest ordinal's */
  uint64_t source;  /* ordinal of the morsel being processed */
  uint64_t seq;     /* ordinal of the batch within it, at the operator that runs */
  uint64_t tick;    /* the last clock read */
  sp_arena scratch; /* reset after every morsel */
  /* The rest is the core's. */
  uint32_t lane;         /* whose counters number batches: the worker's, or a feed's behind a reorder */
  struct sp_slot *slots; /* counters by operator */
  sp_operator *failed;   /* where the error of `err` arose */
} sp_worker;

typedef struct sp_operator_ops {
  const char *name; /* "hash_join_probe" */
  /* All MAY be NULL unless said otherwise; NULL = nothing to do. Every hook is called for sources, streaming
   * operators and ends alike. */

  /* Before a pipeline runs, once, by one thread, in chain order: open files, size tables. */
  sp_status (*open)(sp_operator *op, sp_exec *x, sp_error *err);
  /* Streaming operators and ends MUST: takes one batch, calls sp_emit for what it passes on. in is borrowed.
   */
  sp_status (*push)(sp_operator *op, sp_worker *w, const sp_batch *in);
  /* Sources MUST: how many morsels, and produce one of them through sp_emit. The count may be asked after
   * open only; one morsel should be worth a thread (tens of thousands of rows): a small table is one morsel.
   */
  uint32_t (*morsels)(sp_operator *op);
  sp_status (*morsel)(sp_operator *op, sp_worker *w, uint32_t morsel);
  /* The morsel w->source is over at this place: emit what is pending of it. */
  sp_status (*end_morsel)(sp_operator *op, sp_worker *w);
  /* Between two morsels of this worker, inside no other call: work that anybody may do. */
  sp_status (*idle)(sp_operator *op, sp_worker *w);
  /* After ALL workers' last morsels, once for every worker index 0 .. sp_exec_threads() - 1 (perhaps from one
   * thread after the other), in chain order: emit what is pending. Here a full join's probe emits unmatched
   * rows: worker i its share i of n. */
  sp_status (*flush)(sp_operator *op, sp_worker *w);
  /* Once, after all flushes, by one thread, in chain order: build the table, merge, sort; free what nobody
   * needs any more (a probe its table, a source its rows). May use sp_exec_parallel. Not called when the run
   * has failed. */
  sp_status (*finish)(sp_operator *op, sp_exec *x, sp_error *err);
  /* True when the operator will ignore everything from now on (a full limit). Asked between batches;
   * thread-safe. Never before what it has taken was emitted successfully: errors upstream of it are dropped
   * once it is true. */
  bool (*done)(const sp_operator *op);
  /* Once, after every pipeline of the run has finished: make outputs visible (rename files into place). When
   * a later commit fails, close finds exec's run failed and takes back what was committed. */
  sp_status (*commit)(sp_operator *op, sp_exec *x, sp_error *err);
  /* When the run is over, whatever came of it: adds metrics that it counted itself. */
  void (*report)(sp_operator *op);
  /* Frees everything, whatever state the operator is in. At the end of the run. */
  void (*close)(sp_operator *op);
} sp_operator_ops;

struct sp_operator {
  const sp_operator_ops *ops;
  sp_exec *exec;
  const sp_node *node;
  uint32_t node_index; /* in the plan: which metrics and account */
  sp_mem *mem;         /* the node's account */
  sp_operator *next;   /* in the pipeline; NULL for an end and a tee */
  const sp_schema *in,
      *out;     /* of the node's first input (NULL for sources) and of the node; lowering may change them */
  void *shared; /* the operator's own */
  void **local; /* per worker, the operator's own; allocated by lowering with NULLs */
  bool times_only;   /* a helper (reorder, tee) whose rows are not the node's output */
  bool counts_input; /* it counts the node's input_rows itself (a slice that stops early) */
  /* The rest is the core's. */
  bool may_finish;     /* some operator here or later can be done */
  uint32_t index;      /* of its slot */
  uint32_t n_branches; /* tee */
  sp_operator **branches;
  struct sp_stamp *stamps;      /* by worker, then by feed from first_feed on */
  uint32_t first_feed, n_feeds; /* that come by behind a reorder */
  sp_pipeline *pipeline;
  struct sp_gate *gate; /* failures before it */
  sp_operator *link;    /* all operators of the run */
};

/* Passes a batch on: counts rows and bytes for op's node, reads the clock, and calls the next operator. The
 * batch stays the caller's. Batches without rows are dropped. SP_CANCELLED when the run has been stopped:
 * pass it up as any other failure. */
sp_status sp_emit(sp_operator *op, sp_worker *w, const sp_batch *b);
/* The same, and drops the caller's reference. b NULL: out of memory. */
sp_status sp_emit_take(sp_operator *op, sp_worker *w, sp_batch *b);
/* Between batches of a long loop: cancellation, time limit, another worker's failure, everybody downstream
 * done. Return SP_OK then. */
bool sp_should_stop(const sp_operator *op, sp_worker *w);
/* The same for long loops in finish; the scheduler then ends the run. */
bool sp_exec_stopped(sp_exec *x);
bool sp_exec_failed(const sp_exec *x); /* in close: the run has failed */
sp_maker sp_maker_of(const sp_operator *op);
uint32_t sp_exec_batch_rows(const sp_exec *x, const sp_schema *s); /* rows per batch for this schema */
uint32_t sp_exec_threads(const sp_exec *x);
int64_t sp_exec_memory_limit(const sp_exec *x); /* 0 = none */
/* Runs fn(ctx, i) for i in [0, n) over all workers (from finish only); the first error by i wins. Time goes
 * to op's node. */
sp_status sp_exec_parallel(sp_operator *op, uint32_t n, sp_status (*fn)(void *ctx, uint32_t i, sp_worker *w),
                           void *ctx, sp_error *err);
void sp_metric_add(sp_operator *op, sp_metric m, int64_t v); /* atomic */
/* A dense batch worth keeping: no selection, no SEQUENCE, strings copied when under half of their heaps is
 * live, charged to op's node, ordinals from w (NULL: as they are). NULL when out of memory. */
sp_batch *sp_batch_keep(sp_operator *op, const sp_worker *w, const sp_batch *b);

/* Small batches of one morsel gathered into fair ones (each worker its own; zeroed to start). add keeps a
 * compacted copy, and emits through op when there are enough rows; flush emits the rest (from end_morsel).
 * Batches that are big enough go straight through. */
typedef struct sp_coalesce {
  sp_batch **batches;
  uint32_t n, cap;
  uint32_t rows;
  uint32_t target; /* rows of a fair batch; set at the first add */
} sp_coalesce;
sp_status sp_coalesce_add(sp_coalesce *c, sp_operator *op, sp_worker *w, const sp_batch *b);
sp_status sp_coalesce_flush(sp_coalesce *c, sp_operator *op, sp_worker *w);
void sp_coalesce_release(sp_coalesce *c, sp_operator *op); /* drops what is pending */

/* ---- lowering ---- */
typedef struct sp_lower sp_lower;

/* What becomes of one input's stream. */
typedef enum sp_flow {
  SP_FLOW_THROUGH, /* goes on as the node's output (filter, probe side, union) */
  SP_FLOW_END,     /* ends here; the output is a new pipeline after it (sort, group_by) */
  SP_FLOW_BUILD    /* ends here; the THROUGH inputs' pipeline runs after it (a join's build side) */
} sp_flow;

/* A row filter that an operator learns while it runs (a join's build, a top-k's threshold) and a scan far
 * below applies before it decodes other columns. Lives in the lowering's arena; the owner fills it in before
 * the scan's pipeline opens, or sets `ready` later. */
typedef struct sp_runtime_filter {
  const sp_operator
      *owner; /* nodes from the scan up to the owner's (exclusive) are marked cut when the filter was ready */
  _Atomic bool ready; /* release-stored when the functions may be called */
  const void *ctx;
  bool wants_null; /* rows with null pass */
  /* MAY be NULL: can any value in [lo, hi] pass? Skips row groups and pages. Thread-safe; may tighten. */
  bool (*may_match)(const void *ctx, const sp_value *lo, const sp_value *hi);
  /* MAY be NULL: of the n rows of sel (NULL = 0..n-1) writes those that may pass to out (may be sel itself)
   * and returns how many. Thread-safe. col: any encoding but SEQUENCE, meaningful at sel. */
  uint32_t (*rows)(const void *ctx, const sp_column *col, const uint16_t *sel, uint32_t n, uint16_t *out);
} sp_runtime_filter;

/* One per node kind in operators.def: SP_OPERATOR(name) stands for src/exec/operators/NAME.c, which defines
 * `const sp_lowering sp_lowering_NAME`. lower() turns one plan node into operators of the pipelines being
 * built. */
typedef struct sp_lowering {
  const char *kinds; /* space-separated ops of plan nodes: "select with_columns" */
  /* MUST: the node's inputs are lowered already; appends to their open pipelines and/or ends them and opens
   * new ones. */
  sp_status (*lower)(sp_lower *l, uint32_t node, sp_error *err);
  /* MAY be NULL: END when the kind has SP_NODE_BREAKS_PIPELINE, else THROUGH. */
  sp_flow (*flow)(const sp_lower *l, uint32_t node, uint32_t which);
  /* MAY be NULL: by the kind's flags OBSERVES_ORDER, or KEEPS_ORDER and `observed`. Does the node need the
   * order of input `which`? observed: somebody observes its own output's order. (A stable sort does, a join
   * without maintain_order does not.) */
  bool (*observes)(const sp_node *n, uint32_t which, bool observed);
  /* MAY be NULL: refuses. A source takes f for its column (a name of its output). */
  bool (*accept_filter)(sp_operator *source, sp_sv column, sp_runtime_filter *f);
} sp_lowering;
extern const sp_lowering *const sp_lowering_table[]; /* NULL-terminated */

/* An open pipeline end: what the next operator is appended to. */
typedef struct sp_stream {
  sp_pipeline *pipeline;
  bool ordered;         /* ordinals give an order of rows that the plan promises */
  bool serial;          /* batches arrive one at a time, in order (behind a reorder) */
  sp_operator *tail;    /* the last operator; the core's */
  uint32_t branch;      /* of a tee; the core's */
  uint32_t depth;       /* operators since the source; the core's */
  struct sp_gate *gate; /* the core's */
} sp_stream;
/* The stream of one input of `node` (each may be taken once: shared nodes have been teed or spooled by the
 * generic part). */
sp_status sp_lower_input(sp_lower *l, uint32_t node, uint32_t which, sp_stream *ret, sp_error *err);
sp_operator *sp_lower_operator(sp_lower *l, uint32_t node, const sp_operator_ops *ops,
                               size_t shared_size); /* NULL when out of memory; shared zeroed */
sp_status sp_lower_append(sp_lower *l, sp_stream *s, sp_operator *op, sp_error *err);
/* Ends the stream's pipeline with op. */
sp_status sp_lower_end(sp_lower *l, sp_stream s, sp_operator *op, sp_error *err);
/* Starts a pipeline whose source is op; it runs after every pipeline in `after` has finished. */
sp_status sp_lower_source(sp_lower *l, sp_operator *op, sp_pipeline *const *after, uint32_t n_after,
                          bool ordered, sp_stream *ret, sp_error *err);
/* p runs after on. */
sp_status sp_lower_depends(sp_lower *l, sp_pipeline *p, sp_pipeline *on, sp_error *err);
/* Several streams into one operator (union): their pipelines become one whose morsels come in the order of
 * the streams. op may be NULL for n = 1. */
sp_status sp_lower_merge(sp_lower *l, const sp_stream *in, uint32_t n, sp_operator *op, sp_stream *ret,
                         sp_error *err);
/* Says what the node's output stream is. Sinks have none. */
sp_status sp_lower_output(sp_lower *l, uint32_t node, sp_stream s, sp_error *err);
/* Is the order of this node's rows observed by any consumer (or by the result)? Decided over the whole plan
 * before lowering. */
bool sp_lower_order_observed(const sp_lower *l, uint32_t node);
/* Makes a stream serial: from here on one batch at a time arrives, in the order of ordinals (bounded, charged
 * to node). Does nothing when it is. */
sp_status sp_lower_reorder(sp_lower *l, sp_stream *s, uint32_t node, sp_error *err);
/* Offers f, about column `column` of input `which` of `node`, to the scan below: follows the column down
 * through nodes that let a predicate on it pass and that nobody else consumes. false when no scan takes it.
 */
bool sp_lower_offer_filter(sp_lower *l, uint32_t node, uint32_t which, uint32_t column, sp_runtime_filter *f);
/* Memory ran out where that cannot be returned (accept_filter): the run ends with SP_NOMEM. */
void sp_lower_starved(const sp_operator *op);
const sp_plan *sp_lower_plan(const sp_lower *l);
/* Rows that the optimizer expects of a node; -1 when nobody knows. */
double sp_lower_est_rows(const sp_lower *l, uint32_t node);
sp_exec *sp_lower_exec(const sp_lower *l);
sp_arena *sp_lower_arena(sp_lower *l); /* lives as long as the run */

#endif
