"""How often a comparison in turn is right: simulated, and measured on this machine: python -m benchmarks.bench_ab."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.machine import described, warn_if_busy
from harness.runs.bench.endpoints import EndpointSide
from harness.runs.bench.in_turn import compare_in_turn
from harness.runs.bench.sides import FunctionSide
from harness.stats.ratio import paired_ratio, shifted

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "bench.md"
Line = tuple[str, str, str, bool | None]

FUNCTIONS = """
def spin(n):
    total = 0
    for i in range(n):
        total += i * i
    return total

def a(): return spin({a})
def b(): return spin({b})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=100, help="for the measured part")
    parser.add_argument("--simulated", type=int, default=4000, help="comparisons per simulated cell")
    parser.add_argument("--write", action="store_true", help=f"write docs/benchmarks/{PAGE.name}")
    args = parser.parse_args()
    print(described(), warn_if_busy(), sep="\n", flush=True)
    lines: list[Line] = []
    for line in (*simulated(args.simulated), *measured(args.seconds)):
        print(*line[:3], {True: "met", False: "MISSED", None: ""}[line[3]], sep=" | ", flush=True)
        lines.append(line)
    if args.write:
        head = ["# harness bench: how often it is right", "", f"{described()}. {warn_if_busy()}".strip(), ""]
        words = {True: "yes", False: "**no**", None: ""}
        table = [f"| {what} | {figure} | {target} | {words[met]} |" for what, figure, target, met in lines]
        text = "\n".join([*head, "| what | figure | target | met |", "| --- | --- | --- | --- |", *table, ""])
        PAGE.write_text(text + "\nMade by `python -m benchmarks.bench_ab --write`.\n", encoding="utf-8")


def simulated(count: int) -> Iterator[Line]:
    """Pairs with log-normal noise, and with one pair in ten hit by something that doubles one side."""
    draw = np.random.default_rng(7)
    for pairs in (5, 8, 20):
        for name, spoilt in (("log-normal 3 %", 0.0), ("one in ten doubled", 0.1)):
            flagged = share_flagged(draw, pairs, 0.03, spoilt, 1.0, count)
            yield f"A/A, {pairs} pairs, {name} (simulated)", _percent(flagged), "≤ 2 % flagged", flagged <= 0.02
    for noise in (0.02, 0.03, 0.04):
        found = share_flagged(draw, 5, noise, 0.0, 1.1, count)
        what = f"+10 % TTFT, 5 repeats, {100 * noise:.0f} % noise per repeat and side (simulated)"
        # 2 % is the median of 50 requests whose times scatter by 11 %, which is what a repeat is by default.
        yield what, _percent(found), "≥ 80 % found" if noise == 0.02 else "", found >= 0.8 if noise == 0.02 else None


def share_flagged(
    draw: np.random.Generator, pairs: int, noise: float, spoilt: float, ratio: float, count: int
) -> float:
    """Share of simulated comparisons whose answer is not *not shown*; above 1, only *slower* counts."""
    hits = 0
    for _ in range(count):
        sides = np.exp(draw.normal(0, noise, (2, pairs)))
        sides *= np.where(draw.random((2, pairs)) < spoilt, 2.0, 1.0)
        answer = shifted(paired_ratio(sides[0].tolist(), (ratio * sides[1]).tolist(), resamples=1000)).answer
        hits += answer == "slower" if ratio > 1 else answer != "not shown"
    return hits / count


def measured(seconds: float) -> Iterator[Line]:
    """Real comparisons of a 1 ms function, and of an endpoint that answers 10 % later, in a share of the time each."""
    with tempfile.TemporaryDirectory() as folder:
        tree, calls = Path(folder), _calls_per_ms()
        (tree / "spinning.py").write_text(FUNCTIONS.format(a=calls, b=int(calls * 1.1)))
        for name, second, target in (("A/A", "a", "≤ 2 % flagged"), ("10 % slower", "b", "≥ 95 % found")):
            flags, end = [], time.perf_counter() + seconds * 3 / 8
            while time.perf_counter() < end:
                sides = FunctionSide("spinning:a", tree), FunctionSide(f"spinning:{second}", tree)
                shift = compare_in_turn(*sides, seed=len(flags)).shift
                flags.append(shift.answer != "not shown" if second == "a" else shift.answer == "slower")
            share = sum(flags) / len(flags)
            met = share <= 0.02 if second == "a" else share >= 0.95
            yield f"1 ms function, {name} (measured)", f"{sum(flags)} of {len(flags)}", target, met
    flags, end = [], time.perf_counter() + seconds / 4
    with _server(0.020) as first, _server(0.022) as second:
        while time.perf_counter() < end:
            shift = compare_in_turn(
                EndpointSide(first), EndpointSide(second), rounds=5, samples=50, units=1, seed=len(flags)
            ).shift
            flags.append(shift.answer == "slower")
    yield (
        "TTFT 22 ms against 20 ms, 10 % jitter, 5 repeats of 50 (measured)", f"{sum(flags)} of {len(flags)}",
        "≥ 80 % found", sum(flags) >= 0.8 * len(flags),
    )  # fmt: skip


def _calls_per_ms() -> int:
    """How far the function has to count for one millisecond here."""
    names: dict[str, object] = {}
    exec(FUNCTIONS.format(a=1, b=1), names)
    spin, best = names["spin"], 1.0
    for _ in range(20):
        start = time.perf_counter()
        spin(10_000)  # type: ignore[operator]
        best = min(best, time.perf_counter() - start)
    return int(10_000 * 0.001 / best)


@contextmanager
def _server(first_token_s: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.bench_ab_server", str(first_token_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


if __name__ == "__main__":
    main()
