/* See grouper.h. Rows are worked on in chunks, so that what is computed per row stays in cache. */
#include "exec/grouper.h"

#include "base/simd.h"

#define CHUNK 1024          /* rows at a time, so that the buffers stay in L1 and L2 */
#define DIRECT_FREE_BITS 16 /* an array of 64 Ki ids costs nothing worth counting … */
#define DIRECT_MOST_BITS 27
#define DIRECT_PER_ROW 16 /* … else at most so many entries per row seen */
#define FIRST_TRY                                                                                            \
  65536 /* rows after which a WORD or ROWS grouper looks whether the range is dense after all */
#define FIND_STEP 256

/* One key's place in the index of the direct array: 0 is null, 1 … are values. */
struct sp_digit {
  bool is_string, seen;
  uint64_t base;   /* the integer that is 1 */
  uint64_t lo, hi; /* of the integers seen */
  uint32_t bits, shift;
  /* strings: numbered by a store of their own */
  sp_key_store names;
  sp_row_table table;
  sp_key_layout layout;
  sp_key_field field;
  const sp_column *dict; /* the last dictionary seen, one reference, and the number of each of its entries (0
                            = not looked up yet) */
  uint32_t *codes;
  uint32_t n_codes;
};

/* ---- making ---- */

static bool direct_possible(const sp_key_layout *l) {
  for (uint32_t i = 0; i < l->n; i++) {
    if (!sp_key_is_int(l->fields[i].type) && !sp_type_is_bytes(l->fields[i].type)) {
      return false;
    }
  }
  return l->n > 0 && l->n <= 32;
}

static bool all_ints(const sp_key_layout *l) {
  return l->n_views == 0 && direct_possible(l);
}

static bool fits_word(const sp_key_layout *l) {
  return l->words == 1 || (l->n == 1 && l->fields[0].type->width == 8);
}

static bool init_digits(sp_grouper *g) {
  const sp_key_layout *l = g->store.layout;
  g->digits = sp_mem_calloc(g->store.mk.mem, l->n * sizeof(sp_digit));
  if (g->digits == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < l->n; i++) {
    sp_digit *d = &g->digits[i];
    d->is_string = sp_type_is_bytes(l->fields[i].type);
    d->field = (sp_key_field){.type = l->fields[i].type, .offset = 0, .null_offset = 16};
    d->layout = (sp_key_layout){.n = 1, .fields = &d->field, .n_views = 1, .words = 3};
    d->table.mem = g->store.mk.mem;
    sp_key_store_init(&d->names, &d->layout, g->store.mk, 0);
  }
  return true;
}

bool sp_grouper_init(sp_grouper *g, const sp_key_layout *l, sp_maker mk, size_t user_bytes, bool direct) {
  *g = (sp_grouper){.null_group = SP_NO_ID, .next_try = FIRST_TRY};
  sp_key_store_init(&g->store, l, mk, user_bytes);
  g->words.mem = mk.mem;
  g->table.mem = mk.mem;
  g->direct_wanted = direct && direct_possible(l);
  if (l->n == 0) {
    const uint64_t none = 0;
    return sp_key_store_reserve(&g->store, 1) && sp_key_store_append(&g->store, &none);
  }
  g->row_buf = sp_mem_alloc(mk.mem, (size_t)CHUNK * l->words * 8);
  g->word_buf = sp_mem_alloc(mk.mem, CHUNK * sizeof *g->word_buf);
  g->index_buf = sp_mem_alloc(mk.mem, CHUNK * sizeof *g->index_buf);
  g->fresh_buf = sp_mem_alloc(mk.mem, CHUNK * sizeof *g->fresh_buf);
  g->valid_buf = sp_mem_alloc(mk.mem, CHUNK);
  return g->row_buf != NULL && g->word_buf != NULL && g->index_buf != NULL && g->fresh_buf != NULL &&
         g->valid_buf != NULL && (!g->direct_wanted || init_digits(g));
}

static void forget_dict(sp_grouper *g, sp_digit *d) {
  sp_column_unref((sp_column *)(uintptr_t)d->dict);
  sp_mem_free(g->store.mk.mem, d->codes, d->n_codes * sizeof *d->codes);
  d->dict = NULL;
  d->codes = NULL;
  d->n_codes = 0;
}

