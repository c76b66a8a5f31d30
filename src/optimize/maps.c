/* Open-addressing maps in an arena: names to numbers, and expressions by structure. Old tables stay in the
 * arena; doubling keeps their sum below the last one. */
#include "optimize/internal.h"

#define FIRST_SLOTS 16

void sp_strmap_init(sp_strmap *m, sp_arena *a) {
  *m = (sp_strmap){.arena = a};
}

static uint32_t name_slot(const sp_strmap *m, sp_sv name) {
  uint32_t i = (uint32_t)sp_hash_bytes(name.p, name.n, 0) & (m->n_slots - 1);
  while (m->slots[i].name.p != NULL && !sp_sv_eq(m->slots[i].name, name)) {
    i = (i + 1) & (m->n_slots - 1);
  }
  return i;
}

static bool grow_names(sp_strmap *m) {
  sp_strmap to = {.arena = m->arena, .n = m->n, .n_slots = m->n_slots > 0 ? m->n_slots * 2 : FIRST_SLOTS};
  to.slots = SP_ARENA_ARRAY(m->arena, struct sp_strmap_slot, to.n_slots);
  if (to.slots == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < m->n_slots; i++) {
    if (m->slots[i].name.p != NULL) {
      to.slots[name_slot(&to, m->slots[i].name)] = m->slots[i];
    }
  }
  *m = to;
  return true;
}

uint32_t *sp_strmap_at(sp_strmap *m, sp_sv name) {
  if (m->n >= m->n_slots / 2 && !grow_names(m)) {
    return NULL;
  }
  struct sp_strmap_slot *s = &m->slots[name_slot(m, name)];
  if (s->name.p == NULL) {
    s->name = (sp_sv){name.p != NULL ? name.p : "", name.n};
    m->n++;
  }
  return &s->value;
}

const uint32_t *sp_strmap_find(const sp_strmap *m, sp_sv name) {
  if (m->n_slots == 0) {
    return NULL;
  }
  const struct sp_strmap_slot *s = &m->slots[name_slot(m, name)];
  return s->name.p != NULL ? &s->value : NULL;
}

void sp_exprset_init(sp_exprset *s, sp_arena *a) {
  *s = (sp_exprset){.arena = a};
}

static uint32_t expr_slot(const sp_exprset *s, const sp_expr *e) {
  uint32_t i = (uint32_t)sp_hash_u64(e->hash) & (s->n_slots - 1);
  while (s->slots[i].expr != NULL &&
         !(s->slots[i].expr->hash == e->hash && sp_expr_eq(s->slots[i].expr, e))) {
    i = (i + 1) & (s->n_slots - 1);
  }
  return i;
}

static bool grow_exprs(sp_exprset *s) {
  sp_exprset to = {.arena = s->arena, .n = s->n, .n_slots = s->n_slots > 0 ? s->n_slots * 2 : FIRST_SLOTS};
  to.slots = SP_ARENA_ARRAY(s->arena, struct sp_exprset_slot, to.n_slots);
  if (to.slots == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < s->n_slots; i++) {
    if (s->slots[i].expr != NULL) {
      to.slots[expr_slot(&to, s->slots[i].expr)] = s->slots[i];
    }
  }
  *s = to;
  return true;
}

struct sp_exprset_slot *sp_exprset_at(sp_exprset *s, const sp_expr *e) {
  if (s->n >= s->n_slots / 2 && !grow_exprs(s)) {
    return NULL;
  }
  struct sp_exprset_slot *slot = &s->slots[expr_slot(s, e)];
  if (slot->expr == NULL) {
    slot->expr = e;
    s->n++;
  }
  return slot;
}

struct sp_exprset_slot *sp_exprset_find(const sp_exprset *s, const sp_expr *e) {
  if (s->n_slots == 0) {
    return NULL;
  }
  struct sp_exprset_slot *slot = &s->slots[expr_slot(s, e)];
  return slot->expr != NULL ? slot : NULL;
}
