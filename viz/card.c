/* See card.h. From top to bottom: operation and id, the key line or what a scan reads, notes, figures.
 *
 *   ▤ scan flights.parquet
 *   π 2/5   row groups 2/13
 *   σ delay > 15 AND date >= datetime '2001-02-01'
 *     AND date < datetime '2001-03-01'
 *   ← 3 predicates from late by predicate_pushdown
 *   799.8 µs 34% · 907.9 KiB   est 36,201 ×4.0 */
#include "viz/card.h"

#include "base/cformat.h"
#include "viz/wrap.h"

#define KEY_LINES 3
#define NOTE_LINES 2
#define ERROR_LINES 12
#define GHOST_MAX_LINES 16

static sp_card_line *new_line(sp_card_maker *m, sp_line_kind kind, const char *glyph) {
  sp_card *c = m->card;
  if (!sp_arena_grow(m->a, &c->lines, &m->cap, c->n_lines + 1, sizeof *c->lines)) {
    m->failed = true;
    return NULL;
  }
  sp_card_line *l = &c->lines[c->n_lines++];
  *l = (sp_card_line){.kind = kind, .glyph = glyph, .text = {.text = ""}};
  return l;
}

static void measure(sp_card *c, sp_card_line *l) {
  const uint32_t lead = l->glyph != NULL ? (uint32_t)sp_utf8_width(l->glyph, strlen(l->glyph)) + 1 : 0;
  const uint32_t tail = l->tail != NULL ? (uint32_t)sp_utf8_width(l->tail, strlen(l->tail)) + 1 : 0;
  l->columns = lead + (uint32_t)sp_utf8_width(l->text.text, strlen(l->text.text)) + tail;
  c->columns = l->columns > c->columns ? l->columns : c->columns;
}

static void add_wrapped(sp_card_maker *m, sp_line_kind kind, const char *glyph, sp_rich text,
                        uint32_t lines) {
  const sp_rich *parts = NULL;
  uint32_t n = 0;
  const char *full = NULL;
  const uint32_t lead = glyph != NULL || lines > 1 ? 2 : 0;
  if (text.text == NULL || m->failed ||
      !sp_rich_wrap(&text, SP_CARD_CHARS - lead, lines, m->a, &parts, &n, &full)) {
    m->failed = true;
    return;
  }
  for (uint32_t i = 0; i < n; i++) {
    sp_card_line *l = new_line(m, kind, i == 0 ? glyph : " ");
    if (l == NULL) {
      return;
    }
    l->text = parts[i];
    l->full = full;
    measure(m->card, l);
  }
}
static void add_text(sp_card_maker *m, sp_line_kind kind, const char *glyph, const char *text,
                     uint32_t lines) {
  add_wrapped(m, kind, glyph, (sp_rich){.text = text}, lines);
}

/* ---- the title ---- */
static const char *symbol_of(const sp_report_node *n) {
  return n->symbol[0] != '\0' && strcmp(n->symbol, n->op) != 0 ? n->symbol : NULL;
}

static void add_title(sp_card_maker *m, const sp_report_node *n) {
  const bool with_id = !sp_theme_says_id(n);
  m->card->id = n->id;
  m->card->title = with_id ? sp_arena_printf(m->a, "%s %s", n->title, n->id) : n->title;
  sp_card_line *l = new_line(m, SP_LINE_TITLE, symbol_of(n));
  if (m->card->title == NULL || l == NULL) {
    m->failed = true;
    return;
  }
  const sp_rich title = {.text = n->title}, id = {.text = n->id};
  sp_rich cut = {.text = ""}, cut_id = {.text = ""};
  const char *full = NULL, *full_id = NULL;
  if (!sp_rich_cut(&title, SP_CARD_CHARS - 4, "…", m->a, &cut, &full)) {
    m->failed = true;
    return;
  }
  const uint32_t used = (uint32_t)sp_utf8_width(cut.text, strlen(cut.text)) + 3;
  const uint32_t room = SP_CARD_CHARS > used + 12 ? SP_CARD_CHARS - used : 12;
  if (!sp_rich_cut(&id, room, "…", m->a, &cut_id, &full_id)) {
    m->failed = true;
    return;
  }
  l->text = cut;
  l->tail = with_id ? cut_id.text : NULL;
  l->full = full != NULL || (with_id && full_id != NULL) ? m->card->title : NULL;
  measure(m->card, l);
}

/* ---- what stands below it ---- */
static void add_scan(sp_card_maker *m, const sp_report_node *n) {
  const sp_figures *f = &m->card->figures;
  const char *groups = f->groups_text[0] != '\0' ? "   row groups " : "";
  if (n->columns_total >= 0) {
    add_text(m, SP_LINE_SCAN, "π",
             sp_arena_printf(m->a, "%lld/%lld%s%s", (long long)n->columns_read, (long long)n->columns_total,
                             groups, f->groups_text),
             1);
  }
  if (n->pushed_predicate.text != NULL) {
    add_wrapped(m, SP_LINE_SCAN, "σ", n->pushed_predicate, KEY_LINES);
  }
  if (n->pushed_rows >= 0) {
    char text[SP_FIRST_SIZE];
    sp_theme_first_rows(n->pushed_rows, text);
    add_text(m, SP_LINE_SCAN, "▸", sp_arena_strdup(m->a, text), 1);
  }
}

