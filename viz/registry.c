/* The renderers, from renderers.def. */
#include "viz/viz.h"

#define SP_RENDER_MAX ((size_t)1 << 30)

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

sp_status sp_render(const sp_report *r, const char *format, const sp_viz_options *o, char **ret_text,
                    size_t *ret_n, sp_error *err) {
  const sp_renderer *renderer = sp_renderer_find(format);
  if (renderer == NULL) {
    SP_FAIL(err, SP_USAGE, NULL, "no picture format `%s`", format);
  }
  sp_viz_options defaults;
  sp_viz_options_init(&defaults);
  sp_str out;
  sp_str_init(&out, sp_mem_process(), SP_RENDER_MAX);
  const sp_status st = renderer->render(r, o != NULL ? o : &defaults, &out, err);
  char *text = st == SP_OK ? sp_mem_alloc(sp_mem_process(), out.n + 1) : NULL;
  if (text != NULL) {
    memcpy(text, out.p, out.n + 1);
    *ret_text = text;
    *ret_n = out.n;
  }
  sp_str_release(&out);
  return st != SP_OK ? st : text != NULL ? SP_OK : sp_error_nomem(err);
}

void sp_render_free(char *text, size_t n) {
  if (text != NULL) {
    sp_mem_free(sp_mem_process(), text, n + 1);
  }
}
