/* The codecs of Parquet over their libraries. Three of them need care:
 *   gzip    a page may be several gzip members one after the other, or zlib's own framing;
 *   lz4     means Hadoop's framing (big-endian sizes before each block), a raw block or a frame, depending on
 * the writer: they are tried in turn, and the one that gives exactly the declared size is right; zstd
 * contexts are large: one per worker, and its memory goes through our account.
 *
 * Worked example: sp_pq_inflate(c, SP_PQ_SNAPPY, "\x03\x08abc", 5, dst, 3, err) writes "abc". */
#define ZSTD_STATIC_LINKING_ONLY
#include "io/formats/parquet/codecs.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct sp_pq_codecs {
  sp_mem *mem;
  ZSTD_DCtx *zstd_in;
  ZSTD_CCtx *zstd_out;
  z_stream gzip_in;
  bool has_gzip_in;
};

/* The libraries free without a size, so each of their blocks starts with it. */
enum { HOOK_HEAD = 64 };

static void *hook_alloc(void *opaque, size_t n) {
  size_t whole;
  if (!sp_size_add(n, HOOK_HEAD, &whole)) {
    return NULL;
  }
  uint8_t *p = sp_mem_alloc((sp_mem *)opaque, whole);
  if (p == NULL) {
    return NULL;
  }
  memcpy(p, &whole, sizeof whole);
  return p + HOOK_HEAD;
}

static void hook_free(void *opaque, void *p) {
  if (p != NULL) {
    uint8_t *head = (uint8_t *)p - HOOK_HEAD;
    size_t whole;
    memcpy(&whole, head, sizeof whole);
    sp_mem_free((sp_mem *)opaque, head, whole);
  }
}

static void *zlib_alloc(void *opaque, unsigned n, unsigned size) {
  size_t whole;
  return sp_size_mul(n, size, &whole) ? hook_alloc(opaque, whole) : NULL;
}

sp_pq_codecs *sp_pq_codecs_new(sp_mem *mem) {
  sp_pq_codecs *c = sp_mem_calloc(mem, sizeof *c);
  if (c != NULL) {
    c->mem = mem;
  }
  return c;
}

void sp_pq_codecs_free(sp_pq_codecs *c) {
  if (c == NULL) {
    return;
  }
  ZSTD_freeDCtx(c->zstd_in);
  ZSTD_freeCCtx(c->zstd_out);
  if (c->has_gzip_in) {
    inflateEnd(&c->gzip_in);
  }
  sp_mem_free(c->mem, c, sizeof *c);
}

static const char *const codec_names[] = {"none",   "snappy", "gzip", "lzo",
                                          "brotli", "lz4",    "zstd", "lz4_raw"};

const char *sp_pq_codec_name(int32_t codec) {
  return codec >= 0 && codec <= SP_PQ_LZ4_RAW ? codec_names[codec] : NULL;
}

bool sp_pq_inflate_plausible(int32_t codec, size_t n, size_t declared) {
  /* The highest ratio each format can reach, rounded up: snappy copies 64 bytes by 3; lz4 255 a byte; deflate
   * 1032; zstd 128 KiB by 4; brotli has no useful limit. */
  size_t ratio = 1;
  switch (codec) {
  case SP_PQ_SNAPPY:
    ratio = 64;
    break;
  case SP_PQ_LZ4:
  case SP_PQ_LZ4_RAW:
    ratio = 256;
    break;
  case SP_PQ_GZIP:
    ratio = 1040;
    break;
  case SP_PQ_ZSTD:
  case SP_PQ_BROTLI:
    ratio = 32768;
    break;
  default:
    break;
  }
  return declared <= 4096 || declared / ratio <= n;
}

static sp_status damaged(int32_t codec, sp_error *err) {
  SP_FAIL(err, SP_DATA, NULL, "damaged %s data", sp_pq_codec_name(codec));
}

static sp_status inflate_zstd(sp_pq_codecs *c, const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n,
                              sp_error *err) {
  if (c->zstd_in == NULL) {
    c->zstd_in = ZSTD_createDCtx_advanced((ZSTD_customMem){hook_alloc, hook_free, c->mem});
    SP_TRY_ALLOC(err, c->zstd_in);
  }
  const size_t got = ZSTD_decompressDCtx(c->zstd_in, dst, dst_n, src, n);
  if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation) {
    return sp_error_nomem(err);
  }
  return got == dst_n ? SP_OK : damaged(SP_PQ_ZSTD, err);
}

