/* The grouper's numbers of all keys: every key is a digit, and the number is the place in an array of ids
 * (DIRECT), or, where that would be too large for the rows there are, a 64-bit key of a table (PACKED).
 *
 *   (returnflag, linestatus)   2 bits, 2 bits: an array of 16
 *   (partkey, suppkey)         18 bits, 14 bits: an array of 16 GiB, or a table of words
 *
 * Ranges grow as rows come. A layout has room to spare, so that it is seldom made anew; then all groups get
 * new numbers. */
#include "exec/grouper_impl.h"

#include "base/simd.h"

#define CHUNK SP_GROUPER_CHUNK
#define FREE_BITS 16 /* an array of 64 Ki ids costs nothing worth counting … */
#define MOST_BITS 27
#define PER_ROW 16 /* … else at most so many entries per row seen */
#define PACKED_BITS 63
#define SPARE_BITS 8    /* room for growth of one digit of a packed key */
#define FLAT_MOST 65536 /* strings looked up one by one before that is given up */

bool sp_digits_possible(const sp_key_layout *l) {
  for (uint32_t i = 0; i < l->n; i++) {
    if (!sp_key_is_int(l->fields[i].type) && !sp_type_is_bytes(l->fields[i].type)) {
      return false;
    }
  }
  return l->n > 0 && l->n <= 32;
}

bool sp_digits_init(sp_grouper *g) {
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

static void forget_dict(sp_grouper *g, sp_digit *d) {
  sp_column_unref((sp_column *)(uintptr_t)d->dict);
  sp_mem_free(g->store.mk.mem, d->codes, d->n_codes * sizeof *d->codes);
  d->dict = NULL;
  d->codes = NULL;
  d->n_codes = 0;
}

static void free_array(sp_grouper *g) {
  sp_mem_free(g->store.mk.mem, g->direct,
              g->direct != NULL ? ((size_t)1 << g->direct_bits) * sizeof(uint32_t) : 0);
  g->direct = NULL;
}

void sp_digits_release(sp_grouper *g) {
  for (uint32_t i = 0; g->digits != NULL && i < g->store.layout->n; i++) {
    forget_dict(g, &g->digits[i]);
    sp_row_table_release(&g->digits[i].table);
    sp_key_store_release(&g->digits[i].names);
  }
  if (g->digits != NULL) {
    sp_mem_free(g->store.mk.mem, g->digits, g->store.layout->n * sizeof(sp_digit));
    g->digits = NULL;
  }
  free_array(g);
}

/* ---- numbers of rows in the store ---- */

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

static uint64_t number_at(const sp_grouper *g, const uint64_t *row) {
  uint64_t number = 0;
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    const uint64_t digit = digit_at(&g->digits[k], &g->store.layout->fields[k], row);
    if (digit == UINT64_MAX) {
      return UINT64_MAX;
    }
    number |= digit << g->digits[k].shift;
  }
  return number;
}

void sp_digits_find(const sp_grouper *g, const uint64_t *rows, size_t stride, uint32_t n, uint32_t *ids) {
  uint64_t numbers[256];
  for (uint32_t from = 0; from < n; from += 256) {
    const uint32_t m = n - from < 256 ? n - from : 256;
    for (uint32_t i = 0; i < m; i++) {
      numbers[i] = number_at(g, rows + (from + i) * stride);
    }
    if (g->mode == SP_GROUPER_PACKED) {
      sp_word_table_find(&g->words, numbers, m, ids + from);
      continue;
    }
    for (uint32_t i = 0; i < m; i++) {
      ids[from + i] = numbers[i] == UINT64_MAX || g->direct == NULL ? SP_NO_ID : g->direct[numbers[i]] - 1;
    }
  }
}

/* ---- layouts ---- */

static uint32_t bits_for(uint64_t count) {
  return count <= 1 ? 0 : 64 - (uint32_t)__builtin_clzll(count - 1);
}

/* Bits that a digit needs for what has been seen. */
static uint32_t digit_bits(const sp_digit *d) {
  if (d->is_string) {
    return bits_for((uint64_t)d->names.n + 1);
  }
  return !d->seen ? 0 : d->hi - d->lo >= UINT64_MAX / 4 ? 64 : bits_for(d->hi - d->lo + 2);
}

static uint32_t bits_allowed(const sp_grouper *g, uint32_t rows) {
  const uint64_t entries = (g->rows_seen + rows) * PER_ROW;
  const uint32_t bits = entries <= 1 ? 0 : 63 - (uint32_t)__builtin_clzll(entries);
  return bits < FREE_BITS ? FREE_BITS : bits > MOST_BITS ? MOST_BITS : bits;
}

