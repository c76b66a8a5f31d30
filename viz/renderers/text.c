/* The plan as a tree in text, consumers above their inputs, with the figures in columns on the right.
 *
 *   after
 *   slice out  0:10                                     rows   est   time    %   memory
 *   τ sort top  n DESC                                    10    10  0.1 ms   2%   1 KiB
 *   ⋈ join j  inner, a = b                             3,210   …
 *   ├─ scan airports.csv  π 2/7
 *   │    ← state = 'CA'  from west by predicate_pushdown
 *   └─ scan flights.parquet  π 3/5  σ delay > 15  row groups 2/13
 *
 * A chain is not indented, so ten thousand nodes in a chain are ten thousand lines of the same width; only branches are. A shared node is printed
 * where it is first met and named afterwards, so a DAG of 64 diamonds is 65 nodes and not 2^64. Nothing recurses. */
#include <stdio.h>

#include "viz/theme.h"

#define MAX_INDENT 60 /* columns; deeper branches are not indented further */

typedef struct glyphs {
  const char *branch, *last, *pipe, *space, *ellipsis;
} glyphs;
static const glyphs unicode_glyphs = {"├─ ", "└─ ", "│  ", "   ", "…"};
static const glyphs ascii_glyphs = {"+- ", "`- ", "|  ", "   ", "..."};

/* One pending node: what stands before it on its line and on the lines below it. */
typedef struct pending {
  uint32_t node;
  const char *first, *rest;
} pending;

typedef struct printer {
  sp_theme theme;
  const sp_viz_options *o;
  const glyphs *g;
  sp_arena *arena;
  sp_str *out;
  uint32_t width;
  uint32_t figure_width;
  pending *stack;
  uint32_t n, cap;
  bool *seen;
  bool failed;
} printer;

/* ---- colours ---- */
static void color(const printer *p, const char *code) {
  if (p->o->color) {
    sp_str_addf(p->out, "\033[%sm", code);
  }
}

static const char *span_color(sp_span_kind k) {
  switch (k) {
  case SP_SPAN_KEYWORD:
  case SP_SPAN_OPERATOR:
    return "35";
  case SP_SPAN_FUNCTION:
    return "34";
  case SP_SPAN_NUMBER:
  case SP_SPAN_STRING:
    return "32";
  case SP_SPAN_TYPE:
    return "33";
  case SP_SPAN_PLAIN:
  case SP_SPAN_COLUMN:
    break;
  }
  return NULL;
}

/* ---- a line: pieces with a known width, cut at the right edge of the tree part ---- */
typedef struct line {
  printer *p;
  uint32_t used, room;
  bool cut;
} line;

/* n bytes of control-free text in a colour (NULL = none). */
static void put(line *l, const char *text, size_t n, const char *code) {
  const char *end = text + n;
  if (code != NULL && !l->cut) {
    color(l->p, code);
  }
  for (const char *at = text; at < end && !l->cut;) {
    uint32_t len = 1;
    const uint32_t cp = sp_utf8_decode(at, end, &len);
    const bool control = cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
    const uint32_t w = control ? 1 : (uint32_t)sp_utf8_width(at, len);
    if (l->used + w + 1 > l->room) {
      sp_str_add(l->p->out, l->p->g->ellipsis);
      l->used += (uint32_t)sp_utf8_width(l->p->g->ellipsis, strlen(l->p->g->ellipsis));
      l->cut = true;
      break;
    }
    if (control) {
      sp_str_addc(l->p->out, ' ');
    } else {
      sp_str_addn(l->p->out, at, len);
    }
    l->used += w;
    at += len;
  }
  if (code != NULL) {
    color(l->p, "0");
  }
}
static void puts_plain(line *l, const char *text) { put(l, text, strlen(text), NULL); }

static void put_rich(line *l, const sp_rich *r) {
  size_t at = 0;
  for (uint32_t i = 0; i < r->n_spans && !l->cut; i++) {
    const sp_span *s = &r->spans[i];
    put(l, r->text + at, s->pos - at, NULL);
    put(l, r->text + s->pos, s->len, span_color(s->kind));
    at = s->pos + s->len;
  }
  if (!l->cut) {
    puts_plain(l, r->text + at);
  }
}

static line begin(printer *p, const char *prefix, uint32_t room) {
  line l = {.p = p, .room = room};
  color(p, "2");
  puts_plain(&l, prefix);
  color(p, "0");
  return l;
}

/* ---- figures ---- */
typedef struct column {
  const char *title;
  uint32_t width;
  sp_metric_class cls;
} column;
static const column columns[] = {{"rows", 11, SP_CLASS_ROWS}, {"est", 11, SP_CLASS_ROWS}, {"time", 9, SP_CLASS_TIMING}, {"%", 5, SP_CLASS_TIMING}, {"memory", 9, SP_CLASS_MEMORY}};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static bool column_shown(const printer *p, uint32_t c) {
  return p->theme.run != NULL && (p->o->classes & 1u << columns[c].cls) != 0;
}

