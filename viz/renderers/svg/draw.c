/* Edges and cards. Widths of edges grow with the square root of the rows, 1 to 8 px, and the rows stand where
 * an edge starts; below an early stop they are dotted, because the figure is not the same on every run. */
#include "viz/renderers/svg/svg.h"

#include "base/cformat.h"

#define DETAIL_BYTES 400  /* of one field in a tooltip */
#define TOOLTIP_FIELDS 40 /* columns in a tooltip; */
#define LARGE_PLAN 1000   /* in plans of more nodes only */
#define TOOLTIP_FEW_FIELDS 8

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

/* ---- edges ---- */
/* The end of a path and the direction in which it arrives, as the tip (x, y) and its base. */
typedef struct tip {
  int32_t x, y;   /* the point */
  int32_t bx, by; /* from the base to the point */
  int32_t nx, ny; /* from the base to its corner */
} tip;

/* Drawn by us because markers grow with the line's width. half: half the width of the base. */
static tip tip_of(const sp_wire *w, int32_t half) {
  const sp_point *at = &w->points[w->n - 1];
  const sp_point *before = at;
  for (uint32_t i = 2; i <= w->n && before->x == at->x && before->y == at->y; i++) {
    before = &w->points[w->n - i];
  }
  const int64_t dx = (int64_t)at->x - before->x, dy = (int64_t)at->y - before->y;
  int32_t len = square_root(dx * dx + dy * dy);
  len = len > 0 ? len : 1;
  const int32_t back = half + 4;
  return (tip){at->x,
               at->y,
               (int32_t)(dx * back / len),
               (int32_t)(dy * back / len),
               (int32_t)(-dy * half / len),
               (int32_t)(dx * half / len)};
}

/* The line ends at the base of its tip, so that a wide one does not stick out. A piece whose controls lie on
 * its ends is a line. */
static void put_path(const sp_svg *s, const sp_wire *w, const tip *t, int32_t x, int32_t y) {
  sp_str_addf(s->out, "M%d,%d", w->points[0].x + x, w->points[0].y + y);
  for (uint32_t i = 0; i + 3 < w->n; i += 3) {
    const sp_point *p = &w->points[i];
    const bool last = i + 4 == w->n;
    const sp_point end = last ? (sp_point){t->x - t->bx, t->y - t->by} : p[3];
    if (p[0].x == p[1].x && p[0].y == p[1].y &&
        ((p[2].x == p[3].x && p[2].y == p[3].y) || (p[2].x == p[0].x && p[2].y == p[0].y))) {
      sp_str_addf(s->out, " L%d,%d", end.x + x, end.y + y);
    } else {
      sp_str_addf(s->out, " C%d,%d %d,%d %d,%d", p[1].x + x, p[1].y + y, p[2].x + x, p[2].y + y, end.x + x,
                  end.y + y);
    }
  }
}

static void put_tip(const sp_svg *s, const tip *t, int32_t x, int32_t y, const char *class) {
  const int32_t px = t->x + x, py = t->y + y;
  sp_str_addf(s->out, "<path class=\"%s\" d=\"M%d,%d L%d,%d L%d,%d z\"/>\n", class, px, py,
              px - t->bx + t->nx, py - t->by + t->ny, px - t->bx - t->nx, py - t->by - t->ny);
}

static void put_wires(const sp_svg *s, const sp_svg_panel *p, int32_t x, int32_t y, bool moved) {
  for (uint32_t i = 0; i < p->scene.n_wires; i++) {
    const sp_wire *w = &p->layout.wires[i];
    const struct sp_scene_wire *sw = &p->scene.wires[i];
    if (w->n < 4 || sw->kind == SP_WIRE_HIDDEN || (sw->kind == SP_WIRE_MOVED) != moved) {
      continue;
    }
    const int32_t width = moved ? 15 : wire_width(sw->rows, p->scene.max_rows);
    const tip t = tip_of(w, width / 20 + 4);
    sp_str_addf(s->out, "<path class=\"%s\" stroke-width=\"%d.%d\"%s d=\"", moved ? "moved" : "wire",
                width / 10, width % 10, sw->cut ? " stroke-dasharray=\"5 3\" stroke-opacity=\"0.6\"" : "");
    put_path(s, w, &t, x, y);
    sp_str_add(s->out, "\"/>\n");
    put_tip(s, &t, x, y, moved ? "mtip" : "tip");
  }
}

