/* Values of fields from JSON, one function per kind of field. Every error names the key, what was expected
 * and what stands there, at its place. */
#include "formats/native/native.h"

/* ---- places and messages ---- */
static void line_col(const sp_json_doc *d, uint32_t offset, uint32_t *ret_line, uint32_t *ret_col) {
  uint32_t lo = 0;
  uint32_t hi = d->n_lines;
  while (hi - lo > 1) {
    const uint32_t mid = lo + (hi - lo) / 2;
    if (d->line_starts[mid] <= offset) {
      lo = mid;
    } else {
      hi = mid;
    }
  }
  *ret_line = lo + 1;
  *ret_col = offset - d->line_starts[lo] + 1;
}

sp_loc sp_native_loc(const sp_native_reader *r, const char *pointer, const sp_json *v) {
  sp_loc loc = {.file = r->doc->file, .pointer = pointer};
  line_col(r->doc, v->offset, &loc.line, &loc.col);
  return loc;
}

sp_status sp_native_wrong(const sp_native_reader *r, const sp_json *v, const char *key, const char *what,
                          sp_error *err) {
  const sp_loc at = sp_json_loc(r->doc, v, r->arena);
  SP_FAIL(err, SP_INVALID, &at, "`%.60s` must be %s, got %s", key, what, sp_json_kind_name(v->kind));
}

const char *sp_native_cstr(const sp_json *v) {
  return v->kind == SP_JSON_STRING && memchr(v->str.p, '\0', v->str.n) == NULL ? v->str.p : NULL;
}

/* A C string, or an error that also tells of U+0000. */
static sp_status read_cstr(const sp_native_reader *r, const sp_json *v, const char *key, const char *what,
                           const char **ret, sp_error *err) {
  const char *s = sp_native_cstr(v);
  if (s == NULL && v->kind == SP_JSON_STRING) {
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    SP_FAIL(err, SP_INVALID, &at, "`%.60s` must not hold the character U+0000", key);
  }
  if (s == NULL) {
    return sp_native_wrong(r, v, key, what, err);
  }
  *ret = s;
  return SP_OK;
}

typedef struct name_list {
  const char *const *names;
} name_list;

static sp_sv name_at(const void *ctx, uint32_t i) {
  return sp_sv_from(((const name_list *)ctx)->names[i]);
}

sp_status sp_native_unknown_key(const sp_native_reader *r, const sp_json *v, const char *what,
                                const char *const *names, uint32_t n, sp_error *err) {
  const sp_loc at = sp_json_key_loc(r->doc, v, r->arena);
  const name_list list = {names};
  char near[200];
  sp_error_set(err, SP_INVALID, &at, "unknown key `%.*s` of %s", (int)(v->key.n < 100 ? v->key.n : 100),
               v->key.p, what);
  if (sp_nearest_names(v->key, n, name_at, &list, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s?", near);
  }
  return SP_INVALID;
}

/* ---- expressions ---- */
static sp_status read_expr(const sp_native_reader *r, const char *key, const sp_json *v, const char *pointer,
                           sp_item *ret, sp_error *err) {
  ret->loc = sp_native_loc(r, pointer, v);
  if (v->kind == SP_JSON_STRING) {
    return sp_expr_parse(r->arena, v->str, &ret->loc, &ret->expr, err);
  }
  if (v->kind == SP_JSON_OBJECT) {
    return sp_expr_from_json(r->arena, r->doc, v, &ret->expr, err);
  }
  return sp_native_wrong(r, v, key, "an expression (text, or an object)", err);
}

/* {expr, descending, nulls_last}, or an expression. */
static sp_status read_sort_key(const sp_native_reader *r, const char *key, const sp_json *v,
                               const char *pointer, sp_item *ret, sp_error *err) {
  const sp_json *expr = v->kind == SP_JSON_OBJECT ? sp_json_get(v, "expr") : NULL;
  if (expr == NULL) {
    return read_expr(r, key, v, pointer, ret, err);
  }
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    static const char *const keys[] = {"expr", "descending", "nulls_last"};
    bool *flag = sp_sv_eq(m->key, SP_SV("descending"))   ? &ret->descending
                 : sp_sv_eq(m->key, SP_SV("nulls_last")) ? &ret->nulls_last
                                                         : NULL;
    if (flag != NULL && m->kind != SP_JSON_BOOL) {
      return sp_native_wrong(r, m, m->key.p, "true or false", err);
    }
    if (flag != NULL) {
      *flag = m->b;
    } else if (m != expr) {
      return sp_native_unknown_key(r, m, "a sort key", keys, 3, err);
    }
  }
  const char *expr_pointer = sp_arena_printf(r->arena, "%s/expr", pointer);
  SP_TRY_ALLOC(err, expr_pointer);
  return read_expr(r, "expr", expr, expr_pointer, ret, err);
}

