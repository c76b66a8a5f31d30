/* Where nodes and edges go. Two ways behind one interface: Graphviz' dot for plans that it places quickly,
 * and a linear layered layout with integers only for the others (and for goldens, which must not depend on a
 * Graphviz version). Edges between neighbouring ranks and dashed arrows are then drawn by route.c, whoever
 * placed the boxes.
 *
 * In: boxes with sizes, edges from input to consumer; inputs stand before consumers. Out: whole pixels, y
 * downwards, boxes at x, y >= 0. Sources are at the bottom (SP_SOURCES_BOTTOM) or at the top. */
#ifndef SP_VIZ_LAYOUT_H
#define SP_VIZ_LAYOUT_H

#include "viz/viz.h"

typedef struct sp_box {
  int32_t w, h; /* in */
  int32_t x, y; /* out: upper left corner */
  int32_t rank; /* out: sources 0; consumers above their inputs */
} sp_box;
typedef struct sp_point {
  int32_t x, y;
} sp_point;
typedef struct sp_wire {
  uint32_t from, to; /* input, consumer */
  bool loose;        /* only drawn: it does not push boxes apart (a dashed arrow) */
  bool hidden;       /* only pushes: it is not drawn */
  uint32_t n;        /* out: 1 + 3k points of a Bézier path from `from` to `to`; 0 when hidden */
  sp_point *points;
} sp_wire;
typedef struct sp_layout {
  uint32_t n_boxes, n_wires;
  sp_box *boxes;
  sp_wire *wires;
  int32_t width, height; /* out: of the boxes */
} sp_layout;

/* What goes to dot. More boxes or edges, or edges that cross more ranks in all, go to the layered layout: dot
 * took 0.7 s at these limits, 3 s at twice as much, and 100 s at six times as much. */
#define SP_LAYOUT_DOT_NODES 400
#define SP_LAYOUT_DOT_WIRES 1500
#define SP_LAYOUT_DOT_SPAN 4000

/* Points live in the arena. layered: never use Graphviz. */
sp_status sp_layout_run(sp_layout *l, sp_direction direction, bool layered, sp_arena *a, sp_error *err);

/* ---- the parts ---- */
/* Ranks by longest path from the sources into boxes, loose wires aside. false = out of memory. */
bool sp_layout_ranks(sp_layout *l, sp_arena *a);
sp_status sp_layout_layered(sp_layout *l, sp_direction direction, sp_arena *a, sp_error *err);
/* Paths of wires between neighbouring ranks, of those without points, and of loose ones. */
bool sp_layout_route(sp_layout *l, sp_direction direction, sp_arena *a);

#endif
