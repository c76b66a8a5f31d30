/* See sort_keys.h. */
#include "exec/sort_keys.h"

#include "exec/key_rows.h"

#define CHUNK 512
#define PREFIX 12     /* bytes of a string of unknown length */
#define SHORT_MOST 15 /* strings up to so many bytes are encoded whole, with 4 bits for the length */
#define SIGN (UINT64_C(1) << 63)

void sp_sort_key_unknown(sp_sort_key *k) {
  k->no_nulls = false;
  k->ranged = false;
  k->max_len = UINT32_MAX;
}

/* ---- layout ---- */

static uint32_t bits_for(uint64_t count) {
  return count <= 1 ? 0 : 64 - (uint32_t)__builtin_clzll(count - 1);
}

/* Bits of the value alone; *ret_exact: do they decide it? */
static uint32_t value_bits(const sp_sort_key *k, bool *ret_exact) {
  *ret_exact = true;
  if (k->ranged) {
    const uint64_t span = k->hi - k->lo;
    return span == UINT64_MAX ? 64 : bits_for(span + 1);
  }
  if (sp_type_is_bytes(k->type)) {
    *ret_exact = k->max_len <= SHORT_MOST;
    return *ret_exact ? k->max_len * 8 + (k->max_len > 0 ? 4 : 0) : PREFIX * 8;
  }
  *ret_exact = k->type->phys != SP_PHYS_INTERVAL;
  return *ret_exact ? k->type->width * 8 : 0;
}

void sp_sort_layout_set(sp_sort_layout *l) {
  uint32_t bits = 0;
  l->rest = l->n;
  for (uint32_t i = 0; i < l->n; i++) {
    bool exact;
    const uint32_t need = !l->keys[i].no_nulls + value_bits(&l->keys[i], &exact);
    l->keys[i].bits = 0;
    if (bits + need > SP_SORT_WORDS * 64) {
      l->rest = l->rest < i ? l->rest : i;
      break;
    }
    l->keys[i].bits = need;
    bits += need;
    if (!exact) {
      l->rest = i;
      break;
    }
  }
  for (uint32_t i = l->rest + 1; i < l->n; i++) {
    l->keys[i].bits = 0;
  }
  l->words = bits == 0 ? 1 : (bits + 63) / 64;
}

/* ---- what is there ---- */

static void note_ints(sp_sort_stats *s, const sp_column *c) {
  uint64_t v[CHUNK];
  uint8_t valid[CHUNK];
  for (uint32_t from = 0; from < c->length; from += CHUNK) {
    const uint32_t n = c->length - from < CHUNK ? c->length - from : CHUNK;
    s->nulls |= sp_key_ordered(c, NULL, from, n, v, valid);
    for (uint32_t i = 0; i < n; i++) {
      if (valid[i] != 0) {
        s->lo = !s->seen || v[i] < s->lo ? v[i] : s->lo;
        s->hi = !s->seen || v[i] > s->hi ? v[i] : s->hi;
        s->seen = true;
      }
    }
  }
}

void sp_sort_stats_note(sp_sort_stats *s, const sp_column *c) {
  if (sp_key_is_int(c->type)) {
    note_ints(s, c);
    return;
  }
  const sp_reader r = sp_column_reader(c);
  const bool strings = sp_type_is_bytes(c->type);
  const sp_view *v = r.data;
  for (uint32_t i = 0; i < c->length; i++) {
    if (c->type->phys == SP_PHYS_NONE || !sp_reader_valid(&r, i)) {
      s->nulls = true;
      continue;
    }
    s->seen = true;
    if (strings) {
      const uint32_t n = v[sp_reader_index(&r, i)].n;
      s->max_len = n > s->max_len ? n : s->max_len;
    }
  }
}

void sp_sort_stats_merge(sp_sort_stats *s, const sp_sort_stats *other) {
  s->nulls |= other->nulls;
  s->max_len = other->max_len > s->max_len ? other->max_len : s->max_len;
  if (other->seen) {
    s->lo = !s->seen || other->lo < s->lo ? other->lo : s->lo;
    s->hi = !s->seen || other->hi > s->hi ? other->hi : s->hi;
    s->seen = true;
  }
}

void sp_sort_key_know(sp_sort_key *k, const sp_sort_stats *s) {
  k->no_nulls = !s->nulls;
  k->max_len = s->max_len;
  k->ranged = sp_key_is_int(k->type);
  k->lo = s->seen ? s->lo : 0;
  k->hi = s->seen ? s->hi : 0;
}

/* ---- encoding ---- */

typedef struct writer { /* where a field goes */
  uint64_t *out;
  uint32_t words; /* per row */
  uint32_t at;    /* bits before it */
} writer;

