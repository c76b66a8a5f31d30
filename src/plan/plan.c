/* The node table, and plans from builders: unreachable nodes dropped, inputs before consumers, fingerprints.
 *
 * Ordering is a depth-first walk with a stack of its own, started at each node in the order they were added,
 * so an order that is already topological stays as it is. A node that an earlier plan shares is frozen (its
 * fingerprint is set): when its inputs have moved, a copy takes its place. */
#include "plan/plan.h"

#include <stdio.h>

#include "plan/kinds.h"

#define SP_NODE(name) extern const sp_node_ops sp_node_kind_##name;
#include "plan/nodes.def"
#undef SP_NODE

const sp_node_ops *const sp_node_table[] = {
#define SP_NODE(name) &sp_node_kind_##name,
#include "plan/nodes.def"
#undef SP_NODE
    NULL};

const sp_node_ops *sp_node_ops_find(sp_sv name) {
  for (uint32_t i = 0; sp_node_table[i] != NULL; i++) {
    if (sp_sv_eq(sp_sv_from(sp_node_table[i]->name), name)) {
      return sp_node_table[i];
    }
  }
  return NULL;
}

const sp_schema *sp_node_input_schema(const sp_plan *p, const sp_node *n, uint32_t which) {
  return p->nodes[n->inputs[which]]->schema;
}

uint32_t sp_plan_add(sp_plan_builder *b, sp_node *n) {
  if (n == NULL || b->n >= SP_PLAN_MAX_NODES * 4u ||
      !sp_arena_grow(b->arena, &b->nodes, &b->cap, b->n + 1, sizeof *b->nodes)) {
    return UINT32_MAX;
  }
  b->nodes[b->n] = n;
  return b->n++;
}

/* ---- ordering ---- */
typedef enum visit { UNSEEN, OPEN, DONE } visit;
typedef struct frame {
  uint32_t node, next_input;
} frame;
typedef struct ordering {
  const sp_plan_builder *b;
  uint8_t *reachable, *state;
  uint32_t *place; /* new index of each node */
  uint32_t *order; /* the other way */
  frame *stack;
  uint32_t n_stack, n_order;
} ordering;

/* "a → b → a", cut in the middle when it is long. */
static sp_status cycle(const ordering *o, uint32_t again, sp_error *err) {
  uint32_t from = o->n_stack - 1;
  while (o->stack[from].node != again) {
    from--;
  }
  char text[400] = "";
  size_t used = 0;
  const uint32_t n = o->n_stack - from;
  for (uint32_t i = 0; i <= n; i++) {
    if (n > 8 && i == 4) {
      used += (size_t)snprintf(text + used, sizeof text - used, " → … (%u nodes)", n - 7);
      i = n - 3;
    }
    const char *id = o->b->nodes[i == n ? again : o->stack[from + i].node]->id;
    const int written = snprintf(text + used, sizeof text - used, "%s%.40s", i == 0 ? "" : " → ", id);
    used += written > 0 ? (size_t)written : 0;
    if (used >= sizeof text) {
      break;
    }
  }
  SP_FAIL(err, SP_INVALID, &o->b->nodes[again]->loc, "the nodes' inputs form a cycle: %s", text);
}

static void mark_reachable(ordering *o, const uint32_t *outputs, uint32_t n_outputs) {
  uint32_t *todo = o->order; /* not used yet */
  uint32_t n = 0;
  for (uint32_t i = 0; i < n_outputs; i++) {
    if (!o->reachable[outputs[i]]) {
      o->reachable[outputs[i]] = 1;
      todo[n++] = outputs[i];
    }
  }
  while (n > 0) {
    const sp_node *x = o->b->nodes[todo[--n]];
    for (uint32_t i = 0; i < x->n_inputs; i++) {
      if (!o->reachable[x->inputs[i]]) {
        o->reachable[x->inputs[i]] = 1;
        todo[n++] = x->inputs[i];
      }
    }
  }
}

