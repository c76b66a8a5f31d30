/* Literal rows from JSON: each row a list in the schema's order, or an object in which missing columns are
 * null.
 *
 *   "schema": {"day": "date", "n": "int64"}, "rows": [["2024-01-01", 3], {"n": 4}]
 *
 * Cells are kept as they stand in JSON; that they are exactly of their column's type is checked here, where
 * their place is known. */
#include <math.h>

#include "formats/native/native.h"

static sp_status bad_cell(const sp_native_reader *r, const sp_json *at_cell, const sp_field *f, uint32_t row,
                          const char *what, sp_error *err) {
  const sp_loc at = sp_json_loc(r->doc, at_cell, r->arena);
  SP_FAIL(err, SP_TYPE, &at, "row %u, column `%.100s`: %s", row + 1, f->name.p, what);
}

static bool plain_digits(sp_sv text) {
  for (size_t i = 0; i < text.n; i++) {
    if (text.p[i] == 'e' || text.p[i] == 'E') {
      return false;
    }
  }
  return true;
}

/* The value as in JSON. A number for a decimal column stays text, since a double would lose its digits past
 * the 15th. */
static sp_status cell_value(const sp_native_reader *r, const sp_json *v, const sp_field *f, uint32_t row,
                            sp_value *ret, sp_error *err) {
  switch (v->kind) {
  case SP_JSON_NULL:
    *ret = sp_value_null(sp_type_of(SP_KIND_NULL));
    return SP_OK;
  case SP_JSON_BOOL:
    *ret = sp_value_bool(v->b);
    return SP_OK;
  case SP_JSON_INT:
    *ret = sp_value_int(sp_type_of(SP_KIND_INT64), v->i);
    return SP_OK;
  case SP_JSON_UINT:
    *ret = (sp_value){.type = sp_type_of(SP_KIND_UINT64), .u = v->u};
    return SP_OK;
  case SP_JSON_NUMBER:
    if (f->type->family == SP_FAMILY_DECIMAL && plain_digits(v->str)) {
      *ret = sp_value_str(v->str);
      return SP_OK;
    }
    if (isinf(v->num)) {
      return bad_cell(r, v, f, row, "the number is out of range", err);
    }
    *ret = sp_value_float(sp_type_of(SP_KIND_FLOAT64), v->num);
    return SP_OK;
  case SP_JSON_STRING:
    *ret = sp_value_str(v->str);
    return SP_OK;
  case SP_JSON_ARRAY:
  case SP_JSON_OBJECT:
  case SP_JSON_INTS:
    break;
  }
  return bad_cell(r, v, f, row, "a list or an object is no value", err);
}

static sp_status read_cell(const sp_native_reader *r, const sp_json *v, const sp_field *f, uint32_t row,
                           sp_value *ret, sp_error *err) {
  SP_TRY(cell_value(r, v, f, row, ret, err));
  if (ret->is_null || ret->type == f->type ||
      (ret->type->kind == SP_KIND_STRING && sp_type_is_bytes(f->type))) {
    return SP_OK;
  }
  sp_value converted;
  bool nomem = false;
  if (sp_values_convert(ret, f->type, r->arena, &converted, &nomem)) {
    return SP_OK;
  }
  if (nomem) {
    return sp_error_nomem(err);
  }
  char what[200];
  sp_values_mismatch(ret, f->type, what, sizeof what);
  return bad_cell(r, v, f, row, what, err);
}

static sp_status wrong_width(const sp_native_reader *r, const sp_json *v, uint32_t row, uint32_t got,
                             uint32_t want, sp_error *err) {
  const sp_loc at = sp_json_loc(r->doc, v, r->arena);
  SP_FAIL(err, SP_INVALID, &at, "row %u has %u value%s, the schema %u column%s", row + 1, got,
          got == 1 ? "" : "s", want, want == 1 ? "" : "s");
}

static sp_status read_list(const sp_native_reader *r, const sp_schema *s, const sp_json *v, uint32_t row,
                           sp_value *out, sp_error *err) {
  if (v->n != s->n) {
    return wrong_width(r, v, row, v->n, s->n, err);
  }
  uint32_t c = 0;
  for (const sp_json *x = v->first; x != NULL; x = x->next, c++) {
    SP_TRY(read_cell(r, x, &s->fields[c], row, &out[c], err));
  }
  return SP_OK;
}

/* A long row of small integers comes as bytes. */
static sp_status read_bytes(const sp_native_reader *r, const sp_schema *s, const sp_json *v, uint32_t row,
                            sp_value *out, sp_error *err) {
  if (v->str.n != s->n) {
    return wrong_width(r, v, row, (uint32_t)v->str.n, s->n, err);
  }
  for (uint32_t c = 0; c < s->n; c++) {
    const sp_json cell = {.kind = SP_JSON_INT,
                          .offset = v->offset,
                          .end = v->end,
                          .i = (unsigned char)v->str.p[c],
                          .parent = v->parent,
                          .key = v->key};
    SP_TRY(cell_value(r, &cell, &s->fields[c], row, &out[c], err));
    sp_value converted;
    bool nomem = false;
    if (!sp_values_convert(&out[c], s->fields[c].type, r->arena, &converted, &nomem)) {
      char what[200];
      sp_values_mismatch(&out[c], s->fields[c].type, what, sizeof what);
      return nomem ? sp_error_nomem(err) : bad_cell(r, v, &s->fields[c], row, what, err);
    }
  }
  return SP_OK;
}

static sp_status read_object(const sp_native_reader *r, const sp_schema *s, const sp_json *v, uint32_t row,
                             sp_value *out, sp_error *err) {
  for (uint32_t c = 0; c < s->n; c++) {
    out[c] = sp_value_null(sp_type_of(SP_KIND_NULL));
  }
  for (const sp_json *m = v->first; m != NULL; m = m->next) {
    const int32_t c = sp_schema_find(s, m->key);
    if (c < 0) {
      const sp_loc at = sp_json_key_loc(r->doc, m, r->arena);
      return sp_schema_unknown(s, m->key, &at, err);
    }
    SP_TRY(read_cell(r, m, &s->fields[c], row, &out[c], err));
  }
  return SP_OK;
}

sp_status sp_native_read_rows(const sp_native_reader *r, const sp_schema *schema, const sp_json *v,
                              sp_rows *ret, sp_error *err) {
  if (v->kind != SP_JSON_ARRAY) {
    return sp_native_wrong(r, v, "rows", "a list of rows", err);
  }
  const sp_value **rows = SP_ARENA_ARRAY(r->arena, const sp_value *, v->n);
  SP_TRY_ALLOC(err, rows);
  uint32_t i = 0;
  for (const sp_json *x = v->first; x != NULL; x = x->next, i++) {
    sp_value *row = SP_ARENA_ARRAY(r->arena, sp_value, schema->n);
    SP_TRY_ALLOC(err, row);
    rows[i] = row;
    if (x->kind == SP_JSON_ARRAY) {
      SP_TRY(read_list(r, schema, x, i, row, err));
    } else if (x->kind == SP_JSON_INTS) {
      SP_TRY(read_bytes(r, schema, x, i, row, err));
    } else if (x->kind == SP_JSON_OBJECT) {
      SP_TRY(read_object(r, schema, x, i, row, err));
    } else {
      return sp_native_wrong(r, x, "rows", "a list of rows (lists or objects)", err);
    }
  }
  *ret = (sp_rows){.n = i, .values = rows};
  return SP_OK;
}
