/* Schemas: a field array and, past 8 fields, an open-addressed index of the names.
 *
 * Below 9 fields comparing lengths and bytes one by one is faster than hashing the name; above, the index
 * makes a 10,000-column schema linear to build and every lookup O(1).
 *
 * Example: begin, add "a" int64, add "b" string, finish; then sp_schema_find(s, SP_SV("b")) is 1. */
#include "data/schema.h"

#define SCHEMA_LINEAR_MAX 8

static sp_sv field_name(const void *ctx, uint32_t i) {
  return ((const sp_schema *)ctx)->fields[i].name;
}

void sp_schema_begin(sp_schema_builder *b, sp_arena *a) {
  *b = (sp_schema_builder){.arena = a};
}

/* Fields past the limit are only counted, so that finish can tell. */
void sp_schema_add(sp_schema_builder *b, sp_sv name, const sp_type *t) {
  if (b->n >= SP_SCHEMA_MAX) {
    b->n = SP_SCHEMA_MAX + 1;
    return;
  }
  if (b->failed || !sp_arena_grow(b->arena, &b->fields, &b->cap, b->n + 1, sizeof(sp_field))) {
    b->failed = true;
    return;
  }
  const char *copy = sp_arena_strndup(b->arena, name.n > 0 ? name.p : "", name.n);
  if (copy == NULL) {
    b->failed = true;
    return;
  }
  b->fields[b->n++] = (sp_field){.name = {copy, name.n}, .type = t};
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *find_slot(const sp_schema *s, sp_sv name) {
  const uint32_t mask = s->n_slots - 1;
  uint32_t at = (uint32_t)sp_hash_bytes(name.p, name.n, 0) & mask;
  while (s->slots[at] != 0 && !sp_sv_eq(s->fields[s->slots[at] - 1].name, name)) {
    at = (at + 1) & mask;
  }
  return &s->slots[at];
}

static sp_status duplicate(sp_sv name, const sp_loc *loc, sp_error *err) {
  sp_error_set(err, SP_INVALID, loc, "duplicate output name `%.*s`", (int)(name.n < 200 ? name.n : 200),
               name.p);
  sp_error_hint(err, "give one of them another name with AS");
  return SP_INVALID;
}

static sp_status index_names(sp_schema *s, sp_arena *a, const sp_loc *loc, sp_error *err) {
  s->n_slots = 32;
  while (s->n_slots < 2 * s->n) {
    s->n_slots *= 2;
  }
  s->slots = SP_ARENA_ARRAY(a, uint32_t, s->n_slots);
  SP_TRY_ALLOC(err, s->slots);
  for (uint32_t i = 0; i < s->n; i++) {
    uint32_t *slot = find_slot(s, s->fields[i].name);
    if (*slot != 0) {
      return duplicate(s->fields[i].name, loc, err);
    }
    *slot = i + 1;
  }
  return SP_OK;
}

sp_status sp_schema_finish(sp_schema_builder *b, const sp_loc *loc, const sp_schema **ret, sp_error *err) {
  if (b->failed) {
    return sp_error_nomem(err);
  }
  if (b->n > SP_SCHEMA_MAX) {
    SP_FAIL(err, SP_LIMIT, loc, "more than %d columns", SP_SCHEMA_MAX);
  }
  sp_schema *s = SP_ARENA_NEW(b->arena, sp_schema);
  SP_TRY_ALLOC(err, s);
  s->n = b->n;
  s->fields = b->fields;
  if (s->n > SCHEMA_LINEAR_MAX) {
    SP_TRY(index_names(s, b->arena, loc, err));
  } else {
    for (uint32_t i = 1; i < s->n; i++) {
      for (uint32_t k = 0; k < i; k++) {
        if (sp_sv_eq(s->fields[i].name, s->fields[k].name)) {
          return duplicate(s->fields[i].name, loc, err);
        }
      }
    }
  }
  *ret = s;
  return SP_OK;
}

int32_t sp_schema_find(const sp_schema *s, sp_sv name) {
  if (s->slots != NULL) {
    return (int32_t)*find_slot(s, name) - 1;
  }
  for (uint32_t i = 0; i < s->n; i++) {
    if (sp_sv_eq(s->fields[i].name, name)) {
      return (int32_t)i;
    }
  }
  return -1;
}

bool sp_schema_eq(const sp_schema *a, const sp_schema *b) {
  if (a == b) {
    return true;
  }
  if (a->n != b->n) {
    return false;
  }
  for (uint32_t i = 0; i < a->n; i++) {
    if (a->fields[i].type != b->fields[i].type || !sp_sv_eq(a->fields[i].name, b->fields[i].name)) {
      return false;
    }
  }
  return true;
}

sp_status sp_schema_unknown(const sp_schema *s, sp_sv name, const sp_loc *loc, sp_error *err) {
  sp_error_set(err, SP_NOT_FOUND, loc, "unknown column `%.*s`", (int)(name.n < 200 ? name.n : 200),
               name.n > 0 ? name.p : "");
  char names[224];
  if (sp_nearest_names(name, s->n, field_name, s, names, sizeof names)) {
    sp_error_hint(err, "did you mean %s?", names);
  } else if (s->n == 0) {
    sp_error_hint(err, "there are no columns here");
  }
  return SP_NOT_FOUND;
}
