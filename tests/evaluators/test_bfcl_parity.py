"""Tool arguments against real BFCL rows: accepted answers are right, every single mutation of them is wrong."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.calls.accepted_values import accepted
from harness.core.case import Case
from harness.core.score import Score
from harness.datasets import load_dataset
from harness.evaluators import ToolArguments, ToolChoice
from harness.testing import make_trajectory

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HARNESS_EXTERNAL_DATA", ROOT.parent / "shared" / "data")) / "tool_calls"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"BFCL rows are not at {DATA}; set HARNESS_EXTERNAL_DATA to the folder of external data"
)
Call = tuple[str, dict[str, Any]]


def cases(name: str) -> list[Case]:
    return list(load_dataset(f"bfcl:{DATA / name}"))


def judged(case: Case, calls: list[Call]) -> Score:
    return ToolArguments().evaluate(make_trajectory(calls=calls), case)


def right_calls(case: Case) -> list[Call]:
    """The first accepted value of each parameter; an empty string first means: left out."""
    assert case.expected.tool_calls is not None
    calls: list[Call] = []
    for call in case.expected.tool_calls:
        assert call.accepted is not None
        calls.append((call.name, {k: first(v[0]) for k, v in call.accepted.items() if v[0] != ""}))
    return calls


def first(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: first(v[0]) for k, v in value.items() if v[0] != ""}
    if isinstance(value, list):
        return [first(item) for item in value]
    return value


def other_value(value: Any, accepted_values: list[Any]) -> Any:
    """Another value of the same type that is not accepted, or None when there is none."""
    candidates: list[Any]
    if isinstance(value, bool):
        candidates = [not value]
    elif isinstance(value, (int, float)):
        candidates = [value + 1, value - 7, value * 3 + 11]
    elif isinstance(value, str):
        candidates = [value + "x", "zz" + value]
    elif isinstance(value, list):
        candidates = [[*value, value[0] if value else 1], value[:-1], [*value, "zz"]]
    else:
        candidates = [{**value, "zz": 1}]
    return next((c for c in candidates if not accepted(c, accepted_values)), None)


def mutations(case: Case) -> Iterator[tuple[str, list[Call]]]:
    calls = right_calls(case)
    assert case.expected.tool_calls is not None
    name, arguments = calls[0]
    answers = case.expected.tool_calls[0].accepted
    assert answers is not None
    yield "missing call", calls[1:]
    yield "extra call", [*calls, calls[0]]
    yield "wrong name", [(name + "_other", arguments), *calls[1:]]
    yield "unknown parameter", [(name, {**arguments, "zz_unknown": 1}), *calls[1:]]
    for key, value in arguments.items():
        rest = {k: v for k, v in arguments.items() if k != key}
        if "" not in answers[key]:
            yield f"missing {key}", [(name, rest), *calls[1:]]
        wrong_type: Any = [value] if isinstance(value, (str, dict)) else str(value)
        yield f"type of {key}", [(name, {**rest, key: wrong_type}), *calls[1:]]
        if (other := other_value(value, list(answers[key]))) is not None:
            yield f"value of {key}", [(name, {**rest, key: other}), *calls[1:]]


@needs_data
@pytest.mark.parametrize("name", ["bfcl_simple_python.jsonl", "bfcl_multiple.jsonl"])
def test_every_accepted_answer_is_right(name: str) -> None:
    wrong = [(c.id, got.reason) for c in cases(name) if not (got := judged(c, right_calls(c))).passed]
    assert wrong == []


@needs_data
@pytest.mark.parametrize("name", ["bfcl_simple_python.jsonl", "bfcl_multiple.jsonl"])
def test_single_mutations_are_rejected(name: str) -> None:
    tried, kept = 0, []
    for case in cases(name):
        for what, calls in mutations(case):
            tried += 1
            if judged(case, copy.deepcopy(calls)).passed:
                kept.append(f"{case.id}: {what}: {json.dumps(calls)[:200]}")
    assert tried > 1000
    assert len(kept) <= 0.005 * tried, f"{len(kept)} of {tried} mutations passed: {kept[:10]}"


@needs_data
def test_any_call_is_wrong_where_no_tool_fits() -> None:
    rows = cases("bfcl_irrelevance.jsonl")
    assert len(rows) == 240
    for case in rows:
        tool = case.tools[0]["function"]["name"]
        for evaluator in (ToolArguments(), ToolChoice()):
            assert evaluator.evaluate(make_trajectory("I cannot do that."), case).passed is True
            assert evaluator.evaluate(make_trajectory(calls=[(tool, {})]), case).passed is False
