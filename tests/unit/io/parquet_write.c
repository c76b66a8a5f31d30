/* What the Parquet writer writes, the reader reads back exactly: every type, without, with some and with only
 * nulls, every codec, several batches of every encoding of columns. Then bounds, pruning, and running out of
 * memory at every place. */
#include "parquet_file.h"

#include <math.h>

#define ROWS 30000 /* more than a page */
#define N_TYPES 27

typedef struct written {
  char path[64];
  sp_mem mem;
  sp_arena arena;
  sp_pool *pool;
} written;

static void begin(written *w) {
  strcpy(w->path, "/tmp/sigmapi-parquet-XXXXXX");
  const int fd = mkstemp(w->path);
  assert_true(fd >= 0);
  close(fd);
  sp_mem_init(&w->mem, NULL, "writer");
  sp_arena_init(&w->arena, &w->mem);
  w->pool = sp_pool_new(&w->mem);
  assert_non_null(w->pool);
}

static void end(written *w) {
  unlink(w->path);
  sp_arena_release(&w->arena);
  sp_pool_trim(w->pool);
  sp_pool_unref(w->pool);
  assert_int_equal(atomic_load(&w->mem.live), 0);
  sp_mem_release(&w->mem);
}

static sp_status write_out(written *w, const sp_schema *schema, const char *codec, sp_batch *const *batches,
                           uint32_t n, uint32_t per_group, sp_error *err) {
  const sp_format *f = &sp_format_parquet;
  const sp_sink_spec spec = {.path = w->path, .schema = schema, .compression = codec};
  sp_out_file *out = NULL;
  SP_TRY(sp_out_open(&w->mem, w->path, false, &out, err));
  void *state = NULL;
  uint32_t rows = 0;
  sp_status st = f->write_open(&spec, &w->mem, out, &state, &rows, err);
  for (uint32_t i = 0; i < n && st == SP_OK; i += per_group) {
    void *chunk = NULL;
    const uint32_t k = n - i < per_group ? n - i : per_group;
    st = f->write_encode(state, batches + i, k, (sp_maker){&w->mem, w->pool}, &chunk, err);
    if (st == SP_OK) {
      st = f->write_append(state, chunk, err);
    }
  }
  if (st == SP_OK) {
    st = f->write_finish(state, err);
  }
  f->write_close(state);
  if (st != SP_OK) {
    sp_out_abort(out);
    return st;
  }
  return sp_out_commit(out, err);
}

static const sp_type *type_no(uint32_t i) {
  switch (i) {
  case 0:
    return sp_type_decimal(4, 2);
  case 1:
    return sp_type_decimal(18, 0);
  case 2:
    return sp_type_decimal(19, 4);
  case 3:
    return sp_type_decimal(38, 10);
  case 4:
    return sp_type_datetime(SP_UNIT_MS, NULL);
  case 5:
    return sp_type_datetime(SP_UNIT_NS, NULL);
  case 6:
    return sp_type_datetime(SP_UNIT_US, "UTC");
  case 7:
    return sp_type_datetime(SP_UNIT_US, "Europe/Rome");
  case 8:
    return sp_type_duration(SP_UNIT_MS);
  default:
    return i - 9 < SP_KIND_INTERVAL && i - 9 != SP_KIND_DECIMAL ? sp_type_of((sp_kind)(i - 9))
                                                                : sp_type_decimal(10, 3);
  }
}

static uint64_t mix(uint64_t x) {
  x ^= x >> 31;
  x *= UINT64_C(0x9e3779b97f4a7c15);
  return x ^ x >> 29;
}

/* A value of the type made from x; few distinct ones when x is small. */
static void make_value(const sp_type *t, uint64_t x, sp_arena *a, void *slot) {
  const uint64_t r = mix(x + 17);
  if (sp_type_is_bytes(t)) {
    char text[300] = {0};
    const uint32_t n = (uint32_t)(r % 7 == 0 ? r % 290 : r % 20);
    for (uint32_t i = 0; i < n; i++) {
      text[i] = (char)('a' + mix(x * 31 + i) % 26);
    }
    const sp_view v = sp_view_make(sp_arena_copy(a, text, n), n);
    memcpy(slot, &v, sizeof v);
    return;
  }
  uint8_t raw[16];
  const uint64_t high = mix(r);
  memcpy(raw, &r, 8);
  memcpy(raw + 8, &high, 8);
  if (t->kind == SP_KIND_BOOL) {
    raw[0] &= 1;
  } else if (t->kind == SP_KIND_DECIMAL) {
    sp_i128 v;
    memcpy(&v, raw, 16);
    v %= sp_pow10[t->precision];
    const sp_value d = sp_value_decimal(t, v);
    sp_value_store(&d, raw);
  } else if (t->kind == SP_KIND_FLOAT32) {
    const float f = x % 11 == 0 ? NAN : (float)(int64_t)r / 1024;
    memcpy(raw, &f, 4);
  } else if (t->kind == SP_KIND_FLOAT64) {
    const double d = x % 11 == 0 ? -0.0 : (double)(int64_t)r / 3;
    memcpy(raw, &d, 8);
  }
  memcpy(slot, raw, t->width);
}

