/* Fields of nodes, by the kinds' tables: defaults, equality, hashing, which are given, which hold
 * expressions. The one place that knows how a kind of field is stored (reading and writing JSON apart, which
 * the native format does). */
#include "plan/kinds.h"

bool sp_fkind_is_items(sp_fkind k) {
  return k == SP_F_EXPR || k == SP_F_PREDICATE || k == SP_F_EXPRS || k == SP_F_SORT_KEYS;
}

sp_node *sp_node_new(sp_arena *a, const sp_node_ops *ops) {
  sp_node *n = sp_arena_alloc(a, ops->size);
  if (n == NULL) {
    return NULL;
  }
  n->ops = ops;
  for (const sp_field_desc *f = ops->fields; f->key != NULL; f++) {
    void *p = (char *)n + f->offset;
    if (f->kind == SP_F_INT) {
      *(int64_t *)p = f->dflt;
    } else if (f->kind == SP_F_BOOL) {
      *(bool *)p = f->dflt != 0;
    } else if (f->kind == SP_F_CHAR) {
      *(char *)p = (char)f->dflt;
    } else if (f->kind == SP_F_ENUM) {
      *(int *)p = (int)f->dflt;
    }
  }
  return n;
}

sp_node *sp_node_copy(sp_arena *a, const sp_node *n) {
  sp_node *c = sp_arena_copy(a, n, n->ops->size);
  if (c != NULL) {
    c->fingerprint = (sp_hash128){0};
  }
  return c;
}

/* ---- equality ---- */
static bool str_eq(const char *x, const char *y) {
  return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static bool strings_eq(const sp_strings *x, const sp_strings *y) {
  if (x->n != y->n || (x->items == NULL) != (y->items == NULL)) {
    return false;
  }
  for (uint32_t i = 0; i < x->n; i++) {
    if (!str_eq(x->items[i], y->items[i])) {
      return false;
    }
  }
  return true;
}

static bool items_eq(const sp_items *x, const sp_items *y) {
  if (x->n != y->n) {
    return false;
  }
  for (uint32_t i = 0; i < x->n; i++) {
    const sp_item *p = &x->items[i];
    const sp_item *q = &y->items[i];
    if (p->descending != q->descending || p->nulls_last != q->nulls_last || !sp_expr_eq(p->expr, q->expr)) {
      return false;
    }
  }
  return true;
}

static bool rows_eq(const sp_rows *x, const sp_rows *y, uint32_t width) {
  if (x->n != y->n) {
    return false;
  }
  for (uint32_t i = 0; i < x->n; i++) {
    for (uint32_t c = 0; c < width; c++) {
      if (!sp_value_eq(&x->values[i][c], &y->values[i][c])) {
        return false;
      }
    }
  }
  return true;
}

static bool schema_eq(const sp_schema *x, const sp_schema *y) {
  return x == y || (x != NULL && y != NULL && sp_schema_eq(x, y));
}

static bool field_eq(const sp_field_desc *f, const void *x, const void *y, uint32_t width) {
  switch (f->kind) {
  case SP_F_EXPR:
  case SP_F_PREDICATE:
  case SP_F_EXPRS:
  case SP_F_SORT_KEYS:
    return items_eq(x, y);
  case SP_F_NAMES:
  case SP_F_PATHS:
  case SP_F_RENAMES:
    return strings_eq(x, y);
  case SP_F_STRING:
    return str_eq(*(const char *const *)x, *(const char *const *)y);
  case SP_F_CHAR:
    return *(const char *)x == *(const char *)y;
  case SP_F_INT:
    return *(const int64_t *)x == *(const int64_t *)y;
  case SP_F_BOOL:
    return *(const bool *)x == *(const bool *)y;
  case SP_F_ENUM:
    return *(const int *)x == *(const int *)y;
  case SP_F_SCHEMA:
    return schema_eq(*(const sp_schema *const *)x, *(const sp_schema *const *)y);
  case SP_F_ROWS:
    return rows_eq(x, y, width);
  case SP_F_ROW_INDEX: {
    const sp_row_index *p = x;
    const sp_row_index *q = y;
    return str_eq(p->name, q->name) && p->offset == q->offset;
  }
  case SP_F_PARTITION: {
    const sp_partition *p = x;
    const sp_partition *q = y;
    return p->max_rows == q->max_rows && p->max_bytes == q->max_bytes && strings_eq(&p->by, &q->by);
  }
  }
  return false;
}

/* Values per row: the kind's schema field (it precedes the rows in every table). */
static uint32_t row_width(const sp_node *n) {
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    if (f->kind == SP_F_SCHEMA) {
      const sp_schema *s = *(const sp_schema *const *)sp_field_ptr(n, f);
      return s != NULL ? s->n : 0;
    }
  }
  return 0;
}

