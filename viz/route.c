/* Paths of edges, once the boxes have their places.
 *
 * An edge between neighbouring ranks leaves its input straight, swings over in the gap between the ranks and
 * arrives straight: it cannot touch another box, rows have room where it starts, and tips point where data
 * flows. Inputs of one consumer are spread over its edge in the order in which they stand, so that they do
 * not cross. Edges over several ranks keep the path that Graphviz found around the boxes; in the layered
 * layout they swing over all that is between.
 *
 *       ┌──────────┐
 *       │   join   │
 *       └─▲──────▲─┘
 *         │      ╰────╮
 *      ┌──┴──┐    ┌───┴───┐
 *
 * Dashed arrows run behind the boxes, from the bottom of a ghost or the side of a node to the top or side of
 * where they lead. */
#include "viz/layout.h"

#include <stdlib.h>

#define LEAVE 8   /* pixels straight off a rank */
#define ARRIVE 14 /* and straight onto one: at least a tip's length */
#define MARGIN 14 /* from a box's corner to a port */

/* A wire's end at a box, to be spread over the box's edge. */
typedef struct port {
  uint32_t box, wire;
  int32_t toward; /* x of what is at the other end */
} port;

typedef struct router {
  sp_layout *l;
  sp_arena *a;
  bool up;             /* data flows upwards */
  int32_t *low, *high; /* by rank: y where its tallest box begins and ends */
  int32_t n_ranks;
  int32_t *from_x, *to_x; /* by wire */
  bool *has_inputs;       /* by box */
  port *ports;
} router;

static int32_t middle(const sp_box *b) {
  return b->x + b->w / 2;
}
static int32_t clamp(int32_t v, int32_t lo, int32_t hi) {
  return hi < lo ? (lo + hi) / 2 : v < lo ? lo : v > hi ? hi : v;
}

static bool is_neighbour(const router *r, const sp_wire *w) {
  const sp_box *f = &r->l->boxes[w->from], *t = &r->l->boxes[w->to];
  return !w->loose && !w->hidden && (t->rank == f->rank + 1 || w->n == 0);
}

static bool open_router(router *r) {
  const sp_layout *l = r->l;
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    r->n_ranks = l->boxes[i].rank + 1 > r->n_ranks ? l->boxes[i].rank + 1 : r->n_ranks;
  }
  r->low = SP_ARENA_ARRAY(r->a, int32_t, (size_t)r->n_ranks + 1);
  r->high = SP_ARENA_ARRAY(r->a, int32_t, (size_t)r->n_ranks + 1);
  r->from_x = SP_ARENA_ARRAY(r->a, int32_t, (size_t)l->n_wires + 1);
  r->to_x = SP_ARENA_ARRAY(r->a, int32_t, (size_t)l->n_wires + 1);
  r->has_inputs = SP_ARENA_ARRAY(r->a, bool, (size_t)l->n_boxes + 1);
  r->ports = SP_ARENA_ARRAY(r->a, port, (size_t)l->n_wires + 1);
  if (r->low == NULL || r->high == NULL || r->from_x == NULL || r->to_x == NULL || r->has_inputs == NULL ||
      r->ports == NULL) {
    return false;
  }
  for (int32_t i = 0; i < r->n_ranks; i++) {
    r->low[i] = INT32_MAX;
  }
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    const sp_box *b = &l->boxes[i];
    r->low[b->rank] = b->y < r->low[b->rank] ? b->y : r->low[b->rank];
    r->high[b->rank] = b->y + b->h > r->high[b->rank] ? b->y + b->h : r->high[b->rank];
  }
  for (uint32_t i = 0; i < l->n_wires; i++) {
    const sp_wire *w = &l->wires[i];
    r->has_inputs[w->to] = r->has_inputs[w->to] || (!w->loose && !w->hidden);
  }
  return true;
}

/* ---- ports ---- */
static int by_box(const void *x, const void *y) {
  const port *p = x, *q = y;
  if (p->box != q->box) {
    return p->box < q->box ? -1 : 1;
  }
  if (p->toward != q->toward) {
    return p->toward < q->toward ? -1 : 1;
  }
  return p->wire < q->wire ? -1 : p->wire > q->wire;
}

