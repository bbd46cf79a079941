"""Runs chainrule and PyTorch in turn, workload by workload, and prints the ratios of their times.

    python compare.py [--threads 1,2] [--only a,b] [--rounds 3] [--quick]

Needs PyTorch in this Python. First compares results: a workload whose results differ from PyTorch's, or are not
the same bits for 1, 2, 3, 4 and 8 threads, is not timed. GB/s are what chainrule moves, where that is what counts;
`copy_10m` shows what the memory can do.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser()
parser.add_argument("--threads", default="1,2")
parser.add_argument("--only")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--quick", action="store_true")
options = parser.parse_args()


def build():
    """The path of the compiled bench."""
    command = ["cargo", "bench", "-p", "chainrule-benches", "--bench", "workloads", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, cwd=here, check=True, capture_output=True, text=True).stdout.splitlines()
    artifacts = [json.loads(line) for line in lines if line.startswith("{")]
    return [a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "workloads"][-1]


def run(command, *arguments):
    output = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in output.splitlines()]
    return {row["workload"]: row for row in rows}


def agree(name, ours, theirs):
    if "losses" in theirs:
        return max(abs(a - b) for a, b in zip(ours["losses"], theirs["losses"], strict=True)) < 1e-3
    # PyTorch's Muon multiplies in bfloat16, and a line search goes by the last bits of a sum.
    tolerance = 5e-2 if name.startswith(("muon", "lbfgs")) else 1e-3
    near = lambda a, b: a[0] == b[0] and all(
        abs(x - y) < tolerance * max(abs(b[2]), 1e-12) for x, y in zip(a[1:], b[1:])
    )
    return all(near(a, b) for a, b in zip(ours["check"], theirs["check"], strict=True))


engines = {"chainrule": [build(), "--bench"], "torch": [sys.executable, str(here / "pytorch.py")]}
only = ["--only", options.only] if options.only else []
quick = ["--quick"] if options.quick else []
checks = {engine: run(command, "--check", *only) for engine, command in engines.items()}
names = [name for name in checks["chainrule"] if name in checks["torch"]]
for name in [name for name in names if not agree(name, checks["chainrule"][name], checks["torch"][name])]:
    print(f"{name}: the results differ, not timed")
    names.remove(name)
same = lambda a, b: all(a[key] == b[key] for key in ("losses", "check") if key in a)
for threads in (1, 2, 3, 4, 8):
    rows = run(engines["chainrule"], "--check", "--threads", str(threads), *only)
    for name in [name for name in names if not same(rows[name], checks["chainrule"][name])]:
        print(f"{name}: other bits on {threads} threads, not timed")
        names.remove(name)

print(f"{os.cpu_count()} cores; medians of {options.rounds} rounds in turn; the ratio is PyTorch's time to ours")
for threads in options.threads.split(","):
    times = {(engine, name): [] for engine in engines for name in names}
    moved = {}
    for _ in range(options.rounds):
        for name in names:
            for engine, command in engines.items():
                row = run(command, "--threads", threads, "--only", name, *quick)[name]
                times[engine, name].append(row["median_us"])
                moved[name] = row.get("bytes", moved.get(name))
    print(f"\n| workload, {threads} threads | chainrule, µs | PyTorch, µs | ratio | GB/s |\n|---|---:|---:|---:|---:|")
    ratios = []
    for name in names:
        ours, theirs = (statistics.median(times[engine, name]) for engine in engines)
        ratios.append(theirs / ours)
        speed = f"{moved[name] / ours / 1e3:.1f}" if moved[name] else ""
        print(f"| {name} | {ours:,.1f} | {theirs:,.1f} | {theirs / ours:.2f} | {speed} |")
    print(f"| geometric mean | | | {math.exp(statistics.mean(map(math.log, ratios))):.2f} | |")
