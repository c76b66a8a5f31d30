/* What mem.c needs of the snapshot at the peak; everybody else uses mem.h. */
#ifndef SP_BASE_MEM_WATCH_H
#define SP_BASE_MEM_WATCH_H

#include "base/mem.h"

/* The query's root now holds `live` bytes: takes the snapshot when that is a new peak worth one. */
void sp_mem_watch_note(sp_mem_watch *w, int64_t live);

#endif