/* Gives every port of a box its part of the edge, and in it the place nearest to the other end. */
static void spread(const router *r, uint32_t n, int32_t *x) {
  qsort(r->ports, n, sizeof *r->ports, by_box);
  for (uint32_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && r->ports[end].box == r->ports[i].box;) {
      end++;
    }
    const sp_box *b = &r->l->boxes[r->ports[i].box];
    const int64_t count = end - i, w = b->w - 2 * MARGIN;
    for (uint32_t k = i; k < end; k++) {
      const int32_t lo = b->x + MARGIN + (int32_t)(w * (k - i) / count),
                    hi = b->x + MARGIN + (int32_t)(w * (k - i + 1) / count);
      const int32_t inner = count > 1 ? 6 : 0;
      x[r->ports[k].wire] = clamp(r->ports[k].toward, lo + inner, hi - inner);
    }
  }
}

static void set_ports(const router *r) {
  const sp_layout *l = r->l;
  uint32_t n = 0;
  for (uint32_t i = 0; i < l->n_wires; i++) {
    const sp_wire *w = &l->wires[i];
    if (is_neighbour(r, w)) {
      r->ports[n++] = (port){w->to, i, middle(&l->boxes[w->from])};
    }
  }
  spread(r, n, r->to_x);
  n = 0;
  for (uint32_t i = 0; i < l->n_wires; i++) {
    const sp_wire *w = &l->wires[i];
    if (is_neighbour(r, w)) {
      r->ports[n++] = (port){w->from, i, r->to_x[i]};
    }
  }
  spread(r, n, r->from_x);
  /* One edge out starts in the middle, unless it runs straight. */
  for (uint32_t i = 0; i < n; i++) {
    const bool alone = (i == 0 || r->ports[i - 1].box != r->ports[i].box) &&
                       (i + 1 == n || r->ports[i + 1].box != r->ports[i].box);
    const uint32_t wire = r->ports[i].wire;
    if (alone && r->from_x[wire] != r->to_x[wire]) {
      r->from_x[wire] = middle(&l->boxes[r->ports[i].box]);
    }
  }
}

/* ---- paths ---- */
static bool start_path(const router *r, sp_wire *w, uint32_t n) {
  w->points = SP_ARENA_ARRAY(r->a, sp_point, n);
  w->n = w->points != NULL ? n : 0;
  return w->points != NULL;
}

/* Straight, over, straight: points of three Bézier pieces. */
static bool swing(const router *r, sp_wire *w, sp_point s, sp_point e, int32_t y1, int32_t y2) {
  if (s.x == e.x) {
    if (!start_path(r, w, 4)) {
      return false;
    }
    w->points[0] = w->points[1] = w->points[2] = s;
    w->points[3] = e;
    return true;
  }
  if (!start_path(r, w, 10)) {
    return false;
  }
  const sp_point a = {s.x, y1}, b = {e.x, y2};
  const int32_t mid = (y1 + y2) / 2;
  const sp_point p[10] = {s, s, a, a, {a.x, mid}, {b.x, mid}, b, b, b, e};
  memcpy(w->points, p, sizeof p);
  return true;
}

static bool route_neighbour(const router *r, uint32_t i) {
  sp_wire *w = &r->l->wires[i];
  const sp_box *f = &r->l->boxes[w->from], *t = &r->l->boxes[w->to];
  const sp_point s = {r->from_x[i], r->up ? f->y : f->y + f->h}, e = {r->to_x[i], r->up ? t->y + t->h : t->y};
  const int32_t leave = r->up ? r->low[f->rank] : r->high[f->rank],
                arrive = r->up ? r->high[t->rank] : r->low[t->rank];
  const int32_t gap = leave > arrive ? leave - arrive : arrive - leave, sign = r->up ? -1 : 1;
  const bool wide = gap >= LEAVE + ARRIVE + 12;
  return swing(r, w, s, e, leave + sign * (wide ? LEAVE : 0), arrive - sign * (wide ? ARRIVE : gap / 3));
}

