/* Runtime filters: what a join's build or a top_k's bound keeps a scan from reading changes how much is read
 * and nothing else. */
#include "plans.h"
#include "rows.h"

#include <unistd.h>

static bool has_data(void) {
  return access(SIGMAPI_TEST_DATA "/tpch-sf0.01/parquet/lineitem.parquet", R_OK) == 0;
}

static sp_node *scan(t_plan *t, const char *id, const char *table) {
  sp_scan_node *s = (sp_scan_node *)t_node(t, "scan_parquet", id, 0, NULL);
  const char **path = SP_ARENA_ARRAY(&t->arena, const char *, 1);
  path[0] = sp_arena_printf(&t->arena, "%s/tpch-sf0.01/parquet/%s.parquet", SIGMAPI_TEST_DATA, table);
  s->paths = (sp_strings){.n = 1, .items = path};
  return &s->base;
}

static sp_node *join(t_plan *t, const char *id, sp_join_how how, sp_node *left, sp_node *right,
                     const char *left_on, const char *right_on) {
  sp_node *in[2] = {left, right};
  sp_join_node *j = (sp_join_node *)t_node(t, "join", id, 2, in);
  j->how = (int)how;
  j->left_on = t_items(t, left_on);
  j->right_on = t_items(t, right_on);
  return &j->base;
}

static sp_node *sums(t_plan *t, sp_node *in, const char *aggs) {
  sp_group_by_node *g = (sp_group_by_node *)t_node(t, "group_by", "g", 1, &in);
  g->keys = t_items(t, "");
  g->aggs = t_items(t, aggs);
  return &g->base;
}

/* Runs with so many threads; the rows as text, and what the scan `id` gave out. */
static char *run(t_plan *t, uint32_t threads, const char *id, int64_t *ret_rows, bool *ret_cut) {
  if (t->plan == NULL) {
    t_resolve(t);
  }
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = threads;
  sp_run *r = NULL;
  sp_error err = SP_ERROR_INIT;
  if (sp_exec_run(t->plan, &o, &t->mem, &r, &err) != SP_OK) {
    fail_msg("%s", err.message);
  }
  sp_str s;
  sp_str_init(&s, &t->mem, 1 << 24);
  t_text(&r->results[0], &s);
  char *text = sp_arena_strdup(&t->arena, s.p != NULL ? s.p : "");
  sp_str_release(&s);
  *ret_rows = r->metrics[t_index(t, id)].v[SP_METRIC_output_rows];
  *ret_cut = r->cut[t_index(t, id)];
  sp_run_free(r);
  return text;
}

static void expect_same(t_plan *with, t_plan *without, const char *id) {
  for (uint32_t threads = 1; threads < 4; threads++) {
    int64_t few;
    int64_t all;
    bool cut;
    char *a = run(with, threads, id, &few, &cut);
    assert_true(cut);
    char *b = run(without, threads, id, &all, &cut);
    assert_string_equal(a, b);
    assert_true(few < all || few == 0); /* without build rows the probe stops its scan by itself */
  }
}

typedef struct join_case {
  sp_join_how how;
  const char *orders; /* which ones */
  bool both_keys;
} join_case;

/* An expression as a key can not be looked up in a scan: the plan without filter. */
static void make_join(t_plan *t, const join_case *c, bool with) {
  t_begin(t);
  sp_node *o = t_filter(t, "some", scan(t, "orders", "orders"), c->orders);
  sp_node *l = scan(t, "lines", "lineitem");
  sp_node *j =
      c->both_keys
          ? join(t, "j", c->how, l, o, with ? "l_orderkey; l_partkey" : "l_orderkey + 0; l_partkey + 0",
                 "o_orderkey; o_custkey")
          : join(t, "j", c->how, l, o, with ? "l_orderkey" : "l_orderkey + 0", "o_orderkey");
  t_output(t, sums(t, j, "count(*); sum(l_extendedprice) AS s; min(l_shipdate) AS a; max(l_comment) AS b"));
}