static sp_status read_items(const sp_native_reader *r, const sp_field_desc *f, const sp_json *v,
                            const char *pointer, sp_items *ret, sp_error *err) {
  const bool list = f->kind == SP_F_EXPRS || f->kind == SP_F_SORT_KEYS;
  if (list && v->kind != SP_JSON_ARRAY) {
    return sp_native_wrong(r, v, f->key,
                           f->kind == SP_F_EXPRS ? "a list of expressions" : "a list of sort keys", err);
  }
  const uint32_t n = list ? v->n : 1;
  if (n > SP_SCHEMA_MAX) {
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    SP_FAIL(err, SP_LIMIT, &at, "`%s` holds %u expressions, more than %d", f->key, n, SP_SCHEMA_MAX);
  }
  sp_item *items = SP_ARENA_ARRAY(r->arena, sp_item, n);
  SP_TRY_ALLOC(err, items);
  if (!list) {
    SP_TRY(read_expr(r, f->key, v, pointer, &items[0], err));
  }
  const sp_json *c = list ? v->first : NULL;
  for (uint32_t i = 0; c != NULL; c = c->next, i++) {
    const char *at = sp_arena_printf(r->arena, "%s/%u", pointer, i);
    SP_TRY_ALLOC(err, at);
    SP_TRY(f->kind == SP_F_EXPRS ? read_expr(r, f->key, c, at, &items[i], err)
                                 : read_sort_key(r, f->key, c, at, &items[i], err));
  }
  *ret = (sp_items){.n = n, .items = items};
  return SP_OK;
}

/* ---- strings ---- */
static sp_status read_strings(const sp_native_reader *r, const char *key, const sp_json *v, bool one_too,
                              sp_strings *ret, sp_error *err) {
  const bool one = one_too && v->kind == SP_JSON_STRING;
  if (!one && v->kind != SP_JSON_ARRAY) {
    return sp_native_wrong(r, v, key, one_too ? "a string or a list of strings" : "a list of strings", err);
  }
  const uint32_t n = one ? 1 : v->n;
  const char **items = SP_ARENA_ARRAY(r->arena, const char *, n);
  SP_TRY_ALLOC(err, items);
  uint32_t i = 0;
  for (const sp_json *c = one ? v : v->first; c != NULL; c = one ? NULL : c->next) {
    SP_TRY(read_cstr(r, c, key, "a list of strings", &items[i++], err));
  }
  *ret = (sp_strings){.n = n, .items = items};
  return SP_OK;
}

static sp_status read_paths(const sp_native_reader *r, const sp_json *v, sp_strings *ret, sp_error *err) {
  SP_TRY(read_strings(r, v->key.p, v, true, ret, err));
  const char *what = ret->n == 0 ? "names no file" : NULL;
  for (uint32_t i = 0; i < ret->n && what == NULL; i++) {
    what = ret->items[i][0] == '\0' ? "holds an empty path" : NULL;
  }
  if (what != NULL || ret->n > SP_IO_MAX_FILES) {
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    if (what != NULL) {
      SP_FAIL(err, SP_INVALID, &at, "`%s` %s", v->key.p, what);
    }
    SP_FAIL(err, SP_LIMIT, &at, "`%s` names more than %d files", v->key.p, SP_IO_MAX_FILES);
  }
  return SP_OK;
}

static sp_status read_renames(const sp_native_reader *r, const char *key, const sp_json *v, sp_strings *ret,
                              sp_error *err) {
  if (v->kind != SP_JSON_OBJECT) {
    return sp_native_wrong(r, v, key, "an object of old: new", err);
  }
  const char **items = SP_ARENA_ARRAY(r->arena, const char *, (size_t)v->n * 2);
  SP_TRY_ALLOC(err, items);
  uint32_t i = 0;
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    if (memchr(m->key.p, '\0', m->key.n) != NULL) {
      const sp_loc at = sp_json_key_loc(r->doc, m, r->arena);
      SP_FAIL(err, SP_INVALID, &at, "a name in `%s` must not hold the character U+0000", key);
    }
    items[i++] = m->key.p;
    SP_TRY(read_cstr(r, m, m->key.p, "the new name (a string)", &items[i++], err));
  }
  *ret = (sp_strings){.n = i, .items = items};
  return SP_OK;
}

