/* The report: the one document that renderers see. Plain structs, a JSON form (sp_report_to_json / from_json in src/report), no pointers
 * into plans or runs. A report saved yesterday renders and diffs without the data.
 *
 * Everything in a report belongs to one arena; strings are UTF-8 and NUL-terminated; an absent string is NULL, an absent number -1.
 * Anything that can be drawn is decided here, expressions as text with token spans, so that no renderer computes meaning. */
#ifndef SIGMAPI_REPORT_H
#define SIGMAPI_REPORT_H

#include "sigmapi/status.h"

#define SP_REPORT_FORMAT 1

/* Text with syntax: spans are ascending and disjoint, offsets in bytes. */
typedef enum sp_span_kind {
  SP_SPAN_PLAIN,
  SP_SPAN_COLUMN,
  SP_SPAN_FUNCTION,
  SP_SPAN_KEYWORD,
  SP_SPAN_OPERATOR,
  SP_SPAN_NUMBER,
  SP_SPAN_STRING,
  SP_SPAN_TYPE
} sp_span_kind;
typedef struct sp_span {
  uint32_t pos, len;
  sp_span_kind kind;
} sp_span;
typedef struct sp_rich {
  const char *text;
  uint32_t n_spans;
  const sp_span *spans;
} sp_rich;

/* One field of a node: "predicate": delay > 15. brief: shown on the node; else only among the details. */
typedef struct sp_report_detail {
  const char *key;
  sp_rich value;
  bool brief;
  const char *tree; /* expressions as JSON, an array of the trees that plans may hold too; NULL: no expression, or over 64 KiB of text */
} sp_report_detail;
typedef struct sp_report_field {
  const char *name, *type;
} sp_report_field;

typedef enum sp_sharing { SP_SHARED_NOT, SP_SHARED_BY_NAME, SP_SHARED_MERGED } sp_sharing;

typedef struct sp_report_node {
  const char *id, *op;
  const char *symbol;      /* "σ" */
  const char *title;       /* "filter", "scan lineitem" */
  sp_rich headline;        /* the key line: predicate, keys, "π 3/16" */
  const char *note;
  uint32_t n_details;
  const sp_report_detail *details;
  uint32_t n_inputs;
  const uint32_t *inputs;  /* node indices in the same plan */
  const char *const *input_labels; /* "left", "right" or NULL each */
  uint32_t n_fields;
  const sp_report_field *fields; /* output schema; 0 in a written plan */
  uint32_t n_origin;
  const char *const *origin; /* written ids */
  bool is_source, is_sink, is_output;
  const char *output_name;   /* of an output */
  /* scans */
  int64_t columns_read, columns_total; /* π k/n; -1 for others */
  sp_rich pushed_predicate;            /* σ on a scan; text NULL = none */
  int64_t pushed_rows;                 /* n_rows set by a rule; -1 */
  /* sharing */
  uint32_t consumers;
  sp_sharing sharing;
  double est_rows; /* -1 unknown */
  const char *error; /* what is wrong with this node (a picture of a wrong plan), or NULL */
} sp_report_node;

typedef struct sp_report_output {
  const char *name;
  uint32_t node;
} sp_report_output;

typedef struct sp_report_plan {
  const char *stage; /* "written", "resolved", "optimized" */
  const char *label; /* "before", "after", or a file's name in a diff */
  uint32_t n_nodes;
  const sp_report_node *nodes; /* inputs before consumers */
  uint32_t n_outputs;
  const sp_report_output *outputs;
} sp_report_plan;

/* What moved, stopped or was merged. Nodes are ids; from in the plan before, to in the plan after (or where it stopped). */
typedef struct sp_report_fact {
  const char *kind;   /* "predicate" "column" "slice" "subplan" "join" "expression" "order" "node" */
  const char *action; /* "moved" "copied" "stopped" "removed" "replaced" "merged" "not shared" */
  const char *rule;
  sp_rich text;
  const char *from, *to, *reason;
  int32_t from_node, to_node; /* indices in plans "resolved" and "optimized"; -1 unknown */
} sp_report_fact;
typedef struct sp_report_firing {
  const char *pass, *rule;
  uint32_t round;
  uint32_t n_before, n_after;
  const char *const *before, *const *after;
  uint32_t n_facts;
  const sp_report_fact *facts;
} sp_report_firing;
typedef struct sp_report_pass {
  const char *pass, *rule;
  uint32_t round, firings;
  int64_t wall_ns;
} sp_report_pass;
typedef struct sp_report_trace {
  const char *profile; /* NULL: not optimized */
  uint32_t n_passes;
  const sp_report_pass *passes;
  uint32_t n_firings;
  const sp_report_firing *firings;
  uint32_t n_facts;
  const sp_report_fact *facts; /* net effect, from the resolved to the optimized plan: what pictures draw as ghosts and arrows */
  uint32_t n_blockers;
  const sp_report_fact *blockers;
  bool capped;
  int64_t wall_ns;
} sp_report_trace;

typedef struct sp_report_activity {
  uint32_t pipeline, worker;
  int64_t start_ns, end_ns, rows;
} sp_report_activity;
typedef struct sp_report_pipeline {
  const char *name;
  uint32_t n_nodes;
  const uint32_t *nodes;
} sp_report_pipeline;

typedef struct sp_report_run {
  uint32_t plan;       /* index in plans */
  const char *profile;
  const char *outcome; /* "ok" or the status text */
  const char *error;   /* message or NULL */
  uint32_t n_nodes;
  const int64_t *metrics; /* n_nodes × n_metrics, node-major; -1 = not measured */
  const bool *cut;        /* by node */
  int64_t wall_ns, cpu_ns, peak_bytes, rows_scanned, rows_returned;
  int64_t rss_before, rss_peak, rss_after, allocator_kept, returned_bytes;
  uint32_t threads;
  uint32_t n_samples;
  const int64_t *sample_at_ns, *sample_rss; /* n_samples */
  const int64_t *sample_live;               /* n_samples × n_nodes */
  uint32_t n_activity;
  const sp_report_activity *activity;
  uint32_t n_pipelines;
  const sp_report_pipeline *pipelines;
} sp_report_run;

/* Node a of plan_a stands for node b of plan_b. kind: "same" (fingerprint), "changed" (id), "rows" (a is gone, b gives its rows now). same_rows:
 * b computes the rows of a, so that measurements may be shown on both; of "rows" only the number of rows, since b's work is not a's. */
typedef struct sp_report_match {
  uint32_t plan_a, a, plan_b, b;
  const char *kind;
  bool same_rows;
} sp_report_match;

typedef struct sp_report {
  uint32_t format;
  const char *title; /* the plan's file name */
  uint32_t n_metrics;
  const char *const *metric_names; /* columns of runs' metrics */
  uint32_t n_plans;
  const sp_report_plan *plans;
  sp_report_trace trace;
  uint32_t n_runs;
  const sp_report_run *runs;
  uint32_t n_matches;
  const sp_report_match *matches;
} sp_report;

#endif
