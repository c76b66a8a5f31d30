/* sink_csv, sink_parquet, …: files, written by all workers, in order.
 *
 * Rows arrive in order (behind a reorder) and are cut into chunks of the size the format wants. Encoding a
 * chunk is a job that any worker takes between two morsels; encoded chunks are appended by number. So
 * encoding runs in parallel, the order of rows is the plan's, and the bytes of a file do not depend on the
 * number of workers.
 *
 *   rows ─▶ chunk 0 ─▶ job ─▶ encode (worker 2) ─┐
 *           chunk 1 ─▶ job ─▶ encode (worker 1) ─┴▶ append 0, then 1
 *
 * Partitions: by max_rows or max_bytes into parts 00000, 00001, …; by columns into one part per value, named
 * `column=value` as Hive does, and numbered too when both are given. `{part}` in the path is replaced by that
 * name. Files appear under their names when the whole run has succeeded: every writer is aborted otherwise.
 * That keeps all parts open until then, hence PARTS_MAX. */
#include "exec/operator.h"

#include <unistd.h>

#include "base/file.h"

#define PARTS_MAX 900

typedef struct encoded {
  struct encoded *next;
  uint32_t number;
  sp_chunk *chunk;
} encoded;

typedef struct part { /* one file */
  struct part *next;
  sp_writer *writer;
  char *path;
  uint32_t chunks; /* cut so far */
  uint32_t appended;
  bool appending, committed;
  encoded *waiting; /* encoded out of turn */
  int64_t rows, bytes;
} part;

typedef struct group { /* rows of one value of the partition's columns; the only one without them */
  struct group *next;
  char *name; /* of the arena; NULL without columns */
  uint64_t hash;
  part *part; /* being filled, or NULL */
  uint32_t parts;
  uint32_t n, cap;
  sp_batch **batches; /* the next chunk's */
  uint32_t rows;
} group;

typedef struct job {
  struct job *next;
  part *part;
  uint32_t number, n;
  sp_batch **batches;
} job;

typedef struct sink {
  const sp_sink_node *node;
  sp_sink_spec spec;
  const char *path; /* with its folder */
  sp_arena arena;
  uint32_t chunk_rows;
  uint32_t n_by;
  uint32_t *by; /* columns */
  group *groups;
  part *parts, **parts_end;
  uint32_t n_parts;
  bool has_lock;
  pthread_mutex_t lock; /* jobs, and what appends */
  job *jobs, **jobs_end;
  uint32_t n_jobs;
  int64_t rows;
} sink;

/* ---- parts ---- */

static char *part_path(sink *s, const char *name) {
  const char *mark = strstr(s->path, "{part}");
  if (mark == NULL) {
    return sp_arena_strdup(&s->arena, s->path);
  }
  return sp_arena_printf(&s->arena, "%.*s%s%s", (int)(mark - s->path), s->path, name,
                         mark + strlen("{part}"));
}

static sp_status open_part(sp_operator *op, group *g, sp_error *err) {
  sink *s = op->shared;
  const bool numbered = s->node->partition.max_rows > 0 || s->node->partition.max_bytes > 0;
  if (s->n_parts >= PARTS_MAX) {
    SP_FAIL(err, SP_LIMIT, NULL, "%s: more than %d part files", s->path, PARTS_MAX);
  }
  const char *name = g->name;
  if (numbered) {
    name = sp_arena_printf(&s->arena, "%s%s%05u", g->name != NULL ? g->name : "", g->name != NULL ? "-" : "",
                           g->parts);
    SP_TRY_ALLOC(err, name);
  }
  part *p = SP_ARENA_NEW(&s->arena, part);
  SP_TRY_ALLOC(err, p);
  p->path = part_path(s, name != NULL ? name : "");
  SP_TRY_ALLOC(err, p->path);
  sp_sink_spec *spec = sp_arena_copy(&s->arena, &s->spec, sizeof s->spec);
  SP_TRY_ALLOC(err, spec);
  spec->path = p->path;
  SP_TRY(sp_writer_open(spec, op->mem, &p->writer, err));
  s->chunk_rows = sp_writer_chunk_rows(p->writer);
  s->chunk_rows = s->chunk_rows > 0 ? s->chunk_rows : 1;
  *s->parts_end = p;
  s->parts_end = &p->next;
  s->n_parts++;
  g->parts++;
  g->part = p;
  return SP_OK;
}

