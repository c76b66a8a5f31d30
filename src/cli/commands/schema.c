/* `sigmapi schema`: the JSON Schema of the native plan format, for editors and validators. */
#include "cli/cli.h"
#include "formats/formats.h"

static sp_status run(sp_cli *c, sp_error *err) {
  sp_str out;
  sp_str_init(&out, sp_mem_process(), (size_t)16 << 20);
  sp_status st = sp_native_schema(&out, err);
  if (st == SP_OK) {
    st = sp_cli_write(c, NULL, &out, err);
  }
  sp_str_release(&out);
  return st;
}

const sp_command sp_command_schema = {
    .name = "schema",
    .args = "",
    .summary = "print the JSON Schema of the plan format",
    .text = "Prints the JSON Schema (2020-12) of the native plan format, made from the same table that the reader uses.",
    .group = SP_OPT_SCHEMA,
    .takes_plan = false,
    .run = run,
};
