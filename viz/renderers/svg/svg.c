/* The picture: before and after side by side, a summary on top, a legend below. Graphviz places, we write:
 * the same report gives the same bytes, with no font, path, time or version of the machine in it. No script,
 * no foreignObject, no external reference. */
#include "viz/renderers/svg/svg.h"

#include <stdlib.h>

#include "base/hash.h"
#include "viz/wrap.h"

#define MARGIN 18
#define HEAD_LINE 18
#define PANEL_GAP 64
#define MIN_WIDTH                                                                                            \
  640 /* of the lines above and the legend: they wrap past the larger of this and the panels */
#define MAX_NODES 20000 /* of a picture */
#define MAX_HEAD 12

/* ---- panels ---- */
static sp_status make_panel(sp_svg *s, const sp_report_plan *plan, sp_svg_panel *p, sp_error *err) {
  if (plan->n_nodes > MAX_NODES) {
    (void)sp_error_set(err, SP_LIMIT, NULL, "the plan has %u nodes: a picture has at most %d", plan->n_nodes,
                       MAX_NODES);
    sp_error_hint(err, "use --format text, dot or json");
    return SP_LIMIT;
  }
  p->label = plan->label;
  if (!sp_scene_make(&s->theme, plan, s->a, &p->scene)) {
    return sp_error_nomem(err);
  }
  sp_layout *l = &p->layout;
  *l = (sp_layout){.n_boxes = p->scene.n_cards, .n_wires = p->scene.n_wires};
  l->boxes = SP_ARENA_ARRAY(s->a, sp_box, (size_t)l->n_boxes + 1);
  l->wires = SP_ARENA_ARRAY(s->a, sp_wire, (size_t)l->n_wires + 1);
  if (l->boxes == NULL || l->wires == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    const sp_card *c = &p->scene.cards[i];
    const uint32_t columns = c->columns > 14 ? c->columns : 14;
    const bool bars = c->figures.time_share >= 0 || c->figures.mem_share >= 0;
    l->boxes[i] =
        (sp_box){.w = sp_svg_text_width(columns) + 2 * SP_SVG_PAD_X,
                 .h = (int32_t)c->n_lines * SP_SVG_LINE + 2 * SP_SVG_PAD_Y + (bars ? SP_SVG_BARS : 0)};
  }
  for (uint32_t i = 0; i < l->n_wires; i++) {
    const struct sp_scene_wire *w = &p->scene.wires[i];
    l->wires[i] = (sp_wire){
        .from = w->from, .to = w->to, .loose = w->kind == SP_WIRE_MOVED, .hidden = w->kind == SP_WIRE_HIDDEN};
  }
  return sp_layout_run(l, s->o->direction, s->o->layered, s->a, err);
}

typedef struct extent {
  int32_t left, top, right, bottom;
} extent;

static void include(extent *e, int32_t x, int32_t y) {
  e->left = x < e->left ? x : e->left;
  e->top = y < e->top ? y : e->top;
  e->right = x > e->right ? x : e->right;
  e->bottom = y > e->bottom ? y : e->bottom;
}

/* Curves and rows may leave the box of the nodes: the panel grows to hold them. */
static bool fit_panel(const sp_svg *s, sp_svg_panel *p) {
  sp_layout *l = &p->layout;
  if (!sp_svg_label_spots(p, s->o->direction, s->a, &p->spots)) {
    return false;
  }
  extent e = {0, 0, l->width, l->height};
  for (uint32_t i = 0; i < l->n_wires; i++) {
    for (uint32_t k = 0; k < l->wires[i].n; k++) {
      include(&e, l->wires[i].points[k].x, l->wires[i].points[k].y);
    }
    const sp_svg_spot *at = &p->spots[i];
    if (at->used) {
      const char *label = p->scene.wires[i].label;
      const int32_t width = sp_svg_text_width((uint32_t)sp_utf8_width(label, strlen(label)));
      include(&e, at->left ? at->x - width : at->x + width, at->y);
    }
  }
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    l->boxes[i].x -= e.left;
    l->boxes[i].y -= e.top;
  }
  for (uint32_t i = 0; i < l->n_wires; i++) {
    for (uint32_t k = 0; k < l->wires[i].n; k++) {
      l->wires[i].points[k].x -= e.left;
      l->wires[i].points[k].y -= e.top;
    }
    p->spots[i].x -= e.left;
    p->spots[i].y -= e.top;
  }
  l->width = e.right - e.left;
  l->height = e.bottom - e.top;
  return true;
}

static int by_value(const void *x, const void *y) {
  const int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;
  return a < b ? -1 : a > b;
}

/* Shifts one of the two panels down so that half of the nodes stand no lower and half no higher than their
 * partners, within bounds. */
