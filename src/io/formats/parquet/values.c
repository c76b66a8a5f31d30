/* The values of one data page, streamed: any number may be read or skipped at a time, so that a page of
 * 100,000 rows is read in windows of 8,192 while it is warm. Values here are the valid ones only, close
 * together; nulls are put between them by the caller.
 *
 * Strings are views into the page's buffer, which the column then keeps alive; DELTA_BYTE_ARRAY builds its
 * strings in a heap of their own, since they are nowhere whole in the page.
 *
 * Worked example: a PLAIN page of INT32 holding 1 2 3: read(2) gives 1 2, skip(1) is fine, read(1) then is
 * SP_DATA. */
#include "io/formats/parquet/parquet.h"

#define BLOCK 512 /* values per step through a buffer on the stack */
#define STEP_BYTES (BLOCK * 8)
#define WINDOW_HEAP_MAX ((size_t)256 << 20) /* DELTA_BYTE_ARRAY can blow up quadratically */
#define STRING_MAX ((uint64_t)INT32_MAX)

static sp_status too_few(sp_error *err) {
  SP_FAIL(err, SP_DATA, NULL, "a page has fewer values than it says");
}
static sp_status not_fitting(const sp_pq_values *v, sp_error *err) {
  SP_FAIL(err, SP_DATA, NULL, "a value does not fit %s", v->leaf->type->name);
}

static const char *encoding_name(int32_t e) {
  static const char *const names[] = {
      "PLAIN",          "GROUP_VAR_INT",       "PLAIN_DICTIONARY",        "RLE",
      "BIT_PACKED",     "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
      "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"};
  return e >= 0 && e <= SP_PQ_BYTE_STREAM_SPLIT ? names[e] : "unknown";
}

static sp_status unsupported(const sp_pq_values *v, sp_error *err) {
  SP_FAIL(err, SP_DATA, NULL, "encoding %s (%d) is not valid for this column", encoding_name(v->encoding),
          v->encoding);
}

/* Codes: a byte of width, then the hybrid. A page without values may have no bytes at all. */
static sp_status init_codes(sp_pq_values *v, sp_error *err) {
  if (v->dict == NULL) {
    SP_FAIL(err, SP_DATA, NULL, "a dictionary-encoded page without a dictionary");
  }
  const uint32_t width = v->p < v->end ? *v->p : 0;
  if (v->p < v->end) {
    v->p++;
  }
  if (!sp_pq_rle_init(&v->rle, v->p, v->end, width)) {
    SP_FAIL(err, SP_DATA, NULL, "dictionary codes of %u bits", width);
  }
  return SP_OK;
}

static sp_status init_rle_bits(sp_pq_values *v, sp_error *err) {
  if (v->end - v->p < 4) {
    sp_pq_rle_init(&v->rle, v->end, v->end, 1);
    return SP_OK;
  }
  const uint32_t n = sp_pq_load32(v->p);
  v->p += 4;
  if (n > (size_t)(v->end - v->p)) {
    return too_few(err);
  }
  sp_pq_rle_init(&v->rle, v->p, v->p + n, 1);
  return SP_OK;
}

/* A stream of deltas; a page without values may lack it. ret_end: where it ends (NULL: not asked). */
static sp_status init_delta(sp_pq_delta *d, const uint8_t *p, const uint8_t *end, const uint8_t **ret_end,
                            sp_error *err) {
  *d = (sp_pq_delta){0};
  if (ret_end != NULL) {
    *ret_end = end;
  }
  if (p == end) {
    return SP_OK;
  }
  const uint8_t *stop = ret_end != NULL ? sp_pq_delta_end(p, end) : end;
  if (stop == NULL || !sp_pq_delta_init(d, p, end)) {
    SP_FAIL(err, SP_DATA, NULL, "damaged delta encoding");
  }
  if (ret_end != NULL) {
    *ret_end = stop;
  }
  return SP_OK;
}

