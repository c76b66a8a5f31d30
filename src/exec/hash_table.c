/* See hash_table.h. */
#include "exec/hash_table.h"

#include "base/simd.h"

#define FIRST_SLOTS 1024
#define STEP 256 /* keys whose slots are prefetched together */

static size_t slots_for(uint64_t n) {
  size_t slots = FIRST_SLOTS;
  while (slots < 2 * n) {
    slots *= 2;
  }
  return slots;
}

/* ---- words ---- */

void sp_word_table_release(sp_word_table *t) {
  sp_mem_free(t->mem, t->slots, t->n_slots * sizeof *t->slots);
  *t = (sp_word_table){.mem = t->mem};
}

bool sp_word_table_reserve(sp_word_table *t, uint32_t n) {
  const uint64_t need = (uint64_t)t->used + n;
  if (2 * need <= t->n_slots) {
    return true;
  }
  const size_t n_slots = slots_for(need);
  sp_word_slot *slots = sp_mem_calloc(t->mem, n_slots * sizeof *slots);
  if (slots == NULL) {
    return false;
  }
  for (size_t i = 0; i < t->n_slots; i++) {
    if (t->slots[i].id_plus_1 != 0) {
      size_t at = sp_hash_u64(t->slots[i].key) & (n_slots - 1);
      while (slots[at].id_plus_1 != 0) {
        at = (at + 1) & (n_slots - 1);
      }
      slots[at] = t->slots[i];
    }
  }
  sp_mem_free(t->mem, t->slots, t->n_slots * sizeof *t->slots);
  t->slots = slots;
  t->n_slots = n_slots;
  return true;
}

static inline void aim_words(const sp_word_table *t, const uint64_t *keys, uint32_t n, size_t *at) {
  for (uint32_t i = 0; i < n; i++) {
    at[i] = sp_hash_u64(keys[i]) & (t->n_slots - 1);
    __builtin_prefetch(&t->slots[at[i]]);
  }
}

void sp_word_table_find(const sp_word_table *t, const uint64_t *keys, uint32_t n, uint32_t *ids) {
  if (t->n_slots == 0) {
    memset(ids, 0xff, n * sizeof *ids);
    return;
  }
  size_t at[STEP];
  for (uint32_t from = 0; from < n; from += STEP) {
    const uint32_t m = n - from < STEP ? n - from : STEP;
    aim_words(t, keys + from, m, at);
    for (uint32_t i = 0; i < m; i++) {
      const sp_word_slot *s = &t->slots[at[i]];
      while (s->id_plus_1 != 0 && s->key != keys[from + i]) {
        at[i] = (at[i] + 1) & (t->n_slots - 1);
        s = &t->slots[at[i]];
      }
      ids[from + i] = s->id_plus_1 - 1;
    }
  }
}

bool sp_word_table_add(sp_word_table *t, const uint64_t *keys, uint32_t n, uint32_t *ids, uint32_t *next,
                       uint32_t *fresh, uint32_t *ret_fresh) {
  uint32_t n_fresh = 0;
  size_t at[STEP];
  for (uint32_t from = 0; from < n; from += STEP) {
    const uint32_t m = n - from < STEP ? n - from : STEP;
    if (!sp_word_table_reserve(t, m)) {
      return false;
    }
    aim_words(t, keys + from, m, at);
    for (uint32_t i = 0; i < m; i++) {
      const uint64_t key = keys[from + i];
      sp_word_slot *s = &t->slots[at[i]];
      while (s->id_plus_1 != 0 && s->key != key) {
        at[i] = (at[i] + 1) & (t->n_slots - 1);
        s = &t->slots[at[i]];
      }
      if (SP_UNLIKELY(s->id_plus_1 == 0)) {
        s->key = key;
        s->id_plus_1 = ++*next;
        t->used++;
        fresh[n_fresh++] = from + i;
      }
      ids[from + i] = s->id_plus_1 - 1;
    }
  }
  *ret_fresh = n_fresh;
  return true;
}

/* ---- rows ---- */

#define SALT UINT64_C(0xffffffff00000000)

void sp_row_table_release(sp_row_table *t) {
  sp_mem_free(t->mem, t->slots, t->n_slots * sizeof *t->slots);
  sp_mem_free(t->mem, t->hashes, t->cap_hashes * sizeof *t->hashes);
  *t = (sp_row_table){.mem = t->mem};
}

static void place(uint64_t *slots, size_t n_slots, uint64_t hash, uint32_t id) {
  size_t at = hash & (n_slots - 1);
  while (slots[at] != 0) {
    at = (at + 1) & (n_slots - 1);
  }
  slots[at] = (hash & SALT) | (id + 1);
}

