/* From the file's schema to columns. A column is readable when it is a leaf directly below the root and not
 * repeated; everything else is listed by name with the reason, and its leaves are counted so that the chunks
 * of the others are still found. Annotations that do not fit the physical type are ignored: the physical type
 * stands for itself then.
 *
 * Worked example: INT32 DECIMAL(9,2) is decimal(9,2), widened to int64; BYTE_ARRAY without annotation is
 * binary; a LIST group `tags` is unreadable: "nested (list)". */
#include "io/formats/parquet/parquet.h"

#include "base/hash.h"

enum { DECIMAL_BYTES_MAX = 256, FIXED_BYTES_MAX = 1 << 20 };

/* How the column is to be read, or why it cannot. */
typedef struct mapped {
  const sp_type *type;
  sp_pq_conv conv;
  int64_t factor;
  const char *why;
} mapped;

static mapped as(const sp_type *t, sp_pq_conv conv) {
  return (mapped){.type = t, .conv = conv, .factor = 1};
}
static mapped kind(sp_kind k, sp_pq_conv conv) {
  return as(sp_type_of(k), conv);
}
static mapped refused(const char *why) {
  return (mapped){.why = why};
}

/* Precision 0 where the element is no decimal. A scale above the precision makes the precision grow. */
static void decimal_of(const sp_pq_element *e, int32_t *ret_p, int32_t *ret_s) {
  *ret_p = *ret_s = 0;
  if (e->logical == SP_PQ_LOG_DECIMAL) {
    *ret_p = e->log_precision;
    *ret_s = e->log_scale;
  } else if (e->converted == SP_PQ_CONV_DECIMAL) {
    *ret_p = e->precision;
    *ret_s = e->scale;
  }
  if (*ret_p > 0 && *ret_s > *ret_p) {
    *ret_p = *ret_s;
  }
}

static mapped map_decimal(const sp_pq_element *e, int32_t p, int32_t s) {
  const sp_type *t = p > 0 && s >= 0 ? sp_type_decimal((uint32_t)p, (uint32_t)s) : NULL;
  if (t == NULL) {
    return refused("decimal with more than 38 digits or a bad scale");
  }
  const bool wide = t->phys == SP_PHYS_I128;
  if (e->phys == SP_PQ_INT32 || e->phys == SP_PQ_INT64) {
    return as(t, wide ? SP_PQ_TO_I128 : e->phys == SP_PQ_INT32 ? SP_PQ_WIDEN : SP_PQ_AS_IS);
  }
  return as(t, SP_PQ_BIG_ENDIAN);
}

/* 0 when the element has no integer annotation; else its bits, negative when unsigned. */
static int32_t int_bits(const sp_pq_element *e) {
  if (e->logical == SP_PQ_LOG_INTEGER) {
    const int32_t b = e->log_bits;
    return b == 8 || b == 16 || b == 32 || b == 64 ? (e->log_signed ? b : -b) : 0;
  }
  if (e->logical == SP_PQ_LOG_NONE && e->converted >= SP_PQ_CONV_UINT8 && e->converted <= SP_PQ_CONV_INT64) {
    const int32_t k = e->converted - SP_PQ_CONV_UINT8;
    return k < 4 ? -(8 << k) : 8 << (k - 4);
  }
  return 0;
}

static mapped map_int32(const sp_pq_element *e) {
  if (e->logical == SP_PQ_LOG_DATE || (e->logical == SP_PQ_LOG_NONE && e->converted == SP_PQ_CONV_DATE)) {
    return kind(SP_KIND_DATE, SP_PQ_AS_IS);
  }
  if ((e->logical == SP_PQ_LOG_TIME && e->log_unit == SP_UNIT_MS) ||
      (e->logical == SP_PQ_LOG_NONE && e->converted == SP_PQ_CONV_TIME_MS)) {
    return (mapped){.type = sp_type_of(SP_KIND_TIME), .conv = SP_PQ_WIDEN, .factor = 1000000};
  }
  switch (int_bits(e)) {
  case 8:
    return kind(SP_KIND_INT8, SP_PQ_NARROW);
  case 16:
    return kind(SP_KIND_INT16, SP_PQ_NARROW);
  case -8:
    return kind(SP_KIND_UINT8, SP_PQ_NARROW);
  case -16:
    return kind(SP_KIND_UINT16, SP_PQ_NARROW);
  case -32:
    return kind(SP_KIND_UINT32, SP_PQ_AS_IS);
  default:
    return kind(SP_KIND_INT32, SP_PQ_AS_IS);
  }
}

