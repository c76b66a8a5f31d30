/* Plan documents in and out. formats.def lists SP_PLAN_FORMAT(name): src/formats/NAME/ defines `const sp_plan_format sp_plan_format_NAME`.
 * The format of a document is detected from its content. */
#ifndef SP_FORMATS_FORMATS_H
#define SP_FORMATS_FORMATS_H

#include "plan/plan.h"

typedef struct sp_plan_format {
  const char *name, *summary;
  bool (*detect)(const sp_json_doc *d); /* MUST: is this document ours? */
  sp_status (*read)(const sp_json_doc *d, sp_arena *a, const sp_plan **ret, sp_error *err); /* MUST: a written plan */
  sp_status (*write)(const sp_plan *p, sp_str *out, sp_error *err); /* MAY be NULL */
} sp_plan_format;
extern const sp_plan_format *const sp_plan_format_table[];

/* Reads a document of any format. Everything is in the arena, which must outlive the plan. */
sp_status sp_plan_read(const sp_json_doc *d, sp_arena *a, const sp_plan **ret, sp_error *err);
const sp_plan_format *sp_plan_format_find(sp_sv name);
/* The JSON Schema of the native format, made from the node table. */
sp_status sp_native_schema(sp_str *out, sp_error *err);

#endif
