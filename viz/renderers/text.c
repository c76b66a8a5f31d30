/* The plan as a tree in text, consumers above their inputs, with the figures in columns on the right.
 *
 *   after                                                       rows    est     off    time    %   memory
 *   τₖ top_k sorted  k 10; mean_delay DESC                        10     10          30 µs   1%    9 KiB
 *   ⋈ join placed  inner on origin = iata                      8,969 61,107    ×6.8  0.6 ms  26%  676 KiB
 *   ├─ ▤ scan flights.parquet  π 2/5  row groups 2/13  σ delay > 15 AND … country = 'USA'
 *   │    ← 3 predicates from late by predicate_pushdown
 *   └─ ▤ scan airports.csv  π 2/7
 *
 * A chain is not indented, so ten thousand nodes in a chain are ten thousand lines of the same width; only
 * branches are. A shared node is printed where it is first met and named afterwards, so a DAG of 64 diamonds
 * is 65 nodes and not 2^64. What no output uses (of a plan with an error) comes last. Nothing recurses. */
#include <stdio.h>

#include "base/cformat.h"
#include "viz/theme.h"
#include "viz/wrap.h"

#define MAX_INDENT 60 /* columns; deeper branches are not indented further */
#define MIN_TREE 40   /* columns for the tree, whatever the terminal */
#define MAX_WIDTH 1000

typedef struct glyphs {
  const char *branch, *last, *pipe, *space, *ellipsis;
} glyphs;
static const glyphs unicode_glyphs = {"├─ ", "└─ ", "│  ", "   ", "…"};
static const glyphs ascii_glyphs = {"+- ", "`- ", "|  ", "   ", "..."};

/* Our own signs for terminals without them. */
static const struct {
  const char *sign, *ascii;
} ascii_signs[] = {{"→", "->"},  {"←", "<-"},      {"↓", "v"},    {"⊘", "!"},  {"×", "x"},
                   {"≠", "!="},  {"✗", "!!"},      {"⇒", "=>"},   {"≉", "!~"}, {"µ", "u"},
                   {"…", "..."}, {"π", "columns"}, {"σ", "where"}};
enum { N_SIGNS = sizeof ascii_signs / sizeof ascii_signs[0] };

typedef enum column_id { C_ROWS, C_EST, C_OFF, C_TIME, C_SHARE, C_MEMORY, N_COLUMNS } column_id;

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
  uint32_t columns[N_COLUMNS]; /* width by column of figures; 0 = not shown */
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

static uint32_t width_of(const char *text) {
  return (uint32_t)sp_utf8_width(text, strlen(text));
}

