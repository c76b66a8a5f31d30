/* One column chunk: its pages from first to last, each inflated at most once and only when a row of it is
 * wanted.
 *
 * A window becomes, in this order of preference:
 *   a slice of the page itself   PLAIN fixed-width values without nulls whose bytes happen to be aligned
 *   DICT                         all its pages are dictionary-encoded
 *   FLAT                         anything else, a mixture included (a writer may give up its dictionary
 * midway)
 *
 * Worked example: pages of 20,000 rows, windows of 8,192: the third window takes 3,616 rows from the first
 * page and 4,576 from the second. */
#include "io/formats/parquet/parquet.h"

#include <stdatomic.h>

#define HEADER_PROBE ((size_t)4096)   /* first try for a page header that is read alone */
#define HEADER_MAX ((size_t)16 << 20) /* statistics in it may be long strings */
#define NUMBERS_AS_CODES 65536        /* larger dictionaries of numbers are looked up at once */

static _Atomic uint64_t next_dict_id = 1;

sp_status sp_pq_chunk_span(const sp_pq_chunk_meta *m, int64_t end, int64_t *ret_at, int64_t *ret_n,
                           sp_error *err) {
  /* A dictionary offset of 0, or one behind the data, is none: the first page says what it is. */
  const int64_t at = m->dict_offset >= 4 && m->dict_offset < m->data_offset ? m->dict_offset : m->data_offset;
  if (at < 4 || at >= end || m->compressed < 0) {
    SP_FAIL(err, SP_DATA, NULL, "the column chunk's place is outside the file");
  }
  *ret_at = at;
  *ret_n = m->compressed < end - at ? m->compressed : end - at;
  return SP_OK;
}

sp_status sp_pq_chunk_start(sp_pq_chunk *c, bool whole, sp_error *err) {
  int64_t at = 0, n = 0;
  SP_TRY(sp_pq_chunk_span(c->meta, c->in.end, &at, &n, err));
  if (c->meta->phys != c->leaf->phys) {
    SP_FAIL(err, SP_DATA, NULL, "the column chunk has another physical type than the schema says");
  }
  c->next_page = at;
  if (whole && n <= SP_PQ_WHOLE_MAX) {
    const uint8_t *p;
    SP_TRY(sp_pq_input_get(&c->in, at, (size_t)n, &p, err));
  }
  c->started = true;
  return SP_OK;
}

/* Drops what belongs to the current page. */
static void leave_page(sp_pq_chunk *c) {
  sp_pq_values_release(&c->values);
  c->page = sp_buf_unref(c->page);
  c->whole = sp_column_unref(c->whole);
  c->ready = false;
}

void sp_pq_chunk_release(sp_pq_chunk *c) {
  leave_page(c);
  c->dict = sp_column_unref(c->dict);
  sp_pq_input_release(&c->in);
}

/* The header at next_page. It is as long as it is: what is in memory is tried first, then larger and larger
 * reads. */
static sp_status read_header(sp_pq_chunk *c, sp_error *err) {
  const sp_pq_input *in = &c->in;
  size_t used = 0;
  if (in->buf != NULL && c->next_page >= in->at && (uint64_t)(c->next_page - in->at) < in->buf->size) {
    const size_t skip = (size_t)(c->next_page - in->at);
    if (sp_pq_page_header_read(in->buf->data + skip, in->buf->size - skip, &c->h, &used)) {
      c->body = c->next_page + (int64_t)used;
      return SP_OK;
    }
  }
  const int64_t left = in->end - c->next_page;
  for (size_t n = HEADER_PROBE;; n *= 8) {
    const size_t take = left < (int64_t)n ? (size_t)(left > 0 ? left : 0) : n;
    const uint8_t *p;
    SP_TRY(sp_pq_input_get(&c->in, c->next_page, take, &p, err));
    if (take > 0 && sp_pq_page_header_read(p, take, &c->h, &used)) {
      c->body = c->next_page + (int64_t)used;
      return SP_OK;
    }
    if (take < n || n >= HEADER_MAX) {
      SP_FAIL(err, SP_DATA, NULL, "damaged page header at byte %lld", (long long)c->next_page);
    }
  }
}

