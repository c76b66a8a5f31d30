#!/usr/bin/env bash
# Plans that are JSON but wrong: exit 2 (4 for a limit), one error at its place, the nearest valid name where there is one.
# usage: plans.sh SIGMAPI SOURCE DATA
. "$(dirname "$0")/support.bash"

# wrong MEMBERS TEXT [HINT]: a node `o` with these members over the table `v`
wrong() {
  plan "$table, {\"id\": \"o\", $1}"
  refuses 2 "$2" check plan.json
  if [ $# -gt 2 ]; then grep -qF -- "hint: $3" err || fail "$1: the hint lacks '$3': $(cat err)"; fi
}
# fine MEMBERS
fine() {
  plan "$table, {\"id\": \"o\", $1}"
  accepts check plan.json
}

# the document
plan "$table" '["v", "v"]'; refuses 2 '/outputs/1' check plan.json
plan "$table" '["w"]'; refuses 2 '/outputs/0' check plan.json; grep -q 'did you mean `v`' err || fail "$(cat err)"
plan "$table" '[]'; refuses 2 'no outputs' check plan.json
plan "$table" '"v"'; refuses 2 '`outputs` must be a list' check plan.json
plan "$table" '[1]'; refuses 2 '/outputs/0' check plan.json
plan "$table, $table" '["v"]'; refuses 2 'duplicate id `v`: the node at /nodes/0 (line 1) has it too' check plan.json
plan '"v"' '["v"]'; refuses 2 'a node must be an object' check plan.json
plan '{"op": "values", "schema": {"a": "int64"}, "rows": []}'; refuses 2 '/nodes/0 (1:26): `id` is missing' check plan.json
plan '{"id": "", "op": "values", "schema": {"a": "int64"}, "rows": []}'; refuses 2 '`id` must be a string of 1 to' check plan.json
plan '{"id": 5, "op": "values", "schema": {"a": "int64"}, "rows": []}'; refuses 2 '/nodes/0/id' check plan.json
long=$(printf 'x%.0s' $(seq 1001)); plan "{\"id\": \"$long\", \"op\": \"values\", \"schema\": {\"a\": \"int64\"}, \"rows\": []}" "[\"$long\"]"; refuses 2 '`id` must be a string of 1 to' check plan.json
plan '{"id": "a\u0000b", "op": "values", "schema": {"a": "int64"}, "rows": []}' '["a"]'; refuses 2 '/nodes/0/id' check plan.json
plan '{"id": "v", "schema": {"a": "int64"}, "rows": []}'; refuses 2 '`op` is missing' check plan.json
plan '{"id": "v", "op": 7}'; refuses 2 '`op` must be a string' check plan.json
plan '{"id": "a", "op": "head", "input": "b", "n": 1}, {"id": "b", "op": "head", "input": "c", "n": 1}, {"id": "c", "op": "head", "input": "a", "n": 1}' '["a"]'
refuses 2 'form a cycle: a → b → c → a' check plan.json
for command in explain run; do refuses 2 'form a cycle' $command plan.json; done
plan "$table, {\"id\": \"unused\", \"op\": \"head\", \"input\": \"v\", \"n\": 1}" '["v"]'
"$sigmapi" check plan.json >out 2>err || fail "an unused node is no error"
grep -q 'warning: node `unused` is left out' err || fail "an unused node is warned of: $(cat err)"

# ops, keys, inputs
wrong '"op": "filtr", "input": "v", "predicate": "a > 1"' 'unknown op `filtr`' 'did you mean `filter`?'
wrong '"op": "filter", "input": "v", "predicat": "a > 1"' '/nodes/1/predicat (1:179): unknown key `predicat` of filter' 'did you mean `predicate`?'
wrong '"op": "filter", "input": "w", "predicate": "a > 1"' '/nodes/1/input (1:174): unknown node `w`'
wrong '"op": "filter", "predicate": "a > 1"' '`input` is missing'
wrong '"op": "filter", "input": "v"' '`predicate` is missing'
wrong '"op": "filter", "input": null, "predicate": "a > 1"' '`input` must be a node'
wrong '"op": "filter", "input": ["v"], "predicate": "a > 1"' '`input` must be a node'
wrong '"op": "filter", "input": "o", "predicate": "a > 1"' 'form a cycle: o → o'
wrong '"op": "filter", "input": {"op": "hed", "input": "v", "n": 1}, "predicate": "a > 1"' '/nodes/1/input/op' 'did you mean `head`?'
wrong '"op": "filter", "input": "v", "predicate": "a > 1", "note": 5' '`note` must be a string'
wrong '"op": "filter", "input": {"id": "s", "op": "sink_csv", "input": "v", "path": "x.csv"}, "predicate": "a > 1"' 'which passes no rows on'

# expressions
filter() { wrong "\"op\": \"filter\", \"input\": \"v\", \"predicate\": $1" "${@:2}"; }
filter '1' '/nodes/1/predicate'
filter '""' 'expected an expression'
filter '"a >"' 'expected an expression, found the end of the text'
filter '"a > 1 )"' '`)`'
filter '"(a > 1"' 'expected'
filter "\"b = 'x\"" '/nodes/1/predicate'
filter '"a"' 'must be bool, got int64'
filter '"aa > 1"' '(1:193): unknown column `aa`' 'did you mean `a`?'
filter '"A > 1"' 'unknown column `A`' 'did you mean `a`'
filter '"lenght(b) > 1"' 'unknown function `lenght`' 'did you mean `length`'
filter '"length(b, 1) > 1"' '`length` takes 1 argument, got 2'
filter '"length(a) > 1"' 'must be a string or binary, not int64'
filter '"b > 1"' '`>` has no common type for `b` (string) and `1` (int64)' 'convert it: CAST(b AS int64)'
filter '"sum(a) > 1"' 'the aggregate `sum` is not allowed here'
filter "\"b > date '2024-13-01'\"" "'2024-13-01' is not a valid date"
filter '"a = ?"' '`?`'
filter '"a = 1; b"' '`;`'
filter '"CAST(a AS int65) = 1"' 'int65'
filter '"b LIKE a"' 'must be a string, not int64'
filter '"* = *"' 'selector'
filter '{"column": "z"}' 'unknown column `z`'
filter '{"colum": "a"}' 'unknown key `colum`' 'did you mean `column`?'
filter '{"call": "lenght", "args": [{"column": "b"}]}' 'lenght'
filter '{"call": "gt", "args": 5}' '/nodes/1/predicate/args'
filter '{}' '/nodes/1/predicate'
filter '[]' '/nodes/1/predicate'

# names that collide, kinds and their fields
wrong '"op": "select", "input": "v", "exprs": ["a", "b AS a"]' 'duplicate output name `a`: made by `a` and by `b AS a`' 'give one of them another name with AS'
wrong '"op": "select", "input": "v", "exprs": "a"' '`exprs` must be a list'
wrong '"op": "select", "input": "v", "exprs": ["a", 7]' '/nodes/1/exprs/1'
wrong '"op": "with_columns", "input": "v", "exprs": ["a AS c", "b AS c"]' 'duplicate output name `c`'
wrong '"op": "rename", "input": "v", "columns": {"a": "b"}' 'duplicate output name `b`'
wrong '"op": "rename", "input": "v", "columns": {"z": "b"}' 'unknown column `z`'
wrong '"op": "rename", "input": "v", "columns": ["a"]' 'must be an object of old: new'
wrong '"op": "drop", "input": "v", "columns": ["z"]' 'unknown column `z`'
wrong '"op": "drop", "input": "v", "columns": ["a", "b"]' 'drop leaves no column'
wrong '"op": "group_by", "input": "v", "keys": ["a"], "aggs": ["b"]' 'column `b` is neither a key nor inside an aggregate'
wrong '"op": "group_by", "input": "v", "keys": ["a"], "aggs": ["count(*) AS a"]' 'duplicate output name `a`'
wrong '"op": "group_by", "input": "v", "keys": ["a", "a"], "aggs": []' 'duplicate output name `a`'
wrong '"op": "group_by", "input": "v", "keys": ["a"], "aggs": ["sum(sum(a))"]' 'stands inside another aggregate'
wrong '"op": "group_by", "input": "v", "keys": ["sum(a)"], "aggs": []' 'is not allowed here'
wrong '"op": "group_by", "input": "v", "keys": [], "aggs": []' 'needs a key or an aggregate'
wrong '"op": "group_by", "input": "v", "keys": ["a"], "aggs": ["sum(b)"]' 'not string'
wrong '"op": "sort", "input": "v", "by": []' 'needs at least one key'
wrong '"op": "sort", "input": "v", "by": ["z"]' 'unknown column `z`'
wrong '"op": "sort", "input": "v", "by": [{"expr": "a", "descendin": true}]' 'unknown key `descendin`' 'did you mean `descending`?'
wrong '"op": "sort", "input": "v", "by": [{"expr": "a", "descending": 1}]' '`descending` must be true or false'
wrong '"op": "slice", "input": "v", "offset": 1.5, "length": 1' '`offset` must be an integer'
wrong '"op": "slice", "input": "v", "offset": -9223372036854775808, "length": 1' '`offset` is out of range'
wrong '"op": "head", "input": "v", "n": -1' '`n` must not be negative'
wrong '"op": "head", "input": "v", "n": "1"' '`n` must be an integer'
wrong '"op": "top_k", "input": "v", "k": 1, "by": []' 'needs at least one key'
wrong '"op": "top_k", "input": "v", "k": -1, "by": ["a"]' '`k` must not be negative'
wrong '"op": "unique", "input": "v", "subset": ["z"]' 'unknown column `z`'
wrong '"op": "unique", "input": "v", "keep": "frist"' '`keep` is `frist`' 'did you mean `first`?'
wrong '"op": "with_row_index", "input": "v", "name": "a"' 'duplicate output name `a`'
wrong '"op": "union", "inputs": []' 'at least one input'
wrong '"op": "union", "inputs": "v"' '`inputs` must be a list'
wrong '"op": "union", "inputs": ["v", "v"], "how": "vertcal"' '`how` is `vertcal`' 'did you mean `vertical`?'
wrong '"op": "union", "inputs": ["v", {"op": "select", "input": "v", "exprs": ["a"]}]' 'union'
join='"op": "join", "left": "v", "right": "v"'
wrong "$join, \"how\": \"iner\", \"on\": [\"a\"]" '`how` is `iner`' 'did you mean `inner`?'
wrong "$join, \"how\": \"inner\"" 'the join has no keys'
wrong "$join, \"how\": \"cross\", \"on\": [\"a\"]" 'a cross join has no keys'
wrong "$join, \"how\": \"inner\", \"on\": [\"z\"]" 'unknown column `z`'
wrong "$join, \"how\": \"inner\", \"left_on\": [\"a\"], \"right_on\": [\"a\", \"b\"]" '`left_on` has 1 key'
wrong "$join, \"how\": \"inner\", \"left_on\": [\"a\"], \"right_on\": [\"b\"]" 'join keys have no common type'
wrong "$join, \"how\": \"inner\", \"on\": [\"a\"], \"left_on\": [\"a\"], \"right_on\": [\"a\"]" 'either `on`, or `left_on`'
wrong "$join, \"how\": \"inner\", \"on\": [\"a\"], \"suffix\": \"\"" 'duplicate output name `b`'
wrong "$join, \"how\": \"inner\", \"on\": [\"a\"], \"predicate\": \"zz > 1\"" 'unknown column `zz`'
wrong "$join, \"how\": \"inner\", \"on\": [\"a\"], \"predicate\": \"a\"" 'must be bool'
wrong '"op": "pivot", "input": "v", "on": ["b"], "index": ["a"], "values": ["a"], "agg": "sum"' 'pivot needs `on_columns`'
wrong '"op": "sink_csv", "input": "v", "path": ""' '`path` is empty'
wrong '"op": "sink_parquet", "input": "v", "path": "x.parquet", "compression": "zst"' 'unknown compression `zst`'
plan "$table, {\"id\": \"s\", \"op\": \"sink_csv\", \"input\": \"v\", \"path\": \"o/x.csv\"}, {\"id\": \"t\", \"op\": \"sink_parquet\", \"input\": \"v\", \"path\": \"o/./y/../x.csv\"}" '[]'
refuses 2 '/nodes/2/path' check plan.json; grep -qF '`t` writes to `o/x.csv`, as `s` does' err || fail "$(cat err)"

# what is at the edge and fine
fine '"op": "slice", "input": "v", "offset": -5, "length": 9223372036854775807'
fine '"op": "head", "input": "v", "n": 9223372036854775807'
fine '"op": "select", "input": "v", "exprs": []'
fine '"op": "union", "inputs": ["v"]'
plan '{"id": "v", "op": "values", "schema": {}, "rows": [[], []]}' '["v"]'; accepts run plan.json; holds '2 rows'

# the written plan is drawn all the same, with the error on its node
wrong '"op": "filter", "input": "v", "predicate": "aa > 1"' 'unknown column'
refuses 2 'unknown column `aa`' explain plan.json; holds '✗ unknown column `aa`'
refuses 2 'unknown column `aa`' explain plan.json -o x.svg; grep -q 'unknown column' x.svg || fail "the picture of a wrong plan lacks its error"
refuses 2 'unknown column `aa`' run plan.json; [ ! -s out ] || fail "a wrong plan printed rows"

# deep, wide and large: an answer or a limit, at once
nested() { python3 - "$@" <<'PY'
import json, sys
kind, n = sys.argv[1], int(sys.argv[2])
v = {"id": "v", "op": "values", "schema": {"a": "int64", "b": "bool"}, "rows": [[1, True]]}
text = {"paren": "(" * n + "a" + ")" * n, "not": "NOT " * n + "b", "minus": "- " * n + "a", "plus": "+".join(["a"] * n), "and": " AND ".join(["b"] * n),
        "case": "CASE WHEN b THEN " * n + "1" + " END" * n, "call": "abs(" * n + "a" + ")" * n, "in": "a IN (" + ",".join(map(str, range(n))) + ")",
        "string": "'" + "x" * n + "'", "open": "(" * n}.get(kind)
if text is not None:
    e = json.dumps(text + ("" if kind == "open" else " AS c"))
elif kind == "json":
    e = '{"call": "neg", "args": [' * n + '{"column": "a"}' + "]}" * n
if kind == "place":
    print('{"sigmapi": 1, "nodes": [{"id": "o", "op": "filter", "predicate": "a > 0", "input": ' + '{"op": "filter", "predicate": "a > 0", "input": ' * n
          + '{"op": "values", "schema": {"a": "int64"}, "rows": [[1]]}' + "}" * (n + 1) + '], "outputs": ["o"]}')
elif kind == "chain":
    nodes = [v] + [{"id": "n%d" % i, "op": "filter", "input": "n%d" % (i - 1) if i else "v", "predicate": "a > %d" % -i} for i in range(n)]
    print(json.dumps({"sigmapi": 1, "nodes": nodes, "outputs": ["n%d" % (n - 1)]}))
elif kind == "steps":
    ops = [{"op": "with_columns", "exprs": ["a + 1 AS a"]}, {"op": "filter", "predicate": "a > 0"}, {"op": "head", "n": 5}, {"op": "rename", "columns": {"a": "a"}}]
    nodes = [v] + [dict(ops[i % 3], id="n%d" % i, input="n%d" % (i - 1) if i else "v") for i in range(n)]
    print(json.dumps({"sigmapi": 1, "nodes": nodes, "outputs": ["n%d" % (n - 1)]}))
elif kind == "diamond":
    nodes, last = [v], "v"
    for i in range(n):
        nodes += [{"id": "l%d" % i, "op": "filter", "input": last, "predicate": "a > 0"}, {"id": "r%d" % i, "op": "with_columns", "input": last, "exprs": ["a + 1 AS a"]},
                  {"id": "u%d" % i, "op": "union", "inputs": ["l%d" % i, "r%d" % i]}, {"id": "s%d" % i, "op": "head", "input": "u%d" % i, "n": 3}]
        last = "s%d" % i
    print(json.dumps({"sigmapi": 1, "nodes": nodes, "outputs": [last]}))
elif kind == "joins":
    nodes, last = [v], "v"
    for i in range(n):
        nodes += [{"id": "j%d" % i, "op": "join", "left": last, "right": last, "how": "inner", "on": ["a"], "suffix": "_%d" % i},
                  {"id": "p%d" % i, "op": "select", "input": "j%d" % i, "exprs": ["a", "b"]}, {"id": "s%d" % i, "op": "head", "input": "p%d" % i, "n": 3}]
        last = "s%d" % i
    print(json.dumps({"sigmapi": 1, "nodes": nodes, "outputs": [last]}))
else:
    print('{"sigmapi": 1, "nodes": [%s, {"id": "o", "op": "select", "input": "v", "exprs": [%s]}], "outputs": ["o"]}' % (json.dumps(v), e))
PY
}
for kind in paren not minus plus case call; do nested $kind 10000 >deep.json; refuses 4 'nested deeper than' check deep.json; done
nested open 1000000 >deep.json; refuses 4 'nested deeper than' check deep.json
for kind in and in; do nested $kind 10000 >deep.json; for c in check explain run; do quick 1000 $c deep.json; done; done
nested string 1000000 >deep.json; quick 1000 run deep.json
for kind in paren not minus plus case call json; do nested $kind 2900 >deep.json; for c in check explain run; do quick 1000 $c deep.json; done; done
nested json 5000 >deep.json; refuses 4 'nesting' check deep.json
nested place 10000 >deep.json; refuses 4 'nesting' check deep.json
nested place 2000 >deep.json; refuses 4 'in place more than' check deep.json
nested place 900 >deep.json; for c in check explain run; do quick 1000 $c deep.json; done
for kind in diamond joins; do nested $kind 64 >deep.json; for c in check explain run; do quick 1000 $c deep.json; done; quick 2000 explain deep.json -o x.svg; done
for kind in chain steps; do nested $kind 10000 >deep.json; for c in check explain; do quick 1000 $c deep.json; done; done
echo "plans: $checks checks, fine"
