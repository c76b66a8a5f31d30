/* The report's JSON form. Renderers use this too, so it includes nothing of plans or runs. */
#ifndef SP_REPORT_JSON_H
#define SP_REPORT_JSON_H

#include "base/json.h"
#include "sigmapi/report.h"

void sp_report_to_json(const sp_report *r, sp_str *out);
bool sp_report_detect(const sp_json_doc *d);
/* Older formats keep loading; a newer one is SP_UNSUPPORTED. Sizes and indices are checked: a report is
 * input. */
sp_status sp_report_from_json(const sp_json_doc *d, sp_arena *a, const sp_report **ret, sp_error *err);

#endif