static bool reserve_rows(sp_row_table *t, uint32_t used, uint32_t n) {
  const uint64_t need = (uint64_t)used + n;
  if (need > t->cap_hashes) {
    uint64_t cap = t->cap_hashes < 512 ? 512 : (uint64_t)t->cap_hashes * 2;
    cap = cap < need ? need : cap;
    cap = cap > UINT32_MAX ? UINT32_MAX : cap;
    void *p = sp_mem_realloc(t->mem, t->hashes, t->cap_hashes * sizeof *t->hashes, cap * sizeof *t->hashes);
    if (p == NULL) {
      return false;
    }
    t->hashes = p;
    t->cap_hashes = (uint32_t)cap;
  }
  if (2 * need <= t->n_slots) {
    return true;
  }
  const size_t n_slots = slots_for(need);
  uint64_t *slots = sp_mem_calloc(t->mem, n_slots * sizeof *slots);
  if (slots == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < used; i++) {
    place(slots, n_slots, t->hashes[i], i);
  }
  sp_mem_free(t->mem, t->slots, t->n_slots * sizeof *t->slots);
  t->slots = slots;
  t->n_slots = n_slots;
  return true;
}

/* The slot that holds the row, or the free one where it belongs. */
static inline size_t seek(const sp_row_table *t, const sp_key_store *s, const uint64_t *row, uint64_t hash) {
  size_t at = hash & (t->n_slots - 1);
  for (;;) {
    const uint64_t slot = t->slots[at];
    if (slot == 0) {
      return at;
    }
    if (((slot ^ hash) & SALT) == 0 && sp_key_eq(s->layout, row, sp_key_store_row(s, (uint32_t)slot - 1))) {
      return at;
    }
    at = (at + 1) & (t->n_slots - 1);
  }
}

/* Two waves: slots, then the rows that slots with the right salt name. */
static void aim_rows(const sp_row_table *t, const sp_key_store *s, const uint64_t *hashes, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    __builtin_prefetch(&t->slots[hashes[i] & (t->n_slots - 1)]);
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint64_t slot = t->slots[hashes[i] & (t->n_slots - 1)];
    if (slot != 0) {
      __builtin_prefetch(sp_key_store_row(s, (uint32_t)slot - 1));
    }
  }
}

void sp_row_table_find(const sp_row_table *t, const sp_key_store *s, const uint64_t *rows, size_t stride,
                       const uint64_t *hashes, uint32_t n, uint32_t *ids) {
  if (t->n_slots == 0) {
    memset(ids, 0xff, n * sizeof *ids);
    return;
  }
  for (uint32_t from = 0; from < n; from += STEP) {
    const uint32_t m = n - from < STEP ? n - from : STEP;
    aim_rows(t, s, hashes + from, m);
    for (uint32_t i = from; i < from + m; i++) {
      ids[i] = (uint32_t)t->slots[seek(t, s, rows + i * stride, hashes[i])] - 1;
    }
  }
}

bool sp_row_table_add(sp_row_table *t, sp_key_store *s, const uint64_t *rows, size_t stride,
                      const uint64_t *hashes, uint32_t n, uint32_t *ids) {
  for (uint32_t from = 0; from < n; from += STEP) {
    const uint32_t m = n - from < STEP ? n - from : STEP;
    if (!reserve_rows(t, s->n, m) || !sp_key_store_reserve(s, m)) {
      return false;
    }
    aim_rows(t, s, hashes + from, m);
    for (uint32_t i = from; i < from + m; i++) {
      const size_t at = seek(t, s, rows + i * stride, hashes[i]);
      if (SP_UNLIKELY(t->slots[at] == 0)) {
        if (!sp_key_store_append(s, rows + i * stride)) {
          return false;
        }
        t->slots[at] = (hashes[i] & SALT) | s->n;
        t->hashes[s->n - 1] = hashes[i];
      }
      ids[i] = (uint32_t)t->slots[at] - 1;
    }
  }
  return true;
}

bool sp_row_table_fill(sp_row_table *t, const sp_key_store *s) {
  if (!reserve_rows(t, 0, s->n)) {
    return false;
  }
  sp_key_hash(s->layout, sp_key_store_row(s, 0), s->stride / 8, s->n, t->hashes);
  for (uint32_t i = 0; i < s->n; i++) {
    place(t->slots, t->n_slots, t->hashes[i], i);
  }
  return true;
}
