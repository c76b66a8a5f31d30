/* A pointer map with open addressing, for walks over trees that share subtrees.
 *
 * Example: 64 times x = x + x is 65 nodes with 2^64 paths; a walk that asks the memo first visits 65. */
#include "expr/make.h"

#define FIRST_CAP 64

void sp_memo_init(sp_memo *m, sp_mem *mem) {
  *m = (sp_memo){.mem = mem};
}

void sp_memo_release(sp_memo *m) {
  sp_mem_free(m->mem, m->keys, m->cap * sizeof *m->keys);
  sp_mem_free(m->mem, m->values, m->cap * sizeof *m->values);
  sp_memo_init(m, m->mem);
}

static uint32_t slot_of(const sp_memo *m, const void *key) {
  uint32_t i = (uint32_t)sp_hash_u64((uintptr_t)key) & (m->cap - 1);
  while (m->keys[i] != NULL && m->keys[i] != key) {
    i = (i + 1) & (m->cap - 1);
  }
  return i;
}

const void *sp_memo_get(const sp_memo *m, const void *key) {
  return m->cap == 0 ? NULL : m->values[slot_of(m, key)];
}

static bool grow(sp_memo *m) {
  sp_memo to = {.mem = m->mem, .n = m->n, .cap = m->cap == 0 ? FIRST_CAP : m->cap * 2};
  to.keys = sp_mem_calloc(m->mem, to.cap * sizeof *to.keys);
  to.values = sp_mem_calloc(m->mem, to.cap * sizeof *to.values);
  if (to.keys == NULL || to.values == NULL) {
    sp_memo_release(&to);
    return false;
  }
  for (uint32_t i = 0; i < m->cap; i++) {
    if (m->keys[i] != NULL) {
      const uint32_t s = slot_of(&to, m->keys[i]);
      to.keys[s] = m->keys[i];
      to.values[s] = m->values[i];
    }
  }
  sp_memo_release(m);
  *m = to;
  return true;
}

bool sp_memo_put(sp_memo *m, const void *key, const void *value) {
  if (m->n >= m->cap / 2 && (m->cap > UINT32_MAX / 4 || !grow(m))) {
    return false;
  }
  const uint32_t s = slot_of(m, key);
  m->n += m->keys[s] == NULL;
  m->keys[s] = key;
  m->values[s] = value;
  return true;
}