/* Moves to the next page that has rows. */
static sp_status next_page(sp_pq_chunk *c, sp_error *err) {
  leave_page(c);
  c->first += c->rows;
  c->rows = 0;
  for (;;) {
    if (c->next_page >= c->in.end) {
      SP_FAIL(err, SP_DATA, NULL, "its pages have %lld rows, fewer than the row group says",
              (long long)c->first);
    }
    SP_TRY(read_header(c, err));
    c->next_page = c->body + c->h.compressed;
    if (c->next_page > c->in.end) {
      SP_FAIL(err, SP_DATA, NULL, "a page goes past the end of the file");
    }
    if (c->h.type == SP_PQ_PAGE_DICT && c->dict == NULL) {
      c->has_dict_page = true;
      c->dict_h = c->h;
      c->dict_body = c->body;
    }
    if ((c->h.type == SP_PQ_PAGE_DATA || c->h.type == SP_PQ_PAGE_DATA_V2) && c->h.num_values > 0) {
      c->rows = c->h.num_values;
      c->row = 0;
      return SP_OK;
    }
  }
}

/* A body of n bytes in the file, inflated to `size` bytes `pad` bytes into a buffer; without a codec it stays
 * where it was read. *ret_buf is a new reference, *ret_p its first byte. */
static sp_status inflate(sp_pq_chunk *c, int64_t at, size_t n, size_t size, size_t pad, bool compressed,
                         sp_buf **ret_buf, const uint8_t **ret_p, sp_error *err) {
  const uint8_t *src;
  SP_TRY(sp_pq_input_get(&c->in, at, n, &src, err));
  if (!compressed || c->meta->codec == SP_PQ_NONE) {
    if (n < size) {
      SP_FAIL(err, SP_DATA, NULL, "an uncompressed page of %zu bytes has %zu", size, n);
    }
    *ret_buf = sp_buf_ref(c->in.buf);
    *ret_p = src;
    return SP_OK;
  }
  if (!sp_pq_inflate_plausible(c->meta->codec, n, size)) {
    SP_FAIL(err, SP_DATA, NULL, "a page claims to inflate from %zu to %zu bytes", n, size);
  }
  sp_buf *b = sp_buf_new(c->in.mk.pool, c->in.mk.mem, pad + size);
  SP_TRY_ALLOC(err, b);
  sp_status st = SP_OK;
  if (size > 0) { /* some codecs do not know empty output */
    st = sp_pq_inflate(c->codecs, c->meta->codec, src, n, b->data + pad, size, err);
  }
  if (st != SP_OK) {
    sp_buf_unref(b);
    return st;
  }
  b->size = pad + size;
  *ret_buf = b;
  *ret_p = b->data + pad;
  return SP_OK;
}

/* ---- the dictionary ---- */

static sp_status read_dict(sp_pq_chunk *c, sp_error *err) {
  const sp_pq_leaf *leaf = c->leaf;
  const sp_pq_page_header *h = &c->dict_h;
  if (!c->has_dict_page || leaf->phys == SP_PQ_BOOLEAN) {
    SP_FAIL(err, SP_DATA, NULL, "a dictionary-encoded page without a dictionary");
  }
  if (h->encoding != SP_PQ_PLAIN && h->encoding != SP_PQ_PLAIN_DICTIONARY) {
    SP_FAIL(err, SP_DATA, NULL, "a dictionary in encoding %d", h->encoding);
  }
  const uint32_t least = leaf->src_width > 0 ? leaf->src_width : 4;
  if ((uint64_t)h->num_values * least > (uint64_t)h->uncompressed) {
    SP_FAIL(err, SP_DATA, NULL, "a dictionary of %d entries in %d bytes", h->num_values, h->uncompressed);
  }
  sp_buf *buf;
  const uint8_t *p;
  SP_TRY(inflate(c, c->dict_body, (size_t)h->compressed, (size_t)h->uncompressed, 0, true, &buf, &p, err));
  const uint32_t n = (uint32_t)h->num_values;
  sp_column *d = sp_column_flat(c->in.mk, leaf->type, n, false);
  sp_pq_values v;
  sp_status st = d != NULL ? SP_OK : sp_error_nomem(err);
  if (st == SP_OK) {
    st = sp_pq_values_init(&v, leaf, c->in.mk, SP_PQ_PLAIN, buf, p, p + h->uncompressed, n, NULL, err);
  }
  if (st == SP_OK) {
    st = sp_pq_values_read(&v, n, d, 0, err);
    sp_pq_values_release(&v);
  }
  sp_buf_unref(buf);
  if (st != SP_OK) {
    sp_column_unref(d);
    return st;
  }
  c->dict = d;
  c->dict_id = atomic_fetch_add_explicit(&next_dict_id, 1, memory_order_relaxed);
  return SP_OK;
}

/* ---- a page's levels and values ---- */

/* Where definition levels and values stand in the page. */
typedef struct layout {
  const uint8_t *levels, *levels_end;
  const uint8_t *values, *end;
} layout;