sp_status sp_pq_values_init(sp_pq_values *v, const sp_pq_leaf *leaf, sp_maker mk, int32_t encoding,
                            sp_buf *buf, const uint8_t *p, const uint8_t *end, uint32_t n,
                            const sp_column *dict, sp_error *err) {
  *v = (sp_pq_values){
      .leaf = leaf, .mk = mk, .encoding = encoding, .buf = buf, .p = p, .end = end, .dict = dict};
  const bool is_int = leaf->phys == SP_PQ_INT32 || leaf->phys == SP_PQ_INT64;
  const bool is_bytes = leaf->phys == SP_PQ_BYTE_ARRAY;
  switch (encoding) {
  case SP_PQ_PLAIN:
    if (leaf->phys == SP_PQ_BOOLEAN) {
      sp_pq_rle_init_bits(&v->rle, p, end, n);
    }
    return SP_OK;
  case SP_PQ_PLAIN_DICTIONARY:
  case SP_PQ_RLE_DICTIONARY:
    return init_codes(v, err);
  case SP_PQ_RLE:
    return leaf->phys == SP_PQ_BOOLEAN ? init_rle_bits(v, err) : unsupported(v, err);
  case SP_PQ_DELTA_BINARY:
    return is_int ? init_delta(&v->d, p, end, NULL, err) : unsupported(v, err);
  case SP_PQ_DELTA_LENGTH:
    return is_bytes ? init_delta(&v->d, p, end, &v->p, err) : unsupported(v, err);
  case SP_PQ_DELTA_BYTES:
    if (!is_bytes && (leaf->phys != SP_PQ_FIXED || leaf->conv == SP_PQ_HALF)) {
      return unsupported(v, err);
    }
    SP_TRY(init_delta(&v->d, p, end, &v->p, err));
    return init_delta(&v->d2, v->p, end, &v->p, err);
  case SP_PQ_BYTE_STREAM_SPLIT:
    if (leaf->src_width == 0 || leaf->phys == SP_PQ_INT96) {
      return unsupported(v, err);
    }
    v->stride = (uint32_t)((size_t)(end - p) / leaf->src_width);
    return SP_OK;
  default:
    return unsupported(v, err);
  }
}

void sp_pq_values_release(sp_pq_values *v) {
  sp_mem_free(v->mk.mem, v->prev, v->prev_cap);
  v->prev = NULL;
  v->prev_n = v->prev_cap = 0;
}

/* ---- fixed width ---- */

static void read_split(sp_pq_values *v, uint32_t n, uint8_t *dst) {
  const uint32_t w = v->leaf->src_width;
  for (uint32_t k = 0; k < w; k++) {
    const uint8_t *stream = v->p + (size_t)k * v->stride + v->at;
    for (uint32_t i = 0; i < n; i++) {
      dst[(size_t)i * w + k] = stream[i];
    }
  }
  v->at += n;
}

/* Up to BLOCK values of an encoding that has to be put together first. */
static bool read_block(sp_pq_values *v, uint32_t n, uint8_t *dst) {
  if (v->encoding == SP_PQ_BYTE_STREAM_SPLIT) {
    if (n > v->stride - v->at) {
      return false;
    }
    read_split(v, n, dst);
    return true;
  }
  if (v->leaf->src_width == 8) {
    return sp_pq_delta_read(&v->d, n, (uint64_t *)(void *)dst);
  }
  uint64_t wide[BLOCK];
  if (!sp_pq_delta_read(&v->d, n, wide)) {
    return false;
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t low = (uint32_t)wide[i];
    memcpy(dst + (size_t)i * 4, &low, 4);
  }
  return true;
}

