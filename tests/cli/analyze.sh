#!/usr/bin/env bash
# The figures of --analyze are plausible and add up; rows and bytes are the same on every run and for any number of threads. usage: analyze.sh SIGMAPI SOURCE DATA
. "$(dirname "$0")/support.bash"

# a date range reads 2 of the 13 row groups
plan '{"id": "f", "op": "scan_parquet", "path": "'$samples'/flights.parquet"}, {"id": "o", "op": "filter", "input": "f", "predicate": "date >= '"'2001-02-01'"' AND date < '"'2001-03-01'"'"}'
accepts explain plan.json --analyze --view after --width 200; holds 'row groups 2/13'
accepts explain plan.json --analyze -f svg; holds '2/13'

cat >figures.py <<'PY'
"""figures.py SIGMAPI PLAN THREADS [options]: runs the plan and checks the figures of its report; prints those of class rows and bytes."""
import json, subprocess, sys
sigmapi, plan, threads, rest = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
subprocess.run([sigmapi, "run", plan, "--report", "r.json", "--rows", "1", "-j", str(threads)] + rest, check=True, stdout=subprocess.DEVNULL)
r = json.load(open("r.json"))
run, names = r["runs"][0], r["metric_names"]
nodes = r["plans"][run["plan"]]["nodes"]
metrics = [dict(zip(names, run["metrics"][i * len(names):(i + 1) * len(names)])) for i in range(len(nodes))]
bad = []
def check(ok, i, what):
    if not ok:
        bad.append("%s: %s: %s" % (nodes[i]["id"] if i is not None else "run", what, metrics[i] if i is not None else {k: v for k, v in run.items() if isinstance(v, int)}))
wall, known = run["wall_ns"], lambda v: v if v > 0 else 0
slack = 1.05 * wall + 2000000
for i, (n, m) in enumerate(zip(nodes, metrics)):
    for k, v in m.items():
        check(v >= -1, i, k + " is negative")
    ran = m["output_rows"] >= 0
    check(m["mem_at_query_peak_bytes"] <= m["mem_peak_bytes"], i, "more at the query's peak than ever")
    check(m["mem_current_bytes"] <= m["mem_peak_bytes"], i, "more at the end than ever")
    check(known(m["busy_ns"]) <= slack * threads, i, "busier than all workers")
    check(known(m["cpu_ns"]) <= slack * threads, i, "more processor time than all workers have")
    check(known(m["span_ns"]) <= slack, i, "active for longer than the run")
    check(m["row_groups_read"] <= m["row_groups_total"], i, "row groups")
    check(m["files_read"] <= m["files_total"], i, "files")
    check(m["output_rows"] <= 0 or m["output_bytes"] >= 0, i, "rows without bytes")
    if ran and "inputs" in n and not run["cut"][i]:
        inputs = [metrics[k] for k in n["inputs"]]
        if all(k["output_rows"] >= 0 for k in inputs) and m["input_rows"] >= 0 and not any(run["cut"][k] for k in n["inputs"]):
            passed = sum(k["output_rows"] for k in inputs) # a join whose build side is empty does not take the other one
            check(m["input_rows"] == passed or n["op"] == "join" and m["input_rows"] < passed, i, "rows received are not those that were passed on: %d" % passed)
    if n["op"] == "filter" and ran and not run["cut"][i]:
        check(m["input_rows"] - m["output_rows"] == m["rows_removed"], i, "rows removed")
check(sum(known(m["busy_ns"]) for m in metrics) <= slack * threads, None, "all nodes together are busier than all workers")
check(sum(known(m["mem_at_query_peak_bytes"]) for m in metrics) <= run["peak_bytes"], None, "the nodes hold more than the query")
check(run["peak_bytes"] <= sum(known(m["mem_peak_bytes"]) for m in metrics) + (64 << 20), None, "the query's peak has no owner")
check(run["cpu_ns"] <= slack * threads, None, "processor time")
check(run["rss_peak"] >= max(run["rss_before"], run["rss_after"]), None, "resident size")
check(run["rows_scanned"] == sum(known(m["output_rows"]) + known(m["rows_removed"]) for n, m in zip(nodes, metrics) if n.get("is_source")), None, "rows scanned")
check(run["threads"] == threads, None, "threads")
for a in run["activity"]:
    check(0 <= a["worker"] < threads and 0 <= a["start_ns"] <= a["end_ns"] <= slack, None, "activity %s" % a)
if bad:
    sys.exit(plan + "\n" + "\n".join(bad[:8]))
stable = ["output_rows", "input_rows", "rows_removed", "output_bytes", "bytes_scanned", "bytes_pruned", "row_groups_total", "row_groups_read", "files_total", "files_read"]
for n, m, cut in zip(nodes, metrics, run["cut"]):
    print(n["id"], "cut" if cut else [m[k] for k in stable])
PY

# compare PLAN RUNS OPTIONS...: the figures hold in every run, and neither they nor the picture change
compare() {
  local p=$1 runs=$2 name i j
  shift 2
  name=$(basename "$p" .json)
  rm -f first.*
  for i in $(seq "$runs"); do
    for j in 1 2 4; do
      python3 figures.py "$sigmapi" "$p" $j "$@" >now.txt || fail "the figures of $name"
      if [ -e first.txt ]; then cmp -s first.txt now.txt || fail "$name -j $j: $(diff first.txt now.txt | head -6)"; else mv now.txt first.txt; fi
      accepts explain "$p" --analyze --metrics rows,bytes -o now.svg -j $j "$@"
      if [ -e first.svg ]; then cmp -s first.svg now.svg || fail "$name -j $j: another picture: $(diff first.svg now.svg | head -c 600)"; else mv now.svg first.svg; fi
      accepts explain "$p" --analyze --metrics rows,bytes --width 120 -j $j "$@"
      if [ -e first.out ]; then cmp -s first.out out || fail "$name -j $j: another text: $(diff first.out out | head -c 600)"; else mv out first.out; fi
    done
  done
}
for p in flights merged nulls pushdown shared weather; do compare "$source/samples/gallery/$p.json" 7; done
if [ -d "$data/tpch-sf0.01/parquet" ]; then
  for p in "$source"/samples/tpch/*.json; do compare "$p" 1 --data-root "$data/tpch-sf0.01/parquet"; done
  compare "$source/samples/tpch/q05.json" 3 --data-root "$data/tpch-sf0.01/csv"
fi
echo "analyze: $checks checks, fine"
