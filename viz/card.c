/* See card.h. A ghost is the card of a node that is gone: it stands above what now gives its rows, and a dashed wire leads to where its
 * predicate or slice went.
 *
 *        join ◀── (ghost: σ late  delay > 15)
 *         ▲             ┊
 *      flights ◀╌╌╌╌╌╌╌╌┘ */
#include "viz/card.h"

#include "base/cformat.h"

/* Bytes of text that fit into `columns` from the front, or from the back. */
static size_t fit_front(const char *p, size_t n, uint32_t columns) {
  size_t at = 0;
  uint32_t used = 0;
  while (at < n) {
    uint32_t len = 1;
    (void)sp_utf8_decode(p + at, p + n, &len);
    used += (uint32_t)sp_utf8_width(p + at, len);
    if (used > columns) {
      break;
    }
    at += len;
  }
  return at;
}
static size_t fit_back(const char *p, size_t n, uint32_t columns) {
  const size_t total = sp_utf8_width(p, n);
  size_t at = 0, left = total;
  while (at < n && left > columns) {
    uint32_t len = 1;
    (void)sp_utf8_decode(p + at, p + n, &len);
    left -= sp_utf8_width(p + at, len);
    at += len;
  }
  return at;
}

bool sp_rich_cut(const sp_rich *r, uint32_t columns, sp_arena *a, sp_rich *ret, const char **ret_full) {
  const size_t n = strlen(r->text);
  *ret = *r;
  *ret_full = NULL;
  if (sp_utf8_width(r->text, n) <= columns) {
    return true;
  }
  const uint32_t front = (columns - 1) * 3 / 5;
  const size_t h = fit_front(r->text, n, front), t = fit_back(r->text, n, columns - 1 - front);
  char *text = sp_arena_printf(a, "%.*s…%s", (int)h, r->text, r->text + t);
  sp_span *spans = SP_ARENA_ARRAY(a, sp_span, (size_t)r->n_spans * 2 + 1);
  if (text == NULL || spans == NULL) {
    return false;
  }
  uint32_t k = 0;
  for (uint32_t i = 0; i < r->n_spans; i++) {
    const uint32_t from = r->spans[i].pos, to = from + r->spans[i].len;
    if (from < h) {
      spans[k++] = (sp_span){from, (uint32_t)(to < h ? to : h) - from, r->spans[i].kind};
    }
    if (to > t) {
      const uint32_t start = from > t ? from : (uint32_t)t;
      spans[k++] = (sp_span){start - (uint32_t)t + (uint32_t)h + 3, to - start, r->spans[i].kind};
    }
  }
  *ret = (sp_rich){text, k, spans};
  *ret_full = r->text;
  return true;
}

typedef struct maker {
  const sp_theme *theme;
  const sp_report_plan *plan;
  sp_arena *a;
  sp_card *card;
  uint32_t cap;
  bool failed;
} maker;

static void add_line(maker *m, sp_line_kind kind, const char *glyph, sp_rich text) {
  sp_card *c = m->card;
  uint32_t cap = m->cap;
  if (text.text == NULL || !sp_arena_grow(m->a, &c->lines, &cap, c->n_lines + 1, sizeof *c->lines)) {
    m->failed = true;
    return;
  }
  m->cap = cap;
  sp_card_line *l = &c->lines[c->n_lines++];
  *l = (sp_card_line){.kind = kind, .glyph = glyph};
  const uint32_t lead = glyph != NULL ? (uint32_t)sp_utf8_width(glyph, strlen(glyph)) + 1 : 0;
  m->failed = !sp_rich_cut(&text, SP_CARD_CHARS - lead, m->a, &l->text, &l->full) || m->failed;
  l->columns = lead + (l->text.text != NULL ? (uint32_t)sp_utf8_width(l->text.text, strlen(l->text.text)) : 0);
  c->columns = l->columns > c->columns ? l->columns : c->columns;
}
static void add_text(maker *m, sp_line_kind kind, const char *glyph, const char *text) { add_line(m, kind, glyph, (sp_rich){.text = text}); }

static const char *symbol_of(const sp_report_node *n) { return n->symbol[0] != '\0' && strcmp(n->symbol, n->op) != 0 ? n->symbol : NULL; }

static void add_title(maker *m, const sp_report_node *n) {
  const size_t id = strlen(n->id), title = strlen(n->title);
  const bool says_id = title >= id && strcmp(n->title + title - id, n->id) == 0;
  const char *text = says_id ? n->title : sp_arena_printf(m->a, "%s %s", n->title, n->id);
  m->card->title = text;
  add_text(m, SP_LINE_TITLE, symbol_of(n), text);
}