/* Appends a field of every row; bits past the last word are cut off. */
static void put(writer *w, const uint64_t *v, uint32_t n, uint32_t bits) {
  const uint32_t word = w->at / 64;
  const uint32_t off = w->at % 64;
  w->at += bits;
  if (bits == 0 || word >= w->words) {
    return;
  }
  uint64_t *to = w->out + word;
  if (off + bits <= 64) {
    const uint32_t shift = 64 - off - bits;
    for (uint32_t i = 0; i < n; i++, to += w->words) {
      *to |= v[i] << shift;
    }
    return;
  }
  const uint32_t low = off + bits - 64;
  const bool both = word + 1 < w->words;
  for (uint32_t i = 0; i < n; i++, to += w->words) {
    to[0] |= v[i] >> low;
    if (both) {
      to[1] |= v[i] << (64 - low);
    }
  }
}

static inline uint64_t mask_of(uint32_t bits) {
  return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* Values of valid rows inverted within their bits when descending, those of nulls zero. */
static void finish_values(const sp_sort_key *k, uint64_t *v, const uint8_t *valid, uint32_t n,
                          uint32_t bits) {
  const uint64_t flip = k->descending ? mask_of(bits) : 0;
  for (uint32_t i = 0; i < n; i++) {
    v[i] = valid[i] != 0 ? v[i] ^ flip : 0;
  }
}

static void put_nulls(const sp_sort_key *k, writer *w, const uint8_t *valid, uint32_t n, uint64_t *v) {
  for (uint32_t i = 0; i < n; i++) {
    v[i] = (valid[i] != 0) != k->nulls_last;
  }
  put(w, v, n, k->no_nulls ? 0 : 1);
}

static inline uint32_t row_of(const uint16_t *sel, uint32_t from, uint32_t i) {
  return sel != NULL ? sel[from + i] : from + i;
}

static void read_valid(const sp_reader *r, const sp_type *t, const uint16_t *sel, uint32_t from, uint32_t n,
                       uint8_t *valid) {
  for (uint32_t i = 0; i < n; i++) {
    valid[i] = t->phys != SP_PHYS_NONE && sp_reader_valid(r, row_of(sel, from, i));
  }
}

static void put_ints(const sp_sort_key *k, writer *w, const sp_column *c, const uint16_t *sel, uint32_t from,
                     uint32_t n) {
  uint64_t v[CHUNK];
  uint64_t nulls[CHUNK];
  uint8_t valid[CHUNK];
  (void)sp_key_ordered(c, sel, from, n, v, valid);
  put_nulls(k, w, valid, n, nulls);
  const uint32_t bits = k->bits - !k->no_nulls;
  const uint64_t base = k->ranged ? k->lo : 0;
  const uint64_t sign =
      k->ranged || k->type->phys >= SP_PHYS_U8 ? 0 : SIGN ^ (bits < 64 ? UINT64_C(1) << (bits - 1) : SIGN);
  const uint64_t top = k->hi - k->lo;
  for (uint32_t i = 0; i < n; i++) {
    /* a signed number of full width: its own sign bit flipped, not that of 64 bits */
    const uint64_t code = ((v[i] ^ sign) - base) & mask_of(bits);
    v[i] = valid[i] == 0 ? 0 : !k->descending ? code : k->ranged ? top - code : code ^ mask_of(bits);
  }
  put(w, v, n, bits);
}

static uint64_t float_code(double f, bool descending) {
  uint64_t u;
  f = f == 0 ? 0 : f;
  memcpy(&u, &f, sizeof u);
  u = (u & SIGN) != 0 ? ~u : u | SIGN;
  return f != f ? UINT64_MAX : descending ? ~u : u;
}

static uint64_t float32_code(float f, bool descending) {
  uint32_t u;
  f = f == 0 ? 0 : f;
  memcpy(&u, &f, sizeof u);
  u = (u >> 31) != 0 ? ~u : u | UINT32_C(0x80000000);
  return f != f ? UINT32_MAX : descending ? (uint32_t)~u : u;
}

static void put_floats(const sp_sort_key *k, writer *w, const sp_column *c, const uint16_t *sel,
                       uint32_t from, uint32_t n) {
  const sp_reader r = sp_column_reader(c);
  uint64_t v[CHUNK];
  uint8_t valid[CHUNK];
  read_valid(&r, k->type, sel, from, n, valid);
  put_nulls(k, w, valid, n, v);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t at = sp_reader_index(&r, row_of(sel, from, i));
    v[i] = valid[i] == 0                  ? 0
           : k->type->phys == SP_PHYS_F64 ? float_code(((const double *)r.data)[at], k->descending)
                                          : float32_code(((const float *)r.data)[at], k->descending);
  }
  put(w, v, n, k->type->width * 8);
}

static void put_i128(const sp_sort_key *k, writer *w, const sp_column *c, const uint16_t *sel, uint32_t from,
                     uint32_t n) {
  const sp_reader r = sp_column_reader(c);
  uint64_t hi[CHUNK];
  uint64_t lo[CHUNK];
  uint8_t valid[CHUNK];
  read_valid(&r, k->type, sel, from, n, valid);
  put_nulls(k, w, valid, n, hi);
  for (uint32_t i = 0; i < n; i++) {
    sp_i128 x;
    memcpy(&x, (const uint8_t *)r.data + 16 * (size_t)sp_reader_index(&r, row_of(sel, from, i)), sizeof x);
    hi[i] = (uint64_t)((sp_u128)x >> 64) ^ SIGN;
    lo[i] = (uint64_t)x;
  }
  finish_values(k, hi, valid, n, 64);
  finish_values(k, lo, valid, n, 64);
  put(w, hi, n, 64);
  put(w, lo, n, 64);
}

