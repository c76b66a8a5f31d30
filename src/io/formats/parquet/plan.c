/* Morsels: one per row group that may hold wanted rows. Large row groups are cut when there are too few for
 * the workers: pages can be stepped over by their headers, so that starting in the middle costs one small
 * read per page.
 *
 * Worked example: one row group of 1,000,000 rows and 2 workers: 8 morsels of 125,000. 49 row groups of
 * 122,880: 49. */
#include "io/formats/parquet/parquet.h"

#define MORSEL_ROWS 122880 /* below twice as many, a row group is not cut */
#define MORSELS_PER_WORKER 4

int64_t sp_pq_group_bytes(const sp_pq_source *s, const sp_source_plan *p, const sp_pq_group *g) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < p->n_columns; i++) {
    const uint32_t chunk = s->leaves[p->columns[i]].chunk;
    int64_t at, n;
    if (chunk < g->n_chunks && sp_pq_chunk_span(&g->chunks[chunk], s->base.bytes, &at, &n, NULL) == SP_OK) {
      sum += n;
    }
  }
  return sum;
}

/* Into how many morsels a row group is cut. */
static int64_t pieces(const sp_pq_group *g, int64_t n_wanted, const sp_source_plan *p) {
  const int64_t enough = (int64_t)p->workers * MORSELS_PER_WORKER;
  if (p->workers <= 1 || n_wanted >= enough || g->rows < 2 * MORSEL_ROWS) {
    return 1;
  }
  const int64_t by_need = (enough + n_wanted - 1) / n_wanted, by_rows = g->rows / MORSEL_ROWS;
  return by_need < by_rows ? by_need : by_rows;
}

static void count_groups(sp_pq_source *s, const sp_source_plan *p, const bool *keep) {
  if (s->base.stats == NULL) {
    return;
  }
  atomic_fetch_add_explicit(&s->base.stats->row_groups_total, s->meta.n_groups, memory_order_relaxed);
  for (uint32_t i = 0; i < s->meta.n_groups; i++) {
    if (!keep[i] && s->meta.groups[i].rows > 0) {
      atomic_fetch_add_explicit(&s->base.stats->bytes_pruned, sp_pq_group_bytes(s, p, &s->meta.groups[i]),
                                memory_order_relaxed);
    }
  }
}

sp_status sp_pq_plan(sp_source *base, const sp_source_plan *p, sp_morsel **ret, uint32_t *ret_n,
                     sp_error *err) {
  sp_pq_source *s = (sp_pq_source *)base;
  bool *keep = SP_ARENA_ARRAY(&base->arena, bool, s->meta.n_groups);
  SP_TRY_ALLOC(err, keep);
  int64_t n_wanted = 0;
  for (uint32_t i = 0; i < s->meta.n_groups; i++) {
    const sp_pq_group *g = &s->meta.groups[i];
    keep[i] = g->rows > 0 && sp_pq_group_wanted(s, g, p->n_prunes, p->prunes);
    n_wanted += keep[i];
  }
  count_groups(s, p, keep);
  int64_t n = 0;
  for (uint32_t i = 0; i < s->meta.n_groups; i++) {
    n += keep[i] ? pieces(&s->meta.groups[i], n_wanted, p) : 0;
  }
  sp_morsel *m = SP_ARENA_ARRAY(&base->arena, sp_morsel, (size_t)n);
  SP_TRY_ALLOC(err, m);
  uint32_t k = 0;
  int64_t first = 0;
  for (uint32_t i = 0; i < s->meta.n_groups; i++) {
    const int64_t rows = s->meta.groups[i].rows;
    const int64_t cut = keep[i] ? pieces(&s->meta.groups[i], n_wanted, p) : 0;
    for (int64_t j = 0; j < cut; j++) {
      const int64_t from = rows / cut * j, to = j + 1 == cut ? rows : rows / cut * (j + 1);
      m[k++] = (sp_morsel){.first_row = first + from, .rows = to - from, .a = i, .b = (uint64_t)from};
    }
    first += rows;
  }
  *ret = m;
  *ret_n = k;
  return SP_OK;
}
