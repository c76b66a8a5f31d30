/* Every allocation of reading, resolving, validating and writing fails once: always SP_NOMEM, nothing live.
 */
#include <unistd.h>

#include "formats/native/native.h"
#include "plan_text.h"
#include "tests/support/torture.h"

static const char *const nodes = T_VALUES("v", "'a': 'int64', 'b': 'string', 'd': 'date', 'x': "
                                               "'decimal(9,2)'") ","
                                                                 "{'id': 't', 'op': 'values', 'schema': "
                                                                 "{'a': 'int64', 'b': 'string', 'd': 'date', "
                                                                 "'x': 'decimal(9,2)'}, 'rows': [[1, 'a "
                                                                 "string of some length', '2024-01-01', "
                                                                 "1.5], ['2', null, null, '3']]},"
                                                                 "{'id': 'f', 'op': 'filter', 'input': 't', "
                                                                 "'predicate': 'a > 1 AND is_not_null(*)', "
                                                                 "'note': 'n'},"
                                                                 "{'id': 's', 'op': 'select', 'input': 'f', "
                                                                 "'exprs': ['*', 'a + 1', 'a * 2 AS y']},"
                                                                 "{'id': 'w', 'op': 'with_columns', 'input': "
                                                                 "{'op': 'drop', 'columns': ['y'], 'input': "
                                                                 "'s'}, 'exprs': ['x AS z', 'b AS b']},"
                                                                 "{'id': 'r', 'op': 'rename', 'input': 'w', "
                                                                 "'columns': {'z': 'zz'}},"
                                                                 "{'id': 'g', 'op': 'group_by', 'input': "
                                                                 "'r', 'keys': ['b'], 'aggs': ['sum(a) / "
                                                                 "count(*) AS m', 'max(d)']},"
                                                                 "{'id': 'j', 'op': 'join', 'left': 'g', "
                                                                 "'right': 'v', 'how': 'left', 'on': ['b'], "
                                                                 "'predicate': 'm < a'},"
                                                                 "{'id': 'u', 'op': 'union', 'inputs': ['j', "
                                                                 "'v'], 'how': 'diagonal'},"
                                                                 "{'id': 'o', 'op': 'sort', 'input': 'u', "
                                                                 "'by': [{'expr': 'a', 'descending': true}, "
                                                                 "'b']},"
                                                                 "{'id': 'q', 'op': 'unique', 'input': 'o', "
                                                                 "'subset': ['a', 'b']},"
                                                                 "{'id': 'i', 'op': 'with_row_index', "
                                                                 "'input': 'q'},"
                                                                 "{'id': 'p', 'op': 'pivot', 'input': 'i', "
                                                                 "'on': ['b'], 'on_columns': ['x'], 'index': "
                                                                 "['a'], 'values': ['m'], 'agg': 'sum'},"
                                                                 "{'id': 'k', 'op': 'top_k', 'input': 'p', "
                                                                 "'k': 3, 'by': ['a']},"
                                                                 "{'id': 'c', 'op': 'scan_csv', 'path': "
                                                                 "'t.csv', 'schema': {'a': "
                                                                 "'int64', 'm': 'string'}, 'columns': ['m'], "
                                                                 "'predicate': 'a > 1', 'null_values': "
                                                                 "['NA']},"
                                                                 "{'id': 'cc', 'op': 'cache', 'input': 'c'},"
                                                                 "{'id': 'sink', 'op': 'sink_parquet', "
                                                                 "'input': 'cc', 'path': 'x-{part}', "
                                                                 "'partition': {'by': ['m']}, 'compression': "
                                                                 "'zstd:3'},"
                                                                 "{'id': 'out', 'op': 'tail', 'input': 'k', "
                                                                 "'n': 3}";

static sp_status all_the_way(world *w, const char *text) {
  const sp_plan *written = NULL;
  const sp_plan *p = NULL;
  const sp_json_doc *d = NULL;
  SP_TRY(sp_json_parse(&w->arena, "p.json", text, strlen(text), &d, &w->err));
  SP_TRY(sp_plan_read(d, &w->arena, &written, &w->err));
  SP_TRY(sp_plan_resolve(written, &w->env, &p, &w->err));
  SP_TRY(sp_plan_validate(p, &w->err));
  if (sp_plan_determined(p, &w->arena) == NULL || sp_plan_consumers(p, &w->arena) == NULL) {
    return SP_NOMEM;
  }
  sp_str s;
  sp_str_init(&s, w->arena.mem, 1 << 20);
  sp_status st = sp_native_write(p, &s, &w->err);
  st = st == SP_OK ? sp_native_schema(&s, &w->err) : st;
  sp_str_release(&s);
  return st;
}