/* Bytes [from, from + len) of a string as a number, zeros past its end. */
static uint64_t string_part(const sp_view *v, uint32_t from, uint32_t len) {
  uint8_t b[8] = {0};
  const uint32_t have = v->n > from ? v->n - from : 0;
  memcpy(b, sp_view_ptr(v) + (have > 0 ? from : 0), have < len ? have : len);
  uint64_t x;
  memcpy(&x, b, 8);
  return __builtin_bswap64(x) >> (64 - 8 * len);
}

static void put_strings(const sp_sort_key *k, writer *w, const sp_column *c, const uint16_t *sel,
                        uint32_t from, uint32_t n) {
  const sp_reader r = sp_column_reader(c);
  const sp_view *views = r.data;
  uint64_t v[CHUNK];
  uint8_t valid[CHUNK];
  read_valid(&r, k->type, sel, from, n, valid);
  put_nulls(k, w, valid, n, v);
  const bool whole = k->max_len <= SHORT_MOST;
  const uint32_t bytes = whole ? k->max_len : PREFIX;
  for (uint32_t at = 0; at < bytes; at += 8) {
    const uint32_t len = bytes - at < 8 ? bytes - at : 8;
    for (uint32_t i = 0; i < n; i++) {
      v[i] = valid[i] != 0 ? string_part(&views[sp_reader_index(&r, row_of(sel, from, i))], at, len) : 0;
    }
    finish_values(k, v, valid, n, len * 8);
    put(w, v, n, len * 8);
  }
  if (whole && bytes > 0) {
    for (uint32_t i = 0; i < n; i++) {
      v[i] = valid[i] != 0 ? views[sp_reader_index(&r, row_of(sel, from, i))].n : 0;
    }
    finish_values(k, v, valid, n, 4);
    put(w, v, n, 4);
  }
}

static void put_key(const sp_sort_key *k, writer *w, const sp_column *c, const uint16_t *sel, uint32_t from,
                    uint32_t n) {
  if (sp_key_is_int(k->type)) {
    put_ints(k, w, c, sel, from, n);
  } else if (sp_type_is_float(k->type)) {
    put_floats(k, w, c, sel, from, n);
  } else if (sp_type_is_bytes(k->type)) {
    put_strings(k, w, c, sel, from, n);
  } else if (k->type->phys == SP_PHYS_I128) {
    put_i128(k, w, c, sel, from, n);
  } else {
    const sp_reader r = sp_column_reader(c);
    uint64_t v[CHUNK];
    uint8_t valid[CHUNK];
    read_valid(&r, k->type, sel, from, n, valid);
    put_nulls(k, w, valid, n, v);
  }
}

void sp_sort_encode(const sp_sort_layout *l, const sp_column *const *cols, const uint16_t *sel, uint32_t from,
                    uint32_t n, uint32_t words, uint64_t *out) {
  memset(out, 0, (size_t)n * words * sizeof *out);
  for (uint32_t start = 0; start < n; start += CHUNK) {
    const uint32_t m = n - start < CHUNK ? n - start : CHUNK;
    writer w = {.out = out + (size_t)start * words, .words = words};
    for (uint32_t i = 0; i < l->n && w.at < words * 64; i++) {
      if (l->keys[i].bits > 0) {
        put_key(&l->keys[i], &w, cols[i], sel, from + start, m);
      }
    }
  }
}

/* ---- comparing values ---- */

static int compare_key(const sp_sort_key *k, const sp_column *c, uint32_t a, uint32_t b) {
  const bool an = k->type->phys == SP_PHYS_NONE || sp_column_is_null(c, a);
  const bool bn = k->type->phys == SP_PHYS_NONE || sp_column_is_null(c, b);
  if (an || bn) {
    return an == bn ? 0 : an == k->nulls_last ? 1 : -1;
  }
  if (sp_type_is_bytes(k->type)) {
    const sp_reader r = sp_column_reader(c);
    const sp_view *v = r.data;
    const int s = sp_view_cmp(&v[sp_reader_index(&r, a)], &v[sp_reader_index(&r, b)]);
    return k->descending ? -s : s;
  }
  const sp_value x = sp_column_value(c, a);
  const sp_value y = sp_column_value(c, b);
  if (sp_type_is_float(k->type) && (x.f != x.f || y.f != y.f)) {
    return (x.f != x.f) - (y.f != y.f);
  }
  const int s = sp_value_cmp(&x, &y);
  return k->descending ? -s : s;
}

int sp_sort_compare_rest(const sp_sort_layout *l, const sp_column *const *cols, uint32_t a, uint32_t b) {
  for (uint32_t i = l->rest; i < l->n; i++) {
    const int s = compare_key(&l->keys[i], cols[i], a, b);
    if (s != 0) {
      return s;
    }
  }
  return 0;
}
