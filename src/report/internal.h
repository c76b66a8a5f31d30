/* What the files of this folder share while a report is built. */
#ifndef SP_REPORT_INTERNAL_H
#define SP_REPORT_INTERNAL_H

#include "report/build.h"
#include "report/ids.h"

typedef struct builder {
  sp_arena *arena;
  bool failed;                 /* out of memory */
  sp_status text_status;       /* the first text that could not be made */
  sp_str text;                 /* scratch */
  sp_report_ids before, after; /* ids of the resolved and the optimized plan */
} builder;

/* Fills r->matches between plans a and b of the report, which are pa and pb. */
void sp_report_match_plans(builder *b, sp_report *r, const sp_plan *pa, uint32_t a, const sp_plan *pb,
                           uint32_t index_b);

#endif
