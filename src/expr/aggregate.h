/* What aggregate functions share: walking rows, states and results.
 *
 * An aggregate's update sees n rows, each with a group. SP_AGG_EACH runs its body per row that is not null,
 * in one of two shapes: all rows of a flat column without nulls, where the compiler sees a plain loop, and
 * everything else. */
#ifndef SP_EXPR_AGGREGATE_H
#define SP_EXPR_AGGREGATE_H

#include "expr/kernel.h"

typedef struct sp_agg_rows {
  sp_reader in;
  const uint16_t *rows;
  const uint32_t *groups;
  uint32_t n;
  bool plain; /* value i of data is row i's, for i < n, and none is null */
} sp_agg_rows;
/* DICT and CONST are read through their reader. */
static inline sp_agg_rows sp_agg_rows_of(const sp_column *c, const uint16_t *rows, uint32_t n,
                                         const uint32_t *groups) {
  sp_agg_rows r = {.in = sp_column_reader(c), .rows = rows, .groups = groups, .n = n};
  r.plain =
      rows == NULL && r.in.validity == NULL && r.in.codes == NULL && !r.in.is_const && c->values != NULL;
  return r;
}
static inline uint8_t *sp_agg_base(const sp_agg_states *s) {
  return s->base + s->offset;
}

/* BODY with IDX (of the value in in.data), ROW and GROUP. SP_AGG_SKIP leaves it. */
#define SP_AGG_EACH(R, IDX, ROW, GROUP, BODY)                                                                \
  do {                                                                                                       \
    if ((R).plain && (R).groups != NULL) {                                                                   \
      for (uint32_t ROW = 0; ROW < (R).n; ROW++) {                                                           \
        const uint32_t IDX = ROW, GROUP = (R).groups[ROW];                                                   \
        BODY                                                                                                 \
      }                                                                                                      \
    } else {                                                                                                 \
      for (uint32_t sp_i_ = 0; sp_i_ < (R).n; sp_i_++) {                                                     \
        const uint32_t ROW = (R).rows != NULL ? (R).rows[sp_i_] : sp_i_;                                     \
        if (sp_reader_valid(&(R).in, ROW)) {                                                                 \
          const uint32_t IDX = sp_reader_index(&(R).in, ROW);                                                \
          const uint32_t GROUP = (R).groups != NULL ? (R).groups[sp_i_] : 0;                                 \
          BODY                                                                                               \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
  } while (0)

static inline uint32_t sp_agg_target(const uint32_t *map, uint32_t i) {
  return map != NULL ? map[i] : i;
}

/* A null argument's aggregate is that of the type it is given. */
sp_status sp_agg_bind(const sp_function *f, const sp_expr *const *args, uint32_t takes,
                      const sp_type *if_null, sp_binding *ret, const sp_loc *loc, sp_error *err);

/* Bytes that a state owns: strings of min, max, first, last. */
typedef struct sp_agg_bytes {
  char *p;
  uint32_t n, cap;
} sp_agg_bytes;
bool sp_agg_bytes_set(sp_agg_bytes *b, sp_mem *mem, const char *p, uint32_t n); /* false when out of memory */
void sp_agg_bytes_free(sp_agg_bytes *b, sp_mem *mem);
/* Result columns of strings. */
sp_status sp_agg_put_bytes(sp_heap *h, sp_view *slot, const char *p, uint32_t n, sp_error *err);
/* FLAT, n rows, values zeroed, all valid at first. */
sp_column *sp_agg_out(sp_maker mk, const sp_type *t, uint32_t n);
/* Without a validity buffer when nothing is null. */
sp_column *sp_agg_done(sp_column *c);

#endif
