#!/usr/bin/env bash
# Renders every sample to SVG: draw-gallery.sh OUT [TPCH-DATA-ROOT]. Measurements are left out, so the pictures are the same on every machine.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$1
data=${2:-}
sigmapi=${SIGMAPI:-$root/build/release/sigmapi}
mkdir -p "$out"
n=0
for plan in "$root"/samples/gallery/*.json; do
  name=$(basename "$plan" .json)
  # plans that are wrong are drawn as written, with the error on its node, and exit 2
  "$sigmapi" explain "$plan" -o "$out/$name.svg" 2>/dev/null || [ $? -eq 2 ]
  test -s "$out/$name.svg"
  n=$((n + 1))
done
if [ -n "$data" ]; then
  for plan in "$root"/samples/tpch/*.json; do
    "$sigmapi" explain "$plan" --data-root "$data" -o "$out/$(basename "$plan" .json).svg"
    n=$((n + 1))
  done
fi
echo "$n pictures in $out"
