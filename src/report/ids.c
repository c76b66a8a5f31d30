/* A small open-addressing map from names to numbers. */
#include "report/ids.h"

bool sp_report_ids_init(sp_report_ids *m, sp_arena *a, uint32_t n) {
  uint32_t slots = 8;
  while (slots < (uint64_t)n * 2) {
    slots *= 2;
  }
  m->slots = SP_ARENA_ARRAY(a, struct sp_report_ids_slot, slots);
  m->n_slots = slots;
  return m->slots != NULL;
}

static uint32_t slot_of(const sp_report_ids *m, sp_sv name) {
  uint32_t i = (uint32_t)sp_hash_bytes(name.p, name.n, 0) & (m->n_slots - 1);
  while (m->slots[i].used && !sp_sv_eq(m->slots[i].name, name)) {
    i = (i + 1) & (m->n_slots - 1);
  }
  return i;
}

void sp_report_ids_set(sp_report_ids *m, sp_sv name, uint32_t value) {
  m->slots[slot_of(m, name)] = (struct sp_report_ids_slot){name, value, true};
}

int32_t sp_report_ids_find(const sp_report_ids *m, sp_sv name) {
  const struct sp_report_ids_slot *s = &m->slots[slot_of(m, name)];
  return s->used ? (int32_t)s->value : -1;
}
