# What the scripts beside it share: source it first. Arguments: SIGMAPI SOURCE DATA.
set -euo pipefail
sigmapi=$1 source=$2 data=${3:-}
samples=$source/samples/data
dir=$(mktemp -d)
failed=0
leave() {
  local rc=$?
  chmod -R u+w "$dir"
  rm -rf "$dir"
  exit $((rc > failed ? rc : failed))
}
trap leave EXIT
cd "$dir"
checks=0
# KEEP_GOING=1 shows all failures of a script instead of the first.
fail() {
  echo "FAIL: $*" >&2
  failed=1
  [ -n "${KEEP_GOING:-}" ] || exit 1
}

# refuses CODE TEXT ARGUMENTS...: the command fails with that exit code and exactly one error, whose text holds TEXT. Output goes to $dir/out and
# $dir/err. A sanitizer's exit code or report is never the expected one.
refuses() {
  local code=$1 text=$2 rc=0
  shift 2
  "$sigmapi" "$@" >out 2>err || rc=$?
  [ "$rc" -eq "$code" ] || fail "sigmapi $*: exit $rc, expected $code: $(head -c 2000 err)"
  [ "$(grep -v ': warning: ' err | grep -c '^sigmapi: ')" -eq 1 ] || fail "sigmapi $*: not one error: $(head -c 2000 err)"
  [ "$(grep -v ': warning: ' err | wc -l)" -le 2 ] || fail "sigmapi $*: more than an error and its hint: $(head -c 2000 err)"
  grep -qF -- "$text" err || fail "sigmapi $*: the message lacks '$text': $(cat err)"
  checks=$((checks + 1))
}
# accepts ARGUMENTS...: exit 0 and nothing on standard error.
accepts() {
  local rc=0
  "$sigmapi" "$@" >out 2>err || rc=$?
  [ "$rc" -eq 0 ] || fail "sigmapi $*: exit $rc: $(head -c 2000 err)"
  [ ! -s err ] || fail "sigmapi $*: unexpected: $(head -c 2000 err)"
  checks=$((checks + 1))
}
# holds TEXT: the last command's standard output has it.
holds() { grep -qF -- "$1" out || fail "the output lacks '$1': $(head -c 2000 out)"; }
# quick MILLISECONDS ARGUMENTS...: accepts, and takes at most so much processor time (a busy machine does not count; builds that are not optimized get
# four times as long, sanitizers twenty times).
slow=1
if nm "$sigmapi" 2>/dev/null | grep -qE '__(asan|tsan)_init'; then slow=20; elif readelf -S "$sigmapi" 2>/dev/null | grep -q debug_info; then slow=4; fi
quick() {
  local limit=$(($1 * slow)) took rc=0
  shift
  local TIMEFORMAT='%U %S'
  took=$({ time "$sigmapi" "$@" >out 2>err; } 2>&1) || rc=$?
  [ "$rc" -eq 0 ] || fail "sigmapi $*: exit $rc: $(head -c 2000 err)"
  [ ! -s err ] || fail "sigmapi $*: unexpected: $(head -c 2000 err)"
  took=$(awk '{printf "%d", ($1 + $2) * 1000}' <<<"$took")
  [ "$took" -le "$limit" ] || fail "sigmapi $*: $took ms, at most $limit were expected"
  checks=$((checks + 1))
}
# plan NODES [OUTPUTS]: writes plan.json. Nodes are JSON text without the brackets; outputs default to ["o"].
plan() { printf '{"sigmapi": 1, "nodes": [%s], "outputs": %s}' "$1" "${2:-[\"o\"]}" >plan.json; }
# A table of three rows that most plans start from.
table='{"id": "v", "op": "values", "schema": {"a": "int64", "b": "string"}, "rows": [[1, "x"], [2, "y"], [3, null]]}'
# files: what lies in the scratch folder's `o`, for tests that look for leftovers.
files() { (cd o && find . -type f | sort | tr '\n' ' '); }
