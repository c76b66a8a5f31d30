/* The footer and the page headers. Only what reading needs is kept; every other field is skipped by its type,
 * so that newer files stay readable.
 *
 * Worked example: a file written with one int64 column `a` and 3 rows gives elements {schema: group of 1, a:
 * INT64 OPTIONAL}, one group of 3 rows with one chunk {INT64, data_offset 4, num_values 3}. */
#include "io/formats/parquet/meta.h"

/* The fewest bytes that one of them takes in a real footer. A list that claims more than its bytes can hold
 * is refused before memory is taken for it. */
enum { CHUNK_MIN = 8, ELEMENT_MIN = 3, OTHER_MIN = 3 };

static uint32_t list_of(sp_thrift_in *in, const sp_thrift_field *f, uint32_t min_bytes) {
  const uint32_t n = sp_thrift_list(in, f, SP_THRIFT_STRUCT);
  if ((uint64_t)n * min_bytes > (uint64_t)(in->end - in->p)) {
    in->failed = true;
    return 0;
  }
  return n;
}

static void read_unit(sp_thrift_in *in, const sp_thrift_field *f, sp_unit *ret) {
  if (!sp_thrift_struct(in, f)) {
    return;
  }
  sp_thrift_field g = {0};
  while (sp_thrift_next(in, &g)) {
    if (g.id >= 1 && g.id <= 3) {
      *ret = g.id == 1 ? SP_UNIT_MS : g.id == 2 ? SP_UNIT_US : SP_UNIT_NS;
    }
    sp_thrift_skip(in, &g);
  }
}

/* The struct inside the union: field ids of the kinds that carry parameters. */
static void read_logical_params(sp_thrift_in *in, sp_pq_element *e) {
  sp_thrift_field f = {0};
  while (sp_thrift_next(in, &f)) {
    if (e->logical == SP_PQ_LOG_DECIMAL && f.id == 1) {
      e->log_scale = sp_thrift_i32(in, &f);
    } else if (e->logical == SP_PQ_LOG_DECIMAL && f.id == 2) {
      e->log_precision = sp_thrift_i32(in, &f);
    } else if ((e->logical == SP_PQ_LOG_TIME || e->logical == SP_PQ_LOG_TIMESTAMP) && f.id == 1) {
      e->log_utc = sp_thrift_bool(in, &f);
    } else if ((e->logical == SP_PQ_LOG_TIME || e->logical == SP_PQ_LOG_TIMESTAMP) && f.id == 2) {
      read_unit(in, &f, &e->log_unit);
    } else if (e->logical == SP_PQ_LOG_INTEGER && f.id == 1) {
      e->log_bits = (int32_t)sp_thrift_i64(in, &f);
    } else if (e->logical == SP_PQ_LOG_INTEGER && f.id == 2) {
      e->log_signed = sp_thrift_bool(in, &f);
    } else {
      sp_thrift_skip(in, &f);
    }
  }
}

static void read_logical(sp_thrift_in *in, const sp_thrift_field *f, sp_pq_element *e) {
  if (!sp_thrift_struct(in, f)) {
    return;
  }
  sp_thrift_field g = {0};
  while (sp_thrift_next(in, &g)) {
    e->logical = g.id;
    if (sp_thrift_struct(in, &g)) {
      read_logical_params(in, e);
    }
  }
}

static void read_element(sp_thrift_in *in, sp_pq_element *e) {
  *e = (sp_pq_element){.name = {"", 0}, .phys = -1, .converted = SP_PQ_CONV_NONE};
  sp_thrift_field f = {0};
  while (sp_thrift_next(in, &f)) {
    switch (f.id) {
    case 1:
      e->phys = sp_thrift_i32(in, &f);
      break;
    case 2:
      e->type_length = sp_thrift_i32(in, &f);
      break;
    case 3:
      e->repetition = sp_thrift_i32(in, &f);
      break;
    case 4:
      e->name = sp_thrift_binary(in, &f);
      break;
    case 5:
      e->n_children = sp_thrift_i32(in, &f);
      break;
    case 6:
      e->converted = sp_thrift_i32(in, &f);
      break;
    case 7:
      e->scale = sp_thrift_i32(in, &f);
      break;
    case 8:
      e->precision = sp_thrift_i32(in, &f);
      break;
    case 10:
      read_logical(in, &f, e);
      break;
    default:
      sp_thrift_skip(in, &f);
    }
  }
}

