/* What the files of join share.
 *
 *   build   keeps the columns that the output or the predicate needs, and the keys; finish makes one
 *           column of each and an index
 *   probe   finds ids of its keys; rows that match come out with the build's columns gathered
 *   flush   of the probe: build rows that come out only when all others are known (full, mark)
 *
 * The build side is the right one, but for right joins, which keep the order of the right, and where the left
 * input is expected to be smaller and no order is promised. To the probe every join is one of five: INNER,
 * OUTER (its own rows all come out), SEMI, ANTI, and MARK (a semi or anti join whose left side is the build:
 * the probe only notes which build rows have a match, and the flush gives out those that do, or those that do
 * not). */
#ifndef SP_EXEC_OPERATORS_JOIN_H
#define SP_EXEC_OPERATORS_JOIN_H

#include "exec/join_index.h"
#include "exec/kept_rows.h"
#include "exec/operator.h"
#include "expr/program.h"

typedef enum sp_join_kind {
  SP_PROBE_INNER,
  SP_PROBE_OUTER,
  SP_PROBE_SEMI,
  SP_PROBE_ANTI,
  SP_PROBE_MARK
} sp_join_kind;

typedef struct sp_join_out { /* an output column */
  sp_join_from from;     /* LEFT here: of the probe's batch; RIGHT: of the build; BOTH: whichever there is */
  uint32_t probe, build; /* column of the probe's input; number among the kept ones */
  sp_program *cast_probe, *cast_build; /* BOTH, where the type differs; over one column */
} sp_join_out;

typedef struct sp_join_read { /* a column that the predicate may read */
  bool of_build;
  uint32_t column; /* of the probe's input; number among the kept ones */
} sp_join_read;

typedef struct sp_join_batches { /* one worker's build rows */
  sp_kept kept;                  /* kept columns ++ keys */
  sp_program_state *state;
  sp_column **keys;
  sp_join_range *ranges;
  sp_join_probe scratch;
} sp_join_batches;

typedef struct sp_join {
  sp_join_kind kind;
  bool marks;          /* full joins and MARK: which build rows have matched is noted … */
  uint8_t wanted;      /* … and rows of which this is true come out at the end */
  uint32_t probe_side; /* 0 left, 1 right */
  uint32_t n_keys;
  sp_program *build_keys, *probe_keys; /* NULL without keys */
  uint32_t n_kept;
  uint32_t *kept;    /* columns of the build's input */
  sp_column **build; /* the same, all rows; after finish */
  sp_join_index index;
  uint32_t n_out;
  sp_join_out *out;
  sp_program *predicate;    /* or NULL */
  sp_join_read *reads;      /* by column of the predicate's schema */
  _Atomic uint8_t *matched; /* by build row, when it marks */
  bool built;
  struct sp_join_filter *filters; /* given to scans of the probe side */
  sp_operator *build_op;
} sp_join;

/* A worker's pairs of a batch on their way out, see pairs.c. */
typedef struct sp_join_pairs {
  uint32_t n;
  uint32_t *probe, *build; /* row of the batch, row of the build or SP_NO_ROW */
} sp_join_pairs;

typedef struct sp_join_local { /* one worker's probe */
  sp_program_state *keys_state, *predicate_state;
  sp_program_state **cast_states; /* by output column × 2 */
  sp_column **keys;
  sp_join_probe scratch;
  uint32_t cap_rows; /* of the next four */
  uint32_t *ids;
  uint32_t *rows; /* build rows */
  uint16_t *sel;
  uint8_t *hits; /* by row: matched */
  uint32_t cap_pairs;
  sp_join_pairs found, kept; /* candidates; those that go out */
  uint16_t *passed;
  sp_coalesce coalesce;
} sp_join_local;

extern const sp_operator_ops sp_join_build_ops, sp_join_probe_ops;

void sp_join_release_build(sp_operator *build_op); /* frees what probing needed */

/* probe.c */
sp_join_local *sp_join_local_of(sp_operator *op,
                                sp_worker *w); /* made when there is none; NULL when out of memory */
/* The output's columns for n pairs; probe NULL: no probe row (columns of the probe are null). Row SP_NO_ROW
 * of the build gives nulls. */
sp_status sp_join_emit_pairs(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in,
                             const uint32_t *probe, const uint32_t *build, uint32_t n);
/* Column i of the output from columns of its own length: p (or NULL) and b (or NULL), borrowed. */
sp_status sp_join_both(sp_operator *op, sp_join_local *l, uint32_t i, sp_column *p, sp_column *b,
                       sp_column **ret, sp_error *err);

/* filter.c: what the build's keys mean for scans below the probe. */
sp_status sp_join_offer_filters(sp_lower *l, uint32_t node, sp_join *j, sp_error *err);
void sp_join_ready_filters(sp_join *j); /* the index is there */

/* pairs.c: batches of joins with duplicates on the build side or with a predicate. ids are set. */
sp_status sp_join_push_pairs(sp_operator *op, sp_worker *w, sp_join_local *l, const sp_batch *in);

#endif
