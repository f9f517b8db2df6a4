"""Tool rewards: BFCL's answers, single mutations, what it costs; and the adoption alarm simulated."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Result
from harness.core.calls.accepted_values import accepted
from harness.core.case import Case
from harness.datasets import load_dataset
from harness.evaluators import ToolArguments
from harness.rewards import AdoptionAlarm, ToolReward, design_alarm
from harness.stats.rates import wilson
from harness.testing import make_case, make_trajectory

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data")) / "tool_calls"
FILES = ("bfcl_simple_python.jsonl", "bfcl_multiple.jsonl")
Call = tuple[str, dict[str, Any]]


def questions(name: str) -> list[Case]:
    return list(load_dataset(f"bfcl:{PUBLIC / name}"))


def right_calls(case: Case) -> list[Call]:
    """The first accepted value of each parameter; an empty string first means: left out."""
    calls = case.expected.tool_calls or ()
    return [(c.name, {k: _first(v[0]) for k, v in (c.accepted or {}).items() if v[0] != ""}) for c in calls]


def mutations(case: Case) -> Iterator[tuple[str, list[Call]]]:
    """Every single mutation of the right calls, with its kind."""
    calls = right_calls(case)
    (name, arguments), answers = calls[0], (case.expected.tool_calls or ())[0].accepted or {}
    yield "missing call", calls[1:]
    yield "extra call", [*calls, (name + "_again", arguments)]
    yield "repeated call", [*calls, calls[0]]
    yield "wrong name", [(name + "_other", arguments), *calls[1:]]
    yield "unknown parameter", [(name, {**arguments, "zz_unknown": 1}), *calls[1:]]
    for key, value in arguments.items():
        rest = {k: v for k, v in arguments.items() if k != key}
        if "" not in answers[key]:
            yield "missing required", [(name, rest), *calls[1:]]
        wrong_type: Any = [value] if isinstance(value, (str, dict)) else str(value)
        yield "type", [(name, {**rest, key: wrong_type}), *calls[1:]]
        if (other := _other(value, list(answers[key]))) is not None:
            yield "value", [(name, {**rest, key: other}), *calls[1:]]


def worth(case: Case, calls: list[Call]) -> float | None:
    return ToolReward().reward(make_trajectory("Done.", calls=calls), case)


def _first(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _first(v[0]) for k, v in value.items() if v[0] != ""}
    return [_first(item) for item in value] if isinstance(value, list) else value


def _other(value: Any, answers: list[Any]) -> Any:
    """Another value of the same type that is not accepted, or None when there is none."""
    options: list[Any] = [{**value, "zz": 1}] if isinstance(value, dict) else []
    if isinstance(value, bool):
        options = [not value]
    elif isinstance(value, (int, float)):
        options = [value + 1, value - 7, value * 3 + 11]
    elif isinstance(value, str):
        options = [value + "x", "zz" + value]
    elif isinstance(value, list):
        options = [[*value, value[0] if value else 1], value[:-1], [*value, "zz"]]
    return next((option for option in options if not accepted(option, answers)), None)


def parity() -> tuple[int, int, dict[str, tuple[int, int]]]:
    """Accepted answers worth 1, questions, and per kind of mutation (rejected, tried)."""
    valid = total = 0
    kinds: dict[str, tuple[int, int]] = {}
    for name in FILES:
        for case in questions(name):
            total += 1
            valid += worth(case, right_calls(case)) == 1.0
            for kind, calls in mutations(case):
                rejected, tried = kinds.get(kind, (0, 0))
                kinds[kind] = (rejected + (worth(case, calls) != 1.0), tried + 1)
    return valid, total, kinds


def share_of(part: int, whole: int) -> str:
    low, high = wilson(part, whole)
    return f"{part:,} of {whole:,}, 95% interval [{low:.4f}, {high:.4f}]"


def median_us(work: Callable[[], Any], count: int) -> float:
    took = []
    for _ in range(count):
        start = time.process_time_ns()
        for _ in range(50):
            work()
        took.append((time.process_time_ns() - start) / 50e3)
    return statistics.median(took)


def run(scale: float = 1.0) -> Result:
    figures: list[Figure] = []
    if PUBLIC.is_dir():
        valid, total, kinds = parity()
        what = "BFCL, accepted answers worth 1"
        figures.append(Figure(what=what, value=valid / total, at_least=1.0, note=share_of(valid, total)))
        rejected, tried = (sum(pair[i] for pair in kinds.values()) for i in (0, 1))
        what = "BFCL, single mutations worth less than 1"
        figures.append(Figure(what=what, value=rejected / tried, at_least=0.995, note=share_of(rejected, tried)))
        for kind, (part, whole) in sorted(kinds.items()):
            figures.append(Figure(what=f"of these, {kind}", value=part / whole, note=share_of(part, whole)))
        rows = questions("bfcl_irrelevance.jsonl")
        fine = sum(
            worth(case, []) == 1.0 and worth(case, [(case.tools[0]["function"]["name"], {})]) == 0.0 for case in rows
        )
        what = "BFCL irrelevance: no call worth 1, any call worth 0"
        figures.append(Figure(what=what, value=fine / len(rows), at_least=1.0, note=share_of(fine, len(rows))))
    else:
        figures.append(Figure(what="BFCL parity", value=None, at_least=1.0, note=f"{PUBLIC} is not here"))
    for calls in (3, 30):
        made = [("find", {"q": f"word{i} order W{i}"}, f"customer K{i} has parcel P{i}") for i in range(calls)]
        trajectory = make_trajectory(f"Parcel P{calls - 1} is yours.", calls=made)
        case = make_case(tool_calls=[{"name": n, "arguments": a} for n, a, _ in made])
        count = max(3, int(20 * scale))
        ours = median_us(lambda t=trajectory, c=case: ToolReward().reward(t, c), count)  # type: ignore[misc]
        plain = median_us(lambda t=trajectory, c=case: ToolArguments().evaluate(t, c), count)  # type: ignore[misc]
        figures.append(
            Figure(
                what=f"tool reward of {calls} calls, all parts",
                value=ours,
                unit="us",
                ratio=ours / plain,
                versus="the evaluator tool_arguments alone",
            )
        )
    design = design_alarm()
    repeats = max(200, int(20_000 * scale))
    chance = random.Random(5)
    false = sum(
        AdoptionAlarm(design).follow(chance.random() < 0.937 for _ in range(design.horizon)) is not None
        for _ in range(repeats)
    )
    found, delays = 0, []
    for _ in range(repeats):
        at = AdoptionAlarm(design).follow(chance.random() < 0.85 for _ in range(2000))
        found += at is not None and at <= design.found_within
        delays.append(at or 2000)
    figures += [
        Figure(
            what=f"adoption alarm, false alarms within {design.horizon:,} runs at .937",
            value=false / repeats,
            at_most=0.01,
            note=f"{share_of(false, repeats)}; exact: {design.false_alarms:.4f}",
        ),
        Figure(
            what=f"adoption alarm, drop to .85 found within {design.found_within} runs",
            value=found / repeats,
            at_least=0.9,
            note=share_of(found, repeats),
        ),
        Figure(what="adoption alarm, runs to the alarm after the drop, median", value=statistics.median(delays)),
    ]
    return Result(
        name="rewards_tools",
        title="Tool rewards and the adoption alarm",
        method=(
            "The first accepted value of every parameter of 600 BFCL questions is a right answer; every single "
            "mutation of it is tried (a value is changed to another of its type that no accepted answer has). A run is "
            "right when the tool reward is exactly 1. Times are CPU time of this process, medians. The alarm is "
            "simulated with independent runs; its chart starts at 0, which is the worst case for finding a drop."
        ),
        figures=tuple(figures),
        scale=scale,
    )


if __name__ == "__main__":
    from benchmarks.table import terminal

    print(terminal(run()))
