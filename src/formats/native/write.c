/* Writes any plan as a native document: strict JSON, a node per line, keys in the order id, op, inputs,
 * fields as in the kind's table, note. Fields at their defaults are left out; nodes that were written in
 * place stand in the list under their ids, so that reading it back gives the same plan. */
#include "data/text.h"
#include "formats/native/native.h"

static void put_strings(sp_jw *w, const sp_strings *s) {
  sp_jw_open(w, '[');
  for (uint32_t i = 0; i < s->n; i++) {
    sp_jw_cstr(w, s->items[i]);
  }
  sp_jw_close(w, ']');
}

/* The scratch text as a string; that it could not grow is the output's failure too (clearing it would forget
 * that). */
static void put_text(sp_jw *w, const sp_str *text) {
  if (!sp_str_ok(text) && sp_str_ok(w->out)) {
    w->out->status = text->status;
  }
  sp_jw_str(w, (sp_sv){text->p, text->n});
}

static void put_expr(sp_jw *w, const sp_expr *e, sp_str *text) {
  sp_str_clear(text);
  sp_expr_print(e, text);
  put_text(w, text);
}

static void put_sort_key(sp_jw *w, const sp_item *x, sp_str *text) {
  if (!x->descending && !x->nulls_last) {
    put_expr(w, x->expr, text);
    return;
  }
  sp_jw_open(w, '{');
  sp_jw_key(w, "expr");
  put_expr(w, x->expr, text);
  if (x->descending) {
    sp_jw_key(w, "descending");
    sp_jw_bool(w, true);
  }
  if (x->nulls_last) {
    sp_jw_key(w, "nulls_last");
    sp_jw_bool(w, true);
  }
  sp_jw_close(w, '}');
}

/* Conjuncts as one text, parenthesised where AND binds tighter. */
static void put_predicate(sp_jw *w, const sp_items *x, sp_str *text) {
  sp_str_clear(text);
  sp_headline_predicate(x, text);
  put_text(w, text);
}

static void put_items(sp_jw *w, const sp_field_desc *f, const sp_items *x, sp_str *text) {
  if (f->kind == SP_F_PREDICATE) {
    put_predicate(w, x, text);
    return;
  }
  if (f->kind == SP_F_EXPR) {
    put_expr(w, x->items[0].expr, text);
    return;
  }
  sp_jw_open(w, '[');
  for (uint32_t i = 0; i < x->n; i++) {
    if (f->kind == SP_F_SORT_KEYS) {
      put_sort_key(w, &x->items[i], text);
    } else {
      put_expr(w, x->items[i].expr, text);
    }
  }
  sp_jw_close(w, ']');
}

static void put_schema(sp_jw *w, const sp_schema *s) {
  sp_jw_open(w, '{');
  for (uint32_t i = 0; i < s->n; i++) {
    sp_jw_key(w, s->fields[i].name.p);
    sp_jw_cstr(w, s->fields[i].type->name);
  }
  sp_jw_close(w, '}');
}

static void put_value(sp_jw *w, const sp_value *v, sp_str *text) {
  if (v->is_null) {
    sp_jw_null(w);
  } else if (v->type->kind == SP_KIND_BOOL) {
    sp_jw_bool(w, v->b);
  } else if (v->type->family == SP_FAMILY_SIGNED || v->type->kind == SP_KIND_DURATION) {
    sp_jw_int(w, v->i);
  } else if (v->type->family == SP_FAMILY_UNSIGNED) {
    sp_jw_uint(w, v->u);
  } else if (sp_type_is_float(v->type) && v->f - v->f == 0) { /* finite: JSON has no other numbers */
    char number[SP_TEXT_MAX + 1];
    number[v->type->kind == SP_KIND_FLOAT32 ? sp_format_f32((float)v->f, number)
                                            : sp_format_f64(v->f, number)] = '\0';
    sp_jw_raw(w, number);
  } else if (sp_type_is_bytes(v->type)) {
    sp_jw_str(w, v->s);
  } else {
    sp_str_clear(text);
    sp_value_text(v, text);
    put_text(w, text);
  }
}

static void put_rows(sp_jw *w, const sp_rows *x, uint32_t width, sp_str *text) {
  sp_jw_open(w, '[');
  for (uint32_t i = 0; i < x->n; i++) {
    sp_jw_open(w, '[');
    for (uint32_t c = 0; c < width; c++) {
      put_value(w, &x->values[i][c], text);
    }
    sp_jw_close(w, ']');
  }
  sp_jw_close(w, ']');
}

static void put_partition(sp_jw *w, const sp_partition *p) {
  sp_jw_open(w, '{');
  if (p->max_rows != 0) {
    sp_jw_key(w, "max_rows");
    sp_jw_int(w, p->max_rows);
  }
  if (p->max_bytes != 0) {
    sp_jw_key(w, "max_bytes");
    sp_jw_int(w, p->max_bytes);
  }
  if (p->by.n > 0) {
    sp_jw_key(w, "by");
    put_strings(w, &p->by);
  }
  sp_jw_close(w, '}');
}

