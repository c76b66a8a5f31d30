/* A Parquet file's footer and page headers as structs. Names and statistics are views of the footer's bytes.
 * Everything in here is what the file claims: sizes and offsets are checked where they are used. */
#ifndef SP_IO_PARQUET_META_H
#define SP_IO_PARQUET_META_H

#include "data/type.h"
#include "io/formats/parquet/thrift.h"

typedef enum sp_pq_phys {
  SP_PQ_BOOLEAN = 0,
  SP_PQ_INT32 = 1,
  SP_PQ_INT64 = 2,
  SP_PQ_INT96 = 3,
  SP_PQ_FLOAT = 4,
  SP_PQ_DOUBLE = 5,
  SP_PQ_BYTE_ARRAY = 6,
  SP_PQ_FIXED = 7
} sp_pq_phys;

typedef enum sp_pq_encoding {
  SP_PQ_PLAIN = 0,
  SP_PQ_PLAIN_DICTIONARY = 2,
  SP_PQ_RLE = 3,
  SP_PQ_BIT_PACKED = 4,
  SP_PQ_DELTA_BINARY = 5,
  SP_PQ_DELTA_LENGTH = 6,
  SP_PQ_DELTA_BYTES = 7,
  SP_PQ_RLE_DICTIONARY = 8,
  SP_PQ_BYTE_STREAM_SPLIT = 9
} sp_pq_encoding;

typedef enum sp_pq_codec {
  SP_PQ_NONE = 0,
  SP_PQ_SNAPPY = 1,
  SP_PQ_GZIP = 2,
  SP_PQ_LZO = 3,
  SP_PQ_BROTLI = 4,
  SP_PQ_LZ4 = 5,
  SP_PQ_ZSTD = 6,
  SP_PQ_LZ4_RAW = 7
} sp_pq_codec;

enum { SP_PQ_REQUIRED = 0, SP_PQ_OPTIONAL = 1, SP_PQ_REPEATED = 2 };
enum { SP_PQ_PAGE_DATA = 0, SP_PQ_PAGE_INDEX = 1, SP_PQ_PAGE_DICT = 2, SP_PQ_PAGE_DATA_V2 = 3 };

/* ConvertedType, the older annotation. */
typedef enum sp_pq_converted {
  SP_PQ_CONV_NONE = -1,
  SP_PQ_CONV_UTF8 = 0,
  SP_PQ_CONV_MAP = 1,
  SP_PQ_CONV_MAP_KEY_VALUE = 2,
  SP_PQ_CONV_LIST = 3,
  SP_PQ_CONV_ENUM = 4,
  SP_PQ_CONV_DECIMAL = 5,
  SP_PQ_CONV_DATE = 6,
  SP_PQ_CONV_TIME_MS = 7,
  SP_PQ_CONV_TIME_US = 8,
  SP_PQ_CONV_TIMESTAMP_MS = 9,
  SP_PQ_CONV_TIMESTAMP_US = 10,
  SP_PQ_CONV_UINT8 = 11, /* 12, 13, 14: 16, 32, 64 bits */
  SP_PQ_CONV_UINT64 = 14,
  SP_PQ_CONV_INT8 = 15, /* 16, 17, 18 */
  SP_PQ_CONV_INT64 = 18,
  SP_PQ_CONV_JSON = 19,
  SP_PQ_CONV_BSON = 20,
  SP_PQ_CONV_INTERVAL = 21
} sp_pq_converted;

/* LogicalType, the newer one: the field ids of its union. */
typedef enum sp_pq_logical {
  SP_PQ_LOG_NONE = 0,
  SP_PQ_LOG_STRING = 1,
  SP_PQ_LOG_MAP = 2,
  SP_PQ_LOG_LIST = 3,
  SP_PQ_LOG_ENUM = 4,
  SP_PQ_LOG_DECIMAL = 5,
  SP_PQ_LOG_DATE = 6,
  SP_PQ_LOG_TIME = 7,
  SP_PQ_LOG_TIMESTAMP = 8,
  SP_PQ_LOG_INTEGER = 10,
  SP_PQ_LOG_UNKNOWN = 11,
  SP_PQ_LOG_JSON = 12,
  SP_PQ_LOG_BSON = 13,
  SP_PQ_LOG_UUID = 14,
  SP_PQ_LOG_FLOAT16 = 15
} sp_pq_logical;

typedef struct sp_pq_element { /* SchemaElement */
  sp_sv name;
  int32_t phys; /* -1: a group */
  int32_t type_length, repetition, n_children, converted, scale, precision;
  int32_t logical; /* sp_pq_logical, or an id unknown here */
  int32_t log_scale, log_precision;
  sp_unit log_unit; /* TIME, TIMESTAMP */
  bool log_utc;
  int32_t log_bits; /* INTEGER */
  bool log_signed;
} sp_pq_element;

typedef struct sp_pq_stats {
  sp_sv min, max;             /* old fields, order not always known */
  sp_sv min_value, max_value; /* in the column's order */
  bool has_old, has_min_value, has_max_value;
  int8_t min_exact, max_exact;  /* -1 = not told */
  int64_t null_count, distinct; /* -1 = not told */
} sp_pq_stats;

typedef struct sp_pq_chunk_meta {
  bool present; /* it has metadata here (else encrypted, or in another file) */
  int32_t phys, codec;
  int64_t num_values, compressed, uncompressed;
  int64_t data_offset, dict_offset; /* dict_offset 0 or below: none told */
  sp_pq_stats stats;
} sp_pq_chunk_meta;

typedef struct sp_pq_group {
  int64_t rows;
  uint32_t n_chunks;
  sp_pq_chunk_meta *chunks;
} sp_pq_group;

typedef struct sp_pq_kv {
  sp_sv key, value;
} sp_pq_kv;

typedef struct sp_pq_meta { /* FileMetaData */
  int64_t rows;
  uint32_t n_elements, n_groups, n_kv;
  sp_pq_element *elements;
  sp_pq_group *groups;
  sp_pq_kv *kv;
} sp_pq_meta;

typedef struct sp_pq_page_header {
  int32_t type;
  int32_t uncompressed, compressed; /* sizes of the body */
  int32_t num_values;               /* dictionary: entries */
  int32_t encoding, def_encoding;
  int32_t num_nulls, def_bytes, rep_bytes; /* v2 */
  bool is_compressed;                      /* v2; true otherwise */
} sp_pq_page_header;

/* SP_DATA when the bytes are no footer. All memory is the arena's. */
sp_status sp_pq_meta_read(sp_arena *a, const uint8_t *p, size_t n, sp_pq_meta *ret, sp_error *err);
/* false when the n bytes at p do not hold a whole valid header. */
bool sp_pq_page_header_read(const uint8_t *p, size_t n, sp_pq_page_header *ret, size_t *ret_used);

#endif
