/* min(x), max(x): the least and greatest value in the order of comparisons; null for none. NaN is the
 * greatest number, so min gives it only when all are.
 *
 * States hold a 64-bit key whose order is that of the values: integers as they are, floats with their bits
 * turned so that -0.0 comes just before 0.0 and the result does not depend on which of them came first.
 * Decimals over 18 digits hold 128 bits, strings their own bytes.
 *
 * Example: max over 2.0, NaN is NaN; min over 'b', 'a', null is 'a'. */
#include "expr/aggregate.h"

typedef struct key_state {
  union {
    int64_t i;
    uint64_t u;
  };
  uint64_t seen;
} key_state;
typedef struct wide_state {
  sp_i128 v;
  uint64_t seen, pad;
} wide_state;
typedef struct bytes_state {
  sp_agg_bytes s;
  uint64_t seen;
} bytes_state;

/* By integers alone, so that the loops vectorise: comparing doubles may trap. */
static inline int64_t float_key(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int64_t key = bits ^ ((bits >> 63) & INT64_MAX);
  return (bits & INT64_MAX) > INT64_C(0x7ff0000000000000) ? INT64_MAX : key; /* NaN */
}

static double key_float(int64_t key) {
  if (key == INT64_MAX) {
    return (double)__builtin_nan("");
  }
  key ^= (key >> 63) & INT64_MAX;
  double x;
  memcpy(&x, &key, sizeof x);
  return x;
}

