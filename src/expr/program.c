/* Compiling: from expression trees to a flat list of steps.
 *
 * Each distinct subexpression becomes one step that writes one register. A subexpression seen again is looked
 * up by hash and compared; its register serves if it was computed for at least the rows meant now. Constant
 * subexpressions are run right here, by the same kernels; where that fails the step stays, so that the error
 * belongs to the rows that reach it.
 *
 * Arguments of lazy functions get a narrower selection only if they can fail or are dear: for a comparison of
 * numbers, making the selection would cost more than the rows it saves.
 *
 * Example: a > 5 AND a + b < 2 * 3 over (a, b):
 *   r0 = column a    r1 = gt(r0, const 5)    r2 = column b    r3 = add(r0, r2)    r4 = lt(r3, const 6)    r5
 * = and(r1, r4) */
#include "expr/program_impl.h"

#include "expr/coerce.h"

typedef struct known {
  const sp_expr *e;
  uint32_t reg, slot, next; /* next: 1 + index of another with the same bucket */
} known;

typedef struct slot_info {
  uint32_t parent, depth;
} slot_info;

typedef struct compiler {
  sp_program *p;
  const sp_schema *in;
  sp_error *err;
  sp_arena *a; /* the program's */
  sp_step *steps;
  uint32_t n_steps, cap_steps;
  slot_info *slots;
  uint32_t n_slots, cap_slots;
  known *known;
  uint32_t n_known, cap_known;
  uint32_t *buckets; /* n_buckets, a power of two */
  uint32_t n_buckets;
  sp_column **constants; /* by register: the constant, or NULL */
  uint32_t n_regs, cap_regs, cap_consts;
  uint32_t root_slot; /* of the expression being compiled: columns are fetched for it */
} compiler;

static sp_status compile(compiler *c, const sp_expr *e, uint32_t slot, uint32_t *ret);

/* ---- registers, slots, steps ---- */
static sp_status new_reg(compiler *c, uint32_t *ret) {
  if (!sp_arena_grow(c->a, &c->constants, &c->cap_regs, c->n_regs + 1, sizeof *c->constants)) {
    return sp_error_nomem(c->err);
  }
  c->constants[c->n_regs] = NULL;
  *ret = c->n_regs++;
  return SP_OK;
}

static sp_status new_slot(compiler *c, uint32_t parent, uint32_t *ret) {
  if (!sp_arena_grow(c->a, &c->slots, &c->cap_slots, c->n_slots + 1, sizeof *c->slots)) {
    return sp_error_nomem(c->err);
  }
  c->slots[c->n_slots] = (slot_info){parent, c->n_slots == 0 ? 0 : c->slots[parent].depth + 1};
  *ret = c->n_slots++;
  return SP_OK;
}

static bool slot_covers(const compiler *c, uint32_t outer, uint32_t inner) {
  while (c->slots[inner].depth > c->slots[outer].depth) {
    inner = c->slots[inner].parent;
  }
  return inner == outer;
}

static sp_status add_step(compiler *c, const sp_step *s) {
  if (!sp_arena_grow(c->a, &c->steps, &c->cap_steps, c->n_steps + 1, sizeof *c->steps)) {
    return sp_error_nomem(c->err);
  }
  c->steps[c->n_steps++] = *s;
  return SP_OK;
}

static sp_status narrow(compiler *c, uint32_t slot, uint32_t reg, sp_keep keep, uint32_t *ret) {
  uint32_t made = 0;
  SP_TRY(new_slot(c, slot, &made));
  SP_TRY(add_step(
      c, &(sp_step){.kind = SP_STEP_NARROW, .reg = reg, .slot = slot, .keep = keep, .new_slot = made}));
  *ret = made;
  return SP_OK;
}

/* ---- common subexpressions ---- */
static bool find_known(const compiler *c, const sp_expr *e, uint32_t slot, uint32_t *ret) {
  if (c->n_buckets == 0) {
    return false;
  }
  for (uint32_t i = c->buckets[e->hash & (c->n_buckets - 1)]; i != 0; i = c->known[i - 1].next) {
    const known *k = &c->known[i - 1];
    if (k->e->hash == e->hash && slot_covers(c, k->slot, slot) &&
        (k->e == e || (k->e->type == e->type && sp_expr_eq(k->e, e)))) {
      *ret = k->reg;
      return true;
    }
  }
  return false;
}

