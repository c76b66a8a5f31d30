/* Placement by Graphviz: the only user of it. One context in the whole process (a second one ends in a
 * use-after-free inside Graphviz), made at first use with only the core and dot plugins, so that no font
 * library is loaded; one lock around every call, because cgraph is not thread-safe. Labels are empty and
 * sizes fixed: Graphviz never measures text. */
#include "viz/layout.h"

#include <graphviz/gvc.h>
#include <pthread.h>
#include <stdio.h>

#include "base/cformat.h"

extern gvplugin_library_t gvplugin_core_LTX_library;
extern gvplugin_library_t gvplugin_dot_layout_LTX_library;

#define INCH 72.0

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GVC_t *context; /* lives as long as the process */

static GVC_t *open_context(void) {
  static const lt_symlist_t plugins[] = {
      {"gvplugin_core_LTX_library", &gvplugin_core_LTX_library},
      {"gvplugin_dot_layout_LTX_library", &gvplugin_dot_layout_LTX_library},
      {0, 0}};
  if (context == NULL) {
    context = gvContextPlugins(plugins, 0);
    (void)agseterr(AGMAX); /* what goes wrong is reported by us */
  }
  return context;
}

static void set_size(void *obj, const char *key, double pixels) {
  char text[64];
  (void)sp_snprintf(text, sizeof text, "%.6f", pixels / INCH);
  (void)agsafeset(obj, (char *)(uintptr_t)key, text, (char *)(uintptr_t) "");
}
static void set(void *obj, const char *key, const char *value) {
  (void)agsafeset(obj, (char *)(uintptr_t)key, (char *)(uintptr_t)value, (char *)(uintptr_t) "");
}

static Agraph_t *build(const sp_layout *l, sp_direction direction, Agnode_t **nodes, Agedge_t **edges) {
  Agraph_t *g = agopen((char *)(uintptr_t) "plan", Agdirected, NULL);
  if (g == NULL) {
    return NULL;
  }
  set(g, "rankdir", direction == SP_SOURCES_BOTTOM ? "BT" : "TB");
  set_size(g, "nodesep", 28);
  set_size(g, "ranksep", 46);
  set(g, "nslimit", "4");
  set(g, "nslimit1", "4");
  set(g, "mclimit", "1");
  (void)agattr(g, AGNODE, (char *)(uintptr_t) "shape", (char *)(uintptr_t) "box");
  (void)agattr(g, AGNODE, (char *)(uintptr_t) "fixedsize", (char *)(uintptr_t) "true");
  (void)agattr(g, AGNODE, (char *)(uintptr_t) "label", (char *)(uintptr_t) "");
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "n%u", i);
    nodes[i] = agnode(g, name, 1);
    set_size(nodes[i], "width", l->boxes[i].w);
    set_size(nodes[i], "height", l->boxes[i].h);
  }
  for (uint32_t i = 0; i < l->n_wires; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "e%u", i);
    edges[i] = l->wires[i].loose ? NULL : agedge(g, nodes[l->wires[i].from], nodes[l->wires[i].to], name, 1);
  }
  return g;
}

static int32_t pixel(double v) {
  return (int32_t)(v < 0 ? v - 0.5 : v + 0.5);
}