static sp_status bad_levels(sp_error *err) {
  SP_FAIL(err, SP_DATA, NULL, "damaged definition levels");
}

/* Bytes before the values of a v1 page that writers usually make: the length, one run. */
static size_t usual_prefix(const sp_pq_chunk *c) {
  if (!c->leaf->optional) {
    return 0;
  }
  size_t n = 4 + 2;
  for (uint32_t h = (uint32_t)c->h.num_values << 1; h >= 0x80; h >>= 7) {
    n++;
  }
  return n;
}

/* v1: [length, levels] values, all in one compressed body. BIT_PACKED levels have no length. */
static sp_status open_v1(sp_pq_chunk *c, layout *l, sp_error *err) {
  const uint8_t *p;
  const size_t pad = (8 - usual_prefix(c) % 8) % 8; /* so that the values are likely aligned */
  SP_TRY(
      inflate(c, c->body, (size_t)c->h.compressed, (size_t)c->h.uncompressed, pad, true, &c->page, &p, err));
  l->end = p + c->h.uncompressed;
  l->levels = l->levels_end = l->values = p;
  if (!c->leaf->optional) {
    return SP_OK;
  }
  size_t n, have = (size_t)(l->end - p);
  if (c->h.def_encoding == SP_PQ_BIT_PACKED) {
    n = ((size_t)c->h.num_values + 7) / 8;
  } else if (c->h.def_encoding == SP_PQ_RLE && have >= 4) {
    n = sp_pq_load32(p);
    l->levels += 4;
    have -= 4;
  } else {
    return bad_levels(err);
  }
  if (n > have) {
    return bad_levels(err);
  }
  l->levels_end = l->values = l->levels + n;
  return SP_OK;
}

/* v2: levels never compressed, before the values. They are copied behind the inflated values, so that one
 * buffer holds all. */
static sp_status open_v2(sp_pq_chunk *c, layout *l, sp_error *err) {
  const sp_pq_page_header *h = &c->h;
  const size_t before = (size_t)h->rep_bytes + (size_t)h->def_bytes;
  if (before > (size_t)h->compressed || before > (size_t)h->uncompressed) {
    return bad_levels(err);
  }
  const size_t n = (size_t)h->compressed - before, size = (size_t)h->uncompressed - before;
  /* Some writers say "not compressed" of pages that are: sizes that differ give them away. */
  const bool compressed = (h->is_compressed || n != size) && c->meta->codec != SP_PQ_NONE;
  const uint8_t *p;
  if (!compressed) {
    SP_TRY(inflate(c, c->body, (size_t)h->compressed, before, 0, false, &c->page, &p, err));
    l->levels = p + h->rep_bytes;
    l->values = p + before;
    l->end = l->values + n;
  } else {
    SP_TRY(sp_pq_input_get(&c->in, c->body, (size_t)h->compressed, &p, err)); /* one read for both parts */
    SP_TRY(inflate(c, c->body + (int64_t)before, n, size, 0, true, &c->page, &p, err));
    const uint8_t *levels;
    SP_TRY(sp_pq_input_get(&c->in, c->body + h->rep_bytes, (size_t)h->def_bytes, &levels, err));
    if (!sp_buf_reserve(c->page, size + (size_t)h->def_bytes)) {
      return sp_error_nomem(err);
    }
    memcpy(c->page->data + size, levels, (size_t)h->def_bytes);
    l->values = c->page->data;
    l->end = l->levels = l->values + size;
  }
  l->levels_end = l->levels + h->def_bytes;
  return SP_OK;
}

/* The deprecated BIT_PACKED levels put the first value into the highest bit: the bytes are turned round, in a
 * buffer of our own. */
static sp_status turn_bits(sp_pq_chunk *c, layout *l, sp_error *err) {
  const size_t n = (size_t)(l->levels_end - l->levels), values = (size_t)(l->end - l->values);
  sp_buf *b = sp_buf_new(c->in.mk.pool, c->in.mk.mem, n + values);
  SP_TRY_ALLOC(err, b);
  memcpy(b->data, l->values, values);
  for (size_t i = 0; i < n; i++) {
    uint8_t x = l->levels[i], y = 0;
    for (uint32_t k = 0; k < 8; k++, x >>= 1) {
      y = (uint8_t)(y << 1 | (x & 1));
    }
    b->data[values + i] = y;
  }
  b->size = n + values;
  sp_buf_unref(c->page);
  c->page = b;
  *l = (layout){b->data + values, b->data + values + n, b->data, b->data + values};
  return SP_OK;
}

