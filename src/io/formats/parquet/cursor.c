/* A cursor walks the rows of one morsel in windows. next() only moves; read() starts a column's chunk when it
 * is first asked for a row, so that columns of which no row survives the filter are never read from the file.
 *
 * Worked example: next(8192) gives 8192; read(a) decodes 8,192 rows of a; read(b) with no row selected costs
 * nothing and leaves b's chunk unread; its pages are stepped over later. */
#include <unistd.h>

#include "io/formats/parquet/parquet.h"

typedef struct sp_pq_scratch {
  sp_mem *mem;
  sp_pq_codecs *codecs;
} sp_pq_scratch;

typedef struct sp_pq_cursor {
  sp_source_cursor base;
  const sp_source_plan *plan;
  const sp_pq_group *group;
  uint32_t group_index;
  int fd;
  bool whole;   /* the morsel is the whole row group */
  bool checked; /* prunes were looked at again */
  bool ended;
  int64_t window, next; /* first row of the window and of the next one, within the row group */
  int64_t from, end;
  uint32_t window_n;
  sp_pq_scratch *scratch;
  sp_pq_chunk chunks[]; /* one per planned column */
} sp_pq_cursor;

static sp_pq_source *source_of(const sp_pq_cursor *c) {
  return (sp_pq_source *)c->base.source;
}

static sp_status place(const sp_pq_cursor *c, sp_status st, sp_error *err) {
  if (err != NULL && st != SP_NOMEM) {
    sp_error_context(err, "row group %u", c->group_index);
    sp_error_place(err, &(sp_loc){.file = c->base.source->path});
  }
  return st;
}

static sp_status place_column(const sp_pq_cursor *c, sp_sv name, sp_status st, sp_error *err) {
  if (err != NULL && st != SP_NOMEM) {
    sp_error_context(err, "column `%.*s`", name.n < 100 ? (int)name.n : 100, name.p);
  }
  return place(c, st, err);
}

static sp_status make_scratch(sp_maker mk, void **scratch, sp_error *err) {
  if (*scratch != NULL) {
    return SP_OK;
  }
  sp_pq_scratch *s = sp_mem_calloc(mk.mem, sizeof *s);
  SP_TRY_ALLOC(err, s);
  s->mem = mk.mem;
  s->codecs = sp_pq_codecs_new(mk.mem);
  if (s->codecs == NULL) {
    sp_mem_free(mk.mem, s, sizeof *s);
    return sp_error_nomem(err);
  }
  *scratch = s;
  return SP_OK;
}

void sp_pq_scratch_free(void *scratch) {
  sp_pq_scratch *s = scratch;
  if (s != NULL) {
    sp_pq_codecs_free(s->codecs);
    sp_mem_free(s->mem, s, sizeof *s);
  }
}

static size_t cursor_size(const sp_source_plan *p) {
  return sizeof(sp_pq_cursor) + (size_t)p->n_columns * sizeof(sp_pq_chunk);
}

static void init_chunk(sp_pq_cursor *c, uint32_t i) {
  sp_pq_source *s = source_of(c);
  sp_pq_chunk *k = &c->chunks[i];
  k->leaf = &s->leaves[c->plan->columns[i]];
  k->meta = k->leaf->chunk < c->group->n_chunks ? &c->group->chunks[k->leaf->chunk] : NULL;
  k->codecs = c->scratch->codecs;
  k->in = (sp_pq_input){.fd = -1,
                        .end = s->base.bytes - 8,
                        .mk = c->base.mk,
                        .stats = s->base.stats,
                        .wait_ns = &c->base.wait_ns};
}

sp_status sp_pq_cursor_open(sp_source *s, const sp_source_plan *p, const sp_morsel *m, sp_maker mk,
                            void **scratch, sp_source_cursor **ret, sp_error *err) {
  sp_pq_source *src = (sp_pq_source *)s;
  SP_TRY(make_scratch(mk, scratch, err));
  sp_pq_cursor *c = sp_mem_calloc(mk.mem, cursor_size(p));
  SP_TRY_ALLOC(err, c);
  c->base = (sp_source_cursor){.source = s, .mk = mk};
  c->plan = p;
  c->group_index = (uint32_t)m->a;
  c->group = &src->meta.groups[m->a];
  c->fd = -1;
  c->from = c->next = (int64_t)m->b;
  c->end = c->from + m->rows;
  c->whole = m->b == 0 && m->rows == c->group->rows;
  c->scratch = *scratch;
  for (uint32_t i = 0; i < p->n_columns; i++) {
    init_chunk(c, i);
  }
  *ret = &c->base;
  return SP_OK;
}

