/* Which node before is which node after, and do both compute the same rows?
 *
 * Nodes match by fingerprint, then by id (a rule keeps the id of a node that it changes), and a filter that is gone matches the node that now
 * gives its rows: what its input became. A predicate or slice that moved from F down to T changes the rows of every node on the way, below F down to T
 * itself; all others compute what they computed, so measurements of the run may be shown on both sides.
 *
 *   before: out ─ filter(p) ─ join ─ scan      after: out ─ join ─ scan(σ p)
 *   changed on the way: join, scan. same rows: out, and filter ↔ join(after). */
#include "report/internal.h"

#define MAX_STEPS ((uint64_t)50000000) /* nodes × facts; past it only equal fingerprints count as the same rows */

typedef struct matcher {
  const sp_plan *a, *b;
  int32_t *to;    /* node of b for each node of a; -1 */
  bool *changed;  /* by node of a: its rows are not what they were */
  uint8_t *below; /* scratch: bit 0 reached from F, bit 1 leads to T */
} matcher;

static bool moves_rows(const sp_report_fact *f) {
  const bool kind = strcmp(f->kind, "predicate") == 0 || strcmp(f->kind, "slice") == 0 || strcmp(f->kind, "join") == 0;
  return kind && f->from_node >= 0 && (strcmp(f->action, "moved") == 0 || strcmp(f->action, "copied") == 0);
}

/* Marks what lies between f's ends in a: strictly below `from`, at or above what `to` was. */
static void mark_path(matcher *m, const sp_report_fact *f, const idmap *before) {
  int32_t t = f->to != NULL ? idmap_find(before, sp_sv_from(f->to)) : -1;
  if (t < 0 && f->to != NULL) {
    sp_sv base = {f->to, strcspn(f->to, "~")};
    t = idmap_find(before, base);
  }
  memset(m->below, 0, m->a->n_nodes);
  m->below[f->from_node] = 1;
  for (int64_t i = f->from_node; i >= 0; i--) {
    for (uint32_t k = 0; (m->below[i] & 1) != 0 && k < m->a->nodes[i]->n_inputs; k++) {
      m->below[m->a->nodes[i]->inputs[k]] |= 1;
    }
  }
  if (t < 0) { /* arrived at a node that was not there: everything below may have changed */
    for (int64_t i = 0; i < f->from_node; i++) {
      m->changed[i] = m->changed[i] || (m->below[i] & 1) != 0;
    }
    return;
  }
  m->below[t] |= 2;
  for (int64_t i = t; i < f->from_node; i++) {
    const sp_node *n = m->a->nodes[i];
    for (uint32_t k = 0; k < n->n_inputs; k++) {
      m->below[i] |= m->below[n->inputs[k]] & 2;
    }
    m->changed[i] = m->changed[i] || m->below[i] == 3;
  }
}

static void match_nodes(matcher *m, const builder *b) {
  for (uint32_t i = 0; i < m->a->n_nodes; i++) {
    m->to[i] = idmap_find(&b->after, sp_sv_from(m->a->nodes[i]->id));
    const sp_node *n = m->a->nodes[i];
    if (m->to[i] < 0 && n->n_inputs == 1 && (n->ops->flags & SP_NODE_SUBSET) != 0) {
      m->to[i] = m->to[n->inputs[0]]; /* gone: its rows come from what its input became */
    }
  }
}

void sp_report_match_plans(builder *b, sp_report *r, const sp_plan *pa, uint32_t a, const sp_plan *pb, uint32_t index_b) {
  matcher m = {.a = pa, .b = pb};
  m.to = SP_ARENA_ARRAY(b->arena, int32_t, pa->n_nodes);
  m.changed = SP_ARENA_ARRAY(b->arena, bool, pa->n_nodes);
  m.below = SP_ARENA_ARRAY(b->arena, uint8_t, pa->n_nodes);
  sp_report_match *out = SP_ARENA_ARRAY(b->arena, sp_report_match, pa->n_nodes);
  if (m.to == NULL || m.changed == NULL || m.below == NULL || out == NULL) {
    b->failed = true;
    return;
  }
  match_nodes(&m, b);
  const bool exact_only = (uint64_t)r->trace.n_facts * pa->n_nodes > MAX_STEPS;
  for (uint32_t i = 0; i < r->trace.n_facts && !exact_only; i++) {
    if (moves_rows(&r->trace.facts[i])) {
      mark_path(&m, &r->trace.facts[i], &b->before);
    }
  }
  uint32_t n = 0;
  for (uint32_t i = 0; i < pa->n_nodes; i++) {
    if (m.to[i] < 0) {
      continue;
    }
    const sp_node *x = pa->nodes[i], *y = pb->nodes[m.to[i]];
    const bool equal = sp_hash128_eq(x->fingerprint, y->fingerprint);
    out[n++] = (sp_report_match){a, i, index_b, (uint32_t)m.to[i], equal ? "same" : "changed", equal || (!exact_only && !m.changed[i])};
  }
  r->matches = out;
  r->n_matches = n;
}