/* ---- numbers and choices ---- */
static sp_status read_int(const sp_native_reader *r, const char *key, const sp_json *v, int64_t *ret,
                          sp_error *err) {
  if (v->kind != SP_JSON_INT) {
    return sp_native_wrong(r, v, key, "an integer", err);
  }
  *ret = v->i;
  return SP_OK;
}

static sp_status read_char(const sp_native_reader *r, const char *key, const sp_json *v, char *ret,
                           sp_error *err) {
  if (v->kind != SP_JSON_STRING) {
    return sp_native_wrong(r, v, key, "a string of one byte", err);
  }
  if (v->str.n > 1 || (v->str.n == 1 && v->str.p[0] == '\0')) {
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    SP_FAIL(err, SP_INVALID, &at, "`%s` must be a string of one byte, got `%.*s`", key,
            (int)(v->str.n < 60 ? v->str.n : 60), v->str.p);
  }
  *ret = v->str.n == 1 ? v->str.p[0] : '\0';
  return SP_OK;
}

static sp_status unknown_choice(const sp_native_reader *r, const sp_field_desc *f, const sp_json *v,
                                sp_error *err) {
  const sp_loc at = sp_json_loc(r->doc, v, r->arena);
  char list[200] = "";
  size_t used = 0;
  uint32_t n = 0;
  for (; f->choices[n] != NULL; n++) {
    const size_t len = strlen(f->choices[n]);
    if (used + len + 3 < sizeof list) {
      memcpy(list + used, n > 0 ? ", " : "", n > 0 ? 2 : 0);
      used += n > 0 ? 2 : 0;
      memcpy(list + used, f->choices[n], len + 1);
      used += len;
    }
  }
  char near[128];
  const name_list names = {f->choices};
  sp_error_set(err, SP_INVALID, &at, "`%s` is `%.*s`: it must be one of %s", f->key,
               (int)(v->str.n < 60 ? v->str.n : 60), v->str.p, list);
  if (sp_nearest_names(v->str, n, name_at, &names, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s?", near);
  }
  return SP_INVALID;
}

/* The choices "true" and "false" are written as JSON's. */
static sp_status read_enum(const sp_native_reader *r, const sp_field_desc *f, const sp_json *v, int *ret,
                           sp_error *err) {
  if (v->kind != SP_JSON_STRING && v->kind != SP_JSON_BOOL) {
    return sp_native_wrong(r, v, f->key, "a string", err);
  }
  const sp_sv text = v->kind == SP_JSON_STRING ? v->str : sp_sv_from(v->b ? "true" : "false");
  for (int i = 0; f->choices[i] != NULL; i++) {
    const bool is_bool = strcmp(f->choices[i], "true") == 0 || strcmp(f->choices[i], "false") == 0;
    if (sp_sv_eq(text, sp_sv_from(f->choices[i])) && is_bool == (v->kind == SP_JSON_BOOL)) {
      *ret = i;
      return SP_OK;
    }
  }
  return v->kind == SP_JSON_BOOL ? sp_native_wrong(r, v, f->key, "a string", err)
                                 : unknown_choice(r, f, v, err);
}

/* ---- schemas and small objects ---- */
static sp_status read_schema(const sp_native_reader *r, const char *key, const sp_json *v,
                             const sp_schema **ret, sp_error *err) {
  if (v->kind != SP_JSON_OBJECT) {
    return sp_native_wrong(r, v, key, "an object of name: type", err);
  }
  sp_schema_builder b;
  sp_schema_begin(&b, r->arena);
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    if (m->kind != SP_JSON_STRING) {
      return sp_native_wrong(r, m, m->key.p, "a type's name (a string)", err);
    }
    const sp_type *t = sp_type_parse(m->str);
    if (t == NULL || t->kind == SP_KIND_INTERVAL) {
      const sp_loc at = sp_json_loc(r->doc, m, r->arena);
      sp_error_set(err, SP_TYPE, &at, "column `%.100s`: unknown type `%.*s`", m->key.p,
                   (int)(m->str.n < 60 ? m->str.n : 60), m->str.p);
      sp_error_hint(err, "types are bool, int8 to int64, uint8 to uint64, float32, float64, decimal(p,s), "
                         "string, binary, date, datetime(us), time, duration(us)");
      return SP_TYPE;
    }
    if (memchr(m->key.p, '\0', m->key.n) != NULL) {
      const sp_loc at = sp_json_key_loc(r->doc, m, r->arena);
      SP_FAIL(err, SP_INVALID, &at, "a column's name must not hold the character U+0000");
    }
    sp_schema_add(&b, m->key, t);
  }
  if (b.n > SP_SCHEMA_MAX) { /* names are different, as keys of an object */
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    SP_FAIL(err, SP_LIMIT, &at, "`%s` has more than %d columns", key, SP_SCHEMA_MAX);
  }
  return sp_schema_finish(&b, NULL, ret, err);
}

