#!/usr/bin/env bash
# Pictures: well-formed, self-contained, escaped, the same bytes twice; the text fits; the gallery in the tree is up to date. usage: pictures.sh SIGMAPI SOURCE DATA
set -euo pipefail
sigmapi=$1 source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
plan=$source/samples/gallery/flights.json

mkdir "$dir/a" "$dir/b"
for d in a b; do
  (cd "$dir/$d" && "$sigmapi" explain "$plan" --analyze --metrics rows,bytes -o x.svg)
done
cmp "$dir/a/x.svg" "$dir/b/x.svg" || fail "the same plan gave two pictures"
touch -d '2001-01-01' "$dir/a/x.svg"
(cd "$dir/a" && "$sigmapi" explain "$plan" --analyze --metrics rows,bytes -o x.svg)
[ "$(stat -c %Y "$dir/a/x.svg")" -eq "$(date -d 2001-01-01 +%s)" ] || fail "an unchanged picture was written again"

for theme in auto light dark; do
  for direction in bottom top; do
    "$sigmapi" explain "$plan" --theme $theme --direction $direction -o "$dir/$theme-$direction.svg"
    if command -v xmllint >/dev/null; then xmllint --noout "$dir/$theme-$direction.svg"; fi
  done
done
grep -qiE '<script|foreignObject|href=|url\(|@import|<!--' "$dir"/*.svg && fail "not self-contained"

cat >"$dir/evil.json" <<'PLAN'
{ "sigmapi": 1, "nodes": [
  {"id": "v]]></svg><script>", "op": "values", "schema": {"a\"<b>&": "string"}, "rows": [["</text><script>alert(1)</script>"]], "note": "-->"},
  {"id": "f\"'", "op": "filter", "input": "v]]></svg><script>", "predicate": "\"a\"\"<b>&\" <> '</title>\\l\" onload=\"x'"}],
  "outputs": ["f\"'"] }
PLAN
"$sigmapi" explain "$dir/evil.json" --analyze -o "$dir/evil.svg"
if command -v xmllint >/dev/null; then xmllint --noout "$dir/evil.svg"; fi
grep -q '<script' "$dir/evil.svg" && fail "markup from a plan got into the SVG"
"$sigmapi" explain "$dir/evil.json" -o "$dir/evil.dot"
if command -v dot >/dev/null; then dot -Tsvg "$dir/evil.dot" -o /dev/null || fail "DOT does not parse"; fi
"$sigmapi" explain "$dir/evil.json" --color always --width 80 >/dev/null

"$sigmapi" explain "$plan" --analyze --ascii --width 100 | LC_ALL=C grep -q '[^ -~]*├' && fail "--ascii has box drawing"
widest=$("$sigmapi" explain "$plan" --width 90 --color never | python3 -c 'import sys; print(max(len(l.rstrip("\n")) for l in sys.stdin))')
[ "$widest" -le 140 ] || fail "a line of $widest columns at --width 90"

# a saved report draws the same without the data
"$sigmapi" run "$plan" --report "$dir/r.json" >/dev/null
"$sigmapi" explain "$dir/r.json" --metrics rows,bytes -o "$dir/r1.svg"
"$sigmapi" explain "$dir/r.json" -f json >"$dir/r2.json"
cmp "$dir/r.json" "$dir/r2.json" || fail "a report changed when it was read and written"
echo "pictures: fine"
