/* See grouper.h. Here: choosing, and the tables over words and rows. */
#include "exec/grouper_impl.h"

#define CHUNK SP_GROUPER_CHUNK
#define FIRST_TRY 65536 /* rows after which a packed range is looked at again */
#define FIND_STEP 256

static bool fits_word(const sp_key_layout *l) {
  return l->words == 1 || (l->n == 1 && l->fields[0].type->width == 8);
}

bool sp_grouper_init(sp_grouper *g, const sp_key_layout *l, sp_maker mk, size_t user_bytes, bool digits) {
  *g = (sp_grouper){.null_group = SP_NO_ID, .next_try = FIRST_TRY};
  sp_key_store_init(&g->store, l, mk, user_bytes);
  g->words.mem = mk.mem;
  g->table.mem = mk.mem;
  if (l->n == 0) {
    const uint64_t none = 0;
    return sp_key_store_reserve(&g->store, 1) && sp_key_store_append(&g->store, &none);
  }
  g->row_buf = sp_mem_alloc(mk.mem, (size_t)CHUNK * l->words * 8);
  g->word_buf = sp_mem_alloc(mk.mem, CHUNK * sizeof *g->word_buf);
  g->number_buf = sp_mem_alloc(mk.mem, CHUNK * sizeof *g->number_buf);
  g->fresh_buf = sp_mem_alloc(mk.mem, CHUNK * sizeof *g->fresh_buf);
  g->sel_buf = sp_mem_alloc(mk.mem, CHUNK * sizeof *g->sel_buf);
  g->valid_buf = sp_mem_alloc(mk.mem, CHUNK);
  return g->row_buf != NULL && g->word_buf != NULL && g->number_buf != NULL && g->fresh_buf != NULL &&
         g->sel_buf != NULL && g->valid_buf != NULL &&
         (!digits || !sp_digits_possible(l) || sp_digits_init(g));
}

void sp_grouper_release(sp_grouper *g) {
  sp_mem *mem = g->store.mk.mem;
  if (mem == NULL) {
    return;
  }
  sp_digits_release(g);
  sp_word_table_release(&g->words);
  sp_row_table_release(&g->table);
  sp_mem_free(mem, g->row_buf, (size_t)CHUNK * g->store.layout->words * 8);
  sp_mem_free(mem, g->word_buf, CHUNK * sizeof *g->word_buf);
  sp_mem_free(mem, g->number_buf, CHUNK * sizeof *g->number_buf);
  sp_mem_free(mem, g->fresh_buf, CHUNK * sizeof *g->fresh_buf);
  sp_mem_free(mem, g->sel_buf, CHUNK * sizeof *g->sel_buf);
  sp_mem_free(mem, g->valid_buf, CHUNK);
  g->row_buf = g->word_buf = g->number_buf = NULL;
  g->fresh_buf = NULL;
  g->sel_buf = NULL;
  g->valid_buf = NULL;
  sp_key_store_release(&g->store);
}

/* ---- WORD, ROWS ---- */

static bool index_words(sp_grouper *g) {
  if (!sp_word_table_reserve(&g->words, g->store.n)) {
    return false;
  }
  for (uint32_t i = 0; i < g->store.n; i++) {
    const uint64_t *row = sp_key_store_row(&g->store, i);
    if (g->store.layout->words > 1 && row[1] != 0) {
      g->null_group = i;
      continue;
    }
    uint32_t next = i;
    uint32_t id;
    uint32_t fresh;
    uint32_t n_fresh;
    if (!sp_word_table_add(&g->words, row, 1, &id, &next, &fresh, &n_fresh)) {
      return false;
    }
  }
  return true;
}

/* Goes on without digits, with the groups that there are. */
static bool leave_digits(sp_grouper *g) {
  sp_digits_release(g);
  sp_word_table_release(&g->words);
  g->mode = fits_word(g->store.layout) ? SP_GROUPER_WORD : SP_GROUPER_ROWS;
  return g->mode == SP_GROUPER_WORD ? index_words(g) : sp_row_table_fill(&g->table, &g->store);
}

/* Rows with null, where a word has no room for it, have a group of their own; the others' words are moved
 * together, their positions noted. */
static bool split_nulls(sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids,
                        uint32_t *ret_n) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (rows[i * stride + 1] == 0) {
      g->word_buf[kept] = rows[i * stride];
      g->sel_buf[kept++] = (uint16_t)i;
      continue;
    }
    if (g->null_group == SP_NO_ID) {
      if (!sp_key_store_reserve(&g->store, 1) || !sp_key_store_append(&g->store, rows + i * stride)) {
        return false;
      }
      g->null_group = g->store.n - 1;
    }
    ids[i] = g->null_group;
  }
  *ret_n = kept;
  return true;
}

static bool append_words(sp_grouper *g, const uint64_t *words, uint32_t n_fresh) {
  for (uint32_t i = 0; i < n_fresh; i++) {
    const uint64_t row[2] = {words[g->fresh_buf[i]], 0};
    if (!sp_key_store_append(&g->store, row)) {
      return false;
    }
  }
  return true;
}