bool sp_node_fields_eq(const sp_node *x, const sp_node *y) {
  if (x->ops != y->ops) {
    return false;
  }
  for (const sp_field_desc *f = x->ops->fields; f->key != NULL; f++) {
    if (!field_eq(f, sp_field_ptr(x, f), sp_field_ptr(y, f), row_width(x))) {
      return false;
    }
  }
  return true;
}

/* ---- given or not ---- */
bool sp_field_is_set(const sp_node *n, const sp_field_desc *f) {
  const void *p = sp_field_ptr(n, f);
  switch (f->kind) {
  case SP_F_EXPR:
  case SP_F_PREDICATE:
  case SP_F_EXPRS:
  case SP_F_SORT_KEYS: {
    const sp_items *x = p;
    return x->n > 0 || x->items != NULL || f->required;
  }
  case SP_F_NAMES:
  case SP_F_PATHS:
  case SP_F_RENAMES: {
    const sp_strings *x = p;
    return x->n > 0 || x->items != NULL || f->required;
  }
  case SP_F_STRING:
    return *(const char *const *)p != NULL;
  case SP_F_CHAR:
    return *(const char *)p != (char)f->dflt;
  case SP_F_INT:
    return f->required || *(const int64_t *)p != f->dflt;
  case SP_F_BOOL:
    return *(const bool *)p != (f->dflt != 0);
  case SP_F_ENUM:
    return f->required || *(const int *)p != (int)f->dflt;
  case SP_F_SCHEMA:
    return *(const sp_schema *const *)p != NULL;
  case SP_F_ROWS:
    return true;
  case SP_F_ROW_INDEX:
    return ((const sp_row_index *)p)->name != NULL;
  case SP_F_PARTITION: {
    const sp_partition *x = p;
    return x->max_rows != 0 || x->max_bytes != 0 || x->by.n > 0;
  }
  }
  return false;
}

/* ---- hashing ---- */
static void hash_cstr(sp_hasher *h, const char *s) {
  sp_hasher_bytes(h, s != NULL ? s : "", s != NULL ? strlen(s) : 0);
}

static void hash_strings(sp_hasher *h, const sp_strings *s) {
  sp_hasher_u64(h, s->n);
  for (uint32_t i = 0; i < s->n; i++) {
    hash_cstr(h, s->items[i]);
  }
}

static void hash_value(sp_hasher *h, const sp_value *v) {
  hash_cstr(h, v->type->name);
  sp_hasher_u64(h, v->is_null);
  if (v->is_null || v->type->width == 0) {
    return;
  }
  if (sp_type_is_bytes(v->type)) {
    sp_hasher_bytes(h, v->s.p, v->s.n);
    return;
  }
  _Alignas(16) uint8_t bytes[16] = {0};
  sp_value_store(v, bytes);
  sp_hasher_bytes(h, bytes, sizeof bytes);
}

static void hash_schema(sp_hasher *h, const sp_schema *s) {
  sp_hasher_u64(h, s->n);
  for (uint32_t i = 0; i < s->n; i++) {
    sp_hasher_bytes(h, s->fields[i].name.p, s->fields[i].name.n);
    hash_cstr(h, s->fields[i].type->name);
  }
}

