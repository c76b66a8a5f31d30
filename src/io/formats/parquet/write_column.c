/* One column of a row group as pages: the dictionary first where one pays, then v1 data pages of about 20,000
 * rows.
 *
 * A chunk whose first page does not get a tenth smaller is stored as it is: reading it back is then a copy,
 * where inflating runs at under 1 GB/s.
 *
 * Worked example: 50,000 rows with 3 different strings: a dictionary page of 3 entries and three data pages
 * of codes of 2 bits. */
#include "io/formats/parquet/write.h"

#define PAGE_ROWS 20000
#define PAGE_BYTES ((size_t)1 << 20)

typedef struct pages {
  const sp_pq_out_state *s;
  sp_pq_codecs *codecs;
  const sp_pq_out_rows *r;
  sp_str *out;
  sp_str raw, packed; /* a page's body before and after compression */
  sp_buf *levels;     /* validity of one page as 32-bit values */
  sp_buf *codes, *entries;
  uint32_t n_dict, code_bits;
  sp_pq_out_chunk *chunk;
} pages;

static sp_status compress(pages *p, const sp_str *raw, sp_error *err) {
  const size_t cap = sp_pq_deflate_bound(p->chunk->codec, raw->n);
  if (cap == 0 && raw->n > 0) {
    SP_FAIL(err, SP_LIMIT, NULL, "a page of %zu bytes is too large for a Parquet file", raw->n);
  }
  sp_buf *b = sp_buf_new(p->r->mk.pool, p->r->mk.mem, cap);
  SP_TRY_ALLOC(err, b);
  size_t n = 0;
  const sp_status st = sp_pq_deflate(p->codecs, p->chunk->codec, p->s->level, (const uint8_t *)raw->p, raw->n,
                                     b->data, cap, &n, err);
  sp_str_clear(&p->packed);
  sp_str_addn(&p->packed, (const char *)b->data, n);
  sp_buf_unref(b);
  return st;
}

static void put_header(pages *p, int32_t type, uint32_t n_values, int32_t encoding) {
  sp_thrift_out w;
  const size_t before = p->out->n;
  sp_thrift_begin(&w, p->out);
  sp_thrift_put_i32(&w, 1, type);
  sp_thrift_put_i32(&w, 2, (int32_t)p->raw.n);
  sp_thrift_put_i32(&w, 3, (int32_t)p->packed.n);
  sp_thrift_open_struct(&w, type == SP_PQ_PAGE_DICT ? 7 : 5);
  sp_thrift_put_i32(&w, 1, (int32_t)n_values);
  sp_thrift_put_i32(&w, 2, encoding);
  if (type == SP_PQ_PAGE_DATA) {
    sp_thrift_put_i32(&w, 3, SP_PQ_RLE);
    sp_thrift_put_i32(&w, 4, SP_PQ_RLE);
  }
  sp_thrift_end(&w);
  sp_thrift_end(&w);
  p->chunk->uncompressed += (int64_t)(p->out->n - before + p->raw.n);
}

static sp_status put_page(pages *p, int32_t type, uint32_t n_values, int32_t encoding, sp_error *err) {
  SP_TRY(sp_str_status(&p->raw, err));
  if (p->raw.n > INT32_MAX / 2) {
    SP_FAIL(err, SP_LIMIT, NULL, "a value of %zu bytes is too large for a Parquet file", p->raw.n);
  }
  SP_TRY(compress(p, &p->raw, err));
  SP_TRY(sp_str_status(&p->packed, err));
  put_header(p, type, n_values, encoding);
  sp_str_addn(p->out, p->packed.p, p->packed.n);
  return sp_str_status(p->out, err);
}

static void put_levels(pages *p, uint32_t row, uint32_t n) {
  const uint8_t *valid = p->r->validity->data + row;
  uint32_t *v = (uint32_t *)(void *)p->levels->data;
  for (uint32_t i = 0; i < n; i++) {
    v[i] = valid[i];
  }
  const size_t at = p->raw.n;
  sp_str_addn(&p->raw, "\0\0\0\0", 4);
  sp_pq_out_hybrid(&p->raw, v, n, 1);
  if (sp_str_ok(&p->raw)) {
    const uint32_t len = (uint32_t)(p->raw.n - at - 4);
    memcpy(p->raw.p + at, &len, 4);
  }
}

/* Rows from `row` on that make one page; *ret_values: the valid ones. */
static uint32_t page_rows(const pages *p, uint32_t row, uint32_t value, uint32_t *ret_values) {
  const sp_pq_out_rows *r = p->r;
  const bool strings = r->leaf->phys == SP_PQ_BYTE_ARRAY && p->n_dict == 0;
  const sp_view *v = (const sp_view *)(const void *)r->physical->data;
  uint32_t n = 0, k = 0;
  size_t bytes = 0;
  while (row + n < r->n && n < PAGE_ROWS && bytes < PAGE_BYTES) {
    if (r->validity->data[row + n] != 0) {
      bytes += strings ? 4 + (size_t)v[value + k].n : 0;
      k++;
    }
    n++;
  }
  *ret_values = k;
  return n;
}

