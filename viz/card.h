/* A node as a card: its lines cut to fit, with the width they take. Pictures with boxes (SVG, DOT) place
 * cards; what stands in them is the same. */
#ifndef SP_VIZ_CARD_H
#define SP_VIZ_CARD_H

#include "viz/layout.h"
#include "viz/theme.h"

#define SP_CARD_CHARS                                                                                        \
  46 /* columns of a line at most; longer text wraps, then is cut and kept whole in `full` */
#define SP_MAX_ARROWS                                                                                        \
  40 /* a picture with more arrows than this is not read; the notes on the cards remain                      \
      */

typedef enum sp_line_kind {
  SP_LINE_TITLE,
  SP_LINE_KEY,  /* predicate, keys */
  SP_LINE_SCAN, /* π, σ, row groups */
  SP_LINE_ARRIVED,
  SP_LINE_GHOST,
  SP_LINE_BLOCKED,
  SP_LINE_SHARED,
  SP_LINE_ERROR,
  SP_LINE_NOTE, /* the output's name, the user's note */
  SP_LINE_FIGURES
} sp_line_kind;
typedef struct sp_card_line {
  sp_line_kind kind;
  const char *glyph; /* in front, or NULL; " " indents a continued line */
  sp_rich text;      /* cut; of a title only the operation */
  const char *tail;  /* behind the text after a space, or NULL: a title's id, an estimate that is off */
  const char *full;  /* when cut, the whole text; else NULL */
  uint32_t columns;  /* width of all of it */
} sp_card_line;
typedef struct sp_card {
  const sp_report_node *node; /* NULL: a ghost */
  uint32_t index;             /* of the node in its plan; of a ghost in the plan before */
  const char *id, *title;     /* of the card; "filter late" */
  sp_figures figures;
  uint32_t n_lines;
  sp_card_line *lines;
  uint32_t columns; /* the widest line's */
  bool error;
} sp_card;

/* One plan as cards and wires, ghosts included: what a layout places. */
typedef struct sp_scene {
  const sp_report_plan *plan;
  uint32_t n_cards; /* the plan's nodes, then ghosts */
  sp_card *cards;
  uint32_t n_wires;
  struct sp_scene_wire {
    uint32_t from, to;
    enum {
      SP_WIRE_ROWS,
      SP_WIRE_HIDDEN,
      SP_WIRE_MOVED
    } kind;                        /* MOVED: from where it was written to where it is */
    char label[SP_HUMAN_SIZE + 2]; /* ROWS: "1,234", "~1,200" when only estimated; "" when unknown */
    int64_t rows;                  /* that set the width; -1 unknown */
    bool cut, estimated;
  } * wires;
  int64_t max_rows;
} sp_scene;
/* false = out of memory. */
bool sp_scene_make(const sp_theme *t, const sp_report_plan *p, sp_arena *a, sp_scene *ret);

/* ---- for scene.c ---- */
typedef struct sp_card_maker {
  const sp_theme *theme;
  const sp_report_plan *plan;
  sp_arena *a;
  sp_card *card;
  uint32_t cap;
  bool failed; /* out of memory */
} sp_card_maker;
void sp_card_of_node(sp_card_maker *m, sp_card *card, uint32_t node);
void sp_card_of_ghost(sp_card_maker *m, sp_card *card, const sp_report_node *gone, uint32_t node);
/* One more line on a ghost: what went away, unless it stands there. */
void sp_card_add_gone(sp_card_maker *m, sp_card *card, const sp_rich *what);

#endif
