/* Edges and cards. Widths of edges grow with the square root of the rows, 1 to 8 px, and the rows stand on them; below an early stop
 * they are dotted, because the figure is not the same on every run. */
#include "viz/renderers/svg/svg.h"

static int32_t square_root(int64_t v) {
  int64_t r = 0;
  for (int64_t bit = (int64_t)1 << 30; bit > 0; bit >>= 1) {
    if ((r + bit) * (r + bit) <= v) {
      r += bit;
    }
  }
  return (int32_t)r;
}

/* Tenths of a pixel, with integers only so that every machine gives the same. */
static int32_t wire_width(int64_t rows, int64_t max_rows) {
  if (rows <= 0 || max_rows <= 0) {
    return 10;
  }
  return 10 + (int32_t)((int64_t)70 * square_root(rows) / square_root(max_rows));
}

/* The end of a path and the direction in which it arrives, as the tip (x, y) and its base. */
typedef struct tip {
  int32_t x, y;   /* the point */
  int32_t bx, by; /* from the point back to the base */
  int32_t nx, ny; /* from the base to its corner */
} tip;

/* Drawn by us because markers grow with the line's width. half: half the width of the base. */
static tip tip_of(const sp_wire *w, int32_t half) {
  const sp_point *at = &w->points[w->n - 1];
  const sp_point *before = at;
  for (uint32_t i = 2; i <= w->n && before->x == at->x && before->y == at->y; i++) {
    before = &w->points[w->n - i];
  }
  const int64_t dx = at->x - before->x, dy = at->y - before->y;
  int32_t len = square_root(dx * dx + dy * dy);
  len = len > 0 ? len : 1;
  const int32_t back = half + 4;
  return (tip){at->x, at->y, (int32_t)(dx * back / len), (int32_t)(dy * back / len), (int32_t)(-dy * half / len), (int32_t)(dx * half / len)};
}

/* The line ends at the base of its tip, so that a wide one does not stick out. */
static void put_path(const svg *s, const sp_wire *w, const tip *t, int32_t x, int32_t y) {
  for (uint32_t i = 0; i + 1 < w->n; i++) {
    sp_str_addf(s->out, "%s%d,%d", i == 0 ? "M" : i == 1 ? " C" : " ", w->points[i].x + x, w->points[i].y + y);
  }
  sp_str_addf(s->out, " %d,%d", t->x - t->bx + x, t->y - t->by + y);
}

static void put_tip(const svg *s, const tip *t, int32_t x, int32_t y, const char *class) {
  const int32_t px = t->x + x, py = t->y + y;
  sp_str_addf(s->out, "<path class=\"%s\" d=\"M%d,%d L%d,%d L%d,%d z\"/>\n", class, px, py, px - t->bx + t->nx, py - t->by + t->ny, px - t->bx - t->nx,
              py - t->by - t->ny);
}

static void put_wires(const svg *s, const panel *p, int32_t x, int32_t y) {
  for (uint32_t i = 0; i < p->scene.n_wires; i++) {
    const sp_wire *w = &p->layout.wires[i];
    const struct sp_scene_wire *sw = &p->scene.wires[i];
    if (w->n < 2 || sw->kind == SP_WIRE_HIDDEN) {
      continue;
    }
    const bool moved = sw->kind == SP_WIRE_MOVED;
    const int32_t width = moved ? 15 : wire_width(sw->rows, p->scene.max_rows);
    const tip t = tip_of(w, width / 20 + 4);
    sp_str_addf(s->out, "<path class=\"%s\" stroke-width=\"%d.%d\"%s d=\"", moved ? "moved" : "wire", width / 10, width % 10,
                sw->cut ? " stroke-dasharray=\"2 3\"" : "");
    put_path(s, w, &t, x, y);
    sp_str_add(s->out, "\"/>\n");
    put_tip(s, &t, x, y, moved ? "mtip" : "tip");
  }
}

