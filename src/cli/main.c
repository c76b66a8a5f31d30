/* The command: finds the subcommand, parses its options, runs it, prints one error, and turns the status into an exit code. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

#define SP_COMMAND(name) extern const sp_command sp_command_##name;
#include "cli/commands.def"
#undef SP_COMMAND

const sp_command *const sp_command_table[] = {
#define SP_COMMAND(name) &sp_command_##name,
#include "cli/commands.def"
#undef SP_COMMAND
    NULL};

static sp_sv command_name(const void *ctx, uint32_t i) {
  (void)ctx;
  return sp_sv_from(sp_command_table[i]->name);
}

static const sp_command *find_command(const char *name, sp_error *err) {
  uint32_t n = 0;
  for (; sp_command_table[n] != NULL; n++) {
    if (strcmp(sp_command_table[n]->name, name) == 0) {
      return sp_command_table[n];
    }
  }
  (void)sp_error_set(err, SP_USAGE, NULL, "unknown command `%s`", name);
  char near[128];
  if (sp_nearest_names(sp_sv_from(name), n, command_name, NULL, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s? See sigmapi --help", near);
  } else {
    sp_error_hint(err, "see sigmapi --help");
  }
  return NULL;
}

static sp_status run_command(const sp_command *cmd, int argc, char **argv, sp_error *err) {
  sp_cli c = {0};
  sp_mem mem;
  sp_mem_init(&mem, sp_mem_process(), "command");
  sp_arena_init(&c.arena, &mem);
  sp_status st = sp_cli_parse(&c, cmd, argc, argv, err);
  if (st == SP_OK && c.wants_help) {
    sp_cli_help(cmd);
  } else if (st == SP_OK) {
    st = cmd->run(&c, err);
  }
  sp_arena_release(&c.arena);
  sp_mem_release(&mem);
  return st;
}

/* Without them the next file that is opened would be standard output, and a table would end up in it. These fail when
 * they are used. */
static void fill_standard_files(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
      (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

int main(int argc, char **argv) {
  fill_standard_files();
  (void)setlocale(LC_CTYPE, "");
  (void)signal(SIGPIPE, SIG_IGN);
  sp_error err = SP_ERROR_INIT;
  sp_status st = SP_OK;
  if (argc < 2) {
    sp_cli_help(NULL);
    return sp_status_exit_code(SP_USAGE);
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
    const sp_command *cmd = argc > 2 ? find_command(argv[2], &err) : NULL;
    st = err.status;
    if (st == SP_OK) {
      sp_cli_help(cmd);
    }
  } else if (strcmp(argv[1], "--version") == 0) {
    printf("sigmapi %s\n", SP_VERSION);
  } else if (strcmp(argv[1], "--completion") == 0) {
    sp_cli_completion();
  } else {
    const sp_command *cmd = find_command(argv[1], &err);
    st = cmd != NULL ? run_command(cmd, argc - 2, argv + 2, &err) : err.status;
  }
  if (fflush(stdout) != 0 && st == SP_OK) {
    st = sp_error_set(&err, SP_IO, NULL, "cannot write to standard output");
  }
  if (st != SP_OK) {
    sp_cli_print_error(&err);
  }
  return sp_status_exit_code(st);
}