static void release_direct(sp_grouper *g) {
  sp_mem *mem = g->store.mk.mem;
  for (uint32_t i = 0; g->digits != NULL && i < g->store.layout->n; i++) {
    forget_dict(g, &g->digits[i]);
    sp_row_table_release(&g->digits[i].table);
    sp_key_store_release(&g->digits[i].names);
  }
  if (g->digits != NULL) {
    sp_mem_free(mem, g->digits, g->store.layout->n * sizeof(sp_digit));
    g->digits = NULL;
  }
  sp_mem_free(mem, g->direct, g->direct != NULL ? ((size_t)1 << g->direct_bits) * sizeof(uint32_t) : 0);
  g->direct = NULL;
}

void sp_grouper_release(sp_grouper *g) {
  sp_mem *mem = g->store.mk.mem;
  if (mem == NULL) {
    return;
  }
  release_direct(g);
  sp_word_table_release(&g->words);
  sp_row_table_release(&g->table);
  sp_mem_free(mem, g->row_buf, (size_t)CHUNK * g->store.layout->words * 8);
  sp_mem_free(mem, g->word_buf, CHUNK * sizeof *g->word_buf);
  sp_mem_free(mem, g->index_buf, CHUNK * sizeof *g->index_buf);
  sp_mem_free(mem, g->fresh_buf, CHUNK * sizeof *g->fresh_buf);
  sp_mem_free(mem, g->valid_buf, CHUNK);
  g->row_buf = g->word_buf = NULL;
  g->index_buf = g->fresh_buf = NULL;
  g->valid_buf = NULL;
  sp_key_store_release(&g->store);
}

/* ---- leaving DIRECT, or never going there ---- */

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

static bool leave_direct(sp_grouper *g) {
  release_direct(g);
  g->direct_wanted = all_ints(g->store.layout);
  g->next_try = g->rows_seen < FIRST_TRY ? FIRST_TRY : g->rows_seen * 4;
  g->mode = fits_word(g->store.layout) ? SP_GROUPER_WORD : SP_GROUPER_ROWS;
  return g->mode == SP_GROUPER_WORD ? index_words(g) : sp_row_table_fill(&g->table, &g->store);
}

/* ---- DIRECT ---- */

static uint32_t bits_for(uint64_t count) { /* numbers 0 .. count - 1 */
  return count <= 1 ? 0 : 64 - (uint32_t)__builtin_clzll(count - 1);
}

static uint32_t digit_bits(const sp_digit *d) {
  if (d->is_string) {
    return bits_for((uint64_t)d->names.n + 1);
  }
  if (!d->seen) {
    return 0;
  }
  const uint64_t span = d->hi - d->lo;
  return span >= UINT64_C(1) << 40 ? 41 : bits_for(span + 2);
}

/* The digit of a key in a row, 0 for null; UINT64_MAX when it has none yet. */
static uint64_t digit_at(const sp_digit *d, const sp_key_field *f, const uint64_t *row) {
  if (sp_key_is_null(f, row)) {
    return 0;
  }
  if (!d->is_string) {
    const uint64_t v = sp_key_ordered_at(f, row);
    return v < d->base || v - d->base >= (UINT64_C(1) << d->bits) - 1 ? UINT64_MAX : v - d->base + 1;
  }
  uint64_t name[3] = {0, 0, 0};
  memcpy(name, (const uint8_t *)row + f->offset, 16);
  uint64_t hash;
  uint32_t id;
  sp_key_hash(&d->layout, name, 3, 1, &hash);
  sp_row_table_find(&d->table, &d->names, name, 3, &hash, 1, &id);
  return id == SP_NO_ID ? UINT64_MAX : (uint64_t)id + 1;
}

static uint64_t index_at(const sp_grouper *g, const uint64_t *row) {
  uint64_t index = 0;
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    const uint64_t digit = digit_at(&g->digits[k], &g->store.layout->fields[k], row);
    if (digit == UINT64_MAX) {
      return UINT64_MAX;
    }
    index |= digit << g->digits[k].shift;
  }
  return index;
}

static uint32_t bits_allowed(const sp_grouper *g, uint32_t rows) {
  const uint64_t entries = (g->rows_seen + rows) * DIRECT_PER_ROW;
  const uint32_t bits = entries <= 1 ? 0 : 63 - (uint32_t)__builtin_clzll(entries);
  return bits < DIRECT_FREE_BITS ? DIRECT_FREE_BITS : bits > DIRECT_MOST_BITS ? DIRECT_MOST_BITS : bits;
}

/* Lays the array out for what has been seen, with a spare bit for each digit that has just outgrown its place
 * while there are bits to spare. */