/* Beside the start of the path, on the side away from where it turns. */
static sp_svg_spot spot_of(const sp_svg_panel *p, uint32_t wire, sp_direction d) {
  const sp_wire *w = &p->layout.wires[wire];
  const int32_t off = wire_width(p->scene.wires[wire].rows, p->scene.max_rows) / 20 + 6;
  const sp_point at = w->points[0];
  int32_t turn = 0;
  for (uint32_t i = 1; i < w->n && turn == 0; i++) {
    turn = w->points[i].x - at.x;
  }
  const int32_t y = d == SP_SOURCES_BOTTOM ? at.y - 6 : at.y + 14;
  return (sp_svg_spot){turn > 0 ? at.x - off : at.x + off, y, turn > 0, true};
}

/* A shared node has the same rows on all its edges: its outermost ones say it, to the outside. */
bool sp_svg_label_spots(const sp_svg_panel *p, sp_direction d, sp_arena *a, sp_svg_spot **ret) {
  const uint32_t n = p->scene.n_wires;
  sp_svg_spot *spots = SP_ARENA_ARRAY(a, sp_svg_spot, (size_t)n + 1);
  uint32_t *left =
      SP_ARENA_ARRAY(a, uint32_t, (size_t)p->scene.n_cards + 1); /* by card: its leftmost wire, + 1 */
  uint32_t *right = SP_ARENA_ARRAY(a, uint32_t, (size_t)p->scene.n_cards + 1); /* and its rightmost one */
  if (spots == NULL || left == NULL || right == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    const struct sp_scene_wire *w = &p->scene.wires[i];
    const sp_wire *path = &p->layout.wires[i];
    if (w->kind != SP_WIRE_ROWS || w->label[0] == '\0' || path->n == 0) {
      continue;
    }
    uint32_t *l = &left[w->from], *r = &right[w->from];
    *l = *l == 0 || path->points[0].x < p->layout.wires[*l - 1].points[0].x ? i + 1 : *l;
    *r = *r == 0 || path->points[0].x >= p->layout.wires[*r - 1].points[0].x ? i + 1 : *r;
  }
  for (uint32_t i = 0; i < p->scene.n_cards; i++) {
    if (left[i] == 0) {
      continue;
    }
    const uint32_t l = left[i] - 1, r = right[i] - 1;
    spots[l] = spot_of(p, l, d);
    if (l != r) {
      spots[r] = spot_of(p, r, d);
      const int32_t x = p->layout.wires[l].points[0].x, x2 = p->layout.wires[r].points[0].x;
      spots[l].x = spots[l].left ? spots[l].x : 2 * x - spots[l].x;
      spots[l].left = true;
      spots[r].x = spots[r].left ? 2 * x2 - spots[r].x : spots[r].x;
      spots[r].left = false;
    }
  }
  *ret = spots;
  return true;
}

static void put_labels(const sp_svg *s, const sp_svg_panel *p, int32_t x, int32_t y) {
  for (uint32_t i = 0; i < p->scene.n_wires; i++) {
    const struct sp_scene_wire *w = &p->scene.wires[i];
    const sp_svg_spot at = p->spots[i];
    if (!at.used) {
      continue;
    }
    sp_str_addf(s->out, "<text class=\"rows%s\" x=\"%d\" y=\"%d\"%s>", w->estimated ? " est" : "", at.x + x,
                at.y + y, at.left ? " text-anchor=\"end\"" : "");
    sp_svg_escape(s->out, w->label, strlen(w->label));
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

static void put_rich(const sp_svg *s, const sp_rich *r) {
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
  case SP_LINE_NOTE:
    return "dim note";
  }
  return "x";
}

static void put_cut(sp_str *out, const char *text, size_t most) {
  size_t n = strlen(text);
  if (n > most) {
    n = most;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
      n--;
    }
  }
  sp_svg_escape(out, text, n);
  sp_str_add(out, text[n] != '\0' ? "…" : "");
}

