/* Sorted sets of written ids. In a chain of 10,000 filters that merge, most unions give one of their operands
 * back; those share its array, so that origins cost memory only where two really different sets meet. */
#include "plan/plan.h"

static bool contains_all(sp_origin big, sp_origin small) {
  uint32_t k = 0;
  for (uint32_t i = 0; i < small.n; i++) {
    while (k < big.n && big.ids[k] < small.ids[i]) {
      k++;
    }
    if (k == big.n || big.ids[k] != small.ids[i]) {
      return false;
    }
  }
  return true;
}

bool sp_origin_union(sp_arena *a, sp_origin x, sp_origin y, sp_origin *ret) {
  if (x.n >= y.n && (x.ids == y.ids || contains_all(x, y))) {
    *ret = x;
    return true;
  }
  if (y.n >= x.n && contains_all(y, x)) {
    *ret = y;
    return true;
  }
  uint32_t *ids = SP_ARENA_ARRAY(a, uint32_t, (size_t)x.n + y.n);
  if (ids == NULL) {
    return false;
  }
  uint32_t n = 0;
  uint32_t i = 0;
  uint32_t k = 0;
  while (i < x.n || k < y.n) {
    const bool from_x = k == y.n || (i < x.n && x.ids[i] <= y.ids[k]);
    const uint32_t id = from_x ? x.ids[i] : y.ids[k];
    i += i < x.n && x.ids[i] == id;
    k += k < y.n && y.ids[k] == id;
    ids[n++] = id;
  }
  *ret = (sp_origin){.n = n, .ids = ids};
  return true;
}