static void put_labels(const svg *s, const panel *p, int32_t x, int32_t y) {
  for (uint32_t i = 0; i < p->scene.n_wires; i++) {
    const sp_wire *w = &p->layout.wires[i];
    if (p->scene.wires[i].kind != SP_WIRE_ROWS || p->scene.wires[i].label[0] == '\0' || w->n == 0) {
      continue;
    }
    const sp_point *a = &w->points[(w->n - 1) / 2], *b = &w->points[w->n / 2];
    sp_str_addf(s->out, "<text class=\"rows\" x=\"%d\" y=\"%d\">", (a->x + b->x) / 2 + x + 7, (a->y + b->y) / 2 + y + 4);
    sp_svg_escape(s->out, p->scene.wires[i].label, strlen(p->scene.wires[i].label));
    sp_str_add(s->out, "</text>\n");
  }
}

/* ---- cards ---- */
static const char *span_class(sp_span_kind k) {
  switch (k) {
  case SP_SPAN_KEYWORD:
  case SP_SPAN_OPERATOR:
    return "k";
  case SP_SPAN_FUNCTION:
    return "f";
  case SP_SPAN_NUMBER:
  case SP_SPAN_STRING:
    return "v";
  case SP_SPAN_TYPE:
    return "t";
  case SP_SPAN_PLAIN:
  case SP_SPAN_COLUMN:
    break;
  }
  return NULL;
}

static void put_rich(const svg *s, const sp_rich *r) {
  size_t at = 0;
  for (uint32_t i = 0; i < r->n_spans; i++) {
    const char *class = span_class(r->spans[i].kind);
    if (class == NULL) {
      continue;
    }
    sp_svg_escape(s->out, r->text + at, r->spans[i].pos - at);
    sp_str_addf(s->out, "<tspan class=\"%s\">", class);
    sp_svg_escape(s->out, r->text + r->spans[i].pos, r->spans[i].len);
    sp_str_add(s->out, "</tspan>");
    at = r->spans[i].pos + r->spans[i].len;
  }
  sp_svg_escape(s->out, r->text + at, strlen(r->text) - at);
}

static const char *line_class(sp_line_kind k) {
  switch (k) {
  case SP_LINE_TITLE:
    return "b";
  case SP_LINE_KEY:
  case SP_LINE_SCAN:
    return "x";
  case SP_LINE_ARRIVED:
    return "arrived";
  case SP_LINE_GHOST:
  case SP_LINE_FIGURES:
    return "dim";
  case SP_LINE_BLOCKED:
    return "blocked";
  case SP_LINE_SHARED:
    return "shared";
  case SP_LINE_ERROR:
    return "error";
  }
  return "x";
}

static void put_line(const svg *s, const sp_card_line *l, int32_t x, int32_t y) {
  sp_str_addf(s->out, "<text class=\"%s\" x=\"%d\" y=\"%d\" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\">", line_class(l->kind), x, y,
              sp_svg_text_width(l->columns));
  if (l->full != NULL) {
    sp_str_add(s->out, "<title>");
    sp_svg_escape(s->out, l->full, strlen(l->full));
    sp_str_add(s->out, "</title>");
  }
  if (l->glyph != NULL) {
    sp_str_add(s->out, "<tspan class=\"sym\">");
    sp_svg_escape(s->out, l->glyph, strlen(l->glyph));
    sp_str_add(s->out, "</tspan> ");
  }
  put_rich(s, &l->text);
  sp_str_add(s->out, "</text>\n");
}

