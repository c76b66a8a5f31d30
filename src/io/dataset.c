/* One scan's files as one table. The first file is opened at once and gives the schema; the others when the
 * scan is planned, and must agree with it by name and type. Columns that no file holds (row index, hive keys,
 * file path) are put around the files' own.
 *
 *   files a.parquet (x, y), b.parquet (y, x), row_index "i" ⇒ schema i, x, y; morsels: row groups of a, then
 * of b */
#include <stdlib.h>
#include <sys/stat.h>

#include "io/internal.h"

static sp_status open_file(sp_dataset *d, uint32_t i, sp_error *err) {
  sp_ds_file *f = &d->files[i];
  if (f->source != NULL) {
    return SP_OK;
  }
  const sp_status st = d->spec->format->open(i == 0 ? d->spec : &d->rest, f->path, d->mem, &f->source, err);
  if (st != SP_OK) {
    const sp_loc loc = {.file = f->path};
    sp_error_place(err, &loc);
    return st;
  }
  f->source->stats = &d->stats;
  return SP_OK;
}

/* A column that the file does not have, or has and cannot be read. */
static sp_status no_column(const sp_dataset *d, sp_sv wanted, sp_error *err) {
  const sp_source *s = d->files[0].source;
  const sp_loc loc = {.file = d->files[0].path};
  for (uint32_t i = 0; i < s->n_unreadable; i++) {
    if (sp_sv_eq(s->unreadable[i].name, wanted)) {
      const sp_sv why = s->unreadable[i].why;
      SP_FAIL(err, SP_UNSUPPORTED, &loc, "column `%.*s` cannot be read: %.*s", (int)wanted.n, wanted.p,
              (int)why.n, why.p);
    }
  }
  return sp_schema_unknown(s->schema, wanted, &loc, err);
}

/* The file's columns under the dataset's names; a given schema picks and orders them. */
static sp_status add_file_columns(sp_dataset *d, sp_schema_builder *b, sp_error *err) {
  const sp_schema *own = d->files[0].source->schema;
  const sp_schema *given = d->spec->schema != NULL ? d->spec->schema : own;
  d->first_file_column = b->n;
  d->file_types = SP_ARENA_ARRAY(&d->arena, const sp_type *, given->n + 1);
  SP_TRY_ALLOC(err, d->file_types);
  for (uint32_t i = 0; i < given->n; i++) {
    if (sp_io_hive_find(d, given->fields[i].name) >= 0) {
      continue;
    }
    const int32_t at = sp_schema_find(own, given->fields[i].name);
    if (at < 0) {
      return no_column(d, given->fields[i].name, err);
    }
    d->file_types[d->n_file_columns++] = own->fields[at].type;
    sp_schema_add(b, given->fields[i].name, given->fields[i].type);
  }
  return SP_OK;
}

static sp_status make_schema(sp_dataset *d, sp_error *err) {
  sp_schema_builder b;
  sp_schema_begin(&b, &d->arena);
  if (d->spec->row_index != NULL) {
    sp_schema_add(&b, sp_sv_from(d->spec->row_index), sp_type_of(SP_KIND_INT64));
  }
  SP_TRY(add_file_columns(d, &b, err));
  for (uint32_t i = 0; i < d->n_hive; i++) {
    sp_schema_add(&b, d->hive[i].name, d->hive[i].type);
  }
  if (d->spec->include_file_path != NULL) {
    sp_schema_add(&b, sp_sv_from(d->spec->include_file_path), sp_type_of(SP_KIND_STRING));
  }
  const sp_loc loc = {.file = d->files[0].path};
  return sp_schema_finish(&b, &loc, &d->schema, err);
}

/* Paths become strings of a column then. */
static sp_status check_paths(const sp_dataset *d, sp_error *err) {
  for (uint32_t i = 0; d->spec->include_file_path != NULL && i < d->n_files; i++) {
    const sp_loc loc = {.file = d->files[i].path};
    if (!sp_utf8_valid(d->files[i].path, strlen(d->files[i].path))) {
      SP_FAIL(err, SP_DATA, &loc, "the path is not valid UTF-8 and cannot be a column's value");
    }
  }
  return SP_OK;
}