static sp_status read_fixed(sp_pq_values *v, uint32_t n, uint8_t *dst, sp_error *err) {
  const uint32_t w = v->leaf->src_width;
  if (v->encoding == SP_PQ_PLAIN) {
    if (n > (size_t)(v->end - v->p) / w) {
      return too_few(err);
    }
    if (!sp_pq_convert(v->leaf, v->p, n, dst)) {
      return not_fitting(v, err);
    }
    v->p += (size_t)n * w;
    return SP_OK;
  }
  _Alignas(16) uint8_t tmp[STEP_BYTES + SP_PQ_SLACK] = {0};
  const uint32_t step = w <= 8 ? BLOCK : STEP_BYTES / w;
  for (uint32_t i = 0; i < n; i += step) {
    const uint32_t k = n - i < step ? n - i : step;
    if (!read_block(v, k, tmp)) {
      return too_few(err);
    }
    if (!sp_pq_convert(v->leaf, tmp, k, dst + (size_t)i * v->leaf->type->width)) {
      return not_fitting(v, err);
    }
  }
  return SP_OK;
}

static sp_status read_bits(sp_pq_values *v, uint32_t n, uint8_t *dst, sp_error *err) {
  return sp_pq_rle_read_bits(&v->rle, n, dst) ? SP_OK : too_few(err);
}

/* ---- bytes ---- */

/* As sp_view_make, but loads whole words: p is in a padded buffer. */
static inline sp_view view_of(const uint8_t *p, uint32_t n) {
  sp_view v;
  v.n = n;
  if (n > SP_VIEW_INLINE) {
    memcpy(v.prefix, p, 4);
    v.p = (const char *)p;
    return v;
  }
  uint32_t head = sp_pq_load32(p);
  uint64_t tail = sp_pq_load64(p + 4);
  head = n >= 4 ? head : head & ((1u << (8 * n)) - 1);
  const uint32_t rest = n > 4 ? n - 4 : 0;
  tail = rest == 8 ? tail : tail & ((UINT64_C(1) << (8 * rest)) - 1);
  memcpy(v.inl, &head, 4);
  memcpy(v.inl + 4, &tail, 8);
  return v;
}

/* Lengths within the page were checked: those of PLAIN byte arrays lie before each value. */
static sp_status plain_views(sp_pq_values *v, uint32_t n, sp_view *dst, bool *ret_long, sp_error *err) {
  const uint8_t *p = v->p, *end = v->end;
  uint32_t longest = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (end - p < 4) {
      return too_few(err);
    }
    const uint32_t len = sp_pq_load32(p);
    p += 4;
    if (len > (size_t)(end - p)) {
      return too_few(err);
    }
    dst[i] = view_of(p, len);
    longest = len > longest ? len : longest;
    p += len;
  }
  v->p = p;
  *ret_long = longest > SP_VIEW_INLINE;
  return SP_OK;
}

static sp_status fixed_views(sp_pq_values *v, uint32_t n, sp_view *dst, bool *ret_long, sp_error *err) {
  const uint32_t w = v->leaf->src_width;
  if (n > (size_t)(v->end - v->p) / w) {
    return too_few(err);
  }
  for (uint32_t i = 0; i < n; i++, v->p += w) {
    dst[i] = view_of(v->p, w);
  }
  *ret_long = w > SP_VIEW_INLINE;
  return SP_OK;
}

static sp_status length_views(sp_pq_values *v, uint32_t n, sp_view *dst, bool *ret_long, sp_error *err) {
  uint64_t lens[BLOCK];
  *ret_long = false;
  for (uint32_t i = 0; i < n; i += BLOCK) {
    const uint32_t k = n - i < BLOCK ? n - i : BLOCK;
    if (!sp_pq_delta_read(&v->d, k, lens)) {
      return too_few(err);
    }
    for (uint32_t j = 0; j < k; j++) {
      const uint32_t len = (uint32_t)lens[j];
      if (len > (size_t)(v->end - v->p)) {
        return too_few(err);
      }
      dst[i + j] = view_of(v->p, len);
      *ret_long |= len > SP_VIEW_INLINE;
      v->p += len;
    }
  }
  return SP_OK;
}

