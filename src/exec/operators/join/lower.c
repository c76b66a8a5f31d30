/* join: rows of two inputs that match. Lowering; the rest is told in join.h. */
#include "exec/operators/join/join.h"

#define MARK_SHARE 2

static bool is_exists(const sp_join_node *n) {
  return n->how == SP_JOIN_SEMI || n->how == SP_JOIN_ANTI;
}

/* The side that streams by. Where no order is promised, joins build on the side with fewer rows; semi and
 * anti joins only when it is much smaller, as a set of keys is cheaper than rows. */
static uint32_t probe_side(const sp_lower *l, uint32_t node) {
  const sp_join_node *n = (const sp_join_node *)sp_lower_plan(l)->nodes[node];
  const double left = sp_lower_est_rows(l, n->base.inputs[0]);
  const double right = sp_lower_est_rows(l, n->base.inputs[1]);
  if (n->maintain_order || left < 0 || right < 0) {
    return n->how == SP_JOIN_RIGHT;
  }
  if (n->how == SP_JOIN_INNER || n->how == SP_JOIN_CROSS) {
    return left < right;
  }
  return n->how == SP_JOIN_RIGHT || (is_exists(n) && left * MARK_SHARE < right);
}

static sp_join_kind kind_of(const sp_join_node *n, uint32_t side) {
  switch ((sp_join_how)n->how) {
  case SP_JOIN_INNER:
  case SP_JOIN_CROSS:
    return SP_PROBE_INNER;
  case SP_JOIN_LEFT:
  case SP_JOIN_RIGHT:
  case SP_JOIN_FULL:
    return SP_PROBE_OUTER;
  case SP_JOIN_SEMI:
    return side == 1 ? SP_PROBE_MARK : SP_PROBE_SEMI;
  case SP_JOIN_ANTI:
    return side == 1 ? SP_PROBE_MARK : SP_PROBE_ANTI;
  }
  return SP_PROBE_INNER;
}

typedef struct making {
  sp_operator *op; /* build */
  sp_join *j;
  const sp_join_node *n;
  const sp_schema *sides[2]; /* left, right */
  const sp_schema *probe, *build;
  sp_arena *arena;
  uint32_t *number; /* by build column: number among the kept + 1 */
} making;

static uint32_t keep_column(making *m, uint32_t column) {
  if (m->number[column] == 0) {
    m->j->kept[m->j->n_kept++] = column;
    m->number[column] = m->j->n_kept;
  }
  return m->number[column] - 1;
}

/* Casts a key of a full join to the type of the output. */
static sp_status make_cast(making *m, const sp_type *from, const sp_type *to, sp_program **ret,
                           sp_error *err) {
  if (from == to) {
    return SP_OK;
  }
  sp_schema_builder b;
  sp_schema_begin(&b, m->arena);
  sp_schema_add(&b, SP_SV("key"), from);
  const sp_schema *one = NULL;
  SP_TRY(sp_schema_finish(&b, NULL, &one, err));
  const sp_expr *col = sp_expr_column(m->arena, SP_SV("key"), from);
  SP_TRY_ALLOC(err, col);
  const sp_expr *cast = sp_expr_cast(m->arena, col, to, false);
  SP_TRY_ALLOC(err, cast);
  return sp_program_new(m->op->mem, one, &cast, 1, ret, err);
}

static sp_status make_output(making *m, sp_error *err) {
  const sp_join_column *cols = NULL;
  uint32_t n = 0;
  if (!sp_join_layout(m->n, m->sides[0], m->sides[1], m->arena, &cols, &n)) {
    return sp_error_nomem(err);
  }
  m->j->out = SP_ARENA_ARRAY(m->arena, sp_join_out, n);
  SP_TRY_ALLOC(err, m->j->out);
  m->j->n_out = n;
  for (uint32_t i = 0; i < n; i++) {
    sp_join_out *o = &m->j->out[i];
    const uint32_t of_probe = m->j->probe_side == 0 ? cols[i].left : cols[i].right;
    const uint32_t of_build = m->j->probe_side == 0 ? cols[i].right : cols[i].left;
    if (cols[i].from == SP_FROM_BOTH) {
      o->from = SP_FROM_BOTH;
      o->probe = of_probe;
      o->build = keep_column(m, of_build);
      SP_TRY(make_cast(m, m->probe->fields[of_probe].type, cols[i].type, &o->cast_probe, err));
      SP_TRY(make_cast(m, m->build->fields[of_build].type, cols[i].type, &o->cast_build, err));
    } else if ((cols[i].from == SP_FROM_LEFT) == (m->j->probe_side == 0)) {
      o->from = SP_FROM_LEFT;
      o->probe = of_probe;
    } else {
      o->from = SP_FROM_RIGHT;
      o->build = keep_column(m, of_build);
    }
  }
  return SP_OK;
}

static sp_status make_predicate(making *m, sp_error *err) {
  const sp_items *items = &m->n->predicate;
  if (items->n == 0) {
    return SP_OK;
  }
  const sp_schema *both = NULL;
  SP_TRY(sp_join_scope(m->n, m->sides[0], m->sides[1], m->arena, &both, err));
  const sp_expr **exprs = SP_ARENA_ARRAY(m->arena, const sp_expr *, items->n);
  m->j->reads = SP_ARENA_ARRAY(m->arena, sp_join_read, both->n);
  if (exprs == NULL || m->j->reads == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < items->n; i++) {
    exprs[i] = items->items[i].expr;
  }
  SP_TRY(sp_program_new(m->op->mem, both, exprs, items->n, &m->j->predicate, err));
  const uint32_t *columns = NULL;
  const uint32_t n = sp_program_columns(m->j->predicate, &columns);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t side = columns[i] >= m->sides[0]->n;
    const uint32_t column = side == 0 ? columns[i] : columns[i] - m->sides[0]->n;
    const bool of_build = side != m->j->probe_side;
    m->j->reads[columns[i]] =
        (sp_join_read){.of_build = of_build, .column = of_build ? keep_column(m, column) : column};
  }
  return SP_OK;
}

