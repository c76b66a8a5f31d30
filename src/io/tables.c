/* Tables by name: NAME.parquet, NAME.csv, … or a folder NAME/ of such files under the data root.
 *
 *   sp_table_find("data", "flights") with data/flights.parquet there ⇒ parquet, "data/flights.parquet" */
#include <dirent.h>

#include "io/internal.h"

typedef struct hits {
  const sp_format *format;
  const char *path;
  const char *second; /* another hit */
} hits;

static void hit(hits *h, const sp_format *f, const char *path) {
  if (h->path == NULL) {
    h->format = f;
    h->path = path;
  } else if (h->second == NULL) {
    h->second = path;
  }
}

/* The format of the first data file in a folder. */
static const sp_format *folder_format(const char *dir) {
  DIR *d = opendir(dir);
  const sp_format *found = NULL;
  for (const struct dirent *e; d != NULL && found == NULL && (e = readdir(d)) != NULL;) {
    found = e->d_name[0] != '.' && e->d_name[0] != '_' ? sp_format_by_path(e->d_name) : NULL;
  }
  if (d != NULL) {
    (void)closedir(d);
  }
  return found;
}

typedef struct names {
  sp_sv *items;
  uint32_t n, cap;
} names;
static sp_sv name_at(const void *ctx, uint32_t i) { return ((const names *)ctx)->items[i]; }

/* Names of the tables that the root has, for the hint. */
static void list_tables(const char *root, sp_arena *a, names *ret) {
  DIR *d = opendir(root);
  for (const struct dirent *e; d != NULL && ret->n < 10000 && (e = readdir(d)) != NULL;) {
    if (e->d_name[0] != '.' && sp_format_by_path(e->d_name) != NULL && sp_arena_grow(a, &ret->items, &ret->cap, ret->n + 1, sizeof *ret->items)) {
      const size_t n = strcspn(e->d_name, ".");
      const char *name = sp_arena_strndup(a, e->d_name, n);
      if (name != NULL) {
        ret->items[ret->n++] = (sp_sv){name, n};
      }
    }
  }
  if (d != NULL) {
    (void)closedir(d);
  }
}

sp_status sp_table_find(const char *root, const char *name, sp_arena *a, const sp_format **ret_format, const char **ret_path, sp_error *err) {
  hits h = {0};
  for (uint32_t i = 0; sp_format_table[i] != NULL; i++) {
    for (const char *s = sp_format_table[i]->suffixes; *s != '\0';) {
      const size_t n = strcspn(s, " ");
      const char *file = sp_arena_printf(a, "%s.%.*s", name, (int)n, s);
      const char *path = file != NULL ? sp_path_join(a, root, file) : NULL;
      SP_TRY_ALLOC(err, path);
      if (sp_path_exists(path) && !sp_path_is_dir(path)) {
        hit(&h, sp_format_table[i], path);
      }
      s += n + (s[n] == ' ');
    }
  }
  const char *dir = sp_path_join(a, root, name);
  SP_TRY_ALLOC(err, dir);
  if (sp_path_is_dir(dir)) {
    const sp_format *f = folder_format(dir);
    if (f != NULL) {
      hit(&h, f, dir);
    }
  }
  if (h.path == NULL) {
    names tables = {0};
    list_tables(root != NULL && *root != '\0' ? root : ".", a, &tables);
    char near[160];
    (void)sp_error_set(err, SP_NOT_FOUND, NULL, "no table `%s` in %s", name, root != NULL && *root != '\0' ? root : ".");
    if (sp_nearest_names(sp_sv_from(name), tables.n, name_at, &tables, near, sizeof near)) {
      sp_error_hint(err, "did you mean %s? Tables are files as %s.parquet or %s.csv; --data-root and --table say where", near, name, name);
    } else {
      sp_error_hint(err, "tables are files as %s.parquet or %s.csv; --data-root and --table say where they are", name, name);
    }
    return SP_NOT_FOUND;
  }
  if (h.second != NULL) {
    SP_FAIL(err, SP_INVALID, NULL, "table `%s` is ambiguous: %s and %s", name, h.path, h.second);
  }
  *ret_format = h.format;
  *ret_path = h.path;
  return SP_OK;
}