/* Sizes of the next n strings of DELTA_BYTE_ARRAY: checks them and sums the bytes a heap needs. */
static sp_status prefixed_sizes(sp_pq_values *v, uint32_t n, uint32_t *prefix, uint32_t *suffix,
                                size_t *ret_bytes, sp_error *err) {
  uint64_t a[BLOCK], b[BLOCK];
  size_t total = 0, have = (size_t)(v->end - v->p);
  uint64_t last = v->prev_n;
  for (uint32_t i = 0; i < n; i += BLOCK) {
    const uint32_t k = n - i < BLOCK ? n - i : BLOCK;
    if (!sp_pq_delta_read(&v->d, k, a) || !sp_pq_delta_read(&v->d2, k, b)) {
      return too_few(err);
    }
    for (uint32_t j = 0; j < k; j++) {
      const uint32_t pre = (uint32_t)a[j], suf = (uint32_t)b[j];
      if (pre > last || suf > have || (uint64_t)pre + suf > STRING_MAX) {
        SP_FAIL(err, SP_DATA, NULL, "damaged delta encoding of strings");
      }
      have -= suf;
      last = (uint64_t)pre + suf;
      total += last;
      if (total > WINDOW_HEAP_MAX) {
        SP_FAIL(err, SP_LIMIT, NULL, "more than 256 MiB of strings in one batch");
      }
      prefix[i + j] = pre;
      suffix[i + j] = suf;
    }
  }
  *ret_bytes = total;
  return SP_OK;
}

static bool keep_last(sp_pq_values *v, const char *p, size_t n) {
  if (n > v->prev_cap) {
    char *q = sp_mem_realloc(v->mk.mem, v->prev, v->prev_cap, n);
    if (q == NULL) {
      return false;
    }
    v->prev = q;
    v->prev_cap = n;
  }
  if (n > 0) {
    memmove(v->prev, p, n);
  }
  v->prev_n = n;
  return true;
}

static void build_prefixed(sp_pq_values *v, uint32_t n, const uint32_t *prefix, const uint32_t *suffix,
                           uint8_t *q, sp_view *dst) {
  const uint8_t *last = (const uint8_t *)v->prev;
  for (uint32_t i = 0; i < n; i++) {
    if (prefix[i] > 0) {
      memcpy(q, last, prefix[i]);
    }
    if (suffix[i] > 0) {
      memcpy(q + prefix[i], v->p, suffix[i]);
    }
    v->p += suffix[i];
    dst[i] = view_of(q, prefix[i] + suffix[i]);
    last = q;
    q += prefix[i] + suffix[i];
  }
}

/* *ret_heap is a new reference. */
static sp_status prefixed_views(sp_pq_values *v, uint32_t n, sp_view *dst, sp_buf **ret_heap, sp_error *err) {
  sp_buf *sizes = sp_buf_new(v->mk.pool, v->mk.mem, (size_t)n * 8);
  SP_TRY_ALLOC(err, sizes);
  uint32_t *prefix = (uint32_t *)(void *)sizes->data, *suffix = prefix + n;
  size_t total = 0;
  sp_buf *heap = NULL;
  sp_status st;
  SP_TRY_GOTO(st, prefixed_sizes(v, n, prefix, suffix, &total, err), done);
  heap = sp_buf_new(v->mk.pool, v->mk.mem, total);
  if (heap == NULL) {
    st = sp_error_nomem(err);
    goto done;
  }
  build_prefixed(v, n, prefix, suffix, heap->data, dst);
  heap->size = total;
  if (n > 0 && !keep_last(v, sp_view_ptr(&dst[n - 1]), dst[n - 1].n)) {
    st = sp_error_nomem(err);
    goto done;
  }
  *ret_heap = heap;
  heap = NULL;
done:
  sp_buf_unref(heap);
  sp_buf_unref(sizes);
  return st;
}