static sp_status remember(compiler *c, const sp_expr *e, uint32_t slot, uint32_t reg) {
  if (!sp_arena_grow(c->a, &c->known, &c->cap_known, c->n_known + 1, sizeof *c->known)) {
    return sp_error_nomem(c->err);
  }
  c->known[c->n_known++] = (known){.e = e, .reg = reg, .slot = slot};
  if (c->n_known * 2 > c->n_buckets) {
    c->n_buckets = c->n_buckets == 0 ? 64 : c->n_buckets * 2;
    c->buckets = SP_ARENA_ARRAY(c->a, uint32_t, c->n_buckets);
    SP_TRY_ALLOC(c->err, c->buckets);
    for (uint32_t i = 0; i + 1 < c->n_known; i++) {
      uint32_t *b = &c->buckets[c->known[i].e->hash & (c->n_buckets - 1)];
      c->known[i].next = *b;
      *b = i + 1;
    }
  }
  uint32_t *b = &c->buckets[e->hash & (c->n_buckets - 1)];
  c->known[c->n_known - 1].next = *b;
  *b = c->n_known;
  return SP_OK;
}

/* ---- constants ---- */
#define CONST_ROWS SP_BATCH_ROWS_MAX

/* Takes over col. */
static sp_status keep_const(compiler *c, uint32_t reg, sp_column *col) {
  sp_program *p = c->p;
  uint32_t cap = c->cap_consts;
  uint32_t *regs = (uint32_t *)(uintptr_t)p->const_regs;
  if (col == NULL || !sp_arena_grow(c->a, &p->consts, &cap, p->n_consts + 1, sizeof *p->consts) ||
      !sp_arena_grow(c->a, &regs, &c->cap_consts, p->n_consts + 1, sizeof *regs)) {
    sp_column_unref(col);
    return sp_error_nomem(c->err);
  }
  p->const_regs = regs;
  regs[p->n_consts] = reg;
  p->consts[p->n_consts++] = col;
  c->constants[reg] = col;
  return SP_OK;
}

/* Runs a call over constants; *ret stays NULL when it fails as the run would. */
static sp_status fold(compiler *c, const sp_step *s, sp_column **ret) {
  const sp_column **args = SP_ARENA_ARRAY(c->a, const sp_column *, s->n_args);
  SP_TRY_ALLOC(c->err, args);
  for (uint32_t i = 0; i < s->n_args; i++) {
    args[i] = c->constants[s->args[i]];
    if (sp_step_is_strict(s, i) && sp_column_is_null(args[i], 0)) {
      *ret = sp_column_null((sp_maker){.mem = c->p->mem}, s->type, CONST_ROWS);
      return *ret != NULL ? SP_OK : sp_error_nomem(c->err);
    }
  }
  sp_arena scratch;
  sp_arena_init(&scratch, c->p->mem);
  sp_error local = SP_ERROR_INIT;
  sp_eval ev = {.mk = {.mem = c->p->mem}, .length = 1, .n = 1, .err = &local, .scratch = &scratch};
  sp_column *got = NULL;
  const sp_status st = sp_run_const(&s->kernel, &ev, args, s->n_args, CONST_ROWS, &got);
  sp_arena_release(&scratch);
  if (st == SP_NOMEM) {
    return sp_error_nomem(c->err);
  }
  *ret = st == SP_OK ? got : NULL;
  return SP_OK;
}

/* ---- lazy arguments ---- */
#define WALKS_BYTES 24
/* Roughly in comparisons of numbers; counting stops at the budget. */
static uint32_t cost(const sp_expr *e, uint32_t budget) {
  uint32_t used = 1;
  if (e->kind != SP_EXPR_CALL && e->kind != SP_EXPR_CAST) {
    return used;
  }
  const bool prints = e->kind == SP_EXPR_CAST && sp_type_is_bytes(e->type);
  used += prints || (e->n_args > 0 && sp_type_is_bytes(e->args[0]->type) && e->n_args + (e->kind == SP_EXPR_CAST) > 1)
              ? WALKS_BYTES
              : 0;
  for (uint32_t i = 0; i < e->n_args && used < budget; i++) {
    used += cost(e->args[i], budget - used);
  }
  return used;
}

/* Is e worth a selection of its own? */
#define CHEAP 24
static bool wants_rows(const sp_expr *e) {
  return sp_expr_is_fallible(e) || cost(e, CHEAP) >= CHEAP;
}

