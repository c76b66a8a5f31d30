/* Batches: selections, slices, compaction, ordinals, charges. */
#include "columns.h"

static sp_mem mem;
static sp_maker mk;

static int setup(void **state) {
  (void)state;
  sp_mem_init(&mem, NULL, "test");
  mk = (sp_maker){.mem = &mem, .pool = sp_pool_new(&mem)};
  return mk.pool == NULL;
}

static int teardown(void **state) {
  (void)state;
  sp_pool_unref(mk.pool);
  assert_int_equal(mem.live, 0);
  sp_mem_release(&mem);
  return 0;
}

static const sp_encoding encodings[] = {SP_FLAT, SP_DICT, SP_CONST, SP_SEQUENCE};

/* A batch of four columns of 64-bit integers and one of strings; want[i] are the values of column i. */
static sp_batch *make(sp_value *want[5]) {
  sp_batch *b = sp_batch_new(&mem, 5, 100);
  for (uint32_t i = 0; i < 5; i++) {
    want[i] = NULL;
  }
  for (uint32_t i = 0; i < 5 && b != NULL; i++) {
    made d = made_new(mk, sp_type_of(i == 4 ? SP_KIND_STRING : SP_KIND_INT64),
                      i == 4 ? SP_FLAT : encodings[i], 100, i == 0, i);
    b->cols[i] = d.c;
    want[i] = d.want;
    if (d.c == NULL) {
      b = sp_batch_unref(b);
    }
  }
  if (b != NULL) {
    b->source = 7;
    b->seq = 9;
  }
  return b;
}

static void release(sp_value *want[5]) {
  for (uint32_t i = 0; i < 5; i++) {
    free(want[i]);
  }
}

static sp_buf *every_third(uint32_t *ret_n) {
  sp_buf *b = sp_buf_new(mk.pool, &mem, 100 * sizeof(uint16_t));
  if (b != NULL) {
    uint16_t *sel = (uint16_t *)(void *)b->data;
    *ret_n = 0;
    for (uint16_t i = 0; i < 100; i += 3) {
      sel[(*ret_n)++] = i;
    }
  }
  return b;
}

static void a_selection_shares_the_columns(void **state) {
  (void)state;
  sp_value *want[5];
  sp_batch *b = make(want);
  uint32_t n = 0;
  sp_buf *sel = every_third(&n);
  sp_batch *s = sp_batch_select(&mem, b, sel, n);
  assert_int_equal(s->length, 100);
  assert_int_equal(s->n_rows, 34);
  assert_ptr_equal(s->sel, sel->data);
  assert_int_equal(s->source, 7);
  assert_int_equal(s->seq, 9);
  for (uint32_t i = 0; i < 5; i++) {
    assert_ptr_equal(s->cols[i], b->cols[i]);
  }
  assert_null(sp_batch_unref(b));
  check_rows(s->cols[4], want[4], NULL, 100);
  sp_batch_unref(s);
  release(want);
}

static void compacting_leaves_the_selected_rows(void **state) {
  (void)state;
  sp_value *want[5];
  sp_batch *b = make(want);
  uint32_t n = 0, rows[100];
  sp_buf *sel = every_third(&n);
  sp_batch *s = sp_batch_select(&mem, b, sel, n);
  int64_t bytes = 0;
  for (uint32_t i = 0; i < n; i++) {
    rows[i] = s->sel[i];
    bytes += 4 * 8 + 1 + (int64_t)want[4][rows[i]].s.n;
  }
  assert_int_equal(sp_batch_bytes(s), bytes);
  sp_batch *c = sp_batch_compact(mk, s);
  sp_batch *same = sp_batch_compact(mk, c);
  assert_ptr_equal(c, same);
  sp_batch_unref(same);
  sp_batch_unref(b);
  sp_batch_unref(s);
  assert_null(c->sel);
  assert_int_equal(c->length, n);
  assert_int_equal(c->n_rows, n);
  assert_int_equal(c->source, 7);
  assert_int_equal(c->seq, 9);
  for (uint32_t i = 0; i < 5; i++) {
    check_rows(c->cols[i], want[i], rows, n);
  }
  sp_batch_unref(c);
  release(want);
}

