/* Lists of expressions as nodes use them: the schema they make, the columns they need, equal names among
 * them. */
#include <stdio.h>

#include "plan/kinds.h"

sp_loc sp_loc_member(const sp_loc *node, const char *key, sp_arena *a) {
  sp_loc r = *node;
  if (node->pointer != NULL) {
    const char *p = sp_arena_printf(a, "%s/%s", node->pointer, key);
    r.pointer = p != NULL ? p : node->pointer; /* a coarser place when memory is short */
  }
  return r;
}

sp_status sp_unknown_in_list(const sp_schema *s, const sp_strings *list, uint32_t index, const sp_loc *node,
                             const char *key, sp_arena *a, sp_error *err) {
  char member[64];
  snprintf(member, sizeof member, "%s/%u", key, index);
  const sp_loc at = sp_loc_member(node, member, a);
  return sp_schema_unknown(s, sp_sv_from(list->items[index]), &at, err);
}

bool sp_schema_add_items(sp_schema_builder *b, const sp_items *items, sp_arena *a) {
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_sv name = sp_expr_name(items->items[i].expr, a);
    if (name.p == NULL) {
      return false;
    }
    sp_schema_add(b, name, items->items[i].expr->type);
  }
  return true;
}

static const sp_item *item_at(const sp_items *x, const sp_items *y, uint32_t i) {
  return i < x->n ? &x->items[i] : &y->items[i - x->n];
}

static sp_status same_name(const sp_item *first, const sp_item *second, sp_sv name, sp_arena *a,
                           sp_error *err) {
  const char *x = sp_expr_text(first->expr, a);
  const char *y = sp_expr_text(second->expr, a);
  if (x == NULL || y == NULL) {
    return sp_error_nomem(err);
  }
  sp_error_set(err, SP_INVALID, &second->loc,
               "duplicate output name `%.*s`: made by `%.120s` and by `%.120s`",
               (int)(name.n < 120 ? name.n : 120), name.p, x, y);
  sp_error_hint(err, "give one of them another name with AS");
  return SP_INVALID;
}

sp_status sp_items_unique(const sp_items *x, const sp_items *y, sp_arena *a, sp_error *err) {
  const uint32_t n = x->n + (y != NULL ? y->n : 0);
  sp_idmap seen;
  sp_idmap_init(&seen, a);
  for (uint32_t i = 0; i < n; i++) {
    const sp_item *item = item_at(x, y, i);
    const sp_sv name = sp_expr_name(item->expr, a);
    uint32_t old;
    if (name.p == NULL || !sp_idmap_add(&seen, name, i, &old)) {
      return sp_error_nomem(err);
    }
    if (old != UINT32_MAX) {
      return same_name(item_at(x, y, old), item, name, a, err);
    }
  }
  return SP_OK;
}

sp_status sp_schema_same(const sp_node *n, const sp_schema *const *inputs, sp_arena *a, const sp_schema **ret,
                         sp_error *err) {
  (void)n, (void)a, (void)err;
  *ret = inputs[0];
  return SP_OK;
}

/* ---- needed columns ---- */
bool sp_needs_items(const sp_items *items, sp_arena *a, sp_names *ret) {
  for (uint32_t i = 0; i < items->n; i++) {
    if (!sp_expr_columns(items->items[i].expr, a, ret)) {
      return false;
    }
  }
  return true;
}

bool sp_needs_schema(const sp_schema *s, sp_arena *a, sp_names *ret) {
  for (uint32_t i = 0; i < s->n; i++) {
    if (!sp_names_add(ret, a, s->fields[i].name)) {
      return false;
    }
  }
  return true;
}

bool sp_needs_out(const sp_schema *s, const sp_names *out, sp_arena *a, sp_names *ret) {
  if (out == NULL) {
    return sp_needs_schema(s, a, ret);
  }
  for (uint32_t i = 0; i < out->n; i++) {
    if (!sp_names_add(ret, a, out->names[i])) {
      return false;
    }
  }
  return true;
}

bool sp_needs_same(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                   sp_arena *a, sp_names *ret) {
  (void)n;
  return sp_needs_out(inputs[which], out, a, ret);
}

bool sp_needs_all(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                  sp_arena *a, sp_names *ret) {
  (void)n, (void)out;
  return sp_needs_schema(inputs[which], a, ret);
}

bool sp_needs_none(const sp_node *n, const sp_schema *const *inputs, const sp_names *out, uint32_t which,
                   sp_arena *a, sp_names *ret) {
  (void)n, (void)inputs, (void)out, (void)which, (void)a, (void)ret;
  return true;
}

bool sp_items_narrow(const sp_items *items, const sp_names *out, sp_arena *a, sp_items *ret) {
  sp_item *kept = SP_ARENA_ARRAY(a, sp_item, items->n);
  if (kept == NULL) {
    return false;
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < items->n; i++) {
    const sp_sv name = sp_expr_name(items->items[i].expr, a);
    if (name.p == NULL) {
      return false;
    }
    if (sp_names_has(out, name)) {
      kept[n++] = items->items[i];
    }
  }
  *ret = n == items->n ? *items : (sp_items){.n = n, .items = kept};
  return true;
}
