/* Any bytes as a saved report: what is accepted can be drawn in every format and comes out the same when it is written and read again. */
#include "report/json.h"
#include "viz/viz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const sp_report *read(sp_arena *a, const char *text, size_t n) {
  sp_error err = SP_ERROR_INIT;
  const sp_json_doc *doc = NULL;
  const sp_report *r = NULL;
  if (sp_json_parse(a, "fuzz.json", text, n, &doc, &err) != SP_OK || !sp_report_detect(doc) || sp_report_from_json(doc, a, &r, &err) != SP_OK) {
    return NULL;
  }
  return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const formats[] = {"text", "dot", "svg"};
  sp_arena a;
  sp_arena_init(&a, sp_mem_process());
  sp_error err = SP_ERROR_INIT;
  const sp_report *r = read(&a, (const char *)data, size);
  char *text = NULL, *again = NULL;
  size_t n = 0, m = 0;
  for (int i = 0; r != NULL && i < 3; i++) {
    if (sp_render(r, formats[i], NULL, &text, &n, &err) == SP_OK) {
      sp_render_free(text, n);
    }
  }
  if (r != NULL && sp_render(r, "json", NULL, &text, &n, &err) == SP_OK) {
    const sp_report *second = read(&a, text, n);
    if (second == NULL || sp_render(second, "json", NULL, &again, &m, &err) != SP_OK || n != m || memcmp(text, again, n) != 0) {
      abort();
    }
    sp_render_free(again, m);
    sp_render_free(text, n);
  }
  sp_arena_release(&a);
  return 0;
}
