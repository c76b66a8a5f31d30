/* Hive columns: folders named k=v on the way to a file are columns with that file's value.
 *
 *   sales/year=2024/month=03/a.parquet ⇒ year int64 2024, month int64 3
 *
 * Types by all values: int64 when all are integers, date when all are dates, else string; __HIVE_DEFAULT_PARTITION__ is null. Percent escapes
 * are decoded. */
#include "data/text.h"
#include "io/internal.h"

#define MAX_KEYS 64
#define NULL_NAME "__HIVE_DEFAULT_PARTITION__"

/* The next k=v folder of a path from *at on; false when there is none. The last part is the file. */
static bool next_pair(const char *path, size_t *at, sp_sv *ret_key, sp_sv *ret_value) {
  while (path[*at] != '\0') {
    const size_t n = strcspn(path + *at, "/");
    const char *part = path + *at;
    if (part[n] == '\0') {
      return false;
    }
    *at += n + 1;
    const char *eq = memchr(part, '=', n);
    if (eq != NULL && eq > part) {
      *ret_key = (sp_sv){part, (size_t)(eq - part)};
      *ret_value = (sp_sv){eq + 1, n - (size_t)(eq - part) - 1};
      return true;
    }
  }
  return false;
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static bool decode(sp_arena *a, sp_sv s, sp_sv *ret) {
  char *p = sp_arena_alloc(a, s.n + 1);
  if (p == NULL) {
    return false;
  }
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
      p[n++] = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
      i += 2;
    } else {
      p[n++] = s.p[i];
    }
  }
  *ret = (sp_sv){p, n};
  return true;
}

/* Texts of one file's values, in the order of the first file's keys. */
static sp_status read_file(sp_dataset *d, uint32_t file, sp_sv *values, sp_error *err) {
  size_t at = 0;
  uint32_t n = 0;
  sp_sv key, value;
  const sp_loc loc = {.file = d->files[file].path};
  while (next_pair(d->files[file].path, &at, &key, &value)) {
    if (n >= d->n_hive || !sp_sv_eq(key, d->hive_names[n])) {
      SP_FAIL(err, SP_DATA, &loc, "folders give other hive columns than those of %s", d->files[0].path);
    }
    if (!decode(&d->arena, value, &values[n++])) {
      return sp_error_nomem(err);
    }
  }
  if (n != d->n_hive) {
    SP_FAIL(err, SP_DATA, &loc, "folders give fewer hive columns than those of %s", d->files[0].path);
  }
  return SP_OK;
}

static const sp_type *type_of(const sp_sv *values, uint32_t n_files, uint32_t stride) {
  bool ints = true, dates = true;
  for (uint32_t i = 0; i < n_files; i++) {
    const sp_sv v = values[(size_t)i * stride];
    int64_t x;
    int32_t day;
    if (!sp_sv_eq(v, SP_SV(NULL_NAME))) {
      ints = ints && sp_parse_i64(v, &x);
      dates = dates && sp_parse_date(v, &day);
    }
  }
  return sp_type_of(ints ? SP_KIND_INT64 : dates ? SP_KIND_DATE : SP_KIND_STRING);
}

static sp_value value_of(const sp_type *t, sp_sv s) {
  int64_t x = 0;
  int32_t day = 0;
  if (sp_sv_eq(s, SP_SV(NULL_NAME))) {
    return sp_value_null(t);
  }
  if (t->kind == SP_KIND_INT64 && sp_parse_i64(s, &x)) {
    return sp_value_int(t, x);
  }
  if (t->kind == SP_KIND_DATE && sp_parse_date(s, &day)) {
    return sp_value_int(t, day);
  }
  return sp_value_str(s);
}

sp_status sp_io_hive(sp_dataset *d, sp_schema_builder *b, sp_error *err) {
  sp_sv *keys = SP_ARENA_ARRAY(&d->arena, sp_sv, MAX_KEYS);
  SP_TRY_ALLOC(err, keys);
  size_t at = 0;
  sp_sv key, value;
  while (d->n_hive < MAX_KEYS && next_pair(d->files[0].path, &at, &key, &value)) {
    if (!decode(&d->arena, key, &keys[d->n_hive++])) {
      return sp_error_nomem(err);
    }
  }
  d->hive_names = keys;
  sp_sv *values = SP_ARENA_ARRAY(&d->arena, sp_sv, (size_t)d->n_hive * d->n_files + 1);
  SP_TRY_ALLOC(err, values);
  for (uint32_t i = 0; i < d->n_files && d->n_hive > 0; i++) {
    SP_TRY(read_file(d, i, values + (size_t)i * d->n_hive, err));
    d->files[i].hive = SP_ARENA_ARRAY(&d->arena, sp_value, d->n_hive);
    SP_TRY_ALLOC(err, d->files[i].hive);
  }
  for (uint32_t k = 0; k < d->n_hive; k++) {
    const sp_type *t = type_of(values + k, d->n_files, d->n_hive);
    sp_schema_add(b, keys[k], t);
    for (uint32_t i = 0; i < d->n_files; i++) {
      d->files[i].hive[k] = value_of(t, values[(size_t)i * d->n_hive + k]);
    }
  }
  return SP_OK;
}
