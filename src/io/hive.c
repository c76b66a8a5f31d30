/* Hive columns: folders named k=v on the way to a file are columns with that file's value.
 *
 *   sales/year=2024/month=03/a.parquet ⇒ year int64 2024, month int64 3
 *
 * Types by a given schema, else by all values: int64 when all are integers, date when all are dates, else
 * string; __HIVE_DEFAULT_PARTITION__ is null. Percent escapes are decoded. A file's own column of such a name
 * is not read: writers differ in whether they keep it. */
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

static int hex(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

static sp_status decode(sp_dataset *d, const sp_loc *loc, sp_sv s, sp_sv *ret, sp_error *err) {
  char *p = sp_arena_alloc(&d->arena, s.n + 1);
  SP_TRY_ALLOC(err, p);
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
      p[n++] = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
      i += 2;
    } else {
      p[n++] = s.p[i];
    }
  }
  if (!sp_utf8_valid(p, n)) {
    SP_FAIL(err, SP_DATA, loc, "the name of a hive folder is not valid UTF-8");
  }
  *ret = (sp_sv){p, n};
  return SP_OK;
}

int32_t sp_io_hive_find(const sp_dataset *d, sp_sv name) {
  for (uint32_t i = 0; i < d->n_hive; i++) {
    if (sp_sv_eq(name, d->hive[i].name)) {
      return (int32_t)i;
    }
  }
  return -1;
}

/* Texts of one file's values, in the order of the first file's keys. */
static sp_status read_file(sp_dataset *d, uint32_t file, sp_sv *values, sp_error *err) {
  size_t at = 0;
  uint32_t n = 0;
  sp_sv key, value;
  const sp_loc loc = {.file = d->files[file].path};
  while (next_pair(d->files[file].keys, &at, &key, &value)) {
    SP_TRY(decode(d, &loc, key, &key, err));
    if (n >= d->n_hive || !sp_sv_eq(key, d->hive[n].name)) {
      SP_FAIL(err, SP_DATA, &loc, "folders give other hive columns than those of %s", d->files[0].path);
    }
    SP_TRY(decode(d, &loc, value, &values[n++], err));
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

/* Column k of every file, under its type. */
static sp_status set_values(sp_dataset *d, uint32_t k, const sp_sv *values, sp_error *err) {
  const sp_field *f = &d->hive[k];
  for (uint32_t i = 0; i < d->n_files; i++) {
    const sp_sv s = values[(size_t)i * d->n_hive];
    const sp_value text = sp_value_str(s);
    const sp_loc loc = {.file = d->files[i].path};
    if (sp_sv_eq(s, SP_SV(NULL_NAME))) {
      d->files[i].hive[k] = sp_value_null(f->type);
    } else if (f->type->kind == SP_KIND_STRING) {
      d->files[i].hive[k] = text;
    } else if (!sp_value_cast_exact(&text, f->type, &d->arena, &d->files[i].hive[k])) {
      SP_FAIL(err, SP_DATA, &loc, "hive column `%.*s`: `%.*s` is not %s", (int)f->name.n, f->name.p,
              s.n < 60 ? (int)s.n : 60, s.p, f->type->name);
    }
  }
  return SP_OK;
}

/* The keys of the first file's path. */
static sp_status find_keys(sp_dataset *d, sp_error *err) {
  const sp_loc loc = {.file = d->files[0].path};
  d->hive = SP_ARENA_ARRAY(&d->arena, sp_field, MAX_KEYS);
  SP_TRY_ALLOC(err, d->hive);
  size_t at = 0;
  sp_sv key, value;
  while (next_pair(d->files[0].keys, &at, &key, &value)) {
    if (d->n_hive >= MAX_KEYS) {
      SP_FAIL(err, SP_LIMIT, &loc, "more than %d hive columns", MAX_KEYS);
    }
    SP_TRY(decode(d, &loc, key, &key, err));
    d->hive[d->n_hive++].name = key;
  }
  return SP_OK;
}

sp_status sp_io_hive(sp_dataset *d, sp_error *err) {
  SP_TRY(find_keys(d, err));
  if (d->n_hive == 0) {
    return SP_OK;
  }
  sp_sv *values = SP_ARENA_ARRAY(&d->arena, sp_sv, (size_t)d->n_hive * d->n_files);
  SP_TRY_ALLOC(err, values);
  for (uint32_t i = 0; i < d->n_files; i++) {
    SP_TRY(read_file(d, i, values + (size_t)i * d->n_hive, err));
    d->files[i].hive = SP_ARENA_ARRAY(&d->arena, sp_value, d->n_hive);
    SP_TRY_ALLOC(err, d->files[i].hive);
  }
  for (uint32_t k = 0; k < d->n_hive; k++) {
    const int32_t given = d->spec->schema != NULL ? sp_schema_find(d->spec->schema, d->hive[k].name) : -1;
    d->hive[k].type =
        given >= 0 ? d->spec->schema->fields[given].type : type_of(values + k, d->n_files, d->n_hive);
    SP_TRY(set_values(d, k, values + k, err));
  }
  return SP_OK;
}
