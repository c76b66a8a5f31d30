/* What all file scans share: finding the files, their schema, and what a scan may take over (columns,
 * predicates).
 *
 *   scan_parquet flights-*.parquet, columns [origin, delay], predicate delay > 15
 *
 * Output columns are always in the file's order. Row index, file path and n_rows come before the predicate,
 * so that a predicate which moves into a scan changes nothing but who evaluates it. */
#include <stdio.h>

#include "plan/kinds.h"

static const char *dup_or_null(const char *s, sp_arena *a, bool *ok) {
  if (s == NULL) {
    return NULL;
  }
  const char *r = sp_arena_strdup(a, s);
  *ok = *ok && r != NULL;
  return r;
}

static const char *const *dup_strings(const sp_strings *s, sp_arena *a, bool *ok) {
  const char **r = SP_ARENA_ARRAY(a, const char *, s->n);
  *ok = *ok && r != NULL;
  for (uint32_t i = 0; i < s->n && *ok; i++) {
    r[i] = dup_or_null(s->items[i], a, ok);
  }
  return r;
}

/* "parquet" of scan_parquet. */
static const char *format_of(const sp_node *n) {
  return strchr(n->ops->name, '_') + 1;
}

static bool fill_spec(const sp_scan_node *n, sp_arena *a, sp_scan_spec *s) {
  bool ok = true;
  sp_scan_spec_init(s);
  s->format = sp_format_by_name(sp_sv_from(format_of(&n->base)));
  s->n_paths = n->paths.n;
  s->paths = dup_strings(&n->paths, a, &ok);
  s->root = dup_or_null(n->root, a, &ok);
  s->schema = n->given;
  s->n_rows = n->n_rows;
  s->row_index = dup_or_null(n->row_index.name, a, &ok);
  s->row_index_offset = n->row_index.offset;
  s->include_file_path = dup_or_null(n->include_file_path, a, &ok);
  s->hive = n->hive;
  if (n->separator != 0) { /* the kind has CSV's fields */
    s->has_header = n->has_header;
    s->separator = n->separator;
    s->quote = n->quote;
    s->n_null_values = n->null_values.n;
    s->null_values = dup_strings(&n->null_values, a, &ok);
    s->infer_rows = n->infer_rows;
    s->try_parse_dates = n->try_parse_dates;
    s->ragged = (sp_ragged)n->ragged;
  }
  return ok;
}

bool sp_scan_spec_of(const sp_scan_node *n, sp_arena *a, sp_scan_spec *ret) {
  return fill_spec(n, a, ret);
}

/* ---- the dataset ---- */
static sp_status copy_schema(const sp_schema *s, sp_arena *a, const sp_schema **ret, sp_error *err) {
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t i = 0; i < s->n; i++) {
    sp_schema_add(&b, s->fields[i].name, s->fields[i].type);
  }
  return sp_schema_finish(&b, NULL, ret, err);
}

static sp_hash128 dataset_key(const sp_scan_node *n) {
  sp_scan_node plain = *n; /* what decides the file's schema and statistics */
  plain.columns = (sp_strings){0};
  plain.predicate = (sp_items){0};
  sp_hasher h;
  sp_hasher_init(&h, 1);
  sp_hasher_bytes(&h, n->base.ops->name, strlen(n->base.ops->name));
  sp_fields_hash(&plain.base, &h);
  sp_hasher_bytes(&h, n->root != NULL ? n->root : "", n->root != NULL ? strlen(n->root) : 0);
  return sp_hasher_finish(&h);
}

/* The environment's dataset for this scan, opened at the first request. */
static sp_status open_dataset(sp_env *env, const sp_scan_node *n, const sp_dataset **ret, sp_error *err) {
  const sp_hash128 key = dataset_key(n);
  for (uint32_t i = 0; i < env->n_datasets; i++) {
    if (sp_hash128_eq(env->dataset_keys[i], key)) {
      *ret = env->datasets[i];
      return SP_OK;
    }
  }
  sp_scan_spec *spec = SP_ARENA_NEW(&env->arena, sp_scan_spec);
  uint32_t cap = env->cap_datasets;
  uint32_t cap_keys = env->cap_datasets;
  if (spec == NULL || !fill_spec(n, &env->arena, spec) ||
      !sp_arena_grow(&env->arena, &env->dataset_keys, &cap_keys, env->n_datasets + 1,
                     sizeof *env->dataset_keys) ||
      !sp_arena_grow(&env->arena, &env->datasets, &cap, env->n_datasets + 1, sizeof *env->datasets)) {
    return sp_error_nomem(err);
  }
  env->cap_datasets = cap;
  if (spec->schema != NULL) {
    SP_TRY(copy_schema(spec->schema, &env->arena, &spec->schema, err));
  }
  sp_dataset *d = NULL;
  SP_TRY(sp_dataset_open(spec, env->mem, &d, err));
  env->dataset_keys[env->n_datasets] = key;
  env->datasets[env->n_datasets++] = d;
  *ret = d;
  return SP_OK;
}

