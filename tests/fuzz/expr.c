/* Any bytes as expression text: what parses prints, and what was printed parses to the same tree; its tokens lie inside the text; what binds against a
 * schema folds or not, but never crashes. */
#include <stdlib.h>

#include "expr/bind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const sp_schema *schema(sp_arena *a) {
  sp_schema_builder b;
  const sp_schema *s = NULL;
  sp_schema_begin(&b, a);
  sp_schema_add(&b, SP_SV("a"), sp_type_of(SP_KIND_INT64));
  sp_schema_add(&b, SP_SV("b"), sp_type_of(SP_KIND_FLOAT64));
  sp_schema_add(&b, SP_SV("s"), sp_type_of(SP_KIND_STRING));
  sp_schema_add(&b, SP_SV("d"), sp_type_of(SP_KIND_DATE));
  sp_schema_add(&b, SP_SV("t"), sp_type_of(SP_KIND_DATETIME));
  sp_schema_add(&b, SP_SV("m"), sp_type_decimal(15, 2));
  sp_schema_add(&b, SP_SV("p"), sp_type_of(SP_KIND_BOOL));
  return sp_schema_finish(&b, NULL, &s, NULL) == SP_OK ? s : NULL;
}

static void bind_and_fold(sp_arena *a, const sp_expr *e) {
  sp_error err = SP_ERROR_INIT;
  const sp_schema *s = schema(a);
  const sp_expr *const *all = NULL;
  uint32_t n = 0;
  if (s == NULL || sp_expr_expand(a, e, s, NULL, &all, &n, &err) != SP_OK) {
    return;
  }
  for (uint32_t i = 0; i < n && i < 16; i++) {
    const sp_expr *bound = NULL;
    bool folded = false;
    sp_value v;
    if (sp_expr_bind(a, all[i], s, SP_BIND_AGGREGATES, NULL, &bound, &err) == SP_OK) {
      (void)sp_expr_fold(bound, a, &folded, &v, &err);
      (void)sp_expr_text(bound, a);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 65536 || !sp_utf8_valid((const char *)data, size)) { /* JSON gives valid text only */
    return 0;
  }
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  sp_error err = SP_ERROR_INIT;
  const sp_expr *e = NULL, *again = NULL;
  if (sp_expr_parse(&a, (sp_sv){(const char *)data, size}, NULL, &e, &err) == SP_OK) {
    sp_str text;
    sp_str_init(&text, sp_mem_process(), (size_t)16 << 20);
    sp_expr_print(e, &text);
    const sp_sv printed = {text.p, text.n}; /* names may hold U+0000 */
    if (!sp_str_ok(&text) || sp_expr_parse(&a, printed, NULL, &again, &err) != SP_OK || !sp_expr_eq(e, again)) {
      abort();
    }
    const sp_token_span *spans = NULL;
    uint32_t n = 0;
    if (sp_expr_tokens(printed, &a, &spans, &n)) {
      for (uint32_t i = 0; i < n; i++) {
        if (spans[i].pos + spans[i].len > printed.n) {
          abort();
        }
      }
    }
    sp_str_release(&text);
    bind_and_fold(&a, e);
  }
  sp_arena_release(&a);
  return 0;
}
