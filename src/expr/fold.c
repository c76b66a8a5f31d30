/* Constants: the value of an expression that reads nothing.
 *
 * A cast of a literal is sp_value_cast itself; everything else is compiled and run on one row, so that
 * folding and running cannot disagree. An error while evaluating is the run's to report: the expression then
 * stays as it is.
 *
 * Example: date '1995-12-31' + interval '1' day folds to 1996-01-01; CAST('x' AS int64) does not fold. */
#include "expr/make.h"
#include "expr/program.h"

static sp_status no_columns(void *ctx, uint32_t column, const uint16_t *sel, uint32_t n, sp_column **ret,
                            sp_error *err) {
  (void)ctx, (void)sel, (void)n, (void)ret;
  return sp_error_set(err, SP_INTERNAL, NULL, "a constant asked for column %u", column);
}

/* The bytes of a string lie in the column, which goes away. */
static sp_status keep(sp_value v, sp_arena *a, sp_value *ret, sp_error *err) {
  if (sp_type_is_bytes(v.type) && !v.is_null) {
    v.s.p = sp_arena_strndup(a, v.s.p, v.s.n);
    SP_TRY_ALLOC(err, v.s.p);
  }
  *ret = v;
  return SP_OK;
}

static sp_status run(const sp_program *p, sp_arena *a, sp_value *ret, sp_error *err) {
  sp_program_state *state = sp_program_state_new(p, a->mem);
  SP_TRY_ALLOC(err, state);
  const sp_maker mk = {.mem = a->mem};
  const sp_fetch in = {.get = no_columns};
  sp_column *out = NULL;
  sp_status st = sp_program_eval(p, state, mk, &in, 1, NULL, 1, &out, err);
  if (st == SP_OK) {
    /* A CONST column's and a FLAT one's views may point into the column itself, which out keeps. */
    st = keep(sp_column_value(out, 0), a, ret, err);
  }
  sp_column_unref(out);
  sp_program_state_unref(state);
  return st;
}

static sp_status evaluate(const sp_expr *e, sp_arena *a, sp_value *ret, sp_error *err) {
  const sp_schema none = {0};
  sp_program *p = NULL;
  SP_TRY(sp_program_new(a->mem, &none, &e, 1, &p, err));
  const sp_status st = run(p, a, ret, err);
  sp_program_unref(p);
  return st;
}

sp_status sp_expr_fold(const sp_expr *e, sp_arena *a, bool *ret_folded, sp_value *ret, sp_error *err) {
  e = sp_expr_unalias(e);
  *ret_folded = false;
  if (sp_expr_has_column(e) || sp_expr_has_aggregate(e) || sp_expr_is_volatile(e) || e->type == NULL) {
    return SP_OK;
  }
  if (e->kind == SP_EXPR_LITERAL) {
    *ret = e->literal;
    *ret_folded = true;
    return SP_OK;
  }
  sp_error why = SP_ERROR_INIT;
  const sp_status st = evaluate(e, a, ret, &why);
  if (st == SP_NOMEM || st == SP_LIMIT) {
    return sp_error_set(err, st, NULL, "%s", why.message);
  }
  *ret_folded = st == SP_OK;
  return SP_OK;
}