static void read_stats(sp_thrift_in *in, const sp_thrift_field *f, sp_pq_stats *s) {
  if (!sp_thrift_struct(in, f)) {
    return;
  }
  bool old_min = false, old_max = false;
  sp_thrift_field g = {0};
  while (sp_thrift_next(in, &g)) {
    switch (g.id) {
    case 1:
      s->max = sp_thrift_binary(in, &g);
      old_max = true;
      break;
    case 2:
      s->min = sp_thrift_binary(in, &g);
      old_min = true;
      break;
    case 3:
      s->null_count = sp_thrift_i64(in, &g);
      break;
    case 4:
      s->distinct = sp_thrift_i64(in, &g);
      break;
    case 5:
      s->max_value = sp_thrift_binary(in, &g);
      s->has_max_value = true;
      break;
    case 6:
      s->min_value = sp_thrift_binary(in, &g);
      s->has_min_value = true;
      break;
    case 7:
      s->max_exact = sp_thrift_bool(in, &g);
      break;
    case 8:
      s->min_exact = sp_thrift_bool(in, &g);
      break;
    default:
      sp_thrift_skip(in, &g);
    }
  }
  s->has_old = old_min && old_max;
}

static void read_column_meta(sp_thrift_in *in, const sp_thrift_field *f, sp_pq_chunk_meta *c) {
  if (!sp_thrift_struct(in, f)) {
    return;
  }
  c->present = true;
  sp_thrift_field g = {0};
  while (sp_thrift_next(in, &g)) {
    switch (g.id) {
    case 1:
      c->phys = sp_thrift_i32(in, &g);
      break;
    case 4:
      c->codec = sp_thrift_i32(in, &g);
      break;
    case 5:
      c->num_values = sp_thrift_i64(in, &g);
      break;
    case 6:
      c->uncompressed = sp_thrift_i64(in, &g);
      break;
    case 7:
      c->compressed = sp_thrift_i64(in, &g);
      break;
    case 9:
      c->data_offset = sp_thrift_i64(in, &g);
      break;
    case 11:
      c->dict_offset = sp_thrift_i64(in, &g);
      break;
    case 12:
      read_stats(in, &g, &c->stats);
      break;
    default:
      sp_thrift_skip(in, &g);
    }
  }
}

static void read_chunk(sp_thrift_in *in, sp_pq_chunk_meta *c) {
  *c = (sp_pq_chunk_meta){.phys = -1};
  c->stats.null_count = c->stats.distinct = -1;
  c->stats.min_exact = c->stats.max_exact = -1;
  bool elsewhere = false;
  sp_thrift_field f = {0};
  while (sp_thrift_next(in, &f)) {
    if (f.id == 3) {
      read_column_meta(in, &f, c);
    } else if (f.id == 1) { /* file_path: the chunk is in another file */
      elsewhere = sp_thrift_binary(in, &f).n > 0;
    } else {
      sp_thrift_skip(in, &f);
    }
  }
  c->present = c->present && !elsewhere;
}

static bool read_group(sp_arena *a, sp_thrift_in *in, sp_pq_group *g) {
  *g = (sp_pq_group){0};
  sp_thrift_field f = {0};
  while (sp_thrift_next(in, &f)) {
    if (f.id == 1) {
      g->n_chunks = list_of(in, &f, CHUNK_MIN);
      g->chunks = SP_ARENA_ARRAY(a, sp_pq_chunk_meta, g->n_chunks);
      if (g->chunks == NULL) {
        return false;
      }
      for (uint32_t i = 0; i < g->n_chunks && !in->failed; i++) {
        read_chunk(in, &g->chunks[i]);
      }
    } else if (f.id == 3) {
      g->rows = sp_thrift_i64(in, &f);
    } else {
      sp_thrift_skip(in, &f);
    }
  }
  return true;
}

static void read_kv(sp_thrift_in *in, sp_pq_kv *kv) {
  *kv = (sp_pq_kv){{"", 0}, {"", 0}};
  sp_thrift_field f = {0};
  while (sp_thrift_next(in, &f)) {
    if (f.id == 1) {
      kv->key = sp_thrift_binary(in, &f);
    } else if (f.id == 2) {
      kv->value = sp_thrift_binary(in, &f);
    } else {
      sp_thrift_skip(in, &f);
    }
  }
}

/* One of the three lists of the footer; false when out of memory. */
static bool read_list(sp_arena *a, sp_thrift_in *in, const sp_thrift_field *f, sp_pq_meta *m) {
  const uint32_t n = list_of(in, f, f->id == 2 ? ELEMENT_MIN : OTHER_MIN);
  if (f->id == 2) {
    m->elements = SP_ARENA_ARRAY(a, sp_pq_element, n);
    m->n_elements = n;
    for (uint32_t i = 0; i < n && m->elements != NULL && !in->failed; i++) {
      read_element(in, &m->elements[i]);
    }
    return m->elements != NULL;
  }
  if (f->id == 4) {
    m->groups = SP_ARENA_ARRAY(a, sp_pq_group, n);
    m->n_groups = n;
    for (uint32_t i = 0; i < n && m->groups != NULL && !in->failed; i++) {
      if (!read_group(a, in, &m->groups[i])) {
        return false;
      }
    }
    return m->groups != NULL;
  }
  m->kv = SP_ARENA_ARRAY(a, sp_pq_kv, n);
  m->n_kv = n;
  for (uint32_t i = 0; i < n && m->kv != NULL && !in->failed; i++) {
    read_kv(in, &m->kv[i]);
  }
  return m->kv != NULL;
}

