/* What the files of this folder share while a report is built. */
#ifndef SP_REPORT_INTERNAL_H
#define SP_REPORT_INTERNAL_H

#include "report/build.h"

/* Names to numbers, fixed capacity, in an arena. */
typedef struct idmap {
  struct idmap_slot {
    sp_sv name;
    uint32_t value;
    bool used;
  } *slots;
  uint32_t n_slots; /* a power of two, at least twice the names */
} idmap;
bool idmap_init(idmap *m, sp_arena *a, uint32_t n);         /* false = out of memory */
void idmap_set(idmap *m, sp_sv name, uint32_t value);       /* the name is kept by reference; at most n names */
int32_t idmap_find(const idmap *m, sp_sv name);             /* -1 when absent */

typedef struct builder {
  sp_arena *arena;
  bool failed; /* out of memory */
  sp_str text; /* scratch */
  idmap before, after; /* ids of the resolved and the optimized plan */
} builder;

/* Fills r->matches between plans a and b of the report, which are pa and pb. */
void sp_report_match_plans(builder *b, sp_report *r, const sp_plan *pa, uint32_t a, const sp_plan *pb, uint32_t index_b);

#endif
