/* The table of plan formats, and reading a document of whichever it is. */
#include "formats/formats.h"

#define SP_PLAN_FORMAT(name) extern const sp_plan_format sp_plan_format_##name;
#include "formats/formats.def"
#undef SP_PLAN_FORMAT

const sp_plan_format *const sp_plan_format_table[] = {
#define SP_PLAN_FORMAT(name) &sp_plan_format_##name,
#include "formats/formats.def"
#undef SP_PLAN_FORMAT
    NULL};

const sp_plan_format *sp_plan_format_find(sp_sv name) {
  for (uint32_t i = 0; sp_plan_format_table[i] != NULL; i++) {
    if (sp_sv_eq(sp_sv_from(sp_plan_format_table[i]->name), name)) {
      return sp_plan_format_table[i];
    }
  }
  return NULL;
}

sp_status sp_plan_read(const sp_json_doc *d, sp_arena *a, const sp_plan **ret, sp_error *err) {
  for (uint32_t i = 0; sp_plan_format_table[i] != NULL; i++) {
    if (sp_plan_format_table[i]->detect(d)) {
      return sp_plan_format_table[i]->read(d, a, ret, err);
    }
  }
  const sp_loc at = sp_json_loc(d, d->root, a);
  if (d->root->kind != SP_JSON_OBJECT) {
    SP_FAIL(err, SP_INVALID, &at, "this is no plan: expected an object, got %s",
            sp_json_kind_name(d->root->kind));
  }
  sp_error_set(err, SP_INVALID, &at, "this is no plan of a known format");
  sp_error_hint(err, sp_json_get(d->root, "nodes") != NULL
                         ? "a native plan starts with \"sigmapi\": 1"
                         : "a native plan is {\"sigmapi\": 1, \"nodes\": […], \"outputs\": […]}");
  return SP_INVALID;
}
