#!/usr/bin/env python3
"""Runs every sample and compares with its NAME.expect.

An expectation starts with options, one a line (`data: tpch`, `decimals: 2`, `output: ID`), then either

    rows                 the rest is CSV, as `run --output-format csv` prints it
    exit 2               the rest are texts that the message must hold

With `data: tpch` the plan runs over Parquet and over CSV tables, with the default optimizer and with none.
usage: run.py SIGMAPI SAMPLES [--data DIR] [--none-seconds N] [NAME…]
"""
import argparse, csv, io, pathlib, subprocess, sys


def parse(path):
    options, lines = {}, path.read_text().splitlines()
    while lines and ":" in lines[0] and not lines[0].startswith(("rows", "exit")):
        key, value = lines.pop(0).split(":", 1)
        options.setdefault(key.strip(), []).append(value.strip())
    head = lines.pop(0).split()
    return options, head, lines


def cells_equal(a, b, decimals):
    if a == b:
        return True
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return decimals is not None and abs(x - y) <= 0.5 * 10 ** -decimals * (1 + 1e-9) + abs(y) * 1e-12


def rows_differ(got, want, decimals):
    got, want = list(csv.reader(io.StringIO(got))), list(csv.reader(io.StringIO("\n".join(want) + "\n")))
    if len(got) != len(want):
        return f"{len(got)} lines, expected {len(want)}"
    for i, (g, w) in enumerate(zip(got, want)):
        if len(g) != len(w) or not all(cells_equal(a, b, decimals) for a, b in zip(g, w)):
            return f"line {i + 1}: {g}\n    expected {w}"
    return None


def run(binary, plan, extra, timeout):
    try:
        return subprocess.run([binary, "run", str(plan), "--output-format", "csv", *extra], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("binary")
    ap.add_argument("samples", type=pathlib.Path)
    ap.add_argument("--data", type=pathlib.Path)
    ap.add_argument("--none-seconds", type=float, default=60)
    ap.add_argument("names", nargs="*")
    a = ap.parse_intermixed_args()
    passed = failed = skipped = 0
    for plan in sorted(a.samples.glob("*/*.json")):
        if a.names and plan.stem not in a.names:
            continue
        expect = plan.with_suffix(".expect")
        if not expect.exists():
            print(f"FAIL {plan}: no {expect.name}")
            failed += 1
            continue
        options, head, want = parse(expect)
        decimals = int(options["decimals"][0]) if "decimals" in options else None
        extra = [f"--only-output={o}" for o in options.get("output", [])]
        ways = [("", extra, False)]
        if options.get("data") == ["tpch"]:
            if a.data is None or not a.data.exists():
                skipped += 1
                continue
            ways = []
            for kind in ("parquet", "csv"):
                root = ["--data-root", str(a.data / "tpch-sf0.01" / kind)]
                ways.append((kind, extra + root, False))
                ways.append((kind + " none", extra + root + ["--optimizer", "none"], True))
        else:
            ways.append(("none", extra + ["--optimizer", "none"], False))
            ways.append(("1 thread, 7 rows", extra + ["--threads", "1", "--batch-rows", "7"], False))
        for name, args, may_be_slow in ways:
            r = run(a.binary, plan, args, a.none_seconds if may_be_slow else 120)
            if r is None or (may_be_slow and r.returncode == 4):
                if may_be_slow:
                    print(f"SLOW {plan} {name}: over {a.none_seconds:g} s without the optimizer")
                    skipped += 1
                    continue
                print(f"FAIL {plan} {name}: no answer in time")
                failed += 1
                continue
            if head[0] == "exit":
                missing = [w for w in want if w and w not in r.stderr]
                bad = f"exit {r.returncode}" if r.returncode != int(head[1]) else f"message lacks {missing}" if missing else None
            elif r.returncode != 0:
                bad = f"exit {r.returncode}"
            else:
                bad = rows_differ(r.stdout, want, decimals)
            if bad:
                print(f"FAIL {plan} {name}: {bad}\n    {r.stderr.strip()}")
                failed += 1
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
