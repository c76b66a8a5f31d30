/* `sigmapi rules`: the rules of the optimizer in the order in which the default profile runs them. */
#include <stdio.h>

#include "cli/cli.h"

static sp_status run(sp_cli *c, sp_error *err) {
  const sp_profile *p = NULL;
  SP_TRY(sp_profile_filter(sp_profile_default(), c->session.disable, c->session.n_disable, c->session.only, c->session.n_only, &c->arena, &p, err));
  for (uint32_t i = 0; i < p->n_passes; i++) {
    for (uint32_t k = 0; k < p->passes[i].n_rules; k++) {
      const sp_rule *r = sp_rule_find(sp_sv_from(p->passes[i].rules[k]));
      bool seen = false; /* a rule that runs in several passes is listed once */
      for (uint32_t j = 0; j <= i; j++) {
        for (uint32_t m = 0; m < (j < i ? p->passes[j].n_rules : k); m++) {
          seen = seen || strcmp(p->passes[j].rules[m], p->passes[i].rules[k]) == 0;
        }
      }
      if (!seen && r != NULL) {
        printf("%-22s %s\n", r->name, r->summary);
      }
    }
  }
  return SP_OK;
}

const sp_command sp_command_rules = {
    .name = "rules",
    .args = "[options]",
    .summary = "list the rules of the optimizer",
    .text = "Lists the rules of the default profile in the order in which they run, with one line each.",
    .group = SP_OPT_RULES,
    .takes_plan = false,
    .run = run,
};
