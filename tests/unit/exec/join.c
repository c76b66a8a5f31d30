/* Joins against nested loops over random rows: every kind, keys of several types with nulls and duplicates,
 * predicates, every way of running. */
#include "plans.h"
#include "rows.h"

static const char *const hows[] = {"inner", "left", "right", "full", "semi", "anti", "cross"};

typedef struct options {
  sp_join_how how;
  const char *left_on, *right_on, *predicate;
  bool nulls_equal, maintain_order;
  int coalesce;
} options;

static sp_node *join(t_plan *t, sp_node *left, sp_node *right, const options *o) {
  sp_node *in[2] = {left, right};
  sp_join_node *j = (sp_join_node *)t_node(t, "join", "j", 2, in);
  j->how = (int)o->how;
  if (o->left_on != NULL) {
    j->left_on = t_items(t, o->left_on);
    j->right_on = t_items(t, o->right_on);
  }
  if (o->predicate != NULL) {
    j->predicate = t_items(t, o->predicate);
  }
  j->nulls_equal = o->nulls_equal;
  j->maintain_order = o->maintain_order;
  j->coalesce = o->coalesce;
  return &j->base;
}

typedef struct row {
  int64_t k, s, v;
  bool k_null, s_null;
} row;

static const char *const names[] = {"", "a", "exactly 12 b", "a rather long name number one",
                                    "a rather long name number two"};

static row *random_rows(t_plan *t, t_random *r, uint32_t n, uint64_t range) {
  row *rows = SP_ARENA_ARRAY(&t->arena, row, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    rows[i] = (row){.k = (int64_t)t_next(r, range), .s = (int64_t)t_next(r, 5), .v = (int64_t)t_next(r, 100)};
    rows[i].k *= range > 1000 ? INT64_C(1) << 40 : 1;
    rows[i].k_null = t_next(r, 8) == 0;
    rows[i].s_null = t_next(r, 8) == 0;
  }
  return rows;
}

static sp_node *values_of(t_plan *t, const char *id, const char *schema, const row *rows, uint32_t n) {
  sp_value *v = SP_ARENA_ARRAY(&t->arena, sp_value, 3 * (size_t)n + 1);
  const sp_type *i64 = sp_type_of(SP_KIND_INT64);
  const sp_value null = sp_value_null(sp_type_of(SP_KIND_NULL));
  for (uint32_t i = 0; i < n; i++) {
    v[3 * i] = rows[i].k_null ? null : sp_value_int(i64, rows[i].k);
    v[3 * i + 1] = rows[i].s_null ? null : sp_value_str(sp_sv_from(names[rows[i].s]));
    v[3 * i + 2] = sp_value_int(i64, rows[i].v);
  }
  return t_values_of(t, id, schema, v, n);
}

typedef struct keys {
  bool k, s, predicate, nulls_equal;
} keys;

static bool match(const row *l, const row *r, const keys *ks) {
  if (ks->k && (l->k_null != r->k_null || (l->k_null ? !ks->nulls_equal : l->k != r->k))) {
    return false;
  }
  if (ks->s && (l->s_null != r->s_null || (l->s_null ? !ks->nulls_equal : l->s != r->s))) {
    return false;
  }
  return !ks->predicate || l->v > r->v;
}

static void put_row(sp_str *s, const row *r) {
  if (r == NULL) {
    sp_str_add(s, "null,null,null");
    return;
  }
  sp_str_addf(s, r->k_null ? "null," : "%lld,", (long long)r->k);
  sp_str_addf(s, "%s,%lld", r->s_null ? "null" : names[r->s], (long long)r->v);
}

static void put_pair(sp_str *s, const row *l, const row *r, bool both) {
  sp_str_add(s, s->n > 0 ? ";" : "");
  put_row(s, l);
  if (both) {
    sp_str_add(s, ",");
    put_row(s, r);
  }
}

static void loops(const row *l, uint32_t nl, const row *r, uint32_t nr, sp_join_how how, const keys *ks,
                  sp_str *s) {
  const bool both = how != SP_JOIN_SEMI && how != SP_JOIN_ANTI;
  if (how == SP_JOIN_RIGHT) {
    for (uint32_t k = 0; k < nr; k++) {
      bool any = false;
      for (uint32_t i = 0; i < nl; i++) {
        if (match(&l[i], &r[k], ks)) {
          put_pair(s, &l[i], &r[k], true);
          any = true;
        }
      }
      if (!any) {
        put_pair(s, NULL, &r[k], true);
      }
    }
    return;
  }
  for (uint32_t i = 0; i < nl; i++) {
    bool any = false;
    for (uint32_t k = 0; k < nr; k++) {
      const bool m = match(&l[i], &r[k], ks);
      any |= m;
      if (m && both) {
        put_pair(s, &l[i], &r[k], true);
      }
    }
    if (any ? how == SP_JOIN_SEMI : how == SP_JOIN_ANTI || how == SP_JOIN_LEFT || how == SP_JOIN_FULL) {
      put_pair(s, &l[i], NULL, both);
    }
  }
  for (uint32_t k = 0; k < nr && how == SP_JOIN_FULL; k++) {
    bool any = false;
    for (uint32_t i = 0; i < nl && !any; i++) {
      any = match(&l[i], &r[k], ks);
    }
    if (!any) {
      put_pair(s, NULL, &r[k], true);
    }
  }
}

