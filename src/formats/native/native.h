/* The native plan format: what its files share. */
#ifndef SP_FORMATS_NATIVE_NATIVE_H
#define SP_FORMATS_NATIVE_NATIVE_H

#include "formats/formats.h"
#include "plan/kinds.h"

#define SP_NATIVE_VERSION 1
#define SP_NATIVE_MAX_IN_PLACE 1000 /* nodes written in place inside each other; ids grow with every level   \
                                     */
#define SP_NATIVE_MAX_ID 1000       /* bytes of an id that a user wrote */

typedef struct sp_native_reader {
  const sp_json_doc *doc;
  sp_arena *arena;
} sp_native_reader;

/* Place of v, whose pointer is known (sp_json_loc counts siblings, which is quadratic over 10,000 nodes). */
sp_loc sp_native_loc(const sp_native_reader *r, const char *pointer, const sp_json *v);
/* Reads the value v of field f into node n. pointer: v's. Fields of kind ROWS are read by
 * sp_native_read_rows, as they need the schema. */
sp_status sp_native_read_field(const sp_native_reader *r, sp_node *n, const sp_field_desc *f,
                               const sp_json *v, const char *pointer, sp_error *err);
sp_status sp_native_read_rows(const sp_native_reader *r, const sp_schema *schema, const sp_json *v,
                              sp_rows *ret, sp_error *err);
/* "`key` must be WHAT, got a number" at v. */
sp_status sp_native_wrong(const sp_native_reader *r, const sp_json *v, const char *key, const char *what,
                          sp_error *err);
/* A string without U+0000, as a C string of the document; NULL when v is none. */
const char *sp_native_cstr(const sp_json *v);
/* SP_INVALID "unknown key `x` of WHAT" at the member v, with the nearest of n names. */
sp_status sp_native_unknown_key(const sp_native_reader *r, const sp_json *v, const char *what,
                                const char *const *names, uint32_t n, sp_error *err);

sp_status sp_native_read(const sp_json_doc *d, sp_arena *a, const sp_plan **ret, sp_error *err);
sp_status sp_native_write(const sp_plan *p, sp_str *out, sp_error *err);

#endif
