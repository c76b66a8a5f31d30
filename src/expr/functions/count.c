/* count(x): rows where x is not null; count(*): rows. int64, 0 for none.
 *
 * Example: count(*) over 3 rows of which one is null is 3, count(x) is 2. */
#include "expr/aggregate.h"

static uint32_t state_size(const sp_agg *a) {
  (void)a;
  return sizeof(uint64_t);
}

static sp_status bind(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                      sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)f, (void)args, (void)n, (void)a, (void)loc, (void)err;
  ret->result = sp_int64_type();
  return SP_OK;
}

static void add(const sp_agg_states *s, uint32_t group, uint64_t n) {
  *(uint64_t *)sp_agg_at(s, group) += n;
}

static uint64_t count_valid(const uint8_t *v, uint32_t n) {
  uint64_t k = 0;
  for (uint32_t i = 0; i < n; i++) {
    k += v[i];
  }
  return k;
}

static sp_status update(const sp_agg *a, sp_mem *mem, const sp_column *const *args, const uint16_t *rows,
                        uint32_t n, const uint32_t *groups, const sp_agg_states *s, uint64_t source,
                        uint64_t seq, sp_error *err) {
  (void)mem, (void)source, (void)seq, (void)err;
  const uint8_t *valid = NULL;
  if (a->arg != NULL) {
    const sp_reader in = sp_column_reader(args[0]);
    if (args[0]->type->kind == SP_KIND_NULL || (in.is_const && in.validity != NULL && in.validity[0] == 0)) {
      return SP_OK;
    }
    valid = in.is_const ? NULL : in.validity;
  }
  uint8_t *base = sp_agg_base(s);
  if (groups == NULL) {
    uint64_t k = n;
    if (valid != NULL && rows == NULL) {
      k = count_valid(valid, n);
    } else if (valid != NULL) {
      k = 0;
      for (uint32_t i = 0; i < n; i++) {
        k += valid[rows[i]];
      }
    }
    add(s, 0, k);
  } else if (valid == NULL) {
    for (uint32_t i = 0; i < n; i++) {
      ++*(uint64_t *)(void *)(base + (size_t)groups[i] * s->stride);
    }
  } else {
    for (uint32_t i = 0; i < n; i++) {
      *(uint64_t *)(void *)(base + (size_t)groups[i] * s->stride) += valid[rows != NULL ? rows[i] : i];
    }
  }
  return SP_OK;
}

static sp_status merge(const sp_agg *a, sp_mem *mem, const sp_agg_states *src, uint32_t n,
                       const uint32_t *map, const sp_agg_states *dst, sp_error *err) {
  (void)a, (void)mem, (void)err;
  for (uint32_t i = 0; i < n; i++) {
    add(dst, sp_agg_target(map, i), *(const uint64_t *)sp_agg_at(src, i));
  }
  return SP_OK;
}

static sp_status finish(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n,
                        sp_column **ret, sp_error *err) {
  sp_column *c = sp_column_flat(mk, a->result, n, false);
  SP_TRY_ALLOC(err, c);
  int64_t *out = (int64_t *)(void *)c->values->data;
  for (uint32_t i = 0; i < n; i++) {
    out[i] = *(const int64_t *)sp_agg_at(s, from + i);
  }
  *ret = c;
  return SP_OK;
}

static const sp_aggregate_ops ops = {
    .state_size = state_size, .update = update, .merge = merge, .finish = finish};
const sp_function sp_function_count = {.name = "count",
                                       .summary =
                                           "count(x): how many values are not null; count(*): how many rows",
                                       .flags = SP_FN_AGGREGATE,
                                       .min_args = 0,
                                       .max_args = 1,
                                       .bind = bind,
                                       .aggregate = &ops};