static sp_status make_keys(making *m, sp_error *err) {
  const sp_items *probe = m->j->probe_side == 0 ? &m->n->left_on : &m->n->right_on;
  const sp_items *build = m->j->probe_side == 0 ? &m->n->right_on : &m->n->left_on;
  const uint32_t n = probe->n;
  sp_join *j = m->j;
  sp_join_index *x = &j->index;
  const sp_expr **exprs = SP_ARENA_ARRAY(m->arena, const sp_expr *, 2 * (size_t)n);
  const sp_type **types = SP_ARENA_ARRAY(m->arena, const sp_type *, n);
  x->ranges = SP_ARENA_ARRAY(m->arena, sp_join_range, n);
  x->shifts = SP_ARENA_ARRAY(m->arena, uint32_t, n);
  if (exprs == NULL || types == NULL || x->ranges == NULL || x->shifts == NULL) {
    return sp_error_nomem(err);
  }
  j->n_keys = n;
  x->mem = m->op->mem;
  x->nulls_equal = m->n->nulls_equal;
  x->ints = true;
  x->only_exists = m->n->predicate.n == 0 && (j->kind == SP_PROBE_SEMI || j->kind == SP_PROBE_ANTI);
  for (uint32_t i = 0; i < n; i++) {
    exprs[i] = probe->items[i].expr;
    exprs[n + i] = build->items[i].expr;
    types[i] = exprs[i]->type;
    x->ints = x->ints && sp_key_is_int(types[i]);
    x->ranges[i] = (sp_join_range){.lo = UINT64_MAX, .hi = 0};
  }
  x->layout = sp_key_layout_new(m->arena, types, n);
  SP_TRY_ALLOC(err, x->layout);
  if (n == 0) {
    return SP_OK;
  }
  SP_TRY(sp_program_new(m->op->mem, m->probe, exprs, n, &j->probe_keys, err));
  return sp_program_new(m->op->mem, m->build, exprs + n, n, &j->build_keys, err);
}

static sp_status prepare(sp_lower *l, uint32_t node, sp_operator *build, uint32_t side, sp_error *err) {
  making m = {
      .op = build, .j = build->shared, .n = (const sp_join_node *)build->node, .arena = sp_lower_arena(l)};
  for (uint32_t i = 0; i < 2; i++) {
    m.sides[i] = sp_node_input_schema(sp_lower_plan(l), sp_lower_plan(l)->nodes[node], i);
  }
  m.probe = m.sides[side];
  m.build = m.sides[1 - side];
  m.j->probe_side = side;
  m.j->kind = kind_of(m.n, side);
  m.j->marks = m.n->how == SP_JOIN_FULL || m.j->kind == SP_PROBE_MARK;
  m.j->wanted = m.n->how == SP_JOIN_SEMI;
  m.j->build_op = build;
  build->in = m.build;
  m.j->kept = SP_ARENA_ARRAY(m.arena, uint32_t, m.build->n);
  m.number = SP_ARENA_ARRAY(m.arena, uint32_t, m.build->n);
  if (m.j->kept == NULL || m.number == NULL) {
    return sp_error_nomem(err);
  }
  SP_TRY(make_keys(&m, err));
  SP_TRY(make_output(&m, err));
  return make_predicate(&m, err);
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  const sp_join_node *n = (const sp_join_node *)sp_lower_plan(l)->nodes[node];
  const uint32_t side = probe_side(l, node);
  sp_stream probe_stream;
  sp_stream build_stream;
  SP_TRY(sp_lower_input(l, node, 1 - side, &build_stream, err));
  SP_TRY(sp_lower_input(l, node, side, &probe_stream, err));
  /* The probe is made first: its states must be closed before the programs that the build owns. */
  sp_operator *probe = sp_lower_operator(l, node, &sp_join_probe_ops, 0);
  SP_TRY_ALLOC(err, probe);
  sp_operator *build = sp_lower_operator(l, node, &sp_join_build_ops, sizeof(sp_join));
  SP_TRY_ALLOC(err, build);
  probe->shared = build->shared;
  SP_TRY(prepare(l, node, build, side, err));
  SP_TRY(sp_lower_end(l, build_stream, build, err));
  SP_TRY(sp_lower_append(l, &probe_stream, probe, err));
  SP_TRY(sp_lower_depends(l, probe_stream.pipeline, build_stream.pipeline, err));
  SP_TRY(sp_join_offer_filters(l, node, build->shared, err));
  probe_stream.ordered = probe_stream.ordered && n->maintain_order;
  return sp_lower_output(l, node, probe_stream, err);
}

static sp_flow flow(const sp_lower *l, uint32_t node, uint32_t which) {
  return which == probe_side(l, node) ? SP_FLOW_THROUGH : SP_FLOW_BUILD;
}

/* The build's order shows among the rows that match one probe row. */
static bool observes(const sp_node *node, uint32_t which, bool observed) {
  (void)which;
  return observed && ((const sp_join_node *)node)->maintain_order;
}

const sp_lowering sp_lowering_join = {.kinds = "join", .lower = lower, .flow = flow, .observes = observes};
