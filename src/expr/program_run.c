/* Running a program's steps over one batch.
 *
 * What is the same for every kernel happens here, once: sequences are flattened, nulls through and through
 * and constants are answered without a loop, and a function of one dictionary column runs on the dictionary's
 * entries and keeps its codes. That result is kept for the next batch with the same dictionary. A step whose
 * selection is empty is skipped; its register holds nulls that nobody looks at.
 *
 * Example: upper(city) over 8,192 rows with 40 distinct cities runs upper 40 times for a whole row group. */
#include "expr/program_impl.h"

#include "data/column_build.h"

/* ---- state ---- */
sp_program_state *sp_program_state_new(const sp_program *p, sp_mem *mem) {
  sp_program_state *s = sp_mem_calloc(mem, sizeof *s);
  if (s == NULL) {
    return NULL;
  }
  s->program = p;
  s->mem = mem;
  sp_arena_init(&s->scratch, mem);
  s->regs = sp_mem_calloc(mem, (p->n_regs + 1) * sizeof *s->regs);
  s->slots = sp_mem_calloc(mem, (p->n_slots + 1) * sizeof *s->slots); /* one more: a filter's result */
  s->caches = sp_mem_calloc(mem, (p->n_caches + 1) * sizeof *s->caches);
  s->args = sp_mem_calloc(mem, (p->max_args + 1) * sizeof *s->args);
  if (s->regs == NULL || s->slots == NULL || s->caches == NULL || s->args == NULL) {
    return sp_program_state_unref(s);
  }
  for (uint32_t i = 0; i < p->n_consts; i++) {
    s->regs[p->const_regs[i]] = sp_column_ref(p->consts[i]);
  }
  return s;
}

static void drop_cache(sp_dict_cache *c) {
  sp_column_unref(c->result);
  sp_buf_unref(c->validity);
  *c = (sp_dict_cache){0};
}

sp_program_state *sp_program_state_unref(sp_program_state *s) {
  if (s == NULL) {
    return NULL;
  }
  const sp_program *p = s->program;
  for (uint32_t i = 0; s->regs != NULL && i < p->n_regs; i++) {
    sp_column_unref(s->regs[i]);
  }
  for (uint32_t i = 0; s->slots != NULL && i < p->n_slots + 1; i++) {
    sp_mem_free(s->mem, s->slots[i].buf, s->slots[i].cap * sizeof *s->slots[i].buf);
  }
  for (uint32_t i = 0; s->caches != NULL && i < p->n_caches; i++) {
    drop_cache(&s->caches[i]);
  }
  sp_mem_free(s->mem, s->regs, (p->n_regs + 1) * sizeof *s->regs);
  sp_mem_free(s->mem, s->slots, (p->n_slots + 1) * sizeof *s->slots);
  sp_mem_free(s->mem, s->caches, (p->n_caches + 1) * sizeof *s->caches);
  sp_mem_free(s->mem, s->args, (p->max_args + 1) * sizeof *s->args);
  sp_mem_free(s->mem, s->mask, s->mask_cap);
  sp_arena_release(&s->scratch);
  sp_mem_free(s->mem, s, sizeof *s);
  return NULL;
}

sp_status sp_run_begin(sp_run *r, const uint16_t *sel, uint32_t n) {
  sp_program_state *s = r->s;
  sp_slot *root = &s->slots[0];
  root->sel = sel;
  root->n = n;
  if (s->mask_cap < r->length) {
    uint8_t *grown = sp_mem_realloc(s->mem, s->mask, s->mask_cap, r->length);
    SP_TRY_ALLOC(r->err, grown);
    s->mask = grown;
    s->mask_cap = r->length;
  }
  return SP_OK;
}

void sp_run_end(sp_run *r) {
  const sp_program *p = r->p;
  for (uint32_t i = 0; i < p->n_steps; i++) {
    if (p->steps[i].kind != SP_STEP_NARROW) {
      sp_column **reg = &r->s->regs[p->steps[i].reg];
      *reg = sp_column_unref(*reg);
    }
  }
  sp_arena_reset(&r->s->scratch);
}

