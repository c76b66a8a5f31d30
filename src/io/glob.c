/* Paths to files: globs in name order, folders, hive folders. A path that names nothing is an error with the
 * nearest names beside it; a glob that matches nothing too. Hidden files and those that tools leave in
 * folders
 * (_SUCCESS, _metadata) are passed over.
 *
 * "**" as a part of a path stands for any number of folders. It is tried with none, one, two, … of them, as
 * long as there are folders so deep: glob() does the matching.
 *
 *   data/a?.parquet ⇒ data/a1.parquet, data/a2.parquet    data (a folder) ⇒ every file of the format in it */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cformat.h"
#include "io/internal.h"

#define MAX_FOLDER_DEPTH 32

typedef struct finder {
  const sp_scan_spec *spec;
  sp_arena *arena;
  sp_ds_file *files;
  uint32_t n, cap;
  size_t root_bytes; /* of the path at work */
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
  f->files[f->n++] = (sp_ds_file){.path = kept, .keys = kept + f->root_bytes, .first_row = -1};
  return SP_OK;
}

typedef struct names {
  char **items;
  uint32_t n;
} names;
static sp_sv name_at(const void *ctx, uint32_t i) {
  return sp_sv_from(((const names *)ctx)->items[i]);
}

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

static bool is_data_name(const char *name) {
  return name[0] != '.' && name[0] != '_';
}

static int by_name(const void *x, const void *y) {
  return strcmp(*(char *const *)x, *(char *const *)y);
}

static void sort_names(names *n) {
  if (n->n > 0) {
    qsort(n->items, n->n, sizeof *n->items, by_name);
  }
}

static sp_status add_name(finder *f, names *n, uint32_t *cap, const char *name) {
  if (n->n >= SP_IO_MAX_FILES) {
    SP_FAIL(f->err, SP_LIMIT, NULL, "more than %d files", SP_IO_MAX_FILES);
  }
  char *copy = sp_arena_grow(f->arena, &n->items, cap, n->n + 1, sizeof *n->items)
                   ? sp_arena_strdup(f->arena, name)
                   : NULL;
  SP_TRY_ALLOC(f->err, copy);
  n->items[n->n++] = copy;
  return SP_OK;
}

/* ---- folders ---- */
static sp_status list_folder(finder *f, const char *dir, names *ret) {
  const sp_loc loc = {.file = dir};
  DIR *d = opendir(dir);
  if (d == NULL) {
    char text[128];
    SP_FAIL(f->err, SP_IO, &loc, "cannot read the folder: %s", sp_errno_text(errno, text, sizeof text));
  }
  uint32_t cap = 0;
  sp_status st = SP_OK;
  for (const struct dirent *e; st == SP_OK && (e = readdir(d)) != NULL;) {
    if (is_data_name(e->d_name)) {
      st = add_name(f, ret, &cap, e->d_name);
    }
  }
  (void)closedir(d);
  sort_names(ret);
  return st;
}

/* Files of the format in a folder, in name order; folders inside too when hive columns are wanted. */
static sp_status add_folder(finder *f, const char *dir, uint32_t depth) {
  const sp_loc loc = {.file = dir};
  if (depth > MAX_FOLDER_DEPTH) {
    SP_FAIL(f->err, SP_LIMIT, &loc, "folders nested more than %d deep", MAX_FOLDER_DEPTH);
  }
  names found = {0};
  SP_TRY(list_folder(f, dir, &found));
  for (uint32_t i = 0; i < found.n; i++) {
    const char *path = sp_path_join(f->arena, dir, found.items[i]);
    SP_TRY_ALLOC(f->err, path);
    if (sp_path_is_dir(path)) {
      if (f->spec->hive) {
        SP_TRY(add_folder(f, path, depth + 1));
      }
    } else if (sp_format_by_path(path) == f->spec->format) {
      SP_TRY(add_file(f, path));
    }
  }
  return SP_OK;
}

static sp_status add_path(finder *f, const char *path) {
  const sp_loc loc = {.file = path};
  if (sp_path_is_dir(path)) {
    const uint32_t before = f->n;
    SP_TRY(add_folder(f, path, 0));
    if (f->n == before) {
      SP_FAIL(f->err, SP_NOT_FOUND, &loc, "no %s file in this folder", f->spec->format->name);
    }
    return SP_OK;
  }
  struct stat st;
  if (stat(path, &st) == 0) {
    return add_file(f, path);
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return sp_io_missing(path, f->err);
  }
  char text[128];
  SP_FAIL(f->err, SP_IO, &loc, "cannot open: %s", sp_errno_text(errno, text, sizeof text));
}

