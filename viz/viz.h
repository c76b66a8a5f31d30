/* Pictures of a report. renderers.def lists SP_RENDERER(name): viz/renderers/NAME.c defines `const sp_renderer sp_renderer_NAME`.
 * Renderers use the report and nothing else. */
#ifndef SP_VIZ_VIZ_H
#define SP_VIZ_VIZ_H

#include "base/str.h"
#include "sigmapi/report.h"

typedef enum sp_plan_view { SP_PLAN_VIEW_WRITTEN, SP_PLAN_VIEW_BEFORE, SP_PLAN_VIEW_AFTER, SP_PLAN_VIEW_BOTH } sp_plan_view;

typedef enum sp_theme_mode { SP_THEME_AUTO, SP_THEME_LIGHT, SP_THEME_DARK } sp_theme_mode;
typedef enum sp_direction { SP_SOURCES_BOTTOM, SP_SOURCES_TOP } sp_direction;

/* Metric classes to show, as a bit set of 1 << sp_metric_class ("rows,bytes"). */
typedef struct sp_viz_options {
  sp_plan_view view;
  unsigned classes;        /* 0 = none */
  sp_theme_mode theme;
  sp_direction direction;
  uint32_t width;          /* text: columns of the terminal, 0 = 100 */
  bool color;              /* text: ANSI colours */
  bool ascii;              /* text: no box drawing */
  const char *id_prefix;   /* svg: NULL = from a hash of the content */
  const char *alt;         /* svg: description; NULL = made from the summary */
} sp_viz_options;
void sp_viz_options_init(sp_viz_options *o);

typedef struct sp_renderer {
  const char *name, *suffixes, *summary; /* "svg", "svg", … */
  bool binary;
  sp_status (*render)(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err);
} sp_renderer;
extern const sp_renderer *const sp_renderer_table[];
const sp_renderer *sp_renderer_find(const char *name);          /* NULL when unknown */
const sp_renderer *sp_renderer_by_path(const char *path);       /* by suffix; NULL */

#endif
