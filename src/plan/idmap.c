/* Names to small numbers, by open addressing in an arena: ids of plans with 10,000 nodes, outputs of wide
 * projections. */
#include "plan/kinds.h"

void sp_idmap_init(sp_idmap *m, sp_arena *a) {
  *m = (sp_idmap){.arena = a};
}

static struct sp_idmap_slot *slot_of(const sp_idmap *m, sp_sv name) {
  uint32_t i = (uint32_t)sp_hash_bytes(name.p, name.n, 0) & (m->n_slots - 1);
  while (m->slots[i].value != 0 && !sp_sv_eq(m->slots[i].name, name)) {
    i = (i + 1) & (m->n_slots - 1);
  }
  return &m->slots[i];
}

static bool grow(sp_idmap *m) {
  sp_idmap bigger = {.arena = m->arena, .n = m->n, .n_slots = m->n_slots == 0 ? 16 : m->n_slots * 2};
  bigger.slots = SP_ARENA_ARRAY(m->arena, struct sp_idmap_slot, bigger.n_slots);
  if (bigger.slots == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < m->n_slots; i++) {
    if (m->slots[i].value != 0) {
      *slot_of(&bigger, m->slots[i].name) = m->slots[i];
    }
  }
  *m = bigger;
  return true;
}

bool sp_idmap_add(sp_idmap *m, sp_sv name, uint32_t value, uint32_t *ret_old) {
  if (m->n * 2 >= m->n_slots && !grow(m)) {
    return false;
  }
  struct sp_idmap_slot *s = slot_of(m, name);
  if (s->value != 0) {
    *ret_old = s->value - 1;
    return true;
  }
  *s = (struct sp_idmap_slot){.name = name, .value = value + 1};
  m->n++;
  *ret_old = UINT32_MAX;
  return true;
}

uint32_t sp_idmap_find(const sp_idmap *m, sp_sv name) {
  return m->n_slots == 0 ? UINT32_MAX : slot_of(m, name)->value - 1;
}
