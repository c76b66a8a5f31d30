#!/usr/bin/env bash
# Files that are missing, unreadable, broken, truncated or lying: rows or one clean error that names the file. usage: files.sh SIGMAPI SOURCE DATA
. "$(dirname "$0")/support.bash"

scan() { plan "{\"id\": \"o\", \"op\": \"$1\", $2}"; }
csv() { scan scan_csv "\"path\": \"$1\"${2:+, $2}"; }
parquet() { scan scan_parquet "\"path\": \"$1\"${2:+, $2}"; }

# missing: exit 2 without a schema, drawn as written; with one a warning for explain and check, exit 3 for run
csv nope.csv
for c in check run explain "explain --analyze"; do refuses 2 '/nodes/0 (1:26): nope.csv: no such file' $c plan.json; done
refuses 2 'no such file' explain plan.json; holds '✗ nope.csv: no such file'; holds 'written'
csv 'nope*.csv'; refuses 2 'nope*.csv: no file matches' check plan.json
parquet nope.parquet; refuses 2 'nope.parquet: no such file' check plan.json
mkdir empty; csv empty; refuses 2 'empty: no csv file in this folder' check plan.json
csv '' ; refuses 2 '`path` holds an empty path' check plan.json
scan scan_csv '"paths": []'; refuses 2 '`paths` names no file' check plan.json
csv 'a\u0000b'; refuses 2 'U+0000' check plan.json
csv "$(printf 'x%.0s' $(seq 5000))"; refuses 3 'name too long' check plan.json
for kind in csv parquet; do
  $kind nope.$kind '"schema": {"a": "int64", "b": "string"}'
  "$sigmapi" check plan.json >out 2>err || fail "a missing file with a schema is no error for check: $(cat err)"
  holds 'o: a int64, b string'
  grep -qF "warning: nope.$kind: no such file" err || fail "no warning: $(cat err)"
  "$sigmapi" explain plan.json >out 2>err || fail "a missing file with a schema is no error for explain: $(cat err)"
  grep -qF 'warning:' err || fail "no warning of explain"
  refuses 3 'no such file' run plan.json
  if grep -q 'warning' err; then fail "run warns of what it then fails with: $(cat err)"; fi
  refuses 3 'no such file' explain plan.json --analyze
done
scan scan '"table": "t"'; refuses 2 'no table `t`' check plan.json
refuses 2 'nofile.csv: no such file' check plan.json --table t=nofile.csv
refuses 2 '--table: `t` is both a.csv and b.csv' check plan.json --table t=a.csv --table t=b.csv
refuses 2 'no table `t` in nowhere' check plan.json --data-root nowhere
mkdir root root/t; printf 'a\n1\n' >root/t.csv; printf 'a\n2\n' >root/t/x.csv
refuses 2 'root/t.csv and root/t' check plan.json --data-root root
accepts run plan.json --table t=root/t; holds '2'
rm -r root/t; accepts run plan.json --data-root root; holds '1 row'
scan scan '"table": "T"'; refuses 2 'did you mean `t`' check plan.json --data-root root
for table in '' '../root/t' '/etc/passwd'; do scan scan "\"table\": \"$table\""; refuses 2 'must be a name without slashes' check plan.json; done

# what is no regular file, or not for us
for path in /dev/null /dev/zero /dev/full; do for kind in csv parquet; do $kind $path; refuses 3 "$path: not a regular file" check plan.json; done; done
if [ "$(id -u)" -ne 0 ]; then
  printf 'a\n1\n' >secret.csv; chmod 0 secret.csv
  csv secret.csv; refuses 3 'secret.csv: cannot open' run plan.json
fi

