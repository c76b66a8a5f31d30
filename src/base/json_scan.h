/* What json.c and json_scan.c need of each other; everybody else uses json.h. */
#ifndef SP_BASE_JSON_SCAN_H
#define SP_BASE_JSON_SCAN_H

#include "base/json.h"

/* Scans text (n bytes and a NUL, changed in place by blanking) into values in the arena. d holds file and
 * lines already; its root is what *ret_root will be. */
sp_status sp_json_scan(sp_arena *a, const sp_json_doc *d, char *text, const sp_json **ret_root,
                       sp_error *err);

/* Decodes the inside of a string token, whose escapes have been checked, into the arena. */
sp_status sp_json_decode_string(sp_arena *a, const char *p, size_t n, sp_sv *ret, sp_error *err);

/* Line and column of an offset, both from 1. */
void sp_json_line_col(const sp_json_doc *d, uint32_t offset, uint32_t *ret_line, uint32_t *ret_col);

/* One step of a JSON pointer: "/" and the name with ~ and / escaped, NUL-terminated and cut at size. Returns
 * the bytes it would need without the NUL. */
size_t sp_json_pointer_key(char *out, size_t size, sp_sv key);
size_t sp_json_pointer_index(char *out, size_t size, uint32_t index);

#endif
