/* What the files of this folder share: a dataset's parts. */
#ifndef SP_IO_INTERNAL_H
#define SP_IO_INTERNAL_H

#include "io/format.h"

typedef struct sp_ds_file {
  const char *path;
  const char *keys;  /* the part of path whose folders may be hive keys: behind the spec's root */
  sp_source *source; /* opened at the latest by plan */
  uint32_t *columns; /* index in the source's schema of each file column of the dataset */
  sp_value *hive;    /* values of the hive columns, in their order */
  sp_source_plan plan;
  int64_t first_row; /* of the whole scan; -1 unknown */
} sp_ds_file;

typedef struct sp_ds_morsel {
  uint32_t file;
  sp_morsel morsel;
} sp_ds_morsel;

/* Dataset schema: [row index] file columns, hive columns, [file path]. */
struct sp_dataset {
  sp_mem *mem;
  sp_arena arena;
  const sp_scan_spec *spec;
  uint32_t n_files;
  sp_ds_file *files;
  const sp_schema *schema;
  uint32_t first_file_column, n_file_columns; /* in schema */
  const sp_type **file_types; /* types as the first file has them; schema's may differ (a given schema) */
  uint32_t n_hive;
  sp_field *hive;    /* name and type of the hive columns */
  sp_scan_spec rest; /* the spec for all files but the first: under its schema where none is given */
  sp_scan_stats stats;
  uint32_t n_morsels;
  sp_ds_morsel *morsels;
  bool planned;
};

/* The format of a path and how many bytes its suffix has with the dot; NULL when unknown (registry.c). */
const sp_format *sp_io_format_of(const char *path, size_t *ret_suffix);
/* Expands paths into files (glob.c). */
sp_status sp_io_find_files(const sp_scan_spec *spec, sp_arena *a, sp_ds_file **ret, uint32_t *ret_n,
                           sp_error *err);
/* "no such file" with the nearest names of its folder as the hint. */
sp_status sp_io_missing(const char *path, sp_error *err);
/* Hive columns of all files into d->hive and files' hive values: names in order of the first file's path,
 * types by the given schema, else by all values (hive.c). */
sp_status sp_io_hive(sp_dataset *d, sp_error *err);
int32_t sp_io_hive_find(const sp_dataset *d, sp_sv name); /* index of a hive column or -1 */

#endif
