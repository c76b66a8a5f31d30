/* The JSON Schema (draft 2020-12) of the native format, made from the kinds' tables, so that it cannot fall
 * behind the reader.
 *
 * It describes strict JSON; comments and trailing commas, which the reader also takes, are outside of what
 * JSON Schema can say. */
#include "formats/native/native.h"

#include "base/cformat.h"

static void put_pair(sp_jw *w, const char *key, const char *value) {
  sp_jw_key(w, key);
  sp_jw_cstr(w, value);
}

static void put_ref(sp_jw *w, const char *name) {
  sp_jw_key(w, "$ref");
  char ref[64];
  (void)sp_snprintf(ref, sizeof ref, "#/$defs/%s", name);
  sp_jw_cstr(w, ref);
}

static void put_list_of(sp_jw *w, const char *def) {
  put_pair(w, "type", "array");
  sp_jw_key(w, "items");
  sp_jw_open(w, '{');
  put_ref(w, def);
  sp_jw_close(w, '}');
}

static void put_choices(sp_jw *w, const char *const *choices) {
  sp_jw_key(w, "enum");
  sp_jw_open(w, '[');
  for (uint32_t i = 0; choices[i] != NULL; i++) {
    if (strcmp(choices[i], "true") == 0 || strcmp(choices[i], "false") == 0) {
      sp_jw_bool(w, choices[i][0] == 't');
    } else {
      sp_jw_cstr(w, choices[i]);
    }
  }
  sp_jw_close(w, ']');
}

static void put_default(sp_jw *w, const sp_field_desc *f) {
  if (f->required) {
    return;
  }
  if (f->kind == SP_F_BOOL) {
    sp_jw_key(w, "default");
    sp_jw_bool(w, f->dflt != 0);
  } else if (f->kind == SP_F_CHAR) {
    const char c = (char)f->dflt;
    sp_jw_key(w, "default");
    sp_jw_str(w, (sp_sv){&c, c != '\0'});
  } else if (f->kind == SP_F_INT) {
    sp_jw_key(w, "default");
    sp_jw_int(w, f->dflt);
  } else if (f->kind == SP_F_ENUM) {
    sp_jw_key(w, "default");
    sp_jw_cstr(w, f->choices[f->dflt]);
  }
}

/* What a value of this kind of field looks like. */
static void put_shape(sp_jw *w, const sp_field_desc *f) {
  switch (f->kind) {
  case SP_F_EXPR:
  case SP_F_PREDICATE:
    put_ref(w, "expr");
    break;
  case SP_F_EXPRS:
    put_list_of(w, "expr");
    break;
  case SP_F_SORT_KEYS:
    put_list_of(w, "sort_key");
    break;
  case SP_F_NAMES:
    put_ref(w, "strings");
    break;
  case SP_F_PATHS:
    put_ref(w, "paths");
    break;
  case SP_F_RENAMES:
    put_ref(w, "renames");
    break;
  case SP_F_STRING:
    put_pair(w, "type", "string");
    break;
  case SP_F_CHAR:
    put_pair(w, "type", "string");
    sp_jw_key(w, "maxLength");
    sp_jw_int(w, 1);
    break;
  case SP_F_INT:
    put_pair(w, "type", "integer");
    break;
  case SP_F_BOOL:
    put_pair(w, "type", "boolean");
    break;
  case SP_F_ENUM:
    put_choices(w, f->choices);
    break;
  case SP_F_SCHEMA:
    put_ref(w, "schema");
    break;
  case SP_F_ROWS:
    put_ref(w, "rows");
    break;
  case SP_F_ROW_INDEX:
    put_ref(w, "row_index");
    break;
  case SP_F_PARTITION:
    put_ref(w, "partition");
    break;
  }
}

static void put_property(sp_jw *w, const char *key, const sp_field_desc *f) {
  sp_jw_key(w, key);
  sp_jw_open(w, '{');
  put_shape(w, f);
  put_pair(w, "description", f->doc);
  put_default(w, f);
  sp_jw_close(w, '}');
}

static bool is_inputs(const char *key) {
  return strcmp(key, "inputs…") == 0;
}