static sp_status open_dataset(sp_dataset *d, sp_error *err) {
  SP_TRY(sp_io_find_files(d->spec, &d->arena, &d->files, &d->n_files, err));
  SP_TRY(check_paths(d, err));
  SP_TRY(open_file(d, 0, err));
  if (d->spec->hive) {
    SP_TRY(sp_io_hive(d, err));
  }
  SP_TRY(make_schema(d, err));
  d->rest = *d->spec;
  if (d->rest.schema == NULL) {
    d->rest.schema = d->files[0].source->schema;
  }
  atomic_store(&d->stats.files_total, d->n_files);
  return SP_OK;
}

sp_status sp_dataset_open(const sp_scan_spec *spec, sp_mem *mem, sp_dataset **ret, sp_error *err) {
  sp_dataset *d = sp_mem_calloc(mem, sizeof *d);
  SP_TRY_ALLOC(err, d);
  d->mem = mem;
  d->spec = spec;
  sp_arena_init(&d->arena, mem);
  const sp_status st = open_dataset(d, err);
  if (st != SP_OK) {
    sp_dataset_unref(d);
    return st;
  }
  *ret = d;
  return SP_OK;
}

sp_dataset *sp_dataset_unref(sp_dataset *d) {
  if (d != NULL) {
    for (uint32_t i = 0; i < d->n_files; i++) {
      if (d->files[i].source != NULL) {
        d->spec->format->close(d->files[i].source);
      }
    }
    sp_mem *mem = d->mem;
    sp_arena_release(&d->arena);
    sp_mem_free(mem, d, sizeof *d);
  }
  return NULL;
}

const sp_schema *sp_dataset_schema(const sp_dataset *d) {
  return d->schema;
}
uint32_t sp_dataset_files(const sp_dataset *d) {
  return d->n_files;
}
const char *sp_dataset_path(const sp_dataset *d, uint32_t file) {
  return d->files[file].path;
}
sp_scan_stats *sp_dataset_scan_stats(sp_dataset *d) {
  return &d->stats;
}
uint32_t sp_dataset_morsels(const sp_dataset *d) {
  return d->n_morsels;
}
int64_t sp_dataset_morsel_rows(const sp_dataset *d, uint32_t morsel) {
  return d->morsels[morsel].morsel.rows;
}

uint32_t sp_dataset_unreadable(const sp_dataset *d, uint32_t i, sp_sv *ret_name, sp_sv *ret_why) {
  const sp_source *s = d->files[0].source;
  if (i < s->n_unreadable) {
    *ret_name = s->unreadable[i].name;
    *ret_why = s->unreadable[i].why;
  }
  return s->n_unreadable;
}

int64_t sp_dataset_rows(const sp_dataset *d, bool *ret_exact) {
  int64_t rows = 0, known = 0;
  bool exact = true;
  for (uint32_t i = 0; i < d->n_files; i++) {
    const sp_source *s = d->files[i].source;
    if (s == NULL || s->rows < 0) {
      exact = false;
      continue;
    }
    known++;
    exact = exact && s->rows_exact;
    rows += s->rows;
  }
  if (known == 0) {
    *ret_exact = false;
    return -1;
  }
  if (known < d->n_files) {
    rows = (int64_t)((double)rows * d->n_files / (double)known);
  }
  if (d->spec->n_rows >= 0 && rows > d->spec->n_rows) {
    rows = d->spec->n_rows;
  }
  *ret_exact = exact;
  return rows;
}

int64_t sp_dataset_bytes(const sp_dataset *d) {
  int64_t bytes = 0, known = 0;
  for (uint32_t i = 0; i < d->n_files; i++) {
    if (d->files[i].source != NULL) {
      bytes += d->files[i].source->bytes;
      known++;
    }
  }
  return known > 0 ? (int64_t)((double)bytes * d->n_files / (double)known) : 0;
}

/* Statistics of one file stand for all only when it is the only one and the file's type is the column's. */
bool sp_dataset_column_stats(const sp_dataset *d, uint32_t column, sp_column_stats *ret) {
  const sp_format *f = d->spec->format;
  if (f->column_stats == NULL || d->n_files != 1 || column < d->first_file_column ||
      column >= d->first_file_column + d->n_file_columns) {
    return false;
  }
  const uint32_t i = column - d->first_file_column;
  if (d->file_types[i] != d->schema->fields[column].type) {
    return false;
  }
  const int32_t at = sp_schema_find(d->files[0].source->schema, d->schema->fields[column].name);
  return at >= 0 && f->column_stats(d->files[0].source, (uint32_t)at, ret);
}