/* One loop per physical type; a whole batch into one group keeps its extreme in a register. */
#define EXTREME(suffix, T, K, STATE, MEMBER, KEY)                                                            \
  SP_CLONES static K least_##suffix(const T *v, uint32_t n) {                                                \
    K best = (K)KEY(v[0]);                                                                                   \
    for (uint32_t i = 1; i < n; i++) {                                                                       \
      const K x = (K)KEY(v[i]);                                                                              \
      best = x < best ? x : best;                                                                            \
    }                                                                                                        \
    return best;                                                                                             \
  }                                                                                                          \
  SP_CLONES static K greatest_##suffix(const T *v, uint32_t n) {                                             \
    K best = (K)KEY(v[0]);                                                                                   \
    for (uint32_t i = 1; i < n; i++) {                                                                       \
      const K x = (K)KEY(v[i]);                                                                              \
      best = x > best ? x : best;                                                                            \
    }                                                                                                        \
    return best;                                                                                             \
  }                                                                                                          \
  static inline void keep_##suffix(STATE *st, K x, bool greatest) {                                          \
    if (st->seen == 0 || (greatest ? x > st->MEMBER : x < st->MEMBER)) {                                     \
      st->MEMBER = x;                                                                                        \
      st->seen = 1;                                                                                          \
    }                                                                                                        \
  }                                                                                                          \
  static void update_##suffix(const sp_agg_rows *r, const sp_agg_states *s, bool greatest) {                 \
    const T *v = r->in.data;                                                                                 \
    uint8_t *base = sp_agg_base(s);                                                                          \
    const size_t stride = s->stride;                                                                         \
    if (r->plain && r->groups == NULL) {                                                                     \
      if (r->n > 0) {                                                                                        \
        keep_##suffix((STATE *)(void *)base,                                                                 \
                      greatest ? greatest_##suffix(v, r->n) : least_##suffix(v, r->n), greatest);            \
      }                                                                                                      \
      return;                                                                                                \
    }                                                                                                        \
    SP_AGG_EACH(*r, i, row, g,                                                                               \
                { keep_##suffix((STATE *)(void *)(base + g * stride), (K)KEY(v[i]), greatest); });           \
  }
#define SAME(x) (x)
#define FLOAT32_KEY(x) float_key((double)(x))
EXTREME(i8, int8_t, int64_t, key_state, i, SAME)
EXTREME(i16, int16_t, int64_t, key_state, i, SAME)
EXTREME(i32, int32_t, int64_t, key_state, i, SAME)
EXTREME(i64, int64_t, int64_t, key_state, i, SAME)
EXTREME(u8, uint8_t, uint64_t, key_state, u, SAME)
EXTREME(u16, uint16_t, uint64_t, key_state, u, SAME)
EXTREME(u32, uint32_t, uint64_t, key_state, u, SAME)
EXTREME(u64, uint64_t, uint64_t, key_state, u, SAME)
EXTREME(f32, float, int64_t, key_state, i, FLOAT32_KEY)
EXTREME(f64, double, int64_t, key_state, i, float_key)
EXTREME(i128, sp_i128, sp_i128, wide_state, v, SAME)

typedef void (*update_fn)(const sp_agg_rows *, const sp_agg_states *, bool);
static const update_fn updates[] = {
    [SP_PHYS_I8] = update_i8,   [SP_PHYS_I16] = update_i16,  [SP_PHYS_I32] = update_i32,
    [SP_PHYS_I64] = update_i64, [SP_PHYS_U8] = update_u8,    [SP_PHYS_U16] = update_u16,
    [SP_PHYS_U32] = update_u32, [SP_PHYS_U64] = update_u64,  [SP_PHYS_F32] = update_f32,
    [SP_PHYS_F64] = update_f64, [SP_PHYS_I128] = update_i128};

/* ---- strings ---- */
static bool keep_bytes(bytes_state *st, sp_mem *mem, const char *p, uint32_t n, bool greatest) {
  if (st->seen != 0) {
    const int c = sp_sv_cmp((sp_sv){p, n}, (sp_sv){st->s.p, st->s.n});
    if (greatest ? c <= 0 : c >= 0) {
      return true;
    }
  }
  st->seen = 1;
  return sp_agg_bytes_set(&st->s, mem, p, n);
}

static bool update_bytes(const sp_agg_rows *r, sp_mem *mem, const sp_agg_states *s, bool greatest) {
  const sp_view *v = r->in.data;
  SP_AGG_EACH(*r, i, row, g, {
    if (!keep_bytes(sp_agg_at(s, g), mem, sp_view_ptr(&v[i]), v[i].n, greatest)) {
      return false;
    }
  });
  return true;
}

/* ---- ops ---- */
static bool is_greatest(const sp_agg *a) {
  return a->fn == &sp_function_max;
}

static uint32_t state_size(const sp_agg *a) {
  return sp_type_is_bytes(a->arg)       ? (uint32_t)sizeof(bytes_state)
         : a->arg->phys == SP_PHYS_I128 ? (uint32_t)sizeof(wide_state)
                                        : (uint32_t)sizeof(key_state);
}

static sp_status update(const sp_agg *a, sp_mem *mem, const sp_column *const *args, const uint16_t *rows,
                        uint32_t n, const uint32_t *groups, const sp_agg_states *s, uint64_t source,
                        uint64_t seq, sp_error *err) {
  (void)source, (void)seq;
  const sp_agg_rows r = sp_agg_rows_of(args[0], rows, n, groups);
  if (sp_type_is_bytes(a->arg)) {
    return update_bytes(&r, mem, s, is_greatest(a)) ? SP_OK : sp_error_nomem(err);
  }
  updates[a->arg->phys](&r, s, is_greatest(a));
  return SP_OK;
}

static bool merge_one(const sp_agg *a, sp_mem *mem, const void *from, void *to) {
  const bool greatest = is_greatest(a);
  if (sp_type_is_bytes(a->arg)) {
    const bytes_state *x = from;
    return x->seen == 0 || keep_bytes(to, mem, x->s.p, x->s.n, greatest);
  }
  if (a->arg->phys == SP_PHYS_I128) {
    const wide_state *x = from;
    if (x->seen != 0) {
      keep_i128(to, x->v, greatest);
    }
    return true;
  }
  const key_state *x = from;
  if (x->seen != 0 && a->arg->family == SP_FAMILY_UNSIGNED) {
    keep_u64(to, x->u, greatest);
  } else if (x->seen != 0) {
    keep_i64(to, x->i, greatest);
  }
  return true;
}

static sp_status merge(const sp_agg *a, sp_mem *mem, const sp_agg_states *src, uint32_t n,
                       const uint32_t *map, const sp_agg_states *dst, sp_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    if (!merge_one(a, mem, sp_agg_at(src, i), sp_agg_at(dst, sp_agg_target(map, i)))) {
      return sp_error_nomem(err);
    }
  }
  return SP_OK;
}

