/* Runs the passes of a profile over a plan. Rules only sweep; everything that must hold for every rule is
 * done here: timing, counting, checking, giving up in time.
 *
 *   pass "pushdown", at most 10 rounds, rules [split, pushdown, …]: each rule once per round; a round in
 * which none fired is the last.
 *
 * The driver distrusts the rules: after each sweep that fired the whole plan is validated (debug builds and
 * on request) and the outputs are compared with those before. When a pass reaches its cap the plan as it is
 * then, which is valid, is kept and the trace says so. */
#include "base/thread.h"
#include "optimize/internal.h"

#define SP_RULE(name) extern const sp_rule sp_rule_##name;
#include "optimize/rules.def"
#undef SP_RULE

const sp_rule *const sp_rule_table[] = {
#define SP_RULE(name) &sp_rule_##name,
#include "optimize/rules.def"
#undef SP_RULE
    NULL};

const sp_rule *sp_rule_find(sp_sv name) {
  for (uint32_t i = 0; sp_rule_table[i] != NULL; i++) {
    if (sp_sv_eq(sp_sv_from(sp_rule_table[i]->name), name)) {
      return sp_rule_table[i];
    }
  }
  return NULL;
}

enum {
#define SP_RULE(name) RULE_##name,
#include "optimize/rules.def"
#undef SP_RULE
  N_RULES
};

/* What is remembered of each rule of the table: its last sweep and the blockers found in it. */
typedef struct rule_state {
  const sp_plan *seen; /* the plan after its last sweep; NULL: never ran */
  sp_fact *blockers;
  uint32_t n_blockers;
} rule_state;

typedef struct driver {
  const sp_plan *first, *plan;
  sp_tracer tracer;
  sp_strmap ids;
  bool ids_ready, validate, capped;
  rule_state rules[N_RULES];
} driver;

sp_status sp_optimize_check_outputs(const sp_plan *before, const sp_plan *after, const char *rule,
                                    sp_error *err) {
  if (after->n_outputs != before->n_outputs) {
    SP_FAIL(err, SP_INTERNAL, NULL, "rule %s: the plan had %u outputs, now it has %u", rule,
            before->n_outputs, after->n_outputs);
  }
  for (uint32_t i = 0; i < before->n_outputs; i++) {
    const sp_node *x = before->nodes[before->outputs[i]];
    const sp_node *y = after->nodes[after->outputs[i]];
    if (strcmp(before->output_ids[i], after->output_ids[i]) != 0 || !sp_schema_eq(x->schema, y->schema)) {
      SP_FAIL(err, SP_INTERNAL, &x->loc, "rule %s: output `%s` changed its name, its columns or their types",
              rule, before->output_ids[i]);
    }
  }
  return SP_OK;
}

static sp_status check(const driver *d, const sp_plan *after, const char *rule, sp_error *err) {
  SP_TRY(sp_optimize_check_outputs(d->plan, after, rule, err));
  if (!d->validate) {
    return SP_OK;
  }
  const sp_status st = sp_plan_validate(after, err);
  if (st != SP_OK) {
    sp_error_context(err, "rule %s", rule);
  }
  return st;
}

static uint32_t rule_index(const sp_rule *r) {
  uint32_t i = 0;
  while (sp_rule_table[i] != r) {
    i++;
  }
  return i;
}

static sp_sweep sweep_of(driver *d, const sp_rule *rule, uint32_t pass, uint32_t round) {
  return (sp_sweep){.arena = d->plan->arena,
                    .first = d->first,
                    .rule = rule->name,
                    .pass = pass,
                    .round = round,
                    .tracer = &d->tracer,
                    .ids = &d->ids,
                    .ids_ready = &d->ids_ready};
}

static sp_status sweep_done(driver *d, sp_sweep *s, const sp_rule *rule, sp_status st, const sp_plan *after,
                            sp_error *err) {
  SP_TRY(st);
  if (s->failed || d->tracer.failed) {
    return sp_error_nomem(err);
  }
  rule_state *r = &d->rules[rule_index(rule)];
  r->blockers = s->blockers;
  r->n_blockers = s->n_blockers;
  r->seen = after != NULL ? after : d->plan;
  return SP_OK;
}

