/* scan_csv: rows of CSV files.
 *
 *   {"id": "t", "op": "scan_csv", "path": "data/2024-??.csv.gz", "separator": ";", "null_values": ["NA"],
 * "ragged": "null"} */
#include "plan/kinds.h"

static const char *const ragged[] = {"error", "null", "truncate", NULL};

static const sp_field_desc fields[] = {
    SP_SCAN_FIELDS_FRONT,
    {.key = "has_header",
     .kind = SP_F_BOOL,
     .offset = offsetof(sp_scan_node, has_header),
     .dflt = 1,
     .doc = "the first line names the columns; else they are column_1, column_2, …"},
    {.key = "separator",
     .kind = SP_F_CHAR,
     .offset = offsetof(sp_scan_node, separator),
     .dflt = ',',
     .doc = "one byte between fields"},
    {.key = "quote",
     .kind = SP_F_CHAR,
     .offset = offsetof(sp_scan_node, quote),
     .dflt = '"',
     .doc = "one byte around fields; empty for none"},
    {.key = "null_values",
     .kind = SP_F_NAMES,
     .offset = offsetof(sp_scan_node, null_values),
     .doc = "unquoted fields that mean null, besides the empty one"},
    {.key = "infer_rows",
     .kind = SP_F_INT,
     .offset = offsetof(sp_scan_node, infer_rows),
     .dflt = 10000,
     .doc = "rows to infer types from; 0: all columns are strings; -1: the whole file"},
    {.key = "try_parse_dates",
     .kind = SP_F_BOOL,
     .offset = offsetof(sp_scan_node, try_parse_dates),
     .dflt = 1,
     .doc = "infer date and datetime"},
    {.key = "ragged",
     .kind = SP_F_ENUM,
     .offset = offsetof(sp_scan_node, ragged),
     .choices = ragged,
     .doc = "rows with too few or too many fields: an error, filled with nulls, or cut"},
    SP_SCAN_FIELDS_BACK,
    {.key = NULL}};

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  const sp_scan_node *n = (const sp_scan_node *)written;
  if (n->separator == n->quote || n->separator == 0 || n->separator == '\n' || n->separator == '\r') {
    const sp_loc at = sp_loc_member(&written->loc, "separator", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`separator` must be one byte other than the quote and the end of line");
  }
  if (n->infer_rows < -1) {
    const sp_loc at = sp_loc_member(&written->loc, "infer_rows", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`infer_rows` must be -1, 0 or more, got %lld", (long long)n->infer_rows);
  }
  return sp_scan_resolve(cx, written, inputs, ret, err);
}

const sp_node_ops sp_node_kind_scan_csv = {
    .name = "scan_csv",
    .symbol = "▤",
    .summary = "rows of CSV files",
    .flags = SP_NODE_SOURCE,
    .size = sizeof(sp_scan_node),
    .input_keys = (const char *const[]){NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_scan_schema,
    .needs = sp_needs_none,
    .narrow = sp_scan_narrow,
    .push_predicate = sp_scan_push,
    .headline = sp_scan_headline,
};
