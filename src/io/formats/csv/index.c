/* Where the separators and line ends of a block of text are: 64 bytes at a time are compared with the
 * characters that matter, which gives bit masks; the set bits become 16-bit positions. No byte is branched
 * on.
 *
 * Quotes: an exclusive-or over all bits below (prefix) turns a mask of quotes into a mask of what is inside
 * them, and separators there are dropped. That is right only while every quote opens a field (it stands
 * behind a separator, a line end or a closing quote, which it doubles) or closes one (a separator, a line end
 * or a quote follows). Where one does not, the block is `odd` and tokenize.c takes it byte by byte.
 *
 *   a,"b,c",d\n   quotes 2 and 6 ⇒ inside 2…5 ⇒ separators 1 and 7, line end 9
 *
 * With AVX-512 VBMI2 the positions are packed by one instruction, with AVX2 bit by bit but without a branch
 * per bit; the portable way is the model of both and a test compares them. */
#include "base/simd.h"
#include "io/formats/csv/csv.h"

typedef struct quote_state {
  uint64_t inside;                      /* all ones between quotes */
  uint64_t may_open, closed, closed_cr; /* of the byte before: bit 0 */
  uint64_t odd, seen;
} quote_state;

typedef struct masks {
  uint64_t separator, line_end, quote, cr;
} masks;

static inline uint64_t prefix_xor(uint64_t x) {
  x ^= x << 1;
  x ^= x << 2;
  x ^= x << 4;
  x ^= x << 8;
  x ^= x << 16;
  return x ^ x << 32;
}

/* Drops what is inside quotes from m; looks at how the quotes stand. valid: bits that are text. */
static inline void take_quotes(quote_state *s, masks *m, uint64_t valid) {
  const uint64_t inside = prefix_xor(m->quote) ^ s->inside;
  const uint64_t open = m->quote & inside, close = m->quote & ~inside;
  m->separator &= ~inside;
  m->line_end &= ~inside;
  const uint64_t outside = m->separator | m->line_end | m->quote;
  const uint64_t behind_close = close << 1 | s->closed;
  const uint64_t cr = behind_close & m->cr;
  uint64_t odd = open & ~(outside << 1 | s->may_open);
  odd |= behind_close & ~(outside | m->cr);
  odd |= (cr << 1 | s->closed_cr) & ~m->line_end;
  s->odd |= odd & valid;
  s->seen |= m->quote;
  s->may_open = outside >> 63;
  s->closed = close >> 63;
  s->closed_cr = cr >> 63;
  s->inside = 0 - (inside >> 63);
}

static inline bool quotes_matter(const quote_state *s, uint64_t quotes) {
  return (quotes | s->inside | s->closed | s->closed_cr) != 0;
}

static inline uint64_t valid_bits(uint32_t n, uint32_t i) {
  return n - i >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (n - i)) - 1;
}

/* One block of 64: `mask` makes a mask of the bytes equal to one, `put` stores positions. */
#define TAKE_64(mask, put)                                                                                   \
  do {                                                                                                       \
    const uint64_t valid = valid_bits(n, i);                                                                 \
    masks m = {.separator = mask(separator) & valid, .line_end = mask(line_end) & valid};                    \
    m.quote = mask(quote) & valid & with_quotes;                                                             \
    if (SP_UNLIKELY(quotes_matter(&q, m.quote))) {                                                           \
      m.cr = mask(cr) & valid & with_cr;                                                                     \
      take_quotes(&q, &m, valid);                                                                            \
    } else {                                                                                                 \
      q.may_open = (m.separator | m.line_end) >> 63;                                                         \
    }                                                                                                        \
    lines += (uint32_t)__builtin_popcountll(m.line_end);                                                     \
    const uint64_t hits = m.separator | m.line_end;                                                          \
    put;                                                                                                     \
  } while (0)

#define BEGIN                                                                                                \
  quote_state q = {.may_open = 1};                                                                           \
  const uint64_t with_quotes = d->quote != '\0' ? ~UINT64_C(0) : 0;                                          \
  const uint64_t with_cr = d->line_end == '\n' ? ~UINT64_C(0) : 0;                                           \
  uint32_t lines = 0;                                                                                        \
  uint16_t *out = positions
#define END                                                                                                  \
  *ret = (sp_csv_index) {                                                                                    \
    .n = (uint32_t)(out - positions), .lines = lines, .quotes = q.seen != 0, .odd = q.odd != 0               \
  }

