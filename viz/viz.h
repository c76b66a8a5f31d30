/* Pictures of a report. renderers.def lists SP_RENDERER(name): viz/renderers/NAME.c defines `const
 * sp_renderer sp_renderer_NAME`. Renderers use the report and nothing else. */
#ifndef SP_VIZ_VIZ_H
#define SP_VIZ_VIZ_H

#include "base/str.h"
#include "sigmapi/render.h"

typedef struct sp_renderer {
  const char *name, *suffixes, *summary; /* "svg", "svg", … */
  bool binary;
  sp_status (*render)(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err);
} sp_renderer;
extern const sp_renderer *const sp_renderer_table[];
const sp_renderer *sp_renderer_find(const char *name);    /* NULL when unknown */
const sp_renderer *sp_renderer_by_path(const char *path); /* by suffix; NULL */

/* Code points that no picture prints: controls, line and paragraph separators, and what would turn the
 * direction of the text around it, so that a plan cannot make a predicate look like another one. */
static inline bool sp_viz_unprintable(uint32_t cp) {
  return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x2028 && cp <= 0x202e) ||
         (cp >= 0x2066 && cp <= 0x2069) || (cp >= 0xfffc && cp <= 0xffff);
}

#endif
