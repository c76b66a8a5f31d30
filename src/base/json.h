/* JSON in and out. The only user of cJSON.
 *
 * Reading: sp_json_parse scans the text itself, because cJSON keeps no places, rounds integers past 2^53,
 * stops at depth 1,000 and accepts trailing text, duplicate keys and bad UTF-8; string tokens with escapes
 * are decoded by cJSON. Comments (// # and C's) and trailing commas are accepted by blanking them in place,
 * so lines and columns stay true. Errors name the JSON pointer, line and column. Nothing recurses: depth is
 * limited to SP_JSON_MAX_DEPTH by a counter, not by the stack.
 *
 * Values live in one array in document order: a value's first child is the next one, siblings are linked. A
 * long array of small integers (Polars' embedded IPC bytes) is one SP_JSON_INTS value, not a value per
 * element.
 *
 * Writing: sp_jw streams strict JSON into an sp_str with keys in call order. */
#ifndef SP_BASE_JSON_H
#define SP_BASE_JSON_H

#include "base/str.h"

#define SP_JSON_MAX_DEPTH 10000
#define SP_JSON_MAX_BYTES ((size_t)1 << 30)
#define SP_JSON_INTS_MIN 64 /* arrays of at least so many integers 0..255 become SP_JSON_INTS */

typedef enum sp_json_kind {
  SP_JSON_NULL,
  SP_JSON_BOOL,
  SP_JSON_INT,    /* fits int64 */
  SP_JSON_UINT,   /* above INT64_MAX, fits uint64 */
  SP_JSON_NUMBER, /* any other number: see num; text has the digits as written */
  SP_JSON_STRING,
  SP_JSON_ARRAY,
  SP_JSON_OBJECT,
  SP_JSON_INTS /* an array of integers 0..255, as bytes in str */
} sp_json_kind;

typedef struct sp_json {
  sp_json_kind kind;
  uint32_t offset, end; /* bytes in the text */
  uint32_t n;           /* array and object: children; of INTS the count is str.n */
  uint32_t key_offset;  /* in an object: where the member's name starts in the text */
  sp_sv key;            /* in an object: the member's name, decoded; NUL-terminated; else {NULL,0} */
  sp_sv str;            /* STRING decoded, NUL-terminated (it may hold U+0000); NUMBER and ints: as written */
  union {
    bool b;
    int64_t i;
    uint64_t u;
  };
  double num;                  /* any number as double; inf when out of range */
  const struct sp_json *first; /* first child or NULL */
  const struct sp_json *next;  /* next sibling or NULL */
  const struct sp_json *parent;
} sp_json;

typedef struct sp_json_doc {
  const char *file; /* for errors, may be NULL */
  const char *text;
  size_t size;
  const sp_json *root;
  const uint32_t *line_starts; /* offsets of lines, ascending */
  uint32_t n_lines;
} sp_json_doc;

/* Everything, the text copy included, comes from the arena. file is copied. */
sp_status sp_json_parse(sp_arena *a, const char *file, const char *text, size_t n, const sp_json_doc **ret,
                        sp_error *err);

/* Place of a value; the pointer is built in the arena ("" when out of memory). */
sp_loc sp_json_loc(const sp_json_doc *d, const sp_json *v, sp_arena *a);
/* The same pointer, but line and column of the member's name; v must be a member of an object. */
sp_loc sp_json_key_loc(const sp_json_doc *d, const sp_json *v, sp_arena *a);
/* NULL when absent or v is no object. O(members). */
const sp_json *sp_json_get(const sp_json *v, const char *key);
const char *sp_json_kind_name(sp_json_kind k); /* "an object", "a string", … for messages */

/* ---- writing ---- */
typedef struct sp_jw {
  sp_str *out;
  uint32_t depth;
  bool pretty; /* two spaces, one member per line */
  bool first;  /* nothing written yet at this level */
  bool after_key;
  uint8_t inline_from; /* depth from which arrays and objects go on one line; 255 = never */
} sp_jw;
void sp_jw_init(sp_jw *w, sp_str *out, bool pretty);
void sp_jw_open(sp_jw *w, char bracket);  /* '{' or '[' */
void sp_jw_close(sp_jw *w, char bracket); /* '}' or ']' */
void sp_jw_key(sp_jw *w, const char *key);
void sp_jw_str(sp_jw *w, sp_sv s); /* invalid UTF-8 becomes U+FFFD */
void sp_jw_cstr(sp_jw *w, const char *s);
void sp_jw_int(sp_jw *w, int64_t v);
void sp_jw_uint(sp_jw *w, uint64_t v);
void sp_jw_double(sp_jw *w, double v); /* shortest that reads back; NaN and infinities become null */
void sp_jw_bool(sp_jw *w, bool v);
void sp_jw_null(sp_jw *w);
void sp_jw_raw(sp_jw *w, const char *json); /* already JSON */

#endif
