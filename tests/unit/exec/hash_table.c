/* Tables from keys to ids, bitmaps with ranks and the grouper, against plain loops; every allocation failing.
 */
#include "plans.h"
#include "rows.h"

#include "exec/bitmap_rank.h"
#include "exec/grouper_impl.h"

/* ---- words ---- */

static void words_get_dense_ids(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_word_table t = {.mem = &mem};
  static const uint64_t keys[] = {7, 9, 7, UINT64_MAX, 0, 9};
  uint32_t ids[6];
  uint32_t fresh[6];
  uint32_t n_fresh;
  uint32_t next = 0;
  sp_word_table_find(&t, keys, 6, ids);
  for (uint32_t i = 0; i < 6; i++) {
    assert_int_equal(ids[i], SP_NO_ID);
  }
  assert_true(sp_word_table_add(&t, keys, 6, ids, &next, fresh, &n_fresh));
  static const uint32_t want[] = {0, 1, 0, 2, 3, 1};
  static const uint32_t want_fresh[] = {0, 1, 3, 4};
  assert_memory_equal(ids, want, sizeof want);
  assert_int_equal(n_fresh, 4);
  assert_memory_equal(fresh, want_fresh, sizeof want_fresh);
  sp_word_table_release(&t);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static void many_words(void **state) {
  (void)state;
  enum { N = 100000 };
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_word_table t = {.mem = &mem};
  uint64_t *keys = malloc(N * sizeof *keys);
  uint32_t *ids = malloc(N * sizeof *ids);
  uint32_t *fresh = malloc(N * sizeof *fresh);
  uint32_t n_fresh;
  uint32_t next = 0;
  for (uint32_t i = 0; i < N; i++) {
    keys[i] = (uint64_t)(i % 50021) * 8; /* regular keys, each about twice */
  }
  assert_true(sp_word_table_add(&t, keys, N, ids, &next, fresh, &n_fresh));
  assert_int_equal(next, 50021);
  assert_int_equal(n_fresh, 50021);
  for (uint32_t i = 0; i < N; i++) {
    assert_int_equal(ids[i], i % 50021);
    keys[i] += i % 2; /* odd ones are not there */
  }
  sp_word_table_find(&t, keys, N, ids);
  for (uint32_t i = 0; i < N; i++) {
    assert_int_equal(ids[i], i % 2 == 0 ? i % 50021 : SP_NO_ID);
  }
  free(keys);
  free(ids);
  free(fresh);
  sp_word_table_release(&t);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

/* ---- bitmaps ---- */

static void bitmap_and_rank(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_bitmap_rank b;
  assert_true(sp_bitmap_rank_init(&b, &mem, 200));
  static const uint64_t set[] = {3, 199, 64, 3, 200, UINT64_MAX}; /* the last two are past the range */
  sp_bitmap_rank_set(&b, set, 6);
  uint32_t n;
  assert_true(sp_bitmap_rank_count(&b, &n));
  assert_int_equal(n, 3);
  static const uint64_t find[] = {0, 3, 63, 64, 65, 199, 200, UINT64_MAX};
  static const uint32_t want[] = {SP_NO_ID, 0, SP_NO_ID, 1, SP_NO_ID, 2, SP_NO_ID, SP_NO_ID};
  uint32_t ids[8];
  sp_bitmap_rank_find(&b, find, 8, ids);
  assert_memory_equal(ids, want, sizeof want);
  assert_true(sp_bitmap_rank_any(&b, 0, 3));
  assert_false(sp_bitmap_rank_any(&b, 0, 2));
  assert_false(sp_bitmap_rank_any(&b, 4, 63));
  assert_true(sp_bitmap_rank_any(&b, 4, 64));
  assert_false(sp_bitmap_rank_any(&b, 65, 198));
  assert_true(sp_bitmap_rank_any(&b, 65, UINT64_MAX));
  assert_false(sp_bitmap_rank_any(&b, 200, UINT64_MAX));
  assert_false(sp_bitmap_rank_any(&b, 100, 50));
  sp_bitmap_rank_release(&b);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

/* ---- the grouper ---- */

typedef struct shape { /* of the keys that are fed */
  uint64_t range;      /* of the integers; grows with the batches when `grows` */
  bool two, strings, codes, grows;
  sp_grouper_mode mode; /* expected in the end */
} shape;

static sp_column *ints(sp_maker mk, t_random *r, uint32_t n, uint64_t range) {
  sp_column *c = sp_column_flat(mk, sp_type_of(SP_KIND_INT64), n, true);
  if (c != NULL) {
    int64_t *v = (int64_t *)(void *)c->values->data;
    for (uint32_t i = 0; i < n; i++) {
      v[i] = (int64_t)t_next(r, range) - (int64_t)(range / 2);
      c->validity->data[i] = t_next(r, 10) != 0;
    }
  }
  return c;
}

static const char *const names[] = {"", "x", "exactly 12 b", "a long string, number one",
                                    "a long string, number two"};

static sp_column *strings(sp_maker mk, t_random *r, uint32_t n, bool codes) {
  sp_column *c = sp_column_flat(mk, sp_type_of(SP_KIND_STRING), codes ? 5 : n, !codes);
  for (uint32_t i = 0; c != NULL && i < c->length; i++) {
    const char *s = names[codes ? i : t_next(r, 5)];
    ((sp_view *)(void *)c->values->data)[i] = sp_view_make(s, (uint32_t)strlen(s));
    if (!codes) {
      c->validity->data[i] = t_next(r, 10) != 0;
    }
  }
  if (c == NULL || !codes) {
    return c;
  }
  sp_buf *b = sp_buf_new(mk.pool, mk.mem, n * sizeof(uint32_t));
  sp_column *d = NULL;
  if (b != NULL) {
    b->size = n * sizeof(uint32_t);
    for (uint32_t i = 0; i < n; i++) {
      ((uint32_t *)(void *)b->data)[i] = (uint32_t)t_next(r, 5);
    }
    d = sp_column_dict(mk, c, 0, b, NULL, n);
  }
  sp_column_unref(c);
  return d;
}

/* Feeds batches; checks that equal keys have equal ids and others others by looking at the store. */
static sp_status feed(sp_mem *mem, const shape *s, uint32_t n_batches, bool check) {
  enum { N = 3000 };
  const sp_maker mk = {.mem = mem};
  sp_arena a;
  sp_arena_init(&a, mem);
  const sp_type *types[2] = {sp_type_of(s->strings ? SP_KIND_STRING : SP_KIND_INT64),
                             sp_type_of(SP_KIND_INT64)};
  const sp_key_layout *l = sp_key_layout_new(&a, types, s->two ? 2 : 1);
  sp_grouper g = {.mode = SP_GROUPER_NEW};
  bool ok = l != NULL && sp_grouper_init(&g, l, mk, 16, true);
  t_random r = {s->range};
  static uint32_t ids[N];
  for (uint32_t b = 0; b < n_batches && ok; b++) {
    const uint64_t range = s->grows ? s->range << (b * 3) : s->range;
    sp_column *cols[2] = {s->strings ? strings(mk, &r, N, s->codes) : ints(mk, &r, N, range), NULL};
    cols[1] = s->two ? ints(mk, &r, N, range) : NULL;
    ok = cols[0] != NULL && (cols[1] != NULL || !s->two) &&
         sp_grouper_add(&g, (const sp_column *const *)cols, NULL, N, ids);
    for (uint32_t i = 0; i < N && ok && check; i++) {
      assert_true(ids[i] < g.store.n);
      uint64_t row[8];
      uint32_t found;
      sp_key_encode(l, (const sp_column *const *)cols, NULL, i, 1, row, l->words);
      assert_true(sp_key_eq(l, row, sp_key_store_row(&g.store, ids[i])));
      sp_grouper_find(&g, row, l->words, 1, &found);
      assert_int_equal(found, ids[i]);
    }
    sp_column_unref(cols[0]);
    sp_column_unref(cols[1]);
  }
  for (uint32_t i = 0; i < g.store.n && ok && check; i++) { /* no key twice */
    uint32_t found;
    sp_grouper_find(&g, sp_key_store_row(&g.store, i), g.store.stride / 8, 1, &found);
    assert_int_equal(found, i);
  }
  if (ok && check) {
    assert_int_equal(g.mode, s->mode);
  }
  sp_grouper_release(&g);
  sp_arena_release(&a);
  return ok ? SP_OK : SP_NOMEM;
}

static const shape shapes[] = {
    {.range = 100, .mode = SP_GROUPER_DIRECT},
    {.range = 100, .two = true, .mode = SP_GROUPER_DIRECT},
    {.range = UINT64_C(1) << 40, .mode = SP_GROUPER_PACKED},
    {.range = UINT64_C(1) << 28, .two = true, .mode = SP_GROUPER_PACKED},
    {.range = 50, .two = true, .grows = true, .mode = SP_GROUPER_PACKED},
    {.range = UINT64_C(1) << 63, .mode = SP_GROUPER_WORD},
    {.range = UINT64_C(1) << 62, .two = true, .mode = SP_GROUPER_ROWS},
    {.range = 9, .strings = true, .codes = true, .mode = SP_GROUPER_DIRECT},
    {.range = 9, .strings = true, .codes = true, .two = true, .mode = SP_GROUPER_DIRECT},
    {.range = UINT64_C(1) << 40, .strings = true, .codes = true, .two = true, .mode = SP_GROUPER_PACKED},
    {.range = 9, .strings = true, .two = true, .mode = SP_GROUPER_ROWS},
};

static void every_way_of_finding_groups(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    sp_mem mem;
    sp_mem_init(&mem, NULL, "test");
    assert_int_equal(feed(&mem, &shapes[i], 6, true), SP_OK);
    assert_int_equal(atomic_load(&mem.live), 0);
    sp_mem_release(&mem);
  }
}

static sp_status feed_failing(sp_mem *mem, void *ctx) {
  return feed(mem, ctx, 2, false);
}

static void failing_allocations(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    shape s = shapes[i];
    SP_TORTURE(feed_failing, &s);
  }
}

/* Strings that come flat after all are not looked up one by one forever. */
static void codes_that_become_flat(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  const sp_maker mk = {.mem = &mem};
  sp_arena a;
  sp_arena_init(&a, &mem);
  const sp_type *type = sp_type_of(SP_KIND_STRING);
  const sp_key_layout *l = sp_key_layout_new(&a, &type, 1);
  sp_grouper g;
  assert_true(sp_grouper_init(&g, l, mk, 0, true));
  t_random r = {1};
  static uint32_t ids[5000];
  for (uint32_t b = 0; b < 20; b++) {
    sp_column *c = strings(mk, &r, 5000, b == 0);
    assert_true(sp_grouper_add(&g, (const sp_column *const *)&c, NULL, 5000, ids));
    sp_column_unref(c);
  }
  assert_int_equal(g.mode, SP_GROUPER_ROWS);
  assert_int_equal(g.store.n, 6); /* five names and null */
  sp_grouper_release(&g);
  sp_arena_release(&a);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_get_dense_ids), cmocka_unit_test(many_words),
      cmocka_unit_test(bitmap_and_rank),     cmocka_unit_test(every_way_of_finding_groups),
      cmocka_unit_test(failing_allocations), cmocka_unit_test(codes_that_become_flat),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
