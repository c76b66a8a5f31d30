/* The option parser, driven by options.def. `--name value`, `--name=value`, `-n value`, `-nvalue`; `--` ends options; a
 * single `-` is a positional argument. Unknown options and values name the nearest valid ones. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/metrics.h"
#include "cli/cli.h"
#include "data/text.h"

#define EXPLAIN SP_OPT_EXPLAIN
#define RUN SP_OPT_RUN
#define CHECK SP_OPT_CHECK
#define RULES SP_OPT_RULES
#define PLAN SP_OPT_PLAN
#define EXEC SP_OPT_EXEC
#define DATA SP_OPT_DATA
#define ANY SP_OPT_ANY

typedef sp_status (*set_fn)(sp_cli *c, const char *value, sp_error *err);

static sp_status bad_value(sp_error *err, const char *option, const char *value, const char *expected) {
  SP_FAIL(err, SP_USAGE, NULL, "--%s: expected %s, got `%s`", option, expected, value);
}

/* Index of value among NULL-terminated names; -1 when absent. */
static int find_choice(const char *value, const char *const *names) {
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(value, names[i]) == 0) {
      return i;
    }
  }
  return -1;
}

static sp_status set_choice(const char *option, const char *value, const char *const *names, const char *expected, int *ret,
                            sp_error *err) {
  const int i = find_choice(value, names);
  if (i < 0) {
    return bad_value(err, option, value, expected);
  }
  *ret = i;
  return SP_OK;
}

static sp_status set_count(const char *option, const char *value, int64_t min, int64_t max, int64_t *ret, sp_error *err) {
  int64_t v = 0;
  if (!sp_parse_i64(sp_sv_from(value), &v) || v < min || v > max) {
    SP_FAIL(err, SP_USAGE, NULL, "--%s: expected a whole number from %lld to %lld, got `%s`", option, (long long)min, (long long)max, value);
  }
  *ret = v;
  return SP_OK;
}