/* nulls 0: none, 1: some, 2: all. distinct: of values, 0 = all. */
static sp_column *make_column(sp_maker m, sp_arena *a, const sp_type *t, uint32_t n, uint32_t nulls,
                              uint32_t distinct, uint64_t seed) {
  if (t->kind == SP_KIND_NULL) {
    return sp_column_null(m, t, n);
  }
  sp_column *c = sp_column_flat(m, t, n, nulls > 0);
  assert_non_null(c);
  memset(c->values->data, 0, (size_t)n * t->width);
  for (uint32_t i = 0; i < n; i++) {
    const uint64_t x = distinct > 0 ? mix(seed + i) % distinct : seed + i;
    const bool null = nulls == 2 || (nulls == 1 && mix(seed + i) % 3 == 0 && i / 1000 % 2 == 0);
    if (nulls > 0) {
      c->validity->data[i] = !null;
    }
    if (!null) {
      make_value(t, x, a, c->values->data + (size_t)i * t->width);
    }
  }
  return c;
}

typedef struct original {
  sp_column **cols; /* whole columns, FLAT */
} original;

static sp_status same_as_original(void *ctx, const file *f, uint32_t column, int64_t first,
                                  const sp_column *c, sp_error *err) {
  const original *o = ctx;
  for (uint32_t i = 0; i < c->length; i++) {
    const sp_value a = sp_column_value(c, i), b = sp_column_value(o->cols[column], (uint32_t)first + i);
    if (a.type != b.type || !sp_value_eq(&a, &b)) {
      SP_FAIL(err, SP_INTERNAL, NULL, "column `%s` row %lld differs",
              f->source->schema->fields[column].name.p, (long long)first + i);
    }
  }
  return SP_OK;
}

static const sp_schema *make_schema(sp_arena *a, const sp_type *const *types, uint32_t n) {
  sp_schema_builder b;
  sp_schema_begin(&b, a);
  for (uint32_t i = 0; i < n; i++) {
    char name[20];
    snprintf(name, sizeof name, "c%u", i);
    sp_schema_add(&b, sp_sv_from(name), types[i]);
  }
  const sp_schema *s = NULL;
  assert_int_equal(sp_schema_finish(&b, NULL, &s, NULL), SP_OK);
  return s;
}

/* Slices of the columns as batches; every third one has a selection of every row, so that both ways are
 * taken. */
static uint32_t make_batches(written *w, sp_column *const *cols, uint32_t n_cols, uint32_t rows,
                             uint32_t step, sp_batch **ret) {
  const sp_maker m = {&w->mem, w->pool};
  uint32_t k = 0;
  for (uint32_t at = 0; at < rows; at += step, k++) {
    const uint32_t n = rows - at < step ? rows - at : step;
    sp_batch *b = sp_batch_new(&w->mem, n_cols, n);
    assert_non_null(b);
    for (uint32_t j = 0; j < n_cols; j++) {
      b->cols[j] = sp_column_slice(m, cols[j], at, n);
      assert_non_null(b->cols[j]);
    }
    if (k % 3 == 1) {
      b->sel_buf = sp_buf_new(w->pool, &w->mem, n * sizeof(uint16_t));
      assert_non_null(b->sel_buf);
      uint16_t *sel = (uint16_t *)(void *)b->sel_buf->data;
      for (uint32_t i = 0; i < n; i++) {
        sel[i] = (uint16_t)i;
      }
      b->sel = sel;
    }
    ret[k] = b;
  }
  return k;
}

