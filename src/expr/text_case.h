/* Characters: counting and walking UTF-8, and simple case mapping. */
#ifndef SP_EXPR_TEXT_CASE_H
#define SP_EXPR_TEXT_CASE_H

#include "base/str.h"

/* Simple (one to one) mappings of Latin-1, Latin Extended-A and Additional, Greek, Cyrillic, Armenian and
 * full-width Latin, by rule and without a table or a locale; other characters stay. ß stays too, as its upper
 * case is two characters. */
uint32_t sp_char_upper(uint32_t cp);
uint32_t sp_char_lower(uint32_t cp);

bool sp_text_is_ascii(const char *p, size_t n);
static inline bool sp_is_char_start(char c) {
  return ((unsigned char)c & 0xc0) != 0x80;
}
/* Characters: bytes that start one. */
size_t sp_text_count(const char *p, size_t n);
/* Bytes of the first `chars` characters, at most n. */
size_t sp_text_prefix(const char *p, size_t n, uint64_t chars);
/* Where the last `chars` characters start. */
size_t sp_text_suffix(const char *p, size_t n, uint64_t chars);

#endif
