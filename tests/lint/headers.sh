#!/usr/bin/env bash
# Every header compiles alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
n=0
for h in $(find include src viz -name '*.h' | sort); do
  name=${h#include/}
  name=${name#src/}
  n=$((n + 1))
  if ! printf '#include "%s"\n' "$name" | "${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror -Iinclude -Isrc -I. -x c -; then
    echo "$h does not compile alone" >&2
    status=1
  fi
done
echo "$n headers compiled alone"
exit $status