static sp_line_kind line_kind(sp_note_kind k) {
  switch (k) {
  case SP_NOTE_GHOST:
    return SP_LINE_GHOST;
  case SP_NOTE_ARRIVED:
    return SP_LINE_ARRIVED;
  case SP_NOTE_BLOCKED:
  case SP_NOTE_NOT_SHARED:
  case SP_NOTE_ESTIMATE:
    return SP_LINE_BLOCKED;
  case SP_NOTE_SHARED:
    return SP_LINE_SHARED;
  case SP_NOTE_ERROR:
    return SP_LINE_ERROR;
  case SP_NOTE_OUTPUT:
  case SP_NOTE_USER:
    break;
  }
  return SP_LINE_NOTE;
}

/* "delay > 15 → flights": the predicate is cut, where it went is not. */
static void add_ghost_note(sp_card_maker *m, const sp_note *n) {
  sp_card_line *l = new_line(m, SP_LINE_GHOST, n->glyph);
  if (l == NULL) {
    return;
  }
  const uint32_t tail = (uint32_t)sp_utf8_width(n->text, strlen(n->text));
  const uint32_t room = tail + 16 < SP_CARD_CHARS - 3 ? SP_CARD_CHARS - 3 - tail : 13;
  const sp_rich to = {.text = n->text};
  sp_rich cut_to;
  const char *full_to = NULL;
  if (!sp_rich_cut(&n->what, room, "…", m->a, &l->text, &l->full) ||
      !sp_rich_cut(&to, SP_CARD_CHARS - 3 - room < 8 ? 8 : SP_CARD_CHARS - 3 - room, "…", m->a, &cut_to,
                   &full_to)) {
    m->failed = true;
    return;
  }
  l->tail = cut_to.text;
  if (l->full != NULL || full_to != NULL) {
    l->full = sp_arena_printf(m->a, "%s %s", n->what.text, n->text);
    m->failed = m->failed || l->full == NULL;
  }
  measure(m->card, l);
}

static void add_notes(sp_card_maker *m, uint32_t node) {
  uint32_t n = 0;
  const sp_note *notes = NULL;
  m->failed = m->failed || !sp_theme_notes(m->theme, m->plan, node, m->a, &notes, &n);
  for (uint32_t i = 0; i < n && !m->failed; i++) {
    const sp_line_kind kind = line_kind(notes[i].kind);
    const bool has = notes[i].what.text != NULL && notes[i].what.text[0] != '\0';
    if (has && notes[i].kind == SP_NOTE_GHOST) {
      add_ghost_note(m, &notes[i]);
    } else if (has) {
      add_wrapped(m, kind, notes[i].glyph, notes[i].what, NOTE_LINES);
      add_text(m, kind, " ", notes[i].text, NOTE_LINES);
    } else {
      add_text(m, kind, notes[i].glyph, notes[i].text,
               notes[i].kind == SP_NOTE_ERROR ? ERROR_LINES : NOTE_LINES);
    }
  }
}

static void add_figures(sp_card_maker *m) {
  const sp_figures *f = &m->card->figures;
  const char *time = f->time_text[0] != '\0' ? " " : "", *between = f->time_text[0] != '\0' ? " · " : "";
  const char *spilled = f->spill_text[0] != '\0' ? " · spilled " : "";
  const char *text =
      sp_arena_printf(m->a, "%s%s%s%s%s%s%s", f->time_text, time, f->share_text,
                      f->mem_text[0] != '\0' ? between : "", f->mem_text, spilled, f->spill_text);
  const char *off = f->q_text[0] != '\0' ? sp_arena_printf(m->a, "est %s %s", f->est_text, f->q_text) : NULL;
  if (text == NULL || (f->q_text[0] != '\0' && off == NULL)) {
    m->failed = true;
    return;
  }
  if (text[0] == '\0' && off == NULL) {
    return;
  }
  sp_card_line *l = new_line(m, SP_LINE_FIGURES, NULL);
  if (l != NULL) {
    const char *dot = text[0] != '\0' && off != NULL ? sp_arena_printf(m->a, "%s ·", text) : text;
    m->failed = m->failed || dot == NULL;
    l->text = (sp_rich){.text = dot != NULL ? dot : ""};
    l->tail = off;
    measure(m->card, l);
  }
}

void sp_card_of_node(sp_card_maker *m, sp_card *card, uint32_t node) {
  const sp_report_node *n = &m->plan->nodes[node];
  *card = (sp_card){.node = n, .index = node, .error = n->error != NULL};
  m->card = card;
  m->cap = 0;
  sp_theme_figures(m->theme, m->plan, node, &card->figures);
  add_title(m, n);
  if (n->is_source && n->columns_read >= 0) {
    add_scan(m, n);
  } else if (n->headline.text != NULL && n->headline.text[0] != '\0') {
    add_wrapped(m, SP_LINE_KEY, NULL, n->headline, KEY_LINES);
  }
  add_notes(m, node);
  add_figures(m);
}

void sp_card_of_ghost(sp_card_maker *m, sp_card *card, const sp_report_node *gone, uint32_t node) {
  *card = (sp_card){.index = node, .figures = {.rows = -1, .est = -1, .time_share = -1, .mem_share = -1}};
  m->card = card;
  m->cap = 0;
  add_title(m, gone);
}

void sp_card_add_gone(sp_card_maker *m, sp_card *card, const sp_rich *what) {
  m->card = card;
  m->cap = card->n_lines;
  for (uint32_t i = 0; i < card->n_lines; i++) {
    const sp_card_line *l = &card->lines[i];
    if (strcmp(l->full != NULL ? l->full : l->text.text, what->text) == 0) {
      return;
    }
  }
  if (card->n_lines < GHOST_MAX_LINES) {
    add_wrapped(m, SP_LINE_KEY, NULL, *what, 1);
  } else if (card->lines[card->n_lines - 1].kind != SP_LINE_NOTE) {
    add_text(m, SP_LINE_NOTE, NULL, "and more", 1);
  }
}
