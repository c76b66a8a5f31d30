/* What rules report while they run, and ids for nodes that they make. Everything is collected in one place,
 * so that a rule says only "this became that" and "this moved there"; pass, round and rule are filled in
 * here.
 *
 *   sp_sweep_fired(s, {"late"}, 1, {"flights"}, 1)      firing: late → flights
 *   sp_sweep_fact(s, predicate "delay > 15", moved, from late, to flights)
 *
 * Out of memory is remembered; the driver asks once after each sweep. */
#include <ctype.h>

#include "optimize/internal.h"

void sp_tracer_close_firing(sp_tracer *t) {
  if (t->n_firings == 0 || t->n_facts == 0) {
    return;
  }
  sp_fact *facts = sp_arena_copy(t->arena, t->facts, t->n_facts * sizeof *facts);
  t->failed = t->failed || facts == NULL;
  t->firings[t->n_firings - 1].facts = facts;
  t->firings[t->n_firings - 1].n_facts = facts != NULL ? t->n_facts : 0;
  t->n_facts = 0;
}

static const char *const *copy_ids(sp_tracer *t, const char *const *ids, uint32_t n) {
  const char *const *c = sp_arena_copy(t->arena, ids, n * sizeof *ids);
  t->failed = t->failed || c == NULL;
  return c;
}

void sp_sweep_fired(sp_sweep *s, const char *const *before, uint32_t n_before, const char *const *after,
                    uint32_t n_after) {
  s->firings++;
  if (s->dry) {
    return;
  }
  sp_tracer *t = s->tracer;
  sp_tracer_close_firing(t);
  if (!sp_arena_grow(t->arena, &t->firings, &t->cap_firings, t->n_firings + 1, sizeof *t->firings)) {
    t->failed = true;
    return;
  }
  t->firings[t->n_firings++] = (sp_firing){.pass = s->pass,
                                           .round = s->round,
                                           .rule = s->rule,
                                           .n_before = n_before,
                                           .n_after = n_after,
                                           .before = copy_ids(t, before, n_before),
                                           .after = copy_ids(t, after, n_after)};
}

void sp_sweep_fact(sp_sweep *s, const sp_fact *f) {
  sp_tracer *t = s->tracer;
  if (s->dry) {
    return;
  }
  if (!sp_arena_grow(t->arena, &t->facts, &t->cap_facts, t->n_facts + 1, sizeof *t->facts)) {
    t->failed = true;
    return;
  }
  t->facts[t->n_facts++] = *f;
}

void sp_sweep_blocked(sp_sweep *s, const sp_fact *f) {
  if (!sp_arena_grow(s->arena, &s->blockers, &s->cap_blockers, s->n_blockers + 1, sizeof *s->blockers)) {
    s->failed = true;
    return;
  }
  s->blockers[s->n_blockers++] = *f;
}

sp_arena *sp_sweep_arena(sp_sweep *s) {
  return s->arena;
}

const sp_plan *sp_sweep_first(const sp_sweep *s) {
  return s->first;
}

/* ---- ids ---- */
static bool take_id(sp_sweep *s, const char *id) {
  uint32_t *used = sp_strmap_at(s->ids, sp_sv_from(id));
  if (used == NULL) {
    return false;
  }
  *used = 1;
  return true;
}

static bool take_plan_ids(sp_sweep *s) {
  for (uint32_t i = 0; i < s->first->n_nodes; i++) {
    if (!take_id(s, s->first->nodes[i]->id)) {
      return false;
    }
  }
  for (uint32_t i = 0; i < s->first->n_written; i++) {
    if (!take_id(s, s->first->written_ids[i])) {
      return false;
    }
  }
  *s->ids_ready = true;
  return true;
}

/* What a made id stands for: `late` of `late~predicate_pushdown2`. */
static sp_sv stands_for(const char *id) {
  const sp_sv whole = sp_sv_from(id);
  size_t digits = 0;
  while (digits < whole.n && isdigit((unsigned char)whole.p[whole.n - 1 - digits])) {
    digits++;
  }
  for (uint32_t i = 0; digits > 0 && sp_rule_table[i] != NULL; i++) {
    const sp_sv rule = sp_sv_from(sp_rule_table[i]->name);
    const size_t tail = rule.n + digits + 1;
    if (whole.n > tail && whole.p[whole.n - tail] == '~' &&
        memcmp(whole.p + whole.n - tail + 1, rule.p, rule.n) == 0) {
      return (sp_sv){id, whole.n - tail};
    }
  }
  return whole;
}

const char *sp_sweep_new_id(sp_sweep *s, const char *base) {
  if (!*s->ids_ready && !take_plan_ids(s)) {
    s->failed = true;
    return NULL;
  }
  const sp_sv of = stands_for(base);
  const char *key = sp_arena_printf(s->arena, "\n%.*s~%s", (int)of.n, of.p, s->rule);
  uint32_t last = 0;
  const uint32_t *known = key != NULL ? sp_strmap_find(s->ids, sp_sv_from(key)) : NULL;
  last = known != NULL ? *known : 0;
  const char *id;
  do {
    id = key != NULL ? sp_arena_printf(s->arena, "%s%u", key + 1, ++last) : NULL;
  } while (id != NULL && sp_strmap_find(s->ids, sp_sv_from(id)) != NULL);
  uint32_t *slot = id != NULL && take_id(s, id) ? sp_strmap_at(s->ids, sp_sv_from(key)) : NULL;
  if (slot == NULL) {
    s->failed = true;
    return NULL;
  }
  *slot = last;
  return id;
}
