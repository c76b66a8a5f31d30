/* The look: one hue of heat with falling lightness, kinds never by colour alone. Colours are plain rules
 * written twice, because several viewers (librsvg, old browsers) know no custom properties. Everything is
 * scoped under the root's id, so that two pictures in one page do not meet. */
#include "viz/renderers/svg/svg.h"

typedef struct rule {
  const char *selector, *light, *dark;
} rule;

static const rule rules[] = {
    {".bg", "fill:#ffffff", "fill:#14161a"},
    {"text", "fill:#1f2328", "fill:#e6e8eb"},
    {".dim,.dim text,.id", "fill:#5c6570", "fill:#9aa4b0"},
    {".card", "fill:#f6f8fa;stroke:#c5ccd3", "fill:#1e2228;stroke:#414852"},
    {".h1 .card", "fill:#fff1dd;stroke:#e0b070", "fill:#33291c;stroke:#7d6136"},
    {".h2 .card", "fill:#ffdcae;stroke:#cf8a35", "fill:#4a3517;stroke:#a6752e"},
    {".h3 .card", "fill:#ffbf75;stroke:#b3650f", "fill:#6b4611;stroke:#d18f35"},
    {".h3 .dim,.h3 .id", "fill:#4a4f57", "fill:#c8ccd2"},
    {".bad .card", "fill:#fff0f1;stroke:#b3001b;stroke-width:2",
     "fill:#3a171b;stroke:#ff7b8a;stroke-width:2"},
    {".out .card", "stroke-width:2", "stroke-width:2"},
    {".ghost .card", "fill:none;stroke:#8a939d;stroke-dasharray:4 3",
     "fill:none;stroke:#6d7681;stroke-dasharray:4 3"},
    {".ghost text", "fill:#6a737d", "fill:#959da6"},
    {".between", "stroke:#dfe4e9", "stroke:#343a42"},
    {".wire", "stroke:#8a97a6", "stroke:#66717e"},
    {".moved", "stroke:#0072b2;stroke-dasharray:6 4", "stroke:#56b4e9;stroke-dasharray:6 4"},
    {".tip", "fill:#8a97a6", "fill:#66717e"},
    {".mtip", "fill:#0072b2", "fill:#56b4e9"},
    {".rows", "fill:#3d4650;stroke:#ffffff", "fill:#c4ccd4;stroke:#14161a"},
    {".est", "fill:#6a737d", "fill:#959da6"},
    {".sym", "fill:#0072b2", "fill:#56b4e9"},
    {".k", "fill:#8a3ffc", "fill:#be95ff"},
    {".f", "fill:#0b5fa5", "fill:#78b7f0"},
    {".v", "fill:#0b6e4f", "fill:#5ec9a0"},
    {".t", "fill:#8a5a00", "fill:#e0b050"},
    {".blocked,.off", "fill:#a1440b", "fill:#f0905a"},
    {".h3 .off", "fill:#7a2f00", "fill:#ffc19a"},
    {".error", "fill:#b3001b", "fill:#ff7b8a"},
    {".shared", "fill:#6b2fa0", "fill:#c9a0f0"},
    {".arrived", "fill:#0b5fa5", "fill:#78b7f0"},
    {".track", "fill:#dfe4e9", "fill:#343a42"},
    {".h2 .track,.h3 .track", "fill:#f7e6d0", "fill:#2b2418"},
    {".time", "fill:#d55e00", "fill:#e98a3c"},
    {".mem", "fill:#0072b2", "fill:#4aa3dd"},
};
enum { N_RULES = sizeof rules / sizeof rules[0] };

/* ".a,.b text" under "#id": every part of the list is prefixed. */
static void put_rule(const sp_svg *s, const char *selector, const char *body) {
  for (const char *p = selector;;) {
    const size_t n = strcspn(p, ",");
    sp_str_addf(s->out, "#%s %.*s", s->prefix, (int)n, p);
    if (p[n] == '\0') {
      break;
    }
    sp_str_addc(s->out, ',');
    p += n + 1;
  }
  sp_str_addf(s->out, "{%s}\n", body);
}

void sp_svg_style(const sp_svg *s) {
  sp_str_add(s->out, "<style>\n");
  put_rule(s, "text",
           "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation "
           "Mono',monospace;font-size:12px;white-space:pre");
  put_rule(s, ".b", "font-weight:700");
  put_rule(s, ".id", "font-weight:400");
  put_rule(s, ".card,.between", "stroke-width:1");
  put_rule(s, ".wire,.moved", "fill:none");
  put_rule(s, ".rows", "font-size:11px;stroke-width:3px;stroke-linejoin:round;paint-order:stroke");
  put_rule(s, ".est,.note", "font-style:italic");
  for (uint32_t i = 0; i < N_RULES; i++) {
    put_rule(s, rules[i].selector, s->o->theme == SP_THEME_DARK ? rules[i].dark : rules[i].light);
  }
  if (s->o->theme == SP_THEME_AUTO) {
    sp_str_add(s->out, "@media (prefers-color-scheme:dark){\n");
    for (uint32_t i = 0; i < N_RULES; i++) {
      put_rule(s, rules[i].selector, rules[i].dark);
    }
    sp_str_add(s->out, "}\n");
  }
  sp_str_add(s->out, "</style>\n");
}

void sp_svg_escape(sp_str *out, const char *text, size_t n) {
  const char *end = text + n;
  for (const char *p = text; p < end;) {
    uint32_t len = 1;
    const uint32_t cp = sp_utf8_decode(p, end, &len);
    if (cp == '&') {
      sp_str_add(out, "&amp;");
    } else if (cp == '<') {
      sp_str_add(out, "&lt;");
    } else if (cp == '>') {
      sp_str_add(out, "&gt;");
    } else if (cp == '"') {
      sp_str_add(out, "&quot;");
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

int32_t sp_svg_text_width(uint32_t columns) {
  return (int32_t)((columns * SP_SVG_CHAR_10 + 9) / 10);
}

void sp_svg_text(const sp_svg *s, const char *classes, int32_t x, int32_t y, const char *text) {
  sp_str_addf(s->out,
              "<text class=\"%s\" x=\"%d\" y=\"%d\" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\">",
              classes, x, y, sp_svg_text_width((uint32_t)sp_utf8_width(text, strlen(text))));
  sp_svg_escape(s->out, text, strlen(text));
  sp_str_add(s->out, "</text>\n");
}