static sp_status visit_from(ordering *o, uint32_t start, sp_error *err) {
  o->stack[0] = (frame){.node = start};
  o->n_stack = 1;
  o->state[start] = OPEN;
  while (o->n_stack > 0) {
    frame *f = &o->stack[o->n_stack - 1];
    const sp_node *x = o->b->nodes[f->node];
    if (f->next_input == x->n_inputs) {
      o->state[f->node] = DONE;
      o->place[f->node] = o->n_order;
      o->order[o->n_order++] = f->node;
      o->n_stack--;
      continue;
    }
    const uint32_t in = x->inputs[f->next_input++];
    if (o->state[in] == OPEN) {
      return cycle(o, in, err);
    }
    if (o->state[in] == UNSEEN) {
      o->state[in] = OPEN;
      o->stack[o->n_stack++] = (frame){.node = in};
    }
  }
  return SP_OK;
}

static sp_status order_nodes(ordering *o, const sp_plan_builder *b, bool keep_all, const uint32_t *outputs,
                             uint32_t n_outputs, sp_error *err) {
  *o = (ordering){.b = b};
  sp_arena *a = b->arena;
  o->reachable = SP_ARENA_ARRAY(a, uint8_t, b->n);
  o->state = SP_ARENA_ARRAY(a, uint8_t, b->n);
  o->place = SP_ARENA_ARRAY(a, uint32_t, b->n);
  o->order = SP_ARENA_ARRAY(a, uint32_t, b->n);
  o->stack = SP_ARENA_ARRAY(a, frame, b->n);
  if (o->reachable == NULL || o->state == NULL || o->place == NULL || o->order == NULL || o->stack == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < b->n; i++) {
    for (uint32_t k = 0; k < b->nodes[i]->n_inputs; k++) {
      if (b->nodes[i]->inputs[k] >= b->n) {
        SP_FAIL(err, SP_INTERNAL, &b->nodes[i]->loc, "node `%s`: input %u is not in the plan",
                b->nodes[i]->id, k);
      }
    }
  }
  if (!keep_all) {
    mark_reachable(o, outputs, n_outputs);
  }
  for (uint32_t i = 0; i < b->n; i++) {
    if (o->state[i] == UNSEEN && (keep_all || o->reachable[i])) {
      SP_TRY(visit_from(o, i, err));
    }
  }
  return SP_OK;
}

/* ---- finishing ---- */
static sp_hash128 fingerprint(const sp_node *n, const sp_node *const *nodes) {
  sp_hasher h;
  sp_hasher_init(&h, 0x5167);
  sp_hasher_bytes(&h, n->ops->name, strlen(n->ops->name));
  sp_fields_hash(n, &h);
  sp_hasher_u64(&h, n->n_inputs);
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    const sp_hash128 in = nodes[n->inputs[i]]->fingerprint;
    sp_hasher_u64(&h, in.lo);
    sp_hasher_u64(&h, in.hi);
  }
  sp_hash128 r = sp_hasher_finish(&h);
  r.lo |= (r.lo | r.hi) == 0; /* all zero means "not finished" */
  return r;
}

static bool frozen(const sp_node *n) {
  return (n->fingerprint.lo | n->fingerprint.hi) != 0;
}

/* The node at its new place, with its inputs renumbered; a copy where an earlier plan can see the old one. */
static sp_node *place_node(const ordering *o, sp_node *n, uint32_t index, sp_stage stage,
                           const sp_node *const *nodes) {
  sp_arena *a = o->b->arena;
  bool moved = false;
  for (uint32_t i = 0; i < n->n_inputs; i++) {
    moved = moved || o->place[n->inputs[i]] != n->inputs[i];
  }
  sp_node *x = n;
  if (moved) {
    uint32_t *inputs = SP_ARENA_ARRAY(a, uint32_t, n->n_inputs);
    x = frozen(n) ? sp_node_copy(a, n) : n;
    if (inputs == NULL || x == NULL) {
      return NULL;
    }
    for (uint32_t i = 0; i < n->n_inputs; i++) {
      inputs[i] = o->place[n->inputs[i]];
    }
    x->inputs = inputs;
  }
  if (stage == SP_STAGE_WRITTEN) {
    uint32_t *id = SP_ARENA_NEW(a, uint32_t);
    if (id == NULL) {
      return NULL;
    }
    *id = index;
    x->origin = (sp_origin){.n = 1, .ids = id};
  }
  const sp_hash128 fp = fingerprint(x, nodes);
  if (frozen(x) && !sp_hash128_eq(fp, x->fingerprint)) {
    x = sp_node_copy(a, x);
    if (x == NULL) {
      return NULL;
    }
  }
  x->fingerprint = fp;
  return x;
}