/* n bytes in a colour (NULL = none). */
static void put(line *l, const char *text, size_t n, const char *code) {
  const char *end = text + n;
  const uint32_t dots = width_of(l->p->g->ellipsis);
  if (code != NULL && !l->cut) {
    color(l->p, code);
  }
  for (const char *at = text; at < end && !l->cut;) {
    uint32_t len = 1;
    const uint32_t cp = sp_utf8_decode(at, end, &len);
    const bool hidden = sp_viz_unprintable(cp);
    const uint32_t w = hidden ? 1 : (uint32_t)sp_utf8_width(at, len);
    if (l->used + w + dots > l->room && l->used + sp_utf8_width(at, (size_t)(end - at)) > l->room) {
      sp_str_add(l->p->out, l->p->g->ellipsis);
      l->used += dots;
      l->cut = true;
      break;
    }
    if (hidden) {
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

/* Our own words: their signs are spelt where the terminal has none. */
static void put_own(line *l, const char *text, const char *code) {
  if (!l->p->o->ascii) {
    put(l, text, strlen(text), code);
    return;
  }
  for (const char *at = text; *at != '\0';) {
    size_t n = strcspn(at, "\xc2\xc3\xce\xcf\xe2");
    if (n > 0) {
      put(l, at, n, code);
      at += n;
      continue;
    }
    uint32_t i = 0;
    while (i < N_SIGNS && strncmp(at, ascii_signs[i].sign, strlen(ascii_signs[i].sign)) != 0) {
      i++;
    }
    uint32_t len = 1;
    (void)sp_utf8_decode(at, at + strlen(at), &len);
    if (i < N_SIGNS) {
      put(l, ascii_signs[i].ascii, strlen(ascii_signs[i].ascii), code);
    } else {
      put(l, at, len, code);
    }
    at += len;
  }
}

/* Text cut in the middle to the room that is left but for `keep` columns, so that its end is seen too. */
static void put_rich(line *l, const sp_rich *whole, uint32_t keep) {
  sp_rich r;
  const char *full = NULL;
  const uint32_t room = l->room > l->used + keep + 8 ? l->room - l->used - keep : 8;
  if (l->cut || l->p->failed) {
    return;
  }
  if (!sp_rich_cut(whole, room, l->p->g->ellipsis, l->p->arena, &r, &full)) {
    l->p->failed = true;
    return;
  }
  size_t at = 0;
  for (uint32_t i = 0; i < r.n_spans && !l->cut; i++) {
    const sp_span *s = &r.spans[i];
    put(l, r.text + at, s->pos - at, NULL);
    put(l, r.text + s->pos, s->len, span_color(s->kind));
    at = s->pos + s->len;
  }
  if (!l->cut) {
    put(l, r.text + at, strlen(r.text + at), NULL);
  }
}

static line begin(printer *p, const char *prefix, uint32_t room) {
  line l = {.p = p, .room = room};
  if (prefix[0] != '\0') {
    put(&l, prefix, strlen(prefix), "2");
  }
  return l;
}

/* ---- figures ---- */
static const char *const titles[N_COLUMNS] = {[C_ROWS] = "rows", [C_EST] = "est", [C_OFF] = "off",
                                              [C_TIME] = "time", [C_SHARE] = "%", [C_MEMORY] = "memory"};

static const char *cell(const sp_figures *f, column_id c) {
  const char *const cells[N_COLUMNS] = {
      [C_ROWS] = f->rows_text, [C_EST] = f->est_text,     [C_OFF] = f->q_text,
      [C_TIME] = f->time_text, [C_SHARE] = f->share_text, [C_MEMORY] = f->mem_text};
  return cells[c];
}

static void put_cell(printer *p, const char *text, uint32_t width, const char *code) {
  line l = {.p = p, .room = UINT32_MAX};
  uint32_t w = width_of(text);
  w += p->o->ascii && strstr(text, "…") != NULL ? 2 : 0;
  sp_str_repeat(p->out, " ", width > w ? width - w : 1);
  put_own(&l, text, *text != '\0' ? code : NULL);
}

static void end_line(printer *p) {
  while (p->out->n > 0 && p->out->p[p->out->n - 1] == ' ') {
    p->out->p[--p->out->n] = '\0';
  }
  sp_str_addc(p->out, '\n');
}

static void pad(line *l) {
  sp_str_repeat(l->p->out, " ", l->room > l->used ? l->room - l->used : 0);
}

static void put_figures(printer *p, line *l, const sp_figures *f) {
  static const char *const heat[] = {NULL, "33", "31", "1;31"};
  const char *const codes[N_COLUMNS] = {
      [C_EST] = "2", [C_OFF] = "1;35", [C_TIME] = heat[f->heat], [C_SHARE] = heat[f->heat]};
  pad(l);
  for (int c = 0; c < N_COLUMNS; c++) {
    if (p->columns[c] > 0) {
      put_cell(p, cell(f, (column_id)c), p->columns[c], codes[c]);
    }
  }
  end_line(p);
}

static void put_titles(printer *p, const char *label) {
  line l = {.p = p, .room = p->width - p->figure_width};
  put(&l, label, strlen(label), "1");
  pad(&l);
  for (int c = 0; c < N_COLUMNS; c++) {
    if (p->columns[c] > 0) {
      put_cell(p, titles[c], p->columns[c], "2");
    }
  }
  end_line(p);
}

/* Columns that are empty in all plans shown are left out; the others are as wide as they must be. */
static void choose_columns(printer *p, const sp_report_plan *const *plans, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t k = 0; k < plans[i]->n_nodes; k++) {
      sp_figures f;
      sp_theme_figures(&p->theme, plans[i], k, &f);
      for (int c = 0; c < N_COLUMNS; c++) {
        const uint32_t w = width_of(cell(&f, (column_id)c));
        p->columns[c] = w > 0 && w + 2 > p->columns[c] ? w + 2 : p->columns[c];
      }
    }
  }
  for (int c = 0; c < N_COLUMNS; c++) {
    const uint32_t title = width_of(titles[c]) + 2;
    p->columns[c] = p->columns[c] > 0 && p->columns[c] < title ? title : p->columns[c];
    p->figure_width += p->columns[c];
  }
  if (p->width < p->figure_width + MIN_TREE) {
    p->width = p->figure_width + MIN_TREE; /* the terminal may wrap */
  }
}

/* ---- nodes ---- */
static void put_scan(line *l, const sp_report_node *n, const sp_figures *f) {
  char text[96];
  if (n->columns_total >= 0) {
    (void)sp_snprintf(text, sizeof text, "  π %lld/%lld", (long long)n->columns_read,
                      (long long)n->columns_total);
    put_own(l, text, NULL);
  }
  if (f->groups_text[0] != '\0') {
    put_own(l, "  row groups ", NULL);
    put_own(l, f->groups_text, NULL);
  }
  if (n->pushed_rows >= 0) {
    sp_theme_first_rows(n->pushed_rows, text);
    put_own(l, "  ", NULL);
    put_own(l, text, NULL);
  }
}

/* What a node does: a scan its predicate, the others their headline. Behind the name where there is room,
 * else on the next line, which has no figures and so has more. */
static void put_key(printer *p, const pending *at, line *l, const sp_report_node *n, const sp_figures *f) {
  const bool scan = n->is_source && n->columns_read >= 0;
  const sp_rich *key = scan ? &n->pushed_predicate : &n->headline;
  const char *sign = !scan ? "" : p->o->ascii ? "where " : "σ ";
  if (key->text == NULL || key->text[0] == '\0') {
    put_figures(p, l, f);
    return;
  }
  const uint32_t needs = 2 + width_of(sign) + width_of(key->text);
  if (l->used + needs <= l->room) {
    put_own(l, "  ", NULL);
    put_own(l, sign, NULL);
    put_rich(l, key, 0);
    put_figures(p, l, f);
    return;
  }
  put_figures(p, l, f);
  line below = begin(p, at->rest, p->width);
  put_own(&below, "  ", NULL);
  put_own(&below, sign, NULL);
  put_rich(&below, key, 0);
  end_line(p);
}

static void put_node(printer *p, const sp_report_plan *plan, const pending *at, bool again) {
  const sp_report_node *n = &plan->nodes[at->node];
  line l = begin(p, at->first, p->width - p->figure_width);
  const bool has_symbol = n->symbol[0] != '\0' && strcmp(n->symbol, n->op) != 0;
  if (has_symbol && !p->o->ascii) {
    put(&l, n->symbol, strlen(n->symbol), "36");
    put_own(&l, " ", NULL);
  }
  put(&l, n->title, strlen(n->title), "1");
  if (!sp_theme_says_id(n)) {
    put_own(&l, " ", NULL);
    put(&l, n->id, strlen(n->id), "4");
  }
  if (again) {
    put_own(&l, "  shared, see above", "2");
    end_line(p);
    return;
  }
  sp_figures f;
  sp_theme_figures(&p->theme, plan, at->node, &f);
  if (n->is_source && n->columns_read >= 0) {
    put_scan(&l, n, &f);
  }
  put_key(p, at, &l, n, &f);
}

static const char *note_color(sp_note_kind k) {
  switch (k) {
  case SP_NOTE_GHOST:
  case SP_NOTE_OUTPUT:
  case SP_NOTE_USER:
    return "2";
  case SP_NOTE_ARRIVED:
    return "36";
  case SP_NOTE_BLOCKED:
  case SP_NOTE_NOT_SHARED:
  case SP_NOTE_ESTIMATE:
    return "33";
  case SP_NOTE_SHARED:
    return "35";
  case SP_NOTE_ERROR:
    return "1;31";
  }
  return NULL;
}

/* Errors and the user's words are whole, on as many lines as they need; of other notes the predicate is cut.
 */
static void put_words(printer *p, const char *rest, const sp_note *n) {
  const sp_rich whole = {.text = n->text};
  const sp_rich *parts = NULL;
  const char *full = NULL;
  uint32_t k = 0;
  const uint32_t before = width_of(rest) + 2 + width_of(n->glyph) + 1;
  const uint32_t room = p->width > before + 20 ? p->width - before : 20;
  if (!sp_rich_wrap(&whole, room, 20, p->arena, &parts, &k, &full)) {
    p->failed = true;
    return;
  }
  for (uint32_t i = 0; i < k; i++) {
    line l = begin(p, rest, UINT32_MAX);
    put_own(&l, "  ", NULL);
    put_own(&l, i == 0 ? n->glyph : " ", note_color(n->kind));
    put_own(&l, " ", NULL);
    put(&l, parts[i].text, strlen(parts[i].text), note_color(n->kind));
    end_line(p);
  }
}

static void put_notes(printer *p, const sp_report_plan *plan, const pending *at) {
  uint32_t n = 0;
  const sp_note *notes = NULL;
  p->failed = p->failed || !sp_theme_notes(&p->theme, plan, at->node, p->arena, &notes, &n);
  for (uint32_t i = 0; i < n && !p->failed; i++) {
    const sp_note *note = &notes[i];
    if (note->kind == SP_NOTE_OUTPUT && plan->n_outputs > 1) {
      continue; /* its name stands above */
    }
    if (note->what.text == NULL || note->what.text[0] == '\0') {
      put_words(p, at->rest, note);
      continue;
    }
    line l = begin(p, at->rest, p->width);
    put_own(&l, "  ", NULL);
    put_own(&l, note->glyph, note_color(note->kind));
    put_own(&l, " ", NULL);
    put_rich(&l, &note->what, width_of(note->text) + 2);
    put_own(&l, "  ", NULL);
    put_own(&l, note->text, note_color(note->kind));
    end_line(p);
  }
}

static void push(printer *p, uint32_t node, const char *first, const char *rest) {
  p->failed = p->failed || first == NULL || rest == NULL ||
              !sp_arena_grow(p->arena, &p->stack, &p->cap, p->n + 1, sizeof *p->stack);
  if (!p->failed) {
    p->stack[p->n++] = (pending){node, first, rest};
  }
}

/* One input goes on below at the same place; several branch off. Pushed last to first, so that they are
 * printed first to last. */
static void push_inputs(printer *p, const sp_report_node *n, const pending *at) {
  if (n->n_inputs == 1) {
    push(p, n->inputs[0], at->rest, at->rest);
    return;
  }
  const bool deep = width_of(at->rest) >= MAX_INDENT;
  for (uint32_t i = n->n_inputs; i-- > 0;) {
    const bool last = i + 1 == n->n_inputs;
    push(p, n->inputs[i], sp_arena_printf(p->arena, "%s%s", at->rest, last ? p->g->last : p->g->branch),
         deep ? at->rest : sp_arena_printf(p->arena, "%s%s", at->rest, last ? p->g->space : p->g->pipe));
  }
}

static void put_tree(printer *p, const sp_report_plan *plan, uint32_t root) {
  push(p, root, "", "");
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

static void put_head_line(printer *p, const char *before, const char *name, const char *after) {
  line l = begin(p, "", UINT32_MAX);
  put_own(&l, before, NULL);
  put(&l, name, strlen(name), "1");
  put_own(&l, after, NULL);
  end_line(p);
}

static void put_plan(printer *p, const sp_report_plan *plan) {
  put_titles(p, plan->label);
  p->seen = SP_ARENA_ARRAY(p->arena, bool, (size_t)plan->n_nodes + 1);
  p->failed = p->failed || p->seen == NULL;
  for (uint32_t o = 0; o < plan->n_outputs && !p->failed; o++) {
    if (plan->n_outputs > 1) {
      put_head_line(p, "output ", plan->outputs[o].name, ":");
    }
    put_tree(p, plan, plan->outputs[o].node);
  }
  bool said = false;
  for (uint32_t i = plan->n_nodes; i-- > 0 && !p->failed;) { /* consumers stand behind their inputs */
    if (!p->seen[i]) {
      if (!said) {
        put_head_line(p, "", "not used by an output", ":");
        said = true;
      }
      put_tree(p, plan, i);
    }
  }
}

static void put_head(printer *p) {
  const sp_report *r = p->theme.report;
  sp_str s;
  sp_str_init(&s, p->out->mem, (size_t)1 << 20);
  void (*const parts[])(const sp_theme *, sp_str *) = {sp_theme_summary, sp_theme_optimizer,
                                                       sp_theme_process};
  for (uint32_t i = 0; i < 3; i++) {
    sp_str_clear(&s);
    parts[i](&p->theme, &s);
    line l = begin(p, "", UINT32_MAX);
    if (i == 0) {
      const char *title = r->title != NULL ? r->title : "plan";
      put(&l, title, strlen(title), "1");
      put_own(&l, s.n > 0 ? ": " : "", NULL);
      put_own(&l, s.p, NULL);
      end_line(p);
    } else if (s.n > 0) {
      put_own(&l, s.p, "2");
      end_line(p);
    }
    p->failed = p->failed || !sp_str_ok(&s);
  }
  sp_str_release(&s);
}

static sp_status render(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err) {
  sp_arena a;
  sp_arena_init(&a, out->mem);
  printer p = {.o = o, .g = o->ascii ? &ascii_glyphs : &unicode_glyphs, .arena = &a, .out = out};
  p.width = o->width == 0 ? 100 : o->width > MAX_WIDTH ? MAX_WIDTH : o->width;
  const sp_report_plan *plans[2];
  const uint32_t n = sp_theme_plans(r, o->view, plans);
  p.failed = !sp_theme_open(&p.theme, r, o, &a);
  if (!p.failed) {
    choose_columns(&p, plans, n);
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
