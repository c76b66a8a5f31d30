/* Thrift's compact protocol, as much of it as Parquet needs: structs are read field by field, unknown fields
 * skipped.
 *
 * Reading never fails in the middle of an expression: a reader that runs out of bytes or meets the wrong type
 * sets `failed`, returns zeros from then on, and every loop over it ends. The caller asks once, at the end.
 */
#ifndef SP_IO_PARQUET_THRIFT_H
#define SP_IO_PARQUET_THRIFT_H

#include "base/str.h"

typedef enum sp_thrift_type {
  SP_THRIFT_STOP = 0,
  SP_THRIFT_TRUE = 1, /* a field's boolean is in its header; in lists 1 and 2 both mean "a byte each" */
  SP_THRIFT_FALSE = 2,
  SP_THRIFT_BYTE = 3,
  SP_THRIFT_I16 = 4,
  SP_THRIFT_I32 = 5,
  SP_THRIFT_I64 = 6,
  SP_THRIFT_DOUBLE = 7,
  SP_THRIFT_BINARY = 8,
  SP_THRIFT_LIST = 9,
  SP_THRIFT_SET = 10,
  SP_THRIFT_MAP = 11,
  SP_THRIFT_STRUCT = 12,
  SP_THRIFT_UUID = 13
} sp_thrift_type;

#define SP_THRIFT_DEPTH 32 /* nesting of skipped values */

typedef struct sp_thrift_in {
  const uint8_t *p, *end;
  bool failed;
} sp_thrift_in;

typedef struct sp_thrift_field { /* starts as {0} for each struct */
  int16_t id;
  uint8_t type;
} sp_thrift_field;

/* The next field of the struct being read; false at its end or on failure. */
bool sp_thrift_next(sp_thrift_in *in, sp_thrift_field *f);
/* The field's value, which must be of the kind named. Integers of any width are accepted and range-checked.
 */
bool sp_thrift_bool(sp_thrift_in *in, const sp_thrift_field *f);
int32_t sp_thrift_i32(sp_thrift_in *in, const sp_thrift_field *f);
int64_t sp_thrift_i64(sp_thrift_in *in, const sp_thrift_field *f);
sp_sv sp_thrift_binary(sp_thrift_in *in, const sp_thrift_field *f); /* a view of the input */
/* Fails unless the field is a struct; its fields follow. */
bool sp_thrift_struct(sp_thrift_in *in, const sp_thrift_field *f);
/* Number of elements, which follow; each takes at least one byte of input, so the count is bounded by it. */
uint32_t sp_thrift_list(sp_thrift_in *in, const sp_thrift_field *f, uint8_t elem_type);
void sp_thrift_skip(sp_thrift_in *in, const sp_thrift_field *f);

/* ---- writing ---- */
typedef struct sp_thrift_out {
  sp_str *out;
  int16_t last[SP_THRIFT_DEPTH]; /* last field id per open struct */
  uint32_t depth;
} sp_thrift_out;

void sp_thrift_begin(sp_thrift_out *w, sp_str *out); /* opens the outermost struct */
void sp_thrift_end(sp_thrift_out *w);                /* closes the innermost struct */
void sp_thrift_put_bool(sp_thrift_out *w, int16_t id, bool v);
void sp_thrift_put_i8(sp_thrift_out *w, int16_t id, int8_t v);
void sp_thrift_put_i32(sp_thrift_out *w, int16_t id, int32_t v);
void sp_thrift_put_i64(sp_thrift_out *w, int16_t id, int64_t v);
void sp_thrift_put_binary(sp_thrift_out *w, int16_t id, sp_sv v);
void sp_thrift_open_struct(sp_thrift_out *w, int16_t id);
void sp_thrift_open_list(sp_thrift_out *w, int16_t id, uint8_t elem_type, uint32_t n);
/* Elements of a list. A struct element is closed by sp_thrift_end. */
void sp_thrift_elem_struct(sp_thrift_out *w);
void sp_thrift_elem_i32(sp_thrift_out *w, int32_t v);
void sp_thrift_elem_binary(sp_thrift_out *w, sp_sv v);

#endif
