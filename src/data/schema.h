/* Schemas: ordered, uniquely named, typed fields. Immutable once built; arena-allocated. */
#ifndef SP_DATA_SCHEMA_H
#define SP_DATA_SCHEMA_H

#include "base/hash.h"
#include "data/type.h"

#define SP_SCHEMA_MAX 10000 /* columns */

typedef struct sp_field {
  sp_sv name; /* NUL-terminated */
  const sp_type *type;
} sp_field;

typedef struct sp_schema {
  uint32_t n;
  sp_field *fields;
  uint32_t *slots; /* hash of names -> index + 1; n_slots a power of two; built for n > 8 */
  uint32_t n_slots;
} sp_schema;

/* Collects fields, then freezes them. Out of memory is remembered and reported by finish. */
typedef struct sp_schema_builder {
  sp_arena *arena;
  sp_field *fields;
  uint32_t n, cap;
  bool failed;
} sp_schema_builder;
void sp_schema_begin(sp_schema_builder *b, sp_arena *a);
void sp_schema_add(sp_schema_builder *b, sp_sv name, const sp_type *t); /* the name is copied */
/* SP_INVALID "duplicate output name" on a name twice, SP_LIMIT past SP_SCHEMA_MAX. loc: for the message, may
 * be NULL. */
sp_status sp_schema_finish(sp_schema_builder *b, const sp_loc *loc, const sp_schema **ret, sp_error *err);

/* Index of a name or -1. */
int32_t sp_schema_find(const sp_schema *s, sp_sv name);
bool sp_schema_eq(const sp_schema *a, const sp_schema *b); /* names and types in order */
/* SP_NOT_FOUND "unknown column `x`" with the nearest names as the hint. */
sp_status sp_schema_unknown(const sp_schema *s, sp_sv name, const sp_loc *loc, sp_error *err);

#endif
