/* Decompression and compression of pages. A sp_pq_codecs keeps the libraries' contexts between pages and
 * belongs to one worker; it is charged to the account it was made with where the library lets us (zstd, zlib,
 * brotli). */
#ifndef SP_IO_PARQUET_CODECS_H
#define SP_IO_PARQUET_CODECS_H

#include "base/error.h"
#include "base/mem.h"
#include "io/formats/parquet/meta.h"

typedef struct sp_pq_codecs sp_pq_codecs;
sp_pq_codecs *sp_pq_codecs_new(sp_mem *mem); /* NULL when out of memory */
void sp_pq_codecs_free(sp_pq_codecs *c);     /* NULL-safe */

const char *sp_pq_codec_name(int32_t codec); /* NULL when there is no such codec */
/* Can n compressed bytes become `declared` ones? Stops a small page from claiming gigabytes. */
bool sp_pq_inflate_plausible(int32_t codec, size_t n, size_t declared);
/* Inflates the n bytes at src into exactly dst_n bytes at dst; anything else is SP_DATA. SP_UNSUPPORTED:
 * unknown codec. */
sp_status sp_pq_inflate(sp_pq_codecs *c, int32_t codec, const uint8_t *src, size_t n, uint8_t *dst,
                        size_t dst_n, sp_error *err);

/* Snappy alone, with the same padding. false: damaged. */
bool sp_pq_snappy(const uint8_t *p, size_t n, uint8_t *dst, size_t dst_n);

/* "zstd", "zstd:3", "none", …; NULL is zstd at level 1. SP_UNSUPPORTED with the valid names otherwise. */
sp_status sp_pq_codec_parse(const char *text, int32_t *ret_codec, int32_t *ret_level, sp_error *err);
/* Bytes that compressing n may take; 0 when n is too large for the codec. */
size_t sp_pq_deflate_bound(int32_t codec, size_t n);
sp_status sp_pq_deflate(sp_pq_codecs *c, int32_t codec, int32_t level, const uint8_t *src, size_t n,
                        uint8_t *dst, size_t cap, size_t *ret_n, sp_error *err);

#endif
