/* Paths to files: globs in name order, folders, hive folders. A path that names nothing is an error with the nearest names beside it; a glob
 * that matches nothing too. Hidden files and those that tools leave in folders (_SUCCESS, _metadata) are passed over.
 *
 *   data/a?.parquet ⇒ data/a1.parquet, data/a2.parquet    data (a folder) ⇒ every file of the format in it */
#include <dirent.h>
#include <glob.h>
#include <stdlib.h>

#include "io/internal.h"

#define MAX_FOLDER_DEPTH 32

typedef struct finder {
  const sp_scan_spec *spec;
  sp_arena *arena;
  sp_ds_file *files;
  uint32_t n, cap;
  sp_error *err;
} finder;

static sp_status add_file(finder *f, const char *path) {
  if (f->n >= SP_IO_MAX_FILES) {
    SP_FAIL(f->err, SP_LIMIT, NULL, "a scan of more than %d files", SP_IO_MAX_FILES);
  }
  if (!sp_arena_grow(f->arena, &f->files, &f->cap, f->n + 1, sizeof *f->files)) {
    return sp_error_nomem(f->err);
  }
  const char *kept = sp_arena_strdup(f->arena, path);
  SP_TRY_ALLOC(f->err, kept);
  f->files[f->n++] = (sp_ds_file){.path = kept, .shown = kept, .first_row = -1};
  return SP_OK;
}

typedef struct names {
  char **items;
  uint32_t n;
} names;
static sp_sv name_at(const void *ctx, uint32_t i) { return sp_sv_from(((const names *)ctx)->items[i]); }

sp_status sp_io_missing(const char *path, sp_error *err) {
  const sp_loc loc = {.file = path};
  (void)sp_error_set(err, SP_NOT_FOUND, &loc, "no such file");
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  const char *dir = sp_path_dir(&a, path);
  DIR *d = dir != NULL ? opendir(dir) : NULL;
  names found = {0};
  uint32_t cap = 0;
  for (const struct dirent *e; d != NULL && found.n < 10000 && (e = readdir(d)) != NULL;) {
    if (e->d_name[0] != '.' && sp_arena_grow(&a, &found.items, &cap, found.n + 1, sizeof *found.items)) {
      found.items[found.n] = sp_arena_strdup(&a, e->d_name);
      found.n += found.items[found.n] != NULL;
    }
  }
  char near[160];
  if (d == NULL && dir != NULL) {
    sp_error_hint(err, "there is no folder %s", dir);
  } else if (sp_nearest_names(sp_sv_from(sp_path_base(path)), found.n, name_at, &found, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s?", near);
  }
  if (d != NULL) {
    (void)closedir(d);
  }
  sp_arena_release(&a);
  return SP_NOT_FOUND;
}

static bool is_data_name(const char *name) { return name[0] != '.' && name[0] != '_'; }

static int by_name(const void *x, const void *y) { return strcmp(*(char *const *)x, *(char *const *)y); }

/* Files of the format in a folder, in name order; folders inside too when hive columns are wanted. */
static sp_status add_folder(finder *f, const char *dir, uint32_t depth) {
  DIR *d = opendir(dir);
  if (d == NULL) {
    const sp_loc loc = {.file = dir};
    SP_FAIL(f->err, SP_IO, &loc, "cannot read the folder");
  }
  names found = {0};
  uint32_t cap = 0;
  bool ok = true;
  for (const struct dirent *e; ok && (e = readdir(d)) != NULL;) {
    if (is_data_name(e->d_name)) {
      ok = found.n < SP_IO_MAX_FILES && sp_arena_grow(f->arena, &found.items, &cap, found.n + 1, sizeof *found.items);
      if (ok) {
        found.items[found.n] = sp_arena_strdup(f->arena, e->d_name);
        ok = found.items[found.n++] != NULL;
      }
    }
  }
  (void)closedir(d);
  if (!ok) {
    return found.n >= SP_IO_MAX_FILES ? sp_error_set(f->err, SP_LIMIT, NULL, "a folder of more than %d files", SP_IO_MAX_FILES) : sp_error_nomem(f->err);
  }
  if (found.n > 0) {
    qsort(found.items, found.n, sizeof *found.items, by_name);
  }
  for (uint32_t i = 0; i < found.n; i++) {
    const char *path = sp_path_join(f->arena, dir, found.items[i]);
    SP_TRY_ALLOC(f->err, path);
    if (sp_path_is_dir(path)) {
      if (f->spec->hive && depth < MAX_FOLDER_DEPTH) {
        SP_TRY(add_folder(f, path, depth + 1));
      }
    } else if (sp_format_by_path(path) == f->spec->format) {
      SP_TRY(add_file(f, path));
    }
  }
  return SP_OK;
}

static sp_status add_path(finder *f, const char *path) {
  if (sp_path_is_dir(path)) {
    const uint32_t before = f->n;
    SP_TRY(add_folder(f, path, 0));
    if (f->n == before) {
      const sp_loc loc = {.file = path};
      SP_FAIL(f->err, SP_NOT_FOUND, &loc, "no %s file in this folder", f->spec->format->name);
    }
    return SP_OK;
  }
  return sp_path_exists(path) ? add_file(f, path) : sp_io_missing(path, f->err);
}

static sp_status add_glob(finder *f, const char *pattern) {
  glob_t g;
  const int rc = glob(pattern, 0, NULL, &g); /* sorted by name */
  if (rc == GLOB_NOSPACE) {
    return sp_error_nomem(f->err);
  }
  sp_status st = SP_OK;
  uint32_t taken = 0;
  for (size_t i = 0; rc == 0 && i < g.gl_pathc && st == SP_OK; i++) {
    if (is_data_name(sp_path_base(g.gl_pathv[i]))) {
      st = add_path(f, g.gl_pathv[i]);
      taken++;
    }
  }
  if (rc == 0) {
    globfree(&g);
  }
  if (st == SP_OK && taken == 0) {
    const sp_loc loc = {.file = pattern};
    SP_FAIL(f->err, SP_NOT_FOUND, &loc, "no file matches");
  }
  return st;
}

sp_status sp_io_find_files(const sp_scan_spec *spec, sp_arena *a, sp_ds_file **ret, uint32_t *ret_n, sp_error *err) {
  finder f = {.spec = spec, .arena = a, .err = err};
  for (uint32_t i = 0; i < spec->n_paths; i++) {
    const char *path = sp_path_join(a, spec->root, spec->paths[i]);
    SP_TRY_ALLOC(err, path);
    /* a file whose name holds * or [ is itself before it is a pattern */
    SP_TRY(strpbrk(path, "*?[") != NULL && !sp_path_exists(path) ? add_glob(&f, path) : add_path(&f, path));
  }
  if (f.n == 0) {
    SP_FAIL(err, SP_INVALID, NULL, "a scan without files");
  }
  *ret = f.files;
  *ret_n = f.n;
  return SP_OK;
}
