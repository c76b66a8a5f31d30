/* Streaming operators and the core below them, over rows written in the plan: every way of running gives the
 * same rows. */
#include "plans.h"

static void values_and_filter(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64, s string", "1,x;2,null;3,a string longer than twelve;null,y");
  t_output(&t, t_filter(&t, "f", v, "a > 1"));
  t_expect(&t, "2,null;3,a string longer than twelve");
  t_end(&t);
}

static void nothing_at_all(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64", "");
  t_output(&t, t_filter(&t, "f", v, "a > 1"));
  t_expect(&t, "");
  t_end(&t);
}

static void select_and_with_columns(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_values(&t, "v", "a int64, b int64", "1,10;2,20;3,null");
  sp_node *w = t_project(&t, "with_columns", "w", v, "a + 1 AS a; a * 2 AS c");
  sp_node *f = t_filter(&t, "f", w, "a <> 3");
  t_output(&t, t_project(&t, "select", "s", f, "c; a; a + b AS sum"));
  t_expect(&t, "2,2,12;6,4,null");
  t_end(&t);
}

static char *numbers_text(t_plan *t, uint32_t from, uint32_t to, uint32_t step) {
  sp_str s;
  sp_str_init(&s, &t->mem, 1 << 24);
  for (uint32_t i = from; i < to; i += step) {
    sp_str_addf(&s, "%s%u", s.n > 0 ? ";" : "", i);
  }
  char *r = sp_arena_strdup(&t->arena, s.p);
  sp_str_release(&s);
  return r;
}

static void order_is_kept(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *f = t_filter(&t, "f", t_numbers(&t, "v", 2000), "m = 0");
  t_output(&t, t_project(&t, "select", "s", f, "i"));
  t_expect(&t, numbers_text(&t, 0, 2000, 7));
  t_end(&t);
}

static void slices(void **state) {
  (void)state;
  static const struct {
    int64_t offset, length;
    uint32_t from, to;
  } cases[] = {{0, 10, 0, 10},    {995, 100, 995, 1000},  {0, 0, 0, 0},        {3, -1, 3, 1000},
               {2000, 5, 0, 0},   {-3, 2, 997, 999},      {-3, -1, 997, 1000}, {-1000, 5, 0, 5},
               {-1010, 15, 0, 5}, {-2000, 5, 0, 0},       {500, 1, 500, 501},  {-1, 1, 999, 1000},
               {7, 14, 7, 21},    {1, INT64_MAX, 1, 1000}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    t_plan t;
    t_begin(&t);
    sp_node *s = t_slice(&t, "sl", t_numbers(&t, "v", 1000), cases[i].offset, cases[i].length);
    t_output(&t, t_project(&t, "select", "s", s, "i"));
    t_expect(&t, numbers_text(&t, cases[i].from, cases[i].to, 1));
    t_end(&t);
  }
}

static void slice_of_slices(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *f = t_filter(&t, "f", t_slice(&t, "a", t_numbers(&t, "v", 1000), 100, 500), "m <> 1");
  sp_node *s = t_slice(&t, "c", t_slice(&t, "b", f, -300, 200), 10, 5);
  t_output(&t, t_project(&t, "select", "s", s, "i"));
  t_resolve(&t);
  char *first = NULL;
  for (size_t h = 0; h < T_HOWS; h++) {
    sp_run *run = t_run_how(&t, h);
    assert_int_equal(run->results[0].rows, 5);
    sp_str text;
    sp_str_init(&text, &t.mem, 1000);
    t_text(&run->results[0], &text);
    if (first == NULL) {
      first = sp_arena_strdup(&t.arena, text.p);
    }
    assert_string_equal(text.p, first);
    sp_str_release(&text);
    sp_run_free(run);
  }
  t_end(&t);
}

