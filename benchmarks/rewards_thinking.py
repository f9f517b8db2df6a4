"""Thinking budgets: how long a debit takes while five processes write to one ledger, and that no token is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, Result
from harness.rewards import ThinkingLedger

ROOT = Path(__file__).resolve().parents[1]
WRITERS = 5
WRITER = """
import sys, time
from harness.rewards import ThinkingLedger
path, count = sys.argv[1], int(sys.argv[2])
took = []
with ThinkingLedger(path) as ledger:
    ledger.open_task("shared", "complex")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        start = time.perf_counter()
        ledger.debit("shared", 1, force=True)
        took.append(time.perf_counter() - start)
print(" ".join(f"{t:.6f}" for t in took), flush=True)
"""


def together(path: Path, writers: int, count: int) -> list[float]:
    """Seconds of every debit of so many processes that write at the same time."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(writers)
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[0] for process in running]
    return [float(text) for line in said for text in line.split()]


def killed(path: Path) -> tuple[int, int, int]:
    """Debits booked, sum of debits and total after five writers were killed with signal 9."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), "1000000"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(WRITERS)
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
    time.sleep(0.5)
    for process in running:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    with ThinkingLedger(path) as ledger:
        total = ledger.consumption("shared").total
    with contextlib.closing(sqlite3.connect(path)) as db:
        count, booked = db.execute("SELECT COUNT(*), SUM(tokens) FROM debits").fetchone()
    return count, booked, total


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[max(0, int(len(values) * q) - 1)]


def run(scale: float = 1.0) -> Result:
    count = max(20, int(2000 * scale))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        alone = together(folder / "alone.db", 1, count)
        took = together(folder / "five.db", WRITERS, count)
        with ThinkingLedger(folder / "five.db") as ledger:
            found = ledger.consumption("shared")
            escalations = sum(debit.escalated for debit in ledger.debits("shared"))
        for name, q, limit in (("median", 0.5, None), ("p95", 0.95, 50.0), ("p99.9", 0.999, None)):
            value, single = quantile(took, q) * 1e3, quantile(alone, q) * 1e3
            figures.append(
                Figure(
                    what=f"one debit, five processes writing, {name}",
                    value=value,
                    unit="ms",
                    at_most=limit,
                    ratio=value / single,
                    versus=f"one process alone ({single:.3g} ms)",
                )
            )
        figures += [
            Figure(what="tokens lost of all debited", value=float(WRITERS * count - found.total), at_most=0),
            Figure(what="escalations", value=float(escalations), note=f"total {found.total:,}, budget 8,000"),
        ]
        booked, summed, total = killed(folder / "killed.db")
        figures.append(
            Figure(
                what="after kill -9 of five writers: sum of debits less total",
                value=float(summed - total),
                at_most=0,
                note=f"{booked:,} debits booked",
            )
        )
        figures.append(Figure(what="debits a second, five processes", value=1 / statistics.fmean(took) * WRITERS))
    return Result(
        name="rewards_thinking",
        title="Thinking budgets",
        method=(
            f"Five processes open one ledger and debit one task {count:,} times each, all at once; each debit is one "
            "transaction, its wall time taken in the process that makes it, waiting for the others included. Then "
            "five writers are killed with signal 9 after half a second."
        ),
        figures=tuple(figures),
        scale=scale,
    )


if __name__ == "__main__":
    from benchmarks.table import terminal

    print(terminal(run()))