static sp_status read_row_index(const sp_native_reader *r, const char *key, const sp_json *v,
                                sp_row_index *ret, sp_error *err) {
  static const char *const keys[] = {"name", "offset"};
  if (v->kind != SP_JSON_OBJECT) {
    return sp_native_wrong(r, v, key, "an object {name, offset}", err);
  }
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    if (sp_sv_eq(m->key, SP_SV("name"))) {
      SP_TRY(read_cstr(r, m, "name", "a string", &ret->name, err));
    } else if (sp_sv_eq(m->key, SP_SV("offset"))) {
      SP_TRY(read_int(r, "offset", m, &ret->offset, err));
    } else {
      return sp_native_unknown_key(r, m, "`row_index`", keys, 2, err);
    }
  }
  if (ret->name == NULL) {
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    SP_FAIL(err, SP_INVALID, &at, "`%s` needs a `name`", key);
  }
  return SP_OK;
}

static sp_status read_partition(const sp_native_reader *r, const char *key, const sp_json *v,
                                sp_partition *ret, sp_error *err) {
  static const char *const keys[] = {"max_rows", "max_bytes", "by"};
  if (v->kind != SP_JSON_OBJECT) {
    return sp_native_wrong(r, v, key, "an object {max_rows, max_bytes, by}", err);
  }
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    if (sp_sv_eq(m->key, SP_SV("max_rows"))) {
      SP_TRY(read_int(r, "max_rows", m, &ret->max_rows, err));
    } else if (sp_sv_eq(m->key, SP_SV("max_bytes"))) {
      SP_TRY(read_int(r, "max_bytes", m, &ret->max_bytes, err));
    } else if (sp_sv_eq(m->key, SP_SV("by"))) {
      SP_TRY(read_strings(r, "by", m, false, &ret->by, err));
    } else {
      return sp_native_unknown_key(r, m, "`partition`", keys, 3, err);
    }
  }
  return SP_OK;
}

sp_status sp_native_read_field(const sp_native_reader *r, sp_node *n, const sp_field_desc *f,
                               const sp_json *v, const char *pointer, sp_error *err) {
  void *to = (char *)n + f->offset;
  switch (f->kind) {
  case SP_F_EXPR:
  case SP_F_PREDICATE:
  case SP_F_EXPRS:
  case SP_F_SORT_KEYS:
    return read_items(r, f, v, pointer, to, err);
  case SP_F_NAMES:
    return read_strings(r, f->key, v, false, to, err);
  case SP_F_PATHS:
    return read_paths(r, v, to, err);
  case SP_F_RENAMES:
    return read_renames(r, f->key, v, to, err);
  case SP_F_STRING:
    return read_cstr(r, v, f->key, "a string", to, err);
  case SP_F_CHAR:
    return read_char(r, f->key, v, to, err);
  case SP_F_INT:
    return read_int(r, f->key, v, to, err);
  case SP_F_BOOL:
    if (v->kind != SP_JSON_BOOL) {
      return sp_native_wrong(r, v, f->key, "true or false", err);
    }
    *(bool *)to = v->b;
    return SP_OK;
  case SP_F_ENUM:
    return read_enum(r, f, v, to, err);
  case SP_F_SCHEMA:
    return read_schema(r, f->key, v, to, err);
  case SP_F_ROWS: /* by sp_native_read_rows */
    return SP_OK;
  case SP_F_ROW_INDEX:
    return read_row_index(r, f->key, v, to, err);
  case SP_F_PARTITION:
    return read_partition(r, f->key, v, to, err);
  }
  return SP_OK;
}
