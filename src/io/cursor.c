/* Reading one morsel: the format's cursor, with the columns around it. The row limit is applied here, so that
 * formats know nothing of it. */
#include "io/internal.h"

#define HEAP_BYTES ((size_t)64 << 10) /* of cast strings */

struct sp_cursor_scratch {
  const sp_format *format;
  void *own; /* the format's */
};

struct sp_cursor {
  sp_dataset *d;
  const sp_ds_file *file;
  sp_maker mk;
  sp_source_cursor *own;
  int64_t row;  /* of the window's first row in the whole scan; -1 unknown */
  int64_t left; /* rows that may still be given; -1 = all */
  uint32_t window;
};

/* Scratch is of one format; one of another is of no use here. */
static sp_status get_scratch(const sp_format *f, sp_cursor_scratch **scratch, sp_error *err) {
  if (*scratch != NULL && (*scratch)->format != f) {
    sp_cursor_scratch_free(*scratch);
    *scratch = NULL;
  }
  if (*scratch == NULL) {
    *scratch = sp_mem_calloc(sp_mem_process(), sizeof **scratch);
    SP_TRY_ALLOC(err, *scratch);
    (*scratch)->format = f;
  }
  return SP_OK;
}

sp_status sp_cursor_open(sp_dataset *d, uint32_t morsel, sp_maker mk, sp_cursor_scratch **scratch,
                         sp_cursor **ret, sp_error *err) {
  const sp_ds_morsel *m = &d->morsels[morsel];
  const sp_ds_file *f = &d->files[m->file];
  SP_TRY(get_scratch(d->spec->format, scratch, err));
  sp_cursor *c = sp_mem_calloc(mk.mem, sizeof *c);
  SP_TRY_ALLOC(err, c);
  *c = (sp_cursor){.d = d, .file = f, .mk = mk, .row = -1, .left = -1};
  if (f->plan.needs_row_numbers) {
    c->row = f->first_row + m->morsel.first_row;
    c->left = d->spec->n_rows >= 0 ? d->spec->n_rows - c->row : -1;
  }
  const sp_status st =
      d->spec->format->cursor_open(f->source, &f->plan, &m->morsel, mk, &(*scratch)->own, &c->own, err);
  if (st != SP_OK) {
    const sp_loc loc = {.file = f->path};
    sp_error_place(err, &loc);
    sp_mem_free(mk.mem, c, sizeof *c);
    return st;
  }
  *ret = c;
  return SP_OK;
}

static sp_status at_file(const sp_cursor *c, sp_status st, sp_error *err) {
  if (st != SP_OK && st != SP_NOMEM) {
    const sp_loc loc = {.file = c->file->path};
    sp_error_place(err, &loc);
  }
  return st;
}

sp_status sp_cursor_next(sp_cursor *c, uint32_t max_rows, uint32_t *ret_rows, sp_error *err) {
  if (c->row >= 0) {
    c->row += c->window;
  }
  if (c->left >= 0) {
    c->left -= c->window;
    if (c->left <= 0) {
      *ret_rows = c->window = 0;
      return SP_OK;
    }
    max_rows = c->left < max_rows ? (uint32_t)c->left : max_rows;
  }
  SP_TRY(at_file(c, c->d->spec->format->cursor_next(c->own, max_rows, &c->window, err), err));
  *ret_rows = c->window;
  return SP_OK;
}

/* A cast value as the new column's own: its bytes, when it has any, go into the last heap, or a new one when
 * that is full. */
static sp_status keep(sp_column *to, uint32_t row, sp_value *v, sp_buf **heap, sp_error *err) {
  if (sp_type_is_bytes(v->type) && v->s.n > SP_VIEW_INLINE) {
    if (*heap == NULL || (*heap)->capacity - (*heap)->size < v->s.n) {
      sp_buf *b = sp_buf_new(NULL, to->mem, v->s.n > HEAP_BYTES ? v->s.n : HEAP_BYTES);
      const bool added = b != NULL && sp_column_add_heap(to, b);
      sp_buf_unref(b); /* the column has it */
      if (!added) {
        return sp_error_nomem(err);
      }
      *heap = b;
    }
    char *bytes = (char *)(*heap)->data + (*heap)->size;
    memcpy(bytes, v->s.p, v->s.n);
    (*heap)->size += v->s.n;
    v->s.p = bytes;
  }
  sp_value_store(v, to->values->data + (size_t)row * v->type->width);
  to->validity->data[row] = 1;
  return SP_OK;
}

