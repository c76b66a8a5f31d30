/* A small open-addressing map from names to numbers. */
#include "report/internal.h"

bool idmap_init(idmap *m, sp_arena *a, uint32_t n) {
  uint32_t slots = 8;
  while (slots < (uint64_t)n * 2) {
    slots *= 2;
  }
  m->slots = SP_ARENA_ARRAY(a, struct idmap_slot, slots);
  m->n_slots = slots;
  return m->slots != NULL;
}

static uint32_t slot_of(const idmap *m, sp_sv name) {
  uint32_t i = (uint32_t)sp_hash_bytes(name.p, name.n, 0) & (m->n_slots - 1);
  while (m->slots[i].used && !sp_sv_eq(m->slots[i].name, name)) {
    i = (i + 1) & (m->n_slots - 1);
  }
  return i;
}

void idmap_set(idmap *m, sp_sv name, uint32_t value) { m->slots[slot_of(m, name)] = (struct idmap_slot){name, value, true}; }

int32_t idmap_find(const idmap *m, sp_sv name) {
  const struct idmap_slot *s = &m->slots[slot_of(m, name)];
  return s->used ? (int32_t)s->value : -1;
}
