/* Instruction-set clones of a kernel, chosen at load time. Empty where target_clones is not to be had: under
 * ThreadSanitizer (its resolver runs before the runtime), for coverage, off x86-64 and with clang. */
#ifndef SP_BASE_SIMD_H
#define SP_BASE_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__) &&      \
    !defined(SP_NO_CLONES)
#define SP_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SP_CLONES
#endif

#define SP_LIKELY(x) __builtin_expect(!!(x), 1)
#define SP_UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
