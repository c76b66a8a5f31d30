/* `sigmapi check PLAN`: resolves names and types without reading data rows, and prints the schemas.
 *
 *   out: origin string, n int64, delay float64 */
#include "cli/cli.h"

static sp_status put_schema(sp_cli *c, const char *name, const sp_schema *s, sp_str *out, sp_error *err) {
  const char *id = sp_cli_one_line(&c->arena, name, strlen(name));
  SP_TRY_ALLOC(err, id);
  sp_str_addf(out, "%s:", id);
  for (uint32_t i = 0; i < s->n; i++) {
    const char *column = sp_cli_one_line(&c->arena, s->fields[i].name.p, s->fields[i].name.n);
    SP_TRY_ALLOC(err, column);
    sp_str_addf(out, "%s %s %s", i > 0 ? "," : "", column, s->fields[i].type->name);
  }
  sp_str_addc(out, '\n');
  return SP_OK;
}

static sp_status run(sp_cli *c, sp_error *err) {
  sp_session *s = NULL;
  sp_str out;
  sp_str_init(&out, sp_mem_process(), (size_t)256 << 20);
  c->session.warn = sp_cli_warn;
  sp_status st = sp_session_new(&c->session, &s, err);
  SP_TRY_GOTO(st, st, done);
  SP_TRY_GOTO(st, sp_session_load(s, c->plan, err), done);
  SP_TRY_GOTO(st, sp_session_resolve(s, err), done);
  const sp_plan *p = sp_session_resolved(s);
  if (c->all) {
    for (uint32_t i = 0; i < p->n_nodes; i++) {
      SP_TRY_GOTO(st, put_schema(c, p->nodes[i]->id, p->nodes[i]->schema, &out, err), done);
    }
  } else {
    for (uint32_t i = 0; i < p->n_outputs; i++) {
      SP_TRY_GOTO(st, put_schema(c, p->output_ids[i], p->nodes[p->outputs[i]]->schema, &out, err), done);
    }
  }
  st = sp_cli_write(c, NULL, &out, err);
done:
  sp_session_free(s);
  sp_str_release(&out);
  return st;
}

const sp_command sp_command_check = {
    .name = "check",
    .args = "PLAN [options]",
    .summary = "resolve names and types, print the output schemas",
    .text = "Resolves every name and type of the plan without reading data (a sample of CSV files apart) and prints the schema of each output.\n"
            "A wrong plan gives one error with its place and exit code 2.",
    .group = SP_OPT_CHECK,
    .takes_plan = true,
    .run = run,
};
