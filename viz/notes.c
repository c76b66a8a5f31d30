/* Notes on a node: what left it, what came, what stopped here and why. Facts that say the same of one node
 * are one note, so that forty conjuncts on a scan are a line:
 *
 *   delay > 15, date >= …, date < … from `late`   ⇒   ← 3 predicates from late by predicate_pushdown
 *
 * but up to three predicates that leave a node keep their text, since where each of them went is what one
 * asks:
 *
 *   ↓ delay > 15 → flights
 *   ↓ country = 'USA' → airports */
#include "viz/theme.h"

#include "base/cformat.h"

#define MERGE_FROM 4 /* so many facts that left a node are counted by where they went */

/* Facts that become one note. */
typedef struct group {
  const sp_report_fact *first;
  uint32_t n;
} group;

typedef struct notes {
  sp_arena *arena;
  sp_note *items;
  uint32_t n, cap;
  bool failed;
  group groups[SP_NOTES_MAX];
  uint32_t n_groups, more;
} notes;

static bool is(const char *x, const char *y) {
  return strcmp(x, y) == 0;
}
static bool same(const char *x, const char *y) {
  return x == y || (x != NULL && y != NULL && is(x, y));
}

static void add_note(notes *l, sp_note_kind kind, const char *glyph, sp_rich what, const char *text,
                     uint32_t n) {
  l->failed = l->failed || text == NULL || glyph == NULL ||
              !sp_arena_grow(l->arena, &l->items, &l->cap, l->n + 1, sizeof *l->items);
  if (!l->failed) {
    l->items[l->n++] = (sp_note){kind, glyph, what, text, n};
  }
}

static void add_more(notes *l, sp_note_kind kind, const char *glyph) {
  if (l->more > 0) {
    add_note(l, kind, glyph, (sp_rich){0}, sp_arena_printf(l->arena, "and %u more", l->more), l->more);
  }
}

/* ---- grouping ---- */
typedef bool (*alike)(const sp_report_fact *x, const sp_report_fact *y);

static bool same_target(const sp_report_fact *x, const sp_report_fact *y) {
  return is(x->kind, y->kind) && is(x->action, y->action) && same(x->to, y->to);
}
static bool same_move(const sp_report_fact *x, const sp_report_fact *y) {
  return same_target(x, y) && same(x->text.text, y->text.text);
}
static bool same_source(const sp_report_fact *x, const sp_report_fact *y) {
  return is(x->kind, y->kind) && same(x->from, y->from) && same(x->rule, y->rule);
}
static bool same_reason(const sp_report_fact *x, const sp_report_fact *y) {
  return is(x->kind, y->kind) && is(x->action, y->action) && same(x->reason, y->reason);
}

static void collect(notes *l, const sp_report_fact *facts, int32_t first, const int32_t *next, alike test) {
  l->n_groups = l->more = 0;
  for (int32_t i = first; i >= 0; i = next[i]) {
    uint32_t g = 0;
    while (g < l->n_groups && !test(l->groups[g].first, &facts[i])) {
      g++;
    }
    if (g == SP_NOTES_MAX) {
      l->more++;
    } else if (g == l->n_groups) {
      l->groups[l->n_groups++] = (group){&facts[i], 1};
    } else {
      l->groups[g].n++;
    }
  }
}

/* "3 predicates", or nothing for one. */
static void count_text(const group *g, char *out, size_t size) {
  out[0] = '\0';
  if (g->n > 1) {
    (void)sp_snprintf(out, size, "%u %ss ", g->n, g->first->kind);
  }
}

/* The node's own lines say it already. */
static bool says(const sp_report_node *n, const sp_report_fact *f) {
  return is(f->kind, "slice") || same(n->headline.text, f->text.text) ||
         same(n->pushed_predicate.text, f->text.text);
}

/* ---- moves ---- */
static void add_ghosts(notes *l, const sp_theme *t, const sp_report_node *n, uint32_t node) {
  const sp_report_fact *facts = t->report->trace.facts;
  uint32_t total = 0;
  for (int32_t i = t->ghost_first[node]; i >= 0 && total < MERGE_FROM; i = t->ghost_next[i]) {
    total++;
  }
  collect(l, facts, t->ghost_first[node], t->ghost_next, total < MERGE_FROM ? same_move : same_target);
  for (uint32_t i = 0; i < l->n_groups; i++) {
    const group *g = &l->groups[i];
    const sp_report_fact *f = g->first;
    const bool copied = is(f->action, "copied"), told = g->n > 1 || says(n, f);
    const bool merged = g->n > 1 && total >= MERGE_FROM;
    char count[64];
    count_text(g, count, sizeof count);
    const char *text = merged ? sp_arena_printf(l->arena, "%s%s→ %s", count, copied ? "also " : "", f->to)
                       : told ? sp_arena_printf(l->arena, "%s to %s", f->action, f->to)
                              : sp_arena_printf(l->arena, "%s→ %s", copied ? "also " : "", f->to);
    add_note(l, SP_NOTE_GHOST, "↓", told ? (sp_rich){0} : f->text, text, g->n);
  }
  add_more(l, SP_NOTE_GHOST, "↓");
}

