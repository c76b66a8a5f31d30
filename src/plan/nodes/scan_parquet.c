/* scan_parquet: rows of Parquet files.
 *
 *   {"id": "t", "op": "scan_parquet", "paths": ["a.parquet", "b.parquet"], "n_rows": 1000, "row_index":
 * {"name": "row"}} */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {SP_SCAN_FIELDS_FRONT, SP_SCAN_FIELDS_BACK, {.key = NULL}};

const sp_node_ops sp_node_kind_scan_parquet = {
    .name = "scan_parquet",
    .symbol = "▤",
    .summary = "rows of Parquet files",
    .flags = SP_NODE_SOURCE,
    .size = sizeof(sp_scan_node),
    .input_keys = (const char *const[]){NULL},
    .fields = fields,
    .resolve = sp_scan_resolve,
    .schema = sp_scan_schema,
    .needs = sp_needs_none,
    .narrow = sp_scan_narrow,
    .push_predicate = sp_scan_push,
    .headline = sp_scan_headline,
};
