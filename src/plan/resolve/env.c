/* The environment of resolving: where tables are, and the datasets that were opened. */
#include "plan/resolve/resolve.h"

void sp_env_init(sp_env *e, sp_mem *mem) {
  *e = (sp_env){.mem = mem, .plan_dir = "."};
  sp_arena_init(&e->arena, mem);
}

void sp_env_release(sp_env *e) {
  for (uint32_t i = 0; i < e->n_datasets; i++) {
    sp_dataset_unref(e->datasets[i]);
  }
  e->n_datasets = e->cap_datasets = 0;
  e->datasets = NULL;
  sp_arena_release(&e->arena);
}
