#!/usr/bin/env bash
# Where results go, what happens when that fails, and limits: exit codes, messages, and never a file that is half written. usage: output.sh SIGMAPI SOURCE DATA
. "$(dirname "$0")/support.bash"
flights='{"id": "f", "op": "scan_parquet", "path": "'$samples'/flights.parquet"}'
two() { plan "$table, {\"id\": \"w\", \"op\": \"filter\", \"input\": \"v\", \"predicate\": \"a > 1\"}" '["v", "w"]'; }
mkdir o

# several outputs
two
accepts run plan.json; holds 'v:'; holds 'w:'; holds '3 rows'; holds '2 rows'
refuses 2 'the plan has 2 outputs: they do not fit into one file' run plan.json -o o/x.csv; grep -qF -- '{output}' err || fail "no hint"
refuses 2 'they do not fit' run plan.json --output-format csv
refuses 2 'they do not fit' run plan.json --output-format parquet -o o/x
accepts run plan.json -o 'o/x-{output}.csv'; [ "$(files)" = './x-v.csv ./x-w.csv ' ] || fail "files: $(files)"
[ "$(cat o/x-w.csv)" = $'a,b\n2,y\n3,' ] || fail "x-w.csv: $(cat o/x-w.csv)"
accepts run plan.json -o 'o/{output}-{output}.parquet'; [ -s o/v-v.parquet ] && [ -s o/w-w.parquet ] || fail "files: $(files)"
accepts run plan.json -o 'o/{output}.txt'; grep -q '2 rows' o/w.txt || fail "w.txt"
accepts run plan.json --only-output w --output-format csv; [ "$(cat out)" = $'a,b\n2,y\n3,' ] || fail "--only-output: $(cat out)"
accepts run plan.json --only-output w -o o/one.csv; [ -s o/one.csv ] || fail "one.csv"
refuses 2 'the plan has no output `z`' run plan.json --only-output z
rm -f o/*
mkdir o/w.csv; refuses 3 'o/w.csv: cannot write: Is a directory' run plan.json -o 'o/{output}.csv'; rmdir o/w.csv
[ -z "$(files)" ] || fail "one of two files was left: $(files)"
plan '{"id": "a/../../b", "op": "values", "schema": {"a": "int64"}, "rows": []}' '["a/../../b"]'
refuses 2 'cannot name a file' run plan.json -o 'o/{output}.csv'
plan "$table" '["v"]'
refuses 2 'the suffix names no format' run plan.json -o o/x
refuses 2 'the suffix names no format' run plan.json -o o/x.svg
refuses 2 'the suffix names no format' explain plan.json -o o/x.csv
accepts run plan.json -o o/x.csv --output-format table; grep -q '3 rows' o/x.csv || fail "--output-format beats the suffix"
accepts run plan.json --output-format csv -o -; [ "$(head -1 out)" = 'a,b' ] || fail "-o -"
accepts explain plan.json -f svg -o -; holds '<svg'
accepts run plan.json --output-format parquet; [ "$(head -c 4 out)" = PAR1 ] || fail "parquet on standard output"
"$sigmapi" run - --output-format csv <plan.json | cmp - <("$sigmapi" run plan.json --output-format csv) || fail "standard input"
rm -f o/*

# rows of a table
plan "$flights" '["f"]'
for n in 1 2 3 5 20 100; do accepts run plan.json --rows $n; [ "$(wc -l <out)" -eq $((n + 5)) ] || fail "--rows $n: $(cat out)"; holds "250,000 rows, $n shown"; done
accepts run plan.json; holds '250,000 rows, 20 shown'
plan '{"id": "v", "op": "values", "schema": {"a": "int64"}, "rows": [[1], [2], [3], [4]]}' '["v"]'
accepts run plan.json --rows 3; [ "$(tail -n +4 out | tr -d ' \n')" = '12…44rows,3shown' ] || fail "--rows 3 of 4: $(cat out)"
accepts run plan.json --rows 4; [ "$(tail -n +4 out | tr -d ' \n')" = '12344rows' ] || fail "--rows 4 of 4: $(cat out)"
accepts run plan.json --rows 0; holds '4 rows'
printf '{"sigmapi": 1, "nodes": [{"id": "v\\n\\u001b[31m", "op": "values", "schema": {"a\\tb\\u001b[1m": "string"}, "rows": [["x\\u001b]0;t\\u0007\\n"]]}], "outputs": ["v\\n\\u001b[31m"]}' >esc.json
for c in check run "explain --analyze" "check --all"; do accepts $c esc.json; if LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f]' out; then fail "$c lets control characters through"; fi; done

# places that cannot be written
plan "$table" '["v"]'
refuses 3 '/nonexistent/x.csv: cannot write' run plan.json -o /nonexistent/x.csv
refuses 3 '/nonexistent/x.svg: cannot write' explain plan.json -o /nonexistent/x.svg
refuses 3 '/nonexistent/r.json: cannot write' run plan.json --report /nonexistent/r.json
refuses 3 'o: cannot write: Is a directory' explain plan.json -f svg -o o
refuses 3 '/dev/full: cannot write: No space left' run plan.json --output-format csv -o /dev/full
refuses 3 '/dev/full: cannot write: No space left' explain plan.json -f svg -o /dev/full
if [ "$(id -u)" -ne 0 ]; then
  mkdir closed; chmod 555 closed; refuses 3 'cannot write' run plan.json -o closed/x.csv; chmod 755 closed
fi
for c in "run plan.json" "run plan.json --output-format csv" "run plan.json --output-format parquet" "explain plan.json" "explain plan.json -f svg" "check plan.json" rules schema --help --version; do
  rc=0; "$sigmapi" $c >/dev/full 2>err || rc=$?
  [ $rc -eq 3 ] || fail "$c to a full disk: exit $rc"
  grep -q 'cannot write' err || fail "$c to a full disk: $(cat err)"
done
rc=0; "$sigmapi" run plan.json >&- 2>err || rc=$?
[ $rc -eq 3 ] || fail "closed standard output: exit $rc: $(cat err)"

# a reader that has seen enough is no failure
plan "$flights" '["f"]'
for c in "run plan.json --rows 0" "run plan.json --output-format csv" "explain plan.json -f json" schema; do
  { rc=0; "$sigmapi" $c 2>err || rc=$?; echo $rc >rc; } | head -n 1 >out
  [ "$(cat rc)" -eq 0 ] || fail "$c | head: exit $(cat rc): $(cat err)"
  [ ! -s err ] || fail "$c | head: $(cat err)"
done

# sinks: files whole or not at all
sink() { printf '{"id": "%s", "op": "sink_%s", "input": "%s", "path": "%s"%s}' "$1" "${4##*.}" "$2" "$4" "${3:+, $3}"; }
plan "$table, $(sink s v '' o/a.csv), $(sink t v '' o/b.parquet)" '[]'
accepts check plan.json; accepts explain plan.json; [ -z "$(files)" ] || fail "explain wrote: $(files)"
accepts run plan.json; [ ! -s out ] || fail "sinks print nothing"; [ "$(files)" = './a.csv ./b.parquet ' ] || fail "$(files)"
rm o/*; accepts explain plan.json --analyze; [ "$(files)" = './a.csv ./b.parquet ' ] || fail "--analyze runs sinks: $(files)"
rm o/*; plan "$table, $(sink s v '' o/a.csv)" '["v"]'; accepts run plan.json; holds '3 rows'; [ -s o/a.csv ] || fail "a sink that is no output runs"
cp o/a.csv whole.csv; rm o/*; for closed in '>&-' '<&- >&-' '2>&-'; do rc=0; eval "\"\$sigmapi\" run plan.json $closed" >/dev/null 2>&1 || rc=$?; cmp o/a.csv whole.csv || fail "with $closed something else was written into the sink's file"; done
rm o/*; plan "$table, $(sink s v '' o/d/e/a.csv)" '[]'; refuses 3 'cannot write' run plan.json
plan "$table, $(sink s v '"mkdir": true' o/d/e/a.csv)" '[]'; accepts run plan.json; [ -s o/d/e/a.csv ] || fail "mkdir"
rm -r o/d; bad='{"id": "k", "op": "with_columns", "input": "f", "exprs": ["CAST(origin AS int64) AS z"]}'
echo old >o/c.csv
plan "$flights, $bad, $(sink s k '' o/a.csv), $(sink t f '' o/b.parquet), $(sink u f '' o/c.csv)" '[]'
for j in 1 2 4; do refuses 3 'node `k`: cannot cast `' run plan.json -j $j; [ "$(files)" = './c.csv ' ] && [ "$(cat o/c.csv)" = old ] || fail "a failed run left: $(files)"; done
plan "$flights, $bad" '["k", "f"]'
refuses 3 'cannot cast' run plan.json -o 'o/{output}.csv'; [ "$(files)" = './c.csv ' ] || fail "a failed run left: $(files)"
refuses 3 'cannot cast' run plan.json --only-output k -o o/c.csv; [ "$(cat o/c.csv)" = old ] || fail "a failed run changed the old file"
refuses 3 'cannot cast' explain plan.json --analyze -o o/x.svg; grep -q '<svg' o/x.svg || fail "the picture of a failed run"
rm -f o/*
plan "$flights, $(sink s f '' /dev/full) , $(sink t f '' o/b.parquet)" '[]'; sed -i 's/sink_\/dev\/full/sink_csv/; s/"sink_[^"]*full"/"sink_csv"/' plan.json
refuses 3 'No space left' run plan.json; [ -z "$(files)" ] || fail "a full disk left: $(files)"
# its own input
cp "$samples/flights.parquet" o/in.parquet; plan '{"id": "f", "op": "scan_parquet", "path": "o/in.parquet"}, {"id": "h", "op": "filter", "input": "f", "predicate": "delay > 300"}, {"id": "s", "op": "sink_parquet", "input": "h", "path": "o/in.parquet"}' '[]'
accepts run plan.json; accepts run plan.json; plan '{"id": "f", "op": "scan_parquet", "path": "o/in.parquet"}' '["f"]'; accepts run plan.json; [ "$(files)" = './in.parquet ' ] || fail "$(files)"
rm -f o/*
# a file that is as it was keeps its date
plan "$table" '["v"]'; accepts explain plan.json -o o/x.svg; touch -d 2001-01-01 o/x.svg; accepts explain plan.json -o o/x.svg
[ "$(stat -c %Y o/x.svg)" -eq "$(date -d 2001-01-01 +%s)" ] || fail "an unchanged file was written again"
rm -f o/*

# limits
plan "$flights, {\"id\": \"s\", \"op\": \"sort\", \"input\": \"f\", \"by\": [\"distance\", \"date\"]}, $(sink t s '' o/a.csv)" '["s"]'
refuses 4 'the memory limit of' run plan.json --memory-limit 4MB; [ -z "$(files)" ] || fail "left: $(files)"
refuses 4 'the memory limit of' explain plan.json --analyze --memory-limit 4MB
for limit in 1 1000 100k 500k 1m 2m; do refuses 4 'limit' run plan.json --memory-limit $limit; done
accepts run plan.json --memory-limit 1GB --rows 2; [ -s o/a.csv ] || fail "no sink"; rm -f o/*
for limit in 1us 1ms 0.002; do refuses 4 'the time limit of' run plan.json --time-limit $limit; [ -z "$(files)" ] || fail "left: $(files)"; done
plan "$flights, {\"id\": \"g\", \"op\": \"select\", \"input\": \"f\", \"exprs\": [\"origin\"]}, {\"id\": \"x\", \"op\": \"join\", \"left\": \"g\", \"right\": \"g\", \"how\": \"inner\", \"on\": [\"origin\"], \"suffix\": \"_2\"}, {\"id\": \"c\", \"op\": \"join\", \"left\": \"x\", \"right\": \"g\", \"how\": \"cross\", \"suffix\": \"_3\"}, {\"id\": \"n\", \"op\": \"group_by\", \"input\": \"c\", \"keys\": [], \"aggs\": [\"count(*) AS n\"]}" '["n"]'
start=$(date +%s); refuses 4 'the time limit of 1.0 s is over' run plan.json --time-limit 1s
[ $(($(date +%s) - start)) -le $((5 * slow)) ] || fail "--time-limit 1s took $(($(date +%s) - start)) s"
refuses 2 'expected a size' run plan.json --memory-limit 0
refuses 2 'expected a size' run plan.json --memory-limit 5x
refuses 2 'expected a time' run plan.json --time-limit -1
refuses 2 'from 1 to' run plan.json --threads 0
refuses 2 'from 1 to' run plan.json --batch-rows 0
refuses 2 'from 0 to' run plan.json --rows -1

# profiles of rules
plan "$flights, {\"id\": \"w\", \"op\": \"filter\", \"input\": \"f\", \"predicate\": \"delay > 300\"}" '["w"]'
accepts run plan.json --output-format csv; cp out all.csv
for o in "--optimizer none" "--optimizer default" "--disable predicate_pushdown" "--disable predicate_pushdown,projection_pushdown" "--only predicate_pushdown" "--only predicate_pushdown --only slice_pushdown" "--validate"; do
  accepts run plan.json --output-format csv $o; cmp -s out all.csv || fail "$o gives other rows"
done
accepts explain plan.json --disable predicate_pushdown; if grep -q 'predicate_pushdown ×' out; then fail "--disable: $(cat out)"; fi
refuses 2 'unknown rule `foo`' run plan.json --disable foo
refuses 2 'unknown rule `predicate_pushdow`' explain plan.json --only predicate_pushdow; grep -q 'predicate_pushdown' err || fail "no nearest rule: $(cat err)"
refuses 2 'no such file' run plan.json --optimizer nofile.json
refuses 2 'plan.json' run plan.json --optimizer plan.json
echo "output: $checks checks, fine"
