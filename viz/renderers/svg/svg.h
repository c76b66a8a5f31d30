/* What the files of the SVG renderer share. */
#ifndef SP_VIZ_SVG_H
#define SP_VIZ_SVG_H

#include "viz/card.h"

#define SP_SVG_CHAR_10 72 /* advance of a character of 12 px, in tenths of a pixel */
#define SP_SVG_PAD_X 12
#define SP_SVG_PAD_Y 9
#define SP_SVG_LINE 17
#define SP_SVG_BARS 12 /* two bars of 4 px and the space around them */

/* Where the rows of a wire are written. left: the text ends at x. */
typedef struct sp_svg_spot {
  int32_t x, y;
  bool left, used;
} sp_svg_spot;
typedef struct sp_svg_panel {
  sp_scene scene;
  sp_layout layout;
  const char *label;
  sp_svg_spot *spots; /* by wire */
  int32_t dy;         /* down by so much, so that nodes stand beside their partners in the other panel */
} sp_svg_panel;

/* What the legend explains: only what the picture has. */
enum {
  SP_SVG_HAS_ROWS = 1u << 0,
  SP_SVG_HAS_EXPECTED = 1u << 1,
  SP_SVG_HAS_OFF = 1u << 2,
  SP_SVG_HAS_CUT = 1u << 3,
  SP_SVG_HAS_TIME = 1u << 4,
  SP_SVG_HAS_MEMORY = 1u << 5,
  SP_SVG_HAS_COLUMNS = 1u << 6,
  SP_SVG_HAS_PUSHED = 1u << 7,
  SP_SVG_HAS_GHOST = 1u << 8,
  SP_SVG_HAS_SHARED = 1u << 9
};

typedef struct sp_svg {
  sp_theme theme;
  const sp_viz_options *o;
  sp_arena *a;
  sp_str *out;
  const char *prefix;
  uint32_t n_panels;
  sp_svg_panel panels[2];
  uint32_t has;
} sp_svg;

/* style.c: colours for light and dark, scoped under the root's id. */
void sp_svg_style(const sp_svg *s);
/* Text for element content and attributes: markup escaped, what is not printed replaced. */
void sp_svg_escape(sp_str *out, const char *text, size_t n);
int32_t sp_svg_text_width(uint32_t columns); /* pixels */
void sp_svg_text(const sp_svg *s, const char *classes, int32_t x, int32_t y, const char *text);

/* draw.c: the edges and cards of a panel at (x, y). */
void sp_svg_draw_panel(const sp_svg *s, const sp_svg_panel *p, uint32_t index, int32_t x, int32_t y);
/* Where rows are written, by wire of the panel. false = out of memory. */
bool sp_svg_label_spots(const sp_svg_panel *p, sp_direction d, sp_arena *a, sp_svg_spot **ret);

/* legend.c */
void sp_svg_collect(sp_svg *s); /* what it must explain */
/* Draws it in lines of at most `width` and returns its height; s->out NULL-like: draw false only measures. */
int32_t sp_svg_legend(const sp_svg *s, int32_t x, int32_t y, int32_t width, bool draw);

#endif