static sp_status inflate_gzip(sp_pq_codecs *c, const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n,
                              sp_error *err) {
  z_stream *z = &c->gzip_in;
  if (!c->has_gzip_in) {
    z->zalloc = zlib_alloc;
    z->zfree = hook_free;
    z->opaque = c->mem;
    if (inflateInit2(z, 15 + 32) != Z_OK) { /* + 32: gzip or zlib framing */
      return sp_error_nomem(err);
    }
    c->has_gzip_in = true;
  }
  uint8_t none;
  z->next_in = (Bytef *)(uintptr_t)src;
  z->avail_in = (uInt)n;
  z->next_out = dst_n > 0 ? dst : &none;
  z->avail_out = (uInt)dst_n;
  do { /* one member each */
    inflateReset(z);
    const int r = inflate(z, Z_FINISH);
    if (r == Z_MEM_ERROR) {
      return sp_error_nomem(err);
    }
    if (r != Z_STREAM_END) {
      return damaged(SP_PQ_GZIP, err);
    }
  } while (z->avail_out > 0 && z->avail_in > 0);
  return z->avail_out == 0 ? SP_OK : damaged(SP_PQ_GZIP, err);
}

static sp_status inflate_brotli(sp_pq_codecs *c, const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n,
                                sp_error *err) {
  BrotliDecoderState *b = BrotliDecoderCreateInstance(hook_alloc, hook_free, c->mem);
  SP_TRY_ALLOC(err, b);
  size_t in_left = n, out_left = dst_n;
  const BrotliDecoderResult r = BrotliDecoderDecompressStream(b, &in_left, &src, &out_left, &dst, NULL);
  const int code = BrotliDecoderGetErrorCode(b);
  BrotliDecoderDestroyInstance(b);
  if (r == BROTLI_DECODER_RESULT_ERROR && code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
      code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES) {
    return sp_error_nomem(err);
  }
  return r == BROTLI_DECODER_RESULT_SUCCESS && out_left == 0 ? SP_OK : damaged(SP_PQ_BROTLI, err);
}

static bool lz4_raw(const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n) {
  return LZ4_decompress_safe((const char *)src, (char *)dst, (int)n, (int)dst_n) == (int)dst_n;
}

static uint32_t load_be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Hadoop: (uncompressed size, then blocks of (compressed size, bytes) until that size is reached), repeated.
 */
static bool lz4_hadoop(const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n) {
  while (n >= 8) {
    size_t want = load_be32(src);
    src += 4;
    n -= 4;
    if (want > dst_n) {
      return false;
    }
    while (want > 0) {
      if (n < 4 || load_be32(src) > n - 4) {
        return false;
      }
      const size_t len = load_be32(src);
      const int got = LZ4_decompress_safe((const char *)src + 4, (char *)dst, (int)len, (int)want);
      if (got <= 0) {
        return false;
      }
      src += 4 + len;
      n -= 4 + len;
      dst += got;
      dst_n -= (size_t)got;
      want -= (size_t)got;
    }
  }
  return n == 0 && dst_n == 0;
}

static bool lz4_frame(const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n, bool *ret_nomem) {
  if (n < 4 || memcmp(src, "\x04\x22\x4d\x18", 4) != 0) {
    return false;
  }
  LZ4F_dctx *d = NULL;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION))) {
    *ret_nomem = true;
    return false;
  }
  size_t out_done = 0, in_done = 0, r = 1;
  while (r != 0) {
    size_t out = dst_n - out_done, in = n - in_done;
    r = LZ4F_decompress(d, dst + out_done, &out, src + in_done, &in, NULL);
    out_done += out;
    in_done += in;
    if (LZ4F_isError(r) || (out == 0 && in == 0)) {
      break;
    }
  }
  LZ4F_freeDecompressionContext(d);
  return r == 0 && out_done == dst_n;
}

