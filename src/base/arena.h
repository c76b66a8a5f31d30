/* Bump arena: everything allocated from it dies together. Not thread-safe. Returned memory is zeroed and
 * aligned to 16 bytes; NULL means out of memory. Built with SP_DEBUG_ARENA each object is its own allocation,
 * so that valgrind and the sanitizers see overruns and the torture tests can fail every one. */
#ifndef SP_BASE_ARENA_H
#define SP_BASE_ARENA_H

#include "base/mem.h"

typedef struct sp_arena_block sp_arena_block;
typedef struct sp_arena {
  sp_mem *mem;
  sp_arena_block *head;
  size_t used, total; /* bytes handed out; bytes allocated */
} sp_arena;

void sp_arena_init(sp_arena *a, sp_mem *mem);
void sp_arena_release(sp_arena *a); /* frees all; the arena may be initialised again */
void sp_arena_reset(sp_arena *a);   /* forgets all objects, keeps the largest block */

void *sp_arena_alloc(sp_arena *a, size_t n);
void *sp_arena_array(sp_arena *a, size_t n, size_t size); /* overflow-checked n * size */
void *sp_arena_copy(sp_arena *a, const void *p, size_t n);
/* Grows an array of *cap elements to hold at least n; old contents are copied, the old array stays in the
 * arena. */
bool sp_arena_grow(sp_arena *a, void *array_ptr, uint32_t *cap, uint32_t n, size_t size);
char *sp_arena_strdup(sp_arena *a, const char *s);
char *sp_arena_strndup(sp_arena *a, const char *s, size_t n); /* always NUL-terminated */
__attribute__((format(printf, 2, 3))) char *sp_arena_printf(sp_arena *a, const char *fmt, ...);

#define SP_ARENA_NEW(a, T) ((T *)sp_arena_alloc((a), sizeof(T)))
#define SP_ARENA_ARRAY(a, T, n) ((T *)sp_arena_array((a), (n), sizeof(T)))

#endif
