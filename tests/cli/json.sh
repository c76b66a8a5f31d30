#!/usr/bin/env bash
# Documents that are no JSON, or JSON that is no plan: exit 2, one error, its place. (Every cut and every changed byte of the samples: unit/session/broken.)
# usage: json.sh SIGMAPI SOURCE DATA
. "$(dirname "$0")/support.bash"

# refuses_text TEXT PLACE-AND-MESSAGE: the document, as printf writes it
refuses_text() {
  printf "$1" >bad.json
  refuses 2 "$2" check bad.json
}
good='{"sigmapi": 1, "nodes": [{"id": "v", "op": "values", "schema": {"a": "int64", "b": "string"}, "rows": [[1, "x"]]}], "outputs": ["v"]}'
with() { printf '%s' "${good/"$1"/"$2"}" >bad.json; }

refuses_text '' 'bad.json: (1:1): the document is empty'
refuses_text ' \n\n ' 'the document is empty'
refuses_text '// only a comment' 'the document is empty'
refuses_text '/* never' 'this comment never ends'
refuses_text 'nul' 'got `nul`'
refuses_text '[]' 'this is no plan'
refuses_text '"x"' 'this is no plan'
refuses_text '{}' 'no plan of a known format'
refuses_text '{"sigmapi": 1}' '`nodes` is missing'
refuses_text '{"sigmapi": 2, "nodes": [], "outputs": []}' '/sigmapi (1:13): version 2'
refuses_text '{"sigmapi": "1"}' '/sigmapi (1:13)'
refuses_text '{"sigmapi": 1, "nodes": {}}' '`nodes` must be a list'
refuses_text '\x00x' 'the byte 0x00'
refuses_text '{}\x00' 'the byte 0x00'
refuses_text '{"a": \x01}' '0x01'
refuses_text '{"a" 1}' '(1:6)'
refuses_text '{a: 1}' '(1:2)'
refuses_text "{'a': 1}" '(1:2)'
refuses_text '[1, 2' 'bad.json: '
refuses_text '{"a": 1]' '(1:8)'
refuses_text '{"a": 1}}' '(1:9): expected the end of the text'
refuses_text '{"a": .5}' '(1:7)'
refuses_text '{"a": 01}' '`01` is not a number'
refuses_text '{"a": 1.}' 'is not a number'
refuses_text '{"a": 1e}' 'is not a number'
refuses_text '{"a": +1}' '(1:7)'
refuses_text '{"a": 0x10}' '(1:7)'
refuses_text '{"a": NaN}' 'JSON has no NaN'
refuses_text '{"a": Infinity}' '(1:7)'
refuses_text '{"a": "x\ty"}' 'control character 0x09'
refuses_text '{"a": "x\ny"}' '(1:7): this string has no closing quote'
refuses_text '{"a": "x' 'bad.json: '
refuses_text '{"a": "\\q"}' 'means nothing in a string'
refuses_text '{"a": "\\ud800"}' 'half of a surrogate pair'
refuses_text '{"a": "\\udc00\\ud800"}' 'half of a surrogate pair'
refuses_text '{"a": "\\u12"}' 'four hexadecimal digits'
refuses_text '{"a": "\xe9"}' 'invalid UTF-8'
refuses_text '{"a": "\xc0\xaf"}' 'invalid UTF-8'
refuses_text '{"a": "\xed\xa0\x80"}' 'invalid UTF-8'
refuses_text '{"a": "\xf4\x90\x80\x80"}' 'invalid UTF-8'
refuses_text '{"a": 1, "a": 2}' 'the key `a` is given twice'
grep -q 'line 1, column 2' err || fail "the first place of a duplicate key: $(cat err)"
for encoding in UTF-16 UTF-16LE UTF-16BE UTF-32 UTF-32LE UTF-32BE; do
  iconv -f UTF-8 -t $encoding <<<"$good" >bad.json
  refuses 2 'bad.json: (1:1): the document is in UTF-16 or UTF-32' check bad.json
done

printf '\xef\xbb\xbf%s' "$good" >bad.json; accepts check bad.json
printf '// comment\n# another\n/* a third */%s\n\n' "$good" >bad.json; accepts check bad.json
with '"v"]' '"v",],'; accepts check bad.json
with '"outputs"' '"notes"'; refuses 2 'unknown key `notes`' check bad.json
with '[1, "x"]' '[9223372036854775807, "x"]'; accepts check bad.json
with '[1, "x"]' '[9223372036854775808, "x"]'; refuses 2 'row 1, column `a`: expected int64' check bad.json
with '[1, "x"]' '[1.5, "x"]'; refuses 2 'expected int64, got 1.5' check bad.json
with '[1, "x"]' '[1e999, "x"]'; refuses 2 'out of range' check bad.json
with '[1, "x"]' '[1]'; refuses 2 'row 1 has 1 value, the schema 2 columns' check bad.json
with '[1, "x"]' '[1, "x", 2]'; refuses 2 'row 1 has 3 values' check bad.json
with '[1, "x"]' '{"a": 1, "c": 2}'; refuses 2 '`c`' check bad.json
with '[1, "x"]' '7'; refuses 2 '`rows`' check bad.json
with '[1, "x"]' '[1, {}]'; refuses 2 'column `b`' check bad.json
with '"int64"' '"int65"'; refuses 2 'unknown type `int65`' check bad.json
with '"int64"' '"decimal(50,2)"'; refuses 2 '/nodes/0/schema/a' check bad.json
with '"int64"' '5'; refuses 2 '/nodes/0/schema/a (1:70)' check bad.json
with '"a": "int64"' '"b": "int64"'; refuses 2 'given twice' check bad.json

# lines and columns stay true behind comments and wide characters
printf '{"sigmapi": 1, // é\n /* 日本 */ "nodes": [\n# x\n  {"id": "é", "op": "vlaues"}],\n "outputs": ["é"]}' >bad.json
refuses 2 '/nodes/0/op (4:22): unknown op `vlaues`' check bad.json
grep -q 'did you mean `values`' err || fail "no nearest op: $(cat err)"

# depth: 10,000 levels are read, more are refused, and nothing overflows a stack
nest() { python3 -c 'import sys; n = int(sys.argv[1]); sys.stdout.write(sys.argv[2] * n + sys.argv[3] + sys.argv[4] * n)' "$@"; }
nest 10000 '[' '' ']' >bad.json; refuses 2 'this is no plan' check bad.json
nest 10001 '[' '' ']' >bad.json; refuses 4 'more than 10000 levels' check bad.json
nest 5000000 '[' '' '' >bad.json; refuses 4 'more than 10000 levels' check bad.json
nest 5000000 '{"a":' '' '' >bad.json; refuses 4 'more than 10000 levels' check bad.json
nest 10000 '{"a":' '1' '}' >bad.json; refuses 2 'no plan of a known format' check bad.json
# the plan itself cannot be read
refuses 2 'nope.json: no such file' check nope.json
refuses 2 'nope.json: no such file' explain nope.json
refuses 2 'nope.json: no such file' run nope.json
mkdir folder; refuses 2 'folder: cannot read' check folder
printf '%s' "$good" >secret.json; chmod 0 secret.json
if [ "$(id -u)" -ne 0 ]; then refuses 2 'secret.json: cannot open' check secret.json; fi
refuses 2 '<stdin>: (1:1)' check - </dev/null
printf '%s' "$good" | "$sigmapi" check - >/dev/null || fail "a plan from standard input"
echo "json: $checks checks, fine"
