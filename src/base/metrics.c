/* The metric table as data: see metrics.def, which is the only place a metric is declared. */
#include "base/metrics.h"

const sp_metric_info sp_metric_table[SP_METRIC_COUNT] = {
#define SP_METRIC(name, cls, unit, doc) {#name, SP_CLASS_##cls, SP_METRIC_UNIT_##unit, doc},
#include "base/metrics.def"
#undef SP_METRIC
};