/* Arguments of and, or, coalesce: argument i runs for the rows that those before it leave undecided. */
static sp_status compile_chain(compiler *c, const sp_expr *e, uint32_t slot, sp_keep keep, uint32_t *regs) {
  uint32_t at = slot, narrowed = 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    if (i > 0 && wants_rows(e->args[i])) {
      for (; narrowed < i; narrowed++) {
        SP_TRY(narrow(c, at, regs[narrowed], keep, &at));
      }
    }
    SP_TRY(compile(c, e->args[i], at, &regs[i]));
  }
  return SP_OK;
}

/* case(cond, value, …[, else]): `at` is where conditions still run. */
static sp_status compile_case(compiler *c, const sp_expr *e, uint32_t slot, uint32_t *regs) {
  uint32_t at = slot, narrowed = 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    const bool is_value = i % 2 == 1;
    uint32_t mine = at;
    if (i > 0 && wants_rows(e->args[i])) {
      for (; narrowed + (is_value ? 1 : 0) < i; narrowed += 2) {
        SP_TRY(narrow(c, at, regs[narrowed], SP_KEEP_NOT_TRUE, &at));
      }
      mine = at;
      if (is_value) {
        SP_TRY(narrow(c, at, regs[i - 1], SP_KEEP_TRUE, &mine));
      }
    }
    SP_TRY(compile(c, e->args[i], mine, &regs[i]));
  }
  return SP_OK;
}

/* Those that the kernel gets. */
static uint32_t count_args(const sp_expr *e) {
  const uint32_t from = e->kind == SP_EXPR_CALL ? e->fn->prepared_from : 0;
  return from != 0 && from < e->n_args ? from : e->n_args;
}

static sp_status compile_args(compiler *c, const sp_expr *e, uint32_t slot, uint32_t *regs) {
  switch (e->kind == SP_EXPR_CALL ? e->fn->reach : SP_REACH_ALL) {
  case SP_REACH_NOT_FALSE:
    return compile_chain(c, e, slot, SP_KEEP_NOT_FALSE, regs);
  case SP_REACH_NOT_TRUE:
    return compile_chain(c, e, slot, SP_KEEP_NOT_TRUE, regs);
  case SP_REACH_NULL:
    return compile_chain(c, e, slot, SP_KEEP_NULL, regs);
  case SP_REACH_CASE:
    return compile_case(c, e, slot, regs);
  case SP_REACH_ALL:
    break;
  }
  for (uint32_t i = 0; i < count_args(e); i++) {
    SP_TRY(compile(c, e->args[i], slot, &regs[i]));
  }
  return SP_OK;
}

/* ---- expressions ---- */
static sp_status compile_column(compiler *c, const sp_expr *e, uint32_t *ret) {
  const int32_t i = sp_schema_find(c->in, e->name);
  if (i < 0) {
    return sp_schema_unknown(c->in, e->name, NULL, c->err);
  }
  SP_TRY(new_reg(c, ret));
  SP_TRY(add_step(c, &(sp_step){.kind = SP_STEP_COLUMN,
                                .reg = *ret,
                                .slot = c->root_slot,
                                .type = c->in->fields[i].type,
                                .column = (uint32_t)i}));
  return remember(c, e, c->root_slot, *ret);
}

static sp_status compile_literal(compiler *c, const sp_expr *e, uint32_t *ret) {
  SP_TRY(new_reg(c, ret));
  const sp_maker mk = {.mem = c->p->mem};
  SP_TRY(keep_const(c, *ret,
                    e->literal.is_null ? sp_column_null(mk, e->type, CONST_ROWS)
                                       : sp_column_const(mk, &e->literal, CONST_ROWS)));
  return remember(c, e, 0, *ret);
}

static sp_status prepare_step(compiler *c, const sp_expr *e, sp_step *s) {
  s->kernel = (sp_kernel){.call = e, .result = e->type};
  if (e->kind == SP_EXPR_CAST) {
    s->kernel.strict = UINT32_MAX;
    s->on_dict = !sp_cast_is_fallible(e);
    return sp_cast_prepare(e, c->a, &s->kernel, c->err);
  }
  const sp_function *f = e->fn;
  if (f->prepare == NULL) {
    SP_FAIL(c->err, SP_INTERNAL, NULL, "the aggregate %s stands in a row's expression", f->name);
  }
  s->kernel.strict = (f->flags & SP_FN_STRICT) != 0 ? UINT32_MAX : 0;
  SP_TRY(f->prepare(f, e, c->a, &s->kernel, c->err));
  const bool fails = (f->flags & SP_FN_FALLIBLE) != 0 || (f->fallible != NULL && f->fallible(e));
  s->on_dict = s->kernel.strict != 0 && !fails && (f->flags & SP_FN_VOLATILE) == 0;
  return SP_OK;
}