static void against_loops(uint32_t nl, uint32_t nr, uint64_t range, sp_join_how how, const keys *ks,
                          bool order, uint64_t seed) {
  t_plan t;
  t_begin(&t);
  t_random rnd = {seed};
  const row *l = random_rows(&t, &rnd, nl, range);
  const row *r = random_rows(&t, &rnd, nr, range);
  sp_node *ln = values_of(&t, "l", "k int64, s string, v int64", l, nl);
  sp_node *rn = values_of(&t, "r", "rk int64, rs string, rv int64", r, nr);
  options o = {.how = how, .nulls_equal = ks->nulls_equal, .maintain_order = order, .coalesce = 2};
  if (how != SP_JOIN_CROSS) {
    o.left_on = ks->k && ks->s ? "k; s" : ks->k ? "k" : "s";
    o.right_on = ks->k && ks->s ? "rk; rs" : ks->k ? "rk" : "rs";
    o.predicate = ks->predicate ? "v > rv" : NULL;
  }
  t_output(&t, join(&t, ln, rn, &o));
  sp_str s;
  sp_str_init(&s, &t.mem, (size_t)1 << 26);
  loops(l, nl, r, nr, how, ks, &s);
  t_expect_rows(&t, s.p != NULL ? s.p : "", order);
  /* The same with the left side expected to be the smaller one, which makes it the build side where that is
   * allowed. */
  double *est = SP_ARENA_ARRAY(&t.arena, double, t.plan->n_nodes);
  for (uint32_t i = 0; i < t.plan->n_nodes; i++) {
    est[i] = i == t_index(&t, "l") ? 1 : 1000;
  }
  t.est_rows = est;
  t_expect_rows(&t, s.p != NULL ? s.p : "", order);
  sp_str_release(&s);
  t_end(&t);
}

static void every_kind(void **state) {
  (void)state;
  static const uint64_t ranges[] = {4, 60, 100000};
  uint64_t seed = 1;
  for (int how = 0; how <= SP_JOIN_ANTI; how++) {
    for (uint32_t i = 0; i < 24; i++) {
      const keys ks = {
          .k = i % 3 != 1, .s = i % 3 != 0, .predicate = (i & 4) != 0, .nulls_equal = (i & 8) != 0};
      print_message("%s keys %s%s, predicate %d, nulls equal %d\n", hows[how], ks.k ? "k" : "",
                    ks.s ? "s" : "", ks.predicate, ks.nulls_equal);
      against_loops(50, 40, ranges[i % 3], (sp_join_how)how, &ks, i % 2 == 0, seed++);
    }
  }
}

static void empty_sides(void **state) {
  (void)state;
  uint64_t seed = 100;
  for (int how = 0; how <= SP_JOIN_CROSS; how++) {
    for (uint32_t i = 0; i < 4; i++) {
      const keys ks = {.k = how != SP_JOIN_CROSS && (i & 1) == 0,
                       .s = how != SP_JOIN_CROSS && (i & 1) != 0,
                       .predicate = false};
      against_loops(20, 0, 5, (sp_join_how)how, &ks, true, seed++);
      against_loops(0, 20, 5, (sp_join_how)how, &ks, false, seed++);
      against_loops(0, 0, 5, (sp_join_how)how, &ks, true, seed++);
    }
  }
}

static void cross(void **state) {
  (void)state;
  const keys ks = {.k = false};
  against_loops(30, 20, 5, SP_JOIN_CROSS, &ks, true, 1);
  against_loops(1, 100, 5, SP_JOIN_CROSS, &ks, true, 2);
  against_loops(100, 1, 5, SP_JOIN_CROSS, &ks, true, 3);
}

static void larger_build(void **state) {
  (void)state;
  const keys ks = {.k = true};
  against_loops(300, 700, 100, SP_JOIN_INNER, &ks, true, 5);
  against_loops(700, 300, 2000, SP_JOIN_LEFT, &ks, true, 6);
  against_loops(300, 300, 2000, SP_JOIN_FULL, &ks, false, 7);
}