static bool align_panels(sp_svg *s) {
  sp_svg_panel *before = &s->panels[0], *after = &s->panels[1];
  if (s->n_panels != 2 || before->scene.plan != s->theme.before || after->scene.plan != s->theme.after) {
    return true;
  }
  int32_t *off = SP_ARENA_ARRAY(s->a, int32_t, (size_t)after->scene.plan->n_nodes + 1);
  uint32_t n = 0;
  if (off == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < after->scene.plan->n_nodes; i++) {
    const int32_t partner = s->theme.partner[i];
    if (partner >= 0) {
      const sp_box *a = &after->layout.boxes[i], *b = &before->layout.boxes[partner];
      off[n++] = (b->y + b->h / 2) - (a->y + a->h / 2);
    }
  }
  if (n == 0) {
    return true;
  }
  qsort(off, n, sizeof *off, by_value);
  const int32_t shift = off[(n - 1) / 2]; /* of `after`, downwards */
  const int32_t tall =
      before->layout.height > after->layout.height ? before->layout.height : after->layout.height;
  const int32_t spare = tall / 4;
  sp_svg_panel *down = shift >= 0 ? after : before;
  const int32_t by = shift >= 0 ? shift : -shift, most = tall + spare - down->layout.height;
  down->dy = by < most ? by : most;
  return true;
}

/* ---- around them ---- */
/* Two pictures in one page must not share ids: the prefix comes from what is drawn. */
static const char *content_prefix(const sp_svg *s) {
  sp_hasher h;
  sp_hasher_init(&h, 0x5167);
  sp_hasher_u64(&h, (uint64_t)s->o->theme << 8 | (uint64_t)s->o->direction);
  for (uint32_t i = 0; i < s->n_panels; i++) {
    const sp_scene *scene = &s->panels[i].scene;
    sp_hasher_bytes(&h, scene->plan->stage, strlen(scene->plan->stage));
    for (uint32_t k = 0; k < scene->n_cards; k++) {
      sp_hasher_bytes(&h, scene->cards[k].id, strlen(scene->cards[k].id));
      for (uint32_t n = 0; n < scene->cards[k].n_lines; n++) {
        const char *text = scene->cards[k].lines[n].text.text;
        sp_hasher_bytes(&h, text, strlen(text));
      }
    }
  }
  return sp_arena_printf(s->a, "sp%08x", (unsigned)(sp_hasher_finish(&h).lo & 0xffffffffu));
}

/* The user's prefix stands in ids and style rules: letters, digits, - and _ only, a letter first. */
static const char *clean_prefix(const sp_svg *s, const char *given) {
  const bool lead = (given[0] >= 'a' && given[0] <= 'z') || (given[0] >= 'A' && given[0] <= 'Z');
  char *out = sp_arena_printf(s->a, "%s%s", lead ? "" : "p", given);
  for (char *p = out; p != NULL && *p != '\0'; p++) {
    const bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                       *p == '-' || *p == '_';
    *p = plain ? *p : '-';
  }
  return out;
}

typedef struct heading {
  const char *first; /* whole */
  const char *lines[MAX_HEAD];
  uint32_t n, n_bold;
} heading;

static bool add_heading(const sp_svg *s, heading *h, const char *text, int32_t width) {
  const sp_rich whole = {.text = text};
  const sp_rich *parts = NULL;
  const char *full = NULL;
  uint32_t n = 0;
  if (!sp_rich_wrap(&whole, (uint32_t)(width * 10 / SP_SVG_CHAR_10), MAX_HEAD / 3, s->a, &parts, &n, &full)) {
    return false;
  }
  for (uint32_t i = 0; i < n && h->n < MAX_HEAD; i++) {
    h->lines[h->n++] = parts[i].text;
  }
  return true;
}

static bool make_heading(const sp_svg *s, heading *h, int32_t width) {
  sp_str text;
  sp_str_init(&text, s->a->mem, (size_t)1 << 20);
  sp_theme_summary(&s->theme, &text);
  const char *title = s->theme.report->title != NULL ? s->theme.report->title : "plan";
  h->first = text.n > 0 ? sp_arena_printf(s->a, "%s: %s", title, text.p) : title;
  bool ok = sp_str_ok(&text) && h->first != NULL && add_heading(s, h, h->first, width);
  h->n_bold = h->n;
  void (*const parts[])(const sp_theme *, sp_str *) = {sp_theme_optimizer, sp_theme_process};
  for (uint32_t i = 0; i < 2 && ok; i++) {
    sp_str_clear(&text);
    parts[i](&s->theme, &text);
    ok = sp_str_ok(&text) && (text.n == 0 || add_heading(s, h, text.p, width));
  }
  sp_str_release(&text);
  return ok;
}

/* ---- the document ---- */
typedef struct frame {
  int32_t inner;        /* width of heading and legend */
  int32_t width, total; /* of the document */
  int32_t top, height;  /* of the panels */
} frame;

static frame make_frame(const sp_svg *s, const heading *h, int32_t panels) {
  frame f = {.inner = panels > MIN_WIDTH ? panels : MIN_WIDTH};
  for (uint32_t i = 0; i < s->n_panels; i++) {
    const int32_t end = s->panels[i].layout.height + s->panels[i].dy;
    f.height = end > f.height ? end : f.height;
  }
  int32_t widest = panels;
  for (uint32_t i = 0; i < h->n; i++) {
    const int32_t w = sp_svg_text_width((uint32_t)sp_utf8_width(h->lines[i], strlen(h->lines[i])));
    widest = w > widest ? w : widest;
  }
  const int32_t legend = sp_svg_legend(s, 0, 0, f.inner, false);
  widest = legend > 0 && widest < MIN_WIDTH ? MIN_WIDTH : widest;
  f.width = widest + 2 * MARGIN;
  f.top = MARGIN + (int32_t)h->n * HEAD_LINE + 36;
  f.total = f.top + f.height + (legend > 0 ? 26 + legend : 0) + MARGIN;
  return f;
}