static void lay_out(sp_grouper *g, uint32_t total, uint32_t allowed) {
  uint32_t shift = 0;
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    sp_digit *d = &g->digits[k];
    const uint32_t need = digit_bits(d);
    uint32_t bits = need;
    if (need > d->bits && total < allowed && d->bits > 0) {
      bits++;
      total++;
    }
    if (!d->is_string && d->seen) {
      const uint64_t spare = ((UINT64_C(1) << bits) - 2) - (d->hi - d->lo);
      const bool downwards = d->bits > 0 && d->lo < d->base;
      d->base = !downwards ? d->lo : d->lo > spare ? d->lo - spare : 0;
    }
    d->bits = bits;
    d->shift = shift;
    shift += bits;
  }
  g->direct_bits = shift;
}

/* Makes the array anew; *ret_ok = false when the range is too large for one. */
static bool grow_direct(sp_grouper *g, uint32_t rows, bool *ret_ok) {
  uint32_t total = 0;
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    total += digit_bits(&g->digits[k]);
  }
  const uint32_t allowed = bits_allowed(g, rows);
  *ret_ok = total <= allowed;
  if (!*ret_ok) {
    return true;
  }
  sp_mem *mem = g->store.mk.mem;
  sp_mem_free(mem, g->direct, g->direct != NULL ? ((size_t)1 << g->direct_bits) * sizeof(uint32_t) : 0);
  lay_out(g, total, allowed);
  g->direct = sp_mem_calloc(mem, ((size_t)1 << g->direct_bits) * sizeof(uint32_t));
  if (g->direct == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < g->store.n; i++) {
    g->direct[index_at(g, sp_key_store_row(&g->store, i))] = i + 1;
  }
  return true;
}

SP_CLONES static void min_max(const uint64_t *v, uint32_t n, uint64_t *ret_lo, uint64_t *ret_hi) {
  uint64_t lo = UINT64_MAX;
  uint64_t hi = 0;
  for (uint32_t i = 0; i < n; i++) {
    lo = v[i] < lo ? v[i] : lo;
    hi = v[i] > hi ? v[i] : hi;
  }
  *ret_lo = lo;
  *ret_hi = hi;
}

static void min_max_valid(const uint64_t *v, const uint8_t *valid, uint32_t n, uint64_t *ret_lo,
                          uint64_t *ret_hi) {
  for (uint32_t i = 0; i < n; i++) {
    if (valid[i] != 0) {
      *ret_lo = v[i] < *ret_lo ? v[i] : *ret_lo;
      *ret_hi = v[i] > *ret_hi ? v[i] : *ret_hi;
    }
  }
}

/* Notes what integers there are; false when the digit's place is too small for them. */
static bool note_range(sp_digit *d, const uint64_t *v, const uint8_t *valid, bool nulls, uint32_t n) {
  uint64_t lo = UINT64_MAX;
  uint64_t hi = 0;
  if (nulls) {
    min_max_valid(v, valid, n, &lo, &hi);
  } else if (n > 0) {
    min_max(v, n, &lo, &hi);
  }
  if (lo > hi) {
    return true; /* nulls only */
  }
  d->lo = !d->seen || lo < d->lo ? lo : d->lo;
  d->hi = !d->seen || hi > d->hi ? hi : d->hi;
  d->seen = true;
  return lo >= d->base && d->bits > 0 && hi - d->base < (UINT64_C(1) << d->bits) - 1;
}

SP_CLONES static void put_ints(const uint64_t *restrict v, uint32_t n, uint64_t base, uint32_t shift,
                               uint32_t *restrict index) {
  for (uint32_t i = 0; i < n; i++) {
    index[i] |= (uint32_t)(v[i] - base + 1) << shift;
  }
}

static bool int_digits(sp_grouper *g, sp_digit *d, const sp_column *c, const uint16_t *sel, uint32_t from,
                       uint32_t n) {
  const bool nulls = sp_key_ordered(c, sel, from, n, g->word_buf, g->valid_buf);
  if (!note_range(d, g->word_buf, g->valid_buf, nulls, n)) {
    return false;
  }
  if (!nulls) {
    put_ints(g->word_buf, n, d->base, d->shift, g->index_buf);
    return true;
  }
  for (uint32_t i = 0; i < n; i++) {
    g->index_buf[i] |= g->valid_buf[i] != 0 ? (uint32_t)(g->word_buf[i] - d->base + 1) << d->shift : 0;
  }
  return true;
}