static void put_line(const sp_svg *s, const sp_card_line *l, int32_t x, int32_t y) {
  sp_str_addf(s->out,
              "<text class=\"%s\" x=\"%d\" y=\"%d\" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\">",
              line_class(l->kind), x, y, sp_svg_text_width(l->columns));
  if (l->full != NULL) {
    sp_str_add(s->out, "<title>");
    put_cut(s->out, l->full, (size_t)10 * DETAIL_BYTES);
    sp_str_add(s->out, "</title>");
  }
  if (l->glyph != NULL && strcmp(l->glyph, " ") == 0) {
    sp_str_add(s->out, "  ");
  } else if (l->glyph != NULL) {
    sp_str_add(s->out, "<tspan class=\"sym\">");
    sp_svg_escape(s->out, l->glyph, strlen(l->glyph));
    sp_str_add(s->out, "</tspan> ");
  }
  put_rich(s, &l->text);
  if (l->tail != NULL) {
    const char *class = l->kind == SP_LINE_TITLE ? "id" : l->kind == SP_LINE_FIGURES ? "off" : "dim";
    sp_str_addf(s->out, "%s<tspan class=\"%s\">", l->text.text[0] != '\0' ? " " : "", class);
    sp_svg_escape(s->out, l->tail, strlen(l->tail));
    sp_str_add(s->out, "</tspan>");
  }
  sp_str_add(s->out, "</text>\n");
}

/* ---- the tooltip: everything there is to say about the node in one text ---- */
static void put_fields(const sp_svg *s, const sp_svg_panel *p, const sp_report_node *n) {
  const uint32_t most = p->scene.plan->n_nodes > LARGE_PLAN ? TOOLTIP_FEW_FIELDS : TOOLTIP_FIELDS;
  const uint32_t shown = n->n_fields < most ? n->n_fields : most;
  if (n->n_fields == 0) {
    return;
  }
  sp_str_addf(s->out, "&#10;%u column%s:", n->n_fields, n->n_fields == 1 ? "" : "s");
  for (uint32_t i = 0; i < shown; i++) {
    sp_str_add(s->out, i > 0 ? ", " : " ");
    put_cut(s->out, n->fields[i].name, 80);
    sp_str_addc(s->out, ' ');
    put_cut(s->out, n->fields[i].type, 80);
  }
  if (shown < n->n_fields) {
    sp_str_addf(s->out, " and %u more", n->n_fields - shown);
  }
}

static void put_metrics(const sp_svg *s, const sp_svg_panel *p, uint32_t node) {
  char text[SP_HUMAN_SIZE];
  for (uint32_t m = 0; m < SP_METRIC_COUNT; m++) {
    if (sp_theme_metric(&s->theme, p->scene.plan, node, (sp_metric)m, text)) {
      sp_str_addf(s->out, "&#10;%s: ", sp_metric_table[m].name);
      sp_svg_escape(s->out, text, strlen(text));
    }
  }
}

static void put_tooltip(const sp_svg *s, const sp_svg_panel *p, const sp_card *c) {
  sp_str_add(s->out, "<title>");
  put_cut(s->out, c->title, DETAIL_BYTES);
  for (uint32_t i = 0; c->node != NULL && i < c->node->n_details; i++) {
    sp_str_add(s->out, "&#10;");
    put_cut(s->out, c->node->details[i].key, 80);
    sp_str_add(s->out, ": ");
    put_cut(s->out, c->node->details[i].value.text, DETAIL_BYTES);
  }
  if (c->node != NULL) {
    put_fields(s, p, c->node);
    put_metrics(s, p, c->index);
  } else {
    sp_str_add(s->out, "&#10;removed by the optimizer");
  }
  sp_str_add(s->out, "</title>");
}

