#!/usr/bin/env bash
# From a fresh Debian machine to a plan of real data before and after, with times and memory: installs what is needed, builds the release and
# explains samples/gallery/flights.json.
set -euo pipefail
cd "$(dirname "$0")/.."

samples/install-packages.sh
cmake --preset release -DSP_TESTS=OFF >/dev/null
cmake --build build/release

plan=samples/gallery/flights.json
svg=build/release/flights.svg
echo
echo "== $plan: before, after, and what it really took"
build/release/sigmapi explain "$plan" --analyze
echo
echo "== its result"
build/release/sigmapi run "$plan"
build/release/sigmapi explain "$plan" --analyze -o "$svg"
echo
echo "The same as a picture: $svg"