static void put_properties(sp_jw *w, const sp_node_ops *ops) {
  sp_jw_key(w, "properties");
  sp_jw_open(w, '{');
  sp_jw_key(w, "id");
  sp_jw_open(w, '{');
  put_ref(w, "id");
  sp_jw_close(w, '}');
  sp_jw_key(w, "op");
  sp_jw_open(w, '{');
  put_pair(w, "const", ops->name);
  sp_jw_close(w, '}');
  for (uint32_t i = 0; ops->input_keys[i] != NULL; i++) {
    sp_jw_key(w, is_inputs(ops->input_keys[i]) ? "inputs" : ops->input_keys[i]);
    sp_jw_open(w, '{');
    if (is_inputs(ops->input_keys[i])) {
      put_list_of(w, "input");
    } else {
      put_ref(w, "input");
    }
    sp_jw_close(w, '}');
  }
  for (const sp_field_desc *f = ops->fields; f->key != NULL; f++) {
    put_property(w, f->key, f);
    if (f->kind == SP_F_PATHS) {
      put_property(w, "paths", f);
    }
  }
  sp_jw_key(w, "note");
  sp_jw_open(w, '{');
  put_pair(w, "type", "string");
  put_pair(w, "description", "for people; shown with the node");
  sp_jw_close(w, '}');
  sp_jw_close(w, '}');
}

/* `path` or `paths`, one of them. */
static void put_path_choice(sp_jw *w) {
  sp_jw_key(w, "oneOf");
  sp_jw_raw(w, "[{\"required\": [\"path\"]}, {\"required\": [\"paths\"]}]");
}

static void put_kind(sp_jw *w, const sp_node_ops *ops) {
  sp_jw_key(w, ops->name);
  sp_jw_open(w, '{');
  put_pair(w, "description", ops->summary);
  put_pair(w, "type", "object");
  put_properties(w, ops);
  sp_jw_key(w, "required");
  sp_jw_open(w, '[');
  sp_jw_cstr(w, "op");
  for (uint32_t i = 0; ops->input_keys[i] != NULL; i++) {
    sp_jw_cstr(w, is_inputs(ops->input_keys[i]) ? "inputs" : ops->input_keys[i]);
  }
  bool paths = false;
  for (const sp_field_desc *f = ops->fields; f->key != NULL; f++) {
    paths = paths || f->kind == SP_F_PATHS;
    if (f->required && f->kind != SP_F_PATHS) {
      sp_jw_cstr(w, f->key);
    }
  }
  sp_jw_close(w, ']');
  if (paths) {
    put_path_choice(w);
  }
  sp_jw_key(w, "additionalProperties");
  sp_jw_bool(w, false);
  sp_jw_close(w, '}');
}