/* Graphviz counts y upwards from the bottom. */
static bool take_wire(sp_wire *w, Agedge_t *e, double height, sp_arena *a) {
  const splines *s = e != NULL ? ED_spl(e) : NULL;
  if (s == NULL || s->size == 0) {
    return true;
  }
  const bezier *b = &s->list[0];
  const uint32_t n = (uint32_t)b->size;
  const uint32_t tail = b->sflag ? 3 : 0, head = b->eflag ? 3 : 0;
  sp_point *p = SP_ARENA_ARRAY(a, sp_point, n + tail + head);
  if (p == NULL) {
    return false;
  }
  uint32_t k = 0;
  if (b->sflag) { /* a straight piece up to where the arrowhead would have ended */
    p[k++] = (sp_point){pixel(b->sp.x), pixel(height - b->sp.y)};
    p[k++] = p[0];
    p[k++] = (sp_point){pixel(b->list[0].x), pixel(height - b->list[0].y)};
  }
  for (uint32_t i = 0; i < n; i++) {
    p[k++] = (sp_point){pixel(b->list[i].x), pixel(height - b->list[i].y)};
  }
  if (b->eflag) {
    p[k] = p[k - 1];
    p[k + 1] = p[k + 2] = (sp_point){pixel(b->ep.x), pixel(height - b->ep.y)};
    k += 3;
  }
  w->points = p;
  w->n = k;
  return true;
}

static bool take(sp_layout *l, Agraph_t *g, Agnode_t *const *nodes, Agedge_t *const *edges, sp_arena *a) {
  const boxf bb = GD_bb(g);
  l->width = pixel(bb.UR.x);
  l->height = pixel(bb.UR.y);
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    l->boxes[i].x = pixel(ND_coord(nodes[i]).x - l->boxes[i].w / 2.0);
    l->boxes[i].y = pixel(bb.UR.y - ND_coord(nodes[i]).y - l->boxes[i].h / 2.0);
    l->boxes[i].rank = ND_rank(nodes[i]);
  }
  for (uint32_t i = 0; i < l->n_wires; i++) {
    if (!take_wire(&l->wires[i], edges[i], bb.UR.y, a)) {
      return false;
    }
  }
  return true;
}

/* *ret_placed false: Graphviz would not; the layered layout takes over. */
static sp_status by_dot(sp_layout *l, sp_direction direction, sp_arena *a, bool *ret_placed, sp_error *err) {
  Agnode_t **nodes = SP_ARENA_ARRAY(a, Agnode_t *, l->n_boxes + 1);
  Agedge_t **edges = SP_ARENA_ARRAY(a, Agedge_t *, l->n_wires + 1);
  if (nodes == NULL || edges == NULL) {
    return sp_error_nomem(err);
  }
  (void)pthread_mutex_lock(&lock);
  bool ok = true;
  *ret_placed = false;
  GVC_t *gvc = open_context();
  Agraph_t *g = gvc != NULL ? build(l, direction, nodes, edges) : NULL;
  if (g != NULL) {
    if (gvLayout(gvc, g, "dot") == 0) {
      ok = take(l, g, nodes, edges, a);
      *ret_placed = ok;
      (void)gvFreeLayout(gvc, g);
    }
    (void)agclose(g);
  }
  (void)pthread_mutex_unlock(&lock);
  return ok ? SP_OK : sp_error_nomem(err);
}

/* dot's time grows with the ranks that all edges cross together: each is a node of its own to it. */
static bool is_quick(const sp_layout *l) {
  int64_t span = 0;
  for (uint32_t i = 0; i < l->n_wires; i++) {
    if (!l->wires[i].loose) {
      span += l->boxes[l->wires[i].to].rank - l->boxes[l->wires[i].from].rank;
    }
  }
  return l->n_boxes > 0 && l->n_boxes <= SP_LAYOUT_DOT_NODES && l->n_wires <= SP_LAYOUT_DOT_WIRES &&
         span <= SP_LAYOUT_DOT_SPAN;
}

sp_status sp_layout_run(sp_layout *l, sp_direction direction, bool layered, sp_arena *a, sp_error *err) {
  bool placed = false;
  if (!sp_layout_ranks(l, a)) {
    return sp_error_nomem(err);
  }
  if (!layered && is_quick(l)) {
    SP_TRY(by_dot(l, direction, a, &placed, err));
  }
  if (!placed) {
    SP_TRY(sp_layout_layered(l, direction, a, err));
  }
  return sp_layout_route(l, direction, a) ? SP_OK : sp_error_nomem(err);
}
