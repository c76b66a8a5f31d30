#!/usr/bin/env bash
# Builds the fuzzers with clang and runs each for some seconds from its corpus: run.sh [SECONDS]. New inputs are kept in build/fuzz/corpus; a crash fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
data=$(realpath -m "${SIGMAPI_TEST_DATA:-../shared/data}")
root=$PWD
cmake --preset fuzz >/dev/null
cmake --build build/fuzz --target fuzz_plan fuzz_report fuzz_expr fuzz_csv fuzz_parquet
for name in plan report expr csv parquet; do
  mkdir -p "build/fuzz/corpus/$name"
  seeds=("$root/build/fuzz/corpus/$name")
  [ -d "tests/fuzz/corpus/$name" ] && seeds+=("$root/tests/fuzz/corpus/$name")
  case $name in
    plan) seeds+=("$root/samples/gallery" "$root/samples/tpch") ;;
    csv) [ -d "$data/csv" ] && seeds+=("$data/csv/spectrum/csvs") ;;
    parquet) [ -d "$data/parquet" ] && seeds+=("$data/parquet/fuzz") ;;
  esac
  echo "-- $name"
  (cd build/fuzz && ASAN_OPTIONS=detect_leaks=1 ./tests/fuzz/fuzz_$name -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1 \
    "${seeds[@]}" 2>&1 | grep -E 'ERROR|SUMMARY|stat::number_of_executed_units|Test unit written|runtime error' || true)
  found=$(find build/fuzz -maxdepth 1 \( -name 'crash-*' -o -name 'timeout-*' -o -name 'oom-*' -o -name 'leak-*' \))
  if [ -n "$found" ]; then
    echo "the fuzzer of $name found something:" "$found" >&2
    exit 1
  fi
done
