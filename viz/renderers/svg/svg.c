/* The picture: before and after side by side, a summary on top, a legend below. Graphviz places, we write: the same report gives the same bytes,
 * with no font, path, time or version of the machine in it. No script, no foreignObject, no external reference. */
#include "viz/renderers/svg/svg.h"

#include "base/hash.h"

#define MARGIN 18
#define HEAD_LINE 18
#define PANEL_GAP 60

static bool make_panel(svg *s, const sp_report_plan *plan, panel *p, sp_error *err, sp_status *ret) {
  p->label = plan->label;
  if (!sp_scene_make(&s->theme, plan, s->a, &p->scene)) {
    *ret = sp_error_nomem(err);
    return false;
  }
  sp_layout *l = &p->layout;
  *l = (sp_layout){.n_boxes = p->scene.n_cards, .n_wires = p->scene.n_wires};
  l->boxes = SP_ARENA_ARRAY(s->a, sp_box, l->n_boxes + 1);
  l->wires = SP_ARENA_ARRAY(s->a, sp_wire, l->n_wires + 1);
  if (l->boxes == NULL || l->wires == NULL) {
    *ret = sp_error_nomem(err);
    return false;
  }
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    const sp_card *c = &p->scene.cards[i];
    const uint32_t columns = c->columns > 14 ? c->columns : 14;
    const bool bars = c->figures.time_share >= 0 || c->figures.mem_share >= 0;
    l->boxes[i] = (sp_box){.w = sp_svg_text_width(columns) + 2 * PAD_X, .h = (int32_t)c->n_lines * LINE + 2 * PAD_Y + (bars ? BARS - 3 : 0)};
  }
  for (uint32_t i = 0; i < l->n_wires; i++) {
    const struct sp_scene_wire *w = &p->scene.wires[i];
    l->wires[i] = (sp_wire){.from = w->from, .to = w->to, .loose = w->kind == SP_WIRE_MOVED};
  }
  *ret = sp_layout_run(l, s->o->direction, false, s->a, err);
  return *ret == SP_OK;
}

/* Curves may leave the box of the nodes: the panel grows to hold them. */
static void fit_panel(panel *p) {
  int32_t left = 0, top = 0;
  for (uint32_t i = 0; i < p->layout.n_wires; i++) {
    for (uint32_t k = 0; k < p->layout.wires[i].n; k++) {
      const sp_point at = p->layout.wires[i].points[k];
      left = at.x < left ? at.x : left;
      top = at.y < top ? at.y : top;
    }
  }
  sp_layout *l = &p->layout;
  for (uint32_t i = 0; i < l->n_boxes; i++) {
    l->boxes[i].x -= left;
    l->boxes[i].y -= top;
  }
  for (uint32_t i = 0; i < l->n_wires; i++) {
    sp_point *points = (sp_point *)(uintptr_t)l->wires[i].points;
    for (uint32_t k = 0; k < l->wires[i].n; k++) {
      points[k].x -= left;
      points[k].y -= top;
      l->width = points[k].x > l->width + left ? points[k].x - left : l->width;
    }
  }
  l->width -= left;
  l->height -= top;
  for (uint32_t i = 0; i < l->n_wires; i++) { /* rows stand to the right of an edge's middle */
    const sp_wire *w = &l->wires[i];
    const char *label = p->scene.wires[i].label;
    if (w->n > 0 && label[0] != '\0') {
      const int32_t end = w->points[w->n / 2].x + 7 + sp_svg_text_width((uint32_t)sp_utf8_width(label, strlen(label)));
      l->width = end > l->width ? end : l->width;
    }
  }
}

/* Two pictures in one page must not share ids: the prefix comes from what is drawn. */
static const char *content_prefix(const svg *s) {
  sp_hasher h;
  sp_hasher_init(&h, 0x5167);
  for (uint32_t i = 0; i < s->n_panels; i++) {
    const sp_report_plan *p = s->panels[i].scene.plan;
    sp_hasher_bytes(&h, p->stage, strlen(p->stage));
    for (uint32_t k = 0; k < p->n_nodes; k++) {
      sp_hasher_bytes(&h, p->nodes[k].id, strlen(p->nodes[k].id));
      sp_hasher_bytes(&h, p->nodes[k].title, strlen(p->nodes[k].title));
      sp_hasher_bytes(&h, p->nodes[k].headline.text != NULL ? p->nodes[k].headline.text : "", p->nodes[k].headline.text != NULL ? strlen(p->nodes[k].headline.text) : 0);
    }
  }
  return sp_arena_printf(s->a, "sp%08x", (unsigned)(sp_hasher_finish(&h).lo & 0xffffffffu));
}

typedef struct heading {
  const char *lines[3];
  uint32_t n;
  int32_t width;
} heading;