static void add_scan(maker *m, const sp_report_node *n) {
  const sp_figures *f = &m->card->figures;
  add_text(m, SP_LINE_SCAN, "π",
           f->groups_text[0] != '\0' ? sp_arena_printf(m->a, "%lld/%lld   row groups %s", (long long)n->columns_read, (long long)n->columns_total, f->groups_text)
                                     : sp_arena_printf(m->a, "%lld/%lld", (long long)n->columns_read, (long long)n->columns_total));
  if (n->pushed_predicate.text != NULL) {
    add_line(m, SP_LINE_SCAN, "σ", n->pushed_predicate);
  }
  if (n->pushed_rows >= 0) {
    add_text(m, SP_LINE_SCAN, "▸", sp_arena_printf(m->a, "first %lld rows", (long long)n->pushed_rows));
  }
}

/* A pushed predicate stands on the σ line already: of an arrival on a scan only its source is named. */
static void add_notes(maker *m, uint32_t node) {
  static const sp_line_kind kinds[] = {SP_LINE_GHOST, SP_LINE_ARRIVED, SP_LINE_BLOCKED, SP_LINE_SHARED, SP_LINE_BLOCKED, SP_LINE_ERROR};
  uint32_t n = 0;
  const sp_note *notes = NULL;
  m->failed = !sp_theme_notes(m->theme, m->plan, node, m->a, &notes, &n) || m->failed;
  for (uint32_t i = 0; i < n; i++) {
    const bool has = notes[i].what.text != NULL && notes[i].what.text[0] != '\0';
    if (has && notes[i].kind == SP_NOTE_GHOST) {
      const sp_rich what = {sp_arena_printf(m->a, "%s %s", notes[i].what.text, notes[i].text), notes[i].what.n_spans, notes[i].what.spans};
      add_line(m, SP_LINE_GHOST, notes[i].glyph, what);
    } else if (has && notes[i].kind != SP_NOTE_ARRIVED) {
      add_line(m, kinds[notes[i].kind], notes[i].glyph, notes[i].what);
      add_text(m, kinds[notes[i].kind], " ", notes[i].text);
    } else {
      bool said = false;
      for (uint32_t k = 0; k < i; k++) {
        said = said || strcmp(notes[k].text, notes[i].text) == 0;
      }
      if (!said) {
        add_text(m, kinds[notes[i].kind], notes[i].glyph, notes[i].text);
      }
    }
  }
}

static void add_figures(maker *m) {
  const sp_figures *f = &m->card->figures;
  sp_str s;
  sp_str_init(&s, m->a->mem, 4096);
  if (f->time_text[0] != '\0') {
    sp_str_addf(&s, "%s %s", f->time_text, f->share_text);
  }
  if (f->mem_text[0] != '\0') {
    sp_str_addf(&s, "%s%s", s.n > 0 ? " · " : "", f->mem_text);
  }
  if (f->q_text[0] != '\0') {
    sp_str_addf(&s, "%sest %s %s", s.n > 0 ? " · " : "", f->est_text, f->q_text);
  }
  if (s.n > 0) {
    add_text(m, SP_LINE_FIGURES, NULL, sp_arena_strdup(m->a, s.p));
  }
  m->failed = m->failed || !sp_str_ok(&s);
  sp_str_release(&s);
}

static void make_card(maker *m, uint32_t node) {
  const sp_report_node *n = &m->plan->nodes[node];
  m->cap = 0;
  m->card->node = n;
  m->card->id = n->id;
  sp_theme_figures(m->theme, m->plan, node, &m->card->figures);
  add_title(m, n);
  if (n->is_source && n->columns_read >= 0) {
    add_scan(m, n);
  } else if (n->headline.text != NULL && n->headline.text[0] != '\0') {
    add_line(m, SP_LINE_KEY, NULL, n->headline);
  }
  add_notes(m, node);
  add_figures(m);
}

/* ---- ghosts ---- */
static int32_t find_node(const sp_report_plan *p, const char *id) {
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    if (strcmp(p->nodes[i].id, id) == 0) {
      return (int32_t)i;
    }
  }
  return -1;
}

static const sp_report_plan *plan_before(const sp_report *r) {
  for (uint32_t i = 0; i < r->n_plans; i++) {
    if (strcmp(r->plans[i].stage, "resolved") == 0) {
      return &r->plans[i];
    }
  }
  return NULL;
}

/* The node of the plan after that gives the rows of a node before; -1. */
static int32_t heir(const sp_report *r, const sp_report_plan *before, uint32_t node, const sp_report_plan *after) {
  for (uint32_t i = 0; i < r->n_matches; i++) {
    const sp_report_match *m = &r->matches[i];
    if (m->plan_a == (uint32_t)(before - r->plans) && m->a == node && m->plan_b == (uint32_t)(after - r->plans)) {
      return (int32_t)m->b;
    }
  }
  return -1;
}

static void add_wire(sp_scene *s, uint32_t from, uint32_t to, int kind) {
  s->wires[s->n_wires++] = (struct sp_scene_wire){.from = from, .to = to, .kind = kind, .label = "", .rows = -1};
}

