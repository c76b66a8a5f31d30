/* Any bytes as Parquet. */
#include "tests/fuzz/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sp_scan_spec spec;
  sp_scan_spec_init(&spec);
  fuzz_scan(&spec, "parquet", data, size, 1000);
  return 0;
}