static mapped map_timestamp(sp_unit u, bool utc) {
  const sp_type *t = sp_type_datetime(u, utc ? "UTC" : NULL);
  return t != NULL ? as(t, SP_PQ_AS_IS)
                   : (mapped){.conv = SP_PQ_AS_IS}; /* type and why NULL: out of memory */
}

static mapped map_int64(const sp_pq_element *e) {
  const bool old = e->logical == SP_PQ_LOG_NONE;
  if (e->logical == SP_PQ_LOG_TIMESTAMP && e->log_unit != SP_UNIT_NONE) {
    return map_timestamp(e->log_unit, e->log_utc);
  }
  if (old && (e->converted == SP_PQ_CONV_TIMESTAMP_MS || e->converted == SP_PQ_CONV_TIMESTAMP_US)) {
    return map_timestamp(e->converted == SP_PQ_CONV_TIMESTAMP_MS ? SP_UNIT_MS : SP_UNIT_US, false);
  }
  if ((e->logical == SP_PQ_LOG_TIME && e->log_unit == SP_UNIT_US) ||
      (old && e->converted == SP_PQ_CONV_TIME_US)) {
    return (mapped){.type = sp_type_of(SP_KIND_TIME), .conv = SP_PQ_WIDEN, .factor = 1000};
  }
  if (e->logical == SP_PQ_LOG_TIME && e->log_unit == SP_UNIT_NS) {
    return kind(SP_KIND_TIME, SP_PQ_AS_IS);
  }
  return kind(int_bits(e) == -64 ? SP_KIND_UINT64 : SP_KIND_INT64, SP_PQ_AS_IS);
}

static bool is_text(const sp_pq_element *e) {
  if (e->logical != SP_PQ_LOG_NONE) {
    return e->logical == SP_PQ_LOG_STRING || e->logical == SP_PQ_LOG_ENUM || e->logical == SP_PQ_LOG_JSON;
  }
  return e->converted == SP_PQ_CONV_UTF8 || e->converted == SP_PQ_CONV_ENUM ||
         e->converted == SP_PQ_CONV_JSON;
}

static mapped map_fixed(const sp_pq_element *e) {
  if (e->type_length <= 0 || e->type_length > FIXED_BYTES_MAX) {
    return refused("fixed_len_byte_array of an impossible length");
  }
  if (e->logical == SP_PQ_LOG_FLOAT16 && e->type_length == 2) {
    return kind(SP_KIND_FLOAT32, SP_PQ_HALF);
  }
  if (e->converted == SP_PQ_CONV_INTERVAL) {
    return refused("interval");
  }
  return kind(SP_KIND_BINARY, SP_PQ_BYTES);
}