static void put_cell(printer *p, const char *text, uint32_t width, const char *code) {
  const uint32_t w = (uint32_t)sp_utf8_width(text, strlen(text));
  sp_str_repeat(p->out, " ", width > w ? width - w : 1);
  if (code != NULL && *text != '\0') {
    color(p, code);
  }
  sp_str_add(p->out, text);
  if (code != NULL && *text != '\0') {
    color(p, "0");
  }
}

static void end_line(printer *p) {
  while (p->out->n > 0 && p->out->p[p->out->n - 1] == ' ') {
    p->out->p[--p->out->n] = '\0';
  }
  sp_str_addc(p->out, '\n');
}

static void put_figures(printer *p, line *l, const sp_figures *f) {
  if (p->figure_width == 0) {
    end_line(p);
    return;
  }
  sp_str_repeat(p->out, " ", l->room > l->used ? l->room - l->used : 0);
  static const char *const heat[] = {NULL, "33", "31", "1;31"};
  const char *const cells[N_COLUMNS] = {f->rows_text, f->est_text, f->time_text, f->share_text, f->mem_text};
  for (uint32_t c = 0; c < N_COLUMNS; c++) {
    if (column_shown(p, c)) {
      put_cell(p, cells[c], columns[c].width, c == 1 ? (f->q_text[0] != '\0' ? "1;35" : "2") : c >= 2 && c <= 3 ? heat[f->heat] : NULL);
    }
  }
  end_line(p);
}

static void put_titles(printer *p, const char *label) {
  line l = {.p = p, .room = p->width - p->figure_width};
  put(&l, label, strlen(label), "1");
  sp_str_repeat(p->out, " ", l.room > l.used ? l.room - l.used : 0);
  for (uint32_t c = 0; c < N_COLUMNS; c++) {
    if (column_shown(p, c)) {
      put_cell(p, columns[c].title, columns[c].width, "2");
    }
  }
  end_line(p);
}

/* ---- nodes ---- */
static void put_scan(line *l, const sp_report_node *n, const sp_figures *f) {
  char text[96];
  if (n->columns_read >= 0 && n->columns_total >= 0) {
    const int k = snprintf(text, sizeof text, "  π %lld/%lld", (long long)n->columns_read, (long long)n->columns_total);
    put(l, text, (size_t)k, NULL);
  }
  if (n->pushed_predicate.text != NULL) {
    puts_plain(l, "  σ ");
    put_rich(l, &n->pushed_predicate);
  }
  if (n->pushed_rows >= 0) {
    const int k = snprintf(text, sizeof text, "  first %lld rows", (long long)n->pushed_rows);
    put(l, text, (size_t)k, NULL);
  }
  if (f->groups_text[0] != '\0') {
    puts_plain(l, "  row groups ");
    puts_plain(l, f->groups_text);
  }
}

static void put_node(printer *p, const sp_report_plan *plan, const pending *at, bool again) {
  const sp_report_node *n = &plan->nodes[at->node];
  line l = begin(p, at->first, p->width - p->figure_width);
  const bool has_symbol = n->symbol[0] != '\0' && strcmp(n->symbol, n->op) != 0;
  if (has_symbol && !p->o->ascii) {
    put(&l, n->symbol, strlen(n->symbol), "36");
    puts_plain(&l, " ");
  }
  put(&l, n->title, strlen(n->title), "1");
  const size_t id = strlen(n->id), title = strlen(n->title);
  if (!(title >= id && strcmp(n->title + title - id, n->id) == 0)) { /* "scan flights" says its id already */
    puts_plain(&l, " ");
    put(&l, n->id, id, "4");
  }
  if (again) {
    put(&l, "  shared, see above", strlen("  shared, see above"), "2");
    end_line(p);
    return;
  }
  sp_figures f;
  sp_theme_figures(&p->theme, plan, at->node, &f);
  if (n->is_source && n->columns_read >= 0) {
    put_scan(&l, n, &f);
  } else if (n->headline.text != NULL && n->headline.text[0] != '\0') {
    puts_plain(&l, "  ");
    put_rich(&l, &n->headline);
  }
  if (f.q_text[0] != '\0') {
    puts_plain(&l, "  estimate off ");
    put(&l, f.q_text, strlen(f.q_text), "1;35");
  }
  put_figures(p, &l, &f);
}

