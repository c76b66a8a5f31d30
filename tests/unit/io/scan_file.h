/* Helpers of the tests that read files through datasets: a folder of their own, files in it, and all rows of
 * a scan as text, one line each:
 *
 *   1|[a b]|-|2020-01-31      a number, a string, a null, a date */
#ifndef SP_TESTS_SCAN_FILE_H
#define SP_TESTS_SCAN_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/format.h"

#define SCAN_COLUMNS 64
#define TEXT_MAX ((size_t)1 << 30)

typedef struct world {
  sp_mem mem;
  sp_arena arena;
  sp_pool *pool;
  char dir[64];
} world;

static inline int world_begin(void **state) {
  world *w = test_calloc(1, sizeof *w);
  strcpy(w->dir, "/tmp/sigmapi-io-XXXXXX");
  sp_mem_init(&w->mem, NULL, "test");
  sp_arena_init(&w->arena, &w->mem);
  w->pool = sp_pool_new(&w->mem);
  *state = w;
  return mkdtemp(w->dir) == NULL || w->pool == NULL;
}

static inline int world_remove(const char *path, const struct stat *st, int type, struct FTW *f) {
  (void)st, (void)type, (void)f;
  return remove(path);
}

static inline int world_end(void **state) {
  world *w = *state;
  (void)nftw(w->dir, world_remove, 16, FTW_DEPTH | FTW_PHYS);
  sp_arena_release(&w->arena);
  sp_pool_trim(w->pool);
  sp_pool_unref(w->pool);
  const long long live = (long long)atomic_load(&w->mem.live);
  if (live != 0) { /* a test that failed in the middle leaves something, and says why on its own */
    print_error("%lld bytes are live at the end\n", live);
    return 1;
  }
  sp_mem_release(&w->mem);
  test_free(w);
  return 0;
}

/* The path of a file in the folder. */
static inline const char *world_path(world *w, const char *name) {
  const char *p = sp_path_join(&w->arena, w->dir, name);
  assert_non_null(p);
  return p;
}

/* Folders in name are made. */
static inline const char *world_put(world *w, const char *name, const char *text, size_t n) {
  char *path = sp_path_join(&w->arena, w->dir, name);
  assert_non_null(path);
  for (char *p = path + strlen(w->dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
    *p = '\0';
    (void)mkdir(path, 0777);
    *p = '/';
  }
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(text, 1, n, f), n);
  assert_int_equal(fclose(f), 0);
  return path;
}

static inline void scan_value(const sp_value *v, sp_str *out) {
  if (v->is_null) {
    sp_str_addc(out, '-');
  } else if (sp_type_is_bytes(v->type)) {
    sp_str_addc(out, '[');
    sp_str_addn(out, v->s.p, v->s.n);
    sp_str_addc(out, ']');
  } else {
    sp_value_text(v, out);
  }
}

typedef struct scan_how {
  uint32_t window;    /* rows, 0: SP_BATCH_ROWS */
  uint32_t every;     /* only every so many rows are selected; 0: all, without a selection */
  uint32_t workers;   /* 0: 1 */
  uint32_t n_columns; /* 0: all */
  const uint32_t *columns;
  uint32_t n_prunes;
  const sp_prune *prunes;
} scan_how;

/* One window's columns, row by row. */
static inline sp_status scan_window(sp_cursor *c, const sp_scan_request *r, uint32_t n, uint32_t every,
                                    sp_str *out, sp_error *err) {
  static uint16_t sel[SP_BATCH_ROWS_MAX];
  sp_column *cols[SCAN_COLUMNS] = {NULL};
  uint32_t n_sel = 0;
  for (uint32_t i = 0; every > 0 && i < n; i += every) {
    sel[n_sel++] = (uint16_t)i;
  }
  sp_status st = SP_OK;
  for (uint32_t k = 0; k < r->n_columns && st == SP_OK; k++) {
    st = sp_cursor_read(c, r->columns[k], every > 0 ? sel : NULL, n_sel, &cols[k], err);
    if (st == SP_OK && cols[k]->length != n) {
      st = sp_error_set(err, SP_INTERNAL, NULL, "a column of %u rows in a window of %u", cols[k]->length, n);
    }
  }
  for (uint32_t i = 0; i < (every > 0 ? n_sel : n) && st == SP_OK; i++) {
    for (uint32_t k = 0; k < r->n_columns; k++) {
      const sp_value v = sp_column_value(cols[k], every > 0 ? sel[i] : i);
      if (k > 0) {
        sp_str_addc(out, '|');
      }
      scan_value(&v, out);
    }
    sp_str_addc(out, '\n');
  }
  for (uint32_t k = 0; k < r->n_columns; k++) {
    sp_column_unref(cols[k]);
  }
  return st;
}

