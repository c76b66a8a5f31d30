/* Statistics of row groups: bounds as values, whole-file facts, and what a row group cannot hold.
 *
 * min_value and max_value are in the column's own order. The older min and max were written with signed byte
 * order by some, so they count only where that makes no difference: signed numbers. Bounds of floats say
 * nothing of NaN, and a bound that is NaN says nothing at all. Strings may be cut short, the upper bound
 * rounded up.
 *
 * Worked example: prune `x` in [10, 20] and a row group with x from 21 to 40: not wanted. The same with
 * wants_null and a null count that is not zero: wanted. */
#include <math.h>

#include "io/formats/parquet/parquet.h"

static bool one_bound(const sp_pq_leaf *leaf, sp_sv s, sp_value *ret) {
  _Alignas(16) uint8_t src[32] = {0}, slot[16] = {0};
  switch (leaf->conv) {
  case SP_PQ_BYTES:
    *ret = sp_value_str(s);
    ret->type = leaf->type;
    return true;
  case SP_PQ_BIT:
    if (s.n != 1) {
      return false;
    }
    *ret = sp_value_bool(s.p[0] != 0);
    return true;
  case SP_PQ_BIG_ENDIAN:
    if (s.n == 0 || !sp_pq_big_endian(leaf->type, (const uint8_t *)s.p, s.n, slot)) {
      return false;
    }
    break;
  case SP_PQ_INT96_NS: /* its order was never defined */
  case SP_PQ_NO_VALUES:
    return false;
  case SP_PQ_AS_IS:
  case SP_PQ_NARROW:
  case SP_PQ_WIDEN:
  case SP_PQ_TO_I128:
  case SP_PQ_HALF:
    if (s.n != leaf->src_width) {
      return false;
    }
    memcpy(src, s.p, s.n);
    if (!sp_pq_convert(leaf, src, 1, slot)) {
      return false;
    }
    break;
  }
  *ret = sp_value_load(leaf->type, slot);
  return !(sp_type_is_float(leaf->type) && isnan(ret->f));
}

bool sp_pq_bounds(const sp_pq_leaf *leaf, const sp_pq_chunk_meta *m, sp_value *ret_lo, sp_value *ret_hi) {
  const sp_pq_stats *s = &m->stats;
  sp_sv lo = s->min_value, hi = s->max_value;
  if (!s->has_min_value || !s->has_max_value) {
    if (!s->has_old || !leaf->signed_order) {
      return false;
    }
    lo = s->min;
    hi = s->max;
  }
  sp_value a, b;
  if (!m->present || m->phys != leaf->phys || !one_bound(leaf, lo, &a) || !one_bound(leaf, hi, &b) ||
      sp_value_cmp(&a, &b) > 0) {
    return false;
  }
  *ret_lo = a;
  *ret_hi = b;
  return true;
}

/* ---- the whole file ---- */

static void widen(sp_column_stats *r, const sp_value *lo, const sp_value *hi, bool first) {
  if (first || sp_value_cmp(lo, &r->min) < 0) {
    r->min = *lo;
  }
  if (first || sp_value_cmp(hi, &r->max) > 0) {
    r->max = *hi;
  }
}

static bool all_null(const sp_pq_group *g, const sp_pq_chunk_meta *m) {
  return m->present && m->stats.null_count >= 0 && m->stats.null_count == g->rows;
}

/* -1: unknown, or nonsense. */
static int64_t null_count(const sp_pq_leaf *leaf, const sp_pq_group *g, const sp_pq_chunk_meta *m) {
  if (leaf->conv == SP_PQ_NO_VALUES) {
    return g->rows;
  }
  if (!leaf->optional) {
    return 0;
  }
  return m->stats.null_count <= g->rows ? m->stats.null_count : -1;
}

bool sp_pq_column_stats(const sp_source *base, uint32_t column, sp_column_stats *ret) {
  const sp_pq_source *s = (const sp_pq_source *)base;
  const sp_pq_leaf *leaf = &s->leaves[column];
  sp_column_stats r = {.has_min_max = true, .min_exact = true, .max_exact = true, .distinct = -1};
  bool first = true;
  for (uint32_t i = 0; i < s->meta.n_groups; i++) {
    const sp_pq_group *g = &s->meta.groups[i];
    const sp_pq_chunk_meta *m = leaf->chunk < g->n_chunks ? &g->chunks[leaf->chunk] : NULL;
    if (m == NULL || !m->present) {
      return false;
    }
    r.bytes += m->compressed > 0 && m->compressed <= base->bytes ? m->compressed : 0;
    const int64_t nulls = null_count(leaf, g, m);
    r.null_count = r.null_count < 0 || nulls < 0 ? -1 : r.null_count + nulls;
    sp_value lo, hi;
    if (g->rows == 0 || all_null(g, m)) {
      continue;
    }
    if (!sp_pq_bounds(leaf, m, &lo, &hi)) {
      r.has_min_max = false;
      continue;
    }
    widen(&r, &lo, &hi, first);
    first = false;
    const bool told = !sp_type_is_bytes(leaf->type);
    r.min_exact = r.min_exact && (m->stats.min_exact == 1 || (m->stats.min_exact < 0 && told));
    r.max_exact = r.max_exact && (m->stats.max_exact == 1 || (m->stats.max_exact < 0 && told));
  }
  r.has_min_max = r.has_min_max && !first;
  if (s->meta.n_groups == 1 && s->meta.groups[0].chunks[leaf->chunk].stats.distinct >= 0) {
    r.distinct = s->meta.groups[0].chunks[leaf->chunk].stats.distinct;
  }
  *ret = r;
  return true;
}

/* ---- skipping ---- */

/* Does the range hold any value of [lo, hi]? A range of another type is not understood: it may. */
static bool overlaps(const sp_range *r, const sp_value *lo, const sp_value *hi) {
  if (r->has_lo && r->lo.type == hi->type) {
    const int c = sp_value_cmp(hi, &r->lo);
    if (c < 0 || (c == 0 && r->lo_open)) {
      return false;
    }
  }
  if (r->has_hi && r->hi.type == lo->type) {
    const int c = sp_value_cmp(lo, &r->hi);
    if (c > 0 || (c == 0 && r->hi_open)) {
      return false;
    }
  }
  return true;
}

static bool wanted(const sp_pq_leaf *leaf, const sp_pq_group *g, const sp_prune *p) {
  if (leaf->chunk >= g->n_chunks) {
    return true; /* reading it will say what is wrong */
  }
  const sp_pq_chunk_meta *m = &g->chunks[leaf->chunk];
  if (p->wants_null && m->stats.null_count != 0 && leaf->optional) {
    return true;
  }
  if (all_null(g, m)) {
    return p->wants_null;
  }
  if (p->n_ranges == 0 && p->may_match == NULL) {
    return false; /* no value is wanted */
  }
  sp_value lo, hi;
  if (!sp_pq_bounds(leaf, m, &lo, &hi)) {
    return true;
  }
  bool any = p->n_ranges == 0;
  for (uint32_t i = 0; i < p->n_ranges && !any; i++) {
    any = overlaps(&p->ranges[i], &lo, &hi);
  }
  return any && (p->may_match == NULL || p->may_match(p->ctx, &lo, &hi));
}

bool sp_pq_group_wanted(const sp_pq_source *s, const sp_pq_group *g, uint32_t n_prunes,
                        const sp_prune *prunes) {
  for (uint32_t i = 0; i < n_prunes; i++) {
    if (!wanted(&s->leaves[prunes[i].column], g, &prunes[i])) {
      return false;
    }
  }
  return true;
}
