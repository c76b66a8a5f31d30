/* Logical bytes of string columns, which every boundary between nodes counts: exact, so that figures are the
 * same on every run, and cheap, since counting must not cost what is counted.
 *
 * Codes of a dictionary whose strings are all of one length (flags, country codes, dates as text) are a
 * multiplication; whether they are is found out once per dictionary and worker. Else lengths are summed by
 * loops without branches where there are no nulls.
 *
 * Example: "N" "O" "F", 8,192 codes: 8,192 bytes, without looking at a code. */
#include "base/simd.h"
#include "exec/internal.h"

SP_CLONES static int64_t sum_flat(const sp_view *v, uint32_t n) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    sum += v[i].n;
  }
  return sum;
}

SP_CLONES static int64_t sum_codes(const sp_view *v, const uint32_t *codes, uint32_t n) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    sum += v[codes[i]].n;
  }
  return sum;
}

SP_CLONES static int64_t sum_selected(const sp_view *v, const uint32_t *codes, const uint16_t *sel,
                                      uint32_t n) {
  int64_t sum = 0;
  if (codes == NULL) {
    for (uint32_t i = 0; i < n; i++) {
      sum += v[sel[i]].n;
    }
  } else {
    for (uint32_t i = 0; i < n; i++) {
      sum += v[codes[sel[i]]].n;
    }
  }
  return sum;
}

/* The length that all strings of the dictionary have, or -1. */
static int64_t one_length(sp_dict_memo *m, const sp_column *c) {
  const uint32_t slot = (uint32_t)(c->dict_id % SP_DICT_MEMO);
  if (m->e[slot].id == c->dict_id) {
    return m->e[slot].length;
  }
  const sp_reader r = sp_column_reader(c->dict);
  const sp_view *v = r.data;
  int64_t length = c->dict->length > 0 ? v[0].n : 0;
  for (uint32_t i = 1; i < c->dict->length && length >= 0; i++) {
    length = v[i].n == length ? length : -1;
  }
  m->e[slot].id = c->dict_id;
  m->e[slot].length = length;
  return length;
}

int64_t sp_logical_string_bytes(sp_dict_memo *m, const sp_column *c, const uint16_t *sel, uint32_t n) {
  if (c->validity != NULL || (c->encoding != SP_FLAT && c->encoding != SP_DICT)) {
    return sp_column_bytes(c, sel, n);
  }
  if (c->encoding == SP_DICT && c->dict_id != 0) {
    const int64_t length = one_length(m, c);
    if (length >= 0) {
      return length * n;
    }
  }
  const sp_reader r = sp_column_reader(c);
  if (sel != NULL) {
    return sum_selected(r.data, r.codes, sel, n);
  }
  return r.codes != NULL ? sum_codes(r.data, r.codes, n) : sum_flat(r.data, n);
}
