#!/usr/bin/env bash
# The same data and queries in Polars, DuckDB and pyarrow. Their packages go into a virtual environment below build/; where they cannot be had, everything here is skipped.
# usage: run.sh [SIGMAPI]
set -euo pipefail
cd "$(dirname "$0")/../.."
sigmapi=$(realpath "${1:-build/release/sigmapi}")
data=${SIGMAPI_TEST_DATA:-../shared/data}
venv=build/peers
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
fi
if ! "$venv/bin/python" -c 'import polars, duckdb, pyarrow' 2>/dev/null && ! "$venv/bin/pip" install -q polars duckdb pyarrow 2>/dev/null; then
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
"$venv/bin/python" tests/peers/peers.py "$sigmapi" "$data"