static void put_bars(const sp_svg *s, const sp_card *c, const sp_box *b, int32_t x, int32_t y) {
  const double shares[2] = {c->figures.time_share, c->figures.mem_share};
  static const char *const classes[2] = {"time", "mem"};
  int32_t top = y + b->h - SP_SVG_BARS - 3;
  for (int i = 0; i < 2; i++) {
    if (shares[i] < 0) {
      continue;
    }
    const int32_t full = b->w - 2 * SP_SVG_PAD_X,
                  part = (int32_t)((double)full * (shares[i] > 1 ? 1 : shares[i]) + 0.5);
    sp_str_addf(s->out, "<rect class=\"track\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"4\"/>",
                x + SP_SVG_PAD_X, top, full);
    if (part > 0) {
      sp_str_addf(s->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"4\"/>", classes[i],
                  x + SP_SVG_PAD_X, top, part);
    }
    sp_str_addc(s->out, '\n');
    top += 6;
  }
}

/* Ids are the user's: what is no letter, digit or one of -_. becomes its code, so that different ids stay
 * different. */
static void put_id(const sp_svg *s, uint32_t panel_index, const char *id) {
  sp_str_addf(s->out, "%s-%c-", s->prefix, panel_index == 0 && s->n_panels > 1 ? 'b' : 'a');
  for (const unsigned char *p = (const unsigned char *)id; *p != '\0'; p++) {
    const bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                       *p == '-' || *p == '_';
    if (plain) {
      sp_str_addc(s->out, (char)*p);
    } else {
      sp_str_addf(s->out, ".%02x", *p);
    }
  }
}

static void put_card(const sp_svg *s, const sp_svg_panel *p, uint32_t index, uint32_t panel_index, int32_t dx,
                     int32_t dy) {
  const sp_card *c = &p->scene.cards[index];
  const sp_box *b = &p->layout.boxes[index];
  const int32_t x = b->x + dx, y = b->y + dy;
  sp_str_add(s->out, "<g id=\"");
  put_id(s, panel_index, c->id);
  sp_str_addf(s->out, "%s\" class=\"n%s%s", c->node == NULL ? ".ghost" : "",
              c->node == NULL      ? " ghost"
              : c->node->is_output ? " out"
                                   : "",
              c->error ? " bad" : "");
  if (c->figures.heat > 0) {
    sp_str_addf(s->out, " h%d", c->figures.heat);
  }
  sp_str_add(s->out, "\">");
  put_tooltip(s, p, c);
  sp_str_addf(s->out, "<rect class=\"card\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", x, y,
              b->w, b->h);
  for (uint32_t i = 0; i < c->n_lines; i++) {
    put_line(s, &c->lines[i], x + SP_SVG_PAD_X, y + SP_SVG_PAD_Y + (int32_t)i * SP_SVG_LINE + 12);
  }
  put_bars(s, c, b, x, y);
  sp_str_add(s->out, "</g>\n");
}

/* Arrows run behind everything, rows stand in front of it. */
void sp_svg_draw_panel(const sp_svg *s, const sp_svg_panel *p, uint32_t index, int32_t x, int32_t y) {
  sp_str_addf(s->out, "<g class=\"panel\">\n<text class=\"b dim\" x=\"%d\" y=\"%d\">", x, y - 12);
  sp_svg_escape(s->out, p->label, strlen(p->label));
  sp_str_add(s->out, "</text>\n");
  const int32_t top = y + p->dy;
  put_wires(s, p, x, top, true);
  put_wires(s, p, x, top, false);
  for (uint32_t i = 0; i < p->scene.n_cards; i++) {
    put_card(s, p, i, index, x, top);
  }
  put_labels(s, p, x, top);
  sp_str_add(s->out, "</g>\n");
}