static void coalesced_keys(void **state) {
  (void)state;
  static const struct {
    sp_join_how how;
    const char *rows;
  } cases[] = {{SP_JOIN_INNER, "2,x,p"},
               {SP_JOIN_LEFT, "1,w,null;2,x,p;null,y,null"},
               {SP_JOIN_RIGHT, "x,2,p;null,3,q;null,null,r"},
               {SP_JOIN_FULL, "1,w,null;2,x,p;null,y,null;3,null,q;null,null,r"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    t_plan t;
    t_begin(&t);
    sp_node *l = t_values(&t, "l", "k int32, a string", "1,w;2,x;null,y");
    sp_node *r = t_values(&t, "r", "k int64, b string", "2,p;3,q;null,r");
    const options o = {
        .how = cases[i].how, .left_on = "k", .right_on = "k", .coalesce = 1, .maintain_order = true};
    t_output(&t, join(&t, l, r, &o));
    t_expect_rows(&t, cases[i].rows, cases[i].how != SP_JOIN_FULL);
    t_end(&t);
  }
}

static void expressions_as_keys(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *l = t_values(&t, "l", "a int64", "1;2;3;4;null");
  sp_node *r = t_values(&t, "r", "b int64", "10;20;30");
  const options o = {.how = SP_JOIN_INNER, .left_on = "a * 10", .right_on = "b", .maintain_order = true};
  t_output(&t, join(&t, l, r, &o));
  t_expect(&t, "1,10;2,20;3,30");
  t_end(&t);
}

static void floats_as_keys(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *l = t_project(&t, "select", "ls", t_values(&t, "l", "a int64", "0;1;2"),
                         "a; CASE WHEN a = 0 THEN -0.0 WHEN a = 1 THEN 0.0 / 0.0 ELSE 2.5 END AS f");
  sp_node *r = t_project(&t, "select", "rs", t_values(&t, "r", "b int64", "0;1;2"),
                         "b; CASE WHEN b = 0 THEN 0.0 WHEN b = 1 THEN 0.0 / 0.0 ELSE 2.5 END AS g");
  const options o = {
      .how = SP_JOIN_INNER, .left_on = "f", .right_on = "g", .coalesce = 1, .maintain_order = true};
  t_output(&t, t_project(&t, "select", "out", join(&t, l, r, &o), "a; b"));
  t_expect(&t, "0,0;1,1;2,2");
  t_end(&t);
}

static void self_join(void **state) {
  (void)state;
  t_plan t;
  t_begin(&t);
  sp_node *v = t_numbers(&t, "v", 100);
  const options o = {.how = SP_JOIN_INNER, .left_on = "i", .right_on = "m", .maintain_order = true};
  t_output(&t, t_project(&t, "select", "out", join(&t, t_filter(&t, "f", v, "i < 2"), v, &o), "i; i_right"));
  sp_str s;
  sp_str_init(&s, &t.mem, 1 << 20);
  for (uint32_t i = 0; i < 2; i++) {
    for (uint32_t k = i; k < 100; k += 7) {
      sp_str_addf(&s, "%s%u,%u", s.n > 0 ? ";" : "", i, k);
    }
  }
  t_expect(&t, s.p);
  sp_str_release(&s);
  t_end(&t);
}

static sp_status run_failing(sp_mem *mem, void *ctx) {
  t_plan *t = ctx;
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 1;
  sp_run *run = NULL;
  sp_error err = SP_ERROR_INIT;
  const sp_status st = sp_exec_run(t->plan, &o, mem, &run, &err);
  sp_run_free(run);
  return st;
}

static void failing_allocations(void **state) {
  (void)state;
  static const options cases[] = {
      {.how = SP_JOIN_INNER, .left_on = "k", .right_on = "rk", .coalesce = 2},
      {.how = SP_JOIN_FULL, .left_on = "k; s", .right_on = "rk; rs", .predicate = "v > rv", .coalesce = 1},
      {.how = SP_JOIN_SEMI, .left_on = "s", .right_on = "rs", .predicate = "v > rv"},
      {.how = SP_JOIN_ANTI, .left_on = "k", .right_on = "rk"},
      {.how = SP_JOIN_CROSS},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    t_plan t;
    t_begin(&t);
    t_random rnd = {i};
    sp_node *l = values_of(&t, "l", "k int64, s string, v int64", random_rows(&t, &rnd, 12, 5), 12);
    sp_node *r = values_of(&t, "r", "rk int64, rs string, rv int64", random_rows(&t, &rnd, 9, 5), 9);
    t_output(&t, join(&t, l, r, &cases[i]));
    t_resolve(&t);
    SP_TORTURE(run_failing, &t);
    t_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind),
      cmocka_unit_test(empty_sides),
      cmocka_unit_test(cross),
      cmocka_unit_test(larger_build),
      cmocka_unit_test(coalesced_keys),
      cmocka_unit_test(expressions_as_keys),
      cmocka_unit_test(floats_as_keys),
      cmocka_unit_test(self_join),
      cmocka_unit_test(failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
