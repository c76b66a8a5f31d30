/* See join_index.h. */
#include "exec/join_index.h"

#include "base/simd.h"

#define CHUNK 1024
#define NO_MATCH UINT64_MAX          /* a packed key that is in no table */
#define DENSE_FREE UINT64_C(4194304) /* a bitmap of so many bits costs nothing worth counting … */
#define DENSE_PER_ROW 160            /* … else up to so many values per row it is no larger than a table */

bool sp_join_probe_init(sp_join_probe *p, const sp_join_index *x) {
  *p = (sp_join_probe){.keys = NULL};
  if (x->layout->n == 0) {
    return true;
  }
  const size_t words = x->layout->words;
  p->keys = sp_mem_alloc(x->mem, CHUNK * words * 8);
  p->words = sp_mem_alloc(x->mem, CHUNK * sizeof *p->words);
  p->valid = sp_mem_alloc(x->mem, CHUNK);
  return p->keys != NULL && p->words != NULL && p->valid != NULL;
}

void sp_join_probe_release(sp_join_probe *p, const sp_join_index *x) {
  const size_t words = x->layout != NULL ? x->layout->words : 0;
  sp_mem_free(x->mem, p->keys, CHUNK * words * 8);
  sp_mem_free(x->mem, p->words, CHUNK * sizeof *p->words);
  sp_mem_free(x->mem, p->valid, CHUNK);
  *p = (sp_join_probe){.keys = NULL};
}

/* ---- ranges and packing ---- */

SP_CLONES static void min_max(const uint64_t *v, uint32_t n, uint64_t *ret_lo, uint64_t *ret_hi) {
  uint64_t lo = *ret_lo;
  uint64_t hi = *ret_hi;
  for (uint32_t i = 0; i < n; i++) {
    lo = v[i] < lo ? v[i] : lo;
    hi = v[i] > hi ? v[i] : hi;
  }
  *ret_lo = lo;
  *ret_hi = hi;
}

void sp_join_ranges_note(const sp_join_index *x, sp_join_range *ranges, const sp_column *const *keys,
                         uint32_t n, sp_join_probe *p) {
  for (uint32_t k = 0; k < x->layout->n; k++) {
    sp_join_range *r = &ranges[k];
    for (uint32_t from = 0; from < n; from += CHUNK) {
      const uint32_t m = n - from < CHUNK ? n - from : CHUNK;
      if (!sp_key_ordered(keys[k], NULL, from, m, p->words, p->valid)) {
        min_max(p->words, m, &r->lo, &r->hi);
        continue;
      }
      r->nulls = true;
      for (uint32_t i = 0; i < m; i++) {
        if (p->valid[i] != 0) {
          min_max(&p->words[i], 1, &r->lo, &r->hi);
        }
      }
    }
  }
}

/* How many values the key can have: those of its range, and null where nulls match. */
static uint64_t n_values(const sp_join_index *x, const sp_join_range *r) {
  const uint64_t span = r->lo <= r->hi ? r->hi - r->lo : 0;
  return span > UINT64_MAX / 4 ? UINT64_MAX / 2 : span + 1 + (x->nulls_equal && r->nulls);
}

/* Gives every key its place in 63 bits; false when they do not fit. */
static bool lay_out(sp_join_index *x) {
  uint32_t bits = 0;
  for (uint32_t k = 0; k < x->layout->n; k++) {
    const uint64_t n = n_values(x, &x->ranges[k]);
    x->shifts[k] = bits;
    bits += n <= 1 ? 0 : 64 - (uint32_t)__builtin_clzll(n - 1);
    if (bits > 63) {
      return false;
    }
  }
  return true;
}

SP_CLONES static void pack_one(const uint64_t *restrict v, uint32_t n, uint64_t lo, uint64_t span,
                               uint32_t shift, uint64_t *restrict out) {
  for (uint32_t i = 0; i < n; i++) {
    const uint64_t code = v[i] - lo;
    out[i] |= code <= span ? code << shift : NO_MATCH;
  }
}

/* Packed keys of rows from .. from + n (of sel); NO_MATCH where one cannot match. At most CHUNK rows; p->keys
 * is scratch. */