static sp_status inflate_lz4(const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n, sp_error *err) {
  bool nomem = false;
  if (lz4_hadoop(src, n, dst, dst_n) || lz4_frame(src, n, dst, dst_n, &nomem) ||
      lz4_raw(src, n, dst, dst_n)) {
    return SP_OK;
  }
  return nomem ? sp_error_nomem(err) : damaged(SP_PQ_LZ4, err);
}

sp_status sp_pq_inflate(sp_pq_codecs *c, int32_t codec, const uint8_t *src, size_t n, uint8_t *dst,
                        size_t dst_n, sp_error *err) {
  if (n > INT_MAX || dst_n > INT_MAX) {
    SP_FAIL(err, SP_LIMIT, NULL, "a page over 2 GiB");
  }
  switch (codec) {
  case SP_PQ_SNAPPY:
    return sp_pq_snappy(src, n, dst, dst_n) ? SP_OK : damaged(codec, err);
  case SP_PQ_GZIP:
    return inflate_gzip(c, src, n, dst, dst_n, err);
  case SP_PQ_BROTLI:
    return inflate_brotli(c, src, n, dst, dst_n, err);
  case SP_PQ_ZSTD:
    return inflate_zstd(c, src, n, dst, dst_n, err);
  case SP_PQ_LZ4:
    return inflate_lz4(src, n, dst, dst_n, err);
  case SP_PQ_LZ4_RAW:
    return lz4_raw(src, n, dst, dst_n) ? SP_OK : damaged(codec, err);
  default:
    SP_FAIL(err, SP_UNSUPPORTED, NULL, "compression codec %s (%d) is not supported",
            sp_pq_codec_name(codec) != NULL ? sp_pq_codec_name(codec) : "unknown", codec);
  }
}

/* ---- compression ---- */

static bool parse_level(const char *p, int32_t *ret) {
  if (*p == '\0') {
    return false;
  }
  int32_t v = 0;
  for (; *p != '\0'; p++) {
    if (*p < '0' || *p > '9' || v > 99) {
      return false;
    }
    v = v * 10 + (*p - '0');
  }
  *ret = v;
  return true;
}

sp_status sp_pq_codec_parse(const char *text, int32_t *ret_codec, int32_t *ret_level, sp_error *err) {
  static const struct {
    const char *name;
    int32_t codec, level, max;
  } known[] = {{"zstd", SP_PQ_ZSTD, 1, 22},        {"none", SP_PQ_NONE, 0, 0},
               {"uncompressed", SP_PQ_NONE, 0, 0}, {"snappy", SP_PQ_SNAPPY, 0, 0},
               {"gzip", SP_PQ_GZIP, 6, 9},         {"lz4", SP_PQ_LZ4_RAW, 0, 0},
               {"lz4_raw", SP_PQ_LZ4_RAW, 0, 0},   {"brotli", SP_PQ_BROTLI, 4, 11}};
  if (text == NULL) {
    text = "zstd";
  }
  const char *colon = strchr(text, ':');
  const size_t n = colon != NULL ? (size_t)(colon - text) : strlen(text);
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strlen(known[i].name) != n || memcmp(known[i].name, text, n) != 0) {
      continue;
    }
    int32_t level = known[i].level;
    if (colon != NULL && (!parse_level(colon + 1, &level) || level > known[i].max)) {
      SP_FAIL(err, SP_INVALID, NULL, "compression level of `%s` is not between 0 and %d", text, known[i].max);
    }
    *ret_codec = known[i].codec;
    *ret_level = level;
    return SP_OK;
  }
  sp_error_set(err, SP_INVALID, NULL, "unknown compression `%s` for a Parquet file", text);
  sp_error_hint(err, "one of none, snappy, gzip, zstd, lz4, brotli, with a level as in zstd:3");
  return SP_INVALID;
}

size_t sp_pq_deflate_bound(int32_t codec, size_t n) {
  if (n > INT_MAX / 2) {
    return 0;
  }
  switch (codec) {
  case SP_PQ_SNAPPY:
    return snappy_max_compressed_length(n);
  case SP_PQ_GZIP:
    return compressBound(n) + 32;
  case SP_PQ_BROTLI:
    return BrotliEncoderMaxCompressedSize(n) + 64;
  case SP_PQ_ZSTD:
    return ZSTD_compressBound(n);
  case SP_PQ_LZ4_RAW:
    return (size_t)LZ4_compressBound((int)n);
  default:
    return n;
  }
}