/* ---- constants ---- */
sp_status sp_run_const(const sp_kernel *k, sp_eval *ev, const sp_column *const *args, uint32_t n_args,
                       uint32_t n, sp_column **ret) {
  if (k->result->kind == SP_KIND_NULL) {
    *ret = sp_column_null(ev->mk, k->result, n);
    return *ret != NULL ? SP_OK : sp_error_nomem(ev->err);
  }
  sp_eval one = *ev;
  one.length = one.n = 1;
  one.sel = NULL;
  sp_column *got = NULL;
  SP_TRY(k->eval(k, &one, args, n_args, &got));
  if (sp_column_is_null(got, 0)) {
    *ret = sp_column_null(ev->mk, k->result, n);
  } else {
    sp_column *flat = got->encoding == SP_CONST ? sp_column_ref(got) : sp_column_flatten(ev->mk, got);
    *ret = flat != NULL ? sp_column_slice(ev->mk, flat, 0, 1) : NULL;
    sp_column_unref(flat);
    if (*ret != NULL) { /* one row, offset 0: the same buffers say it n times */
      (*ret)->encoding = SP_CONST;
      (*ret)->length = n;
      (*ret)->validity = sp_buf_unref((*ret)->validity);
    }
  }
  sp_column_unref(got);
  return *ret != NULL ? SP_OK : sp_error_nomem(ev->err);
}

/* ---- dictionaries ---- */
/* High bit set: never one of those that scans give. */
static uint64_t next_result_id(void) {
  static _Atomic uint64_t next = 0;
  return (UINT64_C(1) << 63) | atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
}

/* The one argument that is no constant, if it is a dictionary column; else NULL. */
static const sp_column *sole_dict(const sp_step *st, const sp_column *const *args) {
  const sp_column *found = NULL;
  for (uint32_t i = 0; i < st->n_args; i++) {
    if (args[i]->encoding == SP_CONST || args[i] == found) {
      continue;
    }
    if (found != NULL || args[i]->encoding != SP_DICT || !sp_step_is_strict(st, i)) {
      return NULL;
    }
    found = args[i];
  }
  return found;
}

/* Is it worth running on all entries? A large dictionary is, once as many rows have gone by. */
static bool worth_it(sp_dict_cache *c, const sp_column *dict, uint32_t n) {
  if (dict->dict->length <= 2 * n) {
    return true;
  }
  if (dict->dict_id == 0) {
    return false;
  }
  if (c->seen_id != dict->dict_id) {
    c->seen_id = dict->dict_id;
    c->seen_rows = 0;
  }
  c->seen_rows += n;
  return c->seen_rows >= dict->dict->length;
}

/* Fills the cache with the kernel's results over the entries. */
static sp_status fill_cache(sp_run *r, const sp_step *st, const sp_column *arg, const sp_column **args,
                            sp_dict_cache *c) {
  const uint64_t seen_id = c->seen_id, seen_rows = c->seen_rows;
  drop_cache(c);
  c->seen_id = seen_id;
  c->seen_rows = seen_rows;
  for (uint32_t i = 0; i < st->n_args; i++) {
    args[i] = args[i] == arg ? arg->dict : args[i];
  }
  const uint32_t n = arg->dict->length;
  sp_eval ev = {.mk = r->mk, .length = n, .n = n, .err = r->err, .scratch = &r->s->scratch};
  sp_column *got = NULL;
  SP_TRY(st->kernel.eval(&st->kernel, &ev, args, st->n_args, &got));
  sp_column *flat = sp_column_flatten(r->mk, got);
  sp_column_unref(got);
  if (flat != NULL && flat->validity != NULL) { /* apart, since a dictionary has no nulls */
    sp_column *clean = sp_column_slice(r->mk, flat, 0, n);
    c->validity = sp_buf_new(r->mk.pool, r->mk.mem, n);
    if (clean != NULL && c->validity != NULL) {
      memcpy(c->validity->data, sp_column_reader(flat).validity, n);
      clean->validity = sp_buf_unref(clean->validity);
    } else {
      clean = sp_column_unref(clean);
    }
    sp_column_unref(flat);
    flat = clean;
  }
  SP_TRY_ALLOC(r->err, flat);
  c->result = flat;
  c->dict_id = arg->dict_id;
  c->result_id = arg->dict_id != 0 ? next_result_id() : 0;
  return SP_OK;
}

/* valid[i] &= entry_valid[codes[i]] */
static sp_buf *dict_validity(sp_run *r, const sp_column *arg, const uint8_t *entries) {
  const sp_reader in = sp_column_reader(arg);
  sp_buf *b = sp_buf_new(r->mk.pool, r->mk.mem, r->length);
  if (b != NULL) {
    b->size = r->length;
    sp_map_bytes(b->data, entries, in.codes, r->length);
    sp_validity_and(b->data, arg, r->length);
  }
  return b;
}