static void hash_items(sp_hasher *h, const sp_items *x) {
  sp_hasher_u64(h, x->n);
  for (uint32_t i = 0; i < x->n; i++) {
    sp_expr_hash128(x->items[i].expr, h);
    sp_hasher_u64(h, (uint64_t)x->items[i].descending * 2 + x->items[i].nulls_last);
  }
}

static void hash_rows(sp_hasher *h, const sp_rows *x, uint32_t width) {
  sp_hasher_u64(h, x->n);
  for (uint32_t i = 0; i < x->n; i++) {
    for (uint32_t c = 0; c < width; c++) {
      hash_value(h, &x->values[i][c]);
    }
  }
}

static void hash_field(sp_hasher *h, const sp_field_desc *f, const void *p, uint32_t width) {
  switch (f->kind) {
  case SP_F_EXPR:
  case SP_F_PREDICATE:
  case SP_F_EXPRS:
  case SP_F_SORT_KEYS:
    hash_items(h, p);
    break;
  case SP_F_NAMES:
  case SP_F_PATHS:
  case SP_F_RENAMES:
    hash_strings(h, p);
    break;
  case SP_F_STRING:
    hash_cstr(h, *(const char *const *)p);
    break;
  case SP_F_CHAR:
    sp_hasher_u64(h, (unsigned char)*(const char *)p);
    break;
  case SP_F_INT:
    sp_hasher_u64(h, (uint64_t) * (const int64_t *)p);
    break;
  case SP_F_BOOL:
    sp_hasher_u64(h, *(const bool *)p);
    break;
  case SP_F_ENUM:
    sp_hasher_u64(h, (uint64_t) * (const int *)p);
    break;
  case SP_F_SCHEMA:
    hash_schema(h, *(const sp_schema *const *)p);
    break;
  case SP_F_ROWS:
    hash_rows(h, p, width);
    break;
  case SP_F_ROW_INDEX:
    hash_cstr(h, ((const sp_row_index *)p)->name);
    sp_hasher_u64(h, (uint64_t)((const sp_row_index *)p)->offset);
    break;
  case SP_F_PARTITION:
    sp_hasher_u64(h, (uint64_t)((const sp_partition *)p)->max_rows);
    sp_hasher_u64(h, (uint64_t)((const sp_partition *)p)->max_bytes);
    hash_strings(h, &((const sp_partition *)p)->by);
    break;
  }
}

uint64_t sp_fields_hash(const sp_node *n, sp_hasher *h) {
  uint64_t set = 0;
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    if (sp_field_is_set(n, f)) {
      hash_cstr(h, f->key);
      hash_field(h, f, sp_field_ptr(n, f), row_width(n));
      set++;
    }
  }
  return set;
}

/* ---- expressions ---- */
bool sp_node_items(const sp_node *n, uint32_t i, const sp_field_desc **ret_field, const sp_items **ret) {
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    if (sp_fkind_is_items(f->kind) && i-- == 0) {
      *ret_field = f;
      *ret = sp_field_ptr(n, f);
      return true;
    }
  }
  return false;
}

const sp_items *sp_items_of(sp_arena *a, const sp_expr *const *exprs, uint32_t n, sp_origin origin) {
  sp_items *r = SP_ARENA_NEW(a, sp_items);
  sp_item *items = SP_ARENA_ARRAY(a, sp_item, n);
  if (r == NULL || items == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < n; i++) {
    items[i] = (sp_item){.expr = exprs[i], .origin = origin};
  }
  *r = (sp_items){.n = n, .items = items};
  return r;
}

sp_status sp_field_scope(const sp_node *n, const sp_field_desc *f, const sp_schema *const *inputs,
                         sp_arena *a, const sp_schema **ret, sp_error *err) {
  if (f->scope == SP_SCOPE_BOTH) {
    return sp_join_scope((const sp_join_node *)n, inputs[0], inputs[1], a, ret, err);
  }
  if (f->scope == SP_SCOPE_FILE) {
    *ret = ((const sp_scan_node *)n)->file_schema;
  } else {
    const uint32_t which = f->scope == SP_SCOPE_RIGHT ? 1 : 0;
    *ret = which < n->n_inputs ? inputs[which] : NULL;
  }
  return SP_OK;
}
