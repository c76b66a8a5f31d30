#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all of them. Arguments go to ctest (-R unit, say). Works without a network when the packages are
# there; what needs foreign test data or peers is skipped and counted where they are absent.
set -euo pipefail
cd "$(dirname "$0")/.."

samples/install-packages.sh --tests
cmake --preset release >/dev/null
cmake --build build/release
ctest --test-dir build/release --output-on-failure -j "$(nproc)" "$@"