# CSV
rows() { python3 -c 'import sys; n = int(sys.argv[1]); sys.stdout.write("a,b\n" + "".join("%d,x\n" % i for i in range(n)) + sys.argv[2].encode().decode("unicode_escape"))' "$@"; }
rows 30000 '5\n' >t.csv; csv t.csv; refuses 3 't.csv: (30002): node `o`: this row has 1 field' run plan.json
for j in 1 2 4; do refuses 3 '(30002)' run plan.json -j $j; done
rows 30000 '7,8,9\n' >t.csv; refuses 3 't.csv: (30002:5): node `o`: this row has 3 fields, expected 2; the first surplus one is `9`' run plan.json
csv t.csv '"ragged": "null"'; refuses 3 'surplus' run plan.json
csv t.csv '"ragged": "truncate"'; accepts run plan.json --rows 2; holds '30,001 rows, 2 shown'
rows 30000 '5\n' >t.csv; csv t.csv '"ragged": "null"'; accepts run plan.json; holds 'null'
rows 30000 'hello,x\n' >t.csv; csv t.csv; refuses 3 't.csv: (30002:1): node `o`: column `a`: `hello` is not int64' run plan.json
csv t.csv '"infer_rows": 40000'; accepts run plan.json; holds 'hello'
csv t.csv '"null_values": ["hello"]'; accepts run plan.json; holds 'null'
rows 30000 '5,"x\n' >t.csv; csv t.csv; refuses 3 't.csv' run plan.json
rows 3 '5,"x"y\n' >t.csv; refuses 3 'behind the closing quote' run plan.json
{ rows 30000 ''; printf '5,\xff\xfe\n'; } >t.csv; refuses 3 't.csv: (30002:3): node `o`: column `b`: the text is not valid UTF-8' run plan.json
rows 3 '' | iconv -t UTF-16 >t.csv; refuses 3 't.csv: the file is UTF-16' run plan.json
: >t.csv; refuses 3 't.csv: the file is empty' run plan.json
printf 'a,a\n1,2\n' >t.csv; refuses 2 'duplicate' run plan.json
printf 'a,b' >t.csv; accepts run plan.json; holds '0 rows'
printf '\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n' >t.csv; accepts run plan.json --output-format csv; holds 'a,b'; holds '1,"x'
printf 'a,b\r1,2\r3,4\r' >t.csv; accepts run plan.json; holds '2 rows'
csv t.csv '"separator": ";;"'; refuses 2 '`separator` must be' check plan.json
csv t.csv '"separator": "\n"'; refuses 2 '`separator` must be' check plan.json
csv t.csv '"ragged": "foo"'; refuses 2 '`ragged` is `foo`' check plan.json
csv t.csv '"row_index": "i"'; refuses 2 '`row_index` must be an object' check plan.json
csv t.csv '"schema": {"a": "int64", "z": "string"}'; refuses 3 'unknown column `z`' run plan.json
mkdir mixed; printf 'a,b\n1,2\n' >mixed/1.csv; printf 'a,c\n1,2\n' >mixed/2.csv; csv mixed; refuses 3 'mixed/2.csv: ' run plan.json

# Parquet: a good file cut anywhere, bytes changed anywhere
printf '{"sigmapi": 1, "nodes": [{"id": "v", "op": "values", "schema": {"a": "int64", "b": "string", "c": "decimal(10,2)", "d": "date"}, "rows": [[1, "x", "1.50", "2024-01-01"], [2, null, null, null]]}], "outputs": ["v"]}' >make.json
accepts run make.json -o good.parquet
parquet t.parquet
python3 - "$sigmapi" <<'PY' || fail "a broken Parquet file"
import random, subprocess, sys
good = open("good.parquet", "rb").read()
random.seed(7)
variants = [good[:n] for n in range(0, len(good), 7)] + [good[n:] for n in range(1, len(good), 29)]
for _ in range(120):
    b = bytearray(good)
    for _ in range(random.choice([1, 1, 2, 8])):
        b[random.randrange(len(b))] = random.randrange(256)
    variants.append(bytes(b))
for i, v in enumerate(variants):
    open("t.parquet", "wb").write(v)
    r = subprocess.run([sys.argv[1], "run", "plan.json"], capture_output=True, text=True, errors="replace", timeout=60)
    errors = [l for l in r.stderr.splitlines() if l.startswith("sigmapi: ") and ": warning: " not in l]
    ok = (r.returncode == 0 and not errors) or (r.returncode in (2, 3, 4) and len(errors) == 1 and "t.parquet" in errors[0])
    if not ok:
        sys.exit("variant %d: exit %d: %s" % (i, r.returncode, r.stderr[:3000]))
PY
printf 'PAR1xxxxPAR1' >t.parquet; refuses 3 't.parquet' run plan.json
printf 'x' >t.parquet; refuses 3 't.parquet' run plan.json
cp plan.json t.parquet; refuses 3 'not a Parquet file' run plan.json
printf 'PAR1\xff\xff\xff\x7fPAR1' >t.parquet; refuses 3 't.parquet' run plan.json

# what others have broken
n=0
if [ -d "$data/parquet/fuzz" ]; then
  for f in "$data"/parquet/fuzz/*; do
    case $f in *.md | *.json) continue ;; esac
    cp "$f" t.parquet
    rc=0
    timeout 120 "$sigmapi" run plan.json --memory-limit 1GB >out 2>err || rc=$?
    case $rc in
      0) ;;
      2 | 3 | 4) [ "$(grep -av ': warning: ' err | grep -ac '^sigmapi: ')" -eq 1 ] || fail "$f: $(head -c 2000 err)" ;;
      *) fail "$f: exit $rc: $(head -c 2000 err)" ;;
    esac
    n=$((n + 1))
  done
fi
echo "files: $checks checks, $n fuzzed files, fine"
