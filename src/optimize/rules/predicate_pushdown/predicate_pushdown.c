/* predicate_pushdown: filters go down as far as they may, into scans and joins where those can take them.
 *
 *   filter delay > 15 AND city = 'Oslo'                      join on origin = code
 *     join on origin = code                            ⇒      scan flights, predicate delay > 15
 *       scan flights · scan airports                          scan airports, predicate city = 'Oslo'
 *
 *   It does not fire for a filter over a slice (the slice picks its rows first), for `delay IS NULL` on the
 * right side of a left join, or for CAST(s AS int64) > 3 over a join: that may fail, and would be evaluated
 * on rows that the join drops.
 *
 * One walk down decides where each conjunct comes to rest (walk.c), one walk up builds the plan (land.c): a
 * filter over a chain of 4,000 nodes moves in one step. Who lets what through is the kinds' business
 * (push_predicate); what is of all sides here is sharing, failing, and what an OR over both sides of a join
 * implies for one of them. */
#include "optimize/rules/predicate_pushdown/pushdown.h"

static sp_status sweep(sp_sweep *s, const sp_plan *in, const sp_plan **ret, sp_error *err) {
  walk w = {.s = s, .in = in, .arena = in->arena};
  SP_TRY(sp_pushdown_walk(&w, err));
  return sp_pushdown_land(&w, ret, err);
}

const sp_rule sp_rule_predicate_pushdown = {
    .name = "predicate_pushdown",
    .summary = "moves filters down, into scans and joins where they can take them",
    .sweep = sweep,
};
