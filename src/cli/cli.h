/* The command line: options as a table, commands as a family, and what they share. The only code that prints or exits. */
#ifndef SP_CLI_CLI_H
#define SP_CLI_CLI_H

#include "session/session.h"
#include "viz/viz.h"

/* Groups of options. */
enum {
  SP_OPT_EXPLAIN = 1u << 0,
  SP_OPT_RUN = 1u << 1,
  SP_OPT_CHECK = 1u << 2,
  SP_OPT_RULES = 1u << 3,
  SP_OPT_SCHEMA = 1u << 4,
  SP_OPT_PLAN = SP_OPT_EXPLAIN | SP_OPT_RUN,                /* optimizes */
  SP_OPT_EXEC = SP_OPT_EXPLAIN | SP_OPT_RUN,                /* may execute */
  SP_OPT_DATA = SP_OPT_EXPLAIN | SP_OPT_RUN | SP_OPT_CHECK, /* opens tables */
  SP_OPT_ANY = ~0u
};

typedef struct sp_cli {
  sp_arena arena;
  const char *plan; /* the positional argument */
  sp_session_options session;
  sp_exec_options exec;
  sp_viz_options viz;
  const char *format, *output_format, *output, *report;
  bool analyze, all, progress, wants_help;
  int64_t rows;
  sp_table_binding *tables;
  const char **disable, **only;
} sp_cli;

typedef struct sp_command {
  const char *name;
  const char *args;    /* "PLAN [options]" */
  const char *summary; /* one line for the list */
  const char *text;    /* a paragraph for its own --help */
  unsigned group;
  bool takes_plan;
  sp_status (*run)(sp_cli *c, sp_error *err);
} sp_command;
extern const sp_command *const sp_command_table[]; /* NULL-terminated */

/* Fills c from the arguments after the command's name. SP_USAGE with the nearest option or value as the hint. */
sp_status sp_cli_parse(sp_cli *c, const sp_command *cmd, int argc, char **argv, sp_error *err);
void sp_cli_help(const sp_command *cmd); /* NULL: the list of commands */
void sp_cli_completion(void);            /* a bash completion script */

/* "500MB", "2GiB", "1.5g", "4096" */
bool sp_cli_parse_size(const char *text, int64_t *ret);
/* "30s", "500ms", "2m", "1h" */
bool sp_cli_parse_time(const char *text, int64_t *ret_ns);

void sp_cli_print_error(const sp_error *e);
/* sp_session_options.warn. The second is for plans that run next: a file that is missing will be their error. */
void sp_cli_warn(void *ctx, const sp_error *w);
void sp_cli_warn_running(void *ctx, const sp_error *w);
/* Returns st. Memory that ran out under --memory-limit is that limit's doing: the hint says so. */
sp_status sp_cli_explain_limit(const sp_cli *c, sp_status st, sp_error *err);
/* A name or a value without control characters and bad UTF-8, at most its first 4,096 bytes; NULL when out of memory. */
const char *sp_cli_one_line(sp_arena *a, const char *text, size_t n);
/* Output text to -o or standard output (through a pager when it is long and a terminal). */
sp_status sp_cli_write(const sp_cli *c, const char *path, const sp_str *text, sp_error *err);
uint32_t sp_terminal_width(void); /* 0 when standard output is no terminal */
void sp_cli_progress(void *ctx, double fraction, int64_t rows);
void sp_cli_progress_end(void);

/* ---- table.c ---- */
typedef struct sp_table_options {
  uint32_t width; /* columns of the terminal */
  bool ascii;
  int64_t rows; /* to print at most, half from each end; 0 = all */
} sp_table_options;
/* An aligned table of what the result kept, cut in the middle of rows and of columns, with the full count. */
void sp_table_print(const sp_result *r, const sp_table_options *o, sp_str *out);

#endif