/* A missing file's error looks for near names and goes without when memory is short, so the file is there. */
static char folder[64];

static int make_file(void **state) {
  (void)state;
  char path[100];
  strcpy(folder, "/tmp/sigmapi_torture_XXXXXX");
  if (mkdtemp(folder) == NULL) {
    return -1;
  }
  snprintf(path, sizeof path, "%s/t.csv", folder);
  FILE *f = fopen(path, "w");
  return f == NULL || fputs("a,m\n1,x\n", f) < 0 || fclose(f) != 0 ? -1 : 0;
}

static int remove_file(void **state) {
  (void)state;
  char path[100];
  snprintf(path, sizeof path, "%s/t.csv", folder);
  return unlink(path) != 0 || rmdir(folder) != 0 ? -1 : 0;
}

static sp_status run(sp_mem *mem, void *ctx) {
  world w = {0};
  sp_arena_init(&w.arena, mem);
  sp_env_init(&w.env, mem);
  w.env.data_root = folder;
  const sp_status st = all_the_way(&w, ctx);
  if (st != SP_OK && st != SP_NOMEM) {
    print_error("%s: %s\n", w.err.pointer, w.err.message);
  }
  sp_env_release(&w.env);
  sp_arena_release(&w.arena);
  return st;
}

static void every_allocation_fails_once(void **state) {
  (void)state;
  world w;
  world_init(&w);
  char *text = strdup(quotes(&w, plan_of(&w, nodes)));
  world_release(&w);
  assert_non_null(text);
  SP_TORTURE(run, text);
  free(text);
}

/* What the hooks for rules make. */
static sp_status push_and_narrow(world *w, const char *text) {
  const sp_plan *written = NULL;
  const sp_plan *p = NULL;
  const sp_json_doc *d = NULL;
  SP_TRY(sp_json_parse(&w->arena, "p.json", text, strlen(text), &d, &w->err));
  SP_TRY(sp_plan_read(d, &w->arena, &written, &w->err));
  SP_TRY(sp_plan_resolve(written, &w->env, &p, &w->err));
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    const sp_node *n = p->nodes[i];
    const sp_schema **in = SP_ARENA_ARRAY(&w->arena, const sp_schema *, n->n_inputs);
    SP_TRY_ALLOC(&w->err, in);
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      in[k] = sp_node_input_schema(p, n, k);
    }
    sp_names out = {0};
    if (n->schema->n > 0 && !sp_names_add(&out, &w->arena, n->schema->fields[0].name)) {
      return SP_NOMEM;
    }
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      sp_names r = {0};
      if (!n->ops->needs(n, in, &out, k, &w->arena, &r)) {
        return SP_NOMEM;
      }
    }
    const sp_node *narrowed = NULL;
    if (n->ops->narrow != NULL) {
      SP_TRY(n->ops->narrow(n, &out, &w->arena, &narrowed));
    }
    if (n->ops->push_predicate != NULL && n->schema->n > 0) {
      const sp_expr *c = sp_expr_column(&w->arena, n->schema->fields[0].name, n->schema->fields[0].type);
      const sp_expr *pred =
          c != NULL ? sp_expr_call_named(&w->arena, "is_null", sp_type_of(SP_KIND_BOOL), &c, 1) : NULL;
      sp_push push;
      SP_TRY_ALLOC(&w->err, pred);
      SP_TRY(n->ops->push_predicate(n, in, pred, &w->arena, &push));
    }
    if (sp_node_is(n, "group_by")) {
      sp_agg_split split;
      if (!sp_group_by_split((const sp_group_by_node *)n, &w->arena, &split)) {
        return SP_NOMEM;
      }
    }
  }
  return SP_OK;
}

static sp_status run_hooks(sp_mem *mem, void *ctx) {
  world w = {0};
  sp_arena_init(&w.arena, mem);
  sp_env_init(&w.env, mem);
  w.env.data_root = folder;
  const sp_status st = push_and_narrow(&w, ctx);
  sp_env_release(&w.env);
  sp_arena_release(&w.arena);
  return st;
}

static void hooks_report_it(void **state) {
  (void)state;
  world w;
  world_init(&w);
  char *text = strdup(quotes(&w, plan_of(&w, nodes)));
  world_release(&w);
  assert_non_null(text);
  SP_TORTURE(run_hooks, text);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once),
                                     cmocka_unit_test(hooks_report_it)};
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
