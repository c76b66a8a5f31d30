/* Which node before is which node after, and do both compute the same rows?
 *
 * Nodes match by fingerprint, then by id (a rule keeps the id of a node that it changes). A node that is gone
 * matches the node that gives its rows now: what it was merged into, or what its input became. Rows are the
 * same unless a fact says that something moved: a predicate or slice that went from F down to T changes the
 * rows of every node between them, a join order those of everything below it. All other nodes compute what
 * they computed, so measurements of one run may be shown on both sides.
 *
 *   before: out ─ filter(p) ─ join ─ scan      after: out ─ join ─ scan(σ p)
 *   changed on the way: join, scan. same rows: out, and filter ↔ join(after), whose rows alone are the
 * filter's: kind "rows".
 *
 * Facts with one target are swept together, so that a hundred conjuncts on one scan cost one walk. */
#include "report/internal.h"

#include <stdlib.h>

#define MAX_STEPS                                                                                            \
  ((uint64_t)20000000) /* nodes and edges looked at; past it only equal fingerprints count as the same rows  \
                        */

/* Something went from node `from` of the plan before to `to` (-1: nobody knows where). into: `to` took it in
 * and changed too; else it came to rest in a new node right above `to`. */
typedef struct move {
  int32_t from, to;
  bool into;
} move;

enum { BELOW = 1, LEADS = 2, FROM = 4, END = 8 };

/* What is known of a node before. */
typedef struct fate {
  int32_t to;                    /* node after; -1 */
  int32_t landed;                /* the highest new node after that took something of it; -1 */
  int32_t twin_first, twin_next; /* chain of nodes that were merged into it; -1 */
  bool heir;                     /* it is gone, `to` only gives its rows */
  bool changed;                  /* its rows are not what they were, as far as anybody can prove */
  bool told;                     /* what it did moved or was taken out */
  bool other;                    /* something else took its place */
} fate;

typedef struct matcher {
  const sp_plan *a, *b;
  fate *of;       /* by node of a */
  int32_t *was;   /* by node of b: the node of a with its id; -1 */
  int32_t *under; /* by node of b: the first node of a below it, through nodes that are new; -1 */
  uint8_t *mark;  /* scratch by node of a */
  move *moves;
  uint32_t n_moves;
  uint64_t steps;
} matcher;

static bool is(const char *x, const char *y) {
  return strcmp(x, y) == 0;
}

static bool moves_rows(const sp_report_fact *f) {
  const bool rows = is(f->kind, "predicate") || is(f->kind, "slice");
  const bool joins = is(f->kind, "join") && is(f->action, "replaced") && f->from != NULL && f->to != NULL &&
                     !is(f->from, f->to);
  return f->from_node >= 0 && ((rows && (is(f->action, "moved") || is(f->action, "copied"))) || joins);
}

/* "full became left"; a join that is only built on its other side keeps its rows. */
static bool becomes_another_join(const sp_report_fact *f) {
  return is(f->kind, "join") && is(f->action, "replaced") && f->rule != NULL &&
         !is(f->rule, "join_build_side");
}

/* ---- who is who ---- */
static bool open_matcher(matcher *m, const builder *b, uint32_t n_facts) {
  m->of = SP_ARENA_ARRAY(b->arena, fate, (size_t)m->a->n_nodes + 1);
  m->was = SP_ARENA_ARRAY(b->arena, int32_t, (size_t)m->b->n_nodes + 1);
  m->under = SP_ARENA_ARRAY(b->arena, int32_t, (size_t)m->b->n_nodes + 1);
  m->mark = SP_ARENA_ARRAY(b->arena, uint8_t, (size_t)m->a->n_nodes + 1);
  m->moves = SP_ARENA_ARRAY(b->arena, move, (size_t)n_facts + 1);
  return m->of != NULL && m->was != NULL && m->under != NULL && m->mark != NULL && m->moves != NULL;
}