/* The cached results by row: one-byte types as plain bytes, others as the same codes into another dictionary.
 */
static sp_status wrap(sp_run *r, const sp_step *st, const sp_column *arg, const sp_dict_cache *c,
                      sp_column **ret) {
  sp_buf *valid = NULL;
  if (c->validity != NULL) {
    valid = dict_validity(r, arg, c->validity->data);
    SP_TRY_ALLOC(r->err, valid);
  }
  sp_column *out;
  if (st->type->width == 1) {
    sp_eval ev = {.mk = r->mk, .length = r->length};
    const sp_column *one[] = {arg};
    out = valid != NULL ? sp_out_flat(&ev, st->type, false) : sp_out_strict(&ev, st->type, one, 1);
    if (out != NULL) {
      const sp_reader in = sp_column_reader(arg);
      sp_map_bytes(out->values->data, sp_column_reader(c->result).data, in.codes, r->length);
      out->validity = valid != NULL ? sp_buf_ref(valid) : out->validity;
    }
  } else {
    out = sp_column_slice(r->mk, arg, 0, r->length);
    if (out != NULL) {
      sp_column_unref(out->dict);
      out->dict = sp_column_ref(c->result);
      out->dict_id = c->result_id;
      out->type = st->type;
      if (valid != NULL && arg->offset == 0) {
        sp_buf_unref(out->validity);
        out->validity = sp_buf_ref(valid);
      } else if (valid != NULL) { /* the header's offset holds for validity too: give it codes of its own */
        sp_buf *codes = sp_column_buffer(r->mk, r->length, sizeof(uint32_t));
        if (codes != NULL) {
          memcpy(codes->data, sp_column_reader(arg).codes, (size_t)r->length * sizeof(uint32_t));
        }
        sp_column *own = codes != NULL ? sp_column_dict(r->mk, c->result, c->result_id, codes,
                                                        sp_buf_ref(valid), r->length)
                                       : NULL;
        sp_column_unref(out);
        out = own;
      }
    }
  }
  sp_buf_unref(valid);
  SP_TRY_ALLOC(r->err, out);
  *ret = out;
  return SP_OK;
}

static sp_status run_on_dict(sp_run *r, const sp_step *st, const sp_column *arg, const sp_column **args,
                             sp_column **ret) {
  sp_dict_cache *c = &r->s->caches[st->cache];
  if (c->result == NULL || c->dict_id != arg->dict_id || arg->dict_id == 0) {
    SP_TRY(fill_cache(r, st, arg, args, c));
  }
  return wrap(r, st, arg, c, ret);
}

/* ---- calls ---- */
static bool is_const_null(const sp_column *c) {
  return c->encoding == SP_CONST &&
         (c->type->kind == SP_KIND_NULL || (c->validity != NULL && c->validity->data[0] == 0));
}

static sp_status call(sp_run *r, const sp_step *st, const sp_column **args, const sp_slot *slot,
                      sp_column **ret) {
  bool all_const = true;
  for (uint32_t i = 0; i < st->n_args; i++) {
    if (sp_step_is_strict(st, i) && is_const_null(args[i])) {
      *ret = sp_column_null(r->mk, st->type, r->length);
      return *ret != NULL ? SP_OK : sp_error_nomem(r->err);
    }
    all_const = all_const && args[i]->encoding == SP_CONST;
  }
  sp_eval ev = {.mk = r->mk,
                .length = r->length,
                .sel = slot->sel,
                .n = slot->n,
                .err = r->err,
                .scratch = &r->s->scratch};
  if (all_const || st->type->kind == SP_KIND_NULL) {
    return sp_run_const(&st->kernel, &ev, args, st->n_args, r->length, ret);
  }
  if (st->on_dict) {
    const sp_column *dict = sole_dict(st, args);
    sp_dict_cache *c = &r->s->caches[st->cache];
    if (dict != NULL && dict->dict->length > 0 && dict->dict->encoding == SP_FLAT &&
        ((c->result != NULL && dict->dict_id != 0 && c->dict_id == dict->dict_id) ||
         worth_it(c, dict, slot->n))) {
      return run_on_dict(r, st, dict, args, ret);
    }
  }
  return st->kernel.eval(&st->kernel, &ev, args, st->n_args, ret);
}