/* Numbers n strings; 0 = out of memory. */
static uint32_t number_string(sp_digit *d, const sp_view *v) {
  uint64_t name[3] = {0, 0, 0};
  memcpy(name, v, 16);
  uint64_t hash;
  uint32_t id;
  sp_key_hash(&d->layout, name, 3, 1, &hash);
  return sp_row_table_add(&d->table, &d->names, name, 3, &hash, 1, &id) ? id + 1 : 0;
}

/* codes for the column's dictionary (a CONST or FLAT one has none). */
static bool know_dict(sp_grouper *g, sp_digit *d, const sp_column *c) {
  if (d->dict == c->dict) {
    return true;
  }
  forget_dict(g, d);
  d->codes = sp_mem_calloc(g->store.mk.mem, (size_t)c->dict->length * sizeof *d->codes);
  if (d->codes == NULL) {
    return false;
  }
  d->n_codes = c->dict->length;
  d->dict = sp_column_ref(c->dict);
  return true;
}

static bool string_digits(sp_grouper *g, sp_digit *d, const sp_column *c, const uint16_t *sel, uint32_t from,
                          uint32_t n) {
  const sp_reader r = sp_column_reader(c);
  const sp_view *views = r.data;
  if (r.codes != NULL && !know_dict(g, d, c)) {
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t row = sel != NULL ? sel[from + i] : from + i;
    if (!sp_reader_valid(&r, row)) {
      continue;
    }
    uint32_t code;
    if (r.codes != NULL) {
      code = d->codes[r.codes[row]];
      if (SP_UNLIKELY(code == 0)) {
        code = number_string(d, &views[r.codes[row]]);
        d->codes[r.codes[row]] = code;
      }
    } else if (r.is_const && i > 0) {
      code = g->fresh_buf[0];
    } else {
      code = number_string(d, &views[r.is_const ? 0 : row]);
      g->fresh_buf[0] = code;
    }
    if (code == 0) {
      return false;
    }
    g->index_buf[i] |= d->shift < 32 ? code << d->shift : 0;
  }
  return true;
}

/* Fills index_buf; *ret_fits = false when the array must grow first. */
static bool direct_index(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                         uint32_t n, bool *ret_fits) {
  memset(g->index_buf, 0, n * sizeof *g->index_buf);
  bool fits = g->direct != NULL;
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    sp_digit *d = &g->digits[k];
    if (!d->is_string) {
      fits &= int_digits(g, d, cols[k], sel, from, n);
      continue;
    }
    if (!string_digits(g, d, cols[k], sel, from, n)) {
      return false;
    }
    fits &= (uint64_t)d->names.n + 1 <= UINT64_C(1) << d->bits;
  }
  *ret_fits = fits;
  return true;
}

static void look_up(const uint32_t *direct, const uint32_t *index, uint32_t n, uint32_t *ids,
                    uint32_t *ret_missing) {
  uint32_t missing = 0;
  for (uint32_t i = 0; i < n; i++) {
    ids[i] = direct[index[i]] - 1;
    missing += ids[i] == SP_NO_ID;
  }
  *ret_missing = missing;
}

static bool append_row(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t row) {
  sp_key_encode(g->store.layout, cols, sel, row, 1, g->row_buf, g->store.layout->words);
  return sp_key_store_append(&g->store, g->row_buf);
}

static bool add_direct(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                       uint32_t n, uint32_t *ids, bool *ret_left) {
  for (;;) {
    bool fits;
    if (!direct_index(g, cols, sel, from, n, &fits)) {
      return false;
    }
    if (fits) {
      break;
    }
    bool ok;
    if (!grow_direct(g, n, &ok)) {
      return false;
    }
    if (!ok) {
      *ret_left = true;
      return leave_direct(g);
    }
  }
  uint32_t missing;
  look_up(g->direct, g->index_buf, n, ids, &missing);
  if (missing == 0) {
    return true;
  }
  if (!sp_key_store_reserve(&g->store, missing)) {
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    uint32_t *slot = &g->direct[g->index_buf[i]];
    if (*slot == 0) {
      if (!append_row(g, cols, sel, from + i)) {
        return false;
      }
      *slot = g->store.n;
    }
    ids[i] = *slot - 1;
  }
  return true;
}

/* ---- WORD, ROWS ---- */

/* Rows with null, where a word has no room for it, have a group of their own; the others are moved together,
 * their positions noted. */
