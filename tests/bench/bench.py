"""Times queries in sigmapi (elapsed time of the run, from its report) and DuckDB, alternating. usage: bench.py SIGMAPI DATA QUERIES ROUNDS [q01 …]"""
import json, pathlib, subprocess, sys, tempfile, time

import duckdb

sigmapi, data, queries, rounds = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4])
names = sys.argv[5:] or ["q01", "q06"]
con = duckdb.connect()
con.execute("SET threads = 2")
for f in data.glob("*.parquet"):
    con.execute(f"CREATE VIEW {f.stem} AS SELECT * FROM '{f}'")
product = 1.0
for name in names:
    sql = (queries / f"{name}.sql").read_text()
    theirs, ours, process = [], [], []
    with tempfile.TemporaryDirectory() as tmp:
        report = pathlib.Path(tmp) / "r.json"
        for _ in range(rounds):
            t = time.perf_counter()
            con.execute(sql).fetchall()
            theirs.append(time.perf_counter() - t)
            t = time.perf_counter()
            subprocess.run([sigmapi, "run", f"samples/tpch/{name}.json", "--data-root", str(data), "--threads", "2", "--report", str(report)], check=True, capture_output=True)
            process.append(time.perf_counter() - t)
            ours.append(json.loads(report.read_text())["runs"][0]["wall_ns"] / 1e9)
    ratio = min(ours) / min(theirs)
    product *= ratio
    print(f"{name}: sigmapi {min(ours) * 1e3:6.1f} ms ({min(process) * 1e3:.1f} ms with the process), DuckDB {min(theirs) * 1e3:6.1f} ms, ratio {ratio:.2f}")
print(f"geometric mean of the ratios: {product ** (1 / len(names)):.2f}")