sp_status sp_plan_finish_named(sp_plan_builder *b, const sp_plan *like, const char *file, sp_stage stage,
                               const uint32_t *outputs, const char *const *output_ids, uint32_t n_outputs,
                               const sp_plan **ret, sp_error *err) {
  ordering o;
  SP_TRY(order_nodes(&o, b, stage == SP_STAGE_WRITTEN, outputs, n_outputs, err));
  sp_arena *a = b->arena;
  sp_plan *p = SP_ARENA_NEW(a, sp_plan);
  const sp_node **nodes = SP_ARENA_ARRAY(a, const sp_node *, o.n_order);
  uint32_t *outs = SP_ARENA_ARRAY(a, uint32_t, n_outputs);
  const char **written_ids = SP_ARENA_ARRAY(a, const char *, stage == SP_STAGE_WRITTEN ? o.n_order : 0);
  if (p == NULL || nodes == NULL || outs == NULL || written_ids == NULL) {
    return sp_error_nomem(err);
  }
  if (o.n_order > SP_PLAN_MAX_NODES) {
    SP_FAIL(err, SP_LIMIT, NULL, "the plan has %u nodes, more than %d", o.n_order, SP_PLAN_MAX_NODES);
  }
  for (uint32_t i = 0; i < o.n_order; i++) {
    nodes[i] = place_node(&o, b->nodes[o.order[i]], i, stage, nodes);
    SP_TRY_ALLOC(err, nodes[i]);
    if (stage == SP_STAGE_WRITTEN) {
      written_ids[i] = nodes[i]->id;
    }
  }
  for (uint32_t i = 0; i < n_outputs; i++) {
    outs[i] = o.place[outputs[i]];
  }
  *p = (sp_plan){.stage = stage,
                 .file = file,
                 .arena = a,
                 .n_nodes = o.n_order,
                 .nodes = nodes,
                 .n_outputs = n_outputs,
                 .outputs = outs,
                 .output_ids = output_ids};
  if (stage == SP_STAGE_WRITTEN) {
    p->n_written = o.n_order;
    p->written_ids = written_ids;
  } else if (like != NULL) {
    p->n_written = like->n_written;
    p->written_ids = like->written_ids;
  }
  *ret = p;
  return SP_OK;
}

sp_status sp_plan_finish(sp_plan_builder *b, const sp_plan *like, sp_stage stage, const uint32_t *outputs,
                         uint32_t n_outputs, const sp_plan **ret, sp_error *err) {
  const char **ids = SP_ARENA_ARRAY(b->arena, const char *, n_outputs);
  SP_TRY_ALLOC(err, ids);
  for (uint32_t i = 0; i < n_outputs; i++) {
    if (outputs[i] >= b->n) {
      SP_FAIL(err, SP_INTERNAL, NULL, "output %u is not in the plan", i);
    }
    ids[i] = like != NULL && i < like->n_outputs ? like->output_ids[i] : b->nodes[outputs[i]]->id;
  }
  return sp_plan_finish_named(b, like, like != NULL ? like->file : NULL, stage, outputs, ids, n_outputs, ret,
                              err);
}

uint32_t *sp_plan_consumers(const sp_plan *p, sp_arena *a) {
  uint32_t *counts = SP_ARENA_ARRAY(a, uint32_t, p->n_nodes);
  if (counts == NULL) {
    return NULL;
  }
  for (uint32_t i = 0; i < p->n_nodes; i++) {
    for (uint32_t k = 0; k < p->nodes[i]->n_inputs; k++) {
      counts[p->nodes[i]->inputs[k]]++;
    }
  }
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    counts[p->outputs[i]]++;
  }
  return counts;
}