/* The body of the page with these rows and values into raw. */
static void fill_page(pages *p, uint32_t row, uint32_t n, uint32_t value, uint32_t n_values) {
  sp_str_clear(&p->raw);
  put_levels(p, row, n);
  if (p->n_dict > 0) {
    sp_str_addc(&p->raw, (char)p->code_bits);
    sp_pq_out_hybrid(&p->raw, (const uint32_t *)(const void *)p->codes->data + value, n_values, p->code_bits);
  } else {
    sp_pq_out_plain(&p->raw, p->r, value, value + n_values);
  }
}

/* Tries the first page: a codec that does not help is not used for the chunk. */
static sp_status choose_codec(pages *p, sp_error *err) {
  p->chunk->codec = p->s->codec;
  if (p->s->codec == SP_PQ_NONE) {
    return SP_OK;
  }
  uint32_t k;
  const uint32_t n = page_rows(p, 0, 0, &k);
  fill_page(p, 0, n, 0, k);
  SP_TRY(sp_str_status(&p->raw, err));
  SP_TRY(compress(p, &p->raw, err));
  SP_TRY(sp_str_status(&p->packed, err));
  if (p->packed.n > p->raw.n - p->raw.n / 10) {
    p->chunk->codec = SP_PQ_NONE;
  }
  return SP_OK;
}

static sp_status put_dictionary(pages *p, sp_error *err) {
  const uint32_t *entries = (const uint32_t *)(const void *)p->entries->data;
  sp_str_clear(&p->raw);
  for (uint32_t i = 0; i < p->n_dict; i++) {
    sp_pq_out_plain_one(&p->raw, p->r, entries[i]);
  }
  return put_page(p, SP_PQ_PAGE_DICT, p->n_dict, SP_PQ_PLAIN, err);
}

static sp_status put_pages(pages *p, sp_error *err) {
  sp_pq_out_chunk *c = p->chunk;
  const size_t start = p->out->n;
  SP_TRY(choose_codec(p, err));
  c->at = (int64_t)start;
  if (p->n_dict > 0) {
    SP_TRY(put_dictionary(p, err));
  }
  c->data_at = (int64_t)p->out->n;
  uint32_t row = 0, value = 0;
  while (row < p->r->n) {
    uint32_t k;
    const uint32_t n = page_rows(p, row, value, &k);
    fill_page(p, row, n, value, k);
    SP_TRY(put_page(p, SP_PQ_PAGE_DATA, n, p->n_dict > 0 ? SP_PQ_RLE_DICTIONARY : SP_PQ_PLAIN, err));
    row += n;
    value += k;
  }
  c->compressed = (int64_t)(p->out->n - start);
  c->has_dict = p->n_dict > 0;
  c->null_count = p->r->n - p->r->n_values;
  return SP_OK;
}

static uint32_t bits_for(uint32_t n) {
  uint32_t bits = 0;
  while (bits < 32 && n > UINT64_C(1) << bits) {
    bits++;
  }
  return bits;
}

sp_status sp_pq_out_column(const sp_pq_out_state *s, sp_pq_codecs *codecs, const sp_pq_out_rows *r,
                           sp_pq_out_group *g, sp_pq_out_chunk *ret, sp_error *err) {
  sp_pq_out_chunk chunk = {0};
  pages p = {.s = s, .codecs = codecs, .r = r, .out = &g->bytes, .chunk = &chunk};
  sp_str_init(&p.raw, r->mk.mem, INT32_MAX);
  sp_str_init(&p.packed, r->mk.mem, INT32_MAX);
  p.levels = sp_buf_new(r->mk.pool, r->mk.mem, (size_t)PAGE_ROWS * 4);
  sp_status st = p.levels != NULL ? SP_OK : sp_error_nomem(err);
  if (st == SP_OK) {
    st = sp_pq_out_dictionary(r, &p.codes, &p.entries, &p.n_dict, err);
  }
  p.code_bits = bits_for(p.n_dict);
  if (st == SP_OK) {
    st = put_pages(&p, err);
  }
  sp_pq_out_bounds(r, &chunk.min, &chunk.max);
  sp_buf_unref(p.levels);
  sp_buf_unref(p.codes);
  sp_buf_unref(p.entries);
  sp_str_release(&p.raw);
  sp_str_release(&p.packed);
  if (st == SP_OK) {
    *ret = chunk;
  }
  return st;
}
