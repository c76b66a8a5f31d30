/* Names to numbers, fixed capacity, in an arena. */
#ifndef SP_REPORT_IDS_H
#define SP_REPORT_IDS_H

#include "base/hash.h"
#include "base/str.h"

typedef struct sp_report_ids {
  struct sp_report_ids_slot {
    sp_sv name;
    uint32_t value;
    bool used;
  } * slots;
  uint32_t n_slots; /* a power of two, at least twice the names */
} sp_report_ids;
bool sp_report_ids_init(sp_report_ids *m, sp_arena *a, uint32_t n); /* false = out of memory */
void sp_report_ids_set(sp_report_ids *m, sp_sv name,
                       uint32_t value); /* the name is kept by reference; at most n names */
int32_t sp_report_ids_find(const sp_report_ids *m, sp_sv name); /* -1 when absent */

#endif