/* The page as a column without a copy, where its bytes are already one. */
static sp_status take_whole(sp_pq_chunk *c, const layout *l, sp_error *err) {
  const sp_pq_leaf *leaf = c->leaf;
  const uint32_t w = leaf->type->width;
  if (c->h.encoding != SP_PQ_PLAIN || leaf->conv != SP_PQ_AS_IS || !c->no_nulls || w != leaf->src_width) {
    return SP_OK;
  }
  const size_t skip = (size_t)(l->values - c->page->data);
  if (skip % w != 0 || (size_t)(l->end - l->values) / w < (size_t)c->rows || skip / w > UINT32_MAX) {
    return SP_OK;
  }
  sp_column *col = sp_column_flat(c->in.mk, leaf->type, 0, false);
  SP_TRY_ALLOC(err, col);
  sp_buf_unref(col->values);
  col->values = sp_buf_ref(c->page);
  col->offset = (uint32_t)(skip / w);
  col->length = (uint32_t)c->rows;
  c->whole = col;
  return SP_OK;
}

static sp_status open_page(sp_pq_chunk *c, sp_error *err) {
  layout l = {0};
  if (sp_pq_is_dictionary(c->h.encoding) && c->dict == NULL) {
    SP_TRY(read_dict(c, err));
  }
  SP_TRY(c->h.type == SP_PQ_PAGE_DATA ? open_v1(c, &l, err) : open_v2(c, &l, err));
  c->no_nulls = !c->leaf->optional;
  if (!c->no_nulls) {
    if (c->h.type == SP_PQ_PAGE_DATA && c->h.def_encoding == SP_PQ_BIT_PACKED) {
      SP_TRY(turn_bits(c, &l, err));
      sp_pq_rle_init_bits(&c->levels, l.levels, l.levels_end, (uint32_t)c->h.num_values);
    } else {
      sp_pq_rle_init(&c->levels, l.levels, l.levels_end, 1);
      uint32_t level = 0;
      c->no_nulls = (sp_pq_rle_is_run(&c->levels, (uint32_t)c->rows, &level) && (level & 1) != 0) ||
                    (c->h.type == SP_PQ_PAGE_DATA_V2 && c->h.num_nulls == 0 && c->h.def_bytes == 0);
    }
  }
  SP_TRY(sp_pq_values_init(&c->values, c->leaf, c->in.mk, c->h.encoding, c->page, l.values, l.end,
                           (uint32_t)c->rows, c->dict, err));
  SP_TRY(take_whole(c, &l, err));
  c->ready = true;
  return SP_OK;
}

/* Makes row `at` of the row group the next one to be taken. */
static sp_status seek(sp_pq_chunk *c, int64_t at, sp_error *err) {
  while (at >= c->first + c->rows) {
    SP_TRY(next_page(c, err));
  }
  if (!c->ready) {
    SP_TRY(open_page(c, err));
  }
  uint32_t skip = (uint32_t)(at - c->first - c->row);
  c->row += skip;
  if (skip == 0 || c->whole != NULL) {
    return SP_OK;
  }
  if (!c->no_nulls && !sp_pq_rle_skip_count(&c->levels, skip, &skip)) {
    return bad_levels(err);
  }
  return sp_pq_values_skip(&c->values, skip, err);
}

/* ---- windows ---- */

typedef struct window {
  sp_pq_chunk *c;
  uint32_t n, done;
  sp_buf *codes;    /* while all is dictionary-encoded */
  sp_column *flat;  /* else */
  sp_buf *validity; /* from the first null on */
} window;

static bool as_codes(const sp_pq_chunk *c) {
  return sp_pq_is_dictionary(c->h.encoding) &&
         (sp_type_is_bytes(c->leaf->type) || c->dict->length <= NUMBERS_AS_CODES);
}

/* From codes to values, because a page came that has none. */
static sp_status begin_flat(window *w, sp_error *err) {
  sp_pq_chunk *c = w->c;
  w->flat = sp_column_flat(c->in.mk, c->leaf->type, w->n, false);
  SP_TRY_ALLOC(err, w->flat);
  if (w->codes == NULL) {
    return SP_OK;
  }
  if (c->dict->length > 0) {
    sp_pq_gather(c->dict, (const uint32_t *)(const void *)w->codes->data, w->done, w->flat->values->data);
  } else { /* all of them are nulls */
    memset(w->flat->values->data, 0, (size_t)w->done * c->leaf->type->width);
  }
  w->codes = sp_buf_unref(w->codes);
  return sp_column_add_heaps_of(w->flat, c->dict) ? SP_OK : sp_error_nomem(err);
}

