/* One value of any type: literals, statistics, bounds. Strings are views of bytes that the maker of the value
 * keeps alive (a plan's arena, a file's footer). */
#ifndef SP_DATA_VALUE_H
#define SP_DATA_VALUE_H

#include "data/type.h"

typedef struct sp_value {
  const sp_type *type;
  bool is_null;
  union {
    bool b;
    int64_t i;  /* signed integers, date, datetime, time, duration, and decimal with precision <= 18 */
    uint64_t u; /* unsigned integers */
    double f;   /* float32 and float64 */
    sp_i128 d;  /* decimal with precision > 18 */
    sp_sv s;    /* string, binary */
    sp_interval iv;
  };
} sp_value;

static inline sp_value sp_value_null(const sp_type *t) {
  sp_value v;
  memset(&v, 0, sizeof v);
  v.type = t;
  v.is_null = true;
  return v;
}
sp_value sp_value_int(const sp_type *t, int64_t i); /* any integer, temporal or int64-decimal type */
sp_value sp_value_float(const sp_type *t, double f);
sp_value sp_value_bool(bool b);
sp_value sp_value_str(sp_sv s);
/* A decimal's unscaled value whatever its width; ints as they are. */
sp_i128 sp_value_i128(const sp_value *v);
/* A decimal of type t from an unscaled value that fits. */
sp_value sp_value_decimal(const sp_type *t, sp_i128 unscaled);

/* Total order within one type: nulls first, NaN last and equal to itself, -0.0 == 0.0. <0, 0, >0. */
int sp_value_cmp(const sp_value *a, const sp_value *b);
/* Same type, same value; nulls are equal to nulls. */
bool sp_value_eq(const sp_value *a, const sp_value *b);

/* Reads and writes the bytes of one value in a flat column (native order). */
void sp_value_store(const sp_value *v, void *slot);
sp_value sp_value_load(const sp_type *t, const void *slot);

/* Conversion between types. TRUNC and friends never happen silently: false when it cannot be represented
 * exactly in range (int to float rounds; float to int truncates toward zero; decimal rescaling rounds half
 * away from zero; string parses the whole text; anything to string prints it, into the arena). NULL stays
 * NULL. This is CAST's meaning in one place; the column kernels agree with it (a test compares them). */
bool sp_value_cast(const sp_value *v, const sp_type *to, sp_arena *a, sp_value *ret);
/* The same, but also false when information is lost (2.5 -> int, 300 -> uint8, 0.1 -> decimal(3,0)). */
bool sp_value_cast_exact(const sp_value *v, const sp_type *to, sp_arena *a, sp_value *ret);

/* Text as in CSV output and tables: null "null"-free (the caller decides), floats shortest, datetimes ISO. */
void sp_value_text(const sp_value *v, sp_str *out);

#endif
