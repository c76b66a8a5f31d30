/* Runtime filters of a join: probe rows that cannot match are dropped by the scan they come from, before it
 * decodes other columns; row groups whose range holds no key of the build are not read.
 *
 * Only where a probe row without match is dropped anyhow (inner, semi, mark), and for keys that are plain
 * integer-like columns of the probe side. One key: its range and the index itself as a set. Several: each
 * key's range.
 *
 * A filter that lets most rows pass costs more than it saves: it is then asked only now and then, whether
 * that is still so.
 *
 * Example: orders of one quarter are the build, l_orderkey the key: lineitem's scan tests a bit per row and
 * decodes 4 % of the other columns. */
#include "exec/operators/join/join.h"

#define CHUNK 512
#define LEARN_ROWS 32768    /* rows looked at before a filter is judged */
#define FORGET_ROWS 1048576 /* and after so many half of what was seen is forgotten */
#define ASK_EVERY 16
#define SET_MOST 65536 /* entries of a table that is still cheaper to ask than what follows */

typedef struct sp_join_filter {
  sp_runtime_filter base;
  const sp_join *j;
  uint32_t key;
  _Atomic uint64_t seen, passed, calls;
  struct sp_join_filter *link;
} sp_join_filter;

static bool null_passes(const sp_join_index *x, const sp_join_range *r) {
  return x->nulls_equal && r->nulls;
}

static bool may_match(const void *ctx, const sp_value *lo, const sp_value *hi) {
  const sp_join_filter *f = ctx;
  const sp_join_index *x = &f->j->index;
  const sp_join_range *r = &x->ranges[f->key];
  if (r->lo > r->hi) {
    return false;
  }
  const uint64_t from = sp_key_ordered_value(lo);
  const uint64_t to = sp_key_ordered_value(hi);
  if (to < r->lo || from > r->hi) {
    return false;
  }
  if (x->kind != SP_JOIN_INDEX_BITMAP || x->layout->n != 1) {
    return true;
  }
  return sp_bitmap_rank_any(&x->bitmap, (from > r->lo ? from : r->lo) - r->lo,
                            (to < r->hi ? to : r->hi) - r->lo);
}

/* Is the filter worth asking at all, for what it did so far? */
static bool is_useful(sp_join_filter *f) {
  const uint64_t seen = atomic_load_explicit(&f->seen, memory_order_relaxed);
  const uint64_t passed = atomic_load_explicit(&f->passed, memory_order_relaxed);
  const uint64_t calls = atomic_fetch_add_explicit(&f->calls, 1, memory_order_relaxed);
  return seen < LEARN_ROWS || passed < seen - seen / 4 || calls % ASK_EVERY == 0;
}

static void learn(sp_join_filter *f, uint32_t n, uint32_t passed) {
  const uint64_t seen = atomic_fetch_add_explicit(&f->seen, n, memory_order_relaxed) + n;
  const uint64_t all = atomic_fetch_add_explicit(&f->passed, passed, memory_order_relaxed) + passed;
  if (seen > FORGET_ROWS) {
    atomic_store_explicit(&f->seen, seen / 2, memory_order_relaxed);
    atomic_store_explicit(&f->passed, all / 2, memory_order_relaxed);
  }
}

static uint32_t pass_all(const uint16_t *sel, uint32_t n, uint16_t *out) {
  for (uint32_t i = 0; i < n && out != sel; i++) {
    out[i] = sel != NULL ? sel[i] : (uint16_t)i;
  }
  return n;
}

/* Which of the codes (value - lowest of the build) are keys: ok holds whether they are in range, and gets the
 * answer. */
