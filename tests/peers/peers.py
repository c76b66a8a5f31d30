"""What sigmapi writes, others read back exactly, and the other way round; TPC-H answers equal DuckDB's.

usage: peers.py SIGMAPI DATA
"""
import csv, datetime as dt, decimal, io, json, pathlib, subprocess, sys, tempfile

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

sigmapi, data = sys.argv[1], pathlib.Path(sys.argv[2])
passed = failed = skipped = 0


def check(name, ok, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAIL {name} {why}")


def run(plan, *args):
    r = subprocess.run([sigmapi, "run", "-", *args], input=json.dumps(plan), capture_output=True, text=True, timeout=300)
    if r.returncode != 0:
        raise RuntimeError(r.stderr.strip())
    return r.stdout


def copy_plan(source, target, **sink):
    suffix = pathlib.Path(source).suffix[1:]
    return {"sigmapi": 1, "nodes": [{"id": "in", "op": f"scan_{suffix}", "path": str(source)},
                                    {"id": "out", "op": "sink_parquet", "input": "in", "path": str(target), **sink}], "outputs": ["out"]}


def table_of_all_types(n):
    d = decimal.Decimal
    columns = {
        "i8": pa.array([i % 100 - 50 for i in range(n)], pa.int8()), "u16": pa.array([i * 7 % 60000 for i in range(n)], pa.uint16()),
        "i32": pa.array([i * 1001 for i in range(n)], pa.int32()), "i64": pa.array([i * 10**12 for i in range(n)], pa.int64()),
        "u64": pa.array([2**64 - 1 - i for i in range(n)], pa.uint64()), "f32": pa.array([i / 8 for i in range(n)], pa.float32()),
        "f64": pa.array([i / 7 for i in range(n)], pa.float64()), "b": pa.array([i % 3 == 0 for i in range(n)]),
        "s": pa.array([f"text {i % 50} {'long ' * (i % 4)}" for i in range(n)]), "u": pa.array([f"unique {i}" for i in range(n)]),
        "d9": pa.array([d(i) / 100 for i in range(n)], pa.decimal128(9, 2)), "d38": pa.array([d(i) * 10**20 + d("0.5") for i in range(n)], pa.decimal128(38, 4)),
        "day": pa.array([dt.date(2000, 1, 1) + dt.timedelta(i % 9000) for i in range(n)]),
        "us": pa.array([dt.datetime(2001, 2, 3, 4, 5, 6, i % 1000000) for i in range(n)], pa.timestamp("us")),
        "ms": pa.array([dt.datetime(2001, 2, 3, 4, 5, i % 60) for i in range(n)], pa.timestamp("ms", tz="UTC")),
        "bin": pa.array([bytes([i % 256, 0, 255]) for i in range(n)], pa.binary()),
    }
    nullable = {f"{k}_n": pa.array([None if (i * 31 + j) % 5 == 0 else v for i, v in enumerate(col.to_pylist())], col.type) for j, (k, col) in enumerate(columns.items())}
    return pa.table({**columns, **nullable})


def parquet_round_trips(folder):
    table = table_of_all_types(5000)
    for version in ("1.0", "2.0"):
        for compression in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
            for dictionary in (True, False):
                name = f"arrow-{version}-{compression}-{dictionary}"
                path, out = folder / f"{name}.parquet", folder / f"{name}-out.parquet"
                pq.write_table(table, path, data_page_version=version, compression=compression, use_dictionary=dictionary, row_group_size=1700)
                try:
                    run(copy_plan(path, out))
                    got = pq.read_table(out)
                    bad = [c for c in table.column_names if got[c].to_pylist() != table[c].to_pylist()]
                    check(f"parquet {name}", not bad, f"columns {bad}")
                except Exception as e:
                    check(f"parquet {name}", False, e)
    frame = pl.read_parquet(folder / "arrow-2.0-zstd-True.parquet")
    frame.write_parquet(folder / "polars.parquet", statistics=True)
    duckdb.sql(f"COPY (SELECT * FROM '{folder}/arrow-2.0-zstd-True.parquet') TO '{folder}/duckdb.parquet' (FORMAT parquet)")
    for writer in ("polars", "duckdb"):
        run(copy_plan(folder / f"{writer}.parquet", folder / f"{writer}-out.parquet"))
        a, b = pl.read_parquet(folder / f"{writer}.parquet"), pl.read_parquet(folder / f"{writer}-out.parquet")
        check(f"parquet of {writer}, read by polars", a.equals(b))
        rows = duckdb.sql(f"SELECT count(*) FROM (SELECT * FROM '{folder}/{writer}.parquet' EXCEPT ALL SELECT * FROM '{folder}/{writer}-out.parquet')").fetchall()[0][0]
        check(f"parquet of {writer}, read by duckdb", rows == 0, f"{rows} rows differ")
    for compression in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
        out = folder / f"sink-{compression}.parquet"
        run(copy_plan(folder / "arrow-2.0-zstd-True.parquet", out, compression=compression))
        check(f"sink_parquet {compression}", pl.read_parquet(out).equals(frame) and pq.read_table(out)["s"].to_pylist() == table["s"].to_pylist())


def csv_peers(folder):
    frame = pl.DataFrame({"i": [1, None, -3], "f": [0.5, 1e300, None], "s": ['q"q', "line\nend", None], "e": ["", "a,b", " x "], "d": [dt.date(2020, 2, 29), None, dt.date(1, 1, 1)]})
    frame.write_csv(folder / "polars.csv")
    plan = {"sigmapi": 1, "nodes": [{"id": "in", "op": "scan_csv", "path": str(folder / "polars.csv")}], "outputs": ["in"]}
    got = pl.read_csv(io.StringIO(run(plan, "--output-format", "csv")), try_parse_dates=True)
    want = pl.read_csv(folder / "polars.csv", try_parse_dates=True)
    check("csv of polars", got.equals(want), f"{got} {want}")


def tpch(folder):
    global skipped
    root = data / "tpch-sf0.01"
    if not root.exists():
        skipped += 22
        return
    con = duckdb.connect()
    for table in "customer lineitem nation orders part partsupp region supplier".split():
        con.execute(f"CREATE VIEW {table} AS SELECT * FROM '{root}/parquet/{table}.parquet'")
    for q in range(1, 23):
        want = con.execute((root / "queries" / f"q{q:02}.sql").read_text()).fetchall()
        r = subprocess.run([sigmapi, "run", f"samples/tpch/q{q:02}.json", "--data-root", str(root / "parquet"), "--output-format", "csv"], capture_output=True, text=True)
        got = list(csv.reader(io.StringIO(r.stdout)))[1:]

        def same(a, b):
            if b is None:
                return a == ""
            if isinstance(b, (int, float, decimal.Decimal)):
                return abs(float(a) - float(b)) <= 0.005 + 1e-9 * abs(float(b))
            return a == str(b)

        check(f"TPC-H q{q:02}", r.returncode == 0 and len(got) == len(want) and all(same(a, b) for x, y in zip(got, want) for a, b in zip(x, y)), r.stderr.strip())


with tempfile.TemporaryDirectory() as tmp:
    folder = pathlib.Path(tmp)
    parquet_round_trips(folder)
    csv_peers(folder)
    tpch(folder)
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
