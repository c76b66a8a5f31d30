/* Where nodes and edges go. Two ways behind one interface: Graphviz' dot for plans that it places quickly, and a linear layered layout with integers
 * only for the others (and for goldens, which must not depend on a Graphviz version).
 *
 * In: boxes with sizes, edges from input to consumer. Out: whole pixels, y downwards, everything at x, y >= 0. Sources are at
 * the bottom (SP_SOURCES_BOTTOM) or at the top. */
#ifndef SP_VIZ_LAYOUT_H
#define SP_VIZ_LAYOUT_H

#include "viz/viz.h"

typedef struct sp_box {
  int32_t w, h;  /* in */
  int32_t x, y;  /* out: upper left corner */
} sp_box;
typedef struct sp_point {
  int32_t x, y;
} sp_point;
typedef struct sp_wire {
  uint32_t from, to; /* input, consumer */
  bool loose;        /* only drawn: it does not push boxes apart (a dashed arrow) */
  uint32_t n;        /* out: 1 + 3k points of a Bézier path from `from` to `to` */
  const sp_point *points;
} sp_wire;
typedef struct sp_layout {
  uint32_t n_boxes, n_wires;
  sp_box *boxes;
  sp_wire *wires;
  int32_t width, height; /* out */
} sp_layout;

#define SP_LAYOUT_DOT_NODES 400 /* more boxes, or more wires than three times that, go to the layered layout */

/* Points live in the arena. layered: never use Graphviz. */
sp_status sp_layout_run(sp_layout *l, sp_direction direction, bool layered, sp_arena *a, sp_error *err);
/* The layered layout alone. */
sp_status sp_layout_layered(sp_layout *l, sp_direction direction, sp_arena *a, sp_error *err);

#endif
