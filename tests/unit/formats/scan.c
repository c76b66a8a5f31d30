/* Scans over real files: schemas, tables by name, --table, datasets opened once, columns and predicates of
 * scans. */
#include <sys/stat.h>
#include <unistd.h>

#include "plan_text.h"

static char folder[64];

static void put_file(const char *name, const char *text) {
  char path[200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

static const char *const files[] = {"t.csv", "both.csv", "dir/a.csv", "dir/b.csv", "both/x.csv"};

static int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/sigmapi_scan_XXXXXX");
  if (mkdtemp(folder) == NULL) {
    return -1;
  }
  char path[100];
  snprintf(path, sizeof path, "%s/dir", folder);
  if (mkdir(path, 0700) != 0) {
    return -1;
  }
  snprintf(path, sizeof path, "%s/both", folder);
  if (mkdir(path, 0700) != 0) {
    return -1;
  }
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    put_file(files[i], "id,name,day\n1,x,2024-01-01\n2,y,2024-01-02\n");
  }
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  char path[200];
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, files[i]);
    unlink(path);
  }
  snprintf(path, sizeof path, "%s/dir", folder);
  rmdir(path);
  snprintf(path, sizeof path, "%s/both", folder);
  rmdir(path);
  return rmdir(folder);
}

static sp_status try_resolve(world *w, const char *nodes, const sp_plan **ret) {
  const sp_plan *written = read_plan(w, plan_of(w, nodes));
  w->err = SP_ERROR_INIT;
  return sp_plan_resolve(written, &w->env, ret, &w->err);
}

static void files_give_schemas(void **state) {
  (void)state;
  world w;
  world_init(&w);
  w.env.plan_dir = folder;
  const sp_plan *p = resolve_nodes(
      &w, "{'id': 's', 'op': 'scan_csv', 'path': 't.csv', 'row_index': {'name': 'i'}, 'include_file_path': "
          "'f', 'columns': ['f', 'day', 'i'], "
          "'predicate': 'id > 1 AND name = ´y´'},"
          "{'id': 'again', 'op': 'scan_csv', 'path': 't.csv'}, {'id': 'third', 'op': 'scan_csv', 'path': "
          "'t.csv', 'columns': ['id']},"
          "{'id': 'two', 'op': 'join', 'how': 'inner', 'left': 'again', 'right': 'third', 'on': ['id']},"
          "{'id': 'out', 'op': 'join', 'how': 'inner', 'left': 's', 'right': 'two', 'on': ['day']}");
  const sp_scan_node *s = (const sp_scan_node *)node_of(p, "s");
  assert_string_equal(schema_text(&w, s->file_schema), "i int64, id int64, name string, day date, f string");
  assert_string_equal(schema_text(&w, s->base.schema), "i int64, day date, f string");
  assert_string_equal(s->root, folder);
  assert_int_equal(w.env.n_datasets, 2); /* `again` and `third` read the same */
  assert_ptr_equal(((const sp_scan_node *)node_of(p, "again"))->dataset,
                   ((const sp_scan_node *)node_of(p, "third"))->dataset);
  assert_string_equal(headline_text(&w, &s->base), "t.csv");
  sp_scan_spec spec;
  assert_true(sp_scan_spec_of(s, &w.arena, &spec));
  assert_string_equal(sp_format_name(spec.format), "csv");
  assert_string_equal(spec.paths[0], "t.csv");
  assert_string_equal(spec.row_index, "i");
  assert_int_equal(spec.n_rows, -1);
  world_release(&w);
}