static void pack(const sp_join_index *x, sp_join_probe *p, const sp_column *const *keys, const uint16_t *sel,
                 uint32_t from, uint32_t n, uint64_t *out) {
  memset(out, 0, n * sizeof *out);
  for (uint32_t k = 0; k < x->layout->n; k++) {
    const sp_join_range *r = &x->ranges[k];
    const bool nulls = sp_key_ordered(keys[k], sel, from, n, p->keys, p->valid);
    const uint64_t null_code = x->nulls_equal && r->nulls ? (n_values(x, r) - 1) << x->shifts[k] : NO_MATCH;
    const uint32_t shift = x->shifts[k];
    if (!nulls && r->lo <= r->hi) {
      pack_one(p->keys, n, r->lo, r->hi - r->lo, shift, out);
      continue;
    }
    for (uint32_t i = 0; i < n; i++) {
      const uint64_t code = p->keys[i] - r->lo;
      const bool in = r->lo <= r->hi && code <= r->hi - r->lo;
      out[i] |= p->valid[i] == 0 ? null_code : in ? code << shift : NO_MATCH;
    }
  }
}

/* ---- building ---- */

typedef struct building {
  sp_join_index *x;
  sp_operator *op;
  const sp_join_keys *batches;
  uint64_t *packed; /* by build row */
} building;

static sp_status pack_batch(void *ctx, uint32_t i, sp_worker *w) {
  const building *b = ctx;
  const sp_join_keys *k = &b->batches[i];
  sp_join_probe p;
  if (!sp_join_probe_init(&p, b->x)) {
    sp_join_probe_release(&p, b->x);
    return sp_error_nomem(w->err);
  }
  for (uint32_t from = 0; from < k->n; from += CHUNK) {
    pack(b->x, &p, k->cols, NULL, from, k->n - from < CHUNK ? k->n - from : CHUNK,
         b->packed + k->first_row + from);
  }
  sp_join_probe_release(&p, b->x);
  return SP_OK;
}

/* One more than the largest packed key. */
static uint64_t packed_range(const sp_join_index *x) {
  uint64_t most = 0;
  for (uint32_t k = 0; k < x->layout->n; k++) {
    most |= (n_values(x, &x->ranges[k]) - 1) << x->shifts[k];
  }
  return most + 1;
}

static bool is_dense(const sp_join_index *x) {
  const uint64_t range = packed_range(x);
  return range <= DENSE_FREE || range / DENSE_PER_ROW <= x->n_rows;
}

/* The lists of rows by id, from the id of every row. SP_NO_ID: in no list. */
static bool list_rows(sp_join_index *x, const uint32_t *ids, uint32_t n_listed) {
  x->n_listed = n_listed;
  bool in_order = n_listed == x->n_rows;
  for (uint32_t i = 0; i < x->n_rows && in_order; i++) {
    in_order = ids[i] == i;
  }
  if (in_order) {
    return true;
  }
  x->rows = sp_mem_alloc(x->mem, (size_t)n_listed * sizeof *x->rows);
  if (x->rows == NULL) {
    return false;
  }
  if (n_listed == x->n_ids) {
    for (uint32_t i = 0; i < x->n_rows; i++) {
      if (ids[i] != SP_NO_ID) {
        x->rows[ids[i]] = i;
      }
    }
    return true;
  }
  x->starts = sp_mem_calloc(x->mem, ((size_t)x->n_ids + 1) * sizeof *x->starts);
  if (x->starts == NULL) {
    return false;
  }
  /* starts[id] counts, then is the end of the list, and moves down to its start as rows are put in from the
   * last one on. */
  for (uint32_t i = 0; i < x->n_rows; i++) {
    x->starts[ids[i] == SP_NO_ID ? x->n_ids : ids[i]]++;
  }
  uint32_t sum = 0;
  for (uint32_t i = 0; i < x->n_ids; i++) {
    sum += x->starts[i];
    x->starts[i] = sum;
  }
  x->starts[x->n_ids] = sum;
  for (uint32_t i = x->n_rows; i-- > 0;) {
    if (ids[i] != SP_NO_ID) {
      x->rows[--x->starts[ids[i]]] = i;
    }
  }
  return true;
}

static uint32_t count_listed(const uint32_t *ids, uint32_t n) {
  uint32_t listed = 0;
  for (uint32_t i = 0; i < n; i++) {
    listed += ids[i] != SP_NO_ID;
  }
  return listed;
}

/* The set is full of rows in order: rank is row, and no list is needed. */
static bool ascending(const uint64_t *packed, uint32_t n) {
  bool is = n == 0 || packed[n - 1] != NO_MATCH;
  for (uint32_t i = 1; i < n && is; i++) {
    is = packed[i - 1] < packed[i];
  }
  return is;
}