static void row_index(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *f = t_filter(&t, "f", t_numbers(&t, "v", 50), "m = 3");
  sp_row_index_node *x = (sp_row_index_node *)t_node(&t, "with_row_index", "x", 1, &f);
  x->offset = 5;
  sp_node *xs = &x->base;
  t_output(&t, t_project(&t, "select", "s", xs, "index; i"));
  t_expect(&t, "5,3;6,10;7,17;8,24;9,31;10,38;11,45");
  t_end(&t);
}

static void union_in_order(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *a = t_slice(&t, "sa", t_numbers(&t, "a", 300), 290, 100);
  sp_node *b = t_filter(&t, "fb", t_numbers(&t, "b", 100), "i > 95");
  sp_node *c = t_slice(&t, "sc", t_numbers(&t, "c", 100), -2, 2);
  sp_node *in[] = {a, b, c};
  sp_node *u = t_union(&t, "u", 3, in);
  sp_node *s = t_slice(&t, "s", u, 8, 7);
  t_output(&t, t_project(&t, "select", "p", s, "i"));
  t_expect(&t, "298;299;96;97;98;99;98");
  t_end(&t);
}

static void union_brings_columns_in_line(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *in[] = {t_values(&t, "a", "x int64, y string", "1,a"),
                   t_values(&t, "b", "z int64, x int32", "5,2")};
  sp_union_node *u = (sp_union_node *)t_union(&t, "u", 2, in);
  u->how = SP_UNION_DIAGONAL;
  t_output(&t, &u->base);
  t_expect(&t, "1,a,null;2,null,5");
  t_end(&t);
}

static void zero_columns(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  t_output(&t, t_project(&t, "select", "p", t_numbers(&t, "v", 10), ""));
  t_resolve(&t);
  for (size_t h = 0; h < T_HOWS; h++) {
    sp_run *run = t_run_how(&t, h);
    assert_int_equal(run->results[0].rows, 10);
    sp_run_free(run);
  }
  t_end(&t);
}

/* Longer than what is pushed through in one go. */
static void a_long_chain(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *n = t_numbers(&t, "v", 30);
  for (int i = 0; i < 400; i++) {
    n = t_project(&t, "with_columns", sp_arena_printf(&t.arena, "w%d", i), n, "m + 1 AS m");
  }
  t_output(&t, t_slice(&t, "s", n, 7, 2));
  t_expect(&t, "7,400;8,401");
  t_end(&t);
}

/* Under a small memory limit little may wait for its turn: workers ahead of it sleep. */
static void little_may_wait(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v =
      t_project(&t, "with_columns", "p", t_numbers(&t, "v", 60000), "i * 2 AS j; i * 3 AS k; i % 5 AS l");
  sp_node *x = t_node(&t, "with_row_index", "x", 1, &v);
  t_output(&t, t_filter(&t, "f", x, "index <> i"));
  t_resolve(&t);
  for (int round = 0; round < 20; round++) {
    sp_exec_options o;
    sp_exec_options_init(&o);
    o.threads = 4;
    o.batch_rows = 100;
    o.memory_limit = 800000;
    sp_run *run = NULL;
    sp_error err = SP_ERROR_INIT;
    if (sp_exec_run(t.plan, &o, &t.mem, &run, &err) != SP_OK) {
      fail_msg("%s", err.message);
    }
    assert_int_equal(run->results[0].rows, 0);
    assert_int_equal(run->metrics[t_index(&t, "x")].v[SP_METRIC_output_rows], 60000);
    sp_run_free(run);
  }
  t_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_and_filter),
      cmocka_unit_test(nothing_at_all),
      cmocka_unit_test(select_and_with_columns),
      cmocka_unit_test(order_is_kept),
      cmocka_unit_test(slices),
      cmocka_unit_test(slice_of_slices),
      cmocka_unit_test(row_index),
      cmocka_unit_test(union_in_order),
      cmocka_unit_test(union_brings_columns_in_line),
      cmocka_unit_test(zero_columns),
      cmocka_unit_test(a_long_chain),
      cmocka_unit_test(little_may_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