static void put_row_index(sp_jw *w, const sp_row_index *x) {
  sp_jw_open(w, '{');
  sp_jw_key(w, "name");
  sp_jw_cstr(w, x->name);
  if (x->offset != 0) {
    sp_jw_key(w, "offset");
    sp_jw_int(w, x->offset);
  }
  sp_jw_close(w, '}');
}

static void put_enum(sp_jw *w, const char *choice) {
  if (strcmp(choice, "true") == 0 || strcmp(choice, "false") == 0) {
    sp_jw_bool(w, choice[0] == 't');
  } else {
    sp_jw_cstr(w, choice);
  }
}

static void put_field(sp_jw *w, const sp_node *n, const sp_field_desc *f, sp_str *text) {
  const void *p = sp_field_ptr(n, f);
  switch (f->kind) {
  case SP_F_EXPR:
  case SP_F_PREDICATE:
  case SP_F_EXPRS:
  case SP_F_SORT_KEYS:
    put_items(w, f, p, text);
    break;
  case SP_F_NAMES:
    put_strings(w, p);
    break;
  case SP_F_PATHS: {
    const sp_strings *x = p;
    if (x->n == 1) {
      sp_jw_cstr(w, x->items[0]);
    } else {
      put_strings(w, x);
    }
    break;
  }
  case SP_F_RENAMES: {
    const sp_strings *x = p;
    sp_jw_open(w, '{');
    for (uint32_t i = 0; i + 1 < x->n; i += 2) {
      sp_jw_key(w, x->items[i]);
      sp_jw_cstr(w, x->items[i + 1]);
    }
    sp_jw_close(w, '}');
    break;
  }
  case SP_F_STRING:
    sp_jw_cstr(w, *(const char *const *)p);
    break;
  case SP_F_CHAR:
    sp_jw_str(w, (sp_sv){p, *(const char *)p != '\0'});
    break;
  case SP_F_INT:
    sp_jw_int(w, *(const int64_t *)p);
    break;
  case SP_F_BOOL:
    sp_jw_bool(w, *(const bool *)p);
    break;
  case SP_F_ENUM:
    put_enum(w, f->choices[*(const int *)p]);
    break;
  case SP_F_SCHEMA:
    put_schema(w, *(const sp_schema *const *)p);
    break;
  case SP_F_ROWS:
    put_rows(w, p, ((const sp_values_node *)n)->given->n, text);
    break;
  case SP_F_ROW_INDEX:
    put_row_index(w, p);
    break;
  case SP_F_PARTITION:
    put_partition(w, p);
    break;
  }
}

static void put_inputs(sp_jw *w, const sp_plan *p, const sp_node *n) {
  uint32_t at = 0;
  for (uint32_t i = 0; n->ops->input_keys[i] != NULL; i++) {
    const char *key = n->ops->input_keys[i];
    if (strcmp(key, "inputs…") == 0) {
      sp_jw_key(w, "inputs");
      sp_jw_open(w, '[');
      for (; at < n->n_inputs; at++) {
        sp_jw_cstr(w, p->nodes[n->inputs[at]]->id);
      }
      sp_jw_close(w, ']');
    } else {
      sp_jw_key(w, key);
      sp_jw_cstr(w, p->nodes[n->inputs[at++]]->id);
    }
  }
}

static void put_node(sp_jw *w, const sp_plan *p, const sp_node *n, sp_str *text) {
  sp_jw_open(w, '{');
  sp_jw_key(w, "id");
  sp_jw_cstr(w, n->id);
  sp_jw_key(w, "op");
  sp_jw_cstr(w, n->ops->name);
  put_inputs(w, p, n);
  for (const sp_field_desc *f = n->ops->fields; f->key != NULL; f++) {
    if (sp_field_is_set(n, f)) {
      const bool many = f->kind == SP_F_PATHS && ((const sp_strings *)sp_field_ptr(n, f))->n != 1;
      sp_jw_key(w, many ? "paths" : f->key);
      put_field(w, n, f, text);
    }
  }
  if (n->note != NULL) {
    sp_jw_key(w, "note");
    sp_jw_cstr(w, n->note);
  }
  sp_jw_close(w, '}');
}

sp_status sp_native_write(const sp_plan *p, sp_str *out, sp_error *err) {
  sp_str text; /* one expression at a time */
  sp_str_init(&text, out->mem, out->max);
  sp_jw w;
  sp_jw_init(&w, out, true);
  w.inline_from = 2; /* a node per line */
  sp_jw_open(&w, '{');
  sp_jw_key(&w, "sigmapi");
  sp_jw_int(&w, SP_NATIVE_VERSION);
  sp_jw_key(&w, "nodes");
  sp_jw_open(&w, '[');
  for (uint32_t i = 0; i < p->n_nodes && sp_str_ok(out); i++) {
    put_node(&w, p, p->nodes[i], &text);
  }
  sp_jw_close(&w, ']');
  sp_jw_key(&w, "outputs");
  sp_jw_open(&w, '[');
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    sp_jw_cstr(&w, p->nodes[p->outputs[i]]->id);
  }
  sp_jw_close(&w, ']');
  sp_jw_close(&w, '}');
  sp_str_add(out, "\n");
  sp_str_release(&text);
  return sp_str_status(out, err);
}