static void tables_by_name(void **state) {
  (void)state;
  world w;
  world_init(&w);
  w.env.plan_dir = "/nonexistent";
  w.env.data_root = folder;
  const sp_plan *p = resolve_nodes(&w, "{'id': 'out', 'op': 'scan', 'table': 't'}");
  const sp_scan_node *s = (const sp_scan_node *)node_of(p, "out");
  assert_string_equal(s->base.ops->name, "scan_csv");
  assert_string_equal(s->table, "t");
  assert_string_equal(s->paths.items[0], "t.csv");
  assert_string_equal(s->root, folder);
  assert_string_equal(headline_text(&w, &s->base), "t");
  const sp_hash128 fp = s->base.fingerprint;
  p = resolve_nodes(&w, "{'id': 'out', 'op': 'scan', 'table': 'dir'}");
  assert_string_equal(schema_text(&w, node_of(p, "out")->schema), "id int64, name string, day date");
  assert_int_equal(try_resolve(&w, "{'id': 'out', 'op': 'scan', 'table': 'both'}", &p), SP_INVALID);
  assert_string_equal(w.err.pointer, "/nodes/0/table");
  assert_int_equal(try_resolve(&w, "{'id': 'out', 'op': 'scan', 'table': 'tt'}", &p), SP_NOT_FOUND);
  assert_string_equal(w.err.pointer, "/nodes/0/table");

  const char *path = sp_arena_printf(&w.arena, "%s/dir/a.csv", folder);
  const char *whole = sp_arena_printf(&w.arena, "%s/dir", folder);
  const sp_table_binding tables[] = {{"t", path}, {"u", whole}, {"bad", "x.unknown"}};
  w.env.n_tables = 3;
  w.env.tables = tables;
  p = resolve_nodes(&w, "{'id': 'out', 'op': 'scan', 'table': 't'}");
  s = (const sp_scan_node *)node_of(p, "out");
  assert_string_equal(s->paths.items[0], path);
  assert_null(s->root);
  assert_false(sp_hash128_eq(fp, s->base.fingerprint));
  p = resolve_nodes(&w, "{'id': 'out', 'op': 'scan', 'table': 'u'}");
  assert_int_equal(sp_dataset_files(((const sp_scan_node *)node_of(p, "out"))->dataset), 2);
  assert_int_equal(try_resolve(&w, "{'id': 'out', 'op': 'scan', 'table': 'bad'}", &p), SP_USAGE);
  assert_non_null(strstr(w.err.message, "--table bad=x.unknown"));
  world_release(&w);
}

static void missing_things(void **state) {
  (void)state;
  world w;
  world_init(&w);
  w.env.plan_dir = folder;
  const sp_plan *p = NULL;
  assert_int_equal(try_resolve(&w, "{'id': 'out', 'op': 'scan_csv', 'path': 'tt.csv'}", &p), SP_NOT_FOUND);
  const char *message = sp_arena_printf(&w.arena, "%s/tt.csv: no such file", folder);
  assert_string_equal(w.err.message, message);
  assert_non_null(strstr(w.err.hint, "t.csv"));
  assert_string_equal(w.err.file, "p.json");
  assert_string_equal(w.err.pointer, "/nodes/0");
  assert_int_equal(
      try_resolve(&w, "{'id': 'out', 'op': 'scan_csv', 'path': 't.csv', 'columns': ['id', 'nam']}", &p),
      SP_NOT_FOUND);
  assert_string_equal(w.err.message, "unknown column `nam`");
  assert_string_equal(w.err.pointer, "/nodes/0/columns/1");
  assert_non_null(strstr(w.err.hint, "`name`"));
  assert_int_equal(try_resolve(&w, "{'id': 'out', 'op': 'scan_csv', 'path': 't.csv', 'predicate': 'id'}", &p),
                   SP_TYPE);
  assert_int_equal(try_resolve(&w, "{'id': 'out', 'op': 'scan_parquet', 'path': 't.csv'}", &p), SP_DATA);
  assert_int_equal(w.n_warnings, 0);
  assert_int_equal(
      try_resolve(&w, "{'id': 'out', 'op': 'scan_parquet', 'path': 't.parquet', 'schema': {'id': 'int64'}}",
                  &p),
      SP_OK);
  assert_int_equal(w.n_warnings, 1);
  world_release(&w);
}

static void tpch_tables_in_two_formats(void **state) {
  (void)state;
  char root[400];
  for (int csv = 0; csv < 2; csv++) {
    snprintf(root, sizeof root, "%s/tpch-sf0.01/%s", SIGMAPI_TEST_DATA, csv ? "csv" : "parquet");
    if (access(root, R_OK) != 0) {
      skip();
    }
    world w;
    world_init(&w);
    w.env.data_root = root;
    const sp_plan *p = resolve_nodes(
        &w, "{'id': 'o', 'op': 'scan', 'table': 'orders'}, {'id': 'c', 'op': 'scan', 'table': 'customer'},"
            "{'id': 'out', 'op': 'join', 'left': 'o', 'right': 'c', 'how': 'inner', 'left_on': "
            "['o_custkey'], 'right_on': ['c_custkey']}");
    assert_string_equal(node_of(p, "o")->ops->name, csv ? "scan_csv" : "scan_parquet");
    assert_int_equal(node_of(p, "out")->schema->n, 16);
    world_release(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_give_schemas),
      cmocka_unit_test(tables_by_name),
      cmocka_unit_test(missing_things),
      cmocka_unit_test(tpch_tables_in_two_formats),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