static void find_ids(matcher *m, const builder *b) {
  for (uint32_t i = 0; i < m->b->n_nodes; i++) {
    const sp_node *n = m->b->nodes[i];
    m->was[i] = sp_report_ids_find(&b->before, sp_sv_from(n->id));
    m->under[i] = -1;
    if (n->n_inputs == 1) {
      const uint32_t in = n->inputs[0];
      m->under[i] = m->was[in] >= 0 ? m->was[in] : m->under[in];
    }
  }
}

/* A fact of a node that a rule made in between counts for the node it stands for, but that one was not
 * merged. */
static void read_fact(matcher *m, const builder *b, const sp_report_fact *f) {
  fate *x = &m->of[f->from_node];
  const bool itself = f->from != NULL && is(f->from, m->a->nodes[f->from_node]->id);
  x->told = x->told || is(f->action, "moved") || is(f->action, "removed");
  x->other = x->other || (is(f->kind, "node") && is(f->action, "replaced"));
  if (itself && is(f->action, "merged") && f->to_node >= 0 && !x->heir) {
    x->to = f->to_node;
    x->heir = true;
    const int32_t kept = m->was[f->to_node];
    if (kept >= 0 && kept != f->from_node) {
      x->twin_next = m->of[kept].twin_first;
      m->of[kept].twin_first = f->from_node;
    }
  }
  const int32_t at = moves_rows(f) && f->to != NULL ? sp_report_ids_find(&b->after, sp_sv_from(f->to)) : -1;
  if (at >= 0 && m->was[at] < 0 && at > x->landed) {
    x->landed = at;
  }
}

/* What gives the rows of a node that is gone: what its input became, or the new node right above that in
 * which its predicate stands. */
static int32_t heir_of(matcher *m, int32_t input, int32_t landed) {
  int32_t at = landed;
  while (input >= 0 && at > input && m->was[at] < 0 && m->b->nodes[at]->n_inputs == 1) {
    at = (int32_t)m->b->nodes[at]->inputs[0];
    m->steps++;
  }
  return at == input ? landed : input;
}

static void match_nodes(matcher *m, const builder *b, const sp_report_trace *t) {
  find_ids(m, b);
  for (uint32_t i = 0; i < m->a->n_nodes; i++) {
    m->of[i] = (fate){.to = -1, .landed = -1, .twin_first = -1, .twin_next = -1};
  }
  for (uint32_t i = 0; i < t->n_facts; i++) {
    if (t->facts[i].from_node >= 0) {
      read_fact(m, b, &t->facts[i]);
    }
  }
  for (uint32_t i = 0; i < m->a->n_nodes; i++) {
    const sp_node *n = m->a->nodes[i];
    fate *x = &m->of[i];
    const int32_t same_id = sp_report_ids_find(&b->after, sp_sv_from(n->id));
    const bool passes = n->n_inputs == 1 && (n->ops->flags & (SP_NODE_SUBSET | SP_NODE_KEEPS_ROWS)) != 0;
    if (same_id >= 0) {
      x->to = same_id;
      x->heir = false;
    } else if (x->to < 0 && passes) {
      x->to = heir_of(m, m->of[n->inputs[0]].to, x->landed);
      x->heir = true;
      x->changed = !x->told || x->other; /* nothing is known of its rows */
    }
  }
}

/* ---- what moved ---- */
/* `to` may be gone again when it was merged into another or what it took in went on: the way up to it holds
 * all the same. */
static move landing(const matcher *m, const builder *b, const sp_report_fact *f) {
  move v = {f->from_node, -1, false};
  if (f->to == NULL || is(f->kind, "join")) {
    return v;
  }
  const int32_t before = sp_report_ids_find(&b->before, sp_sv_from(f->to));
  const int32_t after = sp_report_ids_find(&b->after, sp_sv_from(f->to));
  if (before >= 0 && before != f->from_node) {
    v.to = before;
    v.into = true;
  } else if (after >= 0) {
    v.to = m->under[after];
  }
  return v;
}

