/* Big and deep plans: nothing is exponential on a DAG or quadratic in a chain, and depth ends in a message.
 */
#include <time.h>

#include "formats/native/native.h"
#include "plan_text.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const sp_plan *read_builder(world *w, sp_str *s) {
  const sp_plan *p = NULL;
  assert_true(sp_str_ok(s));
  if (try_read(w, quotes(w, s->p), &p) != SP_OK) {
    fail_msg("%s: %s", w->err.pointer, w->err.message);
  }
  return p;
}

static void begin(world *w, sp_str *s) {
  sp_str_init(s, &w->mem, 64 << 20);
  sp_str_add(s, "{'sigmapi': 1, 'nodes': [" T_VALUES("n0", "'a': 'int64', 'b': 'string'"));
}

/* 2^64 paths from end to end. */
static void a_diamond_chain(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  begin(&w, &s);
  for (int i = 0; i < 64; i++) {
    sp_str_addf(&s,
                ",{'id': 'l%d', 'op': 'head', 'n': 5, 'input': 'n%d'}, {'id': 'r%d', 'op': 'filter', "
                "'predicate': 'a > %d', 'input': 'n%d'},"
                "{'id': 'n%d', 'op': 'union', 'inputs': ['l%d', 'r%d']}",
                i, i, i, i, i, i + 1, i, i);
  }
  sp_str_add(&s, "], 'outputs': ['n64']}");
  const double start = now();
  const sp_plan *p = read_builder(&w, &s);
  const sp_plan *r = NULL;
  assert_int_equal(sp_plan_resolve(p, &w.env, &r, &w.err), SP_OK);
  assert_int_equal(sp_plan_validate(r, &w.err), SP_OK);
  assert_non_null(sp_plan_determined(r, &w.arena));
  assert_true(now() - start < 1.0);
  assert_int_equal(r->n_nodes, 64 * 3 + 1);
  assert_int_equal(sp_plan_consumers(r, &w.arena)[0], 2);
  sp_str_release(&s);
  world_release(&w);
}

/* Read, resolved, validated and written well within a second (sanitizers get more). */
static void a_chain_of_10000(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  begin(&w, &s);
  for (int i = 1; i < 10000; i++) {
    if (i % 3 == 0) {
      sp_str_addf(&s,
                  ",{'id': 'n%d', 'op': 'filter', 'input': 'n%d', 'predicate': 'a > %d AND b IS NOT NULL'}",
                  i, i - 1, i);
    } else if (i % 3 == 1) {
      sp_str_addf(&s, ",{'id': 'n%d', 'op': 'with_columns', 'input': 'n%d', 'exprs': ['a + %d AS a']}", i,
                  i - 1, i);
    } else {
      sp_str_addf(&s, ",{'id': 'n%d', 'op': 'sort', 'input': 'n%d', 'by': ['a']}", i, i - 1);
    }
  }
  sp_str_add(&s, "], 'outputs': ['n9999']}");
  const char *text = quotes(&w, s.p);
  const double start = now();
  const sp_plan *p = NULL;
  assert_int_equal(try_read(&w, text, &p), SP_OK);
  const double read = now();
  const sp_plan *r = NULL;
  assert_int_equal(sp_plan_resolve(p, &w.env, &r, &w.err), SP_OK);
  const double resolved = now();
  assert_int_equal(sp_plan_validate(r, &w.err), SP_OK);
  assert_non_null(sp_plan_determined(r, &w.arena));
  const double end = now();
  print_message("10,000 nodes: read %.0f ms, resolved %.0f ms, validated %.0f ms\n", (read - start) * 1e3,
                (resolved - read) * 1e3, (end - resolved) * 1e3);
  assert_true(end - start < 5.0);
  assert_int_equal(r->n_nodes, 10000);
  sp_str out;
  sp_str_init(&out, &w.mem, 64 << 20);
  assert_int_equal(sp_native_write(r, &out, &w.err), SP_OK);
  sp_str_release(&out);
  sp_str_release(&s);
  world_release(&w);
}