static void place_digit(sp_digit *d, uint32_t bits, uint32_t *shift, bool middle) {
  if (!d->is_string && d->seen) {
    const uint64_t spare = ((UINT64_C(1) << bits) - 2) - (d->hi - d->lo);
    const uint64_t below = middle ? spare / 2 : d->bits > 0 && d->lo < d->base ? spare : 0;
    d->base = d->lo > below ? d->lo - below : 0;
  }
  d->bits = bits;
  d->shift = *shift;
  *shift += bits;
}

/* A digit that has just outgrown its place gets a bit to spare while there are any, on the side to which it
 * grew. */
static bool make_direct(sp_grouper *g, uint32_t total, uint32_t allowed) {
  uint32_t shift = 0;
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    sp_digit *d = &g->digits[k];
    const uint32_t need = digit_bits(d);
    const bool more = need > d->bits && d->bits > 0 && total < allowed;
    total += more;
    place_digit(d, need + more, &shift, false);
  }
  g->mode = SP_GROUPER_DIRECT;
  g->direct_bits = shift;
  g->direct = sp_mem_calloc(g->store.mk.mem, ((size_t)1 << shift) * sizeof(uint32_t));
  for (uint32_t i = 0; i < g->store.n && g->direct != NULL; i++) {
    g->direct[number_at(g, sp_key_store_row(&g->store, i))] = i + 1;
  }
  return g->direct != NULL;
}

static bool make_packed(sp_grouper *g, uint32_t total) {
  const uint32_t n = g->store.layout->n;
  const uint32_t spare = (PACKED_BITS - total) / n < SPARE_BITS ? (PACKED_BITS - total) / n : SPARE_BITS;
  uint32_t shift = 0;
  for (uint32_t k = 0; k < n; k++) {
    place_digit(&g->digits[k], digit_bits(&g->digits[k]) + spare, &shift, true);
  }
  g->mode = SP_GROUPER_PACKED;
  if (!sp_word_table_reserve(&g->words, g->store.n)) {
    return false;
  }
  for (uint32_t i = 0; i < g->store.n;) {
    const uint64_t number = number_at(g, sp_key_store_row(&g->store, i));
    uint32_t id;
    uint32_t fresh;
    uint32_t n_fresh;
    if (!sp_word_table_add(&g->words, &number, 1, &id, &i, &fresh, &n_fresh)) {
      return false;
    }
  }
  return true;
}

static uint32_t total_bits(const sp_grouper *g) {
  uint32_t total = 0;
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    total += digit_bits(&g->digits[k]);
  }
  return total;
}

/* Numbers all groups anew for the ranges seen; *ret_ok = false when they have outgrown 63 bits. */
static bool lay_out(sp_grouper *g, uint32_t rows, bool *ret_ok) {
  const uint32_t total = total_bits(g);
  const uint32_t allowed = bits_allowed(g, rows);
  *ret_ok = total <= PACKED_BITS;
  if (!*ret_ok) {
    return true;
  }
  free_array(g);
  sp_word_table_release(&g->words);
  return total <= allowed ? make_direct(g, total, allowed) : make_packed(g, total);
}

/* ---- numbers of a batch's rows ---- */

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
                               uint64_t *restrict numbers) {
  for (uint32_t i = 0; i < n; i++) {
    numbers[i] |= (v[i] - base + 1) << shift;
  }
}

static bool int_digits(sp_grouper *g, sp_digit *d, const sp_column *c, const uint16_t *sel, uint32_t from,
                       uint32_t n) {
  const bool nulls = sp_key_ordered(c, sel, from, n, g->word_buf, g->valid_buf);
  if (!note_range(d, g->word_buf, g->valid_buf, nulls, n)) {
    return false;
  }
  if (!nulls) {
    put_ints(g->word_buf, n, d->base, d->shift, g->number_buf);
    return true;
  }
  for (uint32_t i = 0; i < n; i++) {
    g->number_buf[i] |= g->valid_buf[i] != 0 ? (g->word_buf[i] - d->base + 1) << d->shift : 0;
  }
  return true;
}

/* The number of a string, from 1 on; 0 = out of memory. */
static uint32_t number_string(sp_digit *d, const sp_view *v) {
  uint64_t name[3] = {0, 0, 0};
  memcpy(name, v, 16);
  uint64_t hash;
  uint32_t id;
  sp_key_hash(&d->layout, name, 3, 1, &hash);
  return sp_row_table_add(&d->table, &d->names, name, 3, &hash, 1, &id) ? id + 1 : 0;
}

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

static inline uint32_t row_of(const uint16_t *sel, uint32_t i) {
  return sel != NULL ? sel[i] : i;
}

static bool dict_digits(sp_grouper *g, sp_digit *d, const sp_column *c, const uint16_t *sel, uint32_t from,
                        uint32_t n) {
  const sp_reader r = sp_column_reader(c);
  const sp_view *views = r.data;
  if (!know_dict(g, d, c)) {
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t row = row_of(sel, from + i);
    if (!sp_reader_valid(&r, row)) {
      continue;
    }
    uint32_t *code = &d->codes[r.codes[row]];
    if (SP_UNLIKELY(*code == 0)) {
      *code = number_string(d, &views[r.codes[row]]);
      if (*code == 0) {
        return false;
      }
    }
    g->number_buf[i] |= (uint64_t)*code << d->shift;
  }
  return true;
}

