/* Predicates on their way down: what walk.c decides and land.c builds. */
#ifndef SP_OPTIMIZE_PUSHDOWN_H
#define SP_OPTIMIZE_PUSHDOWN_H

#include "optimize/internal.h"

/* A node of the input plan at which a conjunct stood. */
typedef struct source {
  uint32_t node;
  const struct source *next;
} source;

/* One conjunct on its way. */
typedef struct conj {
  struct conj *next;
  const sp_expr *expr;    /* in the names of where it is now */
  const sp_expr *written; /* as it stood, for the trace */
  sp_loc loc;
  sp_origin origin;
  const source *from;
  uint64_t reads; /* a bit per column read, by the name's hash: no common bit, no common column */
  bool moved;     /* it went through a node other than a filter */
  bool copy; /* it also stays where it was, or follows from what stays: needless where it is known already */
  /* Several consumers of a shared node push it: what each of them pushed. Until it has passed that node. */
  const struct part *parts;
} conj;
typedef struct part {
  conj *c;
  uint32_t edge;
  const struct part *next;
} part;
typedef struct conj_list {
  conj *first, *last;
  uint64_t reads; /* of all */
  bool fresh;     /* some have not moved */
} conj_list;

typedef struct fact_list {
  sp_fact *facts;
  uint32_t n, cap;
} fact_list;

/* An edge is one input of one node: edge0[node] + which. */
typedef struct walk {
  sp_sweep *s;
  const sp_plan *in;
  sp_arena *arena;
  uint32_t *edge0; /* n_nodes + 1 */
  uint32_t *users0,
      *users;          /* the edges that end at a node: users[users0[node]] to users[users0[node + 1] - 1] */
  uint32_t *n_outputs; /* how often a node is a result */
  conj_list *going;    /* by edge: what wants down along it */
  conj_list *landed;   /* by edge: what stays above its lower end */
  conj_list *into;     /* by node: what becomes part of the node's own predicate */
  sp_items *kept;      /* by node: what remains of a join's own predicate */
  fact_list *facts;    /* by source node */
  uint32_t *mark;      /* by node: the last merge that met it as a source */
  uint32_t n_merges;
} walk;

static inline void conj_append(conj_list *l, conj *c) {
  c->next = NULL;
  if (l->last != NULL) {
    l->last->next = c;
  } else {
    l->first = c;
  }
  l->last = c;
  l->reads |= c->reads;
  l->fresh = l->fresh || !c->moved;
}

/* Puts all of `more` behind l. */
static inline void conj_splice(conj_list *l, const conj_list *more) {
  if (l->first == NULL) {
    *l = *more;
  } else if (more->first != NULL) {
    l->last->next = more->first;
    l->last = more->last;
    l->reads |= more->reads;
    l->fresh = l->fresh || more->fresh;
  }
}

sp_status sp_pushdown_walk(walk *w, sp_error *err);
sp_status sp_pushdown_land(walk *w, const sp_plan **ret, sp_error *err);

#endif