/* Levels of the next k rows into the window's validity; *ret_bits NULL when all are valid. */
static sp_status take_levels(window *w, uint32_t k, const uint8_t **ret_bits, sp_error *err) {
  sp_pq_chunk *c = w->c;
  *ret_bits = NULL;
  if (!c->no_nulls && w->validity == NULL) {
    w->validity = sp_buf_new(c->in.mk.pool, c->in.mk.mem, w->n);
    SP_TRY_ALLOC(err, w->validity);
    w->validity->size = w->n;
    memset(w->validity->data, 1, w->done);
  }
  if (w->validity == NULL) {
    return SP_OK;
  }
  uint8_t *bits = w->validity->data + w->done;
  if (c->no_nulls) {
    memset(bits, 1, k);
    return SP_OK;
  }
  if (!sp_pq_rle_read_bits(&c->levels, k, bits)) {
    return bad_levels(err);
  }
  *ret_bits = bits;
  return SP_OK;
}

/* The next k rows of the current page. */
static sp_status take(window *w, uint32_t k, sp_error *err) {
  sp_pq_chunk *c = w->c;
  const bool codes = w->flat == NULL && as_codes(c);
  if (codes && w->codes == NULL) {
    w->codes = sp_buf_new(c->in.mk.pool, c->in.mk.mem, (size_t)w->n * sizeof(uint32_t));
    SP_TRY_ALLOC(err, w->codes);
    w->codes->size = (size_t)w->n * sizeof(uint32_t);
  }
  if (!codes && w->flat == NULL) {
    SP_TRY(begin_flat(w, err));
  }
  const uint8_t *bits;
  SP_TRY(take_levels(w, k, &bits, err));
  const uint32_t n_values = bits != NULL ? sp_pq_sum8(bits, k) : k;
  const uint32_t width = codes ? (uint32_t)sizeof(uint32_t) : c->leaf->type->width;
  uint8_t *dst;
  if (codes) {
    dst = w->codes->data + (size_t)w->done * width;
    SP_TRY(sp_pq_values_codes(&c->values, n_values, (uint32_t *)(void *)dst, err));
  } else {
    dst = w->flat->values->data + (size_t)w->done * width;
    SP_TRY(sp_pq_values_read(&c->values, n_values, w->flat, w->done, err));
  }
  if (n_values < k) {
    sp_pq_spread(dst, width, bits, k);
  }
  c->row += k;
  w->done += k;
  return SP_OK;
}

static sp_status finish(window *w, sp_column **ret, sp_error *err) {
  sp_pq_chunk *c = w->c;
  if (w->validity != NULL && sp_pq_sum8(w->validity->data, w->n) == w->n) {
    w->validity = sp_buf_unref(w->validity);
  }
  if (w->flat != NULL) {
    w->flat->validity = w->validity;
    w->validity = NULL;
    *ret = w->flat;
    w->flat = NULL;
    return SP_OK;
  }
  sp_column *col;
  if (c->dict->length == 0) { /* codes into nothing: all rows are null */
    col = sp_column_null(c->in.mk, c->leaf->type, w->n);
  } else {
    col = sp_column_dict(c->in.mk, c->dict, c->dict_id, w->codes, w->validity, w->n);
    w->codes = w->validity = NULL; /* taken over */
  }
  SP_TRY_ALLOC(err, col);
  *ret = col;
  return SP_OK;
}

sp_status sp_pq_chunk_read(sp_pq_chunk *c, int64_t from, uint32_t n, sp_column **ret, sp_error *err) {
  window w = {.c = c, .n = n};
  sp_status st = SP_OK;
  while (w.done < n) {
    SP_TRY_GOTO(st, seek(c, from + w.done, err), done);
    const int64_t left = c->rows - c->row;
    const uint32_t k = left < n - w.done ? (uint32_t)left : n - w.done;
    if (k == n && c->whole != NULL) {
      sp_column *slice = sp_column_slice(c->in.mk, c->whole, (uint32_t)c->row, n);
      SP_TRY_ALLOC(err, slice);
      c->row += n;
      *ret = slice;
      return SP_OK;
    }
    if (c->whole != NULL) { /* its values were not advanced while it was handed out in slices */
      const size_t at = ((size_t)c->whole->offset + (size_t)c->row) * c->leaf->src_width;
      c->values.p = c->page->data + at;
    }
    SP_TRY_GOTO(st, take(&w, k, err), done);
  }
  st = finish(&w, ret, err);
done:
  sp_buf_unref(w.codes);
  sp_buf_unref(w.validity);
  sp_column_unref(w.flat);
  return st;
}
