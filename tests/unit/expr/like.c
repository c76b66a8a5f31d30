/* LIKE against a matcher that tries everything, and the search for bytes against a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "expr/like.h"

static uint64_t seed = 88172645463325252u;
static uint32_t below(uint32_t n) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)(seed * UINT64_C(0x2545f4914f6cdd1d) >> 33) % n;
}

static bool cont(char c) {
  return ((unsigned char)c & 0xc0) == 0x80;
}

static bool slow(const char *p, const char *pe, const char *s, const char *se, char escape) {
  if (p == pe) {
    return s == se;
  }
  if (escape != 0 && *p == escape) {
    return s < se && *s == p[1] && slow(p + 2, pe, s + 1, se, escape);
  }
  if (*p == '%') {
    for (;; s++) {
      if (slow(p + 1, pe, s, se, escape)) {
        return true;
      }
      if (s == se) {
        return false;
      }
    }
  }
  if (s == se) {
    return false;
  }
  if (*p == '_') {
    do {
      s++;
    } while (s < se && cont(*s));
    return slow(p + 1, pe, s, se, escape);
  }
  return *p == *s && slow(p + 1, pe, s + 1, se, escape);
}

static void random_text(const char *const *parts, uint32_t n_parts, uint32_t max, char *out) {
  out[0] = 0;
  for (uint32_t i = below(max + 1); i > 0; i--) {
    const char *part = parts[below(n_parts)];
    memcpy(out + strlen(out), part, strlen(part) + 1);
  }
}

static void agrees_with_trying_everything(void **state) {
  (void)state;
  static const char *const text_parts[] = {"a", "b", "ab", "é", "%", "_", "語"}, *const pattern_parts[] = {
                                                                                     "a",  "b",  "%",  "_",
                                                                                     "é",  "語", "#%", "#_",
                                                                                     "##", "%%"};
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  uint32_t hits = 0;
  for (uint32_t round = 0; round < 200000; round++) {
    char text[100], pattern[100];
    const char escape = below(2) != 0 ? '#' : 0;
    random_text(text_parts, 7, 9, text);
    random_text(pattern_parts, 10, 6, pattern);
    const sp_like *l = NULL;
    assert_int_equal(sp_like_compile(&a, sp_sv_from(pattern), escape, &l, NULL), SP_OK);
    const bool want = slow(pattern, pattern + strlen(pattern), text, text + strlen(text), escape);
    if (sp_like_match(l, text, strlen(text)) != want) {
      fail_msg("`%s` LIKE `%s`: %d expected", text, pattern, want);
    }
    hits += want;
    sp_arena_reset(&a);
  }
  assert_true(hits > 5000);
  const sp_like *l;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_like_compile(&a, SP_SV("a#"), '#', &l, &err), SP_EXEC);
  sp_arena_release(&a);
}

/* The haystack ends where its allocation does, so that sanitizers see a read behind it. */
static void finds_the_first_place(void **state) {
  (void)state;
  for (uint32_t round = 0; round < 20000; round++) {
    const size_t n = below(200), m = below(6);
    char *hay = malloc(n + 1), needle[8];
    assert_non_null(hay);
    for (size_t i = 0; i < n; i++) {
      hay[i] = (char)('a' + below(3));
    }
    for (size_t i = 0; i < m; i++) {
      needle[i] = (char)('a' + below(3));
    }
    char *exact = malloc(n > 0 ? n : 1);
    assert_non_null(exact);
    memcpy(exact, hay, n);
    const char *want = NULL;
    for (size_t i = 0; want == NULL && i + m <= n; i++) {
      want = memcmp(exact + i, needle, m) == 0 ? exact + i : NULL;
    }
    assert_ptr_equal(sp_find_bytes(exact, n, needle, m), want);
    free(exact);
    free(hay);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_trying_everything),
                                     cmocka_unit_test(finds_the_first_place)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
