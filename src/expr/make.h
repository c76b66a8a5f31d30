/* What the files of this folder share: making nodes, walking shared subtrees, and places in messages. */
#ifndef SP_EXPR_MAKE_H
#define SP_EXPR_MAKE_H

#include "expr/expr.h"
#include "expr/function.h"

/* For what recursing functions call: inlined, its locals would be part of every level's frame. */
#define SP_APART __attribute__((noinline))

/* The node that proto describes, with depth, facts and hash filled in. args is copied; names, the selector
 * and a literal's bytes are kept by reference. A CAST of NULL becomes a NULL of that type. SP_NOMEM, or
 * SP_LIMIT when the tree would be too deep or too wide. */
sp_status sp_expr_new(sp_arena *a, const sp_expr *proto, const sp_expr **ret, sp_error *err);

/* The same for a call: AND, OR and concat swallow arguments that are calls of themselves. */
sp_status sp_expr_new_call(sp_arena *a, const sp_expr *proto, const sp_expr **ret, sp_error *err);

/* ---- walking trees that share subtrees: each node once, whatever the number of paths to it ---- */
/* Pointer -> pointer. Grows from mem. */
typedef struct sp_memo {
  sp_mem *mem;
  const void **keys;
  const void **values;
  uint32_t n, cap;
} sp_memo;
void sp_memo_init(sp_memo *m, sp_mem *mem);
void sp_memo_release(sp_memo *m);
const void *sp_memo_get(const sp_memo *m, const void *key);       /* NULL when absent */
bool sp_memo_put(sp_memo *m, const void *key, const void *value); /* false when out of memory */

/* The same without memory, for walks that may not fail: it forgets, so a node may be visited again, but a
 * subtree used twice in one place is not. */
#define SP_RECENT_SLOTS 512
typedef struct sp_recent {
  const sp_expr *keys[SP_RECENT_SLOTS];
  uint8_t values[SP_RECENT_SLOTS];
} sp_recent;
static inline uint32_t sp_recent_slot(const sp_expr *e) {
  return (uint32_t)(sp_hash_u64((uintptr_t)e) % SP_RECENT_SLOTS);
}

/* ---- places ---- */
/* The place `pos` bytes into a text at loc; shift: bytes added before it by JSON escapes. Without a loc the
 * text itself is line 1. */
sp_loc sp_expr_place(const sp_loc *loc, uint32_t pos, uint32_t shift);
sp_loc sp_expr_place_of(const sp_loc *loc, const sp_expr *e); /* loc itself when e has no span */

#endif
