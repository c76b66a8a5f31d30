/* n_unique(x): how many different values there are, int64; nulls do not count, NaN equals itself, 0 for none.
 *
 * A state is a hash set of keys: numbers to 64 bits as they are (floats by their bits, -0.0 as 0.0), wider
 * values and strings by 128 bits of hash, so that strings need not be kept: two different ones meet with a
 * chance of n² in 2^129.
 *
 * Example: n_unique over 1, 2, 2, null is 2. */
#include "expr/aggregate.h"

typedef struct key {
  uint64_t lo, hi;
} key;

typedef struct state {
  void *slots;      /* cap keys, of 8 or 16 bytes; the empty key is all zero */
  uint64_t n;       /* keys in slots */
  uint32_t cap;     /* 0 or a power of two */
  uint8_t has_zero; /* the key that is all zero */
} state;

static bool is_wide(const sp_agg *a) {
  return a->arg->width > 8;
}
static size_t key_size(const sp_agg *a) {
  return is_wide(a) ? sizeof(key) : sizeof(uint64_t);
}

static uint32_t state_size(const sp_agg *a) {
  (void)a;
  return (sizeof(state) + 7) / 8 * 8;
}

static uint64_t float_key(double x) {
  uint64_t bits;
  x = x == 0 ? 0 : x != x ? (double)__builtin_nan("") : x;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static key key_of(const sp_type *t, const void *p) {
  key k = {0, 0};
  if (t->phys == SP_PHYS_VIEW) {
    const sp_view *v = p;
    sp_hasher h;
    sp_hasher_init(&h, 0);
    sp_hasher_bytes(&h, sp_view_ptr(v), v->n);
    const sp_hash128 d = sp_hasher_finish(&h);
    return (key){d.lo, d.hi};
  }
  if (t->phys == SP_PHYS_F64) {
    k.lo = float_key(*(const double *)p);
  } else if (t->phys == SP_PHYS_F32) {
    k.lo = float_key((double)*(const float *)p);
  } else {
    memcpy(&k, p, t->width);
  }
  return k;
}

static uint64_t hash_of(key k) {
  return sp_hash_combine(sp_hash_u64(k.lo), k.hi);
}

/* Without room for growth; k is not zero. True when it was not there. */
static bool put(state *st, bool wide, key k) {
  const uint32_t mask = st->cap - 1;
  if (wide) {
    key *slots = st->slots;
    for (uint64_t h = hash_of(k);; h++) {
      key *s = &slots[h & mask];
      if (s->lo == 0 && s->hi == 0) {
        *s = k;
        return true;
      }
      if (s->lo == k.lo && s->hi == k.hi) {
        return false;
      }
    }
  }
  uint64_t *slots = st->slots;
  for (uint64_t h = sp_hash_u64(k.lo);; h++) {
    uint64_t *s = &slots[h & mask];
    if (*s == 0) {
      *s = k.lo;
      return true;
    }
    if (*s == k.lo) {
      return false;
    }
  }
}

static key slot_at(const state *st, bool wide, uint32_t i) {
  return wide ? ((const key *)st->slots)[i] : (key){((const uint64_t *)st->slots)[i], 0};
}

static bool grow(const sp_agg *a, sp_mem *mem, state *st) {
  const bool wide = is_wide(a);
  if (st->cap > UINT32_MAX / 2) {
    return false;
  }
  state bigger = {.cap = st->cap == 0 ? 8 : st->cap * 2, .n = st->n, .has_zero = st->has_zero};
  bigger.slots = sp_mem_calloc(mem, bigger.cap * key_size(a));
  if (bigger.slots == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < st->cap; i++) {
    const key k = slot_at(st, wide, i);
    if (k.lo != 0 || k.hi != 0) {
      (void)put(&bigger, wide, k);
    }
  }
  sp_mem_free(mem, st->slots, st->cap * key_size(a));
  *st = bigger;
  return true;
}

static bool add(const sp_agg *a, sp_mem *mem, state *st, key k) {
  if (k.lo == 0 && k.hi == 0) {
    st->has_zero = 1;
    return true;
  }
  if (4 * (st->n + 1) > 3 * (uint64_t)st->cap && !grow(a, mem, st)) {
    return false;
  }
  st->n += put(st, is_wide(a), k);
  return true;
}

static sp_status update(const sp_agg *a, sp_mem *mem, const sp_column *const *args, const uint16_t *rows,
                        uint32_t n, const uint32_t *groups, const sp_agg_states *s, uint64_t source,
                        uint64_t seq, sp_error *err) {
  (void)source, (void)seq;
  const sp_agg_rows r = sp_agg_rows_of(args[0], rows, n, groups);
  const uint8_t *v = r.in.data;
  const size_t width = a->arg->width;
  SP_AGG_EACH(r, i, row, g, {
    if (!add(a, mem, sp_agg_at(s, g), key_of(a->arg, v + i * width))) {
      return sp_error_nomem(err);
    }
  });
  return SP_OK;
}

static sp_status merge(const sp_agg *a, sp_mem *mem, const sp_agg_states *src, uint32_t n,
                       const uint32_t *map, const sp_agg_states *dst, sp_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    state *from = sp_agg_at(src, i), *to = sp_agg_at(dst, sp_agg_target(map, i));
    if (to->cap == 0) { /* an empty set takes the other over */
      const uint8_t zero = to->has_zero;
      *to = *from;
      to->has_zero |= zero;
      *from = (state){0};
      continue;
    }
    to->has_zero |= from->has_zero;
    for (uint32_t k = 0; k < from->cap; k++) {
      const key x = slot_at(from, is_wide(a), k);
      if ((x.lo != 0 || x.hi != 0) && !add(a, mem, to, x)) {
        return sp_error_nomem(err);
      }
    }
  }
  return SP_OK;
}