static bool split_nulls(sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids,
                        uint32_t *positions, uint32_t *ret_n) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (rows[i * stride + 1] == 0) {
      g->word_buf[kept] = rows[i * stride];
      positions[kept++] = i;
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
  uint32_t *positions = g->index_buf;
  if (wide && !split_nulls(g, rows, stride, n, ids, positions, &kept)) {
    return false;
  }
  for (uint32_t i = 0; i < n && !wide; i++) {
    g->word_buf[i] = rows[i * stride];
  }
  uint32_t next = g->store.n;
  uint32_t n_fresh = 0;
  /* ids of a full chunk go to their place directly */
  uint32_t *to = kept == n ? ids : (uint32_t *)(void *)g->row_buf;
  if (!sp_key_store_reserve(&g->store, kept) ||
      !sp_word_table_add(&g->words, g->word_buf, kept, to, &next, g->fresh_buf, &n_fresh) ||
      !append_words(g, g->word_buf, n_fresh)) {
    return false;
  }
  for (uint32_t i = 0; i < kept && kept < n; i++) {
    ids[positions[i]] = to[i];
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

static bool comes_as_codes(const sp_grouper *g, const sp_column *const *cols) {
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    if (g->digits[k].is_string && cols[k]->encoding == SP_FLAT) {
      return false;
    }
  }
  return true;
}

/* After many rows the integers may have turned out to be dense. */
static bool try_direct(sp_grouper *g) {
  g->next_try = g->rows_seen * 4;
  if (!init_digits(g)) {
    return false;
  }
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    sp_digit *d = &g->digits[k];
    const sp_key_field *f = &g->store.layout->fields[k];
    for (uint32_t i = 0; i < g->store.n; i++) {
      const uint64_t *row = sp_key_store_row(&g->store, i);
      if (!sp_key_is_null(f, row)) {
        const uint64_t v = sp_key_ordered_at(f, row);
        (void)note_range(d, &v, NULL, false, 1);
      }
    }
  }
  bool ok;
  if (!grow_direct(g, 0, &ok)) {
    return false;
  }
  if (!ok) {
    release_direct(g);
    return true;
  }
  sp_word_table_release(&g->words);
  sp_row_table_release(&g->table);
  g->null_group = SP_NO_ID;
  g->mode = SP_GROUPER_DIRECT;
  return true;
}

static bool choose(sp_grouper *g, const sp_column *const *cols) {
  if (g->mode == SP_GROUPER_NEW) {
    if (g->direct_wanted && cols != NULL && comes_as_codes(g, cols)) {
      g->mode = SP_GROUPER_DIRECT;
      return true;
    }
    return leave_direct(g);
  }
  if (g->mode != SP_GROUPER_DIRECT && g->direct_wanted && g->rows_seen >= g->next_try && g->store.n > 1024) {
    return try_direct(g);
  }
  return true;
}

bool sp_grouper_add(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t n,
                    uint32_t *ids) {
  if (g->store.layout->n == 0) {
    memset(ids, 0, n * sizeof *ids);
    return true;
  }
  for (uint32_t from = 0; from < n; from += CHUNK) {
    const uint32_t m = n - from < CHUNK ? n - from : CHUNK;
    if (!choose(g, cols)) {
      return false;
    }
    bool left = g->mode != SP_GROUPER_DIRECT;
    if (!left && !add_direct(g, cols, sel, from, m, ids + from, &left)) {
      return false;
    }
    if (left) {
      const uint32_t words = g->store.layout->words;
      sp_key_encode(g->store.layout, cols, sel, from, m, g->row_buf, words);
      if (!add_encoded(g, g->row_buf, words, m, ids + from)) {
        return false;
      }
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
  if ((g->mode == SP_GROUPER_NEW || g->mode == SP_GROUPER_DIRECT) && !leave_direct(g)) {
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
  for (uint32_t from = 0; from < n; from += FIND_STEP) {
    const uint32_t m = n - from < FIND_STEP ? n - from : FIND_STEP;
    const uint64_t *at = rows + from * stride;
    if (g->store.layout->n == 0) {
      memset(ids + from, 0, m * sizeof *ids);
    } else if (g->mode == SP_GROUPER_WORD) {
      find_words(g, at, stride, m, ids + from);
    } else if (g->mode == SP_GROUPER_ROWS) {
      find_rows(g, at, stride, m, ids + from);
    } else {
      for (uint32_t i = 0; i < m; i++) {
        const uint64_t index = g->direct != NULL ? index_at(g, at + i * stride) : UINT64_MAX;
        ids[from + i] = index == UINT64_MAX ? SP_NO_ID : g->direct[index] - 1;
      }
    }
  }
}