static void slices_count_rows_that_are_meant(void **state) {
  (void)state;
  sp_value *want[5];
  sp_batch *b = make(want);
  sp_batch *all = sp_batch_slice(mk, b, 0, 100), *part = sp_batch_slice(mk, b, 40, 10),
           *none = sp_batch_slice(mk, b, 100, 0);
  assert_ptr_equal(all, b);
  assert_null(part->sel);
  assert_int_equal(part->n_rows, 10);
  assert_int_equal(none->n_rows, 0);
  for (uint32_t i = 0; i < 5; i++) {
    check_rows(part->cols[i], want[i] + 40, NULL, 10);
  }
  uint32_t n = 0;
  sp_buf *sel = every_third(&n);
  sp_batch *s = sp_batch_select(&mem, b, sel, n);
  sp_batch *t = sp_batch_slice(mk, s, 5, 2), *u = sp_batch_slice(mk, t, 1, 1);
  sp_batch_unref(s);
  sp_batch_unref(t);
  assert_int_equal(u->n_rows, 1);
  assert_int_equal(u->length, 100);
  assert_int_equal(u->sel[0], 18);
  assert_int_equal(u->seq, 9);
  sp_batch *c = sp_batch_compact(mk, u);
  const uint32_t row = 18;
  check_rows(c->cols[4], want[4], &row, 1);
  sp_batch_unref(c);
  sp_batch_unref(u);
  sp_batch_unref(all);
  sp_batch_unref(part);
  sp_batch_unref(none);
  sp_batch_unref(b);
  release(want);
}

static void no_columns_are_rows_too(void **state) {
  (void)state;
  sp_batch *b = sp_batch_new(&mem, 0, 42);
  assert_int_equal(sp_batch_bytes(b), 0);
  sp_batch *s = sp_batch_slice(mk, b, 2, 5);
  assert_int_equal(s->n_rows, 5);
  sp_batch_unref(s);
  sp_batch_unref(b);
  assert_null(sp_batch_unref(NULL));
}

static void charging_moves_columns_and_selection(void **state) {
  (void)state;
  sp_mem join;
  sp_mem_init(&join, &mem, "join");
  sp_value *want[5];
  sp_batch *b = make(want);
  uint32_t n = 0;
  sp_buf *sel = every_third(&n);
  sp_batch *s = sp_batch_select(&mem, b, sel, n);
  sp_batch_unref(b);
  sp_batch_charge(s, &join);
  assert_ptr_equal(sel->holder, &join);
  assert_true(join.live > 2000);
  sp_batch_unref(s);
  assert_int_equal(join.live, 0);
  sp_mem_release(&join);
  release(want);
}

static bool batch_some(void) {
  sp_value *want[5];
  sp_batch *b = make(want), *s = NULL, *c = NULL, *d = NULL, *e = NULL;
  uint32_t n = 0;
  sp_buf *sel = b != NULL ? every_third(&n) : NULL;
  if (sel != NULL) {
    s = sp_batch_select(&mem, b, sel, n);
    c = s != NULL ? sp_batch_slice(mk, s, 1, 3) : NULL;
    d = s != NULL ? sp_batch_compact(mk, s) : NULL;
    e = sp_batch_slice(mk, b, 10, 10);
  }
  const bool ok = c != NULL && d != NULL && e != NULL;
  sp_batch_unref(b);
  sp_batch_unref(s);
  sp_batch_unref(c);
  sp_batch_unref(d);
  sp_batch_unref(e);
  release(want);
  sp_pool_trim(mk.pool);
  return ok;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const int64_t idle = mem.live; /* the pool itself */
  bool done = false;
  for (int64_t at = 0; !done; at++) {
    assert_in_range(at, 0, 10000);
    sp_mem_fail_at(at);
    const bool ok = batch_some();
    done = !sp_mem_fail_fired();
    sp_mem_fail_at(-1);
    assert_int_equal(ok, done);
    assert_int_equal(mem.live, idle);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_selection_shares_the_columns, setup, teardown),
      cmocka_unit_test_setup_teardown(compacting_leaves_the_selected_rows, setup, teardown),
      cmocka_unit_test_setup_teardown(slices_count_rows_that_are_meant, setup, teardown),
      cmocka_unit_test_setup_teardown(no_columns_are_rows_too, setup, teardown),
      cmocka_unit_test_setup_teardown(charging_moves_columns_and_selection, setup, teardown),
      cmocka_unit_test_setup_teardown(every_allocation_may_fail, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