static inline sp_status scan_morsel(sp_dataset *d, const sp_scan_request *r, sp_maker mk, uint32_t morsel,
                                    const scan_how *how, sp_cursor_scratch **scratch, sp_str *out,
                                    sp_error *err) {
  sp_cursor *c = NULL;
  SP_TRY(sp_cursor_open(d, morsel, mk, scratch, &c, err));
  sp_status st = SP_OK;
  for (uint32_t n = 1; st == SP_OK && n > 0;) {
    st = sp_cursor_next(c, how->window > 0 ? how->window : SP_BATCH_ROWS, &n, err);
    if (st == SP_OK && n > 0) {
      st = scan_window(c, r, n, how->every, out, err);
    }
  }
  sp_cursor_close(c);
  return st;
}

/* All rows of a planned dataset. */
static inline sp_status scan_planned(sp_dataset *d, const sp_scan_request *r, sp_maker mk,
                                     const scan_how *how, sp_str *out, sp_error *err) {
  sp_cursor_scratch *scratch = NULL;
  sp_status st = SP_OK;
  for (uint32_t m = 0; m < sp_dataset_morsels(d) && st == SP_OK; m++) {
    st = scan_morsel(d, r, mk, m, how, &scratch, out, err);
  }
  sp_cursor_scratch_free(scratch);
  return st;
}

static inline sp_status scan_dataset(sp_dataset *d, sp_maker mk, const scan_how *how, sp_str *out,
                                     sp_error *err) {
  static const scan_how plain = {0};
  how = how != NULL ? how : &plain;
  uint32_t all[SCAN_COLUMNS];
  for (uint32_t i = 0; i < SCAN_COLUMNS; i++) {
    all[i] = i;
  }
  const bool some = how->n_columns > 0;
  const sp_scan_request r = {.n_columns = some ? how->n_columns : sp_dataset_schema(d)->n,
                             .columns = some ? how->columns : all,
                             .n_prunes = how->n_prunes,
                             .prunes = how->prunes,
                             .workers = how->workers > 0 ? how->workers : 1};
  SP_TRY(sp_dataset_plan(d, &r, err));
  return scan_planned(d, &r, mk, how, out, err);
}

/* Everything that spec says, as text appended to out. */
static inline sp_status scan_rows(sp_mem *mem, sp_pool *pool, const sp_scan_spec *spec, const scan_how *how,
                                  sp_str *out, sp_error *err) {
  sp_dataset *d = NULL;
  SP_TRY(sp_dataset_open(spec, mem, &d, err));
  sp_status st = scan_dataset(d, (sp_maker){mem, pool}, how, out, err);
  sp_dataset_unref(d);
  if (st == SP_OK) {
    st = sp_str_status(out, err);
  }
  return st;
}

/* ---- one CSV text ---- */
static inline sp_scan_spec csv_spec(const char *const *path) {
  sp_scan_spec s;
  sp_scan_spec_init(&s);
  s.format = sp_format_by_name(SP_SV("csv"));
  s.n_paths = 1;
  s.paths = path;
  return s;
}

/* The rows of `text` read as `spec` says (its paths are set here), in the test's arena. */
static inline const char *csv_rows(world *w, sp_scan_spec spec, const scan_how *how, const char *text,
                                   size_t n) {
  const char *path = world_put(w, "t.csv", text, n);
  spec.n_paths = 1;
  spec.paths = &path;
  sp_str out;
  sp_error err = SP_ERROR_INIT;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  if (scan_rows(&w->mem, w->pool, &spec, how, &out, &err) != SP_OK) {
    fail_msg("line %u col %u: %s", err.line, err.col, err.message);
  }
  const char *rows = sp_arena_strndup(&w->arena, out.p, out.n);
  sp_str_release(&out);
  assert_non_null(rows);
  return rows;
}

/* How reading `text` fails. */
static inline sp_error csv_error(world *w, sp_scan_spec spec, const char *text, size_t n) {
  const char *path = world_put(w, "t.csv", text, n);
  spec.n_paths = 1;
  spec.paths = &path;
  sp_str out;
  sp_error err = SP_ERROR_INIT;
  sp_str_init(&out, &w->mem, TEXT_MAX);
  if (scan_rows(&w->mem, w->pool, &spec, NULL, &out, &err) == SP_OK) {
    fail_msg("no error, but rows:\n%s", out.p);
  }
  sp_str_release(&out);
  return err;
}

/* A schema from "name type;name type". */
static inline const sp_schema *schema_of(world *w, const char *text) {
  sp_schema_builder b;
  sp_schema_begin(&b, &w->arena);
  while (*text != '\0') {
    const size_t name = strcspn(text, " ");
    const size_t type = strcspn(text + name + 1, ";");
    const sp_type *t = sp_type_parse((sp_sv){text + name + 1, type});
    assert_non_null(t);
    sp_schema_add(&b, (sp_sv){text, name}, t);
    text += name + 1 + type;
    text += *text == ';';
  }
  const sp_schema *s = NULL;
  assert_int_equal(sp_schema_finish(&b, NULL, &s, NULL), SP_OK);
  return s;
}

#endif
