/* Aggregates over distinct values: count(DISTINCT x), sum(DISTINCT x).
 *
 * A worker only collects the tuples (group, values) that it has not seen yet; another may have seen the same.
 * When groups have been merged, tuples of groups that now belong to another worker's part are added to that
 * part's set, and then every set's tuples update their groups' states.
 *
 * Example: A has (1, "x"), B has (1, "x") and (1, "y"), both for the group that is now A's: A's set becomes
 * x, y, and the count 2. */
#include "exec/operators/group_by/group_by.h"

#define CHUNK 4096

sp_status sp_gb_distinct_add(sp_operator *op, sp_gb_part *p, const sp_gb_call *c, uint32_t length,
                             const uint16_t *rows, uint32_t n, const uint32_t *ids, sp_error *err) {
  const sp_maker mk = sp_maker_of(op);
  const sp_type *u32 = sp_type_of(SP_KIND_UINT32);
  sp_column *group = sp_column_flat(mk, u32, length, false);
  const sp_column **cols = sp_mem_alloc(op->mem, (c->n_args + 1) * sizeof(sp_column *));
  uint32_t *found = sp_mem_alloc(op->mem, n * sizeof *found);
  bool ok = group != NULL && cols != NULL && found != NULL;
  if (ok) {
    uint32_t *to = (uint32_t *)(void *)group->values->data;
    for (uint32_t i = 0; i < n; i++) {
      to[rows != NULL ? rows[i] : i] = ids != NULL ? ids[i] : 0;
    }
    cols[0] = group;
    memcpy(cols + 1, p->outs + c->first_arg, c->n_args * sizeof(sp_column *));
    ok = sp_grouper_add(&p->sets[c->set], cols, rows, n, found);
  }
  sp_mem_free(op->mem, found, n * sizeof *found);
  sp_mem_free(op->mem, cols, (c->n_args + 1) * sizeof(sp_column *));
  sp_column_unref(group);
  return ok ? SP_OK : sp_error_nomem(err);
}

static uint32_t group_of(const sp_gb_call *c, const uint64_t *tuple) {
  uint32_t group;
  memcpy(&group, (const uint8_t *)tuple + c->set_layout->fields[0].offset, sizeof group);
  return group;
}

/* The tuples of p's groups that have moved join the sets of the parts where these are. */
static bool move_tuples(const sp_gb *g, const sp_gb_call *c, sp_gb_part *p, uint64_t *tuple) {
  const sp_key_store *s = &p->sets[c->set].store;
  for (uint32_t i = 0; i < s->n && p->moved_to != NULL; i++) {
    const uint32_t group = group_of(c, sp_key_store_row(s, i));
    if (p->moved_to[group] == UINT16_MAX) {
      continue;
    }
    memcpy(tuple, sp_key_store_row(s, i), (size_t)c->set_layout->words * 8);
    memcpy((uint8_t *)tuple + c->set_layout->fields[0].offset, &p->moved_id[group], sizeof group);
    uint32_t id;
    if (!sp_grouper_add_rows(&g->parts[p->moved_to[group]]->sets[c->set], tuple, c->set_layout->words, 1,
                             &id)) {
      return false;
    }
  }
  return true;
}

static sp_status update_chunk(sp_operator *op, const sp_gb_call *c, sp_gb_part *p, uint32_t from, uint32_t n,
                              sp_column **args, sp_error *err) {
  const sp_key_store *s = &p->sets[c->set].store;
  uint16_t rows[CHUNK];
  uint32_t groups[CHUNK];
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t group = group_of(c, sp_key_store_row(s, from + i));
    if (p->moved_to == NULL || p->moved_to[group] == UINT16_MAX) {
      rows[kept] = (uint16_t)i;
      groups[kept++] = group;
    }
  }
  for (uint32_t i = 0; i < c->n_args; i++) {
    args[i] = sp_key_store_column(s, i + 1, sp_maker_of(op), from, n);
    SP_TRY_ALLOC(err, args[i]);
  }
  const sp_agg_states states = sp_gb_states(p, c);
  return kept > 0 ? c->ops->update(&c->agg, op->mem, (const sp_column *const *)args, rows, kept, groups,
                                   &states, 0, 0, err)
                  : SP_OK;
}

static sp_status update_part(sp_operator *op, const sp_gb_call *c, sp_gb_part *p, sp_column **args,
                             sp_error *err) {
  const uint32_t n = p->sets[c->set].store.n;
  sp_status st = SP_OK;
  for (uint32_t from = 0; from < n && st == SP_OK && !sp_exec_stopped(op->exec); from += CHUNK) {
    st = update_chunk(op, c, p, from, n - from < CHUNK ? n - from : CHUNK, args, err);
    for (uint32_t i = 0; i < c->n_args; i++) {
      args[i] = sp_column_unref(args[i]);
    }
  }
  return st;
}

/* One call. Sets of different calls have nothing to do with each other, nor have their states. */
static sp_status finish_call(void *ctx, uint32_t set, sp_worker *w) {
  sp_operator *op = ctx;
  const sp_gb *g = op->shared;
  const sp_gb_call *c = g->calls;
  while (c->set != set) {
    c++;
  }
  const size_t bytes = (size_t)c->set_layout->words * 8;
  uint64_t *tuple = sp_mem_alloc(op->mem, bytes);
  sp_column **args = sp_mem_calloc(op->mem, c->n_args * sizeof(sp_column *));
  sp_status st = tuple != NULL && args != NULL ? SP_OK : sp_error_nomem(w->err);
  for (uint32_t i = 0; i < g->n_parts && st == SP_OK; i++) {
    if (!move_tuples(g, c, g->parts[i], tuple)) {
      st = sp_error_nomem(w->err);
    }
  }
  for (uint32_t i = 0; i < g->n_parts && st == SP_OK; i++) {
    st = update_part(op, c, g->parts[i], args, w->err);
  }
  sp_mem_free(op->mem, args, c->n_args * sizeof(sp_column *));
  sp_mem_free(op->mem, tuple, bytes);
  return st;
}

sp_status sp_gb_distinct_finish(sp_operator *op, sp_error *err) {
  const sp_gb *g = op->shared;
  return g->n_sets > 0 && g->n_parts > 0 ? sp_exec_parallel(op, g->n_sets, finish_call, op, err) : SP_OK;
}