/* What the scan would give when its file is missing: row index, the given columns, file path (hive columns
 * are unknown). */
static sp_status schema_without_file(const sp_scan_node *n, sp_arena *a, const sp_schema **ret,
                                     sp_error *err) {
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  if (n->row_index.name != NULL) {
    sp_schema_add(&b, sp_sv_from(n->row_index.name), sp_type_of(SP_KIND_INT64));
  }
  for (uint32_t i = 0; i < n->given->n; i++) {
    sp_schema_add(&b, n->given->fields[i].name, n->given->fields[i].type);
  }
  if (n->include_file_path != NULL) {
    sp_schema_add(&b, sp_sv_from(n->include_file_path), sp_type_of(SP_KIND_STRING));
  }
  return sp_schema_finish(&b, &n->base.loc, ret, err);
}

static void warn(const sp_env *env, const sp_error *w) {
  if (env->warn != NULL) {
    env->warn(env->warn_ctx, w);
  }
}

static void warn_unreadable(const sp_env *env, const sp_scan_node *n, const sp_node *written) {
  sp_sv name = {0};
  sp_sv why = {0};
  const uint32_t count = sp_dataset_unreadable(n->dataset, 0, &name, &why);
  for (uint32_t i = 0; i < count; i++) {
    sp_dataset_unreadable(n->dataset, i, &name, &why);
    sp_error w = SP_ERROR_INIT;
    sp_error_set(&w, SP_UNSUPPORTED, &written->loc, "`%s` leaves out column `%.*s`: %.*s", written->id,
                 (int)(name.n < 150 ? name.n : 150), name.p, (int)(why.n < 200 ? why.n : 200), why.p);
    warn(env, &w);
  }
}

/* Columns in the file's order, each once. */
static sp_status order_columns(sp_scan_node *n, const sp_loc *loc, sp_arena *a, sp_error *err) {
  if (n->columns.items == NULL) {
    return SP_OK;
  }
  uint8_t *wanted = SP_ARENA_ARRAY(a, uint8_t, n->file_schema->n);
  const char **names = SP_ARENA_ARRAY(a, const char *, n->file_schema->n);
  if (wanted == NULL || names == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < n->columns.n; i++) {
    const int32_t c = sp_schema_find(n->file_schema, sp_sv_from(n->columns.items[i]));
    if (c < 0) {
      return sp_unknown_in_list(n->file_schema, &n->columns, i, loc, "columns", a, err);
    }
    wanted[c] = 1;
  }
  uint32_t n_names = 0;
  for (uint32_t i = 0; i < n->file_schema->n; i++) {
    if (wanted[i]) {
      names[n_names++] = n->file_schema->fields[i].name.p;
    }
  }
  n->columns = (sp_strings){.n = n_names, .items = names};
  n->columns_given = true;
  return SP_OK;
}

/* An error in a file arose at a node: the node is its place, the file goes into the message ("data/t.csv:3:
 * …"). */
static void place_at_node(sp_error *e, const sp_node *written) {
  if (e->file[0] != '\0' && e->status != SP_NOMEM) {
    char where[sizeof e->file + 16];
    if (e->line > 0) {
      snprintf(where, sizeof where, "%s:%u", e->file, e->line);
    } else {
      snprintf(where, sizeof where, "%s", e->file);
    }
    sp_error_context(e, "%s", where);
    e->file[0] = e->pointer[0] = '\0';
    e->line = e->col = 0;
  }
  sp_error_place(e, &written->loc);
}