static sp_status set_view(sp_cli *c, const char *v, sp_error *err) {
  static const char *const names[] = {"written", "before", "after", "both", NULL};
  int i = 0;
  SP_TRY(set_choice("view", v, names, "written, before, after or both", &i, err));
  c->viz.view = (sp_plan_view)i;
  return SP_OK;
}
static sp_status set_format(sp_cli *c, const char *v, sp_error *err) {
  if (sp_renderer_find(v) == NULL) {
    return bad_value(err, "format", v, "text, dot, svg or json");
  }
  c->format = v;
  return SP_OK;
}
static sp_status set_analyze(sp_cli *c, const char *v, sp_error *err) {
  (void)v, (void)err;
  c->analyze = true;
  return SP_OK;
}
static sp_status set_metrics(sp_cli *c, const char *v, sp_error *err) {
  static const char *const names[] = {"rows", "bytes", "memory", "timing", NULL};
  if (strcmp(v, "none") == 0 || strcmp(v, "all") == 0) {
    c->viz.classes = v[0] == 'n' ? 0 : 15u;
    return SP_OK;
  }
  unsigned classes = 0;
  for (const char *p = v;;) {
    const size_t n = strcspn(p, ",");
    int found = -1;
    for (int i = 0; names[i] != NULL; i++) {
      if (strlen(names[i]) == n && memcmp(names[i], p, n) == 0) {
        found = i;
      }
    }
    if (found < 0) {
      return bad_value(err, "metrics", v, "none, all, or a list of rows, bytes, memory and timing");
    }
    classes |= 1u << found;
    if (p[n] == '\0') {
      break;
    }
    p += n + 1;
  }
  c->viz.classes = classes;
  return SP_OK;
}
static sp_status set_theme(sp_cli *c, const char *v, sp_error *err) {
  static const char *const names[] = {"auto", "light", "dark", NULL};
  int i = 0;
  SP_TRY(set_choice("theme", v, names, "auto, light or dark", &i, err));
  c->viz.theme = (sp_theme_mode)i;
  return SP_OK;
}
static sp_status set_direction(sp_cli *c, const char *v, sp_error *err) {
  static const char *const names[] = {"bottom", "top", NULL};
  int i = 0;
  SP_TRY(set_choice("direction", v, names, "bottom or top", &i, err));
  c->viz.direction = (sp_direction)i;
  return SP_OK;
}
static sp_status set_width(sp_cli *c, const char *v, sp_error *err) {
  int64_t n = 0;
  SP_TRY(set_count("width", v, 20, 10000, &n, err));
  c->viz.width = (uint32_t)n;
  return SP_OK;
}
static sp_status set_color(sp_cli *c, const char *v, sp_error *err) {
  static const char *const names[] = {"auto", "always", "never", NULL};
  int i = 0;
  SP_TRY(set_choice("color", v, names, "auto, always or never", &i, err));
  if (i > 0) {
    c->viz.color = i == 1;
  }
  return SP_OK;
}
static sp_status set_ascii(sp_cli *c, const char *v, sp_error *err) {
  (void)v, (void)err;
  c->viz.ascii = true;
  return SP_OK;
}
static sp_status set_id_prefix(sp_cli *c, const char *v, sp_error *err) {
  for (const char *p = v; *p != '\0'; p++) {
    const bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
    if (!letter && (p == v || !((*p >= '0' && *p <= '9') || *p == '-' || *p == '.'))) {
      return bad_value(err, "id-prefix", v, "a letter followed by letters, digits, `-`, `_` or `.`");
    }
  }
  if (*v == '\0') {
    return bad_value(err, "id-prefix", v, "a letter followed by letters, digits, `-`, `_` or `.`");
  }
  c->viz.id_prefix = v;
  return SP_OK;
}
static sp_status set_alt(sp_cli *c, const char *v, sp_error *err) {
  (void)err;
  c->viz.alt = v;
  return SP_OK;
}
static sp_status set_all(sp_cli *c, const char *v, sp_error *err) {
  (void)v, (void)err;
  c->all = true;
  return SP_OK;
}
static sp_status set_output_format(sp_cli *c, const char *v, sp_error *err) {
  static const char *const names[] = {"table", "csv", "parquet", NULL};
  int i = 0;
  SP_TRY(set_choice("output-format", v, names, "table, csv or parquet", &i, err));
  c->output_format = names[i];
  return SP_OK;
}
static sp_status set_only_output(sp_cli *c, const char *v, sp_error *err) {
  (void)err;
  c->exec.only_output = v;
  return SP_OK;
}
static sp_status set_rows(sp_cli *c, const char *v, sp_error *err) { return set_count("rows", v, 0, INT32_MAX, &c->rows, err); }
static sp_status set_report(sp_cli *c, const char *v, sp_error *err) {
  (void)err;
  c->report = v;
  return SP_OK;
}
static sp_status set_output(sp_cli *c, const char *v, sp_error *err) {
  (void)err;
  c->output = v;
  return SP_OK;
}
static sp_status set_optimizer(sp_cli *c, const char *v, sp_error *err) {
  (void)err;
  c->session.optimizer = v;
  return SP_OK;
}

