/* The codecs: what is compressed comes back, also from the framings that only other writers use; damage is an
 * error, never a write outside the buffers. Our own snappy is compared with the library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>

#include "base/buf.h"
#include "io/formats/parquet/codecs.h"

static uint64_t state64 = 88172645463325252u;
static uint64_t rnd(void) {
  state64 ^= state64 << 13;
  state64 ^= state64 >> 7;
  state64 ^= state64 << 17;
  return state64;
}

/* Bytes of several natures: noise, text of few words, sorted numbers, zeros, short periods. */
static void fill(uint8_t *p, size_t n, uint32_t nature) {
  for (size_t i = 0; i < n; i++) {
    switch (nature) {
    case 0:
      p[i] = (uint8_t)rnd();
      break;
    case 1:
      p[i] = (uint8_t) "lorem ipsum dolor sit amet"[(i * i / 7 + rnd() % 2) % 26];
      break;
    case 2:
      p[i] = (uint8_t)(i % 8 < 3 ? (i / 8 * 37) >> (8 * (i % 8)) : 0);
      break;
    case 3:
      p[i] = 0;
      break;
    default:
      p[i] = (uint8_t)(i % (nature - 3));
    }
  }
}

static uint8_t *room(size_t n) {
  uint8_t *p = calloc(1, n + SP_BUF_PAD);
  assert_non_null(p);
  return p;
}

static void all_come_back(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_pq_codecs *c = sp_pq_codecs_new(&mem);
  assert_non_null(c);
  static const int32_t codecs[] = {SP_PQ_SNAPPY, SP_PQ_GZIP, SP_PQ_ZSTD, SP_PQ_LZ4_RAW, SP_PQ_BROTLI};
  static const size_t sizes[] = {1, 7, 16, 17, 63, 64, 65, 1000, 70000, 300001};
  for (uint32_t k = 0; k < 5 * 10 * 14; k++) {
    const int32_t codec = codecs[k % 5];
    const size_t n = sizes[k / 5 % 10];
    uint8_t *src = room(n);
    fill(src, n, k / 50);
    const size_t cap = sp_pq_deflate_bound(codec, n);
    uint8_t *packed = room(cap), *back = room(n);
    size_t got = 0;
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_pq_deflate(c, codec, 1, src, n, packed, cap, &got, &err), SP_OK);
    uint8_t *exact = room(got);
    memcpy(exact, packed, got);
    assert_true(sp_pq_inflate_plausible(codec, got, n));
    assert_int_equal(sp_pq_inflate(c, codec, exact, got, back, n, &err), SP_OK);
    assert_memory_equal(src, back, n);
    assert_int_equal(sp_pq_inflate(c, codec, exact, got, back, n - 1, NULL), SP_DATA);
    assert_int_equal(sp_pq_inflate(c, codec, exact, got - 1, back, n, NULL), SP_DATA);
    free(src);
    free(packed);
    free(back);
    free(exact);
  }
  sp_pq_codecs_free(c);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static void snappy_like_the_library(void **state) {
  (void)state;
  for (uint32_t k = 0; k < 3000; k++) {
    const size_t n = 1 + rnd() % 3000, cap = snappy_max_compressed_length(n);
    uint8_t *src = room(n);
    fill(src, n, (uint32_t)(rnd() % 40));
    char *packed = malloc(cap);
    assert_non_null(packed);
    size_t len = cap;
    assert_int_equal(snappy_compress((const char *)src, n, packed, &len), SNAPPY_OK);
    uint8_t *exact = room(len), *back = room(n + 10), *lib = room(n + 10);
    memcpy(exact, packed, len);
    assert_true(sp_pq_snappy(exact, len, back, n));
    assert_memory_equal(src, back, n);
    for (uint32_t j = 0; j < 10; j++) { /* damaged: the same verdict and bytes as the library's */
      const size_t at = rnd() % len;
      const uint8_t old = exact[at];
      exact[at] = (uint8_t)rnd();
      size_t lib_n = 0;
      if (snappy_uncompressed_length((const char *)exact, len, &lib_n) == SNAPPY_OK && lib_n <= n + 10) {
        size_t got = n + 10;
        const bool ok = snappy_uncompress((const char *)exact, len, (char *)lib, &got) == SNAPPY_OK;
        assert_int_equal(sp_pq_snappy(exact, len, back, lib_n), ok);
        if (ok) {
          assert_memory_equal(lib, back, lib_n);
        }
      }
      exact[at] = old;
    }
    free(src);
    free(packed);
    free(exact);
    free(back);
    free(lib);
  }
}

static size_t put_be32(uint8_t *p, size_t v) {
  for (uint32_t i = 0; i < 4; i++) {
    p[i] = (uint8_t)(v >> (24 - 8 * i));
  }
  return 4;
}

/* "LZ4" is Hadoop's blocks, a frame or a raw block, depending on who wrote the file. */
static void framings_of_lz4(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_pq_codecs *c = sp_pq_codecs_new(&mem);
  const size_t n = 5000, cap = 20000;
  uint8_t *src = room(n), *packed = room(cap), *back = room(n);
  fill(src, n, 1);
  size_t len = 0;
  for (uint32_t i = 0; i < 5; i++) { /* five outer blocks, each of one inner block */
    len += put_be32(packed + len, 1000);
    const int k =
        LZ4_compress_default((const char *)src + (size_t)i * 1000, (char *)packed + len + 4, 1000, 4000);
    assert_true(k > 0);
    len += put_be32(packed + len, (size_t)k) + (size_t)k;
  }
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_pq_inflate(c, SP_PQ_LZ4, packed, len, back, n, &err), SP_OK);
  assert_memory_equal(src, back, n);
  len = LZ4F_compressFrame(packed, cap, src, n, NULL);
  assert_false(LZ4F_isError(len));
  memset(back, 0, n);
  assert_int_equal(sp_pq_inflate(c, SP_PQ_LZ4, packed, len, back, n, &err), SP_OK);
  assert_memory_equal(src, back, n);
  len = (size_t)LZ4_compress_default((const char *)src, (char *)packed, (int)n, (int)cap);
  memset(back, 0, n);
  assert_int_equal(sp_pq_inflate(c, SP_PQ_LZ4, packed, len, back, n, &err), SP_OK);
  assert_memory_equal(src, back, n);
  assert_int_equal(sp_pq_inflate(c, SP_PQ_LZ4, packed, len / 2, back, n, NULL), SP_DATA);
  free(src);
  free(packed);
  free(back);
  sp_pq_codecs_free(c);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static void refusals(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_pq_codecs *c = sp_pq_codecs_new(&mem);
  uint8_t *p = room(10);
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_pq_inflate(c, SP_PQ_LZO, p, 10, p, 10, &err), SP_UNSUPPORTED);
  assert_non_null(strstr(err.message, "lzo"));
  assert_int_equal(sp_pq_inflate(c, 99, p, 10, p, 10, NULL), SP_UNSUPPORTED);
  assert_false(sp_pq_inflate_plausible(SP_PQ_SNAPPY, 100, 1 << 20));
  assert_false(sp_pq_inflate_plausible(SP_PQ_ZSTD, 100, 1 << 30));
  assert_true(sp_pq_inflate_plausible(SP_PQ_ZSTD, 100, 1 << 20));
  free(p);
  sp_pq_codecs_free(c);
  sp_mem_release(&mem);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_come_back),
                                     cmocka_unit_test(snappy_like_the_library),
                                     cmocka_unit_test(framings_of_lz4), cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