static sp_status split_views(sp_pq_values *v, uint32_t n, sp_view *dst, sp_buf **ret_heap, sp_error *err) {
  const uint32_t w = v->leaf->src_width;
  if (n > v->stride - v->at) {
    return too_few(err);
  }
  sp_buf *heap = sp_buf_new(v->mk.pool, v->mk.mem, (size_t)n * w);
  SP_TRY_ALLOC(err, heap);
  read_split(v, n, heap->data);
  heap->size = (size_t)n * w;
  for (uint32_t i = 0; i < n; i++) {
    dst[i] = view_of(heap->data + (size_t)i * w, w);
  }
  *ret_heap = heap;
  return SP_OK;
}

/* The next n byte strings. *ret_heap: a new reference to what the long ones point into, NULL when all are
 * inline. */
static sp_status read_views(sp_pq_values *v, uint32_t n, sp_view *dst, sp_buf **ret_heap, sp_error *err) {
  bool is_long = false;
  *ret_heap = NULL;
  switch (v->encoding) {
  case SP_PQ_PLAIN:
    SP_TRY(v->leaf->phys == SP_PQ_FIXED ? fixed_views(v, n, dst, &is_long, err)
                                        : plain_views(v, n, dst, &is_long, err));
    break;
  case SP_PQ_DELTA_LENGTH:
    SP_TRY(length_views(v, n, dst, &is_long, err));
    break;
  case SP_PQ_DELTA_BYTES:
    return prefixed_views(v, n, dst, ret_heap, err);
  default:
    return split_views(v, n, dst, ret_heap, err);
  }
  if (is_long) {
    *ret_heap = sp_buf_ref(v->buf);
  }
  return SP_OK;
}

/* Decimals kept as byte strings. */
static sp_status read_byte_decimals(sp_pq_values *v, uint32_t n, uint8_t *dst, sp_error *err) {
  sp_view views[BLOCK];
  for (uint32_t i = 0; i < n; i += BLOCK) {
    const uint32_t k = n - i < BLOCK ? n - i : BLOCK;
    sp_buf *heap;
    SP_TRY(read_views(v, k, views, &heap, err));
    bool ok = true;
    for (uint32_t j = 0; j < k && ok; j++) {
      ok = sp_pq_big_endian(v->leaf->type, (const uint8_t *)sp_view_ptr(&views[j]), views[j].n,
                            dst + (size_t)(i + j) * v->leaf->type->width);
    }
    sp_buf_unref(heap);
    if (!ok) {
      return not_fitting(v, err);
    }
  }
  return SP_OK;
}

/* ---- dictionaries ---- */

void sp_pq_gather(const sp_column *dict, const uint32_t *codes, uint32_t n, void *dst) {
  const uint32_t w = dict->type->width;
  const uint8_t *src = dict->values->data + (size_t)dict->offset * w;
  switch (w) {
  case 4:
    for (uint32_t i = 0; i < n; i++) {
      ((uint32_t *)dst)[i] = ((const uint32_t *)(const void *)src)[codes[i]];
    }
    return;
  case 8:
    for (uint32_t i = 0; i < n; i++) {
      ((uint64_t *)dst)[i] = ((const uint64_t *)(const void *)src)[codes[i]];
    }
    return;
  case 16:
    for (uint32_t i = 0; i < n; i++) {
      memcpy((uint8_t *)dst + (size_t)i * 16, src + (size_t)codes[i] * 16, 16);
    }
    return;
  default:
    for (uint32_t i = 0; i < n; i++) {
      memcpy((uint8_t *)dst + (size_t)i * w, src + (size_t)codes[i] * w, w);
    }
  }
}

sp_status sp_pq_values_codes(sp_pq_values *v, uint32_t n, uint32_t *dst, sp_error *err) {
  if (n == 0) {
    return SP_OK;
  }
  if (!sp_pq_rle_read(&v->rle, n, dst)) {
    return too_few(err);
  }
  const uint32_t max = sp_pq_max32(dst, n);
  if (max >= v->dict->length) {
    SP_FAIL(err, SP_DATA, NULL, "dictionary code %u in a dictionary of %u entries", max, v->dict->length);
  }
  return SP_OK;
}

