/* The footer: schema, row groups, column orders, who wrote it.
 *
 * Every column is optional, since null-free columns are known only at the end. Types carry the logical and,
 * where it means the same, the older converted annotation. What Parquet cannot say (a duration, a zone that
 * is not UTC) is noted beside the schema under SP_PQ_TYPE_KEY and the column's name.
 *
 * Worked example: decimal(12,2) `price` is {INT64, OPTIONAL, DECIMAL, scale 2, precision 12, logical
 * DECIMAL(12,2)}. */
#include "io/formats/parquet/write.h"

static void put_unit(sp_thrift_out *w, sp_unit u) {
  sp_thrift_open_struct(w, 2);
  sp_thrift_open_struct(w, u == SP_UNIT_MS ? 1 : u == SP_UNIT_US ? 2 : 3);
  sp_thrift_end(w);
  sp_thrift_end(w);
}

static void put_instant(sp_thrift_out *w, int16_t id, bool utc, sp_unit u) {
  sp_thrift_open_struct(w, id);
  sp_thrift_put_bool(w, 1, utc);
  put_unit(w, u);
  sp_thrift_end(w);
}

static void put_empty(sp_thrift_out *w, int16_t id) {
  sp_thrift_open_struct(w, id);
  sp_thrift_end(w);
}

/* Bits of an integer type whose annotation is needed; int32 and int64 go without. */
static int32_t annotated_bits(const sp_type *t) {
  const bool plain = t->kind == SP_KIND_INT32 || t->kind == SP_KIND_INT64;
  return sp_type_is_int(t) && !plain ? (int32_t)t->width * 8 : 0;
}

static int32_t converted_of(const sp_type *t) {
  const int32_t bits = annotated_bits(t);
  if (bits > 0) {
    const int32_t k = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
    return (t->family == SP_FAMILY_UNSIGNED ? SP_PQ_CONV_UINT8 : SP_PQ_CONV_INT8) + k;
  }
  if (t->kind == SP_KIND_STRING) {
    return SP_PQ_CONV_UTF8;
  }
  if (t->kind == SP_KIND_DECIMAL) {
    return SP_PQ_CONV_DECIMAL;
  }
  if (t->kind == SP_KIND_DATE) {
    return SP_PQ_CONV_DATE;
  }
  if (t->kind == SP_KIND_DATETIME && t->zone != NULL && t->unit != SP_UNIT_NS) {
    return t->unit == SP_UNIT_MS ? SP_PQ_CONV_TIMESTAMP_MS : SP_PQ_CONV_TIMESTAMP_US;
  }
  return SP_PQ_CONV_NONE;
}

static bool has_logical(const sp_type *t) {
  return annotated_bits(t) > 0 || t->kind == SP_KIND_STRING || t->kind == SP_KIND_DECIMAL ||
         t->kind == SP_KIND_DATE || t->kind == SP_KIND_DATETIME || t->kind == SP_KIND_TIME ||
         t->kind == SP_KIND_NULL;
}

static void put_logical(sp_thrift_out *w, const sp_type *t) {
  sp_thrift_open_struct(w, 10);
  if (t->kind == SP_KIND_STRING) {
    put_empty(w, SP_PQ_LOG_STRING);
  } else if (t->kind == SP_KIND_DECIMAL) {
    sp_thrift_open_struct(w, SP_PQ_LOG_DECIMAL);
    sp_thrift_put_i32(w, 1, t->scale);
    sp_thrift_put_i32(w, 2, t->precision);
    sp_thrift_end(w);
  } else if (t->kind == SP_KIND_DATE) {
    put_empty(w, SP_PQ_LOG_DATE);
  } else if (t->kind == SP_KIND_TIME) {
    put_instant(w, SP_PQ_LOG_TIME, false, SP_UNIT_NS);
  } else if (t->kind == SP_KIND_DATETIME) {
    put_instant(w, SP_PQ_LOG_TIMESTAMP, t->zone != NULL, t->unit);
  } else if (t->kind == SP_KIND_NULL) {
    put_empty(w, SP_PQ_LOG_UNKNOWN);
  } else {
    sp_thrift_open_struct(w, SP_PQ_LOG_INTEGER);
    sp_thrift_put_i8(w, 1, (int8_t)annotated_bits(t));
    sp_thrift_put_bool(w, 2, t->family == SP_FAMILY_SIGNED);
    sp_thrift_end(w);
  }
  sp_thrift_end(w);
}

static void put_leaf(sp_thrift_out *w, const sp_pq_out_leaf *l) {
  const sp_type *t = l->type;
  sp_thrift_elem_struct(w);
  sp_thrift_put_i32(w, 1, l->phys);
  if (l->phys == SP_PQ_FIXED) {
    sp_thrift_put_i32(w, 2, (int32_t)l->width);
  }
  sp_thrift_put_i32(w, 3, SP_PQ_OPTIONAL);
  sp_thrift_put_binary(w, 4, l->name);
  if (converted_of(t) != SP_PQ_CONV_NONE) {
    sp_thrift_put_i32(w, 6, converted_of(t));
  }
  if (t->kind == SP_KIND_DECIMAL) {
    sp_thrift_put_i32(w, 7, t->scale);
    sp_thrift_put_i32(w, 8, t->precision);
  }
  if (has_logical(t)) {
    put_logical(w, t);
  }
  sp_thrift_end(w);
}

static void put_schema(sp_thrift_out *w, const sp_pq_out_state *s) {
  sp_thrift_open_list(w, 2, SP_THRIFT_STRUCT, s->schema->n + 1);
  sp_thrift_elem_struct(w);
  sp_thrift_put_binary(w, 4, SP_SV("schema"));
  sp_thrift_put_i32(w, 5, (int32_t)s->schema->n);
  sp_thrift_end(w);
  for (uint32_t i = 0; i < s->schema->n; i++) {
    put_leaf(w, &s->leaves[i]);
  }
}