static bool has_wire(const sp_scene *s, uint32_t from, uint32_t to, int kind) {
  for (uint32_t i = s->n_wires; i-- > 0 && s->wires[i].kind != SP_WIRE_ROWS;) {
    if (s->wires[i].from == from && s->wires[i].to == to && (int)s->wires[i].kind == kind) {
      return true;
    }
  }
  return false;
}

/* The card that stands for where a fact came from: the node itself when it is still there, else its ghost, made at its first fact. -1: nowhere. */
static int64_t source_card(maker *m, sp_scene *s, const sp_report_plan *before, const sp_report_fact *f, int32_t *ghost_of) {
  const sp_report_node *from = &before->nodes[f->from_node];
  const int32_t still = find_node(s->plan, from->id);
  if (still >= 0) {
    return still;
  }
  if (ghost_of[f->from_node] >= 0) {
    return ghost_of[f->from_node];
  }
  const int32_t anchor = heir(m->theme->report, before, (uint32_t)f->from_node, s->plan);
  if (anchor < 0) {
    return -1;
  }
  const uint32_t index = s->n_cards++;
  ghost_of[f->from_node] = (int32_t)index;
  m->card = &s->cards[index];
  m->cap = 0;
  *m->card = (sp_card){.id = from->id, .figures = {.rows = -1, .time_share = -1, .mem_share = -1}};
  add_title(m, from);
  add_wire(s, (uint32_t)anchor, index, SP_WIRE_HIDDEN);
  return index;
}

#define MAX_GHOSTS 64 /* a picture with more arrows than this is not read; the notes on the cards remain */

static void add_ghosts(maker *m, sp_scene *s) {
  const sp_report *r = m->theme->report;
  const sp_report_plan *before = plan_before(r);
  if (before == NULL || strcmp(s->plan->stage, "optimized") != 0) {
    return;
  }
  int32_t *ghost_of = SP_ARENA_ARRAY(m->a, int32_t, before->n_nodes + 1);
  m->failed = m->failed || ghost_of == NULL;
  for (uint32_t i = 0; ghost_of != NULL && i < before->n_nodes; i++) {
    ghost_of[i] = -1;
  }
  uint32_t drawn = 0;
  for (uint32_t i = 0; i < r->trace.n_facts && drawn < MAX_GHOSTS && !m->failed; i++) {
    const sp_report_fact *f = &r->trace.facts[i];
    const bool kind = strcmp(f->kind, "predicate") == 0 || strcmp(f->kind, "slice") == 0;
    const bool went = strcmp(f->action, "moved") == 0 || strcmp(f->action, "copied") == 0;
    if (!kind || !went || f->from_node < 0 || f->to_node < 0) {
      continue;
    }
    const int64_t from = source_card(m, s, before, f, ghost_of);
    if (from < 0 || from == f->to_node) {
      continue;
    }
    if ((uint64_t)from >= s->plan->n_nodes && f->text.text != NULL && !m->failed) {
      m->card = &s->cards[from];
      m->cap = m->card->n_lines;
      bool said = false;
      for (uint32_t k = 0; k < m->card->n_lines; k++) {
        const sp_card_line *l = &m->card->lines[k];
        said = said || strcmp(l->full != NULL ? l->full : l->text.text, f->text.text) == 0;
      }
      if (!said) {
        add_line(m, SP_LINE_KEY, NULL, f->text);
      }
    }
    if (!has_wire(s, (uint32_t)from, (uint32_t)f->to_node, SP_WIRE_MOVED)) {
      add_wire(s, (uint32_t)from, (uint32_t)f->to_node, SP_WIRE_MOVED);
      drawn++;
    }
  }
}

bool sp_scene_make(const sp_theme *t, const sp_report_plan *p, sp_arena *a, sp_scene *ret) {
  maker m = {.theme = t, .plan = p, .a = a};
  *ret = (sp_scene){.plan = p};
  size_t wires = (size_t)2 * MAX_GHOSTS;
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    wires += p->nodes[i].n_inputs;
  }
  ret->cards = SP_ARENA_ARRAY(a, sp_card, (size_t)p->n_nodes + MAX_GHOSTS);
  ret->wires = sp_arena_array(a, wires, sizeof *ret->wires);
  if (ret->cards == NULL || ret->wires == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < p->n_nodes && !m.failed; i++) {
    m.card = &ret->cards[i];
    make_card(&m, i);
    const int64_t rows = m.card->figures.rows;
    ret->max_rows = rows > ret->max_rows ? rows : ret->max_rows;
  }
  ret->n_cards = p->n_nodes;
  for (uint32_t i = 0; i < p->n_nodes && !m.failed; i++) {
    for (uint32_t k = 0; k < p->nodes[i].n_inputs; k++) {
      const uint32_t from = p->nodes[i].inputs[k];
      const sp_figures *f = &ret->cards[from].figures;
      ret->wires[ret->n_wires++] = (struct sp_scene_wire){.from = from, .to = i, .kind = SP_WIRE_ROWS, .label = f->rows_text, .rows = f->rows, .cut = f->cut};
    }
  }
  add_ghosts(&m, ret);
  return !m.failed;
}
