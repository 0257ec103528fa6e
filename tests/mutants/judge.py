"""Compares the surviving mutants with the list of explained ones.

A mutant is named by its file and its change, without line numbers. If a function has the same change in
several places, they are numbered from the top: `src/a.rs: replace < with <= in f (2 of 3)`.
A line of the list is such a name, ` -- `, and why no test can or should catch the change.
"""

import collections
import json
import pathlib
import re
import sys


def named(mutants):
    """Maps the names that cargo-mutants uses to the names in the list."""
    groups = collections.defaultdict(list)
    for mutant in mutants:
        path, change = re.fullmatch(r"(.+?):\d+:\d+: (.+)", mutant["name"], re.DOTALL).groups()
        groups[f"{path}: {change}"].append(mutant)
    names = {}
    for name, group in groups.items():
        start = lambda mutant: (mutant["span"]["start"]["line"], mutant["span"]["start"]["column"])
        for index, mutant in enumerate(sorted(group, key=start), 1):
            names[mutant["name"]] = name if len(group) == 1 else f"{name} ({index} of {len(group)})"
    return names


def read(explained):
    lines = explained.read_text().splitlines() if explained.exists() else []
    reasons = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            name, dash, reason = line.partition(" -- ")
            if not dash or not reason.strip():
                sys.exit(f"no reason given: {line}")
            reasons[name.strip()] = reason
    return reasons


def main(all_mutants, out, explained):
    names = named(json.loads(pathlib.Path(all_mutants).read_text()))
    outcomes = json.loads((pathlib.Path(out) / "outcomes.json").read_text())["outcomes"]
    tried = collections.defaultdict(list)
    for outcome in outcomes:
        if outcome["scenario"] != "Baseline":
            name = outcome["scenario"]["Mutant"]["name"]
            tried[outcome["summary"]].append((names[name], name))
        elif outcome["summary"] != "Success":
            sys.exit("the unmutated tests fail")
    reasons = read(pathlib.Path(explained))
    count = {summary: len(mutants) for summary, mutants in sorted(tried.items())}
    print(f"{sum(count.values())} of {len(names)} mutants tried: {count}")

    survivors = dict(tried["MissedMutant"])
    wrong = [f"survives unexplained: {name} -- ({place})" for name, place in survivors.items() if name not in reasons]
    caught = {name for summary, mutants in tried.items() if summary != "MissedMutant" for name, _ in mutants}
    for name in reasons:
        if name in caught:
            wrong.append(f"explained, and no longer survives: {name}")
        elif name not in names.values():
            wrong.append(f"explained, and no longer exists: {name}")
    print(f"{len(survivors)} survived, {len(survivors.keys() & reasons.keys())} of them explained")
    if wrong:
        sys.exit("\n".join(wrong))


main(*sys.argv[1:])