static void round_trip(const sp_type *const *types, uint32_t n_types, uint32_t rows, uint32_t nulls,
                       uint32_t distinct, const char *codec) {
  written w;
  begin(&w);
  const sp_schema *schema = make_schema(&w.arena, types, n_types);
  sp_column *cols[N_TYPES];
  for (uint32_t j = 0; j < n_types; j++) {
    cols[j] = make_column((sp_maker){&w.mem, w.pool}, &w.arena, types[j], rows, nulls, distinct, j * 1000003);
  }
  sp_batch *batches[64];
  const uint32_t n = make_batches(&w, cols, n_types, rows, 4000, batches);
  sp_error err = SP_ERROR_INIT;
  if (write_out(&w, schema, codec, batches, n, 6, &err) != SP_OK) {
    fail_msg("writing: %s", err.message);
  }
  original o = {cols};
  static const uint32_t windows[] = {8192, 333};
  for (uint32_t i = 0; i < 2; i++) {
    file f;
    sp_status st = file_open(&f, w.path, &err);
    if (st == SP_OK) {
      assert_true(sp_schema_eq(schema, f.source->schema));
      assert_int_equal(f.source->rows, rows);
      st = file_read(&f, windows[i], INT64_MAX, same_as_original, &o, &err);
    }
    if (st != SP_OK) {
      fail_msg("%s, nulls %u, distinct %u: %s", codec, nulls, distinct, err.message);
    }
    file_close(&f);
  }
  for (uint32_t i = 0; i < n; i++) {
    sp_batch_unref(batches[i]);
  }
  for (uint32_t j = 0; j < n_types; j++) {
    sp_column_unref(cols[j]);
  }
  end(&w);
}

static void all_types(const sp_type **ret) {
  for (uint32_t i = 0; i < N_TYPES; i++) {
    ret[i] = type_no(i);
    assert_non_null(ret[i]);
  }
}

static void types_and_nulls(void **state) {
  (void)state;
  const sp_type *types[N_TYPES];
  all_types(types);
  for (uint32_t nulls = 0; nulls < 3; nulls++) {
    round_trip(types, N_TYPES, ROWS, nulls, 0, NULL);
    round_trip(types, N_TYPES, ROWS, nulls, 300, NULL);
    round_trip(types, N_TYPES, ROWS, nulls, 1, NULL);
    round_trip(types, N_TYPES, 1, nulls, 0, NULL);
    round_trip(types, N_TYPES, 0, nulls, 0, NULL);
  }
}

static void codecs(void **state) {
  (void)state;
  static const char *const names[] = {"none",   "snappy", "gzip",   "zstd",
                                      "zstd:9", "lz4",    "brotli", "brotli:1"};
  const sp_type *types[N_TYPES];
  all_types(types);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    round_trip(types, N_TYPES, 5000, 1, i % 2 == 0 ? 0 : 100, names[i]);
  }
  int32_t codec, level;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_pq_codec_parse("zip", &codec, &level, &err), SP_INVALID);
  assert_non_null(strstr(err.hint, "zstd"));
  assert_int_equal(sp_pq_codec_parse("zstd:100", &codec, &level, NULL), SP_INVALID);
  assert_int_equal(sp_pq_codec_parse("zstd:", &codec, &level, NULL), SP_INVALID);
}

/* One column of the type with the values given, written as one file of as many row groups as there are
 * batches. */
static void write_one(written *w, const sp_type *t, sp_column *const *cols, uint32_t n) {
  const sp_schema *schema = make_schema(&w->arena, &t, 1);
  sp_batch *batches[16];
  for (uint32_t i = 0; i < n; i++) {
    batches[i] = sp_batch_new(&w->mem, 1, cols[i]->length);
    assert_non_null(batches[i]);
    batches[i]->cols[0] = sp_column_ref(cols[i]);
  }
  sp_error err = SP_ERROR_INIT;
  if (write_out(w, schema, "none", batches, n, 1, &err) != SP_OK) {
    fail_msg("writing: %s", err.message);
  }
  for (uint32_t i = 0; i < n; i++) {
    sp_batch_unref(batches[i]);
  }
}

static sp_value value_text(const char *s) {
  return sp_value_str(sp_sv_from(s));
}

