/* Tables by name: NAME.parquet, NAME.csv, … or a folder NAME/ of such files under the data root.
 *
 *   sp_table_find("data", "flights") with data/flights.parquet there ⇒ parquet, "data/flights.parquet" */
#include <dirent.h>

#include "io/internal.h"

#define NAMES_MAX 10000 /* looked at for a hint */

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

/* The format of the data files in a folder; *ret_other: another one that is there too. */
static const sp_format *folder_format(const char *dir, const sp_format **ret_other) {
  DIR *d = opendir(dir);
  const sp_format *found = NULL;
  *ret_other = NULL;
  for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
    const bool data = e->d_name[0] != '.' && e->d_name[0] != '_';
    const sp_format *f = data ? sp_format_by_path(e->d_name) : NULL;
    if (f != NULL && found != NULL && f != found) {
      *ret_other = f;
    }
    found = found != NULL ? found : f;
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
static sp_sv name_at(const void *ctx, uint32_t i) {
  return ((const names *)ctx)->items[i];
}

/* Names of the tables that the root has, for the hint. Folders count: what they hold is not looked at. */
static void list_tables(const char *root, sp_arena *a, names *ret) {
  DIR *d = opendir(root);
  for (const struct dirent *e; d != NULL && ret->n < NAMES_MAX && (e = readdir(d)) != NULL;) {
    size_t suffix = 0;
    const bool known = sp_io_format_of(e->d_name, &suffix) != NULL || e->d_type == DT_DIR;
    if (known && e->d_name[0] != '.' &&
        sp_arena_grow(a, &ret->items, &ret->cap, ret->n + 1, sizeof *ret->items)) {
      const size_t n = strlen(e->d_name) - suffix;
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

static sp_status not_found(const char *root, const char *name, sp_arena *a, sp_error *err) {
  names tables = {0};
  list_tables(root, a, &tables);
  char near[160];
  (void)sp_error_set(err, SP_NOT_FOUND, NULL, "no table `%s` in %s", name, root);
  if (sp_nearest_names(sp_sv_from(name), tables.n, name_at, &tables, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s? --data-root and --table say where tables are", near);
  } else {
    sp_error_hint(err, "tables are files as %s.parquet or %s.csv; --data-root and --table say where they are",
                  name, name);
  }
  return SP_NOT_FOUND;
}

static sp_status look_for_files(const char *root, const char *name, sp_arena *a, hits *h, sp_error *err) {
  for (uint32_t i = 0; sp_format_table[i] != NULL; i++) {
    for (const char *s = sp_format_table[i]->suffixes; *s != '\0';) {
      const size_t n = strcspn(s, " ");
      const char *file = sp_arena_printf(a, "%s.%.*s", name, (int)n, s);
      const char *path = file != NULL ? sp_path_join(a, root, file) : NULL;
      SP_TRY_ALLOC(err, path);
      if (sp_path_exists(path) && !sp_path_is_dir(path)) {
        hit(h, sp_format_table[i], path);
      }
      s += n + (s[n] == ' ');
    }
  }
  return SP_OK;
}

/* NULL in *ret: no folder, or none with data files in it. */
static sp_status look_into(const char *dir, const char *name, const sp_format **ret, sp_error *err) {
  const sp_format *other;
  const sp_format *f = sp_path_is_dir(dir) ? folder_format(dir, &other) : NULL;
  if (f != NULL && other != NULL) {
    SP_FAIL(err, SP_INVALID, NULL, "table `%s` is ambiguous: %s holds %s and %s files", name, dir, f->name,
            other->name);
  }
  *ret = f;
  return SP_OK;
}

static sp_status look_for_folder(const char *root, const char *name, sp_arena *a, hits *h, sp_error *err) {
  const char *dir = sp_path_join(a, root, name);
  SP_TRY_ALLOC(err, dir);
  const sp_format *f = NULL;
  SP_TRY(look_into(dir, name, &f, err));
  if (f != NULL) {
    hit(h, f, dir);
  }
  return SP_OK;
}

sp_status sp_table_folder(const char *dir, const char *name, const sp_format **ret, sp_error *err) {
  const sp_format *f = NULL;
  SP_TRY(look_into(dir, name, &f, err));
  if (f == NULL) {
    SP_FAIL(err, SP_NOT_FOUND, NULL, "table `%s`: no data file in the folder %s", name, dir);
  }
  *ret = f;
  return SP_OK;
}

sp_status sp_table_find(const char *root, const char *name, sp_arena *a, const sp_format **ret_format,
                        const char **ret_path, sp_error *err) {
  const char *shown = root != NULL && *root != '\0' ? root : ".";
  hits h = {0};
  if (*name == '\0') {
    SP_FAIL(err, SP_INVALID, NULL, "a table without a name");
  }
  SP_TRY(look_for_files(root, name, a, &h, err));
  SP_TRY(look_for_folder(root, name, a, &h, err));
  if (h.path == NULL) {
    return not_found(shown, name, a, err);
  }
  if (h.second != NULL) {
    SP_FAIL(err, SP_INVALID, NULL, "table `%s` is ambiguous: %s and %s", name, h.path, h.second);
  }
  *ret_format = h.format;
  *ret_path = h.path;
  return SP_OK;
}
