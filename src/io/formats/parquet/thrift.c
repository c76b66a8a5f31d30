/* Thrift's compact protocol. A field header is one byte, (delta of the id << 4 | type), or the type alone and
 * a zigzag id after it; integers are zigzag varints; strings a varint length and bytes; lists (n << 4 |
 * type), n = 15 meaning that a varint follows.
 *
 * Worked example: 15 02 19 1c 00 00 reads as: field 1 (i32) = 1; field 2 (list) of 1 struct, which is empty;
 * end. */
#include "io/formats/parquet/thrift.h"

static uint8_t get_byte(sp_thrift_in *in) {
  if (in->failed || in->p >= in->end) {
    in->failed = true;
    return 0;
  }
  return *in->p++;
}

static uint64_t get_varint(sp_thrift_in *in) {
  uint64_t v = 0;
  for (uint32_t shift = 0; shift < 64; shift += 7) {
    const uint8_t b = get_byte(in);
    v |= (uint64_t)(b & 0x7f) << shift;
    if ((b & 0x80) == 0) {
      return v;
    }
  }
  in->failed = true;
  return 0;
}

static int64_t get_zigzag(sp_thrift_in *in) {
  const uint64_t v = get_varint(in);
  return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

static void advance(sp_thrift_in *in, uint64_t n) {
  if (in->failed || n > (uint64_t)(in->end - in->p)) {
    in->failed = true;
    return;
  }
  in->p += n;
}

bool sp_thrift_next(sp_thrift_in *in, sp_thrift_field *f) {
  const uint8_t b = get_byte(in);
  if (in->failed || (b & 0x0f) == SP_THRIFT_STOP) {
    return false;
  }
  const uint32_t delta = b >> 4;
  const int64_t id = delta != 0 ? f->id + (int64_t)delta : get_zigzag(in);
  if (in->failed || id < INT16_MIN || id > INT16_MAX || (b & 0x0f) > SP_THRIFT_UUID) {
    in->failed = true;
    return false;
  }
  f->id = (int16_t)id;
  f->type = b & 0x0f;
  return true;
}

static bool expect(sp_thrift_in *in, bool ok) {
  if (!ok) {
    in->failed = true;
  }
  return !in->failed;
}

bool sp_thrift_bool(sp_thrift_in *in, const sp_thrift_field *f) {
  return expect(in, f->type == SP_THRIFT_TRUE || f->type == SP_THRIFT_FALSE) && f->type == SP_THRIFT_TRUE;
}

int64_t sp_thrift_i64(sp_thrift_in *in, const sp_thrift_field *f) {
  if (f->type == SP_THRIFT_BYTE) {
    return (int8_t)get_byte(in);
  }
  if (!expect(in, f->type == SP_THRIFT_I16 || f->type == SP_THRIFT_I32 || f->type == SP_THRIFT_I64)) {
    return 0;
  }
  return get_zigzag(in);
}

int32_t sp_thrift_i32(sp_thrift_in *in, const sp_thrift_field *f) {
  const int64_t v = sp_thrift_i64(in, f);
  return expect(in, v >= INT32_MIN && v <= INT32_MAX) ? (int32_t)v : 0;
}

sp_sv sp_thrift_binary(sp_thrift_in *in, const sp_thrift_field *f) {
  if (!expect(in, f->type == SP_THRIFT_BINARY)) {
    return (sp_sv){"", 0};
  }
  const uint64_t n = get_varint(in);
  const uint8_t *p = in->p;
  advance(in, n);
  return in->failed ? (sp_sv){"", 0} : (sp_sv){(const char *)p, (size_t)n};
}

bool sp_thrift_struct(sp_thrift_in *in, const sp_thrift_field *f) {
  return expect(in, f->type == SP_THRIFT_STRUCT);
}

static uint64_t list_header(sp_thrift_in *in, uint8_t *ret_type) {
  const uint8_t b = get_byte(in);
  uint64_t n = b >> 4;
  if (n == 15) {
    n = get_varint(in);
  }
  *ret_type = b & 0x0f;
  expect(in, in->failed || n <= (uint64_t)(in->end - in->p));
  return in->failed ? 0 : n;
}

uint32_t sp_thrift_list(sp_thrift_in *in, const sp_thrift_field *f, uint8_t elem_type) {
  if (!expect(in, f->type == SP_THRIFT_LIST || f->type == SP_THRIFT_SET)) {
    return 0;
  }
  uint8_t t;
  const uint64_t n = list_header(in, &t);
  return expect(in, (n == 0 || t == elem_type) && n <= UINT32_MAX) ? (uint32_t)n : 0;
}

static void skip_value(sp_thrift_in *in, uint8_t type, bool in_list, uint32_t depth);

static void skip_struct(sp_thrift_in *in, uint32_t depth) {
  sp_thrift_field f = {0};
  while (sp_thrift_next(in, &f)) {
    skip_value(in, f.type, false, depth + 1);
  }
}

static void skip_list(sp_thrift_in *in, uint32_t depth) {
  uint8_t t;
  const uint64_t n = list_header(in, &t);
  for (uint64_t i = 0; i < n && !in->failed; i++) {
    skip_value(in, t, true, depth + 1);
  }
}

static void skip_map(sp_thrift_in *in, uint32_t depth) {
  const uint64_t n = get_varint(in);
  if (n == 0) {
    return;
  }
  const uint8_t kv = get_byte(in);
  for (uint64_t i = 0; i < n && !in->failed; i++) {
    skip_value(in, kv >> 4, true, depth + 1);
    skip_value(in, kv & 0x0f, true, depth + 1);
  }
}

static void skip_value(sp_thrift_in *in, uint8_t type, bool in_list, uint32_t depth) {
  if (!expect(in, depth < SP_THRIFT_DEPTH)) {
    return;
  }
  switch (type) {
  case SP_THRIFT_TRUE:
  case SP_THRIFT_FALSE:
    if (in_list) {
      advance(in, 1);
    }
    return;
  case SP_THRIFT_BYTE:
    advance(in, 1);
    return;
  case SP_THRIFT_I16:
  case SP_THRIFT_I32:
  case SP_THRIFT_I64:
    get_varint(in);
    return;
  case SP_THRIFT_DOUBLE:
    advance(in, 8);
    return;
  case SP_THRIFT_BINARY:
    advance(in, get_varint(in));
    return;
  case SP_THRIFT_LIST:
  case SP_THRIFT_SET:
    skip_list(in, depth);
    return;
  case SP_THRIFT_MAP:
    skip_map(in, depth);
    return;
  case SP_THRIFT_STRUCT:
    skip_struct(in, depth);
    return;
  case SP_THRIFT_UUID:
    advance(in, 16);
    return;
  default:
    in->failed = true;
  }
}

void sp_thrift_skip(sp_thrift_in *in, const sp_thrift_field *f) {
  skip_value(in, f->type, false, 0);
}

/* ---- writing ---- */

static void put_varint(sp_thrift_out *w, uint64_t v) {
  char b[10];
  uint32_t n = 0;
  while (v >= 0x80) {
    b[n++] = (char)(v | 0x80);
    v >>= 7;
  }
  b[n++] = (char)v;
  sp_str_addn(w->out, b, n);
}

static void put_zigzag(sp_thrift_out *w, int64_t v) {
  put_varint(w, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void put_header(sp_thrift_out *w, int16_t id, uint8_t type) {
  const int32_t delta = id - w->last[w->depth];
  if (delta > 0 && delta <= 15) {
    sp_str_addc(w->out, (char)(delta << 4 | type));
  } else {
    sp_str_addc(w->out, (char)type);
    put_zigzag(w, id);
  }
  w->last[w->depth] = id;
}

void sp_thrift_begin(sp_thrift_out *w, sp_str *out) {
  *w = (sp_thrift_out){.out = out};
}

void sp_thrift_end(sp_thrift_out *w) {
  sp_str_addc(w->out, SP_THRIFT_STOP);
  if (w->depth > 0) {
    w->depth--;
  }
}

void sp_thrift_put_bool(sp_thrift_out *w, int16_t id, bool v) {
  put_header(w, id, v ? SP_THRIFT_TRUE : SP_THRIFT_FALSE);
}

void sp_thrift_put_i8(sp_thrift_out *w, int16_t id, int8_t v) {
  put_header(w, id, SP_THRIFT_BYTE);
  sp_str_addc(w->out, (char)v);
}

void sp_thrift_put_i32(sp_thrift_out *w, int16_t id, int32_t v) {
  put_header(w, id, SP_THRIFT_I32);
  put_zigzag(w, v);
}

void sp_thrift_put_i64(sp_thrift_out *w, int16_t id, int64_t v) {
  put_header(w, id, SP_THRIFT_I64);
  put_zigzag(w, v);
}

void sp_thrift_put_binary(sp_thrift_out *w, int16_t id, sp_sv v) {
  put_header(w, id, SP_THRIFT_BINARY);
  sp_thrift_elem_binary(w, v);
}

static void push(sp_thrift_out *w) {
  w->depth++;
  w->last[w->depth] = 0;
}

void sp_thrift_open_struct(sp_thrift_out *w, int16_t id) {
  put_header(w, id, SP_THRIFT_STRUCT);
  push(w);
}

void sp_thrift_open_list(sp_thrift_out *w, int16_t id, uint8_t elem_type, uint32_t n) {
  put_header(w, id, SP_THRIFT_LIST);
  if (n < 15) {
    sp_str_addc(w->out, (char)(n << 4 | elem_type));
  } else {
    sp_str_addc(w->out, (char)(0xf0 | elem_type));
    put_varint(w, n);
  }
}

void sp_thrift_elem_struct(sp_thrift_out *w) {
  push(w);
}

void sp_thrift_elem_i32(sp_thrift_out *w, int32_t v) {
  put_zigzag(w, v);
}

void sp_thrift_elem_binary(sp_thrift_out *w, sp_sv v) {
  put_varint(w, v.n);
  sp_str_addn(w->out, v.p, v.n);
}