static bool build_bitmap(sp_join_index *x, const uint64_t *packed) {
  if (!sp_bitmap_rank_init(&x->bitmap, x->mem, packed_range(x))) {
    return false;
  }
  sp_bitmap_rank_set(&x->bitmap, packed, x->n_rows);
  if (!sp_bitmap_rank_count(&x->bitmap, &x->n_ids)) {
    return false;
  }
  if (x->only_exists || ascending(packed, x->n_rows)) {
    x->n_listed = x->n_ids;
    return true;
  }
  uint32_t *ids = sp_mem_alloc(x->mem, (size_t)x->n_rows * sizeof *ids);
  if (ids == NULL) {
    return false;
  }
  sp_bitmap_rank_find(&x->bitmap, packed, x->n_rows, ids);
  const bool ok = list_rows(x, ids, count_listed(ids, x->n_rows));
  sp_mem_free(x->mem, ids, (size_t)x->n_rows * sizeof *ids);
  return ok;
}

/* Rows that can match are moved together for the table, which gives them ids; the others get none. */
static bool add_words(sp_join_index *x, const uint64_t *packed, uint32_t n, uint32_t *ids) {
  uint64_t words[CHUNK];
  uint32_t at[CHUNK];
  uint32_t found[CHUNK];
  uint32_t fresh[CHUNK];
  uint32_t kept = 0;
  uint32_t n_fresh;
  words[0] = 0;
  for (uint32_t i = 0; i < n; i++) {
    words[kept] = packed[i];
    at[kept] = i;
    kept += packed[i] != NO_MATCH;
    ids[i] = SP_NO_ID;
  }
  if (!sp_word_table_add(&x->words, words, kept, found, &x->n_ids, fresh, &n_fresh)) {
    return false;
  }
  for (uint32_t i = 0; i < kept; i++) {
    ids[at[i]] = found[i];
  }
  return true;
}

static sp_status build_words(sp_join_index *x, sp_operator *op, const uint64_t *packed, sp_error *err) {
  uint32_t *ids = sp_mem_alloc(x->mem, (size_t)x->n_rows * sizeof *ids);
  SP_TRY_ALLOC(err, ids);
  bool ok = true;
  for (uint32_t from = 0; from < x->n_rows && ok && !sp_exec_stopped(op->exec); from += CHUNK) {
    ok = add_words(x, packed + from, x->n_rows - from < CHUNK ? x->n_rows - from : CHUNK, ids + from);
  }
  if (ok && !x->only_exists && !sp_exec_stopped(op->exec)) {
    ok = list_rows(x, ids, count_listed(ids, x->n_rows));
  }
  sp_mem_free(x->mem, ids, (size_t)x->n_rows * sizeof *ids);
  return ok ? SP_OK : sp_error_nomem(err);
}

static sp_status build_packed(sp_join_index *x, sp_operator *op, const sp_join_keys *batches,
                              uint32_t n_batches, sp_error *err) {
  building b = {.x = x, .op = op, .batches = batches};
  b.packed = sp_mem_alloc(x->mem, (size_t)x->n_rows * sizeof *b.packed);
  SP_TRY_ALLOC(err, b.packed);
  sp_status st = sp_exec_parallel(op, n_batches, pack_batch, &b, err);
  if (st == SP_OK && is_dense(x)) {
    x->kind = SP_JOIN_INDEX_BITMAP;
    st = build_bitmap(x, b.packed) ? SP_OK : sp_error_nomem(err);
  } else if (st == SP_OK) {
    x->kind = SP_JOIN_INDEX_WORDS;
    st = build_words(x, op, b.packed, err);
  }
  sp_mem_free(x->mem, b.packed, (size_t)x->n_rows * sizeof *b.packed);
  return st;
}

/* Rows of the batch that can match, for keys where null does not. */
static uint32_t rows_without_null(const sp_join_index *x, const sp_join_keys *k, uint16_t *sel) {
  uint32_t n = k->n;
  for (uint32_t i = 0; i < n; i++) {
    sel[i] = (uint16_t)i;
  }
  for (uint32_t c = 0; c < x->layout->n; c++) {
    const sp_reader r = sp_column_reader(k->cols[c]);
    if (k->cols[c]->type->phys == SP_PHYS_NONE) {
      return 0;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n && r.validity != NULL; i++) {
      const uint16_t row = sel[i];
      sel[kept] = row;
      kept += sp_reader_valid(&r, row);
    }
    n = r.validity != NULL ? kept : n;
  }
  return n;
}

