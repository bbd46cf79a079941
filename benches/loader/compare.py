"""Runs the loaders of chainrule and PyTorch in turn on the same images, and prints the ratio of their times.

    python compare.py [--threads 1,2] [--workers 0] [--rounds 3] [--epochs 5]

Needs PyTorch in this Python. Fails when the two do not hand out the same batches.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser()
parser.add_argument("--threads", default="1,2")
parser.add_argument("--workers", default="0")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--epochs", default="5")
options = parser.parse_args()


def build():
    """The path of the compiled bench."""
    command = ["cargo", "bench", "-p", "chainrule-benches", "--bench", "loader", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, cwd=here, check=True, capture_output=True, text=True).stdout.splitlines()
    artifacts = [json.loads(line) for line in lines if line.startswith("{")]
    return [a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "loader"][-1]


engines = {"chainrule": [build(), "--bench"], "torch": [sys.executable, str(here / "pytorch.py")]}
print("60,000 images in shuffled batches of 64: milliseconds for an epoch; the ratio is PyTorch's time to ours\n")
print("| threads | workers | chainrule | PyTorch | ratio |\n|---:|---:|---:|---:|---:|")
for threads in options.threads.split(","):
    for workers in options.workers.split(","):
        times = {engine: [] for engine in engines}
        digests = {}
        for _ in range(options.rounds):
            for engine, command in engines.items():
                arguments = ["--threads", threads, "--workers", workers, "--epochs", options.epochs]
                row = json.loads(subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout)
                times[engine] += row["epochs_ms"]
                digests[engine] = row["digest"]
        same = all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(digests["chainrule"], digests["torch"], strict=True))
        if not same:
            sys.exit(f"the batches differ: {digests}")
        ours, theirs = (statistics.median(times[engine]) for engine in engines)
        print(f"| {threads} | {workers} | {ours:.1f} | {theirs:.1f} | {theirs / ours:.1f} |", flush=True)