static sp_status compile_call(compiler *c, const sp_expr *e, uint32_t slot, uint32_t *ret) {
  sp_step s = {.kind = SP_STEP_CALL, .slot = slot, .type = e->type, .n_args = count_args(e)};
  uint32_t *regs = SP_ARENA_ARRAY(c->a, uint32_t, s.n_args > 0 ? s.n_args : 1);
  SP_TRY_ALLOC(c->err, regs);
  SP_TRY(compile_args(c, e, slot, regs));
  s.args = regs;
  SP_TRY(prepare_step(c, e, &s));
  bool constant = !(e->kind == SP_EXPR_CALL && (e->fn->flags & SP_FN_VOLATILE) != 0);
  for (uint32_t i = 0; i < s.n_args; i++) {
    constant = constant && c->constants[regs[i]] != NULL;
  }
  SP_TRY(new_reg(c, &s.reg));
  *ret = s.reg;
  if (constant) {
    sp_column *value = NULL;
    SP_TRY(fold(c, &s, &value));
    if (value != NULL) {
      SP_TRY(keep_const(c, s.reg, value));
      return remember(c, e, 0, s.reg);
    }
  }
  if (s.on_dict) {
    s.cache = c->p->n_caches++;
  }
  c->p->max_args = s.n_args > c->p->max_args ? s.n_args : c->p->max_args;
  SP_TRY(add_step(c, &s));
  return remember(c, e, slot, s.reg);
}

static sp_status compile(compiler *c, const sp_expr *e, uint32_t slot, uint32_t *ret) {
  if (find_known(c, e, slot, ret)) {
    return SP_OK;
  }
  switch (e->kind) {
  case SP_EXPR_COLUMN:
    return compile_column(c, e, ret);
  case SP_EXPR_LITERAL:
    return compile_literal(c, e, ret);
  case SP_EXPR_CALL:
  case SP_EXPR_CAST:
    if (e->type == NULL) {
      SP_FAIL(c->err, SP_INTERNAL, NULL, "an expression is compiled before it is bound");
    }
    return compile_call(c, e, slot, ret);
  case SP_EXPR_ALIAS:
    return compile(c, e->args[0], slot, ret);
  case SP_EXPR_SELECTOR:
    break;
  }
  SP_FAIL(c->err, SP_INTERNAL, NULL, "a selector is compiled before it is expanded");
}

/* ---- finishing ---- */
/* Which step uses a register last, and the lists of what each step releases. */
static sp_status plan_releases(compiler *c) {
  sp_program *p = c->p;
  uint32_t *last = SP_ARENA_ARRAY(c->a, uint32_t, c->n_regs + 1),
           *count = SP_ARENA_ARRAY(c->a, uint32_t, c->n_steps + 1);
  SP_TRY_ALLOC(c->err, last);
  SP_TRY_ALLOC(c->err, count);
  for (uint32_t i = 0; i < c->n_steps; i++) {
    const sp_step *s = &c->steps[i];
    last[s->reg] = i;
    for (uint32_t k = 0; k < s->n_args; k++) {
      last[s->args[k]] = i;
    }
  }
  for (uint32_t i = 0; i < p->n_roots; i++) {
    last[p->roots[i].reg] = UINT32_MAX;
  }
  for (uint32_t r = 0; r < c->n_regs; r++) {
    if (c->constants[r] == NULL && last[r] != UINT32_MAX) {
      count[last[r]]++;
    }
  }
  for (uint32_t i = 0; i < c->n_steps; i++) {
    uint32_t *list = SP_ARENA_ARRAY(c->a, uint32_t, count[i] > 0 ? count[i] : 1);
    SP_TRY_ALLOC(c->err, list);
    c->steps[i].release = list;
  }
  for (uint32_t r = 0; r < c->n_regs; r++) {
    if (c->constants[r] == NULL && last[r] != UINT32_MAX) {
      sp_step *s = &c->steps[last[r]];
      ((uint32_t *)(uintptr_t)s->release)[s->n_release++] = r;
    }
  }
  return SP_OK;
}

