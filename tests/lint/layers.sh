#!/usr/bin/env bash
# Each folder includes only what stands before it (README.md, "Layers"). Prints what every layer uses; fails on a violation.
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A may=(
  [src/base]="sigmapi base"
  [src/data]="sigmapi base data"
  [src/io]="sigmapi base data io"
  [src/expr]="sigmapi base data expr"
  [src/plan]="sigmapi base data io expr plan"
  [src/formats]="sigmapi base data io expr plan formats"
  [src/optimize]="sigmapi base data io expr plan optimize"
  [src/exec]="sigmapi base data io expr plan exec"
  [src/report]="sigmapi base data io expr plan formats optimize exec report"
  [src/session]="sigmapi base data io expr plan formats optimize exec report session"
  [src/cli]="sigmapi base data io expr plan formats optimize exec report session cli viz"
  [viz]="sigmapi base report viz"
)
status=0
for layer in src/base src/data src/io src/expr src/plan src/formats src/optimize src/exec src/report src/session src/cli viz; do
  used=$(grep -rhoE --include='*.[ch]' --include='*.def' '^ *# *include "[^"/]+/' "$layer" | sed -E 's/.*"([^"]+)\//\1/' | sort -u | tr '\n' ' ')
  own=${layer##*/}
  printf '%-13s uses %s\n' "$layer" "$(tr ' ' '\n' <<<"$used" | grep -vx "$own" | tr '\n' ' ')"
  for u in $used; do
    if ! grep -qw -- "$u" <<<"${may[$layer]}"; then
      echo "  VIOLATION: $layer includes \"$u/\":" >&2
      grep -rnE --include='*.[ch]' "^ *# *include \"$u/" "$layer" >&2
      status=1
    fi
  done
  # quoted includes are written from src/, so they hold a slash
  if grep -rnE --include='*.[ch]' '^ *# *include "[^"/]+"' "$layer" >&2; then
    echo "  VIOLATION: $layer includes a header by a bare name" >&2
    status=1
  fi
done
# viz sees the report's structs and JSON form, never plans or runs
if grep -rnE --include='*.[ch]' '"report/(build|internal)\.h"' viz >&2; then
  echo "  VIOLATION: viz looks behind the report" >&2
  status=1
fi
# one user each
check_only() { # header pattern, file
  local found
  found=$(grep -rlE --include='*.[ch]' "$1" src viz | grep -vE "$2" || true)
  if [ -n "$found" ]; then
    echo "  VIOLATION: only $2 may include $1: $found" >&2
    status=1
  fi
}
check_only 'include <cjson/' 'src/base/json[a-z_]*\.[ch]$'
check_only 'include <graphviz/' 'viz/layout\.c$'
exit $status
