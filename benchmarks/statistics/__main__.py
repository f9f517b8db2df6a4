"""Run the simulations: python -m benchmarks.statistics [--replications 4000] [--small] [--only NAME] [--write]."""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

from benchmarks.statistics.row import Row

NAMES = ("coverage", "paired_gate", "every_item", "at_the_bar", "stopping", "same_twice", "history", "time_bound")
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "statistics.md"


def table(rows: list[Row], replications: int) -> str:
    lines = [
        "# Statistics: what the decisions reach",
        "",
        f"Made by `python -m benchmarks.statistics --replications {replications} --write`, seeded. *Exact* rows are",
        "computed over every possible outcome, not simulated. The naive method sees the same data in the same run.",
        "",
        "| what | figure | target | met | what naive methods do | how |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.what} | {row.figure} | {row.target} | {'yes' if row.met else '**no**'} | {row.naive} | {row.how} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=4000)
    parser.add_argument("--small", action="store_true", help="fewer cells, for a quick look")
    parser.add_argument("--only", choices=NAMES, action="append")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    chosen = parser.parse_args()
    rows: list[Row] = []
    for name in chosen.only or NAMES:
        start = time.perf_counter()
        made = importlib.import_module(f"benchmarks.statistics.{name}").measure(chosen.replications, small=chosen.small)
        rows += made
        for row in made:
            mark = "met" if row.met else "NOT MET"
            print(
                f"{row.what}\n    {row.figure}   (target {row.target}: {mark})\n    naive: {row.naive}\n    {row.how}"
            )
        print(f"  {name}: {time.perf_counter() - start:.1f} s\n", flush=True)
    if chosen.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(table(rows, chosen.replications), encoding="utf-8")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
