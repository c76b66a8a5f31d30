/* Paths as text (see file.h): nothing is resolved or normalised.
 * Example: sp_path_join(a, "plans", "x.json") is "plans/x.json", and of that sp_path_dir is "plans",
 * sp_path_base "x.json" and sp_path_suffix "json"; ".profile" has no suffix. */
#include "base/file.h"

#include <sys/stat.h>

char *sp_path_join(sp_arena *a, const char *base, const char *rel) {
  if (rel[0] == '/' || base == NULL || base[0] == '\0' || strcmp(base, ".") == 0) {
    return sp_arena_strdup(a, rel);
  }
  const size_t n = strlen(base);
  return sp_arena_printf(a, "%s%s%s", base, base[n - 1] == '/' ? "" : "/", rel);
}

char *sp_path_dir(sp_arena *a, const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') {
    n--;
  }
  while (n > 0 && path[n - 1] != '/') {
    n--;
  }
  if (n == 0) {
    return sp_arena_strdup(a, ".");
  }
  while (n > 1 && path[n - 1] == '/') {
    n--;
  }
  return sp_arena_strndup(a, path, n);
}

const char *sp_path_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

const char *sp_path_suffix(const char *path) {
  const char *base = sp_path_base(path);
  const char *dot = strrchr(base, '.');
  return dot == NULL || dot == base ? "" : dot + 1;
}

bool sp_path_exists(const char *path) {
  struct stat st;
  return stat(path, &st) == 0;
}

bool sp_path_is_dir(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