static mapped map_leaf(const sp_pq_element *e) {
  int32_t p, s;
  decimal_of(e, &p, &s);
  const bool decimal =
      e->logical == SP_PQ_LOG_DECIMAL || (e->logical == SP_PQ_LOG_NONE && e->converted == SP_PQ_CONV_DECIMAL);
  if (decimal && e->phys == SP_PQ_FIXED && (e->type_length <= 0 || e->type_length > DECIMAL_BYTES_MAX)) {
    return refused("decimal of an impossible length");
  }
  if (decimal && (e->phys == SP_PQ_INT32 || e->phys == SP_PQ_INT64 || e->phys == SP_PQ_FIXED ||
                  e->phys == SP_PQ_BYTE_ARRAY)) {
    return map_decimal(e, p, s);
  }
  if (e->logical == SP_PQ_LOG_UNKNOWN) {
    return kind(SP_KIND_NULL, SP_PQ_NO_VALUES);
  }
  switch (e->phys) {
  case SP_PQ_BOOLEAN:
    return kind(SP_KIND_BOOL, SP_PQ_BIT);
  case SP_PQ_INT32:
    return map_int32(e);
  case SP_PQ_INT64:
    return map_int64(e);
  case SP_PQ_INT96:
    return as(sp_type_datetime(SP_UNIT_NS, NULL), SP_PQ_INT96_NS);
  case SP_PQ_FLOAT:
    return kind(SP_KIND_FLOAT32, SP_PQ_AS_IS);
  case SP_PQ_DOUBLE:
    return kind(SP_KIND_FLOAT64, SP_PQ_AS_IS);
  case SP_PQ_BYTE_ARRAY:
    return kind(is_text(e) ? SP_KIND_STRING : SP_KIND_BINARY, SP_PQ_BYTES);
  case SP_PQ_FIXED:
    return map_fixed(e);
  default:
    return refused("unknown physical type");
  }
}

static const char *why_nested(const sp_pq_element *e) {
  if (e->logical == SP_PQ_LOG_LIST || e->converted == SP_PQ_CONV_LIST) {
    return "nested (list)";
  }
  if (e->logical == SP_PQ_LOG_MAP || e->converted == SP_PQ_CONV_MAP ||
      e->converted == SP_PQ_CONV_MAP_KEY_VALUE) {
    return "nested (map)";
  }
  return "nested (struct)";
}

static uint32_t src_width(const sp_pq_element *e) {
  switch (e->phys) {
  case SP_PQ_INT32:
  case SP_PQ_FLOAT:
    return 4;
  case SP_PQ_INT64:
  case SP_PQ_DOUBLE:
    return 8;
  case SP_PQ_INT96:
    return 12;
  case SP_PQ_FIXED:
    return (uint32_t)e->type_length;
  default:
    return 0;
  }
}

/* A type that our own writer noted beside the schema, where it says more than Parquet can: a duration, a
 * zone. */
static const sp_type *noted_type(const sp_pq_meta *m, const sp_pq_leaf *l) {
  const size_t prefix = sizeof SP_PQ_TYPE_KEY - 1;
  for (uint32_t i = 0; i < m->n_kv; i++) {
    const sp_pq_kv *kv = &m->kv[i];
    if (kv->key.n == prefix + l->name.n && memcmp(kv->key.p, SP_PQ_TYPE_KEY, prefix) == 0 &&
        memcmp(kv->key.p + prefix, l->name.p, l->name.n) == 0) {
      const sp_type *t = sp_type_parse(kv->value);
      if (t == NULL || l->conv != SP_PQ_AS_IS || t->phys != SP_PHYS_I64 || l->type->phys != SP_PHYS_I64) {
        return NULL;
      }
      const bool duration = t->kind == SP_KIND_DURATION && l->type->kind == SP_KIND_INT64;
      const bool zoned =
          t->kind == SP_KIND_DATETIME && l->type->kind == SP_KIND_DATETIME && t->unit == l->type->unit;
      return duration || zoned ? t : NULL;
    }
  }
  return NULL;
}

/* A set of names, so that a second column of one name is noticed in constant time. */
typedef struct name_set {
  const sp_sv **slots;
  uint32_t mask;
} name_set;

static bool add_name(name_set *set, const sp_sv *name) {
  uint32_t i = (uint32_t)sp_hash_bytes(name->p, name->n, 0) & set->mask;
  for (; set->slots[i] != NULL; i = (i + 1) & set->mask) {
    if (sp_sv_eq(*set->slots[i], *name)) {
      return false;
    }
  }
  set->slots[i] = name;
  return true;
}

typedef struct walk {
  sp_pq_source *s;
  name_set names;
  uint32_t n_leaves, n_unreadable; /* columns of the table so far */
  uint32_t chunk;                  /* leaves of the file so far */
} walk;

