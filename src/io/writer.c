/* Writing a file: the format encodes chunks on any worker, one thread appends them in order, and the file
 * appears when it is complete. */
#include "io/format.h"

struct sp_writer {
  const sp_format *format;
  sp_mem *mem;
  sp_sink_spec spec;
  sp_out_file *out;
  void *state;
  uint32_t chunk_rows;
};
struct sp_chunk {
  const sp_format *format;
  sp_mem *mem;
  void *own;
};

sp_status sp_writer_open(const sp_sink_spec *spec, sp_mem *mem, sp_writer **ret, sp_error *err) {
  const sp_loc loc = {.file = spec->path};
  if (spec->format->write_open == NULL) {
    SP_FAIL(err, SP_UNSUPPORTED, &loc, "%s files cannot be written", spec->format->name);
  }
  sp_writer *w = sp_mem_calloc(mem, sizeof *w);
  SP_TRY_ALLOC(err, w);
  *w = (sp_writer){.format = spec->format, .mem = mem, .spec = *spec};
  sp_status st = sp_out_open(mem, spec->path, spec->mkdir, &w->out, err);
  if (st == SP_OK) {
    st = spec->format->write_open(&w->spec, mem, w->out, &w->state, &w->chunk_rows, err);
  }
  if (st != SP_OK) {
    sp_error_place(err, &loc);
    sp_writer_abort(w);
    return st;
  }
  *ret = w;
  return SP_OK;
}

uint32_t sp_writer_chunk_rows(const sp_writer *w) {
  return w->chunk_rows;
}

sp_status sp_writer_encode(sp_writer *w, sp_batch *const *batches, uint32_t n, sp_maker mk, sp_chunk **ret,
                           sp_error *err) {
  sp_chunk *c = sp_mem_calloc(w->mem, sizeof *c);
  SP_TRY_ALLOC(err, c);
  *c = (sp_chunk){.format = w->format, .mem = w->mem};
  const sp_status st = w->format->write_encode(w->state, batches, n, mk, &c->own, err);
  if (st != SP_OK) {
    sp_mem_free(w->mem, c, sizeof *c);
    return st;
  }
  *ret = c;
  return SP_OK;
}

sp_status sp_writer_append(sp_writer *w, sp_chunk *c, sp_error *err) {
  void *own = c->own;
  sp_mem_free(c->mem, c, sizeof *c);
  return w->format->write_append(w->state, own, err);
}

void sp_chunk_free(sp_chunk *c) {
  if (c != NULL) {
    c->format->write_chunk_free(c->own);
    sp_mem_free(c->mem, c, sizeof *c);
  }
}

sp_status sp_writer_commit(sp_writer *w, int64_t *ret_bytes, sp_error *err) {
  const sp_status st = w->format->write_finish(w->state, err);
  if (st != SP_OK) {
    const sp_loc loc = {.file = w->spec.path};
    sp_error_place(err, &loc);
    sp_writer_abort(w);
    return st;
  }
  const int64_t bytes = sp_out_pos(w->out);
  w->format->write_close(w->state);
  const sp_status committed = sp_out_commit(w->out, err);
  sp_mem_free(w->mem, w, sizeof *w);
  SP_TRY(committed);
  if (ret_bytes != NULL) {
    *ret_bytes = bytes;
  }
  return SP_OK;
}

sp_writer *sp_writer_abort(sp_writer *w) {
  if (w != NULL) {
    if (w->state != NULL) {
      w->format->write_close(w->state);
    }
    (void)sp_out_abort(w->out);
    sp_mem_free(w->mem, w, sizeof *w);
  }
  return NULL;
}