/* Long strings are cut; the upper bound is rounded up at a character's edge. */
static void string_bounds(void **state) {
  (void)state;
  static const struct {
    const char *unit;
    uint32_t times;
    const char *tail_of_max;
    uint32_t max_bytes;
  } cases[] = {{"z", 100, "{", 64},
               {"z", 64, "z", 64},
               {"\xc3\xa9", 50, "\xc3\xaa", 64}, /* e acute: 32 of them */
               {"\xf0\x9f\x98\x80", 30, "\x9f\x98\x81", 64} /* an emoji: 16 of them */};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    written w;
    begin(&w);
    const sp_maker m = {&w.mem, w.pool};
    char text[200] = "";
    for (uint32_t k = 0; k < cases[i].times; k++) {
      strcat(text, cases[i].unit);
    }
    const sp_value v = value_text(text);
    sp_column *c = sp_column_const(m, &v, 3);
    write_one(&w, sp_type_of(SP_KIND_STRING), &c, 1);
    sp_column_unref(c);
    file f;
    sp_error err = SP_ERROR_INIT;
    assert_int_equal(file_open(&f, w.path, &err), SP_OK);
    sp_column_stats s;
    assert_true(sp_format_parquet.column_stats(f.source, 0, &s));
    assert_true(s.has_min_max);
    assert_int_equal(s.null_count, 0);
    assert_int_equal(s.max.s.n, cases[i].max_bytes);
    const size_t tail = strlen(cases[i].tail_of_max);
    assert_memory_equal(s.max.s.p + s.max.s.n - tail, cases[i].tail_of_max, tail);
    assert_true(sp_value_cmp(&s.min, &v) <= 0 && sp_value_cmp(&s.max, &v) >= 0);
    assert_int_equal(s.max_exact, strlen(text) <= 64);
    assert_int_equal(s.min_exact, strlen(text) <= 64);
    file_close(&f);
    end(&w);
  }
}

static int64_t rows_planned(file *f, const sp_prune *p) {
  f->plan.prunes = p;
  f->plan.n_prunes = 1;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(file_plan(f, &err), SP_OK);
  int64_t n = 0;
  for (uint32_t i = 0; i < f->n_morsels; i++) {
    n += f->morsels[i].rows;
  }
  return n;
}

static bool never(const void *ctx, const sp_value *lo, const sp_value *hi) {
  (void)ctx;
  (void)lo;
  (void)hi;
  return false;
}

/* Four row groups of 1,000 rows, 0..999, 1000..1999, 2000..2999 and all null. */
static void pruning(void **state) {
  (void)state;
  written w;
  begin(&w);
  const sp_maker m = {&w.mem, w.pool};
  const sp_type *t = sp_type_of(SP_KIND_INT64);
  sp_column *cols[4];
  for (uint32_t i = 0; i < 3; i++) {
    cols[i] = sp_column_sequence(m, t, i * 1000, 1, 1000);
  }
  cols[3] = sp_column_null(m, t, 1000);
  write_one(&w, t, cols, 4);
  for (uint32_t i = 0; i < 4; i++) {
    sp_column_unref(cols[i]);
  }
  file f;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(file_open(&f, w.path, &err), SP_OK);
  sp_range r = {.has_lo = true, .has_hi = true, .lo = sp_value_int(t, 1000), .hi = sp_value_int(t, 1500)};
  sp_prune p = {.n_ranges = 1, .ranges = &r};
  assert_int_equal(rows_planned(&f, &p), 1000);
  p.wants_null = true;
  assert_int_equal(rows_planned(&f, &p), 2000);
  p.wants_null = false;
  r.lo = sp_value_int(t, 999);
  assert_int_equal(rows_planned(&f, &p), 2000);
  r.lo_open = true;
  assert_int_equal(rows_planned(&f, &p), 1000);
  r = (sp_range){.has_lo = true, .lo = sp_value_int(t, 5000)};
  assert_int_equal(rows_planned(&f, &p), 0);
  r = (sp_range){0};
  assert_int_equal(rows_planned(&f, &p), 3000);
  p.may_match = never;
  assert_int_equal(rows_planned(&f, &p), 0);
  p = (sp_prune){.wants_null = true}; /* nothing but nulls */
  assert_int_equal(rows_planned(&f, &p), 1000);
  assert_int_equal(f.stats.row_groups_total, 4 * 8);
  assert_true(f.stats.bytes_pruned > 0);
  sp_column_stats s;
  assert_true(sp_format_parquet.column_stats(f.source, 0, &s));
  assert_true(s.has_min_max && s.min_exact && s.max_exact);
  assert_int_equal(s.min.i, 0);
  assert_int_equal(s.max.i, 2999);
  assert_int_equal(s.null_count, 1000);
  file_close(&f);
  end(&w);
}

