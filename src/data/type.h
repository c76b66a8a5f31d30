/* Types: interned and parametric, so that two types are equal when their pointers are.
 *
 * A type is what a user sees; its physical form is how a flat column stores it:
 *   bool one byte 0/1 · date int32 days since 1970-01-01 · datetime int64 units since 1970-01-01T00:00 (UTC
 * when it has a zone) · time int64 ns since midnight · duration int64 units · decimal(p<=18) int64,
 * decimal(p>18) int128, both scaled by 10^s · string and binary sp_view · interval sp_interval (literals
 * only). Types live as long as the process and are never freed. All functions are thread-safe. */
#ifndef SP_DATA_TYPE_H
#define SP_DATA_TYPE_H

#include "base/str.h"

typedef enum sp_kind {
#define SP_KIND(e, name, phys, width, family) SP_KIND_##e,
#include "data/types.def"
#undef SP_KIND
  SP_KIND_COUNT
} sp_kind;

typedef enum sp_phys {
  SP_PHYS_NONE, /* null: no values */
  SP_PHYS_I8,
  SP_PHYS_I16,
  SP_PHYS_I32,
  SP_PHYS_I64,
  SP_PHYS_U8,
  SP_PHYS_U16,
  SP_PHYS_U32,
  SP_PHYS_U64,
  SP_PHYS_F32,
  SP_PHYS_F64,
  SP_PHYS_I128, /* 16 bytes, aligned to 16 in flat columns; load by memcpy elsewhere */
  SP_PHYS_VIEW,
  SP_PHYS_INTERVAL
} sp_phys;

typedef enum sp_family {
  SP_FAMILY_NULL,
  SP_FAMILY_BOOL,
  SP_FAMILY_SIGNED,
  SP_FAMILY_UNSIGNED,
  SP_FAMILY_FLOAT,
  SP_FAMILY_DECIMAL,
  SP_FAMILY_STRING,
  SP_FAMILY_BINARY,
  SP_FAMILY_TEMPORAL
} sp_family;

typedef enum sp_unit { SP_UNIT_NONE, SP_UNIT_MS, SP_UNIT_US, SP_UNIT_NS } sp_unit;

typedef struct sp_type {
  sp_kind kind;
  sp_phys phys;
  sp_family family;
  uint32_t width;           /* bytes per value in a flat column */
  sp_unit unit;             /* datetime, duration */
  const char *zone;         /* datetime: NULL or an IANA name */
  uint8_t precision, scale; /* decimal */
  const char *name;         /* "int64", "decimal(15,2)", "datetime(us)", "datetime(us, 'UTC')" */
} sp_type;

/* Types without parameters: sp_type_of(SP_KIND_INT64). datetime and duration: microseconds; decimal: NULL. */
const sp_type *sp_type_of(sp_kind k);
const sp_type *sp_type_decimal(uint32_t precision, uint32_t scale); /* NULL unless 1 <= p <= 38, s <= p */
/* NULL when out of memory, when the zone is over 64 bytes or holds a quote, and past 4,096 different zones.
 */
const sp_type *sp_type_datetime(sp_unit u, const char *zone);
const sp_type *sp_type_duration(sp_unit u);
/* Reads a type's name as in the plan format, in any case; also "int" (64 bits), "float", "str", "decimal(p)",
 * bare "datetime" and SQL's names (bigint, double, varchar, timestamp, ...). NULL when it is none. */
const sp_type *sp_type_parse(sp_sv name);

static inline bool sp_type_is_int(const sp_type *t) {
  return t->family == SP_FAMILY_SIGNED || t->family == SP_FAMILY_UNSIGNED;
}
static inline bool sp_type_is_float(const sp_type *t) {
  return t->family == SP_FAMILY_FLOAT;
}
static inline bool sp_type_is_numeric(const sp_type *t) {
  return sp_type_is_int(t) || sp_type_is_float(t) || t->family == SP_FAMILY_DECIMAL;
}
static inline bool sp_type_is_bytes(const sp_type *t) {
  return t->phys == SP_PHYS_VIEW;
}
int64_t sp_unit_per_second(sp_unit u); /* 1000, 1000000, 1000000000 */

/* The type both sides of an operation or the branches of a CASE are brought to, or NULL when there is none.
 * null with T: T. Integers: the wider; signed with unsigned: the smallest signed that holds both; any int
 * with uint64 of the other sign: float64. float32 with ints of up to 16 bits: float32, every other int with
 * float: float64. Decimal with decimal or int: all digits of both, at most 38; with float: float64. Date with
 * datetime: the datetime; datetimes of one zone and durations: the finer unit. Everything else: none. */
const sp_type *sp_type_common(const sp_type *a, const sp_type *b);

/* ---- string views ---- */
/* Up to 12 bytes inline (unused ones zero, so that two u64 compares decide equality), else 4 bytes of prefix
 * and a pointer into a buffer that the column keeps alive. */
typedef struct sp_view {
  uint32_t n;
  union {
    char inl[12];
    struct __attribute__((packed)) {
      char prefix[4];
      const char *p;
    };
  };
} sp_view;
_Static_assert(sizeof(sp_view) == 16, "a view is 16 bytes");
#define SP_VIEW_INLINE 12

static inline const char *sp_view_ptr(const sp_view *v) {
  return v->n <= SP_VIEW_INLINE ? v->inl : v->p;
}
static inline sp_sv sp_view_sv(const sp_view *v) {
  return (sp_sv){sp_view_ptr(v), v->n};
}
static inline sp_view sp_view_make(const char *p, uint32_t n) {
  sp_view v;
  memset(&v, 0, sizeof v);
  v.n = n;
  if (n <= SP_VIEW_INLINE) {
    if (n > 0) {
      memcpy(v.inl, p, n);
    }
  } else {
    memcpy(v.prefix, p, 4);
    v.p = p;
  }
  return v;
}
static inline bool sp_view_eq(const sp_view *a, const sp_view *b) {
  uint64_t a0, b0;
  memcpy(&a0, a, 8);
  memcpy(&b0, b, 8);
  if (a0 != b0) {
    return false;
  }
  uint64_t a1, b1;
  memcpy(&a1, (const char *)a + 8, 8);
  memcpy(&b1, (const char *)b + 8, 8);
  return a1 == b1 || (a->n > SP_VIEW_INLINE && memcmp(a->p, b->p, a->n) == 0);
}
int sp_view_cmp(const sp_view *a, const sp_view *b); /* bytewise */

typedef __int128 sp_i128;
typedef unsigned __int128 sp_u128;

/* Calendar interval: months, days and microseconds are kept apart, as they do not convert. */
typedef struct sp_interval {
  int32_t months, days;
  int64_t us;
} sp_interval;

#endif