/* ---- patterns ---- */
static sp_status match(finder *f, const char *pattern, int flags, names *ret, uint32_t *cap) {
  glob_t g;
  const int rc = glob(pattern, flags | GLOB_NOSORT, NULL, &g); /* its order would be the locale's */
  if (rc == GLOB_NOSPACE) {
    return sp_error_nomem(f->err);
  }
  sp_status st = SP_OK;
  for (size_t i = 0; rc == 0 && i < g.gl_pathc && st == SP_OK; i++) {
    if (is_data_name(sp_path_base(g.gl_pathv[i]))) {
      st = add_name(f, ret, cap, g.gl_pathv[i]);
    }
  }
  if (rc == 0) {
    globfree(&g);
  }
  return st;
}

/* The first part of a pattern that is "**", or NULL. */
static const char *find_stars(const char *pattern) {
  for (const char *p = pattern; (p = strstr(p, "**")) != NULL; p++) {
    if ((p == pattern || p[-1] == '/') && p[2] == '/') {
      return p;
    }
  }
  return NULL;
}

/* The pattern with "**" as `depth` folders: `tail` behind it, or only the folders. */
static char *with_depth(finder *f, const char *pattern, const char *stars, uint32_t depth, const char *tail) {
  sp_str s;
  sp_str_init(&s, f->arena->mem, strlen(pattern) + 2 * (size_t)depth + 1);
  sp_str_addn(&s, pattern, (size_t)(stars - pattern));
  sp_str_repeat(&s, "*/", depth);
  sp_str_add(&s, tail);
  char *made = sp_str_ok(&s) ? sp_arena_strndup(f->arena, s.p, s.n) : NULL;
  sp_str_release(&s);
  return made;
}

static sp_status match_all(finder *f, const char *pattern, names *ret) {
  uint32_t cap = 0;
  const char *stars = find_stars(pattern);
  if (stars == NULL) {
    return match(f, pattern, 0, ret, &cap);
  }
  for (uint32_t depth = 0; depth <= MAX_FOLDER_DEPTH; depth++) {
    const char *here = with_depth(f, pattern, stars, depth, stars + 3);
    const char *deeper = with_depth(f, pattern, stars, depth + 1, "");
    SP_TRY_ALLOC(f->err, here);
    SP_TRY_ALLOC(f->err, deeper);
    SP_TRY(match(f, here, 0, ret, &cap));
    names folders = {0};
    uint32_t folders_cap = 0;
    SP_TRY(match(f, deeper, GLOB_ONLYDIR, &folders, &folders_cap));
    if (folders.n == 0) {
      break;
    }
  }
  return SP_OK;
}

/* Folders that match are read too; one without files of the format is no error. */
static sp_status add_glob(finder *f, const char *pattern, const char *shown) {
  const uint32_t before = f->n;
  names found = {0};
  SP_TRY(match_all(f, pattern, &found));
  sort_names(&found);
  for (uint32_t i = 0; i < found.n; i++) {
    SP_TRY(sp_path_is_dir(found.items[i]) ? add_folder(f, found.items[i], 0) : add_file(f, found.items[i]));
  }
  if (f->n == before) {
    const sp_loc loc = {.file = shown};
    SP_FAIL(f->err, SP_NOT_FOUND, &loc, "no file matches");
  }
  return SP_OK;
}

/* The folder itself is no pattern, whatever it is called. */
static char *escape(sp_arena *a, const char *s) {
  char *to = sp_arena_alloc(a, 2 * strlen(s) + 1);
  size_t n = 0;
  for (; to != NULL && *s != '\0'; s++) {
    if (strchr("*?[\\", *s) != NULL) {
      to[n++] = '\\';
    }
    to[n++] = *s;
  }
  return to;
}

static sp_status find_path(finder *f, const char *spelled) {
  const char *path = sp_path_join(f->arena, f->spec->root, spelled);
  SP_TRY_ALLOC(f->err, path);
  const size_t n = strlen(path), own = strlen(spelled);
  f->root_bytes = n > own ? n - own : 0;
  /* a file whose name holds * or [ is itself before it is a pattern */
  if (strpbrk(spelled, "*?[") == NULL || sp_path_exists(path)) {
    return add_path(f, path);
  }
  const char *root = f->spec->root != NULL ? escape(f->arena, f->spec->root) : NULL;
  if (f->spec->root != NULL) {
    SP_TRY_ALLOC(f->err, root);
  }
  const char *pattern = sp_path_join(f->arena, root, spelled);
  SP_TRY_ALLOC(f->err, pattern);
  return add_glob(f, pattern, path);
}

sp_status sp_io_find_files(const sp_scan_spec *spec, sp_arena *a, sp_ds_file **ret, uint32_t *ret_n,
                           sp_error *err) {
  finder f = {.spec = spec, .arena = a, .err = err};
  for (uint32_t i = 0; i < spec->n_paths; i++) {
    SP_TRY(find_path(&f, spec->paths[i]));
  }
  if (f.n == 0) {
    SP_FAIL(err, SP_INVALID, NULL, "a scan without files");
  }
  *ret = f.files;
  *ret_n = f.n;
  return SP_OK;
}