/* Appends the comma-separated names in v. */
static sp_status add_names(sp_cli *c, const char *v, const char ***list, uint32_t *n, sp_error *err) {
  for (const char *p = v;;) {
    const size_t len = strcspn(p, ",");
    const char **grown = SP_ARENA_ARRAY(&c->arena, const char *, *n + 1);
    char *name = sp_arena_strndup(&c->arena, p, len);
    if (grown == NULL || name == NULL) {
      return sp_error_nomem(err);
    }
    if (*n > 0) {
      memcpy(grown, *list, *n * sizeof *grown);
    }
    grown[(*n)++] = name;
    *list = grown;
    if (p[len] == '\0') {
      return SP_OK;
    }
    p += len + 1;
  }
}
static sp_status set_disable(sp_cli *c, const char *v, sp_error *err) {
  SP_TRY(add_names(c, v, &c->disable, &c->session.n_disable, err));
  c->session.disable = c->disable;
  return SP_OK;
}
static sp_status set_only(sp_cli *c, const char *v, sp_error *err) {
  SP_TRY(add_names(c, v, &c->only, &c->session.n_only, err));
  c->session.only = c->only;
  return SP_OK;
}
static sp_status set_validate(sp_cli *c, const char *v, sp_error *err) {
  (void)v, (void)err;
  c->session.validate = true;
  return SP_OK;
}
static sp_status set_threads(sp_cli *c, const char *v, sp_error *err) {
  int64_t n = 0;
  SP_TRY(set_count("threads", v, 1, SP_WORKERS_MAX, &n, err));
  c->exec.threads = (uint32_t)n;
  return SP_OK;
}
static sp_status set_batch_rows(sp_cli *c, const char *v, sp_error *err) {
  int64_t n = 0;
  SP_TRY(set_count("batch-rows", v, 1, SP_BATCH_ROWS_MAX, &n, err));
  c->exec.batch_rows = (uint32_t)n;
  return SP_OK;
}
static sp_status set_memory_limit(sp_cli *c, const char *v, sp_error *err) {
  return sp_cli_parse_size(v, &c->exec.memory_limit) && c->exec.memory_limit > 0 ? SP_OK : bad_value(err, "memory-limit", v, "a size as 500MB or 2GiB");
}
static sp_status set_time_limit(sp_cli *c, const char *v, sp_error *err) {
  return sp_cli_parse_time(v, &c->exec.time_limit_ns) && c->exec.time_limit_ns > 0 ? SP_OK : bad_value(err, "time-limit", v, "a time as 30s, 500ms or 2m");
}
static sp_status set_progress(sp_cli *c, const char *v, sp_error *err) {
  (void)v, (void)err;
  c->progress = true;
  return SP_OK;
}
static sp_status set_data_root(sp_cli *c, const char *v, sp_error *err) {
  (void)err;
  c->session.data_root = v;
  return SP_OK;
}
static sp_status set_table(sp_cli *c, const char *v, sp_error *err) {
  const char *eq = strchr(v, '=');
  if (eq == NULL || eq == v || eq[1] == '\0') {
    return bad_value(err, "table", v, "NAME=PATH");
  }
  sp_table_binding *grown = SP_ARENA_ARRAY(&c->arena, sp_table_binding, c->session.n_tables + 1);
  char *name = sp_arena_strndup(&c->arena, v, (size_t)(eq - v));
  if (grown == NULL || name == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < c->session.n_tables; i++) {
    if (strcmp(c->tables[i].name, name) == 0) {
      SP_FAIL(err, SP_USAGE, NULL, "--table: `%s` is both %s and %s", name, c->tables[i].path, eq + 1);
    }
  }
  if (c->session.n_tables > 0) {
    memcpy(grown, c->tables, c->session.n_tables * sizeof *grown);
  }
  grown[c->session.n_tables++] = (sp_table_binding){name, eq + 1};
  c->tables = grown;
  c->session.tables = grown;
  return SP_OK;
}
static sp_status set_help(sp_cli *c, const char *v, sp_error *err) {
  (void)v, (void)err;
  c->wants_help = true;
  return SP_OK;
}

typedef struct option {
  const char *name;
  char letter;
  const char *arg;
  unsigned groups;
  const char *help;
  set_fn set;
} option;
static const option options[] = {
#define SP_OPTION(id, name, letter, arg, groups, help) {name, letter, arg, groups, help, set_##id},
#include "cli/options.def"
#undef SP_OPTION
};
#define N_OPTIONS (sizeof options / sizeof options[0])

/* The options of a command as they are typed. */
typedef struct known {
  uint32_t n;
  char names[N_OPTIONS][32];
} known;
static sp_sv known_name(const void *ctx, uint32_t i) { return sp_sv_from(((const known *)ctx)->names[i]); }

