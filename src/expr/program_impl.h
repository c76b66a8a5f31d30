/* Inside a compiled program: what program.c builds and program_run.c and program_filter.c execute.
 *
 * Registers hold columns; each is written by one step. Selection slots hold the rows that are meant; slot 0
 * is the caller's, each other slot a part of its parent. Expression i runs under slot exprs[i].slot, which in
 * a filter is what the conjuncts before it left and in an evaluation equals the caller's. A lazy function's
 * arguments may run under narrower slots, which NARROW steps make. */
#ifndef SP_EXPR_PROGRAM_IMPL_H
#define SP_EXPR_PROGRAM_IMPL_H

#include "expr/kernel.h"
#include "expr/program.h"

typedef enum sp_step_kind { SP_STEP_COLUMN, SP_STEP_CALL, SP_STEP_NARROW } sp_step_kind;

/* Which rows a NARROW keeps. */
typedef enum sp_keep { SP_KEEP_TRUE, SP_KEEP_NOT_TRUE, SP_KEEP_NOT_FALSE, SP_KEEP_NULL } sp_keep;

typedef struct sp_step {
  sp_step_kind kind;
  uint32_t reg;  /* COLUMN, CALL: result; NARROW: the mask */
  uint32_t slot; /* the rows it runs for; NARROW: the parent */
  const sp_type *type;
  uint32_t column;   /* COLUMN */
  sp_keep keep;      /* NARROW */
  uint32_t new_slot; /* NARROW */
  sp_kernel kernel;  /* CALL */
  uint32_t n_args;
  const uint32_t *args; /* registers */
  bool on_dict;         /* may run on a dictionary's entries: null for null, and it cannot fail */
  uint32_t cache;       /* on_dict: index into the state's caches */
  uint32_t n_release;   /* registers not needed after this step */
  const uint32_t *release;
} sp_step;

static inline bool sp_step_is_strict(const sp_step *s, uint32_t i) {
  return i < 32 ? (s->kernel.strict >> i & 1) != 0 : s->kernel.strict == UINT32_MAX;
}

typedef struct sp_root {
  uint32_t index; /* of the expression, as given */
  uint32_t reg, slot;
  uint32_t first, end; /* its steps */
  const sp_type *type;
} sp_root;

struct sp_program {
  _Atomic uint32_t refs;
  sp_mem *mem;
  sp_arena arena;
  const sp_step *steps;
  uint32_t n_steps, n_regs, n_slots, n_caches, max_args;
  const sp_root *roots; /* in the order they run */
  uint32_t n_roots;
  uint32_t n_columns;
  const uint32_t *columns;
  uint32_t n_consts; /* registers [0, n_regs) that hold constants: const_regs[i] holds consts[i] */
  const uint32_t *const_regs;
  sp_column **consts;
};

typedef struct sp_slot {
  const uint16_t *sel; /* NULL: all rows */
  uint32_t n;
  uint16_t *buf; /* own memory, cap rows */
  uint32_t cap;
} sp_slot;

/* The last dictionary a step ran on. */
typedef struct sp_dict_cache {
  uint64_t dict_id;   /* of the argument; 0 = none */
  uint64_t result_id; /* of the result as a dictionary */
  sp_column *result;  /* per entry, without nulls */
  sp_buf *validity;   /* per entry, or NULL */
  uint64_t seen_id;   /* a dictionary too large to run on at once, */
  uint64_t seen_rows; /* and how many rows have gone by */
} sp_dict_cache;

struct sp_program_state {
  const sp_program *program;
  sp_mem *mem;
  sp_arena scratch;
  sp_column **regs;
  sp_slot *slots;
  sp_dict_cache *caches;
  const sp_column **args; /* max_args */
  uint8_t *mask;          /* mask_cap rows */
  uint32_t mask_cap;
};

/* One evaluation. */
typedef struct sp_run {
  const sp_program *p;
  sp_program_state *s;
  sp_maker mk;
  const sp_fetch *in;
  uint32_t length;
  sp_error *err;
} sp_run;
sp_status sp_run_begin(sp_run *r, const uint16_t *sel, uint32_t n);
void sp_run_end(sp_run *r); /* drops all registers but constants */
sp_status sp_run_steps(sp_run *r, uint32_t first, uint32_t end);
/* slot := the rows of parent that keep names. */
sp_status sp_run_narrow(sp_run *r, uint32_t parent, const sp_column *mask, sp_keep keep, uint32_t slot);
/* Calls a step's kernel over arguments that are constant, of one row; gives a CONST column of n rows. */
sp_status sp_run_const(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                       uint32_t n, sp_column **ret);

/* ---- select.c ---- */
/* Row numbers i < n with mask[i] != 0, ascending; returns how many. out has room for n + 64. */
uint32_t sp_select_dense(const uint8_t *mask, uint32_t n, uint16_t *out);
/* sel[i] with mask[sel[i]] != 0; out may be sel. */
uint32_t sp_select_sparse(const uint8_t *mask, const uint16_t *sel, uint32_t n, uint16_t *out);
/* Maps bytes through codes: out[i] = map[codes[i]]. */
void sp_map_bytes(uint8_t *out, const uint8_t *map, const uint32_t *codes, uint32_t n);

/* ---- kernel_cast.c ---- */
sp_status sp_cast_prepare(const sp_expr *cast, sp_arena *a, sp_kernel *ret, sp_error *err);

#endif