static int by_target(const void *x, const void *y) {
  const move *p = x, *q = y;
  if (p->to != q->to) {
    return p->to < q->to ? -1 : 1;
  }
  if (p->into != q->into) {
    return p->into ? 1 : -1;
  }
  return p->from < q->from ? -1 : p->from > q->from;
}

/* Marks BELOW what can be reached from the nodes marked FROM, down to `low`. */
static void mark_below(matcher *m, int32_t low, int32_t high) {
  for (int32_t i = high; i >= low; i--) {
    const sp_node *n = m->a->nodes[i];
    m->steps += n->n_inputs + 1;
    for (uint32_t k = 0; (m->mark[i] & (FROM | BELOW)) != 0 && k < n->n_inputs; k++) {
      m->mark[n->inputs[k]] |= BELOW; /* what lies under `low` is cleared by the caller */
    }
  }
}
/* LEADS: to `target` or to a twin of it, since what landed on the one that was kept may have come from above
 * the other. */
static void mark_leads(matcher *m, int32_t target, int32_t high) {
  m->mark[target] |= LEADS | END;
  for (int32_t i = m->of[target].twin_first; i >= 0; i = m->of[i].twin_next) {
    m->mark[i] |= i <= high && i > target ? LEADS | END : 0;
    m->steps++;
  }
  for (int32_t i = target + 1; i <= high; i++) {
    const sp_node *n = m->a->nodes[i];
    m->steps += n->n_inputs + 1;
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      m->mark[i] |= (int32_t)n->inputs[k] >= target ? m->mark[n->inputs[k]] & LEADS : 0;
    }
  }
}

/* Neither end lies below the other, as when a filter of one side of a join says something of the other side:
 * rows changed from the target up to where both ends meet. */
static void moved_aside(matcher *m, const move *v) {
  memset(m->mark, 0, m->a->n_nodes);
  m->mark[v->to] = LEADS;
  m->mark[v->from] = FROM;
  const int32_t low = v->to < v->from ? v->to : v->from;
  for (int32_t i = low; i < (int32_t)m->a->n_nodes; i++) {
    const sp_node *n = m->a->nodes[i];
    m->steps += n->n_inputs + 1;
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      m->mark[i] |= m->mark[n->inputs[k]];
    }
    m->of[i].changed = m->of[i].changed || (m->mark[i] == LEADS && (i != v->to || v->into));
  }
  memset(m->mark, 0, m->a->n_nodes);
}

/* Moves [0, n) have one target that stands before all of them in the array. */
static void moved_down(matcher *m, move *v, uint32_t n) {
  const int32_t low = v[0].to, high = v[n - 1].from;
  for (uint32_t i = 0; i < n; i++) {
    m->mark[v[i].from] |= FROM;
  }
  mark_below(m, low, high);
  mark_leads(m, low, high);
  for (int32_t i = low; i <= high; i++) {
    const bool between = (m->mark[i] & (BELOW | LEADS)) == (BELOW | LEADS);
    m->of[i].changed = m->of[i].changed || (between && ((m->mark[i] & END) == 0 || v[0].into));
  }
  uint32_t aside = 0; /* those that do not stand above the target, each origin once */
  for (uint32_t i = 0; i < n; i++) {
    if ((m->mark[v[i].from] & LEADS) == 0 && (aside == 0 || v[aside - 1].from != v[i].from)) {
      v[aside++] = v[i];
    }
  }
  memset(m->mark, 0, (size_t)high + 1);
  m->steps += (uint64_t)high / 16;
  for (uint32_t i = 0; i < aside && m->steps <= MAX_STEPS; i++) {
    moved_aside(m, &v[i]);
  }
}

/* From a node to one that stands after it: everything from there up loses the restriction, the target itself
 * does not. */