/* ---- planning ---- */
/* Binds file i's columns by name; types must be those of the first file. */
static sp_status bind_columns(sp_dataset *d, uint32_t i, sp_error *err) {
  sp_ds_file *f = &d->files[i];
  const sp_loc loc = {.file = f->path};
  f->columns = SP_ARENA_ARRAY(&d->arena, uint32_t, d->n_file_columns + 1);
  SP_TRY_ALLOC(err, f->columns);
  const uint32_t n = f->source->schema->n, n_first = d->files[0].source->schema->n;
  if (d->spec->schema == NULL && n != n_first) {
    SP_FAIL(err, SP_DATA, &loc, "%u columns, but %s has %u", n, d->files[0].path, n_first);
  }
  for (uint32_t k = 0; k < d->n_file_columns; k++) {
    const sp_field *want = &d->schema->fields[d->first_file_column + k];
    const int32_t at = sp_schema_find(f->source->schema, want->name);
    if (at < 0) {
      SP_FAIL(err, SP_DATA, &loc, "no column `%.*s`, which %s has", (int)want->name.n, want->name.p,
              d->files[0].path);
    }
    if (f->source->schema->fields[at].type != d->file_types[k]) {
      SP_FAIL(err, SP_DATA, &loc, "column `%.*s` is %s, but %s in %s", (int)want->name.n, want->name.p,
              f->source->schema->fields[at].type->name, d->file_types[k]->name, d->files[0].path);
    }
    f->columns[k] = (uint32_t)at;
  }
  return SP_OK;
}

/* Can a value be wanted? Nulls by wants_null; else one of the ranges must hold it. */
static bool value_wanted(const sp_prune *p, const sp_value *v) {
  if (v->is_null) {
    return p->wants_null;
  }
  for (uint32_t i = 0; i < p->n_ranges; i++) {
    const sp_range *r = &p->ranges[i];
    const int lo = r->has_lo ? sp_value_cmp(v, &r->lo) : 1, hi = r->has_hi ? sp_value_cmp(v, &r->hi) : -1;
    if ((lo > 0 || (lo == 0 && !r->lo_open)) && (hi < 0 || (hi == 0 && !r->hi_open))) {
      return true;
    }
  }
  return false;
}

static uint32_t first_hive(const sp_dataset *d) {
  return d->first_file_column + d->n_file_columns;
}

/* A file whose hive values no row can want is not even opened. */
static bool file_wanted(const sp_dataset *d, uint32_t i, const sp_scan_request *r) {
  for (uint32_t k = 0; k < r->n_prunes; k++) {
    const uint32_t c = r->prunes[k].column;
    if (c >= first_hive(d) && c < first_hive(d) + d->n_hive &&
        !value_wanted(&r->prunes[k], &d->files[i].hive[c - first_hive(d)])) {
      return false;
    }
  }
  return true;
}

static int by_number(const void *x, const void *y) {
  const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
  return (a > b) - (a < b);
}

/* What skipping a file saved. One whose size is not to be had counts nothing. */
static void count_skipped(sp_dataset *d, uint32_t i) {
  struct stat st;
  if (stat(d->files[i].path, &st) == 0) {
    atomic_fetch_add(&d->stats.bytes_pruned, st.st_size);
  }
}

typedef struct planning {
  bool row_numbers;
  int64_t first_row; /* of the next file */
  uint32_t cap;      /* of the morsels' array */
} planning;