static sp_status build_rows(sp_join_index *x, sp_operator *op, const sp_join_keys *batches,
                            uint32_t n_batches, sp_error *err) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < n_batches; i++) {
    most = batches[i].n > most ? batches[i].n : most;
  }
  uint32_t *ids = sp_mem_alloc(x->mem, (size_t)x->n_rows * sizeof *ids);
  uint32_t *found = sp_mem_alloc(x->mem, most * sizeof *found);
  uint16_t *sel = sp_mem_alloc(x->mem, most * sizeof *sel);
  bool ok = ids != NULL && found != NULL && sel != NULL &&
            sp_grouper_init(&x->groups, x->layout, sp_maker_of(op), 0, false);
  for (uint32_t i = 0; i < n_batches && ok && !sp_exec_stopped(op->exec); i++) {
    const sp_join_keys *k = &batches[i];
    if (x->nulls_equal) {
      ok = sp_grouper_add(&x->groups, k->cols, NULL, k->n, ids + k->first_row);
      continue;
    }
    const uint32_t n = rows_without_null(x, k, sel);
    ok = sp_grouper_add(&x->groups, k->cols, sel, n, found);
    memset(ids + k->first_row, 0xff, k->n * sizeof *ids);
    for (uint32_t r = 0; r < n; r++) {
      ids[k->first_row + sel[r]] = found[r];
    }
  }
  x->n_ids = x->groups.store.n;
  if (ok && !x->only_exists && !sp_exec_stopped(op->exec)) {
    ok = list_rows(x, ids, count_listed(ids, x->n_rows));
  }
  sp_mem_free(x->mem, sel, most * sizeof *sel);
  sp_mem_free(x->mem, found, most * sizeof *found);
  sp_mem_free(x->mem, ids, (size_t)x->n_rows * sizeof *ids);
  return ok ? SP_OK : sp_error_nomem(err);
}

sp_status sp_join_index_build(sp_join_index *x, sp_operator *op, const sp_join_keys *batches,
                              uint32_t n_batches, sp_error *err) {
  uint64_t n = 0;
  for (uint32_t i = 0; i < n_batches; i++) {
    n += batches[i].n;
  }
  if (n >= UINT32_MAX) {
    SP_FAIL(err, SP_LIMIT, NULL, "more than %u rows on the build side of a join", UINT32_MAX - 1);
  }
  x->n_rows = (uint32_t)n;
  x->words.mem = x->mem;
  if (x->layout->n == 0) {
    x->kind = SP_JOIN_INDEX_ALL;
    x->n_ids = 1;
    x->n_listed = x->n_rows;
    return SP_OK;
  }
  if (x->ints && lay_out(x)) {
    return build_packed(x, op, batches, n_batches, err);
  }
  x->kind = SP_JOIN_INDEX_ROWS;
  return build_rows(x, op, batches, n_batches, err);
}

void sp_join_index_release(sp_join_index *x) {
  if (x->mem == NULL) {
    return;
  }
  sp_mem_free(x->mem, x->starts, x->starts != NULL ? ((size_t)x->n_ids + 1) * sizeof *x->starts : 0);
  sp_mem_free(x->mem, x->rows, (size_t)x->n_listed * sizeof *x->rows);
  x->starts = x->rows = NULL;
  sp_bitmap_rank_release(&x->bitmap);
  sp_word_table_release(&x->words);
  sp_grouper_release(&x->groups);
}

/* ---- finding ---- */

static void find_encoded(const sp_join_index *x, sp_join_probe *p, const sp_column *const *keys,
                         const uint16_t *sel, uint32_t from, uint32_t n, uint32_t *ids) {
  const uint32_t words = x->layout->words;
  sp_key_encode(x->layout, keys, sel, from, n, p->keys, words);
  sp_grouper_find(&x->groups, p->keys, words, n, ids);
  for (uint32_t i = 0; i < n && !x->nulls_equal; i++) {
    if (sp_key_has_null(x->layout, p->keys + (size_t)i * words)) {
      ids[i] = SP_NO_ID;
    }
  }
}

void sp_join_index_find(const sp_join_index *x, sp_join_probe *p, const sp_column *const *keys,
                        const uint16_t *sel, uint32_t n, uint32_t *ids) {
  if (x->kind == SP_JOIN_INDEX_ALL) {
    memset(ids, x->n_rows > 0 ? 0 : 0xff, n * sizeof *ids);
    return;
  }
  if (x->n_ids == 0) {
    memset(ids, 0xff, n * sizeof *ids);
    return;
  }
  for (uint32_t from = 0; from < n; from += CHUNK) {
    const uint32_t m = n - from < CHUNK ? n - from : CHUNK;
    if (x->kind == SP_JOIN_INDEX_ROWS) {
      find_encoded(x, p, keys, sel, from, m, ids + from);
      continue;
    }
    pack(x, p, keys, sel, from, m, p->words);
    if (x->kind == SP_JOIN_INDEX_WORDS) {
      sp_word_table_find(&x->words, p->words, m, ids + from);
    } else {
      sp_bitmap_rank_find(&x->bitmap, p->words, m, ids + from);
    }
  }
}
