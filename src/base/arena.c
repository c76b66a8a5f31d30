/* Bump arena (see arena.h).
 *
 * Blocks double from 4 KiB to 1 MiB; an object too big for its share of a block gets a block of its own
 * behind the current one, so that the current one stays in use. In a debug arena every object is a block of
 * its own. Example: two 40-byte objects are 48 bytes apart in one block; a 1 MB object leaves that block
 * current. */
#include "base/arena.h"

#include <assert.h>
#include <string.h>

#include "base/cformat.h"

#define FIRST_BLOCK ((size_t)4 << 10)
#define LARGEST_BLOCK ((size_t)1 << 20)

struct sp_arena_block {
  sp_arena_block *next;
  size_t size; /* of the whole block, this header included */
  size_t used; /* the same */
  size_t reserved;
};

_Static_assert(sizeof(sp_arena_block) % 16 == 0, "objects must stay aligned behind the header");

void sp_arena_init(sp_arena *a, sp_mem *mem) {
  *a = (sp_arena){.mem = mem};
}

static void free_blocks(sp_arena *a, const sp_arena_block *keep) {
  sp_arena_block *b = a->head;
  while (b != NULL) {
    sp_arena_block *next = b->next;
    if (b != keep) {
      a->total -= b->size;
      sp_mem_free(a->mem, b, b->size);
    }
    b = next;
  }
}

void sp_arena_release(sp_arena *a) {
  free_blocks(a, NULL);
  *a = (sp_arena){.mem = a->mem};
}

void sp_arena_reset(sp_arena *a) {
  sp_arena_block *keep = NULL;
#if !defined(SP_DEBUG_ARENA)
  for (sp_arena_block *b = a->head; b != NULL; b = b->next) {
    if (keep == NULL || b->size > keep->size) {
      keep = b;
    }
  }
#endif
  free_blocks(a, keep);
  a->head = keep;
  a->used = 0;
  if (keep != NULL) {
    keep->next = NULL;
    keep->used = sizeof *keep;
  }
}

static sp_arena_block *new_block(sp_arena *a, size_t size) {
  sp_arena_block *b = sp_mem_alloc(a->mem, size);
  if (b != NULL) {
    *b = (sp_arena_block){.size = size, .used = sizeof *b};
    a->total += size;
  }
  return b;
}

/* A block with room for n bytes: the current one, a new current one, or one of its own behind the current. */
static sp_arena_block *block_for(sp_arena *a, size_t n) {
  sp_arena_block *head = a->head;
#if !defined(SP_DEBUG_ARENA)
  if (head != NULL && head->size - head->used >= n) {
    return head;
  }
  size_t size = head == NULL ? FIRST_BLOCK : head->size * 2;
  size = size < LARGEST_BLOCK ? size : LARGEST_BLOCK;
  const bool alone = n > size / 4;
#else
  const size_t size = 0;
  const bool alone = true;
#endif
  sp_arena_block *b = new_block(a, alone ? n + sizeof *b : size);
  if (b == NULL) {
    return NULL;
  }
  if (alone && head != NULL) {
    b->next = head->next;
    head->next = b;
  } else {
    b->next = head;
    a->head = b;
  }
  return b;
}

void *sp_arena_alloc(sp_arena *a, size_t n) {
  size_t size;
  if (!sp_size_add(n, 15 + sizeof(sp_arena_block), &size)) {
    return NULL;
  }
  size = (n + 15) & ~(size_t)15;
#if defined(SP_DEBUG_ARENA)
  size = n; /* exact, so that one byte too many is seen */
#endif
  sp_arena_block *b = block_for(a, size);
  if (b == NULL) {
    return NULL;
  }
  void *p = (uint8_t *)b + b->used;
  b->used += size;
  a->used += size;
  memset(p, 0, n);
  return p;
}

void *sp_arena_array(sp_arena *a, size_t n, size_t size) {
  size_t bytes;
  return sp_size_mul(n, size, &bytes) ? sp_arena_alloc(a, bytes) : NULL;
}

void *sp_arena_copy(sp_arena *a, const void *p, size_t n) {
  void *to = sp_arena_alloc(a, n);
  if (to != NULL && n > 0) {
    memcpy(to, p, n);
  }
  return to;
}

bool sp_arena_grow(sp_arena *a, void *array_ptr, uint32_t *cap, uint32_t n, size_t size) {
  if (n <= *cap) {
    return true;
  }
  const uint32_t twice = *cap > UINT32_MAX / 2 ? UINT32_MAX : *cap * 2;
  uint32_t new_cap = twice < 8 ? 8 : twice;
  new_cap = new_cap < n ? n : new_cap;
  void *to = sp_arena_array(a, new_cap, size);
  if (to == NULL) {
    return false;
  }
  void *from;
  memcpy(&from, array_ptr, sizeof from);
  if (*cap > 0) {
    memcpy(to, from, *cap * size);
  }
  memcpy(array_ptr, &to, sizeof to);
  *cap = new_cap;
  return true;
}

char *sp_arena_strdup(sp_arena *a, const char *s) {
  return sp_arena_strndup(a, s, strlen(s));
}

char *sp_arena_strndup(sp_arena *a, const char *s, size_t n) {
  size_t size;
  char *to = sp_size_add(n, 1, &size) ? sp_arena_alloc(a, size) : NULL;
  if (to != NULL && n > 0) {
    memcpy(to, s, n);
  }
  return to;
}

char *sp_arena_printf(sp_arena *a, const char *fmt, ...) {
  char small[256];
  va_list ap;
  va_start(ap, fmt);
  const size_t n = sp_vsnprintf(small, sizeof small, fmt, ap);
  va_end(ap);
  if (n < sizeof small) {
    return sp_arena_strndup(a, small, n);
  }
  char *text = sp_arena_alloc(a, n + 1);
  if (text != NULL) {
    va_start(ap, fmt);
    sp_vsnprintf(text, n + 1, fmt, ap);
    va_end(ap);
  }
  return text;
}
