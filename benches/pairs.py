#!/usr/bin/env python3
"""Compares two builds of the benchmarks in alternating rounds, and prints a table of ratios.

    python3 benches/pairs.py OLD NEW [--pairs N] [api] [dispatch] [hooks]

OLD and NEW are checkouts in which `cargo bench --profile quick --no-run` has built the benchmarks.
A pair runs both, and the order changes from pair to pair. A figure of a run is the median of its rounds.
The ratio is above 1 where the new build is better: more per second, less time, less memory.
Its interval is that of 95 % for the mean of the logarithms of the pairs' ratios (Student's t).
"""
import argparse
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys

# Student's t for a two-sided interval of 95 %, by degrees of freedom.
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}

RUNS = {
    "api": [["api", "single"], ["api", "bulk"]],
    "dispatch": [["dispatch", "memory", "lateness", "throughput"]],
    "hooks": [["hooks"]],
}


def binary(checkout, name):
    """The newest build of a benchmark in the checkout's target directory."""
    folder = pathlib.Path(checkout) / "target" / "quick" / "deps"
    builds = [path for path in folder.glob(f"{name}-*") if re.fullmatch(f"{name}-[0-9a-f]+", path.name)]
    if not builds:
        sys.exit(f"{folder} has no build of {name}: run cargo bench --profile quick --no-run in {checkout}")
    return max(builds, key=lambda path: path.stat().st_mtime)


def figures(checkout, words):
    """What one run of a benchmark prints: the median of each row, by its text and unit."""
    name, *parts = words
    command = [binary(checkout, name), *parts]
    run = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"{checkout}: {' '.join(words)} failed: {run.stderr.strip().splitlines()[-1:]}")
    read, subject = {}, ""
    for line in run.stdout.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        found = re.fullmatch(r"([\d,.]+) (\S+)", cells[1]) if len(cells) == 4 else None
        if found:
            subject = cells[0] if not cells[0].startswith("…") else subject
            text = cells[0] if not cells[0].startswith("…") else f"{subject} {cells[0]}"
            read[text, found[2]] = float(found[1].replace(",", ""))
    return read


def interval(ratios):
    logs = [math.log(ratio) for ratio in ratios]
    half = T95[len(logs) - 1] * statistics.stdev(logs) / math.sqrt(len(logs))
    mean = statistics.fmean(logs)
    return math.exp(mean - half), math.exp(mean), math.exp(mean + half)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("old")
    arguments.add_argument("new")
    arguments.add_argument("--pairs", type=int, default=6, choices=range(2, 11), metavar="2..10")
    arguments.add_argument("names", nargs="*", metavar="api|dispatch|hooks")
    given = arguments.parse_args()
    unknown = set(given.names) - set(RUNS)
    if unknown:
        arguments.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    began = os.getloadavg()[0]
    met = {}
    for pair in range(given.pairs):
        for words in [run for name in given.names or RUNS for run in RUNS[name]]:
            sides = [("old", given.old), ("new", given.new)]
            for side, checkout in sides if pair % 2 == 0 else reversed(sides):
                for row, value in figures(checkout, words).items():
                    met.setdefault(row, {"old": [], "new": []})[side].append(value)
        print(f"pair {pair + 1} of {given.pairs}", file=sys.stderr)
    print("| what | before | now | ratio | its interval (95 %) |")
    print("| ---- | -----: | --: | ----: | ------------------: |")
    for (text, unit), sides in met.items():
        old, new = sides["old"], sides["new"]
        if len(old) != given.pairs or len(new) != given.pairs:
            continue
        more_is_better = unit.endswith("/s")
        ratios = [n / o if more_is_better else o / n for o, n in zip(old, new)]
        low, mean, high = interval(ratios)
        middle = [f"{statistics.median(side):,.4g} {unit}" for side in (old, new)]
        print(f"| {text} | {middle[0]} | {middle[1]} | {mean:.2f} | {low:.2f} to {high:.2f} |")
    print(f"\n{given.pairs} pairs. Load average (one minute): {began:.2f} and {os.getloadavg()[0]:.2f}.")


if __name__ == "__main__":
    main()