static sp_status run_call(sp_run *r, const sp_step *st) {
  sp_program_state *s = r->s;
  const sp_slot *slot = &s->slots[st->slot];
  sp_column **out = &s->regs[st->reg];
  if (slot->n == 0) {
    *out = sp_column_null(r->mk, st->type, r->length);
    return *out != NULL ? SP_OK : sp_error_nomem(r->err);
  }
  uint32_t flattened = 0;
  for (uint32_t i = 0; i < st->n_args; i++) {
    s->args[i] = s->regs[st->args[i]];
    flattened += s->args[i]->encoding == SP_SEQUENCE;
  }
  if (flattened == 0) {
    return call(r, st, s->args, slot, out);
  }
  sp_column **own = SP_ARENA_ARRAY(&s->scratch, sp_column *, st->n_args);
  SP_TRY_ALLOC(r->err, own);
  sp_status status = SP_OK;
  for (uint32_t i = 0; status == SP_OK && i < st->n_args; i++) {
    if (s->args[i]->encoding == SP_SEQUENCE) {
      own[i] = sp_column_flatten(r->mk, s->args[i]);
      status = own[i] != NULL ? SP_OK : sp_error_nomem(r->err);
      s->args[i] = own[i];
    }
  }
  if (status == SP_OK) {
    status = call(r, st, s->args, slot, out);
  }
  for (uint32_t i = 0; i < st->n_args; i++) {
    sp_column_unref(own[i]);
  }
  return status;
}

/* ---- narrowing ---- */
SP_CLONES static void mask_bytes(uint8_t *restrict out, const uint8_t *v, const uint8_t *m, sp_keep keep,
                                 uint32_t n) {
  switch (keep) {
  case SP_KEEP_TRUE:
    for (uint32_t i = 0; i < n; i++) {
      out[i] = (uint8_t)(v[i] & m[i]);
    }
    break;
  case SP_KEEP_NOT_TRUE:
    for (uint32_t i = 0; i < n; i++) {
      out[i] = (uint8_t)((v[i] & m[i]) ^ 1);
    }
    break;
  case SP_KEEP_NOT_FALSE:
    for (uint32_t i = 0; i < n; i++) {
      out[i] = (uint8_t)(v[i] | (m[i] ^ 1));
    }
    break;
  case SP_KEEP_NULL:
    for (uint32_t i = 0; i < n; i++) {
      out[i] = m[i] ^ 1;
    }
    break;
  }
}

SP_CLONES static void flip_bytes(uint8_t *restrict out, const uint8_t *v, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    out[i] = v[i] ^ 1;
  }
}

/* 1: all rows, 0: none, -1: *ret_mask says. */
static int decide(sp_run *r, const sp_column *c, sp_keep keep, const uint8_t **ret_mask) {
  const sp_reader in = sp_column_reader(c);
  if (in.is_const || (keep == SP_KEEP_NULL && in.validity == NULL)) {
    const bool valid = c->type->kind != SP_KIND_NULL && (in.validity == NULL || in.validity[0] != 0);
    const bool value = valid && keep != SP_KEEP_NULL && *(const uint8_t *)in.data != 0;
    return keep == SP_KEEP_NULL       ? !valid
           : keep == SP_KEEP_TRUE     ? value
           : keep == SP_KEEP_NOT_TRUE ? !value
                                      : !valid || value;
  }
  const uint8_t *v = in.data;
  if (in.validity != NULL) {
    mask_bytes(r->s->mask, keep == SP_KEEP_NULL ? in.validity : v, in.validity, keep, r->length);
  } else if (keep == SP_KEEP_NOT_TRUE) {
    flip_bytes(r->s->mask, v, r->length);
  } else {
    *ret_mask = v;
    return -1;
  }
  *ret_mask = r->s->mask;
  return -1;
}