/* From the bottom of f (of a ghost, which has no inputs there) to t's top or to the side that faces f. */
static bool arrow_down(const router *r, sp_wire *w, int32_t x) {
  const sp_box *f = &r->l->boxes[w->from], *t = &r->l->boxes[w->to];
  const int32_t sign = r->up ? 1 : -1;
  const sp_point s = {x, r->up ? f->y + f->h : f->y};
  if (!start_path(r, w, 4)) {
    return false;
  }
  w->points[0] = s;
  if (x > t->x + MARGIN && x < t->x + t->w - MARGIN) {
    const int32_t off = x - middle(t), keep = off >= 0 && off < MARGIN   ? MARGIN
                                              : off < 0 && off > -MARGIN ? -MARGIN
                                                                         : off;
    const sp_point e = {middle(t) + keep, r->up ? t->y : t->y + t->h};
    const int32_t d = (e.y - s.y) / 2;
    w->points[1] = (sp_point){s.x, s.y + d};
    w->points[2] = (sp_point){e.x, e.y - d};
    w->points[3] = e;
    return true;
  }
  const bool right = x > middle(t);
  const sp_point e = {right ? t->x + t->w : t->x, t->y + t->h / 2};
  const int32_t reach = (right ? x - e.x : e.x - x) / 2, dy = (e.y - s.y) * sign;
  w->points[1] = (sp_point){s.x, s.y + sign * (dy * 2 / 3)};
  w->points[2] = (sp_point){right ? e.x + 16 + reach : e.x - 16 - reach, e.y};
  w->points[3] = e;
  return true;
}

/* From side to side, in a bow around what is between. */
static bool arrow_around(const router *r, sp_wire *w) {
  const sp_box *f = &r->l->boxes[w->from], *t = &r->l->boxes[w->to];
  const bool right = middle(t) >= middle(f);
  const int32_t fx = right ? f->x + f->w : f->x, tx = right ? t->x + t->w : t->x;
  const int32_t out = right ? (fx > tx ? fx : tx) + 56 : (fx < tx ? fx : tx) - 56;
  if (!start_path(r, w, 4)) {
    return false;
  }
  w->points[0] = (sp_point){fx, f->y + f->h / 2};
  w->points[1] = (sp_point){out, f->y + f->h / 2};
  w->points[2] = (sp_point){out, t->y + t->h / 2};
  w->points[3] = (sp_point){tx, t->y + t->h / 2};
  return true;
}

static bool is_down(const router *r, const sp_wire *w) {
  const sp_box *f = &r->l->boxes[w->from], *t = &r->l->boxes[w->to];
  return w->loose && !r->has_inputs[w->from] && (r->up ? t->y >= f->y + f->h + 20 : t->y + t->h + 20 <= f->y);
}

static bool route_arrows(const router *r) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < r->l->n_wires; i++) {
    const sp_wire *w = &r->l->wires[i];
    if (is_down(r, w)) {
      r->ports[n++] = (port){w->from, i, middle(&r->l->boxes[w->to])};
    }
  }
  spread(r, n, r->from_x);
  for (uint32_t i = 0; i < r->l->n_wires; i++) {
    sp_wire *w = &r->l->wires[i];
    if (w->loose && !(is_down(r, w) ? arrow_down(r, w, r->from_x[i]) : arrow_around(r, w))) {
      return false;
    }
  }
  return true;
}

bool sp_layout_route(sp_layout *l, sp_direction direction, sp_arena *a) {
  router r = {.l = l, .a = a, .up = direction == SP_SOURCES_BOTTOM};
  if (!open_router(&r)) {
    return false;
  }
  set_ports(&r);
  for (uint32_t i = 0; i < l->n_wires; i++) {
    if (l->wires[i].hidden) {
      l->wires[i].n = 0;
    } else if (is_neighbour(&r, &l->wires[i]) && !route_neighbour(&r, i)) {
      return false;
    }
  }
  return route_arrows(&r);
}
