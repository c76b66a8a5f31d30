/* A node as a card: its lines cut to fit, with the width they take. Pictures with boxes (SVG, DOT) place cards; what stands in them is the same. */
#ifndef SP_VIZ_CARD_H
#define SP_VIZ_CARD_H

#include "viz/layout.h"
#include "viz/theme.h"

#define SP_CARD_CHARS 46 /* columns of a line at most; longer text is cut in the middle and kept whole in `full` */

typedef enum sp_line_kind {
  SP_LINE_TITLE,
  SP_LINE_KEY,      /* predicate, keys */
  SP_LINE_SCAN,     /* π, σ, row groups */
  SP_LINE_ARRIVED,
  SP_LINE_GHOST,
  SP_LINE_BLOCKED,
  SP_LINE_SHARED,
  SP_LINE_ERROR,
  SP_LINE_FIGURES
} sp_line_kind;
typedef struct sp_card_line {
  sp_line_kind kind;
  const char *glyph; /* in front, or NULL */
  sp_rich text;      /* cut */
  const char *full;  /* when cut, the whole text; else NULL */
  uint32_t columns;  /* width, glyph and its space included */
} sp_card_line;
typedef struct sp_card {
  const sp_report_node *node; /* NULL: a ghost */
  const char *id, *title;     /* of the card */
  sp_figures figures;
  uint32_t n_lines;
  sp_card_line *lines;
  uint32_t columns; /* the widest line's */
} sp_card;

/* One plan as cards and wires, ghosts included: what a layout places. */
typedef struct sp_scene {
  const sp_report_plan *plan;
  uint32_t n_cards;  /* the plan's nodes, then ghosts */
  sp_card *cards;
  uint32_t n_wires;
  struct sp_scene_wire {
    uint32_t from, to;
    enum { SP_WIRE_ROWS, SP_WIRE_HIDDEN, SP_WIRE_MOVED } kind; /* MOVED: dashed, from where it was written to where it is */
    const char *label; /* ROWS: rows text; "" when unknown */
    int64_t rows;      /* -1 unknown */
    bool cut;
  } *wires;
  int64_t max_rows;
} sp_scene;
/* false = out of memory. */
bool sp_scene_make(const sp_theme *t, const sp_report_plan *p, sp_arena *a, sp_scene *ret);

/* Cuts text in the middle to at most `columns`; *ret_full is the text when it was cut, else NULL. false = out of memory. */
bool sp_rich_cut(const sp_rich *r, uint32_t columns, sp_arena *a, sp_rich *ret, const char **ret_full);

#endif
