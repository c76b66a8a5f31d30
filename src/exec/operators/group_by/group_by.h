/* What the files of group_by share.
 *
 *   push     evaluates keys, arguments and filters, numbers rows by a grouper, updates states by the batch
 *   finish   the same group of two workers becomes one, its states merged (merge.c); DISTINCT sets
 *            likewise (distinct.c)
 *   source   keys decoded, states finished, expressions over them evaluated, batch by batch
 *
 * A group's states stand next to its key: one row of the grouper's store. */
#ifndef SP_EXEC_OPERATORS_GROUP_BY_H
#define SP_EXEC_OPERATORS_GROUP_BY_H

#include "exec/grouper.h"
#include "exec/operator.h"
#include "expr/function.h"
#include "expr/program.h"

typedef struct sp_gb_call { /* one aggregate call */
  sp_agg agg;
  const sp_aggregate_ops *ops;
  size_t offset;                   /* of its state among the user bytes */
  uint32_t first_arg, n_args;      /* among the program's outputs */
  uint32_t filter;                 /* output of its FILTER; UINT32_MAX: none */
  uint32_t set;                    /* number of its DISTINCT set; UINT32_MAX: none */
  const sp_key_layout *set_layout; /* group number, arguments */
} sp_gb_call;

typedef struct sp_gb_first { /* where a group appeared first, before its states; with maintain_order only */
  uint64_t source, place;    /* seq and row */
} sp_gb_first;

/* The groups of one worker. */
typedef struct sp_gb_part {
  sp_grouper grouper;
  sp_program_state *state;
  sp_column **outs; /* of the program, for one batch */
  sp_grouper *sets; /* by DISTINCT set; at first zeroed */
  uint32_t *ids, *kept_ids;
  uint16_t *kept_rows, *numbers; /* numbers: 0, 1, 2, … */
  uint32_t cap_rows;
  uint32_t n_init; /* groups whose states are initialised */
  /* by group, after merging: the part that has it now (UINT16_MAX: this one) and its number there */
  uint16_t *moved_to;
  uint32_t *moved_id;
} sp_gb_part;

typedef struct sp_gb_range { /* a morsel of the source */
  const sp_gb_part *part;
  uint32_t from, n;
} sp_gb_range;

typedef struct sp_gb {
  const sp_key_layout *layout;
  sp_program *inputs; /* keys ++ arguments and filters; NULL when there are none */
  uint32_t n_keys, n_outs, n_calls, n_sets, n_results;
  sp_gb_call *calls;
  size_t user_bytes;
  bool ordered;        /* maintain_order */
  sp_program *results; /* over keys ++ calls; NULL when there are none */
  sp_gb_part **parts;  /* by worker: the operator's locals */
  uint32_t n_parts;
  sp_gb_part *in_order; /* with maintain_order: all groups, after finish */
  uint32_t n_ranges;
  sp_gb_range *ranges;
} sp_gb;

extern const sp_operator_ops sp_gb_sink_ops, sp_gb_source_ops;

sp_gb_part *sp_gb_part_new(sp_operator *op); /* NULL when out of memory */
void sp_gb_part_free(sp_operator *op, sp_gb_part *p);
static inline sp_agg_states sp_gb_states(const sp_gb_part *p, const sp_gb_call *c) {
  const sp_key_store *s = &p->grouper.store;
  return (sp_agg_states){.base = s->rows, .stride = s->stride, .offset = s->user_offset + c->offset};
}
/* Initialises the states of groups made since the last call. */
void sp_gb_init_states(const sp_gb *g, sp_gb_part *p);
void sp_gb_destroy_states(sp_operator *op, sp_gb_part *p);

/* merge.c */
sp_status sp_gb_merge(sp_operator *op, sp_error *err);

/* distinct.c */
sp_status sp_gb_distinct_add(sp_operator *op, sp_gb_part *p, const sp_gb_call *c, uint32_t length,
                             const uint16_t *rows, uint32_t n, const uint32_t *ids, sp_error *err);
/* After groups have been merged: gives every distinct tuple to its group's state, once. */
sp_status sp_gb_distinct_finish(sp_operator *op, sp_error *err);

#endif