/* ---- portable ---- */
/* Bit k: byte k of x is c. A byte of (x ^ c…) is zero when adding 0x7f to its low bits does not carry. */
static inline uint64_t equal8(uint64_t x, uint64_t c) {
  const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
  x ^= c * UINT64_C(0x0101010101010101);
  x = ~(((x & low) + low) | x | low);
  return (x >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static uint64_t equal64(const char *p, uint8_t c) {
  uint64_t m = 0;
  for (uint32_t k = 0; k < 8; k++) {
    uint64_t x;
    memcpy(&x, p + 8 * k, 8);
    m |= equal8(x, c) << (8 * k);
  }
  return m;
}

static inline uint16_t *put_bits(uint16_t *out, uint32_t base, uint64_t hits) {
  for (; hits != 0; hits &= hits - 1) {
    *out++ = (uint16_t)(base + (uint32_t)__builtin_ctzll(hits));
  }
  return out;
}

static void index_portable(const sp_csv_dialect *d, const char *text, uint32_t n, uint16_t *positions,
                           sp_csv_index *ret) {
  const uint8_t separator = (uint8_t)d->separator, line_end = (uint8_t)d->line_end, quote = (uint8_t)d->quote,
                cr = '\r';
  BEGIN;
  for (uint32_t i = 0; i < n; i += 64) {
#define MASK(c) equal64(text + i, c)
    TAKE_64(MASK, out = put_bits(out, i, hits));
#undef MASK
  }
  END;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SP_NO_CLONES)
#include <immintrin.h>

/* ---- AVX2 ---- */
/* Eight positions are stored whether there are so many or not; what is too much is overwritten by the next.
 */
__attribute__((target("avx2,bmi,popcnt"))) static inline uint16_t *put_eights(uint16_t *out, uint32_t base,
                                                                              uint64_t hits) {
  const uint32_t n = (uint32_t)__builtin_popcountll(hits);
  for (uint32_t k = 0; k < n; k += 8) {
    for (uint32_t j = 0; j < 8; j++) {
      out[k + j] = (uint16_t)(base + (uint32_t)_tzcnt_u64(hits));
      hits = _blsr_u64(hits);
    }
  }
  return out + n;
}

__attribute__((target("avx2,bmi,popcnt"))) static void
index_avx2(const sp_csv_dialect *d, const char *text, uint32_t n, uint16_t *positions, sp_csv_index *ret) {
  const __m256i separator = _mm256_set1_epi8(d->separator), line_end = _mm256_set1_epi8(d->line_end),
                quote = _mm256_set1_epi8(d->quote), cr = _mm256_set1_epi8('\r');
  BEGIN;
  for (uint32_t i = 0; i < n; i += 64) {
    const __m256i lo = _mm256_loadu_si256((const __m256i *)(const void *)(text + i));
    const __m256i hi = _mm256_loadu_si256((const __m256i *)(const void *)(text + i + 32));
#define HALF(x, c) (uint64_t)(uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(x, c))
#define MASK(c) (HALF(lo, c) | HALF(hi, c) << 32)
    TAKE_64(MASK, out = put_eights(out, i, hits));
#undef MASK
#undef HALF
  }
  END;
}

/* ---- AVX-512 ---- */
/* The numbers 0 to 63 at the hits are packed to the front, widened and moved to the block's place. */
#define AVX512 "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi,popcnt"
__attribute__((target(AVX512))) static inline uint16_t *put_packed(uint16_t *out, uint32_t base,
                                                                   uint64_t hits, __m512i numbers) {
  const uint32_t n = (uint32_t)__builtin_popcountll(hits);
  const __m512i packed = _mm512_maskz_compress_epi8(hits, numbers), bases = _mm512_set1_epi16((short)base);
  const __m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(packed));
  _mm512_storeu_si512(out, _mm512_add_epi16(low, bases));
  if (SP_UNLIKELY(n > 32)) {
    const __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(packed, 1));
    _mm512_storeu_si512(out + 32, _mm512_add_epi16(high, bases));
  }
  return out + n;
}

__attribute__((target(AVX512))) static void index_avx512(const sp_csv_dialect *d, const char *text,
                                                         uint32_t n, uint16_t *positions, sp_csv_index *ret) {
  const __m512i separator = _mm512_set1_epi8(d->separator), line_end = _mm512_set1_epi8(d->line_end),
                quote = _mm512_set1_epi8(d->quote), cr = _mm512_set1_epi8('\r');
  uint8_t numbers[64];
  for (uint32_t i = 0; i < 64; i++) {
    numbers[i] = (uint8_t)i;
  }
  const __m512i all = _mm512_loadu_si512(numbers);
  BEGIN;
  for (uint32_t i = 0; i < n; i += 64) {
    const __m512i x = _mm512_loadu_si512(text + i);
#define MASK(c) (uint64_t) _mm512_cmpeq_epi8_mask(x, c)
    TAKE_64(MASK, out = put_packed(out, i, hits, all));
#undef MASK
  }
  END;
}

static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("popcnt");
}

static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}

sp_csv_index_fn sp_csv_index_variant(uint32_t i) {
  sp_csv_index_fn all[4] = {NULL};
  uint32_t n = 0;
  if (has_avx512()) {
    all[n++] = index_avx512;
  }
  if (has_avx2()) {
    all[n++] = index_avx2;
  }
  all[n++] = index_portable;
  return i < n ? all[i] : NULL;
}
#else
sp_csv_index_fn sp_csv_index_variant(uint32_t i) {
  return i == 0 ? index_portable : NULL;
}
#endif

sp_csv_index_fn sp_csv_index_best(void) {
  return sp_csv_index_variant(0);
}