static bool string_digits(sp_grouper *g, sp_digit *d, const sp_column *c, const uint16_t *sel, uint32_t from,
                          uint32_t n) {
  if (c->encoding == SP_DICT) {
    return dict_digits(g, d, c, sel, from, n);
  }
  const sp_reader r = sp_column_reader(c);
  const sp_view *views = r.data;
  uint32_t code = 0;
  d->n_flat += r.is_const ? 0 : n;
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t row = row_of(sel, from + i);
    if (!sp_reader_valid(&r, row)) {
      continue;
    }
    if (!r.is_const || code == 0) {
      code = number_string(d, &views[sp_reader_index(&r, row)]);
      if (code == 0) {
        return false;
      }
    }
    g->number_buf[i] |= (uint64_t)code << d->shift;
  }
  return true;
}

/* Fills number_buf; *ret_fits = false when a new layout is needed first. */
static bool number_rows(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                        uint32_t n, bool *ret_fits) {
  memset(g->number_buf, 0, n * sizeof *g->number_buf);
  bool fits = g->direct != NULL || g->mode == SP_GROUPER_PACKED;
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

/* ---- adding ---- */

/* Rows that made groups, whose positions are in fresh_buf, into the store. */
static bool append_fresh(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                         uint32_t n) {
  const uint32_t words = g->store.layout->words;
  for (uint32_t i = 0; i < n; i++) {
    g->sel_buf[i] = (uint16_t)row_of(sel, from + g->fresh_buf[i]);
  }
  sp_key_encode(g->store.layout, cols, g->sel_buf, 0, n, g->row_buf, words);
  for (uint32_t i = 0; i < n; i++) {
    if (!sp_key_store_append(&g->store, g->row_buf + (size_t)i * words)) {
      return false;
    }
  }
  return true;
}

static void look_up(const uint32_t *direct, const uint64_t *numbers, uint32_t n, uint32_t *ids,
                    uint32_t *ret_missing) {
  uint32_t missing = 0;
  for (uint32_t i = 0; i < n; i++) {
    ids[i] = direct[numbers[i]] - 1;
    missing += ids[i] == SP_NO_ID;
  }
  *ret_missing = missing;
}

static bool add_direct(sp_grouper *g, uint32_t n, uint32_t *ids, uint32_t *ret_fresh) {
  uint32_t missing;
  look_up(g->direct, g->number_buf, n, ids, &missing);
  *ret_fresh = 0;
  if (missing == 0) {
    return true;
  }
  if (!sp_key_store_reserve(&g->store, missing)) {
    return false;
  }
  uint32_t n_fresh = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t *slot = &g->direct[g->number_buf[i]];
    if (*slot == 0) {
      g->fresh_buf[n_fresh++] = i;
      *slot = g->store.n + n_fresh;
    }
    ids[i] = *slot - 1;
  }
  *ret_fresh = n_fresh;
  return true;
}

static bool strings_came_flat(const sp_grouper *g) {
  for (uint32_t k = 0; k < g->store.layout->n; k++) {
    if (g->digits[k].n_flat > FLAT_MOST) {
      return true;
    }
  }
  return false;
}

/* A packed range may have turned out to be dense. */
static bool is_dense_now(sp_grouper *g) {
  if (g->mode != SP_GROUPER_PACKED || g->rows_seen < g->next_try) {
    return false;
  }
  g->next_try = g->rows_seen * 2;
  return total_bits(g) <= bits_allowed(g, 0);
}

bool sp_digits_add(sp_grouper *g, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                   uint32_t n, uint32_t *ids, bool *ret_left) {
  *ret_left = strings_came_flat(g);
  bool fits = !*ret_left;
  bool ok = fits;
  if (fits && is_dense_now(g) && !lay_out(g, 0, &ok)) {
    return false;
  }
  for (fits = false; ok && !fits;) {
    if (!number_rows(g, cols, sel, from, n, &fits) || (!fits && !lay_out(g, n, &ok))) {
      return false;
    }
  }
  if (!ok) {
    *ret_left = true;
    return true;
  }
  uint32_t n_fresh = 0;
  if (g->mode == SP_GROUPER_DIRECT) {
    if (!add_direct(g, n, ids, &n_fresh)) {
      return false;
    }
  } else {
    uint32_t next = g->store.n;
    if (!sp_key_store_reserve(&g->store, n) ||
        !sp_word_table_add(&g->words, g->number_buf, n, ids, &next, g->fresh_buf, &n_fresh)) {
      return false;
    }
  }
  return n_fresh == 0 || append_fresh(g, cols, sel, from, n_fresh);
}