static sp_status put(const sp_agg *a, sp_heap *h, const void *state, uint8_t *slot, uint8_t *valid,
                     sp_error *err) {
  if (sp_type_is_bytes(a->arg)) {
    const bytes_state *st = state;
    *valid = st->seen != 0;
    return *valid ? sp_agg_put_bytes(h, (sp_view *)(void *)slot, st->s.p, st->s.n, err) : SP_OK;
  }
  if (a->arg->phys == SP_PHYS_I128) {
    const wide_state *st = state;
    *valid = st->seen != 0;
    memcpy(slot, &st->v, sizeof st->v);
    return SP_OK;
  }
  const key_state *st = state;
  *valid = st->seen != 0;
  if (*valid && a->arg->phys == SP_PHYS_F64) {
    const double f = key_float(st->i);
    memcpy(slot, &f, sizeof f);
  } else if (*valid && a->arg->phys == SP_PHYS_F32) {
    const float f = (float)key_float(st->i);
    memcpy(slot, &f, sizeof f);
  } else {
    memcpy(slot, &st->i, a->result->width);
  }
  return SP_OK;
}

static sp_status finish(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n,
                        sp_column **ret, sp_error *err) {
  sp_column *c = sp_agg_out(mk, a->result, n);
  SP_TRY_ALLOC(err, c);
  sp_eval ev = {.mk = mk, .err = err};
  sp_heap heap = sp_heap_of(&ev, c);
  for (uint32_t i = 0; i < n; i++) {
    const sp_status st = put(a, &heap, sp_agg_at(s, from + i), c->values->data + (size_t)i * a->result->width,
                             &c->validity->data[i], err);
    if (st != SP_OK) {
      sp_column_unref(c);
      return st;
    }
  }
  *ret = sp_agg_done(c);
  return SP_OK;
}

static void destroy(const sp_agg *a, sp_mem *mem, const sp_agg_states *s, uint32_t n) {
  for (uint32_t i = 0; sp_type_is_bytes(a->arg) && i < n; i++) {
    bytes_state *st = sp_agg_at(s, i);
    sp_agg_bytes_free(&st->s, mem);
  }
}

static sp_status bind(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                      sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  const uint32_t any = SP_TAKES_NUMBER | SP_TAKES_BOOL | SP_TAKES_BYTES | SP_TAKES_DATE | SP_TAKES_DATETIME |
                       SP_TAKES_TIME | SP_TAKES_DURATION;
  return sp_agg_bind(f, args, any, sp_int64_type(), ret, loc, err);
}

static const sp_aggregate_ops ops = {
    .state_size = state_size, .update = update, .merge = merge, .finish = finish, .destroy = destroy};
const sp_function sp_function_min = {.name = "min",
                                     .summary = "min(x): the least value; NaN is greater than all numbers",
                                     .flags = SP_FN_AGGREGATE | SP_FN_DISTINCT_FREE,
                                     .min_args = 1,
                                     .max_args = 1,
                                     .bind = bind,
                                     .aggregate = &ops};
const sp_function sp_function_max = {.name = "max",
                                     .summary = "max(x): the greatest value; NaN is greater than all numbers",
                                     .flags = SP_FN_AGGREGATE | SP_FN_DISTINCT_FREE,
                                     .min_args = 1,
                                     .max_args = 1,
                                     .bind = bind,
                                     .aggregate = &ops};
