/* Compressed CSV files: gzip and zstd, by suffix, or by their first bytes. Text of a compressed file cannot
 * be cut without inflating what is in front, so it is inflated whole when the scan is planned; for names and
 * types only its start is.
 *
 * Several gzip members or zstd frames one behind the other are one text: that is how parallel writers make
 * them.
 *
 *   limit 4 MiB, file of 1 GiB ⇒ its first 5 MiB are read and inflated until there are 4 MiB of text */
#define ZSTD_STATIC_LINKING_ONLY

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "data/text.h"
#include "io/formats/csv/csv.h"

#define STEP ((size_t)1 << 20) /* inflated at a time */

typedef struct job {
  const sp_csv_source *s;
  const sp_buf *in;
  bool cut; /* in is not the whole file */
  sp_buf *out;
  size_t limit;
} job;

static sp_status broken(const job *j, const char *what, sp_error *err) {
  const sp_loc loc = {.file = j->s->base.path};
  SP_FAIL(err, SP_DATA, &loc, "broken or cut %s data", what);
}

/* Room for another step. */
static sp_status make_room(const job *j, sp_error *err) {
  const sp_loc loc = {.file = j->s->base.path};
  if (j->out->size > CSV_MAX_INFLATED) {
    SP_FAIL(err, SP_LIMIT, &loc, "the file inflates to more than %zu GiB", CSV_MAX_INFLATED >> 30);
  }
  return sp_buf_reserve(j->out, j->out->size + STEP) ? SP_OK : sp_error_nomem(err);
}

/* Memory of the codecs, from the account. Sizes stand in front of it, for frees are sized. */
static void *hook_alloc(void *mem, size_t n) {
  size_t *p = sp_mem_alloc(mem, n + 16);
  if (p == NULL) {
    return NULL;
  }
  *p = n + 16;
  return p + 2;
}

static void hook_free(void *mem, void *p) {
  if (p != NULL) {
    size_t *q = (size_t *)p - 2;
    sp_mem_free(mem, q, *q);
  }
}

static voidpf z_alloc(voidpf mem, uInt n, uInt size) {
  return hook_alloc(mem, (size_t)n * size);
}

/* ---- gzip ---- */
static sp_status run_gzip(const job *j, z_stream *z, int *rc, sp_error *err) {
  size_t used = 0;
  while (used < j->in->size && j->out->size < j->limit) {
    if (*rc == Z_STREAM_END && inflateReset(z) != Z_OK) {
      return broken(j, "gzip", err);
    }
    SP_TRY(make_room(j, err));
    const size_t left = j->in->size - used;
    const uInt had_in = (uInt)(left < STEP ? left : STEP), had_out = (uInt)STEP;
    z->next_in = j->in->data + used;
    z->avail_in = had_in;
    z->next_out = j->out->data + j->out->size;
    z->avail_out = had_out;
    *rc = inflate(z, Z_NO_FLUSH);
    used += had_in - z->avail_in;
    j->out->size += had_out - z->avail_out;
    if (*rc == Z_MEM_ERROR) {
      return sp_error_nomem(err);
    }
    if (*rc != Z_OK && *rc != Z_STREAM_END) {
      return broken(j, "gzip", err);
    }
  }
  return SP_OK;
}

static sp_status inflate_gzip(const job *j, sp_error *err) {
  z_stream z = {.zalloc = z_alloc, .zfree = hook_free, .opaque = j->s->base.mem};
  if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
    return sp_error_nomem(err);
  }
  int rc = Z_OK;
  const sp_status st = run_gzip(j, &z, &rc, err);
  (void)inflateEnd(&z);
  SP_TRY(st);
  return !j->cut && j->out->size < j->limit && rc != Z_STREAM_END ? broken(j, "gzip", err) : SP_OK;
}

/* ---- zstd ---- */
static sp_status run_zstd(const job *j, ZSTD_DStream *z, sp_error *err) {
  ZSTD_inBuffer input = {j->in->data, j->in->size, 0};
  size_t rc = 1;
  while ((input.pos < j->in->size || rc != 0) && j->out->size < j->limit) {
    SP_TRY(make_room(j, err));
    ZSTD_outBuffer output = {j->out->data + j->out->size, STEP, 0};
    const size_t before = input.pos;
    rc = ZSTD_decompressStream(z, &output, &input);
    if (ZSTD_isError(rc) && ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation) {
      return sp_error_nomem(err);
    }
    if (ZSTD_isError(rc)) {
      return broken(j, "zstd", err);
    }
    j->out->size += output.pos;
    if (output.pos == 0 && input.pos == before) { /* it wants more than there is */
      return j->cut ? SP_OK : broken(j, "zstd", err);
    }
  }
  return SP_OK;
}

static sp_status inflate_zstd(const job *j, sp_error *err) {
  ZSTD_DStream *z = ZSTD_createDStream_advanced((ZSTD_customMem){hook_alloc, hook_free, j->s->base.mem});
  SP_TRY_ALLOC(err, z);
  const sp_status st = run_zstd(j, z, err);
  (void)ZSTD_freeDStream(z);
  return st;
}

/* ---- both ---- */
static sp_status read_compressed(const sp_csv_source *s, int fd, size_t n, sp_buf **ret, sp_error *err) {
  sp_buf *in = sp_buf_new(NULL, s->base.mem, n);
  SP_TRY_ALLOC(err, in);
  const sp_status st = sp_csv_read_file(s, fd, 0, in->data, n, err);
  if (st != SP_OK) {
    sp_buf_unref(in);
    return st;
  }
  in->size = n;
  *ret = in;
  return SP_OK;
}

