/* scan: a table by name, so that one plan runs on any folder of files.
 *
 *   {"id": "o", "op": "scan", "table": "orders"}   with --data-root DIR   ⇒   scan_parquet orders.parquet,
 * starting at DIR with --table orders=/tmp/x.csv   ⇒   scan_csv /tmp/x.csv
 *
 * Resolving finds the file and makes the scan of its format. The path stays relative to the data root, so
 * that the same tables in another folder are the same scan to diff. */
#include <stdio.h>

#include "base/file.h"
#include "plan/kinds.h"

static const sp_field_desc fields[] = {
    {.key = "table",
     .kind = SP_F_STRING,
     .required = true,
     .offset = offsetof(sp_scan_node, table),
     .brief = 1,
     .doc = "NAME.parquet, NAME.csv, … or a folder NAME/ under the data root, or as --table says"},
    {.key = NULL}};

typedef struct found {
  const char *root, *path;
  const sp_format *format;
} found;

/* A path given by --table: a file, a glob, or a folder of files. */
static sp_status from_binding(const sp_table_binding *t, found *ret, sp_error *err) {
  *ret = (found){.path = t->path, .format = sp_format_by_path(t->path)};
  if (sp_path_is_dir(t->path)) {
    return sp_table_folder(t->path, t->name, &ret->format, err);
  }
  if (ret->format == NULL) {
    sp_error_set(err, SP_USAGE, NULL, "--table %.100s=%.200s: the file's format is not known by its suffix",
                 t->name, t->path);
    sp_error_hint(err, "name a .csv or .parquet file, or a folder of them");
    return SP_USAGE;
  }
  return SP_OK;
}

static sp_status find(sp_bind_cx *cx, const char *table, found *ret, sp_error *err) {
  for (uint32_t i = 0; i < cx->env->n_tables; i++) {
    if (strcmp(cx->env->tables[i].name, table) == 0) {
      return from_binding(&cx->env->tables[i], ret, err);
    }
  }
  const char *root = cx->env->data_root != NULL ? cx->env->data_root : cx->env->plan_dir;
  ret->root = root;
  SP_TRY(sp_table_find(root, table, cx->arena, &ret->format, &ret->path, err));
  const size_t n = root != NULL ? strlen(root) : 0;
  if (n > 0 && strncmp(ret->path, root, n) == 0 && (ret->path[n] == '/' || root[n - 1] == '/')) {
    ret->path += n + (ret->path[n] == '/');
  } else {
    ret->root = NULL; /* the path is whole */
  }
  return SP_OK;
}

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  (void)inputs;
  const sp_scan_node *w = (const sp_scan_node *)written;
  if (w->table[0] == '\0' || strchr(w->table, '/') != NULL) {
    const sp_loc at = sp_loc_member(&written->loc, "table", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`table` must be a name without slashes, got `%.200s`", w->table);
  }
  found f = {0};
  const sp_status st = find(cx, w->table, &f, err);
  if (st != SP_OK) {
    const sp_loc at = sp_loc_member(&written->loc, "table", cx->arena);
    sp_error_place(err, &at);
    return st;
  }
  char kind[64];
  snprintf(kind, sizeof kind, "scan_%s", sp_format_name(f.format));
  const sp_node_ops *ops = sp_node_ops_find(sp_sv_from(kind));
  if (ops == NULL) {
    SP_FAIL(err, SP_UNSUPPORTED, &written->loc, "table `%.200s` is %.200s: there is no %s yet", w->table,
            f.path, kind);
  }
  sp_scan_node *n = (sp_scan_node *)sp_node_new(cx->arena, ops);
  const char **paths = SP_ARENA_ARRAY(cx->arena, const char *, 1);
  if (n == NULL || paths == NULL) {
    return sp_error_nomem(err);
  }
  paths[0] = f.path;
  n->paths = (sp_strings){.n = 1, .items = paths};
  n->table = w->table;
  n->root = f.root;
  SP_TRY(sp_scan_open(cx, n, written, err));
  *ret = &n->base;
  return SP_OK;
}

const sp_node_ops sp_node_kind_scan = {
    .name = "scan",
    .symbol = "▤",
    .summary = "a table by name, in whatever format it is found",
    .flags = SP_NODE_SOURCE,
    .size = sizeof(sp_scan_node),
    .input_keys = (const char *const[]){NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_scan_schema,
    .needs = sp_needs_none,
    .headline = sp_scan_headline,
};