static const option *find_long(const sp_command *cmd, sp_sv name) {
  for (size_t i = 0; i < N_OPTIONS; i++) {
    if ((options[i].groups & cmd->group) != 0 && sp_sv_eq(sp_sv_from(options[i].name), name)) {
      return &options[i];
    }
  }
  return NULL;
}
static const option *find_short(const sp_command *cmd, char letter) {
  for (size_t i = 0; i < N_OPTIONS; i++) {
    if ((options[i].groups & cmd->group) != 0 && options[i].letter == letter) {
      return &options[i];
    }
  }
  return NULL;
}
static sp_status unknown_option(const sp_command *cmd, const char *arg, sp_sv name, sp_error *err) {
  known k = {.n = 0};
  for (size_t i = 0; i < N_OPTIONS; i++) {
    if ((options[i].groups & cmd->group) != 0) {
      (void)snprintf(k.names[k.n++], sizeof k.names[0], "--%s", options[i].name);
    }
  }
  (void)sp_error_set(err, SP_USAGE, NULL, "`%s` takes no option `%s`", cmd->name, arg);
  char near[128];
  if (name.p != NULL && sp_nearest_names(name, k.n, known_name, &k, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s? See sigmapi %s --help", near, cmd->name);
  } else {
    sp_error_hint(err, "see sigmapi %s --help", cmd->name);
  }
  return SP_USAGE;
}

static sp_status parse_one(sp_cli *c, const sp_command *cmd, int argc, char **argv, int *i, sp_error *err) {
  const char *arg = argv[*i];
  const option *o = NULL;
  const char *value = NULL;
  if (arg[1] == '-') {
    const size_t n = strcspn(arg + 2, "=");
    o = find_long(cmd, (sp_sv){arg + 2, n});
    if (o == NULL) {
      return unknown_option(cmd, arg, (sp_sv){arg, n + 2}, err);
    }
    if (arg[2 + n] == '=') {
      value = arg + 3 + n;
    }
  } else {
    o = find_short(cmd, arg[1]);
    if (o == NULL) {
      return unknown_option(cmd, arg, (sp_sv){NULL, 0}, err);
    }
    if (arg[2] != '\0') {
      value = arg + 2;
    }
  }
  if (o->arg == NULL && value != NULL) {
    SP_FAIL(err, SP_USAGE, NULL, "--%s takes no value, got `%s`", o->name, value);
  }
  if (o->arg != NULL && value == NULL) {
    if (*i + 1 >= argc) {
      SP_FAIL(err, SP_USAGE, NULL, "--%s needs %s", o->name, o->arg);
    }
    value = argv[++*i];
  }
  return o->set(c, value, err);
}

sp_status sp_cli_parse(sp_cli *c, const sp_command *cmd, int argc, char **argv, sp_error *err) {
  sp_exec_options_init(&c->exec);
  sp_viz_options_init(&c->viz);
  c->rows = 20;
  const char *no_color = getenv("NO_COLOR");
  c->viz.color = isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0');
  c->viz.width = sp_terminal_width();
  bool only_args = false;
  for (int i = 0; i < argc; i++) {
    const char *arg = argv[i];
    if (!only_args && strcmp(arg, "--") == 0) {
      only_args = true;
    } else if (!only_args && arg[0] == '-' && arg[1] != '\0') {
      SP_TRY(parse_one(c, cmd, argc, argv, &i, err));
    } else if (!cmd->takes_plan || c->plan != NULL) {
      SP_FAIL(err, SP_USAGE, NULL, "unexpected argument `%s`", arg);
    } else {
      c->plan = arg;
    }
  }
  if (cmd->takes_plan && c->plan == NULL && !c->wants_help) {
    (void)sp_error_set(err, SP_USAGE, NULL, "`%s` needs a plan: a file, or `-` for standard input", cmd->name);
    sp_error_hint(err, "usage: sigmapi %s %s", cmd->name, cmd->args);
    return SP_USAGE;
  }
  return SP_OK;
}

/* ---- help ---- */
void sp_cli_help(const sp_command *cmd) {
  if (cmd == NULL) {
    printf("sigmapi explains lazy query plans: what was pushed where, and what every node really took.\n\n"
           "usage: sigmapi COMMAND [arguments]\n       sigmapi --help | --version | --completion\n\ncommands:\n");
    for (uint32_t i = 0; sp_command_table[i] != NULL; i++) {
      printf("  %-9s %s\n", sp_command_table[i]->name, sp_command_table[i]->summary);
    }
    printf("\n`sigmapi COMMAND --help` lists a command's options. Exit codes: 0 fine, 1 a difference was found, 2 wrong input,\n"
           "3 execution failed, 4 a limit was exceeded.\n");
    return;
  }
  printf("usage: sigmapi %s %s\n\n%s\n\noptions:\n", cmd->name, cmd->args, cmd->text);
  for (size_t i = 0; i < N_OPTIONS; i++) {
    const option *o = &options[i];
    if ((o->groups & cmd->group) == 0) {
      continue;
    }
    char left[96];
    const int n = snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "  ", o->letter ? o->letter : ' ', o->letter ? ", " : " ", o->name,
                           o->arg ? " " : "", o->arg ? o->arg : "");
    printf(n <= 34 ? "  %-34s %s\n" : "  %s\n                                     %s\n", left, o->help);
  }
}