static void moved_up(matcher *m, const move *v) {
  m->mark[v->to] |= FROM;
  mark_below(m, v->from, v->to);
  mark_leads(m, v->from, v->to);
  const bool above = (m->mark[v->to] & LEADS) != 0;
  for (int32_t i = v->from; i < v->to && above; i++) {
    m->of[i].changed = m->of[i].changed || (m->mark[i] & (BELOW | LEADS)) == (BELOW | LEADS);
  }
  memset(m->mark, 0, (size_t)v->to + 1);
  m->steps += (uint64_t)v->to / 16;
  if (!above) {
    moved_aside(m, v);
  }
}

/* Where it went is not known: everything below is in doubt, and so is the node itself when it is gone. */
static void moved_away(matcher *m, const move *v, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    m->mark[v[i].from] |= FROM;
    m->of[v[i].from].changed = m->of[v[i].from].changed || m->of[v[i].from].heir;
  }
  mark_below(m, 0, v[n - 1].from);
  for (int32_t i = 0; i < v[n - 1].from; i++) {
    m->of[i].changed = m->of[i].changed || (m->mark[i] & BELOW) != 0;
  }
  memset(m->mark, 0, (size_t)v[n - 1].from + 1);
}

/* false: too much to look at. */
static bool mark_changes(matcher *m, const builder *b, const sp_report_trace *t) {
  for (uint32_t i = 0; i < t->n_facts; i++) {
    const sp_report_fact *f = &t->facts[i];
    if (moves_rows(f)) {
      m->moves[m->n_moves++] = landing(m, b, f);
    } else if (f->from_node >= 0 && becomes_another_join(f)) {
      m->of[f->from_node].changed = true; /* the filter that drops what is missing stands right above */
    }
  }
  qsort(m->moves, m->n_moves, sizeof *m->moves, by_target);
  for (uint32_t i = 0, end = 0; i < m->n_moves && m->steps <= MAX_STEPS; i = end) {
    move *v = &m->moves[i];
    end = i + 1;
    while (end < m->n_moves && m->moves[end].to == v->to && m->moves[end].into == v->into) {
      end++;
    }
    uint32_t up = 0; /* those that stand before their target come first */
    for (; i + up < end && v->to >= 0 && v[up].from <= v->to; up++) {
      if (v[up].from < v->to && (up == 0 || v[up].from != v[up - 1].from) && m->steps <= MAX_STEPS) {
        moved_up(m, &v[up]);
      }
    }
    if (i + up == end) {
      continue;
    }
    if (v->to >= 0) {
      moved_down(m, v + up, end - i - up);
    } else {
      moved_away(m, v, end - i);
    }
  }
  return m->steps <= MAX_STEPS;
}

void sp_report_match_plans(builder *b, sp_report *r, const sp_plan *pa, uint32_t a, const sp_plan *pb,
                           uint32_t index_b) {
  matcher m = {.a = pa, .b = pb};
  sp_report_match *out = SP_ARENA_ARRAY(b->arena, sp_report_match, pa->n_nodes + 1);
  if (out == NULL || !open_matcher(&m, b, r->trace.n_facts)) {
    b->failed = true;
    return;
  }
  match_nodes(&m, b, &r->trace);
  const bool exact_only = !mark_changes(&m, b, &r->trace);
  uint32_t n = 0;
  for (uint32_t i = 0; i < pa->n_nodes; i++) {
    const fate *x = &m.of[i];
    if (x->to >= 0) {
      const bool equal = !x->heir && sp_hash128_eq(pa->nodes[i]->fingerprint, pb->nodes[x->to]->fingerprint);
      out[n++] = (sp_report_match){.plan_a = a,
                                   .a = i,
                                   .plan_b = index_b,
                                   .b = (uint32_t)x->to,
                                   .kind = x->heir ? "rows"
                                           : equal ? "same"
                                                   : "changed",
                                   .same_rows = equal || (!exact_only && !x->changed)};
    }
  }
  r->matches = out;
  r->n_matches = n;
}
