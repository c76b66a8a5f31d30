/* The writer: row groups are encoded by any number of workers, appended in order by one, and the footer is
 * written at the end.
 *
 * Worked example: 300,000 rows of a sink come as three chunks of 122,880, 122,880 and 54,240 rows: three row
 * groups. */
#include "io/formats/parquet/write.h"

#define GROUP_ROWS 122880
#define GROUP_ROWS_MAX 100000000
#define FOOTER_MAX ((size_t)INT32_MAX)

void sp_pq_write_close(void *state) {
  sp_pq_out_state *s = state;
  if (s == NULL) {
    return;
  }
  for (uint32_t i = 0; i < s->n_groups; i++) {
    sp_pq_write_chunk_free(s->groups[i]);
  }
  sp_mem_free(s->mem, s->groups, s->cap_groups * sizeof *s->groups);
  sp_arena_release(&s->arena);
  sp_mem_free(s->mem, s, sizeof *s);
}

static sp_status prepare(sp_pq_out_state *s, const sp_sink_spec *spec, sp_error *err) {
  SP_TRY(sp_pq_codec_parse(spec->compression, &s->codec, &s->level, err));
  s->leaves = SP_ARENA_ARRAY(&s->arena, sp_pq_out_leaf, s->schema->n);
  SP_TRY_ALLOC(err, s->leaves);
  for (uint32_t i = 0; i < s->schema->n; i++) {
    SP_TRY(sp_pq_out_leaf_init(s->schema->fields[i].name, s->schema->fields[i].type, &s->leaves[i], err));
  }
  return sp_out_write(s->out, "PAR1", 4, err);
}

sp_status sp_pq_write_open(const sp_sink_spec *spec, sp_mem *mem, sp_out_file *out, void **ret_state,
                           uint32_t *ret_chunk_rows, sp_error *err) {
  if (spec->row_group_rows < 0 || spec->row_group_rows > GROUP_ROWS_MAX) {
    SP_FAIL(err, SP_INVALID, NULL, "row groups of %lld rows; up to %d are possible",
            (long long)spec->row_group_rows, GROUP_ROWS_MAX);
  }
  sp_pq_out_state *s = sp_mem_calloc(mem, sizeof *s);
  SP_TRY_ALLOC(err, s);
  s->mem = mem;
  s->out = out;
  s->schema = spec->schema;
  sp_arena_init(&s->arena, mem);
  const sp_status st = prepare(s, spec, err);
  if (st != SP_OK) {
    sp_pq_write_close(s);
    return st;
  }
  *ret_chunk_rows = spec->row_group_rows > 0 ? (uint32_t)spec->row_group_rows : GROUP_ROWS;
  *ret_state = s;
  return SP_OK;
}

static size_t group_size(uint32_t n) {
  return sizeof(sp_pq_out_group) + (size_t)n * sizeof(sp_pq_out_chunk);
}

void sp_pq_write_chunk_free(void *chunk) {
  sp_pq_out_group *g = chunk;
  if (g != NULL) {
    sp_str_release(&g->bytes);
    sp_mem_free(g->mem, g, group_size(g->n));
  }
}

static sp_status encode_columns(const sp_pq_out_state *s, sp_batch *const *batches, uint32_t n, sp_maker mk,
                                sp_pq_codecs *codecs, sp_pq_out_group *g, sp_error *err) {
  for (uint32_t j = 0; j < g->n; j++) {
    sp_pq_out_rows r;
    sp_status st = sp_pq_out_collect(&s->leaves[j], batches, n, j, mk, &r, err);
    if (st == SP_OK) {
      g->rows = r.n;
      st = r.n > 0 ? sp_pq_out_column(s, codecs, &r, g, &g->chunks[j], err) : SP_OK;
      sp_pq_out_rows_release(&r);
    }
    if (st != SP_OK) {
      if (err != NULL && st != SP_NOMEM) {
        sp_error_context(err, "column `%.*s`", s->leaves[j].name.n < 100 ? (int)s->leaves[j].name.n : 100,
                         s->leaves[j].name.p);
      }
      return st;
    }
  }
  return SP_OK;
}

sp_status sp_pq_write_encode(void *state, sp_batch *const *batches, uint32_t n, sp_maker mk, void **ret,
                             sp_error *err) {
  const sp_pq_out_state *s = state;
  sp_pq_codecs *codecs = sp_pq_codecs_new(mk.mem);
  sp_pq_out_group *g = sp_mem_calloc(mk.mem, group_size(s->schema->n));
  sp_status st = codecs != NULL && g != NULL ? SP_OK : sp_error_nomem(err);
  if (g != NULL) {
    g->mem = mk.mem;
    g->n = s->schema->n;
    sp_str_init(&g->bytes, mk.mem, SIZE_MAX / 4);
  }
  if (st == SP_OK) {
    st = encode_columns(s, batches, n, mk, codecs, g, err);
  }
  for (uint32_t i = 0; i < n && g != NULL && g->n == 0; i++) { /* no columns: rows are only counted */
    g->rows += batches[i]->n_rows;
  }
  sp_pq_codecs_free(codecs);
  if (st != SP_OK) {
    sp_pq_write_chunk_free(g);
    return st;
  }
  *ret = g;
  return SP_OK;
}

/* Keeps what the footer needs of a row group, in the state's own account: the chunk's may be gone by the end.
 */
static sp_status remember(sp_pq_out_state *s, const sp_pq_out_group *g, int64_t at, sp_error *err) {
  if (s->n_groups == s->cap_groups) {
    const uint32_t cap = s->cap_groups > 0 ? s->cap_groups * 2 : 16;
    sp_pq_out_group **p =
        sp_mem_realloc(s->mem, s->groups, s->cap_groups * sizeof *p, (size_t)cap * sizeof *p);
    SP_TRY_ALLOC(err, p);
    s->groups = p;
    s->cap_groups = cap;
  }
  sp_pq_out_group *copy = sp_mem_alloc(s->mem, group_size(g->n));
  SP_TRY_ALLOC(err, copy);
  memcpy(copy, g, group_size(g->n));
  copy->mem = s->mem;
  copy->at = at;
  sp_str_init(&copy->bytes, s->mem, 1);
  s->groups[s->n_groups++] = copy;
  return SP_OK;
}

sp_status sp_pq_write_append(void *state, void *chunk, sp_error *err) {
  sp_pq_out_state *s = state;
  sp_pq_out_group *g = chunk;
  sp_status st = SP_OK;
  if (g->rows > 0) {
    const int64_t at = sp_out_pos(s->out);
    st = sp_out_write(s->out, g->bytes.p, g->bytes.n, err);
    if (st == SP_OK) {
      st = remember(s, g, at, err);
    }
  }
  sp_pq_write_chunk_free(g);
  return st;
}

sp_status sp_pq_write_finish(void *state, sp_error *err) {
  sp_pq_out_state *s = state;
  sp_str footer;
  sp_str_init(&footer, s->mem, FOOTER_MAX);
  sp_pq_out_footer(s, &footer);
  const uint32_t n = (uint32_t)footer.n;
  sp_str_addn(&footer, (const char *)&n, 4);
  sp_str_add(&footer, "PAR1");
  sp_status st = sp_str_status(&footer, err);
  if (st == SP_OK) {
    st = sp_out_write(s->out, footer.p, footer.n, err);
  }
  sp_str_release(&footer);
  return st;
}
