/* The report as it is: the form that is saved, compared and drawn again later. Options that choose what to
 * show do not apply. */
#include "report/json.h"
#include "viz/viz.h"

static sp_status render(const sp_report *r, const sp_viz_options *o, sp_str *out, sp_error *err) {
  (void)o;
  sp_report_to_json(r, out);
  return sp_str_status(out, err);
}

const sp_renderer sp_renderer_json = {
    .name = "json", .suffixes = "json", .summary = "the report: plans, trace, metrics", .render = render};
