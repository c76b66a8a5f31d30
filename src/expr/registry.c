/* The function table, from functions.def, and finding functions by name.
 *
 * Names are found case-insensitively through a hash table that is built once; aliases (avg for mean) are a
 * second list of names for the same entries, so that text may say either and printing always says the first.
 *
 * Example: sp_function_find("AVG") is mean; sp_function_find("men") is NULL and its error hints at `mean`,
 * `min` or `ln`. */
#include "expr/kernel.h"

#include <pthread.h>

const sp_function *const sp_function_table[] = {
#define SP_FUNCTION(name, file) &sp_function_##name,
#include "expr/functions.def"
#undef SP_FUNCTION
    NULL};

static const struct {
  const char *alias, *name;
} aliases[] = {{"avg", "mean"},
               {"average", "mean"},
               {"stddev", "std"},
               {"stddev_samp", "std"},
               {"variance", "var"},
               {"var_samp", "var"},
               {"nunique", "n_unique"},
               {"len", "length"},
               {"char_length", "length"},
               {"character_length", "length"},
               {"strlen", "octet_length"},
               {"substr", "substring"},
               {"ucase", "upper"},
               {"lcase", "lower"},
               {"str_concat", "concat"},
               {"if_null", "coalesce"},
               {"ifnull", "coalesce"},
               {"nvl", "coalesce"},
               {"ceiling", "ceil"},
               {"pow", "power"},
               {"log", "log10"},
               {"dayofyear", "day_of_year"},
               {"isodow", "weekday"},
               {"datetrunc", "date_trunc"},
               {"first_value", "first"},
               {"last_value", "last"},
               {"isnan", "is_nan"},
               {"is_distinct_from", "is_distinct"},
               {"is_not_distinct_from", "is_not_distinct"},
               {"subtract", "sub"},
               {"multiply", "mul"},
               {"divide", "div"}};
#define N_ALIASES (sizeof aliases / sizeof aliases[0])
#define SLOTS 1024
#define NAME_MAX_BYTES 64

static uint16_t slots[SLOTS]; /* 1 + index into the table, or into it and then the aliases */
static pthread_once_t slots_once = PTHREAD_ONCE_INIT;

static uint32_t table_size(void) {
  return sizeof sp_function_table / sizeof sp_function_table[0] - 1;
}

static const char *name_at(uint32_t i) {
  return i < table_size() ? sp_function_table[i]->name : aliases[i - table_size()].alias;
}

/* Lower case, of at most NAME_MAX_BYTES; false when longer. */
static bool fold_case(sp_sv name, char out[NAME_MAX_BYTES]) {
  if (name.n > NAME_MAX_BYTES) {
    return false;
  }
  for (size_t i = 0; i < name.n; i++) {
    out[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
  }
  return true;
}

static void build_slots(void) {
  for (uint32_t i = 0; i < table_size() + N_ALIASES; i++) {
    const char *name = name_at(i);
    uint64_t h = sp_hash_bytes(name, strlen(name), 0);
    while (slots[h % SLOTS] != 0) {
      h++;
    }
    slots[h % SLOTS] = (uint16_t)(i + 1);
  }
}

_Static_assert(N_ALIASES * 8 < SLOTS, "the table of names is at most half full");

const sp_function *sp_function_find(sp_sv name) {
  char lower[NAME_MAX_BYTES];
  if (!fold_case(name, lower)) {
    return NULL;
  }
  (void)pthread_once(&slots_once, build_slots);
  const sp_sv want = {lower, name.n};
  for (uint64_t h = sp_hash_bytes(lower, name.n, 0); slots[h % SLOTS] != 0; h++) {
    const uint32_t i = slots[h % SLOTS] - 1u;
    if (sp_sv_eq(sp_sv_from(name_at(i)), want)) {
      return i < table_size() ? sp_function_table[i]
                              : sp_function_find(sp_sv_from(aliases[i - table_size()].name));
    }
  }
  return NULL;
}

static sp_sv nth_name(const void *ctx, uint32_t i) {
  (void)ctx;
  return sp_sv_from(name_at(i));
}

sp_status sp_function_unknown(sp_sv name, const sp_loc *loc, sp_error *err) {
  const int shown = name.n > NAME_MAX_BYTES ? NAME_MAX_BYTES : (int)name.n;
  (void)sp_error_set(err, SP_NOT_FOUND, loc, "unknown function `%.*s`", shown, name.p);
  char near[200];
  if (sp_nearest_names(name, table_size() + (uint32_t)N_ALIASES, nth_name, NULL, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s?", near);
  }
  return SP_NOT_FOUND;
}
