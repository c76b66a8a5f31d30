/* What sinks share. A sink passes no rows on; its schema is that of the rows it writes, so that check can
 * show it. */
#include "plan/kinds.h"

static sp_status check_partition(sp_bind_cx *cx, const sp_sink_node *n, const sp_schema *in, sp_error *err) {
  const sp_partition *p = &n->partition;
  for (uint32_t i = 0; i < p->by.n; i++) {
    if (sp_schema_find(in, sp_sv_from(p->by.items[i])) < 0) {
      return sp_unknown_in_list(in, &p->by, i, &n->base.loc, "partition/by", cx->arena, err);
    }
  }
  if (p->max_rows < 0 || p->max_bytes < 0) {
    const sp_loc at = sp_loc_member(&n->base.loc, "partition", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`max_rows` and `max_bytes` must not be negative");
  }
  const bool parts = p->max_rows > 0 || p->max_bytes > 0 || p->by.n > 0;
  if (parts != (strstr(n->path, "{part}") != NULL)) {
    const sp_loc path_at = sp_loc_member(&n->base.loc, "path", cx->arena);
    SP_FAIL(err, SP_INVALID, &path_at,
            parts ? "the path of a partitioned sink needs `{part}`, got `%.200s`"
                  : "`{part}` in the path needs `partition`, got `%.200s`",
            n->path);
  }
  return SP_OK;
}

sp_status sp_sink_resolve(sp_bind_cx *cx, const sp_node *written, const sp_node *const *inputs, sp_node **ret,
                          sp_error *err) {
  sp_sink_node *n = (sp_sink_node *)sp_node_copy(cx->arena, written);
  SP_TRY_ALLOC(err, n);
  if (n->path[0] == '\0') {
    const sp_loc at = sp_loc_member(&written->loc, "path", cx->arena);
    SP_FAIL(err, SP_INVALID, &at, "`path` is empty");
  }
  SP_TRY(check_partition(cx, n, inputs[0]->schema, err));
  *ret = &n->base;
  return SP_OK;
}

const char *sp_sink_plain_path(const sp_sink_node *n, sp_arena *a) {
  const size_t size = strlen(n->path);
  char *out = sp_arena_alloc(a, size + 1);
  if (out == NULL) {
    return NULL;
  }
  size_t at = 0;
  uint32_t depth = 0; /* parts that a `..` can take back */
  if (n->path[0] == '/') {
    out[at++] = '/';
  }
  const size_t root = at;
  for (const char *p = n->path; *p != '\0';) {
    const size_t len = strcspn(p, "/");
    if (len == 2 && memcmp(p, "..", 2) == 0 && depth > 0) {
      depth--;
      while (at > root && out[at - 1] != '/') {
        at--;
      }
      at -= at > root;
    } else if (len > 0 && !(len == 1 && *p == '.')) {
      depth = len == 2 && memcmp(p, "..", 2) == 0 ? 0 : depth + 1;
      if (at > root) {
        out[at++] = '/';
      }
      memcpy(out + at, p, len);
      at += len;
    }
    p += len + (p[len] == '/');
  }
  out[at] = '\0';
  return out;
}

void sp_sink_headline(const sp_node *node, sp_str *out) {
  const sp_sink_node *n = (const sp_sink_node *)node;
  sp_str_add(out, n->path);
  if (n->compression != NULL) {
    sp_str_addf(out, " (%s)", n->compression);
  }
}
