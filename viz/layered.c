/* A layered layout in linear time, with integers only: the same picture on every machine and for every
 * Graphviz.
 *
 * Ranks: a box stands one rank above its highest input (longest path from the sources). Order within a rank:
 * the order in which a walk from the outputs leaves the boxes, inputs first and left to right, which keeps
 * trees free of crossings. Place: a box is put above the middle of its inputs where there is room, else as
 * far right as its neighbour demands. Edges that skip ranks may pass behind boxes: large plans are read by
 * searching, not by following lines (Sugiyama et al. 1981 is the idea; the crossing and dummy-node phases are
 * left out). */
#include "viz/layout.h"

#define GAP_X 28
#define GAP_Y 46
#define NONE UINT32_MAX

typedef struct work {
  sp_layout *l;
  sp_arena *a;
  uint32_t *first, *next; /* chains of firm wires by consumer, in their order */
  uint32_t *order;        /* boxes, inputs before consumers */
  uint32_t n_order;
  int32_t n_ranks;
} work;

static bool link_wires(work *w) {
  w->first = SP_ARENA_ARRAY(w->a, uint32_t, w->l->n_boxes + 1);
  w->next = SP_ARENA_ARRAY(w->a, uint32_t, w->l->n_wires + 1);
  if (w->first == NULL || w->next == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < w->l->n_boxes; i++) {
    w->first[i] = NONE;
  }
  for (uint32_t i = w->l->n_wires; i-- > 0;) {
    const sp_wire *e = &w->l->wires[i];
    if (!e->loose) {
      w->next[i] = w->first[e->to];
      w->first[e->to] = i;
    }
  }
  return true;
}

/* Inputs stand before consumers in the array, so one pass is enough; boxes without wires stay in rank 0. */
static void set_ranks(work *w) {
  for (uint32_t i = 0; i < w->l->n_boxes; i++) {
    sp_box *b = &w->l->boxes[i];
    b->rank = 0;
    for (uint32_t e = w->first[i]; e != NONE; e = w->next[e]) {
      const uint32_t from = w->l->wires[e].from;
      const int32_t above = from < i ? w->l->boxes[from].rank + 1 : 0;
      b->rank = above > b->rank ? above : b->rank;
    }
    w->n_ranks = b->rank + 1 > w->n_ranks ? b->rank + 1 : w->n_ranks;
  }
}

bool sp_layout_ranks(sp_layout *l, sp_arena *a) {
  work w = {.l = l, .a = a};
  if (!link_wires(&w)) {
    return false;
  }
  set_ranks(&w);
  return true;
}

/* Depth first from what nobody consumes, first to last, with an explicit stack: a box comes when its inputs
 * have come. */
static bool set_order(work *w) {
  const uint32_t n = w->l->n_boxes;
  bool *consumed = SP_ARENA_ARRAY(w->a, bool, n + 1), *met = SP_ARENA_ARRAY(w->a, bool, n + 1);
  uint32_t *at = SP_ARENA_ARRAY(w->a, uint32_t, n + 1); /* by box: the wire to follow next */
  uint32_t *stack = SP_ARENA_ARRAY(w->a, uint32_t, n + 1);
  w->order = SP_ARENA_ARRAY(w->a, uint32_t, n + 1);
  if (consumed == NULL || met == NULL || at == NULL || stack == NULL || w->order == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < w->l->n_wires; i++) {
    consumed[w->l->wires[i].from] = consumed[w->l->wires[i].from] || !w->l->wires[i].loose;
  }
  for (uint32_t root = 0; root < n; root++) {
    uint32_t depth = 0;
    if (!consumed[root] && !met[root]) {
      met[root] = true;
      at[root] = w->first[root];
      stack[depth++] = root;
    }
    while (depth > 0) {
      const uint32_t i = stack[depth - 1], e = at[i];
      if (e == NONE) {
        w->order[w->n_order++] = i;
        depth--;
        continue;
      }
      at[i] = w->next[e];
      const uint32_t from = w->l->wires[e].from;
      if (!met[from]) {
        met[from] = true;
        at[from] = w->first[from];
        stack[depth++] = from;
      }
    }
  }
  return true;
}

static bool place(work *w, sp_direction direction) {
  int32_t *right = SP_ARENA_ARRAY(w->a, int32_t, (size_t)w->n_ranks + 1); /* next free x of a rank */
  int32_t *height = SP_ARENA_ARRAY(w->a, int32_t, (size_t)w->n_ranks + 1);
  int32_t *top = SP_ARENA_ARRAY(w->a, int32_t, (size_t)w->n_ranks + 1);
  if (right == NULL || height == NULL || top == NULL) {
    return false;
  }
  sp_box *boxes = w->l->boxes;
  for (uint32_t i = 0; i < w->l->n_boxes; i++) {
    const int32_t rank = boxes[i].rank;
    height[rank] = boxes[i].h > height[rank] ? boxes[i].h : height[rank];
  }
  int32_t y = 0;
  for (int32_t k = 0; k < w->n_ranks; k++) {
    const int32_t rank = direction == SP_SOURCES_BOTTOM ? w->n_ranks - 1 - k : k;
    top[rank] = y;
    y += height[rank] + GAP_Y;
  }
  w->l->height = w->n_ranks > 0 ? y - GAP_Y : 0;
  w->l->width = 0;
  for (uint32_t k = 0; k < w->n_order; k++) {
    sp_box *b = &boxes[w->order[k]];
    int64_t sum = 0, n = 0;
    for (uint32_t e = w->first[w->order[k]]; e != NONE; e = w->next[e], n++) {
      const sp_box *in = &boxes[w->l->wires[e].from];
      sum += in->x + in->w / 2;
    }
    const int32_t wish = n > 0 ? (int32_t)(sum / n) - b->w / 2 : 0;
    int32_t *free_x = &right[b->rank];
    b->x = wish > *free_x ? wish : *free_x;
    *free_x = b->x + b->w + GAP_X;
    b->y = top[b->rank] + (height[b->rank] - b->h) / 2;
    w->l->width = b->x + b->w > w->l->width ? b->x + b->w : w->l->width;
  }
  return true;
}

sp_status sp_layout_layered(sp_layout *l, sp_direction direction, sp_arena *a, sp_error *err) {
  work w = {.l = l, .a = a};
  if (!link_wires(&w)) {
    return sp_error_nomem(err);
  }
  set_ranks(&w);
  if (!set_order(&w) || !place(&w, direction)) {
    return sp_error_nomem(err);
  }
  return SP_OK;
}