/* The same chain listed backwards: ordering recurses nowhere. */
static void a_chain_written_backwards(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  sp_str_init(&s, &w.mem, 64 << 20);
  sp_str_add(&s, "{'sigmapi': 1, 'outputs': ['n50000'], 'nodes': [");
  for (int i = 50000; i > 0; i--) {
    sp_str_addf(&s, "{'id': 'n%d', 'op': 'cache', 'input': 'n%d'},", i, i - 1);
  }
  sp_str_add(&s, T_VALUES("n0", "'a': 'int64'") "]}");
  const sp_plan *p = read_builder(&w, &s);
  assert_string_equal(p->nodes[0]->id, "n0");
  assert_string_equal(p->nodes[50000]->id, "n50000");
  sp_str_release(&s);
  world_release(&w);
}

static void a_long_cycle_is_named_shortly(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  sp_str_init(&s, &w.mem, 64 << 20);
  sp_str_add(&s, "{'sigmapi': 1, 'outputs': ['n0'], 'nodes': [");
  for (int i = 0; i < 1000; i++) {
    sp_str_addf(&s, "{'id': 'n%d', 'op': 'cache', 'input': 'n%d'},", i, (i + 1) % 1000);
  }
  sp_str_add(&s, "]}");
  const sp_plan *p = NULL;
  assert_int_equal(try_read(&w, quotes(&w, s.p), &p), SP_INVALID);
  assert_string_equal(
      w.err.message,
      "the nodes' inputs form a cycle: n0 → n1 → n2 → n3 → … (993 nodes) → n997 → n998 → n999 → n0");
  sp_str_release(&s);
  world_release(&w);
}

static void in_place(world *w, int depth, sp_str *s) {
  sp_str_init(s, &w->mem, 64 << 20);
  sp_str_add(s, "{'sigmapi': 1, 'outputs': ['x'], 'nodes': [{'id': 'x', 'op': 'cache', 'input': ");
  for (int i = 1; i < depth; i++) {
    sp_str_add(s, "{'op': 'cache', 'input': ");
  }
  sp_str_add(s, "{'op': 'values', 'schema': {'a': 'int64'}, 'rows': []}");
  sp_str_repeat(s, "}", (uint32_t)depth);
  sp_str_add(s, "]}");
}

static void nesting_ends_in_a_message(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  in_place(&w, 1000, &s);
  const sp_plan *p = read_builder(&w, &s);
  assert_int_equal(p->n_nodes, 1001);
  sp_str_release(&s);
  in_place(&w, 1001, &s);
  p = NULL;
  assert_int_equal(try_read(&w, quotes(&w, s.p), &p), SP_LIMIT);
  assert_string_equal(w.err.message, "nodes are written in place more than 1000 deep: give them ids");
  sp_str_release(&s);
  in_place(&w, 9990, &s);
  assert_int_equal(try_read(&w, quotes(&w, s.p), &p), SP_LIMIT);
  sp_str_release(&s);
  in_place(&w, 20000, &s);
  assert_true(try_read(&w, quotes(&w, s.p), &p) != SP_OK);
  sp_str_release(&s);
  world_release(&w);
}

static void a_union_of_many(void **state) {
  (void)state;
  world w;
  world_init(&w);
  sp_str s;
  begin(&w, &s);
  sp_str_add(&s, ",{'id': 'u', 'op': 'union', 'inputs': ['n0'");
  for (int i = 0; i < 20000; i++) {
    sp_str_add(&s, ", 'n0'");
  }
  sp_str_add(&s, "]}], 'outputs': ['u']}");
  const sp_plan *p = read_builder(&w, &s);
  const sp_plan *r = NULL;
  assert_int_equal(sp_plan_resolve(p, &w.env, &r, &w.err), SP_OK);
  assert_int_equal(sp_plan_consumers(r, &w.arena)[0], 20001);
  sp_str_release(&s);
  world_release(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_diamond_chain),           cmocka_unit_test(a_chain_of_10000),
      cmocka_unit_test(a_chain_written_backwards), cmocka_unit_test(a_long_cycle_is_named_shortly),
      cmocka_unit_test(nesting_ends_in_a_message), cmocka_unit_test(a_union_of_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