static void test_codes(const sp_join_filter *f, const uint64_t *codes, uint32_t n, uint8_t *ok) {
  const sp_join_index *x = &f->j->index;
  if (x->layout->n != 1) {
    return;
  }
  if (x->kind == SP_JOIN_INDEX_BITMAP) {
    for (uint32_t i = 0; i < n; i++) {
      const uint64_t code = ok[i] != 0 ? codes[i] : 0;
      ok[i] &= (uint8_t)(x->bitmap.words[code >> 6] >> (code & 63) & 1);
    }
  } else if (x->kind == SP_JOIN_INDEX_WORDS && x->n_ids <= SET_MOST) {
    uint32_t ids[CHUNK];
    sp_word_table_find(&x->words, codes, n, ids);
    for (uint32_t i = 0; i < n; i++) {
      ok[i] &= ids[i] != SP_NO_ID;
    }
  }
}

static uint32_t rows(const void *ctx, const sp_column *col, const uint16_t *sel, uint32_t n, uint16_t *out) {
  sp_join_filter *f = (sp_join_filter *)(uintptr_t)ctx;
  const sp_join_index *x = &f->j->index;
  const sp_join_range *r = &x->ranges[f->key];
  if (!is_useful(f)) {
    return pass_all(sel, n, out);
  }
  const uint64_t lo = r->lo;
  const uint64_t span = r->lo <= r->hi ? r->hi - r->lo : 0;
  const uint8_t any = r->lo <= r->hi;
  const uint8_t null = null_passes(x, r);
  uint64_t codes[CHUNK];
  uint8_t valid[CHUNK];
  uint8_t ok[CHUNK];
  uint32_t kept = 0;
  for (uint32_t from = 0; from < n; from += CHUNK) {
    const uint32_t m = n - from < CHUNK ? n - from : CHUNK;
    const bool nulls = sp_key_ordered(col, sel, from, m, codes, valid);
    for (uint32_t i = 0; i < m; i++) {
      codes[i] -= lo;
      ok[i] = (codes[i] <= span) & any & valid[i];
    }
    test_codes(f, codes, m, ok);
    for (uint32_t i = 0; i < m && nulls; i++) {
      ok[i] |= (valid[i] == 0) & null;
    }
    for (uint32_t i = 0; i < m; i++) {
      out[kept] = sel != NULL ? sel[from + i] : (uint16_t)(from + i);
      kept += ok[i];
    }
  }
  learn(f, n, kept);
  return kept;
}

sp_status sp_join_offer_filters(sp_lower *l, uint32_t node, sp_join *j, sp_error *err) {
  const sp_join_node *n = (const sp_join_node *)sp_lower_plan(l)->nodes[node];
  const sp_items *keys = j->probe_side == 0 ? &n->left_on : &n->right_on;
  const sp_schema *in = sp_node_input_schema(sp_lower_plan(l), &n->base, j->probe_side);
  const bool drops = j->kind == SP_PROBE_INNER || j->kind == SP_PROBE_SEMI || j->kind == SP_PROBE_MARK;
  if (!drops || !j->index.ints) {
    return SP_OK;
  }
  for (uint32_t i = 0; i < keys->n; i++) {
    sp_sv name;
    const int32_t column = sp_expr_is_column(keys->items[i].expr, &name) ? sp_schema_find(in, name) : -1;
    if (column < 0) {
      continue;
    }
    sp_join_filter *f = SP_ARENA_NEW(sp_lower_arena(l), sp_join_filter);
    SP_TRY_ALLOC(err, f);
    f->base = (sp_runtime_filter){
        .owner = j->build_op, .ctx = f, .wants_null = n->nulls_equal, .may_match = may_match, .rows = rows};
    f->j = j;
    f->key = i;
    if (sp_lower_offer_filter(l, node, j->probe_side, (uint32_t)column, &f->base)) {
      f->link = j->filters;
      j->filters = f;
    }
  }
  return SP_OK;
}

/* They stay ready: every scan that has one feeds the probe, and so none runs when the index goes. */
void sp_join_ready_filters(sp_join *j) {
  for (sp_join_filter *f = j->filters; f != NULL; f = f->link) {
    atomic_store_explicit(&f->base.ready, true, memory_order_release);
  }
}