static sp_status convert_rows(const sp_field *field, const sp_column *from, const uint16_t *sel, uint32_t n,
                              sp_arena *a, sp_column *to, sp_error *err) {
  sp_buf *heap = NULL;
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t row = sel != NULL ? sel[i] : i;
    const sp_value v = sp_column_value(from, row);
    sp_value cast;
    if (v.is_null) {
      continue;
    }
    if (!sp_value_cast_exact(&v, field->type, a, &cast)) {
      if (sp_type_is_bytes(field->type) &&
          !sp_type_is_bytes(v.type)) { /* every value has a text: memory is out */
        return sp_error_nomem(err);
      }
      SP_FAIL(err, SP_DATA, NULL, "column `%.*s`: a value of type %s is not exactly %s", (int)field->name.n,
              field->name.p, v.type->name, field->type->name);
    }
    SP_TRY(keep(to, row, &cast, &heap, err));
  }
  return SP_OK;
}

/* A given schema's type where the file has another: value by value, and only where nothing is lost. */
static sp_status convert(const sp_cursor *c, const sp_field *field, const sp_column *from,
                         const uint16_t *sel, uint32_t n_sel, sp_column **ret, sp_error *err) {
  sp_column *to = sp_column_flat(c->mk, field->type, c->window, true);
  SP_TRY_ALLOC(err, to);
  if (to->values != NULL) { /* the null type has none */
    memset(to->values->data, 0, (size_t)c->window * field->type->width);
  }
  memset(to->validity->data, 0, c->window);
  sp_arena a;
  sp_arena_init(&a, c->mk.mem);
  const sp_status st = convert_rows(field, from, sel, sel != NULL ? n_sel : c->window, &a, to, err);
  sp_arena_release(&a);
  if (st != SP_OK) {
    sp_column_unref(to);
    return st;
  }
  *ret = to;
  return SP_OK;
}

static sp_status read_file_column(sp_cursor *c, uint32_t k, const uint16_t *sel, uint32_t n_sel,
                                  sp_column **ret, sp_error *err) {
  const sp_dataset *d = c->d;
  const sp_field *field = &d->schema->fields[d->first_file_column + k];
  sp_column *col = NULL;
  SP_TRY(at_file(c, d->spec->format->cursor_read(c->own, c->file->columns[k], sel, n_sel, &col, err), err));
  if (d->file_types[k] != field->type) {
    sp_column *cast = NULL;
    const sp_status st = at_file(c, convert(c, field, col, sel, n_sel, &cast, err), err);
    sp_column_unref(col);
    SP_TRY(st);
    col = cast;
  }
  *ret = col;
  return SP_OK;
}

sp_status sp_cursor_read(sp_cursor *c, uint32_t column, const uint16_t *sel, uint32_t n_sel, sp_column **ret,
                         sp_error *err) {
  const sp_dataset *d = c->d;
  const uint32_t hive = d->first_file_column + d->n_file_columns;
  if (column >= d->first_file_column && column < hive) {
    return read_file_column(c, column - d->first_file_column, sel, n_sel, ret, err);
  }
  sp_column *col = NULL;
  if (column < d->first_file_column) {
    col = sp_column_sequence(c->mk, d->schema->fields[column].type, d->spec->row_index_offset + c->row, 1,
                             c->window);
  } else if (column < hive + d->n_hive) {
    col = sp_column_const(c->mk, &c->file->hive[column - hive], c->window);
  } else {
    const sp_value path = sp_value_str(sp_sv_from(c->file->path));
    col = sp_column_const(c->mk, &path, c->window);
  }
  SP_TRY_ALLOC(err, col);
  *ret = col;
  return SP_OK;
}

int64_t sp_cursor_wait_ns(const sp_cursor *c) {
  return c->own->wait_ns;
}

void sp_cursor_close(sp_cursor *c) {
  if (c != NULL) {
    c->d->spec->format->cursor_close(c->own);
    sp_mem_free(c->mk.mem, c, sizeof *c);
  }
}

void sp_cursor_scratch_free(sp_cursor_scratch *s) {
  if (s != NULL) {
    if (s->own != NULL && s->format->scratch_free != NULL) {
      s->format->scratch_free(s->own);
    }
    sp_mem_free(sp_mem_process(), s, sizeof *s);
  }
}
