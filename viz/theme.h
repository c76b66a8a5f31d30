/* What every renderer shows, decided once: which plans a view has, a node's figures and their heat, and its
 * notes (what was pushed from where, what stopped and why, who is shared). Renderers only place and colour.
 */
#ifndef SP_VIZ_THEME_H
#define SP_VIZ_THEME_H

#include "base/metrics.h"
#include "viz/viz.h"

/* A report opened for showing: look-ups by node, made once. Everything is in the arena. */
typedef struct sp_theme {
  const sp_report *report;
  const sp_viz_options *options;
  const sp_report_plan *before, *after; /* stages "resolved" and "optimized"; NULL */
  const sp_report_run *run;             /* whose figures are shown; NULL */
  int32_t columns[SP_METRIC_COUNT];     /* of the run's metrics; -1 absent */
  double total_busy_ns;
  int32_t **measured; /* by plan and node: node of the run's plan whose rows are the same, -1 */
  bool **own;         /* by plan and node: its time and memory are that node's too */
  int32_t *heir;      /* by node of `before`: the node of `after` that has its rows or its id; -1 */
  bool *stays;        /* by node of `before`: `heir` has its id */
  int32_t *partner;   /* by node of `after`: the node of `before` with its id; -1 */
  int32_t *ghost_first, *ghost_next; /* by node of `before`; by fact: chains of facts that left the node */
  int32_t *came_first, *came_next;   /* by node of `after`: facts that arrived */
  int32_t *stop_first, *stop_next;   /* by node of `after`: blockers */
} sp_theme;
bool sp_theme_open(sp_theme *t, const sp_report *r, const sp_viz_options *o,
                   sp_arena *a); /* false = out of memory */

/* Plans of a view, in the order they are shown; at most two. Returns how many; 0 when the report has none of
 * them. */
uint32_t sp_theme_plans(const sp_report *r, sp_plan_view view, const sp_report_plan *ret[2]);

/* Did this fact take a predicate or slice from one node to another? */
bool sp_theme_travelled(const sp_report_fact *f);

/* "scan flights.parquet" says the id `flights` already, and so does "scan flights". */
bool sp_theme_says_id(const sp_report_node *n);

/* Figures of one node as text, empty where not measured or not asked for. */
typedef struct sp_figures {
  bool measured;                /* there was a run and this node's rows are known */
  bool cut;                     /* below an early stop: rows vary from run to run */
  int64_t rows;                 /* -1 unknown */
  int64_t est;                  /* the estimate; -1 unknown */
  double time_share, mem_share; /* 0..1 of all nodes' busy time, of the query's peak; -1 unknown */
  double q;                     /* how far estimate and rows are apart: at least 1; 0 unknown */
  char rows_text[SP_HUMAN_SIZE];
  char est_text[SP_HUMAN_SIZE];   /* the estimate when there is one */
  char q_text[SP_HUMAN_SIZE];     /* "×12" when they are over 2 apart and over 100 rows */
  char time_text[SP_HUMAN_SIZE];  /* "12.3 ms" */
  char share_text[16];            /* "34%" */
  char mem_text[SP_HUMAN_SIZE];   /* peak held by the node */
  char spill_text[SP_HUMAN_SIZE]; /* bytes written to temporary files, when there are any */
  char groups_text[48];           /* scans: row groups "2/16" */
  int heat;                       /* 0 none, 1 to 3: share of time of at least 10, 25, 50 % */
} sp_figures;
void sp_theme_figures(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_figures *ret);

/* One metric of a node as text, with its unit: "1.5 MiB". false: not measured, not this node's own, or not
 * asked for. */
bool sp_theme_metric(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_metric m,
                     char out[SP_HUMAN_SIZE]);

/* "first 10 rows" */
#define SP_FIRST_SIZE 48
void sp_theme_first_rows(int64_t n, char out[SP_FIRST_SIZE]);

typedef enum sp_note_kind {
  SP_NOTE_GHOST,      /* before: it was written here and is elsewhere now */
  SP_NOTE_ARRIVED,    /* after: it came here */
  SP_NOTE_BLOCKED,    /* after: it stopped here */
  SP_NOTE_SHARED,     /* several consumers */
  SP_NOTE_NOT_SHARED, /* occurs twice and is not shared */
  SP_NOTE_ERROR,
  SP_NOTE_OUTPUT,   /* the user's name of this output, when the node has another */
  SP_NOTE_ESTIMATE, /* the estimate breaks here, not below */
  SP_NOTE_USER      /* what the plan says about the node */
} sp_note_kind;
typedef struct sp_note {
  sp_note_kind kind;
  const char *glyph; /* "↓", "←", "⊘", "×2" */
  sp_rich what;     /* the predicate or slice, where the node's other lines do not say it; text may be NULL */
  const char *text; /* "→ flights", "3 predicates from late by predicate_pushdown", the reason */
  uint32_t n;       /* facts that it stands for */
} sp_note;
/* In the arena: an error first, then moves, stops, sharing, the estimate, the user's note. Facts of one kind
 * with one place and reason are one note, and there are at most SP_NOTES_MAX of a kind. false = out of
 * memory. */
#define SP_NOTES_MAX 10
bool sp_theme_notes(const sp_theme *t, const sp_report_plan *p, uint32_t node, sp_arena *a,
                    const sp_note **ret, uint32_t *ret_n);

/* The summary: "12.3 ms on 2 workers, peak 4.1 MiB, 250,000 rows scanned, 10 rows returned"; nothing without
 * a run. And what the process held. */
void sp_theme_summary(const sp_theme *t, sp_str *out);
void sp_theme_process(const sp_theme *t, sp_str *out);
/* "optimizer default: predicate_pushdown ×3, projection_pushdown ×5"; nothing when not optimized. */
void sp_theme_optimizer(const sp_theme *t, sp_str *out);

#endif
