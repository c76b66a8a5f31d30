/* A layered layout in linear time, with integers only: the same picture on every machine and for every Graphviz.
 *
 * Layers: a box stands one layer above its highest input (longest path from the sources). Order within a layer: the order in which a walk from the
 * outputs meets the boxes, inputs left to right, which keeps trees free of crossings. Place: a box is put above the middle of
 * its inputs where there is room, else as far right as its neighbour demands. Wires that skip layers run straight and may pass behind boxes: large
 * plans are read by searching, not by following lines (Sugiyama et al. 1981 is the idea; the crossing and dummy-node phases are left out). */
#include "viz/layout.h"

#define GAP_X 28
#define GAP_Y 46

typedef struct work {
  sp_layout *l;
  sp_arena *a;
  uint32_t *first, *next;  /* chains of firm wires by consumer, in their order */
  uint32_t *layer;
  uint32_t *order;         /* boxes in the order in which they were met */
  uint32_t n_order, n_layers;
} work;

#define NONE UINT32_MAX

static bool link_wires(work *w) {
  w->first = SP_ARENA_ARRAY(w->a, uint32_t, w->l->n_boxes + 1);
  w->next = SP_ARENA_ARRAY(w->a, uint32_t, w->l->n_wires + 1);
  w->layer = SP_ARENA_ARRAY(w->a, uint32_t, w->l->n_boxes + 1);
  w->order = SP_ARENA_ARRAY(w->a, uint32_t, w->l->n_boxes + 1);
  if (w->first == NULL || w->next == NULL || w->layer == NULL || w->order == NULL) {
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

/* Inputs stand before consumers in the array, so one pass is enough; boxes without wires stay in layer 0. */
static void set_layers(work *w) {
  for (uint32_t i = 0; i < w->l->n_boxes; i++) {
    for (uint32_t e = w->first[i]; e != NONE; e = w->next[e]) {
      const uint32_t from = w->l->wires[e].from;
      const uint32_t above = from < i ? w->layer[from] + 1 : 0;
      w->layer[i] = above > w->layer[i] ? above : w->layer[i];
    }
    w->n_layers = w->layer[i] + 1 > w->n_layers ? w->layer[i] + 1 : w->n_layers;
  }
}

/* Depth first from the last box down, with an explicit stack. */
static bool set_order(work *w) {
  bool *met = SP_ARENA_ARRAY(w->a, bool, w->l->n_boxes + 1);
  uint32_t *stack = SP_ARENA_ARRAY(w->a, uint32_t, (size_t)w->l->n_boxes + w->l->n_wires + 1);
  if (met == NULL || stack == NULL) {
    return false;
  }
  for (uint32_t root = w->l->n_boxes; root-- > 0;) {
    uint32_t n = 0;
    stack[n++] = root;
    while (n > 0) {
      const uint32_t i = stack[--n];
      if (met[i]) {
        continue;
      }
      met[i] = true;
      w->order[w->n_order++] = i;
      const uint32_t base = n;
      for (uint32_t e = w->first[i]; e != NONE; e = w->next[e]) {
        stack[n++] = w->l->wires[e].from;
      }
      for (uint32_t x = base, y = n; x + 1 < y; x++) { /* the first input on top */
        const uint32_t t = stack[x];
        stack[x] = stack[--y];
        stack[y] = t;
      }
    }
  }
  return true;
}

static bool place(work *w, sp_direction direction) {
  int32_t *right = SP_ARENA_ARRAY(w->a, int32_t, w->n_layers + 1); /* next free x of a layer */
  int32_t *height = SP_ARENA_ARRAY(w->a, int32_t, w->n_layers + 1);
  int32_t *top = SP_ARENA_ARRAY(w->a, int32_t, w->n_layers + 1);
  if (right == NULL || height == NULL || top == NULL) {
    return false;
  }
  sp_box *boxes = w->l->boxes;
  for (uint32_t i = 0; i < w->l->n_boxes; i++) {
    height[w->layer[i]] = boxes[i].h > height[w->layer[i]] ? boxes[i].h : height[w->layer[i]];
  }
  int32_t y = 0;
  for (uint32_t k = 0; k < w->n_layers; k++) {
    const uint32_t layer = direction == SP_SOURCES_BOTTOM ? w->n_layers - 1 - k : k;
    top[layer] = y;
    y += height[layer] + GAP_Y;
  }
  w->l->height = y - GAP_Y;
  w->l->width = 0;
  /* Boxes without inputs take the next free place in the order of the walk; the others stand above the middle of their inputs. */
  for (uint32_t k = 0; k < w->n_order; k++) {
    const uint32_t i = w->order[k];
    if (w->first[i] == NONE) {
      boxes[i].x = right[0];
      right[0] += boxes[i].w + GAP_X;
    }
  }
  for (uint32_t i = 0; i < w->l->n_boxes; i++) {
    if (w->first[i] != NONE) {
      int64_t sum = 0, n = 0;
      for (uint32_t e = w->first[i]; e != NONE; e = w->next[e], n++) {
        const sp_box *in = &boxes[w->l->wires[e].from];
        sum += in->x + in->w / 2;
      }
      const int32_t wish = (int32_t)(sum / n) - boxes[i].w / 2;
      int32_t *free_x = &right[w->layer[i]];
      boxes[i].x = wish > *free_x ? wish : *free_x;
      *free_x = boxes[i].x + boxes[i].w + GAP_X;
    }
    boxes[i].y = top[w->layer[i]] + (height[w->layer[i]] - boxes[i].h) / 2;
    const int32_t end = boxes[i].x + boxes[i].w;
    w->l->width = end > w->l->width ? end : w->l->width;
  }
  return true;
}

static bool draw_wires(work *w, sp_direction direction) {
  for (uint32_t i = 0; i < w->l->n_wires; i++) {
    sp_wire *e = &w->l->wires[i];
    const sp_box *f = &w->l->boxes[e->from], *t = &w->l->boxes[e->to];
    sp_point *p = SP_ARENA_ARRAY(w->a, sp_point, 4);
    if (p == NULL) {
      return false;
    }
    const bool up = direction == SP_SOURCES_BOTTOM;
    const sp_point a = {f->x + f->w / 2, up ? f->y : f->y + f->h}, b = {t->x + t->w / 2, up ? t->y + t->h : t->y};
    const int32_t mid = (a.y + b.y) / 2;
    p[0] = a;
    p[1] = (sp_point){a.x, mid};
    p[2] = (sp_point){b.x, mid};
    p[3] = b;
    e->points = p;
    e->n = 4;
  }
  return true;
}

sp_status sp_layout_layered(sp_layout *l, sp_direction direction, sp_arena *a, sp_error *err) {
  work w = {.l = l, .a = a};
  if (!link_wires(&w)) {
    return sp_error_nomem(err);
  }
  set_layers(&w);
  if (!set_order(&w) || !place(&w, direction) || !draw_wires(&w, direction)) {
    return sp_error_nomem(err);
  }
  return SP_OK;
}