static sp_status list_columns(compiler *c) {
  bool *used = SP_ARENA_ARRAY(c->a, bool, c->in->n + 1);
  uint32_t *list = SP_ARENA_ARRAY(c->a, uint32_t, c->in->n + 1);
  SP_TRY_ALLOC(c->err, used);
  SP_TRY_ALLOC(c->err, list);
  for (uint32_t i = 0; i < c->n_steps; i++) {
    if (c->steps[i].kind == SP_STEP_COLUMN) {
      used[c->steps[i].column] = true;
    }
  }
  for (uint32_t i = 0; i < c->in->n; i++) {
    if (used[i]) {
      list[c->p->n_columns++] = i;
    }
  }
  c->p->columns = list;
  return SP_OK;
}

/* In a filter the cheap conjuncts go first, so that the dear ones see fewer rows. One that can fail stays
 * behind all that stood before it and before all that stood behind it. For an evaluation the order does not
 * matter. */
#define DEAR 200
static uint32_t *order_of(compiler *c, const sp_expr *const *exprs, uint32_t n) {
  uint32_t *order = SP_ARENA_ARRAY(c->a, uint32_t, n + 1), *costs = SP_ARENA_ARRAY(c->a, uint32_t, n + 1);
  if (order == NULL || costs == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < n; i++) {
    const bool fails = sp_expr_is_fallible(exprs[i]);
    const uint32_t mine = cost(sp_expr_unalias(exprs[i]), DEAR);
    uint32_t at = i;
    for (; at > 0 && !fails && costs[at - 1] != UINT32_MAX && costs[at - 1] > mine; at--) {
      order[at] = order[at - 1];
      costs[at] = costs[at - 1];
    }
    order[at] = i;
    costs[at] = fails ? UINT32_MAX : mine;
  }
  return order;
}

static sp_status compile_all(compiler *c, const sp_expr *const *exprs, uint32_t n) {
  sp_root *roots = SP_ARENA_ARRAY(c->a, sp_root, n + 1);
  const uint32_t *order = order_of(c, exprs, n);
  uint32_t slot = 0;
  if (roots == NULL || order == NULL) {
    return sp_error_nomem(c->err);
  }
  SP_TRY(new_slot(c, 0, &slot));
  c->p->roots = roots;
  for (uint32_t i = 0; i < n; i++) {
    if (i > 0) {
      SP_TRY(new_slot(c, slot, &slot));
    }
    c->root_slot = slot;
    const sp_expr *e = sp_expr_unalias(exprs[order[i]]);
    roots[i] = (sp_root){.index = order[i], .slot = slot, .first = c->n_steps, .type = e->type};
    SP_TRY(compile(c, e, slot, &roots[i].reg));
    roots[i].end = c->n_steps;
    c->p->n_roots++;
  }
  SP_TRY(plan_releases(c));
  SP_TRY(list_columns(c));
  c->p->steps = c->steps;
  c->p->n_steps = c->n_steps;
  c->p->n_regs = c->n_regs;
  c->p->n_slots = c->n_slots;
  return SP_OK;
}

sp_status sp_program_new(sp_mem *mem, const sp_schema *in, const sp_expr *const *exprs, uint32_t n,
                         sp_program **ret, sp_error *err) {
  sp_program *p = sp_mem_calloc(mem, sizeof *p);
  SP_TRY_ALLOC(err, p);
  atomic_init(&p->refs, 1);
  p->mem = mem;
  sp_arena_init(&p->arena, mem);
  compiler c = {.p = p, .in = in, .err = err, .a = &p->arena};
  const sp_status st = compile_all(&c, exprs, n);
  if (st != SP_OK) {
    sp_program_unref(p);
    return st;
  }
  *ret = p;
  return SP_OK;
}

sp_program *sp_program_unref(sp_program *p) {
  if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1) {
    return NULL;
  }
  for (uint32_t i = 0; i < p->n_consts; i++) {
    sp_column_unref(p->consts[i]);
  }
  sp_arena_release(&p->arena);
  sp_mem_free(p->mem, p, sizeof *p);
  return NULL;
}

uint32_t sp_program_columns(const sp_program *p, const uint32_t **ret) {
  *ret = p->columns;
  return p->n_columns;
}