static sp_status read_dictionary(sp_pq_values *v, uint32_t n, uint8_t *dst, sp_error *err) {
  uint32_t codes[BLOCK];
  for (uint32_t i = 0; i < n; i += BLOCK) {
    const uint32_t k = n - i < BLOCK ? n - i : BLOCK;
    SP_TRY(sp_pq_values_codes(v, k, codes, err));
    sp_pq_gather(v->dict, codes, k, dst + (size_t)i * v->leaf->type->width);
  }
  return SP_OK;
}

/* ---- all ---- */

sp_status sp_pq_values_read(sp_pq_values *v, uint32_t n, sp_column *out, uint32_t at, sp_error *err) {
  uint8_t *dst = out->values->data + (size_t)at * v->leaf->type->width;
  if (n == 0) {
    return SP_OK;
  }
  if (sp_pq_is_dictionary(v->encoding)) {
    SP_TRY(read_dictionary(v, n, dst, err));
    return sp_column_add_heaps_of(out, v->dict) ? SP_OK : sp_error_nomem(err);
  }
  if (v->leaf->conv == SP_PQ_BIT) {
    return read_bits(v, n, dst, err);
  }
  if (v->leaf->conv == SP_PQ_BYTES) {
    sp_buf *heap;
    SP_TRY(read_views(v, n, (sp_view *)(void *)dst, &heap, err));
    const bool ok = heap == NULL || sp_column_add_heap(out, heap);
    sp_buf_unref(heap);
    return ok ? SP_OK : sp_error_nomem(err);
  }
  if (v->leaf->phys == SP_PQ_BYTE_ARRAY || v->encoding == SP_PQ_DELTA_BYTES) {
    return read_byte_decimals(v, n, dst, err);
  }
  return read_fixed(v, n, dst, err);
}

/* Strings without lengths of their own place are read and forgotten. */
static sp_status skip_views(sp_pq_values *v, uint32_t n, sp_error *err) {
  sp_view views[BLOCK];
  for (uint32_t i = 0; i < n; i += BLOCK) {
    sp_buf *heap;
    SP_TRY(read_views(v, n - i < BLOCK ? n - i : BLOCK, views, &heap, err));
    sp_buf_unref(heap);
  }
  return SP_OK;
}

static sp_status skip_deltas(sp_pq_values *v, uint32_t n, sp_error *err) {
  uint64_t tmp[BLOCK];
  for (uint32_t i = 0; i < n; i += BLOCK) {
    if (!sp_pq_delta_read(&v->d, n - i < BLOCK ? n - i : BLOCK, tmp)) {
      return too_few(err);
    }
  }
  return SP_OK;
}

sp_status sp_pq_values_skip(sp_pq_values *v, uint32_t n, sp_error *err) {
  if (sp_pq_is_dictionary(v->encoding) || v->leaf->phys == SP_PQ_BOOLEAN) {
    return sp_pq_rle_skip(&v->rle, n) ? SP_OK : too_few(err);
  }
  if (v->encoding == SP_PQ_BYTE_STREAM_SPLIT) {
    if (n > v->stride - v->at) {
      return too_few(err);
    }
    v->at += n;
    return SP_OK;
  }
  if (v->encoding == SP_PQ_DELTA_BINARY) {
    return skip_deltas(v, n, err);
  }
  if (v->encoding == SP_PQ_PLAIN && v->leaf->src_width > 0) {
    if (n > (size_t)(v->end - v->p) / v->leaf->src_width) {
      return too_few(err);
    }
    v->p += (size_t)n * v->leaf->src_width;
    return SP_OK;
  }
  return skip_views(v, n, err);
}