static void put_description(const sp_svg *s, const heading *h) {
  sp_str_addf(s->out, "<desc id=\"%s-desc\">", s->prefix);
  if (s->o->alt != NULL) {
    sp_svg_escape(s->out, s->o->alt, strlen(s->o->alt));
  } else {
    sp_svg_escape(s->out, h->first, strlen(h->first));
    for (uint32_t i = 0; i < s->n_panels; i++) {
      sp_str_add(s->out, "; ");
      sp_svg_escape(s->out, s->panels[i].label, strlen(s->panels[i].label));
      const uint32_t n = s->panels[i].scene.plan->n_nodes;
      sp_str_addf(s->out, ": %u node%s", n, n == 1 ? "" : "s");
    }
  }
  sp_str_add(s->out, "</desc>\n");
}

static void put_document(const sp_svg *s, const heading *h, const frame *f) {
  sp_str_addf(s->out,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"%s\" width=\"%d\" height=\"%d\" viewBox=\"0 0 "
              "%d %d\" role=\"img\" xml:space=\"preserve\" "
              "aria-labelledby=\"%s-title %s-desc\">\n<title id=\"%s-title\">Query plan ",
              s->prefix, f->width, f->total, f->width, f->total, s->prefix, s->prefix, s->prefix);
  const char *title = s->theme.report->title != NULL ? s->theme.report->title : "plan";
  sp_svg_escape(s->out, title, strlen(title));
  sp_str_add(s->out, "</title>\n");
  put_description(s, h);
  sp_svg_style(s);
  if (s->o->theme != SP_THEME_AUTO) {
    sp_str_addf(s->out, "<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n", f->width, f->total);
  }
  for (uint32_t i = 0; i < h->n; i++) {
    sp_svg_text(s, i < h->n_bold ? "b" : "dim", MARGIN, MARGIN + (int32_t)i * HEAD_LINE + 12, h->lines[i]);
  }
  int32_t x = MARGIN;
  for (uint32_t i = 0; i < s->n_panels; i++) {
    if (i > 0) {
      sp_str_addf(s->out, "<path class=\"between\" d=\"M%d,%d v%d\"/>\n", x - PANEL_GAP / 2, f->top - 24,
                  f->height + 24);
    }
    sp_svg_draw_panel(s, &s->panels[i], i, x, f->top);
    x += s->panels[i].layout.width + PANEL_GAP;
  }
  (void)sp_svg_legend(s, MARGIN, f->top + f->height + 26, f->inner, true);
  sp_str_add(s->out, "</svg>\n");
}

static sp_status render_in(sp_svg *s, const sp_report *r, sp_error *err) {
  const sp_report_plan *plans[2];
  if (!sp_theme_open(&s->theme, r, s->o, s->a)) {
    return sp_error_nomem(err);
  }
  s->n_panels = sp_theme_plans(r, s->o->view, plans);
  int32_t panels = 0;
  for (uint32_t i = 0; i < s->n_panels; i++) {
    SP_TRY(make_panel(s, plans[i], &s->panels[i], err));
    if (!fit_panel(s, &s->panels[i])) {
      return sp_error_nomem(err);
    }
    panels += s->panels[i].layout.width + (i > 0 ? PANEL_GAP : 0);
  }
  if (s->n_panels == 2 &&
      s->theme.run != NULL) { /* what was measured is drawn to one scale; estimates may differ by too much */
    const int64_t a = s->panels[0].scene.max_rows, b = s->panels[1].scene.max_rows;
    s->panels[0].scene.max_rows = s->panels[1].scene.max_rows = a > b ? a : b;
  }
  sp_svg_collect(s);
  heading h = {.n = 0};
  s->prefix = s->o->id_prefix != NULL ? clean_prefix(s, s->o->id_prefix) : content_prefix(s);
  if (s->prefix == NULL || !align_panels(s) ||
      !make_heading(s, &h, panels > MIN_WIDTH ? panels : MIN_WIDTH)) {
    return sp_error_nomem(err);
  }
  const frame f = make_frame(s, &h, panels);
  put_document(s, &h, &f);
  return sp_str_status(s->out, err);
}

static sp_status render(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err) {
  sp_arena a;
  sp_arena_init(&a, out->mem);
  sp_svg s = {.o = o, .a = &a, .out = out};
  const sp_status st = render_in(&s, r, err);
  sp_arena_release(&a);
  return st;
}

const sp_renderer sp_renderer_svg = {.name = "svg",
                                     .suffixes = "svg",
                                     .summary = "a picture, before and after side by side",
                                     .render = render};