/* *ret_fired: it changed the plan. */
static sp_status run_rule(driver *d, const sp_rule *rule, const char *pass_name, uint32_t round,
                          bool *ret_fired, sp_error *err) {
  sp_tracer *t = &d->tracer;
  if (!sp_arena_grow(t->arena, &t->passes, &t->cap_passes, t->n_passes + 1, sizeof *t->passes)) {
    return sp_error_nomem(err);
  }
  const uint32_t record = t->n_passes++;
  t->passes[record] = (sp_pass_record){.pass = pass_name, .rule = rule->name, .round = round};
  sp_sweep s = sweep_of(d, rule, record, round);
  const sp_plan *after = NULL;
  const int64_t start = sp_now_ns();
  const sp_status st = rule->sweep(&s, d->plan, &after, err);
  sp_tracer_close_firing(t);
  t->passes[record].wall_ns = sp_now_ns() - start;
  t->passes[record].firings = s.firings;
  SP_TRY(sweep_done(d, &s, rule, st, after, err));
  *ret_fired = after != NULL;
  if (after == NULL) {
    return SP_OK;
  }
  SP_TRY(check(d, after, rule->name, err));
  d->plan = after;
  return SP_OK;
}

static sp_status run_pass(driver *d, const sp_profile_pass *pass, sp_error *err) {
  const uint32_t rounds = pass->max_rounds > 0 ? pass->max_rounds : 1;
  for (uint32_t round = 0; round < rounds; round++) {
    bool any = false;
    for (uint32_t i = 0; i < pass->n_rules; i++) {
      const sp_rule *rule = sp_rule_find(sp_sv_from(pass->rules[i]));
      if (rule == NULL) {
        SP_FAIL(err, SP_INTERNAL, NULL, "profile names the unknown rule `%s`", pass->rules[i]);
      }
      bool fired = false;
      SP_TRY(run_rule(d, rule, pass->name, round, &fired, err));
      any = any || fired;
    }
    if (!any) {
      return SP_OK;
    }
    d->capped = d->capped || (rounds > 1 && round + 1 == rounds);
  }
  return SP_OK;
}

/* Blockers as they hold in the end: a rule whose last sweep saw another plan looks once more. What it would
 * do is not done. */
static sp_status final_blockers(driver *d, sp_trace *t, sp_error *err) {
  uint32_t n = 0;
  for (uint32_t i = 0; sp_rule_table[i] != NULL; i++) {
    rule_state *r = &d->rules[i];
    if (r->seen != NULL && r->seen != d->plan) {
      sp_sweep s = sweep_of(d, sp_rule_table[i], 0, 0);
      const sp_plan *ignored = NULL;
      s.dry = true;
      const sp_status st = sp_rule_table[i]->sweep(&s, d->plan, &ignored, err);
      SP_TRY(sweep_done(d, &s, sp_rule_table[i], st, NULL, err));
    }
    n += r->n_blockers;
  }
  sp_fact *all = SP_ARENA_ARRAY(d->plan->arena, sp_fact, n);
  SP_TRY_ALLOC(err, all);
  for (uint32_t i = 0; sp_rule_table[i] != NULL; i++) {
    for (uint32_t k = 0; k < d->rules[i].n_blockers; k++) {
      all[t->n_blockers++] = d->rules[i].blockers[k];
    }
  }
  t->blockers = all;
  return SP_OK;
}

static bool has_rules(const sp_profile *p) {
  for (uint32_t i = 0; i < p->n_passes; i++) {
    if (p->passes[i].n_rules > 0) {
      return true;
    }
  }
  return false;
}

sp_status sp_optimize(const sp_plan *in, const sp_profile *profile, bool validate, const sp_plan **ret,
                      const sp_trace **ret_trace, sp_error *err) {
  sp_arena *a = in->arena;
  driver d = {.first = in, .plan = in, .tracer = {.arena = a}, .validate = validate};
#ifndef NDEBUG
  d.validate = true;
#endif
  const int64_t start = sp_now_ns();
  sp_trace *t = SP_ARENA_NEW(a, sp_trace);
  SP_TRY_ALLOC(err, t);
  sp_strmap_init(&d.ids, a);
  t->profile = profile->name;
  if (has_rules(profile)) {
    for (uint32_t i = 0; i < profile->n_passes; i++) {
      SP_TRY(run_pass(&d, &profile->passes[i], err));
    }
    SP_TRY(final_blockers(&d, t, err));
  }
  t->est_rows_before = sp_estimate_rows(in, a);
  t->est_rows = d.plan == in ? t->est_rows_before : sp_estimate_rows(d.plan, a);
  if (t->est_rows_before == NULL || t->est_rows == NULL) {
    return sp_error_nomem(err);
  }
  t->n_passes = d.tracer.n_passes;
  t->passes = d.tracer.passes;
  t->n_firings = d.tracer.n_firings;
  t->firings = d.tracer.firings;
  t->capped = d.capped;
  t->wall_ns = sp_now_ns() - start;
  *ret = d.plan;
  *ret_trace = t;
  return SP_OK;
}