static sp_status deflate_gzip(sp_pq_codecs *c, int32_t level, const uint8_t *src, size_t n, uint8_t *dst,
                              size_t cap, size_t *ret_n, sp_error *err) {
  z_stream z = {.zalloc = zlib_alloc, .zfree = hook_free, .opaque = c->mem};
  if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return sp_error_nomem(err);
  }
  z.next_in = (Bytef *)(uintptr_t)src;
  z.avail_in = (uInt)n;
  z.next_out = dst;
  z.avail_out = (uInt)cap;
  const int r = deflate(&z, Z_FINISH);
  deflateEnd(&z);
  if (r != Z_STREAM_END) {
    SP_FAIL(err, SP_INTERNAL, NULL, "gzip compression failed");
  }
  *ret_n = cap - z.avail_out;
  return SP_OK;
}

static sp_status deflate_zstd(sp_pq_codecs *c, int32_t level, const uint8_t *src, size_t n, uint8_t *dst,
                              size_t cap, size_t *ret_n, sp_error *err) {
  if (c->zstd_out == NULL) {
    c->zstd_out = ZSTD_createCCtx_advanced((ZSTD_customMem){hook_alloc, hook_free, c->mem});
    SP_TRY_ALLOC(err, c->zstd_out);
  }
  const size_t got = ZSTD_compressCCtx(c->zstd_out, dst, cap, src, n, level);
  if (ZSTD_isError(got)) {
    return ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation
               ? sp_error_nomem(err)
               : sp_error_set(err, SP_INTERNAL, NULL, "zstd compression failed: %s", ZSTD_getErrorName(got));
  }
  *ret_n = got;
  return SP_OK;
}

static sp_status deflate_brotli(sp_pq_codecs *c, int32_t level, const uint8_t *src, size_t n, uint8_t *dst,
                                size_t cap, size_t *ret_n, sp_error *err) {
  BrotliEncoderState *b = BrotliEncoderCreateInstance(hook_alloc, hook_free, c->mem);
  SP_TRY_ALLOC(err, b);
  BrotliEncoderSetParameter(b, BROTLI_PARAM_QUALITY, (uint32_t)level);
  BrotliEncoderSetParameter(b, BROTLI_PARAM_SIZE_HINT, (uint32_t)n);
  size_t in_left = n, out_left = cap;
  const bool ok =
      BrotliEncoderCompressStream(b, BROTLI_OPERATION_FINISH, &in_left, &src, &out_left, &dst, NULL) &&
      BrotliEncoderIsFinished(b);
  BrotliEncoderDestroyInstance(b);
  if (!ok) { /* the output has room for the worst case, so what is missing is memory */
    return sp_error_nomem(err);
  }
  *ret_n = cap - out_left;
  return SP_OK;
}

sp_status sp_pq_deflate(sp_pq_codecs *c, int32_t codec, int32_t level, const uint8_t *src, size_t n,
                        uint8_t *dst, size_t cap, size_t *ret_n, sp_error *err) {
  size_t got = cap;
  switch (codec) {
  case SP_PQ_NONE:
    memcpy(dst, src, n);
    *ret_n = n;
    return SP_OK;
  case SP_PQ_SNAPPY:
    if (snappy_compress((const char *)src, n, (char *)dst, &got) != SNAPPY_OK) {
      SP_FAIL(err, SP_INTERNAL, NULL, "snappy compression failed");
    }
    *ret_n = got;
    return SP_OK;
  case SP_PQ_GZIP:
    return deflate_gzip(c, level, src, n, dst, cap, ret_n, err);
  case SP_PQ_BROTLI:
    return deflate_brotli(c, level, src, n, dst, cap, ret_n, err);
  case SP_PQ_ZSTD:
    return deflate_zstd(c, level, src, n, dst, cap, ret_n, err);
  case SP_PQ_LZ4_RAW:
    got = (size_t)LZ4_compress_default((const char *)src, (char *)dst, (int)n, (int)cap);
    if (got == 0) {
      return sp_error_nomem(err);
    }
    *ret_n = got;
    return SP_OK;
  default:
    SP_FAIL(err, SP_INTERNAL, NULL, "cannot compress with codec %d", codec);
  }
}
