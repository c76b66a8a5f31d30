/* first(x), last(x): the value of the first and last row, null or not, by the rows' ordinals (source, batch,
 * row) and not by when they were added; any_value(x): some value that is not null, here the first. Null for
 * no row.
 *
 * Example: first over null, 1, 2 is null; last is 2; any_value is 1. */
#include "expr/aggregate.h"

typedef struct state {
  uint64_t source, seq;
  uint32_t row;
  uint8_t seen, valid;
  union {
    uint8_t value[16];
    sp_agg_bytes text;
  };
} state;

static uint32_t state_size(const sp_agg *a) {
  (void)a;
  return (sizeof(state) + 15) / 16 * 16;
}

static int compare(const state *s, uint64_t source, uint64_t seq, uint32_t row) {
  if (s->source != source) {
    return s->source < source ? -1 : 1;
  }
  if (s->seq != seq) {
    return s->seq < seq ? -1 : 1;
  }
  return (s->row > row) - (s->row < row);
}

static bool is_last(const sp_agg *a) {
  return a->fn == &sp_function_last;
}

/* Is a row at this place wanted rather than what the state holds? */
static bool beats(const sp_agg *a, const state *s, uint64_t source, uint64_t seq, uint32_t row) {
  if (s->seen == 0) {
    return true;
  }
  const int c = compare(s, source, seq, row);
  return is_last(a) ? c < 0 : c > 0;
}

static bool keep(const sp_agg *a, sp_mem *mem, state *s, const void *value) {
  s->seen = 1;
  s->valid = value != NULL;
  if (value == NULL) {
    return true;
  }
  if (sp_type_is_bytes(a->arg)) {
    const sp_view *v = value;
    return sp_agg_bytes_set(&s->text, mem, sp_view_ptr(v), v->n);
  }
  memcpy(s->value, value, a->arg->width);
  return true;
}

static sp_status update(const sp_agg *a, sp_mem *mem, const sp_column *const *args, const uint16_t *rows,
                        uint32_t n, const uint32_t *groups, const sp_agg_states *s, uint64_t source,
                        uint64_t seq, sp_error *err) {
  const sp_reader in = sp_column_reader(args[0]);
  const bool nulls_count = a->fn != &sp_function_any_value;
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t row = rows != NULL ? rows[i] : i;
    const bool valid = sp_reader_valid(&in, row);
    state *st = sp_agg_at(s, groups != NULL ? groups[i] : 0);
    if ((!valid && !nulls_count) || !beats(a, st, source, seq, row)) {
      continue;
    }
    const void *value =
        valid ? (const uint8_t *)in.data + (size_t)sp_reader_index(&in, row) * a->arg->width : NULL;
    if (!keep(a, mem, st, value)) {
      return sp_error_nomem(err);
    }
    st->source = source;
    st->seq = seq;
    st->row = row;
  }
  return SP_OK;
}

static sp_status merge(const sp_agg *a, sp_mem *mem, const sp_agg_states *src, uint32_t n,
                       const uint32_t *map, const sp_agg_states *dst, sp_error *err) {
  (void)err;
  for (uint32_t i = 0; i < n; i++) {
    state *from = sp_agg_at(src, i), *to = sp_agg_at(dst, sp_agg_target(map, i));
    if (from->seen != 0 && beats(a, to, from->source, from->seq, from->row)) {
      if (sp_type_is_bytes(a->arg)) {
        sp_agg_bytes_free(&to->text, mem);
      }
      *to = *from; /* the string moves */
      *from = (state){0};
    }
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
    const state *st = sp_agg_at(s, from + i);
    uint8_t *slot = c->values->data + (size_t)i * a->result->width;
    c->validity->data[i] = st->valid;
    if (st->valid != 0 && sp_type_is_bytes(a->arg)) {
      const sp_status status = sp_agg_put_bytes(&heap, (sp_view *)(void *)slot, st->text.p, st->text.n, err);
      if (status != SP_OK) {
        sp_column_unref(c);
        return status;
      }
    } else if (st->valid != 0) {
      memcpy(slot, st->value, a->result->width);
    }
  }
  *ret = sp_agg_done(c);
  return SP_OK;
}

static void destroy(const sp_agg *a, sp_mem *mem, const sp_agg_states *s, uint32_t n) {
  for (uint32_t i = 0; sp_type_is_bytes(a->arg) && i < n; i++) {
    sp_agg_bytes_free(&((state *)sp_agg_at(s, i))->text, mem);
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
#define POSITIONAL(NAME, FLAGS, SUMMARY)                                                                     \
  const sp_function sp_function_##NAME = {.name = #NAME,                                                     \
                                          .summary = SUMMARY,                                                \
                                          .flags = SP_FN_AGGREGATE | FLAGS,                                  \
                                          .min_args = 1,                                                     \
                                          .max_args = 1,                                                     \
                                          .bind = bind,                                                      \
                                          .aggregate = &ops};
POSITIONAL(first, SP_FN_ORDERED, "first(x): the first row's value, null or not")
POSITIONAL(last, SP_FN_ORDERED, "last(x): the last row's value, null or not")
POSITIONAL(any_value, SP_FN_DISTINCT_FREE, "any_value(x): some value that is not null")