sp_csv_codec sp_csv_codec_of(const char *path, const uint8_t *head, size_t n) {
  const size_t len = strlen(path);
  if ((len >= 3 && strcmp(path + len - 3, ".gz") == 0) || (n >= 2 && memcmp(head, "\x1f\x8b", 2) == 0)) {
    return CSV_GZIP;
  }
  const bool zstd = n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0;
  return zstd || (len >= 4 && strcmp(path + len - 4, ".zst") == 0) ? CSV_ZSTD : CSV_PLAIN;
}

sp_status sp_csv_inflate(sp_csv_source *s, int fd, size_t limit, sp_error *err) {
  const size_t bytes = (size_t)s->base.bytes;
  const bool cut = limit < bytes && bytes - limit > STEP;
  sp_buf *in = NULL;
  SP_TRY(read_compressed(s, fd, cut ? limit + STEP : bytes, &in, err));
  sp_buf *out = sp_buf_new(NULL, s->base.mem, STEP);
  const job j = {s, in, cut, out, limit};
  sp_status st = SP_OK;
  if (out == NULL) {
    st = sp_error_nomem(err);
  } else if (in->size > 0) {
    st = s->codec == CSV_GZIP ? inflate_gzip(&j, err) : inflate_zstd(&j, err);
  }
  sp_buf_unref(in);
  if (st != SP_OK) {
    sp_buf_unref(out);
    return st;
  }
  sp_buf_unref(s->inflated);
  s->inflated = out;
  s->inflated_whole = !cut && out->size < limit;
  s->size = (int64_t)out->size;
  return SP_OK;
}

/* ---- writing ---- */
sp_status sp_csv_codec_parse(const char *name, const char *path, sp_csv_codec *ret, int *ret_level,
                             sp_error *err) {
  if (name == NULL) {
    *ret = sp_csv_codec_of(path, NULL, 0);
    *ret_level = *ret == CSV_GZIP ? 6 : 3;
    return SP_OK;
  }
  const size_t n = strcspn(name, ":");
  const sp_sv codec = {name, n};
  int64_t level = -1;
  const bool none = sp_sv_eq(codec, SP_SV("none")), gzip = sp_sv_eq(codec, SP_SV("gzip"));
  if (!none && !gzip && !sp_sv_eq(codec, SP_SV("zstd"))) {
    SP_FAIL(err, SP_INVALID, NULL, "`%.40s` compresses no CSV file: none, gzip or zstd do", name);
  }
  const int64_t most = none ? 0 : gzip ? 9 : 22;
  if (name[n] == ':' && (!sp_parse_i64(sp_sv_from(name + n + 1), &level) || level < 1 || level > most)) {
    SP_FAIL(err, SP_INVALID, NULL, "`%.40s`: the level must be from 1 to %d", name, (int)most);
  }
  *ret = none ? CSV_PLAIN : gzip ? CSV_GZIP : CSV_ZSTD;
  *ret_level = level > 0 ? (int)level : gzip ? 6 : 3;
  return SP_OK;
}

static sp_status deflate_gzip(sp_mem *mem, int level, const char *p, size_t n, sp_buf *out, sp_error *err) {
  z_stream z = {.zalloc = z_alloc, .zfree = hook_free, .opaque = mem};
  if (deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return sp_error_nomem(err);
  }
  int rc = Z_OK;
  while (rc == Z_OK) {
    if (!sp_buf_reserve(out, out->size + STEP)) {
      (void)deflateEnd(&z);
      return sp_error_nomem(err);
    }
    if (z.avail_in == 0) { /* its counters have 32 bits */
      z.next_in = (Bytef *)(uintptr_t)p;
      z.avail_in = (uInt)(n < STEP ? n : STEP);
      p += z.avail_in;
      n -= z.avail_in;
    }
    z.next_out = out->data + out->size;
    z.avail_out = (uInt)STEP;
    rc = deflate(&z, n == 0 ? Z_FINISH : Z_NO_FLUSH);
    out->size += STEP - z.avail_out;
  }
  (void)deflateEnd(&z);
  if (rc != Z_STREAM_END) {
    SP_FAIL(err, SP_INTERNAL, NULL, "gzip gives up with %d", rc);
  }
  return SP_OK;
}

static sp_status deflate_zstd(sp_mem *mem, int level, const char *p, size_t n, sp_buf *out, sp_error *err) {
  ZSTD_CCtx *z = ZSTD_createCCtx_advanced((ZSTD_customMem){hook_alloc, hook_free, mem});
  SP_TRY_ALLOC(err, z);
  size_t rc = 0;
  const bool room = sp_buf_reserve(out, ZSTD_compressBound(n));
  if (room) {
    rc = ZSTD_compressCCtx(z, out->data, out->capacity, p, n, level);
  }
  (void)ZSTD_freeCCtx(z);
  if (!room || (ZSTD_isError(rc) && ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)) {
    return sp_error_nomem(err);
  }
  if (ZSTD_isError(rc)) {
    SP_FAIL(err, SP_INTERNAL, NULL, "zstd gives up: %s", ZSTD_getErrorName(rc));
  }
  out->size = rc;
  return SP_OK;
}

sp_status sp_csv_deflate(sp_mem *mem, sp_csv_codec codec, int level, const char *p, size_t n, sp_buf **ret,
                         sp_error *err) {
  sp_buf *out = sp_buf_new(NULL, mem, STEP);
  SP_TRY_ALLOC(err, out);
  const sp_status st =
      codec == CSV_GZIP ? deflate_gzip(mem, level, p, n, out, err) : deflate_zstd(mem, level, p, n, out, err);
  if (st != SP_OK) {
    sp_buf_unref(out);
    return st;
  }
  *ret = out;
  return SP_OK;
}
