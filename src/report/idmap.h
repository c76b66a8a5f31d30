/* Names to numbers, fixed capacity, in an arena. */
#ifndef SP_REPORT_IDMAP_H
#define SP_REPORT_IDMAP_H

#include "base/hash.h"
#include "base/str.h"

typedef struct idmap {
  struct idmap_slot {
    sp_sv name;
    uint32_t value;
    bool used;
  } * slots;
  uint32_t n_slots; /* a power of two, at least twice the names */
} idmap;
bool idmap_init(idmap *m, sp_arena *a, uint32_t n);   /* false = out of memory */
void idmap_set(idmap *m, sp_sv name, uint32_t value); /* the name is kept by reference; at most n names */
int32_t idmap_find(const idmap *m, sp_sv name);       /* -1 when absent */

#endif