sp_status sp_pq_meta_read(sp_arena *a, const uint8_t *p, size_t n, sp_pq_meta *ret, sp_error *err) {
  sp_thrift_in in = {p, p + n, false};
  sp_thrift_field f = {0};
  sp_pq_meta m = {0};
  while (sp_thrift_next(&in, &f)) {
    if (f.id == 2 || f.id == 4 || f.id == 5) {
      if (!read_list(a, &in, &f, &m)) {
        return sp_error_nomem(err);
      }
    } else if (f.id == 3) {
      m.rows = sp_thrift_i64(&in, &f);
    } else {
      sp_thrift_skip(&in, &f);
    }
  }
  if (in.failed) {
    SP_FAIL(err, SP_DATA, NULL, "the Parquet footer is damaged");
  }
  if (m.n_elements == 0) {
    SP_FAIL(err, SP_DATA, NULL, "the Parquet footer has no schema");
  }
  *ret = m;
  return SP_OK;
}

/* Field ids differ between the three kinds of page: v1 {1 values, 2 encoding, 3 def levels}, dictionary {1
 * values, 2 encoding}, v2 {1 values, 2 nulls, 3 rows, 4 encoding, 5 def bytes, 6 rep bytes, 7 is_compressed}.
 */
static void read_page_kind(sp_thrift_in *in, const sp_thrift_field *f, bool v2, sp_pq_page_header *h) {
  if (!sp_thrift_struct(in, f)) {
    return;
  }
  sp_thrift_field g = {0};
  while (sp_thrift_next(in, &g)) {
    if (g.id == 1) {
      h->num_values = sp_thrift_i32(in, &g);
    } else if (g.id == (v2 ? 4 : 2)) {
      h->encoding = sp_thrift_i32(in, &g);
    } else if (!v2 && g.id == 3 && g.type == SP_THRIFT_I32) {
      h->def_encoding = sp_thrift_i32(in, &g);
    } else if (v2 && g.id == 2) {
      h->num_nulls = sp_thrift_i32(in, &g);
    } else if (v2 && g.id == 5) {
      h->def_bytes = sp_thrift_i32(in, &g);
    } else if (v2 && g.id == 6) {
      h->rep_bytes = sp_thrift_i32(in, &g);
    } else if (v2 && g.id == 7) {
      h->is_compressed = sp_thrift_bool(in, &g);
    } else {
      sp_thrift_skip(in, &g);
    }
  }
}

bool sp_pq_page_header_read(const uint8_t *p, size_t n, sp_pq_page_header *ret, size_t *ret_used) {
  sp_thrift_in in = {p, p + n, false};
  sp_thrift_field f = {0};
  sp_pq_page_header h = {.type = -1, .is_compressed = true, .def_encoding = SP_PQ_RLE};
  uint32_t kinds = 0;
  while (sp_thrift_next(&in, &f)) {
    switch (f.id) {
    case 1:
      h.type = sp_thrift_i32(&in, &f);
      break;
    case 2:
      h.uncompressed = sp_thrift_i32(&in, &f);
      break;
    case 3:
      h.compressed = sp_thrift_i32(&in, &f);
      break;
    case 5:
    case 7:
    case 8:
      read_page_kind(&in, &f, f.id == 8, &h);
      kinds |= 1u << f.id;
      break;
    default:
      sp_thrift_skip(&in, &f);
    }
  }
  const bool complete = h.type == SP_PQ_PAGE_DATA      ? (kinds & 1u << 5) != 0
                        : h.type == SP_PQ_PAGE_DICT    ? (kinds & 1u << 7) != 0
                        : h.type == SP_PQ_PAGE_DATA_V2 ? (kinds & 1u << 8) != 0
                                                       : h.type >= 0;
  if (in.failed || !complete || h.uncompressed < 0 || h.compressed < 0 || h.num_values < 0 ||
      h.def_bytes < 0 || h.rep_bytes < 0 || h.num_nulls < 0) {
    return false;
  }
  *ret = h;
  *ret_used = (size_t)(in.p - p);
  return true;
}