/* Definitions that do not depend on the kinds. */
static const char *const shared_defs[][2] = {
    {"id", "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 1000, \"description\": \"unique name of "
           "a node\"}"},
    {"input", "{\"oneOf\": [{\"$ref\": \"#/$defs/id\"}, {\"$ref\": \"#/$defs/node\"}], \"description\": \"a "
              "node's id, or the node itself\"}"},
    {"expr", "{\"oneOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/$defs/expr_object\"}], \"description\": "
             "\"SQL expression text, or the same tree as an object\"}"},
    {"expr_object",
     "{\"type\": \"object\", \"oneOf\": ["
     "{\"required\": [\"column\"], \"properties\": {\"column\": {\"type\": \"string\"}}, "
     "\"additionalProperties\": false}, "
     "{\"required\": [\"literal\"], \"properties\": {\"literal\": {\"$ref\": \"#/$defs/value\"}, "
     "\"type\": {\"type\": \"string\"}}, \"additionalProperties\": false}, "
     "{\"required\": [\"call\"], \"properties\": {\"call\": {\"type\": \"string\"}, "
     "\"args\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/expr\"}}, "
     "\"distinct\": {\"type\": \"boolean\"}, \"filter\": {\"$ref\": \"#/$defs/expr\"}}, "
     "\"additionalProperties\": false}, "
     "{\"required\": [\"cast\", \"to\"], \"properties\": {\"cast\": {\"$ref\": \"#/$defs/expr\"}, "
     "\"to\": {\"type\": \"string\"}, \"try\": {\"type\": \"boolean\"}}, \"additionalProperties\": false}, "
     "{\"required\": [\"alias\", \"name\"], \"properties\": {\"alias\": {\"$ref\": \"#/$defs/expr\"}, "
     "\"name\": {\"type\": \"string\"}}, \"additionalProperties\": false}, "
     "{\"required\": [\"selector\"], \"properties\": {\"selector\": {\"enum\": [\"*\", \"regex\", "
     "\"type\"]}, "
     "\"pattern\": {\"type\": \"string\"}, \"exclude\": {\"$ref\": \"#/$defs/strings\"}}, "
     "\"additionalProperties\": false}]}"},
    {"sort_key", "{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"object\", \"required\": [\"expr\"], "
                 "\"properties\": {\"expr\": {\"$ref\": \"#/$defs/expr\"}, "
                 "\"descending\": {\"type\": \"boolean\"}, \"nulls_last\": {\"type\": \"boolean\"}}, "
                 "\"additionalProperties\": false}, {\"$ref\": \"#/$defs/expr_object\"}]}"},
    {"strings", "{\"type\": \"array\", \"items\": {\"type\": \"string\"}}"},
    {"paths", "{\"oneOf\": [{\"type\": \"string\", \"minLength\": 1}, {\"type\": \"array\", \"minItems\": 1, "
              "\"items\": {\"type\": \"string\", \"minLength\": 1}}]}"},
    {"renames", "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}}"},
    {"schema", "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\", \"description\": \"a "
               "type: int64, decimal(15,2), datetime(us), …\"}}"},
    {"value", "{\"type\": [\"null\", \"boolean\", \"number\", \"string\"]}"},
    {"rows", "{\"type\": \"array\", \"items\": {\"oneOf\": [{\"type\": \"array\", \"items\": {\"$ref\": "
             "\"#/$defs/value\"}}, {\"type\": \"object\", "
             "\"additionalProperties\": {\"$ref\": \"#/$defs/value\"}}]}}"},
    {"row_index", "{\"type\": \"object\", \"required\": [\"name\"], \"properties\": {\"name\": {\"type\": "
                  "\"string\"}, \"offset\": {\"type\": \"integer\"}}, "
                  "\"additionalProperties\": false}"},
    {"partition", "{\"type\": \"object\", \"properties\": {\"max_rows\": {\"type\": \"integer\"}, "
                  "\"max_bytes\": {\"type\": \"integer\"}, \"by\": {\"$ref\": "
                  "\"#/$defs/strings\"}}, \"additionalProperties\": false}"},
};

static void put_defs(sp_jw *w) {
  sp_jw_key(w, "$defs");
  sp_jw_open(w, '{');
  for (size_t i = 0; i < sizeof shared_defs / sizeof *shared_defs; i++) {
    sp_jw_key(w, shared_defs[i][0]);
    sp_jw_raw(w, shared_defs[i][1]);
  }
  sp_jw_key(w, "node");
  sp_jw_open(w, '{');
  sp_jw_key(w, "oneOf");
  sp_jw_open(w, '[');
  for (uint32_t i = 0; sp_node_table[i] != NULL; i++) {
    sp_jw_open(w, '{');
    put_ref(w, sp_node_table[i]->name);
    sp_jw_close(w, '}');
  }
  sp_jw_close(w, ']');
  sp_jw_close(w, '}');
  for (uint32_t i = 0; sp_node_table[i] != NULL; i++) {
    put_kind(w, sp_node_table[i]);
  }
  sp_jw_close(w, '}');
}

sp_status sp_native_schema(sp_str *out, sp_error *err) {
  sp_jw w;
  sp_jw_init(&w, out, true);
  w.inline_from = 3; /* a field per line */
  sp_jw_open(&w, '{');
  put_pair(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
  put_pair(&w, "title", "sigmapi plan");
  put_pair(&w, "type", "object");
  sp_jw_key(&w, "properties");
  sp_jw_raw(&w, "{\"sigmapi\": {\"const\": 1}, \"$schema\": {\"type\": \"string\"}, \"nodes\": {\"type\": "
                "\"array\", \"items\": {\"allOf\": [{\"$ref\": "
                "\"#/$defs/node\"}, {\"required\": [\"id\"]}]}}, \"outputs\": {\"type\": \"array\", "
                "\"items\": {\"$ref\": \"#/$defs/id\"}, \"uniqueItems\": true}}");
  sp_jw_key(&w, "required");
  sp_jw_raw(&w, "[\"sigmapi\", \"nodes\"]");
  sp_jw_key(&w, "additionalProperties");
  sp_jw_bool(&w, false);
  put_defs(&w);
  sp_jw_close(&w, '}');
  sp_str_add(out, "\n");
  return sp_str_status(out, err);
}
