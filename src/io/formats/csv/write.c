/* Rows to CSV text. A field is quoted when it must be: it holds the separator, a quote or a line end, begins
 * or ends with a space, or is the empty string (an empty unquoted field is null) or looks like the null
 * value. Chunks are encoded by any worker and appended in order. */
#include "io/formats/csv/csv.h"

#define CHUNK_ROWS 16384
#define MAX_CHUNK ((size_t)1 << 30)

typedef struct state {
  sp_mem *mem;
  sp_out_file *out;
  const sp_sink_spec *spec;
  char separator, quote;
  const char *null_value;
} state;
typedef struct chunk {
  sp_mem *mem;
  sp_str text;
} chunk;

static bool must_quote(const state *w, sp_sv s) {
  if (s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ' || sp_sv_eq(s, sp_sv_from(w->null_value))) {
    return true;
  }
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == w->separator || s.p[i] == w->quote || s.p[i] == '\n' || s.p[i] == '\r') {
      return true;
    }
  }
  return false;
}

static void put_text(const state *w, sp_sv s, sp_str *out) {
  if (!must_quote(w, s)) {
    sp_str_addn(out, s.p, s.n);
    return;
  }
  sp_str_addc(out, w->quote);
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == w->quote) {
      sp_str_addc(out, w->quote);
    }
    sp_str_addc(out, s.p[i]);
  }
  sp_str_addc(out, w->quote);
}

static void put_value(const state *w, const sp_column *c, uint32_t row, bool lone, sp_str *out) {
  const sp_value v = sp_column_value(c, row);
  if (v.is_null && lone && w->null_value[0] == '\0' && !sp_type_is_bytes(v.type)) {
    sp_str_add(out, "\"\""); /* a row of one column must not be a blank line; a lone null string is one */
  } else if (v.is_null) {
    sp_str_add(out, w->null_value);
  } else if (sp_type_is_bytes(v.type)) {
    put_text(w, v.s, out);
  } else {
    sp_value_text(&v, out);
  }
}

static void put_header(const state *w, sp_str *out) {
  for (uint32_t i = 0; i < w->spec->schema->n; i++) {
    if (i > 0) {
      sp_str_addc(out, w->separator);
    }
    put_text(w, w->spec->schema->fields[i].name, out);
  }
  sp_str_addc(out, '\n');
}

sp_status sp_csv_write_open(const sp_sink_spec *spec, sp_mem *mem, sp_out_file *out, void **ret_state,
                            uint32_t *ret_chunk_rows, sp_error *err) {
  if (spec->compression != NULL && strcmp(spec->compression, "none") != 0) {
    SP_FAIL(err, SP_UNSUPPORTED, NULL, "csv is written without compression, not with `%s`",
            spec->compression);
  }
  state *w = sp_mem_calloc(mem, sizeof *w);
  SP_TRY_ALLOC(err, w);
  *w = (state){.mem = mem,
               .out = out,
               .spec = spec,
               .separator = spec->separator != '\0' ? spec->separator : ',',
               .quote = spec->quote != '\0' ? spec->quote : '"',
               .null_value = spec->null_value != NULL ? spec->null_value : ""};
  sp_status st = SP_OK;
  if (!spec->no_header) {
    sp_str head;
    sp_str_init(&head, mem, MAX_CHUNK);
    put_header(w, &head);
    st = sp_str_status(&head, err);
    if (st == SP_OK) {
      st = sp_out_write(out, head.p, head.n, err);
    }
    sp_str_release(&head);
  }
  if (st != SP_OK) {
    sp_csv_write_close(w);
    return st;
  }
  *ret_state = w;
  *ret_chunk_rows = CHUNK_ROWS;
  return SP_OK;
}

sp_status sp_csv_write_encode(void *p, sp_batch *const *batches, uint32_t n, sp_maker mk, void **ret,
                              sp_error *err) {
  const state *w = p;
  chunk *c = sp_mem_calloc(mk.mem, sizeof *c);
  SP_TRY_ALLOC(err, c);
  c->mem = mk.mem;
  sp_str_init(&c->text, mk.mem, MAX_CHUNK);
  for (uint32_t b = 0; b < n && sp_str_ok(&c->text); b++) {
    const sp_batch *batch = batches[b];
    for (uint32_t i = 0; i < batch->n_rows; i++) {
      const uint32_t row = batch->sel != NULL ? batch->sel[i] : i;
      for (uint32_t k = 0; k < batch->n_cols; k++) {
        if (k > 0) {
          sp_str_addc(&c->text, w->separator);
        }
        put_value(w, batch->cols[k], row, batch->n_cols == 1, &c->text);
      }
      sp_str_addc(&c->text, '\n');
    }
  }
  const sp_status st = sp_str_status(&c->text, err);
  if (st != SP_OK) {
    sp_csv_write_chunk_free(c);
    return st;
  }
  *ret = c;
  return SP_OK;
}

sp_status sp_csv_write_append(void *p, void *taken, sp_error *err) {
  state *w = p;
  chunk *c = taken;
  const sp_status st = sp_out_write(w->out, c->text.p, c->text.n, err);
  sp_csv_write_chunk_free(c);
  return st;
}

void sp_csv_write_chunk_free(void *p) {
  chunk *c = p;
  if (c != NULL) {
    sp_str_release(&c->text);
    sp_mem_free(c->mem, c, sizeof *c);
  }
}

sp_status sp_csv_write_finish(void *p, sp_error *err) {
  (void)p, (void)err;
  return SP_OK;
}

void sp_csv_write_close(void *p) {
  state *w = p;
  if (w != NULL) {
    sp_mem_free(w->mem, w, sizeof *w);
  }
}
