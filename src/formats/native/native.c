/* The native format's registration. Any object with the key `sigmapi` is meant to be one. */
#include "formats/native/native.h"

static bool detect(const sp_json_doc *d) {
  return sp_json_get(d->root, "sigmapi") != NULL;
}

extern const sp_plan_format sp_plan_format_native;
const sp_plan_format sp_plan_format_native = {
    .name = "native",
    .summary = "sigmapi's own flat JSON",
    .detect = detect,
    .read = sp_native_read,
    .write = sp_native_write,
};
