/* sink_parquet: writes its input's rows to a Parquet file.
 *
 *   {"id": "w", "op": "sink_parquet", "input": "t", "path": "out/t.parquet", "compression": "zstd:5"} */
#include "plan/kinds.h"

static const sp_field_desc fields[] = {
    {.key = "path",
     .kind = SP_F_STRING,
     .required = true,
     .offset = offsetof(sp_sink_node, path),
     .brief = 1,
     .doc = "file to write"},
    {.key = "partition",
     .kind = SP_F_PARTITION,
     .offset = offsetof(sp_sink_node, partition),
     .doc = "several files: {max_rows, max_bytes, by}"},
    {.key = "compression",
     .kind = SP_F_STRING,
     .offset = offsetof(sp_sink_node, compression),
     .brief = 2,
     .doc = "none, snappy, gzip, zstd, lz4 or brotli, with an optional level as in zstd:5; default zstd"},
    {.key = "mkdir",
     .kind = SP_F_BOOL,
     .offset = offsetof(sp_sink_node, mkdir),
     .doc = "make missing folders"},
    {.key = NULL}};

static const char *const codecs[] = {"none", "snappy", "gzip", "zstd", "lz4", "brotli"};
#define N_CODECS (sizeof codecs / sizeof *codecs)

static sp_sv codec_name(const void *ctx, uint32_t i) {
  (void)ctx;
  return sp_sv_from(codecs[i]);
}

static sp_status check_compression(sp_bind_cx *cx, const sp_sink_node *n, sp_error *err) {
  const char *colon = strchr(n->compression, ':');
  const sp_sv name = {n->compression,
                      colon != NULL ? (size_t)(colon - n->compression) : strlen(n->compression)};
  bool known = false;
  for (uint32_t i = 0; i < N_CODECS; i++) {
    known = known || sp_sv_eq(name, codec_name(NULL, i));
  }
  if (!known) {
    const sp_loc at = sp_loc_member(&n->base.loc, "compression", cx->arena);
    char near[128];
    sp_error_set(err, SP_INVALID, &at, "unknown compression `%.60s`", n->compression);
    if (sp_nearest_names(name, N_CODECS, codec_name, NULL, near, sizeof near)) {
      sp_error_hint(err, "did you mean %s?", near);
    } else {
      sp_error_hint(err, "none, snappy, gzip, zstd, lz4 and brotli are known");
    }
    return SP_INVALID;
  }
  if (colon != NULL &&
      (strlen(colon) < 2 || strlen(colon) > 3 || strspn(colon + 1, "0123456789") != strlen(colon + 1))) {
    const sp_loc at = sp_loc_member(&n->base.loc, "compression", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "the level in compression `%.60s` must be a number of one or two digits",
            n->compression);
  }
  return SP_OK;
}

static sp_status resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                         sp_error *err) {
  const sp_sink_node *n = (const sp_sink_node *)written;
  if (n->compression != NULL) {
    SP_TRY(check_compression(cx, n, err));
  }
  return sp_sink_resolve(cx, written, inputs, ret, err);
}

const sp_node_ops sp_node_kind_sink_parquet = {
    .name = "sink_parquet",
    .symbol = "▼",
    .summary = "writes a Parquet file",
    .flags = SP_NODE_SINK,
    .size = sizeof(sp_sink_node),
    .input_keys = (const char *const[]){"input", NULL},
    .fields = fields,
    .resolve = resolve,
    .schema = sp_schema_same,
    .needs = sp_needs_all,
    .headline = sp_sink_headline,
};
