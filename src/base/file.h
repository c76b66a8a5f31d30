/* Small whole files and safe output files. Bulk data goes through src/io.
 *
 * An output is written to a temporary file beside its target and renamed over it when complete, so that a
 * failure leaves nothing behind; when the target already holds the same bytes it is left alone, and so is its
 * time. */
#ifndef SP_BASE_FILE_H
#define SP_BASE_FILE_H

#include "base/str.h"

/* Reads a whole file ("-" is standard input) of at most max bytes into the arena, NUL-terminated. A file
 * that does not exist is SP_NOT_FOUND, one that cannot be read SP_IO, a larger one SP_LIMIT. */
sp_status sp_file_read(sp_arena *a, const char *path, size_t max, char **ret_text, size_t *ret_n,
                       sp_error *err);
/* Writes atomically as above; "-" is standard output. *ret_changed (may be NULL): false when the bytes were
 * already there. */
sp_status sp_file_write(sp_mem *mem, const char *path, const char *p, size_t n, bool *ret_changed,
                        sp_error *err);

/* A streaming output file. Writes are buffered. Not thread-safe. */
typedef struct sp_out_file sp_out_file;
/* mkdir: make missing parent folders. */
sp_status sp_out_open(sp_mem *mem, const char *path, bool mkdir, sp_out_file **ret, sp_error *err);
sp_status sp_out_write(sp_out_file *f, const void *p, size_t n, sp_error *err);
int64_t sp_out_pos(const sp_out_file *f); /* bytes written so far */
/* Flushes and renames. On failure nothing is left behind; f is freed either way. */
sp_status sp_out_commit(sp_out_file *f, sp_error *err);
sp_out_file *sp_out_abort(sp_out_file *f); /* removes the temporary file; NULL-safe, returns NULL */

/* ---- paths ---- */
/* base/rel, or rel when it is absolute or base is NULL or "". */
char *sp_path_join(sp_arena *a, const char *base, const char *rel);
char *sp_path_dir(sp_arena *a, const char *path); /* "." when it has none */
const char *sp_path_base(const char *path);
const char *sp_path_suffix(const char *path); /* "parquet" of "a/b.parquet", "" when none; no dot */
bool sp_path_exists(const char *path);
bool sp_path_is_dir(const char *path);

#endif
