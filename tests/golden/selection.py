#!/usr/bin/env python3
"""Cuts a directory of cases down to the copy that the project carries.

    python3 tests/golden/selection.py DIRECTORY [--cases N] [--bytes N]

Of each operation, variant and dtype it keeps at most --cases cases, spread evenly over what there is, and passes
over cases of more than --bytes bytes where smaller ones are left. Families without tensors are kept whole.
"""

import argparse
import collections
import pathlib

import store

OWN = pathlib.Path(__file__).parent / "cases"
FAMILIES = ["ops", "errors", "modules", "optim", "schedulers", "init", "utils", "rng", "runs"]
WHOLE = {"schedulers", "init", "utils", "rng", "runs"}


def subject(family, case):
    """What few cases are enough of."""
    if family == "optim":
        return case["optim"], case["dtype"], case.get("set", case.get("problem"))
    name = case.get("op") or case.get("module")
    return name, case.get("variant"), case.get("dtype"), case.get("fn"), case.get("train")


def spread(cases, count):
    """So many of the cases, evenly spread."""
    if len(cases) <= count:
        return cases
    return [cases[i * len(cases) // count] for i in range(count)]


def select(family, cases, sizes, count, limit):
    groups = collections.defaultdict(list)
    for case in cases:
        groups[subject(family, case)].append(case)
    kept = set()
    for group in groups.values():
        small = [case for case in group if sizes[case["id"]] <= limit]
        chosen = small if small else [min(group, key=lambda case: sizes[case["id"]])]
        kept.update(case["id"] for case in spread(chosen, count))
    return [case for case in cases if case["id"] in kept]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--bytes", type=int, default=6000)
    arguments = parser.parse_args()
    for old in OWN.glob("*.gz"):
        old.unlink()
    for family in FAMILIES:
        cases = store.read_cases(arguments.directory, family)
        files = {case[key] for case in cases for key in ("file", "set_file") if key in case}
        tensors = {file: store.read_tensors(arguments.directory / file) for file in sorted(files)}
        sizes = collections.Counter()
        for content in tensors.values():
            for key, (_, _, data) in content.items():
                sizes[key.split("/")[0]] += len(data)
        if family not in WHOLE:
            cases = select(family, cases, sizes, arguments.cases, arguments.bytes)
        store.write_cases(OWN, family, cases)
        wanted = {case.get("id") for case in cases} | {case.get("set") for case in cases}
        for file, content in tensors.items():
            kept = {key: value for key, value in content.items() if key.split("/")[0] in wanted}
            if kept:
                store.write_tensors(OWN / file, kept)
        print(f"{family}: {len(cases)} cases")
    print(f"{sum(file.stat().st_size for file in OWN.glob('*.gz')) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