/* The tooltip: everything there is to say about the node in one text. */
static void put_tooltip(const svg *s, const sp_card *c) {
  sp_str_add(s->out, "<title>");
  sp_svg_escape(s->out, c->title, strlen(c->title));
  for (uint32_t i = 0; c->node != NULL && i < c->node->n_details; i++) {
    const sp_report_detail *d = &c->node->details[i];
    sp_str_add(s->out, "&#10;");
    sp_svg_escape(s->out, d->key, strlen(d->key));
    sp_str_add(s->out, ": ");
    sp_svg_escape(s->out, d->value.text, strlen(d->value.text));
  }
  if (c->node != NULL && c->node->n_fields > 0) {
    sp_str_addf(s->out, "&#10;%u column%s:", c->node->n_fields, c->node->n_fields == 1 ? "" : "s");
    const uint32_t shown = c->node->n_fields < 40 ? c->node->n_fields : 40;
    for (uint32_t i = 0; i < shown; i++) {
      sp_str_add(s->out, i > 0 ? ", " : " ");
      sp_svg_escape(s->out, c->node->fields[i].name, strlen(c->node->fields[i].name));
      sp_str_addc(s->out, ' ');
      sp_svg_escape(s->out, c->node->fields[i].type, strlen(c->node->fields[i].type));
    }
    if (shown < c->node->n_fields) {
      sp_str_addf(s->out, " and %u more", c->node->n_fields - shown);
    }
  }
  if (c->node == NULL) {
    sp_str_add(s->out, "&#10;removed by the optimizer");
  }
  sp_str_add(s->out, "</title>");
}

static void put_bars(const svg *s, const sp_card *c, const sp_box *b, int32_t x, int32_t y) {
  const double shares[2] = {c->figures.time_share, c->figures.mem_share};
  static const char *const classes[2] = {"time", "mem"};
  int32_t top = y + b->h - BARS;
  for (int i = 0; i < 2; i++) {
    if (shares[i] < 0) {
      continue;
    }
    const int32_t full = b->w - 2 * PAD_X, part = (int32_t)((double)full * (shares[i] > 1 ? 1 : shares[i]) + 0.5);
    sp_str_addf(s->out, "<rect class=\"track\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"3\"/>", x + PAD_X, top, full);
    if (part > 0) {
      sp_str_addf(s->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"3\"/>", classes[i], x + PAD_X, top, part);
    }
    sp_str_addc(s->out, '\n');
    top += 4;
  }
}

/* Ids are the user's: what is no letter, digit or one of -_. becomes its code, so that different ids stay different. */
static void put_id(const svg *s, uint32_t panel_index, const char *id) {
  sp_str_addf(s->out, "%s-%c-", s->prefix, panel_index == 0 && s->n_panels > 1 ? 'b' : 'a');
  for (const unsigned char *p = (const unsigned char *)id; *p != '\0'; p++) {
    const bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_';
    plain ? sp_str_addc(s->out, (char)*p) : sp_str_addf(s->out, ".%02x", *p);
  }
}

static void put_card(const svg *s, const panel *p, uint32_t index, uint32_t panel_index, int32_t dx, int32_t dy) {
  const sp_card *c = &p->scene.cards[index];
  const sp_box *b = &p->layout.boxes[index];
  const int32_t x = b->x + dx, y = b->y + dy;
  sp_str_add(s->out, "<g id=\"");
  put_id(s, panel_index, c->id);
  sp_str_addf(s->out, "%s\" class=\"n%s", c->node == NULL ? ".ghost" : "", c->node == NULL ? " ghost" : c->node->is_output ? " out" : "");
  if (c->figures.heat > 0) {
    sp_str_addf(s->out, " h%d", c->figures.heat);
  }
  sp_str_add(s->out, "\">");
  put_tooltip(s, c);
  sp_str_addf(s->out, "<rect class=\"card\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", x, y, b->w, b->h);
  for (uint32_t i = 0; i < c->n_lines; i++) {
    put_line(s, &c->lines[i], x + PAD_X, y + PAD_Y + (int32_t)i * LINE + 12);
  }
  put_bars(s, c, b, x, y);
  sp_str_add(s->out, "</g>\n");
}

void sp_svg_panel(const svg *s, const panel *p, uint32_t index, int32_t x, int32_t y) {
  sp_str_addf(s->out, "<g class=\"panel\">\n<text class=\"b dim\" x=\"%d\" y=\"%d\">%s</text>\n", x, y - 10, p->label);
  put_wires(s, p, x, y);
  for (uint32_t i = 0; i < p->scene.n_cards; i++) {
    put_card(s, p, i, index, x, y);
  }
  put_labels(s, p, x, y);
  sp_str_add(s->out, "</g>\n");
}