/* ---- jobs ---- */

static void free_job(sp_operator *op, job *j) {
  for (uint32_t i = 0; i < j->n; i++) {
    sp_batch_unref(j->batches[i]);
  }
  sp_mem_free(op->mem, j->batches, j->n * sizeof(sp_batch *));
  sp_mem_free(op->mem, j, sizeof *j);
}

static encoded *take_next(part *p) {
  for (encoded **at = &p->waiting; *at != NULL; at = &(*at)->next) {
    if ((*at)->number == p->appended) {
      encoded *e = *at;
      *at = e->next;
      return e;
    }
  }
  return NULL;
}

/* Adds an encoded chunk and appends what is next; locked. Whoever appends does it for the others too. */
static sp_status append_in_turn(sp_operator *op, part *p, encoded *e, sp_error *err) {
  sink *s = op->shared;
  e->next = p->waiting;
  p->waiting = e;
  if (p->appending) {
    return SP_OK;
  }
  p->appending = true;
  sp_status st = SP_OK;
  for (encoded *next = take_next(p); next != NULL && st == SP_OK; next = st == SP_OK ? take_next(p) : NULL) {
    pthread_mutex_unlock(&s->lock);
    st = sp_writer_append(p->writer, next->chunk, err);
    sp_mem_free(op->mem, next, sizeof *next);
    pthread_mutex_lock(&s->lock);
    p->appended++;
  }
  p->appending = false;
  return st;
}

static sp_status encode(sp_operator *op, job *j, sp_error *err) {
  sink *s = op->shared;
  encoded *e = sp_mem_calloc(op->mem, sizeof *e);
  SP_TRY_ALLOC(err, e);
  e->number = j->number;
  const sp_status st = sp_writer_encode(j->part->writer, j->batches, j->n, sp_maker_of(op), &e->chunk, err);
  if (st != SP_OK) {
    sp_mem_free(op->mem, e, sizeof *e);
    return st;
  }
  pthread_mutex_lock(&s->lock);
  const sp_status appended = append_in_turn(op, j->part, e, err);
  pthread_mutex_unlock(&s->lock);
  return appended;
}

static job *take_job(sink *s) {
  pthread_mutex_lock(&s->lock);
  job *j = s->jobs;
  if (j != NULL) {
    s->jobs = j->next;
    s->n_jobs--;
    if (s->jobs == NULL) {
      s->jobs_end = &s->jobs;
    }
  }
  pthread_mutex_unlock(&s->lock);
  return j;
}

static sp_status do_job(sp_operator *op, sp_error *err) {
  job *j = take_job(op->shared);
  if (j == NULL) {
    return SP_OK;
  }
  const sp_status st = encode(op, j, err);
  free_job(op, j);
  return st;
}

/* The group's rows become a job. */
static sp_status cut_chunk(sp_operator *op, group *g, sp_error *err) {
  sink *s = op->shared;
  if (g->n == 0) {
    return SP_OK;
  }
  job *j = sp_mem_calloc(op->mem, sizeof *j);
  sp_batch **batches = sp_mem_alloc(op->mem, g->n * sizeof(sp_batch *));
  if (j == NULL || batches == NULL) {
    sp_mem_free(op->mem, batches, g->n * sizeof(sp_batch *));
    sp_mem_free(op->mem, j, sizeof *j);
    return sp_error_nomem(err);
  }
  memcpy(batches, g->batches, g->n * sizeof(sp_batch *));
  *j = (job){.part = g->part, .number = g->part->chunks++, .n = g->n, .batches = batches};
  g->n = 0;
  g->rows = 0;
  pthread_mutex_lock(&s->lock);
  *s->jobs_end = j;
  s->jobs_end = &j->next;
  s->n_jobs++;
  pthread_mutex_unlock(&s->lock);
  return SP_OK;
}

