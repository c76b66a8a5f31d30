/* Pictures of a report, for programs. */
#ifndef SIGMAPI_RENDER_H
#define SIGMAPI_RENDER_H

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
  bool layered;            /* svg: placed without Graphviz, so that the bytes do not depend on its version */
} sp_viz_options;
void sp_viz_options_init(sp_viz_options *o);

/* format: "text", "dot", "svg" or "json"; o NULL: the defaults. *ret_text is NUL-terminated and freed by sp_render_free. */
sp_status sp_render(const sp_report *r, const char *format, const sp_viz_options *o, char **ret_text, size_t *ret_n, sp_error *err);
void sp_render_free(char *text, size_t n);

#endif