static sp_status finish(const sp_agg *a, sp_maker mk, const sp_agg_states *s, uint32_t from, uint32_t n,
                        sp_column **ret, sp_error *err) {
  sp_column *c = sp_column_flat(mk, a->result, n, false);
  SP_TRY_ALLOC(err, c);
  int64_t *out = (int64_t *)(void *)c->values->data;
  for (uint32_t i = 0; i < n; i++) {
    const state *st = sp_agg_at(s, from + i);
    out[i] = (int64_t)(st->n + st->has_zero);
  }
  *ret = c;
  return SP_OK;
}

static void destroy(const sp_agg *a, sp_mem *mem, const sp_agg_states *s, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    state *st = sp_agg_at(s, i);
    sp_mem_free(mem, st->slots, st->cap * key_size(a));
    *st = (state){0};
  }
}

static sp_status bind(const sp_function *f, const sp_expr *const *args, uint32_t n, sp_arena *a,
                      sp_binding *ret, const sp_loc *loc, sp_error *err) {
  (void)n, (void)a;
  const uint32_t any = SP_TAKES_NUMBER | SP_TAKES_BOOL | SP_TAKES_BYTES | SP_TAKES_DATE | SP_TAKES_DATETIME |
                       SP_TAKES_TIME | SP_TAKES_DURATION;
  SP_TRY(sp_agg_bind(f, args, any, sp_int64_type(), ret, loc, err));
  ret->result = sp_int64_type();
  return SP_OK;
}

static const sp_aggregate_ops ops = {
    .state_size = state_size, .update = update, .merge = merge, .finish = finish, .destroy = destroy};
const sp_function sp_function_n_unique = {.name = "n_unique",
                                          .summary =
                                              "n_unique(x): how many different values; nulls do not count",
                                          .flags = SP_FN_AGGREGATE | SP_FN_DISTINCT_FREE,
                                          .min_args = 1,
                                          .max_args = 1,
                                          .bind = bind,
                                          .aggregate = &ops};