/* A column of which no row is selected is not read from the file, and its later rows still come out right. */
static void unread_columns(void **state) {
  (void)state;
  written w;
  begin(&w);
  const sp_maker m = {&w.mem, w.pool};
  const sp_type *t = sp_type_of(SP_KIND_STRING);
  sp_column *c = make_column(m, &w.arena, t, ROWS, 1, 0, 5);
  write_one(&w, t, &c, 1);
  file f;
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(file_open(&f, w.path, &err), SP_OK);
  assert_int_equal(file_plan(&f, &err), SP_OK);
  void *scratch = NULL;
  sp_source_cursor *cur = NULL;
  assert_int_equal(
      sp_format_parquet.cursor_open(f.source, &f.plan, &f.morsels[0], file_maker(&f), &scratch, &cur, &err),
      SP_OK);
  uint32_t n = 1;
  const uint16_t none = 0;
  original o = {&c};
  for (int64_t row = 0; n > 0; row += n) {
    assert_int_equal(sp_format_parquet.cursor_next(cur, 1000, &n, &err), SP_OK);
    if (n == 0) {
      break;
    }
    sp_column *got = NULL;
    const bool wanted = row / 1000 % 3 == 2;
    assert_int_equal(sp_format_parquet.cursor_read(cur, 0, wanted ? NULL : &none, wanted ? n : 0, &got, &err),
                     SP_OK);
    assert_int_equal(got->length, n);
    if (wanted) {
      assert_int_equal(same_as_original(&o, &f, 0, row, got, &err), SP_OK);
    }
    sp_column_unref(got);
    assert_true((f.stats.bytes_scanned == 0) == (row < 2000));
  }
  sp_format_parquet.cursor_close(cur);
  sp_format_parquet.scratch_free(scratch);
  file_close(&f);
  sp_column_unref(c);
  end(&w);
}

/* Row groups are cut for several workers; all pieces together are the whole. */
static void cut_row_groups(void **state) {
  (void)state;
  written w;
  begin(&w);
  const sp_maker m = {&w.mem, w.pool};
  const sp_type *t = sp_type_of(SP_KIND_INT32);
  const uint32_t rows = 600000;
  sp_column *c = make_column(m, &w.arena, t, rows, 1, 0, 9);
  const sp_schema *schema = make_schema(&w.arena, &t, 1);
  sp_batch *batches[40];
  const uint32_t n = make_batches(&w, &c, 1, rows, 20000, batches);
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(write_out(&w, schema, NULL, batches, n, n, &err), SP_OK);
  file f;
  assert_int_equal(file_open(&f, w.path, &err), SP_OK);
  f.plan.workers = 2;
  original o = {&c};
  assert_int_equal(file_read(&f, 8192, INT64_MAX, same_as_original, &o, &err), SP_OK);
  assert_int_equal(f.n_morsels, 4);
  assert_int_equal(f.stats.row_groups_read, 1);
  file_close(&f);
  for (uint32_t i = 0; i < n; i++) {
    sp_batch_unref(batches[i]);
  }
  sp_column_unref(c);
  end(&w);
}

/* Every allocation of reading and writing fails once; each time there is a clean error and nothing is kept.
 */
static void out_of_memory(void **state) {
  (void)state;
  const sp_type *types[N_TYPES];
  all_types(types);
  written w;
  begin(&w);
  const sp_schema *schema = make_schema(&w.arena, types, N_TYPES);
  sp_column *cols[N_TYPES];
  for (uint32_t j = 0; j < N_TYPES; j++) {
    cols[j] = make_column((sp_maker){&w.mem, w.pool}, &w.arena, types[j], 50, 1, j % 2 * 5, j);
  }
  sp_batch *batches[2];
  const uint32_t n = make_batches(&w, cols, N_TYPES, 50, 25, batches);
  for (uint32_t writing = 0; writing < 2; writing++) {
    for (int64_t k = 0; k < 5000; k++) {
      sp_error err = SP_ERROR_INIT;
      sp_status st = SP_OK;
      if (writing == 1) {
        sp_mem_fail_at(k);
        st = write_out(&w, schema, "gzip", batches, n, 1, &err);
      } else {
        sp_mem_fail_at(-1);
        if (k == 0) {
          assert_int_equal(write_out(&w, schema, NULL, batches, n, 1, &err), SP_OK);
        }
        file f;
        sp_mem_fail_at(k);
        st = file_open(&f, w.path, &err);
        if (st == SP_OK) {
          st = file_read(&f, 20, INT64_MAX, NULL, NULL, &err);
        }
        file_close(&f);
      }
      const bool fired = sp_mem_fail_fired();
      sp_mem_fail_at(-1);
      if (!fired) {
        assert_int_equal(st, SP_OK);
        break;
      }
      assert_int_equal(st, SP_NOMEM);
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    sp_batch_unref(batches[i]);
  }
  for (uint32_t j = 0; j < N_TYPES; j++) {
    sp_column_unref(cols[j]);
  }
  end(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(types_and_nulls), cmocka_unit_test(codecs),
                                     cmocka_unit_test(string_bounds),   cmocka_unit_test(pruning),
                                     cmocka_unit_test(unread_columns),  cmocka_unit_test(cut_row_groups),
                                     cmocka_unit_test(out_of_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