sp_status sp_scan_open(sp_bind_cx *cx, sp_scan_node *n, const sp_node *written, sp_error *err) {
  sp_error open_err = SP_ERROR_INIT;
  const sp_status st = open_dataset(cx->env, n, &n->dataset, &open_err);
  if (st == SP_OK) {
    n->file_schema = sp_dataset_schema(n->dataset);
    warn_unreadable(cx->env, n, written);
  } else if (st == SP_NOT_FOUND && n->given != NULL) {
    place_at_node(&open_err, written);
    warn(cx->env, &open_err);
    SP_TRY(schema_without_file(n, cx->arena, &n->file_schema, err));
  } else {
    place_at_node(&open_err, written);
    if (err != NULL && err->status == SP_OK) {
      *err = open_err;
    }
    return st;
  }
  SP_TRY(order_columns(n, &written->loc, cx->arena, err));
  if (n->predicate.n > 0) {
    SP_TRY(
        sp_bind_predicate(cx, written, &n->predicate, n->file_schema, "scan predicate", &n->predicate, err));
  }
  return SP_OK;
}

sp_status sp_scan_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                          sp_error *err) {
  (void)inputs;
  sp_scan_node *n = (sp_scan_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  if (n->n_rows < -1) {
    const sp_loc at = sp_loc_member(&written->loc, "n_rows", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`n_rows` must not be negative, got %lld", (long long)n->n_rows);
  }
  n->root = cx->env->data_root != NULL ? cx->env->data_root : cx->env->plan_dir;
  SP_TRY(sp_scan_open(cx, n, written, err));
  *ret = &n->base;
  return SP_OK;
}

/* ---- hooks that all scans share ---- */
sp_status sp_scan_schema(const sp_node *node, const sp_schema *const *inputs, sp_arena *a,
                         const sp_schema **ret, sp_error *err) {
  (void)inputs;
  const sp_scan_node *n = (const sp_scan_node *)node;
  if (!n->columns_given) {
    *ret = n->file_schema;
    return SP_OK;
  }
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t i = 0; i < n->columns.n; i++) {
    const int32_t c = sp_schema_find(n->file_schema, sp_sv_from(n->columns.items[i]));
    if (c < 0) {
      return sp_schema_unknown(n->file_schema, sp_sv_from(n->columns.items[i]), &node->loc, err);
    }
    sp_schema_add(&b, n->file_schema->fields[c].name, n->file_schema->fields[c].type);
  }
  return sp_schema_finish(&b, &node->loc, ret, err);
}

sp_status sp_scan_narrow(const sp_node *node, const sp_names *out, sp_arena *a, const sp_node **ret) {
  const sp_scan_node *n = (const sp_scan_node *)node;
  const char **names = SP_ARENA_ARRAY(a, const char *, node->schema->n);
  if (names == NULL) {
    return SP_NOMEM;
  }
  uint32_t n_names = 0;
  for (uint32_t i = 0; i < node->schema->n; i++) {
    if (sp_names_has(out, node->schema->fields[i].name)) {
      names[n_names++] = node->schema->fields[i].name.p;
    }
  }
  if (n_names == node->schema->n) {
    *ret = node;
    return SP_OK;
  }
  sp_scan_node *c = (sp_scan_node *)sp_node_copy(a, &n->base);
  if (c == NULL) {
    return SP_NOMEM;
  }
  c->columns = (sp_strings){.n = n_names, .items = names};
  c->columns_given = true;
  *ret = &c->base;
  return SP_OK;
}

/* No blocker: the scan may take the predicate as its own. */
sp_status sp_scan_push(const sp_node *node, const sp_schema *const *inputs, const sp_expr *pred, sp_arena *a,
                       sp_push *ret) {
  (void)inputs, (void)pred;
  if (!sp_push_begin(ret, 0, a)) {
    return SP_NOMEM;
  }
  if (((const sp_scan_node *)node)->n_rows >= 0) {
    return sp_push_block(ret, a, "`n_rows` counts rows before any predicate");
  }
  return SP_OK;
}

void sp_scan_headline(const sp_node *node, sp_str *out) {
  const sp_scan_node *n = (const sp_scan_node *)node;
  if (n->table != NULL) {
    sp_str_add(out, n->table);
  } else {
    for (uint32_t i = 0; i < n->paths.n && i < 3; i++) {
      sp_str_addf(out, "%s%s", i > 0 ? ", " : "", n->paths.items[i]);
    }
    if (n->paths.n > 3) {
      sp_str_addf(out, " and %u more", n->paths.n - 3);
    }
  }
  if (n->n_rows >= 0) {
    sp_str_addf(out, ", first %lld rows", (long long)n->n_rows);
  }
}
