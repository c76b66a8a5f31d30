/* From the written plan to the resolved one: tables found, schemas known, wildcards expanded, names and types bound, normal forms
 * (nodes.h). Cannot be switched off; the executor runs every resolved plan.
 *
 * When a scan cannot be opened and carries no `schema`, resolving fails with its error; the caller may still draw the written plan. */
#ifndef SP_PLAN_RESOLVE_H
#define SP_PLAN_RESOLVE_H

#include "plan/plan.h"
#include "sigmapi/session.h"

/* Where tables are found. Owns the datasets that resolved scans point to; outlives the plans. */
typedef struct sp_env {
  sp_mem *mem;
  sp_arena arena;
  const char *data_root; /* NULL: the plan file's folder */
  const char *plan_dir;  /* "." for standard input */
  uint32_t n_tables;
  const sp_table_binding *tables; /* --table NAME=PATH */
  uint32_t n_datasets, cap_datasets;
  sp_dataset **datasets;
  sp_hash128 *dataset_keys; /* of the scan's fields: a file scanned twice is opened once */
  /* Warnings that did not stop the work (a missing file with a given schema): called in node order; may be NULL. */
  void (*warn)(void *ctx, const sp_error *warning);
  void *warn_ctx;
} sp_env;
void sp_env_init(sp_env *e, sp_mem *mem);
void sp_env_release(sp_env *e);

/* What a kind's resolve hook gets. */
struct sp_bind_cx {
  sp_env *env;
  sp_arena *arena;
  const sp_plan *written;
  uint32_t node; /* index of the written node, for origins */
  /* the driver's, for sp_bind_insert */
  sp_plan_builder *builder;
  const sp_node **inputs; /* resolved, as the hook sees them */
  uint32_t *input_at;     /* their indices in the builder */
  uint32_t n_inserted;
  struct sp_idmap *ids;
};
/* Puts a new node between the written node's input `which` and the node being resolved (a union's casts). made: fields set, bound; id, origin,
 * inputs and schema are filled in here; its input becomes inputs[which]. */
sp_status sp_bind_insert(sp_bind_cx *cx, const sp_node *written, uint32_t which, sp_node *made, sp_error *err);

sp_status sp_plan_resolve(const sp_plan *written, sp_env *env, const sp_plan **ret, sp_error *err);

/* For kinds: expands and binds a list of items against an input schema; results get the node's origin. */
sp_status sp_bind_items(sp_bind_cx *cx, const sp_node *written, const sp_items *in, const sp_schema *schema, uint32_t bind_flags, sp_items *ret, sp_error *err);
/* The same for predicates: bool, several expansions are ANDed into one item. what: "filter predicate". */
sp_status sp_bind_predicate(sp_bind_cx *cx, const sp_node *written, const sp_items *in, const sp_schema *schema, const char *what, sp_items *ret, sp_error *err);

#endif
