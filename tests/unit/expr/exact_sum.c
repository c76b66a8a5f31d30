/* Exact sums against integers of 4,608 bits, in every order; special values; rounding at the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "expr/exact_sum.h"

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* ---- a slow sum: one bit per byte would do, but 32-bit words in two's complement are as simple ---- */
#define WORDS 80
typedef struct big {
  uint32_t w[WORDS]; /* value × 2^1074 */
} big;

static void big_add(big *b, double x) {
  int e;
  const double m = frexp(fabs(x), &e); /* x = m × 2^e */
  const int64_t whole = (int64_t)ldexp(m, 53);
  int at = e - 53 + 1074;
  uint64_t v = (uint64_t)whole;
  if (at < 0) { /* subnormal: the low bits are zero */
    v >>= -at;
    at = 0;
  }
  uint32_t term[WORDS] = {0};
  for (int k = 0; k < 64; k++) {
    if (v >> k & 1) {
      term[(at + k) / 32] |= UINT32_C(1) << (at + k) % 32;
    }
  }
  uint64_t carry = x < 0;
  for (int i = 0; i < WORDS; i++) {
    const uint64_t s = (uint64_t)b->w[i] + (x < 0 ? ~term[i] : term[i]) + carry;
    b->w[i] = (uint32_t)s;
    carry = s >> 32;
  }
}

static int bit(const big *b, int i) {
  return i < 0 ? 0 : (int)(b->w[i / 32] >> i % 32 & 1);
}

static double big_round(const big *sum) {
  big b = *sum;
  const bool negative = b.w[WORDS - 1] >> 31;
  uint64_t carry = 1;
  for (int i = 0; negative && i < WORDS; i++) {
    const uint64_t s = (uint64_t)(uint32_t)~b.w[i] + carry;
    b.w[i] = (uint32_t)s;
    carry = s >> 32;
  }
  int top = WORDS * 32 - 1;
  while (top >= 0 && !bit(&b, top)) {
    top--;
  }
  if (top < 0) {
    return 0;
  }
  const int low = top > 52 ? top - 52 : 0;
  uint64_t m = 0;
  for (int i = top; i >= low; i--) {
    m = m << 1 | (uint64_t)bit(&b, i);
  }
  bool rest = false;
  for (int i = 0; i < low - 1; i++) {
    rest |= bit(&b, i) != 0;
  }
  if (bit(&b, low - 1) && (rest || (m & 1))) {
    m++;
  }
  const double r = ldexp((double)m, low - 1074);
  return negative ? -r : r;
}

/* ---- values of many sorts ---- */
static double random_double(int sort) {
  const uint64_t r = next_random();
  double x;
  switch (sort) {
  case 0: /* money */
    return (double)(int64_t)(r % 2000001 - 1000000) / 100;
  case 1: /* any bits but not NaN and infinity */
    memcpy(&x, &r, sizeof x);
    return isfinite(x) ? x : 1.0;
  case 2: /* subnormal */
    return (double)(r % 1000) * 0x1p-1074;
  case 3: /* near 1 */
    return 1 + (double)(r >> 12) * 0x1p-52;
  case 4: /* large, of both signs */
    return (r & 1 ? -1 : 1) * ldexp((double)(r >> 11), (int)(r % 900));
  default:
    return random_double((int)(r % 5));
  }
}