static bool make_heading(svg *s, heading *h) {
  sp_str text;
  sp_str_init(&text, s->a->mem, (size_t)1 << 20);
  void (*const parts[])(const sp_theme *, sp_str *) = {sp_theme_summary, sp_theme_optimizer, sp_theme_process};
  for (uint32_t i = 0; i < 3; i++) {
    sp_str_clear(&text);
    if (i == 0) {
      sp_str_add(&text, s->theme.report->title != NULL ? s->theme.report->title : "plan");
      const size_t n = text.n;
      sp_str_add(&text, ": ");
      const size_t m = text.n;
      sp_str tail;
      sp_str_init(&tail, s->a->mem, (size_t)1 << 20);
      parts[i](&s->theme, &tail);
      sp_str_add(&text, tail.p);
      sp_str_release(&tail);
      if (text.n == m) {
        text.n = n;
        text.p[n] = '\0';
      }
    } else {
      parts[i](&s->theme, &text);
    }
    if (text.n > 0) {
      h->lines[h->n] = sp_arena_strdup(s->a, text.p);
      const int32_t w = sp_svg_text_width((uint32_t)sp_utf8_width(text.p, text.n));
      h->width = w > h->width ? w : h->width;
      if (h->lines[h->n++] == NULL) {
        break;
      }
    }
  }
  const bool ok = sp_str_ok(&text) && h->n > 0 && h->lines[h->n - 1] != NULL;
  sp_str_release(&text);
  return ok;
}

static void put_text(const svg *s, const char *class, int32_t x, int32_t y, const char *text) {
  sp_str_addf(s->out, "<text class=\"%s\" x=\"%d\" y=\"%d\" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\">", class, x, y,
              sp_svg_text_width((uint32_t)sp_utf8_width(text, strlen(text))));
  sp_svg_escape(s->out, text, strlen(text));
  sp_str_add(s->out, "</text>\n");
}

static const char legend_measured[] = "edges: width and number are rows · bars: share of time (upper), of peak memory (lower) · dashed: moved by the optimizer";
static const char legend_plain[] = "σ on a scan: predicate pushed into it · π k/n: columns read · dashed: moved by the optimizer";

static void put_document(svg *s, const heading *h) {
  const char *legend = s->theme.run != NULL ? legend_measured : legend_plain;
  const int32_t legend_width = sp_svg_text_width((uint32_t)sp_utf8_width(legend, strlen(legend)));
  int32_t width = h->width > legend_width ? h->width : legend_width, height = 0, x = MARGIN;
  for (uint32_t i = 0; i < s->n_panels; i++) {
    const int32_t end = x + s->panels[i].layout.width - MARGIN;
    width = end > width ? end : width;
    height = s->panels[i].layout.height > height ? s->panels[i].layout.height : height;
    x += s->panels[i].layout.width + PANEL_GAP;
  }
  width += 2 * MARGIN;
  const int32_t top = MARGIN + (int32_t)h->n * HEAD_LINE + 34;
  const int32_t total = top + height + 22 + HEAD_LINE + MARGIN;
  sp_str_addf(s->out,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"%s\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" xml:space=\"preserve\" "
              "aria-labelledby=\"%s-title %s-desc\">\n<title id=\"%s-title\">",
              s->prefix, width, total, width, total, s->prefix, s->prefix, s->prefix);
  const char *title = s->theme.report->title != NULL ? s->theme.report->title : "plan";
  sp_str_add(s->out, "Query plan ");
  sp_svg_escape(s->out, title, strlen(title));
  sp_str_addf(s->out, "</title>\n<desc id=\"%s-desc\">", s->prefix);
  const char *alt = s->o->alt != NULL ? s->o->alt : h->lines[0];
  sp_svg_escape(s->out, alt, strlen(alt));
  sp_str_add(s->out, "</desc>\n");
  sp_svg_style(s);
  if (s->o->theme != SP_THEME_AUTO) {
    sp_str_addf(s->out, "<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n", width, total);
  }
  for (uint32_t i = 0; i < h->n; i++) {
    put_text(s, i == 0 ? "b" : "dim", MARGIN, MARGIN + (int32_t)i * HEAD_LINE + 12, h->lines[i]);
  }
  x = MARGIN;
  for (uint32_t i = 0; i < s->n_panels; i++) {
    sp_svg_panel(s, &s->panels[i], i, x, top);
    x += s->panels[i].layout.width + PANEL_GAP;
  }
  put_text(s, "dim", MARGIN, total - MARGIN, legend);
  sp_str_add(s->out, "</svg>\n");
}

static sp_status render_in(svg *s, const sp_report *r, sp_error *err) {
  const sp_report_plan *plans[2];
  if (!sp_theme_open(&s->theme, r, s->o, s->a)) {
    return sp_error_nomem(err);
  }
  s->n_panels = sp_theme_plans(r, s->o->view, plans);
  for (uint32_t i = 0; i < s->n_panels; i++) {
    sp_status st = SP_OK;
    if (!make_panel(s, plans[i], &s->panels[i], err, &st)) {
      return st;
    }
    fit_panel(&s->panels[i]);
  }
  heading h = {.n = 0};
  s->prefix = s->o->id_prefix != NULL ? s->o->id_prefix : content_prefix(s);
  if (s->prefix == NULL || !make_heading(s, &h)) {
    return sp_error_nomem(err);
  }
  put_document(s, &h);
  return sp_str_status(s->out, err);
}

static sp_status render(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err) {
  sp_arena a;
  sp_arena_init(&a, out->mem);
  svg s = {.o = o, .a = &a, .out = out};
  const sp_status st = render_in(&s, r, err);
  sp_arena_release(&a);
  return st;
}

const sp_renderer sp_renderer_svg = {.name = "svg", .suffixes = "svg", .summary = "a picture, before and after side by side", .render = render};