/* Once, before the first window: prunes that tighten while the scan runs may exclude the row group by now. */
static bool still_wanted(sp_pq_cursor *c) {
  sp_pq_source *s = source_of(c);
  bool moving = false;
  for (uint32_t i = 0; i < c->plan->n_prunes; i++) {
    moving = moving || c->plan->prunes[i].may_match != NULL;
  }
  const bool yes = !moving || sp_pq_group_wanted(s, c->group, c->plan->n_prunes, c->plan->prunes);
  if (s->base.stats != NULL && yes && c->from == 0) {
    atomic_fetch_add_explicit(&s->base.stats->row_groups_read, 1, memory_order_relaxed);
  }
  return yes;
}

sp_status sp_pq_cursor_next(sp_source_cursor *base, uint32_t max_rows, uint32_t *ret_rows, sp_error *err) {
  (void)err;
  sp_pq_cursor *c = (sp_pq_cursor *)base;
  if (!c->checked) {
    c->checked = true;
    if (!still_wanted(c)) {
      c->next = c->end;
    }
  }
  const int64_t left = c->end - c->next;
  max_rows = max_rows < SP_BATCH_ROWS_MAX ? max_rows : SP_BATCH_ROWS_MAX;
  c->window = c->next;
  c->window_n = left < max_rows ? (uint32_t)left : max_rows;
  c->next += c->window_n;
  c->ended = c->next == c->end;
  *ret_rows = c->window_n;
  return SP_OK;
}

static sp_pq_chunk *find_chunk(sp_pq_cursor *c, uint32_t column) {
  uint32_t lo = 0, hi = c->plan->n_columns;
  while (lo < hi) {
    const uint32_t mid = lo + (hi - lo) / 2;
    if (c->plan->columns[mid] < column) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo < c->plan->n_columns && c->plan->columns[lo] == column ? &c->chunks[lo] : NULL;
}

static sp_status start_chunk(sp_pq_cursor *c, sp_pq_chunk *k, sp_error *err) {
  if (k->meta == NULL || !k->meta->present) {
    SP_FAIL(err, SP_DATA, NULL,
            "the row group has no data for it here (missing, encrypted or in another file)");
  }
  if (c->fd < 0) {
    SP_TRY(sp_pq_reopen(source_of(c), &c->fd, err));
  }
  k->in.fd = c->fd;
  return sp_pq_chunk_start(k, c->whole, err);
}

sp_status sp_pq_cursor_read(sp_source_cursor *base, uint32_t column, const uint16_t *sel, uint32_t n_sel,
                            sp_column **ret, sp_error *err) {
  sp_pq_cursor *c = (sp_pq_cursor *)base;
  sp_pq_chunk *k = find_chunk(c, column);
  if (k == NULL) {
    SP_FAIL(err, SP_INTERNAL, NULL, "column %u was not planned", column);
  }
  if (k->leaf->conv == SP_PQ_NO_VALUES || (sel != NULL && n_sel == 0)) {
    sp_column *none = sp_column_null(base->mk, k->leaf->type, c->window_n);
    SP_TRY_ALLOC(err, none);
    *ret = none;
    return SP_OK;
  }
  sp_status st = k->started ? SP_OK : start_chunk(c, k, err);
  if (st == SP_OK) {
    st = sp_pq_chunk_read(k, c->window, c->window_n, ret, err);
  }
  return st == SP_OK ? SP_OK : place_column(c, k->leaf->name, st, err);
}

/* What the morsel did not have to read: all its columns when it was excluded, those never asked for
 * otherwise. */
static void count_unread(sp_pq_cursor *c) {
  sp_pq_source *s = source_of(c);
  if (s->base.stats == NULL || !c->ended || c->group->rows <= 0) {
    return;
  }
  int64_t unread = 0;
  for (uint32_t i = 0; i < c->plan->n_columns; i++) {
    const sp_pq_chunk *k = &c->chunks[i];
    int64_t at, n;
    if (!k->started && k->meta != NULL && sp_pq_chunk_span(k->meta, s->base.bytes, &at, &n, NULL) == SP_OK) {
      unread += n;
    }
  }
  const double share = (double)(c->end - c->from) / (double)c->group->rows;
  atomic_fetch_add_explicit(&s->base.stats->bytes_pruned, (int64_t)((double)unread * share),
                            memory_order_relaxed);
}

void sp_pq_cursor_close(sp_source_cursor *base) {
  sp_pq_cursor *c = (sp_pq_cursor *)base;
  if (c == NULL) {
    return;
  }
  count_unread(c);
  for (uint32_t i = 0; i < c->plan->n_columns; i++) {
    sp_pq_chunk_release(&c->chunks[i]);
  }
  if (c->fd >= 0) {
    close(c->fd);
  }
  sp_mem_free(base->mk.mem, c, cursor_size(c->plan));
}
