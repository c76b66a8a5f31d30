/* The metric table, shared by the executor that measures, the report that keeps and the renderers that show. A value of
 * -1 is "not measured". */
#ifndef SP_BASE_METRICS_H
#define SP_BASE_METRICS_H

#include <stdint.h>

typedef enum sp_metric {
#define SP_METRIC(name, cls, unit, doc) SP_METRIC_##name,
#include "base/metrics.def"
#undef SP_METRIC
  SP_METRIC_COUNT
} sp_metric;
typedef enum sp_metric_class { SP_CLASS_ROWS, SP_CLASS_BYTES, SP_CLASS_MEMORY, SP_CLASS_TIMING } sp_metric_class;
typedef enum sp_metric_unit { SP_METRIC_UNIT_COUNT, SP_METRIC_UNIT_BYTES, SP_METRIC_UNIT_NS } sp_metric_unit;

typedef struct sp_metric_info {
  const char *name;
  sp_metric_class cls;
  sp_metric_unit unit;
  const char *doc;
} sp_metric_info;
extern const sp_metric_info sp_metric_table[SP_METRIC_COUNT];

typedef struct sp_metrics {
  int64_t v[SP_METRIC_COUNT];
} sp_metrics;

#endif
