/* The renderers, from renderers.def. */
#include "viz/viz.h"

#define SP_RENDERER(name) extern const sp_renderer sp_renderer_##name;
#include "viz/renderers.def"
#undef SP_RENDERER

const sp_renderer *const sp_renderer_table[] = {
#define SP_RENDERER(name) &sp_renderer_##name,
#include "viz/renderers.def"
#undef SP_RENDERER
    NULL};

const sp_renderer *sp_renderer_find(const char *name) {
  for (uint32_t i = 0; sp_renderer_table[i] != NULL; i++) {
    if (strcmp(sp_renderer_table[i]->name, name) == 0) {
      return sp_renderer_table[i];
    }
  }
  return NULL;
}

const sp_renderer *sp_renderer_by_path(const char *path) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(slash != NULL ? slash : path, '.');
  const size_t n = dot != NULL ? strlen(dot + 1) : 0;
  for (uint32_t i = 0; n > 0 && sp_renderer_table[i] != NULL; i++) {
    for (const char *s = sp_renderer_table[i]->suffixes; *s != '\0';) {
      const size_t k = strcspn(s, " ");
      if (k == n && memcmp(s, dot + 1, n) == 0) {
        return sp_renderer_table[i];
      }
      s += k + (s[k] == ' ');
    }
  }
  return NULL;
}
