/* What the files of the SVG renderer share. */
#ifndef SP_VIZ_SVG_H
#define SP_VIZ_SVG_H

#include "viz/card.h"

#define CHAR_10 72 /* advance of a character of 12 px, in tenths of a pixel */
#define PAD_X 12
#define PAD_Y 9
#define LINE 17
#define BARS 9 /* two bars of 3 px and the space around them */

typedef struct panel {
  sp_scene scene;
  sp_layout layout;
  const char *label;
} panel;

typedef struct svg {
  sp_theme theme;
  const sp_viz_options *o;
  sp_arena *a;
  sp_str *out;
  const char *prefix;
  uint32_t n_panels;
  panel panels[2];
} svg;

/* style.c: colours for light and dark, scoped under the root's id. */
void sp_svg_style(const svg *s);
/* Text for element content and attributes: markup escaped, control characters replaced. */
void sp_svg_escape(sp_str *out, const char *text, size_t n);
int32_t sp_svg_text_width(uint32_t columns); /* pixels */
/* draw.c: the edges and cards of a panel at (x, y). */
void sp_svg_panel(const svg *s, const panel *p, uint32_t index, int32_t x, int32_t y);

#endif