/* ---- rows ---- */

static bool part_is_full(const sink *s, const part *p) {
  const sp_partition *by = &s->node->partition;
  return (by->max_rows > 0 && p->rows >= by->max_rows) || (by->max_bytes > 0 && p->bytes >= by->max_bytes);
}

/* Takes over b. */
static sp_status keep(sp_operator *op, group *g, sp_batch *b, sp_error *err) {
  SP_TRY_ALLOC(err, b);
  if (g->n == g->cap) {
    const uint32_t cap = g->cap == 0 ? 16 : g->cap * 2;
    void *p = sp_mem_realloc(op->mem, g->batches, g->cap * sizeof(sp_batch *), cap * sizeof(sp_batch *));
    if (p == NULL) {
      sp_batch_unref(b);
      return sp_error_nomem(err);
    }
    g->batches = p;
    g->cap = cap;
  }
  g->batches[g->n++] = b;
  g->rows += b->n_rows;
  g->part->rows += b->n_rows;
  g->part->bytes += sp_batch_bytes(b);
  return SP_OK;
}

static sp_batch *kept_slice(sp_operator *op, const sp_batch *b, uint32_t from, uint32_t n) {
  sp_batch *cut = sp_batch_slice(sp_maker_of(op), b, from, n);
  if (cut == NULL) {
    return NULL;
  }
  sp_batch *r = sp_batch_keep(op, NULL, cut);
  sp_batch_unref(cut);
  return r;
}

static sp_status add_rows(sp_operator *op, group *g, const sp_batch *b, sp_error *err) {
  sink *s = op->shared;
  const int64_t max_rows = s->node->partition.max_rows;
  for (uint32_t at = 0; at < b->n_rows;) {
    if (g->part != NULL && part_is_full(s, g->part)) {
      SP_TRY(cut_chunk(op, g, err));
      g->part = NULL;
    }
    if (g->part == NULL) {
      SP_TRY(open_part(op, g, err));
    }
    int64_t n = b->n_rows - at;
    n = n < s->chunk_rows - g->rows ? n : s->chunk_rows - g->rows;
    n = max_rows > 0 && max_rows - g->part->rows < n ? max_rows - g->part->rows : n;
    SP_TRY(keep(op, g, kept_slice(op, b, at, (uint32_t)n), err));
    at += (uint32_t)n;
    if (g->rows >= s->chunk_rows) {
      SP_TRY(cut_chunk(op, g, err));
    }
  }
  return SP_OK;
}

/* "origin=JFK/year=2013"; what is special in a path is escaped as in URLs. */
static void add_escaped(sp_str *out, sp_sv text) {
  for (size_t i = 0; i < text.n; i++) {
    const unsigned char c = (unsigned char)text.p[i];
    if (c < 0x20 || c == 0x7f || strchr("%/\\:*?\"<>|=", c) != NULL) {
      sp_str_addf(out, "%%%02X", c);
    } else {
      sp_str_addc(out, (char)c);
    }
  }
}

static void name_row(const sp_operator *op, const sp_batch *b, uint32_t row, sp_str *name, sp_str *value) {
  const sink *s = op->shared;
  sp_str_clear(name);
  for (uint32_t i = 0; i < s->n_by; i++) {
    sp_str_add(name, i > 0 ? "/" : "");
    add_escaped(name, op->in->fields[s->by[i]].name);
    sp_str_addc(name, '=');
    const sp_value v = sp_column_value(b->cols[s->by[i]], row);
    if (v.is_null) {
      sp_str_add(name, "__HIVE_DEFAULT_PARTITION__");
      continue;
    }
    sp_str_clear(value);
    sp_value_text(&v, value);
    add_escaped(name, (sp_sv){value->p, value->n});
  }
}