#define N 600
static void sums_are_exact(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  for (int round = 0; round < 300; round++) {
    static double x[N];
    big want = {{0}};
    for (int i = 0; i < N; i++) {
      x[i] = random_double(round % 6);
      big_add(&want, x[i]);
    }
    sp_exact_sum parts[3] = {{0}}, all = {0};
    for (int i = 0; i < N; i++) {
      assert_true(sp_exact_add(&parts[next_random() % 3], &mem, x[i]));
    }
    for (int i = 0; i < 3; i++) {
      assert_true(sp_exact_merge(&parts[0], &mem, i > 0 ? &parts[i] : &(sp_exact_sum){0}));
    }
    assert_true(sp_exact_add_all(&all, &mem, x, N));
    const double w = big_round(&want), got = sp_exact_get(&parts[0]), got_all = sp_exact_get(&all);
    assert_true(memcmp(&w, &got, sizeof w) == 0 || (w == 0 && got == 0));
    assert_true(memcmp(&got_all, &got, sizeof w) == 0);
    assert_int_equal(sp_exact_count(&parts[0]), N);
    assert_int_equal(sp_exact_count(&all), N);
    double hi, lo;
    sp_exact_get2(&all, &hi, &lo);
    assert_true(memcmp(&hi, &got, sizeof hi) == 0);
    if (isfinite(hi)) {
      big_add(&want, -hi);
      assert_true(big_round(&want) == lo);
    } else {
      assert_true(lo == 0);
    }
    for (int i = 0; i < 3; i++) {
      sp_exact_release(&parts[i], &mem);
    }
    sp_exact_release(&all, &mem);
  }
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static double sum_of(const double *x, int n) {
  sp_exact_sum s = {0};
  for (int i = 0; i < n; i++) {
    assert_true(sp_exact_add(&s, sp_mem_process(), x[i]));
  }
  const double r = sp_exact_get(&s);
  sp_exact_release(&s, sp_mem_process());
  return r;
}

static void known_sums(void **state) {
  (void)state;
  assert_true(sum_of((double[]){1e16, 1, -1e16}, 3) == 1);
  assert_true(sum_of((double[]){1e300, 1e-300, -1e300}, 3) == 1e-300);
  assert_true(sum_of((double[]){0.1, 0.2, 0.3}, 3) == 0.6);
  assert_true(sum_of((double[]){1, 0x1p-53}, 2) == 1);                      /* a tie goes to even */
  assert_true(sum_of((double[]){1, 0x1p-53, 0x1p-1074}, 3) == 1 + 0x1p-52); /* and a little more goes up */
  assert_true(sum_of((double[]){1.7976931348623157e308, 1.7976931348623157e308, -1.7976931348623157e308},
                     3) == 1.7976931348623157e308);
  assert_true(isinf(sum_of((double[]){1.7976931348623157e308, 1.7976931348623157e308}, 2)));
  assert_true(isnan(sum_of((double[]){INFINITY, -INFINITY}, 2)));
  assert_true(sum_of((double[]){INFINITY, 1}, 2) == INFINITY);
  assert_true(sum_of((double[]){-INFINITY, 1e308}, 2) == -INFINITY);
  assert_true(isnan(sum_of((double[]){NAN, 1}, 2)));
  assert_true(sum_of((double[]){-0.0, 0.0}, 2) == 0);
  assert_true(sum_of((double[]){0x1p-1074, 0x1p-1074}, 2) == 0x1p-1073);
}

/* The 128 bits overflow: 2^54 × 100 is more than they hold. */
static void fixed_part_overflows(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_exact_sum s = {0};
  for (int i = 0; i < 1000; i++) {
    assert_true(sp_exact_add(&s, &mem, 0x1.fffffffffffffp51));
    assert_true(sp_exact_add(&s, &mem, 0.25));
  }
  assert_true(sp_exact_get(&s) == 1000 * 0x1p52); /* 250 less, which is under half of its last place */
  for (int i = 0; i < 1000; i++) {
    assert_true(sp_exact_add(&s, &mem, -0x1.fffffffffffffp51));
  }
  assert_true(sp_exact_get(&s) == 250);
  sp_exact_release(&s, &mem);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

static void no_memory(void **state) {
  (void)state;
  sp_mem mem;
  sp_mem_init(&mem, NULL, "test");
  sp_exact_sum s = {0}, other = {0};
  assert_true(sp_exact_add(&s, &mem, 1.5)); /* needs none */
  sp_mem_fail_at(0);
  assert_false(sp_exact_add(&s, &mem, 1e300));
  sp_mem_fail_at(-1);
  assert_true(sp_exact_add(&other, &mem, 1e300));
  sp_mem_fail_at(0);
  assert_false(sp_exact_merge(&s, &mem, &other));
  sp_mem_fail_at(-1);
  sp_exact_release(&s, &mem);
  sp_exact_release(&other, &mem);
  assert_int_equal(atomic_load(&mem.live), 0);
  sp_mem_release(&mem);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_exact), cmocka_unit_test(known_sums),
                                     cmocka_unit_test(fixed_part_overflows), cmocka_unit_test(no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
