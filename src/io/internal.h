/* What the files of this folder share: a dataset's parts. */
#ifndef SP_IO_INTERNAL_H
#define SP_IO_INTERNAL_H

#include <pthread.h>

#include "io/format.h"

typedef struct sp_ds_file {
  const char *path;
  const char *shown;     /* for include_file_path: as the plan or the glob spelled it */
  sp_source *source;     /* opened at the latest by plan */
  uint32_t *columns;     /* index in the source's schema of each file column of the dataset */
  sp_value *hive;        /* values of the hive columns, in their order */
  sp_source_plan plan;
  uint32_t first_morsel; /* in dataset->morsels */
  int64_t first_row;     /* of the whole scan; -1 unknown */
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
  const sp_type **file_types;                 /* types as the first file has them; schema's may differ (a given schema) */
  uint32_t n_hive;
  const sp_sv *hive_names;
  sp_scan_stats stats;
  uint32_t n_morsels;
  sp_ds_morsel *morsels;
  bool planned;
};

/* Expands paths into files (glob.c). */
sp_status sp_io_find_files(const sp_scan_spec *spec, sp_arena *a, sp_ds_file **ret, uint32_t *ret_n, sp_error *err);
/* "no such file" with the nearest names of its folder as the hint. */
sp_status sp_io_missing(const char *path, sp_error *err);
/* Hive columns of all files: names in order of the first file's path, types by all values; fills files' hive values (hive.c). */
sp_status sp_io_hive(sp_dataset *d, sp_schema_builder *b, sp_error *err);

#endif
