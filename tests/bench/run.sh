#!/usr/bin/env bash
# TPC-H queries at scale 1 against DuckDB with two workers each, interleaved in one run: bench/run.sh [ROUNDS] [QUERY…]. Prints the best times and our time over DuckDB's. The data
# is made once by tpchgen-cli below build/.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-7}
shift || true
venv=build/peers
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import duckdb' 2>/dev/null || "$venv/bin/pip" install -q duckdb
if [ ! -f build/tpch-sf1/lineitem.parquet ]; then
  "$venv/bin/pip" install -q tpchgen-cli
  mkdir -p build/tpch-sf1
  (cd build/tpch-sf1 && "../../$venv/bin/tpchgen-cli" parquet -s 1)
fi
"$venv/bin/python" tests/bench/bench.py build/release/sigmapi build/tpch-sf1 "${SIGMAPI_TEST_DATA:-../shared/data}/tpch-sf0.01/queries" "$rounds" "$@"