static void joins(void **state) {
  (void)state;
  static const join_case cases[] = {
      {SP_JOIN_INNER, "o_orderdate >= date '1995-01-01' AND o_orderdate < date '1995-02-01'", false},
      {SP_JOIN_SEMI, "o_orderkey % 100 = 7", false},
      {SP_JOIN_SEMI, "o_orderkey = 7 OR o_orderkey = 59975", false},
      {SP_JOIN_INNER, "o_orderkey < 0", false},
      {SP_JOIN_INNER, "o_custkey < 100 AND o_orderkey < 1000", true},
  };
  if (!has_data()) {
    skip();
  }
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    t_plan with;
    t_plan without;
    make_join(&with, &cases[i], true);
    make_join(&without, &cases[i], false);
    expect_same(&with, &without, "lines");
    t_end(&with);
    t_end(&without);
  }
}

/* The filter of the outer join's build reaches the scan through the inner join's probe, and that scan waits
 * for it. */
static void through_another_join(void **state) {
  (void)state;
  if (!has_data()) {
    skip();
  }
  t_plan t[2];
  for (uint32_t i = 0; i < 2; i++) {
    t_begin(&t[i]);
    sp_node *ol =
        join(&t[i], "ol", SP_JOIN_INNER, scan(&t[i], "lines", "lineitem"), scan(&t[i], "orders", "orders"),
             i == 0 ? "l_orderkey" : "l_orderkey + 0", "o_orderkey");
    sp_node *some = t_filter(&t[i], "some", scan(&t[i], "parts", "part"), "p_size = 7");
    sp_node *all =
        join(&t[i], "all", SP_JOIN_SEMI, ol, some, i == 0 ? "l_partkey" : "l_partkey + 0", "p_partkey");
    t_output(&t[i], sums(&t[i], all, "count(*); sum(l_quantity) AS q; sum(o_totalprice) AS p"));
  }
  expect_same(&t[0], &t[1], "lines");
  t_end(&t[0]);
  t_end(&t[1]);
}

/* Left and anti joins need the rows that match nothing. */
static void no_filter_where_rows_must_stay(void **state) {
  (void)state;
  if (!has_data()) {
    skip();
  }
  static const sp_join_how hows[] = {SP_JOIN_LEFT, SP_JOIN_ANTI, SP_JOIN_FULL};
  for (size_t i = 0; i < 3; i++) {
    t_plan t;
    t_begin(&t);
    sp_node *o = t_filter(&t, "some", scan(&t, "orders", "orders"), "o_orderkey % 100 = 7");
    sp_node *j = join(&t, "j", hows[i], scan(&t, "lines", "lineitem"), o, "l_orderkey", "o_orderkey");
    t_output(&t, sums(&t, j, "count(*)"));
    int64_t rows;
    bool cut;
    (void)run(&t, 2, "lines", &rows, &cut);
    assert_false(cut);
    assert_int_equal(rows, 60175);
    t_end(&t);
  }
}

static sp_node *first(t_plan *t, sp_node *in, const char *by, bool descending, int64_t k) {
  sp_sort_node *s = (sp_sort_node *)t_node(t, "top_k", "top", 1, &in);
  s->by = t_items(t, by);
  ((sp_item *)(uintptr_t)&s->by.items[0])->descending = descending;
  s->k = k;
  return &s->base;
}

static void bounds(void **state) {
  (void)state;
  if (!has_data()) {
    skip();
  }
  for (uint32_t i = 0; i < 4; i++) {
    t_plan with;
    t_plan without;
    t_begin(&with);
    t_begin(&without);
    const int64_t k = i < 2 ? 10 : 1000;
    sp_node *a =
        first(&with, scan(&with, "lines", "lineitem"), "l_shipdate; l_orderkey; l_linenumber", i % 2 == 0, k);
    t_output(&with, t_project(&with, "select", "s", a, "l_shipdate; l_orderkey; l_comment"));
    sp_node *days = t_project(&without, "with_columns", "w", scan(&without, "lines", "lineitem"),
                              "l_orderkey + 0 AS l_orderkey");
    sp_node *b =
        first(&without, days, "CASE WHEN l_orderkey > 0 THEN l_shipdate END; l_orderkey; l_linenumber",
              i % 2 == 0, k);
    t_output(&without, t_project(&without, "select", "s", b, "l_shipdate; l_orderkey; l_comment"));
    expect_same(&with, &without, "lines");
    t_end(&with);
    t_end(&without);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(joins),
      cmocka_unit_test(through_another_join),
      cmocka_unit_test(no_filter_where_rows_must_stay),
      cmocka_unit_test(bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
