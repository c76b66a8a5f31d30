/* `sigmapi check PLAN`: resolves names and types without reading data rows, and prints the schemas.
 *
 *   out: origin string, n int64, delay float64 */
#include "cli/cli.h"

static void put_schema(const char *name, const sp_schema *s, sp_str *out) {
  sp_str_addf(out, "%s:", name);
  for (uint32_t i = 0; i < s->n; i++) {
    sp_str_addf(out, "%s %.*s %s", i > 0 ? "," : "", (int)s->fields[i].name.n, s->fields[i].name.p, s->fields[i].type->name);
  }
  sp_str_addc(out, '\n');
}

static void warn(void *ctx, const sp_error *w) {
  (void)ctx;
  sp_cli_print_error(w);
}

static sp_status run(sp_cli *c, sp_error *err) {
  sp_session *s = NULL;
  sp_str out;
  sp_str_init(&out, sp_mem_process(), (size_t)256 << 20);
  c->session.warn = warn;
  sp_status st = sp_session_new(&c->session, &s, err);
  SP_TRY_GOTO(st, st, done);
  SP_TRY_GOTO(st, sp_session_load(s, c->plan, err), done);
  SP_TRY_GOTO(st, sp_session_resolve(s, err), done);
  const sp_plan *p = sp_session_resolved(s);
  if (c->all) {
    for (uint32_t i = 0; i < p->n_nodes; i++) {
      put_schema(p->nodes[i]->id, p->nodes[i]->schema, &out);
    }
  } else {
    for (uint32_t i = 0; i < p->n_outputs; i++) {
      put_schema(p->output_ids[i], p->nodes[p->outputs[i]]->schema, &out);
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