sp_status sp_run_narrow(sp_run *r, uint32_t parent, const sp_column *mask, sp_keep keep, uint32_t slot) {
  const sp_slot *from = &r->s->slots[parent];
  sp_slot *to = &r->s->slots[slot];
  to->sel = from->sel;
  to->n = from->n;
  if (from->n == 0) {
    return SP_OK;
  }
  sp_column *flat = NULL;
  if (mask->encoding == SP_DICT && keep != SP_KEEP_NULL) {
    flat = sp_column_flatten(r->mk, mask);
    SP_TRY_ALLOC(r->err, flat);
    mask = flat;
  }
  const uint8_t *bytes = NULL;
  const int all = mask->encoding == SP_SEQUENCE ? keep != SP_KEEP_NULL : decide(r, mask, keep, &bytes);
  sp_status st = SP_OK;
  if (all == 0) {
    to->n = 0;
  } else if (all < 0) {
    const uint32_t want = r->length + 64;
    if (to->cap < want) {
      uint16_t *grown = sp_mem_realloc(r->s->mem, to->buf, to->cap * sizeof *to->buf, want * sizeof *to->buf);
      if (grown == NULL) {
        st = sp_error_nomem(r->err);
      } else {
        to->buf = grown;
        to->cap = want;
      }
    }
    if (st == SP_OK) {
      const uint32_t n = from->sel == NULL ? sp_select_dense(bytes, r->length, to->buf)
                                           : sp_select_sparse(bytes, from->sel, from->n, to->buf);
      to->sel = n == from->n ? from->sel : to->buf;
      to->n = n;
    }
  }
  sp_column_unref(flat);
  return st;
}

/* ---- steps ---- */
static sp_status run_column(sp_run *r, const sp_step *st) {
  const sp_slot *slot = &r->s->slots[st->slot];
  sp_column **out = &r->s->regs[st->reg];
  if (slot->n == 0) {
    *out = sp_column_null(r->mk, st->type, r->length);
    return *out != NULL ? SP_OK : sp_error_nomem(r->err);
  }
  return r->in->get(r->in->ctx, st->column, slot->sel, slot->n, out, r->err);
}

sp_status sp_run_steps(sp_run *r, uint32_t first, uint32_t end) {
  for (uint32_t i = first; i < end; i++) {
    const sp_step *st = &r->p->steps[i];
    switch (st->kind) {
    case SP_STEP_COLUMN:
      SP_TRY(run_column(r, st));
      break;
    case SP_STEP_CALL:
      SP_TRY(run_call(r, st));
      break;
    case SP_STEP_NARROW:
      SP_TRY(sp_run_narrow(r, st->slot, r->s->regs[st->reg], st->keep, st->new_slot));
      break;
    }
    for (uint32_t k = 0; k < st->n_release; k++) {
      sp_column **reg = &r->s->regs[st->release[k]];
      *reg = sp_column_unref(*reg);
    }
  }
  return SP_OK;
}

static sp_status take_outputs(sp_run *r, sp_column **outs) {
  const sp_program *p = r->p;
  for (uint32_t i = 0; i < p->n_roots; i++) {
    const sp_column *c = r->s->regs[p->roots[i].reg];
    sp_column *out = c->length == r->length ? sp_column_ref(c) : sp_column_slice(r->mk, c, 0, r->length);
    if (out == NULL) {
      for (uint32_t k = 0; k < i; k++) {
        outs[p->roots[k].index] = sp_column_unref(outs[p->roots[k].index]);
      }
      return sp_error_nomem(r->err);
    }
    outs[p->roots[i].index] = out;
  }
  return SP_OK;
}

sp_status sp_program_eval(const sp_program *p, sp_program_state *s, sp_maker mk, const sp_fetch *in,
                          uint32_t length, const uint16_t *sel, uint32_t n, sp_column **outs, sp_error *err) {
  sp_run r = {.p = p, .s = s, .mk = mk, .in = in, .length = length, .err = err};
  SP_TRY(sp_run_begin(&r, sel, n));
  sp_status st = SP_OK;
  for (uint32_t i = 0; st == SP_OK && i < p->n_roots; i++) {
    s->slots[p->roots[i].slot].sel = sel;
    s->slots[p->roots[i].slot].n = n;
    st = sp_run_steps(&r, p->roots[i].first, p->roots[i].end);
  }
  if (st == SP_OK) {
    st = take_outputs(&r, outs);
  }
  sp_run_end(&r);
  return st;
}

sp_status sp_fetch_batch(void *batch, uint32_t column, const uint16_t *sel, uint32_t n, sp_column **ret,
                         sp_error *err) {
  (void)sel, (void)n, (void)err;
  *ret = sp_column_ref(((const sp_batch *)batch)->cols[column]);
  return SP_OK;
}
