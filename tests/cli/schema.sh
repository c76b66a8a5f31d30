#!/usr/bin/env bash
# The JSON Schema: valid itself, every sample validates against it, and what the reader refuses for its form does not. usage: schema.sh SIGMAPI SOURCE DATA
. "$(dirname "$0")/support.bash"
python3 -c 'import jsonschema' 2>/dev/null || { echo "schema: SKIPPED, python3-jsonschema is not installed"; exit 77; }

accepts schema
cp out schema.json
cat >validate.py <<'PY'
import json, pathlib, subprocess, sys
import jsonschema

sigmapi, source = sys.argv[1], pathlib.Path(sys.argv[2])
schema = json.load(open("schema.json"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

def plain(text):
    """JSON without the comments and trailing commas that plans may have."""
    out, i, quoted = [], 0, False
    while i < len(text):
        c = text[i]
        if quoted:
            out.append(text[i:i + 2] if c == "\\" else c)
            i += 2 if c == "\\" else 1
            quoted = c != '"' or out[-1] != '"'
        elif c == '"':
            quoted = True
            out.append(c)
            i += 1
        elif text.startswith("//", i) or c == "#":
            i = text.find("\n", i)
            i = len(text) if i < 0 else i
        elif text.startswith("/*", i):
            i = text.index("*/", i) + 2
        else:
            if c in "]}":
                while out and out[-1] in " \n\t\r,":
                    out.pop()
            out.append(c)
            i += 1
    return json.loads("".join(out))

bad = []
plans = sorted(p for p in source.glob("samples/**/*.json"))
for p in plans:
    for e in validator.iter_errors(plain(p.read_text())):
        # a plan that is refused may be refused for its form
        if subprocess.run([sigmapi, "check", str(p)], capture_output=True).returncode == 0:
            bad.append("%s: %s: %s" % (p, e.json_path, e.message[:300]))
if len(plans) < 20:
    bad.append("only %d samples" % len(plans))

# documents by their form: the reader and the schema must agree
V = {"id": "v", "op": "values", "schema": {"a": "int64", "b": "string"}, "rows": [[1, "x"]]}
def plan(node, **more):
    return dict({"sigmapi": 1, "nodes": [V, dict({"id": "o"}, **node)], "outputs": ["o"]}, **more)
good = [plan({"op": "head", "input": "v", "n": 1}), plan({"op": "filter", "input": "v", "predicate": "a > 0", "note": "x"}),
        plan({"op": "filter", "input": V | {"id": "w"}, "predicate": {"call": "gt", "args": [{"column": "a"}, {"literal": 0}]}}),
        plan({"op": "select", "input": "v", "exprs": [{"alias": {"cast": "a", "to": "string", "try": True}, "name": "t"}, {"selector": "*", "exclude": ["a"]},
                                                      {"alias": {"literal": "2024-01-01", "type": "date"}, "name": "d"}]}),
        plan({"op": "group_by", "input": "v", "keys": [{"column": "b"}], "aggs": [{"call": "sum", "args": ["a"], "distinct": True, "filter": "a > 0"}, {"call": "count"}]}),
        plan({"op": "sort", "input": "v", "by": [{"column": "a"}]}),
        plan({"op": "sort", "input": "v", "by": ["a", {"expr": "b", "descending": True, "nulls_last": True}]}),
        plan({"op": "union", "inputs": ["v", {"op": "head", "input": "v", "n": 1}], "how": "vertical"}),
        plan({"op": "rename", "input": "v", "columns": {"a": "c"}}), plan({"op": "slice", "input": "v", "offset": -1, "length": -1}),
        plan({"op": "join", "left": "v", "right": "v", "how": "inner", "left_on": ["a"], "right_on": ["a"], "suffix": "_r"}),
        plan({"op": "group_by", "input": "v", "keys": ["b"], "aggs": ["sum(a) AS s"], "maintain_order": True}),
        plan({"op": "unique", "input": "v", "subset": ["a"], "keep": "first"}), plan({"op": "with_row_index", "input": "v", "name": "i", "offset": 5}),
        plan({"op": "head", "input": "v", "n": 1}, **{"$schema": "https://example.org/x"})]
wrong = [[], {}, {"sigmapi": 1}, {"sigmapi": 2, "nodes": [V], "outputs": ["v"]}, {"sigmapi": 1, "nodes": {}, "outputs": []}, {"sigmapi": 1, "nodes": [V], "outputs": "v"},
         {"sigmapi": 1, "nodes": ["v"], "outputs": ["v"]}, plan({"op": "head", "input": "v", "n": 1}, extra=1), plan({"op": "hed", "input": "v", "n": 1}),
         plan({"op": "head", "input": "v"}), plan({"op": "head", "n": 1}), plan({"op": "head", "input": "v", "n": "1"}), plan({"op": "head", "input": "v", "n": 1.5}),
         plan({"op": "head", "input": "v", "n": 1, "m": 2}), plan({"op": "head", "input": 5, "n": 1}), plan({"op": "head", "input": ["v"], "n": 1}),
         plan({"op": "filter", "input": "v", "predicate": 1}), plan({"op": "filter", "input": "v", "predicate": "a > 0", "note": 1}),
         plan({"op": "filter", "input": "v", "predicate": {}}), plan({"op": "filter", "input": "v", "predicate": {"colum": "a"}}),
         plan({"op": "filter", "input": "v", "predicate": {"call": "gt", "args": 5}}), plan({"op": "filter", "input": "v", "predicate": {"column": "a", "literal": 1}}),
         plan({"op": "filter", "input": "v", "predicate": {"cast": "a"}}), plan({"op": "filter", "input": "v", "predicate": {"alias": "a"}}),
         plan({"op": "filter", "input": "v", "predicate": {"call": "eq", "args": ["a", {"literal": 1}], "distinct": 1}}),
         plan({"op": "select", "input": "v", "exprs": [{"selector": "all"}]}),
         plan({"op": "select", "input": "v", "exprs": "a"}), plan({"op": "sort", "input": "v", "by": [{"descending": True}]}),
         plan({"op": "sort", "input": "v", "by": [{"expr": "a", "descending": 1}]}), plan({"op": "unique", "input": "v", "keep": "frist"}),
         plan({"op": "join", "left": "v", "right": "v", "how": "iner", "on": ["a"]}), plan({"op": "rename", "input": "v", "columns": ["a"]}),
         plan({"op": "union", "inputs": "v"}), {"sigmapi": 1, "nodes": [{"op": "values", "schema": {"a": "int64"}, "rows": []}], "outputs": ["v"]},
         {"sigmapi": 1, "nodes": [{"id": "", "op": "values", "schema": {"a": "int64"}, "rows": []}], "outputs": [""]},
         {"sigmapi": 1, "nodes": [{"id": "v", "op": "values", "schema": ["a"], "rows": []}], "outputs": ["v"]},
         {"sigmapi": 1, "nodes": [{"id": "v", "op": "values", "schema": {"a": 5}, "rows": []}], "outputs": ["v"]},
         {"sigmapi": 1, "nodes": [{"id": "v", "op": "values", "schema": {"a": "int64"}, "rows": 5}], "outputs": ["v"]},
         {"sigmapi": 1, "nodes": [{"id": "v", "op": "scan_csv", "path": "x.csv", "paths": ["x.csv"]}], "outputs": ["v"]},
         {"sigmapi": 1, "nodes": [{"id": "v", "op": "scan_csv"}], "outputs": ["v"]},
         {"sigmapi": 1, "nodes": [{"id": "v", "op": "scan_csv", "path": "x.csv", "separator": ";;"}], "outputs": ["v"]}]
for expected, documents in ((True, good), (False, wrong)):
    for d in documents:
        rc = subprocess.run([sigmapi, "check", "-"], input=json.dumps(d), capture_output=True, text=True)
        if (rc.returncode == 0) != expected:
            bad.append("reader: %s: %s" % (json.dumps(d)[:200], rc.stderr))
        if validator.is_valid(d) != expected:
            bad.append("schema: %s: %s" % (json.dumps(d), [e.message[:100] for e in validator.iter_errors(d)][:2]))
if bad:
    sys.exit("\n".join(bad[:40]))
print("schema: %d samples, %d documents, fine" % (len(plans), len(good) + len(wrong)))
PY
python3 validate.py "$sigmapi" "$source" || fail "the JSON Schema"