static bool add_words(sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids) {
  const bool wide = g->store.layout->words > 1;
  uint32_t kept = n;
  if (wide && !split_nulls(g, rows, stride, n, ids, &kept)) {
    return false;
  }
  for (uint32_t i = 0; i < n && !wide; i++) {
    g->word_buf[i] = rows[i * stride];
  }
  uint32_t next = g->store.n;
  uint32_t n_fresh = 0;
  uint32_t *to = kept == n
                     ? ids
                     : (uint32_t *)(void *)g->number_buf; /* ids of a full chunk go to their place directly */
  if (!sp_key_store_reserve(&g->store, kept) ||
      !sp_word_table_add(&g->words, g->word_buf, kept, to, &next, g->fresh_buf, &n_fresh) ||
      !append_words(g, g->word_buf, n_fresh)) {
    return false;
  }
  for (uint32_t i = 0; i < kept && kept < n; i++) {
    ids[g->sel_buf[i]] = to[i];
  }
  return true;
}

static bool add_encoded(sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids) {
  if (g->mode == SP_GROUPER_WORD) {
    return add_words(g, rows, stride, n, ids);
  }
  sp_key_hash(g->store.layout, rows, stride, n, g->word_buf);
  return sp_row_table_add(&g->table, &g->store, rows, stride, g->word_buf, n, ids);
}

/* ---- choosing ---- */

static bool has_digits(const sp_grouper *g) {
  return g->mode == SP_GROUPER_DIRECT || g->mode == SP_GROUPER_PACKED;
}

static bool comes_as_codes(const sp_grouper *g, const sp_column *const *cols) {
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    if (g->digits[k].is_string && cols[k]->encoding == SP_FLAT) {
      return false;
    }
  }
  return true;
}

static bool start(sp_grouper *g, const sp_column *const *cols) {
  if (g->digits == NULL || cols == NULL || !comes_as_codes(g, cols)) {
    return leave_digits(g);
  }
  g->mode = SP_GROUPER_DIRECT;
  return true;
}

static bool add_chunk(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                      uint32_t n, uint32_t *ids) {
  if (has_digits(g)) {
    bool left;
    if (!sp_digits_add(g, cols, sel, from, n, ids, &left)) {
      return false;
    }
    if (!left) {
      return true;
    }
    if (!leave_digits(g)) {
      return false;
    }
  }
  const uint32_t words = g->store.layout->words;
  sp_key_encode(g->store.layout, cols, sel, from, n, g->row_buf, words);
  return add_encoded(g, g->row_buf, words, n, ids);
}

bool sp_grouper_add(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t n,
                    uint32_t *ids) {
  if (g->store.layout->n == 0) {
    memset(ids, 0, n * sizeof *ids);
    return true;
  }
  if (g->mode == SP_GROUPER_NEW && !start(g, cols)) {
    return false;
  }
  for (uint32_t from = 0; from < n; from += CHUNK) {
    const uint32_t m = n - from < CHUNK ? n - from : CHUNK;
    if (!add_chunk(g, cols, sel, from, m, ids + from)) {
      return false;
    }
    g->rows_seen += m;
  }
  return true;
}

bool sp_grouper_add_rows(sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids) {
  if (g->store.layout->n == 0) {
    memset(ids, 0, n * sizeof *ids);
    return true;
  }
  if ((g->mode == SP_GROUPER_NEW || has_digits(g)) && !leave_digits(g)) {
    return false;
  }
  for (uint32_t from = 0; from < n; from += CHUNK) {
    const uint32_t m = n - from < CHUNK ? n - from : CHUNK;
    if (!add_encoded(g, rows + from * stride, stride, m, ids + from)) {
      return false;
    }
  }
  return true;
}

/* ---- finding ---- */

static void find_words(const sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids) {
  uint64_t words[FIND_STEP];
  words[0] = 0;
  for (uint32_t i = 0; i < n; i++) {
    words[i] = rows[i * stride];
  }
  sp_word_table_find(&g->words, words, n, ids);
  for (uint32_t i = 0; i < n && g->store.layout->words > 1; i++) {
    ids[i] = rows[i * stride + 1] != 0 ? g->null_group : ids[i];
  }
}

static void find_rows(const sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids) {
  uint64_t hashes[FIND_STEP];
  sp_key_hash(g->store.layout, rows, stride, n, hashes);
  sp_row_table_find(&g->table, &g->store, rows, stride, hashes, n, ids);
}

void sp_grouper_find(const sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids) {
  if (g->store.layout->n == 0) {
    memset(ids, 0, n * sizeof *ids);
    return;
  }
  if (g->mode == SP_GROUPER_NEW) {
    memset(ids, 0xff, n * sizeof *ids);
    return;
  }
  if (has_digits(g)) {
    sp_digits_find(g, rows, stride, n, ids);
    return;
  }
  for (uint32_t from = 0; from < n; from += FIND_STEP) {
    const uint32_t m = n - from < FIND_STEP ? n - from : FIND_STEP;
    if (g->mode == SP_GROUPER_WORD) {
      find_words(g, rows + from * stride, stride, m, ids + from);
    } else {
      find_rows(g, rows + from * stride, stride, m, ids + from);
    }
  }
}
