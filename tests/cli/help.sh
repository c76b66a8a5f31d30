#!/usr/bin/env bash
# Help texts, man page and completion say the same as the option table. usage: help.sh SIGMAPI SOURCE DATA
set -euo pipefail
sigmapi=$1 source=$2
fail() { echo "FAIL: $*" >&2; exit 1; }

for command in explain run check rules schema; do
  "$sigmapi" --help | grep -q "  $command " || fail "--help does not list $command"
  "$sigmapi" "$command" --help | grep -q "usage: sigmapi $command" || fail "$command --help"
  grep -q "^.B sigmapi $command\$" "$source/src/cli/sigmapi.1" || fail "man page lacks $command"
done
for option in $(sed -nE 's/^SP_OPTION\([a-z_]+, "([a-z-]+)".*/\1/p' "$source/src/cli/options.def"); do
  grep -q -- "\\\\-\\\\-${option//-/\\\\-}" "$source/src/cli/sigmapi.1" || fail "man page lacks --$option"
done
"$sigmapi" --completion | bash -n || fail "completion is no bash"
"$sigmapi" --version | grep -qE '^sigmapi [0-9]+\.[0-9]+\.[0-9]+$' || fail "--version"

expect() { # exit code, text in the message, arguments
  local code=$1 text=$2 rc=0 out
  shift 2
  out=$("$sigmapi" "$@" 2>&1 >/dev/null) || rc=$?
  [ "$rc" -eq "$code" ] || fail "sigmapi $*: exit $rc, expected $code: $out"
  grep -qF -- "$text" <<<"$out" || fail "sigmapi $*: message lacks '$text': $out"
}
expect 2 'unknown command `explian`' explian
expect 2 'explain' explian x
expect 2 '--analyze' explain --anlyze x
expect 2 'needs a plan' explain
expect 2 'no such file' explain does-not-exist.json
expect 2 'whole number' run --threads zero x
expect 2 'rules' rules --nonsense
expect 2 'predicate_pushdown' rules --disable predicate_pushdow
"$sigmapi" rules | grep -q '^predicate_pushdown ' || fail "rules"
for name in simplify_expressions split_predicates predicate_pushdown projection_pushdown slice_pushdown cross_to_inner common_subplan; do
  "$sigmapi" rules | grep -q "^$name " || fail "rule $name is missing"
done
echo "help: fine"