void sp_cli_completion(void) {
  printf("# bash completion for sigmapi: source it, or install it as share/bash-completion/completions/sigmapi\n"
         "_sigmapi() {\n  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" cmd=\"${COMP_WORDS[1]}\"\n"
         "  COMPREPLY=()\n  case \"$prev\" in\n");
  for (size_t i = 0; i < N_OPTIONS; i++) {
    const option *o = &options[i];
    if (o->arg != NULL && strchr(o->arg, '|') != NULL) {
      printf("    --%s) COMPREPLY=($(compgen -W \"", o->name);
      for (const char *p = o->arg; *p != '\0'; p++) {
        putchar(*p == '|' ? ' ' : *p);
      }
      printf("\" -- \"$cur\")); return ;;\n");
    }
  }
  printf("    --disable|--only) COMPREPLY=($(compgen -W \"$(sigmapi rules 2>/dev/null | cut -d' ' -f1)\" -- \"$cur\")); return ;;\n  esac\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"");
  for (uint32_t i = 0; sp_command_table[i] != NULL; i++) {
    printf("%s ", sp_command_table[i]->name);
  }
  printf("--help --version\" -- \"$cur\")); return\n  fi\n  case \"$cur\" in -*) case \"$cmd\" in\n");
  for (uint32_t i = 0; sp_command_table[i] != NULL; i++) {
    printf("    %s) COMPREPLY=($(compgen -W \"", sp_command_table[i]->name);
    for (size_t k = 0; k < N_OPTIONS; k++) {
      if ((options[k].groups & sp_command_table[i]->group) != 0) {
        printf("--%s ", options[k].name);
      }
    }
    printf("\" -- \"$cur\")) ;;\n");
  }
  printf("    esac; return ;;\n  esac\n  COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F _sigmapi sigmapi\n");
}

/* ---- sizes and times ---- */
/* Splits "1.5GiB" into 1.5 and "GiB". */
static bool number_and_unit(const char *text, double *ret, const char **ret_unit) {
  const size_t n = strspn(text, "0123456789.");
  if (n == 0 || !sp_parse_f64((sp_sv){text, n}, ret)) {
    return false;
  }
  *ret_unit = text + n;
  return true;
}

bool sp_cli_parse_size(const char *text, int64_t *ret) {
  static const struct {
    const char *name;
    double factor;
  } units[] = {{"", 1},       {"b", 1},        {"k", 1024},     {"kb", 1e3}, {"kib", 1024}, {"m", 1048576.0}, {"mb", 1e6}, {"mib", 1048576.0},
               {"g", 0x1p30}, {"gb", 1e9},     {"gib", 0x1p30}, {"t", 0x1p40}, {"tb", 1e12},  {"tib", 0x1p40}};
  double v = 0;
  const char *unit = "";
  if (!number_and_unit(text, &v, &unit)) {
    return false;
  }
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcasecmp(unit, units[i].name) == 0) {
      const double bytes = v * units[i].factor;
      if (bytes > 0x1p62) {
        return false;
      }
      *ret = (int64_t)bytes;
      return true;
    }
  }
  return false;
}

bool sp_cli_parse_time(const char *text, int64_t *ret_ns) {
  static const struct {
    const char *name;
    double ns;
  } units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}};
  double v = 0;
  const char *unit = "";
  if (!number_and_unit(text, &v, &unit)) {
    return false;
  }
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(unit, units[i].name) == 0) {
      const double ns = v * units[i].ns;
      if (ns > 0x1p62) {
        return false;
      }
      *ret_ns = (int64_t)ns;
      return true;
    }
  }
  return false;
}

uint32_t sp_terminal_width(void) {
  struct winsize w;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 20) {
    return w.ws_col;
  }
  return 0;
}