static void add_unreadable(walk *w, sp_sv name, const char *why) {
  w->s->base.unreadable[w->n_unreadable++] = (struct sp_unreadable){name, sp_sv_from(why)};
}

/* Steps over a group's children, counting leaves. Returns the index behind it, 0 when the tree is damaged. */
static uint32_t skip_group(const sp_pq_meta *m, uint32_t at, uint32_t *leaves) {
  uint64_t pending = 1;
  while (pending > 0) {
    if (at >= m->n_elements) {
      return 0;
    }
    const sp_pq_element *e = &m->elements[at++];
    pending--;
    if (e->n_children > 0) {
      pending += (uint32_t)e->n_children;
    } else if (e->phys >= 0) {
      (*leaves)++;
    }
  }
  return at;
}

static void add_column(walk *w, const sp_pq_element *e) {
  const mapped m = map_leaf(e);
  if (m.why != NULL) {
    add_unreadable(w, e->name, m.why);
  } else if (e->repetition == SP_PQ_REPEATED) {
    add_unreadable(w, e->name, "nested (repeated)");
  } else if (!add_name(&w->names, &e->name)) {
    add_unreadable(w, e->name, "a second column of this name");
  } else {
    sp_pq_leaf *l = &w->s->leaves[w->n_leaves++];
    *l = (sp_pq_leaf){.name = e->name,
                      .type = m.type,
                      .chunk = w->chunk,
                      .phys = e->phys,
                      .conv = m.conv,
                      .optional = e->repetition != SP_PQ_REQUIRED,
                      .src_width = src_width(e),
                      .factor = m.factor};
    const sp_type *noted = m.type != NULL ? noted_type(&w->s->meta, l) : NULL;
    if (noted != NULL) {
      l->type = noted;
    }
    l->signed_order = m.type != NULL && m.conv != SP_PQ_BYTES && m.conv != SP_PQ_BIG_ENDIAN &&
                      m.conv != SP_PQ_HALF && m.type->family != SP_FAMILY_UNSIGNED;
  }
}

static sp_status walk_columns(walk *w, sp_error *err) {
  const sp_pq_meta *m = &w->s->meta;
  uint32_t at = 1;
  for (int32_t i = 0; i < m->elements[0].n_children; i++) {
    const sp_pq_element *e = at < m->n_elements ? &m->elements[at] : NULL;
    uint32_t leaves = 0;
    const uint32_t next = e != NULL ? skip_group(m, at, &leaves) : 0;
    if (next == 0) {
      SP_FAIL(err, SP_DATA, NULL, "the Parquet schema is damaged: a group has fewer children than it says");
    }
    if (e->n_children > 0 || e->phys < 0) {
      add_unreadable(w, e->name, why_nested(e));
    } else {
      add_column(w, e);
    }
    w->chunk += leaves;
    at = next;
  }
  return SP_OK;
}

sp_status sp_pq_schema(sp_pq_source *s, sp_error *err) {
  sp_arena *a = &s->base.arena;
  const uint32_t n = s->meta.n_elements;
  walk w = {.s = s, .names = {.mask = 15}};
  while (w.names.mask < 2 * (uint64_t)n) {
    w.names.mask = w.names.mask * 2 + 1;
  }
  w.names.slots = SP_ARENA_ARRAY(a, const sp_sv *, (size_t)w.names.mask + 1);
  s->leaves = SP_ARENA_ARRAY(a, sp_pq_leaf, n);
  s->base.unreadable = SP_ARENA_ARRAY(a, struct sp_unreadable, n);
  if (w.names.slots == NULL || s->leaves == NULL || s->base.unreadable == NULL) {
    return sp_error_nomem(err);
  }
  SP_TRY(walk_columns(&w, err));
  s->base.n_unreadable = w.n_unreadable;
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t i = 0; i < w.n_leaves; i++) {
    SP_TRY_ALLOC(err, s->leaves[i].type);
    sp_schema_add(&b, s->leaves[i].name, s->leaves[i].type);
  }
  return sp_schema_finish(&b, NULL, &s->base.schema, err);
}
