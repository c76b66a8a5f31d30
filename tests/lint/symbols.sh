#!/usr/bin/env bash
# Every symbol that the library defines for others starts with sp_. Usage: symbols.sh LIBRARY
set -euo pipefail
bad=$(nm -g --defined-only "$1" | awk 'NF==3 && $2 ~ /[TDBRC]/ {print $3}' | grep -vE '^(sp_|__asan|__ubsan|__odr_asan|__gcov|__llvm|__start_|__stop_)' | sort -u || true)
count=$(nm -g --defined-only "$1" | awk 'NF==3 && $3 ~ /^sp_/' | wc -l)
if [ -n "$bad" ]; then
  printf 'symbols without the prefix sp_:\n%s\n' "$bad" >&2
  exit 1
fi
echo "$count symbols, all sp_"
