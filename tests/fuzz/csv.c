/* Any bytes as CSV; the first byte picks the options. */
#include "tests/fuzz/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t pick = size > 0 ? data[0] : 0;
  sp_scan_spec spec;
  sp_scan_spec_init(&spec);
  spec.has_header = (pick & 1) == 0;
  spec.ragged = (sp_ragged)(pick / 2 % 3);
  spec.infer_rows = (pick & 8) != 0 ? 0 : 100;
  spec.separator = (pick & 16) != 0 ? ';' : ',';
  spec.quote = (pick & 32) != 0 ? '\0' : '"';
  spec.row_index = (pick & 64) != 0 ? "row" : NULL;
  fuzz_scan(&spec, "csv", data, size, (pick & 128) != 0 ? 3 : 8192);
  return 0;
}
