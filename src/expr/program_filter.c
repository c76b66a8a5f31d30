/* Filters: conjunct by conjunct, each over the rows that those before it left.
 *
 * A conjunct's columns are fetched for those rows only, and the first conjunct that leaves none ends the
 * batch.
 *
 * Example: delay > 15 AND origin = 'SFO': origin is decoded where delay > 15, and not at all where no delay
 * is. */
#include "expr/program_impl.h"

static sp_status filter(sp_run *r, const uint16_t *sel, uint32_t n, uint16_t *out, uint32_t *ret_n) {
  const sp_program *p = r->p;
  sp_slot *slots = r->s->slots;
  slots[p->n_slots].sel = sel;
  slots[p->n_slots].n = n;
  for (uint32_t i = 0; i < p->n_roots; i++) {
    const sp_root *root = &p->roots[i];
    const uint32_t next = i + 1 < p->n_roots ? p->roots[i + 1].slot : p->n_slots;
    SP_TRY(sp_run_steps(r, root->first, root->end));
    SP_TRY(sp_run_narrow(r, root->slot, r->s->regs[root->reg], SP_KEEP_TRUE, next));
    if (slots[next].n == 0) {
      *ret_n = 0;
      return SP_OK;
    }
  }
  const sp_slot *left = &slots[p->n_slots];
  for (uint32_t i = 0; left->sel == NULL && i < left->n; i++) {
    out[i] = (uint16_t)i;
  }
  if (left->sel != NULL && left->sel != out) {
    memmove(out, left->sel, left->n * sizeof *out);
  }
  *ret_n = left->n;
  return SP_OK;
}

sp_status sp_program_filter(const sp_program *p, sp_program_state *s, sp_maker mk, const sp_fetch *in,
                            uint32_t length, const uint16_t *sel, uint32_t n, uint16_t *out, uint32_t *ret_n,
                            sp_error *err) {
  if (n == 0) {
    *ret_n = 0;
    return SP_OK;
  }
  sp_run r = {.p = p, .s = s, .mk = mk, .in = in, .length = length, .err = err};
  SP_TRY(sp_run_begin(&r, sel, n));
  const sp_status st = filter(&r, sel, n, out, ret_n);
  sp_run_end(&r);
  return st;
}
