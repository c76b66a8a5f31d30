/* The legend: samples of what the picture has, each with a word. Nothing in it that is not in the picture. */
#include "viz/renderers/svg/svg.h"

#define GAP 26
#define ROW 20

typedef enum sample {
  S_EDGE,
  S_EXPECTED,
  S_OFF,
  S_CUT,
  S_TIME,
  S_MEMORY,
  S_COLUMNS,
  S_PUSHED,
  S_GHOST,
  S_SHARED
} sample;
typedef struct item {
  unsigned has;
  sample sample;
  int32_t width; /* of the sample */
  const char *text;
} item;

static const item items[] = {
    {SP_SVG_HAS_ROWS, S_EDGE, 26, "rows; width by their square root"},
    {SP_SVG_HAS_EXPECTED, S_EXPECTED, 30, "rows expected, not measured"},
    {SP_SVG_HAS_OFF, S_OFF, 87, "rows expected, and how far off that was"},
    {SP_SVG_HAS_CUT, S_CUT, 26, "below an early stop or runtime filter: varies"},
    {SP_SVG_HAS_TIME, S_TIME, 60, "share of all time; tinted from 10, 25, 50 %"},
    {SP_SVG_HAS_MEMORY, S_MEMORY, 26, "share of the query's peak memory"},
    {SP_SVG_HAS_COLUMNS, S_COLUMNS, 37, "columns read of those in the file"},
    {SP_SVG_HAS_PUSHED, S_PUSHED, 8, "filtered while reading"},
    {SP_SVG_HAS_GHOST, S_GHOST, 50, "was written there, moved here"},
    {SP_SVG_HAS_SHARED, S_SHARED, 15, "shared: runs once for all its consumers"},
};
enum { N_ITEMS = sizeof items / sizeof items[0] };

/* ---- what is there ---- */
static void collect_card(sp_svg *s, const sp_card *c) {
  s->has |= c->figures.q_text[0] != '\0' ? SP_SVG_HAS_OFF : 0;
  s->has |= c->figures.time_share >= 0 ? SP_SVG_HAS_TIME : 0;
  s->has |= c->figures.mem_share >= 0 ? SP_SVG_HAS_MEMORY : 0;
  if (c->node != NULL) {
    s->has |= c->node->is_source && c->node->columns_total >= 0 ? SP_SVG_HAS_COLUMNS : 0;
    s->has |= c->node->pushed_predicate.text != NULL ? SP_SVG_HAS_PUSHED : 0;
    s->has |= c->node->sharing != SP_SHARED_NOT ? SP_SVG_HAS_SHARED : 0;
  }
}

void sp_svg_collect(sp_svg *s) {
  for (uint32_t p = 0; p < s->n_panels; p++) {
    const sp_scene *scene = &s->panels[p].scene;
    for (uint32_t i = 0; i < scene->n_cards; i++) {
      collect_card(s, &scene->cards[i]);
    }
    for (uint32_t i = 0; i < scene->n_wires; i++) {
      const struct sp_scene_wire *w = &scene->wires[i];
      s->has |= w->kind == SP_WIRE_MOVED ? SP_SVG_HAS_GHOST : 0;
      if (w->kind == SP_WIRE_ROWS && w->label[0] != '\0') {
        s->has |= w->estimated ? SP_SVG_HAS_EXPECTED : SP_SVG_HAS_ROWS;
        s->has |= w->cut ? SP_SVG_HAS_CUT : 0;
      }
    }
  }
}

/* ---- drawing ---- */
static void put_line(const sp_svg *s, const char *classes, int32_t x, int32_t y, int32_t width,
                     const char *more) {
  sp_str_addf(s->out, "<path class=\"%s\"%s d=\"M%d,%d h%d\"/>", classes, more, x, y - 4, width);
}
static void put_bar(const sp_svg *s, const char *classes, int32_t x, int32_t y, int32_t width) {
  sp_str_addf(s->out,
              "<rect class=\"track\" x=\"%d\" y=\"%d\" width=\"26\" height=\"4\"/><rect class=\"%s\" "
              "x=\"%d\" y=\"%d\" width=\"%d\" height=\"4\"/>",
              x, y - 6, classes, x, y - 6, width);
}
static void put_box(const sp_svg *s, const char *group, int32_t x, int32_t y, int32_t width) {
  sp_str_addf(
      s->out,
      "<g class=\"%s\"><rect class=\"card\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"11\" rx=\"2\"/></g>",
      group, x, y - 9, width);
}

static void put_sample(const sp_svg *s, const item *it, int32_t x, int32_t y) {
  switch (it->sample) {
  case S_EDGE:
    put_line(s, "wire", x, y, it->width - 8, " stroke-width=\"4.0\"");
    sp_str_addf(s->out, "<path class=\"tip\" d=\"M%d,%d l-9,-5 v10 z\"/>", x + it->width, y - 4);
    break;
  case S_EXPECTED:
    sp_svg_text(s, "rows est", x, y, "~200");
    break;
  case S_OFF:
    sp_svg_text(s, "off", x, y, "est 200 ×4.0");
    break;
  case S_CUT:
    put_line(s, "wire", x, y, it->width,
             " stroke-width=\"3.0\" stroke-dasharray=\"5 3\" stroke-opacity=\"0.6\"");
    break;
  case S_TIME:
    put_bar(s, "time", x, y, 12);
    put_box(s, "n h1", x + 31, y, 9);
    put_box(s, "n h2", x + 41, y, 9);
    put_box(s, "n h3", x + 51, y, 9);
    break;
  case S_MEMORY:
    put_bar(s, "mem", x, y, 12);
    break;
  case S_COLUMNS:
    sp_svg_text(s, "sym", x, y, "π 2/5");
    break;
  case S_PUSHED:
    sp_svg_text(s, "sym", x, y, "σ");
    break;
  case S_GHOST:
    put_box(s, "ghost", x, y, 18);
    put_line(s, "moved", x + 19, y, 22, " stroke-width=\"1.5\"");
    sp_str_addf(s->out, "<path class=\"mtip\" d=\"M%d,%d l-8,-4 v8 z\"/>", x + it->width, y - 4);
    break;
  case S_SHARED:
    sp_svg_text(s, "sym", x, y, "×2");
    break;
  }
  sp_str_addc(s->out, '\n');
}

int32_t sp_svg_legend(const sp_svg *s, int32_t x, int32_t y, int32_t width, bool draw) {
  int32_t at = 0, row = 0;
  bool any = false;
  for (uint32_t i = 0; i < N_ITEMS; i++) {
    if ((s->has & items[i].has) == 0) {
      continue;
    }
    const int32_t needs =
        items[i].width + 8 + sp_svg_text_width((uint32_t)sp_utf8_width(items[i].text, strlen(items[i].text)));
    if (at > 0 && at + needs > width) {
      at = 0;
      row++;
    }
    if (draw) {
      put_sample(s, &items[i], x + at, y + row * ROW + 12);
      sp_svg_text(s, "dim", x + at + items[i].width + 8, y + row * ROW + 12, items[i].text);
    }
    at += needs + GAP;
    any = true;
  }
  return any ? (row + 1) * ROW : 0;
}
