"""Peak memory of a session with many long trajectories: flat, because finished trials are on disk, not in lists."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.sessions import Session, run_session, write_cases, write_project

SIZES = (5_000, 20_000)
TRAJECTORY_BYTES = 10_000
AT_MOST_MB = 400.0
AGENT = f"""\
import random

WORDS = ["".join(random.Random(n).choices("abcdefghijklmnopqrstuvwxyz", k=2 + n % 9)) for n in range(2000)]


async def answer(case, trial):
    # Eight messages of invented words: they compress about as well as chat, unlike one sentence repeated.
    chance = random.Random(trial.seed)
    return [
        {{"role": "user" if turn % 2 == 0 else "assistant", "content": text(chance)}}
        for turn in range(8)
    ]


def text(chance):
    return " ".join(chance.choices(WORDS, k={TRAJECTORY_BYTES} // 8 // 7))
"""
SUITE = """\
import pytest

@pytest.mark.golden("bench", agent="long_agent:answer")
def test_long(case, trajectory):
    assert len(trajectory.messages) >= 8
"""


def session(count: int) -> tuple[Session, float]:
    """The session, and the journal's bytes per trial."""
    with tempfile.TemporaryDirectory() as made:
        folder = write_project(Path(made), {"long_agent.py": AGENT, "suites/test_long.py": SUITE})
        write_cases(folder, count)
        done = run_session(folder, "suites")
        journal = next((folder / "reports" / "runs").glob("*/trials-main.jsonl"))
        return done, journal.stat().st_size / count


def run(scale: float = 1.0) -> Result:
    sizes = [max(100, int(size * scale)) for size in SIZES]
    done = {size: session(size) for size in sizes}
    small, large = (done[size][0] for size in sizes)
    figures = [
        Figure(
            what=f"peak memory, {size:,} trials",
            value=done[size][0].peak_mb,
            unit="MB",
            at_most=AT_MOST_MB,
        )
        for size in sizes
    ]
    further = sizes[1] - sizes[0]
    figures += [
        Figure(
            what="growth per further trial",
            value=(large.peak_mb - small.peak_mb) / further * 1e3,
            unit="kB",
            ratio=(large.peak_mb - small.peak_mb) * 1e6 / further / done[sizes[1]][1],
            versus="a trial's line in the journal",
        ),
        Figure(what=f"of {sizes[1]:,}: when collected and planned", value=large.phases["planned"].peak_mb, unit="MB"),
        Figure(what=f"of {sizes[1]:,}: when every trial has run", value=large.phases["ran"].peak_mb, unit="MB"),
        Figure(what=f"of {sizes[1]:,}: when judged and reported", value=large.phases["ended"].peak_mb, unit="MB"),
        Figure(what="a trial's line in the journal", value=done[sizes[1]][1] / 1e3, unit="kB"),
    ]
    return Result(
        name="memory",
        title="Peak memory of long runs",
        method=(
            "Sessions of golden cases whose agent returns eight messages of invented words, about 10 kB together, each "
            "session in a process of its own; the highest resident set that the system saw."
        ),
        figures=tuple(figures),
        scale=scale,
    )
