/* The file formats, from formats.def, by name and by suffix. */
#include <strings.h>

#include "io/internal.h"

#define SP_FORMAT(name) extern const sp_format sp_format_##name;
#include "io/formats.def"
#undef SP_FORMAT

const sp_format *const sp_format_table[] = {
#define SP_FORMAT(name) &sp_format_##name,
#include "io/formats.def"
#undef SP_FORMAT
    NULL};

const char *sp_format_name(const sp_format *f) {
  return f->name;
}

const sp_format *sp_format_by_name(sp_sv name) {
  for (uint32_t i = 0; sp_format_table[i] != NULL; i++) {
    if (sp_sv_eq(sp_sv_from(sp_format_table[i]->name), name)) {
      return sp_format_table[i];
    }
  }
  return NULL;
}

/* Is `suffix` one of the space-separated ones, in any case? */
static bool has_suffix(const sp_format *f, sp_sv suffix) {
  for (const char *s = f->suffixes; *s != '\0';) {
    const size_t n = strcspn(s, " ");
    if (n == suffix.n && strncasecmp(s, suffix.p, n) == 0) {
      return true;
    }
    s += n + (s[n] == ' ');
  }
  return false;
}

/* The longest suffix wins: "csv.gz" before "gz". */
const sp_format *sp_io_format_of(const char *path, size_t *ret_suffix) {
  const char *base = sp_path_base(path);
  for (const char *dot = strchr(base, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
    for (uint32_t i = 0; sp_format_table[i] != NULL; i++) {
      if (has_suffix(sp_format_table[i], sp_sv_from(dot + 1))) {
        *ret_suffix = strlen(dot);
        return sp_format_table[i];
      }
    }
  }
  return NULL;
}

const sp_format *sp_format_by_path(const char *path) {
  size_t suffix;
  return sp_io_format_of(path, &suffix);
}

void sp_scan_spec_init(sp_scan_spec *s) {
  *s = (sp_scan_spec){.n_rows = -1,
                      .has_header = true,
                      .separator = ',',
                      .quote = '"',
                      .infer_rows = 10000,
                      .try_parse_dates = true};
}