static sp_status find_group(sink *s, const sp_str *name, group **ret, sp_error *err) {
  const uint64_t hash = sp_hash_bytes(name->p, name->n, 0);
  for (group *g = s->groups; g != NULL; g = g->next) {
    if (g->hash == hash && strcmp(g->name, name->p) == 0) {
      *ret = g;
      return SP_OK;
    }
  }
  group *g = SP_ARENA_NEW(&s->arena, group);
  SP_TRY_ALLOC(err, g);
  g->name = sp_arena_strdup(&s->arena, name->p);
  SP_TRY_ALLOC(err, g->name);
  g->hash = hash;
  g->next = s->groups;
  s->groups = g;
  *ret = g;
  return SP_OK;
}

/* One run of rows with the same values after the other. */
static sp_status add_by_value(sp_operator *op, const sp_batch *b, sp_str *name, sp_str *value,
                              sp_error *err) {
  sink *s = op->shared;
  group *run = NULL;
  uint32_t from = 0;
  for (uint32_t i = 0; i < b->n_rows; i++) {
    name_row(op, b, b->sel != NULL ? b->sel[i] : i, name, value);
    SP_TRY(sp_str_status(name, err));
    if (run != NULL && strcmp(run->name, name->p) == 0) {
      continue;
    }
    group *g = NULL;
    SP_TRY(find_group(s, name, &g, err));
    if (run != NULL) {
      sp_batch *cut = sp_batch_slice(sp_maker_of(op), b, from, i - from);
      SP_TRY_ALLOC(err, cut);
      const sp_status st = add_rows(op, run, cut, err);
      sp_batch_unref(cut);
      SP_TRY(st);
    }
    run = g;
    from = i;
  }
  sp_batch *cut = sp_batch_slice(sp_maker_of(op), b, from, b->n_rows - from);
  SP_TRY_ALLOC(err, cut);
  const sp_status st = add_rows(op, run, cut, err);
  sp_batch_unref(cut);
  return st;
}

static sp_status sink_push(sp_operator *op, sp_worker *w, const sp_batch *in) {
  sink *s = op->shared;
  s->rows += in->n_rows;
  if (s->n_by == 0) {
    SP_TRY(add_rows(op, s->groups, in, w->err));
  } else {
    sp_str name;
    sp_str value;
    sp_str_init(&name, op->mem, 4096);
    sp_str_init(&value, op->mem, 4096);
    const sp_status st = add_by_value(op, in, &name, &value, w->err);
    sp_str_release(&name);
    sp_str_release(&value);
    SP_TRY(st);
  }
  /* Nobody takes jobs as fast as we make them: take one ourselves. */
  pthread_mutex_lock(&s->lock);
  const bool many = s->n_jobs > 2 * sp_exec_threads(op->exec);
  pthread_mutex_unlock(&s->lock);
  return many ? do_job(op, w->err) : SP_OK;
}

static sp_status sink_idle(sp_operator *op, sp_worker *w) {
  return do_job(op, w->err);
}

/* ---- begin and end ---- */

static sp_status sink_open(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  sink *s = op->shared;
  pthread_mutex_init(&s->lock, NULL);
  s->has_lock = true;
  if (s->n_by > 0) {
    return SP_OK;
  }
  s->groups = SP_ARENA_NEW(&s->arena, group);
  SP_TRY_ALLOC(err, s->groups);
  return open_part(op, s->groups, err); /* a file even when there are no rows */
}

static sp_status finish_job(void *ctx, uint32_t i, sp_worker *w) {
  (void)i;
  return do_job(ctx, w->err);
}

static sp_status sink_finish(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  sink *s = op->shared;
  for (group *g = s->groups; g != NULL; g = g->next) {
    SP_TRY(cut_chunk(op, g, err));
  }
  return sp_exec_parallel(op, s->n_jobs, finish_job, op, err);
}

static sp_status sink_commit(sp_operator *op, sp_exec *x, sp_error *err) {
  (void)x;
  sink *s = op->shared;
  for (part *p = s->parts; p != NULL; p = p->next) {
    sp_writer *w = p->writer;
    p->writer = NULL;
    int64_t bytes = 0;
    SP_TRY(sp_writer_commit(w, &bytes, err));
    p->committed = true;
    sp_metric_add(op, SP_METRIC_output_bytes, bytes);
  }
  sp_metric_add(op, SP_METRIC_output_rows, s->rows);
  return SP_OK;
}