static void put_stats(sp_thrift_out *w, const sp_pq_out_chunk *c) {
  sp_thrift_open_struct(w, 12);
  sp_thrift_put_i64(w, 3, c->null_count);
  if (c->max.known) {
    sp_thrift_put_binary(w, 5, (sp_sv){(const char *)c->max.bytes, c->max.n});
  }
  if (c->min.known) {
    sp_thrift_put_binary(w, 6, (sp_sv){(const char *)c->min.bytes, c->min.n});
  }
  if (c->max.known) {
    sp_thrift_put_bool(w, 7, c->max.exact);
  }
  if (c->min.known) {
    sp_thrift_put_bool(w, 8, c->min.exact);
  }
  sp_thrift_end(w);
}

static void put_chunk(sp_thrift_out *w, const sp_pq_out_leaf *l, const sp_pq_out_group *g,
                      const sp_pq_out_chunk *c) {
  sp_thrift_elem_struct(w);
  sp_thrift_put_i64(w, 2, 0); /* file_offset: deprecated, 0 by the specification */
  sp_thrift_open_struct(w, 3);
  sp_thrift_put_i32(w, 1, l->phys);
  sp_thrift_open_list(w, 2, SP_THRIFT_I32, c->has_dict ? 3 : 2);
  sp_thrift_elem_i32(w, SP_PQ_PLAIN);
  sp_thrift_elem_i32(w, SP_PQ_RLE);
  if (c->has_dict) {
    sp_thrift_elem_i32(w, SP_PQ_RLE_DICTIONARY);
  }
  sp_thrift_open_list(w, 3, SP_THRIFT_BINARY, 1);
  sp_thrift_elem_binary(w, l->name);
  sp_thrift_put_i32(w, 4, c->codec);
  sp_thrift_put_i64(w, 5, g->rows);
  sp_thrift_put_i64(w, 6, c->uncompressed);
  sp_thrift_put_i64(w, 7, c->compressed);
  sp_thrift_put_i64(w, 9, g->at + c->data_at);
  if (c->has_dict) {
    sp_thrift_put_i64(w, 11, g->at + c->at);
  }
  put_stats(w, c);
  sp_thrift_end(w);
  sp_thrift_end(w);
}

static void put_group(sp_thrift_out *w, const sp_pq_out_state *s, uint32_t i) {
  const sp_pq_out_group *g = s->groups[i];
  int64_t compressed = 0, uncompressed = 0;
  sp_thrift_elem_struct(w);
  sp_thrift_open_list(w, 1, SP_THRIFT_STRUCT, g->n);
  for (uint32_t j = 0; j < g->n; j++) {
    put_chunk(w, &s->leaves[j], g, &g->chunks[j]);
    compressed += g->chunks[j].compressed;
    uncompressed += g->chunks[j].uncompressed;
  }
  sp_thrift_put_i64(w, 2, uncompressed);
  sp_thrift_put_i64(w, 3, g->rows);
  sp_thrift_put_i64(w, 5, g->at);
  sp_thrift_put_i64(w, 6, compressed);
  sp_thrift_end(w);
}

static bool needs_note(const sp_type *t) {
  return t->kind == SP_KIND_DURATION ||
         (t->kind == SP_KIND_DATETIME && t->zone != NULL && strcmp(t->zone, "UTC") != 0);
}

static void put_notes(sp_thrift_out *w, const sp_pq_out_state *s) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->schema->n; i++) {
    n += needs_note(s->leaves[i].type);
  }
  if (n == 0) {
    return;
  }
  sp_thrift_open_list(w, 5, SP_THRIFT_STRUCT, n);
  sp_str key;
  sp_str_init(&key, s->mem, 1 << 20);
  for (uint32_t i = 0; i < s->schema->n; i++) {
    if (!needs_note(s->leaves[i].type)) {
      continue;
    }
    sp_str_clear(&key);
    sp_str_add(&key, SP_PQ_TYPE_KEY);
    sp_str_addn(&key, s->leaves[i].name.p, s->leaves[i].name.n);
    sp_thrift_elem_struct(w);
    sp_thrift_put_binary(w, 1, (sp_sv){key.p, key.n});
    sp_thrift_put_binary(w, 2, sp_sv_from(s->leaves[i].type->name));
    sp_thrift_end(w);
    if (!sp_str_ok(&key)) {
      w->out->status = key.status;
    }
  }
  sp_str_release(&key);
}

void sp_pq_out_footer(const sp_pq_out_state *s, sp_str *out) {
  int64_t rows = 0;
  for (uint32_t i = 0; i < s->n_groups; i++) {
    rows += s->groups[i]->rows;
  }
  sp_thrift_out w;
  sp_thrift_begin(&w, out);
  sp_thrift_put_i32(&w, 1, 2);
  put_schema(&w, s);
  sp_thrift_put_i64(&w, 3, rows);
  sp_thrift_open_list(&w, 4, SP_THRIFT_STRUCT, s->n_groups);
  for (uint32_t i = 0; i < s->n_groups; i++) {
    put_group(&w, s, i);
  }
  put_notes(&w, s);
  sp_thrift_put_binary(&w, 6, SP_SV("sigmapi version " SP_VERSION));
  sp_thrift_open_list(&w, 7, SP_THRIFT_STRUCT, s->schema->n); /* column orders: that of the type, for all */
  for (uint32_t i = 0; i < s->schema->n; i++) {
    sp_thrift_elem_struct(&w);
    put_empty(&w, 1);
    sp_thrift_end(&w);
  }
  sp_thrift_end(&w);
}
