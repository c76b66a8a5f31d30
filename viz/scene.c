/* Cards and wires of one plan. A ghost is the card of a node that is gone: it stands above what now gives its
 * rows, and a dashed wire leads to where its predicate or slice went.
 *
 *        join ◀── (ghost: σ late  delay > 15)
 *         ▲             ┊
 *      flights ◀╌╌╌╌╌╌╌╌┘ */
#include "viz/card.h"

#include "base/cformat.h"

static struct sp_scene_wire *add_wire(sp_scene *s, uint32_t from, uint32_t to, int kind) {
  struct sp_scene_wire *w = &s->wires[s->n_wires++];
  *w = (struct sp_scene_wire){.from = from, .to = to, .kind = kind, .rows = -1};
  return w;
}

/* Rows of an input, measured or at least expected. Only where nothing is measured does an expectation set a
 * width. */
static void add_rows(sp_scene *s, uint32_t from, uint32_t to, bool measured) {
  const sp_figures *f = &s->cards[from].figures;
  struct sp_scene_wire *w = add_wire(s, from, to, SP_WIRE_ROWS);
  w->cut = f->cut;
  if (f->measured) {
    w->rows = f->rows;
    (void)sp_snprintf(w->label, sizeof w->label, "%s", f->rows_text);
  } else if (f->est >= 0) {
    w->estimated = true;
    w->rows = measured ? -1 : f->est;
    (void)sp_snprintf(w->label, sizeof w->label, "~%s", f->est_text);
  }
  s->max_rows = w->rows > s->max_rows ? w->rows : s->max_rows;
}

/* ---- ghosts ---- */
static bool has_arrow(const sp_scene *s, uint32_t from, uint32_t to) {
  for (uint32_t i = s->n_wires; i-- > 0 && s->wires[i].kind != SP_WIRE_ROWS;) {
    if (s->wires[i].from == from && s->wires[i].to == to && s->wires[i].kind == SP_WIRE_MOVED) {
      return true;
    }
  }
  return false;
}

/* The card that stands for where a fact came from: the node when it is still there, else its ghost, made at
 * its first fact. -1: nowhere. */
static int64_t source_card(sp_card_maker *m, sp_scene *s, const sp_report_fact *f, int32_t *ghost_of) {
  const sp_theme *t = m->theme;
  const uint32_t from = (uint32_t)f->from_node;
  const int32_t heir = t->heir[from];
  if (heir < 0 || t->stays[from] || ghost_of[from] >= 0) {
    return heir >= 0 && !t->stays[from] ? ghost_of[from] : heir;
  }
  const uint32_t index = s->n_cards++;
  ghost_of[from] = (int32_t)index;
  sp_card_of_ghost(m, &s->cards[index], &t->before->nodes[from], from);
  (void)add_wire(s, (uint32_t)heir, index, SP_WIRE_HIDDEN);
  return index;
}

static void add_ghosts(sp_card_maker *m, sp_scene *s) {
  const sp_theme *t = m->theme;
  const sp_report_trace *trace = &t->report->trace;
  if (t->before == NULL || s->plan != t->after) {
    return;
  }
  int32_t *ghost_of = SP_ARENA_ARRAY(m->a, int32_t, t->before->n_nodes + 1);
  if (ghost_of == NULL) {
    m->failed = true;
    return;
  }
  for (uint32_t i = 0; i < t->before->n_nodes; i++) {
    ghost_of[i] = -1;
  }
  uint32_t drawn = 0;
  for (uint32_t i = 0; i < trace->n_facts && drawn < SP_MAX_ARROWS && !m->failed; i++) {
    const sp_report_fact *f = &trace->facts[i];
    const bool kind = strcmp(f->kind, "predicate") == 0 || strcmp(f->kind, "slice") == 0;
    if (!kind || !sp_theme_travelled(f) || f->from_node < 0 || f->to_node < 0) {
      continue;
    }
    const int64_t from = source_card(m, s, f, ghost_of);
    if (from < 0 || from == f->to_node) {
      continue;
    }
    if ((uint64_t)from >= s->plan->n_nodes && f->text.text != NULL && !m->failed) {
      sp_card_add_gone(m, &s->cards[from], &f->text);
    }
    if (!has_arrow(s, (uint32_t)from, (uint32_t)f->to_node)) {
      (void)add_wire(s, (uint32_t)from, (uint32_t)f->to_node, SP_WIRE_MOVED);
      drawn++;
    }
  }
}

bool sp_scene_make(const sp_theme *t, const sp_report_plan *p, sp_arena *a, sp_scene *ret) {
  sp_card_maker m = {.theme = t, .plan = p, .a = a};
  *ret = (sp_scene){.plan = p};
  size_t wires = (size_t)2 * SP_MAX_ARROWS;
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    wires += p->nodes[i].n_inputs;
  }
  ret->cards = SP_ARENA_ARRAY(a, sp_card, (size_t)p->n_nodes + SP_MAX_ARROWS);
  ret->wires = sp_arena_array(a, wires, sizeof *ret->wires);
  if (ret->cards == NULL || ret->wires == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < p->n_nodes && !m.failed; i++) {
    sp_card_of_node(&m, &ret->cards[i], i);
  }
  ret->n_cards = p->n_nodes;
  for (uint32_t i = 0; i < p->n_nodes && !m.failed; i++) {
    for (uint32_t k = 0; k < p->nodes[i].n_inputs; k++) {
      add_rows(ret, p->nodes[i].inputs[k], i, t->run != NULL);
    }
  }
  add_ghosts(&m, ret);
  return !m.failed;
}