static void add_arrivals(notes *l, const sp_theme *t, uint32_t node) {
  collect(l, t->report->trace.facts, t->came_first[node], t->came_next, same_source);
  for (uint32_t i = 0; i < l->n_groups; i++) {
    const group *g = &l->groups[i];
    char count[64];
    count_text(g, count, sizeof count);
    add_note(l, SP_NOTE_ARRIVED, "←", (sp_rich){0},
             sp_arena_printf(l->arena, "%sfrom %s by %s", count, g->first->from,
                             g->first->rule != NULL ? g->first->rule : "a rule"),
             g->n);
  }
  add_more(l, SP_NOTE_ARRIVED, "←");
}

static void add_stops(notes *l, const sp_theme *t, uint32_t node) {
  collect(l, t->report->trace.blockers, t->stop_first[node], t->stop_next, same_reason);
  for (uint32_t i = 0; i < l->n_groups; i++) {
    const group *g = &l->groups[i];
    const bool twin = is(g->first->action, "not shared");
    char count[64];
    count_text(g, count, sizeof count);
    const sp_rich what = g->n > 1 ? (sp_rich){0} : g->first->text;
    add_note(l, twin ? SP_NOTE_NOT_SHARED : SP_NOTE_BLOCKED, twin ? "≠" : "⊘", what,
             sp_arena_printf(l->arena, "%s%s: %s", count, twin ? "not shared" : "stopped",
                             g->first->reason != NULL ? g->first->reason : "no reason given"),
             g->n);
  }
  add_more(l, SP_NOTE_BLOCKED, "⊘");
}

/* ---- the estimate ---- */
/* An error of ten or more that the inputs do not have: the lowest place where an estimate breaks. */
static bool breaks_here(const sp_theme *t, const sp_report_plan *p, uint32_t node) {
  sp_figures f;
  if (t->run == NULL || p != &t->report->plans[t->run->plan]) {
    return false;
  }
  sp_theme_figures(t, p, node, &f);
  if (f.q < 10 || f.q_text[0] == '\0') {
    return false;
  }
  const double q = f.q;
  for (uint32_t i = 0; i < p->nodes[node].n_inputs; i++) {
    sp_theme_figures(t, p, p->nodes[node].inputs[i], &f);
    if (f.q <= 0 || q < f.q * 10) {
      return false;
    }
  }
  return true;
}

bool sp_theme_notes(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_arena *a,
                    const sp_note **ret, uint32_t *ret_n) {
  notes l = {.arena = a};
  const sp_report_node *n = &p->nodes[node];
  const sp_rich none = {0};
  if (n->error != NULL) {
    add_note(&l, SP_NOTE_ERROR, "✗", none, n->error, 1);
  }
  if (n->is_output && n->output_name != NULL && !is(n->output_name, n->id)) {
    add_note(&l, SP_NOTE_OUTPUT, "⇒", none, sp_arena_printf(a, "output %s", n->output_name), 1);
  }
  if (p == t->before) {
    add_ghosts(&l, t, n, node);
  } else if (p == t->after) {
    add_arrivals(&l, t, node);
    add_stops(&l, t, node);
  }
  if (n->sharing != SP_SHARED_NOT) {
    const char *how = n->sharing == SP_SHARED_MERGED ? "merged: equal structure" : "shared by name";
    add_note(&l, SP_NOTE_SHARED, sp_arena_printf(a, "×%u", n->consumers), none, how, 1);
  }
  if (breaks_here(t, p, node)) {
    add_note(&l, SP_NOTE_ESTIMATE, "≉", none, "the estimate breaks here", 1);
  }
  if (n->note != NULL && n->note[0] != '\0') {
    add_note(&l, SP_NOTE_USER, "#", none, n->note, 1);
  }
  if (l.failed) {
    return false;
  }
  *ret = l.items;
  *ret_n = l.n;
  return true;
}