static void close_part(sp_operator *op, part *p, bool undo) {
  while (p->waiting != NULL) {
    encoded *e = p->waiting;
    p->waiting = e->next;
    sp_chunk_free(e->chunk);
    sp_mem_free(op->mem, e, sizeof *e);
  }
  p->writer = sp_writer_abort(p->writer);
  if (undo && p->committed && strcmp(p->path, "-") != 0) {
    (void)unlink(p->path); /* the run has an error to report already */
  }
}

static void sink_close(sp_operator *op) {
  sink *s = op->shared;
  for (job *j = s->has_lock ? take_job(s) : NULL; j != NULL; j = take_job(s)) {
    free_job(op, j);
  }
  for (group *g = s->groups; g != NULL; g = g->next) {
    for (uint32_t i = 0; i < g->n; i++) {
      sp_batch_unref(g->batches[i]);
    }
    sp_mem_free(op->mem, g->batches, g->cap * sizeof(sp_batch *));
  }
  for (part *p = s->parts; p != NULL; p = p->next) {
    close_part(op, p, sp_exec_failed(op->exec));
  }
  if (s->has_lock) {
    pthread_mutex_destroy(&s->lock);
  }
  sp_arena_release(&s->arena);
}

static const sp_operator_ops ops = {.name = "sink",
                                    .open = sink_open,
                                    .push = sink_push,
                                    .idle = sink_idle,
                                    .finish = sink_finish,
                                    .commit = sink_commit,
                                    .close = sink_close};

/* ---- lowering ---- */

/* Relative paths start at the plan's folder. */
static const char *place_path(sink *s, const sp_plan *plan) {
  if (strcmp(s->node->path, "-") == 0 || plan->file == NULL || strcmp(plan->file, "-") == 0) {
    return s->node->path;
  }
  const char *dir = sp_path_dir(&s->arena, plan->file);
  return dir != NULL ? sp_path_join(&s->arena, dir, s->node->path) : NULL;
}

static sp_status describe(sink *s, const sp_plan *plan, const sp_schema *in, sp_error *err) {
  const sp_sink_node *n = s->node;
  s->path = place_path(s, plan);
  s->by = SP_ARENA_ARRAY(&s->arena, uint32_t, n->partition.by.n);
  if (s->path == NULL || s->by == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < n->partition.by.n; i++) {
    s->by[s->n_by++] = (uint32_t)sp_schema_find(in, sp_sv_from(n->partition.by.items[i]));
  }
  const char *format = strchr(n->base.ops->name, '_') + 1;
  s->spec = (sp_sink_spec){.format = sp_format_by_name(sp_sv_from(format)),
                           .schema = in,
                           .mkdir = n->mkdir,
                           .compression = n->compression,
                           .separator = n->separator,
                           .quote = n->quote,
                           .null_value = n->null_value,
                           .no_header = !n->has_header};
  if (s->spec.format == NULL) {
    SP_FAIL(err, SP_UNSUPPORTED, NULL, "%s files cannot be written", format);
  }
  return SP_OK;
}

static sp_status lower(sp_lower *l, uint32_t node, sp_error *err) {
  sp_stream s;
  SP_TRY(sp_lower_input(l, node, 0, &s, err));
  SP_TRY(sp_lower_reorder(l, &s, node, err));
  sp_operator *op = sp_lower_operator(l, node, &ops, sizeof(sink));
  SP_TRY_ALLOC(err, op);
  sink *mine = op->shared;
  mine->node = (const sp_sink_node *)op->node;
  mine->parts_end = &mine->parts;
  mine->jobs_end = &mine->jobs;
  sp_arena_init(&mine->arena, op->mem);
  SP_TRY(describe(mine, sp_lower_plan(l), op->in, err));
  return sp_lower_end(l, s, op, err);
}

static bool observes(const sp_node *n, uint32_t which, bool observed) {
  (void)n;
  (void)which;
  (void)observed;
  return true;
}

const sp_lowering sp_lowering_sink = {
    .kinds = "sink_csv sink_parquet sink_ipc sink_ndjson", .lower = lower, .observes = observes};