/* The request in the terms of one file. Prunes on columns that are cast on the way are not passed on. */
static sp_status make_plan(sp_dataset *d, uint32_t i, const sp_scan_request *r, const planning *p,
                           sp_error *err) {
  sp_ds_file *f = &d->files[i];
  uint32_t *columns = SP_ARENA_ARRAY(&d->arena, uint32_t, r->n_columns + 1);
  sp_prune *prunes = SP_ARENA_ARRAY(&d->arena, sp_prune, r->n_prunes + 1);
  if (columns == NULL || prunes == NULL) {
    return sp_error_nomem(err);
  }
  uint32_t n = 0, n_prunes = 0;
  for (uint32_t k = 0; k < r->n_columns; k++) {
    if (r->columns[k] >= d->first_file_column && r->columns[k] < first_hive(d)) {
      columns[n++] = f->columns[r->columns[k] - d->first_file_column];
    }
  }
  qsort(columns, n, sizeof *columns, by_number);
  for (uint32_t k = 0; k < r->n_prunes; k++) {
    const uint32_t c = r->prunes[k].column;
    if (c >= d->first_file_column && c < first_hive(d) &&
        d->file_types[c - d->first_file_column] == d->schema->fields[c].type) {
      prunes[n_prunes] = r->prunes[k];
      prunes[n_prunes++].column = f->columns[c - d->first_file_column];
    }
  }
  f->plan = (sp_source_plan){.n_columns = n,
                             .columns = columns,
                             .n_prunes = n_prunes,
                             .prunes = prunes,
                             .workers = r->workers,
                             .needs_row_numbers = p->row_numbers,
                             .max_rows = d->spec->n_rows >= 0 ? d->spec->n_rows - p->first_row : -1};
  return SP_OK;
}

static sp_status add_morsels(sp_dataset *d, uint32_t i, const sp_morsel *m, uint32_t n, uint32_t *cap,
                             sp_error *err) {
  if (!sp_arena_grow(&d->arena, &d->morsels, cap, d->n_morsels + n, sizeof *d->morsels)) {
    return sp_error_nomem(err);
  }
  for (uint32_t k = 0; k < n; k++) {
    d->morsels[d->n_morsels++] = (sp_ds_morsel){i, m[k]};
  }
  return SP_OK;
}

/* Morsels in front of the last row wanted. */
static uint32_t within_limit(const sp_dataset *d, int64_t first_row, const sp_morsel *m, uint32_t n) {
  uint32_t kept = 0;
  while (d->spec->n_rows >= 0 && kept < n && first_row + m[kept].first_row < d->spec->n_rows) {
    kept++;
  }
  return d->spec->n_rows >= 0 ? kept : n;
}

/* With row numbers wanted every file's rows are counted, so that the next one knows where it starts. */
static sp_status plan_file(sp_dataset *d, uint32_t i, const sp_scan_request *r, planning *p, sp_error *err) {
  sp_ds_file *f = &d->files[i];
  const bool wanted = file_wanted(d, i, r);
  if (!wanted && !p->row_numbers) {
    count_skipped(d, i);
    return SP_OK;
  }
  SP_TRY(open_file(d, i, err));
  SP_TRY(bind_columns(d, i, err));
  SP_TRY(make_plan(d, i, r, p, err));
  f->first_row = p->row_numbers ? p->first_row : -1;
  sp_morsel *m = NULL;
  uint32_t n = 0;
  const sp_status st = d->spec->format->plan(f->source, &f->plan, &m, &n, err);
  if (st != SP_OK) {
    const sp_loc loc = {.file = f->path};
    sp_error_place(err, &loc);
    return st;
  }
  n = within_limit(d, p->first_row, m, n);
  if (p->row_numbers) {
    if (f->source->rows < 0 || !f->source->rows_exact) {
      SP_FAIL(err, SP_INTERNAL, NULL, "%s: the format did not count its rows", f->path);
    }
    p->first_row += f->source->rows;
  }
  if (!wanted) {
    count_skipped(d, i);
    return SP_OK;
  }
  atomic_fetch_add(&d->stats.files_read, n > 0);
  return add_morsels(d, i, m, n, &p->cap, err);
}

sp_status sp_dataset_plan(sp_dataset *d, const sp_scan_request *r, sp_error *err) {
  if (d->planned) {
    SP_FAIL(err, SP_INTERNAL, NULL, "a dataset is planned once");
  }
  d->planned = true;
  planning p = {.row_numbers = d->spec->row_index != NULL || d->spec->n_rows >= 0};
  for (uint32_t i = 0; i < d->n_files; i++) {
    if (d->spec->n_rows >= 0 && p.first_row >= d->spec->n_rows) {
      break;
    }
    SP_TRY(plan_file(d, i, r, &p, err));
  }
  return SP_OK;
}