static void put_notes(printer *p, const sp_report_plan *plan, const pending *at) {
  static const char *const codes[] = {"2", "36", "33", "35", "33", "1;31"};
  uint32_t n = 0;
  const sp_note *notes = NULL;
  p->failed = !sp_theme_notes(&p->theme, plan, at->node, p->arena, &notes, &n) || p->failed;
  for (uint32_t i = 0; i < n; i++) {
    line l = begin(p, at->rest, p->width);
    puts_plain(&l, "  ");
    put(&l, notes[i].glyph, strlen(notes[i].glyph), codes[notes[i].kind]);
    puts_plain(&l, " ");
    if (notes[i].what.text != NULL && notes[i].what.text[0] != '\0') {
      put_rich(&l, &notes[i].what);
      puts_plain(&l, "  ");
    }
    put(&l, notes[i].text, strlen(notes[i].text), codes[notes[i].kind]);
    end_line(p);
  }
}

static void push(printer *p, uint32_t node, const char *first, const char *rest) {
  p->failed = p->failed || first == NULL || rest == NULL || !sp_arena_grow(p->arena, &p->stack, &p->cap, p->n + 1, sizeof *p->stack);
  if (!p->failed) {
    p->stack[p->n++] = (pending){node, first, rest};
  }
}

/* One input goes on below at the same place; several branch off. Pushed last to first, so that they are printed first to last. */
static void push_inputs(printer *p, const sp_report_node *n, const pending *at) {
  if (n->n_inputs == 1) {
    push(p, n->inputs[0], at->rest, at->rest);
    return;
  }
  const bool deep = sp_utf8_width(at->rest, strlen(at->rest)) >= MAX_INDENT;
  for (uint32_t i = n->n_inputs; i-- > 0;) {
    const bool last = i + 1 == n->n_inputs;
    push(p, n->inputs[i], sp_arena_printf(p->arena, "%s%s", at->rest, last ? p->g->last : p->g->branch),
         deep ? at->rest : sp_arena_printf(p->arena, "%s%s", at->rest, last ? p->g->space : p->g->pipe));
  }
}

static void put_plan(printer *p, const sp_report_plan *plan) {
  put_titles(p, plan->label);
  p->seen = SP_ARENA_ARRAY(p->arena, bool, plan->n_nodes + 1);
  p->failed = p->failed || p->seen == NULL;
  for (uint32_t o = 0; o < plan->n_outputs && !p->failed; o++) {
    const sp_report_output *output = &plan->outputs[o];
    if (plan->n_outputs > 1) {
      line l = begin(p, "", p->width);
      puts_plain(&l, "output ");
      put(&l, output->name, strlen(output->name), "1");
      puts_plain(&l, ":");
      end_line(p);
    }
    push(p, output->node, "", "");
    while (p->n > 0 && !p->failed) {
      const pending at = p->stack[--p->n];
      const bool again = p->seen[at.node];
      p->seen[at.node] = true;
      put_node(p, plan, &at, again);
      if (!again) {
        put_notes(p, plan, &at);
        push_inputs(p, &plan->nodes[at.node], &at);
      }
    }
  }
}

static void put_head(printer *p) {
  const sp_report *r = p->theme.report;
  sp_str s;
  sp_str_init(&s, p->out->mem, (size_t)1 << 20);
  void (*const parts[])(const sp_theme *, sp_str *) = {sp_theme_summary, sp_theme_optimizer, sp_theme_process};
  color(p, "1");
  sp_str_add(p->out, r->title != NULL ? r->title : "plan");
  color(p, "0");
  for (uint32_t i = 0; i < 3; i++) {
    sp_str_clear(&s);
    parts[i](&p->theme, &s);
    if (i == 0) {
      sp_str_addf(p->out, "%s%s\n", s.n > 0 ? ": " : "", s.p);
    } else if (s.n > 0) {
      color(p, "2");
      sp_str_addf(p->out, "%s\n", s.p);
      color(p, "0");
    }
  }
  p->failed = p->failed || !sp_str_ok(&s);
  sp_str_release(&s);
}

static sp_status render(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err) {
  sp_arena a;
  sp_arena_init(&a, out->mem);
  printer p = {.o = o, .g = o->ascii ? &ascii_glyphs : &unicode_glyphs, .arena = &a, .out = out, .width = o->width > 0 ? o->width : 100};
  const sp_report_plan *plans[2];
  const uint32_t n = sp_theme_plans(r, o->view, plans);
  p.failed = !sp_theme_open(&p.theme, r, o, &a);
  if (!p.failed) {
    for (uint32_t c = 0; c < N_COLUMNS; c++) {
      p.figure_width += column_shown(&p, c) ? columns[c].width : 0;
    }
    if (p.width < p.figure_width + 40) {
      p.width = p.figure_width + 40; /* the tree needs room; the terminal may wrap */
    }
    put_head(&p);
    for (uint32_t i = 0; i < n && !p.failed; i++) {
      sp_str_addc(out, '\n');
      put_plan(&p, plans[i]);
    }
  }
  sp_arena_release(&a);
  return p.failed ? sp_error_nomem(err) : sp_str_status(out, err);
}

const sp_renderer sp_renderer_text = {
    .name = "text", .suffixes = "txt text", .summary = "a tree that fits the terminal", .render = render};
