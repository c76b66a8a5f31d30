/* Graphviz DOT for those who want to place and style it themselves: explicit ids, plain labels (no HTML),
 * transparent ground, attributes in a fixed order. Every plan of the view is a cluster. */
#include "viz/card.h"

#define TOOLTIP_BYTES 400 /* of one field */

/* Inside quotes: backslash and quote are escaped, and & too, because Graphviz reads entities in labels. Line
 * ends become spaces: labels get theirs as \l so that they are left-aligned. */
static void put_part(sp_str *out, const char *text, size_t n) {
  const char *end = text + n;
  for (const char *p = text; p < end;) {
    uint32_t len = 1;
    const uint32_t cp = sp_utf8_decode(p, end, &len);
    if (cp == '"' || cp == '\\') {
      sp_str_addc(out, '\\');
      sp_str_addc(out, (char)cp);
    } else if (cp == '&') {
      sp_str_add(out, "&amp;");
    } else if (cp == '\n' || cp == '\t') {
      sp_str_addc(out, ' ');
    } else if (sp_viz_unprintable(cp)) {
      sp_str_add(out, "\xef\xbf\xbd");
    } else {
      sp_str_addn(out, p, len);
    }
    p += len;
  }
}
static void put_string(sp_str *out, const char *text) {
  put_part(out, text, strlen(text));
}

static void put_label(sp_str *out, const sp_card *c) {
  for (uint32_t i = 0; i < c->n_lines; i++) {
    const sp_card_line *l = &c->lines[i];
    if (l->glyph != NULL) {
      put_string(out, l->glyph);
      sp_str_addc(out, ' ');
    }
    put_string(out, l->text.text);
    if (l->tail != NULL) {
      sp_str_add(out, l->text.text[0] != '\0' ? " " : "");
      put_string(out, l->tail);
    }
    sp_str_add(out, "\\l");
  }
}

static void put_tooltip(sp_str *out, const sp_card *c) {
  put_string(out, c->title);
  for (uint32_t i = 0; c->node != NULL && i < c->node->n_details; i++) {
    const char *value = c->node->details[i].value.text;
    size_t n = strlen(value);
    if (n > TOOLTIP_BYTES) {
      n = TOOLTIP_BYTES;
      while (n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80) {
        n--;
      }
    }
    sp_str_add(out, "\\n");
    put_string(out, c->node->details[i].key);
    sp_str_add(out, ": ");
    put_part(out, value, n);
    sp_str_add(out, value[n] != '\0' ? "…" : "");
  }
}

/* Width by the square root of the rows, 1 to 8. */
static double wire_width(int64_t rows, int64_t max) {
  double lo = 0, hi = 1; /* square root of rows / max by halving: the same digits everywhere */
  const double share = rows > 0 && max > 0 ? (double)rows / (double)max : 0;
  for (int i = 0; i < 30; i++) {
    const double mid = (lo + hi) / 2;
    *(mid * mid <= share ? &lo : &hi) = mid;
  }
  return 1 + 7 * (share > 0 ? hi : 0);
}

/* "after/flights"; a ghost is "after/late (moved)". */
static void put_name(const sp_scene *s, const char *view, uint32_t card, sp_str *out) {
  sp_str_addf(out, "\"%s/", view);
  put_string(out, s->cards[card].id);
  sp_str_add(out, s->cards[card].node == NULL ? " (moved)\"" : "\"");
}

static void put_card(const sp_scene *s, const char *view, uint32_t i, sp_str *out) {
  static const char *const heat[] = {"#f6f8fa", "#fff1dd", "#ffdcae", "#ffbf75"};
  const sp_card *c = &s->cards[i];
  const bool ghost = c->node == NULL;
  sp_str_add(out, "    ");
  put_name(s, view, i, out);
  sp_str_add(out, " [id=");
  put_name(s, view, i, out);
  sp_str_addf(out, ", style=\"%s\", fillcolor=\"%s\"%s, label=\"",
              ghost ? "filled,rounded,dashed" : "filled,rounded",
              ghost      ? "transparent"
              : c->error ? "#fff0f1"
                         : heat[c->figures.heat],
              c->error ? ", color=\"#b3001b\"" : "");
  put_label(out, c);
  sp_str_add(out, "\", tooltip=\"");
  put_tooltip(out, c);
  sp_str_add(out, "\"];\n");
}

static void put_wire(const sp_scene *s, const char *view, const struct sp_scene_wire *w, sp_str *out) {
  sp_str_add(out, "    ");
  put_name(s, view, w->from, out);
  sp_str_add(out, " -> ");
  put_name(s, view, w->to, out);
  if (w->kind == SP_WIRE_HIDDEN) {
    sp_str_add(out, " [style=\"invis\"];\n");
  } else if (w->kind == SP_WIRE_MOVED) {
    sp_str_add(out, " [style=\"dashed\", color=\"#0072b2\", constraint=\"false\"];\n");
  } else {
    sp_str_addf(out, " [label=\"%s\", penwidth=\"%.1f\"%s];\n", w->label, wire_width(w->rows, s->max_rows),
                w->cut ? ", style=\"dotted\"" : "");
  }
}

static void put_plan(const sp_scene *s, sp_str *out) {
  const char *view = strcmp(s->plan->stage, "optimized") == 0  ? "after"
                     : strcmp(s->plan->stage, "resolved") == 0 ? "before"
                                                               : "written";
  sp_str_addf(out, "  subgraph \"cluster_%s\" {\n    label=\"", view);
  put_string(out, s->plan->label);
  sp_str_add(out, "\"; color=\"transparent\";\n");
  for (uint32_t i = 0; i < s->n_cards; i++) {
    put_card(s, view, i, out);
  }
  for (uint32_t i = 0; i < s->n_wires; i++) {
    put_wire(s, view, &s->wires[i], out);
  }
  sp_str_add(out, "  }\n");
}

static sp_status render(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err) {
  sp_arena a;
  sp_arena_init(&a, out->mem);
  sp_theme t;
  const sp_report_plan *plans[2];
  const uint32_t n = sp_theme_plans(r, o->view, plans);
  bool ok = sp_theme_open(&t, r, o, &a);
  sp_str_add(out, "digraph \"");
  put_string(out, r->title != NULL ? r->title : "plan");
  sp_str_addf(out,
              "\" {\n  rankdir=\"%s\"; bgcolor=\"transparent\";\n  node [shape=\"box\", "
              "fontname=\"monospace\", fontsize=\"11\", color=\"#8a97a6\"];\n"
              "  edge [fontname=\"monospace\", fontsize=\"10\", color=\"#8a97a6\"];\n",
              o->direction == SP_SOURCES_BOTTOM ? "BT" : "TB");
  for (uint32_t i = 0; i < n && ok; i++) {
    sp_scene s;
    ok = sp_scene_make(&t, plans[i], &a, &s);
    if (ok) {
      put_plan(&s, out);
    }
  }
  sp_str_add(out, "}\n");
  sp_arena_release(&a);
  return ok ? sp_str_status(out, err) : sp_error_nomem(err);
}

const sp_renderer sp_renderer_dot = {
    .name = "dot", .suffixes = "dot gv", .summary = "Graphviz DOT", .render = render};
